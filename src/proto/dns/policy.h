/* SPDX-License-Identifier: ISC */
/*
 * policy.h - lists of names and addresses whose answers are not those of the Internet, as zones say
 * them that many publish (response policy zones, draft-vixie-dnsop-dns-rpz): what a client's address,
 * a name, an address in an answer, a name server's name or address brings about.
 *
 * A rule's owner says when it holds:
 *
 *      www.example, *.example         the name, or all below one
 *      24.0.2.0.192.rpz-ip            an address in the answer, as prefix length and reversed octets
 *      32.1.0.0.127.rpz-client-ip     the client's
 *      ns.example.rpz-nsdname         a server of the name's zone, or of one above
 *      24.0.2.0.192.rpz-nsip          the address of one
 *
 * and its records say what is done: CNAME . (no such name), CNAME *. (nothing there), CNAME
 * rpz-passthru., rpz-drop., rpz-tcp-only.; all else is the answer itself.
 */
#ifndef WN_PROTO_DNS_POLICY_H
#define WN_PROTO_DNS_POLICY_H

#include "base/address.h"
#include "base/heap.h"
#include "wire/dns/dns_record.h"

enum {
    POLICY_LISTS_MAX = 9,          /* and the hosts file is one */
    POLICY_RULES_MAX = 16 << 20,   /* of one list */
    POLICY_DATA_LEN_MAX = 16 * 1024, /* octets of the records of one rule */
};

enum policy_action {
    POLICY_DATA, /* its records are the answer */
    POLICY_PASSTHRU,
    POLICY_NXDOMAIN,
    POLICY_NODATA,
    POLICY_DROP,
    POLICY_TCP_ONLY,
    POLICY_ACTION_COUNT
};

/* In the order in which they count, within a list; of two lists the first counts. */
enum policy_trigger {
    POLICY_CLIENT_IP,
    POLICY_QNAME,
    POLICY_IP,
    POLICY_NSDNAME,
    POLICY_NSIP,
    POLICY_TRIGGER_COUNT
};

struct policy_rule {
    enum policy_action action;
    struct bytes data; /* records as cache_write_record() has them, owner the root */
};

struct policy;

/* A list whose rules lie below `origin`, which may be the root. NULL: no memory. */
MUST_USE struct policy *policy_new(const struct heap *heap, const struct dns_name *origin,
                                   size_t rules_max);
void policy_free(struct policy *policy);

/* The same by steps, for long ones: takes at most so many rules out of it. True: there are none left. */
bool policy_empty(struct policy *policy, size_t rules);

enum policy_result {
    POLICY_OK,
    POLICY_IGNORED, /* it is the zone's own, or of another: SOA, NS, what signs */
    POLICY_WRONG,   /* an address that is none, a trigger that nobody knows */
    POLICY_FULL,
    POLICY_NO_MEMORY,
};
enum policy_result policy_add(struct policy *policy, const struct dns_record *record);

/* The rule of that owner goes, whatever its records were. Not when rules of several owners are one, as two ways to write
 * a prefix are: then it is not known whose is what (policy_is_mixed()). */
void policy_forget(struct policy *policy, const struct dns_name *owner);
bool policy_is_mixed(const struct policy *policy);

/* The lines of a hosts file (hosts(5)), into a list of the root. WRONG, FULL …: *line says where. */
enum policy_result policy_add_hosts(struct policy *policy, struct bytes file, uint32_t ttl,
                                    unsigned *line);

size_t policy_count(const struct policy *policy);
bool policy_has(const struct policy *policy, enum policy_trigger trigger);

/* The rule for that name: its own, or that of the closest "*" above; POLICY_QNAME or POLICY_NSDNAME.
 * False: there is none. */
MUST_USE bool policy_find_name(const struct policy *policy, enum policy_trigger trigger,
                               const struct dns_name *name, struct policy_rule *out);

/* … for that address: that of the longest prefix. */
MUST_USE bool policy_find_address(const struct policy *policy, enum policy_trigger trigger,
                                  const struct ip_address *address, struct policy_rule *out);

#endif

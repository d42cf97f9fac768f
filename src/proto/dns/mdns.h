/* SPDX-License-Identifier: ISC */
/*
 * mdns.h - names on a link without a server (RFC 6762), and the services that are announced by them
 * (RFC 6763), as a machine: responder and querier of one link, with the cache that they share.
 *
 * What is ours hangs on names that nobody else may have: each is probed for, announced and defended,
 * and changed when another has it. Records are unique, ours alone, or shared with other hosts. What
 * others say is kept as long as it holds; a question that is open is asked again, ever more seldom,
 * until it is closed.
 *
 *      mdns_input()        a message from the link
 *      mdns_next()         until false: messages to be sent
 *      mdns_next_event()   until false: what has changed for questions and names
 *      mdns_deadline()     when to call mdns_next() at the latest
 *
 * SKIPS RFC 6762 §10.4: who uses an address and finds it dead cannot tell us.
 */
#ifndef WN_PROTO_DNS_MDNS_H
#define WN_PROTO_DNS_MDNS_H

#include "base/heap.h"
#include "base/prng.h"
#include "base/usec.h"
#include "wire/dns/dns_message.h"

enum {
    MDNS_PORT = 5353,
    MDNS_NAMES_MAX = 64,       /* that are ours; then no more */
    MDNS_RECORDS_MAX = 256,    /* the same */
    MDNS_ADDRESSES_MAX = 32,   /* of the link */
    MDNS_HOST_ADDRESSES_MAX = 256,
    MDNS_ECHOES_MAX = 64,      /* messages of ours that may come back to us: the oldest is forgotten */
    MDNS_QUESTIONS_MAX = 256,  /* that are open; then no more */
    MDNS_PENDING_MAX = 64,     /* queries not answered yet; one more is not: it comes again */
    MDNS_CACHE_MAX = 4096,     /* records of others: the one heard of longest ago goes */
    MDNS_CACHE_OCTETS_MAX = 1 << 20,
    MDNS_MESSAGE_MAX = 9000,   /* RFC 6762 §17, with headers */
    MDNS_SEND_MAX = 1440,      /* of Ethernet's 1500, for either version of IP */
    MDNS_RDATA_MAX = 4096,     /* of a record of ours */
    MDNS_TTL_HOST = 120,       /* §10: of what depends on a host's name or address */
    MDNS_TTL_OTHER = 4500,
    MDNS_TTL_LEGACY = 10,      /* §6.7 */
};

struct mdns;

/* `prng` is forked. NULL: no memory. */
MUST_USE struct mdns *mdns_new(const struct heap *heap, struct prng *prng, usec now);
void mdns_free(struct mdns *m);

/* Is it a name that is only looked for on the link: of local., or the reverse of a link-local address
 * (RFC 6762 §3, §4)? */
bool mdns_is_local(const struct dns_name *name);

/* The addresses that we have on the link, with the networks they are in: what comes from elsewhere by
 * unicast is not looked at (§11). At most MDNS_ADDRESSES_MAX. */
void mdns_set_addresses(struct mdns *m, const struct ip_prefix *addresses, size_t count);

/* What the machines of one host's links have in common: its addresses on all of them, and what they have said
 * last. Two of its links may be one, and it is no rival of its own. Begins with zeros. */
struct mdns_host {
    struct ip_address addresses[MDNS_HOST_ADDRESSES_MAX];
    size_t address_count;
    struct {
        uint32_t hash;
        usec sent_at;
    } echoes[MDNS_ECHOES_MAX];
    size_t echo_next, echo_count;
};

/* Borrowed. Without it a machine knows of itself alone. */
void mdns_share_host(struct mdns *m, struct mdns_host *host);

/* Other programs on the host have the port, too: what is sent to us alone may reach them instead, and is not
 * asked for (§15.1). */
void mdns_share_port(struct mdns *m);

/* ---- what is ours ---- */

enum mdns_style {
    MDNS_STYLE_HOST,    /* when another has it: name-2, name-3, … */
    MDNS_STYLE_SERVICE, /* name (2), … (RFC 6763 appendix D) */
    MDNS_STYLE_FIXED,   /* it is given up: its records are not ours */
};

enum mdns_name_state {
    MDNS_NAME_WAITING,    /* to be probed for */
    MDNS_NAME_PROBING,
    MDNS_NAME_ANNOUNCING, /* it is ours, from here on */
    MDNS_NAME_HELD,
    MDNS_NAME_LOST,       /* given up */
    MDNS_NAME_STATE_COUNT
};

/* Its records are to be added before the next mdns_next(). The name's number, or -1: too many. */
MUST_USE int mdns_add_name(struct mdns *m, const struct dns_name *name, enum mdns_style style,
                           usec now);

struct mdns_record {
    const struct dns_name *owner; /* NULL: the name; else a shared record, told as long as the name is ours */
    uint16_t type;
    uint32_t ttl;
    struct bytes rdata; /* valid; copied. A name of ours in a PTR or SRV record changes with it */
};

/* Under that name. False: too many, too long, or no memory. */
MUST_USE bool mdns_add_record(struct mdns *m, int name, const struct mdns_record *record, usec now);

/* Takes back all unique records of that type under the name, without a word: new ones, announced with
 * the cache-flush bit, replace them (§8.4). */
void mdns_drop_records(struct mdns *m, int name, uint16_t type);

/* Says goodbye for what is under the name, which is free then. */
void mdns_drop_name(struct mdns *m, int name, usec now);

/* Says goodbye for all that is ours (§10.1); mdns_next() then has the messages. */
void mdns_withdraw(struct mdns *m, usec now);

/* An instance of a service (RFC 6763 §4, §6, §9): "Printer" of "_ipp._tcp" on `host`, a name of ours.
 * `txt` is RDATA; an empty one is made valid. The number of its name, or -1. */
struct mdns_service {
    struct bytes instance; /* one label of UTF-8 */
    struct bytes type;     /* "_ipp._tcp" */
    uint16_t port;
    struct bytes txt;
};
MUST_USE int mdns_add_service(struct mdns *m, int host, const struct mdns_service *service,
                              usec now);

/* Goes on to the next name of ours: begins with *name -1, ends with false. */
MUST_USE bool mdns_each_name(const struct mdns *m, int *name);

/* "waiting", "probing", "announcing", "held", "lost". Static. */
const char *mdns_name_state_text(enum mdns_name_state state);

enum mdns_name_state mdns_name_state(const struct mdns *m, int name);

/* As it is now; valid until the machine is called again. */
const struct dns_name *mdns_name(const struct mdns *m, int name);

/* ---- questions ---- */

/* Opens a question, of class IN. Its handle, or 0: too many. */
MUST_USE uint32_t mdns_ask(struct mdns *m, const struct dns_name *name, uint16_t type, usec now);
void mdns_close(struct mdns *m, uint32_t question);

struct mdns_answer {
    struct dns_name owner;
    uint16_t type;
    uint32_t ttl;       /* that is left, in seconds */
    uint32_t serial;    /* grows: a record that is new has a higher one than all before it; 0: it is ours */
    struct bytes rdata; /* valid until the machine is called again */
    bool unique;
};

/* The records that answer a question, ours first. Begins with *place NULL, ends with false. Nothing
 * else may be called in between. */
MUST_USE bool mdns_each_answer(const struct mdns *m, const struct dns_question *question, usec now,
                               const void **place, struct mdns_answer *out);

/* Has the name's owner said that there is nothing of that type (§6.1)? */
bool mdns_denied(const struct mdns *m, const struct dns_question *question);

/* ---- the crank ---- */

struct mdns_input {
    struct endpoint from;
    bool multicast; /* it was sent to the group */
    struct bytes message;
};
void mdns_input(struct mdns *m, const struct mdns_input *in, usec now);

struct mdns_output {
    bool multicast;       /* to the groups, port 5353; else: */
    struct endpoint to;
    struct bytes message; /* in the caller's buffer */
};

/* `buffer` of MDNS_MESSAGE_MAX octets. */
MUST_USE bool mdns_next(struct mdns *m, usec now, uint8_t *buffer, struct mdns_output *out);

enum mdns_event_kind {
    MDNS_ANSWERS_CHANGED, /* of `question` */
    MDNS_NAME_CHANGED,    /* `name` is another, ours now, or lost */
};
struct mdns_event {
    enum mdns_event_kind kind;
    uint32_t question;
    int name;
};
MUST_USE bool mdns_next_event(struct mdns *m, struct mdns_event *out);

usec mdns_deadline(const struct mdns *m);

struct mdns_counters {
    uint64_t queries_in, responses_in, ignored; /* messages */
    uint64_t queries_out, responses_out, probes_out;
    uint64_t conflicts, suppressed;             /* answers that others, or the asker, had given */
    uint64_t overfull;                          /* queries that went unanswered */
    uint64_t cached;                            /* gauge: records */
};
void mdns_counters(const struct mdns *m, struct mdns_counters *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * answer.h - the answering core of a server: a query in, a reply out, from zones (RFC 1034 §4.3.2;
 * RFC 2308 negative answers, RFC 4592 wildcards, RFC 6672 DNAME, RFC 6891 EDNS, RFC 8482 ANY;
 * RFC 4035 §3.1 and RFC 5155 §7.2 for signed zones; RFC 7873 cookies, RFC 5001 NSID, RFC 4892 names
 * of class CHAOS; RFC 8945 queries that are signed).
 *
 * It holds no state between queries and allocates nothing. What is in no zone is told to the
 * caller as ANSWER_ELSEWHERE, with the reply as far as it goes: whoever knows the rest (resolver.h) adds
 * it, at once or, after answer_resume(), later.
 */
#ifndef WN_PROTO_DNS_ANSWER_H
#define WN_PROTO_DNS_ANSWER_H

#include "proto/dns/denial.h"
#include "proto/dns/dns64.h"
#include "proto/dns/dns_cookie.h"
#include "proto/dns/tsig.h"
#include "wire/dns/dns_message.h"

enum {
    ANSWER_CHAIN_MAX = 16,    /* CNAMEs and DNAMEs followed in one answer */
    ANSWER_PADDING_MAX = 512,
    ANSWER_IDENTITY_MAX = 64, /* octets of what is told by NSID, and in class CHAOS */
    ANSWER_SIGNED_MAX = 1024, /* octets that a question, OPT and TSIG may need: so many are sent even
                                 to who says that he takes 512 */
};

struct resolver_policies;
struct answer_query;

struct answer_options {
    const struct zone_set *zones;
    const struct zone_set *common; /* what these zones are a view over: of two zones that a name is in
                                      the deeper one counts, of two of one name the view's. NULL: none */
    bool recursion_available; /* RA: names elsewhere can be asked for */
    bool minimal;             /* no additional records but glue */
    bool cookies_required;    /* over datagrams: BADCOOKIE to who has none */
    const char *version;      /* version.bind and version.server; NULL: REFUSED */
    const char *identity;     /* NSID, id.server and hostname.bind; NULL: not told */
    const struct cookie_secrets *cookies; /* NULL: no cookies */
    const struct dns_sha1 *sha1;          /* NULL: no denial by NSEC3 */
    const struct ip_prefix *dns64;        /* of addresses that are made (RFC 6147); NULL: none are */
    const struct tsig_keys *keys;         /* NULL: TSIG is not looked at. Those of `query->tsig` stay */
    /* Once a query is understood, and its signature looked at: by what it is answered, which has the same
     * cookies and keys; NULL: its client is refused. May be NULL: by this, whoever asks. */
    const struct answer_options *(*choose)(void *self, const struct answer_query *query);
    void *self;
    const struct resolver_policies *policies; /* of resolver.h, who adds what is elsewhere; NULL: his own */
};

/* Where a query came from. */
struct answer_path {
    bool stream;       /* TCP: replies up to 65535 octets, and ANY in full */
    uint16_t size_max; /* of a datagram, also announced in OPT: DNS_UDP_SIZE_DEFAULT, more only
                          where datagrams are known not to be fragmented */
    uint16_t keepalive; /* how long an idle stream stays, in tenths of a second (RFC 7828); 0: not
                           told */
    uint16_t padding;   /* replies are made multiples of so many octets for who asks so (RFC 7830):
                           where others see lengths and nothing else. 0: not; at most
                           ANSWER_PADDING_MAX */
    uint64_t now;      /* seconds since 1970, for cookies and TSIG */
    struct ip_address from;
};

/* What must be kept of a query to reply to it later. */
struct answer_query {
    uint16_t id;
    uint16_t flags; /* as they came: RD, CD, AD matter */
    struct dns_question question;
    bool edns;
    bool dnssec_ok;
    bool wants_nsid;
    bool wants_keepalive;
    bool wants_padding;
    bool has_cookie; /* `cookie` is for the reply */
    bool proven;     /* it is no forgery: over a stream, signed, or with a cookie of ours */
    uint8_t cookie[COOKIE_LEN];
    struct answer_path path;
    struct tsig tsig; /* of what has no key only `key` is set: NULL */
    uint16_t limit; /* of the reply's octets */
};

enum answer_verdict {
    ANSWER_NOTHING,   /* not a query: no reply is due */
    ANSWER_REPLY,     /* *reply is to be sent */
    ANSWER_ELSEWHERE, /* *query is filled in; ask for its question, but with the name work.target, the
                         question's or where our CNAMEs lead. answer_end() makes the reply */
};

/* What a reply amounts to: replies that are alike are limited together (rate_limit.h). */
enum answer_kind {
    ANSWER_DATA,
    ANSWER_NODATA,
    ANSWER_NXDOMAIN,
    ANSWER_REFERRAL,
    ANSWER_ERROR,
    ANSWER_KIND_COUNT
};

enum {
    ANSWER_ADDITIONAL_MAX = 16, /* names whose addresses are added */
    ANSWER_PROOFS_MAX = DENIAL_NODES_MAX * (ANSWER_CHAIN_MAX + 1),
};

struct answer_proof {
    const struct zone *zone;
    const struct zone_node *node; /* owner of an NSEC or NSEC3 record */
};

/* A reply under construction. Those who add to it from elsewhere write records by `b`, and set `rcode`,
 * `kind`, `source`, `authentic`, `truncated`, `until` and `ede`; the rest is the answering core's own. */
struct answer_work {
    const struct answer_options *options;
    const struct answer_query *query;
    struct dns_builder b;
    size_t opt_len;       /* kept free at the end */
    size_t tsig_len;      /* the same, behind it */
    struct tsig tsig;     /* when there is any: answer_end() leaves it as a next message needs it */
    unsigned rcode;
    enum answer_kind kind;
    bool authoritative;
    bool authentic;       /* AD: all of it */
    bool truncated;
    bool dropped;         /* nothing is to be sent: by a policy */
    bool elsewhere;       /* the chain leaves our zones at `target` */
    unsigned chain_len;
    struct dns_name target;
    const void *source;
    usec until;           /* the reply may be given again until then; 0: that is not known */
    usec ttl_until;       /* with these TTLs until then, and with one less for each second after that */
    uint16_t ede;         /* enum dns_ede: what more there is to say (RFC 8914), if there is room */
    const struct zone_node *seen[ANSWER_ADDITIONAL_MAX]; /* whose addresses are in the reply */
    size_t seen_count;
    struct answer_proof proofs[ANSWER_PROOFS_MAX];       /* for the authority section */
    size_t proof_count;
};

/* Not to be copied: it points into itself. */
struct answer_result {
    enum answer_verdict verdict;
    enum answer_kind kind;   /* ANSWER_REPLY */
    unsigned rcode;          /* of the reply */
    bool malformed;          /* the reply says FORMERR */
    bool dropped;            /* the reply is not to be sent */
    struct bytes reply;      /* in the caller's buffer */
    const void *source;      /* what the reply was made of, as an identity: the node, or the zone in
                                which there is nothing; or NULL */
    struct answer_query query;
    struct answer_work work; /* ANSWER_ELSEWHERE */
};

/* Answers one message. `buffer` of DNS_MESSAGE_MAX octets for streams, path->size_max (at least
 * DNS_UDP_SIZE_MIN; with keys ANSWER_SIGNED_MAX) for datagrams, takes the reply. */
void answer(const struct answer_options *options, struct bytes message,
            const struct answer_path *path, uint8_t *buffer, struct answer_result *out);

/* A reply with that RCODE and no records. */
struct bytes answer_refuse(const struct answer_options *options, const struct answer_query *query,
                           unsigned rcode, uint8_t *buffer);

/* A reply that says only: ask by TCP. */
struct bytes answer_truncated(const struct answer_options *options,
                              const struct answer_query *query, uint8_t *buffer);

/*
 * The reply to `query`, which has led to `target`, begun again in another buffer, for what has been
 * found meanwhile. False: our zones lead somewhere else by now, and *work is the reply to that.
 */
MUST_USE bool answer_resume(struct answer_work *work, const struct answer_options *options,
                            const struct answer_query *query, const struct dns_name *target,
                            uint8_t *buffer);

/* Ends a reply of which nobody can tell the rest: our CNAMEs; or, when there are none, `rcode`. */
struct bytes answer_partial(struct answer_work *work, unsigned rcode);

/* Ends a reply that is whole. */
struct bytes answer_end(struct answer_work *work);

#endif

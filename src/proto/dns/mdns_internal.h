/* SPDX-License-Identifier: ISC */
/*
 * mdns_internal.h - what the parts of the machine share: mdns.c its life and the crank, mdns_own.c names
 * and records of ours (RFC 6762 §8.4, §10.1), mdns_claim.c how a name becomes ours (§8, §9), mdns_tie.c who gets
 * one that two probe for (§8.2), mdns_respond.c answers (§6), mdns_query.c questions (§5, §7.1, §7.3), mdns_cache.c
 * what others have said (§10).
 */
#ifndef WN_PROTO_DNS_MDNS_INTERNAL_H
#define WN_PROTO_DNS_MDNS_INTERNAL_H

#include "base/list.h"
#include "proto/dns/mdns.h"

enum {
    MDNS_TOP_BIT = 0x8000,      /* of a class: cache-flush in a record, QU in a question (§18.12, §18.13) */
    MDNS_SET_WORDS = MDNS_RECORDS_MAX / 64,
    MDNS_BUCKETS = 512,
    MDNS_TIE_RECORDS = 32,      /* of a name, that are compared (§8.2) */
    MDNS_PROBES = 3,
    MDNS_ANNOUNCEMENTS = 2,
    MDNS_REFRESHES = 4,         /* at 80, 85, 90 and 95 % (§5.2) */
    MDNS_CONFLICTS_MAX = 15,    /* within MDNS_CONFLICT_TIME (§8.1) */
    MDNS_NOBODY = MDNS_NAMES_MAX, /* the name of records that are going */
    MDNS_FAILURES = 2,          /* unanswered queries that are taken for a sign (§10.5) */
};
_Static_assert(MDNS_NAMES_MAX == 64, "a set of names is a word");

#define MDNS_PROBE_INTERVAL (250 * USEC_PER_MSEC)
#define MDNS_ANNOUNCE_INTERVAL USEC_PER_SEC
#define MDNS_RATE_INTERVAL USEC_PER_SEC           /* §6: a record is multicast once in it */
#define MDNS_RATE_PROBE_INTERVAL (250 * USEC_PER_MSEC) /* §6: but to defend a name */
#define MDNS_QUERY_INTERVAL_MAX USEC_PER_HOUR
#define MDNS_CONFLICT_TIME (10 * USEC_PER_SEC)
#define MDNS_CONFLICT_PAUSE (5 * USEC_PER_SEC)
#define MDNS_GOODBYE_TIME USEC_PER_SEC            /* §10.1, §10.2 */
#define MDNS_FAILURE_TIME (10 * USEC_PER_SEC)     /* §10.5 */
#define MDNS_ECHO_TIME (2 * USEC_PER_SEC)
#define MDNS_LONG_AGO (-USEC_PER_DAY)             /* before every instant that matters */

/* Records of ours, by their number. */
struct mdns_set {
    uint64_t words[MDNS_SET_WORDS];
};

static inline void mdns_set_add(struct mdns_set *s, size_t i)
{
    s->words[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void mdns_set_remove(struct mdns_set *s, size_t i)
{
    s->words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static inline bool mdns_set_has(const struct mdns_set *s, size_t i)
{
    return (s->words[i / 64] >> (i % 64) & 1) != 0;
}

static inline bool mdns_set_empty(const struct mdns_set *s)
{
    uint64_t all = 0;
    for (size_t i = 0; i < MDNS_SET_WORDS; i++)
        all |= s->words[i];
    return all == 0;
}

/* Records of ours, and names of which it is to be said what they do not have. */
struct mdns_reply {
    struct mdns_set records;
    uint64_t denials;
};

struct mdns_own_name {
    bool used;
    bool changed;          /* an event is due */
    bool probe_due;
    enum mdns_style style;
    enum mdns_name_state state;
    struct dns_name name;
    struct dns_name first; /* as it was wished for */
    unsigned number;       /* of the next one to be tried */
    unsigned sent;         /* probes, or announcements */
    unsigned conflicts;    /* since conflict_at */
    usec conflict_at;
    usec due_at;
};

struct mdns_own {
    uint8_t *rdata; /* NULL: free */
    uint16_t rdata_len;
    uint16_t type;
    uint32_t ttl;
    uint8_t name;
    bool shared;
    struct dns_name owner;
    usec multicast_at;
};

/* A query that is to be answered. */
struct mdns_pending {
    bool used;
    bool multicast;
    bool more;       /* known answers are still to come (§7.2) */
    bool probe;
    bool legacy;     /* §6.7, with `id` and `question` */
    uint16_t id;
    struct dns_question question;
    struct endpoint from;
    struct mdns_reply reply;
    usec due_at;
};

struct mdns_question {
    uint32_t handle; /* 0: free */
    bool changed;
    bool due;        /* to be in the next query */
    bool asked;      /* at least once */
    struct dns_question question;
    usec interval;
    usec send_at;
};

struct mdns_cached {
    struct list_node bucket;
    struct list_node age;   /* in `ages`: the one heard of longest ago first */
    struct list_node known; /* in `known` */
    bool unique;
    uint8_t refreshes;
    uint8_t failures;       /* queries that it would have answered (§10.5) */
    uint16_t type;
    uint16_t owner_len;
    uint16_t rdata_len;
    uint32_t ttl;
    uint32_t serial;
    struct ip_address from; /* who has said it */
    usec received_at;
    usec expires_at;
    usec due_at;            /* what is next: a query for it, or its end */
    usec failed_at;
    uint8_t octets[];       /* owner, RDATA */
};

struct mdns {
    struct heap heap;
    struct prng prng;
    usec now;
    uint16_t unicast_bit;    /* MDNS_TOP_BIT; 0: unicast is not asked for */
    struct ip_address from; /* whose message is looked at */
    size_t address_count;
    struct ip_prefix addresses[MDNS_ADDRESSES_MAX];
    struct mdns_own_name names[MDNS_NAMES_MAX + 1]; /* the last is MDNS_NOBODY: never used */
    struct mdns_own records[MDNS_RECORDS_MAX];
    struct mdns_pending pending[MDNS_PENDING_MAX];
    struct mdns_reply sending;   /* to be multicast in this turn */
    struct mdns_set goodbyes;    /* the same, with a TTL of 0; then they are gone */
    struct mdns_question questions[MDNS_QUESTIONS_MAX];
    uint32_t question_serial;
    struct list_node buckets[MDNS_BUCKETS];
    struct list_node ages;
    struct list_node known;      /* known answers that did not fit into the query (§7.2) */
    size_t cached_octets;
    usec cache_due_at;           /* not later than the first due_at */
    uint32_t serial;
    struct mdns_host *host;      /* `alone`, or one that is shared */
    struct mdns_host alone;
    struct mdns_counters counters;
    uint8_t rdata[MDNS_MESSAGE_MAX]; /* of the record that is looked at */
};

static inline bool mdns_class_is_in(uint16_t class)
{
    return (class & ~MDNS_TOP_BIT) == DNS_IN;
}

/* Do records of that type answer a question of this one? */
static inline bool mdns_type_answers(uint16_t type, uint16_t asked)
{
    return type == asked || asked == DNS_ANY || type == DNS_CNAME;
}

/* From `least` on, less than `least + range`. */
usec mdns_random(struct mdns *m, usec least, usec range);

/* Writes a record whose octets may lie anywhere; false: it does not fit. */
bool mdns_put(struct dns_builder *b, const struct dns_name *owner, uint16_t type, uint16_t class,
              uint32_t ttl, struct bytes rdata);

/* The RDATA of a record of a message, in m->rdata. False: it is malformed. */
MUST_USE bool mdns_expand(struct mdns *m, struct bytes message, const struct dns_rr *rr,
                          struct bytes *out);

/* ---- mdns_own.c ---- */

/* May the name's records be told? */
static inline bool mdns_name_is_ours(const struct mdns_own_name *n)
{
    return n->used && (n->state == MDNS_NAME_ANNOUNCING || n->state == MDNS_NAME_HELD);
}

/* The record of ours that is the same, or NULL. */
struct mdns_own *mdns_own_find(struct mdns *m, const struct dns_name *owner, uint16_t type,
                               struct bytes rdata);

/* Has the name one of that type, which nobody else has? */
bool mdns_own_has_type(const struct mdns *m, size_t name, uint16_t type);

/* NSEC for what a name of ours has (§6.1). */
struct bytes mdns_own_types(const struct mdns *m, const struct mdns_own_name *n, uint8_t *buffer,
                            size_t size);

/* ---- mdns_claim.c ---- */

void mdns_start_probing(struct mdns *m, struct mdns_own_name *n, usec delay);

/* §8.4: what is added to a name of ours is announced as all was. */
void mdns_announce(struct mdns *m, struct mdns_own_name *n);

/* Another has said this (§8.1, §9). */
void mdns_claim_heard(struct mdns *m, const struct dns_rr *rr, struct bytes rdata);

void mdns_claim_tick(struct mdns *m);
usec mdns_claim_deadline(const struct mdns *m);

/* The next probe. */
MUST_USE bool mdns_claim_probe(struct mdns *m, uint8_t *buffer, struct bytes *out);

/* ---- mdns_tie.c ---- */

/* Another probes for a name that we probe for. */
void mdns_tie_rival(struct mdns *m, struct bytes message, const struct dns_name *name);

/* ---- mdns_respond.c ---- */

void mdns_respond_query(struct mdns *m, const struct mdns_input *in);

/* Another has multicast what we were about to (§7.4). */
void mdns_respond_heard(struct mdns *m, const struct mdns_own *own, uint32_t ttl);

void mdns_respond_tick(struct mdns *m);
usec mdns_respond_deadline(const struct mdns *m);
MUST_USE bool mdns_respond_next(struct mdns *m, uint8_t *buffer, struct mdns_output *out);

/* ---- mdns_query.c ---- */

void mdns_query_tick(struct mdns *m);
usec mdns_query_deadline(const struct mdns *m);
MUST_USE bool mdns_query_next(struct mdns *m, uint8_t *buffer, struct bytes *out);

/* Another has asked (§7.3, §10.5). */
void mdns_query_heard(struct mdns *m, const struct mdns_input *in);

/* A record has come or is gone. */
void mdns_query_changed(struct mdns *m, struct bytes owner, uint16_t type, bool gone);

/* A record is to be asked for before it ends; false: nobody wants it. */
MUST_USE bool mdns_query_refresh(struct mdns *m, struct bytes owner, uint16_t type);

/* ---- mdns_cache.c ---- */

void mdns_cache_open(struct mdns *m);
void mdns_cache_close(struct mdns *m);
void mdns_cache_take(struct mdns *m, const struct dns_rr *rr, struct bytes rdata);
void mdns_cache_tick(struct mdns *m);

/* Somebody wants to know it: records that answer it are asked for before they end. */
void mdns_cache_want(struct mdns *m, const struct dns_question *question);

/* A query that it would have answered (§10.5). */
void mdns_cache_doubt(struct mdns *m, struct mdns_cached *c);

struct list_node *mdns_cache_bucket(const struct mdns *m, const struct dns_name *owner);

static inline struct bytes mdns_cached_owner(const struct mdns_cached *c)
{
    return bytes_of(c->octets, c->owner_len);
}

static inline struct bytes mdns_cached_rdata(const struct mdns_cached *c)
{
    return bytes_of(c->octets + c->owner_len, c->rdata_len);
}

/* Is the cached record an answer to that question? Length octets are below the letters. */
static inline bool mdns_cached_answers(const struct mdns_cached *c, const struct dns_question *q)
{
    return mdns_type_answers(c->type, q->type) &&
           bytes_equal_nocase(mdns_cached_owner(c), dns_name_bytes(&q->name));
}

/* Should it be told as a known answer: at least half its time is left (§7.1)? */
static inline bool mdns_cached_is_fresh(const struct mdns_cached *c, usec now)
{
    return c->expires_at - now >= (usec)c->ttl * USEC_PER_SEC / 2;
}

#endif

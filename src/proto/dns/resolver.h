/* SPDX-License-Identifier: ISC */
/*
 * resolver.h - an iterative resolver as a machine: clients' questions are answered from a cache, and
 * what is not in it is found by asking from the root down (RFC 1034 §5.3.3), or by asking forwarders
 * for the domains that have them.
 *
 * Questions become tasks; equal ones are one. A task asks one server at a time, by a dns_client, or
 * waits for another task that finds a server's address. The caller owns the sockets, one for each
 * task at a time. The crank:
 *
 *      resolver_ask()        a client's question: answered at once, taken, or refused
 *      resolver_next()       until false: what is to be sent, what is to be replied, what is over
 *      resolver_input()      a message on a task's socket
 *      resolver_broken()     a task's socket cannot be used
 *      resolver_tick()       when resolver_deadline() has come
 *
 * What bounds it: queries sent for one question with all it brings about (a NXNSAttack, Afek et al.,
 * USENIX Security 2020), addresses of servers looked up for it, aliases followed, the depth of tasks
 * that wait for tasks, the time. Tasks never wait for each other in a ring. A referral only counts
 * when it leads down towards the name.
 *
 * Of a domain that has forwarders those are asked, in their order, and all else is the same: the cache,
 * the bounds, validation. DEVIATES RFC 6840 §5.9: a client's CD is not told to them unless we validate;
 * what they refuse to give as bogus is not there to be given.
 *
 * SKIPS RFC 8767 §5 client response timer: stale data is given when the question has failed, not
 * before.
 */
#ifndef WN_PROTO_DNS_RESOLVER_H
#define WN_PROTO_DNS_RESOLVER_H

#include "proto/dns/answer.h"
#include "proto/dns/cache.h"
#include "proto/dns/dns64.h"
#include "proto/dns/dns_client.h"
#include "proto/dns/policy.h"
#include "proto/dns/validate.h"
#include "wire/dns/dns_option.h"

enum {
    RESOLVER_TASKS = 1024,      /* questions under way; then new ones are refused */
    RESOLVER_CLIENTS = 4096,    /* that wait for them */
    RESOLVER_ALIASES_MAX = 16,  /* CNAMEs and DNAMEs of one answer */
    RESOLVER_QUERIES_MAX = 100, /* for one question, and those it brings about */
    RESOLVER_FETCHES_MAX = 8,   /* names of servers looked up for one question */
    RESOLVER_DEPTH_MAX = 6,     /* tasks for tasks for tasks … */
    RESOLVER_NS_MAX = 16,       /* of a zone's servers, as many are considered */
    RESOLVER_RECORDS_MAX = 1024, /* of a response; longer ones are not understood */
    RESOLVER_SERVERS = 4096,    /* remembered; the one not used for longest goes */
    RESOLVER_HINTS_MAX = 32,
    RESOLVER_FORWARDS_MAX = 65,
    RESOLVER_ANCHORS_MAX = 8,
    RESOLVER_ANCHOR_LEN_MAX = 512, /* octets of its DS records */
    RESOLVER_INSECURE_MAX = 32,
    RESOLVER_LATENCIES = 12,    /* classes */
    RESOLVER_GAPS = 16384,      /* records of denial that are remembered: the oldest goes */
    RESOLVER_MINIMISE_MAX = 10,    /* RFC 9156 §2.3: MAX_MINIMISE_COUNT */
    RESOLVER_MINIMISE_ONE_LAB = 4, /* the same: MINIMISE_ONE_LAB */
};
#define RESOLVER_TIMEOUT (12 * USEC_PER_SEC) /* of a question, whatever happens */

struct resolver_options {
    struct heap heap;
    struct cache *cache;       /* the caller's; it stays while the resolver does */
    bool v4, v6;               /* by which servers may be asked */
    struct ip_prefix dns64;    /* RFC 6147: of the addresses that are made; .len 0: none are */
    bool minimise;             /* RFC 9156 */
    bool aggressive;           /* RFC 8198: what signed zones have denied is not asked for again */
    bool stale;                /* RFC 8767: the cache keeps it, and it is given after a failure */
    uint16_t port;             /* of servers found by iteration; 0: 53 */
    size_t hint_count;         /* addresses of root servers */
    struct ip_address hints[RESOLVER_HINTS_MAX];
    /* Domains whose names are asked of others, who recurse: the longest that fits. "." is for all.
     * One without servers cannot be asked about. */
    size_t forward_count;
    struct resolver_forward {
        struct dns_name domain;
        size_t count;
        struct endpoint servers[DNS_SERVERS_MAX];
    } forwards[RESOLVER_FORWARDS_MAX];
    /* Validation: NULL or no anchor: none. */
    const struct validate_crypto *crypto;
    int64_t wall_at_zero; /* seconds since 1970 when `now` is 0 */
    int64_t wall_fixed;   /* not 0: the date at which signatures are to hold, whatever the clock says */
    size_t anchor_count;
    struct resolver_anchor {
        struct dns_name zone;
        size_t ds_len;
        uint8_t ds[RESOLVER_ANCHOR_LEN_MAX]; /* as cache_write_rdata() puts them */
    } anchors[RESOLVER_ANCHORS_MAX];
    size_t insecure_count; /* negative trust anchors (RFC 7646) */
    struct dns_name insecure[RESOLVER_INSECURE_MAX];
};

/* Lists of what is answered otherwise: the first counts most. What they say holds for the names that a
 * chain leads over as well, until one of them says that all is well. A client's wish for signatures
 * changes nothing: he sees that there are none.
 *
 * DEVIATES draft-vixie-dnsop-dns-rpz §5: of IPv6 prefixes those shorter than 96 bits do not hold for
 * IPv4 addresses; names that a list leads to are not looked for in lists again. */
struct resolver_policies {
    size_t count;
    const struct policy *lists[POLICY_LISTS_MAX];
};

struct resolver;

/* Who waits for an answer. */
struct resolver_client {
    struct endpoint from;
    struct endpoint to;     /* the address that was asked: the reply's source */
    unsigned interface;
    bool has_interface;
    uint32_t stream;        /* the caller's handle of a connection; 0: a datagram */
    struct answer_query query;
};

/* `prng` is forked. NULL: no memory. */
MUST_USE struct resolver *resolver_new(const struct resolver_options *options, struct prng *prng,
                                       usec now);
void resolver_free(struct resolver *r);

/* Takes over roots and anchors from the options, if they are others; then all that was known is
 * forgotten. Returns whether they were. */
bool resolver_set_roots(struct resolver *r, const struct resolver_options *options);

/* For replies whose options have none of their own. Copied; the lists stay the caller's, until others are set
 * or the resolver is freed. */
void resolver_set_policies(struct resolver *r, const struct resolver_policies *policies);

enum resolver_verdict {
    RESOLVER_TAKEN,
    RESOLVER_DUPLICATE, /* the client has sent it again; the answer is under way */
    RESOLVER_ANSWERED,  /* *work has what there is to say: answer_end(); unless it is `dropped` */
    RESOLVER_FULL,      /* answer SERVFAIL */
};

/* Asks the question of the query that *work replies to, with the name work->target. Of *client the
 * query need not be filled in: it is that of *work. */
MUST_USE enum resolver_verdict resolver_ask(struct resolver *r,
                                            const struct resolver_client *client,
                                            struct answer_work *work, usec now);

/* What is known of the question of the query that *work replies to, and nobody is asked: the answer, else the
 * servers of the closest zone above that are known (RFC 1034 §4.3.2 step 4), else REFUSED. */
void resolver_recall(struct resolver *r, struct answer_work *work, usec now);

/* A question was answered by a copy of what was said before, as until work->until it may be: counts as one
 * answered from the cache. */
void resolver_answered(struct resolver *r);

/* Asks for it though it may be known, with nobody waiting: what comes is put into the cache. */
void resolver_renew(struct resolver *r, const struct dns_question *question, usec now);

enum resolver_event_kind {
    RESOLVER_SEND,  /* `send`, from a new socket; the task's old one is to be closed */
    RESOLVER_REPLY, /* a reply to `client` is due: answer_resume() with `target`, then resolver_fill() */
    RESOLVER_CLOSE, /* the task needs no socket any more */
};

struct resolver_event {
    enum resolver_event_kind kind;
    uint32_t task;
    struct dns_client_send send;
    struct resolver_client client;
    struct dns_name target;
};

/* `buffer` of DNS_CLIENT_QUERY_MAX octets. */
MUST_USE bool resolver_next(struct resolver *r, usec now, uint8_t *buffer,
                            struct resolver_event *out);

/* After RESOLVER_REPLY, before anything else: adds what that task has found to the reply. */
void resolver_fill(struct resolver *r, uint32_t task, struct answer_work *work, usec now);

/* What it has concluded from the cache is to be found out anew; before the cache is flushed. */
void resolver_forget(struct resolver *r);

void resolver_input(struct resolver *r, uint32_t task, const struct endpoint *from,
                    struct bytes message, usec now);
void resolver_broken(struct resolver *r, uint32_t task, usec now);

usec resolver_deadline(const struct resolver *r);
void resolver_tick(struct resolver *r, usec now);

struct resolver_counters {
    uint64_t asked, answered_from_cache, collapsed, refused; /* clients' questions */
    uint64_t queries, queries_tcp, responses, timeouts;      /* to servers */
    uint64_t referrals, lame, tasks, failures, stale, prefetches;
    uint64_t over_budget, rings, too_many_aliases;           /* what the bounds have stopped */
    uint64_t secure, bogus;                                  /* sets that were validated */
    uint64_t policies[POLICY_ACTION_COUNT];                  /* replies that a list has decided */
    uint64_t synthesised;                                    /* denials by what was known of a zone */
    uint64_t waiting;                                        /* gauge: tasks */
    uint64_t latency[RESOLVER_LATENCIES]; /* of replies that had to wait, by resolver_latency_max() */
};
void resolver_counters(const struct resolver *r, struct resolver_counters *out);

/* Replies of that class took no longer; USEC_NEVER: the last class. */
usec resolver_latency_max(unsigned class);

/* What is known of servers, the one used last first: begins with *place NULL, ends with false. */
struct resolver_server {
    struct endpoint endpoint;
    usec srtt;        /* smoothed round trip (RFC 6298 §2); 0: not measured */
    unsigned timeouts; /* in a row */
    bool lame;
    bool avoided;     /* for the time being it is asked last */
};
MUST_USE bool resolver_each_server(const struct resolver *r, const void **place, usec now,
                                   struct resolver_server *out);

#endif

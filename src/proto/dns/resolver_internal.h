/* SPDX-License-Identifier: ISC */
/*
 * resolver_internal.h - what the parts of the resolver share: resolver.c tasks and the crank,
 * resolver_step.c what a task does next, resolver_response.c what a response means, resolver_reply.c
 * answers out of the cache, resolver_server.c what is known of servers.
 */
#ifndef WN_PROTO_DNS_RESOLVER_INTERNAL_H
#define WN_PROTO_DNS_RESOLVER_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/wheel.h"
#include "proto/dns/gaps.h"
#include "proto/dns/resolver.h"

enum { RESOLVER_NO_CEILING = DNS_LABELS_MAX + 1, RESOLVER_LIFTS_MAX = 3 };

enum task_state {
    TASK_FREE,
    TASK_RUN,     /* resolver_step() is due */
    TASK_READY,   /* a query is to be sent */
    TASK_ASKING,  /* … has been sent */
    TASK_WAITING, /* for another task */
    TASK_DONE,    /* its clients are to be told */
};

struct task {
    struct list_node node; /* in free, run, ready, done; in none when asking or waiting */
    struct timer timer;
    enum task_state state;
    uint32_t hash;
    uint32_t generation;   /* of this use of the slot */
    struct list_node clients;

    struct dns_question question;
    struct dns_name current; /* where aliases have led */
    unsigned aliases;
    uint16_t ede;
    bool failed;
    bool silence;          /* since there was progress somebody has said nothing */
    bool has_v4;           /* DNS64: the name's IPv4 addresses have been asked for */
    bool refresh;          /* what the cache has is to be asked for once more */
    bool socket;           /* the caller has one open for it */
    usec give_up_at;

    struct dns_name zone;  /* whose servers are asked */
    const struct resolver_forward *forward; /* or who else */
    unsigned ceiling;      /* only zones of fewer labels than that are considered */
    unsigned lifts;        /* how often it had to be lowered */
    bool exhausted;        /* no server that we know of has an answer */
    bool primed;           /* the root's servers have been asked for */
    bool minimise;
    unsigned labels;       /* of the question being asked; 0: begin anew below the zone */
    unsigned minimised;    /* questions that were shorter than the name */
    struct dns_servers servers;
    struct dns_client client;

    unsigned proofs;       /* tasks that validation has needed */
    uint32_t fetched;      /* a bit for each address of the zone's servers that was looked up */
    struct dns_name fetched_zone;
    unsigned fetches;
    unsigned depth;
    unsigned queries;
    uint32_t root;         /* the task on whose account it is, and which of its uses */
    uint32_t root_generation;
    struct task *child;    /* the one it waits for */
    struct list_node parents;     /* those that wait for it */
    struct list_node parent_node; /* among those of its child */
};

struct waiting {
    struct list_node node;
    usec asked_at;
    struct dns_name target; /* the question's, where a list leads elsewhere */
    struct resolver_client client;
};

/* A record of a response; names expanded, RDATA in resolver.rdata. */
struct response_record {
    struct dns_name owner;
    uint16_t type;
    enum dns_section section;
    uint32_t ttl;
    uint32_t rdata_at;
    uint16_t rdata_len;
};

struct server_info {
    struct list_node node; /* by use, the latest first */
    struct endpoint endpoint;
    uint64_t zone;         /* hash: who is lame for one zone need not be for another */
    uint32_t hash;
    usec srtt, rttvar;     /* 0: not measured */
    usec avoid_until;
    uint8_t timeouts;      /* in a row */
    bool plain_case;
    bool lame;
};

enum { RESPONSE_RDATA_MAX = 2 * DNS_MESSAGE_MAX, PAYLOAD_MAX = CACHE_PAYLOAD_MAX };

struct resolver {
    struct resolver_options options;
    struct cache *cache;
    struct gaps *gaps;      /* NULL: not used */
    struct resolver_policies policies;
    struct prng prng;
    struct siphash_key key;
    struct wheel wheel;
    struct map tasks_by_question;
    struct map servers_by_key;
    struct list_node free, run, ready, done;
    struct list_node free_clients;
    struct list_node servers; /* the latest used first */
    struct list_node free_servers;
    struct resolver_counters counters;
    /* Of each table the first so many have ever been in use: what is behind them costs no memory. */
    size_t task_count, client_count, info_count;
    struct task tasks[RESOLVER_TASKS];
    struct waiting clients[RESOLVER_CLIENTS];
    struct server_info infos[RESOLVER_SERVERS];
    /* of the response being read */
    size_t record_count;
    struct response_record records[RESOLVER_RECORDS_MAX];
    uint8_t rdata[RESPONSE_RDATA_MAX];
    uint8_t payload[PAYLOAD_MAX];
    uint8_t scratch[VALIDATE_SCRATCH_LEN];
};

static inline bool resolver_validates(const struct resolver *r)
{
    return r->options.crypto != NULL && r->options.anchor_count > 0;
}

static inline int64_t resolver_wall(const struct resolver *r, usec now)
{
    return r->options.wall_fixed != 0 ? r->options.wall_fixed
                                      : r->options.wall_at_zero + now / USEC_PER_SEC;
}

unsigned name_labels(const struct dns_name *name);

/* The last `labels` labels of the name. */
void name_tail(const struct dns_name *name, unsigned labels, struct dns_name *out);

/* `name`, below the owner of a DNAME, with `target` in that one's place (RFC 6672 §2.3). */
MUST_USE bool name_substitute(const struct dns_name *name, const struct dns_name *owner,
                              const struct dns_name *target, struct dns_name *out);

/* ---- resolver.c ---- */

/* The task that finds out about the question, new or already there; NULL: no slot, or it waits for
 * `parent` itself. */
struct task *resolver_task(struct resolver *r, const struct dns_question *question,
                           struct task *parent, usec now);
void resolver_wait(struct resolver *r, struct task *parent, struct task *child);
void resolver_run(struct resolver *r, struct task *t);
void resolver_finish(struct resolver *r, struct task *t, bool failed, uint16_t ede, usec now);

/* One more query, on its account and on that of the task that it is for. False: too many. */
MUST_USE bool resolver_charge(struct resolver *r, struct task *t);

/* ---- resolver_step.c ---- */

/* Goes on as far as the cache leads. */
void resolver_step(struct resolver *r, struct task *t, usec now);

/* ---- resolver_response.c ---- */

enum response_verdict {
    RESPONSE_PROGRESS, /* the cache knows more than before */
    RESPONSE_FAILED,   /* this server could not tell; another may */
    RESPONSE_USELESS,  /* this server does not serve the zone; another may */
};

enum response_verdict resolver_response(struct resolver *r, struct task *t, struct bytes message,
                                        const struct dns_summary *summary, usec now);

/* ---- resolver_reply.c ---- */

enum look_result {
    LOOK_ANSWER,  /* DATA, NODATA or NXDOMAIN: in found */
    LOOK_ALIAS,   /* a CNAME or DNAME, in found; `target` is where it leads */
    LOOK_LONG,    /* a DNAME that makes the name too long: YXDOMAIN */
    LOOK_UNKNOWN,
};

struct look {
    struct cache_found found;
    struct dns_name owner;  /* of what was found */
    struct dns_name target;
    bool dname;
};

/* What the cache can say about a name. */
enum look_result resolver_look(struct cache *cache, const struct dns_name *name, uint16_t type,
                               usec now, bool stale_too, struct look *out);

/* What the cache, or a list, says of work->target, put to the reply. False: something is missing, and
 * nothing has been put; what is to be asked for is out->missing. */
struct reply_outcome {
    bool prefetch;           /* some of it is nearly over */
    struct dns_name missing; /* work->target, or where a list leads */
};
MUST_USE bool resolver_reply(struct resolver *r, struct answer_work *work, bool stale_too, usec now,
                             struct reply_outcome *out);

/* ---- resolver_dns64.c ---- */

bool resolver_dns64_wanted(const struct resolver *r, const struct answer_query *query);

/* Has the name no IPv6 address, but exists? */
bool resolver_dns64_lacks(const struct cache_content *c);

/* ---- resolver_policy.c ---- */

/* What lists say of one name of a chain. */
struct policy_view {
    const struct resolver *r;
    const struct resolver_policies *policies;
    const struct ip_address *client;
    bool over;              /* they are not asked any more */
    size_t list;            /* of what was found; policies.count: nothing was */
    enum policy_trigger trigger;
    struct policy_rule rule;
};

/* By the client and the name. True: it is decided; else what is found may say more. */
MUST_USE bool resolver_policy_ask(struct policy_view *v, const struct dns_name *name);

/* By what was found of it, too. True: a list has decided. */
MUST_USE bool resolver_policy_found(struct policy_view *v, const struct dns_name *name,
                                    uint16_t type, const struct cache_found *found, usec now);

/* ---- resolver_validate.c ---- */

/* Decides how far what was found is to be trusted, and notes it in the cache; false: the task has to
 * wait for something that must be known first. */
MUST_USE bool resolver_validate(struct resolver *r, struct task *t, const struct look *look,
                                uint16_t type, usec now);

/* Is it a question about our anchors (RFC 8509 §3), to be answered SERVFAIL? */
MUST_USE bool resolver_sentinel(const struct resolver *r, const struct dns_name *name, uint16_t type);

/* Does what signed zones have shown already deny that? Then the cache knows it now. */
MUST_USE bool resolver_synthesise(struct resolver *r, const struct dns_name *name, uint16_t type,
                                  usec now);

/* ---- resolver_server.c ---- */

void resolver_server_init(struct resolver *r);

/* The best servers of `candidates`, in the order in which to ask them; those `given` stay in theirs,
 * but for who has been silent. */
struct resolver_candidates {
    const struct endpoint *list;
    size_t count;
    bool given;
};
void resolver_server_choose(struct resolver *r, const struct dns_name *zone,
                            const struct resolver_candidates *candidates, usec now,
                            struct dns_servers *out);
void resolver_server_answered(struct resolver *r, const struct dns_name *zone,
                              const struct dns_server *server, usec rtt, usec now);
void resolver_server_silent(struct resolver *r, const struct dns_name *zone,
                            const struct dns_server *server, usec now);
void resolver_server_lame(struct resolver *r, const struct dns_name *zone,
                          const struct dns_server *server, usec now);

#endif

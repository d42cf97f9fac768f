/* SPDX-License-Identifier: ISC */
/*
 * internal.h - what the parts of the name service share:
 *
 *      names.c             its life and its records
 *      names_zones.c       the zones it is born with; names_hosts.c: the names of hosts
 *      names_server.c      what a query comes to, and those by UDP; names_hot.c: replies that are sent again
 *      names_stream.c      queries by TCP and TLS; names_carried.c: those that others carry
 *      names_crew.c        what one of several workers passes on to the first
 *      names_update.c      changes while it is served; names_forward.c: those that are for a primary
 *      names_notify.c      the news of changes; names_tell.c: who else hears of them
 *      names_secondary.c   zones that are had from others; names_fetch.c: what is asked of their primaries
 *      names_resolver.c    recursion; names_local.c: names of the link
 *      names_outside.c     the resolver's sockets; names_secure.c: those with TLS
 */
#ifndef WN_APP_NAMES_INTERNAL_H
#define WN_APP_NAMES_INTERNAL_H

#include "app/mdns/mdns_link.h"
#include "app/names/names.h"
#include "app/names/names_resolver.h"
#include "app/names/zone_journal.h"
#include "base/heap.h"
#include "base/list.h"
#include "io/loop.h"
#include "io/workers.h"
#include "proto/dns/dns_stream.h"
#include "proto/dns/hot_answers.h"
#include "proto/dns/notify.h"
#include "proto/dns/rate_limit.h"
#include "proto/dns/zone_check.h"
#include "proto/dns/zone_edit.h"
#include "proto/dns/zone_receive.h"
#include "proto/dns/zone_transfer.h"
#include "wire/dns/dns_option.h"

enum {
    NAMES_CONNECTIONS_MAX = 256,
    NAMES_CARRIED_MAX = 1024,      /* queries under way that others carry; a power of two */
    NAMES_OWED_MAX = 16,           /* forwarded queries of one connection at a time */
    NAMES_OUTSIDE_STREAMS_MAX = 64, /* each holds a buffer of 64 KiB */
    NAMES_SECURE_OWED_MAX = 256,   /* queries under way on a connection; a power of two */
    NAMES_CLEAR_PORT = 53,         /* of servers that were to be asked over TLS */
    NAMES_QUERY_PADDING = 128,     /* queries over TLS are multiples of it (RFC 8467 §4.1) */
    NAMES_QUERY_MAX = DNS_CLIENT_QUERY_MAX + DNS_OPTION_HEAD_LEN + NAMES_QUERY_PADDING,
    NAMES_TTL_DEFAULT = 60,
    NAMES_PASSED_OCTETS_MAX = 4 << 20, /* of messages on their way to worker 0 */
    NAMES_PENDING_MAX = 4096,      /* updates of one turn; more are answered SERVFAIL */
    NAMES_FORWARDED_MAX = 64,      /* updates on their way to primaries; more are answered SERVFAIL */
    NAMES_SOUGHT_MAX = 1024,       /* servers to be told whose addresses are looked for; the oldest goes */
    NAMES_UDP_LOOPBACK = 4096,     /* a datagram to this machine is not fragmented */
    NAMES_PADDING = 468,           /* replies over TLS are multiples of it (RFC 8467 §4.1) */
};

/* How long a server that cannot be reached by TLS is asked in the clear, where that is allowed. */
#define NAMES_CLEAR_TIME (5 * USEC_PER_MINUTE)

/* Connections with a long update (RFC 2136), of 64 KiB each; one more is cut. */
enum { NAMES_LONG_UPDATES_MAX = 64 };

/* Queries for names of the link that wait: one more gets SERVFAIL. */
enum { NAMES_LOCAL_ASKS_MAX = 64 };

/* How long a connection may say nothing to what is asked; then it is dead (RFC 7766 §6.2.4). */
#define NAMES_SECURE_SILENCE (4 * USEC_PER_SEC)

/* Between two complaints that the resolver is full. */
#define NAMES_FULL_INTERVAL (60 * USEC_PER_SEC)

/* How long a secondary may take nothing of the zone that it is told. */
#define NAMES_TRANSFER_PAUSE_MAX (60 * USEC_PER_SEC)

/* A client's TCP connection. */
struct names_connection {
    struct list_node node; /* in idle: oldest first; in busy; or in free */
    struct names *names;
    struct stream *stream; /* NULL: free */
    uint32_t handle;       /* changes with every use; never 0 */
    bool secure;           /* over TLS */
    bool ended;            /* the client will ask no more */
    bool paused;           /* octets wait until we can use them */
    struct dns_stream input;
    uint8_t *rest;         /* of a reply that did not fit into the stream's queue; NULL: none */
    size_t rest_len;
    size_t rest_at;
    struct zone_transfer *transfer; /* a zone that is being told; NULL: none */
    uint8_t *update;       /* of DNS_MESSAGE_MAX, for a message longer than a query; NULL: none has come */
    uint8_t query[DNS_STREAM_QUERY_MAX];
};

/* Handles of queries that others carry have it, those of connections do not. */
#define NAMES_CARRIED (UINT32_C(1) << 31)

/* A query for a name of the link, whose reply comes later. */
struct names_local_ask {
    bool used;
    struct resolver_client client;
    struct dns_name target;
    uint32_t questions[NAMES_LOCAL_LINKS_MAX]; /* of each link */
    usec due_at;
};

/* A query that another carries, and whose reply comes later. */
struct names_carried {
    struct list_node node; /* in carried_free */
    uint32_t handle;       /* changes with every use */
    bool waits;
    struct names_carrier carrier;
};

struct names_outside;
struct names_asking;

/* A server that is asked over TLS. */
struct names_secure {
    struct names_asking *asking;
    struct endpoint server;
    struct tls_client *client;
    char name[TLS_NAME_MAX];
    bool opportunistic;
    bool answered;         /* on this connection */
    usec clear_until;      /* till then it is asked without TLS */
    usec asked_at;         /* the first query since it has said something; USEC_NEVER: none */
    struct stream *stream; /* NULL: no connection */
    uint8_t *buffer;       /* of the stream */
    struct dns_stream input;
    size_t owed;
    struct names_outside *slots[NAMES_SECURE_OWED_MAX]; /* who waits, by the low bits of the id */
};

/* The socket of one of the resolver's tasks. */
struct names_outside {
    struct names_asking *asking;
    uint32_t task;
    struct dgram *dgram;   /* one of the three, or none */
    struct stream *stream;
    struct names_secure *secure; /* a connection that it shares with others */
    uint16_t secure_id;    /* of the query there */
    uint16_t own_id;
    uint8_t *buffer;       /* of the stream */
    struct dns_stream input;
    struct endpoint server; /* as the resolver knows it */
    struct endpoint asked;  /* where it is asked in the clear */
    bool by_stream;
    uint8_t query[DNS_STREAM_LENGTH_LEN + DNS_CLIENT_QUERY_MAX];
    size_t query_len;
};

/* Who finds names of others, for everybody or for a view: it has a cache of its own, so that what one learns from its servers
 * no other is told. */
struct names_asking {
    struct names *names;
    size_t view;                   /* or NAMES_EVERYBODY */
    struct resolver *resolver;
    struct cache *cache;
    struct names_outside *outside; /* one for each of its tasks */
    struct names_secure *secure;   /* servers that are asked over TLS */
    size_t secure_count;
    size_t streams;
    struct task task;              /* runs it at the end of the turn */
    struct alarm alarm;
};

/* ---- zones that are had from others ---- */

enum {
    NAMES_ASKS_MAX = 64,          /* of a datagram each; other zones wait */
    NAMES_FETCHES_MAX = 8,        /* of a stream and a buffer of 64 KiB each; the same */
    NAMES_ASK_ATTEMPTS = 3,
    NAMES_FETCH_QUERY_MAX = 1536,
    NAMES_CHANGE_OCTETS_MAX = 8 << 20, /* of a difference: a turn's work; what is more comes whole */
};
#define NAMES_ASK_PAUSE (2 * USEC_PER_SEC)
#define NAMES_FETCH_PAUSE_MAX (30 * USEC_PER_SEC) /* without a message */
#define NAMES_FETCH_TIME_MAX USEC_PER_HOUR
#define NAMES_FETCH_OCTETS_MAX ((uint64_t)1 << 30)

struct names_secondary;

/* One exchange with a primary. */
struct names_fetch {
    struct names_secondary *of;
    const struct tsig_peer *primary;
    const struct names_over_tls *tls;
    bool transfer;           /* else: for its SOA */
    bool incremental;
    uint32_t serial;         /* that we have */
    struct dgram *dgram;     /* one of the two, or none any more */
    struct stream *stream;
    struct dns_stream input;
    uint8_t *buffer;
    uint16_t id;
    unsigned attempts;
    usec started_at;
    usec due_at;             /* of a datagram: it comes again */
    struct tsig_client signing; /* .key NULL: it is not signed */
    struct zone_receive *receive;
    struct zone *zone;       /* it has come, and is looked at */
    struct zone_check check;
    struct zone_checker checker;
    struct task checking;
    char error[ZONE_CHECK_TEXT_MAX];
    uint8_t query[DNS_STREAM_LENGTH_LEN + NAMES_FETCH_QUERY_MAX];
    size_t query_len;
};

struct names_secondary {
    struct names *names;
    struct names_secondary_options options;
    struct zone_secondary timers;
    struct names_fetch *fetch; /* NULL: nothing is under way */
};

/* A zone that is being taken apart. */
struct names_discarded {
    struct names_discarded *next;
    struct zone *zone;
};

/* A view: its zones, and how they are answered from. */
struct names_seen {
    struct names_view view;
    struct zone_set *zones;
    struct answer_options answering;
    struct resolver_policies policies; /* when answering.policies is this */
    bool finds_others;                 /* by its own */
    struct names_asking *asking;       /* that; NULL: everybody's */
};

/* Several of them; each member is looked at by its own thread alone. */
struct names_crew {
    struct workers *workers;
    struct names *members[WORKERS_MAX]; /* NULL: it does not run */
    _Atomic size_t passed_octets;       /* on their way to worker 0 */
    struct lock cache_locks[CACHE_PARTS_MAX];
};

struct names {
    struct net *net;
    struct names_crew *crew; /* NULL: it is alone */
    size_t worker;
    struct names *first;     /* of the crew; or itself */
    struct net *outside_net;
    struct loop *loop;
    struct heap heap;
    struct dns_name domain;
    struct dns_name server_name;
    uint32_t ttl;
    struct zone_set *zones;
    struct answer_options answering;
    struct names_reach reach;      /* of who has no view */
    struct names_seen views[NAMES_VIEWS_MAX];
    size_t view_count;
    bool finds_others;             /* or says of all others that they do not exist */
    uint16_t udp_size;
    struct dns_sha1 sha1;
    struct ip_prefix dns64;
    struct cookie_secrets secrets;
    struct rate_limit *rate_limit; /* of the first, for all; NULL: none */
    struct lock rate_lock;         /* of that, where there are several */
    struct names_access secondaries; /* who may have zones whole */
    struct names_update_rule updates[NAMES_UPDATES_MAX];
    size_t update_count;
    struct zone_journal *journal;  /* NULL: no zone takes updates */
    struct names_pending *pending; /* changes of this turn */
    size_t pending_count, pending_room;
    struct task flushing;
    struct names_signer signer;    /* .wants NULL: nobody */
    void (*on_trouble)(void *self, const char *text);
    void *trouble_self;
    void (*on_zone)(void *self, size_t view, const struct dns_name *zone);
    void *zone_self;
    struct names_access forwards;  /* whose updates primaries get */
    struct list_node forwarded;    /* that are on their way */
    size_t forwarded_count;
    struct names_notified notified;
    uint16_t notified_port;
    struct list_node sought;       /* servers of zones whose addresses are being looked for */
    size_t sought_count;
    struct alarm sought_alarm;
    struct notify notify;
    struct dgram *notify_v4, *notify_v6; /* NULL: not needed so far */
    struct alarm notify_alarm;
    struct net *peers_net;         /* where primaries and those who are told are */
    struct tls_client *peers_tls, *peers_tls_anybody;
    struct names_secondary *kept;  /* zones that are had from others */
    size_t kept_count;
    size_t kept_turn;         /* whose turn it is, when not all can be served at once */
    size_t asks, fetches;          /* under way */
    struct names_secondary_handler secondary_handler;
    struct alarm secondary_alarm;
    struct names_discarded *discarded;
    struct task discarding;
    struct tsig_keys keys;         /* in their places: what was signed by one may be answered later */
    struct dgram *dgram;
    struct listener *listener;
    struct listener *listener_tls; /* NULL: none */
    struct list_node free;
    struct list_node idle;
    struct list_node busy;
    struct names_asking *asking;     /* for everybody; NULL: nobody to ask */
    struct resolver_policies policies; /* that all of them go by, unless a view has others */
    struct hot_answers *hot;         /* NULL: none, without a resolver */
    uint64_t hot_epoch;              /* of the first: what ends all of them at once has come so often */
    uint64_t hot_seen;               /* and how often when it was looked at last */
    usec told_full_at;               /* that it is full; 0: never */
    usec told_passed_at; /* the same of passed messages; 0: never */
    struct names_counters counters;
    struct names_connection connections[NAMES_CONNECTIONS_MAX];
    struct list_node carried_free;
    struct names_carried carried[NAMES_CARRIED_MAX];
    size_t long_updates;           /* connections that have had one */
    struct {
        struct mdns_link *links[NAMES_LOCAL_LINKS_MAX]; /* borrowed */
        size_t link_count;           /* 0: names of the link are names like others */
        struct alarm alarm;
        struct names_local_ask asks[NAMES_LOCAL_ASKS_MAX];
    } local;
    uint8_t reply[DNS_STREAM_LENGTH_LEN + DNS_MESSAGE_MAX]; /* the message begins after the length */
};

/* ---- names.c ---- */

void names_trouble(const struct names *names, const char *text);

/* Is he the one that the rule speaks of? */
bool names_rule_met(const struct names_rule *rule, const struct answer_query *query);

/* Does one of the rules allow it to who asks? */
bool names_allows(const struct names_access *access, const struct answer_query *query);

/* How a client is answered: as its view says. How far he reaches. */
const struct answer_options *names_answering(const struct names *names,
                                             const struct answer_query *query);
size_t names_view_of(const struct names *names, const struct answer_query *query); /* or NAMES_EVERYBODY */
const struct names_reach *names_reach_of(const struct names *names,
                                         const struct answer_query *query);

/* ---- names_zones.c ---- */

/* A zone with SOA and NS of ours at `apex`; there is one already: fine. 0, -ENOSPC, -ENOMEM. */
MUST_USE int names_add_zone(struct names *names, struct zone_set *zones, const struct dns_name *apex);

/* The site's zone, and the names that must never be asked for outside. */
MUST_USE int names_add_own_zones(struct names *names,
                                  const struct names_options *options);

/* zone_add() for a record of the site's TTL, as 0 or a negative errno. */
MUST_USE int names_put(struct names *names, struct zone_set *zones, const struct dns_name *owner,
                       uint16_t type, struct bytes rdata);

/* What the refusal of a record is as a negative errno. */
int names_errno_of(enum zone_result result);

/* ---- names_hosts.c ---- */

/* The zone has been through the change, which is its history's from now on; and others are told. */
void names_remember(struct names *names, struct zone *zone, struct zone_change *change);

/* ---- names_server.c ---- */

MUST_USE int names_server_open(struct names *names, const struct names_options *options);
void names_server_close(struct names *names);

/* Where a message goes in names->reply. */
static inline uint8_t *names_reply_buffer(struct names *names)
{
    return names->reply + DNS_STREAM_LENGTH_LEN;
}

/* Is it a transfer that was refused only because nobody but us knows who may have one? */
bool names_may_transfer(const struct names *names, const struct answer_result *result);

/* A datagram that has come to one of us. */
void names_take_datagram(struct names *names, const struct dgram_message *message);

/* A reply is on its way. */
void names_count_reply(struct names *names, unsigned rcode);

/* Was it refused for a key that is not ours? Its UPDATE may be for another to judge (names_forward.c). */
static inline bool names_has_strange_key(const struct answer_result *result)
{
    return result->rcode == DNS_NOTAUTH && result->query.tsig.key == NULL &&
           result->query.tsig.error == DNS_TSIG_BADKEY;
}

enum names_judgement {
    NAMES_JUDGED,    /* *result has a reply */
    NAMES_TAKEN,     /* it will come to names_reply_forwarded() */
    NAMES_TWICE,     /* the same is being asked already by this client */
    NAMES_DROPPED,
    NAMES_NO_QUERY,
};

/* Answers a query that has not come by a datagram; client->stream is where the reply goes if it comes later. */
MUST_USE enum names_judgement names_judge(struct names *names, struct resolver_client *client,
                                          const struct answer_path *path, struct bytes query,
                                          struct answer_result *result);

/* Sends a reply, which lies in names_reply_buffer(), to whom it was forwarded for. An empty one: he gets
 * none, and a connection ends. */
void names_reply_forwarded(struct names *names, const struct resolver_client *client,
                           struct bytes reply, unsigned rcode);

/* ---- names_stream.c ---- */

void names_streams_open(struct names *names);
void names_streams_close(struct names *names);
void names_stream_accept(void *self, struct listener *listener, struct stream *stream);

/* As names_reply_forwarded(). */
void names_stream_reply(struct names *names, const struct resolver_client *client,
                        struct bytes reply, unsigned rcode);

/* ---- names_carried.c ---- */

void names_carried_open(struct names *names);
void names_carried_close(struct names *names); /* who waits is told that nothing comes */

/* As names_reply_forwarded(). */
void names_carried_reply(struct names *names, uint32_t handle, struct bytes reply, unsigned rcode);

/* As names_ask(), by that path and not counted. */
MUST_USE enum names_verdict names_carry(struct names *names, const struct names_carrier *carrier,
                                        const struct answer_path *path, struct bytes query,
                                        struct bytes *reply, uint32_t *handle);

/* ---- names_crew.c ---- */

void names_crew_join(struct names *names, const struct names_options *options);
void names_crew_part(struct names *names);

/* How all of them have one cache. */
struct cache_sharing names_crew_sharing(const struct names *names);

/* Of the first: itself, and then the others; begins and ends with NULL. While the zones are closed it may look at them, and
 * change what is no part of their loops. */
struct names *names_crew_next(const struct names *names, const struct names *after);

/* Is it for worker 0 alone, and are we another? */
bool names_crew_passes(const struct names *names, const struct answer_result *result);

/* Passes it on: whoever is to have the reply has it from worker 0, or by names_reply_forwarded(). False: too much is on its
 * way. */
MUST_USE bool names_crew_pass(struct names *names, const struct resolver_client *client,
                              const struct answer_path *path, struct bytes message);

/* ---- names_local.c ---- */

void names_local_open(struct names *names);
void names_local_close(struct names *names);

/* Is the name to be asked for on the link? */
bool names_local_wants(const struct names *names, const struct dns_name *name);

/* True: *result has a reply at once. */
MUST_USE bool names_local_ask(struct names *names, const struct resolver_client *client,
                              struct answer_result *result);

/* ---- names_outside.c ---- */

MUST_USE int names_outside_open(struct names *names, const struct names_options *options);

/* For the resolver: sends from a new socket of that task; closes it. */
void names_outside_send(struct names_asking *asking, uint32_t task,
                        const struct dns_client_send *send);
void names_outside_shut(struct names_asking *asking, uint32_t task);
void names_outside_close(struct names *names);

/* The attempt has come to nothing; a reply to it; asks once more in the way that is right now. */
void names_outside_broken(struct names_outside *o);
void names_outside_reply(struct names_outside *o, const struct endpoint *from, struct bytes message);
MUST_USE int names_outside_again(struct names_outside *o);

/* ---- names_secure.c ---- */

MUST_USE int names_secure_open(struct names_asking *asking, const struct names_recursion *recursion);
void names_secure_close(struct names_asking *asking);

/* NULL: that server is asked in the clear, at names_secure_clear(). */
struct names_secure *names_secure_find(struct names_asking *asking, const struct endpoint *server);
struct endpoint names_secure_clear(const struct names_asking *asking,
                                   const struct endpoint *server);

/* 0 or a negative errno. names_secure_forget(): no reply is wanted any more. */
MUST_USE int names_secure_ask(struct names_secure *secure, struct names_outside *o,
                              struct bytes query);
void names_secure_forget(struct names_outside *o);

/* ---- names_update.c ---- */

MUST_USE int names_update_open(struct names *names, const struct names_options *options);
void names_update_close(struct names *names);

/* An UPDATE message. True: *result has the reply; else it comes once the change is on stable storage. */
MUST_USE bool names_update(struct names *names, const struct resolver_client *client,
                           struct bytes message, struct answer_result *result);

/* Keeps and acknowledges what was changed in this turn, now. */
void names_update_flush(struct names *names);

/* ---- names_resolver.c ---- */

MUST_USE int names_resolver_open(struct names_asking *asking, const struct names_recursion *recursion);
void names_resolver_close(struct names_asking *asking);

/* The next of all, from NULL on, of this worker; NULL ends. That of a view, or of everybody; NULL: there is none. */
struct names_asking *names_asking_next(const struct names *names, const struct names_asking *after);
struct names_asking *names_asking_in(const struct names *names, size_t view);
void names_asking_renew(struct names_asking *asking, const struct dns_name *name, uint16_t type);

/* True: *result has a reply at once. names_resolver_recall() has always, from what is known. */
MUST_USE bool names_resolver_ask(struct names_asking *asking, const struct resolver_client *client,
                                 struct answer_result *result);
void names_resolver_recall(struct names_asking *asking, struct answer_result *result);
void names_resolver_run(struct names_asking *asking);

/* ---- names_hot.c ---- */

/* A query that may be answered by a copy of an earlier reply, and that. */
struct names_hot {
    bool usable;
    struct hot_query query;
    struct bytes reply; /* in names_reply_buffer() */
    unsigned rcode;
};

MUST_USE int names_hot_open(struct names *names, const struct names_recursion *recursion);

/* True: hot->reply is it. False: the query is to be answered, and told to names_hot_keep(). */
MUST_USE bool names_hot_answer(struct names *names, const struct answer_path *path,
                               struct bytes message, struct names_hot *hot);

/* The reply as it is sent. */
void names_hot_keep(struct names *names, const struct names_hot *hot,
                    const struct answer_result *result);

/* After what must be seen at once: of all workers; by the first, while the others are held up. */
void names_hot_forget(struct names *names);

/* ---- names_secondary.c ---- */

void names_secondary_open(struct names *names);
void names_secondary_close(struct names *names);

/* The zone that is had from others, as the client of the query has it: his view's, or everybody's; or NULL. */
const struct names_secondary *names_secondary_of(const struct names *names,
                                                 const struct answer_query *query,
                                                 const struct dns_name *zone);

/* Who is told of changes of that zone. */
const struct names_notified *names_notified_of(const struct names *names, size_t view,
                                               const struct dns_name *zone);

/* The zone is another one now: whoever looks at zones is told. */
void names_zone_is_other(struct names *names, size_t view, const struct dns_name *zone);

/* A NOTIFY has come (RFC 1996 §3.10): the RCODE of its answer. */
unsigned names_secondary_notified(struct names *names, const struct answer_query *query,
                                  struct bytes message);

/* How a fetch went; it is over then. `why` NULL: well. */
void names_fetched_serial(struct names_secondary *s, uint32_t serial);
void names_fetched_nothing(struct names_secondary *s, const char *why);
void names_fetched_current(struct names_secondary *s);
void names_fetched_changes(struct names_secondary *s);
void names_fetched_zone(struct names_secondary *s);

/* By difference it cannot be had; the whole is asked for. */
void names_fetch_whole_instead(struct names_secondary *s, const char *why);

/* ---- names_fetch.c ---- */

/* A stream to that server, over TLS if so agreed on. 0 or a negative errno. */
MUST_USE int names_peer_connect(struct names *names, const struct tsig_peer *peer,
                                const struct names_over_tls *tls, const struct stream_handler *handler,
                                void *self, struct stream **out);

/* Asks s->timers.primary. 0 or a negative errno. */
MUST_USE int names_fetch_start(struct names_secondary *s, bool transfer, bool incremental);
void names_fetch_end(struct names_secondary *s); /* NULL: nothing */
void names_fetch_tick(struct names_secondary *s);
usec names_fetch_deadline(const struct names_secondary *s);

/* ---- names_notify.c ---- */

void names_notify_open(struct names *names);
void names_notify_close(struct names *names);
void names_notify_all(struct names *names, size_t view, const struct dns_name *zone,
                      const struct names_notified *whom);

/* ---- names_forward.c ---- */

void names_forward_open(struct names *names);
void names_forward_close(struct names *names);

/* Is the UPDATE for a primary, and may the client have it passed on? */
bool names_forwards(const struct names *names, const struct answer_query *query);

/* Passes it on, whose query client->query is; the reply comes to names_reply_forwarded(). False: there are too many,
 * or no memory. */
MUST_USE bool names_forward(struct names *names, const struct resolver_client *client,
                            struct bytes message);

/* ---- names_tell.c ---- */

void names_tell_open(struct names *names);
void names_tell_close(struct names *names);

/* The servers that the zone names are told that it has changed. */
void names_tell_servers(struct names *names, size_t view, const struct dns_name *zone);

#endif

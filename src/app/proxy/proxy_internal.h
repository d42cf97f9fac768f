/* SPDX-License-Identifier: ISC */
/*
 * proxy_internal.h - what the parts of the proxy share.
 *
 *      proxy.c          the service: listeners, connections of clients, what the cache wants done
 *      proxy_reload.c   other options while it runs
 *      proxy_client.c   a client's connection: its machine, octets in and out
 *      proxy_take.c     its requests: of whom they are asked
 *      proxy_reply.c    their answers: the cache's, and pages of our own
 *      proxy_request.c  what a request asks for, and what of it goes on: forms, fields, Via, access
 *      proxy_users.c    who asks
 *      proxy_disk.c     the cache's files; read by proxy_disk_read.c, and after a start proxy_disk_scan.c
 *      proxy_pass.c     requests that another server has taken
 *      proxy_job.c      a request to an origin: which server, connecting, trying again
 *      proxy_origin.c   a connection to an origin, and those that wait for the next request
 *      upstream.c       which server is next; upstream_check.c: whether they are well
 *      proxy_verify.c   whether a name has the address that a client was going to
 *      proxy_rate.c     how many octets a connection and a client may be sent
 *      proxy_tunnel.c   octets both ways: CONNECT, and protocols that follow HTTP
 *      proxy_page.c     pages for people: errors, and the file that browsers find a proxy by
 */
#ifndef WN_APP_PROXY_PROXY_INTERNAL_H
#define WN_APP_PROXY_PROXY_INTERNAL_H

#include "app/proxy/proxy.h"
#include "app/proxy/proxy_disk.h"
#include "app/proxy/proxy_rate.h"
#include "base/list.h"
#include "base/text.h"
#include "io/dial.h"
#include "io/host_lookup.h"
#include "io/loop.h"
#include "proto/http/http_cache.h"
#include "proto/http/http_client.h"
#include "proto/http/http_server.h"
#include "wire/http/uri_reference.h"

enum {
    PROXY_HEAD_MAX = HTTP_HEAD_MAX + 4096, /* of an answer, with what we add */
    PROXY_TARGET_MAX = 512,   /* of a target in the log */
    PROXY_TRIED_MAX = 1024,   /* text about what was tried */
    PROXY_TURN_MAX = 1024 * 1024,
    PROXY_FILE_PIECE = 256 * 1024, /* of a file of the cache, in one call */
    PROXY_USER_MAX = 64,
    PROXY_COOKIE_MAX = 128,
    PROXY_VERIFIED_MAX = 1024,    /* names with addresses that are remembered; then others take their place */
    PROXY_VERIFIES_MAX = 64,      /* names that are looked up for that at a time; more wait for another request */
    PROXY_BODY_ROOM = 1024,   /* less is not worth a chunk */
    PROXY_FORWARD_MAX = 8192, /* fields that we add to a request */
};
#define PROXY_COOKIE "wn-server" /* by which a client comes to the same server again */
#define PROXY_READ_AGAIN (10 * USEC_PER_MSEC) /* when too much was being read */
#define PROXY_VERIFIED_TIME (10 * USEC_PER_MINUTE)
#define PROXY_ORIGIN_IDLE (30 * USEC_PER_SEC)

/* Where a request goes. */
struct proxy_place {
    char host[PROXY_NAME_MAX];
    uint16_t port;
    bool tls;
    bool parent;      /* it is a proxy: targets are absolute */
    struct upstream_server *server; /* which is held; NULL: named by the client */
};

/* The place is that server's from now on, or (NULL) nobody's. */
void proxy_place_set(struct proxy_place *place, struct upstream_server *server);

struct proxy_origin;
struct proxy_caller;

/* Who asks: a client's connection, or a request that somebody else has taken (proxy_pass.h). */
struct proxy_caller_ops {
    void (*wake)(struct proxy_caller *caller); /* something has changed for its ask */
    void (*room)(struct proxy_caller *caller); /* more of the request's content may go */
    void (*interim)(struct proxy_caller *caller, const struct http_response_head *head);
    /* What follows is not HTTP: has the stream from now on. `head` NULL: a tunnel is open. */
    void (*switched)(struct proxy_caller *caller, struct stream *stream,
                     const struct http_response_head *head);
    void (*refused)(struct proxy_caller *caller); /* there is no tunnel, for `tried_status` */
};

struct proxy_caller {
    const struct proxy_caller_ops *ops;
    struct proxy *proxy;
    struct http_cache_ask ask;
    struct proxy_job *job;           /* its content goes there, or its tunnel opens by it */
    struct endpoint peer;            /* on whose behalf */
    struct endpoint to;              /* where the client was going; port 0: it says itself */
    const char *authority;           /* CONNECT: where to */
    char *tried;                     /* what a failed job has to say */
    unsigned tried_status;
    uint64_t wished;                 /* the server that its cookie names; 0: none */
    uint64_t answered_by;            /* the server that was asked; 0: none */
    bool asked;                      /* `ask` is in use */
    bool secured;                    /* the client came by TLS, */
    bool old;                        /* by HTTP/1.0 */
};

/* A request on its way to an origin. */
struct proxy_job {
    struct proxy *proxy;
    struct list_node node;
    struct http_cache_fill *fill;    /* NULL: a tunnel is wanted (CONNECT) */
    struct proxy_caller *caller;     /* whose content goes along, who hears of 1xx; may be NULL */
    struct proxy_place place;
    struct host_question *question;
    struct dial dial;
    struct stream *securing;         /* TLS that is not open yet */
    struct alarm alarm;              /* until it is connected */
    struct proxy_origin *origin;     /* NULL: not connected */
    unsigned tries;
    bool has_body;
    bool body_begun;                 /* octets of it have gone: it cannot be tried again */
    bool head_seen;
    bool repeatable;                 /* the method is idempotent (RFC 9110 §9.2.2) */
    bool timed_out;
    bool denied;                     /* what it asks for is not for its client */
    bool trusted;                    /* its client is this host: it may name what listens on the loopback */
    uint64_t body_len;
    uint32_t tag;                    /* of the URI, for balancing */
    uint32_t tried_servers;
    char upgrade[64];                /* protocols to switch to; "": none; printable */
    struct text tried;
    char tried_text[PROXY_TRIED_MAX];
};

/* A connection to an origin. */
struct proxy_origin {
    struct proxy *proxy;
    struct stream *stream;
    struct list_node node;           /* in proxy->idle, or alone */
    struct proxy_place place;
    struct proxy_job *job;           /* NULL: it waits for one */
    struct http_client core;
    struct writer trailers;
    uint8_t trailers_block[1024];
    size_t used;                     /* requests that it has carried */
    size_t unread;                   /* octets that the stream keeps for us */
    bool ended;                      /* it has sent FIN */
    bool waits;                      /* in proxy->idle */
    bool confined;                   /* a client that is this host named it, on the loopback */
};

enum proxy_state {
    PROXY_READING,   /* the next request */
    PROXY_ASKING,    /* the cache, and by it the origin */
    PROXY_REPLYING,
    PROXY_OWN_PAGE,  /* an answer of our own */
    PROXY_OPENING,   /* a tunnel */
    PROXY_PURGING,   /* until what was purged is gone from the disk */
    PROXY_TUNNEL,
};

/* A client's connection. */
struct proxy_session {
    struct proxy_caller caller;
    struct proxy *proxy;
    struct stream *stream;
    struct list_node node;
    struct list_node idle_node;      /* while between requests */
    struct task task;                /* goes on sending in the next turn */
    struct http_server core;
    enum proxy_state state;
    struct stream *other;            /* TUNNEL */
    struct alarm tunnel_alarm;
    struct alarm rate_alarm;         /* until it may be sent more */
    struct rate_bucket rate;
    struct rate_account *account;    /* of its client; NULL: there are none */
    bool finished;                   /* stream_finish() has been said */
    bool body_done;                  /* the request's content has come whole, or there is none */
    bool ended[2];                   /* TUNNEL: this side, the other side */
    bool chunked;                    /* the answer */
    size_t chunk_left;               /* octets of a chunk that has begun */
    int file_fd;                     /* the answer's, while it is read from a file; -1: it is not */
    struct proxy_fetch *fetch;       /* the file is being opened, or read; NULL: it is not */
    uint64_t near_until;             /* before there the disk need not be waited for */
    struct proxy_disk_wait wait;     /* PURGING */
    size_t purged;
    char *pending;                   /* octets for the client that the stream had no room for */
    size_t pending_at, pending_len;
    usec request_at;
    uint64_t octets;
    char method[HTTP_METHOD_MAX + 1];
    char target[PROXY_TARGET_MAX];
    char user[PROXY_USER_MAX];
};

struct proxy_users;

/* A name that has an address, as a hash of both. */
struct proxy_verified {
    uint64_t digest;
    usec until;
};

struct proxy {
    struct net *net;
    struct loop *loop;
    struct proxy_options options;    /* its texts are ours */
    char name[HTTP_CACHE_NAME_MAX];
    char realm[64];
    struct listener *listeners[PROXY_LISTENS_MAX];
    struct http_cache *cache;
    struct proxy_disk *disk;         /* NULL: there is none */
    struct host_lookup *lookup;
    struct proxy_users *users;
    struct list_node sessions;
    struct list_node idle_sessions;  /* oldest first */
    struct list_node jobs;
    struct list_node busy;           /* origins that carry a request */
    struct list_node idle;           /* origins that wait for one, oldest first */
    struct task task;                /* what the cache wants done */
    struct upstream *upstream;       /* NULL: clients name who is asked */
    struct list_node verifies;       /* names that are looked up, to see whether they have an address */
    unsigned verify_count;
    struct proxy_verified verified[PROXY_VERIFIED_MAX];
    struct rate_book *rates;         /* NULL: clients have no limit */
    struct siphash_key key;          /* of what clients must not make up */
    struct proxy_counters counters;
    struct http_client_event origin_event; /* of the connection that is being read now */
    struct http_server_event client_event;
};

static inline usec proxy_now(const struct proxy *proxy)
{
    return loop_now(proxy->loop);
}

static inline struct http_cache_time proxy_time(const struct proxy *proxy)
{
    return (struct http_cache_time){loop_now(proxy->loop), loop_wall_seconds(proxy->loop)};
}

/* ---- proxy.c ---- */

/* What the cache has to tell is told at the end of this turn. */
void proxy_stir(struct proxy *proxy);

/* Takes a copy of the options, with defaults; and what of them is the cache's. */
void proxy_set_options(struct proxy *proxy, const struct proxy_options *options);
void proxy_cache_options(const struct proxy *proxy, struct http_cache_options *out);

/* What the options say; 0 or a negative errno. */
int proxy_listen(struct proxy *proxy, const struct proxy_options *options, size_t which,
                 struct listener **out);
int proxy_make_rates(struct proxy *proxy); /* as proxy->options say */
int proxy_make_upstream(struct proxy *proxy, const struct proxy_options *options,
                        struct upstream **out);

/* ---- proxy_client.c ---- */

/* Takes the stream. */
void proxy_session_new(struct proxy *proxy, struct stream *stream, bool transparent);

/* Lets go of everything; the stream, if it is still there, is closed. */
void proxy_session_close(struct proxy_session *session);

/* Octets for the client, as much as there is room for; the rest waits in `pending`. */
void proxy_session_put(struct proxy_session *session, struct bytes octets);

/* Sends what is to be sent, and does what the machine wants. False: the session is gone. */
bool proxy_session_flush(struct proxy_session *session);

/* How many octets it may be sent now; after 0 it goes on by itself. And so many were sent. */
size_t proxy_session_may(struct proxy_session *session);
void proxy_session_charge(struct proxy_session *session, size_t len);

/* What lies in the machine's output, behind what waits, as far as there is room. */
void proxy_session_output(struct proxy_session *session);

/* Resets the connection; the session is gone. */
void proxy_session_abort(struct proxy_session *session);

/* What the cache says about its ask. */
void proxy_session_look(struct proxy_session *session);

/* Lets go of what the cache has for it; of the descriptor alone. */
void proxy_session_close_file(struct proxy_session *session);
void proxy_session_drop_ask(struct proxy_session *session);

void proxy_session_log(struct proxy_session *session, unsigned status, const char *how);

/* ---- proxy_take.c ---- */

/* What the client asks for is answered, or on its way. */
void proxy_take_request(struct proxy_session *session, const struct http_server_event *event);

/* ---- proxy_reply.c ---- */

/* Answers with a page of ours. Takes `page`; NULL: an error page for the status. */
void proxy_session_page(struct proxy_session *session, unsigned status, const char *type,
                        char *page, size_t len);

/* The cache has an answer: its head, and octets as far as they are there. */
void proxy_reply_begin(struct proxy_session *session);

/* The value of a Set-Cookie by which the client comes to the same server again. It is not of the answer that is
 * stored. False: none is wanted. */
bool proxy_reply_cookie(const struct proxy_caller *caller, char out[PROXY_COOKIE_MAX]);

/* More of its octets. False: the session is gone. */
bool proxy_reply_pump(struct proxy_session *session);

/* ---- proxy_request.c ---- */

/* What the client's request asks for, by its form and the kind of proxy. 0, or the status to refuse
 * it with. `secured`: it came by TLS. */
struct proxy_asked {
    struct uri_parts parts;          /* absolute */
    uint8_t uri[URI_MAX];            /* in normal form */
    size_t uri_len;
    bool own;                        /* it is for the proxy itself: `parts.path` */
};
unsigned proxy_request_uri(const struct proxy_caller *caller,
                           const struct http_server_event *event, struct proxy_asked *out);

/* Requests in other protocols that carry requests would pass by all that is looked at here: such an Upgrade does
 * not go on, and the request is answered as if there were none, as RFC 9110 §7.8 lets servers. */
bool proxy_may_switch(struct bytes protocols);

/* The fields that go on: without those of the connection (RFC 9110 §7.6.1). */
void proxy_request_fields(const struct http_fields *in, struct http_fields *out);

/* Those that we add: Via, Forwarded, Host. Views of `w`. */
void proxy_request_add(const struct proxy_job *job, struct bytes uri, struct http_fields *fields,
                       struct writer *w);

/* One less in Max-Forwards (RFC 9110 §7.6.2). `w` must have room, and stay. */
void proxy_request_count_hop(struct bytes method, struct http_fields *fields, struct writer *w);

/* May the peer use the proxy, or purge it? */
bool proxy_may_use(const struct proxy *proxy, const struct ip_address *peer);
bool proxy_may_purge(const struct proxy *proxy, const struct ip_address *peer);
bool proxy_may_connect(const struct proxy *proxy, uint16_t port);

/* Is it an address by which this host reaches itself alone? */
bool proxy_is_loopback(const struct ip_address *address);

/* The server that a cookie of ours names; 0: there is none. */
uint64_t proxy_request_wish(const struct http_fields *fields);

/* Has the request come through us before? */
bool proxy_is_loop(const struct proxy *proxy, const struct http_fields *fields);

/* ---- proxy_users.c ---- */

/* Users of a file, by Basic (RFC 7617). NULL with *error for a file that cannot be read. */
struct proxy_users *proxy_users_read(const char *path, struct prng *prng, int *error);
void proxy_users_free(struct proxy_users *users);

/* 0 with the name of who asks, 407, or 429: the peer was wrong so often that this was not looked at. */
unsigned proxy_users_check(struct proxy_users *users, struct bytes credentials,
                           const struct ip_address *peer, usec now, char user[PROXY_USER_MAX]);

/* ---- proxy_verify.c ---- */

/* Has the host of the URI that address, as far as is known now? If that is not known, it is from a later request
 * on. */
bool proxy_verify(struct proxy *proxy, struct bytes authority, const struct ip_address *address);
void proxy_verify_done(struct proxy *proxy);

/* ---- proxy_job.c ---- */

/* A job for a fill, or (NULL) for a tunnel to `place`; its members may be set before it starts. NULL: no
 * memory; the fill has failed. */
struct proxy_job *proxy_job_new(struct proxy *proxy, struct http_cache_fill *fill,
                                struct proxy_caller *caller);
void proxy_job_start(struct proxy_job *job);

/* What the request goes by: repeated or not, to which server, with which content. */
struct proxy_content {
    bool has_body;
    uint64_t body_len;               /* HTTP_CLIENT_LENGTH_UNKNOWN */
    struct bytes upgrade;            /* protocols to switch to; empty: none */
};
void proxy_job_describe(struct proxy_job *job, struct bytes method, struct bytes uri,
                        const struct proxy_content *content);

/* The caller hears no more of it, or of anything: as it goes. False: nothing was lost by that. */
void proxy_caller_leave(struct proxy_caller *caller, bool content_whole);

/* Ends it, for that reason: its fill fails, or its session hears that there is no tunnel. */
void proxy_job_fail(struct proxy_job *job, const char *why);

/* It has gone wrong on a connection, which is not its any more: again, if that may be. */
void proxy_job_broken(struct proxy_job *job, const char *why, bool was_used);

/* From the beginning, on whatever connection: the request is another now. */
void proxy_job_again(struct proxy_job *job);

/* It is done, or nobody wants it any more; the fill has been told, or is gone. A connection that it
 * still has is closed. */
void proxy_job_free(struct proxy_job *job);

/* Writes the request to the machine of the connection that carries it. False: it is too large. */
bool proxy_job_send(struct proxy_job *job, struct proxy_origin *origin);

/* The server has answered, or has not. */
void proxy_job_health(const struct proxy_place *place, bool good);

/* ---- proxy_origin.c ---- */

/* A connection that waits for a request to that place; NULL: none. */
struct proxy_origin *proxy_origin_find(struct proxy *proxy, const struct proxy_place *place,
                                       bool trusted);

/* For a stream that is open, which it takes. NULL: no memory, and the stream is closed. */
struct proxy_origin *proxy_origin_new(struct proxy *proxy, struct stream *stream,
                                      const struct proxy_place *place);
void proxy_origin_close(struct proxy_origin *origin);

/* Carries the job from now on. */
void proxy_origin_carry(struct proxy_origin *origin, struct proxy_job *job);

/* Sends what its machine has. */
void proxy_origin_flush(struct proxy_origin *origin);

/* How many octets of a request's content it would take now. */
size_t proxy_origin_room(const struct proxy_origin *origin);

/* ---- proxy_tunnel.c ---- */

/* The session's connection and `other` are one from now on. */
void proxy_tunnel_begin(struct proxy_session *session, struct stream *other);
void proxy_tunnel_end(struct proxy_session *session, bool abort);
extern const struct stream_handler proxy_tunnel_handler;
size_t proxy_tunnel_bytes(struct proxy_session *session, struct bytes in);
void proxy_tunnel_client_end(struct proxy_session *session);
void proxy_tunnel_client_room(struct proxy_session *session);

/* ---- proxy_page.c ---- */

/* HTML that says what is wrong; NULL: no memory. To be freed. */
char *proxy_page_error(unsigned status, const char *target, const char *tried, size_t *len);

/* A proxy auto-config file that names `host`, by which the client has reached us. */
char *proxy_page_pac(const struct proxy *proxy, struct bytes host, size_t *len);

#endif

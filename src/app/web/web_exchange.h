/* SPDX-License-Identifier: ISC */
/*
 * web_exchange.h - what the parts of the web service share: an exchange, which is one request and its
 * answer, whatever version of HTTP carries it. Private to app/web/.
 *
 *      web.c        the service: listeners, connections, who has to go when there are too many
 *      web_http1.c  connections of HTTP/1.x: turns the machine's crank, sends bodies
 *      web_http2.c  connections of HTTP/2; web_http2_stream.c: an exchange on one of their streams
 *      web_reply.c  answers: fields, conditions, ranges, error pages
 *      web_body.c   where the octets of a response come from
 *      web_rules.c  which host and rule a request falls under
 *      web_site.c   which path is answered by what; web_admit.c: what its rule demands first
 *      web_built_in.c the built-in site
 *      web_files.c  files below a root; web_list.c: folders; web_upload.c: PUT and DELETE
 *      web_cache.c  files that are open, and their compressed forms (web_compress.c)
 *      web_memory.c blocks that are kept for the next request
 *      web_gateway.c requests for programs: web_fastcgi.c, web_cgi.c; web_meta.c: what they are told
 *      web_flow.c   octets on their way to and from them
 *      web_dav.c    WebDAV; its parts are in web_dav.h
 *      web_socket.c WebSocket; web_deflate.c: its compression
 *      web_pass.c   requests for servers behind this one
 *      web_dns.c    questions to the name service
 *      web_form.c   the built-in site's form, with its sessions
 *      web_page.c   the pages that are made anew for every request; web_page_status.c: what they show of the site
 *
 * SKIPS RFC 9114, HTTP/3: OpenSSL 3.0, with which all TLS here is made, has no QUIC, and Debian 12's ngtcp2 has
 * its TLS from GnuTLS: certificates, tickets and ALPN would be there twice. A transport for it stands beside
 * web_http2.c once OpenSSL 3.5 is what Debian has.
 */
#ifndef WN_APP_WEB_WEB_EXCHANGE_H
#define WN_APP_WEB_WEB_EXCHANGE_H

#include "app/web/page_text.h"
#include "app/web/web.h"
#include "app/web/web_auth.h"
#include "app/web/web_body.h"
#include "app/web/web_cache.h"
#include "app/web/web_form.h"
#include "app/web/web_limit.h"
#include "app/web/web_log.h"
#include "app/web/web_memory.h"
#include "app/web/web_rules.h"
#include "base/list.h"
#include "io/errand.h"
#include "io/loop.h"
#include "io/program.h"
#include "proto/http/http2_session.h"
#include "proto/http/http_server.h"

enum {
    WEB_PATH_MAX = 4096,         /* a decoded path, with its NUL */
    WEB_TARGET_MAX = 256,        /* of a target in the log */
    WEB_LOGGED_MAX = 160,        /* of other fields in it */
    WEB_TURN_MAX = 1024 * 1024,  /* octets that one session sends before others get their turn */
    WEB_STATUS_MAX = 256 * 1024, /* what web_site.status may write */
    WEB_DOORS_MAX = 2 * WEB_LISTENS_MAX, /* during a reload there are old ones and new */
    WEB_WARM_MAX = 64,           /* exchanges kept for the next request */
    WEB_ERRANDS_MAX = 256,       /* uploads that wait for the disk at a time */
};

#define WEB_HEAD_PATIENCE USEC_PER_SEC /* before a connection with half a head makes room */

struct web_exchange;

/* The servers that web_fastcgi.c has spoken to. */
struct web_fastcgi {
    struct list_node peers;
    unsigned peer_count;
    struct net *host; /* for sockets with a path, when the service's net has none; NULL: not needed yet */
};

/* What carries an exchange. */
struct web_transport {
    /* Begins the response; the octets of exchange->body follow as the peer takes them. False: it
     * was no response, and 500 has been sent in its place. */
    bool (*respond)(struct web_exchange *exchange, const struct http_response *response);
    /* The request's body is wanted; web_site_body() will be called. False: it is larger, and 413
     * has been sent. */
    bool (*accept_body)(struct web_exchange *exchange, uint64_t max);
    /* A bare answer, when there is no memory for a good one. */
    void (*refuse)(struct web_exchange *exchange, unsigned status);
    struct stream *(*stream)(struct web_exchange *exchange);
    /* An answer is about to be given outside of any call of the transport's, or octets of a flow have
     * come: it goes in the next turn. */
    void (*wake)(struct web_exchange *exchange);
    /* An interim response, before respond(). False: it cannot be sent, and may be left out. */
    bool (*interim)(struct web_exchange *exchange, unsigned status, const struct http_field *fields,
                    size_t count);
    /* In the place of respond(): 101, then another protocol; what comes is told as octets of the body,
     * what goes is exchange->body. NULL: this version of HTTP has no such thing. */
    bool (*switch_to)(struct web_exchange *exchange, const struct http_field *fields, size_t count);
    /* Octets of the request's body are not wanted for now, or are again. */
    void (*hold)(struct web_exchange *exchange, bool held);
};

/* Who works on an exchange for longer: is told of the request's body, and when all is over. */
struct web_service {
    void (*body)(struct web_exchange *exchange, struct bytes data);
    void (*body_end)(struct web_exchange *exchange);
    void (*body_failed)(struct web_exchange *exchange);
    void (*done)(struct web_exchange *exchange); /* answered, or the client has gone; the last call */
};

struct web_upload;
struct web_question;

struct web_exchange {
    struct web *web;
    const struct web_transport *transport;
    const char *protocol;  /* "HTTP/1.1" */
    struct endpoint peer;
    bool secure;           /* it came over TLS */
    struct web_rules *rules; /* NULL before the request is known */
    const struct web_host *site; /* whose rules hold */
    const struct web_place *place;
    const struct http_server_event *event; /* the request, while it is looked at; then NULL */
    struct web_body body;  /* of the response */
    struct web_upload *upload; /* what the request's body goes to; NULL: none */
    struct web_question *question; /* to the name service; NULL: none */
    const struct web_service *service; /* NULL: none */
    void *work;            /* of the service */
    const struct web_rule *admitted_by; /* whose users know `user`; NULL: nobody has asked */
    unsigned redirects;    /* within the server, by programs */
    bool connect_websocket; /* CONNECT of RFC 8441 */
    uint64_t octets;       /* sent, the head included */
    uint64_t sink_octets;  /* received by /sink */
    usec request_at;
    char method[HTTP_METHOD_MAX + 1]; /* "": not known */
    char target[WEB_TARGET_MAX];
    char user[WEB_USER_MAX];
    char host[WEB_LOGGED_MAX];
    char referer[WEB_LOGGED_MAX];
    char agent[WEB_LOGGED_MAX];
};

struct web_door {
    struct web *web;
    struct web_listen listen; /* as the configuration has it */
    struct listener *listener; /* NULL: none */
};

/* Of web_dav_lock.c. */
struct dav_locks {
    struct lock lock;
    struct list_node list;
    unsigned count;
};

struct web {
    struct net *net;
    struct web_door doors[WEB_DOORS_MAX];
    struct web_site site;
    struct web_dns dns;
    struct web_rules *rules;
    char *server_name;
    char *domain;
    unsigned connections_max;
    unsigned refused_open;
    void (*on_request)(void *self, const struct web_request *request);
    void *on_request_self;
    struct web_log *log;        /* NULL: none */
    struct tls_server *tls;     /* NULL: nothing is listened for with TLS */
    struct list_node sessions;
    struct list_node idle;      /* those between requests, oldest first */
    struct list_node heads;     /* those with half a head, oldest first */
    struct list_node warm;      /* works of web_http1.c that nobody uses */
    unsigned warm_count;
    struct list_node warm_streams; /* the same of web_http2.c */
    unsigned warm_stream_count;
    struct web_memory memory;   /* what waits on connections of HTTP/2 */
    struct http2_scratch http2_scratch;
    struct errands *errands;    /* of uploads */
    int64_t date_at;            /* of `date` */
    char date[HTTP_DATE_LEN + 1];
    struct web_counters counters;
    char (*etags)[WEB_ETAG_MAX]; /* one for each of web_pages[] */
    struct web_buffers buffers;
    struct web_cache cache;
    bool several;               /* it is one of some workers' */
    struct web *first;          /* of those, or itself: whose limits are those of all */
    _Atomic int64_t all_open;   /* of that: connections of all */
    struct web_limit limit;
    struct web_auth_context auth;
    void (*on_message)(void *self, const char *text);
    void *on_message_self;
    struct list_node gateways;  /* requests for programs */
    struct web_fastcgi fastcgi;
    struct list_node engines;   /* of web_pass.c: sets of servers behind */
    unsigned engine_count;
    struct tls_client *pass_tls; /* for those by TLS; NULL: not needed yet */
    struct list_node dav_jobs;  /* of web_dav_move.c, that the thread aside works on */
    unsigned dav_job_count;
    struct dav_locks dav_locks; /* the first worker's are for all */
    bool dav_ending;            /* they are not gone on with */
    unsigned turn;              /* whose it is among servers */
    struct programs programs;   /* of CGI */
    struct list_node cgi_waiting; /* requests that wait until one of them has ended */
    unsigned cgi_waiting_count;
    struct programs socket_programs; /* of WebSockets */
    struct web_deflater *deflater;   /* for their messages; NULL: not needed yet */
    struct http_sessions sessions_of_forms;
};

/* One connection; what it needs while a request is under way is not in it. */
struct web_session {
    struct web *web;
    struct stream *stream;
    struct list_node node;      /* in web->sessions */
    struct list_node idle_node; /* in web->idle while between requests; in web->heads while a head
                                   is not whole */
    usec head_at;               /* since then */
    struct web_work *work;      /* of HTTP/1; NULL: between requests */
    struct web_http2 *http2;    /* NULL: it is not of HTTP/2 */
    size_t pending;             /* octets that the stream keeps for us */
    struct endpoint peer;
    bool refused;               /* one too many: not counted among the sessions */
    bool counted;               /* among those of its address */
    bool secure;
    bool finished;              /* stream_finish() has been said */
    bool begun;                 /* octets have come */
};

/* ---- connections ---- */

/* Begins with a stream that was accepted; `refuse`: it is one too many, and is told so. */
void web_http1_begin(struct web_session *session, bool refuse);
void web_http1_work_done(struct web_session *session); /* gives the work back, if there is one */
void web_http1_warm_done(struct web *web);

/* Goes over to HTTP/2; false: no memory, and nothing has changed. */
MUST_USE bool web_http2_begin(struct web_session *session);
/* Octets that came before; the session may be gone. Returns how many were used: all. */
size_t web_http2_input(struct web_session *session, struct bytes in);
void web_http2_done(struct web_session *session); /* as often as one likes */
void web_http2_warm_done(struct web *web);

/* The time as Date has it; valid until the next call. */
const char *web_date(struct web *web);

/* Do the first octets of a connection begin HTTP/2 (RFC 9113 §3.4)? *more: so far they could. */
bool web_http2_preface(struct bytes in, bool *more);

void web_session_free(struct web_session *session);
void web_session_close(struct web_session *session);

/* A request has come: begins the exchange, which is all zero but for what its transport has set, and
 * answers, or accepts the body. `event` is borrowed for the call. */
void web_exchange_begin(struct web_exchange *exchange, const struct http_server_event *event);

/* Lets go of what it holds: also when it ends in its midst. */
void web_exchange_done(struct web_exchange *exchange);

/* The response of an exchange is complete, as far as we are concerned: the network has all of it. */
void web_tell_request(struct web_exchange *exchange, unsigned status);

/* ---- answers: web_reply.c ---- */

struct web_reply {
    unsigned status;
    const char *type;          /* NULL: no content */
    const char *etag;          /* NULL: none */
    int64_t modified;          /* seconds since 1970; INT64_MIN: unknown */
    const char *location;
    const char *allow;
    const char *content_range;
    const char *encoding;
    const char *vary;
    const char *retry_after;
    const char *cookie;        /* Set-Cookie; NULL: none */
    const char *dav;           /* classes of WebDAV; NULL: none */
    const char *lock_token;
    const char *challenges[2]; /* NULL: none */
    const char *cache;         /* Cache-Control; NULL: none */
    bool ranges;               /* "Accept-Ranges: bytes" */
    bool built_in;             /* ours, so that we know what it needs: nothing from elsewhere */
    struct web_body body;      /* taken over */
};

/* Sends the reply; the exchange owns its body from now on. */
void web_reply(struct web_exchange *exchange, const struct web_reply *reply);

/* As web_reply() with 200, after looking at the request's conditions and Range: 304, 412, 206, 416. */
void web_reply_entity(struct web_exchange *exchange, const struct http_request_head *head,
                      const struct web_reply *reply);

/* An answer whose fields come from elsewhere: with those of the rule, and nothing else of ours. */
void web_reply_fields(struct web_exchange *exchange, unsigned status,
                      const struct http_field *fields, size_t count, const struct web_body *body);

/* A page that says what is wrong; `hint` NULL: what the status always means. */
void web_reply_error(struct web_exchange *exchange, unsigned status, const char *hint);

/* The same with the fields of `facts` (Allow, Content-Range, Retry-After, challenges); NULL: none. */
void web_reply_error_with(struct web_exchange *exchange, unsigned status, const char *hint,
                          const struct web_reply *facts);

/* 405, or 501 for a method that nobody knows. */
void web_reply_method(struct web_exchange *exchange, const char *allow);

/* 200 with a page under construction, which is taken over; 500 when it had no memory. */
void web_reply_page(struct web_exchange *exchange, unsigned status, const char *type,
                    struct page_text *page);

/* The same with 200, HTML and a Set-Cookie field, never compressed: it may hold a secret (BREACH). */
void web_reply_page_with_cookie(struct web_exchange *exchange, struct page_text *page,
                                const char *cookie);

/* ---- routes: web_site.c ---- */

#define WEB_METHODS_READ "GET, HEAD, OPTIONS"

/* Answers the request, or accepts its body and answers at web_site_body_end(). */
void web_site_request(struct web_exchange *exchange);
/* Answers as if the request had been GET (or HEAD) for that target; `meta` is of web_meta.h. */
void web_site_again(struct web_exchange *exchange, struct bytes target, struct bytes meta);

/* Is what has that decoded path answered by a program? Then it must not be read as a file. */
bool web_site_is_program(const struct web_exchange *exchange, struct bytes path);
/* Answers with it, by its rule, in the place of the folder that was asked for. */
void web_site_index(struct web_exchange *exchange, struct bytes path);

void web_site_body(struct web_exchange *exchange, struct bytes data);
void web_site_body_end(struct web_exchange *exchange);
void web_site_body_failed(struct web_exchange *exchange); /* it will not be whole */

/* Answers OPTIONS, and what is not among `allow` ("GET, HEAD"). True: the request is to be handled. */
bool web_site_has_method(struct web_exchange *exchange, const char *allow);

/* What the rule of exchange->place demands first. False: it has answered. */
bool web_admit(struct web_exchange *exchange, struct bytes path);

/* Answers from the built-in site; false: by the rule it is not there for that path. */
bool web_built_in_request(struct web_exchange *exchange, struct bytes path);

/* ---- files: web_files.c, web_list.c, web_upload.c ---- */

/* Answers GET or HEAD of a decoded path, which begins with "/", from the root. */
void web_files_request(struct web_exchange *exchange, struct bytes path);

/* As web_cache_open(), below the root of the exchange's place; `path` without a slash in front. */
MUST_USE int web_files_open(struct web_exchange *exchange, const char *path, struct web_file **out,
                            int *folder);

/* Answers with the status that a positive errno of a file means. */
void web_files_error(struct web_exchange *exchange, int error);

/* Answers with a file as the page of an error; false: it is not there. */
MUST_USE bool web_files_error_page(struct web_exchange *exchange, unsigned status,
                                   const char *path);

/* Has the path a segment that begins with a dot, other than ".well-known" at the top? */
bool web_files_hidden(struct bytes path);

/* Lists a folder; takes fd. */
void web_list_reply(struct web_exchange *exchange, int fd, struct bytes path, struct bytes query);

void web_upload_put(struct web_exchange *exchange, struct bytes path);
void web_upload_body(struct web_exchange *exchange, struct bytes data);
void web_upload_end(struct web_exchange *exchange);
void web_upload_delete(struct web_exchange *exchange, struct bytes path);
void web_upload_free(struct web_upload *upload); /* NULL is nothing */

/* ---- questions to the name service: web_dns.c ---- */

/* GET, HEAD and POST (RFC 8484 §4.1). */
void web_dns_request(struct web_exchange *exchange);
void web_dns_body(struct web_exchange *exchange, struct bytes data);
void web_dns_end(struct web_exchange *exchange);
void web_dns_forget(struct web_exchange *exchange); /* also when there is none */

/* ---- pages: web_page.c ---- */

/* The embedded file of that path ("/style.css"), or NULL. */
const struct web_page *web_page_find(struct bytes path);

/* The page about this network. */
void web_page_site(struct web_exchange *exchange, struct page_text *out);

/* What is known of this network, for that client. */
void web_page_status(const struct web_exchange *exchange, const char *client, struct page_text *out);

/* A page with the site's head and foot around `content`, which is HTML; plain where there is no
 * built-in site. */
void web_page_wrap(const struct web_exchange *exchange, const char *title, struct bytes content,
                   struct page_text *out);

#endif

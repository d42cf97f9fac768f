/* SPDX-License-Identifier: ISC */
/*
 * web.h - the site's web server: hosts with their files by rules (web_config.h), and the page about
 * this network.
 */
#ifndef WN_APP_WEB_WEB_H
#define WN_APP_WEB_WEB_H

#include "app/web/web_config.h"
#include "base/text.h"
#include "io/net.h"
#include "proto/http/http_session.h"

struct web;

/* What the page about this network shows; asked anew for every request. */
struct web_site {
    /* Writes facts as JSON to `out` (at most `size` octets); returns the length. The shape is that of
     * `wholenet status --json` (docs/status.md). */
    size_t (*status)(void *self, char *out, size_t size);
    void *self;
};

/* Questions by HTTP (RFC 8484) are for the name service. */
struct web_dns_query {
    struct bytes message;
    struct endpoint peer;
    bool secure;         /* it came over TLS */
    void *exchange;      /* for web_dns_reply() */
};

enum web_dns_verdict {
    WEB_DNS_NOW,       /* there is a reply */
    WEB_DNS_LATER,     /* web_dns_reply() will be called once, unless it is forgotten */
    WEB_DNS_MALFORMED,
    WEB_DNS_NONE,      /* there will be none: too many wait, or somebody has said so */
};

struct web_dns {
    /* *reply is looked at before anything else is asked; *handle is not 0. NULL: there is no name service. */
    enum web_dns_verdict (*ask)(void *self, const struct web_dns_query *query, struct bytes *reply,
                                uint32_t *handle);
    void (*forget)(void *self, uint32_t handle); /* the client has not waited */
    void *self;
};

/* The reply to a query that was to come later; empty: there will be none. */
void web_dns_reply(void *exchange, struct bytes reply);

/* A request that has been answered, for an access log. Valid during the call. */
struct web_request {
    struct endpoint peer;
    const char *method;  /* "GET"; "-": what came was no request */
    const char *target;  /* printable ASCII without spaces; a long one is cut */
    const char *protocol; /* "HTTP/1.1" */
    const char *user;    /* who said so and was believed; "" : nobody */
    const char *host;    /* as the request has it; these may hold any octets but CR, LF and NUL */
    const char *referer;
    const char *agent;
    unsigned status;
    uint64_t octets;     /* sent, the head included */
    usec duration;       /* from the whole head to the last octet given to the network */
};

struct web_options {
    struct endpoint listen;
    const char *server_name;  /* "www.home.arpa" */
    const char *domain;       /* "home.arpa" */
    const char *root;         /* directory of files to serve; NULL: only the built-in page */
    /* More than that: then listen, root and connections_max above count no more. Copied. */
    const struct web_config *config;
    unsigned connections_max; /* 0: 4096 */
    /* One server in several threads: each worker has its own, on its own loop, at the same addresses (SO_REUSEPORT).
     * The first is made first and freed last; what is limited is limited for all together, and whoever has a nonce
     * of one may use it with the others. */
    bool several;
    struct web *first;        /* NULL: it is that */
    struct web_site site;
    struct web_dns dns;
    struct http_session_hmac hmac; /* .start NULL: there are no sessions, and so no form */
    /* Told of each answered request; may be NULL. */
    void (*on_request)(void *self, const struct web_request *request);
    void *on_request_self;
    /* Told, a line at a time, what programs say on their standard error, and what is wrong with them;
     * may hold any octets of theirs. May be NULL. */
    void (*on_message)(void *self, const char *text);
    void *on_message_self;
    struct text *error;       /* told what could not be done, when web_new() fails; NULL: not asked */
};

/*
 * 0 or a negative errno; strings are copied. Without a root the built-in site is at "/": the page
 * about this network, /docs/, /status.json, /healthz, /bytes/N and /sink for measurements. With one,
 * "/" is the root's, and the built-in site is below "/.wholenet/".
 */
MUST_USE int web_new(struct net *net, const struct web_options *options, struct web **out);

/* Goes over to another configuration: the same names, log and listeners go on, connections too, and
 * requests under way end as they began. 0, or a negative errno: then all stays as it was, and `error`
 * (may be NULL) is told what could not be done. Opens the log and reads certificates anew. */
MUST_USE int web_reload(struct web *web, const struct web_config *config, struct text *error);
void web_free(struct web *web);

/* Where it listens first: the port that was given for port 0. */
struct endpoint web_local(const struct web *web);

struct web_counters {
    uint64_t connections, requests, responses[6]; /* by first digit; [0] unused */
    uint64_t refused;                             /* connections over the limit: 503 or reset */
    uint64_t shed;                                /* idle ones closed to make room */
    uint64_t open;                                /* gauge */
    uint64_t octets_sent;
    uint64_t limited;                             /* requests over a rate: 429 */
    uint64_t log_lost;                            /* lines that could not be written */
};
void web_counters(const struct web *web, struct web_counters *out);

#endif

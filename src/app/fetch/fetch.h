/* SPDX-License-Identifier: ISC */
/*
 * fetch.h - requests to HTTP servers (RFC 9112, RFC 9113): a connection is found for each, kept from one
 * before or new, to the server itself or through a proxy (RFC 9110 §3.7), and kept afterwards. Over TLS the
 * server is asked for HTTP/2 (ALPN), where one connection carries all requests to an origin at once.
 *
 * One request is one exchange: redirects, credentials and cookies are its caller's
 * (proto/http/http_redirect.h, http_credentials.h, cookie_jar.h). Callbacks come from the loop only.
 */
#ifndef WN_APP_FETCH_FETCH_H
#define WN_APP_FETCH_FETCH_H

#include "base/text.h"
#include "io/tls.h"
#include "proto/http/http_client.h"
#include "wire/http/url.h"

struct fetcher;
struct fetch;

enum {
    FETCH_ADDRESSES_MAX = 16,
    FETCH_KEPT_MAX = 16,  /* connections without a request; the one kept longest goes */
    FETCH_REASON_MAX = 512,
    FETCH_HTTP2_WINDOW = 4 * 1024 * 1024, /* octets that may be on their way for one response */
};
#define FETCH_CONNECT_TIMEOUT (30 * USEC_PER_SEC)
#define FETCH_KEEP_TIMEOUT (60 * USEC_PER_SEC)

/* The addresses of a host, in the order of preference; `host` may be an address itself. Returns how
 * many; 0: *reason says why there is none. */
typedef size_t fetch_find(void *self, const char *host, uint16_t port,
                          struct endpoint out[FETCH_ADDRESSES_MAX], struct text *reason);

/* In the place of fetch_find, for who cannot say at once: fetch_found() tells, from the loop or within this
 * call, unless fetch_forget comes before. The connect_timeout holds meanwhile. */
typedef void fetch_seek(void *self, struct fetch *fetch, const char *host, uint16_t port);
typedef void fetch_forget(void *self, struct fetch *fetch);

/* What https is spoken with; asked for when it is needed. `http2`: its ALPN asks for "h2 http/1.1", else for
 * no more than http/1.1. NULL: *reason says why there is none. */
typedef struct tls_client *fetch_tls(void *self, bool http2, struct text *reason);

struct fetcher_options {
    struct net *net;
    fetch_find *find;
    fetch_tls *tls;         /* NULL: https is not spoken */
    void *self;             /* of all of them */
    usec connect_timeout;   /* name and all; 0: FETCH_CONNECT_TIMEOUT */
    fetch_seek *seek;       /* NULL: `find` is asked */
    fetch_forget *forget;   /* with `seek` */
};

MUST_USE struct fetcher *fetcher_new(const struct fetcher_options *options); /* NULL: no memory */
/* Its fetches end without a callback. */
void fetcher_free(struct fetcher *fetcher);

enum fetch_version {
    FETCH_HTTP_ANY,  /* https: HTTP/2 if the server speaks it, else HTTP/1.1; http: HTTP/1.1 */
    FETCH_HTTP_1_0,
    FETCH_HTTP_1_1,
    FETCH_HTTP_2,    /* and nothing else; http: from the first octet on (RFC 9113 §3.3) */
};

struct fetch_request {
    const char *method;
    const struct url *url;
    const char *host;                /* of the Host field; NULL: that of the URL */
    const struct url *proxy;         /* NULL: none */
    const struct http_field *fields; /* others than Host, Connection and the lengths */
    size_t field_count;
    const char *proxy_authorization; /* of the proxy; NULL: none */
    bool has_body;
    uint64_t body_len; /* HTTP_CLIENT_LENGTH_UNKNOWN: fetch_body_end() tells */
    enum fetch_version version;
    usec timeout;      /* without an octet of the server's; 0: HTTP_CLIENT_TIMEOUT. HTTP/1 */
    const struct bytes *trailers; /* behind a chunked body, as lines, when it ends; NULL: none. HTTP/1 */
    bool close; /* HTTP/1: do not keep the connection */
    bool fresh; /* do not use one that others have used, or use */
    const char *upgrade; /* HTTP/1.1: the protocol to switch to (RFC 9110 §7.8), for which `ws` and `wss` are
                            schemes, too; NULL: none */
};

enum fetch_result {
    FETCH_OK,
    FETCH_NO_NAME,     /* the host's name has no address */
    FETCH_NO_CONNECTION,
    FETCH_NO_TUNNEL,   /* the proxy refused CONNECT; `status` is its answer */
    FETCH_NO_TLS,      /* the handshake failed: `reason` says what was wrong with whom */
    FETCH_UNSUPPORTED, /* a scheme we do not speak, or a version that the server does not */
    FETCH_TOO_LONG,    /* the request's head has no room, or is none */
    FETCH_BROKEN,      /* see `failure`: no whole response came */
    FETCH_RESULT_COUNT
};

struct fetch_times { /* instants; 0: never came to that */
    usec begun, found, connected, secured, sent, first, ended;
};

struct fetch_outcome {
    enum fetch_result result;
    enum http_client_failure failure; /* FETCH_BROKEN */
    int error;                        /* errno of the connection; 0: none */
    unsigned status;                  /* of the final response; 0: none came */
    bool reused;                      /* the connection was there before */
    bool http2;
    bool body_refused;                /* the response came before all of the request was sent */
    struct endpoint server;           /* or proxy */
    uint64_t octets_in, octets_out;   /* of the connection meanwhile, inside of TLS */
    bool secured;
    struct tls_facts tls;             /* when secured */
    struct fetch_times times;
    const char *reason;               /* for people; "" when FETCH_OK. Valid in the callback */
};

struct fetch_handler {
    /* The request is on its way, and over what is known; twice, when a kept connection was closed. May be
     * NULL. */
    void (*on_sent)(void *self, struct fetch *fetch);
    /* Interim responses too. Views are valid in the callback. */
    void (*on_head)(void *self, struct fetch *fetch, const struct http_response_head *head,
                    const struct http_framing *framing);
    void (*on_body)(void *self, struct fetch *fetch, struct bytes data);
    /* The connection stands, and there is room for the request's body. May be NULL without one. */
    void (*on_room)(void *self, struct fetch *fetch);
    /* The last one; the fetch is gone. */
    void (*on_end)(void *self, struct fetch *fetch, const struct fetch_outcome *outcome);
    /* The last one in the place of on_end: the server has switched to the protocol that was asked for (101).
     * The stream is the callee's, who sets its handler, and resumes it for what has come already. May be NULL
     * when no request upgrades. */
    void (*on_switched)(void *self, const struct fetch_outcome *outcome,
                        const struct http_response_head *head, struct stream *stream);
};

/* All that the request points to stays until on_end. NULL: no memory. */
MUST_USE struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
                                   const struct fetch_handler *handler, void *self);

/* The answer to fetch_seek; `count` 0: `reason` says why there is none. The fetch may have ended then. */
void fetch_found(struct fetch *fetch, const struct endpoint *addresses, size_t count,
                 const char *reason);

/* No on_head, on_body and on_end from now on, until fetch_resume(): what comes waits, the server's window
 * closes, and it is not blamed for what takes long. Both may be called in callbacks. Over HTTP/2 what is on its way
 * already, no more than FETCH_HTTP2_WINDOW octets of a body, is told none the less, and so is its end. */
void fetch_pause(struct fetch *fetch);
void fetch_resume(struct fetch *fetch);

/* Is it HTTP/2 that carries it? From on_sent on. */
bool fetch_is_http2(const struct fetch *fetch);

/* Takes octets of the request's body, from on_room on; returns how many: none while it is on its way to another
 * connection. */
size_t fetch_body(struct fetch *fetch, struct bytes in);

/* The end of a body of unknown length. False: no room now; on_room comes. */
MUST_USE bool fetch_body_end(struct fetch *fetch);

/* What is known of it so far, until it ends. */
const struct fetch_outcome *fetch_so_far(struct fetch *fetch);

/* No callback any more; of HTTP/1 its connection is closed, of HTTP/2 its stream. May be called in
 * callbacks. */
void fetch_cancel(struct fetch *fetch);

#endif

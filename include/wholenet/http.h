/* SPDX-License-Identifier: ISC */
/*
 * http.h - an HTTP client (RFC 9110, RFC 9112, RFC 9113): over the host's sockets, or over a stack on the same
 * loop, where time may be virtual. The server is in <wholenet/http_server.h>.
 *
 * It is in libwholenet-http, which has all of libwholenet, too, and needs OpenSSL, zlib and brotli: a program
 * links the one or the other (pkg-config wholenet-http in place of wholenet).
 *
 * A transfer is a request with all that it takes until there is an answer: redirects (RFC 9110 §15.4),
 * credentials (§11), cookies (RFC 6265bis), a proxy (RFC 9110 §7.6, CONNECT for https). A client keeps the
 * connections, cookies and TLS sessions for the next ones; https is HTTP/2 where the server speaks it.
 *
 * Callbacks come from the loop only, never from within a call of this header but wn_http_do() and wn_http_get();
 * all calls but wn_http_free() and these two may be made in them. Texts are NUL-terminated. What options and
 * requests point to is copied, unless it says otherwise. A client belongs to the thread of its loop.
 *
 * Functions return 0, or one of enum wn_http_error; wn_http_why() then has a sentence for people.
 */
#ifndef WHOLENET_HTTP_H
#define WHOLENET_HTTP_H

#include <wholenet/loop.h>
#include <wholenet/names.h>

WN_C_BEGIN

struct wn_http;
struct wn_http_transfer;

enum wn_http_error {
    WN_HTTP_OK = 0,
    WN_HTTP_BAD_OPTION = -1,      /* an option, URL, method or field that cannot be */
    WN_HTTP_NO_MEMORY = -2,
    WN_HTTP_TOO_MANY = -3,        /* WN_HTTP_TRANSFERS_MAX are under way */
    WN_HTTP_NO_NAME = -4,         /* the host's name has no address */
    WN_HTTP_NO_CONNECTION = -5,   /* refused, unreachable, or not within connect_timeout */
    WN_HTTP_NO_TLS = -6,          /* the handshake failed, or the server is not whom it should be */
    WN_HTTP_NO_TUNNEL = -7,       /* the proxy refused CONNECT */
    WN_HTTP_BROKEN = -8,          /* no whole response came, or one that contradicts the protocol */
    WN_HTTP_TIMED_OUT = -9,       /* see `timeout` and `idle_timeout` */
    WN_HTTP_TOO_LARGE = -10,      /* the body, decoded, has more than body_max octets */
    WN_HTTP_MANY_REDIRECTS = -11, /* more than redirects_max */
    WN_HTTP_BAD_REDIRECT = -12,   /* Location is no URL, or one that may not be followed */
    WN_HTTP_BAD_CONTENT = -13,    /* the body is not what Content-Encoding says */
    WN_HTTP_BAD_BODY = -14,       /* the request's body could not be read, or not a second time */
    WN_HTTP_REFUSED = -15,        /* the status is 400 or more, and WN_HTTP_FAIL was asked for */
    WN_HTTP_UNSUPPORTED = -16,    /* a scheme that is not spoken here, or a version not there */
    WN_HTTP_STOPPED = -17         /* the loop was stopped, or has nothing to wait for any more */
};

/* What such a number means, in a few words. Static. */
WN_API const char *wn_http_error_text(int error);

enum {
    WN_HTTP_TRANSFERS_MAX = 256, /* of a client, at a time */
    WN_HTTP_HEAD_MAX = 16384,    /* octets of a response's head, and of a request's; 100 fields */
    WN_HTTP_REDIRECTS_MAX = 20,  /* unless redirects_max says otherwise */
    WN_HTTP_URL_MAX = 8304       /* a URL, with its NUL */
};

/* ---- the client ---- */

enum wn_http_flags {
    WN_HTTP_COOKIES = 1 << 0,           /* cookies are kept, in memory, and given back */
    WN_HTTP_PROXY_ENVIRONMENT = 1 << 1, /* http_proxy, https_proxy, all_proxy, no_proxy, as curl(1) has them */
    WN_HTTP_TRUST_ANYBODY = 1 << 2      /* certificates are not checked: for tests */
};

/* All zero but `size`: over the host's sockets, with its resolver and the roots that it trusts. */
struct wn_http_options {
    size_t size;                  /* sizeof(struct wn_http_options): for later versions */
    unsigned flags;               /* enum wn_http_flags */
    struct wn_stack *stack;       /* over which one; it must be on the loop. NULL: the host's sockets */
    struct wn_resolver *resolver; /* of names over a stack, whose loop is the same; borrowed. NULL: `hosts` and
                                     addresses only. The host's sockets take the host's */
    const char *hosts;            /* a hosts(5), looked at first; NULL: none */
    const char *agent;            /* User-Agent; NULL: ours, "": none */
    const char *proxy;            /* "http://user:password@host:port"; NULL: none */
    const char *trust_file;       /* PEM: who may sign servers' certificates; NULL: whom the host trusts */
    const char *trust_folder;     /* the same by OpenSSL's hashed names */
    const char *certificate;      /* ours, a chain in PEM; NULL: none */
    const char *key;              /* NULL: in the file of the chain */
    wn_time connect_timeout;      /* name and connection; 0: 30 s. TLS has another 10 */
    char *why;                    /* where wn_http_new() writes why it has failed, why_size octets with a NUL;
                                     NULL: nowhere */
    size_t why_size;
};

/* Makes a client. 0, WN_HTTP_BAD_OPTION (the loop is virtual and there is no stack; the stack is not on the
 * loop; a URL or file is none) or WN_HTTP_NO_MEMORY. `options` NULL: all zero. */
WN_API WN_MUST_USE int wn_http_new(struct wn_loop *loop, const struct wn_http_options *options,
                                   struct wn_http **out);

/* Ends its transfers without a callback, and frees it; before its loop, resolver and stack, and not in a
 * callback. NULL is nothing. */
WN_API void wn_http_free(struct wn_http *http);

/* Why the last call that took this client has failed; "" at first. */
WN_API const char *wn_http_why(const struct wn_http *http);

/* The cookies of a file, in the form that curl(1) and wget(1) have; and into one, which only its owner may read.
 * 0, or a negative number of <errno.h>. */
WN_API WN_MUST_USE int wn_http_load_cookies(struct wn_http *http, const char *path);
WN_API WN_MUST_USE int wn_http_save_cookies(struct wn_http *http, const char *path);

/* ---- requests ---- */

struct wn_http_field {
    const char *name;
    const char *value;
};

enum wn_http_version {
    WN_HTTP_ANY,  /* https: HTTP/2 if the server speaks it, else HTTP/1.1; http: HTTP/1.1 */
    WN_HTTP_1_0,
    WN_HTTP_1_1,
    WN_HTTP_2     /* and nothing else; http: from the first octet on (RFC 9113 §3.3) */
};

enum wn_http_request_flags {
    WN_HTTP_EXPECT = 1 << 0,      /* Expect: 100-continue; the body waits for it, for a second (§10.1.1) */
    WN_HTTP_RAW = 1 << 1,         /* no Accept-Encoding, and no Content-Encoding is undone */
    WN_HTTP_KEEP_METHOD = 1 << 2, /* POST stays POST after 301 and 302, too */
    WN_HTTP_BASIC_FIRST = 1 << 3, /* the credentials go as Basic, without being asked for */
    WN_HTTP_FRESH = 1 << 4,       /* over a connection that nobody has used */
    WN_HTTP_FAIL = 1 << 5,        /* 400 and more is WN_HTTP_REFUSED, once the body has come */
    WN_HTTP_HTTPS_ONLY = 1 << 6   /* neither asks http nor is led to it */
};

#define WN_HTTP_LENGTH_UNKNOWN UINT64_MAX
#define WN_HTTP_LATER (-1) /* of wn_http_read: nothing now; wn_http_body_ready() will tell */

/* Writes the next octets of a request's body, at most `size`. How many; 0: that was all; WN_HTTP_LATER; any
 * other negative number gives the transfer up with WN_HTTP_BAD_BODY. */
typedef long wn_http_read(void *self, struct wn_http_transfer *transfer, void *out, size_t size);

/* A body is wanted a second time, by another place or with credentials: back to its beginning. 0, or
 * something else: that cannot be. */
typedef int wn_http_rewind(void *self, struct wn_http_transfer *transfer);

/* All zero but `size` and `url`: GET. */
struct wn_http_request {
    size_t size;                        /* sizeof(struct wn_http_request): for later versions */
    const char *method;                 /* NULL: GET, or with a body POST. As it is: letters have case */
    const char *url;                    /* absolute; http or https; user:password@ are credentials */
    const struct wn_http_field *fields; /* others than Host, Connection and the lengths; they go in the place
                                           of what would be sent; a value of NULL leaves that out.
                                           Authorization and Cookie go to the first origin only */
    size_t field_count;
    const void *body;                   /* borrowed until on_end; NULL with a length: `read` has it */
    uint64_t body_len;                  /* WN_HTTP_LENGTH_UNKNOWN: until `read` says 0; chunked */
    wn_http_read *read;
    wn_http_rewind *rewind;             /* NULL: what has been read cannot be sent again */
    void *body_self;                    /* of the two */
    const struct wn_http_field *trailers; /* behind a body of unknown length, over HTTP/1.1 */
    size_t trailer_count;
    const char *user;                   /* "name:password", in the place of the URL's; only for its origin */
    enum wn_http_version version;
    unsigned flags;                     /* enum wn_http_request_flags */
    int redirects_max;                  /* 0: WN_HTTP_REDIRECTS_MAX; negative: none is followed */
    uint64_t body_max;                  /* octets of the response's body, decoded; 0: any */
    wn_time timeout;                    /* of all of it; 0: none */
    wn_time idle_timeout;               /* without a sign of the server; 0: 60 s, of HTTP/2 at most that */
};

/* ---- answers ---- */

/* The fields of HTTP/2 are in lower case; names are compared without regard to it. */
struct wn_http_response {
    unsigned status;
    enum wn_http_version version;
    const char *reason; /* "" over HTTP/2, which has none */
    const char *url;    /* that it answers, after redirects, without user and fragment */
    const struct wn_http_field *fields;
    size_t field_count;
    uint64_t body_len;  /* as it was announced, coded as it is; WN_HTTP_LENGTH_UNKNOWN */
};

/* The value of the first field of that name; NULL: there is none. */
WN_API const char *wn_http_field(const struct wn_http_response *response, const char *name);

struct wn_http_times { /* instants; 0: never came to that. Of the last exchange, but `begun` */
    wn_time begun, found, connected, secured, sent, first, ended;
};

struct wn_http_result {
    enum wn_http_error error;
    const char *why;         /* a sentence; "" for WN_HTTP_OK */
    int system_error;        /* a positive number of <errno.h>; 0: none */
    const struct wn_http_response *response; /* NULL: none was told of */
    uint64_t body_len;       /* octets that on_body was told of */
    uint64_t octets_in, octets_out; /* of the connection, inside of TLS */
    unsigned redirects;
    int reused;              /* the connection was there before */
    struct wn_endpoint server; /* or proxy; port 0: none */
    const char *tls_version; /* "TLSv1.3"; NULL: no TLS */
    const char *tls_cipher;
    struct wn_http_times times;
};

/* Any may be NULL. What they are given is valid in the callback; of on_response, until on_end has returned. */
struct wn_http_handler {
    /* Another response in front of the one (RFC 9110 §15.2): 103, say. 100 is not told. */
    void (*on_interim)(void *self, struct wn_http_transfer *transfer,
                       const struct wn_http_response *response);

    /* The one. Not called for those that lead elsewhere or ask for credentials that are there. */
    void (*on_response)(void *self, struct wn_http_transfer *transfer,
                        const struct wn_http_response *response);

    /* Octets of its body. */
    void (*on_body)(void *self, struct wn_http_transfer *transfer, const void *data, size_t len);

    /* The last one, but not after wn_http_cancel(): the transfer is gone when it returns. */
    void (*on_end)(void *self, struct wn_http_transfer *transfer,
                   const struct wn_http_result *result);
};

/* Begins a transfer; `self` is the handler's. `out` may be NULL. */
WN_API WN_MUST_USE int wn_http_start(struct wn_http *http, const struct wn_http_request *request,
                                     const struct wn_http_handler *handler, void *self,
                                     struct wn_http_transfer **out);

/* No callback any more, and the transfer is gone: of HTTP/1 its connection is closed, of HTTP/2 its stream. NULL
 * is nothing. */
WN_API void wn_http_cancel(struct wn_http_transfer *transfer);

/* No octet of the body, and no end but that of timeouts, until wn_http_resume(): the server's window closes. What
 * is being decoded comes to the end of its piece, though. idle_timeout rests meanwhile, `timeout` does not. */
WN_API void wn_http_pause(struct wn_http_transfer *transfer);
WN_API void wn_http_resume(struct wn_http_transfer *transfer);

/* `read` has octets again, or the end, after WN_HTTP_LATER. */
WN_API void wn_http_body_ready(struct wn_http_transfer *transfer);

/* ---- waiting ---- */

struct wn_http_answer {
    struct wn_http_result result; /* with its response; valid as long as the answer */
    char *body;                   /* with a NUL behind it, that is not counted */
    size_t body_len;
};

/* The whole answer, waiting for it with the loop's turns; in virtual time, too. The request's body_max says how
 * much of a body is taken; 0: WN_HTTP_ANSWER_MAX. What result.error says; *out is NULL only without memory, and
 * the caller's to free. Not in callbacks of the loop. */
WN_API WN_MUST_USE int wn_http_do(struct wn_http *http, const struct wn_http_request *request,
                                  struct wn_http_answer **out);
enum { WN_HTTP_ANSWER_MAX = 64 << 20 };

/* GET with a client and a loop of its own, over the host's sockets: WN_HTTP_FAIL, and at most `body_max` octets
 * (0: as above) within `timeout` (0: any time). */
WN_API WN_MUST_USE int wn_http_get(const char *url, size_t body_max, wn_time timeout,
                                   struct wn_http_answer **out);

/* NULL is nothing. */
WN_API void wn_http_answer_free(struct wn_http_answer *answer);

/* ---- URLs ---- */

/* What `reference` means at `base` (RFC 3986 §5.2), normalised (§6.2.2), without user and fragment, to `out`;
 * `base` NULL: it is absolute itself. What is not quite a URI, with spaces or UTF-8, becomes one. 0, -EINVAL, or
 * -ENAMETOOLONG: WN_HTTP_URL_MAX is enough for each. */
WN_API WN_MUST_USE int wn_http_url(const char *base, const char *reference, char *out, size_t size);

/* Percent-encodes all of `len` octets but unreserved characters (§2.3). 0, or -ENAMETOOLONG. */
WN_API WN_MUST_USE int wn_http_url_encode(const void *data, size_t len, char *out, size_t size);

WN_C_END

#endif

/* SPDX-License-Identifier: ISC */
/*
 * get.h - what the parts of `wholenet get` share: command_get.c one URL after the other, get_arguments.c
 * the command line, get_transfer.c what is asked for next and what becomes of the answer, get_request.c
 * the fields of a request, get_socket.c a WebSocket, get_mirror.c whole sites, get_segments.c a file by several connections, get_body.c its body, get_output.c where the octets go, get_write_out.c and get_report.c what is
 * said about it.
 */
#ifndef WN_CLI_GET_H
#define WN_CLI_GET_H

#include "app/fetch/fetch.h"
#include "cli/commands.h"
#include "io/loop.h"
#include "os/content_decoder.h"
#include "proto/http/cookie_jar.h"
#include "proto/http/http_credentials.h"
#include "proto/http/http_redirect.h"

enum {
    GET_URLS_MAX = 1024,
    GET_FIELDS_MAX = 64,           /* -H */
    GET_PARTS_MAX = 3 * 64 + 1,    /* pieces of a body: 64 of -F, each with what goes around it */
    GET_STORE_MAX = 32 * 1024,     /* the fields of a request */
    GET_VALIDATOR_MAX = 256,
    GET_PINS_MAX = 8,
    GET_MESSAGES_MAX = 256,        /* --message */
    GET_SOCKET_FIELDS_MAX = 4,     /* of the handshake of a WebSocket */
    GET_REDIRECTS_DEFAULT = 20,
    GET_PARALLEL_DEFAULT = 50,     /* of -Z */
    GET_PARALLEL_MAX = 256,
    GET_SEGMENTS_MAX = 16,
    GET_LEVEL_DEFAULT = 5,         /* of --recursive */
    GET_BODY_MAX = 1 << 30,        /* of -d; -F and -T have no bound */
};
#define GET_TIMEOUT_NONE 0
#define GET_SOCKET_SILENCE (500 * USEC_PER_MSEC) /* after the end of standard input, before a WebSocket is closed */
#define GET_RETRY_WAIT_MAX (60 * USEC_PER_SEC)

/* What scripts can tell apart; the worst of several URLs is the status. */
enum get_status {
    GET_DONE = EXIT_OK,
    GET_FAILED = EXIT_FAILED,
    GET_USAGE = EXIT_USAGE,
    GET_NO_NAME = 3,
    GET_NO_CONNECTION = 4, /* refused, unreachable, no TLS, no tunnel */
    GET_BROKEN = 5,        /* no response, or not all of it, or one that is malformed */
    GET_TIMED_OUT = 6,     /* --timeout */
    GET_NOT_WRITTEN = 7,   /* the file */
    GET_REFUSED = 8,       /* the server says 4xx or 5xx */
    GET_TOO_MANY_REDIRECTS = 9,
};

/* A piece of a request's body: text, or a file. */
struct get_part {
    struct bytes text;
    char *owned;     /* to be freed; NULL: not ours */
    int fd;          /* -1: text */
    uint64_t len;
    const char *name; /* of the file */
};

struct get_body {
    struct get_part parts[GET_PARTS_MAX];
    size_t count;
    bool unknown_len; /* a pipe: sent in chunks, and only once */
    const char *type; /* Content-Type; NULL: none */
    char type_text[96];
    char *data;       /* of -d */
    size_t data_len;
    bool is_form;
    char boundary[48];
    bool pipe_begun;
    size_t pipe_at, pipe_len; /* what was read from a pipe and not sent */
    uint8_t pipe[16 * 1024];
};

/* Where a reader of a body is. */
struct get_place {
    size_t part;
    uint64_t offset;
};

struct get {
    const struct cli_command *command;

    /* ---- how it is asked for, on the command line ---- */
    bool head_only, include, verbose, quiet, json, times, raw, remote_name, resume, keep_method;
    bool basic, v4, v6, as_query, fail, show_errors, nothing;
    const char *write_out;
    enum fetch_version version;
    unsigned parallel; /* so many URLs at a time */
    unsigned segments; /* so many connections for one file */
    unsigned redirects_max, retries;
    usec timeout, connect_timeout;
    uint64_t size_max; /* 0: any */
    bool recursive, requisites, convert, newer, no_parent, span_hosts, ignore_robots; /* a mirror */
    unsigned level;    /* 0: any */
    uint64_t quota, files_max; /* 0: any */
    usec wait;
    const char *accept, *reject, *domains, *directory;
    const char *method, *range, *user, *proxy, *proxy_user, *agent, *referer, *cookie, *jar_file;
    const char *upload;
    const char *messages[GET_MESSAGES_MAX]; /* of a WebSocket */
    size_t message_count;
    bool binary, listens;
    unsigned count; /* with `listens`: after so many it is closed; 0: by the server */
    const char *subprotocol;
    bool insecure;
    const char *ca_file, *certificate, *key;
    uint8_t key_pins[GET_PINS_MAX][TLS_PIN_LEN];
    size_t key_pin_count;
    const char *output[GET_URLS_MAX];
    size_t output_count;
    const char *urls[GET_URLS_MAX];
    size_t url_count;
    const char *fields[GET_FIELDS_MAX];
    size_t field_count;
    struct get_body body;
    struct { /* --resolve */
        const char *host;
        uint16_t port;
        struct ip_address address;
    } pins[16];
    size_t pin_count;

    /* ---- how it goes ---- */
    struct loop *loop;
    struct net *net;
    struct fetcher *fetcher;
    struct tls_client *tls[2]; /* for HTTP/1, for HTTP/2 too; NULL: nothing was https yet */
    struct cookie_jar *jar;
    struct get_mirror *mirror; /* NULL: none is made */
    struct { /* of all URLs, for the line of progress when several are got at a time */
        size_t ended, all;
        uint64_t octets;
        usec begun, shown_at;
        bool shown;
    } total;
};

/* ---- get_arguments.c ---- */

enum { GET_OPTION_COUNT = 75, GET_ELSEWHERE_COUNT = 52 };
extern const struct cli_elsewhere get_elsewhere[GET_ELSEWHERE_COUNT];
extern const struct cli_option get_options[GET_OPTION_COUNT];

/* CLI_GO_ON: get's members are as asked for. */
enum cli_outcome get_read_arguments(struct get *g, int argc, char **argv);

/* A URL as people type it, "http://" left out. */
enum url_status get_parse_url(const char *text, struct url *out);

/* ---- get_body.c ---- */

/* -d, --data-raw, --data-urlencode, -F, -T: false with *error. */
bool get_body_add_data(struct get_body *b, const char *value, struct text *error);
bool get_body_add_raw(struct get_body *b, const char *value, struct text *error);
bool get_body_add_encoded(struct get_body *b, const char *value, struct text *error);
bool get_body_add_form(struct get_body *b, const char *value, struct text *error);
bool get_body_set_file(struct get_body *b, const char *path, struct text *error);

/* All arguments have come. */
bool get_body_finish(struct get_body *b, struct text *error);
void get_body_done(struct get_body *b);

static inline bool get_body_there(const struct get_body *b)
{
    return b->count > 0;
}

uint64_t get_body_len(const struct get_body *b);

/* To its beginning. False: it was read from a pipe. */
bool get_body_rewind(const struct get_body *b, struct get_place *place);

/* The next octets of it, at `buffer` or elsewhere; empty: none are left. A negative errno in *error. */
struct bytes get_body_read(struct get_body *b, struct get_place *place, uint8_t *buffer, size_t size,
                           int *error);
/* So many of them were sent. */
void get_body_advance(struct get_body *b, struct get_place *place, size_t len);

/* ---- get_output.c ---- */

struct get_output {
    int fd;            /* -1: not open */
    bool is_file;      /* ours to close, and to go on with */
    const char *name;  /* of the file; NULL: standard output */
    char own_name[256];
    size_t memory_max; /* not 0: it is kept in memory, and what is more is left out */
    char *memory;      /* the taker's; NULL: nothing came */
    size_t memory_len;
    uint64_t written;  /* of this response, or of the file when it goes on */
};

/* The file's name is settled: -o, or of the URL (-O). False: there is none to be had. */
bool get_output_choose(const struct get *g, size_t which, const struct url *url,
                       struct get_output *out);

/* How much of the file is there already; 0: nothing. */
uint64_t get_output_size(const struct get_output *o);

/* Opens it, at `offset` of a file that goes on. 0 or a negative errno. */
/* `keep`: what is in the file stays, also behind. */
MUST_USE int get_output_open(struct get_output *o, uint64_t offset, bool keep);
MUST_USE int get_output_write(struct get_output *o, struct bytes octets);
/* At a place of the file, wherever the others are. */
MUST_USE int get_output_write_at(struct get_output *o, uint64_t offset, struct bytes octets);
/* The file is so long, and no longer. */
MUST_USE int get_output_cut(struct get_output *o, uint64_t len);
/* 0 or a negative errno: what was written may not be there. */
MUST_USE int get_output_close(struct get_output *o);

/* ---- get_transfer.c ---- */

enum get_next { GET_NEXT_NONE, GET_NEXT_REDIRECT, GET_NEXT_LOGIN, GET_NEXT_PROXY_LOGIN, GET_NEXT_RETRY };

/* Octets that are asked for, because others are there, or come by other ways. */
struct get_range {
    bool wanted;
    uint64_t from, end;
};

struct get_segments;
struct get_socket;

struct get_transfer {
    struct get *get;
    size_t which;      /* of get->urls */
    const char *asked; /* as it was typed */
    struct mirror_item *item; /* of the mirror; NULL: it is of none */
    int64_t since;     /* only if it has changed since then; 0: in any case */
    bool led;          /* of a mirror: `redirect` says where it is */
    struct url url;
    struct url first;  /* as it was typed: credentials are for its origin */
    struct url proxy;
    bool has_proxy;
    const char *method;
    bool sends_body;
    struct get_place body;
    struct fetch *fetch;
    struct fetch_request request;
    struct http_field fields[HTTP_FIELDS_MAX];
    char store[GET_STORE_MAX];
    char proxy_authorization[HTTP_CREDENTIALS_MAX];
    char host[URL_HOST_MAX + 16];
    struct http_challenge challenge, proxy_challenge; /* that were answered; scheme NONE: none were */
    enum get_next next;
    struct http_redirect redirect;
    unsigned redirects, tries;
    usec retry_wait;   /* the server's Retry-After; 0: ours */
    struct alarm retry, timeout;
    /* ---- the answer ---- */
    struct get_output output;
    struct content_decoder *decoder; /* NULL: the octets as they come */
    bool delivers;     /* this response is the one */
    bool discards;     /* but its body is not wanted */
    uint64_t expected; /* octets of the body; UINT64_MAX: not known */
    uint64_t received; /* of the body, coded as it was */
    uint64_t resumed_at;
    struct get_range range;
    struct get_segments *segments; /* NULL: it is in one piece */
    bool in_one_piece;             /* that has turned out to be better */
    char validator[GET_VALIDATOR_MAX]; /* ETag or Last-Modified, for If-Range; "": none */
    int write_error;
    bool too_large;    /* for --max-size */
    bool done;
    enum get_status status;
    struct fetch_outcome outcome;
    char reason[FETCH_REASON_MAX];
    char *head; /* of the final response, as text of HTTP/1; NULL: none came */
    size_t head_len;
    bool http2; /* what it came by */
    struct get_socket *socket; /* NULL: it is no WebSocket */
    uint64_t messages;         /* of that, that have come */
    unsigned close_code;       /* 0: it was not open */
    char close_reason[128];
    usec shown_at;     /* the progress line */
    bool shown;
};

/* Begins with the first request; `done` says that it has come to its end, and the loop stops for it. */
void get_transfer_start(struct get_transfer *t);

/* The loop has failed. */
void get_transfer_give_up(struct get_transfer *t, int error);

/* It ends now: with that status and reason, or because all is there. */
void get_transfer_fail(struct get_transfer *t, enum get_status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
void get_transfer_complete(struct get_transfer *t);

/* It has come to its end: get_transfer_fail() without a reason of its own. */
void get_transfer_end(struct get_transfer *t, enum get_status status);

/* Begins anew, in one piece. */
void get_transfer_restart(struct get_transfer *t);

/* ---- get_mirror.c ---- */

/* Takes the URLs as where to begin. False: it cannot; a complaint was printed, unless memory is short. */
MUST_USE bool get_mirror_begin(struct get *g);

/* What is to be asked for next, begun; NULL: nothing now. */
struct get_transfer *get_mirror_next(struct get_mirror *m);
bool get_mirror_is_done(const struct get_mirror *m);

/* A transfer of it has ended. Returns what it counts as. */
enum get_status get_mirror_took(struct get_transfer *t);

/* All were got: converts links. */
enum get_status get_mirror_finish(struct get *g);
void get_mirror_free(struct get *g);

/* ---- get_segments.c ---- */

/* For -C: goes on with what an earlier run has noted. False: there is nothing, or nothing that fits. */
bool get_segments_load(struct get_transfer *t);

/* The answer to what get_segments_load() has asked for. False: it is of another file, and begins anew. */
bool get_segments_go_on(struct get_transfer *t, const struct http_response_head *head);

/* An answer with a whole file has come, and its output is open: divides it, if that can be. */
void get_segments_begin(struct get_transfer *t, const struct http_response_head *head,
                        const struct http_framing *framing);
bool get_segments_running(const struct get_transfer *t);

/* Octets of the transfer's own response, and its end before they were all there. */
void get_segments_take(struct get_transfer *t, struct bytes data);
void get_segments_first_ended(struct get_transfer *t, const struct fetch_outcome *outcome);

/* Lets go of all, and notes what is there. */
void get_segments_end(struct get_transfer *t);

/* ---- get_socket.c ---- */

/* Before each request: a new handshake, when the URL is one of a WebSocket. False: no memory. */
MUST_USE bool get_socket_prepare(struct get_transfer *t);
size_t get_socket_fields(const struct get_transfer *t, struct http_field out[GET_SOCKET_FIELDS_MAX]);

/* The server has switched; the transfer's output is open. */
void get_socket_open(struct get_transfer *t, const struct http_response_head *head, struct stream *stream);

/* Lets go of it. Not in its own callbacks. */
void get_socket_end(struct get_transfer *t);

/* ---- get_request.c ---- */

/* Fills in the next request. False: it cannot be made; t->reason says why. */
bool get_request_make(struct get_transfer *t);

/* ---- get_write_out.c ---- */

void get_write_out(const struct get_transfer *t);

/* ---- get_report.c ---- */

void get_show_request(const struct get_transfer *t, bool http2);
void get_show_head(const struct http_response_head *head, bool http2);
void get_show_progress(struct get_transfer *t, bool last);
void get_show_progress_end(struct get *g);
void get_show_end(const struct get_transfer *t);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * fetch_http2.c - exchanges over a connection of HTTP/2 (RFC 9113): turns the crank of proto/http/http2_session.h,
 * which knows frames, windows and the order of fields; what an exchange is and how long one may take is said here.
 *
 * A server can make us hold nothing: heads and bodies are handed over as they come, pushes are forbidden (§8.4),
 * floods end the connection. Requests beyond what the server takes at a time wait for their turn.
 */
#include <stdlib.h>

#include "app/fetch/internal.h"
#include "proto/http/http2_session.h"
#include "wire/http/http_octets.h"

enum {
    CONNECTION_WINDOW = HTTP2_STREAMS_MAX * FETCH_HTTP2_WINDOW, /* those that are paused do not hold up others */
    BODY_BUFFER = 32 * 1024,         /* of a request's body, taken and not sent */
    ROUNDS_MAX = 32,                 /* of sending in one turn */
};

struct fetch_http2 {
    struct fetch_connection *connection;
    struct task task;        /* sends, outside of calls */
    struct list_node streams;
    unsigned count;          /* of streams that somebody wants */
    unsigned waiting;        /* of those, not opened yet */
    usec deadline;
    bool over;               /* no new requests: it has said GOAWAY, or is broken */
    bool opened;             /* some stream */
    bool answered;           /* some request */
    bool stalled;            /* octets of the server's wait until some of ours have gone */
    struct http2_session core;
    struct http2_scratch scratch;
};

struct fetch_stream {
    struct http2_stream core;
    struct list_node node;
    struct fetch_http2 *http2;
    struct fetch *fetch;     /* NULL: nobody wants it any more */
    bool opened;
    bool final_told;
    unsigned interim_count;
    size_t owed;             /* octets that were told while it is paused: the window stays closed for them */
    bool wants_room;         /* the buffer has become empty */
    bool body_open;          /* more of the request's body follows what is in the buffer */
    uint64_t body_left;      /* HTTP_CLIENT_LENGTH_UNKNOWN: not known */
    size_t out_at, out_len;
    uint8_t out[BODY_BUFFER];
};

static usec now_of(const struct fetch_http2 *h)
{
    return loop_now(h->connection->fetcher->loop);
}

static void earn_time(struct fetch_http2 *h)
{
    h->deadline = now_of(h) + HTTP_CLIENT_TIMEOUT;
}

static void wake(struct fetch_http2 *h)
{
    loop_queue(h->connection->fetcher->loop, &h->task);
}

static void note_octets(const struct fetch_connection *c, struct fetch *fetch)
{
    fetch->outcome.octets_in = c->octets_in - fetch->octets_in_before;
    fetch->outcome.octets_out = c->octets_out - fetch->octets_out_before;
}

/* ---- streams ---- */

static void stream_free(struct fetch_stream *s)
{
    list_remove(&s->node);
    free(s);
}

/* The fetch and the stream part; the stream is there until the session gives it back, if it has it. */
static struct fetch *part(struct fetch_stream *s)
{
    struct fetch *fetch = s->fetch;
    s->fetch = NULL;
    s->http2->count--;
    s->http2->waiting -= s->opened ? 0 : 1;
    fetch->stream = NULL;
    fetch->connection = NULL;
    note_octets(s->http2->connection, fetch);
    return fetch;
}

static void reset(struct fetch_stream *s, enum http2_error error)
{
    if (s->opened)
        http2_reset(&s->http2->core, &s->core, error);
    wake(s->http2);
}

static bool body_complete(const struct fetch_stream *s)
{
    return !s->body_open && s->out_len == 0;
}

/* The whole response is here. What is left of the request need not be sent (§8.1). */
static void complete(struct fetch_stream *s)
{
    struct fetch *fetch = s->fetch;
    fetch->outcome.body_refused = !body_complete(s);
    if (!body_complete(s))
        reset(s, HTTP2_CANCEL);
    (void)part(s);
    fetch_finish(fetch, FETCH_OK, "%s", "");
}

/* ---- sending ---- */

static void add_text(struct http2_session *core, enum hpack_name name, const char *value)
{
    http2_add_known(core, name, bytes_of_text(value));
}

static void write_head(struct http2_session *core, struct fetch_stream *s)
{
    const struct fetch_request *r = s->fetch->request;
    char host[URL_HOST_MAX + 16];
    struct text authority = text_of(host, sizeof host);
    if (r->host != NULL)
        text_add(&authority, r->host);
    else
        url_add_authority(r->url, &authority);
    http2_begin_head(core, &s->core);
    add_text(core, HPACK_METHOD, r->method);
    add_text(core, HPACK_SCHEME, r->url->scheme);
    http2_add_known(core, HPACK_AUTHORITY, text_bytes(&authority));
    http2_add_known(core, HPACK_PATH, url_target(r->url));
    for (size_t i = 0; i < r->field_count; i++)
        if (!bytes_equal_nocase(r->fields[i].name, bytes_of_text("Host"))) /* it is said above */
            http2_add(core, r->fields[i].name, r->fields[i].value);
    if (r->has_body && r->body_len != HTTP_CLIENT_LENGTH_UNKNOWN)
        http2_add_number(core, HPACK_CONTENT_LENGTH, r->body_len);
    http2_end_head(core, true, !s->body_open);
}

/* Requests that wait go as the server takes them; before it has said how many that is, one. */
static void open_waiting(struct fetch_http2 *h)
{
    struct list_node *n = h->streams.next;
    while (h->waiting > 0 && n != &h->streams && http2_may_open(&h->core)) {
        struct fetch_stream *s = CONTAINER_OF(n, struct fetch_stream, node);
        n = n->next;
        if (s->opened || s->fetch == NULL)
            continue;
        if (h->opened && !http2_settings_came(&h->core))
            return;
        s->opened = true;
        h->waiting--;
        h->opened = true;
        http2_open(&h->core, &s->core, strcmp(s->fetch->request->method, "HEAD") == 0);
        write_head(&h->core, s);
    }
}

static void fill(struct fetch_http2 *h, const struct http2_slot *slot)
{
    struct fetch_stream *s = CONTAINER_OF(slot->stream, struct fetch_stream, core);
    size_t len = s->out_len < slot->room ? s->out_len : slot->room;
    memcpy(slot->at, s->out + s->out_at, len);
    s->out_at += len;
    s->out_len -= len;
    s->wants_room = s->out_len == 0 && s->body_open;
    if (len > 0) {
        earn_time(h);
        http2_fill(&h->core, slot, len, body_complete(s));
    } else {
        http2_sleep(&h->core, &s->core);
    }
}

/* Gives the stream below what there is to send. */
static void send_all(struct fetch_http2 *h)
{
    struct fetch_connection *c = h->connection;
    struct http2_slot slot;
    for (;;) {
        while (http2_next_slot(&h->core, &slot))
            fill(h, &slot);
        struct bytes out = http2_output(&h->core);
        if (out.len == 0)
            return;
        size_t taken = stream_send(c->stream, out);
        http2_sent(&h->core, taken);
        c->octets_out += taken;
        if (taken < out.len)
            return; /* on_room() goes on */
    }
}

/* Asks for bodies where there is room for them. Whom it asks may cancel any of them: so it looks for the
 * next one anew. False: there was nobody to ask. */
static bool offer_room(struct fetch_http2 *h)
{
    bool asked = false;
    struct list_node *n = h->streams.next;
    while (n != &h->streams) {
        struct fetch_stream *s = CONTAINER_OF(n, struct fetch_stream, node);
        n = n->next;
        if (!s->wants_room || s->fetch == NULL)
            continue;
        asked = true;
        s->wants_room = false;
        s->fetch->handler->on_room(s->fetch->self, s->fetch);
        n = h->streams.next;
    }
    return asked;
}

/* All that is of the connection fails with it. */
static void lose(struct fetch_http2 *h, enum http_client_failure failure, int error)
{
    struct fetch_connection *c = h->connection;
    h->over = true;
    while (!list_empty(&h->streams)) {
        struct fetch_stream *s = CONTAINER_OF(list_first(&h->streams), struct fetch_stream, node);
        struct fetch *fetch = s->fetch != NULL ? part(s) : NULL;
        if (s->opened)
            http2_forget(&h->core, &s->core);
        stream_free(s);
        if (fetch != NULL)
            fetch_lost(fetch, failure, error);
    }
    fetch_connection_free(c);
}

/* The server has not looked at it. Where it takes some requests for each connection whoever waits behind many of
 * them moves on often: that is counted only if the connection has ended without an answer to anybody. */
static void refused(const struct fetch_http2 *h, struct fetch *fetch, const char *why)
{
    if (h->over && h->answered)
        fetch->again = 0;
    fetch_refused(fetch, why);
}

/* A stream that ended before its response did. */
static void broken_off(struct fetch_stream *s, uint32_t error, bool unprocessed)
{
    struct fetch *fetch = part(s);
    char why[128];
    struct text t = text_of(why, sizeof why);
    text_add_format(&t, "the server has reset the stream: %s", http2_error_text(error));
    if (error == HTTP2_HTTP_1_1_REQUIRED && !fetch->only_http1) {
        fetch->only_http1 = true;
        fetch_refused(fetch, why);
    } else if (unprocessed) { /* §8.7 */
        refused(s->http2, fetch, why);
    } else {
        fetch->outcome.failure = HTTP_CLIENT_MALFORMED;
        fetch_finish(fetch, FETCH_BROKEN, "%s: %s", fetch->request->url->host, why);
    }
}

/* What the session gives back. */
static void free_closed(struct fetch_http2 *h)
{
    struct http2_stream *over;
    while ((over = http2_next_closed(&h->core)) != NULL) {
        struct fetch_stream *s = CONTAINER_OF(over, struct fetch_stream, core);
        if (s->fetch != NULL)
            broken_off(s, over->error, over->unprocessed);
        stream_free(s);
    }
}

/* Nobody will take the requests that wait. Whoever is told may do anything to the others: so it looks anew. */
static void refuse_waiting(struct fetch_http2 *h)
{
    while (h->waiting > 0) {
        struct list_node *n = h->streams.next;
        struct fetch_stream *s = CONTAINER_OF(n, struct fetch_stream, node);
        while (s->opened || s->fetch == NULL) {
            n = n->next;
            s = CONTAINER_OF(n, struct fetch_stream, node);
        }
        struct fetch *fetch = part(s);
        stream_free(s);
        refused(h, fetch, "the server takes no more requests");
    }
}

/* Is there a response that nobody holds up? */
static bool expects(const struct fetch_http2 *h)
{
    for (const struct list_node *n = h->streams.next; n != &h->streams; n = n->next) {
        const struct fetch_stream *s = CONTAINER_OF(n, struct fetch_stream, node);
        if (s->fetch != NULL && !s->fetch->paused)
            return true;
    }
    return false;
}

/* Sends, and looks what is left. The connection may be gone afterwards. */
static void settle(struct fetch_http2 *h)
{
    struct fetch_connection *c = h->connection;
    unsigned rounds = 0;
    do {
        open_waiting(h);
        send_all(h);
        free_closed(h);
    } while (offer_room(h) && http2_output(&h->core).len == 0 && ++rounds < ROUNDS_MAX);
    h->over |= http2_over(&h->core);
    if (h->over && (h->count == 0 || h->core.failed)) {
        lose(h, HTTP_CLIENT_CUT_OFF, 0);
        return;
    }
    if (h->stalled && http2_output(&h->core).len < HTTP2_OUTPUT_HIGH) {
        h->stalled = false;
        stream_resume(c->stream);
    }
    if (h->count > 0)
        stream_set_deadline(c->stream, expects(h) ? h->deadline : USEC_NEVER);
    else if (!c->kept)
        fetch_connection_keep(c);
}

static void on_task(struct task *task)
{
    settle(CONTAINER_OF(task, struct fetch_http2, task));
}

/* ---- responses ---- */

static struct http_framing framing_of(const struct http2_event *event)
{
    if (event->ended)
        return (struct http_framing){HTTP_FRAMING_NONE, 0};
    if (event->length != HTTP2_LENGTH_UNKNOWN)
        return (struct http_framing){HTTP_FRAMING_LENGTH, event->length};
    return (struct http_framing){HTTP_FRAMING_CHUNKED, 0};
}

/* Nothing more is wanted of that response. */
static void give_up(struct fetch_stream *s, enum http_client_failure failure)
{
    reset(s, HTTP2_CANCEL);
    fetch_lost(part(s), failure, 0);
}

static void take_head(struct fetch_stream *s, const struct http2_event *event)
{
    s->final_told = event->kind == HTTP2_RESPONSE;
    s->http2->answered |= s->final_told;
    if (event->too_large) {
        give_up(s, HTTP_CLIENT_TOO_LARGE);
    } else if (!s->final_told && ++s->interim_count > HTTP_CLIENT_INTERIM_MAX) {
        give_up(s, HTTP_CLIENT_MALFORMED);
    } else {
        struct http_framing framing = framing_of(event);
        fetch_take_head(s->fetch, &event->head.response, &framing);
    }
}

/* What was told is used up, and the server may send as much again. */
static void settle_debt(struct fetch_stream *s)
{
    http2_consume(&s->http2->core, &s->core, s->owed);
    s->owed = 0;
}

static void resume(struct fetch *fetch)
{
    struct fetch_stream *s = fetch->stream;
    if (s == NULL)
        return;
    earn_time(s->http2);
    if (s->opened)
        settle_debt(s);
    wake(s->http2);
}

static void take_event(struct fetch_http2 *h, const struct http2_event *event)
{
    if (event->kind == HTTP2_GOING_AWAY) {
        h->over = true;
        refuse_waiting(h);
    }
    if (event->kind == HTTP2_NO_EVENT || event->stream == NULL)
        return;
    struct fetch_stream *s = CONTAINER_OF(event->stream, struct fetch_stream, core);
    earn_time(h);
    if (s->fetch != NULL && (event->kind == HTTP2_INTERIM || event->kind == HTTP2_RESPONSE))
        take_head(s, event);
    if (s->fetch != NULL && event->kind == HTTP2_BODY && event->data.len > 0)
        s->fetch->handler->on_body(s->fetch->self, s->fetch, event->data);
    if (event->kind == HTTP2_BODY)
        s->owed += event->data.len;
    if (s->fetch == NULL || !s->fetch->paused)
        settle_debt(s);
    if (s->fetch != NULL && event->ended)
        complete(s);
}

/* ---- the stream below ---- */

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch_connection *c = self;
    struct fetch_http2 *h = c->http2;
    struct http2_event event;
    size_t used = 0;
    size_t step;
    do {
        event.stream = NULL;
        step = http2_input(&h->core, bytes_after(in, used), now_of(h), &event);
        used += step;
        c->octets_in += step;
        take_event(h, &event);
        free_closed(h);
    } while (step > 0 || event.kind != HTTP2_NO_EVENT);
    h->stalled = http2_output(&h->core).len >= HTTP2_OUTPUT_HIGH;
    if (h->core.failed) { /* a GOAWAY says why */
        send_all(h);
        lose(h, HTTP_CLIENT_MALFORMED, 0);
    } else {
        settle(h);
    }
    return used;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    lose(c->http2, HTTP_CLIENT_CUT_OFF, 0);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    settle(c->http2);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct fetch_connection *c = self;
    c->stream = NULL;
    lose(c->http2, HTTP_CLIENT_CUT_OFF, error);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    http2_go_away(&c->http2->core, HTTP2_NO_ERROR);
    send_all(c->http2);
    lose(c->http2, HTTP_CLIENT_TIMED_OUT, 0);
}

/* ---- the connection ---- */

static bool open_connection(struct fetch_connection *c)
{
    static const struct stream_handler calls = {
        .on_bytes = on_bytes,
        .on_end = on_end,
        .on_room = on_room,
        .on_closed = on_closed,
        .on_deadline = on_deadline,
    };
    static const struct http2_options options = {
        .client = true,
        .window = FETCH_HTTP2_WINDOW,
        .connection_window = CONNECTION_WINDOW,
    };
    struct fetch_http2 *h = malloc(sizeof *h);
    if (h == NULL)
        return false;
    memset(h, 0, offsetof(struct fetch_http2, core));
    h->connection = c;
    list_init(&h->streams);
    task_init(&h->task, on_task);
    struct heap heap = loop_heap(c->fetcher->loop);
    http2_session_init(&h->core, &options, &heap, &h->scratch, now_of(h));
    c->http2 = h;
    stream_set_handler(c->stream, &calls, c);
    return true;
}

static void close_connection(struct fetch_connection *c)
{
    struct fetch_http2 *h = c->http2;
    if (h == NULL)
        return;
    loop_unqueue(&h->task);
    while (!list_empty(&h->streams)) {
        struct fetch_stream *s = CONTAINER_OF(list_first(&h->streams), struct fetch_stream, node);
        if (s->fetch != NULL)
            (void)part(s);
        if (s->opened)
            http2_forget(&h->core, &s->core);
        stream_free(s);
    }
    http2_session_done(&h->core);
    free(h);
    c->http2 = NULL;
}

static bool accepts(const struct fetch_connection *c)
{
    return !c->http2->over && !http2_over(&c->http2->core);
}

/* ---- requests ---- */

static struct fetch_stream *stream_new(struct fetch_http2 *h, struct fetch *fetch)
{
    const struct fetch_request *r = fetch->request;
    struct fetch_stream *s = malloc(sizeof *s);
    if (s == NULL)
        return NULL;
    memset(s, 0, offsetof(struct fetch_stream, out));
    s->http2 = h;
    s->body_open = r->has_body && r->body_len > 0;
    s->body_left = r->body_len;
    list_init(&s->node);
    list_append(&h->streams, &s->node);
    return s;
}

static bool fields_fit(const struct fetch_request *r)
{
    for (size_t i = 0; i < r->field_count; i++)
        if (!http2_field_fits(&r->fields[i]))
            return false;
    return http_is_token(bytes_of_text(r->method));
}

static bool begin(struct fetch_connection *c, struct fetch *fetch)
{
    struct fetch_http2 *h = c->http2;
    struct fetch_stream *s = fields_fit(fetch->request) ? stream_new(h, fetch) : NULL;
    if (s == NULL)
        return false;
    s->fetch = fetch;
    fetch->stream = s;
    h->count++;
    h->waiting++;
    earn_time(h);
    wake(h);
    return true;
}

/* The session asks for the body when its turn has come. */
static void offer(struct fetch *fetch)
{
    wake(fetch->connection->http2);
}

/* There are octets, or the end of them. */
static void go_on(struct fetch_stream *s)
{
    if (s->opened && body_complete(s))
        http2_end_body(&s->http2->core, &s->core);
    else if (s->opened)
        http2_wake(&s->http2->core, &s->core);
    wake(s->http2);
}

static size_t take_body(struct fetch *fetch, struct bytes in)
{
    struct fetch_stream *s = fetch->stream;
    if (s->out_len == 0)
        s->out_at = 0;
    size_t at = s->out_at + s->out_len;
    struct bytes piece = bytes_first(in, sizeof s->out - at);
    if (s->body_left != HTTP_CLIENT_LENGTH_UNKNOWN) {
        piece = bytes_first(piece, s->body_left < piece.len ? (size_t)s->body_left : piece.len);
        s->body_left -= piece.len;
        s->body_open = s->body_left > 0;
    }
    memcpy(s->out + at, piece.data, piece.len);
    s->out_len += piece.len;
    if (piece.len > 0)
        go_on(s);
    return piece.len;
}

static bool end_body(struct fetch *fetch)
{
    struct fetch_stream *s = fetch->stream;
    if (s->body_open && s->body_left == HTTP_CLIENT_LENGTH_UNKNOWN) {
        s->body_open = false;
        go_on(s);
    }
    return true;
}

static void abandon(struct fetch *fetch)
{
    struct fetch_stream *s = fetch->stream;
    struct fetch_connection *c = fetch->connection;
    fetch->connection = NULL;
    if (s == NULL) { /* its request was never sent */
        wake(c->http2);
        return;
    }
    reset(s, HTTP2_CANCEL);
    (void)part(s);
    if (!s->opened)
        stream_free(s);
}

const struct fetch_carrier fetch_http2 = {
    .many = true,
    .open = open_connection,
    .close = close_connection,
    .accepts = accepts,
    .begin = begin,
    .offer = offer,
    .body = take_body,
    .body_end = end_body,
    .resume = resume,
    .abandon = abandon,
};

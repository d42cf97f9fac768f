/* SPDX-License-Identifier: ISC */
/*
 * fetch_http2.c - exchanges over a connection of HTTP/2 (RFC 9113), by nghttp2: frames, HPACK, flow control
 * and the order of fields are its; what an exchange is and how long one may take is said here.
 *
 * A server can make us hold one head (HTTP_HEAD_MAX) for each request of ours, and nothing else: bodies are
 * handed over as they come, pushes are forbidden (§8.4), floods end the connection.
 */
#include <stdlib.h>

#include "app/fetch/fetch_http2_head.h"
#include "app/fetch/internal.h"
#include "wire/http/http_octets.h"

enum {
    STREAM_WINDOW = 4 * 1024 * 1024, /* what may be on its way for one response */
    CONNECTION_WINDOW = 16 * 1024 * 1024,
    CONTINUATIONS_MAX = 8,
    ACKS_MAX = 200,
    SETTINGS_MAX = 32,
    BODY_BUFFER = 32 * 1024,         /* of a request's body, taken and not sent */
    ROUNDS_MAX = 32,                 /* of sending in one turn */
};

struct fetch_http2 {
    struct fetch_connection *connection;
    nghttp2_session *ng;
    struct task task;        /* sends, outside of calls */
    struct list_node streams;
    unsigned count;          /* of streams that somebody wants */
    struct bytes out;        /* of nghttp2, not taken by the stream yet; valid until it is asked anew */
    usec deadline;
    bool over;               /* no new requests: it has said GOAWAY, or is broken */
};

struct fetch_stream {
    struct list_node node;
    struct fetch_http2 *http2;
    struct fetch *fetch;     /* NULL: nobody wants it any more */
    int32_t id;
    bool final_told;
    bool not_sent;           /* its request never went: the server has said GOAWAY */
    unsigned interim_count;
    bool wants_room;         /* the buffer has become empty */
    bool deferred;           /* nghttp2 waits for octets of the body */
    bool body_open;          /* more of the request's body follows what is in the buffer */
    uint64_t body_left;      /* HTTP_CLIENT_LENGTH_UNKNOWN: not known */
    size_t out_at, out_len;
    uint8_t out[BODY_BUFFER];
    struct http2_head head;
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

/* The fetch and the stream part; the stream is there until nghttp2 has closed it. */
static struct fetch *part(struct fetch_stream *s)
{
    struct fetch *fetch = s->fetch;
    s->fetch = NULL;
    s->http2->count--;
    fetch->stream = NULL;
    fetch->connection = NULL;
    note_octets(s->http2->connection, fetch);
    return fetch;
}

static void reset(struct fetch_stream *s, uint32_t error)
{
    (void)nghttp2_submit_rst_stream(s->http2->ng, NGHTTP2_FLAG_NONE, s->id, error);
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
        reset(s, NGHTTP2_CANCEL);
    (void)part(s);
    fetch_finish(fetch, FETCH_OK, "%s", "");
}

/* ---- sending ---- */

static ssize_t on_read(nghttp2_session *ng UNUSED, int32_t id UNUSED, uint8_t *out, size_t size,
                       uint32_t *flags, nghttp2_data_source *source, void *self UNUSED)
{
    struct fetch_stream *s = source->ptr;
    size_t len = s->out_len < size ? s->out_len : size;
    memcpy(out, s->out + s->out_at, len);
    s->out_at += len;
    s->out_len -= len;
    s->wants_room = s->out_len == 0 && s->body_open;
    if (len > 0)
        earn_time(s->http2);
    if (body_complete(s))
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    else if (len == 0) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)len;
}

/* Gives the stream below what nghttp2 has to send. */
static void send_all(struct fetch_http2 *h)
{
    struct fetch_connection *c = h->connection;
    for (;;) {
        if (h->out.len == 0) {
            const uint8_t *data;
            ssize_t len = nghttp2_session_mem_send(h->ng, &data);
            h->over |= len < 0;
            if (len <= 0)
                return;
            h->out = bytes_of(data, (size_t)len);
        }
        size_t taken = stream_send(c->stream, h->out);
        h->out = bytes_after(h->out, taken);
        c->octets_out += taken;
        if (h->out.len > 0)
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
        stream_free(s);
        if (fetch != NULL)
            fetch_lost(fetch, failure, error);
    }
    fetch_connection_free(c);
}

/* Sends, and looks what is left. The connection may be gone afterwards. */
static void settle(struct fetch_http2 *h)
{
    struct fetch_connection *c = h->connection;
    unsigned rounds = 0;
    do
        send_all(h);
    while (offer_room(h) && h->out.len == 0 && ++rounds < ROUNDS_MAX);
    if (nghttp2_session_want_read(h->ng) == 0 && nghttp2_session_want_write(h->ng) == 0)
        h->over = true;
    if (h->over && (h->count == 0 || nghttp2_session_want_read(h->ng) == 0)) {
        lose(h, HTTP_CLIENT_CUT_OFF, 0);
        return;
    }
    if (h->count > 0)
        stream_set_deadline(c->stream, h->deadline);
    else if (!c->kept)
        fetch_connection_keep(c);
}

static void on_task(struct task *task)
{
    settle(CONTAINER_OF(task, struct fetch_http2, task));
}

/* ---- responses ---- */

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *self UNUSED)
{
    struct fetch_stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (s != NULL && frame->hd.type == NGHTTP2_HEADERS)
        http2_head_begin(&s->head);
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags UNUSED,
                     void *self UNUSED)
{
    struct fetch_stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (s != NULL && s->fetch != NULL && !s->final_told)
        http2_head_add(&s->head, bytes_of(name, name_len), bytes_of(value, value_len));
    return 0;
}

static struct http_framing framing_of(const struct http_response_head *head, bool ended)
{
    uint64_t length;
    if (ended)
        return (struct http_framing){HTTP_FRAMING_NONE, 0};
    if (http_number(http_field_value(&head->fields, "content-length"), INT64_MAX, &length))
        return (struct http_framing){HTTP_FRAMING_LENGTH, length};
    return (struct http_framing){HTTP_FRAMING_CHUNKED, 0};
}

/* Nothing more is wanted of that response. */
static void give_up(struct fetch_stream *s, enum http_client_failure failure)
{
    reset(s, NGHTTP2_CANCEL);
    fetch_lost(part(s), failure, 0);
}

static void take_head(struct fetch_stream *s, bool ended)
{
    struct http_response_head head;
    if (s->final_told) /* trailers */
        return;
    if (!http2_head_decode(&s->head, &head)) {
        give_up(s, s->head.too_large ? HTTP_CLIENT_TOO_LARGE : HTTP_CLIENT_MALFORMED);
        return;
    }
    struct http_framing framing = framing_of(&head, ended);
    s->final_told = head.status >= 200;
    if (!s->final_told && ++s->interim_count > HTTP_CLIENT_INTERIM_MAX) {
        give_up(s, HTTP_CLIENT_MALFORMED);
        return;
    }
    fetch_take_head(s->fetch, &head, &framing);
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    struct fetch_http2 *h = self;
    bool head = frame->hd.type == NGHTTP2_HEADERS;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h->over = true;
    if (!head && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct fetch_stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    earn_time(h);
    if (s != NULL && s->fetch != NULL && head)
        take_head(s, ended);
    if (s != NULL && s->fetch != NULL && ended)
        complete(s);
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags UNUSED, int32_t id, const uint8_t *data,
                   size_t len, void *self)
{
    struct fetch_stream *s = nghttp2_session_get_stream_user_data(ng, id);
    struct fetch_http2 *h = self;
    earn_time(h);
    if (s != NULL && s->fetch != NULL && len > 0)
        s->fetch->handler->on_body(s->fetch->self, s->fetch, bytes_of(data, len));
    return 0;
}

/* A stream that ended before its response did. */
static void broken_off(struct fetch_stream *s, uint32_t error)
{
    struct fetch *fetch = part(s);
    bool not_sent = s->not_sent;
    char why[128];
    struct text t = text_of(why, sizeof why);
    text_add_format(&t, "the server has reset the stream: %s", nghttp2_http2_strerror(error));
    if (error == NGHTTP2_HTTP_1_1_REQUIRED && !fetch->only_http1) {
        fetch->only_http1 = true;
        fetch_refused(fetch, why);
    } else if (error == NGHTTP2_REFUSED_STREAM || not_sent) { /* §8.7: it has not been processed */
        fetch_refused(fetch, why);
    } else {
        fetch->outcome.failure = HTTP_CLIENT_MALFORMED;
        fetch_finish(fetch, FETCH_BROKEN, "%s: %s", fetch->request->url->host, why);
    }
}

static int on_frame_not_send(nghttp2_session *ng, const nghttp2_frame *frame, int error UNUSED,
                             void *self UNUSED)
{
    struct fetch_stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (s != NULL && frame->hd.type == NGHTTP2_HEADERS)
        s->not_sent = true;
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error, void *self UNUSED)
{
    struct fetch_stream *s = nghttp2_session_get_stream_user_data(ng, id);
    if (s == NULL)
        return 0;
    if (s->fetch != NULL)
        broken_off(s, error);
    stream_free(s);
    return 0;
}

/* ---- the stream below ---- */

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch_connection *c = self;
    struct fetch_http2 *h = c->http2;
    c->octets_in += in.len;
    ssize_t used = nghttp2_session_mem_recv(h->ng, in.data, in.len);
    if (used < 0) { /* a GOAWAY says why, where one may be sent */
        (void)nghttp2_session_terminate_session(h->ng, NGHTTP2_PROTOCOL_ERROR);
        send_all(h);
        lose(h, HTTP_CLIENT_MALFORMED, 0);
    } else {
        settle(h);
    }
    return in.len;
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
    (void)nghttp2_session_terminate_session(c->http2->ng, NGHTTP2_NO_ERROR);
    send_all(c->http2);
    lose(c->http2, HTTP_CLIENT_TIMED_OUT, 0);
}

/* ---- the connection ---- */

static nghttp2_session *session_new(struct fetch_http2 *h)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *ng = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
        nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
        nghttp2_option_set_max_settings(option, SETTINGS_MAX);
        if (nghttp2_session_client_new2(&ng, callbacks, h, option) != 0)
            ng = NULL;
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return ng;
}

static bool say_settings(nghttp2_session *ng)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) == 0 &&
           nghttp2_session_set_local_window_size(ng, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0;
}

static bool open_connection(struct fetch_connection *c)
{
    static const struct stream_handler calls = {
        .on_bytes = on_bytes,
        .on_end = on_end,
        .on_room = on_room,
        .on_closed = on_closed,
        .on_deadline = on_deadline,
    };
    struct fetch_http2 *h = calloc(1, sizeof *h);
    if (h == NULL)
        return false;
    h->connection = c;
    h->out = bytes_empty();
    list_init(&h->streams);
    task_init(&h->task, on_task);
    h->ng = session_new(h);
    if (h->ng == NULL || !say_settings(h->ng)) {
        nghttp2_session_del(h->ng);
        free(h);
        return false;
    }
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
        stream_free(s);
    }
    nghttp2_session_del(h->ng);
    free(h);
    c->http2 = NULL;
}

static bool accepts(const struct fetch_connection *c)
{
    return !c->http2->over && nghttp2_session_check_request_allowed(c->http2->ng) != 0;
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

static bool begin(struct fetch_connection *c, struct fetch *fetch)
{
    struct fetch_http2 *h = c->http2;
    struct http2_block block;
    struct fetch_stream *s = http2_block_make(&block, fetch->request) ? stream_new(h, fetch) : NULL;
    nghttp2_data_provider provider = {.source = {.ptr = s}, .read_callback = on_read};
    if (s == NULL)
        return false;
    s->id = nghttp2_submit_request(h->ng, NULL, block.list, block.count,
                                   fetch->request->has_body ? &provider : NULL, s);
    if (s->id < 0) {
        stream_free(s);
        return false;
    }
    s->fetch = fetch;
    fetch->stream = s;
    h->count++;
    earn_time(h);
    wake(h);
    return true;
}

/* nghttp2 asks for the body when its turn has come. */
static void offer(struct fetch *fetch)
{
    wake(fetch->connection->http2);
}

/* There are octets, or the end of them. */
static void go_on(struct fetch_stream *s)
{
    if (s->deferred)
        (void)nghttp2_session_resume_data(s->http2->ng, s->id);
    s->deferred = false;
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
    reset(s, NGHTTP2_CANCEL);
    (void)part(s);
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
    .abandon = abandon,
};

/* SPDX-License-Identifier: ISC */
/*
 * web_http2.c - connections of HTTP/2 (RFC 9113), by nghttp2: frames, HPACK (RFC 7541), flow control
 * and priorities (RFC 9218) are its; what a request is and how long one may take is said here.
 *
 * Floods are bounded thrice. nghttp2 ends a connection on which too many streams are reset, too many
 * CONTINUATIONs follow, or too many of our acknowledgements wait (rapid reset, settings, ping). What a
 * request's fields may take is bounded as in HTTP/1. And a connection on which nothing that counts
 * moves for a while is ended, however many frames come.
 *
 * SKIPS RFC 9113 §8.4 (push: browsers have given it up) and §3.1 (Upgrade: h2c is deprecated; clients
 * that know begin at once).
 */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "app/web/web_exchange.h"

enum {
    STREAMS_MAX = 100,               /* at a time (RFC 9113 §5.1.2: not less) */
    WINDOW = 256 * 1024,             /* of a stream, for uploads */
    CONNECTION_WINDOW = 1024 * 1024,
    RESETS_BURST = 200,              /* of streams by the client, and */
    RESETS_RATE = 20,                /* as many a second afterwards */
    CONTINUATIONS_MAX = 8,
    ACKS_MAX = 200,                  /* of ours that wait because the client does not read */
    SETTINGS_MAX = 32,               /* in one frame */
    PROGRESS_MIN = 4096,             /* octets that earn a connection more time */
    NV_MAX = HTTP_FIELDS_MAX + 16,
    DROP_MAX = 4 * 1024 * 1024,      /* of an unwanted body */
};
#define IDLE_TIMEOUT HTTP_SERVER_IDLE_TIMEOUT
#define PROGRESS_TIMEOUT (30 * USEC_PER_SEC)

struct web_http2 {
    struct web_session *session;
    nghttp2_session *ng;
    struct task task;        /* goes on sending in the next turn */
    struct list_node streams;
    size_t stream_count;
    struct bytes out;        /* of nghttp2, not taken by the stream yet; valid until it is asked anew */
    size_t progress;         /* octets since the deadline was set */
    usec deadline;
    bool closing;            /* nothing is left to do when all is sent */
};

/* Where a field lies in the text of the head. */
struct place {
    uint32_t name, name_len, value, value_len;
};

struct stream2 {
    struct list_node node;
    struct web_http2 *connection;
    int32_t id;
    char *text;              /* names and values of the request's fields, until it was told */
    size_t text_len, text_size;
    size_t field_count;
    unsigned refusal;        /* a status; 0: the head is good so far */
    bool told;               /* the exchange has begun */
    bool request_ended;
    bool accepted;           /* its body is wanted */
    bool responded;
    bool expects_continue;
    bool held;               /* octets of its body are not asked for any more */
    bool asleep;             /* nghttp2 waits for octets of the response */
    size_t unconsumed;       /* octets that came and have not opened the window again */
    uint64_t body_max, body_len, dropped;
    uint64_t announced;      /* Content-Length; HTTP_LENGTH_UNKNOWN */
    unsigned status;
    struct web_exchange exchange;
    /* What follows is not zero in a stream that has begun. */
    struct place fields[HTTP_FIELDS_MAX]; /* pseudo fields too */
    char small[1024];        /* text that is not longer lies here */
};

static usec now_of(const struct web_http2 *c)
{
    return loop_now(net_loop(c->session->web->net));
}

static struct stream2 *stream_of(struct web_exchange *exchange)
{
    return CONTAINER_OF(exchange, struct stream2, exchange);
}

/* Something that counts has moved. */
static void earn_time(struct web_http2 *c, size_t octets)
{
    c->progress += octets;
    if (c->progress < PROGRESS_MIN)
        return;
    c->progress = 0;
    c->deadline = now_of(c) + PROGRESS_TIMEOUT;
}

/* ---- streams ---- */

static const struct web_transport transport;

static struct stream2 *stream_new(struct web_http2 *c, int32_t id)
{
    struct web *web = c->session->web;
    struct list_node *warm = list_first(&web->warm_streams);
    struct stream2 *s = NULL;
    if (warm != NULL) {
        s = CONTAINER_OF(warm, struct stream2, node);
        list_remove(warm);
        web->warm_stream_count--;
    } else {
        s = malloc(sizeof *s);
    }
    if (s == NULL)
        return NULL;
    memset(s, 0, offsetof(struct stream2, fields));
    list_init(&s->node);
    s->text = s->small;
    s->text_size = sizeof s->small;
    s->connection = c;
    s->id = id;
    s->announced = HTTP_LENGTH_UNKNOWN;
    s->exchange.web = c->session->web;
    s->exchange.transport = &transport;
    s->exchange.protocol = "HTTP/2";
    s->exchange.peer = c->session->peer;
    s->exchange.secure = c->session->secure;
    list_append(&c->streams, &s->node);
    c->stream_count++;
    list_remove(&c->session->idle_node);
    return s;
}

static void drop_head(struct stream2 *s)
{
    if (s->text != s->small)
        free(s->text);
    s->text = s->small;
    s->text_size = sizeof s->small;
    s->text_len = s->field_count = 0;
}

static void stream_free(struct stream2 *s)
{
    struct web_http2 *c = s->connection;
    if (s->responded)
        web_tell_request(&s->exchange, s->status);
    web_exchange_done(&s->exchange);
    if (s->unconsumed > 0) /* what was held is the connection's again */
        (void)nghttp2_session_consume_connection(c->ng, s->unconsumed);
    drop_head(s);
    list_remove(&s->node);
    c->stream_count--;
    struct web *web = c->session->web;
    if (web->warm_stream_count == WEB_WARM_MAX) {
        free(s);
        return;
    }
    web->warm_stream_count++;
    list_prepend(&web->warm_streams, &s->node);
}

void web_http2_warm_done(struct web *web)
{
    struct list_node *node;
    while ((node = list_first(&web->warm_streams)) != NULL) {
        list_remove(node);
        free(CONTAINER_OF(node, struct stream2, node));
    }
}

/* ---- responses ---- */

/* nghttp2 copies names and values, and makes the names' letters small (§8.2), when it is given them. */
struct block {
    nghttp2_nv list[NV_MAX];
    size_t count;
    bool failed;
};

static void add_nv(struct block *block, struct bytes name, struct bytes value)
{
    if (block->count == NV_MAX) {
        block->failed = true;
        return;
    }
    block->list[block->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.data,
        .namelen = name.len,
        .value = (uint8_t *)(uintptr_t)value.data,
        .valuelen = value.len,
    };
}

static void add_text(struct block *block, const char *name, const char *value)
{
    add_nv(block, bytes_of_text(name), bytes_of_text(value));
}

/* The digits go to `numbers`, which lives as long as the block. */
static void add_number(struct block *block, struct writer *numbers, const char *name,
                       uint64_t value)
{
    const uint8_t *begin = numbers->next;
    http_write_number(numbers, value);
    ASSERT(!numbers->failed);
    add_nv(block, bytes_of_text(name), bytes_of(begin, (size_t)(numbers->next - begin)));
}

/* A response that somebody makes meanwhile has no octets now. */
static ssize_t end_flow(struct stream2 *s, uint32_t *flags)
{
    s->asleep = web_body_waits(&s->exchange.body);
    if (s->asleep)
        return NGHTTP2_ERR_DEFERRED;
    if (!web_body_ended(&s->exchange.body))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return 0;
}

static ssize_t on_read(nghttp2_session *ng UNUSED, int32_t id UNUSED, uint8_t *out, size_t size,
                       uint32_t *flags, nghttp2_data_source *source, void *self UNUSED)
{
    struct stream2 *s = source->ptr;
    struct web_body *body = &s->exchange.body;
    size_t len = web_body_read(body, &s->exchange.web->buffers, out, size);
    if (len == 0 && body->kind == WEB_BODY_FLOW && body->len > 0)
        return end_flow(s, flags);
    if (len == 0 && body->len > 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* shorter than it was: not whole */
    s->exchange.octets += len;
    earn_time(s->connection, len); /* it is asked for when what was before it is gone */
    if (body->len == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static void submit(struct stream2 *s, const struct block *block, bool has_body)
{
    nghttp2_session *ng = s->connection->ng;
    nghttp2_data_provider provider = {.source = {.ptr = s}, .read_callback = on_read};
    s->responded = true;
    if (nghttp2_submit_response(ng, s->id, block->list, block->count,
                                has_body ? &provider : NULL) != 0)
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR);
}

static bool respond(struct web_exchange *exchange, const struct http_response *response)
{
    struct stream2 *s = stream_of(exchange);
    uint8_t digits[32];
    struct block block;
    block.count = 0;
    block.failed = false;
    bool bodiless = response->status == 204 || response->status == 304;
    ASSERT(!s->responded);
    struct writer numbers = writer_of(digits, sizeof digits);
    add_number(&block, &numbers, ":status", response->status);
    if (!response->passed_on) {
        add_text(&block, "date", web_date(exchange->web));
        add_text(&block, "server", "wholenet");
    }
    if (response->content_type != NULL)
        add_text(&block, "content-type", response->content_type);
    for (size_t i = 0; i < response->field_count; i++)
        add_nv(&block, response->fields[i].name, response->fields[i].value);
    if (!bodiless && response->length != HTTP_LENGTH_UNKNOWN)
        add_number(&block, &numbers, "content-length", response->length);
    if (block.failed) {
        exchange->transport->refuse(exchange, 500);
        return false;
    }
    s->status = response->status;
    bool head_only = strcmp(exchange->method, "HEAD") == 0;
    submit(s, &block, !bodiless && !head_only && exchange->body.len > 0);
    return true;
}

static void refuse(struct web_exchange *exchange, unsigned status)
{
    struct stream2 *s = stream_of(exchange);
    uint8_t digits[8];
    struct block block;
    block.count = 0;
    block.failed = false;
    struct writer numbers = writer_of(digits, sizeof digits);
    if (s->responded)
        return;
    add_number(&block, &numbers, ":status", status);
    add_text(&block, "content-length", "0");
    s->status = status;
    submit(s, &block, false);
}

static bool accept_body(struct web_exchange *exchange, uint64_t max)
{
    struct stream2 *s = stream_of(exchange);
    if (s->announced != HTTP_LENGTH_UNKNOWN && s->announced > max) {
        web_reply_error(exchange, 413, NULL);
        return false;
    }
    s->accepted = true;
    s->body_max = max;
    if (s->expects_continue && !s->request_ended) {
        const nghttp2_nv nv = {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "100", 7, 3,
                               NGHTTP2_NV_FLAG_NONE};
        (void)nghttp2_submit_headers(s->connection->ng, NGHTTP2_FLAG_NONE, s->id, NULL, &nv, 1, NULL);
    }
    return true;
}

static bool interim(struct web_exchange *exchange, unsigned status, const struct http_field *fields,
                    size_t count)
{
    struct stream2 *s = stream_of(exchange);
    uint8_t digits[8];
    struct block block;
    block.count = 0;
    block.failed = false;
    struct writer numbers = writer_of(digits, sizeof digits);
    add_number(&block, &numbers, ":status", status);
    for (size_t i = 0; i < count; i++)
        add_nv(&block, fields[i].name, fields[i].value);
    return !block.failed && !s->responded &&
           nghttp2_submit_headers(s->connection->ng, NGHTTP2_FLAG_NONE, s->id, NULL, block.list,
                                  block.count, NULL) == 0;
}

/* Octets of a request's body were taken: the client may send as many more. */
static void consume(struct stream2 *s, size_t len)
{
    s->unconsumed += len;
    if (s->held)
        return;
    (void)nghttp2_session_consume(s->connection->ng, s->id, s->unconsumed);
    s->unconsumed = 0;
}

static void hold(struct web_exchange *exchange, bool held)
{
    struct stream2 *s = stream_of(exchange);
    if (s->held == held)
        return;
    s->held = held;
    if (held)
        return;
    consume(s, 0);
    loop_queue(net_loop(exchange->web->net), &s->connection->task);
}

static struct stream *stream_under(struct web_exchange *exchange)
{
    return stream_of(exchange)->connection->session->stream;
}

static void wake(struct web_exchange *exchange)
{
    struct stream2 *s = stream_of(exchange);
    struct web_http2 *c = s->connection;
    earn_time(c, PROGRESS_MIN);
    if (s->asleep) {
        s->asleep = false;
        (void)nghttp2_session_resume_data(c->ng, s->id);
    }
    loop_queue(net_loop(exchange->web->net), &c->task);
}

static const struct web_transport transport = {
    .wake = wake,
    .respond = respond,
    .accept_body = accept_body,
    .refuse = refuse,
    .stream = stream_under,
    .interim = interim,
    .hold = hold,
};

/* ---- requests ---- */

static struct bytes view(const struct stream2 *s, uint32_t at, uint32_t len)
{
    return bytes_of(s->text + at, len);
}

static bool keep_text(struct stream2 *s, const uint8_t *data, size_t len)
{
    if (s->text_len + len > s->text_size) {
        size_t size = 2 * s->text_size;
        while (size < s->text_len + len)
            size *= 2;
        char *larger = malloc(size);
        if (larger == NULL)
            return false;
        memcpy(larger, s->text, s->text_len);
        if (s->text != s->small)
            free(s->text);
        s->text = larger;
        s->text_size = size;
    }
    memcpy(s->text + s->text_len, data, len);
    s->text_len += len;
    return true;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    struct web_http2 *c = self;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream2 *s = stream_new(c, frame->hd.stream_id);
    if (s == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    (void)nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, s);
    return 0;
}

/* Fields of trailers are read past. */
static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags UNUSED,
                     void *self UNUSED)
{
    struct stream2 *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (s == NULL || s->told || s->refusal != 0)
        return 0;
    if (s->text_len + name_len + value_len > HTTP_HEAD_MAX ||
        s->field_count == HTTP_FIELDS_MAX) {
        s->refusal = 431;
        return 0;
    }
    struct place place = {.name = (uint32_t)s->text_len, .name_len = (uint32_t)name_len};
    place.value = place.name + place.name_len;
    place.value_len = (uint32_t)value_len;
    if (!keep_text(s, name, name_len) || !keep_text(s, value, value_len))
        s->refusal = 503;
    else
        s->fields[s->field_count++] = place;
    return 0;
}

static bool is(struct bytes text, const char *name)
{
    return bytes_equal(text, bytes_of_text(name));
}

/* The head as HTTP/1 would have it. 0, or a status to refuse with. nghttp2 has seen to it that the
 * pseudo fields are those of a request (§8.3.1). */
static unsigned make_request(const struct stream2 *s, struct http_server_event *event,
                             bool *websocket)
{
    struct http_fields *fields = &event->head.fields;
    struct bytes authority = bytes_empty();
    struct bytes protocol = bytes_empty();
    event->head.target = bytes_empty();
    for (size_t i = 0; i < s->field_count; i++) {
        struct bytes name = view(s, s->fields[i].name, s->fields[i].name_len);
        struct bytes value = view(s, s->fields[i].value, s->fields[i].value_len);
        if (name.data[0] != ':')
            fields->list[fields->count++] = (struct http_field){name, http_trim(value)};
        else if (is(name, ":method"))
            event->head.method = value;
        else if (is(name, ":path"))
            event->head.target = value;
        else if (is(name, ":authority"))
            authority = value;
        else if (is(name, ":protocol"))
            protocol = value;
    }
    bool extended = is(event->head.method, "CONNECT") && protocol.len > 0; /* RFC 8441 §4 */
    *websocket = extended && is(protocol, "websocket");
    if (extended && !*websocket)
        return 501; /* §3 of RFC 9220 has it so for protocols that are not known */
    if (is(event->head.method, "CONNECT") && !extended)
        event->head.target = authority;
    if (event->head.method.len > HTTP_METHOD_MAX)
        return 501;
    if (event->head.target.len > HTTP_LINE_MAX)
        return 414;
    struct bytes host;
    bool has_host = http_field_find(fields, "host", &host);
    if ((has_host && authority.len > 0 && !bytes_equal_nocase(host, authority)) ||
        http_field_count(fields, "host") > 1)
        return 400; /* §8.3.1: they must not differ */
    if (!has_host && fields->count < HTTP_FIELDS_MAX)
        fields->list[fields->count++] = (struct http_field){bytes_of_text("host"), authority};
    struct bytes form = extended ? bytes_of_text("GET") : event->head.method;
    return uri_target_parse(form, event->head.target, &event->target) ? 0 : 400;
}

static void begin_request(struct stream2 *s, bool ended)
{
    struct http_server_event event;
    event.kind = HTTP_SERVER_REQUEST;
    event.data = bytes_empty();
    event.framing = (struct http_framing){0};
    event.head.fields.count = 0; /* the list is large, and not looked at beyond that */
    event.head.version = HTTP_VERSION_1_1;
    event.head.method = bytes_empty();
    event.framing.kind = ended ? HTTP_FRAMING_NONE : HTTP_FRAMING_CHUNKED;
    s->request_ended = ended;
    s->told = true;
    if (s->refusal == 0)
        s->refusal = make_request(s, &event, &s->exchange.connect_websocket);
    if (s->refusal != 0) {
        refuse(&s->exchange, s->refusal);
        return;
    }
    uint64_t length;
    if (http_number(http_field_value(&event.head.fields, "content-length"), INT64_MAX, &length)) {
        s->announced = length;
        event.framing = (struct http_framing){HTTP_FRAMING_LENGTH, length};
    }
    s->expects_continue =
        bytes_equal_nocase(http_field_value(&event.head.fields, "expect"),
                           bytes_of_text("100-continue"));
    web_exchange_begin(&s->exchange, &event);
    drop_head(s);
}

static void end_request(struct stream2 *s)
{
    s->request_ended = true;
    if (s->accepted && (!s->responded || s->exchange.service != NULL))
        web_site_body_end(&s->exchange);
    s->accepted = false;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    struct web_http2 *c = self;
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    bool head = frame->hd.type == NGHTTP2_HEADERS;
    if (!head && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct stream2 *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    if (head && !s->told) {
        begin_request(s, ended);
        earn_time(c, PROGRESS_MIN);
    }
    if (ended)
        end_request(s);
    return 0;
}

/* What nobody wants is read past for a while, for clients that do not look at an answer before they
 * have sent all; then they are told to stop (§8.1). */
static void drop_data(struct stream2 *s, size_t len)
{
    s->dropped += len;
    if (s->dropped > DROP_MAX && s->dropped - len <= DROP_MAX)
        (void)nghttp2_submit_rst_stream(s->connection->ng, NGHTTP2_FLAG_NONE, s->id,
                                        NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *ng, uint8_t flags UNUSED, int32_t id, const uint8_t *data,
                   size_t len, void *self)
{
    struct web_http2 *c = self;
    struct stream2 *s = nghttp2_session_get_stream_user_data(ng, id);
    if (s == NULL) {
        (void)nghttp2_session_consume(ng, id, len);
        return 0;
    }
    if (!s->accepted || (s->responded && s->exchange.service == NULL)) {
        s->held = false;
        consume(s, len);
        drop_data(s, len);
        return 0;
    }
    s->body_len += len;
    earn_time(c, len);
    if (s->body_len > s->body_max) {
        web_site_body_failed(&s->exchange);
        s->accepted = s->held = false;
        consume(s, len);
        if (!s->responded)
            web_reply_error(&s->exchange, 413, NULL);
        else
            (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        return 0;
    }
    web_site_body(&s->exchange, bytes_of(data, len));
    consume(s, len); /* unless it is held now */
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error UNUSED, void *self UNUSED)
{
    struct stream2 *s = nghttp2_session_get_stream_user_data(ng, id);
    if (s != NULL)
        stream_free(s);
    return 0;
}

/* ---- the connection ---- */

static nghttp2_session *session_new(struct web_http2 *c)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *ng = NULL;
    nghttp2_mem memory = {&c->session->web->memory, web_memory_take, web_memory_give,
                          web_memory_zeroed, web_memory_resize};
    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_option_set_stream_reset_rate_limit(option, RESETS_BURST, RESETS_RATE);
        nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
        nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
        nghttp2_option_set_max_settings(option, SETTINGS_MAX);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
        if (nghttp2_session_server_new3(&ng, callbacks, c, option, &memory) != 0)
            ng = NULL;
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return ng;
}

static bool say_settings(nghttp2_session *ng)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    };
    return nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) == 0 &&
           nghttp2_session_set_local_window_size(ng, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0;
}

/* The next octets of nghttp2's. False: there are none. */
static bool next_frame(struct web_http2 *c, bool *broken)
{
    const uint8_t *data;
    if (c->out.len > 0)
        return true;
    ssize_t len = nghttp2_session_mem_send(c->ng, &data);
    *broken = len < 0;
    if (len > 0)
        c->out = bytes_of(data, (size_t)len);
    return len > 0;
}

static size_t send_octets(struct web_http2 *c, struct bytes octets)
{
    size_t taken = stream_send(c->session->stream, octets);
    c->session->web->counters.octets_sent += taken;
    return taken;
}

/* Gives the stream what nghttp2 has to send, many frames at a time: as much as it has room for, and so
 * takes. False: the connection is broken. */
static bool send_all(struct web_http2 *c)
{
    struct web *web = c->session->web;
    uint8_t *gather = web->buffers.gather;
    size_t gathered = 0, turn = 0;
    bool broken = false;
    size_t room = stream_room(c->session->stream);
    while (turn < WEB_TURN_MAX && next_frame(c, &broken)) {
        if (gathered + c->out.len <= WEB_CHUNK && gathered + c->out.len <= room) {
            memcpy(gather + gathered, c->out.data, c->out.len);
            gathered += c->out.len;
            c->out = bytes_empty();
            continue;
        }
        if (gathered > 0) {
            if (send_octets(c, bytes_of(gather, gathered)) < gathered)
                return false; /* no memory, and half a frame is none */
            turn += gathered;
            gathered = 0;
        } else { /* more than there is room for */
            size_t taken = send_octets(c, c->out);
            c->out = bytes_after(c->out, taken);
            turn += taken;
            if (c->out.len > 0)
                return true; /* on_room() goes on */
        }
        room = stream_room(c->session->stream);
    }
    if (gathered > 0 && send_octets(c, bytes_of(gather, gathered)) < gathered)
        return false;
    if (turn >= WEB_TURN_MAX)
        loop_queue(net_loop(web->net), &c->task);
    return !broken;
}

static void set_idle(struct web_http2 *c)
{
    struct web_session *session = c->session;
    if (c->stream_count > 0 || c->out.len > 0 || list_linked(&session->idle_node))
        return;
    list_append(&session->web->idle, &session->idle_node);
    c->deadline = now_of(c) + IDLE_TIMEOUT;
    c->progress = 0;
}

/* Sends what there is and looks whether it was all. The session may be gone afterwards. */
static void flush(struct web_http2 *c)
{
    struct web_session *session = c->session;
    bool good = send_all(c);
    bool over = c->closing || (nghttp2_session_want_read(c->ng) == 0 &&
                               nghttp2_session_want_write(c->ng) == 0);
    if (!good) {
        stream_abort(session->stream);
        web_session_free(session);
    } else if (over && c->out.len == 0) {
        web_session_close(session);
    } else {
        set_idle(c);
        stream_set_deadline(session->stream, c->deadline);
    }
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct web_http2 *c = self;
    ssize_t used = nghttp2_session_mem_recv(c->ng, in.data, in.len);
    if (used < 0) { /* a GOAWAY says why, where one may be sent */
        (void)nghttp2_session_terminate_session(c->ng, NGHTTP2_PROTOCOL_ERROR);
        c->closing = true;
    }
    flush(c);
    return in.len;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct web_http2 *c = self;
    web_session_close(c->session); /* who has closed reads no answers (§5.4.1) */
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    flush(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct web_http2 *c = self;
    web_session_free(c->session);
}

/* Is it a program that nothing moves for, and not the client? */
static bool waits_for_us(const struct web_http2 *c)
{
    for (const struct list_node *node = c->streams.next; node != &c->streams; node = node->next) {
        const struct stream2 *s = CONTAINER_OF((struct list_node *)(uintptr_t)node, struct stream2, node);
        if (s->exchange.service != NULL && (!s->responded || s->asleep || s->held))
            return true;
    }
    return false;
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct web_http2 *c = self;
    if (c->stream_count > 0 && waits_for_us(c)) {
        c->deadline = now_of(c) + PROGRESS_TIMEOUT;
        stream_set_deadline(c->session->stream, c->deadline);
        return;
    }
    if (c->stream_count > 0) { /* nothing has moved */
        stream_abort(c->session->stream);
        web_session_free(c->session);
        return;
    }
    (void)nghttp2_session_terminate_session(c->ng, NGHTTP2_NO_ERROR);
    c->closing = true;
    c->deadline = now_of(c) + PROGRESS_TIMEOUT;
    flush(c);
}

static const struct stream_handler stream_handler = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

static void on_task(struct task *task)
{
    flush(CONTAINER_OF(task, struct web_http2, task));
}

bool web_http2_begin(struct web_session *session)
{
    struct web_http2 *c = calloc(1, sizeof *c);
    if (c == NULL)
        return false;
    c->session = session;
    c->out = bytes_empty();
    list_init(&c->streams);
    task_init(&c->task, on_task);
    c->ng = session_new(c);
    if (c->ng == NULL || !say_settings(c->ng)) {
        nghttp2_session_del(c->ng);
        free(c);
        return false;
    }
    session->http2 = c;
    c->deadline = now_of(c) + IDLE_TIMEOUT;
    stream_set_handler(session->stream, &stream_handler, c);
    loop_queue(net_loop(session->web->net), &c->task); /* our settings */
    return true;
}

size_t web_http2_input(struct web_session *session, struct bytes in)
{
    return on_bytes(session->http2, session->stream, in);
}

void web_http2_done(struct web_session *session)
{
    struct web_http2 *c = session->http2;
    struct list_node *node;
    if (c == NULL)
        return;
    session->http2 = NULL;
    loop_unqueue(&c->task);
    while ((node = list_first(&c->streams)) != NULL) {
        struct stream2 *s = CONTAINER_OF(node, struct stream2, node);
        (void)nghttp2_session_set_stream_user_data(c->ng, s->id, NULL);
        stream_free(s);
    }
    nghttp2_session_del(c->ng);
    free(c);
}

bool web_http2_preface(struct bytes in, bool *more)
{
    static const char preface[] = NGHTTP2_CLIENT_MAGIC;
    size_t len = in.len < NGHTTP2_CLIENT_MAGIC_LEN ? in.len : NGHTTP2_CLIENT_MAGIC_LEN;
    bool fits = memcmp(in.data, preface, len) == 0;
    *more = fits && len < NGHTTP2_CLIENT_MAGIC_LEN;
    return fits && !*more;
}

/* SPDX-License-Identifier: ISC */
/*
 * Requests over HTTP/2 (RFC 9113) against a server that does as the path says: what is told of each, over how
 * many connections, and what is tried again. In virtual time.
 */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/fetch/fetch.h"
#include "tests/support/check.h"
#include "tests/support/net_world.h"

enum { REQUESTS_MAX = 40, UPLOAD = 300000 };

/* ---- the server ---- */

struct peer {
    struct stream *stream;
    nghttp2_session *ng;
    struct bytes out;        /* of nghttp2, not taken yet */
    bool closes;
    struct peer *next;
};

struct answer {
    char path[64];
    size_t len, sent;        /* of the body */
    uint64_t received;
    bool cut;                /* RST in the midst of it */
};

static struct world {
    struct net_world net;
    struct fetcher *fetcher;
    struct listener *listener;
    struct peer *peers;
    unsigned connections, requests, refused;
    unsigned streams_max;
} w;

static void pump(struct peer *p)
{
    for (;;) {
        const uint8_t *data;
        ssize_t len = p->out.len > 0 ? 0 : nghttp2_session_mem_send(p->ng, &data);
        assert_true(len >= 0);
        if (len > 0)
            p->out = bytes_of(data, (size_t)len);
        if (p->out.len == 0)
            break;
        size_t taken = stream_send(p->stream, p->out);
        p->out = bytes_after(p->out, taken);
        if (p->out.len > 0)
            return;
    }
    if (p->closes)
        stream_finish(p->stream);
}

static ssize_t on_read(nghttp2_session *ng, int32_t id, uint8_t *out, size_t size, uint32_t *flags,
                       nghttp2_data_source *source, void *self UNUSED)
{
    struct answer *a = source->ptr;
    size_t len = a->len - a->sent < size ? a->len - a->sent : size;
    if (a->cut && a->sent > 0) {
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
        return NGHTTP2_ERR_DEFERRED;
    }
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((a->sent + i) % 251);
    a->sent += len;
    if (a->sent < a->len)
        return (ssize_t)len;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (strcmp(a->path, "/trailers") == 0) {
        static const nghttp2_nv nv = {(uint8_t *)(uintptr_t) "x-end", (uint8_t *)(uintptr_t) "1", 5, 1, 0};
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        (void)nghttp2_submit_trailer(ng, id, &nv, 1);
    }
    return (ssize_t)len;
}

static nghttp2_nv pair(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void interim(nghttp2_session *ng, int32_t id, unsigned times)
{
    nghttp2_nv nv = pair(":status", "103");
    for (unsigned i = 0; i < times; i++)
        (void)nghttp2_submit_headers(ng, NGHTTP2_FLAG_NONE, id, NULL, &nv, 1, NULL);
}

static void reset(nghttp2_session *ng, int32_t id, uint32_t error)
{
    (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, error);
}

static void respond(struct peer *p, int32_t id, struct answer *a)
{
    static char large[8000];
    char length[24];
    nghttp2_nv list[8] = {pair(":status", "200"), pair("x-one", "1")};
    size_t count = 2;
    nghttp2_data_provider provider = {.source = {.ptr = a}, .read_callback = on_read};
    if (strcmp(a->path, "/huge") == 0) {
        memset(large, 'x', sizeof large - 1);
        for (size_t i = 0; i < 3; i++)
            list[count++] = pair("x-large", large);
    }
    if (strncmp(a->path, "/bytes/", 7) == 0)
        a->len = (size_t)atol(a->path + 7);
    else
        a->len = strcmp(a->path, "/upload") == 0 ? (size_t)a->received % 1000
                 : strcmp(a->path, "/cut") == 0  ? 100000
                                                 : 5;
    snprintf(length, sizeof length, "%zu", strcmp(a->path, "/short") == 0 ? (size_t)10 : a->len);
    if (strcmp(a->path, "/trailers") != 0)
        list[count++] = pair("content-length", length);
    a->cut = strcmp(a->path, "/cut") == 0;
    (void)nghttp2_submit_response(p->ng, id, list, count, &provider);
}

static void answer(struct peer *p, int32_t id, struct answer *a)
{
    w.requests++;
    if (strcmp(a->path, "/refuse") == 0 && w.refused++ == 0) {
        reset(p->ng, id, NGHTTP2_REFUSED_STREAM);
    } else if (strcmp(a->path, "/refuse-always") == 0) {
        reset(p->ng, id, NGHTTP2_REFUSED_STREAM);
    } else if (strcmp(a->path, "/one") == 0) {
        reset(p->ng, id, NGHTTP2_HTTP_1_1_REQUIRED);
    } else if (strcmp(a->path, "/reset") == 0) {
        reset(p->ng, id, NGHTTP2_INTERNAL_ERROR);
    } else if (strcmp(a->path, "/goaway") == 0 && w.refused++ == 0) {
        (void)nghttp2_submit_goaway(p->ng, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    } else if (strcmp(a->path, "/close") == 0 ||
               (strcmp(a->path, "/close-once") == 0 && w.refused++ == 0)) {
        p->closes = true;
    } else if (strcmp(a->path, "/silent") != 0) {
        interim(p->ng, id, strcmp(a->path, "/hints") == 0 ? 3 : strcmp(a->path, "/hinting") == 0 ? 50 : 0);
        respond(p, id, a);
        if (strcmp(a->path, "/last") == 0)
            (void)nghttp2_submit_goaway(p->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, NULL, 0);
    }
}

static int server_begin(nghttp2_session *ng, const nghttp2_frame *frame, void *self UNUSED)
{
    struct answer *a = calloc(1, sizeof *a);
    assert_non_null(a);
    (void)nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, a);
    return 0;
}

static int server_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                         size_t name_len, const uint8_t *value, size_t value_len,
                         uint8_t flags UNUSED, void *self UNUSED)
{
    struct answer *a = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (bytes_equal(bytes_of(name, name_len), bytes_of_text(":path")))
        snprintf(a->path, sizeof a->path, "%.*s", (int)value_len, (const char *)value);
    assert_false(bytes_equal(bytes_of(name, name_len), bytes_of_text("connection")));
    return 0;
}

static int server_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    struct answer *a = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    bool early = a != NULL && strcmp(a->path, "/early") == 0 && frame->hd.type == NGHTTP2_HEADERS;
    if (a != NULL && (early || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) && a->sent == 0)
        answer(self, frame->hd.stream_id, a);
    return 0;
}

static int server_data(nghttp2_session *ng, uint8_t flags UNUSED, int32_t id, const uint8_t *data,
                       size_t len, void *self UNUSED)
{
    struct answer *a = nghttp2_session_get_stream_user_data(ng, id);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], (a->received + i) % 253);
    a->received += len;
    return 0;
}

static int server_close(nghttp2_session *ng, int32_t id, uint32_t error UNUSED, void *self UNUSED)
{
    free(nghttp2_session_get_stream_user_data(ng, id));
    (void)nghttp2_session_set_stream_user_data(ng, id, NULL);
    return 0;
}

static size_t peer_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct peer *p = self;
    assert_int_equal(nghttp2_session_mem_recv(p->ng, in.data, in.len), in.len);
    pump(p);
    return in.len;
}

static void peer_room(void *self, struct stream *stream UNUSED)
{
    pump(self);
}

static void peer_end(void *self, struct stream *stream)
{
    struct peer *p = self;
    stream_finish(stream);
    (void)p;
}

static void peer_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct peer *p = self;
    p->stream = NULL;
}

static void on_accept(void *self UNUSED, struct listener *listener UNUSED, struct stream *stream)
{
    static const struct stream_handler calls = {
        .on_bytes = peer_bytes, .on_end = peer_end, .on_room = peer_room, .on_closed = peer_closed};
    struct peer *p = calloc(1, sizeof *p);
    nghttp2_session_callbacks *callbacks;
    assert_non_null(p);
    p->stream = stream;
    p->out = bytes_empty();
    p->next = w.peers;
    w.peers = p;
    w.connections++;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, server_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, server_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, server_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, server_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, server_close);
    assert_int_equal(nghttp2_session_server_new(&p->ng, callbacks, p), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, w.streams_max}};
    assert_int_equal(nghttp2_submit_settings(p->ng, NGHTTP2_FLAG_NONE, settings, 1), 0);
    stream_set_handler(stream, &calls, p);
    pump(p);
}

/* ---- the client ---- */

struct asked {
    struct url url;
    struct fetch_request request;
    struct fetch *fetch;
    bool sent, ended, cancels;
    unsigned interims;
    size_t body_len, upload_at;
    bool body_right;
    struct fetch_outcome outcome;
    char reason[FETCH_REASON_MAX];
};

static void on_sent(void *self, struct fetch *fetch)
{
    struct asked *a = self;
    a->sent = true;
    assert_true(fetch_is_http2(fetch));
}

static void on_head(void *self, struct fetch *fetch UNUSED, const struct http_response_head *head,
                    const struct http_framing *framing UNUSED)
{
    struct asked *a = self;
    if (head->status < 200)
        a->interims++;
    else
        assert_true(bytes_equal(http_field_value(&head->fields, "X-One"), bytes_of_text("1")));
}

static void on_body(void *self, struct fetch *fetch, struct bytes data)
{
    struct asked *a = self;
    for (size_t i = 0; i < data.len; i++)
        a->body_right &= data.data[i] == (a->body_len + i) % 251;
    a->body_len += data.len;
    if (a->cancels && a->body_len > 20000) {
        fetch_cancel(fetch);
        a->fetch = NULL;
    }
}

static void on_room(void *self, struct fetch *fetch)
{
    struct asked *a = self;
    static uint8_t octets[5000];
    size_t taken;
    do {
        size_t len = UPLOAD - a->upload_at < sizeof octets ? UPLOAD - a->upload_at : sizeof octets;
        for (size_t i = 0; i < len; i++)
            octets[i] = (uint8_t)((a->upload_at + i) % 253);
        taken = len > 0 ? fetch_body(fetch, bytes_of(octets, len)) : 0;
        a->upload_at += taken;
    } while (taken > 0);
    if (a->upload_at == UPLOAD && a->request.body_len == HTTP_CLIENT_LENGTH_UNKNOWN)
        assert_true(fetch_body_end(fetch));
}

static void on_end(void *self, struct fetch *fetch UNUSED, const struct fetch_outcome *outcome)
{
    struct asked *a = self;
    a->ended = true;
    a->outcome = *outcome;
    snprintf(a->reason, sizeof a->reason, "%s", outcome->reason);
    a->fetch = NULL;
}

static void ask(struct asked *a, const char *path)
{
    static const struct fetch_handler calls = {on_sent, on_head, on_body, on_room, on_end, NULL};
    static const struct http_field fields[] = {
        {{(const uint8_t *)"Connection", 10}, {(const uint8_t *)"close", 5}},
        {{(const uint8_t *)"X-Test", 6}, {(const uint8_t *)"yes", 3}},
    };
    char text[128];
    snprintf(text, sizeof text, "http://server.test%s", path);
    assert_int_equal(url_parse(bytes_of_text(text), NULL, &a->url), URL_OK);
    a->body_right = true;
    if (a->request.method == NULL)
        a->request.method = "GET";
    a->request.url = &a->url;
    a->request.fields = fields;
    a->request.field_count = ARRAY_LEN(fields);
    if (a->request.version == FETCH_HTTP_ANY)
        a->request.version = FETCH_HTTP_2;
    a->fetch = fetch_start(w.fetcher, &a->request, &calls, a);
    assert_non_null(a->fetch);
}

static void wait_for(struct asked *list, size_t count)
{
    usec until = loop_now(w.net.loop) + 300 * USEC_PER_SEC;
    for (size_t i = 0; i < count; i++)
        while (list[i].fetch != NULL && loop_now(w.net.loop) < until)
            net_world_run(&w.net, 10 * USEC_PER_MSEC);
    for (size_t i = 0; i < count; i++)
        assert_null(list[i].fetch);
}

static size_t find(void *self UNUSED, const char *host, uint16_t port,
                   struct endpoint out[FETCH_ADDRESSES_MAX], struct text *reason UNUSED)
{
    assert_string_equal(host, "server.test");
    out[0] = (struct endpoint){w.net.address, port};
    return 1;
}

static void open_world(unsigned streams_max)
{
    static const struct net_world_kind perfect = {.name = "a perfect wire"};
    static const struct listener_handler handler = {on_accept};
    memset(&w, 0, sizeof w);
    net_world_open(&w.net, &perfect, 7);
    w.streams_max = streams_max;
    struct listen_options listen = {.local = {w.net.address, 80}};
    assert_int_equal(net_listen(w.net.server, &listen, &handler, NULL, &w.listener), 0);
    struct fetcher_options options = {.net = w.net.client, .find = find};
    w.fetcher = fetcher_new(&options);
    assert_non_null(w.fetcher);
}

static void close_world(void)
{
    fetcher_free(w.fetcher);
    net_world_run(&w.net, USEC_PER_SEC);
    listener_close(w.listener);
    while (w.peers != NULL) {
        struct peer *p = w.peers;
        w.peers = p->next;
        if (p->stream != NULL)
            stream_abort(p->stream);
        for (int32_t id = 1; id < 400; id += 2)
            free(nghttp2_session_get_stream_user_data(p->ng, id));
        nghttp2_session_del(p->ng);
        free(p);
    }
    net_world_close(&w.net);
}

static struct asked get(const char *path)
{
    struct asked a = {0};
    ask(&a, path);
    wait_for(&a, 1);
    return a;
}

/* ---- tests ---- */

static const struct {
    const char *path;
    enum fetch_result result;
    unsigned status;
    size_t body_len;
    unsigned interims, connections;
    const char *reason; /* a part of it */
} cases[] = {
    {"/hello", FETCH_OK, 200, 5, 0, 1, ""},
    {"/bytes/0", FETCH_OK, 200, 0, 0, 1, ""},
    {"/bytes/9000000", FETCH_OK, 200, 9000000, 0, 1, ""}, /* more than both windows */
    {"/trailers", FETCH_OK, 200, 5, 0, 1, ""},
    {"/hints", FETCH_OK, 200, 5, 3, 1, ""},
    {"/hinting", FETCH_BROKEN, 0, 0, HTTP_CLIENT_INTERIM_MAX, 1, "malformed"},
    {"/huge", FETCH_BROKEN, 0, 0, 0, 1, "too large"},
    {"/short", FETCH_BROKEN, 200, 5, 0, 1, "PROTOCOL_ERROR"},
    {"/cut", FETCH_BROKEN, 200, 16384, 0, 1, "INTERNAL_ERROR"},
    {"/reset", FETCH_BROKEN, 0, 0, 0, 1, "INTERNAL_ERROR"},
    {"/refuse", FETCH_OK, 200, 5, 0, 1, ""},          /* §8.7: it may be tried again */
    {"/refuse-always", FETCH_BROKEN, 0, 0, 0, 1, "REFUSED_STREAM"},
    {"/goaway", FETCH_OK, 200, 5, 0, 2, ""},          /* §6.8: on another connection */
    {"/close", FETCH_BROKEN, 0, 0, 0, 1, "closed before"},
    {"/silent", FETCH_BROKEN, 0, 0, 0, 1, "timed out"},
};

static void an_exchange_ends_as_the_server_has_it(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_world(100);
        struct asked a = get(cases[i].path);
        if (a.outcome.result != cases[i].result || a.outcome.status != cases[i].status ||
            a.interims != cases[i].interims || w.connections != cases[i].connections ||
            strstr(a.reason, cases[i].reason) == NULL || a.body_len != cases[i].body_len ||
            !a.body_right || !a.sent)
            fail_msg("%s: result %d, status %u, %zu octets, %u interims, %u connections, %s",
                     cases[i].path, a.outcome.result, a.outcome.status, a.body_len, a.interims,
                     w.connections, a.reason);
        assert_true(a.outcome.http2);
        close_world();
    }
}

static void many_share_one_connection(void **state UNUSED)
{
    static struct asked list[REQUESTS_MAX];
    memset(list, 0, sizeof list);
    open_world(7); /* fewer than are asked for: the others wait */
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        ask(&list[i], i % 5 == 0 ? "/bytes/200000" : "/hello");
    wait_for(list, REQUESTS_MAX);
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        assert_int_equal(list[i].outcome.result, FETCH_OK);
        assert_int_equal(list[i].body_len, i % 5 == 0 ? 200000 : 5);
        assert_true(list[i].body_right);
        assert_int_equal(list[i].outcome.reused, i > 0);
    }
    assert_int_equal(w.connections, 1);
    assert_int_equal(w.requests, REQUESTS_MAX);
    net_world_run(&w.net, 2 * FETCH_KEEP_TIMEOUT);
    struct asked later = get("/hello"); /* the one before was not kept for ever */
    assert_int_equal(later.outcome.result, FETCH_OK);
    assert_int_equal(w.connections, 2);
    close_world();
}

static void one_after_the_other_shares_it_too(void **state UNUSED)
{
    open_world(100);
    for (int i = 0; i < 3 * FETCH_KEPT_MAX; i++)
        assert_int_equal(get("/hello").outcome.result, FETCH_OK);
    assert_int_equal(w.connections, 1);
    close_world();
}

/* RFC 9112 §9.3.1, which RFC 9113 §9.1 leaves as it is: who kept it may have closed it meanwhile. */
static void one_that_was_closed_meanwhile_is_replaced(void **state UNUSED)
{
    open_world(100);
    assert_int_equal(get("/hello").outcome.result, FETCH_OK);
    struct asked a = get("/close-once");
    assert_int_equal(a.outcome.result, FETCH_OK);
    assert_false(a.outcome.reused);
    assert_int_equal(w.connections, 2);
    struct asked post = {.request = {.method = "POST"}};
    w.refused = 0;
    ask(&post, "/close-once"); /* it may have been done */
    wait_for(&post, 1);
    assert_int_equal(post.outcome.result, FETCH_BROKEN);
    close_world();
}

/* §6.8: nothing more will go over it, so it is closed when it is idle. */
static void after_goaway_it_is_closed(void **state UNUSED)
{
    open_world(100);
    static struct asked list[2];
    memset(list, 0, sizeof list);
    ask(&list[0], "/bytes/500000");
    ask(&list[1], "/last");
    wait_for(list, 2);
    assert_int_equal(list[0].body_len, 500000);
    assert_int_equal(list[1].outcome.result, FETCH_OK);
    net_world_run(&w.net, USEC_PER_SEC);
    assert_null(w.peers->stream);
    close_world();
}

static void one_that_ends_badly_leaves_the_others(void **state UNUSED)
{
    static struct asked list[4];
    memset(list, 0, sizeof list);
    open_world(100);
    list[1].cancels = true;
    ask(&list[0], "/bytes/400000");
    ask(&list[1], "/bytes/4000000");
    ask(&list[2], "/reset");
    ask(&list[3], "/bytes/500000");
    wait_for(list, ARRAY_LEN(list));
    assert_false(list[1].ended);
    assert_int_equal(list[2].outcome.result, FETCH_BROKEN);
    assert_int_equal(list[0].body_len + list[3].body_len, 900000);
    assert_int_equal(get("/hello").outcome.result, FETCH_OK);
    assert_int_equal(w.connections, 1);
    close_world();
}

static void bodies_go_to_the_server(void **state UNUSED)
{
    static const uint64_t lens[] = {UPLOAD, HTTP_CLIENT_LENGTH_UNKNOWN};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        open_world(100);
        struct asked list[3];
        memset(list, 0, sizeof list);
        for (size_t j = 0; j < ARRAY_LEN(list); j++) {
            list[j].request =
                (struct fetch_request){.method = "POST", .has_body = true, .body_len = lens[i]};
            ask(&list[j], "/upload");
        }
        wait_for(list, ARRAY_LEN(list));
        for (size_t j = 0; j < ARRAY_LEN(list); j++) {
            assert_int_equal(list[j].outcome.result, FETCH_OK);
            assert_int_equal(list[j].body_len, UPLOAD % 1000);
            assert_false(list[j].outcome.body_refused);
        }
        close_world();
    }
}

/* §8.1: who answers before all of the request has come may want no more of it. */
static void an_early_answer_ends_the_exchange(void **state UNUSED)
{
    open_world(100);
    struct asked a = {.request = {.method = "POST", .has_body = true, .body_len = 1 << 30}};
    ask(&a, "/early");
    wait_for(&a, 1);
    assert_int_equal(a.outcome.result, FETCH_OK);
    assert_true(a.outcome.body_refused);
    assert_int_equal(get("/hello").outcome.result, FETCH_OK);
    assert_int_equal(w.connections, 1);
    close_world();
}

static void a_fetcher_may_go_in_the_midst(void **state UNUSED)
{
    open_world(100);
    struct asked a = {0};
    ask(&a, "/silent");
    net_world_run(&w.net, USEC_PER_SEC);
    assert_true(a.sent);
    close_world();
    assert_false(a.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_ends_as_the_server_has_it),
        cmocka_unit_test(many_share_one_connection),
        cmocka_unit_test(one_after_the_other_shares_it_too),
        cmocka_unit_test(one_that_was_closed_meanwhile_is_replaced),
        cmocka_unit_test(after_goaway_it_is_closed),
        cmocka_unit_test(one_that_ends_badly_leaves_the_others),
        cmocka_unit_test(bodies_go_to_the_server),
        cmocka_unit_test(an_early_answer_ends_the_exchange),
        cmocka_unit_test(a_fetcher_may_go_in_the_midst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

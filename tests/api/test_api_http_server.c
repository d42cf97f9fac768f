/* SPDX-License-Identifier: ISC */
/*
 * test_api_http_server.c - wholenet/http_server.h before the client of wholenet/http.h, and before one that says what
 * is written here: over the kernel's loopback, over two stacks in virtual time, and there with TLS.
 */
#include <errno.h>
#include <wholenet/http_server.h>

#include "api/api_loop.h"
#include "tests/support/check.h"
#include "tests/support/tls_files.h"

enum kind { KERNEL, STACK, SECURE, KINDS };
enum { LARGE = 12000000 };

struct world {
    enum kind kind;
    struct wn_loop *loop;
    struct wn_stack *a, *b; /* NULL: the kernel */
    struct tls_files files;
    struct wn_http_server *server;
    struct wn_endpoint local;
    struct wn_http *http;
    /* ---- what the server has seen ---- */
    struct wn_http_call *held; /* to be answered later */
    unsigned requests, whole, lost, rooms, body_ends, failed_bodies;
    char target[64], host[64], fields[256];
    uint64_t announced;
    size_t sent;
    size_t len;
    char body[300000];
};

static char large[LARGE];

/* ---- the server ---- */

static void stream_on(struct world *w, struct wn_http_call *call)
{
    size_t taken;
    while ((taken = wn_http_call_send(call, large + w->sent, LARGE - w->sent)) > 0)
        w->sent += taken;
    if (w->sent == LARGE)
        wn_http_call_end(call);
}

static void begin_stream(struct world *w, struct wn_http_call *call, uint64_t body_len)
{
    w->sent = 0;
    assert_int_equal(wn_http_call_begin(call, 200, NULL, 0, body_len), 0);
    stream_on(w, call);
}

static void note(struct world *w, const struct wn_http_server_request *r)
{
    w->requests++;
    w->announced = r->body_len;
    w->len = 0;
    (void)snprintf(w->target, sizeof w->target, "%s %s", r->method, r->target);
    (void)snprintf(w->host, sizeof w->host, "%s", r->host);
    w->fields[0] = '\0';
    for (size_t i = 0; i < r->field_count; i++)
        if (strncmp(r->fields[i].name, "X-", 2) == 0)
            (void)snprintf(w->fields, sizeof w->fields, "%s=%s", r->fields[i].name, r->fields[i].value);
    assert_int_equal(r->secure != 0, w->kind == SECURE);
    assert_true(r->peer.port != 0);
}

static void on_request(void *self, struct wn_http_call *call, const struct wn_http_server_request *r)
{
    struct world *w = self;
    static const struct wn_http_field fields[] = {{"Content-Type", "text/x"}};
    static const struct wn_http_field wrong[] = {{"X", "a\r\nY: b"}}, ours[] = {{"Content-Length", "9"}};
    note(w, r);
    assert_null(wn_http_call_user(call));
    wn_http_call_set_user(call, w);
    if (strcmp(r->target, "/now") == 0)
        assert_int_equal(wn_http_call_reply(call, 200, fields, 1, "hello", 5), 0);
    else if (strcmp(r->target, "/large") == 0)
        assert_int_equal(wn_http_call_reply(call, 200, NULL, 0, large, LARGE), 0);
    else if (strcmp(r->target, "/stream") == 0)
        begin_stream(w, call, LARGE);
    else if (strcmp(r->target, "/chunks") == 0)
        begin_stream(w, call, WN_HTTP_LENGTH_UNKNOWN);
    else if (strcmp(r->target, "/wrong") == 0)
        assert_int_equal(wn_http_call_reply(call, 200, wrong, 1, "x", 1), WN_HTTP_BAD_OPTION);
    else if (strcmp(r->target, "/ours") == 0)
        assert_int_equal(wn_http_call_reply(call, 200, ours, 1, "x", 1), WN_HTTP_BAD_OPTION);
    else if (strcmp(r->target, "/short") == 0) {
        assert_int_equal(wn_http_call_begin(call, 200, NULL, 0, 10), 0);
        assert_int_equal(wn_http_call_send(call, "abc", 3), 3);
        wn_http_call_end(call);
    } else if (strcmp(r->target, "/echo") == 0)
        (void)!wn_http_call_take_body(call, sizeof w->body);
    else if (strcmp(r->target, "/small") == 0)
        assert_true(wn_http_call_take_body(call, 4) == (r->body_len > 4 && r->body_len != WN_HTTP_LENGTH_UNKNOWN
                                                            ? WN_HTTP_TOO_LARGE : 0));
    else
        w->held = call;
}

static void on_body(void *self, struct wn_http_call *call, const void *data, size_t len)
{
    struct world *w = self;
    assert_ptr_equal(wn_http_call_user(call), w);
    assert_true(w->len + len <= sizeof w->body);
    memcpy(w->body + w->len, data, len);
    w->len += len;
}

static void on_body_end(void *self, struct wn_http_call *call, int whole)
{
    struct world *w = self;
    w->body_ends++;
    w->failed_bodies += !whole;
    if (whole)
        assert_int_equal(wn_http_call_reply(call, 201, NULL, 0, w->body, w->len), 0);
}

static void on_room(void *self, struct wn_http_call *call)
{
    struct world *w = self;
    w->rooms++;
    stream_on(w, call);
}

static void on_done(void *self, struct wn_http_call *call, int whole)
{
    struct world *w = self;
    if (w->held == call)
        w->held = NULL;
    if (whole)
        w->whole++;
    else
        w->lost++;
}

static const struct wn_http_server_handler service = {on_request, on_body, on_body_end, on_room, on_done};

/* ---- the world ---- */

static struct wn_stack *add_host(struct wn_loop *loop, const char *mac, const char *address)
{
    struct wn_stack *stack;
    assert_int_equal(wn_loop_stack(loop, NULL, &stack), 0);
    assert_int_equal(wn_stack_add_interface(stack, "eth0", mac, 1500, 0), 0);
    assert_int_equal(wn_stack_add_address(stack, 0, address), 0);
    return stack;
}

static struct world *open_world(enum kind kind, unsigned connections_max)
{
    static const char *const names[] = {"www.test", NULL};
    static struct world world;
    struct world *w = &world;
    *w = (struct world){.kind = kind};
    w->loop = kind == KERNEL ? wn_loop_new() : wn_loop_new_virtual(7);
    if (kind != KERNEL) {
        w->a = add_host(w->loop, "02:00:00:00:00:01", "10.0.0.1/24");
        w->b = add_host(w->loop, "02:00:00:00:00:02", "10.0.0.2/24");
        assert_int_equal(wn_loop_join(w->loop, w->a, 0, w->b, 0, NULL, NULL), 0);
    }
    struct wn_http_server_options o = {.size = sizeof o, .stack = w->b, .name = "test",
                                       .connections_max = connections_max};
    struct wn_http_options client = {.size = sizeof client, .stack = w->a};
    if (kind == SECURE) {
        tls_files_open(&w->files);
        size_t leaf = tls_files_add(&w->files, 0, 1, names, NULL);
        o.certificate = w->files.files[leaf].chain;
        o.key = w->files.files[leaf].key;
        client.trust_file = w->files.files[0].chain;
    }
    client.hosts = kind == KERNEL ? "127.0.0.1 www.test" : "10.0.0.2 www.test";
    assert_int_equal(wn_http_server_new(w->loop, &o, &service, w, &w->server), 0);
    assert_int_equal(wn_endpoint_parse(kind == KERNEL ? "127.0.0.1:0" : "10.0.0.2:80", &w->local), 0);
    assert_int_equal(wn_http_server_listen(w->server, &w->local), 0);
    assert_true(w->local.port != 0);
    assert_int_equal(wn_http_new(w->loop, &client, &w->http), 0);
    return w;
}

static void close_world(struct world *w)
{
    wn_http_free(w->http);
    wn_http_server_free(w->server);
    if (w->kind == SECURE)
        tls_files_close(&w->files);
    wn_loop_free(w->loop);
    wn_stack_free(w->a);
    wn_stack_free(w->b);
}

static void run_for(struct world *w, wn_time time)
{
    (void)wn_loop_run_until(w->loop, wn_loop_now(w->loop) + time);
}

static char *url_at(const struct world *w, const char *path)
{
    static char url[128];
    (void)snprintf(url, sizeof url, "%s://www.test:%u%s", w->kind == SECURE ? "https" : "http",
                   w->local.port, path);
    return url;
}

static int ask(struct world *w, struct wn_http_request r, const char *path, struct wn_http_answer **out)
{
    r.size = sizeof r;
    r.url = url_at(w, path);
    int result = wn_http_do(w->http, &r, out);
    assert_non_null(*out);
    return result;
}

static unsigned status_of(struct world *w, struct wn_http_request r, const char *path)
{
    struct wn_http_answer *answer;
    unsigned status = ask(w, r, path, &answer) == 0 ? answer->result.response->status : 0;
    wn_http_answer_free(answer);
    return status;
}

/* ---- answers ---- */

static void answers_at_once_and_by_pieces(void **state UNUSED)
{
    static const char *const paths[] = {"/large", "/stream", "/chunks"};
    const struct wn_http_field fields[] = {{"X-Y", "z"}};
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world *w = open_world(kind, 0);
        struct wn_http_answer *answer;
        assert_int_equal(ask(w, (struct wn_http_request){.fields = fields, .field_count = 1}, "/now", &answer), 0);
        assert_string_equal(answer->body, "hello");
        assert_string_equal(wn_http_field(answer->result.response, "Content-Type"), "text/x");
        assert_string_equal(wn_http_field(answer->result.response, "Server"), "test");
        assert_non_null(wn_http_field(answer->result.response, "Date"));
        assert_string_equal(w->target, "GET /now");
        assert_memory_equal(w->host, "www.test", 8);
        assert_string_equal(w->fields, "X-Y=z");
        wn_http_answer_free(answer);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            assert_int_equal(ask(w, (struct wn_http_request){.method = NULL}, paths[i], &answer), 0);
            assert_int_equal(answer->body_len, LARGE);
            assert_memory_equal(answer->body, large, LARGE);
            assert_int_equal(answer->result.reused, 1);
            wn_http_answer_free(answer);
            assert_int_equal(ask(w, (struct wn_http_request){.method = "HEAD"}, paths[i], &answer), 0);
            assert_int_equal(answer->body_len, 0);
            wn_http_answer_free(answer);
        }
        assert_true(w->rooms > 0);
        run_for(w, WN_MILLISECOND);
        assert_int_equal(w->whole, 7);
        assert_int_equal(status_of(w, (struct wn_http_request){.method = NULL}, "/wrong"), 500);
        assert_int_equal(status_of(w, (struct wn_http_request){.method = NULL}, "/ours"), 500);
        assert_int_equal(ask(w, (struct wn_http_request){.flags = WN_HTTP_FRESH}, "/short", &answer), WN_HTTP_BROKEN);
        wn_http_answer_free(answer);
        run_for(w, 50 * WN_MILLISECOND);
        assert_int_equal(w->lost, 3);
        close_world(w);
    }
}

static void bodies_are_asked_for(void **state UNUSED)
{
    static char body[200000];
    memset(body, 'b', sizeof body);
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world *w = open_world(kind, 0);
        struct wn_http_answer *answer;
        struct wn_http_request r = {.body = body, .body_len = sizeof body};
        assert_int_equal(ask(w, r, "/echo", &answer), 0);
        assert_int_equal(answer->result.response->status, 201);
        assert_int_equal(answer->body_len, sizeof body);
        assert_memory_equal(answer->body, body, sizeof body);
        wn_http_answer_free(answer);
        assert_int_equal(w->announced, sizeof body);
        r.flags = WN_HTTP_EXPECT;
        wn_time before = wn_loop_now(w->loop);
        assert_int_equal(status_of(w, r, "/echo"), 201);
        assert_true(wn_loop_now(w->loop) - before < WN_SECOND || kind == KERNEL); /* 100 has come */
        r.body_len = 5;
        assert_int_equal(status_of(w, r, "/small"), 413);
        r.body_len = 4;
        assert_int_equal(status_of(w, r, "/small"), 201);
        r.flags = 0;
        assert_int_equal(status_of(w, r, "/now"), 200); /* which nobody has asked for */
        assert_int_equal(w->failed_bodies, 0);
        run_for(w, 50 * WN_MILLISECOND);
        assert_int_equal(w->whole, 4);
        assert_int_equal(w->lost, 1);
        close_world(w);
    }
}

/* ---- later, or never ---- */

static void answers_may_come_later(void **state UNUSED)
{
    for (enum kind kind = KERNEL; kind < KINDS; kind++) {
        struct world *w = open_world(kind, 0);
        struct wn_http_request r = {.size = sizeof r, .url = url_at(w, "/later")};
        const struct wn_http_handler nobody = {NULL, NULL, NULL, NULL};
        struct wn_http_transfer *transfer;
        assert_int_equal(wn_http_start(w->http, &r, &nobody, NULL, &transfer), 0);
        for (int i = 0; i < 100 && w->held == NULL; i++)
            run_for(w, 20 * WN_MILLISECOND);
        assert_non_null(w->held);
        if (kind != KERNEL) /* however long it takes: the client has its own timeouts */
            run_for(w, 50 * WN_SECOND);
        assert_int_equal(wn_http_call_reply(w->held, 204, NULL, 0, NULL, 0), 0);
        assert_int_equal(wn_http_call_reply(w->held, 204, NULL, 0, NULL, 0), WN_HTTP_BAD_OPTION);
        assert_int_equal(wn_http_call_take_body(w->held, 1), WN_HTTP_BAD_OPTION);
        run_for(w, 50 * WN_MILLISECOND);
        assert_int_equal(w->whole, 1);
        /* The client goes away. */
        assert_int_equal(wn_http_start(w->http, &r, &nobody, NULL, &transfer), 0);
        for (int i = 0; i < 100 && w->held == NULL; i++)
            run_for(w, 20 * WN_MILLISECOND);
        wn_http_cancel(transfer);
        if (kind == KERNEL)
            run_for(w, 100 * WN_MILLISECOND);
        else
            run_for(w, 200 * WN_SECOND);
        if (w->held != NULL) /* an end of the client's alone says nothing: it may still listen */
            assert_int_equal(wn_http_call_reply(w->held, 200, NULL, 0, large, LARGE), 0);
        run_for(w, kind == KERNEL ? 300 * WN_MILLISECOND : 200 * WN_SECOND);
        assert_int_equal(w->whole + w->lost, 2);
        /* The server goes with a call that is owed an answer. */
        assert_int_equal(wn_http_start(w->http, &r, &nobody, NULL, &transfer), 0);
        run_for(w, 100 * WN_MILLISECOND);
        close_world(w);
    }
}

/* ---- clients that are odd ---- */

struct odd {
    const char *said;
    size_t at;
    bool over;
    size_t len;
    char heard[8192];
};

static void odd_say(void *self, struct stream *stream)
{
    struct odd *o = self;
    o->at += stream_send(stream, bytes_of_text(o->said + o->at));
}

static size_t odd_hear(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct odd *o = self;
    size_t room = sizeof o->heard - 1 - o->len;
    memcpy(o->heard + o->len, in.data, in.len < room ? in.len : room);
    o->len += in.len < room ? in.len : room;
    o->heard[o->len] = '\0';
    return in.len;
}

static void odd_end(void *self, struct stream *stream)
{
    struct odd *o = self;
    o->over = true;
    stream_finish(stream);
}

static void odd_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct odd *o = self;
    o->over = true;
}

static const char *say(struct world *w, const char *text, wn_time time)
{
    static const struct stream_handler calls = {.on_open = odd_say, .on_bytes = odd_hear,
                                                .on_end = odd_end, .on_closed = odd_closed};
    static struct odd odd;
    struct net *net = w->a != NULL ? api_loop_net(w->loop, w->a) : net_kernel_new(api_loop_inside(w->loop));
    struct endpoint to = endpoint_in(&w->local);
    struct stream *stream;
    odd = (struct odd){.said = text};
    assert_int_equal(net_connect(net, &to, NULL, &calls, &odd, &stream), 0);
    run_for(w, time);
    if (w->held != NULL) {
        assert_int_equal(wn_http_call_reply(w->held, 202, NULL, 0, "held", 4), 0);
        run_for(w, time);
    }
    if (!odd.over)
        stream_abort(stream);
    run_for(w, 10 * WN_SECOND);
    net_free(net);
    return odd.heard;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static void odd_clients(void **state UNUSED)
{
    struct world *w = open_world(STACK, 0);
    /* Three at once (RFC 9112 §9.3.2), the last of which closes. */
    const char *heard = say(w, "GET /now HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"
                            "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", WN_SECOND);
    assert_int_equal(count(heard, "HTTP/1.1 200 OK\r\n"), 2);
    assert_int_equal(count(heard, "\r\n\r\nxyzHTTP/1.1 200"), 1);
    assert_int_equal(w->requests, 3);
    /* What waits behind one that is answered later is told of then. */
    heard = say(w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /now HTTP/1.1\r\nHost: a\r\n\r\n", WN_SECOND);
    assert_non_null(strstr(heard, "\r\n\r\nheldHTTP/1.1 200 OK\r\n"));
    assert_int_equal(w->requests, 5);
    heard = say(w, "GET /now HTTP/1.0\r\n\r\n", WN_SECOND);
    assert_non_null(strstr(heard, "\r\n\r\nhello"));
    heard = say(w, "GARBAGE\r\n\r\n", WN_SECOND);
    assert_non_null(strstr(heard, "HTTP/1.1 400 "));
    heard = say(w, "GET /now HTTP/1.1\r\n", 30 * WN_SECOND);
    assert_non_null(strstr(heard, "HTTP/1.1 408 "));
    heard = say(w, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", WN_SECOND);
    assert_non_null(strstr(heard, "HTTP/1.1 400 "));
    assert_int_equal(w->failed_bodies, 1);
    heard = say(w, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", WN_SECOND);
    assert_int_equal(w->failed_bodies + w->lost, 3); /* cut off */
    /* Nobody reads: the answer is given up, and no memory kept. */
    unsigned requests = w->requests;
    (void)say(w, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", 0);
    assert_true(w->requests >= requests);
    close_world(w);
}

static void connections_are_bounded(void **state UNUSED)
{
    struct world *w = open_world(STACK, 2);
    struct wn_http_request r = {.size = sizeof r, .url = url_at(w, "/later"), .flags = WN_HTTP_FRESH};
    const struct wn_http_handler nobody = {NULL, NULL, NULL, NULL};
    for (int i = 0; i < 2; i++)
        assert_int_equal(wn_http_start(w->http, &r, &nobody, NULL, NULL), 0);
    run_for(w, WN_SECOND);
    assert_int_equal(w->requests, 2);
    assert_int_equal(status_of(w, (struct wn_http_request){.flags = WN_HTTP_FRESH}, "/now"), 503);
    assert_int_equal(w->requests, 2);
    close_world(w);
}

static void what_cannot_be(void **state UNUSED)
{
    char why[200] = "";
    struct world *w = open_world(STACK, 0);
    struct wn_http_server *none = NULL;
    const struct wn_http_server_handler nothing = {NULL, NULL, NULL, NULL, NULL};
    struct wn_http_server_options o = {.size = sizeof o, .why = why, .why_size = sizeof why};
    assert_int_equal(wn_http_server_new(w->loop, &o, &service, w, &none), WN_HTTP_BAD_OPTION);
    assert_non_null(strstr(why, "virtual"));
    o.stack = w->a;
    assert_int_equal(wn_http_server_new(w->loop, &o, &nothing, w, &none), WN_HTTP_BAD_OPTION);
    o.certificate = "/nonexistent";
    assert_int_equal(wn_http_server_new(w->loop, &o, &service, w, &none), WN_HTTP_BAD_OPTION);
    assert_non_null(strstr(why, "/nonexistent"));
    assert_null(none);
    struct wn_endpoint again = w->local;
    assert_int_equal(wn_http_server_listen(w->server, &again), -EADDRINUSE);
    for (int i = 1; i < 16; i++) {
        again.port = (uint16_t)(1000 + i);
        assert_int_equal(wn_http_server_listen(w->server, &again), 0);
    }
    again.port = 2000;
    assert_int_equal(wn_http_server_listen(w->server, &again), -ENOSPC);
    wn_http_server_free(NULL);
    close_world(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_at_once_and_by_pieces),
        cmocka_unit_test(bodies_are_asked_for),
        cmocka_unit_test(answers_may_come_later),
        cmocka_unit_test(odd_clients),
        cmocka_unit_test(connections_are_bounded),
        cmocka_unit_test(what_cannot_be),
    };
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i * 7 % 23);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

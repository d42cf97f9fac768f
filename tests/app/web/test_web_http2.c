/* SPDX-License-Identifier: ISC */
/* test_web_http2.c - connections of HTTP/2 (RFC 9113), over the kernel and in virtual time: many streams at a
 * time, octet by octet; who reads slowly, or not at all. */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/net.h"
#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

enum { STREAMS_MAX = 64 };

static const struct net_world_kind perfect = {.name = "virtual time"};
static const struct net_world_kind bad = {.name = "virtual time, bad wire", .impaired = true};
static const struct net_world_kind *const worlds[] = {NULL, &perfect, &bad};

static struct web_fixture f;

/* ---- a client ---- */

struct asked {
    int32_t id;
    uint8_t (*octet_at)(uint64_t offset); /* of the answer's body */
    unsigned status;
    uint64_t announced, received;
    size_t to_send;
    bool closed;
    uint32_t error;
};

static struct client {
    struct stream *stream;
    nghttp2_session *ng;
    struct bytes out;
    struct asked asked[STREAMS_MAX];
    size_t count, closed;
    bool deaf; /* uses nothing of what comes */
    bool gone;
} c;

static struct asked *find(int32_t id)
{
    for (size_t i = 0; i < c.count; i++)
        if (c.asked[i].id == id)
            return &c.asked[i];
    fail_msg("stream %d was not asked for", (int)id);
    return NULL;
}

static int on_header(nghttp2_session *ng UNUSED, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags UNUSED,
                     void *self UNUSED)
{
    struct asked *a = find(frame->hd.stream_id);
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)value_len, (const char *)value);
    for (size_t i = 0; i < name_len; i++)
        assert_false(name[i] >= 'A' && name[i] <= 'Z'); /* RFC 9113 §8.2 */
    if (bytes_equal(bytes_of(name, name_len), bytes_of_text(":status")))
        a->status = (unsigned)strtoul(text, NULL, 10);
    if (bytes_equal(bytes_of(name, name_len), bytes_of_text("content-length")))
        a->announced = strtoull(text, NULL, 10);
    return 0;
}

static int on_data(nghttp2_session *ng UNUSED, uint8_t flags UNUSED, int32_t id, const uint8_t *data,
                   size_t len, void *self UNUSED)
{
    struct asked *a = find(id);
    for (size_t i = 0; i < len && a->octet_at != NULL; i++)
        if (data[i] != a->octet_at(a->received + i))
            fail_msg("stream %d: octet %zu is wrong", (int)id, (size_t)a->received + i);
    a->received += len;
    return 0;
}

static int on_stream_close(nghttp2_session *ng UNUSED, int32_t id, uint32_t error, void *self UNUSED)
{
    struct asked *a = find(id);
    a->closed = true;
    a->error = error;
    if (++c.closed == c.count)
        loop_stop(f.loop);
    return 0;
}

static ssize_t on_read(nghttp2_session *ng UNUSED, int32_t id UNUSED, uint8_t *out, size_t size,
                       uint32_t *flags, nghttp2_data_source *source, void *self UNUSED)
{
    size_t *left = source->ptr;
    size_t len = *left < size ? *left : size;
    memset(out, 'u', len);
    *left -= len;
    if (*left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static void pump(void)
{
    while (!c.gone) {
        const uint8_t *data;
        if (c.out.len == 0) {
            ssize_t len = nghttp2_session_mem_send(c.ng, &data);
            assert_true(len >= 0);
            if (len == 0)
                return;
            c.out = bytes_of(data, (size_t)len);
        }
        size_t taken = stream_send(c.stream, c.out);
        c.out = bytes_after(c.out, taken);
        if (c.out.len > 0)
            return;
    }
}

static size_t on_bytes(void *self UNUSED, struct stream *stream UNUSED, struct bytes in)
{
    if (c.deaf)
        return 0;
    assert_int_equal(nghttp2_session_mem_recv(c.ng, in.data, in.len), in.len);
    pump();
    return in.len;
}

static void on_room(void *self UNUSED, struct stream *stream UNUSED)
{
    pump();
}

static void on_closed(void *self UNUSED, struct stream *stream UNUSED, int error UNUSED)
{
    c.gone = true;
    loop_stop(f.loop);
}

static const struct stream_handler handler = {
    .on_bytes = on_bytes, .on_room = on_room, .on_closed = on_closed};

static void dial(void)
{
    nghttp2_session_callbacks *callbacks;
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}};
    memset(&c, 0, sizeof c);
    c.out = bytes_empty();
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    assert_int_equal(nghttp2_session_client_new(&c.ng, callbacks, &c), 0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(c.ng, NGHTTP2_FLAG_NONE, settings, 1), 0);
    assert_int_equal(
        nghttp2_session_set_local_window_size(c.ng, NGHTTP2_FLAG_NONE, 0, 16 << 20), 0);
    assert_int_equal(net_connect(f.client, &f.at, NULL, &handler, &c, &c.stream), 0);
}

static void hang_up(void)
{
    if (!c.gone)
        stream_close(c.stream);
    nghttp2_session_del(c.ng);
}

static struct asked *ask(const char *method, const char *path, uint8_t (*octet_at)(uint64_t),
                         size_t to_send)
{
#define NV(name, value) {(uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), strlen(name), \
                         strlen(value), NGHTTP2_NV_FLAG_NONE}
    const nghttp2_nv fields[] = {NV(":method", method), NV(":path", path), NV(":scheme", "http"),
                                 NV(":authority", "www.home.arpa"), NV("accept-encoding", "identity")};
    struct asked *a = &c.asked[c.count++];
    *a = (struct asked){.octet_at = octet_at, .to_send = to_send};
    nghttp2_data_provider body = {.source = {.ptr = &a->to_send}, .read_callback = on_read};
    a->id = nghttp2_submit_request(c.ng, NULL, fields, ARRAY_LEN(fields), to_send > 0 ? &body : NULL,
                                   NULL);
    assert_true(a->id > 0);
    return a;
}

static void run_for(usec duration)
{
    assert_int_equal(loop_run_until(f.loop, loop_look(f.loop) + duration), 0);
}

/* Until all streams are closed. */
static void finish(void)
{
    pump();
    for (int i = 0; i < 200 && c.closed < c.count && !c.gone; i++)
        run_for(USEC_PER_SEC);
    assert_int_equal(c.closed, c.count);
}

static void start(const struct net_world_kind *kind, uint64_t seed, bool root)
{
    f = (struct web_fixture){.kind = kind, .seed = seed};
    if (root) {
        web_fixture_make_root(&f);
        web_fixture_add_file(&f, "large", NULL, 3000007);
        web_fixture_add_file(&f, "small", NULL, 1000);
        web_fixture_add_file(&f, "empty", NULL, 0);
    }
    web_fixture_start(&f, NULL);
    dial();
}

static void stop(void)
{
    hang_up();
    web_fixture_stop(&f);
}

static uint8_t of_pattern(uint64_t offset)
{
    return (uint8_t)(offset % 251);
}

static uint8_t of_file(uint64_t offset)
{
    return (uint8_t)('a' + offset % 10);
}

/* ---- the cases ---- */

static void many_streams_keep_their_octets(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i], 1, false);
        for (size_t k = 0; k < 40; k++) {
            char path[40];
            snprintf(path, sizeof path, "/bytes/%zu", k * k * 200);
            (void)ask("GET", path, of_pattern, 0);
        }
        finish();
        for (size_t k = 0; k < 40; k++) {
            assert_int_equal(c.asked[k].status, 200);
            assert_int_equal(c.asked[k].received, k * k * 200);
            assert_int_equal(c.asked[k].announced, k * k * 200);
            assert_int_equal(c.asked[k].error, 0);
        }
        stop();
    }
}

static void files_of_all_sizes_come_whole(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i], 2, true);
        struct asked *large = ask("GET", "/large", of_file, 0);
        struct asked *small = ask("GET", "/small", of_file, 0);
        struct asked *empty = ask("GET", "/empty", of_file, 0);
        struct asked *head = ask("HEAD", "/large", of_file, 0);
        struct asked *none = ask("GET", "/none", NULL, 0);
        finish();
        assert_int_equal(large->received, 3000007);
        assert_int_equal(small->received, 1000);
        assert_true(empty->status == 200 && empty->received == 0);
        assert_true(head->status == 200 && head->received == 0 && head->announced == 3000007);
        assert_int_equal(none->status, 404);
        stop();
    }
}

/* All that is queued for whom does not read waits in bounds, and comes in order when he does. */
static void a_slow_reader_loses_nothing(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i], 3, true);
        c.deaf = true;
        for (size_t k = 0; k < 20; k++)
            (void)ask("GET", k % 3 == 0 ? "/large" : "/small", of_file, 0);
        pump();
        run_for((worlds[i] == NULL ? 100 : 5000) * USEC_PER_MSEC);
        assert_int_equal(c.closed, 0);
        c.deaf = false;
        stream_resume(c.stream);
        finish();
        for (size_t k = 0; k < 20; k++)
            assert_int_equal(c.asked[k].received, k % 3 == 0 ? 3000007 : 1000);
        stop();
    }
}

static void bodies_go_both_ways(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        start(worlds[i], 4, false);
        struct asked *first = ask("PUT", "/sink", NULL, 700000);
        struct asked *down = ask("GET", "/bytes/700000", of_pattern, 0);
        struct asked *second = ask("PUT", "/sink", NULL, 1);
        finish();
        assert_true(first->status == 200 && first->received > 0);
        assert_true(second->status == 200 && second->received > 0);
        assert_int_equal(down->received, 700000);
        assert_non_null(strstr(f.log, "PUT /sink 200;"));
        stop();
    }
}

/* RFC 9113 §8.1.1: what is shorter than announced is an error of the stream, and of it alone. */
static void a_file_that_shrinks_is_never_taken_for_whole(void **state UNUSED)
{
    char path[512];
    start(&perfect, 5, true);
    c.deaf = true;
    struct asked *large = ask("GET", "/large", of_file, 0);
    struct asked *small = ask("GET", "/small", of_file, 0);
    pump();
    run_for(5 * USEC_PER_SEC);
    snprintf(path, sizeof path, "%s/large", f.root);
    assert_int_equal(truncate(path, 2000000), 0);
    c.deaf = false;
    stream_resume(c.stream);
    finish();
    assert_int_equal(large->error, NGHTTP2_INTERNAL_ERROR); /* the server's word */
    assert_in_range(large->received, 1, 2000000);
    assert_int_equal(small->received, 1000);
    assert_int_equal(small->error, NGHTTP2_NO_ERROR);
    stop();
}

/* A connection on which nothing moves is ended, with a word, in time. */
static void who_asks_nothing_is_let_go(void **state UNUSED)
{
    start(&perfect, 6, false);
    (void)ask("GET", "/healthz", NULL, 0);
    finish();
    usec begun = loop_now(f.loop);
    for (int i = 0; i < 200 && !c.gone; i++)
        run_for(USEC_PER_SEC);
    assert_true(c.gone);
    assert_in_range(loop_now(f.loop) - begun, 59 * USEC_PER_SEC, 100 * USEC_PER_SEC);
    stop();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_streams_keep_their_octets),
        cmocka_unit_test(files_of_all_sizes_come_whole),
        cmocka_unit_test(a_slow_reader_loses_nothing),
        cmocka_unit_test(bodies_go_both_ways),
        cmocka_unit_test(a_file_that_shrinks_is_never_taken_for_whole),
        cmocka_unit_test(who_asks_nothing_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

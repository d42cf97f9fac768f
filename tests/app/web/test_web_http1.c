/* SPDX-License-Identifier: ISC */
/*
 * A connection of HTTP/1 as a client sees it who is slow, hasty or wrong, over our own TCP in virtual time: how long
 * the server waits, what it answers behind an error, and that nothing is left of anybody.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/web_fixture.h"

static const struct net_world_kind perfect = {.name = "a perfect wire"};
static struct web_fixture f;

enum { HEARD_MAX = 64 * 1024 };

/* A client that says what it is told to, at the pace that the test sets. */
struct peer {
    struct stream *stream;
    bool deaf;               /* it does not read */
    char heard[HEARD_MAX + 1];
    size_t len;
    uint64_t octets;         /* those that had no room, too */
    bool ended;              /* the server has finished, or cut it */
    int error;
    usec ended_at;
};

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct peer *p = self;
    if (p->deaf)
        return 0;
    struct bytes part = bytes_first(in, HEARD_MAX - p->len);
    memcpy(p->heard + p->len, part.data, part.len);
    p->len += part.len;
    p->heard[p->len] = '\0';
    p->octets += in.len;
    return in.len;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct peer *p = self;
    p->ended = true;
    p->ended_at = loop_now(f.loop);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct peer *p = self;
    p->stream = NULL;
    p->error = error;
    if (!p->ended)
        on_end(self, stream);
}

static const struct stream_handler handler = {.on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};

static void pass(usec duration)
{
    (void)loop_run_until(f.loop, loop_now(f.loop) + duration);
}

static struct peer *enter(struct peer *p)
{
    *p = (struct peer){0};
    assert_int_equal(net_connect(f.client, &f.at, NULL, &handler, p, &p->stream), 0);
    pass(USEC_PER_SEC / 10);
    return p;
}

static void say(struct peer *p, const char *text)
{
    assert_int_equal(stream_send(p->stream, bytes_of_text(text)), strlen(text));
    pass(USEC_PER_SEC / 10);
}

static void leave(struct peer *p)
{
    if (p->stream != NULL)
        stream_close(p->stream);
    p->stream = NULL;
    pass(USEC_PER_SEC);
}

static unsigned count(const struct peer *p, const char *what)
{
    unsigned found = 0;
    for (const char *at = p->heard; (at = strstr(at, what)) != NULL; at++)
        found++;
    return found;
}

static int start(void **state UNUSED)
{
    f = (struct web_fixture){.kind = &perfect, .seed = 1};
    web_fixture_start(&f, NULL);
    return 0;
}

static int stop(void **state UNUSED)
{
    struct web_counters counters;
    web_counters(f.web, &counters);
    web_fixture_stop(&f);
    return counters.open == 0 ? 0 : -1;
}

/* ---- slow ones ---- */

/* Each octet is new, and the head is no nearer: 408 (RFC 9110 §15.5.9). */
static void a_head_that_trickles_is_cut(void **state UNUSED)
{
    static struct peer p;
    enter(&p);
    usec begin = loop_now(f.loop);
    const char head[] = "GET /healthz HTTP/1.1\r\nHost: h\r\nX: ";
    for (size_t i = 0; i < sizeof head - 1 && !p.ended; i++) {
        char octet[2] = {head[i], '\0'};
        say(&p, octet);
        pass(USEC_PER_SEC);
    }
    assert_true(p.ended);
    assert_in_range(p.ended_at - begin, 10 * USEC_PER_SEC, 11 * USEC_PER_SEC);
    assert_memory_equal(p.heard, "HTTP/1.1 408 ", 13);
    leave(&p);
}

static void a_head_in_pieces_is_answered(void **state UNUSED)
{
    static struct peer p;
    enter(&p);
    const char head[] = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    for (size_t i = 0; i < sizeof head - 1; i++) {
        char octet[2] = {head[i], '\0'};
        say(&p, octet);
    }
    assert_memory_equal(p.heard, "HTTP/1.1 200 ", 13);
    leave(&p);
}

static void a_body_that_trickles_is_cut(void **state UNUSED)
{
    static struct peer p;
    enter(&p);
    say(&p, "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    usec begin = loop_now(f.loop);
    while (!p.ended && loop_now(f.loop) - begin < 300 * USEC_PER_SEC) {
        say(&p, "x");
        pass(5 * USEC_PER_SEC);
    }
    assert_true(p.ended);
    assert_in_range(p.ended_at - begin, 29 * USEC_PER_SEC, 62 * USEC_PER_SEC);
    assert_int_equal(count(&p, "HTTP/1.1 200"), 0);
    leave(&p);
}

/* What does not read holds nothing for ever; and costs its window meanwhile, not the whole answer. */
static void who_does_not_read_is_cut(void **state UNUSED)
{
    static struct peer p;
    enter(&p);
    p.deaf = true;
    usec begin = loop_now(f.loop);
    say(&p, "GET /bytes/100000000 HTTP/1.1\r\nHost: h\r\n\r\n");
    pass(300 * USEC_PER_SEC);
    struct web_counters counters;
    web_counters(f.web, &counters);
    assert_int_equal(counters.open, 0);
    assert_true(counters.octets_sent < 16 << 20); /* what the windows and queues on the way hold */
    assert_true(p.stream == NULL && p.error != 0);
    assert_in_range(p.ended_at - begin, 59 * USEC_PER_SEC, 130 * USEC_PER_SEC);
    leave(&p);
}

static void who_reads_slowly_gets_all(void **state UNUSED)
{
    static struct peer p;
    enter(&p);
    p.deaf = true;
    say(&p, "GET /bytes/3000000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    for (unsigned i = 0; i < 200 && !p.ended; i++) {
        pass(20 * USEC_PER_SEC);
        p.deaf = false;
        if (p.stream != NULL)
            stream_resume(p.stream);
        pass(USEC_PER_MSEC);
        p.deaf = true;
    }
    p.deaf = false;
    pass(USEC_PER_SEC);
    assert_true(p.ended && p.error == 0);
    assert_in_range(p.octets, 3000000, 3001000);
    leave(&p);
}

/* ---- several at once ---- */

#define GOOD "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"

/* RFC 9112 §9.3.2: in their order; behind what is no request, nothing. */
static void errors_between_requests(void **state UNUSED)
{
    static const struct {
        const char *name, *text;
        unsigned answers, good;
        const char *last;
    } cases[] = {
        {"what is not there is no end", GOOD "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" GOOD, 3, 2, NULL},
        {"a line that is none", GOOD "GET\r\n\r\n" GOOD, 2, 1, "HTTP/1.1 400 "},
        {"no Host", GOOD "GET / HTTP/1.1\r\n\r\n" GOOD, 2, 1, "HTTP/1.1 400 "},
        {"two lengths", GOOD "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx" GOOD, 2, 1,
         "HTTP/1.1 400 "},
        {"a length and chunks",
         GOOD "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GOOD, 2, 1,
         "HTTP/1.1 400 "},
        {"a chunk that is none", GOOD "PUT /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" GOOD, 2, 1,
         "HTTP/1.1 400 "},
        {"another version", GOOD "GET / HTTP/3.0\r\nHost: h\r\n\r\n" GOOD, 2, 1, "HTTP/1.1 505 "},
        {"a coding that nobody knows", GOOD "PUT /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x, chunked\r\n\r\n" GOOD, 2, 1,
         "HTTP/1.1 501 "},
        {"a method that nobody knows is no end", GOOD "BREW /healthz HTTP/1.1\r\nHost: h\r\n\r\n" GOOD, 3, 2, NULL},
        {"close says when it is over", GOOD "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GOOD, 2, 2, NULL},
        {"blank lines between them (RFC 9112 §2.2)", GOOD "\r\n" GOOD, 2, 2, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned whole = 0; whole < 2; whole++) {
            static struct peer p;
            enter(&p);
            size_t len = strlen(cases[i].text);
            size_t piece = whole ? len : 7;
            for (size_t at = 0; at < len && p.stream != NULL; at += piece) {
                (void)stream_send(p.stream, bytes_first(bytes_of_text(cases[i].text + at), piece));
                pass(USEC_PER_MSEC);
            }
            pass(USEC_PER_SEC);
            CHECK_EQUAL(cases[i].name, count(&p, "HTTP/1.1 "), cases[i].answers);
            CHECK_EQUAL(cases[i].name, count(&p, "HTTP/1.1 200 "), cases[i].good);
            if (cases[i].last != NULL) {
                CHECK(cases[i].name, strstr(p.heard, cases[i].last) != NULL);
                CHECK(cases[i].name, p.ended);
            }
            leave(&p);
        }
    }
}

/* ---- Expect ---- */

/* RFC 9110 §10.1.1: who waits is told to go on, or gets the answer instead. */
static void who_asks_before_it_sends(void **state UNUSED)
{
    static struct peer p;
    enter(&p);
    say(&p, "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(p.heard, "HTTP/1.1 100 Continue\r\n\r\n");
    say(&p, "12345");
    assert_int_equal(count(&p, "HTTP/1.1 200 "), 1);
    say(&p, GOOD);
    assert_int_equal(count(&p, "HTTP/1.1 200 "), 2);
    leave(&p);

    enter(&p);
    say(&p, "PUT /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(count(&p, "HTTP/1.1 100 "), 0);
    assert_memory_equal(p.heard, "HTTP/1.1 405 ", 13);
    leave(&p);

    enter(&p);
    say(&p, "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n12345" GOOD);
    assert_int_equal(count(&p, "HTTP/1.1 200 "), 2);
    leave(&p);

    enter(&p);
    say(&p, "PUT /sink HTTP/1.0\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n12345");
    assert_int_equal(count(&p, "HTTP/1.1 100 "), 0); /* §10.1.1: of HTTP/1.0 it is ignored */
    assert_int_equal(count(&p, "200 "), 1);
    leave(&p);
}

/* ---- Upgrade ---- */

static void begin_with_socket(void)
{
    static struct web_config config;
    config = (struct web_config){.listen_count = 1, .host_count = 1, .connections_max = 2};
    struct web_rule *own = web_config_add_rule(&config, NULL);
    assert_non_null(own);
    struct web_rule *echo = web_config_add_rule(&config, NULL);
    assert_non_null(echo);
    assert_true(web_rule_set_pattern(echo, bytes_of_text("/echo")));
    strcpy(echo->websocket, WEB_SOCKET_ECHO);
    config.hosts[0].rule_count = 2;
    config.listens[0].at = (struct endpoint){.port = 80};
    f = (struct web_fixture){.kind = &perfect, .seed = 1};
    web_fixture_start(&f, &(struct web_options){.config = &config});
    web_config_done(&config);
}

#define UPGRADE                                                                                   \
    "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"              \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define FRAME "\x81\x82\x01\x01\x01\x01\x69\x68" /* "hi", masked */

/* What comes behind the head is of the new protocol at once (RFC 9110 §7.8), and requests before it are answered. */
static void another_protocol_behind_a_request(void **state UNUSED)
{
    static struct peer p;
    begin_with_socket();
    for (size_t piece = 1; piece < 400; piece = piece * 5 + 1) {
        static const char text[] = GOOD UPGRADE FRAME;
        enter(&p);
        for (size_t at = 0; at < sizeof text - 1; at += piece) {
            (void)stream_send(p.stream, bytes_first(bytes_of(text + at, sizeof text - 1 - at), piece));
            pass(USEC_PER_MSEC);
        }
        pass(USEC_PER_SEC);
        assert_int_equal(count(&p, "HTTP/1.1 200 "), 1);
        assert_int_equal(count(&p, "HTTP/1.1 101 "), 1);
        assert_memory_equal(p.heard + p.len - 4, "\x81\x02hi", 4);
        leave(&p);
    }
}

/* ---- limits ---- */

/* An idle one makes room; when all are at work there is 503. */
static void more_connections_than_may_be(void **state UNUSED)
{
    static struct peer idle, socket, other, late;
    begin_with_socket();
    enter(&idle);
    say(&idle, GOOD);
    enter(&socket);
    (void)stream_send(socket.stream, bytes_of_text(UPGRADE));
    pass(USEC_PER_SEC);
    enter(&other);
    (void)stream_send(other.stream, bytes_of_text(UPGRADE));
    pass(USEC_PER_SEC);
    assert_true(idle.ended);
    assert_int_equal(count(&other, "HTTP/1.1 101 "), 1);
    enter(&late);
    if (late.stream != NULL)
        (void)stream_send(late.stream, bytes_of_text(GOOD));
    pass(USEC_PER_SEC);
    assert_int_equal(count(&late, "HTTP/1.1 200 "), 0);
    assert_int_equal(count(&late, "HTTP/1.1 503 "), 1);
    assert_false(socket.ended || other.ended);
    leave(&idle);
    leave(&late);
    leave(&other);
    leave(&socket);
}

/* Closed wherever it stands: nothing is left of it. */
static void who_goes_in_the_middle(void **state UNUSED)
{
    static const char text[] = GOOD "PUT /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "5\r\nabcde\r\n0\r\n\r\nGET /bytes/2000000 HTTP/1.1\r\nHost: h\r\n\r\n";
    static struct peer p;
    for (size_t len = 0; len < sizeof text; len++) {
        for (unsigned how = 0; how < 2; how++) {
            struct web_counters counters;
            enter(&p);
            (void)stream_send(p.stream, bytes_of(text, len));
            pass(USEC_PER_MSEC);
            if (p.stream != NULL && how == 0)
                stream_abort(p.stream);
            else if (p.stream != NULL)
                stream_close(p.stream);
            p.stream = NULL;
            pass(12 * USEC_PER_SEC);
            web_counters(f.web, &counters);
            assert_int_equal(counters.open, 0);
        }
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)
    static const struct CMUnitTest tests[] = {
        TEST(a_head_that_trickles_is_cut),
        TEST(a_head_in_pieces_is_answered),
        TEST(a_body_that_trickles_is_cut),
        TEST(who_does_not_read_is_cut),
        TEST(who_reads_slowly_gets_all),
        TEST(errors_between_requests),
        TEST(who_asks_before_it_sends),
        TEST(who_goes_in_the_middle),
        cmocka_unit_test_teardown(another_protocol_behind_a_request, stop),
        cmocka_unit_test_teardown(more_connections_than_may_be, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

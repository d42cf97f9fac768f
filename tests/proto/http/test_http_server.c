/* SPDX-License-Identifier: ISC */
#include "proto/http/http_server.h"

#include "tests/support/check.h"
#include "tests/support/http_play.h"

#define HOST "Host: h\r\n"
#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define OK_HELLO_CLOSE "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
#define REFUSAL(code, reason, len)                                                                \
    "HTTP/1.1 " code " " reason "\r\nContent-Type: text/plain\r\nContent-Length: " len            \
    "\r\nConnection: close\r\n\r\n" code " " reason "\n"
#define BAD_REQUEST REFUSAL("400", "Bad Request", "16")
#define TOO_LARGE REFUSAL("413", "Content Too Large", "22")

static const struct {
    const char *name;
    const char *in;
    const char *events;
    const char *out;
    enum http_server_want want; /* before the client's FIN */
} cases[] = {
    {"a request", "GET / HTTP/1.1\r\n" HOST "\r\n", "GET /;", OK_HELLO, HTTP_SERVER_STAY},
    {"pipelined requests are answered in order (RFC 9112 §9.3.2)",
     "GET /1 HTTP/1.1\r\n" HOST "\r\nGET /none HTTP/1.1\r\n" HOST "\r\nGET /3 HTTP/1.1\r\n" HOST
     "\r\n",
     "GET /1;GET /none;GET /3;", OK_HELLO "HTTP/1.1 204 No Content\r\n\r\n" OK_HELLO,
     HTTP_SERVER_STAY},
    {"empty lines before a request (§2.2)",
     "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n", "GET /;GET /2;",
     OK_HELLO OK_HELLO, HTTP_SERVER_STAY},
    {"too many empty lines", "\r\n\r\n\r\n\r\n\r\n", "", BAD_REQUEST, HTTP_SERVER_FINISH},
    {"close is obeyed, and nothing after it is read",
     "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n", "GET /;",
     OK_HELLO_CLOSE, HTTP_SERVER_LEAVE},
    {"after a body more may follow (an empty line, from some)",
     "PUT /take HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 2\r\n\r\nab", "PUT /take;end;",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", HTTP_SERVER_FINISH},
    {"the service closes", "GET /close HTTP/1.1\r\n" HOST "\r\n", "GET /close;",
     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye", HTTP_SERVER_FINISH},
    {"1.0 closes", "GET / HTTP/1.0\r\n\r\n", "GET /;", OK_HELLO_CLOSE, HTTP_SERVER_LEAVE},
    {"1.0 stays when asked to", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /;",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
     HTTP_SERVER_STAY},
    {"HEAD has the head of GET alone", "HEAD / HTTP/1.1\r\n" HOST "\r\n", "HEAD /;",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_SERVER_STAY},
    {"HEAD of a stream", "HEAD /stream HTTP/1.1\r\n" HOST "\r\n", "HEAD /stream;",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_SERVER_STAY},
    {"a stream in 1.0 ends with the connection", "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     "GET /stream;", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789", HTTP_SERVER_FINISH},
    {"a body with a length", "PUT /take HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "PUT /take;end;",
     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", HTTP_SERVER_STAY},
    {"a body of no octets", "PUT /take HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "PUT /take;end;",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_SERVER_STAY},
    {"no body at all", "PUT /take HTTP/1.1\r\n" HOST "\r\n", "PUT /take;end;",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_SERVER_STAY},
    {"a chunked body, and the request after it",
     "PUT /take HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: v"
     "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
     "PUT /take;end;GET /;", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" OK_HELLO,
     HTTP_SERVER_STAY},
    {"Expect gets 100 when the body is wanted (RFC 9110 §10.1.1)",
     "PUT /take HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nab", "PUT /take;end;",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
     HTTP_SERVER_STAY},
    {"Expect gets the answer when it is not, and no further request",
     "PUT /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", "PUT /x;",
     OK_HELLO_CLOSE, HTTP_SERVER_FINISH},
    {"Expect of 1.0 is ignored",
     "PUT /take HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", "PUT /take;end;",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", HTTP_SERVER_FINISH},
    {"another expectation", "PUT /take HTTP/1.1\r\n" HOST "Expect: tea\r\nContent-Length: 2\r\n\r\n", "",
     REFUSAL("417", "Expectation Failed", "23"), HTTP_SERVER_FINISH},
    {"a short unwanted body is read past",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nGETGET /2 HTTP/1.1\r\n" HOST "\r\n", "POST /;GET /2;",
     OK_HELLO OK_HELLO, HTTP_SERVER_STAY},
    {"a long unwanted body costs the connection",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", "POST /;", OK_HELLO_CLOSE,
     HTTP_SERVER_FINISH},
    {"so does a chunked one", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST /;",
     OK_HELLO_CLOSE, HTTP_SERVER_FINISH},
    {"a body that is too large by its length",
     "PUT /take HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n", "PUT /take;too large;", TOO_LARGE,
     HTTP_SERVER_FINISH},
    {"a body that grows too large",
     "PUT /take HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n64\r\n"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "\r\n1\r\n0\r\n",
     "PUT /take;failed;", TOO_LARGE, HTTP_SERVER_FINISH},
    {"a malformed chunk", "PUT /take HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n",
     "PUT /take;failed;", BAD_REQUEST, HTTP_SERVER_FINISH},
    {"both lengths (§6.1)",
     "PUT /take HTTP/1.1\r\n" HOST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "",
     BAD_REQUEST, HTTP_SERVER_FINISH},
    {"an unknown coding", "PUT /take HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", "",
     REFUSAL("501", "Not Implemented", "20"), HTTP_SERVER_FINISH},
    {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", REFUSAL("505", "HTTP Version Not Supported", "31"),
     HTTP_SERVER_FINISH},
    {"a TLS hello is refused at its first octet", "\x16\x03\x01", "", BAD_REQUEST, HTTP_SERVER_FINISH},
    {"a bare LF is refused at once", "GET / HTTP/1.0\n", "", BAD_REQUEST, HTTP_SERVER_FINISH},
    {"a target that is none", "GET x HTTP/1.1\r\n" HOST "\r\n", "", BAD_REQUEST, HTTP_SERVER_FINISH},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS *;", OK_HELLO, HTTP_SERVER_STAY},
    {"an absolute target", "GET http://h/x HTTP/1.1\r\n" HOST "\r\n", "GET http://h/x;", OK_HELLO,
     HTTP_SERVER_STAY},
    {"less than was announced is never taken for whole", "GET /short HTTP/1.1\r\n" HOST "\r\n",
     "GET /short;", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HTTP_SERVER_ABORT},
    {"a refusal after HEAD has its body", "HEAD / HTTP/1.1\r\n" HOST "\r\n\x16", "HEAD /;",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" BAD_REQUEST, HTTP_SERVER_FINISH},
    {"half a request", "GET / HTTP/1.1\r\nHos", "", "", HTTP_SERVER_STAY},
    {"nothing", "", "", "", HTTP_SERVER_STAY},
};

static void play_case(size_t i, size_t piece, size_t reader)
{
    struct play p;
    play_init(&p, reader);
    play_all(&p, bytes_of_text(cases[i].in), piece);
    if (strcmp(p.out, cases[i].out) != 0)
        fail_msg("%s, in pieces of %zu: sent\n%s\nexpected\n%s", cases[i].name, piece, p.out,
                 cases[i].out);
    CHECK(cases[i].name, strcmp(p.events, cases[i].events) == 0);
    CHECK_EQUAL(cases[i].name, http_server_want(&p.server), cases[i].want);
    play_end(&p);
    CHECK_EQUAL(cases[i].name, http_server_want(&p.server),
                cases[i].want == HTTP_SERVER_ABORT ? HTTP_SERVER_ABORT : HTTP_SERVER_CLOSE);
    CHECK(cases[i].name, strcmp(p.out, cases[i].out) == 0);
    play_done(&p);
}

/* 9112/2.2-4 9112/2.2-5 9112/2.3-1 9112/6.3-3 9112/6.1-2 9112/6.1-3 9112/8-1 9112/9.3-2
 * 9112/9.3-3 9112/9.3.2-1 9112/9.6-1 9112/9.6-2 9110/8.6-1 9110/8.6-2 9110/9.3.2-1 9110/10.1.1-1
 * 9110/10.1.1-2 9110/10.1.1-3 9110/10.1.1-4 9110/15.2-1. */
static void what_is_said_does_not_depend_on_pieces(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].in);
        for (size_t piece = 1; piece <= len; piece++)
            play_case(i, piece, 100000);
        play_case(i, len + 1, 1); /* a client that reads octet by octet */
        play_case(i, 1, 3);
    }
}

/* 9112/6.1-1. */
static void a_stream_is_chunked(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("GET /stream HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n"));
    assert_string_equal(p.out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "a\r\n0123456789\r\n0\r\n\r\n" OK_HELLO);
    play_done(&p);
}

static void a_large_body_passes_beside_the_output(void **state UNUSED)
{
    for (size_t reader = 777; reader < 200000; reader *= 7) {
        struct play p;
        play_init(&p, reader);
        play_feed(&p, bytes_of_text("GET /big HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n"));
        const char *body = strstr(p.out, "\r\n\r\n") + 4;
        assert_int_equal(strspn(body, "x"), PLAY_BIG);
        assert_string_equal(body + PLAY_BIG, OK_HELLO);
        play_done(&p);
    }
}

/* 9110/6.6.1-1. */
static void a_long_stream_waits_for_room(void **state UNUSED)
{
    static struct http_server s;
    static struct http_server_event event;
    static uint8_t data[3 * HTTP_SERVER_OUTPUT_MAX];
    struct bytes in = bytes_of_text("GET / HTTP/1.1\r\n" HOST "\r\n");
    http_server_init(&s, "wholenet", 0);
    http_server_set_wall(&s, 784111777);
    assert_int_equal(http_server_input(&s, in, 0, &event), in.len);
    assert_int_equal(event.kind, HTTP_SERVER_REQUEST);
    assert_true(http_server_respond(
        &s, &(struct http_response){.status = 200, .length = HTTP_LENGTH_UNKNOWN}));
    size_t taken = http_server_body(&s, bytes_of(data, sizeof data));
    assert_in_range(taken, HTTP_SERVER_OUTPUT_MAX / 2, HTTP_SERVER_OUTPUT_MAX);
    assert_int_equal(http_server_body(&s, bytes_of(data, sizeof data)), 0);
    http_server_body_end(&s); /* there is always room for the last chunk */
    struct bytes out = http_server_output(&s);
    assert_memory_equal(out.data + out.len - 5, HTTP_CHUNK_LAST, 5);
    assert_non_null(strstr((const char *)out.data,
                           "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: wholenet\r\n"));
    http_server_sent(&s, out.len, 0);
    assert_true(http_server_idle(&s));
    char date[] = "Mon, 07 Nov 1994 08:49:37 GMT"; /* the owner's, which may change */
    http_server_set_date(&s, date);
    date[0] = 'X';
    assert_int_equal(http_server_input(&s, in, 0, &event), in.len);
    assert_true(http_server_respond(&s, &(struct http_response){.status = 204}));
    out = http_server_output(&s);
    assert_memory_equal(out.data, "HTTP/1.1 204 No Content\r\nDate: Xon, 07 Nov 1994 08:49:37 GMT\r\n", 62);
    http_server_sent(&s, out.len, 0);
}

/* 9112/11.1-1. */
static void a_head_that_does_not_fit_becomes_500(void **state UNUSED)
{
    static struct http_server s;
    static struct http_server_event event;
    static uint8_t value[HTTP_SERVER_OUTPUT_MAX];
    static const struct {
        size_t len;
        uint8_t octet;
        bool want;
    } cases_500[] = {{100, 'x', true}, {HTTP_SERVER_OUTPUT_MAX, 'x', false}, {10, '\n', false}};
    for (size_t i = 0; i < ARRAY_LEN(cases_500); i++) {
        http_server_init(&s, NULL, 0);
        (void)http_server_input(&s, bytes_of_text("GET / HTTP/1.1\r\n" HOST "\r\n"), 0, &event);
        memset(value, cases_500[i].octet, sizeof value);
        struct http_field field = {bytes_of_text("Location"), bytes_of(value, cases_500[i].len)};
        assert_int_equal(http_server_respond(&s, &(struct http_response){.status = 301,
                                                                         .fields = &field,
                                                                         .field_count = 1}),
                         cases_500[i].want);
        assert_int_equal(s.status, cases_500[i].want ? 301 : 500);
    }
}

/* 9112/3-2. */
static void heads_have_limits(void **state UNUSED)
{
    static const struct {
        size_t line, head;
        const char *want;
    } limits[] = {
        {HTTP_LINE_MAX + 1, 0, "HTTP/1.1 414"},
        {20, HTTP_HEAD_MAX + 1, "HTTP/1.1 431"},
    };
    static char text[HTTP_HEAD_MAX + 10];
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        for (size_t piece = 1000; piece < 40000; piece *= 6) {
            struct play p;
            play_init(&p, 100000);
            size_t len = limits[i].head > 0 ? limits[i].head : limits[i].line;
            memset(text, 'a', len);
            memcpy(text, "GET /", 5);
            if (limits[i].head > 0)
                memcpy(text, "GET / HTTP/1.1\r\nA: ", 19);
            play_all(&p, bytes_of(text, len), piece);
            assert_memory_equal(p.out, limits[i].want, 12);
            assert_int_equal(http_server_want(&p.server), HTTP_SERVER_FINISH);
            play_done(&p);
        }
    }
}

/* ---- time ---- */

/* 9112/9.5-1. */
static void an_idle_connection_is_let_go_without_a_word(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("GET / HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(http_server_idle(&p.server));
    play_wait(&p, HTTP_SERVER_IDLE_TIMEOUT - 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_STAY);
    play_wait(&p, 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_CLOSE);
    assert_string_equal(p.out, OK_HELLO);
    play_done(&p);
}

static void no_request_is_read_while_an_answer_waits(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    p.client_stuck = true;
    play_feed(&p, bytes_of_text("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"));
    assert_string_equal(p.events, "GET /1;");
    play_wait(&p, HTTP_SERVER_SEND_TIMEOUT - 1);
    p.client_stuck = false;
    play_pump(&p);
    assert_string_equal(p.events, "GET /1;GET /2;");
    play_wait(&p, HTTP_SERVER_IDLE_TIMEOUT - 1); /* from what it has read last */
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_STAY);
    play_done(&p);
}

static void idleness_begins_when_the_answer_is_gone(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    p.client_stuck = true;
    play_feed(&p, bytes_of_text("GET / HTTP/1.1\r\n" HOST "\r\n"));
    play_wait(&p, HTTP_SERVER_SEND_TIMEOUT - 1);
    p.client_stuck = false;
    play_pump(&p);
    play_wait(&p, HTTP_SERVER_IDLE_TIMEOUT - 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_STAY);
    play_wait(&p, 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_CLOSE);
    play_done(&p);
}

/* 9112/9.5-1 9112/9.6-2. */
static void a_slow_head_gets_408(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    play_wait(&p, HTTP_SERVER_IDLE_TIMEOUT - 1);
    for (size_t i = 0; i < 9; i++) { /* an octet a second earns nothing */
        play_feed(&p, bytes_of_text("G"));
        play_wait(&p, USEC_PER_SEC);
    }
    assert_false(http_server_idle(&p.server));
    assert_int_equal(p.out_len, 0);
    play_wait(&p, USEC_PER_SEC);
    assert_string_equal(p.out, REFUSAL("408", "Request Timeout", "20"));
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_FINISH);
    play_wait(&p, HTTP_SERVER_LINGER - 1);
    play_feed(&p, bytes_of_text("late"));
    assert_int_equal(p.pending_len, 0);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_FINISH);
    play_wait(&p, 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_CLOSE);
    play_done(&p);
}

static void a_body_has_to_keep_up_a_rate(void **state UNUSED)
{
    static uint8_t data[HTTP_SERVER_PROGRESS_MIN];
    memset(data, 'y', sizeof data);
    struct play p;
    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("PUT /take HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n"));
    play_wait(&p, HTTP_SERVER_BODY_TIMEOUT - 1);
    play_feed(&p, bytes_of_text("a"));
    play_wait(&p, 1);
    assert_string_equal(p.events, "PUT /take;failed;");
    assert_memory_equal(p.out, "HTTP/1.1 408", 12);
    play_done(&p);

    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n"));
    for (size_t i = 0; i < 10; i++) {
        play_wait(&p, HTTP_SERVER_BODY_TIMEOUT - 1);
        play_feed(&p, bytes_of(data, sizeof data));
    }
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_STAY);
    play_wait(&p, HTTP_SERVER_BODY_TIMEOUT); /* answered already: no second answer */
    assert_string_equal(p.out, OK_HELLO);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_FINISH);
    play_done(&p);
}

static void a_client_that_does_not_read_is_reset(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    p.client_stuck = true;
    play_feed(&p, bytes_of_text("GET /big HTTP/1.1\r\n" HOST "\r\n"));
    play_wait(&p, HTTP_SERVER_SEND_TIMEOUT - 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_STAY);
    play_wait(&p, 1);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_ABORT);
    assert_int_equal(http_server_deadline(&p.server), USEC_NEVER);
    play_done(&p);
}

static void the_service_may_take_its_time(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("GET /wait HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"));
    assert_int_equal(http_server_deadline(&p.server), USEC_NEVER);
    assert_string_equal(p.events, "GET /wait;");
    play_wait(&p, USEC_PER_HOUR);
    play_answer(&p);
    play_pump(&p);
    assert_string_equal(p.events, "GET /wait;GET /2;");
    assert_string_equal(p.out, OK_HELLO OK_HELLO);
    play_done(&p);
}

/* ---- the client's end ---- */

static void requests_before_a_fin_are_answered(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("GET /wait HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"));
    play_end(&p);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_STAY);
    play_answer(&p);
    play_pump(&p);
    assert_string_equal(p.out, OK_HELLO OK_HELLO);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_CLOSE);
    play_done(&p);
}

/* 9112/8-1. */
static void a_body_cut_off_by_a_fin_fails(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    play_feed(&p, bytes_of_text("PUT /take HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab"));
    play_end(&p);
    assert_string_equal(p.events, "PUT /take;failed;");
    assert_string_equal(p.out, BAD_REQUEST);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_CLOSE);
    play_done(&p);
}

static void one_connection_too_many_is_told_so(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    http_server_refuse(&p.server, 503);
    play_feed(&p, bytes_of_text("GET / HTTP/1.1\r\n" HOST "\r\n"));
    assert_string_equal(p.events, "");
    assert_string_equal(p.out, REFUSAL("503", "Service Unavailable", "24"));
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_FINISH);
    play_done(&p);
}

static void a_refusal_after_the_answer_began_aborts(void **state UNUSED)
{
    struct play p;
    play_init(&p, 100000);
    p.client_stuck = true;
    play_feed(&p, bytes_of_text("GET /big HTTP/1.1\r\n" HOST "\r\n"));
    http_server_refuse(&p.server, 500);
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_ABORT);
    play_done(&p);
}

static struct http_server relay;

static size_t relay_input(const char *text, struct http_server_event *event)
{
    return http_server_input(&relay, bytes_of_text(text), 1, event);
}

static void expect_relay(const char *want)
{
    struct bytes out = http_server_output(&relay);
    char got[2000];
    snprintf(got, sizeof got, "%.*s", (int)out.len, (const char *)out.data);
    assert_string_equal(got, want);
    http_server_sent(&relay, out.len, 1);
}

/* RFC 9110 §10.1.1, §15.2: an intermediary passes on what the origin says. */
static void interim_responses_come_from_the_service(void **state UNUSED)
{
    static struct http_server_event event;
    http_server_init(&relay, NULL, 0);
    (void)relay_input("PUT / HTTP/1.1\r\n" HOST
                      "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", &event);
    assert_int_equal(event.kind, HTTP_SERVER_REQUEST);
    assert_true(http_server_relay_body(&relay, 100));
    expect_relay("");
    struct http_field link = {bytes_of_text("Link"), bytes_of_text("</a>; rel=preload")};
    assert_true(http_server_interim(&relay, 103, &link, 1));
    assert_true(http_server_interim(&relay, 100, NULL, 0));
    expect_relay("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
                 "HTTP/1.1 100 Continue\r\n\r\n");
    assert_false(http_server_interim(&relay, 100, NULL, 0)); /* once is enough */
    http_server_init(&relay, NULL, 0);
    (void)relay_input("GET / HTTP/1.0\r\n\r\n", &event);
    assert_false(http_server_interim(&relay, 103, NULL, 0));
    http_server_init(&relay, NULL, 0);
    (void)relay_input("GET / HTTP/1.1\r\n" HOST "\r\n", &event);
    assert_false(http_server_interim(&relay, 100, NULL, 0)); /* not expected */
    size_t count = 0;
    while (http_server_interim(&relay, 103, &link, 1))
        count++; /* a client that does not read them is not given more */
    assert_in_range(count, 10, HTTP_SERVER_OUTPUT_MAX / 20);
    assert_true(http_server_respond(&relay, &(struct http_response){.status = 204}));
}

static void large_heads_go_beside_the_output(void **state UNUSED)
{
    static struct http_server_event event;
    static char value[6000];
    static uint8_t head[8000];
    memset(value, 'v', sizeof value - 1);
    http_server_init(&relay, NULL, 0);
    (void)relay_input("GET / HTTP/1.1\r\n" HOST "\r\n", &event);
    struct http_field field = {bytes_of_text("X"), bytes_of_text(value)};
    struct http_response response = {
        .status = 200, .length = HTTP_LENGTH_UNKNOWN, .fields = &field, .field_count = 1};
    struct writer w = writer_of(head, sizeof head);
    assert_true(http_server_respond_to(&relay, &response, &w));
    assert_in_range(writer_len(&w), sizeof value, sizeof head);
    expect_relay("");
    assert_true(http_server_may_pass_chunk(&relay));
    http_server_chunk_passed(&relay, 8, 1);
    http_server_body_end_with(&relay, bytes_of_text("T: v\r\n"));
    expect_relay("0\r\nT: v\r\n\r\n");
    assert_true(http_server_idle(&relay));
    (void)relay_input("GET / HTTP/1.1\r\n" HOST "\r\n", &event);
    w = writer_of(head, 100);
    assert_false(http_server_respond_to(&relay, &response, &w));
    assert_int_equal(relay.status, 500);
}

static void trailers_that_do_not_fit_are_left_out(void **state UNUSED)
{
    static struct http_server_event event;
    static char many[HTTP_SERVER_OUTPUT_MAX + 1];
    memset(many, 't', sizeof many - 1);
    http_server_init(&relay, NULL, 0);
    (void)relay_input("GET / HTTP/1.1\r\n" HOST "\r\n", &event);
    assert_true(http_server_respond(
        &relay, &(struct http_response){.status = 200, .length = HTTP_LENGTH_UNKNOWN}));
    expect_relay("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    http_server_body_end_with(&relay, bytes_of_text(many));
    expect_relay(HTTP_CHUNK_LAST);
}

#define UPGRADE "GET /chat HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: x\r\n\r\n"

/* RFC 9110 §7.8: what follows 101 is the other protocol's, both ways, and no time holds. */
static void a_connection_may_speak_another_protocol(void **state UNUSED)
{
    static struct http_server_event event;
    const struct http_field fields[] = {{bytes_of_text("Upgrade"), bytes_of_text("x")}};
    http_server_init(&relay, NULL, 0);
    (void)relay_input(UPGRADE, &event);
    assert_int_equal(event.kind, HTTP_SERVER_REQUEST);
    assert_true(http_server_switch(&relay, fields, 1));
    expect_relay("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
    assert_int_equal(http_server_input(&relay, bytes_of_text("GET\n"), 1, &event), 4);
    assert_int_equal(event.kind, HTTP_SERVER_BODY);
    assert_true(bytes_equal(event.data, bytes_of_text("GET\n")));
    assert_true(http_server_may_pass(&relay));
    http_server_passed(&relay, 100, 1);
    http_server_body_waits(&relay, true, 1);
    assert_true(http_server_deadline(&relay) == USEC_NEVER);
    http_server_body_waits(&relay, false, 1);
    assert_true(http_server_deadline(&relay) == 1 + HTTP_SERVER_SEND_TIMEOUT);
    http_server_end(&relay, 1);
    (void)http_server_input(&relay, bytes_empty(), 1, &event);
    assert_int_equal(event.kind, HTTP_SERVER_BODY_END);
    assert_int_equal(http_server_want(&relay), HTTP_SERVER_STAY);
    http_server_body_end(&relay);
    assert_int_equal(http_server_want(&relay), HTTP_SERVER_CLOSE);
}

static void a_body_that_is_held_has_time(void **state UNUSED)
{
    static struct http_server_event event;
    http_server_init(&relay, NULL, 0);
    (void)relay_input("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", &event);
    assert_true(http_server_accept_body(&relay, 100));
    assert_true(http_server_deadline(&relay) == 1 + HTTP_SERVER_BODY_TIMEOUT);
    http_server_hold_body(&relay, true, 1);
    assert_true(http_server_deadline(&relay) == USEC_NEVER);
    http_server_hold_body(&relay, false, 7);
    assert_true(http_server_deadline(&relay) == 7 + HTTP_SERVER_BODY_TIMEOUT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_does_not_depend_on_pieces),
        cmocka_unit_test(a_stream_is_chunked),
        cmocka_unit_test(a_large_body_passes_beside_the_output),
        cmocka_unit_test(a_long_stream_waits_for_room),
        cmocka_unit_test(a_head_that_does_not_fit_becomes_500),
        cmocka_unit_test(heads_have_limits),
        cmocka_unit_test(an_idle_connection_is_let_go_without_a_word),
        cmocka_unit_test(no_request_is_read_while_an_answer_waits),
        cmocka_unit_test(idleness_begins_when_the_answer_is_gone),
        cmocka_unit_test(a_slow_head_gets_408),
        cmocka_unit_test(a_body_has_to_keep_up_a_rate),
        cmocka_unit_test(a_client_that_does_not_read_is_reset),
        cmocka_unit_test(the_service_may_take_its_time),
        cmocka_unit_test(requests_before_a_fin_are_answered),
        cmocka_unit_test(a_body_cut_off_by_a_fin_fails),
        cmocka_unit_test(one_connection_too_many_is_told_so),
        cmocka_unit_test(a_refusal_after_the_answer_began_aborts),
        cmocka_unit_test(interim_responses_come_from_the_service),
        cmocka_unit_test(large_heads_go_beside_the_output),
        cmocka_unit_test(trailers_that_do_not_fit_are_left_out),
        cmocka_unit_test(a_connection_may_speak_another_protocol),
        cmocka_unit_test(a_body_that_is_held_has_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

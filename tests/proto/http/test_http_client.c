/* SPDX-License-Identifier: ISC */
#include "proto/http/http_client.h"

#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/http_play.h"

static struct http_client client;

static bool start(const char *method, bool close)
{
    http_client_init(&client, 1000, 0);
    struct http_request request = {
        .method = method, .target = bytes_of_text("/a?b"), .host = "h:8080", .close = close};
    return http_client_request(&client, &request, 0);
}

struct transcript {
    char text[2000]; /* "100;200;body;end;" */
    size_t at;       /* octets used */
};

/* One call of input() with an exact copy; what it told is added. True while there is progress. */
static bool step(struct transcript *t, struct bytes rest, usec now)
{
    static struct http_client_event event;
    uint8_t *copy = exact_copy(rest.data, rest.len);
    size_t used = http_client_input(&client, bytes_of(copy, rest.len), now, &event);
    size_t len = strlen(t->text);
    char *end = t->text + len;
    size_t size = sizeof t->text - len;
    switch (event.kind) {
    case HTTP_CLIENT_NO_EVENT:
        break;
    case HTTP_CLIENT_SWITCHED:
        snprintf(end, size, "~%u", event.head.status);
        break;
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_HEAD:
        snprintf(end, size, "%u;", event.head.status);
        break;
    case HTTP_CLIENT_BODY:
        snprintf(end, size, "%.*s", (int)event.data.len, (const char *)event.data.data);
        break;
    case HTTP_CLIENT_END:
        snprintf(end, size, ".");
        break;
    case HTTP_CLIENT_FAILED:
        snprintf(end, size, "!%s", http_client_failure_text(event.failure));
        break;
    }
    free(copy);
    t->at += used;
    return used > 0 || event.kind != HTTP_CLIENT_NO_EVENT;
}

static void play_response(struct bytes in, size_t piece, struct transcript *t)
{
    *t = (struct transcript){0};
    for (size_t offered = 0; offered < in.len;) {
        offered = offered + piece < in.len ? offered + piece : in.len;
        while (step(t, bytes_of(in.data + t->at, offered - t->at), 0))
            ;
    }
}

static const struct {
    const char *name;
    const char *method;
    const char *in;
    const char *want;      /* before the server's FIN */
    const char *want_end;  /* after it, added */
    bool reusable;         /* before it */
} cases[] = {
    {"a body with a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200;abc.", "", true},
    {"a body of no octets", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200;.", "", true},
    {"a chunked body", "GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n",
     "200;abc.", "", true},
    {"a body until the end", "GET", "HTTP/1.1 200 OK\r\n\r\nabc", "200;abc", ".", false},
    {"nothing until the end", "GET", "HTTP/1.1 200 OK\r\n\r\n", "200;", ".", false},
    {"no body after HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "200;.", "", true},
    {"no body with 204 and 304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "304;.",
     "", true},
    {"interim responses (RFC 9110 §15.2)", "GET",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
     "100;103;204;.", "", true},
    {"the server closes", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     "200;.", "", false},
    {"1.0 closes", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200;.", "", false},
    {"101 was not asked for", "GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "!malformed response", "",
     false},
    {"more than the body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
     "200;a.!malformed response", "", false},
    {"cut off in the head", "GET", "HTTP/1.1 200 OK\r\nConte", "",
     "!connection closed before the response was complete", false},
    {"cut off before the head", "GET", "", "", "!connection closed before the response was complete", false},
    {"cut off in the body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "200;abc",
     "!connection closed before the response was complete", false},
    {"cut off between chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
     "200;a", "!connection closed before the response was complete", false},
    {"a bad chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
     "200;a!malformed response", "", false},
    {"a length that is too large", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
     "!response too large", "", false},
    {"both lengths", "GET",
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "!malformed response", "",
     false},
    {"not HTTP", "GET", "SSH-2.0-x\r\n\r\n", "!malformed response", "", false},
    {"a bare LF", "GET", "HTTP/1.1 200 OK\n", "!malformed response", "", false},
    {"HTTP/2", "GET", "HTTP/2.0 200 OK\r\n\r\n", "!unsupported response", "", false},
};

static void what_is_heard_does_not_depend_on_pieces(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes in = bytes_of_text(cases[i].in);
        for (size_t piece = 1; piece <= in.len + 1; piece++) {
            struct transcript t;
            assert_true(start(cases[i].method, false));
            http_client_sent(&client, http_client_output(&client).len);
            play_response(in, piece, &t);
            if (strcmp(t.text, cases[i].want) != 0)
                fail_msg("%s: heard %s, expected %s", cases[i].name, t.text, cases[i].want);
            CHECK_EQUAL(cases[i].name, http_client_reusable(&client), cases[i].reusable);
            http_client_end(&client, 0);
            while (step(&t, bytes_empty(), 0))
                ;
            CHECK(cases[i].name, strcmp(t.text + strlen(cases[i].want), cases[i].want_end) == 0);
            CHECK(cases[i].name, !http_client_reusable(&client));
        }
    }
}

static void a_body_without_an_announced_length_is_limited(void **state UNUSED)
{
    static char text[2000] = "HTTP/1.1 200 OK\r\n\r\n";
    struct transcript t;
    assert_true(start("GET", false));
    memset(text + 19, 'x', 1001);
    play_response(bytes_of(text, 19 + 1001), 1, &t);
    assert_non_null(strstr(t.text, "xxx!response too large"));
}

static void requests_are_written_whole_or_not_at_all(void **state UNUSED)
{
    assert_true(start("GET", true));
    struct bytes out = http_client_output(&client);
    const char *want = "GET /a?b HTTP/1.1\r\nHost: h:8080\r\nConnection: close\r\n\r\n";
    assert_true(bytes_equal(out, bytes_of_text(want)));

    static uint8_t large[HTTP_CLIENT_OUTPUT_MAX];
    memset(large, 'x', sizeof large);
    struct http_field fields[] = {
        {bytes_of_text("A"), bytes_of(large, sizeof large)},
        {bytes_of_text("A"), bytes_of_text("b\r\nC: d")},
        {bytes_of_text("A b"), bytes_of_text("c")},
        {bytes_of_text("A"), bytes_of_text("fine")},
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        http_client_init(&client, 1000, 0);
        struct http_request request = {.method = "GET",
                                       .target = bytes_of_text("/"),
                                       .host = "h",
                                       .fields = &fields[i],
                                       .field_count = 1};
        assert_int_equal(http_client_request(&client, &request, 0), i == 3);
    }
    assert_false(start("GE T", false));
}

/* The server may say no before it has heard all; the connection is then in the middle of a body. */
static void an_early_answer_ends_the_connection(void **state UNUSED)
{
    for (uint64_t more = 0; more < 2; more++) {
        struct transcript t;
        http_client_init(&client, 1000, 0);
        struct http_request request = {.method = "PUT",
                                       .target = bytes_of_text("/"),
                                       .host = "h",
                                       .has_body = true,
                                       .body_len = 3 + more};
        assert_true(http_client_request(&client, &request, 0));
        assert_int_equal(http_client_body(&client, bytes_of_text("abc")), 3);
        http_client_sent(&client, http_client_output(&client).len);
        play_response(bytes_of_text("HTTP/1.1 204 No Content\r\n\r\n"), 100, &t);
        assert_string_equal(t.text, "204;.");
        assert_int_equal(http_client_reusable(&client), more == 0);
    }
}

static void silence_times_out(void **state UNUSED)
{
    struct transcript t = {0};
    assert_true(start("GET", false));
    assert_int_equal(http_client_deadline(&client), HTTP_CLIENT_TIMEOUT);
    while (step(&t, bytes_of_text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"), 5) && t.at == 0)
        ;
    while (step(&t, bytes_of_text("a"), 7) && t.text[4] == '\0')
        ;
    assert_int_equal(http_client_deadline(&client), 7 + HTTP_CLIENT_TIMEOUT);
    http_client_tick(&client, 6 + HTTP_CLIENT_TIMEOUT);
    assert_false(step(&t, bytes_empty(), 6 + HTTP_CLIENT_TIMEOUT));
    http_client_tick(&client, 7 + HTTP_CLIENT_TIMEOUT);
    assert_true(step(&t, bytes_empty(), 7 + HTTP_CLIENT_TIMEOUT));
    assert_non_null(strstr(t.text, "!timed out"));
    assert_int_equal(http_client_deadline(&client), USEC_NEVER);
}

/* Both machines against each other, with little room on the way. */
static void our_client_and_our_server_understand_each_other(void **state UNUSED)
{
    static const char *const targets[] = {"/", "/stream", "/none", "/big", "/take", "/close"};
    struct play p;
    play_init(&p, 501);
    http_client_init(&client, UINT64_MAX, 0);
    size_t heard = 0;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct http_request request = {.method = "PUT",
                                       .target = bytes_of_text(targets[i]),
                                       .host = "h",
                                       .has_body = true,
                                       .body_len = 5};
        assert_true(http_client_reusable(&client));
        assert_true(http_client_request(&client, &request, 0));
        assert_int_equal(http_client_body(&client, bytes_of_text("fünfundmehr")), 5);
        size_t body = 0;
        for (bool end = false; !end;) {
            struct bytes out = bytes_first(http_client_output(&client), 7);
            play_feed(&p, out);
            http_client_sent(&client, out.len);
            static struct http_client_event event;
            heard += http_client_input(&client, bytes_of(p.out + heard, p.out_len - heard), 0, &event);
            assert_int_not_equal(event.kind, HTTP_CLIENT_FAILED);
            if (event.kind == HTTP_CLIENT_BODY)
                body += event.data.len;
            end = event.kind == HTTP_CLIENT_END;
        }
        static const size_t want[] = {5, 10, 0, PLAY_BIG, 5, 3};
        CHECK_EQUAL(targets[i], body, want[i]);
    }
    assert_false(http_client_reusable(&client));
    assert_int_equal(http_server_want(&p.server), HTTP_SERVER_FINISH);
    play_done(&p);
}

static bool begin(const struct http_request *request)
{
    http_client_init(&client, 1000, 0);
    return http_client_request(&client, request, 0);
}

static void expect_output(const char *want)
{
    struct bytes out = http_client_output(&client);
    char got[1000];
    snprintf(got, sizeof got, "%.*s", (int)out.len, (const char *)out.data);
    assert_string_equal(got, want);
    http_client_sent(&client, out.len);
}

static void a_body_of_unknown_length_goes_in_chunks(void **state UNUSED)
{
    assert_true(begin(&(struct http_request){.method = "POST",
                                             .target = bytes_of_text("/"),
                                             .host = "h",
                                             .has_body = true,
                                             .body_len = HTTP_CLIENT_LENGTH_UNKNOWN}));
    expect_output("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(http_client_body(&client, bytes_of_text("abc")), 3);
    assert_false(http_client_body_complete(&client));
    assert_true(http_client_body_end(&client, bytes_of_text("T: v\r\n")));
    assert_true(http_client_body_complete(&client));
    expect_output("3\r\nabc\r\n0\r\nT: v\r\n\r\n");
    static uint8_t much[HTTP_CLIENT_OUTPUT_MAX];
    assert_true(begin(&(struct http_request){.method = "POST",
                                             .target = bytes_of_text("/"),
                                             .has_body = true,
                                             .body_len = HTTP_CLIENT_LENGTH_UNKNOWN}));
    size_t taken = http_client_body(&client, bytes_of(much, sizeof much));
    assert_in_range(taken, 1, sizeof much - 1);
    assert_int_equal(http_client_body(&client, bytes_of(much, sizeof much)), 0);
    uint8_t trailers[100] = {0};
    assert_false(http_client_body_end(&client, bytes_of(trailers, sizeof trailers)));
    assert_false(http_client_body_complete(&client));
}

/* RFC 9112 §6.2: a length is said once, and not beside a coding, whoever else would say it. */
static void a_length_is_said_once(void **state UNUSED)
{
    static const struct http_field fields[] = {
        {{(const uint8_t *)"content-length", 14}, {(const uint8_t *)"2", 1}},
        {{(const uint8_t *)"Transfer-Encoding", 17}, {(const uint8_t *)"chunked", 7}},
        {{(const uint8_t *)"A", 1}, {(const uint8_t *)"b", 1}},
    };
    struct http_request request = {.method = "POST",
                                   .target = bytes_of_text("/"),
                                   .fields = fields,
                                   .field_count = ARRAY_LEN(fields),
                                   .has_body = true,
                                   .body_len = 3};
    assert_true(begin(&request));
    expect_output("POST / HTTP/1.1\r\nA: b\r\nContent-Length: 3\r\n\r\n");
    request.body_len = HTTP_CLIENT_LENGTH_UNKNOWN;
    assert_true(begin(&request));
    expect_output("POST / HTTP/1.1\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
    request.has_body = false;
    assert_true(begin(&request));
    expect_output("POST / HTTP/1.1\r\nA: b\r\n\r\n");
    const struct http_field none = {bytes_of_text("Content-Length"), bytes_of_text("0")};
    request.fields = &none;
    request.field_count = 1;
    assert_true(begin(&request));
    expect_output("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
}

static void the_old_version_has_no_chunks(void **state UNUSED)
{
    struct http_request request = {
        .method = "GET", .target = bytes_of_text("/"), .host = "h", .old = true};
    assert_true(begin(&request));
    expect_output("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
    request.has_body = true;
    request.body_len = HTTP_CLIENT_LENGTH_UNKNOWN;
    assert_false(begin(&request));
}

/* RFC 9110 §7.8, §9.3.6 */
static void other_protocols_follow_101_and_connect(void **state UNUSED)
{
    struct transcript t;
    assert_true(begin(&(struct http_request){.method = "GET",
                                             .target = bytes_of_text("/"),
                                             .host = "h",
                                             .upgrade = bytes_of_text("websocket")}));
    expect_output("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    static const char in[] = "HTTP/1.1 101 Switching Protocols\r\n\r\nother";
    play_response(bytes_of_text(in), 5, &t);
    assert_string_equal(t.text, "~101");
    assert_int_equal(t.at, sizeof in - 1 - 5);
    assert_false(http_client_reusable(&client));
    struct http_request connect = {
        .method = "CONNECT", .target = bytes_of_text("h:1"), .host = "h:1"};
    assert_true(begin(&connect));
    play_response(bytes_of_text("HTTP/1.1 204 Whatever\r\nContent-Length: 5\r\n\r\nother"), 100, &t);
    assert_string_equal(t.text, "~204");
    assert_true(begin(&connect));
    play_response(bytes_of_text("HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx"), 100, &t);
    assert_string_equal(t.text, "403;x.");
    assert_true(begin(&(struct http_request){.method = "GET", .target = bytes_of_text("/"), .host = "h"}));
    play_response(bytes_of_text("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 100, &t);
    assert_string_equal(t.text, "!malformed response");
}

static void trailers_are_kept_when_wanted(void **state UNUSED)
{
    struct transcript t;
    for (size_t piece = 1; piece < 90; piece += 11) {
        uint8_t kept[40];
        struct writer w = writer_of(kept, sizeof kept);
        http_client_init(&client, 1000, 0);
        http_client_keep_trailers(&client, &w);
        assert_true(http_client_request(
            &client,
            &(struct http_request){.method = "GET", .target = bytes_of_text("/"), .host = "h"}, 0));
        play_response(bytes_of_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "1\r\na\r\n0\r\nX: y\r\nZ-A:  b c\r\n\r\n"),
                      piece, &t);
        assert_string_equal(t.text, "200;a.");
        assert_true(bytes_equal(writer_bytes(&w), bytes_of_text("X: y\r\nZ-A:  b c\r\n")));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_heard_does_not_depend_on_pieces),
        cmocka_unit_test(a_body_without_an_announced_length_is_limited),
        cmocka_unit_test(requests_are_written_whole_or_not_at_all),
        cmocka_unit_test(an_early_answer_ends_the_connection),
        cmocka_unit_test(silence_times_out),
        cmocka_unit_test(our_client_and_our_server_understand_each_other),
        cmocka_unit_test(a_body_of_unknown_length_goes_in_chunks),
        cmocka_unit_test(a_length_is_said_once),
        cmocka_unit_test(the_old_version_has_no_chunks),
        cmocka_unit_test(other_protocols_follow_101_and_connect),
        cmocka_unit_test(trailers_are_kept_when_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "wire/http/http_head.h"

#include <stdio.h>

#include "tests/support/check.h"

/* ---- the end of a head ---- */

static const struct {
    const char *in;
    enum http_find want;
    size_t len; /* of the head, when done */
} ends[] = {
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\nbody", HTTP_FIND_DONE, 27},
    {"GET / HTTP/1.1\r\n\r\n", HTTP_FIND_DONE, 18},
    {"GET / HTTP/1.1\r\nHost: h\r\n\r", HTTP_FIND_MORE, 0},
    {"GET / HTTP/1.1\n\n", HTTP_FIND_MALFORMED, 0},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", HTTP_FIND_MALFORMED, 0},
    {"GET / HTTP/1.1\r\nHost: h\r\n\n", HTTP_FIND_MALFORMED, 0},
    {"\r\nGET / HTTP/1.1\r\n\r\n", HTTP_FIND_MALFORMED, 0},
    {"\n", HTTP_FIND_MALFORMED, 0},
    {"", HTTP_FIND_MORE, 0},
};

static enum http_find find_in_pieces(struct bytes in, size_t piece, struct http_finder *finder)
{
    *finder = (struct http_finder){0};
    enum http_find found = HTTP_FIND_MORE;
    for (size_t offered = 0; offered < in.len && found == HTTP_FIND_MORE;) {
        offered = offered + piece < in.len ? offered + piece : in.len;
        uint8_t *copy = exact_copy(in.data, offered);
        found = http_find_end(finder, bytes_of(copy, offered));
        free(copy);
    }
    return found;
}

static void the_end_is_found_however_the_head_is_cut(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct bytes in = bytes_of_text(ends[i].in);
        for (size_t piece = 1; piece <= in.len; piece++) {
            struct http_finder finder;
            CHECK_EQUAL(ends[i].in, find_in_pieces(in, piece, &finder), ends[i].want);
            if (ends[i].want == HTTP_FIND_DONE)
                CHECK_EQUAL(ends[i].in, finder.scanned, ends[i].len);
        }
    }
}

/* A head of `line_len` octets of request line and `total` in all. */
static struct bytes make_head(char *out, size_t line_len, size_t total)
{
    memset(out, 'x', total);
    memcpy(out + line_len - 2, "\r\n", 2);
    memcpy(out + total - 4, "\r\n\r\n", 4);
    return bytes_of(out, total);
}

/* 9112/3-1. */
static void limits_are_met_at_the_same_octet(void **state UNUSED)
{
    static const struct {
        const char *name;
        size_t line_len, total;
        enum http_find want;
    } cases[] = {
        {"a line as long as may be", HTTP_LINE_MAX, HTTP_LINE_MAX + 100, HTTP_FIND_DONE},
        {"a line that is too long", HTTP_LINE_MAX + 1, HTTP_LINE_MAX + 100, HTTP_FIND_LONG_LINE},
        {"a head as long as may be", 100, HTTP_HEAD_MAX, HTTP_FIND_DONE},
        {"a head that is too long", 100, HTTP_HEAD_MAX + 1, HTTP_FIND_LONG_HEAD},
        {"both", HTTP_LINE_MAX + 1, HTTP_HEAD_MAX + 1, HTTP_FIND_LONG_LINE},
    };
    static const size_t pieces[] = {1000, 4097, HTTP_HEAD_MAX + 1};
    static char head[HTTP_HEAD_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes in = make_head(head, cases[i].line_len, cases[i].total);
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            struct http_finder finder;
            CHECK_EQUAL(cases[i].name, find_in_pieces(in, pieces[k], &finder), cases[i].want);
        }
    }
}

/* ---- requests ---- */

#define HOST "Host: h\r\n"

static const struct {
    const char *name;
    const char *in;
    unsigned want;
} requests[] = {
    {"a plain request", "GET / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"no space after a colon, and much", "GET / HTTP/1.1\r\nHost:h\r\nA:\t b \r\n\r\n", 0},
    {"an empty value", "GET / HTTP/1.1\r\n" HOST "A:\r\n\r\n", 0},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"obs-text in a value", "GET / HTTP/1.1\r\n" HOST "A: \xe9\r\n\r\n", 0},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0},
    {"a later minor version", "GET / HTTP/1.9\r\n" HOST "\r\n", 0},
    {"an unknown method is the service's affair", "BREW /pot HTTP/1.1\r\n" HOST "\r\n", 0},
    {"1.1 without Host (RFC 9112 §3.2)", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"two Hosts in 1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400},
    {"a Host that is none", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"a Host with user information", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
    {"obs-fold (§5.2)", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400},
    {"a space before the first field", "GET / HTTP/1.1\r\n " HOST "\r\n", 400},
    {"a space before the colon (§5.1)", "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400},
    {"a field without a colon", "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", 400},
    {"a field without a name", "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400},
    {"a bare CR in a value", "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400},
    {"a bare CR in the request line", "GET /\rx HTTP/1.1\r\n" HOST "\r\n", 400},
    {"a bare LF", "GET / HTTP/1.1\n" HOST "\r\n", 400},
    {"a control character in a value", "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400},
    {"DEL in a value", "GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n", 400},
    {"obs-text in the target", "GET /\xe9 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"a fragment in the target", "GET /#a HTTP/1.1\r\n" HOST "\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"a tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"a space at the end of the request line", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {"a space in front", " GET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"HTTP/0.9", "GET /\r\n\r\n", 400},
    {"a version in small letters", "GET / http/1.1\r\n" HOST "\r\n", 400},
    {"a version without minor", "GET / HTTP/1\r\n" HOST "\r\n", 400},
    {"a version with many digits", "GET / HTTP/1.10\r\n" HOST "\r\n", 400},
    {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\n", 505},
    {"HTTP/0.9 with a version", "GET / HTTP/0.9\r\n\r\n", 505},
    {"a method with a bad character", "GE(T / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"a method longer than any", "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDD / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"no end", "GET / HTTP/1.1\r\n" HOST, 400},
    {"octets after the end", "GET / HTTP/1.1\r\n" HOST "\r\nx", 400},
    {"nothing", "", 400},
};

/* 9112/2.2-1 9112/2.2-2 9112/2.2-3 9112/3-3 9112/3.2-1 9112/5.1-1 9112/5.2-1 9110/5.5-1
 * 9110/4.2.4-1. */
static void requests_are_taken_or_refused(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        size_t len = strlen(requests[i].in);
        uint8_t *copy = exact_copy(requests[i].in, len);
        struct http_request_head head;
        CHECK_EQUAL(requests[i].name, http_request_decode(bytes_of(copy, len), &head),
                    requests[i].want);
        free(copy);
    }
}

/* 9110/5.5-1. */
static void a_nul_is_refused_everywhere(void **state UNUSED)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
    for (size_t at = 0; at < sizeof text - 1; at++) {
        uint8_t *copy = exact_copy(text, sizeof text - 1);
        struct http_request_head head;
        copy[at] = 0;
        assert_int_not_equal(http_request_decode(bytes_of(copy, sizeof text - 1), &head), 0);
        free(copy);
    }
}

/* 9110/5.1-1 9110/5.3-1. */
static void parts_of_a_request(void **state UNUSED)
{
    struct http_request_head head;
    assert_int_equal(http_request_decode(bytes_of_text("PUT /a?b HTTP/1.0\r\nA: 1\r\na: 2, x\r\n"
                                                       "B:  c d \r\n\r\n"),
                                         &head),
                     0);
    assert_int_equal(head.version, HTTP_VERSION_1_0);
    assert_true(bytes_equal(head.method, bytes_of_text("PUT")));
    assert_true(bytes_equal(head.target, bytes_of_text("/a?b")));
    assert_int_equal(head.fields.count, 3);
    assert_true(bytes_equal(http_field_value(&head.fields, "a"), bytes_of_text("1")));
    assert_true(bytes_equal(http_field_value(&head.fields, "b"), bytes_of_text("c d")));
    assert_int_equal(http_field_count(&head.fields, "A"), 2);
    assert_true(http_field_has(&head.fields, "A", "X"));
    assert_false(http_field_has(&head.fields, "A", "y"));
    assert_int_equal(http_field_value(&head.fields, "C").len, 0);
    struct bytes value;
    assert_false(http_field_find(&head.fields, "C", &value));
}

static void more_fields_than_we_hold(void **state UNUSED)
{
    for (size_t count = HTTP_FIELDS_MAX; count <= HTTP_FIELDS_MAX + 1; count++) {
        char text[4096] = "GET / HTTP/1.1\r\nHost: h\r\n";
        for (size_t i = 1; i < count; i++)
            strcat(text, "A: b\r\n");
        strcat(text, "\r\n");
        struct http_request_head head;
        assert_int_equal(http_request_decode(bytes_of_text(text), &head),
                         count > HTTP_FIELDS_MAX ? 431 : 0);
    }
}

/* ---- framing ---- */

static const struct {
    const char *name;
    const char *fields; /* after Host */
    unsigned want;
    enum http_framing_kind kind;
    uint64_t length;
} framings[] = {
    {"nothing said", "", 0, HTTP_FRAMING_NONE, 0},
    {"a length", "Content-Length: 42\r\n", 0, HTTP_FRAMING_LENGTH, 42},
    {"a length of nothing", "Content-Length: 0\r\n", 0, HTTP_FRAMING_LENGTH, 0},
    {"equal lengths (RFC 9110 §8.6)", "Content-Length: 42\r\nContent-Length: 42\r\n", 0,
     HTTP_FRAMING_LENGTH, 42},
    {"equal lengths in a list", "Content-Length: 42, 42\r\n", 0, HTTP_FRAMING_LENGTH, 42},
    {"different lengths", "Content-Length: 42\r\nContent-Length: 43\r\n", 400, 0, 0},
    {"different lengths in a list", "Content-Length: 42, 43\r\n", 400, 0, 0},
    {"a list with a gap", "Content-Length: 42,\r\n", 400, 0, 0},
    {"an empty length", "Content-Length:\r\n", 400, 0, 0},
    {"an empty length beside a good one", "Content-Length: 4\r\nContent-Length:\r\n", 400, 0, 0},
    {"a sign", "Content-Length: +42\r\n", 400, 0, 0},
    {"a negative length", "Content-Length: -1\r\n", 400, 0, 0},
    {"hexadecimal", "Content-Length: 0x10\r\n", 400, 0, 0},
    {"a length beyond 63 bits", "Content-Length: 9223372036854775808\r\n", 400, 0, 0},
    {"the longest", "Content-Length: 9223372036854775807\r\n", 0, HTTP_FRAMING_LENGTH, INT64_MAX},
    {"chunked", "Transfer-Encoding: Chunked\r\n", 0, HTTP_FRAMING_CHUNKED, 0},
    {"chunked and a length (§6.1)", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 400, 0, 0},
    {"a length and chunked", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400, 0, 0},
    {"a length and some coding", "Content-Length: 4\r\nTransfer-Encoding: xx\r\n", 400, 0, 0},
    {"chunked not last", "Transfer-Encoding: chunked, gzip\r\n", 400, 0, 0},
    {"chunked twice", "Transfer-Encoding: chunked, chunked\r\n", 400, 0, 0},
    {"chunked twice in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
     400, 0, 0},
    {"gzip without chunked", "Transfer-Encoding: gzip\r\n", 400, 0, 0},
    {"identity", "Transfer-Encoding: identity\r\n", 400, 0, 0},
    {"an empty coding", "Transfer-Encoding:\r\n", 400, 0, 0},
    {"chunked with a parameter", "Transfer-Encoding: chunked;x=1\r\n", 400, 0, 0},
    {"chunked and a comma (§11.2)", "Transfer-Encoding: chunked,\r\n", 400, 0, 0},
    {"a comma and chunked", "Transfer-Encoding: , chunked\r\n", 400, 0, 0},
    {"chunked and an empty field", "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", 400, 0, 0},
    {"a coding that only looks like it", "Transfer-Encoding: xchunked\r\n", 400, 0, 0},
    {"a tab before it", "Transfer-Encoding:\tchunked\r\n", 0, HTTP_FRAMING_CHUNKED, 0},
    {"a space behind it", "Transfer-Encoding: chunked \r\n", 0, HTTP_FRAMING_CHUNKED, 0},
    {"a tab behind another", "Content-Length: 4\t\r\n", 0, HTTP_FRAMING_LENGTH, 4},
    {"gzip, then chunked", "Transfer-Encoding: gzip, chunked\r\n", 501, 0, 0},
};

/* 9112/6-1 9112/6.1-4 9112/6.1-5 9112/6.3-1 9112/6.3-2 9112/6.3-4 9110/8.6-3 9112/11.2-1. */
static void a_request_says_its_length_in_one_way(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(framings); i++) {
        char text[512] = "POST / HTTP/1.1\r\nHost: h\r\n";
        strcat(text, framings[i].fields);
        strcat(text, "\r\n");
        struct http_request_head head;
        struct http_framing framing = {0};
        CHECK_EQUAL(framings[i].name, http_request_decode(bytes_of_text(text), &head), 0);
        CHECK_EQUAL(framings[i].name, http_request_framing(&head, &framing), framings[i].want);
        CHECK_EQUAL(framings[i].name, framing.kind, framings[i].kind);
        CHECK_EQUAL(framings[i].name, framing.length, framings[i].length);
    }
    static const char *const odd[] = {"Transfer-Encoding: chunked\t\r\n", "transfer-encoding: chunked \t \r\n"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        char text[512] = "POST / HTTP/1.1\r\nHost: h\r\n";
        strcat(text, odd[i]);
        strcat(text, "\r\n");
        struct http_request_head head;
        CHECK_EQUAL(odd[i], http_request_decode(bytes_of_text(text), &head), 400);
    }
}

/* 9112/6.1-5. */
static void http_1_0_knows_no_transfer_coding(void **state UNUSED)
{
    struct http_request_head head;
    struct http_framing framing;
    assert_int_equal(
        http_request_decode(bytes_of_text("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
                            &head),
        0);
    assert_int_equal(http_request_framing(&head, &framing), 400);
}

static const struct {
    const char *in;
    enum wire_status want;
    unsigned status;
    bool head_only;
    enum wire_status framing_want;
    enum http_framing_kind kind;
} responses[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", WIRE_OK, 200, false, WIRE_OK,
     HTTP_FRAMING_LENGTH},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", WIRE_OK, 200, true, WIRE_OK,
     HTTP_FRAMING_NONE},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", WIRE_OK, 304, false, WIRE_OK,
     HTTP_FRAMING_NONE},
    {"HTTP/1.1 204 \r\n\r\n", WIRE_OK, 204, false, WIRE_OK, HTTP_FRAMING_NONE},
    {"HTTP/1.1 100 Continue\r\n\r\n", WIRE_OK, 100, false, WIRE_OK, HTTP_FRAMING_NONE},
    {"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", WIRE_OK, 200, false, WIRE_OK,
     HTTP_FRAMING_CHUNKED},
    {"HTTP/1.0 200 Not so \xe9\r\n\r\n", WIRE_OK, 200, false, WIRE_OK, HTTP_FRAMING_UNTIL_CLOSE},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", WIRE_OK, 200,
     false, WIRE_MALFORMED, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: br, chunked\r\n\r\n", WIRE_OK, 200, false,
     WIRE_UNSUPPORTED, 0},
    {"HTTP/1.1 20 OK\r\n\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/1.1 099 OK\r\n\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/1.1 2000 OK\r\n\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/1.1  200 OK\r\n\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/2.0 200 OK\r\n\r\n", WIRE_UNSUPPORTED, 0, false, 0, 0},
    {"ICY 200 OK\r\n\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/1.1 200 OK\r\n", WIRE_MALFORMED, 0, false, 0, 0},
    {"HTTP/1.1 200", WIRE_TRUNCATED, 0, false, 0, 0},
};

static void responses_and_their_bodies(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
        size_t len = strlen(responses[i].in);
        uint8_t *copy = exact_copy(responses[i].in, len);
        struct http_response_head head;
        CHECK_EQUAL(responses[i].in, http_response_decode(bytes_of(copy, len), &head),
                    responses[i].want);
        if (responses[i].want == WIRE_OK) {
            struct http_framing framing = {0};
            CHECK_EQUAL(responses[i].in, head.status, responses[i].status);
            CHECK_EQUAL(responses[i].in,
                        http_response_framing(&head, responses[i].head_only, &framing),
                        responses[i].framing_want);
            CHECK_EQUAL(responses[i].in, framing.kind, responses[i].kind);
        }
        free(copy);
    }
}

/* 9112/9.3-1: RFC 9112 §9.3. */
static void connections_persist_by_version_and_field(void **state UNUSED)
{
    static const struct {
        const char *version, *value;
        bool want;
    } cases[] = {
        {"1.1", "x", true},          {"1.1", "close", false},      {"1.1", "x, Close", false},
        {"1.1", "keep-alive", true}, {"1.0", "x", false},          {"1.0", "Keep-Alive", true},
        {"1.0", "close", false},     {"1.0", "keep-alive, close", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        struct http_request_head head;
        snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: h\r\nConnection: %s\r\n\r\n",
                 cases[i].version, cases[i].value);
        assert_int_equal(http_request_decode(bytes_of_text(text), &head), 0);
        CHECK_EQUAL(text, http_keeps_alive(head.version, &head.fields), cases[i].want);
    }
}

/* ---- encoding ---- */

/* 9110/5.6.7-2. */
static void what_is_encoded_decodes_to_the_same(void **state UNUSED)
{
    char buffer[400];
    struct writer w = writer_of(buffer, sizeof buffer);
    http_write_status_line(&w, 206);
    http_write_field_number(&w, "Content-Length", UINT64_C(18446744073709551615));
    http_write_field_number(&w, "Age", 0);
    http_write_field_date(&w, "Date", 784111777);
    http_write_field_text(&w, "Server", "wholenet");
    http_write_end(&w);
    assert_false(w.failed);
    struct http_response_head head;
    assert_int_equal(http_response_decode(writer_bytes(&w), &head), WIRE_OK);
    assert_int_equal(head.status, 206);
    assert_true(bytes_equal(head.reason, bytes_of_text("Partial Content")));
    assert_true(bytes_equal(http_field_value(&head.fields, "content-length"),
                            bytes_of_text("18446744073709551615")));
    assert_true(bytes_equal(http_field_value(&head.fields, "age"), bytes_of_text("0")));
    assert_true(bytes_equal(http_field_value(&head.fields, "date"),
                            bytes_of_text("Sun, 06 Nov 1994 08:49:37 GMT")));

    w = writer_of(buffer, sizeof buffer);
    http_write_request_line(&w, "GET", bytes_of_text("/a?b"));
    http_write_field_text(&w, "Host", "h");
    http_write_end(&w);
    struct http_request_head request;
    assert_int_equal(http_request_decode(writer_bytes(&w), &request), 0);
    assert_true(bytes_equal(request.target, bytes_of_text("/a?b")));
}

/* 9112/11.1-1. */
static void a_value_cannot_split_a_response(void **state UNUSED)
{
    char buffer[400];
    struct writer w = writer_of(buffer, sizeof buffer);
    http_write_field_text(&w, "Location", "/a\r\nSet-Cookie: x");
    assert_true(w.failed);
    w = writer_of(buffer, sizeof buffer);
    http_write_field_text(&w, "Bad name", "x");
    assert_true(w.failed);
    w = writer_of(buffer, sizeof buffer);
    http_write_request_line(&w, "GET", bytes_of_text("/a HTTP/1.1\r\nX:"));
    assert_true(w.failed);
    w = writer_of(buffer, 10);
    http_write_status_line(&w, 200);
    assert_true(w.failed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_found_however_the_head_is_cut),
        cmocka_unit_test(limits_are_met_at_the_same_octet),
        cmocka_unit_test(requests_are_taken_or_refused),
        cmocka_unit_test(a_nul_is_refused_everywhere),
        cmocka_unit_test(parts_of_a_request),
        cmocka_unit_test(more_fields_than_we_hold),
        cmocka_unit_test(a_request_says_its_length_in_one_way),
        cmocka_unit_test(http_1_0_knows_no_transfer_coding),
        cmocka_unit_test(responses_and_their_bodies),
        cmocka_unit_test(connections_persist_by_version_and_field),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
        cmocka_unit_test(a_value_cannot_split_a_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

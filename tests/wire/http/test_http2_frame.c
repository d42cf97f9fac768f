/* SPDX-License-Identifier: ISC */
/* test_http2_frame.c - heads of frames, padding and parameters of HTTP/2 (RFC 9113 §4.1, §6). */
#include "wire/http/http2_frame.h"

#include "tests/support/check.h"

static const struct {
    const char *name;
    struct http2_frame frame;
    enum http2_error error;
    bool of_stream;
} heads[] = {
    {"DATA", {16384, HTTP2_DATA, 0, 1}, HTTP2_NO_ERROR, false},
    {"longer than may be (§4.2)", {16385, HTTP2_DATA, 0, 1}, HTTP2_FRAME_SIZE_ERROR, false},
    {"unknown kinds are as long as any", {16385, 0x99, 0, 0}, HTTP2_FRAME_SIZE_ERROR, false},
    {"unknown kinds are on any stream", {0, 0x99, 0, 5}, HTTP2_NO_ERROR, false},
    {"DATA on stream 0", {1, HTTP2_DATA, 0, 0}, HTTP2_PROTOCOL_ERROR, false},
    {"HEADERS on stream 0", {1, HTTP2_HEADERS, 0, 0}, HTTP2_PROTOCOL_ERROR, false},
    {"CONTINUATION on stream 0", {1, HTTP2_CONTINUATION, 0, 0}, HTTP2_PROTOCOL_ERROR, false},
    {"PRIORITY of five octets", {5, HTTP2_PRIORITY, 0, 1}, HTTP2_NO_ERROR, false},
    {"PRIORITY of six", {6, HTTP2_PRIORITY, 0, 1}, HTTP2_FRAME_SIZE_ERROR, true},
    {"RST_STREAM of five", {5, HTTP2_RST_STREAM, 0, 1}, HTTP2_FRAME_SIZE_ERROR, false},
    {"SETTINGS of twelve", {12, HTTP2_SETTINGS, 0, 0}, HTTP2_NO_ERROR, false},
    {"SETTINGS of seven", {7, HTTP2_SETTINGS, 0, 0}, HTTP2_FRAME_SIZE_ERROR, false},
    {"SETTINGS on a stream", {6, HTTP2_SETTINGS, 0, 1}, HTTP2_PROTOCOL_ERROR, false},
    {"an acknowledgement of six", {6, HTTP2_SETTINGS, HTTP2_ACK, 0}, HTTP2_FRAME_SIZE_ERROR, false},
    {"PUSH_PROMISE of three", {3, HTTP2_PUSH_PROMISE, 0, 1}, HTTP2_FRAME_SIZE_ERROR, false},
    {"PING of nine", {9, HTTP2_PING, 0, 0}, HTTP2_FRAME_SIZE_ERROR, false},
    {"GOAWAY with more to say", {100, HTTP2_GOAWAY, 0, 0}, HTTP2_NO_ERROR, false},
    {"GOAWAY of seven", {7, HTTP2_GOAWAY, 0, 0}, HTTP2_FRAME_SIZE_ERROR, false},
    {"WINDOW_UPDATE of the connection", {4, HTTP2_WINDOW_UPDATE, 0, 0}, HTTP2_NO_ERROR, false},
    {"WINDOW_UPDATE of five", {5, HTTP2_WINDOW_UPDATE, 0, 3}, HTTP2_FRAME_SIZE_ERROR, false},
    {"PRIORITY_UPDATE (RFC 9218 §7.1)", {4, HTTP2_PRIORITY_UPDATE, 0, 0}, HTTP2_NO_ERROR, false},
    {"PRIORITY_UPDATE of three", {3, HTTP2_PRIORITY_UPDATE, 0, 0}, HTTP2_FRAME_SIZE_ERROR, false},
    {"PRIORITY_UPDATE on a stream", {4, HTTP2_PRIORITY_UPDATE, 0, 1}, HTTP2_PROTOCOL_ERROR, false},
};

static void heads_are_checked(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        bool of_stream;
        CHECK_EQUAL(heads[i].name, http2_frame_check(&heads[i].frame, HTTP2_FRAME_MAX, &of_stream),
                    heads[i].error);
        CHECK_EQUAL(heads[i].name, of_stream, heads[i].of_stream);
        uint8_t octets[HTTP2_FRAME_HEAD_LEN];
        struct writer w = writer_of(octets, sizeof octets);
        http2_frame_write(&w, heads[i].frame);
        struct http2_frame again = http2_frame_read(writer_bytes(&w));
        CHECK(heads[i].name, again.len == heads[i].frame.len && again.type == heads[i].frame.type &&
                                 again.flags == heads[i].frame.flags &&
                                 again.stream == heads[i].frame.stream);
    }
}

static const struct {
    const char *name;
    uint8_t type, flags;
    const char *payload;
    size_t len;
    const char *rest; /* NULL: it is wrong */
} strips[] = {
    {"nothing to strip", HTTP2_DATA, 0, "abc", 3, "abc"},
    {"padding", HTTP2_DATA, HTTP2_PADDED, "\2abc\0\0", 6, "abc"},
    {"padding of nothing", HTTP2_DATA, HTTP2_PADDED, "\0abc", 4, "abc"},
    {"padding alone", HTTP2_DATA, HTTP2_PADDED, "\2\0\0", 3, ""},
    {"one octet more than there is", HTTP2_DATA, HTTP2_PADDED, "\3\0\0", 3, NULL},
    {"no length", HTTP2_DATA, HTTP2_PADDED, "", 0, NULL},
    {"priority", HTTP2_HEADERS, HTTP2_HAS_PRIORITY, "\0\0\0\1\7abc", 8, "abc"},
    {"priority of DATA is none", HTTP2_DATA, HTTP2_HAS_PRIORITY, "abc", 3, "abc"},
    {"half a priority", HTTP2_HEADERS, HTTP2_HAS_PRIORITY, "\0\0\0\1", 4, NULL},
    {"both", HTTP2_HEADERS, HTTP2_HAS_PRIORITY | HTTP2_PADDED, "\1\0\0\0\1\7abc\0", 10, "abc"},
    {"padding that reaches into the priority", HTTP2_HEADERS, HTTP2_HAS_PRIORITY | HTTP2_PADDED,
     "\1\0\0\0\1\7", 6, NULL},
};

static void padding_and_priority_are_taken_off(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(strips); i++) {
        struct http2_frame frame = {(uint32_t)strips[i].len, strips[i].type, strips[i].flags, 1};
        uint8_t *copy = exact_copy(strips[i].payload, strips[i].len);
        struct bytes payload = bytes_of(copy, strips[i].len);
        bool good = http2_frame_strip(&frame, &payload);
        CHECK_EQUAL(strips[i].name, good, strips[i].rest != NULL);
        if (good)
            CHECK(strips[i].name, bytes_equal(payload, bytes_of_text(strips[i].rest)));
        free(copy);
    }
}

static const struct {
    const char *name;
    struct http2_parameter parameter;
    enum http2_error error;
} parameters[] = {
    {"a table of any size", {1, UINT32_MAX}, HTTP2_NO_ERROR},
    {"push or not", {2, 1}, HTTP2_NO_ERROR},
    {"push and more", {2, 2}, HTTP2_PROTOCOL_ERROR},
    {"no streams", {3, 0}, HTTP2_NO_ERROR},
    {"the largest window", {4, 0x7fffffff}, HTTP2_NO_ERROR},
    {"a larger one", {4, 0x80000000}, HTTP2_FLOW_CONTROL_ERROR},
    {"the smallest frame", {5, 16384}, HTTP2_NO_ERROR},
    {"a smaller one", {5, 16383}, HTTP2_PROTOCOL_ERROR},
    {"the largest frame", {5, 16777215}, HTTP2_NO_ERROR},
    {"a larger one", {5, 16777216}, HTTP2_PROTOCOL_ERROR},
    {"extended CONNECT or not", {8, 2}, HTTP2_PROTOCOL_ERROR},
    {"priorities or not", {9, 2}, HTTP2_PROTOCOL_ERROR},
    {"unknown", {0xffff, 77}, HTTP2_NO_ERROR},
};

static void parameters_are_checked(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        uint8_t octets[HTTP2_FRAME_HEAD_LEN + 6];
        struct writer w = writer_of(octets, sizeof octets);
        http2_settings_write(&w, &parameters[i].parameter, 1);
        assert_false(w.failed);
        struct reader r = reader_of(bytes_after(writer_bytes(&w), HTTP2_FRAME_HEAD_LEN));
        enum http2_error error;
        struct http2_parameter again = http2_parameter_read(&r, &error);
        CHECK_EQUAL(parameters[i].name, error, parameters[i].error);
        CHECK(parameters[i].name, again.id == parameters[i].parameter.id &&
                                      again.value == parameters[i].parameter.value);
    }
}

static void errors_have_names(void **state UNUSED)
{
    assert_string_equal(http2_error_text(HTTP2_NO_ERROR), "NO_ERROR");
    assert_string_equal(http2_error_text(13), "HTTP_1_1_REQUIRED");
    assert_string_equal(http2_error_text(14), "unknown error");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_checked),
        cmocka_unit_test(padding_and_priority_are_taken_off),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(errors_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

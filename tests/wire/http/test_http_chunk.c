/* SPDX-License-Identifier: ISC */
#include "wire/http/http_chunk.h"
#include "tests/support/check.h"

/* Feeds `in` in pieces of `piece` octets; gathers the data. Returns the octets used. */
static size_t decode(struct bytes in, size_t piece, struct http_chunk *chunk, char *data)
{
    size_t at = 0;
    size_t offered = 0;
    data[0] = '\0';
    http_chunk_init(chunk);
    while (offered < in.len) {
        offered = offered + piece < in.len ? offered + piece : in.len;
        size_t used;
        do {
            uint8_t *copy = exact_copy(in.data + at, offered - at);
            struct bytes found;
            used = http_chunk_input(chunk, bytes_of(copy, offered - at), &found);
            strncat(data, (const char *)found.data, found.len);
            at += used;
            free(copy);
        } while (used > 0 && at < offered);
        if (chunk->state == HTTP_CHUNK_DONE || chunk->state == HTTP_CHUNK_MALFORMED)
            break;
    }
    return at;
}

static const struct {
    const char *in;
    enum http_chunk_state want;
    const char *data;
    size_t left; /* octets not used */
} cases[] = {
    {"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", HTTP_CHUNK_DONE, "Wikipedia", 0},
    {"0\r\n\r\nGET /", HTTP_CHUNK_DONE, "", 5},
    {"000\r\n\r\n", HTTP_CHUNK_DONE, "", 0},
    {"A\r\n0123456789\r\n0\r\n\r\n", HTTP_CHUNK_DONE, "0123456789", 0},
    {"a;name=value;x=\"y\"\r\n0123456789\r\n0;q\r\n\r\n", HTTP_CHUNK_DONE, "0123456789", 0},
    {"1 ;x\r\na\r\n0\r\nExpires: never\r\nX:\r\n\r\n", HTTP_CHUNK_DONE, "a", 0},
    {"2\r\nab\r\n", HTTP_CHUNK_SIZE, "ab", 0},
    {"\r\n", HTTP_CHUNK_MALFORMED, "", 1},
    {" 1\r\na", HTTP_CHUNK_MALFORMED, "", 4},
    {"1 a\r\na", HTTP_CHUNK_MALFORMED, "", 3},
    {"1  a;b\r\na", HTTP_CHUNK_MALFORMED, "", 5},
    {"1 1\r\na", HTTP_CHUNK_MALFORMED, "", 3},
    {"-1\r\n", HTTP_CHUNK_MALFORMED, "", 3},
    {"0x1\r\n", HTTP_CHUNK_MALFORMED, "", 3},
    {"1\na", HTTP_CHUNK_MALFORMED, "", 1},
    {"1\r\r\na", HTTP_CHUNK_MALFORMED, "", 2},
    {"1;a\nb\r\nX", HTTP_CHUNK_MALFORMED, "", 4},
    {"1\r\naXX", HTTP_CHUNK_MALFORMED, "a", 1},
    {"1\r\na\rX", HTTP_CHUNK_MALFORMED, "a", 0},
    {"1\r\na\n1", HTTP_CHUNK_MALFORMED, "a", 1},
    {"fffffffffffffff\r\n", HTTP_CHUNK_DATA, "", 0},
    {"1000000000000000\r\n", HTTP_CHUNK_MALFORMED, "", 2},
    {"0\r\n folded\r\n\r\n", HTTP_CHUNK_MALFORMED, "", 10},
    {"0\r\nname : value\r\n\r\n", HTTP_CHUNK_MALFORMED, "", 11},
    {"0\r\nname\r\n\r\n", HTTP_CHUNK_MALFORMED, "", 3},
    {"0\r\n:x\r\n\r\n", HTTP_CHUNK_MALFORMED, "", 5},
    {"0\r\nn: a\rb\r\n\r\n", HTTP_CHUNK_MALFORMED, "", 4},
    {"0\r\n\rX", HTTP_CHUNK_MALFORMED, "", 0},
};

/* 9112/6.1-1 9112/7.1-1 9112/7.1.1-1 9112/7.1.2-1. */
static void bodies_decode_alike_however_they_are_cut(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes in = bytes_of_text(cases[i].in);
        for (size_t piece = 1; piece <= in.len; piece++) {
            struct http_chunk chunk;
            char data[100];
            size_t used = decode(in, piece, &chunk, data);
            CHECK_EQUAL(cases[i].in, chunk.state, cases[i].want);
            CHECK(cases[i].in, strcmp(data, cases[i].data) == 0);
            CHECK_EQUAL(cases[i].in, in.len - used, cases[i].left);
        }
    }
}

static void feed_repeated(struct http_chunk *chunk, const char *text, size_t times)
{
    for (size_t i = 0; i < times && chunk->state != HTTP_CHUNK_MALFORMED; i++) {
        struct bytes in = bytes_of_text(text);
        struct bytes data;
        while (in.len > 0 && chunk->state != HTTP_CHUNK_MALFORMED)
            in = bytes_after(in, http_chunk_input(chunk, in, &data));
    }
}

/* 9112/7.1.1-1 9112/7.1.2-1. */
static void lines_and_trailers_are_bounded(void **state UNUSED)
{
    struct http_chunk chunk;
    http_chunk_init(&chunk);
    feed_repeated(&chunk, "1;", 1);
    feed_repeated(&chunk, "x", HTTP_CHUNK_LINE_MAX - 2);
    assert_int_equal(chunk.state, HTTP_CHUNK_EXTENSION);
    feed_repeated(&chunk, "x", 1);
    assert_int_equal(chunk.state, HTTP_CHUNK_MALFORMED);

    http_chunk_init(&chunk);
    feed_repeated(&chunk, "0\r\n", 1);
    feed_repeated(&chunk, "name: value\r\n", HTTP_TRAILERS_MAX / 12 - 1);
    assert_int_equal(chunk.state, HTTP_CHUNK_TRAILER);
    feed_repeated(&chunk, "name: value\r\n", 2);
    assert_int_equal(chunk.state, HTTP_CHUNK_MALFORMED);
}

/* 9112/7.1.1-1. */
static void long_extensions_have_to_be_earned_by_data(void **state UNUSED)
{
    struct http_chunk chunk;
    http_chunk_init(&chunk);
    feed_repeated(&chunk, "1\r\nx\r\n", 100000); /* one octet at a time is slow, but honest */
    assert_int_equal(chunk.state, HTTP_CHUNK_SIZE);
    feed_repeated(&chunk, "1;0123456789012345678901234567890123456789\r\nx\r\n", 2000);
    assert_int_equal(chunk.state, HTTP_CHUNK_MALFORMED);
}

static void frames_decode_to_their_length(void **state UNUSED)
{
    static const size_t lens[] = {1, 9, 10, 15, 16, 255, 65536, 0x123456789};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        char frame[HTTP_CHUNK_FRAME_MAX];
        size_t len = http_chunk_frame(lens[i], frame);
        struct http_chunk chunk;
        struct bytes data;
        http_chunk_init(&chunk);
        assert_int_equal(http_chunk_input(&chunk, bytes_of(frame, len), &data), len);
        assert_int_equal(chunk.state, HTTP_CHUNK_DATA);
        assert_int_equal(chunk.left, lens[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_decode_alike_however_they_are_cut),
        cmocka_unit_test(lines_and_trailers_are_bounded),
        cmocka_unit_test(long_extensions_have_to_be_earned_by_data),
        cmocka_unit_test(frames_decode_to_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

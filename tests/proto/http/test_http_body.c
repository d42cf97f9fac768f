/* SPDX-License-Identifier: ISC */
#include "proto/http/http_body.h"

#include "base/prng.h"
#include "tests/support/check.h"

enum { TOTAL = 300000, ROUNDS = 60 };

static uint8_t octet_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251);
}

static void expect_same(const struct http_body *body, const bool *there, uint64_t trimmed)
{
    for (uint64_t at = 0; at < TOTAL;) {
        struct bytes got = http_body_read(body, at);
        if (got.len == 0) {
            assert_true(!there[at] || at < trimmed);
            assert_int_equal(http_body_end(body, at), at);
            at++;
            continue;
        }
        assert_true(http_body_end(body, at) >= at + got.len);
        for (size_t i = 0; i < got.len; i++, at++) {
            assert_true(there[at]);
            assert_int_equal(got.data[i], octet_at(at));
        }
    }
}

/* Parts in any order, overlapping, with gaps; against a flag for each octet. */
static void parts_come_together(void **state UNUSED)
{
    static uint8_t octets[TOTAL];
    static bool there[TOTAL];
    for (uint64_t i = 0; i < TOTAL; i++)
        octets[i] = octet_at(i);
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        struct prng prng;
        struct http_body body;
        prng_init_number(&prng, seed);
        http_body_init(&body, &heap);
        memset(there, 0, sizeof there);
        for (int i = 0; i < ROUNDS; i++) {
            size_t from = prng_below(&prng, TOTAL);
            size_t len = prng_below(&prng, i % 3 == 0 ? 100000 : 2000);
            len = len < TOTAL - from ? len : TOTAL - from;
            uint8_t *copy = exact_copy(octets + from, len);
            assert_true(http_body_write(&body, from, bytes_of(copy, len),
                                        i % 2 == 0 ? prng_below(&prng, TOTAL) : 0));
            free(copy);
            memset(there + from, true, len);
        }
        expect_same(&body, there, 0);
        uint64_t trimmed = prng_below(&prng, TOTAL);
        http_body_trim(&body, trimmed);
        expect_same(&body, there, trimmed);
        assert_true(http_body_write(&body, 0, bytes_of(octets, TOTAL), 0));
        assert_int_equal(http_body_end(&body, 0), TOTAL);
        assert_in_range(body.octets, TOTAL, counts.octets);
        http_body_done(&body);
        assert_int_equal(counts.octets, 0);
    }
}

static void a_stream_of_unknown_length_takes_few_blocks(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct http_body body;
    http_body_init(&body, &heap);
    for (uint64_t at = 0; at < TOTAL; at += 100) {
        uint8_t piece[100];
        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = octet_at(at + i);
        assert_true(http_body_write(&body, at, bytes_of(piece, sizeof piece), 0));
    }
    assert_in_range(body.count, 5, 12);
    assert_in_range(body.octets, TOTAL, TOTAL + HTTP_BODY_BLOCK_MAX + 4096);
    http_body_done(&body);
    http_body_init(&body, &heap);
    assert_true(http_body_write(&body, 0, bytes_of_text("abc"), 3));
    assert_in_range(body.octets, 3, 100); /* no more than is needed */
    counts.fail_at = counts.allocations + 1;
    assert_false(http_body_write(&body, 3, bytes_of_text("abc"), 3));
    http_body_done(&body);
    assert_int_equal(counts.octets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_come_together),
        cmocka_unit_test(a_stream_of_unknown_length_takes_few_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

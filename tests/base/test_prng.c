/* SPDX-License-Identifier: ISC */
/* test_prng.c - the generator is ChaCha20, forgets what it gave, and is even. */
#include "tests/support/check.h"

#include "base/prng.h"

/* RFC 8439 appendix A.1: key and nonce zero, block 0 (its second half; the first is the next key)
 * and block 1. */
static const uint8_t chacha_zero[32 + 64] = {
    0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
    0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
    0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
    0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
    0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
    0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f,
};
static const uint8_t next_key[32] = {
    0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
    0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
};

static void test_stream_is_chacha20(void **state UNUSED)
{
    static const uint8_t zero[PRNG_SEED_LEN] = {0};
    struct prng prng;
    prng_init(&prng, zero);
    uint8_t out[256 - 32];
    prng_fill(&prng, out, sizeof out);
    assert_memory_equal(out, chacha_zero, sizeof chacha_zero);
    /* What comes next is what the next key makes. */
    struct prng other;
    prng_init(&other, next_key);
    assert_int_equal(prng_u32(&prng), prng_u32(&other));
}

static void test_given_octets_are_forgotten(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 5);
    uint8_t out[100];
    prng_fill(&prng, out, sizeof out);
    for (size_t i = 32 + prng.left; i < sizeof prng.block; i++)
        assert_int_equal(prng.block[i], 0);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(prng.block[i], 0);
    assert_int_equal(prng.left, 256 - 32 - 100);
}

static void test_numbers_are_seeds(void **state UNUSED)
{
    static const uint64_t seeds[] = {0, 1, 2, (uint64_t)1 << 32, (uint64_t)1 << 63};
    uint64_t first[ARRAY_LEN(seeds)];
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
        struct prng a;
        struct prng b;
        prng_init_number(&a, seeds[i]);
        prng_init_number(&b, seeds[i]);
        first[i] = prng_u64(&a);
        assert_true(first[i] == prng_u64(&b));
        for (size_t j = 0; j < i; j++)
            assert_true(first[i] != first[j]);
    }
}

static void test_a_fork_is_another_stream(void **state UNUSED)
{
    struct prng parent;
    struct prng child;
    struct prng second;
    prng_init_number(&parent, 1);
    prng_fork(&parent, &child);
    prng_fork(&parent, &second);
    uint64_t a = prng_u64(&parent);
    uint64_t b = prng_u64(&child);
    uint64_t c = prng_u64(&second);
    assert_true(a != b && b != c && a != c);
}

static void test_below_is_even_and_below(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 3);
    enum { DRAWS = 70000, SIDES = 7 };
    unsigned counts[SIDES] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        uint32_t value = prng_below(&prng, SIDES);
        assert_true(value < SIDES);
        counts[value]++;
    }
    for (size_t i = 0; i < SIDES; i++)
        assert_in_range(counts[i], 9600, 10400); /* over four standard deviations */
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(prng_below(&prng, 1), 0);

    /* Without drawing again, every third result would be twice as likely here. */
    size_t thirds = 0;
    for (size_t i = 0; i < 30000; i++)
        thirds += prng_below(&prng, 0xc0000000) % 3 == 0;
    assert_in_range(thirds, 9600, 10400);
}

static void test_chance(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 4);
    size_t happened = 0;
    for (size_t i = 0; i < 50000; i++) {
        happened += prng_chance(&prng, 20000);
        assert_false(prng_chance(&prng, 0));
        assert_true(prng_chance(&prng, 1000000));
    }
    assert_in_range(happened, 850, 1150);
}

/* However it is cut up, what is drawn is never drawn again. */
static void test_fill_in_pieces(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 9);
    uint8_t *out = malloc(10000);
    size_t len = 0;
    for (size_t piece = 0; len + piece <= 10000; piece++) {
        prng_fill(&prng, out + len, piece);
        len += piece;
    }
    for (size_t i = 0; i + 8 <= len; i += 8)
        for (size_t j = i + 8; j + 8 <= len; j += 8)
            if (memcmp(out + i, out + j, 8) == 0)
                fail_msg("octets %zu and %zu repeat", i, j);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_is_chacha20),
        cmocka_unit_test(test_given_octets_are_forgotten),
        cmocka_unit_test(test_numbers_are_seeds),
        cmocka_unit_test(test_a_fork_is_another_stream),
        cmocka_unit_test(test_below_is_even_and_below),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_fill_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

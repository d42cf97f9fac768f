/* SPDX-License-Identifier: ISC */
/* test_checksum.c - against a sum made word by word, at all lengths, alignments and cuts. */
#include "tests/support/check.h"

#include "base/checksum.h"
#include "base/prng.h"

/* RFC 1071 §4.1, as it stands there. */
static uint16_t naive(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += (uint64_t)p[i] << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void test_rfc_1071_example(void **state UNUSED)
{
    static const uint8_t octets[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(checksum_fold(checksum_sum(bytes_of(octets, 8))), 0xddf2);
    assert_int_equal(checksum_of(bytes_of(octets, 8)), 0x220d);
    assert_int_equal(checksum_of(bytes_empty()), 0xffff);
}

static void test_every_length_and_alignment(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 1);
    for (size_t len = 0; len < 600; len++) {
        for (size_t shift = 0; shift < 8; shift++) {
            uint8_t *block = malloc(len + shift + 1);
            uint8_t *in = block + shift;
            if (shift == 7)
                memset(in, 0xff, len); /* carries everywhere */
            else
                prng_fill(&prng, in, len);
            uint8_t *exact = realloc(block, len + shift > 0 ? len + shift : 1);
            in = exact + shift;
            uint16_t got = checksum_fold(checksum_sum(bytes_of(in, len)));
            if (got != naive(in, len))
                fail_msg("length %zu, shift %zu", len, shift);
            free(exact);
        }
    }
}

static void test_large(void **state UNUSED)
{
    enum { LEN = 1 << 20 };
    uint8_t *block = malloc(LEN);
    memset(block, 0xff, LEN);
    assert_int_equal(checksum_fold(checksum_sum(bytes_of(block, LEN))), 0xffff);
    struct prng prng;
    prng_init_number(&prng, 2);
    prng_fill(&prng, block, LEN);
    for (size_t len = LEN - 40; len <= LEN; len++)
        assert_int_equal(checksum_fold(checksum_sum(bytes_of(block, len))), naive(block, len));
    /* The same word all over, at its extremes by any sign and order, below and above a power of two. */
    static const uint8_t words[][2] = {{0, 0}, {0, 0x80}, {0x80, 0}, {0xff, 0x7f}, {0x7f, 0xff}, {0, 1}};
    for (size_t w = 0; w < ARRAY_LEN(words); w++) {
        for (size_t i = 0; i < LEN; i++)
            block[i] = words[w][i % 2];
        for (size_t len = LEN; len >= 128; len /= 2)
            for (size_t less = 0; less < 3; less++)
                assert_int_equal(checksum_fold(checksum_sum(bytes_of(block, len - less))),
                                 naive(block, len - less));
    }
    free(block);
}

static void test_parts_add_up(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 3);
    uint8_t in[400];
    prng_fill(&prng, in, sizeof in);
    uint16_t want = naive(in, sizeof in);
    for (size_t a = 0; a <= sizeof in; a += 7) {
        for (size_t b = a; b <= sizeof in; b += 5) {
            uint64_t sum = checksum_sum(bytes_of(in, a));
            sum = checksum_add(sum, bytes_of(in + a, b - a), a);
            sum = checksum_add(sum, bytes_of(in + b, sizeof in - b), b);
            if (checksum_fold(sum) != want)
                fail_msg("cut at %zu and %zu", a, b);
        }
    }
}

static void test_pseudo_headers(void **state UNUSED)
{
    struct ip_address a = address_v4(0xc0a80001);
    struct ip_address b = address_v4(0xffffffff);
    static const uint8_t flat4[] = {192, 168, 0, 1, 255, 255, 255, 255, 0, 17, 0x12, 0x34};
    assert_int_equal(checksum_fold(checksum_pseudo(&a, &b, 17, 0x1234)), naive(flat4, 12));

    struct ip_address c;
    struct ip_address d;
    assert_true(address_parse(bytes_of_text("2001:db8::ffff:1"), &c));
    assert_true(address_parse(bytes_of_text("fe80::abcd"), &d));
    uint8_t flat6[40] = {[33] = 1, [34] = 0x11, [35] = 0x70, [39] = 6};
    memcpy(flat6, c.octets, 16);
    memcpy(flat6 + 16, d.octets, 16);
    assert_int_equal(checksum_fold(checksum_pseudo(&c, &d, 6, 0x11170)), naive(flat6, 40));
}

static void test_update(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 4);
    uint8_t in[20];
    for (size_t i = 0; i < 20000; i++) {
        prng_fill(&prng, in, sizeof in);
        uint16_t field = checksum_of(bytes_of(in, sizeof in));
        uint16_t old_word = (uint16_t)(in[8] << 8 | in[9]);
        uint16_t new_word = i % 3 == 0 ? 0xffff : (uint16_t)prng_u32(&prng);
        in[8] = (uint8_t)(new_word >> 8);
        in[9] = (uint8_t)new_word;
        uint16_t want = checksum_of(bytes_of(in, sizeof in));
        assert_int_equal(checksum_update(field, old_word, new_word), want);
    }
    /* RFC 1624 §4. */
    assert_int_equal(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static struct frame *sliced_frame(struct frame_pool *pool, const uint8_t *octets,
                                  const size_t *cuts, size_t count)
{
    struct frame *frame = frame_new(pool, cuts[0]);
    frame_append(frame, bytes_of(octets, cuts[0]));
    for (size_t i = 1; i < count; i++) {
        size_t len = cuts[i] - cuts[i - 1];
        struct frame *owner = frame_new(pool, len);
        frame_append(owner, bytes_of(octets + cuts[i - 1], len));
        frame_add_slice(frame, owner, frame_bytes(owner));
        frame_unref(owner);
    }
    return frame;
}

/* A segment behind 20 octets of IP header, cut at odd places: completed, it verifies. */
static void test_complete(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct prng prng;
    prng_init_number(&prng, 5);
    struct ip_address a = address_v4(0x0a000201);
    struct ip_address b = address_v4(0x0a000202);
    for (size_t round = 0; round < 300; round++) {
        uint8_t octets[500];
        size_t len = 60 + prng_below(&prng, 440);
        prng_fill(&prng, octets, len);
        uint64_t pseudo = checksum_pseudo(&a, &b, 6, (uint32_t)len - 20);
        uint16_t partial = checksum_fold(pseudo);
        octets[36] = (uint8_t)(partial >> 8);
        octets[37] = (uint8_t)partial;
        size_t cuts[4] = {38 + prng_below(&prng, 10), 50, 51 + prng_below(&prng, 9), len};
        struct frame *frame = sliced_frame(pool, octets, cuts, ARRAY_LEN(cuts));
        frame->offload.checksum = FRAME_CHECKSUM_PARTIAL;
        frame->offload.checksum_start = (uint32_t)frame_headroom(frame) + 20;
        frame->offload.checksum_offset = 16;
        (void)frame_push(frame, 14);
        checksum_complete(frame);
        assert_int_equal(frame->offload.checksum, FRAME_CHECKSUM_FULL);
        uint8_t out[500];
        frame_copy_out(frame, 14, out, len);
        assert_int_equal(checksum_fold(pseudo + naive(out + 20, len - 20)), 0xffff);
        assert_true(out[36] != 0 || out[37] != 0);
        checksum_complete(frame); /* nothing more to do */
        uint8_t again[500];
        frame_copy_out(frame, 14, again, len);
        assert_memory_equal(out, again, len);
        frame_unref(frame);
    }
    frame_pool_free(pool);
    assert_int_equal(counts.blocks, 0);
}

/* In UDP a field of zero would say that there is no checksum (RFC 768). */
static void test_complete_never_makes_zero(void **state UNUSED)
{
    static const uint8_t datagram[] = {0xff, 0xff, 0, 0, 0, 0, 0, 0};
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct frame *frame = frame_new(pool, 8);
    frame_append(frame, bytes_of(datagram, 8));
    frame->offload.checksum = FRAME_CHECKSUM_PARTIAL;
    frame->offload.checksum_start = (uint32_t)frame_headroom(frame);
    frame->offload.checksum_offset = 6;
    checksum_complete(frame);
    assert_int_equal(frame->data[6], 0xff);
    assert_int_equal(frame->data[7], 0xff);
    frame_unref(frame);
    frame_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_1071_example),
        cmocka_unit_test(test_every_length_and_alignment),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_pseudo_headers),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_complete_never_makes_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

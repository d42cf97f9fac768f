/* SPDX-License-Identifier: ISC */
/* test_ring.c - what goes in comes out, once, in order, whatever the wrap. */
#include "tests/support/check.h"

#include "base/prng.h"
#include "base/ring.h"

static void check_views(const struct ring *ring, uint8_t first)
{
    struct bytes views[2];
    ring_views(ring, views);
    assert_int_equal(views[0].len + views[1].len, ring_len(ring));
    assert_true(views[0].len > 0 || views[1].len == 0);
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < views[v].len; i++)
            assert_int_equal(views[v].data[i], first++);
}

static void test_against_counters(void **state UNUSED)
{
    for (size_t size = 0; size < 20; size++) {
        uint8_t *block = malloc(size > 0 ? size : 1);
        struct ring ring;
        ring_init(&ring, block, size);
        struct prng prng;
        prng_init_number(&prng, size);
        uint8_t in = 0;
        uint8_t out = 0;
        for (size_t round = 0; round < 2000; round++) {
            uint8_t chunk[25];
            size_t len = prng_below(&prng, 25);
            for (size_t i = 0; i < len; i++)
                chunk[i] = (uint8_t)(in + i);
            size_t room = ring_room(&ring);
            if (round % 2 == 0) {
                size_t taken = ring_write(&ring, bytes_of(chunk, len));
                assert_int_equal(taken, len < room ? len : room);
                in = (uint8_t)(in + taken);
            } else {
                uint8_t *tail = ring_tail(&ring, &room);
                assert_true(room > 0 || ring_room(&ring) == 0);
                len = len < room ? len : room;
                memcpy(tail, chunk, len);
                ring_commit(&ring, len);
                in = (uint8_t)(in + len);
            }
            check_views(&ring, out);
            size_t gone = prng_below(&prng, (uint32_t)ring_len(&ring) + 1);
            ring_consume(&ring, gone);
            out = (uint8_t)(out + gone);
            check_views(&ring, out);
            assert_int_equal(ring_len(&ring), (uint8_t)(in - out));
        }
        free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

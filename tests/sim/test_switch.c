/* SPDX-License-Identifier: ISC */
/* test_switch.c - learning, flooding, ageing, and a table that ends. */
#include "sim/switch.h"

#include "tests/support/check.h"

struct bench {
    struct counting_heap counts;
    struct heap heap;
    struct frame_pool *frames;
    struct ethernet_switch *s;
};

static void bench_open(struct bench *b, unsigned ports)
{
    *b = (struct bench){0};
    b->heap = counting_heap(&b->counts);
    b->frames = frame_pool_new(&b->heap, 1024 * 1024);
    b->s = switch_new(&b->heap, ports);
    assert_non_null(b->s);
}

static void bench_close(struct bench *b)
{
    switch_free(b->s);
    frame_pool_free(b->frames);
    assert_int_equal(b->counts.blocks, 0);
}

/* Stations are named by a number; 0 is everyone. */
static uint64_t put(struct bench *b, unsigned port, uint16_t from, uint16_t to, usec now)
{
    uint8_t octets[60] = {0x02, 0, 0, 0, (uint8_t)(to >> 8),   (uint8_t)to,
                          0x02, 0, 0, 0, (uint8_t)(from >> 8), (uint8_t)from};
    if (to == 0)
        memset(octets, 0xff, 6);
    struct frame *frame = frame_new(b->frames, sizeof octets);
    frame_append(frame, bytes_of(octets, sizeof octets));
    uint64_t ports = switch_input(b->s, port, frame, now);
    frame_unref(frame);
    return ports;
}

static void test_learning(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 4);
    assert_int_equal(put(&b, 0, 1, 2, 0), 0xe); /* unknown: everywhere but back */
    assert_int_equal(put(&b, 2, 2, 1, 0), 0x1); /* learned */
    assert_int_equal(put(&b, 0, 1, 2, 0), 0x4);
    assert_int_equal(put(&b, 2, 3, 2, 0), 0x0); /* at the same port: filtered */
    assert_int_equal(put(&b, 1, 4, 0, 0), 0xd); /* to everyone */
    assert_int_equal(put(&b, 3, 2, 1, 9), 0x1); /* station 2 has moved */
    assert_int_equal(put(&b, 0, 1, 2, 9), 0x8);
    assert_int_equal(put(&b, 1, 2, 1, 19), 0x1); /* and again */
    assert_int_equal(put(&b, 0, 1, 2, SWITCH_AGEING_TIME + 19), 0x2);
    assert_int_equal(put(&b, 0, 1, 2, SWITCH_AGEING_TIME + 20), 0xe); /* forgotten */
    assert_int_equal(put(&b, 9, 1, 2, 0), 0);                         /* no such port */
    bench_close(&b);
}

static void test_malformed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 64);
    struct frame *frame = frame_new(b.frames, 60);
    memset(frame->data, 0xff, 60);
    frame->len = 60;
    assert_int_equal(switch_input(b.s, 0, frame, 0), 0); /* a group as source */
    frame->data[6] = 2;
    assert_true(switch_input(b.s, 63, frame, 0) == UINT64_MAX >> 1);
    frame_trim(frame, 11);
    assert_int_equal(switch_input(b.s, 0, frame, 0), 0);
    frame_unref(frame);
    bench_close(&b);
}

static void test_a_full_table_forgets_the_oldest(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 2);
    for (uint16_t i = 1; i <= SWITCH_STATIONS_MAX; i++)
        (void)put(&b, 1, i, 0, 0);
    (void)put(&b, 1, 1, 0, 1); /* heard again */
    (void)put(&b, 1, 5000, 0, 1);
    assert_int_equal(put(&b, 1, 6000, 1, 1), 0); /* known; 6000 pushes 3 out */
    assert_int_equal(put(&b, 1, 6000, 2, 1), 1); /* forgotten */
    assert_int_equal(put(&b, 1, 6000, 4, 1), 0);
    bench_close(&b);
}

static void test_without_memory_it_floods(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 3);
    (void)put(&b, 0, 7, 0, 0);
    b.counts.fail_at = 1;
    assert_int_equal(put(&b, 0, 1, 0, 0), 0x6);
    assert_int_equal(put(&b, 1, 2, 1, 0), 0x5);
    b.counts.fail_at = 0;
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_a_full_table_forgets_the_oldest),
        cmocka_unit_test(test_without_memory_it_floods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

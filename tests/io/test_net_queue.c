/* SPDX-License-Identifier: ISC */
/* test_net_queue.c - octets go in and come out in order, in blocks that are used again. */
#include "io/net_queue.h"

#include "tests/support/check.h"

static uint8_t octet_at(size_t offset)
{
    return (uint8_t)((offset * 2654435761u) >> 11);
}

/* Compares what is queued with the sequence from `from` on. */
static void check_queue(const struct net_queue *queue, size_t from)
{
    struct iovec views[64];
    int count = net_queue_views(queue, views, (int)ARRAY_LEN(views));
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        assert_true(views[i].iov_len > 0);
        const uint8_t *octets = views[i].iov_base;
        for (size_t j = 0; j < views[i].iov_len; j++)
            assert_int_equal(octets[j], octet_at(from + len++));
    }
    assert_int_equal(len, queue->len);
}

static void octets_keep_their_order_at_all_sizes(void **state UNUSED)
{
    static const size_t steps[] = {1, 100, NET_BLOCK_SIZE - 101, NET_BLOCK_SIZE, 50000, 3};
    struct net_pool pool = {0};
    struct net_queue queue = {0};
    size_t in = 0;
    size_t out = 0;
    static uint8_t octets[50000];
    for (size_t round = 0; round < 60; round++) {
        size_t len = steps[round % ARRAY_LEN(steps)];
        for (size_t i = 0; i < len; i++)
            octets[i] = octet_at(in + i);
        assert_int_equal(net_queue_add(&queue, &pool, bytes_of(octets, len)), len);
        in += len;
        check_queue(&queue, out);
        size_t drop = steps[(round * 5 + 1) % ARRAY_LEN(steps)];
        drop = drop < queue.len ? drop : queue.len;
        net_queue_drop(&queue, &pool, drop);
        out += drop;
        assert_int_equal(queue.len, in - out);
        check_queue(&queue, out);
    }
    net_queue_drop(&queue, &pool, queue.len);
    assert_null(queue.first);
    assert_null(queue.last);
    net_pool_done(&pool);
}

static void an_empty_queue_owns_nothing_and_blocks_are_used_again(void **state UNUSED)
{
    struct net_pool pool = {0};
    struct net_queue queue = {0};
    struct iovec view;
    assert_int_equal(net_queue_add(&queue, &pool, bytes_empty()), 0);
    assert_null(queue.first);
    assert_int_equal(net_queue_views(&queue, &view, 1), 0);
    net_queue_add(&queue, &pool, bytes_of("a", 1));
    struct net_block *block = queue.first;
    net_queue_drop(&queue, &pool, 1);
    assert_null(queue.first);
    assert_int_equal(pool.warm_count, 1);
    net_queue_add(&queue, &pool, bytes_of("b", 1));
    assert_ptr_equal(queue.first, block);
    assert_int_equal(pool.warm_count, 0);
    net_queue_drop(&queue, &pool, 1);
    net_pool_done(&pool);
    assert_int_equal(pool.warm_count, 0);
}

static void no_more_than_so_many_blocks_stay_warm(void **state UNUSED)
{
    static uint8_t octets[NET_BLOCK_SIZE];
    struct net_pool pool = {0};
    struct net_queue queue = {0};
    for (int i = 0; i < NET_BLOCKS_WARM_MAX + 10; i++)
        net_queue_add(&queue, &pool, bytes_of(octets, sizeof octets));
    struct iovec views[3];
    assert_int_equal(net_queue_views(&queue, views, 3), 3);
    net_queue_drop(&queue, &pool, queue.len);
    assert_int_equal(pool.warm_count, NET_BLOCKS_WARM_MAX);
    net_pool_done(&pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_keep_their_order_at_all_sizes),
        cmocka_unit_test(an_empty_queue_owns_nothing_and_blocks_are_used_again),
        cmocka_unit_test(no_more_than_so_many_blocks_stay_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

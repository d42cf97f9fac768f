/* SPDX-License-Identifier: ISC */
/* test_tcp_queue.c - queues of octets in frames: order, and how much memory they hold. */
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"

static uint8_t octet_at(size_t i)
{
    return (uint8_t)(i * 17 + i / 255);
}

static struct frame *filled(struct one_stack *s, size_t room, size_t from, size_t len)
{
    struct frame *frame = frame_new(s->frames, room);
    assert_non_null(frame);
    for (size_t i = 0; i < len; i++)
        frame->data[i] = octet_at(from + i);
    frame->len = len;
    return frame;
}

static size_t check(const struct tcp_queue *queue, size_t from)
{
    size_t at = from;
    for (const struct tcp_chunk *chunk = queue->first; chunk != NULL; chunk = chunk->next) {
        assert_int_equal(chunk->start.n, (uint32_t)at);
        for (size_t i = 0; i < chunk->len; i++)
            assert_int_equal(chunk->data[i], octet_at(at++));
    }
    return at - from;
}

static void keeps_order_through_every_way_in(void **state)
{
    (void)state;
    struct one_stack s;
    struct prng prng;
    one_stack_open(&s, NULL);
    prng_init_number(&prng, 3);
    struct tcp_queue queue = {NULL, NULL};
    size_t begin = 0;
    size_t end = 0;
    for (unsigned i = 0; i < 3000; i++) {
        static const uint32_t lens[] = {1, 100, 600, 1460, 5000, 60000};
        size_t len = 1 + prng_below(&prng, lens[prng_below(&prng, ARRAY_LEN(lens))]);
        struct frame *frame = filled(&s, prng_below(&prng, 2) ? len : 65536, end, len);
        struct frame *kept = prng_below(&prng, 4) == 0 ? frame_ref(frame) : NULL;
        struct seq start = seq_of((uint32_t)end);
        assert_true(prng_below(&prng, 3) == 0
                        ? tcp_queue_add_whole(s.stack, &queue, frame, frame_bytes(frame), start)
                        : tcp_queue_add(s.stack, &queue, frame, frame_bytes(frame), start));
        frame_unref(frame);
        end += len;
        if (kept != NULL) /* its other holder still sees what it saw */
            assert_int_equal(kept->data[len - 1], octet_at(end - 1));
        size_t drop = prng_below(&prng, (uint32_t)(end - begin) + 1);
        if (prng_below(&prng, 3) == 0) {
            tcp_queue_drop(s.stack, &queue, drop);
            begin += drop;
        }
        if (kept != NULL)
            frame_unref(kept);
        if (end - begin < 100000)
            assert_int_equal(check(&queue, begin), end - begin);
    }
    tcp_queue_clear(s.stack, &queue);
    assert_null(queue.first);
    assert_null(queue.last);
    one_stack_close(&s);
}

/* However the peer cuts it, a queue does not hold many times its octets. */
static void memory_follows_octets(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 7, 64, 130, 536, 1460, 9000, 16000, 40000};
    static const size_t rooms[] = {1, 2048, 16384, 65536};
    for (size_t l = 0; l < ARRAY_LEN(lens); l++) {
        for (size_t r = 0; r < ARRAY_LEN(rooms); r++) {
            struct one_stack s;
            one_stack_open(&s, NULL);
            struct tcp_queue queue = {NULL, NULL};
            size_t end = 0;
            size_t room = rooms[r] > lens[l] ? rooms[r] : lens[l];
            while (end < 200000) {
                struct frame *frame = filled(&s, room, end, lens[l]);
                assert_true(tcp_queue_add(s.stack, &queue, frame, frame_bytes(frame),
                                          seq_of((uint32_t)end)));
                frame_unref(frame);
                end += lens[l];
            }
            struct frame_pool_counters frames;
            frame_pool_counters(s.frames, &frames);
            assert_in_range(frames.octets, end, 5 * end);
            assert_int_equal(check(&queue, 0), end);
            tcp_queue_clear(s.stack, &queue);
            one_stack_close(&s);
        }
    }
}

static void does_not_write_where_others_read(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_queue queue = {NULL, NULL};
    struct frame *frame = filled(&s, 2048, 0, 2000);
    assert_true(tcp_queue_add(s.stack, &queue, frame, frame_bytes(frame), seq_of(0)));
    assert_int_equal(tcp_queue_room(&queue), 0); /* we hold the frame too, and might write */
    frame_unref(frame);
    assert_int_equal(tcp_queue_room(&queue), 48);
    tcp_queue_clear(s.stack, &queue);
    assert_int_equal(tcp_queue_room(&queue), 0);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_through_every_way_in),
        cmocka_unit_test(memory_follows_octets),
        cmocka_unit_test(does_not_write_where_others_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_frame.c - references, slices, the pool's bound, and where the octets lie. */
#include "tests/support/check.h"

#include "base/frame.h"

struct world {
    struct counting_heap counts;
    struct heap heap;
    struct frame_pool *pool;
};

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->heap = counting_heap(&world->counts);
    world->pool = frame_pool_new(&world->heap, 1 << 20);
    assert_non_null(world->pool);
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    frame_pool_free(world->pool);
    assert_int_equal(world->counts.blocks, 0);
    assert_int_equal(world->counts.octets, 0);
    free(world);
    return 0;
}

static struct frame *frame_with(struct world *world, const char *text)
{
    struct frame *frame = frame_new(world->pool, strlen(text));
    assert_non_null(frame);
    frame_append(frame, bytes_of_text(text));
    return frame;
}

static void check_contents(const struct frame *frame, const char *want)
{
    char *out = malloc(strlen(want) + 1);
    assert_int_equal(frame_total(frame), strlen(want));
    frame_copy_out(frame, 0, out, strlen(want));
    assert_memory_equal(out, want, strlen(want));
    free(out);
}

static void test_headers_are_pushed_and_pulled(void **state)
{
    struct frame *frame = frame_with(*state, "payload");
    assert_int_equal(frame_headroom(frame), FRAME_HEADROOM);
    memcpy(frame_push(frame, 4), "head", 4);
    check_contents(frame, "headpayload");
    frame_pull(frame, 6);
    check_contents(frame, "yload");
    frame_trim(frame, 2);
    check_contents(frame, "yl");
    assert_true(frame_push(frame, FRAME_HEADROOM + 2) == frame->storage);
    frame_unref(frame);
}

static void test_rooms_of_all_sizes(void **state)
{
    struct world *world = *state;
    static const size_t rooms[] = {0,    1,    128,   129,   1514,
                                   2048, 2049, 16384, 16385, FRAME_PACKET_MAX};
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct frame *frame = frame_new(world->pool, rooms[i]);
        assert_non_null(frame);
        assert_true(frame_tailroom(frame) >= rooms[i]);
        memset(frame->data, 0xaa, frame_tailroom(frame)); /* ASan watches */
        frame_unref(frame);
    }
}

static void test_slices_hold_their_owners(void **state)
{
    struct world *world = *state;
    struct frame *owner = frame_with(world, "0123456789");
    struct frame *frame = frame_with(world, "head ");
    frame_add_slice(frame, owner, bytes_of(owner->data + 2, 3));
    frame_add_slice(frame, owner, bytes_of(owner->data + 7, 2));
    assert_int_equal(owner->refs, 3);
    frame_unref(owner);
    check_contents(frame, "head 23478");

    for (size_t from = 0; from <= 10; from++) {
        for (size_t len = 0; from + len <= 10; len++) {
            char *out = malloc(len + 1);
            frame_copy_out(frame, from, out, len);
            assert_memory_equal(out, &"head 23478"[from], len);
            free(out);
        }
    }
    struct frame_pool_counters counters;
    frame_pool_counters(world->pool, &counters);
    assert_int_equal(counters.frames, 2);
    frame_trim(frame, 4);
    check_contents(frame, "head");
    frame_pool_counters(world->pool, &counters);
    assert_int_equal(counters.frames, 1);
    frame_unref(frame);
}

static void test_a_copy_is_linear_and_keeps_the_offload(void **state)
{
    struct world *world = *state;
    struct frame *owner = frame_with(world, "payload");
    struct frame *frame = frame_with(world, "TT");
    frame_add_slice(frame, owner, frame_bytes(owner));
    frame->offload.checksum = FRAME_CHECKSUM_PARTIAL;
    frame->offload.checksum_start = (uint32_t)frame_headroom(frame);
    memcpy(frame_push(frame, 3), "IPv", 3);
    struct frame *copy = frame_copy(frame);
    assert_non_null(copy);
    check_contents(copy, "IPvTTpayload");
    assert_int_equal(copy->slice_count, 0);
    assert_int_equal(copy->offload.checksum, FRAME_CHECKSUM_PARTIAL);
    assert_memory_equal(copy->storage + copy->offload.checksum_start, "TT", 2);
    frame_unref(copy);
    frame_unref(frame);
    frame_unref(owner);
}

static void test_the_pool_is_bounded(void **state)
{
    struct world *world = *state;
    struct frame_queue queue = {0};
    struct frame *frame;
    while ((frame = frame_new(world->pool, 2000)) != NULL)
        frame_queue_push(&queue, frame);
    struct frame_pool_counters counters;
    frame_pool_counters(world->pool, &counters);
    assert_int_equal(counters.refused, 1);
    size_t large_max = counters.octets_max - counters.octets_max / 16;
    assert_true(counters.octets <= large_max);
    assert_true(counters.octets + 2048 + FRAME_HEADROOM > large_max);
    assert_int_equal(counters.frames, queue.count);
    /* Headers and acknowledgements still have room. */
    while ((frame = frame_new(world->pool, 100)) != NULL)
        frame_queue_push(&queue, frame);
    frame_pool_counters(world->pool, &counters);
    assert_true(counters.octets <= counters.octets_max);
    assert_true(counters.octets + 128 + FRAME_HEADROOM > counters.octets_max);
    frame_queue_clear(&queue);
    frame_pool_counters(world->pool, &counters);
    assert_int_equal(counters.octets, 0);
    frame = frame_new(world->pool, 2000);
    assert_non_null(frame);
    frame_unref(frame);
    frame_pool_trim(world->pool);
    assert_int_equal(world->counts.blocks, 1);
}

static void test_no_memory_is_refused(void **state)
{
    struct world *world = *state;
    world->counts.fail_at = world->counts.allocations + 1;
    assert_null(frame_new(world->pool, 10));
    world->counts.fail_at = 0;
}

/* A heap of 4,000 octets. */
static void *little_heap(void *self, void *old, size_t old_size, size_t new_size)
{
    struct heap *heap = self;
    static size_t octets;
    if (octets - old_size + new_size > 4000)
        return NULL;
    octets += new_size - old_size;
    return heap->resize(heap->self, old, old_size, new_size);
}

static void test_warm_frames_of_one_size_make_room_for_another(void **state)
{
    struct world *world = *state;
    struct heap heap = {.resize = little_heap, .self = &world->heap};
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    assert_non_null(pool);
    for (int i = 1; i < 10; i++) {
        struct frame *frame = frame_new(pool, i % 2 == 0 ? 2000 : 100);
        assert_non_null(frame);
        struct frame *small[40];
        size_t count = 0;
        while (i % 2 == 1 && count < ARRAY_LEN(small) && (small[count] = frame_new(pool, 100)) != NULL)
            count++;
        while (count > 0)
            frame_unref(small[--count]);
        frame_unref(frame);
    }
    frame_pool_free(pool);
}

static void test_queues_keep_order(void **state)
{
    struct world *world = *state;
    struct frame_queue queue = {0};
    assert_null(frame_queue_pop(&queue));
    struct frame *a = frame_with(world, "a");
    struct frame *b = frame_with(world, "b");
    frame_queue_push(&queue, a);
    frame_queue_push(&queue, b);
    assert_ptr_equal(frame_queue_pop(&queue), a);
    frame_queue_push(&queue, a);
    assert_ptr_equal(frame_queue_pop(&queue), b);
    assert_ptr_equal(frame_queue_pop(&queue), a);
    assert_null(frame_queue_pop(&queue));
    assert_int_equal(queue.count, 0);
    frame_unref(a);
    frame_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_headers_are_pushed_and_pulled, begin, end),
        cmocka_unit_test_setup_teardown(test_rooms_of_all_sizes, begin, end),
        cmocka_unit_test_setup_teardown(test_slices_hold_their_owners, begin, end),
        cmocka_unit_test_setup_teardown(test_a_copy_is_linear_and_keeps_the_offload, begin, end),
        cmocka_unit_test_setup_teardown(test_the_pool_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(test_no_memory_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_warm_frames_of_one_size_make_room_for_another, begin, end),
        cmocka_unit_test_setup_teardown(test_queues_keep_order, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

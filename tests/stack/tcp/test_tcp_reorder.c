/* SPDX-License-Identifier: ISC */
/* test_tcp_reorder.c - the out-of-order queue against an array of flags. */
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"
#include "tests/support/tcp_check.h"

enum { WINDOW = 4000, ROUNDS = 300, SEGMENTS = 60 };

static struct tcp_connection *connection(struct one_stack *s, uint32_t rcv_nxt)
{
    struct endpoint local = {ADDRESS_US, 80};
    struct endpoint remote = {ADDRESS_PEER, 4000};
    struct tcp_connection *c = tcp_connection_new(s->stack, &local, &remote);
    assert_non_null(c);
    c->rcv_nxt = seq_of(rcv_nxt);
    c->rcv_adv = seq_add(c->rcv_nxt, WINDOW);
    return c;
}

static uint8_t octet_at(uint32_t i)
{
    return (uint8_t)(i * 31 + i / 256);
}

/* Offers octets [from, to) of the window that began at `base`, in a frame of its own. */
static enum tcp_reorder_status offer(struct one_stack *s, struct tcp_connection *c, uint32_t base,
                                     uint32_t from, uint32_t to)
{
    struct frame *frame = frame_new(s->frames, from % 3 == 0 ? 65536 : to - from);
    assert_non_null(frame);
    for (uint32_t i = from; i < to; i++)
        frame->data[i - from] = octet_at(i);
    frame->len = to - from;
    struct ip_packet packet = {.frame = frame};
    struct tcp_segment seg = {
        .packet = &packet, .seq = seq_of(base + from), .text = frame_bytes(frame)};
    enum tcp_reorder_status status = tcp_reorder_add(c, &seg);
    frame_unref(frame);
    return status;
}

/* The ranges are the runs of `present`, and hold the right octets. */
static void check_runs(const struct tcp_connection *c, uint32_t base, const bool *present)
{
    const struct tcp_range *range = c->reorder != NULL ? c->reorder->first : NULL;
    uint32_t i = 0;
    while (i < WINDOW) {
        if (!present[i]) {
            i++;
            continue;
        }
        assert_non_null(range);
        assert_int_equal(range->start.n, base + i);
        const struct tcp_chunk *chunk = range->queue.first;
        uint32_t at = 0;
        for (; i < WINDOW && present[i]; i++) {
            if (at == chunk->len) {
                chunk = chunk->next;
                at = 0;
            }
            assert_int_equal(chunk->data[at++], octet_at(i));
        }
        assert_int_equal(range->end.n, base + i);
        range = range->next;
    }
    assert_null(range);
}

static void holds_what_an_array_would(void **state)
{
    (void)state;
    struct one_stack s;
    struct prng prng;
    one_stack_open(&s, NULL);
    prng_init_number(&prng, 7);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t base = UINT32_MAX - prng_below(&prng, WINDOW);
        struct tcp_connection *c = connection(&s, base);
        static bool present[WINDOW];
        memset(present, 0, sizeof present);
        uint32_t longest = 1 + prng_below(&prng, 900);
        for (unsigned n = 0; n < SEGMENTS; n++) {
            uint32_t from = 1 + prng_below(&prng, WINDOW - 1);
            uint32_t to = from + 1 + prng_below(&prng, longest);
            if (to > WINDOW)
                to = WINDOW;
            bool news = false;
            for (uint32_t i = from; i < to; i++) {
                news = news || !present[i];
                present[i] = true;
            }
            assert_int_equal(offer(&s, c, base, from, to),
                             news ? TCP_REORDER_KEPT : TCP_REORDER_DUPLICATE);
            check_runs(c, base, present);
        }
        /* All in order up to somewhere: what is contiguous from there is collected. */
        uint32_t upto = 1 + prng_below(&prng, WINDOW - 1);
        uint32_t end = upto;
        while (end < WINDOW && present[end])
            end++;
        c->rcv_nxt = seq_of(base + upto);
        assert_int_equal(c->reorder != NULL ? tcp_reorder_collect(c) : 0, end - upto);
        assert_int_equal(c->rcv_nxt.n, base + end);
        memset(present, 0, end);
        check_runs(c, base, present);
        uint32_t i = upto;
        for (const struct tcp_chunk *chunk = c->received.first; chunk != NULL; chunk = chunk->next)
            for (uint32_t k = 0; k < chunk->len; k++)
                assert_int_equal(chunk->data[k], octet_at(i++));
        assert_int_equal(i, end);
        tcp_connection_free(c);
    }
    one_stack_close(&s);
}

static void tells_the_newest_first(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = connection(&s, 1000);
    struct tcp_sack_block blocks[4];
    assert_int_equal(tcp_reorder_blocks(c, blocks, 4), 0);
    for (uint32_t i = 1; i <= 5; i++)
        assert_int_equal(offer(&s, c, 1000, i * 100, i * 100 + 10), TCP_REORDER_KEPT);
    assert_int_equal(offer(&s, c, 1000, 210, 220), TCP_REORDER_KEPT);
    assert_int_equal(tcp_reorder_blocks(c, blocks, 3), 3);
    static const uint32_t want[][2] = {{1200, 1220}, {1500, 1510}, {1400, 1410}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(blocks[i].start, want[i][0]);
        assert_int_equal(blocks[i].end, want[i][1]);
    }
    tcp_connection_free(c);
    one_stack_close(&s);
}

static void is_bounded_in_ranges(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = connection(&s, 0);
    for (uint32_t i = 1; i <= TCP_REORDER_RANGES_MAX; i++)
        assert_int_equal(offer(&s, c, 0, i * 3, i * 3 + 1), TCP_REORDER_KEPT);
    uint32_t beyond = (TCP_REORDER_RANGES_MAX + 1) * 3;
    assert_int_equal(offer(&s, c, 0, beyond, beyond + 1), TCP_REORDER_REFUSED);
    /* What needs no new range is still taken, and makes room for others. */
    assert_int_equal(offer(&s, c, 0, 4, 6), TCP_REORDER_KEPT);
    assert_int_equal(offer(&s, c, 0, beyond, beyond + 1), TCP_REORDER_KEPT);
    tcp_connection_free(c);
    one_stack_close(&s);
}

static void gathers_single_octets(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = connection(&s, 0);
    for (uint32_t i = 1; i < WINDOW; i++)
        assert_int_equal(offer(&s, c, 0, i, i + 1), TCP_REORDER_KEPT);
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_in_range(frames.octets, WINDOW, WINDOW + 2 * TCP_BLOCK);
    tcp_connection_free(c);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_an_array_would),
        cmocka_unit_test(tells_the_newest_first),
        cmocka_unit_test(is_bounded_in_ranges),
        cmocka_unit_test(gathers_single_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

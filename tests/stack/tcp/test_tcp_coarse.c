/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_coarse.c - loss recovery with clocks, and timers, that go by 1, 4 and 10 ms: whole flights are
 * sent and acknowledged at one instant, and round trips take no time or ten milliseconds. What was lost
 * is sent again, and next to nothing else; nothing waits for the retransmission timeout that did not
 * before; and it takes hardly longer than by a fine clock (RFC 8985, RFC 6298 §4).
 */
#include "tests/support/tcp_path.h"

#define MSEC(n) ((n) * USEC_PER_MSEC)
#define MBIT 1000000u

static const usec clocks[] = {1, MSEC(1), MSEC(4), MSEC(10)};
static const usec round_trips[] = {200, MSEC(2), MSEC(10), MSEC(50)};

struct outcome {
    usec took;
    uint32_t again;
    uint32_t timeouts;
    uint64_t lost;
};

static struct tcp_path_options path(usec rtt, usec tick)
{
    return (struct tcp_path_options){
        .profile = tcp_profile_default, .rate = 50 * MBIT, .rtt = rtt, .queue = 200, .tick = tick};
}

static struct outcome outcome_of(struct tcp_test_path *p, const struct tcp_path_flow *flow, usec took)
{
    struct wire_counters wire;
    wire_counters(p->wire, WIRE_A, &wire);
    return (struct outcome){took, flow->sender->retransmits, flow->sender->timeouts,
                            wire.lost + wire.queue_full};
}

static struct outcome transfer(const struct tcp_path_options *options,
                               enum tcp_congestion_kind kind, uint64_t octets)
{
    struct tcp_test_path p;
    tcp_path_open(&p, options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, kind, octets);
    usec took = tcp_path_finish(&p, 100 * USEC_PER_SEC);
    assert_int_equal(flow->received, octets);
    struct outcome out = outcome_of(&p, flow, took);
    tcp_path_close(&p);
    return out;
}

/* One in a hundred is lost, or whatever the queue has no room for. */
static void bulk_with_loss(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < TCP_CONGESTION_COUNT; kind++)
        for (size_t r = 0; r < ARRAY_LEN(round_trips); r++)
            for (unsigned loss = 0; loss <= 10000; loss += 10000) {
                struct outcome fine = {0};
                for (size_t k = 0; k < ARRAY_LEN(clocks); k++) {
                    struct tcp_path_options options = path(round_trips[r], clocks[k]);
                    options.loss = loss;
                    struct outcome out = transfer(&options, kind, 3000000);
                    if (k == 0)
                        fine = out;
                    const char *name = tcp_congestion_name(kind);
                    CHECK_EQUAL(name, out.timeouts, 0);
                    /* A tail loss probe may come before what it asks about. */
                    CHECK(name, out.again >= out.lost && out.again <= out.lost + 3);
                    CHECK(name, out.took <= fine.took * 6 / 5 + 10 * clocks[k]);
                }
            }
}

/* Nothing is lost, but some overtake others. BBR takes the shortest round trip for the path's, and has
 * no business here. */
static void bulk_with_disorder(void **state)
{
    (void)state;
    for (unsigned kind = TCP_CONGESTION_CUBIC; kind <= TCP_CONGESTION_NEWRENO; kind++)
        for (size_t k = 0; k < ARRAY_LEN(clocks); k++) {
            struct tcp_path_options options = path(MSEC(10), clocks[k]);
            options.reorder = 20000;
            options.queue = 2000;
            struct outcome out = transfer(&options, kind, 5000000);
            CHECK_EQUAL("disorder", out.timeouts, 0);
            CHECK_EQUAL("disorder", out.lost, 0);
            CHECK("disorder", out.again < 200); /* of 3,500: each was undone */
            CHECK("disorder", out.took < 950 * USEC_PER_MSEC); /* 880 by a fine clock */
        }
}

/* A word and its answer's ACK, time and again, with one in ten lost: it is the end of each that matters,
 * which only a tail loss probe saves from the timeout (RFC 8985 §7). */
static void short_dialogues(void **state)
{
    (void)state;
    for (size_t r = 1; r < ARRAY_LEN(round_trips); r++) {
        struct outcome fine = {0};
        for (size_t k = 0; k < ARRAY_LEN(clocks); k++) {
            struct tcp_test_path p;
            struct tcp_path_options options = path(round_trips[r], clocks[k]);
            options.loss = 100000;
            tcp_path_open(&p, &options);
            struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 0);
            tcp_path_run(&p, 20 * USEC_PER_SEC);
            usec took = 0;
            for (unsigned i = 0; i < 300; i++) {
                tcp_path_send(&p, flow, 4000);
                took += tcp_path_finish(&p, 100 * USEC_PER_SEC);
                tcp_path_run(&p, MSEC(100));
            }
            struct outcome out = outcome_of(&p, flow, took);
            if (k == 0)
                fine = out;
            CHECK("dialogues", out.again >= out.lost && out.again <= out.lost + 10);
            CHECK("dialogues", out.timeouts <= 2 * fine.timeouts && fine.timeouts <= 12);
            CHECK("dialogues", out.took <= fine.took * 6 / 5);
            tcp_path_close(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_with_loss),
        cmocka_unit_test(bulk_with_disorder),
        cmocka_unit_test(short_dialogues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

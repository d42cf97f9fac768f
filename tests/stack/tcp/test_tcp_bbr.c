/* SPDX-License-Identifier: ISC */
/* test_tcp_bbr.c - BBR (draft-ietf-ccwg-bbr): what it believes of a path, and what it makes of it. */
#include "stack/tcp/tcp_bbr.h"
#include "tests/support/tcp_path.h"

#define MSEC(n) ((n)*USEC_PER_MSEC)
#define MBIT(n) ((n)*UINT64_C(1000000))

/* 1448 octets of text in a frame of 1514. */
static uint64_t text_rate(uint64_t bits)
{
    return bits / 8 * 1448 / 1514;
}

static void open_path(struct tcp_test_path *p, struct tcp_path_options options)
{
    options.profile = tcp_profile_default;
    options.profile.receive_buffer = options.profile.send_buffer = 32 * 1024 * 1024;
    if (options.mark != 0)
        options.profile.ecn = TCP_ECN_ASK;
    tcp_path_open(p, &options);
}

static struct tcp_path_flow *bulk(struct tcp_test_path *p)
{
    return tcp_path_flow(p, TCP_CONGESTION_BBR, UINT64_MAX / 2);
}

static uint64_t received_in(struct tcp_test_path *p, const struct tcp_path_flow *flow,
                            usec duration)
{
    uint64_t before = flow->received;
    tcp_path_run(p, duration);
    return flow->received - before;
}

/* Turns the world until the connection is in that phase, or `limit` has passed. Returns how long. */
static usec run_to_phase(struct tcp_test_path *p, const struct tcp_path_flow *flow,
                         enum bbr_phase phase, usec limit)
{
    usec began = world_now(p->world);
    while (world_now(p->world) - began < limit && flow->sender->bbr->phase != phase)
        tcp_path_run(p, MSEC(1));
    return world_now(p->world) - began;
}

/* Appendix, "Exiting STARTUP on Bandwidth Plateau": max_bw within 2 % of what the path has, three rounds
 * after that Drain, and then no queue is left. */
static void startup_ends_when_the_pipe_is_full(void **state)
{
    (void)state;
    static const uint64_t rates[] = {MBIT(1), MBIT(10), MBIT(100), MBIT(1000)};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct tcp_test_path p;
        uint32_t queue = (uint32_t)(rates[i] / 8 * 2 / 25 / 1514) + 20; /* two BDPs */
        open_path(&p, (struct tcp_path_options){.rate = rates[i], .rtt = MSEC(40), .queue = queue});
        struct tcp_path_flow *flow = bulk(&p);
        tcp_path_run(&p, MSEC(80));
        struct tcp_bbr *b = flow->sender->bbr;
        assert_int_equal(b->phase, BBR_STARTUP);
        assert_true(run_to_phase(&p, flow, BBR_DRAIN, USEC_PER_SEC) < USEC_PER_SEC);
        assert_true(b->full_bw_reached && b->full_bw_now);
        assert_int_equal(b->full_bw_count, 3);
        uint64_t most = text_rate(rates[i]);
        assert_in_range(b->max_bw, most - most / 50, most + most / 50);
        assert_in_range(b->min_rtt, 40000, 53000); /* a frame takes 12 ms at 1 Mb/s */
        assert_true(run_to_phase(&p, flow, BBR_PROBE_CRUISE, USEC_PER_SEC) < USEC_PER_SEC);
        assert_true(tcp_pipe(flow->sender) <= bbr_inflight(flow->sender, b->max_bw, 100));
        assert_in_range(b->pacing_rate, most * 97 / 100, most);
        tcp_path_close(&p);
    }
}

/* The first rounds double: 277 % of the first window in a round trip, and then of what was delivered. */
static void startup_doubles(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(1000), .rtt = MSEC(50), .queue = 10000});
    struct tcp_path_flow *flow = bulk(&p);
    tcp_path_run(&p, MSEC(52));
    uint64_t first = (uint64_t)tcp_initial_window(flow->sender) * 20 * 277 / 100;
    assert_in_range(flow->sender->bbr->pacing_rate, first * 98 / 100, first);
    tcp_path_run(&p, MSEC(50)); /* a round, and what one acknowledgement tells */
    uint64_t before = flow->sender->bbr->pacing_rate;
    for (unsigned round = 0; round < 5; round++) {
        tcp_path_run(&p, MSEC(52));
        uint64_t now = flow->sender->bbr->pacing_rate;
        if (round > 0)
            assert_in_range(now, before * 17 / 10, before * 24 / 10);
        before = now;
    }
    tcp_path_close(&p);
}

/* What CUBIC gives up on: one frame of a hundred is lost by chance. RFC 9438 would have 1.3 % of it. */
static void loss_by_chance_is_no_congestion(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate;
        usec rtt;
        uint32_t loss;
        unsigned percent; /* of what can arrive */
    } cases[] = {
        {MBIT(100), MSEC(50), 10000, 90},
        {MBIT(500), MSEC(50), 10000, 90},
        {MBIT(10), MSEC(50), 10000, 88},
        {MBIT(100), MSEC(10), 10000, 88},
        {MBIT(100), MSEC(100), 1000, 90},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tcp_test_path p;
        open_path(&p, (struct tcp_path_options){.rate = cases[i].rate, .rtt = cases[i].rtt,
                                                .loss = cases[i].loss, .queue = 5000});
        struct tcp_path_flow *flow = bulk(&p);
        tcp_path_run(&p, 3 * USEC_PER_SEC);
        uint64_t got = received_in(&p, flow, 6 * USEC_PER_SEC) / 6;
        uint64_t most = text_rate(cases[i].rate) / 1000000 * (1000000 - cases[i].loss);
        if (got < most / 100 * cases[i].percent)
            fail_msg("case %zu: %u %%", i, (unsigned)(got * 100 / most));
        assert_int_equal(flow->sender->timeouts, 0);
        tcp_path_close(&p);
    }
}

/* Beyond the threshold it is: a probe ends, the volume that was too much is remembered, and a path that
 * drops a tenth is not filled. */
static void much_loss_is_congestion(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(100), .rtt = MSEC(20), .queue = 40});
    struct tcp_path_flow *flow = bulk(&p);
    tcp_path_run(&p, 8 * USEC_PER_SEC);
    const struct tcp_bbr *b = flow->sender->bbr;
    uint32_t fits = (uint32_t)(text_rate(MBIT(100)) / 50) + 40 * 1448;
    assert_in_range(b->inflight_longterm, fits / 2, fits * 11 / 10);
    assert_true(flow->sender->retransmits < 3000);
    uint64_t got = received_in(&p, flow, 4 * USEC_PER_SEC) / 4;
    assert_true(got > text_rate(MBIT(100)) * 88 / 100);
    tcp_path_close(&p);

    open_path(&p, (struct tcp_path_options){.rate = MBIT(100), .rtt = MSEC(20), .loss = 100000});
    flow = bulk(&p);
    tcp_path_run(&p, 4 * USEC_PER_SEC);
    got = received_in(&p, flow, 4 * USEC_PER_SEC) / 4;
    assert_true(got < text_rate(MBIT(100)) / 4);
    assert_true(got > 100000);
    tcp_path_close(&p);
}

/* Jain's index of what each has got. */
static double fairness(const uint64_t *got, unsigned count)
{
    double sum = 0;
    double squares = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += (double)got[i];
        squares += (double)got[i] * (double)got[i];
    }
    return sum * sum / (count * squares);
}

static void flows_share(void **state)
{
    (void)state;
    static const uint32_t queues[] = {83, 21}; /* a BDP; a quarter of it */
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        struct tcp_test_path p;
        uint64_t got[3];
        open_path(&p, (struct tcp_path_options){.rate = MBIT(50), .rtt = MSEC(20),
                                                .queue = queues[i]});
        for (unsigned k = 0; k < ARRAY_LEN(got); k++) {
            (void)bulk(&p);
            tcp_path_run(&p, 2 * USEC_PER_SEC);
        }
        tcp_path_run(&p, 15 * USEC_PER_SEC);
        for (unsigned k = 0; k < ARRAY_LEN(got); k++)
            got[k] = p.flows[k].received;
        tcp_path_run(&p, 15 * USEC_PER_SEC);
        uint64_t all = 0;
        for (unsigned k = 0; k < ARRAY_LEN(got); k++) {
            got[k] = p.flows[k].received - got[k];
            all += got[k];
        }
        assert_true(fairness(got, ARRAY_LEN(got)) > 0.95);
        assert_true(all / 15 > text_rate(MBIT(50)) * 95 / 100);
        tcp_path_close(&p);
    }
}

/* Every five seconds, for 200 ms, half a BDP; afterwards all is as before. */
static void the_round_trip_is_probed(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(50), .rtt = MSEC(30), .queue = 200});
    struct tcp_path_flow *flow = bulk(&p);
    tcp_path_run(&p, 2 * USEC_PER_SEC);
    const struct tcp_bbr *b = flow->sender->bbr;
    usec waited = run_to_phase(&p, flow, BBR_PROBE_RTT, 6 * USEC_PER_SEC);
    assert_in_range(waited, MSEC(2500), MSEC(5200));
    uint32_t before = b->prior_cwnd;
    uint32_t half = bbr_bdp(flow->sender, b->bw, 50);
    tcp_path_run(&p, MSEC(60));
    assert_true(flow->sender->cwnd <= half && tcp_pipe(flow->sender) <= half);
    usec lasted = MSEC(60);
    while (b->phase == BBR_PROBE_RTT && lasted < USEC_PER_SEC) {
        tcp_path_run(&p, MSEC(1));
        lasted += MSEC(1);
    }
    assert_in_range(lasted, MSEC(200), MSEC(300));
    assert_int_equal(b->phase, BBR_PROBE_CRUISE);
    assert_true(flow->sender->cwnd >= before * 9 / 10);
    assert_in_range(b->probe_rtt_min_delay, 30000, 31000);
    assert_true(b->max_bw >= text_rate(MBIT(50)) * 98 / 100);
    assert_in_range(run_to_phase(&p, flow, BBR_PROBE_RTT, 7 * USEC_PER_SEC), MSEC(4500), MSEC(5500));
    tcp_path_close(&p);
}

/* The cycle: down until the queue is gone, cruise, refill for a round, up until a quarter more does not
 * come. */
static void the_cycle_goes_round(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(50), .rtt = MSEC(30), .queue = 400});
    struct tcp_path_flow *flow = bulk(&p);
    tcp_path_run(&p, USEC_PER_SEC);
    const struct tcp_bbr *b = flow->sender->bbr;
    static const uint8_t next[BBR_PHASE_COUNT] = {
        [BBR_STARTUP] = BBR_DRAIN,           [BBR_DRAIN] = BBR_PROBE_DOWN,
        [BBR_PROBE_DOWN] = BBR_PROBE_CRUISE, [BBR_PROBE_CRUISE] = BBR_PROBE_REFILL,
        [BBR_PROBE_REFILL] = BBR_PROBE_UP,   [BBR_PROBE_UP] = BBR_PROBE_DOWN,
        [BBR_PROBE_RTT] = BBR_PROBE_CRUISE,
    };
    static const uint8_t gains[] = {277 / 2, 50, 90, 100, 100, 125, 100};
    unsigned rounds = 0;
    uint8_t phase = b->phase;
    usec began = world_now(p.world);
    while (world_now(p.world) - began < 12 * USEC_PER_SEC) {
        tcp_path_run(&p, MSEC(1));
        if (b->phase == phase)
            continue;
        if (b->phase != BBR_PROBE_RTT)
            assert_int_equal(b->phase, next[phase]);
        rounds += b->phase == BBR_PROBE_UP;
        phase = b->phase;
        uint64_t rate = b->bw * gains[phase] / 100;
        assert_in_range(b->pacing_rate, rate * 98 / 100, rate);
    }
    assert_in_range(rounds, 3, 7);
    assert_int_equal(flow->sender->retransmits, 0);
    tcp_path_close(&p);
}

/* What the application gives slowly says nothing of the path; and who was idle goes on at the rate that
 * is known, without ProbeRTT. */
static void want_of_text_does_not_lower_the_rate(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(50), .rtt = MSEC(30), .queue = 200});
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_BBR, 20000000);
    assert_true(tcp_path_finish(&p, 10 * USEC_PER_SEC) < 5 * USEC_PER_SEC);
    const struct tcp_bbr *b = flow->sender->bbr;
    uint64_t most = text_rate(MBIT(50));
    for (unsigned i = 0; i < 200; i++) {
        tcp_path_send(&p, flow, i % 7 == 0 ? 100 : 20000);
        tcp_path_run(&p, MSEC(50));
        assert_true(b->max_bw >= most * 95 / 100);
        assert_true(b->pacing_rate >= most * 80 / 100);
    }
    for (unsigned seconds = 8; seconds <= 40; seconds += 32) { /* after the longer one it begins anew */
        tcp_path_run(&p, seconds * USEC_PER_SEC);
        assert_int_equal(flow->sender->bbr != NULL, seconds == 8);
        tcp_path_send(&p, flow, 500000);
        usec fair = MSEC(30) + (usec)(500000 * USEC_PER_SEC / (most * 8 / 10));
        assert_true(tcp_path_finish(&p, USEC_PER_SEC) < fair);
        assert_int_not_equal(flow->sender->bbr->phase, BBR_PROBE_RTT);
    }
    tcp_path_close(&p);
}

/* Never out of Startup for want of text, as long as nothing is lost. */
static void want_of_text_does_not_end_startup(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(50), .rtt = MSEC(30), .queue = 200});
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_BBR, 0);
    tcp_path_run(&p, MSEC(100));
    for (unsigned i = 0; i < 100; i++) {
        tcp_path_send(&p, flow, 3000);
        tcp_path_run(&p, MSEC(40));
    }
    assert_false(flow->sender->bbr->full_bw_reached);
    tcp_path_close(&p);
}

/* Marks of the queue (RFC 3168) are heeded: it stays short, and nothing is lost. */
static void marks_are_heeded(void **state)
{
    (void)state;
    struct tcp_test_path p;
    open_path(&p, (struct tcp_path_options){.rate = MBIT(50), .rtt = MSEC(20), .queue = 1000,
                                            .mark = 30});
    struct tcp_path_flow *flow = bulk(&p);
    tcp_path_run(&p, 3 * USEC_PER_SEC);
    const struct tcp_bbr *b = flow->sender->bbr;
    assert_true(flow->sender->ecn_marks && flow->sender->marked > 0);
    assert_true(b->inflight_longterm != BBR_NO_VOLUME);
    uint64_t got = received_in(&p, flow, 4 * USEC_PER_SEC) / 4;
    assert_true(got > text_rate(MBIT(50)) * 80 / 100);
    assert_int_equal(flow->sender->retransmits, 0);
    assert_true(b->inflight_longterm < text_rate(MBIT(50)) / 50 + 60 * 1448);
    tcp_path_close(&p);
}

/* Clocks of 10 ms: rates are seen coarsely, and nothing collapses. */
static void coarse_clocks_do(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate;
        usec rtt;
        uint32_t loss;
        unsigned percent;
    } cases[] = {
        {MBIT(100), MSEC(50), 0, 85},
        {MBIT(100), MSEC(50), 10000, 75},
        {MBIT(10), MSEC(20), 0, 85},
        {MBIT(100), MSEC(100), 10000, 75},
        {MBIT(100), MSEC(2), 0, 50},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tcp_test_path p;
        open_path(&p, (struct tcp_path_options){.rate = cases[i].rate, .rtt = cases[i].rtt,
                                                .loss = cases[i].loss, .queue = 1000,
                                                .tick = MSEC(10)});
        struct tcp_path_flow *flow = bulk(&p);
        tcp_path_run(&p, 3 * USEC_PER_SEC);
        uint64_t got = received_in(&p, flow, 6 * USEC_PER_SEC) / 6;
        uint64_t most = text_rate(cases[i].rate) / 1000000 * (1000000 - cases[i].loss);
        if (got < most / 100 * cases[i].percent)
            fail_msg("case %zu: %u %%", i, (unsigned)(got * 100 / most));
        tcp_path_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_ends_when_the_pipe_is_full),
        cmocka_unit_test(startup_doubles),
        cmocka_unit_test(loss_by_chance_is_no_congestion),
        cmocka_unit_test(much_loss_is_congestion),
        cmocka_unit_test(flows_share),
        cmocka_unit_test(the_round_trip_is_probed),
        cmocka_unit_test(the_cycle_goes_round),
        cmocka_unit_test(want_of_text_does_not_lower_the_rate),
        cmocka_unit_test(want_of_text_does_not_end_startup),
        cmocka_unit_test(marks_are_heeded),
        cmocka_unit_test(coarse_clocks_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

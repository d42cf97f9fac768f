/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_path_mtu.c - transfers over a path that loses large packets and does not say so (RFC 2923
 * §2.1, RFC 4821), and whose MTU changes under way.
 */
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "tests/support/tcp_path.h"

enum { MEGABYTE = 1000 * 1000 };

static struct tcp_path_options options_with(enum tcp_path_mtu_probing probing)
{
    struct tcp_path_options options = {
        .profile = tcp_profile_default, .rate = 20 * MEGABYTE, .rtt = 20 * USEC_PER_MSEC};
    options.profile.path_mtu_probing = (uint8_t)probing;
    return options;
}

static uint32_t path_mtu(const struct tcp_path_flow *flow)
{
    struct tcp_info info;
    tcp_info(flow->sender, &info);
    return info.path_mtu;
}

/* A hole of every size: the transfer survives, and ends with segments that nearly fill it. */
static void test_a_transfer_survives_a_black_hole(void **state UNUSED)
{
    static const size_t holes[] = {576, 600, 1024, 1100, 1280, 1400, 1492, 1499};
    for (size_t i = 0; i < 2 * ARRAY_LEN(holes); i++) {
        size_t hole = holes[i / 2];
        struct tcp_test_path p;
        struct tcp_path_options options =
            options_with(i % 2 == 0 ? TCP_PROBING_WHEN_BLACK : TCP_PROBING_ALWAYS);
        tcp_path_open(&p, &options);
        wire_set_hole(p.wire, hole);
        struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 4 * MEGABYTE);
        usec took = tcp_path_finish(&p, 60 * USEC_PER_SEC);
        CHECK_EQUAL("all arrived", flow->received, 4 * MEGABYTE);
        CHECK("in time", took < 15 * USEC_PER_SEC);
        CHECK("not above the hole", path_mtu(flow) <= hole);
        CHECK("near it", path_mtu(flow) + 16 > hole);
        tcp_path_close(&p);
    }
}

static void test_without_probing_it_does_not(void **state UNUSED)
{
    struct tcp_test_path p;
    struct tcp_path_options options = options_with(TCP_PROBING_OFF);
    tcp_path_open(&p, &options);
    wire_set_hole(p.wire, 1400);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 100000);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    assert_int_equal(flow->received, 0);
    assert_int_equal(path_mtu(flow), 1500);
    tcp_path_close(&p);
}

/* An outage looks like a black hole at first; then the first probe is as large as before. */
static void test_an_outage_costs_one_probe(void **state UNUSED)
{
    struct tcp_test_path p;
    struct tcp_path_options options = options_with(TCP_PROBING_WHEN_BLACK);
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 20 * MEGABYTE);
    tcp_path_run(&p, USEC_PER_SEC);
    wire_set_up(p.wire, false);
    tcp_path_run(&p, 10 * USEC_PER_SEC);
    assert_true(path_mtu(flow) < 1500);
    wire_set_up(p.wire, true);
    tcp_path_run(&p, 8 * USEC_PER_SEC);
    assert_int_equal(path_mtu(flow), 1500);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    assert_int_equal(flow->received, 20 * MEGABYTE);
    tcp_path_close(&p);
}

/* The next connection knows what this one has found out, and looks for more. */
static void test_the_next_connection_knows(void **state UNUSED)
{
    struct tcp_test_path p;
    struct tcp_path_options options = options_with(TCP_PROBING_WHEN_BLACK);
    tcp_path_open(&p, &options);
    wire_set_hole(p.wire, 1200);
    struct tcp_path_flow *first = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, MEGABYTE);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    uint32_t mtu = path_mtu(first);
    assert_true(mtu > 1180 && mtu <= 1200);
    struct tcp_path_flow *second = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, MEGABYTE);
    tcp_path_run(&p, 2 * USEC_PER_SEC);
    struct tcp_info info;
    tcp_info(second->sender, &info);
    assert_int_equal(info.timeouts, 0);
    assert_int_equal(second->received, MEGABYTE);
    /* The hole is mended. */
    wire_set_hole(p.wire, 0);
    struct tcp_path_flow *third = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 2 * MEGABYTE);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    assert_true(path_mtu(third) >= 1492);
    tcp_path_close(&p);
}

/* Ten minutes later larger ones are tried again (RFC 4821 §7.5). */
static void test_a_path_that_becomes_better_is_noticed(void **state UNUSED)
{
    struct tcp_test_path p;
    struct tcp_path_options options = options_with(TCP_PROBING_WHEN_BLACK);
    tcp_path_open(&p, &options);
    wire_set_hole(p.wire, 1300);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 3 * MEGABYTE);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    wire_set_hole(p.wire, 0);
    tcp_path_send(&p, flow, MEGABYTE);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    assert_true(path_mtu(flow) <= 1300);
    tcp_path_run(&p, 11 * USEC_PER_MINUTE);
    tcp_path_send(&p, flow, 3 * MEGABYTE);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    assert_true(path_mtu(flow) >= 1490);
    tcp_path_close(&p);
}

/* The link's MTU goes down and up while octets are under way. */
static void test_the_mtu_of_the_link_changes(void **state UNUSED)
{
    static const uint16_t mtus[] = {576, 1500, 900, 1400, 1280, 1500};
    struct tcp_test_path p;
    struct tcp_path_options options = options_with(TCP_PROBING_WHEN_BLACK);
    options.tso = true;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 20 * MEGABYTE);
    for (size_t i = 0; i < ARRAY_LEN(mtus); i++) {
        tcp_path_run(&p, 500 * USEC_PER_MSEC);
        uint64_t before = flow->received;
        stack_set_mtu(p.a, 0, mtus[i]);
        wire_set_hole(p.wire, mtus[i]); /* the other host's acknowledgements are small */
        tcp_path_run(&p, 500 * USEC_PER_MSEC);
        assert_int_equal(path_mtu(flow), mtus[i]);
        assert_true(flow->received > before);
    }
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    assert_int_equal(flow->received, 20 * MEGABYTE);
    tcp_path_close(&p);
}

/* RFC 5681 §3.1, (4): ssthresh is two segments at least, also when these have become larger. */
static void test_ssthresh_grows_with_the_segments(void **state UNUSED)
{
    struct tcp_test_path p;
    struct tcp_path_options options = options_with(TCP_PROBING_OFF);
    tcp_path_open(&p, &options);
    stack_set_mtu(p.a, 0, 700);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_NEWRENO, MEGABYTE);
    tcp_path_run(&p, 100 * USEC_PER_MSEC);
    struct tcp_connection *c = flow->sender;
    c->ssthresh = 2u * c->mss;
    stack_set_mtu(p.a, 0, 1500);
    tcp_path_run(&p, 100 * USEC_PER_MSEC);
    assert_int_equal(c->mss, 1448);
    assert_true(c->ssthresh >= 2 * 1448);
    (void)tcp_path_finish(&p, 60 * USEC_PER_SEC);
    tcp_path_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transfer_survives_a_black_hole),
        cmocka_unit_test(test_without_probing_it_does_not),
        cmocka_unit_test(test_an_outage_costs_one_probe),
        cmocka_unit_test(test_the_next_connection_knows),
        cmocka_unit_test(test_a_path_that_becomes_better_is_noticed),
        cmocka_unit_test(test_the_mtu_of_the_link_changes),
        cmocka_unit_test(test_ssthresh_grows_with_the_segments),
    };
    return cmocka_run_group_tests_name("tcp_path_mtu", tests, NULL, NULL);
}

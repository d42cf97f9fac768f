/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_rack.c - what disorder costs: on a path that lets some segments overtake all that are being
 * delayed, both ways, the reordering window becomes as wide as the path needs (RFC 8985 §6.2).
 */
#include "stack/tcp/tcp_profile.h"
#include "tests/support/tcp_path.h"

enum { MEGABYTE = 1000 * 1000, SECONDS = 2 };

/* What arrives in the seconds after the first, in which the path is learned. */
static uint64_t carried(uint32_t reorder, enum tcp_congestion_kind kind)
{
    struct tcp_test_path p;
    struct tcp_path_options options = {
        .profile = tcp_profile_default,
        .rate = UINT64_C(400) * MEGABYTE,
        .rtt = 20 * USEC_PER_MSEC,
        .reorder = reorder,
    };
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, kind, UINT64_C(1000) * MEGABYTE);
    tcp_path_run(&p, USEC_PER_SEC);
    uint64_t before = flow->received;
    tcp_path_run(&p, SECONDS * USEC_PER_SEC);
    uint64_t octets = flow->received - before;
    tcp_path_close(&p);
    return octets;
}

static void test_disorder_does_not_make_it_slow(void **state UNUSED)
{
    static const uint32_t disorders[] = {1000, 10000, 50000, 200000};
    for (size_t i = 0; i < ARRAY_LEN(disorders); i++) {
        uint64_t octets = carried(disorders[i], TCP_CONGESTION_CUBIC);
        /* Of 50 MB a second. */
        if (octets < UINT64_C(30) * MEGABYTE * SECONDS)
            fail_msg("at %u parts per million: %llu octets", disorders[i],
                     (unsigned long long)octets);
        octets = carried(disorders[i], TCP_CONGESTION_NEWRENO);
        if (octets < UINT64_C(30) * MEGABYTE * SECONDS)
            fail_msg("NewReno at %u parts per million: %llu octets", disorders[i],
                     (unsigned long long)octets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disorder_does_not_make_it_slow),
    };
    return cmocka_run_group_tests_name("tcp_rack", tests, NULL, NULL);
}

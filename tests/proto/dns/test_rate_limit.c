/* SPDX-License-Identifier: ISC */
/* test_rate_limit.c - how often the same is said to the same network. */
#include "proto/dns/rate_limit.h"

#include "tests/support/check.h"

static struct rate_limit *limit;
static usec now;
static struct counting_heap counts;

static void start(uint32_t per_second, uint8_t slip)
{
    const struct rate_limit_options options = {
        .per_second = per_second,
        .slip = slip,
        .prefix_len_v4 = 24,
        .prefix_len_v6 = 56,
        .key = {1, 2},
    };
    struct heap heap = counting_heap(&counts);
    now = 1000 * USEC_PER_SEC;
    limit = rate_limit_new(&heap, &options);
    assert_non_null(limit);
}

static void stop(void)
{
    rate_limit_free(limit);
    assert_int_equal(counts.blocks, 0);
}

static enum rate_verdict ask(const char *client, unsigned kind, const void *source)
{
    struct ip_address address;
    assert_true(address_parse(bytes_of_text(client), &address));
    return rate_limit_check(limit, &address, kind, source, now);
}

/* How many of so many replies are sent, and how many slip. */
static void count(unsigned asked, unsigned *sent, unsigned *slipped)
{
    *sent = *slipped = 0;
    for (unsigned i = 0; i < asked; i++) {
        enum rate_verdict verdict = ask("192.0.2.1", 0, &limit);
        *sent += verdict == RATE_SEND;
        *slipped += verdict == RATE_SLIP;
    }
}

static void so_many_a_second_are_sent(void **state UNUSED)
{
    unsigned sent;
    unsigned slipped;
    start(10, 2);
    count(100, &sent, &slipped);
    assert_int_equal(sent, 10);
    assert_int_equal(slipped, 45);
    now += USEC_PER_SEC / 2;
    count(100, &sent, &slipped);
    assert_int_equal(sent, 5);
    now += 3600 * USEC_PER_SEC; /* no more than a second's worth is saved up */
    count(100, &sent, &slipped);
    assert_int_equal(sent, 10);
    stop();
    start(RATE_LIMIT_MAX, 0);
    count(100, &sent, &slipped);
    assert_int_equal(sent, 100);
    stop();
    start(1, 0);
    count(100, &sent, &slipped);
    assert_int_equal(sent, 1);
    assert_int_equal(slipped, 0);
    stop();
    start(1, 1);
    count(100, &sent, &slipped);
    assert_int_equal(slipped, 99);
    stop();
}

static void accounts_are_of_networks_and_replies(void **state UNUSED)
{
    static const int one = 1;
    static const int other = 2;
    static const struct {
        const char *client;
        unsigned kind;
        const void *source;
        enum rate_verdict want;
    } cases[] = {
        {"192.0.2.1", 0, &one, RATE_SEND},   {"192.0.2.255", 0, &one, RATE_DROP},
        {"192.0.3.1", 0, &one, RATE_SEND},   {"192.0.2.1", 1, &one, RATE_SEND},
        {"192.0.2.1", 0, &other, RATE_SEND}, {"2001:db8:0:1::1", 0, &one, RATE_SEND},
        {"2001:db8:0:ff::2", 0, &one, RATE_DROP}, {"2001:db8:0:100::1", 0, &one, RATE_SEND},
        {"192.0.2.9", 0, &other, RATE_DROP},
    };
    start(1, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQUAL(cases[i].client, ask(cases[i].client, cases[i].kind, cases[i].source),
                    cases[i].want);
    stop();
}

/* However many there are, the table stays what it is, and who is quiet is forgotten first. */
static void crowds_do_not_fill_it(void **state UNUSED)
{
    start(1, 0);
    unsigned sent = 0;
    for (uint32_t i = 0; i < 4 * RATE_LIMIT_ACCOUNTS; i++) {
        struct ip_address address = address_v4(i << 8);
        now++;
        sent += rate_limit_check(limit, &address, 0, NULL, now) == RATE_SEND;
        if (i % 1000 == 0)
            assert_true(ask("255.255.255.1", 0, NULL) == (i == 0 ? RATE_SEND : RATE_DROP));
    }
    assert_true(sent > 4 * RATE_LIMIT_ACCOUNTS - 4 * RATE_LIMIT_ACCOUNTS / 1000);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_a_second_are_sent),
        cmocka_unit_test(accounts_are_of_networks_and_replies),
        cmocka_unit_test(crowds_do_not_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

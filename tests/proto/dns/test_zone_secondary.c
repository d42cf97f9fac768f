/* SPDX-License-Identifier: ISC */
/* test_zone_secondary.c - whom a secondary asks when, in virtual time (RFC 1034 §4.3.5, RFC 1996 §3). */
#include "proto/dns/zone_secondary.h"

#include "tests/support/check.h"

#define SEC USEC_PER_SEC

static struct prng prng;

/* Serial number, refresh 100 s, retry 10 s, expire 1000 s. */
static struct bytes soa(uint32_t serial)
{
    static uint8_t octets[22];
    struct writer w = writer_of(octets, sizeof octets);
    write_u16(&w, 0);
    write_u32(&w, serial);
    write_u32(&w, 100);
    write_u32(&w, 10);
    write_u32(&w, 1000);
    write_u32(&w, 60);
    return writer_bytes(&w);
}

static struct zone_secondary start(size_t primaries)
{
    struct zone_secondary s;
    prng_init_number(&prng, 1);
    secondary_init(&s, primaries, &prng, 0);
    return s;
}

static struct zone_secondary held(size_t primaries)
{
    struct zone_secondary s = start(primaries);
    assert_int_equal(secondary_next(&s, 0), SECONDARY_FETCH);
    assert_true(s.whole);
    secondary_fetched(&s, soa(7), 0);
    return s;
}

/* The next round begins within a tenth of `about`. */
static usec wait(struct zone_secondary *s, usec now, usec about)
{
    usec at = secondary_deadline(s);
    assert_in_range(at, now + about - about / 10, now + about + about / 10);
    assert_int_equal(secondary_next(s, at - 1), SECONDARY_NOTHING);
    return at;
}

static void a_zone_is_fetched_and_then_looked_after(void **state UNUSED)
{
    struct zone_secondary s = held(1);
    usec now = wait(&s, 0, 100 * SEC);
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
    assert_int_equal(secondary_next(&s, now), SECONDARY_NOTHING); /* it is being done */
    secondary_serial_is(&s, 7, now);
    now = wait(&s, now, 100 * SEC);
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
    secondary_serial_is(&s, 8, now);
    assert_int_equal(secondary_next(&s, now), SECONDARY_FETCH);
    assert_false(s.whole);
    secondary_fetch_whole(&s);
    assert_int_equal(secondary_next(&s, now), SECONDARY_FETCH);
    assert_true(s.whole);
    secondary_fetched(&s, soa(8), now);
    assert_int_equal(s.serial, 8);
    now = wait(&s, now, 100 * SEC);
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
}

static void each_primary_is_asked_before_a_pause(void **state UNUSED)
{
    struct zone_secondary s = held(3);
    usec now = wait(&s, 0, 100 * SEC);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
        assert_int_equal(s.primary, i);
        secondary_failed(&s, now);
    }
    now = wait(&s, now, 10 * SEC);
    /* One has it and cannot give it: the next is asked first, and so on. */
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
    secondary_serial_is(&s, 9, now);
    assert_int_equal(secondary_next(&s, now), SECONDARY_FETCH);
    secondary_failed(&s, now);
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
    assert_int_equal(s.primary, 1);
    /* One that is behind is passed over (RFC 1982). */
    secondary_serial_is(&s, 6, now);
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
    assert_int_equal(s.primary, 2);
    secondary_serial_is(&s, 9, now);
    assert_int_equal(secondary_next(&s, now), SECONDARY_FETCH);
    secondary_fetched(&s, soa(9), now);
    now = wait(&s, now, 100 * SEC);
    /* Who was of use is asked first. */
    assert_int_equal(secondary_next(&s, now), SECONDARY_ASK);
    assert_int_equal(s.primary, 2);
}

static void without_a_zone_pauses_grow(void **state UNUSED)
{
    static const unsigned pauses[] = {5, 10, 20, 40, 80, 160, 320, 600, 600};
    struct zone_secondary s = start(1);
    usec now = 0;
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        assert_int_equal(secondary_next(&s, now), SECONDARY_FETCH);
        secondary_failed(&s, now);
        now = wait(&s, now, pauses[i] * SEC);
    }
}

static void what_nobody_confirms_expires(void **state UNUSED)
{
    struct zone_secondary s = held(1);
    usec now = 0;
    while (!secondary_expires(&s, now)) {
        if (secondary_next(&s, now) == SECONDARY_ASK)
            secondary_failed(&s, now);
        now = secondary_deadline(&s);
        assert_true(now <= 1000 * SEC);
    }
    assert_int_equal(now, 1000 * SEC);
    assert_false(secondary_expires(&s, now));
    now = secondary_deadline(&s);
    assert_int_equal(secondary_next(&s, now), SECONDARY_FETCH);
    assert_true(s.whole);
    secondary_fetched(&s, soa(7), now);
    assert_false(secondary_expires(&s, now + 999 * SEC));
    assert_true(secondary_expires(&s, now + 1000 * SEC));
}

static void a_zone_from_a_file_is_as_old_as_it_is(void **state UNUSED)
{
    struct zone_secondary s = start(1);
    secondary_have(&s, soa(7), 900, 0);
    assert_int_equal(secondary_next(&s, 2 * SEC), SECONDARY_ASK);
    secondary_failed(&s, 2 * SEC);
    assert_false(secondary_expires(&s, 99 * SEC));
    assert_true(secondary_expires(&s, 100 * SEC));
    s = start(1);
    secondary_have(&s, soa(7), 100000, 0);
    assert_true(secondary_expires(&s, 0));
}

static void news_hasten_it(void **state UNUSED)
{
    struct zone_secondary s = held(2);
    uint32_t known = 7, newer = 8, older = 6;
    assert_false(secondary_notified(&s, 1, &known, SEC));
    assert_false(secondary_notified(&s, 1, &older, SEC));
    assert_int_equal(secondary_next(&s, SEC), SECONDARY_NOTHING);
    assert_true(secondary_notified(&s, 1, &newer, SEC));
    assert_int_equal(secondary_next(&s, SEC), SECONDARY_ASK);
    assert_int_equal(s.primary, 1);
    /* While it is at work, one more round follows. */
    assert_true(secondary_notified(&s, 0, NULL, SEC));
    secondary_serial_is(&s, 8, SEC);
    assert_int_equal(secondary_next(&s, SEC), SECONDARY_FETCH);
    secondary_fetched(&s, soa(8), SEC);
    assert_int_equal(secondary_next(&s, SEC), SECONDARY_ASK);
    secondary_serial_is(&s, 8, SEC);
    (void)wait(&s, SEC, 100 * SEC);
}

/* However silly a SOA is. */
static void intervals_have_bounds(void **state UNUSED)
{
    struct zone_secondary s = start(1);
    uint8_t octets[22] = {0};
    assert_int_equal(secondary_next(&s, 0), SECONDARY_FETCH);
    secondary_fetched(&s, bytes_of(octets, sizeof octets), 0);
    assert_true(secondary_deadline(&s) >= SEC * 9 / 10);
    assert_false(secondary_expires(&s, SEC));
    memset(octets + 6, 0xff, 16);
    secondary_have(&s, bytes_of(octets, sizeof octets), 0, 0);
    assert_int_equal(s.refresh, SECONDARY_INTERVAL_MAX);
    assert_true(s.expire_at > 0 && s.expire_at < USEC_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_fetched_and_then_looked_after),
        cmocka_unit_test(each_primary_is_asked_before_a_pause),
        cmocka_unit_test(without_a_zone_pauses_grow),
        cmocka_unit_test(what_nobody_confirms_expires),
        cmocka_unit_test(a_zone_from_a_file_is_as_old_as_it_is),
        cmocka_unit_test(news_hasten_it),
        cmocka_unit_test(intervals_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

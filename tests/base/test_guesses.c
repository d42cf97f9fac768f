/* SPDX-License-Identifier: ISC */
/* So many wrong guesses at once, and then one in an interval; each address for itself. */
#include "base/guesses.h"

#include "tests/support/check.h"

static struct ip_address at(const char *text)
{
    struct ip_address address;
    assert_true(address_parse(bytes_of_text(text), &address));
    return address;
}

static unsigned guess(struct guesses *guesses, const struct ip_address *who, unsigned times, usec now)
{
    unsigned tried = 0;
    for (unsigned i = 0; i < times; i++) {
        if (!guesses_left(guesses, who, now))
            continue;
        tried++;
        guesses_wrong(guesses, who, now);
    }
    return tried;
}

static void some_at_once_and_then_few(void **state UNUSED)
{
    static struct guesses guesses = {.key = {1, 2}};
    struct ip_address ann = at("192.0.2.1"), bob = at("192.0.2.2");
    usec now = USEC_PER_HOUR;
    assert_int_equal(guess(&guesses, &ann, 100, now), GUESSES_MAX);
    assert_int_equal(guess(&guesses, &bob, 3, now), 3);
    assert_int_equal(guess(&guesses, &ann, 100, now + GUESSES_INTERVAL - 1), 0);
    assert_int_equal(guess(&guesses, &ann, 100, now + GUESSES_INTERVAL), 1);
    assert_int_equal(guess(&guesses, &ann, 100, now + 4 * GUESSES_INTERVAL), 3);
    assert_int_equal(guess(&guesses, &ann, 100, now + USEC_PER_HOUR), GUESSES_MAX);
    assert_true(guesses_left(&guesses, &bob, now));
}

static void a_network_of_a_household_is_one(void **state UNUSED)
{
    static struct guesses guesses = {.key = {3, 4}};
    struct ip_address one = at("2001:db8::1"), same = at("2001:db8::ffff:2"), other = at("2001:db8:0:1::1");
    assert_int_equal(guess(&guesses, &one, GUESSES_MAX, 1000), GUESSES_MAX);
    assert_int_equal(guess(&guesses, &same, 5, 1000), 0);
    assert_int_equal(guess(&guesses, &other, 5, 1000), 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_at_once_and_then_few),
        cmocka_unit_test(a_network_of_a_household_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

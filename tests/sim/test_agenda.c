/* SPDX-License-Identifier: ISC */
/* test_agenda.c - the first item is what looking through all of them finds. */
#include "sim/agenda.h"

#include "base/prng.h"
#include "tests/support/check.h"

enum { ITEMS = 100, ROUNDS = 20000 };

static unsigned look_through(const usec *at, usec *first)
{
    unsigned found = 0;
    *first = USEC_NEVER;
    for (unsigned i = 0; i < ITEMS; i++) {
        if (at[i] < *first) {
            *first = at[i];
            found = i;
        }
    }
    return found;
}

static void the_first_is_found(void **state)
{
    (void)state;
    static struct agenda agenda;
    usec at[ITEMS];
    struct prng prng;
    prng_init_number(&prng, 1);
    for (unsigned i = 0; i < ITEMS; i++)
        at[i] = USEC_NEVER;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned item = prng_below(&prng, ITEMS);
        /* Fills up, and empties again; few instants, so that many are equal. */
        bool leaves = prng_below(&prng, 10) < (round / 2000 % 2 ? 8u : 2u);
        at[item] = leaves ? USEC_NEVER : (usec)prng_below(&prng, 50);
        agenda_set(&agenda, item, at[item]);
        usec want_at;
        unsigned want = look_through(at, &want_at);
        unsigned got = ITEMS;
        assert_true(agenda_first(&agenda, &got) == want_at);
        if (want_at != USEC_NEVER)
            assert_int_equal(got, want);
    }
}

static void all_come_in_order(void **state)
{
    (void)state;
    static struct agenda agenda;
    struct prng prng;
    prng_init_number(&prng, 2);
    for (unsigned i = 0; i < AGENDA_ITEMS_MAX; i++)
        agenda_set(&agenda, i, (usec)prng_below(&prng, 1000));
    usec last = 0;
    unsigned last_item = 0;
    for (unsigned i = 0; i < AGENDA_ITEMS_MAX; i++) {
        unsigned item;
        usec at = agenda_first(&agenda, &item);
        assert_true(at > last || (at == last && (i == 0 || item > last_item)));
        last = at;
        last_item = item;
        agenda_set(&agenda, item, USEC_NEVER);
    }
    unsigned none;
    assert_true(agenda_first(&agenda, &none) == USEC_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_found),
        cmocka_unit_test(all_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

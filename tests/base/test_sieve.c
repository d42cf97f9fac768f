/* SPDX-License-Identifier: ISC */
#include "base/sieve.h"
#include "tests/support/check.h"

struct thing {
    struct sieve_node place;
    char name;
};

/* Lets one go as the header says; its name. */
static char evict(struct sieve *sieve)
{
    struct sieve_node *node;
    while ((node = sieve_candidate(sieve)) != NULL && node->visited)
        sieve_spare(sieve, node);
    if (node == NULL)
        return '-';
    sieve_remove(sieve, node);
    return CONTAINER_OF(node, struct thing, place)->name;
}

/* The example of the paper: A to G, of which A, B and G are asked for. */
static void what_is_asked_for_stays(void **state UNUSED)
{
    struct thing things[7];
    struct sieve sieve;
    sieve_init(&sieve);
    assert_null(sieve_candidate(&sieve));
    for (int i = 0; i < 7; i++) {
        things[i].name = (char)('A' + i);
        sieve_add(&sieve, &things[i].place);
    }
    things[0].place.visited = things[1].place.visited = things[6].place.visited = true;
    assert_int_equal(evict(&sieve), 'C'); /* A and B were spared, once */
    assert_int_equal(evict(&sieve), 'D');
    struct thing late = {.name = 'H'};
    sieve_add(&sieve, &late.place);
    assert_int_equal(evict(&sieve), 'E'); /* the hand goes on where it was */
    assert_int_equal(evict(&sieve), 'F');
    assert_int_equal(evict(&sieve), 'H'); /* over G, which was asked for */
    assert_int_equal(evict(&sieve), 'A');
    sieve_remove(&sieve, sieve_candidate(&sieve));
    assert_int_equal(evict(&sieve), 'G');
    assert_int_equal(evict(&sieve), '-');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_asked_for_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

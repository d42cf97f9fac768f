/* SPDX-License-Identifier: ISC */
/* The table of bindings: what the server's tests do not reach from outside. */
#include "proto/dhcp/dhcp_pool.h"
#include "tests/support/check.h"

#define SEC USEC_PER_SEC

enum { FIRST = 0x0a00020a };

static struct dhcp_identity client(uint8_t n)
{
    return (struct dhcp_identity){.mac = {{2, 0, 0, 0, 0, n}}, .key = {1, n}, .key_len = 2};
}

static void pool_begin(struct dhcp_pool *pool, struct counting_heap *counts, uint32_t size)
{
    struct dhcp_pool_options options = {
        .heap = counting_heap(counts), .first = FIRST, .last = FIRST + size - 1};
    assert_true(dhcp_pool_init(pool, &options, 0));
}

static struct dhcp_binding *offer(struct dhcp_pool *pool, uint8_t n, usec now)
{
    struct dhcp_identity who = client(n);
    struct dhcp_binding *b = dhcp_pool_choose(pool, &who, 0, now);
    if (b == NULL || b->held)
        return NULL;
    assert_true(dhcp_pool_offer(pool, b, &who, now, now + 60 * SEC));
    return b;
}

static void an_offer_ends_and_is_forgotten(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct dhcp_pool pool;
    pool_begin(&pool, &counts, 1);
    struct dhcp_binding *b = offer(&pool, 1, 0);
    assert_int_equal(b->state, DHCP_OFFERED);
    assert_null(dhcp_pool_expire(&pool, 59 * SEC));
    assert_int_equal(b->state, DHCP_OFFERED);
    assert_null(dhcp_pool_expire(&pool, 61 * SEC));
    assert_int_equal(b->state, DHCP_FREE);
    struct dhcp_identity who = client(1);
    assert_null(dhcp_pool_find(&pool, &who));
    dhcp_pool_done(&pool);
    assert_int_equal(counts.blocks, 0);
}

static void an_offer_to_one_who_had_a_lease_leaves_the_memory(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct dhcp_pool pool;
    pool_begin(&pool, &counts, 2);
    struct dhcp_binding *b = offer(&pool, 1, 0);
    dhcp_pool_bind(&pool, b, 10 * SEC);
    assert_ptr_equal(dhcp_pool_expire(&pool, 11 * SEC), b);
    dhcp_pool_release(&pool, b);
    assert_int_equal(b->state, DHCP_EXPIRED);
    assert_ptr_equal(offer(&pool, 1, 12 * SEC), b);
    assert_null(dhcp_pool_expire(&pool, 100 * SEC));
    assert_int_equal(b->state, DHCP_EXPIRED);
    assert_true(offer(&pool, 2, 100 * SEC) != b); /* a free one goes first */
    assert_ptr_equal(offer(&pool, 1, 100 * SEC), b);
    dhcp_pool_done(&pool);
}

static void what_is_held_is_nobody_elses_and_does_not_end(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct dhcp_pool pool;
    pool_begin(&pool, &counts, 1);
    struct dhcp_binding *b = offer(&pool, 1, 0);
    dhcp_pool_hold(&pool, b);
    assert_null(dhcp_pool_expire(&pool, 3600 * SEC));
    assert_null(offer(&pool, 2, 3600 * SEC));
    assert_null(offer(&pool, 1, 3600 * SEC));
    struct dhcp_identity who = client(2);
    assert_null(dhcp_pool_claim(&pool, &who, FIRST));
    dhcp_pool_let_go(&pool, b);
    assert_null(dhcp_pool_expire(&pool, 3600 * SEC)); /* now its end is noticed */
    assert_int_equal(b->state, DHCP_FREE);
    assert_ptr_equal(offer(&pool, 2, 3600 * SEC), b);
    dhcp_pool_done(&pool);
}

static void a_reserved_address_is_given_to_nobody(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct dhcp_pool pool;
    pool_begin(&pool, &counts, 2);
    dhcp_pool_reserve(&pool, FIRST);
    dhcp_pool_reserve(&pool, FIRST + 2); /* nothing to it */
    dhcp_pool_reserve(&pool, FIRST - 1);
    struct dhcp_identity who = client(1);
    assert_null(dhcp_pool_claim(&pool, &who, FIRST));
    assert_int_equal(offer(&pool, 1, 0)->address, FIRST + 1);
    assert_null(offer(&pool, 2, 0));
    assert_null(offer(&pool, 2, 3 * SEC));
    dhcp_pool_done(&pool);
}

static void counts_stay_right(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct dhcp_pool pool;
    pool_begin(&pool, &counts, 8);
    struct dhcp_binding *b = offer(&pool, 1, 0);
    dhcp_pool_bind(&pool, b, 10 * SEC);
    dhcp_pool_bind(&pool, b, 20 * SEC); /* renewed */
    assert_int_equal(pool.bound_count, 1);
    dhcp_pool_hold(&pool, b);
    assert_int_equal(pool.bound_count, 1);
    dhcp_pool_let_go(&pool, b);
    assert_int_equal(pool.bound_count, 1);
    dhcp_pool_decline(&pool, b, 30 * SEC);
    assert_int_equal(pool.bound_count, 0);
    assert_int_equal(pool.declined_count, 1);
    for (uint8_t n = 2; n < 5; n++) /* two of eight may rest */
        dhcp_pool_decline(&pool, offer(&pool, n, 0), (30 + n) * SEC);
    assert_int_equal(pool.declined_count, 2);
    assert_int_equal(b->state, DHCP_FREE); /* the oldest was taken back */
    assert_null(dhcp_pool_expire(&pool, 60 * SEC));
    assert_int_equal(pool.declined_count, 0);
    dhcp_pool_done(&pool);
    assert_int_equal(counts.octets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_ends_and_is_forgotten),
        cmocka_unit_test(an_offer_to_one_who_had_a_lease_leaves_the_memory),
        cmocka_unit_test(what_is_held_is_nobody_elses_and_does_not_end),
        cmocka_unit_test(a_reserved_address_is_given_to_nobody),
        cmocka_unit_test(counts_stay_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

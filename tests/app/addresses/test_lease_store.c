/* SPDX-License-Identifier: ISC */
/* Leases in the store, as they went in. */
#include "app/addresses/lease_store.h"

#include "tests/support/check.h"

struct visit {
    struct lease seen[8];
    size_t count;
    uint32_t unwanted; /* is to be removed */
};

static bool on_visit(void *self, const struct lease *lease)
{
    struct visit *v = self;
    assert_true(v->count < ARRAY_LEN(v->seen));
    v->seen[v->count++] = *lease;
    return address_v4_value(&lease->address) != v->unwanted;
}

static struct store *open_store(void)
{
    char error[STORE_ERROR_MAX];
    struct store *store = NULL;
    assert_int_equal(store_open(STORE_MEMORY, &store, error), 0);
    return store;
}

static struct lease_store *open_leases(struct store *store, uint32_t network)
{
    struct lease_store *leases = NULL;
    struct ip_prefix prefix = {address_v4(network), 24};
    assert_int_equal(lease_store_new(store, &prefix, &leases), 0);
    return leases;
}

static void leases_come_back_in_the_order_of_their_ends(void **state UNUSED)
{
    struct store *store = open_store();
    struct lease_store *leases = open_leases(store, 0x0a000207); /* the host part means nothing */
    struct lease a = {.address = address_v4(0x0a00020a), .expires = INT64_MAX, .hostname = "a"};
    struct lease b = {.address = address_v4(0xfffffffe), .expires = 5, .client_id_len = 32};
    memset(b.client_id, 0, sizeof b.client_id);
    a.mac.octets[5] = 9;
    assert_int_equal(lease_store_put(leases, &a), 0);
    assert_int_equal(lease_store_put(leases, &b), 0);
    lease_store_free(leases);
    leases = open_leases(store, 0x0a000200);
    struct visit v = {0};
    assert_int_equal(lease_store_load(leases, on_visit, &v), 0);
    assert_int_equal(v.count, 2);
    assert_int_equal(address_v4_value(&v.seen[0].address), 0xfffffffe);
    assert_int_equal(v.seen[0].client_id_len, 32);
    assert_int_equal(v.seen[1].expires, INT64_MAX);
    assert_int_equal(v.seen[1].client_id_len, 0);
    assert_string_equal(v.seen[1].hostname, "a");
    assert_true(mac_equal(&v.seen[1].mac, &a.mac));
    lease_store_free(leases);
    store_close(store);
}

static void an_address_has_one_lease(void **state UNUSED)
{
    struct store *store = open_store();
    struct lease_store *leases = open_leases(store, 0x0a000200);
    struct lease_store *other = open_leases(store, 0x0a000300);
    struct lease lease = {.address = address_v4(0x0a00020a), .expires = 1, .hostname = "first"};
    assert_int_equal(lease_store_put(leases, &lease), 0);
    strcpy(lease.hostname, "second");
    assert_int_equal(lease_store_put(leases, &lease), 0);
    strcpy(lease.hostname, "other");
    assert_int_equal(lease_store_put(other, &lease), 0);
    struct visit v = {.unwanted = 0x0a00020a};
    assert_int_equal(lease_store_load(leases, on_visit, &v), 0);
    assert_int_equal(v.count, 1);
    assert_string_equal(v.seen[0].hostname, "second");
    v = (struct visit){0};
    assert_int_equal(lease_store_load(leases, on_visit, &v), 0); /* it was unwanted */
    assert_int_equal(v.count, 0);
    assert_int_equal(lease_store_load(other, on_visit, &v), 0);
    assert_int_equal(v.count, 1);
    lease_store_free(leases);
    lease_store_free(other);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_come_back_in_the_order_of_their_ends),
        cmocka_unit_test(an_address_has_one_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

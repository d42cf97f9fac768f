/* SPDX-License-Identifier: ISC */
#include "tests/support/check.h"

#include <errno.h>
#include <stdio.h>

#include "site/lease_names.h"

struct service {
    char log[1024];
    int refuse;
    struct counting_heap heap;
    struct lease_names *names;
};

static int add(void *self, const char *name, const struct ip_address *address, struct bytes dhcid)
{
    struct service *service = self;
    char text[ADDRESS_TEXT_MAX];
    if (service->refuse != 0)
        return service->refuse;
    size_t len = strlen(service->log);
    snprintf(service->log + len, sizeof service->log - len, "+%s=%s%.*s ", name,
             address_format(address, text), (int)dhcid.len, (const char *)dhcid.data);
    return 0;
}

static void forget(void *self, const char *name)
{
    struct service *service = self;
    size_t len = strlen(service->log);
    snprintf(service->log + len, sizeof service->log - len, "-%s ", name);
}

static void start(struct service *service, size_t count_max)
{
    memset(service, 0, sizeof *service);
    const struct lease_names_options options = {counting_heap(&service->heap), count_max, add,
                                                forget, service};
    service->names = lease_names_new(&options);
    assert_non_null(service->names);
}

static void end(struct service *service)
{
    lease_names_free(service->names);
    assert_int_equal(service->heap.blocks, 0);
    assert_int_equal(service->heap.octets, 0);
}

static int begin(struct service *service, uint32_t last_octet, const char *name)
{
    struct ip_address address = address_v4(0x0a000200 + last_octet);
    return lease_names_begin(service->names, &address, name, bytes_empty());
}

/* The client that is told apart from others by that letter. */
static int begin_as(struct service *service, const char *client, uint32_t last_octet,
                    const char *name)
{
    struct ip_address address = address_v4(0x0a000200 + last_octet);
    return lease_names_begin(service->names, &address, name, bytes_of_text(client));
}

static void finish(struct service *service, uint32_t last_octet)
{
    struct ip_address address = address_v4(0x0a000200 + last_octet);
    lease_names_end(service->names, &address);
}

static void a_lease_with_a_name_has_it_until_it_ends(void **state UNUSED)
{
    struct service s;
    start(&s, 10);
    assert_int_equal(begin(&s, 15, "Guest"), 0);
    assert_int_equal(begin(&s, 15, "gUEST"), 0);
    struct ip_address address = address_v4(0x0a00020f);
    assert_string_equal(lease_names_find(s.names, &address), "guest");
    finish(&s, 15);
    finish(&s, 15);
    assert_null(lease_names_find(s.names, &address));
    assert_string_equal(s.log, "+guest=10.0.2.15 -guest ");
    end(&s);
}

static void a_name_belongs_to_the_first_who_has_it(void **state UNUSED)
{
    struct service s;
    start(&s, 10);
    assert_int_equal(begin(&s, 15, "guest"), 0);
    assert_int_equal(begin(&s, 16, "guest"), -EEXIST);
    finish(&s, 16);
    finish(&s, 15);
    assert_int_equal(begin(&s, 16, "guest"), 0);
    assert_string_equal(s.log, "+guest=10.0.2.15 -guest +guest=10.0.2.16 ");
    end(&s);
}

/* RFC 4703 §5.3.2, §5.3.3 */
static void the_same_client_takes_its_name_along(void **state UNUSED)
{
    struct service s;
    start(&s, 10);
    assert_int_equal(begin_as(&s, "/A", 15, "guest"), 0);
    assert_int_equal(begin_as(&s, "/B", 16, "guest"), -EEXIST);
    assert_int_equal(begin_as(&s, "/A", 17, "guest"), 0);
    assert_int_equal(begin(&s, 18, "guest"), -EEXIST);
    finish(&s, 15); /* whose name has gone on */
    struct ip_address address = address_v4(0x0a000211);
    assert_string_equal(lease_names_find(s.names, &address), "guest");
    assert_int_equal(begin_as(&s, "/C", 17, "guest"), 0); /* the address is another's now */
    finish(&s, 17);
    /* A name without a client is nobody's to take over, nor is one of the site. */
    assert_int_equal(begin(&s, 20, "bare"), 0);
    assert_int_equal(begin_as(&s, "/A", 21, "bare"), -EEXIST);
    assert_int_equal(lease_names_reserve(s.names, "www", NULL), 0);
    assert_int_equal(begin_as(&s, "/A", 21, "www"), -EEXIST);
    uint8_t longer[LEASE_NAMES_DHCID_MAX + 1] = {0};
    assert_int_equal(lease_names_begin(s.names, &address, "x", bytes_of(longer, sizeof longer)), -EINVAL);
    assert_string_equal(s.log, "+guest=10.0.2.15/A -guest +guest=10.0.2.17/A -guest "
                               "+guest=10.0.2.17/C -guest +bare=10.0.2.20 ");
    end(&s);
}

static void a_lease_that_changes_its_name_loses_the_old_one(void **state UNUSED)
{
    struct service s;
    start(&s, 10);
    assert_int_equal(begin(&s, 15, "one"), 0);
    assert_int_equal(begin(&s, 15, "two"), 0);
    assert_int_equal(begin(&s, 15, ""), 0);
    assert_string_equal(s.log, "+one=10.0.2.15 -one +two=10.0.2.15 -two ");
    end(&s);
}

static void the_sites_own_names_are_nobody_elses(void **state UNUSED)
{
    struct service s;
    start(&s, 10);
    struct ip_address printer = address_v4(0x0a000209);
    assert_int_equal(lease_names_reserve(s.names, "www", NULL), 0);
    assert_int_equal(lease_names_reserve(s.names, "printer", &printer), 0);
    assert_int_equal(lease_names_reserve(s.names, "www", NULL), -EEXIST);
    assert_int_equal(begin(&s, 15, "WWW"), -EEXIST);
    assert_int_equal(begin(&s, 9, "other"), 0);
    finish(&s, 9);
    assert_string_equal(lease_names_find(s.names, &printer), "printer");
    assert_string_equal(s.log, "+printer=10.0.2.9 ");
    end(&s);
}

static void what_the_service_refuses_is_not_kept(void **state UNUSED)
{
    struct service s;
    start(&s, 10);
    s.refuse = -ENOSPC;
    assert_int_equal(begin(&s, 15, "guest"), -ENOSPC);
    s.refuse = 0;
    assert_int_equal(begin(&s, 16, "guest"), 0);
    assert_string_equal(s.log, "+guest=10.0.2.16 ");
    end(&s);
}

static void the_table_is_bounded(void **state UNUSED)
{
    struct service s;
    start(&s, 2);
    assert_int_equal(begin(&s, 1, "a"), 0);
    assert_int_equal(begin(&s, 2, "b"), 0);
    assert_int_equal(begin(&s, 3, "c"), -ENOSPC);
    finish(&s, 1);
    assert_int_equal(begin(&s, 3, "c"), 0);
    char longer[65];
    memset(longer, 'x', 64);
    longer[64] = '\0';
    assert_int_equal(begin(&s, 3, longer), -EINVAL);
    end(&s);
}

static void without_memory_nothing_is_lost(void **state UNUSED)
{
    for (size_t fail_at = 2; fail_at < 5; fail_at++) {
        struct service s;
        start(&s, 10);
        s.heap.fail_at = fail_at;
        assert_true(begin(&s, 15, "guest") < 0);
        s.heap.fail_at = 0;
        assert_int_equal(begin(&s, 15, "guest"), 0);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_with_a_name_has_it_until_it_ends),
        cmocka_unit_test(a_name_belongs_to_the_first_who_has_it),
        cmocka_unit_test(the_same_client_takes_its_name_along),
        cmocka_unit_test(a_lease_that_changes_its_name_loses_the_old_one),
        cmocka_unit_test(the_sites_own_names_are_nobody_elses),
        cmocka_unit_test(what_the_service_refuses_is_not_kept),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

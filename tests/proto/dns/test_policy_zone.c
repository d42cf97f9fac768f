/* SPDX-License-Identifier: ISC */
/* test_policy_zone.c - lists from zones that are served, slice by slice. */
#include "proto/dns/policy_zone.h"

#include "os/memory.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "tests/support/dns_zone.h"

static struct heap heap;

static struct zone *make(unsigned serial)
{
    static const char *const lines[] = {
        "@ NS localhost.", "bad CNAME .", "*.bad CNAME *.", "data A 192.0.2.1", "data TXT x",
        "32.7.2.0.192.rpz-ip CNAME rpz-drop.", "a.b.c.d.e CNAME rpz-passthru.",
        "ns.evil.rpz-nsdname CNAME .", "x.rpz-unheard CNAME .", "33.0.2.0.192.rpz-ip CNAME .", NULL};
    struct zone *zone = dns_zone_make("rpz.example.", lines);
    char soa[64];
    snprintf(soa, sizeof soa, "@ SOA . . %u 2 3 4 5", serial);
    dns_zone_put(zone, soa);
    return zone;
}

static void a_zone_is_a_list_whatever_the_slices(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum policy_action action;
    } rules[] = {{"bad.", POLICY_NXDOMAIN},
                 {"x.bad.", POLICY_NODATA},
                 {"data.", POLICY_DATA},
                 {"a.b.c.d.e.", POLICY_PASSTHRU}};
    struct zone *zone = make(1);
    for (size_t slice = 1; slice < 20; slice++) {
        struct policy *policy = policy_new(&heap, &zone->name, 100);
        struct policy_zone from;
        struct policy_rule rule;
        struct ip_address address = address_v4(0xc0000207);
        enum policy_zone_status status;
        unsigned steps = 1;
        policy_zone_start(&from, policy, zone);
        while ((status = policy_zone_step(&from, zone, slice)) == POLICY_ZONE_MORE)
            steps++;
        assert_int_equal(status, POLICY_ZONE_WHOLE);
        assert_true(slice > 1 || steps > 8);
        assert_int_equal(from.serial, 1);
        assert_int_equal(from.wrong, 2); /* and the others hold all the same */
        assert_int_equal(policy_count(policy), 6);
        for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
            struct dns_name name = dns_text_name(rules[i].name);
            assert_true(policy_find_name(policy, POLICY_QNAME, &name, &rule));
            assert_int_equal(rule.action, rules[i].action);
        }
        assert_true(policy_find_address(policy, POLICY_IP, &address, &rule));
        assert_int_equal(rule.action, POLICY_DROP);
        for (unsigned left = 5; left > 0; left--)
            assert_false(policy_empty(policy, 1));
        assert_true(policy_empty(policy, 1));
        assert_int_equal(policy_count(policy), 0);
        policy_free(policy);
    }
    zone_free(zone);
}

static void another_version_ends_it(void **state UNUSED)
{
    struct zone *zone = make(1), *other = make(2);
    struct policy *policy = policy_new(&heap, &zone->name, 100);
    struct policy_zone from;
    policy_zone_start(&from, policy, zone);
    assert_int_equal(policy_zone_step(&from, zone, 3), POLICY_ZONE_MORE);
    assert_int_equal(policy_zone_step(&from, other, 3), POLICY_ZONE_CHANGED);
    assert_int_equal(policy_zone_step(&from, NULL, 3), POLICY_ZONE_CHANGED);
    assert_int_equal(policy_zone_step(&from, zone, 100), POLICY_ZONE_WHOLE);
    policy_free(policy);
    policy = policy_new(&heap, &zone->name, 2);
    policy_zone_start(&from, policy, zone);
    assert_int_equal(policy_zone_step(&from, zone, 100), POLICY_ZONE_FULL);
    policy_free(policy);
    zone_free(zone);
    zone_free(other);
}

int main(void)
{
    heap = memory_heap();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_a_list_whatever_the_slices),
        cmocka_unit_test(another_version_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_policy_zone.c - lists from zones that are served, slice by slice. */
#include "proto/dns/policy_zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "os/memory.h"
#include "proto/dns/zone_history.h"
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

/* ---- what has changed ---- */

static const char *const pool[] = {
    "bad CNAME .", "bad2 CNAME *.", "*.bad CNAME rpz-passthru.", "*.bad2 A 192.0.2.1", "data A 192.0.2.1",
    "data A 192.0.2.2", "data TXT x", "other AAAA 2001:db8::1", "32.7.2.0.192.rpz-ip CNAME rpz-drop.",
    "24.0.2.0.192.rpz-ip CNAME .", "32.1.0.0.127.rpz-client-ip CNAME rpz-tcp-only.", "ns.evil.rpz-nsdname CNAME .",
    "32.9.2.0.192.rpz-nsip CNAME .", "x.rpz-unheard CNAME .", "a.b.c CNAME .", "b.c A 192.0.2.7",
};
static const char *const names[] = {"bad.", "bad2.", "x.bad.", "x.y.bad2.", "data.", "other.", "a.b.c.", "b.c.", "c.",
                                    "ns.evil.", "unheard."};
static const uint32_t addresses[] = {0xc0000207, 0xc0000208, 0xc0000209, 0x7f000001};

static bool same_rule(bool a_found, const struct policy_rule *a, bool b_found, const struct policy_rule *b)
{
    return a_found == b_found && (!a_found || (a->action == b->action && bytes_equal(a->data, b->data)));
}

static void check_same(const struct policy *a, const struct policy *b)
{
    struct policy_rule x, y;
    assert_int_equal(policy_count(a), policy_count(b));
    for (enum policy_trigger t = 0; t < POLICY_TRIGGER_COUNT; t++) {
        assert_int_equal(policy_has(a, t), policy_has(b, t));
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            struct dns_name name = dns_text_name(names[i]);
            bool found = policy_find_name(a, t, &name, &x);
            if (!same_rule(found, &x, policy_find_name(b, t, &name, &y), &y))
                fail_msg("%s, %d", names[i], (int)t);
        }
        for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
            struct ip_address address = address_v4(addresses[i]);
            bool found = policy_find_address(a, t, &address, &x);
            assert_true(same_rule(found, &x, policy_find_address(b, t, &address, &y), &y));
        }
    }
}

static void add(struct zone_change *change, enum zone_side side, const char *line, const struct dns_name *origin)
{
    char reason[200];
    uint8_t rdata[512];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.ttl = 60, .origin = origin};
    assert_true(dns_record_parse(bytes_of_text(line), &context, &w, &record, &error));
    assert_int_equal(zone_change_add(change, side, &record), ZONE_OK);
}

struct changing {
    struct zone *zone;
    bool there[ARRAY_LEN(pool)];
    uint32_t serial;
    struct prng prng;
};

/* Up to four records come or go. */
static void change_zone(struct changing *c)
{
    struct zone_change change;
    char soa[64];
    zone_change_init(&change, &heap, 4096);
    snprintf(soa, sizeof soa, "@ 60 SOA . . %u 2 3 4 5", (unsigned)c->serial++);
    add(&change, ZONE_REMOVED, soa, &c->zone->name);
    snprintf(soa, sizeof soa, "@ 60 SOA . . %u 2 3 4 5", (unsigned)c->serial);
    add(&change, ZONE_ADDED, soa, &c->zone->name);
    size_t first = prng_below(&c->prng, ARRAY_LEN(pool));
    for (size_t i = first; i < ARRAY_LEN(pool) && i < first + 4; i++) {
        add(&change, c->there[i] ? ZONE_REMOVED : ZONE_ADDED, pool[i], &c->zone->name);
        c->there[i] = !c->there[i];
    }
    assert_int_equal(zone_change_commit(NULL, c->zone, &change), ZONE_OK);
}

static struct policy *make_whole(const struct zone *zone)
{
    struct policy *policy = policy_new(&heap, &zone->name, 100);
    struct policy_zone from;
    policy_zone_start(&from, policy, zone);
    assert_int_equal(policy_zone_step(&from, zone, SIZE_MAX), POLICY_ZONE_WHOLE);
    return policy;
}

/* While it is made in slices, and when it is whole: it is what it would be made anew. */
static void what_changes_is_changed_in_the_list(void **state UNUSED)
{
    static const char *const nothing[] = {"@ SOA . . 1 2 3 4 5", "@ NS localhost.", NULL};
    for (uint64_t seed = 1; seed < 200; seed++) {
        struct changing c = {.serial = 1};
        struct policy_zone from;
        prng_init_number(&c.prng, seed);
        c.zone = dns_zone_make("rpz.example.", nothing);
        c.zone->history = zone_history_new(&heap, 100000);
        for (unsigned i = 0; i < 5; i++)
            change_zone(&c);
        struct policy *policy = policy_new(&heap, &c.zone->name, 100);
        policy_zone_start(&from, policy, c.zone);
        while (policy_zone_step(&from, c.zone, 1 + prng_below(&c.prng, 5)) == POLICY_ZONE_MORE)
            if (prng_below(&c.prng, 3) > 0)
                change_zone(&c);
        for (unsigned i = 0; i < 20; i++) {
            struct policy *anew = make_whole(c.zone);
            assert_int_equal(from.serial, c.serial);
            check_same(policy, anew);
            policy_free(anew);
            for (unsigned k = prng_below(&c.prng, 4); k > 0; k--)
                change_zone(&c);
            assert_int_equal(policy_zone_follow(&from, c.zone), POLICY_ZONE_WHOLE);
        }
        policy_free(policy);
        zone_free(c.zone);
    }
}

static void what_is_not_known_is_not_followed(void **state UNUSED)
{
    static const char *const nothing[] = {"@ SOA . . 1 2 3 4 5", "@ NS localhost.", NULL};
    struct changing c = {.serial = 1};
    struct policy_zone from;
    struct dns_name data = dns_text_name("data.rpz.example."), other = dns_text_name("data.");
    prng_init_number(&c.prng, 1);
    c.zone = dns_zone_make("rpz.example.", nothing);
    c.zone->history = zone_history_new(&heap, 100000);
    struct policy *policy = policy_new(&heap, &c.zone->name, 100);
    policy_zone_start(&from, policy, c.zone);
    assert_int_equal(policy_zone_step(&from, c.zone, SIZE_MAX), POLICY_ZONE_WHOLE);
    change_zone(&c);
    zone_history_clear(c.zone->history); /* it came whole */
    assert_int_equal(policy_zone_follow(&from, c.zone), POLICY_ZONE_CHANGED);
    assert_int_equal(policy_zone_follow(&from, NULL), POLICY_ZONE_CHANGED);
    policy_free(policy);
    zone_free(c.zone);

    /* Two ways to write a prefix are one rule. */
    c.zone = dns_zone_make("rpz.example.", nothing);
    dns_zone_put(c.zone, "24.0.2.0.192.rpz-ip CNAME .");
    policy = make_whole(c.zone);
    assert_false(policy_is_mixed(policy));
    policy_free(policy);
    dns_zone_put(c.zone, "24.1.2.0.192.rpz-ip CNAME *.");
    policy = make_whole(c.zone);
    assert_true(policy_is_mixed(policy));
    assert_int_equal(policy_count(policy), 1);
    policy_forget(policy, &data); /* nothing to forget, and none of its names */
    policy_forget(policy, &other);
    policy_forget(policy, &c.zone->name);
    assert_int_equal(policy_count(policy), 1);
    policy_free(policy);
    zone_free(c.zone);
}

int main(void)
{
    heap = memory_heap();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_a_list_whatever_the_slices),
        cmocka_unit_test(another_version_ends_it),
        cmocka_unit_test(what_changes_is_changed_in_the_list),
        cmocka_unit_test(what_is_not_known_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_catalog.c - catalog zones: what they say, and which are broken (RFC 9432). */
#include "proto/dns/catalog.h"

#include "os/memory.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "tests/support/dns_zone.h"

static struct heap heap;

enum { LINES_MAX = 14 };

static struct zone *make(const char *const lines[LINES_MAX])
{
    struct zone *zone = dns_zone_make("catalog.example.", lines);
    dns_zone_put(zone, "@ SOA invalid. invalid. 7 2 3 4 5");
    return zone;
}

#define HEAD "@ NS invalid.", "version TXT \"2\""

static const struct {
    const char *name;
    const char *lines[LINES_MAX];
    const char *error; /* NULL: right */
    size_t count;
} cases[] = {
    {"nothing in it", {HEAD}, NULL, 0},
    {"two members", {HEAD, "a.zones PTR one.", "b.zones PTR two."}, NULL, 2},
    {"what is somebody's own is nothing", {HEAD, "a.zones PTR one.", "x.ext.a.zones TXT y", "x.ext TXT y",
                                          "unheard.a.zones A 192.0.2.1", "coo.x.a.zones PTR two.",
                                          "coo.x.a.zones PTR three."}, NULL, 1},
    {"what is said of no member is nothing", {HEAD, "coo.a.zones PTR one.", "coo.a.zones PTR two.",
                                             "group.a.zones TXT x", "b.zones TXT x"}, NULL, 0},
    {"a name of a member that goes on", {HEAD, "a.zones PTR one.", "coo.b.zones PTR two."}, NULL, 1},
    {"no NS", {"version TXT \"2\""}, "catalog.example. expected NS records", 0},
    {"no version", {"@ NS invalid."}, "catalog.example. expected its version", 0},
    {"a version of another kind", {"@ NS invalid.", "version A 192.0.2.1"}, "catalog.example. expected its version", 0},
    {"version 1", {"@ NS invalid.", "version TXT \"1\""}, "version.catalog.example. expected version 2, once", 0},
    {"a version with something behind it (RFC 9432 §4.3.1)", {"@ NS invalid.", "version TXT \"2\\000\""},
     "version.catalog.example. expected version 2, once", 0},
    {"a version in two strings", {"@ NS invalid.", "version TXT \"2\" \"\""},
     "version.catalog.example. expected version 2, once", 0},
    {"two versions", {HEAD, "version TXT \"1\""}, "version.catalog.example. expected version 2, once", 0},
    {"two members under one label", {HEAD, "a.zones PTR one.", "a.zones PTR two."},
     "a.zones.catalog.example. expected one PTR record", 0},
    {"a member twice", {HEAD, "a.zones PTR one.", "b.zones PTR ONE."},
     "b.zones.catalog.example. its zone is a member already", 0},
    {"two that are to have it", {HEAD, "a.zones PTR one.", "coo.a.zones PTR x.", "coo.a.zones PTR y."},
     "coo.a.zones.catalog.example. expected one PTR record", 0},
    {"too many", {HEAD, "a.zones PTR a.", "b.zones PTR b.", "c.zones PTR c.", "d.zones PTR d."},
     "d.zones.catalog.example. too many members, or no memory", 0},
};

static void a_catalog_is_right_or_broken_whole(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char complaint[400] = "";
        struct text error = text_of(complaint, sizeof complaint);
        struct zone *zone = make(cases[i].lines);
        struct catalog *catalog = catalog_new(&heap, 3);
        bool good = catalog_read(catalog, zone, &error);
        CHECK_EQUAL(cases[i].name, good, cases[i].error == NULL);
        if (good)
            CHECK_EQUAL(cases[i].name, catalog_count(catalog), cases[i].count);
        else
            assert_string_equal(complaint, cases[i].error);
        catalog_free(catalog);
        zone_free(zone);
    }
}

static void what_is_said_of_a_member(void **state UNUSED)
{
    static const char *const lines[LINES_MAX] = {
        HEAD, "Aa.zones PTR One.Example.", "group.aa.zones TXT \"first\"", "group.aa.zones TXT \"sec\" \"ond\"",
        "group.aa.zones TXT \"nul\\000\"",
        "coo.aa.zones PTR other.example.", "b.zones PTR two."};
    struct zone *zone = make(lines);
    struct catalog *catalog = catalog_new(&heap, 3);
    char complaint[400] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct dns_name one = dns_text_name("oNe.example."), other = dns_text_name("other.example.");
    struct dns_name two = dns_text_name("two."), three = dns_text_name("three.");
    assert_true(catalog_read(catalog, zone, &error));
    const struct catalog_member *a = catalog_find(catalog, &one);
    const struct catalog_member *b = catalog_find(catalog, &two);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(catalog_find(catalog, &three));
    assert_true(a->has_coo && dns_name_equal(&a->coo, &other));
    assert_false(b->has_coo);
    assert_true(catalog_in_group(a, "first"));
    assert_true(catalog_in_group(a, "\"first\""));
    assert_true(catalog_in_group(a, "\"sec\" \"ond\"")); /* the whole RDATA counts (§4.4.2) */
    assert_false(catalog_in_group(a, "second"));
    assert_false(catalog_in_group(a, "nul"));
    assert_true(catalog_in_group(a, "\"nul\\000\""));
    assert_false(catalog_in_group(a, "firs"));
    assert_false(catalog_in_group(a, ""));
    assert_false(catalog_in_group(a, "\"first"));
    assert_false(catalog_in_group(b, "first"));
    assert_true(catalog_same_id(a, a));
    assert_false(catalog_same_id(a, b));
    const struct catalog_member *each = NULL;
    size_t count = 0;
    while ((each = catalog_next(catalog, each)) != NULL)
        count += each == a || each == b;
    assert_int_equal(count, 2);
    catalog_free(catalog);
    zone_free(zone);
}

static void groups_are_many_and_bounded(void **state UNUSED)
{
    static const char *const lines[LINES_MAX] = {HEAD, "a.zones PTR one."};
    struct zone *zone = make(lines);
    struct catalog *catalog = catalog_new(&heap, 3);
    char line[64], complaint[400] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct dns_name one = dns_text_name("one.");
    size_t count = 0;
    for (unsigned i = 0; i < 900; i++) {
        snprintf(line, sizeof line, "group.a.zones TXT group%04u", i);
        dns_zone_put(zone, line);
    }
    assert_true(catalog_read(catalog, zone, &error));
    const struct catalog_member *member = catalog_find(catalog, &one);
    for (unsigned i = 0; i < 900; i++) {
        snprintf(line, sizeof line, "group%04u", i);
        count += catalog_in_group(member, line);
    }
    assert_int_equal(count, CATALOG_GROUPS_LEN_MAX / 12); /* of two octets, one, and nine */
    catalog_free(catalog);
    zone_free(zone);
}

/* What is kept of a catalog is read as it was. */
static void a_member_is_written_with_all_that_is_said_of_it(void **state UNUSED)
{
    static const char *const lines[LINES_MAX] = {HEAD, "Aa.zones PTR One.Example.", "group.aa.zones TXT first",
                                                 "group.aa.zones TXT \"sec\" \"ond\"", "coo.aa.zones PTR other.",
                                                 "\\.\\000.zones PTR two."};
    struct zone *zone = make(lines), *again = zone_new(&heap, &zone->name, 100);
    struct catalog *catalog = catalog_new(&heap, 3), *other = catalog_new(&heap, 3);
    char complaint[400] = "";
    struct text error = text_of(complaint, sizeof complaint);
    assert_true(catalog_read(catalog, zone, &error));
    assert_int_equal(catalog_begin(again, 1), ZONE_OK);
    for (const struct catalog_member *m = NULL; (m = catalog_next(catalog, m)) != NULL;)
        assert_int_equal(catalog_put(again, m), ZONE_OK);
    assert_true(catalog_read(other, again, &error));
    assert_int_equal(catalog_count(other), 2);
    for (const struct catalog_member *m = NULL; (m = catalog_next(catalog, m)) != NULL;) {
        const struct catalog_member *n = catalog_find(other, &m->zone);
        assert_non_null(n);
        assert_true(catalog_same_id(m, n));
        assert_int_equal(m->has_coo, n->has_coo);
        assert_true(!m->has_coo || dns_name_equal(&m->coo, &n->coo));
        assert_int_equal(catalog_in_group(m, "first"), catalog_in_group(n, "first"));
        assert_int_equal(m->groups_len, n->groups_len);
    }
    catalog_free(catalog);
    catalog_free(other);
    zone_free(zone);
    zone_free(again);
}

static void what_is_written_is_read(void **state UNUSED)
{
    struct dns_name name = dns_text_name("catalog.example.");
    struct dns_name members[] = {dns_text_name("one."), dns_text_name("TWO.example."), dns_text_name(".")};
    struct zone *zone = zone_new(&heap, &name, 100), *again = zone_new(&heap, &name, 100);
    struct catalog *catalog = catalog_new(&heap, 10), *other = catalog_new(&heap, 10);
    char complaint[400] = "";
    struct text error = text_of(complaint, sizeof complaint);
    assert_int_equal(catalog_begin(zone, 99), ZONE_OK);
    assert_int_equal(catalog_begin(again, 100), ZONE_OK);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        assert_int_equal(catalog_add(zone, &members[i]), ZONE_OK);
        assert_int_equal(catalog_add(again, &members[ARRAY_LEN(members) - 1 - i]), ZONE_OK);
    }
    assert_int_equal(zone_serial(zone), 99);
    assert_true(catalog_read(catalog, zone, &error) && catalog_read(other, again, &error));
    assert_int_equal(catalog_count(catalog), 3);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) { /* the labels are the names' own */
        const struct catalog_member *a = catalog_find(catalog, &members[i]);
        const struct catalog_member *b = catalog_find(other, &members[i]);
        assert_true(a != NULL && b != NULL && catalog_same_id(a, b));
    }
    catalog_free(catalog);
    catalog_free(other);
    zone_free(zone);
    zone_free(again);
}

int main(void)
{
    heap = memory_heap();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_catalog_is_right_or_broken_whole),
        cmocka_unit_test(what_is_said_of_a_member),
        cmocka_unit_test(groups_are_many_and_bounded),
        cmocka_unit_test(a_member_is_written_with_all_that_is_said_of_it),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

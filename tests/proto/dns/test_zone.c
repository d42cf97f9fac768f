/* SPDX-License-Identifier: ISC */
/* test_zone.c - zones in memory (RFC 1034 §4.2, RFC 4592). */
#include "proto/dns/zone.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static enum zone_result add(struct zone_set *set, const char *line)
{
    uint8_t rdata[1024];
    char reason[200];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.ttl = 60};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &error))
        fail_msg("%s: %s", line, reason);
    return zone_add(set, &record);
}

static struct zone_match find(const struct zone_set *set, const char *text)
{
    struct dns_name name = dns_text_name(text);
    struct zone_match match;
    zone_find(set, &name, &match);
    return match;
}

static const struct zone_node *wildcard_of(const struct zone_set *set, const char *text)
{
    struct zone_match match = find(set, text);
    return zone_wildcard(match.zone, match.node);
}

static size_t remove_name(struct zone_set *set, const char *text, uint16_t type)
{
    struct dns_name name = dns_text_name(text);
    return zone_remove(set, &name, type, NULL);
}

static const char *const lines[] = {
    "example. SOA ns.example. h.example. 1 2 3 4 30",
    "example. NS ns.example.",
    "ns.example. A 192.0.2.1",
    "a.b.c.example. A 192.0.2.2",
    "*.wild.example. TXT w",
    "sub.example. NS ns.sub.example.",
    "ns.sub.example. A 192.0.2.3",
    "own.sub.example. SOA ns.example. h.example. 1 2 3 4 30",
    "old.example. DNAME new.example.",
    "below.old.example. A 192.0.2.4",
    "cut.old.example. NS ns.example.",
};

static struct zone_set *zones(struct heap *heap, struct counting_heap *counts)
{
    *heap = counting_heap(counts);
    struct zone_set *set = zone_set_new(heap, 100);
    assert_non_null(set);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        CHECK_EQUAL(lines[i], add(set, lines[i]), ZONE_OK);
    return set;
}

static const struct {
    const char *name;
    const char *apex;
    const char *cut;
    const char *dname;
    bool exists;
    const char *encloser;
} finds[] = {
    {"com", NULL, NULL, NULL, false, NULL},
    {".", NULL, NULL, NULL, false, NULL},
    {"example", "example.", NULL, NULL, true, "example."},
    {"NS.Example", "example.", NULL, NULL, true, "ns.example."},
    {"b.c.example", "example.", NULL, NULL, true, "b.c.example."},
    {"c.example", "example.", NULL, NULL, true, "c.example."},
    {"x.b.c.example", "example.", NULL, NULL, false, "b.c.example."},
    {"x.wild.example", "example.", NULL, NULL, false, "wild.example."},
    {"*.wild.example", "example.", NULL, NULL, true, "*.wild.example."},
    {"sub.example", "example.", "sub.example.", NULL, true, "sub.example."},
    {"ns.sub.example", "example.", "sub.example.", NULL, true, "ns.sub.example."},
    {"x.sub.example", "example.", "sub.example.", NULL, false, "sub.example."},
    {"x.own.sub.example", "own.sub.example.", NULL, NULL, false, "own.sub.example."},
    {"old.example", "example.", NULL, NULL, true, "old.example."},
    {"below.old.example", "example.", NULL, "old.example.", true, "below.old.example."},
    {"x.cut.old.example", "example.", NULL, "old.example.", false, "cut.old.example."},
    {"x.old.example", "example.", NULL, "old.example.", false, "old.example."},
};

static void check_node(const char *name, const struct zone_match *match,
                       const struct zone_node *node, const char *want)
{
    char text[DNS_NAME_TEXT_MAX];
    struct dns_name owner;
    CHECK_EQUAL(name, node != NULL, want != NULL);
    if (node == NULL)
        return;
    zone_node_name(match->zone, node, &owner);
    assert_string_equal(dns_name_format(&owner, text), want);
}

static void finds_zone_cut_and_encloser(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
        struct zone_match match = find(set, finds[i].name);
        check_node(finds[i].name, &match, match.zone != NULL ? match.zone->apex : NULL,
                   finds[i].apex);
        check_node(finds[i].name, &match, match.cut, finds[i].cut);
        check_node(finds[i].name, &match, match.dname, finds[i].dname);
        check_node(finds[i].name, &match, match.encloser, finds[i].encloser);
        CHECK_EQUAL(finds[i].name, match.node != NULL, finds[i].exists);
    }
    assert_non_null(wildcard_of(set, "wild.example"));
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void refuses_what_a_zone_cannot_hold(void **state UNUSED)
{
    static const struct {
        const char *line;
        enum zone_result want;
    } cases[] = {
        {"com. A 192.0.2.1", ZONE_OUTSIDE},
        {"v.example. CH TXT x", ZONE_INVALID},
        {"ns.example. CNAME x.example.", ZONE_CNAME_ALONE},
        {"alias.example. CNAME x.example.", ZONE_OK},
        {"alias.example. CNAME x.example.", ZONE_OK},
        {"alias.example. CNAME y.example.", ZONE_ONLY_ONE},
        {"alias.example. A 192.0.2.1", ZONE_CNAME_ALONE},
        {"example. SOA ns.example. h.example. 9 2 3 4 30", ZONE_ONLY_ONE},
        {"old.example. DNAME newer.example.", ZONE_ONLY_ONE},
    };
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQUAL(cases[i].line, add(set, cases[i].line), cases[i].want);
    struct dns_record bad = {.owner = dns_text_name("x.example"),
                             .type = DNS_A,
                             .class = DNS_IN,
                             .ttl = 1,
                             .rdata = bytes_of("\1\2\3", 3)};
    assert_int_equal(zone_add(set, &bad), ZONE_INVALID);
    assert_null(find(set, "x.example").node);
    zone_set_free(set);
}

static void removing_prunes_what_was_only_on_the_way(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    assert_int_equal(remove_name(set, "b.c.example", DNS_ANY), 0);
    assert_int_equal(remove_name(set, "A.B.C.example", DNS_AAAA), 0);
    assert_non_null(find(set, "c.example").node);
    assert_int_equal(remove_name(set, "A.B.C.example", DNS_ANY), 1);
    assert_null(find(set, "c.example").node);
    assert_int_equal(remove_name(set, "*.wild.example", DNS_TXT), 1);
    assert_null(find(set, "wild.example").node);
    assert_int_equal(zone_set_count(set), ARRAY_LEN(lines) - 2);
    /* The wildcard can come back. */
    assert_int_equal(add(set, "*.wild.example. A 192.0.2.9"), ZONE_OK);
    assert_non_null(wildcard_of(set, "wild.example"));
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void removing_keeps_the_zone_together(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    assert_int_equal(add(set, "example. A 192.0.2.7"), ZONE_OK);
    assert_int_equal(remove_name(set, "example", DNS_ANY), 1);
    assert_non_null(zone_rrset(find(set, "example").node, DNS_SOA));
    assert_non_null(zone_rrset(find(set, "example").node, DNS_NS));
    assert_int_equal(remove_name(set, "sub.example", DNS_ANY), 1); /* a delegation is not structure */
    assert_null(find(set, "ns.sub.example").cut);
    assert_int_equal(remove_name(set, "own.sub.example", DNS_SOA), 0);
    assert_true(zone_is_apex(find(set, "own.sub.example").node));
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void one_record_of_a_set_can_be_removed(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    assert_int_equal(add(set, "ns.example. A 192.0.2.9"), ZONE_OK);
    struct dns_name name = dns_text_name("ns.example");
    struct bytes rdata = bytes_of("\300\0\2\1", 4);
    assert_int_equal(zone_remove(set, &name, DNS_A, &rdata), 1);
    assert_int_equal(zone_remove(set, &name, DNS_A, &rdata), 0);
    const struct rrset *rrset = zone_rrset(find(set, "ns.example").node, DNS_A);
    assert_int_equal(rrset->count, 1);
    assert_int_equal(rrset_first(rrset).data[3], 9);
    zone_set_free(set);
}

static uint32_t serial(const struct zone_set *set)
{
    return zone_serial(find(set, "example").zone);
}

static void the_serial_counts_changes(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *set = zone_set_new(&heap, 100);
    assert_int_equal(add(set, "example. SOA ns.example. h.example. 254 2 3 4 30"), ZONE_OK);
    assert_int_equal(serial(set), 254);
    assert_int_equal(add(set, "a.example. A 192.0.2.1"), ZONE_OK);
    assert_int_equal(add(set, "a.example. A 192.0.2.1"), ZONE_OK);
    assert_int_equal(serial(set), 255);
    assert_int_equal(remove_name(set, "a.example", DNS_A), 1);
    assert_int_equal(serial(set), 256);
    zone_set_free(set);
}

static void a_set_has_one_ttl_the_lowest(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    assert_int_equal(add(set, "t.example. 50 A 192.0.2.1"), ZONE_OK);
    assert_int_equal(add(set, "t.example. 40 A 192.0.2.2"), ZONE_OK);
    assert_int_equal(add(set, "t.example. 45 A 192.0.2.3"), ZONE_OK);
    assert_int_equal(zone_rrset(find(set, "t.example").node, DNS_A)->ttl, 40);
    assert_int_equal(zone_negative_ttl(zone_rrset(find(set, "example").node, DNS_SOA)), 30);
    zone_set_free(set);
}

static void is_bounded(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *set = zone_set_new(&heap, 3);
    assert_int_equal(add(set, "example. SOA ns.example. h.example. 1 2 3 4 30"), ZONE_OK);
    assert_int_equal(add(set, "a.example. A 192.0.2.1"), ZONE_OK);
    assert_int_equal(add(set, "a.example. A 192.0.2.2"), ZONE_OK);
    assert_int_equal(add(set, "a.example. A 192.0.2.3"), ZONE_FULL);
    assert_int_equal(add(set, "b.example. A 192.0.2.3"), ZONE_FULL);
    assert_int_equal(add(set, "a.example. A 192.0.2.2"), ZONE_OK); /* is there */
    assert_null(find(set, "b.example").node);
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

/* No empty branch stays behind. */
static void check_no_empty_leaf(const struct zone_set *set)
{
    for (struct zone *zone = NULL; (zone = zone_set_next(set, zone)) != NULL;) {
        struct zone_node *node = trie_first(&zone->nodes);
        while (node != NULL) {
            struct bytes key = bytes_of(node->key, node->key_len);
            struct zone_node *next = trie_after(&zone->nodes, key);
            bool below = next != NULL && next->key_len > key.len &&
                         memcmp(next->key, key.data, key.len) == 0;
            assert_true(node->rrsets != NULL || below);
            node = next;
        }
    }
}

static void survives_without_memory(void **state UNUSED)
{
    for (size_t fail_at = 1; fail_at < 80; fail_at++) {
        struct counting_heap counts = {.fail_at = fail_at};
        struct heap heap = counting_heap(&counts);
        struct zone_set *set = zone_set_new(&heap, 100);
        if (set != NULL) {
            for (size_t i = 0; i < ARRAY_LEN(lines); i++)
                (void)add(set, lines[i]);
            check_no_empty_leaf(set);
            zone_set_free(set);
        }
        assert_int_equal(counts.blocks, 0);
    }
}

/* ---- zones as such ---- */

static void zones_are_apart(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    struct dns_name own = dns_text_name("own.SUB.example");
    struct dns_name parent = dns_text_name("example");
    struct zone *child = zone_set_find(set, &own, false);
    assert_true(dns_name_equal(&child->name, &own));
    assert_true(dns_name_equal(&zone_set_find(set, &own, true)->name, &parent));
    assert_null(zone_set_find(set, &parent, true));
    /* A DS record goes to the parent, and is found there (RFC 4035 §2.4, §3.1.4.1). */
    assert_int_equal(add(set, "own.sub.example. DS 1 8 2 00ff"), ZONE_OK);
    struct zone_match match;
    zone_find_in(zone_set_find(set, &own, true), &own, &match);
    assert_non_null(zone_rrset(match.node, DNS_DS));
    assert_null(zone_rrset(child->apex, DNS_DS));
    size_t before = zone_set_count(set);
    size_t in_child = child->record_count;
    assert_true(zone_set_remove(set, &own));
    assert_false(zone_set_remove(set, &own));
    assert_int_equal(zone_set_count(set), before - in_child);
    assert_true(dns_name_equal(&find(set, "x.own.sub.example").zone->name, &parent));
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void zones_come_in_canonical_order(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    static const char *const more[] = {"com. SOA . . 1 2 3 4 5", "a.example. SOA . . 1 2 3 4 5"};
    static const char *const want[] = {"com.", "example.", "a.example.", "own.sub.example."};
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        assert_int_equal(add(set, more[i]), ZONE_OK);
    size_t count = 0;
    for (struct zone *zone = NULL; (zone = zone_set_next(set, zone)) != NULL; count++) {
        char text[DNS_NAME_TEXT_MAX];
        assert_string_equal(dns_name_format(&zone->name, text), want[count]);
    }
    assert_int_equal(count, ARRAY_LEN(want));
    zone_set_free(set);
}

static void nsec3_owners_are_no_names(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    const char *const hashed[] = {
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 1 0 - "
        "2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. RRSIG NSEC3 13 2 60 20300101000000 "
        "20200101000000 1 example. AAAA",
        "ns.example. RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA",
        "ns.example. RRSIG NSEC 13 2 60 20300101000000 20200101000000 1 example. AAAA",
    };
    for (size_t i = 0; i < ARRAY_LEN(hashed); i++)
        CHECK_EQUAL(hashed[i], add(set, hashed[i]), ZONE_OK);
    struct zone_match match = find(set, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example");
    assert_null(match.node);
    assert_int_equal(match.zone->hashed.count, 1);
    struct zone_node *node = trie_first(&match.zone->hashed);
    assert_non_null(zone_rrset(node, DNS_NSEC3));
    assert_non_null(zone_signatures(node, DNS_NSEC3));
    match = find(set, "ns.example");
    assert_int_equal(zone_signatures(match.node, DNS_A)->count, 1);
    assert_null(zone_signatures(match.node, DNS_AAAA));
    assert_int_equal(remove_name(set, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example", DNS_NSEC3), 1);
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void a_zone_takes_what_is_its_own_only(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    struct dns_name parent = dns_text_name("example");
    struct zone *zone = zone_set_find(set, &parent, false);
    struct dns_record record = {.owner = dns_text_name("glue.own.sub.example"),
                                .type = DNS_A,
                                .class = DNS_IN,
                                .ttl = 1,
                                .rdata = bytes_of("\300\0\2\1", 4)};
    assert_int_equal(zone_put(zone, &record), ZONE_OK);
    assert_null(find(set, "glue.own.sub.example").node); /* the child is asked, and has it not */
    struct zone_match match;
    zone_find_in(zone, &record.owner, &match);
    assert_non_null(match.node);
    record.owner = dns_text_name("other");
    assert_int_equal(zone_put(zone, &record), ZONE_OUTSIDE);
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static struct zone *new_zone(const struct heap *heap, const char *name, const char *const *with)
{
    struct dns_name apex = dns_text_name(name);
    struct zone *zone = zone_new(heap, &apex, 5);
    assert_non_null(zone);
    for (; *with != NULL; with++) {
        uint8_t rdata[512];
        char reason[200];
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_line_context context = {.ttl = 60};
        struct dns_record record;
        assert_true(dns_record_parse(bytes_of_text(*with), &context, &w, &record, &error));
        assert_int_equal(zone_put(zone, &record), ZONE_OK);
    }
    return zone;
}

static struct dns_record record_of(const char *line, uint8_t room[256])
{
    char reason[200];
    struct writer w = writer_of(room, 256);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.ttl = 60};
    assert_true(dns_record_parse(bytes_of_text(line), &context, &w, &record, &error));
    return record;
}

/* What was put is dropped, in any order, and nothing is left. */
static void what_was_put_can_be_dropped(void **state UNUSED)
{
    static const char *const all[] = {
        "example. SOA ns.example. h.example. 1 2 3 4 30",
        "a.b.example. A 192.0.2.1",
        "a.b.example. A 192.0.2.2",
        "*.example. TXT w",
        "sub.example. NS ns.sub.example.",
        "a.b.example. RRSIG A 13 3 60 20300101000000 20200101000000 1 example. AAAA",
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. RRSIG NSEC3 13 2 60 20300101000000 20200101000000 1 example. AAAA",
    };
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct dns_name name = dns_text_name("example.");
    for (size_t first = 0; first < ARRAY_LEN(all); first++) {
        uint8_t room[256];
        struct zone *zone = zone_new(&heap, &name, 100);
        size_t blocks = counts.blocks;
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            struct dns_record record = record_of(all[i], room);
            assert_int_equal(zone_put(zone, &record), ZONE_OK);
        }
        struct dns_record none = record_of("a.b.example. A 192.0.2.3", room);
        assert_false(zone_drop(zone, &none));
        none = record_of("elsewhere. A 192.0.2.3", room);
        assert_false(zone_drop(zone, &none));
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            struct dns_record record = record_of(all[(first + i) % ARRAY_LEN(all)], room);
            assert_true(zone_drop(zone, &record));
            assert_false(zone_drop(zone, &record));
        }
        assert_int_equal(zone->record_count, 0);
        assert_int_equal(zone->nodes.count, 1);
        assert_int_equal(zone->hashed.count, 0);
        assert_int_equal(zone->apex->flags, 0);
        assert_true(counts.blocks <= blocks);
        zone_free(zone);
        assert_int_equal(counts.blocks, 0);
    }
}

static void a_zone_is_replaced_whole(void **state UNUSED)
{
    static const char *const with[] = {"example. SOA . . 77 2 3 4 30", "new.example. A 192.0.2.1", NULL};
    static const char *const none[] = {NULL};
    struct counting_heap counts = {0};
    struct heap heap;
    struct zone_set *set = zones(&heap, &counts);
    size_t whole = zone_set_count(set);
    struct dns_name name = dns_text_name("example");
    size_t old = zone_set_get(set, &name)->record_count;
    struct zone *before;
    assert_int_equal(zone_set_install(set, new_zone(&heap, "example", with), &before), ZONE_OK);
    /* What was there can be taken apart by and by. */
    assert_int_equal(before->record_count, old);
    size_t steps = 1;
    while (!zone_empty(before, 3))
        steps++;
    assert_true(steps > 2);
    zone_free(before);
    assert_int_equal(zone_set_count(set), whole - old + 2);
    assert_null(find(set, "ns.example").node);
    assert_non_null(find(set, "new.example").node);
    assert_non_null(find(set, "own.sub.example").node); /* another zone */
    assert_int_equal(serial(set), 77); /* as it came */
    assert_true(zone_is_served(find(set, "example").zone));
    /* One that cannot be served takes its names all the same. */
    assert_int_equal(zone_set_install(set, new_zone(&heap, "broken", none), &before), ZONE_OK);
    assert_null(before);
    assert_false(zone_is_served(find(set, "x.broken").zone));
    struct dns_name below = dns_text_name("x.broken");
    assert_null(zone_set_get(set, &below));
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void a_zone_that_is_too_large_is_not_taken(void **state UNUSED)
{
    static const char *const with[] = {"b. SOA . . 1 2 3 4 30", "new.b. A 192.0.2.1", NULL};
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *set = zone_set_new(&heap, 3);
    assert_int_equal(add(set, "example. SOA ns.example. h.example. 1 2 3 4 30"), ZONE_OK);
    assert_int_equal(add(set, "a.example. A 192.0.2.1"), ZONE_OK);
    struct zone *zone = new_zone(&heap, "b", with);
    struct zone *before = NULL;
    assert_int_equal(zone_set_install(set, zone, &before), ZONE_FULL);
    assert_null(before);
    assert_null(find(set, "new.b").zone);
    zone_free(zone);
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_zone_cut_and_encloser),
        cmocka_unit_test(refuses_what_a_zone_cannot_hold),
        cmocka_unit_test(removing_prunes_what_was_only_on_the_way),
        cmocka_unit_test(removing_keeps_the_zone_together),
        cmocka_unit_test(one_record_of_a_set_can_be_removed),
        cmocka_unit_test(the_serial_counts_changes),
        cmocka_unit_test(a_set_has_one_ttl_the_lowest),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(zones_are_apart),
        cmocka_unit_test(zones_come_in_canonical_order),
        cmocka_unit_test(nsec3_owners_are_no_names),
        cmocka_unit_test(a_zone_takes_what_is_its_own_only),
        cmocka_unit_test(what_was_put_can_be_dropped),
        cmocka_unit_test(a_zone_is_replaced_whole),
        cmocka_unit_test(a_zone_that_is_too_large_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_zone_change.c - changes of zones, what is different, and their history (RFC 1995). */
#include "proto/dns/zone_change.h"

#include "proto/dns/zone_difference.h"
#include "proto/dns/zone_edit.h"
#include "proto/dns/zone_history.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_serial.h"

static struct dns_record parse(const char *line, uint8_t *rdata, size_t size)
{
    char reason[200];
    struct writer w = writer_of(rdata, size);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.ttl = 60};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &error))
        fail_msg("%s: %s", line, reason);
    return record;
}

static struct zone *zone_of(const struct heap *heap, const char *const *lines)
{
    struct dns_name apex = dns_text_name("example");
    struct zone *zone = zone_new(heap, &apex, 30);
    assert_non_null(zone);
    for (; *lines != NULL; lines++) {
        uint8_t rdata[512];
        struct dns_record record = parse(*lines, rdata, sizeof rdata);
        CHECK_EQUAL(*lines, zone_put(zone, &record), ZONE_OK);
    }
    return zone;
}

/* "- line" goes, "+ line" comes. */
static struct zone_change change_of(const struct heap *heap, const char *const *lines)
{
    struct zone_change change;
    zone_change_init(&change, heap, 4096);
    for (; *lines != NULL; lines++) {
        uint8_t rdata[512];
        struct dns_record record = parse(*lines + 2, rdata, sizeof rdata);
        enum zone_side side = **lines == '-' ? ZONE_REMOVED : ZONE_ADDED;
        CHECK_EQUAL(*lines, zone_change_add(&change, side, &record), ZONE_OK);
    }
    return change;
}

static void add_node(struct text *t, const struct zone *zone, const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        struct rrset_place place = {0};
        struct dns_record record = {.type = rrset->type, .class = DNS_IN, .ttl = rrset->ttl};
        zone_node_name(zone, node, &record.owner);
        while (rrset_next(rrset, &place, &record.rdata)) {
            dns_record_format(&record, t);
            text_add(t, "\n");
        }
    }
}

/* The whole of a zone, for comparison. */
static const char *dump(const struct zone *zone, char *out, size_t size)
{
    struct text t = text_of(out, size);
    const struct trie *const tries[] = {&zone->nodes, &zone->hashed};
    for (size_t i = 0; i < ARRAY_LEN(tries); i++)
        for (const struct zone_node *node = trie_first(tries[i]); node != NULL;
             node = trie_after(tries[i], bytes_of(node->key, node->key_len)))
            add_node(&t, zone, node);
    assert_false(t.failed);
    return out;
}

static const char *change_text(const struct zone_change *change, char *out, size_t size)
{
    struct text t = text_of(out, size);
    struct dns_record record;
    for (int side = 0; side < ZONE_SIDE_COUNT; side++)
        for (size_t place = 0; zone_change_next(change, side, &place, &record);) {
            text_add(&t, side == ZONE_REMOVED ? "- " : "+ ");
            dns_record_format(&record, &t);
            text_add(&t, "\n");
        }
    assert_false(t.failed);
    return out;
}

#define SOA_1 "example. 60 SOA ns.example. h.example. 1 2 3 4 30"
#define SOA_2 "example. 60 SOA ns.example. h.example. 2 2 3 4 30"
#define SOA_9 "example. 60 SOA ns.example. h.example. 9 2 3 4 30"

static const char *const before[] = {
    SOA_1,
    "example. NS ns.example.",
    "ns.example. A 192.0.2.1",
    "ns.example. A 192.0.2.2",
    "alias.example. CNAME ns.example.",
    "a.b.example. TXT x",
    NULL,
};

static const struct {
    const char *name;
    const char *lines[8];
    enum zone_result want;
    const char *gone, *come; /* names that exist no more, and that do now */
} changes[] = {
    {"a record goes, and the names that were on the way to it",
     {"- " SOA_1, "- a.b.example. TXT x", "+ " SOA_2}, ZONE_OK, "b.example", NULL},
    {"a record comes", {"- " SOA_1, "+ " SOA_2, "+ c.d.example. A 192.0.2.3"}, ZONE_OK, NULL, "d.example"},
    {"a CNAME takes the place of others",
     {"- " SOA_1, "- ns.example. A 192.0.2.1", "- ns.example. A 192.0.2.2", "+ " SOA_2,
      "+ ns.example. CNAME x."}, ZONE_OK, NULL, "ns.example"},
    {"others take the place of a CNAME",
     {"- " SOA_1, "- alias.example. CNAME NS.Example.", "+ " SOA_2, "+ alias.example. A 192.0.2.9"},
     ZONE_OK, NULL, "alias.example"},
    {"a wildcard comes", {"- " SOA_1, "+ " SOA_2, "+ *.w.example. A 192.0.2.3"}, ZONE_OK, NULL, "*.w.example"},
    {"what goes is not there", {"- " SOA_1, "- ns.example. A 192.0.2.3", "+ " SOA_2}, ZONE_NOT_THERE, NULL, NULL},
    {"nor is its name", {"- " SOA_1, "- no.example. A 192.0.2.3", "+ " SOA_2}, ZONE_NOT_THERE, NULL, NULL},
    {"what comes is there",
     {"- " SOA_1, "- a.b.example. TXT x", "+ " SOA_2, "+ ns.example. A 192.0.2.2"}, ZONE_THERE, NULL, NULL},
    {"it goes twice",
     {"- " SOA_1, "- a.b.example. TXT x", "- a.b.example. TXT x", "+ " SOA_2}, ZONE_NOT_THERE, NULL, NULL},
    {"a CNAME beside others", {"- " SOA_1, "+ " SOA_2, "+ n.example. A 192.0.2.2", "+ ns.example. CNAME x."},
     ZONE_CNAME_ALONE, NULL, NULL},
    {"others beside a CNAME", {"- " SOA_1, "+ " SOA_2, "+ alias.example. A 192.0.2.1"}, ZONE_CNAME_ALONE, NULL, NULL},
    {"another version", {"- " SOA_9, "+ " SOA_2}, ZONE_OTHER_VERSION, NULL, NULL},
    {"another SOA of that version",
     {"- example. SOA other. h.example. 1 2 3 4 30", "+ " SOA_2}, ZONE_NOT_THERE, NULL, NULL},
    {"no SOA comes", {"- " SOA_1}, ZONE_INVALID, NULL, NULL},
    {"a name outside", {"- " SOA_1, "+ " SOA_2, "+ other. A 192.0.2.1"}, ZONE_OUTSIDE, NULL, NULL},
};

static bool exists(const struct zone *zone, const char *text)
{
    struct dns_name name = dns_text_name(text);
    struct zone_match match;
    zone_find_in(zone, &name, &match);
    return match.node != NULL;
}

static void a_change_is_made_whole_or_not_at_all(void **state UNUSED)
{
    static char text[2][8192];
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        const char *name = changes[i].name;
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        struct zone *zone = zone_of(&heap, before);
        struct zone_change change = change_of(&heap, changes[i].lines);
        size_t records = zone->record_count;
        dump(zone, text[0], sizeof text[0]);
        CHECK_EQUAL(name, zone_change_apply(NULL, zone, &change), changes[i].want);
        dump(zone, text[1], sizeof text[1]);
        CHECK_EQUAL(name, strcmp(text[0], text[1]) == 0, changes[i].want != ZONE_OK);
        CHECK(name, changes[i].gone == NULL || !exists(zone, changes[i].gone));
        CHECK(name, changes[i].come == NULL || exists(zone, changes[i].come));
        if (changes[i].want == ZONE_OK) {
            struct zone_change inverse = zone_change_inverse(&change);
            CHECK_EQUAL(name, zone_serial(zone), 2);
            CHECK_EQUAL(name, zone_change_apply(NULL, zone, &inverse), ZONE_OK);
            struct zone *same = zone_of(&heap, before);
            struct zone_change none;
            struct zone_difference d;
            zone_change_init(&none, &heap, 4096);
            CHECK_EQUAL(name, zone_difference_start(&d, same, zone, &none), ZONE_OK);
            CHECK_EQUAL(name, zone_difference_step(&d, SIZE_MAX), ZONE_DIFFERENCE_DONE);
            CHECK(name, zone_change_is_empty(&none));
            zone_change_done(&none);
            zone_free(same);
        }
        CHECK_EQUAL(name, zone->record_count, records);
        zone_change_done(&change);
        zone_free(zone);
        assert_int_equal(counts.blocks, 0);
    }
}

static const char *const many[] = {
    "- " SOA_1, "- ns.example. A 192.0.2.1", "- a.b.example. TXT x", "+ " SOA_2,
    "+ ns.example. A 192.0.2.7", "+ x.y.example. A 192.0.2.7", "+ *.y.example. A 192.0.2.7",
    "+ 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 1 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A", NULL};

static void without_memory_nothing_has_changed(void **state UNUSED)
{
    static char text[2][8192];
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *zone = zone_of(&heap, before);
    struct zone_change change = change_of(&heap, many);
    dump(zone, text[0], sizeof text[0]);
    size_t blocks = counts.blocks;
    size_t tries = 0;
    enum zone_result result;
    do {
        counts.fail_at = counts.allocations + ++tries;
        result = zone_change_apply(NULL, zone, &change);
        if (result != ZONE_OK) {
            assert_int_equal(result, ZONE_NO_MEMORY);
            assert_int_equal(counts.blocks, blocks);
            assert_string_equal(dump(zone, text[1], sizeof text[1]), text[0]);
        }
    } while (result != ZONE_OK);
    assert_true(tries > 10);
    assert_true(exists(zone, "y.example"));
    assert_int_equal(zone->hashed.count, 1);
    zone_change_done(&change);
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

static void a_set_that_would_not_fit_is_not_taken(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *set = zone_set_new(&heap, 7);
    struct zone *zone = zone_of(&heap, before);
    struct zone *old;
    assert_int_equal(zone_set_install(set, zone, &old), ZONE_OK);
    static const char *const two[] = {"- " SOA_1, "+ " SOA_2, "+ x.example. A 192.0.2.7",
                                      "+ x.example. A 192.0.2.8", NULL};
    static const char *const swap[] = {"- " SOA_1, "- a.b.example. TXT x", "+ " SOA_2,
                                       "+ x.example. A 192.0.2.7", "+ x.example. A 192.0.2.8", NULL};
    struct zone_change change = change_of(&heap, two);
    assert_int_equal(zone_change_apply(set, zone, &change), ZONE_FULL);
    assert_int_equal(zone_set_count(set), 6);
    zone_change_done(&change);
    change = change_of(&heap, swap);
    assert_int_equal(zone_change_apply(set, zone, &change), ZONE_OK);
    assert_int_equal(zone_set_count(set), 7);
    zone_change_done(&change);
    zone_set_free(set);
    assert_int_equal(counts.blocks, 0);
}

static void a_change_holds_only_what_it_may(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    uint8_t rdata[100];
    struct zone_change change;
    zone_change_init(&change, &heap, 100);
    struct dns_record record = parse("a.example. A 192.0.2.1", rdata, sizeof rdata);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_INVALID); /* SOA first */
    struct dns_record soa = parse(SOA_1, rdata, sizeof rdata);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &soa), ZONE_OK);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &soa), ZONE_INVALID);
    size_t octets = zone_change_octets(&change);
    assert_int_equal(octets, 9 + 8 + soa.rdata.len);
    record = parse("a.example. A 192.0.2.1", rdata, sizeof rdata);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_OK);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_FULL);
    assert_int_equal(change.sides[ZONE_ADDED].count, 2);
    assert_int_equal(change.serial_to, 1);
    record.class = DNS_CH;
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_INVALID);
    struct bytes sides[ZONE_SIDE_COUNT];
    zone_change_encode(&change, sides);
    for (size_t len = 0; len <= sides[ZONE_ADDED].len; len++) {
        struct zone_change copy;
        uint8_t *exact = exact_copy(sides[ZONE_ADDED].data, len);
        zone_change_init(&copy, &heap, 100);
        bool whole = len == 0 || len == octets || len == sides[ZONE_ADDED].len;
        assert_int_equal(zone_change_decode(&copy, ZONE_ADDED, bytes_of(exact, len)),
                         whole ? ZONE_OK : ZONE_INVALID);
        zone_change_done(&copy);
        free(exact);
    }
    zone_change_done(&change);
    assert_int_equal(counts.blocks, 0);
}

static void the_difference_is_the_least(void **state UNUSED)
{
    static const char *const after[] = {
        SOA_9,
        "example. NS NS.Example.", /* the same but for case */
        "ns.example. A 192.0.2.2",
        "ns.example. A 192.0.2.3",
        "alias.example. 30 CNAME ns.example.", /* another TTL */
        "z.example. TXT x",
        NULL,
    };
    static const char want[] = "- example. 60 IN SOA ns.example. h.example. 1 2 3 4 30\n"
                               "- alias.example. 60 IN CNAME ns.example.\n"
                               "- a.b.example. 60 IN TXT \"x\"\n"
                               "- ns.example. 60 IN A 192.0.2.1\n"
                               "+ example. 60 IN SOA ns.example. h.example. 9 2 3 4 30\n"
                               "+ alias.example. 30 IN CNAME ns.example.\n"
                               "+ ns.example. 60 IN A 192.0.2.3\n"
                               "+ z.example. 60 IN TXT \"x\"\n";
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *old = zone_of(&heap, before);
    struct zone *new = zone_of(&heap, after);
    for (size_t slice = 1; slice < 20; slice++) {
        static char text[4096];
        struct zone_change change;
        struct zone_difference d;
        enum zone_difference_status status;
        zone_change_init(&change, &heap, 4096);
        assert_int_equal(zone_difference_start(&d, old, new, &change), ZONE_OK);
        do
            status = zone_difference_step(&d, slice);
        while (status == ZONE_DIFFERENCE_MORE);
        assert_int_equal(status, ZONE_DIFFERENCE_DONE);
        assert_string_equal(change_text(&change, text, sizeof text), want);
        assert_int_equal(change.serial_from, 1);
        assert_int_equal(change.serial_to, 9);
        zone_change_done(&change);
    }
    struct zone_change small;
    struct zone_difference d;
    zone_change_init(&small, &heap, 150);
    assert_int_equal(zone_difference_start(&d, old, new, &small), ZONE_OK);
    assert_int_equal(zone_difference_step(&d, 100), ZONE_DIFFERENCE_FAILED);
    zone_change_done(&small);
    zone_free(old);
    zone_free(new);
    assert_int_equal(counts.blocks, 0);
}

static void an_edit_shows_what_will_be(void **state UNUSED)
{
    static const char want[] = "- example. 60 IN SOA ns.example. h.example. 1 2 3 4 30\n"
                               "- ns.example. 60 IN A 192.0.2.1\n"
                               "- ns.example. 60 IN A 192.0.2.2\n"
                               "+ example. 60 IN SOA ns.example. h.example. 2 2 3 4 30\n"
                               "+ new.example. 60 IN A 192.0.2.5\n";
    static char text[4096];
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *zone = zone_of(&heap, before);
    struct zone_edit edit;
    uint8_t rdata[100];
    assert_int_equal(zone_edit_start(&edit, NULL, zone), ZONE_OK);
    static const char *const gone[] = {"ns.example. A 192.0.2.1", "ns.example. A 192.0.2.2"};
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        struct dns_record record = parse(gone[i], rdata, sizeof rdata);
        assert_non_null(zone_edit_find(&edit, &record.owner));
        assert_int_equal(zone_edit_remove(&edit, &record), ZONE_OK);
    }
    struct dns_record record = parse("new.example. 5 A 192.0.2.5", rdata, sizeof rdata);
    assert_null(zone_edit_find(&edit, &record.owner));
    assert_int_equal(zone_edit_add(&edit, &record), ZONE_OK);
    record.ttl = 60;
    assert_int_equal(zone_edit_add(&edit, &record), ZONE_THERE);
    zone_edit_set_serial(&edit, 2);
    struct dns_name ns = dns_text_name("ns.example");
    struct dns_name b = dns_text_name("a.b.example");
    assert_null(zone_edit_find(&edit, &ns));
    assert_non_null(zone_edit_find(&edit, &b));
    assert_true(exists(zone, "ns.example"));
    struct zone_change change;
    zone_change_init(&change, &heap, 4096);
    assert_int_equal(zone_edit_difference(&edit, &change), ZONE_OK);
    assert_string_equal(change_text(&change, text, sizeof text), want);
    assert_int_equal(zone_edit_commit(&edit), ZONE_OK);
    zone_edit_done(&edit);
    assert_false(exists(zone, "ns.example"));
    assert_true(exists(zone, "new.example"));
    zone_change_done(&change);
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

/* What signs the zone too gives the number, unless the SOA is another. */
static void an_edit_may_leave_the_serial_number_alone(void **state UNUSED)
{
    static const struct {
        const char *lines[3];
        bool changed, keeps;
        uint32_t to;
    } cases[] = {
        {{"+ new.example. A 192.0.2.5"}, true, true, 1},
        {{"+ ns.example. A 192.0.2.1"}, false, true, 1},
        {{"- " SOA_1, "+ " SOA_9}, true, false, 9},
        {{"- " SOA_1, "+ example. 60 SOA ns.example. h.example. 1 7 7 7 7"}, true, false, 2},
    };
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *zone = zone_of(&heap, before);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone_edit edit;
        struct zone_change change;
        uint8_t rdata[100];
        zone_change_init(&change, &heap, 4096);
        assert_int_equal(zone_edit_start(&edit, NULL, zone), ZONE_OK);
        for (size_t j = 0; j < 3 && cases[i].lines[j] != NULL; j++) {
            struct dns_record record = parse(cases[i].lines[j] + 2, rdata, sizeof rdata);
            enum zone_result result = cases[i].lines[j][0] == '-' ? zone_edit_remove(&edit, &record)
                                                                  : zone_edit_add(&edit, &record);
            assert_true(result == ZONE_OK || result == ZONE_THERE);
        }
        assert_int_equal(zone_edit_settle_signed(&edit, &change), ZONE_OK);
        assert_int_equal(zone_change_octets(&change) > 0, cases[i].changed);
        if (cases[i].changed) {
            assert_int_equal(zone_change_keeps_soa(&change), cases[i].keeps);
            assert_int_equal(change.serial_to, cases[i].to);
            zone_change_renumber(&change, 100, 101);
            struct zone_change copy;
            struct bytes sides[ZONE_SIDE_COUNT];
            zone_change_encode(&change, sides);
            zone_change_init(&copy, &heap, 4096);
            for (int side = 0; side < ZONE_SIDE_COUNT; side++)
                assert_int_equal(zone_change_decode(&copy, side, sides[side]), ZONE_OK);
            assert_int_equal(copy.serial_from, 100);
            assert_int_equal(copy.serial_to, 101);
            zone_change_done(&copy);
        }
        zone_change_done(&change);
        zone_edit_done(&edit);
    }
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

/* ---- history ---- */

/* From `from` to `to`, with a TXT record of so many octets. */
static struct zone_change numbered(const struct heap *heap, uint32_t from, uint32_t to, size_t octets)
{
    uint8_t rdata[300];
    struct zone_change change;
    zone_change_init(&change, heap, 4096);
    struct dns_record soa = parse(SOA_1, rdata, sizeof rdata);
    dns_soa_set_serial(rdata, soa.rdata.len, from);
    assert_int_equal(zone_change_add(&change, ZONE_REMOVED, &soa), ZONE_OK);
    dns_soa_set_serial(rdata, soa.rdata.len, to);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &soa), ZONE_OK);
    struct dns_record record = {.owner = soa.owner, .type = 65280, .class = DNS_IN};
    record.rdata = bytes_of(rdata, octets);
    assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_OK);
    return change;
}

static size_t chain_from(const struct zone_history *history, uint32_t serial)
{
    size_t count = 0;
    const struct zone_change *change = zone_history_find(history, serial);
    for (; change != NULL; change = zone_history_next(history, change), count++) {
        assert_int_equal(change->serial_from, serial);
        serial = change->serial_to;
    }
    return count;
}

static void a_history_is_a_chain_and_bounded(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_history *history = zone_history_new(&heap, 2000);
    uint32_t serial = UINT32_MAX - 1;
    for (size_t i = 0; i < 50; i++) {
        struct zone_change change = numbered(&heap, serial, serial + 1, 100);
        zone_history_add(history, &change);
        assert_int_equal(zone_change_octets(&change), 0);
        serial++;
        assert_true(history->octets <= 2000 && history->count == (i < 4 ? i + 1 : history->count));
    }
    size_t kept = history->count;
    assert_true(kept > 3 && kept < 20);
    assert_int_equal(chain_from(history, serial - (uint32_t)kept), kept);
    assert_int_equal(chain_from(history, serial - (uint32_t)kept - 1), 0);
    assert_int_equal(chain_from(history, serial - 1), 1);
    assert_int_equal(chain_from(history, serial), 0);
    /* One that does not follow begins anew; one that goes back or is too large is not kept. */
    struct zone_change gap = numbered(&heap, serial + 5, serial + 6, 1);
    zone_history_add(history, &gap);
    assert_int_equal(history->count, 1);
    struct zone_change back = numbered(&heap, serial + 6, serial + 6, 1);
    zone_history_add(history, &back);
    assert_int_equal(history->count, 0);
    struct zone_history *tiny = zone_history_new(&heap, 200);
    struct zone_change large = numbered(&heap, 1, 2, 200);
    zone_history_add(tiny, &large);
    assert_int_equal(tiny->count, 0);
    assert_int_equal(tiny->octets, 0);
    zone_history_free(tiny);
    zone_history_free(history);
    assert_int_equal(counts.blocks, 0);
}

static void a_zone_remembers_what_was_committed(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *zone = zone_of(&heap, before);
    zone->history = zone_history_new(&heap, 2000);
    struct zone_change change = change_of(&heap, many);
    assert_int_equal(zone_change_commit(NULL, zone, &change), ZONE_OK);
    assert_int_equal(chain_from(zone->history, 1), 1);
    assert_int_equal(zone_change_octets(&change), 0);
    struct zone_change again = change_of(&heap, many);
    assert_int_equal(zone_change_commit(NULL, zone, &again), ZONE_OTHER_VERSION);
    assert_true(zone_change_octets(&again) > 0);
    assert_int_equal(zone->history->count, 1);
    zone_change_done(&again);
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

/* RFC 1982 §3.2, §5. */
static void serial_numbers_lie_on_a_ring(void **state UNUSED)
{
    assert_true(dns_serial_before(1, 2));
    assert_false(dns_serial_before(2, 1));
    assert_false(dns_serial_before(7, 7));
    assert_true(dns_serial_before(UINT32_MAX, 0));
    assert_true(dns_serial_before(0, 0x7fffffff));
    assert_false(dns_serial_before(0, 0x80000000));
    assert_false(dns_serial_before(0x80000000, 0));
    assert_true(dns_serial_before(0x80000001, 0));
    assert_int_equal(dns_serial_next(7), 8);
    assert_int_equal(dns_serial_next(UINT32_MAX), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_made_whole_or_not_at_all),
        cmocka_unit_test(without_memory_nothing_has_changed),
        cmocka_unit_test(a_set_that_would_not_fit_is_not_taken),
        cmocka_unit_test(a_change_holds_only_what_it_may),
        cmocka_unit_test(the_difference_is_the_least),
        cmocka_unit_test(an_edit_shows_what_will_be),
        cmocka_unit_test(an_edit_may_leave_the_serial_number_alone),
        cmocka_unit_test(a_history_is_a_chain_and_bounded),
        cmocka_unit_test(a_zone_remembers_what_was_committed),
        cmocka_unit_test(serial_numbers_lie_on_a_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_zone_journal.c - changes of zones in the store, made again. */
#include "app/names/zone_journal.h"

#include <errno.h>

#include "proto/dns/zone_edit.h"
#include "proto/dns/zone_history.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_serial.h"

struct world {
    struct counting_heap counts;
    struct heap heap;
    struct store *store;
    struct zone_journal *journal;
};

static void start(struct world *w)
{
    char error[STORE_ERROR_MAX];
    *w = (struct world){0};
    w->heap = counting_heap(&w->counts);
    assert_int_equal(store_open(STORE_MEMORY, &w->store, error), 0);
    assert_int_equal(zone_journal_new(w->store, &w->journal), 0);
}

static void stop(struct world *w)
{
    zone_journal_free(w->journal);
    store_close(w->store);
    assert_int_equal(w->counts.blocks, 0);
}

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

/* As its file has it. */
static struct zone *zone_from_file(const struct world *w, const char *name, uint32_t serial)
{
    uint8_t rdata[300];
    struct dns_name apex = dns_text_name(name);
    struct zone *zone = zone_new(&w->heap, &apex, 20000);
    assert_non_null(zone);
    struct dns_record soa = parse("x. SOA ns.x. h.x. 1 2 3 4 30", rdata, sizeof rdata);
    soa.owner = apex;
    dns_soa_set_serial(rdata, soa.rdata.len, serial);
    assert_int_equal(zone_put(zone, &soa), ZONE_OK);
    struct dns_record ns = parse("x. NS ns.x.", rdata, sizeof rdata);
    ns.owner = apex;
    assert_int_equal(zone_put(zone, &ns), ZONE_OK);
    return zone;
}

/* A change of the zone that adds the record, or removes it ("- …"). */
static void change_zone(const struct world *w, struct zone *zone, const char *line,
                        struct zone_change *change)
{
    uint8_t rdata[300];
    struct zone_edit edit;
    bool removes = line[0] == '-';
    struct dns_record record = parse(line + (removes ? 2 : 0), rdata, sizeof rdata);
    assert_int_equal(zone_edit_start(&edit, NULL, zone), ZONE_OK);
    if (removes)
        assert_int_equal(zone_edit_remove(&edit, &record), ZONE_OK);
    else
        assert_int_equal(zone_edit_add(&edit, &record), ZONE_OK);
    zone_change_init(change, &w->heap, 4096);
    assert_int_equal(zone_edit_settle(&edit, change), ZONE_OK);
    assert_int_equal(zone_edit_commit(&edit), ZONE_OK);
    zone_edit_done(&edit);
}

static void keep(const struct world *w, struct zone *zone, const char *line)
{
    struct zone_change change;
    change_zone(w, zone, line, &change);
    assert_int_equal(zone_journal_begin(w->journal), 0);
    assert_int_equal(zone_journal_put(w->journal, zone, &change), 0);
    assert_int_equal(zone_journal_commit(w->journal), 0);
    zone_change_done(&change);
}

static int replay(const struct world *w, struct zone **zone, size_t *dropped, const char *want)
{
    char complaint[300] = "";
    struct text error = text_of(complaint, sizeof complaint);
    int status = zone_journal_replay(w->journal, zone, dropped, &error);
    if (strstr(complaint, want) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", complaint, want);
    return status;
}

static bool exists(const struct zone *zone, const char *text)
{
    struct dns_name name = dns_text_name(text);
    struct zone_match match;
    zone_find_in(zone, &name, &match);
    return match.node != NULL;
}

static void changes_are_made_again(void **state UNUSED)
{
    struct world w;
    size_t dropped;
    start(&w);
    struct zone *zone = zone_from_file(&w, "example", 5);
    keep(&w, zone, "a.example. A 192.0.2.1");
    keep(&w, zone, "b.example. A 192.0.2.2");
    keep(&w, zone, "- a.example. A 192.0.2.1");
    uint64_t octets = zone->journal_octets;
    zone_free(zone);
    for (int i = 0; i < 2; i++) {
        struct zone *again = zone_from_file(&w, "example", 5);
        struct zone *other = zone_from_file(&w, "other", 5);
        assert_int_equal(replay(&w, &again, &dropped, ""), 0);
        assert_int_equal(replay(&w, &other, &dropped, ""), 0);
        assert_int_equal(zone_serial(again), 8);
        assert_int_equal(zone_serial(other), 5);
        assert_false(exists(again, "a.example"));
        assert_true(exists(again, "b.example"));
        assert_int_equal(again->history->count, 3);
        assert_true(again->journal_octets == octets);
        zone_free(again);
        zone_free(other);
    }
    /* A file that has the first of them already, and one that has them all. */
    zone = zone_from_file(&w, "example", 6);
    uint8_t rdata[30];
    struct dns_record a = parse("a.example. A 192.0.2.1", rdata, sizeof rdata);
    assert_int_equal(zone_put(zone, &a), ZONE_OK);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(zone_serial(zone), 8);
    zone_free(zone);
    zone = zone_from_file(&w, "example", 8);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(dropped, 0);
    zone_free(zone);
    zone = zone_from_file(&w, "example", 5); /* nothing is left of them */
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(zone_serial(zone), 5);
    zone_free(zone);
    stop(&w);
}

static void what_is_not_committed_was_not(void **state UNUSED)
{
    struct world w;
    size_t dropped;
    struct zone_change change;
    start(&w);
    struct zone *zone = zone_from_file(&w, "example", 5);
    keep(&w, zone, "a.example. A 192.0.2.1");
    change_zone(&w, zone, "b.example. A 192.0.2.1", &change);
    assert_int_equal(zone_journal_begin(w.journal), 0);
    assert_int_equal(zone_journal_put(w.journal, zone, &change), 0);
    zone_journal_rollback(w.journal);
    zone_change_done(&change);
    zone_free(zone);
    zone = zone_from_file(&w, "example", 5);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(zone_serial(zone), 6);
    /* Numbers may have gaps. */
    keep(&w, zone, "c.example. A 192.0.2.1");
    zone_free(zone);
    zone = zone_from_file(&w, "example", 5);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(zone_serial(zone), 7);
    zone_free(zone);
    stop(&w);
}

static void a_file_that_does_not_fit_is_refused(void **state UNUSED)
{
    struct world w;
    size_t dropped;
    start(&w);
    struct zone *zone = zone_from_file(&w, "example", 5);
    keep(&w, zone, "a.example. A 192.0.2.1");
    keep(&w, zone, "b.example. A 192.0.2.1");
    zone_free(zone);
    /* It is older. */
    zone = zone_from_file(&w, "example", 4);
    assert_int_equal(replay(&w, &zone, &dropped, "has serial 4, and its changes lead to 7"), -EBADMSG);
    zone_free(zone);
    /* It has what was added. */
    zone = zone_from_file(&w, "example", 5);
    uint8_t rdata[30];
    struct dns_record b = parse("b.example. A 192.0.2.1", rdata, sizeof rdata);
    assert_int_equal(zone_put(zone, &b), ZONE_OK);
    assert_int_equal(replay(&w, &zone, &dropped, "without a new serial number"), -EBADMSG);
    zone_free(zone);
    /* As it was, all is well. */
    zone = zone_from_file(&w, "example", 5);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    zone_free(zone);
    /* It is newer: a new beginning. */
    zone = zone_from_file(&w, "example", 100);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(dropped, 2);
    assert_int_equal(zone_serial(zone), 100);
    keep(&w, zone, "c.example. A 192.0.2.1");
    zone_free(zone);
    zone = zone_from_file(&w, "example", 100);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(zone_serial(zone), 101);
    zone_free(zone);
    stop(&w);
}

static void when_there_are_many_the_zone_is_kept_whole(void **state UNUSED)
{
    struct world w;
    size_t dropped;
    start(&w);
    struct zone *zone = zone_from_file(&w, "example", 5);
    size_t count = 0;
    assert_int_equal(zone_journal_begin(w.journal), 0);
    for (; !zone_journal_is_long(zone); count++) {
        struct zone_change change;
        change_zone(&w, zone, count % 2 == 0 ? "a.example. A 192.0.2.1" : "- a.example. A 192.0.2.1",
                    &change);
        assert_int_equal(zone_journal_put(w.journal, zone, &change), 0);
        zone_change_done(&change);
        assert_true(count < 100000);
    }
    assert_true(zone->journal_octets > ZONE_JOURNAL_OCTETS_MIN);
    assert_int_equal(zone_journal_put_whole(w.journal, zone), 0);
    assert_int_equal(zone_journal_commit(w.journal), 0);
    assert_true(zone->journal_octets == 0 && !zone_journal_is_long(zone));
    keep(&w, zone, "z.example. A 192.0.2.1");
    uint32_t serial = zone_serial(zone);
    bool a = exists(zone, "a.example");
    size_t records = zone->record_count;
    zone_free(zone);
    struct query *rows;
    assert_int_equal(store_prepare(w.store, "SELECT COUNT(*) FROM zone_change", &rows), 0);
    assert_int_equal(query_step(rows), 1);
    assert_int_equal(query_integer(rows, 0), 2);
    query_free(rows);
    zone = zone_from_file(&w, "example", 5);
    assert_int_equal(replay(&w, &zone, &dropped, ""), 0);
    assert_int_equal(zone_serial(zone), serial);
    assert_int_equal(zone->record_count, records);
    assert_int_equal(exists(zone, "a.example"), a);
    assert_true(exists(zone, "z.example"));
    zone_free(zone);
    stop(&w);
}

static void a_row_that_was_tampered_with_is_refused(void **state UNUSED)
{
    struct world w;
    size_t dropped;
    start(&w);
    struct zone *zone = zone_from_file(&w, "example", 5);
    keep(&w, zone, "a.example. A 192.0.2.1");
    zone_free(zone);
    assert_int_equal(store_execute(w.store, "UPDATE zone_change SET added = x'0102'"), 0);
    zone = zone_from_file(&w, "example", 5);
    assert_int_equal(replay(&w, &zone, &dropped, "cannot be made again"), -EBADMSG);
    zone_free(zone);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_made_again),
        cmocka_unit_test(what_is_not_committed_was_not),
        cmocka_unit_test(a_file_that_does_not_fit_is_refused),
        cmocka_unit_test(when_there_are_many_the_zone_is_kept_whole),
        cmocka_unit_test(a_row_that_was_tampered_with_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

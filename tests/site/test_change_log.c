/* SPDX-License-Identifier: ISC */
/* test_change_log.c - changes in a file are read as they were, up to where it was cut or is wrong. */
#include "site/change_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "os/memory.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_record.h"

static struct heap heap;
static char path[64];

static void add(struct zone_change *change, enum zone_side side, const char *line)
{
    char reason[200];
    uint8_t rdata[512];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.ttl = 60};
    assert_true(dns_record_parse(bytes_of_text(line), &context, &w, &record, &error));
    assert_int_equal(zone_change_add(change, side, &record), ZONE_OK);
}

static struct zone_change change_from(uint32_t serial)
{
    struct zone_change change;
    char line[100];
    zone_change_init(&change, &heap, 4096);
    snprintf(line, sizeof line, "example. SOA ns.example. h.example. %u 1 2 3 4", serial);
    add(&change, ZONE_REMOVED, line);
    snprintf(line, sizeof line, "example. SOA ns.example. h.example. %u 1 2 3 4", serial + 1);
    add(&change, ZONE_ADDED, line);
    snprintf(line, sizeof line, "n%u.example. TXT \"what came\"", serial);
    add(&change, ZONE_ADDED, line);
    return change;
}

static void append(int log, uint32_t serial, uint64_t *octets)
{
    struct zone_change change = change_from(serial);
    assert_int_equal(change_log_append(log, &change, octets), 0);
    zone_change_done(&change);
}

struct seen {
    uint32_t next;
    unsigned count;
    unsigned stop_at; /* 0: never */
};

static int on_change(void *self, struct zone_change *change)
{
    struct seen *seen = self;
    struct zone_change want = change_from(seen->next);
    struct bytes a[ZONE_SIDE_COUNT], b[ZONE_SIDE_COUNT];
    zone_change_encode(change, a);
    zone_change_encode(&want, b);
    assert_true(bytes_equal(a[0], b[0]) && bytes_equal(a[1], b[1]));
    assert_int_equal(change->serial_from, seen->next);
    assert_int_equal(change->serial_to, seen->next + 1);
    zone_change_done(&want);
    seen->next++;
    return ++seen->count == seen->stop_at ? -ECANCELED : 0;
}

static unsigned read_from(uint32_t serial)
{
    struct seen seen = {.next = serial};
    assert_int_equal(change_log_read(path, &heap, on_change, &seen), 0);
    return seen.count;
}

static void what_is_appended_is_read(void **state UNUSED)
{
    struct zone_history *history = zone_history_new(&heap, 10000);
    uint64_t octets = 99;
    for (uint32_t i = 0; i < 2; i++) {
        struct zone_change change = change_from(0xfffffffe + i);
        zone_history_add(history, &change);
    }
    assert_int_equal(history->count, 2);
    assert_int_equal(change_log_open(path), -ENOENT);
    assert_int_equal(change_log_begin(path, history, &octets), 0);
    zone_history_free(history);
    int log = change_log_open(path);
    assert_true(log >= 0);
    uint64_t before = octets;
    append(log, 0, &octets);
    append(log, 1, &octets);
    assert_true(octets > before);
    close(log);
    assert_int_equal(read_from(0xfffffffe), 4);
    struct seen seen = {.next = 0xfffffffe, .stop_at = 3};
    assert_int_equal(change_log_read(path, &heap, on_change, &seen), -ECANCELED);
    assert_int_equal(seen.count, 3);
    assert_int_equal(change_log_begin(path, NULL, &octets), 0);
    assert_int_equal(octets, 8);
    assert_int_equal(read_from(0), 0);
    assert_int_equal(change_log_void(path), 0);
    assert_int_equal(change_log_read(path, &heap, on_change, &seen), -EBADMSG);
    unlink(path);
    assert_int_equal(change_log_read(path, &heap, on_change, &seen), -ENOENT);
}

/* At each length, and with each octet another one: what is before it is read, and nothing that is not so. */
static void a_log_is_read_up_to_where_it_is_wrong(void **state UNUSED)
{
    uint64_t octets;
    char *whole;
    size_t len;
    assert_int_equal(change_log_begin(path, NULL, &octets), 0);
    size_t ends[4] = {(size_t)octets};
    int log = change_log_open(path);
    for (uint32_t i = 0; i < 3; i++) {
        append(log, i, &octets);
        ends[i + 1] = (size_t)octets;
    }
    close(log);
    assert_int_equal(file_read(path, 10000, &whole, &len), 0);
    assert_int_equal(len, octets);
    for (size_t cut = ends[0]; cut <= len; cut++) {
        assert_int_equal(file_write(path, bytes_of(whole, cut), 0600), 0);
        CHECK_EQUAL("cut", read_from(0), cut == len ? 3 : cut >= ends[2] ? 2 : cut >= ends[1]);
    }
    for (size_t at = ends[0]; at < len; at++) {
        whole[at] ^= 0x10;
        assert_int_equal(file_write(path, bytes_of(whole, len), 0600), 0);
        CHECK_EQUAL("wrong", read_from(0), at >= ends[2] ? 2 : at >= ends[1]);
        whole[at] ^= 0x10;
    }
    free(whole);
    unlink(path);
}

int main(void)
{
    heap = memory_heap();
    snprintf(path, sizeof path, "/tmp/test_change_log.%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_read),
        cmocka_unit_test(a_log_is_read_up_to_where_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

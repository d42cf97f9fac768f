/* SPDX-License-Identifier: ISC */
/* test_zone_transfer.c - zones told whole (RFC 5936), and what ends that early. */
#include "proto/dns/zone_transfer.h"

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static struct counting_heap counts;
static struct zone_set *zones;

static void add(const char *line)
{
    uint8_t rdata[1024];
    char reason[200];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.ttl = 60};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &error))
        fail_msg("%s: %s", line, reason);
    CHECK_EQUAL(line, zone_add(zones, &record), ZONE_OK);
}

static int set_up(void **state UNUSED)
{
    counts = (struct counting_heap){0};
    struct heap heap = counting_heap(&counts);
    zones = zone_set_new(&heap, 10000);
    add("example. SOA ns.example. h.example. 1 2 3 4 30");
    add("example. NS ns.example.");
    add("example. RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. AAAA");
    add("b.a.example. A 192.0.2.1");
    add("d.example. NS ns.d.example.");
    add("ns.d.example. A 192.0.2.2");
    add("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 1 0 - "
        "2t7b4g4vsa5smi47k61mv5bv1a22bojr A");
    return 0;
}

static int tear_down(void **state UNUSED)
{
    zone_set_free(zones);
    return counts.blocks == 0 ? 0 : 1;
}

static unsigned start(struct zone_transfer *t, const struct answer_options *options,
                      const char *name, uint16_t type, const char *const *authority)
{
    uint8_t buffer[4096];
    uint8_t with[4096];
    static uint8_t reply[DNS_MESSAGE_MAX];
    struct answer_result result;
    struct answer_path path = {.stream = true, .size_max = DNS_UDP_SIZE_DEFAULT};
    struct dns_text_query query = {name, type, .id = 77, .edns = 1232};
    struct bytes message = dns_text_query(&query, buffer, sizeof buffer);
    answer(options, message, &path, reply, &result);
    assert_int_equal(result.rcode, DNS_REFUSED); /* it is for the caller to allow it */
    if (authority != NULL)
        message = dns_text_reply(message, 0, NULL, authority, with, sizeof with);
    return transfer_start(t, options, &result.query, message);
}

static void a_zone_comes_whole_between_two_soas(void **state UNUSED)
{
    static uint8_t buffer[TRANSFER_MESSAGE_MAX];
    char text[2000];
    struct zone_transfer t;
    struct answer_options options = {.zones = zones};
    struct bytes message;
    assert_int_equal(start(&t, &options, "example", DNS_AXFR, NULL), DNS_NOERROR);
    assert_int_equal(transfer_next(&t, 0, buffer, &message), TRANSFER_WHOLE);
    assert_string_equal(
        dns_text_of(message, text, sizeof text),
        "NOERROR aa; an example. 60 IN SOA ns.example. h.example. 7 2 3 4 30; an example. 60 IN NS "
        "ns.example.; an example. 60 IN RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. "
        "AAAA; an b.a.example. 60 IN A 192.0.2.1; an d.example. 60 IN NS ns.d.example.; an "
        "ns.d.example. 60 IN A 192.0.2.2; an 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 60 IN NSEC3 1 "
        "1 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A; an example. 60 IN SOA ns.example. h.example. 7 2 3 "
        "4 30; edns 1232");
}

/* Message by message, however the names fall: none is lost, none is told twice. */
static void large_zones_come_in_pieces(void **state UNUSED)
{
    static uint8_t buffer[TRANSFER_MESSAGE_MAX];
    for (unsigned i = 0; i < 1000; i++) {
        char line[100];
        snprintf(line, sizeof line, "example. TXT \"%060u\"", i);
        add(line);
        snprintf(line, sizeof line, "n%u.example. A 192.0.2.1", i);
        add(line);
    }
    struct zone_transfer t;
    struct answer_options options = {.zones = zones};
    struct bytes message;
    assert_int_equal(start(&t, &options, "example", DNS_AXFR, NULL), DNS_NOERROR);
    size_t records = 0;
    size_t messages = 0;
    enum transfer_status status;
    do {
        struct dns_cursor cursor;
        status = transfer_next(&t, 0, buffer, &message);
        assert_true(status != TRANSFER_BROKEN && message.len <= TRANSFER_MESSAGE_MAX);
        assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
        assert_int_equal(cursor.header.id, 77);
        records += cursor.header.counts[DNS_ANSWER];
        messages++;
    } while (status == TRANSFER_MORE);
    assert_int_equal(records, zone_set_count(zones) + 1);
    assert_true(messages > 3);
}

static void without_a_history_an_ixfr_is_whole_or_nothing(void **state UNUSED)
{
    static const char *const same[] = {"example. SOA . . 7 2 3 4 30", NULL};
    static const char *const older[] = {"example. SOA . . 6 2 3 4 30", NULL};
    static uint8_t buffer[TRANSFER_MESSAGE_MAX];
    struct zone_transfer t;
    struct answer_options options = {.zones = zones};
    struct bytes message;
    struct dns_cursor cursor;
    assert_int_equal(start(&t, &options, "example", DNS_IXFR, same), DNS_NOERROR);
    assert_int_equal(transfer_next(&t, 0, buffer, &message), TRANSFER_WHOLE);
    assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
    assert_int_equal(cursor.header.counts[DNS_ANSWER], 1);
    assert_int_equal(start(&t, &options, "example", DNS_IXFR, older), DNS_NOERROR);
    assert_int_equal(transfer_next(&t, 0, buffer, &message), TRANSFER_WHOLE);
    assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
    assert_int_equal(cursor.header.counts[DNS_ANSWER], 8);
}

static void only_a_zones_own_name_will_do(void **state UNUSED)
{
    struct zone_transfer t;
    struct heap heap = counting_heap(&counts);
    struct answer_options options = {.zones = zones};
    assert_int_equal(start(&t, &options, "a.example", DNS_AXFR, NULL), DNS_NOTAUTH);
    assert_int_equal(start(&t, &options, "other", DNS_AXFR, NULL), DNS_NOTAUTH);
    struct dns_name lost = dns_text_name("lost");
    struct zone *old;
    assert_int_equal(zone_set_install(zones, zone_new(&heap, &lost, 1), &old), ZONE_OK);
    assert_int_equal(start(&t, &options, "lost", DNS_AXFR, NULL), DNS_SERVFAIL);
    /* A view has what everybody has, too. */
    struct zone_set *view = zone_set_new(&heap, 10);
    struct answer_options seen = {.zones = view, .common = zones};
    assert_int_equal(start(&t, &seen, "example", DNS_AXFR, NULL), DNS_NOERROR);
    zone_set_free(view);
}

static void a_zone_that_changes_meanwhile_ends_it(void **state UNUSED)
{
    static uint8_t buffer[TRANSFER_MESSAGE_MAX];
    struct zone_transfer t;
    struct answer_options options = {.zones = zones};
    struct bytes message;
    assert_int_equal(start(&t, &options, "example", DNS_AXFR, NULL), DNS_NOERROR);
    add("new.example. A 192.0.2.1");
    assert_int_equal(transfer_next(&t, 0, buffer, &message), TRANSFER_BROKEN);
    assert_int_equal(start(&t, &options, "example", DNS_AXFR, NULL), DNS_NOERROR);
    struct dns_name name = dns_text_name("example");
    assert_true(zone_set_remove(zones, &name));
    assert_int_equal(transfer_next(&t, 0, buffer, &message), TRANSFER_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_zone_comes_whole_between_two_soas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_zones_come_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_history_an_ixfr_is_whole_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_a_zones_own_name_will_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zone_that_changes_meanwhile_ends_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

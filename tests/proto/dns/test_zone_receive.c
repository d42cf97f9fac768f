/* SPDX-License-Identifier: ISC */
/*
 * test_zone_receive.c - transfers out of messages (RFC 5936 §2.2, RFC 1995 §4), and the way there and back:
 * what one server tells of a zone that changes and changes is what the other one has in the end.
 */
#include "proto/dns/zone_receive.h"

#include "base/prng.h"
#include "proto/dns/zone_condense.h"
#include "proto/dns/zone_transfer.h"
#include "proto/dns/zone_write.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_serial.h"

static struct counting_heap counts;
static struct heap heap;

static int set_up(void **state UNUSED)
{
    counts = (struct counting_heap){0};
    heap = counting_heap(&counts);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    return counts.blocks == 0 ? 0 : 1;
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

struct dump {
    char *text;
    size_t len, size;
};

static void on_line(void *self, struct bytes line)
{
    struct dump *dump = self;
    assert_true(dump->len + line.len < dump->size);
    memcpy(dump->text + dump->len, line.data, line.len);
    dump->len += line.len;
    dump->text[dump->len] = '\0';
}

/* The zone as its file would be, written a few names at a time. */
static char *text_of_zone(const struct zone *zone)
{
    struct dump dump = {.text = calloc(1, 1 << 20), .size = 1 << 20};
    struct zone_write w;
    enum zone_write_status status;
    zone_write_start(&w, zone);
    do
        status = zone_write_step(&w, zone, 3, on_line, &dump);
    while (status == ZONE_WRITE_MORE);
    assert_int_equal(status, ZONE_WRITE_WHOLE);
    return dump.text;
}

/* ---- messages by hand: "|" ends one ---- */

static struct bytes message_of(const char *const **lines, uint8_t *buffer, size_t size)
{
    struct dns_builder b;
    struct dns_question question = {.type = DNS_IXFR, .class = DNS_IN};
    question.name = dns_text_name("example");
    dns_build_start(&b, buffer, size);
    assert_true(dns_build_question(&b, &question));
    dns_build_section(&b, DNS_ANSWER);
    for (; **lines != NULL && strcmp(**lines, "|") != 0; (*lines)++) {
        uint8_t rdata[512];
        struct dns_record record = parse(**lines, rdata, sizeof rdata);
        struct dns_build_record put = {&record.owner, record.type, DNS_IN, record.ttl,
                                       record.rdata};
        assert_true(dns_build_record(&b, &put));
    }
    *lines += **lines != NULL;
    return dns_build_finish(&b, 1, DNS_QR | DNS_AA);
}

#define SOA(n) "example. SOA ns h " n " 2 3 4 5"

static const struct {
    const char *name;
    bool incremental; /* from 5 */
    enum zone_receive_status want;
    const char *lines[16];
    const char *error; /* part of it */
} cases[] = {
    {"a whole zone", false, ZONE_RECEIVE_ZONE, {SOA("7"), "example. NS a", "|", "a.example. A 192.0.2.1", SOA("7")}, NULL},
    {"a SOA in each message", false, ZONE_RECEIVE_ZONE, {SOA("7"), "|", SOA("7")}, NULL},
    {"a whole zone in the place of a difference", true, ZONE_RECEIVE_ZONE, {SOA("7"), "example. NS a", SOA("7")}, NULL},
    {"a difference", true, ZONE_RECEIVE_CHANGES,
     {SOA("7"), SOA("5"), "a.example. A 192.0.2.1", SOA("7"), "b.example. A 192.0.2.1", SOA("7")}, NULL},
    {"two of them, in pieces", true, ZONE_RECEIVE_CHANGES,
     {SOA("7"), "|", SOA("5"), "|", "a.example. A 192.0.2.1", SOA("6"), "|", SOA("6"), SOA("7"), "|", SOA("7")}, NULL},
    {"nothing new", true, ZONE_RECEIVE_CURRENT, {SOA("5")}, NULL},
    {"something older", true, ZONE_RECEIVE_CURRENT, {SOA("4")}, NULL},
    {"something new of which nothing follows yet", true, ZONE_RECEIVE_MORE, {SOA("6")}, NULL},
    {"one SOA is no zone", false, ZONE_RECEIVE_MORE, {SOA("5")}, NULL},
    {"it must begin with a SOA", false, ZONE_RECEIVE_FAILED, {"example. NS a", SOA("7")}, "SOA record of the zone first"},
    {"of that zone", false, ZONE_RECEIVE_FAILED, {"a.example. SOA ns h 7 2 3 4 5"}, "a SOA record within"},
    {"no other zone's SOA is in it", false, ZONE_RECEIVE_FAILED, {SOA("7"), "a.example. SOA ns h 7 2 3 4 5"}, "within the zone"},
    {"a zone that changes meanwhile", false, ZONE_RECEIVE_FAILED, {SOA("7"), "example. NS a", SOA("8")}, "has changed during"},
    {"names of others", false, ZONE_RECEIVE_FAILED, {SOA("7"), "other. NS a", SOA("7")}, "other. NS: "},
    {"a difference to another version", true, ZONE_RECEIVE_FAILED, {SOA("7"), SOA("4"), SOA("7"), SOA("7")}, "do not have"},
    {"a gap", true, ZONE_RECEIVE_FAILED, {SOA("7"), SOA("5"), SOA("6"), SOA("7")}, "do not follow"},
    {"something after the end", false, ZONE_RECEIVE_FAILED, {SOA("7"), "example. NS a", SOA("7"), "example. NS b"}, "after the end"},
    {"an empty message", false, ZONE_RECEIVE_FAILED, {SOA("7"), "|", "|"}, "without records"},
    {"two CNAMEs at a name", false, ZONE_RECEIVE_FAILED, {SOA("7"), "a.example. CNAME b", "a.example. CNAME c", SOA("7")}, "a.example. CNAME"},
};

static enum zone_receive_status receive(struct zone_receive *r, const char *const *lines)
{
    enum zone_receive_status status = ZONE_RECEIVE_MORE;
    while (*lines != NULL && status == ZONE_RECEIVE_MORE) {
        uint8_t buffer[2048];
        struct bytes message = message_of(&lines, buffer, sizeof buffer);
        uint8_t *exact = exact_copy(message.data, message.len);
        status = zone_receive_message(r, bytes_of(exact, message.len));
        free(exact);
    }
    return status;
}

static void the_order_of_records(void **state UNUSED)
{
    struct dns_name name = dns_text_name("example");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone_receive_options options = {.heap = heap, .name = &name, .incremental = cases[i].incremental,
                                               .serial = 5, .records_max = 100, .octets_max = 10000,
                                               .change_octets_max = 10000};
        struct zone_receive *r = zone_receive_new(&options);
        enum zone_receive_status status = receive(r, cases[i].lines);
        if (status != cases[i].want)
            fail_msg("%s: %d, expected %d: %s", cases[i].name, (int)status, (int)cases[i].want, zone_receive_error(r));
        if (cases[i].error != NULL && strstr(zone_receive_error(r), cases[i].error) == NULL)
            fail_msg("%s: %s", cases[i].name, zone_receive_error(r));
        if (status == ZONE_RECEIVE_ZONE && i % 2 == 0)
            zone_free(zone_receive_take(r)); /* or it goes with the rest */
        zone_receive_free(r);
    }
}

static void bounds(void **state UNUSED)
{
    static const char *const whole[] = {SOA("7"), "example. NS a", "|", "a.example. A 192.0.2.1", SOA("7"), NULL};
    static const char *const change[] = {SOA("7"), SOA("5"), "a.example. A 192.0.2.1", SOA("7"), SOA("7"), NULL};
    struct dns_name name = dns_text_name("example");
    struct zone_receive_options options = {.heap = heap, .name = &name, .serial = 5, .records_max = 2,
                                           .octets_max = 10000, .change_octets_max = 200};
    struct zone_receive *r = zone_receive_new(&options);
    assert_int_equal(receive(r, whole), ZONE_RECEIVE_FAILED);
    zone_receive_free(r);
    options.records_max = 100;
    options.octets_max = 100;
    r = zone_receive_new(&options);
    assert_int_equal(receive(r, whole), ZONE_RECEIVE_FAILED);
    assert_non_null(strstr(zone_receive_error(r), "larger than it may be"));
    zone_receive_free(r);
    options.octets_max = 10000;
    options.incremental = true;
    r = zone_receive_new(&options);
    assert_int_equal(receive(r, change), ZONE_RECEIVE_FAILED);
    zone_receive_free(r);
    /* Without memory it fails, and nothing is lost. */
    for (size_t i = 1; i < 12; i++) {
        options.change_octets_max = 10000;
        counts.allocations = 0;
        counts.fail_at = i;
        r = zone_receive_new(&options);
        if (r != NULL)
            (void)receive(r, i % 2 == 0 ? whole : change);
        zone_receive_free(r);
    }
    counts.fail_at = 0;
}

/* ---- there and back ---- */

static struct zone *begin_zone(unsigned hosts)
{
    struct dns_name apex = dns_text_name("example");
    struct zone *zone = zone_new(&heap, &apex, 10000);
    uint8_t rdata[512];
    struct dns_record record = parse(SOA("100"), rdata, sizeof rdata);
    assert_int_equal(zone_put(zone, &record), ZONE_OK);
    record = parse("example. NS ns.example.", rdata, sizeof rdata);
    assert_int_equal(zone_put(zone, &record), ZONE_OK);
    for (unsigned i = 0; i < hosts; i++) {
        char line[100];
        snprintf(line, sizeof line, "h%u.sub.example. TXT \"%060u\"", i, i);
        record = parse(line, rdata, sizeof rdata);
        assert_int_equal(zone_put(zone, &record), ZONE_OK);
    }
    zone->history = zone_history_new(&heap, 1 << 20);
    return zone;
}

/* Is that record there? Few of them are at each name. */
static bool has(const struct zone *zone, const struct dns_record *record)
{
    struct zone_match match;
    zone_find_in(zone, &record->owner, &match);
    const struct rrset *rrset = match.node != NULL ? zone_rrset(match.node, record->type) : NULL;
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset != NULL && rrset_next(rrset, &place, &rdata))
        if (bytes_equal(rdata, record->rdata))
            return true;
    return false;
}

static void change_at_random(struct zone *zone, struct prng *prng)
{
    struct zone_change change;
    uint8_t rdata[512];
    char line[100];
    uint32_t serial = zone_serial(zone);
    zone_change_init(&change, &heap, 1 << 20);
    for (unsigned side = 0; side < 2; side++) {
        snprintf(line, sizeof line, "example. SOA ns h %u 2 3 4 5", (unsigned)(serial + side));
        struct dns_record record = parse(line, rdata, sizeof rdata);
        assert_int_equal(zone_change_add(&change, side == 0 ? ZONE_REMOVED : ZONE_ADDED, &record), ZONE_OK);
        bool used[20] = {false};
        for (unsigned i = 0; i < 4; i++) {
            unsigned host = prng_below(prng, 10);
            unsigned n = prng_below(prng, 2);
            snprintf(line, sizeof line, "r%u.example. A 192.0.2.%u", host, n);
            record = parse(line, rdata, sizeof rdata);
            if (used[2 * host + n] || has(zone, &record) != (side == 0))
                continue;
            used[2 * host + n] = true;
            assert_int_equal(zone_change_add(&change, side == 0 ? ZONE_REMOVED : ZONE_ADDED, &record), ZONE_OK);
        }
    }
    assert_int_equal(zone_change_commit(NULL, zone, &change), ZONE_OK);
    zone_change_done(&change);
}

static unsigned start(struct zone_transfer *t, const struct answer_options *options, uint32_t serial, bool stream,
                      struct bytes *message)
{
    static uint8_t buffer[4096], with[4096], reply[DNS_MESSAGE_MAX];
    char line[100];
    const char *authority[] = {line, NULL};
    struct answer_result result;
    struct answer_path path = {.stream = stream, .size_max = DNS_UDP_SIZE_DEFAULT};
    struct dns_text_query query = {"example", serial != 0 ? DNS_IXFR : DNS_AXFR, .id = 77, .edns = 1232};
    snprintf(line, sizeof line, "example. SOA ns h %u 2 3 4 5", (unsigned)serial);
    *message = dns_text_reply(dns_text_query(&query, buffer, sizeof buffer), 0, NULL, serial != 0 ? authority : NULL, with,
                              sizeof with);
    with[2] &= 0x7f; /* a query */
    answer(options, *message, &path, reply, &result);
    assert_int_equal(result.rcode, DNS_REFUSED);
    if (!stream) {
        static uint8_t datagram[DNS_UDP_SIZE_DEFAULT];
        return transfer_datagram(options, &result.query, *message, datagram, message);
    }
    return transfer_start(t, options, &result.query, *message);
}

/* The client's zone after a transfer; `messages` counts. */
static struct zone *fetch(const struct answer_options *options, struct zone *client, size_t *messages)
{
    static uint8_t buffer[TRANSFER_MESSAGE_MAX];
    struct dns_name name = dns_text_name("example");
    struct zone_transfer t;
    struct bytes message;
    struct zone_receive_options receive = {.heap = heap, .name = &name, .incremental = client != NULL,
                                           .serial = client != NULL ? zone_serial(client) : 0, .records_max = 10000,
                                           .octets_max = 1 << 20, .change_octets_max = 1 << 20};
    struct zone_receive *r = zone_receive_new(&receive);
    assert_int_equal(start(&t, options, receive.serial, true, &message), DNS_NOERROR);
    enum zone_receive_status status;
    do {
        enum transfer_status sent = transfer_next(&t, 0, buffer, &message);
        assert_true(sent != TRANSFER_BROKEN);
        status = zone_receive_message(r, message);
        (*messages)++;
        assert_int_equal(sent == TRANSFER_MORE, status == ZONE_RECEIVE_MORE);
    } while (status == ZONE_RECEIVE_MORE);
    transfer_end(&t);
    struct zone_change *change;
    switch (status) {
    case ZONE_RECEIVE_ZONE:
        zone_free(client);
        client = zone_receive_take(r);
        break;
    case ZONE_RECEIVE_CHANGES:
        while ((change = zone_receive_change(r)) != NULL)
            assert_int_equal(zone_change_commit(NULL, client, change), ZONE_OK);
        break;
    case ZONE_RECEIVE_CURRENT:
        break;
    case ZONE_RECEIVE_MORE:
    case ZONE_RECEIVE_FAILED:
        fail_msg("%s", zone_receive_error(r));
    }
    zone_receive_free(r);
    return client;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The records of a set are in no order. */
static void sort_lines(char *text)
{
    char *copy = strdup(text);
    char *lines[1000];
    size_t count = 0;
    for (char *line = strtok(copy, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(count < ARRAY_LEN(lines));
        lines[count++] = line;
    }
    qsort(lines, count, sizeof lines[0], compare_lines);
    for (size_t i = 0; i < count; i++)
        text += sprintf(text, "%s\n", lines[i]);
    free(copy);
}

static void check_same(const struct zone *a, const struct zone *b)
{
    char *x = text_of_zone(a);
    char *y = text_of_zone(b);
    sort_lines(x);
    sort_lines(y);
    assert_string_equal(x, y);
    free(x);
    free(y);
}

static void what_changes_is_there_in_the_end(void **state UNUSED)
{
    struct prng prng;
    struct zone_set *zones = zone_set_new(&heap, 10000);
    struct answer_options options = {.zones = zones};
    struct zone *zone = begin_zone(400);
    struct zone *client = NULL;
    struct zone *old;
    size_t messages = 0;
    prng_init_number(&prng, 7);
    assert_int_equal(zone_set_install(zones, zone, &old), ZONE_OK);
    client = fetch(&options, NULL, &messages);
    assert_true(messages > 1);
    check_same(zone, client);
    for (unsigned round = 0; round < 200; round++) {
        for (uint32_t n = prng_below(&prng, 8); n > 0; n--)
            change_at_random(zone, &prng);
        messages = 0;
        client = fetch(&options, client, &messages);
        assert_int_equal(messages, 1); /* by difference: the whole needs more */
        check_same(zone, client);
    }
    /* Who is too far behind gets the whole. */
    zone_history_clear(zone->history);
    change_at_random(zone, &prng);
    change_at_random(client, &prng);
    zone_free(client);
    client = begin_zone(3);
    messages = 0;
    client = fetch(&options, client, &messages);
    assert_true(messages > 1);
    check_same(zone, client);
    zone_free(client);
    zone_set_free(zones);
}

/* RFC 1995 §5: what comes and goes again is not told. */
static void changes_are_condensed(void **state UNUSED)
{
    static const char *const lines[][2] = {
        {NULL, "a.example. A 192.0.2.1"}, {"a.example. A 192.0.2.1", "b.example. A 192.0.2.1"}, {NULL, NULL},
        {"b.example. A 192.0.2.1", "a.example. A 192.0.2.1"}};
    static uint8_t buffer[TRANSFER_MESSAGE_MAX];
    char text[1000];
    struct zone_set *zones = zone_set_new(&heap, 10000);
    struct answer_options options = {.zones = zones};
    struct zone *zone = begin_zone(20);
    struct zone *old;
    assert_int_equal(zone_set_install(zones, zone, &old), ZONE_OK);
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        struct zone_change change;
        zone_change_init(&change, &heap, 1 << 20);
        for (unsigned side = 0; side < 2; side++) {
            uint8_t rdata[512];
            char line[100];
            snprintf(line, sizeof line, "example. SOA ns h %u 2 3 4 5", 100 + i + side);
            struct dns_record record = parse(line, rdata, sizeof rdata);
            assert_int_equal(zone_change_add(&change, side == 0 ? ZONE_REMOVED : ZONE_ADDED, &record), ZONE_OK);
            if (lines[i][side] == NULL)
                continue;
            record = parse(lines[i][side], rdata, sizeof rdata);
            assert_int_equal(zone_change_add(&change, side == 0 ? ZONE_REMOVED : ZONE_ADDED, &record), ZONE_OK);
        }
        assert_int_equal(zone_change_commit(NULL, zone, &change), ZONE_OK);
        zone_change_done(&change);
    }
    struct zone_transfer t;
    struct bytes message;
    assert_int_equal(start(&t, &options, 100, true, &message), DNS_NOERROR);
    assert_int_equal(transfer_next(&t, 0, buffer, &message), TRANSFER_WHOLE);
    transfer_end(&t);
    assert_string_equal(dns_text_of(message, text, sizeof text),
                        "NOERROR aa; an example. 60 IN SOA ns. h. 104 2 3 4 5; an example. 60 IN SOA ns. h. 100 2 3 4 5; "
                        "an example. 60 IN SOA ns. h. 104 2 3 4 5; an a.example. 60 IN A 192.0.2.1; "
                        "an example. 60 IN SOA ns. h. 104 2 3 4 5; edns 1232");
    /* By a datagram the same; and where it has no room, only the newest SOA (RFC 1995 §2). */
    assert_int_equal(start(&t, &options, 101, false, &message), DNS_NOERROR);
    assert_string_equal(dns_text_of(message, text, sizeof text),
                        "NOERROR aa; an example. 60 IN SOA ns. h. 104 2 3 4 5; an example. 60 IN SOA ns. h. 101 2 3 4 5; "
                        "an example. 60 IN SOA ns. h. 104 2 3 4 5; an example. 60 IN SOA ns. h. 104 2 3 4 5; edns 1232");
    assert_int_equal(start(&t, &options, 104, false, &message), DNS_NOERROR);
    assert_string_equal(dns_text_of(message, text, sizeof text),
                        "NOERROR aa; an example. 60 IN SOA ns. h. 104 2 3 4 5; edns 1232");
    assert_int_equal(start(&t, &options, 7, false, &message), DNS_NOERROR);
    assert_string_equal(dns_text_of(message, text, sizeof text),
                        "NOERROR aa; an example. 60 IN SOA ns. h. 104 2 3 4 5; edns 1232");
    /* Serial numbers are on a ring: this one is newer (RFC 1982). */
    assert_int_equal(start(&t, &options, 0x80000000, false, &message), DNS_NOERROR);
    zone_set_free(zones);
}

static void a_zone_that_changes_is_not_written(void **state UNUSED)
{
    struct prng prng;
    struct zone *zone = begin_zone(20);
    struct zone_write w;
    struct dump dump = {.text = calloc(1, 1 << 16), .size = 1 << 16};
    prng_init_number(&prng, 1);
    zone_write_start(&w, zone);
    assert_int_equal(zone_write_step(&w, zone, 3, on_line, &dump), ZONE_WRITE_MORE);
    change_at_random(zone, &prng);
    assert_int_equal(zone_write_step(&w, zone, 3, on_line, &dump), ZONE_WRITE_CHANGED);
    assert_int_equal(zone_write_step(&w, NULL, 3, on_line, &dump), ZONE_WRITE_CHANGED);
    free(dump.text);
    zone_free(zone);
}

/* Types in a list are long names for few octets. */
static void what_is_long_is_written_plainly(void **state UNUSED)
{
    struct dns_name apex = dns_text_name("example");
    struct zone *zone = begin_zone(0);
    uint8_t rdata[ZONE_RDATA_MAX];
    struct writer w = writer_of(rdata, sizeof rdata);
    dns_name_write(&w, &apex);
    for (unsigned window = 4; window < 100; window++) {
        write_u8(&w, (uint8_t)window);
        write_u8(&w, 32);
        for (unsigned i = 0; i < 32; i++)
            write_u8(&w, 0xff);
    }
    struct dns_record record = {.owner = apex, .type = DNS_NSEC, .class = DNS_IN, .ttl = 7, .rdata = writer_bytes(&w)};
    assert_int_equal(zone_put(zone, &record), ZONE_OK);
    char *text = text_of_zone(zone);
    char *line = strstr(text, "example. 7 IN TYPE47 \\# 3273 07657861");
    assert_non_null(line);
    uint8_t again[ZONE_RDATA_MAX];
    char reason[200];
    struct writer out = writer_of(again, sizeof again);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record read;
    struct dns_line_context context = {.ttl = 60};
    assert_true(dns_record_parse(bytes_of(line, strcspn(line, "\n")), &context, &out, &read, &error));
    assert_true(bytes_equal(read.rdata, record.rdata) && read.type == DNS_NSEC);
    free(text);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_of_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_changes_is_there_in_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_are_condensed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zone_that_changes_is_not_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_long_is_written_plainly, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_zone_update.c - every clause of RFC 2136 §3. */
#include "proto/dns/zone_update.h"

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static const char *const zone_lines[] = {
    "example. SOA ns.example. h.example. 7 2 3 4 30",
    "example. NS ns.example.",
    "example. NS ns2.example.",
    "ns.example. A 192.0.2.1",
    "a.example. A 192.0.2.2",
    "a.example. A 192.0.2.3",
    "a.example. TXT x",
    "mx.example. MX 10 Mail.Example.",
    "alias.example. CNAME a.example.",
    "old.example. DNAME new.example.",
    "x.empty.example. A 192.0.2.4",
    "keep.example. TXT x",
};

/* Lines of the update: "IN name [ttl] type rdata", "NONE name type rdata", "NONE name type", "ANY name
 * type"; "ttl=N" in front; "CH" is a class too. A type that is followed by "\\" has no RDATA. */
static const struct {
    const char *name;
    const char *prerequisites[4];
    const char *updates[5];
    unsigned want;
    const char *difference; /* but for the SOA records; NULL: nothing has changed */
    uint32_t serial;        /* 0: 8 if anything has changed */
} cases[] = {
    /* §3.2.1 to §3.2.5, by value of the table in §3.2.4 */
    {"3.2: TTL must be zero", {"ttl=1 ANY a.example A"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2: TTL must be zero, with a value", {"ttl=1 IN a.example A 192.0.2.2"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2: the name must be in the zone", {"ANY a.other A"}, {0}, DNS_NOTZONE, 0, 0},
    {"3.2: the class must be one of three", {"CH a.example TXT x"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2.1: ANY has no data", {"ANY a.example A 192.0.2.2"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2.1: the name is in use", {"ANY a.example ANY"}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.1: the name is not in use", {"ANY no.example ANY"}, {0}, DNS_NXDOMAIN, 0, 0},
    {"2.4.4: an empty non-terminal is not in use", {"ANY empty.example ANY"}, {0}, DNS_NXDOMAIN, 0, 0},
    {"3.2.1: the set exists", {"ANY a.example TXT"}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.1: the set does not exist", {"ANY a.example MX"}, {0}, DNS_NXRRSET, 0, 0},
    {"3.2.2: NONE has no data", {"NONE a.example A 192.0.2.9"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2.2: the name is in use and must not be", {"NONE A.Example ANY"}, {0}, DNS_YXDOMAIN, 0, 0},
    {"3.2.2: the name must not be in use", {"NONE no.example ANY"}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.2: the set exists and must not", {"NONE a.example A"}, {0}, DNS_YXRRSET, 0, 0},
    {"3.2.2: the set must not exist", {"NONE a.example MX"}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.3: the set is the same, in any order",
     {"IN a.example A 192.0.2.3", "IN a.example A 192.0.2.2"}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.3: told twice",
     {"IN a.example A 192.0.2.3", "IN a.example A 192.0.2.2", "IN a.example A 192.0.2.3"}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.3: the set has more", {"IN a.example A 192.0.2.3"}, {0}, DNS_NXRRSET, 0, 0},
    {"3.2.3: the set has less",
     {"IN a.example A 192.0.2.3", "IN a.example A 192.0.2.2", "IN a.example A 192.0.2.4"}, {0}, DNS_NXRRSET, 0, 0},
    {"3.2.3: the set has another", {"IN a.example TXT y"}, {0}, DNS_NXRRSET, 0, 0},
    {"3.2.3: the name has none", {"IN no.example A 192.0.2.3"}, {0}, DNS_NXRRSET, 0, 0},
    {"1.1.1: case of names in data", {"IN mx.example MX 10 mail.EXAMPLE."}, {0}, DNS_NOERROR, 0, 0},
    {"3.2.3: what no zone can have",
     {"IN a.example CNAME x.", "IN a.example A 192.0.2.2"}, {0}, DNS_NXRRSET, 0, 0},
    {"3.2: a type of questions only", {"ANY a.example AXFR"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2.3: data that are malformed", {"IN a.example A \\"}, {0}, DNS_FORMERR, 0, 0},
    {"3.2: one that fails spoils all, and nothing is changed", {"ANY a.example A", "NONE a.example A"},
     {"IN n.example A 192.0.2.9"}, DNS_YXRRSET, 0, 0},

    /* §3.4.1: prescan */
    {"3.4.1: the name must be in the zone", {0}, {"IN n.other A 192.0.2.9"}, DNS_NOTZONE, 0, 0},
    {"3.4.1: the class must be one of three", {0}, {"CH n.example TXT x"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: no meta types are added", {0}, {"IN n.example ANY \\"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: nor AXFR", {0}, {"IN n.example AXFR \\"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: data that are malformed", {0}, {"IN n.example A \\"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: ANY has a TTL", {0}, {"ttl=1 ANY a.example A"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: ANY has data", {0}, {"ANY a.example A 192.0.2.2"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: ANY of a meta type", {0}, {"ANY a.example MAILB"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: NONE has a TTL", {0}, {"ttl=1 NONE a.example A 192.0.2.2"}, DNS_FORMERR, 0, 0},
    {"3.4.1.2: NONE of type ANY", {0}, {"NONE a.example ANY"}, DNS_FORMERR, 0, 0},
    {"3.4.1: the last one spoils all", {0}, {"IN n.example A 192.0.2.9", "ttl=1 ANY a.example A"},
     DNS_FORMERR, 0, 0},

    /* §3.3: permission */
    {"3.3: a name that is not for him", {0}, {"IN keep.example A 192.0.2.9"}, DNS_REFUSED, 0, 0},
    {"3.3: after others", {0}, {"IN n.example A 192.0.2.9", "ANY keep.example TXT"}, DNS_REFUSED, 0, 0},
    {"3.3: all of a name, one type of which is not for him", {0}, {"ANY keep.example ANY"}, DNS_REFUSED, 0, 0},
    {"3.3: records that servers make", {0}, {"IN n.example NSEC a.example. A"}, DNS_REFUSED, 0, 0},

    /* §3.4.2.2: added */
    {"3.4.2.2: a record comes", {0}, {"IN n.example 30 A 192.0.2.9"}, DNS_NOERROR,
     "+ n.example. 30 IN A 192.0.2.9\n", 0},
    {"3.4.2.2: it joins a set", {0}, {"IN a.example 60 A 192.0.2.9"}, DNS_NOERROR,
     "+ a.example. 60 IN A 192.0.2.9\n", 0},
    {"3.4.2.2: it is there", {0}, {"IN a.example 60 A 192.0.2.2"}, DNS_NOERROR, NULL, 0},
    {"3.4.2.2: it is there in other letters", {0}, {"IN mx.example 60 MX 10 mail.example."}, DNS_NOERROR, NULL, 0},
    {"3.4.2.2: it is there with another TTL", {0}, {"IN mx.example 90 MX 10 Mail.Example."}, DNS_NOERROR,
     "- mx.example. 60 IN MX 10 Mail.Example.\n+ mx.example. 90 IN MX 10 Mail.Example.\n", 0},
    {"3.4.2.2: a TTL beyond all bounds is none (RFC 2181 §8)", {0}, {"ttl=4294967295 IN n.example A 192.0.2.9"},
     DNS_NOERROR, "+ n.example. 0 IN A 192.0.2.9\n", 0},
    {"3.4.2.2: a CNAME beside others is ignored", {0}, {"IN a.example CNAME x.example."}, DNS_NOERROR, NULL, 0},
    {"3.4.2.2: others beside a CNAME are ignored", {0}, {"IN alias.example A 192.0.2.9"}, DNS_NOERROR, NULL, 0},
    {"3.4.2.2: a CNAME takes the place of one", {0}, {"IN alias.example 60 CNAME b.example."}, DNS_NOERROR,
     "- alias.example. 60 IN CNAME a.example.\n+ alias.example. 60 IN CNAME b.example.\n", 0},
    {"3.4.2.2: so does a DNAME", {0}, {"IN old.example 60 DNAME newer.example."}, DNS_NOERROR,
     "- old.example. 60 IN DNAME new.example.\n+ old.example. 60 IN DNAME newer.example.\n", 0},
    {"3.4.2.2: a SOA that is newer", {0}, {"IN example 60 SOA ns.example. h.example. 20 2 3 4 30"},
     DNS_NOERROR, "", 20},
    {"3.4.2.2: a SOA that is older is ignored", {0}, {"IN example 60 SOA ns.example. h.example. 6 2 3 4 30"},
     DNS_NOERROR, NULL, 0},
    {"3.4.2.2: on the ring", {0}, {"IN example 60 SOA ns.example. h.example. 4000000000 2 3 4 30"},
     DNS_NOERROR, NULL, 0},
    {"3.4.2.2: a SOA elsewhere is ignored", {0}, {"IN n.example 60 SOA ns.example. h.example. 20 2 3 4 30"},
     DNS_NOERROR, NULL, 0},
    {"3.6: a SOA of the same number with other timers gets the next",
     {0}, {"IN example 60 SOA ns.example. h.example. 7 9 9 9 9"}, DNS_NOERROR, "", 8},
    {"3.6: a number of the requestor's own stays",
     {0}, {"IN n.example 60 A 192.0.2.9", "IN example 60 SOA ns.example. h.example. 20 2 3 4 30"},
     DNS_NOERROR, "+ n.example. 60 IN A 192.0.2.9\n", 20},

    /* §3.4.2.3: a set or a name goes */
    {"3.4.2.3: a set goes", {0}, {"ANY A.EXAMPLE A"}, DNS_NOERROR,
     "- a.example. 60 IN A 192.0.2.2\n- a.example. 60 IN A 192.0.2.3\n", 0},
    {"3.4.2.3: a set that is not there", {0}, {"ANY a.example MX"}, DNS_NOERROR, NULL, 0},
    {"3.4.2.3: a name goes", {0}, {"ANY a.example ANY"}, DNS_NOERROR,
     "- a.example. 60 IN A 192.0.2.2\n- a.example. 60 IN A 192.0.2.3\n- a.example. 60 IN TXT \"x\"\n", 0},
    {"3.4.2.3: a name that is not there", {0}, {"ANY no.example ANY"}, DNS_NOERROR, NULL, 0},
    {"3.4.2.3: SOA and NS of the zone stay", {0},
     {"IN example 60 TXT z", "ANY example SOA", "ANY example NS", "ANY example ANY"}, DNS_NOERROR, NULL, 0},

    /* §3.4.2.4: a record goes */
    {"3.4.2.4: a record goes", {0}, {"NONE a.example A 192.0.2.3"}, DNS_NOERROR,
     "- a.example. 60 IN A 192.0.2.3\n", 0},
    {"3.4.2.4: in other letters", {0}, {"NONE mx.example MX 10 mail.example."}, DNS_NOERROR,
     "- mx.example. 60 IN MX 10 Mail.Example.\n", 0},
    {"3.4.2.4: a record that is not there", {0}, {"NONE a.example A 192.0.2.99"}, DNS_NOERROR, NULL, 0},
    {"3.4.2.4: the SOA stays", {0}, {"NONE example SOA ns.example. h.example. 7 2 3 4 30"}, DNS_NOERROR, NULL, 0},
    {"3.4.2.4: the last NS stays", {0}, {"NONE example NS ns.example.", "NONE example NS ns2.example."},
     DNS_NOERROR, "- example. 60 IN NS ns.example.\n", 0},
    {"3.4.2.4: NS of others go", {0}, {"IN sub.example 60 NS ns.example.", "NONE sub.example NS ns.example."},
     DNS_NOERROR, NULL, 0},

    /* §3.4.2.6, §3.4.2.7: in order, and on what was done before */
    {"3.4.2: others take the place of a CNAME", {0}, {"ANY alias.example CNAME", "IN alias.example 60 A 192.0.2.9"},
     DNS_NOERROR, "- alias.example. 60 IN CNAME a.example.\n+ alias.example. 60 IN A 192.0.2.9\n", 0},
    {"3.4.2: the other way round it is ignored", {0},
     {"IN alias.example 60 A 192.0.2.9", "ANY alias.example CNAME"}, DNS_NOERROR,
     "- alias.example. 60 IN CNAME a.example.\n", 0},
    {"3.4.2: what came goes again", {0}, {"IN n.example 60 A 192.0.2.9", "ANY n.example ANY"}, DNS_NOERROR, NULL, 0},
    {"an update of nothing", {0}, {0}, DNS_NOERROR, NULL, 0},
};

static uint16_t class_of(struct bytes word)
{
    static const struct {
        const char *text;
        uint16_t class;
    } classes[] = {{"IN", DNS_IN}, {"ANY", DNS_CLASS_ANY}, {"NONE", DNS_CLASS_NONE}, {"CH", DNS_CH}};
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (bytes_equal(word, bytes_of_text(classes[i].text)))
            return classes[i].class;
    fail_msg("not a class");
    return 0;
}

static struct bytes word_of(struct bytes *rest)
{
    size_t len = bytes_find(*rest, ' ');
    struct bytes word = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len + 1);
    return word;
}

static void write_head(struct writer *w, const struct dns_name *owner, uint16_t type, uint16_t class,
                       uint32_t ttl)
{
    dns_name_write(w, owner);
    write_u16(w, type);
    write_u16(w, class);
    write_u32(w, ttl);
}

/* A name and a type alone. */
static bool write_bare(struct writer *w, struct bytes rest, uint16_t class, uint32_t ttl)
{
    struct bytes name = word_of(&rest);
    struct bytes type_word = word_of(&rest);
    struct dns_name owner;
    uint16_t type;
    bool no_data = rest.len == 0 || (rest.len == 1 && rest.data[0] == '\\');
    if (!no_data || !dns_type_parse(type_word, &type))
        return false;
    assert_true(dns_name_parse(name, NULL, &owner));
    write_head(w, &owner, type, class, ttl);
    write_u16(w, 0);
    return true;
}

static void write_line(struct writer *w, const char *line, uint32_t ttl)
{
    uint8_t rdata[512];
    char reason[200];
    struct bytes rest = bytes_of_text(line);
    struct bytes word = word_of(&rest);
    bool forced = bytes_equal(bytes_first(word, 4), bytes_of_text("ttl="));
    if (forced) {
        uint64_t number;
        assert_true(text_parse_number(bytes_after(word, 4), UINT32_MAX, &number));
        ttl = (uint32_t)number;
        word = word_of(&rest);
    }
    uint16_t class = class_of(word);
    if (write_bare(w, rest, class, class == DNS_IN || forced ? ttl : 0))
        return;
    struct writer r = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_line_context context = {.ttl = class == DNS_IN && !forced ? ttl : 0};
    struct dns_record record;
    if (!dns_record_parse(rest, &context, &r, &record, &error))
        fail_msg("%s: %s", line, reason);
    write_head(w, &record.owner, record.type, class, forced ? ttl : record.ttl);
    write_u16(w, (uint16_t)record.rdata.len);
    write_bytes(w, record.rdata);
}

static struct bytes message_of(const char *const *prerequisites, const char *const *updates,
                               uint8_t *buffer, size_t size)
{
    uint16_t counts[2] = {0, 0};
    while (prerequisites[counts[0]] != NULL)
        counts[0]++;
    while (updates[counts[1]] != NULL)
        counts[1]++;
    struct writer w = writer_of(buffer, size);
    struct dns_name zone = dns_text_name("example");
    write_u16(&w, 1);
    write_u16(&w, DNS_OPCODE_UPDATE << 11);
    write_u16(&w, 1);
    write_u16(&w, counts[0]);
    write_u16(&w, counts[1]);
    write_u16(&w, 0);
    dns_name_write(&w, &zone);
    write_u16(&w, DNS_SOA);
    write_u16(&w, DNS_IN);
    for (size_t i = 0; i < counts[0]; i++)
        write_line(&w, prerequisites[i], 0);
    for (size_t i = 0; i < counts[1]; i++)
        write_line(&w, updates[i], 60);
    assert_false(w.failed);
    return writer_bytes(&w);
}

static struct zone *zone_of(const struct heap *heap)
{
    struct dns_name apex = dns_text_name("example");
    struct zone *zone = zone_new(heap, &apex, 100);
    assert_non_null(zone);
    for (size_t i = 0; i < ARRAY_LEN(zone_lines); i++) {
        uint8_t rdata[512];
        char reason[200];
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_line_context context = {.ttl = 60};
        struct dns_record record;
        assert_true(dns_record_parse(bytes_of_text(zone_lines[i]), &context, &w, &record, &error));
        CHECK_EQUAL(zone_lines[i], zone_put(zone, &record), ZONE_OK);
    }
    return zone;
}

static bool may(void *self UNUSED, const struct dns_name *name, uint16_t type UNUSED)
{
    struct dns_name keep = dns_text_name("keep.example");
    return !dns_name_equal(name, &keep);
}

static struct zone_update update_of(struct zone *zone, struct bytes message)
{
    return (struct zone_update){.zone = zone, .message = message, .may = may};
}

static const char *difference_text(const struct zone_change *change, char *out, size_t size)
{
    struct text t = text_of(out, size);
    struct dns_record record;
    for (int side = 0; side < ZONE_SIDE_COUNT; side++)
        for (size_t place = 0; zone_change_next(change, side, &place, &record);) {
            if (record.type == DNS_SOA)
                continue;
            text_add(&t, side == ZONE_REMOVED ? "- " : "+ ");
            dns_record_format(&record, &t);
            text_add(&t, "\n");
        }
    assert_false(t.failed);
    return out;
}

static void check_case(size_t i, const struct heap *heap)
{
    static char text[4096];
    static uint8_t buffer[4096];
    const char *name = cases[i].name;
    struct zone *zone = zone_of(heap);
    struct bytes message =
        message_of(cases[i].prerequisites, cases[i].updates, buffer, sizeof buffer);
    uint8_t *exact = exact_copy(message.data, message.len);
    struct zone_update update = update_of(zone, bytes_of(exact, message.len));
    struct zone_edit edit;
    struct dns_summary summary;
    CHECK_EQUAL(name, dns_summarise(update.message, &summary), WIRE_OK);
    unsigned rcode = zone_update_run(&update, &edit);
    CHECK_EQUAL(name, rcode, cases[i].want);
    CHECK_EQUAL(name, zone_serial(zone), 7);
    if (rcode == DNS_NOERROR) {
        struct zone_change change;
        zone_change_init(&change, heap, 65536);
        CHECK_EQUAL(name, zone_edit_settle(&edit, &change), ZONE_OK);
        const char *want = cases[i].difference;
        CHECK_EQUAL(name, zone_change_octets(&change) == 0, want == NULL);
        if (want != NULL) {
            uint32_t serial = cases[i].serial != 0 ? cases[i].serial : 8;
            difference_text(&change, text, sizeof text);
            if (strcmp(text, want) != 0)
                fail_msg("%s:\n%sexpected\n%s", name, text, want);
            CHECK_EQUAL(name, change.serial_to, serial);
            CHECK_EQUAL(name, zone_edit_commit(&edit), ZONE_OK);
            CHECK_EQUAL(name, zone_serial(zone), serial);
        }
        zone_change_done(&change);
        zone_edit_done(&edit);
    }
    zone_free(zone);
    free(exact);
}

static void does_as_the_rfc_says(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        check_case(i, &heap);
        CHECK_EQUAL(cases[i].name, counts.blocks, 0);
    }
}

static void without_memory_it_is_a_failure_of_the_server(void **state UNUSED)
{
    static const char *const wanted[] = {"IN a.example A 192.0.2.3", "IN a.example A 192.0.2.2", NULL};
    static const char *const updates[] = {"IN n.example A 192.0.2.9", "ANY a.example A",
                                          "NONE mx.example MX 10 mail.example.", NULL};
    static uint8_t buffer[4096];
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *zone = zone_of(&heap);
    struct zone_update update =
        update_of(zone, message_of(wanted, updates, buffer, sizeof buffer));
    struct zone_edit edit;
    size_t blocks = counts.blocks;
    size_t tries = 0;
    for (;;) {
        counts.fail_at = counts.allocations + ++tries;
        unsigned rcode = zone_update_run(&update, &edit);
        if (rcode == DNS_NOERROR)
            break;
        assert_int_equal(rcode, DNS_SERVFAIL);
        assert_int_equal(counts.blocks, blocks);
    }
    assert_true(tries > 5);
    zone_edit_done(&edit);
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

static void a_zone_that_came_signed_is_left_alone(void **state UNUSED)
{
    static const char *const none[] = {NULL};
    static uint8_t buffer[4096];
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone *zone = zone_of(&heap);
    uint8_t rdata[512];
    char reason[200];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_line_context context = {.ttl = 60};
    struct dns_record record;
    assert_true(dns_record_parse(
        bytes_of_text("example. RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. AAAA"),
        &context, &w, &record, &error));
    assert_int_equal(zone_put(zone, &record), ZONE_OK);
    struct zone_update update = update_of(zone, message_of(none, none, buffer, sizeof buffer));
    struct zone_edit edit;
    assert_int_equal(zone_update_run(&update, &edit), DNS_REFUSED);
    update.resigned = true;
    assert_int_equal(zone_update_run(&update, &edit), DNS_NOERROR);
    zone_edit_done(&edit);
    /* Signed here: all of a name goes but for what the signer has made, and keys are his. */
    static const char *const all[] = {"ANY example ANY", NULL};
    static const char *const keys[] = {"ANY example DNSKEY", NULL};
    update.message = message_of(none, all, buffer, sizeof buffer);
    assert_int_equal(zone_update_run(&update, &edit), DNS_NOERROR);
    struct dns_name apex = dns_text_name("example");
    assert_non_null(zone_signatures(zone_edit_find(&edit, &apex), DNS_SOA));
    zone_edit_done(&edit);
    update.message = message_of(none, keys, buffer, sizeof buffer);
    assert_int_equal(zone_update_run(&update, &edit), DNS_REFUSED);
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

/* §3.1.1 */
static void the_zone_section_names_one_zone_by_its_soa(void **state UNUSED)
{
    static const char *const none[] = {NULL};
    uint8_t buffer[512];
    struct bytes message = message_of(none, none, buffer, sizeof buffer);
    assert_int_equal(zone_update_check_section(message), DNS_NOERROR);
    assert_int_equal(zone_update_check_section(bytes_first(message, message.len - 1)), DNS_FORMERR);
    buffer[message.len - 3] = DNS_NS;
    assert_int_equal(zone_update_check_section(message), DNS_FORMERR);
    buffer[message.len - 3] = DNS_SOA;
    buffer[5] = 2;
    assert_int_equal(zone_update_check_section(message), DNS_FORMERR);
    buffer[5] = 0;
    assert_int_equal(zone_update_check_section(message), DNS_FORMERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_as_the_rfc_says),
        cmocka_unit_test(without_memory_it_is_a_failure_of_the_server),
        cmocka_unit_test(a_zone_that_came_signed_is_left_alone),
        cmocka_unit_test(the_zone_section_names_one_zone_by_its_soa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

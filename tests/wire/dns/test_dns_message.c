/* SPDX-License-Identifier: ISC */
/* test_dns_message.c - messages read and built (RFC 1035 §4.1, RFC 6891). */
#include <stdio.h>

#include "tests/support/check.h"
#include "wire/dns/dns_message.h"

/* A reply as it was seen on a wire: www.example.com, a CNAME and its address, an NS, and OPT. */
static const char capture[] =
    "\x12\x34\x85\x80\x00\x01\x00\x02\x00\x01\x00\x01"
    "\3www\7example\3com\0\x00\x01\x00\x01"
    "\xc0\x0c\x00\x05\x00\x01\x00\x00\x0e\x10\x00\x06\3web\xc0\x10"
    "\xc0\x2d\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x0a"
    "\xc0\x10\x00\x02\x00\x01\x00\x00\x0e\x10\x00\x05\2ns\xc0\x10"
    "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x08\x00\x0a\x00\x04\x01\x02\x03\x04";
enum { CAPTURE_LEN = sizeof capture - 1 };

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    if (!dns_name_parse(bytes_of_text(text), NULL, &name))
        fail_msg("not a name: %s", text);
    return name;
}

static void reads_a_captured_reply(void **state UNUSED)
{
    uint8_t *copy = exact_copy(capture, CAPTURE_LEN);
    struct bytes message = bytes_of(copy, CAPTURE_LEN);
    struct dns_cursor cursor;
    assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
    assert_int_equal(cursor.header.id, 0x1234);
    assert_int_equal(cursor.header.flags, DNS_QR | DNS_AA | DNS_RD | DNS_RA);
    struct dns_question question;
    assert_true(dns_cursor_question(&cursor, &question));
    assert_int_equal(question.type, DNS_A);
    assert_false(dns_cursor_question(&cursor, &question));

    static const struct {
        const char *owner;
        uint16_t type;
        enum dns_section section;
        uint32_t ttl;
        const char *text;
    } want[] = {
        {"www.example.com.", DNS_CNAME, DNS_ANSWER, 3600, "web.example.com."},
        {"web.example.com.", DNS_A, DNS_ANSWER, 60, "192.0.2.10"},
        {"example.com.", DNS_NS, DNS_AUTHORITY, 3600, "ns.example.com."},
        {".", DNS_OPT, DNS_ADDITIONAL, 0x8000, "\\# 8 000a000401020304"},
    };
    struct dns_rr rr;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(dns_cursor_record(&cursor, &rr));
        char text[DNS_NAME_TEXT_MAX];
        assert_string_equal(dns_name_format(&rr.owner, text), want[i].owner);
        CHECK_EQUAL(want[i].owner, rr.type, want[i].type);
        CHECK_EQUAL(want[i].owner, rr.section, want[i].section);
        CHECK_EQUAL(want[i].owner, rr.ttl, want[i].ttl);
        uint8_t rdata[300];
        struct writer w = writer_of(rdata, sizeof rdata);
        CHECK_EQUAL(want[i].owner, dns_rdata_expand(rr.type, message, rr.rdata, &w), WIRE_OK);
        char rdata_text[300];
        struct text t = text_of(rdata_text, sizeof rdata_text);
        dns_rdata_format(rr.type, writer_bytes(&w), &t);
        assert_string_equal(rdata_text, want[i].text);
    }
    assert_false(dns_cursor_record(&cursor, &rr));
    assert_false(cursor.reader.failed);
    free(copy);
}

static void summarises_in_one_pass(void **state UNUSED)
{
    uint8_t *copy = exact_copy(capture, CAPTURE_LEN);
    struct dns_summary summary;
    assert_int_equal(dns_summarise(bytes_of(copy, CAPTURE_LEN), &summary), WIRE_OK);
    assert_int_equal(summary.question_end, 33);
    assert_true(summary.edns.present);
    assert_int_equal(summary.edns.udp_size, 1232);
    assert_true(summary.edns.dnssec_ok);
    struct bytes cookie;
    assert_true(dns_edns_option(&summary.edns, 10, &cookie));
    assert_true(bytes_equal(cookie, bytes_of("\1\2\3\4", 4)));
    assert_false(dns_edns_option(&summary.edns, 11, &cookie));
    free(copy);

    /* Cut anywhere, it is malformed, and truncated within the header. */
    for (size_t len = 0; len < CAPTURE_LEN; len++) {
        copy = exact_copy(capture, len);
        CHECK_EQUAL("cut", dns_summarise(bytes_of(copy, len), &summary),
                    len < DNS_HEADER_LEN ? WIRE_TRUNCATED : WIRE_MALFORMED);
        free(copy);
    }
}

#define QUERY(qd, ar) "\0\1\1\0\0" qd "\0\0\0\0\0" ar
#define A_ROOT "\0\0\1\0\1"

static const struct {
    const char *name;
    const char *in;
    size_t len;
    enum wire_status want;
} broken[] = {
    {"a plain query", QUERY("\1", "\0") A_ROOT, 17, WIRE_OK},
    {"octets after the end are ignored", QUERY("\1", "\0") A_ROOT "xyz", 20, WIRE_OK},
    {"no question", QUERY("\0", "\0"), 12, WIRE_MALFORMED},
    {"two questions, RFC 9619", QUERY("\2", "\0") A_ROOT A_ROOT, 22, WIRE_MALFORMED},
    {"OPT", QUERY("\1", "\1") A_ROOT "\0\0\51\2\0\0\0\0\0\0\0", 28, WIRE_OK},
    {"OPT that is not at the root", QUERY("\1", "\1") A_ROOT "\1a\0\0\51\2\0\0\0\0\0\0\0", 30,
     WIRE_MALFORMED},
    {"two OPT, RFC 6891 6.1.1",
     QUERY("\1", "\2") A_ROOT "\0\0\51\2\0\0\0\0\0\0\0\0\0\51\2\0\0\0\0\0\0\0", 39, WIRE_MALFORMED},
    {"an option that overruns", QUERY("\1", "\1") A_ROOT "\0\0\51\2\0\0\0\0\0\0\4\0\1\0\1", 32,
     WIRE_MALFORMED},
};

static void judges_queries(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        uint8_t *copy = exact_copy(broken[i].in, broken[i].len);
        struct dns_summary summary;
        CHECK_EQUAL(broken[i].name, dns_summarise(bytes_of(copy, broken[i].len), &summary),
                    broken[i].want);
        free(copy);
    }
}

/* Record text to what the builder takes. */
static bool add(struct dns_builder *b, const char *line)
{
    uint8_t buffer[1024];
    char reason[200];
    struct writer w = writer_of(buffer, sizeof buffer);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    if (!dns_record_parse(bytes_of_text(line), &(struct dns_line_context){.ttl = 60}, &w, &record,
                          &error))
        fail_msg("%s: %s", line, reason);
    return dns_build_record(b, &(struct dns_build_record){&record.owner, record.type, record.class,
                                                          record.ttl, record.rdata});
}

static void builds_what_was_captured(void **state UNUSED)
{
    uint8_t *buffer = malloc(CAPTURE_LEN);
    struct dns_builder b;
    dns_build_start(&b, buffer, CAPTURE_LEN);
    struct dns_question question = {name_of("www.example.com"), DNS_A, DNS_IN};
    assert_true(dns_build_question(&b, &question));
    dns_build_reserve(&b, DNS_OPT_LEN);
    dns_build_section(&b, DNS_ANSWER);
    assert_true(add(&b, "WWW.example.com. 3600 IN CNAME web.example.com."));
    assert_true(add(&b, "web.Example.com. 60 IN A 192.0.2.10"));
    dns_build_section(&b, DNS_AUTHORITY);
    assert_true(add(&b, "example.com. 3600 IN NS ns.example.com."));
    dns_build_reserve(&b, -DNS_OPT_LEN);
    struct dns_edns edns = {true, 0, 0, true, 1232, bytes_of("\0\12\0\4\1\2\3\4", 8)};
    assert_true(dns_build_edns(&b, &edns));
    struct bytes got = dns_build_finish(&b, 0x1234, DNS_QR | DNS_AA | DNS_RD | DNS_RA);
    assert_int_equal(got.len, CAPTURE_LEN);
    assert_memory_equal(got.data, capture, CAPTURE_LEN);
    free(buffer);
}

static void compresses_only_where_it_may(void **state UNUSED)
{
    static const struct {
        const char *line;
        size_t rdata_len;
    } cases[] = {
        {"a. 60 SOA ns.q.example. host.q.example. 1 2 3 4 5", 5 + 7 + 20},
        {"a. 60 MX 10 q.example.", 2 + 2},
        {"a. 60 SRV 1 2 3 q.example.", 6 + 11},
        {"a. 60 NAPTR 1 2 s s s q.example.", 4 + 6 + 11},
        {"a. 60 DNAME q.example.", 11},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t buffer[512];
        struct dns_builder b;
        dns_build_start(&b, buffer, sizeof buffer);
        struct dns_question question = {name_of("q.example"), DNS_A, DNS_IN};
        assert_true(dns_build_question(&b, &question));
        dns_build_section(&b, DNS_ANSWER);
        assert_true(add(&b, cases[i].line));
        struct dns_cursor cursor;
        assert_int_equal(dns_cursor_start(&cursor, dns_build_finish(&b, 1, DNS_QR)), WIRE_OK);
        struct dns_rr rr;
        assert_true(dns_cursor_record(&cursor, &rr));
        CHECK_EQUAL(cases[i].line, rr.rdata.len, cases[i].rdata_len);
    }
}

/* At every size: what fits is whole, what does not leaves no trace. */
static void never_writes_half_a_record(void **state UNUSED)
{
    for (size_t size = DNS_HEADER_LEN; size < 200; size++) {
        uint8_t *buffer = malloc(size);
        struct dns_builder b;
        dns_build_start(&b, buffer, size);
        struct dns_question question = {name_of("www.example.com"), DNS_A, DNS_IN};
        bool room = dns_build_question(&b, &question);
        dns_build_section(&b, DNS_ANSWER);
        unsigned written = 0;
        written += room && add(&b, "www.example.com. CNAME web.example.com.");
        written += room && add(&b, "web.example.com. A 192.0.2.1");
        written += room && add(&b, "web.example.com. TXT \"a text\"");
        struct bytes message = dns_build_finish(&b, 1, DNS_QR);
        assert_true(message.len <= size);
        struct dns_cursor cursor;
        assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
        assert_int_equal(cursor.header.counts[DNS_QUESTION], room);
        struct dns_rr rr;
        unsigned count = 0;
        while (dns_cursor_record(&cursor, &rr))
            count++;
        assert_false(cursor.reader.failed);
        assert_int_equal(count, written);
        assert_int_equal(reader_left(&cursor.reader), 0);
        free(buffer);
    }
}

static void goes_back_to_a_mark(void **state UNUSED)
{
    uint8_t buffer[512];
    struct dns_builder b;
    dns_build_start(&b, buffer, sizeof buffer);
    dns_build_section(&b, DNS_ANSWER);
    assert_true(add(&b, "a.example. A 192.0.2.1"));
    struct dns_mark mark = dns_build_mark(&b);
    size_t len = writer_len(&b.w);
    assert_true(add(&b, "b.other. A 192.0.2.2"));
    dns_build_back(&b, &mark);
    assert_int_equal(writer_len(&b.w), len);
    assert_int_equal(b.counts[DNS_ANSWER], 1);
    /* What was taken back must not be pointed at. */
    assert_true(add(&b, "c.other. A 192.0.2.3"));
    struct dns_cursor cursor;
    assert_int_equal(dns_cursor_start(&cursor, dns_build_finish(&b, 1, 0)), WIRE_OK);
    struct dns_rr rr;
    assert_true(dns_cursor_record(&cursor, &rr));
    assert_true(dns_cursor_record(&cursor, &rr));
    char text[DNS_NAME_TEXT_MAX];
    assert_string_equal(dns_name_format(&rr.owner, text), "c.other.");
}

/* Beyond 0x3fff no pointer can lead, and beyond the table names are written out. */
static void long_messages_stay_readable(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct dns_builder b;
    dns_build_start(&b, buffer, sizeof buffer);
    dns_build_section(&b, DNS_ANSWER);
    unsigned written = 0;
    for (unsigned i = 0; i < 1500; i++) {
        char line[100];
        snprintf(line, sizeof line, "host-%u.sub%u.example. PTR target-%u.example.", i, i % 7, i);
        written += add(&b, line);
    }
    assert_int_equal(written, 1500);
    struct dns_cursor cursor;
    struct bytes message = dns_build_finish(&b, 1, DNS_QR);
    assert_true(message.len > 0x4000);
    assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
    struct dns_rr rr;
    for (unsigned i = 0; i < 1500; i++) {
        char want[100];
        char text[DNS_NAME_TEXT_MAX];
        snprintf(want, sizeof want, "host-%u.sub%u.example.", i, i % 7);
        assert_true(dns_cursor_record(&cursor, &rr));
        assert_string_equal(dns_name_format(&rr.owner, text), want);
    }
}

static void no_pointer_leads_beyond_14_bits(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct dns_builder b;
    dns_build_start(&b, buffer, sizeof buffer);
    dns_build_section(&b, DNS_ANSWER);
    char line[5000];
    memcpy(line, ". TXT ", 6);
    for (size_t i = 6; i + 202 < sizeof line; i += 202) {
        memset(line + i, 'x', 201);
        memcpy(line + i + 201, " ", 2);
    }
    static uint8_t rdata[6000];
    struct writer w = writer_of(rdata, sizeof rdata);
    char reason[100];
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    assert_true(dns_record_parse(bytes_of_text(line), &(struct dns_line_context){0}, &w, &record,
                                 &error));
    while (writer_len(&b.w) <= 0x4000)
        assert_true(dns_build_record(&b, &(struct dns_build_record){&record.owner, record.type,
                                                                    record.class, 0, record.rdata}));
    size_t len = writer_len(&b.w);
    for (int i = 0; i < 2; i++) {
        assert_true(add(&b, "a.example. A 192.0.2.1"));
        assert_int_equal(writer_len(&b.w) - len, 11 + 14);
        len = writer_len(&b.w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_captured_reply),
        cmocka_unit_test(summarises_in_one_pass),
        cmocka_unit_test(judges_queries),
        cmocka_unit_test(builds_what_was_captured),
        cmocka_unit_test(compresses_only_where_it_may),
        cmocka_unit_test(never_writes_half_a_record),
        cmocka_unit_test(goes_back_to_a_mark),
        cmocka_unit_test(long_messages_stay_readable),
        cmocka_unit_test(no_pointer_leads_beyond_14_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

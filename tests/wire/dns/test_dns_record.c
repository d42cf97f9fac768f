/* SPDX-License-Identifier: ISC */
/* test_dns_record.c - RDATA on the wire and in master files (RFC 1035 §3.3, §5; RFC 3597). */
#include "tests/support/check.h"
#include "wire/dns/dns_record.h"

static bool parse(const char *line, uint8_t *buffer, size_t size, struct dns_record *out,
                  char *reason, size_t reason_size)
{
    struct dns_name origin;
    assert_true(dns_name_parse(bytes_of_text("home.arpa"), NULL, &origin));
    struct writer w = writer_of(buffer, size);
    struct text error = text_of(reason, reason_size);
    size_t len = strlen(line);
    uint8_t *copy = exact_copy(line, len);
    struct dns_line_context context = {&origin, &origin, 60};
    bool ok = dns_record_parse(bytes_of(copy, len), &context, &w, out, &error);
    free(copy);
    return ok;
}

static const struct {
    const char *in;
    const char *want;
} lines[] = {
    {"www A 192.0.2.1", "www.home.arpa. 60 IN A 192.0.2.1"},
    {"@ 1h IN NS ns", "home.arpa. 3600 IN NS ns.home.arpa."},
    {"www IN 1h30m CNAME gateway", "www.home.arpa. 5400 IN CNAME gateway.home.arpa."},
    {"www.example. 0 AAAA 2001:DB8::0:1", "www.example. 0 IN AAAA 2001:db8::1"},
    {"@ SOA ns hostmaster ( 1 2h 1d 4w\t60 ) ; the zone",
     "home.arpa. 60 IN SOA ns.home.arpa. hostmaster.home.arpa. 1 7200 86400 2419200 60"},
    {"1.2.0.192.in-addr.arpa. PTR www", "1.2.0.192.in-addr.arpa. 60 IN PTR www.home.arpa."},
    {"@ mx 10 mail", "home.arpa. 60 IN MX 10 mail.home.arpa."},
    {"@ TXT \"a b\" c \"\\\"\\;\\001;\"", "home.arpa. 60 IN TXT \"a b\" \"c\" \"\\\";\\001;\""},
    {"@ TXT \"\"", "home.arpa. 60 IN TXT \"\""},
    {"_imap._tcp SRV 0 1 143 mail", "_imap._tcp.home.arpa. 60 IN SRV 0 1 143 mail.home.arpa."},
    {"@ CAA 0 issue \"ca.example; policy=ev\"", "home.arpa. 60 IN CAA 0 issue \"ca.example; policy=ev\""},
    {"@ CAA 128 iodef \"\"", "home.arpa. 60 IN CAA 128 iodef \"\""},
    {"@ URI 10 1 \"http://www.home.arpa/\"", "home.arpa. 60 IN URI 10 1 \"http://www.home.arpa/\""},
    {"@ HINFO RFC8482 \"\"", "home.arpa. 60 IN HINFO \"RFC8482\" \"\""},
    {"@ NAPTR 1 2 u sip+E2U !^.*$!sip:a@b! .",
     "home.arpa. 60 IN NAPTR 1 2 \"u\" \"sip+E2U\" \"!^.*$!sip:a@b!\" ."},
    {"@ SSHFP 4 2 0123 abCD", "home.arpa. 60 IN SSHFP 4 2 0123abcd"},
    {"@ TLSA 3 1 1 00ff", "home.arpa. 60 IN TLSA 3 1 1 00ff"},
    {"@ TYPE65280 \\# 3 00ff1 0", "home.arpa. 60 IN TYPE65280 \\# 3 00ff10"},
    {"@ TYPE65280 \\# 0", "home.arpa. 60 IN TYPE65280 \\# 0"},
    {"@ A \\# 4 c0000201", "home.arpa. 60 IN A 192.0.2.1"},
    {"@ TYPE1 192.0.2.1", "home.arpa. 60 IN A 192.0.2.1"},
    {"@ AAAA \\# 16 00000000000000000000ffffc0000201",
     "home.arpa. 60 IN AAAA \\# 16 00000000000000000000ffffc0000201"},
    {" A 192.0.2.1", "home.arpa. 60 IN A 192.0.2.1"},
    {"v CH TXT x", "v.home.arpa. 60 CH TXT \"x\""},
    {"v CLASS42 5 TXT x", "v.home.arpa. 5 CLASS42 TXT \"x\""},
    {"a\\.b A 192.0.2.1", "a\\.b.home.arpa. 60 IN A 192.0.2.1"},
};

static void reads_and_writes_lines(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        uint8_t buffer[512];
        char reason[200];
        struct dns_record record;
        if (!parse(lines[i].in, buffer, sizeof buffer, &record, reason, sizeof reason))
            fail_msg("%s: %s", lines[i].in, reason);
        CHECK(lines[i].in, dns_rdata_valid(record.type, record.rdata));
        char printed[2000];
        struct text t = text_of(printed, sizeof printed);
        dns_record_format(&record, &t);
        assert_string_equal(printed, lines[i].want);

        /* What is printed is read as the same record. */
        uint8_t again_buffer[512];
        struct dns_record again;
        CHECK(printed, parse(printed, again_buffer, sizeof again_buffer, &again, reason, 200));
        CHECK(printed, dns_name_same(&again.owner, &record.owner));
        CHECK(printed, bytes_equal(again.rdata, record.rdata));
        CHECK_EQUAL(printed, again.type, record.type);
        CHECK_EQUAL(printed, again.class, record.class);
        CHECK_EQUAL(printed, again.ttl, record.ttl);
    }
}

static const struct {
    const char *in;
    const char *reason;
} errors[] = {
    {"", "no owner name"},
    {"; nothing", "no owner name"},
    {"www", "no record type"},
    {"www 60 IN", "no record type"},
    {"www QQ 1", "not a record type: \"QQ\""},
    {"www ANY x", "not a type that a zone can hold: \"ANY\""},
    {"www OPT \\# 0", "not a type that a zone can hold: \"OPT\""},
    {"www 60 60 A 192.0.2.1", "not a record type: \"60\""},
    {"www IN IN A 192.0.2.1", "not a record type: \"IN\""},
    {"www A", "fields are missing"},
    {"www A 192.0.2.256", "not an IPv4 address: \"192.0.2.256\""},
    {"www A 2001:db8::1", "not an IPv4 address: \"2001:db8::1\""},
    {"www AAAA 192.0.2.1", "not an IPv6 address: \"192.0.2.1\""},
    {"www A 192.0.2.1 192.0.2.2", "more than the type has fields"},
    {"a..b A 192.0.2.1", "not a domain name: \"a..b\""},
    {"www MX 65536 mail", "not a number, or too large: \"65536\""},
    {"www MX mail 10", "not a number, or too large: \"mail\""},
    {"www TXT \"open", "an open quote or escape"},
    {"www TXT a\\", "an open quote or escape"},
    {"www TXT \\300", "a broken escape: \"\\300\""},
    {"www CAA 0 is-sue x", "not a valid record of that type"},
    {"www SSHFP 1 1 012", "an odd number of hexadecimal digits"},
    {"www SSHFP 1 1 0g", "not hexadecimal: \"0g\""},
    {"www TYPE65280 abc", "a type without a form of its own is written \\# length hex"},
    {"www TYPE65280 \\# 2 00", "the length does not agree with the octets"},
    {"www A \\# 3 000000", "not the wire form of that type"},
    {"www A \\#", "a length must follow \\#"},
    {"www 2147483648 A 192.0.2.1", "the TTL is too large"},
    {"@ SOA ns hostmaster 1 2x 3 4 5", "not a time in seconds: \"2x\""},
};

static void says_what_is_wrong(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        uint8_t buffer[512];
        char reason[200];
        struct dns_record record = {.type = 12345};
        CHECK(errors[i].in, !parse(errors[i].in, buffer, sizeof buffer, &record, reason, 200));
        assert_string_equal(reason, errors[i].reason);
        CHECK_EQUAL(errors[i].in, record.type, 12345);
    }
    uint8_t small[3];
    char reason[200];
    struct dns_record record;
    assert_false(parse("www A 192.0.2.1", small, sizeof small, &record, reason, 200));
    assert_string_equal(reason, "record too long");
}

static void a_string_holds_255_octets(void **state UNUSED)
{
    char line[300] = "@ TXT ";
    uint8_t buffer[512];
    char reason[400];
    struct dns_record record;
    memset(line + 6, 'a', 255);
    assert_true(parse(line, buffer, sizeof buffer, &record, reason, sizeof reason));
    assert_int_equal(record.rdata.len, 256);
    line[6 + 255] = 'a';
    assert_false(parse(line, buffer, sizeof buffer, &record, reason, sizeof reason));
    assert_memory_equal(reason, "a string of more than 255 octets", 32);
}

static const struct {
    const char *name;
    uint16_t type;
    const char *in;
    size_t len;
    bool want;
} rdata_cases[] = {
    {"A", DNS_A, "\1\2\3\4", 4, true},
    {"A of three octets", DNS_A, "\1\2\3", 3, false},
    {"A of five octets", DNS_A, "\1\2\3\4\5", 5, false},
    {"NS", DNS_NS, "\1a", 3, true},
    {"NS with something behind", DNS_NS, "\1a\0\0", 4, false},
    {"NS with a pointer", DNS_NS, "\300\14", 2, false},
    {"TXT without a string", DNS_TXT, "", 0, false},
    {"TXT of an empty string", DNS_TXT, "\0", 1, true},
    {"TXT that overruns", DNS_TXT, "\1a\2b", 4, false},
    {"CAA with an empty tag", DNS_CAA, "\0\0x", 3, false},
    {"CAA with an empty value", DNS_CAA, "\0\1a", 3, true},
    {"an unknown type takes anything", 65280, "\0\1a", 3, true},
    {"MX cut", DNS_MX, "\0", 1, false},
    {"SOA cut in its numbers", DNS_SOA, "\0\0\1\2\3\4\5", 7, false},
};

static void checks_rdata(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(rdata_cases); i++) {
        uint8_t *copy = exact_copy(rdata_cases[i].in, rdata_cases[i].len);
        struct bytes rdata = bytes_of(copy, rdata_cases[i].len);
        CHECK_EQUAL(rdata_cases[i].name, dns_rdata_valid(rdata_cases[i].type, rdata),
                    rdata_cases[i].want);
        free(copy);
    }
}

static void expands_compressed_names(void **state UNUSED)
{
    /* SRV may not be compressed, but is taken so from those who do (RFC 3597 §4). */
    static const uint8_t message[] = "............\1a\1b\0\0\1\0\2\0\3\1x\300\14";
    struct bytes rdata = bytes_of(message + 17, 10);
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    assert_int_equal(dns_rdata_expand(DNS_SRV, bytes_of(message, 27), rdata, &w), WIRE_OK);
    struct bytes got = writer_bytes(&w);
    assert_true(bytes_equal(got, bytes_of("\0\1\0\2\0\3\1x\1a\1b\0", 13)));
    struct dns_name target;
    assert_true(dns_rdata_target(DNS_SRV, got, &target));
    char text[DNS_NAME_TEXT_MAX];
    assert_string_equal(dns_name_format(&target, text), "x.a.b.");
    assert_false(dns_rdata_target(DNS_A, bytes_of("\1\2\3\4", 4), &target));

    w = writer_of(out, 12);
    assert_int_equal(dns_rdata_expand(DNS_SRV, bytes_of(message, 27), rdata, &w), WIRE_NO_ROOM);
    assert_int_equal(writer_len(&w), 0);
    w = writer_of(out, sizeof out);
    assert_int_equal(dns_rdata_expand(DNS_NS, bytes_of(message, 27), bytes_empty(), &w),
                     WIRE_MALFORMED);
    w = writer_of(out, sizeof out);
    assert_int_equal(dns_rdata_expand(DNS_A, bytes_of(message, 27), bytes_of(message, 5), &w),
                     WIRE_MALFORMED);
    rdata = bytes_of(message + 17, 9);
    w = writer_of(out, sizeof out);
    assert_int_equal(dns_rdata_expand(DNS_SRV, bytes_of(message, 27), rdata, &w), WIRE_MALFORMED);
}

static void names_types(void **state UNUSED)
{
    char text[DNS_TYPE_TEXT_MAX];
    uint16_t type;
    assert_string_equal(dns_type_format(DNS_AAAA, text), "AAAA");
    assert_string_equal(dns_type_format(DNS_ANY, text), "ANY");
    assert_string_equal(dns_type_format(65280, text), "TYPE65280");
    assert_true(dns_type_parse(bytes_of_text("aaaa"), &type));
    assert_int_equal(type, DNS_AAAA);
    assert_true(dns_type_parse(bytes_of_text("type257"), &type));
    assert_int_equal(type, DNS_CAA);
    assert_false(dns_type_parse(bytes_of_text("TYPE65536"), &type));
    assert_false(dns_type_parse(bytes_of_text("TYPE"), &type));
    assert_false(dns_type_parse(bytes_of_text(""), &type));
    assert_false(dns_type_is_data(DNS_AXFR));
    assert_true(dns_type_is_data(DNS_CAA));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_lines),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(a_string_holds_255_octets),
        cmocka_unit_test(checks_rdata),
        cmocka_unit_test(expands_compressed_names),
        cmocka_unit_test(names_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

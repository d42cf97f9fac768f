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
    struct dns_error error = dns_error_of(reason, reason_size);
    size_t len = strlen(line);
    uint8_t *copy = exact_copy(line, len);
    struct dns_line_context context = {.origin = &origin, .owner = &origin, .ttl = 60};
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
    /* RFC 4034 §2.3, §3.3, §4.3, §5.4 (keys and signatures shortened). */
    {"@ DNSKEY 256 3 5 ( AQPSKmyn fw== )", "home.arpa. 60 IN DNSKEY 256 3 5 AQPSKmynfw=="},
    {"host RRSIG A 5 3 86400 20030322173103 ( 20030220173103 2642 example.com. oJB1W6WN )",
     "host.home.arpa. 60 IN RRSIG A 5 3 86400 20030322173103 20030220173103 2642 example.com. "
     "oJB1W6WN"},
    {"host RRSIG TYPE1234 8 3 3600 0 4294967295 1 . AA==",
     "host.home.arpa. 60 IN RRSIG TYPE1234 8 3 3600 19700101000000 21060207062815 1 . AA=="},
    {"alfa NSEC host.example.com. ( A MX RRSIG NSEC TYPE1234 )",
     "alfa.home.arpa. 60 IN NSEC host.example.com. A MX RRSIG NSEC TYPE1234"},
    {"dskey DS 60485 5 1 ( 2BB183AF5F22588179A53B0A 98631FAD1A292118 )",
     "dskey.home.arpa. 60 IN DS 60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"},
    /* RFC 5155 appendix A. */
    {"0p9 NSEC3 1 1 12 aabbccdd ( 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG )",
     "0p9.home.arpa. 60 IN NSEC3 1 1 12 aabbccdd 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR "
     "NS SOA MX RRSIG DNSKEY NSEC3PARAM"},
    {"0p9 NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
     "0p9.home.arpa. 60 IN NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"},
    {"@ NSEC3PARAM 1 0 0 -", "home.arpa. 60 IN NSEC3PARAM 1 0 0 -"},
    {"@ CDS 0 0 0 00", "home.arpa. 60 IN CDS 0 0 0 00"},
    {"@ CDNSKEY 0 3 0 AA==", "home.arpa. 60 IN CDNSKEY 0 3 0 AA=="},
    {"@ OPENPGPKEY AQID", "home.arpa. 60 IN OPENPGPKEY AQID"},
    {"@ CSYNC 66 3 A NS AAAA", "home.arpa. 60 IN CSYNC 66 3 A NS AAAA"},
    {"@ ZONEMD 2018031500 1 1 FEBE3D4CE2EC2FFA", "home.arpa. 60 IN ZONEMD 2018031500 1 1 febe3d4ce2ec2ffa"},
    {"@ RP hostmaster .", "home.arpa. 60 IN RP hostmaster.home.arpa. ."},
    {"@ SMIMEA 3 0 0 0a", "home.arpa. 60 IN SMIMEA 3 0 0 0a"},
    /* RFC 1876 §4 and its defaults. */
    {"cambridge LOC 42 21 54 N 71 06 18 W -24m 30m",
     "cambridge.home.arpa. 60 IN LOC 42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m"},
    {"loiosh LOC 42 21 43.952 N 71 5 6.344 W -24m 1m 200m",
     "loiosh.home.arpa. 60 IN LOC 42 21 43.952 N 71 5 6.344 W -24.00m 1.00m 200.00m 10.00m"},
    {"pipex LOC 52 14 05 N 00 08 50 E 10m",
     "pipex.home.arpa. 60 IN LOC 52 14 5.000 N 0 8 50.000 E 10.00m 1.00m 10000.00m 10.00m"},
    {"rwy LOC 90 S 180 E 42849672.95 90000000.00m 0 0.05",
     "rwy.home.arpa. 60 IN LOC 90 0 0.000 S 180 0 0.000 E 42849672.95m 90000000.00m 0.00m 0.05m"},
    /* RFC 9460 appendix D. */
    {"@ HTTPS 0 foo.example.com.", "home.arpa. 60 IN HTTPS 0 foo.example.com."},
    {"@ SVCB 1 .", "home.arpa. 60 IN SVCB 1 ."},
    {"@ SVCB 16 foo.example.com. port=53", "home.arpa. 60 IN SVCB 16 foo.example.com. port=53"},
    {"@ SVCB 1 foo key667=hello", "home.arpa. 60 IN SVCB 1 foo.home.arpa. key667=\"hello\""},
    {"@ SVCB 1 foo key667=\"hello\\210qoo\"",
     "home.arpa. 60 IN SVCB 1 foo.home.arpa. key667=\"hello\\210qoo\""},
    {"@ SVCB 1 foo ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
     "home.arpa. 60 IN SVCB 1 foo.home.arpa. ipv6hint=2001:db8::1,2001:db8::53:1"},
    {"@ SVCB 16 foo ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )",
     "home.arpa. 60 IN SVCB 16 foo.home.arpa. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" "
     "ipv4hint=192.0.2.1"},
    {"@ SVCB 16 foo alpn=\"f\\\\\\\\oo\\\\,bar,h2\"",
     "home.arpa. 60 IN SVCB 16 foo.home.arpa. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {"@ SVCB 16 foo alpn=f\\\\\\092oo\\092,bar,h2",
     "home.arpa. 60 IN SVCB 16 foo.home.arpa. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {"@ HTTPS 1 . no-default-alpn alpn=h3 ech=AEn+DQ== dohpath=\"/q{?dns}\" ohttp",
     "home.arpa. 60 IN HTTPS 1 . alpn=\"h3\" no-default-alpn ech=AEn+DQ== dohpath=\"/q{?dns}\" ohttp"},
    {"@ SVCB \\# 23 000100000600100000000000000000 0000ffffc0000201",
     "home.arpa. 60 IN SVCB \\# 23 0001000006001000000000000000000000ffffc0000201"},
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
    {"@ DNSKEY 256 3 5 AQPSKmynf", "base64 that is cut off"},
    {"@ DNSKEY 256 3 5 AQP=Kmyn", "not base64: \"AQP=Kmyn\""},
    {"@ DNSKEY 256 3 5 AR==", "base64 that is cut off"},
    {"@ RRSIG AX 5 3 60 0 0 1 . AA==", "not a record type: \"AX\""},
    {"@ RRSIG A 5 3 60 20030229000000 0 1 . AA==", "not a date as YYYYMMDDHHmmSS: \"20030229000000\""},
    {"@ RRSIG A 5 3 60 4294967296 0 1 . AA==", "not a date as YYYYMMDDHHmmSS: \"4294967296\""},
    {"@ NSEC . A XX", "not a record type: \"XX\""},
    {"@ NSEC3 1 0 0 abc 2t7b4g4v A", "not a salt in hexadecimal, or \"-\": \"abc\""},
    {"@ NSEC3 1 0 0 - w A", "not a hash in base32hex: \"w\""},
    {"@ LOC 91 N 0 E 0", "not a latitude as \"52 22 23.000 N\""},
    {"@ LOC 9 60 N 0 E 0", "not a latitude as \"52 22 23.000 N\""},
    {"@ LOC 9 N 0 X 0", "not a longitude as \"4 53 32.000 E\""},
    {"@ LOC 9 N 0 E -100000.01m", "not an altitude as \"-2.00m\""},
    {"@ LOC 9 N 0 E 0 1x", "not a length in metres: \"1x\""},
    /* RFC 9460 appendix D.3. */
    {"@ SVCB 1 foo key123=abc key123=def", "a service parameter comes twice: \"key123=def\""},
    {"@ SVCB 1 foo mandatory", "not a value for that service parameter: \"mandatory\""},
    {"@ SVCB 1 foo alpn", "not a value for that service parameter: \"alpn\""},
    {"@ SVCB 1 foo port", "not a value for that service parameter: \"port\""},
    {"@ SVCB 1 foo ipv4hint=", "not a value for that service parameter: \"ipv4hint\""},
    {"@ SVCB 1 foo ipv6hint=192.0.2.1", "not a value for that service parameter: \"ipv6hint\""},
    {"@ SVCB 1 foo no-default-alpn=abc",
     "not a value for that service parameter: \"no-default-alpn\""},
    {"@ SVCB 1 foo mandatory=key123", "not a valid record of that type"},
    {"@ SVCB 1 foo mandatory=mandatory", "not a value for that service parameter: \"mandatory\""},
    {"@ SVCB 1 foo mandatory=alpn,alpn alpn=h2",
     "not a value for that service parameter: \"mandatory\""},
    {"@ SVCB 1 foo no-default-alpn", "not a valid record of that type"},
    {"@ SVCB 1 foo key065=x", "not a service parameter as \"port=443\": \"key065=x\""},
    {"@ SVCB 1 foo key65535=x", "not a service parameter as \"port=443\": \"key65535=x\""},
    {"@ SVCB 1 foo ports=1", "not a service parameter as \"port=443\": \"ports=1\""},
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
    {"NSEC with two windows", DNS_NSEC, "\0\0\1\100\1\1\100", 7, true},
    {"NSEC with windows in the wrong order", DNS_NSEC, "\0\1\1\100\0\1\100", 7, false},
    {"NSEC with a window twice", DNS_NSEC, "\0\0\1\100\0\1\100", 7, false},
    {"NSEC with an empty window", DNS_NSEC, "\0\0\0", 3, false},
    {"NSEC with a zero octet at a window's end", DNS_NSEC, "\0\0\2\100\0", 5, false},
    {"NSEC that overruns", DNS_NSEC, "\0\0\2\100", 4, false},
    {"NSEC3 without a hash", DNS_NSEC3, "\1\0\0\0\0\0", 6, false},
    {"NSEC3 without types", DNS_NSEC3, "\1\0\0\0\0\1x", 7, true},
    {"LOC of another version", DNS_LOC, "\1\22\26\23\200\0\0\0\200\0\0\0\0\0\0\0", 16, false},
    {"LOC with a digit above nine", DNS_LOC, "\0\242\26\23\200\0\0\0\200\0\0\0\0\0\0\0", 16, false},
    {"LOC beyond the pole", DNS_LOC, "\0\22\26\23\300\0\0\0\200\0\0\0\0\0\0\0", 16, false},
    {"SVCB with keys in the wrong order", DNS_SVCB, "\0\1\0\2\2\0\0\2\1\0\0", 11, false},
    {"SVCB with a key twice", DNS_SVCB, "\0\1\0\2\1\0\0\2\1\0\0", 11, false},
    {"SVCB with a port of one octet", DNS_SVCB, "\0\1\0\0\3\0\1\1", 8, false},
    {"SVCB that overruns", DNS_SVCB, "\0\1\0\2\1\0\1", 7, false},
    {"SVCB with a mandatory key that is missing", DNS_SVCB, "\0\1\0\0\0\0\2\0\3", 9, false},
    {"SVCB with the invalid key", DNS_SVCB, "\0\1\0\377\377\0\0", 7, false},
    {"SVCB with an empty protocol in alpn", DNS_SVCB, "\0\1\0\0\1\0\1\0", 8, false},
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

/* SPDX-License-Identifier: ISC */
/* test_answer.c - the answering core (RFC 1034 §4.3.2 and what has been added to it). */
#include "proto/dns/answer.h"
#include "wire/dns/dns_option.h"

#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_option.h"

static const char *const lines[] = {
    "example. SOA ns.example. h.example. 1 2 3 4 30",
    "example. NS ns.example.",
    "example. MX 10 mail.example.",
    "example. MX 20 mail.example.",
    "ns.example. A 192.0.2.1",
    "mail.example. A 192.0.2.2",
    "mail.example. AAAA 2001:db8::2",
    "www.example. CNAME web.example.",
    "web.example. A 192.0.2.3",
    "out.example. CNAME www.outside.",
    "deep.example. CNAME out.example.",
    "gone.example. CNAME nothing.example.",
    "loop.example. CNAME pool.example.",
    "pool.example. CNAME loop.example.",
    "a.b.example. TXT x",
    "*.wild.example. MX 5 mail.example.",
    "*.wild.example. A 192.0.2.4",
    "sub.wild.example. TXT y",
    "*.alias.example. CNAME web.example.",
    "sub.example. NS ns.sub.example.",
    "sub.example. NS ns.example.",
    "sub.example. DS 1 8 2 00ff",
    "ns.sub.example. A 192.0.2.5",
    "old.example. DNAME example.",
    "far.example. DNAME outside.",
    "long.example. DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb"
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.cccccccccccccccccccccccccccccccccccccccccccccccccc"
    "cccccccccc.dddddddddddddddddddddddddddddddddddddddddddddddddddddd.",
    "_sip._udp.example. SRV 1 2 5060 mail.example.",
    "unknown.example. TYPE65280 \\# 2 0102",
    "naptr.example. NAPTR 1 1 S SIP+D2U \"\" _sip._udp.example.",
    "svc.example. HTTPS 0 web2.example.",
    "web2.example. HTTPS 1 . alpn=h2",
    "web2.example. A 192.0.2.8",
    "null.example. MX 0 .",
    "signed.example. A 192.0.2.9",
    "signed.example. RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA",
    "signed.example. RRSIG NSEC 13 2 60 20300101000000 20200101000000 1 example. AAAA",
};

static struct counting_heap counts;
static struct zone_set *zones;

static void add_line(const char *line)
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
    zones = zone_set_new(&heap, 1000);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        add_line(lines[i]);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    zone_set_free(zones);
    return counts.blocks == 0 ? 0 : 1;
}

static void ask(struct bytes query, bool stream, bool recursion, struct answer_result *out,
                uint8_t *buffer)
{
    static struct answer_options options; /* *out may point to it */
    options = (struct answer_options){.zones = zones, .recursion_available = recursion};
    struct answer_path path = {.stream = stream, .size_max = DNS_UDP_SIZE_DEFAULT};
    uint8_t *copy = exact_copy(query.data, query.len);
    answer(&options, bytes_of(copy, query.len), &path, buffer, out);
    free(copy);
}

#define SOA "example. 30 IN SOA ns.example. h.example. "
#define SOA_END " 2 3 4 30"

static const struct {
    const char *name; /* what is asked, too */
    uint16_t type;
    bool stream;
    const char *want; /* NULL: elsewhere. The serial is written as N */
    const char *target;
} cases[] = {
    {"ns.example", DNS_A, false, "NOERROR aa rd; an ns.example. 60 IN A 192.0.2.1", NULL},
    {"NS.eXample", DNS_A, false, "NOERROR aa rd; an NS.eXample. 60 IN A 192.0.2.1", NULL},
    {"unknown.example", 65280, false,
     "NOERROR aa rd; an unknown.example. 60 IN TYPE65280 \\# 2 0102", NULL},
    /* NODATA, NXDOMAIN and empty non-terminals: RFC 2308 §2, RFC 8020 */
    {"ns.example", DNS_AAAA, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"b.example", DNS_A, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"b.example", DNS_ANY, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"c.b.example", DNS_A, false, "NXDOMAIN aa rd; ns " SOA "N" SOA_END, NULL},
    {"no.example", DNS_A, false, "NXDOMAIN aa rd; ns " SOA "N" SOA_END, NULL},
    /* aliases */
    {"www.example", DNS_A, false,
     "NOERROR aa rd; an www.example. 60 IN CNAME web.example.; an web.example. 60 IN A 192.0.2.3",
     NULL},
    {"www.example", DNS_CNAME, false, "NOERROR aa rd; an www.example. 60 IN CNAME web.example.", NULL},
    {"www.example", DNS_AAAA, false,
     "NOERROR aa rd; an www.example. 60 IN CNAME web.example.; ns " SOA "N" SOA_END, NULL},
    {"gone.example", DNS_A, false,
     "NXDOMAIN aa rd; an gone.example. 60 IN CNAME nothing.example.; ns " SOA "N" SOA_END, NULL},
    {"out.example", DNS_A, false, NULL, "www.outside."},
    {"deep.example", DNS_A, false, NULL, "www.outside."},
    {"www.outside", DNS_A, false, NULL, "www.outside."},
    /* wildcards: RFC 4592 §2.2 */
    {"x.wild.example", DNS_A, false, "NOERROR aa rd; an x.wild.example. 60 IN A 192.0.2.4", NULL},
    {"x.y.wild.example", DNS_A, false, "NOERROR aa rd; an x.y.wild.example. 60 IN A 192.0.2.4", NULL},
    {"x.wild.example", DNS_MX, false,
     "NOERROR aa rd; an x.wild.example. 60 IN MX 5 mail.example.; ar mail.example. 60 IN A "
     "192.0.2.2; ar mail.example. 60 IN AAAA 2001:db8::2", NULL},
    {"x.wild.example", DNS_TXT, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"sub.wild.example", DNS_A, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"x.sub.wild.example", DNS_A, false, "NXDOMAIN aa rd; ns " SOA "N" SOA_END, NULL},
    {"wild.example", DNS_A, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"*.wild.example", DNS_A, false, "NOERROR aa rd; an *.wild.example. 60 IN A 192.0.2.4", NULL},
    {"x.alias.example", DNS_A, false,
     "NOERROR aa rd; an x.alias.example. 60 IN CNAME web.example.; an web.example. 60 IN A "
     "192.0.2.3", NULL},
    /* delegations */
    {"x.sub.example", DNS_A, false,
     "NOERROR rd; ns sub.example. 60 IN NS ns.sub.example.; ns sub.example. 60 IN NS ns.example.; "
     "ar ns.sub.example. 60 IN A 192.0.2.5; ar ns.example. 60 IN A 192.0.2.1", NULL},
    {"sub.example", DNS_NS, false,
     "NOERROR rd; ns sub.example. 60 IN NS ns.sub.example.; ns sub.example. 60 IN NS ns.example.; "
     "ar ns.sub.example. 60 IN A 192.0.2.5; ar ns.example. 60 IN A 192.0.2.1", NULL},
    {"ns.sub.example", DNS_A, false,
     "NOERROR rd; ns sub.example. 60 IN NS ns.sub.example.; ns sub.example. 60 IN NS ns.example.; "
     "ar ns.sub.example. 60 IN A 192.0.2.5; ar ns.example. 60 IN A 192.0.2.1", NULL},
    {"sub.example", DNS_DS, false, "NOERROR aa rd; an sub.example. 60 IN DS 1 8 2 00ff", NULL},
    /* DNAME: RFC 6672 */
    {"ns.old.example", DNS_A, false,
     "NOERROR aa rd; an old.example. 60 IN DNAME example.; an ns.old.example. 60 IN CNAME "
     "ns.example.; an ns.example. 60 IN A 192.0.2.1", NULL},
    {"old.example", DNS_A, false, "NOERROR aa rd; ns " SOA "N" SOA_END, NULL},
    {"x.y.far.example", DNS_A, false, NULL, "x.y.outside."},
    /* additional data */
    {"example", DNS_MX, false,
     "NOERROR aa rd; an example. 60 IN MX 10 mail.example.; an example. 60 IN MX 20 mail.example.; "
     "ar mail.example. 60 IN A 192.0.2.2; ar mail.example. 60 IN AAAA 2001:db8::2", NULL},
    {"example", DNS_NS, false,
     "NOERROR aa rd; an example. 60 IN NS ns.example.; ar ns.example. 60 IN A 192.0.2.1", NULL},
    {"_sip._udp.example", DNS_SRV, false,
     "NOERROR aa rd; an _sip._udp.example. 60 IN SRV 1 2 5060 mail.example.; ar mail.example. 60 IN "
     "A 192.0.2.2; ar mail.example. 60 IN AAAA 2001:db8::2", NULL},
    {"naptr.example", DNS_NAPTR, false,
     "NOERROR aa rd; an naptr.example. 60 IN NAPTR 1 1 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.; ar "
     "_sip._udp.example. 60 IN SRV 1 2 5060 mail.example.", NULL},
    {"svc.example", DNS_HTTPS, false,
     "NOERROR aa rd; an svc.example. 60 IN HTTPS 0 web2.example.; ar web2.example. 60 IN A "
     "192.0.2.8; ar web2.example. 60 IN HTTPS 1 . alpn=\"h2\"", NULL},
    {"web2.example", DNS_HTTPS, false,
     "NOERROR aa rd; an web2.example. 60 IN HTTPS 1 . alpn=\"h2\"; ar web2.example. 60 IN A 192.0.2.8",
     NULL},
    {"null.example", DNS_MX, false, "NOERROR aa rd; an null.example. 60 IN MX 0 .", NULL},
    {"signed.example", DNS_RRSIG, false,
     "NOERROR aa rd; an signed.example. 60 IN RRSIG A 13 2 60 20300101000000 20200101000000 1 "
     "example. AAAA; an signed.example. 60 IN RRSIG NSEC 13 2 60 20300101000000 20200101000000 1 "
     "example. AAAA", NULL},
    {"signed.example", DNS_ANY, false, "NOERROR aa rd; an signed.example. 60 IN A 192.0.2.9", NULL},
    /* ANY: RFC 8482 */
    {"mail.example", DNS_ANY, false, "NOERROR aa rd; an mail.example. 60 IN A 192.0.2.2", NULL},
    {"mail.example", DNS_ANY, true,
     "NOERROR aa rd; an mail.example. 60 IN A 192.0.2.2; an mail.example. 60 IN AAAA 2001:db8::2",
     NULL},
    {"www.example", DNS_ANY, false, "NOERROR aa rd; an www.example. 60 IN CNAME web.example.", NULL},
    /* types that are no data */
    {"example", DNS_AXFR, true, "REFUSED rd", NULL},
    {"example", DNS_IXFR, false, "REFUSED rd", NULL},
    {"example", DNS_MAILB, false, "NOTIMP rd", NULL},
    {"example", DNS_OPT, false, "FORMERR rd", NULL},
};

static void answers_by_the_algorithm(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    char serial[20];
    snprintf(serial, sizeof serial, "%u", (unsigned)ARRAY_LEN(lines));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t query_buffer[512];
        char text[2000];
        struct answer_result result;
        struct dns_text_query query = {cases[i].name, cases[i].type, .id = 7, .flags = DNS_RD};
        ask(dns_text_query(&query, query_buffer, sizeof query_buffer), cases[i].stream, false,
            &result, buffer);
        CHECK_EQUAL(cases[i].name, result.verdict,
                    cases[i].want != NULL ? ANSWER_REPLY : ANSWER_ELSEWHERE);
        if (cases[i].want == NULL) {
            assert_string_equal(dns_name_format(&result.work.target, text), cases[i].target);
            continue;
        }
        dns_text_of(result.reply, text, sizeof text);
        char *at = strstr(text, "h.example. ");
        if (at != NULL && at[11] != 'N') {
            assert_memory_equal(at + 11, serial, strlen(serial));
            memmove(at + 12, at + 11 + strlen(serial), strlen(at + 11 + strlen(serial)) + 1);
            at[11] = 'N';
        }
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s:\n  %s\nexpected\n  %s", cases[i].name, text, cases[i].want);
        assert_int_equal(result.reply.data[0] << 8 | result.reply.data[1], 7);
        assert_int_equal(dns_opcode((uint16_t)(result.reply.data[2] << 8)), 0);
    }
}

static void a_loop_of_aliases_ends(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    uint8_t query_buffer[512];
    struct answer_result result;
    struct dns_text_query query = {"loop.example", DNS_A, .id = 1};
    ask(dns_text_query(&query, query_buffer, sizeof query_buffer), true, false, &result, buffer);
    assert_int_equal(result.verdict, ANSWER_REPLY);
    assert_int_equal(result.rcode, DNS_SERVFAIL);
}

static void a_name_too_long_for_its_dname(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    uint8_t query_buffer[512];
    struct answer_result result;
    struct dns_text_query query = {"aaaaaaaaaabbbbbbbbbb.long.example", DNS_A, .id = 1};
    ask(dns_text_query(&query, query_buffer, sizeof query_buffer), true, false, &result, buffer);
    assert_int_equal(result.rcode, 6); /* YXDOMAIN, RFC 6672 §2.2 */
}

static void echoes_the_question_in_its_case(void **state UNUSED)
{
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    uint8_t query_buffer[512];
    struct answer_result result;
    struct dns_text_query query = {"wWw.ExAmPlE", DNS_A, .id = 0xabcd, .flags = DNS_RD | DNS_CD};
    struct bytes message = dns_text_query(&query, query_buffer, sizeof query_buffer);
    ask(message, false, true, &result, buffer);
    assert_memory_equal(result.reply.data + 12, message.data + 12, message.len - 12);
    char text[1000];
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR aa rd ra cd; an wWw.ExAmPlE. 60 IN CNAME web.ExAmPlE.; an "
                        "web.ExAmPlE. 60 IN A 192.0.2.3");
}

static void speaks_edns(void **state UNUSED)
{
    static const struct {
        const char *name;
        int size;
        uint8_t version;
        bool dnssec_ok;
        const char *want;
        uint16_t limit;
    } edns[] = {
        {"version 0", 4096, 0, false, "NOERROR aa; an ns.example. 60 IN A 192.0.2.1; edns 1232", 1232},
        {"DO is copied, RFC 3225 3", 4096, 0, true,
         "NOERROR aa; an ns.example. 60 IN A 192.0.2.1; edns 1232 do", 1232},
        {"a small size counts as 512, RFC 6891 6.2.5", 100, 0, false,
         "NOERROR aa; an ns.example. 60 IN A 192.0.2.1; edns 1232", 512},
        {"the client's size", 600, 0, false,
         "NOERROR aa; an ns.example. 60 IN A 192.0.2.1; edns 1232", 600},
        {"version 1, RFC 6891 6.1.3", 1232, 1, false, "BADVERS; edns 1232", 1232},
    };
    for (size_t i = 0; i < ARRAY_LEN(edns); i++) {
        uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
        uint8_t query_buffer[512];
        struct answer_result result;
        struct dns_text_query query = {"ns.example", DNS_A, .edns = edns[i].size,
                                       .dnssec_ok = edns[i].dnssec_ok, .version = edns[i].version};
        ask(dns_text_query(&query, query_buffer, sizeof query_buffer), false, false, &result, buffer);
        char text[1000];
        assert_string_equal(dns_text_of(result.reply, text, sizeof text), edns[i].want);
        CHECK_EQUAL(edns[i].name, result.query.limit, edns[i].limit);
    }
}

static const struct {
    const char *name;
    const char *in;
    size_t len;
    const char *want; /* NULL: no reply */
} odd[] = {
    {"nothing", "", 0, NULL},
    {"half a header", "\0\1\1\0\0\1\0\0\0\0\0", 11, NULL},
    {"a reply", "\0\1\201\0\0\0\0\0\0\0\0\0", 12, NULL},
    {"no question", "\0\1\1\0\0\0\0\0\0\0\0\0", 12, "FORMERR rd"},
    {"a question that is cut", "\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\1", 17, "FORMERR rd"},
    {"more records than there are", "\0\1\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1", 19, "FORMERR rd"},
    {"a NOTIFY without a question", "\0\1\40\0\0\0\0\0\0\0\0\0", 12, "FORMERR"},
    {"a STATUS request", "\0\1\21\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", 19, "NOTIMP rd"},
    {"a STATUS request that is cut", "\0\1\21\0\0\1\0\0\0\0\0\0\1a\0\0", 16, "NOTIMP rd"},
    {"with EDNS", "\0\1\21\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\51\4\0\0\0\0\0\0\0", 30,
     "NOTIMP rd; edns 1232"},
    {"an UPDATE", "\0\1\50\0\0\1\0\0\0\0\0\0\1a\0\0\6\0\1", 19, "NOTIMP"},
    {"class CH", "\0\1\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\3", 19, "REFUSED"},
    {"class ANY", "\0\1\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\377", 19, "REFUSED"},
};

static void judges_what_is_no_plain_query(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
        char text[500];
        struct answer_result result;
        ask(bytes_of(odd[i].in, odd[i].len), false, false, &result, buffer);
        CHECK_EQUAL(odd[i].name, result.verdict, odd[i].want != NULL ? ANSWER_REPLY : ANSWER_NOTHING);
        if (odd[i].want == NULL)
            continue;
        assert_string_equal(dns_text_of(result.reply, text, sizeof text), odd[i].want);
        assert_memory_equal(result.reply.data, odd[i].in, 2);
        assert_int_equal(result.reply.data[2] & 0x78, odd[i].in[2] & 0x78); /* the opcode */
    }
}

/* 40 addresses: 40 * 16 octets, and the question. */
static void a_set_is_whole_or_the_reply_truncated(void **state UNUSED)
{
    for (unsigned i = 1; i <= 40; i++) {
        char line[60];
        snprintf(line, sizeof line, "many.example. A 198.51.100.%u", i);
        add_line(line);
    }
    static const struct {
        int edns;
        bool stream;
        bool truncated;
    } limits[] = {{0, false, true}, {680, false, true}, {681, false, false}, {4096, false, false},
                  {0, true, false}};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        static uint8_t buffer[DNS_MESSAGE_MAX];
        uint8_t query_buffer[512];
        struct answer_result result;
        struct dns_text_query query = {"many.example", DNS_A, .edns = limits[i].edns};
        ask(dns_text_query(&query, query_buffer, sizeof query_buffer), limits[i].stream, false,
            &result, buffer);
        struct dns_cursor cursor;
        assert_int_equal(dns_cursor_start(&cursor, result.reply), WIRE_OK);
        CHECK_EQUAL("answers", cursor.header.counts[DNS_ANSWER], limits[i].truncated ? 0 : 40);
        CHECK_EQUAL("TC", (cursor.header.flags & DNS_TC) != 0, limits[i].truncated);
        if (!limits[i].stream)
            assert_true(result.reply.len <= (limits[i].edns != 0 ? (size_t)limits[i].edns : 512));
    }
    /* Where they are only additional they are left out without a word. */
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    uint8_t query_buffer[512];
    struct answer_result result;
    add_line("to-many.example. MX 1 many.example.");
    struct dns_text_query query = {"to-many.example", DNS_MX, .id = 1};
    char text[500];
    ask(dns_text_query(&query, query_buffer, sizeof query_buffer), false, false, &result, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR aa; an to-many.example. 60 IN MX 1 many.example.");
    /* But glue of the delegated zone itself is not (RFC 9471). */
    for (unsigned i = 1; i <= 40; i++) {
        char line[60];
        snprintf(line, sizeof line, "ns.heavy.example. A 198.51.100.%u", i);
        add_line(line);
    }
    add_line("heavy.example. NS ns.heavy.example.");
    struct dns_text_query below = {"x.heavy.example", DNS_A, .id = 1};
    ask(dns_text_query(&below, query_buffer, sizeof query_buffer), false, false, &result, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR tc; ns heavy.example. 60 IN NS ns.heavy.example.");
}

/* ---- what others know ---- */

static const struct {
    const char *name;
    const char *asked;
    uint16_t flags; /* of the client */
    int edns;
    bool authentic;
    uint16_t ede;
    unsigned rcode;
    const char *want;
} rests[] = {
    {"as it is", "www.OUTSIDE", DNS_RD, 0, false, DNS_EDE_NONE, 0,
     "NOERROR rd ra; an www.OUTSIDE. 5 IN A 203.0.113.1"},
    {"with the client's EDNS", "www.outside", DNS_RD, 1400, false, DNS_EDE_NONE, 0,
     "NOERROR rd ra; an www.outside. 5 IN A 203.0.113.1; edns 1232"},
    {"with an extended error", "www.outside", DNS_RD, 1400, false, DNS_EDE_STALE, 0,
     "NOERROR rd ra; an www.outside. 5 IN A 203.0.113.1; edns 1232"},
    {"an extended error without EDNS", "www.outside", DNS_RD, 0, false, DNS_EDE_STALE, 0,
     "NOERROR rd ra; an www.outside. 5 IN A 203.0.113.1"},
    {"behind our own CNAMEs", "deep.example", DNS_RD, 0, false, DNS_EDE_NONE, 0,
     "NOERROR aa rd ra; an deep.example. 60 IN CNAME out.example.; an out.example. 60 IN CNAME "
     "www.outside.; an www.outside. 5 IN A 203.0.113.1"},
    {"that there is none", "out.example", DNS_RD, 0, false, DNS_EDE_NONE, DNS_NXDOMAIN,
     "NXDOMAIN aa rd ra; an out.example. 60 IN CNAME www.outside."},
    {"AD to those who asked", "www.outside", DNS_RD | DNS_AD, 0, true, DNS_EDE_NONE, 0,
     "NOERROR rd ra ad; an www.outside. 5 IN A 203.0.113.1"},
    {"AD not to others", "www.outside", DNS_RD, 0, true, DNS_EDE_NONE, 0,
     "NOERROR rd ra; an www.outside. 5 IN A 203.0.113.1"},
    {"AD not over our CNAMEs", "out.example", DNS_RD | DNS_AD, 0, true, DNS_EDE_NONE, 0,
     "NOERROR aa rd ra; an out.example. 60 IN CNAME www.outside.; an www.outside. 5 IN A "
     "203.0.113.1"},
};

static struct bytes add_rest(size_t i, struct answer_work *work)
{
    static const uint8_t address[] = {203, 0, 113, 1};
    struct dns_build_record record = {&work->target, DNS_A, DNS_IN, 5,
                                      bytes_of(address, sizeof address)};
    work->authentic = rests[i].authentic;
    work->ede = rests[i].ede;
    work->rcode = rests[i].rcode;
    if (work->rcode == DNS_NOERROR)
        assert_true(dns_build_record(&work->b, &record));
    return answer_end(work);
}

/* At once, and when the reply is taken up again later: the same. */
static void what_others_know_is_added(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
        uint8_t buffer[DNS_UDP_SIZE_DEFAULT], later_buffer[DNS_UDP_SIZE_DEFAULT];
        uint8_t query_buffer[512];
        struct answer_result result;
        struct answer_work later;
        struct bytes ede;
        struct dns_summary summary;
        char text[1000];
        struct dns_text_query query = {rests[i].asked, DNS_A, .id = 77, .flags = rests[i].flags,
                                       .edns = rests[i].edns};
        ask(dns_text_query(&query, query_buffer, sizeof query_buffer), false, true, &result, buffer);
        CHECK_EQUAL(rests[i].name, result.verdict, ANSWER_ELSEWHERE);
        struct bytes reply = add_rest(i, &result.work);
        dns_text_of(reply, text, sizeof text);
        if (strcmp(text, rests[i].want) != 0)
            fail_msg("%s:\n  %s\nexpected\n  %s", rests[i].name, text, rests[i].want);
        assert_int_equal(reply.data[1], 77);
        assert_int_equal(dns_summarise(reply, &summary), WIRE_OK);
        CHECK_EQUAL(rests[i].name, dns_edns_option(&summary.edns, DNS_OPTION_EDE, &ede),
                    rests[i].ede != DNS_EDE_NONE && rests[i].edns > 0);
        assert_true(answer_resume(&later, result.work.options, &result.query, &result.work.target,
                                  later_buffer));
        assert_true(bytes_equal(add_rest(i, &later), reply));
    }
}

/* The zones are others by now. */
static void a_reply_that_leads_elsewhere_now(void **state UNUSED)
{
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT], query_buffer[512];
    char text[1000];
    struct answer_result result;
    struct answer_work later;
    struct dns_text_query query = {"out.example", DNS_A, .id = 77, .flags = DNS_RD};
    ask(dns_text_query(&query, query_buffer, sizeof query_buffer), false, true, &result, buffer);
    struct dns_name before = dns_text_name("before.outside.");
    assert_false(answer_resume(&later, result.work.options, &result.query, &before, buffer));
    assert_memory_equal(dns_text_of(answer_end(&later), text, sizeof text), "SERVFAIL", 8);
    result.query.question.name = dns_text_name("web.example.");
    assert_false(answer_resume(&later, result.work.options, &result.query, &before, buffer));
    assert_memory_equal(dns_text_of(answer_end(&later), text, sizeof text), "NOERROR aa", 10);
}

static void answers_in_part_when_nobody_can_be_asked(void **state UNUSED)
{
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    uint8_t query_buffer[512];
    char text[1000];
    struct answer_result result;
    struct dns_text_query query = {"out.example", DNS_A, .id = 1};
    ask(dns_text_query(&query, query_buffer, sizeof query_buffer), false, false, &result, buffer);
    struct bytes reply = answer_partial(&result.work, DNS_REFUSED);
    assert_string_equal(dns_text_of(reply, text, sizeof text),
                        "NOERROR aa; an out.example. 60 IN CNAME www.outside.");
    query.name = "www.outside";
    ask(dns_text_query(&query, query_buffer, sizeof query_buffer), false, false, &result, buffer);
    reply = answer_partial(&result.work, DNS_REFUSED);
    assert_string_equal(dns_text_of(reply, text, sizeof text), "REFUSED");
}

/* ---- options and classes ---- */

static struct answer_result ask_with(const struct answer_options *options, bool stream,
                                     const struct dns_text_query *query, uint8_t *buffer)
{
    struct answer_result result;
    uint8_t query_buffer[512];
    struct answer_path path = {
        .stream = stream,
        .size_max = DNS_UDP_SIZE_DEFAULT,
        .keepalive = 300,
        .now = 1559731985,
        .from = address_v4(0xc6336464),
    };
    answer(options, dns_text_query(query, query_buffer, sizeof query_buffer), &path, buffer, &result);
    assert_int_equal(result.verdict, ANSWER_REPLY);
    return result;
}

static struct bytes option_of(struct bytes reply, uint16_t code, bool *found)
{
    struct dns_summary summary;
    struct bytes value = bytes_empty();
    assert_int_equal(dns_summarise(reply, &summary), WIRE_OK);
    *found = dns_edns_option(&summary.edns, code, &value);
    return value;
}

static void tells_who_it_is_when_asked(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    bool found;
    struct answer_options options = {.zones = zones, .identity = "ns1.site"};
    struct dns_text_query query = {"ns.example", DNS_A, .edns = 1232, .options = bytes_of("\0\3\0\0", 4)};
    struct answer_result result = ask_with(&options, false, &query, buffer);
    assert_true(bytes_equal(option_of(result.reply, 3, &found), bytes_of_text("ns1.site")));
    options.identity = NULL;
    result = ask_with(&options, false, &query, buffer);
    (void)option_of(result.reply, 3, &found);
    assert_false(found);
    /* Options that nobody knows are not an error (RFC 6891 §6.1.2). */
    query.options = bytes_of("\377\0\0\3abc\0\3\0\0", 11);
    options.identity = "x";
    result = ask_with(&options, false, &query, buffer);
    assert_true(bytes_equal(option_of(result.reply, 3, &found), bytes_of_text("x")));
    assert_int_equal(result.rcode, DNS_NOERROR);
}

static void says_how_long_a_stream_may_idle(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    bool found;
    struct answer_options options = {.zones = zones};
    struct dns_text_query query = {"ns.example", DNS_A, .edns = 1232, .options = bytes_of("\0\13\0\0", 4)};
    struct answer_result result = ask_with(&options, true, &query, buffer);
    assert_true(bytes_equal(option_of(result.reply, 11, &found), bytes_of("\1\54", 2)));
    result = ask_with(&options, false, &query, buffer); /* RFC 7828 §3.2.1 */
    (void)option_of(result.reply, 11, &found);
    assert_false(found);
}

/* RFC 7830 §3, RFC 8467 §4.1. */
static void pads_replies_for_who_asks_so_where_lengths_tell(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct answer_options options = {.zones = zones, .identity = "ns1.site"};
    static const struct {
        const char *name;
        uint16_t padding; /* of the path */
        uint16_t limit;   /* of what the client takes, over datagrams; 0: over a stream */
        struct bytes asks;
        size_t multiple;  /* of the reply's length; 0: no padding */
    } padded[] = {
        {"asked for", 468, 0, {(const uint8_t *)"\0\14\0\2\0", 6}, 468},
        {"with other options", 468, 0, {(const uint8_t *)"\0\3\0\0\0\14\0\0", 8}, 468},
        {"in small blocks", 16, 0, {(const uint8_t *)"\0\14\0\0", 4}, 16},
        {"not asked for", 468, 0, {(const uint8_t *)"\0\3\0\0", 4}, 0},
        {"where everybody can read it", 0, 0, {(const uint8_t *)"\0\14\0\0", 4}, 0},
        {"only as far as the client takes it", 511, 512, {(const uint8_t *)"\0\14\0\0", 4}, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(padded); i++) {
        struct dns_text_query query = {"ns.example", DNS_A, .edns = 1232, .options = padded[i].asks};
        uint8_t query_buffer[512];
        struct answer_result result;
        bool found;
        struct answer_path path = {.stream = padded[i].limit == 0,
                                   .size_max = padded[i].limit != 0 ? padded[i].limit : 1232,
                                   .padding = padded[i].padding};
        answer(&options, dns_text_query(&query, query_buffer, sizeof query_buffer), &path, buffer,
               &result);
        struct bytes padding = option_of(result.reply, DNS_OPTION_PADDING, &found);
        CHECK_EQUAL(padded[i].name, found, padded[i].multiple != 0);
        if (found)
            CHECK_EQUAL(padded[i].name, result.reply.len % padded[i].multiple, 0);
        for (size_t j = 0; j < padding.len; j++)
            CHECK_EQUAL(padded[i].name, padding.data[j], 0);
        if (padded[i].limit != 0)
            CHECK(padded[i].name, result.reply.len <= padded[i].limit);
    }
}

static void answers_in_class_chaos(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint16_t type;
        const char *shown;
        const char *hidden;
    } chaos[] = {
        {"version.bind", DNS_TXT, "NOERROR aa; an version.bind. 0 CH TXT \"wholenet 1\"", "REFUSED"},
        {"VERSION.server", DNS_ANY, "NOERROR aa; an VERSION.server. 0 CH TXT \"wholenet 1\"", "REFUSED"},
        {"hostname.bind", DNS_TXT, "NOERROR aa; an hostname.bind. 0 CH TXT \"ns1\"", "REFUSED"},
        {"id.server", DNS_TXT, "NOERROR aa; an id.server. 0 CH TXT \"ns1\"", "REFUSED"},
        {"id.server", DNS_A, "NOERROR aa", "REFUSED"},
        {"authors.bind", DNS_TXT, "REFUSED", "REFUSED"},
        {"ns.example", DNS_A, "REFUSED", "REFUSED"},
    };
    for (size_t i = 0; i < ARRAY_LEN(chaos); i++) {
        uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
        char text[300];
        struct answer_options options = {.zones = zones, .version = "wholenet 1", .identity = "ns1"};
        struct dns_text_query query = {chaos[i].name, chaos[i].type, .class = DNS_CH};
        struct answer_result result = ask_with(&options, false, &query, buffer);
        assert_string_equal(dns_text_of(result.reply, text, sizeof text), chaos[i].shown);
        options.version = options.identity = NULL;
        result = ask_with(&options, false, &query, buffer);
        assert_string_equal(dns_text_of(result.reply, text, sizeof text), chaos[i].hidden);
    }
}

static const struct siphash_key cookie_key = {1, 2};

static void gives_and_takes_cookies(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    bool found;
    uint8_t option[4 + COOKIE_LEN] = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    struct cookie_secrets secrets = {.active = cookie_key};
    struct answer_options options = {.zones = zones, .cookies = &secrets};
    struct dns_text_query query = {"mail.example", DNS_ANY, .edns = 1232, .options = bytes_of(option, 12)};
    struct answer_result result = ask_with(&options, false, &query, buffer);
    struct bytes cookie = option_of(result.reply, 10, &found);
    assert_int_equal(cookie.len, COOKIE_LEN);
    assert_false(result.query.proven);
    assert_int_equal(result.rcode, DNS_NOERROR);
    struct dns_cursor cursor;
    assert_int_equal(dns_cursor_start(&cursor, result.reply), WIRE_OK);
    assert_int_equal(cursor.header.counts[DNS_ANSWER], 1);

    /* With the cookie the client is no stranger: it gets all that ANY means. */
    option[3] = COOKIE_LEN;
    memcpy(option + 4, cookie.data, COOKIE_LEN);
    query.options = bytes_of(option, sizeof option);
    result = ask_with(&options, false, &query, buffer);
    assert_true(result.query.proven);
    assert_int_equal(dns_cursor_start(&cursor, result.reply), WIRE_OK);
    assert_int_equal(cursor.header.counts[DNS_ANSWER], 2);

    /* Where they are required (RFC 7873 §5.2.3). */
    char text[300];
    options.cookies_required = true;
    result = ask_with(&options, false, &query, buffer);
    assert_int_equal(result.rcode, DNS_NOERROR);
    option[27] ^= 1;
    result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text), "BADCOOKIE; edns 1232");
    assert_int_equal(option_of(result.reply, 10, &found).len, COOKIE_LEN);
    result = ask_with(&options, true, &query, buffer); /* a stream is proof enough */
    assert_int_equal(result.rcode, DNS_NOERROR);

    option[3] = 9; /* RFC 7873 §5.2.2 */
    query.options = bytes_of(option, 13);
    result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text), "FORMERR; edns 1232");
    assert_true(result.malformed);
    options.cookies = NULL; /* then it is an option that nobody knows */
    result = ask_with(&options, false, &query, buffer);
    assert_int_equal(result.rcode, DNS_NOERROR);
}

static void a_query_without_question_gets_a_cookie(void **state UNUSED)
{
    /* RFC 7873 §5.4 */
    static const uint8_t query[] = {0,    9, 0, 0, 0, 0, 0, 0, 0,  0, 0, 1, 0, 0, 41, 4, 208, 0, 0,
                                    0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    struct cookie_secrets secrets = {.active = cookie_key};
    struct answer_options options = {.zones = zones, .cookies = &secrets};
    struct answer_path path = {.size_max = DNS_UDP_SIZE_DEFAULT, .from = address_v4(1)};
    struct answer_result result;
    answer(&options, bytes_of(query, sizeof query), &path, buffer, &result);
    assert_int_equal(result.verdict, ANSWER_REPLY);
    assert_int_equal(result.rcode, DNS_NOERROR);
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct dns_edns edns;
    struct bytes cookie;
    assert_int_equal(dns_cursor_start(&cursor, result.reply), WIRE_OK);
    assert_int_equal(cursor.header.counts[DNS_QUESTION], 0);
    assert_true(dns_cursor_record(&cursor, &rr));
    assert_int_equal(dns_edns_decode(&rr, &edns), WIRE_OK);
    assert_true(dns_edns_option(&edns, 10, &cookie));
    assert_int_equal(cookie.len, COOKIE_LEN);
    options.cookies = NULL;
    answer(&options, bytes_of(query, sizeof query), &path, buffer, &result);
    assert_int_equal(result.rcode, DNS_FORMERR);
}

static void says_no_more_than_is_needed_if_told_so(void **state UNUSED)
{
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    char text[500];
    struct answer_options options = {.zones = zones, .minimal = true};
    struct dns_text_query query = {"_sip._udp.example", DNS_SRV, .id = 1};
    struct answer_result result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR aa; an _sip._udp.example. 60 IN SRV 1 2 5060 mail.example.");
    query.name = "x.sub.example"; /* glue is needed */
    result = ask_with(&options, false, &query, buffer);
    assert_non_null(strstr(dns_text_of(result.reply, text, sizeof text),
                           "ar ns.sub.example. 60 IN A 192.0.2.5"));
}

/* RFC 6147 §5.3.1: the names of an address that was made are those of the one in it; §5.5: not for who looks himself. */
static void made_addresses_have_the_names_of_those_in_them(void **state UNUSED)
{
    struct ip_prefix prefix = {.len = 96};
    assert_true(address_parse(bytes_of_text("64:ff9b::"), &prefix.address));
    struct answer_options options = {.zones = zones, .dns64 = &prefix, .recursion_available = true};
    struct answer_path path = {.size_max = DNS_UDP_SIZE_DEFAULT};
    uint8_t query[600], buffer[DNS_MESSAGE_MAX];
    char text[1000];
    struct answer_result result;
    struct dns_text_query asked = {
        .name = "1.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa",
        .type = DNS_PTR, .flags = DNS_RD, .edns = 1232};
    struct dns_name inner = dns_text_name("33.2.0.192.in-addr.arpa");
    answer(&options, dns_text_query(&asked, query, sizeof query), &path, buffer, &result);
    assert_int_equal(result.verdict, ANSWER_ELSEWHERE);
    assert_true(dns_name_equal(&result.work.target, &inner));
    (void)dns_text_of(answer_partial(&result.work, DNS_REFUSED), text, sizeof text);
    snprintf((char *)query, sizeof query, "NOERROR rd ra; an %s. 600 IN CNAME 33.2.0.192.in-addr.arpa.; edns 1232",
             asked.name);
    assert_string_equal(text, (char *)query);
    struct dns_text_query others[] = {asked, asked, asked};
    others[0].type = DNS_TXT;
    others[1].dnssec_ok = true;
    others[1].flags |= DNS_CD;
    others[2].name = "2.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa";
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct dns_name same = dns_text_name(others[i].name);
        answer(&options, dns_text_query(&others[i], query, sizeof query), &path, buffer, &result);
        assert_int_equal(result.verdict, ANSWER_ELSEWHERE);
        assert_true(dns_name_equal(&result.work.target, &same));
    }
}

static void signatures_come_along_for_those_who_ask(void **state UNUSED)
{
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    char text[500];
    struct answer_options options = {.zones = zones};
    struct dns_text_query query = {"signed.example", DNS_A, .edns = 1232, .dnssec_ok = true};
    struct answer_result result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR aa; an signed.example. 60 IN A 192.0.2.9; an signed.example. 60 IN "
                        "RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA; edns 1232 do");
    query.name = "sub.example";
    query.type = DNS_NS; /* a referral brings the DS */
    result = ask_with(&options, false, &query, buffer);
    assert_non_null(strstr(dns_text_of(result.reply, text, sizeof text),
                           "ns sub.example. 60 IN DS 1 8 2 00ff"));
    query.dnssec_ok = false;
    result = ask_with(&options, false, &query, buffer);
    assert_null(strstr(dns_text_of(result.reply, text, sizeof text), " DS "));
}

static void tells_what_kind_of_reply_it_was(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint16_t type;
        enum answer_kind kind;
    } kinds[] = {
        {"ns.example", DNS_A, ANSWER_DATA},        {"www.example", DNS_A, ANSWER_DATA},
        {"ns.example", DNS_TXT, ANSWER_NODATA},    {"no.example", DNS_A, ANSWER_NXDOMAIN},
        {"x.sub.example", DNS_A, ANSWER_REFERRAL}, {"x.sub.example", DNS_AXFR, ANSWER_ERROR},
    };
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    struct answer_options options = {.zones = zones};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct dns_text_query query = {kinds[i].name, kinds[i].type, .id = 1};
        struct answer_result result = ask_with(&options, false, &query, buffer);
        CHECK_EQUAL(kinds[i].name, result.kind, kinds[i].kind);
        CHECK_EQUAL(kinds[i].name, result.source != NULL, kinds[i].kind != ANSWER_ERROR);
    }
    /* Names that a wildcard stands for, and names that do not exist, are one and the same. */
    struct dns_text_query query = {"a.wild.example", DNS_A, .id = 1};
    const void *wildcard = ask_with(&options, false, &query, buffer).source;
    query.name = "b.wild.example";
    assert_ptr_equal(ask_with(&options, false, &query, buffer).source, wildcard);
    query.name = "no1.example";
    const void *zone = ask_with(&options, false, &query, buffer).source;
    query.name = "no2.example";
    assert_ptr_equal(ask_with(&options, false, &query, buffer).source, zone);
}

static void a_child_that_is_ours_too_leaves_ds_to_the_parent(void **state UNUSED)
{
    static const char *const more[] = {
        "parent. SOA . . 1 2 3 4 5", "parent. NS .", "c.parent. NS .", "c.parent. DS 1 8 2 00ff",
        "c.parent. SOA . . 9 2 3 4 5", "d.parent. SOA . . 9 2 3 4 5",
    };
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    char text[500];
    struct counting_heap other = {0};
    struct heap heap = counting_heap(&other);
    struct zone_set *set = zone_set_new(&heap, 100);
    struct zone_set *saved = zones;
    zones = set;
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        add_line(more[i]);
    zones = saved;
    struct answer_options options = {.zones = set};
    struct dns_text_query query = {"c.parent", DNS_DS, .id = 1};
    struct answer_result result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR aa; an c.parent. 60 IN DS 1 8 2 00ff");
    query.name = "d.parent"; /* not delegated: the child speaks for itself */
    result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NOERROR aa; ns d.parent. 5 IN SOA . . 9 2 3 4 5");
    /* A zone that could not be had is nobody else's either. */
    struct dns_name lost = dns_text_name("lost");
    struct zone *before;
    assert_int_equal(zone_set_install(set, zone_new(&heap, &lost, 1), &before), ZONE_OK);
    query.name = "x.lost";
    result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text), "SERVFAIL");
    query.name = "x.c.parent";
    query.type = DNS_A;
    result = ask_with(&options, false, &query, buffer);
    assert_string_equal(dns_text_of(result.reply, text, sizeof text),
                        "NXDOMAIN aa; ns c.parent. 5 IN SOA . . 9 2 3 4 5");
    zone_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_the_algorithm),
        cmocka_unit_test(a_loop_of_aliases_ends),
        cmocka_unit_test(a_name_too_long_for_its_dname),
        cmocka_unit_test(echoes_the_question_in_its_case),
        cmocka_unit_test(speaks_edns),
        cmocka_unit_test(judges_what_is_no_plain_query),
        cmocka_unit_test(what_others_know_is_added),
        cmocka_unit_test(a_reply_that_leads_elsewhere_now),
        cmocka_unit_test(answers_in_part_when_nobody_can_be_asked),
        cmocka_unit_test(tells_who_it_is_when_asked),
        cmocka_unit_test(says_how_long_a_stream_may_idle),
        cmocka_unit_test(pads_replies_for_who_asks_so_where_lengths_tell),
        cmocka_unit_test(answers_in_class_chaos),
        cmocka_unit_test(gives_and_takes_cookies),
        cmocka_unit_test(a_query_without_question_gets_a_cookie),
        cmocka_unit_test(says_no_more_than_is_needed_if_told_so),
        cmocka_unit_test(made_addresses_have_the_names_of_those_in_them),
        cmocka_unit_test(signatures_come_along_for_those_who_ask),
        cmocka_unit_test(tells_what_kind_of_reply_it_was),
        cmocka_unit_test(a_child_that_is_ours_too_leaves_ds_to_the_parent),
        cmocka_unit_test(a_set_is_whole_or_the_reply_truncated), /* last: adds records */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

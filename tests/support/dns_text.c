/* SPDX-License-Identifier: ISC */
/* dns_text.c - DNS messages from and to text. */
#include "tests/support/dns_text.h"

#include "tests/support/check.h"

struct dns_name dns_text_name(const char *text)
{
    struct dns_name name;
    if (!dns_name_parse(bytes_of_text(text), NULL, &name))
        fail_msg("not a name: %s", text);
    return name;
}

struct bytes dns_text_query(const struct dns_text_query *query, uint8_t *buffer, size_t size)
{
    struct dns_builder b;
    dns_build_start(&b, buffer, size);
    struct dns_question question = {dns_text_name(query->name), query->type,
                                    query->class != 0 ? query->class : DNS_IN};
    assert_true(dns_build_question(&b, &question));
    if (query->edns != 0) {
        struct dns_edns edns = {
            .present = true,
            .version = query->version,
            .dnssec_ok = query->dnssec_ok,
            .udp_size = (uint16_t)query->edns,
            .options = query->options.len > 0 ? query->options : bytes_empty(),
        };
        assert_true(dns_build_edns(&b, &edns));
    }
    return dns_build_finish(&b, query->id, query->flags);
}

static void add_lines(struct dns_builder *b, const char *const *lines)
{
    for (; lines != NULL && *lines != NULL; lines++) {
        uint8_t rdata[2048];
        char reason[200];
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_record record;
        struct dns_line_context context = {.ttl = 60};
        if (!dns_record_parse(bytes_of_text(*lines), &context, &w, &record, &error))
            fail_msg("%s: %s", *lines, reason);
        assert_true(dns_build_record(b, &(struct dns_build_record){&record.owner, record.type,
                                                                   record.class, record.ttl,
                                                                   record.rdata}));
    }
}

struct bytes dns_text_reply(struct bytes query, uint16_t flags, const char *const *answer,
                            const char *const *authority, uint8_t *buffer, size_t size)
{
    struct dns_summary summary;
    assert_int_equal(dns_summarise(query, &summary), WIRE_OK);
    struct dns_builder b;
    dns_build_start(&b, buffer, size);
    assert_true(dns_build_question(&b, &summary.question));
    dns_build_section(&b, DNS_ANSWER);
    add_lines(&b, answer);
    dns_build_section(&b, DNS_AUTHORITY);
    add_lines(&b, authority);
    if (summary.edns.present) {
        struct dns_edns edns = {.present = true, .udp_size = 1400, .options = bytes_empty()};
        assert_true(dns_build_edns(&b, &edns));
    }
    return dns_build_finish(&b, summary.header.id, (uint16_t)(DNS_QR | flags));
}

static void add_flags(struct text *t, uint16_t flags)
{
    static const struct {
        uint16_t flag;
        const char *name;
    } names[] = {{DNS_AA, " aa"}, {DNS_TC, " tc"}, {DNS_RD, " rd"},
                 {DNS_RA, " ra"}, {DNS_AD, " ad"}, {DNS_CD, " cd"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if ((flags & names[i].flag) != 0)
            text_add(t, names[i].name);
}

static void add_record(struct text *t, const struct dns_rr *rr, struct bytes message)
{
    static const char *const sections[] = {"qd", "an", "ns", "ar"};
    static uint8_t rdata[DNS_RDATA_MAX];
    struct writer w = writer_of(rdata, sizeof rdata);
    assert_int_equal(dns_rdata_expand(rr->type, message, rr->rdata, &w), WIRE_OK);
    struct dns_record record = {.owner = rr->owner,
                                .type = rr->type,
                                .class = rr->class,
                                .ttl = rr->ttl,
                                .rdata = writer_bytes(&w)};
    text_add_format(t, "; %s ", sections[rr->section]);
    dns_record_format(&record, t);
}

char *dns_text_of(struct bytes message, char *out, size_t size)
{
    struct text t = text_of(out, size);
    struct dns_cursor cursor;
    struct dns_question question;
    struct dns_rr rr;
    struct dns_edns edns = {0};
    struct text rest = t;
    assert_int_equal(dns_cursor_start(&cursor, message), WIRE_OK);
    assert_true((cursor.header.flags & DNS_QR) != 0);
    while (dns_cursor_question(&cursor, &question))
        continue;
    /* The extended RCODE comes last but is told first. */
    struct dns_cursor ahead = cursor;
    while (dns_cursor_record(&ahead, &rr))
        if (rr.type == DNS_OPT)
            assert_int_equal(dns_edns_decode(&rr, &edns), WIRE_OK);
    if (ahead.reader.failed || reader_left(&ahead.reader) > 0)
        fail_msg("a reply that cannot be read");
    unsigned rcode = (unsigned)edns.rcode_high << 4 | (cursor.header.flags & DNS_RCODE_MASK);
    text_add(&rest, dns_rcode_text(rcode));
    if (strcmp(dns_rcode_text(rcode), "RCODE") == 0)
        text_add_format(&rest, "%u", rcode);
    add_flags(&rest, cursor.header.flags);
    while (dns_cursor_record(&cursor, &rr))
        if (rr.type != DNS_OPT)
            add_record(&rest, &rr, message);
    if (edns.present)
        text_add_format(&rest, "; edns %u%s", (unsigned)edns.udp_size, edns.dnssec_ok ? " do" : "");
    return out;
}

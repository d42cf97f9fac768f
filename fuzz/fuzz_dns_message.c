/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dns_message.c - any octets as a message. A message that can be read whole is built again from
 * what was read, and reads the same; built into a smaller buffer it is a sound part of it.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "wire/dns/dns_message.h"

enum { SIZE = 65535 };

static bool expand(const struct dns_rr *rr, struct bytes message, uint8_t *buffer, struct bytes *out)
{
    struct writer w = writer_of(buffer, SIZE);
    if (dns_rdata_expand(rr->type, message, rr->rdata, &w) != WIRE_OK)
        return false;
    *out = writer_bytes(&w);
    ASSERT(dns_rdata_valid(rr->type, *out));
    return true;
}

/* Builds what `message` says; false: it says something that is no DNS, or not all has fitted. */
static bool rebuild(struct bytes message, uint8_t *buffer, size_t size, struct bytes *out)
{
    static uint8_t scratch[SIZE];
    struct dns_cursor cursor;
    struct dns_builder b;
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    dns_build_start(&b, buffer, size);
    bool whole = true;
    struct dns_question question;
    while (dns_cursor_question(&cursor, &question))
        whole &= dns_build_question(&b, &question);
    struct dns_rr rr;
    while (dns_cursor_record(&cursor, &rr)) {
        struct bytes rdata;
        if (!expand(&rr, message, scratch, &rdata))
            return false;
        dns_build_section(&b, rr.section);
        whole &= dns_build_record(
            &b, &(struct dns_build_record){&rr.owner, rr.type, rr.class, rr.ttl, rdata});
    }
    *out = dns_build_finish(&b, cursor.header.id, cursor.header.flags);
    return whole && !cursor.reader.failed;
}

/* Both say the same, record by record. */
static void compare(struct bytes one, struct bytes two)
{
    static uint8_t scratch_a[SIZE];
    static uint8_t scratch_b[SIZE];
    struct dns_cursor a;
    struct dns_cursor b;
    ASSERT(dns_cursor_start(&a, one) == WIRE_OK && dns_cursor_start(&b, two) == WIRE_OK);
    ASSERT(memcmp(&a.header, &b.header, sizeof a.header) == 0);
    struct dns_question question_a;
    struct dns_question question_b;
    while (dns_cursor_question(&a, &question_a)) {
        ASSERT(dns_cursor_question(&b, &question_b));
        ASSERT(dns_name_equal(&question_a.name, &question_b.name));
        ASSERT(question_a.type == question_b.type && question_a.class == question_b.class);
    }
    struct dns_rr rr_a;
    struct dns_rr rr_b;
    while (dns_cursor_record(&a, &rr_a)) {
        ASSERT(dns_cursor_record(&b, &rr_b));
        ASSERT(dns_name_equal(&rr_a.owner, &rr_b.owner));
        ASSERT(rr_a.type == rr_b.type && rr_a.ttl == rr_b.ttl && rr_a.section == rr_b.section);
        struct bytes rdata_a;
        struct bytes rdata_b;
        ASSERT(expand(&rr_a, one, scratch_a, &rdata_a) && expand(&rr_b, two, scratch_b, &rdata_b));
        ASSERT(bytes_equal_nocase(rdata_a, rdata_b));
    }
    ASSERT(!dns_cursor_record(&b, &rr_b) && !b.reader.failed && reader_left(&b.reader) == 0);
}

/* What has been built is always sound. */
static void read_through(struct bytes message)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    ASSERT(dns_cursor_start(&cursor, message) == WIRE_OK);
    while (dns_cursor_record(&cursor, &rr))
        continue;
    ASSERT(!cursor.reader.failed && reader_left(&cursor.reader) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t buffer[SIZE];
    struct bytes message = bytes_of(data, len);
    struct dns_summary summary;
    if (dns_summarise(message, &summary) == WIRE_OK) {
        ASSERT(summary.question_end <= len);
        struct bytes option;
        (void)dns_summary_rcode(&summary);
        if (dns_edns_option(&summary.edns, 10, &option))
            ASSERT(option.len <= summary.edns.options.len);
    }
    struct bytes built;
    if (rebuild(message, buffer, sizeof buffer, &built))
        compare(message, built);
    size_t small = DNS_HEADER_LEN + (len > 0 ? data[len - 1] : 0);
    built = bytes_empty();
    (void)rebuild(message, buffer, small, &built);
    ASSERT(built.len <= small);
    if (built.len > 0)
        read_through(built);
    return 0;
}

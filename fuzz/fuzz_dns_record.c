/* SPDX-License-Identifier: ISC */
/* fuzz_dns_record.c - any text as a line of a master file: what is read is printed and read again. */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "wire/dns/dns_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t buffer[DNS_RDATA_MAX];
    static uint8_t again_buffer[DNS_RDATA_MAX];
    static char printed[4 * DNS_RDATA_MAX + 2 * DNS_NAME_TEXT_MAX];
    char reason[200];
    struct dns_name origin;
    ASSERT(dns_name_parse(bytes_of_text("home.arpa"), NULL, &origin));
    struct dns_line_context context = {.origin = &origin, .owner = &origin, .ttl = 60};
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct writer w = writer_of(buffer, sizeof buffer);
    struct dns_record record;
    if (!dns_record_parse(bytes_of(data, len), &context, &w, &record, &error)) {
        ASSERT(error.text.len > 0);
        return 0;
    }
    ASSERT(dns_rdata_valid(record.type, record.rdata));
    struct text t = text_of(printed, sizeof printed);
    dns_record_format(&record, &t);
    ASSERT(!t.failed);
    struct writer again_w = writer_of(again_buffer, sizeof again_buffer);
    struct dns_record again;
    ASSERT(dns_record_parse(text_bytes(&t), &context, &again_w, &again, &error));
    ASSERT(dns_name_same(&record.owner, &again.owner) && bytes_equal(record.rdata, again.rdata));
    ASSERT(record.type == again.type && record.class == again.class && record.ttl == again.ttl);
    return 0;
}

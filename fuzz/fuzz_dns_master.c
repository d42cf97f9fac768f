/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dns_master.c - any octets as a master file: it ends, what comes out is valid, and an error
 * has a place that is in the file.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "wire/dns/dns_master.h"

enum { RECORDS_MAX = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t buffer[DNS_RDATA_MAX];
    static struct dns_master_item item;
    struct dns_master m;
    struct dns_name origin;
    unsigned lines = 1;
    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    ASSERT(dns_name_parse(bytes_of_text("home.arpa"), NULL, &origin));
    dns_master_start(&m, bytes_of(data, len), &origin);
    for (unsigned count = 0; count < RECORDS_MAX; count++) {
        struct writer w = writer_of(buffer, sizeof buffer);
        enum dns_master_kind kind = dns_master_next(&m, &w, &item);
        ASSERT(item.line >= 1 && item.line <= lines);
        if (kind == DNS_MASTER_RECORD)
            ASSERT(dns_rdata_valid(item.record.type, item.record.rdata));
        if (kind == DNS_MASTER_ERROR)
            ASSERT(item.error[0] != '\0' && item.column <= len + 1);
        if (kind == DNS_MASTER_END || kind == DNS_MASTER_ERROR)
            return 0;
    }
    return 0;
}

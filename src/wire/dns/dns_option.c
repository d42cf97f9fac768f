/* SPDX-License-Identifier: ISC */
/* dns_option.c - the names of extended errors, as their registry has them (RFC 8914 §5.2), and options
 * added to a message that is done. */
#include "wire/dns/dns_option.h"

#include "wire/dns/dns_message.h"

const char *dns_ede_text(unsigned code)
{
    static const char *const names[] = {
        [DNS_EDE_OTHER] = "Other Error",
        [DNS_EDE_UNSUPPORTED_ALGORITHM] = "Unsupported DNSKEY Algorithm",
        [DNS_EDE_UNSUPPORTED_DIGEST] = "Unsupported DS Digest Type",
        [DNS_EDE_STALE] = "Stale Answer",
        [DNS_EDE_FORGED] = "Forged Answer",
        [DNS_EDE_INDETERMINATE] = "DNSSEC Indeterminate",
        [DNS_EDE_BOGUS] = "DNSSEC Bogus",
        [DNS_EDE_SIGNATURE_EXPIRED] = "Signature Expired",
        [DNS_EDE_SIGNATURE_NOT_YET] = "Signature Not Yet Valid",
        [DNS_EDE_DNSKEY_MISSING] = "DNSKEY Missing",
        [DNS_EDE_RRSIGS_MISSING] = "RRSIGs Missing",
        [DNS_EDE_NO_ZONE_KEY] = "No Zone Key Bit Set",
        [DNS_EDE_NSEC_MISSING] = "NSEC Missing",
        [DNS_EDE_CACHED_ERROR] = "Cached Error",
        [DNS_EDE_NOT_READY] = "Not Ready",
        [DNS_EDE_BLOCKED] = "Blocked",
        [DNS_EDE_CENSORED] = "Censored",
        [DNS_EDE_FILTERED] = "Filtered",
        [DNS_EDE_PROHIBITED] = "Prohibited",
        [DNS_EDE_STALE_NXDOMAIN] = "Stale NXDOMAIN Answer",
        [DNS_EDE_NOT_AUTHORITATIVE] = "Not Authoritative",
        [DNS_EDE_NOT_SUPPORTED] = "Not Supported",
        [DNS_EDE_NO_REACHABLE_AUTHORITY] = "No Reachable Authority",
        [DNS_EDE_NETWORK_ERROR] = "Network Error",
        [DNS_EDE_INVALID_DATA] = "Invalid Data",
        [DNS_EDE_SIGNATURE_TOO_EARLY] = "Signature Expired before Valid",
        [DNS_EDE_TOO_EARLY] = "Too Early",
        [DNS_EDE_NSEC3_ITERATIONS] = "Unsupported NSEC3 Iterations Value",
        [DNS_EDE_POLICY] = "Unable to conform to policy",
        [DNS_EDE_SYNTHESIZED] = "Synthesized",
    };
    _Static_assert(ARRAY_LEN(names) == DNS_EDE_COUNT, "each code has its name");
    return code < ARRAY_LEN(names) ? names[code] : "unknown";
}

size_t dns_option_append(uint8_t *message, size_t len, size_t size, uint16_t code,
                         struct bytes value)
{
    struct dns_cursor cursor;
    struct dns_rr rr = {.type = 0};
    if (dns_cursor_start(&cursor, bytes_of(message, len)) != WIRE_OK)
        return len;
    while (dns_cursor_record(&cursor, &rr))
        continue;
    size_t added = DNS_OPTION_HEAD_LEN + value.len;
    size_t rdata_len = rr.rdata.len + added;
    if (cursor.reader.failed || rr.type != DNS_OPT || reader_left(&cursor.reader) > 0 ||
        len > size || added > size - len || rdata_len > UINT16_MAX)
        return len;
    struct writer w = writer_of(message, size);
    w.next = message + len;
    dns_option_write(&w, code, value);
    write_u16_at(&w, len - rr.rdata.len - 2, (uint16_t)rdata_len);
    return w.failed ? len : len + added;
}

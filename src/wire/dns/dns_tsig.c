/* SPDX-License-Identifier: ISC */
/* dns_tsig.c - the TSIG record (RFC 8945 §4.2, §4.3). */
#include "wire/dns/dns_tsig.h"

const char *dns_tsig_error_text(unsigned error)
{
    switch (error) {
    case DNS_TSIG_BADSIG:
        return "BADSIG";
    case DNS_TSIG_BADKEY:
        return "BADKEY";
    case DNS_TSIG_BADTIME:
        return "BADTIME";
    case DNS_TSIG_BADTRUNC:
        return "BADTRUNC";
    default:
        return dns_rcode_text(error);
    }
}

static uint64_t read_u48(struct reader *r)
{
    uint64_t high = read_u16(r);
    uint64_t low = read_u32(r);
    return high << 32 | low;
}

static void write_u48(struct writer *w, uint64_t value)
{
    write_u16(w, (uint16_t)(value >> 32));
    write_u32(w, (uint32_t)value);
}

/* Names in the RDATA are not compressed (RFC 8945 §4.2). */
static void read_plain_name(struct reader *r, struct dns_name *out)
{
    const uint8_t *start = r->next;
    dns_name_skip(r);
    if (!r->failed && !dns_name_from_wire(bytes_of(start, (size_t)(r->next - start)), out))
        r->failed = true;
}

enum wire_status dns_tsig_decode(struct bytes message, size_t at, struct dns_tsig *out)
{
    struct reader r = reader_of(bytes_after(message, at));
    dns_name_read(&r, message, &out->key);
    uint16_t type = read_u16(&r);
    uint16_t class = read_u16(&r);
    uint32_t ttl = read_u32(&r);
    uint16_t len = read_u16(&r);
    struct reader in = reader_of(read_bytes(&r, len));
    read_plain_name(&in, &out->algorithm);
    out->time_signed = read_u48(&in);
    out->fudge = read_u16(&in);
    uint16_t mac_len = read_u16(&in);
    out->mac = read_bytes(&in, mac_len);
    out->original_id = read_u16(&in);
    out->error = read_u16(&in);
    uint16_t other_len = read_u16(&in);
    out->other = read_bytes(&in, other_len);
    if (r.failed || in.failed || reader_left(&in) > 0 || type != DNS_TSIG ||
        class != DNS_CLASS_ANY || ttl != 0)
        return WIRE_MALFORMED;
    return WIRE_OK;
}

size_t dns_tsig_len(const struct dns_tsig *tsig)
{
    return tsig->key.len + tsig->algorithm.len + (size_t)DNS_TSIG_FIXED_LEN + tsig->mac.len +
           tsig->other.len;
}

size_t dns_tsig_append(uint8_t *message, size_t len, size_t size, const struct dns_tsig *tsig)
{
    enum { ARCOUNT_AT = 10 };
    struct reader counts = reader_of(bytes_of(message + ARCOUNT_AT, 2));
    uint16_t count = read_u16(&counts);
    size_t needed = dns_tsig_len(tsig);
    if (len > size || needed > size - len || count == UINT16_MAX)
        return len;
    struct writer w = writer_of(message + len, needed);
    dns_name_write(&w, &tsig->key);
    write_u16(&w, DNS_TSIG);
    write_u16(&w, DNS_CLASS_ANY);
    write_u32(&w, 0);
    write_u16(&w, (uint16_t)(needed - tsig->key.len - 10));
    dns_name_write(&w, &tsig->algorithm);
    write_u48(&w, tsig->time_signed);
    write_u16(&w, tsig->fudge);
    write_u16(&w, (uint16_t)tsig->mac.len);
    write_bytes(&w, tsig->mac);
    write_u16(&w, tsig->original_id);
    write_u16(&w, tsig->error);
    write_u16(&w, (uint16_t)tsig->other.len);
    write_bytes(&w, tsig->other);
    ASSERT(!w.failed && writer_room(&w) == 0);
    struct writer counter = writer_of(message + ARCOUNT_AT, 2);
    write_u16(&counter, (uint16_t)(count + 1));
    return len + needed;
}

void dns_tsig_write_timers(struct writer *w, const struct dns_tsig *tsig)
{
    write_u48(w, tsig->time_signed);
    write_u16(w, tsig->fudge);
}

void dns_tsig_write_variables(struct writer *w, const struct dns_tsig *tsig)
{
    struct dns_name key = tsig->key;
    struct dns_name algorithm = tsig->algorithm;
    dns_name_lower(&key); /* in canonical form (RFC 4034 §6.2) */
    dns_name_lower(&algorithm);
    dns_name_write(w, &key);
    write_u16(w, DNS_CLASS_ANY);
    write_u32(w, 0);
    dns_name_write(w, &algorithm);
    dns_tsig_write_timers(w, tsig);
    write_u16(w, tsig->error);
    write_u16(w, (uint16_t)tsig->other.len);
    write_bytes(w, tsig->other);
}

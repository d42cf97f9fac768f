/* SPDX-License-Identifier: ISC */
/* dns_bitmap.c - which types a name has (RFC 4034 §4.1.2). */
#include "wire/dns/dns_bitmap.h"

#include "wire/dns/dns_field.h"
#include "wire/dns/dns_record.h"

enum { WINDOW_MAX = 32 };

void dns_bitmap_write(struct writer *w, const uint16_t *types, size_t count)
{
    size_t i = 0;
    while (i < count) {
        uint8_t window = (uint8_t)(types[i] >> 8);
        uint8_t bits[WINDOW_MAX] = {0};
        unsigned len = 0;
        for (; i < count && types[i] >> 8 == window; i++) {
            unsigned low = types[i] & 0xff;
            bits[low / 8] |= (uint8_t)(0x80 >> low % 8);
            len = low / 8 + 1;
        }
        write_u8(w, window);
        write_u8(w, (uint8_t)len);
        write_copy(w, bits, len);
    }
}

bool dns_bitmap_has(struct bytes bitmap, uint16_t type)
{
    struct reader r = reader_of(bitmap);
    while (reader_left(&r) > 0) {
        uint8_t window = read_u8(&r);
        uint8_t len = read_u8(&r);
        struct bytes bits = read_bytes(&r, len);
        if (r.failed)
            return false;
        unsigned low = type & 0xff;
        if (window == type >> 8)
            return low / 8 < bits.len && (bits.data[low / 8] & 0x80 >> low % 8) != 0;
    }
    return false;
}

/* Windows ascend, and none ends in a zero octet: there is one form only. */
void dns_bitmap_take(struct reader *r)
{
    int last = -1;
    while (!r->failed && reader_left(r) > 0) {
        uint8_t window = read_u8(r);
        uint8_t len = read_u8(r);
        struct bytes bits = read_bytes(r, len);
        if (window <= last || len == 0 || len > WINDOW_MAX || r->failed ||
            bits.data[len - 1] == 0) {
            r->failed = true;
            return;
        }
        last = window;
    }
}

bool dns_bitmap_parse(struct bytes *rest, struct writer *out, struct dns_error *error)
{
    uint8_t bits[65536 / 8] = {0};
    struct dns_token token;
    enum dns_token_kind kind;
    while ((kind = dns_token_next(rest, &token)) == DNS_TOKEN_WORD) {
        uint16_t type;
        if (token.quoted || !dns_type_parse(token.text, &type))
            return dns_complain(error, "not a record type", token.text);
        bits[type / 8] |= (uint8_t)(0x80 >> type % 8);
    }
    if (kind == DNS_TOKEN_BROKEN)
        return dns_complain(error, "an open quote or escape", bytes_empty());
    for (unsigned window = 0; window < 256; window++) {
        const uint8_t *at = bits + window * WINDOW_MAX;
        unsigned len = WINDOW_MAX;
        while (len > 0 && at[len - 1] == 0)
            len--;
        if (len == 0)
            continue;
        write_u8(out, (uint8_t)window);
        write_u8(out, (uint8_t)len);
        write_copy(out, at, len);
    }
    return true;
}

void dns_bitmap_format(struct reader *r, struct text *out)
{
    bool first = true;
    while (!r->failed && reader_left(r) > 0) {
        unsigned window = read_u8(r);
        uint8_t len = read_u8(r);
        struct bytes bits = read_bytes(r, len);
        for (unsigned i = 0; i < bits.len * 8; i++) {
            char name[DNS_TYPE_TEXT_MAX];
            if (!(bits.data[i / 8] & 0x80 >> i % 8))
                continue;
            if (!first)
                text_add(out, " ");
            text_add(out, dns_type_format((uint16_t)(window << 8 | i), name));
            first = false;
        }
    }
}

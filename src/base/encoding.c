/* SPDX-License-Identifier: ISC */
/* encoding.c - base16, base32hex and base64 (RFC 4648 §4, §5, §7, §8). */
#include "base/encoding.h"

static const struct scheme {
    const char *letters; /* in the order of their values */
    uint8_t bits;        /* of one letter */
    uint8_t group;       /* letters that make whole octets */
    bool any_case;
    bool pads;
} schemes[] = {
    [ENCODING_BASE16] = {"0123456789abcdef", 4, 2, true, false},
    [ENCODING_BASE32HEX] = {"0123456789ABCDEFGHIJKLMNOPQRSTUV", 5, 8, true, false},
    [ENCODING_BASE64] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 4,
                         false, true},
    [ENCODING_BASE64URL] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, 4,
                            false, false},
};
_Static_assert(ARRAY_LEN(schemes) == ENCODING_COUNT, "one row per encoding");

struct decoder decoder_of(enum encoding encoding)
{
    return (struct decoder){.encoding = encoding};
}

static bool is_letter(uint8_t c, uint8_t first, uint8_t last)
{
    return c >= first && c <= last;
}

/* The letter's value, or -1. */
static int value_of(enum encoding encoding, uint8_t c)
{
    if (encoding == ENCODING_BASE64 || encoding == ENCODING_BASE64URL) {
        bool url = encoding == ENCODING_BASE64URL;
        if (is_letter(c, 'A', 'Z'))
            return c - 'A';
        if (is_letter(c, 'a', 'z'))
            return c - 'a' + 26;
        if (is_letter(c, '0', '9'))
            return c - '0' + 52;
        return c == (url ? '-' : '+') ? 62 : c == (url ? '_' : '/') ? 63 : -1;
    }
    if (is_letter(c, '0', '9'))
        return c - '0';
    c |= 0x20;
    uint8_t last = encoding == ENCODING_BASE16 ? 'f' : 'v';
    return is_letter(c, 'a', last) ? c - 'a' + 10 : -1;
}

bool decoder_feed(struct decoder *d, struct bytes text, struct writer *out)
{
    const struct scheme *scheme = &schemes[d->encoding];
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '=' && scheme->pads) {
            d->pads++;
            if (d->letters < 2 || d->letters + d->pads > scheme->group)
                return false;
            continue;
        }
        int value = value_of(d->encoding, text.data[i]);
        if (value < 0 || d->pads > 0)
            return false;
        d->bits = (d->bits << scheme->bits | (uint32_t)value) & 0xffff;
        d->bit_count = (uint8_t)(d->bit_count + scheme->bits);
        d->letters = (uint8_t)((d->letters + 1) % scheme->group);
        if (d->bit_count >= 8) {
            d->bit_count = (uint8_t)(d->bit_count - 8);
            write_u8(out, (uint8_t)(d->bits >> d->bit_count));
        }
    }
    return true;
}

bool decoder_at_end(const struct decoder *d)
{
    const struct scheme *scheme = &schemes[d->encoding];
    if (d->letters == 0)
        return d->pads == 0;
    /* A last letter without one whole octet of news, or bits that say nothing, are mistakes. */
    uint32_t left = d->bits & ((1u << d->bit_count) - 1);
    bool group_is_whole = !scheme->pads || d->letters + d->pads == scheme->group;
    return group_is_whole && d->bit_count < scheme->bits && left == 0;
}

bool encoding_decode(enum encoding encoding, struct bytes text, struct writer *out)
{
    struct decoder d = decoder_of(encoding);
    return decoder_feed(&d, text, out) && decoder_at_end(&d);
}

void encoding_format(enum encoding encoding, struct bytes in, struct text *out)
{
    const struct scheme *scheme = &schemes[encoding];
    unsigned mask = (1u << scheme->bits) - 1;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    unsigned letters = 0;
    for (size_t i = 0; i < in.len; i++) {
        bits = (bits << 8 | in.data[i]) & 0xffff;
        for (bit_count += 8; bit_count >= scheme->bits; letters++) {
            bit_count -= scheme->bits;
            text_add_bytes(out, bytes_of(&scheme->letters[bits >> bit_count & mask], 1));
        }
    }
    if (bit_count > 0) {
        text_add_bytes(out, bytes_of(&scheme->letters[bits << (scheme->bits - bit_count) & mask], 1));
        letters++;
    }
    while (scheme->pads && letters % scheme->group != 0) {
        text_add(out, "=");
        letters++;
    }
}

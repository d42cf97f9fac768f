/* SPDX-License-Identifier: ISC */
/*
 * address.c - classes of addresses (RFC 4291, RFC 1122 §3.2.1.3, RFC 3927) and their text:
 * parsing by RFC 4291 §2.2, formatting by RFC 5952.
 */
#include "base/address.h"

#include "base/text.h"

enum { V4_AT = 12 }; /* where the IPv4 address lies in its mapped form */

static const uint8_t mapped_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};

struct ip_address address_v4(uint32_t value)
{
    struct ip_address a;
    memcpy(a.octets, mapped_prefix, V4_AT);
    a.octets[12] = (uint8_t)(value >> 24);
    a.octets[13] = (uint8_t)(value >> 16);
    a.octets[14] = (uint8_t)(value >> 8);
    a.octets[15] = (uint8_t)value;
    return a;
}

bool address_is_v4(const struct ip_address *a)
{
    return memcmp(a->octets, mapped_prefix, V4_AT) == 0;
}

uint32_t address_v4_value(const struct ip_address *a)
{
    if (!address_is_v4(a))
        return 0;
    const uint8_t *p = a->octets + V4_AT;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct ip_address address_any_v4(void)
{
    return address_v4(0);
}

struct ip_address address_any_v6(void)
{
    return (struct ip_address){{0}};
}

bool address_is_any(const struct ip_address *a)
{
    static const struct ip_address any_v6 = {{0}};
    if (address_is_v4(a))
        return address_v4_value(a) == 0;
    return address_equal(a, &any_v6);
}

bool address_is_loopback(const struct ip_address *a)
{
    static const struct ip_address loopback_v6 = {{[15] = 1}};
    if (address_is_v4(a))
        return a->octets[V4_AT] == 127;
    return address_equal(a, &loopback_v6);
}

bool address_is_multicast(const struct ip_address *a)
{
    if (address_is_v4(a))
        return (a->octets[V4_AT] & 0xf0) == 0xe0;
    return a->octets[0] == 0xff;
}

bool address_is_broadcast(const struct ip_address *a)
{
    return address_v4_value(a) == UINT32_MAX;
}

bool address_is_link_local(const struct ip_address *a)
{
    if (address_is_v4(a))
        return a->octets[V4_AT] == 169 && a->octets[V4_AT + 1] == 254;
    return a->octets[0] == 0xfe && (a->octets[1] & 0xc0) == 0x80;
}

uint32_t prefix_mask_v4(uint8_t len)
{
    ASSERT(len <= 32);
    return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

bool prefix_contains(const struct ip_prefix *prefix, const struct ip_address *a)
{
    bool v4 = address_is_v4(&prefix->address);
    if (v4 != address_is_v4(a))
        return false;
    size_t bits = prefix->len + (v4 ? (size_t)V4_AT * 8 : 0);
    ASSERT(bits <= 128);
    size_t whole = bits / 8;
    if (memcmp(prefix->address.octets, a->octets, whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff00u >> bits % 8);
    return ((prefix->address.octets[whole] ^ a->octets[whole]) & mask) == 0;
}

struct ip_address prefix_broadcast(const struct ip_prefix *prefix)
{
    ASSERT(prefix->len <= 32);
    return address_v4(address_v4_value(&prefix->address) | ~prefix_mask_v4(prefix->len));
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool mac_is_multicast(const struct mac *a)
{
    return (a->octets[0] & 1) != 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Takes the part before the first `separator` off the front of *text, and the separator. */
static struct bytes split(struct bytes *text, uint8_t separator, bool *found)
{
    size_t at = bytes_find(*text, separator);
    struct bytes part = bytes_first(*text, at);
    *found = at < text->len;
    *text = bytes_after(*text, at + 1);
    return part;
}

/* Four decimal numbers; a leading zero is refused, as some read octal then (RFC 6943 §3.1.1). */
static bool parse_v4(struct bytes text, uint8_t out[4])
{
    for (size_t i = 0; i < 4; i++) {
        bool more;
        struct bytes part = split(&text, '.', &more);
        uint64_t value;
        if (more != (i < 3) || part.len > 3 || !text_parse_number(part, 255, &value))
            return false;
        if (part.len > 1 && part.data[0] == '0')
            return false;
        out[i] = (uint8_t)value;
    }
    return true;
}

static bool parse_group(struct bytes part, uint8_t out[2])
{
    if (part.len < 1 || part.len > 4)
        return false;
    unsigned value = 0;
    for (size_t i = 0; i < part.len; i++) {
        int digit = hex_value(part.data[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return true;
}

/*
 * Groups separated by single colons into `out` from its start; the last may be an IPv4 address.
 * Returns the octets made, or SIZE_MAX when it is not so. Nothing at all makes 0.
 */
static size_t parse_groups(struct bytes text, size_t max, bool v4_allowed, uint8_t out[16])
{
    size_t len = 0;
    bool more = text.len > 0;
    while (more) {
        struct bytes part = split(&text, ':', &more);
        if (!more && v4_allowed && bytes_find(part, '.') < part.len) {
            if (max - len < 4 || !parse_v4(part, out + len))
                return SIZE_MAX;
            return len + 4;
        }
        if (max - len < 2 || !parse_group(part, out + len))
            return SIZE_MAX;
        len += 2;
    }
    return len;
}

static size_t find_double_colon(struct bytes text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == ':' && text.data[i + 1] == ':')
            return i;
    return text.len;
}

static bool parse_v6(struct bytes text, uint8_t out[16])
{
    size_t gap = find_double_colon(text);
    if (gap == text.len)
        return parse_groups(text, 16, true, out) == 16;

    /* "::" stands for at least one group of zeros (RFC 4291 §2.2). */
    uint8_t tail[16];
    memset(out, 0, 16);
    size_t head_len = parse_groups(bytes_first(text, gap), 14, false, out);
    if (head_len == SIZE_MAX)
        return false;
    size_t tail_len = parse_groups(bytes_after(text, gap + 2), 14 - head_len, true, tail);
    if (tail_len == SIZE_MAX)
        return false;
    memcpy(out + 16 - tail_len, tail, tail_len);
    return true;
}

bool address_parse(struct bytes text, struct ip_address *out)
{
    struct ip_address a = address_v4(0);
    bool good = bytes_find(text, ':') < text.len ? parse_v6(text, a.octets)
                                                 : parse_v4(text, a.octets + V4_AT);
    if (good)
        *out = a;
    return good;
}

bool prefix_parse(struct bytes text, struct ip_prefix *out)
{
    bool found;
    struct ip_prefix prefix;
    struct bytes address = split(&text, '/', &found);
    if (!found || !address_parse(address, &prefix.address))
        return false;
    uint64_t len;
    if (text.len > 3 || !text_parse_number(text, address_is_v4(&prefix.address) ? 32 : 128, &len))
        return false;
    prefix.len = (uint8_t)len;
    *out = prefix;
    return true;
}

bool endpoint_parse(struct bytes text, struct endpoint *out)
{
    struct endpoint e;
    bool found;
    bool bracketed = text.len > 0 && text.data[0] == '[';
    if (bracketed)
        text = bytes_after(text, 1);
    struct bytes address = split(&text, bracketed ? ']' : ':', &found);
    if (!found || bracketed != (bytes_find(address, ':') < address.len))
        return false;
    if (bracketed) {
        if (text.len < 1 || text.data[0] != ':')
            return false;
        text = bytes_after(text, 1);
    }
    uint64_t port;
    if (!address_parse(address, &e.address) || text.len > 5 ||
        !text_parse_number(text, UINT16_MAX, &port))
        return false;
    e.port = (uint16_t)port;
    *out = e;
    return true;
}

bool mac_parse(struct bytes text, struct mac *out)
{
    struct mac mac;
    if (text.len != MAC_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; i < 6; i++) {
        int high = hex_value(text.data[i * 3]);
        int low = hex_value(text.data[i * 3 + 1]);
        if (high < 0 || low < 0 || (i < 5 && text.data[i * 3 + 2] != ':'))
            return false;
        mac.octets[i] = (uint8_t)(high << 4 | low);
    }
    *out = mac;
    return true;
}

static unsigned group_at(const struct ip_address *a, size_t i)
{
    return (unsigned)a->octets[i * 2] << 8 | a->octets[i * 2 + 1];
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 §4.2). */
static size_t longest_zeros(const struct ip_address *a, size_t *len)
{
    size_t best = 8;
    *len = 1;
    for (size_t i = 0; i < 8;) {
        size_t end = i;
        while (end < 8 && group_at(a, end) == 0)
            end++;
        if (end - i > *len) {
            best = i;
            *len = end - i;
        }
        i = end + 1;
    }
    return best;
}

char *address_format(const struct ip_address *a, char out[ADDRESS_TEXT_MAX])
{
    struct text t = text_of(out, ADDRESS_TEXT_MAX);
    if (address_is_v4(a)) {
        const uint8_t *p = a->octets + V4_AT;
        text_add_format(&t, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
        return out;
    }
    size_t zeros_len;
    size_t zeros = longest_zeros(a, &zeros_len);
    for (size_t i = 0; i < 8;) {
        if (i == zeros) {
            text_add(&t, "::");
            i += zeros_len;
            continue;
        }
        bool first = i == 0 || i == zeros + zeros_len;
        text_add_format(&t, first ? "%x" : ":%x", group_at(a, i));
        i++;
    }
    return out;
}

char *prefix_format(const struct ip_prefix *prefix, char out[PREFIX_TEXT_MAX])
{
    char address[ADDRESS_TEXT_MAX];
    struct text t = text_of(out, PREFIX_TEXT_MAX);
    text_add_format(&t, "%s/%u", address_format(&prefix->address, address), prefix->len);
    return out;
}

char *endpoint_format(const struct endpoint *e, char out[ENDPOINT_TEXT_MAX])
{
    char address[ADDRESS_TEXT_MAX];
    struct text t = text_of(out, ENDPOINT_TEXT_MAX);
    address_format(&e->address, address);
    text_add_format(&t, address_is_v4(&e->address) ? "%s:%u" : "[%s]:%u", address, e->port);
    return out;
}

char *mac_format(const struct mac *a, char out[MAC_TEXT_MAX])
{
    const uint8_t *p = a->octets;
    struct text t = text_of(out, MAC_TEXT_MAX);
    text_add_format(&t, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4], p[5]);
    return out;
}

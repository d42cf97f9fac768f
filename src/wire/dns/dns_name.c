/* SPDX-License-Identifier: ISC */
/*
 * dns_name.c - reading names with bounded pointers, comparing them, and their text (RFC 1035 §3.1,
 * §4.1.4, §5.1).
 */
#include "wire/dns/dns_name.h"

enum {
    HEADER_LEN = 12,
    POINTER = 0xc0,
};

static const uint8_t in_addr_arpa[] = "\7in-addr\4arpa";
static const uint8_t ip6_arpa[] = "\3ip6\4arpa";

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

void dns_name_root(struct dns_name *out)
{
    out->len = 1;
    out->octets[0] = 0;
}

/* Copies labels from offset `at` on. Returns how far the name reaches where it was met, 0 when it
 * is none. `end`: of the part that it was met in. */
static size_t expand(struct bytes message, size_t at, size_t end, struct dns_name *out)
{
    size_t part = at; /* where the current run of labels began: pointers must lead before it */
    size_t after = 0;
    size_t len = 0;
    while (at < end) {
        uint8_t c = message.data[at];
        if (c >= POINTER) {
            if (end - at < 2)
                return 0;
            size_t target = (size_t)(c & 0x3f) << 8 | message.data[at + 1];
            if (target >= part || target < HEADER_LEN)
                return 0;
            if (after == 0)
                after = at + 2;
            part = at = target;
            continue;
        }
        /* 01 and 10 are no labels (RFC 6891 §5 withdrew the extended ones). */
        if (c > DNS_LABEL_MAX || end - at < (size_t)c + 1 || len + c + 1 > DNS_NAME_MAX)
            return 0;
        memcpy(out->octets + len, message.data + at, (size_t)c + 1);
        len += (size_t)c + 1;
        at += (size_t)c + 1;
        if (c == 0) {
            out->len = (uint8_t)len;
            return after != 0 ? after : at;
        }
    }
    return 0;
}

void dns_name_read(struct reader *r, struct bytes message, struct dns_name *out)
{
    /* An empty view lies nowhere: RDATA of length 0, say. */
    if (!r->failed && reader_left(r) > 0) {
        ASSERT(r->next >= message.data && r->end <= message.data + message.len);
        size_t at = (size_t)(r->next - message.data);
        size_t after = expand(message, at, (size_t)(r->end - message.data), out);
        if (after != 0) {
            r->next = message.data + after;
            return;
        }
    }
    r->failed = true;
    dns_name_root(out);
}

void dns_name_skip(struct reader *r)
{
    for (;;) {
        uint8_t c = read_u8(r);
        if (c >= POINTER) {
            read_skip(r, 1);
            return;
        }
        if (c > DNS_LABEL_MAX)
            r->failed = true;
        if (c == 0 || r->failed)
            return;
        read_skip(r, c);
    }
}

bool dns_name_from_wire(struct bytes wire, struct dns_name *out)
{
    size_t at = 0;
    if (wire.len > DNS_NAME_MAX)
        return false;
    while (at < wire.len && wire.data[at] != 0) {
        if (wire.data[at] > DNS_LABEL_MAX)
            return false;
        at += (size_t)wire.data[at] + 1;
    }
    if (at + 1 != wire.len)
        return false;
    out->len = (uint8_t)wire.len;
    memcpy(out->octets, wire.data, wire.len);
    return true;
}

void dns_name_write(struct writer *w, const struct dns_name *name)
{
    write_copy(w, name->octets, name->len);
}

void dns_name_labels(const struct dns_name *name, struct dns_labels *out)
{
    uint8_t count = 0;
    for (size_t at = 0; name->octets[at] != 0; at += (size_t)name->octets[at] + 1)
        out->at[count++] = (uint8_t)at;
    out->count = count;
}

/* Length octets are below 'A', so whole wire forms can be compared like text. */
static bool same_nocase(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && same_nocase(a->octets, b->octets, a->len);
}

bool dns_name_same(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *ancestor)
{
    if (name->len < ancestor->len)
        return false;
    size_t start = (size_t)name->len - ancestor->len;
    size_t at = 0;
    while (at < start)
        at += (size_t)name->octets[at] + 1;
    return at == start && same_nocase(name->octets + start, ancestor->octets, ancestor->len);
}

void dns_name_parent(const struct dns_name *name, struct dns_name *out)
{
    size_t skip = name->octets[0] != 0 ? (size_t)name->octets[0] + 1 : 0;
    size_t len = name->len - skip;
    memmove(out->octets, name->octets + skip, len);
    out->len = (uint8_t)len;
}

bool dns_name_child(struct bytes label, const struct dns_name *parent, struct dns_name *out)
{
    if (label.len == 0 || label.len > DNS_LABEL_MAX || label.len + 1 + parent->len > DNS_NAME_MAX)
        return false;
    struct dns_name name;
    name.octets[0] = (uint8_t)label.len;
    memcpy(name.octets + 1, label.data, label.len);
    memcpy(name.octets + 1 + label.len, parent->octets, parent->len);
    name.len = (uint8_t)(label.len + 1 + parent->len);
    *out = name;
    return true;
}

void dns_name_lower(struct dns_name *name)
{
    for (size_t i = 0; i < name->len; i++)
        name->octets[i] = lower(name->octets[i]);
}

uint32_t dns_name_hash(const struct dns_name *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a, then mixed */
    for (size_t i = 0; i < name->len; i++)
        hash = (hash ^ lower(name->octets[i])) * 16777619u;
    hash ^= hash >> 15;
    hash *= 0x2c1b3c6du;
    return hash ^ hash >> 12;
}

/* ---- text ---- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* One octet of a label, escaped or not. False: a broken escape. */
static bool take_octet(struct reader *r, uint8_t *out)
{
    uint8_t c = read_u8(r);
    if (c != '\\') {
        *out = c;
        return true;
    }
    c = read_u8(r);
    if (is_digit(c)) {
        uint8_t tens = read_u8(r);
        uint8_t ones = read_u8(r);
        unsigned value = (c - '0') * 100u + (tens - '0') * 10u + (ones - (unsigned)'0');
        if (!is_digit(tens) || !is_digit(ones) || value > 255)
            return false;
        c = (uint8_t)value;
    }
    *out = c;
    return !r->failed;
}

/* Labels up to the end of the text into out->octets, without a root. Sets *absolute when the text
 * ends in a dot. */
static bool parse_labels(struct bytes text, struct dns_name *out, bool *absolute)
{
    struct reader r = reader_of(text);
    size_t length_at = 0;
    size_t len = 1;
    *absolute = false;
    while (reader_left(&r) > 0) {
        bool dot = *r.next == '.';
        uint8_t c;
        if (!take_octet(&r, &c))
            return false;
        size_t label_len = len - length_at - 1;
        if (dot) {
            if (label_len == 0 || len >= DNS_NAME_MAX)
                return false;
            out->octets[length_at] = (uint8_t)label_len;
            length_at = len++;
            *absolute = reader_left(&r) == 0;
        } else {
            if (label_len == DNS_LABEL_MAX || len >= DNS_NAME_MAX)
                return false;
            out->octets[len++] = c;
        }
    }
    if (*absolute) {
        out->len = (uint8_t)length_at;
        return true;
    }
    out->octets[length_at] = (uint8_t)(len - length_at - 1);
    out->len = (uint8_t)len;
    return true;
}

bool dns_name_parse(struct bytes text, const struct dns_name *origin, struct dns_name *out)
{
    struct dns_name root;
    dns_name_root(&root);
    if (origin == NULL)
        origin = &root;
    if (bytes_equal(text, bytes_of_text("."))) {
        *out = root;
        return true;
    }
    if (bytes_equal(text, bytes_of_text("@"))) {
        *out = *origin;
        return true;
    }
    struct dns_name name;
    bool absolute;
    if (text.len == 0 || !parse_labels(text, &name, &absolute))
        return false;
    const struct dns_name *end = absolute ? &root : origin;
    if ((size_t)name.len + end->len > DNS_NAME_MAX)
        return false;
    memcpy(name.octets + name.len, end->octets, end->len);
    name.len = (uint8_t)(name.len + end->len);
    *out = name;
    return true;
}

/* What has a meaning in a master file, in or around a name. */
static bool is_special(uint8_t c)
{
    return c == '.' || c == '\\' || c == '"' || c == '(' || c == ')' || c == ';' || c == '@' ||
           c == '$';
}

static char *format_octet(char *p, uint8_t c)
{
    if (c <= ' ' || c >= 0x7f) {
        *p++ = '\\';
        *p++ = (char)('0' + c / 100);
        *p++ = (char)('0' + c / 10 % 10);
        *p++ = (char)('0' + c % 10);
        return p;
    }
    if (is_special(c))
        *p++ = '\\';
    *p++ = (char)c;
    return p;
}

char *dns_name_format(const struct dns_name *name, char out[DNS_NAME_TEXT_MAX])
{
    char *p = out;
    for (size_t at = 0; name->octets[at] != 0; at += (size_t)name->octets[at] + 1) {
        struct bytes label = dns_name_label(name, at);
        for (size_t i = 0; i < label.len; i++)
            p = format_octet(p, label.data[i]);
        *p++ = '.';
    }
    if (p == out)
        *p++ = '.';
    *p = '\0';
    return out;
}

/* ---- reverse names ---- */

static void reverse_v4(const uint8_t *octets, struct dns_name *out)
{
    struct writer w = writer_of(out->octets, sizeof out->octets);
    for (size_t i = 4; i-- > 0;) {
        char digits[3];
        size_t count = 0;
        for (unsigned rest = octets[i]; count == 0 || rest > 0; rest /= 10)
            digits[count++] = (char)('0' + rest % 10);
        write_u8(&w, (uint8_t)count);
        while (count > 0)
            write_u8(&w, (uint8_t)digits[--count]);
    }
    write_copy(&w, in_addr_arpa, sizeof in_addr_arpa);
    out->len = (uint8_t)writer_len(&w);
}

static void reverse_v6(const uint8_t *octets, struct dns_name *out)
{
    static const char hex[] = "0123456789abcdef";
    struct writer w = writer_of(out->octets, sizeof out->octets);
    for (size_t i = 16; i-- > 0;) {
        write_u8(&w, 1);
        write_u8(&w, (uint8_t)hex[octets[i] & 15]);
        write_u8(&w, 1);
        write_u8(&w, (uint8_t)hex[octets[i] >> 4]);
    }
    write_copy(&w, ip6_arpa, sizeof ip6_arpa);
    out->len = (uint8_t)writer_len(&w);
}

void dns_name_reverse(const struct ip_address *address, struct dns_name *out)
{
    if (address_is_v4(address))
        reverse_v4(address->octets + 12, out);
    else
        reverse_v6(address->octets, out);
}

/* Canonical decimal only: 010.2.0.192.in-addr.arpa is another name. */
static bool decimal_label(struct bytes label, uint8_t *out)
{
    unsigned value = 0;
    if (label.len == 0 || label.len > 3 || (label.len > 1 && label.data[0] == '0'))
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_digit(label.data[i]))
            return false;
        value = value * 10 + (label.data[i] - (unsigned)'0');
    }
    *out = (uint8_t)value;
    return value <= 255;
}

static bool nibble_label(struct bytes label, uint8_t *out)
{
    uint8_t c = label.len == 1 ? lower(label.data[0]) : 0;
    if (is_digit(c))
        *out = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *out = (uint8_t)(c - 'a' + 10);
    else
        return false;
    return true;
}

/* The labels from `at` on are the suffix, which is given with its root. */
static bool ends_with(const struct dns_name *name, size_t at, const uint8_t *suffix, size_t len)
{
    return name->len - at == len && same_nocase(name->octets + at, suffix, len);
}

bool dns_name_reverse_address(const struct dns_name *name, struct ip_address *out)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    if (labels.count == 6 && ends_with(name, labels.at[4], in_addr_arpa, sizeof in_addr_arpa)) {
        uint32_t value = 0;
        for (size_t i = 4; i-- > 0;) {
            uint8_t octet;
            if (!decimal_label(dns_name_label(name, labels.at[i]), &octet))
                return false;
            value = value << 8 | octet;
        }
        *out = address_v4(value);
        return true;
    }
    if (labels.count == 34 && ends_with(name, labels.at[32], ip6_arpa, sizeof ip6_arpa)) {
        struct ip_address address;
        for (size_t i = 0; i < 16; i++) {
            uint8_t low;
            uint8_t high;
            if (!nibble_label(dns_name_label(name, labels.at[30 - 2 * i]), &low) ||
                !nibble_label(dns_name_label(name, labels.at[31 - 2 * i]), &high))
                return false;
            address.octets[i] = (uint8_t)(high << 4 | low);
        }
        *out = address;
        return true;
    }
    return false;
}

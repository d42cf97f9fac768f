/* SPDX-License-Identifier: ISC */
/*
 * dhcp_options.c - structured options: RFC 3442 (classless routes), RFC 3397 with RFC 1035 §4.1.4
 * (search lists and their compression), RFC 1123 §2.1 (host names).
 */
#include "wire/dhcp/dhcp_options.h"

enum { LABEL_OCTETS_MAX = 63, POINTER = 0xc0 };

bool dhcp_mask_len(uint32_t mask, uint8_t *out)
{
    uint8_t len = 0;
    while (len < 32 && mask & 0x80000000u >> len)
        len++;
    if (len < 32 && mask << len != 0)
        return false;
    *out = len;
    return true;
}

bool dhcp_routes_decode(struct bytes option, struct dhcp_route *out, size_t max, size_t *count)
{
    struct reader r = reader_of(option);
    size_t found = 0;
    while (reader_left(&r) > 0) {
        uint8_t len = read_u8(&r);
        if (len > 32)
            return false;
        /* Only the significant octets of the destination are there (RFC 3442, "Classless Route
         * Option Format"). */
        uint8_t octets[4] = {0};
        read_copy(&r, octets, (len + 7u) / 8u);
        struct reader destination = reader_of(bytes_of(octets, sizeof octets));
        uint32_t target = read_u32(&destination);
        uint32_t via = read_u32(&r);
        if (r.failed)
            return false;
        uint32_t mask = len == 0 ? 0 : UINT32_MAX << (32 - len);
        if (found < max)
            out[found++] = (struct dhcp_route){{address_v4(target & mask), len}, address_v4(via)};
    }
    *count = found;
    return true;
}

void dhcp_route_encode(struct writer *w, const struct dhcp_route *route)
{
    uint32_t target = address_v4_value(&route->to.address);
    write_u8(w, route->to.len);
    for (unsigned i = 0; i < (route->to.len + 7u) / 8u; i++)
        write_u8(w, (uint8_t)(target >> (24 - 8 * i)));
    write_u32(w, address_v4_value(&route->via));
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name_octet(uint8_t c)
{
    return is_letter_or_digit(c) || c == '-' || c == '_';
}

/* Adds a label and a dot before it where one is needed; false when it is too long or not clean. */
static bool add_label(char out[DHCP_NAME_MAX], size_t *len, struct bytes label)
{
    if (*len + label.len + 1 + (*len > 0) > DHCP_NAME_MAX)
        return false;
    if (*len > 0)
        out[(*len)++] = '.';
    for (size_t i = 0; i < label.len; i++) {
        if (!is_name_octet(label.data[i]))
            return false;
        out[(*len)++] = (char)label.data[i];
    }
    return true;
}

/* A name at `at`; *end becomes the offset after it. Pointers lead strictly backwards, so this
 * ends. */
static bool read_name(struct bytes option, size_t at, size_t *end, char out[DHCP_NAME_MAX])
{
    size_t len = 0;
    size_t lowest = at;
    bool jumped = false;
    for (;;) {
        struct reader r = reader_of(bytes_after(option, at));
        uint8_t octet = read_u8(&r);
        if ((octet & POINTER) == POINTER) {
            size_t target = (size_t)(octet & 0x3f) << 8 | read_u8(&r);
            if (r.failed || target >= lowest)
                return false;
            if (!jumped)
                *end = at + 2;
            jumped = true;
            lowest = at = target;
            continue;
        }
        struct bytes label = read_bytes(&r, octet);
        if (r.failed || octet > LABEL_OCTETS_MAX)
            return false;
        at += 1u + octet;
        if (octet == 0)
            break;
        if (!add_label(out, &len, label))
            return false;
    }
    if (!jumped)
        *end = at;
    out[len] = '\0';
    return len > 0;
}

bool dhcp_search_next(struct bytes option, size_t *at, char out[DHCP_NAME_MAX])
{
    if (*at >= option.len)
        return false;
    char name[DHCP_NAME_MAX];
    size_t end = *at;
    if (!read_name(option, *at, &end, name))
        return false;
    memcpy(out, name, sizeof name);
    *at = end;
    return true;
}

/* The length of the label at the front of `text`, 0 when it is empty, too long or not clean. */
static size_t label_len(struct bytes text)
{
    size_t len = bytes_find(text, '.');
    if (len > LABEL_OCTETS_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (!is_name_octet(text.data[i]))
            return 0;
    return len;
}

bool dhcp_domain_text(struct bytes option, char out[DHCP_NAME_MAX])
{
    while (option.len > 0 && option.data[option.len - 1] == '\0')
        option.len--;
    if (option.len > 0 && option.data[option.len - 1] == '.')
        option.len--;
    if (option.len == 0 || option.len >= DHCP_NAME_MAX)
        return false;
    struct bytes rest = option;
    for (;;) {
        size_t len = label_len(rest);
        if (len == 0)
            return false;
        if (len == rest.len)
            break;
        rest = bytes_after(rest, len + 1);
    }
    memcpy(out, option.data, option.len);
    out[option.len] = '\0';
    return true;
}

bool dhcp_search_encode(struct writer *w, const char *name)
{
    char clean[DHCP_NAME_MAX];
    if (!dhcp_domain_text(bytes_of_text(name), clean))
        return false;
    for (struct bytes rest = bytes_of_text(clean); rest.len > 0;) {
        size_t len = bytes_find(rest, '.');
        write_u8(w, (uint8_t)len);
        write_bytes(w, bytes_first(rest, len));
        rest = bytes_after(rest, len + 1);
    }
    write_u8(w, 0);
    return true;
}

bool dhcp_host_label(struct bytes option, char out[DHCP_LABEL_MAX])
{
    size_t len = bytes_find(option, '.');
    while (len > 0 && option.data[len - 1] == '\0') /* forgiven: some clients count the NUL */
        len--;
    if (len == 0 || len > LABEL_OCTETS_MAX)
        return false;
    if (option.data[0] == '-' || option.data[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter_or_digit(option.data[i]) && option.data[i] != '-')
            return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = option.data[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    out[len] = '\0';
    return true;
}

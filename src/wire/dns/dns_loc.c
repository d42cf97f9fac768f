/* SPDX-License-Identifier: ISC */
/*
 * dns_loc.c - LOC records: latitude, longitude, altitude, and how exact they are (RFC 1876 §2, §3).
 *
 * Angles are in thousandths of a second of arc from 2^31, lengths are a digit and a power of ten in
 * centimetres, the altitude is in centimetres above a base 100 km below the ellipsoid.
 */
#include "wire/dns/dns_field.h"

#define ANGLE_ZERO UINT32_C(0x80000000)
#define ALTITUDE_BASE INT64_C(10000000)

enum {
    PER_SECOND = 1000,
    PER_MINUTE = 60 * PER_SECOND,
    PER_DEGREE = 60 * PER_MINUTE,
    SIZE_DEFAULT = 0x12,       /* 1 m */
    HORIZONTAL_DEFAULT = 0x16, /* 10 km */
    VERTICAL_DEFAULT = 0x13,   /* 10 m */
};

static bool length_valid(uint8_t length)
{
    unsigned digit = length >> 4;
    unsigned power = length & 15;
    return digit <= 9 && power <= 9 && (digit > 0 || power == 0);
}

static bool angle_valid(uint32_t angle, uint32_t degrees_max)
{
    uint32_t distance = angle > ANGLE_ZERO ? angle - ANGLE_ZERO : ANGLE_ZERO - angle;
    return distance <= degrees_max * PER_DEGREE;
}

void dns_loc_take(struct reader *r)
{
    uint8_t version = read_u8(r);
    for (unsigned i = 0; i < 3; i++)
        if (!length_valid(read_u8(r)))
            r->failed = true;
    uint32_t latitude = read_u32(r);
    uint32_t longitude = read_u32(r);
    read_skip(r, 4);
    if (version != 0 || !angle_valid(latitude, 90) || !angle_valid(longitude, 180))
        r->failed = true;
}

/* A number with at most `places` decimals, times 10^places. */
static bool parse_fixed(struct bytes text, unsigned places, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    size_t point = bytes_find(text, '.');
    size_t decimals = point < text.len ? text.len - point - 1 : 0;
    if (text.len == 0 || decimals > places || text.len - decimals > 12)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (i == point)
            continue;
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    for (size_t i = decimals; i < places; i++)
        value *= 10;
    if (value > max)
        return false;
    *out = value;
    return true;
}

/* "d [m [s[.sss]]] N": ends with the letter. */
static bool parse_angle(struct bytes *rest, const char *letters, uint32_t degrees_max,
                        uint32_t *out)
{
    static const uint32_t unit[] = {PER_DEGREE, PER_MINUTE, 1};
    static const uint64_t max[] = {180, 59, 59999};
    uint64_t total = 0;
    struct dns_token token;
    for (unsigned i = 0; i < 4; i++) {
        if (dns_token_next(rest, &token) != DNS_TOKEN_WORD)
            return false;
        uint8_t letter = token.text.len == 1 ? token.text.data[0] & 0xdf : 0;
        if (i > 0 && (letter == letters[0] || letter == letters[1])) {
            if (total > (uint64_t)degrees_max * PER_DEGREE)
                return false;
            *out = letter == letters[0] ? ANGLE_ZERO + (uint32_t)total
                                        : ANGLE_ZERO - (uint32_t)total;
            return true;
        }
        uint64_t value;
        if (i == 3 || !parse_fixed(token.text, i == 2 ? 3 : 0, max[i], &value))
            return false;
        total += value * unit[i];
    }
    return false;
}

static struct bytes without_unit(struct bytes text)
{
    bool metres = text.len > 0 && (text.data[text.len - 1] | 0x20) == 'm';
    return bytes_first(text, text.len - metres);
}

static bool parse_altitude(struct bytes text, uint32_t *out)
{
    bool below = text.len > 0 && text.data[0] == '-';
    uint64_t value;
    if (!parse_fixed(bytes_after(without_unit(text), below), 2, UINT32_C(4284967295), &value))
        return false;
    if (below && value > (uint64_t)ALTITUDE_BASE)
        return false;
    *out = (uint32_t)(ALTITUDE_BASE + (below ? -(int64_t)value : (int64_t)value));
    return true;
}

/* Rounded down to a digit and a power of ten. */
static bool parse_length(struct bytes text, uint8_t *out)
{
    uint64_t value;
    if (!parse_fixed(without_unit(text), 2, UINT64_C(9000000000), &value))
        return false;
    unsigned power = 0;
    for (; value > 9; power++)
        value /= 10;
    *out = (uint8_t)(value << 4 | (value > 0 ? power : 0));
    return true;
}

bool dns_loc_parse(struct bytes *rest, struct writer *out, struct dns_error *error)
{
    uint32_t latitude;
    uint32_t longitude;
    uint32_t altitude;
    uint8_t lengths[3] = {SIZE_DEFAULT, HORIZONTAL_DEFAULT, VERTICAL_DEFAULT};
    struct dns_token token;
    if (!parse_angle(rest, "NS", 90, &latitude))
        return dns_complain(error, "not a latitude as \"52 22 23.000 N\"", bytes_empty());
    if (!parse_angle(rest, "EW", 180, &longitude))
        return dns_complain(error, "not a longitude as \"4 53 32.000 E\"", bytes_empty());
    if (dns_token_next(rest, &token) != DNS_TOKEN_WORD || !parse_altitude(token.text, &altitude))
        return dns_complain(error, "not an altitude as \"-2.00m\"", bytes_empty());
    for (unsigned i = 0; i < 3 && dns_token_next(rest, &token) == DNS_TOKEN_WORD; i++)
        if (!parse_length(token.text, &lengths[i]))
            return dns_complain(error, "not a length in metres", token.text);
    write_u8(out, 0);
    write_copy(out, lengths, sizeof lengths);
    write_u32(out, latitude);
    write_u32(out, longitude);
    write_u32(out, altitude);
    return true;
}

static void format_angle(uint32_t angle, const char *letters, struct text *out)
{
    bool positive = angle >= ANGLE_ZERO;
    uint32_t distance = positive ? angle - ANGLE_ZERO : ANGLE_ZERO - angle;
    text_add_format(out, "%u %u %u.%03u %c ", (unsigned)(distance / PER_DEGREE),
                    (unsigned)(distance / PER_MINUTE % 60), (unsigned)(distance / PER_SECOND % 60),
                    (unsigned)(distance % PER_SECOND), letters[!positive]);
}

static void format_centimetres(int64_t value, struct text *out)
{
    uint64_t distance = (uint64_t)(value < 0 ? -value : value);
    text_add_format(out, "%s%llu.%02um", value < 0 ? "-" : "",
                    (unsigned long long)(distance / 100), (unsigned)(distance % 100));
}

void dns_loc_format(struct reader *r, struct text *out)
{
    uint8_t lengths[3];
    read_skip(r, 1);
    read_copy(r, lengths, sizeof lengths);
    format_angle(read_u32(r), "NS", out);
    format_angle(read_u32(r), "EW", out);
    format_centimetres((int64_t)read_u32(r) - ALTITUDE_BASE, out);
    for (unsigned i = 0; i < 3; i++) {
        int64_t value = lengths[i] >> 4;
        for (unsigned power = lengths[i] & 15; power > 0; power--)
            value *= 10;
        text_add(out, " ");
        format_centimetres(value, out);
    }
}

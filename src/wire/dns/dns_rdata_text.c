/* SPDX-License-Identifier: ISC */
/*
 * dns_rdata_text.c - RDATA as master files have it: each field of a type from its word, and back
 * (RFC 1035 §5, RFC 4034 §2 to §5, RFC 5155 §3.3, and RFC 3597 §5 for types without a row).
 */
#include "base/calendar.h"
#include "base/encoding.h"
#include "wire/dns/dns_field.h"
#include "wire/dns/dns_record.h"

/* ---- from text ---- */

static bool parse_integer(char field, struct bytes token, struct writer *out, struct dns_error *error)
{
    uint64_t max = field == '1' ? UINT8_MAX : field == '2' ? UINT16_MAX : UINT32_MAX;
    uint64_t value;
    if (!text_parse_number(token, max, &value))
        return dns_complain(error, "not a number, or too large", token);
    if (field == '1')
        write_u8(out, (uint8_t)value);
    else if (field == '2')
        write_u16(out, (uint16_t)value);
    else
        write_u32(out, (uint32_t)value);
    return true;
}

static bool parse_address(char field, struct bytes token, struct writer *out, struct dns_error *error)
{
    struct ip_address address;
    bool want_v4 = field == 'a';
    if (!address_parse(token, &address) || address_is_v4(&address) != want_v4)
        return dns_complain(error, want_v4 ? "not an IPv4 address" : "not an IPv6 address", token);
    if (want_v4)
        write_copy(out, address.octets + 12, 4);
    else
        write_copy(out, address.octets, 16);
    return true;
}

/* A character-string, or a tag: a length octet and at most 255 octets. */
static bool parse_string(struct bytes token, struct writer *out, struct dns_error *error)
{
    size_t at = writer_len(out);
    write_u8(out, 0);
    if (!dns_token_unescape(token, out))
        return dns_complain(error, "a broken escape", token);
    if (out->failed)
        return dns_complain(error, "record too long", bytes_empty());
    size_t len = writer_len(out) - at - 1;
    if (len > UINT8_MAX)
        return dns_complain(error, "a string of more than 255 octets", token);
    out->start[at] = (uint8_t)len;
    return true;
}

/* Octets up to the end, blanks anywhere. */
static bool parse_encoded(enum encoding encoding, struct bytes *rest, struct writer *out,
                          struct dns_error *error)
{
    struct decoder decoder = decoder_of(encoding);
    struct dns_token token;
    enum dns_token_kind kind;
    bool hex = encoding == ENCODING_BASE16;
    while ((kind = dns_token_next(rest, &token)) == DNS_TOKEN_WORD)
        if (!decoder_feed(&decoder, token.text, out))
            return dns_complain(error, hex ? "not hexadecimal" : "not base64", token.text);
    if (kind == DNS_TOKEN_BROKEN || !decoder_at_end(&decoder))
        return dns_complain(error,
                            hex ? "an odd number of hexadecimal digits" : "base64 that is cut off",
                            bytes_empty());
    return true;
}

/* Octets of one word, with their count before them. */
static bool parse_counted(enum encoding encoding, struct bytes word, struct writer *out)
{
    size_t at = writer_len(out);
    write_u8(out, 0);
    if (!encoding_decode(encoding, word, out) || out->failed)
        return false;
    size_t len = writer_len(out) - at - 1;
    if (len > UINT8_MAX)
        return false;
    out->start[at] = (uint8_t)len;
    return true;
}

bool dns_parse_date(struct bytes text, uint32_t *out)
{
    uint64_t number;
    if (!text_parse_number(text, UINT64_C(99999999999999), &number))
        return false;
    if (text.len != 14) {
        *out = (uint32_t)number;
        return number <= UINT32_MAX;
    }
    struct calendar c = {
        .year = (int64_t)(number / UINT64_C(10000000000)),
        .month = (unsigned)(number / 100000000 % 100),
        .day = (unsigned)(number / 1000000 % 100),
        .hour = (unsigned)(number / 10000 % 100),
        .minute = (unsigned)(number / 100 % 100),
        .second = (unsigned)(number % 100),
    };
    if (!calendar_day_exists(c.year, c.month, c.day) || c.hour > 23 || c.minute > 59 ||
        c.second > 59)
        return false;
    *out = (uint32_t)calendar_seconds(&c);
    return true;
}

/* \# length hex (RFC 3597 §5). */
static bool parse_unknown(uint16_t type, struct bytes rest, struct writer *out, struct dns_error *error)
{
    struct dns_token token;
    uint64_t len;
    if (dns_token_next(&rest, &token) != DNS_TOKEN_WORD ||
        !text_parse_number(token.text, DNS_RDATA_MAX, &len))
        return dns_complain(error, "a length must follow \\#", bytes_empty());
    size_t at = writer_len(out);
    if (!parse_encoded(ENCODING_BASE16, &rest, out, error))
        return false;
    if (out->failed)
        return dns_complain(error, "record too long", bytes_empty());
    struct bytes rdata = bytes_after(writer_bytes(out), at);
    if (rdata.len != len)
        return dns_complain(error, "the length does not agree with the octets", bytes_empty());
    if (!dns_rdata_valid(type, rdata))
        return dns_complain(error, "not the wire form of that type", bytes_empty());
    return true;
}

static bool parse_field(char field, const struct dns_token *token, const struct dns_name *origin,
                        struct writer *out, struct dns_error *error)
{
    struct dns_name name;
    uint32_t seconds;
    uint16_t type;
    switch (field) {
    case '1':
    case '2':
    case '4':
        return parse_integer(field, token->text, out, error);
    case 't':
        if (!dns_parse_seconds(token->text, &seconds))
            return dns_complain(error, "not a time in seconds", token->text);
        write_u32(out, seconds);
        return true;
    case 'a':
    case 'A':
        return parse_address(field, token->text, out, error);
    case 'n':
    case 'N':
        if (token->quoted || !dns_name_parse(token->text, origin, &name))
            return dns_complain(error, "not a domain name", token->text);
        dns_name_write(out, &name);
        return true;
    case 'T':
        if (!dns_type_parse(token->text, &type))
            return dns_complain(error, "not a record type", token->text);
        write_u16(out, type);
        return true;
    case 'd':
        if (!dns_parse_date(token->text, &seconds))
            return dns_complain(error, "not a date as YYYYMMDDHHmmSS", token->text);
        write_u32(out, seconds);
        return true;
    case 'l':
        if (bytes_equal(token->text, bytes_of_text("-"))) {
            write_u8(out, 0);
            return true;
        }
        return parse_counted(ENCODING_BASE16, token->text, out) ||
               dns_complain(error, "not a salt in hexadecimal, or \"-\"", token->text);
    case 'h':
        return parse_counted(ENCODING_BASE32HEX, token->text, out) ||
               dns_complain(error, "not a hash in base32hex", token->text);
    case 'q':
        return dns_token_unescape(token->text, out) ||
               dns_complain(error, "a broken escape", token->text);
    default: /* s, S, g */
        return parse_string(token->text, out, error);
    }
}

/* Fields that take the rest of the line. False: `field` is none; *valid says whether it went well. */
static bool parse_to_the_end(char field, struct bytes *rest, struct writer *out,
                             struct dns_error *error, bool *valid)
{
    switch (field) {
    case 'x':
        *valid = parse_encoded(ENCODING_BASE16, rest, out, error);
        return true;
    case 'b':
        *valid = parse_encoded(ENCODING_BASE64, rest, out, error);
        return true;
    case 'w':
        *valid = dns_bitmap_parse(rest, out, error);
        return true;
    case 'p':
        *valid = dns_svcb_parse(rest, out, error);
        return true;
    case 'L':
        *valid = dns_loc_parse(rest, out, error);
        return true;
    default:
        return false;
    }
}

static bool parse_fields(uint16_t type, struct bytes rest, const struct dns_name *origin,
                         struct writer *out, struct dns_error *error)
{
    struct dns_token token;
    enum dns_token_kind kind;
    for (const char *field = dns_type_fields(type); *field != '\0'; field++) {
        bool done;
        if (parse_to_the_end(*field, &rest, out, error, &done)) {
            if (!done)
                return false;
            continue;
        }
        kind = dns_token_next(&rest, &token);
        if (kind != DNS_TOKEN_WORD)
            return dns_complain(error, kind == DNS_TOKEN_END ? "fields are missing" : "an open quote or escape",
                            bytes_empty());
        if (!parse_field(*field, &token, origin, out, error))
            return false;
        struct bytes ahead = rest;
        if (*field == 'S' && dns_token_next(&ahead, &token) == DNS_TOKEN_WORD)
            field--;
    }
    kind = dns_token_next(&rest, &token);
    if (kind != DNS_TOKEN_END)
        return dns_complain(error, "more than the type has fields", bytes_empty());
    return true;
}

bool dns_rdata_parse(uint16_t type, struct bytes text, const struct dns_name *origin,
                     struct writer *out, struct dns_error *error)
{
    size_t at = writer_len(out);
    struct bytes rest = text;
    struct dns_token token;
    if (dns_token_next(&rest, &token) == DNS_TOKEN_WORD && !token.quoted &&
        bytes_equal(token.text, bytes_of_text("\\#")))
        return parse_unknown(type, rest, out, error);
    if (strcmp(dns_type_fields(type), "x") == 0)
        return dns_complain(error, "a type without a form of its own is written \\# length hex",
                        bytes_empty());
    if (!parse_fields(type, text, origin, out, error))
        return false;
    if (out->failed)
        return dns_complain(error, "record too long", bytes_empty());
    if (!dns_rdata_valid(type, bytes_after(writer_bytes(out), at)))
        return dns_complain(error, "not a valid record of that type", bytes_empty());
    return true;
}

/* ---- to text ---- */

void dns_format_octets(struct bytes octets, struct text *out)
{
    for (size_t i = 0; i < octets.len; i++) {
        uint8_t c = octets.data[i];
        if (c < ' ' || c >= 0x7f)
            text_add_format(out, "\\%03u", (unsigned)c);
        else if (c == '"' || c == '\\')
            text_add_format(out, "\\%c", c);
        else
            text_add_bytes(out, bytes_of(&c, 1));
    }
}

static void format_quoted(struct bytes octets, struct text *out)
{
    text_add(out, "\"");
    dns_format_octets(octets, out);
    text_add(out, "\"");
}

void dns_format_date(uint32_t seconds, struct text *out)
{
    struct calendar c = calendar_of(seconds);
    text_add_format(out, "%04u%02u%02u%02u%02u%02u", (unsigned)c.year, c.month, c.day, c.hour,
                    c.minute, c.second);
}

static void format_counted(enum encoding encoding, struct reader *r, struct text *out)
{
    uint8_t len = read_u8(r);
    struct bytes octets = read_bytes(r, len);
    if (octets.len == 0)
        text_add(out, "-");
    encoding_format(encoding, octets, out);
}

static void format_address(char field, struct reader *r, struct text *out)
{
    char buffer[ADDRESS_TEXT_MAX];
    struct ip_address address;
    if (field == 'a')
        address = address_v4(read_u32(r));
    else
        read_copy(r, address.octets, sizeof address.octets);
    text_add(out, address_format(&address, buffer));
}

static void format_name(struct reader *r, struct text *out)
{
    char buffer[DNS_NAME_TEXT_MAX];
    struct dns_name name;
    const uint8_t *start = r->next;
    dns_name_skip(r);
    if (!r->failed && dns_name_from_wire(bytes_of(start, (size_t)(r->next - start)), &name))
        text_add(out, dns_name_format(&name, buffer));
}

static void format_strings(struct reader *r, struct text *out, bool many)
{
    do {
        uint8_t len = read_u8(r);
        format_quoted(read_bytes(r, len), out);
        if (many && reader_left(r) > 0)
            text_add(out, " ");
    } while (many && !r->failed && reader_left(r) > 0);
}

static void format_field(char field, struct reader *r, struct text *out)
{
    uint8_t len;
    char type[DNS_TYPE_TEXT_MAX];
    switch (field) {
    case '1':
        text_add_format(out, "%u", (unsigned)read_u8(r));
        break;
    case '2':
        text_add_format(out, "%u", (unsigned)read_u16(r));
        break;
    case '4':
    case 't':
        text_add_format(out, "%lu", (unsigned long)read_u32(r));
        break;
    case 'a':
    case 'A':
        format_address(field, r, out);
        break;
    case 'n':
    case 'N':
        format_name(r, out);
        break;
    case 's':
    case 'S':
        format_strings(r, out, field == 'S');
        break;
    case 'g':
        len = read_u8(r);
        text_add_bytes(out, read_bytes(r, len));
        break;
    case 'q':
        format_quoted(read_rest(r), out);
        break;
    case 'T':
        text_add(out, dns_type_format(read_u16(r), type));
        break;
    case 'd':
        dns_format_date(read_u32(r), out);
        break;
    case 'l':
    case 'h':
        format_counted(field == 'l' ? ENCODING_BASE16 : ENCODING_BASE32HEX, r, out);
        break;
    case 'w':
        dns_bitmap_format(r, out);
        break;
    case 'p':
        dns_svcb_format(r, out);
        break;
    case 'L':
        dns_loc_format(r, out);
        break;
    case 'b':
        encoding_format(ENCODING_BASE64, read_rest(r), out);
        break;
    default:
        encoding_format(ENCODING_BASE16, read_rest(r), out);
        break;
    }
}

/* RFC 5952 has ::ffff:0:0/96 and :: forms that address_parse() may take for IPv4: an AAAA of an
 * IPv4-mapped address is written as octets. */
static bool needs_unknown_form(uint16_t type, struct bytes rdata)
{
    if (strcmp(dns_type_fields(type), "x") == 0)
        return true;
    if (type == DNS_SVCB || type == DNS_HTTPS)
        return !dns_svcb_has_text(rdata);
    if (type != DNS_AAAA || rdata.len != 16)
        return false;
    struct ip_address address;
    memcpy(address.octets, rdata.data, 16);
    return address_is_v4(&address);
}

void dns_rdata_format(uint16_t type, struct bytes rdata, struct text *out)
{
    struct reader r = reader_of(rdata);
    if (needs_unknown_form(type, rdata)) {
        text_add_format(out, "\\# %zu", rdata.len);
        if (rdata.len > 0)
            text_add(out, " ");
        encoding_format(ENCODING_BASE16, rdata, out);
        return;
    }
    const char *fields = dns_type_fields(type);
    for (const char *field = fields; *field != '\0'; field++) {
        if (strchr("xbwp", *field) != NULL && reader_left(&r) == 0)
            break; /* nothing, not even a blank */
        if (field != fields)
            text_add(out, " ");
        format_field(*field, &r, out);
    }
}

/* SPDX-License-Identifier: ISC */
/*
 * dns_record_text.c - records as master files have them (RFC 1035 §5, RFC 3597 §5 for types
 * without a row in the table).
 */
#include "wire/dns/dns_record.h"

/* ---- tokens ---- */

struct token {
    struct bytes text; /* escapes not resolved */
    bool quoted;
};

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_BROKEN };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '(' || c == ')';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t scan(struct bytes text, size_t at, bool quoted)
{
    for (; at < text.len; at++) {
        uint8_t c = text.data[at];
        if (c == '\\')
            at++;
        else if (quoted ? c == '"' : is_blank(c) || c == ';' || c == '"')
            break;
    }
    return at;
}

static enum token_kind next_token(struct bytes *rest, struct token *out)
{
    size_t start = 0;
    while (start < rest->len && is_blank(rest->data[start]))
        start++;
    if (start == rest->len || rest->data[start] == ';') {
        *rest = bytes_empty();
        return TOKEN_END;
    }
    out->quoted = rest->data[start] == '"';
    start += out->quoted;
    size_t end = scan(*rest, start, out->quoted);
    if (end > rest->len || (out->quoted && end == rest->len))
        return TOKEN_BROKEN;
    out->text = bytes_first(bytes_after(*rest, start), end - start);
    *rest = bytes_after(*rest, end + out->quoted);
    return TOKEN_WORD;
}

/* The octets of a token, escapes resolved, into `out`. */
static bool write_unescaped(struct bytes text, struct writer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '\\') {
            if (++i == text.len)
                return false;
            c = text.data[i];
            if (is_digit(c)) {
                if (text.len - i < 3 || !is_digit(text.data[i + 1]) || !is_digit(text.data[i + 2]))
                    return false;
                unsigned value = (c - (unsigned)'0') * 100 + (text.data[i + 1] - (unsigned)'0') * 10 +
                                 (text.data[i + 2] - (unsigned)'0');
                if (value > 255)
                    return false;
                c = (uint8_t)value;
                i += 2;
            }
        }
        write_u8(out, c);
    }
    return true;
}

/* ---- fields from text ---- */

static bool complain(struct text *error, const char *what, struct bytes token)
{
    text_add(error, what);
    if (token.len > 0)
        text_add_format(error, ": \"%.*s\"", (int)(token.len < 80 ? token.len : 80),
                        (const char *)token.data);
    return false;
}

/* Seconds: digits, or numbers with the units s m h d w, as most servers take them. */
static bool parse_seconds(struct bytes text, uint32_t *out)
{
    uint64_t total = 0;
    uint64_t value = 0;
    bool digits = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (is_digit(c)) {
            value = value * 10 + (c - (unsigned)'0');
            digits = true;
        } else {
            static const struct {
                char unit;
                uint32_t seconds;
            } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
            size_t u = 0;
            while (u < ARRAY_LEN(units) && units[u].unit != (c | 0x20))
                u++;
            if (u == ARRAY_LEN(units) || !digits)
                return false;
            total += value * units[u].seconds;
            value = 0;
            digits = false;
        }
        if (value > UINT32_MAX || total > UINT32_MAX)
            return false;
    }
    if (text.len == 0 || total + value > UINT32_MAX)
        return false;
    *out = (uint32_t)(total + value);
    return true;
}

static bool parse_integer(char field, struct bytes token, struct writer *out, struct text *error)
{
    uint64_t max = field == '1' ? UINT8_MAX : field == '2' ? UINT16_MAX : UINT32_MAX;
    uint64_t value;
    if (!text_parse_number(token, max, &value))
        return complain(error, "not a number, or too large", token);
    if (field == '1')
        write_u8(out, (uint8_t)value);
    else if (field == '2')
        write_u16(out, (uint16_t)value);
    else
        write_u32(out, (uint32_t)value);
    return true;
}

static bool parse_address(char field, struct bytes token, struct writer *out, struct text *error)
{
    struct ip_address address;
    bool want_v4 = field == 'a';
    if (!address_parse(token, &address) || address_is_v4(&address) != want_v4)
        return complain(error, want_v4 ? "not an IPv4 address" : "not an IPv6 address", token);
    if (want_v4)
        write_copy(out, address.octets + 12, 4);
    else
        write_copy(out, address.octets, 16);
    return true;
}

/* A character-string, or a tag: a length octet and at most 255 octets. */
static bool parse_string(struct bytes token, struct writer *out, struct text *error)
{
    size_t at = writer_len(out);
    write_u8(out, 0);
    if (!write_unescaped(token, out))
        return complain(error, "a broken escape", token);
    if (out->failed)
        return complain(error, "record too long", bytes_empty());
    size_t len = writer_len(out) - at - 1;
    if (len > UINT8_MAX)
        return complain(error, "a string of more than 255 octets", token);
    out->start[at] = (uint8_t)len;
    return true;
}

static int hex_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal digits up to the end, blanks anywhere. */
static bool parse_hex(struct bytes *rest, struct writer *out, struct text *error)
{
    struct token token;
    enum token_kind kind;
    int high = -1;
    while ((kind = next_token(rest, &token)) == TOKEN_WORD)
        for (size_t i = 0; i < token.text.len; i++) {
            int value = hex_value(token.text.data[i]);
            if (value < 0)
                return complain(error, "not hexadecimal", token.text);
            if (high >= 0)
                write_u8(out, (uint8_t)(high << 4 | value));
            high = high >= 0 ? -1 : value;
        }
    if (kind == TOKEN_BROKEN || high >= 0)
        return complain(error, "an odd number of hexadecimal digits", bytes_empty());
    return true;
}

/* \# length hex (RFC 3597 §5). */
static bool parse_unknown(uint16_t type, struct bytes rest, struct writer *out, struct text *error)
{
    struct token token;
    uint64_t len;
    if (next_token(&rest, &token) != TOKEN_WORD ||
        !text_parse_number(token.text, DNS_RDATA_MAX, &len))
        return complain(error, "a length must follow \\#", bytes_empty());
    size_t at = writer_len(out);
    if (!parse_hex(&rest, out, error))
        return false;
    if (out->failed)
        return complain(error, "record too long", bytes_empty());
    struct bytes rdata = bytes_after(writer_bytes(out), at);
    if (rdata.len != len)
        return complain(error, "the length does not agree with the octets", bytes_empty());
    if (!dns_rdata_valid(type, rdata))
        return complain(error, "not the wire form of that type", bytes_empty());
    return true;
}

static bool parse_field(char field, const struct token *token, const struct dns_name *origin,
                        struct writer *out, struct text *error)
{
    struct dns_name name;
    uint32_t seconds;
    switch (field) {
    case '1':
    case '2':
    case '4':
        return parse_integer(field, token->text, out, error);
    case 't':
        if (!parse_seconds(token->text, &seconds))
            return complain(error, "not a time in seconds", token->text);
        write_u32(out, seconds);
        return true;
    case 'a':
    case 'A':
        return parse_address(field, token->text, out, error);
    case 'n':
    case 'N':
        if (token->quoted || !dns_name_parse(token->text, origin, &name))
            return complain(error, "not a domain name", token->text);
        dns_name_write(out, &name);
        return true;
    case 'q':
        return write_unescaped(token->text, out) ||
               complain(error, "a broken escape", token->text);
    default: /* s, S, g */
        return parse_string(token->text, out, error);
    }
}

static bool parse_fields(uint16_t type, struct bytes rest, const struct dns_name *origin,
                         struct writer *out, struct text *error)
{
    struct token token;
    enum token_kind kind;
    for (const char *field = dns_type_fields(type); *field != '\0'; field++) {
        if (*field == 'x') {
            if (!parse_hex(&rest, out, error))
                return false;
            continue;
        }
        kind = next_token(&rest, &token);
        if (kind != TOKEN_WORD)
            return complain(error, kind == TOKEN_END ? "fields are missing" : "an open quote or escape",
                            bytes_empty());
        if (!parse_field(*field, &token, origin, out, error))
            return false;
        struct bytes ahead = rest;
        if (*field == 'S' && next_token(&ahead, &token) == TOKEN_WORD)
            field--;
    }
    kind = next_token(&rest, &token);
    if (kind != TOKEN_END)
        return complain(error, "more than the type has fields", bytes_empty());
    return true;
}

bool dns_rdata_parse(uint16_t type, struct bytes text, const struct dns_name *origin,
                     struct writer *out, struct text *error)
{
    size_t at = writer_len(out);
    struct bytes rest = text;
    struct token token;
    if (next_token(&rest, &token) == TOKEN_WORD && !token.quoted &&
        bytes_equal(token.text, bytes_of_text("\\#")))
        return parse_unknown(type, rest, out, error);
    if (strcmp(dns_type_fields(type), "x") == 0)
        return complain(error, "a type without a form of its own is written \\# length hex",
                        bytes_empty());
    if (!parse_fields(type, text, origin, out, error))
        return false;
    if (out->failed)
        return complain(error, "record too long", bytes_empty());
    if (!dns_rdata_valid(type, bytes_after(writer_bytes(out), at)))
        return complain(error, "not a valid record of that type", bytes_empty());
    return true;
}

/* ---- lines ---- */

static bool parse_class(struct bytes text, uint16_t *out)
{
    if (bytes_equal_nocase(text, bytes_of_text("IN")))
        *out = DNS_IN;
    else if (bytes_equal_nocase(text, bytes_of_text("CH")))
        *out = DNS_CH;
    else if (bytes_equal_nocase(text, bytes_of_text("HS")))
        *out = DNS_HS;
    else {
        uint64_t number; /* RFC 3597 §5 */
        if (!bytes_equal_nocase(bytes_first(text, 5), bytes_of_text("CLASS")) ||
            !text_parse_number(bytes_after(text, 5), UINT16_MAX, &number))
            return false;
        *out = (uint16_t)number;
    }
    return true;
}

static bool parse_owner(struct bytes *rest, const struct dns_line_context *context,
                        struct dns_name *out, struct text *error)
{
    struct token token;
    if (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        if (context->owner == NULL)
            return complain(error, "no owner name", bytes_empty());
        *out = *context->owner;
        return true;
    }
    if (next_token(rest, &token) != TOKEN_WORD)
        return complain(error, "no owner name", bytes_empty());
    if (token.quoted || !dns_name_parse(token.text, context->origin, out))
        return complain(error, "not a domain name", token.text);
    return true;
}

bool dns_record_parse(struct bytes line, const struct dns_line_context *context,
                      struct writer *buffer, struct dns_record *out, struct text *error)
{
    struct dns_record record = {.class = DNS_IN, .ttl = context->ttl};
    struct bytes rest = line;
    if (!parse_owner(&rest, context, &record.owner, error))
        return false;

    /* TTL and class come in either order, each at most once (§5.1). */
    bool have_ttl = false;
    bool have_class = false;
    struct token token;
    for (;;) {
        if (next_token(&rest, &token) != TOKEN_WORD || token.quoted)
            return complain(error, "no record type", bytes_empty());
        if (!have_class && parse_class(token.text, &record.class))
            have_class = true;
        else if (!have_ttl && token.text.len > 0 && is_digit(token.text.data[0]) &&
                 parse_seconds(token.text, &record.ttl))
            have_ttl = true;
        else
            break;
    }
    if (!dns_type_parse(token.text, &record.type))
        return complain(error, "not a record type", token.text);
    if (!dns_type_is_data(record.type))
        return complain(error, "not a type that a zone can hold", token.text);
    if (record.ttl > DNS_TTL_MAX)
        return complain(error, "the TTL is too large", bytes_empty());
    size_t at = writer_len(buffer);
    if (!dns_rdata_parse(record.type, rest, context->origin, buffer, error))
        return false;
    record.rdata = bytes_after(writer_bytes(buffer), at);
    *out = record;
    return true;
}

/* ---- to text ---- */

static void format_octets(struct bytes octets, struct text *out)
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
    format_octets(octets, out);
    text_add(out, "\"");
}

static void format_hex(struct bytes octets, struct text *out)
{
    for (size_t i = 0; i < octets.len; i++)
        text_add_format(out, "%02x", (unsigned)octets.data[i]);
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
    default:
        format_hex(read_rest(r), out);
        break;
    }
}

/* RFC 5952 has ::ffff:0:0/96 and :: forms that address_parse() may take for IPv4: an AAAA of an
 * IPv4-mapped address is written as octets. */
static bool needs_unknown_form(uint16_t type, struct bytes rdata)
{
    if (strcmp(dns_type_fields(type), "x") == 0)
        return true;
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
        format_hex(rdata, out);
        return;
    }
    const char *fields = dns_type_fields(type);
    for (const char *field = fields; *field != '\0'; field++) {
        if (field != fields)
            text_add(out, " ");
        format_field(*field, &r, out);
    }
}

void dns_record_format(const struct dns_record *record, struct text *out)
{
    char name[DNS_NAME_TEXT_MAX];
    char type[DNS_TYPE_TEXT_MAX];
    const char *class = record->class == DNS_IN   ? "IN"
                        : record->class == DNS_CH ? "CH"
                        : record->class == DNS_HS ? "HS"
                                                  : NULL;
    text_add_format(out, "%s %lu ", dns_name_format(&record->owner, name),
                    (unsigned long)record->ttl);
    if (class != NULL)
        text_add_format(out, "%s ", class);
    else
        text_add_format(out, "CLASS%u ", (unsigned)record->class);
    text_add_format(out, "%s ", dns_type_format(record->type, type));
    dns_rdata_format(record->type, record->rdata, out);
}

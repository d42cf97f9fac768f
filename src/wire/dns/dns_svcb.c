/* SPDX-License-Identifier: ISC */
/*
 * dns_svcb.c - the parameters of SVCB and HTTPS records (RFC 9460 §2, §7, appendix A; RFC 9461
 * dohpath; RFC 9540 ohttp). On the wire they are in ascending order of their keys, each once.
 */
#include "wire/dns/dns_field.h"
#include "base/address.h"
#include "base/encoding.h"

enum key {
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IPV4HINT = 4,
    KEY_ECH = 5,
    KEY_IPV6HINT = 6,
    KEY_DOHPATH = 7,
    KEY_OHTTP = 8,
    KEY_KNOWN_COUNT,
    KEY_INVALID = 65535,
};

enum {
    PARAMETERS_MAX = 64, /* of one record, in text */
    VALUE_TEXT_MAX = 4096,
};

static const char *const key_names[] = {
    [KEY_MANDATORY] = "mandatory", [KEY_ALPN] = "alpn",
    [KEY_NO_DEFAULT_ALPN] = "no-default-alpn", [KEY_PORT] = "port",
    [KEY_IPV4HINT] = "ipv4hint", [KEY_ECH] = "ech", [KEY_IPV6HINT] = "ipv6hint",
    [KEY_DOHPATH] = "dohpath", [KEY_OHTTP] = "ohttp",
};
_Static_assert(ARRAY_LEN(key_names) == KEY_KNOWN_COUNT, "one name per known key");

static bool parse_key(struct bytes text, uint16_t *out)
{
    for (size_t i = 0; i < ARRAY_LEN(key_names); i++)
        if (bytes_equal(text, bytes_of_text(key_names[i]))) {
            *out = (uint16_t)i;
            return true;
        }
    uint64_t number;
    bool leading_zero = text.len > 4 && text.data[3] == '0';
    if (!bytes_equal(bytes_first(text, 3), bytes_of_text("key")) || leading_zero ||
        !text_parse_number(bytes_after(text, 3), KEY_INVALID - 1, &number))
        return false;
    *out = (uint16_t)number;
    return true;
}

static void format_key(uint16_t key, struct text *out)
{
    if (key < KEY_KNOWN_COUNT)
        text_add(out, key_names[key]);
    else
        text_add_format(out, "key%u", (unsigned)key);
}

/* ---- checking ---- */

static bool alpn_valid(struct bytes value)
{
    struct reader r = reader_of(value);
    do {
        uint8_t len = read_u8(&r);
        if (len == 0)
            return false;
        read_skip(&r, len);
    } while (!r.failed && reader_left(&r) > 0);
    return !r.failed;
}

/* Ascending, and not itself; whether they are there is known at the end only. */
static bool mandatory_valid(struct bytes value)
{
    struct reader r = reader_of(value);
    uint16_t last = KEY_MANDATORY;
    if (value.len == 0 || value.len % 2 != 0)
        return false;
    while (reader_left(&r) > 0) {
        uint16_t key = read_u16(&r);
        if (key <= last)
            return false;
        last = key;
    }
    return true;
}

static bool value_valid(uint16_t key, struct bytes value)
{
    switch (key) {
    case KEY_MANDATORY:
        return mandatory_valid(value);
    case KEY_ALPN:
        return alpn_valid(value);
    case KEY_NO_DEFAULT_ALPN:
    case KEY_OHTTP:
        return value.len == 0;
    case KEY_PORT:
        return value.len == 2;
    case KEY_IPV4HINT:
        return value.len > 0 && value.len % 4 == 0;
    case KEY_IPV6HINT:
        return value.len > 0 && value.len % 16 == 0;
    case KEY_ECH:
    case KEY_DOHPATH:
        return value.len > 0;
    default:
        return true;
    }
}

static bool has_key(struct bytes parameters, uint16_t key)
{
    struct reader r = reader_of(parameters);
    while (!r.failed && reader_left(&r) > 0) {
        uint16_t here = read_u16(&r);
        read_skip(&r, read_u16(&r));
        if (here == key)
            return !r.failed;
    }
    return false;
}

void dns_svcb_take(struct reader *r)
{
    struct bytes all = read_rest(r);
    struct reader in = reader_of(all);
    struct bytes mandatory = bytes_empty();
    int last = -1;
    while (!in.failed && reader_left(&in) > 0) {
        uint16_t key = read_u16(&in);
        uint16_t len = read_u16(&in);
        struct bytes value = read_bytes(&in, len);
        if (in.failed || key <= last || key == KEY_INVALID || !value_valid(key, value))
            in.failed = true;
        if (key == KEY_MANDATORY)
            mandatory = value;
        last = key;
    }
    struct reader keys = reader_of(mandatory);
    while (!in.failed && reader_left(&keys) > 0)
        if (!has_key(all, read_u16(&keys)))
            in.failed = true;
    /* RFC 9460 §7.1.1: without a list of its own there is no default to leave out. */
    if (has_key(all, KEY_NO_DEFAULT_ALPN) && !has_key(all, KEY_ALPN))
        in.failed = true;
    if (in.failed)
        r->failed = true;
}

/* ---- from text ---- */

/* The next item of a list: up to a comma that is not escaped, "\," and "\\" resolved (RFC 9460,
 * appendix A.1), into `out`. */
static bool next_item(struct bytes *list, struct writer *out)
{
    size_t i = 0;
    for (; i < list->len && list->data[i] != ','; i++) {
        if (list->data[i] == '\\' && ++i == list->len)
            return false;
        write_u8(out, list->data[i]);
    }
    bool more = i < list->len;
    *list = bytes_after(*list, i + more);
    return !more || list->len > 0; /* a comma at the end promises one more */
}

static bool parse_alpn(struct bytes list, struct writer *out)
{
    do {
        size_t at = writer_len(out);
        write_u8(out, 0);
        if (!next_item(&list, out) || out->failed)
            return false;
        size_t len = writer_len(out) - at - 1;
        if (len == 0 || len > UINT8_MAX)
            return false;
        out->start[at] = (uint8_t)len;
    } while (list.len > 0);
    return true;
}

static bool parse_addresses(struct bytes list, bool v4, struct writer *out)
{
    do {
        char text[ADDRESS_TEXT_MAX];
        struct writer w = writer_of(text, sizeof text);
        struct ip_address address;
        if (!next_item(&list, &w) || w.failed || !address_parse(writer_bytes(&w), &address) ||
            address_is_v4(&address) != v4)
            return false;
        write_copy(out, address.octets + (v4 ? 12 : 0), v4 ? 4 : 16);
    } while (list.len > 0);
    return true;
}

/* Keys, which may come in any order. */
static bool parse_mandatory(struct bytes list, struct writer *out)
{
    uint16_t keys[PARAMETERS_MAX];
    size_t count = 0;
    do {
        char text[32];
        struct writer w = writer_of(text, sizeof text);
        uint16_t key;
        if (count == PARAMETERS_MAX || !next_item(&list, &w) || w.failed ||
            !parse_key(writer_bytes(&w), &key))
            return false;
        size_t i = count++;
        for (; i > 0 && keys[i - 1] > key; i--)
            keys[i] = keys[i - 1];
        keys[i] = key;
    } while (list.len > 0);
    for (size_t i = 0; i < count; i++)
        write_u16(out, keys[i]);
    return true;
}

static bool parse_value(uint16_t key, struct bytes value, struct writer *out)
{
    uint64_t port;
    switch (key) {
    case KEY_MANDATORY:
        return parse_mandatory(value, out);
    case KEY_ALPN:
        return parse_alpn(value, out);
    case KEY_PORT:
        if (!text_parse_number(value, UINT16_MAX, &port))
            return false;
        write_u16(out, (uint16_t)port);
        return true;
    case KEY_IPV4HINT:
    case KEY_IPV6HINT:
        return parse_addresses(value, key == KEY_IPV4HINT, out);
    case KEY_ECH:
        return encoding_decode(ENCODING_BASE64, value, out);
    default:
        write_bytes(out, value);
        return true;
    }
}

/* One parameter in text. */
struct parameter {
    uint16_t key;
    struct bytes value; /* escapes not resolved */
};

/* The next word as key and value; a quoted value is a word of its own, right behind the "=". */
static enum dns_token_kind next_parameter(struct bytes *rest, struct parameter *out, bool *valid)
{
    struct dns_token token;
    enum dns_token_kind kind = dns_token_next(rest, &token);
    *valid = false;
    if (kind != DNS_TOKEN_WORD || token.quoted)
        return kind;
    size_t equals = bytes_find(token.text, '=');
    bool has_value = equals < token.text.len;
    if (!parse_key(bytes_first(token.text, equals), &out->key))
        return kind;
    out->value = has_value ? bytes_after(token.text, equals + 1) : bytes_empty();
    if (has_value && out->value.len == 0 && rest->len > 0 && rest->data[0] == '"') {
        kind = dns_token_next(rest, &token);
        out->value = token.text;
    }
    *valid = kind == DNS_TOKEN_WORD;
    return kind;
}

static bool write_parameter(const struct parameter *parameter, struct writer *out)
{
    uint8_t octets[VALUE_TEXT_MAX];
    struct writer value = writer_of(octets, sizeof octets);
    if (!dns_token_unescape(parameter->value, &value) || value.failed)
        return false;
    write_u16(out, parameter->key);
    size_t at = writer_len(out);
    write_u16(out, 0);
    if (!parse_value(parameter->key, writer_bytes(&value), out) || out->failed)
        return false;
    size_t len = writer_len(out) - at - 2;
    write_u16_at(out, at, (uint16_t)len);
    return value_valid(parameter->key, bytes_after(writer_bytes(out), at + 2));
}

bool dns_svcb_parse(struct bytes *rest, struct writer *out, struct dns_error *error)
{
    struct parameter parameters[PARAMETERS_MAX];
    size_t count = 0;
    for (;;) {
        struct parameter next = {0};
        bool valid;
        struct bytes word = *rest;
        enum dns_token_kind kind = next_parameter(rest, &next, &valid);
        if (kind == DNS_TOKEN_END)
            break;
        if (!valid || count == PARAMETERS_MAX)
            return dns_complain(error, "not a service parameter as \"port=443\"",
                                text_trim(bytes_first(word, word.len - rest->len)));
        size_t i = count++;
        for (; i > 0 && parameters[i - 1].key > next.key; i--)
            parameters[i] = parameters[i - 1];
        if (i > 0 && parameters[i - 1].key == next.key)
            return dns_complain(error, "a service parameter comes twice",
                                text_trim(bytes_first(word, word.len - rest->len)));
        parameters[i] = next;
    }
    for (size_t i = 0; i < count; i++)
        if (!write_parameter(&parameters[i], out)) {
            if (parameters[i].key < KEY_KNOWN_COUNT)
                return dns_complain(error, "not a value for that service parameter",
                                    bytes_of_text(key_names[parameters[i].key]));
            return dns_complain(error, "not a value of a service parameter", parameters[i].value);
        }
    return true;
}

/* ---- to text ---- */

/* More and larger parameters than anybody writes, and IPv6 hints that would read as IPv4 ones, are
 * left to the form of RFC 3597. */
bool dns_svcb_has_text(struct bytes rdata)
{
    if (rdata.len > VALUE_TEXT_MAX / 2)
        return false;
    struct reader r = reader_of(bytes_after(rdata, 2));
    uint8_t label;
    while ((label = read_u8(&r)) != 0)
        read_skip(&r, label);
    size_t count = 0;
    while (reader_left(&r) > 0) {
        uint16_t key = read_u16(&r);
        uint16_t len = read_u16(&r);
        struct reader value = reader_of(read_bytes(&r, len));
        while (key == KEY_IPV6HINT && reader_left(&value) > 0) {
            struct ip_address address;
            read_copy(&value, address.octets, sizeof address.octets);
            if (address_is_v4(&address))
                return false;
        }
        count++;
    }
    return count <= PARAMETERS_MAX;
}

/* A list's item: commas and backslashes are escaped, and that as a character-string once more. */
static void format_item(struct bytes item, struct text *out)
{
    for (size_t i = 0; i < item.len; i++) {
        if (item.data[i] == ',')
            text_add(out, "\\\\,");
        else if (item.data[i] == '\\')
            text_add(out, "\\\\\\\\");
        else
            dns_format_octets(bytes_of(&item.data[i], 1), out);
    }
}

static void format_alpn(struct bytes value, struct text *out)
{
    struct reader r = reader_of(value);
    text_add(out, "\"");
    while (reader_left(&r) > 0) {
        uint8_t len = read_u8(&r);
        format_item(read_bytes(&r, len), out);
        if (reader_left(&r) > 0)
            text_add(out, ",");
    }
    text_add(out, "\"");
}

static void format_addresses(struct bytes value, bool v4, struct text *out)
{
    struct reader r = reader_of(value);
    while (reader_left(&r) > 0) {
        char buffer[ADDRESS_TEXT_MAX];
        struct ip_address address;
        if (v4)
            address = address_v4(read_u32(&r));
        else
            read_copy(&r, address.octets, sizeof address.octets);
        text_add(out, address_format(&address, buffer));
        if (reader_left(&r) > 0)
            text_add(out, ",");
    }
}

static void format_value(uint16_t key, struct bytes value, struct text *out)
{
    struct reader r = reader_of(value);
    switch (key) {
    case KEY_MANDATORY:
        while (reader_left(&r) > 0) {
            format_key(read_u16(&r), out);
            if (reader_left(&r) > 0)
                text_add(out, ",");
        }
        break;
    case KEY_ALPN:
        format_alpn(value, out);
        break;
    case KEY_PORT:
        text_add_format(out, "%u", (unsigned)read_u16(&r));
        break;
    case KEY_IPV4HINT:
    case KEY_IPV6HINT:
        format_addresses(value, key == KEY_IPV4HINT, out);
        break;
    case KEY_ECH:
        encoding_format(ENCODING_BASE64, value, out);
        break;
    default:
        text_add(out, "\"");
        dns_format_octets(value, out);
        text_add(out, "\"");
        break;
    }
}

void dns_svcb_format(struct reader *r, struct text *out)
{
    bool first = true;
    while (!r->failed && reader_left(r) > 0) {
        uint16_t key = read_u16(r);
        uint16_t len = read_u16(r);
        struct bytes value = read_bytes(r, len);
        if (!first)
            text_add(out, " ");
        first = false;
        format_key(key, out);
        if (value.len > 0) {
            text_add(out, "=");
            format_value(key, value, out);
        }
    }
}

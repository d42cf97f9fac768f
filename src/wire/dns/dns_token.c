/* SPDX-License-Identifier: ISC */
/* dns_token.c - words of a master file's line: blanks, quotes, escapes, comments (RFC 1035 §5.1). */
#include "wire/dns/dns_token.h"

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

enum dns_token_kind dns_token_next(struct bytes *rest, struct dns_token *out)
{
    size_t start = 0;
    while (start < rest->len && (is_blank(rest->data[start]) || rest->data[start] == ';'))
        start += rest->data[start] == ';' ? bytes_find(bytes_after(*rest, start), '\n') : 1;
    if (start >= rest->len) {
        *rest = bytes_empty();
        return DNS_TOKEN_END;
    }
    out->quoted = rest->data[start] == '"';
    start += out->quoted;
    size_t end = scan(*rest, start, out->quoted);
    if (end > rest->len || (out->quoted && end == rest->len))
        return DNS_TOKEN_BROKEN;
    out->text = bytes_first(bytes_after(*rest, start), end - start);
    *rest = bytes_after(*rest, end + out->quoted);
    return DNS_TOKEN_WORD;
}

bool dns_token_unescape(struct bytes text, struct writer *out)
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

bool dns_complain(struct dns_error *error, const char *what, struct bytes word)
{
    text_add(&error->text, what);
    if (word.len > 0) {
        error->at = word.data;
        text_add_format(&error->text, ": \"%.*s\"", (int)(word.len < 80 ? word.len : 80),
                        (const char *)word.data);
    }
    return false;
}

bool dns_parse_seconds(struct bytes text, uint32_t *out)
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

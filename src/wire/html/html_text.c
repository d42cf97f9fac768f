/* SPDX-License-Identifier: ISC */
/* html_text.c - links as they are written in attributes and style sheets, and as they are meant. */
#include "wire/html/html_links.h"

static void add_utf8(struct text *out, uint32_t c)
{
    uint8_t octets[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        c = 0xfffd;
        len = 3;
    }
    for (size_t i = len; i-- > 1; c >>= 6)
        octets[i] = (uint8_t)(0x80 | (c & 0x3f));
    octets[0] = (uint8_t)(len == 1 ? c : (uint8_t)(0xf00 >> len) | c);
    text_add_bytes(out, bytes_of(octets, len));
}

static int digit_of(uint8_t c, unsigned base)
{
    int value = c >= '0' && c <= '9'                  ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : 16;
    return value < (int)base ? value : -1;
}

/* Digits there; how many. More than fit are no character. */
static size_t read_number(struct bytes in, unsigned base, size_t max, uint32_t *out)
{
    size_t len = 0;
    *out = 0;
    while (len < in.len && len < max && digit_of(in.data[len], base) >= 0) {
        if (*out <= 0x10ffff)
            *out = *out * base + (uint32_t)digit_of(in.data[len], base);
        len++;
    }
    return len;
}

/* WHATWG HTML §13.2.5.72, of the named ones those that URLs have. How many octets it was; 0: none. */
static size_t decode_reference(struct bytes in, struct text *out)
{
    static const struct {
        const char *name, *text;
    } names[] = {{"&amp;", "&"},  {"&lt;", "<"},    {"&gt;", ">"},
                 {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", "\xc2\xa0"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal(bytes_first(in, strlen(names[i].name)), bytes_of_text(names[i].name))) {
            text_add(out, names[i].text);
            return strlen(names[i].name);
        }
    if (in.len < 3 || in.data[1] != '#')
        return 0;
    bool hex = (in.data[2] | 0x20) == 'x';
    uint32_t c;
    size_t start = hex ? 3 : 2;
    size_t len = read_number(bytes_after(in, start), hex ? 16 : 10, 16, &c);
    if (len == 0)
        return 0;
    add_utf8(out, c);
    size_t end = start + len;
    return end < in.len && in.data[end] == ';' ? end + 1 : end;
}

/* CSS Syntax 3 §4.3.7: how many octets it was. */
static size_t decode_escape(struct bytes in, struct text *out)
{
    uint32_t c;
    size_t len = read_number(bytes_after(in, 1), 16, 6, &c);
    if (len > 0) {
        add_utf8(out, c);
        size_t end = 1 + len;
        return end < in.len && (in.data[end] == ' ' || in.data[end] == '\n') ? end + 1 : end;
    }
    text_add_bytes(out, bytes_first(bytes_after(in, 1), 1));
    return in.len > 1 ? 2 : 1;
}

/* URL standard §4.4: tabs and line ends within are not there. */
static bool is_left_out(uint8_t c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

bool html_link_decode(const struct html_link *link, struct text *out)
{
    bool attribute = link->place != HTML_IN_STYLE;
    bool style = link->place != HTML_IN_ATTRIBUTE;
    struct bytes in = link->raw;
    while (in.len > 0) {
        size_t used = 0;
        if (in.data[0] == '&' && attribute)
            used = decode_reference(in, out);
        else if (in.data[0] == '\\' && style)
            used = decode_escape(in, out);
        if (used == 0) {
            if (!is_left_out(in.data[0]))
                text_add_bytes(out, bytes_first(in, 1));
            used = 1;
        }
        in = bytes_after(in, used);
    }
    return !out->failed;
}

void html_link_encode(const struct html_link *link, struct bytes url, struct text *out)
{
    bool attribute = link->place != HTML_IN_STYLE;
    bool style = link->place != HTML_IN_ATTRIBUTE;
    for (size_t i = 0; i < url.len; i++) {
        uint8_t c = url.data[i];
        if (c == '&' && attribute)
            text_add(out, "&amp;");
        else if (c == '\'' && !style)
            text_add(out, "&#39;");
        else if (c <= ' ' || c == '"' || c == '<' || c == '>' || c == '\\' || c == 0x7f ||
                 (style && (c == '\'' || c == '(' || c == ')')))
            text_add_format(out, "%%%02X", c);
        else
            text_add_bytes(out, bytes_of(url.data + i, 1));
    }
}

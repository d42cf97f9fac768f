/* SPDX-License-Identifier: ISC */
/* css_links.c - url() and @import (CSS Syntax 3 §4.3). */
#include "wire/html/css_links.h"

struct scan {
    struct bytes in;
    size_t at;
    enum html_place place;
    html_take_link *take;
    void *self;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_name(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c >= 0x80;
}

static struct bytes rest(const struct scan *s)
{
    return bytes_after(s->in, s->at);
}

static bool begins(struct bytes text, const char *start)
{
    return bytes_equal_nocase(bytes_first(text, strlen(start)), bytes_of_text(start));
}

/* A quotation mark there, which in an attribute may be written in other ways: its octets, and which it is. */
static size_t quote_at(const struct scan *s, char *which)
{
    static const struct {
        const char *text;
        char which;
    } marks[] = {{"\"", '"'},     {"'", '\''},     {"&quot;", '"'}, {"&#34;", '"'},
                 {"&#x22;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}, {"&#x27;", '\''}};
    size_t count = s->place == HTML_IN_STYLE_ATTRIBUTE ? ARRAY_LEN(marks) : 2;
    for (size_t i = 0; i < count; i++)
        if (begins(rest(s), marks[i].text)) {
            *which = marks[i].which;
            return strlen(marks[i].text);
        }
    return 0;
}

static void skip_spaces(struct scan *s)
{
    while (s->at < s->in.len && is_space(s->in.data[s->at]))
        s->at++;
}

/* Behind an opening mark. */
static struct bytes read_string(struct scan *s, char quote)
{
    size_t start = s->at;
    while (s->at < s->in.len) {
        char which;
        size_t len = quote_at(s, &which);
        if (s->in.data[s->at] == '\n') /* it was none (§4.3.5) */
            return bytes_empty();
        if (len > 0 && which == quote) {
            struct bytes text = bytes_of(s->in.data + start, s->at - start);
            s->at += len;
            return text;
        }
        s->at += len > 0 ? len : s->in.data[s->at] == '\\' ? 2 : 1;
    }
    if (s->at > s->in.len)
        s->at = s->in.len;
    return bytes_of(s->in.data + start, s->at - start);
}

static void tell(const struct scan *s, struct bytes raw)
{
    struct html_link link = {HTML_LINK_PART, s->place, text_trim(raw)};
    if (link.raw.len > 0)
        s->take(s->self, &link);
}

/* Behind "url(". */
static void read_url(struct scan *s)
{
    char quote;
    skip_spaces(s);
    size_t len = quote_at(s, &quote);
    if (len > 0) {
        s->at += len;
        tell(s, read_string(s, quote));
        s->at += bytes_find(rest(s), ')');
        return;
    }
    size_t start = s->at;
    while (s->at < s->in.len && s->in.data[s->at] != ')')
        s->at += s->in.data[s->at] == '\\' ? 2 : 1;
    if (s->at > s->in.len)
        s->at = s->in.len;
    tell(s, bytes_of(s->in.data + start, s->at - start));
}

static void read_import(struct scan *s)
{
    char quote;
    skip_spaces(s);
    size_t len = quote_at(s, &quote);
    if (len == 0)
        return; /* url() follows, or nothing good */
    s->at += len;
    tell(s, read_string(s, quote));
}

static void skip_comment(struct scan *s)
{
    s->at += 2;
    while (s->at < s->in.len && !begins(rest(s), "*/"))
        s->at++;
    s->at = s->at + 2 < s->in.len ? s->at + 2 : s->in.len;
}

void css_scan(struct bytes sheet, enum html_place place, html_take_link *take, void *self)
{
    struct scan s = {sheet, 0, place, take, self};
    while (s.at < s.in.len) {
        char quote;
        size_t len = quote_at(&s, &quote);
        bool inside = s.at > 0 && is_name(s.in.data[s.at - 1]);
        if (begins(rest(&s), "/*")) {
            skip_comment(&s);
        } else if (len > 0) {
            s.at += len;
            (void)read_string(&s, quote);
        } else if (!inside && begins(rest(&s), "url(")) {
            s.at += 4;
            read_url(&s);
        } else if (begins(rest(&s), "@import")) {
            s.at += 7;
            read_import(&s);
        } else {
            s.at += s.in.data[s.at] == '\\' && s.at + 1 < s.in.len ? 2 : 1;
        }
    }
}

void css_each_link(struct bytes sheet, html_take_link *take, void *self)
{
    css_scan(sheet, HTML_IN_STYLE, take, self);
}

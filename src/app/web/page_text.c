/* SPDX-License-Identifier: ISC */
/* page_text.c - text that grows by doubling, and HTML's escapes. */
#include "app/web/page_text.h"

#include <stdio.h>
#include <stdlib.h>

static bool reserve(struct page_text *page, size_t more)
{
    if (page->failed || more > PAGE_TEXT_MAX - page->len) {
        page->failed = true;
        return false;
    }
    if (page->len + more <= page->size)
        return true;
    size_t size = page->size > 0 ? page->size : 4096;
    while (size < page->len + more)
        size *= 2;
    char *larger = realloc(page->data, size);
    if (larger == NULL) {
        page->failed = true;
        return false;
    }
    page->data = larger;
    page->size = size;
    return true;
}

void page_add_bytes(struct page_text *page, struct bytes html)
{
    if (html.len > 0 && reserve(page, html.len)) {
        memcpy(page->data + page->len, html.data, html.len);
        page->len += html.len;
    }
}

void page_add(struct page_text *page, const char *html)
{
    page_add_bytes(page, bytes_of_text(html));
}

void page_add_format(struct page_text *page, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(len >= 0 && (size_t)len < sizeof text);
    page_add_bytes(page, bytes_of(text, (size_t)len));
}

static const char *escape_of(uint8_t octet)
{
    switch (octet) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return octet < 0x20 || octet == 0x7f ? "\xef\xbf\xbd" : NULL; /* U+FFFD */
    }
}

void page_add_escaped(struct page_text *page, struct bytes text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = escape_of(text.data[i]);
        if (escape == NULL)
            continue;
        page_add_bytes(page, bytes_of(text.data + start, i - start));
        page_add(page, escape);
        start = i + 1;
    }
    page_add_bytes(page, bytes_after(text, start));
}

void page_add_text(struct page_text *page, const char *text)
{
    page_add_escaped(page, bytes_of_text(text));
}

void page_add_count(struct page_text *page, uint64_t count)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            page_add(page, "\xe2\x80\xaf");
        page_add_bytes(page, bytes_of(digits + i, 1));
    }
}

void page_add_size(struct page_text *page, uint64_t octets)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)octets;
    while (value >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1024;
        unit++;
    }
    page_add_format(page, "<span title=\"%llu octets\">%.*f&nbsp;%s</span>",
                    (unsigned long long)octets, unit > 0 && value < 100 ? 1 : 0, value, units[unit]);
}

void page_add_seconds(struct page_text *page, double seconds)
{
    static const struct {
        double len;
        const char *unit;
    } parts[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    if (!(seconds >= 0) || seconds > 1e15)
        seconds = 0;
    if (seconds < 10) {
        page_add_format(page, "%.1f\xc2\xa0s", seconds);
        return;
    }
    uint64_t rest = (uint64_t)seconds;
    unsigned shown = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts) && shown < 2; i++) {
        uint64_t len = (uint64_t)parts[i].len;
        if (rest < len && shown == 0)
            continue;
        page_add_format(page, "%s%llu\xc2\xa0%s", shown > 0 ? " " : "",
                        (unsigned long long)(rest / len), parts[i].unit);
        rest %= len;
        shown++;
    }
}

/* Where `mark` (two octets) is in the text, or text.len. */
static size_t find_mark(struct bytes text, const char *mark)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == (uint8_t)mark[0] && text.data[i + 1] == (uint8_t)mark[1])
            return i;
    return text.len;
}

void page_expand(struct page_text *page, struct bytes source,
                 bool (*on_name)(void *self, struct page_text *page, struct bytes name), void *self)
{
    while (source.len > 0) {
        size_t open = find_mark(source, "{{");
        page_add_bytes(page, bytes_first(source, open));
        source = bytes_after(source, open);
        if (source.len == 0)
            break;
        size_t close = find_mark(source, "}}");
        size_t end = close < source.len ? close + 2 : source.len;
        if (close == source.len || !on_name(self, page, bytes_of(source.data + 2, close - 2)))
            page_add_bytes(page, bytes_first(source, end));
        source = bytes_after(source, end);
    }
}

struct bytes page_bytes(const struct page_text *page)
{
    return bytes_of(page->data, page->len);
}

void page_done(struct page_text *page)
{
    free(page->data);
    *page = (struct page_text){0};
}

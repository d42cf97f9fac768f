/* SPDX-License-Identifier: ISC */
/*
 * page_text.h - a page under construction: text that grows, with what people write escaped for HTML.
 */
#ifndef WN_APP_WEB_PAGE_TEXT_H
#define WN_APP_WEB_PAGE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { PAGE_TEXT_MAX = 4 * 1024 * 1024 };

/* All zero is an empty page. Without memory, or beyond PAGE_TEXT_MAX, `failed` is set and the rest
 * ignored. */
struct page_text {
    char *data;
    size_t len;
    size_t size;
    bool failed;
};

void page_add(struct page_text *page, const char *html);
void page_add_bytes(struct page_text *page, struct bytes html);
void page_add_format(struct page_text *page, const char *format, ...) PRINTF_LIKE(2, 3);

/* Text that may hold anything, for content and for attributes in double or single quotes. */
void page_add_escaped(struct page_text *page, struct bytes text);
void page_add_text(struct page_text *page, const char *text);

/* "1 234 567" with thin no-break spaces; "1.2 MiB" with the exact number as its title. */
void page_add_count(struct page_text *page, uint64_t count);
void page_add_size(struct page_text *page, uint64_t octets);

/* Seconds, as "3 min 12 s". */
void page_add_seconds(struct page_text *page, double seconds);

/*
 * Copies `source`, with each {{name}} replaced by what on_name() adds for it; a name that it does
 * not know it answers with false, and the text stays as it is.
 */
void page_expand(struct page_text *page, struct bytes source,
                 bool (*on_name)(void *self, struct page_text *page, struct bytes name), void *self);

struct bytes page_bytes(const struct page_text *page);
void page_done(struct page_text *page);

#endif

/* SPDX-License-Identifier: ISC */
/* pages.h - the files of web/, compiled into the program by tools/embed.py. */
#ifndef WN_APP_WEB_PAGES_H
#define WN_APP_WEB_PAGES_H

#include <stddef.h>
#include <stdint.h>

struct web_page {
    const char *path; /* "/index.html" */
    const uint8_t *data;
    size_t len;
};

extern const struct web_page web_pages[];
extern const size_t web_page_count;

#endif

/* SPDX-License-Identifier: ISC */
/* css_links.h - url() and @import in style sheets (CSS Syntax 3 §4). For html_links.c; others call css_each_link(). */
#ifndef WN_WIRE_HTML_CSS_LINKS_H
#define WN_WIRE_HTML_CSS_LINKS_H

#include "wire/html/html_links.h"

void css_scan(struct bytes sheet, enum html_place place, html_take_link *take, void *self);

#endif

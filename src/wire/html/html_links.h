/* SPDX-License-Identifier: ISC */
/*
 * html_links.h - where the links are in HTML and CSS: each as the octets that stand there, so that they can be
 * replaced. Tags are found as browsers find them (WHATWG HTML §13.2.5): any octets are a document.
 *
 * What is inside of scripts, comments and texts is no link. SKIPS WHATWG HTML §13.2.5.26: "<script" in a comment in
 * a script hides the script's end; here it ends at the first "</script".
 */
#ifndef WN_WIRE_HTML_HTML_LINKS_H
#define WN_WIRE_HTML_HTML_LINKS_H

#include "base/text.h"

enum {
    HTML_ATTRIBUTES_MAX = 48, /* of a tag; more are not looked at */
};

enum html_link_kind {
    HTML_LINK_PAGE,    /* somewhere to go: <a>, <area>, refresh */
    HTML_LINK_PART,    /* what the page is shown with: images, styles, scripts, frames */
    HTML_LINK_FORM,    /* where a form goes: nothing to be fetched */
    HTML_LINK_BASE,    /* what the others are relative to; the first counts */
    HTML_LINK_CHARSET, /* no link: <meta charset>, the octets are the name */
};

/* What stands around a link, and so how it is written. */
enum html_place { HTML_IN_ATTRIBUTE, HTML_IN_STYLE_ATTRIBUTE, HTML_IN_STYLE };

struct html_link {
    enum html_link_kind kind;
    enum html_place place;
    struct bytes raw; /* in the document */
};

typedef void html_take_link(void *self, const struct html_link *link);

/* Tells of all links; those of one tag in no order. */
void html_each_link(struct bytes document, html_take_link *take, void *self);
void css_each_link(struct bytes sheet, html_take_link *take, void *self);

/* The reference that is meant, without what quotes it. False: no room. */
MUST_USE bool html_link_decode(const struct html_link *link, struct text *out);

/* Writes a URL so that it may stand there. */
void html_link_encode(const struct html_link *link, struct bytes url, struct text *out);

#endif

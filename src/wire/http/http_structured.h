/* SPDX-License-Identifier: ISC */
/*
 * http_structured.h - structured fields (RFC 8941, with the dates and display strings of RFC 9651):
 * items, lists and dictionaries, member by member.
 *
 * Strict, as RFC 8941 §4.2 asks: what does not parse whole is to be ignored whole. So walk a value to
 * its end with the same function first where a part of it must not count.
 */
#ifndef WN_WIRE_HTTP_HTTP_STRUCTURED_H
#define WN_WIRE_HTTP_HTTP_STRUCTURED_H

#include "base/bytes.h"

enum {
    HTTP_SF_DIGITS_MAX = 15,       /* of an integer (RFC 8941 §3.3.1) */
    HTTP_SF_WHOLE_DIGITS_MAX = 12, /* of a decimal, before its point (§3.3.2) */
    HTTP_SF_FRACTION_MAX = 3,
};

enum http_sf_kind {
    HTTP_SF_INTEGER,
    HTTP_SF_DECIMAL,  /* `number` counts thousandths */
    HTTP_SF_STRING,   /* `text`: between the quotes, escapes as they stand */
    HTTP_SF_TOKEN,
    HTTP_SF_OCTETS,   /* `text`: base64 */
    HTTP_SF_BOOLEAN,
    HTTP_SF_DATE,     /* `number`: seconds since 1970 */
    HTTP_SF_DISPLAY,  /* `text`: between the quotes, percent-encoded UTF-8 */
    HTTP_SF_LIST,     /* an inner list; `text`: between the parentheses */
    HTTP_SF_KIND_COUNT
};

/* Views of what was parsed. */
struct http_sf_member {
    struct bytes key;        /* of a dictionary's member or a parameter; else empty */
    enum http_sf_kind kind;
    int64_t number;          /* also of booleans: 0 or 1 */
    struct bytes text;
    struct bytes parameters; /* for http_sf_parameter() */
};

enum http_sf_step {
    HTTP_SF_MEMBER, /* *out has one, and *rest what follows it */
    HTTP_SF_END,
    HTTP_SF_MALFORMED,
};

/* The next member. Begin with *rest the whole value, as http_fields_join() makes it of several fields,
 * and first true. Of a key that comes twice in a dictionary the last holds (RFC 8941 §4.2.2). */
enum http_sf_step http_sf_list(struct bytes *rest, bool first, struct http_sf_member *out);
enum http_sf_step http_sf_dictionary(struct bytes *rest, bool first, struct http_sf_member *out);

/* The next item of an inner list, begun with its `text`; the next parameter of a member. */
enum http_sf_step http_sf_inner(struct bytes *rest, struct http_sf_member *out);
enum http_sf_step http_sf_parameter(struct bytes *rest, struct http_sf_member *out);

/* The value of an item field. */
MUST_USE bool http_sf_item(struct bytes value, struct http_sf_member *out);

/* Is the whole value a dictionary or a list? */
bool http_sf_is_dictionary(struct bytes value);
bool http_sf_is_list(struct bytes value);

/* A string's text with its escapes resolved. */
void http_sf_write_unescaped(struct writer *w, struct bytes text);

/* Text as a string, in quotes. What no string may hold fails the writer. */
void http_sf_write_string(struct writer *w, struct bytes text);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * cookie_jar.h - a client's cookies (draft-ietf-httpbis-rfc6265bis): which it takes, keeps, and sends
 * where.
 *
 * SKIPS RFC 6265bis §5.2, SameSite: every request here is what a browser calls a top-level one.
 */
#ifndef WN_PROTO_HTTP_COOKIE_JAR_H
#define WN_PROTO_HTTP_COOKIE_JAR_H

#include "base/heap.h"
#include "base/text.h"
#include "wire/http/url.h"

enum {
    COOKIES_MAX = 3000,           /* RFC 6265 §6.1: at least; expired ones go first, then the one used
                                     longest ago */
    COOKIES_OF_DOMAIN_MAX = 180,
    COOKIE_PAIR_MAX = 4096,       /* name and value (RFC 6265bis §5.6) */
    COOKIE_ATTRIBUTE_MAX = 1024,
};
#define COOKIE_LIFE_MAX ((int64_t)400 * 24 * 3600) /* RFC 6265bis §5.5 */

struct cookie_jar;

MUST_USE struct cookie_jar *cookie_jar_new(const struct heap *heap); /* NULL: no memory */
void cookie_jar_free(struct cookie_jar *jar);

/* From now on a site may not set cookies for such a domain (§5.7 step 9), which is in lower case: others are there,
 * too. One of a single label is always such. */
void cookie_jar_set_suffixes(struct cookie_jar *jar, bool (*is_suffix)(struct bytes domain));

/* A Set-Cookie field of a response from `url`. False: it was refused. `now`: seconds since 1970. */
bool cookie_jar_take(struct cookie_jar *jar, const struct url *url, struct bytes field,
                     int64_t now);

/* The value of the Cookie field of a request, added to `out`; false: there are none for it. */
bool cookie_jar_write(struct cookie_jar *jar, const struct url *url, int64_t now,
                      struct text *out);

size_t cookie_jar_count(const struct cookie_jar *jar);

/* Drops what ends with the session. */
void cookie_jar_end_session(struct cookie_jar *jar);

/* The file format that browsers had and curl(1) and wget(1) have: seven columns, "#HttpOnly_" in front of
 * the domain. Lines that are none are skipped; returns how many cookies were taken. */
size_t cookie_jar_load(struct cookie_jar *jar, struct bytes text, int64_t now);

/* One line of it at a time: *place NULL begins. False: there are no more. A line has room in
 * COOKIE_LINE_MAX. */
enum { COOKIE_LINE_MAX = COOKIE_PAIR_MAX + 2 * COOKIE_ATTRIBUTE_MAX + URL_HOST_MAX + 64 };
struct cookie;
bool cookie_jar_save(const struct cookie_jar *jar, int64_t now, const struct cookie **place,
                     struct text *line);

/* The whole file, with the line that others look for at its beginning; session cookies too. Room for it:
 * cookie_jar_text_max(). */
size_t cookie_jar_text_max(const struct cookie_jar *jar);
void cookie_jar_write_text(const struct cookie_jar *jar, int64_t now, struct text *out);

#endif

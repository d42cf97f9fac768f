/* SPDX-License-Identifier: ISC */
/*
 * http_list.h - comma-separated lists in field values, their parameters and weights, and entity
 * tags (RFC 9110 §5.6.1, §5.6.4, §8.8.3, §12.4.2).
 */
#ifndef WN_WIRE_HTTP_HTTP_LIST_H
#define WN_WIRE_HTTP_HTTP_LIST_H

#include "wire/http/http_octets.h"

/*
 * Takes the next element off the front of *rest; false when there is none. Empty elements are
 * skipped, commas in quoted strings do not separate, spaces around the element are dropped. The
 * element is a view of *rest.
 */
bool http_list_next(struct bytes *rest, struct bytes *element);

/* Is the token (letters without regard to case) an element of the list? Parameters are ignored. */
bool http_list_has(struct bytes list, const char *token);

/* The element before its first parameter, trimmed: "text/html;q=0.5" -> "text/html". */
struct bytes http_element_name(struct bytes element);

/* The element's weight in thousandths: "q=0.25" -> 250; 1000 without one; 0 when malformed. */
unsigned http_element_quality(struct bytes element);

/* The weight a list gives to `name`: its own element's, else that of "*", else 0. An empty list
 * gives 1000 to all. */
unsigned http_list_quality(struct bytes list, const char *name);

/*
 * Does the list of an If-Match or If-None-Match name `etag` (with its quotes and W/)? "*" names
 * any. Strong comparison: neither may be weak (§8.8.3.2).
 */
bool http_etag_listed(struct bytes list, struct bytes etag, bool strong);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * http_date.h - dates in HTTP (RFC 9110 §5.6.7): the three formats in, IMF-fixdate out.
 */
#ifndef WN_WIRE_HTTP_HTTP_DATE_H
#define WN_WIRE_HTTP_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { HTTP_DATE_LEN = 29 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/*
 * The whole text must be a date in one of the formats. Two-digit years are taken as the year
 * within 50 years of `now` (seconds since 1970). A leap second counts as the second after it. False
 * leaves *out untouched. The day's name is not checked against the date.
 */
MUST_USE bool http_date_parse(struct bytes text, int64_t now, int64_t *out);

/* Writes HTTP_DATE_LEN octets and a NUL; returns `out`. Years 0 to 9999; others are clamped. */
char *http_date_format(int64_t seconds, char out[HTTP_DATE_LEN + 1]);

#endif

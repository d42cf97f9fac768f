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

/* A moment in UTC, by the Gregorian calendar. */
struct http_calendar {
    int64_t year;
    unsigned month;   /* 1 to 12 */
    unsigned day;     /* 1 to 31 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0: Sunday */
};

/* Seconds since 1970-01-01T00:00:00Z, from calendar fields that are in range; and back. */
int64_t http_calendar_seconds(const struct http_calendar *calendar);
struct http_calendar http_calendar_of(int64_t seconds);

/*
 * The whole text must be a date in one of the formats. Two-digit years are taken as the year
 * within 50 years of `now` (seconds since 1970). A leap second counts as the second after it. False
 * leaves *out untouched. The day's name is not checked against the date.
 */
MUST_USE bool http_date_parse(struct bytes text, int64_t now, int64_t *out);

/* Writes HTTP_DATE_LEN octets and a NUL; returns `out`. Years 0 to 9999; others are clamped. */
char *http_date_format(int64_t seconds, char out[HTTP_DATE_LEN + 1]);

#endif

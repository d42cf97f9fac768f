/* SPDX-License-Identifier: ISC */
/*
 * cookie_date.h - dates in cookies, which are read with more patience than others (RFC 6265 §5.1.1):
 * a time, a day of a month, a month and a year, in any order with anything in between.
 */
#ifndef WN_WIRE_HTTP_COOKIE_DATE_H
#define WN_WIRE_HTTP_COOKIE_DATE_H

#include "base/bytes.h"

/* Seconds since 1970. False: it is no date. */
MUST_USE bool cookie_date_parse(struct bytes text, int64_t *out);

#endif

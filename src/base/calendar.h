/* SPDX-License-Identifier: ISC */
/*
 * calendar.h - seconds since 1970 as dates in UTC and back, by arithmetic alone: no time zone, no
 * locale, no leap seconds.
 */
#ifndef WN_BASE_CALENDAR_H
#define WN_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* A moment in UTC, by the Gregorian calendar. */
struct calendar {
    int64_t year;
    unsigned month;   /* 1 to 12 */
    unsigned day;     /* 1 to 31 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0: Sunday */
};

/* Seconds since 1970-01-01T00:00:00Z, from calendar fields that are in range; and back. */
int64_t calendar_seconds(const struct calendar *calendar);
struct calendar calendar_of(int64_t seconds);

/* Is there such a day? */
bool calendar_day_exists(int64_t year, unsigned month, unsigned day);

#endif

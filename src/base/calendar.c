/* SPDX-License-Identifier: ISC */
/*
 * calendar.c - the Gregorian calendar by arithmetic. Days are counted from 0000-03-01, so that the
 * leap day is the last of its year.
 */
#include "base/calendar.h"

#define SECONDS_PER_DAY ((int64_t)86400)
#define DAYS_TO_1970 ((int64_t)719468) /* from 0000-03-01 */
#define DAYS_PER_ERA ((int64_t)146097) /* 400 years */

int64_t calendar_seconds(const struct calendar *c)
{
    int64_t year = c->year - (c->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (c->month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + c->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    int64_t days = era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
    return days * SECONDS_PER_DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

struct calendar calendar_of(int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t rest = seconds % SECONDS_PER_DAY;
    if (rest < 0) {
        rest += SECONDS_PER_DAY;
        days--;
    }
    struct calendar c = {0};
    c.weekday = (unsigned)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    c.day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    c.month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    c.year = year_of_era + era * 400 + (c.month <= 2);
    c.hour = (unsigned)(rest / 3600);
    c.minute = (unsigned)(rest / 60 % 60);
    c.second = (unsigned)(rest % 60);
    return c;
}

bool calendar_day_exists(int64_t year, unsigned month, unsigned day)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

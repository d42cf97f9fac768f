/* SPDX-License-Identifier: ISC */
/*
 * http_date.c - dates in HTTP by arithmetic alone (RFC 9110 §5.6.7): no time zone, no locale. The
 * calendar counts days from 0000-03-01, so that the leap day is the last of its year.
 */
#include "wire/http/http_date.h"

#include <stdio.h>

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};
#define SECONDS_PER_DAY ((int64_t)86400)
#define DAYS_TO_1970 ((int64_t)719468) /* from 0000-03-01 */
#define DAYS_PER_ERA ((int64_t)146097) /* 400 years */
#define YEAR_MIN_SECONDS (-(int64_t)62167219200) /* 0000-01-01T00:00:00Z */
#define YEAR_MAX_SECONDS ((int64_t)253402300799) /* 9999-12-31T23:59:59Z */

int64_t http_calendar_seconds(const struct http_calendar *c)
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

struct http_calendar http_calendar_of(int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t rest = seconds % SECONDS_PER_DAY;
    if (rest < 0) {
        rest += SECONDS_PER_DAY;
        days--;
    }
    struct http_calendar c = {0};
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

static void expect(struct reader *r, char octet)
{
    if (read_u8(r) != (uint8_t)octet)
        r->failed = true;
}

static void expect_text(struct reader *r, const char *text)
{
    for (; *text != '\0'; text++)
        expect(r, *text);
}

static unsigned read_digits(struct reader *r, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t octet = read_u8(r);
        if (octet < '0' || octet > '9')
            r->failed = true;
        value = value * 10 + (unsigned)(octet - '0');
    }
    return r->failed ? 0 : value;
}

/* The index of the name that the reader stands before, which is consumed; 0 and failed if none. */
static unsigned read_name(struct reader *r, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t len = strlen(names[i]);
        if (!r->failed && reader_left(r) >= len && memcmp(r->next, names[i], len) == 0) {
            read_skip(r, len);
            return i;
        }
    }
    r->failed = true;
    return 0;
}

static void read_time(struct reader *r, struct http_calendar *c)
{
    c->hour = read_digits(r, 2);
    expect(r, ':');
    c->minute = read_digits(r, 2);
    expect(r, ':');
    c->second = read_digits(r, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void read_imf_fixdate(struct reader *r, struct http_calendar *c)
{
    (void)read_name(r, day_names, 7);
    expect_text(r, ", ");
    c->day = read_digits(r, 2);
    expect(r, ' ');
    c->month = read_name(r, month_names, 12) + 1;
    expect(r, ' ');
    c->year = read_digits(r, 4);
    expect(r, ' ');
    read_time(r, c);
    expect_text(r, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT". A year that seems more than 50 years ahead is the last one
 * with those two digits. */
static void read_rfc850(struct reader *r, int64_t now, struct http_calendar *c)
{
    (void)read_name(r, long_day_names, 7);
    expect_text(r, ", ");
    c->day = read_digits(r, 2);
    expect(r, '-');
    c->month = read_name(r, month_names, 12) + 1;
    expect(r, '-');
    int64_t year_now = http_calendar_of(now).year;
    c->year = year_now - year_now % 100 + read_digits(r, 2);
    if (c->year > year_now + 50)
        c->year -= 100;
    else if (c->year <= year_now - 50)
        c->year += 100;
    expect(r, ' ');
    read_time(r, c);
    expect_text(r, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static void read_asctime(struct reader *r, struct http_calendar *c)
{
    (void)read_name(r, day_names, 7);
    expect(r, ' ');
    c->month = read_name(r, month_names, 12) + 1;
    expect(r, ' ');
    if (reader_left(r) > 0 && *r->next == ' ') {
        read_skip(r, 1);
        c->day = read_digits(r, 1);
    } else {
        c->day = read_digits(r, 2);
    }
    expect(r, ' ');
    read_time(r, c);
    expect(r, ' ');
    c->year = read_digits(r, 4);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (unsigned)(month == 2 && leap);
}

bool http_date_parse(struct bytes text, int64_t now, int64_t *out)
{
    struct reader r = reader_of(text);
    struct http_calendar c = {0};
    if (now < 0 || now > YEAR_MAX_SECONDS)
        now = 0;
    if (text.len > 3 && text.data[3] == ',')
        read_imf_fixdate(&r, &c);
    else if (text.len > 3 && text.data[3] == ' ')
        read_asctime(&r, &c);
    else
        read_rfc850(&r, now, &c);
    if (r.failed || reader_left(&r) > 0)
        return false;
    if (c.hour > 23 || c.minute > 59 || c.second > 60)
        return false;
    if (c.day < 1 || c.day > days_in_month(c.year, c.month))
        return false;
    *out = http_calendar_seconds(&c);
    return true;
}

char *http_date_format(int64_t seconds, char out[HTTP_DATE_LEN + 1])
{
    if (seconds < YEAR_MIN_SECONDS)
        seconds = YEAR_MIN_SECONDS;
    if (seconds > YEAR_MAX_SECONDS)
        seconds = YEAR_MAX_SECONDS;
    struct http_calendar c = http_calendar_of(seconds);
    char text[64]; /* what the compiler thinks the fields could take */
    snprintf(text, sizeof text, "%s, %02u %s %04u %02u:%02u:%02u GMT", day_names[c.weekday % 7],
             c.day % 100, month_names[(c.month + 11) % 12], (unsigned)c.year % 10000, c.hour % 100,
             c.minute % 100, c.second % 100);
    memcpy(out, text, HTTP_DATE_LEN);
    out[HTTP_DATE_LEN] = '\0';
    return out;
}

/* SPDX-License-Identifier: ISC */
/* cookie_date.c - the algorithm of RFC 6265 §5.1.1, step by step. */
#include "wire/http/cookie_date.h"

#include "base/calendar.h"

struct found {
    struct calendar date;
    bool time, day, month, year;
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_delimiter(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) ||
           (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

/* `min` to `max` digits, and behind them no further one. */
static bool read_digits(struct bytes *text, size_t min, size_t max, unsigned *out)
{
    size_t len = 0;
    unsigned value = 0;
    while (len < text->len && len < max && is_digit(text->data[len]))
        value = value * 10 + (text->data[len++] - '0');
    if (len < min || (len < text->len && is_digit(text->data[len])))
        return false;
    *text = bytes_after(*text, len);
    *out = value;
    return true;
}

static bool read_colon(struct bytes *text)
{
    bool there = text->len > 0 && text->data[0] == ':';
    *text = bytes_after(*text, there);
    return there;
}

static bool read_time(struct bytes token, struct calendar *date)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    if (!read_digits(&token, 1, 2, &hour) || !read_colon(&token) ||
        !read_digits(&token, 1, 2, &minute) || !read_colon(&token) ||
        !read_digits(&token, 1, 2, &second))
        return false;
    date->hour = hour;
    date->minute = minute;
    date->second = second;
    return true;
}

static bool read_month(struct bytes token, struct calendar *date)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (unsigned i = 0; i < 12; i++)
        if (token.len >= 3 && bytes_equal_nocase(bytes_first(token, 3), bytes_of(names + 3 * i, 3))) {
            date->month = i + 1;
            return true;
        }
    return false;
}

static void take_token(struct bytes token, struct found *f)
{
    unsigned number;
    struct bytes rest = token;
    if (!f->time && read_time(token, &f->date)) {
        f->time = true;
    } else if (!f->day && read_digits(&rest, 1, 2, &number)) {
        f->day = true;
        f->date.day = number;
    } else if (!f->month && read_month(token, &f->date)) {
        f->month = true;
    } else if (!f->year && read_digits(&rest, 2, 4, &number)) {
        f->year = true;
        f->date.year = number + (number < 70 ? 2000 : number < 100 ? 1900 : 0);
    }
}

bool cookie_date_parse(struct bytes text, int64_t *out)
{
    struct found f = {0};
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && !is_delimiter(text.data[end]))
            end++;
        if (end > at)
            take_token(bytes_of(text.data + at, end - at), &f);
        at = end + 1;
    }
    if (!f.time || !f.day || !f.month || !f.year || f.date.year < 1601 || f.date.hour > 23 ||
        f.date.minute > 59 || f.date.second > 59 ||
        !calendar_day_exists(f.date.year, f.date.month, f.date.day))
        return false;
    *out = calendar_seconds(&f.date);
    return true;
}

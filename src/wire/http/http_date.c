/* SPDX-License-Identifier: ISC */
/*
 * http_date.c - dates in HTTP: three formats in, one out (RFC 9110 §5.6.7).
 */
#include "wire/http/http_date.h"

#include "base/calendar.h"

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};
#define YEAR_MIN_SECONDS (-(int64_t)62167219200) /* 0000-01-01T00:00:00Z */
#define YEAR_MAX_SECONDS ((int64_t)253402300799) /* 9999-12-31T23:59:59Z */

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

static void read_time(struct reader *r, struct calendar *c)
{
    c->hour = read_digits(r, 2);
    expect(r, ':');
    c->minute = read_digits(r, 2);
    expect(r, ':');
    c->second = read_digits(r, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void read_imf_fixdate(struct reader *r, struct calendar *c)
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
static void read_rfc850(struct reader *r, int64_t now, struct calendar *c)
{
    (void)read_name(r, long_day_names, 7);
    expect_text(r, ", ");
    c->day = read_digits(r, 2);
    expect(r, '-');
    c->month = read_name(r, month_names, 12) + 1;
    expect(r, '-');
    int64_t year_now = calendar_of(now).year;
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
static void read_asctime(struct reader *r, struct calendar *c)
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

bool http_date_parse(struct bytes text, int64_t now, int64_t *out)
{
    struct reader r = reader_of(text);
    struct calendar c = {0};
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
    if (!calendar_day_exists(c.year, c.month, c.day))
        return false;
    *out = calendar_seconds(&c);
    return true;
}

static void write_digits(struct writer *w, unsigned value, unsigned count)
{
    for (unsigned unit = count == 4 ? 1000 : 10; unit > 0; unit /= 10)
        write_u8(w, (uint8_t)('0' + value / unit % 10));
}

char *http_date_format(int64_t seconds, char out[HTTP_DATE_LEN + 1])
{
    if (seconds < YEAR_MIN_SECONDS)
        seconds = YEAR_MIN_SECONDS;
    if (seconds > YEAR_MAX_SECONDS)
        seconds = YEAR_MAX_SECONDS;
    struct calendar c = calendar_of(seconds);
    struct writer w = writer_of(out, HTTP_DATE_LEN);
    write_copy(&w, day_names[c.weekday % 7], 3);
    write_copy(&w, ", ", 2);
    write_digits(&w, c.day, 2);
    write_u8(&w, ' ');
    write_copy(&w, month_names[(c.month + 11) % 12], 3);
    write_u8(&w, ' ');
    write_digits(&w, (unsigned)c.year, 4);
    write_u8(&w, ' ');
    write_digits(&w, c.hour, 2);
    write_u8(&w, ':');
    write_digits(&w, c.minute, 2);
    write_u8(&w, ':');
    write_digits(&w, c.second, 2);
    write_copy(&w, " GMT", 4);
    ASSERT(!w.failed && writer_room(&w) == 0);
    out[HTTP_DATE_LEN] = '\0';
    return out;
}

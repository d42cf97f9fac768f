/* SPDX-License-Identifier: ISC */
/* fuzz_http_date.c - dates: what parses formats to a date that parses to the same. */
#include "base/bytes.h"
#include "base/calendar.h"
#include "fuzz/fuzz.h"
#include "wire/http/http_date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int64_t seconds;
    if (http_date_parse(bytes_of(data, len), 1700000000, &seconds)) {
        char text[HTTP_DATE_LEN + 1];
        int64_t again = 0;
        bool good = http_date_parse(bytes_of_text(http_date_format(seconds, text)), 0, &again);
        /* A leap second at the end of the year 9999 is in a year that has no format. */
        ASSERT(good && (again == seconds || seconds == INT64_C(253402300800)));
        struct calendar calendar = calendar_of(seconds);
        ASSERT(calendar_seconds(&calendar) == seconds);
    }
    if (len >= 8) {
        struct reader r = reader_of(bytes_of(data, len));
        char text[HTTP_DATE_LEN + 1];
        ASSERT(strlen(http_date_format((int64_t)read_u64(&r), text)) == HTTP_DATE_LEN);
    }
    return 0;
}

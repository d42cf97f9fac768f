/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_conditions.c - fields of a request against a representation: the verdict is one of those
 * that may be, 304 is for reading alone, and ranges stay within what there is.
 */
#include "fuzz/fuzz.h"
#include "wire/http/http_conditions.h"
#include "wire/http/http_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct http_request_head head;
    if (len < 2 || http_request_decode(bytes_of(data + 2, len - 2), &head) != 0)
        return 0;
    const struct http_representation there = {
        .exists = (data[0] & 1) != 0,
        .etag = bytes_of_text((data[0] & 2) != 0 ? "\"a\"" : ""),
        .modified = (data[0] & 4) != 0 ? INT64_C(784111777) : INT64_MIN,
    };
    const int64_t now = INT64_C(1700000000);
    unsigned reading = http_conditions_check(&head.fields, true, &there, now);
    unsigned writing = http_conditions_check(&head.fields, false, &there, now);
    ASSERT(reading == 0 || reading == 304 || reading == 412);
    ASSERT(writing == 0 || writing == 412);
    ASSERT(reading != 412 || writing == 412);
    bool holds = http_if_range_holds(&head.fields, &there, now);
    ASSERT(holds || http_field_count(&head.fields, "If-Range") > 0);
    struct http_ranges ranges;
    uint64_t total = data[1];
    struct bytes value = http_field_value(&head.fields, "Range");
    if (http_range_parse(value, total, &ranges) != HTTP_RANGE_SATISFIABLE)
        return 0;
    ASSERT(ranges.count > 0 && ranges.count <= HTTP_RANGES_MAX);
    uint64_t sum = 0;
    for (size_t i = 0; i < ranges.count; i++) {
        ASSERT(ranges.list[i].len > 0 && ranges.list[i].first < total);
        ASSERT(ranges.list[i].len <= total - ranges.list[i].first);
        sum += ranges.list[i].len;
    }
    ASSERT(http_ranges_sensible(&ranges, total) == (sum <= total));
    return 0;
}

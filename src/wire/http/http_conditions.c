/* SPDX-License-Identifier: ISC */
/* http_conditions.c - RFC 9110 §13.1 (the fields) and §13.2.2 (their precedence). */
#include "wire/http/http_conditions.h"

#include "wire/http/http_date.h"
#include "wire/http/http_list.h"

/* All lines of the field are one list (§5.3). */
static bool any_listed(const struct http_fields *fields, const char *name,
                       const struct http_representation *there, bool strong)
{
    struct bytes wanted = bytes_of_text(name);
    for (size_t i = 0; i < fields->count; i++) {
        const struct http_field *field = &fields->list[i];
        if (!bytes_equal_nocase(field->name, wanted))
            continue;
        /* "*" is any current representation, also one without a tag (§13.1.1, §13.1.2). */
        if (there->exists && bytes_equal(field->value, bytes_of("*", 1)))
            return true;
        if (there->exists && there->etag.len > 0 &&
            http_etag_listed(field->value, there->etag, strong))
            return true;
    }
    return false;
}

/* False: there is none, it is no date, or there is no date to compare it with; a recipient must
 * ignore the field then (§13.1.3, §13.1.4). So is a list of several. */
static bool date_of(const struct http_fields *fields, const char *name,
                    const struct http_representation *there, int64_t now, int64_t *date)
{
    return there->exists && there->modified != INT64_MIN && http_field_count(fields, name) == 1 &&
           http_date_parse(http_field_value(fields, name), now, date);
}

unsigned http_conditions_check(const struct http_fields *fields, bool reading,
                               const struct http_representation *there, int64_t now)
{
    int64_t date;
    if (http_field_count(fields, "If-Match") > 0) { /* step 1 */
        if (!any_listed(fields, "If-Match", there, true))
            return 412;
    } else if (date_of(fields, "If-Unmodified-Since", there, now, &date)) { /* step 2 */
        if (there->modified > date)
            return 412;
    }
    if (http_field_count(fields, "If-None-Match") > 0) { /* step 3 */
        if (any_listed(fields, "If-None-Match", there, false))
            return reading ? 304 : 412;
    } else if (reading && date_of(fields, "If-Modified-Since", there, now, &date)) { /* step 4 */
        if (there->modified <= date)
            return 304;
    }
    return 0;
}

bool http_if_range_holds(const struct http_fields *fields,
                         const struct http_representation *there, int64_t now)
{
    size_t count = http_field_count(fields, "If-Range");
    struct bytes value = http_field_value(fields, "If-Range");
    int64_t date;
    if (count != 1)
        return count == 0;
    if (!there->exists)
        return false;
    /* An exact match of a date, which is only strong when the second it names is over (§8.8.2.2). */
    if (http_date_parse(value, now, &date))
        return there->modified == date && date < now;
    return there->etag.len > 0 && value.len > 0 && value.data[0] == '"' &&
           bytes_equal(value, there->etag);
}

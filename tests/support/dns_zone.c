/* SPDX-License-Identifier: ISC */
/* dns_zone.c - a line that cannot be read fails the test. */
#include "tests/support/dns_zone.h"

#include "os/memory.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

void dns_zone_put(struct zone *zone, const char *line)
{
    uint8_t rdata[1024];
    char reason[200];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.origin = &zone->name, .ttl = 60};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &error))
        fail_msg("%s: %s", line, reason);
    CHECK_EQUAL(line, zone_put(zone, &record), ZONE_OK);
}

struct zone *dns_zone_make(const char *origin, const char *const *lines)
{
    enum { RECORDS_MAX = 1000 };
    struct heap heap = memory_heap();
    struct dns_name name = dns_text_name(origin);
    struct zone *zone = zone_new(&heap, &name, RECORDS_MAX);
    assert_non_null(zone);
    for (; *lines != NULL; lines++)
        dns_zone_put(zone, *lines);
    return zone;
}

/* SPDX-License-Identifier: ISC */
/*
 * fuzz_zone_update.c - any octets as an UPDATE message: what is refused leaves the zone as it was; what
 * is taken leads to a later serial number or changes nothing, can be taken back, and leaves a zone that
 * holds together.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/zone_difference.h"
#include "proto/dns/zone_update.h"
#include "wire/dns/dns_serial.h"

static const char *const lines[] = {
    "z. SOA ns.z. h.z. 7 2 3 4 30", "z. NS ns.z.",        "z. NS ns2.z.",
    "ns.z. A 192.0.2.1",            "a.z. A 192.0.2.2",   "a.z. A 192.0.2.3",
    "a.z. TXT x",                   "m.z. MX 10 Mail.Z.", "c.z. CNAME a.z.",
    "d.z. DNAME n.z.",              "x.e.z. A 192.0.2.4", "*.w.z. TXT x",
};

static struct zone *make_zone(const struct heap *heap)
{
    struct dns_name apex;
    ASSERT(dns_name_parse(bytes_of_text("z"), NULL, &apex));
    struct zone *zone = zone_new(heap, &apex, 50);
    ASSERT(zone != NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        uint8_t rdata[300];
        char reason[100];
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_line_context context = {.ttl = 60};
        struct dns_record record;
        ASSERT(dns_record_parse(bytes_of_text(lines[i]), &context, &w, &record, &error));
        ASSERT(zone_put(zone, &record) == ZONE_OK);
    }
    return zone;
}

static bool may(void *self, const struct dns_name *name, uint16_t type)
{
    (void)self;
    return name->octets[1] != 'q' && type != DNS_CAA;
}

static void check_same(const struct heap *heap, const struct zone *a, const struct zone *b)
{
    struct zone_change change;
    struct zone_difference d;
    zone_change_init(&change, heap, 1 << 20);
    ASSERT(zone_difference_start(&d, a, b, &change) == ZONE_OK);
    ASSERT(zone_difference_step(&d, SIZE_MAX) == ZONE_DIFFERENCE_DONE);
    ASSERT(zone_change_is_empty(&change) && change.serial_from == change.serial_to);
    ASSERT(a->record_count == b->record_count && a->nodes.count == b->nodes.count);
    zone_change_done(&change);
}

static void carry_out(const struct heap *heap, struct zone *zone, const struct zone *before,
                      struct zone_edit *edit)
{
    struct zone_change change;
    zone_change_init(&change, heap, 1 << 20);
    ASSERT(zone_edit_settle(edit, &change) == ZONE_OK);
    bool changed = zone_change_octets(&change) > 0;
    enum zone_result result = zone_edit_commit(edit);
    zone_edit_done(edit);
    ASSERT(result == ZONE_OK || result == ZONE_FULL);
    if (result != ZONE_OK || !changed) {
        check_same(heap, zone, before);
    } else {
        struct zone_change inverse = zone_change_inverse(&change);
        const struct rrset *ns = zone_rrset(zone->apex, DNS_NS);
        ASSERT(dns_serial_before(7, zone_serial(zone)));
        ASSERT(ns != NULL && ns->count > 0);
        ASSERT(zone_change_apply(NULL, zone, &inverse) == ZONE_OK);
        check_same(heap, zone, before);
    }
    zone_change_done(&change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct heap heap = memory_heap();
    struct dns_summary summary;
    struct bytes message = bytes_of(data, len);
    if (dns_summarise(message, &summary) != WIRE_OK)
        return 0;
    (void)!zone_update_check_section(message);
    struct zone *zone = make_zone(&heap);
    struct zone *before = make_zone(&heap);
    struct zone_update update = {.zone = zone, .message = message, .may = may};
    struct zone_edit edit;
    unsigned rcode = zone_update_run(&update, &edit);
    if (rcode == DNS_NOERROR)
        carry_out(&heap, zone, before, &edit);
    else
        check_same(&heap, zone, before);
    zone_free(zone);
    zone_free(before);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * fuzz_zone_receive.c - any octets as the messages of a transfer, each behind its length: nothing is lost,
 * and what is taken is a zone with a SOA, or changes that can be made or refused.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/zone_history.h"
#include "proto/dns/zone_receive.h"

static struct zone *make_zone(const struct dns_name *name)
{
    /* SOA of version 5, and an address */
    static const uint8_t soa[22] = {[5] = 5};
    static const uint8_t a[4] = {192, 0, 2, 1};
    struct heap heap = memory_heap();
    struct zone *zone = zone_new(&heap, name, 1000);
    struct dns_record record = {.owner = *name, .type = DNS_SOA, .class = DNS_IN, .rdata = bytes_of(soa, sizeof soa)};
    ASSERT(zone != NULL && zone_put(zone, &record) == ZONE_OK);
    record.type = DNS_A;
    record.rdata = bytes_of(a, sizeof a);
    ASSERT(zone_put(zone, &record) == ZONE_OK);
    zone->history = zone_history_new(&heap, 4096);
    return zone;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dns_name name;
    if (len == 0 || !dns_name_parse(bytes_of_text("z"), NULL, &name))
        return 0;
    struct zone_receive_options options = {.heap = memory_heap(), .name = &name, .incremental = (data[0] & 1) != 0,
                                           .serial = 5, .records_max = 50, .octets_max = 1 << 20,
                                           .change_octets_max = 1 << 16};
    struct zone_receive *r = zone_receive_new(&options);
    struct reader in = reader_of(bytes_of(data + 1, len - 1));
    enum zone_receive_status status = ZONE_RECEIVE_MORE;
    while (r != NULL && status == ZONE_RECEIVE_MORE && reader_left(&in) > 2) {
        uint16_t size = read_u16(&in);
        status = zone_receive_message(r, size <= reader_left(&in) ? read_bytes(&in, size) : read_rest(&in));
    }
    if (status == ZONE_RECEIVE_ZONE) {
        struct zone *zone = zone_receive_take(r);
        ASSERT(zone_is_served(zone) && zone->record_count <= 50);
        zone_free(zone);
    }
    if (status == ZONE_RECEIVE_CHANGES) {
        struct zone *zone = make_zone(&name);
        struct zone_change *change;
        while ((change = zone_receive_change(r)) != NULL && zone_change_commit(NULL, zone, change) == ZONE_OK)
            ASSERT(zone_is_served(zone));
        zone_free(zone);
    }
    if (status == ZONE_RECEIVE_FAILED)
        ASSERT(zone_receive_error(r)[0] != '\0');
    zone_receive_free(r);
    return 0;
}

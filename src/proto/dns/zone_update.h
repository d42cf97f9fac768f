/* SPDX-License-Identifier: ISC */
/*
 * zone_update.h - dynamic updates (RFC 2136): an UPDATE message judged and carried out on an edit of the
 * zone that it is for, in the order of §3.
 *
 * Who may update the zone at all is for the caller to know before: prerequisites tell what a zone has.
 *
 * DEVIATES RFC 2136 §3.4.1.3: records of DNSSEC that servers make (RRSIG, NSEC, NSEC3, NSEC3PARAM; in zones
 * that are signed here also keys, CDS and ZONEMD) are REFUSED from others, and zones that came signed cannot
 * be updated: their signatures would not hold.
 * DEVIATES RFC 2136 §3.4.2.2: TTLs of one set are the same (RFC 2181 §5.2), that of the record that came
 * last.
 * SKIPS RFC 2136 §3.4.2.2: WKS records are records like others; RFC 1123 §2.2 has no use for them.
 */
#ifndef WN_PROTO_DNS_ZONE_UPDATE_H
#define WN_PROTO_DNS_ZONE_UPDATE_H

#include "proto/dns/zone_edit.h"
#include "wire/dns/dns_message.h"

struct zone_update {
    struct zone_set *set;
    struct zone *zone;    /* of the message's zone section; it is served */
    struct bytes message; /* one that dns_summarise() has taken */
    bool resigned;        /* the zone is signed here: what has been signed is no objection */
    /* May the requestor change records of that type at that name? */
    bool (*may)(void *self, const struct dns_name *name, uint16_t type);
    void *self;
};

/* The zone section alone (§3.1.1): NOERROR or FORMERR. */
MUST_USE unsigned zone_update_check_section(struct bytes message);

/* Returns the RCODE. NOERROR: `edit`, which is the caller's to end, has what is asked for; with any other
 * it is nothing, and the zone as it was. */
MUST_USE unsigned zone_update_run(const struct zone_update *update, struct zone_edit *edit);

#endif

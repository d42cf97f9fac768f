/* SPDX-License-Identifier: ISC */
/*
 * zone_write.h - a zone as a master file (RFC 1035 §5), a slice at a time while it is served: one line
 * a record, with absolute names, the SOA first. A zone that changes meanwhile is begun anew.
 */
#ifndef WN_PROTO_DNS_ZONE_WRITE_H
#define WN_PROTO_DNS_ZONE_WRITE_H

#include "base/text.h"
#include "proto/dns/zone.h"

enum {
    /* Texts have each octet as \DDD at worst; what is longer still is written as RFC 3597 §5 has it. */
    ZONE_WRITE_LINE_MAX = DNS_NAME_TEXT_MAX + 64 + 5 * ZONE_RDATA_MAX,
};

enum zone_write_phase { ZONE_WRITE_SOA, ZONE_WRITE_NAMES, ZONE_WRITE_HASHED, ZONE_WRITE_DONE };

struct zone_write {
    enum zone_write_phase phase;
    uint32_t serial;
    bool inside;      /* at `key`; else before the first name */
    uint16_t key_len;
    uint8_t key[DNS_KEY_MAX];
};

/* The zone must have a SOA. */
void zone_write_start(struct zone_write *w, const struct zone *zone);

enum zone_write_status {
    ZONE_WRITE_MORE,
    ZONE_WRITE_WHOLE,
    ZONE_WRITE_CHANGED, /* another version is served now: what was written is worth nothing */
};

/* Tells of each line of at most so many names more. `zone`: the one that is served under that name now. */
enum zone_write_status zone_write_step(struct zone_write *w, const struct zone *zone, size_t names,
                                       void (*on_line)(void *self, struct bytes line), void *self);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * zone_secondary.h - when a secondary asks which primary for what (RFC 1034 §4.3.5, RFC 1035 §3.3.13,
 * RFC 1996): the timers of one zone that is had from others. It asks for the serial number, and what
 * is newer it fetches; what no primary has confirmed for as long as the SOA says it lets go.
 *
 * The caller does what secondary_next() says, and tells how it went by exactly one of the calls
 * below it.
 */
#ifndef WN_PROTO_DNS_ZONE_SECONDARY_H
#define WN_PROTO_DNS_ZONE_SECONDARY_H

#include "base/prng.h"
#include "base/usec.h"
#include "proto/dns/zone.h"

enum {
    SECONDARY_PRIMARIES_MAX = 8,
    SECONDARY_INTERVAL_MAX = 4 * 7 * 24 * 3600, /* seconds: no zone is looked after less often */
    SECONDARY_FIRST_RETRY = 5,    /* seconds; doubles while there is no zone to say how many */
    SECONDARY_FIRST_RETRY_MAX = 600,
};

enum secondary_action {
    SECONDARY_NOTHING,
    SECONDARY_ASK,   /* the primary for its SOA */
    SECONDARY_FETCH, /* the zone: by difference, unless `whole` */
    SECONDARY_ACTION_COUNT
};

struct zone_secondary {
    struct prng *prng;
    size_t primary_count;
    size_t primary;    /* whom to ask now */
    size_t asked;      /* primaries of this round that were of no use */
    enum secondary_action wanted;
    bool busy;         /* the caller is doing it */
    bool in_round;     /* not waiting for the next */
    bool again;        /* one is to follow at once: there was a NOTIFY meanwhile */
    bool held;         /* there is a zone, of these numbers */
    bool whole;
    uint32_t serial, refresh, retry, expire;
    uint32_t failures; /* rounds in a row that came to nothing */
    usec check_at;     /* the next round */
    usec expire_at;
};

/* Begins at once, with no zone. `prng` is borrowed. */
void secondary_init(struct zone_secondary *s, size_t primary_count, struct prng *prng, usec now);

/* There is a zone with that SOA (valid RDATA), which a primary confirmed so many seconds ago. */
void secondary_have(struct zone_secondary *s, struct bytes soa, uint64_t age, usec now);

/* What to do, with s->primary. SECONDARY_NOTHING: wait for secondary_deadline(). */
enum secondary_action secondary_next(struct zone_secondary *s, usec now);

/* ---- how it went ---- */

/* The primary has this serial number. */
void secondary_serial_is(struct zone_secondary *s, uint32_t serial, usec now);

/* We have its zone now, with that SOA; or we had it before. */
void secondary_fetched(struct zone_secondary *s, struct bytes soa, usec now);

/* The difference could not be had, or not be used: the same primary for the whole. */
void secondary_fetch_whole(struct zone_secondary *s);

/* It does not answer, or not so that it is of use: another, or after the last one a pause. */
void secondary_failed(struct zone_secondary *s, usec now);

/* ---- */

/* A NOTIFY from that primary (RFC 1996 §3.11). False: it says what we know, and nothing follows. */
bool secondary_notified(struct zone_secondary *s, size_t primary, const uint32_t *serial, usec now);

/* Has the zone's time run out? True once: it must not be served any more (RFC 1035 §3.3.13). */
bool secondary_expires(struct zone_secondary *s, usec now);

usec secondary_deadline(const struct zone_secondary *s);

#endif

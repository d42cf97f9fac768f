/* SPDX-License-Identifier: ISC */
/*
 * zone_receive.h - a zone out of the messages of a transfer: whole (AXFR, RFC 5936 §2.2), or what has
 * changed since the version that is there (IXFR, RFC 1995 §4). Nothing of it is to be used before the
 * last message has come.
 */
#ifndef WN_PROTO_DNS_ZONE_RECEIVE_H
#define WN_PROTO_DNS_ZONE_RECEIVE_H

#include "base/list.h"
#include "proto/dns/zone_change.h"
#include "wire/dns/dns_message.h"

struct zone_receive_options {
    struct heap heap;
    const struct dns_name *name;
    bool incremental;         /* it was asked for by difference to `serial` */
    uint32_t serial;
    size_t records_max;       /* of the zone */
    uint64_t octets_max;      /* of all messages */
    size_t change_octets_max; /* of all changes: what is more is better had whole */
};

enum zone_receive_status {
    ZONE_RECEIVE_MORE,
    ZONE_RECEIVE_ZONE,     /* zone_receive_take() has it */
    ZONE_RECEIVE_CHANGES,  /* zone_receive_change() has them, in their order */
    ZONE_RECEIVE_CURRENT,  /* what is there is not older than that of the primary */
    ZONE_RECEIVE_FAILED,   /* zone_receive_error() says why */
};

struct zone_receive;

/* NULL: no memory. */
MUST_USE struct zone_receive *zone_receive_new(const struct zone_receive_options *options);
void zone_receive_free(struct zone_receive *r);

/* Takes the next message, of which the caller has checked the header, the question and the signature:
 * of the records those of the answer section count. After anything but ZONE_RECEIVE_MORE it takes no
 * more. */
enum zone_receive_status zone_receive_message(struct zone_receive *r, struct bytes message);

/* The zone, which is the caller's from now on. */
MUST_USE struct zone *zone_receive_take(struct zone_receive *r);

/* The first change that has not been taken out of the list, which stays its owner: NULL: none is left.
 * zone_change_commit() may empty it. */
struct zone_change *zone_receive_change(struct zone_receive *r);

/* Of ZONE_RECEIVE_FAILED. Valid until it is freed. */
const char *zone_receive_error(const struct zone_receive *r);

/* How much has come. */
size_t zone_receive_records(const struct zone_receive *r);
uint64_t zone_receive_octets(const struct zone_receive *r);

#endif

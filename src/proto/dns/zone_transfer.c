/* SPDX-License-Identifier: ISC */
/*
 * zone_transfer.c - zones told whole (RFC 5936 §2.2, §3), or by what has changed (RFC 1995 §4).
 *
 * DEVIATES RFC 5936 §3.4: the case of names is that in which a zone keeps them (zone.h), or that of the
 * question where they are compressed with it.
 */
#include "proto/dns/zone_transfer.h"

#include "proto/dns/answer_internal.h"
#include "proto/dns/zone_condense.h"
#include "wire/dns/dns_serial.h"

/* The version that an IXFR says it has, in its authority section (RFC 1995 §3). */
static bool known_serial(struct bytes message, uint32_t *out)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr))
        if (rr.section == DNS_AUTHORITY && rr.type == DNS_SOA && rr.rdata.len >= 20) {
            struct reader r = reader_of(bytes_after(rr.rdata, rr.rdata.len - 20));
            *out = read_u32(&r);
            return true;
        }
    return false;
}

/* What has changed since, as one. False: it is told whole. */
static bool take_change(struct zone_transfer *t, uint32_t serial)
{
    const struct zone_history *history = t->zone->history;
    const struct zone_change *first =
        history != NULL ? zone_history_find(history, serial) : NULL;
    if (first == NULL)
        return false;
    zone_change_init(&t->change, &t->zone->heap, history->octets_max);
    size_t records_max = t->zone->record_count;
    if (zone_condense(history, first, &t->change) == ZONE_OK && t->change.serial_to == t->serial &&
        t->change.sides[ZONE_REMOVED].count + t->change.sides[ZONE_ADDED].count <= records_max)
        return true;
    zone_change_done(&t->change);
    return false;
}

unsigned transfer_start(struct zone_transfer *t, const struct answer_options *options,
                        const struct answer_query *query, struct bytes message)
{
    const struct dns_name *name = &query->question.name;
    const struct zone_set *zones = options->zones;
    const struct zone *zone = zone_set_get(zones, name);
    if (zone == NULL && options->common != NULL) {
        zones = options->common;
        zone = zone_set_get(zones, name);
    }
    if (zone == NULL)
        return DNS_NOTAUTH;
    if (!zone_is_served(zone))
        return DNS_SERVFAIL;
    uint32_t serial;
    t->options = options;
    t->zones = zones;
    t->zone = zone;
    t->serial = zone_serial(zone);
    t->phase = TRANSFER_FIRST;
    t->query = *query;
    if (query->path.stream)
        t->query.limit = TRANSFER_MESSAGE_MAX;
    t->done = 0;
    t->key_len = 0;
    t->place = 0;
    bool known = query->question.type == DNS_IXFR && known_serial(message, &serial);
    /* Who has a version that is newer than ours, as he thinks, is told ours too (RFC 1995 §2). */
    t->soa_only = known && !dns_serial_before(serial, t->serial);
    t->incremental = known && !t->soa_only && take_change(t, serial);
    return DNS_NOERROR;
}

void transfer_end(struct zone_transfer *t)
{
    if (t->incremental)
        zone_change_done(&t->change);
    t->incremental = false;
}

/* Puts the records of one side of the change that were not told yet. False: the message is full. */
static bool put_side(struct zone_transfer *t, struct answer_work *work, enum zone_side side)
{
    struct dns_record record;
    size_t next = t->place;
    while (zone_change_next(&t->change, side, &next, &record)) {
        struct dns_build_record put = {&record.owner, record.type, DNS_IN, record.ttl,
                                       record.rdata};
        if (!dns_build_record(&work->b, &put))
            return false;
        t->place = next;
    }
    t->place = 0;
    return true;
}

/* Puts the records of the node that were not told yet. False: the message is full. */
static bool put_node(struct zone_transfer *t, struct answer_work *work,
                     const struct zone_node *node)
{
    struct dns_name owner;
    uint32_t number = 0;
    zone_node_name(t->zone, node, &owner);
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        struct rrset_place place = {0};
        struct bytes rdata;
        if (rrset->type == DNS_SOA)
            continue; /* it is the first record and the last (RFC 5936 §2.2) */
        while (rrset_next(rrset, &place, &rdata)) {
            struct dns_build_record record = {&owner, rrset->type, DNS_IN, rrset->ttl, rdata};
            if (number++ < t->done)
                continue;
            if (!dns_build_record(&work->b, &record))
                return false;
            t->done++;
        }
    }
    return true;
}

/* Goes on through the names of a trie. False: the message is full. */
static bool put_nodes(struct zone_transfer *t, struct answer_work *work, const struct trie *nodes)
{
    const struct zone_node *node =
        t->key_len == 0 ? trie_first(nodes) : trie_find(nodes, bytes_of(t->key, t->key_len));
    while (node != NULL) {
        t->key_len = node->key_len;
        memcpy(t->key, node->key, node->key_len);
        if (!put_node(t, work, node))
            return false;
        t->done = 0;
        node = trie_after(nodes, bytes_of(t->key, t->key_len));
    }
    t->key_len = 0;
    return true;
}

/* Of the version that is told. */
static bool put_soa(struct zone_transfer *t, struct answer_work *work)
{
    struct dns_record soa;
    size_t place = 0;
    struct dns_build_record record = {&t->zone->name, DNS_SOA, DNS_IN, 0, bytes_empty()};
    if (t->incremental) {
        bool there = zone_change_next(&t->change, ZONE_ADDED, &place, &soa);
        ASSERT(there);
        record.owner = &soa.owner;
        record.ttl = soa.ttl;
        record.rdata = soa.rdata;
    } else {
        const struct rrset *rrset = zone_rrset(t->zone->apex, DNS_SOA);
        record.ttl = rrset->ttl;
        record.rdata = rrset_first(rrset);
    }
    return dns_build_record(&work->b, &record);
}

static enum transfer_phase phase_after(const struct zone_transfer *t)
{
    switch (t->phase) {
    case TRANSFER_FIRST:
        return t->soa_only ? TRANSFER_DONE : t->incremental ? TRANSFER_REMOVED : TRANSFER_NAMES;
    case TRANSFER_REMOVED:
        return TRANSFER_ADDED;
    case TRANSFER_NAMES:
        return TRANSFER_HASHED;
    case TRANSFER_ADDED:
    case TRANSFER_HASHED:
        return TRANSFER_LAST;
    case TRANSFER_LAST:
    case TRANSFER_DONE:
        break;
    }
    return TRANSFER_DONE;
}

/* As far as the message goes. */
static void fill(struct zone_transfer *t, struct answer_work *work)
{
    bool fits = true;
    while (fits && t->phase != TRANSFER_DONE) {
        switch (t->phase) {
        case TRANSFER_FIRST:
        case TRANSFER_LAST:
            fits = put_soa(t, work);
            break;
        case TRANSFER_REMOVED:
            fits = put_side(t, work, ZONE_REMOVED);
            break;
        case TRANSFER_ADDED:
            fits = put_side(t, work, ZONE_ADDED);
            break;
        case TRANSFER_NAMES:
            fits = put_nodes(t, work, &t->zone->nodes);
            break;
        case TRANSFER_HASHED:
            fits = put_nodes(t, work, &t->zone->hashed);
            break;
        case TRANSFER_DONE:
            break;
        }
        if (fits)
            t->phase = phase_after(t);
    }
}

/* Is what is told still there? */
static bool is_there(const struct zone_transfer *t)
{
    const struct zone *zone = zone_set_get(t->zones, &t->query.question.name);
    return t->incremental ||
           (zone == t->zone && zone_is_served(zone) && zone_serial(zone) == t->serial);
}

enum transfer_status transfer_next(struct zone_transfer *t, uint64_t now, uint8_t *buffer,
                                   struct bytes *out)
{
    struct answer_work work;
    if (!is_there(t))
        return TRANSFER_BROKEN;
    t->query.path.now = now;
    answer_begin(&work, t->options, &t->query, buffer);
    work.authoritative = true;
    fill(t, &work);
    if (work.b.counts[DNS_ANSWER] == 0)
        return TRANSFER_BROKEN; /* a record that no message has room for */
    *out = answer_end(&work);
    if (t->query.tsig.key != NULL)
        t->query.tsig = work.tsig;
    return t->phase == TRANSFER_DONE ? TRANSFER_WHOLE : TRANSFER_MORE;
}

unsigned transfer_datagram(const struct answer_options *options, const struct answer_query *query,
                           struct bytes message, uint8_t *buffer, struct bytes *out)
{
    struct zone_transfer t;
    uint64_t now = query->path.now;
    unsigned rcode = transfer_start(&t, options, query, message);
    if (rcode != DNS_NOERROR)
        return rcode;
    bool small = t.incremental && zone_change_octets(&t.change) <= 2 * (size_t)query->limit;
    enum transfer_status status = TRANSFER_MORE;
    if (small || t.soa_only)
        status = transfer_next(&t, now, buffer, out);
    if (status != TRANSFER_WHOLE) {
        t.phase = TRANSFER_FIRST;
        t.soa_only = true;
        t.query.tsig = query->tsig;
        status = transfer_next(&t, now, buffer, out);
    }
    transfer_end(&t);
    return status == TRANSFER_WHOLE ? DNS_NOERROR : DNS_SERVFAIL;
}

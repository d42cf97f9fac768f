/* SPDX-License-Identifier: ISC */
/*
 * zone_transfer.c - zones told whole (RFC 5936 §2.2, §3).
 *
 * DEVIATES RFC 5936 §3.4: the case of names is that in which a zone keeps them (zone.h), or that of the
 * question where they are compressed with it.
 * SKIPS RFC 1995 §4: there is no history of a zone, so that a difference is told as the whole.
 */
#include "proto/dns/zone_transfer.h"

#include "proto/dns/answer_internal.h"

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
    t->query.limit = TRANSFER_MESSAGE_MAX;
    t->done = 0;
    t->key_len = 0;
    t->soa_only = query->question.type == DNS_IXFR && known_serial(message, &serial) &&
                  serial == t->serial;
    return DNS_NOERROR;
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

static bool put_soa(struct zone_transfer *t, struct answer_work *work)
{
    const struct rrset *soa = zone_rrset(t->zone->apex, DNS_SOA);
    struct dns_build_record record = {&t->zone->name, DNS_SOA, DNS_IN, soa->ttl, rrset_first(soa)};
    return dns_build_record(&work->b, &record);
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
            t->phase = t->soa_only ? TRANSFER_DONE : t->phase + 1;
    }
}

enum transfer_status transfer_next(struct zone_transfer *t, uint8_t *buffer, struct bytes *out)
{
    struct answer_work work;
    const struct zone *zone = zone_set_get(t->zones, &t->query.question.name);
    if (zone != t->zone || !zone_is_served(zone) || zone_serial(zone) != t->serial)
        return TRANSFER_BROKEN;
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

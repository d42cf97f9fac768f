/* SPDX-License-Identifier: ISC */
/* zone_receive.c - the order of records in a transfer (RFC 5936 §2.2, RFC 1995 §4). */
#include "proto/dns/zone_receive.h"

#include "wire/dns/dns_serial.h"

enum { ERROR_MAX = DNS_NAME_TEXT_MAX + 200 };

enum phase {
    PHASE_FIRST,    /* the SOA of the newest version */
    PHASE_SECOND,   /* tells which of the two it is */
    PHASE_WHOLE,
    PHASE_REMOVED,  /* after the SOA of the older version of a change */
    PHASE_ADDED,    /* after that of the newer one */
    PHASE_DONE,
};

struct item {
    struct list_node node;
    struct zone_change change;
};

struct zone_receive {
    struct zone_receive_options options;
    struct dns_name name;
    enum phase phase;
    bool failed;
    uint32_t serial;       /* of the newest version */
    uint32_t soa_ttl;
    size_t soa_len;
    uint8_t soa[2 * DNS_NAME_MAX + DNS_SOA_NUMBERS_LEN];
    struct zone *zone;
    struct list_node changes; /* oldest first */
    struct item *taken;       /* given out last */
    size_t change_octets;
    size_t records;
    uint64_t octets;
    char error[ERROR_MAX];
    uint8_t rdata[DNS_RDATA_MAX];
};

struct zone_receive *zone_receive_new(const struct zone_receive_options *options)
{
    struct zone_receive *r = heap_zeroed(&options->heap, sizeof *r);
    if (r == NULL)
        return NULL;
    r->options = *options;
    dns_name_copy(&r->name, options->name);
    r->options.name = &r->name;
    list_init(&r->changes);
    return r;
}

static void free_item(struct zone_receive *r, struct item *item)
{
    if (item == NULL)
        return;
    zone_change_done(&item->change);
    heap_release(&r->options.heap, item, sizeof *item);
}

static struct item *first_item(const struct zone_receive *r)
{
    struct list_node *node = list_first(&r->changes);
    return node != NULL ? CONTAINER_OF(node, struct item, node) : NULL;
}

void zone_receive_free(struct zone_receive *r)
{
    if (r == NULL)
        return;
    free_item(r, r->taken);
    for (struct item *item = first_item(r); item != NULL; item = first_item(r)) {
        list_remove(&item->node);
        free_item(r, item);
    }
    zone_free(r->zone);
    struct heap heap = r->options.heap;
    heap_release(&heap, r, sizeof *r);
}

/* False, for who returns it. */
static bool fail(struct zone_receive *r, const struct dns_record *record, const char *why)
{
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    struct text t = text_of(r->error, sizeof r->error);
    if (record != NULL)
        text_add_format(&t, "%s %s: ", dns_name_format(&record->owner, name),
                        dns_type_format(record->type, type));
    text_add(&t, why);
    r->failed = true;
    return false;
}

/* ---- the whole ---- */

static bool put(struct zone_receive *r, const struct dns_record *record)
{
    enum zone_result result = zone_put(r->zone, record);
    return result == ZONE_OK || fail(r, record, zone_result_text(result));
}

static bool begin_whole(struct zone_receive *r)
{
    struct dns_record soa = {.type = DNS_SOA,
                             .class = DNS_IN,
                             .ttl = r->soa_ttl,
                             .rdata = bytes_of(r->soa, r->soa_len)};
    dns_name_copy(&soa.owner, &r->name);
    r->zone = zone_new(&r->options.heap, &r->name, r->options.records_max);
    r->phase = PHASE_WHOLE;
    return r->zone != NULL ? put(r, &soa) : fail(r, NULL, "no memory");
}

/* ---- changes ---- */

static struct item *last_item(const struct zone_receive *r)
{
    return CONTAINER_OF(r->changes.previous, struct item, node);
}

static bool add(struct zone_receive *r, enum zone_side side, const struct dns_record *record)
{
    struct zone_change *change = &last_item(r)->change;
    size_t before = zone_change_octets(change);
    enum zone_result result = zone_change_add(change, side, record);
    r->change_octets += zone_change_octets(change) - before;
    if (r->change_octets > r->options.change_octets_max)
        return fail(r, NULL, "there are too many changes");
    return result == ZONE_OK || fail(r, record, zone_result_text(result));
}

static bool begin_change(struct zone_receive *r, const struct dns_record *soa)
{
    struct item *item = heap_zeroed(&r->options.heap, sizeof *item);
    if (item == NULL)
        return fail(r, NULL, "no memory");
    zone_change_init(&item->change, &r->options.heap, r->options.change_octets_max);
    list_init(&item->node);
    list_append(&r->changes, &item->node);
    r->change_octets += sizeof *item;
    r->phase = PHASE_REMOVED;
    return add(r, ZONE_REMOVED, soa);
}

/* ---- record by record ---- */

static bool take_first(struct zone_receive *r, const struct dns_record *record, bool is_soa)
{
    if (!is_soa)
        return fail(r, record, "expected the SOA record of the zone first");
    r->serial = dns_soa_serial(record->rdata);
    r->soa_ttl = record->ttl;
    r->soa_len = record->rdata.len;
    memcpy(r->soa, record->rdata.data, record->rdata.len);
    r->phase = PHASE_SECOND;
    return true;
}

static bool take_whole(struct zone_receive *r, const struct dns_record *record, bool is_soa)
{
    if (!is_soa)
        return put(r, record);
    if (dns_soa_serial(record->rdata) != r->serial)
        return fail(r, record, "the zone has changed during the transfer");
    r->phase = PHASE_DONE;
    return true;
}

/* RFC 1995 §4: a difference begins with the SOA of the version that we have. */
static bool take_second(struct zone_receive *r, const struct dns_record *record, bool is_soa)
{
    uint32_t serial = is_soa ? dns_soa_serial(record->rdata) : 0;
    if (!r->options.incremental || !is_soa || serial == r->serial)
        return begin_whole(r) && take_whole(r, record, is_soa);
    if (serial != r->options.serial)
        return fail(r, record, "the changes begin with a version that we do not have");
    return begin_change(r, record);
}

static bool take_added(struct zone_receive *r, const struct dns_record *record, bool is_soa)
{
    if (!is_soa)
        return add(r, ZONE_ADDED, record);
    uint32_t serial = dns_soa_serial(record->rdata);
    if (serial != last_item(r)->change.serial_to)
        return fail(r, record, "the changes do not follow on each other");
    if (serial != r->serial)
        return begin_change(r, record);
    r->phase = PHASE_DONE;
    return true;
}

static bool take_removed(struct zone_receive *r, const struct dns_record *record, bool is_soa)
{
    if (is_soa)
        r->phase = PHASE_ADDED;
    return add(r, is_soa ? ZONE_ADDED : ZONE_REMOVED, record);
}

static bool take(struct zone_receive *r, const struct dns_record *record)
{
    bool is_soa = record->type == DNS_SOA;
    if (is_soa && !dns_name_equal(&record->owner, &r->name))
        return fail(r, record, "a SOA record within the zone");
    r->records++;
    switch (r->phase) {
    case PHASE_FIRST:
        return take_first(r, record, is_soa);
    case PHASE_SECOND:
        return take_second(r, record, is_soa);
    case PHASE_WHOLE:
        return take_whole(r, record, is_soa);
    case PHASE_REMOVED:
        return take_removed(r, record, is_soa);
    case PHASE_ADDED:
        return take_added(r, record, is_soa);
    case PHASE_DONE:
        break;
    }
    return fail(r, record, "there are records after the end");
}

static bool take_rr(struct zone_receive *r, struct bytes message, const struct dns_rr *rr)
{
    struct writer w = writer_of(r->rdata, sizeof r->rdata);
    struct dns_record record = {.type = rr->type, .class = rr->class, .ttl = rr->ttl};
    dns_name_copy(&record.owner, &rr->owner);
    if (record.ttl > DNS_TTL_MAX)
        record.ttl = 0; /* RFC 2181 §8 */
    if (rr->class != DNS_IN || !dns_type_is_data(rr->type) ||
        dns_rdata_expand(rr->type, message, rr->rdata, &w) != WIRE_OK || w.failed)
        return fail(r, &record, "not a record for a zone, or malformed");
    record.rdata = writer_bytes(&w);
    return take(r, &record);
}

static enum zone_receive_status status_of(const struct zone_receive *r)
{
    if (r->failed)
        return ZONE_RECEIVE_FAILED;
    if (r->phase == PHASE_DONE)
        return r->zone != NULL ? ZONE_RECEIVE_ZONE : ZONE_RECEIVE_CHANGES;
    bool newer = dns_serial_before(r->options.serial, r->serial);
    return r->phase == PHASE_SECOND && r->options.incremental && !newer ? ZONE_RECEIVE_CURRENT
                                                                        : ZONE_RECEIVE_MORE;
}

enum zone_receive_status zone_receive_message(struct zone_receive *r, struct bytes message)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    size_t before = r->records;
    ASSERT(!r->failed && r->phase != PHASE_DONE);
    r->octets += message.len;
    if (r->octets > r->options.octets_max) {
        (void)fail(r, NULL, "the zone is larger than it may be");
        return ZONE_RECEIVE_FAILED;
    }
    if (dns_cursor_start(&cursor, message) != WIRE_OK) {
        (void)fail(r, NULL, "a message that is cut");
        return ZONE_RECEIVE_FAILED;
    }
    while (!r->failed && dns_cursor_record(&cursor, &rr) && rr.section == DNS_ANSWER)
        (void)take_rr(r, message, &rr);
    if (!r->failed && cursor.reader.failed)
        (void)fail(r, NULL, "a message that is malformed");
    if (!r->failed && r->records == before)
        (void)fail(r, NULL, "a message without records");
    return status_of(r);
}

struct zone *zone_receive_take(struct zone_receive *r)
{
    struct zone *zone = r->zone;
    ASSERT(zone != NULL && r->phase == PHASE_DONE && !r->failed);
    r->zone = NULL;
    return zone;
}

struct zone_change *zone_receive_change(struct zone_receive *r)
{
    ASSERT(r->phase == PHASE_DONE && !r->failed);
    free_item(r, r->taken);
    r->taken = first_item(r);
    if (r->taken == NULL)
        return NULL;
    list_remove(&r->taken->node);
    return &r->taken->change;
}

const char *zone_receive_error(const struct zone_receive *r)
{
    return r->error;
}

size_t zone_receive_records(const struct zone_receive *r)
{
    return r->records;
}

uint64_t zone_receive_octets(const struct zone_receive *r)
{
    return r->octets;
}

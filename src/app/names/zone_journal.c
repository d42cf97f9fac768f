/* SPDX-License-Identifier: ISC */
/* zone_journal.c - a row for each change, and one for a zone that is kept whole. */
#include "app/names/zone_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "proto/dns/zone_edit.h"
#include "proto/dns/zone_history.h"
#include "wire/dns/dns_serial.h"

static const char *const steps[] = {
    "CREATE TABLE zone_change ("
    " zone BYTEA NOT NULL," /* its name as a key (dns_key.h) */
    " number BIGINT NOT NULL," /* in the order in which they happened */
    " whole BIGINT NOT NULL," /* 1: `added` is all that the zone has then */
    " serial_from BIGINT NOT NULL,"
    " serial_to BIGINT NOT NULL,"
    " removed BYTEA NOT NULL,"
    " added BYTEA NOT NULL,"
    " PRIMARY KEY (zone, number));",
};

struct zone_journal {
    struct store *store;
    int64_t next; /* number */
    struct query *put;
    struct query *load;
    struct query *forget; /* all changes before one */
    struct query *first;
    struct query *last;
};

static int prepare(struct zone_journal *journal)
{
    const struct {
        const char *sql;
        struct query **out;
    } all[] = {
        {"INSERT INTO zone_change (zone, number, whole, serial_from, serial_to, removed, added)"
         " VALUES ($1, $2, $3, $4, $5, $6, $7)",
         &journal->put},
        {"SELECT number, whole, serial_from, serial_to, removed, added FROM zone_change"
         " WHERE zone = $1 ORDER BY number",
         &journal->load},
        {"DELETE FROM zone_change WHERE zone = $1 AND number < $2", &journal->forget},
        {"SELECT serial_from FROM zone_change WHERE zone = $1 ORDER BY number LIMIT 1",
         &journal->first},
        {"SELECT MAX(number) FROM zone_change", &journal->last},
    };
    int status = 0;
    for (size_t i = 0; i < ARRAY_LEN(all) && status == 0; i++)
        status = store_prepare(journal->store, all[i].sql, all[i].out);
    return status;
}

static int find_next(struct zone_journal *journal)
{
    int status = query_step(journal->last);
    if (status > 0)
        journal->next = query_integer(journal->last, 0) + 1; /* of none at all: 0 */
    query_reset(journal->last);
    return status < 0 ? status : 0;
}

int zone_journal_new(struct store *store, struct zone_journal **out)
{
    int status = store_migrate(store, "zones", steps, ARRAY_LEN(steps));
    if (status < 0)
        return status;
    struct zone_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL)
        return -ENOMEM;
    journal->store = store;
    status = prepare(journal);
    if (status == 0)
        status = find_next(journal);
    if (status < 0) {
        zone_journal_free(journal);
        return status;
    }
    *out = journal;
    return 0;
}

void zone_journal_free(struct zone_journal *journal)
{
    if (journal == NULL)
        return;
    query_free(journal->put);
    query_free(journal->load);
    query_free(journal->forget);
    query_free(journal->first);
    query_free(journal->last);
    free(journal);
}

int zone_journal_begin(struct zone_journal *journal)
{
    return store_begin(journal->store);
}

int zone_journal_commit(struct zone_journal *journal)
{
    return store_commit(journal->store);
}

void zone_journal_rollback(struct zone_journal *journal)
{
    store_rollback(journal->store);
}

const char *zone_journal_error(const struct zone_journal *journal)
{
    return store_error(journal->store);
}

static struct bytes key_of(const struct zone *zone)
{
    return bytes_of(zone->key, zone->key_len);
}

/* ---- keeping ---- */

static int put_row(struct zone_journal *journal, const struct zone *zone, bool whole,
                   const struct zone_change *change)
{
    struct query *q = journal->put;
    struct bytes sides[ZONE_SIDE_COUNT];
    zone_change_encode(change, sides);
    query_bind_blob(q, 1, key_of(zone));
    query_bind_integer(q, 2, journal->next);
    query_bind_integer(q, 3, whole);
    query_bind_integer(q, 4, change->serial_from);
    query_bind_integer(q, 5, change->serial_to);
    query_bind_blob(q, 6, sides[ZONE_REMOVED]);
    query_bind_blob(q, 7, sides[ZONE_ADDED]);
    int status = query_run(q);
    journal->next += status == 0;
    return status;
}

int zone_journal_put(struct zone_journal *journal, struct zone *zone,
                     const struct zone_change *change)
{
    int status = put_row(journal, zone, false, change);
    if (status == 0)
        zone->journal_octets += zone_change_octets(change);
    return status;
}

static int forget_before(struct zone_journal *journal, const struct zone *zone, int64_t number)
{
    query_bind_blob(journal->forget, 1, key_of(zone));
    query_bind_integer(journal->forget, 2, number);
    return query_run(journal->forget);
}

bool zone_journal_is_long(const struct zone *zone)
{
    uint64_t whole = (uint64_t)zone->record_count * ZONE_JOURNAL_RECORD_OCTETS;
    return zone->journal_octets > ZONE_JOURNAL_OCTETS_MIN && zone->journal_octets > whole;
}

/* Only by ourselves: one that came signed is not changed. */
static bool is_signed(const struct zone *zone)
{
    return zone_signatures(zone->apex, DNS_SOA) != NULL;
}

static enum zone_result add_node(struct zone_change *out, const struct zone *zone,
                                 const struct zone_node *node)
{
    struct dns_record record = {.class = DNS_IN};
    enum zone_result result = ZONE_OK;
    zone_node_name(zone, node, &record.owner);
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        struct rrset_place place = {0};
        record.type = rrset->type;
        record.ttl = rrset->ttl;
        bool left_out = rrset->type == DNS_SOA || (is_signed(zone) && zone_type_is_of_signers(rrset->type));
        while (result == ZONE_OK && !left_out && rrset_next(rrset, &place, &record.rdata))
            result = zone_change_add(out, ZONE_ADDED, &record);
    }
    return result;
}

/* All records of the zone as those that come, but for those that signing has made, as it will again. */
static enum zone_result add_all(struct zone_change *out, const struct zone *zone)
{
    uint8_t rdata[2 * DNS_NAME_MAX + DNS_SOA_NUMBERS_LEN];
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    struct dns_record record = {.owner = zone->name,
                                .type = DNS_SOA,
                                .class = DNS_IN,
                                .ttl = soa->ttl,
                                .rdata = bytes_of(rdata, rrset_first(soa).len)};
    memcpy(rdata, rrset_first(soa).data, record.rdata.len);
    dns_soa_set_serial(rdata, record.rdata.len, is_signed(zone) ? zone->unsigned_serial : zone_serial(zone));
    enum zone_result result = zone_change_add(out, ZONE_ADDED, &record);
    for (const struct zone_node *node = trie_first(&zone->nodes); node != NULL && result == ZONE_OK;
         node = trie_after(&zone->nodes, bytes_of(node->key, node->key_len)))
        result = add_node(out, zone, node);
    return result;
}

/* Where the chain begins: what the zone's file has. 1: found, 0: there is none. */
static int find_base(struct zone_journal *journal, const struct zone *zone, uint32_t *out)
{
    query_bind_blob(journal->first, 1, key_of(zone));
    int status = query_step(journal->first);
    if (status > 0)
        *out = (uint32_t)query_integer(journal->first, 0);
    query_reset(journal->first);
    return status;
}

int zone_journal_put_whole(struct zone_journal *journal, struct zone *zone)
{
    uint32_t base;
    int status = find_base(journal, zone, &base);
    if (status <= 0)
        return status;
    struct zone_change all;
    zone_change_init(&all, &zone->heap, SIZE_MAX / 4);
    status = add_all(&all, zone) == ZONE_OK ? 0 : -ENOMEM;
    all.serial_from = base;
    if (status == 0)
        status = put_row(journal, zone, true, &all);
    if (status == 0)
        status = forget_before(journal, zone, journal->next - 1);
    zone_change_done(&all);
    if (status == 0)
        zone->journal_octets = 0;
    return status;
}

/* ---- making it again ---- */

/* The zone anew, of the records of the change. */
static enum zone_result rebuild(struct zone **zone, const struct zone_change *all)
{
    struct zone *new = zone_new(&(*zone)->heap, &(*zone)->name, (*zone)->records_max);
    struct dns_record record;
    enum zone_result result = new != NULL ? ZONE_OK : ZONE_NO_MEMORY;
    for (size_t place = 0;
         result == ZONE_OK && zone_change_next(all, ZONE_ADDED, &place, &record);)
        result = zone_put(new, &record);
    if (result == ZONE_OK && !zone_is_served(new))
        result = ZONE_INVALID;
    if (result != ZONE_OK) {
        zone_free(new);
        return result;
    }
    zone_free(*zone);
    *zone = new;
    return ZONE_OK;
}

static enum zone_result commit(struct zone *zone, struct zone_change *change)
{
    if (zone->history == NULL)
        zone->history = zone_history_new(&zone->heap, ZONE_HISTORY_OCTETS_DEFAULT);
    size_t octets = zone_change_octets(change);
    enum zone_result result = zone_change_commit(NULL, zone, change);
    zone->journal_octets += result == ZONE_OK ? octets : 0;
    return result;
}

/* The row's change, made on the zone. */
static enum zone_result replay_row(const struct query *row, struct zone **zone)
{
    bool whole = query_integer(row, 1) != 0;
    struct zone_change change;
    zone_change_init(&change, &(*zone)->heap, SIZE_MAX / 4);
    enum zone_result result = zone_change_decode(&change, ZONE_REMOVED, query_blob(row, 4));
    if (result == ZONE_OK)
        result = zone_change_decode(&change, ZONE_ADDED, query_blob(row, 5));
    if (result == ZONE_OK)
        result = whole ? rebuild(zone, &change) : commit(*zone, &change);
    zone_change_done(&change);
    return result;
}

/* What was found in a journal that goes with a zone of that serial number. */
struct found {
    size_t count;
    size_t replayed;
    uint32_t last; /* serial number */
    int64_t began; /* number of the first that was replayed */
};

static int replay_rows(struct zone_journal *journal, struct zone **zone, struct found *out,
                       struct text *error)
{
    struct query *q = journal->load;
    int status;
    query_bind_blob(q, 1, key_of(*zone));
    while ((status = query_step(q)) > 0) {
        uint32_t from = (uint32_t)query_integer(q, 2);
        out->last = (uint32_t)query_integer(q, 3);
        out->count++;
        if (out->replayed == 0 && zone_serial(*zone) != from)
            continue;
        if (out->replayed++ == 0)
            out->began = query_integer(q, 0);
        enum zone_result result = replay_row(q, zone);
        if (result == ZONE_OK)
            continue;
        text_add_format(error, "its changes from serial %" PRIu32 " on cannot be made again (%s): "
                               "was the file changed without a new serial number?",
                        from, zone_result_text(result));
        status = result == ZONE_NO_MEMORY ? -ENOMEM : -EBADMSG;
        break;
    }
    query_reset(q);
    if (status < 0 && error->len == 0)
        text_add(error, zone_journal_error(journal));
    return status;
}

int zone_journal_replay(struct zone_journal *journal, struct zone **zone, size_t *dropped,
                        struct text *error)
{
    struct found found = {0};
    uint32_t serial = zone_serial(*zone);
    *dropped = 0;
    int status = replay_rows(journal, zone, &found, error);
    if (status < 0 || found.count == 0)
        return status;
    if (found.replayed > 0) /* what the file has meanwhile is not needed any more */
        return forget_before(journal, *zone, found.began);
    if (serial != found.last && !dns_serial_before(found.last, serial)) {
        text_add_format(error, "the file has serial %" PRIu32 ", and its changes lead to %" PRIu32
                               ": expected a later one, or the file from which they began",
                        serial, found.last);
        return -EBADMSG;
    }
    *dropped = serial != found.last ? found.count : 0;
    return forget_before(journal, *zone, INT64_MAX);
}

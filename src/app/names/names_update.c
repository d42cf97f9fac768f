/* SPDX-License-Identifier: ISC */
/*
 * names_update.c - zones that change while they are served: by UPDATE messages (RFC 2136). Who may do what
 * is judged here, what it means in proto/dns/zone_update.c.
 *
 * A change is made at once, and kept in the journal at the end of the turn, together with the others of that
 * turn; only then it is acknowledged. What cannot be kept is taken back.
 *
 * SKIPS RFC 3007 for zones of views, and those that are not from files: they take no updates.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"
#include "proto/dns/zone_history.h"
#include "proto/dns/zone_update.h"
#include "wire/dns/dns_serial.h"

/* A change that is not on stable storage yet. */
struct names_pending {
    struct dns_name zone;
    struct zone_change change;     /* of what is not signed */
    bool resigned;                 /* the zone was signed after it */
    struct resolver_client client; /* who is owed an acknowledgement */
};

/* ---- who may do what ---- */

/* Of one requestor, for zone_update.h. */
struct requestor {
    const struct names *names;
    const struct answer_query *query;
};

static bool in_scope(const struct names_update_rule *rule, const struct answer_query *query,
                     const struct dns_name *name)
{
    const struct dns_name *key = query->tsig.key != NULL ? &query->tsig.key->name : NULL;
    switch (rule->scope) {
    case NAMES_UPDATE_ANY:
        return true;
    case NAMES_UPDATE_NAME:
        return dns_name_equal(name, &rule->name);
    case NAMES_UPDATE_BELOW:
        return dns_name_within(name, &rule->name);
    case NAMES_UPDATE_SELF:
        return key != NULL && dns_name_equal(name, key);
    case NAMES_UPDATE_BELOW_SELF:
        return key != NULL && dns_name_within(name, key);
    }
    return false;
}

static bool may(void *self, const struct dns_name *name, uint16_t type)
{
    const struct requestor *requestor = self;
    const struct names *names = requestor->names;
    for (size_t i = 0; i < names->update_count; i++) {
        const struct names_update_rule *rule = &names->updates[i];
        bool typed = rule->type_count == 0;
        for (size_t j = 0; j < rule->type_count; j++)
            typed |= rule->types[j] == type;
        if (typed && names_rule_met(&rule->who, requestor->query) &&
            in_scope(rule, requestor->query, name))
            return true;
    }
    return false;
}

/* May there be a name in that zone that he may change? */
static bool may_anything(const struct names *names, const struct answer_query *query,
                         const struct zone *zone)
{
    const struct dns_name *key = query->tsig.key != NULL ? &query->tsig.key->name : NULL;
    for (size_t i = 0; i < names->update_count; i++) {
        const struct names_update_rule *rule = &names->updates[i];
        bool self = rule->scope == NAMES_UPDATE_SELF || rule->scope == NAMES_UPDATE_BELOW_SELF;
        const struct dns_name *name = self ? key : &rule->name;
        bool here = rule->scope == NAMES_UPDATE_ANY;
        if (!here && name != NULL)
            here = dns_name_within(name, &zone->name) || dns_name_within(&zone->name, name);
        if (here && names_rule_met(&rule->who, query))
            return true;
    }
    return false;
}

/* ---- updates ---- */

/* The zone, or the RCODE for it (RFC 2136 §3.1, §3.3). */
static unsigned find_zone(struct names *names, const struct answer_query *query,
                          struct bytes message, struct zone **out)
{
    unsigned rcode = zone_update_check_section(message);
    if (rcode != DNS_NOERROR)
        return rcode;
    const struct answer_options *answering = names_answering(names, query);
    const struct dns_name *name = &query->question.name;
    struct zone *zone = zone_set_get(names->zones, name);
    bool own = answering->zones != names->zones && zone_set_get(answering->zones, name) != NULL;
    if (query->question.class != DNS_IN || (zone == NULL && !own))
        return DNS_NOTAUTH;
    if (own || !zone->dynamic || names->journal == NULL || !may_anything(names, query, zone))
        return DNS_REFUSED;
    *out = zone;
    return zone_is_served(zone) ? DNS_NOERROR : DNS_SERVFAIL;
}

/* Is the zone signed here, so that what changes in it is signed again? */
static bool is_resigned(const struct names *names, const struct zone *zone)
{
    return names->signer.wants != NULL && names->signer.wants(names->signer.self, &zone->name) &&
           zone_signatures(zone->apex, DNS_SOA) != NULL;
}

/* Takes back a change of the data of a signed zone. */
static bool take_back_signed(struct names *names, struct zone *zone,
                             const struct zone_change *change)
{
    struct zone_change inverse = zone_change_inverse(change); /* shares the octets, which are for nothing else */
    zone_change_renumber(&inverse, zone_serial(zone), zone_serial(zone));
    zone->unsigned_serial = change->serial_from;
    return zone_change_apply(names->zones, zone, &inverse) == ZONE_OK &&
           names->signer.follow(names->signer.self, &zone->name, &inverse);
}

/* The change of a signed zone, as it is to be kept: its serial numbers are those that the data have without
 * the signer's doing. */
static unsigned sign(struct names *names, struct zone *zone, struct zone_change *change)
{
    bool good = names->signer.follow(names->signer.self, &zone->name, change);
    uint32_t from = zone->unsigned_serial;
    zone->unsigned_serial = dns_serial_next(from);
    zone_change_renumber(change, from, zone->unsigned_serial);
    if (good)
        return DNS_NOERROR;
    if (!take_back_signed(names, zone, change))
        names_trouble(names, "an update that could not be signed is served until the next start");
    return DNS_SERVFAIL;
}

/* Changes the zone; *change is what has changed, if anything has. */
static unsigned carry_out(struct names *names, const struct answer_query *query,
                          struct bytes message, struct zone *zone, struct zone_change *change)
{
    struct requestor requestor = {names, query};
    const struct zone_update update = {
        .set = names->zones,
        .zone = zone,
        .message = message,
        .resigned = is_resigned(names, zone),
        .may = may,
        .self = &requestor,
    };
    struct zone_edit edit;
    unsigned rcode = zone_update_run(&update, &edit);
    if (rcode != DNS_NOERROR)
        return rcode;
    enum zone_result result = update.resigned ? zone_edit_settle_signed(&edit, change)
                                              : zone_edit_settle(&edit, change);
    bool changed = zone_change_octets(change) > 0;
    if (result == ZONE_OK && changed)
        result = zone_edit_commit(&edit);
    zone_edit_done(&edit);
    if (result != ZONE_OK)
        return DNS_SERVFAIL;
    if (changed && update.resigned)
        return sign(names, zone, change);
    zone->unsigned_serial = zone_serial(zone);
    return DNS_NOERROR;
}

static void run_flush(struct task *task)
{
    names_update_flush(CONTAINER_OF(task, struct names, flushing));
}

static bool make_room(struct names *names)
{
    if (names->pending_count < names->pending_room)
        return true;
    size_t room = names->pending_room == 0 ? 16 : 2 * names->pending_room;
    if (room > NAMES_PENDING_MAX)
        return false;
    struct names_pending *pending = realloc(names->pending, room * sizeof *pending);
    if (pending == NULL)
        return false;
    names->pending = pending;
    names->pending_room = room;
    return true;
}

/* False: too many, or no memory. */
static bool keep(struct names *names, struct zone_change *change,
                 const struct resolver_client *client, const struct zone *zone)
{
    if (!make_room(names))
        return false;
    struct names_pending *pending = &names->pending[names->pending_count++];
    pending->zone = zone->name;
    pending->resigned = is_resigned(names, zone);
    pending->client = *client;
    zone_change_move(change, &pending->change);
    loop_queue(names->loop, &names->flushing);
    return true;
}

static void take_back(struct names *names, const struct dns_name *name,
                      const struct zone_change *change, bool resigned)
{
    struct zone *zone = zone_set_get(names->zones, name);
    struct zone_change inverse = zone_change_inverse(change);
    bool good = zone != NULL;
    zone_set_close(names->zones);
    if (good && resigned)
        good = take_back_signed(names, zone, change);
    else if (good)
        good = zone_change_apply(names->zones, zone, &inverse) == ZONE_OK;
    if (good && !resigned)
        zone->unsigned_serial = zone_serial(zone);
    zone_set_open(names->zones);
    if (!good)
        names_trouble(names, "an update that was not acknowledged is served until the next start");
}

bool names_update(struct names *names, const struct resolver_client *client, struct bytes message,
                  struct answer_result *result)
{
    struct zone *zone = NULL;
    struct zone_change change;
    const struct answer_query *query = &result->query;
    zone_change_init(&change, &names->heap, ZONE_JOURNAL_CHANGE_MAX);
    if (names_forwards(names, query)) {
        if (names_forward(names, client, message))
            return false;
        result->rcode = DNS_SERVFAIL;
        result->reply = answer_refuse(names_answering(names, query), query, result->rcode,
                                      names_reply_buffer(names));
        return true;
    }
    result->rcode = find_zone(names, query, message, &zone);
    zone_set_close(names->zones); /* nobody sees what is not signed yet, or is taken back */
    if (result->rcode == DNS_NOERROR)
        result->rcode = carry_out(names, query, message, zone, &change);
    zone_set_open(names->zones);
    bool changed = result->rcode == DNS_NOERROR && zone_change_octets(&change) > 0;
    if (changed && keep(names, &change, client, zone))
        return false;
    if (changed) {
        take_back(names, &zone->name, &change, is_resigned(names, zone));
        result->rcode = DNS_SERVFAIL;
    }
    zone_change_done(&change);
    names->counters.updates += result->rcode == DNS_NOERROR;
    names->counters.updates_refused += result->rcode != DNS_NOERROR;
    result->reply = answer_refuse(names_answering(names, query), query, result->rcode,
                                  names_reply_buffer(names));
    return true;
}

/* ---- keeping them ---- */

/* 0 or a negative errno. */
static int store_pending(struct names *names)
{
    int status = zone_journal_begin(names->journal);
    if (status < 0)
        return status;
    for (size_t i = 0; i < names->pending_count && status == 0; i++) {
        struct names_pending *pending = &names->pending[i];
        struct zone *zone = zone_set_get(names->zones, &pending->zone);
        if (zone == NULL)
            continue; /* it is served no more */
        status = zone_journal_put(names->journal, zone, &pending->change);
        /* As it is now it has what follows too: it can stand for all only behind the last. */
        if (status == 0 && i + 1 == names->pending_count && zone_journal_is_long(zone))
            status = zone_journal_put_whole(names->journal, zone);
    }
    if (status == 0)
        return zone_journal_commit(names->journal);
    zone_journal_rollback(names->journal);
    return status;
}

static void acknowledge(struct names *names, struct names_pending *pending, unsigned rcode)
{
    const struct answer_query *query = &pending->client.query;
    struct bytes reply = answer_refuse(names_answering(names, query), query, rcode,
                                       names_reply_buffer(names));
    names->counters.updates += rcode == DNS_NOERROR;
    names->counters.updates_refused += rcode != DNS_NOERROR;
    names_reply_forwarded(names, &pending->client, reply, rcode);
}

static void remember(struct names *names, struct names_pending *pending)
{
    struct zone *zone = zone_set_get(names->zones, &pending->zone);
    if (zone != NULL && !pending->resigned)
        names_remember(names, zone, &pending->change);
}

void names_update_flush(struct names *names)
{
    if (names->pending_count == 0)
        return;
    int status = store_pending(names);
    if (status < 0)
        names_trouble(names, zone_journal_error(names->journal));
    for (size_t i = names->pending_count; status < 0 && i-- > 0;)
        take_back(names, &names->pending[i].zone, &names->pending[i].change,
                  names->pending[i].resigned);
    for (size_t i = 0; i < names->pending_count; i++) {
        struct names_pending *pending = &names->pending[i];
        if (status == 0)
            remember(names, pending);
        acknowledge(names, pending, status == 0 ? DNS_NOERROR : DNS_SERVFAIL);
        zone_change_done(&pending->change);
    }
    names->pending_count = 0;
}

int names_replay(struct names *names, struct zone **zone, size_t *dropped, struct text *error)
{
    *dropped = 0;
    if (names->journal == NULL)
        return 0;
    names_update_flush(names);
    int status = zone_journal_replay(names->journal, zone, dropped, error);
    (*zone)->dynamic = status == 0;
    (*zone)->unsigned_serial = zone_serial(*zone);
    return status;
}

/* ---- life ---- */

void names_set_signer(struct names *names, const struct names_signer *signer)
{
    names->signer = *signer;
}

int names_update_open(struct names *names, const struct names_options *options)
{
    task_init(&names->flushing, run_flush);
    return options->journal != NULL ? zone_journal_new(options->journal, &names->journal) : 0;
}

void names_update_close(struct names *names)
{
    if (names->flushing.run != NULL)
        loop_unqueue(&names->flushing);
    /* Nobody was told that these would last. */
    for (size_t i = 0; i < names->pending_count; i++)
        zone_change_done(&names->pending[i].change);
    free(names->pending);
    zone_journal_free(names->journal);
}

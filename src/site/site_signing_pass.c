/* SPDX-License-Identifier: ISC */
/* site_signing_pass.c - a zone that is served is kept signed: renewed, rolled, and after each change. */
#include "site/site_signing_internal.h"

#include <stdlib.h>
#include <string.h>

#include "os/memory.h"
#include "proto/dns/zone_history.h"

enum {
    PASS_SIGNATURES = 20, /* a turn: a millisecond or two */
    LOOK_SECONDS = 60,    /* how often it is looked whether somebody has changed the keys */
    RETRY_SECONDS = 300,  /* after a failure */
    CHANGE_OCTETS_MAX = 4 << 20,
};

void signed_zone_set_ttls(struct signed_zone *z, const struct zone *zone, uint32_t ttl_max)
{
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    z->roll = z->policy.roll;
    z->roll.key_ttl = z->policy.policy.key_ttl != 0 ? z->policy.policy.key_ttl : soa->ttl;
    if (ttl_max > z->roll.zone_ttl)
        z->roll.zone_ttl = ttl_max;
}

void signed_zone_set_alarm(struct signed_zone *z)
{
    int64_t now = signing_wall(z->owner);
    int64_t at = now + LOOK_SECONDS;
    at = z->due_at < at ? z->due_at : at;
    at = z->next.at < at ? z->next.at : at;
    usec delay = at > now ? (usec)(at - now) * USEC_PER_SEC : USEC_PER_SEC;
    loop_set_alarm(z->owner->options.loop, &z->alarm, loop_now(z->owner->options.loop) + delay);
}

/* What a signer did is a part of the zone's history, and others hear of it. */
static void publish(struct signed_zone *z, struct zone *zone, size_t records_before)
{
    struct site_signing *signing = z->owner;
    struct zone_change change;
    struct heap heap = memory_heap();
    zone_set_recount(signed_zone_set(z), records_before, zone->record_count);
    zone_change_init(&change, &heap, CHANGE_OCTETS_MAX);
    bool any = signing->change.count > 0 || signing->change.failed;
    enum zone_result result = sign_change_take(&signing->change, &change);
    if (any)
        signed_zone_keep(z, result == ZONE_OK ? &change : NULL);
    if (zone->history != NULL && result == ZONE_OK)
        zone_history_add(zone->history, &change);
    else if (zone->history != NULL && any)
        zone_history_clear(zone->history);
    zone_change_done(&change);
    if (!any)
        return;
    signed_zone_note_serial(z, zone_serial(zone));
    if (signing->options.changed != NULL)
        signing->options.changed(signing->options.self, z->view, &z->name);
}

static void queue_pass(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    if (signing->passing == z)
        signing->pass_begun = false; /* from the beginning, with what is known now */
    else if (!list_linked(&z->queued))
        list_append(&signing->queue, &z->queued);
    loop_queue(signing->options.loop, &signing->task);
}

static void retry_later(struct signed_zone *z)
{
    loop_set_alarm(z->owner->options.loop, &z->alarm,
                   loop_now(z->owner->options.loop) + RETRY_SECONDS * USEC_PER_SEC);
}

/* ---- its time ---- */

void signed_zone_on_alarm(struct alarm *alarm)
{
    struct signed_zone *z = CONTAINER_OF(alarm, struct signed_zone, alarm);
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_signing *signing = z->owner;
    int64_t now = signing_wall(signing);
    if (signing->loading == z) { /* which has its secrets in use */
        signed_zone_set_alarm(z);
        return;
    }
    bool keys = signed_zone_keys_touched(z) || z->next.at <= now;
    if (keys && signing->passing == z)
        signing->pass_begun = false; /* the same */
    if (keys && signed_zone_update_keys(z, &error) < 0) {
        (void)signed_zone_take_roles(z); /* secrets may have been read anew all the same */
        signed_zone_complain(z, complaint);
        retry_later(z);
        return;
    }
    bool other_roles = keys && signed_zone_take_roles(z);
    if (other_roles)
        signed_zone_tell_keys(z);
    if (signed_zone_wants_parent(z))
        signed_zone_ask_parent(z);
    if (other_roles || z->due_at <= now)
        queue_pass(z);
    if (z->due_at <= now)
        z->due_at = INT64_MAX; /* known again after the pass */
    signed_zone_set_alarm(z);
}

/* The pass is over, one way or the other. */
static void end_pass(struct signed_zone *z, enum sign_status status)
{
    struct site_signing *signing = z->owner;
    struct sign_counters counters;
    char text[DNS_NAME_TEXT_MAX];
    signing->passing = NULL;
    signer_counters(signing->pass, &counters);
    z->signatures += counters.made;
    if (status == SIGN_FAILED) {
        signed_zone_complain(z, signer_error(signing->pass));
        retry_later(z);
        z->due_at = signing_wall(signing);
        return;
    }
    if (counters.made > 0)
        log_info(signing->options.log, "zone %s: %" PRIu64 " signatures renewed", signed_zone_name(z, text),
                 counters.made);
    z->due_at = signer_due_at(signing->pass);
    signed_zone_set_ttls(z, signed_zone_served(z), signer_ttl_max(signing->pass));
    signed_zone_set_alarm(z);
}

static void run_pass(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    struct zone *zone = signed_zone_served(z);
    if (zone == NULL || !z->served) {
        signing->passing = NULL;
        return;
    }
    if (!signing->pass_begun) {
        if (!signed_zone_set_signer(z, signing->pass)) {
            signing->passing = NULL;
            retry_later(z);
            return;
        }
        signer_start_pass(signing->pass, zone);
        signing->pass_begun = true;
    }
    size_t before = zone->record_count;
    zone_set_close(signed_zone_set(z));
    enum sign_status status = signer_step(signing->pass, PASS_SIGNATURES, signing_wall(signing));
    publish(z, zone, before);
    zone_set_open(signed_zone_set(z));
    if (status != SIGN_MORE)
        end_pass(z, status);
}

void signing_run_slice(struct task *task)
{
    struct site_signing *signing = CONTAINER_OF(task, struct site_signing, task);
    if (signing->passing == NULL && !list_empty(&signing->queue)) {
        struct signed_zone *z = CONTAINER_OF(signing->queue.next, struct signed_zone, queued);
        list_remove(&z->queued);
        signing->passing = z;
        signing->pass_begun = false;
    }
    if (signing->passing != NULL)
        run_pass(signing->passing);
    if (signing->passing != NULL || !list_empty(&signing->queue))
        loop_queue(signing->options.loop, &signing->task);
}

/* The names and types that the change concerns; NULL: no memory. What it has of records is a part of what is
 * remembered, before what the signer does. */
static struct sign_touched *take_change(struct site_signing *signing, const struct zone_change *change,
                                        size_t *count)
{
    size_t room = change->sides[ZONE_REMOVED].count + change->sides[ZONE_ADDED].count;
    struct sign_touched *touched = malloc((room + 1) * sizeof *touched);
    bool same_soa = change->serial_from == change->serial_to;
    struct dns_record record;
    *count = 0;
    for (int side = 0; side < ZONE_SIDE_COUNT && touched != NULL; side++) {
        size_t place = 0;
        while (zone_change_next(change, (enum zone_side)side, &place, &record)) {
            if (record.type == DNS_SOA && same_soa)
                continue;
            sign_change_note(&signing->change, side == ZONE_ADDED, &record);
            struct sign_touched *last = *count > 0 ? &touched[*count - 1] : NULL;
            if (last != NULL && last->type == record.type && dns_name_equal(&last->owner, &record.owner))
                continue;
            touched[*count].type = record.type;
            dns_name_copy(&touched[(*count)++].owner, &record.owner);
        }
    }
    return touched;
}

bool site_signing_follow(struct site_signing *signing, size_t view, const struct dns_name *name,
                         const struct zone_change *change)
{
    struct signed_zone *z = signing_find(signing, view, name);
    struct zone *zone = z != NULL && z->served ? signed_zone_served(z) : NULL;
    size_t count;
    if (zone == NULL)
        return true;
    if (!signed_zone_set_signer(z, signing->follow))
        return false;
    struct sign_touched *touched = take_change(signing, change, &count);
    if (touched == NULL)
        return signed_zone_complain(z, "no memory");
    size_t before = zone->record_count;
    zone_set_close(signed_zone_set(z));
    enum sign_status status = signer_update(signing->follow, zone, touched, count, signing_wall(signing));
    free(touched);
    publish(z, zone, before);
    zone_set_open(signed_zone_set(z));
    if (status == SIGN_FAILED)
        return signed_zone_complain(z, signer_error(signing->follow));
    int64_t due_at = signer_due_at(signing->follow);
    z->due_at = due_at < z->due_at ? due_at : z->due_at;
    if (signer_wants_pass(signing->follow))
        queue_pass(z);
    signed_zone_set_alarm(z);
    return true;
}

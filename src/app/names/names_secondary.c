/* SPDX-License-Identifier: ISC */
/*
 * names_secondary.c - zones that are had from others: which primary is asked when is the business of
 * proto/dns/zone_secondary.c; here what came is put in the place of what was, and told.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"
#include "proto/dns/zone_history.h"
#include "wire/dns/dns_serial.h"

enum { SLICE = 200 /* names a turn */ };

/* The set that it is in. */
static struct zone_set *zones_of(const struct names_secondary *s)
{
    return names_zones(s->names, s->options.view);
}

static const struct zone *served(const struct names_secondary *s)
{
    const struct zone *zone = zone_set_get(zones_of(s), &s->options.zone);
    return zone != NULL && zone_is_served(zone) ? zone : NULL;
}

static struct bytes soa_of(const struct zone *zone)
{
    return rrset_first(zone_rrset(zone->apex, DNS_SOA));
}

/* ---- zones that go ---- */

static void discard_slice(struct task *task)
{
    struct names *names = CONTAINER_OF(task, struct names, discarding);
    struct names_discarded *first = names->discarded;
    if (first == NULL)
        return;
    if (zone_empty(first->zone, SLICE)) {
        names->discarded = first->next;
        zone_free(first->zone);
        free(first);
    }
    loop_queue(names->loop, &names->discarding);
}

void names_discard_zone(struct names *names, struct zone *zone)
{
    struct names_discarded *item = zone != NULL ? malloc(sizeof *item) : NULL;
    if (item == NULL) {
        zone_free(zone);
        return;
    }
    *item = (struct names_discarded){names->discarded, zone};
    names->discarded = item;
    loop_queue(names->loop, &names->discarding);
}

/* Nothing is said in it, until there is something to say. */
static int put_empty(struct names *names, size_t view, const struct dns_name *name)
{
    struct zone *zone = zone_new(&names->heap, name, 0);
    struct zone *old = NULL;
    if (zone == NULL)
        return -ENOMEM;
    if (zone_set_install(names_zones(names, view), zone, &old) != ZONE_OK) {
        zone_free(zone);
        return -ENOMEM;
    }
    names_discard_zone(names, old);
    return 0;
}

/* ---- what there is to do ---- */

static void set_alarm(struct names *names)
{
    usec at = USEC_NEVER;
    for (size_t i = 0; i < names->kept_count; i++) {
        const struct names_secondary *s = &names->kept[i];
        usec due = secondary_deadline(&s->timers);
        usec fetch = s->fetch != NULL ? names_fetch_deadline(s) : USEC_NEVER;
        at = due < at ? due : at;
        at = fetch < at ? fetch : at;
    }
    usec now = loop_now(names->loop);
    /* Who waits for a place among those that fetch is woken by one that ends. */
    usec soonest = now + USEC_PER_SEC / 100;
    loop_set_alarm(names->loop, &names->secondary_alarm, at < soonest ? soonest : at);
}

static void tell(struct names_secondary *s, struct names_secondary_event *event)
{
    const struct names_secondary_handler *handler = &s->names->secondary_handler;
    event->view = s->options.view;
    event->zone = &s->options.zone;
    if (handler->on_event != NULL)
        handler->on_event(handler->self, event);
}

/* An event of the fetch that is under way. */
static struct names_secondary_event event_of(const struct names_secondary *s,
                                             enum names_secondary_kind kind)
{
    const struct names_fetch *f = s->fetch;
    struct names_secondary_event event = {.kind = kind, .served = served(s)};
    if (f == NULL) {
        event.primary = &s->options.primaries[s->timers.primary];
        return event;
    }
    event.primary = f->primary;
    event.incremental = f->incremental;
    event.serial_before = f->serial;
    event.taken = loop_now(s->names->loop) - f->started_at;
    if (f->receive != NULL) {
        event.records = zone_receive_records(f->receive);
        event.octets = zone_receive_octets(f->receive);
    }
    return event;
}

static void expire(struct names_secondary *s)
{
    struct names_secondary_event event = {.kind = NAMES_ZONE_EXPIRED};
    s->names->counters.zones_expired++;
    if (put_empty(s->names, s->options.view, &s->options.zone) != 0)
        (void)zone_set_remove(zones_of(s), &s->options.zone); /* better nothing than what is too old */
    tell(s, &event);
    names_zone_is_other(s->names, s->options.view, &s->options.zone);
}

static bool has_place(const struct names *names, bool transfer)
{
    return transfer ? names->fetches < NAMES_FETCHES_MAX : names->asks < NAMES_ASKS_MAX;
}

static void look_after(struct names_secondary *s)
{
    struct names *names = s->names;
    usec now = loop_now(names->loop);
    if (s->fetch != NULL)
        names_fetch_tick(s);
    if (secondary_expires(&s->timers, now))
        expire(s);
    /* What is wanted next is known before it is begun: a transfer without a place waits. */
    bool transfer = s->timers.wanted == SECONDARY_FETCH || (!s->timers.in_round && !s->timers.held) ||
                    s->options.tls[s->timers.primary].secure;
    if (s->fetch != NULL || !has_place(names, transfer))
        return;
    enum secondary_action action = secondary_next(&s->timers, now);
    if (action == SECONDARY_NOTHING)
        return;
    /* Over TLS there are no datagrams: a difference to what we have tells as well whether there is any. */
    bool fetch = action == SECONDARY_FETCH || s->options.tls[s->timers.primary].secure;
    int status = names_fetch_start(s, fetch, fetch && !s->timers.whole && served(s) != NULL);
    if (status != 0)
        names_fetched_nothing(s, strerror(-status));
}

static void look_after_all(struct names *names)
{
    for (size_t i = 0; i < names->kept_count; i++)
        look_after(&names->kept[(names->kept_turn + i) % names->kept_count]);
    names->kept_turn++;
    set_alarm(names);
}

static void on_alarm(struct alarm *alarm)
{
    look_after_all(CONTAINER_OF(alarm, struct names, secondary_alarm));
}

/* ---- how it went ---- */

/* The next step is taken from the alarm: this one may be within a callback of its socket. */
static void go_on(struct names_secondary *s)
{
    names_fetch_end(s);
    loop_set_alarm(s->names->loop, &s->names->secondary_alarm, loop_now(s->names->loop));
}

void names_fetched_nothing(struct names_secondary *s, const char *why)
{
    struct names_secondary_event event = event_of(s, NAMES_ZONE_FAILED);
    event.text = why;
    s->names->counters.transfers_in_failed += s->fetch != NULL && s->fetch->transfer;
    tell(s, &event);
    secondary_failed(&s->timers, loop_now(s->names->loop));
    go_on(s);
}

void names_fetch_whole_instead(struct names_secondary *s, const char *why)
{
    struct names_secondary_event event = event_of(s, NAMES_ZONE_FAILED);
    event.text = why;
    tell(s, &event);
    secondary_fetch_whole(&s->timers);
    go_on(s);
}

static void confirmed(struct names_secondary *s)
{
    struct names_secondary_event event = event_of(s, NAMES_ZONE_CURRENT);
    s->names->counters.zones_confirmed++;
    tell(s, &event);
}

void names_fetched_serial(struct names_secondary *s, uint32_t serial)
{
    if (s->timers.held && serial == s->timers.serial)
        confirmed(s);
    if (s->timers.held && dns_serial_before(serial, s->timers.serial)) {
        names_fetched_nothing(s, "it has an older version than we");
        return;
    }
    secondary_serial_is(&s->timers, serial, loop_now(s->names->loop));
    go_on(s);
}

void names_fetched_current(struct names_secondary *s)
{
    const struct zone *zone = served(s);
    if (zone == NULL) {
        names_fetched_nothing(s, "it says that we have the zone");
        return;
    }
    confirmed(s);
    secondary_fetched(&s->timers, soa_of(zone), loop_now(s->names->loop));
    go_on(s);
}

/* The zone of that name is another now. */
static void taken(struct names_secondary *s)
{
    struct names_secondary_event event = event_of(s, NAMES_ZONE_NEW);
    s->names->counters.transfers_in++;
    secondary_fetched(&s->timers, soa_of(event.served), loop_now(s->names->loop));
    tell(s, &event);
    go_on(s);
    names_zone_changed(s->names, s->options.view, &s->options.zone);
}

void names_fetched_changes(struct names_secondary *s)
{
    struct zone *zone = zone_set_get(zones_of(s), &s->options.zone);
    struct zone_change *change;
    enum zone_result result = ZONE_OK;
    zone_set_close(zones_of(s));
    while (result == ZONE_OK && (change = zone_receive_change(s->fetch->receive)) != NULL)
        result = zone_change_commit(zones_of(s), zone, change);
    zone_set_open(zones_of(s));
    if (result == ZONE_OK)
        taken(s);
    else
        names_fetch_whole_instead(s, zone_result_text(result));
}

void names_fetched_zone(struct names_secondary *s)
{
    struct zone *zone = s->fetch->zone;
    struct zone *old = NULL;
    const struct zone *before = served(s);
    if (before != NULL && dns_serial_before(zone_serial(zone), zone_serial(before))) {
        names_fetched_nothing(s, "it has an older version than we");
        return;
    }
    enum zone_result result = zone_set_install(zones_of(s), zone, &old);
    if (result != ZONE_OK) {
        names_fetched_nothing(s, zone_result_text(result));
        return;
    }
    s->fetch->zone = NULL;
    s->fetch->incremental = false; /* whatever was asked for */
    /* Those who have it from us get the changes that come from now on; without memory, the whole. */
    zone_set_close(zones_of(s));
    if (zone->history == NULL)
        zone->history = zone_history_new(&s->names->heap, ZONE_HISTORY_OCTETS_DEFAULT);
    zone_set_open(zones_of(s));
    names_discard_zone(s->names, old);
    taken(s);
}

/* ---- NOTIFY ---- */

static bool is_same(const struct names_secondary_options *a, size_t view, const struct dns_name *zone)
{
    return a->view == view && dns_name_equal(&a->zone, zone);
}

static struct names_secondary *find(const struct names *names, size_t view,
                                    const struct dns_name *zone)
{
    for (size_t i = 0; i < names->kept_count; i++)
        if (is_same(&names->kept[i].options, view, zone))
            return &names->kept[i];
    return NULL;
}

/* Which primary it is from: by its key, or where none is agreed on by its address (RFC 1996 §3.11). */
static bool find_primary(const struct names_secondary *s, const struct answer_query *query,
                         size_t *out)
{
    for (size_t i = 0; i < s->options.primary_count; i++) {
        const struct tsig_peer *primary = &s->options.primaries[i];
        bool keyed = !dns_name_is_root(&primary->key);
        if (keyed ? query->tsig.key != NULL &&
                        dns_name_equal(&query->tsig.key->name, &primary->key)
                  : address_equal(&primary->at.address, &query->path.from)) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* The serial number that it tells, which is only a hint (RFC 1996 §3.7). */
static bool told_serial(struct bytes message, uint32_t *out)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    uint8_t soa[2 * DNS_NAME_MAX + DNS_SOA_NUMBERS_LEN];
    if (dns_cursor_start(&cursor, message) != WIRE_OK || !dns_cursor_record(&cursor, &rr) ||
        rr.section != DNS_ANSWER || rr.type != DNS_SOA)
        return false;
    struct writer w = writer_of(soa, sizeof soa);
    if (dns_rdata_expand(DNS_SOA, message, rr.rdata, &w) != WIRE_OK || w.failed)
        return false;
    *out = dns_soa_serial(writer_bytes(&w));
    return true;
}

/* Whatever its view: a primary is known by its key or its address, and may serve several. */
unsigned names_secondary_notified(struct names *names, const struct answer_query *query,
                                  struct bytes message)
{
    uint32_t serial;
    size_t primary;
    unsigned rcode = DNS_NOTAUTH;
    usec now = loop_now(names->loop);
    if (query->question.type != DNS_SOA || query->question.class != DNS_IN)
        return rcode;
    bool told = told_serial(message, &serial);
    for (size_t i = 0; i < names->kept_count; i++) {
        struct names_secondary *s = &names->kept[i];
        if (!dns_name_equal(&s->options.zone, &query->question.name))
            continue;
        if (rcode == DNS_NOTAUTH)
            rcode = DNS_REFUSED;
        if (!find_primary(s, query, &primary))
            continue;
        rcode = DNS_NOERROR;
        if (secondary_notified(&s->timers, primary, told ? &serial : NULL, now))
            loop_set_alarm(names->loop, &names->secondary_alarm, now);
    }
    names->counters.notifies_in += rcode == DNS_NOERROR;
    return rcode;
}

void names_zone_is_other(struct names *names, size_t view, const struct dns_name *zone)
{
    if (names->on_zone != NULL)
        names->on_zone(names->zone_self, view, zone);
}

const struct names_secondary *names_secondary_of(const struct names *names,
                                                 const struct answer_query *query,
                                                 const struct dns_name *zone)
{
    size_t view = names_view_of(names, query);
    const struct names_secondary *s = find(names, view, zone);
    if (s != NULL || view == NAMES_EVERYBODY || zone_set_get(names->views[view].zones, zone) != NULL)
        return s;
    return find(names, NAMES_EVERYBODY, zone);
}

const struct names_notified *names_notified_of(const struct names *names, size_t view,
                                               const struct dns_name *zone)
{
    const struct names_secondary *s = find(names, view, zone);
    return s != NULL ? &s->options.notified : &names->notified;
}

void names_zone_changed(struct names *names, size_t view, const struct dns_name *zone)
{
    const struct names_notified *whom = names_notified_of(names, view, zone);
    names_zone_is_other(names, view, zone);
    names_notify_all(names, view, zone, whom);
    if (whom->servers)
        names_tell_servers(names, view, zone);
}

/* ---- life ---- */

void names_secondary_have(struct names *names, size_t view, const struct dns_name *zone, uint64_t age)
{
    struct names_secondary *s = find(names, view, zone);
    ASSERT(s != NULL && served(s) != NULL);
    secondary_have(&s->timers, soa_of(served(s)), age, loop_now(names->loop));
    loop_set_alarm(names->loop, &names->secondary_alarm, loop_now(names->loop));
}

static void let_go(struct names_secondary *s)
{
    names_fetch_end(s);
    names_discard_zone(s->names, zone_set_take(zones_of(s), &s->options.zone));
}

static bool is_named(const struct names_secondary *s, const struct names_secondary_options *list,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_same(&list[i], s->options.view, &s->options.zone))
            return true;
    return false;
}

/* Of which nothing is different goes on with what it is doing. */
static void move(struct names_secondary *s, struct names_secondary *before)
{
    *s = *before;
    before->fetch = NULL;
    if (s->fetch == NULL)
        return;
    s->fetch->of = s;
    s->fetch->primary = &s->options.primaries[s->fetch->primary - before->options.primaries];
    s->fetch->tls = &s->options.tls[s->fetch->tls - before->options.tls];
}

/* What goes on keeps its zone and its timers; its primaries may be others now. */
static void begin(struct names *names, struct names_secondary *s, struct names_secondary *before,
                  const struct names_secondary_options *options)
{
    usec now = loop_now(names->loop);
    if (before != NULL && memcmp(&before->options, options, sizeof *options) == 0) {
        move(s, before);
        return;
    }
    *s = (struct names_secondary){.names = names, .options = *options};
    secondary_init(&s->timers, options->primary_count, loop_prng(names->loop), now);
    if (before != NULL)
        names_fetch_end(before);
    const struct zone *zone = served(s);
    if (before == NULL || zone == NULL || !before->timers.held)
        return;
    usec expire_at = before->timers.expire_at;
    secondary_have(&s->timers, soa_of(zone), 0, now);
    s->timers.expire_at = expire_at;
}

int names_set_secondaries(struct names *names, const struct names_secondary_options *list,
                          size_t count, const struct names_secondary_handler *handler)
{
    ASSERT(count <= NAMES_SECONDARIES_MAX);
    struct names_secondary *all = calloc(count > 0 ? count : 1, sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (zone_set_get(names_zones(names, list[i].view), &list[i].zone) == NULL &&
            put_empty(names, list[i].view, &list[i].zone) != 0) {
            free(all);
            return -ENOMEM;
        }
    for (size_t i = 0; i < names->kept_count; i++)
        if (!is_named(&names->kept[i], list, count))
            let_go(&names->kept[i]);
    for (size_t i = 0; i < count; i++)
        begin(names, &all[i], find(names, list[i].view, &list[i].zone), &list[i]);
    free(names->kept);
    names->kept = all;
    names->kept_count = count;
    names->kept_turn = 0;
    names->secondary_handler = *handler;
    loop_set_alarm(names->loop, &names->secondary_alarm, loop_now(names->loop));
    return 0;
}

void names_secondary_open(struct names *names)
{
    alarm_init(&names->secondary_alarm, on_alarm);
    task_init(&names->discarding, discard_slice);
}

void names_secondary_close(struct names *names)
{
    for (size_t i = 0; i < names->kept_count; i++)
        names_fetch_end(&names->kept[i]);
    free(names->kept);
    names->kept = NULL;
    names->kept_count = 0;
    loop_clear_alarm(names->loop, &names->secondary_alarm);
    loop_unqueue(&names->discarding);
    while (names->discarded != NULL) {
        struct names_discarded *next = names->discarded->next;
        zone_free(names->discarded->zone);
        free(names->discarded);
        names->discarded = next;
    }
}

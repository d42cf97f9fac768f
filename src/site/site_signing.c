/* SPDX-License-Identifier: ISC */
/* site_signing.c - zones are signed when they are loaded; which, by whose word. */
#include "site/site_signing_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "os/memory.h"
#include "proto/dns/zone_history.h"
#include "site/site_crypto.h"

_Static_assert((int)SITE_PARENTS_MAX == (int)PARENT_SERVERS_MAX, "the same room");

const char *signed_zone_name(const struct signed_zone *z, char text[DNS_NAME_TEXT_MAX])
{
    return dns_name_format(&z->name, text);
}

int64_t signing_wall(const struct site_signing *signing)
{
    return loop_wall_seconds(signing->options.loop);
}

bool signed_zone_complain(const struct signed_zone *z, const char *what)
{
    char text[DNS_NAME_TEXT_MAX];
    log_error(z->owner->options.log, "zone %s is not signed: %s", signed_zone_name(z, text), what);
    return false;
}

/* ---- which ---- */

/* The zone's own block, or that for all others; NULL: neither. */
static const struct site_signature *find_policy(const struct site_signing *signing,
                                                const struct dns_name *zone)
{
    const struct site_signatures *all = signing->options.signatures;
    const struct site_signature *other = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct site_signature *one = &all->zones[i];
        struct dns_name name;
        if (strcmp(one->zone, "*") == 0)
            other = one;
        else if (dns_name_parse(bytes_of_text(one->zone), NULL, &name) && dns_name_equal(&name, zone))
            return one->off ? NULL : one;
    }
    return other != NULL && !other->off ? other : NULL;
}

bool site_signing_wants(const struct site_signing *signing, const struct dns_name *zone)
{
    return find_policy(signing, zone) != NULL;
}

struct signed_zone *signing_find(const struct site_signing *signing, size_t view,
                                     const struct dns_name *zone)
{
    for (const struct list_node *node = signing->zones.next; node != &signing->zones;
         node = node->next) {
        struct signed_zone *z = CONTAINER_OF(node, struct signed_zone, node);
        if (z->view == view && dns_name_equal(&z->name, zone))
            return z;
    }
    return NULL;
}

struct zone_set *signed_zone_set(const struct signed_zone *z)
{
    return z->owner->options.zones(z->owner->options.self, z->view);
}

struct zone *signed_zone_served(const struct signed_zone *z)
{
    struct zone_set *set = signed_zone_set(z);
    struct zone *zone = set != NULL ? zone_set_get(set, &z->name) : NULL;
    return zone != NULL && zone_is_served(zone) ? zone : NULL;
}

/* ---- a zone that is loaded ---- */

static void free_zone(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    if (signing->loading == z)
        signing->loading = NULL;
    if (signing->passing == z)
        signing->passing = NULL;
    loop_clear_alarm(signing->options.loop, &z->alarm);
    parent_check_free(z->check);
    signed_zone_keep_end(z);
    list_remove(&z->node);
    list_remove(&z->queued);
    key_ring_done(&z->ring);
    signing_key_cleanse(z, sizeof *z);
    free(z);
}

static struct signed_zone *new_zone(struct site_signing *signing, size_t view, const struct dns_name *name)
{
    struct signed_zone *z = calloc(1, sizeof *z);
    if (z == NULL)
        return NULL;
    z->owner = signing;
    z->view = view;
    dns_name_copy(&z->name, name);
    dns_name_lower(&z->name);
    z->due_at = z->next.at = INT64_MAX;
    alarm_init(&z->alarm, signed_zone_on_alarm);
    z->log = -1;
    list_append(&signing->zones, &z->node);
    list_init(&z->queued);
    list_init(&z->unkept);
    list_init(&z->unsynced);
    return z;
}

/* What was read of its keys before is of no use when the block says otherwise. */
static void take_policy(struct signed_zone *z, const struct site_signature *policy)
{
    z->policy = *policy;
    key_ring_done(&z->ring);
    key_ring_init(&z->ring, &z->name, policy->keys);
    z->role_count = 0;
    if (!z->has_serial_limit)
        signed_zone_read_serial(z);
}

struct zone *site_signing_restore(struct site_signing *signing, size_t view, const struct dns_name *name)
{
    const struct site_signature *policy = find_policy(signing, name);
    char text[DNS_NAME_TEXT_MAX];
    if (policy == NULL || signing_find(signing, view, name) != NULL)
        return NULL;
    struct signed_zone *z = new_zone(signing, view, name);
    if (z == NULL)
        return NULL;
    take_policy(z, policy);
    struct zone *zone = signed_zone_restore(z);
    if (zone == NULL)
        return NULL;
    z->served = z->kept = true;
    signed_zone_set_ttls(z, zone, 0);
    z->next.at = z->due_at = signing_wall(signing); /* should its file not be of use */
    signed_zone_set_alarm(z);
    log_info(signing->options.log, "zone %s goes on from serial %" PRIu32 ", as it was signed",
             signed_zone_name(z, text), zone_serial(zone));
    return zone;
}

void site_signing_keep(struct site_signing *signing, const struct zone_change *change)
{
    struct signed_zone *z = signing->loading;
    ASSERT(z != NULL);
    const struct zone *served = z->served ? signed_zone_served(z) : NULL;
    bool same = served != NULL && zone_serial(served) == zone_serial(signing->loaded);
    if (!same || !z->kept)
        signed_zone_keep(z, change);
}

bool site_signing_begin(struct site_signing *signing, size_t view, struct zone *zone)
{
    const struct site_signature *policy = find_policy(signing, &zone->name);
    struct signed_zone *z = signing_find(signing, view, &zone->name);
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    ASSERT(policy != NULL && signing->loading == NULL);
    if (z == NULL)
        z = new_zone(signing, view, &zone->name);
    if (z == NULL)
        return false;
    if (!zone_is_served(zone))
        return signed_zone_complain(z, "it has no SOA");
    if (signing->passing == z)
        signing->passing = NULL; /* begun anew with the new one */
    list_remove(&z->queued);
    take_policy(z, policy);
    signed_zone_set_ttls(z, zone, 0);
    z->next.at = 0; /* should this fail: they are looked at again, for the one that is served */
    if (signed_zone_update_keys(z, &error) < 0)
        return signed_zone_complain(z, complaint);
    (void)signed_zone_take_roles(z);
    if (!signed_zone_set_signer(z, signing->whole))
        return false;
    signed_zone_tell_keys(z);
    const struct zone *previous = z->served ? signed_zone_served(z) : NULL;
    uint32_t serial = previous != NULL ? zone_serial(previous) : z->serial_limit;
    bool has_serial = previous != NULL || z->has_serial_limit;
    signer_start_whole(signing->whole, zone, previous, has_serial ? &serial : NULL);
    signing->loading = z;
    signing->loaded = zone;
    return true;
}

enum sign_status site_signing_step(struct site_signing *signing, unsigned signatures)
{
    struct signed_zone *z = signing->loading;
    struct sign_counters counters;
    ASSERT(z != NULL);
    enum sign_status status = signer_step(signing->whole, signatures, signing_wall(signing));
    if (status == SIGN_MORE)
        return status;
    if (status == SIGN_FAILED) {
        signed_zone_complain(z, signer_error(signing->whole));
        signing->loading = NULL;
        return status;
    }
    signer_counters(signing->whole, &counters);
    z->signatures += counters.made;
    z->due_at = signer_due_at(signing->whole);
    signed_zone_set_ttls(z, signing->loaded, signer_ttl_max(signing->whole));
    /* before it is served: what follows a restart must be later */
    signed_zone_note_serial(z, zone_serial(signing->loaded));
    return status;
}

void site_signing_stop(struct site_signing *signing)
{
    signing->loading = NULL;
}

void site_signing_served(struct site_signing *signing)
{
    struct signed_zone *z = signing->loading;
    char text[DNS_NAME_TEXT_MAX];
    if (z == NULL)
        return;
    struct heap heap = memory_heap();
    const struct zone_set *set = signed_zone_set(z);
    zone_set_close(set);
    if (signing->loaded->history == NULL) /* without one, secondaries get the zone whole each time */
        signing->loaded->history = zone_history_new(&heap, ZONE_HISTORY_OCTETS_DEFAULT);
    zone_set_open(set);
    signing->loading = NULL;
    z->served = true;
    log_info(signing->options.log, "zone %s is signed: serial %" PRIu32, signed_zone_name(z, text),
             zone_serial(signing->loaded));
    signed_zone_set_alarm(z);
}

void site_signing_forget(struct site_signing *signing, size_t view, const struct dns_name *zone)
{
    struct signed_zone *z = signing_find(signing, view, zone);
    if (z != NULL)
        free_zone(z);
}

/* ---- life ---- */

static bool make_signers(struct site_signing *signing)
{
    struct sign_options options = {.heap = memory_heap(), .prng = &signing->prng};
    signing->sha1 = digest_sha1_new();
    signing->stream = digest_stream_new();
    if (signing->sha1 == NULL || signing->stream == NULL)
        return false;
    site_sign_crypto_init(&options.crypto, signing->sha1, signing->stream);
    signing->whole = signer_new(&options);
    options.on_change = sign_change_note;
    options.self = &signing->change;
    signing->pass = signer_new(&options);
    signing->follow = signer_new(&options);
    return signing->whole != NULL && signing->pass != NULL && signing->follow != NULL;
}

int site_signing_new(const struct site_signing_options *options, struct site_signing **out)
{
    struct heap heap = memory_heap();
    struct site_signing *signing = calloc(1, sizeof *signing);
    if (signing == NULL)
        return -ENOMEM;
    signing->options = *options;
    list_init(&signing->zones);
    list_init(&signing->queue);
    list_init(&signing->unkept);
    list_init(&signing->unsynced);
    signing->file.fd = -1;
    task_init(&signing->keep_task, signing_keep_slice);
    task_init(&signing->task, signing_run_slice);
    sign_change_init(&signing->change, &heap);
    prng_fork(loop_prng(options->loop), &signing->prng);
    if (!make_signers(signing)) {
        site_signing_free(signing);
        return -ENOMEM;
    }
    *out = signing;
    return 0;
}

void site_signing_free(struct site_signing *signing)
{
    if (signing == NULL)
        return;
    while (!list_empty(&signing->zones))
        free_zone(CONTAINER_OF(signing->zones.next, struct signed_zone, node));
    loop_unqueue(&signing->task);
    loop_unqueue(&signing->keep_task);
    free(signing->buffer);
    signer_free(signing->whole);
    signer_free(signing->pass);
    signer_free(signing->follow);
    sign_change_done(&signing->change);
    digest_free(signing->sha1);
    digest_stream_free(signing->stream);
    free(signing);
}

void site_signing_reload(struct site_signing *signing, const struct site_signatures *signatures)
{
    signing->options.signatures = signatures;
}

bool site_signing_state(const struct site_signing *signing, size_t index, struct site_signing_state *out)
{
    for (const struct list_node *node = signing->zones.next; node != &signing->zones;
         node = node->next) {
        const struct signed_zone *z = CONTAINER_OF(node, struct signed_zone, node);
        if (index-- > 0)
            continue;
        *out = (struct site_signing_state){.zone = &z->name,
                                           .view = z->view,
                                           .key_count = z->ring.count,
                                           .due_at = z->due_at,
                                           .key_at = z->next.at,
                                           .waits_for_ds = z->next.waits_for_ds,
                                           .in_pass = signing->passing == z,
                                           .signatures = z->signatures};
        return true;
    }
    return false;
}

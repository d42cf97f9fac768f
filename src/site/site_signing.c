/* SPDX-License-Identifier: ISC */
/* site_signing.c - zones are signed when they are loaded, and kept signed. */
#include "site/site_signing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/list.h"
#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/sign_change.h"
#include "proto/dns/zone_history.h"
#include "site/key_ring.h"
#include "site/parent_check.h"
#include "site/site_crypto.h"
#include "wire/dns/dns_serial.h"

enum {
    PASS_SIGNATURES = 20,   /* a turn: a millisecond or two */
    LOOK_SECONDS = 60,      /* how often it is looked whether somebody has changed the keys */
    SERIAL_AHEAD = 1000,    /* how far the file is ahead of what is served */
    RETRY_SECONDS = 300,    /* after a failure */
    PARENT_SECONDS = 600,   /* how often the parent is asked */
    CHANGE_OCTETS_MAX = 4 << 20,
};

/* One zone that is signed here. */
struct signed_zone {
    struct list_node node;   /* of all */
    struct list_node queued; /* of those that wait for a pass */
    struct site_signing *owner;
    size_t view;
    struct dns_name name;
    struct site_signature policy;
    struct key_ring ring;
    struct timespec directory_time;
    struct sign_key roles[KEY_RING_MAX]; /* that it was last signed by */
    uint16_t role_tags[KEY_RING_MAX];    /* whose they are */
    uint8_t role_algorithms[KEY_RING_MAX];
    size_t role_count;
    struct roll_policy roll;
    struct roll_next next;
    struct alarm alarm;
    struct parent_check *check; /* under way; NULL: none */
    uint16_t checked[PARENT_DS_MAX]; /* tags of the keys that it is about */
    size_t checked_count;
    int64_t ask_at;
    bool served;
    int64_t due_at;
    uint32_t serial_limit;   /* in the file */
    bool has_serial_limit;
    uint64_t signatures;
};

struct site_signing {
    struct site_signing_options options;
    struct digest *sha1;
    struct digest_stream *stream;
    struct prng prng;
    struct signer *whole;    /* of the zone that is being loaded */
    struct signer *pass;     /* of those that are served, one at a time */
    struct signer *follow;   /* of those that were changed */
    struct sign_change change;
    struct list_node zones;
    struct list_node queue;
    struct task task;
    struct signed_zone *loading; /* NULL: none */
    struct zone *loaded;
    struct signed_zone *passing; /* NULL: none */
    bool pass_begun;
};

_Static_assert((int)SITE_PARENTS_MAX == (int)PARENT_SERVERS_MAX, "the same room");

static const char *name_of(const struct signed_zone *z, char text[DNS_NAME_TEXT_MAX])
{
    return dns_name_format(&z->name, text);
}

static int64_t wall(const struct site_signing *signing)
{
    return loop_wall_seconds(signing->options.loop);
}

static bool complain(const struct signed_zone *z, const char *what)
{
    char text[DNS_NAME_TEXT_MAX];
    log_error(z->owner->options.log, "zone %s is not signed: %s", name_of(z, text), what);
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

static struct signed_zone *find_zone(const struct site_signing *signing, size_t view,
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

static struct zone *served_zone(const struct signed_zone *z)
{
    struct zone_set *set = z->owner->options.zones(z->owner->options.self, z->view);
    struct zone *zone = set != NULL ? zone_set_get(set, &z->name) : NULL;
    return zone != NULL && zone_is_served(zone) ? zone : NULL;
}

/* ---- the file with the serial number ---- */

static bool serial_path(const struct signed_zone *z, char out[PATH_MAX])
{
    char name[DNS_NAME_TEXT_MAX];
    struct text t = text_of(out, PATH_MAX);
    text_add_format(&t, "%s/", z->policy.keys);
    dns_name_format(&z->name, name);
    for (const char *at = name; *at != '\0'; at++)
        text_add_format(&t, *at == '/' ? "%%2F" : "%c", *at);
    if (z->view < SITE_VIEWS_MAX)
        text_add_format(&t, "%zu.", z->view);
    text_add(&t, "serial");
    return !t.failed;
}

static void read_serial(struct signed_zone *z)
{
    char path[PATH_MAX], *content;
    size_t len;
    uint64_t serial;
    if (!serial_path(z, path) || file_read(path, 64, &content, &len) < 0)
        return;
    struct bytes line = bytes_first(bytes_of(content, len), bytes_find(bytes_of(content, len), '\n'));
    if (text_parse_number(text_trim(line), UINT32_MAX, &serial)) {
        z->serial_limit = (uint32_t)serial;
        z->has_serial_limit = true;
    }
    free(content);
}

/* A serial number that is served is never later than the file's: what comes after a restart is later. By the clock
 * it is so without a file. */
static void note_serial(struct signed_zone *z, uint32_t serial)
{
    char path[PATH_MAX], line[32];
    struct text t = text_of(line, sizeof line);
    if (z->policy.policy.serial != SIGN_SERIAL_INCREMENT ||
        (z->has_serial_limit && !dns_serial_before(z->serial_limit, serial)) || !serial_path(z, path))
        return;
    z->serial_limit = serial + SERIAL_AHEAD;
    z->has_serial_limit = true;
    text_add_format(&t, "%" PRIu32 "\n", z->serial_limit);
    int result = file_write(path, text_bytes(&t), 0644);
    if (result < 0)
        log_error(z->owner->options.log, "%s: %s", path, strerror(-result));
}

/* ---- keys ---- */

/* Did somebody write to the directory? */
static bool directory_changed(struct signed_zone *z)
{
    struct stat facts;
    if (stat(z->policy.keys, &facts) < 0)
        return false;
    bool same = facts.st_mtim.tv_sec == z->directory_time.tv_sec &&
                facts.st_mtim.tv_nsec == z->directory_time.tv_nsec;
    z->directory_time = facts.st_mtim;
    return !same;
}

static int make_key(struct signed_zone *z, bool sep, size_t *index)
{
    return key_ring_make(&z->ring, z->policy.algorithm, z->policy.bits, sep, wall(z->owner), index);
}

static int make_first(struct signed_zone *z)
{
    size_t index;
    for (unsigned i = 0; i < (z->policy.separate ? 2u : 1u); i++) {
        int result = make_key(z, i == 0, &index);
        if (result < 0)
            return result;
        roll_begin(&z->ring.keys[index].roll, wall(z->owner));
    }
    return 0;
}

/* A key that has lived long enough gets a successor. */
static int make_successors(struct signed_zone *z)
{
    int64_t now = wall(z->owner);
    size_t index;
    int result = 0;
    if (z->next.wants_zsk && (result = make_key(z, false, &index)) == 0)
        roll_zsk(&z->ring.keys[z->next.old_zsk].roll, &z->ring.keys[index].roll, &z->roll, now);
    if (result == 0 && z->next.wants_ksk && (result = make_key(z, true, &index)) == 0)
        roll_ksk(&z->ring.keys[z->next.old_ksk].roll, &z->ring.keys[index].roll, now);
    return result;
}

static void advance(struct signed_zone *z)
{
    struct roll_key rolls[KEY_RING_MAX];
    key_ring_rolls(&z->ring, rolls);
    roll_advance(rolls, z->ring.count, &z->roll, wall(z->owner), &z->next);
    key_ring_set_rolls(&z->ring, rolls);
}

static bool needs_writing(const struct signed_zone *z)
{
    for (size_t i = 0; i < z->ring.count; i++)
        if (z->ring.keys[i].roll.changed)
            return true;
    return false;
}

/* Reads the keys, if somebody may have changed them, makes those that are missing or due, and writes what has
 * changed; all under the directory's lock, which `wholenet key` takes too. 0 or a negative errno, with *error. */
static int update_keys(struct signed_zone *z, struct text *error)
{
    CLOSE_AT_END int lock = key_ring_lock(z->policy.keys);
    if (lock < 0) {
        text_add_format(error, "%s: %s", z->policy.keys, strerror(-lock));
        return lock;
    }
    int result = key_ring_read(&z->ring, error);
    if (result == 0 && z->ring.count == 0 && (result = make_first(z)) < 0)
        text_add_format(error, "no key can be made: %s", strerror(-result));
    if (result < 0)
        return result;
    advance(z);
    if (z->next.wants_zsk || z->next.wants_ksk) {
        result = make_successors(z);
        if (result < 0) {
            text_add_format(error, "no successor can be made: %s", strerror(-result));
            return result;
        }
        advance(z);
    }
    result = needs_writing(z) ? key_ring_write(&z->ring, error) : 0;
    (void)directory_changed(z); /* that was us */
    return result;
}

static bool same_role(const struct sign_key *a, const struct sign_key *b)
{
    return a->published == b->published && a->signs_keys == b->signs_keys &&
           a->signs_zone == b->signs_zone && a->synced == b->synced;
}

static void tell_keys(const struct signed_zone *z)
{
    char text[DNS_NAME_TEXT_MAX], line[600];
    struct text t = text_of(line, sizeof line);
    struct roll_key rolls[KEY_RING_MAX];
    key_ring_rolls(&z->ring, rolls);
    for (size_t i = 0; i < z->ring.count; i++)
        text_add_format(&t, "%s %u %s %s", i == 0 ? "" : ",", (unsigned)rolls[i].tag,
                        roll_role_name(rolls, z->ring.count, i, wall(z->owner)),
                        roll_state_name(roll_state_of(&rolls[i], wall(z->owner))));
    log_notice(z->owner->options.log, "zone %s: keys%s", name_of(z, text), line);
}

/* The roles for now, into z->roles. True: they are others than before. RDATA and secrets are in the ring. */
static bool take_roles(struct signed_zone *z)
{
    struct sign_key roles[KEY_RING_MAX];
    key_ring_roles(&z->ring, wall(z->owner), roles);
    bool same = z->role_count == z->ring.count;
    for (size_t i = 0; i < z->ring.count; i++) {
        const struct roll_key *key = &z->ring.keys[i].roll;
        same = same && same_role(&z->roles[i], &roles[i]) && z->role_tags[i] == key->tag &&
               z->role_algorithms[i] == key->algorithm;
        z->role_tags[i] = key->tag;
        z->role_algorithms[i] = key->algorithm;
    }
    memcpy(z->roles, roles, sizeof roles);
    z->role_count = z->ring.count;
    return !same;
}

static bool set_signer(struct signed_zone *z, struct signer *signer)
{
    if (signer_set(signer, &z->policy.policy, z->roles, z->role_count))
        return true;
    return complain(z, "none of its keys is in use (wholenet key list)");
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
    list_remove(&z->node);
    list_remove(&z->queued);
    key_ring_done(&z->ring);
    signing_key_cleanse(z, sizeof *z);
    free(z);
}

static void on_alarm(struct alarm *alarm);

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
    alarm_init(&z->alarm, on_alarm);
    list_append(&signing->zones, &z->node);
    list_init(&z->queued);
    return z;
}

/* RFC 7583 §2: what caches may have. */
static void set_ttls(struct signed_zone *z, const struct zone *zone, uint32_t ttl_max)
{
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    z->roll = z->policy.roll;
    z->roll.key_ttl = z->policy.policy.key_ttl != 0 ? z->policy.policy.key_ttl : soa->ttl;
    if (ttl_max > z->roll.zone_ttl)
        z->roll.zone_ttl = ttl_max;
}

/* What was read of its keys before is of no use when the block says otherwise. */
static void take_policy(struct signed_zone *z, const struct site_signature *policy)
{
    z->policy = *policy;
    key_ring_done(&z->ring);
    key_ring_init(&z->ring, &z->name, policy->keys);
    z->role_count = 0;
    if (!z->has_serial_limit)
        read_serial(z);
}

bool site_signing_begin(struct site_signing *signing, size_t view, struct zone *zone)
{
    const struct site_signature *policy = find_policy(signing, &zone->name);
    struct signed_zone *z = find_zone(signing, view, &zone->name);
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    ASSERT(policy != NULL && signing->loading == NULL);
    if (z == NULL)
        z = new_zone(signing, view, &zone->name);
    if (z == NULL)
        return false;
    if (!zone_is_served(zone))
        return complain(z, "it has no SOA");
    if (signing->passing == z)
        signing->passing = NULL; /* begun anew with the new one */
    list_remove(&z->queued);
    take_policy(z, policy);
    set_ttls(z, zone, 0);
    z->next.at = 0; /* should this fail: they are looked at again, for the one that is served */
    if (update_keys(z, &error) < 0)
        return complain(z, complaint);
    (void)take_roles(z);
    if (!set_signer(z, signing->whole))
        return false;
    tell_keys(z);
    const struct zone *previous = z->served ? served_zone(z) : NULL;
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
    enum sign_status status = signer_step(signing->whole, signatures, wall(signing));
    if (status == SIGN_MORE)
        return status;
    if (status == SIGN_FAILED) {
        complain(z, signer_error(signing->whole));
        signing->loading = NULL;
        return status;
    }
    signer_counters(signing->whole, &counters);
    z->signatures += counters.made;
    z->due_at = signer_due_at(signing->whole);
    set_ttls(z, signing->loaded, signer_ttl_max(signing->whole));
    /* before it is served: what follows a restart must be later */
    note_serial(z, zone_serial(signing->loaded));
    return status;
}

void site_signing_stop(struct site_signing *signing)
{
    signing->loading = NULL;
}

static void set_alarm(struct signed_zone *z)
{
    int64_t now = wall(z->owner);
    int64_t at = now + LOOK_SECONDS;
    at = z->due_at < at ? z->due_at : at;
    at = z->next.at < at ? z->next.at : at;
    usec delay = at > now ? (usec)(at - now) * USEC_PER_SEC : USEC_PER_SEC;
    loop_set_alarm(z->owner->options.loop, &z->alarm, loop_now(z->owner->options.loop) + delay);
}

void site_signing_served(struct site_signing *signing)
{
    struct signed_zone *z = signing->loading;
    char text[DNS_NAME_TEXT_MAX];
    if (z == NULL)
        return;
    struct heap heap = memory_heap();
    if (signing->loaded->history == NULL) /* without one, secondaries get the zone whole each time */
        signing->loaded->history = zone_history_new(&heap, ZONE_HISTORY_OCTETS_DEFAULT);
    signing->loading = NULL;
    z->served = true;
    log_info(signing->options.log, "zone %s is signed: serial %" PRIu32, name_of(z, text),
             zone_serial(signing->loaded));
    set_alarm(z);
}

void site_signing_forget(struct site_signing *signing, size_t view, const struct dns_name *zone)
{
    struct signed_zone *z = find_zone(signing, view, zone);
    if (z != NULL)
        free_zone(z);
}

/* ---- a zone that is served ---- */

/* What a signer did is a part of the zone's history, and others hear of it. */
static void publish(struct signed_zone *z, struct zone *zone, size_t records_before)
{
    struct site_signing *signing = z->owner;
    struct zone_change change;
    struct heap heap = memory_heap();
    zone_set_recount(signing->options.zones(signing->options.self, z->view), records_before,
                     zone->record_count);
    zone_change_init(&change, &heap, CHANGE_OCTETS_MAX);
    bool any = signing->change.count > 0 || signing->change.failed;
    enum zone_result result = sign_change_take(&signing->change, &change);
    if (zone->history != NULL && result == ZONE_OK)
        zone_history_add(zone->history, &change);
    else if (zone->history != NULL && any)
        zone_history_clear(zone->history);
    zone_change_done(&change);
    if (!any)
        return;
    note_serial(z, zone_serial(zone));
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

/* ---- the parent ---- */

static bool was_checked(const struct signed_zone *z, uint16_t tag)
{
    for (size_t i = 0; i < z->checked_count; i++)
        if (z->checked[i] == tag)
            return true;
    return false;
}

/* Each of its servers has the DS records of the keys that waited for that. */
static int note_ds(struct signed_zone *z, struct text *error)
{
    CLOSE_AT_END int lock = key_ring_lock(z->policy.keys);
    int result = lock < 0 ? lock : key_ring_read(&z->ring, error);
    for (size_t i = 0; i < z->ring.count && result == 0; i++)
        if (was_checked(z, z->ring.keys[i].roll.tag))
            (void)roll_ds_seen(&z->ring.keys[i].roll, wall(z->owner));
    return result == 0 ? key_ring_write(&z->ring, error) : result;
}

static void on_parent(void *self, bool has_all)
{
    struct signed_zone *z = self;
    struct site_signing *signing = z->owner;
    char complaint[PATH_MAX + 200] = "", text[DNS_NAME_TEXT_MAX];
    struct text error = text_of(complaint, sizeof complaint);
    z->check = NULL;
    if (!has_all || signing->loading == z)
        return;
    if (signing->passing == z)
        signing->pass_begun = false; /* the secrets that it uses are read anew */
    int result = note_ds(z, &error);
    (void)take_roles(z); /* whose secrets were read anew */
    if (result < 0) {
        complain(z, complaint);
        return;
    }
    log_notice(signing->options.log, "zone %s: the parent has its DS", name_of(z, text));
    z->next.at = 0; /* what follows from that */
    loop_set_alarm(signing->options.loop, &z->alarm, loop_now(signing->options.loop));
}

static void ask_parent(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    struct parent_check_options options = {.loop = signing->options.loop,
                                           .net = signing->options.net,
                                           .server_count = z->policy.parent_count,
                                           .on_end = on_parent,
                                           .self = z};
    memcpy(options.servers, z->policy.parents, sizeof options.servers);
    dns_name_copy(&options.zone, &z->name);
    z->checked_count = 0;
    for (size_t i = 0; i < z->ring.count && z->checked_count < PARENT_DS_MAX; i++) {
        const struct roll_key *key = &z->ring.keys[i].roll;
        struct writer w = writer_of(options.ds[z->checked_count].octets, PARENT_DS_LEN_MAX);
        if (!z->roles[i].synced || key->times[DNS_KEY_DS_PUBLISH] != 0 ||
            !key_ring_ds(&z->ring, &z->ring.keys[i], 2, &w))
            continue;
        options.ds[z->checked_count].len = writer_len(&w);
        z->checked[z->checked_count++] = key->tag;
    }
    options.ds_count = z->checked_count;
    z->ask_at = wall(signing) + PARENT_SECONDS;
    if (options.ds_count > 0 && parent_check_new(&options, &z->check) < 0)
        z->check = NULL;
}

static bool wants_asking(const struct signed_zone *z)
{
    return z->next.waits_for_ds && z->policy.parent_count > 0 && z->check == NULL &&
           z->owner->options.net != NULL && z->ask_at <= wall(z->owner);
}

/* ---- its time ---- */

/* Time has come, or somebody may have changed the keys. */
static void on_alarm(struct alarm *alarm)
{
    struct signed_zone *z = CONTAINER_OF(alarm, struct signed_zone, alarm);
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_signing *signing = z->owner;
    int64_t now = wall(signing);
    if (signing->loading == z) { /* which has its secrets in use */
        set_alarm(z);
        return;
    }
    bool keys = directory_changed(z) || z->next.at <= now;
    if (keys && signing->passing == z)
        signing->pass_begun = false; /* the same */
    if (keys && update_keys(z, &error) < 0) {
        (void)take_roles(z); /* secrets may have been read anew all the same */
        complain(z, complaint);
        retry_later(z);
        return;
    }
    bool other_roles = keys && take_roles(z);
    if (other_roles)
        tell_keys(z);
    if (wants_asking(z))
        ask_parent(z);
    if (other_roles || z->due_at <= now)
        queue_pass(z);
    if (z->due_at <= now)
        z->due_at = INT64_MAX; /* known again after the pass */
    set_alarm(z);
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
        complain(z, signer_error(signing->pass));
        retry_later(z);
        z->due_at = wall(signing);
        return;
    }
    if (counters.made > 0)
        log_info(signing->options.log, "zone %s: %" PRIu64 " signatures renewed", name_of(z, text),
                 counters.made);
    z->due_at = signer_due_at(signing->pass);
    set_ttls(z, served_zone(z), signer_ttl_max(signing->pass));
    set_alarm(z);
}

static void run_pass(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    struct zone *zone = served_zone(z);
    if (zone == NULL || !z->served) {
        signing->passing = NULL;
        return;
    }
    if (!signing->pass_begun) {
        if (!set_signer(z, signing->pass)) {
            signing->passing = NULL;
            retry_later(z);
            return;
        }
        signer_start_pass(signing->pass, zone);
        signing->pass_begun = true;
    }
    size_t before = zone->record_count;
    enum sign_status status = signer_step(signing->pass, PASS_SIGNATURES, wall(signing));
    publish(z, zone, before);
    if (status != SIGN_MORE)
        end_pass(z, status);
}

static void run_slice(struct task *task)
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
    struct signed_zone *z = find_zone(signing, view, name);
    struct zone *zone = z != NULL && z->served ? served_zone(z) : NULL;
    size_t count;
    if (zone == NULL)
        return true;
    if (!set_signer(z, signing->follow))
        return false;
    struct sign_touched *touched = take_change(signing, change, &count);
    if (touched == NULL)
        return complain(z, "no memory");
    size_t before = zone->record_count;
    enum sign_status status = signer_update(signing->follow, zone, touched, count, wall(signing));
    free(touched);
    publish(z, zone, before);
    if (status == SIGN_FAILED)
        return complain(z, signer_error(signing->follow));
    int64_t due_at = signer_due_at(signing->follow);
    z->due_at = due_at < z->due_at ? due_at : z->due_at;
    if (signer_wants_pass(signing->follow))
        queue_pass(z);
    set_alarm(z);
    return true;
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
    task_init(&signing->task, run_slice);
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

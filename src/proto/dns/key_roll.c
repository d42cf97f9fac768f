/* SPDX-License-Identifier: ISC */
/* key_roll.c - times of keys: who does what now, and what follows when. */
#include "proto/dns/key_roll.h"

#define HOUR ((uint32_t)3600)
#define DAY (24 * HOUR)

void roll_policy_init(struct roll_policy *policy)
{
    *policy = (struct roll_policy){
        .key_ttl = HOUR,
        .zone_ttl = DAY,
        .ds_ttl = DAY,
        .propagation = HOUR,
        .parent_propagation = HOUR,
        .signing = HOUR,
    };
}

static bool is_sep(const struct roll_key *key)
{
    return (key->flags & ROLL_KEY_SEP) != 0;
}

/* It is after the time; one that is not known never comes. */
static bool is_past(const struct roll_key *key, enum dns_key_time time, int64_t now)
{
    return key->times[time] != 0 && now >= key->times[time];
}

/* Others write keys without any times (ldns-keygen): such a one is in use. */
static bool has_no_times(const struct roll_key *key)
{
    for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++)
        if (key->times[i] != 0)
            return false;
    return true;
}

static bool is_published(const struct roll_key *key, int64_t now)
{
    return has_no_times(key) ||
           (is_past(key, DNS_KEY_PUBLISH, now) && !is_past(key, DNS_KEY_DELETE, now));
}

static bool is_active(const struct roll_key *key, int64_t now)
{
    return has_no_times(key) ||
           (is_past(key, DNS_KEY_ACTIVATE, now) && !is_past(key, DNS_KEY_INACTIVE, now));
}

static void set_time(struct roll_key *key, enum dns_key_time time, int64_t at)
{
    key->changed |= key->times[time] != at;
    key->times[time] = at;
}

/* ---- now ---- */

const char *roll_state_name(enum roll_state state)
{
    static const char *const names[] = {
        [ROLL_GENERATED] = "generated",       [ROLL_SUBMITTED] = "submitted",
        [ROLL_DS_PUBLISHED] = "ds-published", [ROLL_PUBLISHED] = "published",
        [ROLL_ACTIVE] = "active",             [ROLL_RETIRED] = "retired",
        [ROLL_REMOVED] = "removed",
    };
    _Static_assert(ARRAY_LEN(names) == ROLL_STATE_COUNT, "one name per state");
    return names[state];
}

enum roll_state roll_state_of(const struct roll_key *key, int64_t now)
{
    if (is_active(key, now))
        return ROLL_ACTIVE;
    if (is_past(key, DNS_KEY_INACTIVE, now))
        return is_past(key, DNS_KEY_DELETE, now) ? ROLL_REMOVED : ROLL_RETIRED;
    if (is_past(key, DNS_KEY_DELETE, now))
        return ROLL_REMOVED;
    if (is_published(key, now))
        return ROLL_PUBLISHED;
    if (is_past(key, DNS_KEY_DS_PUBLISH, now))
        return ROLL_DS_PUBLISHED;
    return is_past(key, DNS_KEY_SYNC_PUBLISH, now) ? ROLL_SUBMITTED : ROLL_GENERATED;
}

/* A key with the flag SEP signs the zone as well where no other of its algorithm does that. */
static bool has_zone_key(const struct roll_key *keys, size_t count, uint8_t algorithm, int64_t now)
{
    for (size_t i = 0; i < count; i++)
        if (!is_sep(&keys[i]) && keys[i].algorithm == algorithm && is_active(&keys[i], now))
            return true;
    return false;
}

void roll_roles(const struct roll_key *keys, size_t count, int64_t now, struct sign_key *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct roll_key *key = &keys[i];
        bool sep = is_sep(key);
        out[i] = (struct sign_key){
            .rdata = bytes_empty(),
            .published = is_published(key, now),
            .signs_keys = sep && is_published(key, now),
            .signs_zone = is_active(key, now) &&
                          (!sep || !has_zone_key(keys, count, key->algorithm, now)),
            .synced = sep && is_past(key, DNS_KEY_SYNC_PUBLISH, now) &&
                      !is_past(key, DNS_KEY_SYNC_DELETE, now),
        };
    }
}

const char *roll_role_name(const struct roll_key *keys, size_t count, size_t which, int64_t now)
{
    if (!is_sep(&keys[which]))
        return "zsk";
    return has_zone_key(keys, count, keys[which].algorithm, now) ? "ksk" : "csk";
}

/* ---- beginnings ---- */

void roll_begin(struct roll_key *key, int64_t now)
{
    set_time(key, DNS_KEY_PUBLISH, now);
    set_time(key, DNS_KEY_ACTIVATE, now);
    if (is_sep(key))
        set_time(key, DNS_KEY_SYNC_PUBLISH, now);
}

static void link_keys(struct roll_key *old, struct roll_key *next)
{
    old->has_successor = next->has_predecessor = true;
    old->successor = next->tag;
    next->predecessor = old->tag;
    old->changed = next->changed = true;
}

/* RFC 7583 §3.2.1: Ipub until caches know the key, Iret until they have forgotten the last signature. */
void roll_zsk(struct roll_key *old, struct roll_key *next, const struct roll_policy *policy, int64_t now)
{
    int64_t active_at = now + policy->key_ttl + policy->propagation;
    link_keys(old, next);
    set_time(next, DNS_KEY_PUBLISH, now);
    set_time(next, DNS_KEY_ACTIVATE, active_at);
    set_time(old, DNS_KEY_INACTIVE, active_at);
    set_time(old, DNS_KEY_DELETE,
             active_at + policy->signing + policy->zone_ttl + policy->propagation);
}

void roll_ksk(struct roll_key *old, struct roll_key *next, int64_t now)
{
    link_keys(old, next);
    set_time(next, DNS_KEY_SYNC_PUBLISH, now);
}

/* RFC 6781 §4.1.4, the conservative way: signatures, and when caches have no set without them the key, and when
 * they know that the DS. */
void roll_algorithm(struct roll_key *old, struct roll_key *next, const struct roll_policy *policy,
                    int64_t now)
{
    int64_t published_at = now + policy->signing + policy->zone_ttl + policy->propagation;
    int64_t synced_at = published_at + policy->key_ttl + policy->propagation;
    link_keys(old, next);
    set_time(next, DNS_KEY_ACTIVATE, now);
    set_time(next, DNS_KEY_PUBLISH, published_at);
    if (is_sep(next))
        set_time(next, DNS_KEY_SYNC_PUBLISH, synced_at);
    if (is_sep(old))
        set_time(old, DNS_KEY_SYNC_DELETE, synced_at);
}

bool roll_ds_seen(struct roll_key *key, int64_t since)
{
    if (!is_sep(key) || key->times[DNS_KEY_SYNC_PUBLISH] == 0 || key->times[DNS_KEY_DS_PUBLISH] != 0)
        return false;
    set_time(key, DNS_KEY_DS_PUBLISH, since);
    return true;
}

/* ---- what follows ---- */

/* The end of a roll by double DS: caches know the new DS, and the key may come; when they know that, it signs. */
static void follow_ksk(struct roll_key *old, struct roll_key *next, const struct roll_policy *policy)
{
    int64_t published_at =
        next->times[DNS_KEY_DS_PUBLISH] + policy->ds_ttl + policy->parent_propagation;
    int64_t active_at = published_at + policy->key_ttl + policy->propagation;
    int64_t gone_at = active_at + policy->signing + policy->zone_ttl + policy->propagation;
    set_time(next, DNS_KEY_PUBLISH, published_at);
    set_time(next, DNS_KEY_ACTIVATE, active_at);
    set_time(old, DNS_KEY_INACTIVE, active_at);
    set_time(old, DNS_KEY_DELETE, gone_at);
    set_time(old, DNS_KEY_SYNC_DELETE, gone_at);
}

/* The end of a roll to another algorithm: nobody goes by the old DS any more, and its keys go; when caches have
 * forgotten these, the signatures. */
static void follow_algorithm(struct roll_key *keys, size_t count, const struct roll_key *next,
                             const struct roll_policy *policy)
{
    int64_t gone_at = next->times[DNS_KEY_DS_PUBLISH] + policy->ds_ttl + policy->parent_propagation;
    for (size_t i = 0; i < count; i++) {
        struct roll_key *old = &keys[i];
        if (old->algorithm == next->algorithm || old->times[DNS_KEY_DELETE] != 0 ||
            !old->has_successor)
            continue;
        set_time(old, DNS_KEY_DELETE, gone_at);
        set_time(old, DNS_KEY_INACTIVE, gone_at + policy->key_ttl + policy->propagation);
    }
}

static struct roll_key *find(struct roll_key *keys, size_t count, uint16_t tag, uint16_t successor)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].tag == tag && keys[i].has_successor && keys[i].successor == successor)
            return &keys[i];
    return NULL;
}

static void follow(struct roll_key *keys, size_t count, struct roll_key *next,
                   const struct roll_policy *policy)
{
    if (!is_sep(next) || !next->has_predecessor || next->times[DNS_KEY_DS_PUBLISH] == 0)
        return;
    struct roll_key *old = find(keys, count, next->predecessor, next->tag);
    if (old == NULL)
        return;
    if (old->algorithm != next->algorithm)
        follow_algorithm(keys, count, next, policy);
    else if (next->times[DNS_KEY_PUBLISH] == 0)
        follow_ksk(old, next, policy);
}

/* Has it lived long enough to have a successor? One whose DS the parent has not confirmed has none yet. */
static void look_at_age(const struct roll_key *key, size_t index, const struct roll_policy *policy,
                        int64_t now, struct roll_next *out)
{
    uint32_t lifetime = is_sep(key) ? policy->ksk_lifetime : policy->zsk_lifetime;
    bool confirmed = !is_sep(key) || key->times[DNS_KEY_DS_PUBLISH] != 0;
    if (lifetime == 0 || key->has_successor || key->times[DNS_KEY_ACTIVATE] == 0 || !confirmed ||
        !is_active(key, now))
        return;
    int64_t due_at = key->times[DNS_KEY_ACTIVATE] + lifetime;
    if (now < due_at) {
        out->at = due_at < out->at ? due_at : out->at;
    } else if (is_sep(key)) {
        out->wants_ksk = true;
        out->old_ksk = index;
    } else {
        out->wants_zsk = true;
        out->old_zsk = index;
    }
}

void roll_advance(struct roll_key *keys, size_t count, const struct roll_policy *policy, int64_t now,
                  struct roll_next *out)
{
    *out = (struct roll_next){.at = INT64_MAX};
    for (size_t i = 0; i < count; i++)
        follow(keys, count, &keys[i], policy);
    for (size_t i = 0; i < count; i++) {
        const struct roll_key *key = &keys[i];
        for (size_t j = 0; j < DNS_KEY_TIME_COUNT; j++)
            if (key->times[j] > now && key->times[j] < out->at)
                out->at = key->times[j];
        out->waits_for_ds |= is_sep(key) && is_past(key, DNS_KEY_SYNC_PUBLISH, now) &&
                             !is_past(key, DNS_KEY_SYNC_DELETE, now) &&
                             key->times[DNS_KEY_DS_PUBLISH] == 0;
        look_at_age(key, i, policy, now, out);
    }
}

/* SPDX-License-Identifier: ISC */
/*
 * sign.c - a zone is gone through name by name, and brought to what the keys and the policy ask for; after a
 * change only the names that it concerns. The serial number and the digest of the whole come last.
 */
#include "proto/dns/sign.h"

#include "proto/dns/sign_internal.h"
#include "proto/dns/validate.h"
#include "wire/dns/dns_key.h"
#include "wire/dns/dns_serial.h"

enum {
    NAMES_A_SIGNATURE = 64, /* looked at in the time that one signature may take */
    KEY_FLAG_ZONE = 0x0100,
    KEY_PROTOCOL = 3,
    DS_SHA256 = 2,
    SOA_RDATA_MAX = 2 * DNS_NAME_MAX + DNS_SOA_NUMBERS_LEN,
};

#define DAY ((uint32_t)86400)

void sign_policy_init(struct sign_policy *policy)
{
    *policy = (struct sign_policy){
        .validity = 14 * DAY, .offset = 3600, .jitter = 2 * DAY, .refresh = 7 * DAY};
}

struct signer *signer_new(const struct sign_options *options)
{
    struct signer *s = options->heap.resize(options->heap.self, NULL, 0, sizeof *s);
    if (s == NULL)
        return NULL;
    memset(s, 0, offsetof(struct signer, data));
    s->options = *options;
    s->phase = SIGN_IDLE;
    s->due_at = s->pass_due_at = INT64_MAX;
    sign_policy_init(&s->policy);
    return s;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    struct heap heap = signer->options.heap;
    heap_release(&heap, signer, sizeof *signer);
}

const char *signer_error(const struct signer *signer)
{
    return signer->error != NULL ? signer->error : "nothing is wrong";
}

void signer_counters(const struct signer *signer, struct sign_counters *out)
{
    *out = signer->counters;
}

int64_t signer_due_at(const struct signer *signer)
{
    return signer->due_at;
}

uint32_t signer_ttl_max(const struct signer *signer)
{
    return signer->ttl_max;
}

bool signer_wants_pass(const struct signer *signer)
{
    return signer->wants_pass;
}

bool sign_fail(struct signer *s, const char *why)
{
    if (s->error == NULL)
        s->error = why;
    return false;
}

/* ---- keys and policy ---- */

static bool take_key(const struct sign_key *key, struct sign_own_key *out)
{
    struct reader r = reader_of(key->rdata);
    uint16_t flags = read_u16(&r);
    uint8_t protocol = read_u8(&r);
    uint8_t algorithm = read_u8(&r);
    if (r.failed || reader_left(&r) == 0 || key->rdata.len > sizeof out->rdata ||
        (flags & KEY_FLAG_ZONE) == 0 || protocol != KEY_PROTOCOL)
        return false;
    out->key = *key;
    memcpy(out->rdata, key->rdata.data, key->rdata.len);
    out->key.rdata = bytes_of(out->rdata, key->rdata.len);
    out->algorithm = algorithm;
    out->tag = validate_key_tag(out->key.rdata);
    return true;
}

static bool policy_fits(const struct sign_policy *p)
{
    return p->salt_len <= SIGN_SALT_MAX && p->iterations <= SIGN_ITERATIONS_MAX &&
           p->validity > 0 && p->validity < UINT32_C(0x40000000) && p->jitter < p->validity &&
           p->refresh < p->validity - p->jitter && p->offset < UINT32_C(0x40000000) &&
           p->serial < SIGN_SERIAL_COUNT;
}

bool signer_set(struct signer *s, const struct sign_policy *policy, const struct sign_key *keys,
                size_t count)
{
    bool for_keys = false, for_zone = false;
    struct sign_own_key one;
    if (count > SIGN_KEYS_MAX || !policy_fits(policy))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_key(&keys[i], &one))
            return false;
        for_keys |= keys[i].signs_keys && keys[i].published && keys[i].secret != NULL;
        for_zone |= keys[i].signs_zone && keys[i].published && keys[i].secret != NULL;
    }
    if (!for_keys || !for_zone)
        return false;
    for (size_t i = 0; i < count; i++)
        (void)take_key(&keys[i], &s->keys[i]);
    s->key_count = count;
    s->policy = *policy;
    return true;
}

/* ---- the zone, changed ---- */

void sign_spot_of_key(const struct signer *s, struct bytes key, bool hashed, struct sign_spot *out)
{
    ASSERT(key.len <= sizeof out->key);
    memcpy(out->key, key.data, key.len);
    out->key_len = key.len;
    out->hashed = hashed;
    dns_key_name(bytes_of(out->key, out->key_len), &s->zone->name, &out->owner);
    dns_name_lower(&out->owner);
}

struct zone_node *sign_node(const struct signer *s, const struct sign_spot *spot)
{
    return trie_find(spot->hashed ? &s->zone->hashed : &s->zone->nodes,
                     bytes_of(spot->key, spot->key_len));
}

static void tell(struct signer *s, bool added, const struct dns_record *record)
{
    s->changed = true;
    if (s->options.on_change != NULL && !s->whole)
        s->options.on_change(s->options.self, added, record);
}

bool sign_put(struct signer *s, const struct sign_spot *spot, uint16_t type, uint32_t ttl,
              struct bytes rdata)
{
    struct dns_record record = {.type = type, .class = DNS_IN, .ttl = ttl, .rdata = rdata};
    dns_name_copy(&record.owner, &spot->owner);
    enum zone_result result = zone_put(s->zone, &record);
    if (result != ZONE_OK)
        return sign_fail(s, zone_result_text(result));
    tell(s, true, &record);
    return true;
}

void sign_drop(struct signer *s, const struct sign_spot *spot, uint16_t type, uint32_t ttl,
               struct bytes rdata)
{
    struct dns_record record = {.type = type, .class = DNS_IN, .ttl = ttl, .rdata = rdata};
    dns_name_copy(&record.owner, &spot->owner);
    bool was_there = zone_drop(s->zone, &record);
    ASSERT(was_there); /* it was read there a moment ago */
    tell(s, false, &record);
}

/* ---- the apex ---- */

static const struct rrset *soa_of(const struct signer *s)
{
    return zone_rrset(s->zone->apex, DNS_SOA);
}

static bool make_keys(struct signer *s, const struct sign_spot *apex, uint32_t ttl)
{
    struct sign_records want = {.type = DNS_DNSKEY, .ttl = ttl};
    for (size_t i = 0; i < s->key_count; i++)
        if (s->keys[i].key.published)
            want.rdata[want.count++] = s->keys[i].key.rdata;
    return sign_make_set(s, apex, &want);
}

/* RFC 4034 §5.1.4, with the digest that all know (RFC 8624 §3.3). */
static bool write_ds(struct signer *s, const struct sign_own_key *key, struct writer *w)
{
    uint8_t digest[SIGN_DIGEST_MAX];
    struct dns_name owner;
    dns_name_copy(&owner, &s->zone->name);
    dns_name_lower(&owner);
    size_t len = s->options.crypto.digest(s->options.crypto.self, DS_SHA256, dns_name_bytes(&owner),
                                          key->key.rdata, digest);
    if (len == 0)
        return sign_fail(s, "there is no SHA-256 for CDS");
    write_u16(w, key->tag);
    write_u8(w, key->algorithm);
    write_u8(w, DS_SHA256);
    write_copy(w, digest, len);
    return true;
}

/* RFC 7344 §3; RFC 8078 §4 for those that delete. */
static bool make_sync(struct signer *s, const struct sign_spot *apex, uint32_t ttl)
{
    static const uint8_t no_cds[] = {0, 0, 0, 0, 0};
    static const uint8_t no_cdnskey[] = {0, 0, 3, 0, 0};
    struct sign_records cds = {.type = DNS_CDS, .ttl = ttl};
    struct sign_records cdnskey = {.type = DNS_CDNSKEY, .ttl = ttl};
    uint8_t octets[SIGN_KEYS_MAX * (4 + SIGN_DIGEST_MAX)];
    struct writer w = writer_of(octets, sizeof octets);
    for (size_t i = 0; i < s->key_count && !s->policy.delete_ds; i++) {
        size_t at = writer_len(&w);
        if (!s->keys[i].key.synced)
            continue;
        if (!write_ds(s, &s->keys[i], &w))
            return false;
        cds.rdata[cds.count++] = bytes_after(writer_bytes(&w), at);
        cdnskey.rdata[cdnskey.count++] = s->keys[i].key.rdata;
    }
    if (s->policy.delete_ds) {
        cds.rdata[cds.count++] = bytes_of(no_cds, sizeof no_cds);
        cdnskey.rdata[cdnskey.count++] = bytes_of(no_cdnskey, sizeof no_cdnskey);
    }
    return sign_make_set(s, apex, &cds) && sign_make_set(s, apex, &cdnskey);
}

static bool make_nsec3param(struct signer *s, const struct sign_spot *apex)
{
    uint8_t octets[5 + SIGN_SALT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct sign_records want = {.type = DNS_NSEC3PARAM};
    write_u8(&w, DNS_NSEC3_SHA1);
    write_u8(&w, 0); /* RFC 5155 §4.1.2: opt-out is said by the records themselves */
    write_u16(&w, s->policy.iterations);
    write_u8(&w, s->policy.salt_len);
    write_copy(&w, s->policy.salt, s->policy.salt_len);
    if (s->policy.nsec3)
        want.rdata[want.count++] = writer_bytes(&w);
    return sign_make_set(s, apex, &want);
}

/* RFC 8976 §4.2: one that stands for the digest, so that the apex is known to have the type. What is there already
 * stays until the end, when it is seen whether anything has changed. */
static bool make_zonemd(struct signer *s, const struct sign_spot *apex)
{
    static const uint8_t nothing[ZONE_DIGEST_HEAD_LEN + 48] = {[4] = ZONE_DIGEST_SIMPLE,
                                                              [5] = ZONE_DIGEST_SHA384};
    struct sign_records want = {.type = DNS_ZONEMD, .ttl = soa_of(s)->ttl};
    const struct rrset *before =
        s->previous != NULL ? zone_rrset(s->previous->apex, DNS_ZONEMD) : NULL;
    if (s->policy.zonemd && !s->whole && zone_rrset(s->zone->apex, DNS_ZONEMD) != NULL)
        return true;
    if (s->policy.zonemd)
        want.rdata[want.count++] =
            before != NULL ? rrset_first(before) : bytes_of(nothing, sizeof nothing);
    return sign_make_set(s, apex, &want);
}

static bool set_serial(struct signer *s, const struct sign_spot *apex, uint32_t serial)
{
    uint8_t octets[SOA_RDATA_MAX];
    const struct rrset *soa = soa_of(s);
    struct bytes old = rrset_first(soa);
    ASSERT(old.len <= sizeof octets);
    memcpy(octets, old.data, old.len);
    dns_soa_set_serial(octets, old.len, serial);
    struct sign_records want = {.type = DNS_SOA, .ttl = soa->ttl, .count = 1,
                                .rdata = {bytes_of(octets, old.len)}};
    return sign_make_set(s, apex, &want);
}

/* Nothing may have changed since then: it is seen at the end whether the zone needs another one. */
static bool take_serial(struct signer *s, const struct sign_spot *apex)
{
    bool older = s->has_serial && !dns_serial_before(s->serial, zone_serial(s->zone));
    if (s->previous == NULL || !older || s->policy.serial == SIGN_SERIAL_KEEP)
        return true;
    return set_serial(s, apex, s->serial);
}

/* The sets that are made here, before the names are gone through, of which the apex is the first. */
static bool make_apex(struct signer *s)
{
    struct sign_spot apex;
    if (soa_of(s) == NULL)
        return sign_fail(s, "a zone without SOA cannot be signed");
    s->denial_ttl = zone_negative_ttl(soa_of(s)); /* RFC 9077 §3 */
    uint32_t ttl = s->policy.key_ttl != 0 ? s->policy.key_ttl : soa_of(s)->ttl;
    sign_spot_of_key(s, bytes_empty(), false, &apex);
    return take_serial(s, &apex) && make_keys(s, &apex, ttl) && make_sync(s, &apex, ttl) && make_nsec3param(s, &apex) &&
           make_zonemd(s, &apex);
}

/* ---- one name ---- */

/* The types at the name, and of RRSIG those that they cover. */
static size_t list_types(const struct zone_node *node, uint16_t types[2 * SIGN_TYPES_MAX])
{
    size_t count = 0;
    for (const struct rrset *rrset = node->rrsets; rrset != NULL && count < 2 * SIGN_TYPES_MAX;
         rrset = rrset->next) {
        struct reader r = reader_of(rrset_first(rrset));
        uint16_t type = rrset->type == DNS_RRSIG ? read_u16(&r) : rrset->type;
        bool listed = type == DNS_NSEC; /* the chain sees to that */
        for (size_t i = 0; i < count && !listed; i++)
            listed = types[i] == type;
        if (!listed)
            types[count++] = type;
    }
    return count;
}

/* Beside a zone before: is it another one? What is signed is seen by its signatures. */
static void compare_set(struct signer *s, const struct sign_standing *standing, uint16_t type)
{
    const struct zone_node *node = standing->node;
    const struct zone_node *before =
        trie_find(&s->previous->nodes, bytes_of(node->key, node->key_len));
    const struct rrset *rrset = zone_rrset(node, type);
    if (rrset != NULL &&
        (before == NULL || !sign_same_set(rrset, zone_rrset(before, type))))
        s->differs = true;
}

static bool do_name(struct signer *s, struct bytes key)
{
    uint16_t types[2 * SIGN_TYPES_MAX];
    struct sign_standing standing;
    struct sign_spot spot;
    sign_stand(s, key, &standing);
    sign_spot_of_key(s, key, false, &spot);
    size_t count = standing.node != NULL ? list_types(standing.node, types) : 0;
    for (size_t i = 0; i < count; i++) {
        if (s->previous != NULL && !sign_is_signed(&standing, types[i]))
            compare_set(s, &standing, types[i]);
        if (!sign_is_signed(&standing, types[i]))
            sign_drop_signatures(s, &spot, types[i]);
        else if (!sign_set(s, &spot, types[i]))
            return false;
    }
    return sign_chain_name(s, bytes_of(spot.key, spot.key_len));
}

/* ---- the end ---- */

static uint32_t next_serial(const struct signer *s, uint32_t now_there)
{
    uint32_t serial = now_there;
    uint32_t least = s->whole ? (s->has_serial ? dns_serial_next(s->serial) : now_there)
                               : dns_serial_next(now_there);
    if (s->policy.serial == SIGN_SERIAL_KEEP)
        return now_there;
    if (s->policy.serial == SIGN_SERIAL_UNIXTIME)
        serial = s->now;
    return serial == least || dns_serial_before(least, serial) ? serial : least;
}

static bool change_serial(struct signer *s, const struct sign_spot *apex)
{
    return set_serial(s, apex, next_serial(s, zone_serial(s->zone))) && sign_set(s, apex, DNS_SOA);
}

static bool digest_zone(struct signer *s, const struct sign_spot *apex)
{
    uint8_t digest[ZONE_DIGEST_MAX];
    uint8_t octets[ZONE_DIGEST_HEAD_LEN + ZONE_DIGEST_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    size_t len = zone_digest(s->zone, &s->options.crypto.digester, ZONE_DIGEST_SHA384, s->scratch,
                             digest);
    if (len == 0)
        return sign_fail(s, "the digest of the zone cannot be made");
    write_u32(&w, zone_serial(s->zone));
    write_u8(&w, ZONE_DIGEST_SIMPLE);
    write_u8(&w, ZONE_DIGEST_SHA384);
    write_copy(&w, digest, len);
    struct sign_records want = {.type = DNS_ZONEMD, .ttl = soa_of(s)->ttl, .count = 1,
                                .rdata = {writer_bytes(&w)}};
    return sign_make_set(s, apex, &want) && sign_set(s, apex, DNS_ZONEMD);
}

/* What has changed gets a new serial number, unless whoever changed it has seen to that. */
static bool finish(struct signer *s, bool has_new_serial)
{
    struct sign_spot apex;
    bool differs = !s->whole || s->previous == NULL || s->differs || s->counters.made > 0 ||
                   s->zone->record_count != s->previous->record_count;
    if (!s->changed || !differs)
        return true;
    sign_spot_of_key(s, bytes_empty(), false, &apex);
    if (!has_new_serial && !change_serial(s, &apex))
        return false;
    if (s->policy.zonemd && !digest_zone(s, &apex))
        return false;
    s->changed = false;
    return true;
}

/* ---- a whole zone, by steps ---- */

static void start(struct signer *s, struct zone *zone, bool whole)
{
    s->zone = zone;
    s->whole = whole;
    s->previous = NULL;
    s->has_serial = false;
    s->phase = whole ? SIGN_STRIP : SIGN_APEX;
    s->begun = false;
    s->error = NULL;
    s->wants_pass = false;
    s->pass_due_at = INT64_MAX;
    s->counters = (struct sign_counters){0};
    s->differs = false;
    s->ttl_max = 0;
}

void signer_start_whole(struct signer *s, struct zone *zone, const struct zone *previous,
                        const uint32_t *serial)
{
    start(s, zone, true);
    s->changed = true;
    s->previous = previous;
    s->has_serial = serial != NULL;
    s->serial = serial != NULL ? *serial : 0;
}

void signer_start_pass(struct signer *s, struct zone *zone)
{
    start(s, zone, false);
    s->changed = false;
}

/* Owners of NSEC3, of whatever chain, go. */
static bool strip(struct signer *s)
{
    const struct zone_node *node = trie_first(&s->zone->hashed);
    struct sign_spot spot;
    if (node == NULL)
        return false;
    sign_spot_of_key(s, bytes_of(node->key, node->key_len), true, &spot);
    sign_drop_set(s, &spot, DNS_NSEC3);
    if (sign_node(s, &spot) != NULL)
        sign_drop_signatures(s, &spot, DNS_NSEC3);
    return true;
}

/* The name behind the one that was done last, if there is one. */
static struct zone_node *next_node(struct signer *s, const struct trie *names)
{
    struct zone_node *node =
        s->begun ? trie_after(names, bytes_of(s->key, s->key_len)) : trie_first(names);
    if (node == NULL)
        return NULL;
    memcpy(s->key, node->key, node->key_len);
    s->key_len = node->key_len;
    s->begun = true;
    return node;
}

static void enter(struct signer *s, enum sign_phase phase)
{
    s->phase = phase;
    s->begun = false;
}

/* One name or one act more. */
static bool advance(struct signer *s)
{
    struct zone_node *node;
    switch (s->phase) {
    case SIGN_STRIP:
        if (!strip(s))
            enter(s, SIGN_APEX);
        return true;
    case SIGN_APEX:
        enter(s, SIGN_NAMES);
        return make_apex(s);
    case SIGN_NAMES:
        node = next_node(s, &s->zone->nodes);
        if (node != NULL)
            return do_name(s, bytes_of(s->key, s->key_len));
        enter(s, s->whole && s->policy.nsec3 ? SIGN_HASHED : SIGN_END);
        return true;
    case SIGN_HASHED:
        node = next_node(s, &s->zone->hashed);
        if (node != NULL)
            return sign_chain_link(s, node);
        enter(s, SIGN_END);
        return true;
    case SIGN_END:
        if (s->whole && !finish(s, false))
            return false;
        s->due_at = s->pass_due_at;
        enter(s, SIGN_IDLE);
        return true;
    case SIGN_IDLE:
        break;
    }
    return true;
}

static void set_time(struct signer *s, int64_t wall_seconds)
{
    s->wall_seconds = wall_seconds;
    s->now = (uint32_t)wall_seconds;
}

enum sign_status signer_step(struct signer *s, unsigned signatures, int64_t wall_seconds)
{
    uint64_t names = (uint64_t)signatures * NAMES_A_SIGNATURE;
    set_time(s, wall_seconds);
    s->budget = signatures;
    while (s->phase != SIGN_IDLE && s->budget > 0 && names-- > 0)
        if (s->error != NULL || !advance(s))
            return SIGN_FAILED;
    if (!s->whole && !finish(s, false))
        return SIGN_FAILED;
    return s->phase == SIGN_IDLE ? SIGN_DONE : SIGN_MORE;
}

/* ---- a change ---- */

static bool begins_with(struct bytes key, struct bytes prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

/* A delegation or a DNAME that has come or gone hides or shows all that is below it. */
static bool do_below(struct signer *s, struct bytes key)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes at = key;
    for (;;) {
        const struct zone_node *node = trie_after(&s->zone->nodes, at);
        if (node == NULL || !begins_with(bytes_of(node->key, node->key_len), key))
            return true;
        memcpy(octets, node->key, node->key_len);
        at = bytes_of(octets, node->key_len);
        if (!do_name(s, at))
            return false;
    }
}

static struct bytes parent_of(struct bytes key)
{
    size_t len = key.len - 1;
    while (len > 0 && key.data[len - 1] != 0)
        len--;
    return bytes_first(key, len);
}

/* What follows from a change at the name: its own sets and link, those of names below it if they are not to be
 * seen any more or again, of the one before it, and of the empty ones above. */
static bool do_touched(struct signer *s, struct bytes key, bool hides)
{
    if (!do_name(s, key) || (hides && !do_below(s, key)))
        return false;
    if (!s->policy.nsec3)
        return key.len == 0 || sign_chain_before(s, key);
    while (key.len > 0) {
        key = parent_of(key);
        if (!sign_chain_name(s, key))
            return false;
    }
    return true;
}

static struct bytes key_of_touched(const struct signer *s, const struct sign_touched *touched,
                                   uint8_t octets[DNS_KEY_MAX])
{
    struct bytes key = bytes_of(octets, dns_key_of(&touched->owner, octets));
    ASSERT(dns_name_within(&touched->owner, &s->zone->name));
    return bytes_after(key, s->zone->key_len);
}

/* Signatures over what has changed go first, all of them: a set that is signed for one change is not signed
 * again for the next. */
static void drop_touched(struct signer *s, const struct sign_touched *touched, size_t count)
{
    uint8_t octets[DNS_KEY_MAX];
    struct sign_spot spot;
    for (size_t i = 0; i < count; i++) {
        sign_spot_of_key(s, key_of_touched(s, &touched[i], octets), false, &spot);
        sign_drop_signatures(s, &spot, touched[i].type);
    }
}

static bool touch_all(struct signer *s, const struct sign_touched *touched, size_t count)
{
    uint8_t octets[DNS_KEY_MAX];
    for (size_t i = 0; i < count; i++) {
        uint16_t type = touched[i].type;
        if (!do_touched(s, key_of_touched(s, &touched[i], octets),
                        type == DNS_NS || type == DNS_DNAME))
            return false;
    }
    return true;
}

enum sign_status signer_update(struct signer *s, struct zone *zone, const struct sign_touched *touched,
                               size_t count, int64_t wall_seconds)
{
    struct zone *in_pass = s->phase != SIGN_IDLE ? s->zone : NULL;
    bool new_serial = false;
    ASSERT(in_pass == NULL || (in_pass == zone && !s->whole));
    s->zone = zone;
    s->whole = false;
    s->previous = NULL;
    s->error = NULL;
    s->changed = count > 0;
    set_time(s, wall_seconds);
    uint32_t denial_ttl = s->denial_ttl;
    for (size_t i = 0; i < count; i++)
        new_serial |= touched[i].type == DNS_SOA;
    drop_touched(s, touched, count);
    if (!make_apex(s) || !do_name(s, bytes_empty()) || !touch_all(s, touched, count) ||
        !finish(s, new_serial))
        return SIGN_FAILED;
    s->wants_pass |= denial_ttl != s->denial_ttl;
    s->due_at = s->pass_due_at < s->due_at ? s->pass_due_at : s->due_at;
    return SIGN_DONE;
}

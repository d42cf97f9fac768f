/* SPDX-License-Identifier: ISC */
/* validate.c - signatures over RRsets in canonical form, and the chain from DS to DNSKEY. */
#include "proto/dns/validate.h"

#include "proto/dns/signed_data.h"
#include "proto/dns/validate_internal.h"

enum {
    KEY_FLAG_ZONE = 0x0100,
    KEY_FLAG_REVOKE = 0x0080, /* RFC 5011 §2.1 */
    KEY_PROTOCOL = 3,
    DS_SHA1 = 1,
};

struct validate_outcome validate_say(enum cache_security security, uint16_t ede)
{
    return (struct validate_outcome){security, ede};
}

void validate_init(struct validate_context *v, const struct validate_crypto *crypto,
                   int64_t wall_seconds, uint8_t scratch[VALIDATE_SCRATCH_LEN])
{
    *v = (struct validate_context){
        .crypto = crypto,
        .wall_seconds = wall_seconds,
        .verifications_left = VALIDATE_VERIFICATIONS_MAX,
        .hashes_left = VALIDATE_HASHES_MAX,
        .scratch = scratch,
    };
}

uint16_t validate_key_tag(struct bytes rdata)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < rdata.len; i++)
        sum += (i & 1) != 0 ? rdata.data[i] : (uint32_t)rdata.data[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

/* ---- records taken apart ---- */

struct key {
    uint16_t flags;
    uint8_t protocol;
    uint8_t algorithm;
    struct bytes octets;
};

static bool read_key(struct bytes rdata, struct key *out)
{
    struct reader r = reader_of(rdata);
    out->flags = read_u16(&r);
    out->protocol = read_u8(&r);
    out->algorithm = read_u8(&r);
    out->octets = read_rest(&r);
    return !r.failed && (out->flags & KEY_FLAG_ZONE) != 0 && out->protocol == KEY_PROTOCOL;
}

/* ---- what is signed ---- */

/* The name under which it was signed: the owner, or the wildcard that it came from (§3.1.8.1). */
static bool signed_owner(const struct dns_name *owner, unsigned labels, struct dns_name *out)
{
    unsigned have = validate_labels(owner);
    *out = *owner;
    dns_name_lower(out);
    if (labels == have)
        return true;
    if (labels > have)
        return false;
    validate_tail(out, labels, out);
    return dns_name_child(bytes_of("*", 1), out, out);
}

/* What the signature is over: into v->scratch. */
static bool signed_octets(struct validate_context *v, const struct validate_set *set,
                          const struct rrsig *signature, struct bytes *out)
{
    struct signed_data data;
    struct signed_head head = {signature->head, &signature->signer};
    struct reader r = reader_of(set->records);
    struct bytes rdata;
    struct dns_name owner;
    signed_data_start(&data, set->type, v->scratch, VALIDATE_SCRATCH_LEN);
    while (cache_read_rdata(&r, &rdata))
        signed_data_add(&data, rdata);
    return signed_owner(set->owner, signature->labels, &owner) &&
           signed_data_finish(&data, &head, &owner, signature->ttl, out);
}

/* ---- signatures ---- */

/* RFC 4034 §3.1.5: serial number arithmetic. */
static uint16_t out_of_time(const struct validate_context *v, const struct rrsig *s)
{
    uint32_t now = (uint32_t)v->wall_seconds;
    if ((int32_t)(s->expires_at - s->valid_from) < 0)
        return DNS_EDE_SIGNATURE_TOO_EARLY;
    if ((int32_t)(s->expires_at - now) < 0)
        return DNS_EDE_SIGNATURE_EXPIRED;
    if ((int32_t)(now - s->valid_from) < 0)
        return DNS_EDE_SIGNATURE_NOT_YET;
    return DNS_EDE_NONE;
}

/* Keys that may have signed: either none of them is to be revoked, or it must be. */
struct signers {
    const struct dns_name *name;
    struct bytes keys;
    bool revoked;
};

/* By one of the keys with its tag; true: it is. */
static bool is_signed_by(struct validate_context *v, const struct validate_set *set,
                         const struct rrsig *s, const struct signers *by, uint16_t *ede)
{
    struct bytes data, rdata;
    struct reader r = reader_of(by->keys);
    unsigned tried = 0;
    if (!signed_octets(v, set, s, &data))
        return false;
    while (cache_read_rdata(&r, &rdata)) {
        struct key key;
        if (!read_key(rdata, &key) || key.algorithm != s->algorithm ||
            ((key.flags & KEY_FLAG_REVOKE) != 0) != by->revoked ||
            validate_key_tag(rdata) != s->tag)
            continue;
        if (tried++ == VALIDATE_KEYS_TRIED_MAX || v->verifications_left == 0)
            return false;
        v->verifications_left--;
        if (v->crypto->verify(v->crypto->self, s->algorithm, key.octets, data, s->octets) ==
            VALIDATE_RIGHT)
            return true;
        *ede = DNS_EDE_BOGUS;
    }
    return false;
}

static struct validate_outcome find_signature(struct validate_context *v,
                                              const struct validate_set *set,
                                              const struct signers *by, unsigned *labels)
{
    struct reader r = reader_of(set->signatures);
    struct bytes rdata;
    uint16_t ede = DNS_EDE_RRSIGS_MISSING;
    while (cache_read_rdata(&r, &rdata)) {
        struct rrsig s;
        if (!rrsig_read(rdata, &s) || s.type != set->type ||
            !dns_name_equal(&s.signer, by->name) ||
            !dns_name_within(set->owner, by->name) || s.labels > validate_labels(set->owner))
            continue;
        uint16_t time = out_of_time(v, &s);
        if (time != DNS_EDE_NONE) {
            ede = time;
            continue;
        }
        if (ede == DNS_EDE_RRSIGS_MISSING)
            ede = DNS_EDE_DNSKEY_MISSING;
        if (is_signed_by(v, set, &s, by, &ede)) {
            *labels = s.labels;
            return validate_say(CACHE_SECURE, DNS_EDE_NONE);
        }
    }
    return validate_say(CACHE_BOGUS, ede);
}

struct validate_outcome validate_set(struct validate_context *v, const struct validate_set *set,
                                     const struct validate_zone *zone, unsigned *labels)
{
    struct signers by = {zone->name, zone->keys, false};
    return find_signature(v, set, &by, labels);
}

/* A list of one; empty if it is longer than any key. */
enum { ONE_KEY_MAX = 2 + 4096 };
static struct bytes list_of_one(struct bytes key, uint8_t buffer[ONE_KEY_MAX])
{
    struct writer w = writer_of(buffer, ONE_KEY_MAX);
    cache_write_rdata(&w, key);
    return w.failed ? bytes_empty() : writer_bytes(&w);
}

bool validate_revocation(struct validate_context *v, const struct validate_set *keys,
                         struct bytes key)
{
    uint8_t one[ONE_KEY_MAX];
    unsigned labels;
    struct signers by = {keys->owner, list_of_one(key, one), true};
    return find_signature(v, keys, &by, &labels).security == CACHE_SECURE;
}

/* ---- the chain ---- */

struct ds {
    uint16_t tag;
    uint8_t algorithm;
    uint8_t digest_type;
    struct bytes digest;
};

static bool read_ds(struct bytes rdata, struct ds *out)
{
    struct reader r = reader_of(rdata);
    out->tag = read_u16(&r);
    out->algorithm = read_u8(&r);
    out->digest_type = read_u8(&r);
    out->digest = read_rest(&r);
    return !r.failed && out->digest.len > 0;
}

/* How to digest nothing: does the library know the type? */
static bool knows_digest(const struct validate_context *v, uint8_t type)
{
    uint8_t out[VALIDATE_DIGEST_MAX];
    return v->crypto->digest(v->crypto->self, type, bytes_empty(), bytes_empty(), out) > 0;
}

/* What of the DS records can be used; SHA-1 only where there is nothing better (RFC 4509 §3). */
struct ds_choice {
    bool usable, better_than_sha1, known_algorithm;
};

static struct ds_choice look_at_ds(const struct validate_context *v, struct bytes list)
{
    struct ds_choice choice = {false, false, false};
    struct reader r = reader_of(list);
    struct bytes rdata;
    struct ds ds;
    while (cache_read_rdata(&r, &rdata)) {
        if (!read_ds(rdata, &ds) || !v->crypto->supports(v->crypto->self, ds.algorithm))
            continue;
        choice.known_algorithm = true;
        if (!knows_digest(v, ds.digest_type))
            continue;
        choice.usable = true;
        choice.better_than_sha1 |= ds.digest_type != DS_SHA1;
    }
    return choice;
}

static bool ds_matches(const struct validate_crypto *crypto, const struct dns_name *zone,
                       const struct ds *ds, struct bytes key_rdata)
{
    struct key key;
    uint8_t digest[VALIDATE_DIGEST_MAX];
    struct dns_name owner = *zone;
    if (!read_key(key_rdata, &key) || key.algorithm != ds->algorithm ||
        (key.flags & KEY_FLAG_REVOKE) != 0 || validate_key_tag(key_rdata) != ds->tag)
        return false;
    dns_name_lower(&owner);
    size_t len = crypto->digest(crypto->self, ds->digest_type, dns_name_bytes(&owner), key_rdata,
                                digest);
    return len > 0 && bytes_equal(bytes_of(digest, len), ds->digest);
}

bool validate_ds_is_of(const struct validate_crypto *crypto, const struct dns_name *zone,
                       struct bytes ds_rdata, struct bytes key)
{
    struct ds ds;
    return read_ds(ds_rdata, &ds) && ds_matches(crypto, zone, &ds, key);
}

struct bytes validate_make_ds(const struct validate_crypto *crypto, const struct dns_name *zone,
                              struct bytes key, uint8_t buffer[VALIDATE_DS_LEN_MAX])
{
    enum { ALGORITHM_AT = 3, SHA256 = 2 };
    uint8_t digest[VALIDATE_DIGEST_MAX];
    struct dns_name owner = *zone;
    ASSERT(key.len > ALGORITHM_AT);
    dns_name_lower(&owner);
    size_t len = crypto->digest(crypto->self, SHA256, dns_name_bytes(&owner), key, digest);
    struct writer w = writer_of(buffer, VALIDATE_DS_LEN_MAX);
    write_u16(&w, validate_key_tag(key));
    write_u8(&w, key.data[ALGORITHM_AT]);
    write_u8(&w, SHA256);
    write_copy(&w, digest, len);
    return writer_bytes(&w);
}

/* The keys that one DS names must have signed them all. */
static bool signed_by_ds(struct validate_context *v, const struct validate_set *keys,
                         const struct ds *ds, uint16_t *ede)
{
    struct reader r = reader_of(keys->records);
    struct bytes rdata;
    unsigned tried = 0;
    while (cache_read_rdata(&r, &rdata)) {
        if (!ds_matches(v->crypto, keys->owner, ds, rdata))
            continue;
        if (tried++ == VALIDATE_KEYS_TRIED_MAX)
            return false;
        uint8_t one[ONE_KEY_MAX];
        struct validate_zone zone = {keys->owner, list_of_one(rdata, one)};
        unsigned labels;
        struct validate_outcome outcome = validate_set(v, keys, &zone, &labels);
        if (outcome.security == CACHE_SECURE)
            return true;
        *ede = outcome.ede;
    }
    return false;
}

struct validate_outcome validate_keys(struct validate_context *v, const struct validate_set *keys,
                                      struct bytes list)
{
    struct ds_choice choice = look_at_ds(v, list);
    if (!choice.usable)
        return validate_say(CACHE_INSECURE, choice.known_algorithm
                                                ? DNS_EDE_UNSUPPORTED_DIGEST
                                                : DNS_EDE_UNSUPPORTED_ALGORITHM);
    struct reader r = reader_of(list);
    struct bytes rdata;
    uint16_t ede = DNS_EDE_DNSKEY_MISSING;
    while (cache_read_rdata(&r, &rdata)) {
        struct ds ds;
        if (!read_ds(rdata, &ds) || !v->crypto->supports(v->crypto->self, ds.algorithm) ||
            (choice.better_than_sha1 && ds.digest_type == DS_SHA1))
            continue;
        if (signed_by_ds(v, keys, &ds, &ede))
            return validate_say(CACHE_SECURE, DNS_EDE_NONE);
    }
    return validate_say(CACHE_BOGUS, ede);
}

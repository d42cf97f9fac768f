/* SPDX-License-Identifier: ISC */
/*
 * sign.h - signs zones: DNSKEY, NSEC or NSEC3, RRSIG (RFC 4034, RFC 4035 §2, RFC 5155 §7.1, RFC 9276), CDS and
 * CDNSKEY (RFC 7344, RFC 8078), ZONEMD (RFC 8976).
 *
 * Pure: signatures and digests come from callbacks, the date and the random numbers from outside. A signer
 * brings the zone to what its keys and its policy ask for, and keeps what is right already; that one act, done
 * name by name, is a whole signing, the renewal of signatures that expire, and what follows a change.
 *
 * SKIPS RFC 8901: a zone has the keys of one signer; DNSKEY, CDS, CDNSKEY, NSEC3PARAM and ZONEMD records that
 * come with the zone's own data give way to those that are made here.
 */
#ifndef WN_PROTO_DNS_SIGN_H
#define WN_PROTO_DNS_SIGN_H

#include "base/prng.h"
#include "proto/dns/zone.h"
#include "proto/dns/zone_digest.h"
#include "wire/dns/dns_nsec3.h"

enum {
    SIGN_KEYS_MAX = 16,
    SIGN_SIGNATURE_MAX = 512,
    SIGN_KEY_RDATA_MAX = 1100,
    SIGN_SALT_MAX = 32,
    SIGN_TYPES_MAX = 256,      /* at one name */
    SIGN_DIGEST_MAX = 64,
    SIGN_ITERATIONS_MAX = 100, /* RFC 9276 §3.1: 0, and nobody believes more than these */
};

/* A key and what it does at present. */
struct sign_key {
    struct bytes rdata; /* of its DNSKEY record */
    bool published;     /* the DNSKEY is in the zone */
    bool signs_keys;    /* it signs DNSKEY, CDS and CDNSKEY */
    bool signs_zone;    /* it signs all the rest */
    bool synced;        /* CDS and CDNSKEY ask the parent for its DS */
    void *secret;       /* for the callback; NULL: it signs nothing, whatever it should do */
};

struct sign_crypto {
    /* The length of the signature; 0: it cannot be made. */
    size_t (*sign)(void *self, void *secret, struct bytes data, uint8_t out[SIGN_SIGNATURE_MAX]);
    /* A DS record's digest over both, of its type; 0: not supported. */
    size_t (*digest)(void *self, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[SIGN_DIGEST_MAX]);
    struct zone_digester digester; /* for ZONEMD */
    struct dns_sha1 sha1;
    void *self;
};

enum sign_serial {
    SIGN_SERIAL_INCREMENT, /* one more for each change */
    SIGN_SERIAL_UNIXTIME,  /* the seconds since 1970, or one more where that is not enough */
    SIGN_SERIAL_KEEP,      /* as the zone has it */
    SIGN_SERIAL_COUNT
};

struct sign_policy {
    bool nsec3;            /* deny by hashes; else by NSEC */
    bool opt_out;          /* delegations without DS have no NSEC3 (RFC 5155 §6) */
    uint16_t iterations;
    uint8_t salt_len;
    uint8_t salt[SIGN_SALT_MAX];
    uint32_t validity;     /* seconds that signatures are good for, from now on */
    uint32_t offset;       /* … and before now, for clocks that are behind */
    uint32_t jitter;       /* at most so much less: they do not all expire at once */
    uint32_t refresh;      /* those that have no more than this left are made anew */
    uint32_t key_ttl;      /* of DNSKEY, CDS, CDNSKEY; 0: that of the SOA */
    bool zonemd;
    bool delete_ds;        /* CDS and CDNSKEY ask the parent to forget its DS (RFC 8078 §4) */
    enum sign_serial serial;
};

/* Two weeks, an hour before, renewed within the last week, by NSEC. */
void sign_policy_init(struct sign_policy *policy);

struct sign_options {
    struct heap heap;
    struct sign_crypto crypto;
    struct prng *prng; /* for the jitter; borrowed */
    /* What is changed in a zone that is signed already, in order; may be NULL. */
    void (*on_change)(void *self, bool added, const struct dns_record *record);
    void *self;
};

struct signer;

/* NULL: no memory. */
MUST_USE struct signer *signer_new(const struct sign_options *options);
void signer_free(struct signer *signer);

/* What it works by from now on; both are copied. False: too many keys or one that is malformed, no key that
 * signs the keys or the zone, or parameters that do not fit; all is then as it was. */
MUST_USE bool signer_set(struct signer *signer, const struct sign_policy *policy,
                         const struct sign_key *keys, size_t count);

enum sign_status { SIGN_MORE, SIGN_DONE, SIGN_FAILED };

/*
 * Signs a zone that nobody is served from yet, whatever is in it of earlier signatures. Those of `previous`
 * over the same records are taken over while they are good; it may be NULL, and must stay meanwhile. `serial`,
 * unless NULL, is what was served last: what is made differs from it if it is different.
 */
void signer_start_whole(struct signer *signer, struct zone *zone, const struct zone *previous,
                        const uint32_t *serial);

/* Goes through a zone that was signed by such a policy, and mends and renews what is due. It may change
 * between the steps, by signer_update() too; after each step it is whole. */
void signer_start_pass(struct signer *signer, struct zone *zone);

/* Makes at most so many signatures more, and looks at 64 times as many names. */
MUST_USE enum sign_status signer_step(struct signer *signer, unsigned signatures, int64_t wall_seconds);

/* What was changed in a signed zone. */
struct sign_touched {
    struct dns_name owner;
    uint16_t type;
};

/* Signs what follows from that. When the SOA is not among it and anything changed, the serial number
 * does too. Not SIGN_MORE. */
MUST_USE enum sign_status signer_update(struct signer *signer, struct zone *zone,
                                        const struct sign_touched *touched, size_t count,
                                        int64_t wall_seconds);

/* After SIGN_FAILED: why; static. */
const char *signer_error(const struct signer *signer);

struct sign_counters {
    uint64_t made, kept, dropped; /* signatures */
};
void signer_counters(const struct signer *signer, struct sign_counters *out);

/* After a pass: the wall-clock second at which the next signature is due; INT64_MAX: none was seen. */
int64_t signer_due_at(const struct signer *signer);

/* After one: the largest TTL of what is signed. */
uint32_t signer_ttl_max(const struct signer *signer);

/* A pass is due, since what was changed concerns all names (the time that denials hold). */
bool signer_wants_pass(const struct signer *signer);

#endif

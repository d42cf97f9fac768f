/* SPDX-License-Identifier: ISC */
/*
 * key_roll.h - what a zone's keys do at which time, and how one takes over from another (RFC 7583, RFC 6781 §4.1).
 *
 * All that is known of a roll are the times in the keys' files: whoever reads them knows where it stands, after a
 * restart too, and tools of others that write such times say as well what is to be done. Pure arithmetic.
 *
 *  - A key that signs the zone only (ZSK) is published before it is used (RFC 7583 §3.2.1).
 *  - A key that the parent has a DS of (KSK, or CSK if it signs all) goes by double DS (§3.3.2): first CDS asks for
 *    a second DS; when the parent has it, and caches know it, comes the key.
 *  - Another algorithm signs first, then come its keys, then its DS; the old one goes the same way back
 *    (RFC 6781 §4.1.4).
 */
#ifndef WN_PROTO_DNS_KEY_ROLL_H
#define WN_PROTO_DNS_KEY_ROLL_H

#include "proto/dns/sign.h"
#include "wire/dns/dns_private_key.h"

enum { ROLL_KEY_SEP = 1 }; /* flag: the parent has its DS (RFC 4034 §2.1.1) */

struct roll_key {
    uint16_t flags; /* of its DNSKEY */
    uint8_t algorithm;
    uint16_t tag;
    int64_t times[DNS_KEY_TIME_COUNT]; /* seconds since 1970; 0: not known */
    bool has_predecessor, has_successor;
    uint16_t predecessor, successor;   /* tags */
    bool changed;                      /* its file is to be written */
};

/* How long what takes. Seconds. */
struct roll_policy {
    uint32_t key_ttl;            /* of the DNSKEY set */
    uint32_t zone_ttl;           /* the largest in the zone */
    uint32_t ds_ttl;             /* of the parent's DS */
    uint32_t propagation;        /* until all secondaries have what the primary has */
    uint32_t parent_propagation; /* the same for the parent's */
    uint32_t signing;            /* until all of the zone is signed by a key that has begun */
    uint32_t zsk_lifetime;       /* a successor is made after so long; 0: when it is asked for */
    uint32_t ksk_lifetime;       /* the same, for KSK and CSK */
};

/* A day for the parent's DS, an hour for all else. */
void roll_policy_init(struct roll_policy *policy);

enum roll_state {
    ROLL_GENERATED,
    ROLL_SUBMITTED,    /* CDS asks the parent for its DS */
    ROLL_DS_PUBLISHED, /* the parent has it */
    ROLL_PUBLISHED,    /* the DNSKEY is in the zone */
    ROLL_ACTIVE,
    ROLL_RETIRED,      /* another one signs; its signatures are still in caches */
    ROLL_REMOVED,
    ROLL_STATE_COUNT
};

const char *roll_state_name(enum roll_state state);
enum roll_state roll_state_of(const struct roll_key *key, int64_t now);

/* Does it sign only the keys (with others that sign the zone), all, or the zone? */
const char *roll_role_name(const struct roll_key *keys, size_t count, size_t which, int64_t now);

/* What each key does now: all but .rdata and .secret of `out`. A key without any times does all that it can. */
void roll_roles(const struct roll_key *keys, size_t count, int64_t now, struct sign_key *out);

/* A key that is used from now on, where there was none before. */
void roll_begin(struct roll_key *key, int64_t now);

/* `next`, which is new, takes over from `old`: both have or have not the flag SEP, and the same algorithm. */
void roll_zsk(struct roll_key *old, struct roll_key *next, const struct roll_policy *policy, int64_t now);
void roll_ksk(struct roll_key *old, struct roll_key *next, int64_t now);

/* A pair of keys of another algorithm; for each of the old keys that is in use. */
void roll_algorithm(struct roll_key *old, struct roll_key *next, const struct roll_policy *policy,
                    int64_t now);

/* The parent has the key's DS since then. False: nobody waits for it. */
bool roll_ds_seen(struct roll_key *key, int64_t since);

struct roll_next {
    int64_t at;         /* when something is to be done next; INT64_MAX: never by itself */
    bool wants_zsk;     /* a ZSK, or a KSK or CSK, has lived long enough: a successor is to be made */
    bool wants_ksk;
    size_t old_zsk, old_ksk; /* of which */
    bool waits_for_ds;  /* until the parent has a DS that it was asked for */
};

/* Sets the times that follow from what is known by now (marking the keys that changed), and tells what is next. */
void roll_advance(struct roll_key *keys, size_t count, const struct roll_policy *policy, int64_t now,
                  struct roll_next *out);

#endif

/* SPDX-License-Identifier: ISC */
/* sign_internal.h - what sign.c, sign_set.c and sign_chain.c share. */
#ifndef WN_PROTO_DNS_SIGN_INTERNAL_H
#define WN_PROTO_DNS_SIGN_INTERNAL_H

#include "proto/dns/sign.h"
#include "proto/dns/signed_data.h"

enum { SIGN_SCRATCH_LEN = ZONE_DIGEST_SCRATCH_LEN };

struct sign_own_key {
    struct sign_key key;
    uint8_t algorithm;
    uint16_t tag;
    uint8_t rdata[SIGN_KEY_RDATA_MAX];
};

enum sign_phase { SIGN_STRIP, SIGN_APEX, SIGN_NAMES, SIGN_HASHED, SIGN_END, SIGN_IDLE };

struct signer {
    struct sign_options options;
    struct sign_policy policy;
    struct sign_own_key keys[SIGN_KEYS_MAX];
    size_t key_count;

    struct zone *zone;
    const struct zone *previous; /* NULL: none */
    bool whole;                  /* nobody is served from it; the chain of hashes is closed at the end */
    bool has_serial;
    uint32_t serial;             /* that was served last */
    enum sign_phase phase;
    uint8_t key[DNS_KEY_MAX];    /* of the name that was done last */
    size_t key_len;
    bool begun;                  /* there is such a name */
    uint32_t now;                /* wall-clock seconds modulo 2^32, as signatures have them */
    int64_t wall_seconds;
    uint32_t denial_ttl;
    bool changed;                /* since the serial number was last */
    bool differs;                /* from `previous`, in what is not signed */
    bool wants_pass;
    uint32_t ttl_max;
    int64_t due_at;
    int64_t pass_due_at;
    unsigned budget;             /* signatures that may still be made in this step */
    const char *error;
    struct sign_counters counters;
    struct signed_data data;
    uint8_t dropped[65536];      /* RDATA that goes */
    uint8_t scratch[SIGN_SCRATCH_LEN];
};

/* An owner in the zone. */
struct sign_spot {
    struct dns_name owner; /* in lower case */
    bool hashed;           /* of NSEC3 */
    size_t key_len;
    uint8_t key[DNS_KEY_MAX];
};

/* ---- sign.c ---- */

void sign_spot_of_key(const struct signer *s, struct bytes key, bool hashed, struct sign_spot *out);
struct zone_node *sign_node(const struct signer *s, const struct sign_spot *spot);

/* Changes of the zone, which are told. False: no memory or no room, and the error is noted. */
bool sign_put(struct signer *s, const struct sign_spot *spot, uint16_t type, uint32_t ttl,
              struct bytes rdata);
void sign_drop(struct signer *s, const struct sign_spot *spot, uint16_t type, uint32_t ttl,
               struct bytes rdata);

bool sign_fail(struct signer *s, const char *why);

/* ---- sign_set.c: signatures over sets ---- */

/* Brings the signatures over the set of that type at the spot to what they should be. */
bool sign_set(struct signer *s, const struct sign_spot *spot, uint16_t type);
void sign_drop_signatures(struct signer *s, const struct sign_spot *spot, uint16_t type);
bool sign_same_set(const struct rrset *a, const struct rrset *b); /* NULL is like nothing */
void sign_drop_set(struct signer *s, const struct sign_spot *spot, uint16_t type);

/* The set of that type becomes these records, if it is not. */
struct sign_records {
    uint16_t type;
    uint32_t ttl;
    size_t count;
    struct bytes rdata[2 * SIGN_KEYS_MAX + 1];
};
bool sign_make_set(struct signer *s, const struct sign_spot *spot, const struct sign_records *want);

/* ---- sign_chain.c: NSEC and NSEC3 ---- */

/* How a name stands in the zone. */
struct sign_standing {
    const struct zone_node *node; /* NULL: it does not exist */
    bool hidden;                  /* below a delegation or a DNAME */
    bool cut;
};
void sign_stand(const struct signer *s, struct bytes key, struct sign_standing *out);
bool sign_has_data(const struct zone_node *node);

/* Is the set signed at a name that stands so? */
static inline bool sign_is_signed(const struct sign_standing *standing, uint16_t type)
{
    return !standing->hidden && type != DNS_RRSIG && (!standing->cut || type == DNS_DS || type == DNS_NSEC);
}

/* The name's own NSEC or NSEC3, made, changed or taken out, and signed. In a zone that is served the
 * neighbour's NSEC3 as well. */
bool sign_chain_name(struct signer *s, struct bytes key);

/* The NSEC of the last name before that one. */
bool sign_chain_before(struct signer *s, struct bytes key);

/* After all names of a whole zone: the next one of the chain of hashes gets its successor and signatures. */
bool sign_chain_link(struct signer *s, struct zone_node *node);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * anchor_track.h - the keys of a zone that is a trust anchor, followed when its owner rolls them (RFC 5011).
 *
 * Pure: the caller gets the zone's DNSKEY set when it is time, and says the date. A key that a trusted one has
 * signed for 30 days becomes trusted; one that has revoked itself never is again, whatever the configuration
 * says. All that is known can be written as text and read again.
 *
 * DS records that the administrator has configured stay trusted beside those that were learned, until their
 * key is revoked.
 *
 * DEVIATES RFC 5011 §5: when all keys are revoked the zone is bogus, not as if there had never been an anchor:
 * whoever has an old key shall not be able to turn validation off.
 */
#ifndef WN_PROTO_DNS_ANCHOR_TRACK_H
#define WN_PROTO_DNS_ANCHOR_TRACK_H

#include "base/text.h"
#include "proto/dns/validate.h"

enum {
    ANCHOR_KEYS_MAX = 16, /* of a zone; new ones push out those that were removed, and nothing else */
    ANCHOR_KEY_LEN_MAX = 1100,
    ANCHOR_HOLD_DOWN = 30 * 86400, /* §2.4.1 and §2.4.2, seconds */
    ANCHOR_QUERY_MIN = 3600,       /* §2.3 */
    ANCHOR_QUERY_MAX = 15 * 86400,
    ANCHOR_RETRY_MAX = 86400,
    ANCHOR_LINE_MAX = 3072, /* of a key as text */
};

/* §4.2. A key in the state Start is not in the table. */
enum anchor_state {
    ANCHOR_PENDING, /* AddPend: seen, not trusted yet */
    ANCHOR_VALID,
    ANCHOR_MISSING, /* trusted, but not seen any more */
    ANCHOR_REVOKED,
    ANCHOR_REMOVED, /* revoked 30 days ago: remembered so that it is never taken again */
    ANCHOR_STATE_COUNT
};

struct anchor_key {
    enum anchor_state state;
    int64_t since; /* seconds since 1970: of the state */
    uint32_t hold; /* ANCHOR_PENDING: seconds until it is trusted */
    size_t len;
    uint8_t rdata[ANCHOR_KEY_LEN_MAX]; /* of its DNSKEY, without the bit REVOKE */
};

struct anchor_track {
    struct dns_name zone;
    size_t key_count;
    struct anchor_key keys[ANCHOR_KEYS_MAX];
    uint32_t ttl, expires_in; /* of the set that was seen last, seconds; 0: none was */
};

void anchor_track_init(struct anchor_track *track, const struct dns_name *zone);

/* What to trust now: of the configured DS those that are not revoked, and those of the keys that were learned.
 * Lists as cache_write_rdata() puts them. False: they did not all fit; the writer has those that did. */
MUST_USE bool anchor_track_trusted(const struct anchor_track *track,
                                   const struct validate_crypto *crypto, struct bytes configured,
                                   struct writer *out);

struct anchor_news {
    bool validated; /* by a key that was trusted before */
    bool changed;   /* the table is to be written */
    bool full;      /* a key was not taken for want of room */
};

/* The zone has these keys, at the date of *v. */
struct anchor_news anchor_track_see(struct anchor_track *track, struct validate_context *v,
                                    const struct validate_set *set, struct bytes configured);

/* Seconds until the next query (§2.3), after one that was answered with keys that were validated, or not. */
uint32_t anchor_track_interval(const struct anchor_track *track, bool validated);

const char *anchor_state_name(enum anchor_state state);

/* A line without its end, of at most ANCHOR_LINE_MAX; and back: NULL, or what is wrong. Of a line the zone is
 * the caller's to look at: he finds the track for it. */
void anchor_key_format(const struct dns_name *zone, const struct anchor_key *key, struct text *out);
const char *anchor_key_parse(struct bytes line, struct dns_name *zone, struct anchor_key *out);

/* False: there is no room for it, or it is there already. */
MUST_USE bool anchor_track_restore(struct anchor_track *track, const struct anchor_key *key);

#endif

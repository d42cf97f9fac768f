/* SPDX-License-Identifier: ISC */
/* dns_sign.h - signed zones for tests: zones from lines, keys, a signer and who verifies it. */
#ifndef WN_TESTS_SUPPORT_DNS_SIGN_H
#define WN_TESTS_SUPPORT_DNS_SIGN_H

#include "os/digest.h"
#include "os/signing_key.h"
#include "proto/dns/sign.h"
#include "proto/dns/validate.h"
#include "proto/dns/zone_verify.h"

#define DNS_SIGN_NOW INT64_C(1795000000) /* November 2026 */

/* A key with its DNSKEY RDATA. */
struct dns_sign_key {
    struct signing_key *secret;
    uint8_t rdata[SIGNING_KEY_PUBLIC_MAX + 4];
    size_t len;
    uint16_t flags;
};

/* All that a test needs; the digests are its own. */
struct dns_sign {
    struct heap heap;
    struct digest *sha1;
    struct digest_stream *stream;
    struct prng prng;
    struct validate_crypto validate;
    struct sign_options options;
    char complaints[4096]; /* of the last dns_sign_verify() */
    struct text said;
    struct zone_verify_result result;
};

void dns_sign_init(struct dns_sign *d, uint64_t seed);
void dns_sign_done(struct dns_sign *d);

void dns_sign_key_make(struct dns_sign_key *key, uint8_t algorithm, uint16_t flags);
void dns_sign_key_free(struct dns_sign_key *key);

/* A CSK, which does all. */
struct sign_key dns_sign_all(const struct dns_sign_key *key);

/* A zone of master-file lines, which end at NULL; those of the origin are relative to it. */
struct zone *dns_sign_zone(struct dns_sign *d, const char *origin, const char *const *lines);
struct dns_record dns_sign_record(const char *origin, const char *line, uint8_t *room, size_t size);

/* Signs it whole by slices, and fails the test if that cannot be done. */
void dns_sign_whole(struct signer *signer, struct zone *zone, const struct zone *previous,
                    const uint32_t *serial, int64_t now);

/* How many errors there are; d->complaints has their text. */
uint64_t dns_sign_verify(struct dns_sign *d, const struct zone *zone, int64_t now);

#endif

/* SPDX-License-Identifier: ISC */
/* dns_sign.c - signed zones for tests. */
#include "tests/support/dns_sign.h"

#include "os/memory.h"
#include "os/signature.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static enum validate_check verify(void *self UNUSED, uint8_t algorithm, struct bytes key,
                                  struct bytes data, struct bytes signature)
{
    return (enum validate_check)signature_verify(algorithm, key, data, signature);
}

static bool supports(void *self UNUSED, uint8_t algorithm)
{
    return signature_supports(algorithm);
}

static size_t digest(void *self UNUSED, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX])
{
    return signature_digest(type, first, second, out);
}

static size_t sign(void *self UNUSED, void *secret, struct bytes data,
                   uint8_t out[SIGN_SIGNATURE_MAX])
{
    return signing_key_sign(secret, data, out);
}

void dns_sign_init(struct dns_sign *d, uint64_t seed)
{
    memset(d, 0, sizeof *d);
    d->heap = memory_heap();
    d->sha1 = digest_sha1_new();
    d->stream = digest_stream_new();
    assert_non_null(d->sha1);
    assert_non_null(d->stream);
    prng_init_number(&d->prng, seed);
    d->validate = (struct validate_crypto){
        .verify = verify, .supports = supports, .digest = digest, .sha1 = {digest_sha1, d->sha1}};
    d->options = (struct sign_options){
        .heap = d->heap,
        .prng = &d->prng,
        .crypto = {.sign = sign,
                   .digest = digest,
                   .digester = {digest_stream_start, digest_stream_add, digest_stream_end, d->stream},
                   .sha1 = {digest_sha1, d->sha1}},
    };
}

void dns_sign_done(struct dns_sign *d)
{
    digest_free(d->sha1);
    digest_stream_free(d->stream);
}

void dns_sign_key_make(struct dns_sign_key *key, uint8_t algorithm, uint16_t flags)
{
    struct writer w = writer_of(key->rdata, sizeof key->rdata);
    assert_int_equal(signing_key_new(algorithm, algorithm < 13 ? 1024 : 0, &key->secret), 0);
    key->flags = flags;
    write_u16(&w, flags);
    write_u8(&w, 3);
    write_u8(&w, algorithm);
    signing_key_public(key->secret, &w);
    assert_false(w.failed);
    key->len = writer_len(&w);
}

void dns_sign_key_free(struct dns_sign_key *key)
{
    signing_key_free(key->secret);
}

struct sign_key dns_sign_all(const struct dns_sign_key *key)
{
    return (struct sign_key){.rdata = bytes_of(key->rdata, key->len),
                             .published = true,
                             .signs_keys = true,
                             .signs_zone = true,
                             .secret = key->secret};
}

struct dns_record dns_sign_record(const char *origin, const char *line, uint8_t *room, size_t size)
{
    char reason[200];
    struct writer w = writer_of(room, size);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_name name = dns_text_name(origin);
    struct dns_line_context context = {.origin = &name, .ttl = 3600};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &error))
        fail_msg("%s: %s", line, reason);
    return record;
}

struct zone *dns_sign_zone(struct dns_sign *d, const char *origin, const char *const *lines)
{
    struct dns_name name = dns_text_name(origin);
    struct zone *zone = zone_new(&d->heap, &name, 1 << 20);
    assert_non_null(zone);
    for (; *lines != NULL; lines++) {
        uint8_t room[4096];
        struct dns_record record = dns_sign_record(origin, *lines, room, sizeof room);
        CHECK_EQUAL(*lines, zone_put(zone, &record), ZONE_OK);
    }
    return zone;
}

void dns_sign_whole(struct signer *signer, struct zone *zone, const struct zone *previous,
                    const uint32_t *serial, int64_t now)
{
    enum sign_status status;
    signer_start_whole(signer, zone, previous, serial);
    do
        status = signer_step(signer, 3, now);
    while (status == SIGN_MORE);
    if (status != SIGN_DONE)
        fail_msg("not signed: %s", signer_error(signer));
}

static void report(void *self, bool error, const char *text)
{
    struct dns_sign *d = self;
    if (error)
        text_add_format(&d->said, "%s\n", text);
}

uint64_t dns_sign_verify(struct dns_sign *d, const struct zone *zone, int64_t now)
{
    struct zone_verify_options options = {
        .heap = d->heap,
        .crypto = &d->validate,
        .digester = d->options.crypto.digester,
        .wall_seconds = now,
        .report = report,
        .self = d,
    };
    d->said = text_of(d->complaints, sizeof d->complaints);
    assert_int_equal(zone_verify(zone, &options, &d->result), 0);
    return d->result.errors;
}

/* SPDX-License-Identifier: ISC */
/*
 * fuzz_validate.c - any lists of records as sets, keys and proofs, with signatures that are right when the
 * fuzzer says so: the work stays within its bounds, and nothing unsigned is secure.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/validate.h"

static uint8_t scratch[VALIDATE_SCRATCH_LEN];

struct state {
    unsigned verifications, hashes, right;
    uint8_t answers;
};

static enum validate_check verify(void *self, uint8_t algorithm, struct bytes key,
                                  struct bytes data, struct bytes signature)
{
    struct state *s = self;
    (void)algorithm;
    ASSERT(data.len > 0 && key.len < 65536 && signature.len < 65536);
    bool right = (s->answers >> s->verifications % 8 & 1) != 0;
    s->verifications++;
    s->right += right;
    return right ? VALIDATE_RIGHT : VALIDATE_WRONG;
}

static bool supports(void *self, uint8_t algorithm)
{
    (void)self;
    return algorithm != 0;
}

static size_t digest(void *self, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX])
{
    (void)self;
    (void)first;
    memset(out, second.len > 0 ? second.data[0] : 0, VALIDATE_DIGEST_MAX);
    return type == 2 ? 4 : 0;
}

static void sha1(void *self, struct bytes first, struct bytes second, uint8_t out[20])
{
    struct state *s = self;
    s->hashes++;
    for (size_t i = 0; i < 20; i++)
        out[i] = (uint8_t)(first.len * 31 + second.len + i + (first.len > i ? first.data[i] : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    struct state state = {.answers = read_u8(&r)};
    struct validate_crypto crypto = {verify, supports, digest, {sha1, &state}, &state};
    struct validate_context v;
    validate_init(&v, &crypto, 1782000000, scratch);
    uint8_t how = read_u8(&r);
    uint16_t type = read_u16(&r);
    struct dns_name zone_name, name;
    ASSERT(dns_name_parse(bytes_of_text("a."), NULL, &zone_name));
    ASSERT(dns_name_parse(bytes_of_text(how & 1 ? "x.b.a." : "a."), NULL, &name));
    struct bytes lists[3];
    for (int i = 0; i < 3; i++) {
        uint8_t size = read_u8(&r);
        lists[i] = bytes_first(bytes_of(r.next, reader_left(&r)), size);
        read_skip(&r, lists[i].len);
    }
    struct bytes rest = read_rest(&r);
    struct validate_zone zone = {&zone_name, lists[2]};
    struct validate_set set = {&name, type, lists[0], lists[1]};
    unsigned labels;
    struct validate_outcome outcome = validate_set(&v, &set, &zone, &labels);
    ASSERT(outcome.security != CACHE_SECURE || state.right > 0);
    (void)validate_keys(&v, &set, rest);
    struct validate_outcome proved[] = {
        validate_nodata(&v, &zone, &name, type, rest),
        validate_nxdomain(&v, &zone, &name, rest),
    };
    for (int i = 0; i < 2; i++)
        ASSERT(proved[i].security != CACHE_SECURE || state.right > 0);
    ASSERT(state.verifications <= VALIDATE_VERIFICATIONS_MAX);
    ASSERT(state.hashes <= VALIDATE_HASHES_MAX * (VALIDATE_ITERATIONS_MAX + 1));
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * site_crypto.c - between proto/dns (validate.h, sign.h) and os (signature.h, signing_key.h), which do not know
 * each other.
 */
#include "site/site_crypto.h"

#include "os/signature.h"
#include "os/signing_key.h"

static enum validate_check verify(void *self UNUSED, uint8_t algorithm, struct bytes key,
                                  struct bytes data, struct bytes signature)
{
    switch (signature_verify(algorithm, key, data, signature)) {
    case SIGNATURE_RIGHT:
        return VALIDATE_RIGHT;
    case SIGNATURE_WRONG:
        return VALIDATE_WRONG;
    case SIGNATURE_UNSUPPORTED:
        break;
    }
    return VALIDATE_UNSUPPORTED;
}

static bool supports(void *self UNUSED, uint8_t algorithm)
{
    return signature_supports(algorithm);
}

_Static_assert((int)SIGNATURE_DIGEST_MAX == (int)VALIDATE_DIGEST_MAX, "the same room");

static size_t digest(void *self UNUSED, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX])
{
    return signature_digest(type, first, second, out);
}

void site_crypto_init(struct validate_crypto *crypto, struct digest *sha1)
{
    *crypto = (struct validate_crypto){
        .verify = verify, .supports = supports, .digest = digest, .sha1 = {digest_sha1, sha1}};
}

_Static_assert((int)SIGNING_KEY_SIGNATURE_MAX == (int)SIGN_SIGNATURE_MAX, "the same room");
_Static_assert((int)SIGNATURE_DIGEST_MAX == (int)SIGN_DIGEST_MAX, "the same room");
_Static_assert((int)DIGEST_LEN_MAX == (int)ZONE_DIGEST_MAX, "the same room");
_Static_assert((int)DIGEST_SHA384 == (int)ZONE_DIGEST_SHA384 &&
                   (int)DIGEST_SHA512 == (int)ZONE_DIGEST_SHA512, "the same numbers");

static size_t sign(void *self UNUSED, void *secret, struct bytes data,
                   uint8_t out[SIGN_SIGNATURE_MAX])
{
    return signing_key_sign(secret, data, out);
}

void site_sign_crypto_init(struct sign_crypto *crypto, struct digest *sha1, struct digest_stream *stream)
{
    *crypto = (struct sign_crypto){
        .sign = sign,
        .digest = digest,
        .digester = {digest_stream_start, digest_stream_add, digest_stream_end, stream},
        .sha1 = {digest_sha1, sha1},
    };
}

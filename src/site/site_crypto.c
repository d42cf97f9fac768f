/* SPDX-License-Identifier: ISC */
/* site_crypto.c - between proto/dns/validate.h and os/signature.h, neither of which knows the other. */
#include "site/site_crypto.h"

#include "os/signature.h"

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

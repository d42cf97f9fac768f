/* SPDX-License-Identifier: ISC */
/* site_crypto.h - OpenSSL's signatures and digests in the form that validation asks for them. */
#ifndef WN_SITE_SITE_CRYPTO_H
#define WN_SITE_SITE_CRYPTO_H

#include "os/digest.h"
#include "proto/dns/sign.h"
#include "proto/dns/validate.h"

/* `sha1` is borrowed. */
void site_crypto_init(struct validate_crypto *crypto, struct digest *sha1);

/* What a signer needs; secrets are struct signing_key. `sha1` and `stream` are borrowed. */
void site_sign_crypto_init(struct sign_crypto *crypto, struct digest *sha1, struct digest_stream *stream);

#endif

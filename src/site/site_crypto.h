/* SPDX-License-Identifier: ISC */
/* site_crypto.h - OpenSSL's signatures and digests in the form that validation asks for them. */
#ifndef WN_SITE_SITE_CRYPTO_H
#define WN_SITE_SITE_CRYPTO_H

#include "os/digest.h"
#include "proto/dns/validate.h"

/* `sha1` is borrowed. */
void site_crypto_init(struct validate_crypto *crypto, struct digest *sha1);

#endif

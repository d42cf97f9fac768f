/* SPDX-License-Identifier: ISC */
/* hmac.c - HMAC by OpenSSL. */
#include "os/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct hmac {
    EVP_MAC *mac;
};

struct hmac *hmac_new(void)
{
    return calloc(1, sizeof(struct hmac));
}

void hmac_free(struct hmac *hmac)
{
    if (hmac == NULL)
        return;
    EVP_MAC_free(hmac->mac);
    free(hmac);
}

static const char *digest_name(unsigned sha)
{
    return sha == 1     ? "SHA1"
           : sha == 224 ? "SHA224"
           : sha == 256 ? "SHA256"
           : sha == 384 ? "SHA384"
           : sha == 512 ? "SHA512"
                        : NULL;
}

void *hmac_start(void *self, unsigned sha, struct bytes secret)
{
    struct hmac *hmac = self;
    const char *name = digest_name(sha);
    char digest[8];
    if (name == NULL)
        return NULL;
    strcpy(digest, name); /* the library's type has no const */
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    if (hmac->mac == NULL)
        hmac->mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *running = hmac->mac != NULL ? EVP_MAC_CTX_new(hmac->mac) : NULL;
    if (running != NULL && EVP_MAC_init(running, secret.data, secret.len, parameters) != 1) {
        EVP_MAC_CTX_free(running);
        return NULL;
    }
    return running;
}

void hmac_add(void *running, struct bytes octets)
{
    int done = EVP_MAC_update(running, octets.data, octets.len);
    ASSERT(done); /* in memory that it has already */
}

size_t hmac_end(void *running, uint8_t out[HMAC_MAX])
{
    size_t len = 0;
    if (EVP_MAC_final(running, out, &len, HMAC_MAX) != 1)
        len = 0;
    EVP_MAC_CTX_free(running);
    return len;
}

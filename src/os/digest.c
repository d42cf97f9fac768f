/* SPDX-License-Identifier: ISC */
/* digest.c - digests by OpenSSL. */
#include "os/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct digest {
    EVP_MD *md;
    EVP_MD_CTX *context;
};

struct digest *digest_sha1_new(void)
{
    struct digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL)
        return NULL;
    digest->md = EVP_MD_fetch(NULL, "SHA1", NULL);
    digest->context = EVP_MD_CTX_new();
    if (digest->md == NULL || digest->context == NULL) {
        digest_free(digest);
        return NULL;
    }
    return digest;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    EVP_MD_free(digest->md);
    free(digest);
}

void digest_sha1(void *self, struct bytes first, struct bytes second, uint8_t out[DIGEST_SHA1_LEN])
{
    struct digest *digest = self;
    int done = EVP_DigestInit_ex2(digest->context, digest->md, NULL) &&
               EVP_DigestUpdate(digest->context, first.data, first.len) &&
               EVP_DigestUpdate(digest->context, second.data, second.len) &&
               EVP_DigestFinal_ex(digest->context, out, NULL);
    ASSERT(done); /* in memory that it has already, with an algorithm that it has found */
}

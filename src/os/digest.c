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
    return calloc(1, sizeof(struct digest));
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    EVP_MD_free(digest->md);
    free(digest);
}

static void look_up(struct digest *digest)
{
    digest->md = EVP_MD_fetch(NULL, "SHA1", NULL);
    digest->context = EVP_MD_CTX_new();
    ASSERT(digest->md != NULL && digest->context != NULL); /* every OpenSSL has it, for HMAC */
}

void digest_sha1(void *self, struct bytes first, struct bytes second, uint8_t out[DIGEST_SHA1_LEN])
{
    struct digest *digest = self;
    if (digest->md == NULL)
        look_up(digest);
    int done = EVP_DigestInit_ex2(digest->context, digest->md, NULL) &&
               EVP_DigestUpdate(digest->context, first.data, first.len) &&
               EVP_DigestUpdate(digest->context, second.data, second.len) &&
               EVP_DigestFinal_ex(digest->context, out, NULL);
    ASSERT(done); /* in memory that it has already, with an algorithm that it has found */
}

struct digest_stream {
    EVP_MD_CTX *context;
};

struct digest_stream *digest_stream_new(void)
{
    struct digest_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->context = EVP_MD_CTX_new();
    if (stream->context == NULL) {
        free(stream);
        return NULL;
    }
    return stream;
}

void digest_stream_free(struct digest_stream *stream)
{
    if (stream == NULL)
        return;
    EVP_MD_CTX_free(stream->context);
    free(stream);
}

bool digest_stream_start(void *self, uint8_t algorithm)
{
    struct digest_stream *stream = self;
    const EVP_MD *md = algorithm == DIGEST_SHA384   ? EVP_sha384()
                       : algorithm == DIGEST_SHA512 ? EVP_sha512()
                                                    : NULL;
    return md != NULL && EVP_DigestInit_ex(stream->context, md, NULL) == 1;
}

void digest_stream_add(void *self, struct bytes octets)
{
    struct digest_stream *stream = self;
    int done = EVP_DigestUpdate(stream->context, octets.data, octets.len);
    ASSERT(done == 1);
}

size_t digest_stream_end(void *self, uint8_t out[DIGEST_LEN_MAX])
{
    struct digest_stream *stream = self;
    unsigned len = 0;
    return EVP_DigestFinal_ex(stream->context, out, &len) == 1 ? len : 0;
}

size_t digest_at_once(enum digest_kind kind, struct bytes in, uint8_t out[DIGEST_AT_ONCE_MAX])
{
    unsigned len = 0;
    const EVP_MD *md = kind == DIGEST_MD5 ? EVP_md5() : EVP_sha256();
    return EVP_Digest(in.data, in.len, out, &len, md, NULL) == 1 ? len : 0;
}

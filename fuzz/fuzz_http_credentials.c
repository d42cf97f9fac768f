/* SPDX-License-Identifier: ISC */
/* fuzz_http_credentials.c - challenges: what is chosen of them can be answered, with a field's value. */
#include "fuzz/fuzz.h"
#include "proto/http/http_credentials.h"
#include "wire/http/http_octets.h"

static size_t digest(void *self UNUSED, enum http_digest_algorithm algorithm, struct bytes in,
                     uint8_t out[HTTP_DIGEST_MAX])
{
    memset(out, (int)in.len, HTTP_DIGEST_MAX);
    return algorithm == HTTP_DIGEST_MD5 ? 16 : 32;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct http_fields fields;
    static char out[HTTP_CREDENTIALS_MAX];
    struct http_challenge c;
    struct bytes in = bytes_of(data, len);
    if (!http_octets_are(in, HTTP_OCTET_FIELD))
        return 0;
    fields.count = 1;
    fields.list[0] = (struct http_field){bytes_of_text("WWW-Authenticate"), in};
    if (!http_challenge_choose(&fields, "WWW-Authenticate", &c))
        return 0;
    ASSERT(c.scheme == HTTP_SCHEME_BASIC || c.nonce[0] != '\0');
    struct http_login login = {"user", "pass\"word", digest, NULL};
    struct text t = text_of(out, sizeof out);
    if (http_credentials_write(&c, &login, "GET", bytes_of_text("/x"), "cnonce", &t))
        ASSERT(http_octets_are(text_bytes(&t), HTTP_OCTET_FIELD));
    return 0;
}

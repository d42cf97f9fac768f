/* SPDX-License-Identifier: ISC */
/* web_accept.c - RFC 6455 §4.2.2, point 5.4. */
#include "app/web/web_accept.h"

#include <openssl/evp.h>

#include "base/encoding.h"
#include "base/text.h"
#include "wire/websocket/websocket.h"

bool web_accept_make(struct bytes key, char out[WEB_ACCEPT_LEN + 1])
{
    uint8_t nonce[WEBSOCKET_NONCE_LEN + 2];
    uint8_t digest[EVP_MAX_MD_SIZE];
    char joined[24 + sizeof WEBSOCKET_GUID];
    unsigned len = 0;
    struct writer w = writer_of(nonce, sizeof nonce);
    struct text text = text_of(joined, sizeof joined);
    struct text accept = text_of(out, WEB_ACCEPT_LEN + 1);
    if (!encoding_decode(ENCODING_BASE64, key, &w) || w.failed ||
        writer_len(&w) != WEBSOCKET_NONCE_LEN)
        return false;
    text_add_bytes(&text, key);
    text_add(&text, WEBSOCKET_GUID);
    if (text.failed || EVP_Digest(joined, text.len, digest, &len, EVP_sha1(), NULL) != 1)
        return false;
    encoding_format(ENCODING_BASE64, bytes_of(digest, len), &accept);
    return !accept.failed;
}

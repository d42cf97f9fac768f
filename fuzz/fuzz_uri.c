/* SPDX-License-Identifier: ISC */
/*
 * fuzz_uri.c - targets and paths. A decoded path begins with a slash and holds no empty, "." or ".."
 * segment and no control character; encoded, it decodes to itself.
 */
#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "wire/http/uri.h"

enum { SIZE = 4096 };

static void check_path(const char *path, size_t len)
{
    ASSERT(path[0] == '/');
    size_t start = 1;
    for (size_t i = 1; i <= len; i++) {
        ASSERT(i == len || (uint8_t)path[i] >= 0x20);
        if (i < len && path[i] != '/')
            continue;
        size_t segment = i - start;
        ASSERT(segment > 0 || i == len); /* only the last may be empty */
        ASSERT(segment != 1 || path[start] != '.');
        ASSERT(segment != 2 || path[start] != '.' || path[start + 1] != '.');
        start = i + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    char decoded[SIZE];
    char encoded[SIZE * 3];
    char again[SIZE];
    size_t decoded_len = uri_path_decode(in, decoded, sizeof decoded);
    ASSERT(decoded_len <= len);
    if (decoded_len > 0) {
        check_path(decoded, decoded_len);
        struct bytes path = bytes_of(decoded, decoded_len);
        size_t encoded_len = uri_path_encode(path, encoded, sizeof encoded);
        ASSERT(encoded_len >= decoded_len);
        size_t again_len = uri_path_decode(bytes_of(encoded, encoded_len), again, sizeof again);
        ASSERT(bytes_equal(path, bytes_of(again, again_len)));
    }
    static const char *const methods[] = {"GET", "CONNECT", "OPTIONS"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct uri_target target;
        if (!uri_target_parse(bytes_of_text(methods[i]), in, &target))
            continue;
        ASSERT(target.form == URI_AUTHORITY || target.form == URI_ASTERISK ||
               target.path.data[0] == '/');
        ASSERT(target.path.len + target.query.len + target.authority.len <= len + 1);
    }
    struct bytes host;
    uint16_t port;
    if (uri_authority_parse(in, &host, &port))
        ASSERT(host.len > 0 && host.len <= len);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/* web_compress.c - content codings by zlib and brotli, and which of them a client is given. */
#include "app/web/web_compress.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>

#include "wire/http/http_list.h"

enum {
    GZIP_LEVEL = 6,
    GZIP_WINDOW = 15 + 16, /* with a gzip header around it */
    BROTLI_LEVEL = 5,      /* smaller than gzip's 9 at the time of gzip's 6 */
};

static char *gzip(struct bytes in, size_t *len)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    char *out = malloc(in.len);
    int status = Z_BUF_ERROR;
    if (out != NULL) {
        stream.next_in = (Bytef *)(uintptr_t)in.data;
        stream.avail_in = (uInt)in.len;
        stream.next_out = (Bytef *)out;
        stream.avail_out = (uInt)in.len;
        status = deflate(&stream, Z_FINISH);
        *len = stream.total_out;
    }
    (void)deflateEnd(&stream);
    if (status == Z_STREAM_END && *len < in.len)
        return out;
    free(out);
    return NULL;
}

static char *brotli(struct bytes in, size_t *len)
{
    char *out = malloc(in.len);
    *len = in.len;
    if (out != NULL &&
        BrotliEncoderCompress(BROTLI_LEVEL, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, in.len,
                              in.data, len, (uint8_t *)out) == BROTLI_TRUE &&
        *len < in.len)
        return out;
    free(out);
    return NULL;
}

char *web_compress(enum web_coding coding, struct bytes in, size_t *len)
{
    size_t made = 0;
    char *out = NULL;
    if (in.len > 0 && coding == WEB_GZIP)
        out = gzip(in, &made);
    else if (in.len > 0 && coding == WEB_BROTLI)
        out = brotli(in, &made);
    if (out == NULL)
        return NULL;
    *len = made;
    char *exact = realloc(out, made);
    return exact != NULL ? exact : out;
}

/* "x-gzip" is gzip (§8.4.1.3). */
static unsigned weight_of(struct bytes accept, enum web_coding coding)
{
    unsigned weight = http_list_quality(accept, web_coding_names[coding]);
    if (coding == WEB_GZIP && http_list_has(accept, "x-gzip"))
        weight = http_list_quality(accept, "x-gzip");
    return weight;
}

/* Identity may be had unless it is said that it may not: "identity;q=0", or "*;q=0" without it. */
static bool identity_excluded(struct bytes accept)
{
    struct bytes rest = accept;
    struct bytes element;
    bool excluded = false;
    while (http_list_next(&rest, &element)) {
        struct bytes name = http_element_name(element);
        if (bytes_equal_nocase(name, bytes_of_text("identity")))
            return http_element_quality(element) == 0;
        if (bytes_equal(name, bytes_of_text("*")))
            excluded = http_element_quality(element) == 0;
    }
    return excluded;
}

enum web_coding web_choose_coding(bool has_field, struct bytes accept, bool can_compress)
{
    enum web_coding best = WEB_IDENTITY;
    unsigned best_weight = 0;
    if (!has_field || accept.len == 0)
        return WEB_IDENTITY;
    static const enum web_coding order[] = {WEB_BROTLI, WEB_GZIP};
    for (size_t i = 0; can_compress && i < ARRAY_LEN(order); i++) {
        unsigned weight = weight_of(accept, order[i]);
        if (weight > best_weight) {
            best = order[i];
            best_weight = weight;
        }
    }
    bool named = http_list_has(accept, "identity");
    if (named && http_list_quality(accept, "identity") > best_weight)
        return WEB_IDENTITY;
    if (best_weight > 0)
        return best;
    return identity_excluded(accept) ? WEB_CODING_COUNT : WEB_IDENTITY;
}

bool web_type_compresses(const char *type)
{
    static const char *const others[] = {"application/json", "application/xml", "image/svg+xml",
                                         "application/wasm", "font/ttf", "font/otf", "image/bmp",
                                         "message/rfc822"};
    if (strncmp(type, "text/", 5) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(type, others[i]) == 0)
            return true;
    return false;
}

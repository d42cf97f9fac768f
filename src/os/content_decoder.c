/* SPDX-License-Identifier: ISC */
/* content_decoder.c - zlib's and brotli's decoders behind one call. */
#include "os/content_decoder.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 32 * 1024 };

struct content_decoder {
    enum content_coding coding;
    bool begun; /* octets came */
    bool ended; /* the last octet of a whole stream was seen */
    bool raw;   /* deflate without the zlib format around it, as some servers have it */
    z_stream zlib;
    BrotliDecoderState *brotli;
    uint8_t piece[PIECE];
};

bool content_coding_parse(struct bytes name, enum content_coding *out)
{
    static const struct {
        const char *name;
        enum content_coding coding;
    } codings[] = {
        {"gzip", CONTENT_GZIP},  {"x-gzip", CONTENT_GZIP},       {"deflate", CONTENT_DEFLATE},
        {"br", CONTENT_BROTLI},  {"identity", CONTENT_IDENTITY},
    };
    for (size_t i = 0; i < ARRAY_LEN(codings); i++)
        if (bytes_equal_nocase(name, bytes_of_text(codings[i].name))) {
            *out = codings[i].coding;
            return true;
        }
    return false;
}

static bool open_coding(struct content_decoder *d)
{
    switch (d->coding) {
    case CONTENT_IDENTITY:
        return true;
    case CONTENT_GZIP:
        return inflateInit2(&d->zlib, 16 + MAX_WBITS) == Z_OK;
    case CONTENT_DEFLATE:
        return inflateInit(&d->zlib) == Z_OK;
    case CONTENT_BROTLI:
        d->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        return d->brotli != NULL;
    }
    return false;
}

struct content_decoder *content_decoder_new(enum content_coding coding)
{
    struct content_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->coding = coding;
    if (open_coding(d))
        return d;
    free(d);
    return NULL;
}

void content_decoder_free(struct content_decoder *d)
{
    if (d == NULL)
        return;
    if (d->coding == CONTENT_GZIP || d->coding == CONTENT_DEFLATE)
        (void)inflateEnd(&d->zlib);
    if (d->brotli != NULL)
        BrotliDecoderDestroyInstance(d->brotli);
    free(d);
}

bool content_decoder_at_end(const struct content_decoder *d)
{
    return d->coding == CONTENT_IDENTITY || d->ended || !d->begun;
}

/* "deflate" has the zlib format around it (RFC 9110 §8.4.1.2), and often has not: a first octet that no
 * zlib header has says so. */
static bool begin_raw(struct content_decoder *d)
{
    d->raw = true;
    (void)inflateEnd(&d->zlib);
    memset(&d->zlib, 0, sizeof d->zlib);
    return inflateInit2(&d->zlib, -MAX_WBITS) == Z_OK;
}

static bool is_zlib_header(struct bytes in)
{
    return (in.data[0] & 0x0f) == Z_DEFLATED &&
           (in.len < 2 || (in.data[0] << 8 | in.data[1]) % 31 == 0);
}

static bool feed_zlib(struct content_decoder *d, struct bytes in,
                      void (*on_octets)(void *, struct bytes), void *self)
{
    if (d->coding == CONTENT_DEFLATE && !d->begun && !is_zlib_header(in) && !begin_raw(d))
        return false;
    d->begun = true;
    d->zlib.next_in = (Bytef *)(uintptr_t)in.data;
    d->zlib.avail_in = (uInt)in.len;
    do {
        if (d->ended) { /* another member of a gzip file (RFC 1952 §2.2) */
            if (d->zlib.avail_in == 0)
                return true;
            if (d->coding != CONTENT_GZIP || inflateReset(&d->zlib) != Z_OK)
                return false;
            d->ended = false;
        }
        d->zlib.next_out = d->piece;
        d->zlib.avail_out = sizeof d->piece;
        int status = inflate(&d->zlib, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return false;
        d->ended = status == Z_STREAM_END;
        if (d->zlib.avail_out < sizeof d->piece)
            on_octets(self, bytes_of(d->piece, sizeof d->piece - d->zlib.avail_out));
    } while (d->zlib.avail_in > 0 || d->zlib.avail_out == 0);
    return true;
}

static bool feed_brotli(struct content_decoder *d, struct bytes in,
                        void (*on_octets)(void *, struct bytes), void *self)
{
    const uint8_t *next = in.data;
    size_t left = in.len;
    d->begun = true;
    if (d->ended)
        return false;
    for (;;) {
        uint8_t *out = d->piece;
        size_t room = sizeof d->piece;
        BrotliDecoderResult result =
            BrotliDecoderDecompressStream(d->brotli, &left, &next, &room, &out, NULL);
        if (room < sizeof d->piece)
            on_octets(self, bytes_of(d->piece, sizeof d->piece - room));
        if (result == BROTLI_DECODER_RESULT_ERROR)
            return false;
        d->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
        if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return left == 0;
    }
}

bool content_decoder_feed(struct content_decoder *d, struct bytes in,
                          void (*on_octets)(void *self, struct bytes octets), void *self)
{
    if (in.len == 0)
        return true;
    switch (d->coding) {
    case CONTENT_IDENTITY:
        on_octets(self, in);
        return true;
    case CONTENT_GZIP:
    case CONTENT_DEFLATE:
        return feed_zlib(d, in, on_octets, self);
    case CONTENT_BROTLI:
        return feed_brotli(d, in, on_octets, self);
    }
    return false;
}

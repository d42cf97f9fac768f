/* SPDX-License-Identifier: ISC */
/*
 * content_decoder.h - content codings undone (RFC 9110 §8.4.1): gzip, deflate and br (RFC 1952, 1950, 7932),
 * by zlib and brotli. What comes out is told in pieces, so that its size never matters here.
 */
#ifndef WN_OS_CONTENT_DECODER_H
#define WN_OS_CONTENT_DECODER_H

#include "base/bytes.h"

enum content_coding { CONTENT_IDENTITY, CONTENT_GZIP, CONTENT_DEFLATE, CONTENT_BROTLI };

/* "gzip", "x-gzip", "deflate", "br", "identity", without regard to case. False: another. */
MUST_USE bool content_coding_parse(struct bytes name, enum content_coding *out);

struct content_decoder;

/* NULL: no memory. */
MUST_USE struct content_decoder *content_decoder_new(enum content_coding coding);
void content_decoder_free(struct content_decoder *decoder);

/* Takes all of `in`; tells what comes out of it. False: it is malformed, or octets follow its end. */
MUST_USE bool content_decoder_feed(struct content_decoder *decoder, struct bytes in,
                                   void (*on_octets)(void *self, struct bytes octets), void *self);

/* Has all come that was announced? */
bool content_decoder_at_end(const struct content_decoder *decoder);

#endif

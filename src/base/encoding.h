/* SPDX-License-Identifier: ISC */
/*
 * encoding.h - octets as text: base16, base32 with the extended hex alphabet, base64 and its form for URLs (RFC 4648).
 *
 * Decoding is by pieces, since what is encoded may come in several words of a line or lines of a
 * mail. It is strict: no letters from elsewhere, padding where it belongs, no bits left over.
 */
#ifndef WN_BASE_ENCODING_H
#define WN_BASE_ENCODING_H

#include "base/bytes.h"
#include "base/text.h"

enum encoding {
    ENCODING_BASE16,    /* either case in, lower case out */
    ENCODING_BASE32HEX, /* without padding, as NSEC3 has it (RFC 5155 §3.3); upper case out */
    ENCODING_BASE64,
    ENCODING_BASE64URL, /* RFC 4648 §5, without padding */
    ENCODING_COUNT
};

struct decoder {
    enum encoding encoding;
    uint32_t bits;   /* not written yet, in the low bit_count bits */
    uint8_t bit_count;
    uint8_t letters; /* of the group that has begun */
    uint8_t pads;    /* "=" seen */
};

struct decoder decoder_of(enum encoding encoding);

/* Decodes a piece. False: it is not of that encoding; whether `out` had room its own `failed` tells. */
MUST_USE bool decoder_feed(struct decoder *d, struct bytes text, struct writer *out);

/* Could it end here? */
bool decoder_at_end(const struct decoder *d);

/* The whole of `text`, at once. */
MUST_USE bool encoding_decode(enum encoding encoding, struct bytes text, struct writer *out);

void encoding_format(enum encoding encoding, struct bytes in, struct text *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * http_chunk.h - the chunked transfer coding (RFC 9112 §7.1), as a stream decoder and as the
 * frames of an encoder.
 *
 * The decoder is strict: what two recipients could read in two ways is malformed. Extensions and
 * trailer fields are checked, bounded, and dropped (§7.1.1, §7.1.2 allow it), trailers unless somebody
 * keeps them.
 */
#ifndef WN_WIRE_HTTP_HTTP_CHUNK_H
#define WN_WIRE_HTTP_HTTP_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    HTTP_CHUNK_DIGITS_MAX = 15,    /* of a size: below 2^60, so that sums of two do not wrap */
    HTTP_CHUNK_LINE_MAX = 1024,    /* size and extensions of one chunk */
    HTTP_CHUNK_OVERHEAD_MAX = 65536, /* octets of extensions beyond those of data: malformed */
    HTTP_TRAILERS_MAX = 8192,      /* octets of the trailer section */
    HTTP_CHUNK_FRAME_MAX = 20,     /* what http_chunk_frame() writes at most */
};

enum http_chunk_state {
    HTTP_CHUNK_SIZE,      /* before the first digit */
    HTTP_CHUNK_DIGITS,
    HTTP_CHUNK_BLANK,     /* between the size and ";" */
    HTTP_CHUNK_EXTENSION,
    HTTP_CHUNK_SIZE_LF,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_DATA_CR,
    HTTP_CHUNK_DATA_LF,
    HTTP_CHUNK_TRAILER,   /* at the start of a trailer line */
    HTTP_CHUNK_TRAILER_NAME,
    HTTP_CHUNK_TRAILER_VALUE,
    HTTP_CHUNK_TRAILER_LF,
    HTTP_CHUNK_LAST_LF,
    HTTP_CHUNK_DONE,
    HTTP_CHUNK_MALFORMED,
    HTTP_CHUNK_STATE_COUNT
};

struct http_chunk {
    enum http_chunk_state state;
    uint64_t left;      /* octets of this chunk's data, still to come */
    uint32_t line_len;  /* octets of this line, or of the trailer section */
    uint32_t overhead;  /* octets of extensions not earned by data */
    uint8_t digits;
    struct writer *trailers; /* the trailer section goes there, as lines; NULL: nowhere */
};

/* Keeps no trailers; set `trailers` after it. */
void http_chunk_init(struct http_chunk *chunk);

/*
 * Decodes the front of `in` up to the end of the first piece of data in it, which *data shows (a
 * view of `in`; empty: none there). Returns the octets used: all of `in` unless there is data, the
 * body is done, or malformed. Afterwards look at chunk->state.
 */
size_t http_chunk_input(struct http_chunk *chunk, struct bytes in, struct bytes *data);

/* Writes what stands before a chunk of `len` > 0 octets; returns its length. After the data stands
 * HTTP_CHUNK_END, after all chunks HTTP_CHUNK_LAST. */
size_t http_chunk_frame(size_t len, char out[HTTP_CHUNK_FRAME_MAX]);
#define HTTP_CHUNK_END "\r\n"
#define HTTP_CHUNK_LAST "0\r\n\r\n"

#endif

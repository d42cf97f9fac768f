/* SPDX-License-Identifier: ISC */
/*
 * hpack.h - field lists of HTTP/2 as octets, and back (HPACK, RFC 7541).
 *
 * Either direction of a connection has one table of fields that were seen, which both ends keep in step: so
 * every header block that comes must be decoded to its end, also where nobody wants its fields, and every one
 * that was encoded must be sent.
 *
 * A table is bounded by HPACK_TABLE_SIZE, which is what both ends begin with; a peer that offers more gets no
 * more. When it is full the oldest entries go (§4.4).
 */
#ifndef WN_WIRE_HTTP_HPACK_H
#define WN_WIRE_HTTP_HPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    HPACK_TABLE_SIZE = 4096,  /* RFC 9113 §6.5.2 */
    HPACK_ENTRY_OVERHEAD = 32, /* of each entry, §4.1 */
    HPACK_ENTRIES_MAX = HPACK_TABLE_SIZE / HPACK_ENTRY_OVERHEAD,
    HPACK_STATIC_COUNT = 61,  /* Appendix A */
    HPACK_SLOTS = 256,
    HPACK_SEEN = 64,
    HPACK_FIELD_ROOM = 16,    /* octets that a field takes beside its name and value, at most */
    HPACK_BEGIN_ROOM = 8,     /* what hpack_encode_begin() writes, at most */
};

/* Names that are known: those of the static table by their first index there, and some beside. */
enum hpack_name {
    HPACK_OTHER = 0,
    HPACK_AUTHORITY = 1,
    HPACK_METHOD = 2,
    HPACK_PATH = 4,
    HPACK_SCHEME = 6,
    HPACK_STATUS = 8,
    HPACK_ACCEPT_ENCODING = 16,
    HPACK_AUTHORIZATION = 23,
    HPACK_CONTENT_LENGTH = 28,
    HPACK_CONTENT_TYPE = 31,
    HPACK_COOKIE = 32,
    HPACK_DATE = 33,
    HPACK_EXPECT = 35,
    HPACK_HOST = 38,
    HPACK_PROXY_AUTHORIZATION = 49,
    HPACK_SERVER = 54,
    HPACK_SET_COOKIE = 55,
    HPACK_TRANSFER_ENCODING = 57,
    HPACK_PROTOCOL = 62, /* RFC 8441 §4 */
    HPACK_CONNECTION,
    HPACK_KEEP_ALIVE,
    HPACK_PROXY_CONNECTION,
    HPACK_UPGRADE,
    HPACK_TE,
    HPACK_PRIORITY,      /* RFC 9218 §5 */
    HPACK_NAME_COUNT
};

/* The name, in small letters; HPACK_OTHER: none of those. */
enum hpack_name hpack_name_find(struct bytes name);

struct hpack_entry {
    uint16_t at;        /* of the name in the table's text; the value follows it */
    uint16_t name_len;
    uint16_t value_len;
    uint8_t name;       /* enum hpack_name */
    uint8_t flaws;
    uint32_t hash;      /* of the encoder */
};

struct hpack_table {
    uint32_t size, size_max; /* §4.1 */
    uint32_t inserted;       /* ever; the newest entry is in the place before, in the ring */
    uint32_t count;
    uint32_t tail;           /* where the next entry's text may lie */
    struct hpack_entry entries[HPACK_ENTRIES_MAX];
    uint8_t text[2 * HPACK_TABLE_SIZE]; /* twice, so that no entry's is in two pieces */
};

/* ---- decoding ---- */

struct hpack_decoder {
    struct hpack_table table;
    bool in_fields; /* a field has come in this block: the size may not change any more */
};

enum hpack_flaw {
    HPACK_BAD_NAME = 1 << 0,  /* empty, or no token in small letters (RFC 9113 §8.2.1); a colon may be its first */
    HPACK_BAD_VALUE = 1 << 1, /* has what no field's value may have, or blanks around it */
    HPACK_TOO_LONG = 1 << 2,  /* for `text`: name and value are empty */
};

struct hpack_field {
    struct bytes name;
    struct bytes value;
    enum hpack_name known;
    unsigned flaws;
    bool never_indexed; /* who passes it on has to say so too (§6.2.3) */
};

enum hpack_step {
    HPACK_FIELD,
    HPACK_END,
    HPACK_MALFORMED, /* the table is not in step any more: the connection is of no more use */
};

void hpack_decoder_init(struct hpack_decoder *d);

/* A block begins. */
void hpack_decode_begin(struct hpack_decoder *d);

/*
 * The next field of the block. Name and value are views of the block, of `text`, which has to have room for
 * HPACK_TABLE_SIZE octets at least, or of what is constant.
 */
enum hpack_step hpack_decode(struct hpack_decoder *d, struct reader *block, struct writer *text,
                             struct hpack_field *out);

/* ---- encoding ---- */

/*
 * What comes for the second time goes into the table, if it is not large: so what differs from message to
 * message takes nothing of it. What is secret, or could be found out by who can see lengths and have us send
 * guesses beside it (§7.1), never does: credentials, and cookies that are short.
 */
struct hpack_encoder {
    struct hpack_table table;
    uint32_t smallest;           /* the table's size has been meanwhile, since the last block */
    bool resized;
    uint32_t slots[HPACK_SLOTS]; /* by hash: `inserted` after its entry came; 0: none */
    uint32_t seen[HPACK_SEEN];   /* hashes that came once */
};

void hpack_encoder_init(struct hpack_encoder *e);

/* The peer's SETTINGS_HEADER_TABLE_SIZE. */
void hpack_encoder_resize(struct hpack_encoder *e, uint32_t size);

/* A block begins. */
void hpack_encode_begin(struct hpack_encoder *e, struct writer *w);

/* Name in small letters. With HPACK_FIELD_ROOM octets beside name and value there is room; without, `w` fails, and
 * the encoder is of no more use. */
void hpack_encode(struct hpack_encoder *e, struct writer *w, struct bytes name, struct bytes value);
void hpack_encode_known(struct hpack_encoder *e, struct writer *w, enum hpack_name name,
                        struct bytes value);

#endif

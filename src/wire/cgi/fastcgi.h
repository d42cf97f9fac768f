/* SPDX-License-Identifier: ISC */
/*
 * fastcgi.h - records of FastCGI 1.0, as the web server writes and reads them.
 *
 * Everything crosses a connection in records: a header of eight octets, up to 65535 octets of content,
 * and padding. Requests on one connection are told apart by a number; we ask for one at a time, as
 * nearly all applications want it, so theirs is always 1. A stream (parameters, standard input and
 * output) ends with a record of no content.
 */
#ifndef WN_WIRE_CGI_FASTCGI_H
#define WN_WIRE_CGI_FASTCGI_H

#include "base/bytes.h"
#include "wire/status.h"

enum {
    FASTCGI_VERSION = 1,
    FASTCGI_HEADER_LEN = 8,
    FASTCGI_CONTENT_MAX = 65535,
    FASTCGI_REQUEST_ID = 1,
    FASTCGI_END_LEN = 8,        /* content of END_REQUEST */
    FASTCGI_VALUE_MAX = 1 << 20, /* of a name or a value: more is malformed */
};

enum fastcgi_type {
    FASTCGI_BEGIN_REQUEST = 1,
    FASTCGI_ABORT_REQUEST = 2,
    FASTCGI_END_REQUEST = 3,
    FASTCGI_PARAMS = 4,
    FASTCGI_STDIN = 5,
    FASTCGI_STDOUT = 6,
    FASTCGI_STDERR = 7,
    FASTCGI_DATA = 8,
    FASTCGI_GET_VALUES = 9,
    FASTCGI_GET_VALUES_RESULT = 10,
    FASTCGI_UNKNOWN_TYPE = 11,
};

enum fastcgi_role { FASTCGI_RESPONDER = 1, FASTCGI_AUTHORIZER = 2, FASTCGI_FILTER = 3 };

/* The protocol status of END_REQUEST. */
enum fastcgi_end {
    FASTCGI_REQUEST_COMPLETE,
    FASTCGI_CANT_MPX_CONN,
    FASTCGI_OVERLOADED,
    FASTCGI_UNKNOWN_ROLE,
};

/* ---- writing ---- */

/* The header of a record; `len` octets of content follow it, and no padding. */
void fastcgi_write_header(struct writer *w, enum fastcgi_type type, uint16_t len);
void fastcgi_write_begin(struct writer *w, enum fastcgi_role role, bool keep);
void fastcgi_write_pair(struct writer *w, struct bytes name, struct bytes value);

/* ---- reading ---- */

/* A name and its value off the front of what parameters consist of. */
MUST_USE enum wire_status fastcgi_read_pair(struct reader *r, struct bytes *name,
                                            struct bytes *value);

/* The content of END_REQUEST. */
MUST_USE enum wire_status fastcgi_read_end(struct bytes content, uint32_t *exit_status,
                                           enum fastcgi_end *out);

/* Where reading stands; all zero at the start of a connection. */
struct fastcgi_reader {
    uint8_t header[FASTCGI_HEADER_LEN];
    uint8_t header_len;
    uint8_t padding;   /* still to come */
    uint16_t left;     /* octets of content still to come */
    bool malformed;    /* for good */
};

struct fastcgi_piece {
    bool present;       /* nothing else counts otherwise */
    uint8_t type;
    uint16_t id;
    struct bytes content; /* the next octets of the record's: a view of the input */
    bool last;            /* the record has no more content */
};

/* Reads up to the next piece of content. Returns the octets used; look at `malformed` afterwards. */
size_t fastcgi_input(struct fastcgi_reader *reader, struct bytes in, struct fastcgi_piece *out);

#endif

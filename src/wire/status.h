/* SPDX-License-Identifier: ISC */
/* status.h - what a decoder says of the octets it was given. */
#ifndef WN_WIRE_STATUS_H
#define WN_WIRE_STATUS_H

enum wire_status {
    WIRE_OK,
    WIRE_TRUNCATED,   /* ends before its own lengths say, or before a fixed field */
    WIRE_MALFORMED,   /* contradicts its own format */
    WIRE_CHECKSUM,    /* the checksum does not verify */
    WIRE_UNSUPPORTED, /* well-formed as far as can be seen, of a version or kind we do not know */
    WIRE_NO_ROOM,     /* encoding only: the buffer is too small */
    WIRE_STATUS_COUNT
};

/* A word for messages: "truncated", … Static. */
const char *wire_status_text(enum wire_status status);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * http_octets.h - which octets may stand where in HTTP (RFC 9110 §5.5, §5.6; RFC 9112 §3).
 */
#ifndef WN_WIRE_HTTP_HTTP_OCTETS_H
#define WN_WIRE_HTTP_HTTP_OCTETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    HTTP_OCTET_TOKEN = 1 << 0,  /* tchar */
    HTTP_OCTET_FIELD = 1 << 1,  /* field-vchar, SP and HTAB: what a field's value is made of */
    HTTP_OCTET_TARGET = 1 << 2, /* VCHAR without "#": what a request's target is made of */
    HTTP_OCTET_HOST = 1 << 3,   /* RFC 3986 §3.2.2, with the port's colon */
    HTTP_OCTET_ETAG = 1 << 4,   /* etagc: VCHAR without DQUOTE, and obs-text */
};

extern const uint8_t http_octet_classes[256];

static inline bool http_octet_is(uint8_t octet, uint8_t classes)
{
    return (http_octet_classes[octet] & classes) != 0;
}

/* Every octet of the class, which is one? True for an empty view. */
bool http_octets_are(struct bytes text, uint8_t class);

/* A token: at least one tchar and nothing else. */
bool http_is_token(struct bytes text);

/* Spaces and tabs off both ends (OWS). */
struct bytes http_trim(struct bytes text);

/* The value of a hexadecimal digit; -1 for any other octet. */
int http_hex_value(uint8_t octet);

/* DIGITs only, at least one, at most `max`; otherwise false and *out untouched. */
MUST_USE bool http_number(struct bytes text, uint64_t max, uint64_t *out);

#endif

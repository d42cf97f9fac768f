/* SPDX-License-Identifier: ISC */
/* robots.h - the Robots Exclusion Protocol (RFC 9309): which paths of a host a crawler may ask for. */
#ifndef WN_WIRE_HTML_ROBOTS_H
#define WN_WIRE_HTML_ROBOTS_H

#include <stdbool.h>

#include "base/bytes.h"

enum {
    ROBOTS_MAX = 512 * 1024, /* octets that are looked at (§2.5: at least 500 KiB) */
    ROBOTS_RULE_MAX = 2048,  /* of a path in a rule; a longer one allows nothing and forbids nothing */
};

/* May who calls himself `product` ask for the target (path and query)? `text` is the file, of any octets. */
bool robots_allow(struct bytes text, const char *product, struct bytes target);

#endif

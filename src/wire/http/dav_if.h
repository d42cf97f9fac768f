/* SPDX-License-Identifier: ISC */
/*
 * dav_if.h - the field If of WebDAV (RFC 4918 §10.4): lists of conditions, of which one has to hold.
 */
#ifndef WN_WIRE_HTTP_DAV_IF_H
#define WN_WIRE_HTTP_DAV_IF_H

#include <stdbool.h>

#include "base/bytes.h"

struct dav_if_condition {
    struct bytes resource; /* the URI that the list is about; empty: the one of the request */
    bool negated;
    bool is_etag;
    struct bytes token;    /* a state token, without its angle brackets; or an entity tag, with its quotes */
};

enum dav_if { DAV_IF_FAILS, DAV_IF_HOLDS, DAV_IF_MALFORMED };

/* Asks `holds` for each condition, negation aside, until one list holds. */
MUST_USE enum dav_if dav_if_check(struct bytes value,
                                  bool (*holds)(void *self, const struct dav_if_condition *condition),
                                  void *self);

#endif

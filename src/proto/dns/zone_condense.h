/* SPDX-License-Identifier: ISC */
/*
 * zone_condense.h - several changes of a zone as one, without what came and went in between
 * (RFC 1995 §5).
 */
#ifndef WN_PROTO_DNS_ZONE_CONDENSE_H
#define WN_PROTO_DNS_ZONE_CONDENSE_H

#include "proto/dns/zone_history.h"

/* All changes from `first` on, into *out, which is empty. ZONE_OK, ZONE_FULL (more than *out may hold) or
 * ZONE_NO_MEMORY, with some of them in it. */
MUST_USE enum zone_result zone_condense(const struct zone_history *history,
                                        const struct zone_change *first, struct zone_change *out);

#endif

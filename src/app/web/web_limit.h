/* SPDX-License-Identifier: ISC */
/*
 * web_limit.h - how much one address may have: requests at a rate, connections at a time. An address
 * of IPv6 counts by its first 64 bits, which one household has.
 */
#ifndef WN_APP_WEB_WEB_LIMIT_H
#define WN_APP_WEB_WEB_LIMIT_H

#include "base/address.h"
#include "base/list.h"
#include "base/map.h"
#include "base/siphash.h"
#include "base/usec.h"
#include "io/workers.h"

enum { WEB_ACCOUNTS_MAX = 65536 }; /* then the one that was quiet longest goes */

struct web_account;

/* All that is done to it is done under its lock: the workers of a server share one. */
struct web_limit {
    struct lock lock;
    struct map map;
    struct list_node accounts; /* quiet longest first */
    struct siphash_key key;
};

void web_limit_init(struct web_limit *limit, const struct heap *heap, uint64_t random);
void web_limit_done(struct web_limit *limit);

/* A request came: true when it keeps within `rate` a second and `burst` above. Without memory for an
 * account it does. */
MUST_USE bool web_limit_request(struct web_limit *limit, const struct ip_address *from,
                                uint32_t rate, uint32_t burst, usec now);

/* A connection came: true when there are no more than `max` of that address with it. Each one that was
 * let in has to be let go. */
MUST_USE bool web_limit_enter(struct web_limit *limit, const struct ip_address *from, uint32_t max);
void web_limit_leave(struct web_limit *limit, const struct ip_address *from);

#endif

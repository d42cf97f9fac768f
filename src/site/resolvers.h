/* SPDX-License-Identifier: ISC */
/* resolvers.h - the name servers that the host itself asks (resolv.conf(5)). */
#ifndef WN_SITE_RESOLVERS_H
#define WN_SITE_RESOLVERS_H

#include "base/address.h"

/* The first `max` of them, in order, without repetitions. Lines that cannot be used (a zone index
 * that only the host knows) are passed over. Returns how many. */
size_t resolvers_parse(struct bytes content, struct endpoint *out, size_t max);

/* Of /etc/resolv.conf; 0 also when there is none. */
size_t resolvers_of_host(struct endpoint *out, size_t max);

#endif

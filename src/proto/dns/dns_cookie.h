/* SPDX-License-Identifier: ISC */
/*
 * dns_cookie.h - server cookies that all servers of an anycast address make alike (RFC 7873;
 * RFC 9018 §4): a client that sends one back is where it says it is.
 */
#ifndef WN_PROTO_DNS_DNS_COOKIE_H
#define WN_PROTO_DNS_DNS_COOKIE_H

#include "base/address.h"
#include "base/siphash.h"

enum {
    COOKIE_CLIENT_LEN = 8,
    COOKIE_LEN = 24,         /* the client's part and ours */
    COOKIE_OPTION_MIN = 16,  /* of a whole cookie by anybody: RFC 7873 §4 */
    COOKIE_OPTION_MAX = 40,
    COOKIE_VALID_FOR = 3600, /* seconds, RFC 9018 §4.3 */
    COOKIE_AHEAD_MAX = 300,  /* of a server whose clock is ahead */
    COOKIE_RENEW_AFTER = 1800,
};

/* The one that makes cookies, and one that is still known while it is being replaced (RFC 9018 §5). */
struct cookie_secrets {
    struct siphash_key active;
    struct siphash_key previous;
    bool has_previous;
};

enum cookie_verdict {
    COOKIE_MALFORMED,   /* the option has a length that none has: FORMERR (RFC 7873 §5.2.2) */
    COOKIE_CLIENT_ONLY, /* or one of ours that does not hold */
    COOKIE_VALID,
};

/* `option`: the value that came; `now`: seconds since 1970 modulo 2^32. `out` takes the cookie for
 * the reply, unless it is malformed. */
enum cookie_verdict cookie_check(const struct cookie_secrets *secrets, struct bytes option,
                                 const struct ip_address *client, uint32_t now,
                                 uint8_t out[COOKIE_LEN]);

#endif

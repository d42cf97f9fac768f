/* SPDX-License-Identifier: ISC */
/*
 * rate_limit.h - limits how often the same is said to the same network, so that a server is of no use
 * to those who send queries in the name of their victim. Replies that are alike share an account: of
 * one name, of all names that do not exist in a zone, of errors.
 *
 * Accounts lie in a table of fixed size by a keyed hash, four to a bucket; a new one takes the place
 * of the one in its bucket that has been quiet longest. Two networks may come to share one, seldom.
 * Of what is not said a share is said as "ask by TCP" (slip), so that the victim himself is heard.
 */
#ifndef WN_PROTO_DNS_RATE_LIMIT_H
#define WN_PROTO_DNS_RATE_LIMIT_H

#include "base/address.h"
#include "base/heap.h"
#include "base/siphash.h"
#include "base/usec.h"

enum {
    RATE_LIMIT_ACCOUNTS = 1 << 16,
    RATE_LIMIT_MAX = 1000000, /* a second */
    RATE_LIMIT_SLIP_MAX = 10,
};

struct rate_limit_options {
    uint32_t per_second;  /* 1 to RATE_LIMIT_MAX; as many at once */
    uint8_t slip;         /* every so many-th is a truncated reply; 0: none is */
    uint8_t prefix_len_v4; /* of the networks, in bits */
    uint8_t prefix_len_v6;
    struct siphash_key key; /* not to be guessed */
};

struct rate_limit;

/* NULL: no memory. */
MUST_USE struct rate_limit *rate_limit_new(const struct heap *heap,
                                           const struct rate_limit_options *options);
void rate_limit_free(struct rate_limit *limit);

enum rate_verdict { RATE_SEND, RATE_SLIP, RATE_DROP };

/* A reply to that client is due. `kind` and `source` say what it amounts to (answer.h). */
enum rate_verdict rate_limit_check(struct rate_limit *limit, const struct ip_address *client,
                                   unsigned kind, const void *source, usec now);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * guesses.h - how often an address may be wrong about a password: GUESSES_MAX times at once, and once more every
 * GUESSES_INTERVAL. An address of IPv6 counts by its first 64 bits.
 *
 * Accounts lie in a table of fixed size by a keyed hash; two addresses may come to share one, seldom, and none is
 * ever forgotten for want of room.
 */
#ifndef WN_BASE_GUESSES_H
#define WN_BASE_GUESSES_H

#include "base/address.h"
#include "base/siphash.h"
#include "base/usec.h"

enum { GUESSES_ACCOUNTS = 1024, GUESSES_MAX = 20 };
#define GUESSES_INTERVAL (5 * USEC_PER_SEC)

/* All octets zero but for the key, which must not be guessed, is one without accounts. */
struct guesses {
    struct siphash_key key;
    usec paid_until[GUESSES_ACCOUNTS]; /* all wrong ones so far are within the rate from then on */
};

/* May it try? What was not looked at need not be counted. */
bool guesses_left(const struct guesses *guesses, const struct ip_address *who, usec now);

/* It was wrong. */
void guesses_wrong(struct guesses *guesses, const struct ip_address *who, usec now);

#endif

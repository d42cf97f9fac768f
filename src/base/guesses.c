/* SPDX-License-Identifier: ISC */
/* guesses.c - a virtual clock for each account, which each wrong guess moves on. */
#include "base/guesses.h"

static size_t account_of(const struct guesses *guesses, const struct ip_address *who)
{
    size_t len = address_is_v4(who) ? sizeof who->octets : 8;
    return siphash13(&guesses->key, bytes_of(who->octets, len)) % GUESSES_ACCOUNTS;
}

bool guesses_left(const struct guesses *guesses, const struct ip_address *who, usec now)
{
    return guesses->paid_until[account_of(guesses, who)] <=
           now + (GUESSES_MAX - 1) * GUESSES_INTERVAL;
}

void guesses_wrong(struct guesses *guesses, const struct ip_address *who, usec now)
{
    usec *paid_until = &guesses->paid_until[account_of(guesses, who)];
    if (*paid_until < now)
        *paid_until = now;
    *paid_until += GUESSES_INTERVAL;
}

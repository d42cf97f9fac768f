/* SPDX-License-Identifier: ISC */
/*
 * tcp_user_timeout.c - how long there may be no progress (RFC 9293 §3.8.3, R2 as a time), and telling the
 * peer, so that both wait as long (RFC 5482). Names of that RFC: USER_TIMEOUT is what the application
 * has wished, and where it has, nothing that the peer says changes it (CHANGEABLE false); ADV_UTO is
 * profile->user_timeout_told, 0: not ENABLED.
 *
 * SKIPS RFC 5482 §3.3: what a SYN that comes to a listener tells. The entry of a half-open connection has no
 * room for it; the option need not be exchanged reliably, and may come again with any segment.
 * SKIPS RFC 5482 §4.2: keepalive is not switched off. Its probes are two hours apart, unless the
 * application has wished both.
 */
#include "stack/tcp/internal.h"

#define LIMIT_LOW (100 * USEC_PER_SEC) /* L_LIMIT, §3.1: R2 of RFC 9293 at least */
#define LIMIT_HIGH USEC_PER_HOUR       /* U_LIMIT: a stranger cannot make us keep more for longer (§6) */

enum { MINUTES = 1 << 15, VALUE_MAX = MINUTES - 1 };

usec tcp_user_timeout(const struct tcp_connection *c)
{
    const struct tcp_profile *profile = c->profile;
    if (profile->user_timeout != 0 || profile->user_timeout_told == 0)
        return profile->user_timeout;
    /* §3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)) */
    usec most = usec_max(profile->user_timeout_told, c->extra->peer_user_timeout * USEC_PER_SEC);
    return usec_min(LIMIT_HIGH, usec_max(most, LIMIT_LOW));
}

/* §3.2: whole seconds, or minutes where these do not fit, never less than is meant; 0 is reserved. */
static uint16_t field_of(usec timeout)
{
    usec seconds = (timeout + USEC_PER_SEC - 1) / USEC_PER_SEC;
    if (seconds <= VALUE_MAX)
        return (uint16_t)seconds;
    usec minutes = (timeout + USEC_PER_MINUTE - 1) / USEC_PER_MINUTE;
    return (uint16_t)(MINUTES | (minutes < VALUE_MAX ? minutes : VALUE_MAX));
}

void tcp_user_timeout_tell(struct tcp_connection *c, struct tcp_options *out)
{
    struct tcp_options with = *out;
    if (c->profile->user_timeout_told == 0) {
        c->user_timeout_due = false;
        return;
    }
    with.present |= TCP_HAS_USER_TIMEOUT;
    with.user_timeout = field_of(c->profile->user_timeout_told);
    /* §3.3: there may be a later occasion. */
    c->user_timeout_due = tcp_options_len(&with) > TCP_OPTIONS_MAX;
    if (!c->user_timeout_due)
        *out = with;
}

void tcp_user_timeout_heard(struct tcp_connection *c, const struct tcp_options *options)
{
    uint32_t value = options->user_timeout & VALUE_MAX;
    bool minutes = (options->user_timeout & MINUTES) != 0;
    if (c->profile->user_timeout_told == 0 || value == 0 || !tcp_extra_begin(c))
        return;
    c->extra->peer_user_timeout = minutes ? value * 60 : value;
}

/* SPDX-License-Identifier: ISC */
/*
 * tcp_syn_cookie.c - SYN cookies (RFC 4987 §3.6, appendix A): when the SYN queue is full, nothing is
 * remembered of a SYN. What has to be known stands in the initial sequence number of the SYN,ACK,
 * which comes back in the ACK:
 *
 *      bits 31-29  the peer's MSS, as an index of a table
 *      bit 28      whether the period is an odd one; a cookie is good in its own and the next
 *      bits 27-0   SipHash-2-4 of both endpoints, the peer's ISN, and all of that, under a secret
 *
 * and, where there are timestamps, in the low bits of the SYN,ACK's, which the ACK echoes: window
 * scale, SACK and ECN. Without timestamps they are given up.
 */
#include "stack/tcp/internal.h"

enum {
    MAC_BITS = 28,
    MAC_MASK = (1 << MAC_BITS) - 1,
    INDEX_SHIFT = 29,
    STAMP_BITS = 6,             /* of the timestamp: */
    STAMP_MASK = (1 << STAMP_BITS) - 1,
    STAMP_NO_SCALE = 15,        /* 0 to 14: the scale */
    STAMP_SACK = 1 << 4,
    STAMP_ECN = 1 << 5,
    STAMP_NONE = 1 << STAMP_BITS, /* no timestamps: as one of the things that are hashed */
};

#define PERIOD (64 * USEC_PER_SEC)

/* What peers say most, from what is tolerable to what jumbo frames carry. */
static const uint16_t sizes[8] = {TCP_MSS_MIN, 536, 1220, 1360, 1400, 1440, 1460, 8960};

struct hashed {
    struct ip_address local, remote;
    uint16_t local_port, remote_port;
    uint32_t irs;
    uint32_t period;
    uint16_t index;
    uint16_t stamp;
};
_Static_assert(sizeof(struct hashed) == 48, "hashed as octets: no padding");

static uint32_t make(const struct stack *stack, const struct hashed *what)
{
    uint64_t hash = siphash24(&stack->tcp->cookie_key, bytes_of(what, sizeof *what));
    return (uint32_t)what->index << INDEX_SHIFT | (what->period & 1) << MAC_BITS |
           ((uint32_t)hash & MAC_MASK);
}

static uint32_t period_of(const struct stack *stack)
{
    return (uint32_t)(stack->now / PERIOD);
}

bool tcp_syn_cookie_wanted(const struct tcp_listener *listener)
{
    uint8_t when = listener->profile->syn_cookies;
    return when == TCP_SYN_COOKIES_ALWAYS ||
           (when == TCP_SYN_COOKIES_WHEN_FULL && tcp_half_open_full(listener));
}

static unsigned index_of(uint16_t mss)
{
    unsigned index = ARRAY_LEN(sizes) - 1;
    while (index > 0 && sizes[index] > mss)
        index--;
    return index;
}

/* Makes the timestamp of the SYN,ACK, at most the one that it would have, say it. */
static void put_stamp(struct tcp_connection *c, unsigned stamp)
{
    uint32_t now = tcp_timestamp(c);
    uint32_t value = (now & ~(uint32_t)STAMP_MASK) | stamp;
    if (value > now)
        value -= STAMP_MASK + 1;
    c->ts_offset -= now - value;
}

void tcp_syn_cookie_send(struct tcp_draft *draft)
{
    struct tcp_connection *c = &draft->c;
    struct stack *stack = c->stack;
    unsigned stamp = STAMP_NONE;
    if (c->timestamps) {
        stamp = (c->scaling ? c->snd_scale : STAMP_NO_SCALE) | (c->sack ? STAMP_SACK : 0u) |
                (c->ecn ? STAMP_ECN : 0u);
        put_stamp(c, stamp);
    } else {
        c->sack = c->scaling = c->ecn = c->ecn_marks = false;
    }
    struct hashed what = {
        .local = c->local.address,
        .remote = c->remote.address,
        .local_port = c->local.port,
        .remote_port = c->remote.port,
        .irs = c->irs.n,
        .period = period_of(stack),
        .index = (uint16_t)index_of(c->peer_mss),
        .stamp = (uint16_t)stamp,
    };
    if (tcp_half_open_full(c->listener))
        stack->counters.tcpReqQFullDoCookies++;
    stack->counters.tcpSyncookiesSent++;
    stack->tcp->cookies_until = ((usec)what.period + 2) * PERIOD;
    c->iss = seq_of(make(stack, &what));
    c->state = TCP_SYN_RECEIVED;
    tcp_open_sending(c);
    tcp_half_open_answer(draft);
}

/* What the timestamp that is echoed says; STAMP_NONE: there is none. */
static unsigned stamp_of(const struct tcp_profile *profile, const struct tcp_options *options)
{
    if (!profile->timestamps || !(options->present & TCP_HAS_TIMESTAMPS))
        return STAMP_NONE;
    return options->timestamp_echo & STAMP_MASK;
}

static bool genuine(const struct stack *stack, const struct tcp_segment *seg, struct hashed *what)
{
    uint32_t cookie = seg->header.acknowledgement - 1;
    uint32_t now = period_of(stack);
    what->local = seg->packet->target;
    what->remote = seg->packet->source;
    what->local_port = seg->header.target_port;
    what->remote_port = seg->header.source_port;
    what->irs = seg->header.sequence - 1;
    what->period = now - ((now ^ cookie >> MAC_BITS) & 1);
    what->index = (uint16_t)(cookie >> INDEX_SHIFT);
    return make(stack, what) == cookie;
}

bool tcp_syn_cookie_check(const struct tcp_listener *listener, const struct tcp_segment *seg,
                          struct tcp_entry *out)
{
    struct stack *stack = listener->stack;
    const struct tcp_profile *profile = listener->profile;
    if (profile->syn_cookies == TCP_SYN_COOKIES_OFF || stack->now >= stack->tcp->cookies_until)
        return false; /* none that was given can be good any more: strangers need not guess */
    unsigned stamp = stamp_of(profile, &seg->header.options);
    struct hashed what = {.stamp = (uint16_t)stamp};
    if (!genuine(stack, seg, &what)) {
        stack->counters.tcpSyncookiesFailed++;
        return false;
    }
    stack->counters.tcpSyncookiesRecv++;
    bool ecn = stamp != STAMP_NONE && (stamp & STAMP_ECN) != 0;
    bool scaling = stamp != STAMP_NONE && (stamp & 15) != STAMP_NO_SCALE;
    *out = (struct tcp_entry){
        .local = what.local,
        .remote = what.remote,
        .local_port = what.local_port,
        .remote_port = what.remote_port,
        .since = (uint32_t)stack->now,
        .timestamps = stamp != STAMP_NONE,
        .sack = stamp != STAMP_NONE && (stamp & STAMP_SACK) != 0,
        .scaling = scaling,
        .snd_scale = scaling ? stamp & 15 : 0,
        .rcv_scale = scaling ? tcp_syn_scale(profile, profile->receive_buffer) & 15 : 0,
        .ts_recent = seg->header.options.timestamp_value,
        .u.syn = {.irs = what.irs,
                  .iss = seg->header.acknowledgement - 1,
                  .peer_mss = sizes[what.index],
                  .ecn = ecn,
                  .ecn_marks = ecn,
                  .forgotten = true},
    };
    return true;
}

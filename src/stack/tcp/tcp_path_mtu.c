/* SPDX-License-Identifier: ISC */
/*
 * tcp_path_mtu.c - how large a packet the path carries: what routers say (RFC 1191), and, where they say
 * nothing, what is found out by sending (RFC 4821): segments that vanish time and again are made
 * smaller, and a larger one that arrives allows more.
 *
 * A probe is a segment of the stream. When it alone is lost it was too large, which says nothing of
 * congestion (RFC 4821 §7.6.2).
 */
#include "stack/tcp/internal.h"
#include "wire/inet/ipv4.h"

enum {
    SEARCH_ENOUGH = 8,      /* octets: nothing is to be gained by a closer look */
    PROBE_WINDOW_MIN = 8,   /* segments of cwnd: to lose one of fewer would be noticed too late */
    IPV6_MTU_MIN = 1280,    /* every link has it (RFC 8200 §5) */
};

static uint32_t headers_len(const struct tcp_connection *c)
{
    uint32_t ip = address_is_v4(&c->remote.address) ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    return ip + TCP_HEADER_LEN;
}

/* Never less by our own guess. */
static uint32_t floor_of(const struct tcp_connection *c)
{
    return address_is_v4(&c->remote.address) ? TCP_PATH_MTU_MIN : IPV6_MTU_MIN;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* As routers have said. */
static uint32_t told_mtu(struct tcp_connection *c, uint32_t mtu)
{
    if (c->path_mtu == 0)
        return mtu;
    /* RFC 1191 §6.3: after a while the path may have become better. */
    usec learned_at = (usec)c->path_mtu_at * USEC_PER_SEC;
    if (c->stack->now - learned_at > c->profile->path_mtu_interval)
        c->path_mtu = 0;
    return c->path_mtu != 0 ? smaller(c->path_mtu, mtu) : mtu;
}

uint32_t tcp_path_mtu(struct tcp_connection *c, uint32_t mtu)
{
    uint32_t told = told_mtu(c, mtu);
    return UNLIKELY(c->mtu_search) ? smaller(c->extra->search_use, told) : told;
}

/* ---- what routers say ---- */

/* RFC 1191 §7.1: the next lower of the sizes that networks have, for routers that do not say. */
static uint32_t plateau_below(uint32_t mtu)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};
    for (size_t i = 0; i < ARRAY_LEN(plateaus); i++)
        if (plateaus[i] < mtu)
            return plateaus[i];
    return 68;
}

/* What was too big did not arrive, which says nothing of congestion (RFC 1191 §6.5). */
static void send_smaller(struct tcp_connection *c)
{
    if (c->state == TCP_SYN_SENT && c->syn_text > 0) { /* without text it fits */
        c->syn_wanted = true;
        tcp_wake(c);
    } else if (c->state != TCP_SYN_SENT && c->state != TCP_SYN_RECEIVED) {
        tcp_sent_mark_all_lost(c);
        c->retransmit_forced = true;
        tcp_wake(c);
    }
}

void tcp_path_mtu_lowered(struct tcp_connection *c, uint32_t mtu)
{
    struct route_choice route;
    uint8_t mode = c->profile->path_mtu_discovery;
    if (mode == TCP_PATH_MTU_DONT || mode == TCP_PATH_MTU_PROBE)
        return; /* without DF nobody can mean us; or nobody is believed */
    if (!ip_route(c->stack, &c->remote.address, &route))
        return;
    uint32_t current = tcp_path_mtu(c, route.mtu);
    if (UNLIKELY(c->mtu_search) && c->extra->mtu_probe > current)
        current = c->extra->mtu_probe; /* it may be that which was too big */
    if (mtu == 0)
        mtu = plateau_below(current);
    if (mtu < TCP_PATH_MTU_MIN) {
        c->may_fragment = true;
        mtu = TCP_PATH_MTU_MIN;
    }
    if (mtu >= current && !c->may_fragment)
        return;
    if (mtu < current)
        c->path_mtu = (uint16_t)mtu;
    c->path_mtu_at = (uint32_t)(c->stack->now / USEC_PER_SEC);
    if (UNLIKELY(c->mtu_search))
        c->extra->mtu_probe = 0;
    tcp_destination_store(c);
    send_smaller(c);
}

/* ---- what is found out ---- */

static bool may_search(const struct tcp_connection *c)
{
    return c->profile->path_mtu_probing != TCP_PROBING_OFF &&
           c->profile->path_mtu_discovery != TCP_PATH_MTU_DONT && !c->may_fragment;
}

/* Nothing larger makes sense: the interface's, what routers say, what the peer takes. */
static uint32_t ceiling(struct tcp_connection *c, uint32_t route_mtu)
{
    uint32_t mss = c->peer_mss;
    if (c->profile->mss_max != 0)
        mss = smaller(mss, c->profile->mss_max);
    return smaller(told_mtu(c, route_mtu), mss + headers_len(c));
}

static void begin(struct tcp_connection *c, uint32_t use)
{
    struct tcp_extra *extra = c->extra;
    c->mtu_search = true;
    extra->search_use = (uint16_t)use;
    extra->search_low = (uint16_t)smaller(use, c->profile->path_mtu_base);
    extra->search_high = UINT16_MAX;
    extra->search_at = (uint32_t)(c->stack->now / USEC_PER_SEC);
}

/* What an earlier connection has found out (RFC 4821 §5.3). */
void tcp_path_search_recalled(struct tcp_connection *c, uint32_t mtu)
{
    if (may_search(c) && tcp_extra_begin(c))
        begin(c, mtu);
}

/* A passive opener begins with what the interface has, as on Linux: the peer's SYN has come through,
 * and a black hole is noticed all the same. */
void tcp_path_search_established(struct tcp_connection *c)
{
    struct route_choice route;
    if (LIKELY(c->profile->path_mtu_probing != TCP_PROBING_ALWAYS) || !may_search(c) ||
        !ip_route(c->stack, &c->remote.address, &route) || !tcp_extra_begin(c))
        return;
    uint32_t most = ceiling(c, route.mtu);
    begin(c, c->passive ? most : smaller(most, c->profile->path_mtu_base));
}

/* c->mss follows. */
static void take_size(struct tcp_connection *c)
{
    struct tcp_path path;
    (void)!tcp_path_find(c, &path);
}

/* RFC 4821 §7.7: full segments have not been answered several times in a row. Twice the size is
 * lowered; when the least does not arrive either, it is no matter of size. */
void tcp_path_black_hole(struct tcp_connection *c)
{
    struct route_choice route;
    const struct tcp_sent *first = c->sending->first;
    if (first == NULL || !may_search(c) || !ip_route(c->stack, &c->remote.address, &route))
        return;
    uint32_t current = smaller(tcp_path_mtu(c, route.mtu), ceiling(c, route.mtu));
    uint32_t base = c->profile->path_mtu_base;
    uint32_t lower = base < current ? base : floor_of(c);
    /* Would it make a difference? */
    if (lower >= current || tcp_sent_len(first) + headers_len(c) <= lower || !tcp_extra_begin(c))
        return;
    if (!c->mtu_search)
        begin(c, lower);
    c->extra->search_use = (uint16_t)lower;
    c->extra->search_low = (uint16_t)lower;
    c->extra->search_high = (uint16_t)ceiling(c, route.mtu);
    c->extra->search_again = true;
    c->extra->search_black = true;
    c->extra->search_proved = false;
    c->extra->mtu_probe = 0;
    c->stack->counters.tcpPathMtuBlackHoles++;
    take_size(c);
}

void tcp_path_probe_timed_out(struct tcp_connection *c)
{
    c->extra->mtu_probe = 0; /* who knows what was lost */
}

/* The size to try next; 0: none. */
static uint32_t next_probe(struct tcp_connection *c, uint32_t route_mtu)
{
    struct tcp_extra *extra = c->extra;
    uint32_t most = ceiling(c, route_mtu);
    uint32_t now = (uint32_t)(c->stack->now / USEC_PER_SEC);
    uint32_t high = smaller(extra->search_high, most);
    uint32_t worth = (uint32_t)extra->search_low + SEARCH_ENOUGH;
    if (high < worth &&
        (usec)(now - extra->search_at) * USEC_PER_SEC > c->profile->path_mtu_interval) {
        extra->search_high = UINT16_MAX; /* RFC 4821 §7.5: the path may have become better */
        extra->search_at = now;
        high = most;
    }
    if (high < worth)
        return 0;
    /* After a black hole what was before is tried first: perhaps it was only an outage. */
    uint32_t size = extra->search_again ? high : (extra->search_low + high) / 2;
    return size > extra->search_use ? size : 0;
}

/* RFC 4821 §7.4: there must be enough behind the probe for its loss to be noticed. */
static bool probe_makes_sense(const struct tcp_connection *c, const struct tcp_path *path,
                              uint32_t len)
{
    uint32_t unsent = c->fin_sent ? 0 : (uint32_t)seq_diff(c->snd_end, c->snd_nxt);
    uint32_t needed = len + (c->reordering + 1u) * path->mss;
    return c->recovery == TCP_OPEN && c->sending->sacked == 0 && c->sending->lost == 0 &&
           !c->sending->probe_wanted && c->cwnd >= PROBE_WINDOW_MIN * path->mss &&
           unsent >= needed && c->snd_wnd >= tcp_flight(c) + needed;
}

enum tcp_probe_step tcp_path_probe(struct tcp_connection *c, const struct tcp_path *path,
                                   struct tcp_path *out)
{
    uint32_t size = c->extra->mtu_probe == 0 ? next_probe(c, path->route.mtu) : 0;
    if (size == 0)
        return TCP_PROBE_NONE;
    uint32_t len = size - headers_len(c) - (c->timestamps ? TCP_TIMESTAMPS_LEN : 0);
    if (len <= path->mss || !probe_makes_sense(c, path, len))
        return TCP_PROBE_NONE;
    uint32_t pipe = tcp_pipe(c);
    if (pipe + len > c->cwnd)
        return pipe > 0 ? TCP_PROBE_WAIT : TCP_PROBE_NONE;
    *out = *path;
    out->mss = len;
    out->burst_max = out->frame_max = len;
    out->probe = (uint16_t)size;
    return TCP_PROBE_SEND;
}

void tcp_path_probe_sent(struct tcp_connection *c, const struct tcp_path *path, struct seq start)
{
    c->extra->mtu_probe = path->probe;
    c->extra->mtu_probe_start = start;
    c->extra->mtu_probe_end = c->snd_nxt;
}

void tcp_path_search_acked(struct tcp_connection *c)
{
    struct tcp_extra *extra = c->extra;
    bool news = extra->search_black && !extra->search_proved;
    extra->search_proved = true;
    if (extra->mtu_probe == 0 || seq_before(c->snd_una, extra->mtu_probe_end)) {
        if (news)
            tcp_destination_store(c);
        return;
    }
    extra->search_low = extra->mtu_probe;
    extra->search_use = extra->mtu_probe;
    extra->search_again = false;
    extra->mtu_probe = 0;
    take_size(c);
    tcp_destination_store(c);
}

bool tcp_path_probe_lost(struct tcp_connection *c)
{
    struct tcp_extra *extra = c->extra;
    struct tcp_sent *first = c->sending->first;
    if (first == NULL || !seq_equal(first->start, extra->mtu_probe_start) ||
        !seq_equal(first->end, extra->mtu_probe_end) ||
        c->sending->lost > tcp_sent_len(first)) {
        extra->mtu_probe = 0; /* others are lost too: it tells nothing */
        return false;
    }
    extra->search_high = (uint16_t)(extra->mtu_probe - 1);
    extra->search_at = (uint32_t)(c->stack->now / USEC_PER_SEC);
    extra->search_again = false;
    extra->mtu_probe = 0;
    if (!(first->flags & TCP_SENT_LOST))
        tcp_sent_lose(c, first);
    c->dup_acks = 0;
    c->recover = c->snd_nxt; /* duplicates that it has caused are not of another loss */
    c->retransmit_forced = true;
    return true;
}

/* SPDX-License-Identifier: ISC */
/*
 * tcp_options.c - an application's wishes: changes to its connection's profile, which becomes a copy
 * by that. What a listener was told its connections inherit; they share one copy until one of them
 * wishes something else.
 */
#include <stddef.h>

#include "stack/tcp/internal.h"

enum { BOOL, U8, U16, U32, U64, USEC };

#define FIELD(type, member, least, most)                                                           \
    {type, offsetof(struct tcp_profile, member), least, most}

static const struct {
    uint8_t type;
    size_t offset;
    uint64_t least;
    uint64_t most;
} fields[] = {
    [TCP_OPTION_NODELAY] = FIELD(BOOL, nodelay, 0, 1),
    [TCP_OPTION_CORK] = FIELD(BOOL, cork, 0, 1),
    [TCP_OPTION_QUICK_ACK] = FIELD(U8, quick_acks, 0, 1),
    [TCP_OPTION_MSS_MAX] = FIELD(U16, mss_max, 0, 32767),
    [TCP_OPTION_KEEPALIVE] = FIELD(BOOL, keepalive, 0, 1),
    [TCP_OPTION_KEEPALIVE_IDLE] =
        FIELD(USEC, keepalive_idle, USEC_PER_SEC, 32767 * USEC_PER_SEC),
    [TCP_OPTION_KEEPALIVE_INTERVAL] =
        FIELD(USEC, keepalive_interval, USEC_PER_SEC, 32767 * USEC_PER_SEC),
    [TCP_OPTION_KEEPALIVE_PROBES] = FIELD(U8, keepalive_probes, 1, 127),
    [TCP_OPTION_SYN_RETRIES] = FIELD(U8, syn_retries, 1, 127),
    [TCP_OPTION_RETRIES] = FIELD(U8, retries, 0, 255),
    [TCP_OPTION_ORPHAN_RETRIES] = FIELD(U8, orphan_retries, 0, 255),
    [TCP_OPTION_USER_TIMEOUT] = FIELD(USEC, user_timeout, 0, UINT32_MAX * USEC_PER_MSEC),
    [TCP_OPTION_RTO_MIN] = FIELD(USEC, rto_min, USEC_PER_MSEC, 120 * USEC_PER_SEC),
    [TCP_OPTION_RTO_MAX] = FIELD(USEC, rto_max, USEC_PER_SEC, 120 * USEC_PER_SEC),
    [TCP_OPTION_DELAYED_ACK] = FIELD(USEC, delayed_ack, 1, USEC_PER_SEC / 2),
    [TCP_OPTION_FIN_WAIT_2] = FIELD(USEC, fin_wait_2, 0, 120 * USEC_PER_SEC),
    [TCP_OPTION_DEFER_ACCEPT] = FIELD(USEC, defer_accept, 0, USEC_PER_DAY),
    [TCP_OPTION_WINDOW_CLAMP] = FIELD(U32, window_clamp, 0, TCP_BUFFER_MAX),
    [TCP_OPTION_NOT_SENT_LOW] = FIELD(U32, not_sent_low, 0, UINT32_MAX),
    [TCP_OPTION_RECEIVE_LOW] = FIELD(U32, receive_low, 0, TCP_BUFFER_MAX),
    [TCP_OPTION_RECEIVE_BUFFER] =
        FIELD(U32, receive_buffer, TCP_BUFFER_MIN, TCP_BUFFER_MAX),
    [TCP_OPTION_SEND_BUFFER] = FIELD(U32, send_buffer, TCP_BUFFER_MIN, TCP_BUFFER_MAX),
    [TCP_OPTION_TTL] = FIELD(U8, ttl, 0, 255),
    [TCP_OPTION_TRAFFIC_CLASS] = FIELD(U8, traffic_class, 0, 255),
    [TCP_OPTION_PATH_MTU_DISCOVERY] =
        FIELD(U8, path_mtu_discovery, 0, TCP_PATH_MTU_COUNT - 1),
    [TCP_OPTION_ECN] = FIELD(U8, ecn, 0, TCP_ECN_COUNT - 1),
    [TCP_OPTION_FAST_OPEN] = FIELD(U32, fast_open, 0, 31),
    [TCP_OPTION_PACING_RATE_MAX] = FIELD(U64, pacing_rate_max, 0, UINT64_MAX),
    [TCP_OPTION_URGENT_IN_LINE] = FIELD(BOOL, urgent_in_line, 0, 1),
    [TCP_OPTION_STATISTICS] = FIELD(BOOL, statistics, 0, 1),
    [TCP_OPTION_CONGESTION] = FIELD(U8, congestion, 0, TCP_CONGESTION_COUNT - 1),
    [TCP_OPTION_FAST_OPEN_QUEUE] = FIELD(U32, fast_open_queue, 0, 65535),
    [TCP_OPTION_TTL_MIN] = FIELD(U8, ttl_min, 0, 255),
    [TCP_OPTION_USER_TIMEOUT_TOLD] = FIELD(USEC, user_timeout_told, 0, USEC_PER_DAY),
    [TCP_OPTION_DIRECT] = FIELD(BOOL, direct, 0, 1),
    [TCP_OPTION_RTO_INITIAL] = FIELD(USEC, rto_initial, USEC_PER_MSEC, 120 * USEC_PER_SEC),
    [TCP_OPTION_SYN_COOKIES] = FIELD(U8, syn_cookies, 0, TCP_SYN_COOKIES_COUNT - 1),
};
_Static_assert(ARRAY_LEN(fields) == TCP_OPTION_COUNT, "one row per option");

static void put(struct tcp_profile *profile, enum tcp_option option, uint64_t value)
{
    char *at = (char *)profile + fields[option].offset;
    bool on = value != 0;
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    usec duration = (usec)value;
    switch (fields[option].type) {
    case BOOL:
        memcpy(at, &on, sizeof on);
        break;
    case U8:
        memcpy(at, &u8, sizeof u8);
        break;
    case U16:
        memcpy(at, &u16, sizeof u16);
        break;
    case U32:
        memcpy(at, &u32, sizeof u32);
        break;
    case U64:
        memcpy(at, &value, sizeof value);
        break;
    case USEC:
        memcpy(at, &duration, sizeof duration);
        break;
    }
}

static uint64_t get(const struct tcp_profile *profile, enum tcp_option option)
{
    const char *at = (const char *)profile + fields[option].offset;
    bool on;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (fields[option].type) {
    case BOOL:
        memcpy(&on, at, sizeof on);
        return on;
    case U8:
        memcpy(&u8, at, sizeof u8);
        return u8;
    case U16:
        memcpy(&u16, at, sizeof u16);
        return u16;
    case U32:
        memcpy(&u32, at, sizeof u32);
        return u32;
    default: /* U64, and USEC, which is as long and never negative here */
        memcpy(&u64, at, sizeof u64);
        return u64;
    }
}

static struct tcp_shared_profile *shared(const struct tcp_profile *profile)
{
    return CONTAINER_OF(profile, struct tcp_shared_profile, profile);
}

static void release(struct stack *stack, const struct tcp_profile *profile)
{
    struct tcp_shared_profile *copy = shared(profile);
    if (--copy->references == 0)
        heap_release(&stack->heap, copy, sizeof *copy);
}

/* A copy that only the caller has, in place of *profile; NULL: no memory. */
static struct tcp_profile *writable(struct stack *stack, const struct tcp_profile **profile,
                                    bool own)
{
    if (own && shared(*profile)->references == 1)
        return &shared(*profile)->profile;
    struct tcp_shared_profile *copy = heap_zeroed(&stack->heap, sizeof *copy);
    if (copy == NULL)
        return NULL;
    copy->profile = **profile;
    copy->references = 1;
    if (own)
        release(stack, *profile);
    *profile = &copy->profile;
    return &copy->profile;
}

void tcp_profile_inherit(struct tcp_connection *c, const struct tcp_listener *listener)
{
    c->profile = listener != NULL ? listener->profile : &c->stack->tcp->profile;
    c->own_profile = listener != NULL && listener->own_profile;
    if (c->own_profile)
        shared(c->profile)->references++;
    c->nodelay = c->profile->nodelay;
    c->cork = c->profile->cork;
    c->keepalive = c->profile->keepalive;
    c->urgent_in_line = c->profile->urgent_in_line;
    c->direct = c->profile->direct;
    c->receive_buffer = c->profile->receive_buffer;
    c->send_buffer = c->profile->send_buffer;
    c->rto = (uint32_t)c->profile->rto_initial;
    tcp_congestion_choose(c);
    if (c->profile->statistics)
        (void)!tcp_extra_begin(c);
}

void tcp_profile_release(struct tcp_connection *c)
{
    if (c->own_profile)
        release(c->stack, c->profile);
}

void tcp_listener_profile_release(struct tcp_listener *listener)
{
    if (listener->own_profile)
        release(listener->stack, listener->profile);
}

static bool in_range(enum tcp_option option, uint64_t value)
{
    if (option == TCP_OPTION_MSS_MAX && value != 0 && value < TCP_MSS_MIN)
        return false;
    return value >= fields[option].least && value <= fields[option].most;
}

/* Some wishes are about the handshake, and come too late when it is over. */
static bool too_late(const struct tcp_connection *c, enum tcp_option option, uint64_t value)
{
    if (c->state == TCP_SYN_SENT)
        return false;
    return option == TCP_OPTION_ECN || option == TCP_OPTION_FAST_OPEN ||
           option == TCP_OPTION_RTO_INITIAL ||
           (option == TCP_OPTION_WINDOW_CLAMP && value == 0 && c->profile->window_clamp != 0);
}

/* RFC 9293 §3.8.6.3 leaves it to us: at once for a while, or delayed from now on. */
static void set_quick_ack(struct tcp_connection *c, bool on)
{
    c->quick_acks = on ? TCP_QUICK_ACKS : 0;
    if (on && c->ack_pending)
        c->ack_now = true;
}

/* What so many applications wish that the connection has it itself. */
static bool put_here(struct tcp_connection *c, enum tcp_option option, uint64_t value)
{
    bool on = value != 0;
    switch ((unsigned)option) {
    case TCP_OPTION_NODELAY:
        c->nodelay = on;
        return true;
    case TCP_OPTION_CORK:
        c->cork = on;
        return true;
    case TCP_OPTION_KEEPALIVE:
        c->keepalive = on;
        return true;
    case TCP_OPTION_URGENT_IN_LINE:
        c->urgent_in_line = on;
        return true;
    case TCP_OPTION_DIRECT:
        c->direct = on;
        return true;
    case TCP_OPTION_QUICK_ACK:
        set_quick_ack(c, on);
        return true;
    case TCP_OPTION_RECEIVE_BUFFER:
        c->receive_buffer = (uint32_t)value;
        c->receive_fixed = true;
        return true;
    case TCP_OPTION_SEND_BUFFER:
        c->send_buffer = (uint32_t)value;
        c->send_fixed = true;
        return true;
    default:
        return false;
    }
}

/* What the wish means for what waits. */
static void apply(struct tcp_connection *c, enum tcp_option option, uint64_t value)
{
    if (c->state == TCP_CLOSED || option == TCP_OPTION_URGENT_IN_LINE)
        return;
    bool release = (option == TCP_OPTION_NODELAY && value != 0) ||
                   (option == TCP_OPTION_CORK && value == 0);
    if (release && seq_before(c->snd_nxt, c->snd_end) && c->snd_wnd > 0 && !c->shutdown)
        c->push_forced = true; /* what waited goes, corked or not; what comes may wait again */
    tcp_congestion_choose(c);
    if (option == TCP_OPTION_RTO_INITIAL)
        c->rto = (uint32_t)value;
    if (option == TCP_OPTION_USER_TIMEOUT_TOLD && value != 0)
        c->user_timeout_due = true;
    if (option == TCP_OPTION_STATISTICS && value != 0)
        (void)!tcp_extra_begin(c); /* without memory they begin later */
    bool opens = option == TCP_OPTION_RECEIVE_BUFFER || option == TCP_OPTION_WINDOW_CLAMP;
    if (opens && tcp_window_update_due(c))
        c->ack_now = true;
    tcp_send_room_changed(c);
    tcp_wake(c); /* tcp_timer_settle() does the rest */
}

enum tcp_option_status tcp_set_option(struct tcp_connection *c, enum tcp_option option,
                                      uint64_t value)
{
    if (!in_range(option, value))
        return TCP_OPTION_RANGE;
    if (too_late(c, option, value))
        return TCP_OPTION_STATE;
    if (!put_here(c, option, value) && get(c->profile, option) != value) {
        struct tcp_profile *profile = writable(c->stack, &c->profile, c->own_profile);
        if (profile == NULL)
            return TCP_OPTION_NO_MEMORY;
        c->own_profile = true;
        put(profile, option, value);
    }
    apply(c, option, value);
    return TCP_OPTION_SET;
}

uint64_t tcp_get_option(const struct tcp_connection *c, enum tcp_option option)
{
    switch ((unsigned)option) {
    case TCP_OPTION_NODELAY:
        return c->nodelay;
    case TCP_OPTION_CORK:
        return c->cork;
    case TCP_OPTION_KEEPALIVE:
        return c->keepalive;
    case TCP_OPTION_URGENT_IN_LINE:
        return c->urgent_in_line;
    case TCP_OPTION_DIRECT:
        return c->direct;
    case TCP_OPTION_QUICK_ACK:
        return c->quick_acks > 0;
    case TCP_OPTION_RECEIVE_BUFFER:
        return c->receive_buffer;
    case TCP_OPTION_SEND_BUFFER:
        return c->send_buffer;
    default:
        return get(c->profile, option);
    }
}

enum tcp_option_status tcp_listener_set_option(struct tcp_listener *listener,
                                               enum tcp_option option, uint64_t value)
{
    if (!in_range(option, value))
        return TCP_OPTION_RANGE;
    struct tcp_profile *profile =
        writable(listener->stack, &listener->profile, listener->own_profile);
    if (profile == NULL)
        return TCP_OPTION_NO_MEMORY;
    listener->own_profile = true;
    if (option == TCP_OPTION_QUICK_ACK && value != 0)
        value = TCP_QUICK_ACKS;
    put(profile, option, value);
    if (option == TCP_OPTION_RECEIVE_BUFFER)
        profile->receive_buffer_max = 0;
    if (option == TCP_OPTION_SEND_BUFFER)
        profile->send_buffer_max = 0;
    return TCP_OPTION_SET;
}

uint64_t tcp_listener_get_option(const struct tcp_listener *listener, enum tcp_option option)
{
    uint64_t value = get(listener->profile, option);
    return option == TCP_OPTION_QUICK_ACK ? value != 0 : value;
}

uint64_t tcp_default_option(const struct stack *stack, enum tcp_option option)
{
    return get(&stack->tcp->profile, option);
}

/* SPDX-License-Identifier: ISC */
/*
 * tcp_syn.c - what a SYN says: ours, with the options that the profile wants in its order, and the
 * peer's (RFC 9293 §3.2, RFC 7323 §2.2 and §3.2, RFC 2018 §2).
 */
#include "stack/tcp/internal.h"
#include "wire/inet/ipv4.h"

_Static_assert((int)TCP_SYN_ORDER_LINUX == (int)TCP_OPTION_ORDER_LINUX, "the wire's order");
_Static_assert((int)TCP_SYN_ORDER_FREEBSD == (int)TCP_OPTION_ORDER_FREEBSD, "the wire's order");

uint8_t tcp_scale_for(uint32_t buffer)
{
    uint8_t scale = 0;
    while (scale < TCP_WINDOW_SHIFT_MAX && (UINT32_C(65535) << scale) < buffer)
        scale++;
    return scale;
}

uint8_t tcp_syn_scale(const struct tcp_profile *profile, uint32_t buffer)
{
    /* The buffer may grow later, the scale may not. */
    uint32_t most = buffer > profile->receive_buffer_max ? buffer : profile->receive_buffer_max;
    if (profile->window_clamp != 0 && profile->window_clamp < most)
        most = profile->window_clamp;
    return tcp_scale_for(most);
}

uint16_t tcp_syn_window(const struct tcp_profile *profile, uint32_t buffer, uint32_t mss)
{
    uint32_t window = buffer;
    if (profile->window_clamp != 0 && profile->window_clamp < window)
        window = profile->window_clamp;
    if (profile->syn_window_segments && window > mss)
        window -= window % mss;
    return (uint16_t)(window < UINT16_MAX ? window : UINT16_MAX); /* never scaled (RFC 7323 §2.2) */
}

uint16_t tcp_syn_mss(const struct tcp_profile *profile, const struct ip_address *remote,
                     uint32_t mtu)
{
    uint32_t ip = address_is_v4(remote) ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    uint32_t mss = mtu - ip - TCP_HEADER_LEN;
    if (profile->mss_max != 0 && profile->mss_max < mss)
        mss = profile->mss_max;
    return (uint16_t)mss;
}

void tcp_take_syn_options(struct tcp_connection *c, const struct tcp_header *header)
{
    const struct tcp_options *options = &header->options;
    const struct tcp_profile *profile = c->profile;
    if (options->present & TCP_HAS_MSS)
        c->peer_mss = options->mss > TCP_MSS_MIN ? options->mss : TCP_MSS_MIN;
    c->sack = profile->sack && (options->present & TCP_HAS_SACK_PERMITTED) != 0;
    c->scaling = profile->window_scaling && (options->present & TCP_HAS_WINDOW_SCALE) != 0;
    c->timestamps = profile->timestamps && (options->present & TCP_HAS_TIMESTAMPS) != 0;
    if (c->scaling) {
        bool excess = options->window_shift > TCP_WINDOW_SHIFT_MAX; /* RFC 7323 §2.3 */
        c->snd_scale = excess ? TCP_WINDOW_SHIFT_MAX : options->window_shift;
        c->rcv_scale = tcp_syn_scale(profile, c->receive_buffer);
    }
    if (c->timestamps) {
        c->ts_recent = options->timestamp_value;
        c->ts_recent_at = c->stack->now;
    }
    if (UNLIKELY(options->present & TCP_HAS_USER_TIMEOUT))
        tcp_user_timeout_heard(c, options);
    c->irs = seq_of(header->sequence);
    c->rcv_nxt = seq_add(c->irs, 1);
    c->rcv_adv = c->rcv_nxt;
    c->last_ack_sent = c->rcv_nxt;
    c->snd_wnd = header->window; /* in a SYN it is not scaled */
    c->snd_wnd_max = c->snd_wnd;
    c->snd_wl1 = c->irs;
    c->last_received_at = c->stack->now;
}

/* What we ask for, or grant of what was asked for. */
static void fill_options(const struct tcp_connection *c, uint16_t mss, struct tcp_options *out)
{
    const struct tcp_profile *profile = c->profile;
    bool active = c->state == TCP_SYN_SENT;
    out->order = (uint8_t)profile->syn_order;
    out->present = TCP_HAS_MSS;
    out->mss = mss;
    if (active ? profile->sack : c->sack)
        out->present |= TCP_HAS_SACK_PERMITTED;
    if (active ? profile->timestamps : c->timestamps) {
        out->present |= TCP_HAS_TIMESTAMPS;
        out->timestamp_value = tcp_timestamp(c);
        out->timestamp_echo = active ? 0 : c->ts_recent;
    }
    if (active ? profile->window_scaling : c->scaling) {
        out->present |= TCP_HAS_WINDOW_SCALE;
        out->window_shift = tcp_syn_scale(profile, c->receive_buffer);
    }
    if (!active && c->cookie_granted && c->listener != NULL) {
        out->cookie_experimental = c->cookie_experimental;
        tcp_fast_open_grant(c->listener, &c->remote.address, &c->local.address, out);
    }
}

/* A frame with the first `len` octets of the queue, at most a segment. */
static struct frame *frame_with_text(const struct tcp_connection *c, uint32_t len)
{
    struct frame *frame = frame_new(c->stack->frames, len);
    const struct tcp_chunk *chunk = c->sending->queue.first;
    for (; frame != NULL && len > 0; chunk = chunk->next) {
        uint32_t part = chunk->len < len ? chunk->len : len;
        frame_append(frame, (struct bytes){chunk->data, part});
        len -= part;
    }
    return frame;
}

/* Of the link, or of the path where it is known. */
static uint32_t mtu_to(const struct tcp_connection *c, const struct route_choice *route)
{
    return c->path_mtu != 0 && c->path_mtu < route->mtu ? c->path_mtu : route->mtu;
}

/* Octets that a segment to us will have room for. */
static uint32_t text_of(const struct tcp_connection *c, uint16_t mss)
{
    return mss - (c->state != TCP_SYN_SENT && c->timestamps ? TCP_TIMESTAMPS_LEN : 0u);
}

uint16_t tcp_syn_ack_window(const struct tcp_connection *c)
{
    struct route_choice route;
    uint16_t mss = TCP_MSS_DEFAULT;
    if (c->profile->syn_window_segments && ip_route(c->stack, &c->remote.address, &route))
        mss = tcp_syn_mss(c->profile, &c->remote.address, mtu_to(c, &route));
    return tcp_syn_window(c->profile, c->receive_buffer, text_of(c, mss));
}

bool tcp_transmit_syn(struct tcp_connection *c, const struct tcp_path *path)
{
    bool active = c->state == TCP_SYN_SENT;
    uint16_t mss = tcp_syn_mss(c->profile, &c->remote.address, mtu_to(c, &path->route));
    struct tcp_header header = {
        .source_port = c->local.port,
        .target_port = c->remote.port,
        .sequence = c->iss.n,
        .flags = TCP_SYN | tcp_ecn_syn_flags(c),
        .window = tcp_syn_window(c->profile, c->receive_buffer, text_of(c, mss)),
    };
    fill_options(c, mss, &header.options);
    uint32_t len = active ? tcp_fast_open_ask(c, &header.options) : 0;
    tcp_user_timeout_tell(c, &header.options);
    struct frame *frame = frame_with_text(c, len);
    if (frame == NULL)
        return false; /* the timer sends an ordinary one */
    c->rcv_adv = seq_max(c->rcv_adv, seq_add(c->rcv_nxt, header.window));
    if (!active) {
        header.flags |= TCP_ACK;
        header.acknowledgement = c->rcv_nxt.n;
        tcp_acknowledged(c);
    }
    c->last_sent_at = c->stack->now;
    tcp_count_sent(c, 0, 1);
    tcp_transmit_segment(c, path, frame, &header, IP_NOT_ECT);
    return true;
}

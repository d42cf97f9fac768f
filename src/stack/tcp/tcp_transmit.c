/* SPDX-License-Identifier: ISC */
/*
 * tcp_transmit.c - builds segments and hands them to IP: headers in a small frame, the text as
 * slices of the send queue, so that octets are not copied between the application and the device.
 * Where the device segments (TSO), one frame carries up to 64 KiB of text.
 */
#include "base/checksum.h"
#include "stack/ip.h"
#include "stack/tcp/internal.h"
#include "wire/inet/ipv4.h"

static uint32_t ip_header_len(const struct tcp_connection *c)
{
    return address_is_v4(&c->remote.address) ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
}

bool tcp_path_find(struct tcp_connection *c, struct tcp_path *out)
{
    if (!ip_route(c->stack, &c->remote.address, &out->route))
        return false;
    if (UNLIKELY(c->direct) && !route_is_direct(&out->route, &c->remote.address))
        return false;
    uint32_t headers = ip_header_len(c) + TCP_HEADER_LEN;
    uint32_t options = c->timestamps ? TCP_TIMESTAMPS_LEN : 0;
    uint32_t mss = tcp_path_mtu(c, out->route.mtu) - headers;
    out->probe = 0;
    if (mss > c->peer_mss)
        mss = c->peer_mss;
    if (c->profile->mss_max != 0 && mss > c->profile->mss_max)
        mss = c->profile->mss_max;
    out->mss = mss - options; /* RFC 6691 §2 */
    out->partial = (out->route.features & INTERFACE_CHECKSUM) != 0;
    unsigned tso = address_is_v4(&c->remote.address) ? INTERFACE_TSO4 : INTERFACE_TSO6;
    out->burst_max = out->mss;
    if (out->partial && (out->route.features & tso)) {
        uint32_t most = TCP_SUPER_SEGMENT_MAX - headers - TCP_OPTIONS_MAX;
        if (most > out->mss)
            out->burst_max = most - most % out->mss;
    }
    out->frame_max = out->burst_max;
    if (UNLIKELY(c->mss < out->mss)) { /* the path has become better than when these fell */
        uint32_t least = 2 * out->mss; /* RFC 5681 §3.1, (4) */
        c->ssthresh = c->ssthresh > least ? c->ssthresh : least;
    }
    c->mss = (uint16_t)out->mss;
    if (c->cwnd < c->mss)
        c->cwnd = c->mss;
    return true;
}

void tcp_acknowledged(struct tcp_connection *c)
{
    c->last_ack_sent = c->rcv_nxt;
    c->ack_pending = false;
    c->ack_now = false;
    c->dsack = false;
    if (timer_armed(&c->ack_timer))
        wheel_disarm(&c->stack->wheel, &c->ack_timer);
}

static void add_sack(struct tcp_connection *c, struct tcp_options *options)
{
    unsigned max = c->timestamps ? TCP_SACK_BLOCKS_MAX - 1 : TCP_SACK_BLOCKS_MAX;
    unsigned count = 0;
    if (c->dsack) /* RFC 2883 §4: first */
        options->sack[count++] = (struct tcp_sack_block){c->extra->dsack_start.n,
                                                         c->extra->dsack_end.n};
    count += tcp_reorder_blocks(c, options->sack + count, max - count);
    if (count > 0) {
        options->present |= TCP_HAS_SACK;
        options->sack_count = (uint8_t)count;
    }
}

static void fill_header(struct tcp_connection *c, struct seq seq, uint16_t flags,
                        struct tcp_header *out)
{
    *out = (struct tcp_header){
        .source_port = c->local.port,
        .target_port = c->remote.port,
        .sequence = seq.n,
        .acknowledgement = c->rcv_nxt.n,
        .flags = flags | TCP_ACK | (UNLIKELY(c->ecn_echo) ? TCP_ECE : 0),
        .window = tcp_window_to_offer(c),
    };
    if (c->timestamps) {
        out->options.present |= TCP_HAS_TIMESTAMPS;
        out->options.timestamp_value = tcp_timestamp(c);
        out->options.timestamp_echo = c->ts_recent;
    }
    if (UNLIKELY(c->sack && (c->reorder != NULL || c->dsack)))
        add_sack(c, &out->options);
    if (UNLIKELY(c->urgent_sending))
        tcp_urgent_point(c, seq, out);
    if (UNLIKELY(c->user_timeout_due))
        tcp_user_timeout_tell(c, &out->options);
}

static void put_checksum(const struct tcp_connection *c, const struct tcp_path *path,
                         struct frame *frame)
{
    size_t len = frame_total(frame);
    uint64_t sum = checksum_pseudo(&c->local.address, &c->remote.address, IP_PROTOCOL_TCP,
                                   (uint32_t)len);
    uint16_t field;
    if (path->partial) {
        frame->offload.checksum = FRAME_CHECKSUM_PARTIAL;
        frame->offload.checksum_start = (uint32_t)frame_headroom(frame);
        frame->offload.checksum_offset = TCP_CHECKSUM_OFFSET;
        field = checksum_fold(sum);
    } else {
        size_t offset = frame->len;
        sum = checksum_add(sum, frame_bytes(frame), 0);
        for (size_t i = 0; i < frame->slice_count; i++) {
            struct bytes part = {frame->slices[i].data, frame->slices[i].len};
            sum = checksum_add(sum, part, offset);
            offset += part.len;
        }
        field = (uint16_t)~checksum_fold(sum);
    }
    frame->data[TCP_CHECKSUM_OFFSET] = (uint8_t)(field >> 8);
    frame->data[TCP_CHECKSUM_OFFSET + 1] = (uint8_t)field;
}

void tcp_transmit_segment(struct tcp_connection *c, const struct tcp_path *path,
                          struct frame *frame, const struct tcp_header *header, uint8_t ecn)
{
    (void)tcp_header_push(frame, header);
    put_checksum(c, path, frame);
    struct ip_send send = {
        .source = c->local.address,
        .target = c->remote.address,
        .protocol = IP_PROTOCOL_TCP,
        .ttl = c->profile->ttl,
        .traffic_class = (uint8_t)((c->profile->traffic_class & ~IP_ECN_MASK) | ecn),
        .dont_fragment = c->profile->path_mtu_discovery != TCP_PATH_MTU_DONT && !c->may_fragment,
        .interface = -1,
    };
    (void)ip_output_by(c->stack, &send, &path->route, frame);
}

bool tcp_transmit_ack(struct tcp_connection *c, const struct tcp_path *path, struct seq seq)
{
    struct frame *frame = frame_new(c->stack->frames, 0);
    if (frame == NULL)
        return false;
    struct tcp_header header;
    fill_header(c, seq, 0, &header);
    tcp_acknowledged(c);
    tcp_count_sent(c, 0, 1);
    tcp_transmit_segment(c, path, frame, &header, IP_NOT_ECT);
    return true;
}

/* Adds up to `len` octets from `seq` on as slices; returns how many. */
static uint32_t add_slices(struct frame *frame, struct tcp_chunk *chunk, struct seq seq,
                           uint32_t len)
{
    uint32_t added = 0;
    while (added < len && chunk != NULL && frame->slice_count < FRAME_SLICES_MAX) {
        uint32_t skip = (uint32_t)seq_diff(seq_add(seq, added), chunk->start);
        uint32_t part = chunk->len - skip;
        if (part > len - added)
            part = len - added;
        frame_add_slice(frame, chunk->owner, (struct bytes){chunk->data + skip, part});
        added += part;
        chunk = chunk->next;
    }
    return added;
}

static void copy_text(struct frame *frame, const struct tcp_chunk *chunk, struct seq seq,
                      uint32_t len)
{
    while (len > 0) {
        uint32_t skip = (uint32_t)seq_diff(seq, chunk->start);
        uint32_t part = chunk->len - skip;
        if (part > len)
            part = len;
        frame_append(frame, (struct bytes){chunk->data + skip, part});
        seq = seq_add(seq, part);
        len -= part;
        chunk = chunk->next;
    }
}

/* A frame with up to `*len` octets of text, whole segments of `mss` where it has to be less. */
static struct frame *gather(struct tcp_connection *c, const struct tcp_stretch *stretch,
                            uint32_t mss, uint32_t *len)
{
    struct tcp_chunk *chunk = tcp_chunk_at(stretch->chunk, stretch->start);
    bool small = *len <= TCP_COPY_MAX; /* cheaper than a reference */
    struct frame *frame = frame_new(c->stack->frames, small ? *len : 0);
    if (frame == NULL)
        return NULL;
    if (small) {
        copy_text(frame, chunk, stretch->start, *len);
        return frame;
    }
    uint32_t added = add_slices(frame, chunk, stretch->start, *len);
    if (added == *len)
        return frame;
    if (added >= mss) {
        uint32_t whole = added - added % mss;
        while (added > whole) { /* takes the odd end off the slices again */
            struct slice *last = &frame->slices[frame->slice_count - 1];
            size_t cut = added - whole < last->len ? added - whole : last->len;
            last->len -= cut;
            added -= (uint32_t)cut;
            if (last->len == 0) {
                frame_unref(last->owner);
                frame->slice_count--;
            }
        }
        *len = whole;
        return frame;
    }
    /* Many little pieces: one copy rather than segments of their size. */
    frame_unref(frame);
    if (*len > mss)
        *len = mss;
    if (*len > TCP_BLOCK)
        *len = TCP_BLOCK;
    frame = frame_new(c->stack->frames, *len);
    if (frame != NULL)
        copy_text(frame, chunk, stretch->start, *len);
    return frame;
}

static uint32_t transmit_piece(struct tcp_connection *c, const struct tcp_path *path,
                               const struct tcp_stretch *stretch)
{
    struct tcp_header header;
    fill_header(c, stretch->start, 0, &header);
    uint32_t mss = path->mss;
    if (UNLIKELY(header.options.present & (TCP_HAS_SACK | TCP_HAS_USER_TIMEOUT))) {
        uint32_t base = c->timestamps ? TCP_TIMESTAMPS_LEN : 0;
        mss -= (uint32_t)tcp_options_len(&header.options) - base;
    }
    uint32_t len = stretch->len;
    uint8_t ecn = IP_NOT_ECT;
    if (UNLIKELY(c->ecn))
        ecn = tcp_ecn_mark_text(c, stretch, &header.flags);
    /* CWR goes with one segment, which a device that cuts super-segments need not know. */
    if (len > mss && (path->frame_max == path->mss || (header.flags & TCP_CWR)))
        len = mss;
    struct frame *frame = gather(c, stretch, mss, &len);
    if (frame == NULL)
        return 0;
    bool whole = len == stretch->len;
    bool push = whole && stretch->push;
    if (len > 0 && (push || (len > mss && c->profile->push_each_burst)))
        header.flags |= TCP_PSH;
    if (whole && stretch->fin)
        header.flags |= TCP_FIN;
    if (len > mss) {
        frame->offload.gso = address_is_v4(&c->remote.address) ? FRAME_GSO_TCP4 : FRAME_GSO_TCP6;
        frame->offload.gso_size = (uint16_t)mss;
    }
    tcp_acknowledged(c);
    c->last_sent_at = c->stack->now;
    tcp_count_sent(c, len, mss);
    tcp_transmit_segment(c, path, frame, &header, ecn);
    return len + (whole && stretch->fin);
}

uint32_t tcp_transmit_text(struct tcp_connection *c, const struct tcp_path *path,
                           const struct tcp_stretch *stretch)
{
    if (LIKELY(stretch->len <= path->frame_max))
        return transmit_piece(c, path, stretch);
    /* Several pieces, of which only the last may have PSH and FIN. */
    struct tcp_stretch piece = *stretch;
    uint32_t sent = 0;
    while (sent < stretch->len) {
        bool last = stretch->len - sent <= path->frame_max;
        piece.start = seq_add(stretch->start, sent);
        piece.len = last ? stretch->len - sent : path->frame_max;
        piece.fin = last && stretch->fin;
        piece.push = last && (stretch->push || c->profile->push_each_burst);
        uint32_t went = transmit_piece(c, path, &piece);
        sent += went;
        if (went < piece.len)
            break;
    }
    return sent;
}

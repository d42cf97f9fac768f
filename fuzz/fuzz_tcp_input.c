/* SPDX-License-Identifier: ISC */
/*
 * fuzz_tcp_input.c - a hostile peer: segments aimed at live connections, between what an application
 * does and the passing of time.
 *
 * Two octets choose an action and its size; numbers are taken near the edges that matter, from the
 * connection itself, as a peer with good eyes would. Invariants: those of tests/support/tcp_check.c
 * after every step; all frames and all memory come back.
 */
#include <stdlib.h>

#include "base/checksum.h"
#include "fuzz/fuzz.h"
#include "stack/tcp/internal.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

#include "tests/support/tcp_check.c"

enum { HELD_MAX = 8, STEPS_MAX = 400, TEXT_MAX = 9000 };

struct bout {
    struct reader in;
    struct heap heap;
    size_t octets; /* of memory in use */
    struct frame_pool *frames;
    struct stack *stack;
    struct tcp_listener *listener;
    struct tcp_listener *interceptor;
    struct tcp_connection *held[HELD_MAX];
    usec now;
};

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    struct bout *b = self;
    if (new_size == 0) {
        b->octets -= old_size;
        free(old);
        return NULL;
    }
    void *block = realloc(old, new_size);
    if (block == NULL)
        abort();
    b->octets += new_size - old_size;
    return block;
}

static void open_stack(struct bout *b, uint8_t setting)
{
    b->heap = (struct heap){.resize = resize, .self = b};
    b->frames = frame_pool_new(&b->heap, setting & 1 ? 400000 : 16 * 1024 * 1024);
    struct stack_options options = {.heap = b->heap, .frames = b->frames};
    options.tcp_receive_buffer = setting & 2 ? 5000 : 0;
    options.tcp_send_buffer = setting & 4 ? 5000 : 0;
    options.tcp_connections_max = 6;
    b->stack = stack_new(&options, b->now);
    struct interface_options interface = {.name = "eth", .mac = {{2, 0, 0, 0, 0, 1}}};
    interface.mtu = setting & 8 ? 576 : 1500;
    interface.features = INTERFACE_INTERCEPT;
    if (setting & 16)
        interface.features |= INTERFACE_CHECKSUM | INTERFACE_TSO4;
    struct ip_prefix address = {address_v4(0x0a000001), 24};
    struct ip_address peer = address_v4(0x0a000002);
    struct mac mac = {{2, 0, 0, 0, 0, 2}};
    bool good = stack_add_interface(b->stack, &interface) == 0 &&
                stack_add_address(b->stack, 0, &address, false) &&
                stack_add_neighbour(b->stack, 0, &peer, &mac);
    ASSERT(good);
    struct tcp_listen_options listen = {.local = {address_any_v4(), 80}, .backlog = 3};
    b->listener = tcp_listen(b->stack, &listen);
    listen.intercept = true;
    b->interceptor = tcp_listen(b->stack, &listen);
    ASSERT(b->listener != NULL && b->interceptor != NULL);
}

/* Any connection, or NULL. */
static const struct tcp_connection *choose(struct bout *b, uint8_t which)
{
    size_t place = 0;
    const struct tcp_connection *c = NULL;
    const struct tcp_connection *found;
    for (unsigned i = 0; i <= which % 8u && (found = tcp_each(b->stack, &place)) != NULL; i++)
        c = found;
    return c;
}

/* A number near one that matters. */
static uint32_t near(struct bout *b, const uint32_t *edges, size_t count)
{
    uint8_t how = read_u8(&b->in);
    uint32_t edge = edges[how % count];
    int8_t by = (int8_t)read_u8(&b->in);
    return edge + (uint32_t)(int32_t)(how & 0x80 ? by * 97 : by / 16);
}

static void read_options(struct bout *b, const struct tcp_connection *c, uint8_t which,
                         struct tcp_options *out)
{
    if (c != NULL && c->timestamps && !(which & 1)) {
        out->present |= TCP_HAS_TIMESTAMPS;
        out->timestamp_value = c->ts_recent + (uint32_t)(which & 2 ? -5 : 3);
        out->timestamp_echo = tcp_timestamp(c) - read_u8(&b->in);
    }
    if (which & 4) {
        out->present |= TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED |
                        TCP_HAS_TIMESTAMPS;
        out->mss = (uint16_t)(read_u8(&b->in) * 7);
        out->window_shift = read_u8(&b->in) % 20;
    }
    if (c == NULL || !(which & 8))
        return;
    uint32_t edges[] = {c->snd_una.n, c->snd_nxt.n, c->snd_end.n, c->snd_una.n + c->mss,
                        c->snd_una.n + 2u * c->mss, c->snd_una.n + 4u * c->mss};
    out->present |= TCP_HAS_SACK;
    out->sack_count = (uint8_t)(1 + (which >> 6) % 3);
    for (size_t i = 0; i < out->sack_count; i++) {
        out->sack[i].start = near(b, edges, ARRAY_LEN(edges));
        out->sack[i].end = near(b, edges, ARRAY_LEN(edges));
    }
}

static void inject(struct bout *b, const struct ipv4_header *ip, struct bytes segment)
{
    static uint8_t packet[TEXT_MAX + 200];
    struct writer w = writer_of(packet, sizeof packet);
    struct ethernet_header ethernet = {.target = {{2, 0, 0, 0, 0, 1}},
                                       .source = {{2, 0, 0, 0, 0, 2}},
                                       .type = ETHERNET_IPV4,
                                       .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    ipv4_encode(ip, &w);
    write_bytes(&w, segment);
    struct frame *frame = frame_new(b->frames, read_u8(&b->in) & 1 ? 65536 : writer_len(&w));
    if (frame == NULL)
        return;
    frame_append(frame, writer_bytes(&w));
    stack_input(b->stack, 0, frame, b->now);
}

static void segment(struct bout *b, uint8_t which)
{
    static uint8_t octets[TEXT_MAX + 100];
    const struct tcp_connection *c = choose(b, which);
    struct tcp_header header = {.target_port = 80, .source_port = (uint16_t)(1000 + which % 5)};
    struct ipv4_header ip = {.source = address_v4(0x0a000002), .ttl = 64,
                             .protocol = IP_PROTOCOL_TCP, .options = bytes_empty()};
    ip.target = address_v4(which & 0x40 ? 0xc0000201 : 0x0a000001);
    uint32_t ours[] = {0, 1};
    uint32_t theirs[] = {0, 1};
    if (c != NULL && !(which & 0x80)) {
        header.target_port = c->local.port;
        header.source_port = c->remote.port;
        ip.target = c->local.address;
    }
    uint8_t flags = read_u8(&b->in);
    header.flags = flags & 0xc0 ? TCP_ACK : flags & TCP_FLAGS_ALL;
    if (c == NULL) {
        header.sequence = near(b, theirs, 2);
        header.acknowledgement = near(b, ours, 2);
    } else {
        uint32_t seqs[] = {c->rcv_nxt.n, c->rcv_nxt.n, c->irs.n, c->rcv_adv.n,
                           c->rcv_nxt.n + 1460, c->rcv_nxt.n + 2920, c->last_ack_sent.n};
        uint32_t acks[] = {c->snd_una.n, c->snd_nxt.n, c->iss.n, c->snd_una.n + c->mss,
                           c->snd_una.n + 2u * c->mss, c->snd_una.n - c->snd_wnd_max};
        header.sequence = near(b, seqs, ARRAY_LEN(seqs));
        header.acknowledgement = near(b, acks, ARRAY_LEN(acks));
    }
    uint8_t window = read_u8(&b->in);
    header.window = (uint16_t)(window * 257u >> (window % 9));
    read_options(b, c, read_u8(&b->in), &header.options);
    if (tcp_options_len(&header.options) > TCP_OPTIONS_MAX)
        header.options = (struct tcp_options){0};
    uint8_t len = read_u8(&b->in);
    struct writer w = writer_of(octets, sizeof octets);
    tcp_header_encode(&header, &w);
    write_zeros(&w, len & 0x80 ? (len & 0x7f) * 70u : len & 0x3f);
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, ip.protocol, (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    ip.total_len = (uint16_t)(IPV4_HEADER_LEN + writer_len(&w));
    inject(b, &ip, writer_bytes(&w));
}

static void icmp(struct bout *b, uint8_t which)
{
    const struct tcp_connection *c = choose(b, which);
    if (c == NULL)
        return;
    uint32_t edges[] = {c->snd_una.n, c->snd_nxt.n};
    uint8_t head[8];
    struct writer w = writer_of(head, sizeof head);
    write_u16(&w, c->local.port);
    write_u16(&w, c->remote.port);
    write_u32(&w, near(b, edges, ARRAY_LEN(edges)));
    struct icmp_report report = {
        .type = 3,
        .code = which % 8,
        .mtu = (uint16_t)(read_u8(&b->in) * 8),
        .protocol = IP_PROTOCOL_TCP,
        .source = c->local.address,
        .target = c->remote.address,
        .transport = writer_bytes(&w),
    };
    tcp_icmp(b->stack, &report);
}

static void hold(struct bout *b, struct tcp_connection *c)
{
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (b->held[i] == NULL) {
            b->held[i] = c;
            tcp_set_user(c, &b->held[i]);
            return;
        }
    }
    tcp_abort(c);
}

static void take_connections(struct bout *b)
{
    struct tcp_connection *c;
    while ((c = tcp_accept(b->listener, NULL)) != NULL)
        hold(b, c);
    while ((c = tcp_accept(b->interceptor, NULL)) != NULL)
        hold(b, c);
}

static void connect(struct bout *b, uint8_t which)
{
    struct tcp_connect_options options = {
        .remote = {address_v4(0x0a000002), (uint16_t)(1000 + which % 5)},
        .local = {address_any_v4(), (uint16_t)(which & 0x10 ? 0 : 80)},
    };
    struct tcp_connection *c = tcp_connect(b->stack, &options);
    if (c != NULL)
        hold(b, c);
}

static void send_text(struct bout *b, struct tcp_connection *c, uint8_t len)
{
    static const uint8_t text[TEXT_MAX];
    struct bytes in = {text, len & 0x80 ? (len & 0x7f) * 70u : len};
    struct frame *frame = len & 0x40 ? frame_new(b->frames, in.len) : NULL;
    if (frame == NULL) {
        (void)tcp_send(c, in);
        return;
    }
    frame_append(frame, in);
    if (!tcp_send_frame(c, frame))
        frame_unref(frame);
}

static void application(struct bout *b, uint8_t which, uint8_t what)
{
    struct tcp_connection **slot = &b->held[which % HELD_MAX];
    struct tcp_connection *c = *slot;
    if (c == NULL)
        return;
    size_t received = tcp_received_len(c);
    switch (what % 16) {
    case 0:
        tcp_close(c);
        *slot = NULL;
        break;
    case 1:
        tcp_abort(c);
        *slot = NULL;
        break;
    case 2:
        tcp_refuse(c, (int)(which >> 4) - 4);
        *slot = NULL;
        break;
    case 3:
        tcp_shutdown(c);
        break;
    case 4:
        (void)tcp_set_option(c, TCP_OPTION_KEEPALIVE, (which & 0x80) != 0);
        break;
    case 5:
        (void)tcp_set_option(c, TCP_OPTION_NODELAY, (which & 0x80) != 0);
        break;
    case 6:
        (void)tcp_set_option(c, TCP_OPTION_RECEIVE_BUFFER, which * 100u);
        (void)tcp_set_option(c, TCP_OPTION_SEND_BUFFER, which * 100u);
        break;
    case 7:
    case 8:
        tcp_answer(c);
        break;
    case 9:
    case 10:
    case 11:
        tcp_consume(c, received * (which >> 4) / 15);
        break;
    default:
        send_text(b, c, read_u8(&b->in));
        break;
    }
}

static void output(struct bout *b, unsigned max)
{
    struct frame *frame;
    for (unsigned i = 0; i < max && (frame = stack_output(b->stack, 0)) != NULL; i++) {
        ASSERT(frame_total(frame) <= FRAME_PACKET_MAX);
        frame_unref(frame);
    }
}

static void pass_time(struct bout *b, uint8_t which)
{
    b->now += (usec)1 << (which % 34);
    stack_tick(b->stack, b->now);
}

static void take_events(struct bout *b)
{
    struct socket_event event;
    while (stack_next_event(b->stack, &event)) {
        if (event.socket->kind != SOCKET_TCP)
            continue;
        struct tcp_connection **slot = event.socket->user;
        ASSERT(slot != NULL && *slot == socket_tcp(event.socket)); /* nothing after a close */
    }
}

static void step(struct bout *b)
{
    uint8_t what = read_u8(&b->in);
    uint8_t which = read_u8(&b->in);
    switch (what % 16) {
    case 0:
        connect(b, which);
        break;
    case 1:
        icmp(b, which);
        break;
    case 2:
        take_connections(b);
        break;
    case 3:
        pass_time(b, which);
        break;
    case 4:
    case 5:
        output(b, which % 40u);
        break;
    case 6:
        take_events(b);
        break;
    case 7:
    case 8:
    case 9:
        application(b, which, what >> 4);
        break;
    default:
        segment(b, which);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bout bout;
    struct bout *b = &bout;
    *b = (struct bout){.in = reader_of(bytes_of(data, len)), .now = 1000000};
    open_stack(b, read_u8(&b->in));
    for (unsigned i = 0; i < STEPS_MAX && reader_left(&b->in) > 0; i++) {
        step(b);
        tcp_check_all(b->stack);
    }
    take_events(b);
    for (size_t i = 0; i < HELD_MAX; i++)
        if (b->held[i] != NULL && i % 2 == 0)
            tcp_close(b->held[i]);
    output(b, 1000);
    tcp_check_all(b->stack);
    stack_free(b->stack);
    frame_pool_free(b->frames);
    ASSERT(b->octets == 0);
    return 0;
}

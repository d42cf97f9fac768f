/* SPDX-License-Identifier: ISC */
/*
 * fuzz_stack_input.c - frames of any kind into a whole stack with sockets open. Nothing that comes
 * in may break it: TCP's invariants (tests/support/tcp_check.c) hold after each record, and in the
 * end it still answers a ping, and gives back every frame and block.
 *
 * Input: records of a kind, a length and as many octets. Kinds: 0 a frame as it is; 1 an IP packet
 * whose lengths and header checksum are put right; 2 the same, and the checksum of its transport;
 * 3 the same to a foreign address; 4 time passes; 5 output is taken; 6 an ARP packet; 7 the
 * application's turn. A fourth bit puts the frame in shared, a fifth in slices.
 */
#include "base/checksum.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "stack/echo.h"
#include "stack/tcp/tcp.h"
#include "stack/udp.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

#include "tests/support/tcp_check.c"

enum { RECORDS_MAX = 200, POOL_OCTETS = 32 * 1024 * 1024, PACKET_AT = 14 };

struct bench {
    struct heap heap;
    struct frame_pool *frames;
    struct stack *stack;
    struct udp_socket *udp[3];
    struct echo_socket *echo;
    struct tcp_listener *listeners[2];
    struct tcp_connection *connections[16];
    size_t connection_count;
    usec now;
};

static const struct mac us = {{2, 0, 0, 0, 0, 1}};
static const struct mac peer = {{2, 0, 0, 0, 0, 2}};

static void open_sockets(struct bench *b)
{
    struct endpoint any = {address_any_v4(), 0};
    b->udp[0] = udp_open(b->stack, &(struct udp_options){.local = {address_any_v4(), 53}});
    b->udp[1] = udp_open(b->stack, &(struct udp_options){.local = {address_v4(0x0a000001), 53}});
    b->udp[2] = udp_open(b->stack, &(struct udp_options){.intercept = true});
    b->echo = echo_open(b->stack, &(struct echo_options){.intercept = true});
    any.port = 80;
    b->listeners[0] = tcp_listen(b->stack, &(struct tcp_listen_options){.local = any});
    any.port = 0;
    b->listeners[1] =
        tcp_listen(b->stack, &(struct tcp_listen_options){.local = any, .intercept = true});
    b->connections[b->connection_count] =
        tcp_connect(b->stack, &(struct tcp_connect_options){.remote = {address_v4(0x0a000002), 80},
                                                            .local = {address_any_v4(), 4096}});
    ASSERT(b->connections[b->connection_count] != NULL);
    b->connection_count++;
}

static void bench_open(struct bench *b)
{
    *b = (struct bench){.now = USEC_PER_HOUR};
    b->heap = memory_heap();
    b->frames = frame_pool_new(&b->heap, POOL_OCTETS);
    struct stack_options options = {.heap = b->heap, .frames = b->frames};
    b->stack = stack_new(&options, b->now);
    ASSERT(b->stack != NULL);
    struct interface_options interface = {.mac = us, .mtu = 1500, .features = INTERFACE_INTERCEPT};
    ASSERT(stack_add_interface(b->stack, &interface) == 0);
    struct ip_prefix prefix = {address_v4(0x0a000001), 24};
    ASSERT(stack_add_address(b->stack, 0, &prefix, false));
    prefix.address = address_v4(0x0a000005);
    ASSERT(stack_add_address(b->stack, 0, &prefix, true));
    struct ip_address address = address_v4(0x0a000002);
    ASSERT(stack_add_neighbour(b->stack, 0, &address, &peer));
    struct ip_prefix all = {address_any_v4(), 0};
    ASSERT(stack_add_route(b->stack, &all, &address, 0));
    open_sockets(b);
}

static size_t drain(struct bench *b)
{
    size_t count = 0;
    struct frame *frame;
    while ((frame = stack_output(b->stack, 0)) != NULL) {
        ASSERT(frame_total(frame) >= PACKET_AT && frame_total(frame) <= PACKET_AT + 1500);
        frame_unref(frame);
        count++;
    }
    return count;
}

static void wait_for(struct bench *b, usec duration)
{
    usec until = b->now + duration;
    for (;;) {
        usec at = stack_deadline(b->stack);
        ASSERT(at >= b->now);
        if (at > until)
            break;
        b->now = at;
        stack_tick(b->stack, at);
        drain(b);
    }
    b->now = until;
    stack_tick(b->stack, until);
}

static void forget(struct bench *b, size_t i)
{
    b->connections[i] = b->connections[--b->connection_count];
}

static void use_connections(struct bench *b, uint8_t choice)
{
    for (size_t i = 0; i < ARRAY_LEN(b->listeners); i++) {
        if (b->connection_count == ARRAY_LEN(b->connections))
            break;
        struct tcp_connection *c = tcp_accept(b->listeners[i], NULL);
        if (c == NULL)
            continue;
        if (i == 1 && choice % 3 == 0) {
            tcp_refuse(c, choice % 2 == 0 ? -1 : 1);
            continue;
        }
        if (i == 1)
            tcp_answer(c);
        b->connections[b->connection_count++] = c;
    }
    for (size_t i = b->connection_count; i-- > 0;) {
        struct tcp_connection *c = b->connections[i];
        struct slice views[4];
        size_t count = tcp_received(c, views, 4);
        ASSERT(count <= 4);
        if (choice & 4)
            tcp_consume(c, tcp_received_len(c));
        (void)tcp_send(c, bytes_of_text("some words of an answer"));
        if (choice % 16 == 9 + i % 4) {
            if (choice & 16)
                tcp_abort(c);
            else
                tcp_close(c);
            forget(b, i);
        }
    }
}

static void use_sockets(struct bench *b, uint8_t choice)
{
    struct socket_event event;
    while (stack_next_event(b->stack, &event))
        ASSERT(event.events != 0);
    struct udp_datagram got;
    for (size_t i = 0; i < ARRAY_LEN(b->udp); i++) {
        while (udp_receive(b->udp[i], &got)) {
            struct udp_send_options back = {.to = got.from, .from = got.to, .interface = -1};
            if (choice & 1)
                (void)udp_send_frame(b->udp[i], &back, got.frame);
            else {
                udp_unreachable(b->udp[i], &got.from, &got.to, got.payload, choice % 16);
                frame_unref(got.frame);
            }
        }
        struct udp_error error;
        while (udp_next_error(b->udp[i], &error))
            ASSERT(error.type != 0);
    }
    struct echo_message message;
    while (echo_receive(b->echo, &message)) {
        struct echo_message reply = message;
        reply.reply = true;
        reply.from = message.to;
        reply.to = message.from;
        if (choice & 2)
            (void)echo_send(b->echo, &reply);
        else
            echo_unreachable(b->echo, &message, 1);
        frame_unref(message.frame);
    }
    use_connections(b, choice);
}

/* Takes the octets to the stack as one frame; `how` may share it or put a part in a slice. */
static void put(struct bench *b, const uint8_t *octets, size_t len, uint8_t how)
{
    struct frame *frame = frame_new(b->frames, len);
    if (frame == NULL)
        return;
    size_t head = (how & 16) != 0 && len > 20 ? 17 : len;
    frame_append(frame, bytes_of(octets, head));
    if (head < len) {
        struct frame *rest = frame_new(b->frames, len);
        if (rest != NULL) {
            frame_append(rest, bytes_of(octets + head, len - head));
            frame_add_slice(frame, rest, frame_bytes(rest));
            frame_unref(rest);
        }
    }
    if ((how & 32) != 0)
        frame->offload.checksum = FRAME_CHECKSUM_VALID;
    struct frame *kept = (how & 8) != 0 ? frame_ref(frame) : NULL;
    stack_input(b->stack, 0, frame, b->now);
    if (kept != NULL)
        frame_unref(kept);
}

static void set_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void fix_transport(uint8_t *ip, size_t header_len, size_t len)
{
    struct ip_address source = address_v4(0);
    struct ip_address target = address_v4(0);
    memcpy(source.octets + 12, ip + 12, 4);
    memcpy(target.octets + 12, ip + 16, 4);
    uint8_t *transport = ip + header_len;
    size_t transport_len = len - header_len;
    size_t at = ip[9] == 17 ? 6 : ip[9] == 6 ? 16 : 2;
    if (transport_len < at + 2)
        return;
    if (ip[9] == 17 && transport_len >= 8)
        set_u16(transport + 4, (uint16_t)transport_len);
    set_u16(transport + at, 0);
    uint64_t sum = checksum_sum(bytes_of(transport, transport_len));
    if (ip[9] != 1)
        sum += checksum_pseudo(&source, &target, ip[9], (uint32_t)transport_len);
    set_u16(transport + at, (uint16_t)~checksum_fold(sum));
}

/* The octets as an IP packet from the peer, with what kind asks for put right. */
static void put_packet(struct bench *b, uint8_t kind, uint8_t how, struct bytes in)
{
    static uint8_t octets[PACKET_AT + 4096];
    size_t len = in.len < 4096 ? in.len : 4096;
    memcpy(octets, us.octets, 6);
    memcpy(octets + 6, peer.octets, 6);
    set_u16(octets + 12, ETHERNET_IPV4);
    uint8_t *ip = octets + PACKET_AT;
    memcpy(ip, in.data, len);
    if (len >= 20) {
        size_t header_len = (size_t)(5 + (ip[0] & 0xf) % 11) * 4;
        if (header_len > len)
            header_len = 20;
        ip[0] = (uint8_t)(0x40 | header_len / 4);
        set_u16(ip + 2, (uint16_t)len);
        if (ip[12] != 10)
            memcpy(ip + 12, "\x0a\0\0\2", 4);
        if (kind == 3)
            memcpy(ip + 16, "\xc0\0\2\1", 4);
        else if (ip[16] % 4 != 3)
            memcpy(ip + 16, "\x0a\0\0\1", 4);
        if (kind >= 2)
            fix_transport(ip, header_len, len);
        set_u16(ip + 10, 0);
        set_u16(ip + 10, checksum_of(bytes_of(ip, header_len)));
    }
    put(b, octets, PACKET_AT + len, how);
}

static void put_arp(struct bench *b, uint8_t how, struct bytes in)
{
    uint8_t octets[PACKET_AT + 28] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,
                                      9,    8,    6,    0,    1,    8,    0, 6, 4, 0};
    size_t len = in.len < 21 ? in.len : 21;
    memcpy(octets + 21, in.data, len);
    put(b, octets, sizeof octets, how);
}

static void record(struct bench *b, uint8_t kind, struct bytes in)
{
    switch (kind & 7) {
    case 0:
        put(b, in.data, in.len, kind);
        break;
    case 1:
    case 2:
    case 3:
        put_packet(b, kind & 7, kind, in);
        break;
    case 4:
        wait_for(b, (usec)1 << (in.len > 0 ? in.data[0] % 30 : 0));
        break;
    case 5:
        drain(b);
        break;
    case 6:
        put_arp(b, kind, in);
        break;
    default:
        use_sockets(b, in.len > 0 ? in.data[0] : 0);
        break;
    }
}

/* After all that, the host is still there. */
static void check_alive(struct bench *b)
{
    for (size_t i = 0; i < b->connection_count; i++)
        tcp_abort(b->connections[i]);
    use_sockets(b, 0);
    for (size_t i = 0; i < ARRAY_LEN(b->udp); i++)
        udp_close(b->udp[i]);
    echo_close(b->echo);
    tcp_listener_close(b->listeners[0]);
    tcp_listener_close(b->listeners[1]);
    drain(b);
    wait_for(b, USEC_PER_HOUR);
    drain(b);
    struct frame_pool_counters frames;
    frame_pool_counters(b->frames, &frames);
    ASSERT(frames.frames == 0);

    uint8_t ping[PACKET_AT + 32];
    struct writer w = writer_of(ping, sizeof ping);
    struct ethernet_header ethernet = {
        .target = us, .source = peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = {.source = address_v4(0x0a000002),
                             .target = address_v4(0x0a000001),
                             .ttl = 64,
                             .protocol = IP_PROTOCOL_ICMP,
                             .total_len = 32,
                             .options = bytes_empty()};
    ipv4_encode(&ip, &w);
    struct icmp_message request = {.type = ICMP_ECHO_REQUEST};
    request.u.echo.data = bytes_of_text("ping");
    icmp_encode(&request, &w);
    put(b, ping, writer_len(&w), 0);
    struct frame *reply = stack_output(b->stack, 0);
    ASSERT(reply != NULL && reply->len == sizeof ping);
    ASSERT(reply->data[PACKET_AT + 20] == ICMP_ECHO_REPLY);
    frame_unref(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bench b;
    bench_open(&b);
    struct reader r = reader_of(bytes_of(data, len));
    for (int i = 0; i < RECORDS_MAX && reader_left(&r) > 0; i++) {
        uint8_t kind = read_u8(&r);
        size_t wanted = read_u8(&r);
        if ((kind & 64) != 0)
            wanted *= 8;
        struct bytes in = read_bytes(&r, wanted < reader_left(&r) ? wanted : reader_left(&r));
        record(&b, kind, in);
        tcp_check_all(b.stack);
    }
    check_alive(&b);
    stack_free(b.stack);
    frame_pool_free(b.frames);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * one_stack.h - a stack alone on a table: frames are made by hand and put in, what comes out is
 * looked at, the clock is turned by hand.
 *
 * The stack is 10.0.0.1/24 at 02:00:00:00:00:01 on interface 0. The other end of that link, `peer`,
 * is 10.0.0.2 at 02:00:00:00:00:02. A second interface, when asked for, is 10.0.1.1/24 with
 * 10.0.1.2 at 02:00:00:00:01:02 behind it.
 */
#ifndef WN_TESTS_SUPPORT_ONE_STACK_H
#define WN_TESTS_SUPPORT_ONE_STACK_H

#include "base/frame.h"
#include "stack/stack.h"
#include "tests/support/check.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/udp_header.h"
#include "wire/link/arp_packet.h"
#include "wire/link/ethernet.h"

#define ADDRESS_US address_v4(0x0a000001)
#define ADDRESS_PEER address_v4(0x0a000002)
#define ADDRESS_FAR_US address_v4(0x0a000101)
#define ADDRESS_FAR_PEER address_v4(0x0a000102)
#define ADDRESS_OUTSIDE address_v4(0xc0000201) /* 192.0.2.1 */

struct one_stack {
    struct counting_heap counts;
    struct heap heap;
    struct frame_pool *frames;
    struct stack *stack;
    usec now;
    enum drop_reason last_drop; /* told by the trace */
    uint8_t out[FRAME_PACKET_MAX];
    size_t out_len;
};

struct one_stack_options {
    struct stack_options stack;
    unsigned features;
    uint16_t mtu;     /* 0: 1500 */
    uint16_t far_mtu; /* 0: no second interface */
    unsigned far_features;
    bool unresolved; /* the peer's address is not known yet */
};

extern const struct mac mac_us, mac_peer, mac_far_us, mac_far_peer;

/* `options` NULL: all zero. What the stack says at its start is thrown away. */
void one_stack_open(struct one_stack *s, const struct one_stack_options *options);

/* Fails the test when memory is left. */
void one_stack_close(struct one_stack *s);

/* Goes to an instant `after` from now, and ticks whenever the stack wants it. */
void one_stack_wait(struct one_stack *s, usec after);

/* Puts in a frame of these octets. */
void one_stack_frame(struct one_stack *s, unsigned interface, struct bytes octets);

/* Puts in an ARP packet from `source` at `mac`, to all. */
void one_stack_arp(struct one_stack *s, uint16_t operation, const struct mac *mac,
                   struct ip_address source, struct ip_address target);

/* Puts in an IP packet from the peer's station; ttl 0 is 64. */
void one_stack_ip(struct one_stack *s, const struct ipv4_header *header, struct bytes payload);

/* The same with a UDP datagram in it. */
void one_stack_udp(struct one_stack *s, const struct endpoint *from, const struct endpoint *to,
                   struct bytes payload);

/* Takes the next frame of the interface into s->out; false: there is none. */
bool one_stack_next(struct one_stack *s, unsigned interface);

/* How many frames come out now; they are thrown away. */
size_t one_stack_drain(struct one_stack *s, unsigned interface);

/* The next frame must be IPv4; its header and payload, in s->out. */
struct ipv4_header one_stack_next_ip(struct one_stack *s, unsigned interface);

/* The next frame must be ARP. */
struct arp_packet one_stack_next_arp(struct one_stack *s, unsigned interface);

/* The next frame must be an ICMP message. */
struct icmp_message one_stack_next_icmp(struct one_stack *s, unsigned interface,
                                        struct ipv4_header *ip);

static inline struct endpoint endpoint_of(struct ip_address address, uint16_t port)
{
    return (struct endpoint){address, port};
}

#endif

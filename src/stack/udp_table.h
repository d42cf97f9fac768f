/* SPDX-License-Identifier: ISC */
/*
 * udp_table.h - the UDP sockets of a stack: opened in udp_socket.c, filled in udp_input.c, sent
 * from in udp_output.c.
 */
#ifndef WN_STACK_UDP_TABLE_H
#define WN_STACK_UDP_TABLE_H

#include "stack/internal.h"
#include "stack/udp.h"

enum {
    UDP_SOCKETS_DEFAULT = 4096,
    UDP_ERRORS_MAX = 8,          /* of a socket, not told yet; the oldest goes */
    UDP_EPHEMERAL_FIRST = 32768, /* RFC 6056 §3.2: as wide as does no harm */
    UDP_EPHEMERAL_LAST = 65535,
};

struct udp_socket {
    struct socket base;
    struct stack *stack;
    struct list_node all;       /* in udp_table.sockets */
    struct list_node same_port; /* in udp_port.sockets */
    struct endpoint local;
    struct endpoint remote;        /* port 0: not connected */
    struct ip_address connected_to; /* of ours; any: each */
    bool intercept;
    bool broadcast;
    bool share_address;
    bool share_port;
    uint8_t error_first;
    uint8_t error_count;
    struct frame_queue queue; /* data at the payload */
    size_t queue_octets;      /* of storage */
    size_t queue_octets_max;
    struct udp_error errors[UDP_ERRORS_MAX];
};

/* The sockets of one port, in the order in which they were bound. */
struct udp_port {
    uint16_t port;
    struct list_node sockets;
};

struct udp_table {
    struct map ports;
    struct list_node sockets;
    size_t count;
    size_t count_max;
    struct udp_socket *intercept;
};

/* Noted at the start of a waiting frame's storage. */
struct udp_note {
    struct endpoint from;
    struct endpoint to;
    struct mac mac;
    uint8_t interface;
};

_Static_assert(sizeof(struct udp_note) <= FRAME_HEADROOM, "the note fits into the headroom");

MUST_USE bool udp_init(struct stack *stack);
void udp_done(struct stack *stack);

/* NULL: no socket has it. */
struct udp_port *udp_find_port(const struct stack *stack, uint16_t number);

/* Whose a datagram is: a socket bound to the address goes before one that takes all of the host's, then
 * one that is connected to the sender before one that is not. NULL: nobody's. */
struct udp_socket *udp_find(const struct stack *stack, const struct endpoint *to,
                            const struct endpoint *from);

void udp_input(struct stack *stack, const struct ip_packet *packet);
void udp_icmp(struct stack *stack, const struct icmp_report *report);

#endif

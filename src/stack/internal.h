/* SPDX-License-Identifier: ISC */
/*
 * internal.h - the inside of struct stack, and how its modules call each other. For stack/ only.
 *
 * The way in: interface_input → arp_input | ip_input → icmp_input | udp_input | tcp_input. The way
 * out: tcp_flush, udp_send, … → ip_output → neighbour_output → the interface's queue.
 */
#ifndef WN_STACK_INTERNAL_H
#define WN_STACK_INTERNAL_H

#include "base/map.h"
#include "base/siphash.h"
#include "base/wheel.h"
#include "stack/stack.h"

/* Kinds of the timers in stack->wheel; stack_tick() dispatches on them. */
enum stack_timer {
    STACK_TIMER_NEIGHBOUR,
    STACK_TIMER_PROBE,      /* RFC 5227, of an address */
    STACK_TIMER_REASSEMBLY,
    STACK_TIMER_TCP,        /* a connection's retransmission, persist, keepalive */
    STACK_TIMER_TCP_ACK,    /* a connection's delayed acknowledgement */
    STACK_TIMER_TCP_PACE,   /* the next departure of a paced connection */
    STACK_TIMER_TCP_ENTRIES, /* what is half open or in TIME-WAIT */
    STACK_TIMER_TCP_WATCH,  /* what idle connections need no more */
    STACK_TIMER_COUNT
};

/* A received IP packet on its way up. The handler borrows the frame: frame_ref() to keep it. */
struct ip_packet {
    struct frame *frame;        /* linear; data at the IP header */
    struct bytes payload;       /* the transport's part, in the frame; exactly by Total Length */
    struct ip_address source;
    struct ip_address target;
    unsigned interface;
    uint8_t protocol;
    uint8_t ttl;
    uint8_t traffic_class;      /* DSCP and ECN */
    bool verified;              /* the transport checksum needs no check */
    bool foreign;               /* not our address: for intercepting sockets only */
    bool multicast;             /* IP multicast or broadcast, or came in a link broadcast */
    struct mac mac;             /* link-layer source */
};

/* A packet on its way down. */
struct ip_send {
    struct ip_address source;   /* any: by route */
    struct ip_address target;
    uint8_t protocol;
    uint8_t ttl;                /* 0: 64 */
    uint8_t traffic_class;
    bool dont_fragment;
    int interface;              /* -1: by route */
    const struct mac *mac;      /* not NULL: this link-layer target, no ARP */
};

enum ip_status { IP_SENT, IP_NO_ROUTE, IP_TOO_BIG, IP_NO_MEMORY, IP_DOWN };

struct route_choice {
    unsigned interface;
    struct ip_address next_hop;
    struct ip_address source;   /* the interface's address nearest to the target */
    uint16_t mtu;
    unsigned features;          /* enum interface_features */
    bool broadcast;             /* the target is a broadcast address of that link */
    bool local;                 /* the target is this host: the packet never leaves it */
};

/* Is it a host on the link, or this one, rather than a router's business? */
static inline bool route_is_direct(const struct route_choice *route,
                                   const struct ip_address *target)
{
    return route->local || address_equal(&route->next_hop, target);
}

/* Quoted in an ICMP error: the packet of ours that met it (RFC 792; RFC 1122 §3.2.2). */
struct icmp_report {
    uint8_t type;
    uint8_t code;
    uint16_t mtu;               /* type 3 code 4; 0: the router did not say */
    uint8_t protocol;
    struct ip_address source;   /* of the quoted packet: ours */
    struct ip_address target;
    struct bytes transport;     /* at least 8 octets of it */
    struct ip_address reporter; /* who says so; our own address: ARP had no answer */
};

struct tcp_table; /* stack/tcp/internal.h */
struct udp_table;
struct echo_table;
struct ip_state;        /* routes, reassembly, identification */
struct neighbour_table;
struct interface;

struct stack {
    struct stack_options options;
    struct heap heap;
    struct frame_pool *frames;
    struct prng prng;
    struct siphash_key hash_key; /* of the tables */
    struct wheel wheel;
    usec now;
    struct trace trace;
    struct list_node ready; /* sockets with events */
    struct interface *interfaces[STACK_INTERFACES_MAX];
    unsigned interface_count;
    struct neighbour_table *neighbours;
    struct ip_state *ip;
    struct udp_table *udp;
    struct echo_table *echo;
    struct tcp_table *tcp;
    struct stack_counters counters;
    uint64_t drops[DROP_REASON_COUNT];
};

/* Both ends of an association, to be hashed as octets. */
struct stack_pair {
    struct ip_address local;
    struct ip_address remote;
    uint16_t local_port;
    uint16_t remote_port;
};
_Static_assert(sizeof(struct stack_pair) == 36, "no padding");

static inline struct stack_pair stack_pair_of(const struct endpoint *local,
                                              const struct endpoint *remote)
{
    return (struct stack_pair){local->address, remote->address, local->port, remote->port};
}

/* Under the stack's key: strangers choose one end, and cannot choose the result. */
static inline uint32_t stack_pair_hash(const struct stack *stack, const struct endpoint *local,
                                       const struct endpoint *remote)
{
    struct stack_pair pair = stack_pair_of(local, remote);
    return (uint32_t)siphash13(&stack->hash_key, bytes_of(&pair, sizeof pair));
}

/* stack.c */

/* Counts and tells of a drop; the frame stays the caller's, and may be NULL. */
void stack_drop(struct stack *stack, enum drop_reason reason, const struct frame *frame);
void socket_init(struct socket *socket, enum socket_kind kind, void *user);
void socket_raise(struct stack *stack, struct socket *socket, unsigned events);
void socket_done(struct socket *socket); /* leaves the ready list */

/* The frame, or, when much smaller storage would do, a copy that takes its place: for frames that
 * are kept, so that a queue's bound on octets is one on memory. Takes `frame`; NULL: no memory. */
MUST_USE struct frame *stack_fit(struct frame *frame);

static inline bool stack_traced(const struct stack *stack)
{
    return UNLIKELY(stack->trace.emit != NULL);
}

/* ip_output.c: takes the frame, whose data begins at the transport header; the transport has set
 * the offload facts. Fragments when it must and may. IP_NO_MEMORY: the interface's queue is full,
 * too. */
enum ip_status ip_output(struct stack *stack, const struct ip_send *send, struct frame *frame);

/* ip_route.c */
MUST_USE bool ip_route(const struct stack *stack, const struct ip_address *target,
                       struct route_choice *out);
/* Nothing seems to come through to `target` (RFC 9293 §3.8.3, R1; RFC 1122 §3.3.1.4): the neighbour that
 * is the way there is asked whether it still is what it was, once in a second at most. */
void ip_doubt(struct stack *stack, const struct ip_address *target);
bool ip_is_local(const struct stack *stack, const struct ip_address *address);

/* icmp_output.c: says why `packet` was not served (RFC 1122 §3.2.2, RFC 1812 §4.3); rate limited;
 * never about an error, a broadcast, a later fragment. `packet->source` is told; from packet->target. */
void icmp_unreachable(struct stack *stack, const struct ip_packet *packet, uint8_t code,
                      uint16_t mtu);
void icmp_time_exceeded(struct stack *stack, const struct ip_packet *packet, uint8_t code);

/* The same for a packet that is gone: sends report->type and code to report->source, from
 * report->target, about a packet whose transport part began with report->transport. */
void icmp_send_report(struct stack *stack, const struct icmp_report *report);

/* tcp/: what the rest of the stack calls. */
MUST_USE bool tcp_init(struct stack *stack);       /* sets stack->tcp */
void tcp_done(struct stack *stack);                /* all connections and listeners go, silently */
void tcp_input(struct stack *stack, const struct ip_packet *packet);
void tcp_icmp(struct stack *stack, const struct icmp_report *report);
void tcp_timer(struct stack *stack, struct timer *timer); /* STACK_TIMER_TCP… */

/* Lets connections that have something to send make segments, each by ip_output(), until about
 * `frames_max` frames were made. True while more wait. stack_output() calls it when a queue is
 * empty. */
bool tcp_flush(struct stack *stack, unsigned frames_max);

#endif

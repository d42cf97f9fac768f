/* SPDX-License-Identifier: ISC */
/*
 * stack.h - one host's TCP/IP: frames in, frames out, and the time as an argument.
 *
 * A stack opens nothing, reads no clock and calls nobody back. Its owner turns the crank:
 *
 *      stack_input(stack, interface, frame, now)     for every frame that arrived
 *      stack_tick(stack, now)                        when stack_deadline() has come
 *      stack_next_event(stack, &event)               until false: what sockets have to tell
 *      stack_output(stack, interface)                until NULL: frames to send
 *
 * Segments and acknowledgements are made in stack_output(), so that one batch of input gives one
 * acknowledgement, and one turn of the application one super-segment. Sockets (stack/tcp/tcp.h,
 * stack/udp.h, stack/echo.h) may be used at any time between those calls; they use the `now` of the
 * last one (stack_advance() gives a newer one).
 */
#ifndef WN_STACK_STACK_H
#define WN_STACK_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/frame.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/prng.h"
#include "base/usec.h"
#include "stack/counters.h"
#include "stack/trace.h"

struct stack;
struct tcp_profile;

enum {
    STACK_INTERFACES_MAX = 16,
    STACK_ADDRESSES_MAX = 64, /* of all interfaces */
    STACK_ROUTES_MAX = 256,
    STACK_PROXIES_MAX = 16,
};

struct stack_options {
    struct heap heap;
    struct frame_pool *frames; /* borrowed; may serve several stacks of one thread */
    uint8_t seed[PRNG_SEED_LEN];
    struct trace trace;
    bool forwarding;           /* RFC 1812: pass packets on between interfaces */
    /* Bounds; 0 takes the default that the implementation's header gives. */
    size_t neighbours_max;
    size_t reassembly_octets_max;
    size_t tcp_connections_max;
    size_t udp_sockets_max;
    const struct tcp_profile *tcp_profile; /* stack/tcp/tcp_profile.h; copied; NULL: the default */
    size_t tcp_receive_buffer; /* octets a connection may have received and not consumed */
    size_t tcp_send_buffer;    /* octets a connection may have queued and not acknowledged */
};

MUST_USE struct stack *stack_new(const struct stack_options *options, usec now);

/* Frees sockets and queued frames too. NULL is nothing. */
void stack_free(struct stack *stack);

enum interface_features {
    INTERFACE_CHECKSUM = 1 << 0, /* the device completes FRAME_CHECKSUM_PARTIAL */
    INTERFACE_TSO4 = 1 << 1,     /* the device takes TCP/IPv4 super-segments (FRAME_GSO_TCP4) */
    INTERFACE_TSO6 = 1 << 2,
    INTERFACE_USO4 = 1 << 4,     /* the device takes datagrams in one piece (FRAME_GSO_UDP4) */
    /* Unicast packets to addresses that are not ours are not forwarded but given to sockets
     * opened with `intercept`; a packet that no such socket takes is dropped. */
    INTERFACE_INTERCEPT = 1 << 3,
};

struct interface_options {
    char name[16];
    struct mac mac;
    uint16_t mtu; /* IP octets; at least 576 */
    unsigned features; /* enum interface_features */
};

/* The index of the new interface, or -1 when there are STACK_INTERFACES_MAX. It is up. */
MUST_USE int stack_add_interface(struct stack *stack, const struct interface_options *options);

/* Takes the interface down (its neighbours and queued frames go) or up. */
void stack_set_up(struct stack *stack, unsigned interface, bool up);

/* False: table full, or the address is there already. With `probe` it is probed by RFC 5227
 * before use; without, it is announced only. Adds the route of its prefix. */
MUST_USE bool stack_add_address(struct stack *stack, unsigned interface,
                                const struct ip_prefix *address, bool probe);
bool stack_remove_address(struct stack *stack, unsigned interface,
                          const struct ip_address *address);

enum address_state {
    ADDRESS_NONE,      /* the interface does not have it */
    ADDRESS_PROBING,   /* not in use yet */
    ADDRESS_READY,
    ADDRESS_DUPLICATE, /* another station has it; stays unused until it is removed */
};
enum address_state stack_address_state(const struct stack *stack, unsigned interface,
                                       const struct ip_address *address);

/* False: table full. `gateway` NULL: on the link. */
MUST_USE bool stack_add_route(struct stack *stack, const struct ip_prefix *destination,
                              const struct ip_address *gateway, unsigned interface);
bool stack_remove_route(struct stack *stack, const struct ip_prefix *destination,
                        const struct ip_address *gateway);

/* The stack answers ARP for `address` on the interface (RFC 1027), but it stays foreign: what is
 * sent there goes to intercepting sockets, or is forwarded. False: table full. */
MUST_USE bool stack_add_proxy(struct stack *stack, unsigned interface,
                              const struct ip_address *address);

/* A neighbour entry that does not expire. False: table full. */
MUST_USE bool stack_add_neighbour(struct stack *stack, unsigned interface,
                                  const struct ip_address *address, const struct mac *mac);

/* Takes the frame: Ethernet header first. */
void stack_input(struct stack *stack, unsigned interface, struct frame *frame, usec now);

/* The link carries packets of `mtu` octets from now on, 576 at least. */
void stack_set_mtu(struct stack *stack, unsigned interface, uint16_t mtu);

/* What the device turns out to do besides: INTERFACE_…. */
void stack_add_features(struct stack *stack, unsigned interface, unsigned features);

/* The next frame to send on the interface, Ethernet header first, whose reference goes to the
 * caller; NULL when there is none now. A caller whose device is full just does not ask. */
struct frame *stack_output(struct stack *stack, unsigned interface);

/* When to call stack_tick() at the latest; USEC_NEVER: no timer runs. */
usec stack_deadline(const struct stack *stack);

void stack_tick(struct stack *stack, usec now);

/* Only tells the time, for sockets used outside the calls above. */
void stack_advance(struct stack *stack, usec now);
usec stack_now(const struct stack *stack);

enum socket_kind { SOCKET_TCP, SOCKET_TCP_LISTENER, SOCKET_UDP, SOCKET_ECHO };

enum socket_events {
    SOCKET_OPENED = 1 << 0,   /* TCP: connected. Listener: a connection can be taken */
    SOCKET_READABLE = 1 << 1, /* octets or datagrams have arrived since the last event */
    SOCKET_WRITABLE = 1 << 2, /* there is room again after a short send */
    SOCKET_END = 1 << 3,      /* TCP: the peer has sent FIN; nothing comes after what is queued */
    SOCKET_FAILED = 1 << 4,   /* TCP: the connection is gone, see tcp_error(); UDP: an ICMP error */
    SOCKET_FINISHED = 1 << 5, /* TCP: our FIN is acknowledged and the peer's has come */
    SOCKET_TROUBLE = 1 << 6,  /* TCP: tcp_info() tells what; the connection lives on */
    SOCKET_URGENT = 1 << 7,   /* TCP: tcp_urgent() tells where urgent data ends */
};

/* Who opened a socket. Whoever takes the stack's events hands those of other faces on. */
enum socket_face {
    SOCKET_FACE_EVENTS,
    SOCKET_FACE_BSD, /* stack/bsd/bsd.h */
    SOCKET_FACE_NET, /* io/net_stack.h: `user` is a struct node_client */
};

/* Common head of every socket; `user` is the application's. */
struct socket {
    struct list_node ready; /* in the stack's list of sockets with events */
    void *user;
    uint8_t kind;   /* enum socket_kind */
    uint8_t events; /* enum socket_events, not told yet */
    uint8_t face;   /* enum socket_face: whose `user` is */
};

/* Why a socket was not opened. The options of each call have a pointer for it, which may be NULL. */
enum socket_refusal {
    SOCKET_IN_USE,    /* somebody else has the endpoint, or the pair of them; no port is free */
    SOCKET_NO_MEMORY, /* or a table is full */
    SOCKET_NO_ROUTE,  /* nobody can be there, or there is no way */
};

static inline void socket_refuse(enum socket_refusal *out, enum socket_refusal why)
{
    if (out != NULL)
        *out = why;
}

struct socket_event {
    struct socket *socket; /* valid until its owner closes it */
    unsigned events;       /* enum socket_events: all that happened since it was last told */
};

/* What a socket has to tell, oldest first. Closing a socket discards what it had to tell. */
bool stack_next_event(struct stack *stack, struct socket_event *out);

/* The same of the sockets of one face; those of others stay where they are in the row. */
bool stack_next_event_of(struct stack *stack, enum socket_face face, struct socket_event *out);

/* Is there any, of any face? */
bool stack_has_event(const struct stack *stack);

struct tcp_connection *socket_tcp(struct socket *socket);
struct tcp_listener *socket_listener(struct socket *socket);
struct udp_socket *socket_udp(struct socket *socket);
struct echo_socket *socket_echo(struct socket *socket);

/* The source address and link MTU that a packet to `target` would have; false: no route. */
MUST_USE bool stack_route(const struct stack *stack, const struct ip_address *target,
                          struct ip_address *source, uint16_t *mtu);

/* Visits: start with *place = 0, ends with false. For status pages and tests. */
struct neighbour_info {
    unsigned interface;
    struct ip_address address;
    struct mac mac;
    uint8_t state; /* enum neighbour_state, stack/neighbour.h */
    usec expires_at;
};
bool stack_each_neighbour(const struct stack *stack, size_t *place, struct neighbour_info *out);

/* Counters under the names of the standard MIBs (IF-MIB, IP-MIB, UDP-MIB, TCP-MIB). */
const struct stack_counters *stack_counters(const struct stack *stack);
const struct interface_counters *stack_interface_counters(const struct stack *stack,
                                                          unsigned interface);
uint64_t stack_drops(const struct stack *stack, enum drop_reason reason);

#endif

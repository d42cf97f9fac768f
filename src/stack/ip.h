/* SPDX-License-Identifier: ISC */
/*
 * ip.h - the parts of IPv4 in the stack and how they call each other: addresses (ip_address.c),
 * routes (ip_route.c), input, forwarding, output, fragments. RFC 791, RFC 1122 §3, RFC 1812 §4 and
 * §5.
 */
#ifndef WN_STACK_IP_H
#define WN_STACK_IP_H

#include "stack/interface.h"
#include "wire/inet/ipv4.h"
#include "wire/link/arp_packet.h"

enum {
    IP_TTL_DEFAULT = 64, /* RFC 1122 §3.2.1.7 leaves the choice; RFC 1700 says 64 */
    IP_LOOPBACK_MTU = 65535,
    IP_LOOPBACK_QUEUE_MAX = 1024, /* frames to ourselves */
    IP_IDENTIFIERS = 256,

    REASSEMBLY_DATAGRAMS_MAX = 64,               /* under way at a time */
    REASSEMBLY_FRAGMENTS_MAX = 256,              /* of one datagram */
    REASSEMBLY_OCTETS_DEFAULT = 4 * 1024 * 1024, /* of storage */

    ICMP_BURST = 50,  /* errors at once (RFC 1812 §4.3.2.8) */
    ICMP_RATE = 1000, /* a second */
};

#define REASSEMBLY_TIMEOUT (30 * USEC_PER_SEC)

struct own_address {
    bool used;
    uint8_t state; /* enum address_state */
    uint8_t interface;
    uint8_t sent; /* probes, or announcements, in this state */
    struct ip_prefix prefix;
    uint32_t value;
    uint32_t mask;
    uint32_t broadcast; /* 0: a prefix that has none */
    usec defend_at;     /* not before this, RFC 5227 §2.4 */
    struct timer timer;
};

struct route {
    struct ip_prefix destination;
    uint32_t network;
    uint32_t mask;
    uint32_t gateway; /* 0: on the link */
    uint8_t interface;
    bool connected; /* came with an address */
};

struct proxied_address {
    uint32_t value;
    uint8_t interface;
};

struct datagram; /* reassembly.c */

struct reassembly {
    struct list_node datagrams; /* oldest first */
    size_t count;
    size_t octets;
    size_t octets_max;
};

struct ip_state {
    struct own_address addresses[STACK_ADDRESSES_MAX];
    unsigned address_top; /* all that are used lie below */
    struct proxied_address proxies[STACK_PROXIES_MAX];
    unsigned proxy_count;
    struct route routes[STACK_ROUTES_MAX]; /* longest prefix first */
    unsigned route_count;
    struct frame_queue loopback; /* data at the IP header */
    struct reassembly reassembly;
    uint16_t identifiers[IP_IDENTIFIERS];
    int64_t icmp_tokens; /* in millionths */
    usec icmp_filled_at;
};

MUST_USE bool ip_init(struct stack *stack);
void ip_done(struct stack *stack);

/* ip_address.c */
const struct own_address *ip_own(const struct stack *stack, uint32_t value);
bool ip_is_ours_on(const struct stack *stack, unsigned interface, const struct ip_address *address);
bool ip_is_proxied_on(const struct stack *stack, unsigned interface,
                      const struct ip_address *address);
bool ip_is_broadcast_on(const struct stack *stack, unsigned interface, uint32_t value);

/* The interface's address nearest to `target`; 0.0.0.0 when the stack has none at all. */
struct ip_address ip_source_on(const struct stack *stack, unsigned interface,
                               const struct ip_address *target);
void address_timer(struct stack *stack, struct timer *timer);

/* Sends announcements of the interface's addresses once more. */
void addresses_announce(struct stack *stack, unsigned interface);

/* Does someone else use an address of ours (RFC 5227 §2.1.1, §2.4)? Then it has been dealt with. */
bool address_conflict(struct stack *stack, struct interface *interface,
                      const struct arp_packet *packet);

/* ip_route.c: as ip_route(), out of that interface; `interface` < 0: any. */
MUST_USE bool ip_route_on(const struct stack *stack, int interface, const struct ip_address *target,
                          struct route_choice *out);

/* The table's part of adding and removing an address. */
MUST_USE bool route_add_connected(struct stack *stack, const struct ip_prefix *prefix,
                                  unsigned interface);
void route_remove_connected(struct stack *stack, const struct ip_prefix *prefix,
                            unsigned interface);

/* ip_input.c: takes the frame. `group`: it came in a link broadcast or multicast. */
void ip_input(struct stack *stack, struct interface *interface, struct frame *frame,
              const struct mac *source, bool group);
bool ip_loopback_waits(const struct stack *stack);
void ip_loopback_deliver(struct stack *stack);

/* ip_forward.c: takes the frame, which nobody else holds. */
void ip_forward(struct stack *stack, struct frame *frame, const struct ip_packet *packet,
                const struct ipv4_header *header);

/* ip_output.c, for those who need to know the source address first: chooses the way for `send`, and
 * sends along it. ip_output() is both. `send->source` must be set for the second. */
enum ip_status ip_choose(struct stack *stack, const struct ip_send *send, struct route_choice *out);
enum ip_status ip_output_by(struct stack *stack, const struct ip_send *send,
                            const struct route_choice *choice, struct frame *frame);

/* Sends a whole packet; fragments it when it must and may. Takes the frame. */
enum ip_status ip_transmit(struct stack *stack, const struct route_choice *choice,
                           const struct mac *mac, struct frame *frame);

/* Nobody answered ARP for the packet, whose data begins at the IP header; borrows it. */
void ip_undeliverable(struct stack *stack, unsigned interface, struct frame *frame);

/* ip_fragment.c: cuts the packet for choice->mtu and sends the parts. Takes the frame. */
enum ip_status ip_fragment(struct stack *stack, const struct route_choice *choice,
                           const struct mac *mac, struct frame *frame);

/* Down to the link, whole as it is. Takes the frame. */
enum ip_status ip_link_output(struct stack *stack, const struct route_choice *choice,
                              const struct mac *mac, struct frame *frame);

/* reassembly.c: takes the fragment; the whole datagram when it was the last one missing, whose
 * data begins at an IP header made anew; else NULL. */
struct frame *reassembly_add(struct stack *stack, struct frame *frame,
                             const struct ip_packet *packet, const struct ipv4_header *header);
void reassembly_timer(struct stack *stack, struct timer *timer);
void reassembly_done(struct stack *stack);

/* icmp_input.c: borrows. */
void icmp_input(struct stack *stack, const struct ip_packet *packet);

/* Hands an error to the transport that the quoted packet came from. */
void icmp_deliver(struct stack *stack, const struct icmp_report *report);

/* icmp_output.c: octet `pointer` of the header is wrong (RFC 792, Parameter Problem). */
void icmp_parameter_problem(struct stack *stack, const struct ip_packet *packet, uint8_t pointer);

#endif

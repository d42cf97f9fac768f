/* SPDX-License-Identifier: ISC */
/*
 * neighbour.h - the neighbour cache, and who fills it: ARP (RFC 826) with the states of RFC 4861
 * §7.3.2 and the timing of RFC 1122 §2.3.2.
 *
 * An entry is made when we have something to send, or when someone asks for us; never from what is
 * merely overheard. The table is bounded: a new entry evicts the oldest one that nobody has
 * answered for, else the one unused for longest (RFC 6583 §6.2 has the reason for that order).
 */
#ifndef WN_STACK_NEIGHBOUR_H
#define WN_STACK_NEIGHBOUR_H

#include "stack/interface.h"

enum neighbour_state {
    NEIGHBOUR_INCOMPLETE, /* asked, no answer yet: packets wait */
    NEIGHBOUR_REACHABLE,  /* answered lately */
    NEIGHBOUR_STALE,      /* answered once; used as it is, and probed when it is used */
    NEIGHBOUR_PROBE,      /* used as it is while the station itself is being asked; at once when TCP
                           * doubts it */
    NEIGHBOUR_STATE_COUNT
};

enum {
    NEIGHBOURS_DEFAULT = 1024,
    NEIGHBOUR_QUEUE_MAX = 64,     /* packets of one entry: the fragments of a 64 KiB datagram */
    NEIGHBOUR_WAITING_MAX = 1024, /* packets of all entries */
    NEIGHBOUR_REQUESTS_MAX = 3,   /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT (RFC 4861 §10) */
};

#define NEIGHBOUR_REQUEST_INTERVAL (1 * USEC_PER_SEC) /* RFC 1122 §2.3.2.1: no more often */
#define NEIGHBOUR_REACHABLE_TIME (60 * USEC_PER_SEC)  /* RFC 1122 §2.3.2.1: about a minute */
#define NEIGHBOUR_PROBE_DELAY (5 * USEC_PER_SEC)      /* DELAY_FIRST_PROBE_TIME (RFC 4861 §10) */
#define NEIGHBOUR_STALE_TIME (20 * USEC_PER_MINUTE)   /* then an unused entry goes */

MUST_USE bool neighbours_init(struct stack *stack);
void neighbours_done(struct stack *stack);

/* Sends the packet, whose data begins at the IP header, to `next_hop`; waits for ARP if it must.
 * Takes the frame. */
enum ip_status neighbour_output(struct stack *stack, struct interface *interface,
                                const struct ip_address *next_hop, struct frame *frame);

/* What was sent there seems not to arrive: is the neighbour what it was? */
void neighbour_doubt(struct stack *stack, unsigned interface, const struct ip_address *address);

void neighbour_timer(struct stack *stack, struct timer *timer);

/* The interface's entries go. */
void neighbours_flush(struct stack *stack, unsigned interface);

/* What an ARP packet says of `address`. */
struct neighbour_news {
    struct ip_address address;
    struct mac mac;
    bool to_us;  /* it asks for us, or answers us: worth a new entry */
    bool answer; /* a reply */
};

void neighbour_learn(struct stack *stack, struct interface *interface,
                     const struct neighbour_news *news);

/* arp_input.c. Borrows the frame, whose data begins at the ARP packet. */
void arp_input(struct stack *stack, struct interface *interface, const struct frame *frame,
               const struct mac *link_source);

/* arp_output.c: a request for `target` from `sender` (any: a probe), to one station or, `to` NULL,
 * to all. */
void arp_request(struct stack *stack, struct interface *interface, const struct ip_address *sender,
                 const struct ip_address *target, const struct mac *to);
void arp_reply(struct stack *stack, struct interface *interface, const struct ip_address *sender,
               const struct ip_address *target, const struct mac *to);

#endif

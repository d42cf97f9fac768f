/* SPDX-License-Identifier: ISC */
/* udp_table.h - the UDP sockets of a stack, for the rest of stack/. */
#ifndef WN_STACK_UDP_TABLE_H
#define WN_STACK_UDP_TABLE_H

#include "stack/internal.h"
#include "stack/udp.h"

enum {
    UDP_SOCKETS_DEFAULT = 4096,
    UDP_ERRORS_MAX = 8,           /* of a socket, not told yet; the oldest goes */
    UDP_EPHEMERAL_FIRST = 32768,  /* RFC 6056 §3.2: as wide as does no harm */
    UDP_EPHEMERAL_LAST = 65535,
};

MUST_USE bool udp_init(struct stack *stack);
void udp_done(struct stack *stack);

void udp_input(struct stack *stack, const struct ip_packet *packet);
void udp_icmp(struct stack *stack, const struct icmp_report *report);

#endif

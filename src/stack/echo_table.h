/* SPDX-License-Identifier: ISC */
/* echo_table.h - the echo sockets of a stack, for the rest of stack/. */
#ifndef WN_STACK_ECHO_TABLE_H
#define WN_STACK_ECHO_TABLE_H

#include "stack/echo.h"
#include "stack/internal.h"
#include "wire/inet/icmp_message.h"

enum {
    ECHO_SOCKETS_MAX = 256,
    ECHO_QUEUE_OCTETS = 256 * 1024, /* received and not taken; what comes then is dropped */
};

MUST_USE bool echo_init(struct stack *stack);
void echo_done(struct stack *stack);

/* A reply to us, or a request to a foreign host. Borrows. */
void echo_input(struct stack *stack, const struct ip_packet *packet,
                const struct icmp_message *message);

#endif

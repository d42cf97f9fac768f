/* SPDX-License-Identifier: ISC */
/*
 * echo.h - ICMP echo as a socket: send requests and see the replies (ping), or take the requests
 * that are addressed to foreign hosts and answer for them (the gateway). RFC 792, RFC 1122
 * §3.2.2.6.
 *
 * Requests to the stack's own addresses are answered by the stack itself.
 */
#ifndef WN_STACK_ECHO_H
#define WN_STACK_ECHO_H

#include "stack/stack.h"

struct echo_options {
    bool intercept; /* receives requests to foreign addresses of INTERCEPT interfaces */
    void *user;
};

struct echo_message {
    bool reply;              /* a reply (to our request), or a request (intercepted) */
    struct ip_address from;
    struct ip_address to;
    uint16_t identifier;
    uint16_t sequence;
    uint8_t ttl;             /* as received */
    struct bytes payload;    /* in `frame` */
    struct frame *frame;     /* the caller's reference to drop */
};

MUST_USE struct echo_socket *echo_open(struct stack *stack, const struct echo_options *options);
void echo_close(struct echo_socket *socket);
/* What its requests carry, and replies must. */
uint16_t echo_identifier(const struct echo_socket *socket);

struct socket *echo_socket_base(struct echo_socket *socket);

bool echo_receive(struct echo_socket *socket, struct echo_message *out);

/* False: no route or no memory. `from` any: by route. A non-intercepting socket sends requests
 * with its own identifier. */
bool echo_send(struct echo_socket *socket, const struct echo_message *message);

/* Answers an intercepted request with Destination Unreachable of `code`. */
void echo_unreachable(struct echo_socket *socket, const struct echo_message *request, uint8_t code);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * relay.h - carries the flows of hosts behind an INTERCEPT interface to ordinary sockets of the
 * kernel and back: TCP connections, UDP datagrams, ICMP echo. The mechanism under the gateway, which
 * supplies the policy.
 *
 * TCP: the inside's handshake completes only if the outside's does; refusal, unreachability, half
 * close and reset are passed on as what they are. Octets are received into the frames that will be
 * sent, and sent from the frames they came in. What the slower side cannot take stays where it is
 * and closes the faster side's window; nothing that was acknowledged is dropped.
 *
 * UDP: one kernel socket for each inside endpoint (endpoint-independent mapping, RFC 4787 §4.1),
 * dropped after RELAY_UDP_TIMEOUT without traffic; errors come back as ICMP. The tables are
 * bounded: a new TCP flow beyond the limit is refused, a new UDP flow takes the place of the one
 * that was idle longest.
 */
#ifndef WN_IO_RELAY_H
#define WN_IO_RELAY_H

#include "io/node.h"

enum {
    RELAY_TCP_MAX = 16384,  /* when options say 0; one descriptor each */
    RELAY_UDP_MAX = 2048,
    RELAY_ECHO_MAX = 64,
    RELAY_PUBLISHED_MAX = 64,
};
#define RELAY_UDP_TIMEOUT (120 * USEC_PER_SEC) /* RFC 4787 §4.3: two minutes at least */
#define RELAY_DNS_TIMEOUT (20 * USEC_PER_SEC)  /* to port 53: one question, one answer */
#define RELAY_ECHO_TIMEOUT (30 * USEC_PER_SEC)

struct relay;
struct tcp_connection;

enum relay_protocol { RELAY_TCP, RELAY_UDP, RELAY_ECHO };

enum relay_action {
    RELAY_FORWARD,     /* to `outside` */
    RELAY_ANSWER,      /* echo only: answer in its name */
    RELAY_REFUSE,      /* TCP: RST. UDP: port unreachable */
    RELAY_UNREACHABLE, /* ICMP Destination Unreachable of `code` */
    RELAY_TAKE,        /* TCP only: it is answered here, by policy.take() */
};

struct relay_verdict {
    enum relay_action action;
    struct endpoint outside;
    uint8_t code; /* RFC 792, RFC 1122 §3.2.2.1 */
};

struct relay_policy {
    /* Where a flow from inside `from` to `to` goes. */
    void (*decide)(void *self, enum relay_protocol protocol, const struct endpoint *from,
                   const struct endpoint *to, struct relay_verdict *out);
    /* The address as which the inside knows the outside's `outside` (127.0.0.1 -> 10.0.2.2). */
    struct endpoint (*seen_as)(void *self, const struct endpoint *outside);
    /* Has a connection that decide() said TAKE of. NULL: it never does. */
    void (*take)(void *self, struct tcp_connection *connection);
    void *self;
};

struct relay_options {
    struct node *node;
    struct relay_policy policy;
    unsigned tcp_max; /* 0: RELAY_TCP_MAX */
    unsigned udp_max;
};

MUST_USE int relay_new(const struct relay_options *options, struct relay **out);

/* Resets what is open. NULL is nothing. */
void relay_free(struct relay *relay);

/* A port of the host that reaches `inside`. 0 or a negative errno (-EADDRINUSE, -EACCES, …). With
 * outside->port 0 a free one is taken and written back. `udp`: datagrams, else TCP. `inside` may be
 * changed later by relay_set_inside(), when the guest's address becomes known. */
MUST_USE int relay_publish(struct relay *relay, struct endpoint *outside,
                           const struct endpoint *inside, bool udp);

/* Published ports whose inside address is any (0.0.0.0) lead to `guest` from now on. */
void relay_set_guest(struct relay *relay, const struct ip_address *guest);

struct relay_counters {
    uint64_t tcp_opened, tcp_refused, tcp_failed, tcp_limited; /* limited: no slot or descriptor */
    uint64_t tcp_taken; /* answered by a service of the site */
    uint64_t udp_opened, udp_evicted, udp_dropped, echo_opened, echo_failed;
    uint64_t udp_joined_out, udp_joined_in; /* datagrams that went behind another in one piece */
    uint64_t octets_out, octets_in; /* payload, from and to the inside */
    uint64_t tcp_flows, udp_flows, echo_flows; /* gauges */
};
void relay_counters(const struct relay *relay, struct relay_counters *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * udp.h - UDP sockets of a stack (RFC 768, RFC 1122 §4.1).
 */
#ifndef WN_STACK_UDP_H
#define WN_STACK_UDP_H

#include "stack/stack.h"

enum { UDP_QUEUE_OCTETS = 256 * 1024 }; /* received and not taken, when options say 0 */

struct udp_options {
    struct endpoint local;  /* address any: all of the host's; port 0: ephemeral (RFC 6056) */
    bool intercept;         /* datagrams to foreign addresses of INTERCEPT interfaces, any port */
    bool broadcast;         /* may send to broadcast addresses */
    bool share_address;     /* others that say so too may have the same endpoint: what is not for a
                               group comes to the newest of them (Linux's SO_REUSEADDR) */
    bool share_port;        /* the same, but it is spread over them by a hash of both ends
                               (SO_REUSEPORT) */
    size_t queue_octets_max;
    void *user;
    enum socket_refusal *why; /* NULL, or is told why the result is NULL */
};

struct udp_datagram {
    struct endpoint from;
    struct endpoint to;      /* as addressed; the socket's own, a broadcast, or a foreign one */
    struct bytes payload;    /* in `frame` */
    struct frame *frame;     /* received: the caller's reference to drop with frame_unref() */
    struct mac mac;          /* received: the link-layer source. */
    unsigned interface;      /* where it came in */
};

/* NULL: the port is in use, the table is full, or there is no memory. */
MUST_USE struct udp_socket *udp_open(struct stack *stack, const struct udp_options *options);
void udp_close(struct udp_socket *socket);

/* What was said in the options, said anew. */
void udp_set_broadcast(struct udp_socket *socket, bool on);
void udp_set_sharing(struct udp_socket *socket, bool address, bool port);
void udp_set_queue(struct udp_socket *socket, size_t octets_max);

/* From now on only datagrams from `remote` to `local` are taken, others find nobody here; NULL:
 * from anybody again. What is queued stays. */
void udp_connect(struct udp_socket *socket, const struct endpoint *remote,
                 const struct ip_address *local);

struct socket *udp_socket_base(struct udp_socket *socket);
const struct endpoint *udp_local(const struct udp_socket *socket);

/* The oldest datagram; false when there is none. */
bool udp_receive(struct udp_socket *socket, struct udp_datagram *out);

struct udp_send_options {
    struct endpoint to;
    struct endpoint from;        /* address any: by route and socket; else used as it is (an
                                    intercepting socket speaks for foreign addresses) */
    const struct mac *mac;       /* not NULL: send there without asking ARP (RFC 2131 §4.1) */
    int interface;               /* -1: by route. Required for 255.255.255.255 */
    uint8_t ttl;                 /* 0: 64 */
    uint8_t traffic_class;
    bool dont_fragment;          /* UDP_TOO_BIG when it does not fit the way */
    uint16_t segment;            /* not 0: the payload is that of several datagrams, each of so many
                                    octets but for the last; see udp_takes_segments() */
};

enum udp_status { UDP_SENT, UDP_TOO_BIG, UDP_NO_ROUTE, UDP_NO_MEMORY, UDP_NOT_ALLOWED };

/* Sends a copy of `payload`. */
enum udp_status udp_send(struct udp_socket *socket, const struct udp_send_options *options,
                         struct bytes payload);

/* The same without a copy: `payload` is a linear frame with full FRAME_HEADROOM; taken. */
enum udp_status udp_send_frame(struct udp_socket *socket, const struct udp_send_options *options,
                               struct frame *payload);

/* Do datagrams to there go out in one piece, if each has `segment` octets? Else they are to be sent one by one. */
bool udp_takes_segments(const struct udp_socket *socket, const struct ip_address *to,
                        uint16_t segment);

/* An ICMP error that came back for a datagram this socket sent. */
struct udp_error {
    struct endpoint to;   /* where the datagram was going */
    struct endpoint from; /* and where it came from: our end */
    struct ip_address reporter; /* who says so; our own address: ARP had no answer */
    uint8_t type, code;   /* ICMP (RFC 792) */
    uint16_t mtu;         /* type 3 code 4 */
};
bool udp_next_error(struct udp_socket *socket, struct udp_error *out);

/* Answers the datagram (from, to) that an intercepting socket received with an ICMP Destination
 * Unreachable of `code` from the foreign host; `payload` is the head of what it carried. */
void udp_unreachable(struct udp_socket *socket, const struct endpoint *from,
                     const struct endpoint *to, struct bytes payload, uint8_t code);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * relay_internal.h - what the files of the relay share. For io/relay*.c only.
 */
#ifndef WN_IO_RELAY_INTERNAL_H
#define WN_IO_RELAY_INTERNAL_H

#include "base/map.h"
#include "base/siphash.h"
#include "io/relay.h"
#include "stack/echo.h"
#include "stack/tcp/tcp.h"
#include "stack/udp.h"

/* A port of the host that leads in. */
struct relay_published {
    struct watch watch;
    struct relay *relay;
    struct endpoint inside; /* address any: the guest's, when it is known */
    struct alarm retry;     /* accepting again after the descriptors ran out */
    bool udp;
};

struct relay {
    struct node *node;
    struct stack *stack;
    struct loop *loop;
    struct frame_pool *frames;
    struct relay_policy policy;
    struct siphash_key hash_key;
    struct ip_address guest;
    unsigned tcp_max;
    unsigned udp_max;

    struct tcp_listener *listener;
    struct node_client listener_client;
    struct list_node tcp_flows; /* struct tcp_flow.node */

    struct udp_socket *udp;
    struct node_client udp_client;
    struct map udp_map;             /* struct udp_flow by inside endpoint */
    struct list_node udp_lru[2];    /* idle longest first; [1]: to port 53 only */
    struct alarm udp_expiry;
    uint8_t *udp_overflow;          /* RELAY_UDP_OVERFLOW octets: the end of a long datagram */
    struct relay_udp_run *udp_run;  /* on its way out */

    struct echo_socket *echo;
    struct node_client echo_client;
    struct list_node echo_flows;
    struct alarm echo_expiry;

    struct list_node starved;       /* TCP flows that wait for memory */
    struct alarm starved_retry;

    struct relay_published *published[RELAY_PUBLISHED_MAX];
    unsigned published_count;
    struct relay_counters counters;
};

enum { RELAY_UDP_OVERFLOW = 65536 };

/* relay_tcp.c */
MUST_USE int relay_tcp_open(struct relay *relay);
void relay_tcp_close(struct relay *relay);
MUST_USE int relay_tcp_publish(struct relay *relay, struct relay_published *published,
                               struct endpoint *outside);

/* relay_urgent.c */
void relay_urgent_watch(int fd); /* of a flow that begins */
/* How many octets of the inside may go out in one piece; what send() has to be told of them. */
int relay_urgent_part(const struct tcp_connection *inside, size_t *most);
bool relay_urgent_next(int fd);  /* the outside's next octet is its last urgent one */

/* relay_udp.c */
MUST_USE int relay_udp_open(struct relay *relay);
void relay_udp_close(struct relay *relay);
MUST_USE int relay_udp_publish(struct relay *relay, struct relay_published *published,
                               struct endpoint *outside);

/* relay_udp_run.c: datagrams of one flow to one place, all as long as the first, leave in one piece. */
struct relay_udp_run;
MUST_USE struct relay_udp_run *relay_udp_run_new(void); /* NULL: no memory */
/* Takes the datagram, with its frame; it leaves by `fd` with what follows, or at the latest with the flush. */
void relay_udp_run_add(struct relay *relay, int fd, const struct endpoint *outside,
                       const struct udp_datagram *datagram);
void relay_udp_run_flush(struct relay *relay);

/* relay_echo.c */
MUST_USE int relay_echo_open(struct relay *relay);
void relay_echo_close(struct relay *relay);

/* relay.c */
uint32_t relay_hash(const struct relay *relay, const struct endpoint *endpoint);
void relay_decide(const struct relay *relay, enum relay_protocol protocol,
                  const struct endpoint *from, const struct endpoint *to,
                  struct relay_verdict *out);
struct endpoint relay_seen_as(const struct relay *relay, const struct endpoint *outside);

/* Where a published port leads now; false while the guest is not known. */
bool relay_published_target(const struct relay_published *published, struct endpoint *out);

/* The code of the ICMP Destination Unreachable that says what errno `error` said, or -1 where a
 * reset (TCP) or port unreachable (UDP) is the answer. */
int relay_unreachable_code(int error);

#endif

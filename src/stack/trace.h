/* SPDX-License-Identifier: ISC */
/*
 * trace.h - what a stack tells about itself as it happens: one sink, typed events.
 *
 * Capture, watch, logs, metrics and test assertions are all readers of these. Without a sink a
 * trace point costs one predictable branch.
 */
#ifndef WN_STACK_TRACE_H
#define WN_STACK_TRACE_H

#include <stdint.h>

#include "base/address.h"
#include "base/frame.h"
#include "base/usec.h"

/* Why a frame or packet went no further. Names in trace.c, pinned to _COUNT. */
enum drop_reason {
    DROP_NONE,
    DROP_ETHERNET_MALFORMED,
    DROP_ETHERNET_NOT_OURS,      /* unicast to another station */
    DROP_ETHERNET_TYPE,          /* an EtherType we do not speak */
    DROP_ARP_MALFORMED,
    DROP_ARP_TABLE_FULL,
    DROP_ARP_UNRESOLVED,         /* the neighbour did not answer */
    DROP_ARP_QUEUE_FULL,         /* too many packets wait for the neighbour */
    DROP_IP_MALFORMED,
    DROP_IP_CHECKSUM,
    DROP_IP_SOURCE,              /* a source address that cannot be (martian, RFC 1812 §5.3.7) */
    DROP_IP_NOT_OURS,            /* not for this host, and it does not forward */
    DROP_IP_TTL,
    DROP_IP_NO_ROUTE,
    DROP_IP_TOO_BIG,             /* DF set and larger than the MTU */
    DROP_IP_PROTOCOL,            /* no such transport here */
    DROP_IP_OPTION,
    DROP_FRAGMENT_MALFORMED,
    DROP_FRAGMENT_OVERLAP,
    DROP_FRAGMENT_TIMEOUT,
    DROP_FRAGMENT_LIMIT,
    DROP_ICMP_MALFORMED,
    DROP_ICMP_CHECKSUM,
    DROP_ICMP_RATE,
    DROP_UDP_MALFORMED,
    DROP_UDP_CHECKSUM,
    DROP_UDP_NO_PORT,
    DROP_UDP_QUEUE_FULL,
    DROP_TCP_MALFORMED,
    DROP_TCP_CHECKSUM,
    DROP_TCP_NO_CONNECTION,
    DROP_TCP_BACKLOG,            /* the listener's queue is full */
    DROP_TCP_OUT_OF_WINDOW,
    DROP_TCP_BAD_RST,            /* RFC 5961 §3.2 */
    DROP_TCP_BAD_SYN,            /* RFC 5961 §4.2 */
    DROP_TCP_BAD_ACK,            /* RFC 5961 §5.2 */
    DROP_TCP_PAWS,               /* RFC 7323 §5 */
    DROP_TCP_DUPLICATE,          /* nothing new in it */
    DROP_TCP_TOO_FAR,            /* RFC 5082: its TTL is lower than was wished */
    DROP_TCP_AFTER_CLOSE,        /* data after the application closed */
    DROP_TCP_LIMIT,              /* connection table or buffer full */
    DROP_OUTPUT_FULL,            /* the interface's queue is full */
    DROP_INTERFACE_DOWN,
    DROP_NO_MEMORY,
    DROP_FILTERED,
    DROP_WIRE_LOSS,              /* asked for: --loss */
    DROP_WIRE_QUEUE,             /* asked for: --rate with --queue */
    DROP_REASON_COUNT
};

/* A sentence part for people: "TCP checksum does not verify". Static. */
const char *drop_reason_text(enum drop_reason reason);

enum trace_kind {
    TRACE_DROP,           /* u.drop */
    TRACE_TCP_STATE,      /* u.tcp_state */
    TRACE_TCP_RETRANSMIT, /* u.tcp_retransmit */
    TRACE_NEIGHBOUR,      /* u.neighbour */
    TRACE_TCP_WINDOW,     /* u.tcp_window: cwnd, ssthresh, the peer's window or the condition is new */
    TRACE_KIND_COUNT
};

enum retransmit_cause {
    RETRANSMIT_TIMEOUT,
    RETRANSMIT_FAST,       /* duplicate acknowledgements, without SACK (RFC 5681 §3.2) */
    RETRANSMIT_SACK,       /* RFC 6675 */
    RETRANSMIT_RACK,       /* RFC 8985 §6 */
    RETRANSMIT_TAIL_PROBE, /* RFC 8985 §7 */
    RETRANSMIT_PROBE,      /* of a closed window */
    RETRANSMIT_CAUSE_COUNT
};

struct trace_event {
    enum trace_kind kind;
    usec at;
    union {
        struct {
            enum drop_reason reason;
            const struct frame *frame; /* NULL where there is none any more; gone after the call */
        } drop;
        struct {
            struct endpoint local, remote;
            uint8_t from, to; /* enum tcp_state */
        } tcp_state;
        struct {
            struct endpoint local, remote;
            enum retransmit_cause cause;
            uint32_t sequence;
            uint32_t len;
        } tcp_retransmit;
        struct {
            struct endpoint local, remote;
            uint32_t cwnd, ssthresh; /* octets */
            uint32_t window;         /* of the peer */
            uint32_t flight;
            uint8_t condition;       /* enum tcp_condition */
        } tcp_window;
        struct {
            struct ip_address address;
            struct mac mac;
            uint8_t state;
        } neighbour;
    } u;
};

/* The sink is called in the middle of the stack's work: it must not call the stack. */
struct trace {
    void (*emit)(void *self, const struct trace_event *event); /* NULL: nobody reads */
    void *self;
};

#endif

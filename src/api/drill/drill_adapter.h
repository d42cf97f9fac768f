/* SPDX-License-Identifier: ISC */
/*
 * drill_adapter.h - a stack under the packetdrill tool: what drill_adapter.c (life), drill_time.c,
 * drill_packets.c and drill_calls.c (sockets) share.
 *
 * Time is virtual: the tool asks for it, sleeps and waits for packets by functions of ours, so it
 * passes only there, each timer of the stack at its own instant. A script that lasts a minute is over
 * in milliseconds, and a busy machine changes nothing.
 *
 * The tool has two threads: the main one, and one for calls that wait. All that is here is under one
 * lock. Time must not pass while the other thread has something to do: drill_settle() waits until it
 * has looked, and, when its call is over, has asked for the time of that.
 */
#ifndef WN_API_DRILL_DRILL_ADAPTER_H
#define WN_API_DRILL_DRILL_ADAPTER_H

#include <pthread.h>
#include <stdbool.h>
#include <wholenet/socket.h>

#include "api/drill/drill_interface.h"

#define DRILL_OWN_MAC "02:00:00:00:00:01"
#define DRILL_GATEWAY_MAC "02:00:00:00:00:02"

enum {
    DRILL_PACKETS_MAX = 1024,  /* that the tool has not asked for; then new ones are lost */
    DRILL_ADDRESSES_MAX = 8,   /* that bind() has named; others are not added */
    DRILL_DESCRIPTOR_FIRST = 1000, /* not to be mixed up with the tool's own */
};

/* The thread for calls that wait. */
enum drill_other {
    DRILL_NOBODY,   /* is in no call that waits */
    DRILL_WAITS,
    DRILL_AWAKE,    /* looks whether its call is over */
    DRILL_OWES_TIME /* its call is over, and it is about to ask for the time */
};

struct drill_packet {
    struct wn_frame *frame;
    wn_time sent_at;
};

struct drill {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* by the monotonic clock */
    struct wn_host host;
    struct wn_stack *stack;
    struct wn_sockets *sockets;
    wn_time now;            /* the stack's */
    wn_time time;           /* the tool's: never before `now` */
    enum drill_other other;
    pthread_t other_thread;
    wn_time other_until;    /* its call waits no longer */
    bool other_ended;       /* a call, since the tool has slept last */
    unsigned round;         /* of asking it to look */
    unsigned looked;        /* the last one in which it has */
    struct drill_packet packets[DRILL_PACKETS_MAX]; /* a ring */
    size_t first_packet;
    size_t packet_count;
    uint32_t addresses[DRILL_ADDRESSES_MAX];
    size_t address_count;
    uint32_t local; /* what connect() comes from, unless bind() says otherwise */
};

/* drill_time.c. Takes the lock, and brings the stack up to the time. */
struct wn_sockets *drill_enter(struct drill *drill);

/* Collects what is to be sent, lets the other thread have its turn, gives the lock back. */
void drill_leave(struct drill *drill);

/* Under the lock: lets time pass until that instant, or until there is a packet for the tool when
 * `for_packet`. False: there is none by then. */
bool drill_pass_time(struct drill *drill, wn_time until, bool for_packet);

/* The `clock` of the stack, and the `pump` of its sockets. */
wn_time drill_clock(void *self);
int drill_pump(void *self, wn_time until);
void drill_set_time(struct drill_interface *out);

/* drill_packets.c: what the stack wants to send now waits for the tool. Under the lock. */
void drill_collect(struct drill *drill);
void drill_set_packets(struct drill_interface *out);

/* drill_adapter.c: the sysctls of this network namespace become settings of the stack. */
void drill_read_sysctls(struct drill *drill);

/* The stack has this IPv4 address (host order) from now on. */
void drill_add_address(struct drill *drill, uint32_t address);

/* drill_calls.c: all but free, netdev_*, usleep and gettimeofday. */
void drill_set_calls(struct drill_interface *out);

/* The instance of this process, of which the tool makes one; for drill_preload.c. */
struct drill *drill_of_process(void);

/* What the tool looks for. `flags`: "local_ip=A.B.C.D", or NULL. */
WN_API void packetdrill_interface_init(const char *flags, struct drill_interface *out);

#endif

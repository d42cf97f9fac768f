/* SPDX-License-Identifier: ISC */
/*
 * stack.h - one host's TCP/IP as an object: frames in, frames out, events for whoever has sockets.
 *
 * A stack opens nothing and waits for nothing. Its owner turns the crank:
 *
 *      wn_stack_input(stack, interface, frame)      for every frame that has arrived
 *      wn_stack_tick(stack)                         when wn_stack_deadline() has come
 *      wn_stack_dispatch(stack)                     what the sockets have to tell, to on_event; or
 *                                                   wn_stack_next_event() until it says 0
 *      wn_stack_output(stack, interface)            until NULL: frames to send
 *
 * wn_loop_run() (<wholenet/loop.h>) does that for stacks on TAP devices and virtual wires. Segments
 * and acknowledgements are made in wn_stack_output(): one batch of input makes one acknowledgement,
 * and one turn of the application one super-segment. Sockets are in <wholenet/tcp.h>,
 * <wholenet/udp.h>, and <wholenet/socket.h>; they may be used at any time between these calls, and in
 * on_event.
 */
#ifndef WHOLENET_STACK_H
#define WHOLENET_STACK_H

#include <wholenet/frame.h>
#include <wholenet/types.h>

WN_C_BEGIN

struct wn_stack;
struct wn_event;

/* ---- life ---- */

enum wn_stack_flags {
    WN_STACK_FORWARDING = 1 << 0, /* passes packets on between interfaces (RFC 1812 §5) */
};

/* What went on in the stack, for the sink of wn_stack_options; each member that does not belong to
 * `kind` is 0 or NULL. Texts are static; everything else is valid during the call. */
enum wn_trace_kind {
    WN_TRACE_DROP,           /* frame, text: why it went no further */
    WN_TRACE_TCP_STATE,      /* local, remote, from, text: the states before and now */
    WN_TRACE_TCP_RETRANSMIT, /* local, remote, sequence, len, text: the cause */
    WN_TRACE_NEIGHBOUR,      /* remote: its address, port 0 */
    WN_TRACE_TCP_WINDOW,     /* local, remote, cwnd, ssthresh, window, text: the condition; any is new */
    WN_TRACE_OTHER,          /* of a kind that is newer than this header */
};

struct wn_trace {
    enum wn_trace_kind kind;
    wn_time at;
    const char *text;
    const char *from;
    const struct wn_frame *frame; /* of a drop; NULL where there is none any more */
    struct wn_endpoint local;
    struct wn_endpoint remote;
    uint32_t sequence;
    uint32_t len;
    uint32_t cwnd; /* octets, as the next two */
    uint32_t ssthresh;
    uint32_t window; /* of the peer */
};

/* All zero but `size` and `host` is a stack as it should be. */
struct wn_stack_options {
    size_t size;                 /* sizeof(struct wn_stack_options): for later versions */
    struct wn_host host;         /* copied */
    struct wn_frames *frames;    /* borrowed, longer than the stack lives; NULL: a pool of its own */
    const char *profile;         /* of TCP: "default", "linux", "freebsd", "tiny"; NULL: the first */
    unsigned flags;              /* enum wn_stack_flags */
    uint32_t tcp_connections_max; /* 0: 65536. Beyond it SYNs are dropped, and counted */
    uint32_t udp_sockets_max;     /* 0: 4096 */
    uint32_t neighbours_max;      /* 0: 1024. The one used longest ago goes */

    /* Told of each event as it happens; NULL: nobody, which costs nothing. It must not call the
     * stack. */
    void (*on_trace)(void *self, const struct wn_trace *trace);
    void *trace_self;
};

/* A stack without interfaces, whose it is to free; *out is untouched on failure. 0, -EINVAL: an
 * option cannot be, -ENOMEM. */
WN_API WN_MUST_USE int wn_stack_new(const struct wn_stack_options *options, struct wn_stack **out);

/* Frees the stack with its sockets and what waits in it, without a word to the peers. Whoever uses
 * it (struct wn_sockets, struct wn_loop) must be freed before. NULL is nothing. */
WN_API void wn_stack_free(struct wn_stack *stack);

/* The pool of its frames. Borrowed. */
WN_API struct wn_frames *wn_stack_frames(const struct wn_stack *stack);

/* A sentence about the last call that took this stack and failed; "" at first. Valid until the next
 * one fails. */
WN_API const char *wn_stack_error(const struct wn_stack *stack);

/* ---- interfaces, addresses, routes ---- */

enum wn_interface_features {
    WN_INTERFACE_CHECKSUM = 1 << 0, /* the device completes WN_CHECKSUM_PARTIAL */
    WN_INTERFACE_TSO4 = 1 << 1,     /* it takes WN_SEGMENTATION_TCP4 */
    WN_INTERFACE_TSO6 = 1 << 2,     /* it takes WN_SEGMENTATION_TCP6 */
};

/* Adds an interface of the Ethernet kind, which is up. `name` is for people, 15 octets at most;
 * `mac` is text, "02:00:00:00:00:01"; `mtu` is octets of IP, at least 576 (RFC 1122 §3.3.2);
 * `features` are of enum wn_interface_features. The new interface's number from 0 on, -EINVAL, or
 * -ENOSPC: there are 16. */
WN_API int wn_stack_add_interface(struct wn_stack *stack, const char *name, const char *mac,
                                  unsigned mtu, unsigned features);

/* Takes the interface down (its neighbours and queued frames go) when `up` is 0, or up. 0, or
 * -EINVAL: no such interface. */
WN_API int wn_stack_set_up(struct wn_stack *stack, int interface, int up);

/* The interface carries packets of `mtu` octets from now on. 0, or -EINVAL: no such interface, or not
 * from 576 to 65535. */
WN_API WN_MUST_USE int wn_stack_set_mtu(struct wn_stack *stack, int interface, unsigned mtu);

/* Adds "10.0.0.1/24" to the interface, with the route of its prefix, and announces it (RFC 5227
 * §2.3). 0, -EINVAL, -EEXIST: it has it already, -ENOSPC: 64 addresses or 256 routes. */
WN_API WN_MUST_USE int wn_stack_add_address(struct wn_stack *stack, int interface,
                                            const char *prefix);

/* Removes "10.0.0.1". Connections that use it stay, and will time out. 0, -EINVAL, -ENOENT. */
WN_API int wn_stack_remove_address(struct wn_stack *stack, int interface, const char *address);

/* Packets to "10.1.0.0/16" ("0.0.0.0/0": all) go to `gateway`, or onto the link when it is NULL,
 * out of the interface. The longest prefix wins (RFC 1122 §3.3.1). 0, -EINVAL, -ENOSPC. */
WN_API WN_MUST_USE int wn_stack_add_route(struct wn_stack *stack, const char *prefix,
                                          const char *gateway, int interface);

/* Removes the route that was so added. 0, -EINVAL, -ENOENT. */
WN_API int wn_stack_remove_route(struct wn_stack *stack, const char *prefix, const char *gateway);

/* A neighbour that is not asked for by ARP (RFC 826) and does not expire: the station `mac` has
 * `address` on the interface. 0, -EINVAL, -ENOSPC. */
WN_API WN_MUST_USE int wn_stack_add_neighbour(struct wn_stack *stack, int interface,
                                              const char *address, const char *mac);

/* ---- the crank ---- */

/* Takes the frame, Ethernet header first, which must be of the stack's pool and the caller's alone.
 * 0, or -EINVAL: no such interface, and the frame is dropped. What is wrong with the packet is
 * counted, and told to on_trace. */
WN_API int wn_stack_input(struct wn_stack *stack, int interface, struct wn_frame *frame);

/* The same for `count` frames at once: the clock is asked once. Takes all of them. */
WN_API int wn_stack_input_batch(struct wn_stack *stack, int interface, struct wn_frame *const *frames,
                                size_t count);

/* Puts in a copy of `len` octets at `data`, without offload facts. 0, -EINVAL: no such interface, or
 * too long, -ENOMEM: the pool is exhausted, and the frame is lost. */
WN_API int wn_stack_input_copy(struct wn_stack *stack, int interface, const void *data, size_t len);

/* The next frame to send on the interface, which is the caller's now; NULL: none for now. A caller
 * whose device is full just does not ask. Frames need work (wn_frame_offload()) only as far as the
 * interface has features. */
WN_API WN_MUST_USE struct wn_frame *wn_stack_output(struct wn_stack *stack, int interface);

/* The next ones, `max` at most, with one look at the clock; how many. */
WN_API size_t wn_stack_output_batch(struct wn_stack *stack, int interface, struct wn_frame **frames,
                                    size_t max);

/* The instant at which wn_stack_tick() is due, by the host's clock; WN_NEVER: no timer runs. It may
 * change with every other call. */
WN_API wn_time wn_stack_deadline(const struct wn_stack *stack);

/* Runs the timers that are due; harmless at any time. */
WN_API void wn_stack_tick(struct wn_stack *stack);

/* ---- events ---- */

enum wn_event_kind { WN_EVENT_TCP, WN_EVENT_LISTENER, WN_EVENT_UDP };

enum wn_events {
    WN_OPENED = 1 << 0,   /* TCP: connected; a listener: there is one to accept, or more */
    WN_READABLE = 1 << 1, /* octets or datagrams have arrived since the last event */
    WN_WRITABLE = 1 << 2, /* TCP: there is room again, after a send that took less than offered */
    WN_END = 1 << 3,      /* TCP: the peer has sent FIN; nothing comes after what is there */
    WN_FAILED = 1 << 4,   /* TCP: the connection is gone, wn_tcp_error() says why; UDP: an ICMP error
                             came back */
    WN_FINISHED = 1 << 5, /* TCP: our FIN is acknowledged, and the peer's has come */
    WN_TROUBLE = 1 << 6,  /* TCP: nothing seems to get through (RFC 9293 §3.8.3, R1; RFC 5461), and
                             the connection lives on */
    WN_URGENT = 1 << 7,   /* TCP: the peer's mark of urgent data has come, or moved on, or its octet
                             has arrived (RFC 6093) */
};

/* What happened to one socket since it was last told. The socket is valid until its owner closes
 * it, which also discards what it had to tell. */
struct wn_event {
    enum wn_event_kind kind;
    unsigned events; /* enum wn_events */
    void *user;      /* what the owner has given */
    struct wn_tcp *tcp;           /* WN_EVENT_TCP */
    struct wn_listener *listener; /* WN_EVENT_LISTENER */
    struct wn_udp *udp;           /* WN_EVENT_UDP */
};

/* The oldest event that waits goes to *out. 1, or 0: there is none, and *out is untouched. */
WN_API int wn_stack_next_event(struct wn_stack *stack, struct wn_event *out);

/* From now on wn_stack_dispatch(), and a loop that the stack is on, tell events to `on_event`, which
 * is handed `self` and may use and close any socket of any stack. NULL: they wait for
 * wn_stack_next_event(), as at first. */
WN_API void wn_stack_on_event(struct wn_stack *stack,
                              void (*on_event)(void *self, const struct wn_event *event),
                              void *self);

/* Tells what waits to on_event, and to BSD sockets what concerns them. 1: there was something; 0. */
WN_API int wn_stack_dispatch(struct wn_stack *stack);

/* ---- settings ---- */

/* Changes TCP's profile by name (see options). Connections that have wishes of their own keep them.
 * 0, or -EINVAL: there is none of that name. */
WN_API WN_MUST_USE int wn_stack_set_profile(struct wn_stack *stack, const char *name);

/* Changes one setting of the profile: for instance "initial_window" (segments, RFC 6928), "rto_min"
 * (microseconds, RFC 6298), "sack" (0 or 1, RFC 2018). wn_stack(3) says what each means;
 * wn_stack_each_setting() names them. 0, -ENOENT: no such name, -ERANGE: the value does not fit. */
WN_API WN_MUST_USE int wn_stack_set(struct wn_stack *stack, const char *name, int64_t value);

/* The value of a setting goes to *out. 0, or -ENOENT. */
WN_API WN_MUST_USE int wn_stack_get(const struct wn_stack *stack, const char *name, int64_t *out);

/* The names of the settings, in turn from *place = 0; NULL ends. */
WN_API const char *wn_stack_each_setting(size_t *place);

/* ---- counters ---- */

/* The stack's counters under the names of IP-MIB (RFC 4293), UDP-MIB (RFC 4113) and TCP-MIB (RFC
 * 4022), in turn from *place = 0: the name goes to *name and the count to *value. 1, or 0: that was
 * all. */
WN_API int wn_stack_each_counter(const struct wn_stack *stack, size_t *place, const char **name,
                                 uint64_t *value);

/* The same for an interface and IF-MIB (RFC 2863); 0 also when there is none of that number. */
WN_API int wn_stack_each_interface_counter(const struct wn_stack *stack, int interface,
                                           size_t *place, const char **name, uint64_t *value);

/* What was dropped, by reason: *name is a part of a sentence, "TCP checksum does not verify". */
WN_API int wn_stack_each_drop(const struct wn_stack *stack, size_t *place, const char **name,
                              uint64_t *value);

/* The count of one name of those of the stack; 0 when there is none of that name. */
WN_API uint64_t wn_stack_counter(const struct wn_stack *stack, const char *name);

WN_C_END

#endif

/* SPDX-License-Identifier: ISC */
/*
 * internal.h - what the files of src/api/ share: how the library's opaque structures are made of the
 * house's. For api_*.c only.
 *
 * Frames, connections, listeners and UDP sockets are the house's own under another name: a pointer to
 * one is a pointer to the other. A stack and a pool have a little more around them.
 */
#ifndef WN_API_INTERNAL_H
#define WN_API_INTERNAL_H

#include <errno.h>

#include <wholenet/socket.h>
#include <wholenet/tcp.h>
#include <wholenet/udp.h>

#include "stack/bsd/bsd.h"
#include "stack/stack.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "stack/udp.h"

enum { API_ERROR_SIZE = 192, API_TEXT_MAX = 64 };

/* Counted: its stacks hold it, and whoever has made it. */
struct wn_frames {
    struct frame_pool *pool;
    struct heap heap;
    unsigned holders;
};

struct wn_stack {
    struct stack *stack;
    struct heap heap;
    struct wn_host host;
    struct wn_frames *frames;
    struct tcp_profile profile; /* as it is in the stack */
    void (*on_event)(void *self, const struct wn_event *event);
    void *event_self;
    void (*on_trace)(void *self, const struct wn_trace *trace);
    void *trace_self;
    int interface_count;
    uint32_t attached; /* to a device or wire of a loop: bits by interface */
    unsigned features[STACK_INTERFACES_MAX]; /* enum wn_interface_features */
    struct mac macs[STACK_INTERFACES_MAX];
    uint16_t mtus[STACK_INTERFACES_MAX];
    char error[API_ERROR_SIZE];
};

/* Notes what has failed, and returns `error`. */
int api_fail(struct wn_stack *stack, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* The stack is told the time. */
usec api_look_at_clock(struct wn_stack *stack);

bool api_has_interface(const struct wn_stack *stack, int interface);

/* Hands BSD sockets what they have to be told; the rest stays. True: there was something. */
bool api_tell_sockets(struct wn_stack *stack);

static inline void frames_hold(struct wn_frames *frames)
{
    frames->holders++;
}

static inline struct frame *frame_in(const struct wn_frame *frame)
{
    return (struct frame *)(uintptr_t)frame;
}

static inline struct wn_frame *frame_out(const struct frame *frame)
{
    return (struct wn_frame *)(uintptr_t)frame;
}

static inline struct tcp_connection *tcp_in(const struct wn_tcp *tcp)
{
    return (struct tcp_connection *)(uintptr_t)tcp;
}

static inline struct wn_tcp *tcp_out(const struct tcp_connection *c)
{
    return (struct wn_tcp *)(uintptr_t)c;
}

static inline struct tcp_listener *listener_in(const struct wn_listener *listener)
{
    return (struct tcp_listener *)(uintptr_t)listener;
}

static inline struct wn_listener *listener_out(const struct tcp_listener *listener)
{
    return (struct wn_listener *)(uintptr_t)listener;
}

static inline struct udp_socket *udp_in(const struct wn_udp *udp)
{
    return (struct udp_socket *)(uintptr_t)udp;
}

static inline struct wn_udp *udp_out(const struct udp_socket *socket)
{
    return (struct wn_udp *)(uintptr_t)socket;
}

static inline struct endpoint endpoint_in(const struct wn_endpoint *endpoint)
{
    struct endpoint out = {.port = endpoint->port};
    memcpy(out.address.octets, endpoint->address.octets, sizeof out.address.octets);
    return out;
}

static inline struct wn_endpoint endpoint_out(const struct endpoint *endpoint)
{
    struct wn_endpoint out = {.port = endpoint->port};
    memcpy(out.address.octets, endpoint->address.octets, sizeof out.address.octets);
    return out;
}

static inline struct bytes text_in(const char *text)
{
    return bytes_of(text, strlen(text));
}

#endif

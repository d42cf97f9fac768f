/* SPDX-License-Identifier: ISC */
/*
 * loop.h - for programs on Linux: what turns the cranks of stacks, waits, and connects them to TAP
 * devices and to each other.
 *
 * A loop is real (it waits in epoll and has the kernel's clock) or virtual (its clock jumps to the
 * next timer: a day passes in a second, and the same seed gives the same run, to the octet). It
 * gives a stack its host, and takes it in with wn_loop_add(); from then on the loop turns the
 * stack's crank, and nobody else does. Order of the end: wn_sockets_free(), wn_loop_free(),
 * wn_stack_free(); the pool of wn_loop_frames() needs no freeing.
 */
#ifndef WHOLENET_LOOP_H
#define WHOLENET_LOOP_H

#include <wholenet/stack.h>
#include <wholenet/types.h>

WN_C_BEGIN

struct wn_loop;

/* A real loop. NULL with errno: no memory, no descriptors, or the kernel gives no random octets. */
WN_API WN_MUST_USE struct wn_loop *wn_loop_new(void);

/* A virtual one, whose time and chance come from `seed` alone. NULL: no memory. */
WN_API WN_MUST_USE struct wn_loop *wn_loop_new_virtual(uint64_t seed);

/* Detaches all stacks, which stay their owners', and closes the devices. NULL is nothing. */
WN_API void wn_loop_free(struct wn_loop *loop);

/* The memory (malloc), clock and chance of the loop, for wn_stack_options. Valid until the stacks
 * with it are freed, which may be after the loop. */
WN_API struct wn_host wn_loop_host(struct wn_loop *loop);

/* A pool of 256 MiB that the loop's stacks share; it is freed with the last stack and the loop. */
WN_API struct wn_frames *wn_loop_frames(struct wn_loop *loop);

/* The time of this turn. */
WN_API wn_time wn_loop_now(const struct wn_loop *loop);

/* A stack with the loop's host and pool, taken in already: wn_stack_new() and wn_loop_add() in one.
 * `options` NULL: all zero; its host and frames are not looked at. 0, -EINVAL, -ENOMEM. */
WN_API WN_MUST_USE int wn_loop_stack(struct wn_loop *loop, const struct wn_stack_options *options,
                                     struct wn_stack **out);

/* Takes in a stack that has the loop's host. 0, -EEXIST: it is on it already, -ENOMEM. */
WN_API WN_MUST_USE int wn_loop_add(struct wn_loop *loop, struct wn_stack *stack);

/* ---- links ---- */

/* Connects the interface, which must have the features CHECKSUM and TSO4 or none, to the TAP device
 * `name` of this network namespace, which is made if there is none. The device has offloads as the
 * interface has features. 0, or a negative errno: -EPERM: no right to, -EBUSY: in use. */
WN_API WN_MUST_USE int wn_loop_attach_tap(struct wn_loop *loop, struct wn_stack *stack,
                                          int interface, const char *name);

/* Connects the interface to a descriptor that gives and takes one frame a read and write: a TAP
 * without headers, a packet socket, a socket pair of kind SOCK_SEQPACKET or SOCK_DGRAM. The interface
 * must have no features. Takes `fd`, also when this fails, makes it non-blocking, and closes it with
 * the loop. 0, or a negative errno. */
WN_API WN_MUST_USE int wn_loop_attach_fd(struct wn_loop *loop, struct wn_stack *stack,
                                         int interface, int fd);

/* What a virtual wire does to the frames of one direction. All zero: nothing. */
struct wn_impairments {
    wn_time delay;      /* one way */
    wn_time jitter;     /* evenly in delay ± jitter, in order */
    uint32_t loss;      /* parts per million, as those that follow */
    uint32_t duplicate;
    uint32_t reorder;   /* overtakes those that are being delayed */
    uint32_t corrupt;   /* one bit changes */
    uint64_t rate;      /* bits per second; 0: no limit */
    uint32_t queue;     /* frames that may wait for the rate; 0: 1000. Then they are lost */
};

/* Joins interfaces of two stacks on this loop, of its pool, by a virtual wire. `there` is what happens
 * to frames from a to b, and `back` to those from b to a; NULL: nothing. 0, -EINVAL, -ENOMEM. */
WN_API WN_MUST_USE int wn_loop_join(struct wn_loop *loop, struct wn_stack *a, int interface_a,
                                    struct wn_stack *b, int interface_b,
                                    const struct wn_impairments *there,
                                    const struct wn_impairments *back);

/* ---- running ---- */

/* Turns until wn_loop_stop(). A virtual loop also ends when no timer runs and no frame is under way.
 * 0, or a negative errno of the kernel's epoll. */
WN_API int wn_loop_run(struct wn_loop *loop);

/* The same at most until the instant `until`. */
WN_API int wn_loop_run_until(struct wn_loop *loop, wn_time until);

/* Ends wn_loop_run() after this turn; for callbacks. */
WN_API void wn_loop_stop(struct wn_loop *loop);

/* Turns until any socket of any stack has something new to tell, or until the instant `until`: for
 * wn_sockets_options.pump, with the loop as its self, and for whoever takes wn_stack_next_event()
 * until it says 0 after each call. Not for on_event, where nothing may wait. 0, a negative errno of the kernel's, or
 * -EDEADLK: the loop is virtual, `until` is WN_NEVER, and nothing will ever happen. */
WN_API int wn_loop_pump(void *loop, wn_time until);

WN_C_END

#endif

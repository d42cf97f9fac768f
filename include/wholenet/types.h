/* SPDX-License-Identifier: ISC */
/*
 * types.h - what all of the library's headers share: time, addresses, and the host that a stack
 * lives in.
 *
 * Names begin with wn_ or WN_, and no other. The headers are C99 and C++11, and include nothing of
 * the system but <stddef.h> and <stdint.h>.
 *
 * One thread. A stack, and everything that was made from it, belongs to one thread at a time; there
 * are no locks and no globals, so other threads may have stacks of their own.
 *
 * Errors. Functions that can fail return 0 or more when they have not, and otherwise a negative
 * number of <errno.h> (-ENOMEM); wn_stack_error() has a sentence for people. Only the calls of
 * <wholenet/socket.h> return -1 and set errno, as programs for BSD sockets expect.
 */
#ifndef WHOLENET_TYPES_H
#define WHOLENET_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WN_API __attribute__((visibility("default")))
#define WN_MUST_USE __attribute__((warn_unused_result))
#else
#define WN_API
#define WN_MUST_USE
#endif

#ifdef __cplusplus
#define WN_C_BEGIN extern "C" {
#define WN_C_END }
#else
#define WN_C_BEGIN
#define WN_C_END
#endif

WN_C_BEGIN

/* ---- time ---- */

/* Microseconds of a monotonic clock whose zero means nothing: an instant, or a duration. */
typedef int64_t wn_time;

#define WN_MILLISECOND ((wn_time)1000)
#define WN_SECOND ((wn_time)1000000)

/* Later than every instant. */
#define WN_NEVER INT64_MAX

/* ---- addresses ---- */

/* An IPv6 address in network order, or an IPv4 address in its mapped form, ::ffff:a.b.c.d (RFC 4291
 * §2.5.5.2). The IPv4 wildcard is ::ffff:0.0.0.0. */
struct wn_address {
    uint8_t octets[16];
};

struct wn_endpoint {
    struct wn_address address;
    uint16_t port; /* in the host's order */
};

enum { WN_ENDPOINT_TEXT_SIZE = 54 };

/* An IPv4 address from its value, most significant octet first: 0x0a000201 is 10.0.2.1. */
WN_API struct wn_address wn_address_v4(uint32_t value);

/* Reads "10.0.2.1:80" or "[2001:db8::1]:80" (RFC 4291 §2.2) into *out, all of `text` or nothing. 0,
 * or -EINVAL: it is no such thing, and *out is as it was. */
WN_API WN_MUST_USE int wn_endpoint_parse(const char *text, struct wn_endpoint *out);

/* Writes the canonical text (RFC 5952) with a NUL to `out`, and returns it. */
WN_API char *wn_endpoint_text(const struct wn_endpoint *endpoint,
                              char out[WN_ENDPOINT_TEXT_SIZE]);

/* ---- the host ---- */

/*
 * What a stack is given of the world it lives in: memory, the time, and chance. Hosted programs take
 * wn_loop_host() (<wholenet/loop.h>); others write these three functions. `self` is handed to each.
 */
struct wn_host {
    void *self;

    /* Changes the block `old` of `old_size` octets to `new_size`, keeping what it holds. `old` NULL
     * (old_size 0): allocates; `new_size` 0: frees, and returns NULL. NULL otherwise means that
     * there is no memory, and the old block is as it was. Blocks are aligned for any type. */
    void *(*resize)(void *self, void *old, size_t old_size, size_t new_size);

    /* The time now. Asked when frames go in or out and when timers run, not by calls on sockets.
     * If it runs backwards, time stands still for the stack until it has caught up. */
    wn_time (*clock)(void *self);

    /* Fills `out` with `len` random octets: asked once for each stack, for the seed of its own
     * generator. Initial sequence numbers (RFC 6528) and ports (RFC 6056) come from it: they are as
     * hard to guess as the seed. */
    void (*random)(void *self, void *out, size_t len);
};

WN_C_END

#endif

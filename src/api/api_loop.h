/* SPDX-License-Identifier: ISC */
/* api_loop.h - the inside of a loop of the library, for what lives on it beside stacks: src/api/http/. */
#ifndef WN_API_API_LOOP_H
#define WN_API_API_LOOP_H

#include <wholenet/loop.h>

#include "api/internal.h"
#include "io/loop.h"
#include "io/node.h"

struct loop *api_loop_inside(const struct wn_loop *loop);

/* Is it within a turn, or waits for one? */
bool api_loop_runs(const struct wn_loop *loop);

/* io/net.h over a stack, to be freed before the loop. NULL: the stack is not on it, or no memory. */
MUST_USE struct net *api_loop_net(const struct wn_loop *loop, const struct wn_stack *stack);

/* BSD sockets of a stack that is on the loop were used, outside of its events. */
void api_loop_wake(const struct wn_loop *loop, const struct wn_stack *stack);

/* Its task is queued when sockets of the stack had something to tell. Lives in its owner. */
struct api_watcher {
    struct list_node node;
    struct task task;
};

/* False: the stack is not on the loop. */
MUST_USE bool api_loop_watch(const struct wn_loop *loop, const struct wn_stack *stack,
                             struct api_watcher *watcher);
/* As often as one likes; both of its members were initialised. */
void api_loop_unwatch(struct api_watcher *watcher);

#endif

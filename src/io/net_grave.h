/* SPDX-License-Identifier: ISC */
/*
 * net_grave.h - objects that were closed, possibly in a callback for them: their memory goes at the
 * end of the turn, when nobody on the call stack looks at them any more.
 */
#ifndef WN_IO_NET_GRAVE_H
#define WN_IO_NET_GRAVE_H

#include "io/loop.h"

struct net_graveyard {
    struct loop *loop;
    struct task reap;
    struct list_node dead;
};

/* Lies in the object. */
struct net_grave {
    struct list_node node;
    void *block;
};

void net_graveyard_init(struct net_graveyard *yard, struct loop *loop);

/* Frees all now. */
void net_graveyard_done(struct net_graveyard *yard);

/* free()s `block`, in which `grave` lies, at the end of the turn. */
void net_bury(struct net_graveyard *yard, struct net_grave *grave, void *block);

#endif

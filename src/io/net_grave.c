/* SPDX-License-Identifier: ISC */
/* net_grave.c - a list of blocks, and a task that frees them. */
#include "io/net_grave.h"

#include <stdlib.h>

static void reap(struct task *task)
{
    struct net_graveyard *yard = CONTAINER_OF(task, struct net_graveyard, reap);
    struct list_node *node;
    while ((node = list_first(&yard->dead)) != NULL) {
        list_remove(node);
        free(CONTAINER_OF(node, struct net_grave, node)->block);
    }
}

void net_graveyard_init(struct net_graveyard *yard, struct loop *loop)
{
    yard->loop = loop;
    list_init(&yard->dead);
    task_init(&yard->reap, reap);
}

void net_graveyard_done(struct net_graveyard *yard)
{
    loop_unqueue(&yard->reap);
    reap(&yard->reap);
}

void net_bury(struct net_graveyard *yard, struct net_grave *grave, void *block)
{
    grave->block = block;
    list_append(&yard->dead, &grave->node);
    loop_queue(yard->loop, &yard->reap);
}

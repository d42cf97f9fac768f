/* SPDX-License-Identifier: ISC */
/*
 * sieve.h - which of many to let go when there is no room (SIEVE, Zhang et al., NSDI 2024): a ring by
 * age on which a hand goes round from the oldest to the newest, and lets go what has not been asked
 * for since it came by last. A flood of things that are asked for once pushes out itself.
 *
 *      while (… too much …) {
 *          struct sieve_node *node = sieve_candidate(&sieve);
 *          if (node->visited … and not all have been spared …)
 *              sieve_spare(&sieve, node);
 *          else
 *              … sieve_remove(&sieve, node), and free its owner …
 *      }
 */
#ifndef WN_BASE_SIEVE_H
#define WN_BASE_SIEVE_H

#include <stdbool.h>

#include "base/list.h"

/* Lives in its owner. A hit sets `visited`, and writes nothing else: it may do so beside another thread, which
 * has the rest. */
struct sieve_node {
    struct list_node node;
    _Atomic bool visited;
};

struct sieve {
    struct list_node ring;  /* newest first */
    struct list_node *hand; /* the next to be looked at; &ring: the oldest */
};

static inline void sieve_init(struct sieve *sieve)
{
    list_init(&sieve->ring);
    sieve->hand = &sieve->ring;
}

/* As the newest. */
static inline void sieve_add(struct sieve *sieve, struct sieve_node *node)
{
    node->visited = false;
    list_prepend(&sieve->ring, &node->node);
}

static inline void sieve_remove(struct sieve *sieve, struct sieve_node *node)
{
    if (sieve->hand == &node->node)
        sieve->hand = node->node.previous;
    list_remove(&node->node);
}

/* Whom the hand points at; NULL: there is nobody. */
static inline struct sieve_node *sieve_candidate(struct sieve *sieve)
{
    if (sieve->hand == &sieve->ring)
        sieve->hand = sieve->ring.previous;
    return sieve->hand == &sieve->ring ? NULL
                                       : CONTAINER_OF(sieve->hand, struct sieve_node, node);
}

/* The candidate stays this time; the hand goes on. */
static inline void sieve_spare(struct sieve *sieve, struct sieve_node *node)
{
    node->visited = false;
    sieve->hand = node->node.previous;
}

#endif

/* SPDX-License-Identifier: ISC */
/*
 * list.h - an intrusive doubly linked ring. The node lives in its owner; the list owns nothing.
 *
 * A head is a node that is in no structure. A node that is in no list points at itself, so
 * list_remove() may be called on it as often as one likes.
 */
#ifndef WN_BASE_LIST_H
#define WN_BASE_LIST_H

#include <stdbool.h>

#include "base/compiler.h"

struct list_node {
    struct list_node *next;
    struct list_node *previous;
};

static inline void list_init(struct list_node *node)
{
    node->next = node;
    node->previous = node;
}

static inline bool list_empty(const struct list_node *head)
{
    return head->next == head;
}

/* Is the node in a list? */
static inline bool list_linked(const struct list_node *node)
{
    return node->next != node;
}

static inline void list_insert_after(struct list_node *place, struct list_node *node)
{
    node->next = place->next;
    node->previous = place;
    place->next->previous = node;
    place->next = node;
}

/* Puts the node at the end of the list. */
static inline void list_append(struct list_node *head, struct list_node *node)
{
    list_insert_after(head->previous, node);
}

static inline void list_prepend(struct list_node *head, struct list_node *node)
{
    list_insert_after(head, node);
}

static inline void list_remove(struct list_node *node)
{
    node->next->previous = node->previous;
    node->previous->next = node->next;
    list_init(node);
}

/* The first node, or NULL. */
static inline struct list_node *list_first(const struct list_node *head)
{
    return list_empty(head) ? NULL : head->next;
}

#endif

/* SPDX-License-Identifier: ISC */
/*
 * tcp_group.c - who listens where. The listeners at one endpoint are a group: mostly a single one, or
 * several that all said that they share it (Linux's SO_REUSEPORT). Which of them a connection comes
 * to is decided by the keyed hash of both of its ends, so that nobody can aim at one.
 *
 * The SYN queue is the group's: what is half open, and what has a SYN cookie, goes on with the others
 * when one of them closes.
 */
#include "stack/tcp/internal.h"

/* Ports are spread enough by the map itself, and strangers do not choose them. */
static uint32_t group_hash(const struct endpoint *local)
{
    return local->port;
}

static bool group_equal(const void *item, const void *key)
{
    const struct tcp_group *group = item;
    return endpoint_equal(&group->local, key);
}

void tcp_groups_init(struct stack *stack)
{
    map_init(&stack->tcp->groups, &stack->heap, TCP_LISTENERS_MAX, group_equal);
}

struct tcp_group *tcp_group_at(const struct stack *stack, const struct endpoint *local)
{
    return map_find(&stack->tcp->groups, group_hash(local), local);
}

struct tcp_group *tcp_find_group(const struct stack *stack, const struct endpoint *local)
{
    struct tcp_group *group = tcp_group_at(stack, local);
    if (group == NULL) {
        struct endpoint any = {address_any_v6(), local->port};
        group = tcp_group_at(stack, &any);
    }
    return group;
}

struct tcp_listener *tcp_group_choose(const struct tcp_group *group, uint32_t hash)
{
    /* The high bits: the low ones have chosen the place in the map. */
    return group->members[(uint64_t)hash * group->count >> 32];
}

struct tcp_listener *tcp_find_listener(const struct stack *stack, const struct endpoint *local,
                                       uint32_t hash, bool foreign)
{
    if (foreign)
        return stack->tcp->interceptor;
    const struct tcp_group *group = tcp_find_group(stack, local);
    return group != NULL ? tcp_group_choose(group, hash) : NULL;
}

/* ---- joining and leaving ---- */

bool tcp_group_shared(const struct tcp_group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        if (!group->members[i]->shared)
            return false;
    return true;
}

static bool room_for_member(struct stack *stack, struct tcp_group *group)
{
    if (group->count < group->size)
        return true;
    uint32_t size = group->size == 0 ? 1 : group->size * 2;
    struct tcp_listener **members =
        stack->heap.resize(stack->heap.self, group->members, group->size * sizeof *members,
                           size * sizeof *members);
    if (members == NULL)
        return false;
    group->members = members;
    group->size = size;
    return true;
}

static void free_group(struct stack *stack, struct tcp_group *group)
{
    heap_release(&stack->heap, group->members, group->size * sizeof(struct tcp_listener *));
    heap_release(&stack->heap, group, sizeof *group);
}

/* The listener's, with room for it; made when there is none. NULL: no memory. */
static struct tcp_group *group_for(struct tcp_listener *listener)
{
    struct stack *stack = listener->stack;
    struct tcp_group *group = listener->intercept ? NULL : tcp_group_at(stack, &listener->local);
    if (group != NULL)
        return room_for_member(stack, group) ? group : NULL;
    group = heap_zeroed(&stack->heap, sizeof *group);
    if (group == NULL)
        return NULL;
    group->local = listener->local;
    bool made = room_for_member(stack, group);
    if (made && !listener->intercept)
        made = map_insert(&stack->tcp->groups, group_hash(&group->local), group);
    if (!made) {
        free_group(stack, group);
        return NULL;
    }
    return group;
}

bool tcp_listener_add(struct tcp_listener *listener)
{
    struct tcp_table *table = listener->stack->tcp;
    if (table->listener_count >= TCP_LISTENERS_MAX)
        return false;
    struct tcp_group *group = group_for(listener);
    if (group == NULL)
        return false;
    group->members[group->count++] = listener;
    group->backlog += listener->backlog;
    listener->group = group;
    list_append(&table->listeners_all, &listener->all);
    table->listener_count++;
    if (listener->intercept)
        table->interceptor = listener;
    else if (group->count == 1)
        tcp_half_open_adopt(group);
    return true;
}

static void leave(struct tcp_group *group, const struct tcp_listener *listener)
{
    uint32_t at = 0;
    while (group->members[at] != listener)
        at++;
    group->members[at] = group->members[--group->count];
    group->backlog -= listener->backlog;
}

void tcp_listener_remove(struct tcp_listener *listener)
{
    struct stack *stack = listener->stack;
    struct tcp_group *group = listener->group;
    leave(group, listener);
    list_remove(&listener->all);
    stack->tcp->listener_count--;
    if (listener->intercept)
        stack->tcp->interceptor = NULL;
    if (group->count > 0)
        return;
    if (!listener->intercept)
        (void)map_remove(&stack->tcp->groups, group_hash(&group->local), group);
    free_group(stack, group);
}

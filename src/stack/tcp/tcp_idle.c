/* SPDX-License-Identifier: ISC */
/*
 * tcp_idle.c - gives back what a connection that has been idle for a while does not need: what was made
 * for rare events (struct tcp_extra), and most of what congestion control keeps. A million connections
 * that have all met a loss once cost as little as such that have not.
 *
 * Such blocks are watched: looked at ten seconds after they were made and every ten seconds from then on,
 * until they have gone, or until it is found that they must stay. Then nobody looks at them any more, so
 * that an idle connection keeps no timer running.
 */
#include "stack/tcp/internal.h"

enum { LOOKS_MAX = 64 }; /* at a time, so that no turn takes long */

#define IDLE_AFTER (10 * USEC_PER_SEC)

static void look_later(struct tcp_watch *watch)
{
    struct stack *stack = watch->connection->stack;
    struct tcp_table *table = stack->tcp;
    watch->look_at = stack->now + IDLE_AFTER;
    list_append(&table->watched, &watch->node);
    if (!timer_armed(&table->watch_timer))
        wheel_arm(&stack->wheel, &table->watch_timer, watch->look_at);
}

void tcp_watch_begin(struct tcp_connection *c, struct tcp_watch *watch, enum tcp_watched what)
{
    watch->connection = c;
    watch->what = (uint8_t)what;
    list_init(&watch->node);
    look_later(watch);
}

void tcp_watch_end(struct tcp_watch *watch)
{
    list_remove(&watch->node);
}

static bool idle(const struct tcp_connection *c)
{
    usec since = usec_max(c->last_sent_at, c->last_received_at);
    return c->sending == tcp_sending_none() && c->reorder == NULL && !c->ack_pending && !c->ack_now &&
           tcp_flight(c) == 0 && c->stack->now - since >= IDLE_AFTER;
}

static void look(struct tcp_watch *watch)
{
    struct tcp_connection *c = watch->connection;
    list_remove(&watch->node);
    if (c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT)
        return; /* it is asked what has ended it, and then freed */
    if (!idle(c))
        look_later(watch);
    else if (watch->what == TCP_WATCHED_EXTRA)
        tcp_extra_rest(c);
    else
        c->congestion->rest(c);
}

void tcp_watch_timer(struct stack *stack)
{
    struct tcp_table *table = stack->tcp;
    struct list_node *node = list_first(&table->watched);
    for (unsigned looks = 0; node != NULL && looks < LOOKS_MAX; looks++) {
        struct tcp_watch *watch = CONTAINER_OF(node, struct tcp_watch, node);
        if (watch->look_at > stack->now)
            break;
        look(watch);
        node = list_first(&table->watched);
    }
    if (node == NULL)
        return;
    usec look_at = CONTAINER_OF(node, struct tcp_watch, node)->look_at;
    wheel_arm(&stack->wheel, &table->watch_timer, usec_max(look_at, stack->now + WHEEL_TICK));
}

/* SPDX-License-Identifier: ISC */
/*
 * tcp_destination.c - what connections to one host leave behind for the next one (RFC 9040): the
 * round trip, ssthresh, the path's MTU, and what fast open knows of that host (RFC 7413 §4.1.3). The
 * one used longest ago goes when there are too many.
 *
 * SKIPS RFC 9040 §6: nothing is shared between connections that live at the same time, and cwnd is
 * not remembered: what a path carried an hour ago says too little of what it carries now.
 */
#include "stack/tcp/internal.h"

struct pair {
    const struct ip_address *local;
    const struct ip_address *remote;
};

static bool destination_equal(const void *item, const void *key)
{
    const struct tcp_destination *d = item;
    const struct pair *want = key;
    return address_equal(&d->remote, want->remote) && address_equal(&d->local, want->local);
}

static uint32_t pair_hash(const struct stack *stack, const struct pair *pair)
{
    struct ip_address octets[2] = {*pair->local, *pair->remote};
    return (uint32_t)siphash13(&stack->hash_key, bytes_of(octets, sizeof octets));
}

void tcp_destinations_init(struct stack *stack)
{
    struct tcp_table *table = stack->tcp;
    map_init(&table->destinations, &stack->heap, TCP_DESTINATIONS_MAX, destination_equal);
    list_init(&table->destinations_used);
}

static void forget(struct stack *stack, struct tcp_destination *d)
{
    (void)map_remove(&stack->tcp->destinations, d->hash, d);
    list_remove(&d->used);
    heap_release(&stack->heap, d, sizeof *d);
}

void tcp_forget_destinations(struct stack *stack)
{
    struct list_node *node;
    while ((node = list_first(&stack->tcp->destinations_used)) != NULL)
        forget(stack, CONTAINER_OF(node, struct tcp_destination, used));
}

void tcp_destinations_done(struct stack *stack)
{
    tcp_forget_destinations(stack);
    map_done(&stack->tcp->destinations);
}

struct tcp_destination *tcp_destination_find(const struct stack *stack,
                                             const struct ip_address *local,
                                             const struct ip_address *remote)
{
    struct pair pair = {local, remote};
    return map_find(&stack->tcp->destinations, pair_hash(stack, &pair), &pair);
}

struct tcp_destination *tcp_destination_of(struct tcp_connection *c)
{
    struct stack *stack = c->stack;
    struct tcp_table *table = stack->tcp;
    struct pair pair = {&c->local.address, &c->remote.address};
    struct tcp_destination *d = tcp_destination_find(stack, pair.local, pair.remote);
    if (d != NULL) {
        list_remove(&d->used);
        list_append(&table->destinations_used, &d->used);
        return d;
    }
    if (table->destinations.count >= TCP_DESTINATIONS_MAX) {
        struct list_node *oldest = list_first(&table->destinations_used);
        forget(stack, CONTAINER_OF(oldest, struct tcp_destination, used));
    }
    d = heap_zeroed(&stack->heap, sizeof *d);
    if (d == NULL)
        return NULL;
    d->hash = pair_hash(stack, &pair);
    if (!map_insert(&table->destinations, d->hash, d)) {
        heap_release(&stack->heap, d, sizeof *d);
        return NULL;
    }
    d->local = c->local.address;
    d->remote = c->remote.address;
    list_append(&table->destinations_used, &d->used);
    return d;
}

void tcp_destination_recall_path(struct tcp_connection *c)
{
    if (!(c->profile->remember & TCP_REMEMBER_PATH_MTU))
        return;
    const struct tcp_destination *d =
        tcp_destination_find(c->stack, &c->local.address, &c->remote.address);
    if (d == NULL)
        return;
    usec age = c->stack->now - (usec)d->path_mtu_at * USEC_PER_SEC;
    if (d->path_mtu_guessed) {
        if (age <= c->profile->path_mtu_interval)
            tcp_path_search_recalled(c, d->path_mtu);
        return;
    }
    c->path_mtu = d->path_mtu;
    c->path_mtu_at = d->path_mtu_at;
}

void tcp_destination_recall(struct tcp_connection *c)
{
    const struct tcp_destination *d =
        tcp_destination_find(c->stack, &c->local.address, &c->remote.address);
    if (d == NULL)
        return;
    if ((c->profile->remember & TCP_REMEMBER_RTT) && d->srtt > c->srtt) {
        /* A SYN may be faster than data will be: the timer is set by what was longer. */
        usec rto = (usec)(d->srtt / 8) + usec_max((usec)d->rttvar, c->profile->rto_min);
        c->rto = (uint32_t)usec_min(rto, c->profile->rto_max);
    }
    if ((c->profile->remember & TCP_REMEMBER_SSTHRESH) && d->ssthresh != 0)
        c->ssthresh = d->ssthresh;
}

/* Three quarters of what was and one of what is; what is, where it is worse. */
static uint32_t blend(uint32_t old, uint32_t new)
{
    return old == 0 || new > old ? new : old - old / 4 + new / 4;
}

void tcp_destination_store(struct tcp_connection *c)
{
    unsigned remember = c->profile->remember;
    if (!(remember & (TCP_REMEMBER_RTT | TCP_REMEMBER_SSTHRESH | TCP_REMEMBER_PATH_MTU)))
        return;
    bool guessed = c->mtu_search && c->extra->search_black && c->extra->search_proved &&
                   (c->path_mtu == 0 || c->extra->search_use < c->path_mtu);
    bool path = (remember & TCP_REMEMBER_PATH_MTU) && (c->path_mtu != 0 || guessed);
    if (c->srtt == 0 && !path)
        return;
    struct tcp_destination *d = tcp_destination_of(c);
    if (d == NULL)
        return;
    if ((remember & TCP_REMEMBER_RTT) && c->srtt != 0) {
        d->srtt = blend(d->srtt, c->srtt);
        d->rttvar = blend(d->rttvar, c->rttvar);
    }
    if ((remember & TCP_REMEMBER_SSTHRESH) && c->ssthresh != UINT32_MAX)
        d->ssthresh = c->ssthresh;
    if (path) {
        d->path_mtu = guessed ? c->extra->search_use : c->path_mtu;
        d->path_mtu_at = guessed ? (uint32_t)(c->stack->now / USEC_PER_SEC) : c->path_mtu_at;
        d->path_mtu_guessed = guessed;
    }
}

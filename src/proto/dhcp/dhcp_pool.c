/* SPDX-License-Identifier: ISC */
/*
 * dhcp_pool.c - bindings and the choice of addresses, RFC 2131 §4.3.1.
 *
 * SKIPS RFC 2131 §2.2: probing an address before it is offered. Addresses of a pool are nobody
 * else's, clients check for themselves, and a DECLINE puts the address aside.
 */
#include "proto/dhcp/dhcp_pool.h"

static bool has_client(const void *item, const void *key)
{
    const struct dhcp_binding *b = item;
    const struct dhcp_identity *who = key;
    return b->client.key_len == who->key_len &&
           memcmp(b->client.key, who->key, who->key_len) == 0;
}

static uint32_t hash_of(const struct dhcp_pool *pool, const struct dhcp_identity *who)
{
    return (uint32_t)siphash13(&pool->hash_key, bytes_of(who->key, who->key_len));
}

/* ---- states ---- */

static void enter(struct dhcp_pool *pool, struct dhcp_binding *b, enum dhcp_binding_state state,
                  usec expires_at)
{
    list_remove(&b->node);
    pool->bound_count -= b->state == DHCP_BOUND;
    pool->declined_count -= b->state == DHCP_DECLINED;
    b->state = (uint8_t)state;
    b->expires_at = expires_at;
    wheel_arm(&pool->wheel, &b->timer, expires_at);
    pool->bound_count += state == DHCP_BOUND;
    pool->declined_count += state == DHCP_DECLINED;
    switch (state) {
    case DHCP_FREE:
        if (!b->reserved)
            list_append(&pool->free, &b->node);
        break;
    case DHCP_OFFERED:
        if (!b->reserved)
            list_append(&pool->offered, &b->node);
        break;
    case DHCP_EXPIRED:
        if (!b->reserved)
            list_append(&pool->expired, &b->node);
        break;
    case DHCP_DECLINED:
        list_append(&pool->declined, &b->node);
        break;
    case DHCP_BOUND:
        break;
    }
}

static void forget_client(struct dhcp_pool *pool, struct dhcp_binding *b)
{
    if (b->mapped)
        (void)map_remove(&pool->by_client, b->hash, b);
    b->mapped = false;
    b->was_bound = false;
    b->client = (struct dhcp_identity){0};
    b->hostname[0] = '\0';
}

/* Makes the binding the one that is found by the client's key. What the client had before is left
 * to its end, but is not found any more. False: no memory for the map, and nobody has it. */
static bool set_client(struct dhcp_pool *pool, struct dhcp_binding *b,
                       const struct dhcp_identity *who)
{
    if (b->mapped && has_client(b, who)) {
        b->client = *who;
        return true;
    }
    if (b->mapped)
        (void)map_remove(&pool->by_client, b->hash, b);
    struct dhcp_binding *other = dhcp_pool_find(pool, who);
    if (other != NULL) {
        (void)map_remove(&pool->by_client, other->hash, other);
        other->mapped = false;
    }
    b->client = *who;
    b->hash = hash_of(pool, who);
    b->mapped = map_insert(&pool->by_client, b->hash, b);
    return b->mapped;
}

/* ---- the table ---- */

static void add_binding(struct dhcp_pool *pool, uint32_t address, bool reserved)
{
    ASSERT(pool->count < pool->count_max);
    struct dhcp_binding *b = &pool->bindings[pool->count++];
    b->address = address;
    b->reserved = reserved;
    list_init(&b->node);
    timer_init(&b->timer, 0);
    enter(pool, b, DHCP_FREE, USEC_NEVER);
}

/* SIZE: at most DHCP_RESERVED_MAX bindings lie outside the pool, so the search may be linear. */
static struct dhcp_binding *binding_at(const struct dhcp_pool *pool, uint32_t address)
{
    if (address >= pool->first && address - pool->first < pool->dynamic_count)
        return &pool->bindings[address - pool->first];
    for (size_t i = pool->dynamic_count; i < pool->count; i++)
        if (pool->bindings[i].address == address)
            return &pool->bindings[i];
    return NULL;
}

void dhcp_pool_reserve(struct dhcp_pool *pool, uint32_t address)
{
    struct dhcp_binding *b = binding_at(pool, address);
    if (b != NULL) {
        b->reserved = true;
        list_remove(&b->node);
    }
}

static bool allocate(struct dhcp_pool *pool, const struct dhcp_pool_options *options)
{
    pool->bindings = heap_array(&pool->heap, pool->count_max, sizeof *pool->bindings);
    if (pool->bindings == NULL)
        return false;
    if (options->static_count == 0)
        return true;
    pool->statics = heap_array(&pool->heap, options->static_count, sizeof *pool->statics);
    if (pool->statics == NULL) {
        dhcp_pool_done(pool);
        return false;
    }
    pool->static_count = options->static_count;
    memcpy(pool->statics, options->statics, options->static_count * sizeof *pool->statics);
    return true;
}

bool dhcp_pool_init(struct dhcp_pool *pool, const struct dhcp_pool_options *options, usec now)
{
    ASSERT(options->first <= options->last && options->last - options->first < DHCP_POOL_MAX);
    ASSERT(options->static_count <= DHCP_RESERVED_MAX);
    *pool = (struct dhcp_pool){.heap = options->heap, .hash_key = options->hash_key};
    pool->first = options->first;
    pool->dynamic_count = (size_t)(options->last - options->first) + 1;
    pool->count_max = pool->dynamic_count + options->static_count;
    map_init(&pool->by_client, &pool->heap, pool->count_max, has_client);
    if (!allocate(pool, options))
        return false;
    wheel_init(&pool->wheel, now);
    list_init(&pool->free);
    list_init(&pool->expired);
    list_init(&pool->offered);
    list_init(&pool->declined);
    for (size_t i = 0; i < pool->dynamic_count; i++)
        add_binding(pool, options->first + (uint32_t)i, false);
    for (size_t i = 0; i < pool->static_count; i++) {
        uint32_t address = address_v4_value(&pool->statics[i].address);
        if (binding_at(pool, address) != NULL)
            dhcp_pool_reserve(pool, address);
        else
            add_binding(pool, address, true);
    }
    return true;
}

void dhcp_pool_done(struct dhcp_pool *pool)
{
    map_done(&pool->by_client);
    heap_release(&pool->heap, pool->bindings, pool->count_max * sizeof *pool->bindings);
    heap_release(&pool->heap, pool->statics, pool->static_count * sizeof *pool->statics);
    pool->bindings = NULL;
    pool->statics = NULL;
}

/* ---- choosing ---- */

const struct dhcp_static *dhcp_pool_static(const struct dhcp_pool *pool, const struct mac *mac)
{
    for (size_t i = 0; i < pool->static_count; i++)
        if (mac_equal(&pool->statics[i].mac, mac))
            return &pool->statics[i];
    return NULL;
}

struct dhcp_binding *dhcp_pool_find(const struct dhcp_pool *pool, const struct dhcp_identity *who)
{
    return map_find(&pool->by_client, hash_of(pool, who), who);
}

/* The binding that nobody but this client can have. A reserved one goes by the MAC alone: it is no
 * longer the client's whose identifier came with that MAC once. */
static struct dhcp_binding *own_binding(const struct dhcp_pool *pool,
                                        const struct dhcp_identity *who)
{
    const struct dhcp_static *entry = dhcp_pool_static(pool, &who->mac);
    if (entry != NULL)
        return binding_at(pool, address_v4_value(&entry->address));
    struct dhcp_binding *b = dhcp_pool_find(pool, who);
    return b != NULL && !b->reserved ? b : NULL;
}

static bool vacant(const struct dhcp_binding *b)
{
    return b != NULL && !b->reserved && (b->state == DHCP_FREE || b->state == DHCP_EXPIRED);
}

/* The same whatever seed the table's hash has: a server that lost its memory gives a client the
 * address it had. Collisions, made or met, only lead to another free address. */
static struct dhcp_binding *hashed_binding(const struct dhcp_pool *pool,
                                           const struct dhcp_identity *who)
{
    static const struct siphash_key fixed = {0, 0};
    uint64_t hash = siphash13(&fixed, bytes_of(who->key, who->key_len));
    struct dhcp_binding *b = &pool->bindings[hash % pool->dynamic_count];
    return vacant(b) && b->state == DHCP_FREE ? b : NULL;
}

static struct dhcp_binding *first_of(const struct list_node *list)
{
    struct list_node *node = list_first(list);
    return node != NULL ? CONTAINER_OF(node, struct dhcp_binding, node) : NULL;
}

/* The oldest expired binding, or the oldest offer that was not taken up. Leases that run are
 * never touched: who exhausts the pool keeps others waiting, but takes nothing from anyone. */
static struct dhcp_binding *reclaim(struct dhcp_pool *pool, usec now)
{
    struct dhcp_binding *b = first_of(&pool->expired);
    if (b != NULL)
        return b;
    b = first_of(&pool->offered);
    if (b == NULL || now - b->offered_at < DHCP_OFFER_HOLD)
        return NULL;
    pool->reclaimed++;
    return b;
}

struct dhcp_binding *dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_identity *who,
                                      uint32_t wanted, usec now)
{
    struct dhcp_binding *b = own_binding(pool, who);
    if (b != NULL)
        return b;
    b = binding_at(pool, wanted);
    if (vacant(b))
        return b;
    b = hashed_binding(pool, who);
    if (b == NULL)
        b = first_of(&pool->free);
    if (b == NULL)
        b = reclaim(pool, now);
    return b;
}

struct dhcp_binding *dhcp_pool_claim(struct dhcp_pool *pool, const struct dhcp_identity *who,
                                     uint32_t address)
{
    struct dhcp_binding *b = own_binding(pool, who);
    if (b == NULL) {
        b = binding_at(pool, address);
        if (!vacant(b))
            return NULL;
    }
    return b->address == address ? b : NULL;
}

/* ---- what happens to a binding ---- */

bool dhcp_pool_offer(struct dhcp_pool *pool, struct dhcp_binding *b,
                     const struct dhcp_identity *who, usec now, usec until)
{
    ASSERT(!b->held);
    if (!(b->mapped && has_client(b, who)) && b->state != DHCP_BOUND)
        forget_client(pool, b);
    if (!set_client(pool, b, who)) {
        if (b->state != DHCP_BOUND)
            dhcp_pool_withdraw(pool, b);
        return false;
    }
    if (b->state == DHCP_BOUND)
        return true;
    b->offered_at = now;
    enter(pool, b, DHCP_OFFERED, until);
    return true;
}

void dhcp_pool_bind(struct dhcp_pool *pool, struct dhcp_binding *b, usec expires_at)
{
    b->was_bound = true;
    enter(pool, b, DHCP_BOUND, expires_at);
}

void dhcp_pool_withdraw(struct dhcp_pool *pool, struct dhcp_binding *b)
{
    if (b->was_bound) {
        enter(pool, b, DHCP_EXPIRED, USEC_NEVER);
        return;
    }
    forget_client(pool, b);
    enter(pool, b, DHCP_FREE, USEC_NEVER);
}

void dhcp_pool_release(struct dhcp_pool *pool, struct dhcp_binding *b)
{
    enter(pool, b, b->mapped ? DHCP_EXPIRED : DHCP_FREE, USEC_NEVER);
    if (!b->mapped)
        forget_client(pool, b);
}

void dhcp_pool_decline(struct dhcp_pool *pool, struct dhcp_binding *b, usec until)
{
    forget_client(pool, b);
    /* A static address is its client's alone: putting it aside would only lock the client out. */
    if (b->reserved) {
        enter(pool, b, DHCP_FREE, USEC_NEVER);
        return;
    }
    enter(pool, b, DHCP_DECLINED, until);
    if (pool->declined_count > 1 && pool->declined_count > pool->dynamic_count / 4)
        enter(pool, first_of(&pool->declined), DHCP_FREE, USEC_NEVER);
}

void dhcp_pool_hold(struct dhcp_pool *pool, struct dhcp_binding *b)
{
    ASSERT(!b->held);
    b->held = true;
    list_remove(&b->node);
    wheel_disarm(&pool->wheel, &b->timer);
}

void dhcp_pool_let_go(struct dhcp_pool *pool, struct dhcp_binding *b)
{
    ASSERT(b->held);
    b->held = false;
    enter(pool, b, (enum dhcp_binding_state)b->state, b->expires_at);
}

bool dhcp_pool_restore(struct dhcp_pool *pool, uint32_t address, const struct dhcp_identity *who,
                       const char *hostname, usec expires_at, usec now)
{
    struct dhcp_binding *b = dhcp_pool_claim(pool, who, address);
    if (b == NULL || b->state != DHCP_FREE || !set_client(pool, b, who))
        return false;
    size_t len = strlen(hostname);
    ASSERT(len < sizeof b->hostname);
    memcpy(b->hostname, hostname, len + 1);
    dhcp_pool_bind(pool, b, expires_at);
    if (expires_at <= now)
        enter(pool, b, DHCP_EXPIRED, USEC_NEVER);
    return true;
}

struct dhcp_binding *dhcp_pool_expire(struct dhcp_pool *pool, usec now)
{
    struct timer *timer;
    while ((timer = wheel_expire(&pool->wheel, now)) != NULL) {
        struct dhcp_binding *b = CONTAINER_OF(timer, struct dhcp_binding, timer);
        switch ((enum dhcp_binding_state)b->state) {
        case DHCP_BOUND:
            return b;
        case DHCP_OFFERED:
            dhcp_pool_withdraw(pool, b);
            break;
        case DHCP_DECLINED:
            enter(pool, b, DHCP_FREE, USEC_NEVER);
            break;
        case DHCP_FREE:
        case DHCP_EXPIRED:
            break;
        }
    }
    return NULL;
}

usec dhcp_pool_deadline(const struct dhcp_pool *pool)
{
    return wheel_deadline(&pool->wheel);
}

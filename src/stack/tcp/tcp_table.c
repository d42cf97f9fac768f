/* SPDX-License-Identifier: ISC */
/*
 * tcp_table.c - the TCP of a stack: who is connected or listens, memory kept warm, and the numbers
 * that strangers must not guess: initial sequence numbers (RFC 6528), timestamp offsets (RFC 7323
 * §5.4) and ephemeral ports (RFC 6056 §3.3.3).
 */
#include "stack/tcp/internal.h"

enum {
    PORT_FIRST = 16384, /* RFC 6056 §3.2 asks for a wide range; services live below */
    PORT_COUNT = 65536 - PORT_FIRST,
    PORT_TRIES = 4096,
    UNUSED_TRIES = 16, /* before one is taken that is in TIME-WAIT */
};

struct tuple_key {
    const struct endpoint *local;
    const struct endpoint *remote;
};

static bool connection_equal(const void *item, const void *key)
{
    const struct tcp_connection *c = item;
    const struct tuple_key *want = key;
    return endpoint_equal(&c->remote, want->remote) && endpoint_equal(&c->local, want->local);
}

struct tcp_connection *tcp_find(const struct stack *stack, const struct endpoint *local,
                                const struct endpoint *remote)
{
    struct tcp_connection *c = tcp_find_again(stack, local, remote);
    return c != NULL ? c : tcp_find_hashed(stack, tcp_hash(stack, local, remote), local, remote);
}

struct tcp_connection *tcp_find_again(const struct stack *stack, const struct endpoint *local,
                                      const struct endpoint *remote)
{
    struct tcp_connection *c = stack->tcp->found;
    struct tuple_key key = {local, remote};
    return c != NULL && connection_equal(c, &key) ? c : NULL;
}

struct tcp_connection *tcp_find_hashed(const struct stack *stack, uint32_t hash,
                                       const struct endpoint *local,
                                       const struct endpoint *remote)
{
    struct tuple_key key = {local, remote};
    struct tcp_connection *c = map_find(&stack->tcp->connections, hash, &key);
    if (c != NULL)
        stack->tcp->found = c;
    return c;
}

enum tcp_pair tcp_pair_of(const struct stack *stack, const struct endpoint *local,
                          const struct endpoint *remote)
{
    uint32_t hash = tcp_hash(stack, local, remote);
    if (tcp_find_hashed(stack, hash, local, remote) != NULL)
        return TCP_PAIR_TAKEN;
    const struct tcp_entry *entry = tcp_entry_find(stack, hash, local, remote);
    if (entry == NULL)
        return TCP_PAIR_UNUSED;
    return tcp_time_wait_may_be_reused(stack, entry) ? TCP_PAIR_REUSABLE : TCP_PAIR_TAKEN;
}

/* RFC 6528 §3: M, a clock of 4 usec, plus F of both endpoints and a secret. */
struct seq tcp_initial_sequence(const struct stack *stack, const struct endpoint *local,
                                const struct endpoint *remote, uint32_t *ts_offset)
{
    struct stack_pair pair = stack_pair_of(local, remote);
    uint64_t f = siphash24(&stack->tcp->isn_key, bytes_of(&pair, sizeof pair));
    *ts_offset = (uint32_t)(f >> 32);
    return seq_of((uint32_t)f + (uint32_t)(stack->now / 4));
}

/* RFC 6056 §3.3.3, algorithm 3: where to begin depends on the remote end and a secret, so that
 * the sequence seen by one peer tells nothing of that seen by another. */
bool tcp_choose_port(struct stack *stack, struct endpoint *local, const struct endpoint *remote)
{
    struct tcp_table *table = stack->tcp;
    struct endpoint from = {local->address, 0};
    struct stack_pair pair = stack_pair_of(&from, remote);
    uint32_t start = (uint32_t)(siphash24(&table->isn_key, bytes_of(&pair, sizeof pair)) >> 16);
    bool found = false;
    for (unsigned i = 0; i < PORT_TRIES && !(found && i >= UNUSED_TRIES); i++) {
        from.port = (uint16_t)(PORT_FIRST + (start + table->port_counter++) % PORT_COUNT);
        enum tcp_pair use = tcp_pair_of(stack, &from, remote);
        if (use == TCP_PAIR_TAKEN || tcp_find_group(stack, &from) != NULL)
            continue;
        *local = from;
        found = true;
        if (use == TCP_PAIR_UNUSED)
            break;
    }
    return found;
}

static void empty_caches(struct stack *stack)
{
    for (size_t i = 0; i < TCP_CACHE_COUNT; i++) {
        struct tcp_cache *cache = &stack->tcp->caches[i];
        for (; cache->count > 0; cache->count--) {
            void *block = cache->first;
            memcpy(&cache->first, block, sizeof cache->first);
            heap_release(&stack->heap, block, cache->size);
        }
    }
}

void *tcp_alloc(struct stack *stack, enum tcp_cache_kind kind)
{
    struct tcp_cache *cache = &stack->tcp->caches[kind];
    void *block = cache->first;
    if (LIKELY(block != NULL)) {
        memcpy(&cache->first, block, sizeof cache->first);
        cache->count--;
        return block;
    }
    block = stack->heap.resize(stack->heap.self, NULL, 0, cache->size);
    if (UNLIKELY(block == NULL)) {
        /* What is kept warm of one kind may be what another one lacks. */
        empty_caches(stack);
        frame_pool_trim(stack->frames);
        block = stack->heap.resize(stack->heap.self, NULL, 0, cache->size);
    }
    return block;
}

void tcp_free(struct stack *stack, enum tcp_cache_kind kind, void *block)
{
    struct tcp_cache *cache = &stack->tcp->caches[kind];
    if (cache->count < cache->count_max) {
        memcpy(block, &cache->first, sizeof cache->first);
        cache->first = block;
        cache->count++;
    } else {
        heap_release(&stack->heap, block, cache->size);
    }
}

bool tcp_frames_are_short(const struct stack *stack)
{
    struct frame_pool_counters frames;
    frame_pool_counters(stack->frames, &frames);
    return frames.octets > frames.octets_max - stack->tcp->short_reserve;
}

/* Connections that wait for each other, all buffers full, would wait for ever: what is kept back is
 * a packet each way for every connection that there may be; in a large pool an eighth is enough. */
static void set_shares(struct tcp_table *table, const struct frame_pool *pool, size_t connections_max)
{
    struct frame_pool_counters frames;
    frame_pool_counters(pool, &frames);
    size_t most = frames.octets_max / 2;
    size_t packet = 2 * frame_size_for(TCP_PACKET);
    size_t wanted = connections_max < most / packet ? connections_max * packet : most;
    bool small = most < TCP_SHORT_POOL;
    table->short_reserve = small ? wanted : frames.octets_max / 8;
    table->short_share = small ? TCP_PACKET / 2 : TCP_SHORT_SHARE;
}

static uint32_t buffer_size(size_t asked, uint32_t otherwise)
{
    if (asked == 0)
        return otherwise;
    if (asked < TCP_BUFFER_MIN)
        return TCP_BUFFER_MIN;
    return asked < TCP_BUFFER_MAX ? (uint32_t)asked : TCP_BUFFER_MAX;
}

/* The profile that the options name, with the buffers that they ask for. */
static struct tcp_profile profile_of(const struct stack_options *options)
{
    struct tcp_profile profile =
        options->tcp_profile != NULL ? *options->tcp_profile : tcp_profile_default;
    profile.receive_buffer = buffer_size(options->tcp_receive_buffer, profile.receive_buffer);
    profile.send_buffer = buffer_size(options->tcp_send_buffer, profile.send_buffer);
    if (options->tcp_receive_buffer != 0)
        profile.receive_buffer_max = profile.receive_buffer;
    if (options->tcp_send_buffer != 0)
        profile.send_buffer_max = profile.send_buffer;
    return profile;
}

void tcp_set_profile(struct stack *stack, const struct tcp_profile *profile)
{
    stack->tcp->profile = *profile;
}

bool tcp_init(struct stack *stack)
{
    struct tcp_table *table = heap_zeroed(&stack->heap, sizeof *table);
    if (table == NULL)
        return false;
    size_t connections_max = stack->options.tcp_connections_max;
    if (connections_max == 0)
        connections_max = TCP_CONNECTIONS_DEFAULT;
    map_init(&table->connections, &stack->heap, connections_max, connection_equal);
    list_init(&table->listeners_all);
    list_init(&table->pending);
    list_init(&table->closed);
    list_init(&table->watched);
    timer_init(&table->watch_timer, STACK_TIMER_TCP_WATCH);
    table->profile = profile_of(&stack->options);
    set_shares(table, stack->frames, connections_max);
    table->isn_key.k0 = prng_u64(&stack->prng);
    table->isn_key.k1 = prng_u64(&stack->prng);
    table->caches[TCP_CACHE_CONNECTION] =
        (struct tcp_cache){.count_max = 1024, .size = sizeof(struct tcp_connection)};
    table->caches[TCP_CACHE_SENDING] =
        (struct tcp_cache){.count_max = 1024, .size = sizeof(struct tcp_sending)};
    table->caches[TCP_CACHE_EXTRA] =
        (struct tcp_cache){.count_max = 256, .size = sizeof(struct tcp_extra)};
    table->caches[TCP_CACHE_CHUNK] =
        (struct tcp_cache){.count_max = 4096, .size = sizeof(struct tcp_chunk)};
    table->caches[TCP_CACHE_SENT] =
        (struct tcp_cache){.count_max = 4096, .size = sizeof(struct tcp_sent)};
    table->caches[TCP_CACHE_RANGE] =
        (struct tcp_cache){.count_max = 256, .size = sizeof(struct tcp_range)};
    table->caches[TCP_CACHE_REORDER] =
        (struct tcp_cache){.count_max = 256, .size = sizeof(struct tcp_reorder)};
    stack->tcp = table;
    tcp_groups_init(stack);
    tcp_destinations_init(stack);
    uint8_t key[TCP_FAST_OPEN_KEY_LEN];
    prng_fill(&stack->prng, key, sizeof key);
    (void)!tcp_fast_open_keys_set(&table->fast_open_keys, key, sizeof key);
    table->cookie_key.k0 = prng_u64(&stack->prng);
    table->cookie_key.k1 = prng_u64(&stack->prng);
    tcp_entries_init(stack);
    return true;
}

void tcp_done(struct stack *stack)
{
    struct tcp_table *table = stack->tcp;
    if (table == NULL)
        return;
    struct list_node *node;
    tcp_entries_done(stack);
    wheel_disarm(&stack->wheel, &table->watch_timer);
    /* Freeing takes the connection out of the map, which may move others to where the visit has
     * been: hence more than one round. */
    while (table->connections.count > 0) {
        struct tcp_connection *c;
        size_t place = 0;
        while ((c = map_each(&table->connections, &place)) != NULL)
            tcp_connection_free(c);
    }
    while ((node = list_first(&table->closed)) != NULL)
        tcp_connection_free(CONTAINER_OF(node, struct tcp_connection, pending));
    while ((node = list_first(&table->listeners_all)) != NULL)
        tcp_listener_free(CONTAINER_OF(node, struct tcp_listener, all));
    tcp_destinations_done(stack);
    map_done(&table->connections);
    map_done(&table->groups);
    empty_caches(stack);
    stack->tcp = NULL;
    heap_release(&stack->heap, table, sizeof *table);
}

const struct tcp_connection *tcp_each(const struct stack *stack, size_t *place)
{
    return map_each(&stack->tcp->connections, place);
}

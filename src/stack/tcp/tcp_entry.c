/* SPDX-License-Identifier: ISC */
/*
 * tcp_entry.c - the pool of entries, who is in it, and the rows in which they wait. Blocks of the
 * pool stay where they are; all but one go back to the heap when the last entry has gone.
 */
#include "stack/tcp/internal.h"

struct key {
    const struct endpoint *local;
    const struct endpoint *remote;
};

static bool entry_equal(const void *item, const void *key)
{
    const struct tcp_entry *entry = item;
    const struct key *want = key;
    return entry->remote_port == want->remote->port && entry->local_port == want->local->port &&
           address_equal(&entry->remote, &want->remote->address) &&
           address_equal(&entry->local, &want->local->address);
}

void tcp_entries_init(struct stack *stack)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    map_init(&entries->map, &stack->heap, TCP_HALF_OPEN_MAX + TCP_TIME_WAIT_MAX, entry_equal);
    timer_init(&entries->timer, STACK_TIMER_TCP_ENTRIES);
    entries->free = TCP_ENTRY_NONE;
    for (unsigned row = 0; row < TCP_ROW_COUNT; row++)
        entries->rows[row].first = entries->rows[row].last = TCP_ENTRY_NONE;
}

/* ---- the pool ---- */

static struct tcp_entry *entry_at(const struct tcp_entries *entries, uint32_t index)
{
    return &entries->blocks[index / TCP_ENTRY_BLOCK][index % TCP_ENTRY_BLOCK];
}

static void set_free(struct tcp_entries *entries, uint32_t index)
{
    entry_at(entries, index)->next = entries->free;
    entries->free = index;
}

static void free_blocks(struct stack *stack, uint32_t from)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    while (entries->blocks_len > from)
        heap_release(&stack->heap, entries->blocks[--entries->blocks_len],
                     TCP_ENTRY_BLOCK * sizeof(struct tcp_entry));
}

static bool room_for_block(struct stack *stack)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    if (entries->blocks_len < entries->blocks_size)
        return true;
    uint32_t size = entries->blocks_size == 0 ? 4 : entries->blocks_size * 2;
    struct tcp_entry **blocks =
        stack->heap.resize(stack->heap.self, entries->blocks,
                           entries->blocks_size * sizeof *blocks, size * sizeof *blocks);
    if (blocks == NULL)
        return false;
    entries->blocks = blocks;
    entries->blocks_size = size;
    return true;
}

static bool add_block(struct stack *stack)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    uint32_t first = entries->blocks_len * TCP_ENTRY_BLOCK;
    if (first + TCP_ENTRY_BLOCK > TCP_ENTRY_NONE || !room_for_block(stack))
        return false;
    struct tcp_entry *block =
        heap_array(&stack->heap, TCP_ENTRY_BLOCK, sizeof(struct tcp_entry));
    if (block == NULL)
        return false;
    entries->blocks[entries->blocks_len++] = block;
    for (uint32_t i = TCP_ENTRY_BLOCK; i > 0; i--) /* the lowest comes first */
        set_free(entries, first + i - 1);
    return true;
}

/* Nobody is left: neither is the memory of the crowd. */
static void shrink(struct stack *stack)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    wheel_disarm(&stack->wheel, &entries->timer);
    if (entries->blocks_len <= 1)
        return;
    free_blocks(stack, 1);
    entries->free = TCP_ENTRY_NONE;
    for (uint32_t i = TCP_ENTRY_BLOCK; i > 0; i--)
        set_free(entries, i - 1);
}

void tcp_entries_done(struct stack *stack)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    wheel_disarm(&stack->wheel, &entries->timer);
    stack->counters.tcpConnections -= entries->map.count;
    free_blocks(stack, 0);
    heap_release(&stack->heap, entries->blocks, entries->blocks_size * sizeof *entries->blocks);
    map_done(&entries->map);
}

/* ---- rows ---- */

static usec bounded(usec timeout)
{
    return usec_min(usec_max(timeout, WHEEL_TICK), TCP_ENTRY_TIMEOUT_MAX);
}

/* How long one waits in the row. */
static usec timeout_of(const struct stack *stack, enum tcp_row row)
{
    if (row != TCP_ROW_TIME_WAIT)
        return stack->tcp->entries.rows[row].timeout;
    return bounded(stack->tcp->profile.time_wait);
}

enum tcp_row tcp_entry_row(struct stack *stack, usec timeout)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    unsigned unused = TCP_ROW_COUNT;
    unsigned nearest = TCP_ROW_HALF_OPEN;
    usec least = USEC_NEVER;
    timeout = bounded(timeout);
    for (unsigned row = TCP_ROW_HALF_OPEN; row <= TCP_ROW_HALF_OPEN_LAST; row++) {
        usec other = entries->rows[row].timeout;
        usec difference = other > timeout ? other - timeout : timeout - other;
        if (entries->rows[row].first == TCP_ENTRY_NONE)
            unused = row;
        if (difference < least)
            nearest = row;
        least = usec_min(least, difference);
    }
    if (least == 0 || unused == TCP_ROW_COUNT)
        return (enum tcp_row)nearest;
    entries->rows[unused].timeout = timeout;
    return (enum tcp_row)unused;
}

usec tcp_entry_age(const struct stack *stack, const struct tcp_entry *entry)
{
    return (uint32_t)stack->now - entry->since;
}

/* Which index it has, its neighbour knows. */
static uint32_t index_of(const struct tcp_entries *entries, const struct tcp_entry *entry)
{
    return entry->previous != TCP_ENTRY_NONE ? entry_at(entries, entry->previous)->next
                                             : entries->rows[entry->row].first;
}

static void count_in_row(struct tcp_entries *entries, enum tcp_row row, int by)
{
    if (row == TCP_ROW_TIME_WAIT)
        entries->time_wait += (uint32_t)by;
    else
        entries->half_open += (uint32_t)by;
}

static void leave_row(struct tcp_entries *entries, struct tcp_entry *entry)
{
    if (entry->previous != TCP_ENTRY_NONE)
        entry_at(entries, entry->previous)->next = entry->next;
    else
        entries->rows[entry->row].first = entry->next;
    if (entry->next != TCP_ENTRY_NONE)
        entry_at(entries, entry->next)->previous = entry->previous;
    else
        entries->rows[entry->row].last = entry->previous;
    count_in_row(entries, entry->row, -1);
}

static void join_row(struct stack *stack, uint32_t index, enum tcp_row row)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    struct tcp_entry *entry = entry_at(entries, index);
    entry->row = (unsigned)row & 15;
    entry->since = (uint32_t)stack->now;
    entry->challenged = 0;
    entry->next = TCP_ENTRY_NONE;
    entry->previous = entries->rows[row].last & TCP_ENTRY_NONE;
    if (entry->previous != TCP_ENTRY_NONE)
        entry_at(entries, entry->previous)->next = index & TCP_ENTRY_NONE;
    else
        entries->rows[row].first = index;
    entries->rows[row].last = index;
    count_in_row(entries, row, 1);
    usec due_at = stack->now + timeout_of(stack, row);
    if (!timer_armed(&entries->timer) || entries->timer.due_at > due_at)
        wheel_arm(&stack->wheel, &entries->timer, due_at);
}

struct tcp_entry *tcp_entry_first(const struct stack *stack, enum tcp_row row)
{
    const struct tcp_entries *entries = &stack->tcp->entries;
    uint32_t first = entries->rows[row].first;
    return first != TCP_ENTRY_NONE ? entry_at(entries, first) : NULL;
}

struct tcp_entry *tcp_entry_next(const struct stack *stack, const struct tcp_entry *entry)
{
    return entry->next != TCP_ENTRY_NONE ? entry_at(&stack->tcp->entries, entry->next) : NULL;
}

void tcp_entry_wait(struct stack *stack, struct tcp_entry *entry, enum tcp_row row)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    uint32_t index = index_of(entries, entry);
    leave_row(entries, entry);
    join_row(stack, index, row);
}

/* ---- entries ---- */

struct endpoint tcp_entry_local(const struct tcp_entry *entry)
{
    return (struct endpoint){entry->local, entry->local_port};
}

struct endpoint tcp_entry_remote(const struct tcp_entry *entry)
{
    return (struct endpoint){entry->remote, entry->remote_port};
}

struct tcp_entry *tcp_entry_find(const struct stack *stack, uint32_t hash,
                                 const struct endpoint *local, const struct endpoint *remote)
{
    struct key key = {local, remote};
    return map_find(&stack->tcp->entries.map, hash, &key);
}

struct tcp_entry *tcp_entry_new(struct stack *stack, uint32_t hash, const struct endpoint *local,
                                const struct endpoint *remote, enum tcp_row row)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    if (entries->free == TCP_ENTRY_NONE && !add_block(stack))
        return NULL;
    uint32_t index = entries->free;
    struct tcp_entry *entry = entry_at(entries, index);
    uint32_t next = entry->next;
    if (!map_insert(&entries->map, hash, entry))
        return NULL;
    entries->free = next;
    *entry = (struct tcp_entry){
        .local = local->address,
        .remote = remote->address,
        .local_port = local->port,
        .remote_port = remote->port,
    };
    join_row(stack, index, row);
    stack->counters.tcpConnections++;
    return entry;
}

uint32_t tcp_entry_hash(const struct stack *stack, const struct tcp_entry *entry)
{
    struct endpoint local = tcp_entry_local(entry);
    struct endpoint remote = tcp_entry_remote(entry);
    return tcp_hash(stack, &local, &remote);
}

void tcp_entry_free(struct stack *stack, uint32_t hash, struct tcp_entry *entry)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    uint32_t index = index_of(entries, entry);
    bool removed = map_remove(&entries->map, hash, entry);
    ASSERT(removed);
    leave_row(entries, entry);
    set_free(entries, index);
    stack->counters.tcpConnections--;
    if (entries->map.count == 0)
        shrink(stack);
}

/* ---- time ---- */

static void expired(struct stack *stack, struct tcp_entry *entry)
{
    if (entry->row == TCP_ROW_TIME_WAIT)
        tcp_time_wait_over(stack, entry);
    else
        tcp_half_open_timed_out(stack, entry);
}

void tcp_entries_timer(struct stack *stack)
{
    struct tcp_entries *entries = &stack->tcp->entries;
    struct tcp_entry *entry;
    usec due_at = USEC_NEVER;
    for (unsigned row = 0; row < TCP_ROW_COUNT; row++)
        while ((entry = tcp_entry_first(stack, row)) != NULL &&
               tcp_entry_age(stack, entry) >= timeout_of(stack, row))
            expired(stack, entry);
    for (unsigned row = 0; row < TCP_ROW_COUNT; row++) /* they have gone to others, perhaps before */
        if ((entry = tcp_entry_first(stack, row)) != NULL)
            due_at = usec_min(due_at, stack->now + timeout_of(stack, row) -
                                          tcp_entry_age(stack, entry));
    wheel_arm(&stack->wheel, &entries->timer, due_at);
}

bool tcp_each_entry(const struct stack *stack, size_t *place, struct tcp_entry_info *out)
{
    const struct tcp_entry *entry = map_each(&stack->tcp->entries.map, place);
    if (entry == NULL)
        return false;
    out->state = entry->row == TCP_ROW_TIME_WAIT ? TCP_TIME_WAIT : TCP_SYN_RECEIVED;
    out->local = tcp_entry_local(entry);
    out->remote = tcp_entry_remote(entry);
    return true;
}

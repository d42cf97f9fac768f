/* SPDX-License-Identifier: ISC */
/*
 * neighbour.c - the cache of link-layer addresses: RFC 826's table with RFC 4861's states.
 *
 *      INCOMPLETE --answer--> REACHABLE --time--> STALE --used--> PROBE --answer--> REACHABLE
 *          |                                        |                |
 *      no answer: packets go                     unused: entry goes  no answer: entry goes
 *
 * RFC 4861's DELAY is the first seconds of our PROBE: the station is asked only when nothing was
 * heard from it by then. TCP tells when nothing seems to arrive (RFC 9293 §3.8.3), which makes a PROBE of
 * any state. SKIPS RFC 4861 §7.3.1: that TCP tells when something does; an ARP exchange a minute is little.
 */
#include "stack/neighbour.h"

#include "stack/ip.h"
#include "wire/link/ethernet.h"

struct neighbour {
    struct list_node age; /* in one of the table's lists: the oldest use first */
    struct ip_address address;
    struct mac mac;
    uint8_t interface;
    uint8_t state;
    uint8_t requests; /* sent in this INCOMPLETE or PROBE */
    usec proved_at;   /* it has answered */
    bool is_static;
    struct timer timer;
    struct frame_queue waiting; /* data at the IP header */
};

struct neighbour_table {
    struct map map;
    struct list_node unanswered; /* INCOMPLETE */
    struct list_node known;
    struct list_node statics;
    size_t waiting; /* frames in all queues */
    size_t count_max;
};

struct neighbour_key {
    const struct ip_address *address;
    unsigned interface;
};

static bool neighbour_equal(const void *item, const void *key)
{
    const struct neighbour *n = item;
    const struct neighbour_key *k = key;
    return n->interface == k->interface && address_equal(&n->address, k->address);
}

static uint32_t neighbour_hash(const struct stack *stack, const struct neighbour_key *key)
{
    uint8_t octets[sizeof key->address->octets + 1];
    memcpy(octets, key->address->octets, sizeof key->address->octets);
    octets[sizeof octets - 1] = (uint8_t)key->interface;
    return (uint32_t)siphash13(&stack->hash_key, bytes_of(octets, sizeof octets));
}

static struct neighbour *find(const struct stack *stack, unsigned interface,
                              const struct ip_address *address)
{
    struct neighbour_key key = {address, interface};
    return map_find(&stack->neighbours->map, neighbour_hash(stack, &key), &key);
}

bool neighbours_init(struct stack *stack)
{
    struct neighbour_table *table = heap_zeroed(&stack->heap, sizeof *table);
    if (table == NULL)
        return false;
    stack->neighbours = table;
    table->count_max =
        stack->options.neighbours_max != 0 ? stack->options.neighbours_max : NEIGHBOURS_DEFAULT;
    map_init(&table->map, &stack->heap, table->count_max, neighbour_equal);
    list_init(&table->unanswered);
    list_init(&table->known);
    list_init(&table->statics);
    return true;
}

static void tell(struct stack *stack, const struct neighbour *n)
{
    if (!stack_traced(stack))
        return;
    struct trace_event event = {
        .kind = TRACE_NEIGHBOUR,
        .at = stack->now,
        .u.neighbour = {.address = n->address, .mac = n->mac, .state = n->state},
    };
    stack->trace.emit(stack->trace.self, &event);
}

/* Takes the entry out of the table; what waits in it is the caller's. */
static void take_out(struct stack *stack, struct neighbour *n)
{
    struct neighbour_table *table = stack->neighbours;
    struct neighbour_key key = {&n->address, n->interface};
    bool removed = map_remove(&table->map, neighbour_hash(stack, &key), n);
    ASSERT(removed);
    list_remove(&n->age);
    wheel_disarm(&stack->wheel, &n->timer);
    table->waiting -= n->waiting.count;
    struct interface *interface = stack->interfaces[n->interface];
    if (interface->last_used == n)
        interface->last_used = NULL;
}

static void drop_entry(struct stack *stack, struct neighbour *n, enum drop_reason reason)
{
    take_out(stack, n);
    struct frame *frame;
    while ((frame = frame_queue_pop(&n->waiting)) != NULL) {
        stack_drop(stack, reason, frame);
        frame_unref(frame);
    }
    heap_release(&stack->heap, n, sizeof *n);
}

static void drop_list(struct stack *stack, struct list_node *list)
{
    struct list_node *first;
    while ((first = list_first(list)) != NULL)
        drop_entry(stack, CONTAINER_OF(first, struct neighbour, age), DROP_INTERFACE_DOWN);
}

void neighbours_done(struct stack *stack)
{
    struct neighbour_table *table = stack->neighbours;
    if (table == NULL)
        return;
    drop_list(stack, &table->unanswered);
    drop_list(stack, &table->known);
    drop_list(stack, &table->statics);
    map_done(&table->map);
    heap_release(&stack->heap, table, sizeof *table);
    stack->neighbours = NULL;
}

static void flush_list(struct stack *stack, struct list_node *list, unsigned interface)
{
    struct list_node *next;
    for (struct list_node *node = list->next; node != list; node = next) {
        next = node->next;
        struct neighbour *n = CONTAINER_OF(node, struct neighbour, age);
        if (n->interface == interface)
            drop_entry(stack, n, DROP_INTERFACE_DOWN);
    }
}

void neighbours_flush(struct stack *stack, unsigned interface)
{
    flush_list(stack, &stack->neighbours->unanswered, interface);
    flush_list(stack, &stack->neighbours->known, interface);
}

/* Makes room by the policy in the header. False: all entries are static. */
static bool evict(struct stack *stack)
{
    struct neighbour_table *table = stack->neighbours;
    struct list_node *oldest = list_first(&table->unanswered);
    if (oldest == NULL)
        oldest = list_first(&table->known);
    if (oldest == NULL)
        return false;
    struct neighbour *n = CONTAINER_OF(oldest, struct neighbour, age);
    /* The one used last was not moved in the list each time; if it is old there, it is in use. */
    if (n->state != NEIGHBOUR_INCOMPLETE && oldest->next != &table->known &&
        stack->interfaces[n->interface]->last_used == n)
        n = CONTAINER_OF(oldest->next, struct neighbour, age);
    drop_entry(stack, n, DROP_ARP_TABLE_FULL);
    return true;
}

static struct neighbour *add(struct stack *stack, unsigned interface,
                             const struct ip_address *address)
{
    struct neighbour_table *table = stack->neighbours;
    if (table->map.count >= table->count_max && !evict(stack))
        return NULL;
    struct neighbour *n = heap_zeroed(&stack->heap, sizeof *n);
    if (n == NULL)
        return NULL;
    n->address = *address;
    n->interface = (uint8_t)interface;
    timer_init(&n->timer, STACK_TIMER_NEIGHBOUR);
    struct neighbour_key key = {address, interface};
    if (!map_insert(&table->map, neighbour_hash(stack, &key), n)) {
        heap_release(&stack->heap, n, sizeof *n);
        return NULL;
    }
    n->state = NEIGHBOUR_INCOMPLETE;
    list_init(&n->age);
    list_append(&table->unanswered, &n->age);
    return n;
}

/* Changes the state; the entry is the youngest of its list then. */
static void enter(struct stack *stack, struct neighbour *n, enum neighbour_state state,
                  usec timeout)
{
    struct neighbour_table *table = stack->neighbours;
    n->state = (uint8_t)state;
    n->requests = 0;
    struct list_node *list = state == NEIGHBOUR_INCOMPLETE ? &table->unanswered : &table->known;
    list_remove(&n->age);
    list_append(n->is_static ? &table->statics : list, &n->age);
    wheel_arm(&stack->wheel, &n->timer, n->is_static ? USEC_NEVER : stack->now + timeout);
    tell(stack, n);
}

static void ask(struct stack *stack, struct neighbour *n)
{
    struct interface *interface = stack->interfaces[n->interface];
    struct ip_address sender = ip_source_on(stack, n->interface, &n->address);
    n->requests++;
    arp_request(stack, interface, &sender, &n->address,
                n->state == NEIGHBOUR_PROBE ? &n->mac : NULL);
    wheel_arm(&stack->wheel, &n->timer, stack->now + NEIGHBOUR_REQUEST_INTERVAL);
}

static void send_waiting(struct stack *stack, struct neighbour *n)
{
    struct interface *interface = stack->interfaces[n->interface];
    stack->neighbours->waiting -= n->waiting.count;
    struct frame *frame;
    while ((frame = frame_queue_pop(&n->waiting)) != NULL)
        (void)interface_send(stack, interface, &n->mac, ETHERNET_IPV4, frame);
}

/* RFC 1122 §2.3.2.2: keep the latest packets; the oldest goes. */
static enum ip_status wait_for(struct stack *stack, struct neighbour *n, struct frame *frame)
{
    struct neighbour_table *table = stack->neighbours;
    table->waiting++;
    frame_queue_push(&n->waiting, frame);
    if (n->waiting.count <= NEIGHBOUR_QUEUE_MAX && table->waiting <= NEIGHBOUR_WAITING_MAX)
        return IP_SENT;
    struct frame *oldest = frame_queue_pop(&n->waiting);
    table->waiting--;
    stack_drop(stack, DROP_ARP_QUEUE_FULL, oldest);
    frame_unref(oldest);
    return oldest == frame ? IP_NO_MEMORY : IP_SENT;
}

static enum ip_status output_first(struct stack *stack, struct interface *interface,
                                   const struct ip_address *next_hop, struct frame *frame)
{
    struct neighbour *n = add(stack, interface->index, next_hop);
    if (n == NULL) {
        stack_drop(stack, DROP_ARP_TABLE_FULL, frame);
        frame_unref(frame);
        return IP_NO_MEMORY;
    }
    enum ip_status status = wait_for(stack, n, frame);
    tell(stack, n);
    ask(stack, n);
    return status;
}

enum ip_status neighbour_output(struct stack *stack, struct interface *interface,
                                const struct ip_address *next_hop, struct frame *frame)
{
    struct neighbour *n = interface->last_used;
    if (UNLIKELY(n == NULL || !address_equal(&n->address, next_hop))) {
        n = find(stack, interface->index, next_hop);
        if (n == NULL)
            return output_first(stack, interface, next_hop, frame);
        interface->last_used = n;
        if (!n->is_static && n->state != NEIGHBOUR_INCOMPLETE) {
            list_remove(&n->age);
            list_append(&stack->neighbours->known, &n->age);
        }
    }
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
        return wait_for(stack, n, frame);
    case NEIGHBOUR_STALE:
        enter(stack, n, NEIGHBOUR_PROBE, NEIGHBOUR_PROBE_DELAY);
        break;
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_PROBE:
    case NEIGHBOUR_STATE_COUNT:
        break;
    }
    return interface_send(stack, interface, &n->mac, ETHERNET_IPV4, frame);
}

void neighbour_doubt(struct stack *stack, unsigned interface, const struct ip_address *address)
{
    struct neighbour *n = find(stack, interface, address);
    if (n == NULL || n->is_static)
        return;
    if (n->state == NEIGHBOUR_INCOMPLETE || n->requests > 0 ||
        stack->now - n->proved_at < NEIGHBOUR_REQUEST_INTERVAL)
        return; /* it is being asked, or was just now */
    enter(stack, n, NEIGHBOUR_PROBE, NEIGHBOUR_REQUEST_INTERVAL);
    ask(stack, n);
}

/* Nobody answered. Those who wait are told, local sockets and forwarded packets' senders alike
 * (RFC 1122 §2.4, §4.2.3.9; RFC 1812 §5.2.7.1). */
static void unreachable(struct stack *stack, struct neighbour *n)
{
    unsigned interface = n->interface;
    take_out(stack, n);
    struct frame *frame;
    while ((frame = frame_queue_pop(&n->waiting)) != NULL) {
        stack_drop(stack, DROP_ARP_UNRESOLVED, frame);
        ip_undeliverable(stack, interface, frame);
        frame_unref(frame);
    }
    heap_release(&stack->heap, n, sizeof *n);
}

void neighbour_timer(struct stack *stack, struct timer *timer)
{
    struct neighbour *n = CONTAINER_OF(timer, struct neighbour, timer);
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
    case NEIGHBOUR_PROBE:
        if (n->requests < NEIGHBOUR_REQUESTS_MAX)
            ask(stack, n);
        else
            unreachable(stack, n);
        break;
    case NEIGHBOUR_REACHABLE:
        enter(stack, n, NEIGHBOUR_STALE, NEIGHBOUR_STALE_TIME);
        break;
    case NEIGHBOUR_STALE:
    case NEIGHBOUR_STATE_COUNT:
        drop_entry(stack, n, DROP_ARP_UNRESOLVED);
        break;
    }
}

/* RFC 826, "Packet Reception": an entry that exists is updated by whatever its station sends; a new
 * one is made only when we are the target. */
void neighbour_learn(struct stack *stack, struct interface *interface,
                     const struct neighbour_news *news)
{
    struct neighbour *n = find(stack, interface->index, &news->address);
    bool is_new = n == NULL;
    if (is_new) {
        if (!news->to_us)
            return;
        n = add(stack, interface->index, &news->address);
        if (n == NULL) {
            stack_drop(stack, DROP_ARP_TABLE_FULL, NULL);
            return;
        }
    }
    if (n->is_static)
        return;
    bool asked = !is_new && (n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_PROBE);
    bool moved = is_new || !mac_equal(&n->mac, &news->mac);
    n->mac = news->mac;
    /* Only an answer to our question proves that the station hears us (RFC 4861 §7.3.1); what it
     * says on its own tells where it is. */
    if (asked && news->to_us && news->answer) {
        n->proved_at = stack->now;
        enter(stack, n, NEIGHBOUR_REACHABLE,
              NEIGHBOUR_REACHABLE_TIME / 2 + prng_below(&stack->prng, NEIGHBOUR_REACHABLE_TIME));
    } else if (moved || n->state == NEIGHBOUR_INCOMPLETE) {
        enter(stack, n, NEIGHBOUR_STALE, NEIGHBOUR_STALE_TIME);
    }
    if (n->waiting.count > 0)
        send_waiting(stack, n);
}

bool stack_add_neighbour(struct stack *stack, unsigned interface, const struct ip_address *address,
                         const struct mac *mac)
{
    ASSERT(interface < stack->interface_count);
    struct neighbour *n = find(stack, interface, address);
    if (n == NULL)
        n = add(stack, interface, address);
    if (n == NULL)
        return false;
    n->is_static = true;
    n->mac = *mac;
    enter(stack, n, NEIGHBOUR_REACHABLE, 0);
    send_waiting(stack, n);
    return true;
}

bool stack_each_neighbour(const struct stack *stack, size_t *place, struct neighbour_info *out)
{
    const struct neighbour *n = map_each(&stack->neighbours->map, place);
    if (n == NULL)
        return false;
    *out = (struct neighbour_info){
        .interface = n->interface,
        .address = n->address,
        .mac = n->mac,
        .state = n->state,
        .expires_at = timer_armed(&n->timer) ? n->timer.due_at : USEC_NEVER,
    };
    return true;
}

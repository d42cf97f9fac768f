/* SPDX-License-Identifier: ISC */
/*
 * wheel.c - timers by the digits, base 64, of the tick they are due at.
 *
 * A timer lies on the level of the highest digit in which its tick differs from the wheel's, in the
 * slot of that digit: so level 0 has those of the next 64 ticks at most, and a slot of a higher
 * level is dealt out to the lower ones (which are then empty) when the wheel's tick enters it.
 * Lists are kept in the order of arming throughout. What lies beyond the top level's reach (51
 * days) waits in the slot of its top digit and is put there again each time round.
 */
#include "base/wheel.h"

enum { DIGIT_BITS = 6, DUE = WHEEL_LEVELS /* as timer.level: in wheel->due */ };

_Static_assert(1 << DIGIT_BITS == WHEEL_SLOTS, "a slot for every value of a digit");

static unsigned digit(uint64_t tick, unsigned level)
{
    return tick >> level * DIGIT_BITS & (WHEEL_SLOTS - 1);
}

static struct timer *timer_of(struct list_node *node)
{
    return CONTAINER_OF(node, struct timer, node);
}

/* The last tick that has begun by `at`, and the first that begins at `at` or later. */
static uint64_t tick_before(usec at)
{
    return at > 0 ? (uint64_t)at / WHEEL_TICK : 0;
}

static uint64_t tick_after(usec at)
{
    return at > 0 ? ((uint64_t)at + WHEEL_TICK - 1) / WHEEL_TICK : 0;
}

/* The tick at whose start a timer comes out. What has passed does not wait for the end of the tick
 * that has begun. */
static uint64_t tick_of(const struct wheel *wheel, usec due_at)
{
    uint64_t tick = tick_after(due_at);
    return due_at <= wheel->now && tick > tick_before(wheel->now) ? tick - 1 : tick;
}

void wheel_init(struct wheel *wheel, usec now)
{
    ASSERT(now >= 0);
    *wheel = (struct wheel){.now = now, .tick = tick_before(now) + 1};
    for (size_t level = 0; level < WHEEL_LEVELS; level++)
        for (size_t slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    list_init(&wheel->due);
}

void timer_init(struct timer *timer, uint8_t kind)
{
    *timer = (struct timer){.due_at = USEC_NEVER, .kind = kind};
    list_init(&timer->node);
}

/* Puts a timer that is due at `tick`, not before the wheel's, in its slot. */
static void place(struct wheel *wheel, struct timer *timer, uint64_t tick)
{
    uint64_t difference = tick ^ wheel->tick;
    unsigned level = 0;
    while (level < WHEEL_LEVELS - 1 && difference >> (level + 1) * DIGIT_BITS != 0)
        level++;
    unsigned slot = digit(tick, level);
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    list_append(&wheel->slots[level][slot], &timer->node);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

/* Among those to be handed out: after all that are due before it or at the same instant. */
static void place_due(struct wheel *wheel, struct timer *timer)
{
    struct list_node *before = wheel->due.previous;
    while (before != &wheel->due && timer_of(before)->due_at > timer->due_at)
        before = before->previous;
    timer->level = DUE;
    list_insert_after(before, &timer->node);
}

void wheel_disarm(struct wheel *wheel, struct timer *timer)
{
    if (!timer_armed(timer))
        return;
    list_remove(&timer->node);
    wheel->count--;
    if (timer->level != DUE && list_empty(&wheel->slots[timer->level][timer->slot]))
        wheel->occupied[timer->level] &= ~((uint64_t)1 << timer->slot);
}

void wheel_arm(struct wheel *wheel, struct timer *timer, usec due_at)
{
    wheel_disarm(wheel, timer);
    timer->due_at = due_at;
    if (due_at == USEC_NEVER)
        return;
    wheel->count++;
    uint64_t tick = tick_of(wheel, due_at);
    if (tick < wheel->tick)
        place_due(wheel, timer);
    else
        place(wheel, timer, tick);
}

/* The tick at which the next slot that is not empty begins, at wheel->tick or later. */
static uint64_t next_tick(const struct wheel *wheel)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t occupied = wheel->occupied[level];
        if (occupied == 0)
            continue;
        unsigned current = digit(wheel->tick, level);
        uint64_t round = wheel->tick >> (level + 1) * DIGIT_BITS;
        /* Only level 0's current slot can hold a timer of this round; and only on the top level
         * can a slot be of the next round. */
        uint64_t ahead =
            level == 0 ? occupied >> current << current : occupied >> current >> 1 << 1 << current;
        if (ahead == 0) {
            ahead = occupied;
            round++;
        }
        uint64_t slot = (uint64_t)__builtin_ctzll(ahead);
        return (round << DIGIT_BITS | slot) << level * DIGIT_BITS;
    }
    return UINT64_MAX;
}

usec wheel_deadline(const struct wheel *wheel)
{
    if (!list_empty(&wheel->due))
        return wheel->now;
    uint64_t tick = next_tick(wheel);
    return tick < USEC_NEVER / WHEEL_TICK ? (usec)(tick * WHEEL_TICK) : USEC_NEVER;
}

/* Moves everything in a slot to `out`, which is set up here. */
static void empty_slot(struct wheel *wheel, unsigned level, unsigned slot, struct list_node *out)
{
    struct list_node *from = &wheel->slots[level][slot];
    list_init(out);
    if (!list_empty(from)) {
        list_insert_after(from, out);
        list_remove(from);
    }
    wheel->occupied[level] &= ~((uint64_t)1 << slot);
}

/* Turns the wheel to `tick`; no slot in between may hold a timer. */
static void turn(struct wheel *wheel, uint64_t tick)
{
    uint64_t changed = wheel->tick ^ tick;
    wheel->tick = tick;
    for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
        unsigned slot = digit(tick, level);
        if (changed >> level * DIGIT_BITS == 0 || (wheel->occupied[level] >> slot & 1) == 0)
            continue;
        struct list_node entered;
        empty_slot(wheel, level, slot, &entered);
        while (!list_empty(&entered)) {
            struct timer *timer = timer_of(list_first(&entered));
            list_remove(&timer->node);
            uint64_t due = tick_of(wheel, timer->due_at);
            place(wheel, timer, due > tick ? due : tick);
        }
    }
}

/* Merges two chains through `next` that end with NULL; of equals `a` comes first. */
static struct list_node *merge(struct list_node *a, struct list_node *b)
{
    struct list_node *first = NULL;
    struct list_node **end = &first;
    while (a != NULL && b != NULL) {
        struct list_node **from = timer_of(b)->due_at < timer_of(a)->due_at ? &b : &a;
        *end = *from;
        end = &(*from)->next;
        *from = (*from)->next;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Moves `unsorted` to the due list by due_at, keeping the order of equals: a merge sort in which
 * chains[i] is NULL or has 2^i nodes, all earlier in the list than those of lower chains. */
static void sort_to_due(struct wheel *wheel, struct list_node *unsorted)
{
    struct list_node *chains[32] = {NULL};
    struct list_node *node;
    while ((node = list_first(unsorted)) != NULL) {
        list_remove(node);
        node->next = NULL;
        size_t i = 0;
        for (; chains[i] != NULL; i++) {
            node = merge(chains[i], node);
            chains[i] = NULL;
        }
        chains[i] = node;
    }
    for (size_t i = 0; i < ARRAY_LEN(chains); i++)
        node = merge(chains[i], node);
    while (node != NULL) {
        struct list_node *next = node->next;
        timer_of(node)->level = DUE;
        list_append(&wheel->due, node);
        node = next;
    }
}

struct timer *wheel_expire(struct wheel *wheel, usec now)
{
    ASSERT(now >= wheel->now);
    wheel->now = now;
    uint64_t last = tick_before(now);
    while (list_empty(&wheel->due) && wheel->tick <= last) {
        uint64_t tick = next_tick(wheel);
        if (tick > last) {
            turn(wheel, last + 1);
        } else if (tick != wheel->tick) {
            turn(wheel, tick);
        } else {
            struct list_node expired;
            empty_slot(wheel, 0, digit(tick, 0), &expired);
            turn(wheel, tick + 1);
            sort_to_due(wheel, &expired);
        }
    }
    struct list_node *node = list_first(&wheel->due);
    if (node == NULL)
        return NULL;
    list_remove(node);
    wheel->count--;
    return timer_of(node);
}

/* SPDX-License-Identifier: ISC */
/* agenda.c - a binary heap with places. */
#include "sim/agenda.h"

#include <stdbool.h>

static bool sooner(const struct agenda *agenda, unsigned a, unsigned b)
{
    return agenda->at[a] < agenda->at[b] || (agenda->at[a] == agenda->at[b] && a < b);
}

static void put(struct agenda *agenda, unsigned place, unsigned item)
{
    agenda->heap[place] = (uint16_t)item;
    agenda->place[item] = (uint16_t)(place + 1);
}

static void move_up(struct agenda *agenda, unsigned place)
{
    unsigned item = agenda->heap[place];
    while (place > 0 && sooner(agenda, item, agenda->heap[(place - 1) / 2])) {
        put(agenda, place, agenda->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(agenda, place, item);
}

static void move_down(struct agenda *agenda, unsigned place)
{
    unsigned item = agenda->heap[place];
    for (;;) {
        unsigned child = 2 * place + 1;
        if (child + 1 < agenda->count &&
            sooner(agenda, agenda->heap[child + 1], agenda->heap[child]))
            child++;
        if (child >= agenda->count || !sooner(agenda, agenda->heap[child], item))
            break;
        put(agenda, place, agenda->heap[child]);
        place = child;
    }
    put(agenda, place, item);
}

static void take_out(struct agenda *agenda, unsigned item)
{
    unsigned place = agenda->place[item] - 1u;
    unsigned last = agenda->heap[--agenda->count];
    agenda->place[item] = 0;
    if (last == item)
        return;
    put(agenda, place, last);
    move_up(agenda, place);
    move_down(agenda, agenda->place[last] - 1u);
}

void agenda_set(struct agenda *agenda, unsigned item, usec at)
{
    ASSERT(item < AGENDA_ITEMS_MAX);
    bool there = agenda->place[item] != 0;
    if (there && agenda->at[item] == at)
        return;
    if (at == USEC_NEVER) {
        if (there)
            take_out(agenda, item);
        return;
    }
    agenda->at[item] = at;
    if (!there)
        put(agenda, agenda->count++, item);
    move_up(agenda, agenda->place[item] - 1u);
    move_down(agenda, agenda->place[item] - 1u);
}

usec agenda_first(const struct agenda *agenda, unsigned *item)
{
    if (agenda->count == 0)
        return USEC_NEVER;
    *item = agenda->heap[0];
    return agenda->at[*item];
}

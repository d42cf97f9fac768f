/* SPDX-License-Identifier: ISC */
/*
 * agenda.h - which of many things is due first: a binary heap of item numbers by their instants, in
 * which an item is found and moved when its instant changes. Of equal instants the lowest number
 * comes first, so that a run does not depend on how the heap came to be.
 *
 * (The timer wheel of base/ rounds to ticks, which virtual time must not.)
 */
#ifndef WN_SIM_AGENDA_H
#define WN_SIM_AGENDA_H

#include "base/compiler.h"
#include "base/usec.h"

enum { AGENDA_ITEMS_MAX = 3072 };

struct agenda {
    unsigned count;
    uint16_t heap[AGENDA_ITEMS_MAX];  /* items, the first one due at [0] */
    uint16_t place[AGENDA_ITEMS_MAX]; /* of an item in it, plus one; 0: not due at all */
    usec at[AGENDA_ITEMS_MAX];
};

/* All zero is an agenda without items. Item numbers are below AGENDA_ITEMS_MAX; USEC_NEVER takes
 * the item out. */
void agenda_set(struct agenda *agenda, unsigned item, usec at);

/* The instant of the first item, USEC_NEVER when there is none. */
usec agenda_first(const struct agenda *agenda, unsigned *item);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * trie.h - an ordered table of items by octet strings: a trie of nibbles whose branches hold only
 * the twigs that exist (Tony Finch's qp-trie).
 *
 * Finding costs one step for each place where keys differ, whatever their number, and yields on its
 * way the items whose keys are prefixes of the one looked for. Order is that of memcmp(), a prefix
 * before what it begins.
 *
 * Items belong to the caller. The trie asks for an item's key by a function; the key must stay what
 * it is while the item is in the trie.
 */
#ifndef WN_BASE_TRIE_H
#define WN_BASE_TRIE_H

#include "base/bytes.h"
#include "base/heap.h"

enum { TRIE_KEY_MAX = 2048 }; /* octets: how deep it can become */

struct trie_node;

struct trie {
    struct heap heap;
    struct bytes (*key)(const void *item);
    struct trie_node *root; /* NULL: empty */
    size_t count;
    size_t count_max;
};

void trie_init(struct trie *t, const struct heap *heap, size_t count_max,
               struct bytes (*key)(const void *item));
void trie_done(struct trie *t); /* forgets the items */

void *trie_find(const struct trie *t, struct bytes key); /* NULL: it is not there */

/* The items whose keys are prefixes of `key`, it itself included, shortest first; at most `max`.
 * Returns how many. */
size_t trie_prefixes(const struct trie *t, struct bytes key, void **out, size_t max);

/* The last item whose key is `key` or before it; NULL: there is none. */
void *trie_at_or_before(const struct trie *t, struct bytes key);

/* The last item whose key is before `key`; NULL: there is none. */
void *trie_before(const struct trie *t, struct bytes key);

/* The first item whose key is after `key`; NULL: there is none. */
void *trie_after(const struct trie *t, struct bytes key);

void *trie_first(const struct trie *t);
void *trie_last(const struct trie *t);

enum trie_status { TRIE_OK, TRIE_EXISTS, TRIE_FULL, TRIE_NO_MEMORY };

/* A trie that says anything but TRIE_OK is as it was. */
MUST_USE enum trie_status trie_insert(struct trie *t, void *item);

/* Puts the item in the place of the one with the same key, which is returned. NULL: there is none, and
 * nothing has changed. */
void *trie_replace(struct trie *t, void *item);

/* Takes the item with that key out, and returns it; NULL: there is none. */
void *trie_remove(struct trie *t, struct bytes key);

/* Every item once, in order. `visit` must not change the trie. */
void trie_each(const struct trie *t, void (*visit)(void *self, void *item), void *self);

#endif

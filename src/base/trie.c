/* SPDX-License-Identifier: ISC */
/*
 * trie.c - a node is a leaf, which has an item, or a branch, which tells by the nibble at its place
 * which twig comes next. Twig 0 is for keys that end there. The twigs of a branch are one array of
 * those that exist; a bitmap says which.
 *
 * `place` counts nibbles from the front of the key, so places grow on the way down, and the nibbles
 * between are skipped: only the leaf at the end knows whether they agree.
 */
#include "base/trie.h"

enum { TWIG_COUNT = 17 };

struct trie_node {
    union {
        void *item;              /* leaf */
        struct trie_node *twigs; /* branch */
    } u;
    uint32_t bitmap; /* 0: a leaf */
    uint32_t place;
};

_Static_assert(sizeof(struct trie_node) <= 16, "four to a cache line");

void trie_init(struct trie *t, const struct heap *heap, size_t count_max,
               struct bytes (*key)(const void *item))
{
    *t = (struct trie){.heap = *heap, .key = key, .count_max = count_max};
}

static bool is_leaf(const struct trie_node *node)
{
    return node->bitmap == 0;
}

/* In line: without an instruction for it the compiler would call a function. */
static inline unsigned popcount(uint32_t bits)
{
    bits -= bits >> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f;
    return bits * 0x01010101 >> 24;
}

/* Which twig the key takes at that place. */
static unsigned twig_at(struct bytes key, uint32_t place)
{
    size_t octet = place / 2;
    if (octet >= key.len)
        return 0;
    unsigned value = key.data[octet];
    return 1 + (place % 2 == 0 ? value >> 4 : value & 15);
}

static bool has_twig(const struct trie_node *branch, unsigned twig)
{
    return (branch->bitmap & 1u << twig) != 0;
}

/* Where in the array that twig is, or would be. */
static unsigned twig_index(const struct trie_node *branch, unsigned twig)
{
    return popcount(branch->bitmap & ((1u << twig) - 1));
}

static struct trie_node *first_leaf(struct trie_node *node)
{
    while (!is_leaf(node))
        node = &node->u.twigs[0];
    return node;
}

static struct trie_node *last_leaf(struct trie_node *node)
{
    while (!is_leaf(node))
        node = &node->u.twigs[popcount(node->bitmap) - 1];
    return node;
}

/* A leaf that agrees with the key in every place where the trie branches, as far as there is one:
 * none agrees with it longer. */
static struct trie_node *nearest_leaf(const struct trie *t, struct bytes key)
{
    struct trie_node *node = t->root;
    while (!is_leaf(node)) {
        unsigned twig = twig_at(key, node->place);
        node = &node->u.twigs[has_twig(node, twig) ? twig_index(node, twig) : 0];
    }
    return node;
}

/* The first place where the keys take different twigs; UINT32_MAX: they are the same. */
static uint32_t difference(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    size_t i = 0;
    while (i < shorter && a.data[i] == b.data[i])
        i++;
    if (i == shorter)
        return a.len == b.len ? UINT32_MAX : (uint32_t)i * 2;
    return (uint32_t)i * 2 + ((a.data[i] ^ b.data[i]) < 16);
}

static void free_twigs(struct trie *t, struct trie_node *node)
{
    if (is_leaf(node))
        return;
    unsigned count = popcount(node->bitmap);
    for (unsigned i = 0; i < count; i++)
        free_twigs(t, &node->u.twigs[i]);
    heap_release(&t->heap, node->u.twigs, count * sizeof *node);
}

void trie_done(struct trie *t)
{
    if (t->root != NULL) {
        free_twigs(t, t->root);
        heap_release(&t->heap, t->root, sizeof *t->root);
    }
    t->root = NULL;
    t->count = 0;
}

/* The leaf with that key, or NULL. */
static struct trie_node *find_leaf(const struct trie *t, struct bytes key)
{
    struct trie_node *node = t->root;
    if (node == NULL)
        return NULL;
    while (!is_leaf(node)) {
        unsigned twig = twig_at(key, node->place);
        if (!has_twig(node, twig))
            return NULL;
        node = &node->u.twigs[twig_index(node, twig)];
    }
    return bytes_equal(t->key(node->u.item), key) ? node : NULL;
}

void *trie_find(const struct trie *t, struct bytes key)
{
    const struct trie_node *leaf = find_leaf(t, key);
    return leaf != NULL ? leaf->u.item : NULL;
}

void *trie_replace(struct trie *t, void *item)
{
    struct trie_node *leaf = find_leaf(t, t->key(item));
    if (leaf == NULL)
        return NULL;
    void *old = leaf->u.item;
    leaf->u.item = item;
    return old;
}

size_t trie_prefixes(const struct trie *t, struct bytes key, void **out, size_t max)
{
    size_t count = 0;
    const struct trie_node *node = t->root;
    if (node == NULL || max == 0)
        return 0;
    while (!is_leaf(node)) {
        unsigned twig = twig_at(key, node->place);
        if (twig != 0 && has_twig(node, 0) && count < max)
            out[count++] = node->u.twigs[0].u.item;
        if (!has_twig(node, twig))
            break;
        node = &node->u.twigs[twig_index(node, twig)];
    }
    if (is_leaf(node) && count < max)
        out[count++] = node->u.item;
    /* The nibbles that were skipped are looked at now. Keys that ended on the way are prefixes of
     * each other, so the first one that does not agree ends it. */
    for (size_t i = 0; i < count; i++) {
        struct bytes prefix = t->key(out[i]);
        if (prefix.len > key.len || memcmp(prefix.data, key.data, prefix.len) != 0)
            return i;
    }
    return count;
}

struct neighbours {
    struct trie_node *before;
    struct trie_node *after;
};

/* The leaves between which the key lies or would lie. `itself`: if it is there, it is `before`. */
static struct neighbours find_neighbours(const struct trie *t, struct bytes key, bool itself)
{
    struct neighbours found = {NULL, NULL};
    struct trie_node *node = t->root;
    if (node == NULL)
        return found;
    struct bytes nearest = t->key(nearest_leaf(t, key)->u.item);
    uint32_t place = difference(key, nearest);
    while (!is_leaf(node) && node->place <= place) {
        unsigned twig = twig_at(key, node->place);
        unsigned index = twig_index(node, twig);
        bool has = has_twig(node, twig);
        if (index > 0)
            found.before = &node->u.twigs[index - 1];
        if (index + has < popcount(node->bitmap))
            found.after = &node->u.twigs[index + has];
        if (!has) {
            node = NULL;
            break;
        }
        node = &node->u.twigs[index];
    }
    bool there = place == UINT32_MAX;
    if (node != NULL && (itself || !there)) {
        /* All below `node` agree with each other up to `place`, and the key does not. */
        if (there || twig_at(key, place) > twig_at(nearest, place))
            found.before = node;
        else
            found.after = node;
    }
    found.before = found.before != NULL ? last_leaf(found.before) : NULL;
    found.after = found.after != NULL ? first_leaf(found.after) : NULL;
    return found;
}

void *trie_at_or_before(const struct trie *t, struct bytes key)
{
    struct trie_node *leaf = find_neighbours(t, key, true).before;
    return leaf != NULL ? leaf->u.item : NULL;
}

void *trie_before(const struct trie *t, struct bytes key)
{
    struct trie_node *leaf = find_neighbours(t, key, false).before;
    return leaf != NULL ? leaf->u.item : NULL;
}

void *trie_after(const struct trie *t, struct bytes key)
{
    struct trie_node *leaf = find_neighbours(t, key, true).after;
    return leaf != NULL ? leaf->u.item : NULL;
}

void *trie_first(const struct trie *t)
{
    return t->root != NULL ? first_leaf(t->root)->u.item : NULL;
}

void *trie_last(const struct trie *t)
{
    return t->root != NULL ? last_leaf(t->root)->u.item : NULL;
}

/* One more twig for a branch. */
static enum trie_status grow(struct trie *t, struct trie_node *branch, unsigned twig, void *item)
{
    unsigned count = popcount(branch->bitmap);
    unsigned index = twig_index(branch, twig);
    size_t size = sizeof *branch;
    struct trie_node *twigs = branch->u.twigs;
    twigs = t->heap.resize(t->heap.self, twigs, count * size, (count + 1) * size);
    if (twigs == NULL)
        return TRIE_NO_MEMORY;
    memmove(&twigs[index + 1], &twigs[index], (count - index) * size);
    twigs[index] = (struct trie_node){.u.item = item};
    branch->u.twigs = twigs;
    branch->bitmap |= 1u << twig;
    return TRIE_OK;
}

/* A branch in place of `node`, which becomes one of its two twigs. */
static enum trie_status split(struct trie *t, struct trie_node *node, uint32_t place,
                              struct bytes key, void *item)
{
    struct bytes other = t->key(first_leaf(node)->u.item);
    unsigned new_twig = twig_at(key, place);
    unsigned old_twig = twig_at(other, place);
    struct trie_node *twigs = heap_array(&t->heap, 2, sizeof *twigs);
    if (twigs == NULL)
        return TRIE_NO_MEMORY;
    unsigned new_index = new_twig > old_twig;
    twigs[new_index] = (struct trie_node){.u.item = item};
    twigs[1 - new_index] = *node;
    *node = (struct trie_node){
        .u.twigs = twigs,
        .bitmap = 1u << new_twig | 1u << old_twig,
        .place = place,
    };
    return TRIE_OK;
}

enum trie_status trie_insert(struct trie *t, void *item)
{
    struct bytes key = t->key(item);
    ASSERT(key.len <= TRIE_KEY_MAX);
    if (t->count >= t->count_max)
        return trie_find(t, key) != NULL ? TRIE_EXISTS : TRIE_FULL;
    if (t->root == NULL) {
        t->root = heap_zeroed(&t->heap, sizeof *t->root);
        if (t->root == NULL)
            return TRIE_NO_MEMORY;
        t->root->u.item = item;
        t->count = 1;
        return TRIE_OK;
    }
    uint32_t place = difference(key, t->key(nearest_leaf(t, key)->u.item));
    if (place == UINT32_MAX)
        return TRIE_EXISTS;
    struct trie_node *node = t->root;
    while (!is_leaf(node) && node->place < place)
        node = &node->u.twigs[twig_index(node, twig_at(key, node->place))];
    enum trie_status status = !is_leaf(node) && node->place == place
                                  ? grow(t, node, twig_at(key, place), item)
                                  : split(t, node, place, key, item);
    t->count += status == TRIE_OK;
    return status;
}

/* Takes a twig away from a branch that has more than two. */
static void shrink(struct trie *t, struct trie_node *branch, unsigned index, unsigned twig)
{
    unsigned count = popcount(branch->bitmap) - 1;
    size_t size = sizeof *branch;
    memmove(&branch->u.twigs[index], &branch->u.twigs[index + 1], (count - index) * size);
    branch->bitmap &= ~(1u << twig);
    branch->u.twigs =
        t->heap.resize(t->heap.self, branch->u.twigs, (count + 1) * size, count * size);
}

void *trie_remove(struct trie *t, struct bytes key)
{
    struct trie_node *node = t->root;
    struct trie_node *parent = NULL;
    unsigned twig = 0;
    unsigned index = 0;
    if (node == NULL)
        return NULL;
    while (!is_leaf(node)) {
        twig = twig_at(key, node->place);
        if (!has_twig(node, twig))
            return NULL;
        index = twig_index(node, twig);
        parent = node;
        node = &node->u.twigs[index];
    }
    void *item = node->u.item;
    if (!bytes_equal(t->key(item), key))
        return NULL;
    t->count--;
    if (parent == NULL) {
        heap_release(&t->heap, t->root, sizeof *t->root);
        t->root = NULL;
    } else if (popcount(parent->bitmap) > 2) {
        shrink(t, parent, index, twig);
    } else {
        struct trie_node *twigs = parent->u.twigs;
        *parent = twigs[1 - index];
        heap_release(&t->heap, twigs, 2 * sizeof *twigs);
    }
    return item;
}

static void visit_below(const struct trie_node *node, void (*visit)(void *self, void *item),
                        void *self)
{
    if (is_leaf(node)) {
        visit(self, node->u.item);
        return;
    }
    for (unsigned i = 0; i < popcount(node->bitmap); i++)
        visit_below(&node->u.twigs[i], visit, self);
}

void trie_each(const struct trie *t, void (*visit)(void *self, void *item), void *self)
{
    if (t->root != NULL)
        visit_below(t->root, visit, self);
}

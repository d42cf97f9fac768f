/* SPDX-License-Identifier: ISC */
/* hpack_encode.c - fields become header blocks (RFC 7541 §6, §7.1). */
#include "wire/http/hpack.h"
#include "wire/http/hpack_huffman.h"
#include "wire/http/hpack_table.h"

enum {
    SHARE_MAX = HPACK_TABLE_SIZE / 4, /* of the table, for one entry */
    COOKIE_SECRET_MAX = 20,           /* octets of one that could be guessed bit by bit (§7.1.3) */
};

void hpack_encoder_init(struct hpack_encoder *e)
{
    hpack_table_init(&e->table);
    e->resized = false;
    memset(e->slots, 0, sizeof e->slots);
    memset(e->seen, 0, sizeof e->seen);
}

void hpack_encoder_resize(struct hpack_encoder *e, uint32_t size)
{
    size = size < HPACK_TABLE_SIZE ? size : HPACK_TABLE_SIZE;
    if (!e->resized && size == e->table.size_max)
        return;
    if (!e->resized || size < e->smallest)
        e->smallest = size;
    e->resized = true;
    hpack_table_resize(&e->table, size);
}

/* §4.2: the smallest of those that were, and the last. */
void hpack_encode_begin(struct hpack_encoder *e, struct writer *w)
{
    if (!e->resized)
        return;
    e->resized = false;
    if (e->smallest < e->table.size_max)
        hpack_write_integer(w, 0x20, 5, e->smallest);
    hpack_write_integer(w, 0x20, 5, e->table.size_max);
}

static uint64_t word_at(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

static uint64_t stir(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* Eight octets at a time; the last eight may be some of those before them. */
static uint32_t mix(uint32_t hash, struct bytes text)
{
    uint64_t h = hash ^ (uint64_t)text.len << 32;
    uint64_t rest = 0;
    if (text.len < 8) {
        for (size_t i = 0; i < text.len; i++)
            rest = rest << 8 | text.data[i];
    } else {
        for (size_t at = 0; at + 8 < text.len; at += 8)
            h = stir(h, word_at(text.data + at));
        rest = word_at(text.data + text.len - 8);
    }
    h = stir(h, rest);
    return (uint32_t)(h ^ h >> 32);
}

/* Not keyed: who makes hashes meet has what he sends found less often, and nothing else. */
static uint32_t hash_of(enum hpack_name known, struct bytes name, struct bytes value)
{
    uint32_t hash = known != HPACK_OTHER ? (uint32_t)known : mix(HPACK_NAME_COUNT, name);
    hash = mix(hash, value);
    return hash != 0 ? hash : 1;
}

/* The entry with that name and value; 0: none. */
static uint32_t find(const struct hpack_encoder *e, uint32_t hash, enum hpack_name known,
                     struct bytes name, struct bytes value)
{
    const struct hpack_table *t = &e->table;
    uint32_t age = t->inserted - e->slots[hash % HPACK_SLOTS];
    if (e->slots[hash % HPACK_SLOTS] == 0 || age >= t->count)
        return 0;
    const struct hpack_entry *entry = hpack_table_entry(t, age);
    if (entry->hash != hash || entry->name != known ||
        !bytes_equal(hpack_entry_value(t, entry), value) ||
        (known == HPACK_OTHER && !bytes_equal(hpack_entry_name(t, entry), name)))
        return 0;
    return HPACK_STATIC_COUNT + 1 + age;
}

/* Text that goes into the table is written once and used often: it is worth the code's bits. */
static void write_string(struct writer *w, struct bytes text, bool small)
{
    size_t len = small ? hpack_huffman_len(text) : text.len;
    if (len < text.len) {
        hpack_write_integer(w, 0x80, 7, (uint32_t)len);
        hpack_huffman_write(w, text);
    } else {
        hpack_write_integer(w, 0, 7, (uint32_t)text.len);
        write_bytes(w, text);
    }
}

static void write_literal(struct writer *w, uint8_t first, unsigned bits, struct bytes name,
                          struct bytes value, unsigned index, bool small)
{
    hpack_write_integer(w, first, bits, index);
    if (index == 0)
        write_string(w, name, small);
    write_string(w, value, small);
}

static bool is_secret(enum hpack_name known, struct bytes value)
{
    return known == HPACK_AUTHORIZATION || known == HPACK_PROXY_AUTHORIZATION ||
           known == HPACK_SET_COOKIE ||
           (known == HPACK_COOKIE && value.len < COOKIE_SECRET_MAX);
}

/* An entry of the static table with that value; 0: none. */
static unsigned find_static(enum hpack_name known, struct bytes value)
{
    if (known == HPACK_OTHER || (unsigned)known > HPACK_STATIC_COUNT)
        return 0;
    for (unsigned i = known; i <= HPACK_STATIC_COUNT && hpack_static_table[i].known == known; i++)
        if (hpack_static_table[i].value_len > 0 && bytes_equal(hpack_static_value(i), value))
            return i;
    return 0;
}

static void encode(struct hpack_encoder *e, struct writer *w, enum hpack_name known,
                   struct bytes name, struct bytes value)
{
    unsigned index = (unsigned)known <= HPACK_STATIC_COUNT ? (unsigned)known : 0;
    if (is_secret(known, value)) {
        write_literal(w, 0x10, 4, name, value, index, false);
        return;
    }
    unsigned whole = find_static(known, value);
    if (whole != 0) {
        hpack_write_integer(w, 0x80, 7, whole);
        return;
    }
    uint32_t hash = hash_of(known, name, value);
    uint32_t found = find(e, hash, known, name, value);
    if (found != 0) {
        hpack_write_integer(w, 0x80, 7, found);
        return;
    }
    bool comes_again = e->seen[hash % HPACK_SEEN] == hash;
    e->seen[hash % HPACK_SEEN] = hash;
    struct hpack_entry *entry = NULL;
    if (comes_again && name.len + value.len + HPACK_ENTRY_OVERHEAD <= SHARE_MAX)
        entry = hpack_table_insert(&e->table, name, value);
    if (entry == NULL) {
        write_literal(w, 0, 4, name, value, index, false);
        return;
    }
    entry->hash = hash;
    entry->name = (uint8_t)known;
    e->slots[hash % HPACK_SLOTS] = e->table.inserted;
    write_literal(w, 0x40, 6, name, value, index, true);
}

void hpack_encode(struct hpack_encoder *e, struct writer *w, struct bytes name, struct bytes value)
{
    encode(e, w, hpack_name_find(name), name, value);
}

void hpack_encode_known(struct hpack_encoder *e, struct writer *w, enum hpack_name name,
                        struct bytes value)
{
    encode(e, w, name, hpack_static_name(name), value);
}

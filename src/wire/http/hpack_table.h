/* SPDX-License-Identifier: ISC */
/* hpack_table.h - the tables of HPACK (RFC 7541 §2.3), for hpack.c and hpack_encode.c. */
#ifndef WN_WIRE_HTTP_HPACK_TABLE_H
#define WN_WIRE_HTTP_HPACK_TABLE_H

#include "wire/http/hpack.h"

struct hpack_static {
    const char *name;
    const char *value;
    uint8_t name_len, value_len;
    uint8_t known; /* enum hpack_name */
};

/* By index; [0] is none. Those behind HPACK_STATIC_COUNT have names alone. */
extern const struct hpack_static hpack_static_table[HPACK_NAME_COUNT];

static inline struct bytes hpack_static_name(unsigned index)
{
    const struct hpack_static *entry = &hpack_static_table[index];
    return (struct bytes){(const uint8_t *)entry->name, entry->name_len};
}

static inline struct bytes hpack_static_value(unsigned index)
{
    const struct hpack_static *entry = &hpack_static_table[index];
    return (struct bytes){(const uint8_t *)entry->value, entry->value_len};
}

static inline const struct hpack_entry *hpack_table_entry(const struct hpack_table *t, uint32_t age)
{
    return &t->entries[(t->inserted - 1 - age) % HPACK_ENTRIES_MAX];
}

static inline struct bytes hpack_entry_name(const struct hpack_table *t, const struct hpack_entry *e)
{
    return (struct bytes){t->text + e->at, e->name_len};
}

static inline struct bytes hpack_entry_value(const struct hpack_table *t, const struct hpack_entry *e)
{
    return (struct bytes){t->text + e->at + e->name_len, e->value_len};
}

void hpack_table_init(struct hpack_table *t);
void hpack_table_resize(struct hpack_table *t, uint32_t size_max);

/* Makes room (§4.4) and puts the entry in; returns it to be filled, or NULL: it is larger than the table, which is
 * empty now. The name may be a view of the table's own text. */
struct hpack_entry *hpack_table_insert(struct hpack_table *t, struct bytes name, struct bytes value);

/* Appends an integer with a prefix of `bits` bits (§5.1); `first`: what stands before it in its octet. */
void hpack_write_integer(struct writer *w, uint8_t first, unsigned bits, uint32_t value);

#endif

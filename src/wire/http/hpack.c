/* SPDX-License-Identifier: ISC */
/* hpack.c - header blocks are decoded (RFC 7541 §3, §5, §6). */
#include "wire/http/hpack.h"

#include "wire/http/hpack_huffman.h"
#include "wire/http/hpack_table.h"
#include "wire/http/http_octets.h"

enum { INTEGER_MAX = 1 << 24 }; /* what is larger is no length or index that could be right (§5.1) */

void hpack_decoder_init(struct hpack_decoder *d)
{
    hpack_table_init(&d->table);
    d->in_fields = false;
}

void hpack_decode_begin(struct hpack_decoder *d)
{
    d->in_fields = false;
}

/* An integer whose prefix are the last `bits` bits of `first` (§5.1). */
static uint32_t read_integer(struct reader *r, uint8_t first, unsigned bits)
{
    uint32_t most = (1u << bits) - 1;
    uint32_t value = first & most;
    if (value < most)
        return value;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t octet = read_u8(r);
        value += (uint32_t)(octet & 0x7f) << shift;
        if ((octet & 0x80) == 0 && value <= INTEGER_MAX)
            return value;
    }
    r->failed = true;
    return 0;
}

/* A string literal (§5.2), a view of the block, or of `text`. *too_long: it does not fit there. */
static struct bytes read_string(struct reader *r, struct writer *text, bool *too_long)
{
    uint8_t first = read_u8(r);
    uint32_t len = read_integer(r, first, 7);
    struct bytes octets = read_bytes(r, len);
    if (r->failed || (first & 0x80) == 0)
        return octets;
    uint8_t *begin = text->next;
    enum wire_status status = hpack_huffman_read(octets, text);
    if (status == WIRE_OK)
        return bytes_of(begin, (size_t)(text->next - begin));
    text->next = begin;
    text->failed = false;
    *too_long = status == WIRE_NO_ROOM;
    r->failed |= !*too_long;
    return bytes_empty();
}

static unsigned name_flaws(struct bytes name)
{
    if (name.len > 1 && name.data[0] == ':')
        name = bytes_after(name, 1);
    if (!http_is_token(name))
        return HPACK_BAD_NAME;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'A' && name.data[i] <= 'Z')
            return HPACK_BAD_NAME;
    return 0;
}

static bool is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

static unsigned value_flaws(struct bytes value)
{
    if (value.len == 0)
        return 0;
    bool good = http_octets_are(value, HTTP_OCTET_FIELD) && !is_blank(value.data[0]) &&
                !is_blank(value.data[value.len - 1]);
    return good ? 0 : HPACK_BAD_VALUE;
}

/* A copy, since the entry may go while the list is in use. */
static struct bytes keep(struct writer *text, struct bytes octets)
{
    uint8_t *begin = text->next;
    write_bytes(text, octets);
    ASSERT(!text->failed);
    return bytes_of(begin, octets.len);
}

/* What an index stands for (§2.3.3). False: nothing. */
static bool from_index(const struct hpack_decoder *d, uint32_t index, bool with_value,
                       struct writer *text, struct hpack_field *out)
{
    const struct hpack_table *t = &d->table;
    if (index == 0 || index - 1 >= HPACK_STATIC_COUNT + t->count)
        return false;
    if (index <= HPACK_STATIC_COUNT) {
        out->name = hpack_static_name(index);
        out->value = hpack_static_value(index);
        out->known = (enum hpack_name)hpack_static_table[index].known;
        out->flaws = 0;
        return true;
    }
    const struct hpack_entry *e = hpack_table_entry(t, index - HPACK_STATIC_COUNT - 1);
    out->name = e->name != HPACK_OTHER ? hpack_static_name(e->name)
                                       : keep(text, hpack_entry_name(t, e));
    out->value = with_value ? keep(text, hpack_entry_value(t, e)) : bytes_empty();
    out->known = (enum hpack_name)e->name;
    out->flaws = with_value ? e->flaws : e->flaws & HPACK_BAD_NAME;
    return true;
}

/* §6.2: a name by its index or itself, and a value. */
static bool read_literal(struct hpack_decoder *d, struct reader *r, uint8_t first, unsigned bits,
                         struct writer *text, struct hpack_field *out)
{
    bool name_long = false, value_long = false;
    uint32_t index = read_integer(r, first, bits);
    if (r->failed)
        return false;
    if (index > 0) {
        if (!from_index(d, index, false, text, out))
            return false;
    } else {
        out->name = read_string(r, text, &name_long);
        out->known = hpack_name_find(out->name);
        out->flaws = out->known != HPACK_OTHER ? 0 : name_flaws(out->name);
    }
    out->value = read_string(r, text, &value_long);
    if (r->failed)
        return false;
    out->flaws |= value_flaws(out->value);
    if (!name_long && !value_long)
        return true;
    out->name = out->value = bytes_empty();
    out->known = HPACK_OTHER;
    out->flaws = HPACK_TOO_LONG;
    return true;
}

static void remember(struct hpack_decoder *d, const struct hpack_field *field)
{
    if (field->flaws & HPACK_TOO_LONG) {
        uint32_t size_max = d->table.size_max; /* larger than the table: it is emptied (§4.4) */
        hpack_table_resize(&d->table, 0);
        hpack_table_resize(&d->table, size_max);
        return;
    }
    struct hpack_entry *e = hpack_table_insert(&d->table, field->name, field->value);
    if (e == NULL)
        return;
    e->name = (uint8_t)field->known;
    e->flaws = (uint8_t)field->flaws;
}

/* §6.3. It stands before the first field of a block (§4.2). */
static bool change_size(struct hpack_decoder *d, struct reader *r, uint8_t first)
{
    uint32_t size = read_integer(r, first, 5);
    if (r->failed || d->in_fields || size > HPACK_TABLE_SIZE)
        return false;
    hpack_table_resize(&d->table, size);
    return true;
}

enum hpack_step hpack_decode(struct hpack_decoder *d, struct reader *block, struct writer *text,
                             struct hpack_field *out)
{
    ASSERT(writer_room(text) >= HPACK_TABLE_SIZE);
    while (reader_left(block) > 0) {
        uint8_t first = read_u8(block);
        bool good;
        if ((first & 0xe0) == 0x20) {
            if (!change_size(d, block, first))
                return HPACK_MALFORMED;
            continue;
        }
        d->in_fields = true;
        out->never_indexed = (first & 0xf0) == 0x10;
        if ((first & 0x80) != 0)
            good = from_index(d, read_integer(block, first, 7), true, text, out);
        else
            good = read_literal(d, block, first, (first & 0x40) != 0 ? 6 : 4, text, out);
        if (!good || block->failed)
            return HPACK_MALFORMED;
        if ((first & 0xc0) == 0x40)
            remember(d, out);
        return HPACK_FIELD;
    }
    return HPACK_END;
}

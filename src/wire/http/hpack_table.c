/* SPDX-License-Identifier: ISC */
/* hpack_table.c - the static and the dynamic table of HPACK (RFC 7541 §2.3, §4, Appendix A). */
#include "wire/http/hpack_table.h"

#define ENTRY(name, value, known) {name, value, sizeof(name) - 1, sizeof(value) - 1, known}

const struct hpack_static hpack_static_table[HPACK_NAME_COUNT] = {
    ENTRY("", "", 0),
    ENTRY(":authority", "", 1),
    ENTRY(":method", "GET", 2),
    ENTRY(":method", "POST", 2),
    ENTRY(":path", "/", 4),
    ENTRY(":path", "/index.html", 4),
    ENTRY(":scheme", "http", 6),
    ENTRY(":scheme", "https", 6),
    ENTRY(":status", "200", 8),
    ENTRY(":status", "204", 8),
    ENTRY(":status", "206", 8),
    ENTRY(":status", "304", 8),
    ENTRY(":status", "400", 8),
    ENTRY(":status", "404", 8),
    ENTRY(":status", "500", 8),
    ENTRY("accept-charset", "", 15),
    ENTRY("accept-encoding", "gzip, deflate", 16),
    ENTRY("accept-language", "", 17),
    ENTRY("accept-ranges", "", 18),
    ENTRY("accept", "", 19),
    ENTRY("access-control-allow-origin", "", 20),
    ENTRY("age", "", 21),
    ENTRY("allow", "", 22),
    ENTRY("authorization", "", 23),
    ENTRY("cache-control", "", 24),
    ENTRY("content-disposition", "", 25),
    ENTRY("content-encoding", "", 26),
    ENTRY("content-language", "", 27),
    ENTRY("content-length", "", 28),
    ENTRY("content-location", "", 29),
    ENTRY("content-range", "", 30),
    ENTRY("content-type", "", 31),
    ENTRY("cookie", "", 32),
    ENTRY("date", "", 33),
    ENTRY("etag", "", 34),
    ENTRY("expect", "", 35),
    ENTRY("expires", "", 36),
    ENTRY("from", "", 37),
    ENTRY("host", "", 38),
    ENTRY("if-match", "", 39),
    ENTRY("if-modified-since", "", 40),
    ENTRY("if-none-match", "", 41),
    ENTRY("if-range", "", 42),
    ENTRY("if-unmodified-since", "", 43),
    ENTRY("last-modified", "", 44),
    ENTRY("link", "", 45),
    ENTRY("location", "", 46),
    ENTRY("max-forwards", "", 47),
    ENTRY("proxy-authenticate", "", 48),
    ENTRY("proxy-authorization", "", 49),
    ENTRY("range", "", 50),
    ENTRY("referer", "", 51),
    ENTRY("refresh", "", 52),
    ENTRY("retry-after", "", 53),
    ENTRY("server", "", 54),
    ENTRY("set-cookie", "", 55),
    ENTRY("strict-transport-security", "", 56),
    ENTRY("transfer-encoding", "", 57),
    ENTRY("user-agent", "", 58),
    ENTRY("vary", "", 59),
    ENTRY("via", "", 60),
    ENTRY("www-authenticate", "", 61),
    ENTRY(":protocol", "", 62),
    ENTRY("connection", "", 63),
    ENTRY("keep-alive", "", 64),
    ENTRY("proxy-connection", "", 65),
    ENTRY("upgrade", "", 66),
    ENTRY("te", "", 67),
    ENTRY("priority", "", 68),
};

/* Indices of names, by their lengths; those of length n begin at by_length_first[n]. */
static const uint8_t by_length[] = {
    67, 21, 60, 33, 34, 37, 38, 45, 59, 4, 22, 50, 19, 32, 35, 54,
    2, 6, 8, 36, 51, 52, 66, 39, 42, 46, 68, 62, 1, 63, 64, 55,
    58, 53, 31, 47, 18, 23, 24, 30, 41, 44, 15, 28, 16, 17, 26, 27,
    29, 65, 61, 40, 57, 48, 25, 43, 49, 56, 20,
};
static const uint8_t by_length_first[] = {
    0, 0, 0, 1, 3, 9, 12, 16, 23, 27, 28, 33, 34, 36, 42, 44,
    46, 51, 53, 54, 57, 57, 57, 57, 57, 57, 58, 58, 59,
};

enum hpack_name hpack_name_find(struct bytes name)
{
    if (name.len + 1 >= ARRAY_LEN(by_length_first))
        return HPACK_OTHER;
    for (unsigned i = by_length_first[name.len]; i < by_length_first[name.len + 1]; i++) {
        const char *known = hpack_static_table[by_length[i]].name;
        if ((uint8_t)known[name.len - 1] == name.data[name.len - 1] &&
            memcmp(known, name.data, name.len) == 0)
            return (enum hpack_name)by_length[i];
    }
    return HPACK_OTHER;
}

/* ---- the dynamic table ---- */

void hpack_table_init(struct hpack_table *t)
{
    t->size = t->inserted = t->count = t->tail = 0;
    t->size_max = HPACK_TABLE_SIZE;
}

static uint32_t entry_size(const struct hpack_entry *e)
{
    return (uint32_t)e->name_len + e->value_len + HPACK_ENTRY_OVERHEAD;
}

static void evict(struct hpack_table *t, uint32_t size)
{
    while (t->count > 0 && t->size > size) {
        t->count--;
        t->size -= entry_size(hpack_table_entry(t, t->count));
    }
    if (t->count == 0)
        t->tail = 0;
}

void hpack_table_resize(struct hpack_table *t, uint32_t size_max)
{
    ASSERT(size_max <= HPACK_TABLE_SIZE);
    t->size_max = size_max;
    evict(t, size_max);
}

/* Texts lie one behind the other; where one does not fit any more before the end it goes to the beginning. Those
 * that are left take half of the block at most, so that what is there is of entries that have gone. */
struct hpack_entry *hpack_table_insert(struct hpack_table *t, struct bytes name, struct bytes value)
{
    size_t len = name.len + value.len;
    if (len + HPACK_ENTRY_OVERHEAD > t->size_max) {
        evict(t, 0);
        return NULL;
    }
    evict(t, t->size_max - (uint32_t)len - HPACK_ENTRY_OVERHEAD);
    if (t->tail + len > sizeof t->text)
        t->tail = 0;
    struct hpack_entry *e = &t->entries[t->inserted % HPACK_ENTRIES_MAX];
    *e = (struct hpack_entry){
        .at = (uint16_t)t->tail,
        .name_len = (uint16_t)name.len,
        .value_len = (uint16_t)value.len,
    };
    memmove(t->text + t->tail, name.data, name.len); /* it may be what has just gone */
    memcpy(t->text + t->tail + name.len, value.data, value.len);
    t->tail += (uint32_t)len;
    t->size += (uint32_t)len + HPACK_ENTRY_OVERHEAD;
    t->inserted++;
    t->count++;
    return e;
}

void hpack_write_integer(struct writer *w, uint8_t first, unsigned bits, uint32_t value)
{
    uint32_t most = (1u << bits) - 1;
    if (value < most) {
        write_u8(w, (uint8_t)(first | value));
        return;
    }
    write_u8(w, (uint8_t)(first | most));
    for (value -= most; value >= 0x80; value >>= 7)
        write_u8(w, (uint8_t)(value | 0x80));
    write_u8(w, (uint8_t)value);
}

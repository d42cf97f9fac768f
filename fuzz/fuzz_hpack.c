/* SPDX-License-Identifier: ISC */
/*
 * fuzz_hpack.c - header blocks of a peer, one behind the other: each two octets of length and the block. What is
 * decoded and encoded anew decodes to the same, in a table that stays within its bounds.
 */
#include "fuzz/fuzz.h"
#include "wire/http/hpack.h"
#include "wire/http/http_head.h"

enum { FIELDS_MAX = 64 };

static uint8_t text[2 * HTTP_HEAD_MAX], again[2 * HTTP_HEAD_MAX], block[4 * HTTP_HEAD_MAX];
static struct hpack_decoder theirs, ours;
static struct hpack_encoder encoder;

static void check_table(const struct hpack_table *t)
{
    size_t size = 0;
    for (uint32_t age = 0; age < t->count; age++) {
        const struct hpack_entry *e = &t->entries[(t->inserted - 1 - age) % HPACK_ENTRIES_MAX];
        size += (size_t)e->name_len + e->value_len + HPACK_ENTRY_OVERHEAD;
        ASSERT((size_t)e->at + e->name_len + e->value_len <= sizeof t->text);
    }
    ASSERT(size == t->size && size <= t->size_max && t->size_max <= HPACK_TABLE_SIZE);
}

/* True: the block was good. */
static bool take_block(struct bytes in)
{
    struct hpack_field list[FIELDS_MAX], f;
    struct reader r = reader_of(in);
    struct writer w = writer_of(text, sizeof text);
    enum hpack_step step = HPACK_END;
    size_t count = 0;
    hpack_decode_begin(&theirs);
    while (count < FIELDS_MAX && writer_room(&w) > HTTP_HEAD_MAX &&
           (step = hpack_decode(&theirs, &r, &w, &f)) == HPACK_FIELD) {
        ASSERT((f.flaws & HPACK_TOO_LONG) == 0 || f.name.len + f.value.len == 0);
        if ((f.flaws & (HPACK_BAD_NAME | HPACK_TOO_LONG)) == 0)
            list[count++] = f;
    }
    check_table(&theirs.table);
    struct writer b = writer_of(block, sizeof block);
    hpack_encode_begin(&encoder, &b);
    for (size_t i = 0; i < count; i++) {
        if (writer_room(&b) < list[i].name.len + list[i].value.len + HPACK_FIELD_ROOM + HPACK_BEGIN_ROOM)
            count = i;
        else
            hpack_encode(&encoder, &b, list[i].name, list[i].value);
    }
    ASSERT(!b.failed);
    check_table(&encoder.table);
    r = reader_of(writer_bytes(&b));
    hpack_decode_begin(&ours);
    for (size_t i = 0; i <= count; i++) {
        w = writer_of(again, sizeof again);
        enum hpack_step got = hpack_decode(&ours, &r, &w, &f);
        ASSERT(got == (i < count ? HPACK_FIELD : HPACK_END));
        ASSERT(i == count || (bytes_equal(f.name, list[i].name) && bytes_equal(f.value, list[i].value)));
    }
    ASSERT(ours.table.size == encoder.table.size && ours.table.count == encoder.table.count);
    return step != HPACK_MALFORMED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    hpack_decoder_init(&theirs);
    hpack_decoder_init(&ours);
    hpack_encoder_init(&encoder);
    for (;;) {
        size_t size = read_u16(&r);
        if (r.failed)
            return 0;
        struct bytes in = read_bytes(&r, size < reader_left(&r) ? size : reader_left(&r));
        hpack_encoder_resize(&encoder, (uint32_t)(size % 3 == 0 ? 16 * size : HPACK_TABLE_SIZE));
        if (!take_block(in))
            return 0;
    }
}

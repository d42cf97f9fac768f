/* SPDX-License-Identifier: ISC */
/*
 * change_log.c - the file: eight octets of what it is; then for each change the length of what follows, its hash against
 * torn ends, two serial numbers, the length of the side that goes, and both sides.
 */
#include "site/change_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/siphash.h"
#include "os/file.h"

enum {
    HEAD_LEN = 4 + 8,
    PART_LEN = 4 + 4 + 4,
    FILE_MODE = 0600,
};
#define LOG_LEN_MAX ((size_t)2 << 30)

static const char kind[] = "WNchang1";
static const char nothing[] = "WNvoid 1";

/* Not against anybody: who writes here could write the zone as well. */
static uint64_t hash_of(struct bytes octets)
{
    static const struct siphash_key key = {0x6368616e6765206c, 0x6f67206f66206f6e};
    return siphash24(&key, octets);
}

/* The change as it stands in a file, which must be freed; NULL: no memory, or too long for one. */
static uint8_t *encode(const struct zone_change *change, size_t *len)
{
    struct bytes sides[ZONE_SIDE_COUNT];
    zone_change_encode(change, sides);
    uint64_t size = (uint64_t)HEAD_LEN + PART_LEN + sides[ZONE_REMOVED].len + sides[ZONE_ADDED].len;
    uint8_t *octets = size < UINT32_MAX ? malloc((size_t)size) : NULL;
    if (octets == NULL)
        return NULL;
    struct writer w = writer_of(octets + HEAD_LEN, (size_t)size - HEAD_LEN);
    write_u32(&w, change->serial_from);
    write_u32(&w, change->serial_to);
    write_u32(&w, (uint32_t)sides[ZONE_REMOVED].len);
    write_bytes(&w, sides[ZONE_REMOVED]);
    write_bytes(&w, sides[ZONE_ADDED]);
    ASSERT(!w.failed);
    struct writer head = writer_of(octets, HEAD_LEN);
    write_u32(&head, (uint32_t)(size - HEAD_LEN));
    write_u64(&head, hash_of(writer_bytes(&w)));
    *len = (size_t)size;
    return octets;
}

/* ---- writing ---- */

static int write_history(struct file_replacement *file, const struct zone_history *history)
{
    int status = 0;
    for (const struct list_node *node = history->items.next; node != &history->items && status == 0;
         node = node->next) {
        size_t len = 0;
        uint8_t *octets = encode(&CONTAINER_OF(node, struct zone_history_item, node)->change, &len);
        status = octets != NULL ? file_replace_write(file, bytes_of(octets, len)) : -ENOMEM;
        free(octets);
    }
    return status;
}

int change_log_begin(const char *path, const struct zone_history *history, uint64_t *octets)
{
    struct file_replacement file = {.fd = -1};
    int status = file_replace_begin(&file, path, FILE_MODE);
    if (status < 0)
        return status;
    status = file_replace_write(&file, bytes_of_text(kind));
    if (status == 0 && history != NULL)
        status = write_history(&file, history);
    *octets = file.len;
    if (status == 0)
        return file_replace_commit(&file);
    file_replace_abandon(&file);
    return status;
}

int change_log_void(const char *path)
{
    return file_write(path, bytes_of_text(nothing), FILE_MODE);
}

int change_log_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

int change_log_append(int log, const struct zone_change *change, uint64_t *octets)
{
    size_t len = 0;
    uint8_t *text = encode(change, &len);
    if (text == NULL)
        return -ENOMEM;
    int status = file_write_all(log, bytes_of(text, len));
    free(text);
    *octets += len;
    return status;
}

/* ---- reading ---- */

static bool take_change(struct reader *r, struct zone_change *out)
{
    size_t len = read_u32(r);
    uint64_t hash = read_u64(r);
    struct bytes part = read_bytes(r, len);
    if (r->failed || len < PART_LEN || hash_of(part) != hash)
        return false;
    struct reader in = reader_of(part);
    uint32_t from = read_u32(&in);
    uint32_t to = read_u32(&in);
    size_t removed_len = read_u32(&in);
    struct bytes removed = read_bytes(&in, removed_len);
    struct bytes added = read_bytes(&in, reader_left(&in));
    return !in.failed && zone_change_decode(out, ZONE_REMOVED, removed) == ZONE_OK &&
           zone_change_decode(out, ZONE_ADDED, added) == ZONE_OK && out->serial_from == from &&
           out->serial_to == to;
}

int change_log_read(const char *path, const struct heap *heap,
                    int (*on_change)(void *self, struct zone_change *change), void *self)
{
    char *text;
    size_t len;
    int status = file_read(path, LOG_LEN_MAX, &text, &len);
    if (status < 0)
        return status;
    struct reader r = reader_of(bytes_of(text, len));
    if (!bytes_equal(read_bytes(&r, sizeof kind - 1), bytes_of_text(kind)))
        status = -EBADMSG;
    while (status == 0 && reader_left(&r) > 0) {
        struct zone_change change;
        zone_change_init(&change, heap, SIZE_MAX / 4);
        bool whole = take_change(&r, &change);
        if (whole)
            status = on_change(self, &change);
        zone_change_done(&change);
        if (!whole)
            break;
    }
    free(text);
    return status;
}

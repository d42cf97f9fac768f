/* SPDX-License-Identifier: ISC */
/*
 * frame.c - frames by size class, with a short warm list for each class.
 *
 * Free frames are kept last-in-first-out, so that the buffer used next is the one still in the
 * cache; a forwarder that reads into 32 rotating 64 KiB buffers pays two thirds more than one that
 * uses the same again. A warm list is bounded; beyond it storage goes back to the heap at once.
 */
#include "base/frame.h"

enum { CLASS_COUNT = 4 };

static const uint32_t class_size[CLASS_COUNT] = {
    FRAME_HEADROOM + 128,          /* headers; small control packets */
    FRAME_HEADROOM + 2048,         /* a packet of an ordinary Ethernet */
    FRAME_HEADROOM + 16384,        /* a block of copied payload */
    FRAME_HEADROOM + 65536 + 1024, /* a whole super-segment in one piece */
};

static const uint16_t class_warm_max[CLASS_COUNT] = {1024, 512, 64, 48};

struct frame_pool {
    struct heap heap;
    size_t octets;
    size_t octets_max;
    size_t frames;
    uint64_t refused;
    struct frame *warm[CLASS_COUNT];
    uint16_t warm_count[CLASS_COUNT];
};

_Static_assert(FRAME_PACKET_MAX <= 65536 + 1024, "the largest packet fits the largest class");

struct frame_pool *frame_pool_new(const struct heap *heap, size_t octets_max)
{
    struct frame_pool *pool = heap_zeroed(heap, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->heap = *heap;
    pool->octets_max = octets_max;
    return pool;
}

void frame_pool_trim(struct frame_pool *pool)
{
    for (size_t c = 0; c < CLASS_COUNT; c++) {
        while (pool->warm[c] != NULL) {
            struct frame *frame = pool->warm[c];
            pool->warm[c] = frame->next;
            heap_release(&pool->heap, frame, sizeof *frame + frame->size);
        }
        pool->warm_count[c] = 0;
    }
}

void frame_pool_free(struct frame_pool *pool)
{
    if (pool == NULL)
        return;
    ASSERT(pool->frames == 0);
    frame_pool_trim(pool);
    struct heap heap = pool->heap;
    heap_release(&heap, pool, sizeof *pool);
}

void frame_pool_counters(const struct frame_pool *pool, struct frame_pool_counters *out)
{
    *out = (struct frame_pool_counters){
        .refused = pool->refused,
        .octets = pool->octets,
        .octets_max = pool->octets_max,
        .frames = pool->frames,
    };
}

/* What is kept warm of one size may be what another one lacks. */
static struct frame *storage_from_heap(struct frame_pool *pool, size_t size)
{
    struct frame *frame = pool->heap.resize(pool->heap.self, NULL, 0, sizeof *frame + size);
    if (UNLIKELY(frame == NULL)) {
        frame_pool_trim(pool);
        frame = pool->heap.resize(pool->heap.self, NULL, 0, sizeof *frame + size);
    }
    return frame;
}

static struct frame *storage_of_class(struct frame_pool *pool, size_t c)
{
    struct frame *frame = pool->warm[c];
    if (LIKELY(frame != NULL)) {
        pool->warm[c] = frame->next;
        pool->warm_count[c]--;
        return frame;
    }
    frame = storage_from_heap(pool, class_size[c]);
    if (frame == NULL)
        return NULL;
    frame->pool = pool;
    frame->size = class_size[c];
    frame->size_class = (uint8_t)c;
    return frame;
}

/* The last sixteenth is for headers and acknowledgements: who has all the memory must still be able
 * to say so, and to send what it holds. */
static size_t limit_of_class(const struct frame_pool *pool, size_t c)
{
    return c == 0 ? pool->octets_max : pool->octets_max - pool->octets_max / 16;
}

static size_t class_for(size_t room)
{
    size_t c = 0;
    while (c < CLASS_COUNT - 1 && class_size[c] - FRAME_HEADROOM < room)
        c++;
    return c;
}

size_t frame_size_for(size_t room)
{
    return class_size[class_for(room)];
}

struct frame *frame_new(struct frame_pool *pool, size_t room)
{
    size_t c = class_for(room);
    ASSERT(class_size[c] - FRAME_HEADROOM >= room);

    struct frame *frame = NULL;
    if (LIKELY(pool->octets + class_size[c] <= limit_of_class(pool, c)))
        frame = storage_of_class(pool, c);
    if (UNLIKELY(frame == NULL)) {
        pool->refused++;
        return NULL;
    }
    pool->octets += frame->size;
    pool->frames++;
    frame->next = NULL;
    frame->data = frame->storage + FRAME_HEADROOM;
    frame->len = 0;
    frame->refs = 1;
    frame->slice_count = 0;
    frame->offload = (struct frame_offload){0};
    return frame;
}

static void drop_slices(struct frame *frame)
{
    for (size_t i = 0; i < frame->slice_count; i++)
        frame_unref(frame->slices[i].owner);
    frame->slice_count = 0;
}

void frame_unref(struct frame *frame)
{
    ASSERT(frame->refs > 0);
    if (--frame->refs > 0)
        return;
    drop_slices(frame);

    struct frame_pool *pool = frame->pool;
    size_t c = frame->size_class;
    pool->octets -= frame->size;
    pool->frames--;
    if (pool->warm_count[c] < class_warm_max[c]) {
        frame->next = pool->warm[c];
        pool->warm[c] = frame;
        pool->warm_count[c]++;
    } else {
        heap_release(&pool->heap, frame, sizeof *frame + frame->size);
    }
}

uint8_t *frame_push(struct frame *frame, size_t len)
{
    ASSERT(frame_headroom(frame) >= len);
    frame->data -= len;
    frame->len += len;
    return frame->data;
}

void frame_pull(struct frame *frame, size_t len)
{
    ASSERT(frame->len >= len);
    frame->data += len;
    frame->len -= len;
}

void frame_trim(struct frame *frame, size_t len)
{
    ASSERT(frame->len >= len);
    frame->len = len;
    drop_slices(frame);
}

void frame_append(struct frame *frame, struct bytes in)
{
    ASSERT(frame->slice_count == 0 && frame_tailroom(frame) >= in.len);
    memcpy(frame->data + frame->len, in.data, in.len);
    frame->len += in.len;
}

void frame_add_slice(struct frame *frame, struct frame *owner, struct bytes in)
{
    ASSERT(frame->slice_count < FRAME_SLICES_MAX);
    ASSERT(in.data >= owner->storage && in.data + in.len <= owner->storage + owner->size);
    frame->slices[frame->slice_count++] = (struct slice){frame_ref(owner), in.data, in.len};
}

/* Copies what `part` has of the `*len` octets wanted after skipping `*from`. */
static uint8_t *copy_part(struct bytes part, size_t *from, size_t *len, uint8_t *out)
{
    if (*from >= part.len) {
        *from -= part.len;
        return out;
    }
    size_t count = part.len - *from < *len ? part.len - *from : *len;
    memcpy(out, part.data + *from, count);
    *from = 0;
    *len -= count;
    return out + count;
}

void frame_copy_out(const struct frame *frame, size_t from, void *out, size_t len)
{
    uint8_t *next = copy_part(frame_bytes(frame), &from, &len, out);
    for (size_t i = 0; i < frame->slice_count && len > 0; i++) {
        struct bytes part = {frame->slices[i].data, frame->slices[i].len};
        next = copy_part(part, &from, &len, next);
    }
    ASSERT(len == 0);
}

struct frame *frame_copy(const struct frame *frame)
{
    size_t total = frame_total(frame);
    struct frame *copy = frame_new(frame->pool, total);
    if (copy == NULL)
        return NULL;
    frame_copy_out(frame, 0, copy->data, total);
    copy->len = total;
    copy->offload = frame->offload;
    /* checksum_start counts from the storage, and `data` may lie elsewhere in the copy. */
    copy->offload.checksum_start += (uint32_t)frame_headroom(copy);
    copy->offload.checksum_start -= (uint32_t)frame_headroom(frame);
    return copy;
}

void frame_queue_push(struct frame_queue *queue, struct frame *frame)
{
    frame->next = NULL;
    if (queue->last != NULL)
        queue->last->next = frame;
    else
        queue->first = frame;
    queue->last = frame;
    queue->count++;
}

struct frame *frame_queue_pop(struct frame_queue *queue)
{
    struct frame *frame = queue->first;
    if (frame == NULL)
        return NULL;
    queue->first = frame->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    frame->next = NULL;
    return frame;
}

void frame_queue_clear(struct frame_queue *queue)
{
    struct frame *frame;
    while ((frame = frame_queue_pop(queue)) != NULL)
        frame_unref(frame);
}

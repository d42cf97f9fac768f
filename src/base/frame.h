/* SPDX-License-Identifier: ISC */
/*
 * frame.h - reference-counted buffers for packets, with headroom, and the pool they come from.
 *
 * A frame is a linear part (`data`, `len`, inside its own storage) followed by up to
 * FRAME_SLICES_MAX slices that borrow the storage of other frames:
 *
 *      storage                                                    slices[0]     slices[1]
 *      | headroom | data ........ data+len | tailroom |   then   [owner,data,len] [owner, ...]
 *
 * A received frame is linear. A frame that TCP sends is a small one with headers, whose slices
 * point at what the application handed over. Headers are pushed in front; payload is never copied
 * between layers. A slice holds one reference on its owner.
 *
 * Ownership: frame_new() gives one reference; "takes" in a header means that the callee now has
 * it. The count is not atomic: frames stay within one thread. Whoever is not the only holder of a
 * frame must not change its octets, `data`, `len` or slices.
 *
 * The pool is bounded in octets; the last sixteenth of them is for frames that hold hardly more than
 * headers. When it is exhausted frame_new() returns NULL, which is counted; the caller drops or
 * waits.
 */
#ifndef WN_BASE_FRAME_H
#define WN_BASE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/heap.h"

enum {
    FRAME_HEADROOM = 128,   /* Ethernet 14 + 802.1Q 4 + IPv6 40 (or IPv4 60) + TCP 60, rounded up */
    FRAME_SLICES_MAX = 8,
    FRAME_PACKET_MAX = 65535 + 22, /* the largest IP packet with its link header */
};

enum frame_checksum {
    FRAME_CHECKSUM_FULL,    /* the transport checksum is in the packet; a receiver must verify it */
    FRAME_CHECKSUM_PARTIAL, /* only the pseudo-header's sum is there; sound, but to be completed
                               before it leaves this machine (VIRTIO_NET_HDR_F_NEEDS_CSUM) */
    FRAME_CHECKSUM_VALID,   /* in the packet and verified by the device */
};

/* UDP4: datagrams that have all but their payload in common, each gso_size octets of it, the last perhaps fewer. */
enum frame_gso { FRAME_GSO_NONE, FRAME_GSO_TCP4, FRAME_GSO_TCP6, FRAME_GSO_UDP4 };

/* What a device can do, or has done, for the transport layer; as in virtio_net_hdr. */
struct frame_offload {
    uint8_t checksum;         /* enum frame_checksum */
    uint8_t gso;              /* enum frame_gso */
    uint16_t gso_size;        /* octets of payload per segment, with FRAME_GSO_* */
    uint16_t header_len;      /* link + IP + TCP headers, with FRAME_GSO_*; set by the device */
    uint32_t checksum_start;  /* PARTIAL: where summing starts, from the start of `storage` */
    uint16_t checksum_offset; /* PARTIAL: where the sum goes, from checksum_start */
};

struct frame;

struct slice {
    struct frame *owner; /* one reference is held */
    const uint8_t *data;
    size_t len;
};

struct frame {
    struct frame *next; /* for the queue of whoever owns the frame, struct frame_queue */
    struct frame_pool *pool;
    uint8_t *data;
    size_t len;
    uint32_t refs;
    uint32_t size; /* octets of storage */
    uint8_t size_class;
    uint8_t slice_count;
    struct frame_offload offload;
    struct slice slices[FRAME_SLICES_MAX]; /* only the first slice_count are set */
    uint8_t storage[];
};

struct frame_pool;

/* At most `octets_max` of storage at a time. NULL if there is no memory. */
MUST_USE struct frame_pool *frame_pool_new(const struct heap *heap, size_t octets_max);

/* All frames must have come back. */
void frame_pool_free(struct frame_pool *pool);

struct frame_pool_counters {
    uint64_t refused;    /* frame_new() returned NULL */
    size_t octets;       /* storage in use */
    size_t octets_max;
    size_t frames;       /* frames in use */
};

void frame_pool_counters(const struct frame_pool *pool, struct frame_pool_counters *out);

/* Gives unused storage back to the heap. For when the world is idle. */
void frame_pool_trim(struct frame_pool *pool);

/*
 * A linear frame with `data` at FRAME_HEADROOM, no octets present, and room for at least `room`
 * octets after it. NULL when the pool is exhausted. The headroom's contents are undefined.
 */
MUST_USE struct frame *frame_new(struct frame_pool *pool, size_t room);

/* Octets of storage that a frame with that room would have; to see whether a copy saves any. */
size_t frame_size_for(size_t room);

static inline struct frame *frame_ref(struct frame *frame)
{
    frame->refs++;
    return frame;
}

/* Drops one reference; with the last one the frame and its slices go back to their pools. */
void frame_unref(struct frame *frame);

static inline size_t frame_headroom(const struct frame *frame)
{
    return (size_t)(frame->data - frame->storage);
}

static inline size_t frame_tailroom(const struct frame *frame)
{
    return frame->size - frame_headroom(frame) - frame->len;
}

/* Octets of the packet: the linear part and the slices. */
static inline size_t frame_total(const struct frame *frame)
{
    size_t total = frame->len;
    for (size_t i = 0; i < frame->slice_count; i++)
        total += frame->slices[i].len;
    return total;
}

/* The linear part. */
static inline struct bytes frame_bytes(const struct frame *frame)
{
    return (struct bytes){frame->data, frame->len};
}

/* Makes room for a header of `len` octets in front; there must be headroom. Returns its start. */
uint8_t *frame_push(struct frame *frame, size_t len);

/* Takes `len` octets off the front of the linear part, which must have them. */
void frame_pull(struct frame *frame, size_t len);

/* Cuts the linear part to `len` octets (it must have as many); the slices go. */
void frame_trim(struct frame *frame, size_t len);

/* Adds a copy of `in` to the linear part; there must be tailroom and no slice. */
void frame_append(struct frame *frame, struct bytes in);

/* Adds `in`, octets within `owner`'s storage, as a slice; takes a new reference on owner. There
 * must be fewer than FRAME_SLICES_MAX. */
void frame_add_slice(struct frame *frame, struct frame *owner, struct bytes in);

/* Copies `len` octets from offset `from` of the packet to `out`; the packet must have them. */
void frame_copy_out(const struct frame *frame, size_t from, void *out, size_t len);

/* A linear copy with offload facts kept, or NULL when the pool is exhausted. */
MUST_USE struct frame *frame_copy(const struct frame *frame);

/* A first-in-first-out queue through frame.next. All zero is an empty one. */
struct frame_queue {
    struct frame *first;
    struct frame *last;
    size_t count;
};

void frame_queue_push(struct frame_queue *queue, struct frame *frame);

/* The oldest frame, whose reference goes to the caller; NULL when empty. */
struct frame *frame_queue_pop(struct frame_queue *queue);

/* Drops every frame in it. */
void frame_queue_clear(struct frame_queue *queue);

#endif

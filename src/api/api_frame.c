/* SPDX-License-Identifier: ISC */
/* api_frame.c - wholenet/frame.h: pools, and frames with their offload facts. */
#include "api/internal.h"
#include "base/checksum.h"

enum {
    POOL_OCTETS_DEFAULT = 256 * 1024 * 1024,
    ETHERNET_HEADER_LEN = 14,
    TCP_HEADER_LEN = 20,
    TCP_CHECKSUM_AT = 16, /* in TCP's header (RFC 9293 §3.1) */
    TCP_DATA_OFFSET_AT = 12,
};

_Static_assert((int)WN_FRAME_SIZE_MAX == (int)FRAME_PACKET_MAX, "the largest frame");
_Static_assert((int)WN_FRAME_PARTS_MAX == (int)FRAME_SLICES_MAX + 1, "the linear part, and the slices");

struct wn_frames *wn_frames_new(const struct wn_host *host, size_t octets_max)
{
    struct heap heap = {.resize = host->resize, .self = host->self};
    struct wn_frames *frames = heap_zeroed(&heap, sizeof *frames);
    if (frames == NULL)
        return NULL;
    frames->heap = heap;
    frames->holders = 1;
    frames->pool = frame_pool_new(&heap, octets_max > 0 ? octets_max : POOL_OCTETS_DEFAULT);
    if (frames->pool != NULL)
        return frames;
    heap_release(&heap, frames, sizeof *frames);
    return NULL;
}

void wn_frames_free(struct wn_frames *frames)
{
    if (frames == NULL || --frames->holders > 0)
        return;
    frame_pool_free(frames->pool);
    struct heap heap = frames->heap;
    heap_release(&heap, frames, sizeof *frames);
}

struct wn_frame *wn_frame_new(struct wn_frames *frames, size_t size)
{
    return size <= WN_FRAME_SIZE_MAX ? frame_out(frame_new(frames->pool, size)) : NULL;
}

void *wn_frame_room(struct wn_frame *frame)
{
    return frame_in(frame)->data;
}

int wn_frame_set_len(struct wn_frame *frame, size_t len)
{
    struct frame *f = frame_in(frame);
    if (f->slice_count > 0 || len > f->size - frame_headroom(f))
        return -EINVAL;
    f->len = len;
    f->offload = (struct frame_offload){0};
    return 0;
}

void wn_frame_release(struct wn_frame *frame)
{
    if (frame != NULL)
        frame_unref(frame_in(frame));
}

/* ---- offload facts ---- */

/* Does the sum lie inside the frame, behind the link header? */
static bool sum_fits(const struct frame *frame, const struct wn_offload *facts)
{
    return facts->checksum_start >= ETHERNET_HEADER_LEN &&
           (size_t)facts->checksum_start + facts->checksum_offset + 2 <= frame->len;
}

static bool segmentation_fits(const struct frame *frame, const struct wn_offload *facts)
{
    if (facts->segmentation == WN_SEGMENTATION_NONE)
        return true;
    return facts->segmentation <= WN_SEGMENTATION_TCP6 && facts->segment_size > 0 &&
           facts->checksum == WN_CHECKSUM_PARTIAL && facts->checksum_offset == TCP_CHECKSUM_AT &&
           (size_t)facts->checksum_start + TCP_HEADER_LEN <= frame->len;
}

int wn_frame_set_offload(struct wn_frame *frame, const struct wn_offload *facts)
{
    struct frame *f = frame_in(frame);
    bool partial = facts->checksum == WN_CHECKSUM_PARTIAL;
    if (facts->checksum > WN_CHECKSUM_VALID || f->slice_count > 0 ||
        (partial && !sum_fits(f, facts)) || !segmentation_fits(f, facts))
        return -EINVAL;
    f->offload = (struct frame_offload){
        .checksum = facts->checksum,
        .gso = facts->segmentation,
        .gso_size = facts->segment_size,
        .header_len = facts->header_len,
        .checksum_start = partial ? (uint32_t)(frame_headroom(f) + facts->checksum_start) : 0,
        .checksum_offset = partial ? facts->checksum_offset : 0,
    };
    return 0;
}

_Static_assert((int)WN_CHECKSUM_PARTIAL == (int)FRAME_CHECKSUM_PARTIAL &&
                   (int)WN_CHECKSUM_VALID == (int)FRAME_CHECKSUM_VALID &&
                   (int)WN_SEGMENTATION_TCP4 == (int)FRAME_GSO_TCP4 &&
                   (int)WN_SEGMENTATION_TCP6 == (int)FRAME_GSO_TCP6,
               "the same numbers");

void wn_frame_offload(const struct wn_frame *frame, struct wn_offload *out)
{
    const struct frame *f = frame_in(frame);
    const struct frame_offload *offload = &f->offload;
    *out = (struct wn_offload){.checksum = offload->checksum};
    if (offload->checksum != FRAME_CHECKSUM_PARTIAL)
        return;
    size_t start = offload->checksum_start - frame_headroom(f);
    out->checksum_start = (uint16_t)start;
    out->checksum_offset = offload->checksum_offset;
    if (offload->gso == FRAME_GSO_NONE)
        return;
    out->segmentation = offload->gso;
    out->segment_size = offload->gso_size;
    out->header_len = (uint16_t)(start + (size_t)(f->data[start + TCP_DATA_OFFSET_AT] >> 4) * 4);
}

/* ---- reading ---- */

size_t wn_frame_len(const struct wn_frame *frame)
{
    return frame_total(frame_in(frame));
}

size_t wn_frame_parts(const struct wn_frame *frame, struct wn_iovec *parts, size_t max)
{
    const struct frame *f = frame_in(frame);
    size_t count = 1 + (size_t)f->slice_count;
    for (size_t i = 0; i < count && i < max; i++) {
        struct bytes part = i == 0 ? frame_bytes(f)
                                   : bytes_of(f->slices[i - 1].data, f->slices[i - 1].len);
        parts[i] = (struct wn_iovec){(void *)(uintptr_t)part.data, part.len};
    }
    return count;
}

size_t wn_frame_copy(const struct wn_frame *frame, void *out, size_t size)
{
    size_t len = wn_frame_len(frame);
    len = len < size ? len : size;
    frame_copy_out(frame_in(frame), 0, out, len);
    return len;
}

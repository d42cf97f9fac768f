/* SPDX-License-Identifier: ISC */
/*
 * frame.h - packets on their way into a stack and out of it, and the pool that bounds their memory.
 *
 * A frame holds one packet, Ethernet header first, in reference-counted storage. What a stack gives
 * out may lie in several parts: headers here, and payload where the application or another packet
 * has it. Nothing is copied on the way from one stack to another of the same pool.
 */
#ifndef WHOLENET_FRAME_H
#define WHOLENET_FRAME_H

#include <wholenet/socket_types.h>
#include <wholenet/types.h>

WN_C_BEGIN

struct wn_frames; /* a pool */
struct wn_frame;

enum {
    WN_FRAME_SIZE_MAX = 65557, /* octets of the largest: an IP packet of 65535 with its link header */
    WN_FRAME_PARTS_MAX = 9,
};

/* A pool of at most `octets_max` octets of storage; 0: 256 MiB. Memory is taken from `host` as it
 * is needed and kept for the next frame. NULL: no memory. Stacks may share a pool when they are of
 * one thread; frames may only go between stacks that do. */
WN_API WN_MUST_USE struct wn_frames *wn_frames_new(const struct wn_host *host, size_t octets_max);

/* Gives the pool up: its memory goes back with the last stack that uses it. Frames that the caller has
 * must have been released before. NULL is nothing. */
WN_API void wn_frames_free(struct wn_frames *frames);

/* What a device has done, or is to do, for the transport layer; as in virtio_net_hdr (virtio 1.2
 * §5.1.6). Offsets count from the frame's first octet. All zero: nothing. */
enum wn_checksum {
    WN_CHECKSUM_FULL,    /* it is in the packet; the receiver verifies it */
    WN_CHECKSUM_PARTIAL, /* only the pseudo-header's sum is in the packet: whoever sends it on to a
                            real link adds the rest, from checksum_start to the packet's end */
    WN_CHECKSUM_VALID,   /* it is in the packet, and the device has verified it */
};

enum wn_segmentation {
    WN_SEGMENTATION_NONE,
    WN_SEGMENTATION_TCP4, /* a super-segment over IPv4, to be cut into segments of segment_size */
    WN_SEGMENTATION_TCP6,
};

struct wn_offload {
    uint8_t checksum;         /* enum wn_checksum */
    uint8_t segmentation;     /* enum wn_segmentation; other than NONE it needs PARTIAL */
    uint16_t segment_size;    /* octets of payload in each segment; not 0 for a super-segment */
    uint16_t header_len;      /* link, IP and TCP headers of a super-segment */
    uint16_t checksum_start;  /* where summing starts; for PARTIAL */
    uint16_t checksum_offset; /* where the sum goes, from checksum_start; for PARTIAL */
};

/* An empty frame with room for `size` octets (WN_FRAME_SIZE_MAX at most), which is the caller's to
 * give away or release. NULL: the pool is exhausted, or no such size. */
WN_API WN_MUST_USE struct wn_frame *wn_frame_new(struct wn_frames *frames, size_t size);

/* Where the room of a frame of wn_frame_new() begins. Valid as long as the frame is the caller's. */
WN_API void *wn_frame_room(struct wn_frame *frame);

/* Says that `len` octets have been written to the room, at most its size: 0, or -EINVAL. */
WN_API int wn_frame_set_len(struct wn_frame *frame, size_t len);

/* Says what a device has done for the frame, whose octets must be there already. 0, or -EINVAL: the
 * facts contradict the frame, which is as it was. */
WN_API WN_MUST_USE int wn_frame_set_offload(struct wn_frame *frame, const struct wn_offload *facts);

/* Drops the caller's frame. NULL is nothing. */
WN_API void wn_frame_release(struct wn_frame *frame);

/* Octets of the whole packet. */
WN_API size_t wn_frame_len(const struct wn_frame *frame);

/* Where the packet lies: fills `parts` with at most `max` of its pieces, in order, and returns how
 * many there are; WN_FRAME_PARTS_MAX is always enough. They may be read, not written, as long as the
 * frame is the caller's. */
WN_API size_t wn_frame_parts(const struct wn_frame *frame, struct wn_iovec *parts, size_t max);

/* Copies the first `size` octets of the packet, or all when it has fewer, to `out`; how many. */
WN_API size_t wn_frame_copy(const struct wn_frame *frame, void *out, size_t size);

/* What is to be done for the frame before it is on a real link. */
WN_API void wn_frame_offload(const struct wn_frame *frame, struct wn_offload *out);

WN_C_END

#endif

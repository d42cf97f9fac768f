/* SPDX-License-Identifier: ISC */
/*
 * tap_port.c - frames between a TAP descriptor and a node. Each frame has a virtio_net_hdr in front
 * (virtio 1.2 §5.1.6) when the device was opened with IFF_VNET_HDR.
 */
#include "io/tap_port.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/checksum.h"
#include "os/memory.h"
#include "os/tap.h"
#include "wire/inet/udp_header.h"

enum {
    /* A batch ends after so many frames or octets, so that what was read is still in the cache
     * when it is relayed, and other descriptors have their turn. */
    BATCH_FRAMES = 64,
    BATCH_OCTETS = 256 * 1024,
    ETHERNET_HEADER_LEN = 14,
    TCP_CHECKSUM_OFFSET = 16,
    TCP_DATA_OFFSET_AT = 12,
    PATIENCE_MAX = 31, /* turns */
};
#define MEMORY_RETRY_INTERVAL (10 * USEC_PER_MSEC)

_Static_assert(sizeof(struct virtio_net_hdr_v1) == TAP_VNET_HEADER_LEN, "virtio 1.2 §5.1.6");
_Static_assert((size_t)TAP_VNET_HEADER_LEN <= (size_t)FRAME_HEADROOM, "it is read into the headroom");

struct tap_port {
    struct node_port base;
    struct watch watch;
    struct alarm arrival; /* the wire's next frame; or, short of memory, the next try */
    struct frame *spare;  /* what the next read goes into */
    struct wire *wire;    /* NULL: ideal */
    struct capture *capture;
    unsigned capture_interface;
    size_t vnet_len;
    size_t batch_max;    /* of the next turn: how many frames to try to read */
    unsigned full_turns; /* with so many, since they became fewer or more, */
    unsigned patience;   /* and after so many they become more */
    bool doubled;
    bool starved;
    struct tap_port_counters counters;
};

static struct tap_port *port_of(struct node_port *base)
{
    return CONTAINER_OF(base, struct tap_port, base);
}

static usec port_now(const struct tap_port *port)
{
    return loop_now(node_loop(port->base.node));
}

/* False when the header contradicts the frame; a kernel never does that, a confused writer may. */
static bool take_vnet_header(const uint8_t *in, struct frame *frame)
{
    struct virtio_net_hdr_v1 header;
    memcpy(&header, in, sizeof header);
    struct frame_offload *offload = &frame->offload;
    if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        if ((size_t)header.csum_start + header.csum_offset + 2 > frame->len)
            return false;
        offload->checksum = FRAME_CHECKSUM_PARTIAL;
        offload->checksum_start = (uint32_t)(frame_headroom(frame) + header.csum_start);
        offload->checksum_offset = header.csum_offset;
    } else if (header.flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        offload->checksum = FRAME_CHECKSUM_VALID;
    }
    switch (header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        offload->gso = FRAME_GSO_TCP4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        offload->gso = FRAME_GSO_TCP6;
        break;
    default:
        return false;
    }
    offload->gso_size = header.gso_size;
    offload->header_len = header.hdr_len;
    return header.gso_size > 0;
}

static struct virtio_net_hdr_v1 vnet_header_of(const struct frame *frame)
{
    const struct frame_offload *offload = &frame->offload;
    struct virtio_net_hdr_v1 header = {0};
    if (offload->checksum != FRAME_CHECKSUM_PARTIAL)
        return header;
    size_t start = offload->checksum_start - frame_headroom(frame);
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header.csum_start = (uint16_t)start;
    header.csum_offset = offload->checksum_offset;
    if (offload->gso == FRAME_GSO_NONE)
        return header;
    if (offload->gso == FRAME_GSO_UDP4) {
        header.gso_type = TAP_GSO_UDP;
        header.gso_size = offload->gso_size;
        header.hdr_len = (uint16_t)(start + UDP_HEADER_LEN);
        return header;
    }
    ASSERT(frame->len >= start + 20 && offload->checksum_offset == TCP_CHECKSUM_OFFSET);
    header.gso_type = offload->gso == FRAME_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                                   : VIRTIO_NET_HDR_GSO_TCPV6;
    header.gso_size = offload->gso_size;
    header.hdr_len = (uint16_t)(start + (size_t)(frame->data[start + TCP_DATA_OFFSET_AT] >> 4) * 4);
    return header;
}

/* ---- towards the guest ---- */

/* The header lies in front of the packet where that is ours to write: one piece is written faster
 * than two. */
static ssize_t write_parts(const struct tap_port *port, const struct frame *frame)
{
    uint8_t header[TAP_VNET_HEADER_LEN];
    struct iovec parts[2 + FRAME_SLICES_MAX];
    int count = 0;
    uint8_t *start = frame->data;
    if (port->vnet_len > 0) {
        bool in_front = frame->refs == 1 && frame_headroom(frame) >= port->vnet_len;
        uint8_t *at = in_front ? frame->data - port->vnet_len : header;
        struct virtio_net_hdr_v1 fields = vnet_header_of(frame);
        memcpy(at, &fields, sizeof fields);
        if (in_front)
            start = at;
        else
            parts[count++] = (struct iovec){header, port->vnet_len};
    }
    size_t len = (size_t)(frame->data + frame->len - start);
    if (count == 0 && frame->slice_count == 0)
        return write(port->watch.fd, start, len);
    parts[count++] = (struct iovec){start, len};
    for (size_t i = 0; i < frame->slice_count; i++) {
        const struct slice *slice = &frame->slices[i];
        parts[count++] = (struct iovec){(void *)(uintptr_t)slice->data, slice->len};
    }
    return writev(port->watch.fd, parts, count);
}

/* 0, -EAGAIN when the device is full for now, or another negative errno: the frame is lost. */
static int write_frame(struct tap_port *port, struct frame *frame)
{
    if (port->vnet_len == 0)
        checksum_complete(frame);
    ssize_t written = write_parts(port, frame);
    if (written < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    port->counters.frames_out++;
    port->counters.octets_out += (uint64_t)written - port->vnet_len;
    return 0;
}

/* False: try again later; the caller still has the frame. */
static bool emit(struct tap_port *port, struct frame *frame)
{
    int status = write_frame(port, frame);
    if (status == -EAGAIN)
        return false;
    if (status < 0)
        port->counters.write_failed++;
    else if (port->capture != NULL)
        capture_sent(port->capture, port->capture_interface, frame);
    frame_unref(frame);
    return true;
}

static bool send_direct(struct node_port *base, struct frame *frame)
{
    struct tap_port *port = port_of(base);
    if (emit(port, frame))
        return true;
    loop_want(&port->watch, LOOP_READ | LOOP_WRITE);
    return false;
}

static bool send_to_wire(struct node_port *base, struct frame *frame)
{
    struct tap_port *port = port_of(base);
    wire_send(port->wire, WIRE_B, frame, port_now(port));
    return true;
}

/* ---- from the guest ---- */

static void deliver(struct tap_port *port, struct frame *frame)
{
    if (port->capture == NULL) {
        node_input(&port->base, frame);
        return;
    }
    capture_received_begin(port->capture, port->capture_interface, frame);
    node_input(&port->base, frame);
    capture_received_end(port->capture);
}

/* Moves what has arrived at either end of the wire, and waits for the next. */
static void pump_wire(struct tap_port *port)
{
    usec now = port_now(port);
    struct frame *frame;
    while ((frame = wire_receive(port->wire, WIRE_B, now)) != NULL)
        deliver(port, frame);
    while ((frame = wire_receive(port->wire, WIRE_A, now)) != NULL)
        if (!emit(port, frame)) { /* a real device that is full drops, too */
            port->counters.write_failed++;
            frame_unref(frame);
        }
    loop_set_alarm(node_loop(port->base.node), &port->arrival, wire_deadline(port->wire));
}

static void flush_wire(struct node_port *base)
{
    pump_wire(port_of(base));
}

/* Reads one frame; NULL when there is none, or no memory for one. */
static struct frame *read_frame(struct tap_port *port)
{
    if (port->spare == NULL)
        port->spare = frame_new(node_frames(port->base.node), FRAME_PACKET_MAX);
    struct frame *frame = port->spare;
    if (frame == NULL) {
        port->counters.no_memory++;
        port->starved = true;
        return NULL;
    }
    uint8_t *start = frame->data - port->vnet_len; /* in the headroom, which is larger */
    ssize_t got = read(port->watch.fd, start, port->vnet_len + frame_tailroom(frame));
    if (got < (ssize_t)(port->vnet_len + ETHERNET_HEADER_LEN))
        return NULL;
    frame->len = (size_t)got - port->vnet_len;
    port->spare = NULL;
    port->counters.frames_in++;
    port->counters.octets_in += frame->len;
    if (port->vnet_len > 0 && !take_vnet_header(start, frame)) {
        port->counters.malformed++;
        frame->offload = (struct frame_offload){0};
    }
    return frame;
}

/* How many frames to try to read the next time: as many as there were, or twice as many when there may
 * have been more. In a dialogue that is one: nothing is lost by not asking for a second, and the
 * first is answered sooner. Where asking for more was in vain, it is not done again so soon. */
static void plan_batch(struct tap_port *port, size_t count, bool drained)
{
    if (drained) {
        bool in_vain = port->doubled && count <= port->batch_max / 2;
        port->patience = in_vain ? 2 * port->patience + 1 : 0;
        if (port->patience > PATIENCE_MAX)
            port->patience = PATIENCE_MAX;
        port->batch_max = count > 0 ? count : 1;
        port->full_turns = 0;
        port->doubled = false;
        return;
    }
    if (port->doubled)
        port->patience = 0;
    port->doubled = port->batch_max < BATCH_FRAMES && port->full_turns++ >= port->patience;
    if (!port->doubled)
        return;
    port->full_turns = 0;
    port->batch_max = port->batch_max < BATCH_FRAMES / 2 ? 2 * port->batch_max : BATCH_FRAMES;
}

static void read_batch(struct tap_port *port)
{
    size_t octets = 0;
    size_t count = 0;
    bool drained = false;
    while (count < port->batch_max && octets < BATCH_OCTETS) {
        struct frame *frame = read_frame(port);
        drained = frame == NULL;
        if (drained)
            break;
        count++;
        octets += frame->len;
        if (port->wire != NULL)
            wire_send(port->wire, WIRE_A, frame, port_now(port));
        else
            deliver(port, frame);
    }
    plan_batch(port, count, drained);
    if (port->wire != NULL)
        pump_wire(port);
    if (port->starved) {
        loop_want(&port->watch, 0);
        loop_set_alarm(node_loop(port->base.node), &port->arrival,
                       port_now(port) + MEMORY_RETRY_INTERVAL);
    }
}

static void on_ready(struct watch *watch, unsigned ready)
{
    struct tap_port *port = CONTAINER_OF(watch, struct tap_port, watch);
    if (ready & LOOP_WRITE) {
        loop_want(watch, LOOP_READ);
        node_port_ready(&port->base);
    }
    if (ready & LOOP_READ)
        read_batch(port);
    else if (ready & LOOP_ERROR) /* the namespace is gone, and the device with it */
        loop_unwatch(watch);
}

static void on_arrival(struct alarm *alarm)
{
    struct tap_port *port = CONTAINER_OF(alarm, struct tap_port, arrival);
    if (port->starved) {
        port->starved = false;
        loop_want(&port->watch, LOOP_READ);
    }
    if (port->wire != NULL)
        pump_wire(port);
}

/* ---- life ---- */

static int prepare(struct tap_port *port, struct node *node, const struct tap_port_options *options)
{
    if (options->wire != NULL && !(wire_is_ideal(&options->wire->a_to_b) &&
                                   wire_is_ideal(&options->wire->b_to_a))) {
        struct wire_options wire = *options->wire;
        if (wire.heap.resize == NULL)
            wire.heap = memory_heap();
        port->wire = wire_new(&wire, loop_now(node_loop(node)));
        if (port->wire == NULL)
            return -ENOMEM;
        port->base.send = send_to_wire;
        port->base.flush = flush_wire;
    }
    if (options->capture != NULL) {
        int number = capture_add_interface(options->capture, options->name, &options->mac,
                                           options->mtu);
        if (number < 0)
            return number;
        port->capture = options->capture;
        port->capture_interface = (unsigned)number;
    }
    return loop_watch(node_loop(node), &port->watch, options->fd, LOOP_READ, on_ready);
}

int tap_port_new(struct node *node, const struct tap_port_options *options, struct tap_port **out)
{
    struct tap_port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        close(options->fd);
        return -ENOMEM;
    }
    port->vnet_len = options->vnet ? TAP_VNET_HEADER_LEN : 0;
    port->base.send = send_direct;
    port->batch_max = 1;
    alarm_init(&port->arrival, on_arrival);
    int status = prepare(port, node, options);
    if (status < 0) {
        close(options->fd);
        wire_free(port->wire);
        free(port);
        return status;
    }
    node_attach(node, &port->base, options->interface);
    *out = port;
    return 0;
}

void tap_port_free(struct tap_port *port)
{
    if (port == NULL)
        return;
    loop_clear_alarm(node_loop(port->base.node), &port->arrival);
    node_detach(&port->base);
    loop_unwatch(&port->watch);
    close(port->watch.fd);
    wire_free(port->wire);
    if (port->spare != NULL)
        frame_unref(port->spare);
    free(port);
}

void tap_port_counters(const struct tap_port *port, struct tap_port_counters *out)
{
    *out = port->counters;
    if (port->wire != NULL) {
        wire_counters(port->wire, WIRE_A, &out->from_guest);
        wire_counters(port->wire, WIRE_B, &out->to_guest);
    }
}

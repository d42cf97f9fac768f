/* SPDX-License-Identifier: ISC */
/*
 * capture.c - a pcapng file in the making: records gather in a buffer that is written when it is
 * full, and after a short while in any case.
 */
#include "io/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "wire/capture/pcapng.h"

enum {
    BUFFER_SIZE = 1024 * 1024,
    FILE_MODE = 0644,
    INTERFACES_MAX = 64,
};

_Static_assert(BUFFER_SIZE > 2 * (FRAME_PACKET_MAX + PCAPNG_BLOCK_OVERHEAD), "records fit");

struct capture {
    struct loop *loop;
    int fd;
    int error;             /* the first that writing met; then nothing more is written */
    usec wall_offset;      /* from the loop's clock to 1970 */
    unsigned interface_count;
    struct writer buffer;
    struct alarm flush;
    struct capture_counters counters;

    /* The frame between capture_received_begin() and _end(): its octets as they came. */
    bool receiving;
    bool dropped;
    enum drop_reason reason;
    unsigned interface;
    size_t len;
    uint8_t octets[FRAME_PACKET_MAX];
};

static void flush(struct capture *capture)
{
    struct bytes records = writer_bytes(&capture->buffer);
    if (records.len > 0 && capture->error == 0)
        capture->error = file_write_all(capture->fd, records);
    capture->buffer = writer_of(capture->buffer.start, BUFFER_SIZE);
    loop_clear_alarm(capture->loop, &capture->flush);
}

static void on_flush(struct alarm *alarm)
{
    flush(CONTAINER_OF(alarm, struct capture, flush));
}

static void record(struct capture *capture, unsigned interface, enum pcapng_direction direction,
                   struct bytes octets, enum drop_reason reason)
{
    if (writer_room(&capture->buffer) < octets.len + PCAPNG_BLOCK_OVERHEAD)
        flush(capture);
    if (capture->error != 0) {
        capture->counters.failed++;
        return;
    }
    usec now = loop_now(capture->loop);
    struct pcapng_packet packet = {
        .interface = interface,
        .timestamp = (uint64_t)(now + capture->wall_offset),
        .original_len = (uint32_t)octets.len,
        .direction = (uint8_t)direction,
        .captured = octets,
        .comment = bytes_empty(),
    };
    char comment[128];
    if (reason != DROP_NONE) {
        struct text text = text_of(comment, sizeof comment);
        text_add(&text, "dropped: ");
        text_add(&text, drop_reason_text(reason));
        packet.comment = text_bytes(&text);
    }
    pcapng_write_packet(&capture->buffer, &packet);
    capture->counters.frames++;
    capture->counters.octets += octets.len;
    if (!timer_armed(&capture->flush.timer))
        loop_set_alarm(capture->loop, &capture->flush, now + CAPTURE_FLUSH_INTERVAL);
}

/* A linear copy of the frame as it would be on a real wire: with its checksum. */
static size_t copy_complete(struct capture *capture, const struct frame *frame)
{
    const struct frame_offload *offload = &frame->offload;
    size_t len = frame_total(frame);
    ASSERT(len <= sizeof capture->octets);
    frame_copy_out(frame, 0, capture->octets, len);
    if (offload->checksum == FRAME_CHECKSUM_PARTIAL) {
        size_t start = offload->checksum_start - frame_headroom(frame);
        uint8_t *field = capture->octets + start + offload->checksum_offset;
        uint16_t sum = checksum_of(bytes_of(capture->octets + start, len - start));
        field[0] = (uint8_t)(sum >> 8);
        field[1] = (uint8_t)sum;
    }
    return len;
}

void capture_sent(struct capture *capture, unsigned interface, const struct frame *frame)
{
    size_t len = copy_complete(capture, frame);
    record(capture, interface, PCAPNG_OUTBOUND, bytes_of(capture->octets, len), DROP_NONE);
}

void capture_received_begin(struct capture *capture, unsigned interface, const struct frame *frame)
{
    capture->receiving = true;
    capture->dropped = false;
    capture->reason = DROP_NONE;
    capture->interface = interface;
    capture->len = copy_complete(capture, frame);
}

void capture_received_end(struct capture *capture)
{
    capture->receiving = false;
    record(capture, capture->interface, PCAPNG_INBOUND, bytes_of(capture->octets, capture->len),
           capture->reason);
}

/* The first reason told while a frame is being processed is that frame's. What the wire loses is
 * recorded here, since it arrives nowhere. Other drops are of packets without a link header yet. */
static void on_event(void *self, const struct trace_event *event)
{
    struct capture *capture = self;
    if (event->kind != TRACE_DROP)
        return;
    if (capture->receiving) {
        if (!capture->dropped)
            capture->reason = event->u.drop.reason;
        capture->dropped = true;
    } else if ((event->u.drop.reason == DROP_WIRE_LOSS || event->u.drop.reason == DROP_WIRE_QUEUE) &&
               event->u.drop.frame != NULL && capture->interface_count > 0) {
        size_t len = copy_complete(capture, event->u.drop.frame);
        record(capture, 0, PCAPNG_UNKNOWN, bytes_of(capture->octets, len), event->u.drop.reason);
    }
}

struct trace capture_trace(struct capture *capture)
{
    return (struct trace){on_event, capture};
}

int capture_add_interface(struct capture *capture, const char *name, const struct mac *mac,
                          uint32_t mtu UNUSED)
{
    if (capture->interface_count == INTERFACES_MAX)
        return -ENOSPC;
    struct pcapng_interface interface = {
        .link_type = PCAPNG_ETHERNET,
        .name = bytes_of_text(name),
        .description = bytes_empty(),
        .has_mac = true,
        .mac = *mac,
    };
    pcapng_write_interface(&capture->buffer, &interface);
    flush(capture);
    return (int)capture->interface_count++;
}

int capture_new(struct loop *loop, const char *path, struct capture **out)
{
    struct capture *capture = calloc(1, sizeof *capture);
    uint8_t *buffer = malloc(BUFFER_SIZE);
    int fd = -1;
    int status = -ENOMEM;
    if (capture != NULL && buffer != NULL) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
        status = fd < 0 ? -errno : 0;
    }
    if (status < 0) {
        free(buffer);
        free(capture);
        return status;
    }
    capture->loop = loop;
    capture->fd = fd;
    capture->wall_offset = clock_wall_usec() - loop_now(loop);
    capture->buffer = writer_of(buffer, BUFFER_SIZE);
    alarm_init(&capture->flush, on_flush);
    struct pcapng_section section = {
        .hardware = bytes_empty(),
        .os = bytes_empty(),
        .application = bytes_of_text("wholenet " WHOLENET_VERSION),
        .comment = bytes_empty(),
    };
    pcapng_write_section(&capture->buffer, &section);
    flush(capture);
    if (capture->error != 0) {
        status = capture->error;
        (void)capture_free(capture);
        return status;
    }
    *out = capture;
    return 0;
}

int capture_free(struct capture *capture)
{
    if (capture == NULL)
        return 0;
    flush(capture);
    int error = capture->error;
    if (close(capture->fd) < 0 && error == 0)
        error = -errno;
    free(capture->buffer.start);
    free(capture);
    return error;
}

void capture_counters(const struct capture *capture, struct capture_counters *out)
{
    *out = capture->counters;
}

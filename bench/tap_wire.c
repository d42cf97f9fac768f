/* SPDX-License-Identifier: ISC */
/*
 * tap_wire.c - two TAP devices and our virtual wire between them, in real time: so that the kernel's
 * TCP talks to the kernel's over the same path as to ours.
 *
 *      tap_wire NAME NAME [delay=MS] [loss=PERCENT] [rate=MBIT] [queue=FRAMES]
 *
 * makes the devices, says "ready", and carries frames until killed. No offload: a wire carries packets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/support/impair.h"
#include "io/loop.h"
#include "os/memory.h"
#include "os/tap.h"

enum { BATCH = 64 };
static const size_t frames_octets_max = (size_t)256 * 1024 * 1024;

struct end {
    struct watch watch;
    struct bench *bench;
    enum wire_end which;
};

struct bench {
    struct loop *loop;
    struct frame_pool *frames;
    struct wire *wire;
    struct alarm arrival;
    struct end ends[2];
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "tap_wire: %s\n", what);
    exit(1);
}

/* A device that is full loses the frame, as a real one does. */
static void deliver(struct bench *bench)
{
    usec now = loop_now(bench->loop);
    for (int i = 0; i < 2; i++) {
        struct frame *frame;
        while ((frame = wire_receive(bench->wire, bench->ends[i].which, now)) != NULL) {
            (void)!write(bench->ends[i].watch.fd, frame->data, frame->len);
            frame_unref(frame);
        }
    }
    loop_set_alarm(bench->loop, &bench->arrival, wire_deadline(bench->wire));
}

static void on_arrival(struct alarm *alarm)
{
    deliver(CONTAINER_OF(alarm, struct bench, arrival));
}

static void on_ready(struct watch *watch, unsigned ready UNUSED)
{
    struct end *end = CONTAINER_OF(watch, struct end, watch);
    struct bench *bench = end->bench;
    for (int i = 0; i < BATCH; i++) {
        struct frame *frame = frame_new(bench->frames, 2048);
        if (frame == NULL)
            break;
        ssize_t got = read(watch->fd, frame->data, frame_tailroom(frame));
        if (got <= 0) {
            frame_unref(frame);
            break;
        }
        frame->len = (size_t)got;
        wire_send(bench->wire, end->which, frame, loop_now(bench->loop));
    }
    deliver(bench);
}

static void open_end(struct bench *bench, enum wire_end which, const char *name)
{
    struct end *end = &bench->ends[which];
    struct tap_options options = {.name = name};
    struct tap tap;
    int status = tap_open(&options, &tap);
    if (status < 0)
        die(tap_error_text(status));
    end->bench = bench;
    end->which = which;
    if (loop_watch(bench->loop, &end->watch, tap.fd, LOOP_READ, on_ready) < 0)
        die("cannot watch the device");
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct wire_options wire = {.heap = memory_heap(), .seed = 1};
    if (argc < 3)
        die("NAME NAME [delay=MS] [loss=PERCENT] [rate=MBIT] [queue=FRAMES]");
    for (int i = 3; i < argc; i++)
        if (!impair_word(argv[i], &wire))
            die(argv[i]);
    bench.loop = loop_new();
    bench.frames = frame_pool_new(&wire.heap, frames_octets_max);
    if (bench.loop == NULL || bench.frames == NULL)
        die("no memory");
    bench.wire = wire_new(&wire, loop_now(bench.loop));
    if (bench.wire == NULL)
        die("no memory");
    alarm_init(&bench.arrival, on_arrival);
    open_end(&bench, WIRE_A, argv[1]);
    open_end(&bench, WIRE_B, argv[2]);
    puts("ready");
    fflush(stdout);
    return loop_run(bench.loop) < 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * wire.c - the virtual wire: each direction decides the fate of a frame when it is sent, and keeps
 * it in a heap by the instant of its arrival.
 *
 * Every frame draws the same count of random words, whatever is asked for: the nth frame meets the
 * same luck in every run of a seed, and raising the loss does not reshuffle the reordering. Each
 * direction draws from its own generator.
 */
#include "sim/wire.h"

#include "base/checksum.h"
#include "base/prng.h"
#include "sim/wire_mark.h"

enum { HELD_FRAMES = 2 };
#define HELD_TIMEOUT (10 * USEC_PER_MSEC)

struct flight {
    usec arrives_at;
    uint64_t sequence; /* breaks ties */
    struct frame *frame;
};

struct direction {
    struct wire_impairments impairments;
    struct prng prng;
    bool ideal;
    struct flight *flights; /* a binary heap */
    size_t count;
    size_t size;
    uint64_t sequence;
    usec last_at;      /* arrival of the latest frame that kept its place */
    int64_t free_nsec; /* when the transmitter is free, since the wire began */
    int64_t *departs;  /* instants at which queued frames leave, a ring */
    size_t depart_first;
    size_t depart_count;
    size_t depart_size;
    struct frame *held; /* waits to be overtaken */
    usec held_until;
    unsigned held_left; /* frames that have yet to pass it */
    struct wire_counters counters;
};

struct wire {
    struct heap heap;
    struct trace trace;
    usec began_at;
    bool up;
    size_t hole; /* octets of IP; 0: none */
    struct direction from[2]; /* by enum wire_end */
};

/* The luck of one frame. */
struct luck {
    uint32_t loss;
    uint32_t corrupt;
    uint32_t corrupt_at;
    uint32_t jitter;
    uint32_t reorder;
    uint32_t duplicate;
};

bool wire_is_ideal(const struct wire_impairments *i)
{
    return i->delay == 0 && i->jitter == 0 && i->loss == 0 && i->duplicate == 0 &&
           i->reorder == 0 && i->corrupt == 0 && i->rate == 0;
}

static bool direction_init(struct wire *wire, struct direction *d,
                           const struct wire_impairments *impairments, struct prng *seed)
{
    d->impairments = *impairments;
    d->ideal = wire_is_ideal(impairments);
    d->last_at = wire->began_at;
    prng_fork(seed, &d->prng);
    if (impairments->rate == 0)
        return true;
    d->depart_size = impairments->queue != 0 ? impairments->queue : WIRE_QUEUE_DEFAULT;
    if (d->depart_size > WIRE_IN_FLIGHT_MAX)
        d->depart_size = WIRE_IN_FLIGHT_MAX;
    d->departs = heap_array(&wire->heap, d->depart_size, sizeof *d->departs);
    return d->departs != NULL;
}

struct wire *wire_new(const struct wire_options *options, usec now)
{
    struct heap heap = options->heap;
    struct wire *wire = heap_zeroed(&heap, sizeof *wire);
    if (wire == NULL)
        return NULL;
    wire->heap = heap;
    wire->trace = options->trace;
    wire->began_at = now;
    wire->up = true;
    struct prng seed;
    prng_init_number(&seed, options->seed);
    if (direction_init(wire, &wire->from[WIRE_A], &options->a_to_b, &seed) &&
        direction_init(wire, &wire->from[WIRE_B], &options->b_to_a, &seed))
        return wire;
    wire_free(wire);
    return NULL;
}

void wire_free(struct wire *wire)
{
    if (wire == NULL)
        return;
    struct heap heap = wire->heap;
    for (size_t end = 0; end < ARRAY_LEN(wire->from); end++) {
        struct direction *d = &wire->from[end];
        for (size_t i = 0; i < d->count; i++)
            frame_unref(d->flights[i].frame);
        if (d->held != NULL)
            frame_unref(d->held);
        heap_release(&heap, d->flights, d->size * sizeof *d->flights);
        heap_release(&heap, d->departs, d->depart_size * sizeof *d->departs);
    }
    heap_release(&heap, wire, sizeof *wire);
}

static bool earlier(const struct flight *a, const struct flight *b)
{
    return a->arrives_at != b->arrives_at ? a->arrives_at < b->arrives_at
                                          : a->sequence < b->sequence;
}

static bool grow(const struct heap *heap, struct direction *d)
{
    if (d->count < d->size)
        return true;
    if (d->size >= WIRE_IN_FLIGHT_MAX)
        return false;
    size_t size = d->size > 0 ? d->size * 2 : 64;
    struct flight *flights =
        heap->resize(heap->self, d->flights, d->size * sizeof *flights, size * sizeof *flights);
    if (flights == NULL)
        return false;
    d->flights = flights;
    d->size = size;
    return true;
}

static void insert(struct direction *d, const struct flight *flight)
{
    size_t at = d->count++;
    while (at > 0 && earlier(flight, &d->flights[(at - 1) / 2])) {
        d->flights[at] = d->flights[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    d->flights[at] = *flight;
}

static struct frame *take_first(struct direction *d)
{
    struct frame *frame = d->flights[0].frame;
    struct flight last = d->flights[--d->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= d->count)
            break;
        if (child + 1 < d->count && earlier(&d->flights[child + 1], &d->flights[child]))
            child++;
        if (!earlier(&d->flights[child], &last))
            break;
        d->flights[at] = d->flights[child];
        at = child;
    }
    d->flights[at] = last;
    return frame;
}

static void lose(struct wire *wire, enum drop_reason reason, struct frame *frame, usec now)
{
    if (wire->trace.emit != NULL) {
        struct trace_event event = {
            .kind = TRACE_DROP,
            .at = now,
            .u.drop = {.reason = reason, .frame = frame},
        };
        wire->trace.emit(wire->trace.self, &event);
    }
    frame_unref(frame);
}

/* Takes the frame. */
static void launch(struct wire *wire, struct direction *d, struct frame *frame, usec arrives_at,
                   usec now)
{
    if (!grow(&wire->heap, d)) {
        d->counters.queue_full++;
        lose(wire, DROP_WIRE_QUEUE, frame, now);
        return;
    }
    insert(d, &(struct flight){arrives_at, d->sequence++, frame});
}

static struct luck draw(struct direction *d)
{
    struct luck luck;
    prng_fill(&d->prng, &luck, sizeof luck);
    return luck;
}

static bool happens(uint32_t word, uint32_t parts_per_million)
{
    return (uint64_t)word * 1000000 >> 32 < parts_per_million;
}

/*
 * When the frame has left the transmitter; -1: the queue is full. Times are kept in nanoseconds:
 * at 10 Gbit/s a frame takes little more than a microsecond.
 */
static int64_t transmit_until(struct direction *d, int64_t now_nsec, size_t octets)
{
    while (d->depart_count > 0 && d->departs[d->depart_first] <= now_nsec) {
        d->depart_first = (d->depart_first + 1) % d->depart_size;
        d->depart_count--;
    }
    if (d->depart_count == d->depart_size)
        return -1;
    int64_t start = d->free_nsec > now_nsec ? d->free_nsec : now_nsec;
    /* Octets of a frame are few enough: 2^17 * 8 * 10^9 < 2^63. */
    int64_t takes = (int64_t)((uint64_t)octets * 8 * 1000000000 / d->impairments.rate);
    d->free_nsec = start + takes;
    d->departs[(d->depart_first + d->depart_count) % d->depart_size] = start;
    d->depart_count++;
    return d->free_nsec;
}

/* A frame of our own to spoil: linear, and its checksum complete, so that the receiver sees it. */
static struct frame *corrupt(struct frame *frame, uint32_t word)
{
    if (frame->refs > 1 || frame->slice_count > 0) {
        struct frame *copy = frame_copy(frame);
        if (copy == NULL)
            return frame;
        frame_unref(frame);
        frame = copy;
    }
    checksum_complete(frame);
    frame->offload = (struct frame_offload){.checksum = FRAME_CHECKSUM_FULL};
    if (frame->len == 0)
        return frame;
    uint64_t bit = (uint64_t)word * (frame->len * 8) >> 32;
    frame->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return frame;
}

static usec delayed(struct direction *d, usec departs_at, uint32_t word)
{
    const struct wire_impairments *i = &d->impairments;
    usec delay = i->delay;
    if (i->jitter > 0) {
        usec jitter = usec_min(i->jitter, INT32_MAX / 2); /* the product has 64 bits */
        delay += (usec)((uint64_t)word * (2 * (uint64_t)jitter + 1) >> 32) - jitter;
    }
    /* Jitter alone does not reorder. */
    d->last_at = usec_max(departs_at + usec_max(delay, 0), d->last_at);
    return d->last_at;
}

/* The frame that was held back goes on; behind what has been launched for the same instant. */
static void release_held(struct wire *wire, struct direction *d, usec arrives_at, usec now)
{
    struct frame *frame = d->held;
    d->held = NULL;
    launch(wire, d, frame, arrives_at, now);
}

static void pass_held(struct wire *wire, struct direction *d, usec arrives_at, usec now)
{
    if (d->held != NULL && --d->held_left == 0)
        release_held(wire, d, usec_min(arrives_at, d->held_until), now);
}

/* Delay, order, duplicates: takes the frame, which leaves the transmitter at `departs_at`. */
static void travel(struct wire *wire, struct direction *d, struct frame *frame,
                   const struct luck *luck, usec departs_at, usec now)
{
    const struct wire_impairments *i = &d->impairments;
    struct frame *twin = NULL;
    if (happens(luck->duplicate, i->duplicate)) {
        twin = frame_copy(frame);
        d->counters.duplicated += twin != NULL;
    }
    bool overtakes = happens(luck->reorder, i->reorder);
    bool delays = i->delay > 0 || i->jitter > 0;
    d->counters.reordered += overtakes && (delays || d->held == NULL);
    if (overtakes && !delays && d->held == NULL) {
        d->held = frame;
        d->held_until = departs_at + HELD_TIMEOUT;
        d->held_left = HELD_FRAMES;
        if (twin != NULL)
            launch(wire, d, twin, departs_at, now);
        return;
    }
    usec arrives_at = overtakes && delays ? departs_at : delayed(d, departs_at, luck->jitter);
    launch(wire, d, frame, arrives_at, now);
    if (twin != NULL)
        launch(wire, d, twin, arrives_at, now);
    pass_held(wire, d, arrives_at, now);
}

/* Octets of IP of a frame, or of each that a device would make of it. */
static size_t packet_len(const struct frame *frame)
{
    enum { ETHERNET = 14, HEADERS = 52 /* IPv4, TCP with timestamps */ };
    if (frame->offload.gso != FRAME_GSO_NONE)
        return HEADERS + (size_t)frame->offload.gso_size;
    return frame_total(frame) - ETHERNET;
}

void wire_send(struct wire *wire, enum wire_end from, struct frame *frame, usec now)
{
    struct direction *d = &wire->from[from];
    d->counters.sent++;
    bool vanishes = wire->hole != 0 && packet_len(frame) > wire->hole;
    if (!wire->up || vanishes) {
        d->counters.lost++;
        lose(wire, DROP_WIRE_LOSS, frame, now);
        return;
    }
    if (d->ideal) {
        launch(wire, d, frame, now, now);
        return;
    }
    const struct wire_impairments *i = &d->impairments;
    struct luck luck = draw(d);
    if (happens(luck.loss, i->loss)) {
        d->counters.lost++;
        lose(wire, DROP_WIRE_LOSS, frame, now);
        return;
    }
    usec departs_at = now;
    if (i->rate > 0) {
        int64_t until = transmit_until(d, (now - wire->began_at) * 1000, frame_total(frame));
        if (until < 0) {
            d->counters.queue_full++;
            lose(wire, DROP_WIRE_QUEUE, frame, now);
            return;
        }
        departs_at = wire->began_at + (until + 999) / 1000;
        if (i->mark > 0 && d->depart_count > i->mark)
            d->counters.marked += wire_mark(&frame);
    }
    if (happens(luck.corrupt, i->corrupt)) {
        d->counters.corrupted++;
        frame = corrupt(frame, luck.corrupt_at);
    }
    travel(wire, d, frame, &luck, departs_at, now);
}

static enum wire_end other(enum wire_end end)
{
    return end == WIRE_A ? WIRE_B : WIRE_A;
}

struct frame *wire_receive(struct wire *wire, enum wire_end to, usec now)
{
    struct direction *d = &wire->from[other(to)];
    if (d->held != NULL && d->held_until <= now)
        release_held(wire, d, d->held_until, now);
    if (d->count == 0 || d->flights[0].arrives_at > now)
        return NULL;
    d->counters.delivered++;
    return take_first(d);
}

static usec direction_deadline(const struct direction *d)
{
    usec at = d->count > 0 ? d->flights[0].arrives_at : USEC_NEVER;
    return d->held != NULL ? usec_min(at, d->held_until) : at;
}

usec wire_deadline(const struct wire *wire)
{
    return usec_min(direction_deadline(&wire->from[WIRE_A]),
                    direction_deadline(&wire->from[WIRE_B]));
}

void wire_set_up(struct wire *wire, bool up)
{
    wire->up = up;
}

void wire_set_hole(struct wire *wire, size_t octets)
{
    wire->hole = octets;
}

void wire_counters(const struct wire *wire, enum wire_end from, struct wire_counters *out)
{
    *out = wire->from[from].counters;
}

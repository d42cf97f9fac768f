/* SPDX-License-Identifier: ISC */
/* pair.c - two stacks, and the link between them. */
#include "bench/support/pair.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire/inet/ipv4.h"

enum {
    MALLOC_HEAD = 8,
    ETHERNET_LEN = 14,
    LINK_BATCH = 64,
    ROUNDS = 8, /* a sender that never rests must not stop the clock */
};

static const size_t frames_octets_max = (size_t)512 * 1024 * 1024;
static const struct mac macs[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};

void pair_die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

usec pair_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

double pair_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(struct heap_count *heap, void *block, int sign)
{
    if (block == NULL)
        return;
    heap->octets += (size_t)sign * (malloc_usable_size(block) + MALLOC_HEAD);
    heap->blocks += (size_t)sign;
}

static void *counted_resize(void *self, void *old, size_t old_size UNUSED, size_t new_size)
{
    struct heap_count *heap = self;
    heap->calls++;
    count(heap, old, -1);
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    void *block = realloc(old, new_size);
    count(heap, block != NULL ? block : old, 1);
    return block;
}

static void open_end(struct pair *pair, int which, const struct pair_options *options, usec now)
{
    struct pair_end *end = &pair->ends[which];
    struct stack_options stack = {
        .heap = {counted_resize, &end->heap},
        .frames = pair->frames,
        .tcp_connections_max = options->connections_max,
        .tcp_receive_buffer = options->buffer,
        .tcp_send_buffer = options->buffer,
    };
    memset(stack.seed, which + 1, sizeof stack.seed);
    end->stack = stack_new(&stack, now);
    if (end->stack == NULL)
        pair_die("no memory for a stack");
    struct interface_options interface = {
        .name = "pair",
        .mac = macs[which],
        .mtu = pair->mtu,
        .features = options->offload ? INTERFACE_CHECKSUM | INTERFACE_TSO4 : 0,
    };
    end->address = address_v4(0x0a000001 + (uint32_t)which);
    struct ip_prefix prefix = {end->address, 24};
    struct ip_address other = address_v4(0x0a000001 + (uint32_t)!which);
    if (stack_add_interface(end->stack, &interface) != 0 ||
        !stack_add_address(end->stack, 0, &prefix, false) ||
        !stack_add_neighbour(end->stack, 0, &other, &macs[!which]))
        pair_die("cannot set up the interface");
}

void pair_open(struct pair *pair, const struct pair_options *options, usec now)
{
    *pair = (struct pair){.mtu = options->mtu != 0 ? options->mtu : 1500};
    struct heap heap = {.resize = counted_resize, .self = &pair->frames_heap};
    pair->frames = frame_pool_new(&heap, frames_octets_max);
    if (pair->frames == NULL)
        pair_die("no memory for frames");
    for (int i = 0; i < 2; i++)
        open_end(pair, i, options, now);
}

void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++)
        stack_free(pair->ends[i].stack);
    frame_pool_free(pair->frames);
}

/* ---- the link ---- */

__attribute__((noinline)) struct frame *pair_output_a(struct pair *pair)
{
    return stack_output(pair->ends[PAIR_A].stack, 0);
}

__attribute__((noinline)) struct frame *pair_output_b(struct pair *pair)
{
    return stack_output(pair->ends[PAIR_B].stack, 0);
}

__attribute__((noinline)) void pair_input_a(struct pair *pair, struct frame *frame, usec now)
{
    stack_input(pair->ends[PAIR_A].stack, 0, frame, now);
}

__attribute__((noinline)) void pair_input_b(struct pair *pair, struct frame *frame, usec now)
{
    stack_input(pair->ends[PAIR_B].stack, 0, frame, now);
}

/* Counts what goes over the link; the link knows IPv4 and TCP just well enough. */
static void account(struct pair_end *end, const struct frame *frame, size_t total)
{
    end->frames_out++;
    const uint8_t *ip = frame->data + ETHERNET_LEN;
    if (frame->len < ETHERNET_LEN + 40 || ip[9] != IP_PROTOCOL_TCP)
        return;
    size_t headers = ETHERNET_LEN + 20 + (size_t)(ip[32] >> 4) * 4;
    size_t text = total - headers;
    size_t part = frame->offload.gso != FRAME_GSO_NONE ? frame->offload.gso_size : text;
    if (text > 0)
        end->segments_out += (text + part - 1) / part;
    else
        end->acks_out++;
}

/* Carries up to a batch; false: there was nothing. */
static bool carry(struct pair *pair, int from, usec now)
{
    int carried = 0;
    struct frame *frame;
    while (carried < LINK_BATCH &&
           (frame = from == PAIR_A ? pair_output_a(pair) : pair_output_b(pair)) != NULL) {
        carried++;
        account(&pair->ends[from], frame, frame_total(frame));
        struct frame *copy = frame_copy(frame);
        frame_unref(frame);
        if (copy == NULL)
            continue; /* lost, like on a link whose device has no buffer */
        if (from == PAIR_A)
            pair_input_b(pair, copy, now);
        else
            pair_input_a(pair, copy, now);
    }
    return carried > 0;
}

static void tell(struct pair *pair, int end, void (*on_events)(struct pair *, int))
{
    struct socket_event event;
    if (on_events != NULL)
        on_events(pair, end);
    else
        while (stack_next_event(pair->ends[end].stack, &event))
            ;
}

void pair_turn(struct pair *pair, usec now, void (*on_events)(struct pair *, int))
{
    for (int i = 0; i < 2; i++) {
        struct stack *stack = pair->ends[i].stack;
        if (stack_deadline(stack) <= now)
            stack_tick(stack, now);
        else
            stack_advance(stack, now);
    }
    bool moved = true;
    for (int round = 0; round < ROUNDS && moved; round++) {
        moved = carry(pair, PAIR_A, now);
        tell(pair, PAIR_B, on_events);
        moved |= carry(pair, PAIR_B, now);
        tell(pair, PAIR_A, on_events);
    }
}

/* SPDX-License-Identifier: ISC */
/*
 * stack_pair.c - octets between two of our stacks in one process, on one core:
 *
 *      stack_pair bulk STREAMS SECONDS [offload]     as fast as it goes, for the wall clock's time
 *      stack_pair count STREAMS OCTETS [offload]     so many octets, in virtual time: for callgrind
 *
 * A sends copies of blocks of 16 KiB, B consumes what has come; the link copies each frame. One line
 * of JSON comes out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support/pair.h"

enum {
    STREAMS_MAX = 20000,
    BLOCK = 16384,
    VIEWS = 16,
};

struct bench {
    struct tcp_connection *senders[STREAMS_MAX];
    unsigned connected;
    uint64_t received;
    uint64_t wanted; /* stop sending when so many were taken; 0: never */
    uint64_t sent;
    struct tcp_listener *listener;
};

static struct bench bench;
static uint8_t block[BLOCK];

static void fill(struct tcp_connection *c)
{
    while (bench.wanted == 0 || bench.sent < bench.wanted) {
        size_t taken = tcp_send(c, bytes_of(block, sizeof block));
        bench.sent += taken;
        if (taken < sizeof block) /* WRITABLE will come */
            break;
    }
}

static void drain(struct tcp_connection *c)
{
    struct slice views[VIEWS];
    size_t count;
    while ((count = tcp_received(c, views, VIEWS)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++)
            len += views[i].len;
        tcp_consume(c, len);
        bench.received += len;
    }
}

static void on_events(struct pair *pair, int end)
{
    struct socket_event event;
    struct stack *stack = pair->ends[end].stack;
    while (stack_next_event(stack, &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            while (tcp_accept(bench.listener, NULL) != NULL)
                ;
            continue;
        }
        struct tcp_connection *c = socket_tcp(event.socket);
        if (event.events & SOCKET_FAILED)
            pair_die("a connection failed");
        bench.connected += (event.events & SOCKET_OPENED) != 0;
        if (end == PAIR_B)
            drain(c);
        else if (event.events & SOCKET_WRITABLE)
            fill(c);
    }
}

static void connect_all(struct pair *pair, unsigned streams, usec *now)
{
    struct tcp_listen_options listen = {
        .local = {pair->ends[PAIR_B].address, PAIR_PORT},
        .backlog = STREAMS_MAX,
    };
    bench.listener = tcp_listen(pair->ends[PAIR_B].stack, &listen);
    if (bench.listener == NULL)
        pair_die("cannot listen");
    for (unsigned i = 0; i < streams; i++) {
        struct tcp_connect_options options = {.remote = listen.local};
        bench.senders[i] = tcp_connect(pair->ends[PAIR_A].stack, &options);
        if (bench.senders[i] == NULL)
            pair_die("cannot connect");
        pair_turn(pair, *now, on_events);
    }
    for (unsigned turns = 0; bench.connected < streams; turns++) {
        *now += 1000;
        pair_turn(pair, *now, on_events);
        if (turns > 10000)
            pair_die("connections do not open");
    }
    tcp_listener_close(bench.listener);
}

/* Counters since the beginning of what is measured. */
struct totals {
    uint64_t received, segments, acks, calls;
};

static struct totals totals_of(const struct pair *pair)
{
    const struct pair_end *ends = pair->ends;
    return (struct totals){
        .received = bench.received,
        .segments = ends[PAIR_A].segments_out,
        .acks = ends[PAIR_B].acks_out,
        .calls = ends[PAIR_A].heap.calls + ends[PAIR_B].heap.calls + pair->frames_heap.calls,
    };
}

static void report(const struct pair *pair, const struct totals *from, double seconds)
{
    struct totals now = totals_of(pair);
    double octets = (double)(now.received - from->received);
    printf("{\"octets\": %.0f, \"seconds\": %.6f, \"gbit\": %.4f, \"segments\": %llu, "
           "\"acks\": %llu, \"heap_calls\": %llu}\n",
           octets, seconds, octets * 8 / seconds / 1e9,
           (unsigned long long)(now.segments - from->segments),
           (unsigned long long)(now.acks - from->acks),
           (unsigned long long)(now.calls - from->calls));
}

static void fill_all(unsigned streams)
{
    for (unsigned i = 0; i < streams; i++)
        fill(bench.senders[i]);
}

static void bulk(struct pair *pair, unsigned streams, double seconds)
{
    usec now = pair_clock();
    connect_all(pair, streams, &now);
    /* Connecting has pushed the stacks' clock ahead of the real one by some milliseconds. */
    usec ahead = now - pair_clock();
    usec warm = now + (usec)(seconds / 4 * 1e6);
    usec end = warm + (usec)(seconds * 1e6);
    struct totals from = {0};
    double cpu = 0;
    fill_all(streams);
    while (now < end) {
        now = usec_max(now, pair_clock() + ahead);
        pair_turn(pair, now, on_events);
        if (cpu == 0 && now >= warm) {
            from = totals_of(pair);
            cpu = pair_cpu();
        }
    }
    report(pair, &from, pair_cpu() - cpu);
}

/* In virtual time each turn is 100 us, so that a run under callgrind, fifty times slower, is the
 * same as one without. */
static void count(struct pair *pair, unsigned streams, uint64_t octets)
{
    usec now = 0;
    connect_all(pair, streams, &now);
    struct totals from = totals_of(pair);
    bench.wanted = octets;
    fill_all(streams);
    double cpu = pair_cpu();
    while (bench.received < octets) {
        now += 100;
        pair_turn(pair, now, on_events);
    }
    report(pair, &from, pair_cpu() - cpu);
}

int main(int argc, char **argv)
{
    static struct pair pair;
    if (argc < 4)
        pair_die("stack_pair bulk STREAMS SECONDS [offload] | count STREAMS OCTETS [offload]");
    unsigned streams = (unsigned)atoi(argv[2]);
    if (streams == 0 || streams > STREAMS_MAX)
        pair_die("between 1 and 20000 streams");
    struct pair_options options = {
        .offload = argc > 4 && strcmp(argv[4], "offload") == 0,
        .buffer = streams > 16 ? 65536 : 512 * 1024,
    };
    if (strcmp(argv[1], "bulk") == 0) {
        pair_open(&pair, &options, pair_clock());
        bulk(&pair, streams, atof(argv[3]));
    } else {
        pair_open(&pair, &options, 0);
        count(&pair, streams, strtoull(argv[3], NULL, 10));
    }
    for (unsigned i = 0; i < streams; i++)
        tcp_abort(bench.senders[i]);
    pair_close(&pair);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * stack_pair.c - octets between two of our stacks in one process, on one core:
 *
 *      stack_pair bulk STREAMS SECONDS [offload]     as fast as it goes, for the wall clock's time
 *      stack_pair workers COUNT STREAMS SECONDS [offload]    that many pairs, each with its part of
 *                                                    the streams and a thread on a CPU of its own
 *      stack_pair count STREAMS OCTETS [offload]     so many octets, in virtual time: for callgrind
 *
 * A sends copies of blocks of 16 KiB, B consumes what has come; the link copies each frame. One line
 * of JSON comes out.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support/pair.h"

enum {
    STREAMS_MAX = 20000,
    BLOCK = 16384,
    VIEWS = 16,
    WORKERS_MAX = 64,
};

struct bench {
    struct tcp_connection *senders[STREAMS_MAX];
    unsigned connected;
    uint64_t received;
    uint64_t wanted; /* stop sending when so many were taken; 0: never */
    uint64_t sent;
    struct tcp_listener *listener;
};

/* Of one pair, and so of one thread. */
static _Thread_local struct bench bench;
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

static void report(const struct totals *from, const struct totals *to, double seconds)
{
    struct totals now = *to;
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

/* Returns the seconds of CPU between the two. */
static double bulk(struct pair *pair, unsigned streams, double seconds, struct totals *from,
                   struct totals *to)
{
    usec now = pair_clock();
    connect_all(pair, streams, &now);
    /* Connecting has pushed the stacks' clock ahead of the real one by some milliseconds. */
    usec ahead = now - pair_clock();
    usec warm = now + (usec)(seconds / 4 * 1e6);
    usec end = warm + (usec)(seconds * 1e6);
    double cpu = 0;
    *from = (struct totals){0};
    fill_all(streams);
    while (now < end) {
        now = usec_max(now, pair_clock() + ahead);
        pair_turn(pair, now, on_events);
        if (cpu == 0 && now >= warm) {
            *from = totals_of(pair);
            cpu = pair_cpu();
        }
    }
    *to = totals_of(pair);
    return pair_cpu() - cpu;
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
    cpu = pair_cpu() - cpu;
    struct totals to = totals_of(pair);
    report(&from, &to, cpu);
}

/* ---- workers, which share nothing ---- */

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    unsigned cpu, streams;
    double seconds;
    struct pair_options options;
    double octets, cpu_seconds; /* the result */
};

static void end(struct pair *pair, unsigned streams)
{
    for (unsigned i = 0; i < streams; i++)
        tcp_abort(bench.senders[i]);
    pair_close(pair);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pair pair;
    struct totals from, to;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(worker->cpu, &cpus);
    (void)!pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus); /* fewer CPUs: as it comes */
    pair_open(&pair, &worker->options, pair_clock());
    (void)pthread_barrier_wait(worker->start);
    worker->cpu_seconds = bulk(&pair, worker->streams, worker->seconds, &from, &to);
    worker->octets = (double)(to.received - from.received);
    end(&pair, worker->streams);
    return NULL;
}

/* `gbit` by the clock on the wall, `gbit_cpu` by each worker's own CPU: where others use the CPUs
 * too, only the latter says what the workers do to each other. */
static void workers(unsigned count, const struct worker *like)
{
    static struct worker all[WORKERS_MAX];
    pthread_barrier_t start;
    double octets = 0;
    double gbit_cpu = 0;
    if (pthread_barrier_init(&start, NULL, count) != 0)
        pair_die("no barrier");
    for (unsigned i = 0; i < count; i++) {
        all[i] = *like;
        all[i].start = &start;
        all[i].cpu = i;
        all[i].streams = like->streams / count;
        if (pthread_create(&all[i].thread, NULL, work, &all[i]) != 0)
            pair_die("no thread");
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(all[i].thread, NULL);
        octets += all[i].octets;
        gbit_cpu += all[i].octets * 8 / all[i].cpu_seconds / 1e9;
    }
    printf("{\"workers\": %u, \"octets\": %.0f, \"gbit\": %.4f, \"gbit_cpu\": %.4f}\n", count, octets,
           octets * 8 / like->seconds / 1e9, gbit_cpu);
}

int main(int argc, char **argv)
{
    static struct pair pair;
    bool many = argc > 2 && strcmp(argv[1], "workers") == 0;
    char **a = many ? argv + 1 : argv;
    int words = many ? argc - 1 : argc;
    if (words < 4)
        pair_die("stack_pair bulk STREAMS SECONDS [offload] | workers COUNT STREAMS SECONDS [offload] |"
                 " count STREAMS OCTETS [offload]");
    unsigned streams = (unsigned)atoi(a[2]);
    unsigned count_of_workers = many ? (unsigned)atoi(argv[2]) : 1;
    if (streams == 0 || streams > STREAMS_MAX || count_of_workers == 0 ||
        count_of_workers > WORKERS_MAX || streams < count_of_workers)
        pair_die("between 1 and 20000 streams, and 1 to 64 workers, which have one each at least");
    struct pair_options options = {
        .offload = words > 4 && strcmp(a[4], "offload") == 0,
        .buffer = streams > 16 ? 65536 : 512 * 1024,
    };
    if (many) {
        struct worker like = {.streams = streams, .seconds = atof(a[3]), .options = options};
        workers(count_of_workers, &like);
        return 0;
    }
    if (strcmp(argv[1], "bulk") == 0) {
        struct totals from, to;
        pair_open(&pair, &options, pair_clock());
        double cpu = bulk(&pair, streams, atof(argv[3]), &from, &to);
        report(&from, &to, cpu);
    } else {
        pair_open(&pair, &options, 0);
        count(&pair, streams, strtoull(argv[3], NULL, 10));
    }
    end(&pair, streams);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * stack_memory.c - what connections cost that do nothing, between two of our stacks in one process:
 *
 *      stack_memory idle COUNT         opens COUNT, ten steps: rate and longest pause of each
 *      stack_memory syn COUNT          half open at B, whose SYN-ACKs get lost; at most 65,536
 *      stack_memory time-wait COUNT    closed by A; at most 131,072
 *
 * Octets are those of the C library's blocks, heads included, so that the slot in the table and
 * what is kept warm are in them. One line of JSON comes out.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support/pair.h"

enum {
    STEPS = 10,
    PORTS = 64,       /* one leads to 49,152 connections at most */
    WARM = 3000,      /* opened and closed before: what is kept warm is not counted twice */
    OPEN_BATCH = 32,
};

struct bench {
    struct tcp_listener *listeners[PORTS];
    struct tcp_connection *warm[WARM];
    unsigned long connected;
    unsigned long accepted;
    bool closing; /* B closes when A does */
};

static struct bench bench;

static void on_events(struct pair *pair, int end)
{
    struct socket_event event;
    while (stack_next_event(pair->ends[end].stack, &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            while (tcp_accept(socket_listener(event.socket), NULL) != NULL)
                bench.accepted++;
            continue;
        }
        if (event.events & SOCKET_OPENED)
            bench.connected++;
        if ((event.events & SOCKET_FAILED) || (bench.closing && (event.events & SOCKET_END)))
            tcp_close(socket_tcp(event.socket));
    }
}

static void listen_all(struct pair *pair)
{
    for (int i = 0; i < PORTS; i++) {
        struct tcp_listen_options options = {
            .local = {pair->ends[PAIR_B].address, (uint16_t)(PAIR_PORT + i)},
            .backlog = 65535,
        };
        bench.listeners[i] = tcp_listen(pair->ends[PAIR_B].stack, &options);
        if (bench.listeners[i] == NULL)
            pair_die("cannot listen");
    }
}

static struct tcp_connection *dial(struct pair *pair, unsigned long number)
{
    struct tcp_connect_options options = {
        .remote = {pair->ends[PAIR_B].address, (uint16_t)(PAIR_PORT + number % PORTS)},
    };
    struct tcp_connection *c = tcp_connect(pair->ends[PAIR_A].stack, &options);
    if (c == NULL)
        pair_die("cannot connect");
    return c;
}

/* Time goes on as far as the stacks want it to, and their first, busy seconds are over. */
static void settle(struct pair *pair, usec *now, usec duration)
{
    for (usec end = *now + duration; *now < end; *now += 10000)
        pair_turn(pair, *now, on_events);
}

static void warm_up(struct pair *pair, usec *now)
{
    for (int i = 0; i < WARM; i++) {
        bench.warm[i] = dial(pair, (unsigned long)i);
        pair_turn(pair, *now, on_events);
    }
    settle(pair, now, USEC_PER_SEC);
    for (int i = 0; i < WARM; i++)
        tcp_abort(bench.warm[i]);
    settle(pair, now, USEC_PER_SEC);
    bench.connected = 0;
    bench.accepted = 0;
}

static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long total, pages = 0;
    if (file == NULL || fscanf(file, "%lu %lu", &total, &pages) != 2)
        pair_die("/proc/self/statm");
    fclose(file);
    return pages * 4096;
}

struct level {
    size_t a, b, frames, resident;
};

static struct level level_of(const struct pair *pair)
{
    return (struct level){pair->ends[PAIR_A].heap.octets, pair->ends[PAIR_B].heap.octets,
                          pair->frames_heap.octets, resident()};
}

static void print_each(const struct pair *pair, const struct level *from, unsigned long count)
{
    struct level to = level_of(pair);
    printf("\"count\": %lu, \"a_each\": %.1f, \"b_each\": %.1f, \"resident_mb\": %.1f, "
           "\"resident_each\": %.1f}\n",
           count, ((double)to.a - (double)from->a) / (double)count,
           ((double)to.b - (double)from->b) / (double)count,
           ((double)to.resident - (double)from->resident) / 1e6,
           ((double)to.resident - (double)from->resident) / (double)count);
}

/* One step of `count` connections; prints its rate, and the longest that a batch has taken. */
static void open_step(struct pair *pair, unsigned long from, unsigned long count, usec *now)
{
    double cpu = pair_cpu();
    usec start = pair_clock();
    usec last = start;
    usec longest = 0;
    for (unsigned long i = 0; i < count; i += OPEN_BATCH) {
        for (unsigned long j = i; j < i + OPEN_BATCH && j < count; j++)
            (void)dial(pair, from + j);
        *now += 100;
        pair_turn(pair, *now, on_events);
        usec at = pair_clock();
        longest = usec_max(longest, at - last);
        last = at;
    }
    printf("%s{\"per_second\": %.0f, \"per_cpu_second\": %.0f, \"longest_ms\": %.2f}",
           from > 0 ? ", " : "", (double)count * 1e6 / (double)(last - start),
           (double)count / (pair_cpu() - cpu), (double)longest / 1e3);
}

static void idle(struct pair *pair, unsigned long count, usec *now)
{
    struct level from = level_of(pair);
    printf("{\"steps\": [");
    for (int i = 0; i < STEPS; i++)
        open_step(pair, count / STEPS * (unsigned long)i, count / STEPS, now);
    settle(pair, now, 2 * USEC_PER_SEC);
    printf("], ");
    if (bench.connected < count / STEPS * STEPS || bench.accepted < count / STEPS * STEPS)
        pair_die("not all connections opened");
    print_each(pair, &from, count);
}

static void demand_all(const struct pair *pair, int end, unsigned long count)
{
    if (stack_counters(pair->ends[end].stack)->tcpConnections < count)
        pair_die("not all of them are there");
}

static void half_open(struct pair *pair, unsigned long count, usec *now)
{
    struct level from = level_of(pair);
    for (unsigned long i = 0; i < count; i++) {
        struct frame *frame;
        (void)dial(pair, i);
        while ((frame = pair_output_a(pair)) != NULL)
            pair_input_b(pair, frame, *now);
        while ((frame = pair_output_b(pair)) != NULL)
            frame_unref(frame);
    }
    demand_all(pair, PAIR_B, count);
    printf("{");
    print_each(pair, &from, count);
}

static void time_wait(struct pair *pair, unsigned long count, usec *now)
{
    struct level from = level_of(pair);
    bench.closing = true;
    for (unsigned long i = 0; i < count; i++) {
        struct tcp_connection *c = dial(pair, i);
        pair_turn(pair, *now, on_events);
        tcp_close(c);
        *now += 50;
        pair_turn(pair, *now, on_events);
    }
    settle(pair, now, USEC_PER_SEC);
    demand_all(pair, PAIR_A, count);
    printf("{");
    print_each(pair, &from, count);
}

int main(int argc, char **argv)
{
    static struct pair pair;
    if (argc != 3)
        pair_die("stack_memory idle | syn | time-wait COUNT");
    unsigned long count = strtoul(argv[2], NULL, 10);
    struct pair_options options = {.connections_max = count + WARM + 1000};
    usec now = 0;
    pair_open(&pair, &options, now);
    listen_all(&pair);
    warm_up(&pair, &now);
    (void)malloc_trim(0);
    if (strcmp(argv[1], "idle") == 0)
        idle(&pair, count, &now);
    else if (strcmp(argv[1], "syn") == 0)
        half_open(&pair, count, &now);
    else
        time_wait(&pair, count, &now);
    fflush(stdout);
    _Exit(0); /* a million connections need not be taken down one by one */
}

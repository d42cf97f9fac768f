/* SPDX-License-Identifier: ISC */
/*
 * congestion.c - what each congestion control makes of a path, in virtual time.
 *
 *      congestion                         the table of docs/congestion.md
 *      congestion ALGORITHM RATE RTT LOSS QUEUE FLOWS SECONDS [step]
 *                                         one run: Mb/s, msec, percent, BDPs; with `step`, msec, a line
 *                                         for each step
 *
 * Two hosts with an MTU of 1500, no offloads, a wire whose one direction has the rate and the queue
 * in front of it; connections that send all they can, each from another second on. The same
 * arguments give the same figures, on any machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/memory.h"
#include "sim/world.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"

enum { FLOWS_MAX = 8, PORT = 5001, FRAME_LEN = 1514, PAYLOAD = 1448 };

struct path {
    const char *algorithms[FLOWS_MAX];
    double rate;    /* Mb/s */
    double rtt;     /* msec */
    double loss;    /* percent */
    double queue;   /* in BDPs */
    unsigned flows;
    double seconds; /* counted, after a third as long that is not */
    double step;    /* msec; 0: quiet */
};

struct result {
    double goodput[FLOWS_MAX]; /* Mb/s */
    double all;
    double delay;   /* msec in the queue: mean over time of srtt, less the path's RTT */
    double jain;
    double again;   /* percent of the octets */
    uint32_t timeouts;
};

struct flow {
    struct tcp_connection *sender;
    struct tcp_connection *receiver;
    uint64_t received;
    uint64_t counted; /* `received` when counting began */
};

struct experiment {
    struct heap heap;
    struct world *world;
    struct stack *a;
    struct stack *b;
    struct wire *wire;
    struct flow flows[FLOWS_MAX];
    unsigned started;
    double delays;
    unsigned delay_count;
};

static void die(const char *what)
{
    fprintf(stderr, "congestion: %s\n", what);
    exit(2);
}

static uint32_t bdp_frames(const struct path *path)
{
    double frames = path->rate * 1e6 / 8 * path->rtt / 1e3 / FRAME_LEN;
    return frames < 1 ? 1 : (uint32_t)frames;
}

static struct stack *add_host(struct experiment *e, unsigned number, const struct path *path)
{
    struct tcp_profile profile = tcp_profile_default;
    double bdp = (double)bdp_frames(path) * PAYLOAD;
    double buffer = 4 * (1 + path->queue) * bdp;
    profile.receive_buffer = buffer < 4e6 ? 4000000 : (uint32_t)buffer;
    profile.send_buffer = profile.receive_buffer;
    struct stack_options options = {.tcp_profile = &profile};
    if (world_add_host(e->world, &options) != (int)number)
        die("no memory");
    struct stack *stack = world_host(e->world, number);
    struct interface_options interface = {.name = "wire", .mtu = 1500,
                                          .mac = {{2, 0, 0, 0, 0, (uint8_t)(number + 1)}}};
    struct ip_prefix address = {address_v4(0x0a000001 + number), 24};
    if (stack_add_interface(stack, &interface) != 0 ||
        !stack_add_address(stack, 0, &address, false))
        die("no interface");
    /* Random loss is not ARP's matter here. */
    struct ip_address peer = address_v4(0x0a000002 - number);
    struct mac mac = {{2, 0, 0, 0, 0, (uint8_t)(2 - number)}};
    if (!stack_add_neighbour(stack, 0, &peer, &mac))
        die("no neighbour");
    return stack;
}

static void set_up(struct experiment *e, const struct path *path)
{
    *e = (struct experiment){.heap = memory_heap()};
    e->world = world_new(&e->heap, 1, 0);
    if (e->world == NULL)
        die("no memory");
    e->a = add_host(e, 0, path);
    e->b = add_host(e, 1, path);
    uint32_t queue = (uint32_t)(path->queue * bdp_frames(path));
    struct wire_options wire = {.seed = 7};
    wire.a_to_b.delay = (usec)(path->rtt * 500);
    wire.a_to_b.rate = (uint64_t)(path->rate * 1e6);
    wire.a_to_b.queue = queue < 4 ? 4 : queue;
    wire.a_to_b.loss = (uint32_t)(path->loss * 1e4);
    wire.b_to_a.delay = (usec)(path->rtt * 500);
    e->wire = world_connect(e->world, (struct world_port){0, 0}, (struct world_port){1, 0}, &wire);
    struct tcp_listen_options listen = {.local = {address_any_v4(), PORT}};
    if (e->wire == NULL || tcp_listen(e->b, &listen) == NULL)
        die("no memory");
}

static void start_flow(struct experiment *e, const struct path *path)
{
    struct flow *flow = &e->flows[e->started];
    struct tcp_connect_options options = {.remote = {address_v4(0x0a000002), PORT}, .user = flow};
    flow->sender = tcp_connect(e->a, &options);
    int kind = tcp_congestion_find(path->algorithms[e->started]);
    if (flow->sender == NULL || kind < 0 ||
        tcp_set_option(flow->sender, TCP_OPTION_CONGESTION, (uint64_t)kind) != TCP_OPTION_SET)
        die("no connection, or no such algorithm");
    e->started++;
}

static void fill(struct flow *flow)
{
    static const uint8_t block[16384];
    while (tcp_send(flow->sender, (struct bytes){block, sizeof block}) == sizeof block)
        continue;
}

static void sender_events(struct experiment *e)
{
    struct socket_event event;
    while (stack_next_event(e->a, &event)) {
        if (event.events & SOCKET_FAILED)
            die("a connection failed");
        if (event.events & (SOCKET_OPENED | SOCKET_WRITABLE))
            fill(event.socket->user);
    }
}

static void receiver_events(struct experiment *e)
{
    struct socket_event event;
    while (stack_next_event(e->b, &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            struct tcp_listener *listener = socket_listener(event.socket);
            struct tcp_connection *c;
            while ((c = tcp_accept(listener, NULL)) != NULL)
                for (unsigned i = 0; i < e->started; i++)
                    if (tcp_local(e->flows[i].sender)->port == tcp_remote(c)->port)
                        e->flows[i].receiver = c;
        }
    }
    for (unsigned i = 0; i < e->started; i++) {
        struct flow *flow = &e->flows[i];
        size_t len = flow->receiver != NULL ? tcp_received_len(flow->receiver) : 0;
        if (len > 0)
            tcp_consume(flow->receiver, len);
        flow->received += len;
    }
}

static void print_step(struct experiment *e, const struct path *path)
{
    static struct tcp_info last[FLOWS_MAX];
    for (unsigned i = 0; i < e->started; i++) {
        struct tcp_info info;
        tcp_info(e->flows[i].sender, &info);
        double rate = (double)(info.octets_acknowledged - last[i].octets_acknowledged) * 8 /
                      (path->step * 1e3);
        printf("%8.3f %u: %7.2f Mb/s cwnd %6.1f ssthresh %8.1f flight %6.1f srtt %7.2f ms"
               " again %u timeouts %u\n",
               (double)world_now(e->world) / 1e6, i, rate, info.cwnd / (double)info.mss,
               info.ssthresh / (double)info.mss, info.flight / (double)info.mss,
               (double)info.srtt / 1e3, info.retransmits, info.timeouts);
        last[i] = info;
    }
}

static void sample_delay(struct experiment *e, const struct path *path)
{
    for (unsigned i = 0; i < e->started; i++) {
        struct tcp_info info;
        tcp_info(e->flows[i].sender, &info);
        double frame = FRAME_LEN * 8 / path->rate / 1e3; /* msec on the wire, which is no queue */
        double delay = (double)info.srtt / 1e3 - path->rtt - frame;
        e->delays += delay > 0 ? delay : 0;
        e->delay_count++;
    }
}

/* Turns the world until `until`, sampling ten times in a round trip, and now and then printing. */
static void turn(struct experiment *e, const struct path *path, usec until, bool counts)
{
    usec interval = (usec)(path->rtt * 100);
    usec sample_at = world_now(e->world);
    usec print_at = path->step > 0 ? world_now(e->world) : USEC_NEVER;
    while (world_now(e->world) < until) {
        usec next = world_deadline(e->world);
        if (next == USEC_NEVER || next > until)
            world_run_until(e->world, until);
        else
            world_step(e->world);
        sender_events(e);
        receiver_events(e);
        if (counts && world_now(e->world) >= sample_at) {
            sample_delay(e, path);
            sample_at = world_now(e->world) + interval;
        }
        if (world_now(e->world) >= print_at) {
            print_step(e, path);
            print_at += (usec)(path->step * 1e3);
        }
    }
}

static void sum_up(struct experiment *e, const struct path *path, struct result *out)
{
    double squares = 0;
    uint64_t again = 0;
    uint64_t sent = 0;
    *out = (struct result){0};
    for (unsigned i = 0; i < path->flows; i++) {
        struct tcp_info info;
        struct flow *flow = &e->flows[i];
        out->goodput[i] = (double)(flow->received - flow->counted) * 8 / path->seconds / 1e6;
        out->all += out->goodput[i];
        squares += out->goodput[i] * out->goodput[i];
        tcp_info(flow->sender, &info);
        again += info.retransmits;
        sent += info.octets_acknowledged / info.mss;
        out->timeouts += info.timeouts;
    }
    out->jain = squares > 0 ? out->all * out->all / (path->flows * squares) : 0;
    out->delay = e->delay_count > 0 ? e->delays / e->delay_count : 0;
    out->again = sent > 0 ? 100 * (double)again / (double)sent : 0;
}

static void run(const struct path *path, struct result *out)
{
    struct experiment e;
    set_up(&e, path);
    for (unsigned i = 0; i < path->flows; i++) {
        start_flow(&e, path);
        turn(&e, path, world_now(e.world) + USEC_PER_SEC, false);
    }
    usec warm = (usec)(path->seconds / 3 * 1e6);
    turn(&e, path, world_now(e.world) + warm, false);
    for (unsigned i = 0; i < path->flows; i++)
        e.flows[i].counted = e.flows[i].received;
    turn(&e, path, world_now(e.world) + (usec)(path->seconds * 1e6), true);
    sum_up(&e, path, out);
    world_free(e.world);
}

/* What TCP's text can be at most of the rate: headers, and the part that is lost. */
static double bound(const struct path *path)
{
    return path->rate * PAYLOAD / FRAME_LEN * (1 - path->loss / 100);
}

/* Mathis' law for a window that is halved at each loss: MSS / RTT * sqrt(3/2) / sqrt(p). */
static double reno_bound(const struct path *path)
{
    double p = path->loss / 100;
    if (p <= 0)
        return bound(path);
    double root = 1; /* of 1.5 / p, by Newton: no libm */
    for (int i = 0; i < 60; i++)
        root = (root + 1.5 / p / root) / 2;
    double law = PAYLOAD * 8 / (path->rtt * 1e3) * root;
    return law < bound(path) ? law : bound(path);
}

static void print_row(struct path path)
{
    unsigned place = 0;
    const char *name;
    printf("| %g | %g | %g | %g | %.1f | %.1f |", path.rate, path.rtt, path.loss, path.queue,
           bound(&path), reno_bound(&path));
    while ((name = tcp_congestion_each(&place)) != NULL) {
        struct result result;
        path.algorithms[0] = name;
        run(&path, &result);
        printf(" %.1f | %.1f |", result.all, result.delay);
    }
    printf("\n");
    fflush(stdout);
}

static void print_head(void)
{
    unsigned place = 0;
    const char *name;
    printf("| Mb/s | RTT ms | loss %% | queue BDP | bound | Reno's law |");
    while ((name = tcp_congestion_each(&place)) != NULL)
        printf(" %s Mb/s | %s queue ms |", name, name);
    printf("\n|");
    for (unsigned i = 0; i < 6 + 2 * TCP_CONGESTION_COUNT; i++)
        printf("---|");
    printf("\n");
}

static void print_single(void)
{
    static const double rates[] = {10, 100, 1000};
    static const double rtts[] = {2, 20, 100};
    static const double losses[] = {0, 0.1, 1};
    static const double queues[] = {1, 0.25};
    print_head();
    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        for (size_t j = 0; j < ARRAY_LEN(rtts); j++)
            for (size_t k = 0; k < ARRAY_LEN(losses); k++)
                for (size_t l = 0; l < ARRAY_LEN(queues); l++)
                    print_row((struct path){.rate = rates[i], .rtt = rtts[j], .loss = losses[k],
                                            .queue = queues[l], .flows = 1,
                                            .seconds = rates[i] > 500 ? 12 : 30});
}

static void print_pair(const char *first, const char *second)
{
    static const double rtts[] = {2, 20, 100};
    for (size_t i = 0; i < ARRAY_LEN(rtts); i++) {
        for (unsigned queue = 0; queue < 2; queue++) {
            struct path path = {.algorithms = {first, second}, .rate = 50, .rtt = rtts[i],
                                .queue = queue == 0 ? 1 : 0.25, .flows = 2, .seconds = 60};
            struct result result;
            run(&path, &result);
            printf("| %s | %s | %g | %g | %.1f | %.1f | %.3f | %.1f |\n", first, second, path.rtt,
                   path.queue, result.goodput[0], result.goodput[1], result.jain, result.delay);
            fflush(stdout);
        }
    }
}

static void print_table(void)
{
    print_single();
    printf("\n| first | second | RTT ms | queue BDP | first Mb/s | second Mb/s | Jain | queue ms |\n"
           "|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < TCP_CONGESTION_COUNT; i++)
        for (int j = i; j < TCP_CONGESTION_COUNT; j++)
            print_pair(tcp_congestion_name((enum tcp_congestion_kind)i),
                       tcp_congestion_name((enum tcp_congestion_kind)j));
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        print_table();
        return 0;
    }
    if (argc < 8)
        die("expected ALGORITHM[,ALGORITHM…] RATE RTT LOSS QUEUE FLOWS SECONDS [STEP]");
    struct path path = {.rate = atof(argv[2]), .rtt = atof(argv[3]), .loss = atof(argv[4]),
                        .queue = atof(argv[5]), .flows = (unsigned)atoi(argv[6]),
                        .seconds = atof(argv[7]), .step = argc > 8 ? atof(argv[8]) : 0};
    if (path.flows == 0 || path.flows > FLOWS_MAX)
        die("1 to 8 flows");
    char *name = strtok(argv[1], ",");
    for (unsigned i = 0; i < path.flows; i++) {
        path.algorithms[i] = name;
        char *next = strtok(NULL, ",");
        name = next != NULL ? next : name;
    }
    struct result result;
    run(&path, &result);
    for (unsigned i = 0; i < path.flows; i++)
        printf("%s: %.2f Mb/s\n", path.algorithms[i], result.goodput[i]);
    printf("all %.2f of %.2f Mb/s (Reno's law %.2f), queue %.2f ms, Jain %.3f, again %.2f %%, "
           "timeouts %u\n", result.all, bound(&path), reno_bound(&path), result.delay, result.jain,
           result.again, result.timeouts);
    return 0;
}

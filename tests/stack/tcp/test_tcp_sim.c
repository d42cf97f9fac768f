/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_sim.c - two stacks, a bad wire between them, and applications that write and read as they
 * like: every octet is checked on both ends, every connection must end, and no memory may be left.
 *
 *      test_tcp_sim             as many seeds as a unit test has time for
 *      test_tcp_sim SEED        replays one, with all that the stacks tell
 *      test_tcp_sim FIRST LAST  replays a range
 *
 * A seed decides everything: impairments, MTU, offload, clocks, buffers, sizes, who closes when.
 */
#include <stdio.h>

#include "base/prng.h"
#include "sim/world.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "tests/support/check.h"
#include "tests/support/tcp_check.h"

enum { FLOWS_MAX = 4, SEEDS = 300 };

#define GIVE_UP (4 * USEC_PER_HOUR)

/* One direction of a flow: octet number i is octet_at(key, i). */
struct direction {
    uint64_t key;
    size_t total;
    size_t written;
    size_t read;
};

struct app {
    struct tcp_connection *c;
    struct direction *out;
    struct direction *in;
    usec wakes_at;   /* a slow reader sleeps */
    bool opened;
    bool shut;       /* has said tcp_shutdown() */
    bool closed;     /* has said tcp_close() or tcp_abort() */
    bool finished;   /* was told SOCKET_FINISHED */
    bool ended;      /* was told SOCKET_END */
    bool failed;
    bool slow;
    bool closes_early; /* tcp_close() when written, without waiting for the peer's end */
    uint32_t appetite; /* octets per read at most */
};

struct flow {
    struct direction up;
    struct direction down;
    struct app client;
    struct app server;
    bool aborts;     /* somebody will abort */
    usec starts_at;
};

struct run {
    uint64_t seed;
    struct counting_heap counts;
    struct heap heap;
    struct prng prng;
    struct world *world;
    struct stack *hosts[2];
    struct tcp_profile profiles[2];
    struct wire *wire;
    usec cut_at;     /* the wire is cut then, USEC_NEVER: not at all */
    usec mended_at;
    struct tcp_listener *listener;
    struct flow flows[FLOWS_MAX];
    unsigned flow_count;
    uint32_t loss;
    usec tick;       /* of the clocks */
    bool verbose;
};

static uint8_t octet_at(uint64_t key, size_t i)
{
    uint64_t x = (key + i / 8) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    return (uint8_t)(x >> (8 * (i % 8)));
}

#define DEMAND(run, condition)                                                                    \
    do {                                                                                          \
        if (!(condition))                                                                         \
            fail_msg("seed %llu: not so: %s", (unsigned long long)(run)->seed, #condition);       \
    } while (0)

static uint32_t pick(struct run *run, const uint32_t *values, uint32_t count)
{
    return values[prng_below(&run->prng, count)];
}

static void choose_impairments(struct run *run, struct wire_impairments *out)
{
    static const uint32_t losses[] = {0, 0, 10000, 50000, 150000, 300000};
    static const uint32_t delays[] = {0, 20, 1000, 20000, 150000};
    static const uint32_t rates[] = {0, 0, 1000000, 10000000, 1000000000};
    out->loss = pick(run, losses, ARRAY_LEN(losses));
    out->delay = pick(run, delays, ARRAY_LEN(delays));
    out->jitter = prng_below(&run->prng, 3) == 0 ? out->delay / 2 : 0;
    out->duplicate = prng_below(&run->prng, 3) == 0 ? 50000 : 0;
    out->reorder = prng_below(&run->prng, 3) == 0 ? 100000 : 0;
    out->corrupt = prng_below(&run->prng, 3) == 0 ? 20000 : 0;
    out->rate = pick(run, rates, ARRAY_LEN(rates));
    out->queue = prng_below(&run->prng, 2) == 0 ? 20 : 0;
    out->mark = prng_below(&run->prng, 2) == 0 ? 5 : 0;
    if (out->loss > run->loss)
        run->loss = out->loss;
}

/* What the stacks tell, for whoever replays one seed. */
static void on_trace(void *self, const struct trace_event *event)
{
    const char *host = self;
    double at = (double)event->at / 1e6;
    switch (event->kind) {
    case TRACE_DROP:
        printf("%.6f %s: dropped: %s\n", at, host, drop_reason_text(event->u.drop.reason));
        break;
    case TRACE_TCP_STATE:
        printf("%.6f %s: %u-%u %s -> %s\n", at, host, event->u.tcp_state.local.port,
               event->u.tcp_state.remote.port, tcp_state_text(event->u.tcp_state.from),
               tcp_state_text(event->u.tcp_state.to));
        break;
    case TRACE_TCP_RETRANSMIT:
        printf("%.6f %s: %u-%u again %u, %u octets, cause %d\n", at, host,
               event->u.tcp_retransmit.local.port, event->u.tcp_retransmit.remote.port,
               event->u.tcp_retransmit.sequence, event->u.tcp_retransmit.len,
               event->u.tcp_retransmit.cause);
        break;
    case TRACE_TCP_WINDOW:
        printf("%.6f %s: %u-%u cwnd %u, ssthresh %u, window %u, flight %u, condition %d\n", at, host,
               event->u.tcp_window.local.port, event->u.tcp_window.remote.port,
               event->u.tcp_window.cwnd, event->u.tcp_window.ssthresh, event->u.tcp_window.window,
               event->u.tcp_window.flight, event->u.tcp_window.condition);
        break;
    case TRACE_NEIGHBOUR:
    case TRACE_KIND_COUNT:
        break;
    }
}

static bool trace_runs;

/* Text in SYNs, with cookies or without. */
static const struct tcp_profile *choose_profile(struct run *run, unsigned i)
{
    static const uint32_t client[] = {0, TCP_FAST_OPEN_CLIENT,
                                      TCP_FAST_OPEN_CLIENT | TCP_FAST_OPEN_CLIENT_NO_COOKIE};
    static const uint32_t server[] = {0, TCP_FAST_OPEN_SERVER | TCP_FAST_OPEN_EVERY_LISTENER,
                                      TCP_FAST_OPEN_SERVER | TCP_FAST_OPEN_EVERY_LISTENER |
                                          TCP_FAST_OPEN_SERVER_NO_COOKIE};
    struct tcp_profile *profile = &run->profiles[i];
    *profile = tcp_profile_default;
    profile->fast_open = pick(run, client, ARRAY_LEN(client)) |
                         pick(run, server, ARRAY_LEN(server));
    profile->ecn = (uint8_t)prng_below(&run->prng, TCP_ECN_COUNT);
    profile->congestion = (uint8_t)prng_below(&run->prng, TCP_CONGESTION_COUNT);
    return profile;
}

static void add_host(struct run *run, unsigned i)
{
    static char names[2][2] = {"A", "B"};
    static const uint32_t mtus[] = {576, 1500, 1500, 9000, 65535};
    static const uint32_t buffers[] = {0, 2048, 10000, 65536, 300000};
    struct stack_options options = {
        .tcp_receive_buffer = pick(run, buffers, ARRAY_LEN(buffers)),
        .tcp_send_buffer = pick(run, buffers, ARRAY_LEN(buffers)),
        .tcp_profile = choose_profile(run, i),
    };
    if (trace_runs)
        options.trace = (struct trace){on_trace, names[i]};
    int host = world_add_host(run->world, &options);
    assert_int_equal(host, i);
    run->hosts[i] = world_host(run->world, i);
    struct interface_options interface = {
        .name = "wire",
        .mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}},
        .mtu = (uint16_t)pick(run, mtus, ARRAY_LEN(mtus)),
    };
    /* Corrupted super-segments would have to survive whole: they do not on a bad wire. */
    if (prng_below(&run->prng, 2) == 0)
        interface.features = INTERFACE_CHECKSUM | INTERFACE_TSO4;
    assert_int_equal(stack_add_interface(run->hosts[i], &interface), 0);
    struct ip_prefix address = {address_v4(0x0a000001 + i), 24};
    assert_true(stack_add_address(run->hosts[i], 0, &address, false));
    /* ARP has no checksum: a corrupted one would cut the hosts off for a minute. */
    struct ip_address peer = address_v4(0x0a000002 - i);
    struct mac mac = {{2, 0, 0, 0, 0, (uint8_t)(2 - i)}};
    assert_true(stack_add_neighbour(run->hosts[i], 0, &peer, &mac));
}

static size_t choose_total(struct run *run)
{
    static const uint32_t most[] = {0, 1, 100, 5000, 100000, 1000000};
    uint32_t limit = pick(run, most, ARRAY_LEN(most));
    if (run->loss > 100000 && limit > 20000)
        limit = 20000;
    else if (run->loss > 0 && limit > 300000)
        limit = 300000;
    return limit > 0 ? prng_below(&run->prng, limit) + 1 : 0;
}

static void choose_app(struct run *run, struct app *app)
{
    static const uint32_t appetites[] = {1, 100, 5000, 100000, UINT32_MAX};
    app->slow = prng_below(&run->prng, 3) == 0;
    app->appetite = pick(run, appetites, ARRAY_LEN(appetites));
    if (app->appetite < 100 && app->in->total > 3000)
        app->appetite = 100;
    app->closes_early = prng_below(&run->prng, 4) == 0;
}

/* Two in three runs have clocks, and timers, that go by 1, 4 or 10 ms: many segments of one instant, and
 * round trips of none. */
static void choose_clock(struct run *run)
{
    static const uint32_t ticks[] = {1, 1, 1, 1000, 4000, 10000, 10000, 10000, 1000};
    run->tick = pick(run, ticks, ARRAY_LEN(ticks));
    world_set_clock(run->world, run->tick);
}

static void set_up(struct run *run, uint64_t seed)
{
    *run = (struct run){.seed = seed};
    run->heap = counting_heap(&run->counts);
    prng_init_number(&run->prng, seed);
    run->world = world_new(&run->heap, seed, (usec)prng_u32(&run->prng));
    assert_non_null(run->world);
    add_host(run, 0);
    add_host(run, 1);
    struct wire_options wire = {.seed = seed + 1};
    choose_impairments(run, &wire.a_to_b);
    choose_impairments(run, &wire.b_to_a);
    run->wire = world_connect(run->world, (struct world_port){0, 0}, (struct world_port){1, 0},
                              &wire);
    assert_non_null(run->wire);
    choose_clock(run);
    run->cut_at = USEC_NEVER;
    if (prng_below(&run->prng, 5) == 0)
        run->cut_at = world_now(run->world) + prng_below(&run->prng, 4000000);
    run->mended_at = USEC_NEVER;
    struct tcp_listen_options listen = {.local = {address_any_v4(), 80}};
    run->listener = tcp_listen(run->hosts[1], &listen);
    assert_non_null(run->listener);
    run->flow_count = 1 + prng_below(&run->prng, FLOWS_MAX);
    for (unsigned i = 0; i < run->flow_count; i++) {
        struct flow *flow = &run->flows[i];
        flow->up = (struct direction){prng_u64(&run->prng), choose_total(run), 0, 0};
        flow->down = (struct direction){prng_u64(&run->prng), choose_total(run), 0, 0};
        flow->client.out = flow->server.in = &flow->up;
        flow->client.in = flow->server.out = &flow->down;
        choose_app(run, &flow->client);
        choose_app(run, &flow->server);
        flow->aborts = prng_below(&run->prng, 10) == 0;
        flow->starts_at = world_now(run->world) + prng_below(&run->prng, 2000000);
    }
}

static void write_some(struct run *run, struct app *app)
{
    struct direction *out = app->out;
    uint8_t block[20000];
    while (!app->shut && out->written < out->total) {
        size_t len = 1 + prng_below(&run->prng, sizeof block);
        if (prng_below(&run->prng, 2) == 0)
            len = 1 + prng_below(&run->prng, 200);
        if (len > out->total - out->written)
            len = out->total - out->written;
        for (size_t i = 0; i < len; i++)
            block[i] = octet_at(out->key, out->written + i);
        size_t taken;
        if (prng_below(&run->prng, 2) == 0) {
            taken = tcp_send(app->c, bytes_of(block, len));
        } else {
            struct frame *frame = frame_new(world_frames(run->world), len);
            assert_non_null(frame);
            frame_append(frame, bytes_of(block, len));
            taken = tcp_send_frame(app->c, frame) ? len : 0;
            if (taken == 0)
                frame_unref(frame);
        }
        out->written += taken;
        if (taken < len)
            return;
        if (prng_below(&run->prng, 8) == 0)
            return;
    }
}

static void read_some(struct run *run, struct app *app)
{
    struct direction *in = app->in;
    size_t left = app->appetite;
    while (left > 0 && tcp_received_len(app->c) > 0) {
        struct slice views[3];
        size_t count = tcp_received(app->c, views, ARRAY_LEN(views));
        size_t used = 0;
        DEMAND(run, count > 0);
        for (size_t i = 0; i < count && used < left; i++) {
            size_t len = views[i].len < left - used ? views[i].len : left - used;
            for (size_t k = 0; k < len; k++)
                DEMAND(run, views[i].data[k] == octet_at(in->key, in->read + used + k));
            used += len;
        }
        tcp_consume(app->c, used);
        in->read += used;
        left -= used;
        DEMAND(run, in->read <= in->total);
    }
}

/* What may go wrong without anybody's fault. */
static bool failure_is_fair(const struct run *run, const struct flow *flow, enum tcp_error error)
{
    if (flow->aborts)
        return true;
    if (error == TCP_TIMED_OUT && run->loss >= 100000)
        return true;
    /* Closing early resets a peer that still sends; so does losing its last ACK. */
    return flow->client.closes_early || flow->server.closes_early || flow->client.failed ||
           flow->server.failed || run->loss >= 100000;
}

static void turn(struct run *run, struct flow *flow, struct app *app)
{
    if (app->c == NULL || app->closed || world_now(run->world) < app->wakes_at)
        return;
    if (app->failed) {
        DEMAND(run, tcp_state(app->c) == TCP_CLOSED && tcp_error(app->c) != TCP_OK);
        DEMAND(run, failure_is_fair(run, flow, tcp_error(app->c)));
        tcp_close(app->c);
        app->closed = true;
        return;
    }
    if (flow->aborts && prng_below(&run->prng, 30) == 0) {
        tcp_abort(app->c);
        app->closed = true;
        return;
    }
    read_some(run, app);
    write_some(run, app);
    bool all_written = app->out->written == app->out->total;
    if (all_written && !app->shut) {
        app->shut = true;
        if (app->closes_early) {
            tcp_close(app->c);
            app->closed = true;
            return;
        }
        tcp_shutdown(app->c);
    }
    if (tcp_at_end(app->c)) {
        DEMAND(run, app->ended);
        DEMAND(run, app->in->read == app->in->total || flow->aborts);
    }
    if (app->shut && tcp_at_end(app->c) && (app->finished || prng_below(&run->prng, 4) == 0)) {
        tcp_close(app->c);
        app->closed = true;
    } else if (app->slow) {
        app->wakes_at = world_now(run->world) + 1 + prng_below(&run->prng, 300000);
    }
}

static void take_events(struct run *run, struct stack *stack)
{
    struct socket_event event;
    while (stack_next_event(stack, &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            struct tcp_connection *c;
            while ((c = tcp_accept(run->listener, NULL)) != NULL) {
                /* Whose it is, its port tells. */
                for (unsigned i = 0; i < run->flow_count; i++) {
                    struct flow *flow = &run->flows[i];
                    if (flow->server.c == NULL && flow->client.out != NULL &&
                        tcp_remote(c)->port == 20000 + i) {
                        flow->server.c = c;
                        flow->server.opened = true;
                        tcp_set_user(c, &flow->server);
                        (void)tcp_set_option(c, TCP_OPTION_KEEPALIVE, 1); /* or a lost RST were never noticed */
                        c = NULL;
                        break;
                    }
                }
                if (c != NULL)
                    tcp_abort(c);
            }
            continue;
        }
        struct app *app = event.socket->user;
        DEMAND(run, app != NULL && !app->closed);
        app->opened = app->opened || (event.events & SOCKET_OPENED);
        app->finished = app->finished || (event.events & SOCKET_FINISHED);
        app->ended = app->ended || (event.events & SOCKET_END);
        app->failed = app->failed || (event.events & SOCKET_FAILED);
        if (run->verbose && (event.events & SOCKET_FAILED))
            printf("at %.6f: failed with error %d\n", (double)world_now(run->world) / 1e6,
                   tcp_error(app->c));
        if (event.events & SOCKET_FINISHED)
            DEMAND(run, app->shut && app->ended);
    }
}

static void start_flows(struct run *run)
{
    for (unsigned i = 0; i < run->flow_count; i++) {
        struct flow *flow = &run->flows[i];
        if (flow->client.c != NULL || world_now(run->world) < flow->starts_at)
            continue;
        struct tcp_connect_options connect = {
            .remote = {address_v4(0x0a000002), 80},
            .local = {address_any_v4(), (uint16_t)(20000 + i)},
            .user = &flow->client,
            .fast_open = prng_below(&run->prng, 2) == 0,
        };
        flow->client.c = tcp_connect(run->hosts[0], &connect);
        DEMAND(run, flow->client.c != NULL);
        (void)tcp_set_option(flow->client.c, TCP_OPTION_KEEPALIVE, 1);
    }
}

/* Would not wait for an event: it only did not do everything in one turn. */
static bool has_more_to_do(const struct app *app)
{
    return tcp_received_len(app->c) > 0 || (app->shut && tcp_at_end(app->c)) || app->failed ||
           (!app->shut && (app->out->written == app->out->total || tcp_send_room(app->c) > 0));
}

/* The instant at which an application does something of its own accord. */
static usec next_wish(const struct run *run)
{
    usec at = usec_min(run->cut_at, run->mended_at);
    for (unsigned i = 0; i < run->flow_count; i++) {
        const struct flow *flow = &run->flows[i];
        const struct app *apps[] = {&flow->client, &flow->server};
        if (flow->client.c == NULL)
            at = usec_min(at, flow->starts_at);
        for (size_t k = 0; k < 2; k++) {
            if (apps[k]->c == NULL || apps[k]->closed)
                continue;
            if (apps[k]->slow)
                at = usec_min(at, apps[k]->wakes_at);
            else if (has_more_to_do(apps[k]))
                at = usec_min(at, world_now(run->world) + 100);
        }
    }
    return at;
}

static bool all_closed(const struct run *run)
{
    for (unsigned i = 0; i < run->flow_count; i++) {
        const struct flow *flow = &run->flows[i];
        if (!flow->client.closed || (flow->server.c != NULL && !flow->server.closed))
            return false;
    }
    return true;
}

static void tell_app(const char *name, const struct app *app)
{
    struct tcp_info info = {0};
    if (app->c == NULL || app->closed) {
        printf("  %s: %s\n", name, app->closed ? "closed" : "none");
        return;
    }
    tcp_info(app->c, &info);
    printf("  %s: %s, written %zu of %zu, read %zu of %zu, waiting %zu; %s%s%s%s\n", name,
           tcp_state_text(info.state), app->out->written, app->out->total, app->in->read,
           app->in->total, tcp_received_len(app->c), app->shut ? "shut " : "",
           app->ended ? "ended " : "", app->finished ? "finished " : "",
           app->failed ? "failed " : "");
    printf("    flight %u, window %u, offered %u, cwnd %u, mss %u, rto %ld, unacknowledged %zu\n",
           info.flight, info.send_window, info.receive_window, info.cwnd, info.mss,
           (long)info.rto, tcp_unacknowledged(app->c));
}

/* For whoever replays a seed. */
static void tell(const struct run *run)
{
    for (unsigned i = 0; i < run->flow_count; i++) {
        printf("flow %u:\n", i);
        tell_app("client", &run->flows[i].client);
        tell_app("server", &run->flows[i].server);
    }
}

static void cut_and_mend(struct run *run)
{
    usec now = world_now(run->world);
    if (now >= run->cut_at) {
        wire_set_up(run->wire, false);
        run->cut_at = USEC_NEVER;
        run->mended_at = now + 1 + prng_below(&run->prng, 20000000);
    } else if (now >= run->mended_at) {
        wire_set_up(run->wire, true);
        run->mended_at = USEC_NEVER;
    }
}

static void step(struct run *run)
{
    start_flows(run);
    cut_and_mend(run);
    for (unsigned i = 0; i < 2; i++)
        take_events(run, run->hosts[i]);
    for (unsigned i = 0; i < run->flow_count; i++) {
        turn(run, &run->flows[i], &run->flows[i].client);
        turn(run, &run->flows[i], &run->flows[i].server);
    }
    usec deadline = world_deadline(run->world);
    usec wish = next_wish(run);
    if (wish > world_now(run->world) && wish < deadline) {
        world_run_until(run->world, wish);
    } else if (deadline == USEC_NEVER) {
        if (!all_closed(run))
            tell(run);
        DEMAND(run, all_closed(run));
    } else {
        (void)world_step(run->world);
    }
    for (unsigned i = 0; i < 2; i++)
        tcp_check_all(run->hosts[i]);
}

static void check_end(struct run *run)
{
    for (unsigned i = 0; i < run->flow_count; i++) {
        const struct flow *flow = &run->flows[i];
        bool calm = !flow->aborts && run->loss < 100000 && !flow->client.closes_early &&
                    !flow->server.closes_early;
        if (!calm)
            continue;
        if (flow->client.failed || flow->server.failed)
            tell(run);
        DEMAND(run, !flow->client.failed && !flow->server.failed);
        DEMAND(run, flow->up.read == flow->up.total);
        DEMAND(run, flow->down.read == flow->down.total);
        DEMAND(run, flow->client.ended && flow->server.ended);
    }
    for (unsigned i = 0; i < 2; i++) {
        size_t place = 0;
        const struct tcp_connection *left;
        while ((left = tcp_each(run->hosts[i], &place)) != NULL)
            printf("left on host %u: %s, port %u\n", i, tcp_state_text(tcp_state(left)),
                   tcp_remote(left)->port);
        DEMAND(run, stack_counters(run->hosts[i])->tcpConnections == 0);
        DEMAND(run, stack_counters(run->hosts[i])->tcpCurrEstab == 0);
    }
    struct frame_pool_counters frames;
    frame_pool_counters(world_frames(run->world), &frames);
    DEMAND(run, frames.frames == 0);
}

static void run_seed(uint64_t seed, bool verbose)
{
    static struct run run;
    set_up(&run, seed);
    run.verbose = verbose;
    usec began = world_now(run.world);
    unsigned long steps = 0;
    while (!all_closed(&run)) {
        step(&run);
        steps++;
        if (world_now(run.world) - began <= GIVE_UP)
            continue;
        tell(&run);
        fail_msg("seed %llu: not over after %ld s", (unsigned long long)seed,
                 (long)(GIVE_UP / USEC_PER_SEC));
    }
    usec took = world_now(run.world) - began;
    /* TIME-WAIT, orphans' retransmissions to nobody and all: twenty minutes are enough. */
    usec end = world_now(run.world) + 20 * USEC_PER_MINUTE;
    while (!all_closed(&run) ||
           (world_deadline(run.world) != USEC_NEVER && world_now(run.world) < end))
        step(&run);
    check_end(&run);
    if (verbose) {
        const struct stack_counters *a = stack_counters(run.hosts[0]);
        const struct stack_counters *b = stack_counters(run.hosts[1]);
        printf("seed %llu: %lu steps, %.3f s, loss %.1f%%, clock %ld us, sent %llu+%llu, again %llu+%llu\n",
               (unsigned long long)seed, steps, (double)took / 1e6, run.loss / 10000.0, (long)run.tick,
               (unsigned long long)a->tcpOutSegs, (unsigned long long)b->tcpOutSegs,
               (unsigned long long)a->tcpRetransSegs, (unsigned long long)b->tcpRetransSegs);
    }
    tcp_listener_close(run.listener);
    world_free(run.world);
    DEMAND(&run, run.counts.blocks == 0 && run.counts.octets == 0);
}

static uint64_t first_seed = 1;
static uint64_t last_seed = SEEDS;
static bool verbose_runs;

static void every_octet_arrives_in_order_over_bad_wires(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed <= last_seed; seed++)
        run_seed(seed, verbose_runs);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : first_seed;
        verbose_runs = true;
        trace_runs = argc == 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_arrives_in_order_over_bad_wires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

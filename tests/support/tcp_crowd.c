/* SPDX-License-Identifier: ISC */
/* tcp_crowd.c - a world full of hosts, and what their applications do. See tcp_crowd.h. */
#include "tests/support/tcp_crowd.h"

#include "base/prng.h"
#include "sim/world.h"
#include "stack/tcp/tcp.h"
#include "tests/support/check.h"
#include "tests/support/tcp_check.h"

enum {
    HUB_CLIENTS = 63, /* of a switch; the server has the last port */
    CLIENTS_MAX = 15 * HUB_CLIENTS,
    FLOWS_MAX = 4000,
    PORT = 80,
    FIRST_PORT = 20000,
};

struct direction {
    uint64_t key;
    size_t total, written, read;
};

struct side {
    struct tcp_connection *c;
    struct direction *out;
    struct direction *in;
    usec wakes_at;
    bool busy;     /* has something to do now */
    bool slow;
    bool early;    /* closes without waiting for the other */
    bool shut, closed, ended, finished, failed;
    uint32_t appetite;
};

struct flow {
    struct direction up, down;
    struct side client, server;
    unsigned host;
    usec starts_at;
    bool started;
    bool aborts;
};

struct client {
    struct wire *wire;
    struct stack *stack;
    struct ip_prefix address;
    usec cut_at, mended_at;
    usec leaves_at, returns_at;
};

struct crowd {
    const struct crowd_options *options;
    struct counting_heap counts;
    struct heap heap;
    struct prng prng;
    struct world *world;
    struct stack *server;
    struct tcp_listener *listener;
    struct client clients[CLIENTS_MAX];
    struct flow flows[FLOWS_MAX];
    unsigned flow_count;
    usec began;
};

#define DEMAND(crowd, condition)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu, at %.6f s: not so: %s",                                           \
                     (unsigned long long)(crowd)->options->seed,                                   \
                     (double)(world_now((crowd)->world) - (crowd)->began) / 1e6, #condition);      \
    } while (0)

static uint8_t octet_at(uint64_t key, size_t i)
{
    uint64_t x = (key + i / 8) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    return (uint8_t)(x >> (8 * (i % 8)));
}

static uint32_t chance(struct crowd *crowd, uint32_t of)
{
    return prng_below(&crowd->prng, of);
}

/* ---- the world ---- */

static void choose_impairments(struct crowd *crowd, struct wire_impairments *out)
{
    static const uint32_t delays[] = {50, 1000, 10000, 40000, 150000};
    static const uint64_t rates[] = {0, 0, 500000, 5000000, 100000000};
    uint32_t loss_max = crowd->options->loss_max;
    out->delay = delays[chance(crowd, ARRAY_LEN(delays))];
    out->loss = loss_max > 0 ? chance(crowd, loss_max + 1) : 0;
    if (!crowd->options->disorder)
        return;
    out->jitter = chance(crowd, 3) == 0 ? out->delay / 2 : 0;
    out->duplicate = chance(crowd, 3) == 0 ? 50000 : 0;
    out->reorder = chance(crowd, 3) == 0 ? 100000 : 0;
    out->corrupt = chance(crowd, 4) == 0 ? 10000 : 0;
    out->rate = rates[chance(crowd, ARRAY_LEN(rates))];
    out->queue = chance(crowd, 2) == 0 ? 20 : 0;
}

static struct mac mac_of(unsigned hub, unsigned n)
{
    return (struct mac){{2, 0, 0, 0, (uint8_t)hub, (uint8_t)n}};
}

static uint32_t address_in(unsigned hub, unsigned n)
{
    return 0x0a000000 + (hub << 8) + n;
}

static struct stack *add_host(struct crowd *crowd, unsigned *number)
{
    static const uint32_t buffers[] = {0, 0, 2048, 10000, 65536, 300000};
    struct stack_options options = {
        .tcp_receive_buffer = buffers[chance(crowd, ARRAY_LEN(buffers))],
        .tcp_send_buffer = buffers[chance(crowd, ARRAY_LEN(buffers))],
    };
    int host = world_add_host(crowd->world, &options);
    assert_true(host >= 0);
    *number = (unsigned)host;
    return world_host(crowd->world, *number);
}

static void add_interface(struct stack *stack, unsigned index, struct mac mac, uint16_t mtu,
                          uint32_t address)
{
    struct interface_options options = {.name = "eth", .mac = mac, .mtu = mtu};
    assert_int_equal(stack_add_interface(stack, &options), index);
    struct ip_prefix prefix = {address_v4(address), 24};
    assert_true(stack_add_address(stack, index, &prefix, false));
}

/* ARP has no checksum: a corrupted reply would cut a host off for a minute. So all know each other. */
static void introduce(struct stack *to, unsigned interface, unsigned hub, unsigned n)
{
    struct ip_address address = address_v4(address_in(hub, n));
    struct mac mac = mac_of(hub, n);
    assert_true(stack_add_neighbour(to, interface, &address, &mac));
}

static void add_client(struct crowd *crowd, unsigned i, unsigned hub, unsigned n)
{
    static const uint16_t mtus[] = {576, 1280, 1500, 1500};
    struct client *client = &crowd->clients[i];
    unsigned number;
    client->stack = add_host(crowd, &number);
    client->address = (struct ip_prefix){address_v4(address_in(hub, n)), 24};
    add_interface(client->stack, 0, mac_of(hub, n), mtus[chance(crowd, ARRAY_LEN(mtus))],
                  address_in(hub, n));
    introduce(client->stack, 0, hub, 1);
    introduce(crowd->server, hub, hub, n);
    struct wire_options wire = {0};
    choose_impairments(crowd, &wire.a_to_b);
    choose_impairments(crowd, &wire.b_to_a);
    client->wire = world_connect_switch(crowd->world, (struct world_port){number, 0}, hub, n - 2,
                                        &wire);
    assert_non_null(client->wire);
    usec now = world_now(crowd->world);
    client->cut_at = client->mended_at = USEC_NEVER;
    client->leaves_at = client->returns_at = USEC_NEVER;
    if (crowd->options->flapping && chance(crowd, 3) == 0)
        client->cut_at = now + chance(crowd, 5000000);
    if (crowd->options->moving && chance(crowd, 3) == 0)
        client->leaves_at = now + chance(crowd, 5000000);
}

static size_t choose_total(struct crowd *crowd)
{
    uint32_t most = crowd->options->octets_max;
    switch (chance(crowd, 4)) {
    case 0:
        return 0;
    case 1:
        return chance(crowd, 100) + 1;
    case 2:
        return chance(crowd, most / 10 + 1) + 1;
    default:
        return chance(crowd, most) + 1;
    }
}

static void choose_side(struct crowd *crowd, struct side *side)
{
    static const uint32_t appetites[] = {100, 3000, 100000, UINT32_MAX};
    side->slow = chance(crowd, 4) == 0;
    side->appetite = appetites[chance(crowd, ARRAY_LEN(appetites))];
    side->early = crowd->options->rude && chance(crowd, 6) == 0;
}

static void add_flow(struct crowd *crowd, unsigned host)
{
    struct flow *flow = &crowd->flows[crowd->flow_count++];
    flow->host = host;
    flow->up = (struct direction){.key = prng_u64(&crowd->prng), .total = choose_total(crowd)};
    flow->down = (struct direction){.key = prng_u64(&crowd->prng), .total = choose_total(crowd)};
    flow->client.out = flow->server.in = &flow->up;
    flow->client.in = flow->server.out = &flow->down;
    choose_side(crowd, &flow->client);
    choose_side(crowd, &flow->server);
    flow->aborts = crowd->options->rude && chance(crowd, 12) == 0;
    flow->starts_at = world_now(crowd->world) + chance(crowd, 3000000);
}

static void set_up(struct crowd *crowd, const struct crowd_options *options)
{
    ASSERT(options->clients <= CLIENTS_MAX && options->clients * options->flows <= FLOWS_MAX);
    *crowd = (struct crowd){.options = options};
    crowd->heap = counting_heap(&crowd->counts);
    prng_init_number(&crowd->prng, options->seed);
    crowd->world = world_new(&crowd->heap, options->seed, (usec)prng_u32(&crowd->prng));
    assert_non_null(crowd->world);
    world_set_clock(crowd->world, options->tick);
    unsigned number;
    crowd->server = add_host(crowd, &number);
    for (unsigned i = 0; i < options->clients; i++) {
        unsigned hub = i / HUB_CLIENTS;
        if (i % HUB_CLIENTS == 0) {
            add_interface(crowd->server, hub, mac_of(hub, 1), 1500, address_in(hub, 1));
            assert_int_equal(world_add_switch(crowd->world, SWITCH_PORTS_MAX), hub);
            assert_non_null(world_connect_switch(crowd->world, (struct world_port){number, hub},
                                                 hub, HUB_CLIENTS, NULL));
        }
        add_client(crowd, i, hub, i % HUB_CLIENTS + 2);
    }
    struct tcp_listen_options listen = {.local = {address_any_v4(), PORT}, .backlog = 4096};
    crowd->listener = tcp_listen(crowd->server, &listen);
    assert_non_null(crowd->listener);
    for (unsigned i = 0; i < options->clients * options->flows; i++)
        add_flow(crowd, i / options->flows);
    crowd->began = world_now(crowd->world);
}

/* ---- applications ---- */

static void write_some(struct crowd *crowd, struct side *side)
{
    struct direction *out = side->out;
    uint8_t block[8192];
    while (!side->shut && out->written < out->total) {
        size_t len = 1 + chance(crowd, chance(crowd, 2) == 0 ? 200 : sizeof block);
        if (len > out->total - out->written)
            len = out->total - out->written;
        for (size_t i = 0; i < len; i++)
            block[i] = octet_at(out->key, out->written + i);
        size_t taken = tcp_send(side->c, bytes_of(block, len));
        out->written += taken;
        if (taken < len)
            return;
    }
}

static void read_some(struct crowd *crowd, struct side *side)
{
    struct direction *in = side->in;
    size_t left = side->appetite;
    while (left > 0 && tcp_received_len(side->c) > 0) {
        struct slice view;
        DEMAND(crowd, tcp_received(side->c, &view, 1) == 1);
        size_t len = view.len < left ? view.len : left;
        for (size_t i = 0; i < len; i++)
            DEMAND(crowd, view.data[i] == octet_at(in->key, in->read + i));
        tcp_consume(side->c, len);
        in->read += len;
        left -= len;
        DEMAND(crowd, in->read <= in->total);
    }
}

/* What was acknowledged to one side has arrived at the other. */
static void check_acknowledged(struct crowd *crowd, const struct side *from, const struct side *to)
{
    if (from->c == NULL || to->c == NULL || from->closed || to->closed || from->failed ||
        to->failed)
        return;
    size_t acknowledged = from->out->written - tcp_unacknowledged(from->c);
    DEMAND(crowd, acknowledged <= to->in->read + tcp_received_len(to->c));
}

static void close_side(struct side *side)
{
    tcp_close(side->c);
    side->closed = true;
}

/* A reason for the flow not to come to its end. */
static bool may_fail(const struct crowd *crowd, const struct flow *flow)
{
    return flow->aborts || flow->client.early || flow->server.early ||
           crowd->options->loss_max >= 100000 || crowd->options->flapping ||
           crowd->options->moving;
}

static void close_when_done(struct crowd *crowd, struct flow *flow, struct side *side)
{
    if (side->out->written == side->out->total && !side->shut) {
        side->shut = true;
        if (side->early) {
            close_side(side);
            return;
        }
        tcp_shutdown(side->c);
    }
    if (tcp_at_end(side->c)) {
        DEMAND(crowd, side->ended);
        DEMAND(crowd, side->in->read == side->in->total || may_fail(crowd, flow));
    }
    if (side->shut && tcp_at_end(side->c) && (side->finished || chance(crowd, 4) == 0))
        close_side(side);
}

static void turn(struct crowd *crowd, struct flow *flow, struct side *side)
{
    usec now = world_now(crowd->world);
    if (side->c == NULL || side->closed || (!side->busy && now < side->wakes_at) ||
        (side->slow && now < side->wakes_at))
        return;
    side->busy = false;
    side->wakes_at = USEC_NEVER;
    if (side->failed) {
        DEMAND(crowd, tcp_state(side->c) == TCP_CLOSED && tcp_error(side->c) != TCP_OK);
        DEMAND(crowd, may_fail(crowd, flow) || flow->client.closed || flow->server.closed);
        close_side(side);
        return;
    }
    if (flow->aborts && chance(crowd, 20) == 0) {
        tcp_abort(side->c);
        side->closed = true;
        return;
    }
    read_some(crowd, side);
    write_some(crowd, side);
    close_when_done(crowd, flow, side);
    if (side->closed)
        return;
    if (side->slow)
        side->wakes_at = now + 1 + chance(crowd, 400000);
    else if (tcp_received_len(side->c) > 0 || (side->shut && tcp_at_end(side->c)) ||
             (!side->shut && side->out->written == side->out->total))
        side->wakes_at = now + 500;
}

/* ---- events ---- */

static void greet(struct crowd *crowd)
{
    struct tcp_connection *c;
    while ((c = tcp_accept(crowd->listener, NULL)) != NULL) {
        unsigned i = tcp_remote(c)->port - (unsigned)FIRST_PORT;
        DEMAND(crowd, i < crowd->flow_count);
        struct side *side = &crowd->flows[i].server;
        if (side->c != NULL) { /* an old SYN that came late */
            tcp_abort(c);
            continue;
        }
        side->c = c;
        side->busy = true;
        tcp_set_user(c, side);
        (void)tcp_set_option(c, TCP_OPTION_KEEPALIVE, 1); /* or a lost RST were never noticed */
    }
}

static void take_events(struct crowd *crowd, struct stack *stack)
{
    struct socket_event event;
    while (stack_next_event(stack, &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            greet(crowd);
            continue;
        }
        struct side *side = event.socket->user;
        DEMAND(crowd, side != NULL && !side->closed);
        side->busy = true;
        side->finished = side->finished || (event.events & SOCKET_FINISHED);
        side->ended = side->ended || (event.events & SOCKET_END);
        side->failed = side->failed || (event.events & SOCKET_FAILED);
        if (event.events & SOCKET_FINISHED)
            DEMAND(crowd, side->shut && side->ended);
    }
}

static void start(struct crowd *crowd, unsigned i)
{
    struct flow *flow = &crowd->flows[i];
    const struct client *client = &crowd->clients[flow->host];
    struct tcp_connect_options connect = {
        .remote = {address_v4(address_in(flow->host / HUB_CLIENTS, 1)), PORT},
        .local = {client->address.address, (uint16_t)(FIRST_PORT + i)},
        .user = &flow->client,
    };
    /* Without an address there is no route: later. */
    flow->client.c = tcp_connect(client->stack, &connect);
    if (flow->client.c == NULL) {
        DEMAND(crowd, crowd->options->moving);
        flow->starts_at = world_now(crowd->world) + USEC_PER_SEC;
        return;
    }
    flow->started = true;
    flow->client.busy = true;
    (void)tcp_set_option(flow->client.c, TCP_OPTION_KEEPALIVE, 1);
}

static void disturb(struct crowd *crowd, struct client *client)
{
    usec now = world_now(crowd->world);
    if (now >= client->cut_at) {
        wire_set_up(client->wire, false);
        client->cut_at = USEC_NEVER;
        client->mended_at = now + 1 + chance(crowd, 20000000);
    } else if (now >= client->mended_at) {
        wire_set_up(client->wire, true);
        client->mended_at = USEC_NEVER;
        if (chance(crowd, 2) == 0)
            client->cut_at = now + chance(crowd, 10000000);
    }
    if (now >= client->leaves_at) {
        (void)stack_remove_address(client->stack, 0, &client->address.address);
        client->leaves_at = USEC_NEVER;
        client->returns_at = now + 1 + chance(crowd, 20000000);
    } else if (now >= client->returns_at) {
        DEMAND(crowd, stack_add_address(client->stack, 0, &client->address, false));
        client->returns_at = USEC_NEVER;
    }
}

static bool is_over(const struct flow *flow)
{
    return flow->client.closed && (flow->server.c == NULL || flow->server.closed);
}

/* What everybody does now; returns when somebody does something of their own accord next. */
static usec act(struct crowd *crowd)
{
    usec next = USEC_NEVER;
    usec now = world_now(crowd->world);
    for (unsigned i = 0; i < crowd->options->clients; i++) {
        struct client *client = &crowd->clients[i];
        disturb(crowd, client);
        take_events(crowd, client->stack);
        next = usec_min(next, usec_min(client->cut_at, client->mended_at));
        next = usec_min(next, usec_min(client->leaves_at, client->returns_at));
    }
    take_events(crowd, crowd->server);
    for (unsigned i = 0; i < crowd->flow_count; i++) {
        struct flow *flow = &crowd->flows[i];
        if (is_over(flow))
            continue;
        if (!flow->started && now >= flow->starts_at)
            start(crowd, i);
        if (!flow->started) {
            next = usec_min(next, flow->starts_at);
            continue;
        }
        turn(crowd, flow, &flow->client);
        turn(crowd, flow, &flow->server);
        check_acknowledged(crowd, &flow->client, &flow->server);
        check_acknowledged(crowd, &flow->server, &flow->client);
        if (!flow->client.closed)
            next = usec_min(next, flow->client.wakes_at);
        if (flow->server.c != NULL && !flow->server.closed)
            next = usec_min(next, flow->server.wakes_at);
    }
    return next;
}

static bool all_over(const struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->flow_count; i++)
        if (!is_over(&crowd->flows[i]))
            return false;
    return true;
}

static void check_hosts(struct crowd *crowd)
{
    tcp_check_all(crowd->server);
    for (unsigned i = 0; i < crowd->options->clients; i++)
        tcp_check_all(crowd->clients[i].stack);
}

static void tell_side(const char *name, const struct side *side)
{
    struct tcp_info info = {0};
    if (side->c == NULL || side->closed) {
        printf("  %s: %s\n", name, side->closed ? "closed" : "none");
        return;
    }
    tcp_info(side->c, &info);
    printf("  %s: %s, written %zu of %zu, read %zu of %zu, waiting %zu;%s%s%s%s flight %u, window "
           "%u, offered %u, cwnd %u, rto %ld\n",
           name, tcp_state_text(info.state), side->out->written, side->out->total, side->in->read,
           side->in->total, tcp_received_len(side->c), side->shut ? " shut" : "",
           side->ended ? " ended" : "", side->finished ? " finished" : "",
           side->failed ? " failed" : "", info.flight, info.send_window, info.receive_window,
           info.cwnd, (long)info.rto);
}

/* For whoever runs a seed again. */
static void tell(const struct crowd *crowd)
{
    unsigned told = 0;
    for (unsigned i = 0; i < crowd->flow_count && told < 10; i++) {
        if (is_over(&crowd->flows[i]))
            continue;
        printf("flow %u of host %u:\n", i, crowd->flows[i].host);
        tell_side("client", &crowd->flows[i].client);
        tell_side("server", &crowd->flows[i].server);
        told++;
    }
}

static void go_on(struct crowd *crowd, usec next)
{
    /* Applications see what has happened after 1 to 20 ms, or when something happens at all. */
    usec slice = world_now(crowd->world) + 1000 + chance(crowd, 20000);
    usec until = usec_max(slice, usec_min(world_deadline(crowd->world), next));
    if (until == USEC_NEVER) {
        tell(crowd);
        DEMAND(crowd, all_over(crowd)); /* nothing will ever happen again */
        return;
    }
    world_run_until(crowd->world, usec_min(until, usec_max(next, slice)));
    if (crowd->options->check_each_turn || chance(crowd, 50) == 0)
        check_hosts(crowd);
}

/* ---- the end ---- */

static void count_flow(const struct flow *flow, struct crowd_result *out)
{
    bool whole = flow->up.read == flow->up.total && flow->down.read == flow->down.total &&
                 flow->client.ended && flow->server.ended;
    out->completed += whole;
    out->failed += !whole;
}

static void check_flow(struct crowd *crowd, const struct flow *flow)
{
    if (may_fail(crowd, flow))
        return;
    DEMAND(crowd, !flow->client.failed && !flow->server.failed);
    DEMAND(crowd, flow->up.read == flow->up.total && flow->down.read == flow->down.total);
    DEMAND(crowd, flow->client.ended && flow->server.ended);
}

static void check_end(struct crowd *crowd, struct crowd_result *out)
{
    struct frame_pool_counters frames;
    for (unsigned i = 0; i < crowd->flow_count; i++) {
        count_flow(&crowd->flows[i], out);
        check_flow(crowd, &crowd->flows[i]);
    }
    for (unsigned i = 0; i <= crowd->options->clients; i++) {
        const struct stack_counters *counters = stack_counters(world_host(crowd->world, i));
        DEMAND(crowd, counters->tcpConnections == 0);
        DEMAND(crowd, counters->tcpCurrEstab == 0);
        out->segments += counters->tcpOutSegs;
        out->again += counters->tcpRetransSegs;
    }
    frame_pool_counters(world_frames(crowd->world), &frames);
    DEMAND(crowd, frames.frames == 0);
}

void tcp_crowd_run(const struct crowd_options *options, struct crowd_result *out)
{
    static struct crowd crowd;
    *out = (struct crowd_result){0};
    set_up(&crowd, options);
    while (!all_over(&crowd)) {
        go_on(&crowd, act(&crowd));
        if (world_now(crowd.world) - crowd.began <= CROWD_PATIENCE)
            continue;
        tell(&crowd);
        DEMAND(&crowd, all_over(&crowd));
    }
    out->took = world_now(crowd.world) - crowd.began;
    /* TIME-WAIT, what orphans retransmit to nobody, and keepalive of those that were left alone. */
    usec end = world_now(crowd.world) + 20 * USEC_PER_MINUTE;
    while (!all_over(&crowd) ||
           (world_now(crowd.world) < end && world_deadline(crowd.world) != USEC_NEVER)) {
        go_on(&crowd, act(&crowd));
        DEMAND(&crowd, world_now(crowd.world) - crowd.began <= 2 * CROWD_PATIENCE);
    }
    check_end(&crowd, out);
    tcp_listener_close(crowd.listener);
    world_free(crowd.world);
    if (crowd.counts.blocks != 0 || crowd.counts.octets != 0)
        fail_msg("seed %llu: %zu octets are left", (unsigned long long)options->seed,
                 crowd.counts.octets);
}

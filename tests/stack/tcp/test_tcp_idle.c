/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_idle.c - what connections cost that have been idle for a while, whatever they have been
 * through: the goal is half a KiB each, all told; and what is known of them after that.
 */
#include "sim/world.h"
#include "stack/tcp/internal.h"
#include "tests/support/check.h"
#include "tests/support/tcp_check.h"

enum {
    COUNT = 400,
    PORT = 80,
    IDLE_OCTETS = 512,
    PLACE_OCTETS = 24, /* of a place in a large table, at its mean load: it has the world's heap */
};

#define LOSS_PPM 20000
#define GIGABIT 1000000000u

struct crowd {
    struct counting_heap counts;
    struct counting_heap of_stacks; /* from when they were made: the wire's memory is not in it */
    struct heap heap;
    struct world *world;
    struct stack *hosts[2];
    struct wire *wire;
    struct tcp_connection *clients[COUNT];
    struct tcp_connection *servers[COUNT];
    unsigned accepted;
    uint32_t octets; /* that each client sends */
    uint32_t sent[COUNT];
    uint64_t received;
};

static void add_host(struct crowd *t, unsigned i, const struct tcp_profile *profile)
{
    struct stack_options options = {.tcp_profile = profile};
    assert_int_equal(world_add_host(t->world, &options), i);
    t->hosts[i] = world_host(t->world, i);
    t->hosts[i]->heap = counting_heap(&t->of_stacks);
    struct interface_options interface = {
        .name = "wire", .mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}}, .mtu = 1500};
    struct ip_prefix address = {address_v4(0x0a000001 + i), 24};
    assert_int_equal(stack_add_interface(t->hosts[i], &interface), 0);
    assert_true(stack_add_address(t->hosts[i], 0, &address, false));
}

static void turn(struct crowd *t)
{
    static uint8_t block[16384];
    struct socket_event event;
    while (stack_next_event(t->hosts[1], &event)) {
        struct tcp_connection *c;
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            while ((c = tcp_accept(socket_listener(event.socket), NULL)) != NULL)
                t->servers[t->accepted++] = c;
        } else if (event.events & SOCKET_READABLE) {
            c = socket_tcp(event.socket);
            t->received += tcp_received_len(c);
            tcp_consume(c, tcp_received_len(c));
        }
    }
    while (stack_next_event(t->hosts[0], &event))
        continue;
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t left = t->octets - t->sent[i];
        if (left > sizeof block)
            left = sizeof block;
        if (t->clients[i] != NULL && left > 0)
            t->sent[i] += (uint32_t)tcp_send(t->clients[i], bytes_of(block, left));
    }
}

static void run(struct crowd *t, usec duration)
{
    for (usec until = world_now(t->world) + duration; world_now(t->world) < until;) {
        turn(t);
        usec step = duration > USEC_PER_SEC ? 20 * USEC_PER_MSEC : USEC_PER_MSEC;
        world_run_until(t->world, world_now(t->world) + step);
    }
    turn(t);
}

static void open_all(struct crowd *t, const struct tcp_profile *profile, uint32_t loss,
                     uint64_t rate)
{
    struct wire_options wire = {
        .a_to_b = {.delay = 5 * USEC_PER_MSEC, .rate = rate, .loss = loss, .queue = 10000},
        .b_to_a = {.delay = 5 * USEC_PER_MSEC, .queue = 10000}};
    *t = (struct crowd){0};
    t->heap = counting_heap(&t->counts);
    t->world = world_new(&t->heap, 5, USEC_PER_SEC);
    assert_non_null(t->world);
    add_host(t, 0, profile);
    add_host(t, 1, profile);
    t->wire = world_connect(t->world, (struct world_port){0, 0}, (struct world_port){1, 0},
                            &wire);
    assert_non_null(t->wire);
    struct tcp_listen_options listen = {.local = {address_any_v4(), PORT}, .backlog = COUNT};
    assert_non_null(tcp_listen(t->hosts[1], &listen));
}

static void connect_all(struct crowd *t)
{
    struct tcp_connect_options connect = {.remote = {address_v4(0x0a000002), PORT}};
    for (unsigned i = 0; i < COUNT; i++) {
        t->clients[i] = tcp_connect(t->hosts[0], &connect);
        assert_non_null(t->clients[i]);
    }
    for (unsigned i = 0; i < 100 && t->accepted < COUNT; i++)
        run(t, USEC_PER_SEC);
    assert_int_equal(t->accepted, COUNT);
}

static void close_all(struct crowd *t)
{
    world_free(t->world);
    assert_int_equal(t->counts.octets + t->of_stacks.octets, 0);
}

/* What stays warm of each kind of block is bounded. */
static size_t kept_warm(const struct stack *stack)
{
    size_t octets = 0;
    for (size_t i = 0; i < TCP_CACHE_COUNT; i++)
        octets += stack->tcp->caches[i].count * (size_t)stack->tcp->caches[i].size;
    return octets;
}

/* Octets that each end costs, after `pause` without a segment. */
static size_t each(struct crowd *t, size_t before, usec pause)
{
    run(t, pause);
    tcp_check_all(t->hosts[0]);
    tcp_check_all(t->hosts[1]);
    size_t warm = kept_warm(t->hosts[0]) + kept_warm(t->hosts[1]);
    return (t->of_stacks.octets - warm - before) / (2 * (size_t)COUNT);
}

static size_t base(struct crowd *t)
{
    run(t, 2 * USEC_PER_SEC);
    return t->of_stacks.octets - kept_warm(t->hosts[0]) - kept_warm(t->hosts[1]);
}

static void transfer(struct crowd *t, uint32_t octets)
{
    t->octets += octets;
    for (unsigned i = 0; i < 600 && t->received < (uint64_t)t->octets * COUNT; i++)
        run(t, 100 * USEC_PER_MSEC);
    assert_int_equal(t->received, (uint64_t)t->octets * COUNT);
}

/* Of all of these an idle connection costs no more than one to which nothing has happened. */
static void whatever_has_happened(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum tcp_congestion_kind congestion;
        uint32_t octets;
        uint32_t loss;
    } cases[] = {
        {"nothing", TCP_CONGESTION_CUBIC, 0, 0},
        {"a hundred octets", TCP_CONGESTION_CUBIC, 100, 0},
        {"more than 64 KiB received", TCP_CONGESTION_CUBIC, 200000, 0},
        {"loss", TCP_CONGESTION_CUBIC, 100000, LOSS_PPM},
        {"NewReno, and loss", TCP_CONGESTION_NEWRENO, 100000, LOSS_PPM},
        {"BBR", TCP_CONGESTION_BBR, 300000, 0},
        {"BBR, a few octets", TCP_CONGESTION_BBR, 100, 0},
        {"BBR, and loss", TCP_CONGESTION_BBR, 100000, LOSS_PPM},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct crowd t;
        struct tcp_profile profile = tcp_profile_default;
        profile.congestion = (uint8_t)cases[i].congestion;
        open_all(&t, &profile, cases[i].loss, GIGABIT);
        size_t before = base(&t);
        connect_all(&t);
        transfer(&t, cases[i].octets);
        size_t cost = each(&t, before, 40 * USEC_PER_SEC);
        CHECK(cases[i].name, cost + PLACE_OCTETS <= IDLE_OCTETS);
        /* No timer is left that would look at them again. */
        CHECK(cases[i].name, !timer_armed(&t.hosts[0]->tcp->watch_timer));
        close_all(&t);
    }
}

/* What was counted is not forgotten, and what was tuned is as it was. */
static void what_is_known_after_it(void **state)
{
    (void)state;
    static struct crowd t;
    static struct tcp_info clients[COUNT], servers[COUNT], info;
    open_all(&t, &tcp_profile_default, LOSS_PPM, GIGABIT);
    connect_all(&t);
    transfer(&t, 200000);
    run(&t, 5 * USEC_PER_SEC);
    unsigned lost = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        tcp_info(t.clients[i], &clients[i]);
        tcp_info(t.servers[i], &servers[i]);
        lost += clients[i].retransmits > 0 && servers[i].segments_out_of_order > 0;
        assert_true(t.servers[i]->extra != tcp_extra_none());
    }
    assert_true(lost > COUNT / 2);
    run(&t, 40 * USEC_PER_SEC);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_ptr_equal(t.clients[i]->extra, tcp_extra_none());
        assert_ptr_equal(t.servers[i]->extra, tcp_extra_none());
        tcp_info(t.clients[i], &info);
        assert_int_equal(info.retransmits, clients[i].retransmits);
        assert_int_equal(info.octets_retransmitted, clients[i].octets_retransmitted);
        assert_int_equal(info.timeouts, clients[i].timeouts);
        assert_int_equal(info.reorderings, clients[i].reorderings);
        assert_int_equal(info.dsacks, clients[i].dsacks);
        assert_int_equal(info.octets_sent, clients[i].octets_sent);
        tcp_info(t.servers[i], &info);
        assert_int_equal(info.segments_out_of_order, servers[i].segments_out_of_order);
        assert_int_equal(info.receive_buffer, servers[i].receive_buffer);
    }
    transfer(&t, 100000); /* and they go on */
    close_all(&t);
}

static struct tcp_connection *peer_of(const struct crowd *t, const struct tcp_connection *client)
{
    unsigned i = 0;
    while (!endpoint_equal(tcp_remote(t->servers[i]), tcp_local(client)))
        i++;
    return t->servers[i];
}

/* Who asked for statistics, or agreed on something with the peer, keeps it. */
static void what_must_stay(void **state)
{
    (void)state;
    static struct crowd t;
    open_all(&t, &tcp_profile_default, LOSS_PPM, GIGABIT);
    connect_all(&t);
    transfer(&t, 100000);
    struct tcp_connection *counted = t.clients[0], *urged = peer_of(&t, t.clients[1]);
    struct tcp_connection *told = t.servers[2] != urged ? t.servers[2] : t.servers[3];
    assert_int_equal(tcp_set_option(counted, TCP_OPTION_STATISTICS, 1), TCP_OPTION_SET);
    assert_int_equal(tcp_send_urgent(t.clients[1], bytes_of_text("!")), 1);
    assert_true(tcp_extra_begin(told));
    told->extra->peer_user_timeout = 600;
    t.clients[1] = NULL; /* nobody reads it */
    for (unsigned i = 0; i < 4000; i++)
        world_run_until(t.world, world_now(t.world) + 10 * USEC_PER_MSEC);
    struct tcp_urgent_mark mark;
    assert_int_equal(tcp_urgent(urged, &mark), TCP_URGENT_HERE);
    assert_int_equal(told->extra->peer_user_timeout, 600);
    struct tcp_info info;
    tcp_info(counted, &info);
    assert_true(info.limited[TCP_LIMIT_IDLE] > 30 * USEC_PER_SEC);
    assert_ptr_equal(t.clients[5]->extra, tcp_extra_none());
    assert_false(timer_armed(&t.hosts[0]->tcp->watch_timer));
    close_all(&t);
}

/* Connections that are at work keep what they have, and so do those that wait for an answer. */
static void who_is_not_idle(void **state)
{
    (void)state;
    static struct crowd t;
    open_all(&t, &tcp_profile_default, LOSS_PPM, GIGABIT);
    connect_all(&t);
    transfer(&t, 100000);
    const struct tcp_extra *before = t.clients[0]->extra;
    assert_true(before != tcp_extra_none());
    for (unsigned i = 0; i < 8; i++) {
        t.octets++;
        run(&t, 5 * USEC_PER_SEC);
        assert_ptr_equal(t.clients[0]->extra, before);
        tcp_check_all(t.hosts[0]);
    }
    wire_set_up(t.wire, false);
    t.octets++;
    run(&t, 40 * USEC_PER_SEC);
    assert_ptr_equal(t.clients[0]->extra, before);
    close_all(&t);
}

/* BBR knows what the path gives: the first octets go as fast as the last ones, and are not lost. */
static void bbr_goes_on(void **state)
{
    (void)state;
    static struct crowd t;
    struct tcp_profile profile = tcp_profile_default;
    profile.congestion = TCP_CONGESTION_BBR;
    open_all(&t, &profile, 0, GIGABIT / 10);
    connect_all(&t);
    t.octets = 4000000;
    for (unsigned i = 1; i < COUNT; i++)
        t.sent[i] = t.octets; /* one is enough */
    for (unsigned i = 0; i < 3; i++)
        run(&t, USEC_PER_SEC);
    assert_int_equal(t.received, t.octets);
    struct tcp_connection *c = t.clients[0];
    const struct tcp_bbr_rest *rest = &c->bbr_rest;
    uint32_t cwnd = c->cwnd, retransmits = c->retransmits;
    uint64_t rate = tcp_pacing_rate(c);
    assert_non_null(c->bbr);
    run(&t, 40 * USEC_PER_SEC);
    assert_null(c->bbr);
    assert_true(rest->full_bw_reached);
    assert_int_equal(c->cwnd, cwnd);
    assert_in_range(tcp_pacing_rate(c), rate / 2, rate * 3 / 2);
    assert_in_range(tcp_send(c, bytes_of_text("x")), 1, 1);
    t.octets++;
    for (unsigned i = 0; i < COUNT; i++)
        t.sent[i] = t.octets;
    run(&t, USEC_PER_MSEC);
    assert_non_null(c->bbr); /* before it has left */
    assert_in_range(tcp_pacing_rate(c), rate / 2, rate * 3 / 2);
    assert_int_equal(c->cwnd, cwnd);
    usec began = world_now(t.world);
    uint64_t more = t.received + 1000000;
    t.octets += 1000000;
    for (unsigned i = 1; i < COUNT; i++)
        t.sent[i] = t.octets;
    while (t.received < more && world_now(t.world) - began < 10 * USEC_PER_SEC)
        run(&t, USEC_PER_MSEC);
    assert_true(world_now(t.world) - began < 400 * USEC_PER_MSEC);
    assert_int_equal(c->retransmits, retransmits);
    close_all(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_has_happened),
        cmocka_unit_test(what_is_known_after_it),
        cmocka_unit_test(what_must_stay),
        cmocka_unit_test(who_is_not_idle),
        cmocka_unit_test(bbr_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

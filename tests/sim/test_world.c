/* SPDX-License-Identifier: ISC */
/* test_world.c - the clock, the order of steps, switches, and the ends of the tables. */
#include "sim/world.h"

#include "stack/echo.h"
#include "stack/udp.h"
#include "tests/support/check.h"

struct bench {
    struct counting_heap counts;
    struct heap heap;
    struct world *world;
};

static void bench_open(struct bench *b, uint64_t seed)
{
    *b = (struct bench){0};
    b->heap = counting_heap(&b->counts);
    b->world = world_new(&b->heap, seed, 5 * USEC_PER_SEC);
    assert_non_null(b->world);
}

static void bench_close(struct bench *b)
{
    world_free(b->world);
    assert_int_equal(b->counts.blocks, 0);
    assert_int_equal(b->counts.octets, 0);
}

/* A host 10.0.0.n with one interface. */
static unsigned add_host(struct bench *b, uint8_t n)
{
    int host = world_add_host(b->world, NULL);
    assert_true(host >= 0);
    struct stack *stack = world_host(b->world, (unsigned)host);
    struct interface_options options = {.name = "eth0", .mac = {{2, 0, 0, 0, 0, n}}, .mtu = 1500};
    assert_int_equal(stack_add_interface(stack, &options), 0);
    struct ip_prefix prefix = {address_v4(0x0a000000 + n), 24};
    assert_true(stack_add_address(stack, 0, &prefix, false));
    return (unsigned)host;
}

static void test_time_goes_from_deadline_to_deadline(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    assert_false(world_step(b.world)); /* nothing is pending */
    assert_true(world_now(b.world) == 5 * USEC_PER_SEC);
    unsigned one = add_host(&b, 1);
    unsigned two = add_host(&b, 2);
    struct wire_options wire = {.a_to_b.delay = 1000, .b_to_a.delay = 3000};
    assert_non_null(
        world_connect(b.world, (struct world_port){one, 0}, (struct world_port){two, 0}, &wire));
    usec last = world_now(b.world);
    while (world_deadline(b.world) != USEC_NEVER) { /* announcements */
        usec at = world_deadline(b.world);
        assert_true(at >= last);
        assert_true(world_step(b.world));
        assert_true(world_now(b.world) == at);
        last = at;
    }
    world_run_until(b.world, last + USEC_PER_HOUR); /* an idle hour costs nothing */
    assert_true(world_now(b.world) == last + USEC_PER_HOUR);

    struct echo_socket *echo = echo_open(world_host(b.world, one), &(struct echo_options){0});
    struct ip_address address = address_v4(0x0a000002);
    struct mac mac = {{2, 0, 0, 0, 0, 2}};
    assert_true(stack_add_neighbour(world_host(b.world, one), 0, &address, &mac));
    address = address_v4(0x0a000001);
    mac.octets[5] = 1;
    assert_true(stack_add_neighbour(world_host(b.world, two), 0, &address, &mac));
    struct echo_message message = {.to = address_v4(0x0a000002), .payload = bytes_of_text("x")};
    usec sent_at = world_now(b.world);
    assert_true(echo_send(echo, &message));
    while (!echo_receive(echo, &message))
        assert_true(world_step(b.world));
    assert_true(world_now(b.world) == sent_at + 4000);
    frame_unref(message.frame);
    bench_close(&b);
}

static void test_hosts_on_a_switch(void **state)
{
    (void)state;
    enum { HOSTS = 5 };
    struct bench b;
    bench_open(&b, 2);
    int ethernet = world_add_switch(b.world, HOSTS);
    assert_int_equal(ethernet, 0);
    struct echo_socket *echo[HOSTS];
    for (unsigned i = 0; i < HOSTS; i++) {
        unsigned host = add_host(&b, (uint8_t)(i + 1));
        assert_non_null(world_connect_switch(b.world, (struct world_port){host, 0}, 0, i, NULL));
        echo[i] = echo_open(world_host(b.world, host), &(struct echo_options){0});
    }
    world_run_until(b.world, world_now(b.world) + 10 * USEC_PER_SEC);
    for (uint16_t i = 0; i < HOSTS; i++) {
        for (uint16_t k = 0; k < HOSTS; k++) {
            struct echo_message message = {.to = address_v4(0x0a000001u + k),
                                           .sequence = k,
                                           .payload = bytes_of_text("hello")};
            assert_true(echo_send(echo[i], &message));
        }
    }
    world_run_until(b.world, world_now(b.world) + USEC_PER_SEC);
    for (unsigned i = 0; i < HOSTS; i++) {
        struct echo_message reply;
        unsigned count = 0;
        while (echo_receive(echo[i], &reply)) {
            assert_true(reply.reply);
            frame_unref(reply.frame);
            count++;
        }
        assert_int_equal(count, HOSTS); /* itself, too */
    }
    /* The switch has learned: a unicast frame is seen by nobody else. */
    for (unsigned i = 0; i < HOSTS; i++)
        assert_int_equal(stack_drops(world_host(b.world, i), DROP_ETHERNET_NOT_OURS), 0);
    bench_close(&b);
}

static uint64_t run_of(uint64_t seed)
{
    struct bench b;
    bench_open(&b, seed);
    unsigned one = add_host(&b, 1);
    unsigned two = add_host(&b, 2);
    struct wire_options wire = {.a_to_b = {.delay = 1000, .jitter = 500, .loss = 100000}};
    assert_non_null(
        world_connect(b.world, (struct world_port){one, 0}, (struct world_port){two, 0}, &wire));
    struct udp_socket *from = udp_open(world_host(b.world, one), &(struct udp_options){0});
    struct udp_socket *to =
        udp_open(world_host(b.world, two), &(struct udp_options){.local = {address_any_v4(), 9}});
    uint64_t digest = udp_local(from)->port;
    for (uint8_t i = 0; i < 100; i++) {
        struct udp_send_options options = {.to = {address_v4(0x0a000002), 9}, .interface = -1};
        (void)udp_send(from, &options, bytes_of(&i, 1));
        (void)world_step(b.world);
        struct udp_datagram got;
        while (udp_receive(to, &got)) {
            digest = digest * 31 + got.payload.data[0] + (uint64_t)world_now(b.world);
            frame_unref(got.frame);
        }
    }
    bench_close(&b);
    return digest;
}

/* Hosts with clocks of 10 ms: nothing is seen at a finer instant, and all is delivered the same. */
static void test_coarse_clocks(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    unsigned one = add_host(&b, 1);
    unsigned two = add_host(&b, 2);
    world_run_until(b.world, world_now(b.world) + 12345);
    world_set_clock(b.world, 10000);
    struct wire_options wire = {.a_to_b.delay = 1234, .b_to_a.delay = 777};
    assert_non_null(
        world_connect(b.world, (struct world_port){one, 0}, (struct world_port){two, 0}, &wire));
    unsigned steps = 0;
    unsigned between = 0;
    while (world_step(b.world)) {
        usec now = world_now(b.world);
        usec shown = stack_now(world_host(b.world, one));
        assert_true(shown % 10000 == 0 && shown <= now && now - shown < 10000);
        assert_true(stack_now(world_host(b.world, two)) == shown);
        between += now % 10000 != 0; /* a frame arrives when it does */
        steps++;
    }
    assert_true(steps > 0 && between > 0);
    bench_close(&b);
}

static void test_a_seed_is_a_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        uint64_t digest = run_of(seed);
        assert_true(digest == run_of(seed));
        assert_true(digest != run_of(seed + 100));
    }
}

static void test_tables_end(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    unsigned one = add_host(&b, 1);
    unsigned two = add_host(&b, 2);
    for (int i = 0; i < WORLD_LINKS_MAX; i++)
        assert_non_null(
            world_connect(b.world, (struct world_port){one, 0}, (struct world_port){two, 0}, NULL));
    assert_null(
        world_connect(b.world, (struct world_port){one, 0}, (struct world_port){two, 0}, NULL));
    for (int i = 0; i < WORLD_SWITCHES_MAX; i++)
        assert_int_equal(world_add_switch(b.world, 2), i);
    assert_int_equal(world_add_switch(b.world, 2), -1);
    bench_close(&b);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at < 60; fail_at++) {
        struct counting_heap counts = {.fail_at = fail_at};
        struct heap heap = counting_heap(&counts);
        struct world *world = world_new(&heap, 1, 0);
        int host = world != NULL ? world_add_host(world, NULL) : -1;
        bool switched = host >= 0 && world_add_switch(world, 4) >= 0;
        world_free(world);
        assert_int_equal(counts.blocks, 0);
        if (switched)
            return;
    }
    fail_msg("a world needs too many blocks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_goes_from_deadline_to_deadline),
        cmocka_unit_test(test_hosts_on_a_switch),
        cmocka_unit_test(test_coarse_clocks),
        cmocka_unit_test(test_a_seed_is_a_run),
        cmocka_unit_test(test_tables_end),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_tcp_tuning.c - buffers grow to what the path carries, with no setting changed, and no more. */
#include "sim/world.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "tests/support/check.h"

enum { PORT = 80 };

struct bulk {
    struct counting_heap counts;
    struct heap heap;
    struct world *world;
    struct stack *hosts[2];
    struct tcp_connection *sender;
    struct tcp_connection *receiver;
    uint64_t received;
    uint64_t appetite; /* octets a second that the receiver consumes; 0: all */
};

static void add_host(struct bulk *b, unsigned i, const struct tcp_profile *profile)
{
    struct stack_options options = {.tcp_profile = profile};
    assert_int_equal(world_add_host(b->world, &options), i);
    b->hosts[i] = world_host(b->world, i);
    /* Large frames: as many octets in fewer steps. */
    struct interface_options interface = {
        .name = "wire", .mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}}, .mtu = 9000};
    struct ip_prefix address = {address_v4(0x0a000001 + i), 24};
    assert_int_equal(stack_add_interface(b->hosts[i], &interface), 0);
    assert_true(stack_add_address(b->hosts[i], 0, &address, false));
}

/* `queue` frames may wait: what they wait is part of the round trip, and rightly so. */
static void set_up(struct bulk *b, const struct tcp_profile *profile, uint64_t rate, usec delay,
                   uint32_t queue)
{
    *b = (struct bulk){0};
    b->heap = counting_heap(&b->counts);
    b->world = world_new(&b->heap, 5, USEC_PER_SEC);
    assert_non_null(b->world);
    add_host(b, 0, profile);
    add_host(b, 1, profile);
    struct wire_options wire = {.a_to_b = {.delay = delay, .rate = rate, .queue = queue},
                                .b_to_a = {.delay = delay}};
    assert_non_null(world_connect(b->world, (struct world_port){0, 0}, (struct world_port){1, 0},
                                  &wire));
    struct tcp_listen_options listen = {.local = {address_any_v4(), PORT}};
    assert_non_null(tcp_listen(b->hosts[1], &listen));
    struct tcp_connect_options connect = {.remote = {address_v4(0x0a000002), PORT}};
    b->sender = tcp_connect(b->hosts[0], &connect);
    assert_non_null(b->sender);
}

static void turn(struct bulk *b)
{
    static uint8_t block[65536];
    struct socket_event event;
    while (stack_next_event(b->hosts[1], &event))
        if (event.socket->kind == SOCKET_TCP_LISTENER && b->receiver == NULL)
            b->receiver = tcp_accept(socket_listener(event.socket), NULL);
    while (stack_next_event(b->hosts[0], &event))
        continue;
    while (tcp_send(b->sender, bytes_of(block, sizeof block)) == sizeof block)
        continue;
    size_t len = b->receiver != NULL ? tcp_received_len(b->receiver) : 0;
    uint64_t most = b->appetite * (uint64_t)(world_now(b->world) - USEC_PER_SEC) / 1000000;
    if (b->appetite != 0 && b->received + len > most)
        len = most > b->received ? (size_t)(most - b->received) : 0;
    if (len > 0)
        tcp_consume(b->receiver, len);
    b->received += len;
}

static void run(struct bulk *b, usec interval)
{
    usec until = world_now(b->world) + interval;
    while (world_now(b->world) < until && world_step(b->world))
        turn(b);
}

static void tear_down(struct bulk *b)
{
    world_free(b->world);
    assert_int_equal(b->counts.octets, 0);
}

/* 1 Gb/s with a round trip of 100 ms: 12.5 MB are under way when the pipe is full. */
static void a_long_fat_path_is_filled_by_default(void **state)
{
    (void)state;
    struct bulk b;
    set_up(&b, NULL, 1000000000, 50 * USEC_PER_MSEC, 4000);
    run(&b, 3 * USEC_PER_SEC);
    uint64_t before = b.received;
    run(&b, USEC_PER_SEC);
    double rate = (double)(b.received - before) * 8 / 1e6;
    struct tcp_info sender;
    struct tcp_info receiver;
    tcp_info(b.sender, &sender);
    tcp_info(b.receiver, &receiver);
    print_message("%.0f Mb/s, receive buffer %u, send buffer %u, srtt %lld, receiver's %lld\n", rate,
                  receiver.receive_buffer, sender.send_buffer, (long long)sender.srtt,
                  (long long)receiver.receive_rtt);
    assert_true(rate > 950);
    assert_in_range(receiver.receive_buffer, 25000000, 65535 << 9);
    assert_in_range(sender.send_buffer, 12500000, 32 * 1024 * 1024);
    /* Between the empty path's and what the sender sees with the queue: short samples count more. */
    assert_in_range(receiver.receive_rtt, 95000, sender.srtt * 5 / 4);
    tear_down(&b);
}

static void a_short_path_keeps_what_it_had(void **state)
{
    (void)state;
    struct bulk b;
    set_up(&b, &tcp_profile_linux, 100000000, 500, 20);
    run(&b, USEC_PER_SEC);
    struct tcp_info receiver;
    tcp_info(b.receiver, &receiver);
    assert_true(b.received > 10000000);
    print_message("short path: receive buffer %u\n", receiver.receive_buffer);
    assert_true(receiver.receive_buffer < 1000000);
    tear_down(&b);
}

/* What is right-sized is what is consumed, not what comes. */
static void a_slow_reader_gets_no_more(void **state)
{
    (void)state;
    struct bulk b;
    set_up(&b, &tcp_profile_linux, 1000000000, 20 * USEC_PER_MSEC, 4000);
    b.appetite = 500000;
    run(&b, 10 * USEC_PER_SEC);
    struct tcp_info receiver;
    tcp_info(b.receiver, &receiver);
    assert_true(b.received > 1000000);
    assert_true(receiver.receive_buffer < 600000);
    tear_down(&b);
}

static void a_buffer_that_was_wished_stays(void **state)
{
    (void)state;
    struct bulk b;
    set_up(&b, &tcp_profile_linux, 1000000000, 10 * USEC_PER_MSEC, 4000);
    run(&b, 100 * USEC_PER_MSEC);
    assert_int_equal(tcp_set_option(b.receiver, TCP_OPTION_RECEIVE_BUFFER, 300000),
                     TCP_OPTION_SET);
    assert_int_equal(tcp_set_option(b.sender, TCP_OPTION_SEND_BUFFER, 200000), TCP_OPTION_SET);
    run(&b, USEC_PER_SEC);
    assert_int_equal(tcp_get_option(b.receiver, TCP_OPTION_RECEIVE_BUFFER), 300000);
    struct tcp_info sender;
    tcp_info(b.sender, &sender);
    assert_int_equal(tcp_get_option(b.sender, TCP_OPTION_SEND_BUFFER), 200000);
    assert_int_equal(sender.send_buffer, 400000); /* the cost of units counts too */
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_fat_path_is_filled_by_default),
        cmocka_unit_test(a_short_path_keeps_what_it_had),
        cmocka_unit_test(a_slow_reader_gets_no_more),
        cmocka_unit_test(a_buffer_that_was_wished_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * test_net_stack.c - what only our stack's net can do: the link layer, and broadcasts before there
 * is an address, as DHCP needs them (RFC 2131 §4.1); and that nothing is left behind.
 */
#include <errno.h>

#include "io/node.h"
#include "io/wire_port.h"
#include "os/memory.h"
#include "tests/support/check.h"

/* A server with an address, and a client that may have none. */
struct bench {
    struct loop *loop;
    struct frame_pool *frames;
    struct node *nodes[2]; /* client, server */
    struct net *nets[2];
    struct wire_port *wire;
    struct dgram *dgrams[2];
    unsigned messages[2];
    struct dgram_message last[2];
    uint8_t text[2][64];
};

static const struct mac macs[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};

static void add_node(struct bench *b, int which)
{
    struct stack_options options = {.frames = b->frames};
    struct interface_options interface = {.name = "eth0", .mac = macs[which], .mtu = 1500};
    b->nodes[which] = node_new(b->loop, &options);
    assert_non_null(b->nodes[which]);
    assert_int_equal(stack_add_interface(node_stack(b->nodes[which]), &interface), 0);
    b->nets[which] = net_stack_new(b->nodes[which]);
    assert_non_null(b->nets[which]);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct heap heap = memory_heap();
    struct wire_options ideal = {.seed = 1};
    struct ip_prefix address = {address_v4(0x0a000002), 24};
    b->loop = loop_new_virtual(USEC_PER_SEC, 1);
    b->frames = frame_pool_new(&heap, 64 << 20);
    add_node(b, 0);
    add_node(b, 1);
    assert_true(stack_add_address(node_stack(b->nodes[1]), 0, &address, false));
    assert_int_equal(wire_port_join(b->loop, b->nodes[0], 0, b->nodes[1], 0, &ideal, &b->wire), 0);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 2; i++)
        if (b->dgrams[i] != NULL)
            dgram_close(b->dgrams[i]);
    net_free(b->nets[0]);
    net_free(b->nets[1]);
    wire_port_free(b->wire);
    node_free(b->nodes[0]);
    node_free(b->nodes[1]);
    frame_pool_free(b->frames);
    loop_free(b->loop);
    free(b);
    return 0;
}

static void run(struct bench *b, usec duration)
{
    assert_int_equal(loop_run_until(b->loop, loop_now(b->loop) + duration), 0);
}

static void on_message(void *self, struct dgram *d, const struct dgram_message *m)
{
    struct bench *b = self;
    int which = d == b->dgrams[1];
    assert_ptr_equal(d, b->dgrams[which]);
    assert_true(m->payload.len < sizeof b->text[which]);
    b->messages[which]++;
    b->last[which] = *m;
    memcpy(b->text[which], m->payload.data, m->payload.len);
    b->text[which][m->payload.len] = '\0';
}

static const struct dgram_handler handler = {.on_message = on_message};

static void bind_both(struct bench *b)
{
    struct dgram_options options = {.local = {address_any_v4(), 68}, .broadcast = true};
    assert_int_equal(net_bind(b->nets[0], &options, &handler, b, &b->dgrams[0]), 0);
    options.local.port = 67;
    assert_int_equal(net_bind(b->nets[1], &options, &handler, b, &b->dgrams[1]), 0);
}

static void a_host_without_address_asks_everybody(void **state)
{
    struct bench *b = *state;
    bind_both(b);
    struct dgram_message question = {
        .from = {address_any_v4(), 68},
        .to = {address_v4(0xffffffff), 67},
        .payload = bytes_of("who am I?", 9),
        .has_interface = true,
    };
    assert_int_equal(dgram_send(b->dgrams[0], &question), 0);
    run(b, USEC_PER_MSEC);
    assert_int_equal(b->messages[1], 1);
    assert_string_equal(b->text[1], "who am I?");
    const struct dgram_message *got = &b->last[1];
    assert_true(address_is_any(&got->from.address));
    assert_int_equal(got->from.port, 68);
    assert_true(address_is_broadcast(&got->to.address));
    assert_int_equal(got->to.port, 67);
    assert_true(got->has_interface && got->interface == 0);
    assert_true(got->has_mac && mac_equal(&got->mac, &macs[0]));

    /* The answer to a station that cannot answer ARP yet; and one to everybody. */
    struct dgram_message answer = {
        .to = {address_v4(0x0a000001), 68},
        .payload = bytes_of("10.0.0.1", 8),
        .interface = got->interface,
        .has_interface = true,
        .mac = got->mac,
        .has_mac = true,
    };
    struct ip_prefix address = {address_v4(0x0a000001), 24};
    assert_int_equal(dgram_send(b->dgrams[1], &answer), 0);
    answer.to.address = address_v4(0xffffffff);
    answer.has_mac = false;
    answer.payload = bytes_of("to all", 6);
    assert_int_equal(dgram_send(b->dgrams[1], &answer), 0);
    run(b, USEC_PER_MSEC);
    assert_true(b->messages[0] >= 1);
    assert_string_equal(b->text[0], "to all");
    got = &b->last[0];
    assert_int_equal(address_v4_value(&got->from.address), 0x0a000002);
    assert_int_equal(got->from.port, 67);

    /* With the address, the unicast is for it. */
    assert_true(stack_add_address(node_stack(b->nodes[0]), 0, &address, false));
    answer.to.address = address.address;
    answer.has_mac = true;
    answer.payload = bytes_of("to you", 6);
    unsigned before = b->messages[0];
    assert_int_equal(dgram_send(b->dgrams[1], &answer), 0);
    run(b, USEC_PER_MSEC);
    assert_int_equal(b->messages[0], before + 1);
    assert_string_equal(b->text[0], "to you");
}

static void sending_tells_what_is_wrong(void **state)
{
    struct bench *b = *state;
    static uint8_t large[70000];
    struct dgram_options options = {.local = {address_any_v4(), 0}};
    assert_int_equal(net_bind(b->nets[1], &options, &handler, b, &b->dgrams[1]), 0);
    struct dgram_message m = {.to = {address_v4(0x08080808), 53}, .payload = bytes_of("x", 1)};
    assert_int_equal(dgram_send(b->dgrams[1], &m), -ENETUNREACH);
    m.to.address = address_v4(0x0a0000ff);
    assert_int_equal(dgram_send(b->dgrams[1], &m), -EACCES); /* not opened for broadcasts */
    m.to.address = address_v4(0x0a000001);
    m.payload = bytes_of(large, sizeof large);
    assert_int_equal(dgram_send(b->dgrams[1], &m), -EMSGSIZE);
}

static void connecting_without_a_route_fails_at_once(void **state)
{
    struct bench *b = *state;
    static const struct stream_handler nothing;
    struct endpoint to = {address_v4(0x08080808), 80};
    struct stream *s;
    assert_int_equal(net_connect(b->nets[1], &to, NULL, &nothing, NULL, &s), -ENETUNREACH);
}

/* Connections come and go; when the last has passed TIME-WAIT nothing is left of them. */
struct visitor {
    struct stream *s;
    bool closed;
    int error;
};

static void on_visitor_closed(void *self, struct stream *s UNUSED, int error)
{
    struct visitor *v = self;
    v->closed = true;
    v->error = error;
}

static void on_visitor_end(void *self UNUSED, struct stream *s)
{
    stream_finish(s);
}

static const struct stream_handler visitor_handler = {
    .on_closed = on_visitor_closed,
    .on_end = on_visitor_end,
};

static void on_host_accept(void *self UNUSED, struct listener *l UNUSED, struct stream *s)
{
    assert_true(stream_send(s, bytes_of("welcome", 7)) == 7);
    stream_close(s);
}

static const struct listener_handler host_handler = {on_host_accept};

/* Said by both, they share the port, and datagrams likewise; said by one, they do not. */
static void a_port_is_shared(void **state)
{
    struct bench *b = *state;
    static const struct dgram_handler no_dgram;
    struct listener *listeners[3];
    struct dgram *dgrams[3];
    struct listen_options options = {.local = {address_v4(0x0a000002), 80}, .reuse_port = true};
    struct dgram_options bind = {.local = {address_v4(0x0a000002), 80}, .reuse_port = true};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(net_listen(b->nets[1], &options, &host_handler, b, &listeners[i]), 0);
        assert_int_equal(net_bind(b->nets[1], &bind, &no_dgram, b, &dgrams[i]), 0);
    }
    options.reuse_port = bind.reuse_port = false;
    assert_int_equal(net_listen(b->nets[1], &options, &host_handler, b, &listeners[2]), -EADDRINUSE);
    assert_int_equal(net_bind(b->nets[1], &bind, &no_dgram, b, &dgrams[2]), -EADDRINUSE);
    for (size_t i = 0; i < 2; i++) {
        listener_close(listeners[i]);
        dgram_close(dgrams[i]);
    }
}

static void nothing_is_left_of_what_is_over(void **state)
{
    struct bench *b = *state;
    struct listener *listener;
    struct ip_prefix address = {address_v4(0x0a000001), 24};
    struct listen_options options = {.local = {address_v4(0x0a000002), 80}};
    assert_true(stack_add_address(node_stack(b->nodes[0]), 0, &address, false));
    assert_int_equal(net_listen(b->nets[1], &options, &host_handler, b, &listener), 0);
    for (int round = 0; round < 50; round++) {
        struct visitor v = {0};
        assert_int_equal(
            net_connect(b->nets[0], &options.local, NULL, &visitor_handler, &v, &v.s), 0);
        for (int i = 0; i < 100 && !v.closed; i++)
            run(b, 10 * USEC_PER_MSEC);
        assert_true(v.closed);
        assert_int_equal(v.error, 0);
    }
    listener_close(listener);
    run(b, 10 * USEC_PER_MINUTE);
    struct frame_pool_counters frames;
    frame_pool_counters(b->frames, &frames);
    assert_int_equal(frames.frames, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(stack_counters(node_stack(b->nodes[i]))->tcpConnections, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_without_address_asks_everybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sending_tells_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connecting_without_a_route_fails_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_port_is_shared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_what_is_over, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

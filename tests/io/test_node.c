/* SPDX-License-Identifier: ISC */
/* test_node.c - a stack on a loop: batches, devices that are full, and quiet if nothing happens. */
#include "io/node.h"

#include "stack/udp.h"
#include "tests/support/check.h"

/* A device that keeps what is sent, and is full when it has enough. */
struct device {
    struct node_port port;
    struct frame_queue sent;
    size_t room;
    unsigned flushes;
    unsigned refused;
};

static bool device_send(struct node_port *port, struct frame *frame)
{
    struct device *d = CONTAINER_OF(port, struct device, port);
    if (d->sent.count == d->room) {
        d->refused++;
        return false;
    }
    frame_queue_push(&d->sent, frame);
    return true;
}

static void device_flush(struct node_port *port)
{
    CONTAINER_OF(port, struct device, port)->flushes++;
}

struct bench {
    struct loop *loop;
    struct node *node;
    struct device device;
    struct udp_socket *socket;
    struct node_client client;
    unsigned events;
    unsigned received;
    unsigned answers; /* to send for each datagram */
};

static const struct mac peer_mac = {{2, 0, 0, 0, 0, 9}};

static void send_datagrams(struct bench *b, unsigned count)
{
    struct udp_send_options options = {
        .to = {address_v4(0x0a000009), 99},
        .interface = -1,
        .mac = &peer_mac,
    };
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(udp_send(b->socket, &options, bytes_of("hello", 5)), UDP_SENT);
}

static void on_event(struct node_client *client, const struct socket_event *event)
{
    struct bench *b = CONTAINER_OF(client, struct bench, client);
    struct udp_datagram datagram;
    assert_ptr_equal(event->socket, udp_socket_base(b->socket));
    b->events++;
    while (udp_receive(b->socket, &datagram)) {
        b->received++;
        frame_unref(datagram.frame);
        send_datagrams(b, b->answers);
    }
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct stack_options options = {.heap = {.resize = NULL}};
    b->loop = loop_new_virtual(USEC_PER_SEC, 1);
    b->node = node_new(b->loop, &options);
    assert_non_null(b->node);
    struct interface_options interface = {.name = "eth0", .mac = {{2, 0, 0, 0, 0, 1}}, .mtu = 1500};
    assert_int_equal(stack_add_interface(node_stack(b->node), &interface), 0);
    struct ip_prefix address = {address_v4(0x0a000001), 24};
    assert_true(stack_add_address(node_stack(b->node), 0, &address, false));
    b->client.on_event = on_event;
    struct udp_options udp = {.local = {address_v4(0x0a000001), 99}, .user = &b->client};
    b->socket = udp_open(node_stack(b->node), &udp);
    assert_non_null(b->socket);
    b->device = (struct device){.port = {.send = device_send, .flush = device_flush}, .room = 1000};
    node_attach(b->node, &b->device.port, 0);
    /* What the address announces is of no interest here. */
    assert_int_equal(loop_run_until(b->loop, loop_now(b->loop) + USEC_PER_MINUTE), 0);
    frame_queue_clear(&b->device.sent);
    b->device.flushes = 0;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    frame_queue_clear(&b->device.sent);
    udp_close(b->socket);
    node_detach(&b->device.port);
    node_detach(&b->device.port);
    node_free(b->node);
    loop_free(b->loop);
    free(b);
    return 0;
}

static void run_a_moment(struct bench *b)
{
    assert_int_equal(loop_run_until(b->loop, loop_now(b->loop) + USEC_PER_MSEC), 0);
}

static void a_batch_is_sent_and_flushed_once(void **state)
{
    struct bench *b = *state;
    node_wake(b->node);
    send_datagrams(b, 10);
    assert_int_equal(b->device.sent.count, 0); /* only at the end of the turn */
    run_a_moment(b);
    assert_int_equal(b->device.sent.count, 10);
    assert_int_equal(b->device.flushes, 1);
    run_a_moment(b);
    assert_int_equal(b->device.flushes, 1);
}

static void a_full_device_keeps_the_rest_in_the_stack(void **state)
{
    struct bench *b = *state;
    b->device.room = 3;
    node_wake(b->node);
    send_datagrams(b, 10);
    run_a_moment(b);
    assert_int_equal(b->device.sent.count, 3);
    assert_non_null(b->device.port.held);
    assert_int_equal(b->device.refused, 1);
    node_wake(b->node); /* it is not asked while it is full */
    run_a_moment(b);
    assert_int_equal(b->device.refused, 1);
    node_port_ready(&b->device.port); /* not true */
    assert_int_equal(b->device.refused, 2);
    assert_non_null(b->device.port.held);
    b->device.room = 1000;
    node_port_ready(&b->device.port);
    run_a_moment(b);
    assert_int_equal(b->device.sent.count, 10);
    assert_null(b->device.port.held);
    node_port_ready(&b->device.port);
}

static void more_than_one_turn_can_take_is_sent_in_the_next(void **state)
{
    struct bench *b = *state;
    for (int batch = 0; batch < 3; batch++) {
        b->device.sent.count = 0;
        node_wake(b->node);
        send_datagrams(b, 200);
        run_a_moment(b);
        assert_int_equal(b->device.sent.count, 200);
        frame_queue_clear(&b->device.sent);
    }
}

/* What the socket has sent comes in again as if the peer had sent it. */
static void turn_around(struct bench *b)
{
    struct frame *frame;
    struct frame_queue back = b->device.sent;
    b->device.sent = (struct frame_queue){0};
    while ((frame = frame_queue_pop(&back)) != NULL) {
        struct frame *copy = frame_copy(frame);
        uint8_t *d = copy->data;
        frame_unref(frame);
        memcpy(d, (const uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9}, 12);
        d[14 + 15] = 9;
        d[14 + 19] = 1; /* swapped addresses: the same sums */
        node_input(&b->device.port, copy);
    }
}

static void answers_leave_in_the_turn_of_the_questions(void **state)
{
    struct bench *b = *state;
    node_wake(b->node);
    send_datagrams(b, 5);
    run_a_moment(b);
    b->answers = 2;
    turn_around(b);
    assert_int_equal(b->events, 0); /* nothing is told from inside node_input() */
    run_a_moment(b);
    assert_int_equal(b->events, 1); /* one event for the batch */
    assert_int_equal(b->received, 5);
    assert_int_equal(b->device.sent.count, 10);
    assert_int_equal(b->device.flushes, 2);
}

static void it_is_quiet_when_nothing_happens(void **state)
{
    struct bench *b = *state;
    /* A virtual loop ends by itself when no timer runs. */
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->device.flushes, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_sent_and_flushed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_device_keeps_the_rest_in_the_stack, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_than_one_turn_can_take_is_sent_in_the_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answers_leave_in_the_turn_of_the_questions, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_is_quiet_when_nothing_happens, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* lan.c - hosts on a switch: a node port for each, and an alarm for each wire. */
#include "tests/support/lan.h"

#include "base/siphash.h"
#include "os/memory.h"
#include "tests/support/check.h"

struct ip_address lan_address(size_t host)
{
    return address_v4(LAN_NETWORK + 1 + (uint32_t)host);
}

static void wait_for_next(struct lan_host *host)
{
    loop_set_alarm(host->lan->loop, &host->arrival, wire_deadline(host->wire));
}

/* What the tap and the digest see: the whole frame, with slices. */
static void observe(struct lan *lan, const struct frame *frame)
{
    static const struct siphash_key key = {0};
    static uint8_t octets[16 + FRAME_PACKET_MAX];
    size_t len = frame_total(frame);
    struct writer w = writer_of(octets, 16);
    assert_true(len <= FRAME_PACKET_MAX);
    write_u64(&w, lan->digest);
    write_u64(&w, loop_now(lan->loop));
    frame_copy_out(frame, 0, octets + 16, len);
    lan->digest = siphash24(&key, bytes_of(octets, 16 + len));
    if (lan->tap != NULL)
        lan->tap(lan->tap_self, bytes_of(octets + 16, len));
}

static bool send_frame(struct node_port *port, struct frame *frame)
{
    struct lan_host *host = CONTAINER_OF(port, struct lan_host, port);
    observe(host->lan, frame);
    wire_send(host->wire, WIRE_A, frame, loop_now(host->lan->loop));
    return true;
}

static void flush(struct node_port *port)
{
    wait_for_next(CONTAINER_OF(port, struct lan_host, port));
}

/* Takes the frame. Each host gets one of its own, since who receives it pulls its headers off. */
static void forward(struct lan *lan, unsigned from, struct frame *frame)
{
    usec now = loop_now(lan->loop);
    uint64_t targets = switch_input(lan->bridge, from, frame, now);
    for (size_t i = 0; i < lan->count; i++) {
        if ((targets & UINT64_C(1) << i) == 0)
            continue;
        struct frame *copy = frame_copy(frame);
        assert_non_null(copy);
        wire_send(lan->hosts[i].wire, WIRE_B, copy, now);
        wait_for_next(&lan->hosts[i]);
    }
    frame_unref(frame);
}

static void on_arrival(struct alarm *alarm)
{
    struct lan_host *host = CONTAINER_OF(alarm, struct lan_host, arrival);
    usec now = loop_now(host->lan->loop);
    struct frame *frame;
    while ((frame = wire_receive(host->wire, WIRE_B, now)) != NULL)
        forward(host->lan, (unsigned)(host - host->lan->hosts), frame);
    while ((frame = wire_receive(host->wire, WIRE_A, now)) != NULL)
        node_input(&host->port, frame);
    wait_for_next(host);
}

static void add_host(struct lan *lan, size_t at, const struct wire_impairments *impairments,
                     uint64_t seed)
{
    struct lan_host *host = &lan->hosts[at];
    struct stack_options options = {.frames = lan->frames};
    struct interface_options interface = {
        .name = "eth0", .mac = {{2, 0, 0, 0, 0, (uint8_t)(at + 1)}}, .mtu = 1500};
    struct ip_prefix address = {lan_address(at), 24};
    struct wire_options wire = {.heap = memory_heap(),
                                .seed = seed * LAN_HOSTS_MAX + at,
                                .a_to_b = *impairments,
                                .b_to_a = *impairments};
    host->lan = lan;
    host->node = node_new(lan->loop, &options);
    assert_non_null(host->node);
    assert_int_equal(stack_add_interface(node_stack(host->node), &interface), 0);
    assert_true(stack_add_address(node_stack(host->node), 0, &address, false));
    host->wire = wire_new(&wire, loop_now(lan->loop));
    assert_non_null(host->wire);
    alarm_init(&host->arrival, on_arrival);
    host->port = (struct node_port){.send = send_frame, .flush = flush};
    node_attach(host->node, &host->port, 0);
    host->net = net_stack_new(host->node);
    assert_non_null(host->net);
}

void lan_open(struct lan *lan, size_t hosts, const struct wire_impairments *impairments,
              uint64_t seed)
{
    struct heap heap = memory_heap();
    assert_true(hosts <= LAN_HOSTS_MAX);
    *lan = (struct lan){.loop = loop_new_virtual(0, seed), .count = hosts};
    assert_non_null(lan->loop);
    lan->frames = frame_pool_new(&heap, 64 << 20);
    lan->bridge = switch_new(&heap, (unsigned)hosts);
    assert_true(lan->frames != NULL && lan->bridge != NULL);
    for (size_t i = 0; i < hosts; i++)
        add_host(lan, i, impairments, seed);
}

void lan_close(struct lan *lan)
{
    struct frame_pool_counters left;
    for (size_t i = 0; i < lan->count; i++) {
        struct lan_host *host = &lan->hosts[i];
        net_free(host->net);
        loop_clear_alarm(lan->loop, &host->arrival);
        node_detach(&host->port);
        wire_free(host->wire);
        node_free(host->node);
    }
    switch_free(lan->bridge);
    frame_pool_counters(lan->frames, &left);
    assert_int_equal(left.frames, 0);
    frame_pool_free(lan->frames);
    loop_free(lan->loop);
}

void lan_run(struct lan *lan, usec duration)
{
    (void)loop_run_until(lan->loop, loop_now(lan->loop) + duration);
}

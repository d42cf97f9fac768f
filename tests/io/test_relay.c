/* SPDX-License-Identifier: ISC */
/*
 * test_relay.c - the relay between two worlds in one process: a guest on our stack, the gateway's
 * stack with the relay, a virtual wire between them, and servers on the kernel's loopback.
 */
#include "tests/support/check.h"

#include <dirent.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net.h"
#include "io/relay.h"
#include "io/wire_port.h"
#include "os/socket.h"
#include "stack/echo.h"
#include "stack/tcp/tcp.h"
#include "stack/udp.h"

enum { BULK = 3 * 1000 * 1000 + 17 };

struct bed {
    struct loop *loop;
    struct node *guest;
    struct node *gateway;
    struct wire_port *wire;
    struct net *inside;
    struct net *kernel;
    struct relay *relay;
    struct alarm timeout;
    bool timed_out;
};

/* 10.0.2.2 is the loopback; 10.9.9.9 is unreachable; the rest is refused. */
static void decide(void *self UNUSED, enum relay_protocol protocol,
                   const struct endpoint *from UNUSED, const struct endpoint *to,
                   struct relay_verdict *out)
{
    uint32_t address = address_v4_value(&to->address);
    if (address == 0x0a000202) {
        out->action = protocol == RELAY_ECHO ? RELAY_ANSWER : RELAY_FORWARD;
        out->outside = (struct endpoint){address_v4(0x7f000001), to->port};
    } else if (address == 0x0a090909) {
        out->action = RELAY_UNREACHABLE;
        out->code = 1;
    }
}

static struct endpoint seen_as(void *self UNUSED, const struct endpoint *outside)
{
    return (struct endpoint){address_v4(0x0a000202), outside->port};
}

static void on_timeout(struct alarm *alarm)
{
    struct bed *bed = CONTAINER_OF(alarm, struct bed, timeout);
    bed->timed_out = true;
    loop_stop(bed->loop);
}

static struct node *host(struct bed *bed, uint32_t address, unsigned features, uint8_t last)
{
    struct stack_options options = {0};
    struct node *node = node_new(bed->loop, &options);
    assert_non_null(node);
    struct interface_options interface = {
        .name = "eth0", .mac = {{2, 0, 0, 0, 0, last}}, .mtu = 1500, .features = features};
    assert_int_equal(stack_add_interface(node_stack(node), &interface), 0);
    struct ip_prefix prefix = {address_v4(address), 24};
    assert_true(stack_add_address(node_stack(node), 0, &prefix, false));
    return node;
}

static void bed_begin(struct bed *bed)
{
    *bed = (struct bed){.loop = loop_new()};
    assert_non_null(bed->loop);
    bed->guest = host(bed, 0x0a00020f, 0, 15);
    bed->gateway = host(bed, 0x0a000201, INTERFACE_INTERCEPT, 1);
    struct ip_prefix everything = {address_v4(0), 0};
    struct ip_address via = address_v4(0x0a000201);
    assert_true(stack_add_route(node_stack(bed->guest), &everything, &via, 0));
    struct ip_address proxied = address_v4(0x0a000202);
    assert_true(stack_add_proxy(node_stack(bed->gateway), 0, &proxied));
    struct wire_options wire = {.seed = 1};
    assert_int_equal(wire_port_join(bed->loop, bed->guest, 0, bed->gateway, 0, &wire, &bed->wire),
                     0);
    bed->inside = net_stack_new(bed->guest);
    bed->kernel = net_kernel_new(bed->loop);
    struct relay_options options = {
        .node = bed->gateway, .policy = {.decide = decide, .seen_as = seen_as}, .tcp_max = 100, .udp_max = 8};
    assert_int_equal(relay_new(&options, &bed->relay), 0);
    alarm_init(&bed->timeout, on_timeout);
    loop_set_alarm(bed->loop, &bed->timeout, loop_now(bed->loop) + 10 * USEC_PER_SEC);
}

static void bed_run(struct bed *bed)
{
    assert_int_equal(loop_run(bed->loop), 0);
    assert_false(bed->timed_out);
}

/* Turns for a little while, so that what was closed is finished. */
static void bed_settle(struct bed *bed)
{
    assert_int_equal(loop_run_until(bed->loop, loop_now(bed->loop) + 50 * USEC_PER_MSEC), 0);
}

static void bed_end(struct bed *bed)
{
    loop_clear_alarm(bed->loop, &bed->timeout);
    relay_free(bed->relay);
    net_free(bed->inside);
    net_free(bed->kernel);
    wire_port_free(bed->wire);
    node_free(bed->guest);
    node_free(bed->gateway);
    loop_free(bed->loop);
}

static size_t descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* One end of a conversation: sends `to_send` octets of a pattern, checks what it receives. */
struct end {
    struct bed *bed;
    struct stream *stream;
    size_t to_send, sent, received, expected;
    unsigned salt;       /* of what is sent; what is received has the other's */
    size_t read_step;    /* at most so much is used at a time; 0: all */
    bool opened, ended, closed, finish_late;
    int error;
    unsigned *open_ends; /* the loop stops when all have closed */
};

static uint8_t pattern(size_t at, unsigned salt)
{
    return (uint8_t)((at * 2654435761u) >> 11 ^ salt);
}

static void end_send(struct end *end)
{
    uint8_t block[8192];
    while (end->sent < end->to_send) {
        size_t len = end->to_send - end->sent < sizeof block ? end->to_send - end->sent
                                                             : sizeof block;
        for (size_t i = 0; i < len; i++)
            block[i] = pattern(end->sent + i, end->salt);
        size_t taken = stream_send(end->stream, bytes_of(block, len));
        end->sent += taken;
        if (taken < len)
            return;
    }
    if (!end->finish_late || end->ended)
        stream_finish(end->stream);
}

static void on_open(void *self, struct stream *stream UNUSED)
{
    struct end *end = self;
    end->opened = true;
    end_send(end);
}

static size_t on_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct end *end = self;
    size_t use = end->read_step != 0 && in.len > end->read_step ? end->read_step : in.len;
    for (size_t i = 0; i < use; i++)
        if (in.data[i] != pattern(end->received + i, end->salt ^ 1))
            fail_msg("octet %zu differs", end->received + i);
    end->received += use;
    if (use < in.len)
        stream_resume(stream);
    return use;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct end *end = self;
    end->ended = true;
    if (end->finish_late)
        end_send(end);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    end_send(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct end *end = self;
    end->closed = true;
    end->error = error;
    if (--*end->open_ends == 0)
        loop_stop(end->bed->loop);
}

static const struct stream_handler end_handler = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
};

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    struct end *end = self;
    end->stream = stream;
    end->opened = true;
    stream_set_handler(stream, &end_handler, end);
    end_send(end);
}

static const struct listener_handler accept_handler = {.on_accept = on_accept};

static struct listener *serve(struct net *net, uint32_t address, struct end *end)
{
    struct listen_options options = {.local = {address_v4(address), 0}};
    struct listener *listener;
    assert_int_equal(net_listen(net, &options, &accept_handler, end, &listener), 0);
    return listener;
}

static void check_whole(const char *name, const struct end *client, const struct end *server)
{
    CHECK_EQUAL(name, client->error, 0);
    CHECK_EQUAL(name, server->error, 0);
    CHECK_EQUAL(name, client->received, server->to_send);
    CHECK_EQUAL(name, server->received, client->to_send);
    CHECK(name, client->ended && server->ended);
}

static const struct {
    const char *name;
    size_t up, down, client_step, server_step;
    bool server_late, client_late;
} transfers[] = {
    {"nothing but the handshake and the close", 0, 0, 0, 0, false, false},
    {"one octet each way", 1, 1, 0, 0, false, false},
    {"bulk out", BULK, 0, 0, 0, false, false},
    {"bulk in", 0, BULK, 0, 0, false, false},
    {"bulk both ways", BULK, BULK, 0, 0, false, false},
    {"a slow reader outside", BULK, 10, 0, 4096, false, false},
    {"a slow reader inside", 10, BULK, 4096, 0, false, false},
    {"the outside answers after the inside's FIN (half-close)", 100000, 100000, 0, 0, true, false},
    {"the inside answers after the outside's FIN (half-close)", 100000, 100000, 0, 0, false, true},
};

static void test_transfers(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(transfers); i++) {
        size_t fds = descriptors();
        struct bed bed;
        bed_begin(&bed);
        unsigned open_ends = 2;
        struct end server = {.bed = &bed, .to_send = transfers[i].down, .salt = 0,
                             .read_step = transfers[i].server_step,
                             .finish_late = transfers[i].server_late, .open_ends = &open_ends};
        struct end client = {.bed = &bed, .to_send = transfers[i].up, .salt = 1,
                             .read_step = transfers[i].client_step,
                             .finish_late = transfers[i].client_late, .open_ends = &open_ends};
        struct listener *listener = serve(bed.kernel, 0x7f000001, &server);
        struct endpoint to = {address_v4(0x0a000202), listener_local(listener).port};
        assert_int_equal(net_connect(bed.inside, &to, NULL, &end_handler, &client, &client.stream),
                         0);
        bed_run(&bed);
        check_whole(transfers[i].name, &client, &server);
        bed_settle(&bed);
        struct relay_counters counters;
        relay_counters(bed.relay, &counters);
        CHECK_EQUAL(transfers[i].name, counters.tcp_opened, 1);
        CHECK_EQUAL(transfers[i].name, counters.tcp_flows, 0);
        CHECK_EQUAL(transfers[i].name, counters.octets_out, transfers[i].up);
        CHECK_EQUAL(transfers[i].name, counters.octets_in, transfers[i].down);
        listener_close(listener);
        bed_end(&bed);
        CHECK_EQUAL(transfers[i].name, descriptors(), fds);
    }
}

static int connect_error(uint32_t address, uint16_t port)
{
    struct bed bed;
    bed_begin(&bed);
    unsigned open_ends = 1;
    struct end client = {.bed = &bed, .open_ends = &open_ends};
    struct endpoint to = {address_v4(address), port};
    assert_int_equal(net_connect(bed.inside, &to, NULL, &end_handler, &client, &client.stream), 0);
    bed_run(&bed);
    assert_false(client.opened);
    bed_end(&bed);
    return client.error;
}

static void test_refusals(void **state UNUSED)
{
    /* A port of the kernel that was free a moment ago. */
    struct bed bed;
    bed_begin(&bed);
    unsigned open_ends = 1;
    struct end server = {.bed = &bed, .open_ends = &open_ends};
    struct listener *listener = serve(bed.kernel, 0x7f000001, &server);
    uint16_t port = listener_local(listener).port;
    listener_close(listener);
    bed_end(&bed);
    assert_int_equal(connect_error(0x0a000202, port), ECONNREFUSED);
    assert_int_equal(connect_error(0x0a010101, 80), ECONNREFUSED);
    assert_int_equal(connect_error(0x0a090909, 80), EHOSTUNREACH);
}

static void on_open_abort(void *self, struct stream *stream)
{
    struct end *end = self;
    stream_abort(stream);
    end->closed = true;
    --*end->open_ends;
}

static void test_reset_inside_is_a_reset_outside(void **state UNUSED)
{
    static const struct stream_handler abort_handler = {.on_open = on_open_abort};
    struct bed bed;
    bed_begin(&bed);
    unsigned open_ends = 2;
    struct end server = {.bed = &bed, .open_ends = &open_ends, .finish_late = true};
    struct end client = {.bed = &bed, .open_ends = &open_ends};
    struct listener *listener = serve(bed.kernel, 0x7f000001, &server);
    struct endpoint to = {address_v4(0x0a000202), listener_local(listener).port};
    assert_int_equal(net_connect(bed.inside, &to, NULL, &abort_handler, &client, &client.stream), 0);
    bed_run(&bed);
    assert_int_equal(server.error, ECONNRESET);
    listener_close(listener);
    bed_end(&bed);
}

static void on_accept_abort(void *self UNUSED, struct listener *listener UNUSED,
                            struct stream *stream)
{
    stream_abort(stream);
}

static void test_reset_outside_is_a_reset_inside(void **state UNUSED)
{
    static const struct listener_handler abort_handler = {.on_accept = on_accept_abort};
    struct bed bed;
    bed_begin(&bed);
    unsigned open_ends = 1;
    struct end client = {.bed = &bed, .open_ends = &open_ends, .finish_late = true};
    struct listen_options options = {.local = {address_v4(0x7f000001), 0}};
    struct listener *listener;
    assert_int_equal(net_listen(bed.kernel, &options, &abort_handler, NULL, &listener), 0);
    struct endpoint to = {address_v4(0x0a000202), listener_local(listener).port};
    assert_int_equal(net_connect(bed.inside, &to, NULL, &end_handler, &client, &client.stream), 0);
    bed_run(&bed);
    assert_int_equal(client.error, ECONNRESET);
    listener_close(listener);
    bed_end(&bed);
}

static void test_published_port_reaches_the_guest(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed);
    unsigned open_ends = 2;
    struct end server = {.bed = &bed, .to_send = 5000, .salt = 0, .open_ends = &open_ends};
    struct end client = {.bed = &bed, .to_send = 70000, .salt = 1, .open_ends = &open_ends};
    struct listener *listener = serve(bed.inside, 0x0a00020f, &server);
    struct endpoint outside = {address_v4(0x7f000001), 0};
    struct endpoint inside = {address_any_v4(), listener_local(listener).port};
    struct ip_address guest = address_v4(0x0a00020f);
    assert_int_equal(relay_publish(bed.relay, &outside, &inside, false), 0);
    assert_int_not_equal(outside.port, 0);
    relay_set_guest(bed.relay, &guest);
    assert_int_equal(
        net_connect(bed.kernel, &outside, NULL, &end_handler, &client, &client.stream), 0);
    bed_run(&bed);
    check_whole("published", &client, &server);
    listener_close(listener);
    bed_end(&bed);
}

static void test_published_port_without_a_server_resets(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed);
    unsigned open_ends = 1;
    struct end client = {.bed = &bed, .open_ends = &open_ends, .finish_late = true};
    struct endpoint outside = {address_v4(0x7f000001), 0};
    struct endpoint inside = {address_v4(0x0a00020f), 9};
    assert_int_equal(relay_publish(bed.relay, &outside, &inside, false), 0);
    assert_int_equal(
        net_connect(bed.kernel, &outside, NULL, &end_handler, &client, &client.stream), 0);
    bed_run(&bed);
    assert_int_equal(client.error, ECONNRESET);
    bed_end(&bed);
}

/* ---- urgent data ---- */

static void on_event_nothing(struct node_client *client UNUSED,
                             const struct socket_event *event UNUSED)
{
}

/* A guest's connection through the relay to a socket of the kernel's. */
struct urgent_bed {
    struct bed bed;
    struct node_client client;
    struct tcp_connection *inside;
    int listener;
    int outside;
};

static void urgent_begin(struct urgent_bed *u)
{
    bed_begin(&u->bed);
    struct endpoint any = {address_v4(0x7f000001), 0};
    u->listener = host_socket_open(&any.address, SOCK_STREAM);
    assert_int_equal(host_socket_bind(u->listener, &any), 0);
    assert_int_equal(host_socket_listen(u->listener, 1), 0);
    u->client.on_event = on_event_nothing;
    struct tcp_connect_options options = {
        .remote = {address_v4(0x0a000202), host_socket_local(u->listener).port},
        .user = &u->client,
    };
    u->inside = tcp_connect(node_stack(u->bed.guest), &options);
    assert_non_null(u->inside);
    node_wake(u->bed.guest);
    bed_settle(&u->bed);
    struct endpoint peer;
    u->outside = host_socket_accept(u->listener, &peer);
    assert_true(u->outside >= 0);
}

static void urgent_end(struct urgent_bed *u)
{
    close(u->outside);
    close(u->listener);
    tcp_abort(u->inside);
    bed_settle(&u->bed);
    bed_end(&u->bed);
}

static void test_urgent_data_goes_out(void **state UNUSED)
{
    struct urgent_bed u;
    char text[16];
    int at_mark;
    urgent_begin(&u);
    assert_int_equal(host_socket_set(u.outside, SOL_SOCKET, SO_OOBINLINE, 1), 0);
    assert_int_equal(tcp_send(u.inside, bytes_of("before", 6)), 6);
    assert_int_equal(tcp_send_urgent(u.inside, bytes_of("now!", 4)), 4);
    assert_int_equal(tcp_send(u.inside, bytes_of("after", 5)), 5);
    node_wake(u.bed.guest);
    bed_settle(&u.bed);
    assert_int_equal(recv(u.outside, text, sizeof text, MSG_DONTWAIT), 9);
    assert_memory_equal(text, "beforenow", 9);
    assert_int_equal(ioctl(u.outside, SIOCATMARK, &at_mark), 0);
    assert_true(at_mark);
    assert_int_equal(recv(u.outside, text, sizeof text, MSG_DONTWAIT), 6);
    assert_memory_equal(text, "!after", 6);
    urgent_end(&u);
}

static void test_urgent_data_comes_in(void **state UNUSED)
{
    struct urgent_bed u;
    struct tcp_urgent_mark mark;
    struct slice views[8];
    urgent_begin(&u);
    assert_int_equal(send(u.outside, "before", 6, 0), 6);
    assert_int_equal(send(u.outside, "now!", 4, MSG_OOB), 4);
    assert_int_equal(send(u.outside, "after", 5, 0), 5);
    bed_settle(&u.bed);
    assert_int_equal(tcp_urgent(u.inside, &mark), TCP_URGENT_HERE);
    assert_int_equal(mark.before, 9);
    assert_int_equal(mark.octet, '!');
    assert_int_equal(tcp_received_len(u.inside), 15);
    size_t at = 0;
    size_t count = tcp_received(u.inside, views, ARRAY_LEN(views));
    for (size_t i = 0; i < count; at += views[i++].len)
        assert_memory_equal(views[i].data, "beforenow!after" + at, views[i].len);
    urgent_end(&u);
}

/* ---- datagrams ---- */

struct asker {
    struct bed *bed;
    size_t wanted, answers, errors;
    size_t len;
    int error;
    struct endpoint from;
};

static void count_answer(void *self, struct dgram *dgram UNUSED,
                         const struct dgram_message *message)
{
    struct asker *asker = self;
    assert_int_equal(message->payload.len, asker->len);
    for (size_t i = 0; i < message->payload.len; i++)
        assert_int_equal(message->payload.data[i], pattern(i, 7));
    asker->from = message->from;
    if (++asker->answers == asker->wanted)
        loop_stop(asker->bed->loop);
}

static void count_error(void *self, struct dgram *dgram UNUSED, const struct endpoint *to UNUSED,
                        int error)
{
    struct asker *asker = self;
    asker->error = error;
    asker->errors++;
    loop_stop(asker->bed->loop);
}

static const struct dgram_handler asker_handler = {count_answer, count_error};

static void echo_back(void *self UNUSED, struct dgram *dgram, const struct dgram_message *message)
{
    struct dgram_message answer = {.to = message->from, .payload = message->payload};
    assert_int_equal(dgram_send(dgram, &answer), 0);
}

static const struct dgram_handler echo_handler = {.on_message = echo_back};

static void ask(struct dgram *dgram, const struct endpoint *to, size_t len)
{
    static uint8_t octets[65507];
    for (size_t i = 0; i < len; i++)
        octets[i] = pattern(i, 7);
    struct dgram_message message = {.to = *to, .payload = bytes_of(octets, len)};
    assert_int_equal(dgram_send(dgram, &message), 0);
}

static void test_udp_goes_out_and_comes_back(void **state UNUSED)
{
    static const size_t lens[] = {0, 1, 512, 1472, 2048, 2049, 9000, 60000};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        struct bed bed;
        bed_begin(&bed);
        struct asker asker = {.bed = &bed, .wanted = 1, .len = lens[i]};
        struct dgram_options outside = {.local = {address_v4(0x7f000001), 0}};
        struct dgram_options inside = {.local = {address_any_v4(), 0}};
        struct dgram *server, *client;
        assert_int_equal(net_bind(bed.kernel, &outside, &echo_handler, NULL, &server), 0);
        assert_int_equal(net_bind(bed.inside, &inside, &asker_handler, &asker, &client), 0);
        struct endpoint to = {address_v4(0x0a000202), dgram_local(server).port};
        ask(client, &to, lens[i]);
        bed_run(&bed);
        assert_int_equal(asker.answers, 1);
        assert_true(endpoint_equal(&asker.from, &to));
        dgram_close(server);
        dgram_close(client);
        bed_end(&bed);
    }
}

/* Of one length and not, so that some leave together: each comes back, once. */
static void test_bursts_of_udp_go_out_and_come_back(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed);
    struct asker asker = {.bed = &bed, .wanted = 40, .len = 64};
    struct dgram_options outside = {.local = {address_v4(0x7f000001), 0}};
    struct dgram_options inside = {.local = {address_any_v4(), 0}};
    struct dgram *server, *client;
    struct relay_counters counters;
    assert_int_equal(net_bind(bed.kernel, &outside, &echo_handler, NULL, &server), 0);
    assert_int_equal(net_bind(bed.inside, &inside, &asker_handler, &asker, &client), 0);
    struct endpoint to = {address_v4(0x0a000202), dgram_local(server).port};
    for (size_t i = 0; i < asker.wanted; i++)
        ask(client, &to, asker.len);
    bed_run(&bed);
    bed_settle(&bed);
    relay_counters(bed.relay, &counters);
    assert_int_equal(asker.answers, 40);
    assert_true(counters.udp_joined_out > 0);
    assert_int_equal(counters.udp_joined_in, 0); /* the wire of this bed cuts nothing */
    assert_int_equal(counters.octets_out, 40 * 64);
    assert_int_equal(counters.octets_in, 40 * 64);
    dgram_close(server);
    dgram_close(client);
    bed_end(&bed);
}

static void test_udp_errors_come_back(void **state UNUSED)
{
    static const struct {
        uint32_t address;
        int error;
    } cases[] = {
        {0x0a000202, ECONNREFUSED}, /* port unreachable, from the kernel's loopback */
        {0x0a090909, EHOSTUNREACH}, /* by policy */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bed bed;
        bed_begin(&bed);
        struct asker asker = {.bed = &bed};
        struct dgram_options inside = {.local = {address_any_v4(), 0}};
        struct dgram *client;
        assert_int_equal(net_bind(bed.inside, &inside, &asker_handler, &asker, &client), 0);
        struct endpoint to = {address_v4(cases[i].address), 1};
        ask(client, &to, 20);
        bed_run(&bed);
        assert_int_equal(asker.errors, 1);
        assert_int_equal(asker.error, cases[i].error);
        dgram_close(client);
        bed_end(&bed);
    }
}

static void test_udp_table_is_bounded(void **state UNUSED)
{
    enum { SOCKETS = 20 };
    struct bed bed;
    bed_begin(&bed); /* udp_max 8 */
    struct asker asker = {.bed = &bed, .wanted = SOCKETS, .len = 5};
    struct dgram_options outside = {.local = {address_v4(0x7f000001), 0}};
    struct dgram_options inside = {.local = {address_any_v4(), 0}};
    struct dgram *server, *clients[SOCKETS];
    assert_int_equal(net_bind(bed.kernel, &outside, &echo_handler, NULL, &server), 0);
    struct endpoint to = {address_v4(0x0a000202), dgram_local(server).port};
    for (size_t i = 0; i < SOCKETS; i++) {
        assert_int_equal(net_bind(bed.inside, &inside, &asker_handler, &asker, &clients[i]), 0);
        ask(clients[i], &to, 5);
        bed_settle(&bed);
    }
    struct relay_counters counters;
    relay_counters(bed.relay, &counters);
    assert_int_equal(asker.answers, SOCKETS);
    assert_int_equal(counters.udp_flows, 8);
    assert_int_equal(counters.udp_evicted, SOCKETS - 8);
    for (size_t i = 0; i < SOCKETS; i++)
        dgram_close(clients[i]);
    dgram_close(server);
    bed_end(&bed);
}

static void test_published_datagram_port(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed);
    struct asker asker = {.bed = &bed, .wanted = 1, .len = 33};
    struct dgram_options any = {.local = {address_any_v4(), 0}};
    struct dgram_options local = {.local = {address_v4(0x7f000001), 0}};
    struct dgram *server, *client;
    assert_int_equal(net_bind(bed.inside, &any, &echo_handler, NULL, &server), 0);
    assert_int_equal(net_bind(bed.kernel, &local, &asker_handler, &asker, &client), 0);
    struct endpoint outside = {address_v4(0x7f000001), 0};
    struct endpoint inside = {address_v4(0x0a00020f), dgram_local(server).port};
    assert_int_equal(relay_publish(bed.relay, &outside, &inside, true), 0);
    ask(client, &outside, 33);
    bed_run(&bed);
    assert_true(endpoint_equal(&asker.from, &outside));
    dgram_close(server);
    dgram_close(client);
    bed_end(&bed);
}

/* ---- echo ---- */

struct pinger {
    struct node_client client;
    struct bed *bed;
    struct echo_socket *echo;
    size_t replies;
};

static void on_echo(struct node_client *client, const struct socket_event *event UNUSED)
{
    struct pinger *pinger = CONTAINER_OF(client, struct pinger, client);
    struct echo_message message;
    while (echo_receive(pinger->echo, &message)) {
        assert_true(message.reply);
        assert_int_equal(address_v4_value(&message.from), 0x0a000202);
        assert_int_equal(message.sequence, 42);
        assert_int_equal(message.payload.len, 56);
        frame_unref(message.frame);
        pinger->replies++;
        loop_stop(pinger->bed->loop);
    }
}

static void test_ping_is_answered_for_the_host(void **state UNUSED)
{
    struct bed bed;
    bed_begin(&bed);
    struct pinger pinger = {.client = {on_echo}, .bed = &bed};
    struct echo_options options = {.user = &pinger.client};
    pinger.echo = echo_open(node_stack(bed.guest), &options);
    assert_non_null(pinger.echo);
    static const uint8_t payload[56] = {1, 2, 3};
    struct echo_message message = {
        .from = address_any_v4(), .to = address_v4(0x0a000202), .sequence = 42,
        .payload = bytes_of(payload, sizeof payload)};
    assert_true(echo_send(pinger.echo, &message));
    node_wake(bed.guest);
    bed_run(&bed);
    assert_int_equal(pinger.replies, 1);
    echo_close(pinger.echo);
    bed_end(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_reset_inside_is_a_reset_outside),
        cmocka_unit_test(test_reset_outside_is_a_reset_inside),
        cmocka_unit_test(test_published_port_reaches_the_guest),
        cmocka_unit_test(test_published_port_without_a_server_resets),
        cmocka_unit_test(test_urgent_data_goes_out),
        cmocka_unit_test(test_urgent_data_comes_in),
        cmocka_unit_test(test_udp_goes_out_and_comes_back),
        cmocka_unit_test(test_bursts_of_udp_go_out_and_come_back),
        cmocka_unit_test(test_udp_errors_come_back),
        cmocka_unit_test(test_udp_table_is_bounded),
        cmocka_unit_test(test_published_datagram_port),
        cmocka_unit_test(test_ping_is_answered_for_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * test_api_stack.c - the library's event API as an embedder uses it: memory, clock and chance of
 * the test's own, the crank turned by hand, frames carried from one stack to the other as copies.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <wholenet/stack.h>
#include <wholenet/tcp.h>
#include <wholenet/udp.h>

struct world {
    struct counting_heap counts;
    struct heap heap;
    struct wn_host host;
    wn_time now;
    struct wn_stack *a;
    struct wn_stack *b;
    unsigned traces[WN_TRACE_OTHER + 1];
    const char *last_drop;
    bool lose; /* all that a sends */
};

static wn_time clock_of(void *self)
{
    struct world *w = CONTAINER_OF((struct counting_heap *)self, struct world, counts);
    return w->now;
}

static void chance(void *self, void *out, size_t len)
{
    (void)self;
    memset(out, 7, len);
}

static void on_trace(void *self, const struct wn_trace *trace)
{
    struct world *w = self;
    w->traces[trace->kind]++;
    if (trace->kind == WN_TRACE_DROP)
        w->last_drop = trace->text;
    if (trace->kind == WN_TRACE_TCP_STATE)
        assert_true(trace->from != NULL && trace->text != NULL && trace->remote.port != 0);
}

static struct wn_stack *new_host(struct world *w, const char *mac, const char *address,
                                 unsigned features)
{
    struct wn_stack *stack = NULL;
    struct wn_stack_options options = {
        .size = sizeof options, .host = w->host, .on_trace = on_trace, .trace_self = w};
    assert_int_equal(wn_stack_new(&options, &stack), 0);
    assert_int_equal(wn_stack_add_interface(stack, "eth0", mac, 1500, features), 0);
    assert_int_equal(wn_stack_add_address(stack, 0, address), 0);
    return stack;
}

static void world_init(struct world *w, unsigned features)
{
    *w = (struct world){.now = 5 * WN_SECOND};
    w->heap = counting_heap(&w->counts);
    w->host = (struct wn_host){&w->counts, w->heap.resize, clock_of, chance};
    assert_ptr_equal(w->heap.self, &w->counts);
    w->a = new_host(w, "02:00:00:00:00:01", "10.0.0.1/24", features);
    w->b = new_host(w, "02:00:00:00:00:02", "10.0.0.2/24", features);
}

static void world_done(struct world *w)
{
    wn_stack_free(w->a);
    wn_stack_free(w->b);
    assert_int_equal(w->counts.blocks, 0);
}

/* Copies a frame with its facts into the pool of the other stack. */
static struct wn_frame *copy_of(const struct wn_frame *frame, struct wn_stack *to)
{
    struct wn_offload facts;
    size_t len = wn_frame_len(frame);
    struct wn_frame *copy = wn_frame_new(wn_stack_frames(to), len);
    assert_non_null(copy);
    assert_int_equal(wn_frame_copy(frame, wn_frame_room(copy), len), len);
    assert_int_equal(wn_frame_set_len(copy, len), 0);
    wn_frame_offload(frame, &facts);
    assert_int_equal(wn_frame_set_offload(copy, &facts), 0);
    return copy;
}

static bool carry(struct wn_stack *from, struct wn_stack *to, bool lose)
{
    struct wn_frame *frames[4];
    size_t count = wn_stack_output_batch(from, 0, frames, ARRAY_LEN(frames));
    struct wn_frame *copies[4];
    for (size_t i = 0; i < count; i++) {
        copies[i] = copy_of(frames[i], to);
        wn_frame_release(frames[i]);
        if (lose)
            wn_frame_release(copies[i]);
    }
    if (!lose)
        assert_int_equal(wn_stack_input_batch(to, 0, copies, count), 0);
    return count > 0;
}

/* Turns until nothing moves at this instant. */
static void settle(struct world *w)
{
    bool moved = true;
    while (moved) {
        moved = carry(w->a, w->b, w->lose);
        moved |= carry(w->b, w->a, false);
    }
}

static void run_for(struct world *w, wn_time duration)
{
    wn_time until = w->now + duration;
    for (;;) {
        settle(w);
        wn_time next = wn_stack_deadline(w->a);
        if (wn_stack_deadline(w->b) < next)
            next = wn_stack_deadline(w->b);
        if (next > until)
            break;
        w->now = next > w->now ? next : w->now;
        wn_stack_tick(w->a);
        wn_stack_tick(w->b);
    }
    w->now = until;
}

static struct wn_endpoint at(const char *text)
{
    struct wn_endpoint out;
    assert_int_equal(wn_endpoint_parse(text, &out), 0);
    return out;
}

/* The next event, which must be there. */
static struct wn_event event_of(struct wn_stack *stack)
{
    struct wn_event event = {.events = 0};
    assert_int_equal(wn_stack_next_event(stack, &event), 1);
    return event;
}

static void connect_pair(struct world *w, struct wn_tcp **client, struct wn_tcp **server)
{
    struct wn_listener *listener;
    struct wn_endpoint any = at("0.0.0.0:80");
    struct wn_endpoint target = at("10.0.0.2:80");
    assert_int_equal(wn_listener_open(w->b, &any, 0, w, &listener), 0);
    assert_int_equal(wn_tcp_connect(w->a, &target, NULL, &w->a, client), 0);
    assert_string_equal(wn_tcp_state(*client), "SYN-SENT");
    settle(w);
    struct wn_event event = event_of(w->a);
    assert_true(event.kind == WN_EVENT_TCP && event.tcp == *client && event.user == &w->a);
    assert_true(event.events & WN_OPENED);
    event = event_of(w->b);
    assert_true(event.kind == WN_EVENT_LISTENER && event.listener == listener && event.user == w);
    *server = wn_tcp_accept(listener, &w->b);
    assert_non_null(*server);
    assert_null(wn_tcp_accept(listener, NULL));
    wn_listener_close(listener);
}

static void test_stream(void **state)
{
    (void)state;
    static const unsigned features[] = {0, WN_INTERFACE_CHECKSUM,
                                        WN_INTERFACE_CHECKSUM | WN_INTERFACE_TSO4};
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        struct world w;
        struct wn_tcp *client, *server;
        static uint8_t octets[40000], got[40000];
        world_init(&w, features[i]);
        connect_pair(&w, &client, &server);
        for (size_t at_octet = 0; at_octet < sizeof octets; at_octet++)
            octets[at_octet] = (uint8_t)(at_octet * 31 >> 3);
        size_t sent = 0, received = 0;
        while (received < sizeof octets) {
            sent += wn_tcp_send(client, octets + sent, sizeof octets - sent);
            settle(&w);
            received += wn_tcp_receive(server, got + received, 7777);
        }
        assert_memory_equal(octets, got, sizeof got);
        assert_int_equal(wn_tcp_at_end(server), 0);
        wn_tcp_shutdown(client);
        settle(&w);
        assert_int_equal(wn_tcp_at_end(server), 1);
        assert_string_equal(wn_tcp_state(server), "CLOSE-WAIT");
        wn_tcp_close(server);
        wn_tcp_close(client);
        settle(&w);
        assert_int_equal(wn_stack_counter(w.a, "tcpRetransSegs"), 0);
        assert_true(w.traces[WN_TRACE_TCP_STATE] > 8);
        world_done(&w);
    }
}

static void test_without_copies(void **state)
{
    (void)state;
    struct world w;
    struct wn_tcp *client, *server;
    struct wn_iovec views[4];
    world_init(&w, 0);
    connect_pair(&w, &client, &server);
    struct wn_frame *frame = wn_frame_new(wn_stack_frames(w.a), 5);
    memcpy(wn_frame_room(frame), "hello", 5);
    assert_int_equal(wn_frame_set_len(frame, 5), 0);
    assert_int_equal(wn_tcp_send_frame(client, frame), 0);
    assert_int_equal(wn_tcp_unacknowledged(client), 5);
    settle(&w);
    assert_int_equal(wn_tcp_received(server), 5);
    assert_int_equal(wn_tcp_views(server, views, 4), 1);
    assert_int_equal(views[0].iov_len, 5);
    assert_memory_equal(views[0].iov_base, "hello", 5);
    assert_int_equal(wn_tcp_send_as(client, "x", 1, WN_SEND_MORE), 1);
    settle(&w);
    assert_int_equal(wn_tcp_received(server), 5); /* it waits for more */
    assert_int_equal(wn_tcp_send(client, "y", 1), 1);
    settle(&w);
    assert_int_equal(wn_tcp_received(server), 7);
    wn_tcp_consume(server, 2);
    assert_int_equal(wn_tcp_views(server, views, 4), 1);
    assert_memory_equal(views[0].iov_base, "llo", 3);
    wn_tcp_consume(server, 1000); /* no more than there are */
    assert_int_equal(wn_tcp_received(server), 0);
    wn_tcp_shutdown(client);
    frame = wn_frame_new(wn_stack_frames(w.a), 1);
    assert_int_equal(wn_frame_set_len(frame, 1), 0);
    assert_int_equal(wn_tcp_send_frame(client, frame), -EPIPE);
    wn_frame_release(frame);
    wn_tcp_abort(client);
    wn_tcp_abort(server);
    world_done(&w);
}

static void test_urgent(void **state)
{
    (void)state;
    struct world w;
    struct wn_tcp *client, *server;
    size_t before = 99;
    char got[4];
    world_init(&w, 0);
    connect_pair(&w, &client, &server);
    assert_int_equal(wn_tcp_urgent(server, &before), 0);
    assert_int_equal(wn_tcp_send_urgent(client, "abc", 3), 3);
    settle(&w);
    struct wn_event event = event_of(w.b);
    assert_true(event.events & WN_URGENT);
    assert_int_equal(wn_tcp_urgent(server, &before), 1);
    assert_int_equal(before, 2);
    assert_int_equal(wn_tcp_receive(server, got, 4), 3); /* in line */
    assert_int_equal(wn_tcp_urgent(server, &before), 0);
    world_done(&w);
}

static void test_loss_and_failure(void **state)
{
    (void)state;
    struct world w;
    struct wn_tcp *client, *server, *refused;
    world_init(&w, 0);
    connect_pair(&w, &client, &server);
    w.lose = true;
    assert_int_equal(wn_tcp_set(client, "user_timeout", 3 * WN_SECOND), 0);
    assert_int_equal(wn_tcp_send(client, "x", 1), 1);
    run_for(&w, 20 * WN_SECOND);
    assert_int_equal(wn_tcp_error(client), ETIMEDOUT);
    assert_true(w.traces[WN_TRACE_TCP_RETRANSMIT] > 0);
    assert_true(w.traces[WN_TRACE_TCP_WINDOW] > 1);
    wn_tcp_close(client);
    wn_tcp_abort(server);
    w.lose = false;
    struct wn_endpoint target = at("10.0.0.2:81");
    assert_int_equal(wn_tcp_connect(w.a, &target, NULL, NULL, &refused), 0);
    settle(&w);
    assert_int_equal(wn_tcp_error(refused), ECONNREFUSED);
    wn_tcp_close(refused);
    world_done(&w);
}

static void test_udp(void **state)
{
    (void)state;
    struct world w;
    struct wn_udp *client, *server;
    struct wn_endpoint any = at("0.0.0.0:0"), from;
    struct wn_endpoint target = at("10.0.0.2:53");
    char got[16];
    uint8_t type, code;
    world_init(&w, 0);
    assert_int_equal(wn_udp_open(w.a, &any, 0, NULL, &client), 0);
    assert_int_equal(wn_udp_send(client, &target, "ask", 3), 0);
    settle(&w);
    assert_int_equal(wn_udp_next_error(client, &from, &type, &code), 1); /* nobody is there */
    assert_true(type == 3 && code == 3 && from.port == 53);
    struct wn_endpoint own = at("0.0.0.0:53");
    assert_int_equal(wn_udp_open(w.b, &own, 0, &w, &server), 0);
    assert_int_equal(wn_udp_open(w.b, &own, 0, NULL, &(struct wn_udp *){NULL}), -EADDRINUSE);
    assert_true(strstr(wn_stack_error(w.b), "0.0.0.0:53") != NULL);
    assert_int_equal(wn_udp_send(client, &target, "ask", 3), 0);
    settle(&w);
    struct wn_event event = event_of(w.b);
    assert_true(event.kind == WN_EVENT_UDP && event.udp == server && event.user == &w);
    assert_int_equal(wn_udp_receive(server, got, 2, &from), 3); /* cut, and its length told */
    assert_memory_equal(got, "as", 2);
    struct wn_endpoint local;
    wn_udp_local(client, &local);
    assert_int_equal(from.port, local.port);
    assert_int_equal(wn_udp_receive(server, got, 2, NULL), -EAGAIN);
    struct wn_endpoint nowhere = at("192.0.2.1:53"), everyone = at("10.0.0.255:53");
    assert_int_equal(wn_udp_send(client, &nowhere, "x", 1), -ENETUNREACH);
    assert_int_equal(wn_udp_send(client, &everyone, "x", 1), -EACCES);
    wn_udp_close(client);
    wn_udp_close(server);
    world_done(&w);
}

/* Several at one endpoint: each has a part of what comes, and together they have all of it. */
static void test_sharing(void **state)
{
    (void)state;
    enum { COUNT = 2, CLIENTS = 40 };
    struct world w;
    struct wn_listener *listeners[COUNT];
    struct wn_udp *sockets[COUNT];
    struct wn_udp *clients[CLIENTS];
    struct wn_tcp *tcp;
    struct wn_endpoint any = at("0.0.0.0:0"), own = at("0.0.0.0:80"), target = at("10.0.0.2:80");
    unsigned accepted[COUNT] = {0}, received[COUNT] = {0};
    world_init(&w, 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(wn_listener_open_shared(w.b, &own, 0, NULL, &listeners[i]), 0);
        assert_int_equal(wn_udp_open(w.b, &own, WN_UDP_SHARED, NULL, &sockets[i]), 0);
    }
    struct wn_listener *none = NULL;
    assert_int_equal(wn_listener_open(w.b, &own, 0, NULL, &none), -EADDRINUSE);
    assert_int_equal(wn_udp_open(w.b, &own, 0, NULL, &(struct wn_udp *){NULL}), -EADDRINUSE);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(wn_tcp_connect(w.a, &target, NULL, NULL, &tcp), 0);
        assert_int_equal(wn_udp_open(w.a, &any, 0, NULL, &clients[i]), 0);
        assert_int_equal(wn_udp_send(clients[i], &target, "x", 1), 0);
        settle(&w);
    }
    for (size_t i = 0; i < COUNT; i++) {
        while (wn_tcp_accept(listeners[i], NULL) != NULL)
            accepted[i]++;
        while (wn_udp_receive(sockets[i], NULL, 0, NULL) >= 0)
            received[i]++;
        assert_true(accepted[i] > 0 && received[i] > 0);
    }
    assert_int_equal(accepted[0] + accepted[1], CLIENTS);
    assert_int_equal(received[0] + received[1], CLIENTS);
    world_done(&w);
}

static void count_event(void *self, const struct wn_event *event)
{
    (void)event;
    ++*(unsigned *)self;
}

static void test_dispatch(void **state)
{
    (void)state;
    struct world w;
    struct wn_udp *client, *server;
    struct wn_endpoint any = at("0.0.0.0:0"), own = at("0.0.0.0:53"), target = at("10.0.0.2:53");
    unsigned told = 0;
    world_init(&w, 0);
    assert_int_equal(wn_udp_open(w.a, &any, 0, NULL, &client), 0);
    assert_int_equal(wn_udp_open(w.b, &own, 0, NULL, &server), 0);
    assert_int_equal(wn_stack_dispatch(w.b), 0);
    assert_int_equal(wn_udp_send(client, &target, "x", 1), 0);
    settle(&w);
    assert_int_equal(wn_stack_dispatch(w.b), 0); /* nobody wants to be told */
    wn_stack_on_event(w.b, count_event, &told);
    assert_int_equal(wn_stack_dispatch(w.b), 1);
    assert_int_equal(told, 1);
    assert_int_equal(wn_stack_dispatch(w.b), 0);
    world_done(&w); /* with its sockets */
}

static void test_settings(void **state)
{
    (void)state;
    struct world w;
    int64_t value;
    world_init(&w, 0);
    size_t count = 0;
    const char *name;
    for (size_t place = 0; (name = wn_stack_each_setting(&place)) != NULL; count++) {
        assert_int_equal(wn_stack_get(w.a, name, &value), 0);
        assert_int_equal(wn_stack_set(w.a, name, value), 0); /* what is can be */
        assert_int_equal(wn_stack_set(w.a, name, INT64_MIN), -ERANGE);
    }
    assert_true(count > 60);
    assert_int_equal(wn_stack_set(w.a, "initial_window", 3), 0);
    assert_int_equal(wn_stack_get(w.a, "initial_window", &value), 0);
    assert_int_equal(value, 3);
    assert_int_equal(wn_stack_set(w.a, "initial_windows", 3), -ENOENT);
    assert_true(strstr(wn_stack_error(w.a), "initial_windows") != NULL);
    assert_int_equal(wn_stack_set(w.a, "congestion", 99), -ERANGE);
    assert_int_equal(wn_stack_set_profile(w.a, "linux"), 0);
    assert_int_equal(wn_stack_get(w.a, "initial_window", &value), 0);
    assert_int_equal(value, 10);
    assert_int_equal(wn_stack_set_profile(w.a, "plan9"), -EINVAL);
    world_done(&w);
}

/* A setting changes what goes out: without timestamps the SYN is shorter. */
static void test_settings_work(void **state)
{
    (void)state;
    size_t lens[2];
    for (int timestamps = 0; timestamps < 2; timestamps++) {
        struct world w;
        struct wn_tcp *client;
        struct wn_endpoint target = at("10.0.0.2:80");
        world_init(&w, 0);
        assert_int_equal(wn_stack_add_neighbour(w.a, 0, "10.0.0.2", "02:00:00:00:00:02"), 0);
        assert_int_equal(wn_stack_set(w.a, "timestamps", timestamps), 0);
        struct wn_frame *frame;
        while ((frame = wn_stack_output(w.a, 0)) != NULL)
            wn_frame_release(frame); /* announcements */
        assert_int_equal(wn_tcp_connect(w.a, &target, NULL, NULL, &client), 0);
        frame = wn_stack_output(w.a, 0);
        assert_non_null(frame);
        lens[timestamps] = wn_frame_len(frame);
        wn_frame_release(frame);
        wn_tcp_abort(client);
        world_done(&w);
    }
    assert_int_equal(lens[1] - lens[0], 8); /* 10 octets of option and 2 of padding, for 4 */
}

static void test_options(void **state)
{
    (void)state;
    struct world w;
    struct wn_tcp *client, *server;
    uint64_t value;
    world_init(&w, 0);
    connect_pair(&w, &client, &server);
    size_t count = 0;
    const char *name;
    for (size_t place = 0; (name = wn_tcp_each_option(&place)) != NULL; count++)
        assert_int_equal(wn_tcp_get(client, name, &value), 0);
    assert_true(count > 30);
    assert_int_equal(wn_tcp_set(client, "keepalive_idle", 5 * WN_SECOND), 0);
    assert_int_equal(wn_tcp_get(client, "keepalive_idle", &value), 0);
    assert_int_equal(value, 5 * WN_SECOND);
    assert_int_equal(wn_tcp_set(client, "keepalive_idle", 1), -ERANGE);
    assert_int_equal(wn_tcp_set(client, "ecn", 1), -EINVAL);
    assert_int_equal(wn_tcp_set(client, "nagle", 1), -ENOENT);
    assert_int_equal(wn_tcp_set_congestion(client, "newreno"), 0);
    assert_int_equal(wn_tcp_set_congestion(client, "westwood"), -ENOENT);
    size_t algorithms = 0;
    for (size_t place = 0; (name = wn_tcp_each_congestion(&place)) != NULL; algorithms++)
        assert_int_equal(wn_tcp_set_congestion(client, name), 0);
    assert_true(algorithms >= 2);
    struct wn_tcp_info info;
    wn_tcp_get_info(client, &info, sizeof info);
    assert_int_equal(info.tcpi_state, WN_TCP_ESTABLISHED);
    assert_int_equal(info.tcpi_snd_mss, 1448);
    uint8_t first = 0xff;
    wn_tcp_get_info(client, (struct wn_tcp_info *)(void *)&first, 1); /* an older caller's */
    assert_int_equal(first, WN_TCP_ESTABLISHED);
    world_done(&w);
}

static void test_counters(void **state)
{
    (void)state;
    struct world w;
    struct wn_tcp *client, *server;
    const char *name;
    uint64_t value;
    size_t count = 0;
    world_init(&w, 0);
    connect_pair(&w, &client, &server);
    assert_int_equal(wn_stack_counter(w.a, "tcpActiveOpens"), 1);
    assert_int_equal(wn_stack_counter(w.b, "tcpPassiveOpens"), 1);
    assert_int_equal(wn_stack_counter(w.b, "tcpCurrEstab"), 1);
    assert_int_equal(wn_stack_counter(w.b, "noSuchCounter"), 0);
    for (size_t place = 0; wn_stack_each_counter(w.a, &place, &name, &value); count++)
        assert_true(strlen(name) > 4);
    assert_true(count > 50);
    bool found = false;
    for (size_t place = 0; wn_stack_each_interface_counter(w.a, 0, &place, &name, &value);)
        if (strcmp(name, "ifInUcastPkts") == 0)
            found = value > 0;
    assert_true(found);
    size_t none = 0;
    assert_int_equal(wn_stack_each_interface_counter(w.a, 1, &none, &name, &value), 0);
    static const uint8_t rubbish[20] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x12, 0x34};
    assert_int_equal(wn_stack_input_copy(w.a, 0, rubbish, sizeof rubbish), 0);
    assert_string_equal(w.last_drop, "EtherType is not spoken here");
    found = false;
    for (size_t place = 0; wn_stack_each_drop(w.a, &place, &name, &value);)
        if (strcmp(name, w.last_drop) == 0)
            found = value == 1;
    assert_true(found);
    world_done(&w);
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 0);
    struct wn_stack *a = w.a, *none = NULL;
    struct wn_stack_options options = {.size = sizeof options};
    assert_int_equal(wn_stack_new(&options, &none), -EINVAL); /* no host */
    options.host = w.host;
    options.profile = "plan9";
    assert_int_equal(wn_stack_new(&options, &none), -EINVAL);
    options.profile = NULL;
    options.size = 8;
    assert_int_equal(wn_stack_new(&options, &none), -EINVAL);
    options.size = sizeof options + 8;
    assert_int_equal(wn_stack_new(&options, &none), -EINVAL);
    assert_null(none);
    assert_int_equal(wn_stack_add_interface(a, "eth1", "02:00:00:00:00", 1500, 0), -EINVAL);
    assert_int_equal(wn_stack_add_interface(a, "eth1", "03:00:00:00:00:01", 1500, 0), -EINVAL);
    assert_int_equal(wn_stack_add_interface(a, "eth1", "02:00:00:00:00:03", 575, 0), -EINVAL);
    assert_int_equal(wn_stack_add_interface(a, "eth1", "02:00:00:00:00:03", 70000, 0), -EINVAL);
    assert_int_equal(wn_stack_add_interface(a, "eth1", "02:00:00:00:00:03", 1500,
                                            WN_INTERFACE_TSO4), -EINVAL);
    assert_int_equal(wn_stack_add_interface(a, "a-name-of-sixteen", "02:00:00:00:00:03", 1500, 0),
                     -EINVAL);
    assert_int_equal(wn_stack_add_address(a, 1, "10.1.0.1/24"), -EINVAL);
    assert_int_equal(wn_stack_add_address(a, -1, "10.1.0.1/24"), -EINVAL);
    assert_int_equal(wn_stack_add_address(a, 0, "10.1.0.1/33"), -EINVAL);
    assert_int_equal(wn_stack_add_address(a, 0, "224.0.0.1/24"), -EINVAL);
    assert_int_equal(wn_stack_add_address(a, 0, "::1/64"), -EINVAL);
    assert_int_equal(wn_stack_add_address(a, 0, "10.0.0.1/24"), -EEXIST);
    assert_int_equal(wn_stack_remove_address(a, 0, "10.0.0.7"), -ENOENT);
    assert_int_equal(wn_stack_add_route(a, "0.0.0.0/0", "10.0.0", 0), -EINVAL);
    assert_int_equal(wn_stack_remove_route(a, "192.0.2.0/24", NULL), -ENOENT);
    assert_int_equal(wn_stack_add_neighbour(a, 0, "10.0.0.2", "ff:ff:ff:ff:ff:ff"), -EINVAL);
    assert_int_equal(wn_stack_set_up(a, 3, 1), -EINVAL);
    assert_int_equal(wn_stack_set_mtu(a, 3, 1500), -EINVAL);
    assert_int_equal(wn_stack_set_mtu(a, 0, 575), -EINVAL);
    assert_int_equal(wn_stack_set_mtu(a, 0, 9000), 0);
    assert_int_equal(wn_stack_input_copy(a, 7, "x", 1), -EINVAL);
    assert_null(wn_stack_output(a, 7));
    struct wn_tcp *tcp = NULL;
    struct wn_endpoint nowhere = at("192.0.2.1:80"), zero = at("10.0.0.2:0"),
                       group = at("224.0.0.1:80"), v6 = at("[2001:db8::1]:80");
    assert_int_equal(wn_tcp_connect(a, &nowhere, NULL, NULL, &tcp), -ENETUNREACH);
    assert_int_equal(wn_tcp_connect(a, &zero, NULL, NULL, &tcp), -EINVAL);
    assert_int_equal(wn_tcp_connect(a, &group, NULL, NULL, &tcp), -EINVAL);
    assert_int_equal(wn_tcp_connect(a, &v6, NULL, NULL, &tcp), -EINVAL);
    assert_null(tcp);
    assert_int_equal(wn_endpoint_parse("10.0.0.2", &zero), -EINVAL);
    for (int i = 1; i < 16; i++)
        assert_int_equal(wn_stack_add_interface(a, "more", "02:00:00:00:00:09", 1500, 0), i);
    assert_int_equal(wn_stack_add_interface(a, "more", "02:00:00:00:00:09", 1500, 0), -ENOSPC);
    world_done(&w);
}

static void test_frames(void **state)
{
    (void)state;
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct wn_host host = {&counts, heap.resize, clock_of, chance};
    struct wn_frames *frames = wn_frames_new(&host, 64 * 1024);
    struct wn_frame *frame = wn_frame_new(frames, 100);
    assert_null(wn_frame_new(frames, WN_FRAME_SIZE_MAX + 1));
    assert_null(wn_frame_new(frames, 65000)); /* more than is left of the pool */
    memset(wn_frame_room(frame), 0, 100);
    assert_int_equal(wn_frame_set_len(frame, 70000), -EINVAL);
    assert_int_equal(wn_frame_set_len(frame, 100), 0);
    static const struct {
        struct wn_offload facts;
        int want;
    } cases[] = {
        {{.checksum = WN_CHECKSUM_VALID}, 0},
        {{.checksum = 3}, -EINVAL},
        {{.checksum = WN_CHECKSUM_PARTIAL, .checksum_start = 34, .checksum_offset = 16}, 0},
        {{.checksum = WN_CHECKSUM_PARTIAL, .checksum_start = 2, .checksum_offset = 16}, -EINVAL},
        {{.checksum = WN_CHECKSUM_PARTIAL, .checksum_start = 34, .checksum_offset = 65}, -EINVAL},
        {{.checksum = WN_CHECKSUM_PARTIAL, .checksum_start = 34, .checksum_offset = 64}, 0},
        {{.checksum = WN_CHECKSUM_VALID, .segmentation = WN_SEGMENTATION_TCP4, .segment_size = 9},
         -EINVAL},
        {{WN_CHECKSUM_PARTIAL, WN_SEGMENTATION_TCP4, 0, 54, 34, 16}, -EINVAL},
        {{WN_CHECKSUM_PARTIAL, WN_SEGMENTATION_TCP4, 9, 54, 81, 16}, -EINVAL},
        {{WN_CHECKSUM_PARTIAL, 3, 9, 54, 34, 16}, -EINVAL},
        {{WN_CHECKSUM_PARTIAL, WN_SEGMENTATION_TCP4, 9, 54, 34, 6}, -EINVAL},
        {{WN_CHECKSUM_PARTIAL, WN_SEGMENTATION_TCP4, 9, 54, 34, 16}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(wn_frame_set_offload(frame, &cases[i].facts), cases[i].want);
    struct wn_offload facts;
    wn_frame_offload(frame, &facts);
    assert_true(facts.segmentation == WN_SEGMENTATION_TCP4 && facts.segment_size == 9 &&
                facts.checksum_start == 34 && facts.checksum_offset == 16);
    wn_frame_release(frame);
    wn_frames_free(frames);
    assert_int_equal(counts.blocks, 0);
}

/* A clock that runs backwards stops time, and nothing else. */
static void test_clock_backwards(void **state)
{
    (void)state;
    struct world w;
    struct wn_tcp *client, *server;
    world_init(&w, 0);
    connect_pair(&w, &client, &server);
    w.now -= 2 * WN_SECOND;
    assert_int_equal(wn_tcp_send(client, "x", 1), 1);
    settle(&w);
    wn_stack_tick(w.a);
    assert_int_equal(wn_tcp_received(server), 1);
    world_done(&w);
}

/* Without memory nothing is made, and nothing is left behind, whenever it is that it ends. */
static void test_no_memory(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 0);
    size_t blocks = w.counts.blocks;
    bool made = false;
    for (unsigned i = 1; !made; i++) {
        struct wn_stack *stack = NULL;
        struct wn_stack_options options = {.size = sizeof options, .host = w.host};
        w.counts.fail_at = w.counts.allocations + i;
        int result = wn_stack_new(&options, &stack);
        w.counts.fail_at = 0;
        made = result == 0;
        if (!made)
            assert_int_equal(result, -ENOMEM);
        wn_stack_free(stack);
        assert_int_equal(w.counts.blocks, blocks);
        assert_true(i < 100);
    }
    world_done(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_without_copies),
        cmocka_unit_test(test_urgent),
        cmocka_unit_test(test_loss_and_failure),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_settings_work),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_clock_backwards),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

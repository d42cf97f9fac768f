/* SPDX-License-Identifier: ISC */
/*
 * test_api_loop.c - loops of the library: real ones over a pair of sockets, virtual ones that replay,
 * and what cannot be joined. TAP devices are in test_library.sh, which has a namespace.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <wholenet/loop.h>
#include <wholenet/socket.h>
#include <wholenet/udp.h>

static struct wn_stack *add_host(struct wn_loop *loop, const char *mac, const char *address,
                                 unsigned features)
{
    struct wn_stack *stack;
    assert_int_equal(wn_loop_stack(loop, NULL, &stack), 0);
    assert_int_equal(wn_stack_add_interface(stack, "eth0", mac, 1500, features), 0);
    assert_int_equal(wn_stack_add_address(stack, 0, address), 0);
    return stack;
}

static struct wn_endpoint at(const char *text)
{
    struct wn_endpoint out;
    assert_int_equal(wn_endpoint_parse(text, &out), 0);
    return out;
}

static void echo(void *self, const struct wn_event *event)
{
    (void)self;
    char octets[64];
    struct wn_endpoint from;
    long len;
    while ((len = wn_udp_receive(event->udp, octets, sizeof octets, &from)) >= 0)
        assert_int_equal(wn_udp_send(event->udp, &from, octets, (size_t)len), 0);
}

/* Two stacks, each on an end of a pair of sockets of the kernel's; and blocking calls. */
static void test_descriptors(void **state)
{
    (void)state;
    int ends[2];
    char got[8];
    struct wn_udp *udp;
    struct wn_endpoint own = at("0.0.0.0:7");
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    struct wn_loop *loop = wn_loop_new();
    assert_non_null(loop);
    struct wn_stack *a = add_host(loop, "02:00:00:00:00:01", "10.0.0.1/24", 0);
    struct wn_stack *b = add_host(loop, "02:00:00:00:00:02", "10.0.0.2/24", 0);
    assert_int_equal(wn_loop_attach_fd(loop, a, 0, ends[0]), 0);
    assert_int_equal(wn_loop_attach_fd(loop, b, 0, ends[1]), 0);
    wn_stack_on_event(b, echo, NULL);
    assert_int_equal(wn_udp_open(b, &own, 0, NULL, &udp), 0);
    struct wn_sockets_options options = {
        .size = sizeof options, .pump = wn_loop_pump, .pump_self = loop};
    struct wn_sockets *sockets = wn_sockets_new(a, &options);
    int fd = wn_socket(sockets, WN_AF_INET, WN_SOCK_DGRAM, 0);
    struct wn_sockaddr_in to = {.sin_family = WN_AF_INET};
    memcpy(&to.sin_port, "\0\7", 2);
    memcpy(&to.sin_addr.s_addr, "\x0a\x00\x00\x02", 4);
    assert_int_equal(wn_sendto(sockets, fd, "ask", 3, 0, &to, sizeof to), 3);
    assert_int_equal(wn_recv(sockets, fd, got, sizeof got, 0), 3);
    /* Who only asks, and never waits, gets on, too. */
    assert_int_equal(wn_sendto(sockets, fd, "again", 5, 0, &to, sizeof to), 5);
    long len = -1;
    for (int i = 0; i < 1000 && len < 0; i++)
        len = wn_recv(sockets, fd, got, sizeof got, WN_MSG_DONTWAIT);
    assert_int_equal(len, 5);
    /* Time that the program spends itself has passed, too: a timeout counts from the call. */
    struct timespec work = {0, 30 * 1000 * 1000};
    nanosleep(&work, NULL);
    struct wn_timeval patience = {0, 20000};
    assert_int_equal(wn_setsockopt(sockets, fd, WN_SOL_SOCKET, WN_SO_RCVTIMEO, &patience,
                                   sizeof patience), 0);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(wn_recv(sockets, fd, got, sizeof got, 0), -1);
    assert_int_equal(errno, EAGAIN);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t waited = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    assert_true(waited >= 19 * 1000 * 1000);
    wn_sockets_free(sockets);
    wn_loop_free(loop);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1); /* closed with the loop */
    wn_stack_free(a);
    wn_stack_free(b);
}

/* What a run of a bad wire leaves behind in the counters. */
static uint64_t run(uint64_t seed, const struct wn_impairments *bad, unsigned features)
{
    uint64_t sum = 0, value;
    const char *name;
    struct wn_udp *client, *server;
    struct wn_endpoint any = at("0.0.0.0:0"), own = at("0.0.0.0:7"), to = at("10.0.0.2:7");
    struct wn_loop *loop = wn_loop_new_virtual(seed);
    struct wn_stack *a = add_host(loop, "02:00:00:00:00:01", "10.0.0.1/24", features);
    struct wn_stack *b = add_host(loop, "02:00:00:00:00:02", "10.0.0.2/24", features);
    assert_int_equal(wn_loop_join(loop, a, 0, b, 0, bad, bad), 0);
    wn_stack_on_event(b, echo, NULL);
    assert_int_equal(wn_udp_open(a, &any, 0, NULL, &client), 0);
    assert_int_equal(wn_udp_open(b, &own, 0, NULL, &server), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(wn_udp_send(client, &to, "x", 1), 0);
        wn_loop_run_until(loop, wn_loop_now(loop) + 10 * WN_MILLISECOND);
    }
    for (size_t place = 0; wn_stack_each_counter(a, &place, &name, &value);)
        sum = sum * 31 + value;
    wn_loop_free(loop);
    wn_stack_free(b);
    wn_stack_free(a);
    return sum;
}

static void test_replay(void **state)
{
    (void)state;
    const struct wn_impairments bad = {.delay = 3000, .jitter = 1000, .loss = 200000};
    assert_int_equal(run(1, &bad, 0), run(1, &bad, 0));
    assert_true(run(1, &bad, 0) != run(2, &bad, 0));
    assert_int_equal(run(1, NULL, 0), run(2, NULL, 0));
    assert_int_equal(run(1, NULL, WN_INTERFACE_CHECKSUM), run(1, NULL, 0));
}

static void test_pump(void **state)
{
    (void)state;
    struct wn_udp *client, *server;
    struct wn_endpoint any = at("0.0.0.0:0"), own = at("0.0.0.0:7"), to = at("10.0.0.2:7");
    struct wn_loop *loop = wn_loop_new_virtual(1);
    struct wn_stack *a = add_host(loop, "02:00:00:00:00:01", "10.0.0.1/24", 0);
    struct wn_stack *b = add_host(loop, "02:00:00:00:00:02", "10.0.0.2/24", 0);
    assert_int_equal(wn_loop_join(loop, a, 0, b, 0, NULL, NULL), 0);
    assert_int_equal(wn_udp_open(a, &any, 0, NULL, &client), 0);
    assert_int_equal(wn_udp_open(b, &own, 0, NULL, &server), 0);
    assert_int_equal(wn_udp_send(client, &to, "x", 1), 0);
    assert_int_equal(wn_loop_pump(loop, WN_NEVER), 0);
    struct wn_event event;
    assert_int_equal(wn_stack_next_event(b, &event), 1);
    assert_ptr_equal(event.udp, server);
    wn_time before = wn_loop_now(loop);
    assert_int_equal(wn_loop_pump(loop, before + WN_SECOND), 0);
    assert_true(wn_loop_now(loop) == before + WN_SECOND);
    assert_int_equal(wn_loop_run(loop), 0);
    assert_int_equal(wn_loop_pump(loop, WN_NEVER), -EDEADLK);
    wn_loop_free(loop);
    wn_stack_free(a);
    wn_stack_free(b);
}

static void stop(void *self, const struct wn_event *event)
{
    (void)event;
    wn_loop_stop(self);
}

static void test_stop(void **state)
{
    (void)state;
    struct wn_udp *client, *server;
    struct wn_endpoint any = at("0.0.0.0:0"), own = at("0.0.0.0:7"), to = at("10.0.0.2:7");
    struct wn_loop *loop = wn_loop_new_virtual(1);
    const struct wn_impairments slow = {.delay = WN_SECOND};
    struct wn_stack *a = add_host(loop, "02:00:00:00:00:01", "10.0.0.1/24", 0);
    struct wn_stack *b = add_host(loop, "02:00:00:00:00:02", "10.0.0.2/24", 0);
    assert_int_equal(wn_loop_join(loop, a, 0, b, 0, &slow, &slow), 0);
    wn_stack_on_event(b, stop, loop);
    assert_int_equal(wn_udp_open(a, &any, 0, NULL, &client), 0);
    assert_int_equal(wn_udp_open(b, &own, 0, NULL, &server), 0);
    assert_int_equal(wn_udp_send(client, &to, "x", 1), 0);
    assert_int_equal(wn_loop_run_until(loop, 100 * WN_SECOND), 0);
    assert_true(wn_loop_now(loop) > WN_SECOND && wn_loop_now(loop) < 4 * WN_SECOND);
    wn_loop_free(loop);
    wn_stack_free(a);
    wn_stack_free(b);
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    struct wn_loop *loop = wn_loop_new_virtual(1), *other = wn_loop_new_virtual(1);
    struct wn_stack *a = add_host(loop, "02:00:00:00:00:01", "10.0.0.1/24", 0);
    struct wn_stack *b = add_host(other, "02:00:00:00:00:02", "10.0.0.2/24", 0);
    struct wn_stack *c;
    struct wn_stack_options options = {.size = sizeof options, .host = wn_loop_host(loop)};
    assert_int_equal(wn_stack_new(&options, &c), 0); /* with a pool of its own */
    assert_int_equal(wn_stack_add_interface(c, "eth0", "02:00:00:00:00:03", 1500, 0), 0);
    assert_int_equal(wn_loop_join(loop, a, 0, c, 0, NULL, NULL), -EINVAL);
    assert_int_equal(wn_loop_add(loop, c), 0);
    assert_int_equal(wn_loop_add(loop, c), -EEXIST);
    assert_int_equal(wn_loop_add(loop, b), -EINVAL);
    assert_int_equal(wn_loop_join(loop, a, 0, c, 0, NULL, NULL), -EINVAL); /* two pools */
    assert_int_equal(wn_loop_join(loop, a, 0, b, 0, NULL, NULL), -EINVAL);
    assert_int_equal(wn_loop_join(loop, a, 0, a, 0, NULL, NULL), -EINVAL);
    assert_int_equal(wn_loop_join(loop, a, 0, a, 1, NULL, NULL), -EINVAL);
    assert_int_equal(wn_loop_attach_fd(loop, a, 0, -1), -EBADF);
    assert_int_equal(wn_loop_attach_tap(loop, a, 5, "tap0"), -EINVAL);
    options.size = 1;
    assert_int_equal(wn_loop_stack(loop, &options, &c), -EINVAL);
    wn_loop_free(loop);
    wn_loop_free(other);
    wn_stack_free(a);
    wn_stack_free(b);
    wn_stack_free(c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_replay),
        cmocka_unit_test(test_pump),        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

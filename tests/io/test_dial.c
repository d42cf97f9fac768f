/* SPDX-License-Identifier: ISC */
#include "io/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "tests/support/check.h"

struct caller {
    struct loop *loop;
    struct net *net;
    struct dial dial;
    struct stream *stream;
    struct endpoint to;
    int error;
    unsigned told;
};

static void on_connected(void *self, struct stream *stream, const struct endpoint *to)
{
    struct caller *c = self;
    static const struct stream_handler nothing = {0};
    stream_set_handler(stream, &nothing, NULL);
    c->stream = stream;
    c->to = *to;
    c->told++;
    loop_stop(c->loop);
}

static void on_failed(void *self, int error, const struct endpoint *to)
{
    struct caller *c = self;
    c->error = error;
    c->to = *to;
    c->told++;
    loop_stop(c->loop);
}

static const struct dial_handler calls = {on_connected, on_failed};

static void open_caller(struct caller *c)
{
    *c = (struct caller){.loop = loop_new()};
    assert_non_null(c->loop);
    c->net = net_kernel_new(c->loop);
    assert_non_null(c->net);
}

static void close_caller(struct caller *c)
{
    dial_cancel(&c->dial);
    if (c->stream != NULL)
        stream_abort(c->stream);
    net_free(c->net);
    loop_free(c->loop);
}

static struct endpoint v4(const char *address, uint16_t port)
{
    struct endpoint e = {.port = port};
    assert_true(address_parse(bytes_of_text(address), &e.address));
    return e;
}

/* A socket of the host's that listens on 127.0.0.1, at a port that is returned. */
static int listen_at(int backlog, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* One whose queue is full: SYNs to it are dropped, as by a host that is not there. */
static int black_hole(uint16_t *port, int guests[4])
{
    int fd = listen_at(0, port);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(*port)};
    for (size_t i = 0; i < 4; i++) {
        guests[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(guests[i], (struct sockaddr *)&a, sizeof a);
    }
    return fd;
}

static void run(struct caller *c, const struct endpoint *addresses, size_t count, usec patience)
{
    usec now = loop_look(c->loop);
    dial_start(&c->dial, c->net, addresses, count, now + patience, &calls, c);
    assert_int_equal(c->told, 0); /* not from inside the call */
    assert_int_equal(loop_run_until(c->loop, now + 5 * USEC_PER_SEC), 0);
}

static void the_next_address_follows_a_refusal_at_once(void **state UNUSED)
{
    struct caller c;
    uint16_t port;
    int fd = listen_at(8, &port);
    struct endpoint addresses[] = {v4("127.0.0.1", 1), v4("127.0.0.2", 1), v4("127.0.0.1", port)};
    open_caller(&c);
    usec begun = clock_monotonic();
    run(&c, addresses, ARRAY_LEN(addresses), 4 * USEC_PER_SEC);
    assert_int_equal(c.told, 1);
    assert_non_null(c.stream);
    assert_int_equal(c.to.port, port);
    assert_true(clock_monotonic() - begun < DIAL_STAGGER);
    close_caller(&c);
    (void)close(fd);
}

static void the_next_address_follows_silence_after_a_while(void **state UNUSED)
{
    struct caller c;
    uint16_t hole;
    uint16_t port;
    int guests[4];
    int hole_fd = black_hole(&hole, guests);
    int fd = listen_at(8, &port);
    struct endpoint addresses[] = {v4("127.0.0.1", hole), v4("127.0.0.1", port)};
    open_caller(&c);
    usec begun = clock_monotonic();
    run(&c, addresses, ARRAY_LEN(addresses), 4 * USEC_PER_SEC);
    usec taken = clock_monotonic() - begun;
    assert_non_null(c.stream);
    assert_int_equal(c.to.port, port);
    assert_true(taken >= DIAL_STAGGER && taken < 4 * DIAL_STAGGER);
    assert_int_equal(loop_run_until(c.loop, loop_look(c.loop) + DIAL_STAGGER), 0);
    assert_int_equal(c.told, 1); /* the other attempt is given up without a word */
    close_caller(&c);
    (void)close(fd);
    (void)close(hole_fd);
    for (size_t i = 0; i < 4; i++)
        (void)close(guests[i]);
}

static void when_none_answers_the_first_one_is_told_of(void **state UNUSED)
{
    struct caller c;
    struct endpoint addresses[] = {v4("127.0.0.1", 1), v4("127.0.0.2", 1)};
    open_caller(&c);
    run(&c, addresses, ARRAY_LEN(addresses), 4 * USEC_PER_SEC);
    assert_int_equal(c.told, 1);
    assert_int_equal(c.error, ECONNREFUSED);
    assert_true(endpoint_equal(&c.to, &addresses[0]));
    close_caller(&c);
}

static void there_is_a_deadline(void **state UNUSED)
{
    struct caller c;
    uint16_t hole;
    int guests[4];
    int fd = black_hole(&hole, guests);
    struct endpoint address = v4("127.0.0.1", hole);
    open_caller(&c);
    usec begun = clock_monotonic();
    run(&c, &address, 1, 100 * USEC_PER_MSEC);
    assert_int_equal(c.error, ETIMEDOUT);
    assert_true(clock_monotonic() - begun < 2 * USEC_PER_SEC);
    close_caller(&c);
    (void)close(fd);
    for (size_t i = 0; i < 4; i++)
        (void)close(guests[i]);
}

static void a_dial_that_is_cancelled_says_nothing(void **state UNUSED)
{
    struct caller c;
    struct endpoint address = v4("127.0.0.1", 1);
    open_caller(&c);
    dial_cancel(&c.dial); /* of zeros */
    dial_start(&c.dial, c.net, &address, 1, USEC_NEVER, &calls, &c);
    dial_cancel(&c.dial);
    dial_cancel(&c.dial);
    assert_int_equal(loop_run_until(c.loop, loop_look(c.loop) + 50 * USEC_PER_MSEC), 0);
    assert_int_equal(c.told, 0);
    close_caller(&c);
}

static void families_take_turns(void **state UNUSED)
{
    struct caller c;
    static const char *const given[] = {"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"};
    static const char *const want[] = {"::1", "10.0.0.1", "::2", "10.0.0.2", "::3"};
    struct endpoint addresses[DIAL_ADDRESSES_MAX + 4];
    open_caller(&c);
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        addresses[i] = v4(given[i], 80);
    dial_start(&c.dial, c.net, addresses, ARRAY_LEN(given), USEC_NEVER, &calls, &c);
    assert_int_equal(c.dial.count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct endpoint e = v4(want[i], 80);
        CHECK(want[i], endpoint_equal(&c.dial.addresses[i], &e));
    }
    dial_cancel(&c.dial);
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        addresses[i] = v4("127.0.0.1", (uint16_t)(i + 1));
    dial_start(&c.dial, c.net, addresses, ARRAY_LEN(addresses), USEC_NEVER, &calls, &c);
    assert_int_equal(c.dial.count, DIAL_ADDRESSES_MAX);
    close_caller(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_address_follows_a_refusal_at_once),
        cmocka_unit_test(the_next_address_follows_silence_after_a_while),
        cmocka_unit_test(when_none_answers_the_first_one_is_told_of),
        cmocka_unit_test(there_is_a_deadline),
        cmocka_unit_test(a_dial_that_is_cancelled_says_nothing),
        cmocka_unit_test(families_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_net_kernel.c - what only the kernel's net meets: no descriptors left, two versions of IP. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/net.h"
#include "os/clock.h"
#include "os/socket.h"
#include "tests/support/check.h"

enum { CLIENTS = 20 };

struct server {
    struct loop *loop;
    struct net *net;
    struct listener *listener;
    struct stream *streams[CLIENTS * 2];
    size_t accepted;
    size_t octets;
    size_t ended;
    size_t stop_at; /* accepted */
    bool close;     /* at once, with a word of farewell */
};

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct server *server = self;
    server->octets += in.len;
    return in.len;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct server *server = self;
    server->ended++;
}

static const struct stream_handler handler = {.on_bytes = on_bytes, .on_end = on_end};

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    struct server *server = self;
    stream_set_handler(stream, &handler, server);
    server->accepted++;
    if (server->close) {
        assert_int_equal(stream_send(stream, bytes_of("bye", 3)), 3);
        stream_close(stream);
    } else {
        server->streams[server->accepted - 1] = stream;
    }
    if (server->accepted == server->stop_at)
        loop_stop(server->loop);
}

static const struct listener_handler listener_handler = {on_accept};

static void open_server_with(struct server *server, const char *local, bool client_first)
{
    struct listen_options options = {.backlog = CLIENTS, .client_first = client_first};
    *server = (struct server){.loop = loop_new()};
    server->net = net_kernel_new(server->loop);
    assert_true(endpoint_parse(bytes_of_text(local), &options.local));
    assert_int_equal(
        net_listen(server->net, &options, &listener_handler, server, &server->listener), 0);
}

static void open_server(struct server *server, const char *local)
{
    open_server_with(server, local, false);
}

static void close_server(struct server *server)
{
    for (size_t i = 0; i < ARRAY_LEN(server->streams); i++)
        if (server->streams[i] != NULL)
            stream_abort(server->streams[i]);
    listener_close(server->listener);
    net_free(server->net);
    loop_free(server->loop);
}

static int connect_client(const struct server *server)
{
    struct endpoint to = {address_v4(0x7f000001), listener_local(server->listener).port};
    int fd = host_socket_open(&to.address, SOCK_STREAM);
    assert_true(fd >= 0);
    int status = host_socket_connect(fd, &to);
    assert_true(status == 0 || status == -EINPROGRESS);
    return fd;
}

/* Lets this process open so many descriptors more; returns the limit of before. */
static rlim_t allow_more(int count)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    int lowest = dup(0);
    assert_true(lowest >= 0);
    close(lowest);
    limit.rlim_cur = (rlim_t)(lowest + count);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void allow(rlim_t count)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void without_descriptors_it_pauses_and_goes_on(void **state UNUSED)
{
    struct server server;
    int clients[CLIENTS];
    open_server(&server, "127.0.0.1:0");
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_client(&server);
    rlim_t before = allow_more(5);
    struct rusage used[2];
    usec start = clock_monotonic();
    getrusage(RUSAGE_SELF, &used[0]);
    assert_int_equal(loop_run_until(server.loop, start + 150 * USEC_PER_MSEC), 0);
    getrusage(RUSAGE_SELF, &used[1]);
    assert_int_equal(server.accepted, 5);
    /* It has slept most of the time. */
    usec busy = (used[1].ru_utime.tv_sec - used[0].ru_utime.tv_sec) * USEC_PER_SEC +
                used[1].ru_utime.tv_usec - used[0].ru_utime.tv_usec +
                (used[1].ru_stime.tv_sec - used[0].ru_stime.tv_sec) * USEC_PER_SEC +
                used[1].ru_stime.tv_usec - used[0].ru_stime.tv_usec;
    assert_true(busy < 50 * USEC_PER_MSEC);
    allow(before);
    server.stop_at = CLIENTS;
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 2 * USEC_PER_SEC), 0);
    assert_int_equal(server.accepted, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    close_server(&server);
}

static void what_only_lingers_makes_way(void **state UNUSED)
{
    struct server server;
    int clients[CLIENTS];
    open_server(&server, "127.0.0.1:0");
    server.close = true; /* and the clients do not: each of them is kept for a while */
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_client(&server);
    rlim_t before = allow_more(5);
    server.stop_at = CLIENTS;
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 2 * USEC_PER_SEC), 0);
    allow(before);
    assert_int_equal(server.accepted, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        char text[8];
        assert_int_equal(read(clients[i], text, sizeof text), 3);
        close(clients[i]);
    }
    close_server(&server);
}

static void the_wildcard_of_ipv6_serves_ipv4_too(void **state UNUSED)
{
    struct server server;
    open_server(&server, "[::]:0");
    int fd = connect_client(&server);
    server.stop_at = 1;
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 2 * USEC_PER_SEC), 0);
    assert_int_equal(server.accepted, 1);
    struct endpoint peer = stream_peer(server.streams[0]);
    struct endpoint want = host_socket_local(fd);
    assert_true(endpoint_equal(&peer, &want));
    assert_true(address_is_v4(&peer.address));
    close(fd);
    close_server(&server);
}

/* The peer has gone for good, we have finished, and the owner does not use what came: the kernel
 * then reports a hang-up without end, which must not keep the loop busy. */
static size_t use_nothing(void *self, struct stream *stream, struct bytes in UNUSED)
{
    struct server *server = self;
    server->octets++;
    stream_finish(stream);
    return 0;
}

static void a_hang_up_does_not_keep_the_loop_busy(void **state UNUSED)
{
    static const struct stream_handler lazy = {.on_bytes = use_nothing, .on_end = on_end};
    struct server server;
    static char much[STREAM_PENDING_MAX + 10000];
    open_server(&server, "127.0.0.1:0");
    int fd = connect_client(&server);
    server.stop_at = 1;
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 2 * USEC_PER_SEC), 0);
    stream_set_handler(server.streams[0], &lazy, &server);
    assert_int_equal(write(fd, much, sizeof much), sizeof much);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 20 * USEC_PER_MSEC), 0);
    size_t offers = server.octets;
    struct rusage used[2];
    getrusage(RUSAGE_SELF, &used[0]);
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 100 * USEC_PER_MSEC), 0);
    getrusage(RUSAGE_SELF, &used[1]);
    assert_int_equal(server.octets, offers);
    assert_true(used[1].ru_nvcsw - used[0].ru_nvcsw < 20);
    usec busy = used[1].ru_stime.tv_usec - used[0].ru_stime.tv_usec;
    assert_true(busy < 50 * USEC_PER_MSEC);
    assert_int_equal(server.ended, 0);
    stream_set_handler(server.streams[0], &handler, &server);
    stream_resume(server.streams[0]);
    server.octets = 0;
    server.streams[0] = NULL; /* ends by itself */
    assert_int_equal(loop_run_until(server.loop, clock_monotonic() + 50 * USEC_PER_MSEC), 0);
    assert_int_equal(server.ended, 1);
    assert_true(server.octets > STREAM_PENDING_MAX);
    close(fd);
    close_server(&server);
}

/* ---- who speaks first ---- */

static void run_for(const struct server *server, usec duration)
{
    assert_int_equal(loop_run_until(server->loop, clock_monotonic() + duration), 0);
}

/* What it has said is told in the turn in which it is accepted. */
static void a_client_that_speaks_first_is_accepted_when_it_has(void **state UNUSED)
{
    struct server server;
    open_server_with(&server, "127.0.0.1:0", true);
    int talker = connect_client(&server);
    run_for(&server, 50 * USEC_PER_MSEC);
    assert_int_equal(server.accepted, 0);
    assert_int_equal(write(talker, "hello", 5), 5);
    server.stop_at = 1;
    run_for(&server, 2 * USEC_PER_SEC);
    assert_int_equal(server.accepted, 1);
    assert_int_equal(server.octets, 5);
    server.stop_at = 0;
    assert_int_equal(write(talker, "more", 4), 4);
    run_for(&server, 50 * USEC_PER_MSEC);
    assert_int_equal(server.octets, 9);
    int silent = connect_client(&server); /* taken nevertheless */
    server.stop_at = 2;
    run_for(&server, 5 * USEC_PER_SEC);
    assert_int_equal(server.accepted, 2);
    assert_int_equal(server.octets, 9);
    assert_int_equal(write(silent, "late", 4), 4);
    run_for(&server, 50 * USEC_PER_MSEC);
    assert_int_equal(server.octets, 13);
    close(silent);
    close(talker);
    close_server(&server);
}

/* Each change is told once: octets and the end that come together, or with the connection itself,
 * are not to be missed. */
static void an_end_that_comes_with_octets_is_told(void **state UNUSED)
{
    struct server server;
    struct endpoint to = {address_v4(0x7f000001), 0};
    open_server(&server, "127.0.0.1:0");
    int fd = connect_client(&server);
    server.stop_at = 1;
    run_for(&server, 2 * USEC_PER_SEC);
    server.stop_at = 0;
    assert_int_equal(write(fd, "bye", 3), 3);
    close(fd);
    run_for(&server, 50 * USEC_PER_MSEC);
    assert_int_equal(server.octets, 3);
    assert_int_equal(server.ended, 1);
    int door = host_socket_open(&to.address, SOCK_STREAM);
    assert_int_equal(host_socket_bind(door, &to), 0);
    assert_int_equal(host_socket_listen(door, 1), 0);
    to = host_socket_local(door);
    assert_int_equal(net_connect(server.net, &to, NULL, &handler, &server, &server.streams[1]), 0);
    struct pollfd ready = {.fd = door, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 1000), 1);
    fd = host_socket_accept(door, &to);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hello", 5), 5);
    close(fd);
    close(door);
    run_for(&server, 50 * USEC_PER_MSEC);
    assert_int_equal(server.octets, 8);
    assert_int_equal(server.ended, 2);
    close_server(&server);
}

/* More than one read takes, and no more to come that would tell of it. */
static void what_one_read_leaves_is_read(void **state UNUSED)
{
    struct server server;
    static char much[3 * STREAM_PENDING_MAX];
    int size = 1024 * 1024;
    open_server(&server, "127.0.0.1:0");
    int fd = connect_client(&server);
    (void)host_socket_set(fd, SOL_SOCKET, SO_SNDBUF, size);
    server.stop_at = 1;
    run_for(&server, 2 * USEC_PER_SEC);
    server.stop_at = 0;
    size_t sent = 0;
    for (ssize_t got; sent < sizeof much && (got = write(fd, much + sent, sizeof much - sent)) > 0;)
        sent += (size_t)got;
    assert_true(sent > STREAM_PENDING_MAX);
    run_for(&server, 100 * USEC_PER_MSEC);
    assert_int_equal(server.octets, sent);
    close(fd);
    close_server(&server);
}

/* ---- sockets that roam ---- */

struct echo {
    struct loop *loop;
    struct dgram *server, *client;
    unsigned asked, answered, errors;
    uint16_t ports[64];
    bool silent;
    struct dgram_message last;
};

static void on_question(void *self, struct dgram *dgram, const struct dgram_message *message)
{
    struct echo *e = self;
    e->ports[e->asked++ % ARRAY_LEN(e->ports)] = message->from.port;
    e->last = *message;
    struct dgram_message back = {.to = message->from, .payload = message->payload};
    if (!e->silent)
        assert_int_equal(dgram_send(dgram, &back), 0);
}

static void on_answer(void *self, struct dgram *dgram UNUSED,
                      const struct dgram_message *message UNUSED)
{
    struct echo *e = self;
    e->answered++;
}

static void on_trouble(void *self, struct dgram *dgram UNUSED, const struct endpoint *to UNUSED,
                       int error UNUSED)
{
    ((struct echo *)self)->errors++;
}

static const struct dgram_handler question_handler = {.on_message = on_question};
static const struct dgram_handler answer_handler = {on_answer, on_trouble};

static void open_client(struct net *net, struct echo *e)
{
    struct dgram_options options = {.local = {address_any_v4(), 0}, .lean = true};
    assert_int_equal(net_bind(net, &options, &answer_handler, e, &e->client), 0);
    struct dgram_message message = {.to = dgram_local(e->server), .payload = bytes_of("x", 1)};
    assert_int_equal(dgram_send(e->client, &message), 0);
}

static void turn(struct echo *e, usec duration)
{
    (void)loop_run_until(e->loop, clock_monotonic() + duration);
}

/* One after another they are the same descriptor, each time with another port. */
static void a_socket_that_roams_has_a_new_port_each_time(void **state UNUSED)
{
    struct echo e = {.loop = loop_new()};
    struct net *net = net_kernel_new(e.loop);
    struct dgram_options options = {0};
    assert_true(endpoint_parse(bytes_of_text("127.0.0.1:0"), &options.local));
    assert_int_equal(net_bind(net, &options, &question_handler, &e, &e.server), 0);
    unsigned same = 0;
    for (unsigned i = 0; i < 40; i++) {
        open_client(net, &e);
        assert_int_equal(dgram_local(e.client).port != 0, 1);
        for (int k = 0; k < 100 && e.answered <= i; k++)
            turn(&e, 2 * USEC_PER_MSEC);
        assert_int_equal(e.answered, i + 1);
        dgram_close(e.client);
        for (unsigned k = 0; k < i; k++)
            same += e.ports[k] == e.ports[i];
    }
    assert_true(same < 5); /* of 28,232 at the least */
    /* What comes too late reaches nobody, and does not keep the loop busy. */
    open_client(net, &e);
    struct rusage used[2];
    getrusage(RUSAGE_SELF, &used[0]);
    e.silent = true;
    for (int k = 0; k < 100 && e.asked < 41; k++)
        turn(&e, 2 * USEC_PER_MSEC);
    struct dgram_message late = {.to = e.last.from, .payload = bytes_of("late", 4)};
    assert_int_equal(dgram_send(e.server, &late), 0);
    dgram_close(e.client);
    turn(&e, 50 * USEC_PER_MSEC);
    getrusage(RUSAGE_SELF, &used[1]);
    assert_true(used[1].ru_stime.tv_usec - used[0].ru_stime.tv_usec < 20 * USEC_PER_MSEC);
    assert_int_equal(e.answered, 40);
    assert_int_equal(dgram_send(e.server, &late), 0); /* that port is nobody's now */
    open_client(net, &e);
    turn(&e, 20 * USEC_PER_MSEC);
    assert_int_equal(e.answered, 40);
    assert_int_equal(e.errors, 0);
    dgram_close(e.client);
    dgram_close(e.server);
    net_free(net);
    loop_free(e.loop);
}

static void what_is_held_goes_when_it_is_flushed(void **state UNUSED)
{
    struct echo e = {.loop = loop_new(), .silent = true};
    struct net *net = net_kernel_new(e.loop);
    struct dgram_options options = {0};
    assert_true(endpoint_parse(bytes_of_text("127.0.0.1:0"), &options.local));
    assert_int_equal(net_bind(net, &options, &question_handler, &e, &e.server), 0);
    open_client(net, &e);
    turn(&e, 20 * USEC_PER_MSEC);
    dgram_hold(e.server);
    struct dgram_message message = {.to = e.last.from, .payload = bytes_of("y", 1)};
    for (unsigned i = 0; i < 200; i++) /* more than fit at once */
        assert_int_equal(dgram_send(e.server, &message), 0);
    dgram_flush(e.server);
    turn(&e, 50 * USEC_PER_MSEC);
    assert_int_equal(e.answered, 200);
    /* Closed while it holds something: that goes first. */
    dgram_hold(e.server);
    assert_int_equal(dgram_send(e.server, &message), 0);
    dgram_close(e.server);
    turn(&e, 20 * USEC_PER_MSEC);
    assert_int_equal(e.answered, 201);
    dgram_close(e.client);
    net_free(net);
    loop_free(e.loop);
}

/* ---- files ---- */

static unsigned rooms;

/* Our sockets do not block. */
static int connect_blocking(int fd, const struct endpoint *to)
{
    int status = host_socket_connect(fd, to);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    return status == -EINPROGRESS ? (poll(&ready, 1, 1000) == 1 ? 0 : -ETIMEDOUT) : status;
}

static void on_file_room(void *self UNUSED, struct stream *stream UNUSED)
{
    rooms++;
}

static const struct stream_handler file_handler = {.on_room = on_file_room};

/* What was queued goes first; and a peer that does not read keeps nobody busy. */
static void a_file_follows_what_was_queued_and_waits_for_room(void **state UNUSED)
{
    enum { FILE_SIZE = 64 * 1024 * 1024 };
    char path[] = "/tmp/wholenet-file-XXXXXX";
    struct server server;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)unlink(path);
    assert_int_equal(ftruncate(fd, FILE_SIZE), 0);
    open_server(&server, "127.0.0.1:0");
    struct endpoint at = listener_local(server.listener);
    int client = host_socket_open(&at.address, SOCK_STREAM);
    assert_int_equal(connect_blocking(client, &at), 0);
    server.stop_at = 1;
    (void)loop_run_until(server.loop, loop_now(server.loop) + USEC_PER_SEC);
    assert_int_equal(server.accepted, 1);
    struct stream *stream = server.streams[0];
    stream_set_handler(stream, &file_handler, &server);
    assert_int_equal(stream_send(stream, bytes_of("head", 4)), 4);
    ssize_t sent = 0;
    ssize_t piece;
    while ((piece = stream_send_file(stream, fd, (uint64_t)sent, (size_t)(FILE_SIZE - sent))) > 0)
        sent += piece;
    assert_int_equal(piece, -EAGAIN);
    assert_in_range(sent, 1, 8 * 1024 * 1024); /* of a large file the kernel takes no more than it can send */
    (void)loop_run_until(server.loop, loop_now(server.loop) + 100000);
    assert_int_equal(rooms, 0);
    uint8_t got[65536];
    size_t total = 0;
    for (ssize_t len; (len = recv(client, got, sizeof got, MSG_DONTWAIT)) > 0; total += (size_t)len)
        assert_true(total > 0 || memcmp(got, "head", 4) == 0);
    assert_in_range(total, 5, (size_t)sent + 4);
    (void)loop_run_until(server.loop, loop_now(server.loop) + 100000);
    assert_int_equal(rooms, 1);
    assert_int_equal(stream_send_file(stream, fd, FILE_SIZE, 10), 0); /* nothing is there */
    (void)close(client);
    (void)close(fd);
    close_server(&server);
}

static void on_open(void *self, struct stream *stream)
{
    struct server *server = self;
    server->accepted++;
    assert_int_equal(stream_send(stream, bytes_of("to a path", 9)), 9);
    loop_stop(server->loop);
}

static void a_socket_of_the_host_may_have_a_path(void **state UNUSED)
{
    static const struct stream_handler opener = {.on_open = on_open, .on_bytes = on_bytes};
    struct server server;
    struct stream *stream;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char got[16];
    open_server(&server, "127.0.0.1:0");
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/test_net_kernel.%d", (int)getpid());
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(net_connect_path(server.net, address.sun_path, &opener, &server, &stream),
                     -ENOENT);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(net_connect_path(server.net, address.sun_path, &opener, &server, &stream),
                     -ECONNREFUSED);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(net_connect_path(server.net, address.sun_path, &opener, &server, &stream), 0);
    assert_int_equal(server.accepted, 0); /* from the loop only */
    (void)loop_run_until(server.loop, loop_now(server.loop) + USEC_PER_SEC);
    assert_int_equal(server.accepted, 1);
    int peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(peer, got, sizeof got, 0), 9);
    stream_abort(stream);
    (void)close(peer);
    (void)close(listening);
    (void)unlink(address.sun_path);
    close_server(&server);
}

/* ---- ports that are shared ---- */

static void a_port_that_is_shared_is_claimed_once(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct net *net = net_kernel_new(loop);
    struct listener *first, *second, *other;
    struct dgram *socket, *like, *foreign;
    static const struct dgram_handler dgram_handler;
    struct listen_options listen = {
        .local = {address_v4(0x7f000001), 0}, .reuse_port = true, .claim = true};
    assert_int_equal(net_listen(net, &listen, &listener_handler, NULL, &first), 0);
    listen.local = listener_local(first);
    assert_int_equal(net_listen(net, &listen, &listener_handler, NULL, &other), -EADDRINUSE);
    listen.claim = false; /* one of those whose it is */
    assert_int_equal(net_listen(net, &listen, &listener_handler, NULL, &second), 0);
    struct dgram_options bind = {.local = {address_v4(0x7f000001), 0}, .reuse_port = true, .claim = true};
    assert_int_equal(net_bind(net, &bind, &dgram_handler, NULL, &socket), 0);
    bind.local = dgram_local(socket);
    assert_int_equal(net_bind(net, &bind, &dgram_handler, NULL, &foreign), -EADDRINUSE);
    bind.claim = false;
    assert_int_equal(net_bind(net, &bind, &dgram_handler, NULL, &like), 0);
    dgram_close(like);
    dgram_close(socket);
    listener_close(second);
    listener_close(first);
    listen.claim = true; /* nobody has it now */
    assert_int_equal(net_listen(net, &listen, &listener_handler, NULL, &first), 0);
    listener_close(first);
    net_free(net);
    loop_free(loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_descriptors_it_pauses_and_goes_on),
        cmocka_unit_test(what_only_lingers_makes_way),
        cmocka_unit_test(the_wildcard_of_ipv6_serves_ipv4_too),
        cmocka_unit_test(a_file_follows_what_was_queued_and_waits_for_room),
        cmocka_unit_test(a_hang_up_does_not_keep_the_loop_busy),
        cmocka_unit_test(a_client_that_speaks_first_is_accepted_when_it_has),
        cmocka_unit_test(an_end_that_comes_with_octets_is_told),
        cmocka_unit_test(what_one_read_leaves_is_read),
        cmocka_unit_test(a_socket_that_roams_has_a_new_port_each_time),
        cmocka_unit_test(what_is_held_goes_when_it_is_flushed),
        cmocka_unit_test(a_socket_of_the_host_may_have_a_path),
        cmocka_unit_test(a_port_that_is_shared_is_claimed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_socket.c - endpoints as the kernel wants them, and what surrounds datagrams. */
#include "os/socket_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/entropy.h"
#include "os/interfaces.h"
#include "tests/support/check.h"

static struct endpoint endpoint(const char *text)
{
    struct endpoint out = {0};
    assert_true(endpoint_parse(bytes_of_text(text), &out));
    return out;
}

static void endpoints_become_kernel_addresses_and_back(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *in;
        int family;
        socklen_t len;
    } cases[] = {
        {"IPv4 on an IPv4 socket", "192.0.2.1:80", AF_INET, sizeof(struct sockaddr_in)},
        {"IPv4 on a dual-stack socket", "192.0.2.1:80", AF_INET6, sizeof(struct sockaddr_in6)},
        {"IPv6 on an IPv6 socket", "[2001:db8::1]:53", AF_INET6, sizeof(struct sockaddr_in6)},
        {"IPv6 on an IPv4 socket cannot be", "[2001:db8::1]:53", AF_INET, 0},
        {"the IPv4 wildcard", "0.0.0.0:1", AF_INET, sizeof(struct sockaddr_in)},
        {"no such family", "192.0.2.1:80", AF_UNIX, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct endpoint in = endpoint(cases[i].in);
        struct endpoint out = {0};
        struct sockaddr_storage address;
        CHECK_EQUAL(cases[i].name, host_address_of(cases[i].family, &in, &address), cases[i].len);
        if (cases[i].len == 0)
            continue;
        CHECK_EQUAL(cases[i].name, address.ss_family, cases[i].family);
        CHECK(cases[i].name, host_endpoint_of(&address, &out));
        CHECK(cases[i].name, endpoint_equal(&in, &out));
    }
    struct sockaddr_storage unix_address = {.ss_family = AF_UNIX};
    struct endpoint out;
    assert_false(host_endpoint_of(&unix_address, &out));
}

/* A bound, listening socket. */
static int listening(const char *text, struct endpoint *local)
{
    struct endpoint at = endpoint(text);
    int fd = host_socket_open(&at.address, SOCK_STREAM);
    assert_true(fd >= 0);
    if (host_socket_bind(fd, &at) < 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(host_socket_listen(fd, 5), 0);
    *local = host_socket_local(fd);
    return fd;
}

static void check_connects(int listener, const struct endpoint *to)
{
    struct endpoint peer;
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    int fd = host_socket_open(&to->address, SOCK_STREAM);
    assert_true(fd >= 0);
    int status = host_socket_connect(fd, to);
    assert_true(status == 0 || status == -EINPROGRESS);
    assert_int_equal(poll(&wait, 1, 2000), 1);
    int accepted = host_socket_accept(listener, &peer);
    assert_true(accepted >= 0);
    assert_int_equal(host_socket_accept(listener, &peer), -EAGAIN);
    struct endpoint local = host_socket_local(fd);
    assert_true(endpoint_equal(&peer, &local));
    struct endpoint target = host_socket_peer(fd);
    assert_true(endpoint_equal(&target, to));
    assert_int_equal(host_socket_error(fd), 0);
    close(accepted);
    close(fd);
}

static void the_ipv6_wildcard_serves_both_versions(void **state UNUSED)
{
    struct endpoint local;
    int fd = listening("[::]:0", &local);
    assert_true(fd >= 0);
    struct endpoint v4 = endpoint("127.0.0.1:0");
    v4.port = local.port;
    check_connects(fd, &v4);
    close(fd);
    struct endpoint v6;
    fd = listening("[::1]:0", &v6);
    if (fd < 0)
        skip(); /* a host without IPv6 */
    check_connects(fd, &v6);
    close(fd);
}

/* Waits for something to read, or for an error. */
static void wait_for(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 2000), 1);
}

static void check_datagram(const char *bind_to, const char *send_to)
{
    struct endpoint at = endpoint(bind_to);
    struct endpoint to = endpoint(send_to);
    int fd = host_socket_open(&at.address, SOCK_DGRAM);
    assert_true(fd >= 0);
    assert_int_equal(host_datagram_enable(fd), 0);
    assert_int_equal(host_socket_bind(fd, &at), 0);
    to.port = host_socket_local(fd).port;
    struct host_datagram facts = {.to = to, .interface = 1};
    struct host_datagram got;
    struct bytes payload;
    struct host_batch *batch = host_batch_new();
    assert_non_null(batch);
    int family = host_socket_family(fd);
    assert_int_equal(host_datagram_send(fd, family, &facts, bytes_of("abcd", 4)), 0);
    facts.from = to; /* speaks as the address it was spoken to */
    assert_int_equal(host_datagram_send(fd, family, &facts, bytes_of("abcde", 5)), 0);
    for (int i = 0; i < 2;) {
        wait_for(fd);
        int count = host_batch_receive(batch, fd);
        assert_true(count > 0);
        for (int k = 0; k < count; k++, i++) {
            assert_true(host_batch_get(batch, (unsigned)k, &got, &payload));
            assert_true(i == 0 || endpoint_equal(&got.from, &to));
            assert_true(address_equal(&got.to.address, &to.address));
            assert_int_equal(got.interface, 1);
            assert_int_equal(got.len, i == 0 ? 4 : 5);
            assert_memory_equal(payload.data, "abcde", payload.len);
        }
    }
    assert_int_equal(host_batch_receive(batch, fd), -EAGAIN);
    host_batch_free(batch);
    close(fd);
}

static void datagrams_go_by_the_dozen(void **state UNUSED)
{
    static uint8_t large[HOST_BATCH_SEND_SIZE / 2];
    struct endpoint at = endpoint("127.0.0.1:0");
    int fd = host_socket_open(&at.address, SOCK_DGRAM);
    struct host_batch *batch = host_batch_new();
    assert_int_equal(host_datagram_enable(fd), 0);
    assert_int_equal(host_socket_bind(fd, &at), 0);
    struct host_datagram facts = {.to = host_socket_local(fd)};
    struct endpoint nobody = endpoint("127.0.0.1:1");
    for (uint8_t round = 0; round < 3; round++) {
        /* An error that comes back on the way stops none of those behind it. */
        facts.to = nobody;
        assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(&round, 1)), 1);
        facts.to = host_socket_local(fd);
        for (uint8_t i = 1; i < HOST_BATCH_MAX; i++)
            assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(&i, 1)), 1);
        assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of("x", 1)), 0);
        host_batch_flush(batch, fd);
        uint8_t next = 1;
        while (next < HOST_BATCH_MAX) {
            wait_for(fd);
            int count = host_batch_receive(batch, fd);
            assert_true(count > 0 || count == -ECONNREFUSED);
            for (int k = 0; k < count; k++) {
                struct host_datagram got;
                struct bytes payload;
                assert_true(host_batch_get(batch, (unsigned)k, &got, &payload));
                assert_int_equal(payload.len, 1);
                assert_int_equal(payload.data[0], next++);
            }
        }
    }
    /* Room is counted in octets, too. */
    assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(large, sizeof large)), 1);
    assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(large, sizeof large)), 1);
    assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(large, 1)), 0);
    facts.to = endpoint("[::1]:1");
    host_batch_flush(batch, fd);
    assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(large, 1)), -EAFNOSUPPORT);
    host_batch_free(batch);
    close(fd);
}

/* Takes what has come; the first octet says the length, the second counts. Returns how many. */
static unsigned take_runs(struct host_batch *batch, int fd, uint8_t next[16])
{
    unsigned taken = 0;
    for (int count; (count = host_batch_receive(batch, fd)) > 0;)
        for (int k = 0; k < count; k++, taken++) {
            struct host_datagram got;
            struct bytes payload;
            assert_true(host_batch_get(batch, (unsigned)k, &got, &payload));
            assert_true(payload.len >= 2 && payload.len < 16);
            assert_int_equal(payload.data[0], payload.len);
            assert_int_equal(payload.data[1], next[payload.len]++); /* in order, of one length */
        }
    return taken;
}

/* What the kernel takes as one arrives as many; `plain`: it refuses to. */
static void check_runs(bool plain)
{
    struct endpoint at = endpoint("127.0.0.1:0");
    struct host_batch *batch = host_batch_new();
    int fd = host_socket_open(&at.address, SOCK_DGRAM), peers[2];
    assert_int_equal(host_socket_bind(fd, &at), 0);
    assert_int_equal(host_socket_set(fd, SOL_SOCKET, SO_NO_CHECK, plain), 0);
    for (int i = 0; i < 2; i++) {
        peers[i] = host_socket_open(&at.address, SOCK_DGRAM);
        assert_int_equal(host_socket_bind(peers[i], &at), 0);
    }
    uint8_t sent[2][16] = {0}, got[2][16] = {0};
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < HOST_BATCH_MAX; i++) {
            uint8_t octets[16] = {0};
            unsigned peer = i / 13 % 2;
            uint8_t len = (uint8_t)(round % 3 == 0 ? 3 : 2 + i % 13);
            octets[0] = len;
            octets[1] = sent[peer][len]++;
            struct host_datagram facts = {.to = host_socket_local(peers[peer])};
            if (round % 2 == 0)
                facts.from = host_socket_local(fd); /* the same, but said */
            assert_int_equal(host_batch_put(batch, AF_INET, &facts, bytes_of(octets, len)), 1);
        }
        host_batch_flush(batch, fd);
        memset(got, 0, sizeof got);
        assert_int_equal(take_runs(batch, peers[0], got[0]) + take_runs(batch, peers[1], got[1]),
                         HOST_BATCH_MAX);
        memset(sent, 0, sizeof sent);
    }
    host_batch_free(batch);
    for (int i = 0; i < 2; i++)
        close(peers[i]);
    close(fd);
}

static void datagrams_of_one_length_go_as_one(void **state UNUSED)
{
    check_runs(false);
    check_runs(true);
}

static void datagrams_tell_where_they_were_sent_to(void **state UNUSED)
{
    check_datagram("127.0.0.1:0", "127.0.0.1:0");
    check_datagram("0.0.0.0:0", "127.0.0.7:0");
    check_datagram("[::]:0", "127.0.0.1:0");
}

static void errors_of_datagrams_come_back(void **state UNUSED)
{
    struct endpoint at = endpoint("127.0.0.1:0");
    int closed = host_socket_open(&at.address, SOCK_DGRAM);
    assert_int_equal(host_socket_bind(closed, &at), 0);
    struct endpoint to = host_socket_local(closed);
    close(closed);
    int fd = host_socket_open(&at.address, SOCK_DGRAM);
    struct host_datagram_error error;
    struct host_datagram facts = {.to = to};
    facts.from.address = address_any_v4();
    assert_int_equal(host_datagram_enable(fd), 0);
    assert_int_equal(host_datagram_error(fd, &error), -EAGAIN);
    for (int i = 0; i < 3; i++) /* none of them fails for the error of the one before */
        assert_int_equal(host_datagram_send(fd, AF_INET, &facts, bytes_of("x", 1)), 0);
    wait_for(fd);
    assert_int_equal(host_datagram_error(fd, &error), 0);
    assert_true(endpoint_equal(&error.to, &to));
    assert_int_equal(error.error, ECONNREFUSED);
    assert_true(error.from_icmp);
    assert_int_equal(error.type, 3);
    assert_int_equal(error.code, 3);
    close(fd);
}

static void the_clock_runs_and_entropy_differs(void **state UNUSED)
{
    uint8_t a[32], b[32];
    usec before = clock_monotonic();
    assert_int_equal(entropy_fill(a, sizeof a), 0);
    assert_int_equal(entropy_fill(b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(clock_monotonic() >= before);
    assert_true(clock_wall_seconds() > 1700000000);
}

static void the_loopback_is_among_the_interfaces(void **state UNUSED)
{
    struct host_interfaces *all = calloc(1, sizeof *all);
    assert_non_null(all);
    assert_int_equal(host_interfaces_list(all), 0);
    const struct host_interface *lo = host_interfaces_find(all, "lo");
    assert_null(host_interfaces_find(all, "l"));
    if (lo == NULL || !lo->up || lo->address_count == 0) {
        free(all);
        skip();
    }
    assert_true(lo->loopback);
    assert_false(lo->multicast);
    struct ip_prefix first = {endpoint("127.0.0.1:0").address, 8};
    assert_true(address_equal(&lo->addresses[0].address, &first.address));
    assert_int_equal(lo->addresses[0].len, first.len);
    free(all);
    int fd = host_interfaces_watch();
    assert_true(fd >= 0);
    host_interfaces_changed(fd); /* returns at once */
    (void)close(fd);
}

/* Two members on one port, one of which says something: both hear it. */
static void members_of_a_group_share_their_port(void **state UNUSED)
{
    struct endpoint group = endpoint("239.255.77.77:0"), any = endpoint("0.0.0.0:0");
    int fds[2];
    uint16_t port = 0;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = host_socket_open(&any.address, SOCK_DGRAM);
        assert_true(fds[i] >= 0);
        int status = host_socket_join(fds[i], &group.address, "lo");
        if (status == -ENODEV || status == -ENOPROTOOPT)
            skip();
        assert_int_equal(status, 0);
        any.port = port;
        assert_int_equal(host_socket_bind(fds[i], &any), 0);
        port = host_socket_local(fds[i]).port;
    }
    assert_int_equal(host_socket_join(fds[0], &group.address, "nosuch0"), -ENODEV);
    struct host_datagram facts = {.to = {group.address, port}};
    assert_int_equal(host_datagram_send(fds[0], AF_INET, &facts, bytes_of("hello", 5)), 0);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        char octets[16];
        struct pollfd ready = {.fd = fds[i], .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 2000), 1);
        assert_int_equal(recv(fds[i], octets, sizeof octets, 0), 5);
        (void)close(fds[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_become_kernel_addresses_and_back),
        cmocka_unit_test(the_ipv6_wildcard_serves_both_versions),
        cmocka_unit_test(datagrams_tell_where_they_were_sent_to),
        cmocka_unit_test(datagrams_go_by_the_dozen),
        cmocka_unit_test(datagrams_of_one_length_go_as_one),
        cmocka_unit_test(errors_of_datagrams_come_back),
        cmocka_unit_test(the_clock_runs_and_entropy_differs),
        cmocka_unit_test(the_loopback_is_among_the_interfaces),
        cmocka_unit_test(members_of_a_group_share_their_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

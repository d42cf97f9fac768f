/* SPDX-License-Identifier: ISC */
/*
 * The client of a host's interface against the address service on our own stack: a socket pair that
 * keeps messages apart stands for the TAP device between them.
 */
#include "app/addresses/address_client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/addresses/addresses.h"
#include "app/addresses/dhcp_frame.h"
#include "io/tap_port.h"
#include "os/clock.h"
#include "tests/support/check.h"

enum { SERVER = 0x0a000201, FIRST = 0x0a00020a };

static const struct mac guest_mac = {{2, 0, 0, 0, 0, 15}};

struct site {
    struct node *node;
    struct tap_port *port;
    struct net *net;
    struct addresses *addresses;
};

static void site_begin(struct site *s, struct loop *loop, int fd, uint32_t lease_seconds)
{
    static const struct stack_options none;
    *s = (struct site){.node = node_new(loop, &none)};
    struct interface_options interface = {
        .name = "eth0", .mtu = 1500, .mac = {{2, 0, 0, 0, 0, 1}}};
    assert_int_equal(stack_add_interface(node_stack(s->node), &interface), 0);
    struct ip_prefix prefix = {address_v4(SERVER), 24};
    assert_true(stack_add_address(node_stack(s->node), 0, &prefix, false));
    for (uint32_t i = 0; i < 10; i++) { /* the guest's kernel, which answers ARP */
        struct ip_address guest = address_v4(FIRST + i);
        assert_true(stack_add_neighbour(node_stack(s->node), 0, &guest, &guest_mac));
    }
    struct tap_port_options port = {.fd = fd, .mtu = 1500, .name = "eth0", .mac = interface.mac};
    assert_int_equal(tap_port_new(s->node, &port, &s->port), 0);
    s->net = net_stack_new(s->node);
    assert_non_null(s->net);
    struct addresses_options options = {
        .server = address_v4(SERVER),
        .network = {address_v4(0x0a000200), 24},
        .pool_first = address_v4(FIRST),
        .pool_last = address_v4(FIRST + 9),
        .router = address_v4(SERVER),
        .dns = {address_v4(SERVER)},
        .dns_count = 1,
        .domain = "home.arpa",
        .mtu = 1500,
        .lease_seconds = lease_seconds,
    };
    assert_int_equal(addresses_new(s->net, &options, &s->addresses), 0);
}

static void site_end(struct site *s)
{
    addresses_free(s->addresses);
    net_free(s->net);
    tap_port_free(s->port);
    node_free(s->node);
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

struct guest {
    struct loop *loop;
    struct address_client *client;
    struct dhcp_lease lease;
    unsigned bound, renewed, lost;
    unsigned stop_at; /* bound or renewed so often */
    int failed;
    bool free_in_callback;
};

static void on_bound(void *self, const struct dhcp_lease *lease, bool renewed)
{
    struct guest *g = self;
    g->lease = *lease;
    g->bound += !renewed;
    g->renewed += renewed;
    if (g->bound + g->renewed >= g->stop_at)
        loop_stop(g->loop);
    if (g->free_in_callback)
        address_client_free(g->client, true);
}

static void on_failed(void *self, int error)
{
    struct guest *g = self;
    g->failed = error;
    loop_stop(g->loop);
}

static void on_lost(void *self)
{
    struct guest *g = self;
    g->lost++;
}

static void guest_begin(struct guest *g, struct loop *loop, int fd, usec timeout)
{
    g->loop = loop;
    if (g->stop_at == 0)
        g->stop_at = 1;
    struct address_client_options options = {
        .packet_fd = fd,
        .mac = guest_mac,
        .hostname = "guest",
        .timeout = timeout,
        .first_retry = 20 * USEC_PER_MSEC,
        .on_bound = on_bound,
        .on_failed = on_failed,
        .on_lost = on_lost,
        .self = g,
    };
    assert_int_equal(address_client_new(loop, &options, &g->client), 0);
}

static void an_interface_gets_its_address(void **state UNUSED)
{
    int pair[2];
    make_pair(pair);
    struct loop *loop = loop_new();
    struct site site;
    site_begin(&site, loop, pair[0], 3600);
    struct guest guest = {0};
    guest_begin(&guest, loop, pair[1], 5 * USEC_PER_SEC);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(guest.failed, 0);
    assert_int_equal(guest.bound, 1);
    assert_in_range(address_v4_value(&guest.lease.address), FIRST, FIRST + 9);
    assert_int_equal(guest.lease.prefix_len, 24);
    assert_int_equal(address_v4_value(&guest.lease.router), SERVER);
    assert_int_equal(guest.lease.dns_count, 1);
    assert_string_equal(guest.lease.domain, "home.arpa");
    struct lease lease;
    size_t place = 0;
    assert_true(addresses_each(site.addresses, &place, &lease));
    assert_string_equal(lease.hostname, "guest");
    assert_true(mac_equal(&lease.mac, &guest_mac));
    address_client_free(guest.client, true); /* released: by unicast, to the server's MAC */
    assert_int_equal(loop_run_until(loop, loop_now(loop) + 20 * USEC_PER_MSEC), 0);
    struct addresses_counters counters;
    addresses_counters(site.addresses, &counters);
    assert_int_equal(counters.releases, 1);
    assert_int_equal(counters.leases, 0);
    site_end(&site);
    loop_free(loop);
    (void)close(pair[1]);
}

static void a_lease_is_renewed_while_it_lives(void **state UNUSED)
{
    int pair[2];
    make_pair(pair);
    struct loop *loop = loop_new();
    struct site site;
    site_begin(&site, loop, pair[0], 1);
    struct guest guest = {.stop_at = 2};
    guest_begin(&guest, loop, pair[1], 5 * USEC_PER_SEC);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(guest.bound, 1);
    assert_int_equal(guest.renewed, 1);
    assert_int_equal(guest.lost, 0);
    struct addresses_counters counters;
    addresses_counters(site.addresses, &counters);
    assert_int_equal(counters.requests, 2);
    assert_int_equal(counters.acks, 2);
    /* The server goes; the lease runs out, and then the patience. */
    site_end(&site);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(guest.failed, EPIPE); /* the other end of the pair has gone */
    address_client_free(guest.client, true);
    loop_free(loop);
    (void)close(pair[1]);
}

static void without_a_server_it_gives_up(void **state UNUSED)
{
    int pair[2];
    make_pair(pair);
    struct loop *loop = loop_new();
    struct guest guest = {0};
    guest_begin(&guest, loop, pair[1], 100 * USEC_PER_MSEC);
    usec before = loop_now(loop);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(guest.failed, ETIMEDOUT);
    assert_true(loop_now(loop) - before >= 100 * USEC_PER_MSEC);
    unsigned frames = 0;
    uint8_t frame[2048];
    while (read(pair[0], frame, sizeof frame) > 0)
        frames++;
    assert_in_range(frames, 3, 5); /* at 0, 20, 60 ms, more or less */
    address_client_free(guest.client, true);
    loop_free(loop);
    struct dhcp_lease lease;
    assert_int_equal(address_client_acquire(pair[1], &guest_mac, NULL, 30 * USEC_PER_MSEC, &lease),
                     -ETIMEDOUT);
    (void)close(pair[0]);
    assert_int_equal(address_client_acquire(pair[1], &guest_mac, NULL, USEC_PER_SEC, &lease),
                     -ECONNRESET); /* what it sent was never read */
    (void)close(pair[1]);
}

static void a_callback_may_free_the_client(void **state UNUSED)
{
    int pair[2];
    make_pair(pair);
    struct loop *loop = loop_new();
    struct site site;
    site_begin(&site, loop, pair[0], 3600);
    struct guest guest = {.free_in_callback = true};
    guest_begin(&guest, loop, pair[1], 5 * USEC_PER_SEC);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(guest.bound, 1);
    site_end(&site);
    loop_free(loop);
    (void)close(pair[1]);
}

/* The server in another process, as in `wholenet run`. */
static void a_blocking_client_is_quick(void **state UNUSED)
{
    int pair[2];
    make_pair(pair);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct loop *loop = loop_new();
        struct site site;
        site_begin(&site, loop, pair[0], 3600);
        (void)loop_run_until(loop, loop_now(loop) + 10 * USEC_PER_SEC);
        _exit(0);
    }
    struct dhcp_lease lease = {0};
    usec best = USEC_NEVER;
    for (int i = 0; i < 5; i++) { /* the first waits for the server to start */
        usec before = clock_monotonic();
        assert_int_equal(address_client_acquire(pair[1], &guest_mac, "guest", 5 * USEC_PER_SEC, &lease), 0);
        best = usec_min(best, clock_monotonic() - before);
    }
    assert_in_range(address_v4_value(&lease.address), FIRST, FIRST + 9);
    if (getenv("VERBOSE") != NULL)
        printf("# the exchange took %jd us\n", (intmax_t)best);
    assert_true(best < 100 * USEC_PER_MSEC);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_gets_its_address),
        cmocka_unit_test(a_lease_is_renewed_while_it_lives),
        cmocka_unit_test(without_a_server_it_gives_up),
        cmocka_unit_test(a_callback_may_free_the_client),
        cmocka_unit_test(a_blocking_client_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

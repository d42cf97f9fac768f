/* SPDX-License-Identifier: ISC */
/*
 * test_netlink.c - interfaces, TAP devices, packet and ping sockets in a network namespace of this
 * test's own; skipped where the kernel does not let an ordinary user have one.
 */
#include "os/netlink.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/file.h"
#include "os/packet.h"
#include "os/pingsock.h"
#include "os/socket.h"
#include "os/tap.h"
#include "tests/support/check.h"

static bool permitted;

/* Root of a new user namespace, in a new network namespace where nothing but lo is. */
static int enter_namespace(void **state UNUSED)
{
    char line[64];
    unsigned uid = getuid();
    unsigned gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return 0;
    static const char *const files[] = {"/proc/self/setgroups", "/proc/self/uid_map",
                                        "/proc/self/gid_map"};
    for (int i = 0; i < 3; i++) {
        snprintf(line, sizeof line, i == 0 ? "deny" : "0 %u 1", i == 1 ? uid : gid);
        FILE *file = fopen(files[i], "w");
        if (file == NULL || fputs(line, file) < 0 || fclose(file) != 0)
            return 0;
    }
    permitted = true;
    return 0;
}

static void need_permission(void)
{
    if (!permitted)
        skip();
}

static struct ip_prefix prefix(const char *text)
{
    struct ip_prefix out = {0};
    assert_true(prefix_parse(bytes_of_text(text), &out));
    return out;
}

static void loopback_is_brought_up(void **state UNUSED)
{
    need_permission();
    struct netlink netlink;
    struct netlink_link lo;
    assert_int_equal(netlink_open(&netlink), 0);
    assert_int_equal(netlink_find(&netlink, "lo", &lo), 0);
    assert_int_equal(lo.index, 1);
    assert_false(lo.up);
    assert_int_equal(netlink_set_up(&netlink, lo.index, true), 0);
    assert_int_equal(netlink_find(&netlink, "lo", &lo), 0);
    assert_true(lo.up);
    assert_int_equal(netlink_find(&netlink, "nothere0", &lo), -ENODEV);
    assert_int_equal(netlink_set_up(&netlink, 4711, true), -ENODEV);
    netlink_close(&netlink);
}

static void a_tap_device_is_made_and_set_up(void **state UNUSED)
{
    need_permission();
    struct tap_options options = {.name = "wn%d", .vnet_header_len = 12, .offload = true};
    struct tap tap;
    int status = tap_open(&options, &tap);
    if (status == -ENOENT || status == -EACCES || status == -EPERM)
        skip();
    assert_int_equal(status, 0);
    assert_string_equal(tap.name, "wn0");

    struct netlink netlink;
    struct netlink_link link;
    struct mac mac = {{2, 1, 2, 3, 4, 5}};
    struct ip_prefix v4 = prefix("10.1.2.3/24");
    struct ip_prefix v6 = prefix("fd00::3/64");
    struct ip_prefix everything = prefix("0.0.0.0/0");
    struct ip_prefix far = prefix("192.0.2.0/24");
    struct ip_address gateway = prefix("10.1.2.1/32").address;
    assert_int_equal(netlink_open(&netlink), 0);
    assert_int_equal(netlink_find(&netlink, tap.name, &link), 0);
    assert_int_equal(netlink_set_mac(&netlink, link.index, &mac), 0);
    assert_int_equal(netlink_set_mtu(&netlink, link.index, 9000), 0);
    assert_int_equal(netlink_set_up(&netlink, link.index, true), 0);
    assert_int_equal(netlink_find(&netlink, tap.name, &link), 0);
    assert_true(mac_equal(&link.mac, &mac));
    assert_int_equal(link.mtu, 9000);
    assert_true(link.up);

    assert_int_equal(netlink_add_address(&netlink, link.index, &v4), 0);
    assert_int_equal(netlink_add_address(&netlink, link.index, &v4), -EEXIST);
    status = netlink_add_address(&netlink, link.index, &v6);
    assert_true(status == 0 || status == -EOPNOTSUPP || status == -EACCES); /* IPv6 may be off */
    assert_int_equal(netlink_add_route(&netlink, link.index, &everything, &gateway), 0);
    assert_int_equal(netlink_add_route(&netlink, link.index, &far, NULL), 0);
    assert_int_equal(netlink_add_route(&netlink, link.index, &far, NULL), -EEXIST);
    assert_int_equal(netlink_remove_route(&netlink, link.index, &far, NULL), 0);
    assert_int_equal(netlink_remove_route(&netlink, link.index, &far, NULL), -ESRCH);
    assert_int_equal(netlink_remove_route(&netlink, link.index, &everything, &gateway), 0);
    assert_int_equal(netlink_remove_address(&netlink, link.index, &v4), 0);
    assert_int_equal(netlink_remove_address(&netlink, link.index, &v4), -EADDRNOTAVAIL);

    assert_int_equal(close(tap.fd), 0);
    assert_int_equal(netlink_find(&netlink, tap.name, &link), -ENODEV);
    netlink_close(&netlink);
}

static void tap_errors_are_told(void **state UNUSED)
{
    need_permission();
    struct tap tap;
    struct tap_options options = {.path = "/nonexistent"};
    assert_int_equal(tap_open(&options, &tap), -ENOENT);
    assert_non_null(strstr(tap_error_text(-ENOENT), "TAP"));
    options = (struct tap_options){.path = "/dev/null"};
    assert_true(tap_open(&options, &tap) < 0);
    options = (struct tap_options){.name = "a-name-that-is-too-long"};
    int status = tap_open(&options, &tap);
    assert_true(status == -ENAMETOOLONG || status == -ENOENT || status == -EACCES);
}

static void wait_for(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 2000), 1);
}

static void a_packet_socket_sees_its_port_alone(void **state UNUSED)
{
    need_permission();
    int packet = packet_open_udp(1, 6800);
    assert_true(packet >= 0);
    struct endpoint any = {address_v4(0x7f000001), 0};
    int fd = host_socket_open(&any.address, SOCK_DGRAM);
    assert_true(fd >= 0);
    static const uint16_t ports[] = {6801, 6800};
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        struct host_datagram facts = {.to = {any.address, ports[i]}, .from = {.port = 0}};
        facts.from.address = address_any_v4();
        assert_int_equal(host_datagram_send(fd, AF_INET, &facts, bytes_of("hello", 5)), 0);
    }
    uint8_t frame[256];
    bool checksummed = true;
    wait_for(packet);
    int len = packet_receive(packet, frame, sizeof frame, &checksummed);
    assert_int_equal(len, 14 + 20 + 8 + 5);
    assert_int_equal(frame[14 + 20 + 2] << 8 | frame[14 + 20 + 3], 6800);
    assert_memory_equal(frame + len - 5, "hello", 5);
    /* And one of our own making, which lo brings back. */
    assert_int_equal(packet_send(packet, bytes_of(frame, (size_t)len)), 0);
    close(fd);
    close(packet);
    assert_true(packet_open_udp(4711, 1) < 0);
}

static void an_echo_request_is_answered(void **state UNUSED)
{
    need_permission();
    struct pingsock ping;
    struct pingsock_reply reply;
    uint8_t buffer[1500];
    struct ip_address to = address_v4(0x7f000001);
    assert_int_equal(pingsock_open(false, 77, &ping), 0);
    assert_int_equal(pingsock_receive(&ping, buffer, sizeof buffer, &reply), -EAGAIN);
    for (uint16_t sequence = 1; sequence < 4; sequence++) {
        assert_int_equal(pingsock_send(&ping, &to, sequence, 0, bytes_of("payload", 7)), 0);
        wait_for(ping.fd);
        assert_int_equal(pingsock_receive(&ping, buffer, sizeof buffer, &reply), 0);
        assert_int_equal(reply.error, 0);
        assert_int_equal(reply.sequence, sequence);
        assert_int_equal(reply.payload.len, 7);
        assert_memory_equal(reply.payload.data, "payload", 7);
        assert_true(address_equal(&reply.from, &to));
    }
    close(ping.fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_brought_up),
        cmocka_unit_test(a_tap_device_is_made_and_set_up),
        cmocka_unit_test(tap_errors_are_told),
        cmocka_unit_test(a_packet_socket_sees_its_port_alone),
        cmocka_unit_test(an_echo_request_is_answered),
    };
    return cmocka_run_group_tests(tests, enter_namespace, NULL);
}

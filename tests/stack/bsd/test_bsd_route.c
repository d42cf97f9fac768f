/* SPDX-License-Identifier: ISC */
/*
 * test_bsd_route.c - SO_DONTROUTE and MSG_DONTROUTE (RFC 1122 §3.3.1.1, socket(7)): only hosts on the
 * link are reached, and what would go by a router does not leave. The kernel cannot be asked without
 * sending something out.
 */
#include "base/checksum.h"
#include "stack/bsd/internal.h"
#include "tests/support/one_stack.h"
#include "wire/inet/tcp_header.h"

enum { TCP = WN_SOCK_STREAM | WN_SOCK_NONBLOCK, UDP = WN_SOCK_DGRAM | WN_SOCK_NONBLOCK };
#define NEAR 0x0a000002u
#define FAR 0xc0000201u

struct scene {
    struct one_stack s;
    struct bsd *bsd;
};

static void set_up(struct scene *t)
{
    struct ip_prefix everywhere = {address_any_v4(), 0};
    struct ip_address router = ADDRESS_PEER;
    one_stack_open(&t->s, NULL);
    assert_true(stack_add_route(t->s.stack, &everywhere, &router, 0));
    struct bsd_options options = {.heap = t->s.heap, .first = 3};
    t->bsd = bsd_new(t->s.stack, &options);
    assert_non_null(t->bsd);
}

static void tear_down(struct scene *t)
{
    bsd_free(t->bsd);
    (void)one_stack_drain(&t->s, 0);
    one_stack_close(&t->s);
}

static int open_one(struct scene *t, int kind, bool direct)
{
    int value = direct;
    int fd = bsd_socket(t->bsd, WN_AF_INET, kind, 0);
    assert_true(fd >= 0);
    assert_int_equal(
        bsd_setsockopt(t->bsd, fd, WN_SOL_SOCKET, WN_SO_DONTROUTE, &value, sizeof value), 0);
    return fd;
}

static struct wn_sockaddr_in name_of(uint32_t address)
{
    struct wn_sockaddr_in name = {.sin_family = WN_AF_INET};
    name.sin_addr.s_addr = __builtin_bswap32(address);
    name.sin_port = __builtin_bswap16(80);
    return name;
}

static int connect_to(struct scene *t, int fd, uint32_t address)
{
    struct wn_sockaddr_in name = name_of(address);
    return bsd_connect(t->bsd, fd, &name, sizeof name);
}

static long send_to(struct scene *t, int fd, uint32_t address, int flags)
{
    struct wn_sockaddr_in name = name_of(address);
    return bsd_sendto(t->bsd, fd, "x", 1, flags, &name, sizeof name);
}

static void streams(void **state)
{
    (void)state;
    struct scene t;
    set_up(&t);
    assert_int_equal(connect_to(&t, open_one(&t, TCP, false), FAR), -EINPROGRESS);
    assert_int_equal(one_stack_drain(&t.s, 0), 1);
    assert_int_equal(connect_to(&t, open_one(&t, TCP, true), FAR), -ENETUNREACH);
    assert_int_equal(one_stack_drain(&t.s, 0), 0);
    assert_int_equal(connect_to(&t, open_one(&t, TCP, true), NEAR), -EINPROGRESS);
    assert_int_equal(one_stack_drain(&t.s, 0), 1);
    /* This host is nearer than any. */
    assert_int_equal(connect_to(&t, open_one(&t, TCP, true), 0x7f000001), -EINPROGRESS);
    assert_int_equal(connect_to(&t, open_one(&t, TCP, true), 0x0a000001), -EINPROGRESS);
    tear_down(&t);
}

/* Said later, it holds from then on; taken back, what was lost comes again. */
static void a_connection_that_lives(void **state)
{
    (void)state;
    struct scene t;
    set_up(&t);
    int fd = open_one(&t, TCP, false), on = 1, off = 0, told = 0;
    wn_socklen_t len = sizeof told;
    assert_int_equal(connect_to(&t, fd, FAR), -EINPROGRESS);
    assert_int_equal(one_stack_drain(&t.s, 0), 1);
    assert_int_equal(bsd_setsockopt(t.bsd, fd, WN_SOL_SOCKET, WN_SO_DONTROUTE, &on, sizeof on), 0);
    assert_int_equal(bsd_getsockopt(t.bsd, fd, WN_SOL_SOCKET, WN_SO_DONTROUTE, &told, &len), 0);
    assert_int_equal(told, 1);
    one_stack_wait(&t.s, 4 * USEC_PER_SEC);
    assert_int_equal(one_stack_drain(&t.s, 0), 0);
    assert_int_equal(bsd_setsockopt(t.bsd, fd, WN_SOL_SOCKET, WN_SO_DONTROUTE, &off, sizeof off), 0);
    one_stack_wait(&t.s, 20 * USEC_PER_SEC);
    assert_true(one_stack_drain(&t.s, 0) > 0);
    tear_down(&t);
}

static void syn_from(struct scene *t, uint32_t address)
{
    uint8_t octets[80];
    struct writer w = writer_of(octets, sizeof octets);
    struct ipv4_header ip = {
        .source = address_v4(address), .target = ADDRESS_US, .protocol = IP_PROTOCOL_TCP};
    struct tcp_header header = {
        .source_port = 1000, .target_port = 80, .sequence = 7, .flags = TCP_SYN, .window = 5000};
    tcp_header_encode(&header, &w);
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, IP_PROTOCOL_TCP,
                                   (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    one_stack_ip(&t->s, &ip, writer_bytes(&w));
}

/* A listener answers those on the link only, and hands the wish on. */
static void listeners(void **state)
{
    (void)state;
    struct scene t;
    set_up(&t);
    int fd = open_one(&t, TCP, true);
    struct wn_sockaddr_in name = name_of(0);
    assert_int_equal(bsd_bind(t.bsd, fd, &name, sizeof name), 0);
    assert_int_equal(bsd_listen(t.bsd, fd, 5), 0);
    syn_from(&t, FAR);
    assert_int_equal(one_stack_drain(&t.s, 0), 0);
    syn_from(&t, NEAR);
    assert_int_equal(one_stack_drain(&t.s, 0), 1);
    tear_down(&t);
}

static void datagrams(void **state)
{
    (void)state;
    struct scene t;
    set_up(&t);
    int far = open_one(&t, UDP, false), near = open_one(&t, UDP, true);
    assert_int_equal(send_to(&t, far, FAR, 0), 1);
    assert_int_equal(send_to(&t, far, FAR, WN_MSG_DONTROUTE), -ENETUNREACH);
    assert_int_equal(send_to(&t, far, NEAR, WN_MSG_DONTROUTE), 1);
    assert_int_equal(send_to(&t, near, FAR, 0), -ENETUNREACH);
    assert_int_equal(send_to(&t, near, NEAR, 0), 1);
    assert_int_equal(connect_to(&t, near, FAR), -ENETUNREACH);
    assert_int_equal(connect_to(&t, near, NEAR), 0);
    assert_int_equal(one_stack_drain(&t.s, 0), 3);
    tear_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),
        cmocka_unit_test(a_connection_that_lives),
        cmocka_unit_test(listeners),
        cmocka_unit_test(datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

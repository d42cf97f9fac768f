/* SPDX-License-Identifier: ISC */
/* What a DHCPACK says: RFC 2131 §4.4.5, RFC 2132, RFC 3442. */
#include "proto/dhcp/dhcp_lease.h"
#include "tests/support/check.h"

#define SEC USEC_PER_SEC

static struct dhcp_message ack(uint32_t address, uint32_t seconds)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    m.op = DHCP_BOOTREPLY;
    m.yiaddr = address;
    dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, DHCP_ACK);
    dhcp_put_u32(&m, DHCP_SERVER_ID, 0x0a000201);
    dhcp_put_u32(&m, DHCP_LEASE_TIME, seconds);
    return m;
}

static const struct {
    const char *name;
    uint32_t seconds, t1, t2; /* t1 0: not told */
    usec want1, want2;
} times[] = {
    {"defaults", 1000, 0, 0, 500 * SEC, 875 * SEC},
    {"told", 1000, 100, 200, 100 * SEC, 200 * SEC},
    {"T1 after T2", 1000, 300, 200, 500 * SEC, 875 * SEC},
    {"T1 equal to T2", 1000, 200, 200, 500 * SEC, 875 * SEC},
    {"T2 after the end", 1000, 100, 1001, 500 * SEC, 875 * SEC},
    {"one second", 1, 0, 0, SEC / 2, SEC / 8 * 7},
    {"136 years", UINT32_MAX - 1, 0, 0, (usec)(UINT32_MAX - 1) * SEC / 2, (usec)(UINT32_MAX - 1) * SEC / 8 * 7},
};

static void times_are_in_order(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct dhcp_message m = ack(0x0a00020f, times[i].seconds);
        if (times[i].t1 != 0) {
            dhcp_put_u32(&m, DHCP_T1, times[i].t1);
            dhcp_put_u32(&m, DHCP_T2, times[i].t2);
        }
        struct dhcp_lease lease;
        CHECK(times[i].name, dhcp_lease_read(&m, 7 * SEC, &lease));
        CHECK_EQUAL(times[i].name, lease.t1_at, 7 * SEC + times[i].want1);
        CHECK_EQUAL(times[i].name, lease.t2_at, 7 * SEC + times[i].want2);
        CHECK_EQUAL(times[i].name, lease.expires_at, 7 * SEC + (usec)times[i].seconds * SEC);
    }
    struct dhcp_message m = ack(0x0a00020f, DHCP_INFINITY);
    struct dhcp_lease lease;
    assert_true(dhcp_lease_read(&m, 0, &lease));
    assert_int_equal(lease.expires_at, USEC_NEVER);
    m = ack(0x0a00020f, 0);
    assert_false(dhcp_lease_read(&m, 0, &lease));
    m = ack(0xe0000001, 10);
    assert_false(dhcp_lease_read(&m, 0, &lease));
}

static uint8_t prefix_of(uint32_t address, uint32_t mask)
{
    struct dhcp_message m = ack(address, 10);
    if (mask != 1)
        dhcp_put_u32(&m, DHCP_SUBNET_MASK, mask);
    struct dhcp_lease lease;
    assert_true(dhcp_lease_read(&m, 0, &lease));
    return lease.prefix_len;
}

static void masks_have_fallbacks(void **state UNUSED)
{
    assert_int_equal(prefix_of(0x0a00020f, 0xffffff00), 24);
    assert_int_equal(prefix_of(0x0a00020f, 0xffffffff), 32);
    assert_int_equal(prefix_of(0x0a00020f, 1), 8); /* none told */
    assert_int_equal(prefix_of(0xac10000f, 1), 16);
    assert_int_equal(prefix_of(0xc0a8010f, 1), 24);
    assert_int_equal(prefix_of(0xc0a8010f, 0xff00ff00), 24);
    assert_int_equal(prefix_of(0xc0a8010f, 0), 24);
}

static void classless_routes_go_before_routers(void **state UNUSED)
{
    struct dhcp_message m = ack(0x0a00020f, 10);
    struct dhcp_lease lease;
    dhcp_put(&m, DHCP_ROUTER, bytes_of("\x0a\0\2\x01\x0a\0\2\x02", 8));
    assert_true(dhcp_lease_read(&m, 0, &lease));
    assert_int_equal(lease.route_count, 1);
    assert_int_equal(address_v4_value(&lease.router), 0x0a000201);
    struct dhcp_message routed = m;
    dhcp_put(&routed, DHCP_CLASSLESS_ROUTES, bytes_of("\x08\x0a\x0a\0\2\x05\x00\x0a\0\2\x06", 11));
    assert_true(dhcp_lease_read(&routed, 0, &lease));
    assert_int_equal(lease.route_count, 2);
    assert_int_equal(address_v4_value(&lease.router), 0x0a000206);
    dhcp_put(&m, DHCP_CLASSLESS_ROUTES, bytes_of("\x21\x0a", 2)); /* malformed: as if not there */
    assert_true(dhcp_lease_read(&m, 0, &lease));
    assert_int_equal(lease.route_count, 1);
    m = ack(0x0a00020f, 10);
    assert_true(dhcp_lease_read(&m, 0, &lease));
    assert_int_equal(lease.route_count, 0);
    assert_true(address_is_any(&lease.router));
}

static void names_and_sizes_are_checked(void **state UNUSED)
{
    struct dhcp_message m = ack(0x0a00020f, 10);
    struct dhcp_lease lease;
    dhcp_put(&m, DHCP_DOMAIN_NAME, bytes_of_text("evil\nnameserver 1.2.3.4"));
    dhcp_put_u16(&m, DHCP_INTERFACE_MTU, 68);
    dhcp_put(&m, DHCP_DOMAIN_SEARCH, bytes_of("\1a\0\1b\0\1c\0\1d\0\1e\0", 15));
    dhcp_put(&m, DHCP_DNS_SERVER, bytes_of("\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4\5\5\5\5", 20));
    assert_true(dhcp_lease_read(&m, 0, &lease));
    assert_string_equal(lease.domain, "");
    assert_int_equal(lease.mtu, 0);
    assert_int_equal(lease.search_count, 4);
    assert_string_equal(lease.search[3], "d");
    assert_int_equal(lease.dns_count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_in_order),
        cmocka_unit_test(masks_have_fallbacks),
        cmocka_unit_test(classless_routes_go_before_routers),
        cmocka_unit_test(names_and_sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

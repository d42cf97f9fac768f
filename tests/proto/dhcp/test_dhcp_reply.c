/* SPDX-License-Identifier: ISC */
/* A reply's options and where it goes: RFC 2131 §4.1, §4.3.1, RFC 3046, RFC 6842. */
#include "proto/dhcp/dhcp_reply.h"
#include "tests/support/check.h"

static const struct dhcp_reply_config config = {
    .server = 0x0a000201,
    .mask = 0xffffff00,
    .router = 0x0a000201,
    .dns = {0x0a000201, 0x0a000202},
    .dns_count = 2,
    .mtu = 1400,
    .domain = "home.arpa",
};

static struct dhcp_message request(void)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    m.op = DHCP_BOOTREQUEST;
    m.htype = DHCP_HTYPE_ETHERNET;
    m.hlen = 6;
    m.chaddr[5] = 7;
    m.xid = 99;
    dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, DHCP_DISCOVER);
    return m;
}

static size_t write_reply(const struct dhcp_message *in, const struct dhcp_reply *reply,
                          struct dhcp_message *out)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(dhcp_reply_write(&config, in, reply, &w));
    assert_int_equal(dhcp_decode(writer_bytes(&w), out), WIRE_OK);
    return writer_len(&w);
}

static void check_codes(const struct dhcp_message *m, const uint8_t *codes, size_t count)
{
    assert_int_equal(m->option_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(m->options[i].code, codes[i]);
}

static void options_come_in_the_order_of_the_request(void **state UNUSED)
{
    static const uint8_t wanted[] = {DHCP_DOMAIN_SEARCH, 6, 6, 200, 53, 15, DHCP_HOST_NAME, 255, 0,
                                     DHCP_BROADCAST_ADDRESS, 1, DHCP_OVERLOAD, 82, 61, 54};
    static const uint8_t got[] = {53, 54, 51, 58, 59, 119, 6, 15, 12, 28, 1, 61, 82};
    struct dhcp_message m = request();
    struct dhcp_message out;
    dhcp_put(&m, DHCP_RELAY_AGENT, bytes_of_text("port 7"));
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of_text("me"));
    dhcp_put(&m, DHCP_PARAMETER_LIST, bytes_of(wanted, sizeof wanted));
    struct dhcp_reply reply = {
        .type = DHCP_OFFER, .yiaddr = 0x0a00020f, .lease_seconds = 800, .hostname = "printer"};
    write_reply(&m, &reply, &out);
    check_codes(&out, got, sizeof got);
    uint32_t value;
    assert_true(dhcp_find_u32(&out, DHCP_BROADCAST_ADDRESS, &value) && value == 0x0a0002ff);
    assert_true(dhcp_find_u32(&out, DHCP_T1, &value) && value == 400);
    assert_true(dhcp_find_u32(&out, DHCP_T2, &value) && value == 700);
    assert_int_equal(out.yiaddr, 0x0a00020f);
    assert_int_equal(out.xid, 99);
    assert_int_equal(out.siaddr, 0); /* there is nothing to boot from */
}

static void who_does_not_say_gets_the_usual(void **state UNUSED)
{
    static const uint8_t got[] = {53, 54, 51, 58, 59, 1, 3, 6, 15, 26};
    struct dhcp_message m = request();
    struct dhcp_message out;
    struct dhcp_reply reply = {.type = DHCP_ACK, .yiaddr = 0x0a00020f, .lease_seconds = 800};
    write_reply(&m, &reply, &out);
    check_codes(&out, got, sizeof got);
}

static void a_refusal_tells_nothing_but_why(void **state UNUSED)
{
    static const uint8_t got[] = {53, 54, 56, 82};
    struct dhcp_message m = request();
    struct dhcp_message out;
    dhcp_put(&m, DHCP_RELAY_AGENT, bytes_of_text("port 7"));
    m.ciaddr = 0x0a000242;
    m.giaddr = 0x0a0002fe;
    struct dhcp_reply reply = {.type = DHCP_NAK, .text = "no"};
    write_reply(&m, &reply, &out);
    check_codes(&out, got, sizeof got);
    assert_int_equal(out.ciaddr, 0);
    assert_int_equal(out.yiaddr, 0);
    assert_int_equal(out.giaddr, 0x0a0002fe);
    assert_int_equal(out.flags, DHCP_FLAG_BROADCAST); /* RFC 2131 §4.3.2 */
}

static void the_clients_limit_is_kept(void **state UNUSED)
{
    struct dhcp_message m = request();
    struct dhcp_message out;
    uint8_t agent[255] = {1};
    uint8_t id[150] = {1};
    dhcp_put(&m, DHCP_RELAY_AGENT, bytes_of(agent, sizeof agent));
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of(id, sizeof id));
    struct dhcp_reply reply = {.type = DHCP_ACK, .yiaddr = 0x0a00020f, .lease_seconds = 800};
    assert_true(write_reply(&m, &reply, &out) <= DHCP_MESSAGE_DEFAULT); /* by overload */
    struct bytes echoed;
    assert_true(dhcp_find(&out, DHCP_RELAY_AGENT, &echoed) && echoed.len == sizeof agent);
    struct dhcp_message large = request();
    dhcp_put(&large, DHCP_RELAY_AGENT, bytes_of(agent, sizeof agent));
    uint8_t long_id[400] = {0};
    dhcp_put(&large, DHCP_CLIENT_ID, bytes_of(long_id, sizeof long_id));
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    assert_false(dhcp_reply_write(&config, &large, &reply, &w));
    assert_int_equal(writer_len(&w), 0);
    dhcp_put_u16(&large, DHCP_MAX_SIZE, 1500);
    assert_true(dhcp_reply_write(&config, &large, &reply, &w));
    assert_true(writer_len(&w) > DHCP_MESSAGE_DEFAULT);
}

/* RFC 2131 §4.1, in its order. */
static const struct {
    const char *name;
    uint8_t type;
    uint32_t giaddr, ciaddr, yiaddr;
    uint16_t flags;
    uint8_t hlen;
    uint32_t want;
    uint16_t want_port;
    bool want_mac;
} targets[] = {
    {"through a relay", DHCP_OFFER, 0x0a0002fe, 0, 0x0a00020f, 0, 6, 0x0a0002fe, 67, false},
    {"refused through a relay", DHCP_NAK, 0x0a0002fe, 0, 0, 0, 6, 0x0a0002fe, 67, false},
    {"refused", DHCP_NAK, 0, 0x0a00020f, 0, 0, 6, UINT32_MAX, 68, false},
    {"renewing", DHCP_ACK, 0, 0x0a00020f, 0x0a00020f, 0, 6, 0x0a00020f, 68, false},
    {"renewing, with the broadcast bit", DHCP_ACK, 0, 0x0a00020f, 0x0a00020f, 0x8000, 6, 0x0a00020f, 68, false},
    {"new, with the broadcast bit", DHCP_OFFER, 0, 0, 0x0a00020f, 0x8000, 6, UINT32_MAX, 68, false},
    {"new", DHCP_OFFER, 0, 0, 0x0a00020f, 0, 6, 0x0a00020f, 68, true},
    {"new, on hardware without MACs", DHCP_OFFER, 0, 0, 0x0a00020f, 0, 16, UINT32_MAX, 68, false},
};

static void replies_go_where_they_are_heard(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct dhcp_message m = request();
        m.giaddr = targets[i].giaddr;
        m.ciaddr = targets[i].ciaddr;
        m.flags = targets[i].flags;
        m.hlen = targets[i].hlen;
        struct dhcp_reply reply = {.type = targets[i].type, .yiaddr = targets[i].yiaddr};
        struct endpoint from = {address_any_v4(), DHCP_CLIENT_PORT};
        struct endpoint to;
        struct mac mac;
        bool has_mac;
        dhcp_reply_target(&m, &reply, &from, &to, &mac, &has_mac);
        CHECK_EQUAL(targets[i].name, address_v4_value(&to.address), targets[i].want);
        CHECK_EQUAL(targets[i].name, to.port, targets[i].want_port);
        CHECK_EQUAL(targets[i].name, has_mac, targets[i].want_mac);
        CHECK_EQUAL(targets[i].name, mac.octets[5], has_mac ? 7 : 0);
    }
}

static void what_does_not_fit_is_left_out(void **state UNUSED)
{
    static const uint8_t got[] = {53, 54, 51, 58, 59, 1, 3};
    static const uint8_t wanted[] = {DHCP_DOMAIN_NAME, DHCP_DOMAIN_SEARCH};
    struct dhcp_reply_config wordy = config;
    memset(wordy.domain, 'x', sizeof wordy.domain - 1);
    for (size_t i = 50; i < sizeof wordy.domain - 1; i += 50)
        wordy.domain[i] = '.';
    wordy.domain[sizeof wordy.domain - 1] = '\0';
    struct dhcp_message m = request();
    dhcp_put(&m, DHCP_PARAMETER_LIST, bytes_of(wanted, sizeof wanted));
    struct dhcp_reply reply = {.type = DHCP_ACK, .yiaddr = 0x0a00020f, .lease_seconds = 800};
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(dhcp_reply_write(&wordy, &m, &reply, &w));
    struct dhcp_message out;
    assert_int_equal(dhcp_decode(writer_bytes(&w), &out), WIRE_OK);
    check_codes(&out, got, sizeof got);
    dhcp_put_u16(&m, DHCP_MAX_SIZE, 1500);
    w = writer_of(octets, sizeof octets);
    assert_true(dhcp_reply_write(&wordy, &m, &reply, &w));
    assert_int_equal(dhcp_decode(writer_bytes(&w), &out), WIRE_OK);
    assert_true(dhcp_has(&out, DHCP_DOMAIN_SEARCH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_come_in_the_order_of_the_request),
        cmocka_unit_test(who_does_not_say_gets_the_usual),
        cmocka_unit_test(a_refusal_tells_nothing_but_why),
        cmocka_unit_test(the_clients_limit_is_kept),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(replies_go_where_they_are_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

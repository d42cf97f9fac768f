/* SPDX-License-Identifier: ISC */
/* The DHCP client, message by message and hour by hour: RFC 2131 §4.4. */
#include "proto/dhcp/dhcp_client.h"
#include "tests/support/check.h"

#define SEC USEC_PER_SEC

enum { SERVER = 0x0a000201, OTHER = 0x0a0002fe, ADDRESS = 0x0a00020f };

struct world {
    struct dhcp_client client;
    usec now;
    struct dhcp_message sent; /* the last */
    struct dhcp_client_target target;
};

static const struct mac our_mac = {{2, 0, 0, 0, 0, 1}};

static void begin(struct world *w, const struct dhcp_client_options *options)
{
    static const uint8_t seed[PRNG_SEED_LEN] = {7};
    struct dhcp_client_options usual = {.mac = our_mac, .hostname = "laptop"};
    *w = (struct world){.now = 50 * SEC};
    dhcp_client_init(&w->client, options != NULL ? options : &usual, seed, w->now);
}

/* The type of what the client sends, 0: nothing. */
static uint8_t sent(struct world *w)
{
    uint8_t *octets = malloc(DHCP_MESSAGE_DEFAULT);
    struct writer out = writer_of(octets, DHCP_MESSAGE_DEFAULT);
    bool any = dhcp_client_next(&w->client, &w->target, &out);
    if (any)
        assert_int_equal(dhcp_decode(writer_bytes(&out), &w->sent), WIRE_OK);
    free(octets);
    if (!any)
        return 0;
    assert_int_equal(w->sent.op, DHCP_BOOTREQUEST);
    assert_memory_equal(w->sent.chaddr, our_mac.octets, 6);
    struct dhcp_client_target second;
    struct writer nothing = writer_of(NULL, 0);
    assert_false(dhcp_client_next(&w->client, &second, &nothing));
    return dhcp_message_type(&w->sent);
}

/* A server's message that answers the last one. */
static struct dhcp_message answer(const struct world *w, uint8_t type, uint32_t server)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    m.op = DHCP_BOOTREPLY;
    m.htype = DHCP_HTYPE_ETHERNET;
    m.hlen = 6;
    m.xid = w->sent.xid;
    memcpy(m.chaddr, our_mac.octets, 6);
    m.yiaddr = type == DHCP_NAK ? 0 : ADDRESS;
    dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, type);
    dhcp_put_u32(&m, DHCP_SERVER_ID, server);
    if (type != DHCP_NAK)
        dhcp_put_u32(&m, DHCP_LEASE_TIME, 3600);
    return m;
}

static enum dhcp_client_event hear(struct world *w, const struct dhcp_message *m)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer in = writer_of(octets, sizeof octets);
    assert_int_equal(dhcp_encode(m, DHCP_MESSAGE_MAX, &in), WIRE_OK);
    uint8_t *exact = exact_copy(octets, writer_len(&in));
    enum dhcp_client_event event =
        dhcp_client_input(&w->client, bytes_of(exact, writer_len(&in)), w->now);
    free(exact);
    return event;
}

static enum dhcp_client_event hear_plain(struct world *w, uint8_t type)
{
    struct dhcp_message m = answer(w, type, SERVER);
    return hear(w, &m);
}

/* Sleeps until the deadline; the event of that moment. */
static enum dhcp_client_event sleep_on(struct world *w)
{
    usec deadline = dhcp_client_deadline(&w->client);
    assert_true(deadline > w->now && deadline != USEC_NEVER);
    w->now = deadline;
    return dhcp_client_tick(&w->client, w->now);
}

static void bind_plainly(struct world *w)
{
    assert_int_equal(sent(w), DHCP_DISCOVER);
    assert_int_equal(hear_plain(w, DHCP_OFFER), DHCP_CLIENT_NOTHING);
    assert_int_equal(sent(w), DHCP_REQUEST);
    assert_int_equal(hear_plain(w, DHCP_ACK), DHCP_CLIENT_BOUND);
    assert_int_equal(sent(w), 0);
}

static uint32_t option_u32(const struct world *w, uint8_t code)
{
    uint32_t value = 0;
    (void)dhcp_find_u32(&w->sent, code, &value);
    return value;
}

/* ---- tests ---- */

static void a_lease_is_obtained(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    assert_true(address_is_broadcast(&w.target.to));
    assert_true(address_is_any(&w.target.from));
    struct bytes value;
    assert_true(dhcp_find(&w.sent, DHCP_HOST_NAME, &value));
    assert_true(bytes_equal(value, bytes_of_text("laptop")));
    assert_true(dhcp_find(&w.sent, DHCP_CLIENT_ID, &value));
    assert_true(bytes_equal(value, bytes_of("\x01\x02\0\0\0\0\x01", 7)));
    assert_true(dhcp_has(&w.sent, DHCP_PARAMETER_LIST));
    assert_false(dhcp_has(&w.sent, DHCP_REQUESTED_ADDRESS));
    assert_int_equal(w.sent.flags, 0);
    uint32_t xid = w.sent.xid;

    assert_int_equal(hear_plain(&w, DHCP_OFFER), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.client.state, DHCP_CLIENT_REQUESTING);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(w.sent.xid, xid);
    assert_int_equal(w.sent.ciaddr, 0);
    assert_int_equal(option_u32(&w, DHCP_REQUESTED_ADDRESS), ADDRESS);
    assert_int_equal(option_u32(&w, DHCP_SERVER_ID), SERVER);
    assert_true(address_is_broadcast(&w.target.to)); /* so that other servers hear it too */

    struct dhcp_message ack = answer(&w, DHCP_ACK, SERVER);
    dhcp_put_u32(&ack, DHCP_SUBNET_MASK, 0xffffff00);
    dhcp_put_u32(&ack, DHCP_ROUTER, SERVER);
    dhcp_put(&ack, DHCP_DNS_SERVER, bytes_of("\x0a\0\2\1\x0a\0\2\2", 8));
    dhcp_put(&ack, DHCP_DOMAIN_NAME, bytes_of_text("home.arpa"));
    dhcp_put_u16(&ack, DHCP_INTERFACE_MTU, 1400);
    assert_int_equal(hear(&w, &ack), DHCP_CLIENT_BOUND);
    const struct dhcp_lease *lease = &w.client.lease;
    assert_int_equal(address_v4_value(&lease->address), ADDRESS);
    assert_int_equal(lease->prefix_len, 24);
    assert_int_equal(address_v4_value(&lease->router), SERVER);
    assert_int_equal(lease->dns_count, 2);
    assert_string_equal(lease->domain, "home.arpa");
    assert_int_equal(lease->mtu, 1400);
    assert_int_equal(lease->t1_at, w.now + 1800 * SEC);
    assert_int_equal(dhcp_client_deadline(&w.client), w.now + 1800 * SEC);
    assert_int_equal(hear(&w, &ack), DHCP_CLIENT_NOTHING); /* a duplicate */
    assert_string_equal(dhcp_client_state_text(w.client.state), "bound");
}

static void retries_back_off(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    static const int want[] = {4, 8, 16, 32, 64, 64, 64}; /* ± 1, RFC 2131 §4.1 */
    uint32_t xid = 0;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(sent(&w), DHCP_DISCOVER);
        xid = i == 0 ? w.sent.xid : xid;
        assert_int_equal(w.sent.xid, xid);
        assert_int_equal(w.sent.secs, (w.now - 50 * SEC) / SEC);
        usec before = w.now;
        assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
        assert_in_range(w.now - before, (want[i] - 1) * SEC, (want[i] + 1) * SEC);
    }
    struct dhcp_client_options quick = {.mac = our_mac, .first_retry = 100 * USEC_PER_MSEC};
    begin(&w, &quick);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(sent(&w), DHCP_DISCOVER);
        usec before = w.now;
        assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
        assert_in_range(w.now - before, (75 << i) * USEC_PER_MSEC, (125 << i) * USEC_PER_MSEC);
    }
}

static void a_request_that_nobody_answers_is_given_up(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    uint32_t xid = w.sent.xid;
    assert_int_equal(hear_plain(&w, DHCP_OFFER), DHCP_CLIENT_NOTHING);
    for (int i = 0; i < DHCP_REQUEST_ATTEMPTS; i++) {
        assert_int_equal(sent(&w), DHCP_REQUEST);
        assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
    }
    assert_in_range(w.now - 50 * SEC, 56 * SEC, 64 * SEC);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    assert_true(w.sent.xid != xid);
    assert_int_equal(w.client.state, DHCP_CLIENT_SELECTING);
}

static void answers_to_others_are_not_ours(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    struct dhcp_message m = answer(&w, DHCP_OFFER, SERVER);
    m.xid++;
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_OFFER, SERVER);
    m.chaddr[5]++;
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_OFFER, SERVER);
    m.op = DHCP_BOOTREQUEST;
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_OFFER, SERVER);
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of_text("another")); /* RFC 6842 */
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    static const uint32_t unusable[] = {0, 0x7f000001, 0xe0000001, 0xffffffff, 0x00000001};
    for (size_t i = 0; i < ARRAY_LEN(unusable); i++) {
        m = answer(&w, DHCP_OFFER, SERVER);
        m.yiaddr = unusable[i];
        assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    }
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_NOTHING); /* nothing was requested */
    assert_int_equal(hear_plain(&w, DHCP_NAK), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.client.state, DHCP_CLIENT_SELECTING);
    assert_int_equal(sent(&w), 0);

    assert_int_equal(hear_plain(&w, DHCP_OFFER), DHCP_CLIENT_NOTHING);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    m = answer(&w, DHCP_OFFER, OTHER); /* too late */
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_ACK, OTHER); /* not asked */
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_NAK, OTHER);
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_ACK, SERVER); /* not what was asked for */
    m.yiaddr++;
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.client.state, DHCP_CLIENT_REQUESTING);
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_BOUND);
}

static void a_lease_is_renewed(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    bind_plainly(&w);
    uint32_t xid = w.sent.xid;
    assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.now, (50 + 1800) * SEC);
    assert_int_equal(w.client.state, DHCP_CLIENT_RENEWING);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_true(w.sent.xid != xid);
    assert_int_equal(w.sent.ciaddr, ADDRESS);
    assert_false(dhcp_has(&w.sent, DHCP_SERVER_ID)); /* MUST NOT, table 5 */
    assert_false(dhcp_has(&w.sent, DHCP_REQUESTED_ADDRESS));
    assert_int_equal(address_v4_value(&w.target.to), SERVER);
    assert_int_equal(address_v4_value(&w.target.from), ADDRESS);
    w.now += 5 * SEC;
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_RENEWED);
    assert_int_equal(w.client.lease.expires_at, (50 + 1800 + 3600) * SEC); /* since the request */
}

static void a_lease_that_nobody_renews_is_rebound_then_lost(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    bind_plainly(&w);
    static const int renewing[] = {1800, 2475, 2812, 2981, 3065, 3125}; /* half of what is left, §4.4.5 */
    for (size_t i = 0; i < ARRAY_LEN(renewing); i++) {
        assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
        assert_int_equal((w.now - 50 * SEC) / SEC, renewing[i]);
        assert_int_equal(sent(&w), DHCP_REQUEST);
        assert_int_equal(address_v4_value(&w.target.to), SERVER);
    }
    assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.now, (50 + 3150) * SEC);
    assert_int_equal(w.client.state, DHCP_CLIENT_REBINDING);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_true(address_is_broadcast(&w.target.to));
    assert_int_equal(address_v4_value(&w.target.from), ADDRESS);
    assert_int_equal(w.sent.ciaddr, ADDRESS);
    enum dhcp_client_event event = DHCP_CLIENT_NOTHING;
    int sendings = 0;
    while ((event = sleep_on(&w)) == DHCP_CLIENT_NOTHING)
        sendings += sent(&w) == DHCP_REQUEST;
    assert_int_equal(event, DHCP_CLIENT_LOST);
    assert_int_equal(sendings, 3);
    assert_int_equal(w.now, (50 + 3600) * SEC);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    assert_true(address_is_any(&w.target.from));
}

static void any_server_may_rebind(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    bind_plainly(&w);
    while (w.client.state != DHCP_CLIENT_REBINDING) {
        (void)sleep_on(&w);
        assert_int_equal(sent(&w), DHCP_REQUEST);
    }
    struct dhcp_message m = answer(&w, DHCP_ACK, OTHER);
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_RENEWED);
    assert_int_equal(address_v4_value(&w.client.lease.server), OTHER);
    (void)sleep_on(&w);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(address_v4_value(&w.target.to), OTHER);
    m = answer(&w, DHCP_NAK, SERVER);
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_NOTHING);
    m = answer(&w, DHCP_NAK, OTHER);
    assert_int_equal(hear(&w, &m), DHCP_CLIENT_LOST);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
}

static void who_slept_through_its_lease_has_lost_it(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    bind_plainly(&w);
    w.now += 100000 * SEC;
    assert_int_equal(dhcp_client_tick(&w.client, w.now), DHCP_CLIENT_LOST);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
}

static void an_endless_lease_is_never_renewed(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    (void)hear_plain(&w, DHCP_OFFER);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    struct dhcp_message m = answer(&w, DHCP_NO_TYPE, SERVER);
    struct dhcp_message ack = m;
    ack.option_count = 0;
    ack.octets_len = 0;
    dhcp_put_u8(&ack, DHCP_MESSAGE_TYPE, DHCP_ACK);
    dhcp_put_u32(&ack, DHCP_SERVER_ID, SERVER);
    dhcp_put_u32(&ack, DHCP_LEASE_TIME, DHCP_INFINITY);
    assert_int_equal(hear(&w, &ack), DHCP_CLIENT_BOUND);
    assert_int_equal(dhcp_client_deadline(&w.client), USEC_NEVER);
    assert_int_equal(dhcp_client_tick(&w.client, w.now + 1000000 * SEC), DHCP_CLIENT_NOTHING);
}

static void a_rebooting_client_asks_for_what_it_had(void **state UNUSED)
{
    struct world w;
    struct dhcp_client_options options = {.mac = our_mac, .reboot = address_v4(ADDRESS)};
    begin(&w, &options);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(option_u32(&w, DHCP_REQUESTED_ADDRESS), ADDRESS);
    assert_false(dhcp_has(&w.sent, DHCP_SERVER_ID)); /* MUST NOT */
    assert_int_equal(w.sent.ciaddr, 0);
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_BOUND);

    begin(&w, &options); /* in another network */
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(hear_plain(&w, DHCP_NAK), DHCP_CLIENT_NOTHING);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    assert_false(dhcp_has(&w.sent, DHCP_REQUESTED_ADDRESS));

    begin(&w, &options); /* nobody there */
    for (int i = 0; i < DHCP_REQUEST_ATTEMPTS; i++) {
        assert_int_equal(sent(&w), DHCP_REQUEST);
        assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
    }
    assert_int_equal(sent(&w), DHCP_DISCOVER);
}

static void refusals_do_not_go_round_in_a_tight_circle(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    usec began = w.now;
    for (int i = 0; i < 12; i++) {
        if (w.client.state == DHCP_CLIENT_WAITING)
            assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
        assert_int_equal(sent(&w), DHCP_DISCOVER);
        (void)hear_plain(&w, DHCP_OFFER);
        assert_int_equal(sent(&w), DHCP_REQUEST);
        assert_int_equal(hear_plain(&w, DHCP_NAK), DHCP_CLIENT_NOTHING);
    }
    assert_int_equal(w.now - began, (2 + 4 + 8 + 16 + 32 + 64 * 5) * SEC);
}

static void addresses_are_probed_when_the_host_wants_it(void **state UNUSED)
{
    struct world w;
    struct dhcp_client_options options = {.mac = our_mac, .probe = true};
    begin(&w, &options);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    (void)hear_plain(&w, DHCP_OFFER);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_PROBE);
    assert_int_equal(dhcp_client_probed(&w.client, true, w.now), DHCP_CLIENT_NOTHING);
    assert_int_equal(sent(&w), DHCP_DECLINE);
    assert_int_equal(option_u32(&w, DHCP_REQUESTED_ADDRESS), ADDRESS);
    assert_int_equal(option_u32(&w, DHCP_SERVER_ID), SERVER);
    assert_int_equal(w.sent.ciaddr, 0);
    assert_false(dhcp_has(&w.sent, DHCP_PARAMETER_LIST)); /* MUST NOT, table 5 */
    usec before = w.now;
    assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.now - before, 10 * SEC);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    (void)hear_plain(&w, DHCP_OFFER);
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_PROBE);
    assert_int_equal(dhcp_client_probed(&w.client, false, w.now), DHCP_CLIENT_BOUND);
    assert_int_equal(dhcp_client_probed(&w.client, true, w.now), DHCP_CLIENT_NOTHING);
    assert_int_equal(w.client.state, DHCP_CLIENT_IDLE);
    (void)sleep_on(&w); /* a renewal is not probed */
    assert_int_equal(sent(&w), DHCP_REQUEST);
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_RENEWED);
}

static void a_lease_is_released(void **state UNUSED)
{
    struct world w;
    begin(&w, NULL);
    bind_plainly(&w);
    dhcp_client_release(&w.client, w.now);
    assert_int_equal(sent(&w), DHCP_RELEASE);
    assert_int_equal(w.sent.ciaddr, ADDRESS);
    assert_int_equal(option_u32(&w, DHCP_SERVER_ID), SERVER);
    assert_int_equal(address_v4_value(&w.target.to), SERVER);
    assert_int_equal(dhcp_client_deadline(&w.client), USEC_NEVER);
    dhcp_client_release(&w.client, w.now);
    assert_int_equal(sent(&w), 0);
    assert_int_equal(hear_plain(&w, DHCP_ACK), DHCP_CLIENT_NOTHING);
    begin(&w, NULL); /* there is nothing to release yet */
    dhcp_client_release(&w.client, w.now);
    assert_int_equal(sent(&w), 0);
}

static void the_start_may_be_delayed(void **state UNUSED)
{
    struct world w;
    struct dhcp_client_options options = {
        .mac = our_mac, .start_delay = 10 * SEC, .broadcast = true, .id = "me", .id_len = 2};
    begin(&w, &options);
    assert_int_equal(sent(&w), 0);
    usec before = w.now;
    assert_int_equal(sleep_on(&w), DHCP_CLIENT_NOTHING);
    assert_in_range(w.now - before, 1, 10 * SEC);
    assert_int_equal(sent(&w), DHCP_DISCOVER);
    assert_int_equal(w.sent.flags, DHCP_FLAG_BROADCAST);
    struct bytes id;
    assert_true(dhcp_find(&w.sent, DHCP_CLIENT_ID, &id));
    assert_true(bytes_equal(id, bytes_of_text("me")));
    assert_false(dhcp_has(&w.sent, DHCP_HOST_NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_obtained),
        cmocka_unit_test(retries_back_off),
        cmocka_unit_test(a_request_that_nobody_answers_is_given_up),
        cmocka_unit_test(answers_to_others_are_not_ours),
        cmocka_unit_test(a_lease_is_renewed),
        cmocka_unit_test(a_lease_that_nobody_renews_is_rebound_then_lost),
        cmocka_unit_test(any_server_may_rebind),
        cmocka_unit_test(who_slept_through_its_lease_has_lost_it),
        cmocka_unit_test(an_endless_lease_is_never_renewed),
        cmocka_unit_test(a_rebooting_client_asks_for_what_it_had),
        cmocka_unit_test(refusals_do_not_go_round_in_a_tight_circle),
        cmocka_unit_test(addresses_are_probed_when_the_host_wants_it),
        cmocka_unit_test(a_lease_is_released),
        cmocka_unit_test(the_start_may_be_delayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

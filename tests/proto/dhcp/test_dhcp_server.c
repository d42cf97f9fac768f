/* SPDX-License-Identifier: ISC */
/* The DHCP server's answers, message by message: RFC 2131 §4.1, §4.3. */
#include "proto/dhcp/dhcp_server.h"
#include "wire/dhcp/dhcp_fqdn.h"
#include "tests/support/check.h"

#define SEC USEC_PER_SEC

enum { SERVER = 0x0a000201, FIRST = 0x0a00020a, LAST = 0x0a000213 }; /* ten addresses */

static const struct dhcp_static statics[] = {
    {{{2, 0, 0, 0, 0, 0x99}}, {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 2, 0x0c}}, "printer"},
    {{{2, 0, 0, 0, 0, 0x98}}, {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 2, 0x63}}, ""},
};

struct world {
    struct counting_heap heap;
    struct dhcp_server *server;
    usec now;
    struct dhcp_server_event event;   /* of the last message */
    struct dhcp_server_reply target;  /* and its reply */
    struct dhcp_message reply;
    bool refuse_storage;
};

static struct dhcp_server_options usual_options(struct world *w)
{
    return (struct dhcp_server_options){
        .heap = counting_heap(&w->heap),
        .server = address_v4(SERVER),
        .network = {address_v4(0x0a000200), 24},
        .pool_first = address_v4(FIRST),
        .pool_last = address_v4(LAST),
        .router = address_v4(SERVER),
        .dns = {address_v4(SERVER), address_v4(0x0a000202)},
        .dns_count = 2,
        .domain = "home.arpa",
        .mtu = 1500,
        .lease_seconds = 3600,
        .statics = statics,
        .static_count = ARRAY_LEN(statics),
        .authoritative = true,
    };
}

static void begin_with(struct world *w, const struct dhcp_server_options *options)
{
    char error[DHCP_SERVER_ERROR_MAX] = "";
    if (!dhcp_server_check(options, error))
        fail_msg("%s", error);
    w->now = 1000 * SEC;
    w->server = dhcp_server_new(options, w->now);
    assert_non_null(w->server);
}

static void begin(struct world *w)
{
    *w = (struct world){0};
    struct dhcp_server_options options = usual_options(w);
    begin_with(w, &options);
}

static void end(struct world *w)
{
    dhcp_server_free(w->server);
    assert_int_equal(w->heap.blocks, 0);
    assert_int_equal(w->heap.octets, 0);
}

/* A client's message with nothing in it but its type; client `n` has MAC 02:00:00:00:00:n. */
static struct dhcp_message message(uint8_t type, uint8_t n)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    m.op = DHCP_BOOTREQUEST;
    m.htype = DHCP_HTYPE_ETHERNET;
    m.hlen = 6;
    m.xid = 0xfeed0000u + n;
    m.chaddr[0] = 2;
    m.chaddr[5] = n;
    if (type != DHCP_NO_TYPE)
        dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, type);
    return m;
}

static bool take_reply(struct world *w)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer out = writer_of(octets, sizeof octets);
    if (!dhcp_server_next(w->server, &w->target, &out))
        return false;
    assert_int_equal(dhcp_decode(writer_bytes(&out), &w->reply), WIRE_OK);
    assert_int_equal(w->reply.op, DHCP_BOOTREPLY);
    return true;
}

static void put_in(struct world *w, const struct dhcp_message *m)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer in = writer_of(octets, sizeof octets);
    assert_int_equal(dhcp_encode(m, DHCP_MESSAGE_MAX, &in), WIRE_OK);
    uint8_t *exact = exact_copy(octets, writer_len(&in));
    struct endpoint from = {address_v4(m->ciaddr), DHCP_CLIENT_PORT};
    dhcp_server_input(w->server, &from, bytes_of(exact, writer_len(&in)), w->now, &w->event);
    free(exact);
}

/* The type of the reply, 0 if there is none. Leases are "stored" at once. */
static uint8_t say(struct world *w, const struct dhcp_message *m)
{
    put_in(w, m);
    if (w->event.kind == DHCP_SERVER_COMMIT) {
        assert_false(take_reply(w)); /* not before it is stored */
        dhcp_server_committed(w->server, w->event.token, !w->refuse_storage);
    }
    if (!take_reply(w))
        return 0;
    assert_int_equal(w->reply.xid, m->xid);
    assert_memory_equal(w->reply.chaddr, m->chaddr, sizeof m->chaddr);
    return dhcp_message_type(&w->reply);
}

static uint8_t discover(struct world *w, uint8_t n)
{
    struct dhcp_message m = message(DHCP_DISCOVER, n);
    return say(w, &m);
}

static uint8_t request(struct world *w, uint8_t n, uint32_t address)
{
    struct dhcp_message m = message(DHCP_REQUEST, n);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    return say(w, &m);
}

static uint8_t reboot(struct world *w, uint8_t n, uint32_t address)
{
    struct dhcp_message m = message(DHCP_REQUEST, n);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    return say(w, &m);
}

static uint8_t renew(struct world *w, uint8_t n, uint32_t address)
{
    struct dhcp_message m = message(DHCP_REQUEST, n);
    m.ciaddr = address;
    return say(w, &m);
}

/* A whole exchange; the address, 0 if there was none. */
static uint32_t obtain(struct world *w, uint8_t n)
{
    if (discover(w, n) != DHCP_OFFER)
        return 0;
    uint32_t address = w->reply.yiaddr;
    return request(w, n, address) == DHCP_ACK ? address : 0;
}

static void let_pass(struct world *w, usec duration, unsigned ended)
{
    w->now += duration;
    struct dhcp_server_event event;
    unsigned count = 0;
    while (dhcp_server_deadline(w->server) <= w->now && count < 1000) {
        if (!dhcp_server_tick(w->server, w->now, &event))
            continue;
        assert_int_equal(event.kind, DHCP_SERVER_ENDED);
        count++;
    }
    assert_int_equal(count, ended);
}

static uint32_t option_u32(const struct world *w, uint8_t code)
{
    uint32_t value = 0;
    (void)dhcp_find_u32(&w->reply, code, &value);
    return value;
}

/* ---- tests ---- */

static void an_exchange_gives_an_address(void **state UNUSED)
{
    struct world w;
    begin(&w);
    assert_int_equal(discover(&w, 1), DHCP_OFFER);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    uint32_t address = w.reply.yiaddr;
    assert_in_range(address, FIRST, LAST);
    assert_int_equal(option_u32(&w, DHCP_SERVER_ID), SERVER);
    assert_int_equal(option_u32(&w, DHCP_LEASE_TIME), 3600);
    assert_int_equal(option_u32(&w, DHCP_T1), 1800);
    assert_int_equal(option_u32(&w, DHCP_T2), 3150);
    assert_int_equal(option_u32(&w, DHCP_SUBNET_MASK), 0xffffff00);
    assert_int_equal(option_u32(&w, DHCP_ROUTER), SERVER);

    assert_int_equal(request(&w, 1, address), DHCP_ACK);
    assert_int_equal(w.reply.yiaddr, address);
    assert_int_equal(w.event.kind, DHCP_SERVER_COMMIT);
    assert_true(w.event.begins);
    assert_int_equal(address_v4_value(&w.event.lease.address), address);
    assert_int_equal(w.event.lease.expires_at, w.now + 3600 * SEC);
    assert_int_equal(w.event.lease.client.mac.octets[5], 1);
    assert_false(w.event.lease.client.key_is_id);

    struct dhcp_server_lease lease;
    size_t place = 0;
    assert_true(dhcp_server_each(w.server, &place, &lease));
    assert_false(lease.offered);
    assert_int_equal(address_v4_value(&lease.address), address);
    assert_false(dhcp_server_each(w.server, &place, &lease));
    struct dhcp_server_counters counters;
    dhcp_server_counters(w.server, &counters);
    assert_int_equal(counters.discovers, 1);
    assert_int_equal(counters.offers, 1);
    assert_int_equal(counters.requests, 1);
    assert_int_equal(counters.acks, 1);
    assert_int_equal(counters.leases, 1);
    end(&w);
}

static void a_client_does_not_direct_its_reply_elsewhere(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct dhcp_message m = message(DHCP_DISCOVER, 1);
    m.ciaddr = 0xc0a80105;
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(address_v4_value(&w.target.to.address), w.reply.yiaddr);
    assert_true(w.target.has_mac);
    uint32_t address = w.reply.yiaddr;
    m = message(DHCP_REQUEST, 1);
    m.ciaddr = 0xc0a80105;
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    assert_int_equal(say(&w, &m), DHCP_ACK);
    assert_int_equal(address_v4_value(&w.target.to.address), address);
    end(&w);
}

static void what_is_not_stored_is_not_acknowledged(void **state UNUSED)
{
    struct world w;
    begin(&w);
    assert_int_equal(discover(&w, 1), DHCP_OFFER);
    uint32_t address = w.reply.yiaddr;
    w.refuse_storage = true;
    assert_int_equal(request(&w, 1, address), 0);
    struct dhcp_server_lease lease;
    size_t place = 0;
    assert_true(dhcp_server_each(w.server, &place, &lease));
    assert_true(lease.offered);
    w.refuse_storage = false;
    assert_int_equal(request(&w, 1, address), DHCP_ACK);
    /* A renewal that cannot be stored leaves the lease as it was. */
    w.now += 1000 * SEC;
    w.refuse_storage = true;
    assert_int_equal(renew(&w, 1, address), 0);
    assert_false(w.event.begins);
    let_pass(&w, 2601 * SEC, 1);
    end(&w);
}

static void a_client_waits_while_its_lease_is_being_stored(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    struct dhcp_message m = message(DHCP_REQUEST, 1);
    m.ciaddr = address;
    put_in(&w, &m);
    assert_int_equal(w.event.kind, DHCP_SERVER_COMMIT);
    uint32_t token = w.event.token;
    assert_int_equal(renew(&w, 1, address), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    assert_int_equal(discover(&w, 1), 0);
    struct dhcp_message release = message(DHCP_RELEASE, 1);
    release.ciaddr = address;
    dhcp_put_u32(&release, DHCP_SERVER_ID, SERVER);
    assert_int_equal(say(&w, &release), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    let_pass(&w, 7200 * SEC, 0); /* nor does it expire meanwhile */
    dhcp_server_committed(w.server, token, true);
    assert_true(take_reply(&w));
    assert_int_equal(dhcp_message_type(&w.reply), DHCP_ACK);
    end(&w);
}

static void replies_that_wait_are_bounded(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    (void)address;
    uint32_t tokens[8];
    for (uint8_t n = 2; n < 10; n++) {
        assert_int_equal(discover(&w, n), DHCP_OFFER);
        struct dhcp_message m = message(DHCP_REQUEST, n);
        dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, w.reply.yiaddr);
        dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
        put_in(&w, &m);
        assert_int_equal(w.event.kind, DHCP_SERVER_COMMIT);
        tokens[n - 2] = w.event.token;
    }
    struct dhcp_message m = message(DHCP_INFORM, 50);
    m.ciaddr = 0x0a000232;
    for (unsigned i = 0; i < 2 * DHCP_SERVER_OUTPUTS; i++)
        put_in(&w, &m);
    unsigned replies = 0;
    for (size_t i = 8; i-- > 0;)
        dhcp_server_committed(w.server, tokens[i], true);
    while (take_reply(&w))
        replies++;
    assert_int_equal(replies, DHCP_SERVER_OUTPUTS);
    struct dhcp_server_counters counters;
    dhcp_server_counters(w.server, &counters);
    assert_int_equal(counters.busy, DHCP_SERVER_OUTPUTS + 8);
    end(&w);
}

static void the_same_client_gets_the_same_address(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    assert_int_equal(obtain(&w, 1), address);       /* while it is bound */
    let_pass(&w, 3601 * SEC, 1);
    assert_int_equal(obtain(&w, 1), address);       /* after it expired */
    for (uint8_t n = 2; n < 8; n++)
        assert_true(obtain(&w, n) != address);
    struct dhcp_message release = message(DHCP_RELEASE, 1);
    release.ciaddr = address;
    dhcp_put_u32(&release, DHCP_SERVER_ID, SERVER);
    assert_int_equal(say(&w, &release), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_ENDED);
    assert_int_equal(address_v4_value(&w.event.lease.address), address);
    assert_int_equal(obtain(&w, 1), address);       /* after it was released */
    end(&w);
    /* And from a server that remembers nothing, with another seed. */
    w = (struct world){0};
    struct dhcp_server_options options = usual_options(&w);
    options.seed[3] = 77;
    begin_with(&w, &options);
    assert_int_equal(obtain(&w, 1), address);
    end(&w);
}

static void a_client_may_wish_for_an_address(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct dhcp_message m = message(DHCP_DISCOVER, 1);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, LAST);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, LAST);
    m = message(DHCP_DISCOVER, 2); /* taken */
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, LAST);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_true(w.reply.yiaddr != LAST);
    m = message(DHCP_DISCOVER, 3); /* not of the pool */
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, 0x0a0002c8);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_in_range(w.reply.yiaddr, FIRST, LAST);
    m = message(DHCP_DISCOVER, 4); /* another's static one */
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, 0x0a00020c);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_true(w.reply.yiaddr != 0x0a00020c);
    end(&w);
}

static void statics_have_their_addresses_to_themselves(void **state UNUSED)
{
    struct world w;
    begin(&w);
    assert_int_equal(obtain(&w, 0x99), 0x0a00020c);
    assert_string_equal(w.event.lease.hostname, "printer");
    assert_int_equal(obtain(&w, 0x98), 0x0a000263); /* outside of the pool */
    unsigned given = 0;
    for (uint8_t n = 1; n < 20; n++) {
        uint32_t address = obtain(&w, n);
        assert_true(address != 0x0a00020c);
        given += address != 0;
    }
    assert_int_equal(given, 9); /* ten, less the printer's */
    assert_int_equal(obtain(&w, 0x99), 0x0a00020c);
    assert_int_equal(reboot(&w, 1, 0x0a000263), DHCP_NAK);
    /* The same machine with another identifier, as a boot ROM has. */
    struct dhcp_message m = message(DHCP_DISCOVER, 0x99);
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of("\0rom", 4));
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, 0x0a00020c);
    /* The identifier alone does not make another machine the printer. */
    m = message(DHCP_REQUEST, 0x55);
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of("\0rom", 4));
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, 0x0a00020c);
    assert_int_equal(say(&w, &m), DHCP_NAK);
    end(&w);
}

static void our_own_addresses_are_not_given_out(void **state UNUSED)
{
    struct world w = {0};
    struct dhcp_server_options options = usual_options(&w);
    options.pool_first = address_v4(0x0a000200);
    options.pool_last = address_v4(0x0a000204);
    options.static_count = 0;
    begin_with(&w, &options);
    uint32_t a = obtain(&w, 1); /* .0 the network, .1 the server and router, .2 a name server */
    uint32_t b = obtain(&w, 2);
    assert_in_range(a, 0x0a000203, 0x0a000204);
    assert_in_range(b, 0x0a000203, 0x0a000204);
    assert_true(a != b);
    assert_int_equal(obtain(&w, 3), 0);
    end(&w);
}

static void an_exhausted_pool_takes_back_only_what_nobody_has(void **state UNUSED)
{
    struct world w = {0};
    struct dhcp_server_options options = usual_options(&w);
    options.static_count = 0;
    begin_with(&w, &options);
    for (uint8_t n = 0; n < 8; n++)
        assert_true(obtain(&w, n) != 0);
    assert_int_equal(discover(&w, 8), DHCP_OFFER);
    uint32_t eighth = w.reply.yiaddr;
    w.now += 1 * SEC;
    assert_int_equal(discover(&w, 9), DHCP_OFFER);
    assert_int_equal(discover(&w, 10), 0); /* all taken or just offered */
    struct dhcp_server_counters counters;
    dhcp_server_counters(w.server, &counters);
    assert_int_equal(counters.exhausted, 1);
    w.now += DHCP_OFFER_HOLD - 1 * SEC;
    assert_int_equal(discover(&w, 10), DHCP_OFFER); /* the oldest offer, now old enough */
    assert_int_equal(w.reply.yiaddr, eighth);
    assert_int_equal(discover(&w, 11), 0);
    dhcp_server_counters(w.server, &counters);
    assert_int_equal(counters.reclaimed, 1);
    assert_int_equal(request(&w, 8, eighth), DHCP_NAK);
    assert_int_equal(request(&w, 10, eighth), DHCP_ACK);
    let_pass(&w, 61 * SEC, 0); /* the ninth's offer is over */
    assert_true(obtain(&w, 11) != 0);
    assert_int_equal(obtain(&w, 12), 0);
    let_pass(&w, 3600 * SEC, 10);
    assert_true(obtain(&w, 12) != 0);
    end(&w);
}

static void expired_leases_are_reused_oldest_first(void **state UNUSED)
{
    struct world w = {0};
    struct dhcp_server_options options = usual_options(&w);
    options.static_count = 0;
    begin_with(&w, &options);
    uint32_t addresses[10];
    for (uint8_t n = 0; n < 10; n++) {
        addresses[n] = obtain(&w, n);
        w.now += 1 * SEC;
    }
    let_pass(&w, 3600 * SEC, 10);
    assert_int_equal(obtain(&w, 100), addresses[0]);
    assert_int_equal(obtain(&w, 101), addresses[1]);
    assert_int_equal(obtain(&w, 5), addresses[5]);
    assert_true(obtain(&w, 0) != addresses[0]);
    end(&w);
}

static void requests_for_another_server_free_our_offer(void **state UNUSED)
{
    struct world w;
    begin(&w);
    assert_int_equal(discover(&w, 1), DHCP_OFFER);
    uint32_t address = w.reply.yiaddr;
    struct dhcp_message m = message(DHCP_REQUEST, 1);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, 0x0a000217);
    dhcp_put_u32(&m, DHCP_SERVER_ID, 0x0a0002fe);
    assert_int_equal(say(&w, &m), 0);
    struct dhcp_server_lease lease;
    size_t place = 0;
    assert_false(dhcp_server_each(w.server, &place, &lease));
    m = message(DHCP_DISCOVER, 2);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, address);
    end(&w);
}

static void wrong_addresses_are_refused(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    assert_int_equal(obtain(&w, 2) != 0, true);
    assert_int_equal(reboot(&w, 1, 0xc0a80105), DHCP_NAK); /* from another network */
    assert_int_equal(address_v4_value(&w.target.to.address), UINT32_MAX);
    assert_int_equal(w.reply.yiaddr, 0);
    assert_false(dhcp_has(&w.reply, DHCP_LEASE_TIME));
    assert_int_equal(reboot(&w, 1, address + 1), DHCP_NAK);
    assert_int_equal(reboot(&w, 3, address), DHCP_NAK); /* another's */
    assert_int_equal(request(&w, 3, address), DHCP_NAK);
    assert_int_equal(renew(&w, 3, address), DHCP_NAK);
    assert_int_equal(renew(&w, 1, 0xc0a80105), DHCP_NAK);
    assert_int_equal(reboot(&w, 1, address), DHCP_ACK);
    assert_int_equal(w.reply.yiaddr, address);
    assert_int_equal(w.target.has_mac, true);
    struct dhcp_server_counters counters;
    dhcp_server_counters(w.server, &counters);
    assert_int_equal(counters.naks, 6);
    assert_int_equal(counters.leases, 2);
    end(&w);
}

static void strangers_with_an_address(void **state UNUSED)
{
    struct world w = {0};
    begin(&w); /* authoritative */
    assert_int_equal(reboot(&w, 1, FIRST + 3), DHCP_ACK);
    assert_int_equal(renew(&w, 2, FIRST + 4), DHCP_ACK);
    assert_int_equal(request(&w, 3, FIRST + 5), DHCP_ACK); /* its offer was forgotten */
    end(&w);
    w = (struct world){0};
    struct dhcp_server_options options = usual_options(&w);
    options.authoritative = false;
    begin_with(&w, &options);
    assert_int_equal(reboot(&w, 1, FIRST + 3), 0); /* MUST remain silent, RFC 2131 §4.3.2 */
    assert_int_equal(renew(&w, 2, FIRST + 4), 0);
    assert_int_equal(reboot(&w, 1, 0xc0a80105), DHCP_NAK);
    end(&w);
}

static void requests_that_are_none_are_ignored(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct dhcp_message m = message(DHCP_REQUEST, 1);
    assert_int_equal(say(&w, &m), 0); /* no address at all */
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    assert_int_equal(say(&w, &m), 0);
    m = message(DHCP_REQUEST, 1);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, FIRST);
    m.ciaddr = FIRST; /* rebooting and renewing at once */
    assert_int_equal(say(&w, &m), 0);
    m = message(DHCP_NO_TYPE, 1); /* BOOTP */
    assert_int_equal(say(&w, &m), 0);
    m = message(DHCP_OFFER, 1);
    assert_int_equal(say(&w, &m), 0);
    m = message(200, 1);
    assert_int_equal(say(&w, &m), 0);
    m = message(DHCP_DISCOVER, 1);
    m.op = DHCP_BOOTREPLY;
    assert_int_equal(say(&w, &m), 0);
    m = message(DHCP_DISCOVER, 1);
    m.hlen = 0; /* nobody */
    assert_int_equal(say(&w, &m), 0);
    m = message(DHCP_DISCOVER, 1);
    m.giaddr = 0xc0a80101; /* a relay in a network that is not ours */
    assert_int_equal(say(&w, &m), 0);
    struct endpoint from = {address_any_v4(), DHCP_CLIENT_PORT};
    dhcp_server_input(w.server, &from, bytes_of_text("hello"), w.now, &w.event);
    struct dhcp_server_counters counters;
    dhcp_server_counters(w.server, &counters);
    assert_int_equal(counters.malformed, 4);
    assert_int_equal(counters.ignored, 6);
    assert_int_equal(counters.leases, 0);
    end(&w);
}

static void declined_addresses_rest(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    struct dhcp_message m = message(DHCP_DECLINE, 2); /* not its */
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    m.chaddr[5] = 1;
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_ENDED);
    assert_int_equal(address_v4_value(&w.event.lease.address), address);
    assert_int_equal(w.event.lease.client.mac.octets[5], 1);
    uint32_t other = obtain(&w, 1);
    assert_true(other != 0 && other != address);
    m = message(DHCP_DISCOVER, 2);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_true(w.reply.yiaddr != address);
    let_pass(&w, DHCP_DECLINE_TIMEOUT + SEC, 0);
    m = message(DHCP_DISCOVER, 3);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, address);
    end(&w);
}

static void who_declines_everything_does_not_empty_the_pool(void **state UNUSED)
{
    struct world w;
    begin(&w);
    for (unsigned i = 0; i < 100; i++) {
        uint32_t address = obtain(&w, 1);
        assert_true(address != 0);
        struct dhcp_message m = message(DHCP_DECLINE, 1);
        dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
        dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
        assert_int_equal(say(&w, &m), 0);
    }
    unsigned given = 0;
    for (uint8_t n = 1; n < 20; n++)
        given += obtain(&w, n) != 0;
    assert_int_equal(given, 9 - 10 / 4);
    /* A static address goes on being its client's. */
    assert_int_equal(obtain(&w, 0x99), 0x0a00020c);
    struct dhcp_message m = message(DHCP_DECLINE, 0x99);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, 0x0a00020c);
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_ENDED);
    assert_int_equal(obtain(&w, 0x99), 0x0a00020c);
    end(&w);
}

static void releases_must_be_right(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    struct dhcp_message m = message(DHCP_RELEASE, 1);
    m.ciaddr = address;
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING); /* no server identifier */
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    m.ciaddr = address + 1;
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    m.ciaddr = address;
    m.chaddr[5] = 2;
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    m.chaddr[5] = 1;
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_ENDED);
    assert_int_equal(say(&w, &m), 0);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING); /* once */
    let_pass(&w, 7200 * SEC, 0);
    end(&w);
}

static void informs_are_answered_without_a_lease(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct dhcp_message m = message(DHCP_INFORM, 1);
    m.ciaddr = 0x0a0002c8;
    assert_int_equal(say(&w, &m), DHCP_ACK);
    assert_int_equal(w.event.kind, DHCP_SERVER_NOTHING);
    assert_int_equal(w.reply.yiaddr, 0);
    assert_false(dhcp_has(&w.reply, DHCP_LEASE_TIME));
    assert_false(dhcp_has(&w.reply, DHCP_T1));
    assert_int_equal(option_u32(&w, DHCP_ROUTER), SERVER);
    assert_int_equal(address_v4_value(&w.target.to.address), 0x0a0002c8);
    m.ciaddr = 0xc0a80105; /* not from here: we are nobody's reflector */
    assert_int_equal(say(&w, &m), 0);
    m.ciaddr = 0;
    assert_int_equal(say(&w, &m), 0);
    end(&w);
}

static void lease_times_are_negotiated(void **state UNUSED)
{
    struct world w = {0};
    struct dhcp_server_options options = usual_options(&w);
    options.lease_min = 300;
    options.lease_max = 7200;
    begin_with(&w, &options);
    static const uint32_t cases[][2] = {
        {600, 600}, {10, 300}, {0, 300}, {7200, 7200}, {7201, 7200}, {DHCP_INFINITY, 7200}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dhcp_message m = message(DHCP_DISCOVER, 1);
        dhcp_put_u32(&m, DHCP_LEASE_TIME, cases[i][0]);
        assert_int_equal(say(&w, &m), DHCP_OFFER);
        assert_int_equal(option_u32(&w, DHCP_LEASE_TIME), cases[i][1]);
    }
    end(&w);
    w = (struct world){0};
    options = usual_options(&w);
    options.lease_seconds = DHCP_INFINITY;
    begin_with(&w, &options);
    assert_true(obtain(&w, 1) != 0);
    assert_int_equal(option_u32(&w, DHCP_LEASE_TIME), DHCP_INFINITY);
    assert_int_equal(option_u32(&w, DHCP_T1), DHCP_INFINITY);
    assert_int_equal(w.event.lease.expires_at, USEC_NEVER);
    let_pass(&w, 100L * 365 * 86400 * SEC, 0);
    end(&w);
}

static void identifiers_identify(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    struct dhcp_message m = message(DHCP_DISCOVER, 1); /* the same, said in full */
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of("\x01\x02\x00\x00\x00\x00\x01", 7));
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, address);
    struct bytes id;
    assert_true(dhcp_find(&w.reply, DHCP_CLIENT_ID, &id)); /* RFC 6842 */
    assert_int_equal(id.len, 7);
    m = message(DHCP_DISCOVER, 1); /* a guest behind the same MAC */
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of_text("guest"));
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_true(w.reply.yiaddr != address);
    uint32_t guest = w.reply.yiaddr;
    m.chaddr[5] = 9; /* the guest, moved */
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, guest);
    m = message(DHCP_DISCOVER, 1); /* too long to keep: the MAC identifies */
    char longest[DHCP_CLIENT_KEY_MAX + 1] = "x";
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of(longest, sizeof longest));
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    assert_int_equal(w.reply.yiaddr, address);
    end(&w);
}

static void host_names_are_checked(void **state UNUSED)
{
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    assert_string_equal(w.event.lease.hostname, "");
    struct dhcp_message m = message(DHCP_REQUEST, 1);
    m.ciaddr = address;
    dhcp_put(&m, DHCP_HOST_NAME, bytes_of_text("Laptop.example.com"));
    assert_int_equal(say(&w, &m), DHCP_ACK);
    assert_string_equal(w.event.lease.hostname, "laptop");
    assert_true(w.event.renamed);
    assert_false(w.event.begins);
    assert_int_equal(say(&w, &m), DHCP_ACK);
    assert_false(w.event.renamed);
    m = message(DHCP_REQUEST, 1);
    m.ciaddr = address;
    dhcp_put(&m, DHCP_HOST_NAME, bytes_of_text("../etc"));
    assert_int_equal(say(&w, &m), DHCP_ACK);
    assert_string_equal(w.event.lease.hostname, "");
    end(&w);
}

/* RFC 4702 §3, §4: what the client says of its name, and what it is told. */
static void names_by_the_fqdn_option(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *option;
        size_t len;
        const char *hostname;
        uint8_t flags; /* of the reply */
        const char *told;
    } cases[] = {
        {"the server is to do all", "\1\0\0laptop.example.com", 21, "laptop", DHCP_FQDN_S, "laptop.home.arpa"},
        {"the client would do its own: it cannot", "\0\0\0laptop", 9, "laptop", DHCP_FQDN_S | DHCP_FQDN_O,
         "laptop.home.arpa"},
        {"in wire form", "\5\0\0\6laptop\0", 11, "laptop", DHCP_FQDN_S | DHCP_FQDN_E,
         "\6laptop\4home\4arpa"},
        {"nothing at all", "\10\0\0laptop", 9, "", DHCP_FQDN_N, "laptop.home.arpa"},
        {"without a name, by the other option", "\1\0\0", 3, "other", DHCP_FQDN_S, "other.home.arpa"},
    };
    struct world w;
    begin(&w);
    uint32_t address = obtain(&w, 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes option;
        struct dhcp_message m = message(DHCP_REQUEST, 1);
        m.ciaddr = address;
        dhcp_put(&m, DHCP_HOST_NAME, bytes_of_text("other"));
        dhcp_put(&m, DHCP_CLIENT_FQDN, bytes_of(cases[i].option, cases[i].len));
        CHECK_EQUAL(cases[i].name, say(&w, &m), DHCP_ACK);
        CHECK(cases[i].name, strcmp(w.event.lease.hostname, cases[i].hostname) == 0);
        CHECK(cases[i].name, dhcp_find(&w.reply, DHCP_CLIENT_FQDN, &option) && option.len > 3);
        CHECK_EQUAL(cases[i].name, option.data[0], cases[i].flags);
        CHECK(cases[i].name, memcmp(option.data + 3, cases[i].told, strlen(cases[i].told)) == 0);
    }
    struct dhcp_message m = message(DHCP_REQUEST, 1);
    m.ciaddr = address;
    assert_int_equal(say(&w, &m), DHCP_ACK);
    assert_false(dhcp_has(&w.reply, DHCP_CLIENT_FQDN)); /* who has not asked */
    end(&w);
}

static void leases_are_restored(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct dhcp_server_lease lease = {.address = address_v4(FIRST + 4), .hostname = "kept"};
    lease.client.mac.octets[0] = 2;
    lease.client.mac.octets[5] = 7;
    memcpy(lease.client.key, "\x01\x02\0\0\0\0\x07", 7);
    lease.client.key_len = 7;
    lease.expires_at = w.now + 100 * SEC;
    assert_true(dhcp_server_restore(w.server, &lease, w.now));
    assert_false(dhcp_server_restore(w.server, &lease, w.now)); /* twice */
    lease.address = address_v4(FIRST + 5);
    assert_false(dhcp_server_restore(w.server, &lease, w.now)); /* the client has another */
    lease.client.key[6] = 8;
    lease.client.mac.octets[5] = 8;
    lease.expires_at = w.now - 100 * SEC;
    assert_true(dhcp_server_restore(w.server, &lease, w.now)); /* expired, but remembered */
    lease.client.key[6] = 9;
    lease.address = address_v4(0x0a00020c);
    assert_false(dhcp_server_restore(w.server, &lease, w.now)); /* reserved by now */
    lease.address = address_v4(0x0a000301);
    assert_false(dhcp_server_restore(w.server, &lease, w.now)); /* not of the pool by now */
    lease.client.key_len = 0;
    assert_false(dhcp_server_restore(w.server, &lease, w.now));
    size_t place = 0;
    assert_true(dhcp_server_each(w.server, &place, &lease));
    assert_string_equal(lease.hostname, "kept");
    assert_false(dhcp_server_each(w.server, &place, &lease));
    assert_int_equal(obtain(&w, 8), FIRST + 5);
    assert_int_equal(renew(&w, 7, FIRST + 4), DHCP_ACK);
    assert_false(w.event.begins);
    end(&w);
}

static void options_are_checked(void **state UNUSED)
{
    struct world w = {0};
    char error[DHCP_SERVER_ERROR_MAX];
    struct dhcp_server_options o = usual_options(&w);
    assert_true(dhcp_server_check(&o, error));
    o.pool_last = address_v4(0x0a000301);
    assert_false(dhcp_server_check(&o, error));
    assert_string_equal(error, "10.0.3.1 is not in the network");
    o = usual_options(&w);
    o.pool_first = address_v4(LAST + 1);
    assert_false(dhcp_server_check(&o, error));
    o = usual_options(&w);
    o.network.len = 31;
    assert_false(dhcp_server_check(&o, error));
    o = usual_options(&w);
    o.domain = "not a domain";
    assert_false(dhcp_server_check(&o, error));
    o = usual_options(&w);
    o.network = (struct ip_prefix){address_v4(0x0a000000), 8};
    o.pool_first = address_v4(0x0a000000);
    o.pool_last = address_v4(0x0a00ffff);
    assert_true(dhcp_server_check(&o, error));
    o.pool_last = address_v4(0x0a010000);
    assert_false(dhcp_server_check(&o, error));
    o = usual_options(&w);
    struct dhcp_static twice[2] = {statics[0], statics[1]};
    twice[1].address = twice[0].address;
    o.statics = twice;
    assert_false(dhcp_server_check(&o, error));
    twice[1] = statics[1];
    twice[1].mac = twice[0].mac;
    assert_false(dhcp_server_check(&o, error));
}

static void without_memory_there_is_no_server(void **state UNUSED)
{
    for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
        struct world w = {.heap = {.fail_at = fail_at}};
        struct dhcp_server_options options = usual_options(&w);
        assert_null(dhcp_server_new(&options, 0));
        assert_int_equal(w.heap.blocks, 0);
    }
    struct world w = {0}; /* the map's table: no offer, and no harm */
    struct dhcp_server_options options = usual_options(&w);
    begin_with(&w, &options);
    w.heap.fail_at = 1;
    assert_int_equal(discover(&w, 1), 0);
    w.heap.fail_at = 0;
    assert_int_equal(discover(&w, 1), DHCP_OFFER);
    end(&w);
}

/* A pool of 65536 addresses, all of them leased, renewed and expired. */
static void a_large_pool_is_quick(void **state UNUSED)
{
    struct world w = {0};
    struct dhcp_server_options options = usual_options(&w);
    options.server = address_v4(0x0a010001);
    options.router = options.server;
    options.dns_count = 0;
    options.network = (struct ip_prefix){address_v4(0x0a000000), 8};
    options.pool_first = address_v4(0x0a020000);
    options.pool_last = address_v4(0x0a02ffff);
    options.static_count = 0;
    begin_with(&w, &options);
    struct endpoint from = {address_any_v4(), DHCP_CLIENT_PORT};
    uint8_t octets[DHCP_MESSAGE_MAX];
    for (uint32_t i = 0; i < 65537; i++) {
        struct dhcp_message m = message(DHCP_REQUEST, 0);
        m.chaddr[3] = (uint8_t)(i >> 16);
        m.chaddr[4] = (uint8_t)(i >> 8);
        m.chaddr[5] = (uint8_t)i;
        m.ciaddr = 0x0a020000 + (i & 0xffff);
        struct writer in = writer_of(octets, sizeof octets);
        assert_int_equal(dhcp_encode(&m, DHCP_MESSAGE_MAX, &in), WIRE_OK);
        dhcp_server_input(w.server, &from, writer_bytes(&in), w.now, &w.event);
        assert_int_equal(w.event.kind, i < 65536 ? DHCP_SERVER_COMMIT : DHCP_SERVER_NOTHING);
        if (i < 65536)
            dhcp_server_committed(w.server, w.event.token, true);
        struct writer out = writer_of(octets, sizeof octets);
        assert_true(dhcp_server_next(w.server, &w.target, &out));
    }
    assert_int_equal(discover(&w, 77), DHCP_OFFER); /* it has one: 02:00:00:00:00:4d */
    struct dhcp_message m = message(DHCP_DISCOVER, 77);
    m.chaddr[1] = 1;
    assert_int_equal(say(&w, &m), 0);
    struct dhcp_server_event event;
    unsigned count = 0;
    w.now += 3601 * SEC;
    while (dhcp_server_tick(w.server, w.now, &event))
        count++;
    assert_int_equal(count, 65536);
    assert_int_equal(say(&w, &m), DHCP_OFFER);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_gives_an_address),
        cmocka_unit_test(a_client_does_not_direct_its_reply_elsewhere),
        cmocka_unit_test(what_is_not_stored_is_not_acknowledged),
        cmocka_unit_test(a_client_waits_while_its_lease_is_being_stored),
        cmocka_unit_test(replies_that_wait_are_bounded),
        cmocka_unit_test(the_same_client_gets_the_same_address),
        cmocka_unit_test(a_client_may_wish_for_an_address),
        cmocka_unit_test(statics_have_their_addresses_to_themselves),
        cmocka_unit_test(our_own_addresses_are_not_given_out),
        cmocka_unit_test(an_exhausted_pool_takes_back_only_what_nobody_has),
        cmocka_unit_test(expired_leases_are_reused_oldest_first),
        cmocka_unit_test(requests_for_another_server_free_our_offer),
        cmocka_unit_test(wrong_addresses_are_refused),
        cmocka_unit_test(strangers_with_an_address),
        cmocka_unit_test(requests_that_are_none_are_ignored),
        cmocka_unit_test(declined_addresses_rest),
        cmocka_unit_test(who_declines_everything_does_not_empty_the_pool),
        cmocka_unit_test(releases_must_be_right),
        cmocka_unit_test(informs_are_answered_without_a_lease),
        cmocka_unit_test(lease_times_are_negotiated),
        cmocka_unit_test(identifiers_identify),
        cmocka_unit_test(host_names_are_checked),
        cmocka_unit_test(names_by_the_fqdn_option),
        cmocka_unit_test(leases_are_restored),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(without_memory_there_is_no_server),
        cmocka_unit_test(a_large_pool_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

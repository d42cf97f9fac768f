/* SPDX-License-Identifier: ISC */
/*
 * The address service over a net that is only pretended, in virtual time: what is stored before what is
 * sent, what is left after a kill, and where replies go.
 */
#include "app/addresses/addresses.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/net_ops.h"
#include "store/store.h"
#include "tests/support/check.h"
#include "wire/dhcp/dhcp.h"

enum { SERVER = 0x0a000201, FIRST = 0x0a00020a, LAST = 0x0a00021d, SENT_MAX = 128 };

struct sent {
    struct dgram_message facts;
    struct dhcp_message message;
    int64_t rows; /* in the store when it was sent */
};

struct world {
    struct net net;
    struct dgram dgram;
    struct dgram_options bound;
    bool open;
    int refuse; /* errno of sends */
    struct loop *loop;
    struct store *store;
    struct addresses *addresses;
    char path[64];
    struct sent sent[SENT_MAX];
    size_t sent_count;
    struct lease told[SENT_MAX];
    bool told_active[SENT_MAX];
    size_t told_count;
    unsigned errors;
};

static int64_t count_rows(struct store *store)
{
    struct query *query;
    if (store == NULL || store_prepare(store, "SELECT count(*) FROM lease", &query) < 0)
        return -1;
    assert_int_equal(query_step(query), 1);
    int64_t count = query_integer(query, 0);
    query_free(query);
    return count;
}

static struct world *world_of(struct net *net)
{
    return CONTAINER_OF(net, struct world, net);
}

static int fake_send(struct dgram *dgram, const struct dgram_message *message)
{
    struct world *w = world_of(dgram->net);
    if (w->refuse != 0)
        return -w->refuse;
    assert_true(w->sent_count < SENT_MAX);
    struct sent *sent = &w->sent[w->sent_count++];
    sent->facts = *message;
    sent->rows = count_rows(w->store);
    assert_int_equal(dhcp_decode(message->payload, &sent->message), WIRE_OK);
    return 0;
}

static struct endpoint fake_local(const struct dgram *dgram UNUSED)
{
    return (struct endpoint){address_any_v4(), DHCP_SERVER_PORT};
}

static void fake_close(struct dgram *dgram)
{
    world_of(dgram->net)->open = false;
}

static int fake_bind(struct net *net, const struct dgram_options *options,
                     const struct dgram_handler *handler, void *self, struct dgram **out)
{
    static const struct dgram_ops ops = {
        .send = fake_send, .local = fake_local, .close = fake_close};
    struct world *w = world_of(net);
    if (w->refuse != 0)
        return -w->refuse;
    w->bound = *options;
    w->open = true;
    w->dgram = (struct dgram){&ops, net, handler, self};
    *out = &w->dgram;
    return 0;
}

static void on_lease(void *self, const struct lease *lease, bool active)
{
    struct world *w = self;
    assert_true(w->told_count < SENT_MAX);
    w->told[w->told_count] = *lease;
    w->told_active[w->told_count++] = active;
}

static void on_error(void *self, const char *what)
{
    struct world *w = self;
    assert_true(strlen(what) > 0);
    w->errors++;
}

static struct addresses_options usual_options(struct world *w)
{
    return (struct addresses_options){
        .server = address_v4(SERVER),
        .network = {address_v4(0x0a000200), 24},
        .pool_first = address_v4(FIRST),
        .pool_last = address_v4(LAST),
        .router = address_v4(SERVER),
        .dns = {address_v4(SERVER)},
        .dns_count = 1,
        .domain = "home.arpa",
        .store = w->store,
        .on_lease = on_lease,
        .on_error = on_error,
        .self = w,
    };
}

static void serve(struct world *w, const struct addresses_options *options)
{
    struct addresses_options usual = usual_options(w);
    int status = addresses_new(&w->net, options != NULL ? options : &usual, &w->addresses);
    if (status != 0)
        fail_msg("%d: %s", status, w->store != NULL ? store_error(w->store) : "");
}

static void open_store(struct world *w)
{
    char error[STORE_ERROR_MAX] = "";
    if (store_open(w->path, &w->store, error) != 0)
        fail_msg("%s", error);
}

static struct world *begin(bool stored)
{
    static const struct net_ops ops = {.bind = fake_bind};
    struct world *w = calloc(1, sizeof *w);
    w->loop = loop_new_virtual(USEC_PER_HOUR, 1);
    w->net = (struct net){&ops, w->loop};
    if (stored) {
        strcpy(w->path, "/tmp/wholenet-leases-XXXXXX");
        int fd = mkstemp(w->path);
        assert_true(fd >= 0);
        (void)close(fd);
        open_store(w);
    }
    return w;
}

static void end(struct world *w)
{
    addresses_free(w->addresses);
    assert_false(w->open);
    store_close(w->store);
    loop_free(w->loop);
    if (w->path[0] != '\0') {
        static const char *const endings[] = {"", "-wal", "-shm"};
        for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
            char file[80];
            snprintf(file, sizeof file, "%s%s", w->path, endings[i]);
            (void)unlink(file);
        }
    }
    free(w);
}

static struct dhcp_message message(uint8_t type, uint8_t n)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    m.op = DHCP_BOOTREQUEST;
    m.htype = DHCP_HTYPE_ETHERNET;
    m.hlen = 6;
    m.xid = n;
    m.chaddr[0] = 2;
    m.chaddr[5] = n;
    dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, type);
    return m;
}

/* Arrives; what follows from it happens at the end of the turn. */
static void arrive(struct world *w, const struct dhcp_message *m)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer in = writer_of(octets, sizeof octets);
    assert_int_equal(dhcp_encode(m, DHCP_MESSAGE_MAX, &in), WIRE_OK);
    struct dgram_message facts = {
        .from = {address_v4(m->ciaddr), DHCP_CLIENT_PORT},
        .to = {address_v4(UINT32_MAX), DHCP_SERVER_PORT},
        .payload = writer_bytes(&in),
        .interface = 3,
        .has_interface = true,
    };
    w->dgram.handler->on_message(w->dgram.self, &w->dgram, &facts);
}

static void turn(struct world *w, usec duration)
{
    assert_int_equal(loop_run_until(w->loop, loop_now(w->loop) + duration), 0);
}

/* Asks for exactly that address; the type of the reply. */
static uint8_t take(struct world *w, uint8_t n, uint32_t address, const char *hostname)
{
    struct dhcp_message m = message(DHCP_REQUEST, n);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    if (hostname != NULL)
        dhcp_put(&m, DHCP_HOST_NAME, bytes_of_text(hostname));
    arrive(w, &m);
    size_t before = w->sent_count;
    turn(w, USEC_PER_MSEC);
    return w->sent_count > before ? dhcp_message_type(&w->sent[w->sent_count - 1].message) : 0;
}

/* ---- tests ---- */

static void leases_are_stored_before_they_are_acknowledged(void **state UNUSED)
{
    struct world *w = begin(true);
    serve(w, NULL);
    assert_int_equal(w->bound.local.port, DHCP_SERVER_PORT);
    assert_true(w->bound.broadcast);
    for (uint8_t n = 1; n <= 10; n++) { /* all in one turn: one transaction */
        struct dhcp_message m = message(DHCP_REQUEST, n);
        dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, FIRST + n);
        dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
        arrive(w, &m);
    }
    assert_int_equal(w->sent_count, 0);
    assert_int_equal(count_rows(w->store), 0);
    assert_false(store_in_transaction(w->store));
    turn(w, USEC_PER_MSEC);
    assert_int_equal(w->sent_count, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(dhcp_message_type(&w->sent[i].message), DHCP_ACK);
        assert_int_equal(w->sent[i].rows, 10);
    }
    assert_int_equal(w->told_count, 10);
    assert_true(w->told_active[0]);
    assert_int_equal(w->told[0].expires, loop_wall_seconds(w->loop) + 3600);
    struct addresses_counters counters;
    addresses_counters(w->addresses, &counters);
    assert_int_equal(counters.acks, 10);
    assert_int_equal(counters.leases, 10);
    end(w);
}

static void what_cannot_be_stored_is_not_acknowledged(void **state UNUSED)
{
    struct world *w = begin(true);
    serve(w, NULL);
    assert_int_equal(store_execute(w->store, "ALTER TABLE lease RENAME TO gone"), 0);
    assert_int_equal(take(w, 1, FIRST, NULL), 0);
    assert_int_equal(w->errors, 1);
    assert_int_equal(w->told_count, 0);
    assert_false(store_in_transaction(w->store));
    struct addresses_counters counters;
    addresses_counters(w->addresses, &counters);
    assert_int_equal(counters.not_stored, 1);
    assert_int_equal(counters.leases, 0);
    assert_int_equal(store_execute(w->store, "ALTER TABLE gone RENAME TO lease"), 0);
    assert_int_equal(take(w, 1, FIRST, NULL), DHCP_ACK);
    end(w);
}

static void leases_survive_a_kill(void **state UNUSED)
{
    struct world *w = begin(true);
    serve(w, NULL);
    assert_int_equal(take(w, 1, FIRST + 5, "laptop"), DHCP_ACK);
    struct dhcp_message m = message(DHCP_REQUEST, 2);
    dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, FIRST + 6);
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of_text("an identifier"));
    arrive(w, &m);
    turn(w, USEC_PER_MSEC);
    /* Killed: nothing is closed in order. Another process opens the file as it is. */
    struct addresses *killed = w->addresses;
    struct store *killed_store = w->store;
    open_store(w);
    w->told_count = 0;
    serve(w, NULL);
    assert_int_equal(w->told_count, 2);
    assert_string_equal(w->told[0].hostname, "laptop");
    assert_int_equal(address_v4_value(&w->told[0].address), FIRST + 5);
    assert_int_equal(w->told[1].client_id_len, 13);
    assert_int_equal(take(w, 3, FIRST + 5, NULL), DHCP_NAK); /* it is someone's */
    m = message(DHCP_DISCOVER, 77); /* known by its identifier, not its MAC */
    dhcp_put(&m, DHCP_CLIENT_ID, bytes_of_text("an identifier"));
    arrive(w, &m);
    turn(w, USEC_PER_MSEC);
    assert_int_equal(w->sent[w->sent_count - 1].message.yiaddr, FIRST + 6);
    m = message(DHCP_DISCOVER, 1);
    arrive(w, &m);
    turn(w, USEC_PER_MSEC);
    assert_int_equal(w->sent[w->sent_count - 1].message.yiaddr, FIRST + 5);
    bool open = w->open;
    addresses_free(killed);
    w->open = open;
    store_close(killed_store);
    end(w);
}

static void a_restart_does_not_prolong_leases(void **state UNUSED)
{
    struct world *w = begin(true);
    serve(w, NULL);
    assert_int_equal(take(w, 1, FIRST, "one"), DHCP_ACK);
    turn(w, 1800 * USEC_PER_SEC);
    addresses_free(w->addresses);
    turn(w, 600 * USEC_PER_SEC);
    serve(w, NULL);
    w->told_count = 0;
    turn(w, 1199 * USEC_PER_SEC);
    assert_int_equal(w->told_count, 0);
    turn(w, 2 * USEC_PER_SEC);
    assert_int_equal(w->told_count, 1);
    assert_false(w->told_active[0]);
    assert_string_equal(w->told[0].hostname, "one");
    /* Expired while nobody served; remembered all the same. */
    addresses_free(w->addresses);
    turn(w, 100000 * USEC_PER_SEC);
    w->told_count = 0;
    serve(w, NULL);
    assert_int_equal(w->told_count, 0);
    struct dhcp_message m = message(DHCP_DISCOVER, 1);
    arrive(w, &m);
    turn(w, USEC_PER_MSEC);
    assert_int_equal(w->sent[w->sent_count - 1].message.yiaddr, FIRST);
    end(w);
}

static void a_released_lease_stays_released(void **state UNUSED)
{
    struct world *w = begin(true);
    serve(w, NULL);
    assert_int_equal(take(w, 1, FIRST, "one"), DHCP_ACK);
    struct dhcp_message m = message(DHCP_RELEASE, 1);
    m.ciaddr = FIRST;
    dhcp_put_u32(&m, DHCP_SERVER_ID, SERVER);
    arrive(w, &m);
    turn(w, USEC_PER_MSEC);
    assert_int_equal(w->told_count, 2);
    assert_false(w->told_active[1]);
    addresses_free(w->addresses);
    w->told_count = 0;
    serve(w, NULL);
    assert_int_equal(w->told_count, 0);
    struct lease lease;
    size_t place = 0;
    assert_false(addresses_each(w->addresses, &place, &lease));
    end(w);
}

static void rows_that_no_longer_fit_are_removed(void **state UNUSED)
{
    struct world *w = begin(true);
    serve(w, NULL);
    assert_int_equal(take(w, 1, FIRST, NULL), DHCP_ACK);
    assert_int_equal(take(w, 2, FIRST + 1, NULL), DHCP_ACK);
    assert_int_equal(store_execute(w->store,
                                   "INSERT INTO lease VALUES ('10.0.2.0/24', -1, '', '', '', 0);"
                                   "INSERT INTO lease VALUES ('10.9.9.0/24', 7, '', '', '', 0);"), 0);
    addresses_free(w->addresses);
    struct addresses_options options = usual_options(w);
    options.pool_first = address_v4(FIRST + 1);
    serve(w, &options);
    struct lease lease;
    size_t place = 0;
    assert_true(addresses_each(w->addresses, &place, &lease));
    assert_int_equal(address_v4_value(&lease.address), FIRST + 1);
    assert_int_equal(count_rows(w->store), 2); /* and the other network's, which is not ours */
    end(w);
}

static void names_are_told_when_they_change(void **state UNUSED)
{
    struct world *w = begin(false);
    serve(w, NULL);
    assert_int_equal(take(w, 1, FIRST, "one"), DHCP_ACK);
    assert_int_equal(take(w, 1, FIRST, "one"), DHCP_ACK);
    assert_int_equal(w->told_count, 1);
    assert_int_equal(take(w, 1, FIRST, "uno"), DHCP_ACK);
    assert_int_equal(w->told_count, 2);
    assert_string_equal(w->told[1].hostname, "uno");
    assert_true(w->told_active[1]);
    turn(w, 3601 * USEC_PER_SEC);
    assert_int_equal(w->told_count, 3);
    assert_false(w->told_active[2]);
    end(w);
}

static void replies_find_clients_without_an_address(void **state UNUSED)
{
    struct world *w = begin(false);
    serve(w, NULL);
    assert_int_equal(take(w, 1, FIRST, NULL), DHCP_ACK);
    const struct dgram_message *facts = &w->sent[0].facts;
    assert_true(facts->has_mac);
    assert_int_equal(facts->mac.octets[5], 1);
    assert_int_equal(address_v4_value(&facts->to.address), FIRST);
    assert_int_equal(facts->to.port, DHCP_CLIENT_PORT);
    assert_int_equal(address_v4_value(&facts->from.address), SERVER);
    assert_true(facts->has_interface);
    assert_int_equal(facts->interface, 3);
    addresses_free(w->addresses);
    struct addresses_options options = usual_options(w);
    options.interface = "eth0";
    serve(w, &options);
    assert_string_equal(w->bound.interface, "eth0");
    assert_int_equal(take(w, 2, FIRST + 1, NULL), DHCP_ACK);
    facts = &w->sent[w->sent_count - 1].facts;
    assert_false(facts->has_mac);
    assert_true(address_is_broadcast(&facts->to.address));
    w->refuse = EAGAIN;
    assert_int_equal(take(w, 3, FIRST + 2, NULL), 0);
    struct addresses_counters counters;
    addresses_counters(w->addresses, &counters);
    assert_int_equal(counters.not_sent, 1);
    end(w);
}

static void options_are_checked(void **state UNUSED)
{
    struct world *w = begin(false);
    char error[ADDRESSES_ERROR_MAX];
    struct addresses_options options = usual_options(w);
    assert_true(addresses_check(&options, error));
    struct addresses_static statics[2] = {
        {{{2, 0, 0, 0, 0, 9}}, address_v4(FIRST), "printer"},
        {{{2, 0, 0, 0, 0, 8}}, address_v4(FIRST + 1), "not a name"},
    };
    options.statics = statics;
    options.static_count = 2;
    assert_false(addresses_check(&options, error));
    assert_int_equal(addresses_new(&w->net, &options, &w->addresses), -EINVAL);
    options.static_count = 1;
    assert_true(addresses_check(&options, error));
    serve(w, &options);
    statics[0].hostname[0] = 'x'; /* they were copied */
    assert_int_equal(take(w, 9, FIRST, "ignored"), DHCP_ACK);
    assert_string_equal(w->told[0].hostname, "printer");
    addresses_free(w->addresses);
    options.pool_last = address_v4(0x0a000301);
    assert_false(addresses_check(&options, error));
    assert_non_null(strstr(error, "10.0.3.1"));
    options = usual_options(w);
    w->refuse = EADDRINUSE;
    w->addresses = NULL;
    assert_int_equal(addresses_new(&w->net, &options, &w->addresses), -EADDRINUSE);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_are_stored_before_they_are_acknowledged),
        cmocka_unit_test(what_cannot_be_stored_is_not_acknowledged),
        cmocka_unit_test(leases_survive_a_kill),
        cmocka_unit_test(a_restart_does_not_prolong_leases),
        cmocka_unit_test(a_released_lease_stays_released),
        cmocka_unit_test(rows_that_no_longer_fit_are_removed),
        cmocka_unit_test(names_are_told_when_they_change),
        cmocka_unit_test(replies_find_clients_without_an_address),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

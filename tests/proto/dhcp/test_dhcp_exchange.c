/* SPDX-License-Identifier: ISC */
/*
 * Clients and a server over a link that loses, delays, reorders and repeats, for days of virtual time;
 * storage fails at times, and the server is killed and started again from what was stored. Whatever
 * happens: no two clients use one address, and whoever uses an address has a lease at the server.
 * `test_dhcp_exchange SEED` replays one run.
 */
#include <stdio.h>

#include "proto/dhcp/dhcp_client.h"
#include "proto/dhcp/dhcp_server.h"
#include "tests/support/check.h"

#define SEC USEC_PER_SEC

enum { CLIENTS = 20, IN_FLIGHT = 512, SERVER = 0x0a000201, FIRST = 0x0a000264, POOL_MAX = 64 };

struct packet {
    usec at;
    int to; /* a client, or -1: the server */
    size_t len;
    uint8_t octets[DHCP_MESSAGE_MAX];
};

struct host {
    struct dhcp_client client;
    bool using;
    usec restart_at; /* after a release */
};

struct world {
    struct prng prng;
    usec now;
    uint32_t loss;      /* parts per million */
    uint32_t pool;
    struct dhcp_server *server;
    struct host hosts[CLIENTS];
    struct packet flying[IN_FLIGHT];
    size_t flying_count;
    struct dhcp_server_lease stored[POOL_MAX];
    bool is_stored[POOL_MAX];
    unsigned bounds, losts, restarts;
    const char *trouble;
};

static struct mac mac_of(int n)
{
    return (struct mac){{2, 0, 0, 0, 1, (uint8_t)n}};
}

static struct heap host_heap(void)
{
    static struct counting_heap counts;
    return counting_heap(&counts);
}

static void start_server(struct world *w)
{
    struct dhcp_server_options options = {
        .heap = host_heap(),
        .server = address_v4(SERVER),
        .network = {address_v4(0x0a000200), 24},
        .pool_first = address_v4(0x0a000264),
        .pool_last = address_v4(0x0a000264 + w->pool - 1),
        .lease_seconds = 600,
        .authoritative = true,
    };
    prng_fill(&w->prng, options.seed, sizeof options.seed);
    w->server = dhcp_server_new(&options, w->now);
    for (size_t i = 0; i < w->pool; i++)
        if (w->is_stored[i] && !dhcp_server_restore(w->server, &w->stored[i], w->now))
            w->trouble = "a stored lease was not restored";
}

static void start_client(struct world *w, int n)
{
    struct dhcp_client_options options = {.mac = mac_of(n)};
    options.probe = n % 3 == 0;
    options.broadcast = n % 2 == 0;
    if (prng_below(&w->prng, 2) == 0)
        options.reboot = w->hosts[n].client.lease.address;
    uint8_t seed[PRNG_SEED_LEN];
    prng_fill(&w->prng, seed, sizeof seed);
    w->hosts[n].using = false;
    w->hosts[n].restart_at = USEC_NEVER;
    dhcp_client_init(&w->hosts[n].client, &options, seed, w->now);
}

static void fly(struct world *w, int to, struct bytes octets)
{
    for (int copies = prng_below(&w->prng, 10) == 0 ? 2 : 1; copies > 0; copies--) {
        if (prng_chance(&w->prng, w->loss) || w->flying_count == IN_FLIGHT)
            continue;
        struct packet *p = &w->flying[w->flying_count++];
        p->at = w->now + 100 + (usec)prng_below(&w->prng, 50000);
        p->to = to;
        p->len = octets.len;
        memcpy(p->octets, octets.data, octets.len);
    }
}

/* The server must hold a lease for whoever uses an address, at least as long. */
static void check_client(struct world *w, int n)
{
    const struct dhcp_lease *lease = &w->hosts[n].client.lease;
    if (!w->hosts[n].using)
        return;
    for (int i = 0; i < CLIENTS; i++)
        if (i != n && w->hosts[i].using &&
            address_equal(&w->hosts[i].client.lease.address, &lease->address))
            w->trouble = "two clients use one address";
    struct dhcp_server_lease have;
    size_t place = 0;
    while (dhcp_server_each(w->server, &place, &have))
        if (address_equal(&have.address, &lease->address)) {
            struct mac mac = mac_of(n);
            if (have.offered || !mac_equal(&have.client.mac, &mac))
                w->trouble = "a client uses an address that is another's";
            if (have.expires_at < lease->expires_at)
                w->trouble = "a client believes in a lease that the server ends earlier";
            return;
        }
    w->trouble = "a client uses an address that nobody gave it";
}

static void client_did(struct world *w, int n, enum dhcp_client_event event)
{
    struct host *host = &w->hosts[n];
    switch (event) {
    case DHCP_CLIENT_PROBE:
        client_did(w, n, dhcp_client_probed(&host->client, prng_below(&w->prng, 20) == 0, w->now));
        return;
    case DHCP_CLIENT_BOUND:
        w->bounds++;
        host->using = true;
        break;
    case DHCP_CLIENT_LOST:
        w->losts++;
        host->using = false;
        break;
    case DHCP_CLIENT_RENEWED:
    case DHCP_CLIENT_NOTHING:
        break;
    }
    check_client(w, n);
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer out = writer_of(octets, sizeof octets);
    struct dhcp_client_target target;
    if (dhcp_client_next(&host->client, &target, &out))
        fly(w, -1, writer_bytes(&out));
}

static void server_did(struct world *w, const struct dhcp_server_event *event)
{
    uint32_t slot = address_v4_value(&event->lease.address) - FIRST;
    if (event->kind == DHCP_SERVER_COMMIT) {
        bool stored = prng_below(&w->prng, 30) != 0;
        if (stored) {
            w->stored[slot] = event->lease;
            w->is_stored[slot] = true;
        }
        dhcp_server_committed(w->server, event->token, stored);
    } else if (event->kind == DHCP_SERVER_ENDED) {
        w->is_stored[slot] = false;
    }
    struct dhcp_server_reply reply;
    uint8_t octets[DHCP_MESSAGE_MAX];
    for (;;) {
        struct writer out = writer_of(octets, sizeof octets);
        if (!dhcp_server_next(w->server, &reply, &out))
            break;
        for (int n = 0; n < CLIENTS; n++) { /* a hub: everybody hears everything */
            struct mac mac = mac_of(n);
            if (!reply.has_mac || mac_equal(&reply.mac, &mac))
                fly(w, n, writer_bytes(&out));
        }
    }
}

static void arrive(struct world *w, size_t at)
{
    struct packet p = w->flying[at];
    w->flying[at] = w->flying[--w->flying_count];
    if (p.to >= 0) {
        client_did(w, p.to, dhcp_client_input(&w->hosts[p.to].client, bytes_of(p.octets, p.len), w->now));
        return;
    }
    struct endpoint from = {address_any_v4(), DHCP_CLIENT_PORT};
    struct dhcp_server_event event;
    dhcp_server_input(w->server, &from, bytes_of(p.octets, p.len), w->now, &event);
    if (event.kind == DHCP_SERVER_COMMIT && prng_below(&w->prng, 200) == 0) {
        /* Killed after it stored and before it answered. */
        w->stored[address_v4_value(&event.lease.address) - FIRST] = event.lease;
        w->is_stored[address_v4_value(&event.lease.address) - FIRST] = true;
        dhcp_server_free(w->server);
        start_server(w);
        w->restarts++;
        return;
    }
    server_did(w, &event);
}

static usec next_instant(const struct world *w)
{
    usec next = dhcp_server_deadline(w->server);
    for (int n = 0; n < CLIENTS; n++) {
        next = usec_min(next, dhcp_client_deadline(&w->hosts[n].client));
        next = usec_min(next, w->hosts[n].restart_at);
    }
    for (size_t i = 0; i < w->flying_count; i++)
        next = usec_min(next, w->flying[i].at);
    return usec_max(next, w->now);
}

static void whims(struct world *w)
{
    int n = (int)prng_below(&w->prng, CLIENTS);
    switch (prng_below(&w->prng, 400)) {
    case 0:
        dhcp_client_release(&w->hosts[n].client, w->now);
        w->hosts[n].using = false;
        w->hosts[n].restart_at = w->now + (1 + (usec)prng_below(&w->prng, 2000)) * SEC;
        client_did(w, n, DHCP_CLIENT_NOTHING);
        break;
    case 1: /* switched off and on */
        start_client(w, n);
        client_did(w, n, DHCP_CLIENT_NOTHING);
        break;
    default:
        break;
    }
}

static void turn(struct world *w)
{
    w->now = next_instant(w);
    for (size_t i = 0; i < w->flying_count;)
        if (w->flying[i].at <= w->now)
            arrive(w, i);
        else
            i++;
    for (int n = 0; n < CLIENTS; n++) {
        if (w->hosts[n].restart_at <= w->now) {
            start_client(w, n);
            client_did(w, n, DHCP_CLIENT_NOTHING);
        } else if (dhcp_client_deadline(&w->hosts[n].client) <= w->now) {
            client_did(w, n, dhcp_client_tick(&w->hosts[n].client, w->now));
        }
    }
    struct dhcp_server_event event;
    while (dhcp_server_tick(w->server, w->now, &event))
        server_did(w, &event);
}

static unsigned users(const struct world *w)
{
    unsigned count = 0;
    for (int n = 0; n < CLIENTS; n++)
        count += w->hosts[n].using;
    return count;
}

static void run(uint64_t seed, uint32_t pool, uint32_t loss, struct world *w)
{
    *w = (struct world){.loss = loss, .pool = pool};
    prng_init_number(&w->prng, seed);
    start_server(w);
    for (int n = 0; n < CLIENTS; n++) {
        start_client(w, n);
        client_did(w, n, DHCP_CLIENT_NOTHING);
    }
    while (w->now < 6 * USEC_PER_HOUR && w->trouble == NULL) {
        turn(w);
        whims(w);
    }
    w->loss = 0; /* then peace */
    usec until = w->now + 2 * USEC_PER_HOUR;
    while (w->now < until && w->trouble == NULL)
        turn(w);
    if (w->trouble != NULL)
        fail_msg("seed %ju: %s at %jd s", (uintmax_t)seed, w->trouble, (intmax_t)(w->now / SEC));
    for (int n = 0; n < CLIENTS; n++)
        check_client(w, n);
    dhcp_server_free(w->server);
    assert_null(w->trouble);
}

static void everybody_gets_an_address(void **state UNUSED)
{
    struct world *w = malloc(sizeof *w);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        run(seed, 40, 200000, w);
        if (users(w) != CLIENTS)
            fail_msg("seed %ju: %u clients have an address", (uintmax_t)seed, users(w));
        assert_true(w->bounds > CLIENTS);
        assert_true(w->restarts > 0);
    }
    free(w);
}

static void a_scarce_pool_is_used_up_and_never_twice(void **state UNUSED)
{
    struct world *w = malloc(sizeof *w);
    for (uint64_t seed = 11; seed <= 14; seed++) {
        run(seed, 8, 100000, w);
        assert_in_range(users(w), 6, 8); /* up to a quarter may have been declined */
    }
    free(w);
}

static void hardly_anything_arrives(void **state UNUSED)
{
    struct world *w = malloc(sizeof *w);
    run(21, 40, 700000, w);
    assert_int_equal(users(w), CLIENTS);
    assert_true(w->losts > 0);
    free(w);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct world *w = malloc(sizeof *w);
        run(strtoull(argv[1], NULL, 10), 40, 200000, w);
        printf("%u bound, %u lost, %u restarts, %u users\n", w->bounds, w->losts, w->restarts, users(w));
        free(w);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_an_address),
        cmocka_unit_test(a_scarce_pool_is_used_up_and_never_twice),
        cmocka_unit_test(hardly_anything_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

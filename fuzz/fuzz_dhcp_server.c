/* SPDX-License-Identifier: ISC */
/*
 * The DHCP server under a script of messages, time and storage that fails. Whatever comes: replies are
 * sound, an acknowledgement never leaves before its lease is stored, no address is in two leases,
 * the gauge is right, and time goes on.
 */
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dhcp/dhcp_server.h"

enum { SERVER = 0x0a000201, FIRST = 0x0a000210, POOL = 12, TOKENS_MAX = DHCP_SERVER_OUTPUTS };

struct run {
    struct dhcp_server *server;
    struct reader script;
    usec now;
    uint32_t tokens[TOKENS_MAX]; /* leases that wait to be stored */
    size_t token_count;
};

static struct dhcp_server *server_new(usec now)
{
    static const struct dhcp_static statics[] = {
        {{{2, 0, 0, 0, 0, 1}}, {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 2, 0x12}}, "one"},
        {{{2, 0, 0, 0, 0, 2}}, {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 2, 0x40}}, ""},
    };
    struct dhcp_server_options options = {
        .heap = memory_heap(),
        .server = address_v4(SERVER),
        .network = {address_v4(0x0a000200), 24},
        .pool_first = address_v4(FIRST),
        .pool_last = address_v4(FIRST + POOL - 1),
        .dns = {address_v4(SERVER)},
        .dns_count = 1,
        .domain = "home.arpa",
        .lease_max = DHCP_INFINITY,
        .statics = statics,
        .static_count = ARRAY_LEN(statics),
        .authoritative = true,
    };
    struct dhcp_server *server = dhcp_server_new(&options, now);
    ASSERT(server != NULL);
    return server;
}

static void take_event(struct run *run, const struct dhcp_server_event *event)
{
    if (event->kind == DHCP_SERVER_NOTHING)
        return;
    ASSERT(event->lease.client.key_len > 0);
    ASSERT(memchr(event->lease.hostname, 0, sizeof event->lease.hostname) != NULL);
    if (event->kind == DHCP_SERVER_COMMIT) {
        ASSERT(run->token_count < TOKENS_MAX);
        run->tokens[run->token_count++] = event->token;
    }
}

static void input(struct run *run, struct bytes datagram)
{
    struct endpoint from = {address_any_v4(), DHCP_CLIENT_PORT};
    struct dhcp_server_event event;
    dhcp_server_input(run->server, &from, datagram, run->now, &event);
    take_event(run, &event);
}

/* A well-formed message from five octets: what random octets would hardly ever be. */
static void message(struct run *run)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    uint8_t type = read_u8(&run->script);
    uint8_t client = read_u8(&run->script);
    uint8_t parts = read_u8(&run->script);
    uint32_t address = FIRST + read_u8(&run->script) % (POOL + 3);
    uint8_t text = read_u8(&run->script);
    m.op = DHCP_BOOTREQUEST;
    m.htype = DHCP_HTYPE_ETHERNET;
    m.hlen = 6;
    m.chaddr[0] = 2;
    m.chaddr[5] = client % 20;
    m.flags = client & 0x80 ? DHCP_FLAG_BROADCAST : 0;
    m.giaddr = client & 0x40 ? 0x0a0002fe : 0;
    dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, type % 9);
    if (parts & 1)
        dhcp_put_u32(&m, DHCP_SERVER_ID, parts & 2 ? SERVER : SERVER + 7);
    if (parts & 4)
        dhcp_put_u32(&m, DHCP_REQUESTED_ADDRESS, address);
    if (parts & 8)
        m.ciaddr = address;
    if (parts & 16)
        dhcp_put_u32(&m, DHCP_LEASE_TIME, (uint32_t)text << (text & 31));
    struct bytes rest = bytes_of(run->script.next, reader_left(&run->script));
    if (parts & 32)
        dhcp_put(&m, DHCP_CLIENT_ID, bytes_first(rest, text));
    if (parts & 64)
        dhcp_put(&m, DHCP_PARAMETER_LIST, bytes_first(rest, text));
    if (parts & 128)
        dhcp_put(&m, DHCP_HOST_NAME, bytes_first(rest, text));
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    if (dhcp_encode(&m, DHCP_MESSAGE_MAX, &w) == WIRE_OK)
        input(run, writer_bytes(&w));
}

static void commit(struct run *run, uint8_t which, bool stored)
{
    if (run->token_count == 0)
        return;
    size_t at = which % run->token_count;
    uint32_t token = run->tokens[at];
    run->tokens[at] = run->tokens[--run->token_count];
    dhcp_server_committed(run->server, token, stored);
}

static void pass(struct run *run, usec duration)
{
    run->now += duration;
    struct dhcp_server_event event;
    unsigned rounds = 0;
    while (dhcp_server_deadline(run->server) <= run->now) {
        while (dhcp_server_tick(run->server, run->now, &event))
            take_event(run, &event);
        ASSERT(++rounds < 100);
    }
}

static void take_replies(struct run *run)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct dhcp_server_reply reply;
    for (;;) {
        struct writer w = writer_of(octets, sizeof octets);
        if (!dhcp_server_next(run->server, &reply, &w))
            return;
        struct dhcp_message m;
        ASSERT(dhcp_decode(writer_bytes(&w), &m) == WIRE_OK && m.op == DHCP_BOOTREPLY);
        uint8_t type = dhcp_message_type(&m);
        ASSERT(type == DHCP_OFFER || type == DHCP_ACK || type == DHCP_NAK);
        ASSERT(type != DHCP_NAK || m.yiaddr == 0);
        ASSERT(m.yiaddr == 0 || dhcp_has(&m, DHCP_LEASE_TIME));
        ASSERT(!address_is_any(&reply.to.address) && reply.to.port != 0);
    }
}

static void check(struct run *run)
{
    uint32_t seen[64];
    size_t count = 0;
    size_t bound = 0;
    size_t place = 0;
    struct dhcp_server_lease lease;
    while (dhcp_server_each(run->server, &place, &lease)) {
        uint32_t address = address_v4_value(&lease.address);
        for (size_t i = 0; i < count; i++)
            ASSERT(seen[i] != address);
        seen[count++] = address;
        bound += !lease.offered;
    }
    struct dhcp_server_counters counters;
    dhcp_server_counters(run->server, &counters);
    ASSERT(counters.leases == bound);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct run run = {.script = reader_of(bytes_of(data, len)), .now = 1000};
    run.server = server_new(run.now);
    while (!run.script.failed && reader_left(&run.script) > 0) {
        uint8_t op = read_u8(&run.script);
        switch (op % 8) {
        case 0: {
            size_t size = (size_t)read_u8(&run.script) * 4;
            input(&run, bytes_first(bytes_of(run.script.next, reader_left(&run.script)), size));
            read_skip(&run.script, size < reader_left(&run.script) ? size : 0);
            break;
        }
        case 1:
            pass(&run, (usec)op * op * USEC_PER_SEC / 8);
            break;
        case 2:
            commit(&run, op / 8, op < 200);
            break;
        case 3:
            take_replies(&run);
            break;
        default:
            message(&run);
            if (op % 2 == 0)
                commit(&run, 0, true);
            break;
        }
        check(&run);
    }
    while (run.token_count > 0)
        commit(&run, 0, true);
    take_replies(&run);
    check(&run);
    dhcp_server_free(run.server);
    return 0;
}

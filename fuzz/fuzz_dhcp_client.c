/* SPDX-License-Identifier: ISC */
/*
 * The DHCP client under a script of answers and time. Whatever comes: what it sends is sound, it is
 * told of a lease before it is told of its loss, a bound client's lease has not run out, and time
 * goes on.
 */
#include "fuzz/fuzz.h"
#include "proto/dhcp/dhcp_client.h"

struct run {
    struct dhcp_client client;
    struct reader script;
    usec now;
    bool using;
    uint32_t xid; /* of the last message */
};

static void take_event(struct run *run, enum dhcp_client_event event)
{
    switch (event) {
    case DHCP_CLIENT_NOTHING:
        break;
    case DHCP_CLIENT_PROBE:
        ASSERT(!run->using && run->client.state == DHCP_CLIENT_PROBING);
        break;
    case DHCP_CLIENT_BOUND:
        ASSERT(!run->using);
        run->using = true;
        break;
    case DHCP_CLIENT_RENEWED:
        ASSERT(run->using);
        break;
    case DHCP_CLIENT_LOST:
        ASSERT(run->using);
        run->using = false;
        break;
    }
    uint8_t octets[DHCP_MESSAGE_DEFAULT];
    struct writer w = writer_of(octets, sizeof octets);
    struct dhcp_client_target target;
    if (!dhcp_client_next(&run->client, &target, &w))
        return;
    struct dhcp_message m;
    ASSERT(dhcp_decode(writer_bytes(&w), &m) == WIRE_OK && m.op == DHCP_BOOTREQUEST);
    ASSERT(dhcp_message_type(&m) != DHCP_NO_TYPE && !m.overflow);
    ASSERT(address_is_any(&target.from) == (m.ciaddr == 0));
    run->xid = m.xid;
}

static void answer(struct run *run)
{
    struct dhcp_message m;
    dhcp_message_init(&m);
    uint8_t type = read_u8(&run->script);
    uint8_t parts = read_u8(&run->script);
    uint8_t code = read_u8(&run->script);
    uint32_t number = read_u32(&run->script);
    m.op = DHCP_BOOTREPLY;
    m.htype = DHCP_HTYPE_ETHERNET;
    m.hlen = 6;
    m.xid = run->xid;
    m.chaddr[0] = 2;
    m.yiaddr = parts & 1 ? number : 0x0a000205;
    dhcp_put_u8(&m, DHCP_MESSAGE_TYPE, type % 9);
    if (!(parts & 2))
        dhcp_put_u32(&m, DHCP_SERVER_ID, parts & 4 ? number : 0x0a000201);
    if (!(parts & 8))
        dhcp_put_u32(&m, DHCP_LEASE_TIME, parts & 16 ? number : 3600);
    if (parts & 32) {
        dhcp_put_u32(&m, DHCP_T1, number & 0xffff);
        dhcp_put_u32(&m, DHCP_T2, number >> 16);
    }
    if (code != DHCP_PAD && code != DHCP_END && code != DHCP_OVERLOAD && !dhcp_has(&m, code)) {
        uint8_t len = read_u8(&run->script);
        dhcp_put(&m, code, bytes_first(bytes_of(run->script.next, reader_left(&run->script)), len));
    }
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    if (dhcp_encode(&m, DHCP_MESSAGE_MAX, &w) == WIRE_OK)
        take_event(run, dhcp_client_input(&run->client, writer_bytes(&w), run->now));
}

static void pass(struct run *run, usec duration)
{
    usec until = run->now + duration;
    unsigned ticks = 0;
    usec deadline;
    while ((deadline = dhcp_client_deadline(&run->client)) <= until && ticks < 200) {
        run->now = usec_max(run->now, deadline);
        take_event(run, dhcp_client_tick(&run->client, run->now));
        ticks++;
    }
    /* Never more than one message a second, but for the few states that follow each other at once. */
    ASSERT(ticks < 8 + (unsigned)(duration / USEC_PER_SEC) * 4 || ticks == 200);
    run->now = usec_max(run->now, ticks == 200 ? run->now : until);
    if (ticks < 200)
        ASSERT(!run->using || run->client.lease.expires_at > run->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct run run = {.script = reader_of(bytes_of(data, len)), .now = USEC_PER_SEC};
    uint8_t flags = read_u8(&run.script);
    struct dhcp_client_options options = {.mac = {{2}}, .probe = flags & 1, .broadcast = flags & 2};
    if (flags & 4)
        options.reboot = address_v4(0x0a000205);
    if (flags & 8)
        options.start_delay = 10 * USEC_PER_SEC;
    uint8_t seed[PRNG_SEED_LEN] = {flags};
    dhcp_client_init(&run.client, &options, seed, run.now);
    take_event(&run, DHCP_CLIENT_NOTHING);
    while (!run.script.failed && reader_left(&run.script) > 0) {
        uint8_t op = read_u8(&run.script);
        switch (op % 8) {
        case 0: {
            struct bytes rest = bytes_of(run.script.next, reader_left(&run.script));
            struct bytes datagram = bytes_first(rest, (size_t)op * 4);
            read_skip(&run.script, datagram.len);
            take_event(&run, dhcp_client_input(&run.client, datagram, run.now));
            break;
        }
        case 1:
            pass(&run, (usec)op * op * USEC_PER_SEC / 8);
            break;
        case 2:
            take_event(&run, dhcp_client_probed(&run.client, op & 64, run.now));
            break;
        case 3:
            if (op > 200) {
                dhcp_client_release(&run.client, run.now);
                run.using = false;
                take_event(&run, DHCP_CLIENT_NOTHING);
            }
            break;
        default:
            answer(&run);
            break;
        }
    }
    return 0;
}

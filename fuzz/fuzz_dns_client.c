/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dns_client.c - any datagrams and any passing of time into a client: it ends, it never believes
 * an answer whose question is not its own, and its deadlines are never in the past.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/dns_client.h"

static struct dns_client_options options(void)
{
    struct dns_client_options o = {.flags = DNS_RD, .stream_wanted = true};
    o.question.type = DNS_A;
    o.question.class = DNS_IN;
    ASSERT(dns_name_parse(bytes_of_text("www.example"), NULL, &o.question.name));
    return o;
}

/* The datagram as it was given, or with what a forger must guess put right. */
static struct bytes dress(struct bytes in, const struct dns_client *client, uint8_t how,
                          uint8_t buffer[512])
{
    struct writer w = writer_of(buffer, 512);
    write_bytes(&w, bytes_first(in, 500));
    if ((how & 1) != 0 && writer_len(&w) >= 4) {
        write_u16_at(&w, 0, client->id);
        buffer[2] |= 0x80;
    }
    if ((how & 2) != 0 && writer_len(&w) >= (size_t)DNS_HEADER_LEN + client->sent.len)
        memcpy(buffer + DNS_HEADER_LEN, client->sent.octets, client->sent.len);
    return writer_bytes(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    struct dns_servers servers = {.count = 1 + read_u8(&r) % DNS_SERVERS_MAX};
    for (size_t i = 0; i < servers.count; i++)
        servers.list[i].endpoint = (struct endpoint){address_v4(0x0a000001 + (uint32_t)i), 53};
    struct prng prng;
    prng_init_number(&prng, 1);
    struct dns_client client;
    struct dns_client_options asked = options();
    dns_client_init(&client, &asked, 0);
    usec now = 0;
    for (int steps = 0; steps < 1000; steps++) {
        if (client.state == DNS_CLIENT_DONE || client.state == DNS_CLIENT_FAILED)
            return 0;
        uint8_t query[DNS_CLIENT_QUERY_MAX];
        struct dns_client_send send;
        if (client.state == DNS_CLIENT_READY)
            dns_client_send(&client, &servers, &prng, now, query, &send);
        ASSERT(client.state == DNS_CLIENT_WAITING && dns_client_deadline(&client) > now);
        uint8_t step = read_u8(&r);
        if (reader_left(&r) == 0 || step < 16) {
            now = dns_client_deadline(&client);
            dns_client_tick(&client, &servers, now);
            continue;
        }
        if (step < 32) {
            dns_client_broken(&client, &servers, now);
            continue;
        }
        uint8_t buffer[512];
        struct dns_summary summary;
        uint8_t size = read_u8(&r);
        struct bytes rest = {r.next, reader_left(&r)};
        struct bytes in = dress(bytes_first(rest, size), &client, step, buffer);
        read_skip(&r, bytes_first(rest, size).len);
        struct endpoint from = servers.list[client.server].endpoint;
        if (dns_client_input(&client, &servers, &from, in, now, &summary)) {
            ASSERT(client.state == DNS_CLIENT_DONE && summary.header.id == client.id);
            ASSERT(dns_name_equal(&summary.question.name, &asked.question.name));
            ASSERT(client.sent_plain || dns_name_same(&summary.question.name, &client.sent));
        }
    }
    ASSERT(!"a question ends");
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * fuzz_stub.c - any answers and any passing of time into a host's resolver, and any hosts file: it ends, and what
 * it has found are as many addresses as it may keep.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/hosts_file.h"
#include "proto/dns/stub.h"

/* A reply that is ours as far as a forger must guess; the rest is the fuzzer's. */
static struct bytes dress(struct bytes in, const struct dns_client *client, uint8_t buffer[600])
{
    struct writer w = writer_of(buffer, 600);
    write_u16(&w, client->id);
    write_u16(&w, DNS_QR | DNS_RD | DNS_RA | (in.len > 0 && in.data[0] > 240 ? DNS_NXDOMAIN : 0));
    write_u16(&w, 1);
    write_u16(&w, in.len > 1 ? in.data[1] % 8 : 0);
    write_u16(&w, 0);
    write_u16(&w, 0);
    dns_name_write(&w, &client->sent);
    write_u16(&w, client->options.question.type);
    write_u16(&w, DNS_IN);
    write_bytes(&w, bytes_first(bytes_after(in, 2), writer_room(&w)));
    return writer_bytes(&w);
}

static void read_hosts(struct bytes content)
{
    struct hosts_line line;
    while (hosts_next(&content, &line))
        ASSERT(hosts_has(&line, line.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    struct resolv_conf conf;
    struct prng prng;
    static struct stub stub;
    usec now = 0;
    read_hosts(bytes_of(data, len));
    resolv_conf_init(&conf);
    resolv_conf_parse(bytes_of_text("nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch a.test b.test"),
                      &conf);
    conf.single_request = (read_u8(&r) & 1) != 0;
    prng_init_number(&prng, 1);
    stub_start(&stub, &conf, bytes_of_text("www"), true, true, 0, now);
    for (int steps = 0; steps < 2000; steps++) {
        uint8_t query[DNS_CLIENT_QUERY_MAX], buffer[600];
        struct dns_client_send send;
        size_t question;
        while (stub_next(&stub, &prng, now, query, &question, &send))
            ASSERT(stub_waits(&stub, question) && stub_deadline(&stub) > now);
        if (stub_finished(&stub)) {
            ASSERT(stub.address_count <= STUB_ADDRESSES_MAX);
            ASSERT((stub.result == STUB_FOUND) == (stub.address_count > 0));
            return 0;
        }
        uint8_t step = read_u8(&r);
        size_t which = step & 1;
        if (reader_left(&r) == 0 || step < 16 || !stub_waits(&stub, which)) {
            now = stub_deadline(&stub);
            ASSERT(now != USEC_NEVER);
            stub_tick(&stub, now);
            continue;
        }
        const struct dns_client *client = &stub.questions[which].client;
        struct bytes in = read_bytes(&r, reader_left(&r) < step ? reader_left(&r) : step);
        stub_input(&stub, which, &stub.servers.list[client->server].endpoint,
                   dress(in, client, buffer), now);
    }
    ASSERT(!"a name is found or not");
    return 0;
}

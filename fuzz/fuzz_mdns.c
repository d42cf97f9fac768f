/* SPDX-License-Identifier: ISC */
/*
 * fuzz_mdns.c - any messages and any passing of time into a host that has a name and a service, and asks:
 * it always comes to rest, all it says can be read, and its tables keep their bounds.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/mdns.h"

enum { TURN_MAX = 2000 };

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    ASSERT(dns_name_parse(bytes_of_text(text), NULL, &name));
    return name;
}

static struct mdns *make_host(struct prng *prng)
{
    struct heap heap = memory_heap();
    struct mdns *m = mdns_new(&heap, prng, 0);
    ASSERT(m != NULL);
    struct dns_name foo = name_of("foo.local"), bar = name_of("bar.local"),
                    type = name_of("_ipp._tcp.local");
    struct ip_prefix address = {address_v4(0xc0000201), 24};
    mdns_set_addresses(m, &address, 1);
    int host = mdns_add_name(m, &foo, MDNS_STYLE_HOST, 0);
    struct mdns_record a = {.type = DNS_A, .ttl = MDNS_TTL_HOST, .rdata = bytes_of("\xc0\0\2\1", 4)};
    struct mdns_service service = {bytes_of_text("Web"), bytes_of_text("_ipp._tcp"), 631, bytes_empty()};
    ASSERT(host >= 0 && mdns_add_record(m, host, &a, 0));
    ASSERT(mdns_add_service(m, host, &service, 0) >= 0);
    ASSERT(mdns_ask(m, &bar, DNS_ANY, 0) != 0 && mdns_ask(m, &type, DNS_PTR, 0) != 0);
    return m;
}

static void check_message(struct bytes message)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    ASSERT(dns_cursor_start(&cursor, message) == WIRE_OK);
    while (dns_cursor_record(&cursor, &rr))
        continue;
    ASSERT(!cursor.reader.failed && reader_left(&cursor.reader) == 0);
}

static void turn(struct mdns *m, usec now)
{
    static uint8_t buffer[MDNS_MESSAGE_MAX];
    struct mdns_output out;
    struct mdns_event event;
    for (int i = 0; mdns_next(m, now, buffer, &out); i++) {
        ASSERT(i < TURN_MAX);
        check_message(out.message);
        /* What comes back to us is not another's. */
        struct mdns_input in = {{address_v4(0xc0000201), MDNS_PORT}, out.multicast, out.message};
        uint8_t copy[MDNS_MESSAGE_MAX];
        memcpy(copy, out.message.data, out.message.len);
        in.message = bytes_of(copy, out.message.len);
        mdns_input(m, &in, now);
    }
    for (int i = 0; mdns_next_event(m, &event); i++)
        ASSERT(i < TURN_MAX);
    ASSERT(mdns_deadline(m) > now);
}

static void look(struct mdns *m, usec now)
{
    struct dns_question question = {name_of("bar.local"), DNS_ANY, DNS_IN};
    const void *place = NULL;
    struct mdns_answer answer;
    struct mdns_counters counters;
    for (int i = 0; mdns_each_answer(m, &question, now, &place, &answer); i++)
        ASSERT(i <= MDNS_CACHE_MAX && dns_rdata_valid(answer.type, answer.rdata));
    (void)mdns_denied(m, &question);
    mdns_counters(m, &counters);
    ASSERT(counters.cached <= MDNS_CACHE_MAX);
}

/* Steps of an octet that says what: time passes, or a message of so many octets from somebody. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    struct prng prng;
    prng_init_number(&prng, 1);
    struct mdns *m = make_host(&prng);
    usec now = 0;
    turn(m, now);
    while (reader_left(&r) > 0) {
        uint8_t step = read_u8(&r);
        if (step < 64) {
            now = mdns_deadline(m) != USEC_NEVER ? usec_min(mdns_deadline(m), now + USEC_PER_HOUR)
                                                  : now + USEC_PER_SEC;
        } else {
            size_t size = read_u8(&r) | (step & 1 ? 256u : 0);
            struct bytes rest = {r.next, reader_left(&r)};
            struct mdns_input in = {{address_v4(0xc0000200u | (step >> 4 & 3) << 4 | 2),
                                     step & 4 ? 40000 : MDNS_PORT},
                                    (step & 2) == 0,
                                    bytes_first(rest, size)};
            read_skip(&r, in.message.len);
            mdns_input(m, &in, now);
        }
        turn(m, now);
    }
    look(m, now);
    mdns_withdraw(m, now);
    turn(m, now);
    mdns_free(m);
    return 0;
}

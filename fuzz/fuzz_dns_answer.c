/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dns_answer.c - any datagram into the answering core: replies can be read, carry the query's
 * id, and keep to its size; one that is taken up again later is the same. Whoever asks for a zone gets
 * messages that can be read, too.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/answer.h"
#include "proto/dns/zone_history.h"
#include "proto/dns/zone_transfer.h"

static const char *const lines[] = {
    "a. SOA ns.a. h.a. 1 2 3 4 5",      "a. NS ns.a.",        "ns.a. A 192.0.2.1",
    "w.a. CNAME ns.a.",                 "o.a. CNAME x.b.",    "*.i.a. TXT \"wild\"",
    "l.a. CNAME l.a.",                  "d.a. DNAME a.",      "s.a. NS ns.s.a.",
    "ns.s.a. AAAA 2001:db8::1",         "m.a. MX 1 ns.a.",    "m.a. MX 2 many.a.",
    "h.a. HTTPS 1 . alpn=h2",           "q.a. NAPTR 1 1 S x y ns.a.",
    "n. SOA . . 1 2 3 4 5",             "n. NSEC x.n. SOA NSEC",
    "x.n. NSEC n. NS NSEC",             "x.n. NS ns.a.",
    "*.w.n. TXT y",                     "3. SOA . . 1 2 3 4 5",
    "3. NSEC3PARAM 1 0 1 00",           "d.3. NS ns.a.",
    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.3. NSEC3 1 0 1 00 q04jkcevqvmu85r014c7dkba38o0ji5r A",
    "q04jkcevqvmu85r014c7dkba38o0ji5r.3. NSEC3 1 0 1 00 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A",
};

/* Two versions more, so that there is a difference to tell. */
static void add_history(struct zone_set *zones)
{
    static const char *const changes[][2] = {
        {NULL, "x.a. 60 A 192.0.2.8"},
        {"x.a. 60 A 192.0.2.8", "y.a. 60 NS ns.a."},
    };
    struct heap heap = memory_heap();
    struct dns_name name;
    ASSERT(dns_name_parse(bytes_of_text("a"), NULL, &name));
    struct zone *zone = zone_set_get(zones, &name);
    zone->history = zone_history_new(&heap, 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct zone_change change;
        uint32_t serial = zone_serial(zone);
        zone_change_init(&change, &heap, 1 << 16);
        for (unsigned side = 0; side < 2; side++)
            for (unsigned part = 0; part < 2; part++) {
                char line[100], reason[100];
                uint8_t rdata[512];
                struct dns_error error = dns_error_of(reason, sizeof reason);
                struct writer w = writer_of(rdata, sizeof rdata);
                struct dns_line_context context = {.ttl = 60};
                struct dns_record record;
                const char *text = changes[i][side];
                if (part > 0 && text == NULL)
                    continue;
                struct text t = text_of(line, sizeof line);
                if (part == 0)
                    text_add_format(&t, "a. 60 SOA ns.a. h.a. %u 2 3 4 5",
                                    side == 0 ? (unsigned)serial : 1000 + (unsigned)i);
                else
                    text_add(&t, text);
                ASSERT(dns_record_parse(text_bytes(&t), &context, &w, &record, &error));
                ASSERT(zone_change_add(&change, side == 0 ? ZONE_REMOVED : ZONE_ADDED, &record) == ZONE_OK);
            }
        ASSERT(zone_change_commit(zones, zone, &change) == ZONE_OK);
        zone_change_done(&change);
    }
}

static struct zone_set *make_zones(void)
{
    struct heap heap = memory_heap();
    struct zone_set *zones = zone_set_new(&heap, 1000);
    ASSERT(zones != NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines) + 60; i++) {
        char line[128];
        char reason[100];
        uint8_t rdata[512];
        struct text text = text_of(line, sizeof line);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_line_context context = {.ttl = 60};
        struct dns_record record;
        if (i < ARRAY_LEN(lines))
            text_add(&text, lines[i]);
        else
            text_add_format(&text, "many.a. A 192.0.2.%zu", i);
        ASSERT(dns_record_parse(text_bytes(&text), &context, &w, &record, &error));
        ASSERT(zone_add(zones, &record) == ZONE_OK);
    }
    add_history(zones);
    return zones;
}

/* Not SHA-1, but as good at finding places. */
static void mix(void *self, struct bytes first, struct bytes second, uint8_t out[DNS_NSEC3_HASH_LEN])
{
    static const struct siphash_key key = {3, 5};
    (void)self;
    for (size_t i = 0; i < DNS_NSEC3_HASH_LEN; i++)
        out[i] = (uint8_t)(siphash24(&key, i % 2 == 0 ? first : second) >> i);
}

/* Signatures that are always right when they are zeros. */
static void *mac_start(void *self, unsigned sha, struct bytes secret)
{
    static int something;
    (void)self;
    (void)sha;
    (void)secret;
    return &something;
}

static void mac_add(void *hmac, struct bytes octets)
{
    (void)hmac;
    (void)octets;
}

static size_t mac_end(void *hmac, uint8_t out[TSIG_MAC_MAX])
{
    (void)hmac;
    memset(out, 0, TSIG_MAC_MAX);
    return TSIG_MAC_MAX;
}

static const struct tsig_keys *make_keys(void)
{
    static struct tsig_keys keys = {.hmac = {mac_start, mac_add, mac_end, NULL}, .count = 1};
    ASSERT(tsig_key_parse(bytes_of_text("k:c2VjcmV0"), &keys.keys[0]));
    return &keys;
}

static void check_reply(struct bytes reply, struct bytes query, size_t limit)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    ASSERT(reply.len <= limit);
    ASSERT(dns_cursor_start(&cursor, reply) == WIRE_OK);
    ASSERT(memcmp(reply.data, query.data, 2) == 0);
    ASSERT((cursor.header.flags & DNS_QR) != 0);
    ASSERT(cursor.header.counts[DNS_QUESTION] <= 1);
    while (dns_cursor_record(&cursor, &rr))
        continue;
    ASSERT(!cursor.reader.failed && reader_left(&cursor.reader) == 0);
}

/* Who asks for a zone, or for what is new in it, gets messages that can be read, to the end. */
static void check_transfer(const struct answer_options *options, const struct answer_result *result,
                           struct bytes query, uint8_t *buffer)
{
    uint16_t type = result->query.question.type;
    struct zone_transfer t;
    struct bytes reply;
    enum transfer_status status = TRANSFER_MORE;
    if (result->rcode != DNS_REFUSED || (type != DNS_AXFR && type != DNS_IXFR) ||
        result->query.question.class != DNS_IN)
        return;
    if (!result->query.path.stream) {
        if (transfer_datagram(options, &result->query, query, buffer, &reply) == DNS_NOERROR)
            check_reply(reply, query, result->query.limit);
        return;
    }
    if (transfer_start(&t, options, &result->query, query) != DNS_NOERROR)
        return;
    for (unsigned i = 0; status == TRANSFER_MORE; i++) {
        ASSERT(i < 10);
        status = transfer_next(&t, 0x60000000, buffer, &reply);
        ASSERT(status != TRANSFER_BROKEN);
        check_reply(reply, query, TRANSFER_MESSAGE_MAX);
    }
    transfer_end(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct zone_set *zones;
    static uint8_t reply_buffer[DNS_MESSAGE_MAX];
    static const struct cookie_secrets secrets = {.active = {1, 2}};
    static const struct dns_sha1 sha1 = {mix, NULL};
    if (zones == NULL)
        zones = make_zones();
    /* The first octet: how it came, and how much of the rest is the query. */
    if (len == 0)
        return 0;
    struct bytes all = bytes_of(data + 1, len - 1);
    struct answer_path path = {.stream = (data[0] & 1) != 0, .size_max = DNS_UDP_SIZE_DEFAULT,
                               .now = 0x60000000};
    struct answer_options options = {.zones = zones, .recursion_available = (data[0] & 2) != 0,
                                     .minimal = (data[0] & 8) != 0,
                                     .cookies_required = (data[0] & 16) != 0,
                                     .version = "v",
                                     .identity = "a name server that is fuzzed",
                                     .cookies = &secrets,
                                     .sha1 = &sha1,
                                     .keys = (data[0] & 32) != 0 ? make_keys() : NULL};
    struct answer_result result;
    struct bytes query = bytes_first(all, (data[0] & 4) != 0 ? all.len : data[0] / 2u);
    answer(&options, query, &path, reply_buffer, &result);
    if (result.verdict == ANSWER_REPLY)
        check_reply(result.reply, query, path.stream ? DNS_MESSAGE_MAX : path.size_max);
    if (result.verdict == ANSWER_REPLY)
        check_transfer(&options, &result, query, reply_buffer);
    if (result.verdict != ANSWER_ELSEWHERE)
        return 0;
    static uint8_t later_buffer[DNS_MESSAGE_MAX];
    struct answer_work later;
    ASSERT(answer_resume(&later, &options, &result.query, &result.work.target, later_buffer));
    struct bytes partial = answer_partial(&result.work, DNS_REFUSED);
    check_reply(partial, query, result.query.limit);
    ASSERT(bytes_equal(answer_partial(&later, DNS_REFUSED), partial));
    return 0;
}

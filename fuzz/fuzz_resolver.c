/* SPDX-License-Identifier: ISC */
/*
 * fuzz_resolver.c - servers whose answers are any octets: a few questions are asked, and all end,
 * within the bounds on queries and time; no name outside of what a server may speak of gets in.
 */
#include <stdlib.h>

#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/resolver.h"

enum { STEPS_MAX = 4000, QUESTIONS = 4 };

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    (void)self;
    (void)old_size;
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

/* Signatures are right, and keys are those that DS name, as it pleases the fuzzer. */
static enum validate_check verify(void *self, uint8_t algorithm, struct bytes key,
                                  struct bytes data, struct bytes signature)
{
    (void)self;
    (void)key;
    (void)data;
    return (algorithm + signature.len) % 3 != 0 ? VALIDATE_RIGHT : VALIDATE_WRONG;
}

static bool supports(void *self, uint8_t algorithm)
{
    (void)self;
    return algorithm != 0;
}

static size_t digest(void *self, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX])
{
    (void)self;
    (void)first;
    memset(out, second.len > 0 ? second.data[0] : 0, VALIDATE_DIGEST_MAX);
    return type == 2 ? 1 : 0;
}

static void sha1(void *self, struct bytes first, struct bytes second, uint8_t out[20])
{
    (void)self;
    memset(out, (int)(first.len + second.len), 20);
}

static const struct validate_crypto crypto = {verify, supports, digest, {sha1, NULL}, NULL};

/* The root's DS: of a key whose tag is that of the corpus. */
static void add_anchor(struct resolver_options *options)
{
    static const uint8_t ds[] = {0, 5, 0x04, 0x0e, 13, 2, 1};
    options->crypto = &crypto;
    options->wall_at_zero = 1782000000;
    options->anchor_count = 1;
    dns_name_root(&options->anchors[0].zone);
    options->anchors[0].ds_len = sizeof ds;
    memcpy(options->anchors[0].ds, ds, sizeof ds);
}

/* What the fuzzer has for this query, with what a forger could not guess put right, and with names
 * that point at the question so that records mean something. */
static struct bytes make_response(struct reader *r, struct bytes query, uint8_t buffer[1024])
{
    struct writer w = writer_of(buffer, 1024);
    size_t question_len = query.len - 11; /* the OPT record is the last */
    uint8_t flags = read_u8(r);
    write_bytes(&w, bytes_first(query, 2));
    write_u8(&w, 0x80 | (flags & 0x06));
    write_u8(&w, flags >> 4 & 3);
    write_u16(&w, 1);
    for (int i = 0; i < 3; i++)
        write_u16(&w, read_u8(r) % 4);
    write_bytes(&w, bytes_after(bytes_first(query, question_len), 12));
    uint8_t len = read_u8(r);
    struct bytes rest = bytes_of(r->next, reader_left(r));
    rest = bytes_first(rest, len);
    read_skip(r, rest.len);
    write_bytes(&w, rest);
    return writer_bytes(&w);
}

static const struct answer_options answering = {.recursion_available = true};
static uint8_t reply_buffer[DNS_MESSAGE_MAX];

static void check_reply(struct answer_work *work)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct bytes reply = answer_end(work);
    ASSERT(reply.len <= work->query->limit && dns_cursor_start(&cursor, reply) == WIRE_OK);
    while (dns_cursor_record(&cursor, &rr))
        continue;
    ASSERT(!cursor.reader.failed && reader_left(&cursor.reader) == 0);
}

static void ask(struct resolver *resolver, const char *text, uint16_t id, usec now)
{
    struct resolver_client client = {0};
    struct answer_work work;
    struct answer_query query = {.id = id,
                                 .flags = DNS_RD,
                                 .edns = id % 3 == 0,
                                 .dnssec_ok = id % 4 == 0,
                                 .limit = id % 5 == 0 ? DNS_UDP_SIZE_MIN : DNS_MESSAGE_MAX,
                                 .path.size_max = DNS_UDP_SIZE_DEFAULT};
    ASSERT(dns_name_parse(bytes_of_text(text), NULL, &query.question.name));
    query.question.type = id % 2 == 0 ? DNS_A : DNS_MX;
    query.question.class = DNS_IN;
    ASSERT(answer_resume(&work, &answering, &query, &query.question.name, reply_buffer));
    if (resolver_ask(resolver, &client, &work, now) == RESOLVER_ANSWERED)
        check_reply(&work);
}

struct run {
    struct reader r;
    struct resolver *resolver;
    usec now;
    unsigned queries;
};

/* Each query is answered at once with what the fuzzer says, or not at all. */
static void turn(struct run *run)
{
    static uint8_t response[1024];
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct resolver_event event;
    while (resolver_next(run->resolver, run->now, buffer, &event)) {
        if (event.kind == RESOLVER_REPLY) {
            struct answer_work work;
            ASSERT(answer_resume(&work, &answering, &event.client.query, &event.target,
                                 reply_buffer));
            resolver_fill(run->resolver, event.task, &work, run->now);
            check_reply(&work);
            continue;
        }
        if (event.kind == RESOLVER_CLOSE)
            continue;
        run->queries++;
        uint8_t what = read_u8(&run->r);
        if (reader_left(&run->r) == 0 || what < 8)
            continue; /* silence */
        if (what < 16) {
            resolver_broken(run->resolver, event.task, run->now);
            continue;
        }
        struct bytes query = event.send.message;
        if (query.len <= DNS_HEADER_LEN + 11 || query.data[11] == 0)
            continue;
        struct bytes in = make_response(&run->r, query, response);
        run->now += what;
        resolver_input(run->resolver, event.task, &event.send.server, in, run->now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[QUESTIONS] = {"www.a.b.", "x.b.", "a.b.c.d.e.f.g.", "b."};
    struct heap heap = {.resize = resize};
    struct siphash_key key = {1, 2};
    struct run run = {.r = reader_of(bytes_of(data, len))};
    struct cache_options cache_options;
    cache_options_init(&cache_options, &heap, &key);
    cache_options.octets_max = CACHE_OCTETS_MIN;
    struct cache *cache = cache_new(&cache_options);
    ASSERT(cache != NULL);
    uint8_t how = read_u8(&run.r);
    struct resolver_options options = {.heap = heap,
                                       .cache = cache,
                                       .v4 = true,
                                       .v6 = (how & 1) != 0,
                                       .minimise = (how & 2) != 0,
                                       .stale = (how & 4) != 0,
                                       .aggressive = (how & 16) != 0,
                                       .hint_count = 1};
    options.hints[0] = address_v4(0x0a000001);
    if ((how & 8) != 0)
        add_anchor(&options);
    struct prng prng;
    prng_init_number(&prng, 1);
    run.resolver = resolver_new(&options, &prng, 0);
    ASSERT(run.resolver != NULL);
    for (uint16_t i = 0; i < QUESTIONS; i++)
        ask(run.resolver, names[i], i, run.now);
    struct resolver_counters counters;
    for (int steps = 0;; steps++) {
        turn(&run);
        resolver_counters(run.resolver, &counters);
        usec deadline = resolver_deadline(run.resolver);
        if (counters.waiting == 0)
            break;
        ASSERT(steps < STEPS_MAX && deadline != USEC_NEVER);
        run.now = usec_max(run.now, deadline);
        resolver_tick(run.resolver, run.now);
    }
    ASSERT(run.queries <= QUESTIONS * 2 * RESOLVER_QUERIES_MAX);
    resolver_free(run.resolver);
    cache_free(cache);
    return 0;
}

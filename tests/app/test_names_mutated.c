/* SPDX-License-Identifier: ISC */
/*
 * test_names_mutated.c - the name service under fire over real sockets: mutated messages by UDP and TCP, and servers
 * that reply with the same, while an honest client's questions are all answered.
 *
 *      test_names_mutated [SEED]       NAMES_MUTATIONS=1000000 in the environment: so many messages
 *
 * Where it recurses, 127.0.0.1 is a root that answers for "good." and refers everything else to
 * 127.0.0.2, which is hostile: forgeries, referrals in rings, aliases that never end, streams of rubbish.
 */
#include "app/names/names.h"
#include "app/names/names_resolver.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "io/loop.h"
#include "proto/dns/dns_stream.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

enum {
    MUTATIONS = 100000,   /* of both worlds, where nothing else is asked for */
    BURST = 16,           /* datagrams between two turns of the loop: no socket overflows */
    HONEST_EVERY = 400,   /* mutated messages for one honest question */
    STREAM_EVERY = 100,   /* … for one hostile connection */
    STREAMS = 32,         /* hostile connections at a time */
    STREAM_MESSAGES = 10,
    MESSAGE_ROOM = 1400,
    ATTEMPTS = 20,        /* of an honest client, who waits as long as … */
};
#define PATIENCE (250 * USEC_PER_MSEC)

static uint64_t seed = 1;

struct scene {
    struct loop *loop;
    struct net *net;
    struct names *names;
    struct prng prng;
    struct dgram *root, *hostile; /* the servers it asks; NULL: it asks nobody */
    struct listener *rubbish;
    struct stream *rubbish_stream;
    struct dgram *attacker;
    struct stream *streams[STREAMS];
    struct dgram *client;
    struct stream *stream;        /* of the honest client */
    char reply[1000];
    bool replied;
    unsigned honest, repeated, hostile_replies, sent;
};

static const struct endpoint loopback = {{{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}}, 0};

/* ---- mutations ---- */

static void change_once(struct prng *prng, uint8_t *m, size_t *len)
{
    static const uint8_t odd[] = {0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff};
    size_t at = prng_below(prng, (uint32_t)*len);
    size_t from = prng_below(prng, (uint32_t)*len);
    size_t count = 1 + prng_below(prng, 24);
    switch (prng_below(prng, 7)) {
    case 0:
        m[at] ^= (uint8_t)(1u << prng_below(prng, 8));
        break;
    case 1:
        m[at] = odd[prng_below(prng, sizeof odd)];
        break;
    case 2:
        m[at] = (uint8_t)prng_u32(prng);
        break;
    case 3: /* cut short */
        *len = at + 1;
        break;
    case 4: /* something behind it */
        if (*len + count <= MESSAGE_ROOM) {
            prng_fill(prng, m + *len, count);
            *len += count;
        }
        break;
    case 5: /* a piece of it elsewhere */
        if (from + count <= *len && at + count <= *len)
            memmove(m + at, m + from, count);
        break;
    case 6: /* one of the counts */
        if (*len >= DNS_HEADER_LEN)
            m[5 + 2 * prng_below(prng, 4)] = (uint8_t)prng_below(prng, 4);
        break;
    }
}

static struct bytes mutate(struct prng *prng, struct bytes in, uint8_t *out)
{
    size_t len = in.len;
    memcpy(out, in.data, len);
    for (unsigned n = prng_below(prng, 5); n > 0; n--)
        change_once(prng, out, &len);
    return bytes_of(out, len);
}

/* RFC 8945 §4.2: by a key that nobody knows. */
static struct bytes add_tsig(struct bytes query, uint8_t *buffer)
{
    static const uint8_t names[] = "\3key\0\0\372\0\377\0\0\0\0\0\67\13hmac-sha256";
    struct writer w = writer_of(buffer + query.len, MESSAGE_ROOM - query.len);
    write_copy(&w, names, sizeof names);
    write_zeros(&w, 6);
    write_u16(&w, 300);
    write_u16(&w, 26);
    write_zeros(&w, 26 + 2 + 2 + 2);
    assert_false(w.failed);
    buffer[11]++;
    return bytes_of(buffer, query.len + writer_len(&w));
}

/* A sound query of one of many kinds, about names that are here or elsewhere. */
static struct bytes sound(struct prng *prng, uint8_t *buffer)
{
    static const char *const names[] = {"www.home.arpa", "home.arpa", "a.wild.test", "d.wild.test",
                                        "loop.wild.test", "x.below.wild.test", "version.bind",
                                        "1.0.0.127.in-addr.arpa", "www.bad", "a.b.c.d.worse", "."};
    static const uint16_t types[] = {DNS_A,   DNS_AAAA, DNS_SOA,  DNS_NS,   DNS_CNAME, DNS_ANY,
                                     DNS_TXT, DNS_DS,   DNS_AXFR, DNS_IXFR, DNS_PTR,   DNS_RRSIG};
    static const uint16_t flags[] = {0, DNS_RD, DNS_RD, DNS_RD | DNS_CD | DNS_AD,
                                     DNS_OPCODE_NOTIFY << 11, DNS_OPCODE_UPDATE << 11};
    static const uint8_t options[] = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, /* a cookie */
                                      0, 3,  0, 0,                         /* NSID */
                                      0, 12, 0, 3, 0, 0, 0};               /* padding */
    char elsewhere[40];
    snprintf(elsewhere, sizeof elsewhere, "n%u.bad", prng_below(prng, 100000));
    struct dns_text_query query = {
        .name = prng_below(prng, 4) == 0 ? elsewhere : names[prng_below(prng, ARRAY_LEN(names))],
        .type = types[prng_below(prng, ARRAY_LEN(types))],
        .id = (uint16_t)prng_u32(prng),
        .flags = flags[prng_below(prng, ARRAY_LEN(flags))],
        .class = prng_below(prng, 16) == 0 ? DNS_CH : DNS_IN,
        .edns = prng_below(prng, 3) != 0 ? (int)prng_below(prng, 5000) + 1 : 0,
        .dnssec_ok = prng_below(prng, 2) == 0,
    };
    if (query.edns != 0 && prng_below(prng, 2) == 0)
        query.options = bytes_of(options, sizeof options);
    struct bytes message = dns_text_query(&query, buffer, MESSAGE_ROOM);
    return prng_below(prng, 8) == 0 ? add_tsig(message, buffer) : message;
}

/* ---- the servers that it asks ---- */

static struct bytes reply_with(struct bytes query, uint16_t flags, const char *answer,
                               const char *authority, uint8_t *buffer)
{
    const char *const an[] = {answer, NULL};
    const char *const ns[] = {authority, NULL};
    return dns_text_reply(query, flags, answer != NULL ? an : NULL, authority != NULL ? ns : NULL,
                          buffer, MESSAGE_ROOM);
}

static void send_reply(struct dgram *dgram, const struct dgram_message *query, struct bytes reply)
{
    const struct dgram_message out = {.to = query->from, .payload = reply};
    (void)dgram_send(dgram, &out);
}

/* The last label, as a zone's name. */
static void top_of(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX])
{
    struct dns_name top = *name, above;
    for (dns_name_parent(&top, &above); !dns_name_is_root(&above); dns_name_parent(&top, &above))
        top = above;
    dns_name_lower(&top); /* whoever asks spells it as he likes */
    (void)dns_name_format(&top, text);
}

static bool understood(struct bytes query, struct dns_summary *out)
{
    return dns_summarise(query, out) == WIRE_OK && (out->header.flags & DNS_QR) == 0;
}

static void on_root_query(void *self UNUSED, struct dgram *dgram, const struct dgram_message *message)
{
    uint8_t buffer[MESSAGE_ROOM];
    char top[DNS_NAME_TEXT_MAX], line[DNS_NAME_TEXT_MAX + 40], name[DNS_NAME_TEXT_MAX];
    struct dns_summary summary;
    if (!understood(message->payload, &summary))
        return;
    const struct dns_question *q = &summary.question;
    top_of(&q->name, top);
    if (strcmp(top, "good.") == 0 || dns_name_is_root(&q->name)) {
        snprintf(line, sizeof line, "%s 5 A 203.0.113.9", dns_name_format(&q->name, name));
        bool has = q->type == DNS_A && q->name.len > 6;
        send_reply(dgram, message,
                   reply_with(message->payload, DNS_AA, has ? line : NULL,
                              has ? NULL : ". 60 SOA a. b. 1 3600 600 86400 60", buffer));
        return;
    }
    struct dns_builder b;
    dns_build_start(&b, buffer, sizeof buffer);
    assert_true(dns_build_question(&b, q));
    struct dns_name zone = dns_text_name(top), server;
    if (!dns_name_child(bytes_of_text("ns"), &zone, &server))
        return;
    dns_build_section(&b, DNS_AUTHORITY);
    assert_true(dns_build_record(&b, &(struct dns_build_record){&zone, DNS_NS, DNS_IN, 300,
                                                                dns_name_bytes(&server)}));
    static const uint8_t two[4] = {127, 0, 0, 2};
    dns_build_section(&b, DNS_ADDITIONAL);
    assert_true(dns_build_record(&b, &(struct dns_build_record){&server, DNS_A, DNS_IN, 300,
                                                                bytes_of(two, 4)}));
    send_reply(dgram, message, dns_build_finish(&b, summary.header.id, DNS_QR));
}

/* What a hostile server says first. */
static struct bytes hostile_reply(struct scene *s, const struct dns_summary *summary, struct bytes query,
                                  uint8_t *buffer)
{
    char line[2 * DNS_NAME_TEXT_MAX + 40], name[DNS_NAME_TEXT_MAX], top[DNS_NAME_TEXT_MAX];
    (void)dns_name_format(&summary->question.name, name);
    top_of(&summary->question.name, top);
    switch (prng_below(&s->prng, 6)) {
    case 0:
        snprintf(line, sizeof line, "%s 1 CNAME n%u.%s", name, prng_below(&s->prng, 1000), top);
        return reply_with(query, DNS_AA, line, NULL, buffer);
    case 1:
        snprintf(line, sizeof line, "%s 1 NS ns.n%u.%s", name, prng_below(&s->prng, 1000), top);
        return reply_with(query, 0, NULL, line, buffer);
    case 2:
        return reply_with(query, DNS_AA, "www.good. 86400 A 192.0.2.66", ". 86400 NS ns.bad.", buffer);
    case 3:
        return reply_with(query, (uint16_t)(DNS_AA | prng_below(&s->prng, 16)), NULL, NULL, buffer);
    case 4:
        return reply_with(query, DNS_AA | DNS_TC, NULL, NULL, buffer);
    default:
        snprintf(line, sizeof line, "%s 1 A 192.0.2.66", name);
        return reply_with(query, DNS_AA, line, NULL, buffer);
    }
}

/* Rubbish, and mostly something that ends the question. */
static void on_hostile_query(void *self, struct dgram *dgram, const struct dgram_message *message)
{
    struct scene *s = self;
    uint8_t buffer[MESSAGE_ROOM], mutated[MESSAGE_ROOM];
    struct dns_summary summary;
    if (!understood(message->payload, &summary))
        return;
    for (unsigned n = prng_below(&s->prng, 3); n > 0; n--) {
        struct bytes reply = hostile_reply(s, &summary, message->payload, buffer);
        send_reply(dgram, message, mutate(&s->prng, reply, mutated));
        s->hostile_replies++;
    }
    if (prng_below(&s->prng, 500) != 0)
        send_reply(dgram, message,
                   reply_with(message->payload, DNS_AA | DNS_NXDOMAIN, NULL, NULL, buffer));
}

static size_t on_rubbish_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct scene *s = self;
    uint8_t buffer[200];
    size_t len = 1 + prng_below(&s->prng, sizeof buffer);
    prng_fill(&s->prng, buffer, len);
    (void)stream_send(stream, bytes_of(buffer, len));
    return in.len;
}

static void on_rubbish_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    ((struct scene *)self)->rubbish_stream = NULL;
}

/* One at a time: the next ends the one before. */
static void on_rubbish_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    static const struct stream_handler handler = {.on_bytes = on_rubbish_bytes,
                                                  .on_closed = on_rubbish_closed};
    struct scene *s = self;
    if (s->rubbish_stream != NULL)
        stream_abort(s->rubbish_stream);
    s->rubbish_stream = stream;
    stream_set_handler(stream, &handler, self);
}

/* ---- the honest client ---- */

static void on_client_reply(void *self, struct dgram *dgram UNUSED,
                            const struct dgram_message *message)
{
    struct scene *s = self;
    (void)dns_text_of(message->payload, s->reply, sizeof s->reply);
    s->replied = true;
    loop_stop(s->loop);
}

static void run_for(struct scene *s, usec time)
{
    (void)loop_run_until(s->loop, loop_now(s->loop) + time);
}

/* By a datagram, again if that is lost among the others. */
static void ask(struct scene *s, const char *name, const char *want)
{
    uint8_t buffer[MESSAGE_ROOM];
    struct dns_text_query query = {.name = name, .type = DNS_A, .id = 77, .flags = DNS_RD};
    const struct dgram_message message = {
        .to = names_local(s->names),
        .payload = dns_text_query(&query, buffer, sizeof buffer),
    };
    s->replied = false;
    s->honest++;
    for (unsigned i = 0; i < ATTEMPTS && !s->replied; i++) {
        s->repeated += i > 0;
        assert_int_equal(dgram_send(s->client, &message), 0);
        usec until = loop_now(s->loop) + PATIENCE;
        while (!s->replied && loop_now(s->loop) < until)
            (void)loop_run_until(s->loop, until);
    }
    if (!s->replied || strcmp(s->reply, want) != 0)
        fail_msg("seed %llu, after %u mutations: %s: %s", (unsigned long long)seed, s->sent, name,
                 s->replied ? s->reply : "no reply");
}

static size_t on_client_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct scene *s = self;
    if (in.len < 2 || in.len < 2 + ((size_t)in.data[0] << 8 | in.data[1]))
        return 0;
    (void)dns_text_of(bytes_after(in, 2), s->reply, sizeof s->reply);
    s->replied = true;
    loop_stop(s->loop);
    return in.len;
}

static void on_client_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    ((struct scene *)self)->stream = NULL;
}

static void ask_by_stream(struct scene *s, const char *name, const char *want)
{
    static const struct stream_handler handler = {.on_bytes = on_client_bytes,
                                                  .on_closed = on_client_closed};
    uint8_t buffer[MESSAGE_ROOM], framed[MESSAGE_ROOM];
    struct dns_text_query query = {.name = name, .type = DNS_A, .id = 78, .flags = DNS_RD};
    struct endpoint to = names_local(s->names);
    struct writer w = writer_of(framed, sizeof framed);
    s->replied = false;
    s->honest++;
    assert_int_equal(net_connect(s->net, &to, NULL, &handler, s, &s->stream), 0);
    dns_stream_write(&w, dns_text_query(&query, buffer, sizeof buffer));
    assert_int_equal(stream_send(s->stream, writer_bytes(&w)), writer_len(&w));
    usec until = loop_now(s->loop) + ATTEMPTS * PATIENCE;
    while (!s->replied && s->stream != NULL && loop_now(s->loop) < until)
        (void)loop_run_until(s->loop, until);
    if (!s->replied || strcmp(s->reply, want) != 0)
        fail_msg("seed %llu, after %u mutations, by TCP: %s: %s", (unsigned long long)seed, s->sent,
                 name, s->replied ? s->reply : "no reply");
    if (s->stream != NULL)
        stream_abort(s->stream);
    s->stream = NULL;
}

static void ask_honestly(struct scene *s)
{
    char name[40], want[120];
    ask(s, "www.home.arpa", s->root != NULL
                                ? "NOERROR aa rd ra; an www.home.arpa. 60 IN A 192.0.2.1"
                                : "NOERROR aa rd; an www.home.arpa. 60 IN A 192.0.2.1");
    if (s->root != NULL) {
        snprintf(name, sizeof name, "h%u.good", s->honest);
        snprintf(want, sizeof want, "NOERROR rd ra; an %s. 5 IN A 203.0.113.9", name);
        ask(s, name, want);
    }
    if (s->honest % 4 != 0)
        return;
    ask_by_stream(s, "q.wild.test", s->root != NULL
                                        ? "NOERROR aa rd ra; an q.wild.test. 60 IN A 192.0.2.2"
                                        : "NOERROR aa rd; an q.wild.test. 60 IN A 192.0.2.2");
}

/* ---- the attackers ---- */

static size_t ignore_bytes(void *self UNUSED, struct stream *stream UNUSED, struct bytes in)
{
    return in.len;
}

static void on_attack_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    *(struct stream **)self = NULL;
}

/* Messages one after the other, some of them with a wrong length; then it stays, or ends in either way. */
static void attack_by_stream(struct scene *s)
{
    static const struct stream_handler handler = {.on_bytes = ignore_bytes,
                                                  .on_closed = on_attack_closed};
    struct stream **slot = &s->streams[prng_below(&s->prng, STREAMS)];
    struct endpoint to = names_local(s->names);
    uint8_t buffer[MESSAGE_ROOM], mutated[MESSAGE_ROOM], framed[MESSAGE_ROOM + 2];
    if (*slot != NULL)
        stream_abort(*slot);
    *slot = NULL;
    assert_int_equal(net_connect(s->net, &to, NULL, &handler, slot, slot), 0);
    for (unsigned i = 0; i < STREAM_MESSAGES; i++) {
        struct writer w = writer_of(framed, sizeof framed);
        dns_stream_write(&w, mutate(&s->prng, sound(&s->prng, buffer), mutated));
        if (prng_below(&s->prng, 10) == 0)
            framed[prng_below(&s->prng, 2)] = (uint8_t)prng_u32(&s->prng);
        (void)stream_send(*slot, writer_bytes(&w));
        s->sent++;
    }
    if (prng_below(&s->prng, 2) == 0)
        stream_finish(*slot);
}

static void attack_by_datagrams(struct scene *s)
{
    uint8_t buffer[MESSAGE_ROOM], mutated[MESSAGE_ROOM];
    for (unsigned i = 0; i < BURST; i++) {
        const struct dgram_message message = {
            .to = names_local(s->names),
            .payload = mutate(&s->prng, sound(&s->prng, buffer), mutated),
        };
        (void)dgram_send(s->attacker, &message);
        s->sent++;
    }
    run_for(s, 0);
}

/* ---- the world ---- */

static void open_servers(struct scene *s)
{
    static const struct dgram_handler root = {.on_message = on_root_query};
    static const struct dgram_handler hostile = {.on_message = on_hostile_query};
    static const struct listener_handler rubbish = {.on_accept = on_rubbish_accept};
    struct dgram_options options = {.local = loopback};
    assert_int_equal(net_bind(s->net, &options, &root, s, &s->root), 0);
    options.local = dgram_local(s->root);
    options.local.address.octets[15] = 2;
    assert_int_equal(net_bind(s->net, &options, &hostile, s, &s->hostile), 0);
    struct listen_options listen = {.local = options.local};
    assert_int_equal(net_listen(s->net, &listen, &rubbish, s, &s->rubbish), 0);
}

static void add(struct scene *s, const char *line)
{
    char error[200];
    if (names_add_record(s->names, NAMES_EVERYBODY, line, error, sizeof error) != 0)
        fail_msg("%s: %s", line, error);
}

static void begin(struct scene *s, bool recursive)
{
    static const struct dgram_handler client = {.on_message = on_client_reply};
    static const struct dgram_handler attacker = {0};
    struct dgram_options any = {.local = loopback};
    struct names_options options = {
        .listen = loopback, .domain = "home.arpa", .server_name = "ns.home.arpa"};
    struct names_recursion recursion;
    memset(s, 0, sizeof *s);
    prng_init_number(&s->prng, seed);
    s->loop = loop_new();
    assert_non_null(s->loop);
    s->net = net_kernel_new(s->loop);
    assert_non_null(s->net);
    if (recursive) {
        open_servers(s);
        names_recursion_init(&recursion);
        recursion.hint_count = 1;
        recursion.hints[0] = loopback.address;
        recursion.port = dgram_local(s->root).port;
        options.recursion = &recursion;
        options.outside = s->net;
    }
    assert_int_equal(names_new(s->net, &options, &s->names), 0);
    add(s, "www A 192.0.2.1");
    add(s, "wild.test. TXT here");
    add(s, "*.wild.test. A 192.0.2.2");
    add(s, "d.wild.test. DNAME home.arpa.");
    add(s, "loop.wild.test. CNAME loop.wild.test.");
    add(s, "below.wild.test. CNAME www.bad.");
    assert_int_equal(net_bind(s->net, &any, &client, s, &s->client), 0);
    assert_int_equal(net_bind(s->net, &any, &attacker, s, &s->attacker), 0);
}

static void end(struct scene *s)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (s->streams[i] != NULL)
            stream_abort(s->streams[i]);
    dgram_close(s->attacker);
    dgram_close(s->client);
    names_free(s->names);
    if (s->root != NULL) {
        dgram_close(s->root);
        dgram_close(s->hostile);
        listener_close(s->rubbish);
    }
    if (s->rubbish_stream != NULL)
        stream_abort(s->rubbish_stream);
    net_free(s->net);
    loop_free(s->loop);
}

static unsigned mutations(void)
{
    const char *text = getenv("NAMES_MUTATIONS");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : MUTATIONS;
}

static void stand_fire(bool recursive)
{
    struct scene s;
    struct names_counters counters;
    unsigned next_stream = 0, next_honest = 0;
    begin(&s, recursive);
    while (s.sent < mutations() / 2) {
        attack_by_datagrams(&s);
        if (s.sent >= next_stream) {
            attack_by_stream(&s);
            next_stream += STREAM_EVERY;
        }
        if (s.sent >= next_honest) {
            ask_honestly(&s);
            next_honest += HONEST_EVERY;
        }
    }
    names_counters(s.names, &counters);
    print_message("# %u mutated messages (seed %llu): %llu by UDP and %llu by TCP were queries, %llu "
                  "malformed; %u hostile replies; %u honest questions, %u of them repeated\n",
                  s.sent, (unsigned long long)seed, (unsigned long long)counters.queries_udp,
                  (unsigned long long)counters.queries_tcp, (unsigned long long)counters.malformed,
                  s.hostile_replies, s.honest, s.repeated);
    assert_true(counters.queries_udp > s.sent / 4 && counters.queries_tcp > s.sent / 100);
    assert_true(counters.malformed > s.sent / 100);
    assert_true(!recursive || s.hostile_replies > s.sent / 100);
    end(&s);
}

static void an_authority_under_fire(void **state UNUSED)
{
    stand_fire(false);
}

static void a_resolver_between_two_fires(void **state UNUSED)
{
    stand_fire(true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_under_fire),
        cmocka_unit_test(a_resolver_between_two_fires),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * test_names.c - the name service over the host's loopback, with a client and an upstream server
 * that live in this file.
 */
#include "app/names/names.h"
#include "app/names/names_resolver.h"

#include <errno.h>
#include <stdio.h>

#include "io/loop.h"
#include "proto/dns/dns_stream.h"
#include "proto/dns/zone_history.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define WAIT (3 * USEC_PER_SEC)

/* An upstream server: replies as it is told to. */
struct upstream {
    struct scene *scene;
    struct dgram *dgram;
    struct listener *listener;
    const char *const *answer;
    uint16_t flags;
    bool silent;
    bool truncates;  /* by UDP; over TCP the answer comes */
    bool forges;     /* sends wrong replies before the right one */
    unsigned asked;
    unsigned asked_tcp;
    uint16_t ports[8];  /* where queries came from */
    struct stream *stream;
};

struct scene {
    struct loop *loop;
    struct net *net;
    struct names *names;
    struct upstream upstream;
    struct dgram *client;
    uint8_t reply[DNS_MESSAGE_MAX];
    size_t reply_len;
    unsigned replies;
    unsigned want;
    /* over TCP */
    uint8_t received[65536];
    size_t received_len;
    bool closed;
};


/* Turns the loop until so many replies are there. */
static bool wait_for(struct scene *s, unsigned replies)
{
    s->want = replies;
    usec deadline = loop_now(s->loop) + WAIT;
    if (s->replies < replies)
        (void)loop_run_until(s->loop, deadline);
    return s->replies >= replies;
}

static void upstream_reply(struct upstream *u, struct bytes query, bool stream, uint8_t *buffer,
                           struct bytes *out)
{
    uint16_t flags = (uint16_t)(DNS_RA | u->flags);
    bool truncate = u->truncates && !stream;
    if (truncate)
        flags |= DNS_TC;
    *out = dns_text_reply(query, flags, truncate ? NULL : u->answer, NULL, buffer, 4096);
}

static void on_upstream_query(void *self, struct dgram *dgram, const struct dgram_message *message)
{
    struct upstream *u = self;
    uint8_t buffer[4096];
    struct bytes reply;
    if (u->asked < ARRAY_LEN(u->ports))
        u->ports[u->asked] = message->from.port;
    u->asked++;
    if (u->silent)
        return;
    upstream_reply(u, message->payload, false, buffer, &reply);
    struct dgram_message out = {.to = message->from, .payload = reply};
    if (u->forges) {
        buffer[0] ^= 0xff;
        assert_int_equal(dgram_send(dgram, &out), 0);
        buffer[0] ^= 0xff;
        buffer[13] ^= 1;
        assert_int_equal(dgram_send(dgram, &out), 0);
        buffer[13] ^= 1;
        assert_int_equal(dgram_send(u->scene->client, &out), 0); /* from another port */
    }
    assert_int_equal(dgram_send(dgram, &out), 0);
}

static size_t on_upstream_bytes(void *self, struct stream *stream, struct bytes in)
{
    struct upstream *u = self;
    uint8_t buffer[4096];
    uint8_t framed[4098];
    struct bytes reply;
    if (in.len < 2 || in.len < 2 + ((size_t)in.data[0] << 8 | in.data[1]))
        return 0;
    u->asked_tcp++;
    upstream_reply(u, bytes_after(in, 2), true, buffer, &reply);
    struct writer w = writer_of(framed, sizeof framed);
    dns_stream_write(&w, reply);
    stream_send(stream, writer_bytes(&w));
    return in.len;
}

static void on_upstream_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    ((struct upstream *)self)->stream = NULL;
}

static void on_upstream_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    static const struct stream_handler handler = {.on_bytes = on_upstream_bytes,
                                                  .on_closed = on_upstream_closed};
    ((struct upstream *)self)->stream = stream;
    stream_set_handler(stream, &handler, self);
}

static void on_client_reply(void *self, struct dgram *dgram UNUSED,
                            const struct dgram_message *message)
{
    struct scene *s = self;
    if (message->from.port != names_local(s->names).port)
        return;
    memcpy(s->reply, message->payload.data, message->payload.len);
    s->reply_len = message->payload.len;
    if (++s->replies >= s->want)
        loop_stop(s->loop);
}

static const struct endpoint loopback = {{{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}}, 0};

static void open_upstream(struct scene *s)
{
    static const struct dgram_handler dgram = {.on_message = on_upstream_query};
    static const struct listener_handler listener = {.on_accept = on_upstream_accept};
    struct upstream *u = &s->upstream;
    u->scene = s;
    struct listen_options listen_options = {.local = loopback};
    assert_int_equal(net_listen(s->net, &listen_options, &listener, u, &u->listener), 0);
    struct dgram_options dgram_options = {.local = listener_local(u->listener)};
    assert_int_equal(net_bind(s->net, &dgram_options, &dgram, u, &u->dgram), 0);
}

enum world { ALONE, FORWARDING, CLOSED };

static void begin(struct scene *s, enum world world)
{
    memset(s, 0, sizeof *s);
    s->loop = loop_new();
    assert_non_null(s->loop);
    s->net = net_kernel_new(s->loop);
    assert_non_null(s->net);
    open_upstream(s);
    struct names_options options = {
        .listen = loopback,
        .domain = "home.arpa",
        .server_name = "ns.home.arpa",
        .outside = s->net,
        .closed_world = world == CLOSED,
    };
    static struct names_recursion recursion;
    struct endpoint forwarder = dgram_local(s->upstream.dgram);
    struct dns_name root;
    dns_name_root(&root);
    names_recursion_init(&recursion);
    assert_true(names_recursion_forward(&recursion, &root, &forwarder, 1));
    options.recursion = world == FORWARDING ? &recursion : NULL;
    assert_int_equal(names_new(s->net, &options, &s->names), 0);
    static const struct dgram_handler handler = {.on_message = on_client_reply};
    struct dgram_options client = {.local = loopback};
    assert_int_equal(net_bind(s->net, &client, &handler, s, &s->client), 0);
}

static void end(struct scene *s)
{
    dgram_close(s->client);
    names_free(s->names);
    dgram_close(s->upstream.dgram);
    listener_close(s->upstream.listener);
    if (s->upstream.stream != NULL)
        stream_abort(s->upstream.stream);
    net_free(s->net);
    loop_free(s->loop);
}

static void send_query(struct scene *s, const struct dns_text_query *query)
{
    uint8_t buffer[600];
    struct dgram_message message = {
        .to = names_local(s->names),
        .payload = dns_text_query(query, buffer, sizeof buffer),
    };
    assert_int_equal(dgram_send(s->client, &message), 0);
}

/* Asks for A, or the type, by UDP with RD. Returns the reply's text. */
static const char *ask_type(struct scene *s, const char *name, uint16_t type)
{
    static char text[4000];
    struct dns_text_query query = {.name = name, .type = type, .id = 77, .flags = DNS_RD};
    send_query(s, &query);
    if (!wait_for(s, s->replies + 1))
        fail_msg("no reply: %s", name);
    assert_int_equal(s->reply[0] << 8 | s->reply[1], 77);
    return dns_text_of(bytes_of(s->reply, s->reply_len), text, sizeof text);
}

static const char *ask(struct scene *s, const char *name)
{
    return ask_type(s, name, DNS_A);
}

/* The text up to the first record. */
static const char *ask_shortly(struct scene *s, const char *name, uint16_t type)
{
    static char text[100];
    snprintf(text, sizeof text, "%.99s", ask_type(s, name, type));
    text[strcspn(text, ";")] = '\0';
    return text;
}

static struct ip_address address(const char *text)
{
    struct ip_address a;
    assert_true(address_parse(bytes_of_text(text), &a));
    return a;
}

static void add_address(struct scene *s, const char *name, const char *text)
{
    struct ip_address a = address(text);
    assert_int_equal(names_add_address(s->names, name, &a, bytes_empty()), 0);
}

static void the_site_has_a_zone(void **state UNUSED)
{
    struct scene s;
    begin(&s, ALONE);
    const char *soa = ask_type(&s, "home.arpa", DNS_SOA);
    assert_memory_equal(soa, "NOERROR aa rd; an home.arpa. 60 IN SOA ns.home.arpa. "
                             "hostmaster.home.arpa. ", 74);
    assert_string_equal(ask_type(&s, "home.arpa", DNS_NS),
                        "NOERROR aa rd; an home.arpa. 60 IN NS ns.home.arpa.");
    assert_string_equal(ask_shortly(&s, "nobody.home.arpa", DNS_A), "NXDOMAIN aa rd");
    assert_string_equal(ask(&s, "www.example"), "REFUSED rd");
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_int_equal(counters.queries_udp, 4);
    assert_int_equal(counters.answered, 4);
    assert_int_equal(counters.nxdomain, 1);
    assert_int_equal(counters.refused, 1);
    end(&s);
}

static void addresses_have_names_both_ways(void **state UNUSED)
{
    struct scene s;
    begin(&s, ALONE);
    add_address(&s, "pc", "10.0.2.15");
    add_address(&s, "pc.home.arpa", "fd00::15");
    add_address(&s, "www.home.arpa.", "203.0.114.9");
    assert_string_equal(ask(&s, "pc.home.arpa"), "NOERROR aa rd; an pc.home.arpa. 60 IN A 10.0.2.15");
    assert_string_equal(ask_type(&s, "PC.home.arpa", DNS_AAAA),
                        "NOERROR aa rd; an PC.home.arpa. 60 IN AAAA fd00::15");
    assert_string_equal(ask_type(&s, "15.2.0.10.in-addr.arpa", DNS_PTR),
                        "NOERROR aa rd; an 15.2.0.10.in-addr.arpa. 60 IN PTR pc.home.arpa.");
    assert_string_equal(
        ask_type(&s, "5.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR),
        "NOERROR aa rd; an 5.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. "
        "60 IN PTR pc.home.arpa.");
    /* A public address: its own name only. */
    assert_string_equal(ask_type(&s, "9.114.0.203.in-addr.arpa", DNS_PTR),
                        "NOERROR aa rd; an 9.114.0.203.in-addr.arpa. 60 IN PTR www.home.arpa.");
    assert_string_equal(ask_type(&s, "8.114.0.203.in-addr.arpa", DNS_PTR), "REFUSED rd");

    names_remove(s.names, "pc");
    names_remove(s.names, "www");
    assert_string_equal(ask_shortly(&s, "pc.home.arpa", DNS_A), "NXDOMAIN aa rd");
    assert_string_equal(ask_shortly(&s, "15.2.0.10.in-addr.arpa", DNS_PTR), "NXDOMAIN aa rd");
    assert_string_equal(ask_type(&s, "9.114.0.203.in-addr.arpa", DNS_PTR), "REFUSED rd");
    names_remove(s.names, "home.arpa");
    assert_string_equal(ask_shortly(&s, "home.arpa", DNS_SOA), "NOERROR aa rd");
    end(&s);
}

/* RFC 4703 §5: the name says whose it is; and RFC 1995: each change is remembered. */
static void names_of_leases_are_changes_like_others(void **state UNUSED)
{
    struct scene s;
    begin(&s, ALONE);
    struct ip_address a = address("10.0.2.15");
    struct dns_name domain = dns_text_name("home.arpa");
    struct dns_name reverse = dns_text_name("10.in-addr.arpa");
    struct zone *zone = zone_set_get(names_zones(s.names, NAMES_EVERYBODY), &domain);
    struct zone *reverse_zone = zone_set_get(names_zones(s.names, NAMES_EVERYBODY), &reverse);
    uint32_t serial = zone_serial(zone);
    uint32_t reverse_serial = zone_serial(reverse_zone);
    static const uint8_t dhcid[35] = {0, 1, 1, 7};
    assert_int_equal(names_add_address(s.names, "pc", &a, bytes_of(dhcid, sizeof dhcid)), 0);
    assert_string_equal(ask_type(&s, "pc.home.arpa", DNS_DHCID),
                        "NOERROR aa rd; an pc.home.arpa. 60 IN DHCID "
                        "AAEBBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_int_equal(zone_serial(zone), serial + 1); /* both records are one change */
    names_remove(s.names, "pc");
    assert_string_equal(ask_shortly(&s, "pc.home.arpa", DNS_DHCID), "NXDOMAIN aa rd");
    assert_int_equal(zone_serial(zone), serial + 2);
    assert_int_equal(zone_serial(reverse_zone), reverse_serial + 2);
    assert_int_equal(zone->history->count, 2);
    const struct zone_change *change = zone_history_find(reverse_zone->history, reverse_serial);
    assert_int_equal(change->sides[ZONE_ADDED].count, 2);
    assert_non_null(zone_history_next(reverse_zone->history, change));
    end(&s);
}

static void names_that_are_not_the_sites_are_not_added(void **state UNUSED)
{
    struct scene s;
    begin(&s, ALONE);
    struct ip_address a = address("10.0.2.15");
    static const char *const names[] = {"www.google.com", "a.b", "pc.", "*", "*.home.arpa", "",
                                        "a..b", "pc.home.arpa.example"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        CHECK_EQUAL(names[i], names_add_address(s.names, names[i], &a, bytes_empty()), -EINVAL);
    assert_string_equal(ask_shortly(&s, "15.2.0.10.in-addr.arpa", DNS_PTR), "NXDOMAIN aa rd");
    end(&s);
}

static void records_come_as_in_a_master_file(void **state UNUSED)
{
    struct scene s;
    begin(&s, ALONE);
    char error[200] = "";
    add_address(&s, "gateway", "10.0.2.1");
    assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, "www 5m CNAME gateway", error, sizeof error), 0);
    assert_string_equal(ask(&s, "www.home.arpa"),
                        "NOERROR aa rd; an www.home.arpa. 300 IN CNAME gateway.home.arpa.; an "
                        "gateway.home.arpa. 60 IN A 10.0.2.1");
    /* A name of the outside world is ours from there down. */
    assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, "api.example.com. A 10.0.2.9", error, 200), 0);
    assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, "*.wild.example.com. A 10.0.2.8", error, 200), 0);
    assert_string_equal(ask(&s, "api.example.com"), "NOERROR aa rd; an api.example.com. 60 IN A 10.0.2.9");
    assert_string_equal(ask(&s, "x.wild.example.com"),
                        "NOERROR aa rd; an x.wild.example.com. 60 IN A 10.0.2.8");
    assert_string_equal(ask_shortly(&s, "x.api.example.com", DNS_A), "NXDOMAIN aa rd");
    assert_string_equal(ask(&s, "example.com"), "REFUSED rd");

    static const struct {
        const char *line;
        const char *error;
    } wrong[] = {
        {"www A 10.0.2.3", "a CNAME must be the only record of its name"},
        {"mail A 10.0.2", "not an IPv4 address: \"10.0.2\""},
        {"alias.example.com. CNAME x.", "a CNAME cannot be where a zone begins, and the name above it "
                                        "is not of this site"},
        {"mail", "no record type"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CHECK_EQUAL(wrong[i].line, names_add_record(s.names, NAMES_EVERYBODY, wrong[i].line, error, sizeof error),
                    -EINVAL);
        assert_string_equal(error, wrong[i].error);
    }
    end(&s);
}

static void special_names_stay_here(void **state UNUSED)
{
    struct scene s;
    begin(&s, FORWARDING);
    assert_string_equal(ask(&s, "localhost"), "NOERROR aa rd ra; an localhost. 60 IN A 127.0.0.1");
    assert_string_equal(ask_type(&s, "a.b.localhost", DNS_AAAA),
                        "NOERROR aa rd ra; an a.b.localhost. 60 IN AAAA ::1");
    assert_string_equal(ask_type(&s, "1.0.0.127.in-addr.arpa", DNS_PTR),
                        "NOERROR aa rd ra; an 1.0.0.127.in-addr.arpa. 60 IN PTR localhost.");
    static const char *const names[] = {
        "1.1.168.192.in-addr.arpa", "1.1.16.172.in-addr.arpa", "1.1.31.172.in-addr.arpa",
        "1.1.64.100.in-addr.arpa",  "1.1.127.100.in-addr.arpa", "1.2.0.10.in-addr.arpa",
        "1.0.8.e.f.ip6.arpa",       "x.invalid",               "x.test",
        "x.onion",                  "1.254.169.in-addr.arpa",  "0.d.f.ip6.arpa",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(ask_shortly(&s, names[i], DNS_PTR), "NXDOMAIN aa rd ra") != 0)
            fail_msg("%s leaves the site", names[i]);
    assert_int_equal(s.upstream.asked, 0);
    end(&s);
}

static void a_closed_world_has_nothing_outside(void **state UNUSED)
{
    struct scene s;
    begin(&s, CLOSED);
    add_address(&s, "www", "10.0.2.1");
    assert_string_equal(ask_shortly(&s, "www.example.com", DNS_A), "NXDOMAIN aa rd ra");
    assert_string_equal(ask(&s, "www.home.arpa"),
                        "NOERROR aa rd ra; an www.home.arpa. 60 IN A 10.0.2.1");
    end(&s);
}

static const char *const outside[] = {"www.example. 5 A 203.0.113.1",
                                      "www2.example. 5 A 203.0.113.2",
                                      "www3.example. 5 A 203.0.113.3", NULL};

static void other_names_are_forwarded(void **state UNUSED)
{
    struct scene s;
    char error[200];
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    assert_string_equal(ask(&s, "WwW.example"), "NOERROR rd ra; an WwW.example. 5 IN A 203.0.113.1");
    assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, "out CNAME www2.example.", error, sizeof error), 0);
    assert_string_equal(ask(&s, "out.home.arpa"),
                        "NOERROR aa rd ra; an out.home.arpa. 60 IN CNAME www2.example.; an "
                        "www2.example. 5 IN A 203.0.113.2");
    s.upstream.forges = true;
    assert_string_equal(ask(&s, "www3.example"),
                        "NOERROR rd ra; an www3.example. 5 IN A 203.0.113.3");
    assert_int_equal(s.upstream.asked, 3);
    assert_true(s.upstream.ports[0] != s.upstream.ports[1] ||
                s.upstream.ports[1] != s.upstream.ports[2]);
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_int_equal(counters.forwarded, 3);
    assert_int_equal(counters.forwarding, 0);
    assert_int_equal(counters.answered, 3);
    /* Who does not want recursion is not asked for. */
    struct dns_text_query query = {.name = "www.example", .type = DNS_A, .id = 5};
    send_query(&s, &query);
    assert_true(wait_for(&s, s.replies + 1));
    char text[200];
    assert_string_equal(dns_text_of(bytes_of(s.reply, s.reply_len), text, sizeof text), "REFUSED ra");
    end(&s);
}

/* What was answered a moment ago is answered by a copy, and is gone when it must be. */
static void hot_answers_are_given_again(void **state UNUSED)
{
    static const char *const other[] = {"www.example. 300 A 203.0.113.7",
                                        "www2.example. 300 A 203.0.113.8", NULL};
    struct scene s;
    struct names_counters counters;
    char error[200];
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    const char *want = "NOERROR rd ra; an WWW.example. 4 IN A 203.0.113.1";
    (void)ask(&s, "www.example");
    assert_string_equal(ask(&s, "WWW.example"), want);
    for (int i = 0; i < 10; i++)
        assert_string_equal(ask(&s, "WWW.example"), want);
    names_counters(s.names, &counters);
    assert_int_equal(counters.queries_udp, 12);
    assert_int_equal(counters.answered, 12);
    assert_int_equal(counters.cache_hits, 11);
    assert_int_equal(s.upstream.asked, 1);
    struct dns_name name = dns_text_name("www.example");
    s.upstream.answer = other;
    assert_int_equal(names_flush(s.names, &name, false), 1);
    assert_string_equal(ask(&s, "www.example"), "NOERROR rd ra; an www.example. 300 IN A 203.0.113.7");
    assert_string_equal(ask(&s, "www.example"), "NOERROR rd ra; an www.example. 299 IN A 203.0.113.7");
    assert_string_equal(ask(&s, "www.example"), "NOERROR rd ra; an www.example. 299 IN A 203.0.113.7");
    /* A zone of ours has come, and the name is in it. */
    assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, "www.example. A 192.0.2.9", error, sizeof error), 0);
    assert_string_equal(ask(&s, "www.example"), "NOERROR aa rd ra; an www.example. 60 IN A 192.0.2.9");
    /* What leads out of our zones begins with what they say. */
    assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, "out CNAME www2.example.", error, sizeof error), 0);
    for (int i = 0; i < 3; i++)
        (void)ask(&s, "out.home.arpa");
    names_remove(s.names, "out.home.arpa");
    assert_string_equal(ask_shortly(&s, "out.home.arpa", DNS_A), "NXDOMAIN aa rd ra");
    end(&s);
}

static void retransmissions_are_forwarded_once(void **state UNUSED)
{
    struct scene s;
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    struct dns_text_query query = {.name = "www.example", .type = DNS_A, .id = 5, .flags = DNS_RD};
    for (int i = 0; i < 10; i++)
        send_query(&s, &query);
    assert_true(wait_for(&s, 1));
    (void)loop_run_until(s.loop, loop_now(s.loop) + 20 * USEC_PER_MSEC);
    assert_int_equal(s.upstream.asked, 1);
    assert_int_equal(s.replies, 1);
    end(&s);
}

static void a_refusing_forwarder_fails_at_once(void **state UNUSED)
{
    struct scene s;
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    dgram_close(s.upstream.dgram); /* ICMP port unreachable from now on */
    usec before = loop_now(s.loop);
    assert_string_equal(ask(&s, "www.example"), "SERVFAIL rd ra");
    assert_true(loop_now(s.loop) - before < 1 * USEC_PER_SEC);
    struct dgram_options options = {.local = loopback};
    static const struct dgram_handler handler = {0};
    assert_int_equal(net_bind(s.net, &options, &handler, &s, &s.upstream.dgram), 0);
    end(&s);
}

/* ---- TCP ---- */

struct tcp_client {
    struct scene *scene;
    struct stream *stream;
    uint8_t received[16384];
    size_t len;
    unsigned messages; /* whole ones in `received` */
    unsigned want;
    bool closed;
};

static size_t on_tcp_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct tcp_client *c = self;
    assert_true(c->len + in.len <= sizeof c->received);
    memcpy(c->received + c->len, in.data, in.len);
    c->len += in.len;
    c->messages = 0;
    for (size_t at = 0; at + 2 <= c->len;) {
        at += 2 + ((size_t)c->received[at] << 8 | c->received[at + 1]);
        c->messages += at <= c->len;
    }
    if (c->messages >= c->want)
        loop_stop(c->scene->loop);
    return in.len;
}

static void on_tcp_end(void *self, struct stream *stream)
{
    struct tcp_client *c = self;
    c->closed = true;
    stream_finish(stream);
    loop_stop(c->scene->loop);
}

static void on_tcp_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct tcp_client *c = self;
    c->closed = true;
    c->stream = NULL;
    loop_stop(c->scene->loop);
}

static void tcp_connect(struct scene *s, struct tcp_client *c)
{
    static const struct stream_handler handler = {
        .on_bytes = on_tcp_bytes, .on_end = on_tcp_end, .on_closed = on_tcp_closed};
    memset(c, 0, sizeof *c);
    c->scene = s;
    struct endpoint to = names_local(s->names);
    assert_int_equal(net_connect(s->net, &to, NULL, &handler, c, &c->stream), 0);
}

static void tcp_add_query(struct writer *w, const char *name, uint16_t id)
{
    uint8_t buffer[600];
    struct dns_text_query query = {.name = name, .type = DNS_A, .id = id, .flags = DNS_RD};
    dns_stream_write(w, dns_text_query(&query, buffer, sizeof buffer));
}

static bool tcp_wait(struct tcp_client *c, unsigned messages)
{
    c->want = messages;
    usec deadline = loop_now(c->scene->loop) + WAIT;
    while (c->messages < messages && !c->closed && loop_now(c->scene->loop) < deadline)
        (void)loop_run_until(c->scene->loop, deadline);
    return c->messages >= messages;
}

static void tcp_queries_are_pipelined_at_any_cut(void **state UNUSED)
{
    struct scene s;
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    add_address(&s, "www", "10.0.2.1");
    uint8_t queries[600];
    struct writer w = writer_of(queries, sizeof queries);
    tcp_add_query(&w, "www.home.arpa", 1);
    tcp_add_query(&w, "www.example", 2);
    tcp_add_query(&w, "nobody.home.arpa", 3);
    tcp_add_query(&w, "localhost", 4);
    struct bytes all = writer_bytes(&w);
    static const size_t cuts[] = {1, 2, 3, 30, 40, 600};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct tcp_client c;
        tcp_connect(&s, &c);
        for (size_t at = 0; at < all.len; at += cuts[i]) {
            struct bytes part = bytes_first(bytes_after(all, at), cuts[i]);
            assert_int_equal(stream_send(c.stream, part), part.len);
            (void)loop_run_until(s.loop, loop_now(s.loop) + 200);
        }
        assert_true(tcp_wait(&c, 4));
        unsigned seen = 0;
        for (size_t at = 0; at < c.len;) {
            struct bytes message =
                bytes_of(c.received + at + 2, (size_t)c.received[at] << 8 | c.received[at + 1]);
            char text[1000];
            dns_text_of(message, text, sizeof text);
            static const char *const want[] = {"NOERROR aa rd ra; an www.home.arpa.",
                                               "NOERROR rd ra; an www.example.", "NXDOMAIN aa rd ra",
                                               "NOERROR aa rd ra; an localhost."};
            unsigned id = message.data[1];
            assert_in_range(id, 1, 4);
            assert_memory_equal(text, want[id - 1], strlen(want[id - 1]));
            seen |= 1u << id;
            at += 2 + message.len;
        }
        assert_int_equal(seen, 0x1e);
        /* Our end closes; what is owed having been paid, so does the server. */
        stream_finish(c.stream);
        while (!c.closed)
            assert_int_equal(loop_run_until(s.loop, loop_now(s.loop) + WAIT), 0);
        if (c.stream != NULL)
            stream_abort(c.stream);
    }
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_int_equal(counters.queries_tcp, 4 * ARRAY_LEN(cuts));
    end(&s);
}

static void a_truncated_answer_is_fetched_over_tcp(void **state UNUSED)
{
    struct scene s;
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    s.upstream.truncates = true;
    uint8_t queries[100];
    struct writer w = writer_of(queries, sizeof queries);
    tcp_add_query(&w, "www.example", 9);
    struct tcp_client c;
    tcp_connect(&s, &c);
    stream_send(c.stream, writer_bytes(&w));
    assert_true(tcp_wait(&c, 1));
    char text[1000];
    assert_string_equal(dns_text_of(bytes_of(c.received + 2, c.len - 2), text, sizeof text),
                        "NOERROR rd ra; an www.example. 5 IN A 203.0.113.1");
    assert_int_equal(s.upstream.asked_tcp, 1);
    /* … and is there for all (RFC 7766 §5). */
    assert_memory_equal(ask(&s, "www.example"), "NOERROR rd ra; an", 17);
    assert_int_equal(s.upstream.asked_tcp, 1);
    stream_abort(c.stream);
    end(&s);
}

/* More of them, one after another, than there may be at once. */
static void streams_to_the_forwarder_are_given_back(void **state UNUSED)
{
    struct scene s;
    struct tcp_client c;
    begin(&s, FORWARDING);
    s.upstream.answer = outside;
    s.upstream.truncates = true;
    tcp_connect(&s, &c);
    for (unsigned i = 1; i <= 80; i++) {
        uint8_t query[100];
        char name[40], line[80];
        const char *const answer[] = {line, NULL};
        snprintf(name, sizeof name, "www%u.example", i);
        snprintf(line, sizeof line, "%s. 5 A 203.0.113.1", name);
        s.upstream.answer = answer;
        struct writer w = writer_of(query, sizeof query);
        tcp_add_query(&w, name, (uint16_t)i);
        stream_send(c.stream, writer_bytes(&w));
        assert_true(tcp_wait(&c, i));
    }
    assert_int_equal(s.upstream.asked_tcp, 80);
    stream_abort(c.stream);
    end(&s);
}

static void a_stream_of_something_else_is_cut(void **state UNUSED)
{
    static const struct {
        const char *data;
        size_t len;
    } cases[] = {{"GET / HTTP/1.1\r\n", 16}, {"\0\2xy", 4}, {"\0\14............", 14}};
    struct scene s;
    begin(&s, ALONE);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tcp_client c;
        tcp_connect(&s, &c);
        stream_send(c.stream, bytes_of(cases[i].data, cases[i].len));
        (void)tcp_wait(&c, 1);
        if (i < 2) {
            assert_true(c.closed);
        } else {
            assert_int_equal(c.messages, 1); /* it could be a query: opcode 5, NOTIMP */
            stream_abort(c.stream);
        }
    }
    end(&s);
}

/* The 257th client has room: the one that was idle longest goes. */
static void the_oldest_idle_connection_makes_room(void **state UNUSED)
{
    static struct tcp_client clients[257];
    struct scene s;
    begin(&s, ALONE);
    uint8_t queries[100];
    struct writer w = writer_of(queries, sizeof queries);
    tcp_add_query(&w, "localhost", 9);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        tcp_connect(&s, &clients[i]);
        stream_send(clients[i].stream, writer_bytes(&w));
        assert_true(tcp_wait(&clients[i], 1));
    }
    usec deadline = loop_now(s.loop) + WAIT;
    while (!clients[0].closed && loop_now(s.loop) < deadline)
        (void)loop_run_until(s.loop, deadline);
    assert_true(clients[0].closed);
    for (size_t i = 1; i < ARRAY_LEN(clients); i++)
        assert_false(clients[i].closed);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        if (clients[i].stream != NULL)
            stream_abort(clients[i].stream);
    end(&s);
}

static void wrong_options_are_refused(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct net *net = net_kernel_new(loop);
    struct names *names;
    static struct names_recursion recursion; /* with nowhere to ask */
    struct names_options options[] = {
        {.listen = loopback, .domain = "a..b", .server_name = "ns.a"},
        {.listen = loopback, .domain = ".", .server_name = "ns.a"},
        {.listen = loopback, .domain = NULL, .server_name = "ns.a"},
        {.listen = loopback, .domain = "a", .server_name = NULL},
        {.listen = loopback, .domain = "a", .server_name = "ns.a", .recursion = &recursion},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        assert_int_equal(names_new(net, &options[i], &names), -EINVAL);
    /* A port that is taken. */
    struct names_options good = {.listen = loopback, .domain = "a", .server_name = "ns.a"};
    assert_int_equal(names_new(net, &good, &names), 0);
    struct names *second;
    good.listen = names_local(names);
    assert_int_equal(names_new(net, &good, &second), -EADDRINUSE);
    names_free(names);
    net_free(net);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_site_has_a_zone),
        cmocka_unit_test(addresses_have_names_both_ways),
        cmocka_unit_test(names_of_leases_are_changes_like_others),
        cmocka_unit_test(names_that_are_not_the_sites_are_not_added),
        cmocka_unit_test(records_come_as_in_a_master_file),
        cmocka_unit_test(special_names_stay_here),
        cmocka_unit_test(a_closed_world_has_nothing_outside),
        cmocka_unit_test(other_names_are_forwarded),
        cmocka_unit_test(hot_answers_are_given_again),
        cmocka_unit_test(retransmissions_are_forwarded_once),
        cmocka_unit_test(a_refusing_forwarder_fails_at_once),
        cmocka_unit_test(tcp_queries_are_pipelined_at_any_cut),
        cmocka_unit_test(a_truncated_answer_is_fetched_over_tcp),
        cmocka_unit_test(streams_to_the_forwarder_are_given_back),
        cmocka_unit_test(a_stream_of_something_else_is_cut),
        cmocka_unit_test(the_oldest_idle_connection_makes_room),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

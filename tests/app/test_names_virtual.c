/* SPDX-License-Identifier: ISC */
/*
 * test_names_virtual.c - the name service over our own stack in virtual time: silence, loss, slow and
 * greedy clients, where seconds matter.
 */
#include <stdio.h>

#include "app/names/names.h"
#include "app/names/names_resolver.h"
#include "io/node.h"
#include "io/wire_port.h"
#include "os/memory.h"
#include "proto/dns/dns_stream.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define SEC USEC_PER_SEC

enum { SERVER_ADDRESS = 0x0a000001, CLIENT_ADDRESS = 0x0a000002 };

struct upstream {
    struct dgram *dgram;
    bool silent;
    bool late;          /* answers the first query only when the second has come */
    unsigned asked;
    usec asked_at[8];
    uint16_t ports[8];
    uint8_t first[600];
    size_t first_len;
    struct endpoint first_from;
};

/* Node 0 has the service; node 1 has clients, and two upstream servers. */
struct scene {
    struct loop *loop;
    struct frame_pool *frames;
    struct node *nodes[2];
    struct net *nets[2];
    struct wire_port *wire;
    struct names *names;
    struct upstream upstreams[2];
    struct dgram *client;
    uint8_t reply[4096];
    size_t reply_len;
    unsigned replies;
    usec reply_at;
};

static struct endpoint endpoint(uint32_t address, uint16_t port)
{
    return (struct endpoint){address_v4(address), port};
}

static void upstream_reply(struct dgram *dgram, struct bytes query, const struct endpoint *to)
{
    static const char *const answers[] = {"www.example. 5 A 203.0.113.1",
                                          "other.example. 5 A 203.0.113.2", NULL};
    uint8_t buffer[600];
    struct dgram_message out = {
        .to = *to,
        .payload = dns_text_reply(query, DNS_RA, answers, NULL, buffer, sizeof buffer),
    };
    assert_int_equal(dgram_send(dgram, &out), 0);
}

static struct loop *the_loop;

static void on_upstream_query(void *self, struct dgram *dgram, const struct dgram_message *message)
{
    struct upstream *u = self;
    if (u->asked < ARRAY_LEN(u->ports)) {
        u->ports[u->asked] = message->from.port;
        u->asked_at[u->asked] = loop_now(the_loop);
    }
    u->asked++;
    if (u->silent)
        return;
    if (u->late && u->asked == 1) {
        memcpy(u->first, message->payload.data, message->payload.len);
        u->first_len = message->payload.len;
        u->first_from = message->from;
        return;
    }
    if (u->late)
        upstream_reply(dgram, bytes_of(u->first, u->first_len), &u->first_from);
    upstream_reply(dgram, message->payload, &message->from);
}

static void on_client_reply(void *self, struct dgram *dgram UNUSED,
                            const struct dgram_message *message)
{
    struct scene *s = self;
    memcpy(s->reply, message->payload.data, message->payload.len);
    s->reply_len = message->payload.len;
    s->replies++;
    s->reply_at = loop_now(s->loop);
}

static void add_node(struct scene *s, int which)
{
    struct stack_options options = {.frames = s->frames};
    struct interface_options interface = {
        .name = "eth0", .mac = {{2, 0, 0, 0, 0, (uint8_t)(which + 1)}}, .mtu = 1500};
    struct ip_prefix address = {address_v4(SERVER_ADDRESS + (uint32_t)which), 24};
    s->nodes[which] = node_new(s->loop, &options);
    assert_non_null(s->nodes[which]);
    assert_int_equal(stack_add_interface(node_stack(s->nodes[which]), &interface), 0);
    assert_true(stack_add_address(node_stack(s->nodes[which]), 0, &address, false));
    s->nets[which] = net_stack_new(s->nodes[which]);
}

static void begin(struct scene *s)
{
    memset(s, 0, sizeof *s);
    struct heap heap = memory_heap();
    struct wire_options ideal = {.seed = 1};
    s->loop = the_loop = loop_new_virtual(0, 1);
    s->frames = frame_pool_new(&heap, 64 << 20);
    add_node(s, 0);
    add_node(s, 1);
    assert_int_equal(wire_port_join(s->loop, s->nodes[0], 0, s->nodes[1], 0, &ideal, &s->wire), 0);
    static const struct dgram_handler upstream = {.on_message = on_upstream_query};
    for (uint16_t i = 0; i < 2; i++) {
        struct dgram_options options = {.local = endpoint(CLIENT_ADDRESS, (uint16_t)(5301 + i))};
        assert_int_equal(net_bind(s->nets[1], &options, &upstream, &s->upstreams[i],
                                  &s->upstreams[i].dgram), 0);
    }
    static struct names_recursion recursion;
    const struct endpoint forwarders[] = {endpoint(CLIENT_ADDRESS, 5301),
                                          endpoint(CLIENT_ADDRESS, 5302)};
    struct dns_name root;
    dns_name_root(&root);
    names_recursion_init(&recursion);
    assert_true(names_recursion_forward(&recursion, &root, forwarders, ARRAY_LEN(forwarders)));
    struct names_options options = {
        .listen = endpoint(SERVER_ADDRESS, 53),
        .domain = "home.arpa",
        .server_name = "ns.home.arpa",
        .recursion = &recursion,
        .outside = s->nets[0],
    };
    assert_int_equal(names_new(s->nets[0], &options, &s->names), 0);
    static const struct dgram_handler client = {.on_message = on_client_reply};
    struct dgram_options client_options = {.local = endpoint(CLIENT_ADDRESS, 4000)};
    assert_int_equal(net_bind(s->nets[1], &client_options, &client, s, &s->client), 0);
}

static void end(struct scene *s)
{
    names_free(s->names);
    dgram_close(s->client);
    dgram_close(s->upstreams[0].dgram);
    dgram_close(s->upstreams[1].dgram);
    (void)loop_run_until(s->loop, loop_now(s->loop) + 100 * SEC);
    net_free(s->nets[0]);
    net_free(s->nets[1]);
    wire_port_free(s->wire);
    node_free(s->nodes[0]);
    node_free(s->nodes[1]);
    frame_pool_free(s->frames);
    loop_free(s->loop);
}

static void send_query(struct scene *s, const char *name, uint16_t id)
{
    uint8_t buffer[600];
    struct dns_text_query query = {.name = name, .type = DNS_A, .id = id, .flags = DNS_RD};
    struct dgram_message message = {
        .to = endpoint(SERVER_ADDRESS, 53),
        .payload = dns_text_query(&query, buffer, sizeof buffer),
    };
    assert_int_equal(dgram_send(s->client, &message), 0);
}

static void run(struct scene *s, usec duration)
{
    (void)loop_run_until(s->loop, loop_now(s->loop) + duration);
}

static const char *reply_text(struct scene *s)
{
    static char text[1000];
    return dns_text_of(bytes_of(s->reply, s->reply_len), text, sizeof text);
}

static void silence_is_servfail_after_eight_seconds(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    send_query(&s, "www.example", 1);
    run(&s, 20 * SEC);
    assert_int_equal(s.replies, 1);
    assert_string_equal(reply_text(&s), "SERVFAIL rd ra");
    assert_in_range(s.reply_at, 8 * SEC, 8 * SEC + SEC / 10);
    assert_int_equal(s.upstreams[0].asked + s.upstreams[1].asked, 4);
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_int_equal(counters.forward_failed, 1);
    assert_int_equal(counters.forwarding, 0);
    end(&s);
}

static void the_second_server_answers_for_the_first(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    s.upstreams[0].silent = true;
    send_query(&s, "www.example", 1);
    run(&s, 3 * SEC);
    assert_int_equal(s.replies, 1);
    assert_string_equal(reply_text(&s), "NOERROR rd ra; an www.example. 5 IN A 203.0.113.1");
    assert_in_range(s.reply_at, 1 * SEC, 1 * SEC + SEC / 10);
    assert_int_equal(s.upstreams[0].asked, 1);
    /* It is asked first now, but not for what it has told. */
    send_query(&s, "www.example", 2);
    run(&s, SEC / 10);
    assert_int_equal(s.replies, 2);
    assert_int_equal(s.upstreams[1].asked, 1);
    send_query(&s, "other.example", 3);
    run(&s, SEC / 10);
    assert_int_equal(s.replies, 3);
    assert_string_equal(reply_text(&s), "NOERROR rd ra; an other.example. 5 IN A 203.0.113.2");
    assert_int_equal(s.upstreams[0].asked, 1);
    assert_int_equal(s.upstreams[1].asked, 2);
    assert_true(s.upstreams[1].ports[0] != s.upstreams[1].ports[1]);
    end(&s);
}

static void a_late_answer_to_an_older_attempt_is_not_taken(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    send_query(&s, "www.example", 1);
    run(&s, 3 * SEC + SEC / 2); /* both have been asked, and the first once more */
    assert_int_equal(s.upstreams[0].asked, 2);
    s.upstreams[0].silent = false;
    s.upstreams[1].silent = false;
    run(&s, 5 * SEC);
    assert_int_equal(s.replies, 1);
    assert_memory_equal(reply_text(&s), "NOERROR", 7);

    /* Late for good: the reply to the old attempt comes together with the new one. */
    end(&s);
    begin(&s);
    s.upstreams[1].silent = true;
    s.upstreams[0].late = true;
    send_query(&s, "www.example", 1);
    run(&s, 20 * SEC);
    assert_int_equal(s.replies, 1);
    assert_int_equal(s.upstreams[0].asked, 2);
    end(&s);
}

static void retransmissions_do_not_multiply(void **state UNUSED)
{
    struct scene s;
    begin(&s);
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    for (int i = 0; i < 9; i++) {
        send_query(&s, "www.example", 1);
        run(&s, SEC / 2);
    }
    assert_int_equal(s.upstreams[0].asked + s.upstreams[1].asked, 3); /* the attempts of one question */
    run(&s, 10 * SEC);
    assert_int_equal(s.replies, 1);
    end(&s);
}

/* ---- TCP ---- */

struct tcp {
    struct scene *scene;
    struct stream *stream;
    bool reads;
    size_t received;
    bool closed;
    usec closed_at;
};

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct tcp *t = self;
    if (!t->reads)
        return 0;
    t->received += in.len;
    return in.len;
}

static void on_end(void *self, struct stream *stream)
{
    struct tcp *t = self;
    t->closed = true;
    t->closed_at = loop_now(t->scene->loop);
    stream_finish(stream);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct tcp *t = self;
    t->stream = NULL;
    if (!t->closed)
        t->closed_at = loop_now(t->scene->loop);
    t->closed = true;
}

static void tcp_connect(struct scene *s, struct tcp *t, bool reads)
{
    static const struct stream_handler handler = {
        .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
    memset(t, 0, sizeof *t);
    t->scene = s;
    t->reads = reads;
    struct endpoint to = endpoint(SERVER_ADDRESS, 53);
    assert_int_equal(net_connect(s->nets[1], &to, NULL, &handler, t, &t->stream), 0);
    run(s, SEC / 10);
}

static struct bytes framed_query(const char *name, uint8_t *buffer, size_t size)
{
    uint8_t query[600];
    struct dns_text_query facts = {.name = name, .type = DNS_A, .id = 3, .flags = DNS_RD};
    struct writer w = writer_of(buffer, size);
    dns_stream_write(&w, dns_text_query(&facts, query, sizeof query));
    return writer_bytes(&w);
}

static void an_idle_connection_is_closed_after_ten_seconds(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    begin(&s);
    tcp_connect(&s, &t, true);
    run(&s, 5 * SEC);
    stream_send(t.stream, framed_query("localhost", buffer, sizeof buffer));
    run(&s, 9 * SEC);
    assert_true(t.received > 0);
    assert_false(t.closed);
    run(&s, 2 * SEC);
    assert_true(t.closed);
    assert_in_range(t.closed_at, 15 * SEC, 15 * SEC + SEC / 2);
    end(&s);
}

static void a_slow_query_does_not_keep_it_open(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    begin(&s);
    tcp_connect(&s, &t, true);
    struct bytes query = framed_query("localhost", buffer, sizeof buffer);
    for (size_t i = 0; i < query.len && !t.closed; i++) {
        if (t.stream != NULL)
            stream_send(t.stream, bytes_first(bytes_after(query, i), 1));
        run(&s, SEC);
    }
    assert_true(t.closed);
    assert_in_range(t.closed_at, 10 * SEC, 10 * SEC + SEC / 2);
    end(&s);
}

static void a_forwarded_query_keeps_it_open(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    begin(&s);
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    tcp_connect(&s, &t, true);
    run(&s, 9 * SEC);
    stream_send(t.stream, framed_query("www.example", buffer, sizeof buffer));
    run(&s, 8 * SEC + SEC / 2);
    assert_false(t.closed);
    assert_true(t.received > 0); /* SERVFAIL */
    run(&s, 11 * SEC);
    assert_true(t.closed);
    end(&s);
}

/* It asks without end and reads nothing: it is not read from, and goes after a while. */
static void a_client_that_takes_no_answers_is_cut(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    begin(&s);
    char line[300];
    for (unsigned i = 0; i < 60; i++) {
        char error[100];
        snprintf(line, sizeof line, "big A 10.0.%u.1", i);
        assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, line, error, sizeof error), 0);
    }
    tcp_connect(&s, &t, false);
    struct bytes query = framed_query("big.home.arpa", buffer, sizeof buffer);
    uint64_t sent = 0;
    usec began = loop_now(s.loop);
    while (!t.closed && loop_now(s.loop) < began + 60 * SEC) {
        while (t.stream != NULL && stream_room(t.stream) >= query.len)
            sent += stream_send(t.stream, query);
        run(&s, SEC / 10);
    }
    assert_true(t.closed);
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_true(counters.queries_tcp < sent / query.len); /* not all were read */
    end(&s);
}

/* The same flood from a client that reads is answered to the last query. */
static void a_client_that_pipelines_and_reads_gets_every_answer(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    char line[300];
    begin(&s);
    for (unsigned i = 0; i < 60; i++) {
        char error[100];
        snprintf(line, sizeof line, "big A 10.0.%u.1", i);
        assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, line, error, sizeof error), 0);
    }
    tcp_connect(&s, &t, true);
    struct bytes query = framed_query("big.home.arpa", buffer, sizeof buffer);
    unsigned sent = 0;
    while (sent < 3000) {
        while (sent < 3000 && stream_room(t.stream) >= query.len) {
            assert_int_equal(stream_send(t.stream, query), query.len);
            sent++;
        }
        run(&s, SEC / 100);
        assert_false(t.closed);
    }
    run(&s, 2 * SEC);
    size_t reply_len = 2 + 12 + 15 + 4 + 60 * 16;
    assert_int_equal(t.received, 3000 * reply_len);
    stream_close(t.stream);
    end(&s);
}

/* More forwarded queries at once than a connection may have: the rest wait their turn. */
static void forwarded_queries_of_a_connection_are_bounded(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    begin(&s);
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    tcp_connect(&s, &t, true);
    for (unsigned i = 0; i < 40; i++) {
        uint8_t buffer[600];
        char name[40];
        snprintf(name, sizeof name, "www%u.example", i);
        stream_send(t.stream, framed_query(name, buffer, sizeof buffer));
    }
    run(&s, SEC / 2);
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_int_equal(counters.forwarding, 16);
    stream_finish(t.stream); /* and it will ask no more */
    run(&s, 40 * SEC);
    names_counters(s.names, &counters);
    assert_int_equal(counters.forwarded, 40);
    assert_int_equal(counters.forward_failed, 40);
    assert_true(t.closed);
    end(&s);
}

/* The answer to a client that has gone must not reach the one that has its place now. */
static void an_answer_finds_only_who_asked(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    begin(&s);
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    tcp_connect(&s, &t, true);
    stream_send(t.stream, framed_query("www.example", buffer, sizeof buffer));
    run(&s, SEC / 100);
    stream_abort(t.stream);
    run(&s, SEC / 100);
    struct names_counters counters;
    names_counters(s.names, &counters);
    assert_int_equal(counters.forwarding, 1);
    /* Every place is taken, so one of these has that of the first. */
    static struct tcp others[256];
    static const struct stream_handler handler = {
        .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
    struct endpoint to = endpoint(SERVER_ADDRESS, 53);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = (struct tcp){.scene = &s, .reads = true};
        assert_int_equal(net_connect(s.nets[1], &to, NULL, &handler, &others[i], &others[i].stream),
                         0);
    }
    run(&s, 9 * SEC);
    names_counters(s.names, &counters);
    assert_int_equal(counters.forwarding, 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_false(others[i].closed);
        assert_int_equal(others[i].received, 0);
        stream_abort(others[i].stream);
    }
    end(&s);
}

/* A forwarded answer for a client whose queue is full already. */
static void an_answer_for_who_takes_none_ends_the_connection(void **state UNUSED)
{
    struct scene s;
    struct tcp t;
    uint8_t buffer[600];
    char line[300];
    begin(&s);
    for (unsigned i = 0; i < 60; i++) {
        char error[100];
        snprintf(line, sizeof line, "big A 10.0.%u.1", i);
        assert_int_equal(names_add_record(s.names, NAMES_EVERYBODY, line, error, sizeof error), 0);
    }
    s.upstreams[0].silent = true;
    s.upstreams[1].silent = true;
    tcp_connect(&s, &t, false);
    stream_send(t.stream, framed_query("www.example", buffer, sizeof buffer));
    struct bytes query = framed_query("big.home.arpa", buffer, sizeof buffer);
    usec began = loop_now(s.loop);
    while (!t.closed && loop_now(s.loop) < began + 30 * SEC) {
        for (int i = 0; i < 100 && t.stream != NULL && stream_room(t.stream) >= query.len; i++)
            stream_send(t.stream, query);
        run(&s, SEC / 10);
    }
    assert_true(t.closed);
    assert_in_range(t.closed_at, 8 * SEC, 9 * SEC);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_servfail_after_eight_seconds),
        cmocka_unit_test(the_second_server_answers_for_the_first),
        cmocka_unit_test(a_late_answer_to_an_older_attempt_is_not_taken),
        cmocka_unit_test(retransmissions_do_not_multiply),
        cmocka_unit_test(an_idle_connection_is_closed_after_ten_seconds),
        cmocka_unit_test(a_slow_query_does_not_keep_it_open),
        cmocka_unit_test(a_forwarded_query_keeps_it_open),
        cmocka_unit_test(a_client_that_takes_no_answers_is_cut),
        cmocka_unit_test(a_client_that_pipelines_and_reads_gets_every_answer),
        cmocka_unit_test(forwarded_queries_of_a_connection_are_bounded),
        cmocka_unit_test(an_answer_finds_only_who_asked),
        cmocka_unit_test(an_answer_for_who_takes_none_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * test_api_names.c - wholenet/names.h on a wire in virtual time, against a name server that works by events: what
 * is asked, what comes of it and when, and what getaddrinfo(3) says of everything else.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <wholenet/loop.h>
#include <wholenet/names.h>
#include <wholenet/tcp.h>
#include <wholenet/udp.h>

#include "tests/support/dns_text.h"

enum { DELAY = 10 }; /* milliseconds, one way */

struct net {
    struct wn_loop *loop;
    struct wn_stack *client, *server;
    struct wn_sockets *sockets;
    struct wn_resolver *resolver;
    struct wn_udp *udp;
    unsigned queries, streams;
    bool mute;
};

static const char *const many[] = {
    "many.home.arpa. 60 IN A 10.1.0.1", "many.home.arpa. 60 IN A 10.1.0.2", NULL};

/* Names under home.arpa; those under "long" do not fit into a datagram. */
static size_t answer_query(struct net *n, struct bytes query, bool stream, uint8_t *out, size_t size)
{
    struct dns_summary summary;
    char name[DNS_NAME_TEXT_MAX], line[600];
    const char *lines[3] = {line, NULL, NULL};
    n->queries++;
    assert_int_equal(dns_summarise(query, &summary), WIRE_OK);
    dns_name_format(&summary.question.name, name);
    for (char *c = name; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    uint16_t type = summary.question.type;
    uint16_t flags = DNS_QR | DNS_RD | DNS_RA;
    const char *const *answer = NULL;
    if (strcmp(name, "www.home.arpa.") == 0 || strcmp(name, "long.home.arpa.") == 0) {
        snprintf(line, sizeof line, type == DNS_A ? "%s 60 IN A 10.0.0.80" : "%s 60 IN AAAA 2001:db8::80", name);
        answer = lines;
    } else if (strcmp(name, "alias.home.arpa.") == 0) {
        snprintf(line, sizeof line, "alias.home.arpa. 60 IN CNAME www.home.arpa.");
        lines[1] = type == DNS_A ? "www.home.arpa. 60 IN A 10.0.0.80" : NULL;
        answer = lines;
    } else if (strcmp(name, "xn--mny-qla.home.arpa.") == 0) {
        snprintf(line, sizeof line, "xn--mny-qla.home.arpa. 60 IN A 10.3.0.1");
        answer = type == DNS_A ? lines : NULL;
    } else if (strcmp(name, "many.home.arpa.") == 0) {
        answer = type == DNS_A ? many : NULL;
    } else if (strcmp(name, "80.0.0.10.in-addr.arpa.") == 0) {
        snprintf(line, sizeof line, "80.0.0.10.in-addr.arpa. 60 IN PTR www.home.arpa.");
        answer = lines;
    } else {
        flags |= strstr(name, "broken") != NULL ? DNS_SERVFAIL : DNS_NXDOMAIN;
    }
    if (strncmp(name, "long", 4) == 0 && !stream) {
        flags |= DNS_TC;
        answer = NULL;
    }
    struct bytes reply = dns_text_reply(query, flags, answer, NULL, out, size);
    memmove(out, reply.data, reply.len);
    return reply.len;
}

static void on_udp(struct net *n)
{
    uint8_t query[1500], reply[1500];
    struct wn_endpoint from;
    long len;
    while ((len = wn_udp_receive(n->udp, query, sizeof query, &from)) >= 0) {
        if (n->mute)
            continue;
        size_t out = answer_query(n, bytes_of(query, (size_t)len), false, reply, sizeof reply);
        assert_int_equal(wn_udp_send(n->udp, &from, reply, out), 0);
    }
}

static void on_tcp(struct net *n, struct wn_tcp *tcp)
{
    uint8_t query[1500], reply[1500];
    size_t len = wn_tcp_receive(tcp, query, sizeof query);
    if (len > 2) {
        size_t out = answer_query(n, bytes_of(query + 2, len - 2), true, reply + 2, sizeof reply - 2);
        reply[0] = (uint8_t)(out >> 8);
        reply[1] = (uint8_t)out;
        assert_int_equal(wn_tcp_send(tcp, reply, out + 2), out + 2);
    }
    if (wn_tcp_error(tcp) != 0 || wn_tcp_at_end(tcp))
        wn_tcp_close(tcp);
}

static void on_event(void *self, const struct wn_event *event)
{
    struct net *n = self;
    if (event->kind == WN_EVENT_UDP) {
        on_udp(n);
    } else if (event->kind == WN_EVENT_LISTENER) {
        while (wn_tcp_accept(event->listener, n) != NULL)
            n->streams++;
    } else if (event->user != NULL) {
        on_tcp(n, event->tcp);
    }
}

static struct wn_stack *add_host(struct net *n, const char *mac, const char *address)
{
    struct wn_stack *stack;
    assert_int_equal(wn_loop_stack(n->loop, NULL, &stack), 0);
    assert_int_equal(wn_stack_add_interface(stack, "eth0", mac, 1500, 0), 0);
    assert_int_equal(wn_stack_add_address(stack, 0, address), 0);
    return stack;
}

static void open_net(struct net *n, const char *resolv_conf, bool pumps)
{
    const struct wn_impairments slow = {.delay = DELAY * WN_MILLISECOND};
    struct wn_endpoint local;
    struct wn_listener *listener;
    *n = (struct net){.loop = wn_loop_new_virtual(1)};
    n->client = add_host(n, "02:00:00:00:00:01", "10.0.0.1/24");
    n->server = add_host(n, "02:00:00:00:00:02", "10.0.0.2/24");
    assert_int_equal(wn_loop_join(n->loop, n->client, 0, n->server, 0, &slow, &slow), 0);
    wn_stack_on_event(n->server, on_event, n);
    assert_int_equal(wn_endpoint_parse("0.0.0.0:53", &local), 0);
    assert_int_equal(wn_udp_open(n->server, &local, 0, n, &n->udp), 0);
    assert_int_equal(wn_listener_open(n->server, &local, 0, NULL, &listener), 0);
    struct wn_sockets_options sockets = {
        .size = sizeof sockets, .pump = pumps ? wn_loop_pump : NULL, .pump_self = n->loop};
    n->sockets = wn_sockets_new(n->client, &sockets);
    struct wn_resolver_options options = {
        .size = sizeof options,
        .resolv_conf = resolv_conf,
        .hosts = "127.0.0.1 localhost\n10.9.0.1 printer.home.arpa printer\n10.9.0.2 printer.home.arpa\n",
    };
    n->resolver = wn_resolver_new(n->sockets, &options);
    assert_non_null(n->resolver);
}

static void close_net(struct net *n)
{
    wn_resolver_free(n->resolver);
    int fd = wn_socket(n->sockets, WN_AF_INET, WN_SOCK_DGRAM, 0);
    assert_int_equal(fd, 3); /* no descriptor is left behind */
    wn_sockets_free(n->sockets);
    wn_loop_free(n->loop);
    wn_stack_free(n->client);
    wn_stack_free(n->server);
}

/* "stream 10.0.0.80:80; dgram …", and the canonical name in front. */
static void describe(const struct wn_addrinfo *list, struct text *out)
{
    if (list != NULL && list->ai_canonname != NULL)
        text_add_format(out, "%s: ", list->ai_canonname);
    for (const struct wn_addrinfo *i = list; i != NULL; i = i->ai_next) {
        char host[ADDRESS_TEXT_MAX], service[8];
        assert_int_equal(wn_getnameinfo(NULL, i->ai_addr, i->ai_addrlen, host, sizeof host, service,
                                        sizeof service, WN_NI_NUMERICHOST | WN_NI_NUMERICSERV), 0);
        assert_int_equal(i->ai_addr->sa_family, i->ai_family);
        text_add_format(out, "%s%s %s %s", i == list ? "" : "; ",
                        i->ai_socktype == WN_SOCK_STREAM ? "stream" : "dgram", host, service);
    }
}

#define CONF "nameserver 10.0.0.2\nsearch home.arpa\n"
#define STREAM .ai_socktype = WN_SOCK_STREAM

static const struct {
    const char *name, *node, *service;
    struct wn_addrinfo hints;
    bool no_hints;
    int status;
    const char *list;
    unsigned queries;
} cases[] = {
    {"a name and a service", "www.home.arpa", "http", {0}, true, 0, "stream 10.0.0.80 80", 1},
    {"by the search list", "www", "8080", {STREAM}, false, 0,
     "stream 10.0.0.80 8080; stream 2001:db8::80 8080", 2},
    {"both kinds", "www.home.arpa", "domain", {.ai_family = WN_AF_INET}, false, 0,
     "stream 10.0.0.80 53; dgram 10.0.0.80 53", 1},
    {"a canonical name", "alias", NULL, {STREAM, .ai_flags = WN_AI_CANONNAME, .ai_family = WN_AF_INET}, false, 0,
     "www.home.arpa: stream 10.0.0.80 0", 1},
    {"IPv6 alone", "www", "80", {STREAM, .ai_family = WN_AF_INET6}, false, 0, "stream 2001:db8::80 80", 1},
    {"… or IPv4 as IPv6", "many", "80", {STREAM, .ai_family = WN_AF_INET6, .ai_flags = WN_AI_V4MAPPED}, false, 0,
     "stream 10.1.0.1 80; stream 10.1.0.2 80", 2},
    {"… or both", "www", "80",
     {STREAM, .ai_family = WN_AF_INET6, .ai_flags = WN_AI_V4MAPPED | WN_AI_ALL}, false, 0,
     "stream 10.0.0.80 80; stream 2001:db8::80 80", 2},
    {"over TCP", "long", "80", {STREAM, .ai_family = WN_AF_INET}, false, 0, "stream 10.0.0.80 80", 2},
    {"the hosts file", "PRINTER", "ftp", {STREAM, .ai_flags = WN_AI_CANONNAME}, false, 0,
     "printer.home.arpa: stream 10.9.0.1 21", 0},
    {"an address", "10.0.0.9", "http", {0}, true, 0, "stream 10.0.0.9 80", 0},
    {"an address that must be one", "www", "http", {.ai_flags = WN_AI_NUMERICHOST}, false, WN_EAI_NONAME, "", 0},
    {"an IPv6 address for IPv4", "::1", "http", {.ai_family = WN_AF_INET}, false, WN_EAI_FAMILY, "", 0},
    {"an IPv4 address for IPv6", "10.0.0.9", "80", {.ai_family = WN_AF_INET6}, false, WN_EAI_FAMILY, "", 0},
    {"this host", NULL, "80", {STREAM, .ai_family = WN_AF_INET}, false, 0, "stream 127.0.0.1 80", 0},
    {"to listen", NULL, "80", {STREAM, .ai_family = WN_AF_INET, .ai_flags = WN_AI_PASSIVE}, false, 0,
     "stream 0.0.0.0 80", 0},
    {"no such name", "nobody.home.arpa.", "80", {0}, false, WN_EAI_NONAME, "", 2},
    {"no such address", "many.home.arpa.", "80", {.ai_family = WN_AF_INET6}, false, WN_EAI_NODATA, "", 1},
    {"a server that cannot", "broken.home.arpa.", "80", {.ai_family = WN_AF_INET}, false, WN_EAI_AGAIN, "", 1},
    {"no such service", "www", "nothing", {0}, false, WN_EAI_SERVICE, "", 0},
    {"a service of another kind", "www", "ssh", {.ai_socktype = WN_SOCK_DGRAM}, false, WN_EAI_SERVICE, "", 0},
    {"a service that must be a number", "www", "http", {.ai_flags = WN_AI_NUMERICSERV}, false, WN_EAI_NONAME, "", 0},
    {"a port too large", "www", "65536", {0}, false, WN_EAI_SERVICE, "", 0},
    {"nothing at all", NULL, NULL, {0}, false, WN_EAI_NONAME, "", 0},
    {"an empty name", "", "80", {0}, false, WN_EAI_NONAME, "", 0},
    {"a foreign name", "m\xc3\xa4ny.home.arpa.", "80", {STREAM, .ai_family = WN_AF_INET, .ai_flags = WN_AI_IDN}, false, 0,
     "stream 10.3.0.1 80", 1},
    {"… that is none", "a\xcc\x80\xff.home.arpa.", "80", {.ai_flags = WN_AI_IDN}, false, WN_EAI_IDN_ENCODE, "", 0},
    {"other flags", "www", "80", {.ai_flags = 0x4000}, false, WN_EAI_BADFLAGS, "", 0},
    {"a canonical name of nothing", NULL, "80", {.ai_flags = WN_AI_CANONNAME}, false, WN_EAI_BADFLAGS, "", 0},
    {"another family", "www", "80", {.ai_family = 99}, false, WN_EAI_FAMILY, "", 0},
    {"another kind of socket", "www", "80", {.ai_socktype = 5}, false, WN_EAI_SOCKTYPE, "", 0},
    {"a protocol of another kind", "www", "80", {STREAM, .ai_protocol = WN_IPPROTO_UDP}, false, WN_EAI_SOCKTYPE, "", 0},
};

static void names_become_addresses(void **state UNUSED)
{
    struct net n;
    open_net(&n, CONF, true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wn_addrinfo *list = NULL;
        char buffer[512];
        struct text text = text_of(buffer, sizeof buffer);
        unsigned queries = n.queries;
        int status = wn_getaddrinfo(n.resolver, cases[i].node, cases[i].service,
                                    cases[i].no_hints ? NULL : &cases[i].hints, &list);
        CHECK_EQUAL(cases[i].name, status, cases[i].status);
        describe(list, &text);
        if (strcmp(buffer, cases[i].list) != 0)
            fail_msg("%s: %s", cases[i].name, buffer);
        CHECK_EQUAL(cases[i].name, n.queries - queries, cases[i].queries);
        wn_freeaddrinfo(list);
    }
    assert_int_equal(n.streams, 1);
    close_net(&n);
}

static void both_versions_are_asked_for_at_the_same_time(void **state UNUSED)
{
    struct net n;
    struct wn_addrinfo *list;
    const struct wn_addrinfo hints = {STREAM};
    open_net(&n, CONF, true);
    assert_int_equal(wn_getaddrinfo(n.resolver, "www", "80", &hints, &list), 0);
    wn_freeaddrinfo(list);
    wn_time began = wn_loop_now(n.loop); /* ARP is done */
    assert_int_equal(wn_getaddrinfo(n.resolver, "www", "80", &hints, &list), 0);
    wn_freeaddrinfo(list);
    assert_int_equal((wn_loop_now(n.loop) - began) / WN_MILLISECOND, 2 * DELAY);
    close_net(&n);
}

static void silence_ends(void **state UNUSED)
{
    struct net n;
    struct wn_addrinfo *list;
    open_net(&n, CONF "options timeout:2 attempts:3", true);
    n.mute = true;
    wn_time began = wn_loop_now(n.loop);
    assert_int_equal(wn_getaddrinfo(n.resolver, "www", "80", NULL, &list), WN_EAI_AGAIN);
    assert_int_equal((wn_loop_now(n.loop) - began) / WN_SECOND, 6);
    close_net(&n);

    open_net(&n, "nameserver 10.0.0.1\n", true); /* nobody listens there: ICMP says so at once */
    began = wn_loop_now(n.loop);
    assert_int_equal(wn_getaddrinfo(n.resolver, "www.test", "80", NULL, &list), WN_EAI_AGAIN);
    assert_true(wn_loop_now(n.loop) - began < WN_SECOND);
    close_net(&n);

    open_net(&n, "nameserver 2001:db8::53\n", true); /* no way there */
    assert_int_equal(wn_getaddrinfo(n.resolver, "www.test", "80", NULL, &list), WN_EAI_AGAIN);
    close_net(&n);
}

static void addresses_become_names(void **state UNUSED)
{
    struct net n;
    char host[64], service[16];
    struct wn_sockaddr_in to = {.sin_family = WN_AF_INET};
    memcpy(&to.sin_addr, "\x0a\x00\x00\x50", 4);
    memcpy(&to.sin_port, "\x00\x50", 2);
    open_net(&n, CONF, true);
#define ASK(flags) \
    wn_getnameinfo(n.resolver, &to, sizeof to, host, sizeof host, service, sizeof service, flags)
    assert_int_equal(ASK(0), 0);
    assert_string_equal(host, "www.home.arpa");
    assert_string_equal(service, "http");
    assert_int_equal(ASK(WN_NI_NOFQDN | WN_NI_DGRAM), 0);
    assert_string_equal(host, "www");
    assert_string_equal(service, "80");
    assert_int_equal(ASK(WN_NI_NUMERICHOST | WN_NI_NUMERICSERV), 0);
    assert_string_equal(host, "10.0.0.80");
    memcpy(&to.sin_addr, "\x0a\x09\x00\x01", 4); /* in the hosts file */
    assert_int_equal(ASK(0), 0);
    assert_string_equal(host, "printer.home.arpa");
    memcpy(&to.sin_addr, "\x0a\x00\x00\x51", 4);
    assert_int_equal(ASK(0), 0);
    assert_string_equal(host, "10.0.0.81");
    assert_int_equal(ASK(WN_NI_NAMEREQD), WN_EAI_NONAME);
    assert_int_equal(ASK(0x100), WN_EAI_BADFLAGS);
    assert_int_equal(wn_getnameinfo(n.resolver, &to, sizeof to, host, 4, NULL, 0, 0), WN_EAI_OVERFLOW);
    assert_int_equal(wn_getnameinfo(n.resolver, &to, 4, host, sizeof host, NULL, 0, 0), WN_EAI_FAMILY);
    assert_int_equal(wn_getnameinfo(n.resolver, &to, sizeof to, NULL, 0, NULL, 0, 0), WN_EAI_NONAME);
    assert_int_equal(wn_getnameinfo(n.resolver, &to, sizeof to, NULL, 0, service, 2, 0), WN_EAI_OVERFLOW);
    close_net(&n);
}

/* A hundred at once, by events, of which some are given up. */
static void lookups_go_on_beside_each_other(void **state UNUSED)
{
    enum { COUNT = 64 };
    struct net n;
    struct wn_lookup *lookups[COUNT], *one_more;
    struct wn_addrinfo *list;
    open_net(&n, CONF, false);
    for (int i = 0; i < COUNT; i++) {
        const char *node = i % 3 == 0 ? "www" : i % 3 == 1 ? "many.home.arpa" : "nobody.home.arpa.";
        assert_int_equal(wn_lookup_start(n.resolver, node, "80", NULL, &lookups[i]), 0);
    }
    assert_int_equal(wn_lookup_start(n.resolver, "www", "80", NULL, &one_more), WN_EAI_AGAIN);
    for (int i = 0; i < COUNT; i += 4) {
        wn_lookup_cancel(lookups[i]);
        lookups[i] = NULL;
    }
    for (int turn = 0; turn < 20; turn++) {
        wn_time due_at = wn_resolver_run(n.resolver);
        assert_true(due_at > wn_loop_now(n.loop));
        assert_int_equal(wn_loop_run_until(n.loop, wn_loop_now(n.loop) + 5 * WN_MILLISECOND), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        if (lookups[i] == NULL)
            continue;
        int status = wn_lookup_result(lookups[i], &list);
        assert_int_equal(status, i % 3 == 2 ? WN_EAI_NONAME : 0);
        if (status == 0)
            wn_freeaddrinfo(list);
    }
    assert_int_equal(wn_resolver_run(n.resolver), WN_NEVER);
    /* Without a pump nobody waits. */
    assert_int_equal(wn_getaddrinfo(n.resolver, "www", "80", NULL, &list), WN_EAI_AGAIN);
    /* One that is under way goes with its resolver. */
    assert_int_equal(wn_lookup_start(n.resolver, "www", "80", NULL, &one_more), 0);
    (void)wn_resolver_run(n.resolver);
    assert_int_equal(wn_lookup_result(one_more, &list), WN_EAI_INPROGRESS);
    close_net(&n);
}

static void services_come_from_a_file(void **state UNUSED)
{
    struct net n;
    struct wn_addrinfo *list;
    char service[16];
    struct wn_sockaddr_in to = {.sin_family = WN_AF_INET};
    open_net(&n, CONF, true);
    struct wn_resolver_options options = {.size = sizeof options,
                                          .services = "# none\nthing 7000/tcp stuff other # x\nthing 7001/udp\nbad x/tcp\n"};
    struct wn_resolver *resolver = wn_resolver_new(n.sockets, &options);
    const struct wn_addrinfo hints = {.ai_family = WN_AF_INET};
    char buffer[128];
    struct text text = text_of(buffer, sizeof buffer);
    assert_int_equal(wn_getaddrinfo(resolver, NULL, "thing", &hints, &list), 0);
    describe(list, &text);
    wn_freeaddrinfo(list);
    assert_string_equal(buffer, "stream 127.0.0.1 7000; dgram 127.0.0.1 7001");
    assert_int_equal(wn_getaddrinfo(resolver, NULL, "other", &hints, &list), 0);
    assert_null(list->ai_next);
    wn_freeaddrinfo(list);
    assert_int_equal(wn_getaddrinfo(resolver, NULL, "http", &hints, &list), WN_EAI_SERVICE);
    memcpy(&to.sin_port, "\x1b\x59", 2);
    assert_int_equal(wn_getnameinfo(resolver, &to, sizeof to, NULL, 0, service, sizeof service, WN_NI_DGRAM), 0);
    assert_string_equal(service, "thing");
    wn_resolver_free(resolver);
    assert_null(wn_resolver_new(n.sockets, &(struct wn_resolver_options){.size = 0}));
    assert_string_equal(wn_gai_strerror(WN_EAI_NONAME), "there is no such name");
    assert_string_equal(wn_gai_strerror(77), "an unknown error");
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_addresses),
        cmocka_unit_test(both_versions_are_asked_for_at_the_same_time),
        cmocka_unit_test(silence_ends),
        cmocka_unit_test(addresses_become_names),
        cmocka_unit_test(lookups_go_on_beside_each_other),
        cmocka_unit_test(services_come_from_a_file),
    };
    return cmocka_run_group_tests_name("api names", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_resolver.c - the resolver in a network of servers: whom it asks what, and what it tells. */
#include "tests/support/check.h"
#include "tests/support/dns_net.h"
#include "tests/support/dns_text.h"

#define SEC USEC_PER_SEC

static struct dns_net net;

static const char *const root_lines[] = {
    ". 86400 SOA a.root. admin. 1 2 3 4 60",
    ". 518400 NS a.root.",
    "a.root. 518400 A 198.41.0.4",
    "test. 172800 NS ns.test.",
    "ns.test. 172800 A 192.0.2.1",
    NULL,
};
static const char *const test_lines[] = {
    "test. 3600 SOA ns.test. admin.test. 1 2 3 4 60",
    "test. 172800 NS ns.test.",
    "ns.test. 172800 A 192.0.2.1",
    "example.test. 3600 NS ns.example.test.",
    "ns.example.test. 3600 A 192.0.2.2",
    "other.test. 3600 NS ns.other.test.",
    "ns.other.test. 3600 A 192.0.2.3",
    "glueless.test. 3600 NS ns.other.test.",
    "ringa.test. 3600 NS ns.ringb.test.",
    "ringb.test. 3600 NS ns.ringa.test.",
    "two.test. 3600 NS ns1.two.test.",
    "two.test. 3600 NS ns2.two.test.",
    "ns1.two.test. 3600 A 192.0.2.11",
    "ns2.two.test. 3600 A 192.0.2.12",
    NULL,
};
static const char *const example_lines[] = {
    "example.test. 3600 SOA ns.example.test. admin.test. 1 2 3 4 60",
    "example.test. 3600 NS ns.example.test.",
    "ns.example.test. 3600 A 192.0.2.2",
    "www.example.test. 300 A 203.0.113.1",
    "www.example.test. 300 A 203.0.113.2",
    "alias.example.test. 300 CNAME www.example.test.",
    "out.example.test. 300 CNAME www.other.test.",
    "loop1.example.test. 300 CNAME loop2.example.test.",
    "loop2.example.test. 300 CNAME loop1.example.test.",
    "d.example.test. 300 DNAME other.test.",
    "a.b.c.d2.example.test. 300 A 203.0.113.5",
    "short.example.test. 20 A 203.0.113.6",
    NULL,
};
static const char *const other_lines[] = {
    "other.test. 3600 SOA ns.other.test. admin.test. 1 2 3 4 60",
    "other.test. 3600 NS ns.other.test.",
    "ns.other.test. 3600 A 192.0.2.3",
    "www.other.test. 300 A 203.0.113.9",
    NULL,
};
static const char *const two_lines[] = {
    "two.test. 3600 SOA ns1.two.test. admin.test. 1 2 3 4 60",
    "www.two.test. 300 A 203.0.113.20",
    NULL,
};

enum { ROOT, TLD, EXAMPLE, OTHER, TWO_1, TWO_2, EXTRA, SERVERS };

static const struct dns_net_server usual[SERVERS] = {
    [ROOT] = {.address = "198.41.0.4", .zone = ".", .lines = root_lines},
    [TLD] = {.address = "192.0.2.1", .zone = "test.", .lines = test_lines},
    [EXAMPLE] = {.address = "192.0.2.2", .zone = "example.test.", .lines = example_lines},
    [OTHER] = {.address = "192.0.2.3", .zone = "other.test.", .lines = other_lines},
    [TWO_1] = {.address = "192.0.2.11", .zone = "two.test.", .lines = two_lines},
    [TWO_2] = {.address = "192.0.2.12", .zone = "two.test.", .lines = two_lines},
    [EXTRA] = {.address = "192.0.2.66", .zone = "test.", .lines = test_lines},
};
static struct dns_net_server servers[SERVERS];

static int open_net(void **state UNUSED)
{
    memcpy(servers, usual, sizeof servers);
    dns_net_open(&net, servers, SERVERS);
    return 0;
}

static int close_net(void **state UNUSED)
{
    dns_net_close(&net);
    return 0;
}

static void check_reply(const char *name, uint16_t type, const char *want)
{
    const char *got = dns_net_look_up(&net, name, type);
    if (strcmp(got, want) != 0)
        fail_msg("%s: got \"%s\", expected \"%s\"; asked: %s", name, got, want, net.log);
}

static void check_log(const char *want)
{
    if (strcmp(net.log, want) != 0)
        fail_msg("asked \"%s\", expected \"%s\"", net.log, want);
}

/* The textbook: root, top level, authority; then from the cache; then the last step again. */
static void test_story(void **state UNUSED)
{
    check_reply("www.example.test.", DNS_A,
                "NOERROR rd ra; an www.example.test. 300 IN A 203.0.113.1; "
                "an www.example.test. 300 IN A 203.0.113.2");
    check_log("198.41.0.4 . NS; 198.41.0.4 test. A; 192.0.2.1 example.test. A; "
              "192.0.2.2 www.example.test. A; ");
    net.now += 100 * SEC;
    check_reply("www.example.test.", DNS_A,
                "NOERROR rd ra; an www.example.test. 200 IN A 203.0.113.1; "
                "an www.example.test. 200 IN A 203.0.113.2");
    check_log("");
    net.now += 200 * SEC;
    check_reply("www.example.test.", DNS_A,
                "NOERROR rd ra; an www.example.test. 300 IN A 203.0.113.1; "
                "an www.example.test. 300 IN A 203.0.113.2");
    check_log("192.0.2.2 www.example.test. A; ");
    net.now += 3600 * SEC; /* the delegation is over; those above are not */
    (void)dns_net_look_up(&net, "www.example.test.", DNS_A);
    check_log("192.0.2.1 example.test. A; 192.0.2.2 www.example.test. A; ");
}

static void test_without_minimisation(void **state UNUSED)
{
    net.options.minimise = false;
    (void)dns_net_look_up(&net, "www.example.test.", DNS_A);
    check_log("198.41.0.4 . NS; 198.41.0.4 www.example.test. A; 192.0.2.1 www.example.test. A; "
              "192.0.2.2 www.example.test. A; ");
}

/* RFC 9156 §2.3: one label more each time, and the real type only in the end. */
static void test_minimisation(void **state UNUSED)
{
    check_reply("a.b.c.d2.example.test.", DNS_AAAA,
                "NOERROR rd ra; ns example.test. 60 IN SOA ns.example.test. admin.test. 1 2 3 4 60");
    check_log("198.41.0.4 . NS; 198.41.0.4 test. A; 192.0.2.1 example.test. A; "
              "192.0.2.2 d2.example.test. A; 192.0.2.2 c.d2.example.test. A; "
              "192.0.2.2 b.c.d2.example.test. A; 192.0.2.2 a.b.c.d2.example.test. AAAA; ");
    /* a name of very many labels: not as many questions */
    (void)dns_net_look_up(&net, "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.c.d2.example.test.",
                          DNS_A);
    assert_true(net.queries <= RESOLVER_MINIMISE_MAX + 1);
}

static void test_aliases(void **state UNUSED)
{
    check_reply("alias.example.test.", DNS_A,
                "NOERROR rd ra; an alias.example.test. 300 IN CNAME www.example.test.; "
                "an www.example.test. 300 IN A 203.0.113.1; "
                "an www.example.test. 300 IN A 203.0.113.2");
    check_reply("out.example.test.", DNS_A,
                "NOERROR rd ra; an out.example.test. 299 IN CNAME www.other.test.; "
                "an www.other.test. 300 IN A 203.0.113.9");
    check_log("192.0.2.2 out.example.test. A; 192.0.2.1 other.test. A; "
              "192.0.2.3 www.other.test. A; ");
    check_reply("www.d.example.test.", DNS_A,
                "NOERROR rd ra; an d.example.test. 300 IN DNAME other.test.; "
                "an www.d.example.test. 300 IN CNAME www.other.test.; "
                "an www.other.test. 299 IN A 203.0.113.9");
    check_reply("loop1.example.test.", DNS_A, "SERVFAIL rd ra");
    struct resolver_counters counters;
    resolver_counters(net.resolver, &counters);
    assert_int_equal(counters.too_many_aliases, 1);
}

static void test_negative(void **state UNUSED)
{
    check_reply("nobody.example.test.", DNS_A,
                "NXDOMAIN rd ra; ns example.test. 60 IN SOA ns.example.test. admin.test. 1 2 3 4 "
                "60");
    check_reply("below.nobody.example.test.", DNS_MX, /* RFC 8020 */
                "NXDOMAIN rd ra; ns example.test. 60 IN SOA ns.example.test. admin.test. 1 2 3 4 "
                "60");
    check_log("");
    check_reply("www.example.test.", DNS_MX,
                "NOERROR rd ra; ns example.test. 60 IN SOA ns.example.test. admin.test. 1 2 3 4 "
                "60");
    check_reply("www.example.test.", DNS_MX,
                "NOERROR rd ra; ns example.test. 60 IN SOA ns.example.test. admin.test. 1 2 3 4 "
                "60");
    check_log("");
    net.now += 61 * SEC;
    (void)dns_net_look_up(&net, "www.example.test.", DNS_MX);
    check_log("192.0.2.2 www.example.test. MX; ");
}

static void test_glueless(void **state UNUSED)
{
    servers[OTHER].zone = "test.";
    static const char *const lines[] = {
        "test. 60 SOA ns.other.test. admin.test. 1 2 3 4 60",
        "ns.other.test. 3600 A 192.0.2.3", "www.glueless.test. 300 A 203.0.113.10", NULL};
    servers[OTHER].lines = lines;
    net.options.v6 = false;
    check_reply("www.glueless.test.", DNS_A,
                "NOERROR rd ra; an www.glueless.test. 300 IN A 203.0.113.10");
    check_log("198.41.0.4 . NS; 198.41.0.4 test. A; 192.0.2.1 glueless.test. A; "
              "192.0.2.3 www.glueless.test. A; ");
}

/* A server that is dead, lame or refuses: the other one is asked, and remembered as the better. */
static void test_one_of_two(void **state UNUSED)
{
    for (int kind = 0; kind < 4; kind++) {
        if (kind > 0) {
            close_net(NULL);
            open_net(NULL);
        }
        servers[TWO_1].dead = kind == 0;
        servers[TWO_1].rcode = kind == 1 ? DNS_REFUSED : kind == 2 ? DNS_SERVFAIL : 0;
        servers[TWO_1].upward = kind == 3;
        for (int i = 0; i < 3; i++) {
            check_reply("www.two.test.", DNS_A,
                        "NOERROR rd ra; an www.two.test. 300 IN A 203.0.113.20");
            net.now += 301 * SEC;
        }
        assert_int_equal(servers[EXTRA].asked, 0);
    }
}

static void test_all_dead(void **state UNUSED)
{
    servers[TWO_1].dead = servers[TWO_2].dead = true;
    usec begun = net.now;
    check_reply("www.two.test.", DNS_A, "SERVFAIL rd ra");
    assert_true(net.now - begun <= RESOLVER_TIMEOUT + SEC && net.queries < 30);
    check_reply("www.two.test.", DNS_A, "SERVFAIL rd ra"); /* RFC 9520 */
    assert_int_equal(net.queries, 0);
    servers[TWO_1].dead = false;
    net.now += 400 * SEC;
    check_reply("www.two.test.", DNS_A, "NOERROR rd ra; an www.two.test. 300 IN A 203.0.113.20");
}

/* How long it is SERVFAIL without a query, after it was asked for so often; in seconds. */
static unsigned refusal_of(const char *name, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        check_reply(name, DNS_A, "SERVFAIL rd ra");
        while (net.queries == 0) {
            net.now += SEC;
            check_reply(name, DNS_A, "SERVFAIL rd ra");
        }
    }
    for (unsigned seconds = 0;; seconds++, net.now += SEC) {
        check_reply(name, DNS_A, "SERVFAIL rd ra");
        if (net.queries > 0)
            return seconds;
    }
}

/* RFC 9520 §3.2: who hears nothing, perhaps on a path that loses much, asks again soon; who is refused does not. Where
 * the address of a server cannot be had, it is the same. */
static void test_remembered_failures(void **state UNUSED)
{
    servers[TWO_1].dead = servers[TWO_2].dead = true;
    assert_int_equal(refusal_of("www.two.test.", 1), 1);
    assert_in_range(refusal_of("www.two.test.", 10), 10, CACHE_SILENCE_TTL_MAX);
    close_net(NULL);
    open_net(NULL);
    servers[OTHER].dead = true;
    assert_in_range(refusal_of("www.glueless.test.", 10), 10, CACHE_SILENCE_TTL_MAX);
    close_net(NULL);
    open_net(NULL);
    servers[TWO_1].rcode = servers[TWO_2].rcode = DNS_REFUSED;
    assert_int_equal(refusal_of("www.two.test.", 1), 5);
    assert_int_equal(refusal_of("www.two.test.", 10), CACHE_FAILURE_TTL_MAX);
}

static void test_dead_root(void **state UNUSED)
{
    net.options.hint_count = 2;
    assert_true(address_parse(bytes_of_text("198.41.0.4"), &net.options.hints[1]));
    assert_true(address_parse(bytes_of_text("198.41.0.99"), &net.options.hints[0]));
    check_reply("www.other.test.", DNS_A, "NOERROR rd ra; an www.other.test. 300 IN A 203.0.113.9");
    servers[ROOT].dead = true; /* what is below is known */
    check_reply("www.example.test.", DNS_AAAA,
                "NOERROR rd ra; ns example.test. 60 IN SOA ns.example.test. admin.test. 1 2 3 4 60");
    check_reply("www.nowhere.", DNS_A, "SERVFAIL rd ra");
}

static void test_truncation_and_edns(void **state UNUSED)
{
    servers[EXAMPLE].truncates = true;
    servers[TLD].plain = true;
    servers[EXAMPLE].lower_case = true;
    check_reply("www.example.test.", DNS_A,
                "NOERROR rd ra; an www.example.test. 300 IN A 203.0.113.1; "
                "an www.example.test. 300 IN A 203.0.113.2");
    check_log("198.41.0.4 . NS; 198.41.0.4 test. A; 192.0.2.1 example.test. A; "
              "192.0.2.1 example.test. A; 192.0.2.2 www.example.test. A; "
              "192.0.2.2 www.example.test. A; tcp 192.0.2.2 www.example.test. A; ");
}

/* ---- hostile servers ---- */

static struct bytes say(struct bytes query, const char *const *answer, const char *const *authority,
                        const char *const *additional, uint8_t *buffer)
{
    /* dns_text_reply() has two sections; what is additional is put behind by hand. */
    struct dns_summary s;
    struct dns_builder b;
    assert_int_equal(dns_summarise(query, &s), WIRE_OK);
    dns_build_start(&b, buffer, DNS_MESSAGE_MAX);
    assert_true(dns_build_question(&b, &s.question));
    const char *const *sections[] = {answer, authority, additional};
    for (size_t i = 0; i < 3; i++) {
        dns_build_section(&b, (enum dns_section)(DNS_ANSWER + i));
        for (const char *const *line = sections[i]; line != NULL && *line != NULL; line++) {
            uint8_t rdata[512];
            char reason[100];
            struct writer w = writer_of(rdata, sizeof rdata);
            struct dns_error error = dns_error_of(reason, sizeof reason);
            struct dns_record r;
            struct dns_line_context context = {.ttl = 60};
            assert_true(dns_record_parse(bytes_of_text(*line), &context, &w, &r, &error));
            assert_true(dns_build_record(
                &b, &(struct dns_build_record){&r.owner, r.type, r.class, r.ttl, r.rdata}));
        }
    }
    return dns_build_finish(&b, s.header.id, DNS_QR | DNS_AA);
}

static struct bytes poison(const struct dns_net_server *server UNUSED, struct bytes query,
                           uint8_t *buffer)
{
    static const char *const answer[] = {"www.example.test. 300 CNAME www.other.test.",
                                         "www.other.test. 86400 A 192.0.2.66", NULL};
    static const char *const authority[] = {"test. 86400 NS ns.evil.test.",
                                            "other.test. 86400 NS ns.evil.test.",
                                            ". 86400 NS ns.evil.test.", NULL};
    static const char *const additional[] = {"ns.evil.test. 86400 A 192.0.2.66",
                                             "ns.other.test. 86400 A 192.0.2.66",
                                             "ns.test. 86400 A 192.0.2.66", NULL};
    return say(query, answer, authority, additional, buffer);
}

static void test_poison(void **state UNUSED)
{
    servers[EXAMPLE].reply = poison;
    check_reply("www.example.test.", DNS_A,
                "NOERROR rd ra; an www.example.test. 299 IN CNAME www.other.test.; "
                "an www.other.test. 300 IN A 203.0.113.9");
    check_reply("www.two.test.", DNS_A, "NOERROR rd ra; an www.two.test. 300 IN A 203.0.113.20");
    assert_int_equal(servers[EXTRA].asked, 0);
}

static struct bytes poison_by_glue(const struct dns_net_server *server UNUSED, struct bytes query,
                                   uint8_t *buffer)
{
    static const char *const authority[] = {"sub.example.test. 86400 NS ns.other.test.", NULL};
    static const char *const additional[] = {"ns.other.test. 86400 A 192.0.2.66", NULL};
    return say(query, NULL, authority, additional, buffer);
}

static void test_poison_by_glue(void **state UNUSED)
{
    servers[EXAMPLE].reply = poison_by_glue;
    (void)dns_net_look_up(&net, "www.sub.example.test.", DNS_A);
    assert_int_equal(servers[EXTRA].asked, 0);
    assert_int_equal(servers[OTHER].asked > 0, 1);
}

/* Two zones whose servers are named in each other. */
static void test_ring(void **state UNUSED)
{
    usec begun = net.now;
    check_reply("www.ringa.test.", DNS_A, "SERVFAIL rd ra");
    assert_true(net.queries < 30 && net.now - begun <= RESOLVER_TIMEOUT);
}

/* NXNSAttack: a referral to very many servers without addresses. */
static struct bytes attack(const struct dns_net_server *server UNUSED, struct bytes query,
                           uint8_t *buffer)
{
    static char text[120][64];
    static const char *lines[121];
    static unsigned serial;
    for (size_t i = 0; i < 120; i++) {
        snprintf(text[i], sizeof text[i], "sub.example.test. 60 NS x%u.two.test.", serial++);
        lines[i] = text[i];
    }
    return say(query, NULL, lines, NULL, buffer);
}

static void test_attack(void **state UNUSED)
{
    servers[EXAMPLE].reply = attack;
    check_reply("www.sub.example.test.", DNS_A, "SERVFAIL rd ra");
    unsigned victim = servers[TWO_1].asked + servers[TWO_2].asked;
    if (victim > 2 * RESOLVER_FETCHES_MAX)
        fail_msg("the victim was asked %u times", victim);
}

/* Each query gets another referral, one label down; and one that never ends sideways. */
static struct bytes endless(const struct dns_net_server *server UNUSED, struct bytes query,
                            uint8_t *buffer)
{
    struct dns_summary s;
    char name[DNS_NAME_TEXT_MAX], ns[DNS_NAME_TEXT_MAX + 32];
    assert_int_equal(dns_summarise(query, &s), WIRE_OK);
    dns_name_format(&s.question.name, name);
    snprintf(ns, sizeof ns, "%s 60 NS ns.example.test.", name);
    const char *const authority[] = {ns, NULL};
    static const char *const additional[] = {"ns.example.test. 60 A 192.0.2.2", NULL};
    return say(query, NULL, authority, additional, buffer);
}

static void test_endless_referrals(void **state UNUSED)
{
    servers[EXAMPLE].reply = endless;
    (void)dns_net_look_up(&net, "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.example.test.", DNS_A);
    assert_true(net.queries <= 25); /* each leads down, so labels are what it takes */
}

static struct bytes endless_aliases(const struct dns_net_server *server UNUSED, struct bytes query,
                                    uint8_t *buffer)
{
    static unsigned serial;
    struct dns_summary s;
    char name[DNS_NAME_TEXT_MAX], line[2 * DNS_NAME_TEXT_MAX];
    assert_int_equal(dns_summarise(query, &s), WIRE_OK);
    dns_name_format(&s.question.name, name);
    snprintf(line, sizeof line, "%s 60 CNAME n%u.example.test.", name, serial++);
    const char *const answer[] = {line, NULL};
    return say(query, answer, NULL, NULL, buffer);
}

static void test_endless_aliases(void **state UNUSED)
{
    servers[EXAMPLE].reply = endless_aliases;
    check_reply("www.example.test.", DNS_A, "SERVFAIL rd ra");
    assert_true(net.queries <= RESOLVER_ALIASES_MAX + 5);
}

/* ---- many ---- */

static void test_collapsing(void **state UNUSED)
{
    for (int i = 0; i < 100; i++)
        assert_int_equal(dns_net_ask(&net, "www.example.test.", DNS_A), RESOLVER_TAKEN);
    dns_net_run(&net, USEC_NEVER);
    assert_int_equal(net.replies, 100);
    assert_int_equal(net.queries, 4);
}

static void test_full(void **state UNUSED)
{
    servers[ROOT].dead = true;
    char name[64];
    unsigned taken = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "n%d.nowhere.", i);
        enum resolver_verdict verdict = dns_net_ask(&net, name, DNS_A);
        assert_true(verdict == RESOLVER_TAKEN || verdict == RESOLVER_FULL);
        taken += verdict == RESOLVER_TAKEN;
    }
    assert_int_equal(taken, RESOLVER_TASKS);
    dns_net_run(&net, USEC_NEVER);
    assert_int_equal(net.replies, taken);
    servers[ROOT].dead = false;
    net.now += 600 * SEC;
    check_reply("www.other.test.", DNS_A, "NOERROR rd ra; an www.other.test. 300 IN A 203.0.113.9");
    struct resolver_counters counters;
    resolver_counters(net.resolver, &counters);
    assert_int_equal(counters.waiting, 0);
}

static void test_loss(void **state UNUSED)
{
    unsigned failed = 0;
    net.loss = 300000;
    for (int i = 0; i < 200; i++) {
        const char *reply = dns_net_look_up(
            &net, i % 2 == 0 ? "www.two.test." : "out.example.test.", DNS_A);
        failed += strstr(reply, "203.0.113.") == NULL;
        net.now += 301 * SEC;
    }
    if (failed > 4)
        fail_msg("%u of 200 without an answer", failed);
}

static void test_delegation_changes(void **state UNUSED)
{
    static const char *moved[ARRAY_LEN(test_lines)];
    (void)dns_net_look_up(&net, "www.two.test.", DNS_A);
    memcpy(moved, test_lines, sizeof test_lines);
    for (size_t i = 0; moved[i] != NULL; i++) {
        if (strstr(moved[i], "ns1.two.test. 3600 A") != NULL)
            moved[i] = "ns1.two.test. 3600 A 192.0.2.3";
        if (strstr(moved[i], "ns2.two.test. 3600 A") != NULL)
            moved[i] = "ns2.two.test. 3600 A 192.0.2.3";
    }
    servers[TLD].lines = moved;
    servers[OTHER].zone = "two.test.";
    servers[OTHER].lines = two_lines;
    servers[TWO_1].dead = true;
    servers[TWO_2].rcode = DNS_REFUSED;
    net.now += 301 * SEC;
    check_reply("www.two.test.", DNS_A, "NOERROR rd ra; an www.two.test. 300 IN A 203.0.113.20");
}

static void test_stale(void **state UNUSED)
{
    net.options.stale = true;
    net.cache_options.stale_max = 86400;
    (void)dns_net_look_up(&net, "www.other.test.", DNS_A);
    for (size_t i = 0; i < SERVERS; i++)
        servers[i].dead = true;
    net.now += 4000 * SEC;
    check_reply("www.other.test.", DNS_A, "NOERROR rd ra; an www.other.test. 30 IN A 203.0.113.9");
    check_reply("www.two.test.", DNS_A, "SERVFAIL rd ra");
}

static void test_prefetch(void **state UNUSED)
{
    (void)dns_net_look_up(&net, "short.example.test.", DNS_A);
    net.now += 10 * SEC;
    (void)dns_net_look_up(&net, "short.example.test.", DNS_A);
    assert_int_equal(net.queries, 0);
    net.now += 9 * SEC;
    check_reply("short.example.test.", DNS_A,
                "NOERROR rd ra; an short.example.test. 1 IN A 203.0.113.6");
    check_log("192.0.2.2 short.example.test. A; ");
    net.now += 9 * SEC;
    (void)dns_net_look_up(&net, "short.example.test.", DNS_A);
    assert_int_equal(net.queries, 0);
}

static void test_forwards(void **state UNUSED)
{
    static const char *const lines[] = {"corp. 60 SOA a. b. 1 2 3 4 60", "www.corp. 60 CNAME x.corp.",
                                        "x.corp. 60 A 203.0.113.77", NULL};
    servers[EXTRA] = (struct dns_net_server){
        .address = "192.0.2.66", .zone = "corp.", .lines = lines, .recursive = true};
    net.options.forward_count = 1;
    net.options.forwards[0] = (struct resolver_forward){.domain = dns_text_name("corp."),
                                                        .count = 1};
    assert_true(endpoint_parse(bytes_of_text("192.0.2.66:5300"),
                               &net.options.forwards[0].servers[0]));
    check_reply("www.corp.", DNS_A,
                "NOERROR rd ra; an www.corp. 60 IN CNAME x.corp.; an x.corp. 60 IN A 203.0.113.77");
    check_log("192.0.2.66 www.corp. A; ");
    check_reply("nobody.corp.", DNS_A, "NXDOMAIN rd ra; ns corp. 60 IN SOA a. b. 1 2 3 4 60");
    check_reply("www.other.test.", DNS_A, "NOERROR rd ra; an www.other.test. 300 IN A 203.0.113.9");
}

/* All names: in their order, without the root; who is silent comes last, who fails once does not. */
static void test_forwards_of_all(void **state UNUSED)
{
    static const char *const lines[] = {". 60 SOA a. b. 1 2 3 4 60", "www.corp. 60 A 203.0.113.77",
                                        "x.corp. 60 A 203.0.113.78", "y.corp. 60 A 203.0.113.79",
                                        "z.corp. 60 A 203.0.113.80", NULL};
    servers[TWO_1] = servers[EXTRA] =
        (struct dns_net_server){.zone = ".", .lines = lines, .recursive = true};
    servers[TWO_1].address = "192.0.2.11";
    servers[EXTRA].address = "192.0.2.66";
    servers[TWO_1].rcode = DNS_SERVFAIL;
    net.options.forward_count = 1;
    struct resolver_forward *f = &net.options.forwards[0];
    *f = (struct resolver_forward){.domain = dns_text_name("."), .count = 2};
    assert_true(endpoint_parse(bytes_of_text("192.0.2.11:53"), &f->servers[0]));
    assert_true(endpoint_parse(bytes_of_text("192.0.2.66:53"), &f->servers[1]));
    check_reply("www.corp.", DNS_A, "NOERROR rd ra; an www.corp. 60 IN A 203.0.113.77");
    check_log("192.0.2.11 www.corp. A; 192.0.2.66 www.corp. A; ");
    servers[TWO_1].rcode = 0;
    check_reply("x.corp.", DNS_A, "NOERROR rd ra; an x.corp. 60 IN A 203.0.113.78");
    check_log("192.0.2.11 x.corp. A; ");
    servers[TWO_1].dead = true;
    check_reply("y.corp.", DNS_A, "NOERROR rd ra; an y.corp. 60 IN A 203.0.113.79");
    check_log("192.0.2.11 y.corp. A; 192.0.2.66 y.corp. A; ");
    check_reply("z.corp.", DNS_A, "NOERROR rd ra; an z.corp. 60 IN A 203.0.113.80");
    check_log("192.0.2.66 z.corp. A; ");
    /* Nobody to ask: that is the end of it, and the root is not asked. */
    close_net(NULL);
    open_net(NULL);
    net.options.forward_count = 1;
    net.options.forwards[0] = (struct resolver_forward){.domain = dns_text_name(".")};
    check_reply("www.test.", DNS_A, "SERVFAIL rd ra");
    check_log("");
}

/* Servers are asked by the versions that we have. */
static void test_versions(void **state UNUSED)
{
    net.options.v4 = false;
    check_reply("www.other.test.", DNS_A, "SERVFAIL rd ra");
    assert_int_equal(net.queries, 0);
}

/* What does not fit is left out whole; who has room gets it. */
static void test_long_replies(void **state UNUSED)
{
    static char text[12][100];
    static const char *lines[14] = {"other.test. 3600 SOA ns.other.test. a.test. 1 2 3 4 60"};
    for (size_t i = 0; i < 12; i++) {
        snprintf(text[i], sizeof text[i], "long.other.test. 60 TXT \"%060zu\"", i);
        lines[i + 1] = text[i];
    }
    servers[OTHER].lines = lines;
    net.limit = DNS_UDP_SIZE_MIN;
    check_reply("long.other.test.", DNS_TXT, "NOERROR tc rd ra");
    check_reply("long.other.test.", DNS_TXT, "NOERROR tc rd ra");
    net.limit = 0;
    assert_memory_equal(dns_net_look_up(&net, "long.other.test.", DNS_TXT), "NOERROR rd ra; an", 17);
    assert_int_equal(net.queries, 0);
}

/* RFC 6147: who has no IPv6 address gets one made of the other. */
static void test_dns64(void **state UNUSED)
{
    static const char *const lines[] = {
        "other.test. 3600 SOA ns.other.test. admin.test. 1 2 3 4 60",
        "four.other.test. 300 A 192.0.2.33", "six.other.test. 300 AAAA 2001:db8::1",
        "six.other.test. 300 A 192.0.2.34", "mapped.other.test. 300 TYPE28 \\# 16 00000000000000000000ffffc0000209",
        "mapped.other.test. 300 A 192.0.2.35", "text.other.test. 300 TXT x",
        "alias.other.test. 300 CNAME four.other.test.", NULL};
    static const struct {
        const char *prefix;
        const char *want;
    } made[] = {
        {"2001:db8::/32", "2001:db8:c000:221::"},
        {"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
        {"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
        {"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
        {"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"},
        {"2001:db8:122:344::/96", "2001:db8:122:344::c000:221"},
        {"64:ff9b::/96", "64:ff9b::c000:221"},
    }; /* RFC 6052 §2.4 */
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        char want[200];
        close_net(NULL);
        open_net(NULL);
        servers[OTHER].lines = lines;
        assert_true(prefix_parse(bytes_of_text(made[i].prefix), &net.options.dns64));
        assert_true(dns64_valid(&net.options.dns64));
        snprintf(want, sizeof want, "NOERROR rd ra; an four.other.test. 59 IN AAAA %s", made[i].want);
        check_reply("four.other.test.", DNS_AAAA, want);
        check_reply("four.other.test.", DNS_AAAA, want);
        check_log("");
    }
    check_reply("six.other.test.", DNS_AAAA, "NOERROR rd ra; an six.other.test. 300 IN AAAA 2001:db8::1");
    check_reply("mapped.other.test.", DNS_AAAA,
                "NOERROR rd ra; an mapped.other.test. 300 IN AAAA 64:ff9b::c000:223");
    check_reply("alias.other.test.", DNS_AAAA,
                "NOERROR rd ra; an alias.other.test. 300 IN CNAME four.other.test.; "
                "an four.other.test. 60 IN AAAA 64:ff9b::c000:221");
    check_reply("text.other.test.", DNS_AAAA,
                "NOERROR rd ra; ns other.test. 59 IN SOA ns.other.test. admin.test. 1 2 3 4 60");
    assert_memory_equal(dns_net_look_up(&net, "gone.other.test.", DNS_AAAA), "NXDOMAIN", 8);
    net.dnssec_ok = net.edns = true;
    net.flags = DNS_CD; /* he looks himself (§5.5) */
    check_reply("four.other.test.", DNS_AAAA,
                "NOERROR rd ra cd; ns other.test. 59 IN SOA ns.other.test. admin.test. 1 2 3 4 60; "
                "edns 1232 do");
    struct ip_prefix wrong[] = {{net.options.dns64.address, 95}, {address_v4(1), 32}};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(dns64_valid(&wrong[i]));
}

/* Other roots: what the ones before have said is forgotten. */
static void test_other_roots(void **state UNUSED)
{
    (void)dns_net_look_up(&net, "www.example.test.", DNS_A);
    static struct resolver_options options;
    options = net.options;
    assert_false(resolver_set_roots(net.resolver, &options));
    (void)dns_net_look_up(&net, "www.example.test.", DNS_A);
    assert_int_equal(net.queries, 0);
    assert_true(address_parse(bytes_of_text("198.41.0.99"), &options.hints[1]));
    options.hint_count = 2;
    assert_true(resolver_set_roots(net.resolver, &options));
    check_reply("www.other.test.", DNS_A, "NOERROR rd ra; an www.other.test. 300 IN A 203.0.113.9");
    assert_true(net.queries >= 4);
}

/* ---- lists ---- */

static void *grow(void *self UNUSED, void *old, size_t old_size UNUSED, size_t new_size)
{
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

static struct policy *make_list(const char *const *lines)
{
    struct heap heap = {.resize = grow};
    struct dns_name origin = dns_text_name("rpz.");
    struct policy *policy = policy_new(&heap, &origin, 100);
    for (; *lines != NULL; lines++) {
        uint8_t rdata[512];
        char reason[100];
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_record record;
        struct dns_line_context context = {.origin = &origin, .ttl = 5};
        assert_true(dns_record_parse(bytes_of_text(*lines), &context, &w, &record, &error));
        assert_int_equal(policy_add(policy, &record), POLICY_OK);
    }
    return policy;
}

#define NEGATIVE "NXDOMAIN rd ra"

static void test_policy_by_name(void **state UNUSED)
{
    static const char *const first[] = {"www.two.test CNAME rpz-passthru.", NULL};
    static const char *const second[] = {
        "www.example.test CNAME .", "*.two.test CNAME .", "www.other.test A 192.0.2.200",
        "gone.example.test CNAME *.", "quiet.example.test CNAME rpz-drop.",
        "slow.example.test CNAME rpz-tcp-only.", "walled.example.test CNAME www.other.test.",
        "*.garden.test CNAME *.two.test.", NULL};
    struct policy *lists[] = {make_list(first), make_list(second)};
    struct resolver_policies policies = {2, {lists[0], lists[1]}};
    net.policies = &policies;
    check_reply("www.example.test.", DNS_A, NEGATIVE);
    check_log(""); /* nobody was asked for it */
    check_reply("alias.example.test.", DNS_A, /* where a chain leads */
                "NXDOMAIN rd ra; an alias.example.test. 300 IN CNAME www.example.test.");
    check_reply("www.two.test.", DNS_A, "NOERROR rd ra; an www.two.test. 300 IN A 203.0.113.20");
    check_reply("other.two.test.", DNS_A, NEGATIVE);
    check_reply("www.other.test.", DNS_A, "NOERROR rd ra; an www.other.test. 5 IN A 192.0.2.200");
    check_reply("www.other.test.", DNS_AAAA, "NOERROR rd ra");
    check_reply("gone.example.test.", DNS_A, "NOERROR rd ra");
    check_reply("quiet.example.test.", DNS_A, "dropped");
    check_reply("slow.example.test.", DNS_A, "NOERROR tc rd ra");
    net.stream = true;
    assert_memory_equal(dns_net_look_up(&net, "slow.example.test.", DNS_A), "NXDOMAIN rd ra; ns", 18);
    net.stream = false;
    check_reply("walled.example.test.", DNS_A, /* it leads there, and no list counts any more */
                "NOERROR rd ra; an walled.example.test. 5 IN CNAME www.other.test.; "
                "an www.other.test. 300 IN A 203.0.113.9");
    check_reply("www.garden.test.", DNS_A,
                "NXDOMAIN rd ra; an www.garden.test. 5 IN CNAME www.garden.test.two.test.; "
                "ns two.test. 60 IN SOA ns1.two.test. admin.test. 1 2 3 4 60");
    struct resolver_counters counters;
    resolver_counters(net.resolver, &counters);
    assert_int_equal(counters.policies[POLICY_DROP], 1);
    assert_int_equal(counters.policies[POLICY_NXDOMAIN], 3);
    policy_free(lists[0]);
    policy_free(lists[1]);
}

/* By what is found: addresses in the answer, servers, and their addresses; and by the client. */
static void test_policy_by_what_is_found(void **state UNUSED)
{
    static const char *const ip[] = {"32.1.113.0.203.rpz-ip CNAME .", NULL};
    static const char *const nsdname[] = {"ns.other.test.rpz-nsdname CNAME *.", NULL};
    static const char *const nsip[] = {"24.0.2.0.192.rpz-nsip A 192.0.2.201", NULL};
    static const char *const client[] = {"8.0.0.0.127.rpz-client-ip CNAME .", NULL};
    static const char *const both[] = {"www.example.test CNAME rpz-passthru.",
                                       "32.1.113.0.203.rpz-ip CNAME .", NULL};
    static const struct {
        const char *const *lines[2];
        const char *name;
        const char *want;
    } cases[] = {
        {{ip}, "www.example.test.", NEGATIVE},
        {{ip}, "www.two.test.", "NOERROR rd ra; an www.two.test. 300 IN A 203.0.113.20"},
        {{nsdname}, "www.other.test.", "NOERROR rd ra"},
        {{nsip}, "www.two.test.", "NOERROR rd ra; an www.two.test. 5 IN A 192.0.2.201"},
        {{client}, "www.two.test.", NEGATIVE},
        {{both}, "www.example.test.", /* in one list names come before addresses */
         "NOERROR rd ra; an www.example.test. 300 IN A 203.0.113.1; "
         "an www.example.test. 300 IN A 203.0.113.2"},
        {{ip, both}, "www.example.test.", NEGATIVE}, /* of two lists the first counts */
        {{both, ip}, "www.example.test.",
         "NOERROR rd ra; an www.example.test. 300 IN A 203.0.113.1; "
         "an www.example.test. 300 IN A 203.0.113.2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct resolver_policies policies = {0};
        struct policy *lists[2];
        close_net(NULL);
        open_net(NULL);
        for (; policies.count < 2 && cases[i].lines[policies.count] != NULL; policies.count++)
            policies.lists[policies.count] = lists[policies.count] =
                make_list(cases[i].lines[policies.count]);
        net.policies = &policies;
        check_reply(cases[i].name, DNS_A, cases[i].want);
        check_reply(cases[i].name, DNS_A, cases[i].want); /* out of the cache, too */
        check_log("");
        while (policies.count > 0)
            policy_free(lists[--policies.count]);
    }
}

static void test_any(void **state UNUSED)
{
    check_reply("www.example.test.", DNS_ANY,
                "NOERROR rd ra; an www.example.test. 3600 IN HINFO \"RFC8482\" \"\"");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_net, close_net)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_story),          TEST(test_without_minimisation),
        TEST(test_minimisation),   TEST(test_aliases),
        TEST(test_negative),       TEST(test_glueless),
        TEST(test_one_of_two),     TEST(test_all_dead),
        TEST(test_remembered_failures), TEST(test_dead_root),      TEST(test_truncation_and_edns),
        TEST(test_poison),         TEST(test_poison_by_glue),
        TEST(test_ring),           TEST(test_attack),
        TEST(test_endless_referrals), TEST(test_endless_aliases),
        TEST(test_collapsing),     TEST(test_full),
        TEST(test_loss),           TEST(test_delegation_changes),
        TEST(test_stale),          TEST(test_prefetch),
        TEST(test_forwards),       TEST(test_forwards_of_all),
        TEST(test_versions),       TEST(test_any),
        TEST(test_dns64),          TEST(test_other_roots),
        TEST(test_long_replies),   TEST(test_policy_by_name),
        TEST(test_policy_by_what_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

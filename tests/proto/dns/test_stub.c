/* SPDX-License-Identifier: ISC */
/* test_stub.c - names looked for by a host: searches, servers that are dead or lie, both versions at once. */
#include "proto/dns/stub.h"

#include "proto/dns/hosts_file.h"
#include <strings.h>

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

enum { PENDING_MAX = 16, LOG_SIZE = 2048 };

static const struct record {
    const char *name;
    uint16_t type;
    unsigned rcode;
    const char *lines[4];
} records[] = {
    {"www.test", DNS_A, 0, {"www.test. 60 IN A 192.0.2.1", "www.test. 60 IN A 192.0.2.2"}},
    {"www.test", DNS_AAAA, 0, {"www.test. 60 IN AAAA 2001:db8::1"}},
    {"four.test", DNS_A, 0, {"four.test. 60 IN A 192.0.2.4"}},
    {"four.test", DNS_AAAA, 0, {NULL}},
    {"alias.test", DNS_A, 0, {"c.test. 60 IN A 192.0.2.9", "alias.test. 60 IN CNAME b.test.", "b.test. 60 IN CNAME c.test."}},
    {"alias.test", DNS_AAAA, 0, {"alias.test. 60 IN CNAME b.test.", "b.test. 60 IN CNAME c.test."}},
    {"loop.test", DNS_A, 0, {"loop.test. 60 IN CNAME loop.test.", "other.test. 60 IN A 192.0.2.66"}},
    {"host.one.test", DNS_A, 0, {NULL}},
    {"host.one.test", DNS_AAAA, 0, {NULL}},
    {"host.two.test", DNS_A, 0, {"host.two.test. 60 IN A 192.0.2.22"}},
    {"ill.one.test", DNS_A, DNS_SERVFAIL, {NULL}},
    {"ill.one.test", DNS_AAAA, DNS_SERVFAIL, {NULL}},
    {"ill.two.test", DNS_A, 0, {"ill.two.test. 60 IN A 192.0.2.6"}},
    {"half.test", DNS_A, 0, {"half.test. 60 IN A 192.0.2.5"}},
    {"half.test", DNS_AAAA, DNS_SERVFAIL, {NULL}},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, 0, {"1.2.0.192.in-addr.arpa. 60 IN PTR www.test."}},
};

struct world {
    struct resolv_conf conf;
    struct stub stub;
    struct prng prng;
    usec now;
    unsigned dead;       /* a bit for each server */
    bool refuses;        /* the dead ones say so by ICMP */
    bool truncates;
    bool forges;         /* every reply is preceded by one with another id */
    unsigned most;       /* questions under way at once */
    char log[LOG_SIZE];  /* "1:www.test. A; …": server, name in lower case, type, "t" for TCP */
    struct text said;
    struct pending {
        usec at;
        size_t question;
        struct endpoint server;
        bool broken;
        size_t len;
        uint8_t octets[1024];
    } pending[PENDING_MAX];
    size_t pending_count;
};

static const struct record *find(const char *name, uint16_t type, bool *known)
{
    *known = false;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        if (strcasecmp(records[i].name, name) != 0)
            continue;
        *known = true;
        if (records[i].type == type)
            return &records[i];
    }
    return NULL;
}

static struct pending *add_pending(struct world *w, size_t question, const struct endpoint *server,
                                   usec delay)
{
    /* The socket of the attempt before is gone, and what comes to it. */
    for (size_t i = 0; i < w->pending_count;)
        if (w->pending[i].question == question && delay == 10)
            w->pending[i] = w->pending[--w->pending_count];
        else
            i++;
    assert_true(w->pending_count < PENDING_MAX);
    struct pending *p = &w->pending[w->pending_count++];
    *p = (struct pending){.at = w->now + delay * USEC_PER_MSEC, .question = question, .server = *server};
    return p;
}

static void make_reply(struct world *w, struct pending *p, struct bytes query, bool stream)
{
    struct dns_summary summary;
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    bool known;
    assert_int_equal(dns_summarise(query, &summary), WIRE_OK);
    dns_name_format(&summary.question.name, name);
    for (char *c = name; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    text_add_format(&w->said, "%s%u:%s %s%s", w->said.len > 0 ? "; " : "",
                    p->server.address.octets[15], name, dns_type_format(summary.question.type, type),
                    stream ? " t" : "");
    name[strlen(name) - 1] = '\0';
    const struct record *record = find(name, summary.question.type, &known);
    unsigned rcode = record != NULL ? record->rcode : known ? DNS_NOERROR : DNS_NXDOMAIN;
    uint16_t flags = (uint16_t)(DNS_QR | DNS_RD | DNS_RA | DNS_AD | rcode);
    if (w->truncates && !stream)
        flags |= DNS_TC;
    struct bytes reply = dns_text_reply(query, flags, record != NULL && !(flags & DNS_TC) ? record->lines : NULL,
                                        NULL, p->octets, sizeof p->octets);
    p->len = reply.len;
    if (reply.data != p->octets)
        memmove(p->octets, reply.data, reply.len);
}

static void send_all(struct world *w)
{
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct dns_client_send send;
    size_t question;
    unsigned waiting = 0;
    while (stub_next(&w->stub, &w->prng, w->now, buffer, &question, &send)) {
        unsigned which = send.server.address.octets[15];
        struct pending *p = add_pending(w, question, &send.server, 10);
        make_reply(w, p, send.message, send.stream);
        if ((w->dead & 1u << which) != 0 && w->refuses)
            p->broken = true;
        else if ((w->dead & 1u << which) != 0)
            w->pending_count--;
        else if (w->forges) {
            struct pending *forged = add_pending(w, question, &send.server, 5);
            memcpy(forged->octets, p->octets, p->len);
            forged->len = p->len;
            forged->octets[0] ^= 1;
        }
    }
    for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
        waiting += stub_waits(&w->stub, i);
    if (waiting > w->most)
        w->most = waiting;
}

static void run(struct world *w)
{
    send_all(w);
    for (int steps = 0; !stub_finished(&w->stub); steps++) {
        assert_true(steps < 1000);
        size_t first = w->pending_count;
        usec at = stub_deadline(&w->stub);
        for (size_t i = 0; i < w->pending_count; i++)
            if (w->pending[i].at <= at) {
                at = w->pending[i].at;
                first = i;
            }
        assert_true(at != USEC_NEVER && at >= w->now);
        w->now = at;
        if (first == w->pending_count) {
            stub_tick(&w->stub, w->now);
        } else {
            struct pending p = w->pending[first];
            w->pending[first] = w->pending[--w->pending_count];
            uint8_t *copy = exact_copy(p.octets, p.len);
            if (p.broken)
                stub_broken(&w->stub, p.question, w->now);
            else
                stub_input(&w->stub, p.question, &p.server, bytes_of(copy, p.len), w->now);
            free(copy);
        }
        send_all(w);
    }
}

static void start(struct world *w, const char *conf, const char *typed)
{
    resolv_conf_init(&w->conf);
    resolv_conf_parse(bytes_of_text(conf), &w->conf);
    prng_init_number(&w->prng, 1);
    w->said = text_of(w->log, sizeof w->log);
    w->now = USEC_PER_SEC;
    stub_start(&w->stub, &w->conf, bytes_of_text(typed), true, !w->conf.no_aaaa, 0, w->now);
}

#define ONE "nameserver 192.0.2.1\n"
#define TWO ONE "nameserver 192.0.2.2\n"
#define SEARCH ONE "search one.test two.test\n"

static void names_are_searched_for(void **state UNUSED)
{
    static const struct {
        const char *name, *conf, *typed;
        enum stub_result result;
        const char *found; /* the addresses, and the canonical name */
        const char *log;
    } cases[] = {
        {"both versions", ONE, "www.test", STUB_FOUND, "192.0.2.1 192.0.2.2 2001:db8::1 www.test.",
         "1:www.test. A; 1:www.test. AAAA"},
        {"one of them", ONE, "four.test.", STUB_FOUND, "192.0.2.4 four.test.",
         "1:four.test. A; 1:four.test. AAAA"},
        {"aliases in any order", ONE, "alias.test", STUB_FOUND, "192.0.2.9 c.test.", NULL},
        {"an alias of itself", ONE, "loop.test", STUB_NO_DATA, "", NULL},
        {"no such name", ONE, "nobody.test", STUB_NO_NAME, "", NULL},
        {"nothing of that kind, then a name with something", SEARCH, "host", STUB_FOUND,
         "192.0.2.22 host.two.test.", "1:host.one.test. A; 1:host.one.test. AAAA; 1:host.two.test. A; "
         "1:host.two.test. AAAA"},
        {"a name with dots as it is first", SEARCH, "www.test", STUB_FOUND,
         "192.0.2.1 192.0.2.2 2001:db8::1 www.test.", "1:www.test. A; 1:www.test. AAAA"},
        {"with dots enough", SEARCH "options ndots:2 no-aaaa", "www.test", STUB_FOUND,
         "192.0.2.1 192.0.2.2 www.test.",
         "1:www.test.one.test. A; 1:www.test.two.test. A; 1:www.test. A"},
        {"with a final dot only as it is", SEARCH, "host.", STUB_NO_NAME, "", "1:host. A; 1:host. AAAA"},
        {"there was a name on the way", SEARCH "search one.test", "host", STUB_NO_DATA, "", NULL},
        {"a server that fails ends the search", SEARCH, "ill", STUB_AGAIN, "",
         "1:ill.one.test. A; 1:ill.one.test. AAAA"},
        {"half an answer is one", ONE, "half.test", STUB_FOUND, "192.0.2.5 half.test.", NULL},
        {"one after the other", ONE "options single-request", "four.test", STUB_FOUND,
         "192.0.2.4 four.test.", "1:four.test. A; 1:four.test. AAAA"},
        {"over TCP", ONE "options use-vc", "four.test", STUB_FOUND, "192.0.2.4 four.test.",
         "1:four.test. A t; 1:four.test. AAAA t"},
        {"localhost is nobody's question", ONE, "a.LocalHost.", STUB_FOUND, "::1 127.0.0.1 a.LocalHost.", ""},
        {"invalid neither", ONE, "www.invalid", STUB_NO_NAME, "", ""},
        {"no name at all", ONE, "a..b", STUB_NO_NAME, "", ""},
        {"nor an empty one", ONE, "", STUB_NO_NAME, "", ""},
        {"nobody to ask", "", "www.test", STUB_AGAIN, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct world w;
        char found[512], text[DNS_NAME_TEXT_MAX];
        struct text t = text_of(found, sizeof found);
        w = (struct world){0};
        start(&w, cases[i].conf, cases[i].typed);
        run(&w);
        CHECK_EQUAL(cases[i].name, w.stub.result, cases[i].result);
        for (size_t j = 0; j < w.stub.address_count; j++)
            text_add_format(&t, "%s ", address_format(&w.stub.addresses[j], text));
        if (w.stub.result == STUB_FOUND) {
            dns_name_format(&w.stub.name, text);
            text_add(&t, text);
        }
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s: found %s", cases[i].name, found);
        if (cases[i].log != NULL && strcmp(w.log, cases[i].log) != 0)
            fail_msg("%s: asked %s", cases[i].name, w.log);
        CHECK_EQUAL(cases[i].name, w.most <= 1, w.conf.single_request || w.log[0] == '\0' || w.conf.no_aaaa);
    }
}

static void dead_servers_are_gone_past(void **state UNUSED)
{
    static struct world w;
    w = (struct world){.dead = 1 << 1};
    start(&w, TWO "options timeout:3 no-aaaa", "four.test");
    run(&w);
    assert_int_equal(w.stub.result, STUB_FOUND);
    assert_string_equal(w.log, "1:four.test. A; 2:four.test. A");
    assert_true(w.now >= 4 * USEC_PER_SEC && w.now < 5 * USEC_PER_SEC);

    w = (struct world){.dead = 1 << 1, .refuses = true};
    start(&w, TWO "options timeout:3 no-aaaa", "four.test");
    run(&w);
    assert_int_equal(w.stub.result, STUB_FOUND);
    assert_true(w.now < 2 * USEC_PER_SEC);

    w = (struct world){.dead = 1 << 1 | 1 << 2};
    start(&w, TWO "options timeout:1 attempts:3 no-aaaa", "four.test");
    run(&w);
    assert_int_equal(w.stub.result, STUB_AGAIN);
    assert_string_equal(w.log, "1:four.test. A; 2:four.test. A; 1:four.test. A; 2:four.test. A; "
                               "1:four.test. A; 2:four.test. A");
    assert_int_equal(w.now, 7 * USEC_PER_SEC);
}

static void rotate_begins_with_another_each_time(void **state UNUSED)
{
    static struct world w;
    for (unsigned turn = 0; turn < 3; turn++) {
        w = (struct world){0};
        start(&w, TWO "options rotate no-aaaa", "");
        stub_start(&w.stub, &w.conf, bytes_of_text("four.test"), true, false, turn, w.now);
        run(&w);
        assert_string_equal(w.log, turn % 2 == 0 ? "1:four.test. A" : "2:four.test. A");
    }
}

static void truncated_replies_are_asked_for_over_tcp(void **state UNUSED)
{
    static struct world w;
    w = (struct world){.truncates = true};
    start(&w, ONE "options no-aaaa", "four.test");
    run(&w);
    assert_int_equal(w.stub.result, STUB_FOUND);
    assert_string_equal(w.log, "1:four.test. A; 1:four.test. A t");
}

static void forged_replies_are_not_believed(void **state UNUSED)
{
    static struct world w;
    w = (struct world){.forges = true};
    start(&w, ONE, "www.test");
    run(&w);
    assert_int_equal(w.stub.result, STUB_FOUND);
    assert_int_equal(w.stub.address_count, 3);
}

static void ad_is_believed_where_the_file_says_so(void **state UNUSED)
{
    static struct world w;
    for (int trusted = 0; trusted < 2; trusted++) {
        w = (struct world){0};
        start(&w, trusted ? ONE "options trust-ad" : ONE, "www.test");
        run(&w);
        assert_int_equal(w.stub.authentic, trusted);
    }
}

static void addresses_have_names(void **state UNUSED)
{
    static struct world w;
    for (uint32_t last = 1; last < 3; last++) {
        char text[DNS_NAME_TEXT_MAX];
        struct ip_address a = address_v4(0xc0000200 + last);
        w = (struct world){0};
        start(&w, ONE, "");
        stub_start_reverse(&w.stub, &w.conf, &a, 0, w.now);
        run(&w);
        assert_int_equal(w.stub.result, last == 1 ? STUB_FOUND : STUB_NO_NAME);
        if (last == 1)
            assert_string_equal(dns_name_format(&w.stub.name, text), "www.test.");
    }
}

static void hosts_are_read_where_they_lie(void **state UNUSED)
{
    static const char content[] = "# comment\n127.0.0.1\tlocalhost\n\n 192.0.2.1  one.test one # two\n"
                                  "not.an.address name\n2001:db8::1 one.test\n192.0.2.3\n::1 ip6-localhost loopback";
    struct bytes rest = bytes_of_text(content);
    struct hosts_line line;
    unsigned lines = 0, one = 0;
    while (hosts_next(&rest, &line)) {
        lines++;
        one += hosts_has(&line, bytes_of_text("ONE.test."));
        CHECK_EQUAL("an alias", hosts_has(&line, bytes_of_text("one")), lines == 2);
        CHECK("a comment", !hosts_has(&line, bytes_of_text("two")));
        CHECK_EQUAL("the last", hosts_has(&line, bytes_of_text("loopback")), lines == 4);
    }
    assert_int_equal(lines, 4);
    assert_int_equal(one, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_searched_for),
        cmocka_unit_test(dead_servers_are_gone_past),
        cmocka_unit_test(rotate_begins_with_another_each_time),
        cmocka_unit_test(truncated_replies_are_asked_for_over_tcp),
        cmocka_unit_test(forged_replies_are_not_believed),
        cmocka_unit_test(ad_is_believed_where_the_file_says_so),
        cmocka_unit_test(addresses_have_names),
        cmocka_unit_test(hosts_are_read_where_they_lie),
    };
    return cmocka_run_group_tests_name("stub", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_mdns.c - hosts on a link that have no name server (RFC 6762): what of theirs they say, and when. */
#include "tests/support/dns_text.h"
#include "tests/support/mdns_link.h"

#define MSEC USEC_PER_MSEC
#define SEC USEC_PER_SEC
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct mdns_link *l;

static int set_up(void **state UNUSED)
{
    l = mdns_link_new(1);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    mdns_link_free(l);
    return 0;
}

static struct endpoint stranger(uint8_t last, uint16_t port)
{
    return (struct endpoint){address_v4(0xc0000200u + last), port};
}

/* What somebody asks of all, without anything that he knows. */
static void ask_as(uint8_t who, const char *question)
{
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(who, MDNS_PORT),
                                               .to = -1,
                                               .questions = LINES(question)});
}

static void ask(const char *question)
{
    ask_as(99, question);
}

static void say(const char *record)
{
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                               .to = -1,
                                               .flags = DNS_QR | DNS_AA,
                                               .answers = LINES(record)});
}

/* One host that has had its name for a while. */
static int settled_host(void)
{
    int a = mdns_link_add(l);
    mdns_link_host(l, a, "foo.local");
    mdns_link_run(l, l->now + 10 * SEC);
    mdns_link_clear(l);
    return a;
}

static int settled_service(int host)
{
    struct mdns_service service = {bytes_of_text("My Printer"), bytes_of_text("_ipp._tcp"), 631,
                                   bytes_empty()};
    int n = mdns_add_service(l->hosts[host], 0, &service, l->now);
    assert_true(n >= 0);
    mdns_link_run(l, l->now + 10 * SEC);
    mdns_link_clear(l);
    return n;
}

static void expect(usec at, usec least, usec most)
{
    if (at < least || at > most)
        fail_msg("%lld is not from %lld to %lld:\n%s", (long long)at, (long long)least,
                 (long long)most, l->log.start);
}

static void expect_name(int host, int name, enum mdns_name_state state, const char *text)
{
    char is[DNS_NAME_TEXT_MAX];
    assert_string_equal(dns_name_format(mdns_name(l->hosts[host], name), is), text);
    assert_int_equal(mdns_name_state(l->hosts[host], name), state);
}

/* ---- probing and announcing (§8) ---- */

/* 6762/8.1-1 6762/8.1-2 6762/8.1-3 6762/8.2-1 6762/8.3-1 6762/8.3-2 6762/10.2-1 6762/10.2-2 */
static void a_name_is_probed_for_and_announced(void **state UNUSED)
{
    int a = mdns_link_add(l);
    int n = mdns_link_host(l, a, "foo.local");
    assert_int_equal(mdns_name_state(l->hosts[a], n), MDNS_NAME_WAITING);
    mdns_link_run(l, 20 * SEC);
    const char *probe = "Q* foo.local. ANY qu; ns foo.local. 120 IN A 192.0.2.1;\n";
    assert_int_equal(mdns_link_count(l, probe), 3);
    usec first = mdns_link_when(l, probe, 0);
    expect(first, 0, 250 * MSEC);
    assert_int_equal(mdns_link_when(l, probe, 1), first + 250 * MSEC);
    assert_int_equal(mdns_link_when(l, probe, 2), first + 500 * MSEC);
    const char *announcement = "R* aa an foo.local. 120 fl A 192.0.2.1;";
    assert_int_equal(mdns_link_count(l, announcement), 2);
    assert_int_equal(mdns_link_when(l, announcement, 0), first + 750 * MSEC);
    assert_int_equal(mdns_link_when(l, announcement, 1), first + 1750 * MSEC);
    assert_int_equal(mdns_link_count(l, "a "), 5); /* and then there is silence */
    expect_name(a, n, MDNS_NAME_HELD, "foo.local.");
}

/* 6762/8.1-1: names that begin together are probed for in one message. */
static void probes_travel_together(void **state UNUSED)
{
    int a = mdns_link_add(l);
    mdns_link_host(l, a, "foo.local");
    mdns_link_run(l, 10 * SEC);
    mdns_link_clear(l);
    struct mdns_service one = {bytes_of_text("One"), bytes_of_text("_http._tcp"), 80, bytes_empty()};
    struct mdns_service two = {bytes_of_text("Two"), bytes_of_text("_http._tcp"), 81, bytes_empty()};
    assert_true(mdns_add_service(l->hosts[a], 0, &one, l->now) >= 0);
    assert_true(mdns_add_service(l->hosts[a], 0, &two, l->now) >= 0);
    mdns_link_run(l, 20 * SEC);
    assert_int_equal(mdns_link_count(l, "ns One._http._tcp.local. 120 IN SRV 0 0 80 foo.local.;"), 3);
    assert_int_equal(mdns_link_count(l, "ns Two._http._tcp.local. 120 IN SRV 0 0 81 foo.local.;"), 3);
    assert_int_equal(mdns_link_count(l, "an _http._tcp.local. 4500 IN PTR Two._http._tcp.local.;"), 2);
}

static unsigned times_said(const char *label)
{
    unsigned count = 0;
    size_t len = strlen(label);
    for (size_t at = 0; at + len + 1 <= l->sent_len; at++)
        count += l->sent[at] == len && memcmp(l->sent + at + 1, label, len) == 0;
    return count;
}

/* 6762/18.14-1 6762/18.14-2: names of SRV and NSEC are compressed, but for who may not know of that. */
static void names_are_compressed(void **state UNUSED)
{
    int a = settled_host();
    struct mdns_service web = {bytes_of_text("Web"), bytes_of_text("_http._tcp"), 80, bytes_empty()};
    assert_true(mdns_add_service(l->hosts[a], 0, &web, l->now) >= 0);
    mdns_link_run(l, l->now + 20 * SEC);
    mdns_link_clear(l);
    ask("Web._http._tcp.local SRV");
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "an Web._http._tcp.local. 120 fl SRV 0 0 80 foo.local.;"), 1);
    assert_int_equal(times_said("local"), 1);
    assert_int_equal(times_said("foo"), 1);
    mdns_link_clear(l);
    ask("foo.local AAAA");
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "an foo.local. 120 fl NSEC foo.local. A;"), 1);
    assert_int_equal(times_said("foo"), 1);
    mdns_link_clear(l);
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, 4000),
                                               .to = -1,
                                               .id = 7,
                                               .questions = LINES("Web._http._tcp.local SRV")});
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "SRV 0 0 80 foo.local."), 1);
    assert_int_equal(times_said("local"), 3); /* of the question, and of the RDATA of SRV and NSEC */
}

/* 6762/8.1-4 6762/9-3: the second finds the first there, and takes another name. */
static void who_comes_second_takes_another_name(void **state UNUSED)
{
    int a = settled_host();
    int b = mdns_link_add(l);
    int n = mdns_link_host(l, b, "foo.local");
    mdns_link_run(l, l->now + 10 * SEC);
    expect_name(a, 0, MDNS_NAME_HELD, "foo.local.");
    expect_name(b, n, MDNS_NAME_HELD, "foo-2.local.");
    assert_int_equal(mdns_link_count(l, "b R* aa an foo-2.local. 120 fl A 192.0.2.2;"), 2);
    assert_int_equal(mdns_link_count(l, "b R* aa an foo.local."), 0);
}

/* 6762/8.2-2 6762/8.2-3: both begin at once; the one whose records come later in order has it. */
static void of_two_that_probe_at_once_the_later_data_wins(void **state UNUSED)
{
    unsigned met = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct mdns_link *before = l;
        l = mdns_link_new(seed);
        int a = mdns_link_add(l), b = mdns_link_add(l);
        int n = mdns_link_host(l, a, "foo.local"), o = mdns_link_host(l, b, "foo.local");
        mdns_link_run(l, 10 * SEC);
        expect_name(b, o, MDNS_NAME_HELD, "foo.local.");
        expect_name(a, n, MDNS_NAME_HELD, "foo-2.local.");
        /* The loser is told a second later, if he has asked at all. */
        if (mdns_link_count(l, "a Q* foo.local. ANY") > 0) {
            usec lost = mdns_link_when(l, "b Q* foo.local. ANY", 0) + MSEC;
            unsigned last = mdns_link_count(l, "a Q* foo.local. ANY") - 1;
            assert_true(mdns_link_when(l, "a Q* foo.local. ANY", last) <= lost);
            expect(mdns_link_when(l, "a Q* foo-2.local. ANY", 0), lost, lost + 1500 * MSEC);
            met++;
        }
        mdns_link_free(l);
        l = before;
    }
    assert_true(met > 3);
}

/* 6762/8.2-4: records are compared by class, type and octets, in order; a list that goes on wins. */
static void rivals_are_compared_record_by_record(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *records[4];
        bool wins;
    } cases[] = {
        {"a lower address", {"foo.local. 120 IN A 192.0.2.0"}, false},
        {"a higher address", {"foo.local. 120 IN A 192.0.2.200"}, true},
        {"octets have no sign", {"foo.local. 120 IN A 240.0.0.1"}, true},
        {"the same", {"foo.local. 120 IN A 192.0.2.1"}, false},
        {"a higher type", {"foo.local. 120 IN AAAA ::"}, true},
        {"the same, and one more", {"foo.local. 120 IN AAAA ::", "foo.local. 120 IN A 192.0.2.1"}, true},
        {"a lower one, and one that is higher", {"foo.local. 120 IN A 192.0.2.0", "foo.local. 120 IN A 192.0.2.2"}, false},
        {"of another name", {"bar.local. 120 IN A 240.0.0.1"}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mdns_link *before = l;
        l = mdns_link_new(i);
        int a = mdns_link_add(l);
        mdns_link_host(l, a, "foo.local");
        mdns_link_run(l, 300 * MSEC);
        mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                                   .to = -1,
                                                   .questions = LINES("foo.local ANY qu"),
                                                   .authority = cases[i].records});
        mdns_link_run(l, 1200 * MSEC);
        bool waits = mdns_name_state(l->hosts[a], 0) == MDNS_NAME_WAITING;
        CHECK_EQUAL(cases[i].name, waits, cases[i].wins);
        mdns_link_run(l, 10 * SEC);
        CHECK_EQUAL(cases[i].name, mdns_name_state(l->hosts[a], 0), MDNS_NAME_HELD);
        mdns_link_free(l);
        l = before;
    }
}

/* 6762/8.1-5: whoever does not let us have any name is asked seldom. */
static void many_conflicts_make_slow(void **state UNUSED)
{
    int a = mdns_link_add(l);
    mdns_link_host(l, a, "foo.local");
    unsigned heard = 0;
    for (usec until = 10 * MSEC; until < 60 * SEC; until += 10 * MSEC) {
        mdns_link_run(l, until);
        if (mdns_link_count(l, "Q*") == heard)
            continue;
        heard = mdns_link_count(l, "Q*");
        char name[DNS_NAME_TEXT_MAX], line[DNS_NAME_TEXT_MAX + 40];
        dns_name_format(mdns_name(l->hosts[a], 0), name);
        snprintf(line, sizeof line, "%s 120 fl A 192.0.2.99", name);
        say(line);
    }
    assert_int_equal(mdns_link_count(l, "R*"), 0);
    unsigned in_time = 0, late = 0;
    for (unsigned i = 0; i < heard; i++)
        if (mdns_link_when(l, "Q*", i) < 10 * SEC)
            in_time++;
        else if (mdns_link_when(l, "Q*", i) > 20 * SEC)
            late++;
    assert_true(in_time >= 15 && in_time <= 18);
    assert_true(late >= 6 && late <= 9); /* one in five seconds */
}

/* 6762/9-1 6762/9-2: it is ours, and somebody says otherwise: it is probed for again, and if he insists
 * another is taken. */
static void a_conflict_begins_again(void **state UNUSED)
{
    int a = settled_host();
    say("foo.local. 120 fl A 192.0.2.99");
    mdns_link_run(l, l->now + 100 * MSEC);
    assert_int_equal(mdns_name_state(l->hosts[a], 0), MDNS_NAME_PROBING);
    mdns_link_run(l, l->now + 5 * SEC); /* he does not */
    expect_name(a, 0, MDNS_NAME_HELD, "foo.local.");
    say("foo.local. 120 fl A 192.0.2.99");
    mdns_link_run(l, l->now + 100 * MSEC);
    say("foo.local. 120 fl A 192.0.2.99");
    mdns_link_run(l, l->now + 5 * SEC);
    expect_name(a, 0, MDNS_NAME_HELD, "foo-2.local.");
    mdns_link_clear(l);
    /* The same, another type, a goodbye, and what is denied are no conflict. */
    say("foo-2.local. 120 fl A 192.0.2.1");
    say("foo-2.local. 120 fl HINFO a b");
    say("foo-2.local. 0 fl A 192.0.2.99");
    say("foo-2.local. 120 fl NSEC foo-2.local. A");
    mdns_link_run(l, l->now + 5 * SEC);
    assert_int_equal(mdns_link_count(l, "Q*"), 0);
}

/* 6762/9-3: what leads to a name goes with it, and the new name says what it was. */
static void what_leads_to_a_name_follows_it(void **state UNUSED)
{
    int a = settled_host();
    int service = settled_service(a);
    say("foo.local. 120 fl A 192.0.2.99");
    mdns_link_run(l, l->now + 100 * MSEC);
    say("foo.local. 120 fl A 192.0.2.99");
    mdns_link_run(l, l->now + 5 * SEC);
    expect_name(a, 0, MDNS_NAME_HELD, "foo-2.local.");
    assert_true(mdns_link_count(l, "an My\\032Printer._ipp._tcp.local. 120 fl SRV 0 0 631 foo-2.local.;") >= 2);
    say("My\\032Printer._ipp._tcp.local. 120 fl TXT other");
    mdns_link_run(l, l->now + 100 * MSEC);
    say("My\\032Printer._ipp._tcp.local. 120 fl TXT other");
    mdns_link_run(l, l->now + 5 * SEC);
    expect_name(a, service, MDNS_NAME_HELD, "My\\032Printer\\032\\(2\\)._ipp._tcp.local.");
    assert_true(mdns_link_count(l, "an _ipp._tcp.local. 4500 IN PTR My\\032Printer\\032\\(2\\)._ipp._tcp.local.;") >= 2);
}

static void a_long_name_is_cut_at_a_character(void **state UNUSED)
{
    int a = mdns_link_add(l);
    mdns_link_host(l, a, "foo.local");
    char label[80] = "";
    for (int i = 0; i < 31; i++)
        memcpy(label + 2 * i, "\xc3\xa4", 3); /* 62 octets */
    struct mdns_service service = {bytes_of_text(label), bytes_of_text("_ipp._tcp"), 631,
                                   bytes_empty()};
    int n = mdns_add_service(l->hosts[a], 0, &service, l->now);
    struct dns_name first = *mdns_name(l->hosts[a], n);
    char line[1100];
    snprintf(line, sizeof line, "%s 120 fl TXT other", dns_name_format(&first, (char[DNS_NAME_TEXT_MAX]){0}));
    say(line);
    mdns_link_run(l, 5 * SEC);
    const struct dns_name *second = mdns_name(l->hosts[a], n);
    assert_int_equal(second->octets[0], 58 + 4);
    assert_memory_equal(second->octets + 1 + 58, " (2)", 4);
}

/* ---- answers (§6) ---- */

/* 6762/6-1 6762/6-2 6762/6-8 6762/18.1-1: what only we can answer is answered at once. */
static void a_unique_answer_comes_at_once(void **state UNUSED)
{
    settled_host();
    usec asked = l->now;
    ask("FOO.local A");
    mdns_link_run(l, l->now + SEC);
    expect(mdns_link_when(l, "a R* aa an foo.local. 120 fl A 192.0.2.1;", 0), asked, asked + 10 * MSEC);
    mdns_link_clear(l);
    ask("bar.local A"); /* nobody's: silence (6762/6-2) */
    mdns_link_run(l, l->now + 5 * SEC);
    assert_int_equal(mdns_link_count(l, "R"), 0);
}

/* 6762/6-3: what others may have as well, or do, waits 20 to 120 ms. */
static void a_shared_answer_waits_for_others(void **state UNUSED)
{
    int a = settled_host();
    settled_service(a);
    usec least = USEC_NEVER, most = 0;
    for (int i = 0; i < 50; i++) {
        usec asked = l->now;
        mdns_link_clear(l);
        ask("_ipp._tcp.local PTR");
        mdns_link_run(l, l->now + 2 * SEC);
        usec took = mdns_link_when(l, "a R* aa an _ipp._tcp.local. 4500 IN PTR", 0) - asked - MSEC;
        least = usec_min(least, took);
        most = usec_max(most, took);
    }
    assert_true(least >= 20 * MSEC && least < 40 * MSEC && most <= 120 * MSEC && most > 100 * MSEC);
}

/* 6762/6-4: the same record is not multicast twice within a second; but to defend a name. */
static void a_record_is_told_once_in_a_second(void **state UNUSED)
{
    int a = settled_host();
    for (int i = 0; i < 200; i++) {
        ask("foo.local A");
        mdns_link_run(l, l->now + 50 * MSEC);
    }
    unsigned count = mdns_link_count(l, "a R*");
    assert_true(count >= 10 && count <= 11);
    for (unsigned i = 1; i < count; i++)
        assert_true(mdns_link_when(l, "a R*", i) - mdns_link_when(l, "a R*", i - 1) >= SEC);
    mdns_link_run(l, l->now + 2 * SEC);
    mdns_link_clear(l);
    ask("foo.local A");
    mdns_link_run(l, l->now + 300 * MSEC);
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                               .to = -1,
                                               .questions = LINES("foo.local ANY"),
                                               .authority = LINES("foo.local 120 IN A 192.0.2.99")});
    mdns_link_run(l, l->now + 10 * MSEC);
    assert_int_equal(mdns_link_count(l, "a R*"), 2);
    int b = mdns_link_add(l);
    int n = mdns_link_host(l, b, "foo.local");
    mdns_link_run(l, l->now + 5 * SEC);
    expect_name(a, 0, MDNS_NAME_HELD, "foo.local.");
    expect_name(b, n, MDNS_NAME_HELD, "foo-2.local.");
}

/* 6762/6.1-1 6762/6.1-2 6762/6.1-3 6762/6.2-1: what a name of ours does not have is said. */
static void what_there_is_not_is_said(void **state UNUSED)
{
    settled_host();
    int b = mdns_link_add(l);
    uint32_t q = mdns_ask(l->hosts[b], &(struct dns_name){0}, DNS_AAAA, l->now);
    mdns_close(l->hosts[b], q);
    struct dns_name foo = dns_text_name("foo.local");
    assert_true(mdns_ask(l->hosts[b], &foo, DNS_AAAA, l->now) != 0);
    mdns_link_run(l, l->now + SEC);
    assert_true(mdns_link_count(l, "an foo.local. 120 fl NSEC foo.local. A;") == 1);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_AAAA), "!");
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_TXT), "!");
    assert_string_equal(mdns_link_known(l, b, "bar.local", DNS_A), "-");
    mdns_link_run(l, l->now + 60 * SEC);
    assert_int_equal(mdns_link_count(l, "b Q* foo.local. AAAA"), 1);
    mdns_link_clear(l);
    ask("foo.local A");
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "ar foo.local. 120 fl NSEC foo.local. A;"), 1);
}

/* 6762/6.7-1 6762/6.7-2 6762/6.7-3: he does not know that it is multicast. */
static void a_simple_resolver_is_answered_as_by_a_server(void **state UNUSED)
{
    int a = settled_host();
    settled_service(a);
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(7, 40000),
                                               .to = -1,
                                               .id = 77,
                                               .questions = LINES("foo.local A")});
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "a R> 192.0.2.7:40000 id77 aa foo.local. A; an foo.local. 10 IN A 192.0.2.1;"), 1);
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(7, 40000),
                                               .to = -1,
                                               .id = 78,
                                               .questions = LINES("_ipp._tcp.local PTR")});
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "id78 aa _ipp._tcp.local. PTR; an _ipp._tcp.local. 10 IN PTR"), 1);
    assert_int_equal(mdns_link_count(l, "fl"), 0);
    assert_int_equal(mdns_link_count(l, "R*"), 0);
}

/* 6762/5.4-1 6762/5.4-2 6762/5.5-1: alone, unless the others have not heard it for a while. */
static void who_wants_it_alone_gets_it_alone(void **state UNUSED)
{
    settled_host(); /* announced less than a quarter of 120 s ago */
    ask("foo.local A qu");
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "a R> 192.0.2.99:5353 aa an foo.local. 120 fl A"), 1);
    mdns_link_run(l, l->now + 40 * SEC);
    mdns_link_clear(l);
    ask("foo.local A qu");
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "a R* aa an foo.local. 120 fl A"), 1);
    assert_int_equal(mdns_link_count(l, "R>"), 0);
    mdns_link_clear(l);
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                               .questions = LINES("foo.local A")}); /* to him alone */
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "a R> 192.0.2.99:5353 aa an foo.local. 120 fl A"), 1);
}

/* 6762/7.1-1 6762/7.1-2: what he has, for long enough, he is not told. */
static void what_is_known_is_not_said(void **state UNUSED)
{
    static const struct {
        const char *name, *known;
        unsigned answers;
    } cases[] = {
        {"the same", "_ipp._tcp.local. 4500 IN PTR My\\032Printer._ipp._tcp.local.", 0},
        {"in another case", "_IPP._tcp.local. 4500 IN PTR my\\032printer._ipp._tcp.local.", 0},
        {"for half its time", "_ipp._tcp.local. 2250 IN PTR My\\032Printer._ipp._tcp.local.", 0},
        {"for less", "_ipp._tcp.local. 2249 IN PTR My\\032Printer._ipp._tcp.local.", 1},
        {"another", "_ipp._tcp.local. 4500 IN PTR Your\\032Printer._ipp._tcp.local.", 1},
    };
    int a = settled_host();
    settled_service(a);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        mdns_link_clear(l);
        mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                                   .to = -1,
                                                   .questions = LINES("_ipp._tcp.local PTR"),
                                                   .answers = LINES(cases[i].known)});
        mdns_link_run(l, l->now + 2 * SEC);
        CHECK_EQUAL(cases[i].name, mdns_link_count(l, "a R*"), cases[i].answers);
    }
}

/* 6762/7.2-1: it goes on in another message, which is waited for. */
static void known_answers_in_a_second_message_count(void **state UNUSED)
{
    int a = settled_host();
    settled_service(a);
    for (int further = 0; further < 3; further++) {
        mdns_link_clear(l);
        usec asked = l->now;
        mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                                   .to = -1,
                                                   .flags = DNS_TC,
                                                   .questions = LINES("_ipp._tcp.local PTR")});
        ask_as(97, "_services._dns-sd._udp.local PTR"); /* which is answered meanwhile, for itself */
        mdns_link_run(l, l->now + 200 * MSEC);
        assert_int_equal(mdns_link_count(l, "an _services._dns-sd._udp.local."), 1);
        if (further > 0) /* the second time another says it */
            mdns_link_say(l, &(struct mdns_link_words){
                                 .from = stranger(further == 1 ? 98 : 99, MDNS_PORT),
                                 .to = -1,
                                 .answers = LINES("_ipp._tcp.local. 4500 IN PTR My\\032Printer._ipp._tcp.local.")});
        mdns_link_run(l, l->now + 3 * SEC);
        assert_int_equal(mdns_link_count(l, "an _ipp._tcp.local."), further < 2);
        if (further < 2)
            expect(mdns_link_when(l, "an _ipp._tcp.local.", 0), asked + 400 * MSEC, asked + 501 * MSEC + MSEC);
    }
}

/* 6762/7.4-1 6762/6.6-1: another has said it; but not for too short a time. */
static void what_another_says_is_not_said_again(void **state UNUSED)
{
    int a = settled_host();
    settled_service(a);
    ask("_ipp._tcp.local PTR");
    say("_ipp._tcp.local. 4500 IN PTR My\\032Printer._ipp._tcp.local.");
    mdns_link_run(l, l->now + 2 * SEC);
    assert_int_equal(mdns_link_count(l, "a R*"), 0);
    ask("_ipp._tcp.local PTR");
    say("_ipp._tcp.local. 3000 IN PTR My\\032Printer._ipp._tcp.local.");
    mdns_link_run(l, l->now + 2 * SEC);
    assert_int_equal(mdns_link_count(l, "a R*"), 1);
    mdns_link_clear(l);
    say("_ipp._tcp.local. 2000 IN PTR My\\032Printer._ipp._tcp.local."); /* he is put right */
    mdns_link_run(l, l->now + 2 * SEC);
    assert_int_equal(mdns_link_count(l, "a R* aa an _ipp._tcp.local. 4500 IN PTR"), 1);
}

/* 6762/6.4-1: answers that wait go together. */
static void answers_go_together(void **state UNUSED)
{
    int a = settled_host();
    settled_service(a);
    ask("_ipp._tcp.local PTR");
    ask("_services._dns-sd._udp.local PTR");
    mdns_link_run(l, l->now + 2 * SEC);
    assert_int_equal(mdns_link_count(l, "a R*"), 1);
}

/* 6762/17-1 6762/7.2-2: what does not fit into one message goes in several; what is longer than one, in a longer. */
static void long_answers_are_split(void **state UNUSED)
{
    int a = mdns_link_add(l);
    mdns_link_host(l, a, "foo.local");
    uint8_t txt[3000];
    for (size_t i = 0; i < sizeof txt; i++)
        txt[i] = i % 200 == 0 ? 199 : 'x';
    for (int i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof name, "Service of a name that is rather long, the number %d", i);
        struct mdns_service service = {bytes_of_text(name), bytes_of_text("_http._tcp"), 80,
                                       i == 0 ? bytes_of(txt, sizeof txt) : bytes_empty()};
        assert_true(mdns_add_service(l->hosts[a], 0, &service, l->now) >= 0);
    }
    mdns_link_run(l, 30 * SEC);
    mdns_link_clear(l);
    ask("_http._tcp.local PTR");
    mdns_link_run(l, l->now + 2 * SEC);
    assert_true(mdns_link_count(l, "a R*") > 1);
    int b = mdns_link_add(l);
    struct dns_name type = dns_text_name("_http._tcp.local");
    assert_true(mdns_ask(l->hosts[b], &type, DNS_PTR, l->now) != 0);
    mdns_link_run(l, l->now + 5 * SEC);
    struct dns_question question = {type, DNS_PTR, DNS_IN};
    struct mdns_answer answer;
    const void *place = NULL;
    int count = 0;
    while (mdns_each_answer(l->hosts[b], &question, l->now, &place, &answer))
        count++;
    assert_int_equal(count, 40);
    /* What it knows takes more than one message, and it is told nothing. */
    uint64_t before = mdns_link_count(l, "a R");
    mdns_link_run(l, l->now + 30 * SEC);
    assert_true(mdns_link_count(l, "b Q* tc _http._tcp.local. PTR; an") > 0);
    assert_int_equal(mdns_link_count(l, "a R"), before);
    struct dns_name big = dns_text_name("Service\\032of\\032a\\032name\\032that\\032is\\032rather\\032long,\\032the\\032number\\0320._http._tcp.local");
    assert_true(mdns_ask(l->hosts[b], &big, DNS_TXT, l->now) != 0);
    mdns_link_run(l, l->now + 5 * SEC);
    assert_true(strlen(mdns_link_known(l, b, dns_name_format(&big, (char[DNS_NAME_TEXT_MAX]){0}), DNS_TXT)) > 2900);
}

/* ---- what is not listened to ---- */

/* 6762/6-5 6762/11-1 6762/18.3-1 6762/18.11-1: from another port, another network, of another kind. */
static void what_cannot_be_meant_is_not_heard(void **state UNUSED)
{
    int a = settled_host();
    struct endpoint far = {address_v4(0x08080808), MDNS_PORT};
    struct mdns_link_words words[] = {
        {.from = stranger(99, 4000), .to = -1, .flags = DNS_QR, .answers = LINES("x.local. 120 IN A 192.0.2.5")},
        {.from = far, .to = a, .flags = DNS_QR, .answers = LINES("x.local. 120 IN A 192.0.2.5")},
        {.from = far, .to = a, .questions = LINES("foo.local A")},
        {.from = stranger(99, MDNS_PORT), .to = -1, .flags = 4 << 11, .questions = LINES("foo.local A")},
        {.from = stranger(99, MDNS_PORT), .to = -1, .flags = DNS_REFUSED, .questions = LINES("foo.local A")},
        {.from = stranger(99, MDNS_PORT), .to = -1, .flags = DNS_QR | DNS_NXDOMAIN, .answers = LINES("x.local. 120 IN A 192.0.2.5")},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        mdns_link_say(l, &words[i]);
    mdns_link_run(l, l->now + 2 * SEC);
    assert_int_equal(mdns_link_count(l, "R"), 0);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "-");
    struct mdns_counters counters;
    mdns_counters(l->hosts[a], &counters);
    assert_int_equal(counters.ignored, ARRAY_LEN(words));
}

/* 6762/15-1: the group's members on this host hear what it says; it is not taken for another's. */
static void what_it_says_itself_is_not_another(void **state UNUSED)
{
    l->echo = true;
    int a = mdns_link_add(l);
    mdns_link_host(l, a, "foo.local");
    struct dns_name bar = dns_text_name("bar.local");
    assert_true(mdns_ask(l->hosts[a], &bar, DNS_A, l->now) != 0);
    mdns_link_run(l, 8 * SEC);
    expect_name(a, 0, MDNS_NAME_HELD, "foo.local.");
    assert_int_equal(mdns_link_count(l, "Q* foo.local. ANY qu;"), 3);
    assert_int_equal(mdns_link_count(l, "Q* bar.local. A"), 4); /* after 0, 1, 3, 7 s */
    struct mdns_counters counters;
    mdns_counters(l->hosts[a], &counters);
    assert_int_equal(counters.queries_in + counters.responses_in, 0);
}

/* 6762/14-1: two links of a host that are one: it is no rival of its own; but another host is. */
static void a_host_on_one_link_twice_is_one(void **state UNUSED)
{
    l->echo = true;
    struct mdns_host host = {.address_count = 0};
    for (int i = 0; i < 2; i++) {
        mdns_link_add(l);
        host.addresses[host.address_count++] = mdns_link_at(i).address;
        mdns_share_host(l->hosts[i], &host);
    }
    for (int i = 0; i < 2; i++)
        mdns_link_host(l, i, "foo.local");
    mdns_link_run(l, 10 * SEC);
    int c = mdns_link_add(l);
    mdns_link_host(l, c, "foo.local");
    mdns_link_run(l, 20 * SEC);
    expect_name(0, 0, MDNS_NAME_HELD, "foo.local.");
    expect_name(1, 0, MDNS_NAME_HELD, "foo.local.");
    expect_name(c, 0, MDNS_NAME_HELD, "foo-2.local.");
    struct mdns_counters counters;
    mdns_counters(l->hosts[1], &counters);
    assert_int_equal(counters.conflicts, 0);
}

/* 6762/15.1-1: what is sent to us alone may reach another program. */
static void who_shares_the_port_wants_no_unicast(void **state UNUSED)
{
    int a = mdns_link_add(l);
    mdns_share_port(l->hosts[a]);
    mdns_link_host(l, a, "foo.local");
    struct dns_name bar = dns_text_name("bar.local");
    assert_true(mdns_ask(l->hosts[a], &bar, DNS_A, l->now) != 0);
    mdns_link_run(l, 5 * SEC);
    assert_int_equal(mdns_link_count(l, "Q* foo.local. ANY; ns"), 3);
    assert_int_equal(mdns_link_count(l, "Q* bar.local. A;\n"), 3);
}

/* 6762/10.1-1 6762/10.1-2: all of it is taken back, and believed a second later. */
static void goodbye_is_said_and_heard(void **state UNUSED)
{
    int a = settled_host();
    settled_service(a);
    int b = mdns_link_add(l);
    struct dns_name type = dns_text_name("_ipp._tcp.local"), foo = dns_text_name("foo.local");
    assert_true(mdns_ask(l->hosts[b], &type, DNS_PTR, l->now) != 0);
    assert_true(mdns_ask(l->hosts[b], &foo, DNS_A, l->now) != 0);
    mdns_link_run(l, l->now + 5 * SEC);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "192.0.2.1");
    mdns_link_clear(l);
    usec gone = l->now;
    mdns_withdraw(l->hosts[a], l->now);
    mdns_link_run(l, gone + 900 * MSEC);
    assert_int_equal(mdns_link_count(l, "an foo.local. 0 fl A 192.0.2.1;"), 1);
    assert_int_equal(mdns_link_count(l, "an _ipp._tcp.local. 0 IN PTR"), 1);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "192.0.2.1");
    mdns_link_run(l, gone + 1100 * MSEC);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "-");
    assert_string_equal(mdns_link_known(l, b, "_ipp._tcp.local", DNS_PTR), "-");
    mdns_link_clear(l);
    ask("foo.local A");
    mdns_link_run(l, l->now + SEC);
    assert_int_equal(mdns_link_count(l, "a R"), 0);
}

/* ---- questions (§5) ---- */

/* 6762/5.2-1 6762/5.2-2 6762/5.2-3 6762/5.4-3 */
static void a_question_is_asked_ever_more_seldom(void **state UNUSED)
{
    int a = mdns_link_add(l);
    struct dns_name name = dns_text_name("_ipp._tcp.local");
    uint32_t q = mdns_ask(l->hosts[a], &name, DNS_PTR, l->now);
    mdns_link_run(l, 20 * USEC_PER_HOUR);
    expect(mdns_link_when(l, "Q* _ipp._tcp.local. PTR qu;\n", 0), 20 * MSEC, 120 * MSEC);
    usec before = mdns_link_when(l, "Q*", 0), interval = SEC;
    for (unsigned i = 1; i < 20; i++) {
        usec at = mdns_link_when(l, "Q*", i);
        assert_int_equal(at - before, interval);
        before = at;
        interval = usec_min(2 * interval, USEC_PER_HOUR);
    }
    assert_int_equal(mdns_link_count(l, "PTR qu;"), 1);
    mdns_close(l->hosts[a], q);
    mdns_link_clear(l);
    mdns_link_run(l, 40 * USEC_PER_HOUR);
    assert_int_equal(mdns_link_count(l, "Q*"), 0);
}

/* 6762/5.2-4: what is wanted is asked for at 80, 85, 90 and 95 % of its time; what is not, is not. */
static void what_is_wanted_is_refreshed(void **state UNUSED)
{
    int a = mdns_link_add(l);
    struct dns_name name = dns_text_name("x.local");
    say("x.local. 1000 fl A 192.0.2.5");
    mdns_link_run(l, SEC);
    uint32_t q = mdns_ask(l->hosts[a], &name, DNS_A, l->now);
    mdns_link_run(l, 999 * SEC);
    assert_int_equal(mdns_link_count(l, "Q* x.local. A"), 4);
    for (unsigned i = 0; i < 4; i++) {
        usec least = (800 + 50 * (usec)i) * SEC;
        expect(mdns_link_when(l, "Q* x.local. A", i), least, least + 20 * SEC + 10 * MSEC);
    }
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "192.0.2.5");
    mdns_link_run(l, 1002 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "-");
    assert_int_equal(mdns_link_count(l, "Q* x.local. A"), 6); /* perhaps another has it: at 0 and 1 s */
    mdns_close(l->hosts[a], q);
    mdns_link_clear(l);
    say("x.local. 1000 fl A 192.0.2.5");
    mdns_link_run(l, l->now + 2000 * SEC);
    assert_int_equal(mdns_link_count(l, "Q*"), 0);
}

/* 6762/7.1-3 6762/10.2-3: what is known is said, while half of its time is left, without the flush bit. */
static void a_question_says_what_is_known(void **state UNUSED)
{
    int a = mdns_link_add(l);
    struct dns_name name = dns_text_name("_ipp._tcp.local");
    say("_ipp._tcp.local. 100 IN PTR one._ipp._tcp.local.");
    mdns_link_run(l, 10 * MSEC);
    assert_true(mdns_ask(l->hosts[a], &name, DNS_PTR, l->now) != 0);
    mdns_link_run(l, 70 * SEC); /* 0, 1, 3, 7, 15, 31, 63 s */
    assert_int_equal(mdns_link_count(l, "Q* _ipp._tcp.local. PTR"), 7);
    assert_int_equal(mdns_link_count(l, "PTR; an _ipp._tcp.local."), 5);
    assert_int_equal(mdns_link_count(l, "an _ipp._tcp.local. 99 IN PTR one"), 1);
    assert_int_equal(mdns_link_count(l, "fl"), 0);
}

/* 6762/7.3-1: another asks the same, and knows no more. */
static void what_another_asks_is_not_asked(void **state UNUSED)
{
    int a = mdns_link_add(l);
    struct dns_name name = dns_text_name("_ipp._tcp.local");
    assert_true(mdns_ask(l->hosts[a], &name, DNS_PTR, l->now) != 0);
    ask("_ipp._tcp.local PTR");
    mdns_link_run(l, 500 * MSEC);
    assert_int_equal(mdns_link_count(l, "Q*"), 0);
    mdns_link_run(l, 2 * SEC);
    assert_int_equal(mdns_link_count(l, "Q*"), 1);
    /* He knows one that we do not: what he is told will not be all that we want. */
    mdns_link_run(l, 2900 * MSEC);
    mdns_link_say(l, &(struct mdns_link_words){.from = stranger(99, MDNS_PORT),
                                               .to = -1,
                                               .questions = LINES("_ipp._tcp.local PTR"),
                                               .answers = LINES("_ipp._tcp.local. 4500 IN PTR one._ipp._tcp.local.")});
    mdns_link_run(l, 4 * SEC);
    assert_int_equal(mdns_link_count(l, "Q*"), 2);
}

/* 6762/10.2-4: the bit makes what was said before, more than a second ago, end within a second. */
static void the_flush_bit_replaces_what_was_said(void **state UNUSED)
{
    int a = mdns_link_add(l);
    say("x.local. 120 fl A 192.0.2.5");
    mdns_link_run(l, 500 * MSEC);
    say("x.local. 120 fl A 192.0.2.6"); /* of the same burst */
    mdns_link_run(l, 5 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "192.0.2.5 192.0.2.6");
    say("x.local. 120 IN A 192.0.2.8");
    mdns_link_run(l, 8 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "192.0.2.5 192.0.2.6 192.0.2.8");
    say("x.local. 120 fl A 192.0.2.7");
    mdns_link_run(l, 10 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "192.0.2.7");
    assert_string_equal(mdns_link_known(l, a, "X.LOCAL", DNS_ANY), "192.0.2.7");
}

/* 6762/10.5-1: others ask, and nobody answers them: it is gone. */
static void what_nobody_defends_is_gone(void **state UNUSED)
{
    int a = mdns_link_add(l);
    say("x.local. 120 fl A 192.0.2.5");
    mdns_link_run(l, SEC);
    ask_as(98, "x.local A");
    mdns_link_run(l, 3 * SEC);
    ask_as(98, "x.local A");
    mdns_link_run(l, 10 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "192.0.2.5");
    mdns_link_run(l, 12 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "-");
    say("x.local. 120 fl A 192.0.2.5");
    mdns_link_run(l, 13 * SEC);
    ask_as(98, "x.local A");
    mdns_link_run(l, 14 * SEC);
    ask_as(98, "x.local A");
    mdns_link_run(l, 15 * SEC);
    say("x.local. 120 fl A 192.0.2.5");
    ask("x.local A"); /* whose it is asks the others */
    ask("x.local A");
    mdns_link_run(l, 40 * SEC);
    assert_string_equal(mdns_link_known(l, a, "x.local", DNS_A), "192.0.2.5");
}

static void a_host_without_a_word_is_no_more_after_its_time(void **state UNUSED)
{
    int a = settled_host();
    int b = mdns_link_add(l);
    struct dns_name foo = dns_text_name("foo.local");
    assert_true(mdns_ask(l->hosts[b], &foo, DNS_A, l->now) != 0);
    mdns_link_run(l, l->now + 300 * SEC);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "192.0.2.1");
    l->down[a] = true;
    mdns_link_run(l, l->now + 121 * SEC);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "-");
    l->down[a] = false;
    mdns_link_run(l, l->now + 3 * USEC_PER_HOUR);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "192.0.2.1");
}

/* 6762/3-1 6762/4-1 */
static void which_names_are_of_the_link(void **state UNUSED)
{
    static const struct {
        const char *name;
        bool local;
    } cases[] = {
        {"local", true}, {"a.b.LOCAL", true}, {"local.example", false}, {"xlocal", false},
        {"1.2.254.169.in-addr.arpa", true}, {"2.253.169.in-addr.arpa", false},
        {"1.0.8.e.f.ip6.arpa", true}, {"b.e.f.ip6.arpa", true}, {"c.e.f.ip6.arpa", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dns_name name = dns_text_name(cases[i].name);
        CHECK_EQUAL(cases[i].name, mdns_is_local(&name), cases[i].local);
    }
}

/* ---- many, and on a bad link ---- */

/* Nothing is lost any more, and the first host asks for every name: two that have one now hear of it. */
static void listen_to_all(void)
{
    l->loss = 0;
    for (int i = 1; i < 30; i++) {
        char host[64], web[64];
        snprintf(host, sizeof host, i == 1 ? "foo.local" : "foo-%d.local", i);
        snprintf(web, sizeof web, i == 1 ? "Web._http._tcp.local" : "Web\\032(%d)._http._tcp.local", i);
        struct dns_name host_name = dns_text_name(host), web_name = dns_text_name(web);
        assert_true(mdns_ask(l->hosts[0], &host_name, DNS_A, l->now) != 0);
        assert_true(mdns_ask(l->hosts[0], &web_name, DNS_SRV, l->now) != 0);
    }
}

/* Eight hosts that all want one name, at once, where three of ten messages are lost: all have one in the
 * end, no two the same, and all find all others. 6762/8-1 */
static void eight_of_one_name_on_a_lossy_link(void **state UNUSED)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct mdns_link *before = l;
        l = mdns_link_new(seed);
        l->loss = 300000;
        for (int i = 0; i < MDNS_LINK_HOSTS; i++) {
            mdns_link_add(l);
            mdns_link_host(l, i, "foo.local");
            struct mdns_service service = {bytes_of_text("Web"), bytes_of_text("_http._tcp"), 80,
                                           bytes_empty()};
            assert_true(mdns_add_service(l->hosts[i], 0, &service, l->now) >= 0);
            struct dns_name type = dns_text_name("_http._tcp.local");
            assert_true(mdns_ask(l->hosts[i], &type, DNS_PTR, l->now) != 0);
        }
        for (int slice = 1; slice <= 30; slice++) {
            mdns_link_clear(l);
            if (slice == 6)
                listen_to_all();
            mdns_link_run(l, slice * 20 * SEC);
        }
        assert_true(mdns_link_count(l, "* ") < 60); /* after ten minutes it is quiet */
        for (int i = 0; i < MDNS_LINK_HOSTS; i++) {
            char name[DNS_NAME_TEXT_MAX];
            assert_int_equal(mdns_name_state(l->hosts[i], 0), MDNS_NAME_HELD);
            dns_name_format(mdns_name(l->hosts[i], 1), name);
            for (int j = 0; j < i; j++) {
                assert_false(dns_name_equal(mdns_name(l->hosts[i], 0), mdns_name(l->hosts[j], 0)));
                assert_false(dns_name_equal(mdns_name(l->hosts[i], 1), mdns_name(l->hosts[j], 1)));
            }
            for (int j = 0; j < MDNS_LINK_HOSTS; j++)
                if (strstr(mdns_link_known(l, j, "_http._tcp.local", DNS_PTR), name) == NULL)
                    fail_msg("seed %u: %d does not know %s, but %s", (unsigned)seed, j, name,
                             mdns_link_known(l, j, "_http._tcp.local", DNS_PTR));
        }
        mdns_link_free(l);
        l = before;
    }
}

static void tables_are_bounded(void **state UNUSED)
{
    int a = settled_host();
    for (int i = 0; i < 5000; i++) {
        char line[64];
        snprintf(line, sizeof line, "x%d.local. 120 fl A 192.0.2.5", i);
        say(line);
        mdns_link_run(l, l->now + 2 * MSEC);
    }
    struct mdns_counters counters;
    mdns_counters(l->hosts[a], &counters);
    assert_int_equal(counters.cached, MDNS_CACHE_MAX);
    assert_string_equal(mdns_link_known(l, a, "x4999.local", DNS_A), "192.0.2.5");
    assert_string_equal(mdns_link_known(l, a, "x0.local", DNS_A), "-");
    struct dns_name name = dns_text_name("y.local");
    for (int i = 0; i < MDNS_QUESTIONS_MAX; i++)
        assert_true(mdns_ask(l->hosts[a], &name, DNS_A, l->now) != 0);
    assert_true(mdns_ask(l->hosts[a], &name, DNS_A, l->now) == 0);
    for (int i = 1; i < MDNS_NAMES_MAX; i++)
        assert_true(mdns_add_name(l->hosts[a], &name, MDNS_STYLE_HOST, l->now) == i);
    assert_true(mdns_add_name(l->hosts[a], &name, MDNS_STYLE_HOST, l->now) < 0);
}

static void without_memory_nothing_breaks(void **state UNUSED)
{
    for (size_t fail_at = 2; fail_at < 20; fail_at++) {
        struct mdns_link *before = l;
        l = mdns_link_new(1);
        l->counts.fail_at = 0;
        int a = mdns_link_add(l);
        struct dns_name owner = dns_text_name("foo.local");
        int n = mdns_add_name(l->hosts[a], &owner, MDNS_STYLE_HOST, l->now);
        l->counts.fail_at = fail_at;
        struct mdns_record record = {.type = DNS_A, .ttl = 120, .rdata = bytes_of("abcd", 4)};
        (void)!mdns_add_record(l->hosts[a], n, &record, l->now);
        struct mdns_service service = {bytes_of_text("Web"), bytes_of_text("_http._tcp"), 80,
                                       bytes_empty()};
        (void)!mdns_add_service(l->hosts[a], n, &service, l->now);
        for (int i = 0; i < 10; i++) {
            say("foo.local. 120 fl A 192.0.2.99");
            mdns_link_run(l, l->now + 50 * MSEC);
        }
        mdns_link_run(l, l->now + 10 * SEC);
        mdns_link_free(l);
        l = before;
    }
}

/* Reverse names and records that are replaced. 6762/4-2 6762/8.4-1 */
static void an_address_that_changes_is_announced(void **state UNUSED)
{
    int a = settled_host();
    int b = mdns_link_add(l);
    struct dns_name foo = dns_text_name("foo.local"), reverse;
    struct ip_address address = mdns_link_at(a).address;
    dns_name_reverse(&address, &reverse);
    int r = mdns_add_name(l->hosts[a], &reverse, MDNS_STYLE_FIXED, l->now);
    struct mdns_record ptr = {.type = DNS_PTR, .ttl = 120, .rdata = dns_name_bytes(&foo)};
    assert_true(mdns_add_record(l->hosts[a], r, &ptr, l->now));
    assert_true(mdns_ask(l->hosts[b], &reverse, DNS_PTR, l->now) != 0);
    assert_true(mdns_ask(l->hosts[b], &foo, DNS_A, l->now) != 0);
    mdns_link_run(l, l->now + 5 * SEC);
    assert_string_equal(mdns_link_known(l, b, "1.2.0.192.in-addr.arpa", DNS_PTR), "foo.local.");
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "192.0.2.1");
    static const uint8_t other[4] = {192, 0, 2, 77};
    struct mdns_record record = {.type = DNS_A, .ttl = 120, .rdata = bytes_of(other, 4)};
    mdns_drop_records(l->hosts[a], 0, DNS_A);
    assert_true(mdns_add_record(l->hosts[a], 0, &record, l->now));
    mdns_link_run(l, l->now + 5 * SEC);
    assert_string_equal(mdns_link_known(l, b, "foo.local", DNS_A), "192.0.2.77");
}

/* 6762/10.1-1: one name of several goes, and its number is another's at once. */
static void one_of_several_names_goes(void **state UNUSED)
{
    int a = settled_host();
    int service = settled_service(a);
    mdns_drop_name(l->hosts[a], service, l->now);
    struct mdns_service next = {bytes_of_text("Next"), bytes_of_text("_http._tcp"), 80, bytes_empty()};
    assert_int_equal(mdns_add_service(l->hosts[a], 0, &next, l->now), service);
    mdns_link_run(l, l->now + 5 * SEC);
    assert_int_equal(mdns_link_count(l, "an _ipp._tcp.local. 0 IN PTR My\\032Printer._ipp._tcp.local.;"), 1);
    assert_int_equal(mdns_link_count(l, "an Next._http._tcp.local. 0 "), 0);
    assert_int_equal(mdns_link_count(l, "an foo.local. 0 "), 0);
    assert_int_equal(mdns_link_count(l, "an _http._tcp.local. 4500 IN PTR Next._http._tcp.local.;"), 2);
    int name = -1, count = 0;
    while (mdns_each_name(l->hosts[a], &name)) {
        assert_string_equal(mdns_name_state_text(mdns_name_state(l->hosts[a], name)), "held");
        count++;
    }
    assert_int_equal(count, 2);
    mdns_link_clear(l);
    int again = mdns_add_service(l->hosts[a], 0, &next, l->now);
    mdns_drop_name(l->hosts[a], again, l->now); /* nobody has heard of it */
    mdns_link_run(l, l->now + 5 * SEC);
    assert_int_equal(mdns_link_count(l, "a "), 0);
}

static void what_happens_is_told(void **state UNUSED)
{
    int a = mdns_link_add(l);
    int n = mdns_link_host(l, a, "foo.local");
    struct dns_name bar = dns_text_name("bar.local");
    uint32_t q = mdns_ask(l->hosts[a], &bar, DNS_A, l->now);
    struct mdns_event event;
    assert_true(mdns_next_event(l->hosts[a], &event)); /* what is known already */
    assert_int_equal(event.question, q);
    assert_false(mdns_next_event(l->hosts[a], &event));
    mdns_link_run(l, 5 * SEC);
    assert_true(mdns_next_event(l->hosts[a], &event));
    assert_int_equal(event.kind, MDNS_NAME_CHANGED);
    assert_int_equal(event.name, n);
    assert_false(mdns_next_event(l->hosts[a], &event));
    say("bar.local. 120 fl A 192.0.2.5");
    mdns_link_run(l, l->now + SEC);
    assert_true(mdns_next_event(l->hosts[a], &event));
    assert_int_equal(event.kind, MDNS_ANSWERS_CHANGED);
    assert_int_equal(event.question, q);
    say("bar.local. 120 fl A 192.0.2.5"); /* no news */
    mdns_link_run(l, l->now + SEC);
    assert_false(mdns_next_event(l->hosts[a], &event));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_probed_for_and_announced),
        TEST(probes_travel_together),
        TEST(names_are_compressed),
        TEST(who_comes_second_takes_another_name),
        TEST(of_two_that_probe_at_once_the_later_data_wins),
        TEST(rivals_are_compared_record_by_record),
        TEST(many_conflicts_make_slow),
        TEST(a_conflict_begins_again),
        TEST(what_leads_to_a_name_follows_it),
        TEST(a_long_name_is_cut_at_a_character),
        TEST(a_unique_answer_comes_at_once),
        TEST(a_shared_answer_waits_for_others),
        TEST(a_record_is_told_once_in_a_second),
        TEST(what_there_is_not_is_said),
        TEST(a_simple_resolver_is_answered_as_by_a_server),
        TEST(who_wants_it_alone_gets_it_alone),
        TEST(what_is_known_is_not_said),
        TEST(known_answers_in_a_second_message_count),
        TEST(what_another_says_is_not_said_again),
        TEST(answers_go_together),
        TEST(long_answers_are_split),
        TEST(what_cannot_be_meant_is_not_heard),
        TEST(what_it_says_itself_is_not_another),
        TEST(a_host_on_one_link_twice_is_one),
        TEST(who_shares_the_port_wants_no_unicast),
        TEST(goodbye_is_said_and_heard),
        TEST(a_question_is_asked_ever_more_seldom),
        TEST(what_is_wanted_is_refreshed),
        TEST(a_question_says_what_is_known),
        TEST(what_another_asks_is_not_asked),
        TEST(the_flush_bit_replaces_what_was_said),
        TEST(what_nobody_defends_is_gone),
        TEST(a_host_without_a_word_is_no_more_after_its_time),
        TEST(which_names_are_of_the_link),
        TEST(eight_of_one_name_on_a_lossy_link),
        TEST(tables_are_bounded),
        TEST(without_memory_nothing_breaks),
        TEST(an_address_that_changes_is_announced),
        TEST(one_of_several_names_goes),
        TEST(what_happens_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

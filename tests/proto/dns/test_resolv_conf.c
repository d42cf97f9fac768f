/* SPDX-License-Identifier: ISC */
/* test_resolv_conf.c - what resolv.conf(5) says, and the names that a short one stands for. */
#include "proto/dns/resolv_conf.h"

#include "base/text.h"
#include "tests/support/check.h"

static void read_conf(const char *text, struct resolv_conf *conf)
{
    size_t len = strlen(text);
    uint8_t *copy = exact_copy(text, len);
    resolv_conf_init(conf);
    resolv_conf_parse(bytes_of(copy, len), conf);
    free(copy);
}

static void test_options(void **state UNUSED)
{
    struct resolv_conf conf;
    read_conf("# nothing\n", &conf);
    assert_int_equal(conf.server_count, 0);
    assert_int_equal(conf.ndots, 1);
    assert_int_equal(conf.timeout, 5 * USEC_PER_SEC);
    assert_int_equal(conf.attempts, 2);
    read_conf("nameserver 192.0.2.1\r\nnameserver\t2001:db8::1 # comment\nnameserver 192.0.2.1\n"
              "nameserver fe80::1%eth0\nnameserver 0.0.0.0\n; nameserver 192.0.2.9\n"
              "domain one.test\nsearch a.test b.test.\n"
              "options ndots:99 timeout:0 attempts:3 rotate use-vc edns0 ndots:x\n"
              "options timeout:7\nnameserver 192.0.2.3",
              &conf);
    assert_int_equal(conf.server_count, 3);
    assert_true(conf.servers[2].address.octets[15] == 3);
    assert_int_equal(conf.servers[0].port, 53);
    assert_int_equal(conf.search_count, 2);
    assert_int_equal(conf.ndots, RESOLV_NDOTS_MAX);
    assert_int_equal(conf.timeout, 7 * USEC_PER_SEC);
    assert_int_equal(conf.attempts, 3);
    assert_true(conf.rotate && conf.stream);
    assert_false(conf.no_aaaa || conf.single_request || conf.trust_ad);
    read_conf("options no-aaaa single-request-reopen trust-ad", &conf);
    assert_true(conf.no_aaaa && conf.single_request && conf.trust_ad);
}

static void test_bounds(void **state UNUSED)
{
    char text[4096];
    struct text t = text_of(text, sizeof text);
    for (int i = 1; i <= 20; i++)
        text_add_format(&t, "nameserver 192.0.2.%d\n", i);
    text_add(&t, "search");
    for (int i = 0; i < 50; i++)
        text_add_format(&t, " s%d.test", i);
    struct resolv_conf conf;
    read_conf(text, &conf);
    assert_int_equal(conf.server_count, RESOLV_SERVERS_MAX);
    assert_int_equal(conf.search_count, RESOLV_SEARCH_MAX);
}

/* What is asked for, one after the other. */
static void test_candidates(void **state UNUSED)
{
    static const struct {
        const char *name, *conf, *typed, *want;
    } cases[] = {
        {"a name without dots: suffixes first", "search a.test b.test", "www",
         "www.a.test. www.b.test. www. "},
        {"with a dot: as it is first", "search a.test b.test", "www.x",
         "www.x. www.x.a.test. www.x.b.test. "},
        {"with more dots wanted", "search a.test\noptions ndots:2", "www.x", "www.x.a.test. www.x. "},
        {"a final dot: alone", "search a.test", "www.", "www. "},
        {"no suffixes", "", "www", "www. "},
        {"domain", "domain a.test", "www", "www.a.test. www. "},
        {"no name", "search a.test", "a..b", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct resolv_conf conf;
        char got[512], name_text[DNS_NAME_TEXT_MAX];
        struct text t = text_of(got, sizeof got);
        struct dns_name name;
        read_conf(cases[i].conf, &conf);
        for (unsigned turn = 0;
             resolv_conf_candidate(&conf, bytes_of_text(cases[i].typed), turn, &name); turn++)
            text_add_format(&t, "%s ", dns_name_format(&name, name_text));
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].name, got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_policy.c - rules of policy zones, and what they are for. */
#include "proto/dns/policy.h"

#include "proto/dns/cache.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static struct heap heap;

static void *resize(void *self UNUSED, void *old, size_t old_size UNUSED, size_t new_size)
{
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

static enum policy_result add(struct policy *policy, const char *line)
{
    uint8_t rdata[512];
    char reason[100];
    struct dns_name origin = dns_text_name("rpz.");
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_record record;
    struct dns_line_context context = {.origin = &origin, .ttl = 60};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &error))
        fail_msg("%s: %s", line, reason);
    return policy_add(policy, &record);
}

static struct policy *make(const char *const *lines)
{
    struct dns_name origin = dns_text_name("rpz.");
    struct policy *policy = policy_new(&heap, &origin, 1000);
    for (; *lines != NULL; lines++)
        assert_int_equal(add(policy, *lines), POLICY_OK);
    return policy;
}

static const char *const lines[] = {
    "bad CNAME .", "*.bad CNAME *.", "good.bad CNAME rpz-passthru.", "*.deep.bad CNAME rpz-drop.",
    "slow CNAME rpz-tcp-only.", "data A 192.0.2.1", "data A 192.0.2.2", "data TXT x",
    "24.0.2.0.192.rpz-ip CNAME .", "32.7.2.0.192.rpz-ip CNAME rpz-passthru.",
    "48.zz.db8.2001.rpz-ip CNAME .", "128.1.0.0.0.0.0.db8.2001.rpz-ip CNAME *.",
    "8.0.0.0.127.rpz-client-ip CNAME rpz-drop.", "ns.evil.rpz-nsdname CNAME .",
    "*.evil.rpz-nsdname CNAME *.", "32.9.2.0.192.rpz-nsip CNAME .", NULL};

static const char *const actions[POLICY_ACTION_COUNT] = {"data", "passthru", "nxdomain",
                                                         "nodata", "drop", "tcp-only"};

static const struct {
    enum policy_trigger trigger;
    const char *what;
    const char *want; /* NULL: none */
} cases[] = {
    {POLICY_QNAME, "bad.", "nxdomain"},
    {POLICY_QNAME, "BAD.", "nxdomain"},
    {POLICY_QNAME, "www.bad.", "nodata"},
    {POLICY_QNAME, "a.b.c.bad.", "nodata"},
    {POLICY_QNAME, "good.bad.", "passthru"},
    {POLICY_QNAME, "x.good.bad.", "nodata"},
    {POLICY_QNAME, "deep.bad.", "nodata"},
    {POLICY_QNAME, "x.deep.bad.", "drop"},
    {POLICY_QNAME, "notbad.", NULL},
    {POLICY_QNAME, ".", NULL},
    {POLICY_QNAME, "slow.", "tcp-only"},
    {POLICY_QNAME, "data.", "data"},
    {POLICY_QNAME, "ns.evil.", NULL},
    {POLICY_NSDNAME, "ns.evil.", "nxdomain"},
    {POLICY_NSDNAME, "ns2.evil.", "nodata"},
    {POLICY_NSDNAME, "bad.", NULL},
    {POLICY_IP, "192.0.2.1", "nxdomain"},
    {POLICY_IP, "192.0.2.7", "passthru"}, /* the longer prefix */
    {POLICY_IP, "192.0.3.1", NULL},
    {POLICY_IP, "2001:db8:0:5::1", "nxdomain"},
    {POLICY_IP, "2001:db8::1", "nodata"},
    {POLICY_IP, "2001:db9::1", NULL},
    {POLICY_CLIENT_IP, "127.3.2.1", "drop"},
    {POLICY_CLIENT_IP, "192.0.2.1", NULL},
    {POLICY_NSIP, "192.0.2.9", "nxdomain"},
    {POLICY_NSIP, "192.0.2.8", NULL},
};

static void rules_hold_for_what_they_say(void **state UNUSED)
{
    struct policy *policy = make(lines);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct policy_rule rule;
        struct ip_address address;
        bool name = cases[i].trigger == POLICY_QNAME || cases[i].trigger == POLICY_NSDNAME;
        struct dns_name owner = dns_text_name(name ? cases[i].what : ".");
        assert_true(name || address_parse(bytes_of_text(cases[i].what), &address));
        bool found = name ? policy_find_name(policy, cases[i].trigger, &owner, &rule)
                          : policy_find_address(policy, cases[i].trigger, &address, &rule);
        CHECK_EQUAL(cases[i].what, found, cases[i].want != NULL);
        if (found)
            assert_string_equal(actions[rule.action], cases[i].want);
    }
    policy_free(policy);
}

static void data_is_kept_together(void **state UNUSED)
{
    struct policy *policy = make(lines);
    struct policy_rule rule;
    struct cache_record record;
    struct dns_name name = dns_text_name("data.");
    assert_true(policy_find_name(policy, POLICY_QNAME, &name, &rule));
    struct reader r = reader_of(rule.data);
    static const uint16_t types[] = {DNS_A, DNS_A, DNS_TXT};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        assert_true(cache_read_record(&r, &record));
        assert_int_equal(record.type, types[i]);
        assert_int_equal(record.ttl, 60);
    }
    assert_false(cache_read_record(&r, &record));
    policy_free(policy);
}

static void what_is_no_rule(void **state UNUSED)
{
    static const struct {
        const char *line;
        enum policy_result want;
    } odd[] = {
        {"@ SOA a. b. 1 2 3 4 5", POLICY_IGNORED},
        {"@ NS localhost.", POLICY_IGNORED},
        {"elsewhere. CNAME .", POLICY_IGNORED},
        {"33.0.2.0.192.rpz-ip CNAME .", POLICY_WRONG},
        {"24.0.2.0.256.rpz-ip CNAME .", POLICY_WRONG},
        {"24.0.2.0.rpz-ip CNAME .", POLICY_WRONG},
        {"129.zz.1.rpz-ip CNAME .", POLICY_WRONG},
        {"64.zz.1.zz.rpz-ip CNAME .", POLICY_WRONG},
        {"x.rpz-ip CNAME .", POLICY_WRONG},
        {"rpz-ip CNAME .", POLICY_WRONG},
        {"x.rpz-unheard CNAME .", POLICY_WRONG},
    };
    static const char *const none[] = {NULL};
    struct policy *policy = make(none);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        CHECK_EQUAL(odd[i].line, add(policy, odd[i].line), odd[i].want);
    assert_int_equal(policy_count(policy), 0);
    policy_free(policy);
    struct dns_name origin = dns_text_name("rpz.");
    policy = policy_new(&heap, &origin, 2);
    assert_int_equal(add(policy, "a CNAME ."), POLICY_OK);
    assert_int_equal(add(policy, "b CNAME ."), POLICY_OK);
    assert_int_equal(add(policy, "c CNAME ."), POLICY_FULL);
    char line[100];
    enum policy_result result = POLICY_OK;
    for (unsigned i = 0; i < 10000 && result == POLICY_OK; i++) {
        snprintf(line, sizeof line, "d TXT %u", i);
        if (i == 0)
            policy_free(policy), policy = policy_new(&heap, &origin, 2);
        result = add(policy, line);
    }
    assert_int_equal(result, POLICY_FULL);
    policy_free(policy);
}

static void a_hosts_file_is_a_list(void **state UNUSED)
{
    static const char file[] = "# ours\n192.0.2.1 one.example one # first\n\n2001:db8::1\tone.example\r\n"
                               "0.0.0.0 ads.example";
    struct dns_name root = dns_text_name("."), name;
    struct policy *policy = policy_new(&heap, &root, 100);
    struct policy_rule rule;
    unsigned line;
    assert_int_equal(policy_add_hosts(policy, bytes_of_text(file), 60, &line), POLICY_OK);
    assert_int_equal(policy_count(policy), 5);
    static const char *const there[] = {"one.example.", "one.", "ads.example.",
                                        "1.2.0.192.in-addr.arpa."};
    for (size_t i = 0; i < ARRAY_LEN(there); i++) {
        name = dns_text_name(there[i]);
        assert_true(policy_find_name(policy, POLICY_QNAME, &name, &rule));
        assert_int_equal(rule.action, POLICY_DATA);
    }
    name = dns_text_name("x.one.example.");
    assert_false(policy_find_name(policy, POLICY_QNAME, &name, &rule));
    assert_int_equal(policy_add_hosts(policy, bytes_of_text("127.0.0.1 a\nnonsense\n"), 60, &line),
                     POLICY_WRONG);
    assert_int_equal(line, 2);
    policy_free(policy);
}

int main(void)
{
    heap = (struct heap){.resize = resize};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_hold_for_what_they_say),
        cmocka_unit_test(data_is_kept_together),
        cmocka_unit_test(what_is_no_rule),
        cmocka_unit_test(a_hosts_file_is_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

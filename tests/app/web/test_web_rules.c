/* SPDX-License-Identifier: ISC */
/* Which host and rule a request falls under. */
#include "app/web/web_rules.h"

#include <errno.h>

#include "tests/support/check.h"

static struct web_config config;

static void add_rule(const char *pattern)
{
    struct web_rule *rule = web_config_add_rule(&config, NULL);
    assert_non_null(rule);
    if (pattern != NULL)
        assert_true(web_rule_set_pattern(rule, bytes_of_text(pattern)));
    config.hosts[config.host_count - 1].rule_count++;
}

static void add_host(const char *first, const char *second)
{
    struct web_host *host = &config.hosts[config.host_count++];
    host->rule_first = config.rule_count;
    const char *names[] = {first, second};
    for (size_t i = 0; i < 2 && names[i] != NULL; i++)
        strcpy(host->names[host->name_count++], names[i]);
    add_rule(NULL);
}

static struct web_rules *start(void)
{
    struct web_rules *rules;
    assert_int_equal(web_rules_new(&config, &rules, NULL), 0);
    return rules;
}

static void stop(struct web_rules *rules)
{
    web_rules_release(rules);
    web_config_done(&config);
    memset(&config, 0, sizeof config);
}

static void the_host_that_says_most_of_a_name_answers(void **state UNUSED)
{
    add_host(NULL, NULL);
    add_host("example.org", "*.example.org");
    add_host("a.b.example.org", NULL);
    add_host("*.b.example.org", NULL);
    struct web_rules *rules = start();
    static const struct {
        const char *name;
        size_t want;
    } cases[] = {
        {"example.org", 1},     {"EXAMPLE.ORG", 1},       {"example.org.", 1},
        {"www.example.org", 1}, {"a.b.example.org", 2},   {"c.b.example.org", 3},
        {"b.example.org", 1},   {"x.c.b.example.org", 3}, {"notexample.org", 0},
        {".example.org", 0},    {"", 0},                  {"org", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQUAL(cases[i].name,
                    web_rules_host(rules, bytes_of_text(cases[i].name)) - rules->config.hosts,
                    cases[i].want);
    stop(rules);
}

static void the_rule_that_says_most_of_a_path_counts(void **state UNUSED)
{
    add_host(NULL, NULL);
    add_rule("/a/");
    add_rule("/a/b");
    add_rule("*.txt");
    add_rule("= /a/b/c.txt");
    struct web_rules *rules = start();
    static const struct {
        const char *path;
        size_t want;
    } cases[] = {
        {"/", 0},      {"/a", 0},        {"/a/", 1},      {"/a/x", 1},         {"/a/b", 2},
        {"/a/b/x", 2}, {"/a/bx", 1},     {"/x.txt", 3},   {"/a/b/c.txt", 4},   {"/a/b/d.txt", 2},
        {"/x.TXT", 0}, {"/x.txt/y", 0},  {".txt", 3},     {"/a/b/c.txt/x", 2}, {"x", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQUAL(cases[i].path,
                    web_rules_place(rules, &rules->config.hosts[0],
                                    bytes_of_text(cases[i].path)) - rules->places,
                    cases[i].want);
    stop(rules);
}

static struct web_rule *last_rule(void)
{
    return &config.rules[config.rule_count - 1];
}

/* Below what does not say who answers, the program of an ending does; nowhere is its source shown. */
static void the_program_of_an_ending_answers_below_others(void **state UNUSED)
{
    add_host(NULL, NULL);
    strcpy(last_rule()->root, "/");
    add_rule("/plain/");
    strcpy(last_rule()->root, "/usr");
    strcpy(last_rule()->cache_control, "no-store");
    add_rule("/up/");
    last_rule()->upload = true;
    add_rule("/dav/");
    last_rule()->webdav = true;
    add_rule("/other/");
    strcpy(last_rule()->backends[0], "unix:/x");
    last_rule()->backend_count = 1;
    add_rule("/moved/");
    last_rule()->redirect_status = 301;
    add_rule("*.php");
    strcpy(last_rule()->backends[0], "unix:/php");
    last_rule()->backend_count = 1;
    last_rule()->answer_timeout = 7;
    add_rule("*.inc.php");
    add_rule("= /one.php");
    add_rule("*.jpg");
    add_rule("/plain/deep");
    struct web_rules *rules = start();
    static const struct {
        const char *path;
        size_t want; /* SIZE_MAX: the ending's program, as said by */
        const char *root;
    } cases[] = {
        {"/x.php", 6, ""},        {"/plain/x.php", SIZE_MAX, "/usr"}, {"/plain/x.jpg", 1, "/usr"},
        {"/up/x.php", 2, ""},     {"/dav/x.php", 3, ""},              {"/other/x.php", 4, ""},
        {"/moved/x.php", 5, ""},  {"/x.inc.php", SIZE_MAX, ""},       {"/one.php", SIZE_MAX, ""},
        {"/plain/x.php5", 1, "/usr"}, {"/plain/deep/x.php", SIZE_MAX, ""}, {"/plain/x.inc.php", SIZE_MAX, "/usr"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct web_place *place =
            web_rules_place(rules, &rules->config.hosts[0], bytes_of_text(cases[i].path));
        bool joint = place < rules->places || place >= rules->places + rules->config.rule_count;
        CHECK_EQUAL(cases[i].path, joint ? SIZE_MAX : (size_t)(place - rules->places), cases[i].want);
        CHECK(cases[i].path, strcmp(place->rule->root, cases[i].root) == 0);
        if (joint) {
            CHECK(cases[i].path, strcmp(place->rule->backends[0], "unix:/php") == 0);
            CHECK(cases[i].path, place->rule->answer_timeout == 7 && place->also == NULL);
            CHECK_EQUAL(cases[i].path, place->root_fd >= 0, cases[i].root[0] != '\0');
        }
    }
    stop(rules);
}

/* What an ending demands of its own holds where its program answers; what it has from the host does not. */
static void the_demands_of_an_ending_go_with_its_program(void **state UNUSED)
{
    for (unsigned own = 0; own < 2; own++) {
        add_host(NULL, NULL);
        last_rule()->https_only = true;
        add_rule("/open/");
        add_rule("*.php");
        last_rule()->cgi = true;
        last_rule()->https_only = true;
        last_rule()->rate = own;
        struct web_rules *rules = start();
        const struct web_place *place =
            web_rules_place(rules, &rules->config.hosts[0], bytes_of_text("/open/x.php"));
        assert_true(place->rule->cgi && !place->rule->https_only);
        assert_ptr_equal(place->also, own ? &rules->places[2] : NULL);
        stop(rules);
    }
}

static void more_joints_than_may_be(void **state UNUSED)
{
    char pattern[32];
    struct web_rules *rules;
    add_host(NULL, NULL);
    for (unsigned i = 0; i < 33; i++) {
        snprintf(pattern, sizeof pattern, "/%u/", i);
        add_rule(pattern);
        snprintf(pattern, sizeof pattern, "*.%u", i);
        add_rule(pattern);
        last_rule()->cgi = true;
    }
    const char *what;
    assert_int_equal(web_rules_new(&config, &rules, &what), -E2BIG);
    web_config_done(&config);
    memset(&config, 0, sizeof config);
}

static void patterns_that_are_none(void **state UNUSED)
{
    static const char *const wrong[] = {"", "a", "=", "= ", "= a", "*", "=/a"};
    struct web_rule rule = {0};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK(wrong[i], !web_rule_set_pattern(&rule, bytes_of_text(wrong[i])));
}

static void the_first_address_that_fits_counts(void **state UNUSED)
{
    struct web_rule rule = {.access_count = 3};
    assert_true(prefix_parse(bytes_of_text("10.0.1.0/24"), &rule.access[0].from));
    assert_true(prefix_parse(bytes_of_text("10.0.0.0/8"), &rule.access[1].from));
    assert_true(prefix_parse(bytes_of_text("0.0.0.0/0"), &rule.access[2].from));
    rule.access[1].allow = true;
    static const struct {
        const char *address;
        bool want;
    } cases[] = {{"10.0.1.1", false}, {"10.0.2.1", true}, {"11.0.0.1", false}, {"2001:db8::1", true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_address address;
        assert_true(address_parse(bytes_of_text(cases[i].address), &address));
        CHECK_EQUAL(cases[i].address, web_rule_admits(&rule, &address), cases[i].want);
    }
}

static void paths_are_rewritten_by_the_first_that_fits(void **state UNUSED)
{
    struct web_rule rule = {.rewrite_count = 3,
                            .rewrites = {{"/old", "/new"}, {"/a/*", "/b/*"}, {"/*", "/index"}}};
    static const struct {
        const char *path, *want;
    } cases[] = {{"/old", "/new"}, {"/a/x/y", "/b/x/y"}, {"/a/", "/b/"}, {"/older", "/index"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[20];
        size_t len = web_rule_rewrite(&rule, bytes_of_text(cases[i].path), out, sizeof out);
        CHECK(cases[i].path, bytes_equal(bytes_of(out, len), bytes_of_text(cases[i].want)));
    }
    char small[4];
    assert_int_equal(web_rule_rewrite(&rule, bytes_of_text("/a/x"), small, sizeof small), 4);
    assert_int_equal(web_rule_rewrite(&rule, bytes_of_text("/a/xy"), small, sizeof small), 0);
}

static void what_cannot_be_opened_is_named(void **state UNUSED)
{
    add_host(NULL, NULL);
    strcpy(config.rules[0].root, "/nonexistent/folder");
    struct web_rules *rules = NULL;
    const char *what = NULL;
    assert_int_equal(web_rules_new(&config, &rules, &what), -ENOENT);
    assert_string_equal(what, "/nonexistent/folder");
    strcpy(config.rules[0].root, "/tmp");
    strcpy(config.rules[0].users, "/nonexistent/users");
    config.rules[0].auth = WEB_AUTH_BASIC;
    assert_int_equal(web_rules_new(&config, &rules, &what), -ENOENT);
    assert_string_equal(what, "/nonexistent/users");
    assert_null(rules);
    web_config_done(&config);
    memset(&config, 0, sizeof config);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_that_says_most_of_a_name_answers),
        cmocka_unit_test(the_rule_that_says_most_of_a_path_counts),
        cmocka_unit_test(the_program_of_an_ending_answers_below_others),
        cmocka_unit_test(the_demands_of_an_ending_go_with_its_program),
        cmocka_unit_test(more_joints_than_may_be),
        cmocka_unit_test(patterns_that_are_none),
        cmocka_unit_test(the_first_address_that_fits_counts),
        cmocka_unit_test(paths_are_rewritten_by_the_first_that_fits),
        cmocka_unit_test(what_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "tests/support/check.h"

#include "site/site_options.h"

static void published_ports_are_read(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool good;
        const char *outside;
        unsigned inside;
        bool udp;
    } cases[] = {
        {"8080", true, "127.0.0.1:8080", 8080, false},
        {"8080:80", true, "127.0.0.1:8080", 80, false},
        {"8080:80/tcp", true, "127.0.0.1:8080", 80, false},
        {"53/udp", true, "127.0.0.1:53", 53, true},
        {"0.0.0.0:80", true, "0.0.0.0:80", 80, false},
        {"192.0.2.1:8080:80/udp", true, "192.0.2.1:8080", 80, true},
        {"[::1]:8080:80", true, "[::1]:8080", 80, false},
        {"[::]:443", true, "[::]:443", 443, false},
        {"", false, "", 0, false},
        {"0", false, "", 0, false},
        {"65536", false, "", 0, false},
        {"80:0", false, "", 0, false},
        {"80:", false, "", 0, false},
        {":80", false, "", 0, false},
        {"80:81:82", false, "", 0, false},
        {"80/sctp", false, "", 0, false},
        {"80/", false, "", 0, false},
        {"[::1]", false, "", 0, false},
        {"[::1", false, "", 0, false},
        {"[", false, "", 0, false},
        {"[]:80", false, "", 0, false},
        {"127.0.0.1", false, "", 0, false},
        {"127.0.0.1:", false, "", 0, false},
        {"1.2.3:80", false, "", 0, false},
        {"http", false, "", 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct site_published got;
        size_t len = strlen(cases[i].text);
        uint8_t *copy = exact_copy(cases[i].text, len);
        bool good = site_published_parse(bytes_of(copy, len), &got);
        free(copy);
        CHECK_EQUAL(cases[i].text, good, cases[i].good);
        if (!good)
            continue;
        char outside[ENDPOINT_TEXT_MAX];
        if (strcmp(endpoint_format(&got.outside, outside), cases[i].outside) != 0)
            fail_msg("%s: %s", cases[i].text, outside);
        CHECK_EQUAL(cases[i].text, got.inside_port, cases[i].inside);
        CHECK_EQUAL(cases[i].text, got.udp, cases[i].udp);
    }
}

static void names_are_letters_digits_and_inner_hyphens(void **state UNUSED)
{
    static const struct {
        const char *name;
        bool label, valid;
    } cases[] = {
        {"a", true, true},       {"a-b", true, true},   {"A9", true, true},
        {"a.b", false, true},    {"", false, false},    {"-a", false, false},
        {"a-", false, false},    {"a..b", false, false}, {".a", false, false},
        {"a.", false, false},    {"a_b", false, false}, {"a b", false, false},
        {"9", true, true},       {"\xc3\xa4", false, false},
        {"a2345678901234567890123456789012345678901234567890123456789012", true, true},
        {"a23456789012345678901234567890123456789012345678901234567890123", true, true},
        {"a234567890123456789012345678901234567890123456789012345678901234", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK_EQUAL(cases[i].name, site_label_valid(bytes_of_text(cases[i].name)), cases[i].label);
        CHECK_EQUAL(cases[i].name, site_name_valid(bytes_of_text(cases[i].name)), cases[i].valid);
    }
}

static void every_option_refuses_nonsense(void **state UNUSED)
{
    const struct site_option *option;
    size_t count = 0;
    for (; (option = site_option_at(count)) != NULL; count++) {
        static struct site_config config;
        memset(&config, 0, sizeof config);
        CHECK(option->name, !option->parse(bytes_empty(), (char *)&config + option->offset, option));
        CHECK(option->name, option->expected != NULL && option->expected[0] != '\0');
        CHECK(option->name, site_option_find(option->section, option->name) == option);
    }
    assert_true(count <= SITE_OPTIONS_MAX); /* site_config.lines has one for each */
    assert_null(site_option_find("link", "colour"));
}

static void a_wrong_value_says_what_was_expected(void **state UNUSED)
{
    char complaint[256] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = site_config_builtin();
    assert_non_null(config);
    assert_false(site_config_set(config, "gateway", "internet", "maybe", &error));
    assert_string_equal(complaint, "expected host or none");
    assert_true(config->gateway.internet);
    site_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_ports_are_read),
        cmocka_unit_test(names_are_letters_digits_and_inner_hyphens),
        cmocka_unit_test(every_option_refuses_nonsense),
        cmocka_unit_test(a_wrong_value_says_what_was_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "wire/http/dav_if.h"

#include "tests/support/check.h"

/* The state is: the token urn:a and the tag "1" of the request's own resource, urn:b of http://h/b. */
static bool holds(void *self UNUSED, const struct dav_if_condition *condition)
{
    bool own = condition->resource.len == 0;
    bool other = bytes_equal(condition->resource, bytes_of_text("http://h/b"));
    if (condition->is_etag)
        return own && bytes_equal(condition->token, bytes_of_text("\"1\""));
    return (own && bytes_equal(condition->token, bytes_of_text("urn:a"))) ||
           (other && bytes_equal(condition->token, bytes_of_text("urn:b")));
}

static const struct {
    const char *name;
    const char *value;
    enum dav_if want;
} cases[] = {
    {"a token that is there", "(<urn:a>)", DAV_IF_HOLDS},
    {"one that is not", "(<urn:x>)", DAV_IF_FAILS},
    {"a tag", "([\"1\"])", DAV_IF_HOLDS},
    {"another tag", "([\"2\"])", DAV_IF_FAILS},
    {"a weak tag is another", "([W/\"1\"])", DAV_IF_FAILS},
    {"a list is true when all of it is (RFC 4918 §10.4.3)", "(<urn:a> [\"1\"])", DAV_IF_HOLDS},
    {"and false when one is not", "(<urn:a> [\"2\"])", DAV_IF_FAILS},
    {"one list of several is enough", "(<urn:x>) ([\"1\"])", DAV_IF_HOLDS},
    {"Not (§10.4.4)", "(Not <urn:x>)", DAV_IF_HOLDS},
    {"Not of what is so", "(not<urn:a>)", DAV_IF_FAILS},
    {"a tagged list (§10.4.7)", "<http://h/b> (<urn:b>)", DAV_IF_HOLDS},
    {"its token is no other's", "<http://h/c> (<urn:b>)", DAV_IF_FAILS},
    {"the tag is for all that follows", "<http://h/b> (<urn:x>)(<urn:b>)", DAV_IF_HOLDS},
    {"always true (§10.4.8)", "(<urn:a>) (Not <DAV:no-lock>)", DAV_IF_HOLDS},
    {"a bracket in a tag", "([\"]\"])", DAV_IF_FAILS},
    {"nothing", "", DAV_IF_MALFORMED},
    {"an empty list", "()", DAV_IF_MALFORMED},
    {"no list", "<http://h/b>", DAV_IF_MALFORMED},
    {"a list that does not end", "(<urn:a>", DAV_IF_MALFORMED},
    {"a token that does not end", "(<urn:a", DAV_IF_MALFORMED},
    {"a tag without quotes", "([1])", DAV_IF_MALFORMED},
    {"something behind a good list", "(<urn:a>) x", DAV_IF_MALFORMED},
    {"Not of nothing", "(Not)", DAV_IF_MALFORMED},
};

static void checks(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].value);
        uint8_t *copy = exact_copy(cases[i].value, len);
        CHECK_EQUAL(cases[i].name, dav_if_check(bytes_of(copy, len), holds, NULL), cases[i].want);
        free(copy);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* robots.txt (RFC 9309): whom a group is for, which rule counts, and what nobody meant. */
#include "tests/support/check.h"

#include "wire/html/robots.h"

static const struct {
    const char *name, *text, *target;
    bool allowed;
} cases[] = {
    {"nothing is said", "", "/x", true},
    {"all is forbidden", "User-agent: *\nDisallow: /\n", "/x", false},
    {"robots.txt itself never is", "User-agent: *\nDisallow: /\n", "/robots.txt", true},
    {"a path", "User-agent: *\nDisallow: /a\n", "/ab", false},
    {"another", "User-agent: *\nDisallow: /a\n", "/b", true},
    {"an empty rule forbids nothing", "User-agent: *\nDisallow:\n", "/b", true},
    {"our group, not that of all", "User-agent: *\nDisallow: /\nUser-agent: wholenet\nDisallow: /a\n", "/b", true},
    {"in any case, with a version", "User-agent: WholeNet/1.0\nDisallow: /a\n", "/a", false},
    {"another's", "User-agent: wholenets\nDisallow: /a\n", "/a", true},
    {"one of several names", "user-agent: x\nuser-agent: wholenet\nuser-agent: y\ndisallow: /a\n", "/a", false},
    {"groups of one name are one", "User-agent: wholenet\nDisallow: /a\nUser-agent: x\nDisallow: /\n"
                                   "User-agent: wholenet\nDisallow: /b\n", "/b", false},
    {"the longer rule", "User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/bc", true},
    {"… whatever the order", "User-agent: *\nAllow: /a/b\nDisallow: /a\n", "/a/c", false},
    {"of two as long the one that allows", "User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", true},
    {"a star", "User-agent: *\nDisallow: /*.gif\n", "/x/y.gif?z", false},
    {"an end", "User-agent: *\nDisallow: /*.gif$\n", "/y.gif?z", true},
    {"… at the end", "User-agent: *\nDisallow: /*.gif$\n", "/a.gif.gif", false},
    {"a star that matches nothing", "User-agent: *\nDisallow: /a*b\n", "/ab", false},
    {"encoded alike", "User-agent: *\nDisallow: /%7Ex/%c3%a9\n", "/~x/%C3%A9", false},
    {"not encoded", "User-agent: *\nDisallow: /\xc3\xa9\n", "/%C3%A9", false},
    {"an encoded slash is none", "User-agent: *\nDisallow: /a%2Fb\n", "/a/b", true},
    {"comments and spaces", "  User-agent : *  # all\r\n Disallow : /a # x\r\n", "/a", false},
    {"lines by carriage returns", "User-agent: *\rDisallow: /a\r", "/a", false},
    {"a byte order mark", "\xef\xbb\xbfUser-agent: *\nDisallow: /a\n", "/a", false},
    {"rules before any group", "Disallow: /\nUser-agent: x\nDisallow: /y\n", "/y", true},
    {"other lines do not end a group", "User-agent: *\nCrawl-delay: 5\nDisallow: /a\n", "/a", false},
    {"a query", "User-agent: *\nDisallow: /a?b\n", "/a?bc", false},
    {"what is no line", "User-agent *\nDisallow /\n:\n", "/a", true},
};

static void rules(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (robots_allow(bytes_of_text(cases[i].text), "wholenet", bytes_of_text(cases[i].target)) !=
            cases[i].allowed)
            fail_msg("%s", cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "tests/support/check.h"

#include "site/resolvers.h"

static const struct {
    const char *name;
    const char *content;
    const char *want;
} cases[] = {
    {"no file content", "", ""},
    {"one", "nameserver 192.0.2.1\n", "192.0.2.1:53 "},
    {"no line feed at the end", "nameserver 192.0.2.1", "192.0.2.1:53 "},
    {"both versions, loopback too", "nameserver 127.0.0.53\nnameserver ::1\n",
     "127.0.0.53:53 [::1]:53 "},
    {"other lines and comments", "# nameserver 192.0.2.9\nsearch a.test\n;x\nnameserver 192.0.2.1\n",
     "192.0.2.1:53 "},
    {"tabs, spaces and what follows", "\tnameserver\t 192.0.2.1 # mine\n", "192.0.2.1:53 "},
    {"carriage returns", "nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n",
     "192.0.2.1:53 192.0.2.2:53 "},
    {"a repetition", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", "192.0.2.1:53 "},
    {"a zone index", "nameserver fe80::1%eth0\nnameserver 192.0.2.1\n", "192.0.2.1:53 "},
    {"no address", "nameserver\nnameserver \nnameserver x\nnameserverx 192.0.2.1\n", ""},
    {"the wildcard", "nameserver 0.0.0.0\n", ""},
    {"more than fit", "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
     "nameserver 192.0.2.4\n", "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 "},
};

static void the_hosts_resolvers_are_found(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct endpoint found[3];
        size_t len = strlen(cases[i].content);
        uint8_t *copy = exact_copy(cases[i].content, len);
        size_t count = resolvers_parse(bytes_of(copy, len), found, ARRAY_LEN(found));
        free(copy);
        char got[256] = "";
        for (size_t k = 0; k < count; k++) {
            char one[ENDPOINT_TEXT_MAX];
            strcat(got, endpoint_format(&found[k], one));
            strcat(got, " ");
        }
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name, got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_hosts_resolvers_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

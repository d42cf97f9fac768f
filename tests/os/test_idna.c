/* SPDX-License-Identifier: ISC */
/* Names that are not ASCII (RFC 5891, UTS 46 non-transitional): what they are in DNS, and which are none. */
#include "tests/support/check.h"

#include "os/idna.h"

static const struct {
    const char *name, *ascii; /* NULL: it is none */
} cases[] = {
    {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
    {"B\xc3\x9c" "CHER.example", "xn--bcher-kva.example"},
    {"fu\xc3\x9f" "ball.example", "xn--fuball-cta.example"}, /* not "fussball": non-transitional */
    {"bu\xcc\x88" "cher.example", "xn--bcher-kva.example"},  /* not composed */
    {"\xe4\xbe\x8b\xe3\x81\x88.test", "xn--r8jz45g.test"},
    {"b\xc3\xbc" "cher\xe3\x80\x82" "example", "xn--bcher-kva.example"}, /* an ideographic full stop */
    {"www.b\xc3\xbc" "cher.example.", "www.xn--bcher-kva.example."},
    {"a\xff", NULL},
    {"\xcc\x88" "a.example", NULL}, /* begins with a combining mark */
};

static void names(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[IDNA_NAME_MAX + 1];
        struct text t = text_of(text, sizeof text);
        bool good = idna_to_ascii(bytes_of_text(cases[i].name), &t);
        if (good != (cases[i].ascii != NULL) || (good && strcmp(text, cases[i].ascii) != 0))
            fail_msg("%s: %s", cases[i].name, good ? text : "none");
    }
}

static void what_is_too_long_is_none(void **state UNUSED)
{
    char name[400], text[IDNA_NAME_MAX + 1];
    struct text t = text_of(text, sizeof text);
    memset(name, 'a', sizeof name);
    assert_false(idna_to_ascii(bytes_of(name, sizeof name), &t));
    char little[8];
    t = text_of(little, sizeof little);
    assert_false(idna_to_ascii(bytes_of_text(cases[0].name), &t));
}

static void ascii_wants_nothing(void **state UNUSED)
{
    assert_false(idna_wanted(bytes_of_text("www.example.org")));
    assert_true(idna_wanted(bytes_of_text(cases[0].name)));
    assert_false(idna_wanted(bytes_empty()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(what_is_too_long_is_none),
        cmocka_unit_test(ascii_wants_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

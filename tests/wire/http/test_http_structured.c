/* SPDX-License-Identifier: ISC */
#include "wire/http/http_structured.h"
#include "tests/support/check.h"

/* A member as text: "key=kind:number:text;parameters". */
static void describe(const struct http_sf_member *m, char *out, size_t size)
{
    static const char kinds[] = "idstobDPL";
    snprintf(out, size, "%.*s%s%c:%lld:%.*s%.*s", (int)m->key.len, (const char *)m->key.data,
             m->key.len > 0 ? "=" : "", kinds[m->kind], (long long)m->number, (int)m->text.len,
             (const char *)m->text.data, (int)m->parameters.len, (const char *)m->parameters.data);
}

static void items_are_read_as_the_rfc_says(void **state UNUSED)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: malformed */
    } cases[] = {
        {"42", "i:42:"},
        {" 42  ", "i:42:"},
        {"-0", "i:0:"},
        {"-15", "i:-15:"},
        {"999999999999999", "i:999999999999999:"},
        {"1000000000000000", NULL},
        {"--1", NULL},
        {"-", NULL},
        {"1.5", "d:1500:"},
        {"-1.25", "d:-1250:"},
        {"123456789012.123", "d:123456789012123:"},
        {"1234567890123.1", NULL},
        {"1.", NULL},
        {"1.1234", NULL},
        {".5", NULL},
        {"\"hello \\\"w\\\\\"", "s:0:hello \\\"w\\\\"},
        {"\"open", NULL},
        {"\"a\\n\"", NULL},
        {"\"a\tb\"", NULL},
        {"token/x:y*", "t:0:token/x:y*"},
        {"*a", "t:0:*a"},
        {"a b", NULL},
        {":aGk=:", "o:0:aGk="},
        {"::", "o:0:"},
        {":a_b:", NULL},
        {":aGk=", NULL},
        {"?1", "b:1:"},
        {"?0", "b:0:"},
        {"?2", NULL},
        {"?", NULL},
        {"@1659578233", "D:1659578233:"},
        {"@-5", "D:-5:"},
        {"@1.5", NULL},
        {"%\"f%c3%bc\"", "P:0:f%c3%bc"},
        {"%\"f%C3\"", NULL},
        {"%\"f%c\"", NULL},
        {"%x", NULL},
        {"a;b;c=1; d=\"x\"", "t:0:a;b;c=1; d=\"x\""},
        {"a;B", NULL},
        {"a ;b", NULL},
        {"a;b=", NULL},
        {"(1 2)", NULL},
        {"", NULL},
        {"\xff", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t *copy = exact_copy(cases[i].text, strlen(cases[i].text));
        struct http_sf_member m;
        char got[200];
        bool taken = http_sf_item(bytes_of(copy, strlen(cases[i].text)), &m);
        CHECK_EQUAL(cases[i].text, taken, cases[i].want != NULL);
        if (taken) {
            describe(&m, got, sizeof got);
            if (strcmp(got, cases[i].want) != 0)
                fail_msg("%s: got %s, expected %s", cases[i].text, got, cases[i].want);
        }
        free(copy);
    }
}

static void walk(struct bytes rest, bool dictionary, char *out, size_t size)
{
    struct http_sf_member m;
    enum http_sf_step step;
    out[0] = '\0';
    for (bool first = true;; first = false) {
        step = dictionary ? http_sf_dictionary(&rest, first, &m) : http_sf_list(&rest, first, &m);
        if (step != HTTP_SF_MEMBER)
            break;
        size_t len = strlen(out);
        describe(&m, out + len, size - len);
        strncat(out, "|", size - strlen(out) - 1);
    }
    strncat(out, step == HTTP_SF_END ? "end" : "malformed", size - strlen(out) - 1);
}

static void lists_and_dictionaries_come_member_by_member(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool dictionary;
        const char *want;
    } cases[] = {
        {"", false, "end"},
        {"   ", true, "end"},
        {"a, b;x=1 ,\tc", false, "t:0:a|t:0:b;x=1|t:0:c|end"},
        {"a,", false, "t:0:a|malformed"},
        {"a,,b", false, "t:0:a|malformed"},
        {",a", false, "malformed"},
        {"a b", false, "t:0:a|malformed"},
        {"a\t", false, "t:0:a|malformed"},
        {"a  ", false, "t:0:a|end"},
        {"(a \"b\";x  3);y, ()", false, "L:0:a \"b\";x  3;y|L:0:|end"},
        {"(a\"b\")", false, "malformed"},
        {"(a", false, "malformed"},
        {"max-age=60, private, x=?0;p=1", true,
         "max-age=i:60:|private=b:1:|x=b:0:;p=1|end"},
        {"a;q=1, b=(1 2)", true, "a=b:1:;q=1|b=L:0:1 2|end"},
        {"a =1", true, "a=b:1:|malformed"},
        {"A=1", true, "malformed"},
        {"a= 1", true, "malformed"},
        {"a=1,a=2", true, "a=i:1:|a=i:2:|end"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t *copy = exact_copy(cases[i].text, strlen(cases[i].text));
        struct bytes in = bytes_of(copy, strlen(cases[i].text));
        char got[300];
        walk(in, cases[i].dictionary, got, sizeof got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: got %s, expected %s", cases[i].text, got, cases[i].want);
        bool whole = strstr(cases[i].want, "end") != NULL;
        CHECK_EQUAL(cases[i].text,
                    cases[i].dictionary ? http_sf_is_dictionary(in) : http_sf_is_list(in), whole);
        free(copy);
    }
}

static void parameters_and_inner_lists_open_up(void **state UNUSED)
{
    struct http_sf_member m;
    struct bytes rest = bytes_of_text(";a; b=2;c=\"x\"");
    char got[100];
    assert_int_equal(http_sf_parameter(&rest, &m), HTTP_SF_MEMBER);
    describe(&m, got, sizeof got);
    assert_string_equal(got, "a=b:1:");
    assert_int_equal(http_sf_parameter(&rest, &m), HTTP_SF_MEMBER);
    describe(&m, got, sizeof got);
    assert_string_equal(got, "b=i:2:");
    assert_int_equal(http_sf_parameter(&rest, &m), HTTP_SF_MEMBER);
    assert_int_equal(http_sf_parameter(&rest, &m), HTTP_SF_END);
    rest = bytes_of_text(" 1 a;p ");
    assert_int_equal(http_sf_inner(&rest, &m), HTTP_SF_MEMBER);
    assert_int_equal(m.number, 1);
    assert_int_equal(http_sf_inner(&rest, &m), HTTP_SF_MEMBER);
    describe(&m, got, sizeof got);
    assert_string_equal(got, "t:0:a;p");
    assert_int_equal(http_sf_inner(&rest, &m), HTTP_SF_END);
}

static void strings_are_written_as_they_are_read(void **state UNUSED)
{
    uint8_t out[40], plain[40];
    struct writer w = writer_of(out, sizeof out);
    http_sf_write_string(&w, bytes_of_text("a\"b\\c"));
    assert_false(w.failed);
    assert_true(bytes_equal(writer_bytes(&w), bytes_of_text("\"a\\\"b\\\\c\"")));
    struct http_sf_member m;
    assert_true(http_sf_item(writer_bytes(&w), &m));
    struct writer p = writer_of(plain, sizeof plain);
    http_sf_write_unescaped(&p, m.text);
    assert_true(bytes_equal(writer_bytes(&p), bytes_of_text("a\"b\\c")));
    http_sf_write_string(&w, bytes_of_text("\n"));
    assert_true(w.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_read_as_the_rfc_says),
        cmocka_unit_test(lists_and_dictionaries_come_member_by_member),
        cmocka_unit_test(parameters_and_inner_lists_open_up),
        cmocka_unit_test(strings_are_written_as_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

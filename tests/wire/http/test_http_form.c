/* SPDX-License-Identifier: ISC */
#include "wire/http/http_form.h"
#include "base/text.h"
#include "tests/support/check.h"

static void pairs_are_found_and_decoded(void **state UNUSED)
{
    static const struct {
        const char *body;
        const char *want; /* "name>value" for each, with "|" behind */
    } cases[] = {
        {"", ""},
        {"a=1&b=2", "a>1|b>2|"},
        {"&&a=1&&", "a>1|"},
        {"a&b=&=c", "a>|b>|>c|"},
        {"a=b=c", "a>b=c|"},
        {"a+b=c%20d%2B", "a b>c d+|"},
        {"%41%6a=%c3%A4", "Aj>\xc3\xa4|"},
        {"a=%&b=%2&c=%zz", "a>%|b>%2|c>%zz|"},
        {"a=%26%3D", "a>&=|"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[200];
        struct writer w = writer_of(got, sizeof got - 1);
        struct bytes rest = bytes_of_text(cases[i].body), name, value;
        while (http_form_pair(&rest, &name, &value)) {
            http_form_decode(name, &w);
            write_u8(&w, '>');
            http_form_decode(value, &w);
            write_u8(&w, '|');
        }
        got[writer_len(&w)] = '\0';
        CHECK_EQUAL(cases[i].body, strcmp(got, cases[i].want), 0);
    }
}

static void boundaries_are_found(void **state UNUSED)
{
    static const struct {
        const char *type;
        const char *want; /* NULL: none */
    } cases[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data;charset=utf-8 ; Boundary=\"a b\"", "a b"},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary", NULL},
        {"multipart/form-data", NULL},
        {"multipart/form-data; x=\"boundary=no", NULL},
        {"multipart/mixed; boundary=abc", NULL},
        {"multipart/form-data; boundary="
         "0123456789012345678901234567890123456789012345678901234567890123456789", /* 70 */
         "0123456789012345678901234567890123456789012345678901234567890123456789"},
        {"multipart/form-data; boundary="
         "01234567890123456789012345678901234567890123456789012345678901234567890", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes boundary = bytes_empty();
        bool found = http_part_boundary(bytes_of_text(cases[i].type), &boundary);
        CHECK_EQUAL(cases[i].type, found, cases[i].want != NULL);
        if (found)
            CHECK(cases[i].type, bytes_equal(boundary, bytes_of_text(cases[i].want)));
    }
}

/* Parts as "name(file):type:content" with "|" behind each; "!" where it is malformed. */
static void describe_parts(struct bytes body, char *out, size_t size)
{
    struct text text = text_of(out, size);
    struct http_part part;
    enum http_part_step step;
    for (bool first = true;
         (step = http_part_next(&body, first, bytes_of_text("B"), &part)) == HTTP_PART;
         first = false) {
        text_add_bytes(&text, part.name);
        text_add(&text, part.has_file_name ? "(" : "");
        text_add_bytes(&text, part.file_name);
        text_add(&text, part.has_file_name ? "):" : ":");
        text_add_bytes(&text, part.type);
        text_add(&text, ":");
        text_add_bytes(&text, part.content);
        text_add(&text, "|");
    }
    text_add(&text, step == HTTP_PART_END ? "" : "!");
}

#define CD "Content-Disposition: form-data; "

static void parts_are_taken_apart(void **state UNUSED)
{
    static const struct {
        const char *body;
        const char *want;
    } cases[] = {
        {"--B\r\n" CD "name=\"a\"\r\n\r\none\r\n--B--\r\n", "a::one|"},
        {"preamble\r\n--B\r\n" CD "name=a\r\n\r\n\r\n--B  \r\ncontent-disposition: FORM-DATA; name=b\r\n\r\n2\r\n--B--rest",
         "a::|b::2|"},
        {"--B\r\n" CD "name=\"f\"; filename=\"C:\\x.txt\"\r\nContent-Type: text/plain\r\n\r\nl1\r\nl2\r\n\r\n--B--",
         "f(C:\\x.txt):text/plain:l1\r\nl2\r\n|"},
        {"--B\r\n" CD "name=\"f\"; filename=\"\"\r\n\r\n\r\n--B--", "f()::|"},
        {"--B\r\n" CD "name=\"a\"\r\n\r\nx --B\r\n --B\r\ny\r\n--B--", "a::x --B\r\n --B\r\ny|"},
        {"--B\r\n" CD "name=\"a\"\r\n\r\n--B--", "a::|"}, /* the fields' last line end serves for both */
        {"--B--\r\n", ""},
        {"", "!"},
        {"no boundary", "!"},
        {"x--B\r\n" CD "name=a\r\n\r\n1\r\n--B--", ""},             /* not at the start of a line */
        {"--B\n" CD "name=a\n\n1\n--B--", "!"},                    /* line ends are CRLF */
        {"--B\r\n" CD "name=a\r\n\r\n1", "!"},                      /* it breaks off */
        {"--B\r\n" CD "name=a\r\n\r\n1\r\n--B\r\n", "a::1|!"},
        {"--B\r\nContent-Type: text/plain\r\n\r\n1\r\n--B--", "!"}, /* no disposition */
        {"--B\r\n" CD "name=a\r\n" CD "name=b\r\n\r\n1\r\n--B--", "!"},
        {"--B\r\n" CD "filename=a\r\n\r\n1\r\n--B--", "!"},         /* no name */
        {"--B\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--B--", "!"},
        {"--B\r\n" CD "name=\"a\r\n\r\n1\r\n--B--", "!"},
        {"--B\r\nbad name: x\r\n" CD "name=a\r\n\r\n1\r\n--B--", "!"},
        {"--Bx\r\n" CD "name=a\r\n\r\n1\r\n--B--", "!"},            /* another boundary that begins like it */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[300];
        describe_parts(bytes_of_text(cases[i].body), got, sizeof got);
        if (strcmp(got, cases[i].want) != 0)
            print_error("%zu: got %s, want %s\n", i, got, cases[i].want);
        CHECK_EQUAL(cases[i].body, strcmp(got, cases[i].want), 0);
    }
}

static void names_are_unescaped_as_browsers_escape_them(void **state UNUSED)
{
    char got[64];
    struct writer w = writer_of(got, sizeof got);
    http_part_decode_name(bytes_of_text("a%22b%0D%0A%41%+%2"), &w);
    assert_true(bytes_equal(writer_bytes(&w), bytes_of_text("a\"b\r\n%41%+%2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_found_and_decoded),
        cmocka_unit_test(boundaries_are_found),
        cmocka_unit_test(parts_are_taken_apart),
        cmocka_unit_test(names_are_unescaped_as_browsers_escape_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

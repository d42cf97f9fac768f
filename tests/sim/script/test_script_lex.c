/* SPDX-License-Identifier: ISC */
/* test_script_lex.c - the words of scripts, and where each stands. */
#include "sim/script/script_lex.h"

#include "tests/support/check.h"

static const char *const kinds[] = {
    [SCRIPT_TOKEN_END] = "end",      [SCRIPT_TOKEN_WORD] = "word",
    [SCRIPT_TOKEN_INTEGER] = "int",  [SCRIPT_TOKEN_HEX] = "hex",
    [SCRIPT_TOKEN_FLOAT] = "float",  [SCRIPT_TOKEN_STRING] = "string",
    [SCRIPT_TOKEN_BACK_QUOTED] = "command", [SCRIPT_TOKEN_CODE] = "code",
    [SCRIPT_TOKEN_OPTION] = "option", [SCRIPT_TOKEN_ELLIPSIS] = "ellipsis",
    [SCRIPT_TOKEN_SIGN] = "sign",    [SCRIPT_TOKEN_BAD] = "bad",
};
_Static_assert(ARRAY_LEN(kinds) == SCRIPT_TOKEN_KIND_COUNT, "one each");

/* All tokens as "kind(text)", between blanks. */
static void lex_all(const char *text, const struct script_defines *defines, char *out, size_t size)
{
    size_t len = strlen(text);
    uint8_t *exact = exact_copy(text, len);
    struct script_lexer lexer = script_lexer_of(bytes_of(exact, len), defines);
    struct text all = text_of(out, size);
    struct script_token token;
    while (token = script_lex(&lexer), token.kind != SCRIPT_TOKEN_END)
        text_add_format(&all, "%s%s(%.*s)", all.len > 0 ? " " : "", kinds[token.kind],
                        (int)token.text.len, (const char *)token.text.data);
    free(exact);
}

static void test_words(void **state UNUSED)
{
    static const struct {
        const char *name, *text, *want;
    } cases[] = {
        {"nothing", "  \t\n ", ""},
        {"a number and a range of sequence", "1:1001(1000)",
         "int(1) sign(:) int(1001) sign(() int(1000) sign())"},
        {"a time without a zero", "+.105~+.2", "sign(+) float(.105) sign(~) sign(+) float(.2)"},
        {"a time up to another", "0.100...0.200", "float(0.100) ellipsis(...) float(0.200)"},
        {"a whole time up to another", "0...0.200", "int(0) ellipsis(...) float(0.200)"},
        {"flags with a point", "P. 1", "word(P) sign(.) int(1)"},
        {"flags with a counter", "P.5", "word(P) float(.5)"},
        {"negative", "= -1 ECONNRESET", "sign(=) int(-1) word(ECONNRESET)"},
        {"hexadecimal", "0x1f 0x", "hex(0x1f) word(0x)"},
        {"a word that begins with digits", "00abaaab 3021b9d889017eeb",
         "word(00abaaab) word(3021b9d889017eeb)"},
        {"an option", "--tolerance_usecs=10000", "option(tolerance_usecs) sign(=) int(10000)"},
        {"comments", "a // b `\n/* c \n * */ d", "word(a) word(d)"},
        {"a comment to the end", "a //", "word(a)"},
        {"a comment of stars", "/****/ a", "word(a)"},
        {"text with escapes", "\"a\\\"b\\\\\" c", "string(a\\\"b\\\\) word(c)"},
        {"a command of two lines", "`a\n b`", "command(a\n b)"},
        {"code with a brace in it", "%{ a == {1} }%", "code( a == {1} )"},
        {"code without an end", "a %{ b } c", "word(a) bad(code without its }%)"},
        {"text without an end", "\"abc", "bad(a text without its second quote)"},
        {"a command without an end", "`abc\\`", "bad(a command without its second back quote)"},
        {"a comment without an end", "x /* y", "word(x) bad(a comment without an end)"},
        {"other signs", "<nop,TS val 1>",
         "sign(<) word(nop) sign(,) word(TS) word(val) int(1) sign(>)"},
        {"a number with two points", "1.5.2", "float(1.5) float(.2)"},
    };
    char got[1024];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lex_all(cases[i].text, NULL, got, sizeof got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: got %s, expected %s", cases[i].name, got, cases[i].want);
    }
}

static void test_places(void **state UNUSED)
{
    struct script_lexer lexer = script_lexer_of(bytes_of_text("a\n /*\n*/ b\t\"\n\" c"), NULL);
    static const struct {
        uint32_t line, column;
    } want[] = {{1, 1}, {3, 4}, {3, 6}, {4, 3}, {4, 4}};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct script_token token = script_lex(&lexer);
        assert_int_equal(token.line, want[i].line);
        assert_int_equal(token.column, want[i].column);
    }
}

static void test_definitions(void **state UNUSED)
{
    struct script_defines defines = {.count = 0};
    char got[256];
    assert_true(script_define(&defines, bytes_of_text("A=12")));
    assert_true(script_define(&defines, bytes_of_text("B=\"x y\"")));
    assert_true(script_define(&defines, bytes_of_text("C=`ls`")));
    assert_true(script_define(&defines, bytes_of_text("D=abc1")));
    assert_true(script_define(&defines, bytes_of_text("E=")));
    assert_true(script_define(&defines, bytes_of_text("D=host_unreachable")));
    assert_false(script_define(&defines, bytes_of_text("=1")));
    assert_false(script_define(&defines, bytes_of_text("F")));
    lex_all("A B C D E AB", &defines, got, sizeof got);
    assert_string_equal(got, "int(12) string(x y) command(ls) word(host_unreachable) word() "
                             "word(AB)");
    while (defines.count < SCRIPT_DEFINES_MAX) {
        static char names[SCRIPT_DEFINES_MAX][16];
        snprintf(names[defines.count], sizeof names[0], "n%zu=1", defines.count);
        assert_true(script_define(&defines, bytes_of_text(names[defines.count])));
    }
    assert_false(script_define(&defines, bytes_of_text("one_more=1")));
    assert_true(script_define(&defines, bytes_of_text("A=13")));
}

static void test_numbers(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"0", 0}, {"-5", -5}, {"4294967295", UINT32_MAX}, {"0xffffffff", UINT32_MAX},
        {"0xFf", 255}, {"99999999999999999999", INT64_MAX}, {"-99999999999999999999", INT64_MIN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_lexer lexer = script_lexer_of(bytes_of_text(cases[i].text), NULL);
        CHECK_EQUAL(cases[i].text, script_lex(&lexer).number, cases[i].want);
    }
}

static void test_seconds(void **state UNUSED)
{
    static const struct {
        const char *text;
        usec want; /* -1: refused */
    } cases[] = {
        {"0", 0}, {"1", 1000000}, {".25", 250000}, {"0.000001", 1}, {"0.0000019", 1},
        {"0.57", 570000}, {"2.003", 2003000}, {"", -1}, {".", -1}, {"-1", -1}, {"1s", -1},
        {"1.x", -1}, {"3155760001", -1}, {"99999999999999999999", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        usec got = -1;
        bool good = script_parse_seconds(bytes_of_text(cases[i].text), &got);
        CHECK_EQUAL(cases[i].text, good, cases[i].want >= 0);
        CHECK_EQUAL(cases[i].text, got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),       cmocka_unit_test(test_places),
        cmocka_unit_test(test_definitions), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_script_code.c - the part of Python that scripts use. */
#include "sim/script/script_code.h"

#include "os/memory.h"
#include "sim/script/script_symbols.h"
#include "tests/support/check.h"

struct run {
    struct arena arena;
    struct script_names names;
    char error[512], output[512];
    struct script_code_result result;
    struct text error_text, output_text;
};

static bool run_code(struct run *run, const char *code)
{
    size_t len = strlen(code);
    uint8_t *exact = exact_copy(code, len);
    run->error_text = text_of(run->error, sizeof run->error);
    run->output_text = text_of(run->output, sizeof run->output);
    run->result = (struct script_code_result){.error = &run->error_text,
                                              .output = &run->output_text};
    bool good = script_code_run(bytes_of(exact, len), &run->names, &run->arena, &run->result);
    /* Names borrow from the code, which a script keeps. */
    run->names.count = 0;
    free(exact);
    return good;
}

static struct run *open_run(void)
{
    struct run *run = calloc(1, sizeof *run);
    struct heap heap = memory_heap();
    assert_non_null(run);
    arena_init(&run->arena, &heap, 1 << 20);
    return run;
}

static void close_run(struct run *run)
{
    arena_done(&run->arena);
    free(run);
}

static void test_values_are_pythons(void **state UNUSED)
{
    static const struct {
        const char *code, *want;
    } cases[] = {
        {"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"7 // 2", "3"}, {"-7 // 2", "-4"},
        {"7 % -3", "-2"}, {"-7 % 3", "2"}, {"7 / 2", "3.5"}, {"1 << 4 | 3", "19"},
        {"6 & 3 ^ 1", "3"}, {"~0", "-1"}, {"- -3", "3"}, {"0x1F", "31"}, {"2 == 2", "True"},
        {"1 < 2 < 3", "True"}, {"1 < 3 < 2", "False"}, {"3 > 2 >= 2 != 5", "True"},
        {"not 1 == 2", "True"}, {"1 and 0 or 5", "5"}, {"0 or 0", "0"}, {"None", "None"},
        {"True + True", "2"}, {"'a' 'b' + \"c\"", "abc"}, {"'x' == 'x'", "True"},
        {"'x' != 5", "True"}, {"None == None", "True"},
        {"'%d of %s: %x%%' % (3, 'y', 255)", "3 of y: ff%"}, {"'%5.1f|%u' % (1.5, 2)", "1.500000|2"},
        {"abs(-5)", "5"}, {"min(3, 1, 2)", "1"}, {"max(3, 1.5)", "3"}, {"int(3.9)", "3"},
        {"float(2) / 4", "0.5"}, {"str(5) + 'a'", "5a"}, {"len('abc')", "3"},
        {"15000 <= 20000 <= 25000", "True"}, {"(1 +\n 2)", "3"}, {"1 + \\\n 2", "3"},
        {"1 # and more", "1"}, {"1.25 * 4", "5"}, {"10 - 2 - 3", "5"}, {"2 >> 1 << 3", "8"},
    };
    struct run *run = open_run();
    char code[256];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(code, sizeof code, "print(%s\n)", cases[i].code);
        if (!run_code(run, code))
            fail_msg("%s: %s", cases[i].code, run->error);
        run->output[strcspn(run->output, "\n")] = '\0';
        if (strcmp(run->output, cases[i].want) != 0)
            fail_msg("%s: got %s, expected %s", cases[i].code, run->output, cases[i].want);
    }
    close_run(run);
}

static void test_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *code;
        unsigned line;
        bool asserted;
        const char *want;
    } cases[] = {
        {"assert 1 == 2", 0, true, "not so: 1 == 2"},
        {"x = 5\nassert x == 6, x", 1, true, "not so: x == 6: x is 5"},
        {"x = 5\n\n\nassert x > 2 and x > 6, 'cwnd=%d' % x\n", 3, true,
         "not so: x > 2 and x > 6: x is 5, x is 5 (cwnd=5)"},
        {"assert 1; assert 0; y", 0, true, "not so: 0"},
        {"nothing == 2", 0, false, "nothing is called nothing"},
        {"1 +", 0, false, "a value is missing at the end"},
        {"(1", 0, false, "expected \")\""},
        {"1 2", 0, false, "did not expect \"2\" here"},
        {"1 / 0", 0, false, "division by zero"},
        {"1 % 0", 0, false, "division by zero"},
        {"1 << 64", 0, false, "shifted by 64"},
        {"'a' < 2", 0, false, "\"<\" is for numbers"},
        {"'a' + 2", 0, false, "\"+\" is for numbers"},
        {"'%d' % 'a'", 0, false, "does not fit its value"},
        {"'%d %d' % 1", 0, false, "wants more than 1 values"},
        {"\n\n'abc", 2, false, "a text without its second quote"},
        {"foo(1)", 0, false, "foo(): not understood here"},
        {"x += 1", 0, false, "x has no value yet"},
        {"if 1: pass", 0, false, "\"if\" is not understood here"},
        {"import os", 0, false, "\"import\" is not understood here"},
        {"print 5", 0, false, "expected \"(\""},
        {"9x", 0, false, "did not expect \"x\" here"},
        {"99999999999999999999", 0, false, "not a number"},
        {"0x", 0, false, "nothing is called x"},
        {"min()", 0, false, "min and max want a value"},
    };
    struct run *run = open_run();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (run_code(run, cases[i].code))
            fail_msg("taken: %s", cases[i].code);
        if (strstr(run->error, cases[i].want) == NULL && strcmp(cases[i].code, "0x") != 0)
            fail_msg("%s: said %s", cases[i].code, run->error);
        CHECK_EQUAL(cases[i].code, run->result.line, cases[i].line);
        CHECK_EQUAL(cases[i].code, run->result.asserted, cases[i].asserted);
    }
    close_run(run);
}

static void test_nesting_is_bounded(void **state UNUSED)
{
    static const char *const pieces[] = {"(", "-", "not ", "~"};
    struct run *run = open_run();
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        char code[4096] = "";
        for (size_t n = 0; n < 900; n++)
            memcpy(code + n * strlen(pieces[i]), pieces[i], strlen(pieces[i]));
        assert_false(run_code(run, code));
        assert_non_null(strstr(run->error, "nested too deep"));
    }
    close_run(run);
}

static void test_names_stay(void **state UNUSED)
{
    struct run *run = open_run();
    char error[256], output[256];
    struct text error_text = text_of(error, sizeof error);
    struct text output_text = text_of(output, sizeof output);
    struct script_code_result result = {.error = &error_text, .output = &output_text};
    static const char *const codes[] = {"x = 10", "x += 5; y = x * 2", "assert y == 30\nprint(x, y)"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        assert_true(script_code_run(bytes_of_text(codes[i]), &run->names, &run->arena, &result));
    assert_string_equal(output, "15 30\n");
    close_run(run);
}

static void test_tcp_info_has_names(void **state UNUSED)
{
    struct run *run = open_run();
    char error[256];
    struct text error_text = text_of(error, sizeof error);
    struct script_code_result result = {.error = &error_text};
    struct wn_tcp_info info = {
        .tcpi_state = WN_TCP_CLOSE_WAIT, .tcpi_options = WN_TCPI_OPT_SYN_DATA,
        .tcpi_wscale = 0x87, .tcpi_snd_cwnd = 12, .tcpi_bytes_acked = UINT64_C(1) << 40,
        .tcpi_total_rto = 3, .tcpi_flags = 1,
    };
    assert_true(script_names_of_tcp_info(&info, &run->names));
    if (!script_code_run(bytes_of_text("assert tcpi_state == TCP_CLOSE_WAIT\n"
                                       "assert (tcpi_options & TCPI_OPT_SYN_DATA) != 0\n"
                                       "assert tcpi_snd_wscale == 7 and tcpi_rcv_wscale == 8\n"
                                       "assert tcpi_snd_cwnd == 12\n"
                                       "assert tcpi_bytes_acked == 1 << 40\n"
                                       "assert tcpi_total_rto == 3\n"
                                       "assert tcpi_delivery_rate_app_limited == 1\n"
                                       "assert TCP_CA_Recovery == 3\n"),
                         &run->names, &run->arena, &result))
        fail_msg("%s", error);
    close_run(run);
}

static void test_symbols(void **state UNUSED)
{
    int64_t value;
    assert_true(script_symbol(bytes_of_text("ECONNRESET"), &value));
    assert_int_equal(value, 104);
    assert_true(script_symbol(bytes_of_text("SO_REUSEADDR"), &value));
    assert_int_equal(value, 2);
    assert_true(script_symbol(bytes_of_text("EPOLLET"), &value));
    assert_int_equal(value, INT64_C(0x80000000));
    assert_false(script_symbol(bytes_of_text("SO_"), &value));
    assert_string_equal(script_errno_text(11), "EAGAIN");
    assert_null(script_errno_text(0));
    char text[64];
    struct text out = text_of(text, sizeof text);
    script_add_events(&out, "POLL", WN_POLLIN | WN_POLLHUP);
    assert_string_equal(text, "POLLIN|POLLHUP");
    out = text_of(text, sizeof text);
    script_add_events(&out, "EPOLL", 0);
    assert_string_equal(text, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_pythons), cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_nesting_is_bounded), cmocka_unit_test(test_names_stay),
        cmocka_unit_test(test_tcp_info_has_names), cmocka_unit_test(test_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

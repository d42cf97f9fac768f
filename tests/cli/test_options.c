/* SPDX-License-Identifier: ISC */
#include "tests/support/check.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/options.h"

struct got {
    unsigned verbose;
    bool quiet;
    const char *file;
    unsigned count;
    usec wait;
};

static const struct cli_option options[] = {
    {"verbose", 'v', NULL, "more", cli_take_count, offsetof(struct got, verbose), NULL, NULL},
    {"quiet", 'q', NULL, "less", cli_take_flag, offsetof(struct got, quiet), NULL, NULL},
    {"file", 'f', "FILE", "a file", cli_take_text, offsetof(struct got, file), NULL, NULL},
    {"count", 'c', "N", "a number", cli_take_number, offsetof(struct got, count), NULL, NULL},
    {"depth", 'd', "N", "a number, or none", cli_take_number_or_none, offsetof(struct got, count), NULL, NULL},
    {"wait", 0, "T", "a time", cli_take_duration, offsetof(struct got, wait), NULL, NULL},
};

static const struct cli_command command = {
    .name = "test",
    .usage = "[options]",
    .summary = "for the test",
    .about = "For the test.",
    .options = options,
    .option_count = ARRAY_LEN(options),
};

static const struct {
    const char *name;
    const char *arguments[6]; /* after the command's name */
    enum cli_outcome outcome;
    int operands;
    struct got want;
} cases[] = {
    {"nothing", {0}, CLI_GO_ON, 1, {0}},
    {"only operands", {"a", "-v"}, CLI_GO_ON, 1, {0}},
    {"long and short", {"--verbose", "-q", "a"}, CLI_GO_ON, 3, {1, true, NULL, 0, 0}},
    {"letters together", {"-vvq"}, CLI_GO_ON, 2, {2, true, NULL, 0, 0}},
    {"a value as the next argument", {"--file", "x", "y"}, CLI_GO_ON, 3, {0, false, "x", 0, 0}},
    {"a value behind =", {"--file=x=y"}, CLI_GO_ON, 2, {0, false, "x=y", 0, 0}},
    {"a value behind a letter", {"-fx"}, CLI_GO_ON, 2, {0, false, "x", 0, 0}},
    {"a value after a letter", {"-f", "x"}, CLI_GO_ON, 3, {0, false, "x", 0, 0}},
    {"a letter's value after others", {"-vfx", "-q"}, CLI_GO_ON, 3, {1, true, "x", 0, 0}},
    {"a value that looks like an option", {"--file", "--quiet"}, CLI_GO_ON, 3,
     {0, false, "--quiet", 0, 0}},
    {"-- ends the options", {"-v", "--", "-q"}, CLI_GO_ON, 3, {1, false, NULL, 0, 0}},
    {"- is an operand", {"-", "-q"}, CLI_GO_ON, 1, {0}},
    {"numbers and times", {"-c", "7", "--wait", "2s"}, CLI_GO_ON, 5,
     {0, false, NULL, 7, 2 * USEC_PER_SEC}},
    {"help", {"-v", "--help", "--nonsense"}, CLI_DONE, 0, {1, false, NULL, 0, 0}},
    {"help by letter", {"-vh"}, CLI_DONE, 0, {1, false, NULL, 0, 0}},
    {"version", {"--version"}, CLI_DONE, 0, {0}},
    {"an unknown option", {"--nonsense"}, CLI_WRONG, 0, {0}},
    {"an unknown letter", {"-vx"}, CLI_WRONG, 0, {1, false, NULL, 0, 0}},
    {"a beginning is not the option", {"--verb"}, CLI_WRONG, 0, {0}},
    {"a value that is missing", {"--file"}, CLI_WRONG, 0, {0}},
    {"a letter's value that is missing", {"-f"}, CLI_WRONG, 0, {0}},
    {"an empty value", {"--file="}, CLI_WRONG, 0, {0}},
    {"a value for a flag", {"--quiet=yes"}, CLI_WRONG, 0, {0}},
    {"a value for help", {"--help=x"}, CLI_WRONG, 0, {0}},
    {"a number that is none", {"-c", "7x"}, CLI_WRONG, 0, {0}},
    {"the number zero", {"-c", "0"}, CLI_WRONG, 0, {0}},
    {"zero where it says none", {"-c", "3", "-d", "0"}, CLI_GO_ON, 5, {0}},
    {"a time without a unit", {"--wait", "2"}, CLI_WRONG, 0, {0}},
};

static void arguments_are_read_by_the_table(void **state UNUSED)
{
    /* Complaints and help are for people; what they say is tested by tests/cli/test_cli.sh. */
    assert_non_null(freopen("/dev/null", "w", stderr));
    int out = dup(STDOUT_FILENO);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[] = "test";
        char *argv[8] = {name};
        int argc = 1;
        for (; cases[i].arguments[argc - 1] != NULL; argc++)
            argv[argc] = (char *)(uintptr_t)cases[i].arguments[argc - 1];
        struct got got = {0};
        int operands = 0;
        fflush(stdout);
        assert_non_null(freopen("/dev/null", "w", stdout));
        enum cli_outcome outcome = cli_read_options(&command, &got, argc, argv, &operands);
        fflush(stdout);
        dup2(out, STDOUT_FILENO);
        CHECK_EQUAL(cases[i].name, outcome, cases[i].outcome);
        CHECK_EQUAL(cases[i].name, got.verbose, cases[i].want.verbose);
        CHECK_EQUAL(cases[i].name, got.quiet, cases[i].want.quiet);
        CHECK_EQUAL(cases[i].name, got.count, cases[i].want.count);
        CHECK_EQUAL(cases[i].name, got.wait, cases[i].want.wait);
        CHECK_EQUAL(cases[i].name, got.file != NULL, cases[i].want.file != NULL);
        if (got.file != NULL)
            CHECK(cases[i].name, strcmp(got.file, cases[i].want.file) == 0);
        if (outcome == CLI_GO_ON)
            CHECK_EQUAL(cases[i].name, operands, cases[i].operands);
    }
    close(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read_by_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "io/program.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "os/clock.h"
#include "tests/support/check.h"

/* One program, and what was told of it. */
static struct fixture {
    struct loop *loop;
    struct programs programs;
    struct program *program;
    char output[100000];
    size_t output_len;
    size_t takes;      /* octets at a time; 0: none */
    char complaint[200];
    int exit_code;     /* -1: it has not ended */
    bool kill_it;      /* at its first octet */
    unsigned rooms;
} f;

static size_t on_output(void *self UNUSED, struct bytes data)
{
    struct bytes part = bytes_first(data, f.takes);
    assert_true(f.output_len + part.len < sizeof f.output);
    memcpy(f.output + f.output_len, part.data, part.len);
    f.output_len += part.len;
    if (f.kill_it) {
        program_kill(f.program);
        return data.len;
    }
    if (part.len < data.len && f.takes > 0)
        program_resume(f.program);
    return part.len;
}

static void on_complaint(void *self UNUSED, struct bytes data)
{
    struct bytes part = bytes_first(data, sizeof f.complaint - 1);
    memcpy(f.complaint, part.data, part.len);
}

static void on_room(void *self UNUSED)
{
    f.rooms++;
}

static void on_ended(void *self UNUSED, int exit_code)
{
    assert_int_equal(f.exit_code, -1);
    f.exit_code = exit_code;
    loop_stop(f.loop);
}

static const struct program_handler handler = {on_output, on_complaint, on_room, on_ended};

static int start_with(const char *script, struct program_options options)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};
    const char *argv[] = {"sh", "-c", script, NULL};
    f = (struct fixture){.loop = loop_new(), .takes = SIZE_MAX, .exit_code = -1};
    programs_init(&f.programs, f.loop);
    options.argv = options.argv != NULL ? options.argv : argv;
    options.environment = environment;
    return program_start(&f.programs, &options, &handler, NULL, &f.program);
}

static void start(const char *script)
{
    assert_int_equal(start_with(script, (struct program_options){0}), 0);
}

static void run(void)
{
    (void)loop_run_until(f.loop, loop_look(f.loop) + 5 * USEC_PER_SEC);
    assert_true(f.exit_code >= 0);
}

static void stop(void)
{
    programs_done(&f.programs);
    assert_int_equal(f.programs.count, 0);
    loop_free(f.loop);
}

static void what_it_writes_is_told(void **state UNUSED)
{
    start("echo $GREETING; echo no >&2; exit 3");
    run();
    assert_string_equal(f.output, "hello\n");
    assert_string_equal(f.complaint, "no\n");
    assert_int_equal(f.exit_code, 3);
    assert_int_equal(f.programs.count, 0);
    stop();
}

static void it_reads_what_it_is_given(void **state UNUSED)
{
    start("tr a-z A-Z");
    assert_int_equal(program_write(f.program, bytes_of_text("some ")), 5);
    assert_int_equal(program_write(f.program, bytes_of_text("words")), 5);
    program_write_end(f.program);
    run();
    assert_string_equal(f.output, "SOME WORDS");
    stop();
}

/* A pipe holds 64 KiB: a program that does not read stops us, and one that is not read stops. */
static void both_directions_have_back_pressure(void **state UNUSED)
{
    static uint8_t much[1 << 20];
    start("sleep 0.2; cat >/dev/null; echo done");
    size_t taken = program_write(f.program, bytes_of(much, sizeof much));
    assert_in_range(taken, 1, sizeof much - 1);
    assert_int_equal(f.rooms, 0);
    (void)loop_run_until(f.loop, loop_look(f.loop) + USEC_PER_SEC);
    assert_true(f.rooms > 0);
    program_write_end(f.program);
    run();
    assert_string_equal(f.output, "done\n");
    stop();

    start("head -c 90000 /dev/zero; exit 7");
    f.takes = 0;
    (void)loop_run_until(f.loop, loop_look(f.loop) + USEC_PER_SEC / 2);
    assert_int_equal(f.output_len, 0);
    assert_int_equal(f.exit_code, -1); /* also when it has ended: it is told when all was taken */
    f.takes = 1000;
    program_resume(f.program);
    run();
    assert_int_equal(f.output_len, 90000);
    assert_int_equal(f.exit_code, 7);
    stop();
}

static void one_that_closes_its_input_is_not_waited_for(void **state UNUSED)
{
    static uint8_t much[1 << 20];
    start("exec <&-; sleep 0.3; echo out");
    (void)loop_run_until(f.loop, loop_look(f.loop) + USEC_PER_SEC / 10);
    assert_int_equal(program_write(f.program, bytes_of(much, sizeof much)), sizeof much);
    run();
    assert_string_equal(f.output, "out\n");
    stop();
}

static void it_is_over_though_others_hold_its_output(void **state UNUSED)
{
    usec begin;
    start("sleep 3 & echo here");
    begin = loop_look(f.loop);
    run();
    assert_string_equal(f.output, "here\n");
    assert_true(loop_look(f.loop) - begin < 2 * USEC_PER_SEC);
    stop();
}

/* One that has ended and that nobody has asked after runs no more. */
static bool is_running(uint64_t pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    char *got = fgets(line, sizeof line, file);
    (void)fclose(file);
    return got != NULL && strstr(line, ") Z ") == NULL;
}

static void a_kill_ends_what_it_has_started(void **state UNUSED)
{
    start("trap '' TERM; sleep 100 & echo $!; wait; sleep 100");
    (void)loop_run_until(f.loop, loop_look(f.loop) + USEC_PER_SEC / 3);
    uint64_t child;
    assert_true(text_parse_number(bytes_of(f.output, f.output_len - 1), 1 << 30, &child));
    program_kill(f.program);
    assert_int_equal(f.programs.count, 1);
    (void)loop_run_until(f.loop, loop_look(f.loop) + PROGRAM_GRACE + USEC_PER_SEC);
    assert_int_equal(f.programs.count, 0);
    assert_int_equal(f.exit_code, -1); /* nobody is told */
    assert_false(is_running(child));
    stop();
}

static void it_may_be_killed_within_its_callback(void **state UNUSED)
{
    start("echo a; sleep 100");
    f.kill_it = true;
    (void)loop_run_until(f.loop, loop_look(f.loop) + USEC_PER_SEC);
    assert_int_equal(f.programs.count, 0);
    stop();
    start("echo a");
    f.kill_it = true;
    (void)usleep(200000); /* it has ended when its output is read */
    (void)loop_run_until(f.loop, loop_look(f.loop) + USEC_PER_SEC / 2);
    assert_int_equal(f.programs.count, 0);
    stop();
}

static void those_that_are_left_end_with_the_rest(void **state UNUSED)
{
    start("sleep 100");
    stop();
    assert_int_equal(f.exit_code, -1);
}

static void limits_hold(void **state UNUSED)
{
    struct program_options options = {.folder = "/usr", .limits = {{RLIMIT_NOFILE, 7}}, .limit_count = 1};
    assert_int_equal(start_with("ulimit -n; pwd", options), 0);
    run();
    assert_string_equal(f.output, "7\n/usr\n");
    stop();
}

static void what_cannot_be_run_is_told_at_once(void **state UNUSED)
{
    static const char *const missing[] = {"/nowhere/at-all", NULL};
    assert_int_equal(start_with("", (struct program_options){.argv = missing}), -ENOENT);
    assert_int_equal(f.programs.count, 0);
    stop();
    assert_int_equal(start_with("", (struct program_options){.folder = "/nowhere"}), -ENOENT);
    stop();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_writes_is_told),
        cmocka_unit_test(it_reads_what_it_is_given),
        cmocka_unit_test(both_directions_have_back_pressure),
        cmocka_unit_test(one_that_closes_its_input_is_not_waited_for),
        cmocka_unit_test(it_is_over_though_others_hold_its_output),
        cmocka_unit_test(a_kill_ends_what_it_has_started),
        cmocka_unit_test(it_may_be_killed_within_its_callback),
        cmocka_unit_test(those_that_are_left_end_with_the_rest),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(what_cannot_be_run_is_told_at_once),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

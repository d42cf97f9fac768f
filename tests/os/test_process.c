/* SPDX-License-Identifier: ISC */
/* test_process.c - programs are started, told, and reaped; descriptors are handed over. */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fdpass.h"
#include "tests/support/check.h"

static int run(const char *const *argv)
{
    struct process_options options = {.argv = argv, .standard = {-1, -1, -1}};
    struct process process;
    int exit_code = -1;
    int status = process_start(&options, &process);
    if (status < 0)
        return status;
    assert_int_equal(process_wait(&process, &exit_code), 0);
    process_done(&process);
    return exit_code;
}

static void exit_codes_are_those_of_a_shell(void **state UNUSED)
{
    assert_int_equal(run((const char *const[]){"true", NULL}), 0);
    assert_int_equal(run((const char *const[]){"sh", "-c", "exit 3", NULL}), 3);
    assert_int_equal(run((const char *const[]){"sh", "-c", "kill -TERM $$", NULL}), 128 + SIGTERM);
}

static void a_program_that_does_not_exist_is_told_at_once(void **state UNUSED)
{
    assert_int_equal(run((const char *const[]){"no-such-program-here", NULL}), -ENOENT);
    assert_int_equal(run((const char *const[]){"/", NULL}), -EACCES);
}

static int refuse(void *self UNUSED)
{
    return -EXDEV;
}

static void what_comes_before_exec_may_fail(void **state UNUSED)
{
    struct process_options options = {.argv = (const char *const[]){"true", NULL},
                                      .standard = {-1, -1, -1},
                                      .before = refuse};
    struct process process;
    assert_int_equal(process_start(&options, &process), -EXDEV);
}

static void streams_and_environment_are_the_given_ones(void **state UNUSED)
{
    int in[2], out[2];
    char text[32] = {0};
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct process_options options = {
        .argv = (const char *const[]){"sh", "-c", "read a; echo $a$B >&2", NULL},
        .environment = (const char *const[]){"PATH=/bin:/usr/bin", "B=!", NULL},
        .standard = {in[0], -1, out[1]},
        .own_session = true,
        .dies_with_us = true,
    };
    struct process process;
    assert_int_equal(process_start(&options, &process), 0);
    close(in[0]);
    close(out[1]);
    assert_int_equal(write(in[1], "hello\n", 6), 6);
    assert_int_equal(read(out[0], text, sizeof text), 7);
    assert_string_equal(text, "hello!\n");
    int exit_code = -1;
    assert_int_equal(process_wait(&process, &exit_code), 0);
    assert_int_equal(exit_code, 0);
    process_done(&process);
    close(in[1]);
    close(out[0]);
}

static void a_descriptor_tells_the_end(void **state UNUSED)
{
    struct process_options options = {.argv = (const char *const[]){"sleep", "100", NULL},
                                      .standard = {-1, -1, -1}};
    struct process process;
    int exit_code = -1;
    /* Blocked and ignored signals are not handed on. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    assert_int_equal(process_start(&options, &process), 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    struct pollfd poll_fd = {.fd = process.pidfd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    assert_int_equal(process_reap(&process, &exit_code), -EAGAIN);
    assert_int_equal(process_signal(&process, SIGTERM), 0);
    assert_int_equal(poll(&poll_fd, 1, 5000), 1);
    assert_int_equal(process_reap(&process, &exit_code), 0);
    assert_int_equal(exit_code, 128 + SIGTERM);
    assert_int_equal(process_signal(&process, SIGTERM), -ESRCH);
    process_done(&process);
}

static void a_descriptor_is_handed_over(void **state UNUSED)
{
    int pair[2], ends[2], got = -1;
    char message[8] = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fdpass_send(pair[0], ends[1], bytes_of("tap", 3)), 0);
    close(ends[1]);
    assert_int_equal(fdpass_receive(pair[1], message, sizeof message, &got), 3);
    assert_string_equal(message, "tap");
    assert_true(got >= 0);
    assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(got, "x", 1), 1);
    assert_int_equal(read(ends[0], message, 1), 1);
    close(got);
    assert_int_equal(write(pair[0], "no", 2), 2);
    assert_int_equal(fdpass_receive(pair[1], message, sizeof message, &got), 2);
    assert_int_equal(got, -1);
    close(pair[0]);
    assert_int_equal(fdpass_receive(pair[1], message, sizeof message, &got), 0);
    close(pair[1]);
    close(ends[0]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_are_those_of_a_shell),
        cmocka_unit_test(a_program_that_does_not_exist_is_told_at_once),
        cmocka_unit_test(what_comes_before_exec_may_fail),
        cmocka_unit_test(streams_and_environment_are_the_given_ones),
        cmocka_unit_test(a_descriptor_tells_the_end),
        cmocka_unit_test(a_descriptor_is_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

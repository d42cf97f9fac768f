/* SPDX-License-Identifier: ISC */
/*
 * process.c - fork, exec, and pidfd_open(2). The child tells of a failed exec through a pipe that a
 * successful one closes.
 */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

/* Handlers are gone after exec by themselves; what was ignored or blocked would stay so. */
static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors are moved out of the way of 0, 1, 2 before they are put there. */
static int place_standard(const int standard[3])
{
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = standard[i] < 0 ? -1 : fcntl(standard[i], F_DUPFD_CLOEXEC, 3);
        if (standard[i] >= 0 && moved[i] < 0)
            return -errno;
    }
    for (int i = 0; i < 3; i++)
        if (moved[i] >= 0 && dup2(moved[i], i) < 0)
            return -errno;
    return 0;
}

static int become(const struct process_options *options, pid_t parent)
{
    reset_signals();
    if (options->dies_with_us) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
            return -errno;
        if (getppid() != parent)
            return -ESRCH;
    }
    if (options->own_session && setsid() < 0)
        return -errno;
    int status = place_standard(options->standard);
    if (status == 0 && options->before != NULL)
        status = options->before(options->self);
    if (status < 0)
        return status;
    if (options->environment != NULL)
        environ = (char **)(uintptr_t)options->environment;
    (void)execvp(options->argv[0], (char *const *)(uintptr_t)options->argv);
    return -errno;
}

static int open_pidfd(pid_t pid)
{
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int process_start(const struct process_options *options, struct process *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    CLOSE_AT_END int told = ends[0];
    int tell = ends[1];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        int error = -errno;
        (void)close(tell);
        return error;
    }
    if (pid == 0) {
        int error = become(options, parent);
        ssize_t written = write(tell, &error, sizeof error);
        (void)written;
        _exit(127);
    }
    (void)close(tell);
    struct process process = {.pid = pid, .pidfd = open_pidfd(pid)};
    int error = process.pidfd < 0 ? process.pidfd : 0;
    if (error < 0)
        (void)kill(pid, SIGKILL);
    ssize_t got;
    int from_child;
    do
        got = read(told, &from_child, sizeof from_child);
    while (got < 0 && errno == EINTR);
    if (error == 0 && got == (ssize_t)sizeof from_child)
        error = from_child;
    if (error < 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        process_done(&process);
        return error;
    }
    *out = process;
    return 0;
}

int process_signal(const struct process *process, int number)
{
    /* By the descriptor: the number may already belong to another process. */
    return syscall(SYS_pidfd_send_signal, process->pidfd, number, NULL, 0) < 0 ? -errno : 0;
}

int process_exit_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int reap(struct process *process, int flags, int *exit_code)
{
    int status = 0;
    pid_t got;
    do
        got = waitpid(process->pid, &status, flags);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    if (got == 0)
        return -EAGAIN;
    *exit_code = process_exit_code(status);
    return 0;
}

int process_reap(struct process *process, int *exit_code)
{
    return reap(process, WNOHANG, exit_code);
}

int process_wait(struct process *process, int *exit_code)
{
    return reap(process, 0, exit_code);
}

void process_done(struct process *process)
{
    file_close(&process->pidfd);
}

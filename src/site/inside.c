/* SPDX-License-Identifier: ISC */
/*
 * inside.c - makes the namespaces (namespaces(7), user_namespaces(7)) and talks to their init.
 *
 * Root maps every id to itself, so that files keep their owners. Anybody else may map only the own
 * ids (user_namespaces(7), "Defining user and group ID mappings"); to programs inside nothing
 * changes but that they have the network's capabilities there.
 */
#include "site/inside_init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fdpass.h"
#include "os/file.h"

enum { MAP_TEXT_MAX = 4096 };

/* clone(2) as fork(2) with flags; the C library's wrapper wants a stack of its own. */
static pid_t fork_into(unsigned long namespaces)
{
    return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int write_text(const char *path, const char *content)
{
    CLOSE_AT_END int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return file_write_all(fd, bytes_of_text(content));
}

/* A line for each range of ids that we have ourselves, each mapped to itself. */
static int identity_map(const char *path, char *out, size_t size)
{
    struct text text = text_of(out, size);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    unsigned long inner, outer, count;
    while (fscanf(file, "%lu %lu %lu", &inner, &outer, &count) == 3)
        text_add_format(&text, "%lu %lu %lu\n", inner, inner, count);
    fclose(file);
    return text.failed ? -E2BIG : 0;
}

static int map_ids(pid_t pid, const char *which, unsigned own)
{
    char path[64], map[MAP_TEXT_MAX];
    snprintf(path, sizeof path, "/proc/%d/%s_map", (int)pid, which);
    if (geteuid() == 0) {
        char ours[64];
        snprintf(ours, sizeof ours, "/proc/self/%s_map", which);
        if (identity_map(ours, map, sizeof map) == 0 && write_text(path, map) == 0)
            return 0;
    }
    snprintf(map, sizeof map, "%u %u 1\n", own, own);
    int result = write_text(path, map);
    if (result != -EPERM || strcmp(which, "gid") != 0)
        return result;

    /* Without privilege only after giving up setgroups(2), by which groups could be dropped that
     * deny access. */
    char setgroups[64];
    snprintf(setgroups, sizeof setgroups, "/proc/%d/setgroups", (int)pid);
    result = write_text(setgroups, "deny");
    return result == 0 ? write_text(path, map) : result;
}

static void explain_clone(int error, struct text *out)
{
    text_add_format(out, "cannot make the namespaces of a private network: %s; ", strerror(-error));
    switch (-error) {
    case ENOSPC:
    case EUSERS:
        text_add(out, "raise user.max_user_namespaces and user.max_net_namespaces by sysctl(8)");
        break;
    case EINVAL:
        text_add(out, "the kernel needs user, network, process and mount namespaces");
        break;
    default:
        text_add(out, "this system does not let ordinary users do it: run it as root, or allow it "
                      "(sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, "
                      "kernel.apparmor_restrict_unprivileged_userns)");
    }
}

static int start_init(const struct inside_options *options, int sockets[2], struct inside *inside,
                      struct text *error)
{
    unsigned long namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS;
    bool mapped = true;
    inside->pid = fork_into(namespaces | CLONE_NEWUSER);
    if (inside->pid < 0 && geteuid() == 0) {
        mapped = false; /* a host without user namespaces: root can do without */
        inside->pid = fork_into(namespaces);
    }
    if (inside->pid < 0) {
        int result = -errno;
        explain_clone(result, error);
        return result;
    }
    if (inside->pid == 0) {
        close(sockets[0]);
        inside_init(options, sockets[1]);
    }
    int result = 0;
    if (mapped) {
        result = map_ids(inside->pid, "uid", (unsigned)geteuid());
        if (result == 0)
            result = map_ids(inside->pid, "gid", (unsigned)getegid());
    }
    if (result < 0)
        text_add_format(error, "cannot map user and group ids into the private network: %s; run it "
                               "as root", strerror(-result));
    return result;
}

int inside_start(const struct inside_options *options, struct inside *out, struct text *error)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        int result = -errno;
        text_add_format(error, "cannot make a socket pair: %s", strerror(-result));
        return result;
    }
    *out = (struct inside){.socket = sockets[0]};
    int result = start_init(options, sockets, out, error);
    close(sockets[1]);
    if (result == 0 && send(out->socket, "", 1, MSG_NOSIGNAL) != 1)
        result = -errno;
    if (result == 0)
        result = file_set_nonblocking(out->socket);
    if (result < 0 && error->len == 0) {
        text_add_format(error, "the private network's first process has died: %s",
                        strerror(-result));
    }
    if (result < 0)
        inside_stop(out);
    return result;
}

void inside_let_go(bool errors_too)
{
    CLOSE_AT_END int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; null >= 0 && fd <= (errors_too ? STDERR_FILENO : STDOUT_FILENO); fd++)
        dup2(null, fd);
    DIR *list = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        int fd = atoi(entry->d_name);
        if (fd > STDERR_FILENO && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
            close(fd);
    }
    if (list != NULL)
        closedir(list);
}

int inside_receive(struct inside *inside, struct inside_event *out)
{
    if (inside->socket < 0)
        return -EAGAIN;
    int fd = -1;
    int len = fdpass_receive(inside->socket, out, sizeof *out, &fd);
    if (len == -EAGAIN || len == -EINTR)
        return -EAGAIN;
    if (len == -EMFILE) {
        memset(out, 0, sizeof *out);
        out->kind = INSIDE_FAILED;
        out->fd = -1;
        out->exit_status = INSIDE_EXIT_FAILED;
        snprintf(out->complaint, sizeof out->complaint, "cannot take the network's device: %s",
                 strerror(EMFILE));
        return 0;
    }
    if (len != (int)sizeof *out) {
        file_close(&fd);
        memset(out, 0, sizeof *out);
        out->kind = INSIDE_GONE;
    }
    out->fd = fd;
    return 0;
}

void inside_tell_ready(struct inside *inside, bool trusted)
{
    inside_signal(inside, trusted ? 0 : -1);
}

void inside_signal(struct inside *inside, int number)
{
    if (inside->socket >= 0)
        send(inside->socket, &number, sizeof number, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void inside_stop(struct inside *inside)
{
    file_close(&inside->socket);
    inside->socket = -1;
    if (inside->pid <= 0)
        return;
    /* The init's end takes every process of its namespace along (pid_namespaces(7)). */
    kill(inside->pid, SIGKILL);
    while (waitpid(inside->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    inside->pid = 0;
}

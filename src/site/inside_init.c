/* SPDX-License-Identifier: ISC */
/*
 * inside_init.c - the first process of the private network: sets it up from within, starts the
 * program, reaps orphans, passes signals on, and tells the outside how it ends.
 *
 * As the init of a process namespace it gets no signal that it has no handler for, but SIGKILL and
 * SIGSTOP from outside (pid_namespaces(7)): what the terminal sends to the program's process group
 * passes by it.
 */
#include "site/inside_init.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/process.h"

enum { CLOSE_AFTER = 500 }; /* milliseconds without an event: the program has been started */

struct init {
    const struct inside_options *options;
    int socket;
    int signals;       /* SIGCHLD, as a descriptor */
    int packet_fd;     /* to be closed when there is time; -1: it is */
    sigset_t mask;     /* the caller's, for the program */
    pid_t program;     /* 0: it has ended */
    int exit_status;
    bool trusted;      /* the bundle is there */
};

static void tell(const struct init *init, const struct inside_event *event)
{
    /* Only fails when nobody listens any more, and then we are about to die. */
    (void)send(init->socket, event, sizeof *event, MSG_NOSIGNAL);
}

static void tell_kind(const struct init *init, enum inside_event_kind kind)
{
    struct inside_event event = {.kind = kind, .fd = -1, .exit_status = init->exit_status};
    tell(init, &event);
}

static _Noreturn void fail(const struct init *init, int exit_status, const char *complaint)
{
    struct inside_event event = {.kind = INSIDE_FAILED, .fd = -1, .exit_status = exit_status};
    snprintf(event.complaint, sizeof event.complaint, "%s", complaint);
    tell(init, &event);
    _exit(exit_status);
}

/* The network's capabilities for a program that is not root inside: `ip`, `tcpdump` and servers on
 * low ports work. They count in this network alone. */
static int keep_capabilities(void)
{
    static const unsigned kept[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        data[CAP_TO_INDEX(kept[i])].inheritable |= CAP_TO_MASK(kept[i]);
    if (syscall(SYS_capset, &header, data) < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0) < 0)
            return -errno;
    return 0;
}

/* For programs that do not look into the host's file: OpenSSL's own folder, Python, Node. What the caller has
 * set is what the caller wants. */
static void tell_trusted(const char *path)
{
    static const char *const names[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                                        "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        setenv(names[i], path, 0);
}

static _Noreturn void become_program(const struct init *init)
{
    char *const *argv = init->options->argv;
    char complaint[INSIDE_COMPLAINT_MAX];
    int result = geteuid() == 0 ? 0 : keep_capabilities();
    if (result < 0) {
        snprintf(complaint, sizeof complaint, "cannot keep the network's capabilities: %s",
                 strerror(-result));
        fail(init, INSIDE_EXIT_FAILED, complaint);
    }
    if (init->options->capture != NULL)
        setenv("WHOLENET_CAPTURE", init->options->capture, 1);
    /* The host's file, which ours covers, can be read by everybody; ours lies in a private folder. */
    if (init->trusted)
        tell_trusted(init->options->host_trusted != NULL ? init->options->host_trusted
                                                         : init->options->trusted);
    sigprocmask(SIG_SETMASK, &init->mask, NULL);
    tell_kind(init, INSIDE_STARTED); /* from here on signals are ours, and no earlier the program's */
    execvp(argv[0], argv);
    int error = errno;
    snprintf(complaint, sizeof complaint, "%s: %s", argv[0],
             error == ENOENT ? "no such program" : strerror(error));
    fail(init, error == ENOENT ? INSIDE_EXIT_NOT_FOUND : INSIDE_EXIT_NOT_EXECUTABLE, complaint);
}

static void start_program(struct init *init)
{
    init->program = fork();
    if (init->program < 0)
        fail(init, INSIDE_EXIT_FAILED, "cannot fork inside the private network");
    if (init->program == 0)
        become_program(init);
    inside_let_go(true);
}

/* The program has ended: so does everything else in here, and then the outside is told. */
static void program_ended(struct init *init, int status)
{
    init->program = 0;
    init->exit_status = process_exit_code(status);
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    tell_kind(init, INSIDE_ENDED);
}

static void reap(struct init *init)
{
    struct signalfd_siginfo info;
    (void)!read(init->signals, &info, sizeof info);
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
        if (pid <= 0)
            return;
        if (pid != init->program)
            continue;
        if (WIFSTOPPED(status))
            tell_kind(init, INSIDE_STOPPED);
        else if (WIFCONTINUED(status))
            tell_kind(init, INSIDE_CONTINUED);
        else
            program_ended(init, status);
    }
}

/* A number to send to the program; false: the outside is gone. */
static bool take_signal(struct init *init)
{
    int number;
    ssize_t len = recv(init->socket, &number, sizeof number, 0);
    if (len == 0 || (len < 0 && errno != EINTR))
        return false;
    if (len == sizeof number && init->program > 0)
        kill(init->program, number);
    return true;
}

static _Noreturn void watch(struct init *init)
{
    struct pollfd ready[] = {{init->socket, POLLIN, 0}, {init->signals, POLLIN, 0}};
    for (;;) {
        int count = poll(ready, ARRAY_LEN(ready), init->packet_fd >= 0 ? CLOSE_AFTER : -1);
        if (count == 0) {
            (void)close(init->packet_fd);
            init->packet_fd = -1;
        }
        if (count <= 0)
            continue;
        if (ready[1].revents != 0)
            reap(init);
        if (ready[0].revents != 0 && !take_signal(init))
            _exit(0);
    }
}

/* The bundle of certificates is there when the outside says so: with the signal that is none; -1: it will not
 * be. */
static int take_trust(struct init *init, struct text *error)
{
    int number;
    if (init->options->trusted == NULL)
        return 0;
    do {
        if (recv(init->socket, &number, sizeof number, 0) != sizeof number) {
            text_add(error, "the outside is gone");
            return -EPIPE;
        }
    } while (number > 0);
    init->trusted = number == 0;
    return init->trusted ? inside_trust(init->options, error) : 0;
}

static int set_up(struct init *init, struct text *error)
{
    const struct inside_options *options = init->options;
    struct inside_event event = {.kind = INSIDE_NETWORK, .fd = -1};
    struct inside_link link = {.packet_fd = -1};
    if (options->hostname != NULL &&
        sethostname(options->hostname, strlen(options->hostname)) < 0) {
        text_add_format(error, "cannot set the host name \"%s\" inside: %s", options->hostname,
                        strerror(errno));
        return -errno;
    }
    int result = inside_mounts(error);
    if (result == 0)
        result = inside_link_up(options, init->socket, &link, error);
    if (result == 0)
        result = take_trust(init, error);
    if (result == 0)
        result = inside_resolver(&link.network, error);
    if (result < 0)
        return result;
    init->packet_fd = link.packet_fd;
    event.network = link.network;
    event.duration = link.duration;
    inside_relax_sysctls();
    tell(init, &event);
    return 0;
}

_Noreturn void inside_init(const struct inside_options *options, int socket)
{
    struct init init = {
        .options = options, .socket = socket, .signals = -1, .packet_fd = -1};
    char go;
    /* When we die with the parent, so does all that is in our process namespace. The parent may
     * have died before this call: then it cannot say "go". */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (recv(socket, &go, sizeof go, 0) != sizeof go)
        _exit(INSIDE_EXIT_FAILED);

    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, &init.mask);
    signal(SIGCHLD, SIG_DFL); /* a caller that ignores it would keep us from reaping */
    init.signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);

    char complaint[INSIDE_COMPLAINT_MAX] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (init.signals < 0)
        fail(&init, INSIDE_EXIT_FAILED, "cannot watch for the end of the program");
    if (set_up(&init, &error) < 0)
        fail(&init, INSIDE_EXIT_FAILED, complaint);
    start_program(&init);
    watch(&init);
}

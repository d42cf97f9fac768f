/* SPDX-License-Identifier: ISC */
/*
 * flows.c - many TCP connections, for the tests of the gateway.
 *
 *      flows serve ADDRESS PORT              echoes; prints "ready" when it listens; PORT 0: prints it
 *      flows open ADDRESS PORT AT_ONCE TOTAL opens TOTAL connections, AT_ONCE of them at a time. Each
 *                                            sends 100 octets of its own, checks the echo, finishes,
 *                                            and waits for the server's end.
 *
 * `open` keeps all AT_ONCE open until the last of them is, so that they are there together. It ends
 * with 0 when every connection did what it should, and prints the counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_LEN = 100, EVENTS_MAX = 256, AT_ONCE_MAX = 16000, PATIENCE_SECONDS = 60 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1) {
        fprintf(stderr, "flows: not an IPv4 address: %s\n", address);
        exit(2);
    }
    return a;
}

/* ---- the server ---- */

static void echo(int fd)
{
    char buffer[65536];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got > 0 && send(fd, buffer, (size_t)got, MSG_NOSIGNAL) == got)
        return;
    if (got < 0 && errno == EAGAIN)
        return;
    close(fd);
}

static _Noreturn void serve(struct sockaddr_in local)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    socklen_t len = sizeof local;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&local, sizeof local) < 0 || listen(listener, 4096) < 0)
        die("flows: listen");
    getsockname(listener, (struct sockaddr *)&local, &len);
    printf("%d\n", ntohs(local.sin_port));
    fflush(stdout);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listener) {
                echo(events[i].data.fd);
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                struct epoll_event add = {.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &add);
            }
        }
    }
}

/* ---- the client ---- */

struct flow {
    int fd;
    bool connected, echoed;
    size_t received;
    char message[MESSAGE_LEN];
};

struct run {
    int epoll;
    struct sockaddr_in to;
    unsigned opened, connected, echoed, finished, failed;
};

static struct flow flows[AT_ONCE_MAX];

static void fail(struct run *run, struct flow *flow, const char *what, int error)
{
    if (run->failed++ < 5)
        fprintf(stderr, "flows: %s: %s\n", what, strerror(error));
    close(flow->fd);
    flow->fd = -1;
}

static void begin(struct run *run, struct flow *flow)
{
    *flow = (struct flow){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    if (flow->fd < 0)
        die("flows: socket");
    for (size_t i = 0; i < MESSAGE_LEN; i++)
        flow->message[i] = (char)(run->opened * 7 + i * 13);
    run->opened++;
    if (connect(flow->fd, (struct sockaddr *)&run->to, sizeof run->to) < 0 && errno != EINPROGRESS) {
        fail(run, flow, "connect", errno);
        return;
    }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = flow};
    epoll_ctl(run->epoll, EPOLL_CTL_ADD, flow->fd, &event);
}

static void on_connected(struct run *run, struct flow *flow)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(flow->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
        fail(run, flow, "connect", error);
        return;
    }
    flow->connected = true;
    run->connected++;
    struct epoll_event event = {.events = 0, .data.ptr = flow};
    epoll_ctl(run->epoll, EPOLL_CTL_MOD, flow->fd, &event);
}

static void speak(struct run *run, struct flow *flow)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = flow};
    epoll_ctl(run->epoll, EPOLL_CTL_MOD, flow->fd, &event);
    if (send(flow->fd, flow->message, MESSAGE_LEN, MSG_NOSIGNAL) != MESSAGE_LEN)
        fail(run, flow, "send", errno);
}

static void on_readable(struct run *run, struct flow *flow)
{
    char buffer[MESSAGE_LEN + 1];
    ssize_t got = recv(flow->fd, buffer, sizeof buffer, 0);
    if (got < 0) {
        fail(run, flow, "recv", errno);
    } else if (got == 0 && flow->echoed) {
        close(flow->fd);
        flow->fd = -1;
        run->finished++;
    } else if (got == 0 || flow->received + (size_t)got > MESSAGE_LEN ||
               memcmp(buffer, flow->message + flow->received, (size_t)got) != 0) {
        fail(run, flow, "the echo differs", EPROTO);
    } else if ((flow->received += (size_t)got) == MESSAGE_LEN) {
        flow->echoed = true;
        run->echoed++;
        shutdown(flow->fd, SHUT_WR);
    }
}

/* Waits until `count` flows of the round have got as far as *progress says, or have failed. */
static void wait_for(struct run *run, const unsigned *progress, unsigned target)
{
    time_t patience = time(NULL) + PATIENCE_SECONDS;
    while (*progress + run->failed < target) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(run->epoll, events, EVENTS_MAX, 1000);
        for (int i = 0; i < count; i++) {
            struct flow *flow = events[i].data.ptr;
            if (flow->fd < 0)
                continue;
            if (!flow->connected)
                on_connected(run, flow);
            else
                on_readable(run, flow);
        }
        if (time(NULL) > patience) {
            fprintf(stderr, "flows: stuck: %u opened, %u connected, %u echoed, %u finished\n",
                    run->opened, run->connected, run->echoed, run->finished);
            exit(1);
        }
    }
}

static int open_flows(struct sockaddr_in to, unsigned at_once, unsigned total)
{
    struct run run = {.epoll = epoll_create1(0), .to = to};
    struct timespec from, until;
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (run.opened < total && run.failed < 100) {
        unsigned count = total - run.opened < at_once ? total - run.opened : at_once;
        for (unsigned i = 0; i < count; i++)
            begin(&run, &flows[i]);
        wait_for(&run, &run.connected, run.opened);
        for (unsigned i = 0; i < count; i++)
            if (flows[i].fd >= 0)
                speak(&run, &flows[i]);
        wait_for(&run, &run.finished, run.opened);
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    double seconds = (double)(until.tv_sec - from.tv_sec) + 1e-9 * (double)(until.tv_nsec - from.tv_nsec);
    printf("%u opened, %u echoed, %u finished, %u failed, %.0f a second\n", run.opened, run.echoed,
           run.finished, run.failed, run.opened / seconds);
    return run.failed == 0 && run.finished == total ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct rlimit files = {20000, 20000};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        serve(address_of(argv[2], argv[3]));
    if (argc == 6 && strcmp(argv[1], "open") == 0 && atoi(argv[4]) <= AT_ONCE_MAX)
        return open_flows(address_of(argv[2], argv[3]), (unsigned)atoi(argv[4]),
                          (unsigned)atoi(argv[5]));
    fprintf(stderr, "usage: flows serve ADDRESS PORT | flows open ADDRESS PORT AT_ONCE TOTAL\n");
    return 2;
}

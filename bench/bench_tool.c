/* SPDX-License-Identifier: ISC */
/*
 * bench_tool.c - both ends of every measurement, as one small program on plain kernel sockets.
 *
 *      bench_tool serve ADDRESS PORT          sink, echo and hold, source on PORT … PORT+9, until killed
 *      bench_tool agent SOCKET PORT           in the namespace: serves on PORT, and runs what is
 *                                             asked for on the UNIX socket, one line at a time
 *      bench_tool ask SOCKET ARGUMENT…        asks the agent to run bench_tool ARGUMENT…
 *      bench_tool reach ADDRESS PORT SECONDS  until one octet has gone there and back
 *      bench_tool bulk ADDRESS PORT STREAMS SECONDS
 *      bench_tool fetch ADDRESS PORT STREAMS SECONDS     the same the other way round
 *      bench_tool connect ADDRESS PORT OCTETS SECONDS    connect, OCTETS (0, 1) there and back, close
 *      bench_tool rr ADDRESS PORT SECONDS     one octet there and back on one connection
 *      bench_tool udp ADDRESS PORT SECONDS    64 octets there, 128 back, 32 at a time
 *      bench_tool hold ADDRESS PORT COUNT SECONDS   opens connections, an octet there and back on each,
 *                                             for so long at most; holds them until its input ends
 *
 * Results are one JSON object on standard output. Options before the verb: -c CPU pins, -C NAME
 * chooses the congestion control of every socket (the namespaces' default may be another).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCK = 128 * 1024,
    ECHO_PORTS = 8,  /* PORT+1 …: more than one, since closed connections keep their pair of ports */
    SOURCE_PORT = 9, /* PORT+9 */
    UDP_WINDOW = 32,
    UDP_ASK = 64,
    UDP_ANSWER = 128,
    SAMPLES_MAX = 2000000,
    STEPS = 10,
};

static const char *congestion;

static void die(const char *what)
{
    fprintf(stderr, "bench_tool: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in address_of(const char *address, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1) {
        fprintf(stderr, "bench_tool: %s is no IPv4 address\n", address);
        exit(2);
    }
    return a;
}

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (congestion != NULL &&
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion)) < 0)
        die(congestion);
    return fd;
}

static int connect_to(struct sockaddr_in to)
{
    int fd = tcp_socket();
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t len)
{
    char *at = data;
    while (len > 0) {
        ssize_t got = recv(fd, at, len, 0);
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

/* ---- servers ---- */

static int listen_on(const char *address, int port)
{
    struct sockaddr_in a = address_of(address, port);
    int fd = tcp_socket();
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4096) < 0)
        die("listen");
    return fd;
}

/* Counts until the peer ends, then says how many octets came. */
static void *sink_connection(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char *block = malloc(BLOCK);
    uint64_t total = 0;
    ssize_t got;
    while ((got = recv(fd, block, BLOCK, 0)) > 0)
        total += (uint64_t)got;
    write_all(fd, &total, sizeof total);
    close(fd);
    free(block);
    return NULL;
}

static void *sink(void *argument)
{
    int listener = (int)(intptr_t)argument;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0)
            continue;
        if (pthread_create(&thread, NULL, sink_connection, (void *)(intptr_t)fd) != 0)
            die("pthread_create");
        pthread_detach(thread);
    }
    return NULL;
}

/* Sends until the peer has gone. */
static void *source_connection(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char *block = calloc(1, BLOCK);
    while (write_all(fd, block, BLOCK))
        ;
    close(fd);
    free(block);
    return NULL;
}

static void *source(void *argument)
{
    int listener = (int)(intptr_t)argument;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0)
            continue;
        if (pthread_create(&thread, NULL, source_connection, (void *)(intptr_t)fd) != 0)
            die("pthread_create");
        pthread_detach(thread);
    }
    return NULL;
}

static void *udp_answer(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char datagram[2048] = {0};
    struct sockaddr_in from;
    for (;;) {
        socklen_t len = sizeof from;
        ssize_t got = recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&from, &len);
        if (got > 0)
            (void)sendto(fd, datagram, UDP_ANSWER, 0, (struct sockaddr *)&from, len);
    }
    return NULL;
}

/* Echoes small pieces, and holds what says nothing. One thread, as a server would. */
static void echo(int *listeners, int count)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)listeners[i] << 1 | 1};
        epoll_ctl(poller, EPOLL_CTL_ADD, listeners[i], &e);
    }
    for (;;) {
        struct epoll_event ready[64];
        int got = epoll_wait(poller, ready, 64, -1);
        for (int i = 0; i < got; i++) {
            int fd = (int)(ready[i].data.u64 >> 1);
            if (ready[i].data.u64 & 1) {
                int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
                struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)peer << 1};
                if (peer >= 0)
                    epoll_ctl(poller, EPOLL_CTL_ADD, peer, &e);
                continue;
            }
            char piece[256];
            ssize_t len = recv(fd, piece, sizeof piece, 0);
            if (len <= 0 || !write_all(fd, piece, (size_t)len))
                close(fd);
        }
    }
}

static void start_thread(void *(*run)(void *), int fd)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, (void *)(intptr_t)fd) != 0)
        die("pthread_create");
}

static void serve(const char *address, int port)
{
    int listeners[ECHO_PORTS];
    struct sockaddr_in a = address_of(address, port);
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(datagrams, (struct sockaddr *)&a, sizeof a) < 0)
        die("bind");
    start_thread(udp_answer, datagrams);
    start_thread(sink, listen_on(address, port));
    start_thread(source, listen_on(address, port + SOURCE_PORT));
    for (int i = 0; i < ECHO_PORTS; i++)
        listeners[i] = listen_on(address, port + 1 + i);
    echo(listeners, ECHO_PORTS);
}

/* ---- the agent ---- */

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return a;
}

/* Runs one line of arguments with the peer as standard input and output. */
static void run_line(int peer, char *line, char **options, int option_count)
{
    char *arguments[32];
    int count = 0;
    static char name[] = "bench_tool";
    arguments[count++] = name;
    for (int i = 0; i < option_count; i++)
        arguments[count++] = options[i];
    for (char *word = strtok(line, " \n"); word != NULL && count < 31; word = strtok(NULL, " \n"))
        arguments[count++] = word;
    arguments[count] = NULL;
    dup2(peer, 0);
    dup2(peer, 1);
    execv("/proc/self/exe", arguments);
    die("exec");
}

static void agent(const char *path, int port, char **options, int option_count)
{
    struct sockaddr_un a = unix_address(path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 16) < 0)
        die(path);
    (void)setpgid(0, 0); /* "quit" ends us and what we have started, and nobody else */
    if (fork() == 0)
        serve("0.0.0.0", port);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        char line[1024] = "";
        size_t len = 0;
        if (peer < 0)
            continue;
        while (len < sizeof line - 1 && recv(peer, line + len, 1, 0) == 1 && line[len] != '\n')
            len++;
        line[len] = '\0';
        if (strcmp(line, "quit") == 0) {
            kill(0, SIGTERM);
            exit(0);
        }
        if (fork() == 0)
            run_line(peer, line, options, option_count);
        close(peer);
    }
}

static int ask(const char *path, char **arguments)
{
    struct sockaddr_un a = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die(path);
    for (; *arguments != NULL; arguments++) {
        write_all(fd, *arguments, strlen(*arguments));
        write_all(fd, arguments[1] != NULL ? " " : "\n", 1);
    }
    char piece[4096];
    int input = 0;
    for (;;) {
        struct pollfd watched[2] = {{.fd = fd, .events = POLLIN}, {.fd = input, .events = POLLIN}};
        poll(watched, 2, -1);
        if (watched[0].revents != 0) {
            ssize_t got = recv(fd, piece, sizeof piece, 0);
            if (got <= 0)
                return 0;
            fwrite(piece, 1, (size_t)got, stdout);
            fflush(stdout);
        }
        if (watched[1].revents != 0 && read(0, piece, sizeof piece) <= 0) {
            shutdown(fd, SHUT_WR);
            input = -1;
        }
    }
}

/* ---- clients ---- */

struct stream {
    struct sockaddr_in to;
    double until;
    uint64_t octets;
    bool failed;
    pthread_t thread;
};

/* The receiver's count comes after the last octet, so that what is still on its way is waited for. */
static void *send_stream(void *argument)
{
    struct stream *s = argument;
    char *block = calloc(1, BLOCK);
    int fd = connect_to(s->to);
    s->failed = fd < 0;
    while (!s->failed && now() < s->until)
        s->failed = !write_all(fd, block, BLOCK);
    shutdown(fd, SHUT_WR);
    if (!s->failed)
        s->failed = !read_all(fd, &s->octets, sizeof s->octets);
    close(fd);
    free(block);
    return NULL;
}

/* Counts what comes until the time is up; the rest is not waited for. */
static void *fetch_stream(void *argument)
{
    struct stream *s = argument;
    char *block = malloc(BLOCK);
    int fd = connect_to(s->to);
    s->failed = fd < 0;
    while (!s->failed && now() < s->until) {
        ssize_t got = recv(fd, block, BLOCK, 0);
        s->failed = got <= 0;
        s->octets += got > 0 ? (uint64_t)got : 0;
    }
    close(fd);
    free(block);
    return NULL;
}

static int bulk(struct sockaddr_in to, int count, double seconds, void *(*run)(void *))
{
    struct stream *streams = calloc((size_t)count, sizeof *streams);
    double start = now();
    uint64_t total = 0;
    int failed = 0;
    for (int i = 0; i < count; i++) {
        streams[i] = (struct stream){.to = to, .until = start + seconds};
        if (pthread_create(&streams[i].thread, NULL, run, &streams[i]) != 0)
            die("pthread_create");
    }
    for (int i = 0; i < count; i++) {
        pthread_join(streams[i].thread, NULL);
        total += streams[i].octets;
        failed += streams[i].failed;
    }
    double took = now() - start;
    printf("{\"octets\": %llu, \"seconds\": %.6f, \"gbit\": %.4f, \"failed\": %d}\n",
           (unsigned long long)total, took, (double)total * 8 / took / 1e9, failed);
    free(streams);
    return failed > 0;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_times(float *samples, size_t count, double took, unsigned failed)
{
    qsort(samples, count, sizeof *samples, compare);
    printf("{\"count\": %zu, \"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
           "\"failed\": %u}\n",
           count, (double)count / took, count > 0 ? (double)samples[count / 2] : 0,
           count > 0 ? (double)samples[count * 99 / 100] : 0, failed);
}

static float *sample_space(void)
{
    float *samples = malloc(SAMPLES_MAX * sizeof *samples);
    if (samples == NULL)
        die("malloc");
    return samples;
}

static int connects(const char *address, int port, size_t octets, double seconds)
{
    struct sockaddr_in to[ECHO_PORTS];
    float *samples = sample_space();
    size_t count = 0;
    unsigned failed = 0;
    for (int i = 0; i < ECHO_PORTS; i++)
        to[i] = address_of(address, port + 1 + i);
    double start = now();
    double last = start;
    for (size_t i = 0; last - start < seconds && count < SAMPLES_MAX; i++) {
        char octet = 'x';
        int fd = connect_to(to[i % ECHO_PORTS]);
        bool good = fd >= 0 && (octets == 0 || (write_all(fd, &octet, 1) && read_all(fd, &octet, 1)));
        if (fd >= 0)
            close(fd);
        double at = now();
        if (good)
            samples[count++] = (float)((at - last) * 1e6);
        else
            failed++;
        last = at;
    }
    print_times(samples, count, last - start, failed);
    free(samples);
    return 0;
}

static int round_trips(struct sockaddr_in to, double seconds)
{
    float *samples = sample_space();
    size_t count = 0;
    int fd = connect_to(to);
    if (fd < 0)
        die("connect");
    double start = now();
    double last = start;
    bool good = true;
    while (good && last - start < seconds && count < SAMPLES_MAX) {
        char octet = 'x';
        good = write_all(fd, &octet, 1) && read_all(fd, &octet, 1);
        double at = now();
        samples[count++] = (float)((at - last) * 1e6);
        last = at;
    }
    print_times(samples, count, last - start, !good);
    free(samples);
    return !good;
}

/* Keeps UDP_WINDOW questions on their way; those that have no answer in 200 ms count as lost. */
static int datagrams(struct sockaddr_in to, double seconds)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_usec = 200000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    char question[UDP_ASK] = {0};
    char answer[2048];
    uint64_t answers = 0;
    uint64_t lost = 0;
    double start = now();
    double at = start;
    unsigned waiting = 0;
    while (at - start < seconds) {
        for (; waiting < UDP_WINDOW; waiting++)
            (void)send(fd, question, sizeof question, 0);
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got > 0) {
            answers++;
            waiting--;
        } else {
            lost += waiting;
            waiting = 0;
        }
        at = now();
    }
    printf("{\"count\": %llu, \"per_second\": %.1f, \"lost\": %llu}\n", (unsigned long long)answers,
           (double)answers / (at - start), (unsigned long long)lost);
    return 0;
}

static int reach(const char *address, int port, double seconds)
{
    double start = now();
    while (now() - start < seconds) {
        char octet = 'x';
        int fd = connect_to(address_of(address, port + 1));
        if (fd >= 0 && write_all(fd, &octet, 1) && read_all(fd, &octet, 1)) {
            printf("{\"seconds\": %.6f}\n", now() - start);
            return 0;
        }
        if (fd >= 0)
            close(fd);
        usleep(2000);
    }
    printf("{\"failed\": 1}\n");
    return 1;
}

/* Also how long each tenth of them took: the last is to be opened as fast as the first. */
static int hold(const char *address, int port, int count, double seconds)
{
    double start = now();
    double steps[STEPS] = {0};
    double step_start = start;
    int opened = 0;
    for (int i = 0; i < count && now() - start < seconds; i++) {
        char octet = 'x';
        int fd = connect_to(address_of(address, port + 1 + i % ECHO_PORTS));
        opened += fd >= 0 && write_all(fd, &octet, 1) && read_all(fd, &octet, 1);
        if ((i + 1) % (count / STEPS) == 0 && i / (count / STEPS) < STEPS) {
            steps[i / (count / STEPS)] = now() - step_start;
            step_start = now();
        }
    }
    printf("{\"opened\": %d, \"seconds\": %.6f, \"steps\": [", opened, now() - start);
    for (int i = 0; i < STEPS; i++)
        printf("%s%.6f", i > 0 ? ", " : "", steps[i]);
    printf("]}\n");
    fflush(stdout);
    char octet;
    while (read(0, &octet, 1) > 0)
        ;
    return opened != count;
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0)
        die("sched_setaffinity");
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "+c:C:")) != -1) {
        if (option == 'c')
            pin(atoi(optarg));
        else if (option == 'C')
            congestion = optarg;
        else
            return 2;
    }
    char **a = argv + optind;
    int count = argc - optind;
    struct rlimit files = {20000, 20000};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    if (count == 3 && strcmp(a[0], "serve") == 0)
        serve(a[1], atoi(a[2]));
    else if (count == 3 && strcmp(a[0], "agent") == 0)
        agent(a[1], atoi(a[2]), argv + 1, optind - 1);
    else if (count >= 3 && strcmp(a[0], "ask") == 0)
        return ask(a[1], a + 2);
    else if (count == 5 && strcmp(a[0], "bulk") == 0)
        return bulk(address_of(a[1], atoi(a[2])), atoi(a[3]), atof(a[4]), send_stream);
    else if (count == 5 && strcmp(a[0], "fetch") == 0)
        return bulk(address_of(a[1], atoi(a[2]) + SOURCE_PORT), atoi(a[3]), atof(a[4]),
                    fetch_stream);
    else if (count == 5 && strcmp(a[0], "connect") == 0)
        return connects(a[1], atoi(a[2]), (size_t)atoi(a[3]), atof(a[4]));
    else if (count == 4 && strcmp(a[0], "rr") == 0)
        return round_trips(address_of(a[1], atoi(a[2]) + 1), atof(a[3]));
    else if (count == 4 && strcmp(a[0], "udp") == 0)
        return datagrams(address_of(a[1], atoi(a[2])), atof(a[3]));
    else if (count == 4 && strcmp(a[0], "reach") == 0)
        return reach(a[1], atoi(a[2]), atof(a[3]));
    else if (count == 5 && strcmp(a[0], "hold") == 0 && atoi(a[3]) >= STEPS)
        return hold(a[1], atoi(a[2]), atoi(a[3]), atof(a[4]));
    fprintf(stderr, "bench_tool: see the head of bench_tool.c\n");
    return 2;
}

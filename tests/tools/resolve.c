/* SPDX-License-Identifier: ISC */
/*
 * resolve.c - proto/dns/stub on the host's sockets, to be compared with the host's C library: for each name the
 * addresses in the order in which they would be tried.
 *
 *      resolve RESOLV_CONF NAME…          "NAME: 192.0.2.1 2001:db8::1", "NAME: no such name"
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address_order.h"
#include "base/usec.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/socket.h"
#include "proto/dns/dns_stream.h"
#include "proto/dns/stub.h"

struct question {
    int fd;
    struct dns_client_send send;
    uint8_t query[DNS_STREAM_LENGTH_LEN + DNS_CLIENT_QUERY_MAX];
};

static struct stub stub;
static struct question questions[STUB_QUESTIONS_MAX] = {{.fd = -1}, {.fd = -1}};

static int open_to(const struct endpoint *to, int kind)
{
    int fd = host_socket_open(&to->address, kind);
    int status = fd >= 0 ? host_socket_connect(fd, to) : fd;
    (void)status; /* poll() tells */
    return fd;
}

static void send_all(struct prng *prng)
{
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct dns_client_send send;
    size_t i;
    while (stub_next(&stub, prng, clock_monotonic(), buffer, &i, &send)) {
        struct question *q = &questions[i];
        file_close(&q->fd);
        q->fd = open_to(&send.server, send.stream ? SOCK_STREAM : SOCK_DGRAM);
        q->send = send;
        struct writer w = writer_of(q->query, sizeof q->query);
        if (send.stream)
            dns_stream_write(&w, send.message);
        else
            write_bytes(&w, send.message);
        struct pollfd writable = {q->fd, POLLOUT, 0};
        (void)poll(&writable, 1, 1000);
        if (write(q->fd, q->query, writer_len(&w)) < 0)
            stub_broken(&stub, i, clock_monotonic());
    }
}

static void receive(size_t i)
{
    static uint8_t message[DNS_MESSAGE_MAX + DNS_STREAM_LENGTH_LEN];
    struct question *q = &questions[i];
    usleep(q->send.stream ? 20000 : 0); /* all of it will be there then */
    ssize_t len = read(q->fd, message, sizeof message);
    size_t skip = q->send.stream ? DNS_STREAM_LENGTH_LEN : 0;
    if (len <= (ssize_t)skip)
        stub_broken(&stub, i, clock_monotonic());
    else
        stub_input(&stub, i, &q->send.server, bytes_of(message + skip, (size_t)len - skip),
                   clock_monotonic());
}

static void run(struct prng *prng)
{
    send_all(prng);
    while (!stub_finished(&stub)) {
        struct pollfd fds[STUB_QUESTIONS_MAX];
        for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
            fds[i] = (struct pollfd){stub_waits(&stub, i) ? questions[i].fd : -1, POLLIN, 0};
        usec wait = stub_deadline(&stub) - clock_monotonic();
        (void)poll(fds, STUB_QUESTIONS_MAX, wait > 0 ? (int)(wait / USEC_PER_MSEC) + 1 : 0);
        for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
            if (fds[i].revents != 0)
                receive(i);
        stub_tick(&stub, clock_monotonic());
        send_all(prng);
    }
}

static void order(struct address_candidate *list)
{
    for (size_t i = 0; i < stub.address_count; i++) {
        struct endpoint to = {stub.addresses[i], 53};
        int fd = host_socket_open(&to.address, SOCK_DGRAM);
        list[i] = (struct address_candidate){.address = to.address};
        list[i].reachable = host_socket_connect(fd, &to) == 0;
        list[i].source = (struct ip_prefix){host_socket_local(fd).address, 64};
        if (address_is_v4(&to.address))
            list[i].source.len = 24;
        file_close(&fd);
    }
    address_order(list, stub.address_count);
}

static void print(const char *name)
{
    static const char *const results[] = {[STUB_UNDER_WAY] = "",
                                          [STUB_FOUND] = "",
                                          [STUB_NO_NAME] = " no such name",
                                          [STUB_NO_DATA] = " no address",
                                          [STUB_AGAIN] = " try again"};
    struct address_candidate list[STUB_ADDRESSES_MAX];
    order(list);
    printf("%s:%s", name, results[stub.result]);
    for (size_t i = 0; i < stub.address_count; i++) {
        char text[ADDRESS_TEXT_MAX];
        printf(" %s", address_format(&list[i].address, text));
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    struct resolv_conf conf;
    struct prng prng;
    uint8_t seed[PRNG_SEED_LEN];
    char *content;
    size_t len;
    if (argc < 2 || file_read(argv[1], 65536, &content, &len) < 0 ||
        entropy_fill(seed, sizeof seed) < 0)
        return 2;
    resolv_conf_init(&conf);
    resolv_conf_parse(bytes_of(content, len), &conf);
    free(content);
    prng_init(&prng, seed);
    for (int i = 2; i < argc; i++) {
        stub_start(&stub, &conf, bytes_of_text(argv[i]), true, true, (unsigned)i, clock_monotonic());
        run(&prng);
        print(argv[i]);
    }
    for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
        file_close(&questions[i].fd);
    return 0;
}

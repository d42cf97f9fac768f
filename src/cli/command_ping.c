/* SPDX-License-Identifier: ISC */
/*
 * command_ping.c - wholenet ping: echo requests (RFC 792, RFC 4443 §4) over the host's sockets, and
 * what came back.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/host_name.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/pingsock.h"

enum {
    PAYLOAD_DEFAULT = 56, /* 64 octets with the ICMP header, as ping(8) */
    PAYLOAD_MAX = 65000,
    REMEMBERED = 65536,   /* one for each sequence number */
};

struct ping {
    unsigned count; /* 0: until interrupted */
    usec interval;
    usec timeout;
    unsigned size;
    bool quiet;
    bool v4, v6;

    const char *name;
    struct ip_address target;
    struct pingsock socket;
    unsigned sent, received, duplicates, errors;
    usec shortest, longest, total;
    double squares;
    usec *sent_at; /* by sequence number; 0: not sent, or answered */
};

static const struct cli_option options[] = {
    {"count", 'c', "N", "end after N requests", cli_take_number, offsetof(struct ping, count),
     NULL, NULL},
    {"interval", 'i', "T", "time between requests (1s)", cli_take_duration,
     offsetof(struct ping, interval), NULL, NULL},
    {"timeout", 'W', "T", "how long to wait for the last reply (2s)", cli_take_duration,
     offsetof(struct ping, timeout), NULL, NULL},
    {"size", 's', "N", "octets of payload (56)", cli_take_number, offsetof(struct ping, size),
     NULL, NULL},
    {"quiet", 'q', NULL, "say only the summary", cli_take_flag, offsetof(struct ping, quiet), NULL,
     NULL},
    {"ipv4", '4', NULL, "only IPv4", cli_take_flag, offsetof(struct ping, v4), NULL, NULL},
    {"ipv6", '6', NULL, "only IPv6", cli_take_flag, offsetof(struct ping, v6), NULL, NULL},
};

static int send_request(struct ping *ping)
{
    static uint8_t payload[PAYLOAD_MAX];
    for (unsigned i = 0; i < ping->size; i++)
        payload[i] = (uint8_t)i;
    uint16_t sequence = (uint16_t)(ping->sent + 1);
    int result = pingsock_send(&ping->socket, &ping->target, sequence, 0,
                               bytes_of(payload, ping->size));
    if (result < 0)
        return result;
    ping->sent++;
    ping->sent_at[sequence] = clock_monotonic();
    return 0;
}

static void take_reply(struct ping *ping, const struct pingsock_reply *reply)
{
    char from[ADDRESS_TEXT_MAX];
    address_format(&reply->from, from);
    if (reply->error != 0) {
        ping->errors++;
        ping->sent_at[reply->sequence] = 0;
        if (!ping->quiet)
            printf("from %s: seq=%u %s\n", from, reply->sequence, strerror(reply->error));
        return;
    }
    usec sent_at = ping->sent_at[reply->sequence];
    if (sent_at == 0) {
        ping->duplicates++;
        if (!ping->quiet)
            printf("%zu octets from %s: seq=%u (duplicate)\n", reply->payload.len, from,
                   reply->sequence);
        return;
    }
    ping->sent_at[reply->sequence] = 0;
    usec taken = clock_monotonic() - sent_at;
    ping->shortest = ping->received == 0 ? taken : usec_min(ping->shortest, taken);
    ping->longest = usec_max(ping->longest, taken);
    ping->total += taken;
    ping->squares += (double)taken * (double)taken;
    ping->received++;
    if (!ping->quiet)
        printf("%zu octets from %s: seq=%u time=%.3f ms\n", reply->payload.len, from,
               reply->sequence, (double)taken / 1000);
}

static void take_replies(struct ping *ping)
{
    static uint8_t buffer[PAYLOAD_MAX + 512];
    struct pingsock_reply reply;
    while (pingsock_receive(&ping->socket, buffer, sizeof buffer, &reply) == 0)
        take_reply(ping, &reply);
    fflush(stdout);
}

static bool all_answered(const struct ping *ping)
{
    return ping->count != 0 && ping->sent == ping->count &&
           ping->received + ping->errors >= ping->sent;
}

/* Sends and receives until done, or until a signal says that it is enough. */
static int exchange(struct ping *ping, int signals)
{
    usec next_at = clock_monotonic();
    for (;;) {
        usec now = clock_monotonic();
        bool more = ping->count == 0 || ping->sent < ping->count;
        if (now >= next_at && !more)
            return 0;
        if (now >= next_at) {
            int result = send_request(ping);
            if (result < 0)
                return result;
            more = ping->count == 0 || ping->sent < ping->count;
            next_at = now + (more ? ping->interval : ping->timeout);
        }
        struct pollfd ready[] = {{ping->socket.fd, POLLIN, 0}, {signals, POLLIN, 0}};
        usec wait = usec_max(next_at - clock_monotonic(), 0);
        if (poll(ready, ARRAY_LEN(ready), (int)((wait + 999) / 1000)) < 0 && errno != EINTR)
            return -errno;
        take_replies(ping);
        if (ready[1].revents != 0 || all_answered(ping))
            return 0;
    }
}

/* Square root by Newton's steps; good to far more than the microsecond we have. */
static double root(double of)
{
    double guess = of > 1 ? of : 1;
    for (unsigned i = 0; i < 64; i++)
        guess = (guess + of / guess) / 2;
    return guess;
}

static void summarize(const struct ping *ping)
{
    unsigned lost = ping->sent - (ping->received < ping->sent ? ping->received : ping->sent);
    printf("\n%u sent, %u received", ping->sent, ping->received);
    if (ping->duplicates > 0)
        printf(", %u duplicates", ping->duplicates);
    if (ping->errors > 0)
        printf(", %u errors", ping->errors);
    printf(", %.3g%% lost\n", ping->sent > 0 ? 100.0 * lost / ping->sent : 0.0);
    if (ping->received == 0)
        return;
    double mean = (double)ping->total / ping->received;
    double variance = ping->squares / ping->received - mean * mean;
    printf("round trip min/avg/max/dev %.3f/%.3f/%.3f/%.3f ms\n", (double)ping->shortest / 1000,
           mean / 1000, (double)ping->longest / 1000, variance > 0 ? root(variance) / 1000 : 0.0);
}

static int ping_target(const struct cli_command *command, struct ping *ping)
{
    char address[ADDRESS_TEXT_MAX];
    address_format(&ping->target, address);
    int result = pingsock_open(!address_is_v4(&ping->target), (uint16_t)getpid(), &ping->socket);
    if (result < 0)
        return cli_fail(command, EXIT_FAILED,
                        "cannot open an ICMP socket: %s; let your group have it (sysctl "
                        "net.ipv4.ping_group_range=\"0 2147483647\"), or run it as root",
                        strerror(-result));
    CLOSE_AT_END int fd = ping->socket.fd;
    sigset_t enough;
    sigemptyset(&enough);
    sigaddset(&enough, SIGINT);
    sigaddset(&enough, SIGTERM);
    sigprocmask(SIG_BLOCK, &enough, NULL);
    CLOSE_AT_END int signals = signalfd(-1, &enough, SFD_CLOEXEC);
    if (fd < 0 || signals < 0)
        return cli_fail(command, EXIT_FAILED, "cannot watch signals: %s", strerror(errno));
    printf("ping %s (%s), %u octets of payload\n", ping->name, address, ping->size);
    fflush(stdout);
    result = exchange(ping, signals);
    if (result < 0)
        return cli_fail(command, EXIT_FAILED, "cannot send to %s: %s", address, strerror(-result));
    summarize(ping);
    return ping->received > 0 ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct ping ping = {
        .interval = USEC_PER_SEC, .timeout = 2 * USEC_PER_SEC, .size = PAYLOAD_DEFAULT};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &ping, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (at + 1 != argc)
        return cli_wrong_usage(command, "expected one host");
    if (ping.size > PAYLOAD_MAX)
        return cli_wrong_usage(command, "--size %u: expected at most %d", ping.size, PAYLOAD_MAX);
    if (ping.v4 && ping.v6)
        return cli_wrong_usage(command, "expected one of --ipv4 and --ipv6");
    ping.name = argv[at];

    char complaint[256] = "";
    struct text error = text_of(complaint, sizeof complaint);
    enum host_name_version version = ping.v4   ? HOST_NAME_V4
                                     : ping.v6 ? HOST_NAME_V6
                                               : HOST_NAME_ANY;
    if (!host_name_find(ping.name, version, &ping.target, &error))
        return cli_fail(command, EXIT_FAILED, "%s", complaint);
    ping.sent_at = calloc(REMEMBERED, sizeof *ping.sent_at);
    if (ping.sent_at == NULL)
        return cli_fail(command, EXIT_FAILED, "no memory");
    int status = ping_target(command, &ping);
    free(ping.sent_at);
    return status;
}

const struct cli_command command_ping = {
    .name = "ping",
    .usage = "[options] HOST",
    .summary = "ask a host for echoes",
    .about = "Sends ICMP echo requests to HOST over the host's sockets and shows what comes back.\n"
             "Needs no privilege where net.ipv4.ping_group_range has the group. Ends with 0 when a\n"
             "reply came, with 1 when none did.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

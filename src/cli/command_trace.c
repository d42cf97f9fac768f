/* SPDX-License-Identifier: ISC */
/*
 * command_trace.c - wholenet trace: the routers on the way to a host, each found by a packet whose
 * time to live ends there (RFC 792 Time Exceeded, RFC 4443 §3.3). UDP probes and the errors that come
 * back for them need no privilege (ip(7), IP_RECVERR).
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/host_name.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/pingsock.h"
#include "os/socket.h"

enum {
    HOPS_DEFAULT = 30,
    HOPS_MAX = 255,
    PROBES_DEFAULT = 3,
    PROBES_MAX = 10,
    PORT_DEFAULT = 33434, /* as traceroute(8): hosts have no service there */
    PAYLOAD_LEN = 32,
    ICMP_UNREACHABLE = 3,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP6_UNREACHABLE = 1,
    ICMP6_PORT_UNREACHABLE = 4,
};

struct probe {
    usec sent_at;
    usec answered_after; /* 0: not answered */
    struct ip_address from;
    bool reached;        /* by the host itself */
    const char *mark;    /* why it went no further, "" when its time to live ended */
};

struct trace_run {
    unsigned hops, probes, port;
    usec timeout;
    bool icmp, numeric, v4, v6;

    struct ip_address target;
    int fd;
    struct pingsock ping;
    unsigned first;      /* number of the first probe of this hop */
    struct probe at[PROBES_MAX];
};

static const struct cli_option options[] = {
    {"hops", 'm', "N", "go no further than N hops (30)", cli_take_number,
     offsetof(struct trace_run, hops), NULL, NULL},
    {"probes", 'q', "N", "probes for each hop (3)", cli_take_number,
     offsetof(struct trace_run, probes), NULL, NULL},
    {"timeout", 'w', "T", "how long to wait for answers (1s)", cli_take_duration,
     offsetof(struct trace_run, timeout), NULL, NULL},
    {"port", 'p', "N", "UDP port before the first to probe (33434)", cli_take_number,
     offsetof(struct trace_run, port), NULL, NULL},
    {"icmp", 'I', NULL, "probe with ICMP echo requests, not UDP", cli_take_flag,
     offsetof(struct trace_run, icmp), NULL, NULL},
    {"numeric", 'n', NULL, "do not look names of routers up", cli_take_flag,
     offsetof(struct trace_run, numeric), NULL, NULL},
    {"ipv4", '4', NULL, "only IPv4", cli_take_flag, offsetof(struct trace_run, v4), NULL, NULL},
    {"ipv6", '6', NULL, "only IPv6", cli_take_flag, offsetof(struct trace_run, v6), NULL, NULL},
};

static bool is_v4(const struct trace_run *t)
{
    return address_is_v4(&t->target);
}

static int send_probe(struct trace_run *t, unsigned ttl, unsigned index)
{
    uint8_t payload[PAYLOAD_LEN] = "wholenet trace";
    struct bytes content = bytes_of(payload, sizeof payload);
    unsigned number = t->first + index;
    t->at[index].sent_at = clock_monotonic();
    if (t->icmp)
        return pingsock_send(&t->ping, &t->target, (uint16_t)number, (uint8_t)ttl, content);
    int family = is_v4(t) ? AF_INET : AF_INET6;
    int result = is_v4(t) ? host_socket_set(t->fd, IPPROTO_IP, IP_TTL, (int)ttl)
                          : host_socket_set(t->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, (int)ttl);
    if (result < 0)
        return result;
    const struct host_datagram facts = {
        .from = {is_v4(t) ? address_any_v4() : address_any_v6(), 0},
        .to = {t->target, (uint16_t)(t->port + number)},
    };
    result = host_datagram_send(t->fd, family, &facts, content);
    /* An error for an earlier probe, told here: it waits in the queue, and this one was not sent. */
    return result < 0 && host_error_is_transient(-result)
               ? host_datagram_send(t->fd, family, &facts, content)
               : result;
}

static const char *mark_of(uint8_t type, uint8_t code, bool v4)
{
    static const char *const v4_marks[] = {"!N", "!H", "!P", "", "!F", "!S"};
    if (type != (v4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE))
        return "";
    if (v4 && code < ARRAY_LEN(v4_marks))
        return v4_marks[code];
    if (!v4 && code == ICMP6_PORT_UNREACHABLE)
        return "";
    return "!X";
}

static void take_answer(struct trace_run *t, unsigned number, const struct ip_address *from,
                        bool error, uint8_t type, uint8_t code)
{
    if (number < t->first || number >= t->first + t->probes)
        return; /* of an earlier hop, too late */
    struct probe *probe = &t->at[number - t->first];
    if (probe->answered_after != 0)
        return;
    probe->answered_after = usec_max(clock_monotonic() - probe->sent_at, 1);
    probe->from = *from;
    probe->mark = error ? mark_of(type, code, is_v4(t)) : "";
    /* Unreachable ends the way, whoever says it: what is behind is not reached with more hops. */
    uint8_t unreachable = is_v4(t) ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE;
    probe->reached = !error || type == unreachable;
}

static void take_answers(struct trace_run *t)
{
    if (t->icmp) {
        uint8_t buffer[2048];
        struct pingsock_reply reply;
        while (pingsock_receive(&t->ping, buffer, sizeof buffer, &reply) == 0)
            take_answer(t, reply.sequence, &reply.from, reply.error != 0, reply.type, reply.code);
        return;
    }
    struct host_datagram_error error;
    while (host_datagram_error(t->fd, &error) == 0)
        if (error.from_icmp)
            take_answer(t, (unsigned)(error.to.port - t->port), &error.offender, true, error.type,
                        error.code);
}

static bool all_answered(const struct trace_run *t)
{
    for (unsigned i = 0; i < t->probes; i++)
        if (t->at[i].answered_after == 0)
            return false;
    return true;
}

static int probe_hop(struct trace_run *t, unsigned ttl)
{
    memset(t->at, 0, sizeof t->at);
    for (unsigned i = 0; i < t->probes; i++) {
        int result = send_probe(t, ttl, i);
        if (result < 0)
            return result;
    }
    usec until = clock_monotonic() + t->timeout;
    while (!all_answered(t)) {
        usec left = until - clock_monotonic();
        if (left <= 0)
            return 0;
        struct pollfd ready = {t->icmp ? t->ping.fd : t->fd, POLLIN, 0};
        if (poll(&ready, 1, (int)((left + 999) / 1000)) < 0 && errno != EINTR)
            return -errno;
        take_answers(t);
    }
    return 0;
}

static void print_router(const struct trace_run *t, const struct ip_address *router)
{
    char address[ADDRESS_TEXT_MAX], name[NI_MAXHOST];
    address_format(router, address);
    struct sockaddr_storage storage;
    const struct endpoint endpoint = {*router, 0};
    socklen_t len = host_address_of(is_v4(t) ? AF_INET : AF_INET6, &endpoint, &storage);
    if (!t->numeric && len > 0 &&
        getnameinfo((struct sockaddr *)&storage, len, name, sizeof name, NULL, 0, NI_NAMEREQD) == 0)
        printf("  %s (%s)", name, address);
    else
        printf("  %s", address);
}

/* True when the way ends here. */
static bool print_hop(const struct trace_run *t, unsigned ttl)
{
    bool end = false;
    struct ip_address last = {{0}};
    printf("%2u", ttl);
    for (unsigned i = 0; i < t->probes; i++) {
        const struct probe *probe = &t->at[i];
        if (probe->answered_after == 0) {
            printf("  *");
            continue;
        }
        if (!address_equal(&probe->from, &last))
            print_router(t, &probe->from);
        last = probe->from;
        printf("  %.3f ms%s%s", (double)probe->answered_after / 1000,
               probe->mark[0] != '\0' ? " " : "", probe->mark);
        end = end || probe->reached;
    }
    printf("\n");
    fflush(stdout);
    return end;
}

static int open_socket(struct trace_run *t)
{
    if (t->icmp) {
        int result = pingsock_open(!is_v4(t), (uint16_t)getpid(), &t->ping);
        t->fd = result == 0 ? t->ping.fd : result;
        return result;
    }
    t->fd = host_socket_open(&t->target, SOCK_DGRAM);
    return t->fd < 0 ? t->fd : host_datagram_enable(t->fd);
}

static int follow(const struct cli_command *command, struct trace_run *t)
{
    int result = open_socket(t);
    CLOSE_AT_END int fd = t->fd;
    if (result < 0)
        return cli_fail(command, EXIT_FAILED, "cannot open %s socket: %s%s",
                        t->icmp ? "an ICMP" : "a UDP", strerror(-result),
                        t->icmp ? "; without --icmp it needs no privilege" : "");
    t->first = 1;
    for (unsigned ttl = 1; fd >= 0 && ttl <= t->hops; ttl++) {
        result = probe_hop(t, ttl);
        if (result < 0)
            return cli_fail(command, EXIT_FAILED, "cannot send: %s", strerror(-result));
        if (print_hop(t, ttl))
            return EXIT_OK;
        t->first += t->probes;
    }
    return EXIT_FAILED;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct trace_run t = {
        .hops = HOPS_DEFAULT, .probes = PROBES_DEFAULT, .port = PORT_DEFAULT, .timeout = USEC_PER_SEC};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &t, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (at + 1 != argc)
        return cli_wrong_usage(command, "expected one host");
    if (t.hops > HOPS_MAX || t.probes > PROBES_MAX)
        return cli_wrong_usage(command, "expected at most %d hops and %d probes", HOPS_MAX,
                               PROBES_MAX);
    if (t.port + t.hops * t.probes > UINT16_MAX)
        return cli_wrong_usage(command, "--port %u: there are no %u ports after it", t.port,
                               t.hops * t.probes);
    if (t.v4 && t.v6)
        return cli_wrong_usage(command, "expected one of --ipv4 and --ipv6");

    char complaint[256] = "", address[ADDRESS_TEXT_MAX];
    struct text error = text_of(complaint, sizeof complaint);
    enum host_name_version version = t.v4 ? HOST_NAME_V4 : t.v6 ? HOST_NAME_V6 : HOST_NAME_ANY;
    if (!host_name_find(argv[at], version, &t.target, &error))
        return cli_fail(command, EXIT_FAILED, "%s", complaint);
    printf("trace to %s (%s), at most %u hops\n", argv[at], address_format(&t.target, address),
           t.hops);
    fflush(stdout);
    return follow(command, &t);
}

const struct cli_command command_trace = {
    .name = "trace",
    .usage = "[options] HOST",
    .summary = "show the routers on the way to a host",
    .about = "Sends packets to HOST whose time to live ends at the first router, the second, and so\n"
             "on, and shows who says so. Needs no privilege. Ends with 0 when the way has an end:\n"
             "HOST, or a router that says why there is none behind it (!N network, !H host, !X\n"
             "forbidden); with 1 when nobody answered within the hops.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

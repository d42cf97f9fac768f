/* SPDX-License-Identifier: ISC */
/*
 * relay_udp_run.c - datagrams on their way out. The kernel takes those that are as long as each other for the
 * price of hardly more than one (UDP_SEGMENT): what a turn has brought from one socket inside to one place
 * outside is collected, and sent in one piece.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "io/relay_internal.h"
#include "os/socket.h"

enum {
    RUN_MAX = 64,                /* UDP_MAX_SEGMENTS of the kernel */
    RUN_OCTETS_MAX = 65535 - 48, /* with the headers of either version an IP packet */
};

struct relay_udp_run {
    int fd;
    struct endpoint outside;
    size_t count;
    size_t octets;
    bool ended; /* the last one is shorter: none may follow */
    struct udp_datagram datagrams[RUN_MAX];
};

struct relay_udp_run *relay_udp_run_new(void)
{
    return calloc(1, sizeof(struct relay_udp_run));
}

static int send_out(int fd, const struct endpoint *to, struct bytes payload)
{
    struct sockaddr_storage address;
    socklen_t len = host_address_of(address_is_v4(&to->address) ? AF_INET : AF_INET6, to, &address);
    for (int tries = 0; tries < 2; tries++) {
        if (sendto(fd, payload.data, payload.len, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *)&address, len) >= 0)
            return 0;
        /* The error may be that of an earlier datagram; told once, it is gone. */
        if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH)
            break;
    }
    return errno;
}

static void send_one(struct relay *relay, const struct relay_udp_run *run,
                     const struct udp_datagram *datagram)
{
    int error = send_out(run->fd, &run->outside, datagram->payload);
    if (error == 0) {
        relay->counters.octets_out += datagram->payload.len;
        return;
    }
    relay->counters.udp_dropped++;
    int code = relay_unreachable_code(error);
    if (code >= 0)
        udp_unreachable(relay->udp, &datagram->from, &datagram->to, datagram->payload,
                        (uint8_t)code);
}

/* False: none has gone, for whatever reason; one by one each has its own. */
static bool send_together(const struct relay_udp_run *run)
{
    struct iovec parts[RUN_MAX];
    for (size_t i = 0; i < run->count; i++) {
        struct bytes payload = run->datagrams[i].payload;
        parts[i] = (struct iovec){(void *)(uintptr_t)payload.data, payload.len};
    }
    return host_datagram_send_run(run->fd, &run->outside, parts, run->count,
                                  (uint16_t)parts[0].iov_len) == 0;
}

void relay_udp_run_flush(struct relay *relay)
{
    struct relay_udp_run *run = relay->udp_run;
    if (run == NULL || run->count == 0)
        return;
    if (run->count > 1 && send_together(run)) {
        relay->counters.octets_out += run->octets;
        relay->counters.udp_joined_out += run->count - 1;
    } else {
        for (size_t i = 0; i < run->count; i++)
            send_one(relay, run, &run->datagrams[i]);
    }
    for (size_t i = 0; i < run->count; i++)
        frame_unref(run->datagrams[i].frame);
    run->count = 0;
}

static bool goes_with(const struct relay_udp_run *run, int fd, const struct endpoint *outside,
                      struct bytes payload)
{
    return run->fd == fd && !run->ended && run->count < RUN_MAX && payload.len > 0 &&
           payload.len <= run->datagrams[0].payload.len &&
           run->octets + payload.len <= RUN_OCTETS_MAX && endpoint_equal(&run->outside, outside);
}

void relay_udp_run_add(struct relay *relay, int fd, const struct endpoint *outside,
                       const struct udp_datagram *datagram)
{
    struct relay_udp_run *run = relay->udp_run;
    if (run->count > 0 && !goes_with(run, fd, outside, datagram->payload))
        relay_udp_run_flush(relay);
    if (run->count == 0) {
        run->fd = fd;
        run->outside = *outside;
        run->octets = 0;
    }
    run->datagrams[run->count++] = *datagram;
    run->octets += datagram->payload.len;
    /* Without payload it is no segment; a shorter one is the last. */
    run->ended = datagram->payload.len == 0 ||
                 datagram->payload.len < run->datagrams[0].payload.len;
}

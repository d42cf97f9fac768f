/* SPDX-License-Identifier: ISC */
/* address_client.c - the DHCP client's machine (proto/dhcp/dhcp_client.h) on a packet socket. */
#include "app/addresses/address_client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/addresses/dhcp_frame.h"
#include "wire/link/ethernet.h"

enum { BATCH = 16, FRAME_SIZE = 2048 /* more than any frame with a message that we take */ };

#define ACQUIRE_FIRST_RETRY (100 * USEC_PER_MSEC)

struct address_client {
    struct address_client_options options;
    struct dhcp_client machine;
    struct loop *loop;
    struct watch watch;
    struct alarm alarm;   /* the machine's deadline, or that of the timeout */
    usec give_up_at;      /* USEC_NEVER: has a lease, or has no timeout */
    struct mac server_mac; /* who sent the lease: on the link the server, else the way to it */
    bool failed;
};

/* ---- sending ---- */

/* A device that is full or not up loses the frame; the machine repeats it. 0 or a negative errno
 * for what will not pass. */
static int send_frame(struct address_client *c, const struct dhcp_client_target *target,
                      struct bytes message)
{
    uint8_t octets[DHCP_FRAME_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    bool everyone = address_is_broadcast(&target->to);
    struct dhcp_frame frame = {
        .source = c->options.mac,
        .target = everyone ? ethernet_broadcast() : c->server_mac,
        .from = target->from,
        .to = target->to,
        .message = message,
    };
    dhcp_frame_encode(&frame, &w);
    ASSERT(!w.failed);
    ssize_t sent = send(c->options.packet_fd, octets, writer_len(&w), MSG_NOSIGNAL);
    if (sent >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == ENETDOWN || errno == EINTR)
        return 0;
    return -errno;
}

static int send_all(struct address_client *c)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct dhcp_client_target target;
    for (;;) {
        struct writer w = writer_of(octets, sizeof octets);
        if (!dhcp_client_next(&c->machine, &target, &w))
            return 0;
        int status = send_frame(c, &target, writer_bytes(&w));
        if (status < 0)
            return status;
    }
}

/* ---- events ---- */

static void stop(struct address_client *c)
{
    loop_unwatch(&c->watch);
    loop_clear_alarm(c->loop, &c->alarm);
}

static void fail(struct address_client *c, int error)
{
    c->failed = true;
    stop(c);
    if (c->options.on_failed != NULL)
        c->options.on_failed(c->options.self, error);
}

static void begin_patience(struct address_client *c)
{
    c->give_up_at = c->options.timeout > 0 ? loop_now(c->loop) + c->options.timeout : USEC_NEVER;
}

/* Sends what is to be sent before the caller is told: it may free us, or take long. */
static void after(struct address_client *c, enum dhcp_client_event event)
{
    int status = send_all(c);
    if (status < 0) {
        fail(c, -status);
        return;
    }
    if (event == DHCP_CLIENT_BOUND)
        c->give_up_at = USEC_NEVER;
    if (event == DHCP_CLIENT_LOST)
        begin_patience(c);
    loop_set_alarm(c->loop, &c->alarm,
                   usec_min(c->give_up_at, dhcp_client_deadline(&c->machine)));
    const struct address_client_options *o = &c->options;
    switch (event) {
    case DHCP_CLIENT_BOUND:
    case DHCP_CLIENT_RENEWED:
        if (o->on_bound != NULL)
            o->on_bound(o->self, &c->machine.lease, event == DHCP_CLIENT_RENEWED);
        break;
    case DHCP_CLIENT_LOST:
        if (o->on_lost != NULL)
            o->on_lost(o->self);
        break;
    case DHCP_CLIENT_PROBE: /* not asked for */
    case DHCP_CLIENT_NOTHING:
        break;
    }
}

static void on_due(struct alarm *alarm)
{
    struct address_client *c = CONTAINER_OF(alarm, struct address_client, alarm);
    usec now = loop_now(c->loop);
    if (now >= c->give_up_at) {
        fail(c, ETIMEDOUT);
        return;
    }
    after(c, dhcp_client_tick(&c->machine, now));
}

/* The next frame for the machine: 1; nothing more: 0; a negative errno when the socket has failed.
 * Frames that are none of ours give DHCP_CLIENT_NOTHING. */
static int receive(struct address_client *c, enum dhcp_client_event *event)
{
    uint8_t octets[FRAME_SIZE];
    *event = DHCP_CLIENT_NOTHING;
    ssize_t len = read(c->options.packet_fd, octets, sizeof octets);
    if (len < 0 && (errno == EINTR || errno == ENETDOWN)) /* down is told once, and may come up */
        return 1;
    if (len < 0)
        return errno == EAGAIN ? 0 : -errno;
    if (len == 0)
        return -EPIPE; /* no packet socket, and its other end has gone */
    struct dhcp_frame frame;
    if (!dhcp_frame_decode(bytes_of(octets, (size_t)len), &frame) ||
        (!mac_equal(&frame.target, &c->options.mac) && !mac_is_multicast(&frame.target)))
        return 1;
    *event = dhcp_client_input(&c->machine, frame.message, loop_now(c->loop));
    if (*event == DHCP_CLIENT_BOUND || *event == DHCP_CLIENT_RENEWED)
        c->server_mac = frame.source;
    return 1;
}

static void on_ready(struct watch *watch, unsigned ready UNUSED)
{
    struct address_client *c = CONTAINER_OF(watch, struct address_client, watch);
    int status = 1;
    for (int i = 0; i < BATCH && status > 0; i++) {
        enum dhcp_client_event event;
        status = receive(c, &event);
        if (status > 0 && event != DHCP_CLIENT_NOTHING) {
            after(c, event); /* the caller may have freed us: the rest waits for the next turn */
            return;
        }
    }
    if (status < 0)
        fail(c, -status);
    else
        after(c, DHCP_CLIENT_NOTHING);
}

/* ---- set-up ---- */

int address_client_new(struct loop *loop, const struct address_client_options *options,
                       struct address_client **out)
{
    struct address_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return -ENOMEM;
    c->options = *options;
    c->loop = loop;
    c->server_mac = ethernet_broadcast();
    struct dhcp_client_options machine = {
        .mac = options->mac,
        .reboot = options->reboot,
        .first_retry = options->first_retry,
    };
    if (options->hostname != NULL &&
        !dhcp_host_label(bytes_of_text(options->hostname), machine.hostname))
        machine.hostname[0] = '\0'; /* not a name that a server would take */
    c->options.hostname = NULL;
    uint8_t seed[PRNG_SEED_LEN];
    prng_fill(loop_prng(loop), seed, sizeof seed);
    dhcp_client_init(&c->machine, &machine, seed, loop_now(loop));
    begin_patience(c);
    alarm_init(&c->alarm, on_due);
    int status = loop_watch(loop, &c->watch, options->packet_fd, LOOP_READ, on_ready);
    if (status == 0)
        status = send_all(c);
    if (status < 0) {
        loop_unwatch(&c->watch);
        free(c);
        return status;
    }
    loop_set_alarm(loop, &c->alarm, usec_min(c->give_up_at, dhcp_client_deadline(&c->machine)));
    *out = c;
    return 0;
}

void address_client_free(struct address_client *c, bool release)
{
    if (c == NULL)
        return;
    if (release && !c->failed) {
        dhcp_client_release(&c->machine, loop_now(c->loop));
        (void)send_all(c); /* as good as it goes: a lease that is not given back runs out */
    }
    stop(c);
    free(c);
}

/* ---- blocking ---- */

struct acquisition {
    struct loop *loop;
    struct dhcp_lease *out;
    int status;
};

static void on_acquired(void *self, const struct dhcp_lease *lease, bool renewed UNUSED)
{
    struct acquisition *acquisition = self;
    *acquisition->out = *lease;
    acquisition->status = 0;
    loop_stop(acquisition->loop);
}

static void on_not_acquired(void *self, int error)
{
    struct acquisition *acquisition = self;
    acquisition->status = -error;
    loop_stop(acquisition->loop);
}

int address_client_acquire(int packet_fd, const struct mac *mac, const char *hostname,
                           usec timeout, struct dhcp_lease *out)
{
    struct acquisition acquisition = {.loop = loop_new(), .out = out, .status = -ETIMEDOUT};
    if (acquisition.loop == NULL)
        return -errno;
    struct address_client_options options = {
        .packet_fd = packet_fd,
        .mac = *mac,
        .hostname = hostname,
        .timeout = timeout,
        .first_retry = ACQUIRE_FIRST_RETRY,
        .on_bound = on_acquired,
        .on_failed = on_not_acquired,
        .self = &acquisition,
    };
    struct address_client *client = NULL;
    int status = address_client_new(acquisition.loop, &options, &client);
    if (status == 0)
        status = loop_run(acquisition.loop);
    address_client_free(client, false);
    loop_free(acquisition.loop);
    return status < 0 ? status : acquisition.status;
}

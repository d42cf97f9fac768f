/* SPDX-License-Identifier: ISC */
/*
 * relay_udp.c - UDP between hosts behind the gateway and kernel sockets: one socket for each inside
 * endpoint, whatever it speaks to (RFC 4787 §4.1, endpoint-independent mapping).
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/relay_internal.h"
#include "os/memory.h"
#include "os/socket.h"

enum {
    RECEIVE_BATCH = 32,
    ORDINARY_MAX = 2048, /* longer datagrams take the way over the overflow buffer */
    DNS_PORT = 53,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP_DESTINATION_UNREACHABLE = 3,
};

struct udp_flow {
    struct watch watch;
    struct relay *relay;
    struct list_node lru; /* of relay->udp_lru[dns] */
    struct endpoint inside;
    usec used_at;
    bool dns; /* has spoken to port 53 only */
    uint64_t octets_out, octets_in;
};

static bool same_inside(const void *item, const void *key)
{
    return endpoint_equal(&((const struct udp_flow *)item)->inside, key);
}

/* ---- flows ---- */

static void forget(struct udp_flow *flow)
{
    struct relay *relay = flow->relay;
    (void)map_remove(&relay->udp_map, relay_hash(relay, &flow->inside), flow);
    loop_unwatch(&flow->watch);
    close(flow->watch.fd);
    list_remove(&flow->lru);
    relay->counters.udp_flows--;
    free(flow);
}

static struct udp_flow *longest_idle(const struct relay *relay, bool dns)
{
    struct list_node *node = list_first(&relay->udp_lru[dns]);
    return node != NULL ? CONTAINER_OF(node, struct udp_flow, lru) : NULL;
}

static usec expires_at(const struct udp_flow *flow)
{
    return flow->used_at + (flow->dns ? RELAY_DNS_TIMEOUT : RELAY_UDP_TIMEOUT);
}

static void touch(struct udp_flow *flow)
{
    flow->used_at = loop_now(flow->relay->loop);
    list_remove(&flow->lru);
    list_append(&flow->relay->udp_lru[flow->dns], &flow->lru);
}

static void on_expiry(struct alarm *alarm)
{
    struct relay *relay = CONTAINER_OF(alarm, struct relay, udp_expiry);
    usec now = loop_now(relay->loop);
    usec next = USEC_NEVER;
    for (int dns = 0; dns <= 1; dns++) {
        struct udp_flow *flow;
        while ((flow = longest_idle(relay, dns)) != NULL && expires_at(flow) <= now)
            forget(flow);
        if (flow != NULL)
            next = usec_min(next, expires_at(flow));
    }
    loop_set_alarm(relay->loop, &relay->udp_expiry, next);
}

/* ---- outside to inside ---- */

/* A frame with the next datagram that waits on `fd`; NULL when there is none (or no memory). */
static struct frame *receive(struct relay *relay, int fd, struct endpoint *from)
{
    struct frame *frame = frame_new(relay->frames, ORDINARY_MAX);
    if (frame == NULL)
        return NULL;
    struct sockaddr_storage address;
    struct iovec parts[2] = {{frame->data, ORDINARY_MAX}, {relay->udp_overflow, RELAY_UDP_OVERFLOW}};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address,
                             .msg_iov = parts, .msg_iovlen = 2};
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
    if (got < 0 || !host_endpoint_of(&address, from)) {
        frame_unref(frame);
        return NULL;
    }
    if (got <= ORDINARY_MAX) {
        frame->len = (size_t)got;
        return frame;
    }
    struct frame *large = frame_new(relay->frames, (size_t)got);
    if (large != NULL) {
        frame->len = ORDINARY_MAX;
        frame_append(large, frame_bytes(frame));
        frame_append(large, bytes_of(relay->udp_overflow, (size_t)got - ORDINARY_MAX));
    }
    frame_unref(frame);
    return large;
}

static void hand_in(struct relay *relay, const struct endpoint *outside,
                    const struct endpoint *inside, struct frame *frame)
{
    struct udp_send_options options = {
        .to = *inside,
        .from = relay_seen_as(relay, outside),
        .interface = -1,
    };
    relay->counters.octets_in += frame->len;
    if (udp_send_frame(relay->udp, &options, frame) != UDP_SENT)
        relay->counters.udp_dropped++;
}

/* What came back as ICMP goes on as ICMP, in the name of the host that was asked. */
static void pass_on_errors(struct udp_flow *flow)
{
    struct host_datagram_error error;
    while (host_datagram_error(flow->watch.fd, &error) == 0) {
        struct endpoint to = relay_seen_as(flow->relay, &error.to);
        int code = ICMP_PORT_UNREACHABLE;
        if (error.from_icmp && error.type == ICMP_DESTINATION_UNREACHABLE &&
            address_is_v4(&error.to.address))
            code = error.code;
        else if (relay_unreachable_code(error.error) >= 0)
            code = relay_unreachable_code(error.error);
        udp_unreachable(flow->relay->udp, &flow->inside, &to, bytes_empty(), (uint8_t)code);
    }
}

static void on_outside(struct watch *watch, unsigned ready)
{
    struct udp_flow *flow = CONTAINER_OF(watch, struct udp_flow, watch);
    struct relay *relay = flow->relay;
    if (ready & LOOP_ERROR)
        pass_on_errors(flow);
    if (ready & LOOP_READ) {
        for (size_t i = 0; i < RECEIVE_BATCH; i++) {
            struct endpoint from;
            struct frame *frame = receive(relay, watch->fd, &from);
            if (frame == NULL)
                break;
            flow->octets_in += frame->len;
            hand_in(relay, &from, &flow->inside, frame);
            if (flow->dns)
                break; /* one question, one answer: do not ask twice */
        }
        touch(flow);
    }
    node_wake(relay->node);
}

/* ---- inside to outside ---- */

static struct udp_flow *flow_open(struct relay *relay, const struct endpoint *inside,
                                  const struct endpoint *to)
{
    if (relay->counters.udp_flows >= relay->udp_max) {
        struct udp_flow *idle = longest_idle(relay, true);
        forget(idle != NULL ? idle : longest_idle(relay, false));
        relay->counters.udp_evicted++;
    }
    struct udp_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return NULL;
    int fd = host_socket_open(&to->address, SOCK_DGRAM);
    if (fd < 0) {
        free(flow);
        return NULL;
    }
    flow->relay = relay;
    flow->inside = *inside;
    flow->watch.fd = fd;
    flow->dns = true;
    list_init(&flow->lru);
    relay->counters.udp_flows++;
    relay->counters.udp_opened++;
    if (host_datagram_enable(fd) < 0 ||
        loop_watch(relay->loop, &flow->watch, fd, LOOP_READ, on_outside) < 0 ||
        !map_insert(&relay->udp_map, relay_hash(relay, inside), flow)) {
        forget(flow);
        return NULL;
    }
    touch(flow);
    if (!timer_armed(&relay->udp_expiry.timer))
        loop_set_alarm(relay->loop, &relay->udp_expiry, expires_at(flow));
    return flow;
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

/* The port through which a published service answers; NULL when this is no such answer. */
static const struct relay_published *published_of(const struct relay *relay,
                                                  const struct endpoint *inside)
{
    for (unsigned i = 0; i < relay->published_count; i++) {
        struct endpoint target;
        if (relay->published[i]->udp && relay_published_target(relay->published[i], &target) &&
            endpoint_equal(&target, inside))
            return relay->published[i];
    }
    return NULL;
}

static void forward(struct relay *relay, const struct udp_datagram *datagram,
                    const struct endpoint *outside)
{
    const struct relay_published *published = published_of(relay, &datagram->from);
    struct udp_flow *flow = NULL;
    int fd = -1;
    if (published != NULL) {
        fd = published->watch.fd;
    } else {
        flow = map_find(&relay->udp_map, relay_hash(relay, &datagram->from), &datagram->from);
        if (flow == NULL)
            flow = flow_open(relay, &datagram->from, outside);
        if (flow == NULL) {
            relay->counters.udp_dropped++;
            return;
        }
        flow->dns = flow->dns && datagram->to.port == DNS_PORT;
        touch(flow);
        fd = flow->watch.fd;
        flow->octets_out += datagram->payload.len;
    }
    int error = send_out(fd, outside, datagram->payload);
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

static void on_inside(struct node_client *client, const struct socket_event *event UNUSED)
{
    struct relay *relay = CONTAINER_OF(client, struct relay, udp_client);
    struct udp_datagram datagram;
    while (udp_receive(relay->udp, &datagram)) {
        struct relay_verdict verdict;
        relay_decide(relay, RELAY_UDP, &datagram.from, &datagram.to, &verdict);
        switch (verdict.action) {
        case RELAY_FORWARD:
            forward(relay, &datagram, &verdict.outside);
            break;
        case RELAY_UNREACHABLE:
            udp_unreachable(relay->udp, &datagram.from, &datagram.to, datagram.payload,
                            verdict.code);
            break;
        case RELAY_REFUSE:
        case RELAY_ANSWER:
            udp_unreachable(relay->udp, &datagram.from, &datagram.to, datagram.payload,
                            ICMP_PORT_UNREACHABLE);
            break;
        }
        frame_unref(datagram.frame);
    }
}

/* ---- published ports ---- */

static void on_published(struct watch *watch, unsigned ready)
{
    struct relay_published *published = CONTAINER_OF(watch, struct relay_published, watch);
    struct relay *relay = published->relay;
    if (ready & LOOP_ERROR)
        (void)host_socket_error(watch->fd); /* of an answer that met nobody: nobody to tell */
    for (size_t i = 0; i < RECEIVE_BATCH; i++) {
        struct endpoint from;
        struct endpoint inside;
        struct frame *frame = receive(relay, watch->fd, &from);
        if (frame == NULL)
            break;
        if (relay_published_target(published, &inside)) {
            hand_in(relay, &from, &inside, frame);
        } else {
            relay->counters.udp_dropped++;
            frame_unref(frame);
        }
    }
    node_wake(relay->node);
}

int relay_udp_publish(struct relay *relay, struct relay_published *published,
                      struct endpoint *outside)
{
    int fd = host_socket_open(&outside->address, SOCK_DGRAM);
    if (fd < 0)
        return fd;
    int status = host_socket_bind(fd, outside);
    if (status == 0)
        status = loop_watch(relay->loop, &published->watch, fd, LOOP_READ, on_published);
    if (status < 0) {
        close(fd);
        return status;
    }
    *outside = host_socket_local(fd);
    return 0;
}

/* ---- life ---- */

int relay_udp_open(struct relay *relay)
{
    struct heap heap = memory_heap();
    list_init(&relay->udp_lru[0]);
    list_init(&relay->udp_lru[1]);
    map_init(&relay->udp_map, &heap, relay->udp_max, same_inside);
    alarm_init(&relay->udp_expiry, on_expiry);
    relay->udp_overflow = malloc(RELAY_UDP_OVERFLOW);
    relay->udp_client.on_event = on_inside;
    struct udp_options options = {
        .local = {address_any_v4(), 0},
        .intercept = true,
        .user = &relay->udp_client,
    };
    relay->udp = relay->udp_overflow != NULL ? udp_open(relay->stack, &options) : NULL;
    return relay->udp != NULL ? 0 : -ENOMEM;
}

void relay_udp_close(struct relay *relay)
{
    for (int dns = 0; dns <= 1; dns++)
        while (relay->udp_lru[dns].next != NULL && longest_idle(relay, dns) != NULL)
            forget(longest_idle(relay, dns));
    map_done(&relay->udp_map);
    loop_clear_alarm(relay->loop, &relay->udp_expiry);
    if (relay->udp != NULL)
        udp_close(relay->udp);
    free(relay->udp_overflow);
}

bool relay_udp_each(const struct relay *relay, size_t *place, struct relay_flow *out)
{
    size_t skip = *place;
    for (int dns = 0; dns <= 1; dns++) {
        for (const struct list_node *node = relay->udp_lru[dns].next; node != &relay->udp_lru[dns];
             node = node->next) {
            if (skip-- > 0)
                continue;
            const struct udp_flow *flow = CONTAINER_OF(node, struct udp_flow, lru);
            *out = (struct relay_flow){
                .protocol = RELAY_UDP,
                .state = "open",
                .inside = flow->inside,
                .octets_out = flow->octets_out,
                .octets_in = flow->octets_in,
            };
            (*place)++;
            return true;
        }
    }
    return false;
}

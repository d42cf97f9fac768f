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
};

static bool same_inside(const void *item, const void *key)
{
    return endpoint_equal(&((const struct udp_flow *)item)->inside, key);
}

/* ---- flows ---- */

static void forget(struct udp_flow *flow)
{
    struct relay *relay = flow->relay;
    relay_udp_run_flush(relay); /* it may be of this flow's socket */
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

/* Datagrams of one place outside for one socket inside, all as long as the first but for the last: where the
 * device cuts them, they go to it in one piece. */
struct arrival {
    struct frame *frame; /* NULL: none */
    struct endpoint from;
    size_t size;         /* of the first */
    bool whole;          /* no other may follow */
};

enum { ARRIVAL_OCTETS_MAX = 60000 };

static void hand_in(struct relay *relay, const struct endpoint *outside,
                    const struct endpoint *inside, struct frame *frame, size_t size)
{
    struct udp_send_options options = {
        .to = *inside,
        .from = relay_seen_as(relay, outside),
        .interface = -1,
        .segment = (uint16_t)size,
    };
    relay->counters.octets_in += frame->len;
    if (udp_send_frame(relay->udp, &options, frame) != UDP_SENT)
        relay->counters.udp_dropped++;
}

static void hand_in_arrival(struct relay *relay, const struct endpoint *inside,
                            struct arrival *arrival)
{
    if (arrival->frame != NULL)
        hand_in(relay, &arrival->from, inside, arrival->frame, arrival->size);
    arrival->frame = NULL;
}

/* Puts the datagram behind those that have arrived; false: it cannot be one of them. */
static bool join(struct relay *relay, const struct endpoint *inside, struct arrival *arrival,
                 const struct endpoint *from, const struct frame *next)
{
    struct frame *frame = arrival->frame;
    if (frame == NULL || arrival->whole || next->len == 0 || next->len > arrival->size ||
        frame->len + next->len > ARRIVAL_OCTETS_MAX || !endpoint_equal(&arrival->from, from))
        return false;
    if (frame->len == arrival->size) { /* the second: is it worth room for more? */
        if (!udp_takes_segments(relay->udp, &inside->address, (uint16_t)arrival->size))
            return false;
        size_t room = RECEIVE_BATCH * arrival->size;
        struct frame *large =
            frame_new(relay->frames, room < ARRIVAL_OCTETS_MAX ? room : ARRIVAL_OCTETS_MAX);
        if (large == NULL)
            return false;
        frame_append(large, frame_bytes(frame));
        frame_unref(frame);
        arrival->frame = frame = large;
    }
    frame_append(frame, frame_bytes(next));
    relay->counters.udp_joined_in++;
    arrival->whole = next->len < arrival->size;
    return true;
}

static void take_arrival(struct relay *relay, const struct endpoint *inside,
                         struct arrival *arrival, const struct endpoint *from, struct frame *frame)
{
    if (join(relay, inside, arrival, from, frame)) {
        frame_unref(frame);
        return;
    }
    hand_in_arrival(relay, inside, arrival);
    *arrival = (struct arrival){frame, *from, frame->len, false};
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
        struct arrival arrival = {.frame = NULL};
        for (size_t i = 0; i < RECEIVE_BATCH; i++) {
            struct endpoint from;
            struct frame *frame = receive(relay, watch->fd, &from);
            if (frame == NULL)
                break;
            take_arrival(relay, &flow->inside, &arrival, &from, frame);
            if (flow->dns)
                break; /* one question, one answer: do not ask twice */
        }
        hand_in_arrival(relay, &flow->inside, &arrival);
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
    if (host_datagram_enable_errors(fd) < 0 ||
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

/* Takes the datagram's frame. */
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
            frame_unref(datagram->frame);
            return;
        }
        flow->dns = flow->dns && datagram->to.port == DNS_PORT;
        touch(flow);
        fd = flow->watch.fd;
    }
    relay_udp_run_add(relay, fd, outside, datagram);
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
            continue;
        case RELAY_UNREACHABLE:
            udp_unreachable(relay->udp, &datagram.from, &datagram.to, datagram.payload,
                            verdict.code);
            break;
        case RELAY_TAKE:
        case RELAY_REFUSE:
        case RELAY_ANSWER:
            udp_unreachable(relay->udp, &datagram.from, &datagram.to, datagram.payload,
                            ICMP_PORT_UNREACHABLE);
            break;
        }
        frame_unref(datagram.frame);
    }
    relay_udp_run_flush(relay);
}

/* ---- published ports ---- */

static void on_published(struct watch *watch, unsigned ready)
{
    struct relay_published *published = CONTAINER_OF(watch, struct relay_published, watch);
    struct relay *relay = published->relay;
    if (ready & LOOP_ERROR)
        (void)host_socket_error(watch->fd); /* of an answer that met nobody: nobody to tell */
    struct arrival arrival = {.frame = NULL};
    struct endpoint inside;
    bool known = relay_published_target(published, &inside);
    for (size_t i = 0; i < RECEIVE_BATCH; i++) {
        struct endpoint from;
        struct frame *frame = receive(relay, watch->fd, &from);
        if (frame == NULL)
            break;
        if (known) {
            take_arrival(relay, &inside, &arrival, &from, frame);
        } else {
            relay->counters.udp_dropped++;
            frame_unref(frame);
        }
    }
    hand_in_arrival(relay, &inside, &arrival);
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
    relay->udp_run = relay_udp_run_new();
    if (relay->udp_overflow != NULL && relay->udp_run != NULL)
        relay->udp = udp_open(relay->stack, &options);
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
    free(relay->udp_run);
}

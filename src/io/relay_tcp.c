/* SPDX-License-Identifier: ISC */
/*
 * relay_tcp.c - TCP connections between our stack and kernel sockets. What comes out of one side is
 * handed to the other in the frames it lies in; what the other cannot take is left where it is, and
 * flow control does the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/relay_internal.h"
#include "os/socket.h"

enum {
    READ_MAX = 65536,         /* one recv() */
    TURN_OCTETS = 256 * 1024, /* from one socket in one turn: stays in the cache */
    COPY_MAX = 2048,          /* shorter reads are copied: a frame each would waste memory */
    VIEWS_MAX = 16,
    ACCEPT_BATCH = 64,
    PUBLISHED_BACKLOG = 4096,
};
#define STARVED_INTERVAL (10 * USEC_PER_MSEC)
#define ACCEPT_PAUSE (100 * USEC_PER_MSEC)

struct tcp_flow {
    struct node_client client;
    struct watch watch; /* the kernel's socket */
    struct relay *relay;
    struct tcp_connection *inside;
    struct list_node node;
    struct list_node starved;
    struct frame *held;    /* read, and not taken by the inside for want of memory */
    bool dialling;         /* the outside's handshake is under way */
    bool opening;          /* the inside's is: nothing is read until it can be handed in */
    bool broken;           /* the outside accepted and reset before we looked */
    bool blocked;          /* the kernel's socket is full */
    bool urgent;           /* the outside has urgent octets to be read */
    bool inside_finished;  /* the inside's FIN was passed on */
    bool outside_finished; /* the outside's was */
};

/* ---- the end of a flow ---- */

static void forget(struct tcp_flow *flow)
{
    loop_unwatch(&flow->watch);
    close(flow->watch.fd);
    list_remove(&flow->node);
    list_remove(&flow->starved);
    if (flow->held != NULL)
        frame_unref(flow->held);
    flow->relay->counters.tcp_flows--;
    free(flow);
}

/* The inside has failed or gone: the outside is told by a reset. */
static void reset_outside(struct tcp_flow *flow)
{
    (void)host_socket_set_reset_on_close(flow->watch.fd);
    tcp_close(flow->inside);
    forget(flow);
}

/* The outside has failed: the inside is told by a reset. */
static void reset_inside(struct tcp_flow *flow)
{
    tcp_abort(flow->inside);
    node_wake(flow->relay->node);
    forget(flow);
}

static void refuse_inside(struct tcp_flow *flow, int error)
{
    flow->relay->counters.tcp_refused++;
    tcp_refuse(flow->inside, relay_unreachable_code(error));
    node_wake(flow->relay->node);
    forget(flow);
}

/* ---- octets ---- */

static void on_outside(struct watch *watch, unsigned ready);
static void starve(struct tcp_flow *flow);

/* Asks the loop for just what can be used now: reading only while the inside has room. */
static void want(struct tcp_flow *flow)
{
    unsigned wanted = flow->blocked ? LOOP_WRITE : 0;
    if (!flow->outside_finished && !list_linked(&flow->starved) && tcp_send_room(flow->inside) > 0)
        wanted |= LOOP_READ | LOOP_URGENT;
    if (flow->watch.loop != NULL)
        loop_want(&flow->watch, wanted);
    else if (wanted != 0 &&
             loop_watch(flow->relay->loop, &flow->watch, flow->watch.fd, wanted, on_outside) < 0)
        starve(flow); /* the kernel has no memory for it: later */
}

/* Inside to outside. False when the flow is gone. */
static bool pump_out(struct tcp_flow *flow)
{
    struct slice views[VIEWS_MAX];
    struct iovec parts[VIEWS_MAX];
    size_t count;
    while (!flow->blocked && (count = tcp_received(flow->inside, views, VIEWS_MAX)) > 0) {
        size_t offered = 0;
        size_t most;
        size_t used = 0;
        int flags = relay_urgent_part(flow->inside, &most) | MSG_NOSIGNAL | MSG_DONTWAIT;
        for (; used < count && offered < most; used++) {
            size_t len = views[used].len < most - offered ? views[used].len : most - offered;
            parts[used] = (struct iovec){(void *)(uintptr_t)views[used].data, len};
            offered += len;
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = used};
        ssize_t sent = sendmsg(flow->watch.fd, &message, flags);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) {
            reset_inside(flow);
            return false;
        }
        flow->blocked = sent < 0 || (size_t)sent < offered;
        if (sent > 0) {
            tcp_consume(flow->inside, (size_t)sent);
            flow->relay->counters.octets_out += (uint64_t)sent;
        }
    }
    if (!flow->inside_finished && tcp_at_end(flow->inside)) {
        flow->inside_finished = true;
        (void)shutdown(flow->watch.fd, SHUT_WR);
    }
    return true;
}

/* Waits until there may be memory again, without asking the kernel meanwhile. */
static void starve(struct tcp_flow *flow)
{
    struct relay *relay = flow->relay;
    if (!list_linked(&flow->starved))
        list_append(&relay->starved, &flow->starved);
    if (!timer_armed(&relay->starved_retry.timer))
        loop_set_alarm(relay->loop, &relay->starved_retry, loop_now(relay->loop) + STARVED_INTERVAL);
}

/* Hands what was read to the inside; takes the frame. False: there was no memory for all of it, and
 * the rest is held until there is. */
static bool hand_in(struct tcp_flow *flow, struct frame *frame)
{
    flow->held = NULL;
    if (frame->len <= COPY_MAX) {
        frame_pull(frame, tcp_send(flow->inside, frame_bytes(frame)));
        if (frame->len == 0) {
            frame_unref(frame);
            return true;
        }
    } else if (tcp_send_frame(flow->inside, frame)) {
        return true;
    }
    flow->held = frame;
    starve(flow);
    return false;
}

/* Without memory it goes on as an ordinary octet. */
static void hand_in_urgent(struct tcp_flow *flow, struct frame *frame)
{
    flow->urgent = false;
    frame_pull(frame, tcp_send_urgent(flow->inside, frame_bytes(frame)));
}

enum outcome { MORE, ENOUGH, GONE };

/* One recv(), straight into the frame that will be sent. */
static enum outcome read_once(struct tcp_flow *flow, size_t room, size_t *total)
{
    struct frame *frame = frame_new(flow->relay->frames, READ_MAX);
    if (frame == NULL) {
        starve(flow);
        return ENOUGH;
    }
    size_t asked = room < READ_MAX ? room : READ_MAX;
    bool urgent = flow->urgent && relay_urgent_next(flow->watch.fd);
    if (urgent)
        asked = 1;
    ssize_t got = recv(flow->watch.fd, frame->data, asked, MSG_DONTWAIT);
    if (got > 0) {
        frame->len = (size_t)got;
        *total += (size_t)got;
        flow->relay->counters.octets_in += (uint64_t)got;
        if (urgent)
            hand_in_urgent(flow, frame);
        return hand_in(flow, frame) && (size_t)got == asked ? MORE : ENOUGH;
    }
    int error = errno;
    frame_unref(frame);
    if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR))
        return ENOUGH;
    if (got < 0) {
        reset_inside(flow);
        return GONE;
    }
    flow->outside_finished = true;
    tcp_shutdown(flow->inside);
    return ENOUGH;
}

/* Outside to inside, within one turn's share. False when the flow is gone. */
static bool pump_in(struct tcp_flow *flow)
{
    size_t total = 0;
    size_t room;
    enum outcome outcome = MORE;
    if (flow->held != NULL && !hand_in(flow, flow->held))
        return true;
    while (outcome == MORE && !flow->outside_finished && total < TURN_OCTETS &&
           (room = tcp_send_room(flow->inside)) > 0)
        outcome = read_once(flow, room, &total);
    return outcome != GONE;
}

/* Both directions have ended: the stack and the kernel finish alone. */
static bool finish(struct tcp_flow *flow)
{
    if (!flow->inside_finished || !flow->outside_finished)
        return false;
    tcp_close(flow->inside);
    forget(flow);
    return true;
}

static void settle(struct tcp_flow *flow)
{
    if (!finish(flow))
        want(flow);
}

/* ---- events ---- */

static void on_inside(struct node_client *client, const struct socket_event *event)
{
    struct tcp_flow *flow = CONTAINER_OF(client, struct tcp_flow, client);
    if (event->events & SOCKET_FAILED) {
        flow->relay->counters.tcp_failed++;
        reset_outside(flow);
        return;
    }
    if (event->events & SOCKET_OPENED)
        flow->opening = false;
    if (flow->broken && !flow->opening) {
        reset_inside(flow);
        return;
    }
    if (flow->dialling || flow->opening)
        return;
    if ((event->events & (SOCKET_READABLE | SOCKET_END)) && !pump_out(flow))
        return;
    if ((event->events & SOCKET_WRITABLE) && !pump_in(flow))
        return;
    settle(flow);
}

/* The outside has answered, so do we. Nobody listens to it until the inside's handshake is complete:
 * a reset or an end that comes at once is then told to a connection that exists. */
static void on_connected(struct tcp_flow *flow)
{
    loop_unwatch(&flow->watch);
    flow->dialling = false;
    tcp_answer(flow->inside);
    node_wake(flow->relay->node);
}

static void on_outside(struct watch *watch, unsigned ready)
{
    struct tcp_flow *flow = CONTAINER_OF(watch, struct tcp_flow, watch);
    if (flow->dialling) {
        int error = host_socket_error(watch->fd);
        flow->broken = error == ECONNRESET;
        if (error == 0 || flow->broken)
            on_connected(flow);
        else
            refuse_inside(flow, error);
        return;
    }
    if ((ready & LOOP_ERROR) && !(ready & LOOP_READ)) {
        /* Nothing to read, or no room to read into: an error ends the flow at once; a hang-up with
         * octets still to be read would be told for ever, so that the loop must look away. */
        if (host_socket_error(watch->fd) != 0) {
            reset_inside(flow);
            return;
        }
        loop_unwatch(watch);
    }
    node_wake(flow->relay->node);
    if (ready & LOOP_WRITE) {
        flow->blocked = false;
        if (!pump_out(flow))
            return;
    }
    flow->urgent = flow->urgent || (ready & LOOP_URGENT) != 0;
    if ((ready & (LOOP_READ | LOOP_URGENT)) && !pump_in(flow))
        return;
    settle(flow);
}

static void on_starved_retry(struct alarm *alarm)
{
    struct relay *relay = CONTAINER_OF(alarm, struct relay, starved_retry);
    struct list_node *node;
    while ((node = list_first(&relay->starved)) != NULL) {
        struct tcp_flow *flow = CONTAINER_OF(node, struct tcp_flow, starved);
        list_remove(&flow->starved);
        if (flow->held == NULL || hand_in(flow, flow->held))
            want(flow);
        else
            break; /* back at the end of the list, with the alarm set */
    }
    node_wake(relay->node);
}

/* ---- the beginning of a flow ---- */

static struct tcp_flow *flow_new(struct relay *relay, int fd)
{
    struct tcp_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return NULL;
    flow->relay = relay;
    flow->client.on_event = on_inside;
    flow->watch.fd = fd;
    relay_urgent_watch(fd);
    list_init(&flow->starved);
    list_append(&relay->tcp_flows, &flow->node);
    relay->counters.tcp_flows++;
    return flow;
}

/* A socket on its way to `to`, or a negative errno. */
static int connect_outside(const struct endpoint *to, bool *connected)
{
    int fd = host_socket_open(&to->address, SOCK_STREAM);
    if (fd < 0)
        return fd;
    int status = host_socket_connect(fd, to);
    /* On the loopback the handshake is over before the call returns, which does not say so: asked
     * again, it does, and three system calls and a turn of the loop are saved. */
    if (status == -EINPROGRESS && address_is_loopback(&to->address)) {
        status = host_socket_connect(fd, to);
        if (status == -EALREADY)
            status = -EINPROGRESS;
    }
    *connected = status == 0;
    if (status == 0 || status == -EINPROGRESS) {
        (void)host_socket_set_nodelay(fd); /* the inside's TCP has decided already */
        return fd;
    }
    close(fd);
    return status;
}

/* Opens the outside for a SYN from the inside. */
static void forward(struct relay *relay, struct tcp_connection *inside, const struct endpoint *to)
{
    bool connected = false;
    int fd = relay->counters.tcp_flows < relay->tcp_max ? connect_outside(to, &connected)
                                                        : -EMFILE;
    struct tcp_flow *flow = fd >= 0 ? flow_new(relay, fd) : NULL;
    if (flow == NULL) {
        int error = fd < 0 ? -fd : ENOMEM;
        if (fd >= 0)
            close(fd);
        if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
            relay->counters.tcp_limited++;
        else
            relay->counters.tcp_refused++;
        tcp_refuse(inside, relay_unreachable_code(error));
        return;
    }
    flow->inside = inside;
    flow->dialling = !connected;
    flow->opening = true;
    tcp_set_user(inside, &flow->client);
    (void)tcp_set_option(inside, TCP_OPTION_NODELAY, 1); /* what the outside's TCP sent in one piece goes on in one */
    relay->counters.tcp_opened++;
    int status = connected ? 0 : loop_watch(relay->loop, &flow->watch, fd, LOOP_WRITE, on_outside);
    if (status < 0)
        refuse_inside(flow, -status);
    else if (connected)
        on_connected(flow);
}

static void on_listener(struct node_client *client, const struct socket_event *event UNUSED)
{
    struct relay *relay = CONTAINER_OF(client, struct relay, listener_client);
    struct tcp_connection *inside;
    while ((inside = tcp_accept(relay->listener, NULL)) != NULL) {
        struct relay_verdict verdict;
        relay_decide(relay, RELAY_TCP, tcp_remote(inside), tcp_local(inside), &verdict);
        switch (verdict.action) {
        case RELAY_FORWARD:
            forward(relay, inside, &verdict.outside);
            break;
        case RELAY_UNREACHABLE:
            relay->counters.tcp_refused++;
            tcp_refuse(inside, verdict.code);
            break;
        case RELAY_TAKE:
            relay->counters.tcp_taken++;
            tcp_answer(inside);
            relay->policy.take(relay->policy.self, inside);
            node_wake(relay->node);
            break;
        case RELAY_ANSWER:
        case RELAY_REFUSE:
            relay->counters.tcp_refused++;
            tcp_refuse(inside, -1);
            break;
        }
    }
}

/* ---- published ports ---- */

/* Someone outside has connected to a published port. Takes the descriptor. */
static void admit(struct relay_published *published, int fd, const struct endpoint *peer)
{
    struct relay *relay = published->relay;
    struct tcp_connect_options options = {.local = relay_seen_as(relay, peer)};
    options.local.port = 0; /* the peer's own may be in use towards that port */
    struct tcp_flow *flow = NULL;
    if (relay->counters.tcp_flows < relay->tcp_max &&
        relay_published_target(published, &options.remote))
        flow = flow_new(relay, fd);
    if (flow == NULL) {
        relay->counters.tcp_limited++;
        (void)host_socket_set_reset_on_close(fd);
        close(fd);
        return;
    }
    flow->opening = true;
    options.user = &flow->client;
    flow->inside = tcp_connect(relay->stack, &options);
    if (flow->inside == NULL) {
        relay->counters.tcp_limited++;
        (void)host_socket_set_reset_on_close(fd);
        forget(flow);
        return;
    }
    (void)tcp_set_option(flow->inside, TCP_OPTION_NODELAY, 1);
    relay->counters.tcp_opened++;
}

static void on_accept_retry(struct alarm *alarm)
{
    struct relay_published *published = CONTAINER_OF(alarm, struct relay_published, retry);
    loop_want(&published->watch, LOOP_READ);
}

static void on_published(struct watch *watch, unsigned ready UNUSED)
{
    struct relay_published *published = CONTAINER_OF(watch, struct relay_published, watch);
    struct relay *relay = published->relay;
    for (size_t i = 0; i < ACCEPT_BATCH; i++) {
        struct endpoint peer;
        int fd = host_socket_accept(watch->fd, &peer);
        if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
            relay->counters.tcp_limited++; /* the queue stays readable: look away for a while */
            loop_want(watch, 0);
            loop_set_alarm(relay->loop, &published->retry, loop_now(relay->loop) + ACCEPT_PAUSE);
            break;
        }
        if (fd < 0)
            break;
        admit(published, fd, &peer);
    }
    node_wake(relay->node);
}

int relay_tcp_publish(struct relay *relay, struct relay_published *published,
                      struct endpoint *outside)
{
    int fd = host_socket_open(&outside->address, SOCK_STREAM);
    if (fd < 0)
        return fd;
    published->retry.on_due = on_accept_retry;
    int status = host_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (status == 0)
        status = host_socket_bind(fd, outside);
    if (status == 0)
        status = host_socket_listen(fd, PUBLISHED_BACKLOG);
    if (status == 0)
        status = loop_watch(relay->loop, &published->watch, fd, LOOP_READ, on_published);
    *outside = status == 0 ? host_socket_local(fd) : *outside;
    if (status < 0)
        close(fd);
    return status;
}

/* ---- life ---- */

int relay_tcp_open(struct relay *relay)
{
    list_init(&relay->tcp_flows);
    list_init(&relay->starved);
    alarm_init(&relay->starved_retry, on_starved_retry);
    relay->listener_client.on_event = on_listener;
    struct tcp_listen_options options = {
        .local = {address_any_v4(), 0},
        .intercept = true,
        .backlog = 4096,
        .user = &relay->listener_client,
    };
    relay->listener = tcp_listen(relay->stack, &options);
    return relay->listener != NULL ? 0 : -ENOMEM;
}

void relay_tcp_close(struct relay *relay)
{
    struct list_node *node;
    while ((node = list_first(&relay->tcp_flows)) != NULL) {
        struct tcp_flow *flow = CONTAINER_OF(node, struct tcp_flow, node);
        tcp_abort(flow->inside);
        forget(flow);
    }
    if (relay->listener != NULL)
        tcp_listener_close(relay->listener);
    loop_clear_alarm(relay->loop, &relay->starved_retry);
}

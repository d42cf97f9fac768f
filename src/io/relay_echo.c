/* SPDX-License-Identifier: ISC */
/*
 * relay_echo.c - ICMP echo (RFC 792) between hosts behind the gateway and the host's ping sockets.
 * A flow is one program's pings to one target: its address, identifier and target.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/relay_internal.h"
#include "os/pingsock.h"

enum {
    RECEIVE_BATCH = 32,
    ICMP_HOST_UNREACHABLE = 1,
    ICMP_HOST_PROHIBITED = 10, /* RFC 1122 §3.2.2.1: "administratively prohibited" */
};

struct echo_flow {
    struct watch watch;
    struct pingsock ping;
    struct relay *relay;
    struct list_node node; /* of relay->echo_flows, idle longest first */
    struct ip_address inside;
    struct ip_address target;  /* as the inside named it */
    struct ip_address outside; /* as we asked for it */
    uint16_t identifier;       /* the inside's */
    uint16_t last_sequence;
    usec used_at;
};

static void forget(struct echo_flow *flow)
{
    loop_unwatch(&flow->watch);
    close(flow->ping.fd);
    list_remove(&flow->node);
    flow->relay->counters.echo_flows--;
    free(flow);
}

static struct echo_flow *longest_idle(const struct relay *relay)
{
    struct list_node *node = list_first(&relay->echo_flows);
    return node != NULL ? CONTAINER_OF(node, struct echo_flow, node) : NULL;
}

static void touch(struct echo_flow *flow)
{
    flow->used_at = loop_now(flow->relay->loop);
    list_remove(&flow->node);
    list_append(&flow->relay->echo_flows, &flow->node);
}

static void on_expiry(struct alarm *alarm)
{
    struct relay *relay = CONTAINER_OF(alarm, struct relay, echo_expiry);
    usec now = loop_now(relay->loop);
    struct echo_flow *flow;
    while ((flow = longest_idle(relay)) != NULL && flow->used_at + RELAY_ECHO_TIMEOUT <= now)
        forget(flow);
    loop_set_alarm(relay->loop, &relay->echo_expiry,
                   flow != NULL ? flow->used_at + RELAY_ECHO_TIMEOUT : USEC_NEVER);
}

static void tell_inside(struct echo_flow *flow, const struct pingsock_reply *reply)
{
    struct echo_message message = {
        .reply = reply->error == 0,
        .from = flow->target,
        .to = flow->inside,
        .identifier = flow->identifier,
        .sequence = reply->error == 0 ? reply->sequence : flow->last_sequence,
        .payload = reply->payload,
    };
    if (reply->error == 0) {
        (void)echo_send(flow->relay->echo, &message);
        return;
    }
    struct echo_message request = message;
    request.from = flow->inside;
    request.to = flow->target;
    int code = relay_unreachable_code(reply->error);
    echo_unreachable(flow->relay->echo, &request,
                     (uint8_t)(code >= 0 ? code : ICMP_HOST_UNREACHABLE));
}

static void on_outside(struct watch *watch, unsigned ready UNUSED)
{
    struct echo_flow *flow = CONTAINER_OF(watch, struct echo_flow, watch);
    struct relay *relay = flow->relay;
    for (size_t i = 0; i < RECEIVE_BATCH; i++) {
        struct pingsock_reply reply;
        if (pingsock_receive(&flow->ping, relay->udp_overflow, RELAY_UDP_OVERFLOW, &reply) < 0)
            break;
        tell_inside(flow, &reply);
    }
    touch(flow);
    node_wake(relay->node);
}

static struct echo_flow *find(const struct relay *relay, const struct echo_message *request)
{
    for (struct list_node *node = relay->echo_flows.next; node != &relay->echo_flows;
         node = node->next) {
        struct echo_flow *flow = CONTAINER_OF(node, struct echo_flow, node);
        if (flow->identifier == request->identifier &&
            address_equal(&flow->inside, &request->from) &&
            address_equal(&flow->target, &request->to))
            return flow;
    }
    return NULL;
}

/* A flow for the request, or NULL with a negative errno in *status. */
static struct echo_flow *flow_open(struct relay *relay, const struct echo_message *request,
                                   const struct ip_address *outside, int *status)
{
    if (relay->counters.echo_flows >= RELAY_ECHO_MAX)
        forget(longest_idle(relay));
    struct echo_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) {
        *status = -ENOMEM;
        return NULL;
    }
    uint16_t identifier = (uint16_t)prng_u32(loop_prng(relay->loop));
    *status = pingsock_open(!address_is_v4(outside), identifier, &flow->ping);
    if (*status < 0) {
        free(flow);
        return NULL;
    }
    flow->relay = relay;
    flow->inside = request->from;
    flow->target = request->to;
    flow->outside = *outside;
    flow->identifier = request->identifier;
    list_init(&flow->node);
    relay->counters.echo_flows++;
    relay->counters.echo_opened++;
    *status = loop_watch(relay->loop, &flow->watch, flow->ping.fd, LOOP_READ, on_outside);
    if (*status < 0) {
        forget(flow);
        return NULL;
    }
    touch(flow);
    if (!timer_armed(&relay->echo_expiry.timer))
        loop_set_alarm(relay->loop, &relay->echo_expiry, flow->used_at + RELAY_ECHO_TIMEOUT);
    return flow;
}

static void forward(struct relay *relay, const struct echo_message *request,
                    const struct ip_address *outside)
{
    int status = 0;
    struct echo_flow *flow = find(relay, request);
    if (flow == NULL)
        flow = flow_open(relay, request, outside, &status);
    if (flow != NULL) {
        touch(flow);
        flow->last_sequence = request->sequence;
        status = pingsock_send(&flow->ping, &flow->outside, request->sequence, 0, request->payload);
    }
    if (status == 0 || status == -EAGAIN)
        return;
    relay->counters.echo_failed++;
    int code = relay_unreachable_code(-status);
    echo_unreachable(relay->echo, request, (uint8_t)(code >= 0 ? code : ICMP_HOST_PROHIBITED));
}

static void answer(struct relay *relay, const struct echo_message *request)
{
    struct echo_message reply = *request;
    reply.reply = true;
    reply.from = request->to;
    reply.to = request->from;
    (void)echo_send(relay->echo, &reply);
}

static void on_inside(struct node_client *client, const struct socket_event *event UNUSED)
{
    struct relay *relay = CONTAINER_OF(client, struct relay, echo_client);
    struct echo_message message;
    while (echo_receive(relay->echo, &message)) {
        struct endpoint from = {message.from, 0};
        struct endpoint to = {message.to, 0};
        struct relay_verdict verdict;
        relay_decide(relay, RELAY_ECHO, &from, &to, &verdict);
        switch (verdict.action) {
        case RELAY_ANSWER:
            answer(relay, &message);
            break;
        case RELAY_FORWARD:
            forward(relay, &message, &verdict.outside.address);
            break;
        case RELAY_UNREACHABLE:
            echo_unreachable(relay->echo, &message, verdict.code);
            break;
        case RELAY_TAKE:
        case RELAY_REFUSE:
            echo_unreachable(relay->echo, &message, ICMP_HOST_PROHIBITED);
            break;
        }
        frame_unref(message.frame);
    }
}

int relay_echo_open(struct relay *relay)
{
    list_init(&relay->echo_flows);
    alarm_init(&relay->echo_expiry, on_expiry);
    relay->echo_client.on_event = on_inside;
    struct echo_options options = {.intercept = true, .user = &relay->echo_client};
    relay->echo = echo_open(relay->stack, &options);
    return relay->echo != NULL ? 0 : -ENOMEM;
}

void relay_echo_close(struct relay *relay)
{
    if (relay->echo == NULL)
        return;
    while (longest_idle(relay) != NULL)
        forget(longest_idle(relay));
    loop_clear_alarm(relay->loop, &relay->echo_expiry);
    echo_close(relay->echo);
}

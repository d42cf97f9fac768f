/* SPDX-License-Identifier: ISC */
/*
 * gateway.c - the policy of the way out: which flows go where. The relay (io/relay.h) carries them.
 */
#include "app/gateway/gateway.h"

#include <errno.h>
#include <stdlib.h>

enum { ICMP_NET_UNREACHABLE = 0, ICMP_HOST_UNREACHABLE = 1 };

enum { LOOPBACK_V4 = 0x7f000001, WEB_PORT = 80 };

struct gateway {
    struct gateway_options options;
    struct relay *relay;
};

static bool is_host(const struct gateway *gateway, const struct ip_address *address)
{
    return !address_is_any(&gateway->options.host_address) &&
           address_equal(&gateway->options.host_address, address);
}

static void decide(void *self, enum relay_protocol protocol, const struct endpoint *from UNUSED,
                   const struct endpoint *to, struct relay_verdict *out)
{
    const struct gateway *gateway = self;
    const struct gateway_options *options = &gateway->options;
    if (is_host(gateway, &to->address)) {
        out->action = options->host_loopback ? RELAY_FORWARD : RELAY_REFUSE;
        if (protocol == RELAY_ECHO) /* the host is here: it is us */
            out->action = RELAY_ANSWER;
        out->outside = (struct endpoint){address_v4(LOOPBACK_V4), to->port};
    } else if (prefix_contains(&options->network, &to->address)) {
        out->action = RELAY_UNREACHABLE; /* a neighbour that is not there */
        out->code = ICMP_HOST_UNREACHABLE;
    } else if (!options->internet) {
        out->action = RELAY_UNREACHABLE;
        out->code = ICMP_NET_UNREACHABLE;
    } else {
        out->action = protocol == RELAY_TCP && to->port == WEB_PORT && options->on_web != NULL
                          ? RELAY_TAKE
                          : RELAY_FORWARD;
        out->outside = *to;
    }
}

static void take(void *self, struct tcp_connection *connection)
{
    const struct gateway_options *options = &((const struct gateway *)self)->options;
    struct stream *stream = net_stack_adopt(options->net, connection);
    if (stream != NULL)
        options->on_web(options->on_web_self, stream);
}

/* A peer on the host's loopback, or one whose address means nothing inside, is the host's address
 * there; without one, the gateway's. */
static struct endpoint seen_as(void *self, const struct endpoint *outside)
{
    const struct gateway_options *options = &((const struct gateway *)self)->options;
    struct endpoint seen = *outside;
    if (address_is_loopback(&outside->address) || !address_is_v4(&outside->address) ||
        prefix_contains(&options->network, &outside->address))
        seen.address = address_is_any(&options->host_address) ? options->gateway
                                                              : options->host_address;
    return seen;
}

int gateway_new(const struct gateway_options *options, struct gateway **out)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    if (gateway == NULL)
        return -ENOMEM;
    gateway->options = *options;
    struct relay_options relay = {
        .node = options->node,
        .policy = {.decide = decide, .seen_as = seen_as, .take = take, .self = gateway},
        .tcp_max = options->tcp_max,
        .udp_max = options->udp_max,
    };
    int status = relay_new(&relay, &gateway->relay);
    if (status < 0) {
        free(gateway);
        return status;
    }
    *out = gateway;
    return 0;
}

void gateway_free(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    relay_free(gateway->relay);
    free(gateway);
}

struct relay *gateway_relay(struct gateway *gateway)
{
    return gateway->relay;
}

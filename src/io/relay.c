/* SPDX-License-Identifier: ISC */
/* relay.c - life of a relay, its published ports, and what TCP, UDP and echo have in common. */
#include "io/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/relay_internal.h"
#include "os/memory.h"

int relay_new(const struct relay_options *options, struct relay **out)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL)
        return -ENOMEM;
    relay->node = options->node;
    relay->stack = node_stack(options->node);
    relay->loop = node_loop(options->node);
    relay->frames = node_frames(options->node);
    relay->policy = options->policy;
    relay->guest = address_any_v4();
    relay->tcp_max = options->tcp_max > 0 ? options->tcp_max : RELAY_TCP_MAX;
    relay->udp_max = options->udp_max > 0 ? options->udp_max : RELAY_UDP_MAX;
    relay->hash_key.k0 = prng_u64(loop_prng(relay->loop));
    relay->hash_key.k1 = prng_u64(loop_prng(relay->loop));
    int status = relay_tcp_open(relay);
    if (status == 0)
        status = relay_udp_open(relay);
    if (status == 0)
        status = relay_echo_open(relay);
    if (status < 0) {
        relay_free(relay);
        return status;
    }
    *out = relay;
    return 0;
}

static void unpublish(struct relay_published *published)
{
    loop_clear_alarm(published->relay->loop, &published->retry);
    loop_unwatch(&published->watch);
    close(published->watch.fd);
    free(published);
}

void relay_free(struct relay *relay)
{
    if (relay == NULL)
        return;
    for (unsigned i = 0; i < relay->published_count; i++)
        unpublish(relay->published[i]);
    relay_tcp_close(relay);
    relay_udp_close(relay);
    relay_echo_close(relay);
    free(relay);
}

int relay_publish(struct relay *relay, struct endpoint *outside, const struct endpoint *inside,
                  bool udp)
{
    if (relay->published_count == RELAY_PUBLISHED_MAX)
        return -ENOSPC;
    struct relay_published *published = calloc(1, sizeof *published);
    if (published == NULL)
        return -ENOMEM;
    published->relay = relay;
    published->inside = *inside;
    published->udp = udp;
    alarm_init(&published->retry, NULL);
    int status = udp ? relay_udp_publish(relay, published, outside)
                     : relay_tcp_publish(relay, published, outside);
    if (status < 0) {
        free(published);
        return status;
    }
    relay->published[relay->published_count++] = published;
    return 0;
}

void relay_set_guest(struct relay *relay, const struct ip_address *guest)
{
    relay->guest = *guest;
}

bool relay_published_target(const struct relay_published *published, struct endpoint *out)
{
    *out = published->inside;
    if (address_is_any(&out->address))
        out->address = published->relay->guest;
    return !address_is_any(&out->address);
}

uint32_t relay_hash(const struct relay *relay, const struct endpoint *endpoint)
{
    uint8_t key[18];
    memcpy(key, endpoint->address.octets, 16);
    key[16] = (uint8_t)(endpoint->port >> 8);
    key[17] = (uint8_t)endpoint->port;
    return (uint32_t)siphash13(&relay->hash_key, bytes_of(key, sizeof key));
}

void relay_decide(const struct relay *relay, enum relay_protocol protocol,
                  const struct endpoint *from, const struct endpoint *to,
                  struct relay_verdict *out)
{
    *out = (struct relay_verdict){.action = RELAY_REFUSE};
    relay->policy.decide(relay->policy.self, protocol, from, to, out);
}

struct endpoint relay_seen_as(const struct relay *relay, const struct endpoint *outside)
{
    return relay->policy.seen_as(relay->policy.self, outside);
}

int relay_unreachable_code(int error)
{
    enum { NET_UNREACHABLE = 0, HOST_UNREACHABLE = 1, PROHIBITED = 13 };
    switch (error) {
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return NET_UNREACHABLE;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ETIMEDOUT:
        return HOST_UNREACHABLE;
    case EACCES:
    case EPERM:
        return PROHIBITED;
    default:
        return -1;
    }
}

void relay_counters(const struct relay *relay, struct relay_counters *out)
{
    *out = relay->counters;
}

/* SPDX-License-Identifier: ISC */
/*
 * bsd_port.c - who has which local port: what bind() may take beside others.
 *
 * A port is held by descriptors that are bound, listen or are connected, and by connections that go
 * on alone after close(). Two may hold one when their addresses differ, when both say SO_REUSEADDR
 * and neither listens, or when both say SO_REUSEPORT.
 *
 * DEVIATES (Linux): a connection that goes on alone counts as if it had SO_REUSEADDR.
 */
#include "stack/bsd/internal.h"

enum {
    PORT_FIRST = 32768, /* when none is asked for (net.ipv4.ip_local_port_range) */
    PORT_COUNT = 60999 - PORT_FIRST + 1,
};

bool bsd_holds_port(const struct bsd_socket *s)
{
    if (!s->holds_port)
        return false;
    return s->bound_port || s->c == NULL || bsd_stream_state(s) != TCP_CLOSED;
}

static bool overlap(const struct ip_address *a, const struct ip_address *b)
{
    return address_is_any(a) || address_is_any(b) || address_equal(a, b);
}

static bool conflict(const struct bsd_socket *s, const struct ip_address *address,
                     const struct bsd_socket *other)
{
    if (!overlap(address, &other->local.address))
        return false;
    if (s->reuse_port && (other->reuse_port || other->port_shared))
        return false;
    return !(s->reuse_address && other->reuse_address) || other->listener != NULL;
}

/* Does a connection without a descriptor hold the port? */
static bool orphan_holds(const struct bsd_socket *s, const struct endpoint *local)
{
    size_t place = 0;
    const struct tcp_connection *c;
    while ((c = tcp_each(s->bsd->stack, &place)) != NULL)
        if (tcp_local(c)->port == local->port &&
            overlap(&tcp_local(c)->address, &local->address))
            return true;
    struct tcp_entry_info entry;
    place = 0;
    while (tcp_each_entry(s->bsd->stack, &place, &entry))
        if (entry.local.port == local->port && overlap(&entry.local.address, &local->address))
            return true;
    return false;
}

enum beside { ALONE, BESIDE, NOT_BESIDE };

/* May the socket have it beside the descriptors that hold it? */
static enum beside beside_others(const struct bsd_socket *s, const struct endpoint *local)
{
    size_t place = 0;
    const struct bsd_socket *other;
    bool held = false;
    while ((other = bsd_each(s->bsd, &place)) != NULL) {
        if (other == s || other->kind != s->kind || other->local.port != local->port ||
            !bsd_holds_port(other))
            continue;
        held = true;
        if (conflict(s, &local->address, other))
            return NOT_BESIDE;
    }
    return held ? BESIDE : ALONE;
}

bool bsd_port_free(const struct bsd_socket *s, const struct endpoint *local)
{
    enum beside beside = beside_others(s, local);
    if (beside == ALONE && s->kind == BSD_STREAM && !s->reuse_address)
        return !orphan_holds(s, local);
    return beside != NOT_BESIDE;
}

/* Those in use are noted once, so that a crowded table costs one look and not one for each try. */
static uint16_t free_port(const struct bsd_socket *s)
{
    uint8_t used[PORT_COUNT / 8 + 1] = {0};
    size_t place = 0;
    const struct bsd_socket *other;
    while ((other = bsd_each(s->bsd, &place)) != NULL) {
        unsigned at = other->local.port - (unsigned)PORT_FIRST;
        if (other->kind == BSD_STREAM && at < PORT_COUNT)
            used[at / 8] |= (uint8_t)(1u << at % 8);
    }
    const struct tcp_connection *c;
    place = 0;
    while ((c = tcp_each(s->bsd->stack, &place)) != NULL) {
        unsigned at = tcp_local(c)->port - (unsigned)PORT_FIRST;
        if (at < PORT_COUNT)
            used[at / 8] |= (uint8_t)(1u << at % 8);
    }
    struct tcp_entry_info entry;
    place = 0;
    while (tcp_each_entry(s->bsd->stack, &place, &entry)) {
        unsigned at = entry.local.port - (unsigned)PORT_FIRST;
        if (at < PORT_COUNT)
            used[at / 8] |= (uint8_t)(1u << at % 8);
    }
    unsigned start = prng_below(&s->bsd->stack->prng, PORT_COUNT);
    for (unsigned i = 0; i < PORT_COUNT; i++) {
        unsigned at = (start + i) % PORT_COUNT;
        if (!(used[at / 8] & 1u << at % 8))
            return (uint16_t)(PORT_FIRST + at);
    }
    return 0;
}

int bsd_bind_stream(struct bsd_socket *s, const struct endpoint *local)
{
    struct endpoint want = *local;
    if (want.port == 0 && !s->bind_without_port)
        want.port = free_port(s);
    if (want.port == 0 && !s->bind_without_port)
        return -EADDRINUSE;
    if (want.port != 0 && !bsd_port_free(s, &want))
        return -EADDRINUSE;
    s->local = want;
    s->port_shared = s->reuse_port;
    s->holds_port = want.port != 0;
    s->bound_port = local->port != 0;
    s->bound_address = !address_is_any(&local->address);
    return 0;
}

int bsd_port_listen(struct bsd_socket *s)
{
    if (bsd_holds_port(s)) { /* by now others may listen beside it */
        if (beside_others(s, &s->local) == NOT_BESIDE)
            return -EADDRINUSE;
        s->port_shared = s->reuse_port;
        return 0;
    }
    struct endpoint local = {s->local.address, free_port(s)};
    if (local.port == 0)
        return -EADDRINUSE;
    s->local = local;
    s->port_shared = s->reuse_port;
    s->holds_port = true;
    return 0;
}

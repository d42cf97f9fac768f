/* SPDX-License-Identifier: ISC */
/*
 * tcp_fast_open.c - text in a SYN (RFC 7413). The client keeps a cookie for each host that it has
 * connected to, and sends it with text in the next SYN; the server takes that text at once, when the
 * cookie is the one that it gives to that address.
 *
 * A cookie is SipHash-2-4 of both addresses under a key that the server keeps, as Linux makes it, so
 * that several machines behind one address may share a key (RFC 7413 §4.1.2).
 */
#include "stack/tcp/internal.h"

enum {
    OPTIONS_RESERVED = 40, /* of a segment with text and SYN: what a middlebox may add */
    LOSSES_MAX = 2,        /* SYNs with text, one after the other, before we leave it for a while */
    DOUBLINGS_MAX = 6,
};

#define RESET_MEMORY (60 * USEC_PER_SEC) /* RFC 7413 §5.1 */

/* ---- keys ---- */

bool tcp_fast_open_keys_set(struct tcp_fast_open_keys *keys, const uint8_t *octets, size_t len)
{
    if (len != TCP_FAST_OPEN_KEY_LEN && len != 2 * TCP_FAST_OPEN_KEY_LEN)
        return false;
    struct tcp_fast_open_keys new = {.count = (uint8_t)(len / TCP_FAST_OPEN_KEY_LEN)};
    for (unsigned i = 0; i < new.count; i++) {
        const uint8_t *key = octets + (size_t)i * TCP_FAST_OPEN_KEY_LEN;
        memcpy(new.octets[i], key, TCP_FAST_OPEN_KEY_LEN);
        for (unsigned k = 0; k < 8; k++) { /* little-endian, as SipHash reads its key */
            new.keys[i].k0 |= (uint64_t)key[k] << (8 * k);
            new.keys[i].k1 |= (uint64_t)key[8 + k] << (8 * k);
        }
    }
    *keys = new;
    return true;
}

bool tcp_set_fast_open_keys(struct stack *stack, const uint8_t *keys, size_t len)
{
    return tcp_fast_open_keys_set(&stack->tcp->fast_open_keys, keys, len);
}

bool tcp_listener_set_fast_open_keys(struct tcp_listener *listener, const uint8_t *keys,
                                     size_t len)
{
    return tcp_fast_open_keys_set(&listener->fast_open_keys, keys, len);
}

static const struct tcp_fast_open_keys *keys_of(const struct tcp_listener *listener)
{
    return listener->fast_open_keys.count > 0 ? &listener->fast_open_keys
                                              : &listener->stack->tcp->fast_open_keys;
}

size_t tcp_listener_fast_open_keys(const struct tcp_listener *listener,
                                   uint8_t out[2 * TCP_FAST_OPEN_KEY_LEN])
{
    const struct tcp_fast_open_keys *keys = keys_of(listener);
    memcpy(out, keys->octets, (size_t)keys->count * TCP_FAST_OPEN_KEY_LEN);
    return (size_t)keys->count * TCP_FAST_OPEN_KEY_LEN;
}

/* ---- server ---- */

static void make_cookie(const struct siphash_key *key, const struct ip_address *client,
                        const struct ip_address *server, uint8_t out[TCP_FAST_OPEN_COOKIE_LEN])
{
    uint8_t octets[2 * sizeof client->octets];
    size_t len = address_is_v4(client) ? 4 : sizeof client->octets;
    memcpy(octets, client->octets + sizeof client->octets - len, len);
    memcpy(octets + len, server->octets + sizeof server->octets - len, len);
    uint64_t hash = siphash24(key, bytes_of(octets, 2 * len));
    for (unsigned i = 0; i < TCP_FAST_OPEN_COOKIE_LEN; i++)
        out[i] = (uint8_t)(hash >> (8 * i));
}

void tcp_fast_open_grant(const struct tcp_listener *listener, const struct ip_address *client,
                         const struct ip_address *server, struct tcp_options *out)
{
    make_cookie(&keys_of(listener)->keys[0], client, server, out->cookie);
    out->cookie_len = TCP_FAST_OPEN_COOKIE_LEN;
    out->present |= TCP_HAS_COOKIE;
}

/* Which key the cookie was made with; negative: none of ours. */
static int key_of_cookie(const struct tcp_listener *listener, const struct tcp_segment *seg)
{
    const struct tcp_fast_open_keys *keys = keys_of(listener);
    const struct tcp_options *options = &seg->header.options;
    for (unsigned i = 0; i < keys->count; i++) {
        uint8_t cookie[TCP_FAST_OPEN_COOKIE_LEN];
        make_cookie(&keys->keys[i], &seg->packet->source, &seg->packet->target, cookie);
        struct bytes theirs = bytes_of(options->cookie, options->cookie_len);
        if (bytes_equal_secret(theirs, bytes_of(cookie, sizeof cookie)))
            return (int)i;
    }
    return -1;
}

/* RFC 7413 §5.1: connections that have taken text and whose client has not proved to be there. One
 * that was reset counts for a while longer, or a stranger could have as many as it likes. */
static bool has_room(struct tcp_listener *listener)
{
    const struct tcp_profile *profile = listener->profile;
    uint32_t most = profile->fast_open_queue;
    struct tcp_group *group = listener->group;
    if (most == 0 && (profile->fast_open & TCP_FAST_OPEN_EVERY_LISTENER))
        most = listener->backlog;
    if (group->fast_open_reset > 0 &&
        listener->stack->now - group->fast_open_reset_at > RESET_MEMORY) {
        group->fast_open_count -= group->fast_open_reset;
        group->fast_open_reset = 0;
    }
    return group->fast_open_count < (uint64_t)most * group->count;
}

enum tcp_fast_open_verdict tcp_fast_open_asked(struct tcp_listener *listener,
                                               const struct tcp_segment *seg)
{
    const struct tcp_profile *profile = listener->profile;
    const struct tcp_options *options = &seg->header.options;
    bool cookie = (options->present & TCP_HAS_COOKIE) != 0;
    if (!(profile->fast_open & TCP_FAST_OPEN_SERVER) || listener->intercept ||
        (!cookie && seg->text.len == 0) || !has_room(listener))
        return TCP_FAST_OPEN_NOT;
    if (profile->fast_open & TCP_FAST_OPEN_SERVER_NO_COOKIE)
        return TCP_FAST_OPEN_TAKE;
    if (!cookie)
        return TCP_FAST_OPEN_NOT;
    int key = options->cookie_len > 0 ? key_of_cookie(listener, seg) : -1;
    if (key < 0)
        return TCP_FAST_OPEN_GRANT;
    return key == 0 ? TCP_FAST_OPEN_TAKE : TCP_FAST_OPEN_TAKE_AND_GRANT;
}

void tcp_fast_open_child(struct tcp_connection *c, const struct tcp_segment *seg)
{
    c->fast_open_child = true;
    c->listener->group->fast_open_count++;
    /* The SYN is as good as acknowledged: the cookie says that the client is there. */
    c->snd_una = c->snd_nxt;
    if (seg->text.len == 0)
        return;
    struct seq start = c->rcv_nxt;
    if (!tcp_queue_add(c->stack, &c->received, seg->packet->frame, seg->text, start))
        return; /* it comes again: only the SYN is acknowledged */
    uint32_t len = (uint32_t)seg->text.len;
    c->rcv_nxt = seq_add(c->rcv_nxt, len);
    c->rcv_adv = c->rcv_nxt;
    c->received_len = len;
    c->octets_received = len;
    c->syn_text_taken = true;
    if (len > c->rcv_mss)
        c->rcv_mss = (uint16_t)len;
}

void tcp_fast_open_proved(struct tcp_connection *c, bool reset)
{
    /* It may have been accepted before, and does not know its listener any more. */
    struct tcp_group *group = tcp_find_group(c->stack, &c->local);
    if (group == NULL || group->fast_open_count <= group->fast_open_reset)
        return;
    if (reset) {
        group->fast_open_reset++;
        group->fast_open_reset_at = c->stack->now;
    } else {
        group->fast_open_count--;
    }
}

/* ---- client ---- */

/* What a SYN may have of fast open. */
struct plan {
    const struct tcp_destination *destination;
    bool option;        /* a cookie, or the request for one */
    bool experimental;
    uint32_t text_max;
};

/* RFC 7413 §4.1.3.1, by the MSS that the server has said; 40 octets less, since options come in
 * front, and on the way perhaps others. */
static uint32_t text_max(const struct tcp_profile *profile, const struct tcp_destination *d,
                         const struct ip_address *remote, uint32_t mtu)
{
    uint32_t mss = tcp_syn_mss(profile, remote, mtu);
    if (d != NULL && d->mss != 0 && d->mss < mss)
        mss = d->mss;
    return mss > OPTIONS_RESERVED ? mss - OPTIONS_RESERVED : 0;
}

static struct plan make_plan(const struct stack *stack, const struct tcp_profile *profile,
                             const struct ip_address *local, const struct ip_address *remote)
{
    struct plan plan = {.destination = tcp_destination_find(stack, local, remote)};
    const struct tcp_destination *d = plan.destination;
    struct route_choice route;
    if (!(profile->fast_open & TCP_FAST_OPEN_CLIENT) || !ip_route(stack, remote, &route))
        return plan;
    if (d != NULL && stack->now < d->fast_open_again_at)
        return plan;
    uint32_t mtu = d != NULL && d->path_mtu != 0 && d->path_mtu < route.mtu ? d->path_mtu
                                                                            : route.mtu;
    if (profile->fast_open & TCP_FAST_OPEN_CLIENT_NO_COOKIE) {
        plan.text_max = text_max(profile, d, remote, mtu);
        return plan;
    }
    plan.option = true;
    if (d != NULL && d->cookie_len > 0) {
        plan.experimental = d->cookie_experimental;
        plan.text_max = text_max(profile, d, remote, mtu);
    } else {
        plan.experimental = d != NULL && d->cookie_attempt == 1;
    }
    return plan;
}

size_t tcp_fast_open_room(const struct tcp_connection *c)
{
    if (!c->fast_open || c->state != TCP_SYN_SENT)
        return 0;
    struct plan plan = make_plan(c->stack, c->profile, &c->local.address, &c->remote.address);
    uint32_t queued = (uint32_t)tcp_unacknowledged(c);
    return plan.text_max > queued ? plan.text_max - queued : 0;
}

bool tcp_fast_open_known(struct stack *stack, const struct tcp_connect_options *options)
{
    struct route_choice route;
    struct ip_address local = options->local.address;
    if (!ip_route(stack, &options->remote.address, &route))
        return false;
    if (address_is_any(&local))
        local = route.source;
    struct plan plan =
        make_plan(stack, &stack->tcp->profile, &local, &options->remote.address);
    return plan.text_max > 0;
}

uint32_t tcp_fast_open_ask(struct tcp_connection *c, struct tcp_options *options)
{
    if (!c->fast_open)
        return 0;
    c->fast_open = false; /* what is sent again is an ordinary SYN (RFC 7413 §4.2.1) */
    struct plan plan = make_plan(c->stack, c->profile, &c->local.address, &c->remote.address);
    if (plan.option) {
        struct tcp_options with = *options;
        with.present |= TCP_HAS_COOKIE;
        with.cookie_experimental = plan.experimental;
        if (plan.destination != NULL) {
            with.cookie_len = plan.destination->cookie_len;
            memcpy(with.cookie, plan.destination->cookie, sizeof with.cookie);
        }
        if (tcp_options_len(&with) > TCP_OPTIONS_MAX)
            return 0;
        *options = with;
        c->cookie_asked = true;
        c->cookie_experimental = plan.experimental;
    }
    uint32_t queued = (uint32_t)tcp_unacknowledged(c);
    c->syn_text = (uint16_t)(queued < plan.text_max ? queued : plan.text_max);
    return c->syn_text;
}

/* RFC 7413 §4.1.3.1: text in a SYN makes it vanish on some paths. */
static void leave_it_for_a_while(struct tcp_connection *c, struct tcp_destination *d)
{
    usec pause = c->profile->fast_open_pause;
    if (pause == 0)
        return;
    unsigned doublings = d->black_holes < DOUBLINGS_MAX ? d->black_holes : DOUBLINGS_MAX;
    if (d->black_holes < UINT8_MAX)
        d->black_holes++;
    d->fast_open_again_at = c->stack->now + (pause << doublings);
}

void tcp_fast_open_unanswered(struct tcp_connection *c)
{
    if (c->syn_text == 0 && !c->cookie_asked)
        return;
    struct tcp_destination *d = tcp_destination_of(c);
    if (d != NULL)
        leave_it_for_a_while(c, d);
}

static void take_cookie(struct tcp_connection *c, const struct tcp_options *options,
                        struct tcp_destination *d)
{
    bool cookie = (options->present & TCP_HAS_COOKIE) != 0 && options->cookie_len > 0;
    if (cookie && c->cookie_asked) { /* one that was not asked for says nothing */
        memcpy(d->cookie, options->cookie, sizeof d->cookie);
        d->cookie_len = options->cookie_len;
        d->cookie_experimental = options->cookie_experimental;
    } else if (c->cookie_asked && !cookie && c->syn_text == 0 && c->retries == 0 &&
               d->cookie_len == 0 && d->cookie_attempt < 2) {
        /* A request without an answer: the other kind next time, and then the assigned one for good. */
        d->cookie_attempt = c->cookie_experimental ? 2 : 1;
    }
    bool vanished = c->retries > 0 && !cookie && c->syn_text > 0 && !c->syn_text_taken;
    if (!vanished) {
        d->syn_losses = 0;
        if (c->syn_text_taken)
            d->black_holes = 0;
    } else if (++d->syn_losses >= LOSSES_MAX) {
        d->syn_losses = 0;
        leave_it_for_a_while(c, d);
    }
}

/* What went with the SYN and was not taken is what was lost first. */
static void lose_rest(struct tcp_connection *c, uint32_t len)
{
    struct tcp_sent *sent = tcp_sent_new(c);
    if (sent == NULL)
        return; /* then it has never been sent */
    *sent = (struct tcp_sent){
        .chunk = tcp_chunk_at(c->sending->queue.first, c->snd_nxt),
        .sent_at = c->last_sent_at,
        .start = c->snd_nxt,
        .end = seq_add(c->snd_nxt, len),
        .flags = TCP_SENT_EVER_AGAIN | (c->profile->push_each_write ? TCP_SENT_PUSH : 0),
    };
    tcp_sent_append(c, sent);
    tcp_sent_set(c, sent, sent->flags | TCP_SENT_LOST);
    c->snd_nxt = sent->end;
    c->retransmit_forced = true;
}

void tcp_fast_open_answered(struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct seq after_syn = seq_add(c->iss, 1);
    uint32_t taken = (uint32_t)seq_diff(seg->ack, after_syn);
    uint32_t rest = c->syn_text - taken;
    c->syn_text_taken = c->syn_text > 0 && rest == 0;
    c->octets_acknowledged += taken;
    if (taken > 0)
        tcp_queue_drop(c->stack, &c->sending->queue, taken);
    c->snd_una = seg->ack;
    c->snd_nxt = seg->ack;
    if (c->cookie_asked || c->syn_text > 0) {
        struct tcp_destination *d = tcp_destination_of(c);
        if (d != NULL) {
            if (seg->header.options.present & TCP_HAS_MSS)
                d->mss = seg->header.options.mss;
            take_cookie(c, &seg->header.options, d);
        }
    }
    if (rest > 0)
        lose_rest(c, rest);
}

/* SPDX-License-Identifier: ISC */
/*
 * dhcp_client.c - RFC 2131 §4.4 and its figure 5: states, retransmission (§4.1), renewal (§4.4.5).
 */
#include "proto/dhcp/dhcp_client.h"

#include "proto/dhcp/dhcp_lease.h"

enum { IP_AND_UDP = 28, HARDWARE_LEN = 6, NAK_BACKOFF_MAX = 6 };

static const char *const state_texts[] = {
    [DHCP_CLIENT_WAITING] = "waiting",     [DHCP_CLIENT_SELECTING] = "selecting",
    [DHCP_CLIENT_REQUESTING] = "requesting", [DHCP_CLIENT_REBOOTING] = "rebooting",
    [DHCP_CLIENT_PROBING] = "probing",     [DHCP_CLIENT_IDLE] = "bound",
    [DHCP_CLIENT_RENEWING] = "renewing",   [DHCP_CLIENT_REBINDING] = "rebinding",
    [DHCP_CLIENT_STOPPED] = "stopped",
};
_Static_assert(ARRAY_LEN(state_texts) == DHCP_CLIENT_STATE_COUNT, "one text per state");

#define IN(state) (1u << (state))

/* Figure 5 of RFC 2131, with the pauses and the probe that it leaves out. */
static const unsigned next_states[] = {
    [DHCP_CLIENT_WAITING] = IN(DHCP_CLIENT_SELECTING) | IN(DHCP_CLIENT_REBOOTING) |
                            IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_SELECTING] = IN(DHCP_CLIENT_REQUESTING) | IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_REQUESTING] = IN(DHCP_CLIENT_WAITING) | IN(DHCP_CLIENT_PROBING) |
                               IN(DHCP_CLIENT_IDLE) | IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_REBOOTING] = IN(DHCP_CLIENT_WAITING) | IN(DHCP_CLIENT_PROBING) |
                              IN(DHCP_CLIENT_IDLE) | IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_PROBING] = IN(DHCP_CLIENT_WAITING) | IN(DHCP_CLIENT_IDLE) |
                            IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_IDLE] = IN(DHCP_CLIENT_RENEWING) | IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_RENEWING] = IN(DHCP_CLIENT_IDLE) | IN(DHCP_CLIENT_REBINDING) |
                             IN(DHCP_CLIENT_WAITING) | IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_REBINDING] = IN(DHCP_CLIENT_IDLE) | IN(DHCP_CLIENT_WAITING) |
                              IN(DHCP_CLIENT_STOPPED),
    [DHCP_CLIENT_STOPPED] = 0,
};
_Static_assert(ARRAY_LEN(next_states) == DHCP_CLIENT_STATE_COUNT, "one row per state");

static void enter(struct dhcp_client *c, enum dhcp_client_state state)
{
    ASSERT(next_states[c->state] & IN(state));
    c->state = state;
    c->attempts = 0;
}

/* 4 s, 8 s, … 64 s, each by up to a second more or less (§4.1); with a quicker first retry, by up
 * to a quarter. */
static usec retry_interval(struct dhcp_client *c)
{
    usec interval = c->options.first_retry;
    for (unsigned i = 1; i < c->attempts && interval < DHCP_CLIENT_RETRY_MAX; i++)
        interval *= 2;
    interval = usec_min(interval, DHCP_CLIENT_RETRY_MAX);
    usec spread = usec_min(interval / 4, USEC_PER_SEC);
    return interval - spread + (usec)prng_below(&c->prng, (uint32_t)(2 * spread + 1));
}

static void send_and_repeat(struct dhcp_client *c, uint8_t type, usec now)
{
    c->pending = type;
    c->attempts++;
    c->retry_at = now + retry_interval(c);
}

static void start(struct dhcp_client *c, usec now)
{
    c->xid = prng_u32(&c->prng);
    c->began_at = now;
    c->requested_at = now;
    bool reboot = c->wanted != 0;
    enter(c, reboot ? DHCP_CLIENT_REBOOTING : DHCP_CLIENT_SELECTING);
    send_and_repeat(c, reboot ? DHCP_REQUEST : DHCP_DISCOVER, now);
}

/* Back to INIT, with nothing remembered of the address. */
static enum dhcp_client_event start_over(struct dhcp_client *c, usec pause, usec now)
{
    bool lost = c->bound;
    c->bound = false;
    c->wanted = 0;
    c->pending = 0;
    enter(c, DHCP_CLIENT_WAITING);
    c->retry_at = now + pause;
    if (pause == 0)
        start(c, now);
    return lost ? DHCP_CLIENT_LOST : DHCP_CLIENT_NOTHING;
}

void dhcp_client_init(struct dhcp_client *c, const struct dhcp_client_options *options,
                      const uint8_t seed[PRNG_SEED_LEN], usec now)
{
    *c = (struct dhcp_client){.options = *options, .now = now};
    prng_init(&c->prng, seed);
    ASSERT(options->id_len <= DHCP_CLIENT_ID_MAX && options->first_retry >= 0);
    if (c->options.id_len == 0) {
        c->options.id[0] = DHCP_HTYPE_ETHERNET;
        memcpy(c->options.id + 1, c->options.mac.octets, HARDWARE_LEN);
        c->options.id_len = 1 + HARDWARE_LEN;
    }
    c->options.hostname[DHCP_LABEL_MAX - 1] = '\0';
    if (c->options.first_retry == 0)
        c->options.first_retry = DHCP_CLIENT_FIRST_RETRY;
    c->wanted = address_is_v4(&options->reboot) ? address_v4_value(&options->reboot) : 0;
    c->state = DHCP_CLIENT_WAITING;
    usec most = usec_min(options->start_delay, 10 * USEC_PER_SEC); /* §4.4.1: one to ten seconds */
    usec delay = most > 0 ? (usec)prng_below(&c->prng, (uint32_t)most + 1) : 0;
    c->retry_at = now + delay;
    if (delay == 0)
        start(c, now);
}

/* ---- what comes in ---- */

/* Is it an answer to what we sent? */
static bool for_us(const struct dhcp_client *c, const struct dhcp_message *m)
{
    struct bytes id;
    if (m->op != DHCP_BOOTREPLY || m->xid != c->xid || m->hlen != HARDWARE_LEN ||
        memcmp(m->chaddr, c->options.mac.octets, HARDWARE_LEN) != 0)
        return false;
    /* RFC 6842 §3: an identifier that is not ours is for a client that shares our address. */
    return !dhcp_find(m, DHCP_CLIENT_ID, &id) ||
           bytes_equal(id, bytes_of(c->options.id, c->options.id_len));
}

static void on_offer(struct dhcp_client *c, const struct dhcp_message *m, usec now)
{
    uint32_t server;
    if (c->state != DHCP_CLIENT_SELECTING || !dhcp_address_usable(m->yiaddr) ||
        !dhcp_find_u32(m, DHCP_SERVER_ID, &server))
        return;
    c->wanted = m->yiaddr;
    c->server = server;
    c->requested_at = now;
    enter(c, DHCP_CLIENT_REQUESTING);
    send_and_repeat(c, DHCP_REQUEST, now);
}

static bool request_waits(const struct dhcp_client *c)
{
    return IN(c->state) & (IN(DHCP_CLIENT_REQUESTING) | IN(DHCP_CLIENT_REBOOTING) |
                           IN(DHCP_CLIENT_RENEWING) | IN(DHCP_CLIENT_REBINDING));
}

/* May this server answer our request? Anyone may, unless we asked one. */
static bool server_asked(const struct dhcp_client *c, const struct dhcp_message *m)
{
    uint32_t server;
    if (!dhcp_find_u32(m, DHCP_SERVER_ID, &server))
        return false;
    return server == c->server || c->state == DHCP_CLIENT_REBOOTING ||
           c->state == DHCP_CLIENT_REBINDING;
}

static enum dhcp_client_event on_ack(struct dhcp_client *c, const struct dhcp_message *m)
{
    if (!request_waits(c) || m->yiaddr != c->wanted || !server_asked(c, m) ||
        !dhcp_lease_read(m, c->requested_at, &c->lease))
        return DHCP_CLIENT_NOTHING;
    c->server = address_v4_value(&c->lease.server);
    c->naks = 0;
    c->pending = 0;
    if (c->bound) {
        enter(c, DHCP_CLIENT_IDLE);
        return DHCP_CLIENT_RENEWED;
    }
    if (c->options.probe) {
        enter(c, DHCP_CLIENT_PROBING);
        return DHCP_CLIENT_PROBE;
    }
    enter(c, DHCP_CLIENT_IDLE);
    c->bound = true;
    return DHCP_CLIENT_BOUND;
}

/* Starts over at once (§3.1, 5), but not for ever in a tight circle with a server that offers what
 * it then refuses. */
static enum dhcp_client_event on_nak(struct dhcp_client *c, const struct dhcp_message *m, usec now)
{
    if (!request_waits(c) || !server_asked(c, m))
        return DHCP_CLIENT_NOTHING;
    usec pause = c->naks == 0 ? 0 : USEC_PER_SEC << c->naks;
    if (c->naks < NAK_BACKOFF_MAX)
        c->naks++;
    return start_over(c, pause, now);
}

enum dhcp_client_event dhcp_client_input(struct dhcp_client *c, struct bytes datagram, usec now)
{
    c->now = now;
    struct dhcp_message m;
    if (dhcp_decode(datagram, &m) != WIRE_OK || !for_us(c, &m))
        return DHCP_CLIENT_NOTHING;
    switch (dhcp_message_type(&m)) {
    case DHCP_OFFER:
        on_offer(c, &m, now);
        return DHCP_CLIENT_NOTHING;
    case DHCP_ACK:
        return on_ack(c, &m);
    case DHCP_NAK:
        return on_nak(c, &m, now);
    default: /* from the wire: anything */
        return DHCP_CLIENT_NOTHING;
    }
}

enum dhcp_client_event dhcp_client_probed(struct dhcp_client *c, bool in_use, usec now)
{
    c->now = now;
    if (c->state != DHCP_CLIENT_PROBING)
        return DHCP_CLIENT_NOTHING; /* the lease ran out meanwhile */
    if (!in_use) {
        enter(c, DHCP_CLIENT_IDLE);
        c->bound = true;
        return DHCP_CLIENT_BOUND;
    }
    enum dhcp_client_event event = start_over(c, DHCP_CLIENT_DECLINE_WAIT, now);
    c->pending = DHCP_DECLINE;
    return event;
}

void dhcp_client_release(struct dhcp_client *c, usec now)
{
    c->now = now;
    if (c->state == DHCP_CLIENT_STOPPED)
        return;
    bool has_lease = c->bound || c->state == DHCP_CLIENT_PROBING;
    enter(c, DHCP_CLIENT_STOPPED);
    c->bound = false;
    c->pending = has_lease ? DHCP_RELEASE : 0;
}

/* ---- what goes out ---- */

static const uint8_t parameters[] = {
    /* RFC 3442: classless routes go before routers. */
    DHCP_SUBNET_MASK, DHCP_CLASSLESS_ROUTES, DHCP_ROUTER,   DHCP_DNS_SERVER, DHCP_DOMAIN_NAME,
    DHCP_INTERFACE_MTU, DHCP_LEASE_TIME,     DHCP_SERVER_ID, DHCP_T1,        DHCP_T2,
    DHCP_DOMAIN_SEARCH,
};

static bool uses_address(const struct dhcp_client *c)
{
    return c->state == DHCP_CLIENT_RENEWING || c->state == DHCP_CLIENT_REBINDING;
}

/* Table 5 of RFC 2131: which address and server each message names, and how. */
static void put_addresses(const struct dhcp_client *c, uint8_t type, struct dhcp_message *m)
{
    uint32_t leased = address_v4_value(&c->lease.address);
    switch (type) {
    case DHCP_REQUEST:
        if (uses_address(c)) {
            m->ciaddr = leased;
            return;
        }
        dhcp_put_u32(m, DHCP_REQUESTED_ADDRESS, c->wanted);
        if (c->state == DHCP_CLIENT_REQUESTING)
            dhcp_put_u32(m, DHCP_SERVER_ID, c->server);
        return;
    case DHCP_DECLINE:
        dhcp_put_u32(m, DHCP_REQUESTED_ADDRESS, leased);
        dhcp_put_u32(m, DHCP_SERVER_ID, c->server);
        return;
    case DHCP_RELEASE:
        m->ciaddr = leased;
        dhcp_put_u32(m, DHCP_SERVER_ID, c->server);
        return;
    default: /* DISCOVER names none */
        return;
    }
}

static void build(const struct dhcp_client *c, uint8_t type, struct dhcp_message *m)
{
    bool wants_answer = type == DHCP_DISCOVER || type == DHCP_REQUEST;
    dhcp_message_init(m);
    m->op = DHCP_BOOTREQUEST;
    m->htype = DHCP_HTYPE_ETHERNET;
    m->hlen = HARDWARE_LEN;
    m->xid = c->xid;
    memcpy(m->chaddr, c->options.mac.octets, HARDWARE_LEN);
    dhcp_put_u8(m, DHCP_MESSAGE_TYPE, type);
    dhcp_put(m, DHCP_CLIENT_ID, bytes_of(c->options.id, c->options.id_len));
    put_addresses(c, type, m);
    if (!wants_answer)
        return;
    usec secs = (c->now - c->began_at) / USEC_PER_SEC;
    m->secs = (uint16_t)usec_min(secs, UINT16_MAX);
    if (c->options.broadcast && m->ciaddr == 0)
        m->flags = DHCP_FLAG_BROADCAST;
    dhcp_put_u16(m, DHCP_MAX_SIZE, DHCP_MESSAGE_MAX + IP_AND_UDP);
    dhcp_put(m, DHCP_PARAMETER_LIST, bytes_of(parameters, sizeof parameters));
    if (c->options.hostname[0] != '\0')
        dhcp_put(m, DHCP_HOST_NAME, bytes_of_text(c->options.hostname));
}

bool dhcp_client_next(struct dhcp_client *c, struct dhcp_client_target *target, struct writer *w)
{
    uint8_t type = c->pending;
    if (type == 0)
        return false;
    c->pending = 0;
    struct dhcp_message m;
    build(c, type, &m);
    enum wire_status status = dhcp_encode(&m, DHCP_MESSAGE_DEFAULT, w);
    ASSERT(status == WIRE_OK);
    bool unicast = type == DHCP_RELEASE || c->state == DHCP_CLIENT_RENEWING;
    target->from = m.ciaddr != 0 ? c->lease.address : address_any_v4();
    target->to = unicast ? c->lease.server : address_v4(UINT32_MAX);
    return true;
}

/* ---- time ---- */

usec dhcp_client_deadline(const struct dhcp_client *c)
{
    switch (c->state) {
    case DHCP_CLIENT_IDLE:
        return c->lease.t1_at;
    case DHCP_CLIENT_RENEWING:
        return usec_min(c->retry_at, c->lease.t2_at);
    case DHCP_CLIENT_REBINDING:
        return usec_min(c->retry_at, c->lease.expires_at);
    case DHCP_CLIENT_PROBING:
        return c->lease.expires_at;
    case DHCP_CLIENT_WAITING:
    case DHCP_CLIENT_SELECTING:
    case DHCP_CLIENT_REQUESTING:
    case DHCP_CLIENT_REBOOTING:
        return c->retry_at;
    case DHCP_CLIENT_STOPPED:
    case DHCP_CLIENT_STATE_COUNT:
        break;
    }
    return USEC_NEVER;
}

/* Asks, and again after half of what is left until `end`, but a minute at least (§4.4.5). Each time
 * with another xid: the new lease counts from the request that is answered. */
static void renew(struct dhcp_client *c, usec end, usec now)
{
    c->xid = prng_u32(&c->prng);
    c->requested_at = now;
    c->pending = DHCP_REQUEST;
    c->retry_at = now + usec_max((end - now) / 2, DHCP_CLIENT_RENEW_MIN);
}

static void begin_renewal(struct dhcp_client *c, usec now)
{
    enter(c, DHCP_CLIENT_RENEWING);
    c->began_at = now;
    renew(c, c->lease.t2_at, now);
}

/* The lease is over, even if the host slept through T1 and T2. */
static enum dhcp_client_event expire(struct dhcp_client *c, usec now)
{
    if (c->state == DHCP_CLIENT_IDLE)
        enter(c, DHCP_CLIENT_RENEWING);
    return start_over(c, 0, now);
}

enum dhcp_client_event dhcp_client_tick(struct dhcp_client *c, usec now)
{
    c->now = now;
    if (now < dhcp_client_deadline(c))
        return DHCP_CLIENT_NOTHING;
    if ((c->bound || c->state == DHCP_CLIENT_PROBING) && now >= c->lease.expires_at)
        return expire(c, now);
    switch (c->state) {
    case DHCP_CLIENT_WAITING:
        start(c, now);
        break;
    case DHCP_CLIENT_SELECTING:
        send_and_repeat(c, DHCP_DISCOVER, now);
        break;
    case DHCP_CLIENT_REQUESTING:
    case DHCP_CLIENT_REBOOTING:
        if (c->attempts >= DHCP_REQUEST_ATTEMPTS)
            return start_over(c, 0, now);
        send_and_repeat(c, DHCP_REQUEST, now);
        break;
    case DHCP_CLIENT_IDLE:
        begin_renewal(c, now);
        break;
    case DHCP_CLIENT_RENEWING:
        if (now >= c->lease.t2_at)
            enter(c, DHCP_CLIENT_REBINDING);
        renew(c, c->state == DHCP_CLIENT_RENEWING ? c->lease.t2_at : c->lease.expires_at, now);
        break;
    case DHCP_CLIENT_REBINDING:
        renew(c, c->lease.expires_at, now);
        break;
    case DHCP_CLIENT_PROBING:
    case DHCP_CLIENT_STOPPED:
    case DHCP_CLIENT_STATE_COUNT:
        break;
    }
    return DHCP_CLIENT_NOTHING;
}

const char *dhcp_client_state_text(enum dhcp_client_state state)
{
    return state_texts[state];
}

/* SPDX-License-Identifier: ISC */
/*
 * dhcp_server.c - RFC 2131 §4.3: what a server does with each message. The bindings are in
 * dhcp_pool.c, the making of replies in dhcp_reply.c.
 */
#include "proto/dhcp/dhcp_server.h"

#include "base/text.h"
#include "proto/dhcp/dhcp_reply.h"

enum { LEASE_DEFAULT = 3600, LEASE_MIN_DEFAULT = 60 };

enum output_state { OUTPUT_FREE, OUTPUT_HELD, OUTPUT_READY };

struct output {
    struct list_node node; /* ready ones, in order */
    enum output_state state;
    uint32_t generation;
    struct dhcp_binding *binding; /* held: whose lease is being stored */
    struct dhcp_server_lease lease;
    struct dhcp_server_reply reply;
    size_t len;
    uint8_t octets[DHCP_MESSAGE_MAX];
};

struct dhcp_server {
    struct heap heap;
    struct dhcp_pool pool;
    struct dhcp_reply_config config;
    struct ip_prefix network;
    uint32_t lease_seconds;
    uint32_t lease_min;
    uint32_t lease_max;
    bool authoritative;
    struct dhcp_server_counters counters;
    struct list_node ready;
    struct output outputs[DHCP_SERVER_OUTPUTS];
};

/* One message and what is known of it while it is handled. */
struct exchange {
    struct dhcp_message in;
    struct dhcp_identity who;
    struct endpoint from;
    usec now;
    struct dhcp_server_event *event;
};

/* ---- set-up ---- */

static bool explain(char error[DHCP_SERVER_ERROR_MAX], const char *what,
                    const struct ip_address *address)
{
    char text[ADDRESS_TEXT_MAX];
    struct text t = text_of(error, DHCP_SERVER_ERROR_MAX);
    text_add_format(&t, "%s %s", address_format(address, text), what);
    return false;
}

static bool check_statics(const struct dhcp_server_options *o, char error[DHCP_SERVER_ERROR_MAX])
{
    for (size_t i = 0; i < o->static_count; i++) {
        const struct dhcp_static *s = &o->statics[i];
        if (!prefix_contains(&o->network, &s->address))
            return explain(error, "is reserved for a client, but not in the network", &s->address);
        if (memchr(s->hostname, 0, sizeof s->hostname) == NULL)
            return explain(error, "is reserved for a client whose name is too long", &s->address);
        for (size_t j = 0; j < i; j++) {
            if (address_equal(&s->address, &o->statics[j].address))
                return explain(error, "is reserved twice", &s->address);
            if (mac_equal(&s->mac, &o->statics[j].mac))
                return explain(error, "is reserved for a MAC that has another", &s->address);
        }
        if (address_equal(&s->address, &o->server))
            return explain(error, "is reserved for a client, but is the server's own", &s->address);
    }
    return true;
}

bool dhcp_server_check(const struct dhcp_server_options *o, char error[DHCP_SERVER_ERROR_MAX])
{
    if (!address_is_v4(&o->network.address) || o->network.len > 30)
        return explain(error, "is no IPv4 network with room for clients", &o->network.address);
    const struct ip_address *inside[] = {&o->server, &o->pool_first, &o->pool_last};
    for (size_t i = 0; i < ARRAY_LEN(inside); i++)
        if (!address_is_v4(inside[i]) || !prefix_contains(&o->network, inside[i]))
            return explain(error, "is not in the network", inside[i]);
    uint32_t first = address_v4_value(&o->pool_first);
    uint32_t last = address_v4_value(&o->pool_last);
    if (first > last)
        return explain(error, "begins the pool, but is after its end", &o->pool_first);
    if (last - first >= DHCP_POOL_MAX)
        return explain(error, "begins a pool of more than 65536 addresses", &o->pool_first);
    if (o->static_count > DHCP_RESERVED_MAX || o->dns_count > DHCP_SERVER_DNS_MAX)
        return explain(error, "has too many reserved addresses or name servers", &o->server);
    char domain[DHCP_NAME_MAX];
    if (o->domain != NULL && !dhcp_domain_text(bytes_of_text(o->domain), domain))
        return explain(error, "is to tell a domain that is no domain name", &o->server);
    return check_statics(o, error);
}

static void configure(struct dhcp_server *s, const struct dhcp_server_options *o)
{
    s->network = o->network;
    s->authoritative = o->authoritative;
    s->lease_seconds = o->lease_seconds != 0 ? o->lease_seconds : LEASE_DEFAULT;
    s->lease_max = o->lease_max != 0 ? o->lease_max : s->lease_seconds;
    s->lease_min = o->lease_min != 0 ? o->lease_min : LEASE_MIN_DEFAULT;
    if (s->lease_min > s->lease_seconds)
        s->lease_min = s->lease_seconds;
    s->config.server = address_v4_value(&o->server);
    s->config.mask = prefix_mask_v4(o->network.len);
    s->config.router = address_is_any(&o->router) ? 0 : address_v4_value(&o->router);
    s->config.mtu = o->mtu;
    for (size_t i = 0; i < o->dns_count; i++)
        s->config.dns[s->config.dns_count++] = address_v4_value(&o->dns[i]);
    if (o->domain != NULL && !dhcp_domain_text(bytes_of_text(o->domain), s->config.domain))
        s->config.domain[0] = '\0'; /* cannot be: it was checked */
}

/* What nobody may be given: the ends of the network, and what we tell clients about. */
static void reserve_addresses(struct dhcp_server *s)
{
    uint32_t network = s->config.server & s->config.mask;
    dhcp_pool_reserve(&s->pool, network);
    dhcp_pool_reserve(&s->pool, network | ~s->config.mask);
    dhcp_pool_reserve(&s->pool, s->config.server);
    dhcp_pool_reserve(&s->pool, s->config.router);
    for (size_t i = 0; i < s->config.dns_count; i++)
        dhcp_pool_reserve(&s->pool, s->config.dns[i]);
}

struct dhcp_server *dhcp_server_new(const struct dhcp_server_options *options, usec now)
{
    char error[DHCP_SERVER_ERROR_MAX];
    ASSERT(dhcp_server_check(options, error));
    struct dhcp_server *s = heap_zeroed(&options->heap, sizeof *s);
    if (s == NULL)
        return NULL;
    s->heap = options->heap;
    configure(s, options);
    struct prng prng;
    prng_init(&prng, options->seed);
    struct dhcp_pool_options pool = {
        .heap = options->heap,
        .first = address_v4_value(&options->pool_first),
        .last = address_v4_value(&options->pool_last),
        .statics = options->statics,
        .static_count = options->static_count,
    };
    pool.hash_key.k0 = prng_u64(&prng);
    pool.hash_key.k1 = prng_u64(&prng);
    if (!dhcp_pool_init(&s->pool, &pool, now)) {
        heap_release(&s->heap, s, sizeof *s);
        return NULL;
    }
    reserve_addresses(s);
    list_init(&s->ready);
    for (size_t i = 0; i < DHCP_SERVER_OUTPUTS; i++)
        list_init(&s->outputs[i].node);
    return s;
}

void dhcp_server_free(struct dhcp_server *s)
{
    if (s == NULL)
        return;
    struct heap heap = s->heap;
    dhcp_pool_done(&s->pool);
    heap_release(&heap, s, sizeof *s);
}

bool dhcp_server_restore(struct dhcp_server *s, const struct dhcp_server_lease *lease, usec now)
{
    if (lease->client.key_len == 0 || lease->client.key_len > DHCP_CLIENT_KEY_MAX ||
        memchr(lease->hostname, '\0', sizeof lease->hostname) == NULL)
        return false;
    return dhcp_pool_restore(&s->pool, address_v4_value(&lease->address), &lease->client,
                             lease->hostname, lease->expires_at, now);
}

/* ---- outputs ---- */

static struct output *free_output(struct dhcp_server *s)
{
    for (size_t i = 0; i < DHCP_SERVER_OUTPUTS; i++)
        if (s->outputs[i].state == OUTPUT_FREE)
            return &s->outputs[i];
    return NULL;
}

static void make_ready(struct dhcp_server *s, struct output *output)
{
    output->state = OUTPUT_READY;
    list_append(&s->ready, &output->node);
}

/* The reply in a free output, or NULL: there is none, or the reply is too long for the client. */
static struct output *reply(struct dhcp_server *s, const struct exchange *x,
                            const struct dhcp_reply *content)
{
    struct output *output = free_output(s);
    if (output == NULL) {
        s->counters.busy++;
        return NULL;
    }
    struct writer w = writer_of(output->octets, sizeof output->octets);
    if (!dhcp_reply_write(&s->config, &x->in, content, &w)) {
        s->counters.ignored++;
        return NULL;
    }
    output->len = writer_len(&w);
    dhcp_reply_target(&x->in, content, &x->from, &output->reply.to, &output->reply.mac,
                      &output->reply.has_mac);
    return output;
}

static void nak(struct dhcp_server *s, const struct exchange *x, const char *why)
{
    struct output *output = reply(s, x, &(struct dhcp_reply){.type = DHCP_NAK, .text = why});
    if (output == NULL)
        return;
    s->counters.naks++;
    make_ready(s, output);
}

/* ---- messages ---- */

static uint32_t lease_seconds(const struct dhcp_server *s, const struct dhcp_message *in)
{
    uint32_t wanted;
    if (!dhcp_find_u32(in, DHCP_LEASE_TIME, &wanted))
        return s->lease_seconds;
    if (wanted < s->lease_min)
        return s->lease_min;
    return wanted < s->lease_max ? wanted : s->lease_max;
}

static const char *static_name(const struct dhcp_server *s, const struct dhcp_identity *who)
{
    const struct dhcp_static *entry = dhcp_pool_static(&s->pool, &who->mac);
    return entry != NULL ? entry->hostname : "";
}

static void describe(const struct dhcp_binding *b, struct dhcp_server_lease *out)
{
    *out = (struct dhcp_server_lease){
        .address = address_v4(b->address),
        .client = b->client,
        .expires_at = b->expires_at,
        .offered = b->state == DHCP_OFFERED,
    };
    memcpy(out->hostname, b->hostname, sizeof out->hostname);
}

static void end_lease(struct dhcp_binding *b, struct dhcp_server_event *event)
{
    event->kind = DHCP_SERVER_ENDED;
    describe(b, &event->lease);
}

static bool ours(const struct dhcp_server *s, const struct exchange *x, bool *named)
{
    uint32_t server = 0;
    *named = dhcp_find_u32(&x->in, DHCP_SERVER_ID, &server);
    return *named && server == s->config.server;
}

/* A static name goes before the one that the client calls itself, by the FQDN option before the other (RFC
 * 4702 §4). Who wants no record in the DNS has no name. */
static void name_client(const struct dhcp_server *s, const struct exchange *x,
                        char out[DHCP_LABEL_MAX])
{
    const char *fixed = static_name(s, &x->who);
    struct bytes option;
    struct dhcp_fqdn fqdn;
    out[0] = '\0';
    if (*fixed != '\0') {
        memcpy(out, fixed, strlen(fixed) + 1);
        return;
    }
    if (dhcp_find(&x->in, DHCP_CLIENT_FQDN, &option) && dhcp_fqdn_decode(option, &fqdn)) {
        if (fqdn.flags & DHCP_FQDN_N)
            return;
        memcpy(out, fqdn.label, sizeof fqdn.label);
    }
    if (out[0] == '\0' &&
        (!dhcp_find(&x->in, DHCP_HOST_NAME, &option) || !dhcp_host_label(option, out)))
        out[0] = '\0';
}

/* RFC 2131 §4.3.1. */
static void on_discover(struct dhcp_server *s, struct exchange *x)
{
    s->counters.discovers++;
    x->in.ciaddr = 0; /* has no meaning here (RFC 2131, table 5), and must not direct the reply */
    uint32_t wanted = 0;
    (void)dhcp_find_u32(&x->in, DHCP_REQUESTED_ADDRESS, &wanted);
    struct dhcp_binding *b = dhcp_pool_choose(&s->pool, &x->who, wanted, x->now);
    if (b == NULL) {
        s->counters.exhausted++;
        return;
    }
    if (b->held) {
        s->counters.busy++;
        return;
    }
    char name[DHCP_LABEL_MAX] = "";
    name_client(s, x, name);
    struct output *output = reply(s, x, &(struct dhcp_reply){
        .name = name,
        .type = DHCP_OFFER,
        .yiaddr = b->address,
        .lease_seconds = lease_seconds(s, &x->in),
        .hostname = static_name(s, &x->who),
    });
    if (output == NULL)
        return;
    if (!dhcp_pool_offer(&s->pool, b, &x->who, x->now, x->now + DHCP_OFFER_TIMEOUT)) {
        s->counters.busy++;
        return;
    }
    s->counters.offers++;
    make_ready(s, output);
}

/* Asks the caller to store the lease; the acknowledgement waits. */
static void acknowledge(struct dhcp_server *s, struct exchange *x, struct dhcp_binding *b)
{
    if (b->held) {
        s->counters.busy++;
        return;
    }
    uint32_t seconds = lease_seconds(s, &x->in);
    char name[DHCP_LABEL_MAX] = "";
    name_client(s, x, name);
    struct output *output = reply(s, x, &(struct dhcp_reply){
        .name = name,
        .type = DHCP_ACK,
        .yiaddr = b->address,
        .lease_seconds = seconds,
        .hostname = static_name(s, &x->who),
    });
    if (output == NULL)
        return;
    if (!dhcp_pool_offer(&s->pool, b, &x->who, x->now, x->now + DHCP_OFFER_TIMEOUT)) {
        s->counters.busy++;
        return;
    }
    struct dhcp_server_lease *lease = &output->lease;
    *lease = (struct dhcp_server_lease){.address = address_v4(b->address), .client = x->who};
    lease->expires_at =
        seconds == DHCP_INFINITY ? USEC_NEVER : x->now + (usec)seconds * USEC_PER_SEC;
    memcpy(lease->hostname, name, sizeof name);
    dhcp_pool_hold(&s->pool, b);
    output->state = OUTPUT_HELD;
    output->binding = b;
    output->generation = (output->generation + 1) & 0xffffff;
    x->event->kind = DHCP_SERVER_COMMIT;
    x->event->token = output->generation << 8 | (uint32_t)(output - s->outputs);
    x->event->begins = b->state != DHCP_BOUND;
    x->event->renamed = strcmp(b->hostname, lease->hostname) != 0;
    x->event->lease = *lease;
}

/* RFC 2131 §4.3.2, "DHCPREQUEST generated during SELECTING state". */
static void on_selecting(struct dhcp_server *s, struct exchange *x, uint32_t wanted)
{
    /* After a restart the offer is not known any more, but the address may still be free. */
    struct dhcp_binding *b = dhcp_pool_claim(&s->pool, &x->who, wanted);
    if (b != NULL)
        acknowledge(s, x, b);
    else
        nak(s, x, "that address was not offered to you");
}

/* "… INIT-REBOOT state" (`wanted` is option 50) and "… RENEWING", "… REBINDING" (ciaddr): the
 * client says which address it has. */
static void on_reminder(struct dhcp_server *s, struct exchange *x, uint32_t wanted)
{
    struct ip_address address = address_v4(wanted);
    if (!prefix_contains(&s->network, &address)) {
        nak(s, x, "that address is not of this network");
        return;
    }
    struct dhcp_binding *known = dhcp_pool_find(&s->pool, &x->who);
    if (known == NULL && !s->authoritative) {
        s->counters.ignored++; /* MUST remain silent */
        return;
    }
    struct dhcp_binding *b = dhcp_pool_claim(&s->pool, &x->who, wanted);
    if (b != NULL)
        acknowledge(s, x, b);
    else
        nak(s, x, "that address is not yours");
}

static void on_request(struct dhcp_server *s, struct exchange *x)
{
    s->counters.requests++;
    bool selecting;
    bool ours_selected = ours(s, x, &selecting);
    uint32_t wanted = 0;
    bool has_wanted = dhcp_find_u32(&x->in, DHCP_REQUESTED_ADDRESS, &wanted);
    if (selecting && !ours_selected) {
        struct dhcp_binding *b = dhcp_pool_find(&s->pool, &x->who);
        if (b != NULL && b->state == DHCP_OFFERED && !b->held)
            dhcp_pool_withdraw(&s->pool, b); /* the client takes another server's offer */
        s->counters.ignored++;
        return;
    }
    if (selecting && has_wanted) {
        x->in.ciaddr = 0; /* MUST be zero; must not direct the reply */
        on_selecting(s, x, wanted);
    } else if (!selecting && has_wanted && x->in.ciaddr == 0)
        on_reminder(s, x, wanted);
    else if (!selecting && !has_wanted && x->in.ciaddr != 0)
        on_reminder(s, x, x->in.ciaddr);
    else
        s->counters.malformed++; /* none of the rows of RFC 2131 §4.3.2's table 4 */
}

/* RFC 2131 §4.3.3. */
static void on_decline(struct dhcp_server *s, struct exchange *x)
{
    s->counters.declines++;
    bool named;
    uint32_t address = 0;
    (void)dhcp_find_u32(&x->in, DHCP_REQUESTED_ADDRESS, &address);
    struct dhcp_binding *b = dhcp_pool_find(&s->pool, &x->who);
    if (!ours(s, x, &named) || b == NULL || b->address != address || b->held ||
        (b->state != DHCP_BOUND && b->state != DHCP_OFFERED)) {
        s->counters.ignored++;
        return;
    }
    if (b->state == DHCP_BOUND)
        end_lease(b, x->event);
    dhcp_pool_decline(&s->pool, b, x->now + DHCP_DECLINE_TIMEOUT);
}

/* RFC 2131 §4.3.4. */
static void on_release(struct dhcp_server *s, struct exchange *x)
{
    s->counters.releases++;
    bool named;
    struct dhcp_binding *b = dhcp_pool_find(&s->pool, &x->who);
    if (!ours(s, x, &named) || b == NULL || b->address != x->in.ciaddr || b->held ||
        b->state != DHCP_BOUND) {
        s->counters.ignored++;
        return;
    }
    end_lease(b, x->event);
    dhcp_pool_release(&s->pool, b);
}

/* RFC 2131 §4.3.5: no lease, no yiaddr. */
static void on_inform(struct dhcp_server *s, struct exchange *x)
{
    s->counters.informs++;
    if (x->in.ciaddr == 0)
        x->in.ciaddr = address_v4_value(&x->from.address); /* forgiven, as deployed servers do */
    struct ip_address client = address_v4(x->in.ciaddr);
    if (x->in.ciaddr == 0 || !prefix_contains(&s->network, &client)) {
        s->counters.ignored++;
        return;
    }
    struct output *output = reply(s, x, &(struct dhcp_reply){.type = DHCP_ACK});
    if (output == NULL)
        return;
    s->counters.acks++;
    make_ready(s, output);
}

/* RFC 2131 §4.2. False: neither an identifier we can keep nor a MAC. */
static bool identify(const struct dhcp_message *in, struct dhcp_identity *out)
{
    *out = (struct dhcp_identity){0};
    if (in->hlen == sizeof out->mac.octets)
        memcpy(out->mac.octets, in->chaddr, sizeof out->mac.octets);
    struct bytes id;
    if (dhcp_find(in, DHCP_CLIENT_ID, &id) && id.len >= 2 && id.len <= DHCP_CLIENT_KEY_MAX) {
        memcpy(out->key, id.data, id.len);
        out->key_len = (uint8_t)id.len;
        out->key_is_id = true;
        return true;
    }
    if (in->hlen != sizeof out->mac.octets)
        return false;
    out->key[0] = DHCP_HTYPE_ETHERNET;
    memcpy(out->key + 1, in->chaddr, sizeof out->mac.octets);
    out->key_len = 1 + sizeof out->mac.octets;
    return true;
}

/* Is it a client's message, from our network? Relays name the client's network by their address. */
static bool for_us(struct dhcp_server *s, struct exchange *x)
{
    struct ip_address relay = address_v4(x->in.giaddr);
    bool foreign = x->in.giaddr != 0 && !prefix_contains(&s->network, &relay);
    if (x->in.op != DHCP_BOOTREQUEST || foreign || !identify(&x->in, &x->who) ||
        dhcp_message_type(&x->in) == DHCP_NO_TYPE) {
        s->counters.ignored++;
        return false;
    }
    return true;
}

void dhcp_server_input(struct dhcp_server *s, const struct endpoint *from, struct bytes datagram,
                       usec now, struct dhcp_server_event *out)
{
    static void (*const handlers[])(struct dhcp_server *, struct exchange *) = {
        [DHCP_DISCOVER] = on_discover, [DHCP_REQUEST] = on_request, [DHCP_DECLINE] = on_decline,
        [DHCP_RELEASE] = on_release,   [DHCP_INFORM] = on_inform,
    };
    *out = (struct dhcp_server_event){0};
    struct exchange x = {.from = *from, .now = now, .event = out};
    if (dhcp_decode(datagram, &x.in) != WIRE_OK) {
        s->counters.malformed++;
        return;
    }
    if (!for_us(s, &x))
        return;
    uint8_t type = dhcp_message_type(&x.in);
    if (type < ARRAY_LEN(handlers) && handlers[type] != NULL)
        handlers[type](s, &x);
    else
        s->counters.ignored++;
}

void dhcp_server_committed(struct dhcp_server *s, uint32_t token, bool stored)
{
    ASSERT((token & 0xff) < DHCP_SERVER_OUTPUTS);
    struct output *output = &s->outputs[token & 0xff];
    ASSERT(output->state == OUTPUT_HELD && output->generation == token >> 8);
    struct dhcp_binding *b = output->binding;
    dhcp_pool_let_go(&s->pool, b);
    output->state = OUTPUT_FREE;
    output->binding = NULL;
    if (!stored)
        return;
    memcpy(b->hostname, output->lease.hostname, sizeof b->hostname);
    dhcp_pool_bind(&s->pool, b, output->lease.expires_at);
    s->counters.acks++;
    make_ready(s, output);
}

bool dhcp_server_next(struct dhcp_server *s, struct dhcp_server_reply *out, struct writer *w)
{
    struct list_node *node = list_first(&s->ready);
    if (node == NULL)
        return false;
    struct output *output = CONTAINER_OF(node, struct output, node);
    list_remove(node);
    output->state = OUTPUT_FREE;
    *out = output->reply;
    write_copy(w, output->octets, output->len);
    return true;
}

usec dhcp_server_deadline(const struct dhcp_server *s)
{
    return dhcp_pool_deadline(&s->pool);
}

bool dhcp_server_tick(struct dhcp_server *s, usec now, struct dhcp_server_event *out)
{
    *out = (struct dhcp_server_event){0};
    struct dhcp_binding *b = dhcp_pool_expire(&s->pool, now);
    if (b == NULL)
        return false;
    end_lease(b, out);
    dhcp_pool_release(&s->pool, b);
    return true;
}

bool dhcp_server_each(const struct dhcp_server *s, size_t *place, struct dhcp_server_lease *out)
{
    while (*place < s->pool.count) {
        const struct dhcp_binding *b = &s->pool.bindings[(*place)++];
        if (b->state == DHCP_BOUND || b->state == DHCP_OFFERED) {
            describe(b, out);
            return true;
        }
    }
    return false;
}

void dhcp_server_counters(const struct dhcp_server *s, struct dhcp_server_counters *out)
{
    *out = s->counters;
    out->reclaimed = s->pool.reclaimed;
    out->leases = s->pool.bound_count;
}

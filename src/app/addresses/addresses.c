/* SPDX-License-Identifier: ISC */
/*
 * addresses.c - the DHCP server's machine (proto/dhcp/dhcp_server.h) on a datagram socket, with its
 * leases in the store.
 *
 * Events wait until the end of the turn, are stored in one transaction, and only then let the
 * acknowledgements go. No transaction stays open across a callback: the store is shared.
 */
#include "app/addresses/addresses.h"

#include <errno.h>
#include <stdlib.h>

#include "app/addresses/lease_store.h"
#include "base/text.h"
#include "io/loop.h"
#include "proto/dhcp/dhcp_server.h"

enum { WAITING_MAX = DHCP_SERVER_OUTPUTS };

_Static_assert((int)ADDRESSES_POOL_MAX == (int)DHCP_POOL_MAX, "the pool of both");
_Static_assert((int)ADDRESSES_STATIC_MAX == (int)DHCP_RESERVED_MAX, "static addresses of both");
_Static_assert((int)ADDRESSES_DNS_MAX == (int)DHCP_SERVER_DNS_MAX, "name servers of both");
_Static_assert(sizeof((struct lease){0}.client_id) == DHCP_CLIENT_KEY_MAX, "client identifiers");
_Static_assert(sizeof((struct lease){0}.hostname) == DHCP_LABEL_MAX, "host names");

struct addresses {
    struct addresses_options options; /* its pointers but on_lease, on_error and self are dead */
    struct net *net;
    struct loop *loop;
    struct dhcp_server *server;
    struct lease_store *leases; /* NULL: memory only */
    struct dgram *dgram;
    struct alarm alarm;
    struct task task;           /* stores and sends, at the end of the turn */
    unsigned interface;         /* where our clients are: where the last message came in */
    bool has_interface;
    size_t waiting_count;
    struct dhcp_server_event waiting[WAITING_MAX];
    uint64_t not_stored;
    uint64_t not_sent;
};

/* ---- leases, between the machine's clock and the wall's ---- */

static int64_t wall_of(const struct addresses *a, usec at)
{
    if (at == USEC_NEVER)
        return INT64_MAX;
    usec left = at - loop_now(a->loop);
    int64_t seconds = left / USEC_PER_SEC + (left % USEC_PER_SEC > 0);
    return loop_wall_seconds(a->loop) + seconds;
}

static usec usec_of(const struct addresses *a, int64_t wall)
{
    int64_t left = wall - loop_wall_seconds(a->loop);
    if (wall == INT64_MAX)
        return USEC_NEVER;
    if (left < 0)
        return 0;
    /* Longer than a DHCP lease can be: nothing that we have written. */
    if (left > UINT32_MAX)
        left = UINT32_MAX;
    return loop_now(a->loop) + left * USEC_PER_SEC;
}

static void lease_of(const struct addresses *a, const struct dhcp_server_lease *from,
                     struct lease *out)
{
    *out = (struct lease){.address = from->address, .mac = from->client.mac};
    if (from->client.key_is_id) {
        memcpy(out->client_id, from->client.key, from->client.key_len);
        out->client_id_len = from->client.key_len;
    }
    memcpy(out->hostname, from->hostname, sizeof out->hostname);
    out->expires = wall_of(a, from->expires_at);
    out->offered = from->offered;
}

static bool restore(void *self, const struct lease *lease)
{
    struct addresses *a = self;
    struct dhcp_server_lease restored = {.address = lease->address};
    struct dhcp_identity *who = &restored.client;
    who->mac = lease->mac;
    who->key_is_id = lease->client_id_len > 0;
    who->key_len = who->key_is_id ? lease->client_id_len : 1 + sizeof lease->mac.octets;
    who->key[0] = DHCP_HTYPE_ETHERNET;
    memcpy(who->key + 1, lease->mac.octets, sizeof lease->mac.octets);
    if (who->key_is_id)
        memcpy(who->key, lease->client_id, lease->client_id_len);
    memcpy(restored.hostname, lease->hostname, sizeof restored.hostname);
    restored.expires_at = usec_of(a, lease->expires);
    return dhcp_server_restore(a->server, &restored, loop_now(a->loop));
}

static void tell(struct addresses *a, const struct dhcp_server_lease *lease, bool active)
{
    if (a->options.on_lease == NULL)
        return;
    struct lease told;
    lease_of(a, lease, &told);
    a->options.on_lease(a->options.self, &told, active);
}

/* ---- storing ---- */

static int put(struct addresses *a, const struct dhcp_server_event *event)
{
    struct lease lease;
    lease_of(a, &event->lease, &lease);
    int64_t now = loop_wall_seconds(a->loop);
    if (event->kind == DHCP_SERVER_ENDED && lease.expires > now)
        lease.expires = now;
    return lease_store_put(a->leases, &lease);
}

static int put_all(struct addresses *a)
{
    int status = store_begin(a->options.store);
    if (status < 0)
        return status;
    for (size_t i = 0; status == 0 && i < a->waiting_count; i++)
        status = put(a, &a->waiting[i]);
    if (status == 0)
        return store_commit(a->options.store);
    store_rollback(a->options.store);
    return status;
}

/* What waits is stored, or refused; the machine and whoever listens are told. */
static void settle(struct addresses *a)
{
    if (a->waiting_count == 0)
        return;
    bool stored = a->leases == NULL || put_all(a) == 0;
    if (!stored) {
        a->not_stored += a->waiting_count;
        if (a->options.on_error != NULL)
            a->options.on_error(a->options.self, store_error(a->options.store));
    }
    size_t count = a->waiting_count;
    a->waiting_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct dhcp_server_event *event = &a->waiting[i];
        if (event->kind == DHCP_SERVER_ENDED) {
            tell(a, &event->lease, false);
            continue;
        }
        dhcp_server_committed(a->server, event->token, stored);
        if (stored && (event->begins || event->renamed))
            tell(a, &event->lease, true);
    }
}

static void take_event(struct addresses *a, const struct dhcp_server_event *event)
{
    if (event->kind == DHCP_SERVER_NOTHING)
        return;
    if (a->waiting_count == WAITING_MAX)
        settle(a);
    a->waiting[a->waiting_count++] = *event;
}

/* ---- the socket ---- */

static void send_reply(struct addresses *a, const struct dhcp_server_reply *reply,
                       struct bytes payload)
{
    struct dgram_message message = {
        .from = {a->options.server, DHCP_SERVER_PORT},
        .to = reply->to,
        .payload = payload,
        .interface = a->interface,
        .has_interface = a->has_interface,
        .mac = reply->mac,
        .has_mac = reply->has_mac,
    };
    if (reply->has_mac && a->options.broadcast_replies) {
        message.has_mac = false;
        message.to.address = address_v4(UINT32_MAX);
    }
    if (dgram_send(a->dgram, &message) < 0)
        a->not_sent++;
}

static void send_replies(struct addresses *a)
{
    uint8_t octets[DHCP_MESSAGE_MAX];
    struct dhcp_server_reply reply;
    for (;;) {
        struct writer w = writer_of(octets, sizeof octets);
        if (!dhcp_server_next(a->server, &reply, &w))
            return;
        send_reply(a, &reply, writer_bytes(&w));
    }
}

static void run_task(struct task *task)
{
    struct addresses *a = CONTAINER_OF(task, struct addresses, task);
    settle(a);
    send_replies(a);
    loop_set_alarm(a->loop, &a->alarm, dhcp_server_deadline(a->server));
}

static void on_message(void *self, struct dgram *dgram UNUSED, const struct dgram_message *message)
{
    struct addresses *a = self;
    if (message->has_interface) {
        a->interface = message->interface;
        a->has_interface = true;
    }
    struct dhcp_server_event event;
    dhcp_server_input(a->server, &message->from, message->payload, loop_now(a->loop), &event);
    take_event(a, &event);
    loop_queue(a->loop, &a->task);
}

static void on_due(struct alarm *alarm)
{
    struct addresses *a = CONTAINER_OF(alarm, struct addresses, alarm);
    struct dhcp_server_event event;
    while (dhcp_server_tick(a->server, loop_now(a->loop), &event))
        tell(a, &event.lease, false); /* the store has its end already */
    loop_set_alarm(a->loop, &a->alarm, dhcp_server_deadline(a->server));
}

/* ---- set-up ---- */

/* `statics` has room for options->static_count. False: more than there may be, or a name too
 * long. */
static bool server_options(const struct addresses_options *options, struct dhcp_static *statics,
                           struct dhcp_server_options *out)
{
    *out = (struct dhcp_server_options){
        .server = options->server,
        .network = options->network,
        .pool_first = options->pool_first,
        .pool_last = options->pool_last,
        .router = options->router,
        .dns_count = options->dns_count,
        .domain = options->domain,
        .mtu = options->mtu,
        .lease_seconds = options->lease_seconds,
        .statics = statics,
        .static_count = options->static_count,
        .authoritative = !options->other_servers,
    };
    if (options->dns_count > ADDRESSES_DNS_MAX)
        return false;
    memcpy(out->dns, options->dns, options->dns_count * sizeof out->dns[0]);
    for (size_t i = 0; i < options->static_count; i++) {
        const struct addresses_static *from = &options->statics[i];
        statics[i] = (struct dhcp_static){.mac = from->mac, .address = from->address};
        struct bytes name = bytes_of(from->hostname, sizeof from->hostname);
        name = bytes_first(name, bytes_find(name, '\0'));
        if (name.len > 0 && !dhcp_host_label(name, statics[i].hostname))
            return false;
    }
    return true;
}

static bool check(const struct addresses_options *options, struct dhcp_static *statics,
                  struct dhcp_server_options *out, char error[ADDRESSES_ERROR_MAX])
{
    struct text t = text_of(error, ADDRESSES_ERROR_MAX);
    char why[DHCP_SERVER_ERROR_MAX] = "";
    if (statics == NULL)
        text_add(&t, "no memory for the list of static addresses");
    else if (!server_options(options, statics, out))
        text_add(&t, "too many name servers, or a static address's name is no host name");
    else if (!dhcp_server_check(out, why))
        text_add(&t, why);
    return t.len == 0;
}

/* NULL: no memory, or more statics than there may be. */
static struct dhcp_static *statics_new(const struct addresses_options *options)
{
    if (options->static_count > ADDRESSES_STATIC_MAX)
        return NULL;
    return calloc(options->static_count + 1, sizeof(struct dhcp_static));
}

bool addresses_check(const struct addresses_options *options, char error[ADDRESSES_ERROR_MAX])
{
    struct dhcp_static *statics = statics_new(options);
    struct dhcp_server_options checked;
    bool sound = check(options, statics, &checked, error);
    free(statics);
    return sound;
}

static int start_server(struct addresses *a, const struct addresses_options *options)
{
    char error[ADDRESSES_ERROR_MAX];
    struct dhcp_server_options server;
    struct dhcp_static *statics = statics_new(options);
    if (!check(options, statics, &server, error)) {
        free(statics);
        return -EINVAL;
    }
    server.heap = loop_heap(a->loop);
    prng_fill(loop_prng(a->loop), server.seed, sizeof server.seed);
    a->server = dhcp_server_new(&server, loop_now(a->loop));
    free(statics);
    return a->server != NULL ? 0 : -ENOMEM;
}

static int load_leases(struct addresses *a)
{
    if (a->options.store == NULL)
        return 0;
    int status = lease_store_new(a->options.store, &a->options.network, &a->leases);
    if (status == 0)
        status = lease_store_load(a->leases, restore, a);
    return status;
}

static int open_socket(struct addresses *a)
{
    static const struct dgram_handler handler = {.on_message = on_message};
    struct dgram_options options = {
        .local = {address_any_v4(), DHCP_SERVER_PORT},
        .broadcast = true,
        .interface = a->options.interface,
    };
    return net_bind(a->net, &options, &handler, a, &a->dgram);
}

static void tell_restored(struct addresses *a)
{
    struct dhcp_server_lease lease;
    size_t place = 0;
    while (dhcp_server_each(a->server, &place, &lease))
        tell(a, &lease, true);
}

int addresses_new(struct net *net, const struct addresses_options *options, struct addresses **out)
{
    struct addresses *a = calloc(1, sizeof *a);
    if (a == NULL)
        return -ENOMEM;
    a->options = *options;
    a->options.broadcast_replies |= options->interface != NULL;
    a->net = net;
    a->loop = net_loop(net);
    alarm_init(&a->alarm, on_due);
    task_init(&a->task, run_task);
    int status = start_server(a, options);
    if (status == 0)
        status = load_leases(a);
    if (status == 0)
        status = open_socket(a);
    if (status < 0) {
        addresses_free(a);
        return status;
    }
    a->options.statics = NULL; /* not ours to look at any more */
    a->options.domain = NULL;
    a->options.interface = NULL;
    tell_restored(a);
    loop_set_alarm(a->loop, &a->alarm, dhcp_server_deadline(a->server));
    *out = a;
    return 0;
}

void addresses_free(struct addresses *a)
{
    if (a == NULL)
        return;
    if (a->dgram != NULL) {
        run_task(&a->task); /* what was promised in this turn is kept */
        dgram_close(a->dgram);
    }
    loop_unqueue(&a->task);
    loop_clear_alarm(a->loop, &a->alarm);
    lease_store_free(a->leases);
    dhcp_server_free(a->server);
    free(a);
}

bool addresses_each(const struct addresses *a, size_t *place, struct lease *out)
{
    struct dhcp_server_lease lease;
    if (!dhcp_server_each(a->server, place, &lease))
        return false;
    lease_of(a, &lease, out);
    return true;
}

void addresses_counters(const struct addresses *a, struct addresses_counters *out)
{
    struct dhcp_server_counters c;
    dhcp_server_counters(a->server, &c);
    *out = (struct addresses_counters){
        .discovers = c.discovers,
        .offers = c.offers,
        .requests = c.requests,
        .acks = c.acks,
        .naks = c.naks,
        .declines = c.declines,
        .releases = c.releases,
        .informs = c.informs,
        .malformed = c.malformed,
        .pool_exhausted = c.exhausted,
        .ignored = c.ignored,
        .busy = c.busy,
        .not_stored = a->not_stored,
        .not_sent = a->not_sent,
        .leases = c.leases,
    };
}

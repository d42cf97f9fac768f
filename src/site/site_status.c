/* SPDX-License-Identifier: ISC */
/*
 * site_status.c - a running site as JSON, in the shape of docs/status.md: for the status command,
 * the control socket and the page about the network.
 */
#include <jansson.h>
#include <unistd.h>

#include "app/mdns/mdns_link.h"
#include "site/site_internal.h"
#include "site/site_workers.h"
#include "stack/tcp/tcp.h"

enum { CONNECTIONS_SHOWN = 64 };

/* jansson's numbers are signed; a count that large is not to be seen. */
static void set_count(json_t *object, const char *name, uint64_t count)
{
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static void set_seconds(json_t *object, const char *name, usec duration)
{
    json_object_set_new(object, name, json_real((double)duration / USEC_PER_SEC));
}

static json_t *address_json(const struct ip_address *address)
{
    char text[ADDRESS_TEXT_MAX];
    return json_string(address_format(address, text));
}

static json_t *endpoint_json(const struct endpoint *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];
    return json_string(endpoint_format(endpoint, text));
}

static json_t *mac_json(const struct mac *mac)
{
    char text[MAC_TEXT_MAX];
    return json_string(mac_format(mac, text));
}

static json_t *published_json(const struct site_config *config)
{
    json_t *list = json_array();
    for (size_t i = 0; i < config->gateway.published_count; i++) {
        const struct site_published *published = &config->gateway.published[i];
        json_t *one = json_object();
        json_object_set_new(one, "outside", endpoint_json(&published->outside));
        set_count(one, "inside_port", published->inside_port);
        json_object_set_new(one, "protocol", json_string(published->udp ? "udp" : "tcp"));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *site_json(const struct site *site)
{
    const struct site_config *config = site->config;
    const struct ip_prefix network = site_config_network(config);
    char text[PREFIX_TEXT_MAX];
    json_t *out = json_object();
    json_object_set_new(out, "file",
                        config->file[0] != '\0' ? json_string(config->file) : json_null());
    json_object_set_new(out, "domain", json_string(config->domain));
    json_object_set_new(out, "network", json_string(prefix_format(&network, text)));
    json_object_set_new(out, "gateway", address_json(&config->link.address.address));
    bool internet = config->gateway.present && config->gateway.internet;
    json_object_set_new(out, "internet", json_string(internet ? "host" : "none"));
    bool loopback = config->gateway.present && config->gateway.host_loopback;
    json_object_set_new(out, "host_loopback",
                        loopback ? address_json(&config->gateway.host_address) : json_null());
    json_t *resolvers = json_array();
    for (size_t i = 0; i < site->resolver_count; i++)
        json_array_append_new(resolvers, endpoint_json(&site->resolvers[i]));
    json_object_set_new(out, "resolvers", resolvers);
    json_object_set_new(out, "published", published_json(config));
    if (site->capture != NULL)
        json_object_set_new(out, "capture", json_string(site->capture_path));
    return out;
}

static json_t *impairments_json(const struct site_link *link)
{
    const struct wire_impairments *i = &link->impairments;
    if (wire_is_ideal(i))
        return json_null();
    const struct {
        const char *name;
        uint32_t chance;
    } chances[] = {{"loss", i->loss},
                   {"duplicate", i->duplicate},
                   {"reorder", i->reorder},
                   {"corrupt", i->corrupt}};
    json_t *out = json_object();
    set_seconds(out, "delay", i->delay);
    set_seconds(out, "jitter", i->jitter);
    for (size_t k = 0; k < ARRAY_LEN(chances); k++)
        json_object_set_new(out, chances[k].name, json_real(chances[k].chance / 1e6));
    set_count(out, "rate", i->rate);
    set_count(out, "queue", i->queue != 0 ? i->queue : WIRE_QUEUE_DEFAULT);
    if (i->mark != 0)
        set_count(out, "mark", i->mark);
    set_count(out, "seed", link->seed);
    return out;
}

static json_t *traffic_json(uint64_t frames, uint64_t octets, uint64_t discards, uint64_t errors)
{
    json_t *out = json_object();
    set_count(out, "frames", frames);
    set_count(out, "octets", octets);
    set_count(out, "discards", discards);
    set_count(out, "errors", errors);
    return out;
}

static json_t *links_json(const struct site *site)
{
    json_t *list = json_array();
    const struct site_link *link = &site->config->link;
    char text[PREFIX_TEXT_MAX];
    json_t *out = json_object();
    bool host = site->node == NULL;
    json_object_set_new(out, "name", json_string(host ? "host" : site->device));
    json_object_set_new(out, "kind", json_string(host ? "host" : "tap"));
    json_object_set_new(out, "address", json_string(prefix_format(&link->address, text)));
    if (!host) {
        const struct mac mac = site_config_mac(site->config);
        const struct interface_counters *c =
            stack_interface_counters(node_stack(site->node), site->interface);
        struct tap_port_counters port = {0};
        if (site->port != NULL)
            tap_port_counters(site->port, &port);
        json_object_set_new(out, "mac", mac_json(&mac));
        set_count(out, "mtu", link->mtu);
        json_object_set_new(out, "in", traffic_json(port.frames_in, port.octets_in,
                                                    c->ifInDiscards,
                                                    c->ifInErrors + port.malformed));
        json_object_set_new(out, "out", traffic_json(port.frames_out, port.octets_out,
                                                     c->ifOutDiscards,
                                                     c->ifOutErrors + port.write_failed));
        json_object_set_new(out, "impairments", impairments_json(link));
    }
    json_array_append_new(list, out);
    return list;
}

static json_t *leases_json(const struct site *site)
{
    json_t *list = json_array();
    size_t place = 0;
    struct lease lease;
    while (site->addresses != NULL && addresses_each(site->addresses, &place, &lease)) {
        if (lease.offered)
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "address", address_json(&lease.address));
        json_object_set_new(one, "mac", mac_json(&lease.mac));
        json_object_set_new(one, "hostname", json_string(lease.hostname));
        const char *name = lease_names_find(site->lease_names, &lease.address);
        json_object_set_new(one, "name",
                            name != NULL ? json_sprintf("%s.%s", name, site->config->domain)
                                         : json_null());
        json_object_set_new(one, "expires",
                            lease.expires == INT64_MAX ? json_null() : json_integer(lease.expires));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *neighbours_json(const struct site *site)
{
    json_t *list = json_array();
    size_t place = 0;
    struct neighbour_info info;
    while (site->node != NULL &&
           stack_each_neighbour(node_stack(site->node), &place, &info)) {
        json_t *one = json_object();
        json_object_set_new(one, "address", address_json(&info.address));
        json_object_set_new(one, "mac", mac_json(&info.mac));
        json_array_append_new(list, one);
    }
    return list;
}

static void set_connections(const struct site *site, json_t *out)
{
    json_t *list = json_array();
    size_t place = 0, total = 0;
    const struct tcp_connection *c;
    while (site->node != NULL && (c = tcp_each(node_stack(site->node), &place)) != NULL) {
        if (total++ >= CONNECTIONS_SHOWN)
            continue;
        struct tcp_info info;
        tcp_info(c, &info);
        json_t *one = json_object();
        json_object_set_new(one, "local", endpoint_json(tcp_local(c)));
        json_object_set_new(one, "remote", endpoint_json(tcp_remote(c)));
        json_object_set_new(one, "state", json_string(tcp_state_text(info.state)));
        set_count(one, "octets_in", info.octets_received);
        set_count(one, "octets_out", info.octets_acknowledged);
        set_seconds(one, "rtt", info.srtt);
        set_count(one, "retransmits", info.retransmits);
        json_array_append_new(list, one);
    }
    place = 0;
    struct tcp_entry_info entry;
    while (site->node != NULL && tcp_each_entry(node_stack(site->node), &place, &entry)) {
        if (total++ >= CONNECTIONS_SHOWN)
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "local", endpoint_json(&entry.local));
        json_object_set_new(one, "remote", endpoint_json(&entry.remote));
        json_object_set_new(one, "state", json_string(tcp_state_text(entry.state)));
        json_array_append_new(list, one);
    }
    json_object_set_new(out, "connections", list);
    set_count(out, "connections_total", total);
}

static json_t *addresses_json(const struct site *site)
{
    struct addresses_counters c;
    addresses_counters(site->addresses, &c);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "discovers",
                     (json_int_t)c.discovers, "offers", (json_int_t)c.offers, "requests",
                     (json_int_t)c.requests, "acks", (json_int_t)c.acks, "naks",
                     (json_int_t)c.naks, "declines", (json_int_t)c.declines, "releases",
                     (json_int_t)c.releases, "informs", (json_int_t)c.informs, "malformed",
                     (json_int_t)c.malformed, "pool_exhausted", (json_int_t)c.pool_exhausted,
                     "leases", (json_int_t)c.leases);
}

/* Seconds since 1970, or null. */
static json_t *moment(int64_t at)
{
    return at == INT64_MAX ? json_null() : json_integer((json_int_t)at);
}

static json_t *signing_json(const struct site *site)
{
    const struct site_signing *signing = site_zones_signing(site->zones);
    struct site_signing_state state;
    json_t *out = json_array();
    for (size_t i = 0; site_signing_state(signing, i, &state); i++) {
        char name[DNS_NAME_TEXT_MAX];
        json_array_append_new(
            out, json_pack("{s:s,s:I,s:o,s:o,s:b,s:b,s:I}", "zone", dns_name_format(state.zone, name),
                           "keys", (json_int_t)state.key_count, "renew_at", moment(state.due_at),
                           "next_key_event_at", moment(state.key_at), "waits_for_ds",
                           (int)state.waits_for_ds, "renewing", (int)state.in_pass, "signatures",
                           (json_int_t)state.signatures));
    }
    return out;
}

static json_t *names_json(const struct site *site)
{
    struct names_counters c;
    names_counters(site->names, &c);
    json_t *out = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "queries_udp",
                     (json_int_t)c.queries_udp, "queries_tcp", (json_int_t)c.queries_tcp, "queries_tls",
                     (json_int_t)c.queries_tls, "queries_https", (json_int_t)c.queries_https,
                     "answered", (json_int_t)c.answered, "nxdomain", (json_int_t)c.nxdomain,
                     "refused", (json_int_t)c.refused, "forwarded", (json_int_t)c.forwarded,
                     "forward_failed", (json_int_t)c.forward_failed, "malformed",
                     (json_int_t)c.malformed, "forwarding", (json_int_t)c.forwarding, "asked_outside",
                     (json_int_t)c.asked_outside, "cache_hits", (json_int_t)c.cache_hits,
                     "cache_entries", (json_int_t)c.cache_entries, "cache_octets",
                     (json_int_t)c.cache_octets, "rate_dropped", (json_int_t)c.rate_dropped,
                     "rate_slipped", (json_int_t)c.rate_slipped, "transfers",
                     (json_int_t)c.transfers, "updates", (json_int_t)c.updates, "updates_refused",
                     (json_int_t)c.updates_refused);
    set_count(out, "signatures_refused", c.signatures_refused);
    set_count(out, "passed_dropped", c.passed_dropped);
    set_count(out, "notifies_in", c.notifies_in);
    set_count(out, "notifies_out", c.notifies_out);
    set_count(out, "notifies_unanswered", c.notifies_unanswered);
    set_count(out, "transfers_in", c.transfers_in);
    set_count(out, "transfers_in_failed", c.transfers_in_failed);
    set_count(out, "zones_confirmed", c.zones_confirmed);
    set_count(out, "zones_expired", c.zones_expired);
    set_count(out, "updates_forwarded", c.updates_forwarded);
    set_count(out, "updates_forward_failed", c.updates_forward_failed);
    set_count(out, "secondaries", c.secondaries);
    set_count(out, "secondaries_served", c.secondaries_served);
    return out;
}

static json_t *mdns_json(const struct site *site)
{
    json_t *out = json_array();
    struct mdns_link *link;
    for (size_t i = 0; (link = site_mdns_link(site, i)) != NULL; i++) {
        const struct mdns *m = mdns_link_machine(link);
        struct mdns_counters c;
        json_t *names = json_array();
        mdns_counters(m, &c);
        for (int name = -1; mdns_each_name(m, &name);) {
            char text[DNS_NAME_TEXT_MAX];
            json_array_append_new(
                names, json_pack("{s:s,s:s}", "name", dns_name_format(mdns_name(m, name), text),
                                 "state", mdns_name_state_text(mdns_name_state(m, name))));
        }
        json_t *entry = json_pack("{s:s,s:o}", "link", mdns_link_interface(link), "names", names);
        set_count(entry, "queries_in", c.queries_in);
        set_count(entry, "responses_in", c.responses_in);
        set_count(entry, "ignored", c.ignored);
        set_count(entry, "queries_out", c.queries_out + c.probes_out);
        set_count(entry, "responses_out", c.responses_out);
        set_count(entry, "conflicts", c.conflicts);
        set_count(entry, "suppressed", c.suppressed);
        set_count(entry, "unanswered", c.overfull);
        set_count(entry, "records", c.cached);
        json_array_append_new(out, entry);
    }
    return out;
}

static json_t *web_json(const struct site *site)
{
    static const char *const names[] = {NULL,            "responses_1xx", "responses_2xx",
                                        "responses_3xx", "responses_4xx", "responses_5xx"};
    struct web_counters c;
    site_workers_web_counters(site, &c);
    json_t *out = json_object();
    set_count(out, "connections", c.connections);
    set_count(out, "open", c.open);
    set_count(out, "requests", c.requests);
    for (size_t i = 1; i < ARRAY_LEN(names); i++)
        set_count(out, names[i], c.responses[i]);
    set_count(out, "octets_sent", c.octets_sent);
    return out;
}

static json_t *servers_json(const struct proxy *proxy)
{
    json_t *out = json_array();
    const struct upstream_server *server;
    for (size_t i = 0; (server = proxy_server(proxy, i)) != NULL; i++) {
        char name[UPSTREAM_NAME_MAX + 16];
        json_t *one = json_object();
        snprintf(name, sizeof name, "%s%s:%u", server->place.tls ? "https://" : "",
                 server->place.host, (unsigned)server->place.port);
        json_object_set_new(one, "server", json_string(name));
        json_object_set_new(one, "up", json_boolean(upstream_is_up(server)));
        set_count(one, "requests", server->requests);
        set_count(one, "connections", server->connections);
        set_count(one, "failures", server->failures);
        set_count(one, "checks", server->checks);
        set_count(one, "checks_failed", server->checks_failed);
        json_array_append_new(out, one);
    }
    return out;
}

static json_t *proxy_json(const struct proxy *proxy)
{
    static const char *const names[] = {NULL,            "responses_1xx", "responses_2xx",
                                        "responses_3xx", "responses_4xx", "responses_5xx"};
    struct proxy_counters c;
    proxy_counters(proxy, &c);
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"connections", c.connections},     {"open", c.open},
        {"requests", c.requests},           {"tunnels", c.tunnels},
        {"refused", c.refused},             {"denied", c.denied},
        {"hits", c.hits},                   {"stale_hits", c.stale_hits},
        {"misses", c.misses},               {"validations", c.validations},
        {"collapsed", c.collapsed},         {"stored", c.stored},
        {"evicted", c.evicted},             {"invalidated", c.invalidated},
        {"purged", c.purged},               {"cache_entries", c.cache_entries},
        {"cache_octets", c.cache_octets},   {"origin_requests", c.origin_requests},
        {"origin_connections", c.origin_connections},
        {"origin_failures", c.origin_failures},
        {"origins_idle", c.origins_idle},   {"retries", c.retries},
        {"octets_in", c.octets_in},         {"octets_out", c.octets_out},
        {"disk_entries", c.disk_entries},   {"disk_octets", c.disk_octets},
        {"disk_hits", c.disk_hits},         {"disk_written", c.disk_written},
        {"disk_failed", c.disk_failed},     {"disk_evicted", c.disk_evicted},
        {"disk_loaded", c.disk_loaded},     {"disk_loading", c.disk_loading},
    };
    json_t *out = json_object();
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        set_count(out, counts[i].name, counts[i].count);
    for (size_t i = 1; i < ARRAY_LEN(names); i++)
        set_count(out, names[i], c.responses[i]);
    if (proxy_server(proxy, 0) != NULL)
        json_object_set_new(out, "servers", servers_json(proxy));
    return out;
}

/* Of a site with several blocks, each by its name. */
static json_t *proxies_json(const struct site *site)
{
    json_t *out = json_object();
    for (size_t i = 0; i < SITE_PROXIES_MAX && site->proxies[i].proxy != NULL; i++)
        json_object_set_new(out, site->proxies[i].config->name,
                            proxy_json(site->proxies[i].proxy));
    return out;
}

static json_t *gateway_json(const struct site *site)
{
    struct relay_counters c;
    relay_counters(gateway_relay(site->gateway), &c);
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"tcp_flows", c.tcp_flows},     {"udp_flows", c.udp_flows},
        {"echo_flows", c.echo_flows},   {"tcp_opened", c.tcp_opened},
        {"tcp_refused", c.tcp_refused}, {"tcp_failed", c.tcp_failed},
        {"tcp_limited", c.tcp_limited}, {"tcp_taken", c.tcp_taken},
        {"udp_opened", c.udp_opened},
        {"udp_evicted", c.udp_evicted}, {"udp_dropped", c.udp_dropped},
        {"udp_joined_out", c.udp_joined_out}, {"udp_joined_in", c.udp_joined_in},
        {"echo_opened", c.echo_opened}, {"echo_failed", c.echo_failed},
        {"octets_out", c.octets_out},   {"octets_in", c.octets_in},
    };
    json_t *out = json_object();
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        set_count(out, counts[i].name, counts[i].count);
    return out;
}

static json_t *services_json(const struct site *site)
{
    json_t *out = json_object();
    if (site->addresses != NULL)
        json_object_set_new(out, "addresses", addresses_json(site));
    if (site->names != NULL)
        json_object_set_new(out, "names", names_json(site));
    if (site->names != NULL && site->zones != NULL)
        json_object_set_new(out, "signing", signing_json(site));
    if (site->mdns != NULL)
        json_object_set_new(out, "mdns", mdns_json(site));
    if (site->web != NULL)
        json_object_set_new(out, "web", web_json(site));
    if (site->proxies[0].proxy != NULL)
        json_object_set_new(out, "proxy", proxy_json(site->proxies[0].proxy));
    if (site->proxies[1].proxy != NULL)
        json_object_set_new(out, "proxies", proxies_json(site));
    if (site->gateway != NULL)
        json_object_set_new(out, "gateway", gateway_json(site));
    return out;
}

static json_t *counters_json(const struct site *site)
{
    json_t *out = json_object();
    struct counter counter;
    size_t place = 0;
    while (site->node != NULL &&
           stack_each_counter(stack_counters(node_stack(site->node)), &place, &counter))
        set_count(out, counter.name, counter.value);
    return out;
}

static json_t *drops_json(const struct site *site)
{
    json_t *list = json_array();
    for (unsigned i = DROP_NONE + 1; site->node != NULL && i < DROP_REASON_COUNT; i++) {
        uint64_t count = stack_drops(node_stack(site->node), (enum drop_reason)i);
        if (count == 0)
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "reason", json_string(drop_reason_text((enum drop_reason)i)));
        set_count(one, "count", count);
        json_array_append_new(list, one);
    }
    return list;
}

size_t site_status(void *self, char *out, size_t size)
{
    const struct site *site = self;
    const char *name = site->config->control;
    json_t *root = json_object();
    json_object_set_new(root, "program", json_string("wholenet"));
    json_object_set_new(root, "version", json_string(WHOLENET_VERSION));
    set_count(root, "pid", (uint64_t)getpid());
    json_object_set_new(root, "name", name[0] != '\0' ? json_string(name)
                                                      : json_sprintf("%d", (int)getpid()));
    set_count(root, "workers", site_workers_wanted(site->config));
    set_seconds(root, "uptime", loop_now(site->loop) - site->started_at);
    json_object_set_new(root, "site", site_json(site));
    json_object_set_new(root, "links", links_json(site));
    json_object_set_new(root, "leases", leases_json(site));
    json_object_set_new(root, "neighbours", neighbours_json(site));
    set_connections(site, root);
    json_object_set_new(root, "services", services_json(site));
    json_object_set_new(root, "counters", counters_json(site));
    json_object_set_new(root, "drops", drops_json(site));
    size_t len = json_dumpb(root, out, size, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    return len <= size ? len : 0;
}

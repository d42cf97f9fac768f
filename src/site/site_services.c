/* SPDX-License-Identifier: ISC */
/*
 * site_services.c - the parts of a running site: control socket, gateway, names, addresses, web, proxy.
 * Each starts from the site's configuration alone, so that a reload can exchange one and leave the
 * others as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/names/names_resolver.h"
#include "os/digest.h"
#include "os/hmac.h"
#include "proto/dhcp/dhcid.h"
#include "os/memory.h"
#include "site/control.h"
#include "os/file.h"
#include "site/resolvers.h"
#include "site/site_anchors.h"
#include "site/site_names.h"
#include "site/site_internal.h"
#include "site/site_proxy.h"
#include "site/site_names.h"
#include "site/site_tls.h"
#include "store/store.h"

/* Is the member the same in both? Structures come zeroed, so padding does not count. */
#define SAME(member) (memcmp(&a->member, &b->member, sizeof a->member) == 0)

static int failed(struct text *error, int result, const char *what, const struct endpoint *where)
{
    char text[ENDPOINT_TEXT_MAX];
    text_add(error, what);
    if (where != NULL)
        text_add_format(error, " on %s", endpoint_format(where, text));
    text_add_format(error, ": %s", strerror(-result));
    if (result == -EACCES)
        text_add(error, "; ports below 1024 are for root (sysctl "
                        "net.ipv4.ip_unprivileged_port_start)");
    return result;
}

/* ---- gateway ---- */

static bool gateway_same(const struct site_config *a, const struct site_config *b)
{
    return SAME(gateway) && SAME(addresses.pool_first);
}

static void lead_to(struct site *site, const struct ip_address *guest)
{
    site->guest = *guest;
    if (site->gateway != NULL)
        relay_set_guest(gateway_relay(site->gateway), guest);
}

static int publish(struct site *site, struct text *error)
{
    const struct site_gateway *config = &site->config->gateway;
    for (size_t i = 0; i < config->published_count; i++) {
        const struct site_published *published = &config->published[i];
        struct endpoint outside = published->outside;
        const struct endpoint inside = {address_any_v4(), published->inside_port};
        int result = relay_publish(gateway_relay(site->gateway), &outside, &inside, published->udp);
        if (result < 0)
            return failed(error, result, "cannot publish a port", &published->outside);
    }
    return 0;
}

static void gateway_stop(struct site *site)
{
    gateway_free(site->gateway);
    site->gateway = NULL;
}

static int gateway_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    if (!config->gateway.present)
        return 0;
    const struct gateway_options options = {
        .node = site->node,
        .interface = site->interface,
        .network = site_config_network(config),
        .gateway = config->link.address.address,
        .host_address = config->gateway.host_address,
        .internet = config->gateway.internet,
        .host_loopback = config->gateway.host_loopback,
    };
    int result = gateway_new(&options, &site->gateway);
    if (result < 0)
        return failed(error, result, "cannot start the gateway", NULL);
    if (!stack_add_proxy(node_stack(site->node), site->interface, &config->gateway.host_address))
        return failed(error, -ENOSPC, "cannot stand in for the host's loopback", NULL);
    lead_to(site, address_is_any(&site->guest) ? &config->addresses.pool_first : &site->guest);
    return publish(site, error);
}

/* ---- names ---- */

static bool names_same(const struct site_config *a, const struct site_config *b)
{
    return SAME(names) && SAME(names_tls) && SAME(recursion) && SAME(domain) && SAME(web.present) && SAME(web.name) &&
           SAME(gateway.present) && SAME(gateway.host_loopback) && SAME(gateway.host_address) &&
           SAME(addresses) && SAME(views);
}

static int add_name(void *self, const char *name, const struct ip_address *address,
                    struct bytes dhcid)
{
    struct site *site = self;
    return site->names != NULL ? names_add_address(site->names, name, address, dhcid) : 0;
}

static void remove_name(void *self, const char *name)
{
    struct site *site = self;
    if (site->names != NULL)
        names_remove(site->names, name);
}

static void names_stop(struct site *site)
{
    lease_names_free(site->lease_names);
    site->lease_names = NULL;
    site_zones_free(site->zones);
    site->zones = NULL;
    site_secondaries_free(site->secondaries);
    site->secondaries = NULL;
    site_anchors_free(site->anchors);
    site->anchors = NULL;
    names_free(site->names);
    site->names = NULL;
    site_policies_done(&site->policies);
    store_close(site->journal);
    site->journal = NULL;
    tls_server_free(site->names_tls);
    site->names_tls = NULL;
    tls_client_free(site->primaries_tls);
    site->primaries_tls = NULL;
    tls_client_free(site->primaries_tls_anybody);
    site->primaries_tls_anybody = NULL;
    tls_client_free(site->forwarders_tls);
    site->forwarders_tls = NULL;
    tls_client_free(site->forwarders_tls_anybody);
    site->forwarders_tls_anybody = NULL;
    digest_free(site->digest);
    site->digest = NULL;
    hmac_free(site->hmac);
    site->hmac = NULL;
}

static int add_site_names(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    const struct ip_address *ours = &config->link.address.address;
    const struct {
        const char *name;
        const struct ip_address *address;
        bool wanted;
    } own[] = {
        {"gateway", ours, true},
        {"ns", ours, true},
        {config->web.name, ours, config->web.present},
        {"host", &config->gateway.host_address,
         config->gateway.present && config->gateway.host_loopback},
    };
    int result = 0;
    for (size_t i = 0; i < ARRAY_LEN(own) && (result == 0 || result == -EEXIST); i++)
        if (own[i].wanted)
            result = lease_names_reserve(site->lease_names, own[i].name, own[i].address);
    for (size_t i = 0; i < config->addresses.host_count && (result == 0 || result == -EEXIST); i++)
        result = lease_names_reserve(site->lease_names, config->addresses.hosts[i].name,
                                     &config->addresses.hosts[i].address);
    if (result < 0 && result != -EEXIST)
        return failed(error, result, "cannot add the site's names", NULL);
    for (size_t i = 0; i < config->names.record_count && site->names != NULL; i++) {
        char complaint[256] = "";
        if (names_add_record(site->names, config->names.records[i], complaint,
                             sizeof complaint) < 0) {
            text_add_format(error, "record \"%s\": %s", config->names.records[i], complaint);
            return -EINVAL;
        }
    }
    return 0;
}

_Static_assert((int)SITE_RULES_MAX == NAMES_RULES_MAX && (int)SITE_KEYS_MAX == TSIG_KEYS_MAX,
               "both sides have room for as much");

static void make_access(const struct site_rule *rules, size_t count, struct names_access *out)
{
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        struct names_rule *rule = &out->rules[i];
        *rule = (struct names_rule){.any_network = rules[i].any_network,
                                    .network = rules[i].network,
                                    .any_key = rules[i].key[0] == '\0'};
        bool good = rule->any_key || dns_name_parse(bytes_of_text(rules[i].key), NULL, &rule->key);
        ASSERT(good); /* it was when it was read */
    }
}

_Static_assert((int)SITE_UPDATES_MAX == NAMES_UPDATES_MAX &&
                   (int)SITE_TYPES_MAX == NAMES_UPDATE_TYPES_MAX,
               "both sides have room for as much");

static void make_updates(const struct site_authority *authority, struct names_update_rule *out)
{
    static const enum names_update_scope scopes[] = {
        [SITE_SCOPE_ANY] = NAMES_UPDATE_ANY,
        [SITE_SCOPE_NAME] = NAMES_UPDATE_NAME,
        [SITE_SCOPE_BELOW] = NAMES_UPDATE_BELOW,
        [SITE_SCOPE_SELF] = NAMES_UPDATE_SELF,
        [SITE_SCOPE_BELOW_SELF] = NAMES_UPDATE_BELOW_SELF,
    };
    for (size_t i = 0; i < authority->update_count; i++) {
        const struct site_update *update = &authority->updates[i];
        struct names_access who;
        make_access(&update->who, 1, &who);
        out[i] = (struct names_update_rule){.who = who.rules[0],
                                            .scope = scopes[update->scope],
                                            .type_count = update->type_count};
        memcpy(out[i].types, update->types, sizeof out[i].types);
        bool good = dns_name_parse(bytes_of_text(update->name[0] != '\0' ? update->name : "."), NULL,
                                   &out[i].name);
        ASSERT(good); /* it was when it was read */
    }
}

static void make_notified(const struct site_peers *peers, struct names_notified *out)
{
    out->count = peers->count;
    for (size_t i = 0; i < peers->count; i++)
        site_peer_make(&peers->peers[i], &out->peers[i]);
}

static int set_manner(struct site *site)
{
    static const enum names_cookies cookies[] = {
        [SITE_COOKIES_ON] = NAMES_COOKIES_ON,
        [SITE_COOKIES_OFF] = NAMES_COOKIES_OFF,
        [SITE_COOKIES_REQUIRED] = NAMES_COOKIES_REQUIRED,
    };
    const struct site_authority *authority = &site->config->authority;
    struct names_manner manner = {
        .minimal = authority->minimal,
        .cookies = cookies[authority->cookies],
        .udp_size = (uint16_t)authority->udp_size,
        .identity = authority->identity[0] != '\0' ? authority->identity : NULL,
        .version = authority->version[0] != '\0' ? authority->version : NULL,
        .rate_limit = authority->rate_limit,
        .rate_slip = (uint8_t)authority->rate_slip,
        .rate_prefix_v4 = (uint8_t)authority->rate_prefix_v4,
        .rate_prefix_v6 = (uint8_t)authority->rate_prefix_v6,
    };
    manner.keys = site->config->keys.keys;
    manner.key_count = site->config->keys.count;
    manner.peers_tls = site->primaries_tls;
    manner.peers_tls_anybody = site->primaries_tls_anybody;
    make_notified(&authority->notified, &manner.notified);
    make_access(authority->secondaries, authority->secondary_count, &manner.secondaries);
    struct names_update_rule updates[SITE_UPDATES_MAX];
    make_updates(authority, updates);
    manner.updates = updates;
    manner.update_count = authority->update_count;
    return names_set_manner(site->names, &manner);
}

static int start_zones(struct site *site, struct text *error)
{
    int result = site_tls_primaries(site, error);
    if (result == 0)
        result = set_manner(site);
    if (result == 0)
        result = site_zones_new(site->outside, site->log, site->names, site->config, &site->zones,
                                error);
    if (result == 0)
        result = site_secondaries_new(site->loop, site->log, site->names, site->config,
                                      &site->secondaries);
    if (result == -ENOMEM)
        return failed(error, result, "cannot load zones", NULL);
    return result;
}

static uint32_t seconds(usec duration)
{
    return (uint32_t)(duration / USEC_PER_SEC);
}

/* Reads a file of the option's name by one of the readers of names_resolver.h. */
static int read_records(const char *option, const char *path,
                        bool (*take)(struct bytes, struct names_recursion *, struct text *),
                        struct names_recursion *out, struct text *error)
{
    enum { RECORDS_FILE_MAX = 1024 * 1024 };
    char *content, complaint[256] = "";
    size_t len;
    struct text reason = text_of(complaint, sizeof complaint);
    int result = file_read(path, RECORDS_FILE_MAX, &content, &len);
    if (result < 0) {
        text_add_format(error, "%s: cannot read %s: %s", option, path, strerror(-result));
        return result;
    }
    bool good = take(bytes_of(content, len), out, &reason);
    free(content);
    if (!good)
        text_add_format(error, "%s: %s: %s", option, path, complaint);
    return good ? 0 : -EINVAL;
}

/* *out is the caller's to free. */
static int make_recursion(const struct site_recursion *r, const struct validate_crypto *crypto,
                          struct names_recursion **out, struct text *error)
{
    struct names_recursion *to = calloc(1, sizeof *to);
    *out = to;
    if (to == NULL)
        return failed(error, -ENOMEM, "cannot resolve names", NULL);
    names_recursion_init(to);
    to->crypto = crypto;
    to->date = r->date;
    to->v4 = r->v4;
    to->v6 = r->v6;
    to->minimise = r->minimise;
    to->aggressive = r->aggressive;
    to->dns64 = r->dns64;
    to->port = (uint16_t)r->port;
    to->cache_octets = (size_t)r->cache_octets;
    to->ttl_min = seconds(r->ttl_min);
    to->ttl_max = seconds(r->ttl_max);
    to->negative_ttl_max = seconds(r->negative_ttl_max);
    to->stale_max = seconds(r->stale_max);
    to->allowed_count = r->client_count;
    memcpy(to->allowed, r->clients, sizeof to->allowed);
    for (size_t i = 0; i < r->forward_count; i++) {
        struct dns_name domain;
        bool good = dns_name_parse(bytes_of_text(r->forwards[i].domain), NULL, &domain) &&
                    names_recursion_forward(to, &domain, r->forwards[i].servers,
                                            r->forwards[i].count);
        ASSERT(good); /* it was when it was read */
    }
    for (size_t i = 0; i < r->insecure_count; i++) {
        bool good = dns_name_parse(bytes_of_text(r->insecure[i]), NULL, &to->insecure[i]);
        ASSERT(good);
        to->insecure_count++;
    }
    int result = r->roots[0] != '\0'
                     ? read_records("roots", r->roots, names_recursion_hints, to, error)
                     : 0;
    if (result == 0 && strcmp(r->anchors, "root") == 0)
        result = names_recursion_anchors(bytes_of_text(names_root_anchors), to, error) ? 0 : -EINVAL;
    else if (result == 0 && r->anchors[0] != '\0')
        result = read_records("anchors", r->anchors, names_recursion_anchors, to, error);
    return result;
}
_Static_assert((int)SITE_ALLOWED_MAX == NAMES_ALLOWED_MAX &&
                   (int)SITE_SECURE_MAX == NAMES_SECURE_MAX &&
                   (int)SITE_FORWARDS_MAX < RESOLVER_FORWARDS_MAX &&
                   (int)SITE_FORWARDERS_MAX == DNS_SERVERS_MAX,
               "both sides have room for as much");

/* To whom all other names are forwarded: those in the site file, and the host's when asked for. */
static void find_resolvers(struct site *site)
{
    const struct site_names *names = &site->config->names;
    site->resolver_count = 0;
    for (size_t i = 0; i < names->forwarder_count; i++)
        site->resolvers[site->resolver_count++] = names->forwarders[i];
    if (names->forward_host)
        site->resolver_count += resolvers_of_host(site->resolvers + site->resolver_count,
                                                  SITE_FORWARDERS_MAX - site->resolver_count);
    if (names->forward_host && site->resolver_count == 0)
        log_warning(site->log, "the host has no resolvers in /etc/resolv.conf: only the site's own "
                               "names will be found");
}

/* What was learned of trust anchors takes the place of those that are configured. */
static int open_anchors(struct site *site, const struct site_recursion *r,
                        struct names_recursion *recursion, struct text *error)
{
    char path[SITE_PATH_MAX];
    const struct site_anchors_options options = {
        .loop = site->loop,
        .log = site->log,
        .crypto = &site->crypto,
        .path = site_path(site->config, r->anchors_state, path),
        .date = r->date,
    };
    int result = site_anchors_new(&options, &site->anchors, error);
    if (result == 0)
        site_anchors_apply(site->anchors, recursion);
    return result;
}

/* *out is the caller's to free; NULL: nobody is to be asked. */
static int make_resolution(struct site *site, struct names_recursion **out, struct text *error)
{
    const struct site_recursion *r = &site->config->recursion;
    *out = NULL;
    find_resolvers(site);
    bool forwards = r->resolve == SITE_RESOLVE_FORWARD;
    if (r->resolve == SITE_RESOLVE_NONE ||
        (forwards && site->resolver_count == 0 && r->forward_count == 0))
        return 0;
    int result = make_recursion(r, &site->crypto, out, error);
    if (result == 0 && r->anchors_state[0] != '\0')
        result = open_anchors(site, r, *out, error);
    if (result == 0)
        result = site_tls_forwarders(site, r, *out, error);
    if (result == 0 && forwards) {
        struct dns_name root;
        dns_name_root(&root);
        bool good = names_recursion_forward(*out, &root, site->resolvers, site->resolver_count);
        ASSERT(good);
    }
    return result;
}

static void on_trouble(void *self, const char *text)
{
    const struct site *site = self;
    log_error(site->log, "names: %s", text);
}

static int open_journal(struct site *site, struct text *error)
{
    const char *path = site->config->names.journal;
    char whole[SITE_PATH_MAX];
    char reason[STORE_ERROR_MAX];
    if (path[0] == '\0')
        return 0;
    int result = store_open(site_path(site->config, path, whole), &site->journal, reason);
    if (result < 0)
        text_add_format(error, "journal: %s", reason);
    return result;
}

/* What is wrong in one of the files leaves all lists as they were. */
static void reload_policies(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_policies policies;
    if (site_policies_read(site->config, &policies, &error) < 0) {
        log_error(site->log, "names: lists stay as they were: %s", complaint);
        return;
    }
    site_policies_use(&policies, site->names);
    site_policies_done(&site->policies);
    site->policies = policies;
}

/* Files of roots and anchors may have changed. */
static void reload_roots(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct names_recursion *recursion = NULL;
    int result = 0;
    if (site->config->recursion.resolve != SITE_RESOLVE_NONE)
        result = make_recursion(&site->config->recursion, &site->crypto, &recursion, &error);
    if (result == 0 && recursion != NULL && site->anchors != NULL)
        site_anchors_apply(site->anchors, recursion);
    if (result == 0 && recursion != NULL)
        result = names_set_roots(site->names, recursion);
    if (result < 0)
        log_error(site->log, "names: roots and anchors stay as they were: %s", complaint);
    free(recursion);
}

static void names_reload(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (site->names == NULL)
        return;
    reload_roots(site);
    if (site_tls_primaries(site, &error) < 0)
        log_error(site->log, "names: %s", complaint);
    if (set_manner(site) < 0)
        log_error(site->log, "names: no memory for the limit of replies");
    reload_policies(site);
    site_secondaries_reload(site->secondaries, site->config);
    site_zones_reload(site->zones, site->config);
    site_tls_reload(site, &site->config->names_tls, "names", site->names_tls);
}

static int start_name_service(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    struct names_view views[SITE_VIEWS_MAX];
    char server_name[SITE_NAME_MAX + 4];
    snprintf(server_name, sizeof server_name, "ns.%s", config->domain);
    struct names_options options = {
        .listen = config->names.listen,
        .domain = config->domain,
        .server_name = server_name,
        .closed_world = config->names.closed,
        .outside = site->outside,
        .ttl = (uint32_t)(config->names.ttl / USEC_PER_SEC),
        .views = views,
        .view_count = config->authority.view_count,
    };
    for (size_t i = 0; i < options.view_count; i++) {
        views[i].client_count = config->views[i].client_count;
        memcpy(views[i].clients, config->views[i].clients, sizeof views[i].clients);
    }
    site->digest = digest_sha1_new();
    if (site->digest == NULL)
        return failed(error, -ENOMEM, "cannot hash names", NULL);
    site->hmac = hmac_new();
    if (site->hmac == NULL)
        return failed(error, -ENOMEM, "cannot sign replies", NULL);
    options.hmac = (struct tsig_hmac){hmac_start, hmac_add, hmac_end, site->hmac};
    options.sha1 = (struct dns_sha1){digest_sha1, site->digest};
    site_crypto_init(&site->crypto, site->digest);
    struct names_recursion *recursion;
    int result = make_resolution(site, &recursion, error);
    if (result == 0)
        result = open_journal(site, error);
    options.journal = site->journal;
    options.on_trouble = on_trouble;
    options.trouble_self = site;
    if (result == 0 && config->names_tls.listen.port != 0)
        result = site_tls_start(site, &config->names_tls, "names", "dot", &site->names_tls, error);
    options.listen_tls = config->names_tls.listen;
    options.tls = site->names_tls;
    if (result < 0) {
        free(recursion);
        return result;
    }
    options.recursion = recursion;
    result = names_new(site->inside, &options, &site->names);
    free(recursion);
    if (result < 0)
        return failed(error, result, "cannot serve names", &options.listen);
    if (site->anchors != NULL)
        site_anchors_start(site->anchors, site->names);
    result = site_policies_read(config, &site->policies, error);
    if (result < 0)
        return result;
    site_policies_use(&site->policies, site->names);
    return start_zones(site, error);
}

_Static_assert((int)DHCID_LEN == LEASE_NAMES_DHCID_MAX, "both sides have room for as much");

/* Whose the name of the lease is (RFC 4701), in `out`. Empty: it has none. */
static struct bytes dhcid_of(const struct site *site, const struct lease *lease,
                             uint8_t out[DHCID_LEN])
{
    uint8_t octets[DHCID_INPUT_MAX];
    uint8_t digest[DIGEST_AT_ONCE_MAX];
    char text[sizeof lease->hostname + SITE_NAME_MAX];
    struct dns_name name;
    snprintf(text, sizeof text, "%s.%s", lease->hostname, site->config->domain);
    if (lease->hostname[0] == '\0' || !dns_name_parse(bytes_of_text(text), NULL, &name))
        return bytes_empty();
    const struct dhcid_client client = {
        .client_id = bytes_of(lease->client_id, lease->client_id_len),
        .mac = lease->mac,
    };
    struct writer w = writer_of(octets, sizeof octets);
    enum dhcid_kind kind = dhcid_input(&client, &name, &w);
    if (digest_at_once(DIGEST_SHA256, writer_bytes(&w), digest) != DHCID_DIGEST_LEN)
        return bytes_empty();
    dhcid_rdata(kind, digest, out);
    return bytes_of(out, DHCID_LEN);
}

static void name_lease(struct site *site, const struct lease *lease)
{
    uint8_t dhcid[DHCID_LEN];
    int result = lease_names_begin(site->lease_names, &lease->address, lease->hostname,
                                   dhcid_of(site, lease, dhcid));
    if (result < 0)
        log_notice(site->log, "the name \"%s\" is not given to a host: %s", lease->hostname,
                   result == -EEXIST ? "it is taken" : strerror(-result));
}

static int names_start(struct site *site, struct text *error)
{
    const struct lease_names_options options = {
        .heap = memory_heap(),
        .count_max = ADDRESSES_POOL_MAX + SITE_HOSTS_MAX + 8,
        .add = add_name,
        .remove = remove_name,
        .self = site,
    };
    site->lease_names = lease_names_new(&options);
    if (site->lease_names == NULL)
        return failed(error, -ENOMEM, "cannot keep the names of hosts", NULL);
    int result = site->config->names.present ? start_name_service(site, error) : 0;
    if (result == 0)
        result = add_site_names(site, error);
    if (result < 0)
        return result;
    size_t place = 0;
    struct lease lease;
    while (site->addresses != NULL && addresses_each(site->addresses, &place, &lease))
        if (!lease.offered)
            name_lease(site, &lease);
    return 0;
}

/* ---- addresses ---- */

static bool addresses_same(const struct site_config *a, const struct site_config *b)
{
    return SAME(addresses) && SAME(domain);
}

/* Published ports lead to the host that has had its lease longest. */
static void follow_guest(struct site *site, const struct lease *lease, bool active)
{
    if (active && address_is_any(&site->guest))
        lead_to(site, &lease->address);
    if (active || !address_equal(&site->guest, &lease->address))
        return;
    size_t place = 0;
    struct lease other;
    while (addresses_each(site->addresses, &place, &other)) {
        if (other.offered || address_equal(&other.address, &lease->address))
            continue;
        lead_to(site, &other.address);
        return;
    }
    lead_to(site, &site->config->addresses.pool_first);
    site->guest = address_any_v4();
}

static void on_lease(void *self, const struct lease *lease, bool active)
{
    struct site *site = self;
    char address[ADDRESS_TEXT_MAX], mac[MAC_TEXT_MAX];
    log_info(site->log, "lease %s: %s for %s%s%s", active ? "begins" : "ends",
             address_format(&lease->address, address), mac_format(&lease->mac, mac),
             lease->hostname[0] != '\0' ? ", " : "", lease->hostname);
    follow_guest(site, lease, active);
    if (active)
        name_lease(site, lease);
    else
        lease_names_end(site->lease_names, &lease->address);
}

static void addresses_stop(struct site *site)
{
    addresses_free(site->addresses);
    site->addresses = NULL;
    store_close(site->leases);
    site->leases = NULL;
    site->guest = address_any_v4();
}

static int open_leases(struct site *site, struct text *error)
{
    const char *path = site->config->addresses.leases;
    if (path[0] == '\0')
        return 0;
    char reason[STORE_ERROR_MAX];
    int result = store_open(path, &site->leases, reason);
    if (result < 0)
        text_add_format(error, "cannot keep leases: %s", reason);
    return result;
}

static int addresses_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    const struct site_addresses *addresses = &config->addresses;
    if (!addresses->present)
        return 0;
    static const struct mac nobody;
    struct addresses_static statics[SITE_HOSTS_MAX + 1] = {0};
    size_t static_count = addresses->host_count;
    for (size_t i = 0; i < addresses->host_count; i++) {
        statics[i].mac = addresses->hosts[i].mac;
        statics[i].address = addresses->hosts[i].address;
        snprintf(statics[i].hostname, sizeof statics[i].hostname, "%s", addresses->hosts[i].name);
    }
    if (!mac_equal(&addresses->guest, &nobody)) {
        statics[static_count].mac = addresses->guest;
        statics[static_count++].address = addresses->pool_first;
    }
    struct addresses_options options = {
        .server = config->link.address.address,
        .network = site_config_network(config),
        .pool_first = addresses->pool_first,
        .pool_last = addresses->pool_last,
        .router = addresses->router,
        .dns_count = addresses->dns_count,
        .domain = config->domain,
        .lease_seconds = (uint32_t)(addresses->lease_time / USEC_PER_SEC),
        .mtu = (uint16_t)config->link.mtu,
        .statics = statics,
        .static_count = static_count,
        .interface = addresses->interface[0] != '\0' ? addresses->interface : NULL,
        .on_lease = on_lease,
        .self = site,
    };
    int result = open_leases(site, error);
    if (result < 0)
        return result;
    options.store = site->leases;
    memcpy(options.dns, addresses->dns, sizeof addresses->dns);
    result = addresses_new(site->inside, &options, &site->addresses);
    return result < 0 ? failed(error, result, "cannot give out addresses", NULL) : 0;
}

/* ---- web ---- */

/* What differs goes over by a reload, with every connection that there is. */
static bool web_same(const struct site_config *a, const struct site_config *b)
{
    return a->web.present == b->web.present && SAME(web.name) && SAME(domain);
}

static void web_stop(struct site *site)
{
    web_free(site->web);
    site->web = NULL;
}

/* Questions by HTTP go to the names, whichever they are by then. */
static enum web_dns_verdict ask_names(void *self, const struct web_dns_query *query,
                                      struct bytes *reply, uint32_t *handle)
{
    struct site *site = self;
    const struct names_carrier carrier = {
        .from = query->peer,
        .secure = query->secure,
        .on_reply = web_dns_reply,
        .self = query->exchange,
    };
    if (site->names == NULL)
        return WEB_DNS_NONE;
    switch (names_ask(site->names, &carrier, query->message, reply, handle)) {
    case NAMES_NOW:
        return WEB_DNS_NOW;
    case NAMES_LATER:
        return WEB_DNS_LATER;
    case NAMES_MALFORMED:
        return WEB_DNS_MALFORMED;
    case NAMES_NONE:
    case NAMES_FULL:
        break;
    }
    return WEB_DNS_NONE;
}

static void forget_question(void *self, uint32_t handle)
{
    struct site *site = self;
    if (site->names != NULL)
        names_forget(site->names, handle);
}

static int web_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    if (!config->web.present)
        return 0;
    char server_name[SITE_LABEL_MAX + SITE_NAME_MAX];
    char complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    snprintf(server_name, sizeof server_name, "%s.%s", config->web.name, config->domain);
    const struct web_options options = {
        .server_name = server_name,
        .domain = config->domain,
        .config = &config->web.config,
        .site = {site_status, site},
        .dns = {ask_names, forget_question, site},
        .error = &reason,
    };
    int result = site_tls_web(site, &site->config->web.config, &reason);
    if (result == 0)
        result = web_new(site->inside, &options, &site->web);
    if (result < 0)
        text_add_format(error, "cannot serve web pages: %s", complaint);
    return result;
}

static void web_reload_it(struct site *site)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    if (site->web != NULL && (site_tls_web(site, &site->config->web.config, &error) < 0 ||
                              web_reload(site->web, &site->config->web.config, &error) < 0))
        log_error(site->log, "web: not reloaded, it stays as it was: %s", complaint);
}

/* ---- control ---- */

static bool control_same(const struct site_config *a, const struct site_config *b)
{
    return SAME(control);
}

static void control_stop(struct site *site)
{
    control_free(site->control);
    site->control = NULL;
}

static int control_start(struct site *site, struct text *error)
{
    const char *name = site->config->control;
    int result = control_new(site->loop, name[0] != '\0' ? name : NULL, site_answer, site,
                             &site->control);
    if (result == -EADDRINUSE) {
        text_add_format(error, "control \"%s\": a running wholenet has this name", name);
        return result;
    }
    return result < 0 ? failed(error, result, "cannot open the control socket", NULL) : 0;
}

const struct site_part site_parts[SITE_PARTS] = {
    {"control", control_same, control_start, control_stop, NULL},
    {"gateway", gateway_same, gateway_start, gateway_stop, NULL},
    {"names", names_same, names_start, names_stop, names_reload},
    {"addresses", addresses_same, addresses_start, addresses_stop, NULL},
    {"web", web_same, web_start, web_stop, web_reload_it},
    {"proxy", site_proxy_same, site_proxy_start, site_proxy_stop, site_proxy_reload},
};

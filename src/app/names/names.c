/* SPDX-License-Identifier: ISC */
/* names.c - the life of the name service, and the records it is told. */
#include "app/names/names.h"

#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"

static bool parse_name(const char *text, const struct dns_name *origin, struct dns_name *out)
{
    return text != NULL && dns_name_parse(bytes_of_text(text), origin, out);
}

static bool take_options(struct names *names, const struct names_options *options)
{
    names->ttl = options->ttl != 0 ? options->ttl : NAMES_TTL_DEFAULT;
    return parse_name(options->domain, NULL, &names->domain) &&
           !dns_name_is_root(&names->domain) &&
           parse_name(options->server_name, NULL, &names->server_name) &&
           names->ttl <= DNS_TTL_MAX && options->view_count <= NAMES_VIEWS_MAX &&
           (options->recursion == NULL || options->outside != NULL);
}

static int open_views(struct names *names, const struct names_options *options)
{
    for (size_t i = 0; i < options->view_count; i++) {
        struct names_seen *seen = &names->views[i];
        seen->zones = zone_set_new(&names->heap, NAMES_RECORDS_MAX);
        if (seen->zones == NULL)
            return -ENOMEM;
        names->view_count++;
    }
    return 0;
}

/* Those of the first are looked at, which outlive us. */
static int share_zones(struct names *names, const struct names *first)
{
    names->zones = first->zones;
    names->answering.zones = first->zones;
    names->view_count = first->view_count;
    for (size_t i = 0; i < first->view_count; i++) {
        names->views[i].zones = first->views[i].zones;
    }
    return 0;
}

static int open_zones(struct names *names, const struct names_options *options)
{
    if (names->first != names)
        return share_zones(names, names->first);
    names->zones = zone_set_new(&names->heap, NAMES_RECORDS_MAX);
    if (names->zones == NULL)
        return -ENOMEM;
    names->answering.zones = names->zones;
    int status = names_add_own_zones(names, options);
    return status == 0 ? open_views(names, options) : status;
}

static void make_secrets(struct names *names)
{
    struct prng *prng = loop_prng(names->loop);
    if (names->first != names) { /* whoever gets the next query knows the cookie */
        names->secrets = names->first->secrets;
        return;
    }
    names->secrets.active.k0 = prng_u64(prng);
    names->secrets.active.k1 = prng_u64(prng);
}

static int set_rate_limit(struct names *names, const struct names_manner *manner)
{
    struct rate_limit *limit = NULL;
    struct prng *prng = loop_prng(names->loop);
    if (manner->rate_limit != 0) {
        const struct rate_limit_options options = {
            .per_second = manner->rate_limit,
            .slip = manner->rate_slip,
            .prefix_len_v4 = manner->rate_prefix_v4 != 0 ? manner->rate_prefix_v4 : 24,
            .prefix_len_v6 = manner->rate_prefix_v6 != 0 ? manner->rate_prefix_v6 : 56,
            .key = {prng_u64(prng), prng_u64(prng)},
        };
        limit = rate_limit_new(&names->heap, &options);
        if (limit == NULL)
            return -ENOMEM;
    }
    rate_limit_free(names->rate_limit);
    names->rate_limit = limit;
    return 0;
}

/* A reply that is still owed to who has signed with a key that goes now is signed with another: he
 * takes it for none. */
static void set_keys(struct names *names, const struct names_manner *manner)
{
    ASSERT(manner->key_count <= TSIG_KEYS_MAX);
    names->keys.count = manner->key_count;
    for (size_t i = 0; i < manner->key_count; i++)
        names->keys.keys[i] = manner->keys[i];
}

static void set_updates(struct names *names, const struct names_manner *manner)
{
    ASSERT(manner->update_count <= NAMES_UPDATES_MAX);
    names->update_count = manner->update_count;
    for (size_t i = 0; i < manner->update_count; i++)
        names->updates[i] = manner->updates[i];
}

/* By which options, if any, the query is answered. */
static const struct answer_options *choose(void *self, const struct answer_query *query)
{
    const struct names *names = self;
    const struct names_access *access = &names_reach_of(names, query)->queries;
    return access->count == 0 || names_allows(access, query) ? names_answering(names, query) : NULL;
}

/* `view` NULL: nobody is in it. */
static void set_view(struct names *names, struct names_seen *seen, const struct names_view *view)
{
    const struct resolver_policies *policies = seen->answering.policies;
    seen->view = view != NULL ? *view : (struct names_view){0};
    seen->answering = names->answering;
    seen->answering.zones = seen->zones;
    seen->answering.common = names->zones;
    seen->answering.policies = policies;
    seen->answering.recursion_available =
        (names->finds_others || seen->finds_others) && !seen->view.reach.own_names_only;
    if (seen->view.reach.own_names_only)
        seen->answering.dns64 = NULL;
}

static void set_manner(struct names *names, const struct names_manner *manner)
{
    struct answer_options *answering = &names->answering;
    names->udp_size = manner->udp_size != 0 ? manner->udp_size : DNS_UDP_SIZE_DEFAULT;
    names->secondaries = manner->secondaries;
    names->forwards = manner->forwards;
    names->notified = manner->notified;
    names->notified_port = manner->notified_port != 0 ? manner->notified_port : 53;
    names->peers_tls = manner->peers_tls;
    names->peers_tls_anybody = manner->peers_tls_anybody;
    set_keys(names, manner);
    set_updates(names, manner);
    answering->minimal = manner->minimal;
    answering->cookies = manner->cookies != NAMES_COOKIES_OFF ? &names->secrets : NULL;
    answering->cookies_required = manner->cookies == NAMES_COOKIES_REQUIRED;
    answering->identity = manner->identity;
    answering->version = manner->version;
    names->reach = manner->reach;
    bool same_for_all = names->view_count == 0 && names->reach.queries.count == 0;
    answering->choose = same_for_all ? NULL : choose;
    answering->self = names;
    answering->recursion_available = names->finds_others && !names->reach.own_names_only;
    for (size_t i = 0; i < names->view_count; i++)
        set_view(names, &names->views[i], manner->views != NULL ? &manner->views[i] : NULL);
}

/* Of the first, so that all are the same whenever a query comes. */
int names_set_manner(struct names *names, const struct names_manner *manner)
{
    struct names *member = NULL;
    names_update_flush(names);
    zone_set_close(names->zones);
    while ((member = names_crew_next(names, member)) != NULL)
        set_manner(member, manner);
    int status = set_rate_limit(names, manner);
    names_hot_forget(names);
    zone_set_open(names->zones);
    return status;
}

/* NULL: those of everybody. */
static void set_policies(struct names_seen *seen, const struct resolver_policies *policies)
{
    if (policies != NULL)
        seen->policies = *policies;
    seen->answering.policies = policies != NULL ? &seen->policies : NULL;
}

void names_set_policies(struct names *names, size_t view, const struct resolver_policies *policies)
{
    struct names *member = NULL;
    ASSERT(view < names->view_count || (view == NAMES_EVERYBODY && policies != NULL));
    zone_set_close(names->zones);
    while ((member = names_crew_next(names, member)) != NULL) {
        if (view != NAMES_EVERYBODY) {
            set_policies(&member->views[view], policies);
        } else {
            struct names_asking *asking = NULL;
            member->policies = *policies;
            while ((asking = names_asking_next(member, asking)) != NULL)
                resolver_set_policies(asking->resolver, policies);
        }
    }
    names_hot_forget(names);
    zone_set_open(names->zones);
}

/* One that joins is as the others are. */
static void take_manner(struct names *names, const struct names *first)
{
    struct names_view views[NAMES_VIEWS_MAX];
    for (size_t i = 0; i < first->view_count; i++)
        views[i] = first->views[i].view;
    struct names_manner manner = {
        .reach = first->reach,
        .views = views,
        .minimal = first->answering.minimal,
        .cookies = first->answering.cookies == NULL       ? NAMES_COOKIES_OFF
                   : first->answering.cookies_required ? NAMES_COOKIES_REQUIRED
                                                       : NAMES_COOKIES_ON,
        .udp_size = first->udp_size,
        .identity = first->answering.identity,
        .version = first->answering.version,
        .secondaries = first->secondaries,
        .keys = first->keys.keys,
        .key_count = first->keys.count,
    };
    for (size_t i = 0; i < first->view_count; i++)
        set_policies(&names->views[i], first->views[i].answering.policies);
    set_manner(names, &manner);
}

bool names_rule_met(const struct names_rule *rule, const struct answer_query *query)
{
    bool network = rule->any_network || prefix_contains(&rule->network, &query->path.from);
    bool key = rule->any_key || (query->tsig.key != NULL &&
                                 dns_name_equal(&query->tsig.key->name, &rule->key));
    return network && key;
}

bool names_allows(const struct names_access *access, const struct answer_query *query)
{
    for (size_t i = 0; i < access->count; i++)
        if (names_rule_met(&access->rules[i], query))
            return true;
    return false;
}

void names_trouble(const struct names *names, const char *text)
{
    if (names->on_trouble != NULL)
        names->on_trouble(names->trouble_self, text);
}

/* The view of who asks; NULL: he has none. */
static const struct names_seen *seen_by(const struct names *names, const struct answer_query *query)
{
    for (size_t i = 0; i < names->view_count; i++)
        if (names_allows(&names->views[i].view.clients, query))
            return &names->views[i];
    return NULL;
}

const struct answer_options *names_answering(const struct names *names,
                                             const struct answer_query *query)
{
    const struct names_seen *seen = seen_by(names, query);
    return seen != NULL ? &seen->answering : &names->answering;
}

size_t names_view_of(const struct names *names, const struct answer_query *query)
{
    const struct names_seen *seen = seen_by(names, query);
    return seen != NULL ? (size_t)(seen - names->views) : (size_t)NAMES_EVERYBODY;
}

const struct names_reach *names_reach_of(const struct names *names, const struct answer_query *query)
{
    const struct names_seen *seen = seen_by(names, query);
    return seen != NULL ? &seen->view.reach : &names->reach;
}

struct zone_set *names_zones(struct names *names, size_t view)
{
    ASSERT(view < names->view_count || view == NAMES_EVERYBODY);
    return view == NAMES_EVERYBODY ? names->zones : names->views[view].zones;
}

/* All resolvers have the same. */
static void take_dns64(struct names *names, const struct names_recursion *recursion)
{
    if (recursion == NULL || recursion->dns64.len == 0)
        return;
    names->dns64 = recursion->dns64;
    names->answering.dns64 = &names->dns64;
}

int names_new(struct net *net, const struct names_options *options, struct names **out)
{
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL)
        return -ENOMEM;
    names->net = net;
    names->crew = options->crew;
    names->worker = options->worker;
    names->first = names->worker > 0 ? names->crew->members[0] : names;
    lock_init(&names->rate_lock);
    names->loop = net_loop(net);
    names->heap = loop_heap(names->loop);
    list_init(&names->free);
    names_carried_open(names);
    names_local_open(names);
    list_init(&names->idle);
    list_init(&names->busy);
    int status = take_options(names, options) ? 0 : -EINVAL;
    if (status == 0)
        status = open_zones(names, options);
    /* In a closed world every name is ours, and who has asked all there is has had recursion. */
    names->finds_others = options->closed_world || options->recursion != NULL;
    for (size_t i = 0; i < options->view_count && i < NAMES_VIEWS_MAX; i++)
        names->views[i].finds_others = options->view_recursion[i] != NULL;
    take_dns64(names, options->recursion);
    for (size_t i = 0; i < names->view_count; i++)
        take_dns64(names, options->view_recursion[i]);
    names->sha1 = options->sha1;
    names->answering.sha1 = options->sha1.digest != NULL ? &names->sha1 : NULL;
    names->keys.hmac = options->hmac;
    names->answering.keys = options->hmac.start != NULL ? &names->keys : NULL;
    make_secrets(names);
    names->on_trouble = options->on_trouble;
    names->trouble_self = options->trouble_self;
    names->on_zone = options->on_zone;
    names->zone_self = options->zone_self;
    names->peers_net = options->outside != NULL ? options->outside : net;
    names_notify_open(names);
    names_tell_open(names);
    names_forward_open(names);
    names_secondary_open(names);
    if (status == 0)
        status = names_update_open(names, options);
    if (status == 0 && names->first != names)
        take_manner(names, names->first);
    else if (status == 0)
        status = names_set_manner(names, &(struct names_manner){0});
    if (status == 0 && !options->closed_world)
        status = names_outside_open(names, options);
    if (status == 0)
        status = names_server_open(names, options);
    if (status != 0) {
        names_free(names);
        return status;
    }
    names_crew_join(names, options);
    *out = names;
    return 0;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    names_crew_part(names);
    names_update_close(names);
    names_server_close(names);
    names_carried_close(names);
    names_local_close(names);
    names_notify_close(names);
    names_tell_close(names);
    names_forward_close(names);
    names_secondary_close(names);
    names_outside_close(names);
    for (size_t i = 0; i < names->view_count && names->first == names; i++)
        zone_set_free(names->views[i].zones);
    if (names->first == names)
        zone_set_free(names->zones);
    rate_limit_free(names->rate_limit);
    lock_done(&names->rate_lock);
    free(names);
}

/* Adds up structures of nothing but numbers of that kind. */
static void add_up(uint64_t *sums, const uint64_t *more, size_t size)
{
    for (size_t i = 0; i < size / sizeof *sums; i++)
        sums[i] += more[i];
}

void names_counters(const struct names *names, struct names_counters *out)
{
    const struct names *member = NULL;
    *out = (struct names_counters){0};
    zone_set_close(names->zones);
    while ((member = names_crew_next(names, member)) != NULL)
        add_up((uint64_t *)out, (const uint64_t *)&member->counters, sizeof *out);
    zone_set_open(names->zones);
    out->secondaries = names->kept_count;
    for (size_t i = 0; i < names->kept_count; i++)
        out->secondaries_served += names->kept[i].timers.held;
    struct resolver_counters resolver;
    struct cache_counters cache;
    names_resolution_counters(names, &resolver, &cache);
    out->forwarding = resolver.waiting;
    out->asked_outside = resolver.queries;
    out->cache_hits = resolver.answered_from_cache;
    out->cache_entries = cache.entries;
    out->cache_octets = cache.octets;
}

void names_resolution_counters(const struct names *names, struct resolver_counters *resolver,
                               struct cache_counters *cache)
{
    const struct names *member = NULL;
    *resolver = (struct resolver_counters){0};
    *cache = (struct cache_counters){0};
    zone_set_close(names->zones);
    while ((member = names_crew_next(names, member)) != NULL) {
        const struct names_asking *asking = NULL;
        while ((asking = names_asking_next(member, asking)) != NULL) {
            struct resolver_counters r;
            struct cache_counters c;
            resolver_counters(asking->resolver, &r);
            cache_counters(asking->cache, &c);
            add_up((uint64_t *)resolver, (const uint64_t *)&r, sizeof r);
            add_up((uint64_t *)cache, (const uint64_t *)&c, sizeof c);
        }
    }
    zone_set_open(names->zones);
}

struct endpoint names_local(const struct names *names)
{
    return dgram_local(names->dgram);
}

/* ---- records ---- */

/* A record of the outside world, told to us: from its owner down that world is ours. A wildcard's
 * world begins above it. */
static int add_override_zone(struct names *names, struct zone_set *zones,
                             const struct dns_record *record)
{
    struct dns_name apex = record->owner;
    if (zone_set_find(zones, &apex, false) != NULL)
        return 0;
    if (record->type == DNS_CNAME)
        return -EINVAL; /* it would share its name with the zone's SOA */
    if (apex.octets[0] == 1 && apex.octets[1] == '*')
        dns_name_parent(&apex, &apex);
    return names_add_zone(names, zones, &apex);
}

int names_add_record(struct names *names, size_t view, const char *line, char *error, size_t size)
{
    struct zone_set *zones = names_zones(names, view);
    uint8_t rdata[ZONE_RDATA_MAX];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct dns_error reason = dns_error_of(error, size);
    struct dns_record record;
    struct dns_line_context context = {.origin = &names->domain, .ttl = names->ttl};
    if (!dns_record_parse(bytes_of_text(line), &context, &w, &record, &reason))
        return -EINVAL;
    int status = record.type != DNS_SOA ? add_override_zone(names, zones, &record) : 0;
    if (status != 0) {
        text_add(&reason.text, status == -ENOSPC   ? "too many records"
                          : status == -ENOMEM ? "no memory"
                                              : "a CNAME cannot be where a zone begins, and the "
                                                "name above it is not of this site");
        return -EINVAL;
    }
    enum zone_result result = zone_add(zones, &record);
    if (result != ZONE_OK) {
        text_add(&reason.text, zone_result_text(result));
        return -EINVAL;
    }
    return 0;
}

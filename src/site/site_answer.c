/* SPDX-License-Identifier: ISC */
/*
 * site_answer.c - what the control socket is asked: how the site is, and what its resolver remembers.
 * All answers but the dump are JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/names/names_resolver.h"
#include "site/control.h"
#include "site/site_internal.h"

enum { STATUS_MAX = 1024 * 1024, SERVERS_TOLD_MAX = 200, ITEM_TEXT_MAX = 512 * 1024 };

static size_t write_json(json_t *json, char *out, size_t size)
{
    size_t len = json != NULL ? json_dumpb(json, out, size, JSON_COMPACT) : 0;
    json_decref(json);
    if (len == 0 || len > size)
        return (size_t)snprintf(out, size, "{\"error\": \"no memory\"}");
    return len;
}

static size_t say_error(const char *text, char *out, size_t size)
{
    return write_json(json_pack("{s:s}", "error", text), out, size);
}

static void set(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, json_integer((json_int_t)value));
}

/* ---- statistics ---- */

static json_t *latency_json(const struct resolver_counters *c)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < RESOLVER_LATENCIES; i++) {
        usec max = resolver_latency_max(i);
        json_t *class = json_pack("{s:I}", "count", (json_int_t)c->latency[i]);
        json_object_set_new(class, "up_to_ms",
                            max != USEC_NEVER ? json_integer(max / USEC_PER_MSEC) : json_null());
        json_array_append_new(out, class);
    }
    return out;
}

/* Everybody's, and then those of views that have their own; NULL ends. */
static const struct resolver *next_resolver(const struct site *site, size_t *view)
{
    const struct resolver *resolver = NULL;
    while (resolver == NULL && *view <= site->config->authority.view_count) {
        resolver = names_resolver(site->names, *view == 0 ? (size_t)NAMES_EVERYBODY : *view - 1);
        ++*view;
    }
    return resolver;
}

static void add_servers(const struct site *site, const struct resolver *resolver, json_t *out)
{
    const void *place = NULL;
    struct resolver_server server;
    while (json_array_size(out) < SERVERS_TOLD_MAX &&
           resolver_each_server(resolver, &place, loop_now(site->loop), &server)) {
        char text[ENDPOINT_TEXT_MAX];
        json_array_append_new(
            out, json_pack("{s:s,s:f,s:i,s:b,s:b}", "address",
                           endpoint_format(&server.endpoint, text), "srtt_ms",
                           (double)server.srtt / USEC_PER_MSEC, "timeouts", (int)server.timeouts,
                           "lame", server.lame, "avoided", server.avoided));
    }
}

static json_t *servers_json(const struct site *site)
{
    json_t *out = json_array();
    const struct resolver *resolver;
    size_t view = 0;
    while ((resolver = next_resolver(site, &view)) != NULL)
        add_servers(site, resolver, out);
    return out;
}

static void set_resolver(json_t *out, const struct resolver_counters *c)
{
    set(out, "asked", c->asked);
    set(out, "answered_from_cache", c->answered_from_cache);
    set(out, "collapsed", c->collapsed);
    set(out, "refused_full", c->refused);
    set(out, "queries", c->queries);
    set(out, "queries_tcp", c->queries_tcp);
    set(out, "responses", c->responses);
    set(out, "timeouts", c->timeouts);
    set(out, "referrals", c->referrals);
    set(out, "lame", c->lame);
    set(out, "failures", c->failures);
    set(out, "stale", c->stale);
    set(out, "prefetches", c->prefetches);
    set(out, "synthesised", c->synthesised);
    set(out, "policy_data", c->policies[POLICY_DATA]);
    set(out, "policy_passthru", c->policies[POLICY_PASSTHRU]);
    set(out, "policy_nxdomain", c->policies[POLICY_NXDOMAIN]);
    set(out, "policy_nodata", c->policies[POLICY_NODATA]);
    set(out, "policy_drop", c->policies[POLICY_DROP]);
    set(out, "policy_tcp_only", c->policies[POLICY_TCP_ONLY]);
    set(out, "over_budget", c->over_budget);
    set(out, "rings", c->rings);
    set(out, "too_many_aliases", c->too_many_aliases);
    set(out, "secure", c->secure);
    set(out, "bogus", c->bogus);
    set(out, "waiting", c->waiting);
}

static json_t *stats_json(const struct site *site)
{
    struct resolver_counters r;
    struct cache_counters c;
    names_resolution_counters(site->names, &r, &c);
    json_t *out = json_object();
    set_resolver(out, &r);
    double rate = r.asked > 0 ? (double)r.answered_from_cache / (double)r.asked : 0;
    json_object_set_new(out, "hit_rate", json_real(rate));
    set(out, "entries", c.entries);
    set(out, "octets", c.octets);
    set(out, "evicted", c.evicted);
    set(out, "flushed", c.flushed);
    set(out, "no_memory", c.no_memory);
    json_object_set_new(out, "latency", latency_json(&r));
    json_object_set_new(out, "servers", servers_json(site));
    return out;
}

/* ---- the dump ---- */

static const char *kind_text(enum cache_kind kind)
{
    static const char *const texts[CACHE_KIND_COUNT] = {[CACHE_DATA] = "data",
                                                        [CACHE_NODATA] = "nodata",
                                                        [CACHE_NXDOMAIN] = "nxdomain",
                                                        [CACHE_FAILURE] = "failure"};
    return texts[kind];
}

static const char *security_text(enum cache_security security)
{
    static const char *const texts[CACHE_SECURITY_COUNT] = {[CACHE_UNCHECKED] = "unchecked",
                                                            [CACHE_INSECURE] = "insecure",
                                                            [CACHE_SECURE] = "secure",
                                                            [CACHE_BOGUS] = "bogus"};
    return texts[security];
}

/* One object a line, with the records as a master file has them. */
static void add_object(const struct cache_item *item, char *scratch, struct text *out)
{
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    struct text records = text_of(scratch, ITEM_TEXT_MAX);
    cache_format(item, &records);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "name", dns_name_format(&item->name, name),
                             "type", dns_type_format(item->type, type), "kind",
                             kind_text(item->content.kind), "security",
                             security_text(item->content.security), "ttl", (json_int_t)item->left,
                             "text", scratch);
    char *line = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    if (line != NULL)
        text_add_format(out, "%s\n", line);
    free(line);
    json_decref(json);
}

/* Whole entries, as far as there is room for them; false: there is none for all. */
static bool dump_cache(const struct site *site, struct cache *cache, bool json, char *scratch,
                       struct text *out)
{
    const void *place = NULL;
    struct cache_item item;
    while (cache_each(cache, &place, loop_now(site->loop), &item)) {
        struct text before = *out;
        if (json)
            add_object(&item, scratch, out);
        else
            cache_format(&item, out);
        if (!out->failed)
            continue;
        *out = before;
        return false;
    }
    return true;
}

/* Everybody's, and then what views know for themselves. */
static size_t dump(const struct site *site, bool json, char *out, size_t size)
{
    static const char cut[] = "; there is more\n";
    struct text text = text_of(out, size - sizeof cut);
    char *scratch = malloc(ITEM_TEXT_MAX);
    struct cache *cache = names_cache(site->names, NAMES_EVERYBODY);
    bool whole = scratch != NULL && (cache == NULL || dump_cache(site, cache, json, scratch, &text));
    for (size_t i = 0; whole && i < site->config->authority.view_count; i++) {
        cache = names_cache(site->names, i);
        if (cache != NULL && !json)
            text_add_format(&text, "; view %s\n", site->config->views[i].name);
        whole = cache == NULL || (!text.failed && dump_cache(site, cache, json, scratch, &text));
    }
    if (!whole && scratch != NULL) {
        memcpy(out + text.len, cut, sizeof cut);
        text.len += json ? 0 : sizeof cut - 1;
    }
    free(scratch);
    return text.len;
}

/* No other worker puts anything meanwhile. */
static size_t dump_alone(struct site *site, bool json, char *out, size_t size)
{
    const struct zone_set *zones = names_zones(site->names, NAMES_EVERYBODY);
    zone_set_close(zones);
    size_t len = dump(site, json, out, size);
    zone_set_open(zones);
    return len;
}

static size_t flush(struct site *site, const char *text, bool below, char *out, size_t size)
{
    struct dns_name name;
    if (!dns_name_parse(bytes_of_text(text), NULL, &name))
        return say_error("that is not a name", out, size);
    size_t count = names_flush(site->names, &name, below);
    return write_json(json_pack("{s:I}", "flushed", (json_int_t)count), out, size);
}

static size_t cache_answer(struct site *site, const char *what, char *out, size_t size)
{
    static const char flush_one[] = "flush ", flush_below[] = "flush-below ";
    size_t view = 0;
    if (site->names == NULL || next_resolver(site, &view) == NULL)
        return say_error("this site does not resolve names of others", out, size);
    if (strcmp(what, "stats") == 0)
        return write_json(stats_json(site), out, size);
    if (strcmp(what, "dump") == 0 || strcmp(what, "dump json") == 0)
        return dump_alone(site, what[4] != '\0', out, size);
    if (strncmp(what, flush_one, sizeof flush_one - 1) == 0)
        return flush(site, what + sizeof flush_one - 1, false, out, size);
    if (strncmp(what, flush_below, sizeof flush_below - 1) == 0)
        return flush(site, what + sizeof flush_below - 1, true, out, size);
    return say_error("of the cache: stats, dump, flush NAME", out, size);
}

char *site_answer(void *self, const char *question, size_t *len)
{
    static const char cache[] = "cache ";
    struct site *site = self;
    bool dumps = strncmp(question, "cache dump", 10) == 0;
    size_t size = dumps ? CONTROL_ANSWER_MAX : STATUS_MAX;
    char *out = malloc(size);
    if (out == NULL)
        return NULL;
    if (strcmp(question, "status") == 0)
        *len = site_status(site, out, size);
    else if (strncmp(question, cache, sizeof cache - 1) == 0)
        *len = cache_answer(site, question + sizeof cache - 1, out, size);
    else
        *len = say_error("the questions known are: status, cache …", out, size);
    if (dumps && *len == 0) /* an empty cache: something is to be said */
        *len = (size_t)snprintf(out, size, "\n");
    char *shorter = realloc(out, *len + 1);
    return shorter != NULL ? shorter : out;
}

/* SPDX-License-Identifier: ISC */
/*
 * names_resolver.c - recursion: the resolver's machine with its cache, and who may use it. Its sockets
 * are those of names_outside.c.
 */
#include "app/names/names_resolver.h"

#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"
#include "wire/dns/dns_master.h"

/* The root servers' addresses, as IANA publishes them in the root hints (RFC 8109 §2). */
static const char *const root_servers[] = {
    "198.41.0.4",     "2001:503:ba3e::2:30", "170.247.170.2",  "2801:1b8:10::b",
    "192.33.4.12",    "2001:500:2::c",       "199.7.91.13",    "2001:500:2d::d",
    "192.203.230.10", "2001:500:a8::e",      "192.5.5.241",    "2001:500:2f::f",
    "192.112.36.4",   "2001:500:12::d0d",    "198.97.190.53",  "2001:500:1::53",
    "192.36.148.17",  "2001:7fe::53",        "192.58.128.30",  "2001:503:c27::2:30",
    "193.0.14.129",   "2001:7fd::1",         "199.7.83.42",    "2001:500:9f::42",
    "202.12.27.33",   "2001:dc3::35",
};
_Static_assert(ARRAY_LEN(root_servers) <= RESOLVER_HINTS_MAX, "all of them fit");

/* IANA's root-anchors.xml: the keys of 2017 and of 2024. */
const char names_root_anchors[] =
    ". DS 20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d\n"
    ". DS 38696 8 2 683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16\n";

void names_recursion_init(struct names_recursion *recursion)
{
    *recursion = (struct names_recursion){
        .v4 = true,
        .v6 = true,
        .minimise = true,
        .aggressive = true,
        .cache_octets = (size_t)64 * 1024 * 1024,
        .ttl_max = CACHE_TTL_MAX_DEFAULT,
        .negative_ttl_max = CACHE_NEGATIVE_TTL_MAX_DEFAULT,
    };
}

bool names_recursion_forward(struct names_recursion *recursion, const struct dns_name *domain,
                             const struct endpoint *servers, size_t count)
{
    if (recursion->forward_count == RESOLVER_FORWARDS_MAX || count > DNS_SERVERS_MAX)
        return false;
    struct resolver_forward *f = &recursion->forwards[recursion->forward_count++];
    f->domain = *domain;
    f->count = count;
    memcpy(f->servers, servers, count * sizeof *servers);
    return true;
}

static bool take_hint(const struct dns_record *record, struct names_recursion *out)
{
    struct reader r = reader_of(record->rdata);
    if ((record->type != DNS_A && record->type != DNS_AAAA) ||
        out->hint_count == RESOLVER_HINTS_MAX)
        return false;
    struct ip_address *a = &out->hints[out->hint_count++];
    if (record->type == DNS_A)
        *a = address_v4(read_u32(&r));
    else
        read_copy(&r, a->octets, sizeof a->octets);
    return true;
}

/* Reads a file of records; `take` is told of each and says whether it is one of those wanted. */
static bool read_records(struct bytes file, struct names_recursion *out, const char *wanted,
                         bool (*take)(const struct dns_record *, struct names_recursion *),
                         struct text *error)
{
    struct dns_name root;
    struct dns_master master;
    uint8_t *rdata = malloc(DNS_RDATA_MAX);
    struct dns_master_item *item = malloc(sizeof *item);
    enum dns_master_kind kind = DNS_MASTER_ERROR;
    size_t taken = 0;
    dns_name_root(&root);
    dns_master_start(&master, file, &root);
    if (rdata == NULL || item == NULL)
        text_add(error, "no memory");
    while (rdata != NULL && item != NULL) {
        struct writer w = writer_of(rdata, DNS_RDATA_MAX);
        kind = dns_master_next(&master, &w, item);
        if (kind != DNS_MASTER_RECORD)
            break;
        taken += take(&item->record, out);
    }
    if (kind == DNS_MASTER_ERROR && item != NULL)
        text_add_format(error, "line %u: %s", item->line, item->error);
    else if (kind == DNS_MASTER_INCLUDE)
        text_add(error, "expected records, not $INCLUDE");
    else if (kind == DNS_MASTER_END && taken == 0)
        text_add_format(error, "expected %s", wanted);
    free(rdata);
    free(item);
    return kind == DNS_MASTER_END && taken > 0;
}

bool names_recursion_hints(struct bytes file, struct names_recursion *out, struct text *error)
{
    out->hint_count = 0;
    return read_records(file, out, "A or AAAA records of root servers", take_hint, error);
}

static struct resolver_anchor *anchor_of(struct names_recursion *out, const struct dns_name *zone)
{
    for (size_t i = 0; i < out->anchor_count; i++)
        if (dns_name_equal(&out->anchors[i].zone, zone))
            return &out->anchors[i];
    if (out->anchor_count == RESOLVER_ANCHORS_MAX)
        return NULL;
    struct resolver_anchor *anchor = &out->anchors[out->anchor_count++];
    *anchor = (struct resolver_anchor){.zone = *zone};
    return anchor;
}

static bool take_anchor(const struct dns_record *record, struct names_recursion *out)
{
    uint8_t buffer[VALIDATE_DS_LEN_MAX];
    if ((record->type != DNS_DS && record->type != DNS_DNSKEY) || record->rdata.len < 4)
        return false;
    struct bytes ds = record->type == DNS_DS ? record->rdata
                                             : validate_make_ds(out->crypto, &record->owner,
                                                                record->rdata, buffer);
    struct resolver_anchor *anchor = anchor_of(out, &record->owner);
    if (anchor == NULL || anchor->ds_len + 2 + ds.len > sizeof anchor->ds)
        return false;
    struct writer w = writer_of(anchor->ds + anchor->ds_len, sizeof anchor->ds - anchor->ds_len);
    cache_write_rdata(&w, ds);
    anchor->ds_len += writer_len(&w);
    return true;
}

bool names_recursion_anchors(struct bytes file, struct names_recursion *out, struct text *error)
{
    ASSERT(out->crypto != NULL);
    return read_records(file, out, "DS or DNSKEY records, of at most 8 zones", take_anchor, error);
}

static void take_roots(const struct names_recursion *recursion, struct resolver_options *out)
{
    out->hint_count = recursion->hint_count;
    memcpy(out->hints, recursion->hints, sizeof out->hints);
    if (out->hint_count > 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(root_servers); i++) {
        bool ok = address_parse(bytes_of_text(root_servers[i]), &out->hints[i]);
        ASSERT(ok);
    }
    out->hint_count = ARRAY_LEN(root_servers);
}

/* ---- which there are ---- */

static struct names_asking *own_asking(const struct names *names, size_t view)
{
    return view == NAMES_EVERYBODY ? names->asking : names->views[view].asking;
}

struct names_asking *names_asking_in(const struct names *names, size_t view)
{
    struct names_asking *own = own_asking(names, view);
    return own != NULL ? own : names->asking;
}

struct names_asking *names_asking_next(const struct names *names, const struct names_asking *after)
{
    size_t view = after == NULL || after->view == NAMES_EVERYBODY ? 0 : after->view + 1;
    if (after == NULL && names->asking != NULL)
        return names->asking;
    while (view < names->view_count && names->views[view].asking == NULL)
        view++;
    return view < names->view_count ? names->views[view].asking : NULL;
}

static struct cache *open_cache(const struct names_asking *asking, const struct names_recursion *recursion)
{
    struct siphash_key key;
    struct cache_options options;
    struct names *names = asking->names;
    const struct names_asking *first = own_asking(names->first, asking->view);
    if (names->first != names && first != NULL)
        return cache_join(first->cache);
    struct prng *prng = loop_prng(names->loop);
    key.k0 = prng_u64(prng);
    key.k1 = prng_u64(prng);
    cache_options_init(&options, &names->heap, &key);
    options.octets_max = recursion->cache_octets;
    options.ttl_min = recursion->ttl_min;
    options.ttl_max = recursion->ttl_max;
    options.negative_ttl_max = recursion->negative_ttl_max;
    options.stale_max = recursion->stale_max;
    options.sharing = names_crew_sharing(names);
    return cache_new(&options);
}

int names_resolver_open(struct names_asking *asking, const struct names_recursion *recursion)
{
    struct resolver_options *options = calloc(1, sizeof *options);
    struct names *names = asking->names;
    asking->cache = open_cache(asking, recursion);
    if (options != NULL && asking->cache != NULL) {
        options->heap = names->heap;
        options->cache = asking->cache;
        options->v4 = recursion->v4;
        options->v6 = recursion->v6;
        options->dns64 = recursion->dns64;
        options->minimise = recursion->minimise;
        options->aggressive = recursion->aggressive;
        options->stale = recursion->stale_max > 0;
        options->port = recursion->port;
        options->forward_count = recursion->forward_count;
        memcpy(options->forwards, recursion->forwards, sizeof options->forwards);
        options->crypto = recursion->crypto;
        options->wall_at_zero =
            loop_wall_seconds(names->loop) - loop_now(names->loop) / USEC_PER_SEC;
        options->wall_fixed = recursion->date;
        options->anchor_count = recursion->anchor_count;
        memcpy(options->anchors, recursion->anchors, sizeof options->anchors);
        options->insecure_count = recursion->insecure_count;
        memcpy(options->insecure, recursion->insecure, sizeof options->insecure);
        take_roots(recursion, options);
        asking->resolver = resolver_new(options, loop_prng(names->loop), loop_now(names->loop));
    }
    free(options);
    if (asking->resolver == NULL)
        return -ENOMEM;
    resolver_set_policies(asking->resolver, &names->first->policies);
    return asking->view == NAMES_EVERYBODY ? names_hot_open(names, recursion) : 0;
}

void names_resolver_close(struct names_asking *asking)
{
    struct names *names = asking->names;
    resolver_free(asking->resolver);
    cache_free(asking->cache);
    if (asking->view != NAMES_EVERYBODY)
        return;
    hot_answers_free(names->hot);
    names->hot = NULL;
}

/* No limit works in silence; but whoever floods us does not fill the log. */
static void tell_full(const struct names_asking *asking)
{
    struct names *names = asking->names;
    char line[160];
    struct text text = text_of(line, sizeof line);
    struct resolver_counters c;
    usec now = loop_now(names->loop);
    if (names->told_full_at != 0 && now - names->told_full_at < NAMES_FULL_INTERVAL)
        return;
    names->told_full_at = now;
    resolver_counters(asking->resolver, &c);
    text_add_format(&text, "too many questions under way, %llu so far answered SERVFAIL: "
                           "at most %d, of %d clients",
                    (unsigned long long)c.refused, RESOLVER_TASKS, RESOLVER_CLIENTS);
    names_trouble(names, line);
}

bool names_resolver_ask(struct names_asking *asking, const struct resolver_client *client,
                        struct answer_result *result)
{
    struct answer_work *work = &result->work;
    struct names *names = asking->names;
    switch (resolver_ask(asking->resolver, client, work, loop_now(names->loop))) {
    case RESOLVER_TAKEN:
        names->counters.forwarded++;
        loop_queue(names->loop, &asking->task);
        return false;
    case RESOLVER_DUPLICATE:
        return false;
    case RESOLVER_ANSWERED:
        loop_queue(names->loop, &asking->task); /* it may want to look ahead */
        result->dropped = work->dropped;
        result->reply = answer_end(work);
        result->rcode = work->rcode;
        result->kind = work->kind;
        result->source = work->source;
        return true;
    case RESOLVER_FULL:
        break;
    }
    tell_full(asking);
    names->counters.forward_failed++;
    result->rcode = DNS_SERVFAIL;
    result->reply = answer_refuse(work->options, work->query, DNS_SERVFAIL,
                                  names_reply_buffer(names));
    return true;
}

void names_resolver_recall(struct names_asking *asking, struct answer_result *result)
{
    struct answer_work *work = &result->work;
    resolver_recall(asking->resolver, work, loop_now(asking->names->loop));
    result->dropped = work->dropped;
    result->reply = answer_end(work);
    result->rcode = work->rcode;
    result->kind = work->kind;
    result->source = work->source;
}

static void reply(struct names_asking *asking, const struct resolver_event *event)
{
    struct names *names = asking->names;
    const struct resolver_client *client = &event->client;
    struct answer_work work;
    if (answer_resume(&work, names_answering(names, &client->query), &client->query,
                      &event->target, names_reply_buffer(names)))
        resolver_fill(asking->resolver, event->task, &work, loop_now(names->loop));
    names->counters.forward_failed += work.rcode == DNS_SERVFAIL;
    names_reply_forwarded(names, client, work.dropped ? bytes_empty() : answer_end(&work), work.rcode);
}

void names_resolver_run(struct names_asking *asking)
{
    struct names *names = asking->names;
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct resolver_event event;
    dgram_hold(names->dgram);
    while (resolver_next(asking->resolver, loop_now(names->loop), buffer, &event)) {
        switch (event.kind) {
        case RESOLVER_SEND:
            names_outside_send(asking, event.task, &event.send);
            break;
        case RESOLVER_REPLY:
            reply(asking, &event);
            break;
        case RESOLVER_CLOSE:
            names_outside_shut(asking, event.task);
            break;
        }
    }
    dgram_flush(names->dgram);
    loop_set_alarm(names->loop, &asking->alarm, resolver_deadline(asking->resolver));
}

struct cache *names_cache(const struct names *names, size_t view)
{
    const struct names_asking *asking = own_asking(names, view);
    return asking != NULL ? asking->cache : NULL;
}

const struct resolver *names_resolver(const struct names *names, size_t view)
{
    const struct names_asking *asking = own_asking(names, view);
    return asking != NULL ? asking->resolver : NULL;
}

size_t names_flush(struct names *names, const struct dns_name *name, bool below)
{
    struct names *member = NULL;
    struct names_asking *asking = NULL;
    size_t count = 0;
    zone_set_close(names->zones);
    while ((member = names_crew_next(names, member)) != NULL)
        for (asking = NULL; (asking = names_asking_next(member, asking)) != NULL;)
            resolver_forget(asking->resolver);
    names_hot_forget(names);
    while ((asking = names_asking_next(names, asking)) != NULL)
        count += cache_flush(asking->cache, name, below);
    zone_set_open(names->zones);
    return count;
}

void names_asking_renew(struct names_asking *asking, const struct dns_name *name, uint16_t type)
{
    const struct dns_question question = {*name, type, DNS_IN};
    resolver_renew(asking->resolver, &question, loop_now(asking->names->loop));
    loop_queue(asking->names->loop, &asking->task);
}

void names_renew(struct names *names, const struct dns_name *name, uint16_t type)
{
    if (names->asking != NULL)
        names_asking_renew(names->asking, name, type);
}

int names_set_roots(struct names *names, const struct names_recursion *recursion)
{
    struct resolver_options *options = calloc(1, sizeof *options);
    if (options == NULL)
        return -ENOMEM;
    options->anchor_count = recursion->anchor_count;
    memcpy(options->anchors, recursion->anchors, sizeof options->anchors);
    take_roots(recursion, options);
    struct names *member = NULL;
    zone_set_close(names->zones);
    while ((member = names_crew_next(names, member)) != NULL)
        for (struct names_asking *asking = NULL; (asking = names_asking_next(member, asking)) != NULL;)
            (void)resolver_set_roots(asking->resolver, options);
    names_hot_forget(names);
    zone_set_open(names->zones);
    free(options);
    return 0;
}

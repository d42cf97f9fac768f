/* SPDX-License-Identifier: ISC */
/*
 * http_cache_ask.c - what is found for a request (RFC 9111 §4): the variant that matches, whether it
 * may be used, who asks the origin otherwise, and who waits for that; and what of a stored response
 * is the answer, by the request's conditions (§4.3.2) and range.
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/http_conditions.h"
#include "wire/http/http_date.h"

/* ---- matching ---- */

bool http_cache_matches(const struct http_cache_entry *entry, const struct http_fields *request)
{
    uint8_t key[HTTP_VARY_KEY_MAX];
    struct writer w = writer_of(key, sizeof key);
    if (entry->names_len == 0)
        return true;
    return http_vary_key(bytes_of(entry->vary, entry->names_len), request, &w) &&
           bytes_equal(writer_bytes(&w), bytes_of(entry->vary + entry->names_len, entry->key_len));
}

/* Of several that match, the most recent by Date; of those the one that came last (§4.1). */
static struct http_cache_entry *choose(const struct http_cache_set *set, bool trusted,
                                       const struct http_fields *request)
{
    struct http_cache_entry *best = NULL;
    for (struct list_node *node = set->entries.next; node != &set->entries; node = node->next) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        if (!entry->broken && http_cache_is_for(entry, trusted) && (best == NULL || entry->facts.date > best->facts.date) &&
            http_cache_matches(entry, request))
            best = entry;
    }
    return best;
}

/* ---- conditions and ranges ---- */

/* With which date If-Modified-Since is compared (§4.3.2): Last-Modified, or else Date. */
static struct http_representation representation(const struct http_cache_entry *entry)
{
    return (struct http_representation){
        .exists = true,
        .etag = http_cache_stored(entry, "ETag"),
        .modified = entry->facts.modified != HTTP_NO_DATE ? entry->facts.modified
                                                          : entry->facts.date,
    };
}

/* If-Range takes a date only when there is a Last-Modified. */
static bool range_applies(const struct http_cache_entry *entry, const struct http_fields *fields,
                          int64_t wall)
{
    struct http_representation there = representation(entry);
    there.modified = entry->facts.modified;
    return http_if_range_holds(fields, &there, wall);
}

static void answer_bodiless(struct http_cache_ask *ask, unsigned status)
{
    ask->status = status;
    ask->at = ask->first = ask->end = 0;
}

/* The range that is asked for, if one is and may be answered. Several at once are answered by the
 * whole, which is always right (RFC 9110 §14.2). False: the entry lacks octets of it. */
static bool answer_range(struct http_cache_ask *ask, const struct http_cache_entry *entry,
                         struct bytes value)
{
    struct http_ranges ranges;
    switch (http_range_parse(value, entry->total, &ranges)) {
    case HTTP_RANGE_SATISFIABLE:
        if (ranges.count != 1)
            break;
        ask->status = 206;
        ask->ranged = true;
        ask->first = ask->at = ranges.list[0].first;
        ask->end = ask->first + ranges.list[0].len;
        return !entry->partial || http_body_end(&entry->body, ask->first) >= ask->end;
    case HTTP_RANGE_UNSATISFIABLE:
        answer_bodiless(ask, 416);
        return true;
    case HTTP_RANGE_IGNORED:
        break;
    }
    return !entry->partial;
}

/* What of the entry the request is answered with. */
static bool settle(struct http_cache_ask *ask, const struct http_cache_entry *entry,
                   const struct http_cache_request *request, bool evaluate, int64_t wall)
{
    struct bytes range;
    ask->status = entry->facts.status;
    ask->ranged = false;
    ask->first = ask->at = 0;
    ask->end = entry->total;
    /* Conditions ask about what would otherwise be a 200 (RFC 9110 §13.2.1). */
    if (evaluate && entry->facts.status == 200) {
        struct http_representation there = representation(entry);
        if (http_conditions_check(request->fields, true, &there, wall) == 304) {
            answer_bodiless(ask, 304);
            return true;
        }
        if (!ask->head_only && entry->total != HTTP_CACHE_LENGTH_UNKNOWN &&
            http_field_find(request->fields, "Range", &range) &&
            range_applies(entry, request->fields, wall))
            return answer_range(ask, entry, range);
    }
    return !entry->partial || ask->head_only;
}

static void drop_saved(struct http_cache_ask *ask)
{
    heap_release(&ask->cache->options.heap, ask->saved, ask->saved_len);
    ask->saved = NULL;
    ask->saved_len = 0;
}

bool http_cache_answer(struct http_cache_ask *ask, struct http_cache_entry *entry,
                       const struct http_cache_request *request, bool evaluate,
                       struct http_cache_time time)
{
    if (!settle(ask, entry, request, evaluate, time.wall))
        return false;
    http_cache_entry_hold(entry);
    list_remove(&ask->node);
    list_append(&entry->readers, &ask->node);
    ask->entry = entry;
    ask->verdict = HTTP_CACHE_ANSWER;
    if (http_cache_answer_file(ask) == NULL)
        drop_saved(ask);
    else if (ask->saved == NULL) /* who looks into the file may find that it is not the answer */
        ask->saved = http_cache_save(ask->cache, request, &ask->saved_len);
    return true;
}

/* ---- the origin is to be asked ---- */

static bool is_method(const struct http_cache_request *request, const char *method)
{
    return bytes_equal(request->method, bytes_of_text(method));
}

static bool has_field(const struct http_fields *fields, const char *name)
{
    struct bytes value;
    return http_field_find(fields, name, &value);
}

static bool is_conditional(const struct http_fields *fields)
{
    static const char *const names[] = {"If-Match", "If-None-Match", "If-Modified-Since",
                                        "If-Unmodified-Since", "If-Range"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (has_field(fields, names[i]))
            return true;
    return false;
}

/* What it brings may serve others too, as far as can be told now. */
static bool is_collapsible(const struct http_cache_fill *fill,
                           const struct http_cache_request *request)
{
    if (fill->set == NULL || !is_method(request, "GET") || fill->wishes.authorized ||
        http_cc_has(&fill->wishes.cc, HTTP_CC_NO_STORE) ||
        http_cache_passes(fill->cache, fill->set->hash))
        return false;
    return fill->mode == FILL_VALIDATE || fill->mode == FILL_CHOOSE ||
           (!has_field(request->fields, "Range") && !is_conditional(request->fields));
}

static struct http_cache_fill *make_fill(struct http_cache *cache,
                                         const struct http_cache_request *request,
                                         enum fill_mode mode, struct http_cache_entry *entry)
{
    struct http_cache_fill *fill = heap_zeroed(&cache->options.heap, sizeof *fill);
    if (fill == NULL) {
        cache->counters.no_memory++;
        return NULL;
    }
    fill->cache = cache;
    fill->mode = mode;
    fill->request_at = cache->now;
    fill->end = HTTP_CACHE_LENGTH_UNKNOWN;
    list_init(&fill->in_set);
    list_init(&fill->attention);
    list_init(&fill->waiters);
    http_cache_wishes(request->fields, &fill->wishes);
    fill->saved = http_cache_save(cache, request, &fill->saved_len);
    if (fill->saved == NULL) {
        heap_release(&cache->options.heap, fill, sizeof *fill);
        return NULL;
    }
    fill->entry = entry;
    if (entry != NULL)
        http_cache_entry_hold(entry);
    fill->may_store = !request->alone;
    fill->trusted = request->trusted;
    fill->set = !request->alone && is_method(request, "GET") && cache->options.octets_max > 0
                    ? http_cache_make_set(cache, request->uri)
                    : NULL;
    if (fill->set != NULL)
        list_append(&fill->set->fills, &fill->in_set);
    fill->collapsible = is_collapsible(fill, request);
    return fill;
}

static void forward(struct http_cache_ask *ask, const struct http_cache_request *request,
                    enum fill_mode mode, struct http_cache_entry *entry)
{
    struct http_cache *cache = ask->cache;
    struct http_cache_fill *fill = make_fill(cache, request, mode, entry);
    drop_saved(ask);
    if (fill == NULL) {
        ask->verdict = HTTP_CACHE_REFUSED;
        return;
    }
    fill->leader = ask;
    ask->fill = fill;
    ask->leads = true;
    ask->verdict = HTTP_CACHE_FORWARD;
    cache->counters.misses++;
    cache->counters.validations += mode == FILL_VALIDATE || mode == FILL_CHOOSE;
}

/* ---- waiting ---- */

/* A fill that may bring what the request wants. Where requests for the URI are known to differ, the
 * one that it is for must not. */
static struct http_cache_fill *fill_to_wait_for(const struct http_cache_ask *ask,
                                                const struct http_cache_set *set,
                                                const struct http_cache_request *request)
{
    if (ask->wishes.authorized || http_cc_has(&ask->wishes.cc, HTTP_CC_NO_CACHE) ||
        http_cc_has(&ask->wishes.cc, HTTP_CC_NO_STORE) ||
        (http_cc_has(&ask->wishes.cc, HTTP_CC_MAX_AGE) &&
         ask->wishes.cc.seconds[HTTP_CC_MAX_AGE] == 0))
        return NULL;
    for (struct list_node *node = set->fills.next; node != &set->fills; node = node->next) {
        struct http_cache_fill *fill = CONTAINER_OF(node, struct http_cache_fill, in_set);
        if (!fill->collapsible || fill->headed || fill->waiter_count >= HTTP_CACHE_WAITERS_MAX ||
            fill->trusted != ask->trusted)
            continue;
        if (list_empty(&set->entries))
            return fill;
        const struct http_cache_entry *any =
            CONTAINER_OF(set->entries.next, struct http_cache_entry, in_set);
        uint8_t ours[HTTP_VARY_KEY_MAX], theirs[HTTP_VARY_KEY_MAX];
        struct writer a = writer_of(ours, sizeof ours), b = writer_of(theirs, sizeof theirs);
        struct saved_request saved;
        struct bytes names = bytes_of(any->vary, any->names_len);
        http_cache_restore(fill->saved, fill->saved_len, &saved);
        if (http_vary_key(names, request->fields, &a) && http_vary_key(names, &saved.fields, &b) &&
            bytes_equal(writer_bytes(&a), writer_bytes(&b)))
            return fill;
    }
    return NULL;
}

static bool wait_for(struct http_cache_ask *ask, struct http_cache_fill *fill,
                     const struct http_cache_request *request)
{
    if (ask->saved == NULL) {
        ask->saved = http_cache_save(ask->cache, request, &ask->saved_len);
        if (ask->saved == NULL)
            return false;
    }
    ask->verdict = HTTP_CACHE_WAIT;
    ask->fill = fill;
    ask->collapsed = true;
    list_append(&fill->waiters, &ask->node);
    fill->waiter_count++;
    ask->cache->counters.collapsed++;
    return true;
}

/* ---- the decision ---- */

static bool can_be_validated(const struct http_cache_entry *entry)
{
    return http_cache_stored(entry, "ETag").len > 0 || entry->facts.modified != HTTP_NO_DATE;
}

/* A stored response whose answer waits for others: validated once for all that ask meanwhile. */
static void validate_behind(struct http_cache_ask *ask, struct http_cache_entry *entry,
                            const struct http_cache_request *request)
{
    for (struct list_node *node = entry->set->fills.next; node != &entry->set->fills;
         node = node->next)
        if (CONTAINER_OF(node, struct http_cache_fill, in_set)->entry == entry)
            return;
    if (ask->cache->behind_count >= HTTP_CACHE_BEHIND_MAX)
        return;
    struct http_cache_request get = *request;
    get.method = bytes_of_text("GET");
    struct http_cache_fill *fill =
        make_fill(ask->cache, &get, can_be_validated(entry) ? FILL_VALIDATE : FILL_PLAIN, entry);
    if (fill == NULL)
        return;
    fill->behind = true;
    ask->cache->behind_count++;
    ask->cache->counters.validations++;
    http_cache_attend(fill, HTTP_CACHE_FILL_START);
}

/* True: answered from what is stored. */
static bool answer_stored(struct http_cache_ask *ask, struct http_cache_entry *entry,
                          const struct http_cache_request *request, struct http_cache_time time)
{
    struct http_cache *cache = ask->cache;
    enum http_cache_use use =
        http_cache_judge(&cache->options.rules, &entry->facts, &ask->wishes, time.now);
    if (use == HTTP_CACHE_USE_VALID || !http_cache_answer(ask, entry, request, true, time))
        return false;
    ask->reason = HTTP_CACHE_HIT;
    if (!entry->place.visited) /* the one thing that a hit writes */
        entry->place.visited = true;
    if (entry->file != NULL && !entry->file->place.visited)
        entry->file->place.visited = true;
    cache->counters.hits++;
    cache->counters.file_hits += http_cache_answer_file(ask) != NULL;
    cache->counters.stale_hits += http_cache_ttl(&entry->facts, time.now) < 0;
    if (use == HTTP_CACHE_USE_BEHIND)
        validate_behind(ask, entry, request);
    return true;
}

/* Could what is missing of the entry be asked for alone (§3.3)? From its start without a gap, and by
 * a strong validator. */
static bool can_be_completed(const struct http_cache_entry *entry,
                             const struct http_cache_request *request)
{
    return entry->partial && entry->fill == NULL && is_method(request, "GET") &&
           !has_field(request->fields, "Range") && !is_conditional(request->fields) &&
           http_cache_is_strong(http_cache_stored(entry, "ETag")) && http_body_end(&entry->body, 0) > 0;
}

static void go_to_origin(struct http_cache_ask *ask, struct http_cache_entry *entry,
                         const struct http_cache_set *set,
                         const struct http_cache_request *request)
{
    enum fill_mode mode = FILL_PLAIN;
    if (http_cc_has(&ask->wishes.cc, HTTP_CC_NO_STORE)) {
        entry = NULL; /* what comes must leave no trace, not even in what is stored (§5.2.1.5) */
    } else if (!is_method(request, "GET")) {
        entry = NULL; /* HEAD is answered by the origin, and then says of what is stored (§4.3.5) */
    } else if (entry == NULL && set != NULL && !list_empty(&set->entries) &&
               !is_conditional(request->fields) && !has_field(request->fields, "Range")) {
        mode = FILL_CHOOSE;
    } else if (entry != NULL && can_be_completed(entry, request)) {
        mode = FILL_COMPLETE;
    } else if (entry != NULL && !entry->partial && entry->fill == NULL &&
               can_be_validated(entry)) {
        mode = FILL_VALIDATE;
    } else {
        entry = NULL;
    }
    forward(ask, request, mode, entry);
}

static void look(struct http_cache_ask *ask, const struct http_cache_request *request, bool alone,
                 struct http_cache_time time)
{
    struct http_cache *cache = ask->cache;
    uint32_t hash;
    struct http_cache_set *set = http_cache_find_set(cache, request->uri, &hash);
    struct http_cache_entry *entry = set != NULL ? choose(set, ask->trusted, request->fields) : NULL;
    if (entry != NULL && answer_stored(ask, entry, request, time))
        return;
    ask->reason = set == NULL || list_empty(&set->entries) ? HTTP_CACHE_URI_MISS
                  : entry == NULL                            ? HTTP_CACHE_VARY_MISS
                  : entry->partial                           ? HTTP_CACHE_PARTIAL
                                                             : HTTP_CACHE_STALE;
    if (entry != NULL && http_cache_ttl(&entry->facts, time.now) > 0 && !entry->partial)
        ask->reason = HTTP_CACHE_BY_REQUEST;
    if (http_cc_has(&ask->wishes.cc, HTTP_CC_ONLY_IF_CACHED)) {
        drop_saved(ask);
        ask->verdict = HTTP_CACHE_FAIL;
        return;
    }
    struct http_cache_fill *other =
        set != NULL && !alone ? fill_to_wait_for(ask, set, request) : NULL;
    if (other == NULL || !wait_for(ask, other, request))
        go_to_origin(ask, entry, set, request);
}

void http_cache_ask(struct http_cache *cache, struct http_cache_ask *ask,
                    const struct http_cache_request *request, struct http_cache_time time)
{
    *ask = (struct http_cache_ask){.cache = cache, .trusted = request->trusted};
    list_init(&ask->node);
    list_init(&ask->ready);
    cache->now = time.now;
    http_cache_wishes(request->fields, &ask->wishes);
    ask->head_only = is_method(request, "HEAD");
    ask->get = ask->head_only || is_method(request, "GET");
    if (!ask->get || request->alone) {
        ask->reason = ask->get ? HTTP_CACHE_BY_REQUEST : HTTP_CACHE_BY_METHOD;
        forward(ask, request, FILL_PLAIN, NULL);
        return;
    }
    /* Conditions that are for the origin alone (§4.3.2). */
    if (has_field(request->fields, "If-Match") ||
        has_field(request->fields, "If-Unmodified-Since")) {
        ask->reason = HTTP_CACHE_BY_REQUEST;
        forward(ask, request, FILL_PLAIN, NULL);
        return;
    }
    look(ask, request, false, time);
}

/* The request that is saved is the caller's, as a block to be released: look() may drop what the ask has. */
static uint8_t *take_saved(struct http_cache_ask *ask, size_t *len, struct saved_request *saved,
                           struct http_cache_request *out)
{
    uint8_t *block = ask->saved;
    *len = ask->saved_len;
    ask->saved = NULL;
    ask->saved_len = 0;
    ask->collapsed = false;
    ask->fill = NULL;
    http_cache_restore(block, *len, saved);
    *out = (struct http_cache_request){.method = saved->method,
                                       .uri = saved->uri,
                                       .target = saved->target,
                                       .fields = &saved->fields,
                                       .trusted = ask->trusted};
    return block;
}

void http_cache_ask_again(struct http_cache_ask *ask, bool alone, struct http_cache_time time)
{
    struct saved_request saved;
    struct http_cache_request request;
    size_t len;
    uint8_t *block = take_saved(ask, &len, &saved, &request);
    look(ask, &request, alone, time);
    heap_release(&ask->cache->options.heap, block, len);
    http_cache_wake(ask->cache, ask);
}

/* ---- answers that cannot be read ---- */

/* As it was before it was answered. False: what was asked for is not known any more. */
static bool take_back(struct http_cache_ask *ask, usec now)
{
    struct http_cache *cache = ask->cache;
    ASSERT(ask->verdict == HTTP_CACHE_ANSWER && ask->at == ask->first);
    cache->now = now;
    http_cache_detach(ask);
    ask->leads = ask->stored = ask->validated = ask->ranged = false;
    ask->fwd_status = 0;
    heap_release(&cache->options.heap, ask->private_fields, ask->private_len);
    ask->private_fields = NULL;
    ask->private_len = 0;
    if (ask->saved != NULL)
        return true;
    ask->verdict = HTTP_CACHE_REFUSED;
    http_cache_wake(cache, ask);
    return false;
}

void http_cache_ask_unreadable(struct http_cache_ask *ask, struct http_cache_time time)
{
    if (ask->entry->file != NULL)
        http_cache_file_failed(ask->entry->file);
    if (take_back(ask, time.now))
        http_cache_ask_again(ask, false, time);
}

void http_cache_ask_around(struct http_cache_ask *ask, struct http_cache_time time)
{
    struct saved_request saved;
    struct http_cache_request request;
    size_t len;
    if (!take_back(ask, time.now))
        return;
    uint8_t *block = take_saved(ask, &len, &saved, &request);
    request.alone = true;
    ask->reason = HTTP_CACHE_BY_REQUEST;
    if (http_cc_has(&ask->wishes.cc, HTTP_CC_ONLY_IF_CACHED))
        ask->verdict = HTTP_CACHE_FAIL;
    else
        forward(ask, &request, FILL_PLAIN, NULL);
    heap_release(&ask->cache->options.heap, block, len);
    http_cache_wake(ask->cache, ask);
}

enum http_cache_verdict http_cache_verdict(const struct http_cache_ask *ask)
{
    return ask->verdict;
}

struct http_cache_fill *http_cache_ask_fill(const struct http_cache_ask *ask)
{
    return ask->verdict == HTTP_CACHE_FORWARD ? ask->fill : NULL;
}

/* ---- letting go ---- */

/* Is it worth to go on without a reader? Not with what only passes through, nor with much that may
 * never be asked for. */
static bool is_worth_its_end(const struct http_cache_fill *fill)
{
    return fill->keep && fill->end != HTTP_CACHE_LENGTH_UNKNOWN &&
           fill->end - fill->at <= HTTP_CACHE_FINISH_MAX;
}

static void leave_entry(struct http_cache *cache, struct http_cache_entry *entry)
{
    struct http_cache_fill *fill = entry->fill;
    if (fill != NULL && list_empty(&entry->readers) && !is_worth_its_end(fill))
        http_cache_attend(fill, HTTP_CACHE_FILL_UNUSED);
    else if (fill != NULL && fill->stalled)
        http_cache_attend(fill, HTTP_CACHE_FILL_GO_ON);
    http_cache_entry_release(cache, entry);
}

void http_cache_detach(struct http_cache_ask *ask)
{
    struct http_cache *cache = ask->cache;
    struct http_cache_entry *entry = ask->entry;
    list_remove(&ask->node);
    ask->entry = NULL;
    if (ask->fill != NULL && !ask->leads) {
        ask->fill->waiter_count--;
    } else if (ask->fill != NULL) {
        ask->fill->leader = NULL;
        if (!ask->fill->headed && ask->fill->waiter_count == 0) {
            ask->fill->collapsible = false;
            http_cache_attend(ask->fill, HTTP_CACHE_FILL_UNUSED);
        }
    }
    ask->fill = NULL;
    if (entry != NULL)
        leave_entry(cache, entry);
}

void http_cache_ask_done(struct http_cache_ask *ask)
{
    if (ask->cache == NULL)
        return;
    http_cache_detach(ask);
    list_remove(&ask->ready);
    drop_saved(ask);
    heap_release(&ask->cache->options.heap, ask->private_fields, ask->private_len);
    ask->private_fields = NULL;
    ask->cache = NULL;
}

/* SPDX-License-Identifier: ISC */
/*
 * http_cache_file.c - the second tier: which entries have a file, what is to be done with it, and room among
 * files.
 */
#include "proto/http/http_cache_tail.h"

#include "proto/http/http_cache_internal.h"

enum { WANT_WRITE = 1, WANT_RENEW = 2, WANT_REMOVE = 4, WANT_CLOSE = 8 };

/* In the lists of what is to be done, or not. */
static void enqueue(struct http_cache_file *file)
{
    if ((file->wants & WANT_REMOVE) != 0 && !list_linked(&file->removal))
        list_append(&file->cache->removals, &file->removal);
    bool other = (file->wants & ~(unsigned)WANT_REMOVE) != 0 && file->holds == 0;
    if (other && !list_linked(&file->queue))
        list_append(&file->cache->files, &file->queue);
    else if (!other)
        list_remove(&file->queue);
}

static void want(struct http_cache_file *file, unsigned what)
{
    file->wants |= what;
    enqueue(file);
}

void http_cache_file_hold(struct http_cache_file *file)
{
    file->holds++;
    enqueue(file);
}

void http_cache_file_release(struct http_cache_file *file)
{
    ASSERT(file->holds > 0);
    file->holds--;
    enqueue(file);
}

/* It cannot be found any more. */
static bool is_hidden(const struct http_cache_file *file)
{
    return !list_linked(&file->place.node);
}

bool http_cache_grow(struct http_cache *cache, struct http_cache_entry *entry)
{
    if (entry->large)
        return true;
    entry->large = entry->fill != NULL && http_cache_file_begin(cache, entry);
    return entry->large;
}

bool http_cache_has_file(const struct http_cache_entry *entry)
{
    return entry->file != NULL && entry->file->state == HTTP_CACHE_FILE_STORED;
}

/* Among what is in use a large file stays, too. */
static void count_octets(struct http_cache_file *file, uint64_t octets)
{
    file->cache->counters.file_octets += octets - file->counted;
    file->counted = octets;
}

/* ---- beginning and ending ---- */

static struct http_cache_file *file_new(struct http_cache *cache, struct http_cache_entry *entry)
{
    struct http_cache_file *file = heap_zeroed(&cache->options.heap, sizeof *file);
    if (file == NULL) {
        cache->counters.no_memory++;
        return NULL;
    }
    file->cache = cache;
    file->entry = entry;
    file->fd = -1;
    list_init(&file->open);
    list_init(&file->queue);
    list_init(&file->removal);
    list_init(&file->place.node);
    sieve_add(&cache->file_sieve, &file->place);
    entry->file = file;
    cache->counters.files++;
    return file;
}

bool http_cache_file_begin(struct http_cache *cache, struct http_cache_entry *entry)
{
    if (cache->options.file_octets_max == 0 || entry->file != NULL || entry->set == NULL ||
        entry->partial ||
        (entry->total != HTTP_CACHE_LENGTH_UNKNOWN && entry->total > cache->options.file_object_max))
        return false;
    struct http_cache_file *file = file_new(cache, entry);
    if (file != NULL)
        want(file, WANT_WRITE);
    return file != NULL;
}

struct http_cache_file *http_cache_file_found(struct http_cache *cache, struct http_cache_set *set,
                                              struct http_cache_entry *entry,
                                              const struct http_cache_tail_end *end)
{
    uint64_t octets = end->body_len + end->tail_len;
    cache->counters.file_octets += octets; /* room for it first: it is as new as any */
    bool room = http_cache_file_room(cache, NULL);
    cache->counters.file_octets -= octets;
    struct http_cache_file *file = room ? file_new(cache, entry) : NULL;
    if (file == NULL)
        return NULL;
    file->state = HTTP_CACHE_FILE_STORED;
    file->written = end->body_len;
    file->crc = end->crc;
    count_octets(file, octets);
    entry->set = set;
    list_append(&set->entries, &entry->in_set); /* what came since is newer */
    set->count++;
    cache->counters.entries++;
    cache->counters.files_loaded++;
    http_cache_recount(cache, entry);
    (void)http_cache_make_room(cache);
    return file;
}

/* It is not found by a hit any more, nor after a start. */
void http_cache_file_hide(struct http_cache_file *file)
{
    if (is_hidden(file))
        return;
    sieve_remove(&file->cache->file_sieve, &file->place);
    file->cache->counters.files--;
    count_octets(file, 0);
    file->wants &= ~(unsigned)(WANT_WRITE | WANT_RENEW);
    want(file, WANT_REMOVE);
}

void http_cache_file_leave(struct http_cache_entry *entry)
{
    struct http_cache_file *file = entry->file;
    if (file == NULL)
        return;
    http_cache_file_hide(file);
    file->entry = NULL;
    entry->file = NULL;
    want(file, WANT_CLOSE);
}

void http_cache_file_free(struct http_cache_file *file)
{
    struct http_cache *cache = file->cache;
    ASSERT(file->entry == NULL && !list_linked(&file->open) && file->holds == 0);
    list_remove(&file->queue);
    list_remove(&file->removal);
    heap_release(&cache->options.heap, file, sizeof *file);
}

void http_cache_file_abandon(struct http_cache_entry *entry)
{
    struct http_cache_file *file = entry->file;
    if (file == NULL)
        return;
    ASSERT(!list_linked(&file->open));
    if (list_linked(&file->place.node))
        sieve_remove(&file->cache->file_sieve, &file->place);
    file->entry = NULL;
    entry->file = NULL;
    http_cache_file_free(file);
}

/* ---- what is to be done ---- */

static struct http_cache_file *next_removal(struct http_cache *cache)
{
    struct list_node *node = list_first(&cache->removals);
    if (node == NULL)
        return NULL;
    struct http_cache_file *file = CONTAINER_OF(node, struct http_cache_file, removal);
    list_remove(node);
    file->wants &= ~(unsigned)WANT_REMOVE;
    return file;
}

struct http_cache_file *http_cache_next_file(struct http_cache *cache,
                                             enum http_cache_file_want *out)
{
    static const struct {
        unsigned bit;
        enum http_cache_file_want want;
    } order[] = {{WANT_CLOSE, HTTP_CACHE_FILE_CLOSE},
                 {WANT_WRITE, HTTP_CACHE_FILE_WRITE},
                 {WANT_RENEW, HTTP_CACHE_FILE_RENEW}};
    struct http_cache_file *file = next_removal(cache);
    struct list_node *node;
    *out = HTTP_CACHE_FILE_REMOVE;
    if (file != NULL)
        return file;
    while ((node = list_first(&cache->files)) != NULL) {
        file = CONTAINER_OF(node, struct http_cache_file, queue);
        list_remove(node);
        for (size_t i = 0; i < ARRAY_LEN(order); i++) {
            if ((file->wants & order[i].bit) == 0)
                continue;
            file->wants &= ~order[i].bit;
            *out = order[i].want;
            enqueue(file);
            if (*out != HTTP_CACHE_FILE_RENEW || file->state == HTTP_CACHE_FILE_STORED)
                return file;
            break; /* it was not finished after all */
        }
    }
    return NULL;
}

bool http_cache_files_wanted(const struct http_cache *cache)
{
    return !list_empty(&cache->files) || !list_empty(&cache->removals);
}

bool http_cache_removals_wanted(const struct http_cache *cache)
{
    return !list_empty(&cache->removals);
}

/* ---- writing ---- */

struct bytes http_cache_file_octets(const struct http_cache_file *file, bool *whole)
{
    const struct http_cache_entry *entry = file->entry;
    *whole = false;
    if (entry == NULL || file->state != HTTP_CACHE_FILE_WRITING)
        return bytes_empty();
    struct bytes octets = http_body_read(&entry->body, file->written);
    /* What cannot be found any more gets no tail: only those who read it need its octets. */
    *whole = octets.len == 0 && entry->set != NULL && entry->fill == NULL &&
             file->written == entry->total;
    return octets;
}

void http_cache_file_more(struct http_cache_entry *entry)
{
    if (entry->file != NULL && entry->file->state == HTTP_CACHE_FILE_WRITING)
        want(entry->file, WANT_WRITE);
}

/* What is too large for memory is there only until it is in the file. */
static void trim_large(struct http_cache_entry *entry)
{
    struct http_cache_file *file = entry->file;
    if (!entry->large)
        return;
    http_body_trim(&entry->body, file->written);
    http_cache_recount(file->cache, entry);
    if (entry->fill != NULL && entry->fill->stalled)
        http_cache_attend(entry->fill, HTTP_CACHE_FILL_GO_ON);
}

void http_cache_file_wrote(struct http_cache_file *file, size_t len)
{
    struct http_cache_entry *entry = file->entry;
    file->written += len;
    if (entry == NULL || file->state != HTTP_CACHE_FILE_WRITING)
        return; /* nobody wants them any more */
    if (!is_hidden(file))
        count_octets(file, file->written);
    bool room = file->written <= file->cache->options.file_object_max &&
                http_cache_file_room(file->cache, file);
    trim_large(entry);
    if (!room) {
        http_cache_file_failed(file);
        return;
    }
    if (http_body_read(&entry->body, file->written).len > 0 || entry->fill == NULL)
        want(file, WANT_WRITE);
}

bool http_cache_file_is_waited_for(const struct http_cache_file *file)
{
    return file->entry != NULL && file->state == HTTP_CACHE_FILE_WRITING && file->entry->large &&
           file->entry->fill != NULL;
}

bool http_cache_file_in_use(const struct http_cache_file *file)
{
    return file->entry != NULL && file->entry->users > 0;
}

bool http_cache_file_tail(const struct http_cache_file *file, struct http_cache_time time,
                          struct writer *w)
{
    const struct http_cache_entry *entry = file->entry;
    ASSERT(entry != NULL && entry->set != NULL);
    struct http_cache_tail tail = {
        .end = {.body_len = entry->total, .crc = file->crc},
        .facts = entry->facts,
        .response_wall = time.wall - (time.now - entry->facts.response_at) / USEC_PER_SEC,
        .shared = file->cache->options.rules.shared,
        .confined = entry->confined,
        .of_parts = entry->of_parts,
        .uri = bytes_of(entry->set->uri, entry->set->uri_len),
        .names = bytes_of(entry->vary, entry->names_len),
        .key = bytes_after(bytes_of(entry->vary, (size_t)entry->names_len + entry->key_len),
                           entry->names_len),
        .head = bytes_of(entry->head, entry->head_len),
        .trailers = bytes_of(entry->trailers, entry->trailers_len),
    };
    if (tail.response_wall < 0)
        tail.response_wall = 0; /* a clock before 1970 */
    return http_cache_tail_write(&tail, w);
}

void http_cache_file_done(struct http_cache_file *file, uint64_t len)
{
    if (is_hidden(file))
        return; /* its name goes */
    ASSERT(file->entry != NULL);
    if (file->state == HTTP_CACHE_FILE_WRITING)
        file->cache->counters.files_written++;
    file->state = HTTP_CACHE_FILE_STORED;
    file->entry->large = false;
    count_octets(file, len);
    if (!http_cache_file_room(file->cache, file))
        http_cache_file_failed(file);
    else if (file->cache->counters.octets > file->cache->options.octets_max)
        (void)http_cache_account(file->cache, file->entry);
}

void http_cache_file_renew(struct http_cache_entry *entry)
{
    struct http_cache_file *file = entry->file;
    if (file == NULL || entry->set == NULL || is_hidden(file))
        return; /* it is gone, or going */
    if (file->state == HTTP_CACHE_FILE_STORED || file->holds > 0) /* who is at work has the tail, perhaps */
        want(file, WANT_RENEW);
}

/* Is all of it in memory, too? No octets are a part of anything: they are where the entry is. */
static bool is_in_memory(const struct http_cache_entry *entry)
{
    return list_linked(&entry->place.node) && entry->total != HTTP_CACHE_LENGTH_UNKNOWN && !entry->large &&
           http_body_end(&entry->body, 0) >= entry->total;
}

void http_cache_file_failed(struct http_cache_file *file)
{
    struct http_cache_entry *entry = file->entry;
    if (entry == NULL)
        return;
    file->cache->counters.files_failed++;
    bool stays = is_in_memory(entry);
    file->state = HTTP_CACHE_FILE_FAILED;
    if (stays && entry->users == 0) {
        http_cache_file_leave(entry);
        return;
    }
    http_cache_file_hide(file);
    if (entry->fill != NULL && entry->fill->stalled) /* not for the file any more */
        http_cache_attend(entry->fill, HTTP_CACHE_FILL_GO_ON);
    if (!stays)
        http_cache_entry_unlink(file->cache, entry);
}

/* ---- room ---- */

/* One file less; what is in memory, too, stays there. */
static void evict(struct http_cache *cache, struct http_cache_entry *entry)
{
    cache->counters.files_evicted++;
    if (is_in_memory(entry))
        http_cache_file_leave(entry);
    else
        http_cache_entry_unlink(cache, entry);
}

/* The next one that may go; NULL: all are in use, or were asked for. */
static struct http_cache_entry *next_victim(struct http_cache *cache,
                                            const struct http_cache_file *keep, uint64_t *mercy)
{
    struct sieve_node *node;
    while ((node = sieve_candidate(&cache->file_sieve)) != NULL && *mercy > 0) {
        struct http_cache_file *file = CONTAINER_OF(node, struct http_cache_file, place);
        --*mercy;
        if (file != keep && !node->visited && file->entry->users == 0)
            return file->entry;
        sieve_spare(&cache->file_sieve, node);
    }
    return NULL;
}

bool http_cache_file_room(struct http_cache *cache, const struct http_cache_file *keep)
{
    uint64_t mercy = 2 * cache->counters.files;
    while (cache->counters.file_octets > cache->options.file_octets_max) {
        struct http_cache_entry *entry = next_victim(cache, keep, &mercy);
        if (entry == NULL)
            return false;
        evict(cache, entry);
    }
    return true;
}

bool http_cache_file_make_heads(struct http_cache *cache)
{
    uint64_t mercy = 2 * cache->counters.files;
    while (cache->counters.octets > cache->options.octets_max) {
        struct http_cache_entry *entry = next_victim(cache, NULL, &mercy);
        if (entry == NULL)
            return false;
        cache->counters.evicted++;
        http_cache_entry_unlink(cache, entry);
    }
    return true;
}

void http_cache_file_full(struct http_cache *cache)
{
    uint64_t max = cache->options.file_octets_max;
    cache->options.file_octets_max = cache->counters.file_octets - cache->counters.file_octets / 16;
    (void)http_cache_file_room(cache, NULL);
    cache->options.file_octets_max = max;
}

/* ---- reading ---- */

struct http_cache_file *http_cache_read_file(const struct http_cache_ask *ask, uint64_t *len)
{
    struct http_cache_file *file = ask->entry->file;
    if (file == NULL || ask->at >= file->written || ask->at >= ask->end)
        return NULL;
    uint64_t end = ask->end < file->written ? ask->end : file->written;
    *len = end - ask->at;
    return file;
}

struct http_cache_file *http_cache_answer_file(const struct http_cache_ask *ask)
{
    uint64_t len;
    if (ask->head_only || ask->at >= ask->end ||
        http_body_read(&ask->entry->body, ask->at).len > 0)
        return NULL;
    return http_cache_read_file(ask, &len);
}

void http_cache_file_loaded(struct http_cache_file *file, struct bytes octets)
{
    struct http_cache_entry *entry = file->entry;
    struct http_cache *cache = file->cache;
    if (entry == NULL || entry->set == NULL || !http_cache_has_file(entry) ||
        octets.len != entry->total || entry->body.count > 0)
        return;
    if (!http_body_write(&entry->body, 0, octets, octets.len)) {
        cache->counters.no_memory++;
        http_body_done(&entry->body);
        return;
    }
    if (!list_linked(&entry->place.node))
        sieve_add(&cache->sieve, &entry->place);
    if (!http_cache_account(cache, entry))
        http_cache_drop_body(cache, entry);
}

void http_cache_drop_body(struct http_cache *cache, struct http_cache_entry *entry)
{
    ASSERT(http_cache_has_file(entry));
    http_body_done(&entry->body);
    if (list_linked(&entry->place.node))
        sieve_remove(&cache->sieve, &entry->place);
    http_cache_recount(cache, entry);
}

void http_cache_shed(struct http_cache *cache)
{
    struct list_node *node = cache->sieve.ring.next;
    while (node != &cache->sieve.ring) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, place.node);
        node = node->next;
        if (http_cache_has_file(entry) && entry->fill == NULL)
            http_cache_drop_body(cache, entry);
    }
}

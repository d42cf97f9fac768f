/* SPDX-License-Identifier: ISC */
/*
 * http_cache_internal.h - what the parts of the HTTP cache share.
 *
 *      http_cache.c        entries and where they are found; making room; purging
 *      http_cache_head.c   stored heads: what of a response's fields is kept, and how they are updated
 *      http_cache_ask.c    requests: what is found for them, waiting, conditions and ranges
 *      http_cache_reply.c  answers: fields, octets
 *      http_cache_fill.c   requests to the origin: what is sent, whom it answers, octets, ends
 *      http_cache_response.c  the head of what the origin says: fresh again, an error, forgotten
 *      http_cache_new.c    new responses, stored or not, and parts of one
 *      http_cache_file.c   which of them have a file, and what is to be done with it
 *      http_cache_tail.c   what stands in a file behind the octets
 *      http_cache_load.c   files that were there before a start
 */
#ifndef WN_PROTO_HTTP_HTTP_CACHE_INTERNAL_H
#define WN_PROTO_HTTP_HTTP_CACHE_INTERNAL_H

#include "base/map.h"
#include "base/sieve.h"
#include "proto/http/http_body.h"
#include "proto/http/http_cache.h"
#include "proto/http/http_cache_file.h"
#include "proto/http/http_cache_vary.h"

enum {
    PASS_SLOTS = 1024,       /* what could not be stored lately: requests for it do not wait */
    PASS_TIME_SEC = 10,
    MAP_COST = 3 * sizeof(struct map_slot),
    SETS_MIN = 64 * 1024,    /* of those that are only being asked for */
};

/* All that is known of one URI. */
struct http_cache_set {
    struct list_node entries; /* newest first */
    struct list_node fills;
    uint32_t hash;
    uint32_t count;           /* of entries */
    uint32_t uri_len;
    uint8_t uri[];
};

struct http_cache_entry {
    struct sieve_node place;   /* while it can be found */
    struct list_node in_set;
    struct http_cache_set *set; /* NULL: it cannot be found; it lives as long as it is used */
    struct http_cache_fill *fill; /* who writes it; NULL: nobody */
    struct http_cache_file *file; /* NULL: it has none */
    struct list_node readers;  /* asks */
    struct http_cache_facts facts;
    uint8_t *head;             /* fields as lines */
    size_t head_len;
    uint8_t *vary;             /* names, then the key */
    uint16_t names_len;
    uint16_t key_len;
    uint8_t *trailers;
    size_t trailers_len;
    struct http_body body;
    uint64_t total;            /* of the representation; UNKNOWN */
    size_t cost;               /* octets that are counted for it */
    uint32_t users;
    bool partial;              /* not all of it is there, nor will be */
    bool of_parts;             /* it began as a part: its Content-Range is not the whole's */
    bool broken;               /* what its readers wait for does not come */
    bool confined;             /* for trusted requests alone */
    bool large;                /* it goes to its file as it comes, and is not kept in memory */
    bool found;                /* in a file, after a start */
};

enum fill_mode {
    FILL_PLAIN,
    FILL_VALIDATE,  /* with the conditions of `entry` */
    FILL_CHOOSE,    /* with the tags of all variants */
    FILL_COMPLETE,  /* for what `entry` lacks */
};

struct http_cache_fill {
    struct http_cache *cache;
    struct http_cache_set *set;      /* NULL: not GET */
    struct list_node in_set;
    struct list_node attention;      /* in cache->attention */
    enum http_cache_fill_state state;
    enum fill_mode mode;
    struct http_cache_ask *leader;   /* NULL: gone, or there never was one */
    struct list_node waiters;
    size_t waiter_count;
    struct http_cache_entry *entry;  /* asked about, before the head; written, after it */
    struct http_cache_wishes wishes;
    uint8_t *saved;
    size_t saved_len;
    uint64_t at;                     /* where the next octet goes */
    uint64_t end;                    /* where the last one of a part ends; UNKNOWN */
    usec request_at;
    void *owner;
    bool headed;                     /* the final head has come */
    bool dropping;                   /* octets that come are of no use */
    bool may_store;                  /* nothing has been invalidated since */
    bool collapsible;
    bool stalled;                    /* gave back octets for lack of room */
    bool keep;                       /* entry is stored while it is written */
    bool behind;                     /* nobody waits for it */
    bool trusted;                    /* the request that began it was */
    bool confined;                   /* what comes is for trusted requests alone */
};

struct pass_slot {
    uint32_t hash;
    usec until;
};

struct http_cache_loading;

struct http_cache {
    struct http_cache_options options;
    struct map sets;
    struct sieve sieve;         /* entries with octets in memory, or without a file */
    struct sieve file_sieve;    /* files */
    struct list_node files;     /* with which something is to be done, */
    struct list_node removals;  /* and those that are to be removed */
    struct http_cache_loading *loading; /* NULL: no files are shown */
    struct list_node ready;     /* asks */
    struct list_node attention; /* fills */
    struct pass_slot passes[PASS_SLOTS];
    struct http_cache_counters counters;
    size_t behind_count;
    usec now;
};

/* ---- http_cache.c ---- */

struct http_cache_set *http_cache_find_set(const struct http_cache *cache, struct bytes uri,
                                           uint32_t *hash);

/* NULL: no memory. */
struct http_cache_set *http_cache_make_set(struct http_cache *cache, struct bytes uri);

/* Frees it if nothing is known of the URI any more. */
void http_cache_tidy_set(struct http_cache *cache, struct http_cache_set *set);

struct http_cache_entry *http_cache_entry_new(struct http_cache *cache);
void http_cache_entry_hold(struct http_cache_entry *entry);
void http_cache_entry_release(struct http_cache *cache, struct http_cache_entry *entry);

/* It is found from now on. False: no room, no memory. */
bool http_cache_entry_insert(struct http_cache *cache, struct http_cache_set *set,
                             struct http_cache_entry *entry);

/* It is not found any more; freed when nobody uses it. */
void http_cache_entry_unlink(struct http_cache *cache, struct http_cache_entry *entry);

/* Counts what the entry takes now, and no more. */
void http_cache_recount(struct http_cache *cache, struct http_cache_entry *entry);

/* Keeps memory within its bound. False: all is in use. */
bool http_cache_make_room(struct http_cache *cache);

/* Counts what the entry takes now. False: it is stored, and there is no room for it. */
bool http_cache_account(struct http_cache *cache, struct http_cache_entry *entry);

/* What is stored of a URI, or being fetched, is not to be believed any more. */
void http_cache_invalidate(struct http_cache *cache, struct bytes uri);

/* Does a head bear that tag? */
bool http_cache_has_tag(struct bytes head, struct bytes tag);

void http_cache_note_pass(struct http_cache *cache, uint32_t hash);
bool http_cache_passes(const struct http_cache *cache, uint32_t hash);

void http_cache_wake(struct http_cache *cache, struct http_cache_ask *ask);
void http_cache_attend(struct http_cache_fill *fill, enum http_cache_fill_state state);

/* ---- http_cache_head.c ---- */

/* Fields as lines, and back. */
void http_cache_write_lines(struct writer *w, struct bytes name, struct bytes value);
void http_cache_read_lines(struct bytes lines, struct http_fields *out);

/* Is it of the connection, or written anew in each answer, and so not stored (§3.1)? */
bool http_cache_unstored(const struct http_fields *fields, struct bytes name);

/* The entry's head as the response has it; what is private to a client goes to the ask, if there
 * is one. False: no memory. */
bool http_cache_store_head(struct http_cache *cache, struct http_cache_entry *entry,
                           const struct http_fields *fields, struct http_cache_ask *ask);

/* The stored head with what a 304, 206 or HEAD says anew (§3.2), and its facts. */
bool http_cache_update_head(struct http_cache *cache, struct http_cache_entry *entry,
                            const struct http_fields *fields, usec request_at,
                            struct http_cache_time time);

/* The value of a stored field. */
struct bytes http_cache_stored(const struct http_cache_entry *entry, const char *name);

/* May it be told at all, of so trusted a request? */
static inline bool http_cache_is_for(const struct http_cache_entry *entry, bool trusted)
{
    return trusted || !entry->confined;
}

/* Does an entity tag stand for the octets (RFC 9110 §8.8.1)? */
static inline bool http_cache_is_strong(struct bytes etag)
{
    return etag.len >= 2 && etag.data[0] == '"';
}

/* ---- requests as they are kept ---- */

struct saved_request {
    struct bytes method, uri, target;
    struct http_fields fields;
};
uint8_t *http_cache_save(struct http_cache *cache, const struct http_cache_request *request,
                         size_t *len);
void http_cache_restore(const uint8_t *saved, size_t len, struct saved_request *out);

/* ---- http_cache_ask.c ---- */

/* Looks again what there is for an ask that waited; `alone`: it does not wait any more. */
void http_cache_ask_again(struct http_cache_ask *ask, bool alone, struct http_cache_time time);

/* Attaches the ask to an entry, and settles what of it is the answer. `evaluate`: by the request's
 * conditions and range. False: the entry has not what is asked for. */
bool http_cache_answer(struct http_cache_ask *ask, struct http_cache_entry *entry,
                       const struct http_cache_request *request, bool evaluate,
                       struct http_cache_time time);

/* Does the entry match the request (§4.1)? */
bool http_cache_matches(const struct http_cache_entry *entry, const struct http_fields *request);

/* The ask lets go of its entry and of what it waits for. */
void http_cache_detach(struct http_cache_ask *ask);

/* Octets have come, or nothing more will: tells those who read. */
void http_cache_wake_readers(struct http_cache *cache, struct http_cache_entry *entry);

/* The first octet that somebody still wants, UINT64_MAX when nobody reads; and how many do. */
uint64_t http_cache_lowest(const struct http_cache_entry *entry, size_t *readers);

/* ---- http_cache_fill.c ---- */

/* The ask gets the entry, as far as it has what is asked for; otherwise it goes its own way. */
void http_cache_give(struct http_cache_fill *fill, struct http_cache_ask *ask,
                     struct http_cache_entry *entry, bool evaluate, struct http_cache_time time);
void http_cache_give_leader(struct http_cache_fill *fill, struct http_cache_entry *entry,
                            bool evaluate, struct http_cache_time time);

/* Waiters whose request the entry matches have it; the others ask anew. NULL: all of them. */
void http_cache_give_waiters(struct http_cache_fill *fill, struct http_cache_entry *entry,
                             bool validated, struct http_cache_time time);
void http_cache_refuse_waiters(struct http_cache_fill *fill);

/* What is stored stands in for an origin that fails (§4.2.4, RFC 5861 §4). False: it may not. */
bool http_cache_stand_in(struct http_cache_fill *fill, bool unreachable,
                         struct http_cache_time time);

/* Which entry the fill holds: the one asked about, then the one written. Takes the hold on it. */
void http_cache_fill_set_entry(struct http_cache_fill *fill, struct http_cache_entry *entry);

/* ---- http_cache_file.c ---- */

/* It is to have a file. False: it may not. */
bool http_cache_file_begin(struct http_cache *cache, struct http_cache_entry *entry);

/* It is too large for memory: goes to its file as it comes. False: it cannot. */
bool http_cache_grow(struct http_cache *cache, struct http_cache_entry *entry);

/* Are all its octets in a file? */
bool http_cache_has_file(const struct http_cache_entry *entry);

/* More octets have come, or the last; its head is another. */
void http_cache_file_more(struct http_cache_entry *entry);
void http_cache_file_renew(struct http_cache_entry *entry);

/* It cannot be found any more; nobody uses it any more; the cache is at its end, and the file stays. */
void http_cache_file_hide(struct http_cache_file *file);
void http_cache_file_leave(struct http_cache_entry *entry);
void http_cache_file_abandon(struct http_cache_entry *entry);

/* Lets the octets in memory go. */
void http_cache_drop_body(struct http_cache *cache, struct http_cache_entry *entry);

/* Keeps files within their bound, and heads within that of memory; what is in use stays, and `keep`. False:
 * it is not done. */
bool http_cache_file_room(struct http_cache *cache, const struct http_cache_file *keep);
bool http_cache_file_make_heads(struct http_cache *cache);

/* An entry of a file that was there. NULL: no memory, or no room. */
struct http_cache_file *http_cache_file_found(struct http_cache *cache, struct http_cache_set *set,
                                              struct http_cache_entry *entry,
                                              const struct http_cache_tail_end *end);

/* ---- http_cache_load.c ---- */

/* Forgotten, or purged by prefix or tag: also what is not found yet. */
void http_cache_load_forget(struct http_cache *cache, struct bytes uri);
void http_cache_load_purge(struct http_cache *cache, struct bytes what, bool tag);

/* ---- http_cache_new.c ---- */

enum http_cache_step http_cache_new_response(struct http_cache_fill *fill,
                                             const struct http_cache_response *response,
                                             const struct saved_request *saved,
                                             struct http_cache_time time);

/* Has the rest of a partial entry come, as was asked for (§3.3)? It is whole from now on. */
bool http_cache_completes(const struct http_cache_fill *fill,
                          const struct http_cache_response *response);
enum http_cache_step http_cache_complete(struct http_cache_fill *fill,
                                         const struct http_cache_response *response,
                                         struct http_cache_time time);

#endif

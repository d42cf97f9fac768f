/* SPDX-License-Identifier: ISC */
/*
 * http_cache.h - an HTTP cache, shared or private, as a pure machine (RFC 9111 whole; RFC 5861, 9211,
 * 9213). It decides; its owner has the connections.
 *
 * A request of a client is an *ask*, in its owner's memory. What goes on to the origin is a *fill*,
 * which the cache makes and its owner carries out. All that an origin answers passes through the
 * cache: what may be stored is kept, the rest only as long as somebody reads it. So every answer,
 * stored or not, is read in one way.
 *
 *      http_cache_ask(cache, &ask, &request, time)       and then by http_cache_verdict(&ask):
 *          ANSWER   http_cache_reply(), http_cache_reply_fields(), then http_cache_read() … _used()
 *          FORWARD  carry out http_cache_ask_fill(&ask): send http_cache_fill_request(), say
 *                   fill_head(), fill_body() …, fill_end(), or fill_fail()
 *          WAIT     until the ask comes from http_cache_next_ask()
 *          FAIL     answer 504; REFUSED: the fill has failed, and nothing stored may stand in for it
 *      http_cache_ask_done(&ask)                         whenever the client is answered or gone
 *
 * After every call drain http_cache_next_ask() (asks for which something has changed) and
 * http_cache_next_fill() (fills that are to be started, may go on, or are of no more use).
 *
 * Several asks for the same thing wait for one fill (§4: collapsed requests). They are answered by
 * what it brings, if that may be stored and matches them, even when it would have to be validated
 * for the next request: it was while they waited.
 *
 * Bounded in octets; when there is no room, what was not asked for since SIEVE's hand came by goes
 * (base/sieve.h). What cannot be kept, since it is too large or there is no room, passes through a
 * window. A second tier, of files, can stand behind (http_cache_file.h). Keys are absolute URIs in normal form (wire/http/uri_reference.h).
 */
#ifndef WN_PROTO_HTTP_HTTP_CACHE_H
#define WN_PROTO_HTTP_HTTP_CACHE_H

#include "base/heap.h"
#include "base/list.h"
#include "base/siphash.h"
#include "proto/http/http_cache_policy.h"
#include "wire/http/http_range.h"

enum {
    HTTP_CACHE_OCTETS_MIN = 64 * 1024,
    HTTP_CACHE_WINDOW = 256 * 1024,  /* of what passes through */
    HTTP_CACHE_VARIANTS_MAX = 64,    /* of one URI; the oldest goes */
    HTTP_CACHE_WAITERS_MAX = 4096,   /* for one fill; the next one is forwarded for itself */
    HTTP_CACHE_BEHIND_MAX = 256,     /* validations behind answers at a time; others wait for the next hit */
    HTTP_CACHE_FINISH_MAX = 1024 * 1024, /* what is missing and nobody reads is fetched up to this */
    HTTP_CACHE_TAGS_MAX = 16,        /* entity tags that validate at once (§4.3.1) */
    HTTP_CACHE_NAME_MAX = 64,
    HTTP_CACHE_SCRATCH = 2048,       /* what reply_fields() and fill_request() need for theirs */
    HTTP_CACHE_TRAILERS_MAX = 8192,
};
#define HTTP_CACHE_LENGTH_UNKNOWN UINT64_MAX

struct http_cache_options {
    struct heap heap;
    struct siphash_key key;
    struct http_cache_rules rules;
    size_t octets_max;       /* at least HTTP_CACHE_OCTETS_MIN; 0: nothing is stored */
    size_t object_max;       /* octets of one representation */
    uint64_t file_octets_max; /* of the second tier (http_cache_file.h); 0: there is none */
    uint64_t file_object_max; /* octets of one representation there */
    char name[HTTP_CACHE_NAME_MAX]; /* of Cache-Status; "": none is added */
};

/* What holds where nothing else is asked for: shared, CDN-Cache-Control, 64 MiB, a quarter of it for
 * one object, stale for a day when the origin cannot be reached. */
void http_cache_options_init(struct http_cache_options *options, const struct heap *heap,
                             const struct siphash_key *key);

struct http_cache;
struct http_cache_file;
struct http_cache_entry;
struct http_cache_fill;

MUST_USE struct http_cache *http_cache_new(const struct http_cache_options *options);

/* Other bounds and another name; with less room something goes at once. Heap, key and rules are what they
 * were, and with files or without. */
void http_cache_change(struct http_cache *cache, const struct http_cache_options *options);

/* No ask and no fill may be left. */
void http_cache_free(struct http_cache *cache);

/* ---- the client's side ---- */

struct http_cache_request {
    struct bytes method;
    struct bytes uri;    /* absolute, in normal form */
    struct bytes target; /* what to send, for the owner; kept with the fill */
    const struct http_fields *fields; /* without those of the connection (RFC 9110 §7.6.1) */
    bool alone; /* neither answered from what is stored, nor stored: a GET with content, say */
    bool trusted; /* it may have what http_cache_fill_confine() is for */
};

enum http_cache_verdict {
    HTTP_CACHE_WAIT,
    HTTP_CACHE_ANSWER,
    HTTP_CACHE_FORWARD,
    HTTP_CACHE_FAIL,    /* only-if-cached, and nothing is (§5.2.1.7) */
    HTTP_CACHE_REFUSED,
};

/* Why it went on (RFC 9211 §2.2). */
enum http_cache_reason {
    HTTP_CACHE_HIT,
    HTTP_CACHE_BY_METHOD,
    HTTP_CACHE_BY_REQUEST,
    HTTP_CACHE_URI_MISS,
    HTTP_CACHE_VARY_MISS,
    HTTP_CACHE_STALE,
    HTTP_CACHE_PARTIAL,
    HTTP_CACHE_REASON_COUNT
};

struct http_cache_ask {
    struct http_cache *cache;
    enum http_cache_verdict verdict;
    enum http_cache_reason reason;
    struct list_node node;           /* among its entry's readers, or a fill's waiters */
    struct list_node ready;
    struct http_cache_entry *entry;  /* ANSWER */
    struct http_cache_fill *fill;    /* its own, or the one it waits for */
    struct http_cache_wishes wishes;
    uint8_t *saved;                  /* the request, as long as it is not answered */
    size_t saved_len;
    uint8_t *private_fields;         /* those of the response that are for this client alone */
    size_t private_len;
    uint64_t at;                     /* the next octet to be read */
    uint64_t end;                    /* behind the last; UNKNOWN */
    uint64_t first;
    unsigned status;                 /* of the answer */
    unsigned fwd_status;             /* of the origin's; 0: it was not asked */
    bool get;                        /* GET or HEAD */
    bool head_only;
    bool leads;                      /* the fill is its own */
    bool collapsed;
    bool stored;                     /* the answer is being stored */
    bool trusted;
    bool validated;                  /* for this request */
    bool ranged;                     /* status 206 with one range of our making */
};

/* Views are needed during the call only. */
void http_cache_ask(struct http_cache *cache, struct http_cache_ask *ask,
                    const struct http_cache_request *request, struct http_cache_time time);
enum http_cache_verdict http_cache_verdict(const struct http_cache_ask *ask);

/* FORWARD: what its owner is to carry out. */
struct http_cache_fill *http_cache_ask_fill(const struct http_cache_ask *ask);

/* Lets go of everything. The fill of an ask that is gone goes on if what it brings is stored, and no more
 * than HTTP_CACHE_FINISH_MAX is missing; else it is UNUSED, and what has come is kept as a part. */
void http_cache_ask_done(struct http_cache_ask *ask);

/* Is something to be done with a file? */
bool http_cache_files_wanted(const struct http_cache *cache);

/* An ask for which something has changed: its verdict, or octets to read have come. NULL: none. */
struct http_cache_ask *http_cache_next_ask(struct http_cache *cache);

/* ---- answers ---- */

struct http_cache_reply {
    unsigned status;
    uint64_t length; /* of the body, also of HEAD's; UNKNOWN */
    bool has_body;   /* octets are to be read */
};
void http_cache_reply(const struct http_cache_ask *ask, struct http_cache_reply *out);

/*
 * The fields of the answer but for Content-Length and those of the connection: views of the entry
 * and of `scratch`, valid until the next call of any other function. Returns how many.
 */
size_t http_cache_reply_fields(struct http_cache_ask *ask, struct http_cache_time time,
                               struct writer *scratch, struct http_field out[HTTP_FIELDS_MAX]);

enum http_cache_read {
    HTTP_CACHE_OCTETS, /* *out has some */
    HTTP_CACHE_IN_FILE, /* they are in a file: http_cache_read_file() */
    HTTP_CACHE_LATER,  /* more is to come */
    HTTP_CACHE_END,
    HTTP_CACHE_BROKEN, /* there will not be more, though there should */
};

/* The next octets of the answer's body; say how many were used. */
enum http_cache_read http_cache_read(const struct http_cache_ask *ask, struct bytes *out);
void http_cache_used(struct http_cache_ask *ask, size_t len);

/* After END: trailer fields, as lines. Valid as the fields are. */
struct bytes http_cache_trailers(const struct http_cache_ask *ask);

/* ---- the origin's side ---- */

/* What is to be sent, the fields with those conditions that the cache wants. Views of the fill and
 * of `scratch`. */
struct http_cache_forward {
    struct bytes method;
    struct bytes uri;
    struct bytes target;
    struct http_fields fields;
};
void http_cache_fill_request(const struct http_cache_fill *fill, struct writer *scratch,
                             struct http_cache_forward *out);

/* The request leaves now (again). */
void http_cache_fill_sent(struct http_cache_fill *fill, usec now);

/* What comes is of an origin that not everybody may ask: it is for trusted requests alone, now and when it
 * is stored. Before fill_head(). A fill that an untrusted request began must not be. */
void http_cache_fill_confine(struct http_cache_fill *fill);
bool http_cache_fill_trusted(const struct http_cache_fill *fill);

struct http_cache_response {
    unsigned status; /* final */
    const struct http_fields *fields;
    uint64_t length; /* of the body, if it is known */
};

enum http_cache_step {
    HTTP_CACHE_TAKE,  /* say fill_body(), fill_end() */
    HTTP_CACHE_DROP,  /* the body is of no use; say fill_end() when it is over, or at once */
    HTTP_CACHE_AGAIN, /* the answer helps nobody: send the request, which is another now, again */
};
enum http_cache_step http_cache_fill_head(struct http_cache_fill *fill,
                                          const struct http_cache_response *response,
                                          struct http_cache_time time);

/* How many it would take. After 0 http_cache_next_fill() tells when there are some. */
size_t http_cache_fill_room(struct http_cache_fill *fill);

/* How many octets were taken; fewer than given: wait for http_cache_next_fill(). */
size_t http_cache_fill_body(struct http_cache_fill *fill, struct bytes in);

/* The response is complete, with its trailers as lines. The fill is gone. */
void http_cache_fill_end(struct http_cache_fill *fill, struct bytes trailers);

/* The origin cannot be asked, or broke off. The fill is gone. */
void http_cache_fill_fail(struct http_cache_fill *fill, struct http_cache_time time);

enum http_cache_fill_state {
    HTTP_CACHE_FILL_START,  /* nobody carries it out: a validation behind an answer */
    HTTP_CACHE_FILL_GO_ON,  /* there is room again */
    HTTP_CACHE_FILL_UNUSED, /* nobody wants it any more: say fill_fail() */
};
struct http_cache_fill *http_cache_next_fill(struct http_cache *cache,
                                             enum http_cache_fill_state *state);

/* For the owner, who finds it again there; NULL at first. */
void http_cache_fill_set_owner(struct http_cache_fill *fill, void *owner);
void *http_cache_fill_owner(const struct http_cache_fill *fill);

/* ---- what is stored ---- */

/* Forgets what is stored of that URI, of all that begin so, or of what bears the tag in a Cache-Tag
 * or Surrogate-Key field. Returns how many responses. */
size_t http_cache_purge(struct http_cache *cache, struct bytes uri);
size_t http_cache_purge_prefix(struct http_cache *cache, struct bytes prefix);
size_t http_cache_purge_tag(struct http_cache *cache, struct bytes tag);

struct http_cache_counters {
    uint64_t hits, stale_hits, misses, validations, revalidated, collapsed, stored, evicted,
        invalidated, purged, too_large, no_memory;
    uint64_t file_hits, files_written, files_failed, files_evicted, files_loaded;
    uint64_t entries, octets, files, file_octets; /* gauges */
};
void http_cache_counters(const struct http_cache *cache, struct http_cache_counters *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * cache_play.h - exchanges through an HTTP cache, written as lines. For tests of the cache.
 *
 * A request is "GET http://a/|Field: value|…"; a response "200|Field: value|…||body". "@N" in a value
 * is the date N seconds from now. A response has a Date unless it says "-Date". A response that begins
 * with "!" breaks off after its body, one that is "!" alone is no response at all. Responses with "##"
 * between are what the origin answers when it is asked again. A request that begins with "~" is trusted, and
 * a response with "~" is for such requests alone.
 *
 * What has come of it is told as "hit 200 body", or "fwd 200 body" when the origin was asked, with the
 * conditions that it was asked with: "fwd:NMR" (If-None-Match, If-Modified-Since, Range).
 */
#ifndef WN_TESTS_SUPPORT_CACHE_PLAY_H
#define WN_TESTS_SUPPORT_CACHE_PLAY_H

#include "proto/http/http_cache.h"
#include "tests/support/check.h"

enum { PLAY_ASKS = 8, PLAY_TEXT = 16384, PLAY_FILES = 512 };

/* A file of the second tier. */
struct play_file {
    uint8_t *octets; /* NULL: there is none */
    size_t len;
    bool whole;      /* it has its tail, and its name */
    bool removed;    /* it is only there for who reads it */
};

struct cache_play {
    struct counting_heap heap;
    struct http_cache_options options;
    struct http_cache *cache;
    struct http_cache_time time;
    int64_t epoch;          /* the wall's time when that of `now` is 0 */
    struct http_cache_ask asks[PLAY_ASKS];
    bool tier;              /* files are written, and whatever has one is not in memory */
    bool lazy;              /* … but only when cache_play_files() is called */
    bool full;              /* no file can be written */
    struct play_file files[PLAY_FILES]; /* by id */
    uint64_t file_count;
    uint64_t found_count;   /* of those, how many there were at the start */
    char sent[PLAY_TEXT];   /* fields of the last request to the origin, as lines */
    char fields[PLAY_TEXT]; /* of the last answer */
    char told[PLAY_TEXT];
};

void cache_play_init(struct cache_play *p, bool shared);
void cache_play_begin(struct cache_play *p); /* with p->options as they are now */
void cache_play_done(struct cache_play *p);
/* From now on with a second tier. */
void cache_play_tier(struct cache_play *p);

/* What is to be done with files, at most so many acts; returns how many were done. */
size_t cache_play_files(struct cache_play *p, size_t acts);

/* The program ends, in order or not, and starts again; what its files were is found again. */
void cache_play_restart(struct cache_play *p, bool in_order);
void cache_play_load(struct cache_play *p);

void cache_play_wait(struct cache_play *p, double seconds);

/* The ask of that number, by a request as text. */
enum http_cache_verdict cache_play_ask(struct cache_play *p, size_t i, const char *request);

/* What the origin answers to a fill; it is gone afterwards, unless it is asked AGAIN. */
enum http_cache_step cache_play_origin(struct cache_play *p, struct http_cache_fill *fill,
                                       const char *response);

/* The answer that the ask has, read to its end: "200 body"; then it is done. */
const char *cache_play_reply(struct cache_play *p, size_t i);

/* All of it, with what the origin would answer: see above. */
const char *cache_play_fetch(struct cache_play *p, const char *request, const char *response);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * http_cache_file.h - the second tier of the HTTP cache: responses whose octets lie in files, of which its
 * owner has the directory. The cache says what is to be written, renewed and removed; it reads and writes
 * nothing itself.
 *
 * All that is stored and whole becomes a file soon. From then on its octets need not be in memory, and when
 * room is made there they go without being lost. What is too large for memory is written as it comes, and
 * read from the file while it does. The head stays in memory, about 1 KiB for a response, so that all that
 * http_cache.h decides and purges holds for both tiers alike; parts of responses are kept in memory alone.
 *
 * A file has the octets from its start, and behind them a *tail*: the URI, the head and what else is known,
 * with checksums. It comes last, so that a file without a whole tail is one that was not finished. After
 * a start the owner shows the tails of the files that are there, and what they tell is found again;
 * meanwhile requests are answered, and what they purge does not come back.
 *
 * Bounded in octets; when there is no room, what was not asked for since SIEVE's hand came by goes.
 */
#ifndef WN_PROTO_HTTP_HTTP_CACHE_FILE_H
#define WN_PROTO_HTTP_HTTP_CACHE_FILE_H

#include "base/sieve.h"
#include "proto/http/http_cache.h"

enum {
    HTTP_CACHE_TAIL_END = 32,          /* octets at a file's end that say how long the tail is */
    HTTP_CACHE_TAIL_MAX = 128 * 1024,  /* of a whole one; a response with more is not written */
    HTTP_CACHE_LOAD_FILTER = 64 * 1024, /* octets that remember what was forgotten while files are shown */
    HTTP_CACHE_LOAD_PURGES = 32,       /* purges by prefix or tag meanwhile; after more nothing is taken */
};

enum http_cache_file_state {
    HTTP_CACHE_FILE_WRITING,
    HTTP_CACHE_FILE_STORED,
    HTTP_CACHE_FILE_FAILED, /* what was written may still be read by who began to */
};

struct http_cache_file {
    /* The owner's. */
    uint64_t id;            /* its name; 0: it has none yet */
    uint32_t crc;           /* of the octets written so far */
    int fd;                 /* as long as it must be open; -1 at first */
    struct list_node open;  /* among those that are */
    /* The cache's. */
    struct http_cache *cache;
    struct http_cache_entry *entry; /* NULL: gone */
    struct list_node queue;
    struct list_node removal;
    struct sieve_node place;
    enum http_cache_file_state state;
    unsigned wants;
    unsigned holds;
    uint64_t written;
    uint64_t counted;       /* octets that the bound knows of */
};

enum http_cache_file_want {
    HTTP_CACHE_FILE_WRITE,  /* file_octets(), write them at `written`, file_wrote(); none: file_tail(), file_done() */
    HTTP_CACHE_FILE_RENEW,  /* the tail is another: write it anew behind the octets */
    HTTP_CACHE_FILE_REMOVE, /* it must not be found again. Who reads it may go on: keep it open */
    HTTP_CACHE_FILE_CLOSE,  /* nobody reads it any more; say file_free() */
};

/* What is to be done next, as far as is known now; NULL: nothing. What is to be removed comes first, and in its
 * order. */
struct http_cache_file *http_cache_next_file(struct http_cache *cache,
                                             enum http_cache_file_want *want);

/* Is there one that is to be removed? */
bool http_cache_removals_wanted(const struct http_cache *cache);

/* Its owner is at work on it, and says later how that went: meanwhile it is not asked for anything but
 * REMOVE. As often as wished. */
void http_cache_file_hold(struct http_cache_file *file);
void http_cache_file_release(struct http_cache_file *file);

/* Does what comes from the origin wait until it is written? */
bool http_cache_file_is_waited_for(const struct http_cache_file *file);

/* The next octets to be written; valid until the next call. Empty with *whole: there are no more. Empty
 * otherwise: http_cache_next_file() tells when there are some. */
struct bytes http_cache_file_octets(const struct http_cache_file *file, bool *whole);
void http_cache_file_wrote(struct http_cache_file *file, size_t len);

/* The tail; with file->crc. False: it is too large for one, or for `w`. */
bool http_cache_file_tail(const struct http_cache_file *file, struct http_cache_time time,
                          struct writer *w);

/* Does somebody read it, perhaps? */
bool http_cache_file_in_use(const struct http_cache_file *file);

/* It is complete, of so many octets with its tail; nothing, if it has been forgotten meanwhile. */
void http_cache_file_done(struct http_cache_file *file, uint64_t len);

/* It cannot be written, or read: it is CLOSEd when nobody reads it. What has it in memory, too, stays there. */
void http_cache_file_failed(struct http_cache_file *file);

/* There is less room than was thought: lets go of a sixteenth of what is stored in files. */
void http_cache_file_full(struct http_cache *cache);

void http_cache_file_free(struct http_cache_file *file);

/* ---- reading ---- */

/* Where the octets are that http_cache_read() says are IN_FILE: from ask->at on, *len of them. */
struct http_cache_file *http_cache_read_file(const struct http_cache_ask *ask, uint64_t *len);

/* The file with the answer, if all of that is in a file alone; NULL: it is not. */
struct http_cache_file *http_cache_answer_file(const struct http_cache_ask *ask);

/* ANSWER, in a file alone, before anything of it has been used: it cannot be read, and is forgotten; or not in
 * time, and the origin is asked without a look at what is stored. The ask comes from http_cache_next_ask(). */
void http_cache_ask_unreadable(struct http_cache_ask *ask, struct http_cache_time time);
void http_cache_ask_around(struct http_cache_ask *ask, struct http_cache_time time);

/* All octets of the file, to be kept in memory (too) from now on, if there is room. */
void http_cache_file_loaded(struct http_cache_file *file, struct bytes octets);

/* Lets the octets in memory go of all that has a file. */
void http_cache_shed(struct http_cache *cache);

/* ---- after a start ---- */

/* Files will be shown: what is forgotten until load_end() is remembered. */
void http_cache_load_begin(struct http_cache *cache);
void http_cache_load_end(struct http_cache *cache);

struct http_cache_tail_end {
    uint64_t body_len;
    uint32_t tail_len; /* with the end itself */
    uint32_t crc;      /* of the octets before the tail */
};

/* The last HTTP_CACHE_TAIL_END octets of a file. False: they are none. */
MUST_USE bool http_cache_tail_end(struct bytes end, struct http_cache_tail_end *out);

/* A file that was there, by its tail. NULL: it is none of ours, or not to be found again: remove it. */
struct http_cache_file *http_cache_load(struct http_cache *cache, struct bytes tail,
                                        struct http_cache_time time);

#endif

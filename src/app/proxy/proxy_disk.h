/* SPDX-License-Identifier: ISC */
/*
 * proxy_disk.h - the directory in which the proxy's cache has its files (proto/http/http_cache_file.h): one for
 * each response, in 256 folders, written beside under NAME.new and renamed when it is whole.
 *
 *      DIR/lock              held as long as the directory is in use; which start it is, and of which boot
 *      DIR/5f/0000002a-0000015f
 *
 * What was written before a start is found again in small steps between other work. After a crash of the
 * program the kernel still has what was written; after one of the machine it may not have: then the
 * octets of each file are read, and compared with their checksum, before it is used.
 *
 * A disk may be slow, and the loop does not wait for it: one thread writes, renames, removes and finds again, in the
 * order in which that was wished, and one reads (io/errand.h). When more waits for them than may:
 *
 *      writing     the rest waits in memory; there, what the cache has no room for goes, as ever
 *      reading     requests are asked of the origin, past what is stored; so they are when a file has not been
 *                  opened within PROXY_DISK_PATIENCE
 *
 * When the disk has done nothing for PROXY_DISK_STALL, responses that wait for it on their way to their file pass
 * through from there on, and are not stored.
 */
#ifndef WN_APP_PROXY_PROXY_DISK_H
#define WN_APP_PROXY_PROXY_DISK_H

#include "base/text.h"
#include "io/errand.h"
#include "io/loop.h"
#include "proto/http/http_cache_file.h"

enum {
    PROXY_DISK_SMALL = 64 * 1024,    /* what is not longer comes back to memory when it is asked for */
    PROXY_DISK_AHEAD = 1024 * 1024,  /* octets of a larger one that are fetched before they are sent */
    PROXY_DISK_WRITES_MAX = 64,      /* pieces on their way to the disk, each at most a tail long */
    PROXY_DISK_READS_MAX = 256,      /* files, or pieces, that are being read */
    PROXY_DISK_PATH_MAX = 40,
};
#define PROXY_DISK_FULL_TIME (10 * USEC_PER_SEC) /* nothing is written after there was no room */
#define PROXY_DISK_PATIENCE USEC_PER_SEC
#define PROXY_DISK_STALL (USEC_PER_SEC / 2)

struct proxy_disk_scan;

struct proxy_disk {
    struct loop *loop;
    struct http_cache *cache;
    void (*on_trouble)(void *self, const char *what); /* may be NULL; not more than once a minute */
    void *self;
    struct task *stir;      /* of the owner: what has been done may be of use to somebody; may be NULL */
    int directory;
    int lock;
    uint32_t generation;    /* of this start: the first half of a file's name */
    uint32_t number;
    struct errands *writer; /* NULL: there is none any more, and all is done at once */
    struct errands *reader;
    struct list_node acts;  /* of the writer */
    size_t act_count;
    uint64_t removals;      /* acts that remove: so many were sent, */
    uint64_t removed;       /* and so many are done */
    struct list_node waits; /* for removals */
    struct alarm stall;
    struct task task;
    struct list_node open;  /* files with a descriptor */
    usec full_until;
    usec complained_at;
    uint8_t *tail;          /* room for one */
    bool compare;           /* the machine has started anew since they were written */
    struct proxy_disk_scan *scan; /* NULL: all has been found again */
};

/* 0 or a negative errno; -EBUSY: another process has the directory. */
MUST_USE int proxy_disk_new(struct loop *loop, struct http_cache *cache, const char *directory,
                            struct proxy_disk **out);

/* Before the cache is freed; what waits to be written is. No fetch is left. NULL is nothing. */
void proxy_disk_free(struct proxy_disk *disk);

/* Something may be to be done with a file. */
void proxy_disk_stir(struct proxy_disk *disk);

/* Are files from before the start still being found again? */
bool proxy_disk_is_loading(const struct proxy_disk *disk);

/* ---- until what was purged is gone ---- */

struct proxy_disk_wait {
    struct list_node node;
    void (*on_gone)(struct proxy_disk_wait *wait); /* from the loop */
    bool sent;
    uint64_t mark;
};

/* Told when all that has been forgotten until now has been removed from the directory. */
void proxy_disk_wait(struct proxy_disk *disk, struct proxy_disk_wait *wait,
                     void (*on_gone)(struct proxy_disk_wait *wait));
void proxy_disk_unwait(struct proxy_disk_wait *wait);

/* ---- reading: proxy_disk_read.c ---- */

struct proxy_fetch;

/* How it went, from the loop: 0 or a negative errno; -ETIMEDOUT: not in time. `fd` is the callee's, or -1. */
typedef void proxy_fetched(void *self, int status, int fd);

/* Opens the file, and fetches its octets from `at` on, as many as PROXY_DISK_AHEAD says; a small one comes back to
 * memory. NULL: too much is being read. The file must stay in use until it is told or cancelled. */
MUST_USE struct proxy_fetch *proxy_disk_fetch(struct proxy_disk *disk, struct http_cache_file *file,
                                              uint64_t at, proxy_fetched *on_fetched, void *self);

/* The same of one that is open; it may be closed meanwhile. */
MUST_USE struct proxy_fetch *proxy_disk_fetch_on(struct proxy_disk *disk, int fd, uint64_t at,
                                                 proxy_fetched *on_fetched, void *self);
void proxy_fetch_cancel(struct proxy_fetch *fetch); /* NULL is nothing */

/* Can they be read without the disk, as far as the kernel tells? */
bool proxy_disk_has_near(int fd, uint64_t at, size_t len);

/* Closes it; when it was the last name of much, not on the loop. */
void proxy_disk_close(struct proxy_disk *disk, int fd);

/* ---- for its parts ---- */

void proxy_disk_path(uint64_t id, bool whole, char out[PROXY_DISK_PATH_MAX]);

/* 0 or a negative errno. */
int proxy_disk_write_at(int fd, struct bytes in, uint64_t at);

/* By the writer: behind all that was sent to it before. */
void proxy_disk_send(struct proxy_disk *disk, struct errand *errand,
                     void (*run)(struct errand *errand), void (*done)(struct errand *errand));

/* ---- proxy_disk_scan.c ---- */

MUST_USE int proxy_disk_scan_begin(struct proxy_disk *disk);
void proxy_disk_scan_end(struct proxy_disk *disk); /* once nothing is being done any more */

#endif

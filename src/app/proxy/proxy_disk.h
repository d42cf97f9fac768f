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
 * Reads and writes are of files on a disk, and so may block; each is of a bounded piece.
 */
#ifndef WN_APP_PROXY_PROXY_DISK_H
#define WN_APP_PROXY_PROXY_DISK_H

#include <dirent.h>

#include "base/text.h"
#include "io/loop.h"
#include "proto/http/http_cache_file.h"

enum {
    PROXY_DISK_TURN = 1024 * 1024,   /* octets that are written, or looked at, in a turn */
    PROXY_DISK_STEPS = 32,           /* files that are found again in a turn */
    PROXY_DISK_SMALL = 64 * 1024,    /* what is not longer comes back to memory when it is asked for */
    PROXY_DISK_PATH_MAX = 40,
};
#define PROXY_DISK_FULL_TIME (10 * USEC_PER_SEC) /* nothing is written after there was no room */

struct proxy_disk {
    struct loop *loop;
    struct http_cache *cache;
    void (*on_trouble)(void *self, const char *what); /* may be NULL; not more than once a minute */
    void *self;
    int directory;
    int lock;
    uint32_t generation;    /* of this start: the first half of a file's name */
    uint32_t number;
    struct task task;
    struct list_node open;  /* files with a descriptor */
    usec full_until;
    usec complained_at;
    uint8_t *tail;          /* room for one */
    struct {
        struct task task;
        DIR *folder;        /* NULL: none is being read */
        unsigned next;      /* folder; 256: all have been */
        int fd;             /* whose octets are being compared; -1: none */
        bool compare;       /* the machine has started anew since they were written */
        uint64_t id, at;
        uint32_t crc;
        struct http_cache_tail_end end;
    } scan;
};

/* 0 or a negative errno; -EBUSY: another process has the directory. */
MUST_USE int proxy_disk_new(struct loop *loop, struct http_cache *cache, const char *directory,
                            struct proxy_disk **out);

/* Before the cache is freed; what waits to be written is. NULL is nothing. */
void proxy_disk_free(struct proxy_disk *disk);

/* Something may be to be done with a file. */
void proxy_disk_stir(struct proxy_disk *disk);

/* A descriptor for reading its octets, which the caller closes; or a negative errno. */
MUST_USE int proxy_disk_open(struct proxy_disk *disk, const struct http_cache_file *file);

/* A small one comes back to memory. False: it is not what it was. */
MUST_USE bool proxy_disk_load(struct proxy_disk *disk, struct http_cache_file *file);

/* Are files from before the start still being found again? */
bool proxy_disk_is_loading(const struct proxy_disk *disk);

/* ---- for proxy_disk_scan.c ---- */

void proxy_disk_path(uint64_t id, bool whole, char out[PROXY_DISK_PATH_MAX]);
void proxy_disk_scan_begin(struct proxy_disk *disk);
void proxy_disk_scan_end(struct proxy_disk *disk);

#endif

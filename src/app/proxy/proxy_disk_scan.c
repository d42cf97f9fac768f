/* SPDX-License-Identifier: ISC */
/*
 * proxy_disk_scan.c - after a start: folder by folder the files that are there. The thread that writes looks at a
 * few between other work, and the loop shows their tails to the cache. What is not whole goes; what the
 * cache does not want goes, too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "app/proxy/proxy_disk.h"

enum {
    FOLDERS = 256,
    STEPS = 32,            /* names, or pieces, that are looked at in one errand, */
    TURN = 1024 * 1024,    /* and octets */
    FIRST_READ = 4096,
    PIECE = 64 * 1024,
};

/* A file with a whole tail, as it seems. */
struct found {
    uint64_t id;
    uint8_t *tail;
    size_t len;
};

/* While the errand is under way all of this is the thread's. */
struct proxy_disk_scan {
    struct errand errand;
    struct proxy_disk *disk;
    int directory;
    uint32_t generation;
    bool compare;
    bool over;
    DIR *folder;            /* NULL: none is being read */
    unsigned next;          /* folder; 256: all have been */
    int fd;                 /* whose octets are being compared; -1: none */
    uint64_t id, at;
    uint32_t crc;
    struct http_cache_tail_end end;
    size_t found_count;
    size_t unwanted_count;
    struct found found[STEPS];
    uint64_t unwanted[STEPS]; /* the cache has said so: to be removed */
    uint8_t tail[HTTP_CACHE_TAIL_MAX];
    uint8_t piece[PIECE];
};

/* ---- in the thread: one file ---- */

static void remove_file(struct proxy_disk_scan *scan, uint64_t id, bool whole)
{
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(id, whole, path);
    (void)unlinkat(scan->directory, path, 0);
}

static ssize_t read_at(int fd, void *out, size_t len, uint64_t at)
{
    ssize_t got;
    do
        got = pread(fd, out, len, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

/* The tail to the end of scan->tail; empty: there is none. */
static struct bytes read_tail(struct proxy_disk_scan *scan, int fd, struct http_cache_tail_end *end)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < HTTP_CACHE_TAIL_END)
        return bytes_empty();
    uint64_t size = (uint64_t)st.st_size;
    size_t len = size < FIRST_READ ? (size_t)size : FIRST_READ;
    uint8_t *at = scan->tail + HTTP_CACHE_TAIL_MAX - len;
    if (read_at(fd, at, len, size - len) != (ssize_t)len ||
        !http_cache_tail_end(bytes_of(at + len - HTTP_CACHE_TAIL_END, HTTP_CACHE_TAIL_END), end) ||
        size != end->body_len + end->tail_len)
        return bytes_empty();
    at = scan->tail + HTTP_CACHE_TAIL_MAX - end->tail_len;
    if (end->tail_len > len &&
        read_at(fd, at, end->tail_len, end->body_len) != (ssize_t)end->tail_len)
        return bytes_empty();
    return bytes_of(at, end->tail_len);
}

/* It is for the cache to see. */
static void keep(struct proxy_disk_scan *scan, int fd, uint64_t id)
{
    struct http_cache_tail_end end;
    struct bytes tail = read_tail(scan, fd, &end);
    uint8_t *copy = tail.len > 0 ? malloc(tail.len) : NULL;
    if (copy == NULL) {
        remove_file(scan, id, true);
        return;
    }
    memcpy(copy, tail.data, tail.len);
    scan->found[scan->found_count++] = (struct found){id, copy, tail.len};
}

/* Compares a piece of what is being compared. Returns how many octets. */
static size_t compare_some(struct proxy_disk_scan *scan)
{
    uint64_t left = scan->end.body_len - scan->at;
    size_t len = left < PIECE ? (size_t)left : PIECE;
    bool good = read_at(scan->fd, scan->piece, len, scan->at) == (ssize_t)len;
    if (good)
        scan->crc = (uint32_t)crc32(scan->crc, scan->piece, (uInt)len);
    scan->at += len;
    bool over = !good || scan->at == scan->end.body_len;
    if (!over)
        return len;
    if (good && scan->crc == scan->end.crc)
        keep(scan, scan->fd, scan->id);
    else
        remove_file(scan, scan->id, true);
    (void)close(scan->fd);
    scan->fd = -1;
    return len;
}

static void take_file(struct proxy_disk_scan *scan, uint64_t id)
{
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(id, true, path);
    int fd = openat(scan->directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (scan->compare && read_tail(scan, fd, &scan->end).len > 0) {
        scan->fd = fd;
        scan->id = id;
        scan->at = 0;
        scan->crc = 0;
        return;
    }
    keep(scan, fd, id);
    (void)close(fd);
}

/* ---- in the thread: all of them ---- */

/* A name of ours, from before this start; others are let alone. */
static void take_name(struct proxy_disk_scan *scan, const char *name)
{
    char again[PROXY_DISK_PATH_MAX];
    unsigned generation, number;
    if (sscanf(name, "%8x-%8x", &generation, &number) != 2 || generation == scan->generation)
        return;
    uint64_t id = (uint64_t)generation << 32 | number;
    proxy_disk_path(id, false, again);
    if (strcmp(again + 3, name) == 0) { /* it was not finished */
        remove_file(scan, id, false);
        return;
    }
    proxy_disk_path(id, true, again);
    if (strcmp(again + 3, name) == 0)
        take_file(scan, id);
}

/* The next name. False: there is none any more. */
static bool next_name(struct proxy_disk_scan *scan)
{
    char folder[3];
    if (scan->folder == NULL) {
        if (scan->next == FOLDERS)
            return false;
        snprintf(folder, sizeof folder, "%02x", scan->next++ & 0xff);
        int fd = openat(scan->directory, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        scan->folder = fd >= 0 ? fdopendir(fd) : NULL;
        if (fd >= 0 && scan->folder == NULL)
            (void)close(fd);
        return true;
    }
    const struct dirent *entry = readdir(scan->folder);
    if (entry != NULL) {
        take_name(scan, entry->d_name);
        return true;
    }
    (void)closedir(scan->folder);
    scan->folder = NULL;
    return true;
}

static void run(struct errand *errand)
{
    struct proxy_disk_scan *scan = CONTAINER_OF(errand, struct proxy_disk_scan, errand);
    size_t octets = 0;
    while (scan->unwanted_count > 0)
        remove_file(scan, scan->unwanted[--scan->unwanted_count], true);
    for (size_t i = 0; i < STEPS && scan->found_count < STEPS && octets < TURN && !scan->over; i++) {
        while (scan->fd >= 0 && octets < TURN)
            octets += compare_some(scan) + 1;
        if (scan->fd < 0)
            scan->over = !next_name(scan);
    }
}

/* ---- on the loop ---- */

static void scan_free(struct proxy_disk_scan *scan)
{
    for (size_t i = 0; i < scan->found_count; i++)
        free(scan->found[i].tail);
    if (scan->folder != NULL)
        (void)closedir(scan->folder);
    if (scan->fd >= 0)
        (void)close(scan->fd);
    free(scan);
}

static void show(struct proxy_disk_scan *scan, const struct found *found)
{
    struct proxy_disk *disk = scan->disk;
    struct http_cache_time time = {loop_now(disk->loop), loop_wall_seconds(disk->loop)};
    struct http_cache_file *file =
        http_cache_load(disk->cache, bytes_of(found->tail, found->len), time);
    if (file != NULL)
        file->id = found->id;
    else
        scan->unwanted[scan->unwanted_count++] = found->id;
}

static void done(struct errand *errand)
{
    struct proxy_disk_scan *scan = CONTAINER_OF(errand, struct proxy_disk_scan, errand);
    struct proxy_disk *disk = scan->disk;
    for (size_t i = 0; i < scan->found_count; i++) {
        show(scan, &scan->found[i]);
        free(scan->found[i].tail);
    }
    scan->found_count = 0;
    proxy_disk_stir(disk); /* room was made, perhaps */
    if (disk->writer == NULL)
        return; /* all ends */
    if (!scan->over || scan->unwanted_count > 0) {
        if (errands_send(disk->writer, &scan->errand, run, done))
            return;
        scan->over = true; /* no thread could be had: what is not found is not there */
    }
    disk->scan = NULL;
    scan_free(scan);
    http_cache_load_end(disk->cache);
}

bool proxy_disk_is_loading(const struct proxy_disk *disk)
{
    return disk->scan != NULL;
}

int proxy_disk_scan_begin(struct proxy_disk *disk)
{
    struct proxy_disk_scan *scan = calloc(1, sizeof *scan);
    if (scan == NULL)
        return -ENOMEM;
    scan->disk = disk;
    scan->directory = disk->directory;
    scan->generation = disk->generation;
    scan->compare = disk->compare;
    scan->fd = -1;
    disk->scan = scan;
    http_cache_load_begin(disk->cache);
    return errands_send(disk->writer, &scan->errand, run, done) ? 0 : -EAGAIN;
}

void proxy_disk_scan_end(struct proxy_disk *disk)
{
    struct proxy_disk_scan *scan = disk->scan;
    if (scan == NULL)
        return;
    while (scan->unwanted_count > 0)
        remove_file(scan, scan->unwanted[--scan->unwanted_count], true);
    disk->scan = NULL;
    scan_free(scan);
    http_cache_load_end(disk->cache);
}

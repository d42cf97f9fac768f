/* SPDX-License-Identifier: ISC */
/*
 * proxy_disk_scan.c - after a start: folder by folder the files that are there, a few each turn. What is not
 * whole goes; what the cache does not want goes, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "app/proxy/proxy_disk.h"

enum { FOLDERS = 256, FIRST_READ = 4096, PIECE = 64 * 1024 };

/* ---- one file ---- */

static void remove_file(struct proxy_disk *disk, uint64_t id, bool whole)
{
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(id, whole, path);
    (void)unlinkat(disk->directory, path, 0);
}

static ssize_t read_at(int fd, void *out, size_t len, uint64_t at)
{
    ssize_t got;
    do
        got = pread(fd, out, len, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

/* The tail to the end of disk->tail; empty: there is none. */
static struct bytes read_tail(struct proxy_disk *disk, int fd, struct http_cache_tail_end *end)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < HTTP_CACHE_TAIL_END)
        return bytes_empty();
    uint64_t size = (uint64_t)st.st_size;
    size_t len = size < FIRST_READ ? (size_t)size : FIRST_READ;
    uint8_t *at = disk->tail + HTTP_CACHE_TAIL_MAX - len;
    if (read_at(fd, at, len, size - len) != (ssize_t)len ||
        !http_cache_tail_end(bytes_of(at + len - HTTP_CACHE_TAIL_END, HTTP_CACHE_TAIL_END), end) ||
        size != end->body_len + end->tail_len)
        return bytes_empty();
    at = disk->tail + HTTP_CACHE_TAIL_MAX - end->tail_len;
    if (end->tail_len > len &&
        read_at(fd, at, end->tail_len, end->body_len) != (ssize_t)end->tail_len)
        return bytes_empty();
    return bytes_of(at, end->tail_len);
}

/* Shows it to the cache. */
static void show(struct proxy_disk *disk, int fd, uint64_t id)
{
    struct http_cache_time time = {loop_now(disk->loop), loop_wall_seconds(disk->loop)};
    struct http_cache_tail_end end;
    struct bytes tail = read_tail(disk, fd, &end);
    struct http_cache_file *file =
        tail.len > 0 ? http_cache_load(disk->cache, tail, time) : NULL;
    if (file != NULL)
        file->id = id;
    else
        remove_file(disk, id, true);
    proxy_disk_stir(disk); /* room was made, perhaps */
}

/* Compares a piece of what is being compared. Returns how many octets. */
static size_t compare_some(struct proxy_disk *disk)
{
    uint8_t *block = malloc(PIECE);
    uint64_t left = disk->scan.end.body_len - disk->scan.at;
    size_t len = left < PIECE ? (size_t)left : PIECE;
    bool good = block != NULL && read_at(disk->scan.fd, block, len, disk->scan.at) == (ssize_t)len;
    if (good)
        disk->scan.crc = (uint32_t)crc32(disk->scan.crc, block, (uInt)len);
    free(block);
    disk->scan.at += len;
    bool over = !good || disk->scan.at == disk->scan.end.body_len;
    if (!over)
        return len;
    if (good && disk->scan.crc == disk->scan.end.crc)
        show(disk, disk->scan.fd, disk->scan.id);
    else
        remove_file(disk, disk->scan.id, true);
    (void)close(disk->scan.fd);
    disk->scan.fd = -1;
    return len;
}

static void take_file(struct proxy_disk *disk, uint64_t id)
{
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(id, true, path);
    int fd = openat(disk->directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (disk->scan.compare && read_tail(disk, fd, &disk->scan.end).len > 0) {
        disk->scan.fd = fd;
        disk->scan.id = id;
        disk->scan.at = 0;
        disk->scan.crc = 0;
        return;
    }
    show(disk, fd, id);
    (void)close(fd);
}

/* ---- all of them ---- */

/* A name of ours, from before this start; others are let alone. */
static void take_name(struct proxy_disk *disk, const char *name)
{
    char again[PROXY_DISK_PATH_MAX];
    unsigned generation, number;
    if (sscanf(name, "%8x-%8x", &generation, &number) != 2 || generation == disk->generation)
        return;
    uint64_t id = (uint64_t)generation << 32 | number;
    proxy_disk_path(id, false, again);
    if (strcmp(again + 3, name) == 0) { /* it was not finished */
        remove_file(disk, id, false);
        return;
    }
    proxy_disk_path(id, true, again);
    if (strcmp(again + 3, name) == 0)
        take_file(disk, id);
}

/* The next name. False: there is none any more. */
static bool next_name(struct proxy_disk *disk)
{
    char folder[3];
    if (disk->scan.folder == NULL) {
        if (disk->scan.next == FOLDERS)
            return false;
        snprintf(folder, sizeof folder, "%02x", disk->scan.next++ & 0xff);
        int fd = openat(disk->directory, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        disk->scan.folder = fd >= 0 ? fdopendir(fd) : NULL;
        if (fd >= 0 && disk->scan.folder == NULL)
            (void)close(fd);
        return true;
    }
    const struct dirent *entry = readdir(disk->scan.folder);
    if (entry != NULL) {
        take_name(disk, entry->d_name);
        return true;
    }
    (void)closedir(disk->scan.folder);
    disk->scan.folder = NULL;
    return true;
}

static void on_turn(struct task *task)
{
    struct proxy_disk *disk = CONTAINER_OF(task, struct proxy_disk, scan.task);
    size_t octets = 0;
    for (size_t i = 0; i < PROXY_DISK_STEPS && octets < PROXY_DISK_TURN; i++) {
        while (disk->scan.fd >= 0 && octets < PROXY_DISK_TURN)
            octets += compare_some(disk) + 1;
        if (disk->scan.fd < 0 && !next_name(disk)) {
            http_cache_load_end(disk->cache);
            return;
        }
    }
    loop_queue(disk->loop, &disk->scan.task);
}

bool proxy_disk_is_loading(const struct proxy_disk *disk)
{
    return disk->scan.next < FOLDERS || disk->scan.folder != NULL || disk->scan.fd >= 0;
}

void proxy_disk_scan_begin(struct proxy_disk *disk)
{
    http_cache_load_begin(disk->cache);
    task_init(&disk->scan.task, on_turn);
    loop_queue(disk->loop, &disk->scan.task);
}

void proxy_disk_scan_end(struct proxy_disk *disk)
{
    if (disk->scan.task.run != NULL)
        loop_unqueue(&disk->scan.task);
    if (disk->scan.folder != NULL)
        (void)closedir(disk->scan.folder);
    if (disk->scan.fd >= 0)
        (void)close(disk->scan.fd);
    disk->scan.folder = NULL;
    disk->scan.fd = -1;
    disk->scan.next = FOLDERS;
    http_cache_load_end(disk->cache);
}

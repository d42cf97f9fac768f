/* SPDX-License-Identifier: ISC */
/* proxy_disk.c - the cache's files: written, renewed, removed, read. */
#include "app/proxy/proxy_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LOCK_TEXT_MAX = 128 };

static void complain(struct proxy_disk *disk, const char *doing, int error)
{
    char text[128];
    usec now = loop_now(disk->loop);
    if (disk->on_trouble == NULL || now < disk->complained_at + USEC_PER_MINUTE)
        return;
    disk->complained_at = now;
    snprintf(text, sizeof text, "%s: %s", doing, strerror(error));
    disk->on_trouble(disk->self, text);
}

void proxy_disk_path(uint64_t id, bool whole, char out[PROXY_DISK_PATH_MAX])
{
    unsigned generation = (unsigned)(id >> 32), number = (unsigned)id;
    snprintf(out, PROXY_DISK_PATH_MAX, "%02x/%08x-%08x%s", number & 0xff, generation, number,
             whole ? "" : ".new");
}

/* ---- descriptors ---- */

static void hold(struct proxy_disk *disk, struct http_cache_file *file, int fd)
{
    file->fd = fd;
    list_append(&disk->open, &file->open);
}

static void let_go(struct http_cache_file *file)
{
    if (file->fd < 0)
        return;
    (void)close(file->fd);
    file->fd = -1;
    list_remove(&file->open);
}

/* ---- writing ---- */

static int write_at(int fd, struct bytes in, uint64_t at)
{
    while (in.len > 0) {
        ssize_t done = pwrite(fd, in.data, in.len, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        in = bytes_after(in, (size_t)done);
        at += (uint64_t)done;
    }
    return 0;
}

/* It is not written, or not any more. */
static void give_up(struct proxy_disk *disk, struct http_cache_file *file, const char *doing,
                    int status)
{
    complain(disk, doing, -status);
    if (status == -ENOSPC || status == -EDQUOT || status == -EMFILE || status == -EROFS ||
        status == -EACCES)
        disk->full_until = loop_now(disk->loop) + PROXY_DISK_FULL_TIME;
    http_cache_file_failed(file);
    if (status == -ENOSPC || status == -EDQUOT)
        http_cache_file_full(disk->cache);
}

static int create(struct proxy_disk *disk, struct http_cache_file *file)
{
    static const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    char path[PROXY_DISK_PATH_MAX];
    uint64_t id = (uint64_t)disk->generation << 32 | ++disk->number;
    proxy_disk_path(id, false, path);
    int fd = openat(disk->directory, path, flags, 0600);
    if (fd < 0 && errno == ENOENT) { /* its folder is not there yet */
        path[2] = '\0';
        if (mkdirat(disk->directory, path, 0700) == 0 || errno == EEXIST) {
            path[2] = '/';
            fd = openat(disk->directory, path, flags, 0600);
        }
    }
    if (fd < 0)
        return -errno;
    file->id = id;
    hold(disk, file, fd);
    return 0;
}

static struct bytes make_tail(struct proxy_disk *disk, const struct http_cache_file *file)
{
    struct writer w = writer_of(disk->tail, HTTP_CACHE_TAIL_MAX);
    struct http_cache_time time = {loop_now(disk->loop), loop_wall_seconds(disk->loop)};
    return http_cache_file_tail(file, time, &w) ? writer_bytes(&w) : bytes_empty();
}

/* All octets are there. */
static int finish(struct proxy_disk *disk, struct http_cache_file *file)
{
    char beside[PROXY_DISK_PATH_MAX], path[PROXY_DISK_PATH_MAX];
    struct bytes tail = make_tail(disk, file);
    if (tail.len == 0)
        return -EFBIG;
    int status = write_at(file->fd, tail, file->written);
    proxy_disk_path(file->id, false, beside);
    proxy_disk_path(file->id, true, path);
    if (status == 0 && renameat(disk->directory, beside, disk->directory, path) < 0)
        status = -errno;
    if (status < 0)
        return status;
    let_go(file);
    http_cache_file_done(file, file->written + tail.len);
    return 0;
}

/* One piece more. Returns how many octets. */
static size_t write_some(struct proxy_disk *disk, struct http_cache_file *file)
{
    bool whole;
    int status = 0;
    struct bytes octets = http_cache_file_octets(file, &whole);
    if (octets.len == 0 && !whole)
        return 0;
    if (file->id == 0)
        status = loop_now(disk->loop) < disk->full_until ? -ENOSPC : create(disk, file);
    if (status == -ENOSPC && file->id == 0) { /* said already */
        http_cache_file_failed(file);
        return 0;
    }
    if (status == 0 && whole) {
        status = finish(disk, file);
    } else if (status == 0) {
        status = write_at(file->fd, octets, file->written);
        if (status == 0) {
            file->crc = (uint32_t)crc32(file->crc, octets.data, (uInt)octets.len);
            http_cache_file_wrote(file, octets.len);
        }
    }
    if (status < 0)
        give_up(disk, file, "cannot write to the cache's directory", status);
    return octets.len;
}

/* The octets stay where they are; a tail that is half written is none. */
static void renew(struct proxy_disk *disk, struct http_cache_file *file)
{
    char path[PROXY_DISK_PATH_MAX];
    struct bytes tail = make_tail(disk, file);
    proxy_disk_path(file->id, true, path);
    int fd = tail.len > 0 ? openat(disk->directory, path, O_WRONLY | O_CLOEXEC) : -1;
    int status = tail.len == 0 ? -EFBIG : fd < 0 ? -errno : write_at(fd, tail, file->written);
    if (status == 0 && ftruncate(fd, (off_t)(file->written + tail.len)) < 0)
        status = -errno;
    if (fd >= 0)
        (void)close(fd);
    if (status < 0)
        give_up(disk, file, "cannot write to the cache's directory", status);
    else
        http_cache_file_done(file, file->written + tail.len);
}

static void remove_names(struct proxy_disk *disk, struct http_cache_file *file)
{
    char path[PROXY_DISK_PATH_MAX];
    if (file->id == 0)
        return;
    proxy_disk_path(file->id, true, path);
    if (file->fd < 0 && http_cache_file_in_use(file)) {
        int fd = openat(disk->directory, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            hold(disk, file, fd);
    }
    if (unlinkat(disk->directory, path, 0) == 0)
        return;
    proxy_disk_path(file->id, false, path);
    if (unlinkat(disk->directory, path, 0) < 0 && errno != ENOENT)
        complain(disk, "cannot remove a file of the cache", errno);
}

/* What is to be done, up to so many octets. False: that was not all. */
static bool work(struct proxy_disk *disk, size_t octets)
{
    enum http_cache_file_want want;
    struct http_cache_file *file;
    for (size_t done = 0; done < octets; done += 1024) { /* opening and removing take time, too */
        file = http_cache_next_file(disk->cache, &want);
        if (file == NULL)
            return true;
        switch (want) {
        case HTTP_CACHE_FILE_WRITE:
            done += write_some(disk, file);
            break;
        case HTTP_CACHE_FILE_RENEW:
            renew(disk, file);
            break;
        case HTTP_CACHE_FILE_REMOVE:
            remove_names(disk, file);
            break;
        case HTTP_CACHE_FILE_CLOSE:
            let_go(file);
            http_cache_file_free(file);
            break;
        }
    }
    return false;
}

static void on_task(struct task *task)
{
    struct proxy_disk *disk = CONTAINER_OF(task, struct proxy_disk, task);
    if (!work(disk, PROXY_DISK_TURN))
        loop_queue(disk->loop, &disk->task);
}

void proxy_disk_stir(struct proxy_disk *disk)
{
    if (disk != NULL && http_cache_files_wanted(disk->cache))
        loop_queue(disk->loop, &disk->task);
}

/* ---- reading ---- */

int proxy_disk_open(struct proxy_disk *disk, const struct http_cache_file *file)
{
    char path[PROXY_DISK_PATH_MAX];
    int fd;
    if (file->fd >= 0) {
        fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    } else {
        proxy_disk_path(file->id, true, path);
        fd = openat(disk->directory, path, O_RDONLY | O_CLOEXEC);
    }
    return fd >= 0 ? fd : -errno;
}

bool proxy_disk_load(struct proxy_disk *disk, struct http_cache_file *file)
{
    uint8_t *block = malloc(file->written > 0 ? (size_t)file->written : 1);
    int fd = proxy_disk_open(disk, file);
    bool good = false;
    if (block != NULL && fd >= 0) {
        ssize_t len = pread(fd, block, (size_t)file->written, 0);
        good = len == (ssize_t)file->written &&
               crc32(0, block, (uInt)file->written) == file->crc;
        if (good)
            http_cache_file_loaded(file, bytes_of(block, (size_t)len));
    }
    if (fd >= 0)
        (void)close(fd);
    free(block);
    return good;
}

/* ---- its life ---- */

static void read_boot(char out[64])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    out[0] = '\0';
    if (file != NULL && fgets(out, 64, file) == NULL)
        out[0] = '\0';
    if (file != NULL)
        (void)fclose(file);
    out[strcspn(out, "\n")] = '\0';
}

/* Takes the lock, and the next number of a start. */
static int take(struct proxy_disk *disk)
{
    char text[LOCK_TEXT_MAX] = "", boot[64], last_boot[64] = "";
    unsigned last = 0;
    disk->lock = openat(disk->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (disk->lock < 0)
        return -errno;
    if (flock(disk->lock, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (pread(disk->lock, text, sizeof text - 1, 0) < 0)
        return -errno;
    int fields = sscanf(text, "start %8x boot %63s", &last, last_boot);
    read_boot(boot);
    /* Names must not come again, even when the text was lost. */
    uint32_t now = (uint32_t)loop_wall_seconds(disk->loop);
    disk->generation = fields < 1 || last + 1 < now ? now : last + 1;
    disk->scan.compare = fields < 2 || boot[0] == '\0' || strcmp(boot, last_boot) != 0;
    int len = snprintf(text, sizeof text, "start %08x boot %s\n", (unsigned)disk->generation, boot);
    int status = write_at(disk->lock, bytes_of(text, (size_t)len), 0);
    if (status == 0 && ftruncate(disk->lock, len) < 0)
        status = -errno;
    return status;
}

int proxy_disk_new(struct loop *loop, struct http_cache *cache, const char *directory,
                   struct proxy_disk **out)
{
    struct proxy_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        return -ENOMEM;
    disk->loop = loop;
    disk->cache = cache;
    disk->lock = disk->directory = disk->scan.fd = -1;
    disk->complained_at = -USEC_PER_HOUR;
    disk->full_until = INT64_MIN;
    list_init(&disk->open);
    task_init(&disk->task, on_task);
    disk->tail = malloc(HTTP_CACHE_TAIL_MAX);
    int status = disk->tail != NULL ? 0 : -ENOMEM;
    if (status == 0 && mkdir(directory, 0700) < 0 && errno != EEXIST)
        status = -errno;
    if (status == 0) {
        disk->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        status = disk->directory < 0 ? -errno : take(disk);
    }
    if (status < 0) {
        proxy_disk_free(disk);
        return status;
    }
    proxy_disk_scan_begin(disk);
    *out = disk;
    return 0;
}

/* What waits to be written is in memory, and so bounded; what cannot be finished goes. */
static void end_work(struct proxy_disk *disk)
{
    struct list_node *node;
    while (disk->directory >= 0 && !work(disk, PROXY_DISK_TURN))
        ;
    while ((node = list_first(&disk->open)) != NULL) {
        struct http_cache_file *file = CONTAINER_OF(node, struct http_cache_file, open);
        char path[PROXY_DISK_PATH_MAX];
        proxy_disk_path(file->id, false, path);
        (void)unlinkat(disk->directory, path, 0);
        let_go(file);
    }
}

void proxy_disk_free(struct proxy_disk *disk)
{
    if (disk == NULL)
        return;
    proxy_disk_scan_end(disk);
    end_work(disk);
    loop_unqueue(&disk->task);
    if (disk->lock >= 0)
        (void)close(disk->lock);
    if (disk->directory >= 0)
        (void)close(disk->directory);
    free(disk->tail);
    free(disk);
}

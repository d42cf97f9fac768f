/* SPDX-License-Identifier: ISC */
/*
 * proxy_disk_read.c - the cache's files are opened, and their octets fetched, by a thread. What is small comes
 * back to memory; of what is large the kernel has then what is sent next, so that the loop sends it without waiting
 * for the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "app/proxy/proxy_disk.h"

enum {
    PIECE = 64 * 1024,
    PROBE = 64 * 1024, /* the kernel fetches as much at a time, and more: one octet in so many tells of all */
};

struct proxy_fetch {
    struct errand errand;
    struct proxy_disk *disk;
    struct http_cache_file *file; /* NULL: it is open already, or nobody waits any more */
    struct alarm alarm;
    proxy_fetched *on_fetched;    /* NULL: cancelled */
    void *self;
    int directory;
    int fd;
    int status;
    bool loads;
    bool keeps;                   /* the descriptor is for who waits */
    bool again;                   /* behind what the writer had to do */
    uint64_t id;
    uint64_t at;
    uint64_t len;                 /* LOADS: of all */
    uint32_t crc;
    uint8_t *block;               /* LOADS: the octets */
};

/* ---- in the thread ---- */

static ssize_t read_at(int fd, void *out, size_t len, uint64_t at)
{
    ssize_t got;
    do
        got = pread(fd, out, len, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

static int load(struct proxy_fetch *fetch)
{
    size_t len = (size_t)fetch->len;
    fetch->block = malloc(len > 0 ? len : 1);
    if (fetch->block == NULL)
        return -ENOMEM;
    if (read_at(fetch->fd, fetch->block, len, 0) != (ssize_t)len)
        return -EIO;
    return crc32(0, fetch->block, (uInt)len) == fetch->crc ? 0 : -EBADMSG;
}

/* They are in the kernel's memory when they have been read; what cannot be is noticed by who sends it. */
static void bring_near(const struct proxy_fetch *fetch)
{
    void *block = malloc(PIECE);
    ssize_t got = PIECE;
    (void)posix_fadvise(fetch->fd, (off_t)fetch->at, PROXY_DISK_AHEAD, POSIX_FADV_WILLNEED);
    for (uint64_t done = 0; block != NULL && done < PROXY_DISK_AHEAD && got == PIECE; done += PIECE)
        got = read_at(fetch->fd, block, PIECE, fetch->at + done);
    free(block);
}

static void run(struct errand *errand)
{
    struct proxy_fetch *fetch = CONTAINER_OF(errand, struct proxy_fetch, errand);
    char path[PROXY_DISK_PATH_MAX];
    fetch->status = 0;
    if (fetch->fd < 0) {
        proxy_disk_path(fetch->id, true, path);
        fetch->fd = openat(fetch->directory, path, O_RDONLY | O_CLOEXEC);
        if (fetch->fd < 0) {
            fetch->status = -errno;
            return;
        }
    }
    if (fetch->loads)
        fetch->status = load(fetch);
    else
        bring_near(fetch);
}

/* ---- on the loop ---- */

static void end(struct proxy_fetch *fetch)
{
    if (fetch->fd >= 0)
        proxy_disk_close(fetch->disk, fetch->fd);
    loop_clear_alarm(fetch->disk->loop, &fetch->alarm);
    free(fetch->block);
    free(fetch);
}

static void on_late(struct alarm *alarm)
{
    struct proxy_fetch *fetch = CONTAINER_OF(alarm, struct proxy_fetch, alarm);
    proxy_fetched *on_fetched = fetch->on_fetched;
    proxy_fetch_cancel(fetch);
    on_fetched(fetch->self, -ETIMEDOUT, -1);
}

static void done(struct errand *errand)
{
    struct proxy_fetch *fetch = CONTAINER_OF(errand, struct proxy_fetch, errand);
    struct http_cache_file *file = fetch->file;
    if (fetch->on_fetched == NULL) {
        end(fetch);
        return;
    }
    /* It has been removed meanwhile, or has not got its name yet: the writer knows of it. */
    if (fetch->status == -ENOENT && file != NULL && !fetch->again) {
        fetch->again = true;
        if (file->fd >= 0)
            fetch->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
        proxy_disk_send(fetch->disk, &fetch->errand, run, done);
        return;
    }
    if (fetch->status == -ENOENT && file != NULL && file->fd >= 0) {
        fetch->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
        fetch->status = fetch->fd >= 0 ? 0 : -errno;
    }
    if (fetch->status == 0 && fetch->block != NULL && file != NULL)
        http_cache_file_loaded(file, bytes_of(fetch->block, (size_t)fetch->len));
    int fd = fetch->status == 0 && fetch->keeps ? fetch->fd : -1;
    if (fd >= 0)
        fetch->fd = -1;
    proxy_fetched *on_fetched = fetch->on_fetched;
    void *self = fetch->self;
    int status = fetch->status;
    end(fetch);
    on_fetched(self, status, fd);
}

static struct proxy_fetch *begin(struct proxy_disk *disk, const struct proxy_fetch *as)
{
    struct proxy_fetch *fetch = malloc(sizeof *fetch);
    if (fetch == NULL) {
        if (as->fd >= 0)
            (void)close(as->fd);
        return NULL;
    }
    *fetch = *as;
    fetch->disk = disk;
    fetch->directory = disk->directory;
    alarm_init(&fetch->alarm, on_late);
    if (errands_send(disk->reader, &fetch->errand, run, done))
        return fetch;
    end(fetch);
    return NULL;
}

struct proxy_fetch *proxy_disk_fetch(struct proxy_disk *disk, struct http_cache_file *file,
                                     uint64_t at, proxy_fetched *on_fetched, void *self)
{
    struct proxy_fetch as = {.file = file,
                             .on_fetched = on_fetched,
                             .self = self,
                             .fd = -1,
                             .keeps = true,
                             .id = file->id,
                             .at = at,
                             .len = file->written,
                             .crc = file->crc};
    as.loads = file->state == HTTP_CACHE_FILE_STORED && file->written <= PROXY_DISK_SMALL;
    if (file->fd >= 0)
        as.fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    struct proxy_fetch *fetch = begin(disk, &as);
    if (fetch != NULL)
        loop_set_alarm(disk->loop, &fetch->alarm, loop_now(disk->loop) + PROXY_DISK_PATIENCE);
    return fetch;
}

struct proxy_fetch *proxy_disk_fetch_on(struct proxy_disk *disk, int fd, uint64_t at,
                                        proxy_fetched *on_fetched, void *self)
{
    struct proxy_fetch as = {.on_fetched = on_fetched, .self = self, .at = at};
    as.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return as.fd >= 0 ? begin(disk, &as) : NULL;
}

void proxy_fetch_cancel(struct proxy_fetch *fetch)
{
    if (fetch == NULL)
        return;
    fetch->on_fetched = NULL;
    fetch->file = NULL;
    loop_clear_alarm(fetch->disk->loop, &fetch->alarm);
}

bool proxy_disk_has_near(int fd, uint64_t at, size_t len)
{
    uint8_t octet;
    struct iovec one = {&octet, 1};
    for (uint64_t i = at; i < at + len; i += PROBE)
        if (preadv2(fd, &one, 1, (off_t)i, RWF_NOWAIT) < 0)
            return false;
    return len == 0 || preadv2(fd, &one, 1, (off_t)(at + len - 1), RWF_NOWAIT) >= 0;
}

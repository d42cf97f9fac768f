/* SPDX-License-Identifier: ISC */
/*
 * proxy_disk.c - the cache's files: written, renewed, removed. What the cache wants is made an act, which has all
 * that the thread needs; the file is held until it is done.
 */
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

enum act_kind {
    ACT_WRITE,  /* octets, */
    ACT_FINISH, /* the tail, and its name */
    ACT_RENEW,  /* another tail */
    ACT_REMOVE,
    ACT_CLOSE,
};

struct act {
    struct errand errand;
    struct list_node node;  /* in disk->acts */
    struct proxy_disk *disk;
    struct http_cache_file *file; /* held; NULL: none */
    enum act_kind kind;
    int directory;
    bool creates;
    bool opens;             /* REMOVE: somebody may still read it */
    uint64_t id;
    int fd;
    int status;
    uint32_t crc;           /* WRITE: of all octets so far */
    uint64_t at;
    size_t len;
    uint8_t octets[];
};

static void complain(struct proxy_disk *disk, const char *doing, int error)
{
    char text[128];
    usec now = loop_now(disk->loop);
    if (disk->on_trouble == NULL || now < disk->complained_at + USEC_PER_MINUTE)
        return;
    disk->complained_at = now;
    snprintf(text, sizeof text, "%s: %s", doing, error != 0 ? strerror(error) : "it is slow");
    disk->on_trouble(disk->self, text);
}

void proxy_disk_path(uint64_t id, bool whole, char out[PROXY_DISK_PATH_MAX])
{
    unsigned generation = (unsigned)(id >> 32), number = (unsigned)id;
    snprintf(out, PROXY_DISK_PATH_MAX, "%02x/%08x-%08x%s", number & 0xff, generation, number,
             whole ? "" : ".new");
}

/* ---- in the thread ---- */

int proxy_disk_write_at(int fd, struct bytes in, uint64_t at)
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

static int create(struct act *act)
{
    static const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(act->id, false, path);
    act->fd = openat(act->directory, path, flags, 0600);
    if (act->fd < 0 && errno == ENOENT) { /* its folder is not there yet */
        path[2] = '\0';
        if (mkdirat(act->directory, path, 0700) == 0 || errno == EEXIST) {
            path[2] = '/';
            act->fd = openat(act->directory, path, flags, 0600);
        }
    }
    return act->fd >= 0 ? 0 : -errno;
}

static int run_write(struct act *act)
{
    struct bytes octets = bytes_of(act->octets, act->len);
    int status = act->creates ? create(act) : 0;
    if (status == 0)
        status = proxy_disk_write_at(act->fd, octets, act->at);
    if (status == 0)
        act->crc = (uint32_t)crc32(act->crc, octets.data, (uInt)octets.len);
    return status;
}

static int run_finish(struct act *act)
{
    char beside[PROXY_DISK_PATH_MAX], path[PROXY_DISK_PATH_MAX];
    int status = run_write(act);
    proxy_disk_path(act->id, false, beside);
    proxy_disk_path(act->id, true, path);
    if (status == 0 && renameat(act->directory, beside, act->directory, path) < 0)
        status = -errno;
    if (status < 0)
        return status;
    (void)close(act->fd);
    act->fd = -1;
    return 0;
}

/* The octets stay where they are; a tail that is half written is none. */
static int run_renew(struct act *act)
{
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(act->id, true, path);
    int fd = openat(act->directory, path, O_WRONLY | O_CLOEXEC);
    int status =
        fd < 0 ? -errno : proxy_disk_write_at(fd, bytes_of(act->octets, act->len), act->at);
    if (status == 0 && ftruncate(fd, (off_t)(act->at + act->len)) < 0)
        status = -errno;
    if (fd >= 0)
        (void)close(fd);
    return status;
}

static int run_remove(struct act *act)
{
    char path[PROXY_DISK_PATH_MAX];
    proxy_disk_path(act->id, true, path);
    if (act->opens)
        act->fd = openat(act->directory, path, O_RDONLY | O_CLOEXEC);
    if (unlinkat(act->directory, path, 0) == 0)
        return 0;
    proxy_disk_path(act->id, false, path);
    return unlinkat(act->directory, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static void run(struct errand *errand)
{
    struct act *act = CONTAINER_OF(errand, struct act, errand);
    switch (act->kind) {
    case ACT_WRITE:
        act->status = run_write(act);
        break;
    case ACT_FINISH:
        act->status = run_finish(act);
        break;
    case ACT_RENEW:
        act->status = run_renew(act);
        break;
    case ACT_REMOVE:
        act->status = run_remove(act);
        break;
    case ACT_CLOSE:
        (void)close(act->fd);
        break;
    }
}

/* ---- what has been done ---- */

static void hold_open(struct proxy_disk *disk, struct http_cache_file *file, int fd)
{
    file->fd = fd;
    list_append(&disk->open, &file->open);
}

/* It is not written, or not any more. */
static void give_up(struct proxy_disk *disk, struct http_cache_file *file, int status)
{
    complain(disk, "cannot write to the cache's directory", -status);
    if (status == -ENOSPC || status == -EDQUOT || status == -EMFILE || status == -EROFS ||
        status == -EACCES)
        disk->full_until = loop_now(disk->loop) + PROXY_DISK_FULL_TIME;
    http_cache_file_failed(file);
    if (status == -ENOSPC || status == -EDQUOT)
        http_cache_file_full(disk->cache);
}

/* Who waits for removals that are all done. */
static void tell_waits(struct proxy_disk *disk)
{
    bool all_sent = !http_cache_removals_wanted(disk->cache);
    struct list_node *node = disk->waits.next;
    while (node != &disk->waits) {
        struct proxy_disk_wait *wait = CONTAINER_OF(node, struct proxy_disk_wait, node);
        node = node->next;
        if (!wait->sent && all_sent) {
            wait->sent = true;
            wait->mark = disk->removals;
        }
        if (!wait->sent || disk->removed < wait->mark)
            continue;
        list_remove(&wait->node);
        wait->on_gone(wait);
        node = disk->waits.next; /* others may have gone, too */
    }
}

static void removed(struct act *act)
{
    struct proxy_disk *disk = act->disk;
    disk->removed++;
    if (act->status < 0)
        complain(disk, "cannot remove a file of the cache", -act->status);
    if (act->fd >= 0 && act->file->fd < 0)
        hold_open(disk, act->file, act->fd);
    else if (act->fd >= 0)
        (void)close(act->fd);
}

static void written(struct act *act)
{
    struct http_cache_file *file = act->file;
    if (act->fd >= 0 && file->fd < 0)
        hold_open(act->disk, file, act->fd);
    if (act->status < 0) {
        give_up(act->disk, file, act->status);
    } else if (act->kind == ACT_WRITE) {
        file->crc = act->crc;
        http_cache_file_wrote(file, act->len);
    } else {
        http_cache_file_done(file, act->at + act->len);
    }
}

static void wake(struct proxy_disk *disk)
{
    if (disk->stir != NULL)
        loop_queue(disk->loop, disk->stir);
}

/* The disk has done nothing for a while: nobody is to wait for it. */
static void on_stall(struct alarm *alarm)
{
    struct proxy_disk *disk = CONTAINER_OF(alarm, struct proxy_disk, stall);
    for (struct list_node *node = disk->acts.next; node != &disk->acts; node = node->next) {
        struct act *act = CONTAINER_OF(node, struct act, node);
        if (act->file != NULL && http_cache_file_is_waited_for(act->file))
            http_cache_file_failed(act->file);
    }
    for (struct list_node *node = disk->open.next; node != &disk->open; node = node->next) {
        struct http_cache_file *file = CONTAINER_OF(node, struct http_cache_file, open);
        if (http_cache_file_is_waited_for(file))
            http_cache_file_failed(file);
    }
    complain(disk, "the disk of the cache's directory", 0);
    wake(disk);
    loop_set_alarm(disk->loop, &disk->stall, loop_now(disk->loop) + PROXY_DISK_STALL);
}

static void watch(struct proxy_disk *disk)
{
    loop_set_alarm(disk->loop, &disk->stall,
                   disk->act_count > 0 ? loop_now(disk->loop) + PROXY_DISK_STALL : USEC_NEVER);
}

static void done(struct errand *errand)
{
    struct act *act = CONTAINER_OF(errand, struct act, errand);
    struct proxy_disk *disk = act->disk;
    list_remove(&act->node);
    disk->act_count--;
    watch(disk);
    if (act->kind == ACT_REMOVE)
        removed(act);
    else if (act->file != NULL)
        written(act);
    if (act->file != NULL)
        http_cache_file_release(act->file);
    free(act);
    wake(disk); /* there is room again, or something to read */
    loop_queue(disk->loop, &disk->task);
}

/* ---- what is to be done ---- */

void proxy_disk_send(struct proxy_disk *disk, struct errand *errand,
                     void (*to_run)(struct errand *errand), void (*when_done)(struct errand *errand))
{
    if (disk->writer != NULL && errands_send(disk->writer, errand, to_run, when_done))
        return;
    to_run(errand); /* there is no thread */
    when_done(errand);
}

static struct act *act_new(struct proxy_disk *disk, struct http_cache_file *file,
                           enum act_kind kind, struct bytes octets)
{
    struct act *act = malloc(sizeof *act + octets.len);
    if (act == NULL)
        return NULL;
    *act = (struct act){.disk = disk, .file = file, .kind = kind, .directory = disk->directory,
                        .fd = -1, .len = octets.len};
    list_init(&act->node);
    if (octets.len > 0)
        memcpy(act->octets, octets.data, octets.len);
    if (file == NULL)
        return act;
    act->id = file->id;
    act->crc = file->crc;
    act->at = file->written;
    return act;
}

static void send(struct act *act)
{
    struct proxy_disk *disk = act->disk;
    if (act->file != NULL)
        http_cache_file_hold(act->file);
    list_append(&disk->acts, &act->node);
    if (disk->act_count++ == 0)
        watch(disk);
    proxy_disk_send(disk, &act->errand, run, done);
}

static struct bytes make_tail(struct proxy_disk *disk, const struct http_cache_file *file)
{
    struct writer w = writer_of(disk->tail, HTTP_CACHE_TAIL_MAX);
    struct http_cache_time time = {loop_now(disk->loop), loop_wall_seconds(disk->loop)};
    return http_cache_file_tail(file, time, &w) ? writer_bytes(&w) : bytes_empty();
}

/* One piece more, or the tail. */
static void write_some(struct proxy_disk *disk, struct http_cache_file *file)
{
    bool whole;
    struct bytes octets = http_cache_file_octets(file, &whole);
    if (octets.len == 0 && !whole)
        return;
    if (file->id == 0 && loop_now(disk->loop) < disk->full_until) { /* said already */
        http_cache_file_failed(file);
        return;
    }
    if (whole)
        octets = make_tail(disk, file);
    bool fits = octets.len > 0;
    struct act *act = fits ? act_new(disk, file, whole ? ACT_FINISH : ACT_WRITE, octets) : NULL;
    if (act == NULL) {
        give_up(disk, file, fits ? -ENOMEM : -EFBIG);
        return;
    }
    act->creates = file->id == 0;
    if (act->creates)
        act->id = file->id = (uint64_t)disk->generation << 32 | ++disk->number;
    act->fd = file->fd;
    if (whole && file->fd >= 0) { /* the thread closes it */
        list_remove(&file->open);
        file->fd = -1;
    }
    send(act);
}

static void renew(struct proxy_disk *disk, struct http_cache_file *file)
{
    struct bytes tail = make_tail(disk, file);
    struct act *act = tail.len > 0 ? act_new(disk, file, ACT_RENEW, tail) : NULL;
    if (act == NULL)
        give_up(disk, file, tail.len > 0 ? -ENOMEM : -EFBIG);
    else
        send(act);
}

static void remove_names(struct proxy_disk *disk, struct http_cache_file *file)
{
    struct act *act = file->id != 0 ? act_new(disk, file, ACT_REMOVE, bytes_empty()) : NULL;
    if (file->id == 0)
        return;
    if (act == NULL) {
        complain(disk, "cannot remove a file of the cache", ENOMEM);
        return;
    }
    act->opens = file->fd < 0 && http_cache_file_in_use(file);
    if (!act->opens)
        act->file = NULL;
    disk->removals++;
    send(act);
}

void proxy_disk_close(struct proxy_disk *disk, int fd)
{
    struct stat st;
    bool last = fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size > PROXY_DISK_SMALL;
    struct act *act =
        last && disk != NULL && disk->act_count < PROXY_DISK_WRITES_MAX
            ? act_new(disk, NULL, ACT_CLOSE, bytes_empty())
            : NULL;
    if (act == NULL) {
        (void)close(fd);
        return;
    }
    act->fd = fd;
    send(act);
}

static void close_file(struct proxy_disk *disk, struct http_cache_file *file)
{
    if (file->fd >= 0) {
        list_remove(&file->open);
        proxy_disk_close(disk, file->fd);
        file->fd = -1;
    }
    http_cache_file_free(file);
}

/* What is to be done, as far as there is room for it. */
static void work(struct proxy_disk *disk)
{
    enum http_cache_file_want want;
    struct http_cache_file *file;
    while (disk->act_count < PROXY_DISK_WRITES_MAX &&
           (file = http_cache_next_file(disk->cache, &want)) != NULL) {
        switch (want) {
        case HTTP_CACHE_FILE_WRITE:
            write_some(disk, file);
            break;
        case HTTP_CACHE_FILE_RENEW:
            renew(disk, file);
            break;
        case HTTP_CACHE_FILE_REMOVE:
            remove_names(disk, file);
            break;
        case HTTP_CACHE_FILE_CLOSE:
            close_file(disk, file);
            break;
        }
    }
    tell_waits(disk);
}

static void on_task(struct task *task)
{
    work(CONTAINER_OF(task, struct proxy_disk, task));
}

void proxy_disk_stir(struct proxy_disk *disk)
{
    if (disk != NULL && http_cache_files_wanted(disk->cache))
        loop_queue(disk->loop, &disk->task);
}

void proxy_disk_wait(struct proxy_disk *disk, struct proxy_disk_wait *wait,
                     void (*on_gone)(struct proxy_disk_wait *wait))
{
    *wait = (struct proxy_disk_wait){.on_gone = on_gone};
    list_init(&wait->node);
    list_append(&disk->waits, &wait->node);
    loop_queue(disk->loop, &disk->task);
}

void proxy_disk_unwait(struct proxy_disk_wait *wait)
{
    if (wait->on_gone != NULL)
        list_remove(&wait->node);
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
    disk->compare = fields < 2 || boot[0] == '\0' || strcmp(boot, last_boot) != 0;
    int len = snprintf(text, sizeof text, "start %08x boot %s\n", (unsigned)disk->generation, boot);
    int status = proxy_disk_write_at(disk->lock, bytes_of(text, (size_t)len), 0);
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
    disk->lock = disk->directory = -1;
    disk->complained_at = -USEC_PER_HOUR;
    disk->full_until = INT64_MIN;
    list_init(&disk->open);
    list_init(&disk->acts);
    list_init(&disk->waits);
    alarm_init(&disk->stall, on_stall);
    task_init(&disk->task, on_task);
    disk->tail = malloc(HTTP_CACHE_TAIL_MAX);
    int status = disk->tail != NULL ? 0 : -ENOMEM;
    if (status == 0 && mkdir(directory, 0700) < 0 && errno != EEXIST)
        status = -errno;
    if (status == 0) {
        disk->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        status = disk->directory < 0 ? -errno : take(disk);
    }
    if (status == 0) /* with room for what may not wait: a step of the scan, and fetches that follow a removal */
        status = errands_new(loop, 2 * PROXY_DISK_WRITES_MAX + PROXY_DISK_READS_MAX, &disk->writer);
    if (status == 0)
        status = errands_new(loop, PROXY_DISK_READS_MAX, &disk->reader);
    if (status == 0)
        status = proxy_disk_scan_begin(disk);
    if (status < 0) {
        proxy_disk_free(disk);
        return status;
    }
    *out = disk;
    return 0;
}

/* What waits to be written is in memory, and so bounded; what cannot be finished goes. */
static void end_work(struct proxy_disk *disk)
{
    struct list_node *node;
    struct errands *writer = disk->writer;
    disk->writer = NULL; /* from now on all is done at once */
    errands_free(disk->reader);
    errands_free(writer);
    proxy_disk_scan_end(disk);
    if (disk->directory >= 0)
        work(disk);
    while ((node = list_first(&disk->open)) != NULL) {
        struct http_cache_file *file = CONTAINER_OF(node, struct http_cache_file, open);
        char path[PROXY_DISK_PATH_MAX];
        proxy_disk_path(file->id, false, path);
        (void)unlinkat(disk->directory, path, 0);
        list_remove(&file->open);
        (void)close(file->fd);
        file->fd = -1;
    }
}

void proxy_disk_free(struct proxy_disk *disk)
{
    if (disk == NULL)
        return;
    end_work(disk);
    loop_unqueue(&disk->task);
    loop_clear_alarm(disk->loop, &disk->stall);
    if (disk->lock >= 0)
        (void)close(disk->lock);
    if (disk->directory >= 0)
        (void)close(disk->directory);
    free(disk->tail);
    free(disk);
}

/* SPDX-License-Identifier: ISC */
/*
 * web_cache.c - open files. A name is looked up with RESOLVE_BENEATH once; afterwards it is enough to
 * see that the very same file still lies there, since that one was below the root.
 */
#include "app/web/web_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/web/web_compress.h"
#include "app/web/web_types.h"
#include "io/file_age.h"

const char *const web_coding_names[WEB_CODING_COUNT] = {"identity", "gzip", "br"};

struct key {
    int root_fd;
    enum web_symlinks symlinks;
    const char *path;
};

static bool equal(const void *item, const void *key)
{
    const struct web_file *file = item;
    const struct key *wanted = key;
    return file->root_fd == wanted->root_fd && file->symlinks == wanted->symlinks &&
           strcmp(file->path, wanted->path) == 0;
}

void web_cache_init(struct web_cache *cache, const struct heap *heap, uint64_t random)
{
    *cache = (struct web_cache){.key = {random, ~random}};
    map_init(&cache->map, heap, WEB_CACHE_FILES_MAX, equal);
    list_init(&cache->files);
}

/* ---- one file ---- */

static void file_free(struct web_file *file)
{
    for (size_t i = 0; i < WEB_CODING_COUNT; i++)
        free(file->forms[i].data);
    (void)close(file->fd);
    free(file->path);
    free(file);
}

struct web_file *web_file_use(struct web_file *file)
{
    file->users++;
    return file;
}

void web_file_release(struct web_file *file)
{
    if (file != NULL && --file->users == 0)
        file_free(file);
}

static size_t octets_of(const struct web_file *file)
{
    size_t octets = 0;
    for (size_t i = 0; i < WEB_CODING_COUNT; i++)
        octets += file->forms[i].len;
    return octets;
}

/* Takes it out of the cache; who uses it goes on doing so. */
static void forget(struct web_file *file)
{
    struct web_cache *cache = file->cache;
    (void)map_remove(&cache->map, file->hash, file);
    list_remove(&file->node);
    cache->octets -= octets_of(file);
    file->cache = NULL;
    web_file_release(file);
}

void web_cache_clear(struct web_cache *cache)
{
    struct list_node *node;
    while ((node = list_first(&cache->files)) != NULL)
        forget(CONTAINER_OF(node, struct web_file, node));
}

void web_cache_done(struct web_cache *cache)
{
    web_cache_clear(cache);
    map_done(&cache->map);
}

void web_cache_distrust(struct web_cache *cache)
{
    cache->changes++;
}

/* ---- tags ---- */

enum { WEAK_LEN = 2 }; /* W/ */

/* A file that stands in another's place has another inode, whatever its time: a hash tells nobody which. The device
 * is left out, whose number may be another one after a restart. */
static void write_etag(const struct stat *facts, size_t coding, char out[WEB_ETAG_MAX])
{
    static const char *const endings[WEB_CODING_COUNT] = {"", "-gz", "-br"};
    static const struct siphash_key key = {0};
    uint8_t what[4 * sizeof(uint64_t)];
    struct writer w = writer_of(what, sizeof what);
    write_u64(&w, (uint64_t)facts->st_ino);
    write_u64(&w, (uint64_t)facts->st_size);
    write_u64(&w, (uint64_t)facts->st_mtim.tv_sec);
    write_u64(&w, (uint64_t)facts->st_mtim.tv_nsec);
    snprintf(out, WEB_ETAG_MAX, "W/\"%llx-%016llx%s\"", (unsigned long long)facts->st_size,
             (unsigned long long)siphash13(&key, writer_bytes(&w)), endings[coding]);
}

void web_etag_of(const struct stat *facts, char out[WEB_ETAG_MAX])
{
    write_etag(facts, WEB_IDENTITY, out);
    if (!file_is_fresh(facts))
        memmove(out, out + WEAK_LEN, strlen(out + WEAK_LEN) + 1);
}

const char *web_file_etag(const struct web_file *file, enum web_coding coding)
{
    return file->forms[coding].etag + (file->fresh ? 0 : WEAK_LEN);
}

/* ---- opening ---- */

int web_open_beneath(int root_fd, enum web_symlinks symlinks, const char *path, int flags)
{
    /* O_NONBLOCK: a FIFO must not hold us up. */
    int more = (flags & O_PATH) != 0 ? O_CLOEXEC : O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    struct open_how how = {
        .flags = (uint64_t)(flags | more),
        .mode = (flags & O_CREAT) != 0 ? 0644 : 0,
        .resolve = RESOLVE_NO_MAGICLINKS,
    };
    if (symlinks != WEB_SYMLINKS_ANY)
        how.resolve |= RESOLVE_BENEATH;
    if (symlinks == WEB_SYMLINKS_NONE)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    long fd = syscall(SYS_openat2, root_fd, path[0] != '\0' ? path : ".", &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

static bool same_file(const struct web_file *file, const struct stat *facts)
{
    return facts->st_ino == file->inode && facts->st_dev == file->device &&
           (uint64_t)facts->st_size == file->size && facts->st_mtim.tv_sec == file->modified &&
           facts->st_mtim.tv_nsec == file->modified_nsec;
}

static bool still_there(struct web_file *file)
{
    struct stat facts;
    if (fstatat(file->root_fd, file->path, &facts, 0) != 0 || !same_file(file, &facts))
        return false;
    file->fresh = file->fresh && file_is_fresh(&facts);
    return true;
}

static void read_content(struct web_cache *cache, struct web_file *file)
{
    struct web_form *form = &file->forms[WEB_IDENTITY];
    size_t size = (size_t)file->size;
    char *data = malloc(size > 0 ? size : 1);
    if (data == NULL)
        return;
    if (pread(file->fd, data, size, 0) != (ssize_t)size) {
        free(data);
        return;
    }
    form->data = data;
    form->len = size;
    cache->octets += size;
}

static struct web_file *file_new(int fd, const struct stat *facts, const struct web_lookup *lookup)
{
    struct web_file *file = calloc(1, sizeof *file);
    char *path = strdup(lookup->path);
    if (file == NULL || path == NULL) {
        free(file);
        free(path);
        return NULL;
    }
    *file = (struct web_file){
        .users = 1,
        .root_fd = lookup->root_fd,
        .symlinks = lookup->symlinks,
        .path = path,
        .fd = fd,
        .device = facts->st_dev,
        .inode = facts->st_ino,
        .size = (uint64_t)facts->st_size,
        .modified = facts->st_mtim.tv_sec,
        .modified_nsec = facts->st_mtim.tv_nsec,
        .checked_at = lookup->now,
        .fresh = file_is_fresh(facts),
        .type = web_type_of(bytes_of_text(path)),
    };
    list_init(&file->node);
    http_date_format(file->modified, file->modified_text);
    for (size_t i = 0; i < WEB_CODING_COUNT; i++)
        write_etag(facts, i, file->forms[i].etag);
    return file;
}

static void make_room(struct web_cache *cache)
{
    while (cache->map.count >= WEB_CACHE_FILES_MAX || cache->octets > WEB_CACHE_OCTETS_MAX) {
        struct list_node *oldest = list_first(&cache->files);
        if (oldest == NULL)
            return;
        forget(CONTAINER_OF(oldest, struct web_file, node));
    }
}

/* Its content is kept only when it was left alone for two seconds: another change could have the
 * same time. */
static void keep(struct web_cache *cache, struct web_file *file, uint32_t hash, int64_t wall)
{
    make_room(cache);
    if (!map_insert(&cache->map, hash, file))
        return;
    file->hash = hash;
    file->cache = cache;
    file->changes = cache->changes;
    web_file_use(file);
    list_append(&cache->files, &file->node);
    if (file->size <= WEB_CACHE_CONTENT_MAX && file->modified + 2 < wall)
        read_content(cache, file);
}

static int open_new(struct web_cache *cache, const struct web_lookup *lookup, uint32_t hash,
                    struct web_file **out, int *folder_fd)
{
    struct stat facts;
    int fd = web_open_beneath(lookup->root_fd, lookup->symlinks, lookup->path, O_RDONLY);
    if (fd < 0)
        return fd;
    int status = fstat(fd, &facts) < 0 ? -errno : 0;
    if (status == 0 && S_ISDIR(facts.st_mode)) {
        *folder_fd = fd;
        return 1;
    }
    if (status == 0 && !S_ISREG(facts.st_mode))
        status = -ENXIO;
    struct web_file *file = status == 0 ? file_new(fd, &facts, lookup) : NULL;
    if (file == NULL) {
        (void)close(fd);
        return status < 0 ? status : -ENOMEM;
    }
    keep(cache, file, hash, lookup->wall);
    *out = file;
    return 0;
}

int web_cache_open(struct web_cache *cache, const struct web_lookup *lookup,
                   struct web_file **out, int *folder_fd)
{
    const struct key key = {lookup->root_fd, lookup->symlinks, lookup->path};
    uint32_t hash = (uint32_t)siphash13(&cache->key, bytes_of_text(lookup->path)) ^
                    (uint32_t)lookup->root_fd;
    struct web_file *file = map_find(&cache->map, hash, &key);
    bool unsure = file != NULL &&
                  (file->checked_at != lookup->now || file->changes != cache->changes);
    if (unsure && !still_there(file)) {
        forget(file);
        file = NULL;
    }
    if (file == NULL)
        return open_new(cache, lookup, hash, out, folder_fd);
    file->checked_at = lookup->now;
    file->changes = cache->changes;
    list_remove(&file->node);
    list_append(&cache->files, &file->node);
    if (file->forms[WEB_IDENTITY].data == NULL && file->size <= WEB_CACHE_CONTENT_MAX &&
        file->modified + 2 < lookup->wall)
        read_content(cache, file);
    *out = web_file_use(file);
    return 0;
}

/* ---- forms ---- */

/* All of a file that is not kept; free it. NULL: no memory, or it is not what it was. */
static char *read_whole(const struct web_file *file)
{
    char *data = malloc((size_t)file->size);
    if (data != NULL && pread(file->fd, data, (size_t)file->size, 0) == (ssize_t)file->size)
        return data;
    free(data);
    return NULL;
}

static void compress_form(struct web_file *file, enum web_coding coding)
{
    struct web_form *form = &file->forms[coding];
    const struct web_form *plain = &file->forms[WEB_IDENTITY];
    char *whole = plain->data == NULL ? read_whole(file) : NULL;
    const char *data = plain->data != NULL ? plain->data : whole;
    form->useless = true;
    if (data != NULL)
        form->data = web_compress(coding, bytes_of(data, (size_t)file->size), &form->len);
    if (form->data != NULL)
        file->cache->octets += form->len;
    free(whole);
}

const struct web_form *web_file_form(struct web_file *file, enum web_coding coding)
{
    struct web_form *form = &file->forms[coding];
    if (form->data == NULL && coding != WEB_IDENTITY && !form->useless && file->cache != NULL &&
        file->size >= WEB_COMPRESS_MIN && file->size <= WEB_COMPRESS_MAX)
        compress_form(file, coding);
    return form->data != NULL ? form : NULL;
}

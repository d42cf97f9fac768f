/* SPDX-License-Identifier: ISC */
/*
 * web_cache.h - files that are open: what is asked for again is not opened again, small contents lie
 * in memory, and with them their compressed forms.
 *
 * Once a turn of the loop, at most, a file is compared with what is there under its name now
 * (inode, size, time), so that no answer is older than its request's turn, and that who has put a
 * file gets it. Bounded by count and by octets; the one used longest ago goes.
 */
#ifndef WN_APP_WEB_WEB_CACHE_H
#define WN_APP_WEB_WEB_CACHE_H

#include <sys/types.h>

#include "app/web/web_config.h"
#include "base/list.h"
#include "base/map.h"
#include "base/siphash.h"
#include "wire/http/http_date.h"

enum {
    WEB_CACHE_FILES_MAX = 1024,
    WEB_CACHE_OCTETS_MAX = 64 * 1024 * 1024,
    WEB_CACHE_CONTENT_MAX = 64 * 1024,    /* of a file that is kept in memory */
    WEB_COMPRESS_MIN = 256,               /* smaller ones are not worth it */
    WEB_COMPRESS_MAX = 1024 * 1024,       /* larger ones would hold up the loop */
    WEB_ETAG_MAX = 48,
};

enum web_coding { WEB_IDENTITY, WEB_GZIP, WEB_BROTLI, WEB_CODING_COUNT };

/* "gzip", "br"; of WEB_IDENTITY "identity". */
extern const char *const web_coding_names[WEB_CODING_COUNT];

struct web_form {
    char *data;              /* NULL: not there */
    size_t len;
    bool useless;            /* tried, and it is no smaller */
    char etag[WEB_ETAG_MAX]; /* as if it were weak: see web_file_etag() */
};

struct web_file {
    unsigned users;
    struct web_cache *cache; /* NULL: it is in none any more */
    struct list_node node;
    uint32_t hash;
    int root_fd;
    enum web_symlinks symlinks;
    char *path;
    int fd;
    dev_t device;
    ino_t inode;
    uint64_t size;
    int64_t modified;
    long modified_nsec;
    char modified_text[HTTP_DATE_LEN + 1];
    usec checked_at;
    bool fresh;              /* when it was checked: it could have changed again in the same moment */
    uint32_t changes;        /* those of the cache when it was checked */
    const char *type;        /* by its name; static */
    struct web_form forms[WEB_CODING_COUNT];
};

struct web_cache {
    struct map map;
    struct list_node files; /* used longest ago first */
    struct siphash_key key;
    size_t octets;
    uint32_t changes;       /* of files by ourselves */
};

void web_cache_init(struct web_cache *cache, const struct heap *heap, uint64_t random);
void web_cache_done(struct web_cache *cache);
void web_cache_clear(struct web_cache *cache);

/* We have changed a file: each is compared when it is asked for next, in this turn too. */
void web_cache_distrust(struct web_cache *cache);

/*
 * Opens the regular file `path` below `root_fd`. 0 and *out, which is used from now on until
 * web_file_release(); 1: it is a folder, and *folder_fd is the caller's; or a negative errno, -ENXIO
 * for what is neither. `now` is of the loop, `wall` in seconds since 1970.
 */
struct web_lookup {
    int root_fd;
    enum web_symlinks symlinks;
    const char *path; /* without a slash in front; "" is the root */
    usec now;
    int64_t wall;
};
MUST_USE int web_cache_open(struct web_cache *cache, const struct web_lookup *lookup,
                            struct web_file **out, int *folder_fd);
struct web_file *web_file_use(struct web_file *file);
void web_file_release(struct web_file *file); /* NULL is nothing */

/* The tag of a file that is not compressed: of which file it is, its size and its time, and so the same after a
 * restart. It is weak as long as the file could change once more without another time (RFC 9110 §8.8.1). */
struct stat;
void web_etag_of(const struct stat *facts, char out[WEB_ETAG_MAX]);

/* The same of an open one, in one of its codings; valid as long as the file. */
const char *web_file_etag(const struct web_file *file, enum web_coding coding);

/* The content in that coding, made if need be; NULL: it is not kept in memory, or not smaller. */
const struct web_form *web_file_form(struct web_file *file, enum web_coding coding);

/* Opens as web_cache_open() does, without a cache. The descriptor or a negative errno. */
MUST_USE int web_open_beneath(int root_fd, enum web_symlinks symlinks, const char *path, int flags);

#endif

/* SPDX-License-Identifier: ISC */
/* file.c - whole files, read and replaced. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void file_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

int file_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

/* Reads up to `size` octets, to the end of the file if that comes first. */
static ssize_t read_full(int fd, char *out, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, out + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

/* The size that the file says it has is a hint only: files in /proc say 0, and others may grow. */
int file_reading_begin(struct file_reading *r, const char *path, size_t len_max)
{
    struct stat facts;
    *r = (struct file_reading){.fd = open(path, O_RDONLY | O_CLOEXEC), .len_max = len_max};
    int status = r->fd < 0 || fstat(r->fd, &facts) < 0 ? -errno : 0;
    if (status == 0 && S_ISDIR(facts.st_mode))
        status = -EISDIR;
    if (status < 0) {
        file_reading_abandon(r);
        return status;
    }
    if (facts.st_size > 0 && (uintmax_t)facts.st_size < len_max)
        r->size = (size_t)facts.st_size;
    return 0;
}

/* Room for one octet more than the size, which tells a file that is exactly this long from a longer one,
 * and for a NUL. */
static int make_room(struct file_reading *r)
{
    size_t size = r->text == NULL ? r->size : 2 * r->size;
    if (r->text != NULL && r->len <= r->size)
        return 0;
    if (r->text != NULL && r->size == r->len_max)
        return -EFBIG;
    size = size < 4096 ? 4096 : size;
    size = size < r->len_max ? size : r->len_max;
    char *larger = realloc(r->text, size + 2);
    if (larger == NULL)
        return -ENOMEM;
    r->text = larger;
    r->size = size;
    return 0;
}

int file_reading_step(struct file_reading *r, size_t len)
{
    int status = make_room(r);
    size_t room = status == 0 ? r->size + 1 - r->len : 0;
    size_t wanted = room < len ? room : len;
    ssize_t got = status == 0 ? read_full(r->fd, r->text + r->len, wanted) : status;
    if (got < 0) {
        file_reading_abandon(r);
        return (int)got;
    }
    r->len += (size_t)got;
    return (size_t)got == wanted;
}

char *file_reading_take(struct file_reading *r, size_t *len)
{
    char *text = r->text;
    text[r->len] = '\0';
    *len = r->len;
    r->text = NULL;
    file_reading_abandon(r);
    return text;
}

void file_reading_abandon(struct file_reading *r)
{
    file_close(&r->fd);
    free(r->text);
    *r = (struct file_reading){.fd = -1};
}

int file_read(const char *path, size_t len_max, char **out, size_t *out_len)
{
    struct file_reading r;
    int status = file_reading_begin(&r, path, len_max);
    if (status < 0)
        return status;
    do
        status = file_reading_step(&r, SIZE_MAX);
    while (status == 1);
    if (status == 0)
        *out = file_reading_take(&r, out_len);
    return status;
}

int file_write_all(int fd, struct bytes in)
{
    while (in.len > 0) {
        ssize_t put = write(fd, in.data, in.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        in = bytes_after(in, (size_t)put);
    }
    return 0;
}

static int sync_directory_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder)
        return -ENAMETOOLONG;
    memcpy(folder, path, len);
    folder[len] = '\0';
    const char *name = slash == NULL ? "." : len == 0 ? "/" : folder;
    CLOSE_AT_END int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

int file_replace_begin(struct file_replacement *r, const char *path, mode_t mode)
{
    *r = (struct file_replacement){.fd = -1, .path = strdup(path)};
    if (asprintf(&r->beside, "%s.XXXXXX", path) < 0)
        r->beside = NULL;
    if (r->path == NULL || r->beside == NULL) {
        file_replace_abandon(r);
        return -ENOMEM;
    }
    r->fd = mkostemp(r->beside, O_CLOEXEC);
    int status = r->fd < 0 ? -errno : 0;
    if (status < 0) {
        free(r->beside);
        r->beside = NULL;
    } else if (fchmod(r->fd, mode) < 0) {
        status = -errno;
    }
    if (status < 0)
        file_replace_abandon(r);
    return status;
}

int file_replace_write(struct file_replacement *r, struct bytes in)
{
    int status = file_write_all(r->fd, in);
    if (status == 0) /* so that less is left for the end; where it cannot be done, all is */
        (void)sync_file_range(r->fd, (off64_t)r->len, (off64_t)in.len, SYNC_FILE_RANGE_WRITE);
    r->len += in.len;
    return status;
}

int file_replace_commit(struct file_replacement *r)
{
    int status = fsync(r->fd) < 0 ? -errno : 0;
    if (close(r->fd) < 0 && status == 0)
        status = -errno;
    r->fd = -1;
    if (status == 0 && rename(r->beside, r->path) < 0)
        status = -errno;
    if (status == 0) {
        free(r->beside);
        r->beside = NULL;
        status = sync_directory_of(r->path);
    }
    file_replace_abandon(r);
    return status;
}

void file_replace_abandon(struct file_replacement *r)
{
    file_close(&r->fd);
    if (r->beside != NULL)
        (void)unlink(r->beside);
    free(r->beside);
    free(r->path);
    *r = (struct file_replacement){.fd = -1};
}

int file_write(const char *path, struct bytes in, mode_t mode)
{
    struct file_replacement r;
    int status = file_replace_begin(&r, path, mode);
    if (status == 0)
        status = file_replace_write(&r, in);
    if (status == 0)
        return file_replace_commit(&r);
    file_replace_abandon(&r);
    return status;
}

int file_touch(const char *path)
{
    return utimensat(AT_FDCWD, path, NULL, 0) < 0 ? -errno : 0;
}

int file_age(const char *path, uint64_t *out)
{
    struct stat facts;
    struct timespec now;
    if (stat(path, &facts) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -errno;
    *out = now.tv_sec > facts.st_mtim.tv_sec ? (uint64_t)(now.tv_sec - facts.st_mtim.tv_sec) : 0;
    return 0;
}

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
int file_read(const char *path, size_t len_max, char **out, size_t *out_len)
{
    CLOSE_AT_END int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) < 0)
        return -errno;
    if (S_ISDIR(facts.st_mode))
        return -EISDIR;

    size_t size = facts.st_size > 0 && (uintmax_t)facts.st_size < len_max ? (size_t)facts.st_size
                                                                           : 0;
    size_t len = 0;
    char *text = NULL;
    for (;;) {
        size = size < 4096 ? 4096 : size;
        size = size < len_max ? size : len_max;
        char *larger = realloc(text, size + 2);
        if (larger == NULL) {
            free(text);
            return -ENOMEM;
        }
        text = larger;
        /* One octet more than fits tells a file that is exactly this long from a longer one. */
        ssize_t got = read_full(fd, text + len, size + 1 - len);
        if (got < 0) {
            free(text);
            return (int)got;
        }
        len += (size_t)got;
        if (len <= size)
            break;
        if (size == len_max) {
            free(text);
            return -EFBIG;
        }
        size *= 2;
    }
    text[len] = '\0';
    *out = text;
    *out_len = len;
    return 0;
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

/* SPDX-License-Identifier: ISC */
/*
 * slow_disk.c - to be preloaded: what touches files below the folder SLOW_DISK takes as many milliseconds as the file
 * SLOW_DISK_TIME says, as long as there is such a file; and nothing of them is in the kernel's memory then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Not by what is replaced here. */
static int milliseconds(void)
{
    const char *path = getenv("SLOW_DISK_TIME");
    char text[16] = "";
    int fd = path != NULL ? (int)syscall(SYS_open, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(fd);
    return atoi(text);
}

static int is_ours(int fd)
{
    const char *folder = getenv("SLOW_DISK");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (folder == NULL || len < 0)
        return 0;
    path[len] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

static void take_time(int fd)
{
    int saved = errno, time = is_ours(fd) ? milliseconds() : 0;
    struct timespec left = {time / 1000, time % 1000 * 1000000L};
    while (time > 0 && nanosleep(&left, &left) < 0)
        ;
    errno = saved;
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    take_time(folder);
    return NEXT(openat)(folder, path, flags, mode);
}

int unlinkat(int folder, const char *path, int flags)
{
    take_time(folder);
    return NEXT(unlinkat)(folder, path, flags);
}

int renameat(int from, const char *old, int to, const char *new)
{
    take_time(from);
    return NEXT(renameat)(from, old, to, new);
}

ssize_t pread(int fd, void *out, size_t len, off_t at)
{
    take_time(fd);
    return NEXT(pread)(fd, out, len, at);
}

ssize_t pwrite(int fd, const void *in, size_t len, off_t at)
{
    take_time(fd);
    return NEXT(pwrite)(fd, in, len, at);
}

int ftruncate(int fd, off_t len)
{
    take_time(fd);
    return NEXT(ftruncate)(fd, len);
}

int posix_fadvise(int fd, off_t at, off_t len, int advice)
{
    take_time(fd);
    return NEXT(posix_fadvise)(fd, at, len, advice);
}

ssize_t preadv2(int fd, const struct iovec *list, int count, off_t at, int flags)
{
    if ((flags & RWF_NOWAIT) != 0 && is_ours(fd) && milliseconds() > 0) {
        errno = EAGAIN;
        return -1;
    }
    return NEXT(preadv2)(fd, list, count, at, flags);
}

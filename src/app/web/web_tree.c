/* SPDX-License-Identifier: ISC */
/*
 * web_tree.c - a walk with a folder open for each level. Symbolic links are not followed: a copy leaves them
 * out, and they are removed themselves. The same holds for what is neither file nor folder.
 */
#include "app/web/web_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct level {
    DIR *folder;
    int to_fd;               /* of its copy; -1 */
    char name[NAME_MAX + 1]; /* of the folder, in the level above */
};

struct web_tree {
    bool copies;
    int top_fd;     /* the folder of what is removed */
    int from, to;   /* a file that is being copied; -1 */
    size_t depth;
    struct level levels[WEB_TREE_DEPTH_MAX];
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void pop(struct web_tree *tree)
{
    struct level *level = &tree->levels[--tree->depth];
    (void)closedir(level->folder);
    close_fd(&level->to_fd);
}

void web_tree_free(struct web_tree *tree)
{
    if (tree == NULL)
        return;
    while (tree->depth > 0)
        pop(tree);
    close_fd(&tree->from);
    close_fd(&tree->to);
    close_fd(&tree->top_fd);
    free(tree);
}

/* 0 or a negative errno. */
static int push(struct web_tree *tree, int folder_fd, const char *name, int to_fd,
                const char *to_name)
{
    if (tree->depth == WEB_TREE_DEPTH_MAX)
        return -ELOOP;
    struct level *level = &tree->levels[tree->depth];
    int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    level->to_fd = -1;
    if (tree->copies) {
        if (mkdirat(to_fd, to_name, 0755) == 0)
            level->to_fd = openat(to_fd, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (level->to_fd < 0) {
            int error = -errno;
            (void)close(fd);
            return error;
        }
    }
    level->folder = fdopendir(fd);
    if (level->folder == NULL) {
        (void)close(fd);
        close_fd(&level->to_fd);
        return -ENOMEM;
    }
    strcpy(level->name, name); /* NAME_MAX holds for what could be opened */
    tree->depth++;
    return 0;
}

static int begin_file(struct web_tree *tree, int folder_fd, const char *name, int to_fd,
                      const char *to_name)
{
    tree->from = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (tree->from < 0)
        return -errno;
    tree->to = openat(to_fd, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    return tree->to < 0 ? -errno : 0;
}

/* What is of another kind is left out, or removed at once. */
static int begin(struct web_tree *tree, int folder_fd, const char *name, int to_fd,
                 const char *to_name)
{
    struct stat facts;
    if (fstatat(folder_fd, name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISDIR(facts.st_mode))
        return push(tree, folder_fd, name, to_fd, to_name);
    if (!tree->copies)
        return unlinkat(folder_fd, name, 0) < 0 ? -errno : 0;
    return S_ISREG(facts.st_mode) ? begin_file(tree, folder_fd, name, to_fd, to_name) : 0;
}

static struct web_tree *tree_new(bool copies)
{
    struct web_tree *tree = malloc(sizeof *tree);
    if (tree == NULL)
        return NULL;
    tree->copies = copies;
    tree->top_fd = tree->from = tree->to = -1;
    tree->depth = 0;
    return tree;
}

static struct web_tree *begun(struct web_tree *tree, int status)
{
    if (status == 0)
        return tree;
    web_tree_free(tree);
    errno = -status;
    return NULL;
}

struct web_tree *web_tree_copy(int from_fd, const char *name, int to_fd, const char *to_name,
                               bool shallow)
{
    struct web_tree *tree = tree_new(true);
    if (tree == NULL)
        return NULL;
    int status = begin(tree, from_fd, name, to_fd, to_name);
    if (status == 0 && shallow && tree->depth > 0)
        pop(tree);
    return begun(tree, status);
}

struct web_tree *web_tree_remove(int folder_fd, const char *name)
{
    struct web_tree *tree = tree_new(false);
    if (tree == NULL)
        return NULL;
    tree->top_fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 3);
    return begun(tree, tree->top_fd < 0 ? -errno : begin(tree, folder_fd, name, -1, NULL));
}

/* Octets that were copied, in *len; 0 or a negative errno. */
static int copy_octets(struct web_tree *tree, size_t *len)
{
    static const size_t piece = 1024 * 1024;
    ssize_t got = copy_file_range(tree->from, NULL, tree->to, NULL, piece, 0);
    if (got < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
        char buffer[64 * 1024];
        got = read(tree->from, buffer, sizeof buffer);
        for (ssize_t put = 0, n; got > 0 && put < got; put += n) {
            n = write(tree->to, buffer + put, (size_t)(got - put));
            if (n <= 0)
                return n < 0 ? -errno : -EIO;
        }
    }
    if (got < 0)
        return errno == EINTR ? 0 : -errno;
    *len = (size_t)got;
    if (got > 0)
        return 0;
    int status = fsync(tree->to) < 0 ? -errno : 0;
    close_fd(&tree->from);
    close_fd(&tree->to);
    return status;
}

/* The end of a folder. */
static int leave(struct web_tree *tree)
{
    char name[NAME_MAX + 1];
    strcpy(name, tree->levels[tree->depth - 1].name);
    pop(tree);
    if (tree->copies)
        return 0;
    int above = tree->depth > 0 ? dirfd(tree->levels[tree->depth - 1].folder) : tree->top_fd;
    return unlinkat(above, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int next_entry(struct web_tree *tree)
{
    struct level *level = &tree->levels[tree->depth - 1];
    errno = 0;
    const struct dirent *entry = readdir(level->folder);
    if (entry == NULL)
        return errno != 0 ? -errno : leave(tree);
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return 0;
    return begin(tree, dirfd(level->folder), entry->d_name, level->to_fd, entry->d_name);
}

int web_tree_step(struct web_tree *tree)
{
    size_t octets = 0;
    for (int i = 0; i < WEB_TREE_ENTRIES && octets < WEB_TREE_OCTETS; i++) {
        size_t len = 0;
        int status = 0;
        if (tree->from >= 0)
            status = copy_octets(tree, &len);
        else if (tree->depth > 0)
            status = next_entry(tree);
        else
            return 0;
        if (status < 0)
            return status;
        octets += len;
    }
    return 1;
}

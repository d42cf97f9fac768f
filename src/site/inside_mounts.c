/* SPDX-License-Identifier: ISC */
/*
 * inside_mounts.c - what the private network's programs see of files: all of the host's, but
 * another /proc, another resolv.conf (resolv.conf(5)), and one more certificate that is trusted. All of it is mounts of the new namespace,
 * which go with it; no file of the host is touched.
 */
#include "site/inside_init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* Where a scratch file system can be mounted for a moment; it hides what is there meanwhile. */
static const char *const scratch_places[] = {"/tmp", "/run", "/mnt", "/var/tmp", "/dev/shm"};

/* Sockets by which a C library would ask the host for names, around the network in here:
 * nscd(8), and systemd-resolved(8) with nss-resolve(8). */
static const char *const name_caches[] = {"/run/nscd", "/var/run/nscd", "/run/systemd/resolve"};

int inside_mounts(struct text *error)
{
    /* In a chroot(2) "/" is no mount point and cannot be marked (EINVAL); but mounts that a new user
     * namespace has copied are slaves already, and tell the host nothing (mount_namespaces(7)). */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 && errno != EINVAL) {
        int result = -errno;
        text_add_format(error, "cannot cut the mounts off from the host's: %s", strerror(-result));
        return result;
    }
    /* Where parts of /proc are masked the kernel does not allow a fresh one (containers): then the
     * host's stays, in which the programs have other process ids, and nothing else differs. */
    (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    return 0;
}

int inside_trust(const struct inside_options *options, struct text *error)
{
    if (options->trusted == NULL || options->host_trusted == NULL)
        return 0; /* programs are told by their environment alone */
    if (mount(options->trusted, options->host_trusted, NULL, MS_BIND, NULL) == 0)
        return 0;
    int result = -errno;
    text_add_format(error, "cannot put %s in the place of %s for the private network: %s",
                    options->trusted, options->host_trusted, strerror(-result));
    return result;
}

static int write_resolv_conf(const char *path, const struct inside_network *network)
{
    char buffer[1024];
    struct text text = text_of(buffer, sizeof buffer);
    text_add(&text, "# Made by wholenet for this private network.\n");
    if (network->domain[0] != '\0')
        text_add_format(&text, "search %s\n", network->domain);
    for (uint32_t i = 0; i < network->dns_count; i++) {
        char address[ADDRESS_TEXT_MAX];
        text_add_format(&text, "nameserver %s\n", address_format(&network->dns[i], address));
    }
    CLOSE_AT_END int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    if (fchmod(fd, 0644) < 0)
        return -errno;
    return file_write_all(fd, text_bytes(&text));
}

/* Puts the file over the resolv.conf that is there; a symbolic link is followed. */
static int cover_file(const char *scratch)
{
    char source[PATH_MAX];
    snprintf(source, sizeof source, "%s/resolv.conf", scratch);
    return mount(source, RESOLV_CONF, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

/* There is none to cover, or a link that leads nowhere: /etc becomes an overlay with one. */
static int cover_etc(const char *scratch)
{
    char path[PATH_MAX], options[3 * PATH_MAX];
    static const char *const folders[] = {"upper", "work"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", scratch, folders[i]);
        if (mkdir(path, 0755) < 0)
            return -errno;
    }
    snprintf(options, sizeof options, "lowerdir=/etc,upperdir=%s/upper,workdir=%s/work", scratch,
             scratch);
    if (mount("overlay", "/etc", "overlay", 0, options) < 0)
        return -errno;
    if (unlink(RESOLV_CONF) < 0 && errno != ENOENT)
        return -errno;
    return 0;
}

/* Hides a directory behind an empty one that has our resolv.conf under the names that
 * systemd-resolved gives it: /etc/resolv.conf is often a link to one of them. */
static int cover_cache(const char *folder, const struct inside_network *network)
{
    static const char *const names[] = {"resolv.conf", "stub-resolv.conf"};
    struct stat facts;
    if (stat(folder, &facts) < 0 || !S_ISDIR(facts.st_mode))
        return 0;
    if (mount("wholenet", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        int result = write_resolv_conf(path, network);
        if (result < 0)
            return result;
    }
    return 0;
}

static int cover_resolv_conf(const char *scratch, const struct inside_network *network)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/resolv.conf", scratch);
    int result = write_resolv_conf(path, network);
    if (result == 0)
        result = cover_file(scratch);
    if (result == -ENOENT) {
        result = cover_etc(scratch);
        if (result == 0)
            result = write_resolv_conf(RESOLV_CONF, network);
    }
    return result;
}

int inside_resolver(const struct inside_network *network, struct text *error)
{
    if (network->dns_count == 0)
        return 0;
    const char *scratch = NULL;
    for (size_t i = 0; i < ARRAY_LEN(scratch_places) && scratch == NULL; i++)
        if (mount("wholenet", scratch_places[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0)
            scratch = scratch_places[i];
    int result = scratch != NULL ? cover_resolv_conf(scratch, network) : -errno;
    /* What was bound elsewhere keeps the scratch file system alive without its place. */
    if (scratch != NULL && umount2(scratch, MNT_DETACH) < 0 && result == 0)
        result = -errno;
    for (size_t i = 0; i < ARRAY_LEN(name_caches) && result == 0; i++)
        result = cover_cache(name_caches[i], network);
    if (result < 0)
        text_add_format(error, "cannot put a resolv.conf in the place of %s for the private "
                               "network: %s", RESOLV_CONF, strerror(-result));
    return result;
}

/* SPDX-License-Identifier: ISC */
/* trust.c - the files of the site's own authority. */
#include "site/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { BUNDLE_MAX = 16 << 20 };
#define DAY ((int64_t)86400)

static int complain(struct text *error, int status, const char *what, const char *path)
{
    text_add_format(error, "%s %s: %s", what, path, strerror(-status));
    return status;
}

static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return len > 0 && len < PATH_MAX;
}

/* ---- the folder ---- */

static bool find_folder(char out[PATH_MAX])
{
    const char *given = getenv("WHOLENET_STATE");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (given != NULL && given[0] != '\0')
        return snprintf(out, PATH_MAX, "%s", given) < PATH_MAX;
    if (geteuid() == 0)
        return join(out, "/var/lib", "wholenet");
    if (state != NULL && state[0] == '/')
        return join(out, state, "wholenet");
    return home != NULL && home[0] == '/' && join(out, home, ".local/state/wholenet");
}

/* mkdir -p; what is made is for its owner alone. */
static int make_folder(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Until the descriptor is closed no other process makes files there. */
static int lock_folder(const struct trust *trust)
{
    char path[PATH_MAX];
    if (!join(path, trust->folder, "lock"))
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        int error = errno;
        if (error == EINTR)
            continue;
        file_close(&fd);
        return -error;
    }
    return fd;
}

/* ---- the root ---- */

static struct certificate_files root_files(const struct trust *trust)
{
    return (struct certificate_files){trust->root, trust->root_key};
}

static int make_root(const struct trust *trust, struct text *error)
{
    char subject[128], host[64] = "";
    (void)gethostname(host, sizeof host - 1);
    snprintf(subject, sizeof subject, "Wholenet of %s", host);
    int64_t now = clock_wall_seconds();
    const struct certificate_options options = {
        .subject = subject,
        .is_root = true,
        .valid_from = now - DAY, /* clocks differ */
        .valid_until = now + TRUST_ROOT_DAYS * DAY,
    };
    const struct certificate_files files = root_files(trust);
    if (certificate_fits(&files, &options, NULL, now + TRUST_LEAF_DAYS * DAY))
        return 0;
    return certificate_make(&options, NULL, &files, error);
}

int trust_locate(struct trust *trust, const char *folder, struct text *error)
{
    bool found = folder != NULL ? snprintf(trust->folder, PATH_MAX, "%s", folder) < PATH_MAX
                                : find_folder(trust->folder);
    if (found && join(trust->root, trust->folder, "root.pem") &&
        join(trust->root_key, trust->folder, "root.key") &&
        join(trust->bundle, trust->folder, "bundle.pem"))
        return 0;
    text_add(error, "there is no folder for certificates: neither $WHOLENET_STATE nor $HOME "
                    "is set");
    return -ENOENT;
}

int trust_open(struct trust *trust, const char *folder, struct text *error)
{
    int status = trust_locate(trust, folder, error);
    if (status < 0)
        return status;
    status = make_folder(trust->folder);
    if (status < 0)
        return complain(error, status, "cannot make the folder", trust->folder);
    CLOSE_AT_END int lock = lock_folder(trust);
    if (lock < 0)
        return complain(error, lock, "cannot write to the folder", trust->folder);
    return make_root(trust, error);
}

#define PASSING "wholenet-trust-"
#define PASSING_ENDING "XXXXXX"
enum { PASSING_YOUNG = 10 }; /* seconds in which who has made a folder may not have locked it yet */

/* Empties the folder and closes it. */
static void empty(int fd)
{
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        (void)close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    (void)closedir(folder);
}

/* Of our user, locked by nobody, and not new: who has made it was killed. */
static void remove_if_left(int place, const char *name)
{
    struct stat facts;
    int fd = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &facts) < 0 || facts.st_uid != geteuid() ||
        facts.st_mtime + PASSING_YOUNG > clock_wall_seconds() || flock(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)close(fd);
        return;
    }
    empty(fd);
    (void)unlinkat(place, name, AT_REMOVEDIR);
}

static void remove_left(const char *path)
{
    DIR *place = opendir(path);
    if (place == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(place)) != NULL;)
        if (strncmp(entry->d_name, PASSING, sizeof PASSING - 1) == 0 &&
            strlen(entry->d_name) == sizeof PASSING - 1 + sizeof PASSING_ENDING - 1)
            remove_if_left(dirfd(place), entry->d_name);
    (void)closedir(place);
}

/* Without the lock it would be taken for one that was left: better none. */
static int make_passing(char folder[PATH_MAX], int *lock)
{
    if (mkdtemp(folder) == NULL)
        return -errno;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *lock = fd;
        return 0;
    }
    int status = -errno;
    if (fd >= 0)
        (void)close(fd);
    (void)rmdir(folder);
    return status;
}

int trust_new_folder(char folder[PATH_MAX], int *lock, struct text *error)
{
    /* First where files cost no disk. */
    const char *const places[] = {getenv("XDG_RUNTIME_DIR"), "/dev/shm", getenv("TMPDIR"), "/tmp"};
    int status = -ENOENT;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (places[i] == NULL || places[i][0] != '/' || !join(folder, places[i], PASSING PASSING_ENDING))
            continue;
        status = make_passing(folder, lock);
        if (status == 0) {
            remove_left(places[i]);
            return 0;
        }
    }
    folder[0] = '\0';
    return complain(error, status, "cannot make a folder for certificates in", "/tmp");
}

bool trust_remove(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    bool gone = false;
    /* What is removed may keep a listing from showing what comes after it. */
    for (int round = 0; round < 8 && !gone; round++) {
        const struct dirent *entry;
        rewinddir(folder);
        while ((entry = readdir(folder)) != NULL)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        gone = rmdir(path) == 0;
    }
    closedir(folder);
    return gone;
}

/* ---- what it signs ---- */

/* "home.arpa-10.0.2.1": sites of the same name with other addresses do not take each other's. */
static bool name_files(const struct trust *trust, const struct trust_names *names, char *chain,
                       char *key)
{
    char stem[NAME_MAX], file[NAME_MAX + 8], address[ADDRESS_TEXT_MAX] = "";
    if (names->address_count > 0)
        address_format(&names->addresses[0], address);
    int len = snprintf(stem, sizeof stem, "%s%s%s", names->subject, address[0] != '\0' ? "-" : "",
                       address);
    if (len >= (int)sizeof stem - 8 || strchr(stem, '/') != NULL || stem[0] == '.')
        return false;
    snprintf(file, sizeof file, "%s.pem", stem);
    bool good = join(chain, trust->folder, file);
    snprintf(file, sizeof file, "%s.key", stem);
    return good && join(key, trust->folder, file);
}

int trust_certificate(const struct trust *trust, const struct trust_names *names, char *chain,
                      char *key, struct text *error)
{
    int64_t now = clock_wall_seconds();
    const struct certificate_options options = {
        .subject = names->subject,
        .names = names->names,
        .name_count = names->name_count,
        .addresses = names->addresses,
        .address_count = names->address_count,
        .valid_from = now - DAY,
        .valid_until = now + TRUST_LEAF_DAYS * DAY,
    };
    if (!name_files(trust, names, chain, key)) {
        text_add_format(error, "\"%s\" cannot be the name of a certificate", names->subject);
        return -EINVAL;
    }
    CLOSE_AT_END int lock = lock_folder(trust);
    if (lock < 0)
        return complain(error, lock, "cannot write to the folder", trust->folder);
    const struct certificate_files root = root_files(trust);
    const struct certificate_files files = {chain, key};
    if (certificate_fits(&files, &options, &root, now + TRUST_RENEW_DAYS * DAY))
        return 0;
    return certificate_make(&options, &root, &files, error);
}

/* ---- together with those that the host trusts ---- */

const char *trust_host_bundle(void)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Alpine */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora */
        "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
        "/etc/ssl/cert.pem",
    };
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

/* Is it younger than what it is made of? */
static bool is_fresh(const char *bundle, const char *host, const char *root)
{
    struct stat ours, theirs = {0}, own;
    if (stat(bundle, &ours) < 0 || stat(root, &own) < 0 || (host != NULL && stat(host, &theirs) < 0))
        return false;
    return ours.st_mtime > theirs.st_mtime && ours.st_mtime > own.st_mtime;
}

static int write_bundle(const struct trust *trust, const char *host)
{
    char *root, *others = NULL;
    size_t root_len, others_len = 0;
    int status = file_read(trust->root, CERTIFICATE_FILE_MAX, &root, &root_len);
    if (status < 0)
        return status;
    if (host != NULL)
        status = file_read(host, BUNDLE_MAX, &others, &others_len);
    char *both = status == 0 ? malloc(root_len + others_len) : NULL;
    if (status == 0 && both == NULL)
        status = -ENOMEM;
    if (status == 0) {
        memcpy(both, root, root_len);
        if (others_len > 0)
            memcpy(both + root_len, others, others_len);
        status = file_write(trust->bundle, bytes_of(both, root_len + others_len), 0644);
    }
    free(root);
    free(others);
    free(both);
    return status;
}

int trust_make_bundle(const struct trust *trust, struct text *error)
{
    const char *host = trust_host_bundle();
    if (is_fresh(trust->bundle, host, trust->root))
        return 0;
    CLOSE_AT_END int lock = lock_folder(trust);
    int status = lock < 0 ? lock : write_bundle(trust, host);
    return status < 0 ? complain(error, status, "cannot write", trust->bundle) : 0;
}

/* SPDX-License-Identifier: ISC */
/* key_ring.c - keys of a zone from and to their files. */
#include "site/key_ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/signature.h"
#include "proto/dns/validate.h"
#include "wire/dns/dns_master.h"
#include "wire/dns/dns_token.h"

enum {
    STEM_MAX = 4 * DNS_NAME_MAX + 16,
    MODE_SECRET = 0600,
    MODE_PUBLIC = 0644,
    MODE_DIRECTORY = 0700,
    TRIES_FOR_A_TAG = 20,
    FLAG_ZONE = 0x0100,
    PROTOCOL = 3,
};
_Static_assert((int)DNS_KEY_PART_COUNT == (int)SIGNING_KEY_PART_COUNT, "the same parts");
_Static_assert((int)DNS_KEY_COEFFICIENT == (int)SIGNING_KEY_COEFFICIENT, "in the same order");

void key_ring_init(struct key_ring *ring, const struct dns_name *zone, const char *directory)
{
    memset(ring, 0, sizeof *ring);
    dns_name_copy(&ring->zone, zone);
    dns_name_lower(&ring->zone);
    snprintf(ring->directory, sizeof ring->directory, "%s", directory);
}

void key_ring_done(struct key_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        signing_key_free(ring->keys[i].secret);
    ring->count = 0;
}

/* ---- names of files ---- */

/* As BIND has it: what is not a letter, a digit, - or _ in hexadecimal behind %. */
static void add_name(const struct dns_name *name, struct text *out)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    for (size_t i = 0; i < labels.count; i++) {
        struct bytes label = dns_name_label(name, labels.at[i]);
        for (size_t j = 0; j < label.len; j++) {
            uint8_t c = label.data[j];
            bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            text_add_format(out, plain ? "%c" : "%%%02X", c);
        }
        text_add(out, ".");
    }
    if (labels.count == 0)
        text_add(out, ".");
}

void key_ring_stem(const struct key_ring *ring, const struct key_ring_key *key, struct text *out)
{
    text_add(out, "K");
    add_name(&ring->zone, out);
    text_add_format(out, "+%03u+%05u", (unsigned)key->roll.algorithm, (unsigned)key->roll.tag);
}

static int complain(struct text *error, int result, const char *path, const char *what)
{
    text_add_format(error, "%s: %s", path, what);
    return result;
}

/* ---- reading ---- */

static int read_public(const char *path, const struct dns_name *zone, struct key_ring_key *key,
                       struct text *error)
{
    char *content;
    size_t len;
    static const struct dns_name root = {.len = 1};
    int result = file_read(path, KEY_FILE_LEN_MAX, &content, &len);
    if (result < 0)
        return complain(error, result, path, strerror(-result));
    struct dns_master *master = malloc(sizeof *master);
    struct dns_master_item *item = malloc(sizeof *item);
    uint8_t *room = malloc(DNS_RDATA_MAX);
    result = master != NULL && item != NULL && room != NULL ? 0 : -ENOMEM;
    if (result == 0) {
        struct writer w = writer_of(room, DNS_RDATA_MAX);
        dns_master_start(master, bytes_of(content, len), &root);
        master->ttl_is_default = master->ttl_known = true; /* these files have none, mostly */
        const struct dns_record *record = &item->record;
        if (dns_master_next(master, &w, item) != DNS_MASTER_RECORD || record->type != DNS_DNSKEY ||
            !dns_name_equal(&record->owner, zone) || record->rdata.len > sizeof key->rdata) {
            result = complain(error, -EINVAL, path, "expected a DNSKEY record of the zone");
        } else {
            memcpy(key->rdata, record->rdata.data, record->rdata.len);
            key->rdata_len = record->rdata.len;
        }
    }
    free(room);
    free(item);
    free(master);
    free(content);
    return result;
}

static void take_numbers(const struct dns_private_key *from, struct key_ring_key *key)
{
    for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++)
        key->roll.times[i] = from->times[i];
    key->roll.has_predecessor = from->has_predecessor;
    key->roll.has_successor = from->has_successor;
    key->roll.predecessor = from->predecessor;
    key->roll.successor = from->successor;
    key->max_ttl = from->max_ttl;
    key->roll_period = from->roll_period;
}

static int decode_secret(const char *path, struct bytes text, struct key_ring_key *key, struct text *error)
{
    uint8_t room[DNS_PRIVATE_KEY_PARTS_LEN_MAX];
    struct writer w = writer_of(room, sizeof room);
    struct dns_private_key secret;
    const char *why;
    int result = 0;
    if (!dns_private_key_decode(text, &w, &secret, &why))
        result = complain(error, -EINVAL, path, why);
    else if ((result = signing_key_from_parts(secret.algorithm, secret.parts, &key->secret)) < 0)
        result = complain(error, result, path, result == -ENOTSUP ? "an algorithm that is not for signing"
                                                                 : "no key of its algorithm");
    else
        take_numbers(&secret, key);
    signing_key_cleanse(room, sizeof room);
    return result;
}

static int read_secret(const char *path, struct key_ring_key *key, struct text *error)
{
    char *content;
    size_t len;
    struct stat facts;
    int result = file_read(path, KEY_FILE_LEN_MAX, &content, &len);
    if (result < 0)
        return complain(error, result, path, strerror(-result));
    key->open_to_others = stat(path, &facts) == 0 && (facts.st_mode & 07) != 0;
    result = decode_secret(path, bytes_of(content, len), key, error);
    signing_key_cleanse(content, len);
    free(content);
    return result;
}

/* Do both files tell of one key? */
static bool halves_match(const struct key_ring_key *key)
{
    uint8_t octets[SIGNING_KEY_PUBLIC_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    signing_key_public(key->secret, &w);
    return key->rdata[3] == signing_key_algorithm(key->secret) &&
           bytes_equal(writer_bytes(&w), bytes_of(key->rdata + 4, key->rdata_len - 4));
}

static void note_rdata(struct key_ring_key *key)
{
    key->roll.flags = (uint16_t)(key->rdata[0] << 8 | key->rdata[1]);
    key->roll.algorithm = key->rdata[3];
    key->roll.tag = validate_key_tag(bytes_of(key->rdata, key->rdata_len));
}

/* `path` is what both files' names have in common. */
static int read_key(const char *path, const struct dns_name *zone, struct key_ring_key *key,
                    struct text *error)
{
    char file[PATH_MAX];
    struct text t = text_of(file, sizeof file);
    memset(key, 0, sizeof *key);
    text_add_format(&t, "%s.key", path);
    int result = t.failed ? -ENAMETOOLONG : read_public(file, zone, key, error);
    if (result < 0)
        return result;
    t = text_of(file, sizeof file);
    text_add_format(&t, "%s.private", path);
    result = t.failed ? -ENAMETOOLONG : read_secret(file, key, error);
    if (result < 0)
        return result;
    note_rdata(key);
    if (halves_match(key) && (key->roll.flags & FLAG_ZONE) != 0)
        return 0;
    signing_key_free(key->secret);
    return complain(error, -EINVAL, path, "the files do not belong together");
}

/* "Kexample.org.+013+12345.private" of this zone? */
static bool is_ours(const struct key_ring *ring, const char *name, size_t *stem_len)
{
    static const char ending[] = ".private";
    char stem[STEM_MAX];
    struct text t = text_of(stem, sizeof stem);
    size_t len = strlen(name);
    text_add(&t, "K");
    add_name(&ring->zone, &t);
    text_add(&t, "+");
    *stem_len = len - (sizeof ending - 1);
    return !t.failed && len == t.len + 9 + sizeof ending - 1 && memcmp(name, stem, t.len) == 0 &&
           strcmp(name + *stem_len, ending) == 0;
}

static int by_age(const void *a, const void *b)
{
    const struct roll_key *x = &((const struct key_ring_key *)a)->roll;
    const struct roll_key *y = &((const struct key_ring_key *)b)->roll;
    int64_t x_at = x->times[DNS_KEY_CREATED];
    int64_t y_at = y->times[DNS_KEY_CREATED];
    return x_at != y_at ? (x_at > y_at) - (x_at < y_at) : (x->tag > y->tag) - (x->tag < y->tag);
}

static int read_directory(struct key_ring *ring, DIR *directory, struct text *error)
{
    struct dirent *file;
    while ((file = readdir(directory)) != NULL) {
        char path[PATH_MAX];
        struct text t = text_of(path, sizeof path);
        size_t stem_len;
        if (!is_ours(ring, file->d_name, &stem_len))
            continue;
        text_add_format(&t, "%s/%.*s", ring->directory, (int)stem_len, file->d_name);
        if (t.failed)
            return complain(error, -ENAMETOOLONG, ring->directory, "the path is too long");
        if (ring->count == KEY_RING_MAX)
            return complain(error, -ENOSPC, ring->directory, "more than 16 keys of one zone");
        int result = read_key(path, &ring->zone, &ring->keys[ring->count], error);
        if (result < 0)
            return result;
        ring->count++;
    }
    return 0;
}

int key_ring_read(struct key_ring *ring, struct text *error)
{
    struct key_ring *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        return -ENOMEM;
    key_ring_init(fresh, &ring->zone, ring->directory);
    DIR *directory = opendir(ring->directory);
    int result = 0;
    if (directory != NULL) {
        result = read_directory(fresh, directory, error);
        closedir(directory);
    } else if (errno != ENOENT) {
        result = complain(error, -errno, ring->directory, strerror(errno));
    }
    if (result == 0) {
        qsort(fresh->keys, fresh->count, sizeof *fresh->keys, by_age);
        key_ring_done(ring);
        *ring = *fresh;
    } else {
        key_ring_done(fresh);
    }
    signing_key_cleanse(fresh, sizeof *fresh);
    free(fresh);
    return result;
}

/* ---- making ---- */

/* RFC 4034 §8: tags may be alike, but whoever validates has less to try if they are not. */
static bool tag_is_free(const struct key_ring *ring, uint16_t tag)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->keys[i].roll.tag == tag)
            return false;
    return true;
}

static int make_once(struct key_ring_key *key, uint8_t algorithm, unsigned bits, bool sep)
{
    struct writer w = writer_of(key->rdata, sizeof key->rdata);
    int result = signing_key_new(algorithm, bits, &key->secret);
    if (result < 0)
        return result;
    write_u16(&w, FLAG_ZONE | (sep ? ROLL_KEY_SEP : 0));
    write_u8(&w, PROTOCOL);
    write_u8(&w, algorithm);
    signing_key_public(key->secret, &w);
    ASSERT(!w.failed);
    key->rdata_len = writer_len(&w);
    note_rdata(key);
    return 0;
}

int key_ring_make(struct key_ring *ring, uint8_t algorithm, unsigned bits, bool sep, int64_t now,
                  size_t *index)
{
    if (ring->count == KEY_RING_MAX)
        return -ENOSPC;
    struct key_ring_key *key = &ring->keys[ring->count];
    memset(key, 0, sizeof *key);
    for (unsigned i = 0; i < TRIES_FOR_A_TAG; i++) {
        int result = make_once(key, algorithm, bits, sep);
        if (result < 0)
            return result;
        if (tag_is_free(ring, key->roll.tag))
            break;
        signing_key_free(key->secret);
        key->secret = NULL;
    }
    if (key->secret == NULL)
        return -EIO;
    key->roll.times[DNS_KEY_CREATED] = now;
    key->roll.changed = true;
    *index = ring->count++;
    return 0;
}

int key_ring_import(struct key_ring *ring, const char *path, size_t *index, struct text *error)
{
    char stem[PATH_MAX];
    size_t len = strlen(path);
    static const char *const endings[] = {".key", ".private"};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        size_t ending_len = strlen(endings[i]);
        if (len > ending_len && strcmp(path + len - ending_len, endings[i]) == 0) {
            len -= ending_len;
            break;
        }
    }
    if (ring->count == KEY_RING_MAX)
        return complain(error, -ENOSPC, ring->directory, "more than 16 keys of one zone");
    if (len >= sizeof stem)
        return complain(error, -ENAMETOOLONG, path, "the path is too long");
    memcpy(stem, path, len);
    stem[len] = '\0';
    struct key_ring_key *key = &ring->keys[ring->count];
    int result = read_key(stem, &ring->zone, key, error);
    if (result < 0)
        return result;
    if (!tag_is_free(ring, key->roll.tag)) {
        signing_key_free(key->secret);
        return complain(error, -EEXIST, path, "there is a key with that tag already");
    }
    key->roll.changed = true;
    *index = ring->count++;
    return 0;
}

/* ---- writing ---- */

static int write_file(const char *path, struct text *content, mode_t mode, struct text *error)
{
    int result = content->failed ? -EFBIG : file_write(path, text_bytes(content), mode);
    return result < 0 ? complain(error, result, path, strerror(-result)) : 0;
}

static const char *role_of(const struct key_ring_key *key)
{
    return (key->roll.flags & ROLL_KEY_SEP) != 0 ? "key" : "zone";
}

static int write_public(const struct key_ring *ring, const struct key_ring_key *key, const char *path,
                        struct text *error)
{
    char content[KEY_FILE_LEN_MAX];
    char zone[DNS_NAME_TEXT_MAX];
    struct text t = text_of(content, sizeof content);
    dns_name_format(&ring->zone, zone);
    text_add_format(&t, "; This is a %s-signing key, keyid %u, for %s\n", role_of(key),
                    (unsigned)key->roll.tag, zone);
    for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++) {
        if (key->roll.times[i] == 0)
            continue;
        text_add_format(&t, "; %s: ", dns_key_time_name((enum dns_key_time)i));
        dns_format_date((uint32_t)key->roll.times[i], &t);
        text_add(&t, "\n");
    }
    text_add_format(&t, "%s IN DNSKEY ", zone);
    dns_rdata_format(DNS_DNSKEY, bytes_of(key->rdata, key->rdata_len), &t);
    text_add(&t, "\n");
    return write_file(path, &t, MODE_PUBLIC, error);
}

static int write_secret(const struct key_ring_key *key, const char *path, struct text *error)
{
    uint8_t room[SIGNING_KEY_PARTS_LEN_MAX];
    char content[KEY_FILE_LEN_MAX];
    struct writer w = writer_of(room, sizeof room);
    struct text t = text_of(content, sizeof content);
    struct dns_private_key secret = {
        .algorithm = key->roll.algorithm,
        .has_predecessor = key->roll.has_predecessor,
        .has_successor = key->roll.has_successor,
        .predecessor = key->roll.predecessor,
        .successor = key->roll.successor,
        .max_ttl = key->max_ttl,
        .roll_period = key->roll_period,
    };
    for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++)
        secret.times[i] = (uint32_t)key->roll.times[i];
    int result = signing_key_parts(key->secret, &w, secret.parts);
    if (result == 0) {
        dns_private_key_format(&secret, &t);
        result = write_file(path, &t, MODE_SECRET, error);
    } else {
        (void)complain(error, result, path, "the key cannot be taken apart");
    }
    signing_key_cleanse(room, sizeof room);
    signing_key_cleanse(content, sizeof content);
    return result;
}

/* The secret first: a public key without one could be published, and would sign nothing. */
static int write_key(const struct key_ring *ring, const struct key_ring_key *key, struct text *error)
{
    char path[PATH_MAX];
    struct text t = text_of(path, sizeof path);
    text_add_format(&t, "%s/", ring->directory);
    key_ring_stem(ring, key, &t);
    size_t stem_len = t.len;
    text_add(&t, ".private");
    if (t.failed)
        return complain(error, -ENAMETOOLONG, ring->directory, "the path is too long");
    int result = write_secret(key, path, error);
    if (result < 0)
        return result;
    path[stem_len] = '\0';
    t.len = stem_len;
    text_add(&t, ".key");
    return write_public(ring, key, path, error);
}

int key_ring_write(struct key_ring *ring, struct text *error)
{
    if (mkdir(ring->directory, MODE_DIRECTORY) < 0 && errno != EEXIST)
        return complain(error, -errno, ring->directory, strerror(errno));
    for (size_t i = 0; i < ring->count; i++) {
        if (!ring->keys[i].roll.changed)
            continue;
        int result = write_key(ring, &ring->keys[i], error);
        if (result < 0)
            return result;
        ring->keys[i].roll.changed = false;
    }
    return 0;
}

/* ---- for others ---- */

void key_ring_rolls(const struct key_ring *ring, struct roll_key out[KEY_RING_MAX])
{
    for (size_t i = 0; i < ring->count; i++)
        out[i] = ring->keys[i].roll;
}

void key_ring_set_rolls(struct key_ring *ring, const struct roll_key rolls[KEY_RING_MAX])
{
    for (size_t i = 0; i < ring->count; i++)
        ring->keys[i].roll = rolls[i];
}

void key_ring_roles(const struct key_ring *ring, int64_t now, struct sign_key out[KEY_RING_MAX])
{
    struct roll_key rolls[KEY_RING_MAX];
    key_ring_rolls(ring, rolls);
    roll_roles(rolls, ring->count, now, out);
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_ring_key *key = &ring->keys[i];
        out[i].rdata = bytes_of(key->rdata, key->rdata_len);
        out[i].secret = key->secret;
    }
}

int key_ring_lock(const char *directory)
{
    if (mkdir(directory, MODE_DIRECTORY) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX) == 0)
        return fd;
    int result = -errno;
    file_close(&fd);
    return result;
}

bool key_ring_ds(const struct key_ring *ring, const struct key_ring_key *key, uint8_t digest_type,
                 struct writer *out)
{
    uint8_t digest[SIGNATURE_DIGEST_MAX];
    size_t len = signature_digest(digest_type, dns_name_bytes(&ring->zone),
                                  bytes_of(key->rdata, key->rdata_len), digest);
    if (len == 0)
        return false;
    write_u16(out, key->roll.tag);
    write_u8(out, key->roll.algorithm);
    write_u8(out, digest_type);
    write_copy(out, digest, len);
    return !out->failed;
}

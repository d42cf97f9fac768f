/* SPDX-License-Identifier: ISC */
/* site_signing_keys.c - the keys that a zone is signed with, and the serial number that survives a restart. */
#include "site/site_signing_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/file.h"
#include "wire/dns/dns_serial.h"

enum { SERIAL_AHEAD = 1000 }; /* how far the file is ahead of what is served */

/* ---- the file with the serial number ---- */

bool signed_zone_path(const struct signed_zone *z, const char *folder, const char *ending,
                      char out[PATH_MAX])
{
    char name[DNS_NAME_TEXT_MAX];
    struct text t = text_of(out, PATH_MAX);
    text_add_format(&t, "%s/%s", z->policy.keys, folder);
    dns_name_format(&z->name, name);
    for (const char *at = name; *at != '\0'; at++)
        text_add_format(&t, *at == '/' ? "%%2F" : "%c", *at);
    if (z->view < SITE_VIEWS_MAX)
        text_add_format(&t, "%zu.", z->view);
    text_add(&t, ending);
    return !t.failed;
}

static bool serial_path(const struct signed_zone *z, char out[PATH_MAX])
{
    return signed_zone_path(z, "", "serial", out);
}

void signed_zone_read_serial(struct signed_zone *z)
{
    char path[PATH_MAX], *content;
    size_t len;
    uint64_t serial;
    if (!serial_path(z, path) || file_read(path, 64, &content, &len) < 0)
        return;
    struct bytes line = bytes_first(bytes_of(content, len), bytes_find(bytes_of(content, len), '\n'));
    if (text_parse_number(text_trim(line), UINT32_MAX, &serial)) {
        z->serial_limit = (uint32_t)serial;
        z->has_serial_limit = true;
    }
    free(content);
}

void signed_zone_note_serial(struct signed_zone *z, uint32_t serial)
{
    char path[PATH_MAX], line[32];
    struct text t = text_of(line, sizeof line);
    if (z->policy.policy.serial != SIGN_SERIAL_INCREMENT ||
        (z->has_serial_limit && !dns_serial_before(z->serial_limit, serial)) || !serial_path(z, path))
        return;
    z->serial_limit = serial + SERIAL_AHEAD;
    z->has_serial_limit = true;
    text_add_format(&t, "%" PRIu32 "\n", z->serial_limit);
    int result = file_write(path, text_bytes(&t), 0644);
    if (result < 0)
        log_error(z->owner->options.log, "%s: %s", path, strerror(-result));
}

/* ---- keys ---- */

bool signed_zone_keys_touched(struct signed_zone *z)
{
    struct stat facts;
    if (stat(z->policy.keys, &facts) < 0)
        return false;
    bool same = facts.st_mtim.tv_sec == z->directory_time.tv_sec &&
                facts.st_mtim.tv_nsec == z->directory_time.tv_nsec;
    z->directory_time = facts.st_mtim;
    return !same;
}

static int make_key(struct signed_zone *z, bool sep, size_t *index)
{
    return key_ring_make(&z->ring, z->policy.algorithm, z->policy.bits, sep, signing_wall(z->owner), index);
}

static int make_first(struct signed_zone *z)
{
    size_t index;
    for (unsigned i = 0; i < (z->policy.separate ? 2u : 1u); i++) {
        int result = make_key(z, i == 0, &index);
        if (result < 0)
            return result;
        roll_begin(&z->ring.keys[index].roll, signing_wall(z->owner));
    }
    return 0;
}

/* A key that has lived long enough gets a successor. */
static int make_successors(struct signed_zone *z)
{
    int64_t now = signing_wall(z->owner);
    size_t index;
    int result = 0;
    if (z->next.wants_zsk && (result = make_key(z, false, &index)) == 0)
        roll_zsk(&z->ring.keys[z->next.old_zsk].roll, &z->ring.keys[index].roll, &z->roll, now);
    if (result == 0 && z->next.wants_ksk && (result = make_key(z, true, &index)) == 0)
        roll_ksk(&z->ring.keys[z->next.old_ksk].roll, &z->ring.keys[index].roll, now);
    return result;
}

static void advance(struct signed_zone *z)
{
    struct roll_key rolls[KEY_RING_MAX];
    key_ring_rolls(&z->ring, rolls);
    roll_advance(rolls, z->ring.count, &z->roll, signing_wall(z->owner), &z->next);
    key_ring_set_rolls(&z->ring, rolls);
}

static bool needs_writing(const struct signed_zone *z)
{
    for (size_t i = 0; i < z->ring.count; i++)
        if (z->ring.keys[i].roll.changed)
            return true;
    return false;
}

int signed_zone_update_keys(struct signed_zone *z, struct text *error)
{
    CLOSE_AT_END int lock = key_ring_lock(z->policy.keys);
    if (lock < 0) {
        text_add_format(error, "%s: %s", z->policy.keys, strerror(-lock));
        return lock;
    }
    int result = key_ring_read(&z->ring, error);
    if (result == 0 && z->ring.count == 0 && (result = make_first(z)) < 0)
        text_add_format(error, "no key can be made: %s", strerror(-result));
    if (result < 0)
        return result;
    advance(z);
    if (z->next.wants_zsk || z->next.wants_ksk) {
        result = make_successors(z);
        if (result < 0) {
            text_add_format(error, "no successor can be made: %s", strerror(-result));
            return result;
        }
        advance(z);
    }
    result = needs_writing(z) ? key_ring_write(&z->ring, error) : 0;
    (void)signed_zone_keys_touched(z); /* that was us */
    return result;
}

static bool same_role(const struct sign_key *a, const struct sign_key *b)
{
    return a->published == b->published && a->signs_keys == b->signs_keys &&
           a->signs_zone == b->signs_zone && a->synced == b->synced;
}

void signed_zone_tell_keys(const struct signed_zone *z)
{
    char text[DNS_NAME_TEXT_MAX], line[600];
    struct text t = text_of(line, sizeof line);
    struct roll_key rolls[KEY_RING_MAX];
    key_ring_rolls(&z->ring, rolls);
    for (size_t i = 0; i < z->ring.count; i++)
        text_add_format(&t, "%s %u %s %s", i == 0 ? "" : ",", (unsigned)rolls[i].tag,
                        roll_role_name(rolls, z->ring.count, i, signing_wall(z->owner)),
                        roll_state_name(roll_state_of(&rolls[i], signing_wall(z->owner))));
    log_notice(z->owner->options.log, "zone %s: keys%s", signed_zone_name(z, text), line);
}

bool signed_zone_take_roles(struct signed_zone *z)
{
    struct sign_key roles[KEY_RING_MAX];
    key_ring_roles(&z->ring, signing_wall(z->owner), roles);
    bool same = z->role_count == z->ring.count;
    for (size_t i = 0; i < z->ring.count; i++) {
        const struct roll_key *key = &z->ring.keys[i].roll;
        same = same && same_role(&z->roles[i], &roles[i]) && z->role_tags[i] == key->tag &&
               z->role_algorithms[i] == key->algorithm;
        z->role_tags[i] = key->tag;
        z->role_algorithms[i] = key->algorithm;
    }
    memcpy(z->roles, roles, sizeof roles);
    z->role_count = z->ring.count;
    return !same;
}

bool signed_zone_set_signer(struct signed_zone *z, struct signer *signer)
{
    if (signer_set(signer, &z->policy.policy, z->roles, z->role_count))
        return true;
    return signed_zone_complain(z, "none of its keys is in use (wholenet key list)");
}

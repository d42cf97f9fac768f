/* SPDX-License-Identifier: ISC */
/* site_signing_internal.h - what the parts of site_signing share; for site_signing*.c alone. */
#ifndef WN_SITE_SITE_SIGNING_INTERNAL_H
#define WN_SITE_SITE_SIGNING_INTERNAL_H

#include <inttypes.h>
#include <limits.h>

#include "base/list.h"
#include "os/file.h"
#include "proto/dns/sign_change.h"
#include "proto/dns/zone_write.h"
#include "site/key_ring.h"
#include "site/parent_check.h"
#include "site/site_signing.h"

/* One zone that is signed here. */
struct signed_zone {
    struct list_node node;   /* of all */
    struct list_node queued; /* of those that wait for a pass */
    struct site_signing *owner;
    size_t view;
    struct dns_name name;
    struct site_signature policy;
    struct key_ring ring;
    struct timespec directory_time;
    struct sign_key roles[KEY_RING_MAX]; /* that it was last signed by */
    uint16_t role_tags[KEY_RING_MAX];    /* whose they are */
    uint8_t role_algorithms[KEY_RING_MAX];
    size_t role_count;
    struct roll_policy roll;
    struct roll_next next;
    struct alarm alarm;
    struct parent_check *check; /* under way; NULL: none */
    uint16_t checked[PARENT_DS_MAX]; /* tags of the keys that it is about */
    size_t checked_count;
    int64_t ask_at;
    bool served;
    int64_t due_at;
    uint32_t serial_limit;   /* in the file */
    bool has_serial_limit;
    uint64_t signatures;
    struct list_node unkept;   /* of those that are to be written whole */
    struct list_node unsynced; /* of those whose log is open, to be synced at the end of the turn */
    bool kept;                 /* what is in its files leads to what is served */
    int log;                   /* descriptor; -1: it is not open */
    uint64_t log_octets;       /* since it was written whole */
    unsigned keep_tries;       /* at that, in vain */
};

struct site_signing {
    struct site_signing_options options;
    struct digest *sha1;
    struct digest_stream *stream;
    struct prng prng;
    struct signer *whole;    /* of the zone that is being loaded */
    struct signer *pass;     /* of those that are served, one at a time */
    struct signer *follow;   /* of those that were changed */
    struct sign_change change;
    struct list_node zones;
    struct list_node queue;
    struct task task;
    struct signed_zone *loading; /* NULL: none */
    struct zone *loaded;
    struct signed_zone *passing; /* NULL: none */
    bool pass_begun;
    struct list_node unkept;
    struct list_node unsynced;
    struct task keep_task;
    struct signed_zone *keeping; /* that is being written whole; NULL: none */
    struct zone_write write;
    struct file_replacement file;
    char *buffer;
    size_t buffered;
    int keep_status;
};

/* Its name, as text. */
const char *signed_zone_name(const struct signed_zone *z, char text[DNS_NAME_TEXT_MAX]);
int64_t signing_wall(const struct site_signing *signing);
/* Logs why it is not signed; false. */
bool signed_zone_complain(const struct signed_zone *z, const char *what);
/* NULL: there is none. */
struct signed_zone *signing_find(const struct site_signing *signing, size_t view, const struct dns_name *zone);
/* The set that it is in. */
struct zone_set *signed_zone_set(const struct signed_zone *z);
/* The zone as it is served; NULL: it is not. */
struct zone *signed_zone_served(const struct signed_zone *z);

/* site_signing_keys.c: where something is kept beside its keys, in that folder, which ends in a slash or is "". False:
 * that is too long. */
bool signed_zone_path(const struct signed_zone *z, const char *folder, const char *ending,
                      char out[PATH_MAX]);

/* site_signing_keep.c: the zone as it was when the site last ran, with what secondaries may ask for; NULL: that is not
 * known. */
struct zone *signed_zone_restore(const struct signed_zone *z);
/* That leads from what is served to what will be; NULL: nobody knows what does. Before others are told. */
void signed_zone_keep(struct signed_zone *z, const struct zone_change *change);
/* Nothing more is kept of it. */
void signed_zone_keep_end(struct signed_zone *z);
void signing_keep_slice(struct task *task);

/* The file with the serial number. */
void signed_zone_read_serial(struct signed_zone *z);
/* A serial number that is served is never later than the file's: what comes after a restart is later. By the clock
 * it is so without a file. */
void signed_zone_note_serial(struct signed_zone *z, uint32_t serial);
/* Did somebody write to the directory of its keys? */
bool signed_zone_keys_touched(struct signed_zone *z);
/* Reads the keys, if somebody may have changed them, makes those that are missing or due, and writes what has
 * changed; all under the directory's lock, which `wholenet key` takes too. 0 or a negative errno, with *error. */
int signed_zone_update_keys(struct signed_zone *z, struct text *error);
/* The roles for now, into z->roles. True: they are others than before. RDATA and secrets are in the ring. */
bool signed_zone_take_roles(struct signed_zone *z);
void signed_zone_tell_keys(const struct signed_zone *z);
/* False: none of its keys is in use. */
bool signed_zone_set_signer(struct signed_zone *z, struct signer *signer);

/* site_signing_pass.c: a zone that is served. */
/* RFC 7583 §2: what caches may have. */
void signed_zone_set_ttls(struct signed_zone *z, const struct zone *zone, uint32_t ttl_max);
void signed_zone_set_alarm(struct signed_zone *z);
/* Time has come, or somebody may have changed the keys. */
void signed_zone_on_alarm(struct alarm *alarm);
/* Signs a part of the zone whose turn it is. */
void signing_run_slice(struct task *task);

/* site_signing_parent.c: does the parent have the DS records? */
bool signed_zone_wants_parent(const struct signed_zone *z);
void signed_zone_ask_parent(struct signed_zone *z);

#endif

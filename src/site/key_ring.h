/* SPDX-License-Identifier: ISC */
/*
 * key_ring.h - a zone's keys in a directory, in the files that BIND and ldns have: Kexample.org.+013+12345.key with
 * the DNSKEY record, and .private with the secret and the times.
 *
 * A file is written beside and renamed, a secret with mode 0600. Who reads, changes and writes holds the
 * directory's lock, so that the server and `wholenet key` do not undo each other's doings.
 */
#ifndef WN_SITE_KEY_RING_H
#define WN_SITE_KEY_RING_H

#include <limits.h>

#include "os/signing_key.h"
#include "proto/dns/key_roll.h"

enum {
    KEY_RING_MAX = SIGN_KEYS_MAX,
    KEY_RDATA_MAX = SIGNING_KEY_PUBLIC_MAX + 4,
    KEY_FILE_LEN_MAX = DNS_PRIVATE_KEY_TEXT_MAX,
};

struct key_ring_key {
    struct roll_key roll;
    struct signing_key *secret;  /* NULL: only the public half is there */
    uint8_t rdata[KEY_RDATA_MAX]; /* of its DNSKEY record */
    size_t rdata_len;
    uint32_t max_ttl, roll_period; /* as others have noted them */
    bool open_to_others;         /* the secret's file can be read by more than its owner and group */
};

struct key_ring {
    struct dns_name zone; /* in lower case */
    char directory[PATH_MAX];
    struct key_ring_key keys[KEY_RING_MAX];
    size_t count;
};

/* An empty one. */
void key_ring_init(struct key_ring *ring, const struct dns_name *zone, const char *directory);

/* Frees the secrets. */
void key_ring_done(struct key_ring *ring);

/* Reads all of the zone's keys anew, by age. 0, or a negative errno and *error: then it is as it was. A directory
 * that is not there has no keys. */
MUST_USE int key_ring_read(struct key_ring *ring, struct text *error);

/* A new key, with no time but that of its creation, in the ring and not in a file yet: key_ring_write(). Its tag is
 * no other's. 0 and *index, or a negative errno: -ENOSPC, there are KEY_RING_MAX; -ENOTSUP, -EINVAL. */
MUST_USE int key_ring_make(struct key_ring *ring, uint8_t algorithm, unsigned bits, bool sep, int64_t now,
                           size_t *index);

/* A key from somebody's files, which are named by either or by what both have in common. It is in the ring then, and
 * not in a file yet. 0 and *index, or a negative errno and *error. */
MUST_USE int key_ring_import(struct key_ring *ring, const char *path, size_t *index, struct text *error);

/* Writes the files of the keys that changed; makes the directory if it is not there. 0 or a negative errno and
 * *error. */
MUST_USE int key_ring_write(struct key_ring *ring, struct text *error);

/* The roll_keys in one row, for key_roll.h, and back. */
void key_ring_rolls(const struct key_ring *ring, struct roll_key out[KEY_RING_MAX]);
void key_ring_set_rolls(struct key_ring *ring, const struct roll_key rolls[KEY_RING_MAX]);

/* What each key does now, with its RDATA and secret, for signer_set(); valid until the ring changes. */
void key_ring_roles(const struct key_ring *ring, int64_t now, struct sign_key out[KEY_RING_MAX]);

/* "Kexample.org.+013+12345" */
void key_ring_stem(const struct key_ring *ring, const struct key_ring_key *key, struct text *out);

/* The lock of the directory; made if it is not there. A descriptor to close, which unlocks, or a negative
 * errno. */
MUST_USE int key_ring_lock(const char *directory);

/* RDATA of a DS record of that digest type; false: there is no such digest. */
MUST_USE bool key_ring_ds(const struct key_ring *ring, const struct key_ring_key *key, uint8_t digest_type,
                          struct writer *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * cache_part.h - a part of a cache: a table of entries that is read without its lock, and the ring of SIEVE over them
 * (base/sieve.h). For cache*.c alone.
 *
 * The table grows a chain at a time (Litwin, "Linear hashing", 1980), so that no insertion takes long, and nothing that it
 * is made of moves: whoever follows a chain without the lock comes to its end. He may only miss what is being put into
 * another chain, or replaced; then he is told that he cannot know, and looks again with the lock.
 */
#ifndef WN_PROTO_DNS_CACHE_PART_H
#define WN_PROTO_DNS_CACHE_PART_H

#include "base/grace.h"
#include "base/heap.h"
#include "base/sieve.h"
#include "base/usec.h"
#include "wire/dns/dns_name.h"

enum { CACHE_CHAIN_COST = sizeof(void *) }; /* of an entry: each has a chain */

/* First what is looked at on the way to another. */
struct cache_entry {
    struct cache_entry *_Atomic next; /* of the chain */
    uint32_t hash;
    uint16_t type;
    uint8_t name_len;
    bool failure;          /* it lies beside the others of that name and type */
    uint8_t kind;
    uint8_t rank;
    _Atomic uint8_t security;
    _Atomic uint16_t ede;
    uint16_t records_len;
    uint16_t signatures_len;
    uint32_t ttl;          /* as it was put, within the bounds */
    uint32_t len;          /* of `octets` */
    usec put_at;
    _Atomic usec expires_at;
    struct sieve_node place; /* with the lock; once retired, among those */
    uint8_t octets[];      /* the name, records, signatures, the proof */
};

enum { CACHE_KEY_HEAD_LEN = 3 };

struct cache_key {
    uint32_t hash;
    uint16_t type;
    bool failure;
    uint8_t name_len;
    uint8_t octets[CACHE_KEY_HEAD_LEN + DNS_NAME_MAX]; /* all of it: the name is in lower case */
};

struct cache_chain {
    struct cache_entry *_Atomic first;
};

struct cache_part {
    _Atomic uint32_t changes; /* odd: entries are being put elsewhere */
    _Atomic uint32_t chain_count;
    struct cache_chain *_Atomic *segments; /* chains; NULL: not yet */
    /* What follows is used with the lock. */
    size_t segment_count;     /* that there may ever be */
    struct heap heap;
    struct grace *grace;      /* NULL: nobody else looks */
    struct sieve sieve;
    size_t entries, octets;
    struct list_node retired; /* since others began to leave */
    struct list_node leaving; /* till leaving_at is over */
    uint64_t leaving_at;
    size_t retired_octets;    /* of both */
    uint8_t padding[GRACE_LINE]; /* the next part's are looked at by others */
};

/* With the heap and the turns of `grace`; for so many octets. False: no memory. */
MUST_USE bool cache_part_init(struct cache_part *part, const struct heap *heap, struct grace *grace,
                              size_t octets_max);
void cache_part_done(struct cache_part *part);

/* What an entry with so many octets of contents counts for. */
size_t cache_entry_cost(size_t len);

/* Without the lock: the entry, for the rest of the turn, or NULL; *unsure: it may be there all the same. */
struct cache_entry *cache_part_look(const struct cache_part *part, const struct cache_key *key,
                                    bool *unsure);

/* With it, as all that follows. */
struct cache_entry *cache_part_find(const struct cache_part *part, const struct cache_key *key);

/* Puts the entry, which has its hash and a key that is not there. False: no memory, and all is as it was. */
MUST_USE bool cache_part_put(struct cache_part *part, struct cache_entry *e);
void cache_part_drop(struct cache_part *part, struct cache_entry *e);

/* Between two of these, who looks without the lock may miss something. */
void cache_part_note_change(struct cache_part *part);

/* Frees what nobody can be looking at any more. */
void cache_part_sweep(struct cache_part *part);

#endif

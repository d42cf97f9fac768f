/* SPDX-License-Identifier: ISC */
/*
 * dhcp_pool.h - the addresses of a DHCP server: who has which, until when, and who gets which next
 * (RFC 2131 §2.2, §4.3.1). The server's own; services use dhcp_server.h.
 *
 * There is one binding for each address of the pool and for each reserved address outside of it,
 * all allocated at the start, so that no client can make the table grow. Bindings wait in lists by
 * state:
 *
 *      free -> offered -> bound -> expired -> (offered …)          declined -> free
 *
 * An expired binding remembers its client, who gets the same address when it comes back, as long
 * as nobody else needed it. A client has at most one binding that the pool finds by its key.
 */
#ifndef WN_PROTO_DHCP_DHCP_POOL_H
#define WN_PROTO_DHCP_DHCP_POOL_H

#include "base/heap.h"
#include "base/map.h"
#include "base/siphash.h"
#include "base/wheel.h"
#include "wire/dhcp/dhcp_options.h"

enum {
    DHCP_POOL_MAX = 65536,
    DHCP_RESERVED_MAX = 1024,
    DHCP_CLIENT_KEY_MAX = 32,
};

/* An offer is not taken away from a client for another one before it is this old. */
#define DHCP_OFFER_HOLD (4 * USEC_PER_SEC)

/* How a client is known: by its identifier (option 61), or by 1 and its MAC, which is the same
 * identifier as most clients send; so a boot ROM and the system that it starts are one client. */
struct dhcp_identity {
    struct mac mac; /* zeros: hardware whose addresses are no MACs */
    uint8_t key[DHCP_CLIENT_KEY_MAX];
    uint8_t key_len;
    bool key_is_id; /* sent as option 61 */
};

enum dhcp_binding_state {
    DHCP_FREE,
    DHCP_OFFERED,
    DHCP_BOUND,
    DHCP_EXPIRED,  /* or released */
    DHCP_DECLINED, /* someone else uses the address: left alone for a while */
};

struct dhcp_binding {
    struct list_node node; /* in the list of its state; bound ones are in none */
    struct timer timer;
    usec expires_at;       /* of the lease, the offer or the quarantine */
    usec offered_at;
    uint32_t address;
    uint32_t hash;
    uint8_t state;         /* enum dhcp_binding_state */
    bool mapped;           /* can be found by the client's key */
    bool reserved;         /* never given to others: statics, our own address, routers */
    bool held;             /* its lease is being stored: nothing else happens to it */
    bool was_bound;        /* its client had a lease here: worth remembering */
    struct dhcp_identity client;
    char hostname[DHCP_LABEL_MAX];
};

struct dhcp_static {
    struct mac mac;
    struct ip_address address;
    char hostname[DHCP_LABEL_MAX]; /* "": the client's own */
};

struct dhcp_pool {
    struct heap heap;
    struct map by_client;
    struct siphash_key hash_key;
    struct wheel wheel;
    struct list_node free;
    struct list_node expired;  /* oldest first */
    struct list_node offered;  /* oldest first */
    struct list_node declined; /* oldest first */
    struct dhcp_binding *bindings;
    struct dhcp_static *statics;
    size_t static_count;
    size_t count;              /* bindings: the pool's, then reserved ones outside */
    size_t count_max;
    size_t dynamic_count;      /* the pool's */
    uint32_t first;
    uint32_t declined_count;
    uint32_t bound_count;
    uint64_t reclaimed;        /* offers taken back early because nothing else was left */
};

struct dhcp_pool_options {
    struct heap heap;
    struct siphash_key hash_key;
    uint32_t first;
    uint32_t last;
    const struct dhcp_static *statics; /* copied */
    size_t static_count;
};

MUST_USE bool dhcp_pool_init(struct dhcp_pool *pool, const struct dhcp_pool_options *options,
                             usec now);
void dhcp_pool_done(struct dhcp_pool *pool);

/* Keeps an address of the pool from being given out; others are nothing to it. */
void dhcp_pool_reserve(struct dhcp_pool *pool, uint32_t address);

/* The client's entry in the list of statics, or NULL. */
const struct dhcp_static *dhcp_pool_static(const struct dhcp_pool *pool, const struct mac *mac);

/* The binding that the client has or last had, NULL if none. */
struct dhcp_binding *dhcp_pool_find(const struct dhcp_pool *pool, const struct dhcp_identity *who);

/* The binding to offer: the client's static one, its current or last one, the one it asks for
 * (`wanted`, 0: none), the one its key hashes to, any free one, the one that expired first, the
 * oldest offer. NULL: exhausted. What is `held` cannot be offered now. */
struct dhcp_binding *dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_identity *who,
                                      uint32_t wanted, usec now);

/* The binding of exactly that address if the client may have it, else NULL. */
struct dhcp_binding *dhcp_pool_claim(struct dhcp_pool *pool, const struct dhcp_identity *who,
                                     uint32_t address);

/* Makes a chosen binding, which is not held, the client's until `until`; a bound one stays so.
 * False: no memory. */
MUST_USE bool dhcp_pool_offer(struct dhcp_pool *pool, struct dhcp_binding *b,
                     const struct dhcp_identity *who, usec now, usec until);
void dhcp_pool_bind(struct dhcp_pool *pool, struct dhcp_binding *b, usec expires_at);

/* The client takes another server's offer, gives its lease back, or says the address is in use.
 * Declined addresses rest until `until`, but never more than a quarter of the pool. */
void dhcp_pool_withdraw(struct dhcp_pool *pool, struct dhcp_binding *b);
void dhcp_pool_release(struct dhcp_pool *pool, struct dhcp_binding *b);
void dhcp_pool_decline(struct dhcp_pool *pool, struct dhcp_binding *b, usec until);

/* No timer of a held binding runs. */
void dhcp_pool_hold(struct dhcp_pool *pool, struct dhcp_binding *b);
void dhcp_pool_let_go(struct dhcp_pool *pool, struct dhcp_binding *b);

/* A binding from storage, oldest first. False: the address is not the client's to have any more. */
bool dhcp_pool_restore(struct dhcp_pool *pool, uint32_t address, const struct dhcp_identity *who,
                       const char *hostname, usec expires_at, usec now);

/* The next lease that has ended by `now`, NULL when there is no more. */
struct dhcp_binding *dhcp_pool_expire(struct dhcp_pool *pool, usec now);
usec dhcp_pool_deadline(const struct dhcp_pool *pool);

#endif

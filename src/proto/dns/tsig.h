/* SPDX-License-Identifier: ISC */
/*
 * tsig.h - messages signed by a secret that two servers share (RFC 8945): keys, what a server makes of
 * a signed query and how its reply is signed, and the client's side of the same, over one message or
 * a stream of them.
 *
 * HMAC itself is the caller's (os/hmac.h), by callbacks. Where it cannot be had, nothing is right and
 * nothing is signed.
 * SKIPS RFC 8945 §6: HMAC-MD5, which must not be used any more, and GSS-TSIG.
 * SKIPS RFC 8945 §5.2.3: the latest time of a key is not kept, since datagrams overtake each other.
 */
#ifndef WN_PROTO_DNS_TSIG_H
#define WN_PROTO_DNS_TSIG_H

#include "wire/dns/dns_tsig.h"

enum {
    TSIG_FUDGE = 300,         /* seconds that clocks may differ (RFC 8945 §10) */
    TSIG_MAC_MAX = 64,
    TSIG_SECRET_MAX = 256,
    TSIG_KEYS_MAX = 64,
    TSIG_UNSIGNED_MAX = 99,   /* messages in a row of a stream (RFC 8945 §5.3.1) */
};

/* RFC 8945 §6, table 3. The last three are MACs of which half is left out. */
enum tsig_algorithm {
    TSIG_HMAC_SHA256,
    TSIG_HMAC_SHA1,
    TSIG_HMAC_SHA224,
    TSIG_HMAC_SHA384,
    TSIG_HMAC_SHA512,
    TSIG_HMAC_SHA256_128,
    TSIG_HMAC_SHA384_192,
    TSIG_HMAC_SHA512_256,
    TSIG_ALGORITHM_COUNT
};

/* "hmac-sha256", …. Static. */
const char *tsig_algorithm_text(enum tsig_algorithm algorithm);
MUST_USE bool tsig_algorithm_parse(struct bytes text, enum tsig_algorithm *out);

struct tsig_key {
    struct dns_name name;
    enum tsig_algorithm algorithm;
    uint16_t secret_len;
    uint8_t secret[TSIG_SECRET_MAX];
};

/* A secret in base64. False: it is none, it is empty, or too long. */
MUST_USE bool tsig_secret_parse(struct bytes text, struct tsig_key *out);

/* "[ALGORITHM:]NAME:SECRET" (HMAC-SHA-256), or the statement in which tsig-keygen(8) writes a key:
 * key "NAME" { algorithm ALGORITHM; secret "SECRET"; }; blanks and comments around. */
MUST_USE bool tsig_key_parse(struct bytes text, struct tsig_key *out);

/* HMAC by the host. */
struct tsig_hmac {
    /* Begins one with SHA-1 (1), SHA-224, … SHA-512 (by their numbers). NULL: it cannot be had. */
    void *(*start)(void *self, unsigned sha, struct bytes secret);
    void (*add)(void *hmac, struct bytes octets);
    /* Its value, and it is gone. Returns the length; 0: it could not be had. */
    size_t (*end)(void *hmac, uint8_t out[TSIG_MAC_MAX]);
    void *self;
};

struct tsig_keys {
    struct tsig_hmac hmac;
    size_t count;
    struct tsig_key keys[TSIG_KEYS_MAX];
};

/* Another server: where it is, and the key by which the two sign what they say to each other. */
struct tsig_peer {
    struct endpoint at;
    struct dns_name key; /* the root: they do not */
};

/* NULL: there is none of that name. */
const struct tsig_key *tsig_keys_find(const struct tsig_keys *keys, const struct dns_name *name);

/* ---- the server's side ---- */

/* What is kept of a signed message for the reply to it. */
struct tsig {
    const struct tsig_key *key; /* whose MAC was right; NULL: none was */
    const struct tsig_hmac *hmac;
    uint64_t time_signed;
    uint16_t error;             /* enum dns_tsig_error, which the reply tells; 0: none */
    bool further;               /* the reply follows on another (RFC 8945 §5.3.1) */
    uint8_t mac_len;
    uint8_t mac[TSIG_MAC_MAX];  /* of the query, or of the reply before */
};

enum tsig_verdict {
    TSIG_RIGHT,
    TSIG_MALFORMED, /* FORMERR (RFC 8945 §5.2, §5.2.2.1) */
    TSIG_REFUSED,   /* NOTAUTH, and why in out->error (RFC 8945 §5.2.1 to §5.2.4) */
};

/* Judges a query whose TSIG is at that offset (struct dns_summary). *record: its fields, which borrow
 * from the message, unless TSIG_MALFORMED. `now`: seconds since 1970. */
enum tsig_verdict tsig_check(const struct tsig_keys *keys, struct bytes message, size_t at,
                             uint64_t now, struct tsig *out, struct dns_tsig *record);

/* The octets that signing a reply will take; 0: it is not to be signed. */
size_t tsig_room(const struct tsig *tsig);

/* Signs a finished reply of `len` octets in the name of tsig->key. Returns its new length; `len`: there
 * is no room. *tsig is then as the next reply of a stream needs it. */
size_t tsig_sign(struct tsig *tsig, uint64_t now, uint8_t *message, size_t len, size_t size);

/* Tells who could not be believed why, unsigned (RFC 8945 §5.3.2): `record` and `error` are those of
 * tsig_check(). The same as tsig_sign() otherwise. */
size_t tsig_refuse(const struct dns_tsig *record, uint16_t error, uint8_t *message, size_t len,
                   size_t size);

/* ---- the client's side ---- */

/* One query, and the messages that come for it. */
struct tsig_client {
    const struct tsig_key *key;
    const struct tsig_hmac *hmac;
    void *running;           /* over what came since the last signature */
    unsigned unsigned_count; /* such messages */
    bool further;
    uint16_t error;          /* why the last message is wrong, or what it says; 0: unknown */
    uint8_t mac_len;
    uint8_t mac[TSIG_MAC_MAX];
};

/* Both borrowed. The caller ends it, whatever happens. */
void tsig_client_init(struct tsig_client *c, const struct tsig_key *key,
                      const struct tsig_hmac *hmac);
void tsig_client_end(struct tsig_client *c);

/* As tsig_sign(), for the query. */
size_t tsig_client_sign(struct tsig_client *c, uint64_t now, uint8_t *message, size_t len,
                        size_t size);

enum tsig_client_verdict {
    TSIG_CLIENT_RIGHT,
    TSIG_CLIENT_LATER, /* unsigned, in a stream: a later one must be right (RFC 8945 §5.3.1) */
    TSIG_CLIENT_WRONG, /* nothing of it, nor of what came since the last right one, may be believed */
};

/* Judges the next message that came. `at` as in struct dns_summary. */
enum tsig_client_verdict tsig_client_check(struct tsig_client *c, struct bytes message, size_t at,
                                           uint64_t now);

/* May a stream end here? The last message must be signed. */
static inline bool tsig_client_settled(const struct tsig_client *c)
{
    return c->further && c->unsigned_count == 0;
}

#endif

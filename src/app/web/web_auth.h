/* SPDX-License-Identifier: ISC */
/*
 * web_auth.h - who may have what is for some: users of a file, who say who they are by Basic (RFC
 * 7617) or Digest (RFC 7616).
 *
 * Lines of the file: NAME:HASH, where HASH is one of crypt(5), for Basic; NAME:REALM:HASH, where HASH
 * is the hexadecimal MD5 or SHA-256 of NAME:REALM:PASSWORD, for both: a name that is to use Digest has a
 * line for each algorithm that any name has one for. "#" begins a comment.
 */
#ifndef WN_APP_WEB_WEB_AUTH_H
#define WN_APP_WEB_WEB_AUTH_H

#include "app/web/web_config.h"
#include "base/guesses.h"
#include "base/siphash.h"

enum {
    WEB_USERS_FILE_MAX = 16 * 1024 * 1024,
    WEB_VERIFIED_MAX = 256,           /* passwords that need not be hashed again */
    WEB_CHALLENGE_MAX = 512,
    WEB_USER_MAX = 128,               /* a name with a NUL */
};
#define WEB_NONCE_LIFETIME (300 * USEC_PER_SEC)

struct web_users;

/* 0 or a negative errno; -EINVAL: a line is none. */
MUST_USE int web_users_read(const char *path, struct web_users **out);
void web_users_free(struct web_users *users); /* NULL is nothing */

/* What a service needs for all its users. */
struct web_auth_context {
    struct siphash_key key; /* of nonces, and of verified passwords */
    uint64_t verified[WEB_VERIFIED_MAX];
    struct guesses guesses; /* with a key of its own */
};

struct web_credentials {
    struct bytes method;        /* of the request */
    struct bytes target;        /* as the request has it */
    struct bytes authorization; /* the field's value; empty: none */
    struct ip_address peer;
    usec now;
};

enum web_verdict {
    WEB_ADMITTED, /* `name` says who it is */
    WEB_UNKNOWN,  /* 401 */
    WEB_STALE,    /* 401: the password is right, the nonce has become old */
    WEB_TOO_OFTEN, /* 429: the peer was wrong so often that this one was not looked at */
};

enum web_verdict web_auth_check(struct web_auth_context *context, const struct web_rule *rule,
                                const struct web_users *users,
                                const struct web_credentials *credentials,
                                char name[WEB_USER_MAX]);

/* The values of the WWW-Authenticate fields, each with a NUL; returns how many, at least one. Digest
 * is offered with those algorithms that the file has lines for. */
struct web_place;
size_t web_auth_challenges(const struct web_auth_context *context, const struct web_place *place,
                           bool stale, usec now, char out[2][WEB_CHALLENGE_MAX]);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * http_credentials.h - a client's answer to a challenge (RFC 9110 §11): Basic (RFC 7617) and Digest
 * (RFC 7616). Digests are by callback: the pure band has no cryptography.
 */
#ifndef WN_PROTO_HTTP_HTTP_CREDENTIALS_H
#define WN_PROTO_HTTP_HTTP_CREDENTIALS_H

#include "base/text.h"
#include "wire/http/http_head.h"

enum {
    HTTP_CREDENTIALS_MAX = 2048, /* a field's value */
    HTTP_DIGEST_MAX = 32,
    HTTP_NONCE_MAX = 256,
    HTTP_REALM_MAX = 256,
};

enum http_digest_algorithm { HTTP_DIGEST_MD5, HTTP_DIGEST_SHA256, HTTP_DIGEST_COUNT };

/* Returns the digest's length. */
typedef size_t http_digest(void *self, enum http_digest_algorithm algorithm, struct bytes in,
                           uint8_t out[HTTP_DIGEST_MAX]);

enum http_scheme { HTTP_SCHEME_NONE, HTTP_SCHEME_BASIC, HTTP_SCHEME_DIGEST };

/* The challenge that was chosen, and what is to be remembered of it between requests. */
struct http_challenge {
    enum http_scheme scheme;
    enum http_digest_algorithm algorithm;
    bool session;  /* algorithm "…-sess" */
    bool protects; /* qop=auth; false: as RFC 2069, which has no counter */
    bool stale;    /* the nonce was too old, the credentials were not wrong */
    bool hashes_user; /* userhash=true (RFC 7616 §3.4.4) */
    uint32_t count;   /* requests with this nonce */
    char realm[HTTP_REALM_MAX];
    char nonce[HTTP_NONCE_MAX];
    char opaque[HTTP_NONCE_MAX];
};

/* The strongest challenge of a WWW-Authenticate or Proxy-Authenticate that we can answer: Digest with
 * SHA-256, with MD5, Basic. False: there is none. */
MUST_USE bool http_challenge_choose(const struct http_fields *fields, const char *field,
                                    struct http_challenge *out);

struct http_login {
    const char *user;
    const char *password;
    http_digest *digest;
    void *digest_self;
};

/* The value of Authorization or Proxy-Authorization for one request; `cnonce` is text that nobody
 * guesses. False: it has no room, or Basic's user has a colon (RFC 7617 §2). */
MUST_USE bool http_credentials_write(struct http_challenge *challenge,
                                     const struct http_login *login, const char *method,
                                     struct bytes target, const char *cnonce, struct text *out);

#endif

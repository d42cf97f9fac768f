/* SPDX-License-Identifier: ISC */
/*
 * http_credentials.h - a client's answer to a challenge (RFC 9110 §11): Basic (RFC 7617) and Digest
 * (RFC 7616). Digests are by callback: the pure band has no cryptography.
 */
#ifndef WN_PROTO_HTTP_HTTP_CREDENTIALS_H
#define WN_PROTO_HTTP_HTTP_CREDENTIALS_H

#include "base/text.h"
#include "wire/http/http_head.h"
#include "wire/http/url.h"

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

/*
 * Is a response with that status's field one to answer, with the same request and credentials? *answered is the
 * challenge that its request was an answer to, scheme NONE when to none, and is replaced. Credentials are given
 * once to a challenge, and again when only the nonce was too old (RFC 7616 §3.3). `unasked`: Basic was given
 * before anybody asked for it, which another scheme may follow.
 */
MUST_USE bool http_challenge_take(const struct http_fields *fields, const char *field, bool unasked,
                                  struct http_challenge *answered);

struct http_user {
    char name[URL_USER_MAX + 1];
    char password[URL_USER_MAX + 1];
};

/* "name:password" as it is typed; a name alone has no password. False: too long. */
MUST_USE bool http_user_split(const char *pair, struct http_user *out);

/* The same of a URL, where it is percent-encoded (RFC 3986 §3.2.1). */
MUST_USE bool http_user_of_url(const struct url *url, struct http_user *out);

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

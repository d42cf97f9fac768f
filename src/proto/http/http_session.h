/* SPDX-License-Identifier: ISC */
/*
 * http_session.h - sessions that the browser keeps: a cookie (draft-ietf-httpbis-rfc6265bis) with who it is and
 * a little beside, signed so that nobody else can have made it; and tokens for forms, so that no other site can
 * have them sent on somebody's behalf.
 *
 * What is in the cookie can be read by who has it, and by nobody changed. A session ends at its time; one that
 * is to end earlier for all needs another key, or a list that is the service's.
 *
 * HMAC-SHA-256 is the host's (os/hmac.h), by callbacks; where it cannot be had nothing is written, and nothing
 * is right.
 */
#ifndef WN_PROTO_HTTP_HTTP_SESSION_H
#define WN_PROTO_HTTP_HTTP_SESSION_H

#include "base/bytes.h"
#include "base/prng.h"

enum {
    HTTP_SESSION_KEY_LEN = 32,
    HTTP_SESSION_ID_LEN = 16,
    HTTP_SESSION_DATA_MAX = 1024,
    HTTP_SESSION_NAME_MAX = 32,
    HTTP_SESSION_MAC_LEN = 32,
    /* expiry, id and data, and what signs them, in base64url with a dot between */
    HTTP_SESSION_VALUE_MAX = (8 + HTTP_SESSION_ID_LEN + HTTP_SESSION_DATA_MAX + 2) * 4 / 3 +
                             (HTTP_SESSION_MAC_LEN + 2) * 4 / 3 + 2,
    /* with the name and all attributes */
    HTTP_SESSION_FIELD_MAX = HTTP_SESSION_VALUE_MAX + HTTP_SESSION_NAME_MAX + 100,
    HTTP_SESSION_TOKEN_LEN = 64, /* letters, a NUL behind them */
};

struct http_session_hmac {
    void *(*start)(void *self, unsigned sha, struct bytes secret);
    void (*add)(void *hmac, struct bytes octets);
    size_t (*end)(void *hmac, uint8_t out[64]);
    void *self;
};

struct http_sessions {
    struct http_session_hmac hmac;
    char name[HTTP_SESSION_NAME_MAX]; /* of the cookie: a token, to which "__Host-" comes over TLS */
    uint8_t keys[2][HTTP_SESSION_KEY_LEN]; /* the one that signs; the one before, which is still right */
    bool has_previous;
};

/* Makes the first key. `name` is borrowed for the call. */
void http_sessions_init(struct http_sessions *sessions, const struct http_session_hmac *hmac,
                        const char *name, struct prng *prng);

/* Another key; what the present one has signed holds until it is called again. */
void http_sessions_roll(struct http_sessions *sessions, struct prng *prng);

struct http_session {
    uint8_t id[HTTP_SESSION_ID_LEN];
    int64_t expires;  /* seconds since 1970 */
    uint32_t data_len;
    uint8_t data[HTTP_SESSION_DATA_MAX];
};

/* A new one with an id of its own and no data. */
void http_session_begin(struct http_session *session, int64_t expires, struct prng *prng);

/* The value of a Set-Cookie field, with its NUL: HttpOnly, SameSite=Lax, for the whole host, and Secure over
 * TLS. False: HMAC is not to be had. */
MUST_USE bool http_session_write(const struct http_sessions *sessions,
                                 const struct http_session *session, bool secure, int64_t now,
                                 char out[HTTP_SESSION_FIELD_MAX]);

/* The value of a Set-Cookie field that ends it in the browser. */
void http_session_write_end(const struct http_sessions *sessions, bool secure,
                            char out[HTTP_SESSION_FIELD_MAX]);

/* Finds it in a Cookie field; of several of that name the first that is right. False: there is none that
 * is right and has not ended. */
MUST_USE bool http_session_read(const struct http_sessions *sessions, struct bytes cookie,
                                bool secure, int64_t now, struct http_session *out);

/* For a form of this session: another text each time, so that compressed pages do not give it away (BREACH).
 * "" without HMAC. */
void http_session_token(const struct http_sessions *sessions, const struct http_session *session,
                        struct prng *prng, char out[HTTP_SESSION_TOKEN_LEN + 1]);

/* Is that a token of this session's? */
MUST_USE bool http_session_token_fits(const struct http_sessions *sessions,
                                      const struct http_session *session, struct bytes token);

#endif

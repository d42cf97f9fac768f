/* SPDX-License-Identifier: ISC */
/* tls_internal.h - what a context and its connections know of each other. For tls_*.c of os/ only. */
#ifndef WN_OS_TLS_INTERNAL_H
#define WN_OS_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "base/list.h"
#include "base/map.h"
#include "base/siphash.h"
#include "os/thread.h"
#include "os/tls_engine.h"

enum { TICKET_NAME_LEN = 16, TICKET_KEY_LEN = 32, TLS_SESSION_KEY_MAX = TLS_NAME_MAX + 8 };

struct tls_ticket_key {
    uint8_t name[TICKET_NAME_LEN];
    uint8_t cipher[TICKET_KEY_LEN];
    uint8_t mac[TICKET_KEY_LEN];
    bool valid;
};

/* A client's memory of one server. */
struct tls_session {
    struct list_node node; /* in context->sessions, the one used last in front */
    SSL_SESSION *session;
    char key[];            /* "name:port" */
};

/* What session tickets are made with. */
struct tls_tickets {
    struct lock lock;              /* of the rest */
    struct tls_ticket_key keys[2]; /* ours, and the one before it */
    int64_t rotated_at;
};

/* A certificate as SSL_CTX, and the names it is for. */
struct tls_identity {
    SSL_CTX *ssl;
    uint8_t *staple;
    size_t staple_len;
};

struct tls_named {
    struct tls_identity *identity; /* borrowed */
    char name[];                   /* lower case; "*.x" too */
};

/* All that a reload replaces. */
struct tls_identities {
    struct tls_identity **all;
    size_t count;
    struct map names; /* of struct tls_named */
};

struct tls_context {
    SSL_CTX *ssl; /* a client's; a server has one in each identity */
    bool is_server;
    struct siphash_key hash_key;
    BIO_METHOD *wire; /* NULL until the first connection */
    uint8_t alpn[TLS_ALPN_MAX];
    size_t alpn_len;

    struct tls_identities identities;
    bool only_tls13;
    enum tls_peer_check clients;
    char *client_trust_file;
    struct tls_tickets *tickets; /* of a server: those, or another one's */
    struct tls_tickets own_tickets;

    bool checks_peer;   /* signatures and names */
    uint8_t *pins;
    size_t pin_count;
    struct map sessions_by_key;
    struct list_node sessions;
};

struct tls_engine {
    SSL *ssl;
    struct tls_context *context;
    struct tls_wire wire;
    struct bytes in;   /* shown, and not taken yet */
    size_t in_len;     /* as it was shown */
    int error;
    char *reason;      /* NULL: not failed, or no memory to say why */
    uint16_t port;
    char name[];       /* a client's: whom it asked for */
};

/* tls_context.c: the identity for a name that a client asks for. NULL: none by that name. */
struct tls_identity *tls_context_find(const struct tls_context *context, const char *name);

/* tls_session.c: takes the session out, or puts it in; both for `key`. */
SSL_SESSION *tls_session_take(struct tls_context *context, const char *key);
void tls_session_put(struct tls_context *context, const char *key, SSL_SESSION *session);
void tls_sessions_init(struct tls_context *context);
void tls_sessions_drop(struct tls_context *context);
void tls_session_key(const struct tls_engine *engine, char *out, size_t size);
int tls_session_on_new(SSL *ssl, SSL_SESSION *session);

/* tls_ticket.c: OpenSSL's hook. */
int tls_ticket_on_key(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int encrypting);

/* tls_verify.c: notes in the engine, in words, why a certificate is refused. */
int tls_verify_on_check(int good, X509_STORE_CTX *store);
/* The common name, or all of it when there is none; cut to fit. Returns `out`. */
const char *tls_verify_name(const X509_NAME *name, char *out, size_t size);
bool tls_verify_pins(struct tls_engine *engine);
void tls_engine_fail(struct tls_engine *engine, int error, const char *format, ...)
    PRINTF_LIKE(3, 4);

static inline struct tls_engine *tls_engine_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

#endif

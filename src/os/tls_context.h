/* SPDX-License-Identifier: ISC */
/*
 * tls_context.h - what TLS connections of one role share, by OpenSSL: certificates by name, whom we trust,
 * the keys of session tickets, the sessions to resume. No sockets: octets go through os/tls_engine.h.
 *
 * TLS 1.2 (RFC 5246) and 1.3 (RFC 8446), nothing older (RFC 8996); no renegotiation, no compression, no
 * early data (RFC 8446 §8: it can be replayed). OpenSSL is set up when the first context is made: a program
 * that makes none does not pay for it.
 */
#ifndef WN_OS_TLS_CONTEXT_H
#define WN_OS_TLS_CONTEXT_H

#include "base/text.h"

struct tls_context;
struct tls_tickets;

enum {
    TLS_NAME_MAX = 256,          /* a host's name, with a NUL */
    TLS_ALPN_MAX = 256,          /* protocols in the wire's form */
    TLS_CERTIFICATES_MAX = 16384,
    TLS_NAMES_MAX = 65536,       /* of all certificates; more are refused */
    TLS_SESSIONS_MAX = 256,      /* a client remembers; the one used longest ago goes */
    TLS_STAPLE_MAX = 64 * 1024,
    TLS_PIN_LEN = 32,            /* SHA-256 of a public key (RFC 7469 §2.4) */
};
#define TLS_TICKET_ROTATION (12 * 3600) /* seconds; a ticket is taken for at most twice as long */

/* PEM files: a chain with the host's own certificate first, its key, and perhaps an OCSP response in DER. */
struct tls_certificate {
    const char *chain;
    const char *key;    /* NULL: in the file of the chain */
    const char *staple; /* NULL: none */
};

enum tls_peer_check { TLS_PEER_NOT_ASKED, TLS_PEER_ASKED, TLS_PEER_REQUIRED };

struct tls_server_options {
    const struct tls_certificate *certificates; /* by their names; the first also for all others */
    size_t certificate_count;
    const char *alpn;              /* "h2 http/1.1", the one liked best first; NULL: not spoken */
    bool only_tls13;
    enum tls_peer_check clients;   /* are they asked for a certificate? */
    const char *client_trust_file; /* who may have signed it */
    struct tls_tickets *tickets;   /* of another context, which outlives this one: what was begun with one is
                                      resumed with the other. NULL: its own */
};

struct tls_client_options {
    const char *trust_file;   /* PEM: certificates that are trusted */
    const char *trust_folder; /* by OpenSSL's hashed names. Both NULL: the system's, if there is no pin */
    bool trust_anybody;       /* no check at all: opportunistic (RFC 7435) */
    const uint8_t *pins;      /* pin_count times TLS_PIN_LEN octets: the peer's key must be one of these;
                                 then names and signatures are checked only when a trust_… is given */
    size_t pin_count;
    const char *alpn;
    bool only_tls13;
    struct tls_certificate certificate; /* .chain NULL: we have none */
};

/* 0, or a negative errno and `error` says what was wrong with what. Nothing is borrowed afterwards. */
MUST_USE int tls_context_new_server(const struct tls_server_options *options, struct text *error,
                                    struct tls_context **out);
MUST_USE int tls_context_new_client(const struct tls_client_options *options, struct text *error,
                                    struct tls_context **out);
void tls_context_free(struct tls_context *context);

/* Other certificates from now on; connections that are there keep theirs. On failure nothing changes. */
MUST_USE int tls_context_reload(struct tls_context *context,
                                const struct tls_certificate *certificates, size_t count,
                                struct text *error);

/* The keys of its session tickets: for a context of the same certificates, also of another thread. */
struct tls_tickets *tls_context_tickets(struct tls_context *context);

/* Rotates the keys of session tickets when it is time; `now` in seconds of any clock that does not jump. */
void tls_context_tick(struct tls_context *context, int64_t now);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * tls_engine.h - one TLS connection without a socket: records in, octets out, and back. For io/tls.c.
 *
 * Records of the peer are shown with tls_engine_feed() and taken by the calls that follow; ours go to `send`,
 * from within those calls. A call that says TLS_STEP_WRITE wants to be made again when `send` takes more.
 */
#ifndef WN_OS_TLS_ENGINE_H
#define WN_OS_TLS_ENGINE_H

#include "os/tls_context.h"

struct tls_engine;

enum tls_step {
    TLS_STEP_DONE,
    TLS_STEP_READ,   /* wants more of the peer's records */
    TLS_STEP_WRITE,  /* wants room for ours */
    TLS_STEP_END,    /* the peer has finished: close_notify */
    TLS_STEP_FAILED, /* for good: see tls_engine_error() */
};

enum { TLS_RECORD_MAX = 16384 /* octets of text (RFC 8446 §5.1) */ };

/* Where records go: takes a copy of as much as there is room for. */
struct tls_wire {
    size_t (*send)(void *self, struct bytes in);
    void *self;
};

/* The context must outlive it. NULL: no memory. */
MUST_USE struct tls_engine *tls_engine_new_server(struct tls_context *context,
                                                  const struct tls_wire *wire);

/* `name`: whom we want to talk to, a host's name or an address in text; `port` tells sessions apart. */
MUST_USE struct tls_engine *tls_engine_new_client(struct tls_context *context, const char *name,
                                                  uint16_t port, const struct tls_wire *wire);
void tls_engine_free(struct tls_engine *engine);

/* Shows records; they must stay until tls_engine_fed(), which says how much was taken, and forgets them. */
void tls_engine_feed(struct tls_engine *engine, struct bytes in);
size_t tls_engine_fed(struct tls_engine *engine);

/* Nothing of what was shown is left: reading needs more. */
bool tls_engine_drained(const struct tls_engine *engine);

enum tls_step tls_engine_handshake(struct tls_engine *engine);

/* Up to `size` octets to `out`; DONE: *out_len of them. */
enum tls_step tls_engine_read(struct tls_engine *engine, void *out, size_t size, size_t *out_len);

/* One record of at most TLS_RECORD_MAX octets. DONE: all was taken. After WRITE the same octets must be given
 * again: they are on their way. */
enum tls_step tls_engine_write(struct tls_engine *engine, struct bytes in);

/* Says that we have finished (close_notify). Not after DONE. */
enum tls_step tls_engine_finish(struct tls_engine *engine);

/* After FAILED: a positive errno (EKEYEXPIRED, EKEYREJECTED: certificates; EPROTO), and why, for people. */
int tls_engine_error(const struct tls_engine *engine);
const char *tls_engine_reason(const struct tls_engine *engine);

enum { TLS_ALPN_NAME_MAX = 32, TLS_PEER_MAX = 128 };

/* What was agreed on, once the handshake is done. `name` is valid as long as the engine. */
struct tls_facts {
    const char *version;  /* "TLSv1.3" */
    const char *cipher;   /* "TLS_AES_256_GCM_SHA384" */
    const char *name;     /* the server's, as the client asked for it; "": not said */
    char alpn[TLS_ALPN_NAME_MAX]; /* "": none */
    char peer[TLS_PEER_MAX];      /* common name in the peer's certificate; "": it has shown none */
    bool resumed;
};
void tls_engine_facts(struct tls_engine *engine, struct tls_facts *out);

#endif

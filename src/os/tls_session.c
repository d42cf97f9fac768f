/* SPDX-License-Identifier: ISC */
/*
 * tls_session.c - what a client remembers of servers, to resume: one session for each name and port, the
 * latest. A session of TLS 1.3 is used once (RFC 8446 C.4: who sees a ticket twice can tell it is the same
 * client).
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/memory.h"
#include "os/tls_internal.h"

static bool session_equal(const void *item, const void *key)
{
    return strcmp(((const struct tls_session *)item)->key, key) == 0;
}

static uint32_t hash_of(const struct tls_context *context, const char *key)
{
    return (uint32_t)siphash13(&context->hash_key, bytes_of_text(key));
}

void tls_sessions_init(struct tls_context *context)
{
    struct heap heap = memory_heap();
    map_init(&context->sessions_by_key, &heap, TLS_SESSIONS_MAX, session_equal);
}

static void forget(struct tls_context *context, struct tls_session *known)
{
    (void)map_remove(&context->sessions_by_key, hash_of(context, known->key), known);
    list_remove(&known->node);
    SSL_SESSION_free(known->session);
    free(known);
}

void tls_sessions_drop(struct tls_context *context)
{
    struct list_node *node;
    while ((node = list_first(&context->sessions)) != NULL)
        forget(context, CONTAINER_OF(node, struct tls_session, node));
    if (context->sessions_by_key.equal != NULL)
        map_done(&context->sessions_by_key);
}

void tls_session_key(const struct tls_engine *engine, char *out, size_t size)
{
    snprintf(out, size, "%s:%u", engine->name, engine->port);
}

SSL_SESSION *tls_session_take(struct tls_context *context, const char *key)
{
    struct tls_session *known =
        map_find(&context->sessions_by_key, hash_of(context, key), key);
    if (known == NULL)
        return NULL;
    SSL_SESSION *session = known->session;
    if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) {
        (void)SSL_SESSION_up_ref(session);
        list_remove(&known->node);
        list_prepend(&context->sessions, &known->node);
        return session;
    }
    known->session = NULL;
    forget(context, known);
    return session;
}

void tls_session_put(struct tls_context *context, const char *key, SSL_SESSION *session)
{
    struct tls_session *known =
        map_find(&context->sessions_by_key, hash_of(context, key), key);
    if (known != NULL)
        forget(context, known);
    if (context->sessions_by_key.count == TLS_SESSIONS_MAX)
        forget(context, CONTAINER_OF(context->sessions.previous, struct tls_session, node));
    size_t len = strlen(key) + 1;
    known = malloc(sizeof *known + len);
    if (known != NULL) {
        known->session = session;
        memcpy(known->key, key, len);
        list_prepend(&context->sessions, &known->node);
        if (map_insert(&context->sessions_by_key, hash_of(context, key), known))
            return;
        list_remove(&known->node);
        free(known);
    }
    SSL_SESSION_free(session); /* without memory we ask for a whole handshake the next time */
}

/* OpenSSL's hook: a session came that can be resumed. 1: it is ours now. */
int tls_session_on_new(SSL *ssl, SSL_SESSION *session)
{
    struct tls_engine *engine = tls_engine_of(ssl);
    char key[TLS_SESSION_KEY_MAX];
    tls_session_key(engine, key, sizeof key);
    tls_session_put(engine->context, key, session);
    return 1;
}

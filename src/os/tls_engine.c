/* SPDX-License-Identifier: ISC */
/*
 * tls_engine.c - an SSL of OpenSSL over a BIO of ours: reads come out of the octets that are shown, writes go
 * straight to the wire, and nothing lies in between.
 */
#include "os/tls_engine.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/address.h"
#include "os/tls_internal.h"

/* ---- the BIO ---- */

static int wire_read(BIO *bio, char *out, size_t size, size_t *len)
{
    struct tls_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *len = size < engine->in.len ? size : engine->in.len;
    if (*len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, engine->in.data, *len);
    engine->in = bytes_after(engine->in, *len);
    return 1;
}

static int wire_write(BIO *bio, const char *in, size_t in_len, size_t *len)
{
    struct tls_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *len = engine->wire.send(engine->wire.self, bytes_of(in, in_len));
    if (*len > 0)
        return 1;
    BIO_set_retry_write(bio);
    return 0;
}

static long wire_control(BIO *bio UNUSED, int command, long number UNUSED, void *pointer UNUSED)
{
    return command == BIO_CTRL_FLUSH;
}

static const BIO_METHOD *wire_method(struct tls_context *context)
{
    if (context->wire != NULL)
        return context->wire;
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wholenet stream");
    if (method == NULL)
        return NULL;
    (void)BIO_meth_set_read_ex(method, wire_read);
    (void)BIO_meth_set_write_ex(method, wire_write);
    (void)BIO_meth_set_ctrl(method, wire_control);
    context->wire = method;
    return method;
}

/* ---- beginning and end ---- */

static struct tls_engine *new_engine(struct tls_context *context, SSL_CTX *ssl, const char *name,
                                     const struct tls_wire *wire)
{
    const BIO_METHOD *method = wire_method(context);
    size_t len = strlen(name);
    struct tls_engine *engine = calloc(1, sizeof *engine + len + 1);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (engine != NULL)
        engine->ssl = SSL_new(ssl);
    if (engine == NULL || engine->ssl == NULL || bio == NULL) {
        if (engine != NULL)
            SSL_free(engine->ssl);
        BIO_free(bio);
        free(engine);
        ERR_clear_error();
        return NULL;
    }
    engine->context = context;
    engine->wire = *wire;
    engine->in = bytes_empty();
    memcpy(engine->name, name, len + 1);
    BIO_set_data(bio, engine);
    BIO_set_init(bio, 1);
    SSL_set_bio(engine->ssl, bio, bio);
    (void)SSL_set_app_data(engine->ssl, engine);
    return engine;
}

struct tls_engine *tls_engine_new_server(struct tls_context *context, const struct tls_wire *wire)
{
    ASSERT(context->is_server);
    struct tls_engine *engine =
        new_engine(context, context->identities.all[0]->ssl, "", wire);
    if (engine != NULL)
        SSL_set_accept_state(engine->ssl);
    return engine;
}

/* RFC 9525 §6: names are compared with the alternative names only, a wildcard is a whole label. */
static bool expect_name(struct tls_engine *engine)
{
    struct ip_address address;
    if (address_parse(bytes_of_text(engine->name), &address))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(engine->ssl), engine->name) == 1;
    SSL_set_hostflags(engine->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    /* RFC 6066 §3: a name is said, an address is not. */
    return SSL_set1_host(engine->ssl, engine->name) == 1 &&
           SSL_set_tlsext_host_name(engine->ssl, engine->name) == 1;
}

static void resume(struct tls_engine *engine)
{
    char key[TLS_SESSION_KEY_MAX];
    tls_session_key(engine, key, sizeof key);
    SSL_SESSION *session = tls_session_take(engine->context, key);
    if (session == NULL)
        return;
    (void)SSL_set_session(engine->ssl, session);
    SSL_SESSION_free(session);
}

struct tls_engine *tls_engine_new_client(struct tls_context *context, const char *name,
                                         uint16_t port, const struct tls_wire *wire)
{
    ASSERT(!context->is_server);
    char host[TLS_NAME_MAX];
    size_t len = strlen(name);
    if (len > 1 && name[len - 1] == '.')
        len--; /* the root's dot is no part of a name here (RFC 6066 §3) */
    if (len == 0 || len >= sizeof host)
        return NULL;
    memcpy(host, name, len);
    host[len] = '\0';
    struct tls_engine *engine = new_engine(context, context->ssl, host, wire);
    if (engine == NULL)
        return NULL;
    engine->port = port;
    if (!expect_name(engine)) {
        tls_engine_free(engine);
        return NULL;
    }
    SSL_set_connect_state(engine->ssl);
    resume(engine);
    return engine;
}

void tls_engine_free(struct tls_engine *engine)
{
    if (engine == NULL)
        return;
    /* Whatever happened to the connection, the session can be resumed: OpenSSL would mark it as broken. */
    if (engine->error == 0)
        SSL_set_shutdown(engine->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(engine->ssl);
    free(engine->reason);
    free(engine);
}

/* ---- steps ---- */

void tls_engine_feed(struct tls_engine *engine, struct bytes in)
{
    engine->in = in;
    engine->in_len = in.len;
}

bool tls_engine_drained(const struct tls_engine *engine)
{
    return engine->in.len == 0 && SSL_has_pending(engine->ssl) == 0;
}

size_t tls_engine_fed(struct tls_engine *engine)
{
    size_t used = engine->in_len - engine->in.len;
    engine->in = bytes_empty();
    engine->in_len = 0;
    return used;
}

static void note_failure(struct tls_engine *engine)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    int number = ERR_GET_REASON(code);
    if (number > SSL_AD_REASON_OFFSET && ERR_GET_LIB(code) == ERR_LIB_SSL)
        tls_engine_fail(engine, EPROTO, "the peer gave up: %s",
                        SSL_alert_desc_string_long(number - SSL_AD_REASON_OFFSET));
    else
        tls_engine_fail(engine, EPROTO, "TLS failed: %s", reason != NULL ? reason : "no reason");
}

static enum tls_step step_of(struct tls_engine *engine, int result)
{
    if (result > 0)
        return TLS_STEP_DONE;
    switch (SSL_get_error(engine->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_STEP_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_STEP_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_STEP_END;
    default:
        note_failure(engine);
        ERR_clear_error();
        return TLS_STEP_FAILED;
    }
}

/* An error that somebody left would be taken for ours. There hardly ever is one, and clearing is not cheap. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

enum tls_step tls_engine_handshake(struct tls_engine *engine)
{
    if (engine->error != 0)
        return TLS_STEP_FAILED;
    forget_errors();
    enum tls_step step = step_of(engine, SSL_do_handshake(engine->ssl));
    if (step == TLS_STEP_DONE && !tls_verify_pins(engine))
        return TLS_STEP_FAILED;
    if (step == TLS_STEP_END) { /* close_notify instead of a handshake */
        tls_engine_fail(engine, EPROTO, "the peer ended before the handshake was done");
        return TLS_STEP_FAILED;
    }
    return step;
}

enum tls_step tls_engine_read(struct tls_engine *engine, void *out, size_t size, size_t *out_len)
{
    if (engine->error != 0)
        return TLS_STEP_FAILED;
    forget_errors();
    return step_of(engine, SSL_read_ex(engine->ssl, out, size, out_len));
}

enum tls_step tls_engine_write(struct tls_engine *engine, struct bytes in)
{
    ASSERT(in.len > 0 && in.len <= TLS_RECORD_MAX);
    if (engine->error != 0)
        return TLS_STEP_FAILED;
    forget_errors();
    size_t written;
    enum tls_step step = step_of(engine, SSL_write_ex(engine->ssl, in.data, in.len, &written));
    ASSERT(step != TLS_STEP_DONE || written == in.len);
    return step;
}

enum tls_step tls_engine_finish(struct tls_engine *engine)
{
    if (engine->error != 0)
        return TLS_STEP_FAILED;
    forget_errors();
    int result = SSL_shutdown(engine->ssl);
    /* 0: ours is sent, the peer's has not come. That OpenSSL says "sent" of one that waits for room is why
     * it is asked again, and not its flags. */
    return result == 0 ? TLS_STEP_DONE : step_of(engine, result);
}

/* ---- what it says ---- */

int tls_engine_error(const struct tls_engine *engine)
{
    return engine->error;
}

const char *tls_engine_reason(const struct tls_engine *engine)
{
    return engine->reason != NULL ? engine->reason : "";
}

void tls_engine_facts(struct tls_engine *engine, struct tls_facts *out)
{
    const SSL *ssl = engine->ssl;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!engine->context->is_server)
        name = engine->name;
    *out = (struct tls_facts){
        .version = SSL_get_version(ssl),
        .cipher = SSL_get_cipher_name(ssl),
        .name = name != NULL ? name : "",
        .resumed = SSL_session_reused(ssl) == 1,
    };
    const uint8_t *alpn;
    unsigned alpn_len;
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    if (alpn_len > 0 && alpn_len < sizeof out->alpn)
        memcpy(out->alpn, alpn, alpn_len);
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate != NULL)
        tls_verify_name(X509_get_subject_name(certificate), out->peer, sizeof out->peer);
}

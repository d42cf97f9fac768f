/* SPDX-License-Identifier: ISC */
/* tls_context.c - contexts of both roles, and a server's certificates by name. */
#include "os/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "os/entropy.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/tls_internal.h"

/* What OpenSSL says of it: of several errors the last, unless it all began with a system call. */
static int complain(struct text *error, const char *what, const char *about)
{
    unsigned long first = ERR_peek_error();
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (ERR_SYSTEM_ERROR(first))
        reason = strerror(ERR_GET_REASON(first));
    text_add_format(error, "%s %s%s%s", what, about, reason != NULL ? ": " : "",
                    reason != NULL ? reason : "");
    ERR_clear_error();
    return -EINVAL;
}

/* ---- what both roles have ---- */

/* Nobody is asked for a passphrase: the program may have no terminal. */
static int no_passphrase(char *buffer UNUSED, int size UNUSED, int writing UNUSED,
                         void *self UNUSED)
{
    return 0;
}

static SSL_CTX *new_ssl(bool is_server, bool only_tls13, struct text *error)
{
    SSL_CTX *ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    if (ssl == NULL ||
        !SSL_CTX_set_min_proto_version(ssl, only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION)) {
        SSL_CTX_free(ssl);
        (void)complain(error, "cannot set up", "OpenSSL");
        return NULL;
    }
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* An idle connection owns no buffers. What waits to be sent may move meanwhile. */
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
    return ssl;
}

/* "h2 http/1.1" in the form of RFC 7301 §3.1: each with its length in front. */
static int set_alpn(struct tls_context *context, const char *alpn, struct text *error)
{
    struct writer w = writer_of(context->alpn, sizeof context->alpn);
    const char *at = alpn != NULL ? alpn : "";
    while (*(at += strspn(at, " ")) != '\0') {
        size_t len = strcspn(at, " ");
        write_u8(&w, (uint8_t)len);
        write_copy(&w, at, len);
        w.failed |= len > UINT8_MAX;
        at += len;
    }
    context->alpn_len = writer_len(&w);
    if (!w.failed)
        return 0;
    text_add(error, "too many protocols for ALPN, or one too long");
    return -EINVAL;
}

static int use_certificate(SSL_CTX *ssl, const struct tls_certificate *files, struct text *error)
{
    const char *key = files->key != NULL ? files->key : files->chain;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl, files->chain) != 1)
        return complain(error, "cannot use the certificate in", files->chain);
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
        return complain(error, "cannot use the key in", key);
    if (SSL_CTX_check_private_key(ssl) != 1)
        return complain(error, "the key does not belong to the certificate:", key);
    return 0;
}

static struct tls_context *new_context(bool is_server)
{
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    context->is_server = is_server;
    lock_init(&context->own_tickets.lock);
    context->tickets = &context->own_tickets;
    list_init(&context->sessions);
    if (entropy_fill(&context->hash_key, sizeof context->hash_key) == 0)
        return context;
    lock_done(&context->own_tickets.lock);
    free(context);
    return NULL;
}

/* ---- identities ---- */

static bool named_equal(const void *item, const void *key)
{
    return strcmp(((const struct tls_named *)item)->name, key) == 0;
}

static uint32_t hash_of(const struct tls_context *context, const char *name)
{
    return (uint32_t)siphash13(&context->hash_key, bytes_of_text(name));
}

static void drop_identities(struct tls_identities *identities)
{
    size_t place = 0;
    struct tls_named *named;
    while ((named = map_each(&identities->names, &place)) != NULL)
        free(named);
    map_done(&identities->names);
    for (size_t i = 0; i < identities->count; i++) {
        SSL_CTX_free(identities->all[i]->ssl);
        free(identities->all[i]->staple);
        free(identities->all[i]);
    }
    free(identities->all);
}

static void lower(char *out, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    out[len] = '\0';
}

/* The first certificate for a name is the one that is shown. */
static bool add_name(struct tls_context *context, struct tls_identities *identities,
                     struct tls_identity *identity, struct bytes name)
{
    if (name.len == 0 || name.len >= TLS_NAME_MAX || bytes_find(name, 0) < name.len)
        return true; /* nobody can ask for it */
    struct tls_named *named = malloc(sizeof *named + name.len + 1);
    if (named == NULL)
        return false;
    named->identity = identity;
    lower(named->name, (const char *)name.data, name.len);
    uint32_t hash = hash_of(context, named->name);
    bool known = map_find(&identities->names, hash, named->name) != NULL;
    if (!known && map_insert(&identities->names, hash, named))
        return true;
    free(named);
    return known;
}

static bool add_names(struct tls_context *context, struct tls_identities *identities,
                      struct tls_identity *identity)
{
    X509 *certificate = SSL_CTX_get0_certificate(identity->ssl);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool good = true;
    for (int i = 0; good && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        const ASN1_IA5STRING *text = name->d.dNSName;
        good = add_name(context, identities, identity,
                        bytes_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
    }
    GENERAL_NAMES_free(names);
    return good;
}

static int read_staple(struct tls_identity *identity, const char *path, struct text *error)
{
    char *octets;
    int status = file_read(path, TLS_STAPLE_MAX, &octets, &identity->staple_len);
    if (status < 0) {
        text_add_format(error, "cannot read the OCSP response in %s: %s", path, strerror(-status));
        return status;
    }
    identity->staple = (uint8_t *)octets;
    return 0;
}

/* RFC 6066 §3: a name that is not ours is answered with the first certificate, as servers do. */
static int on_server_name(SSL *ssl, int *alert UNUSED, void *self UNUSED)
{
    struct tls_context *context = tls_engine_of(ssl)->context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct tls_identity *identity = name != NULL ? tls_context_find(context, name) : NULL;
    if (identity == NULL)
        identity = context->identities.all[0];
    if (SSL_set_SSL_CTX(ssl, identity->ssl) == NULL)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    if (identity->staple == NULL)
        return SSL_TLSEXT_ERR_OK;
    uint8_t *staple = OPENSSL_memdup(identity->staple, identity->staple_len);
    if (staple != NULL)
        SSL_set_tlsext_status_ocsp_resp(ssl, staple, (long)identity->staple_len);
    return SSL_TLSEXT_ERR_OK;
}

static int on_status_asked(SSL *ssl, void *self UNUSED)
{
    const uint8_t *staple;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &staple);
    return len > 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* RFC 7301 §3.2: what the server likes best of what the client offers; none of it ends the handshake. */
static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                   unsigned in_len, void *self UNUSED)
{
    const struct tls_context *context = tls_engine_of(ssl)->context;
    uint8_t *chosen;
    if (context->alpn_len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, out_len, context->alpn, (unsigned)context->alpn_len, in,
                              in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int ask_clients(const struct tls_context *context, SSL_CTX *ssl, struct text *error)
{
    if (context->clients == TLS_PEER_NOT_ASKED)
        return 0;
    const char *file = context->client_trust_file;
    if (file == NULL) {
        text_add(error, "clients are asked for certificates, but nobody may have signed them");
        return -EINVAL;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
    if (names == NULL || SSL_CTX_load_verify_file(ssl, file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return complain(error, "cannot use the certificates in", file);
    }
    SSL_CTX_set_client_CA_list(ssl, names);
    int mode = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE;
    if (context->clients == TLS_PEER_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ssl, mode, tls_verify_on_check);
    return 0;
}

static int set_up_identity(struct tls_context *context, struct tls_identity *identity,
                           const struct tls_certificate *files, struct text *error)
{
    identity->ssl = new_ssl(true, context->only_tls13, error);
    if (identity->ssl == NULL)
        return -ENOMEM;
    int status = use_certificate(identity->ssl, files, error);
    /* A third faster than AES-256, and what every client has (RFC 8446 §9.1). */
    if (status == 0 && SSL_CTX_set_ciphersuites(identity->ssl,
                                                "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                                "TLS_CHACHA20_POLY1305_SHA256") != 1)
        status = complain(error, "cannot set the ciphers of", "TLS 1.3");
    /* One for each connection: the client uses it once, and is given the next (RFC 8446 C.4). */
    (void)SSL_CTX_set_num_tickets(identity->ssl, 1);
    if (status == 0 && files->staple != NULL)
        status = read_staple(identity, files->staple, error);
    if (status == 0)
        status = ask_clients(context, identity->ssl, error);
    /* Tickets only: a server that remembers sessions can be made to remember too many. */
    SSL_CTX_set_session_cache_mode(identity->ssl, SSL_SESS_CACHE_OFF);
    static const uint8_t id[] = "wholenet"; /* sessions of other programs are not ours */
    (void)SSL_CTX_set_session_id_context(identity->ssl, id, sizeof id - 1);
    (void)SSL_CTX_set_timeout(identity->ssl, TLS_TICKET_ROTATION);
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(identity->ssl, tls_ticket_on_key);
    (void)SSL_CTX_set_tlsext_servername_callback(identity->ssl, on_server_name);
    (void)SSL_CTX_set_tlsext_status_cb(identity->ssl, on_status_asked);
    SSL_CTX_set_alpn_select_cb(identity->ssl, on_alpn, NULL);
    return status;
}

static int add_identity(struct tls_context *context, struct tls_identities *identities,
                        const struct tls_certificate *files, struct text *error)
{
    struct tls_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL)
        return -ENOMEM;
    identities->all[identities->count++] = identity;
    int status = set_up_identity(context, identity, files, error);
    if (status < 0)
        return status;
    if (add_names(context, identities, identity))
        return 0;
    text_add_format(error, "too many names in certificates, or no memory, at %s", files->chain);
    return -ENOMEM;
}

int tls_context_reload(struct tls_context *context, const struct tls_certificate *certificates,
                       size_t count, struct text *error)
{
    struct heap heap = memory_heap();
    struct tls_identities fresh = {0};
    if (count == 0 || count > TLS_CERTIFICATES_MAX) {
        text_add(error, count == 0 ? "a TLS server needs a certificate" : "too many certificates");
        return -EINVAL;
    }
    fresh.all = calloc(count, sizeof *fresh.all);
    if (fresh.all == NULL)
        return -ENOMEM;
    map_init(&fresh.names, &heap, TLS_NAMES_MAX, named_equal);
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = add_identity(context, &fresh, &certificates[i], error);
    if (status < 0) {
        drop_identities(&fresh);
        return status;
    }
    drop_identities(&context->identities);
    context->identities = fresh;
    return 0;
}

struct tls_identity *tls_context_find(const struct tls_context *context, const char *name)
{
    char key[TLS_NAME_MAX + 1];
    size_t len = strlen(name);
    if (len == 0 || len >= TLS_NAME_MAX)
        return NULL;
    lower(key, name, len);
    const struct map *names = &context->identities.names;
    const struct tls_named *named = map_find(names, hash_of(context, key), key);
    char *dot = strchr(key, '.');
    if (named == NULL && dot != NULL && dot != key) {
        dot[-1] = '*'; /* RFC 9525 §6.3: the whole of the first label */
        named = map_find(names, hash_of(context, dot - 1), dot - 1);
    }
    return named != NULL ? named->identity : NULL;
}

int tls_context_new_server(const struct tls_server_options *options, struct text *error,
                           struct tls_context **out)
{
    struct tls_context *context = new_context(true);
    struct heap heap = memory_heap();
    if (context == NULL)
        return -ENOMEM;
    map_init(&context->identities.names, &heap, TLS_NAMES_MAX, named_equal);
    context->only_tls13 = options->only_tls13;
    if (options->tickets != NULL)
        context->tickets = options->tickets;
    context->clients = options->clients;
    int status = set_alpn(context, options->alpn, error);
    if (status == 0 && options->client_trust_file != NULL) {
        context->client_trust_file = strdup(options->client_trust_file);
        if (context->client_trust_file == NULL)
            status = -ENOMEM;
    }
    if (status == 0)
        status = tls_context_reload(context, options->certificates, options->certificate_count,
                                    error);
    if (status < 0) {
        tls_context_free(context);
        return status;
    }
    *out = context;
    return 0;
}

/* ---- clients ---- */

static int set_trust(struct tls_context *context, const struct tls_client_options *options,
                     struct text *error)
{
    SSL_CTX *ssl = context->ssl;
    bool given = options->trust_file != NULL || options->trust_folder != NULL;
    context->checks_peer = !options->trust_anybody && (given || options->pin_count == 0);
    if (!context->checks_peer)
        return 0;
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, tls_verify_on_check);
    ERR_clear_error();
    if (!given && SSL_CTX_set_default_verify_paths(ssl) != 1)
        return complain(error, "cannot use the system's", "trusted certificates");
    if (options->trust_file != NULL && SSL_CTX_load_verify_file(ssl, options->trust_file) != 1)
        return complain(error, "cannot use the certificates in", options->trust_file);
    if (options->trust_folder != NULL && SSL_CTX_load_verify_dir(ssl, options->trust_folder) != 1)
        return complain(error, "cannot use the certificates in", options->trust_folder);
    return 0;
}

static int set_up_client(struct tls_context *context, const struct tls_client_options *options,
                         struct text *error)
{
    context->ssl = new_ssl(false, options->only_tls13, error);
    if (context->ssl == NULL)
        return -ENOMEM;
    SSL_CTX_set_session_cache_mode(context->ssl,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context->ssl, tls_session_on_new);
    int status = set_alpn(context, options->alpn, error);
    if (status == 0 && context->alpn_len > 0 &&
        SSL_CTX_set_alpn_protos(context->ssl, context->alpn, (unsigned)context->alpn_len) != 0)
        status = -ENOMEM;
    if (status == 0 && options->pin_count > 0) {
        context->pins = malloc(options->pin_count * TLS_PIN_LEN);
        if (context->pins == NULL)
            return -ENOMEM;
        memcpy(context->pins, options->pins, options->pin_count * TLS_PIN_LEN);
        context->pin_count = options->pin_count;
    }
    if (status == 0)
        status = set_trust(context, options, error);
    if (status == 0 && options->certificate.chain != NULL)
        status = use_certificate(context->ssl, &options->certificate, error);
    return status;
}

int tls_context_new_client(const struct tls_client_options *options, struct text *error,
                           struct tls_context **out)
{
    struct tls_context *context = new_context(false);
    if (context == NULL)
        return -ENOMEM;
    tls_sessions_init(context);
    int status = set_up_client(context, options, error);
    if (status < 0) {
        tls_context_free(context);
        return status;
    }
    *out = context;
    return 0;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    tls_sessions_drop(context);
    drop_identities(&context->identities);
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->wire);
    free(context->client_trust_file);
    free(context->pins);
    OPENSSL_cleanse(context->own_tickets.keys, sizeof context->own_tickets.keys);
    lock_done(&context->own_tickets.lock);
    free(context);
}

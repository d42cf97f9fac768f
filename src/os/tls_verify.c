/* SPDX-License-Identifier: ISC */
/* tls_verify.c - is it the one we wanted? And when it is not, why, in words for people. */
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "os/tls_internal.h"

enum { REASON_MAX = 512, NAMES_SHOWN = 4 };

void tls_engine_fail(struct tls_engine *engine, int error, const char *format, ...)
{
    if (engine->error != 0)
        return; /* the first reason is the reason */
    char buffer[REASON_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    engine->error = error;
    engine->reason = strdup(buffer);
}

const char *tls_verify_name(const X509_NAME *name, char *out, size_t size)
{
    if (X509_NAME_get_text_by_NID(name, NID_commonName, out, (int)size) <= 0)
        X509_NAME_oneline(name, out, (int)size);
    return out;
}

static const char *date_of(const ASN1_TIME *time, char out[32])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return "a date that is none";
    snprintf(out, 32, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    return out;
}

/* "a.example, b.example": for whom the certificate is. */
static void add_names(struct text *text, X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = sk_GENERAL_NAME_num(names);
    const char *between = "";
    for (int i = 0; i < count && i < NAMES_SHOWN; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            text_add(text, between);
            text_add_bytes(text, bytes_of(ASN1_STRING_get0_data(name->d.dNSName),
                                          (size_t)ASN1_STRING_length(name->d.dNSName)));
        } else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
            const uint8_t *a = ASN1_STRING_get0_data(name->d.iPAddress);
            text_add_format(text, "%s%u.%u.%u.%u", between, a[0], a[1], a[2], a[3]);
        } else {
            continue;
        }
        between = ", ";
    }
    if (count > NAMES_SHOWN)
        text_add(text, ", …");
    if (count <= 0)
        text_add(text, "nobody by name");
    GENERAL_NAMES_free(names);
}

static void explain(struct tls_engine *engine, X509_STORE_CTX *store, X509 *certificate)
{
    char subject[TLS_PEER_MAX], issuer[TLS_PEER_MAX], date[32], list[256];
    const char *who = tls_verify_name(X509_get_subject_name(certificate), subject, sizeof subject);
    const char *by = tls_verify_name(X509_get_issuer_name(certificate), issuer, sizeof issuer);
    struct text names = text_of(list, sizeof list);
    int code = X509_STORE_CTX_get_error(store);
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        tls_engine_fail(engine, EKEYEXPIRED, "the certificate of %s has expired on %s", who,
                        date_of(X509_get0_notAfter(certificate), date));
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        tls_engine_fail(engine, EKEYREJECTED, "the certificate of %s is not valid before %s", who,
                        date_of(X509_get0_notBefore(certificate), date));
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        add_names(&names, certificate);
        tls_engine_fail(engine, EKEYREJECTED, "the certificate is for %s, not for %s", list,
                        engine->name);
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        tls_engine_fail(engine, EKEYREJECTED,
                        "the certificate of %s is signed by itself, and we do not trust it", who);
        return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        tls_engine_fail(engine, EKEYREJECTED,
                        "the certificate of %s is signed by %s, whom we do not trust", who, by);
        return;
    default:
        tls_engine_fail(engine, EKEYREJECTED, "the certificate of %s: %s", who,
                        X509_verify_cert_error_string(code));
    }
}

int tls_verify_on_check(int good, X509_STORE_CTX *store)
{
    if (good)
        return 1;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (certificate == NULL)
        certificate = X509_STORE_CTX_get0_cert(store);
    explain(tls_engine_of(ssl), store, certificate);
    return 0;
}

/* RFC 7858 §4.2: the key in the peer's own certificate, as SubjectPublicKeyInfo, by its SHA-256. */
bool tls_verify_pins(struct tls_engine *engine)
{
    const struct tls_context *context = engine->context;
    if (context->pin_count == 0)
        return true;
    X509 *certificate = SSL_get0_peer_certificate(engine->ssl);
    uint8_t *key = NULL;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    int len = -1;
    if (certificate != NULL)
        len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    bool digested = len > 0 && EVP_Digest(key, (size_t)len, digest, &digest_len, EVP_sha256(),
                                          NULL) == 1;
    OPENSSL_free(key);
    for (size_t i = 0; digested && i < context->pin_count; i++)
        if (memcmp(context->pins + i * TLS_PIN_LEN, digest, TLS_PIN_LEN) == 0)
            return true;
    tls_engine_fail(engine, EKEYREJECTED, "the key of %s is not the one that is pinned",
                    engine->name);
    return false;
}

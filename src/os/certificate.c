/* SPDX-License-Identifier: ISC */
/*
 * certificate.c - X.509 as browsers and libraries demand it of a small private authority: names as subject
 * alternative names only (RFC 9525 §2), P-256, random serial numbers (RFC 5280 §4.1.2.2).
 */
#include "os/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum {
    SERIAL_LEN = 16,
    SUBJECT_MAX = 64, /* ub-common-name */
    GENERAL_NAME_MAX = 300,
};

static int complain(struct text *error, const char *what, const char *about)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    text_add_format(error, "%s %s%s%s", what, about, reason != NULL ? ": " : "",
                    reason != NULL ? reason : "");
    ERR_clear_error();
    return -EINVAL;
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

#define OWN_KEY __attribute__((cleanup(free_key))) EVP_PKEY *
#define OWN_CERTIFICATE __attribute__((cleanup(free_certificate))) X509 *
#define OWN_BIO __attribute__((cleanup(free_bio))) BIO *

/* ---- files ---- */

/* No question on the terminal. */
static int no_passphrase(char *buffer UNUSED, int size UNUSED, int writing UNUSED,
                         void *self UNUSED)
{
    return 0;
}

/* The file as a BIO over octets in *text, which the caller frees after it. */
static BIO *open_file(const char *path, char **text)
{
    size_t len;
    *text = NULL;
    if (file_read(path, CERTIFICATE_FILE_MAX, text, &len) < 0)
        return NULL;
    return BIO_new_mem_buf(*text, (int)len);
}

static X509 *read_certificate(const char *path)
{
    char *text;
    OWN_BIO bio = open_file(path, &text);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
    free(text);
    return certificate;
}

static EVP_PKEY *read_key(const char *path)
{
    char *text;
    OWN_BIO bio = open_file(path, &text);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    if (text != NULL)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
    return key;
}

static int write_bio(const char *path, BIO *bio, struct text *error)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    int status = file_write(path, bytes_of(data, (size_t)len), 0600);
    OPENSSL_cleanse(data, (size_t)len);
    if (status < 0)
        text_add_format(error, "cannot write %s: %s", path, strerror(-status));
    return status;
}

static int write_key(const char *path, EVP_PKEY *key, struct text *error)
{
    OWN_BIO bio = BIO_new(BIO_s_mem());
    if (bio == NULL || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        return complain(error, "cannot encode the key for", path);
    return write_bio(path, bio, error);
}

static int write_certificate(const char *path, X509 *certificate, struct text *error)
{
    OWN_BIO bio = BIO_new(BIO_s_mem());
    if (bio == NULL || !PEM_write_bio_X509(bio, certificate))
        return complain(error, "cannot encode the certificate for", path);
    return write_bio(path, bio, error);
}

/* ---- what is in it ---- */

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

static GENERAL_NAME *dns_name(const char *name)
{
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    if (general == NULL || string == NULL || !ASN1_STRING_set(string, name, -1)) {
        GENERAL_NAME_free(general);
        ASN1_IA5STRING_free(string);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, GEN_DNS, string);
    return general;
}

static GENERAL_NAME *address_name(const struct ip_address *address)
{
    bool v4 = address_is_v4(address);
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    const uint8_t *first = v4 ? address->octets + 12 : address->octets;
    if (general == NULL || octets == NULL || !ASN1_OCTET_STRING_set(octets, first, v4 ? 4 : 16)) {
        GENERAL_NAME_free(general);
        ASN1_OCTET_STRING_free(octets);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, GEN_IPADD, octets);
    return general;
}

static bool push_name(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    if (name != NULL && sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_names(X509 *certificate, const struct certificate_options *options)
{
    size_t count = options->name_count + options->address_count;
    if (count == 0)
        return true;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool good = names != NULL && count <= CERTIFICATE_NAMES_MAX;
    for (size_t i = 0; good && i < options->name_count; i++)
        good = push_name(names, dns_name(options->names[i]));
    for (size_t i = 0; good && i < options->address_count; i++)
        good = push_name(names, address_name(&options->addresses[i]));
    good = good && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0,
                                     X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return good;
}

static bool set_serial(X509 *certificate)
{
    uint8_t octets[SERIAL_LEN];
    if (RAND_bytes(octets, sizeof octets) != 1)
        return false;
    octets[0] = (octets[0] & 0x7f) | 0x40; /* positive, and of full length */
    BIGNUM *number = BN_bin2bn(octets, sizeof octets, NULL);
    bool set = number != NULL &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return set;
}

static bool set_subject(X509 *certificate, const char *subject)
{
    size_t len = strlen(subject);
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)subject,
                                      (int)(len < SUBJECT_MAX ? len : SUBJECT_MAX), -1, 0) == 1;
}

static bool fill(X509 *certificate, X509 *issuer, EVP_PKEY *key,
                 const struct certificate_options *options)
{
    bool root = options->is_root;
    return X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
           set_subject(certificate, options->subject) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)options->valid_from) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)options->valid_until) != NULL &&
           X509_set_pubkey(certificate, key) &&
           add_extension(certificate, issuer, NID_basic_constraints,
                         root ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           add_extension(certificate, issuer, NID_key_usage,
                         root ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
           (root || add_extension(certificate, issuer, NID_ext_key_usage,
                                  "serverAuth,clientAuth")) &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
           (issuer == certificate || /* RFC 5280 §4.2.1.1 */
            add_extension(certificate, issuer, NID_authority_key_identifier, "keyid")) &&
           add_names(certificate, options);
}

static int sign_and_write(const struct certificate_options *options, X509 *issuer,
                          EVP_PKEY *issuer_key, const struct certificate_files *out,
                          struct text *error)
{
    OWN_KEY key = EVP_EC_gen("P-256");
    OWN_CERTIFICATE certificate = X509_new();
    if (key == NULL || certificate == NULL ||
        !fill(certificate, issuer != NULL ? issuer : certificate, key, options) ||
        X509_sign(certificate, issuer_key != NULL ? issuer_key : key, EVP_sha256()) == 0)
        return complain(error, "cannot make a certificate for", options->subject);
    int status = write_key(out->key, key, error);
    return status < 0 ? status : write_certificate(out->chain, certificate, error);
}

int certificate_make(const struct certificate_options *options,
                     const struct certificate_files *root, const struct certificate_files *out,
                     struct text *error)
{
    if (root == NULL)
        return sign_and_write(options, NULL, NULL, out, error);
    OWN_CERTIFICATE issuer = read_certificate(root->chain);
    if (issuer == NULL)
        return complain(error, "cannot read the certificate in", root->chain);
    OWN_KEY issuer_key = read_key(root->key);
    if (issuer_key == NULL)
        return complain(error, "cannot read the key in", root->key);
    return sign_and_write(options, issuer, issuer_key, out, error);
}

/* ---- is it still good? ---- */

static bool names_fit(X509 *certificate, const struct certificate_options *options)
{
    for (size_t i = 0; i < options->name_count; i++)
        if (X509_check_host(certificate, options->names[i], 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                            NULL) != 1)
            return false;
    for (size_t i = 0; i < options->address_count; i++) {
        const struct ip_address *address = &options->addresses[i];
        bool v4 = address_is_v4(address);
        if (X509_check_ip(certificate, v4 ? address->octets + 12 : address->octets, v4 ? 4 : 16,
                          0) != 1)
            return false;
    }
    return true;
}

static bool signed_by(X509 *certificate, const struct certificate_files *root)
{
    if (root == NULL)
        return true;
    OWN_CERTIFICATE issuer = read_certificate(root->chain);
    return issuer != NULL && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
}

bool certificate_fits(const struct certificate_files *files,
                      const struct certificate_options *options,
                      const struct certificate_files *root, int64_t at)
{
    time_t then = (time_t)at;
    OWN_CERTIFICATE certificate = read_certificate(files->chain);
    OWN_KEY key = certificate != NULL ? read_key(files->key) : NULL;
    bool fits = key != NULL && X509_check_private_key(certificate, key) == 1 &&
                X509_cmp_time(X509_get0_notBefore(certificate), &then) < 0 &&
                X509_cmp_time(X509_get0_notAfter(certificate), &then) > 0 &&
                names_fit(certificate, options) && signed_by(certificate, root);
    ERR_clear_error();
    return fits;
}

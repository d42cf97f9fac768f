/* SPDX-License-Identifier: ISC */
/* signing_key.c - private keys between their files' numbers and OpenSSL's objects, and signatures. */
#include "os/signing_key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "os/signature_internal.h"

enum {
    RSA_SHA256 = 8,
    DIGEST_MAX = 64,
    DER_MAX = 2 * SIGNATURE_EC_COORDINATE_MAX + 16,
};

struct signing_key {
    uint8_t algorithm;
    const struct signature_algorithm *about;
    EVP_PKEY *pkey;
    EVP_MD *md;            /* NULL: Edwards curves digest themselves */
    EVP_MD_CTX *digest;
    EVP_PKEY_CTX *context; /* set up once: looking algorithms up costs as much as some signatures */
    uint8_t public[SIGNING_KEY_PUBLIC_MAX];
    size_t public_len;
};

/* OpenSSL's names of RSA's numbers, in the order of enum signing_key_part. */
static const char *const rsa_parameters[] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};
_Static_assert(ARRAY_LEN(rsa_parameters) == SIGNING_KEY_PRIVATE, "all but the last");

void signing_key_cleanse(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}

uint8_t signing_key_algorithm(const struct signing_key *key)
{
    return key->algorithm;
}

unsigned signing_key_bits(const struct signing_key *key)
{
    return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

void signing_key_public(const struct signing_key *key, struct writer *w)
{
    write_copy(w, key->public, key->public_len);
}

void signing_key_free(struct signing_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_CTX_free(key->context);
    EVP_MD_CTX_free(key->digest);
    EVP_MD_free(key->md);
    EVP_PKEY_free(key->pkey);
    free(key);
}

/* ---- the public part ---- */

static void write_number(struct writer *w, const BIGNUM *number)
{
    uint8_t octets[SIGNATURE_RSA_MODULUS_MAX];
    if (BN_num_bytes(number) > (int)sizeof octets) {
        w->failed = true;
        return;
    }
    int len = BN_bn2bin(number, octets);
    write_copy(w, octets, (size_t)len);
    OPENSSL_cleanse(octets, sizeof octets);
}

/* RFC 3110 §2. */
static void write_rsa_public(const EVP_PKEY *pkey, struct writer *w)
{
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
        unsigned len = (unsigned)BN_num_bytes(e);
        if (len > UINT8_MAX)
            write_u8(w, 0);
        if (len > UINT8_MAX)
            write_u16(w, (uint16_t)len);
        else
            write_u8(w, (uint8_t)len);
        write_number(w, e);
        write_number(w, n);
    } else {
        w->failed = true;
    }
    BN_free(n);
    BN_free(e);
}

/* RFC 6605 §4: the point without the octet that says that it is not compressed. */
static void write_point(const struct signature_algorithm *about, const EVP_PKEY *pkey,
                        struct writer *w)
{
    uint8_t point[1 + 2 * SIGNATURE_EC_COORDINATE_MAX];
    size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) !=
            1 ||
        len != 1 + 2 * about->len)
        w->failed = true;
    else
        write_copy(w, point + 1, len - 1);
}

static bool note_public(struct signing_key *key)
{
    struct writer w = writer_of(key->public, sizeof key->public);
    size_t len = key->about->len;
    if (key->about->kind == SIGNATURE_RSA)
        write_rsa_public(key->pkey, &w);
    else if (key->about->kind == SIGNATURE_EC)
        write_point(key->about, key->pkey, &w);
    else if (EVP_PKEY_get_raw_public_key(key->pkey, key->public, &len) == 1)
        w.next += len;
    else
        w.failed = true;
    key->public_len = writer_len(&w);
    return !w.failed;
}

/* ---- made ---- */

static bool prepare(struct signing_key *key)
{
    key->digest = EVP_MD_CTX_new();
    if (key->digest == NULL || !note_public(key))
        return false;
    if (key->about->digest == NULL)
        return true;
    key->md = EVP_MD_fetch(NULL, key->about->digest, NULL);
    key->context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    return key->md != NULL && key->context != NULL && EVP_PKEY_sign_init(key->context) == 1 &&
           (key->about->kind != SIGNATURE_RSA ||
            EVP_PKEY_CTX_set_rsa_padding(key->context, RSA_PKCS1_PADDING) == 1) &&
           EVP_PKEY_CTX_set_signature_md(key->context, key->md) == 1;
}

/* Takes the key. */
static int wrap(uint8_t algorithm, EVP_PKEY *pkey, struct signing_key **out)
{
    struct signing_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return -ENOMEM;
    }
    key->algorithm = algorithm;
    key->about = signature_algorithm(algorithm);
    key->pkey = pkey;
    if (!prepare(key)) {
        signing_key_free(key);
        return -EIO;
    }
    *out = key;
    return 0;
}

static const struct signature_algorithm *for_signing(uint8_t algorithm)
{
    return algorithm >= RSA_SHA256 ? signature_algorithm(algorithm) : NULL;
}

int signing_key_new(uint8_t algorithm, unsigned bits, struct signing_key **out)
{
    const struct signature_algorithm *about = for_signing(algorithm);
    EVP_PKEY *pkey = NULL;
    if (about == NULL)
        return -ENOTSUP;
    if (bits == 0)
        bits = SIGNING_KEY_RSA_BITS;
    switch (about->kind) {
    case SIGNATURE_RSA:
        if (bits < SIGNING_KEY_RSA_BITS_MIN || bits > SIGNING_KEY_RSA_BITS_MAX)
            return -EINVAL;
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
        break;
    case SIGNATURE_EC:
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", about->name);
        break;
    case SIGNATURE_EDWARDS:
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, about->name);
        break;
    case SIGNATURE_NONE:
        break;
    }
    return pkey != NULL ? wrap(algorithm, pkey, out) : -EIO;
}

/* ---- from parts ---- */

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM *parameters)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context != NULL && parameters != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    return pkey;
}

/* Do both halves belong together? */
static EVP_PKEY *checked(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *context = pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    bool good = context != NULL && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    if (good)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *rsa_from(const struct bytes *parts)
{
    BIGNUM *numbers[ARRAY_LEN(rsa_parameters)] = {0};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    size_t bits = 8 * parts[SIGNING_KEY_MODULUS].len;
    bool good = builder != NULL && bits >= SIGNING_KEY_RSA_BITS_MIN &&
                bits <= SIGNING_KEY_RSA_BITS_MAX;
    for (size_t i = 0; i < ARRAY_LEN(numbers) && good; i++) {
        good = parts[i].len > 0 && parts[i].len <= SIGNATURE_RSA_MODULUS_MAX;
        if (good)
            numbers[i] = BN_bin2bn(parts[i].data, (int)parts[i].len, NULL);
        good = good && numbers[i] != NULL &&
               OSSL_PARAM_BLD_push_BN(builder, rsa_parameters[i], numbers[i]) == 1;
    }
    OSSL_PARAM *parameters = good ? OSSL_PARAM_BLD_to_param(builder) : NULL;
    EVP_PKEY *pkey = parameters != NULL ? pkey_from("RSA", parameters) : NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        BN_clear_free(numbers[i]);
    return checked(pkey);
}

/* The file has the number only: the point is found by multiplication. */
static size_t ec_point(const EC_GROUP *group, const BIGNUM *secret, uint8_t *out, size_t size)
{
    size_t len = 0;
    EC_POINT *point = EC_POINT_new(group);
    if (point != NULL && EC_POINT_mul(group, point, secret, NULL, NULL, NULL) == 1)
        len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, size, NULL);
    EC_POINT_free(point);
    return len;
}

static EVP_PKEY *ec_from(const struct signature_algorithm *about, struct bytes secret)
{
    uint8_t point[1 + 2 * SIGNATURE_EC_COORDINATE_MAX];
    EVP_PKEY *pkey = NULL;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(about->name));
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *number = secret.len > 0 && secret.len <= about->len
                         ? BN_bin2bn(secret.data, (int)secret.len, NULL)
                         : NULL;
    size_t len = group != NULL && number != NULL ? ec_point(group, number, point, sizeof point) : 0;
    if (len > 0 && builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, about->name, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, len) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1) {
        OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
        pkey = pkey_from("EC", parameters);
        OSSL_PARAM_free(parameters);
    }
    BN_clear_free(number);
    OSSL_PARAM_BLD_free(builder);
    EC_GROUP_free(group);
    return checked(pkey); /* a number that is out of range, too, is refused here */
}

int signing_key_from_parts(uint8_t algorithm, const struct bytes parts[SIGNING_KEY_PART_COUNT],
                           struct signing_key **out)
{
    const struct signature_algorithm *about = for_signing(algorithm);
    struct bytes secret = parts[SIGNING_KEY_PRIVATE];
    EVP_PKEY *pkey = NULL;
    if (about == NULL)
        return -ENOTSUP;
    if (about->kind == SIGNATURE_RSA)
        pkey = rsa_from(parts);
    else if (about->kind == SIGNATURE_EC)
        pkey = ec_from(about, secret);
    else if (secret.len == about->len)
        pkey = EVP_PKEY_new_raw_private_key_ex(NULL, about->name, NULL, secret.data, secret.len);
    return pkey != NULL ? wrap(algorithm, pkey, out) : -EINVAL;
}

/* ---- to parts ---- */

static void write_part(const EVP_PKEY *pkey, const char *parameter, size_t len, struct writer *w)
{
    uint8_t octets[SIGNATURE_EC_COORDINATE_MAX];
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1)
        w->failed = true;
    else if (len == 0)
        write_number(w, number);
    else if (BN_bn2binpad(number, octets, (int)len) == (int)len)
        write_copy(w, octets, len);
    else
        w->failed = true;
    OPENSSL_cleanse(octets, sizeof octets);
    BN_clear_free(number);
}

static void write_raw(const struct signing_key *key, struct writer *w)
{
    uint8_t octets[64];
    size_t len = sizeof octets;
    if (EVP_PKEY_get_raw_private_key(key->pkey, octets, &len) != 1)
        w->failed = true;
    else
        write_copy(w, octets, len);
    OPENSSL_cleanse(octets, sizeof octets);
}

int signing_key_parts(const struct signing_key *key, struct writer *w,
                      struct bytes out[SIGNING_KEY_PART_COUNT])
{
    size_t first = key->about->kind == SIGNATURE_RSA ? 0 : SIGNING_KEY_PRIVATE;
    size_t end = key->about->kind == SIGNATURE_RSA ? SIGNING_KEY_PRIVATE : SIGNING_KEY_PART_COUNT;
    for (size_t i = 0; i < SIGNING_KEY_PART_COUNT; i++)
        out[i] = bytes_empty();
    for (size_t i = first; i < end; i++) {
        size_t at = writer_len(w);
        if (key->about->kind == SIGNATURE_RSA)
            write_part(key->pkey, rsa_parameters[i], 0, w);
        else if (key->about->kind == SIGNATURE_EC)
            write_part(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, key->about->len, w);
        else
            write_raw(key, w);
        out[i] = bytes_after(writer_bytes(w), at);
    }
    return w->failed ? -EIO : 0;
}

/* ---- signing ---- */

/* RFC 6605 §4: r and s, each as long as a coordinate. */
static size_t ec_octets(const struct signature_algorithm *about, const uint8_t *der, size_t der_len,
                        uint8_t *out)
{
    size_t len = 0;
    int each = (int)about->len;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    if (signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, each) == each &&
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + each, each) == each)
        len = 2 * about->len;
    ECDSA_SIG_free(signature);
    return len;
}

static size_t sign_digest(struct signing_key *key, struct bytes data, uint8_t *out, size_t size)
{
    uint8_t digest[DIGEST_MAX];
    unsigned digest_len = 0;
    size_t len = size;
    if (EVP_DigestInit_ex2(key->digest, key->md, NULL) != 1 ||
        EVP_DigestUpdate(key->digest, data.data, data.len) != 1 ||
        EVP_DigestFinal_ex(key->digest, digest, &digest_len) != 1 ||
        EVP_PKEY_sign(key->context, out, &len, digest, digest_len) != 1)
        return 0;
    return len;
}

size_t signing_key_sign(struct signing_key *key, struct bytes data,
                        uint8_t out[SIGNING_KEY_SIGNATURE_MAX])
{
    uint8_t der[DER_MAX];
    size_t len = SIGNING_KEY_SIGNATURE_MAX;
    switch (key->about->kind) {
    case SIGNATURE_RSA:
        return sign_digest(key, data, out, SIGNING_KEY_SIGNATURE_MAX);
    case SIGNATURE_EC:
        len = sign_digest(key, data, der, sizeof der);
        return len > 0 ? ec_octets(key->about, der, len, out) : 0;
    case SIGNATURE_EDWARDS:
        if (EVP_DigestSignInit_ex(key->digest, NULL, NULL, NULL, NULL, key->pkey, NULL) != 1 ||
            EVP_DigestSign(key->digest, out, &len, data.data, data.len) != 1)
            return 0;
        return len;
    case SIGNATURE_NONE:
        break;
    }
    return 0;
}

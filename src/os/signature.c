/* SPDX-License-Identifier: ISC */
/* signature.c - keys and signatures from the wire's form into OpenSSL's. */
#include "os/signature.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "os/signature_internal.h"

enum {
    ALGORITHM_MAX = 16,
    RSA_MODULUS_MIN = 64, /* octets: 512 bits (RFC 5702 §2) */
};

static const struct signature_algorithm algorithms[ALGORITHM_MAX + 1] = {
    [5] = {SIGNATURE_RSA, "SHA1", NULL, 0},
    [7] = {SIGNATURE_RSA, "SHA1", NULL, 0},
    [8] = {SIGNATURE_RSA, "SHA256", NULL, 0},
    [10] = {SIGNATURE_RSA, "SHA512", NULL, 0},
    [13] = {SIGNATURE_EC, "SHA256", "prime256v1", 32},
    [14] = {SIGNATURE_EC, "SHA384", "secp384r1", 48},
    [15] = {SIGNATURE_EDWARDS, NULL, "ED25519", 32},
    [16] = {SIGNATURE_EDWARDS, NULL, "ED448", 57},
};

const struct signature_algorithm *signature_algorithm(uint8_t number)
{
    bool known = number <= ALGORITHM_MAX && algorithms[number].kind != SIGNATURE_NONE;
    return known ? &algorithms[number] : NULL;
}

bool signature_supports(uint8_t algorithm)
{
    return signature_algorithm(algorithm) != NULL;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM *parameters)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context != NULL && parameters != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* RFC 3110 §2: the exponent's length in one octet or three, the exponent, the modulus. */
static EVP_PKEY *rsa_key(struct bytes octets)
{
    struct reader r = reader_of(octets);
    size_t len = read_u8(&r);
    if (len == 0)
        len = read_u16(&r);
    struct bytes e = read_bytes(&r, len);
    struct bytes n = read_rest(&r);
    if (r.failed || e.len == 0 || n.len < RSA_MODULUS_MIN || n.len > SIGNATURE_RSA_MODULUS_MAX ||
        e.len > n.len)
        return NULL;
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *exponent = BN_bin2bn(e.data, (int)e.len, NULL);
    BIGNUM *modulus = BN_bin2bn(n.data, (int)n.len, NULL);
    if (builder != NULL && exponent != NULL && modulus != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent)) {
        OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
        key = key_from("RSA", parameters);
        OSSL_PARAM_free(parameters);
    }
    BN_free(exponent);
    BN_free(modulus);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* RFC 6605 §4: the point's coordinates, one after the other. */
static EVP_PKEY *ec_key(const struct signature_algorithm *a, struct bytes octets)
{
    uint8_t point[1 + 2 * SIGNATURE_EC_COORDINATE_MAX];
    char group[16];
    if (octets.len != 2 * a->len)
        return NULL;
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, octets.data, octets.len);
    strncpy(group, a->name, sizeof group - 1);
    group[sizeof group - 1] = '\0';
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + octets.len),
        OSSL_PARAM_construct_end(),
    };
    return key_from("EC", parameters);
}

static EVP_PKEY *make_key(const struct signature_algorithm *a, struct bytes octets)
{
    switch (a->kind) {
    case SIGNATURE_RSA:
        return rsa_key(octets);
    case SIGNATURE_EC:
        return ec_key(a, octets);
    case SIGNATURE_EDWARDS:
        return octets.len == a->len
                   ? EVP_PKEY_new_raw_public_key_ex(NULL, a->name, NULL, octets.data, octets.len)
                   : NULL;
    case SIGNATURE_NONE:
        break;
    }
    return NULL;
}

/* The numbers r and s, as OpenSSL wants them: in DER. Returns the length, 0: not possible. */
static size_t ec_signature(const struct signature_algorithm *a, struct bytes octets, uint8_t *out, size_t size)
{
    size_t len = 0;
    if (octets.len != 2 * a->len)
        return 0;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(octets.data, (int)a->len, NULL);
    BIGNUM *s = BN_bin2bn(octets.data + a->len, (int)a->len, NULL);
    if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = s = NULL; /* they are the signature's now */
        int needed = i2d_ECDSA_SIG(signature, NULL);
        if (needed > 0 && (size_t)needed <= size)
            len = (size_t)i2d_ECDSA_SIG(signature, &out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return len;
}

enum signature_result signature_verify(uint8_t algorithm, struct bytes key_octets,
                                       struct bytes data, struct bytes signature)
{
    const struct signature_algorithm *a = signature_algorithm(algorithm);
    if (a == NULL)
        return SIGNATURE_UNSUPPORTED;
    uint8_t der[2 * SIGNATURE_EC_COORDINATE_MAX + 16];
    if (a->kind == SIGNATURE_EC)
        signature = bytes_of(der, ec_signature(a, signature, der, sizeof der));
    EVP_PKEY *key = make_key(a, key_octets);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = key != NULL && context != NULL && signature.len > 0 &&
                 EVP_DigestVerifyInit_ex(context, NULL, a->digest, NULL, NULL, key, NULL) == 1 &&
                 EVP_DigestVerify(context, signature.data, signature.len, data.data, data.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return right ? SIGNATURE_RIGHT : SIGNATURE_WRONG;
}

size_t signature_digest(uint8_t type, struct bytes first, struct bytes second,
                        uint8_t out[SIGNATURE_DIGEST_MAX])
{
    const EVP_MD *md = type == 1   ? EVP_sha1()
                       : type == 2 ? EVP_sha256()
                       : type == 4 ? EVP_sha384()
                                   : NULL;
    unsigned len = 0;
    EVP_MD_CTX *context = md != NULL ? EVP_MD_CTX_new() : NULL;
    bool done = context != NULL && EVP_DigestInit_ex(context, md, NULL) &&
                EVP_DigestUpdate(context, first.data, first.len) &&
                EVP_DigestUpdate(context, second.data, second.len) &&
                EVP_DigestFinal_ex(context, out, &len);
    EVP_MD_CTX_free(context);
    return done ? len : 0;
}

/* SPDX-License-Identifier: ISC */
/* signature_internal.h - what signature.c and signing_key.c share: the algorithms. */
#ifndef WN_OS_SIGNATURE_INTERNAL_H
#define WN_OS_SIGNATURE_INTERNAL_H

#include "os/signature.h"

enum {
    SIGNATURE_RSA_MODULUS_MAX = 512, /* octets: 4096 bits (RFC 5702 §2); larger ones only cost time */
    SIGNATURE_EC_COORDINATE_MAX = 48,
};

enum signature_kind { SIGNATURE_NONE, SIGNATURE_RSA, SIGNATURE_EC, SIGNATURE_EDWARDS };

struct signature_algorithm {
    enum signature_kind kind;
    const char *digest; /* NULL: part of the algorithm */
    const char *name;   /* of the curve, or of the key's type */
    size_t len;         /* of a coordinate, or of the key */
};

/* NULL: not one that we know. */
const struct signature_algorithm *signature_algorithm(uint8_t number);

#endif

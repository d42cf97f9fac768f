/* SPDX-License-Identifier: ISC */
/*
 * certificate.h - makes certificates (RFC 5280) with keys on P-256, by OpenSSL: a root of one's own and
 * what it signs, for sites that were given none.
 */
#ifndef WN_OS_CERTIFICATE_H
#define WN_OS_CERTIFICATE_H

#include "base/address.h"
#include "base/text.h"

enum {
    CERTIFICATE_NAMES_MAX = 256, /* a certificate's names and addresses; more are refused */
    CERTIFICATE_FILE_MAX = 1 << 20,
};

/* A certificate and its key, in files of PEM text. */
struct certificate_files {
    const char *chain;
    const char *key;
};

struct certificate_options {
    const char *subject;         /* its common name, for people to read; cut to 64 (RFC 5280 A.1) */
    bool is_root;                /* signs others, and is signed by itself */
    const char *const *names;    /* DNS names, "*.x" too */
    size_t name_count;
    const struct ip_address *addresses;
    size_t address_count;
    int64_t valid_from;          /* seconds since 1970 */
    int64_t valid_until;
};

/*
 * Makes a key and a certificate for it and writes both, mode 0600, the key first. `root` signs; NULL: the
 * certificate is signed by itself. 0, or a negative errno and `error` says what went wrong.
 */
MUST_USE int certificate_make(const struct certificate_options *options,
                              const struct certificate_files *root,
                              const struct certificate_files *out, struct text *error);

/*
 * Is there a certificate that is valid `at` this time, for all those names and addresses, with its key, and
 * signed by `root` (NULL: by anybody)? False also when it cannot be read.
 */
MUST_USE bool certificate_fits(const struct certificate_files *files,
                               const struct certificate_options *options,
                               const struct certificate_files *root, int64_t at);

#endif

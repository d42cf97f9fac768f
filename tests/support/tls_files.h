/* SPDX-License-Identifier: ISC */
/* tls_files.h - certificates for tests, made anew in a folder of their own. */
#ifndef WN_TESTS_SUPPORT_TLS_FILES_H
#define WN_TESTS_SUPPORT_TLS_FILES_H

#include "os/certificate.h"

enum { TLS_FILES_PATH_MAX = 64, TLS_FILES_MAX = 16 };

struct tls_files {
    char folder[32];
    char chains[TLS_FILES_MAX][TLS_FILES_PATH_MAX];
    char keys[TLS_FILES_MAX][TLS_FILES_PATH_MAX];
    struct certificate_files files[TLS_FILES_MAX]; /* files[0]: a root */
    size_t count;
};

void tls_files_open(struct tls_files *f);

/* Makes a certificate for these names (NULL ends), signed by files[issuer]; `issuer` -1: by itself. `days`: how
 * long it is valid; negative: it has expired so many days ago. Returns which it is. */
size_t tls_files_add(struct tls_files *f, int issuer, int days, const char *const *names,
                     const struct ip_address *address);
void tls_files_close(struct tls_files *f);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * trust.h - an authority of one's own: a root certificate, made when it is first needed, and what it signs for
 * services whose site file names no certificate. `wholenet trust` shows the root, so that others can trust it;
 * in the private network of `run` everybody does.
 *
 * Its folder is /var/lib/wholenet for root and $XDG_STATE_HOME/wholenet (~/.local/state/wholenet) for others;
 * $WHOLENET_STATE names another. It is 0700 and all in it 0600, but for the certificates that everybody may
 * read. Several processes may use it at once.
 */
#ifndef WN_SITE_TRUST_H
#define WN_SITE_TRUST_H

#include <limits.h>

#include "os/certificate.h"

enum {
    TRUST_ROOT_DAYS = 3650,
    TRUST_LEAF_DAYS = 397,   /* no longer is taken by browsers (CA/Browser Forum, 6.3.2) */
    TRUST_RENEW_DAYS = 30,   /* what ends earlier is made anew */
};

struct trust {
    char folder[PATH_MAX];
    char root[PATH_MAX];     /* certificates in PEM */
    char root_key[PATH_MAX];
    char bundle[PATH_MAX];   /* the host's trusted certificates and the root */
};

struct trust_names {
    const char *subject;     /* also names the files */
    const char *const *names;
    size_t name_count;
    const struct ip_address *addresses;
    size_t address_count;
};

/* Finds the folder: the paths are known, and nothing has been made. */
MUST_USE int trust_locate(struct trust *trust, const char *folder, struct text *error);

/* Finds the folder, and the root in it; makes what is missing. `folder` NULL: the usual one. 0 or a negative
 * errno and *error. */
MUST_USE int trust_open(struct trust *trust, const char *folder, struct text *error);

/* A new folder, for an authority that nobody is to know of later: trust_remove() takes it away with all that
 * is in it. *lock is a descriptor that says it is in use, and the caller's to close: what those have left who were
 * killed is removed by who comes next. */
MUST_USE int trust_new_folder(char folder[PATH_MAX], int *lock, struct text *error);
bool trust_remove(const char *folder); /* false: it is still there */

/* The files of a certificate for those names, made when there is none that fits. The paths are written to
 * `chain` and `key`, of PATH_MAX each. */
MUST_USE int trust_certificate(const struct trust *trust, const struct trust_names *names,
                               char *chain, char *key, struct text *error);

/* Brings trust->bundle up to date. */
MUST_USE int trust_make_bundle(const struct trust *trust, struct text *error);

/* The host's file of trusted certificates, or NULL: where programs look for them, by distribution. */
const char *trust_host_bundle(void);

#endif

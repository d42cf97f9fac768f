/* SPDX-License-Identifier: ISC */
/* tsig_internal.h - between tsig.c and tsig_key.c. */
#ifndef WN_PROTO_DNS_TSIG_INTERNAL_H
#define WN_PROTO_DNS_TSIG_INTERNAL_H

#include "proto/dns/tsig.h"

struct tsig_algorithm_row {
    const char *name;
    unsigned sha;   /* as struct tsig_hmac has it */
    size_t mac_len; /* octets sent, and wanted */
};

const struct tsig_algorithm_row *tsig_algorithm_row(enum tsig_algorithm algorithm);

#endif

/* SPDX-License-Identifier: ISC */
/* validate_internal.h - what validate.c and validate_proof.c share. */
#ifndef WN_PROTO_DNS_VALIDATE_INTERNAL_H
#define WN_PROTO_DNS_VALIDATE_INTERNAL_H

#include "proto/dns/validate.h"

struct validate_outcome validate_say(enum cache_security security, uint16_t ede);

/* ---- validate_proof.c ---- */

unsigned validate_labels(const struct dns_name *name);

/* The last `labels` labels of the name, which has as many. */
void validate_tail(const struct dns_name *name, unsigned labels, struct dns_name *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * zone_verify.h - is a zone signed, wholly and rightly? Each signature, both ways of denial, the DS that the parent
 * has, and the digest over the whole (RFC 4035 §2, RFC 5155 §7.1, RFC 6840 §5.11, RFC 8976 §4).
 *
 * It is a reader of its own: nothing of what it expects is computed by the code that signs.
 */
#ifndef WN_PROTO_DNS_ZONE_VERIFY_H
#define WN_PROTO_DNS_ZONE_VERIFY_H

#include "proto/dns/validate.h"
#include "proto/dns/zone.h"
#include "proto/dns/zone_digest.h"

enum {
    ZONE_VERIFY_ERRORS_MAX = 50, /* that are told; more are counted */
    ZONE_VERIFY_TEXT_MAX = 700,
    ZONE_VERIFY_DS_MAX = 16,
};

struct zone_verify_options {
    struct heap heap;
    const struct validate_crypto *crypto;
    struct zone_digester digester;  /* .start NULL: the digest is not looked at */
    int64_t wall_seconds;
    uint32_t soon;                  /* signatures that expire within so many seconds: a warning; 0: none */
    struct bytes ds[ZONE_VERIFY_DS_MAX]; /* RDATA that the parent has; with none the chain begins anywhere */
    size_t ds_count;
    void (*report)(void *self, bool error, const char *text);
    void *self;
};

struct zone_verify_result {
    uint64_t errors, warnings;
    uint64_t signatures; /* that were verified */
    uint64_t sets;
    uint64_t first_end;  /* the least seconds that one is good for still; UINT64_MAX: there is none */
};

/* 0: all was looked at, and result->errors tells whether it is right; -1: no memory. */
MUST_USE int zone_verify(const struct zone *zone, const struct zone_verify_options *options,
                         struct zone_verify_result *result);

#endif

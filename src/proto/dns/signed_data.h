/* SPDX-License-Identifier: ISC */
/*
 * signed_data.h - what a signature is over (RFC 4034 §3.1.8.1): the head of the RRSIG's RDATA, and the set in
 * canonical form and order, each record once. For who signs and who verifies.
 */
#ifndef WN_PROTO_DNS_SIGNED_DATA_H
#define WN_PROTO_DNS_SIGNED_DATA_H

#include "wire/dns/dns_canonical.h"

enum {
    SIGNED_DATA_RECORDS_MAX = 1024, /* of one set */
    SIGNED_DATA_HEAD_LEN = 18,      /* of RRSIG RDATA before the signer's name */
};

/* The RRSIG's fields, as it has them or will have them. */
struct signed_head {
    struct bytes octets;           /* SIGNED_DATA_HEAD_LEN of them */
    const struct dns_name *signer; /* in any case */
};

/* The RDATA of an RRSIG (RFC 4034 §3.1); views of it. */
struct rrsig {
    uint16_t type;   /* of the set that is signed */
    uint8_t algorithm;
    uint8_t labels;
    uint32_t ttl;
    uint32_t expires_at, valid_from; /* seconds since 1970, by serial arithmetic (§3.1.5) */
    uint16_t tag;
    struct dns_name signer;
    struct bytes head;   /* what is signed of it, before the signer */
    struct bytes octets; /* the signature */
};

/* False: malformed, and *out undefined. */
MUST_USE bool rrsig_read(struct bytes rdata, struct rrsig *out);

struct signed_data {
    struct writer w; /* the set's RDATA, and behind it what is signed */
    struct dns_piece pieces[SIGNED_DATA_RECORDS_MAX];
    size_t count;
    uint16_t type;
};

/* `scratch` holds all of it; what does not fit fails at the end. */
void signed_data_start(struct signed_data *data, uint16_t type, void *scratch, size_t size);

/* One record's RDATA, valid and with its names uncompressed. */
void signed_data_add(struct signed_data *data, struct bytes rdata);

/* `owner` as it is signed: in lower case, a wildcard where the labels say so. The octets are in the
 * scratch memory. False: it has not room for them, or there were too many records. As often as one likes,
 * for several signatures over one set. */
MUST_USE bool signed_data_finish(struct signed_data *data, const struct signed_head *head,
                                 const struct dns_name *owner, uint32_t ttl, struct bytes *out);

#endif

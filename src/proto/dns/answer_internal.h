/* SPDX-License-Identifier: ISC */
/*
 * answer_internal.h - one reply under construction, for the parts of the answering core: answer.c
 * reads queries and frames replies, answer_zone.c finds what is said from zones, answer_relay.c what
 * others have said.
 */
#ifndef WN_PROTO_DNS_ANSWER_INTERNAL_H
#define WN_PROTO_DNS_ANSWER_INTERNAL_H

#include "proto/dns/answer.h"

enum {
    ANSWER_ADDITIONAL_MAX = 16, /* names whose addresses are added */
    ANSWER_PROOFS_MAX = DENIAL_NODES_MAX * (ANSWER_CHAIN_MAX + 1),
};

struct answer_proof {
    const struct zone *zone;
    const struct zone_node *node; /* owner of an NSEC or NSEC3 record */
};

struct answer_work {
    const struct answer_options *options;
    const struct answer_query *query;
    struct dns_builder b;
    size_t opt_len;       /* kept free at the end */
    size_t tsig_len;      /* the same, behind it */
    struct tsig tsig;     /* when there is any: answer_end() leaves it as a next message needs it */
    unsigned rcode;
    enum answer_kind kind;
    bool authoritative;
    bool authentic;       /* AD */
    bool truncated;
    bool elsewhere;       /* the chain leaves our zones at `target` */
    unsigned chain_len;
    struct dns_name target;
    const void *source;
    const struct zone_node *seen[ANSWER_ADDITIONAL_MAX]; /* whose addresses are in the reply */
    size_t seen_count;
    struct answer_proof proofs[ANSWER_PROOFS_MAX];       /* for the authority section */
    size_t proof_count;
};

void answer_begin(struct answer_work *work, const struct answer_options *options,
                  const struct answer_query *query, uint8_t *buffer);
struct bytes answer_end(struct answer_work *work);

/* ---- answer_zone.c ---- */

/* Goes through the zones from the question on, as far as they lead. */
void answer_run(struct answer_work *work);

/* Writes the records that show what wildcards on the way have stood for (RFC 4035 §3.1.3.3). */
void answer_put_proofs(struct answer_work *work);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * answer_internal.h - what the parts of the answering core share: answer.c reads queries and frames
 * replies, answer_zone.c finds what is said from zones.
 */
#ifndef WN_PROTO_DNS_ANSWER_INTERNAL_H
#define WN_PROTO_DNS_ANSWER_INTERNAL_H

#include "proto/dns/answer.h"

void answer_begin(struct answer_work *work, const struct answer_options *options,
                  const struct answer_query *query, uint8_t *buffer);

/* ---- answer_zone.c ---- */

/* Goes through the zones from the question on, as far as they lead. */
void answer_run(struct answer_work *work);

/* Writes the records that show what wildcards on the way have stood for (RFC 4035 §3.1.3.3). */
void answer_put_proofs(struct answer_work *work);

#endif

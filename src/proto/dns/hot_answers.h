/* SPDX-License-Identifier: ISC */
/*
 * hot_answers.h - replies as they were sent a moment ago, for queries that come again and again.
 *
 * A query of the same question, flags and EDNS is answered by a copy, with its id and its own spelling of
 * the question in it, and with TTLs that have gone down: of a reply with several sets of records all at the
 * first of them, so that none is ever too long. Whoever keeps a reply says for how long it may be given: a
 * few seconds, after which news in the cache is seen. hot_answers_clear() is for what must be seen at once.
 *
 * Only plain queries are looked for: one question of class IN, and at most an OPT without options.
 * Whatever else a reply depends on, such as the client's view, is for the caller to put into `context`.
 *
 * A table of two places for each question. What is there and over gives way first, then what is in the
 * first place. It begins small, and is doubled up to its bound when questions push each other out.
 */
#ifndef WN_PROTO_DNS_HOT_ANSWERS_H
#define WN_PROTO_DNS_HOT_ANSWERS_H

#include "base/bytes.h"
#include "base/heap.h"
#include "base/siphash.h"
#include "base/usec.h"
#include "wire/dns/dns_name.h"

enum {
    HOT_REPLY_MAX = 216,              /* longer ones are not kept */
    HOT_TTLS_MAX = 10,                /* nor those of more records */
    HOT_KEY_HEAD_LEN = 8,
    HOT_KEY_MAX = HOT_KEY_HEAD_LEN + DNS_NAME_MAX + 4,
    HOT_KEY_ROOM = (HOT_KEY_MAX + 7) / 8 * 8,
};

struct hot_answers;

/* `octets`: at most so much memory. NULL: no memory. */
MUST_USE struct hot_answers *hot_answers_new(const struct heap *heap, size_t octets,
                                             const struct siphash_key *key);
void hot_answers_free(struct hot_answers *hot);

/* A query that may be answered by a copy; the message is borrowed. */
struct hot_query {
    struct bytes message;
    uint32_t hash;
    uint16_t key_len;
    uint8_t key[HOT_KEY_ROOM];
};

/* False: it is not one that is plain enough. */
MUST_USE bool hot_answers_read(const struct hot_answers *hot, struct bytes message, uint16_t context,
                               struct hot_query *out);

/* The reply, copied into `buffer` of HOT_REPLY_MAX octets. False: none is kept. */
MUST_USE bool hot_answers_find(const struct hot_answers *hot, const struct hot_query *query, usec now,
                               uint8_t *buffer, struct bytes *out);

/* For how long a reply is good for all who ask so: until `until`, with its TTLs until `ttl_until`. */
struct hot_time {
    usec now;
    usec ttl_until;
    usec until;
};
void hot_answers_keep(struct hot_answers *hot, const struct hot_query *query, struct bytes reply,
                      const struct hot_time *time);

void hot_answers_clear(struct hot_answers *hot);

#endif

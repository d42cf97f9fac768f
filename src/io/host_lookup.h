/* SPDX-License-Identifier: ISC */
/*
 * host_lookup.h - addresses of names, as the host finds them: getaddrinfo(3), which blocks, in threads
 * beside the loop. What stands in /etc/hosts, comes by mDNS or from a VPN's resolver is found as by
 * every other program of the host.
 *
 * At most LOOKUP_THREADS_MAX questions are under way; others wait in their order. Answers are good for
 * LOOKUP_GOOD seconds: getaddrinfo tells no TTL.
 */
#ifndef WN_IO_HOST_LOOKUP_H
#define WN_IO_HOST_LOOKUP_H

#include "base/address.h"
#include "base/usec.h"

struct loop;
struct host_lookup;
struct host_question;

enum {
    LOOKUP_ADDRESSES_MAX = 8,
    LOOKUP_THREADS_MAX = 16,
    LOOKUP_WAITING_MAX = 4096, /* more are refused */
    LOOKUP_REMEMBERED = 256,
    LOOKUP_NAME_MAX = 256,
};
#define LOOKUP_GOOD (5 * USEC_PER_SEC)

struct host_answer {
    size_t count; /* 0: none, `error` says why */
    struct ip_address addresses[LOOKUP_ADDRESSES_MAX]; /* in the order in which to try them */
    const char *error; /* static */
};

/* 0 or a negative errno. */
MUST_USE int host_lookup_new(struct loop *loop, struct host_lookup **out);

/* Questions that are under way are forgotten; on_answer is not called any more. NULL is nothing. */
void host_lookup_free(struct host_lookup *lookup);

/*
 * Asks for the addresses of a name, or of an address as text. True: *out has the answer at once.
 * Otherwise on_answer comes later, from the loop, unless the question is cancelled; *question is NULL
 * when too many wait already, and there will be no answer.
 */
bool host_lookup_ask(struct host_lookup *lookup, const char *name,
                     void (*on_answer)(void *self, const struct host_answer *answer), void *self,
                     struct host_answer *out, struct host_question **question);
void host_lookup_cancel(struct host_question *question);

#endif

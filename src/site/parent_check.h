/* SPDX-License-Identifier: ISC */
/*
 * parent_check.h - has the parent the DS records that it was asked for (RFC 7344 §6, RFC 7583 §3.3)? Its servers are
 * asked one after the other, and each must have them all: a key is not rolled on for one that is ahead of others,
 * nor for one forged answer.
 */
#ifndef WN_SITE_PARENT_CHECK_H
#define WN_SITE_PARENT_CHECK_H

#include "io/loop.h"
#include "io/net.h"
#include "wire/dns/dns_name.h"

enum { PARENT_SERVERS_MAX = 8, PARENT_DS_MAX = 4, PARENT_DS_LEN_MAX = 4 + 64 };

struct parent_check_options {
    struct loop *loop;
    struct net *net;
    struct endpoint servers[PARENT_SERVERS_MAX];
    size_t server_count; /* at least one */
    struct dns_name zone;
    struct {
        size_t len;
        uint8_t octets[PARENT_DS_LEN_MAX];
    } ds[PARENT_DS_MAX]; /* RDATA that each has to have */
    size_t ds_count;
    /* Once; the check is freed after it. */
    void (*on_end)(void *self, bool has_all);
    void *self;
};

struct parent_check;

/* Begins. 0 or a negative errno. */
MUST_USE int parent_check_new(const struct parent_check_options *options, struct parent_check **out);

/* Ends it without a word; NULL is nothing. */
void parent_check_free(struct parent_check *check);

#endif

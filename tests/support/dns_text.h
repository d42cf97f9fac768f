/* SPDX-License-Identifier: ISC */
/* dns_text.h - DNS messages made from and turned into text, for tables of tests. */
#ifndef WN_TESTS_SUPPORT_DNS_TEXT_H
#define WN_TESTS_SUPPORT_DNS_TEXT_H

#include "wire/dns/dns_message.h"

struct dns_name dns_text_name(const char *text);

struct dns_text_query {
    const char *name;
    uint16_t type;
    uint16_t class; /* 0: IN */
    uint16_t id;
    uint16_t flags;
    int edns;       /* 0: none; else the size announced */
    bool dnssec_ok;
    uint8_t version;
    struct bytes options; /* of EDNS */
};

struct bytes dns_text_query(const struct dns_text_query *query, uint8_t *buffer, size_t size);

/* A reply to `query` with records from master-file lines; sections end at NULL; any may be NULL. */
struct bytes dns_text_reply(struct bytes query, uint16_t flags, const char *const *answer,
                            const char *const *authority, uint8_t *buffer, size_t size);

/* "NOERROR aa rd ra; an www. 60 IN A 192.0.2.1; ns …; ar …; edns 1232". Fails the test on a message
 * that cannot be read. Returns `out`. */
char *dns_text_of(struct bytes message, char *out, size_t size);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * dns_token.h - the words of a master file's line (RFC 1035 §5.1), for the readers of this folder.
 */
#ifndef WN_WIRE_DNS_DNS_TOKEN_H
#define WN_WIRE_DNS_DNS_TOKEN_H

#include "wire/dns/dns_record.h"

struct dns_token {
    struct bytes text; /* escapes not resolved */
    bool quoted;
};

enum dns_token_kind { DNS_TOKEN_END, DNS_TOKEN_WORD, DNS_TOKEN_BROKEN };

/* Takes the next word off *rest. Parentheses and ends of lines are blanks, and
 * so is a comment up to the end of its line. Broken: a quote
 * or an escape that does not end. */
enum dns_token_kind dns_token_next(struct bytes *rest, struct dns_token *out);

/* The octets of a word, \X and \DDD resolved, into `out`. False: a broken escape. */
MUST_USE bool dns_token_unescape(struct bytes text, struct writer *out);

/* Seconds: digits, or numbers with the units s m h d w, as most servers take them. */
MUST_USE bool dns_parse_seconds(struct bytes text, uint32_t *out);

/* Seconds since 1970 modulo 2^32, as such or as YYYYMMDDHHmmSS in UTC (RFC 4034 §3.2). */
MUST_USE bool dns_parse_date(struct bytes text, uint32_t *out);
void dns_format_date(uint32_t seconds, struct text *out);

/* Says what is wrong, and with which word, if it is not empty. Returns false. */
bool dns_complain(struct dns_error *error, const char *what, struct bytes word);

#endif

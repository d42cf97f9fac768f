/* SPDX-License-Identifier: ISC */
/*
 * dns_private_key.h - the text of a file with a private key of DNSSEC, as BIND writes it ("Private-key-format:
 * v1.3") and others read it: a name, a colon and a value in each line; numbers in base64, times as
 * YYYYMMDDHHmmSS in UTC.
 */
#ifndef WN_WIRE_DNS_DNS_PRIVATE_KEY_H
#define WN_WIRE_DNS_DNS_PRIVATE_KEY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/text.h"

/* RSA has the first eight, other algorithms the last. */
enum dns_key_part {
    DNS_KEY_MODULUS,
    DNS_KEY_PUBLIC_EXPONENT,
    DNS_KEY_PRIVATE_EXPONENT,
    DNS_KEY_PRIME1,
    DNS_KEY_PRIME2,
    DNS_KEY_EXPONENT1,
    DNS_KEY_EXPONENT2,
    DNS_KEY_COEFFICIENT,
    DNS_KEY_PRIVATE,
    DNS_KEY_PART_COUNT
};

/* When what becomes of the key. */
enum dns_key_time {
    DNS_KEY_CREATED,
    DNS_KEY_PUBLISH,      /* its DNSKEY comes into the zone */
    DNS_KEY_ACTIVATE,     /* signatures are made with it */
    DNS_KEY_REVOKE,
    DNS_KEY_INACTIVE,     /* none are made any more */
    DNS_KEY_DELETE,       /* its DNSKEY goes */
    DNS_KEY_DS_PUBLISH,   /* the parent has its DS */
    DNS_KEY_SYNC_PUBLISH, /* its CDS and CDNSKEY come */
    DNS_KEY_SYNC_DELETE,  /* they go */
    DNS_KEY_TIME_COUNT
};

enum {
    DNS_PRIVATE_KEY_PARTS_LEN_MAX = 9 * 512,
    DNS_PRIVATE_KEY_TEXT_MAX = 8192, /* of a file */
};

struct dns_private_key {
    uint8_t algorithm;
    struct bytes parts[DNS_KEY_PART_COUNT];  /* empty: it has not that one */
    uint32_t times[DNS_KEY_TIME_COUNT];      /* seconds since 1970; 0: none */
    uint32_t max_ttl, roll_period;           /* what others have noted; 0: nothing */
    uint16_t predecessor, successor;         /* tags; only with: */
    bool has_predecessor, has_successor;
};

/* The parts go to `w`, which should have DNS_PRIVATE_KEY_PARTS_LEN_MAX octets of room. Lines of other
 * names are passed over. False, with what is wrong in *error (static): it is not such a file; *out is as it
 * was. */
MUST_USE bool dns_private_key_decode(struct bytes text, struct writer *w,
                                     struct dns_private_key *out, const char **error);

/* As BIND has it. */
void dns_private_key_format(const struct dns_private_key *key, struct text *out);

/* "ECDSAP256SHA256"; NULL: not one of those that sign. And back, without regard to case, or from its
 * number in digits. */
const char *dns_algorithm_name(uint8_t algorithm);
MUST_USE bool dns_algorithm_parse(struct bytes text, uint8_t *out);

/* "Publish" */
const char *dns_key_time_name(enum dns_key_time time);

#endif

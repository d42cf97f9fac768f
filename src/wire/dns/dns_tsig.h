/* SPDX-License-Identifier: ISC */
/*
 * dns_tsig.h - the record that signs a message by a shared secret (RFC 8945 §4): its fields, where it
 * may stand, and the octets of it that the MAC covers. What a MAC is worth is proto/dns/tsig.h's.
 */
#ifndef WN_WIRE_DNS_DNS_TSIG_H
#define WN_WIRE_DNS_DNS_TSIG_H

#include "wire/dns/dns_message.h"

enum {
    DNS_TSIG_FIXED_LEN = 10 + 16, /* of the record without its names, MAC and other data */
    DNS_TSIG_OTHER_LEN = 6,       /* the server's time, with BADTIME */
};
#define DNS_TSIG_TIME_MAX (((uint64_t)1 << 48) - 1)

/* In the record's own field; the header says NOTAUTH (RFC 8945 §3). */
enum dns_tsig_error {
    DNS_TSIG_BADSIG = 16,
    DNS_TSIG_BADKEY = 17,
    DNS_TSIG_BADTIME = 18,
    DNS_TSIG_BADTRUNC = 22,
};

struct dns_tsig {
    struct dns_name key;
    struct dns_name algorithm;
    uint64_t time_signed; /* seconds since 1970, 48 bits */
    uint16_t fudge;       /* seconds */
    struct bytes mac;     /* borrowed, as is `other` */
    uint16_t original_id;
    uint16_t error;       /* an RCODE or enum dns_tsig_error */
    struct bytes other;
};

/* "BADSIG", …; that of the RCODE otherwise. Static. */
const char *dns_tsig_error_text(unsigned error);

/* Reads the record at that offset, which dns_summarise() has found. WIRE_MALFORMED: its fields do
 * not fill it. */
MUST_USE enum wire_status dns_tsig_decode(struct bytes message, size_t at, struct dns_tsig *out);

/* How many octets it will take. */
size_t dns_tsig_len(const struct dns_tsig *tsig);

/* Puts the record behind a finished message of `len` octets and counts it. Returns the new length;
 * `len` where `size` has no room. */
MUST_USE size_t dns_tsig_append(uint8_t *message, size_t len, size_t size,
                                const struct dns_tsig *tsig);

/* What the MAC covers after the message: all of it (RFC 8945 §4.3.3), or for messages that follow on
 * others the timers alone (§5.3.1). */
void dns_tsig_write_variables(struct writer *w, const struct dns_tsig *tsig);
void dns_tsig_write_timers(struct writer *w, const struct dns_tsig *tsig);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * dns_record.h - resource record types: their RDATA on the wire and in master files (RFC 1035
 * §3.3, §5; RFC 3597 for types that have no row in the table).
 *
 * RDATA outside of a message is kept in wire form with its names uncompressed. A type is one row of
 * a table that lists its fields; parsing, checking, compressing and printing all read that row.
 */
#ifndef WN_WIRE_DNS_DNS_RECORD_H
#define WN_WIRE_DNS_DNS_RECORD_H

#include "base/text.h"
#include "wire/dns/dns_name.h"
#include "wire/status.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_HINFO = 13,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_RP = 17,
    DNS_AFSDB = 18,
    DNS_AAAA = 28,
    DNS_LOC = 29,
    DNS_SRV = 33,
    DNS_NAPTR = 35,
    DNS_KX = 36,
    DNS_DNAME = 39,
    DNS_OPT = 41,
    DNS_DS = 43,
    DNS_SSHFP = 44,
    DNS_RRSIG = 46,
    DNS_NSEC = 47,
    DNS_DNSKEY = 48,
    DNS_DHCID = 49,
    DNS_NSEC3 = 50,
    DNS_NSEC3PARAM = 51,
    DNS_TLSA = 52,
    DNS_SMIMEA = 53,
    DNS_CDS = 59,
    DNS_CDNSKEY = 60,
    DNS_OPENPGPKEY = 61,
    DNS_CSYNC = 62,
    DNS_ZONEMD = 63,
    DNS_SVCB = 64,
    DNS_HTTPS = 65,
    DNS_SPF = 99,
    DNS_TKEY = 249,
    DNS_TSIG = 250,
    DNS_IXFR = 251,
    DNS_AXFR = 252,
    DNS_MAILB = 253,
    DNS_MAILA = 254,
    DNS_ANY = 255,
    DNS_URI = 256,
    DNS_CAA = 257,
};

enum dns_class { DNS_IN = 1, DNS_CH = 3, DNS_HS = 4, DNS_CLASS_NONE = 254, DNS_CLASS_ANY = 255 };

enum {
    DNS_RDATA_MAX = 65535,
    DNS_TTL_MAX = 0x7fffffff,   /* RFC 2181 §8 */
    DNS_TYPE_TEXT_MAX = 16,     /* "TYPE65535" with a NUL, and room */
};

/* "AAAA", "TYPE65280" (RFC 3597 §5); returns `out`. */
char *dns_type_format(uint16_t type, char out[DNS_TYPE_TEXT_MAX]);
MUST_USE bool dns_type_parse(struct bytes text, uint16_t *out);

/* May a record of this type be in a zone? Not OPT, ANY and the other types of questions. */
bool dns_type_is_data(uint16_t type);

/*
 * The fields of a type, one character each; "x" for a type without a row.
 *      1 2 4  an integer of so many octets      t  32 bits of seconds
 *      a A    an IPv4, IPv6 address             s  a character-string    S  one or more of them
 *      n      a name that may be compressed     N  a name that must not be (RFC 3597 §4)
 *      g      a tag (RFC 8659 §4.1)             q  text to the end
 *      x      octets to the end, in hex         b  octets to the end, in base64
 *      T      a type                            d  a date (RFC 4034 §3.2)
 *      l      a salt                            h  a hash (RFC 5155 §3.3)
 *      w      types to the end (RFC 4034 §4.1.2)
 *      p      service parameters to the end (RFC 9460 §2.1)
 *      L      a place (RFC 1876)
 */
const char *dns_type_fields(uint16_t type);

/* Takes RDATA out of a message: checks it, and writes it with names uncompressed. Names are
 * decompressed in every type of the table, for those who compress where they should not. */
MUST_USE enum wire_status dns_rdata_expand(uint16_t type, struct bytes message,
                                           struct bytes rdata, struct writer *out);

/* Is this RDATA well-formed, with names uncompressed? */
bool dns_rdata_valid(uint16_t type, struct bytes rdata);

/* The same RDATA of that type, both valid? Names are compared without regard to case (RFC 2136 §1.1.1). */
bool dns_rdata_equal(uint16_t type, struct bytes a, struct bytes b);

/* The name that an NS, CNAME, PTR, MX, AFSDB, SRV, NAPTR, KX, DNAME, SVCB or HTTPS record points at,
 * from valid RDATA. False for other types. */
MUST_USE bool dns_rdata_target(uint16_t type, struct bytes rdata, struct dns_name *out);

/* As a master file has it; valid RDATA only. Types without a row in the form of RFC 3597 §5. */
void dns_rdata_format(uint16_t type, struct bytes rdata, struct text *out);

/* What is wrong with a line, for people. */
struct dns_error {
    struct text text;  /* "not an IPv4 address: \"192.0.2.256\"" */
    const uint8_t *at; /* the word, in what was read; NULL: none in particular */
};

static inline struct dns_error dns_error_of(char *buffer, size_t size)
{
    return (struct dns_error){text_of(buffer, size), NULL};
}

/* ---- a line of a master file (RFC 1035 §5.1) ---- */

struct dns_record {
    struct dns_name owner;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    struct bytes rdata; /* in the caller's buffer */
    bool ttl_given;     /* in the line itself */
};

struct dns_line_context {
    const struct dns_name *origin; /* completes relative names */
    const struct dns_name *owner;  /* of a line that begins with a blank; NULL: an error */
    uint32_t ttl;                  /* of a line without one */
    uint16_t class;                /* the same; 0: IN */
};

/*
 * "owner [ttl] [class] type rdata ; comment". A TTL may have units: 1h30m. Parentheses and ends of
 * lines are taken as blanks: where a record ends the caller knows (dns_master.h). The RDATA goes to `buffer`. On failure false with
 * the reason in `error`.
 */
MUST_USE bool dns_record_parse(struct bytes line, const struct dns_line_context *context,
                               struct writer *buffer, struct dns_record *out, struct dns_error *error);

/* "owner ttl class type rdata" */
void dns_record_format(const struct dns_record *record, struct text *out);

/* RDATA alone, from its text: what follows the type in a line. */
MUST_USE bool dns_rdata_parse(uint16_t type, struct bytes text, const struct dns_name *origin,
                              struct writer *out, struct dns_error *error);

#endif

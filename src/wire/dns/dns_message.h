/* SPDX-License-Identifier: ISC */
/*
 * dns_message.h - DNS messages: reading them section by section, and building them with name
 * compression and truncation (RFC 1035 §4; EDNS(0), RFC 6891).
 */
#ifndef WN_WIRE_DNS_DNS_MESSAGE_H
#define WN_WIRE_DNS_DNS_MESSAGE_H

#include "wire/dns/dns_name.h"
#include "wire/dns/dns_record.h"
#include "wire/status.h"

enum {
    DNS_HEADER_LEN = 12,
    DNS_UDP_SIZE_MIN = 512,      /* RFC 1035 §2.3.4: without EDNS */
    DNS_UDP_SIZE_DEFAULT = 1232, /* fits the smallest IPv6 MTU, so it is not fragmented */
    DNS_MESSAGE_MAX = 65535,
    DNS_OPT_LEN = 11,            /* an OPT record without options */
    DNS_EDNS_VERSION = 0,
    DNS_EDNS_DO = 0x8000,        /* of the flags (RFC 3225 §3) */
};

/* The second word of the header (RFC 1035 §4.1.1, RFC 4035 §3 for AD and CD). */
enum dns_flag {
    DNS_QR = 1 << 15,
    DNS_OPCODE_MASK = 15 << 11,
    DNS_AA = 1 << 10,
    DNS_TC = 1 << 9,
    DNS_RD = 1 << 8,
    DNS_RA = 1 << 7,
    DNS_AD = 1 << 5,
    DNS_CD = 1 << 4,
    DNS_RCODE_MASK = 15,
};

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_YXDOMAIN = 6, /* RFC 6672 §2.2: a name that a DNAME has made too long */
    DNS_YXRRSET = 7,  /* RFC 2136 §2.2, as are the next three */
    DNS_NXRRSET = 8,
    DNS_NOTAUTH = 9,
    DNS_NOTZONE = 10,
    DNS_BADVERS = 16, /* needs EDNS: the upper eight bits are in the OPT record */
    DNS_BADCOOKIE = 23,
};

/* "NXDOMAIN", …; "RCODE" for one without a name. Static. */
const char *dns_rcode_text(unsigned rcode);

enum dns_section {
    DNS_QUESTION,
    DNS_ANSWER,
    DNS_AUTHORITY,
    DNS_ADDITIONAL,
    DNS_SECTION_COUNT,
    /* Of an update (RFC 2136 §2): */
    DNS_PREREQUISITE = DNS_ANSWER,
    DNS_UPDATE = DNS_AUTHORITY,
};

struct dns_header {
    uint16_t id;
    uint16_t flags; /* enum dns_flag */
    uint16_t counts[DNS_SECTION_COUNT];
};

static inline unsigned dns_opcode(uint16_t flags)
{
    return (unsigned)(flags & DNS_OPCODE_MASK) >> 11;
}

struct dns_question {
    struct dns_name name;
    uint16_t type;
    uint16_t class;
};

/* A record as it lies in a message. */
struct dns_rr {
    struct dns_name owner;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    struct bytes rdata; /* borrowed; names in it may be compressed: dns_rdata_expand() */
    enum dns_section section;
    size_t at;          /* where it begins in the message */
};

struct dns_edns {
    bool present;
    uint8_t version;
    uint8_t rcode_high; /* bits 4 to 11 of the extended RCODE */
    bool dnssec_ok;     /* DO, RFC 3225 */
    uint16_t udp_size;
    struct bytes options; /* borrowed; code, length, octets … */
};

/* ---- reading ---- */

/* Goes through a message once, front to back: the question(s), then the records. */
struct dns_cursor {
    struct bytes message; /* borrowed, as is all that comes out */
    struct reader reader;
    struct dns_header header;
    enum dns_section section; /* of the next record */
    uint16_t left;            /* records of the section not read yet */
};

/* Reads the header. Only WIRE_TRUNCATED can go wrong. */
MUST_USE enum wire_status dns_cursor_start(struct dns_cursor *cursor, struct bytes message);

/* The next question. False: none is left, or the message is malformed (cursor->reader.failed). */
MUST_USE bool dns_cursor_question(struct dns_cursor *cursor, struct dns_question *out);

/* The next record of any section; questions that were not read are skipped. False: none is left, or
 * the message is malformed (cursor->reader.failed). */
MUST_USE bool dns_cursor_record(struct dns_cursor *cursor, struct dns_rr *out);

/* Reads an OPT record's fields (RFC 6891 §6.1.2). Malformed: not at the root, not in the additional
 * section, or options that overrun. */
MUST_USE enum wire_status dns_edns_decode(const struct dns_rr *rr, struct dns_edns *out);

/* The option with that code (RFC 6891 §6.1.2). False: it is not there. */
MUST_USE bool dns_edns_option(const struct dns_edns *edns, uint16_t code, struct bytes *out);

/* What a server needs of a query, or a client of a reply, in one pass over the whole message. */
struct dns_summary {
    struct dns_header header;
    struct dns_question question; /* of header.counts[DNS_QUESTION] == 1 */
    size_t question_end;          /* offset after the question section */
    size_t tsig_at;               /* where the TSIG record is, the last of all (dns_tsig.h); 0: none */
    struct dns_edns edns;
};

/* WIRE_TRUNCATED: shorter than a header. WIRE_MALFORMED: anything else, with out->header filled in;
 * so are more than one OPT, a TSIG that is not the last record (RFC 8945 §5.1), and a count of questions
 * other than one (RFC 9619). */
MUST_USE enum wire_status dns_summarise(struct bytes message, struct dns_summary *out);

/* The same for a message of a transfer that is not the first, which may have no question (RFC 5936 §2.2.1):
 * out->question is that of the root and of type 0 then. */
MUST_USE enum wire_status dns_summarise_further(struct bytes message, struct dns_summary *out);

/* The full RCODE, with the OPT record's bits. */
unsigned dns_summary_rcode(const struct dns_summary *summary);

/* ---- building ---- */

enum { DNS_SUFFIXES_MAX = 64 }; /* names kept to point at; later ones are written out */

struct dns_builder {
    struct writer w;
    uint16_t counts[DNS_SECTION_COUNT];
    uint8_t section; /* enum dns_section: where the next record goes */
    uint8_t suffix_count;
    uint8_t question_len;     /* of the name in the question: most others are the same; 0: none */
    bool question_remembered; /* its suffixes are among those below */
    bool for_link;            /* names of SRV and NSEC are compressed as well */
    struct {
        uint16_t hash;
        uint16_t at;
    } suffixes[DNS_SUFFIXES_MAX];
};

/* A place to go back to. */
struct dns_mark {
    size_t len;
    uint16_t counts[DNS_SECTION_COUNT];
    uint8_t suffix_count;
    bool question_remembered;
};

/* Begins a message in `buffer`, of at least DNS_HEADER_LEN; `size` is the limit it must not exceed. */
void dns_build_start(struct dns_builder *b, void *buffer, size_t size);

/* What follows is multicast on a link, whose hosts all read names compressed in SRV and NSEC too (RFC 6762 §18.14). */
void dns_build_for_link(struct dns_builder *b);

/* Keeps `len` octets at the end of the buffer free, for what must fit later. Negative: gives back. */
void dns_build_reserve(struct dns_builder *b, ptrdiff_t len);

/* The question, in the case it is given in. False: no room, and nothing has been written. */
MUST_USE bool dns_build_question(struct dns_builder *b, const struct dns_question *question);

/* Records after this go to that section; sections only go forwards. */
void dns_build_section(struct dns_builder *b, enum dns_section section);

struct dns_build_record {
    const struct dns_name *owner;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    struct bytes rdata; /* valid, names uncompressed */
};

/* False: it does not fit, and nothing of it has been written. */
MUST_USE bool dns_build_record(struct dns_builder *b, const struct dns_build_record *record);

/* The OPT record; options verbatim. False as above. */
MUST_USE bool dns_build_edns(struct dns_builder *b, const struct dns_edns *edns);

/* Takes back all that was written after dns_build_mark(): a whole RRset goes, or none of it. */
struct dns_mark dns_build_mark(const struct dns_builder *b);
void dns_build_back(struct dns_builder *b, const struct dns_mark *mark);

/* Writes the header over its place; the counts are the builder's. Returns the message, which is
 * valid as long as the buffer. */
struct bytes dns_build_finish(struct dns_builder *b, uint16_t id, uint16_t flags);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * dns_master.h - master files: a zone as text (RFC 1035 §5; $TTL, RFC 2308 §4; $GENERATE, which BIND
 * has and others took over).
 *
 * The reader goes through one file, which lies in memory, and hands out a record at a time. Opening
 * the file that an $INCLUDE names is the caller's: he reads it with a reader of its own, begun with
 * dns_master_include(), and then goes on with this one.
 */
#ifndef WN_WIRE_DNS_DNS_MASTER_H
#define WN_WIRE_DNS_DNS_MASTER_H

#include "wire/dns/dns_record.h"

enum {
    DNS_MASTER_GENERATE_MAX = 1 << 20,  /* records of one $GENERATE */
    DNS_MASTER_GENERATED_LEN_MAX = 4096, /* text of one of them */
    DNS_MASTER_FILE_MAX = 4096,         /* octets of a file's name */
    DNS_MASTER_ERROR_MAX = 256,
};

struct dns_master {
    struct bytes rest;      /* not read yet */
    const uint8_t *line_at; /* where the line begins that `line` counts */
    unsigned line;          /* of the next thing to be read; from 1 */
    struct dns_name origin;
    struct dns_name owner;  /* of the last record */
    bool has_owner;
    bool ttl_is_default;    /* $TTL was seen */
    bool ttl_known;
    uint32_t ttl;
    uint16_t class;         /* of the last record */
    struct {                /* $GENERATE under way: next > stop when not */
        struct bytes template;
        unsigned line;
        uint64_t next, stop, step;
    } generate;
};

enum dns_master_kind {
    DNS_MASTER_RECORD,
    DNS_MASTER_INCLUDE,
    DNS_MASTER_END,
    DNS_MASTER_ERROR, /* the reader stays where it is; it is of no use any more */
};

struct dns_master_item {
    enum dns_master_kind kind;
    unsigned line;   /* where it begins; of an error, where it is */
    unsigned column; /* in octets, from 1; 0: the line as a whole */
    struct dns_record record;
    struct dns_name origin; /* of an INCLUDE */
    char file[DNS_MASTER_FILE_MAX];   /* as the text has it */
    char error[DNS_MASTER_ERROR_MAX]; /* what was expected and what was found */
};

/* `file` is borrowed while it is read. `origin` completes relative names until $ORIGIN says
 * otherwise. */
void dns_master_start(struct dns_master *m, struct bytes file, const struct dns_name *origin);

/* A reader of an included file: owner, TTL and class go on from `from`; they do not come back. */
void dns_master_include(struct dns_master *m, struct bytes file, const struct dns_name *origin,
                        const struct dns_master *from);

/* The next item; RDATA goes to `buffer`, which should have DNS_RDATA_MAX octets of room. Returns
 * out->kind. */
enum dns_master_kind dns_master_next(struct dns_master *m, struct writer *buffer,
                                     struct dns_master_item *out);

#endif

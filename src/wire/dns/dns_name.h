/* SPDX-License-Identifier: ISC */
/*
 * dns_name.h - domain names: wire form, text, comparison (RFC 1035 §2.3, §3.1, §4.1.4, §5.1; RFC
 * 4343 for case).
 *
 * A name is kept as its uncompressed wire form, the root's zero octet included, in the case that it
 * came in. Comparison and hashing take ASCII letters without regard to case.
 */
#ifndef WN_WIRE_DNS_DNS_NAME_H
#define WN_WIRE_DNS_DNS_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"

enum {
    DNS_NAME_MAX = 255,        /* RFC 1035 §2.3.4, with length octets and the root */
    DNS_LABEL_MAX = 63,
    DNS_LABELS_MAX = 127,      /* of one octet each; the root is not counted */
    DNS_NAME_TEXT_MAX = 1005,  /* 250 octets as \DDD, four dots, a NUL */
};
_Static_assert(DNS_LABELS_MAX * 2 + 1 == DNS_NAME_MAX, "what 255 octets can hold");

struct dns_name {
    uint8_t len; /* 1 to 255 */
    uint8_t octets[DNS_NAME_MAX];
};

/* Where each label's length octet lies, leftmost first. */
struct dns_labels {
    uint8_t count;
    uint8_t at[DNS_LABELS_MAX];
};

/* "." */
void dns_name_root(struct dns_name *out);

static inline bool dns_name_is_root(const struct dns_name *name)
{
    return name->len == 1;
}

/* Only the octets that are there: an assignment takes all 256. */
static inline void dns_name_copy(struct dns_name *out, const struct dns_name *name)
{
    out->len = name->len;
    memcpy(out->octets, name->octets, name->len);
}

/* The wire form; valid as long as the name. */
static inline struct bytes dns_name_bytes(const struct dns_name *name)
{
    return bytes_of(name->octets, name->len);
}

/*
 * Reads a name from a message, following compression. The reader lies within `message`, whose
 * start is the DNS header. A pointer must lead strictly backwards from the part that it ends, and
 * not into the header, so reading always ends. On failure (label types other than 00 and 11, more
 * than 255 octets, the end of the message) the reader fails and *out is the root.
 */
void dns_name_read(struct reader *r, struct bytes message, struct dns_name *out);

/* Goes past a name without looking where pointers lead. */
void dns_name_skip(struct reader *r);

/* Takes the uncompressed wire form, the whole of `wire`. False: it is not one. */
MUST_USE bool dns_name_from_wire(struct bytes wire, struct dns_name *out);

/* Writes the uncompressed wire form. */
void dns_name_write(struct writer *w, const struct dns_name *name);

void dns_name_labels(const struct dns_name *name, struct dns_labels *out);

/* The octets of the label whose length octet is at offset `at`. */
static inline struct bytes dns_name_label(const struct dns_name *name, size_t at)
{
    return bytes_of(name->octets + at + 1, name->octets[at]);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/* Equal in case too. */
bool dns_name_same(const struct dns_name *a, const struct dns_name *b);

/* Is `name` the ancestor itself or below it? */
bool dns_name_within(const struct dns_name *name, const struct dns_name *ancestor);

/* The name without its leftmost label; the root stays the root. */
void dns_name_parent(const struct dns_name *name, struct dns_name *out);

/* `label` under `parent`. False: too long, or an empty label. */
MUST_USE bool dns_name_child(struct bytes label, const struct dns_name *parent,
                             struct dns_name *out);

/* ASCII letters in lower case (RFC 4034 §6.2). */
void dns_name_lower(struct dns_name *name);

/* 32 well-mixed bits that do not depend on case. Not keyed: not for tables that strangers fill. */
uint32_t dns_name_hash(const struct dns_name *name);

/*
 * Text of a master file (RFC 1035 §5.1): labels and dots, \X and \DDD. A name without a final dot
 * is completed with `origin` (NULL: the root); "@" is the origin. The whole input or false.
 */
MUST_USE bool dns_name_parse(struct bytes text, const struct dns_name *origin,
                             struct dns_name *out);

/* Absolute text with the final dot and a NUL; returns `out`. */
char *dns_name_format(const struct dns_name *name, char out[DNS_NAME_TEXT_MAX]);

/* 10.2.0.192.in-addr.arpa and …ip6.arpa (RFC 1035 §3.5, RFC 3596 §2.5). */
void dns_name_reverse(const struct ip_address *address, struct dns_name *out);

/* The address whose reverse name this is; false when it is not a whole one. */
MUST_USE bool dns_name_reverse_address(const struct dns_name *name, struct ip_address *out);

#endif

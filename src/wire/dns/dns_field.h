/* SPDX-License-Identifier: ISC */
/*
 * dns_field.h - the fields of RDATA that have a form of their own: type bitmaps, service
 * parameters, locations, times and codes. For dns_record.c and dns_rdata_text.c; the table of
 * dns_type_fields() says which type has which.
 *
 * Each has three functions: `take` goes past it in RDATA and fails the reader if it is not valid,
 * `parse` reads its text, `format` writes it.
 */
#ifndef WN_WIRE_DNS_DNS_FIELD_H
#define WN_WIRE_DNS_DNS_FIELD_H

#include "wire/dns/dns_token.h"

/* ---- dns_bitmap.c: the types at a name (RFC 4034 §4.1.2) ---- */
void dns_bitmap_take(struct reader *r);
bool dns_bitmap_parse(struct bytes *rest, struct writer *out, struct dns_error *error);
void dns_bitmap_format(struct reader *r, struct text *out);

/* ---- dns_svcb.c: service parameters (RFC 9460 §2.1, §2.2) ---- */
void dns_svcb_take(struct reader *r);
bool dns_svcb_parse(struct bytes *rest, struct writer *out, struct dns_error *error);
void dns_svcb_format(struct reader *r, struct text *out);
/* Has valid RDATA a form that dns_svcb_parse() reads as the same octets? */
bool dns_svcb_has_text(struct bytes rdata);

/* ---- dns_loc.c: a place on earth (RFC 1876) ---- */
void dns_loc_take(struct reader *r);
bool dns_loc_parse(struct bytes *rest, struct writer *out, struct dns_error *error);
void dns_loc_format(struct reader *r, struct text *out);

/* ---- dns_rdata_text.c ---- */
/* Octets of a character-string: escapes where needed, no quotes around. */
void dns_format_octets(struct bytes octets, struct text *out);

#endif

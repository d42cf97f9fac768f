/* SPDX-License-Identifier: ISC */
/*
 * http_form.h - what browsers send of forms: application/x-www-form-urlencoded (URL Standard §5.1) and
 * multipart/form-data (RFC 7578, with the framing of RFC 2046 §5.1.1), over octets that are there whole.
 */
#ifndef WN_WIRE_HTTP_HTTP_FORM_H
#define WN_WIRE_HTTP_HTTP_FORM_H

#include "base/bytes.h"

enum { HTTP_BOUNDARY_MAX = 70 }; /* RFC 2046 §5.1.1 */

/* The next pair as it stands; begin with *rest the whole. False: there are no more. Empty ones between two
 * "&" are skipped. */
bool http_form_pair(struct bytes *rest, struct bytes *name, struct bytes *value);

/* A name or value with "+" and "%XX" resolved; a "%" without two digits stands for itself. */
void http_form_decode(struct bytes in, struct writer *out);

/* Views of the body; what a part does not have is empty. */
struct http_part {
    struct bytes name;
    struct bytes file_name;
    bool has_file_name;   /* also when it is empty: a file's field without a file */
    struct bytes type;    /* of the content */
    struct bytes content;
};

enum http_part_step {
    HTTP_PART,
    HTTP_PART_END,
    HTTP_PART_MALFORMED,
};

/* The boundary of a Content-Type "multipart/form-data"; false: it is none, or has none. */
MUST_USE bool http_part_boundary(struct bytes content_type, struct bytes *out);

/* The next part; begin with *rest the whole body and `first`. */
enum http_part_step http_part_next(struct bytes *rest, bool first, struct bytes boundary,
                                   struct http_part *out);

/* A part's name as browsers escape it: %22 for a quote, %0D and %0A for ends of lines. */
void http_part_decode_name(struct bytes in, struct writer *out);

#endif

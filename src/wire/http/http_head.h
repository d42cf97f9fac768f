/* SPDX-License-Identifier: ISC */
/*
 * http_head.h - the head of an HTTP/1.x message: start line, fields, and what they say about the
 * body (RFC 9112 §2 to §6; RFC 9110 §5).
 *
 * Strict where leniency lets two recipients disagree (request smuggling, RFC 9112 §11.2): lines end
 * with CRLF and nothing else, no obs-fold, no space before a colon, one way to say the body's length.
 * All views in a head are borrowed from the octets it was decoded from.
 */
#ifndef WN_WIRE_HTTP_HTTP_HEAD_H
#define WN_WIRE_HTTP_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/status.h"

enum {
    HTTP_HEAD_MAX = 16 * 1024, /* octets of a head with its empty line */
    HTTP_LINE_MAX = 8 * 1024,  /* of a start line with its CRLF; RFC 9112 §3: at least 8000 */
    HTTP_FIELDS_MAX = 100,
    HTTP_METHOD_MAX = 32,
};

/* ---- finding the end ---- */

/* Where a search stands; all zero at the start of a head. */
struct http_finder {
    size_t scanned;    /* octets before this need no second look */
    size_t line_start;
    bool has_start_line;
};

enum http_find {
    HTTP_FIND_MORE,      /* the end has not come */
    HTTP_FIND_DONE,      /* finder->scanned is the length of the head, empty line included */
    HTTP_FIND_MALFORMED, /* a line feed without a carriage return, or an empty start line */
    HTTP_FIND_LONG_LINE, /* the start line is longer than HTTP_LINE_MAX */
    HTTP_FIND_LONG_HEAD, /* the head is longer than HTTP_HEAD_MAX */
};

/* `in` always begins at the head's first octet and grows from call to call; each octet is looked at
 * once. The verdict depends on the octets alone, not on how they were cut. */
enum http_find http_find_end(struct http_finder *finder, struct bytes in);

/* ---- decoding ---- */

struct http_field {
    struct bytes name;
    struct bytes value; /* without the spaces around it */
};

struct http_fields {
    size_t count;
    struct http_field list[HTTP_FIELDS_MAX];
};

enum http_version { HTTP_VERSION_1_0, HTTP_VERSION_1_1 }; /* 1.2 and later count as 1.1 */

struct http_request_head {
    enum http_version version;
    struct bytes method;
    struct bytes target;
    struct http_fields fields;
};

struct http_response_head {
    enum http_version version;
    unsigned status; /* 100 to 999 */
    struct bytes reason;
    struct http_fields fields;
};

/*
 * Decodes a whole head. 0, or the status to refuse it with, *out then being undefined: 400
 * (malformed; also without exactly one valid Host in 1.1, §3.2), 414, 431 (too many fields), 501 (a
 * method longer than any), 505.
 */
MUST_USE unsigned http_request_decode(struct bytes head, struct http_request_head *out);

/* WIRE_UNSUPPORTED: another major version, or more fields than we hold. *out is undefined unless
 * WIRE_OK. */
MUST_USE enum wire_status http_response_decode(struct bytes head, struct http_response_head *out);

/* The value of the first field of that name (letters without regard to case); false: none. */
bool http_field_find(const struct http_fields *fields, const char *name, struct bytes *value);

/* The first one's value, or an empty view. */
struct bytes http_field_value(const struct http_fields *fields, const char *name);
size_t http_field_count(const struct http_fields *fields, const char *name);

/* Do the lists of all fields of that name have the token? (RFC 9110 §5.3) */
bool http_field_has(const struct http_fields *fields, const char *name, const char *token);

/* ---- what the head says about the body and the connection ---- */

enum http_framing_kind {
    HTTP_FRAMING_NONE,        /* no body */
    HTTP_FRAMING_LENGTH,      /* `length` octets; may be 0 */
    HTTP_FRAMING_CHUNKED,
    HTTP_FRAMING_UNTIL_CLOSE, /* responses only */
};

struct http_framing {
    enum http_framing_kind kind;
    uint64_t length;
};

/* RFC 9112 §6.3. 0, or 400 (both lengths, several that differ, chunked not last, …), or 501 (a
 * transfer coding we do not know). */
MUST_USE unsigned http_request_framing(const struct http_request_head *head,
                                       struct http_framing *out);

/* The same for the response to a request with that method; `head_only`: it was HEAD. */
MUST_USE enum wire_status http_response_framing(const struct http_response_head *head,
                                                bool head_only, struct http_framing *out);

/* Does the sender want to keep the connection (RFC 9112 §9.3)? */
bool http_keeps_alive(enum http_version version, const struct http_fields *fields);

/* ---- encoding: see base/bytes.h for writers ---- */

void http_write_text(struct writer *w, const char *text);
void http_write_number(struct writer *w, uint64_t value);
void http_write_request_line(struct writer *w, const char *method, struct bytes target);
void http_write_status_line(struct writer *w, unsigned status);
void http_write_end(struct writer *w); /* the empty line */

/* A value that may not stand in a field (a CR, say) fails the writer: no response splitting. */
void http_write_field(struct writer *w, const char *name, struct bytes value);
void http_write_field_text(struct writer *w, const char *name, const char *value);
void http_write_field_number(struct writer *w, const char *name, uint64_t value);
void http_write_field_date(struct writer *w, const char *name, int64_t seconds);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * cgi_head.h - the head of what a CGI program writes (RFC 3875 §6): fields, an empty line, then the
 * body. A line ends with a line feed, a carriage return before it is not part of it (§6.2: NL).
 */
#ifndef WN_WIRE_CGI_CGI_HEAD_H
#define WN_WIRE_CGI_CGI_HEAD_H

#include "wire/http/http_head.h"

enum {
    CGI_HEAD_MAX = 15 * 1024, /* with what we add it fits into one of HTTP */
};

enum cgi_head_kind {
    CGI_DOCUMENT,        /* §6.2.1; also one without a body that only has a status */
    CGI_LOCAL_REDIRECT,  /* §6.2.2: `location` is a path, perhaps with a query, of the same host */
    CGI_CLIENT_REDIRECT, /* §6.2.3, §6.2.4 */
    CGI_INTERIM,         /* a status below 200: another head follows (RFC 8297) */
};

/* Views of the octets that were decoded. */
struct cgi_head {
    enum cgi_head_kind kind;
    unsigned status;           /* 302 of a redirect that says none, else 200 */
    struct bytes location;     /* empty: none */
    bool has_length;
    uint64_t length;           /* Content-Length */
    struct http_fields fields; /* for the client: neither Status nor those of a connection, nor lengths */
};

/* The length of the head with its empty line; 0: it has not come. `*scanned` is 0 at first; octets before
 * it are not looked at again. */
size_t cgi_head_find_end(struct bytes in, size_t *scanned);

/* WIRE_MALFORMED: it says nothing (no Content-Type, Location nor Status), or what no head may say;
 * WIRE_UNSUPPORTED: too many fields. *out is undefined unless WIRE_OK. */
MUST_USE enum wire_status cgi_head_decode(struct bytes head, struct cgi_head *out);

#endif

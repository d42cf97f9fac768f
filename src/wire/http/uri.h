/* SPDX-License-Identifier: ISC */
/*
 * uri.h - the parts of a URI that HTTP handles (RFC 3986; RFC 9112 §3.2): the forms of a request's
 * target, and paths that cannot leave their root.
 */
#ifndef WN_WIRE_HTTP_URI_H
#define WN_WIRE_HTTP_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum uri_form {
    URI_ORIGIN,    /* /path?query */
    URI_ABSOLUTE,  /* http://host/path?query */
    URI_AUTHORITY, /* host:port, for CONNECT */
    URI_ASTERISK,  /* *, for OPTIONS */
};

/* Views of the target that was parsed; what is absent is empty. */
struct uri_target {
    enum uri_form form;
    struct bytes scheme;    /* "http" */
    struct bytes authority; /* "www.home.arpa:80" */
    struct bytes path;      /* "/a%20b", never empty in the forms that have one: "/" */
    struct bytes query;     /* without its "?" */
    bool has_query;
};

/* False leaves *out untouched: the target has none of the forms that may go with the method. */
MUST_USE bool uri_target_parse(struct bytes method, struct bytes target, struct uri_target *out);

/* host [ ":" port ]: "[::1]:80" -> "::1", 80. *port is 0 without one. False: malformed, or there is
 * user information, which must not stand there (RFC 9110 §4.2.4). */
MUST_USE bool uri_authority_parse(struct bytes authority, struct bytes *host, uint16_t *port);

/*
 * Decodes percent-encodings, takes "." and ".." away (RFC 3986 §5.2.4, after decoding, so that
 * "%2e%2e" is ".." too) and makes one of several slashes. The result begins with "/", ends with
 * one when the path names a directory, and has no "..": joined to any root it stays below it. Its
 * length, at most `size` and at most path.len, or 0: a malformed encoding, a NUL or other control
 * character, an encoded slash or backslash, or no room.
 */
MUST_USE size_t uri_path_decode(struct bytes path, char *out, size_t size);

/* Percent-encodes what may not stand in a path segment, slashes kept. The length; 0: no room. */
MUST_USE size_t uri_path_encode(struct bytes path, char *out, size_t size);

#endif

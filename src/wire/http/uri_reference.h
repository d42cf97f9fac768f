/* SPDX-License-Identifier: ISC */
/*
 * uri_reference.h - absolute URIs of http and https: references resolved, and the one form in which
 * equal ones are equal octets (RFC 3986 §5.2, §6.2; RFC 9110 §4.2.3).
 */
#ifndef WN_WIRE_HTTP_URI_REFERENCE_H
#define WN_WIRE_HTTP_URI_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { URI_MAX = 8192 };

/* Views of what was split; what is absent is empty. */
struct uri_parts {
    struct bytes scheme;
    struct bytes authority;
    struct bytes path;
    struct bytes query;    /* without its "?" */
    struct bytes fragment; /* without its "#" */
    bool has_scheme, has_authority, has_query, has_fragment;
};

/* By the rule of RFC 3986, appendix B; never fails, since it only cuts. */
void uri_split(struct bytes uri, struct uri_parts *out);

/* Takes "." and ".." away from a path that begins with "/", in place (RFC 3986 §5.2.4). Its new length. */
size_t uri_remove_dots(uint8_t *path, size_t len);

/*
 * The normal form: scheme and host in lower case, the scheme's own port and an empty one left out, "/"
 * for no path, percent-encodings in upper case and none of what need not be encoded, no fragment.
 * Dots are left where they are: they change what is asked for. False: it is no absolute http or
 * https URI, has user information, or octets that none may have; or there is no room.
 */
MUST_USE bool uri_normalise(const struct uri_parts *parts, struct writer *out);

/* The same, but path and query are what they are: a server may tell "%41" from "A". */
MUST_USE bool uri_normalise_origin(const struct uri_parts *parts, struct writer *out);

/* What `reference` means at `base`, an absolute URI, in the normal form (dots resolved); its fragment
 * too when `fragment`. False as above. */
MUST_USE bool uri_resolve(struct bytes base, struct bytes reference, bool fragment,
                          struct writer *out);

/* Have two URIs in normal form the same scheme, host and port? */
bool uri_same_origin(struct bytes a, struct bytes b);

#endif

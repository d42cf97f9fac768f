/* SPDX-License-Identifier: ISC */
/*
 * http_cache_vary.h - which requests a stored response that varies answers (RFC 9111 §4.1): the
 * fields that Vary names, and their values in one normal form.
 */
#ifndef WN_PROTO_HTTP_HTTP_CACHE_VARY_H
#define WN_PROTO_HTTP_HTTP_CACHE_VARY_H

#include "wire/http/http_head.h"

enum { HTTP_VARY_NAMES_MAX = 512, HTTP_VARY_KEY_MAX = 2048, HTTP_VARY_ELEMENTS_MAX = 32 };

/* The names in all Vary fields, in lower case, each once, with a comma behind each; nothing without
 * Vary. False: "*", or a list too long to be kept: no request can match it. */
MUST_USE bool http_vary_names(const struct http_fields *response, struct writer *out);

/* What the request says in those fields; two requests match when the octets are the same. False: it
 * is too long. */
MUST_USE bool http_vary_key(struct bytes names, const struct http_fields *request,
                            struct writer *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * url.h - absolute URLs as a client has them: parsed, normalised (RFC 3986 §6.2.2, §6.2.3), and
 * references resolved against them (§5.2). For the schemes that have an authority.
 *
 * What people type and what servers send in Location is often not quite a URI: octets that may not
 * stand in one (spaces, UTF-8) are percent-encoded rather than refused, as every browser does.
 */
#ifndef WN_WIRE_HTTP_URL_H
#define WN_WIRE_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum {
    URL_SCHEME_MAX = 15,
    URL_HOST_MAX = 255,
    URL_USER_MAX = 255,
    URL_TARGET_MAX = 8000, /* RFC 9110 §4.1: what everybody should support */
    URL_TEXT_MAX = URL_SCHEME_MAX + URL_HOST_MAX + URL_TARGET_MAX + 16,
};

struct url {
    char scheme[URL_SCHEME_MAX + 1]; /* lower case */
    char host[URL_HOST_MAX + 1];     /* lower case; an IPv6 address without its brackets */
    char user[URL_USER_MAX + 1];     /* "name:password" as it stood there; "": none */
    uint16_t port;                   /* never 0 for http and https */
    uint16_t path_len;               /* of `target`, before "?" */
    uint16_t target_len;
    bool literal;                    /* the host is an IPv6 address */
    char target[URL_TARGET_MAX + 1]; /* path and query, at least "/" */
};

/* Turns a host name that is not ASCII into its A-labels (RFC 5891). False: it is none. */
typedef bool url_to_ascii(struct bytes host, struct text *out);

enum url_status {
    URL_OK,
    URL_NO_SCHEME,   /* it is a relative reference */
    URL_NO_HOST,
    URL_BAD_HOST,    /* octets that no host name has, or no IPv6 address in brackets */
    URL_BAD_PORT,
    URL_TOO_LONG,
    URL_BAD_ENCODING, /* a percent sign without two digits, or a control character */
    URL_STATUS_COUNT
};

/* What was expected, for people. Static. */
const char *url_status_text(enum url_status status);

/* The fragment, which servers never see, is dropped. `to_ascii` may be NULL: ASCII hosts only. *out
 * is undefined unless URL_OK. */
MUST_USE enum url_status url_parse(struct bytes text, url_to_ascii *to_ascii, struct url *out);

/* The reference of a Location field, or of a link, in a document that came from `base` (§5.2.2).
 * *out may not be *base. */
MUST_USE enum url_status url_resolve(const struct url *base, struct bytes reference,
                                     url_to_ascii *to_ascii, struct url *out);

/* 80 and 443 for http and https, 0 for others. */
uint16_t url_default_port(const char *scheme);

/* Scheme, host and port are the same (RFC 9110 §4.3.1). */
bool url_same_origin(const struct url *a, const struct url *b);

/* What stands in a Host field: the port only when it is not the scheme's. */
void url_add_authority(const struct url *url, struct text *out);

/* The whole without user information. */
void url_add_text(const struct url *url, struct text *out);

static inline struct bytes url_target(const struct url *url)
{
    return bytes_of(url->target, url->target_len);
}

static inline struct bytes url_path(const struct url *url)
{
    return bytes_of(url->target, url->path_len);
}

/* Percent-decodes all of `in`. False: malformed, or no room. */
MUST_USE bool url_decode(struct bytes in, struct text *out);

/* Percent-encodes all but unreserved characters (§2.3). */
void url_encode(struct bytes in, struct text *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * http_redirect.h - what to ask for next when the answer is somewhere else (RFC 9110 §15.4).
 */
#ifndef WN_PROTO_HTTP_HTTP_REDIRECT_H
#define WN_PROTO_HTTP_HTTP_REDIRECT_H

#include "wire/http/http_head.h"
#include "wire/http/url.h"

enum http_redirect_kind {
    HTTP_REDIRECT_NONE,      /* this is the answer */
    HTTP_REDIRECT_FOLLOW,
    HTTP_REDIRECT_MALFORMED, /* Location is nothing that can be followed; see *status */
};

struct http_redirect {
    struct url url;
    bool as_get;         /* the method becomes GET, and the body is left out */
    bool other_origin;   /* credentials and cookies of the one before are not for this one */
    enum url_status status;
};

/* `keep_method`: POST stays POST also after 301 and 302, where the RFC allows both (§15.4.2, §15.4.3). */
enum http_redirect_kind http_redirect(const struct http_response_head *head, const char *method,
                                      const struct url *from, bool keep_method,
                                      url_to_ascii *to_ascii, struct http_redirect *out);

#endif

/* SPDX-License-Identifier: ISC */
/* http_redirect.c - redirections (RFC 9110 §15.4, §10.2.2). */
#include "proto/http/http_redirect.h"

static bool is_redirection(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* After 303 the answer is got whatever was done (§15.4.4). After 301 and 302 clients have always made
 * POST a GET, and may. */
static bool becomes_get(unsigned status, const char *method, bool keep_method)
{
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return false;
    if (status == 303)
        return true;
    return (status == 301 || status == 302) && strcmp(method, "POST") == 0 && !keep_method;
}

enum http_redirect_kind http_redirect(const struct http_response_head *head, const char *method,
                                      const struct url *from, bool keep_method,
                                      url_to_ascii *to_ascii, struct http_redirect *out)
{
    struct bytes location;
    if (!is_redirection(head->status) || !http_field_find(&head->fields, "Location", &location) ||
        location.len == 0)
        return HTTP_REDIRECT_NONE;
    out->status = url_resolve(from, location, to_ascii, &out->url);
    if (out->status != URL_OK)
        return HTTP_REDIRECT_MALFORMED;
    out->as_get = becomes_get(head->status, method, keep_method);
    out->other_origin = !url_same_origin(from, &out->url);
    return HTTP_REDIRECT_FOLLOW;
}

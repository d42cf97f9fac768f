/* SPDX-License-Identifier: ISC */
/*
 * web_cgi.h - requests for programs that are started for each of them (RFC 3875). So many run at a time, as
 * many again and more wait for their turn, others get 503.
 */
#ifndef WN_APP_WEB_WEB_CGI_H
#define WN_APP_WEB_WEB_CGI_H

#include "app/web/web_meta.h"

enum {
    WEB_CGI_DEFAULT = 32,     /* programs at a time */
    WEB_CGI_WAITING_MAX = 128, /* requests that wait for one of them to end */
};

void web_cgi_init(struct web *web);
void web_cgi_done(struct web *web); /* no request is under way any more */

/* 0: the request is under way, or has been answered; or a status to refuse with. */
MUST_USE unsigned web_cgi_request(struct web_exchange *exchange, const struct web_script *script);

#endif

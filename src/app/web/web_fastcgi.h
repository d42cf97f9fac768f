/* SPDX-License-Identifier: ISC */
/*
 * web_fastcgi.h - requests for applications that listen on a socket and speak FastCGI. Several that serve
 * the same are asked in turn; one that fails is left alone for a while. Connections are kept.
 */
#ifndef WN_APP_WEB_WEB_FASTCGI_H
#define WN_APP_WEB_WEB_FASTCGI_H

#include "app/web/web_meta.h"

enum {
    WEB_FASTCGI_PEERS_MAX = 256, /* remembered; when full, one without connections goes, else 503 */
    WEB_FASTCGI_OPEN_MAX = 256,  /* connections to one; more requests get 503 */
    WEB_FASTCGI_IDLE_MAX = 16,   /* of them kept for the next request */
};
#define WEB_FASTCGI_IDLE (30 * USEC_PER_SEC)   /* and for so long */
#define WEB_FASTCGI_CONNECT (5 * USEC_PER_SEC) /* patience with a connection that does not open */
#define WEB_FASTCGI_DOWN (10 * USEC_PER_SEC)   /* so long one that failed is not asked, if there are others */

void web_fastcgi_init(struct web_fastcgi *fastcgi);
void web_fastcgi_done(struct web_fastcgi *fastcgi); /* no request is under way any more */

/* 0: the request is under way, or has been answered; or a status to refuse with. */
MUST_USE unsigned web_fastcgi_request(struct web_exchange *exchange,
                                      const struct web_script *script);

#endif

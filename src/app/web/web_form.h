/* SPDX-License-Identifier: ISC */
/*
 * web_form.h - the built-in site's form: what is said in it is kept in a session of the browser's and shown.
 * To try clients with: forms of both encodings, cookies, tokens, the way back by 303. Private to app/web/.
 */
#ifndef WN_APP_WEB_WEB_FORM_H
#define WN_APP_WEB_WEB_FORM_H

#include "proto/http/http_session.h"

struct web_exchange;

enum { WEB_FORM_BODY_MAX = 256 * 1024 };
#define WEB_FORM_METHODS "GET, HEAD, POST, OPTIONS"

/* GET and HEAD show it, POST takes what is sent: the exchange's service. */
void web_form_request(struct web_exchange *exchange);

#endif

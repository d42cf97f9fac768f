/* SPDX-License-Identifier: ISC */
/*
 * web_pass.h - requests that servers behind this one answer: by the connections, balancing, health and cache
 * of a proxy (app/proxy/proxy_pass.h), one for each set of servers.
 *
 *      location "/api/" { pass = {"http://10.0.0.5:8000"} }          /api/x is asked for as /api/x,
 *      location "/api/" { pass = {"http://10.0.0.5:8000/v1/"} }      … and here as /v1/x
 */
#ifndef WN_APP_WEB_WEB_PASS_H
#define WN_APP_WEB_WEB_PASS_H

#include "app/web/web_exchange.h"

/* Answers by the servers that the rule names; `path` is decoded. */
void web_pass_request(struct web_exchange *exchange, struct bytes path);

/* Sets of servers that no rule names any more go; all of them, at the end of the service. */
void web_pass_tidy(struct web *web);
void web_pass_done(struct web *web);

#endif

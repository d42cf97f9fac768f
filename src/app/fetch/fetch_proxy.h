/* SPDX-License-Identifier: ISC */
/*
 * fetch_proxy.h - URLs as people type them, and the proxy that a process's environment names for one.
 */
#ifndef WN_APP_FETCH_FETCH_PROXY_H
#define WN_APP_FETCH_FETCH_PROXY_H

#include "wire/http/url.h"

/* A URL, "http://" left out or not. *out is undefined unless URL_OK. */
MUST_USE enum url_status fetch_parse_url(const char *text, url_to_ascii *to_ascii, struct url *out);

/* What http_proxy, https_proxy, all_proxy and no_proxy say for a URL, to be read with fetch_parse_url();
 * NULL: no proxy. Valid as long as the environment. */
const char *fetch_environment_proxy(const struct url *url);

#endif

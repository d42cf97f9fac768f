/* SPDX-License-Identifier: ISC */
/*
 * site_proxy.h - the block "proxy" of a site file: the service that it becomes.
 */
#ifndef WN_SITE_SITE_PROXY_H
#define WN_SITE_SITE_PROXY_H

#include "io/net.h"
#include "site/site_options.h"

/* What was left open, and what does not fit together. False: *error says what is expected. */
MUST_USE bool site_proxy_finish(struct site_config *config, struct text *error);

struct site;

bool site_proxy_same(const struct site_config *a, const struct site_config *b);
MUST_USE int site_proxy_start(struct site *site, struct text *error);
void site_proxy_stop(struct site *site);
void site_proxy_reload(struct site *site);

/* Do connections of the inside to port 80 of the Internet come to the proxy? One that does. */
bool site_proxy_is_transparent(const struct site_config *config);
void site_proxy_take(void *site, struct stream *stream);

#endif

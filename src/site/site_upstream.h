/* SPDX-License-Identifier: ISC */
/*
 * site_upstream.h - servers behind a proxy, or behind a location of the web server, as the site file has them.
 */
#ifndef WN_SITE_SITE_UPSTREAM_H
#define WN_SITE_SITE_UPSTREAM_H

#include "app/proxy/upstream.h"
#include "site/site_options.h"

/* [http[s]://]HOST[:PORT][PATH] [weight=N] [backup]; `path` NULL: none but "/". */
MUST_USE bool site_upstream_place(struct bytes text, uint16_t default_port,
                                  struct upstream_place *out, struct bytes *path);

/* PATH [INTERVAL] [timeout=…] [rise=N] [fall=N] [status=N-N], to a struct upstream_health */
bool site_upstream_health(struct bytes text, void *field, const struct site_option *option);
#define SITE_HEALTH_TEXT \
    "a path and an interval such as \"/healthy 5s\", and timeout=2s, rise=2, fall=3 or status=200-399"

/* To an enum upstream_balance. */
bool site_upstream_balance(struct bytes text, void *field, const struct site_option *option);
#define SITE_BALANCE_TEXT "round-robin, least-connections, hash or cookie"

#endif

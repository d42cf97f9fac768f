/* SPDX-License-Identifier: ISC */
/* web_tls.h - the certificates of a configuration's hosts, for the listeners that want TLS. */
#ifndef WN_APP_WEB_WEB_TLS_H
#define WN_APP_WEB_WEB_TLS_H

#include "app/web/web_config.h"
#include "io/tls.h"

/* Does any listener of it want TLS? */
bool web_tls_wanted(const struct web_config *config);

/*
 * Makes *tls if it is NULL and the configuration wants one, or gives it the configuration's
 * certificates. 0, or a negative errno and `error` says why: *tls is then as it was. `first` is that of the first
 * worker, with whose tickets it is made; NULL: it has its own.
 */
MUST_USE int web_tls_configure(struct loop *loop, const struct web_config *config,
                               struct tls_server *first, struct text *error,
                               struct tls_server **tls);

#endif

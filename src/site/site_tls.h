/* SPDX-License-Identifier: ISC */
/*
 * site_tls.h - TLS for a site's services: with the certificate that the site file names, or one by the
 * authority of our own (site/trust.h).
 */
#ifndef WN_SITE_SITE_TLS_H
#define WN_SITE_SITE_TLS_H

#include "io/tls.h"
#include "site/site_config.h"

struct site;

/* Does a service of it listen by TLS without a certificate of its own? */
bool site_tls_wants_trust(const struct site_config *config);

/* A server for a service that is called `service` in the log. `alpn` as in os/tls_context.h. 0, or a negative
 * errno and *error. */
MUST_USE int site_tls_start(struct site *site, const struct site_tls *config, const char *service,
                            const char *alpn, struct tls_server **out, struct text *error);

/* Reads the files again; those before stay, and the log says why, when they are of no use. */
void site_tls_reload(struct site *site, const struct site_tls *config, const char *service,
                     struct tls_server *server);

/* Gives each host of the web server that has no certificate one by the authority of our own, when it
 * listens by TLS. 0, or a negative errno and *error. */
MUST_USE int site_tls_web(struct site *site, struct web_config *web, struct text *error);

/* The clients for primaries over TLS, which stay the site's, once the configuration has any. */
MUST_USE int site_tls_primaries(struct site *site, struct text *error);

struct names_recursion;

/* The forwarders that are asked over TLS, and the clients to do that with, which stay the site's. */
MUST_USE int site_tls_forwarders(struct site *site, const struct site_recursion *from,
                                 struct names_recursion *to, struct text *error);

#endif

/* SPDX-License-Identifier: ISC */
/* web_tls.c - one context for all hosts; the name that a client says chooses (SNI, RFC 6066 §3). */
#include "app/web/web_tls.h"

#include <errno.h>

bool web_tls_wanted(const struct web_config *config)
{
    for (uint32_t i = 0; i < config->listen_count; i++)
        if (config->listens[i].tls)
            return true;
    return false;
}

static size_t certificates_of(const struct web_config *config,
                              struct tls_certificate out[WEB_HOSTS_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < config->host_count; i++) {
        const struct web_host *host = &config->hosts[i];
        if (host->certificate[0] == '\0')
            continue;
        out[count++] = (struct tls_certificate){
            .chain = host->certificate,
            .key = host->key[0] != '\0' ? host->key : NULL,
            .staple = host->staple[0] != '\0' ? host->staple : NULL,
        };
    }
    return count;
}

int web_tls_configure(struct loop *loop, const struct web_config *config, struct tls_server *first,
                      struct text *error, struct tls_server **tls)
{
    struct tls_certificate certificates[WEB_HOSTS_MAX];
    size_t count = certificates_of(config, certificates);
    if (!web_tls_wanted(config))
        return 0;
    if (count == 0) {
        text_add(error, "a listener with tls wants a certificate, of the whole or of a site");
        return -EINVAL;
    }
    if (*tls != NULL)
        return tls_server_reload(*tls, certificates, count, error);
    const struct tls_server_options options = {
        .certificates = certificates,
        .certificate_count = count,
        .alpn = "h2 http/1.1",
        .tickets = first != NULL ? tls_server_tickets(first) : NULL,
    };
    return tls_server_new(loop, &options, error, tls);
}

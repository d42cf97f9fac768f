/* SPDX-License-Identifier: ISC */
/*
 * lookup_secure.c - `wholenet lookup` over TLS (RFC 7858), and what HTTPS has in common with it. As with kdig(1)
 * nobody's certificate is checked (the opportunistic profile of RFC 8310, for people who look), unless a word asks
 * for it.
 */
#include <errno.h>
#include <stdio.h>

#include "cli/lookup.h"

enum { QUERY_BLOCK = 128 /* RFC 8467 §4.1 */ };

bool lookup_secure_open(struct lookup *l)
{
    char complaint[256] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct lookup_secure *secure = &l->secure;
    const struct tls_client_options options = {
        .trust_file = secure->trust,
        .trust_anybody = !secure->verify && secure->pin_count == 0,
        .pins = secure->pins[0],
        .pin_count = secure->pin_count,
        .alpn = secure->https ? "h2 http/1.1" : "dot",
    };
    int status = tls_client_new(l->loop, &options, &error, &secure->client);
    if (status < 0)
        cli_fail(l->command, 0, "%s", complaint[0] != '\0' ? complaint : strerror(-status));
    return status == 0;
}

void lookup_secure_close(struct lookup *l)
{
    lookup_https_close(l);
    tls_client_free(l->secure.client);
    l->secure.client = NULL;
}

size_t lookup_secure_pad(const struct lookup *l, uint8_t *query, size_t len, size_t size)
{
    static const uint8_t zeros[QUERY_BLOCK];
    if (!l->secure.tls || !l->secure.padding || !l->edns)
        return len;
    size_t rest = (len + DNS_OPTION_HEAD_LEN) % QUERY_BLOCK;
    struct bytes padding = {zeros, rest == 0 ? 0 : QUERY_BLOCK - rest};
    return dns_option_append(query, len, size, DNS_OPTION_PADDING, padding);
}

const char *lookup_secure_name(const struct lookup *l, const struct lookup_ask *ask,
                               char address[ADDRESS_TEXT_MAX])
{
    if (l->secure.name != NULL)
        return l->secure.name;
    if (ask->server_name != NULL && strlen(ask->server_name) < TLS_NAME_MAX)
        return ask->server_name;
    return address_format(&ask->server.address, address);
}

int lookup_secure_connect(struct lookup *l, const struct lookup_ask *ask, struct stream *plain,
                          const struct stream_handler *handler, void *self, struct stream **out)
{
    char address[ADDRESS_TEXT_MAX];
    l->secure.facts[0] = '\0';
    return tls_connect(l->secure.client, plain, lookup_secure_name(l, ask, address), handler, self, out);
}

void lookup_secure_note(struct lookup *l, const struct tls_facts *facts, const char *more)
{
    struct text text = text_of(l->secure.facts, sizeof l->secure.facts);
    text_add_format(&text, "%s, %s, certificate of %s%s%s%s", facts->version, facts->cipher,
                    facts->peer[0] != '\0' ? facts->peer : "nobody",
                    l->secure.verify || l->secure.pin_count > 0 ? "" : " (not checked)",
                    facts->resumed ? ", resumed" : "", more);
}

void lookup_secure_failed(struct lookup *l, const struct stream *stream)
{
    snprintf(l->reason, sizeof l->reason, "%s", tls_stream_error(stream));
}

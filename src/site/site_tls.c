/* SPDX-License-Identifier: ISC */
/* site_tls.c - certificates for services. */
#include "site/site_tls.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "app/names/names_resolver.h"
#include "app/web/web_tls.h"
#include "site/site_internal.h"
#include "site/site_names.h"
#include "site/trust.h"

bool site_tls_wants_trust(const struct site_config *config)
{
    const struct site_tls *all[] = {&config->names_tls};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->listen.port != 0 && all[i]->certificate[0] == '\0')
            return true;
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++) {
        const struct site_proxy *proxy = &config->proxies[i];
        for (uint32_t k = 0; k < proxy->listen_count; k++)
            if (proxy->listens[k].tls && proxy->tls.certificate[0] == '\0')
                return true;
    }
    const struct web_config *web = &config->web.config;
    for (uint32_t i = 0; i < web->host_count && web_tls_wanted(web); i++)
        if (web->hosts[i].certificate[0] == '\0')
            return true;
    return false;
}

static int open_trust(const struct site *site, struct trust *trust, struct text *error)
{
    const char *folder = site->config->trust_folder;
    return trust_open(trust, folder[0] != '\0' ? folder : NULL, error);
}

static void add_address(struct trust_names *names, struct ip_address *out,
                        const struct ip_address *address)
{
    if (address_is_any(address))
        return;
    for (size_t i = 0; i < names->address_count; i++)
        if (address_equal(&out[i], address))
            return;
    out[names->address_count++] = *address;
}

/* Browsers take no wildcard right below a public suffix, which home.arpa is: what the site is called is said. */
static void add_own_names(const struct site *site, struct trust_names *all, const char **names,
                          char (*buffers)[SITE_NAME_MAX + SITE_LABEL_MAX])
{
    const struct site_config *config = site->config;
    const char *const labels[] = {config->web.name, "gateway", "ns"};
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        if (labels[i][0] == '\0' || (i > 0 && site->node == NULL))
            continue;
        snprintf(buffers[i], sizeof buffers[i], "%s.%s", labels[i], config->domain);
        names[all->name_count++] = labels[i]; /* the resolver completes it (resolv.conf(5), search) */
        names[all->name_count++] = buffers[i];
    }
}

/* For all by which the site's hosts and the host itself may call it. */
static int own_certificate(const struct site *site, const struct site_tls *config, char *chain,
                           char *key, struct text *error)
{
    const struct site_config *site_config = site->config;
    struct trust trust;
    char wildcard[SITE_NAME_MAX + 2], host[SITE_LABEL_MAX] = "";
    char buffers[3][SITE_NAME_MAX + SITE_LABEL_MAX];
    const char *names[10] = {site_config->domain, wildcard, "localhost"};
    struct ip_address addresses[4], loopback = {.octets = {[15] = 1}};
    struct trust_names all = {.subject = site_config->domain,
                              .names = names,
                              .name_count = 3,
                              .addresses = addresses};
    snprintf(wildcard, sizeof wildcard, "*.%s", site_config->domain);
    add_own_names(site, &all, names, buffers);
    if (gethostname(host, sizeof host - 1) == 0 && site_name_valid(bytes_of_text(host)))
        names[all.name_count++] = host;
    if (site->node != NULL)
        add_address(&all, addresses, &site_config->link.address.address);
    add_address(&all, addresses, &config->listen.address);
    struct ip_address v4 = address_v4(0x7f000001);
    add_address(&all, addresses, &v4);
    add_address(&all, addresses, &loopback);
    int status = open_trust(site, &trust, error);
    return status == 0 ? trust_certificate(&trust, &all, chain, key, error) : status;
}

/* `chain` and `key`, of PATH_MAX each, hold what *out points to. */
static int find_certificate(const struct site *site, const struct site_tls *config, char *chain,
                            char *key, struct tls_certificate *out, struct text *error)
{
    *out = (struct tls_certificate){.chain = chain, .key = key};
    if (config->certificate[0] == '\0')
        return own_certificate(site, config, chain, key, error);
    snprintf(chain, PATH_MAX, "%s", config->certificate);
    if (config->key[0] != '\0')
        snprintf(key, PATH_MAX, "%s", config->key);
    else
        out->key = NULL;
    out->staple = config->staple[0] != '\0' ? config->staple : NULL;
    return 0;
}

static void on_refused(void *self, const struct endpoint *peer, const char *reason)
{
    const struct site *site = self;
    char text[ENDPOINT_TEXT_MAX];
    log_info(site->log, "TLS with %s: %s", endpoint_format(peer, text), reason);
}

int site_tls_start(struct site *site, const struct site_tls *config, const char *service,
                   const char *alpn, struct tls_server **out, struct text *error)
{
    char chain[PATH_MAX], key[PATH_MAX], complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_certificate certificate;
    /* Names are the one service of this kind that several workers have. */
    struct tls_server *first = site->worker > 0 ? site->first->names_tls : NULL;
    int status = find_certificate(site, config, chain, key, &certificate, &reason);
    const struct tls_server_options options = {
        .certificates = &certificate,
        .certificate_count = 1,
        .alpn = alpn,
        .tickets = first != NULL ? tls_server_tickets(first) : NULL,
    };
    if (status == 0)
        status = tls_server_new(site->loop, &options, &reason, out);
    if (status < 0) {
        text_add_format(error, "%s over TLS: %s", service,
                        complaint[0] != '\0' ? complaint : strerror(-status));
        return status;
    }
    tls_server_set_refused(*out, on_refused, site);
    return 0;
}

void site_tls_reload(struct site *site, const struct site_tls *config, const char *service,
                     struct tls_server *server)
{
    char chain[PATH_MAX], key[PATH_MAX], complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_certificate certificate;
    if (server == NULL)
        return;
    int status = find_certificate(site, config, chain, key, &certificate, &reason);
    if (status == 0)
        status = tls_server_reload(server, &certificate, 1, &reason);
    if (status < 0)
        log_error(site->log, "%s over TLS goes on with the certificate that it has: %s", service,
                  complaint[0] != '\0' ? complaint : strerror(-status));
}

/* ---- the web server ---- */

/* Of a host with names of its own. */
static int host_certificate(const struct site *site, const struct web_host *host, char *chain,
                            char *key, struct text *error)
{
    const char *names[WEB_HOST_NAMES_MAX];
    struct ip_address addresses[WEB_HOST_NAMES_MAX];
    struct trust trust;
    struct trust_names all = {
        .subject = host->names[0], .names = names, .addresses = addresses};
    for (uint32_t i = 0; i < host->name_count; i++) {
        if (address_parse(bytes_of_text(host->names[i]), &addresses[all.address_count]))
            all.address_count++;
        else
            names[all.name_count++] = host->names[i];
    }
    int status = open_trust(site, &trust, error);
    return status == 0 ? trust_certificate(&trust, &all, chain, key, error) : status;
}

int site_tls_web(struct site *site, struct web_config *web, struct text *error)
{
    struct site_tls first = {.listen = web->listens[0].at};
    for (uint32_t i = 0; i < web->host_count && web_tls_wanted(web); i++) {
        struct web_host *host = &web->hosts[i];
        char chain[PATH_MAX], key[PATH_MAX];
        if (host->certificate[0] != '\0')
            continue;
        int status = i == 0 ? own_certificate(site, &first, chain, key, error)
                            : host_certificate(site, host, chain, key, error);
        if (status < 0)
            return status;
        if (strlen(chain) >= sizeof host->certificate || strlen(key) >= sizeof host->key) {
            text_add_format(error, "%s: %s", chain, strerror(ENAMETOOLONG));
            return -ENAMETOOLONG;
        }
        memcpy(host->certificate, chain, strlen(chain) + 1);
        memcpy(host->key, key, strlen(key) + 1);
    }
    return 0;
}

/* ---- primaries ---- */

static bool wants_tls(const struct site_secondaries *secondaries)
{
    for (size_t i = 0; i < secondaries->count; i++)
        for (size_t j = 0; j < secondaries->zones[i].primaries.count; j++)
            if (secondaries->zones[i].primaries.peers[j].secure)
                return true;
    return false;
}

int site_tls_primaries(struct site *site, struct text *error)
{
    char complaint[512] = "", path[SITE_PATH_MAX];
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_client_options strict = {.alpn = "dot"};
    struct tls_client_options anybody = {.alpn = "dot", .trust_anybody = true};
    const char *trust = site->config->names.primaries_trust;
    if (site->primaries_tls != NULL || !wants_tls(&site->config->secondaries))
        return 0;
    if (trust[0] != '\0')
        strict.trust_file = site_path(site->config, trust, path);
    int status = tls_client_new(site->loop, &strict, &reason, &site->primaries_tls);
    if (status == 0)
        status = tls_client_new(site->loop, &anybody, &reason, &site->primaries_tls_anybody);
    if (status < 0)
        text_add_format(error, "primaries-trust: %s",
                        complaint[0] != '\0' ? complaint : strerror(-status));
    return status;
}

/* ---- forwarders ---- */

int site_tls_forwarders(struct site *site, const struct site_recursion *from,
                        struct names_recursion *to, struct text *error)
{
    char complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_client_options strict = {.alpn = "dot"};
    struct tls_client_options anybody = {.alpn = "dot", .trust_anybody = true};
    if (from->secure_count == 0)
        return 0;
    if (from->forward_trust[0] != '\0')
        strict.trust_file = from->forward_trust;
    int status = 0;
    if (site->forwarders_tls == NULL) /* else there is another resolver that asks so */
        status = tls_client_new(site->loop, &strict, &reason, &site->forwarders_tls);
    if (status == 0 && site->forwarders_tls_anybody == NULL)
        status = tls_client_new(site->loop, &anybody, &reason, &site->forwarders_tls_anybody);
    if (status < 0) {
        text_add_format(error, "forward-trust: %s",
                        complaint[0] != '\0' ? complaint : strerror(-status));
        return status;
    }
    to->tls = site->forwarders_tls;
    to->tls_anybody = site->forwarders_tls_anybody;
    to->secure_count = from->secure_count;
    for (size_t i = 0; i < from->secure_count; i++) {
        to->secure[i].server = from->secure[i].server;
        snprintf(to->secure[i].name, sizeof to->secure[i].name, "%s", from->secure[i].name);
    }
    return 0;
}

/* SPDX-License-Identifier: ISC */
/* site_proxy.c - the block "proxy". */
#include "site/site_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/web/web_log.h"
#include "site/site_internal.h"
#include "site/site_tls.h"
#include "wire/http/http_octets.h"
#include "wire/http/uri_reference.h"
#include "wire/http/uri.h"

/* ---- values ---- */

bool site_proxy_parse_listen(struct bytes text, void *field, const struct site_option *option)
{
    struct site_proxy *proxy = field;
    size_t space = bytes_find(text, ' ');
    struct bytes rest = text_trim(bytes_after(text, space));
    bool tls = bytes_equal(rest, bytes_of_text("tls"));
    if ((rest.len > 0 && !tls) || proxy->listen_count == PROXY_LISTENS_MAX)
        return false;
    struct site_proxy_listen *listen = &proxy->listens[proxy->listen_count];
    listen->at.address = address_any_v6();
    listen->tls = tls;
    if (!site_listen_parse(bytes_first(text, space), tls ? 443 : (uint16_t)option->min,
                           &listen->at))
        return false;
    proxy->listen_count++;
    return true;
}

/* [http[s]://]HOST[:PORT] */
static bool parse_server(struct bytes text, uint16_t default_port, struct proxy_server *out)
{
    struct uri_parts parts;
    struct bytes host;
    uint16_t port = 0;
    bool tls = false;
    uri_split(text, &parts);
    if (parts.has_authority) {
        tls = bytes_equal_nocase(parts.scheme, bytes_of_text("https"));
        if ((!tls && !bytes_equal_nocase(parts.scheme, bytes_of_text("http"))) ||
            parts.path.len > 1 || parts.has_query || parts.has_fragment)
            return false;
        text = parts.authority;
        default_port = tls ? 443 : 80;
    }
    if (!uri_authority_parse(text, &host, &port) || host.len >= PROXY_NAME_MAX)
        return false;
    memset(out, 0, sizeof *out); /* a reload compares it octet by octet */
    memcpy(out->host, host.data, host.len);
    out->port = port != 0 ? port : default_port;
    out->tls = tls;
    return true;
}

static bool add_server(struct site_proxy *proxy, struct bytes text, uint16_t port)
{
    if (proxy->server_count == PROXY_ORIGINS_MAX ||
        !parse_server(text, port, &proxy->servers[proxy->server_count]))
        return false;
    proxy->server_count++;
    return true;
}

bool site_proxy_parse_server(struct bytes text, void *field,
                             const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    proxy->reverse = true;
    return add_server(proxy, text, 80);
}

bool site_proxy_parse_parent(struct bytes text, void *field,
                             const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    proxy->parents = true;
    return add_server(proxy, text, 3128);
}

bool site_proxy_parse_balance(struct bytes text, void *field,
                              const struct site_option *option UNUSED)
{
    static const char *const words[] = {[PROXY_ROUND_ROBIN] = "round-robin",
                                        [PROXY_LEAST_CONNECTIONS] = "least-connections",
                                        [PROXY_HASH] = "hash"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal(text, bytes_of_text(words[i]))) {
            *(enum proxy_balance *)field = (enum proxy_balance)i;
            return true;
        }
    }
    return false;
}

static bool add_network(struct bytes text, struct ip_prefix *list, uint32_t *count)
{
    if (*count == PROXY_ALLOWED_MAX || !site_network_parse(text, &list[*count]))
        return false;
    ++*count;
    return true;
}

bool site_proxy_parse_allow(struct bytes text, void *field,
                            const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    if (bytes_equal(text, bytes_of_text("everybody"))) {
        proxy->everybody = true;
        return true;
    }
    return add_network(text, proxy->allowed, &proxy->allowed_count);
}

bool site_proxy_parse_purgers(struct bytes text, void *field,
                              const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    return add_network(text, proxy->purgers, &proxy->purger_count);
}

bool site_proxy_parse_ports(struct bytes text, void *field,
                            const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    size_t dash = bytes_find(text, '-');
    uint64_t first, last;
    if (proxy->port_count == PROXY_PORTS_MAX ||
        !text_parse_number(text_trim(bytes_first(text, dash)), UINT16_MAX, &first))
        return false;
    last = first;
    if (dash < text.len &&
        !text_parse_number(text_trim(bytes_after(text, dash + 1)), UINT16_MAX, &last))
        return false;
    if (first == 0 || first > last)
        return false;
    proxy->ports[proxy->port_count++] =
        (struct proxy_port_range){(uint16_t)first, (uint16_t)last};
    return true;
}

bool site_proxy_parse_name(struct bytes text, void *field,
                           const struct site_option *option UNUSED)
{
    char *name = field;
    if (text.len >= SITE_LABEL_MAX || !http_is_token(text))
        return false;
    memset(name, 0, SITE_LABEL_MAX);
    memcpy(name, text.data, text.len);
    return true;
}

/* ---- the whole ---- */

/* Nobody means to serve the world by a forward proxy that says nothing of whom it serves. */
static void allow_neighbours(struct site_proxy *proxy)
{
    static const char *const near[] = {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                       "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"};
    for (size_t i = 0; i < ARRAY_LEN(near); i++) {
        bool good = add_network(bytes_of_text(near[i]), proxy->allowed, &proxy->allowed_count);
        ASSERT(good);
    }
}

/* Two proxies with one name would take each other for a loop. */
static void make_name(struct site_proxy *proxy)
{
    char host[SITE_LABEL_MAX] = "";
    (void)gethostname(host, sizeof host - 1);
    if (!http_is_token(bytes_of_text(host)))
        snprintf(host, sizeof host, "wholenet");
    snprintf(proxy->name, sizeof proxy->name, "%.50s-%u", host,
             (unsigned)proxy->listens[0].at.port);
}

bool site_proxy_finish(struct site_config *config, struct text *error)
{
    struct site_proxy *proxy = &config->proxy;
    if (!proxy->present)
        return true;
    if (proxy->reverse && proxy->parents) {
        text_add(error, "proxy: expected either servers, which it stands before, or parents, by which "
                        "it goes on");
        return false;
    }
    if (proxy->listen_count == 0) {
        proxy->listens[0].at = (struct endpoint){address_any_v6(), 3128};
        proxy->listen_count = 1;
    }
    if (!proxy->reverse && proxy->allowed_count == 0 && !proxy->everybody)
        allow_neighbours(proxy);
    if (!proxy->forwarded_given)
        proxy->forwarded = proxy->reverse;
    if (proxy->name[0] == '\0')
        make_name(proxy);
    return true;
}

/* ---- the service ---- */

/* Structures come zeroed, so padding does not count. */
bool site_proxy_same(const struct site_config *a, const struct site_config *b)
{
    return memcmp(&a->proxy, &b->proxy, sizeof a->proxy) == 0;
}

static void on_request(void *self, const struct proxy_request *request)
{
    struct site *site = self;
    char how[64];
    /* In the place of the browser's name stands what the cache has done. */
    snprintf(how, sizeof how, "cache=%s", request->how);
    const struct web_request logged = {
        .peer = request->peer,
        .method = request->method,
        .target = request->target,
        .protocol = "HTTP/1.1",
        .user = strcmp(request->user, "-") == 0 ? "" : request->user,
        .host = "",
        .referer = "",
        .agent = how,
        .status = request->status,
        .octets = request->octets,
        .duration = request->duration,
    };
    web_log_add(site->proxy_log, &logged);
}

static int start_tls(struct site *site, struct text *error)
{
    const struct site_proxy *proxy = &site->config->proxy;
    char complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_client_options options = {.alpn = "http/1.1"};
    if (proxy->trust[0] != '\0')
        options.trust_file = proxy->trust;
    int status = tls_client_new(site->loop, &options, &reason, &site->proxy_tls_client);
    if (status < 0) {
        text_add_format(error, "proxy: %s", complaint);
        return status;
    }
    bool listens = false;
    for (uint32_t i = 0; i < proxy->listen_count; i++)
        listens |= proxy->listens[i].tls;
    return listens ? site_tls_start(site, &proxy->tls, "proxy", "http/1.1",
                                    &site->proxy_tls_server, error)
                   : 0;
}

static void fill_options(const struct site *site, struct proxy_options *o)
{
    const struct site_proxy *p = &site->config->proxy;
    *o = (struct proxy_options){
        .listen_count = p->listen_count,
        .tls_server = site->proxy_tls_server,
        .name = p->name,
        .reverse = p->reverse,
        .server_count = p->server_count,
        .balance = p->balance,
        .keep_host = p->keep_host,
        .forwarded = p->forwarded,
        .cache_private = p->cache_private,
        .cache_octets = (size_t)p->cache_octets,
        .object_octets = (size_t)p->object_octets,
        .allowed_count = p->allowed_count,
        .purger_count = p->purger_count,
        .port_count = p->port_count,
        .users = p->users[0] != '\0' ? p->users : NULL,
        .realm = p->realm[0] != '\0' ? p->realm : NULL,
        .connect_timeout = p->connect_timeout,
        .answer_timeout = p->answer_timeout,
        .tunnel_timeout = p->tunnel_timeout,
        .connections_max = p->connections_max,
        .outside = site->outside,
        .tls_client = site->proxy_tls_client,
    };
    for (uint32_t i = 0; i < p->listen_count; i++) {
        o->listens[i].at = p->listens[i].at;
        o->listens[i].tls = p->listens[i].tls;
    }
    memcpy(o->servers, p->servers, sizeof o->servers);
    memcpy(o->allowed, p->allowed, sizeof o->allowed);
    memcpy(o->purgers, p->purgers, sizeof o->purgers);
    memcpy(o->ports, p->ports, sizeof o->ports);
}

int site_proxy_start(struct site *site, struct text *error)
{
    const struct site_proxy *config = &site->config->proxy;
    if (!config->present)
        return 0;
    int status = start_tls(site, error);
    if (status < 0)
        return status;
    if (config->access_log[0] != '\0') {
        status = web_log_open(site->loop, config->access_log, config->log_format,
                              &site->proxy_log);
        if (status < 0) {
            text_add_format(error, "proxy: cannot write %s: %s", config->access_log,
                            strerror(-status));
            return status;
        }
    }
    struct proxy_options options;
    fill_options(site, &options);
    if (site->proxy_log != NULL)
        options.on_request = on_request;
    options.on_request_self = site;
    status = proxy_new(site->inside, &options, &site->proxy);
    if (status == -EINVAL && options.users != NULL)
        text_add_format(error, "proxy: %s: expected lines NAME:HASH", options.users);
    else if (status < 0)
        text_add_format(error, "cannot start the proxy: %s", strerror(-status));
    return status;
}

void site_proxy_stop(struct site *site)
{
    proxy_free(site->proxy);
    site->proxy = NULL;
    tls_server_free(site->proxy_tls_server);
    site->proxy_tls_server = NULL;
    tls_client_free(site->proxy_tls_client);
    site->proxy_tls_client = NULL;
    web_log_free(site->proxy_log);
    site->proxy_log = NULL;
}

void site_proxy_reload(struct site *site)
{
    if (site->proxy == NULL)
        return;
    if (site->proxy_log != NULL && web_log_reopen(site->proxy_log) < 0)
        log_error(site->log, "proxy: the access log cannot be opened anew");
    site_tls_reload(site, &site->config->proxy.tls, "proxy", site->proxy_tls_server);
}

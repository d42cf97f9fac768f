/* SPDX-License-Identifier: ISC */
/*
 * site_proxy_options.c - the options of the block "proxy".
 */
#include "site/site_proxy.h"
#include "site/site_upstream.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "site/site_values.h"
#include "site/site_web.h"
#include "wire/http/http_octets.h"
#include "wire/http/uri.h"
#include "wire/http/uri_reference.h"

static bool parse_listen(struct bytes text, void *field, const struct site_option *option)
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

static bool add_server(struct site_proxy *proxy, struct bytes text, uint16_t port)
{
    if (proxy->server_count == PROXY_ORIGINS_MAX ||
        !site_upstream_place(text, port, &proxy->servers[proxy->server_count], NULL))
        return false;
    proxy->server_count++;
    return true;
}

static bool parse_origin(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    proxy->reverse = true;
    return add_server(proxy, text, 80);
}

static bool parse_parent(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    proxy->parents = true;
    return add_server(proxy, text, 3128);
}

static bool add_network(struct bytes text, struct ip_prefix *list, uint32_t *count)
{
    if (*count == PROXY_ALLOWED_MAX || !site_network_parse(text, &list[*count]))
        return false;
    ++*count;
    return true;
}

static bool parse_allow(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    if (bytes_equal(text, bytes_of_text("everybody"))) {
        proxy->everybody = true;
        return true;
    }
    return add_network(text, proxy->allowed, &proxy->allowed_count);
}

static bool parse_purgers(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_proxy *proxy = field;
    return add_network(text, proxy->purgers, &proxy->purger_count);
}

static bool parse_ports(struct bytes text, void *field, const struct site_option *option UNUSED)
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

static bool parse_name(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    char *name = field;
    if (text.len >= SITE_LABEL_MAX || !http_is_token(text))
        return false;
    memset(name, 0, SITE_LABEL_MAX);
    memcpy(name, text.data, text.len);
    return true;
}

static bool parse_forwarded(struct bytes text, void *field, const struct site_option *option)
{
    struct site_proxy *proxy = field;
    proxy->forwarded_given = true;
    return site_parse_switch(text, &proxy->forwarded, option);
}

/* A size, or 0 for no cache at all. */
static bool parse_cache(struct bytes text, void *field, const struct site_option *option)
{
    if (text.len == 1 && text.data[0] == '0') {
        *(uint64_t *)field = 0;
        return true;
    }
    return site_parse_size(text, field, option);
}

/* Of the first block; the others lie behind it. */
#define PROXY(member) offsetof(struct site_config, proxies[0] member)

static const struct site_option options[] = {
    {"proxy", "listen", parse_listen, PROXY(), 3128, 0, true,
     "an address and port, \"tls\" behind it for TLS, at most 4 of them"},
    {"proxy", "name", parse_name, PROXY(.name), 0, 0, false, "a word of at most 63 octets"},
    {"proxy", "servers", parse_origin, PROXY(), 0, 0, true,
     "servers such as 10.0.0.5:8000 or https://origin.example, with weight=N or backup behind, at most 32 of "
     "them"},
    {"proxy", "parents", parse_parent, PROXY(), 0, 0, true,
     "proxies such as 10.0.0.1:3128, at most 32 of them"},
    {"proxy", "balance", site_upstream_balance, PROXY(.balance), 0, 0, false,
     SITE_BALANCE_TEXT},
    {"proxy", "health", site_upstream_health, PROXY(.health), 0, 0, false,
     SITE_HEALTH_TEXT},
    {"proxy", "slow-start", site_parse_duration, PROXY(.slow_start), 0, USEC_PER_HOUR, false,
     SITE_DURATION_TEXT ", at most 1h"},
    {"proxy", "keep-host", site_parse_switch, PROXY(.keep_host), 0, 0, false, "on or off"},
    {"proxy", "forwarded", parse_forwarded, PROXY(), 0, 0, false, "on or off"},
    {"proxy", "cache", parse_cache, PROXY(.cache_octets), 64 * 1024, (uint64_t)1 << 40,
     false,
     "a number of octets such as 64M, at least 64k, or 0"},
    {"proxy", "object-max", site_parse_size, PROXY(.object_octets), 1024, (uint64_t)1 << 40,
     false,
     "a number of octets such as 16M, at least 1k"},
    {"proxy", "disk", site_parse_path, PROXY(.disk), 0, SITE_TEXT_MAX, false,
     "a directory"},
    {"proxy", "disk-size", site_parse_size, PROXY(.disk_octets), 1024 * 1024,
     (uint64_t)1 << 50, false, "a number of octets such as 10G, at least 1M"},
    {"proxy", "disk-object-max", site_parse_size, PROXY(.disk_object_octets), 1024,
     (uint64_t)1 << 50, false, "a number of octets such as 500M, at least 1k"},
    {"proxy", "transparent", site_parse_switch, PROXY(.transparent), 0, 0, false,
     "on or off"},
    {"proxy", "private", site_parse_switch, PROXY(.cache_private), 0, 0, false, "on or off"},
    {"proxy", "allow", parse_allow, PROXY(), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, at most 32, or everybody"},
    {"proxy", "purge-allow", parse_purgers, PROXY(), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, at most 32"},
    {"proxy", "connect-ports", parse_ports, PROXY(), 0, 0, true,
     "ports such as 443 or 8000-8999, at most 16 of them"},
    {"proxy", "users", site_parse_path, PROXY(.users), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "realm", site_parse_text, PROXY(.realm), 0, SITE_LABEL_MAX, false,
     "a text of at most 63 octets"},
    {"proxy", "trust", site_parse_path, PROXY(.trust), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "certificate", site_parse_path, PROXY(.tls.certificate), 0, SITE_TEXT_MAX,
     false,
     "a file"},
    {"proxy", "certificate-key", site_parse_path, PROXY(.tls.key), 0, SITE_TEXT_MAX, false,
     "a file"},
    {"proxy", "certificate-staple", site_parse_path, PROXY(.tls.staple), 0, SITE_TEXT_MAX,
     false, "a file"},
    {"proxy", "connect-timeout", site_parse_duration, PROXY(.connect_timeout), USEC_PER_MSEC,
     USEC_PER_HOUR, false, SITE_DURATION_TEXT ", at most 1h"},
    {"proxy", "answer-timeout", site_parse_duration, PROXY(.answer_timeout), USEC_PER_MSEC,
     USEC_PER_DAY, false, SITE_DURATION_TEXT ", at most 1d"},
    {"proxy", "tunnel-timeout", site_parse_duration, PROXY(.tunnel_timeout), USEC_PER_SEC,
     30 * USEC_PER_DAY, false, SITE_DURATION_TEXT ", from 1s to 30d"},
    {"proxy", "connections", site_parse_number, PROXY(.connections_max), 1, 1000000, false,
     "a number from 1 to 1000000"},
    {"proxy", "rate", site_parse_size, PROXY(.rate), 1024, (uint64_t)1 << 40, false,
     "octets a second such as 1M, at least 1k"},
    {"proxy", "client-rate", site_parse_size, PROXY(.client_rate), 1024, (uint64_t)1 << 40,
     false, "octets a second such as 5M, at least 1k"},
    {"proxy", "access-log", site_parse_path, PROXY(.access_log), 0, SITE_TEXT_MAX, false,
     "a file"},
    {"proxy", "log-format", site_web_parse_log_format, PROXY(.log_format), 0, 0, false,
     "combined or json"},
};

const struct site_option_table site_proxy_options = {options, ARRAY_LEN(options)};

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

#define DISK_OCTETS (UINT64_C(1024) * 1024 * 1024)

static bool finish(const struct site_config *config, struct site_proxy *proxy,
                   struct text *error)
{
    if (proxy->reverse && proxy->parents) {
        text_add(error, "proxy: expected either servers, which it stands before, or parents, by which "
                        "it goes on");
        return false;
    }
    if (proxy->transparent && (proxy->reverse || !config->gateway.present)) {
        text_add(error, "proxy: expected a gateway and no servers, for transparent");
        return false;
    }
    if (proxy->disk[0] != '\0' && proxy->cache_octets == 0) {
        text_add(error, "proxy: expected a cache in memory, too, before one on a disk");
        return false;
    }
    if (proxy->disk_octets == 0)
        proxy->disk_octets = DISK_OCTETS;
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

bool site_proxy_finish(struct site_config *config, struct text *error)
{
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++)
        if (config->proxies[i].present && !finish(config, &config->proxies[i], error))
            return false;
    return true;
}

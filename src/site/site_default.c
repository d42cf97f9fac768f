/* SPDX-License-Identifier: ISC */
/* site_default.c - the site that there is without a file, and what one has of which its file says nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "site/site_file.h"
#include "stack/tcp/tcp_profile.h"

const char site_builtin_text[] =
    "# The site that `wholenet run` has when it is given no other.\n"
    "domain = \"home.arpa\"\n"
    "\n"
    "link \"tap:eth0\" {\n"
    "    address = \"10.0.2.1/24\"     # ours: the gateway, ns and www\n"
    "    mtu = 1500\n"
    "}\n"
    "\n"
    "gateway {\n"
    "    internet = host             # what is not the site's goes through the host's sockets\n"
    "    host-loopback = on          # 10.0.2.2, host.home.arpa, is the host's 127.0.0.1\n"
    "}\n"
    "\n"
    "addresses {\n"
    "    pool = \"10.0.2.15-10.0.2.254\"\n"
    "    lease-time = 7d\n"
    "}\n"
    "\n"
    "names {\n"
    "    forward = {host}            # other names: to the resolvers of the host\n"
    "}\n"
    "\n"
    "web {\n"
    "    name = www\n"
    "    listen = {80, \"443 tls\"}   # with a certificate that programs inside trust\n"
    "}\n";

struct site_config *site_config_new(const char *name)
{
    struct site_config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    if (name != NULL)
        snprintf(config->file, sizeof config->file, "%s", name);
    snprintf(config->domain, sizeof config->domain, "home.arpa");
    config->workers = 1;
    config->link.address = (struct ip_prefix){address_v4(0x0a000201), 24};
    config->link.mtu = 1500;
    config->link.congestion = tcp_profile_default.congestion;
    config->link.ecn = tcp_profile_default.ecn;
    config->link.syn_cookies = tcp_profile_default.syn_cookies;
    config->gateway.internet = true;
    config->gateway.host_loopback = true;
    config->gateway.host_address = address_any_v4();
    config->addresses.lease_time = 7 * 24 * USEC_PER_HOUR;
    config->addresses.router = address_any_v4();
    config->addresses.pool_first = address_any_v4();
    config->addresses.pool_last = address_any_v4();
    config->names.listen = (struct endpoint){address_any_v6(), 53};
    config->names.ttl = USEC_PER_MINUTE;
    config->recursion.v4 = true;
    config->recursion.v6 = true;
    config->recursion.minimise = true;
    config->recursion.aggressive = true;
    config->recursion.port = 53;
    config->recursion.cache_octets = (uint64_t)64 * 1024 * 1024;
    config->recursion.ttl_max = USEC_PER_DAY;
    config->recursion.negative_ttl_max = USEC_PER_HOUR;
    config->authority.udp_size = 1232; /* DNS_UDP_SIZE_DEFAULT */
    config->authority.rate_slip = 2;
    config->authority.rate_prefix_v4 = 24;
    config->authority.rate_prefix_v6 = 56;
    snprintf(config->web.name, sizeof config->web.name, "www");
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++)
        config->proxies[i].cache_octets = 64 * 1024 * 1024;
    return config;
}

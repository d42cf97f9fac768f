/* SPDX-License-Identifier: ISC */
/* resolvers.c - the servers of resolv.conf(5). */
#include "site/resolvers.h"

#include <stdlib.h>

#include "os/file.h"
#include "proto/dns/resolv_conf.h"

enum { RESOLV_CONF_MAX = 64 * 1024 };

size_t resolvers_parse(struct bytes content, struct endpoint *out, size_t max)
{
    struct resolv_conf conf;
    resolv_conf_init(&conf);
    resolv_conf_parse(content, &conf);
    size_t count = conf.server_count < max ? conf.server_count : max;
    memcpy(out, conf.servers, count * sizeof *out);
    return count;
}

size_t resolvers_of_host(struct endpoint *out, size_t max)
{
    char *content;
    size_t len;
    if (file_read("/etc/resolv.conf", RESOLV_CONF_MAX, &content, &len) < 0)
        return 0;
    size_t count = resolvers_parse(bytes_of(content, len), out, max);
    free(content);
    return count;
}

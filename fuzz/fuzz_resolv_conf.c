/* SPDX-License-Identifier: ISC */
/* fuzz_resolv_conf.c - any octets as resolv.conf: what comes out is within its bounds. */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/resolv_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes content = bytes_of(data, len);
    struct resolv_conf conf;
    resolv_conf_init(&conf);
    resolv_conf_parse(content, &conf);
    ASSERT(conf.server_count <= RESOLV_SERVERS_MAX && conf.search_count <= RESOLV_SEARCH_MAX);
    ASSERT(conf.ndots <= RESOLV_NDOTS_MAX && conf.attempts >= 1 && conf.timeout > 0);
    struct bytes typed = bytes_first(content, bytes_find(content, '\n'));
    struct dns_name name;
    unsigned turn = 0;
    while (resolv_conf_candidate(&conf, typed, turn, &name))
        turn++;
    ASSERT(turn <= RESOLV_SEARCH_MAX + 1);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * fuzz_zone_load.c - any octets as a zone's file that may include itself: it ends, what is refused has
 * a reason, what is taken can be asked for each of its names and holds together.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/zone_check.h"
#include "proto/dns/zone_load.h"

enum { RECORDS_MAX = 3000, SLICE = 7 };

static const char *open_file(void *self, const char *path, struct bytes *out)
{
    ASSERT(path[0] != '\0');
    *out = *(const struct bytes *)self;
    return NULL;
}

static void close_file(void *self, struct bytes text)
{
    ASSERT(text.data == ((const struct bytes *)self)->data);
}

static void note(void *self, const char *text)
{
    (void)self;
    ASSERT(text[0] != '\0');
}

static void check(const struct zone *zone)
{
    size_t count = 0;
    const struct zone_node *node = trie_first(&zone->nodes);
    for (; node != NULL; count++) {
        struct dns_name name;
        struct zone_match match;
        zone_node_name(zone, node, &name);
        zone_find_in(zone, &name, &match);
        ASSERT(match.node == node && match.encloser == node);
        node = trie_after(&zone->nodes, bytes_of(node->key, node->key_len));
    }
    ASSERT(count == zone->nodes.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes text = bytes_of(data, len);
    struct dns_name name;
    ASSERT(dns_name_parse(bytes_of_text("a"), NULL, &name));
    const struct zone_load_options options = {
        .heap = memory_heap(),
        .files = {open_file, close_file, &text},
        .path = "a.zone",
        .name = &name,
        .records_max = RECORDS_MAX,
        .on_warning = note,
    };
    struct zone_load *load = zone_load_new(&options);
    ASSERT(load != NULL);
    enum zone_load_status status = ZONE_LOAD_MORE;
    for (size_t i = 0; i < RECORDS_MAX && status == ZONE_LOAD_MORE; i++)
        status = zone_load_step(load, SLICE);
    if (status == ZONE_LOAD_FAILED)
        ASSERT(zone_load_error(load)[0] != '\0');
    if (status == ZONE_LOAD_DONE) {
        struct zone *zone = zone_load_take(load);
        ASSERT(zone_is_served(zone));
        check(zone);
        zone_free(zone);
    }
    zone_load_free(load);
    return 0;
}

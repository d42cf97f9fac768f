/* SPDX-License-Identifier: ISC */
/*
 * zone_load.h - a zone from its master file (RFC 1035 §5), a slice at a time, so that a server goes on
 * answering while a large one is read. What is wrong is said with file, line and column, and then
 * there is no zone at all.
 */
#ifndef WN_PROTO_DNS_ZONE_LOAD_H
#define WN_PROTO_DNS_ZONE_LOAD_H

#include "proto/dns/zone.h"

enum {
    ZONE_LOAD_DEPTH_MAX = 8,    /* files that include each other */
    ZONE_LOAD_MESSAGE_MAX = 1024,
    ZONE_LOAD_WARNINGS_MAX = 20, /* of one zone; more are counted */
};

/* Where the text comes from. */
struct zone_files {
    /* The whole file, which stays until it is closed. Not NULL: why it cannot be had; static. */
    const char *(*open)(void *self, const char *path, struct bytes *out);
    void (*close)(void *self, struct bytes text);
    void *self;
};

struct zone_load_options {
    struct heap heap;
    struct zone_files files;
    const char *path;     /* of the file; copied */
    const struct dns_name *name;
    size_t records_max;
    /* What is not quite right, with its place. May be NULL. */
    void (*on_warning)(void *self, const char *text);
    void *self;
};

struct zone_load;

/* NULL: no memory. */
MUST_USE struct zone_load *zone_load_new(const struct zone_load_options *options);
void zone_load_free(struct zone_load *load);

/* Ends it and hands over what there is of the zone, for who takes large ones apart by steps (zone_empty());
 * or NULL. */
MUST_USE struct zone *zone_load_abandon(struct zone_load *load);

enum zone_load_status { ZONE_LOAD_MORE, ZONE_LOAD_DONE, ZONE_LOAD_FAILED };

/* Reads at most so many records more; after the last one, looks at so many names. */
MUST_USE enum zone_load_status zone_load_step(struct zone_load *load, size_t records);

/* After ZONE_LOAD_DONE: the zone, which is the caller's from now on. */
MUST_USE struct zone *zone_load_take(struct zone_load *load);

/* After ZONE_LOAD_FAILED: "FILE:LINE:COLUMN: what is wrong". Valid until it is freed. */
const char *zone_load_error(const struct zone_load *load);

#endif

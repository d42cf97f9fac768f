/* SPDX-License-Identifier: ISC */
/*
 * site_zones_internal.h - what the parts of loading zones share. Private to site/:
 *
 *      site_zone_list.c    which there are
 *      site_zones.c        one after the other, at the start, and when the configuration is loaded again
 *      site_zones_load.c   the way of one from its file to its place
 */
#ifndef WN_SITE_SITE_ZONES_INTERNAL_H
#define WN_SITE_SITE_ZONES_INTERNAL_H

#include "os/file.h"
#include "proto/dns/zone_difference.h"
#include "site/site_zone_list.h"
#include "site/site_zones.h"

struct site_zones {
    struct loop *loop;
    const struct log *log;
    struct names *names;
    struct site_zone_list entries;
    struct file_reading reading; /* of the file of entries.all[next] */
    char *text;             /* all of it; NULL: not yet */
    size_t text_len;
    struct zone_load *load; /* of it, in slices */
    struct zone *unsigned_zone; /* that zone, loaded, and being signed; NULL: none */
    uint32_t replayed_at;   /* what the data of the one before it had come to then */
    struct zone *fresh;     /* that zone, loaded, and compared with the one before it; NULL: none */
    struct zone_difference difference;
    struct zone_change change; /* what it comes to */
    size_t next;
    size_t failed_count;
    struct task task;
    struct zone *old; /* being taken apart; NULL: none */
    struct site_signing *signing;
    struct net *outside;
    size_t started; /* signatures that were asked for at the start */
    bool signed_too; /* the zones that are not signed are loaded: now those that are */
};

/* At most so many records more of the zone that is next, which there is; before, so many names less of what it has
 * left behind. SIZE_MAX: as far as it goes. */
void site_zones_step(struct site_zones *zones, size_t records);

/* A zone that is not there, or not yet, is nobody else's: its names are answered SERVFAIL. */
void site_zones_hold_place(struct site_zones *zones, const struct site_zone_entry *entry);

/* What is under way is given up; what is served stays. */
void site_zones_abandon(struct site_zones *zones);

#endif

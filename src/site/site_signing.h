/* SPDX-License-Identifier: ISC */
/*
 * site_signing.h - the zones that a site signs: when they are loaded, before they are served, and from then on
 * for as long as they are, in slices between turns of the loop. Keys are rolled at their times.
 *
 * What is known is in the directory of the keys: the keys with their times (key_ring.h); for each zone a file
 * NAME.serial with a serial number that was not reached yet when the site last ran; and in its folder "signed" the zone as
 * it was signed, with what it has been through (site_signing_keep.c), so that a restart is only a reload. Where that was
 * lost the zone is signed anew, under a later serial number.
 */
#ifndef WN_SITE_SITE_SIGNING_H
#define WN_SITE_SITE_SIGNING_H

#include "io/loop.h"
#include "io/net.h"
#include "os/log.h"
#include "proto/dns/sign.h"
#include "proto/dns/zone_change.h"
#include "site/site_config.h"

struct site_signing;

struct site_signing_options {
    struct loop *loop;
    struct net *net; /* where the servers of parents are; NULL: none is asked */
    const struct log *log;
    const struct site_signatures *signatures; /* which zones, and how; borrowed until the next reload */
    /* The zones of a view, in which those that are served are. */
    struct zone_set *(*zones)(void *self, size_t view);
    /* A zone that is served has another serial number. */
    void (*changed)(void *self, size_t view, const struct dns_name *zone);
    void *self;
};

/* 0 or a negative errno. */
MUST_USE int site_signing_new(const struct site_signing_options *options, struct site_signing **out);
void site_signing_free(struct site_signing *signing);

/* Others may be signed, or in another way: for zones that are loaded from now on. */
void site_signing_reload(struct site_signing *signing, const struct site_signatures *signatures);

/* Is that zone signed here? */
bool site_signing_wants(const struct site_signing *signing, const struct dns_name *zone);

/* The zone as it was served when the site last ran, signed and with its history; it is the caller's, who serves it until
 * what its file says takes its place. NULL: that is not known, or it was loaded already. */
MUST_USE struct zone *site_signing_restore(struct site_signing *signing, size_t view,
                                           const struct dns_name *zone);

/* A zone that was loaded, one at a time, and is not served yet: begins to sign it. Its keys are read, or made if
 * there are none. False: it cannot be signed, which was logged. */
MUST_USE bool site_signing_begin(struct site_signing *signing, size_t view, struct zone *zone);

/* At most so many signatures more. After SIGN_FAILED, which was logged, and SIGN_DONE it has ended. */
MUST_USE enum sign_status site_signing_step(struct site_signing *signing, unsigned signatures);

/* The zone that was signed last will be served in the place of the one that is, if one is: `change` leads to it; NULL: that
 * is not known. Before anybody is told of it. */
void site_signing_keep(struct site_signing *signing, const struct zone_change *change);

/* Nothing comes of the zone that was begun. */
void site_signing_stop(struct site_signing *signing);

/* The zone that was signed last is served now. */
void site_signing_served(struct site_signing *signing);

/* That zone is not served any more, or another in its place, which is not from us. */
void site_signing_forget(struct site_signing *signing, size_t view, const struct dns_name *zone);

/* A zone that is served and signed has been through that change, as UPDATE makes them: signs what follows, gives
 * the next serial number unless the change has another one itself, and puts all of it into the zone's history.
 * False: it could not be signed, and is not whole; it was logged. Zones that are not signed here are none of our
 * business: true. */
MUST_USE bool site_signing_follow(struct site_signing *signing, size_t view, const struct dns_name *zone,
                                  const struct zone_change *change);

/* Every zone that is signed: from 0 on; false: there are no more. Valid until zones are loaded. */
struct site_signing_state {
    const struct dns_name *zone;
    size_t view;
    size_t key_count;
    int64_t due_at;      /* wall-clock seconds: when signatures are to be renewed */
    int64_t key_at;      /* when a key is to do something else; INT64_MAX: never */
    bool waits_for_ds;
    bool in_pass;
    uint64_t signatures; /* made since the start */
};
bool site_signing_state(const struct site_signing *signing, size_t index, struct site_signing_state *out);

#endif

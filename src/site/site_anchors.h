/* SPDX-License-Identifier: ISC */
/*
 * site_anchors.h - trust anchors that follow the rolls of their owners (RFC 5011): when the resolver asks for their
 * keys, and the file in which what was learned survives. The machine is proto/dns/anchor_track.h.
 */
#ifndef WN_SITE_SITE_ANCHORS_H
#define WN_SITE_SITE_ANCHORS_H

#include "app/names/names.h"
#include "app/names/names_resolver.h"
#include "os/log.h"

struct site_anchors;

struct site_anchors_options {
    struct loop *loop;
    const struct log *log;
    const struct validate_crypto *crypto; /* borrowed */
    const char *path; /* of the file; one that does not exist is empty */
    int64_t date;     /* at which signatures are to hold; 0: now */
};

/* Reads the file. 0, or a negative errno and what is wrong in *error. */
MUST_USE int site_anchors_new(const struct site_anchors_options *options, struct site_anchors **out,
                              struct text *error);
void site_anchors_free(struct site_anchors *anchors); /* NULL is nothing */

/* The anchors of *recursion, which are those that are configured, become those that are trusted. They count from
 * now on. */
void site_anchors_apply(struct site_anchors *anchors, struct names_recursion *recursion);

/* The same for another worker, who only takes them. */
void site_anchors_copy(const struct site_anchors *anchors, struct names_recursion *recursion);

/* Begins to ask. *names stays until site_anchors_free(). */
void site_anchors_start(struct site_anchors *anchors, struct names *names);

#endif

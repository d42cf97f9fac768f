/* SPDX-License-Identifier: ISC */
/*
 * site_workers.h - the workers of a site: threads that serve with it what can be served by many, names and web pages, at the same
 * addresses. Each has a struct site of its own with just those parts, on its own loop; all that there is only once is
 * the first one's.
 */
#ifndef WN_SITE_SITE_WORKERS_H
#define WN_SITE_SITE_WORKERS_H

#include "site/site_internal.h"

enum { SITE_STATUS_MAX = 1024 * 1024 };

/* Starts the threads that the configuration wants; they serve nothing yet. For one there is nothing to start. */
MUST_USE int site_workers_new(struct site *site, struct text *error);
void site_workers_free(struct site *site); /* whose parts are stopped */

/* So many does it want. */
size_t site_workers_wanted(const struct site_config *config);

/* The part, at all but the first, which runs it already, or still; a part that is not for many is none of theirs. */
MUST_USE int site_workers_start(struct site *site, const struct site_part *part, struct text *error);
void site_workers_stop(struct site *site, const struct site_part *part);
void site_workers_reload(struct site *site, const struct site_part *part);

/* They go by the first one's configuration from now on. */
void site_workers_configure(struct site *site);

/* All serve. */
void site_workers_ready(struct site *site);

/* The status, for one that is not the first: as the first told it last, which tells it anew then. */
size_t site_workers_status(void *site, char *out, size_t size);

/* Adds up what the web servers of all count. */
void site_workers_web_counters(const struct site *site, struct web_counters *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * site.h - a site in operation: from a site's configuration, a node with its link, the gateway,
 * and the services on it; changed while it runs, and looked at.
 */
#ifndef WN_SITE_SITE_H
#define WN_SITE_SITE_H

#include "io/capture.h"
#include "io/loop.h"
#include "os/log.h"
#include "site/site_config.h"

struct site;

struct site_options {
    struct loop *loop;
    struct site_config *config;  /* finished; taken, also when site_new() fails */
    const struct log *log;       /* borrowed */
    struct capture *capture;     /* borrowed; NULL: none */
    const char *capture_path;    /* for the status; borrowed */
};

/* Starts all that needs no device. 0, or a negative errno and *error says what could not be
 * started, and why; nothing is then left. */
MUST_USE int site_new(const struct site_options *options, struct site **out, struct text *error);
void site_free(struct site *site);

/* The TAP device that is our end of the link. `fd` is taken, also when this fails. */
MUST_USE int site_attach(struct site *site, int fd, const char *name, struct text *error);

/* May frames cross the device with partial checksums and as super-segments? Not on a link that
 * impairs them one by one. */
bool site_wants_offload(const struct site_config *config);

/* Goes over to another configuration, which is taken: what is the same in both goes on undisturbed.
 * When something cannot be started the old one stays: a negative errno, and *error. */
MUST_USE int site_reload(struct site *site, struct site_config *config, struct text *error);

const struct site_config *site_config(const struct site *site);

/* Writes the status as JSON (docs/status.md), at most `size` octets; returns the length, 0 when
 * there is no room. */
size_t site_status(void *site, char *out, size_t size);

/* What the control socket is asked: "status", "cache stats", "cache dump", "cache dump json", "cache
 * flush NAME", "cache flush-below NAME". The answer is to be free()d; NULL: no memory. */
char *site_answer(void *site, const char *question, size_t *len);

/* Is no connection open any more on which something may still be under way? */
bool site_idle(const struct site *site);

/* Says in the log what passed, for the end. */
void site_log_summary(const struct site *site);

#endif

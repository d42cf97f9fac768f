/* SPDX-License-Identifier: ISC */
/*
 * web.h - the site's web server: the page about this network, and files of a directory.
 */
#ifndef WN_APP_WEB_WEB_H
#define WN_APP_WEB_WEB_H

#include "io/net.h"

struct web;

/* What the page about this network shows; asked anew for every request. */
struct web_site {
    /* Writes facts as JSON to `out` (at most `size` octets); returns the length. The shape is that of
     * `wholenet status --json` (docs/status.md). */
    size_t (*status)(void *self, char *out, size_t size);
    void *self;
};

struct web_options {
    struct endpoint listen;
    const char *server_name;  /* "www.home.arpa" */
    const char *domain;       /* "home.arpa" */
    const char *root;         /* directory of files to serve; NULL: only the built-in page */
    unsigned connections_max; /* 0: 4096 */
    struct web_site site;
};

/* 0 or a negative errno; strings are copied. */
MUST_USE int web_new(struct net *net, const struct web_options *options, struct web **out);
void web_free(struct web *web);

struct web_counters {
    uint64_t connections, requests, responses[6]; /* by first digit; [0] unused */
    uint64_t open;                                /* gauge */
    uint64_t octets_sent;
};
void web_counters(const struct web *web, struct web_counters *out);

#endif

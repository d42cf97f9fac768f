/* SPDX-License-Identifier: ISC */
/*
 * web_fastcgi_link.h - servers of FastCGI, by their addresses, and the connections to them, which are kept for a while
 * after a request. What comes on one is told to who opened it. Private to web_fastcgi*.c.
 */
#ifndef WN_APP_WEB_WEB_FASTCGI_LINK_H
#define WN_APP_WEB_WEB_FASTCGI_LINK_H

#include "app/web/web_fastcgi.h"
#include "wire/cgi/fastcgi.h"

struct fcgi_peer {
    struct list_node node; /* in fastcgi->peers */
    char address[WEB_BACKEND_MAX];
    struct list_node idle; /* of links, the last used first */
    unsigned idle_count;
    unsigned open;
    usec down_until;
};

struct fcgi_job;

struct fcgi_link {
    struct web *web;
    struct fcgi_peer *peer;
    struct stream *stream;
    struct list_node node; /* in peer->idle */
    const struct stream_handler *handler;
    struct fcgi_job *job;  /* NULL: idle */
    struct fastcgi_reader reader;
    bool opened;
    bool reused;           /* it has served another request before */
};

/* NULL: there is no room for another. */
struct fcgi_peer *fcgi_peer_of(struct web_fastcgi *fastcgi, const char *address);

/* A new one for that job, whose stream's calls go to `handler` with the link. 0 or a negative errno. */
MUST_USE int fcgi_link_open(struct web *web, struct fcgi_peer *peer,
                            const struct stream_handler *handler, struct fcgi_job *job,
                            struct fcgi_link **out);

/* The one used last of those that are idle, for that job; NULL: none is. */
struct fcgi_link *fcgi_link_take(struct fcgi_peer *peer, struct fcgi_job *job);

/* Its job is done: it is idle now, or closed when there are enough. */
void fcgi_link_keep(struct fcgi_link *link);
void fcgi_link_close(struct fcgi_link *link);
/* The same when its stream has gone already. */
void fcgi_link_drop(struct fcgi_link *link);

#endif

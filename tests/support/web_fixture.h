/* SPDX-License-Identifier: ISC */
/*
 * web_fixture.h - a web service and clients for it, on one loop: on the kernel's loopback, or in one of
 * the worlds of net_world.h.
 */
#ifndef WN_TESTS_SUPPORT_WEB_FIXTURE_H
#define WN_TESTS_SUPPORT_WEB_FIXTURE_H

#include "app/web/web.h"
#include "io/loop.h"
#include "proto/http/http_client.h"
#include "tests/support/net_world.h"

struct web_fixture {
    const struct net_world_kind *kind; /* set before start; NULL: the kernel's loopback */
    uint64_t seed;
    struct net_world world;
    struct loop *loop;
    struct net *net;    /* the server's */
    struct net *client;
    struct web *web;
    struct endpoint at;
    char *root; /* a temporary directory, removed at the end; NULL: none */
    char status[4096]; /* what the site's status callback gives */
    char log[4096];    /* "GET / 200;" for each request */
};

/* `options` NULL: the defaults. The fixture fills in listen, names, site and on_request. */
void web_fixture_start(struct web_fixture *f, const struct web_options *options);
void web_fixture_stop(struct web_fixture *f);

/* Makes a root with files (before start). `len` octets of "abcdefghij" for a content of NULL. */
void web_fixture_make_root(struct web_fixture *f);
void web_fixture_add_file(struct web_fixture *f, const char *name, const char *content, size_t len);

struct fetched {
    unsigned status;  /* 0: failed */
    char fields[2048]; /* "Name: value\n" for each */
    char *body;       /* with a NUL */
    size_t body_len;
    bool reusable;
};

/* One request on a connection of its own. `fields` is "Name: value\n…" or NULL; `body` NULL: none.
 * Free the body. */
struct fetched web_fetch(struct web_fixture *f, const char *method, const char *target,
                         const char *fields, const char *body);

/* Sends the text, ends, and returns all that came until the server's end (free it). */
char *web_converse(struct web_fixture *f, const char *text, bool end);

#endif

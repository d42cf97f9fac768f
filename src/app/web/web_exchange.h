/* SPDX-License-Identifier: ISC */
/*
 * web_session.h - what the parts of the web service share: a session (one connection), and how a
 * request is answered. Private to app/web/.
 *
 *      web.c        connections: accepts them, turns the HTTP machine's crank, sends bodies
 *      web_reply.c  answers: fields, conditions, ranges, error pages
 *      web_site.c   which path is answered by what; the built-in site
 *      web_files.c  files and folders below a root
 *      web_page.c   the pages that are made anew for every request
 */
#ifndef WN_APP_WEB_WEB_SESSION_H
#define WN_APP_WEB_WEB_SESSION_H

#include "app/web/page_text.h"
#include "app/web/web.h"
#include "base/list.h"
#include "io/loop.h"
#include "proto/http/http_server.h"

enum {
    WEB_PATH_MAX = 4096,         /* a decoded path, with its NUL */
    WEB_TARGET_MAX = 256,        /* of a target in the log */
    WEB_CHUNK = 64 * 1024,       /* read from a file at a time; stays in the cache */
    WEB_TURN_MAX = 1024 * 1024,  /* octets that one session sends before others get their turn */
    WEB_STATUS_MAX = 256 * 1024, /* what web_site.status may write */
    WEB_ETAG_MAX = 48,
};

enum web_body_kind { WEB_BODY_NONE, WEB_BODY_MEMORY, WEB_BODY_FILE, WEB_BODY_PATTERN };

/* Where the octets of a response come from; they are sent as the peer takes them. */
struct web_body {
    enum web_body_kind kind;
    struct bytes data; /* MEMORY */
    char *owned;       /* MEMORY: freed with the body; NULL: static */
    int fd;            /* FILE: closed with the body */
    uint64_t offset;   /* FILE, PATTERN: the next octet */
    uint64_t len;
};

struct web_session {
    struct web *web;
    struct stream *stream;
    struct list_node node;      /* in web->sessions */
    struct list_node idle_node; /* in web->idle, oldest first, while between requests */
    struct task task;           /* goes on sending in the next turn */
    struct http_server core;
    struct web_body body;
    size_t pending;             /* octets that the stream keeps for us */
    bool refused;               /* one too many: not counted among the sessions */
    bool finished;              /* stream_finish() has been said */
    uint32_t responses_seen;
    uint64_t octets;            /* of this response */
    uint64_t sink_octets;
    usec request_at;
    char method[HTTP_METHOD_MAX + 1];
    char target[WEB_TARGET_MAX];
};

struct web {
    struct net *net;
    struct listener *listener;
    struct web_site site;
    char *server_name;
    char *domain;
    const char *prefix;         /* of the built-in site's paths: "" or "/.wholenet" */
    int root_fd;                /* -1: none */
    unsigned connections_max;
    unsigned refused_open;
    void (*on_request)(void *self, const struct web_request *request);
    void *on_request_self;
    struct list_node sessions;
    struct list_node idle;
    struct web_counters counters;
    char (*etags)[WEB_ETAG_MAX]; /* one for each of web_pages[] */
    uint8_t *chunk;              /* WEB_CHUNK octets, for files */
    uint8_t *pattern;            /* WEB_CHUNK octets of what /bytes/ serves */
};

/* ---- answers: web_reply.c ---- */

struct web_reply {
    unsigned status;
    const char *type;          /* NULL: no content */
    const char *etag;          /* NULL: none */
    int64_t modified;          /* seconds since 1970; INT64_MIN: unknown */
    const char *location;
    const char *allow;
    const char *content_range;
    const char *cache;         /* Cache-Control; NULL: none */
    bool ranges;               /* "Accept-Ranges: bytes" */
    bool built_in;             /* ours, so that we know what it needs: nothing from elsewhere */
    struct web_body body;      /* taken over */
};

/* Sends the reply; the session owns its body from now on. */
void web_reply(struct web_session *session, const struct web_reply *reply);

/* As web_reply() with 200, after looking at the request's conditions and Range: 304, 412, 206, 416. */
void web_reply_entity(struct web_session *session, const struct http_request_head *head,
                      const struct web_reply *reply);

/* A page that says what is wrong; `hint` NULL: nothing more than that. */
void web_reply_error(struct web_session *session, unsigned status, const char *hint);

/* 405, or 501 for a method that nobody knows. */
void web_reply_method(struct web_session *session, const char *allow);

/* 200 with a page under construction, which is taken over; 500 when it had no memory. */
void web_reply_page(struct web_session *session, unsigned status, const char *type,
                    struct page_text *page);

struct web_body web_body_of(struct bytes data);
void web_body_done(struct web_body *body);

/* ---- routes: web_site.c ---- */

/* Answers the request, or accepts its body and answers at web_site_body_end(). */
void web_site_request(struct web_session *session, const struct http_server_event *event);
void web_site_body(struct web_session *session, struct bytes data);
void web_site_body_end(struct web_session *session);

/* ---- files: web_files.c ---- */

/* 0 or a negative errno. */
MUST_USE int web_files_open_root(const char *root, int *out);

/* Answers GET or HEAD of a decoded path, which begins with "/", from the root. */
void web_files_request(struct web_session *session, const struct http_server_event *event,
                       struct bytes path);

/* The type of a file by its name's ending: "text/html; charset=utf-8". Static. */
const char *web_files_type(struct bytes name);

/* ---- pages: web_page.c ---- */

/* The embedded file of that path ("/style.css"), or NULL. */
const struct web_page *web_page_find(struct bytes path);

/* The page about this network. */
void web_page_site(struct web_session *session, const struct http_server_event *event,
                   struct page_text *out);

/* A page with the site's head and foot around `content`, which is HTML. */
void web_page_wrap(const struct web *web, const char *title, struct bytes content,
                   struct page_text *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * web_dav.h - WebDAV, class 1 and 2 (RFC 4918): files below a root are made, changed, moved and described by others.
 * Private to app/web/:
 *
 *      web_dav.c           the methods; MKCOL, and those that have a body of XML
 *      web_dav_resource.c  which resource, and whether its conditions hold
 *      web_dav_move.c      COPY, MOVE and DELETE
 *      web_dav_find.c      PROPFIND and PROPPATCH
 *      web_dav_xml.c       what their bodies say
 *      web_dav_lock.c      locks
 *      web_dav_props.c     properties that clients have set, in files beside the resources
 *      web_tree.c          folders copied and removed
 */
#ifndef WN_APP_WEB_WEB_DAV_H
#define WN_APP_WEB_WEB_DAV_H

#include <limits.h>
#include <sys/stat.h>

#include "app/web/web_exchange.h"

enum {
    DAV_BODY_MAX = 64 * 1024,   /* of PROPFIND and PROPPATCH */
    DAV_PROPS_MAX = 100,        /* of one of them */
    DAV_STORE_MAX = 64 * 1024,  /* octets of a resource's properties; more: 507 */
    DAV_LOCKS_MAX = 1024,       /* more: 507 */
    DAV_OWNER_MAX = 1024,       /* octets of XML that say whose a lock is */
    DAV_TOKEN_MAX = 48,
    DAV_REMOVALS_MAX = 64,      /* folders that are being removed; more: 503 */
};

#define DAV_LOCK_TIMEOUT (3600 * USEC_PER_SEC) /* none is longer, unless it is refreshed */
#define DAV_METHODS \
    "GET, HEAD, PUT, DELETE, OPTIONS, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK"
#define DAV_SIDECAR ".davprops" /* of a folder, in it; of a file, with "." and its name behind */
#define DAV_HIDDEN ".dav-"      /* what is not whole yet, or is being removed */

/* Is it one that web_dav_request() answers? GET, HEAD, PUT and OPTIONS are as elsewhere. */
bool web_dav_has(const char *method);
void web_dav_request(struct web_exchange *exchange, struct bytes path);

/* Answers: 204 without a body, and with a page what else there is. */
void dav_answer(struct web_exchange *exchange, unsigned status);

/* ---- a resource: web_dav_resource.c ---- */

/* Has the path a name that is ours: a sidecar, or what is not whole? */
bool web_dav_reserved(struct bytes path);
/* What the field If says of PUT: 0, or a status to refuse with. */
MUST_USE unsigned web_dav_check_put(struct web_exchange *exchange, struct bytes path);

struct dav_resource {
    int folder_fd;           /* of what it is in; the root's own for the root */
    char name[NAME_MAX + 1]; /* "" of the root */
    char path[WEB_PATH_MAX]; /* decoded, without a slash at its end, but for the root */
    bool exists;
    bool is_folder;
    struct stat facts;
};

/* 0, or a status to refuse with: 409 (what it would be in is not there), 403, 414. Close it afterwards. */
MUST_USE unsigned dav_resource_open(const struct web_place *place, struct bytes path,
                                    struct dav_resource *out);
void dav_resource_close(struct dav_resource *resource);

/* The decoded path that a URI has, when it is one of the same server; 0: it is none. */
size_t dav_local_path(const struct web_exchange *exchange, struct bytes uri, char out[WEB_PATH_MAX]);
/* Is that path under the same rule as the one that was asked for? */
bool dav_same_place(const struct web_exchange *exchange, struct bytes path);

enum dav_touch {
    DAV_TOUCH_NONE,
    DAV_TOUCH_CONTENT, /* what is there, or its properties */
    DAV_TOUCH_MEMBER,  /* it is made: the folder has one more */
    DAV_TOUCH_ALL,     /* it goes, with all below */
};

/* May the request do so, by its conditions and the locks? 0, or 400, 412, 423. */
MUST_USE unsigned dav_check(struct web_exchange *exchange, const struct dav_resource *resource,
                            enum dav_touch touch);
/* The status that a positive errno means; 204 of 0. */
unsigned dav_status_of(int error);

/* ---- COPY, MOVE and DELETE: web_dav_move.c ---- */

enum dav_move_kind { DAV_COPY, DAV_MOVE, DAV_DELETE };

/* Answers, when it is done. */
void dav_move(struct web_exchange *exchange, struct bytes path, enum dav_move_kind kind);

/* ---- bodies: web_dav_xml.c ---- */

enum dav_body_kind { DAV_BODY_FIND, DAV_BODY_PATCH, DAV_BODY_LOCK };
enum dav_find { DAV_FIND_ALL, DAV_FIND_NAMES, DAV_FIND_THESE };

struct dav_prop {
    const char *space;  /* namespace; "": none */
    const char *name;
    const char *value;  /* XML */
    bool removed;
};

struct dav_body {
    enum dav_find find;
    size_t count;
    struct dav_prop props[DAV_PROPS_MAX]; /* of LOCK: its owner, if it says one */
    bool exclusive, shared, write;        /* of LOCK */
    struct page_text text; /* holds their words */
};

/* 0, or a status to refuse with. dav_body_done() in any case. */
MUST_USE unsigned dav_body_parse(struct bytes in, enum dav_body_kind kind, struct dav_body *out);
void dav_body_done(struct dav_body *body);

/* ---- properties: web_dav_props.c ---- */

/* All that a resource has; empty: none. The page is the caller's. */
void dav_props_read(const struct dav_resource *resource, struct page_text *out);
/* The next of them; false: there are no more. `*at` is 0 at first. */
bool dav_props_next(struct bytes all, size_t *at, struct dav_prop *out, char *room, size_t size);
#define DAV_PROP_WORDS_MAX 2048 /* room for namespace and name */

/* Carries out what PROPPATCH says. 0 or a positive errno: then all is as it was. */
MUST_USE int dav_props_change(const struct dav_resource *resource, const struct dav_body *body);

/* Name of the sidecar, below resource->folder_fd. False: it would be too long. */
MUST_USE bool dav_sidecar_name(const struct dav_resource *resource, char out[2 * NAME_MAX]);

/* ---- locks: web_dav_lock.c ---- */

void dav_locks_init(struct dav_locks *locks);
void dav_locks_done(struct dav_locks *locks);

/* 0, or 423: a lock forbids it whose token the request does not have. Paths are those of resources. */
MUST_USE unsigned dav_lock_check(struct web_exchange *exchange, const char *path,
                                 enum dav_touch touch);

/* Is the resource locked by that token? */
bool dav_lock_holds(struct web_exchange *exchange, const char *path, struct bytes token);

/* What was there has gone, and its locks with it. */
void dav_lock_forget(struct web *web, const char *root, const char *path);

/* The elements activelock (§14.1). */
void dav_lock_discover(struct web_exchange *exchange, const char *path, struct page_text *out);

struct dav_wish {
    bool exclusive;
    bool deep;
    usec timeout;
    const char *owner; /* XML */
};

usec dav_lock_timeout(struct bytes value);
bool dav_lock_excluded(struct web_exchange *exchange, const char *path,
                       const struct dav_wish *wish);

/* These answer. */
void dav_lock_make(struct web_exchange *exchange, const char *path, const struct dav_wish *wish,
                   unsigned status);
void dav_lock_refresh(struct web_exchange *exchange, const char *path, usec timeout);
void dav_unlock(struct web_exchange *exchange, const char *path);

/* ---- answers: web_dav_find.c ---- */

void dav_find(struct web_exchange *exchange, const struct dav_resource *resource,
              const struct dav_body *body, bool members);
void dav_patch(struct web_exchange *exchange, const struct dav_resource *resource,
               const struct dav_body *body);
/* A condition that is not met, in a body with the status (§16). */
void dav_refuse(struct web_exchange *exchange, unsigned status, const char *condition);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * web_dav_lock.c - write locks (RFC 4918 §6, §7): LOCK (§9.10), UNLOCK (§9.11), and whom a lock keeps away.
 *
 * Locks are in memory: they end with the server, as §6.6 allows, and there are none where several workers serve,
 * who would not know each other's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_dav.h"
#include "base/text.h"

struct dav_lock {
    struct list_node node;      /* in web->dav_locks */
    char token[DAV_TOKEN_MAX];
    char user[WEB_USER_MAX];    /* who has it; "": anybody who says its token */
    const char *path;           /* behind the structure */
    const char *owner;          /* XML, as the client has it */
    const char *root;           /* the directory that the path is below */
    bool exclusive;
    bool deep;
    usec expires_at;
    char text[];
};

bool dav_locks_here(const struct web *web)
{
    return !web->several;
}

static usec now_of(const struct web *web)
{
    return loop_now(net_loop(web->net));
}

static void drop(struct web *web, struct dav_lock *lock)
{
    list_remove(&lock->node);
    web->dav_lock_count--;
    free(lock);
}

void dav_locks_done(struct web *web)
{
    struct list_node *node;
    while ((node = list_first(&web->dav_locks)) != NULL)
        drop(web, CONTAINER_OF(node, struct dav_lock, node));
}

/* The lock behind `node`, or the next one, that still holds; NULL: there are no more. */
static struct dav_lock *living(struct web *web, struct list_node *node)
{
    while (node != &web->dav_locks) {
        struct dav_lock *lock = CONTAINER_OF(node, struct dav_lock, node);
        node = node->next;
        if (lock->expires_at > now_of(web))
            return lock;
        drop(web, lock);
    }
    return NULL;
}

static struct dav_lock *first_lock(struct web *web)
{
    return living(web, web->dav_locks.next);
}

static struct dav_lock *next_lock(struct web *web, const struct dav_lock *lock)
{
    return living(web, lock->node.next);
}

/* ---- what a lock is about ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    if (len == 1)
        return true; /* "/" */
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool covers(const struct web_exchange *exchange, const struct dav_lock *lock, const char *path)
{
    return strcmp(lock->root, exchange->place->root_path) == 0 &&
           (lock->deep ? is_below(path, lock->path) : strcmp(path, lock->path) == 0);
}

/* Is it on something in that folder? */
static bool is_within(const struct web_exchange *exchange, const struct dav_lock *lock,
                      const char *path)
{
    return strcmp(lock->root, exchange->place->root_path) == 0 && is_below(lock->path, path);
}

bool dav_lock_holds(struct web_exchange *exchange, const char *path, struct bytes token)
{
    struct web *web = exchange->web;
    for (struct dav_lock *lock = first_lock(web); lock != NULL; lock = next_lock(web, lock))
        if (covers(exchange, lock, path) && bytes_equal(token, bytes_of_text(lock->token)))
            return true;
    return false;
}

/* §10.4.1: a token that stands in If, wherever, has been submitted; and it must be its owner who says so. */
static bool is_submitted(const struct web_exchange *exchange, const struct dav_lock *lock)
{
    struct bytes value;
    bool found = false;
    if (strcmp(lock->user, exchange->user) != 0 ||
        !http_field_find(&exchange->event->head.fields, "If", &value))
        return false;
    size_t len = strlen(lock->token);
    for (size_t i = 0; i + len + 2 <= value.len && !found; i++)
        found = value.data[i] == '<' && value.data[i + 1 + len] == '>' &&
                memcmp(value.data + i + 1, lock->token, len) == 0;
    return found;
}

unsigned dav_lock_check(struct web_exchange *exchange, const char *path, enum dav_touch touch)
{
    struct web *web = exchange->web;
    char folder[WEB_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    if (touch == DAV_TOUCH_NONE)
        return 0;
    for (struct dav_lock *lock = first_lock(web); lock != NULL; lock = next_lock(web, lock)) {
        bool meant = covers(exchange, lock, path) ||
                     (touch != DAV_TOUCH_CONTENT && covers(exchange, lock, folder)) || /* §7.4 */
                     (touch == DAV_TOUCH_ALL && is_within(exchange, lock, path));
        if (meant && !is_submitted(exchange, lock))
            return 423;
    }
    return 0;
}

void dav_lock_forget(struct web *web, const char *root, const char *path)
{
    struct dav_lock *next;
    for (struct dav_lock *lock = first_lock(web); lock != NULL; lock = next) {
        next = next_lock(web, lock);
        if (strcmp(lock->root, root) == 0 && is_below(lock->path, path))
            drop(web, lock);
    }
}

/* ---- what is told of them ---- */

static void add_active(struct page_text *out, const struct dav_lock *lock, usec now)
{
    char href[3 * WEB_PATH_MAX];
    size_t len = uri_path_encode(bytes_of_text(lock->path), href, sizeof href);
    page_add_format(out, "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:%s/></D:lockscope>"
                         "<D:depth>%s</D:depth>",
                    lock->exclusive ? "exclusive" : "shared", lock->deep ? "infinity" : "0");
    if (lock->owner[0] != '\0')
        page_add_format(out, "<D:owner>%s</D:owner>", lock->owner);
    page_add_format(out, "<D:timeout>Second-%lld</D:timeout><D:locktoken><D:href>%s</D:href></D:locktoken>"
                         "<D:lockroot><D:href>",
                    (long long)((lock->expires_at - now) / USEC_PER_SEC), lock->token);
    page_add_escaped(out, bytes_of(href, len));
    page_add(out, "</D:href></D:lockroot></D:activelock>");
}

void dav_lock_discover(struct web_exchange *exchange, const char *path, struct page_text *out)
{
    struct web *web = exchange->web;
    for (struct dav_lock *lock = first_lock(web); lock != NULL; lock = next_lock(web, lock))
        if (covers(exchange, lock, path))
            add_active(out, lock, now_of(web));
}

static void reply_lock(struct web_exchange *exchange, const struct dav_lock *lock, unsigned status)
{
    struct page_text page = {0};
    char token[DAV_TOKEN_MAX + 2];
    snprintf(token, sizeof token, "<%s>", lock->token);
    page_add(&page, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>");
    add_active(&page, lock, now_of(exchange->web));
    page_add(&page, "</D:lockdiscovery></D:prop>\n");
    if (page.failed) {
        page_done(&page);
        web_reply_error(exchange, 503, NULL);
        return;
    }
    struct web_body body = web_body_of(page_bytes(&page));
    body.owned = page.data;
    web_reply(exchange, &(struct web_reply){.status = status,
                                           .type = "application/xml; charset=utf-8",
                                           .cache = "no-store",
                                           .lock_token = token,
                                           .modified = INT64_MIN,
                                           .body = body});
}

/* ---- LOCK ---- */

/* §10.7: the first that we understand; never longer than an hour. */
usec dav_lock_timeout(struct bytes value)
{
    const struct bytes second = bytes_of_text("Second-");
    uint64_t seconds;
    value = bytes_first(value, bytes_find(value, ','));
    if (!bytes_equal_nocase(bytes_first(value, second.len), second) ||
        !text_parse_number(http_trim(bytes_after(value, second.len)), UINT32_MAX, &seconds))
        return DAV_LOCK_TIMEOUT;
    usec timeout = (usec)seconds * USEC_PER_SEC;
    return timeout < DAV_LOCK_TIMEOUT ? timeout : DAV_LOCK_TIMEOUT;
}

static struct dav_lock *lock_new(struct web_exchange *exchange, const char *path, const char *owner)
{
    struct web *web = exchange->web;
    struct prng *prng = loop_prng(net_loop(web->net));
    const char *root = exchange->place->root_path;
    size_t path_len = strlen(path) + 1, owner_len = strlen(owner) + 1, root_len = strlen(root) + 1;
    if (web->dav_lock_count >= DAV_LOCKS_MAX || owner_len > DAV_OWNER_MAX)
        return NULL;
    struct dav_lock *lock = calloc(1, sizeof *lock + path_len + owner_len + root_len);
    if (lock == NULL)
        return NULL;
    uint64_t high = prng_u64(prng), low = prng_u64(prng);
    snprintf(lock->token, sizeof lock->token, "urn:uuid:%08x-%04x-4%03x-%04x-%012llx",
             (unsigned)(high >> 32), (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff,
             ((unsigned)(low >> 48) & 0x3fff) | 0x8000, (unsigned long long)(low & 0xffffffffffff));
    memcpy(lock->text, path, path_len);
    memcpy(lock->text + path_len, owner, owner_len);
    memcpy(lock->text + path_len + owner_len, root, root_len);
    lock->path = lock->text;
    lock->owner = lock->text + path_len;
    lock->root = lock->text + path_len + owner_len;
    snprintf(lock->user, sizeof lock->user, "%s", exchange->user);
    list_append(&web->dav_locks, &lock->node);
    web->dav_lock_count++;
    return lock;
}

bool dav_lock_excluded(struct web_exchange *exchange, const char *path, const struct dav_wish *wish)
{
    struct web *web = exchange->web;
    for (struct dav_lock *lock = first_lock(web); lock != NULL; lock = next_lock(web, lock))
        if ((covers(exchange, lock, path) || (wish->deep && is_within(exchange, lock, path))) &&
            (lock->exclusive || wish->exclusive))
            return true;
    return false;
}

void dav_lock_make(struct web_exchange *exchange, const char *path, const struct dav_wish *wish,
                   unsigned status)
{
    struct dav_lock *lock = lock_new(exchange, path, wish->owner);
    if (lock == NULL) {
        web_reply_error(exchange, 507, NULL);
        return;
    }
    lock->exclusive = wish->exclusive;
    lock->deep = wish->deep;
    lock->expires_at = now_of(exchange->web) + wish->timeout;
    reply_lock(exchange, lock, status);
}

/* §9.10.2: the lock whose token is submitted. */
void dav_lock_refresh(struct web_exchange *exchange, const char *path, usec timeout)
{
    struct web *web = exchange->web;
    for (struct dav_lock *lock = first_lock(web); lock != NULL; lock = next_lock(web, lock)) {
        if (!covers(exchange, lock, path) || !is_submitted(exchange, lock))
            continue;
        lock->expires_at = now_of(web) + timeout;
        reply_lock(exchange, lock, 200);
        return;
    }
    web_reply_error(exchange, 412, NULL);
}

/* ---- UNLOCK ---- */

void dav_unlock(struct web_exchange *exchange, const char *path)
{
    struct web *web = exchange->web;
    struct bytes token = http_field_value(&exchange->event->head.fields, "Lock-Token");
    unsigned status = token.len > 2 ? 409 : 400; /* §9.11.1 */
    token = bytes_first(bytes_after(token, 1), token.len > 2 ? token.len - 2 : 0);
    for (struct dav_lock *lock = first_lock(web); lock != NULL && status == 409;
         lock = next_lock(web, lock)) {
        if (!covers(exchange, lock, path) || !bytes_equal(token, bytes_of_text(lock->token)))
            continue;
        status = strcmp(lock->user, exchange->user) == 0 ? 204 : 403;
        if (status == 204)
            drop(web, lock);
        break;
    }
    if (status == 204)
        web_reply(exchange, &(struct web_reply){.status = 204, .modified = INT64_MIN});
    else
        web_reply_error(exchange, status, NULL);
}

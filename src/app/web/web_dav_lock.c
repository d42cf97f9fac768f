/* SPDX-License-Identifier: ISC */
/*
 * web_dav_lock.c - write locks (RFC 4918 §6, §7): LOCK (§9.10), UNLOCK (§9.11), and whom a lock keeps away.
 *
 * Locks are in memory, and end with the server, as §6.6 allows. Workers share those of the first one: who looks at
 * them holds a mutex, and answers when it has let go of it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_dav.h"
#include "base/text.h"

struct dav_lock {
    struct list_node node;      /* in dav_locks.list */
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

static usec now_of(const struct web *web)
{
    return loop_now(net_loop(web->net));
}

void dav_locks_init(struct dav_locks *locks)
{
    lock_init(&locks->lock);
    list_init(&locks->list);
}

/* All that follows in this file looks at them between these two. */
static struct dav_locks *take(const struct web *web)
{
    lock_take(&web->first->dav_locks.lock);
    return &web->first->dav_locks;
}

static void give(struct dav_locks *locks)
{
    lock_give(&locks->lock);
}

static void drop(struct dav_locks *locks, struct dav_lock *lock)
{
    list_remove(&lock->node);
    locks->count--;
    free(lock);
}

void dav_locks_done(struct dav_locks *locks)
{
    struct list_node *node;
    while ((node = list_first(&locks->list)) != NULL)
        drop(locks, CONTAINER_OF(node, struct dav_lock, node));
    lock_done(&locks->lock);
}

/* The lock behind `node`, or the next one, that still holds; NULL: there are no more. */
static struct dav_lock *living(struct dav_locks *locks, struct list_node *node, usec now)
{
    while (node != &locks->list) {
        struct dav_lock *lock = CONTAINER_OF(node, struct dav_lock, node);
        node = node->next;
        if (lock->expires_at > now)
            return lock;
        drop(locks, lock);
    }
    return NULL;
}

static struct dav_lock *first_lock(struct dav_locks *locks, usec now)
{
    return living(locks, locks->list.next, now);
}

static struct dav_lock *next_lock(struct dav_locks *locks, const struct dav_lock *lock, usec now)
{
    return living(locks, lock->node.next, now);
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
    usec now = now_of(exchange->web);
    struct dav_locks *locks = take(exchange->web);
    bool found = false;
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL && !found; lock = next_lock(locks, lock, now))
        found = covers(exchange, lock, path) && bytes_equal(token, bytes_of_text(lock->token));
    give(locks);
    return found;
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
    char folder[WEB_PATH_MAX];
    usec now = now_of(exchange->web);
    bool shut = false;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    if (touch == DAV_TOUCH_NONE)
        return 0;
    struct dav_locks *locks = take(exchange->web);
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL && !shut; lock = next_lock(locks, lock, now)) {
        bool meant = covers(exchange, lock, path) ||
                     (touch != DAV_TOUCH_CONTENT && covers(exchange, lock, folder)) || /* §7.4 */
                     (touch == DAV_TOUCH_ALL && is_within(exchange, lock, path));
        shut = meant && !is_submitted(exchange, lock);
    }
    give(locks);
    return shut ? 423 : 0;
}

void dav_lock_forget(struct web *web, const char *root, const char *path)
{
    usec now = now_of(web);
    struct dav_locks *locks = take(web);
    struct dav_lock *next;
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL; lock = next) {
        next = next_lock(locks, lock, now);
        if (strcmp(lock->root, root) == 0 && is_below(lock->path, path))
            drop(locks, lock);
    }
    give(locks);
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
    usec now = now_of(exchange->web);
    struct dav_locks *locks = take(exchange->web);
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL; lock = next_lock(locks, lock, now))
        if (covers(exchange, lock, path))
            add_active(out, lock, now);
    give(locks);
}

/* What is told of a lock, as long as it cannot go. */
struct told {
    struct page_text page;
    char token[DAV_TOKEN_MAX + 2];
};

static void tell(struct told *told, const struct dav_lock *lock, usec now)
{
    snprintf(told->token, sizeof told->token, "<%s>", lock->token);
    page_add(&told->page, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>");
    add_active(&told->page, lock, now);
    page_add(&told->page, "</D:lockdiscovery></D:prop>\n");
}

static void reply_told(struct web_exchange *exchange, struct told *told, unsigned status)
{
    if (told->page.failed) {
        page_done(&told->page);
        web_reply_error(exchange, 503, NULL);
        return;
    }
    struct web_body body = web_body_of(page_bytes(&told->page));
    body.owned = told->page.data;
    web_reply(exchange, &(struct web_reply){.status = status,
                                           .type = "application/xml; charset=utf-8",
                                           .cache = "no-store",
                                           .lock_token = told->token,
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

static struct dav_lock *lock_new(struct web_exchange *exchange, struct dav_locks *locks, const char *path,
                                 const char *owner)
{
    struct web *web = exchange->web;
    struct prng *prng = loop_prng(net_loop(web->net));
    const char *root = exchange->place->root_path;
    size_t path_len = strlen(path) + 1, owner_len = strlen(owner) + 1, root_len = strlen(root) + 1;
    if (locks->count >= DAV_LOCKS_MAX || owner_len > DAV_OWNER_MAX)
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
    list_append(&locks->list, &lock->node);
    locks->count++;
    return lock;
}

static bool is_excluded(const struct web_exchange *exchange, struct dav_locks *locks, const char *path,
                        const struct dav_wish *wish)
{
    usec now = now_of(exchange->web);
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL; lock = next_lock(locks, lock, now))
        if ((covers(exchange, lock, path) || (wish->deep && is_within(exchange, lock, path))) &&
            (lock->exclusive || wish->exclusive))
            return true;
    return false;
}

bool dav_lock_excluded(struct web_exchange *exchange, const char *path, const struct dav_wish *wish)
{
    struct dav_locks *locks = take(exchange->web);
    bool excluded = is_excluded(exchange, locks, path, wish);
    give(locks);
    return excluded;
}

/* Another worker may have made one since it was asked for: that is looked at once more. */
void dav_lock_make(struct web_exchange *exchange, const char *path, const struct dav_wish *wish,
                   unsigned status)
{
    struct told told = {0};
    usec now = now_of(exchange->web);
    struct dav_locks *locks = take(exchange->web);
    bool excluded = is_excluded(exchange, locks, path, wish);
    struct dav_lock *lock = excluded ? NULL : lock_new(exchange, locks, path, wish->owner);
    if (lock != NULL) {
        lock->exclusive = wish->exclusive;
        lock->deep = wish->deep;
        lock->expires_at = now + wish->timeout;
        tell(&told, lock, now);
    }
    give(locks);
    if (lock != NULL)
        reply_told(exchange, &told, status);
    else
        web_reply_error(exchange, excluded ? 423 : 507, NULL);
}

/* §9.10.2: the lock whose token is submitted. */
void dav_lock_refresh(struct web_exchange *exchange, const char *path, usec timeout)
{
    struct told told = {0};
    usec now = now_of(exchange->web);
    bool found = false;
    struct dav_locks *locks = take(exchange->web);
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL; lock = next_lock(locks, lock, now)) {
        found = covers(exchange, lock, path) && is_submitted(exchange, lock);
        if (found) {
            lock->expires_at = now + timeout;
            tell(&told, lock, now);
            break;
        }
    }
    give(locks);
    if (found)
        reply_told(exchange, &told, 200);
    else
        web_reply_error(exchange, 412, NULL);
}

/* ---- UNLOCK ---- */

void dav_unlock(struct web_exchange *exchange, const char *path)
{
    usec now = now_of(exchange->web);
    struct bytes token = http_field_value(&exchange->event->head.fields, "Lock-Token");
    unsigned status = token.len > 2 ? 409 : 400; /* §9.11.1 */
    token = bytes_first(bytes_after(token, 1), token.len > 2 ? token.len - 2 : 0);
    struct dav_locks *locks = take(exchange->web);
    for (struct dav_lock *lock = first_lock(locks, now); lock != NULL && status == 409;
         lock = next_lock(locks, lock, now)) {
        if (!covers(exchange, lock, path) || !bytes_equal(token, bytes_of_text(lock->token)))
            continue;
        status = strcmp(lock->user, exchange->user) == 0 ? 204 : 403;
        if (status == 204)
            drop(locks, lock);
        break;
    }
    give(locks);
    if (status == 204)
        web_reply(exchange, &(struct web_reply){.status = 204, .modified = INT64_MIN});
    else
        web_reply_error(exchange, status, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * get_mirror.c - a site as it stands: from a page to what it is shown with and where it leads, within the hosts,
 * the folder and the depth that were asked for, and as its robots.txt allows (RFC 9309).
 */
#include "cli/get_mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/entropy.h"
#include "os/idna.h"
#include "wire/html/robots.h"
#include "wire/http/http_date.h"

/* ---- what is known ---- */

uint32_t mirror_hash(const struct get_mirror *m, const char *text)
{
    return (uint32_t)siphash13(&m->key, bytes_of_text(text));
}

static bool is_url(const void *item, const void *key)
{
    return strcmp(((const struct mirror_item *)item)->url, key) == 0;
}

static bool is_file(const void *item, const void *key)
{
    return strcmp(((const struct mirror_item *)item)->file, key) == 0;
}

struct mirror_item *mirror_find(const struct get_mirror *m, const struct url *url)
{
    char text[URL_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    url_add_text(url, &t);
    return map_find(&m->by_url, mirror_hash(m, text), text);
}

static void add_origin(const struct url *url, struct text *out)
{
    text_add_format(out, url->literal ? "%s://[%s]:%u" : "%s://%s:%u", url->scheme, url->host, url->port);
}

static struct mirror_host *find_host(struct get_mirror *m, const struct url *url)
{
    char key[sizeof m->hosts[0]->key];
    struct text k = text_of(key, sizeof key);
    add_origin(url, &k);
    for (size_t i = 0; i < m->host_count; i++)
        if (strcmp(m->hosts[i]->key, key) == 0)
            return m->hosts[i];
    struct mirror_host *host =
        m->host_count < MIRROR_HOSTS_MAX && !k.failed ? calloc(1, sizeof *host) : NULL;
    if (host == NULL)
        return NULL;
    memcpy(host->key, key, sizeof key);
    host->known = m->get->ignore_robots;
    m->hosts[m->host_count++] = host;
    return host;
}

static struct mirror_item *add_item(struct get_mirror *m, const struct url *url)
{
    char text[URL_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    url_add_text(url, &t);
    if (m->count == m->size) {
        size_t size = m->size > 0 ? 2 * m->size : 256;
        struct mirror_item **items = realloc(m->items, size * sizeof *items);
        if (items == NULL)
            return NULL;
        m->items = items;
        m->size = size;
    }
    struct mirror_item *item = calloc(1, sizeof *item);
    char *copy = strdup(text);
    if (item == NULL || copy == NULL) {
        free(item);
        free(copy);
        return NULL;
    }
    item->url = copy;
    item->url_hash = mirror_hash(m, copy);
    m->items[m->count++] = item;
    m->get->total.all = m->count;
    return item;
}

/* ---- which URLs ---- */

static bool in_list(const char *list, const char *name, bool hosts)
{
    char entry[256];
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ",");
        snprintf(entry, sizeof entry, "%.*s", (int)(len < 255 ? len : 255), at);
        at += len + (at[len] == ',');
        size_t entry_len = strlen(entry), name_len = strlen(name);
        bool pattern = strpbrk(entry, "*?[") != NULL;
        if (pattern && fnmatch(entry, name, 0) == 0)
            return true;
        if (pattern || entry_len == 0 || entry_len > name_len ||
            strcasecmp(name + name_len - entry_len, entry) != 0)
            continue;
        /* A suffix; of a host's name one of whole labels. */
        if (!hosts || entry_len == name_len || entry[0] == '.' ||
            name[name_len - entry_len - 1] == '.')
            return true;
    }
    return false;
}

static bool host_wanted(const struct get_mirror *m, const struct mirror_host *host,
                        const struct url *url)
{
    const struct get *g = m->get;
    return host->start || (g->domains != NULL ? in_list(g->domains, url->host, true) : g->span_hosts);
}

static bool folder_wanted(const struct get_mirror *m, const struct mirror_host *host,
                          const struct url *url, bool part)
{
    if (!m->get->no_parent || part || !host->start)
        return true;
    return bytes_equal(bytes_first(url_path(url), strlen(host->folder)), bytes_of_text(host->folder));
}

static void last_segment(const struct url *url, char *out, size_t size)
{
    struct text t = text_of(out, size);
    struct bytes path = url_path(url);
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/')
        at--;
    if (!url_decode(bytes_after(path, at), &t))
        t = text_of(out, size);
}

static bool name_wanted(const struct get_mirror *m, const struct url *url)
{
    const struct get *g = m->get;
    char name[1024];
    last_segment(url, name, sizeof name);
    if (name[0] == '\0') /* a directory's page has none */
        return true;
    return (g->accept == NULL || in_list(g->accept, name, false)) &&
           (g->reject == NULL || !in_list(g->reject, name, false));
}

/* Might it be a page, that leads to others? */
static bool looks_like_page(const struct url *url)
{
    char name[1024];
    last_segment(url, name, sizeof name);
    const char *dot = strrchr(name, '.');
    return dot == NULL || strncasecmp(dot, ".htm", 4) == 0 || strcasecmp(dot, ".xhtml") == 0;
}

struct wish {
    unsigned depth, hops;
    bool start, part;
};

/* The item of a URL, a new one if it is wanted; NULL: it is not. */
static struct mirror_item *admit(struct get_mirror *m, const struct url *url, const struct wish *wish)
{
    struct mirror_item *item = mirror_find(m, url);
    bool web = strcmp(url->scheme, "http") == 0 || strcmp(url->scheme, "https") == 0;
    if (item != NULL || !web)
        return item;
    struct mirror_host *host = find_host(m, url);
    bool named = wish->start || name_wanted(m, url);
    if (host == NULL || (!wish->start && (!host_wanted(m, host, url) ||
                                          !folder_wanted(m, host, url, wish->part))) ||
        (!named && (wish->part || !looks_like_page(url))))
        return NULL;
    if (m->count >= MIRROR_ITEMS_MAX || (item = add_item(m, url)) == NULL) {
        m->full = true;
        return NULL;
    }
    item->host = host;
    item->depth = wish->depth;
    item->hops = wish->hops;
    item->start = wish->start;
    item->part = wish->part;
    item->discard = !named;
    if (!map_insert(&m->by_url, item->url_hash, item))
        item->state = MIRROR_FAILED;
    return item;
}

/* A start opens its host, and the folder that it is in. */
static void open_host(struct get_mirror *m, const struct url *url)
{
    struct mirror_host *host = find_host(m, url);
    struct bytes path = url_path(url);
    size_t len = path.len;
    while (len > 1 && path.data[len - 1] != '/')
        len--;
    if (host == NULL || host->start)
        return;
    host->folder = strndup((const char *)path.data, len);
    host->start = host->folder != NULL;
}

/* ---- what an answer leads to ---- */

static bool goes_on(const struct get_mirror *m, unsigned depth)
{
    const struct get *g = m->get;
    return g->recursive && (g->level == 0 || depth < g->level);
}

static void take_link(struct mirror_links *links, const struct html_link *link, const struct url *url,
                      struct bytes fragment UNUSED)
{
    struct get_mirror *m = links->self;
    const struct mirror_item *from = links->item;
    bool part = link->kind == HTML_LINK_PART;
    if (url == NULL || link->kind == HTML_LINK_FORM)
        return;
    if (part && m->get->requisites) {
        struct wish wish = {.depth = from->depth, .part = true, .hops = from->part ? from->hops + 1 : 1};
        if (wish.hops <= MIRROR_HOPS_MAX)
            (void)admit(m, url, &wish);
    } else if (goes_on(m, from->depth)) {
        struct wish wish = {.depth = from->depth + 1};
        (void)admit(m, url, &wish);
    }
}

static void take_links(struct get_mirror *m, struct mirror_item *item)
{
    static struct mirror_links links;
    char *document;
    size_t len;
    if (mirror_read(item, &document, &len) != 0)
        return;
    links.item = item;
    links.take = take_link;
    links.self = m;
    if (url_parse(bytes_of_text(item->url), idna_to_ascii, &links.url) == URL_OK)
        mirror_each_link(&links, bytes_of(document, len));
    free(document);
}

/* "text/html; charset=x" */
static void take_type(struct mirror_item *item, struct bytes value)
{
    struct bytes type = text_trim(bytes_first(value, bytes_find(value, ';')));
    if (bytes_equal_nocase(type, bytes_of_text("text/html")) ||
        bytes_equal_nocase(type, bytes_of_text("application/xhtml+xml")))
        item->type = MIRROR_HTML;
    else if (bytes_equal_nocase(type, bytes_of_text("text/css")))
        item->type = MIRROR_CSS;
    static const char key[] = "charset=";
    for (size_t i = type.len; i + sizeof key <= value.len; i++)
        if (bytes_equal_nocase(bytes_first(bytes_after(value, i), sizeof key - 1), bytes_of_text(key))) {
            struct text charset = text_of(item->charset, sizeof item->charset);
            struct bytes name = bytes_after(value, i + sizeof key - 1);
            name = bytes_first(name, bytes_find(name, ';'));
            if (name.len > 1 && name.data[0] == '"')
                name = bytes_of(name.data + 1, name.len - 2);
            text_add_bytes(&charset, name);
            return;
        }
}

/* Nobody says the type of what is unchanged. */
static void guess_type(struct mirror_item *item)
{
    const char *slash = strrchr(item->file, '/');
    const char *dot = strrchr(item->file, '.');
    if (dot != NULL && dot > slash && strcasecmp(dot, ".css") == 0)
        item->type = MIRROR_CSS;
    else if (dot == NULL || dot < slash || strncasecmp(dot, ".htm", 4) == 0 || strchr(slash, '?') != NULL)
        item->type = MIRROR_HTML;
}

static void set_date(const struct get_mirror *m, const struct mirror_item *item, struct bytes value)
{
    int64_t date;
    if (!http_date_parse(value, loop_wall_seconds(m->get->loop), &date))
        return;
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = (time_t)date}};
    (void)utimensat(AT_FDCWD, item->file, times, 0);
}

static void take_document(struct get_mirror *m, struct mirror_item *item, const struct get_transfer *t)
{
    struct http_response_head head;
    bool decoded = t->head != NULL &&
                   http_response_decode(bytes_of(t->head, t->head_len), &head) == WIRE_OK;
    item->state = MIRROR_THERE;
    item->unchanged = t->outcome.status == 304;
    if (decoded && !item->unchanged) {
        take_type(item, http_field_value(&head.fields, "Content-Type"));
        set_date(m, item, http_field_value(&head.fields, "Last-Modified"));
    } else {
        guess_type(item);
    }
    if (item->type != MIRROR_OTHER)
        take_links(m, item);
    if (item->discard && item->type == MIRROR_HTML)
        (void)unlink(item->file);
    else
        item->discard = false;
}

static void take_redirect(struct get_mirror *m, struct mirror_item *item, const struct url *url)
{
    struct wish wish = {.depth = item->depth, .hops = item->hops, .start = item->start, .part = item->part};
    if (item->start)
        open_host(m, url);
    item->led = admit(m, url, &wish);
    item->state = MIRROR_ELSEWHERE;
}

/* RFC 9309 §2.3.1: what the answer means when it is no file of rules. */
static void take_robots(struct mirror_host *host, struct get_transfer *t)
{
    host->known = true;
    if (t->status == GET_DONE) {
        host->robots = t->output.memory;
        host->robots_len = t->output.memory_len;
        t->output.memory = NULL;
    } else {
        host->closed = t->outcome.status < 400 || t->outcome.status >= 500;
    }
}

enum get_status get_mirror_took(struct get_transfer *t)
{
    struct mirror_item *item = t->item;
    struct get_mirror *m = t->get->mirror;
    m->under_way--;
    m->octets += t->received;
    if (item->robots) {
        take_robots(item->host, t);
        free(t->output.memory);
        if (item->host->closed)
            cli_fail(t->get->command, 0, "%s/robots.txt: nobody can say what may be asked for, so that nothing is (--ignore-robots)",
                     item->host->key);
        enum get_status status = item->host->closed ? t->status : GET_DONE;
        free(item->url);
        free(item);
        return status;
    }
    if (t->status == GET_DONE && t->led)
        take_redirect(m, item, &t->redirect.url);
    else if (t->status == GET_DONE)
        take_document(m, item, t);
    else
        item->state = MIRROR_FAILED;
    return t->status;
}

/* ---- what is asked for next ---- */

static struct get_transfer *ask(struct get_mirror *m, struct mirror_item *item, const struct url *url)
{
    struct get *g = m->get;
    struct get_transfer *t = calloc(1, sizeof *t);
    struct stat facts;
    if (t == NULL) {
        item->state = MIRROR_FAILED;
        return NULL;
    }
    t->get = g;
    t->asked = item->url;
    t->item = item;
    t->url = *url;
    t->first = *url;
    t->method = "GET";
    t->output = (struct get_output){.fd = -1, .name = item->file};
    if (item->robots)
        t->output.memory_max = ROBOTS_MAX;
    if (g->newer && item->file != NULL && stat(item->file, &facts) == 0)
        t->since = facts.st_mtim.tv_sec;
    item->state = MIRROR_UNDER_WAY;
    m->under_way++;
    m->next_at = loop_look(g->loop) + g->wait;
    get_transfer_start(t);
    return t;
}

static struct get_transfer *ask_for_robots(struct get_mirror *m, struct mirror_host *host,
                                           const struct url *url)
{
    struct url place;
    struct mirror_item *item = calloc(1, sizeof *item);
    host->asked = true;
    if (item == NULL || url_resolve(url, bytes_of_text("/robots.txt"), NULL, &place) != URL_OK) {
        free(item);
        host->known = host->closed = true;
        return NULL;
    }
    char text[URL_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    url_add_text(&place, &t);
    item->url = strdup(text);
    item->host = host;
    item->robots = true;
    return ask(m, item, &place);
}

static const char *product(const struct get *g, char out[64])
{
    struct text t = text_of(out, 64);
    const char *agent = g->agent != NULL ? g->agent : "wholenet";
    text_add_bytes(&t, bytes_of(agent, strcspn(agent, "/ ")));
    return out;
}

static bool is_allowed(const struct get_mirror *m, const struct mirror_host *host, const struct url *url)
{
    char name[64];
    return m->get->ignore_robots ||
           (!host->closed &&
            (host->robots == NULL || robots_allow(bytes_of(host->robots, host->robots_len),
                                                  product(m->get, name), url_target(url))));
}

static bool is_enough(const struct get_mirror *m)
{
    const struct get *g = m->get;
    return (g->quota != 0 && m->octets >= g->quota) ||
           (g->files_max != 0 && m->begun >= g->files_max);
}

static struct get_transfer *try(struct get_mirror *m, struct mirror_item *item)
{
    struct url url;
    if (url_parse(bytes_of_text(item->url), idna_to_ascii, &url) != URL_OK) {
        item->state = MIRROR_FAILED;
        return NULL;
    }
    if (!item->host->known)
        return item->host->asked ? NULL : ask_for_robots(m, item->host, &url);
    if (!is_allowed(m, item->host, &url)) {
        item->state = MIRROR_FAILED;
        m->forbidden |= item->start;
        if (item->start && !item->host->closed)
            cli_fail(m->get->command, 0, "%s: robots.txt forbids it (--ignore-robots)", item->url);
        return NULL;
    }
    int status = mirror_make_file(m, item, &url);
    if (status != 0) {
        item->state = MIRROR_FAILED;
        cli_fail(m->get->command, 0, "%s: cannot make its directory: %s", item->url, strerror(-status));
        return NULL;
    }
    m->begun++;
    return ask(m, item, &url);
}

static void on_pause(struct alarm *alarm)
{
    struct get_mirror *m = CONTAINER_OF(alarm, struct get_mirror, pause);
    loop_stop(m->get->loop);
}

struct get_transfer *get_mirror_next(struct get_mirror *m)
{
    struct get *g = m->get;
    if (is_enough(m))
        return NULL;
    if (g->wait > 0 && loop_look(g->loop) < m->next_at) {
        loop_set_alarm(g->loop, &m->pause, m->next_at);
        return NULL;
    }
    while (m->waiting_from < m->count && m->items[m->waiting_from]->state != MIRROR_WAITING)
        m->waiting_from++;
    for (size_t i = m->waiting_from; i < m->count; i++) {
        struct get_transfer *t =
            m->items[i]->state == MIRROR_WAITING ? try(m, m->items[i]) : NULL;
        if (t != NULL)
            return t;
    }
    return NULL;
}

bool get_mirror_is_done(const struct get_mirror *m)
{
    if (m->under_way > 0)
        return false;
    for (size_t i = m->waiting_from; i < m->count && !is_enough(m); i++)
        if (m->items[i]->state == MIRROR_WAITING)
            return false;
    return true;
}

/* ---- the beginning and the end ---- */

bool get_mirror_begin(struct get *g)
{
    struct heap heap = loop_heap(g->loop);
    struct get_mirror *m = calloc(1, sizeof *m);
    struct url url;
    if (m == NULL || entropy_fill(&m->key, sizeof m->key) != 0) {
        free(m);
        return false;
    }
    g->mirror = m;
    m->get = g;
    alarm_init(&m->pause, on_pause);
    map_init(&m->by_url, &heap, MIRROR_ITEMS_MAX, is_url);
    map_init(&m->by_file, &heap, MIRROR_ITEMS_MAX, is_file);
    for (size_t i = 0; i < g->url_count; i++) {
        static const struct wish wish = {.start = true};
        enum url_status status = get_parse_url(g->urls[i], &url);
        if (status != URL_OK) {
            cli_fail(g->command, 0, "%s: %s", g->urls[i], url_status_text(status));
            return false;
        }
        open_host(m, &url);
        if (admit(m, &url, &wish) == NULL) {
            cli_fail(g->command, 0, "%s: a mirror is made over http or https", g->urls[i]);
            return false;
        }
    }
    return true;
}

enum get_status get_mirror_finish(struct get *g)
{
    struct get_mirror *m = g->mirror;
    enum get_status status = GET_DONE;
    loop_clear_alarm(g->loop, &m->pause);
    if (g->convert && mirror_convert(m) > 0)
        status = GET_NOT_WRITTEN;
    if (m->forbidden)
        status = status > GET_FAILED ? status : GET_FAILED;
    if (m->full)
        cli_fail(g->command, 0, "more than %d URLs, or no memory for more: some were left out",
                 MIRROR_ITEMS_MAX);
    if (is_enough(m))
        cli_fail(g->command, 0, "as much as was asked for is there (--quota, --max-files)");
    return status;
}

void get_mirror_free(struct get *g)
{
    struct get_mirror *m = g->mirror;
    if (m == NULL)
        return;
    map_done(&m->by_url);
    map_done(&m->by_file);
    for (size_t i = 0; i < m->count; i++) {
        free(m->items[i]->url);
        free(m->items[i]->file);
        free(m->items[i]);
    }
    for (size_t i = 0; i < m->host_count; i++) {
        free(m->hosts[i]->folder);
        free(m->hosts[i]->robots);
        free(m->hosts[i]);
    }
    free(m->items);
    free(m);
    g->mirror = NULL;
}

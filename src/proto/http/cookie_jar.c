/* SPDX-License-Identifier: ISC */
/* cookie_jar.c - cookies of a client (draft-ietf-httpbis-rfc6265bis §5; sections as there). */
#include "proto/http/cookie_jar.h"

#include "base/address.h"
#include "base/calendar.h"
#include "base/list.h"
#include "wire/http/cookie_date.h"
#include "wire/http/http_octets.h"

struct cookie {
    struct list_node node; /* oldest first, by creation */
    int64_t created;       /* an order, not a time */
    int64_t used;
    int64_t expires;       /* INT64_MAX: with the session */
    bool host_only, secure, http_only;
    uint16_t name_len, value_len, domain_len, path_len;
    char text[]; /* one after the other */
};

struct cookie_jar {
    struct heap heap;
    struct list_node cookies;
    size_t count;
    int64_t clock;
    bool (*is_suffix)(struct bytes domain); /* NULL: nobody knows */
};

struct cookie_jar *cookie_jar_new(const struct heap *heap)
{
    struct cookie_jar *jar = heap_zeroed(heap, sizeof *jar);
    if (jar == NULL)
        return NULL;
    jar->heap = *heap;
    list_init(&jar->cookies);
    return jar;
}

void cookie_jar_set_suffixes(struct cookie_jar *jar, bool (*is_suffix)(struct bytes domain))
{
    jar->is_suffix = is_suffix;
}

static struct cookie *cookie_at(const struct list_node *node)
{
    return CONTAINER_OF(node, struct cookie, node);
}

static size_t cookie_size(const struct cookie *c)
{
    return sizeof *c + c->name_len + c->value_len + c->domain_len + c->path_len;
}

static void forget(struct cookie_jar *jar, struct cookie *c)
{
    list_remove(&c->node);
    heap_release(&jar->heap, c, cookie_size(c));
    jar->count--;
}

void cookie_jar_free(struct cookie_jar *jar)
{
    if (jar == NULL)
        return;
    while (!list_empty(&jar->cookies))
        forget(jar, cookie_at(list_first(&jar->cookies)));
    heap_release(&jar->heap, jar, sizeof *jar);
}

size_t cookie_jar_count(const struct cookie_jar *jar)
{
    return jar->count;
}

static struct bytes name_of(const struct cookie *c)
{
    return bytes_of(c->text, c->name_len);
}

static struct bytes value_of(const struct cookie *c)
{
    return bytes_of(c->text + c->name_len, c->value_len);
}

static struct bytes domain_of(const struct cookie *c)
{
    return bytes_of(c->text + c->name_len + c->value_len, c->domain_len);
}

static struct bytes path_of(const struct cookie *c)
{
    return bytes_of(c->text + c->name_len + c->value_len + c->domain_len, c->path_len);
}

/* ---- what matches what ---- */

/* §5.1.3; both in lower case. */
static bool domain_matches(struct bytes host, struct bytes domain)
{
    struct ip_address address;
    if (bytes_equal(host, domain))
        return true;
    return host.len > domain.len && host.data[host.len - domain.len - 1] == '.' &&
           bytes_equal(bytes_after(host, host.len - domain.len), domain) &&
           !address_parse(host, &address);
}

/* §5.1.4 */
static bool path_matches(struct bytes path, struct bytes cookie_path)
{
    if (path.len < cookie_path.len || !bytes_equal(bytes_first(path, cookie_path.len), cookie_path))
        return false;
    return path.len == cookie_path.len || cookie_path.data[cookie_path.len - 1] == '/' ||
           path.data[cookie_path.len] == '/';
}

static bool is_secure(const struct url *url)
{
    return strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0;
}

/* §5.1.4: up to, but not with, the last slash. */
static struct bytes default_path(const struct url *url)
{
    struct bytes path = url_path(url);
    size_t len = path.len;
    while (len > 0 && path.data[len - 1] != '/')
        len--;
    return len > 1 ? bytes_first(path, len - 1) : bytes_of_text("/");
}

/* ---- Set-Cookie (§5.6) ---- */

struct candidate {
    struct bytes name, value, domain, path;
    bool has_domain, has_expires, has_max_age;
    bool secure, http_only;
    int64_t expires, max_age;
    char domain_text[URL_HOST_MAX + 1];
};

/* Digits with a minus in front; anything else is no Max-Age. Large ones are as good as for ever. */
static bool read_max_age(struct bytes value, int64_t *out)
{
    bool minus = value.len > 0 && value.data[0] == '-';
    struct bytes digits = bytes_after(value, minus);
    int64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        if (number < COOKIE_LIFE_MAX)
            number = number * 10 + (digits.data[i] - '0');
    }
    *out = minus ? -number : number;
    return digits.len > 0;
}

static void take_domain(struct candidate *c, struct bytes value)
{
    if (value.len > 0 && value.data[0] == '.')
        value = bytes_after(value, 1);
    c->has_domain = value.len > 0;
    struct text t = text_of(c->domain_text, sizeof c->domain_text);
    text_add_bytes(&t, value);
    for (size_t i = 0; i < t.len; i++)
        if (c->domain_text[i] >= 'A' && c->domain_text[i] <= 'Z')
            c->domain_text[i] |= 0x20;
    c->domain = text_bytes(&t); /* one that is cut matches nothing */
}

static void take_attribute(struct candidate *c, struct bytes name, struct bytes value)
{
    if (value.len > COOKIE_ATTRIBUTE_MAX)
        return;
    if (bytes_equal_nocase(name, bytes_of_text("Expires"))) {
        c->has_expires = cookie_date_parse(value, &c->expires) || c->has_expires;
    } else if (bytes_equal_nocase(name, bytes_of_text("Max-Age"))) {
        c->has_max_age = read_max_age(value, &c->max_age) || c->has_max_age;
    } else if (bytes_equal_nocase(name, bytes_of_text("Domain"))) {
        take_domain(c, value);
    } else if (bytes_equal_nocase(name, bytes_of_text("Path"))) {
        if (value.len > 0 && value.data[0] == '/')
            c->path = value;
        else
            c->path = bytes_empty();
    } else if (bytes_equal_nocase(name, bytes_of_text("Secure"))) {
        c->secure = true;
    } else if (bytes_equal_nocase(name, bytes_of_text("HttpOnly"))) {
        c->http_only = true;
    }
}

static bool has_control(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f)
            return true;
    return false;
}

/* "name=value", the parts trimmed; all of it is the value when there is no "=". */
static void split_pair(struct bytes pair, bool nameless, struct bytes *name, struct bytes *value)
{
    size_t equals = bytes_find(pair, '=');
    bool found = equals < pair.len;
    *name = http_trim(found || !nameless ? bytes_first(pair, equals) : bytes_empty());
    *value = http_trim(found ? bytes_after(pair, equals + 1) : nameless ? pair : bytes_empty());
}

static bool parse(struct bytes field, struct candidate *out)
{
    *out = (struct candidate){.domain = bytes_empty(), .path = bytes_empty()};
    if (has_control(field))
        return false;
    size_t end = bytes_find(field, ';');
    split_pair(bytes_first(field, end), true, &out->name, &out->value);
    if (out->name.len + out->value.len == 0 || out->name.len + out->value.len > COOKIE_PAIR_MAX)
        return false;
    struct bytes rest = bytes_after(field, end + 1);
    while (rest.len > 0) {
        struct bytes name;
        struct bytes value;
        end = bytes_find(rest, ';');
        split_pair(bytes_first(rest, end), false, &name, &value);
        take_attribute(out, name, value);
        rest = bytes_after(rest, end + 1);
    }
    return true;
}

static bool begins_with(struct bytes text, const char *prefix)
{
    return bytes_equal_nocase(bytes_first(text, strlen(prefix)), bytes_of_text(prefix));
}

/* §5.7, steps 9 to 22: may this server set it? Domain and path are what the cookie gets. */
static bool may_set(const struct cookie_jar *jar, struct candidate *c, const struct url *url)
{
    struct bytes host = bytes_of_text(url->host);
    bool shared = c->has_domain && (bytes_find(c->domain, '.') == c->domain.len ||
                                    (jar->is_suffix != NULL && jar->is_suffix(c->domain)));
    if (shared && bytes_equal(host, c->domain))
        c->has_domain = false; /* "localhost" for itself */
    if (c->has_domain && (shared || !domain_matches(host, c->domain)))
        return false;
    bool path_is_root = bytes_equal(c->path, bytes_of_text("/"));
    if (!c->has_domain)
        c->domain = host;
    if (c->path.len == 0)
        c->path = default_path(url);
    if (c->secure && !is_secure(url))
        return false;
    /* Prefixes promise how a cookie was set; one without a name must not look as if (§5.7 step 21). */
    struct bytes shown = c->name.len > 0 ? c->name : c->value;
    if (begins_with(shown, "__Secure-"))
        return c->name.len > 0 && c->secure;
    if (begins_with(shown, "__Host-"))
        return c->name.len > 0 && c->secure && !c->has_domain && path_is_root;
    return true;
}

/* ---- keeping ---- */

static struct cookie *find(struct cookie_jar *jar, const struct candidate *c, bool host_only)
{
    for (struct list_node *n = jar->cookies.next; n != &jar->cookies; n = n->next) {
        struct cookie *old = cookie_at(n);
        if (bytes_equal(name_of(old), c->name) && bytes_equal(domain_of(old), c->domain) &&
            bytes_equal(path_of(old), c->path) && old->host_only == host_only)
            return old;
    }
    return NULL;
}

/* §5.7 step 16: what came over an insecure connection must not take the place of a secure one. */
static bool hides_secure(const struct cookie_jar *jar, const struct candidate *c)
{
    for (struct list_node *n = jar->cookies.next; n != &jar->cookies; n = n->next) {
        const struct cookie *old = cookie_at(n);
        if (old->secure && bytes_equal(name_of(old), c->name) &&
            (domain_matches(domain_of(old), c->domain) ||
             domain_matches(c->domain, domain_of(old))) &&
            path_matches(c->path, path_of(old)))
            return true;
    }
    return false;
}

/* §5.7, last paragraphs: expired ones first, then of the domain that has too many, then any; of those
 * that are alike the one used longest ago. */
static void make_room(struct cookie_jar *jar, struct bytes domain, int64_t now)
{
    struct cookie *worst = NULL;
    struct cookie *worst_here = NULL;
    size_t here = 0;
    struct list_node *next;
    for (struct list_node *n = jar->cookies.next; n != &jar->cookies; n = next) {
        struct cookie *c = cookie_at(n);
        next = n->next;
        if (c->expires <= now) {
            forget(jar, c);
            continue;
        }
        if (worst == NULL || c->used < worst->used)
            worst = c;
        if (!bytes_equal(domain_of(c), domain))
            continue;
        here++;
        if (worst_here == NULL || c->used < worst_here->used)
            worst_here = c;
    }
    if (here >= COOKIES_OF_DOMAIN_MAX)
        forget(jar, worst_here);
    else if (jar->count >= COOKIES_MAX)
        forget(jar, worst);
}

static bool store(struct cookie_jar *jar, const struct candidate *c, bool host_only,
                  int64_t expires, int64_t now)
{
    struct cookie *old = find(jar, c, host_only);
    int64_t created = old != NULL ? old->created : ++jar->clock;
    if (old != NULL)
        forget(jar, old);
    if (expires <= now)
        return true;
    make_room(jar, c->domain, now);
    size_t len = c->name.len + c->value.len + c->domain.len + c->path.len;
    struct cookie *new = heap_zeroed(&jar->heap, sizeof *new + len);
    if (new == NULL)
        return false;
    new->created = created;
    new->used = ++jar->clock;
    new->expires = expires;
    new->host_only = host_only;
    new->secure = c->secure;
    new->http_only = c->http_only;
    new->name_len = (uint16_t)c->name.len;
    new->value_len = (uint16_t)c->value.len;
    new->domain_len = (uint16_t)c->domain.len;
    new->path_len = (uint16_t)c->path.len;
    struct writer w = writer_of(new->text, len);
    write_bytes(&w, c->name);
    write_bytes(&w, c->value);
    write_bytes(&w, c->domain);
    write_bytes(&w, c->path);
    list_append(&jar->cookies, &new->node);
    jar->count++;
    return true;
}

/* §5.6.1, §5.6.2: Max-Age wins; nothing lives longer than COOKIE_LIFE_MAX. */
static int64_t expiry(const struct candidate *c, int64_t now)
{
    int64_t at = INT64_MAX;
    if (c->has_max_age)
        at = c->max_age <= 0 ? INT64_MIN : now + c->max_age;
    else if (c->has_expires)
        at = c->expires;
    else
        return at;
    return at > now + COOKIE_LIFE_MAX ? now + COOKIE_LIFE_MAX : at;
}

bool cookie_jar_take(struct cookie_jar *jar, const struct url *url, struct bytes field,
                     int64_t now)
{
    struct candidate c;
    if (!parse(field, &c) || !may_set(jar, &c, url))
        return false;
    if (!is_secure(url) && hides_secure(jar, &c))
        return false;
    return store(jar, &c, !c.has_domain, expiry(&c, now), now);
}

/* ---- Cookie (§5.8.3) ---- */

static bool belongs(const struct cookie *c, const struct url *url, int64_t now)
{
    struct bytes host = bytes_of_text(url->host);
    if (c->expires <= now || (c->secure && !is_secure(url)))
        return false;
    if (c->host_only ? !bytes_equal(host, domain_of(c)) : !domain_matches(host, domain_of(c)))
        return false;
    return path_matches(url_path(url), path_of(c));
}

/* Longer paths come first, then those that were created first. */
static bool precedes(const struct cookie *a, const struct cookie *b)
{
    return a->path_len != b->path_len ? a->path_len > b->path_len : a->created < b->created;
}

/* The next one in that order; NULL begins. */
static struct cookie *next_of(const struct cookie_jar *jar, const struct url *url, int64_t now,
                              const struct cookie *after)
{
    struct cookie *best = NULL;
    for (struct list_node *n = jar->cookies.next; n != &jar->cookies; n = n->next) {
        struct cookie *c = cookie_at(n);
        if (c != after && belongs(c, url, now) && (after == NULL || precedes(after, c)) &&
            (best == NULL || precedes(c, best)))
            best = c;
    }
    return best;
}

bool cookie_jar_write(struct cookie_jar *jar, const struct url *url, int64_t now, struct text *out)
{
    struct cookie *c = next_of(jar, url, now, NULL);
    if (c == NULL)
        return false;
    for (bool first = true; c != NULL; c = next_of(jar, url, now, c), first = false) {
        c->used = ++jar->clock;
        text_add(out, first ? "" : "; ");
        text_add_bytes(out, name_of(c));
        text_add(out, c->name_len > 0 ? "=" : "");
        text_add_bytes(out, value_of(c));
    }
    return true;
}

void cookie_jar_end_session(struct cookie_jar *jar)
{
    struct list_node *next;
    for (struct list_node *n = jar->cookies.next; n != &jar->cookies; n = next) {
        next = n->next;
        if (cookie_at(n)->expires == INT64_MAX)
            forget(jar, cookie_at(n));
    }
}

/* ---- files ---- */

enum { COLUMNS = 7 };

/* domain, subdomains too, path, secure, expires (0: with the session), name, value */
static bool load_line(struct cookie_jar *jar, struct bytes line, int64_t now)
{
    struct bytes columns[COLUMNS];
    static const char only[] = "#HttpOnly_";
    struct candidate c = {.http_only = begins_with(line, only)};
    uint64_t expires;
    if (c.http_only)
        line = bytes_after(line, sizeof only - 1);
    if (line.len == 0 || line.data[0] == '#' || has_control(line))
        return false;
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t end = i + 1 < COLUMNS ? bytes_find(line, '\t') : line.len;
        columns[i] = bytes_first(line, end);
        line = bytes_after(line, end + 1);
    }
    if (!text_parse_number(columns[4], INT64_MAX, &expires) || columns[2].len == 0 ||
        columns[2].data[0] != '/' || columns[2].len > COOKIE_ATTRIBUTE_MAX)
        return false;
    take_domain(&c, columns[0]);
    c.name = columns[5];
    c.value = columns[6];
    c.path = columns[2];
    c.secure = bytes_equal_nocase(columns[3], bytes_of_text("TRUE"));
    if (c.domain.len == 0 || c.domain.len != columns[0].len - (columns[0].data[0] == '.') ||
        c.name.len + c.value.len == 0 || c.name.len + c.value.len > COOKIE_PAIR_MAX)
        return false;
    bool host_only = !bytes_equal_nocase(columns[1], bytes_of_text("TRUE"));
    return store(jar, &c, host_only, expires == 0 ? INT64_MAX : (int64_t)expires, now);
}

size_t cookie_jar_load(struct cookie_jar *jar, struct bytes text, int64_t now)
{
    size_t taken = 0;
    while (text.len > 0) {
        size_t end = bytes_find(text, '\n');
        struct bytes line = bytes_first(text, end);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line = bytes_first(line, line.len - 1);
        taken += load_line(jar, line, now);
        text = bytes_after(text, end + 1);
    }
    return taken;
}

bool cookie_jar_save(const struct cookie_jar *jar, int64_t now, const struct cookie **place,
                     struct text *line)
{
    const struct list_node *n = *place == NULL ? jar->cookies.next : (*place)->node.next;
    while (n != &jar->cookies && cookie_at(n)->expires <= now)
        n = n->next;
    if (n == &jar->cookies)
        return false;
    const struct cookie *c = cookie_at(n);
    text_add_format(line, "%s%s", c->http_only ? "#HttpOnly_" : "", c->host_only ? "" : ".");
    text_add_bytes(line, domain_of(c));
    text_add(line, c->host_only ? "\tFALSE\t" : "\tTRUE\t");
    text_add_bytes(line, path_of(c));
    text_add_format(line, "\t%s\t%lld\t", c->secure ? "TRUE" : "FALSE",
                    c->expires == INT64_MAX ? 0LL : (long long)c->expires);
    text_add_bytes(line, name_of(c));
    text_add(line, "\t");
    text_add_bytes(line, value_of(c));
    text_add(line, "\n");
    *place = c;
    return true;
}

static const char file_head[] = "# Netscape HTTP Cookie File\n";

size_t cookie_jar_text_max(const struct cookie_jar *jar)
{
    return sizeof file_head + cookie_jar_count(jar) * COOKIE_LINE_MAX;
}

void cookie_jar_write_text(const struct cookie_jar *jar, int64_t now, struct text *out)
{
    const struct cookie *place = NULL;
    text_add(out, file_head);
    while (cookie_jar_save(jar, now, &place, out))
        continue;
}

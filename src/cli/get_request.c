/* SPDX-License-Identifier: ISC */
/*
 * get_request.c - the fields of a request: what was asked for on the command line, in front of what goes
 * without saying; credentials and cookies only to whom they are for.
 */
#include <stdlib.h>

#include "cli/get.h"
#include "os/digest.h"
#include "os/entropy.h"
#include "wire/http/http_date.h"
#include "wire/http/uri_reference.h"

struct fields {
    struct get_transfer *t;
    struct text store; /* values that are made here */
    size_t count;
};

static void add(struct fields *f, const char *name, struct bytes value)
{
    if (f->count < HTTP_FIELDS_MAX)
        f->t->fields[f->count++] = (struct http_field){bytes_of_text(name), value};
}

/* Was the field given by -H, be it with nothing, which leaves it out? */
static bool is_given(const struct get *g, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < g->field_count; i++) {
        struct bytes field = bytes_of_text(g->fields[i]);
        if (field.len > len && (field.data[len] == ':' || field.data[len] == ';') &&
            bytes_equal_nocase(bytes_first(field, len), bytes_of_text(name)))
            return true;
    }
    return false;
}

static void add_unless_given(struct fields *f, const char *name, struct bytes value)
{
    if (!is_given(f->t->get, name))
        add(f, name, value);
}

/* Ends what was written to the store since `start`. */
static struct bytes stored(struct fields *f, size_t start)
{
    return bytes_of(f->store.start + start, f->store.len - start);
}

/* "Name: value"; "Name:" sends none, "Name;" sends it empty. Authorization and Cookie are for the first
 * origin only (RFC 9110 §11.6.2 and what redirects would do with them). */
static void add_given(struct fields *f, bool other_origin)
{
    const struct get *g = f->t->get;
    for (size_t i = 0; i < g->field_count; i++) {
        struct bytes all = bytes_of_text(g->fields[i]);
        size_t end = 0;
        while (all.data[end] != ':' && all.data[end] != ';')
            end++;
        struct bytes name = bytes_first(all, end);
        struct bytes value = text_trim(bytes_after(all, end + 1));
        bool secret = bytes_equal_nocase(name, bytes_of_text("Authorization")) ||
                      bytes_equal_nocase(name, bytes_of_text("Cookie"));
        if ((secret && other_origin) || bytes_equal_nocase(name, bytes_of_text("Host")) ||
            (all.data[end] == ':' && value.len == 0) || f->count == HTTP_FIELDS_MAX)
            continue;
        f->t->fields[f->count++] = (struct http_field){name, value};
    }
}

/* ---- credentials ---- */

_Static_assert((int)HTTP_DIGEST_MAX == (int)DIGEST_AT_ONCE_MAX, "the same digests");

static size_t digest(void *self UNUSED, enum http_digest_algorithm algorithm, struct bytes in,
                     uint8_t out[HTTP_DIGEST_MAX])
{
    return digest_at_once(algorithm == HTTP_DIGEST_MD5 ? DIGEST_MD5 : DIGEST_SHA256, in, out);
}

static bool write_credentials(struct http_challenge *challenge, const struct http_user *user,
                              const char *method, struct bytes target, struct text *out)
{
    uint8_t random[8] = {0};
    char cnonce[2 * sizeof random + 1];
    struct text t = text_of(cnonce, sizeof cnonce);
    struct http_login login = {user->name, user->password, digest, NULL};
    if (entropy_fill(random, sizeof random) != 0)
        return false;
    for (size_t i = 0; i < sizeof random; i++)
        text_add_format(&t, "%02x", random[i]);
    return http_credentials_write(challenge, &login, method, target, cnonce, out);
}

/* `typed`: what -u or --proxy-user says; NULL: what stands in the URL. */
static bool find_user(const char *typed, const struct url *url, struct http_user *out)
{
    return typed != NULL ? http_user_split(typed, out) : http_user_of_url(url, out);
}

static bool add_authorization(struct fields *f)
{
    struct get_transfer *t = f->t;
    struct http_user user;
    if (t->challenge.scheme == HTTP_SCHEME_NONE && t->get->basic)
        t->challenge.scheme = HTTP_SCHEME_BASIC;
    if (t->challenge.scheme == HTTP_SCHEME_NONE || (t->get->user == NULL && t->first.user[0] == '\0'))
        return true;
    if (!find_user(t->get->user, &t->first, &user))
        return false;
    size_t start = f->store.len;
    bool good = write_credentials(&t->challenge, &user, t->method, url_target(&t->url), &f->store);
    add_unless_given(f, "Authorization", stored(f, start));
    return good;
}

static bool make_proxy_authorization(struct get_transfer *t)
{
    struct http_user user;
    char target[URL_TEXT_MAX];
    const struct get *g = t->get;
    bool tunnel = strcmp(t->url.scheme, "http") != 0; /* RFC 6455 §4.1: also for ws */
    t->request.proxy_authorization = NULL;
    if (!t->has_proxy || (g->proxy_user == NULL && t->proxy.user[0] == '\0'))
        return true;
    if (t->proxy_challenge.scheme == HTTP_SCHEME_NONE) /* before it asks: it is known to want them */
        t->proxy_challenge.scheme = HTTP_SCHEME_BASIC;
    if (!find_user(g->proxy_user, &t->proxy, &user))
        return false;
    struct text where = text_of(target, sizeof target);
    if (tunnel)
        text_add_format(&where, t->url.literal ? "[%s]:%u" : "%s:%u", t->url.host, t->url.port);
    else
        url_add_text(&t->url, &where);
    struct text out = text_of(t->proxy_authorization, sizeof t->proxy_authorization);
    t->request.proxy_authorization = t->proxy_authorization;
    return write_credentials(&t->proxy_challenge, &user, tunnel ? "CONNECT" : t->method,
                             text_bytes(&where), &out);
}

/* ---- the rest ---- */

static void add_cookies(struct fields *f, bool other_origin)
{
    struct get_transfer *t = f->t;
    const struct get *g = t->get;
    size_t start = f->store.len;
    bool literal = g->cookie != NULL && strchr(g->cookie, '=') != NULL && !other_origin;
    bool any = literal;
    if (literal)
        text_add(&f->store, g->cookie);
    size_t behind = f->store.len;
    if (literal)
        text_add(&f->store, "; ");
    if (cookie_jar_write(g->jar, &t->url, loop_wall_seconds(g->loop), &f->store))
        any = true;
    else
        f->store.len = behind;
    if (any)
        add_unless_given(f, "Cookie", stored(f, start));
}

/* Octets from a position on, if they are still of what was begun (RFC 9110 §13.1.5). */
static void add_range(struct fields *f)
{
    struct get_transfer *t = f->t;
    size_t start = f->store.len;
    if (t->get->range != NULL) {
        text_add_format(&f->store, "bytes=%s", t->get->range);
    } else if (t->resumed_at > 0 || t->range.wanted) {
        uint64_t from = t->range.wanted ? t->range.from : t->resumed_at;
        text_add_format(&f->store, "bytes=%llu-", (unsigned long long)from);
        if (t->range.wanted)
            text_add_format(&f->store, "%llu", (unsigned long long)(t->range.end - 1));
        if (t->validator[0] != '\0')
            add_unless_given(f, "If-Range", bytes_of_text(t->validator));
    } else {
        return;
    }
    add_unless_given(f, "Range", stored(f, start));
}

static const char *given_host(const struct get *g)
{
    for (size_t i = 0; i < g->field_count; i++)
        if (bytes_equal_nocase(bytes_first(bytes_of_text(g->fields[i]), 5), bytes_of_text("Host:")))
            return g->fields[i] + 5 + strspn(g->fields[i] + 5, " \t");
    return NULL;
}

/* Without user information and fragment (RFC 9110 §10.1.3). */
static void add_referer(struct fields *f, const char *referer)
{
    struct bytes url = bytes_of_text(referer);
    struct uri_parts parts;
    size_t start = f->store.len;
    uri_split(url, &parts);
    size_t host = 0;
    for (size_t i = 0; i < parts.authority.len; i++)
        if (parts.authority.data[i] == '@')
            host = i + 1;
    size_t to_host = parts.has_authority ? (size_t)(parts.authority.data - url.data) : 0;
    text_add_bytes(&f->store, bytes_first(url, to_host));
    url = bytes_after(url, to_host + host);
    text_add_bytes(&f->store, bytes_first(url, bytes_find(url, '#')));
    add_unless_given(f, "Referer", stored(f, start));
}

bool get_request_make(struct get_transfer *t)
{
    const struct get *g = t->get;
    struct fields f = {t, text_of(t->store, sizeof t->store), 0};
    bool other_origin = !url_same_origin(&t->first, &t->url);
    bool whole = t->socket == NULL && g->range == NULL && t->resumed_at == 0 && !t->range.wanted && g->segments < 2;
    add_unless_given(&f, "User-Agent",
                     bytes_of_text(g->agent != NULL ? g->agent : "wholenet/" WHOLENET_VERSION));
    add_unless_given(&f, "Accept", bytes_of_text("*/*"));
    if (!g->raw && whole && !g->resume)
        add_unless_given(&f, "Accept-Encoding", bytes_of_text("gzip, br, deflate"));
    if (g->referer != NULL)
        add_referer(&f, g->referer);
    if (t->sends_body && g->body.type != NULL)
        add_unless_given(&f, "Content-Type", bytes_of_text(g->body.type));
    add_range(&f);
    if (t->since != 0) {
        char date[HTTP_DATE_LEN + 1];
        size_t start = f.store.len;
        text_add(&f.store, http_date_format(t->since, date));
        add_unless_given(&f, "If-Modified-Since", stored(&f, start));
    }
    if (t->socket != NULL)
        f.count += get_socket_fields(t, t->fields + f.count);
    add_cookies(&f, other_origin);
    add_given(&f, other_origin);
    bool good = (other_origin || add_authorization(&f)) && make_proxy_authorization(t);
    t->request.method = t->method;
    t->request.url = &t->url;
    t->request.host = other_origin ? NULL : given_host(g);
    t->request.proxy = t->has_proxy ? &t->proxy : NULL;
    t->request.fields = t->fields;
    t->request.field_count = f.count;
    t->request.has_body = t->sends_body;
    t->request.body_len = t->sends_body ? get_body_len(&g->body) : 0;
    t->request.version = t->socket != NULL ? FETCH_HTTP_1_1 : g->version;
    t->request.upgrade = t->socket != NULL ? "websocket" : NULL;
    if (!good || f.store.failed) {
        struct text reason = text_of(t->reason, sizeof t->reason);
        text_add(&reason, "the request's fields or credentials are too long or malformed, or a user has a colon");
    }
    return good && !f.store.failed;
}

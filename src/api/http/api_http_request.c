/* SPDX-License-Identifier: ISC */
/*
 * api_http_request.c - a request: what the program wishes, copied and checked, and the fields of each that is made
 * of it; credentials and cookies go only to whom they are for (RFC 9110 §11.6, RFC 6265 §5.4).
 */
#include <stdlib.h>

#include "api/http/api_http.h"
#include "app/fetch/fetch_proxy.h"
#include "base/prng.h"
#include "base/text.h"
#include "os/digest.h"
#include "os/idna.h"
#include "wire/http/http_octets.h"

#define HTTP_AGENT "wholenet/" WHOLENET_VERSION

/* ---- the wish ---- */

/* Fields that the connection's version of HTTP writes, or that would make it something else. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {"Host",    "Connection",    "Content-Length",
                                        "Upgrade", "Transfer-Encoding", "Keep-Alive",
                                        "Expect",  "Proxy-Connection",  "Proxy-Authorization"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal_nocase(bytes_of_text(name), bytes_of_text(names[i])))
            return true;
    return false;
}

static int check_fields(struct wn_http *http, const struct wn_http_field *fields, size_t count)
{
    if (count > HTTP_GIVEN_MAX)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected at most %d fields, not %zu",
                         HTTP_GIVEN_MAX, count);
    for (size_t i = 0; i < count; i++) {
        const char *value = fields[i].value != NULL ? fields[i].value : "";
        if (fields[i].name == NULL || !http_is_token(bytes_of_text(fields[i].name)) ||
            is_ours(fields[i].name))
            return http_fail(http, WN_HTTP_BAD_OPTION,
                             "expected the name of a field that a program may send, not \"%.100s\"",
                             fields[i].name != NULL ? fields[i].name : "");
        if (!http_octets_are(bytes_of_text(value), HTTP_OCTET_FIELD))
            return http_fail(http, WN_HTTP_BAD_OPTION,
                             "expected text without control characters in the field %.100s",
                             fields[i].name);
    }
    return 0;
}

static int check(struct wn_http *http, const struct wn_http_request *r)
{
    if (r->method != NULL && (!http_is_token(bytes_of_text(r->method)) ||
                              strlen(r->method) > HTTP_METHOD_MAX || strcmp(r->method, "CONNECT") == 0))
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected a method, not \"%.100s\"", r->method);
    if (r->timeout < 0 || r->idle_timeout < 0)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected no negative time");
    if ((unsigned)r->version > WN_HTTP_2)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected a version of enum wn_http_version");
    if (r->body == NULL && r->body_len > 0 && r->read == NULL)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected a body, or `read`");
    if (r->body != NULL && r->body_len == WN_HTTP_LENGTH_UNKNOWN)
        return http_fail(http, WN_HTTP_BAD_OPTION, "expected the length of a body in memory");
    if (r->version == WN_HTTP_1_0 && r->body_len == WN_HTTP_LENGTH_UNKNOWN)
        return http_fail(http, WN_HTTP_BAD_OPTION,
                         "expected the length of the body: HTTP/1.0 has no chunks");
    int result = check_fields(http, r->fields, r->field_count);
    return result != 0 ? result : check_fields(http, r->trailers, r->trailer_count);
}

static size_t copy_size(const struct wn_http_request *r)
{
    size_t size = r->field_count * sizeof r->fields[0] + 1;
    size += r->method != NULL ? strlen(r->method) + 1 : 0;
    for (size_t i = 0; i < r->field_count; i++) {
        size += strlen(r->fields[i].name) + 1;
        size += r->fields[i].value != NULL ? strlen(r->fields[i].value) + 1 : 0;
    }
    for (size_t i = 0; i < r->trailer_count; i++)
        size += strlen(r->trailers[i].name) + strlen(": \r\n") +
                (r->trailers[i].value != NULL ? strlen(r->trailers[i].value) : 0);
    return size;
}

static const char *put(char **place, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*place, text, size);
    *place += size;
    return copy;
}

static void copy(struct wn_http_transfer *t, const struct wn_http_request *r)
{
    struct wn_http_field *fields = (struct wn_http_field *)(void *)t->copy;
    char *place = t->copy + r->field_count * sizeof fields[0];
    for (size_t i = 0; i < r->field_count; i++) {
        fields[i].name = put(&place, r->fields[i].name);
        fields[i].value = put(&place, r->fields[i].value);
    }
    t->wish.fields = fields;
    t->wish.method = put(&place, r->method);
    char *lines = place;
    for (size_t i = 0; i < r->trailer_count; i++) {
        const char *parts[] = {r->trailers[i].name, ": ", r->trailers[i].value, "\r\n"};
        for (size_t j = 0; j < ARRAY_LEN(parts); j++) {
            size_t len = parts[j] != NULL ? strlen(parts[j]) : 0;
            memcpy(place, parts[j] != NULL ? parts[j] : "", len);
            place += len;
        }
    }
    t->trailers = bytes_of(lines, (size_t)(place - lines));
}

static int take_url(struct wn_http_transfer *t, const struct wn_http_request *r)
{
    struct wn_http *http = t->http;
    enum url_status status =
        r->url != NULL ? url_parse(bytes_of_text(r->url), idna_to_ascii, &t->url) : URL_NO_SCHEME;
    if (status != URL_OK)
        return http_fail(http, WN_HTTP_BAD_OPTION, "%.200s: %s", r->url != NULL ? r->url : "no URL",
                         url_status_text(status));
    bool https = strcmp(t->url.scheme, "https") == 0;
    if (!https && strcmp(t->url.scheme, "http") != 0)
        return http_fail(http, WN_HTTP_UNSUPPORTED, "expected http or https, not \"%s\"",
                         t->url.scheme);
    if (!https && (r->flags & WN_HTTP_HTTPS_ONLY) != 0)
        return http_fail(http, WN_HTTP_BAD_OPTION, "%.200s: https only was asked for", r->url);
    t->first = t->url;
    t->has_user = r->user != NULL || t->url.user[0] != '\0';
    bool good = r->user != NULL ? http_user_split(r->user, &t->user)
                                : http_user_of_url(&t->url, &t->user);
    return good ? 0 : http_fail(http, WN_HTTP_BAD_OPTION, "the user or password is too long");
}

/* Methods whose body, when there is none, is said to have no octets (RFC 9110 §8.6). */
static bool wants_body(const char *method)
{
    return method != NULL && (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                              strcmp(method, "PATCH") == 0);
}

int http_request_take(struct wn_http_transfer *t, const struct wn_http_request *request)
{
    struct wn_http_request *r = &t->wish;
    if (request->size < offsetof(struct wn_http_request, fields) || request->size > sizeof *r)
        return http_fail(t->http, WN_HTTP_BAD_OPTION, "expected `size` to be that of the structure");
    memcpy(r, request, request->size);
    int result = check(t->http, r);
    if (result == 0)
        result = take_url(t, r);
    if (result != 0)
        return result;
    t->copy = malloc(copy_size(r));
    if (t->copy == NULL)
        return http_fail(t->http, WN_HTTP_NO_MEMORY, "no memory");
    const struct wn_http_request given = *r;
    copy(t, &given);
    t->sends_body = r->body != NULL || r->read != NULL || wants_body(r->method);
    t->method = r->method != NULL ? r->method : t->sends_body ? "POST" : "GET";
    t->expects = (r->flags & WN_HTTP_EXPECT) != 0 && r->body_len > 0;
    return 0;
}

/* ---- fields ---- */

struct fields {
    struct wn_http_transfer *t;
    struct text store; /* values that are made here */
    size_t count;
};

static void add(struct fields *f, const char *name, struct bytes value)
{
    if (f->count < HTTP_FIELDS_MAX)
        f->t->fields[f->count++] = (struct http_field){bytes_of_text(name), value};
}

/* Ends what was written to the store since `start`. */
static struct bytes stored(const struct fields *f, size_t start)
{
    return bytes_of(f->store.start + start, f->store.len - start);
}

static bool is_given(const struct wn_http_transfer *t, const char *name)
{
    for (size_t i = 0; i < t->wish.field_count; i++)
        if (bytes_equal_nocase(bytes_of_text(t->wish.fields[i].name), bytes_of_text(name)))
            return true;
    return false;
}

static void add_unless_given(struct fields *f, const char *name, struct bytes value)
{
    if (!is_given(f->t, name))
        add(f, name, value);
}

static bool is_secret(const char *name)
{
    return bytes_equal_nocase(bytes_of_text(name), bytes_of_text("Authorization")) ||
           bytes_equal_nocase(bytes_of_text(name), bytes_of_text("Cookie"));
}

static void add_given(struct fields *f, bool other_origin)
{
    const struct wn_http_request *r = &f->t->wish;
    for (size_t i = 0; i < r->field_count; i++)
        if (r->fields[i].value != NULL && !(other_origin && is_secret(r->fields[i].name)))
            add(f, r->fields[i].name, text_trim(bytes_of_text(r->fields[i].value)));
}

/* ---- credentials ---- */

_Static_assert((int)HTTP_DIGEST_MAX == (int)DIGEST_AT_ONCE_MAX, "the same digests");

static size_t digest(void *self UNUSED, enum http_digest_algorithm algorithm, struct bytes in,
                     uint8_t out[HTTP_DIGEST_MAX])
{
    return digest_at_once(algorithm == HTTP_DIGEST_MD5 ? DIGEST_MD5 : DIGEST_SHA256, in, out);
}

static bool write_credentials(struct wn_http_transfer *t, struct http_challenge *challenge,
                              const struct http_user *user, struct bytes target, struct text *out)
{
    const struct http_login login = {user->name, user->password, digest, NULL};
    bool tunnel = challenge == &t->proxy_challenge && strcmp(t->url.scheme, "https") == 0;
    char cnonce[20];
    struct text c = text_of(cnonce, sizeof cnonce);
    text_add_format(&c, "%016llx", (unsigned long long)prng_u64(loop_prng(t->http->loop)));
    return http_credentials_write(challenge, &login, tunnel ? "CONNECT" : t->method, target, cnonce,
                                  out);
}

static bool add_authorization(struct fields *f)
{
    struct wn_http_transfer *t = f->t;
    if (t->challenge.scheme == HTTP_SCHEME_NONE && (t->wish.flags & WN_HTTP_BASIC_FIRST) != 0)
        t->challenge.scheme = HTTP_SCHEME_BASIC;
    if (!t->has_user || t->challenge.scheme == HTTP_SCHEME_NONE)
        return true;
    size_t start = f->store.len;
    bool good = write_credentials(t, &t->challenge, &t->user, url_target(&t->url), &f->store);
    add_unless_given(f, "Authorization", stored(f, start));
    return good;
}

static bool make_proxy_authorization(struct wn_http_transfer *t)
{
    char target[URL_TEXT_MAX];
    struct http_user user;
    struct text where = text_of(target, sizeof target);
    struct text out = text_of(t->proxy_authorization, sizeof t->proxy_authorization);
    t->request.proxy_authorization = NULL;
    if (!t->has_proxy || t->proxy.user[0] == '\0')
        return true;
    if (t->proxy_challenge.scheme == HTTP_SCHEME_NONE) /* before it asks: it is known to want them */
        t->proxy_challenge.scheme = HTTP_SCHEME_BASIC;
    if (strcmp(t->url.scheme, "https") == 0)
        text_add_format(&where, t->url.literal ? "[%s]:%u" : "%s:%u", t->url.host, t->url.port);
    else
        url_add_text(&t->url, &where);
    t->request.proxy_authorization = t->proxy_authorization;
    return http_user_of_url(&t->proxy, &user) &&
           write_credentials(t, &t->proxy_challenge, &user, text_bytes(&where), &out);
}

/* ---- the request ---- */

static void add_cookies(struct fields *f)
{
    const struct wn_http *http = f->t->http;
    size_t start = f->store.len;
    if (http->jar != NULL && !is_given(f->t, "Cookie") &&
        cookie_jar_write(http->jar, &f->t->url, loop_wall_seconds(http->loop), &f->store))
        add(f, "Cookie", stored(f, start));
}

static bool choose_proxy(struct wn_http_transfer *t)
{
    const struct wn_http *http = t->http;
    const char *named = NULL;
    t->has_proxy = http->has_proxy;
    if (http->has_proxy)
        t->proxy = http->proxy;
    else if ((http->flags & WN_HTTP_PROXY_ENVIRONMENT) != 0)
        named = fetch_environment_proxy(&t->url);
    if (named != NULL)
        t->has_proxy = fetch_parse_url(named, idna_to_ascii, &t->proxy) == URL_OK;
    return named == NULL || t->has_proxy;
}

_Static_assert((int)WN_HTTP_ANY == (int)FETCH_HTTP_ANY && (int)WN_HTTP_1_0 == (int)FETCH_HTTP_1_0 &&
                   (int)WN_HTTP_1_1 == (int)FETCH_HTTP_1_1 && (int)WN_HTTP_2 == (int)FETCH_HTTP_2,
               "the same versions");

static void fill(struct wn_http_transfer *t, size_t field_count)
{
    const struct wn_http_request *r = &t->wish;
    t->request.method = t->method;
    t->request.url = &t->url;
    t->request.proxy = t->has_proxy ? &t->proxy : NULL;
    t->request.fields = t->fields;
    t->request.field_count = field_count;
    t->request.has_body = t->sends_body;
    t->request.body_len = t->sends_body ? r->body_len : 0;
    t->request.version = (enum fetch_version)r->version;
    t->request.timeout = r->idle_timeout;
    t->request.trailers = &t->trailers;
    t->request.fresh = (r->flags & WN_HTTP_FRESH) != 0;
}

bool http_request_make(struct wn_http_transfer *t)
{
    const char *agent = t->http->agent != NULL ? t->http->agent : HTTP_AGENT;
    struct fields f = {t, text_of(t->store, sizeof t->store), 0};
    bool other_origin = !url_same_origin(&t->first, &t->url);
    if (agent[0] != '\0')
        add_unless_given(&f, "User-Agent", bytes_of_text(agent));
    add_unless_given(&f, "Accept", bytes_of_text("*/*"));
    if ((t->wish.flags & WN_HTTP_RAW) == 0 && !is_given(t, "Range"))
        add_unless_given(&f, "Accept-Encoding", bytes_of_text("gzip, br, deflate"));
    if (t->expects && t->sends_body)
        add(&f, "Expect", bytes_of_text("100-continue"));
    add_cookies(&f);
    add_given(&f, other_origin);
    bool good = choose_proxy(t) && (other_origin || add_authorization(&f)) &&
                make_proxy_authorization(t) && !f.store.failed;
    fill(t, f.count);
    return good;
}

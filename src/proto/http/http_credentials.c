/* SPDX-License-Identifier: ISC */
/* http_credentials.c - challenges and their answers (RFC 9110 §11.3, §11.6; RFC 7616 §3.4; RFC 7617). */
#include "proto/http/http_credentials.h"

#include "base/encoding.h"
#include "wire/http/http_list.h"

/* ---- challenges ---- */

static struct bytes token_at(struct bytes text)
{
    size_t len = 0;
    while (len < text.len && http_octet_is(text.data[len], HTTP_OCTET_TOKEN))
        len++;
    return bytes_first(text, len);
}

/* "name=value" with optional spaces; the value without its quotes, as far as `value` has room. False:
 * the element is no parameter. */
static bool read_parameter(struct bytes element, struct bytes *name, struct text *value)
{
    *name = token_at(element);
    struct bytes rest = http_trim(bytes_after(element, name->len));
    if (name->len == 0 || rest.len == 0 || rest.data[0] != '=')
        return false;
    rest = http_trim(bytes_after(rest, 1));
    if (rest.len == 0 || rest.data[0] != '"') {
        text_add_bytes(value, rest);
        return true;
    }
    for (size_t i = 1; i < rest.len && rest.data[i] != '"'; i++) {
        if (rest.data[i] == '\\' && i + 1 < rest.len)
            i++;
        text_add_bytes(value, bytes_of(rest.data + i, 1));
    }
    return true;
}

static void take_algorithm(struct http_challenge *c, struct bytes value)
{
    static const struct {
        const char *name;
        enum http_digest_algorithm algorithm;
        bool session;
    } names[] = {
        {"MD5", HTTP_DIGEST_MD5, false},
        {"MD5-sess", HTTP_DIGEST_MD5, true},
        {"SHA-256", HTTP_DIGEST_SHA256, false},
        {"SHA-256-sess", HTTP_DIGEST_SHA256, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal_nocase(value, bytes_of_text(names[i].name))) {
            c->algorithm = names[i].algorithm;
            c->session = names[i].session;
            return;
        }
    c->scheme = HTTP_SCHEME_NONE; /* one that we do not know */
}

static void keep(struct http_challenge *c, char *to, size_t size, struct bytes value)
{
    struct text t = text_of(to, size);
    text_add_bytes(&t, value);
    if (t.failed)
        c->scheme = HTTP_SCHEME_NONE; /* what cannot be sent back whole */
}

static void take_parameter(struct http_challenge *c, struct bytes name, struct bytes value)
{
    bool is_true = bytes_equal_nocase(value, bytes_of_text("true"));
    if (bytes_equal_nocase(name, bytes_of_text("realm")))
        keep(c, c->realm, sizeof c->realm, value);
    else if (c->scheme != HTTP_SCHEME_DIGEST)
        return;
    else if (bytes_equal_nocase(name, bytes_of_text("nonce")))
        keep(c, c->nonce, sizeof c->nonce, value);
    else if (bytes_equal_nocase(name, bytes_of_text("opaque")))
        keep(c, c->opaque, sizeof c->opaque, value);
    else if (bytes_equal_nocase(name, bytes_of_text("algorithm")))
        take_algorithm(c, value);
    else if (bytes_equal_nocase(name, bytes_of_text("stale")))
        c->stale = is_true;
    else if (bytes_equal_nocase(name, bytes_of_text("userhash")))
        c->hashes_user = is_true;
    else if (bytes_equal_nocase(name, bytes_of_text("qop"))) {
        c->protects = http_list_has(value, "auth");
        if (!c->protects) /* auth-int alone */
            c->scheme = HTTP_SCHEME_NONE;
    }
}

static unsigned strength(const struct http_challenge *c)
{
    switch (c->scheme) {
    case HTTP_SCHEME_NONE:
        return 0;
    case HTTP_SCHEME_BASIC:
        return 1;
    case HTTP_SCHEME_DIGEST:
        return c->nonce[0] == '\0' ? 0 : 2 + (unsigned)c->algorithm;
    }
    return 0;
}

static enum http_scheme scheme_of(struct bytes name)
{
    if (bytes_equal_nocase(name, bytes_of_text("Basic")))
        return HTTP_SCHEME_BASIC;
    if (bytes_equal_nocase(name, bytes_of_text("Digest")))
        return HTTP_SCHEME_DIGEST;
    return HTTP_SCHEME_NONE;
}

/* Both of a challenge that ends here and of the best so far. */
static void settle(const struct http_challenge *c, struct http_challenge *best)
{
    if (strength(c) > strength(best))
        *best = *c;
}

/* A comma-separated list of challenges, each with a comma-separated list of its own: an element without
 * "=" behind its first token begins another (RFC 9110 §11.6.1). */
static void read_challenges(struct bytes list, struct http_challenge *best)
{
    struct http_challenge c = {.scheme = HTTP_SCHEME_NONE};
    struct bytes element;
    while (http_list_next(&list, &element)) {
        struct bytes name = token_at(element);
        struct bytes behind = http_trim(bytes_after(element, name.len));
        char value[HTTP_NONCE_MAX + HTTP_REALM_MAX];
        struct text t = text_of(value, sizeof value);
        if (name.len > 0 && (behind.len == 0 || behind.data[0] != '=')) {
            settle(&c, best);
            c = (struct http_challenge){.scheme = scheme_of(name)};
            element = behind;
        }
        if (read_parameter(element, &name, &t) && !t.failed)
            take_parameter(&c, name, text_bytes(&t));
    }
    settle(&c, best);
}

bool http_challenge_choose(const struct http_fields *fields, const char *field,
                           struct http_challenge *out)
{
    struct http_challenge best = {.scheme = HTTP_SCHEME_NONE};
    for (size_t i = 0; i < fields->count; i++)
        if (bytes_equal_nocase(fields->list[i].name, bytes_of_text(field)))
            read_challenges(fields->list[i].value, &best);
    if (strength(&best) == 0)
        return false;
    *out = best;
    return true;
}

bool http_challenge_take(const struct http_fields *fields, const char *field, bool unasked,
                         struct http_challenge *answered)
{
    struct http_challenge next;
    bool first = answered->scheme == HTTP_SCHEME_NONE ||
                 (answered->scheme == HTTP_SCHEME_BASIC && unasked);
    if (!http_challenge_choose(fields, field, &next))
        return false;
    if (!first && !(next.stale && strcmp(next.nonce, answered->nonce) != 0))
        return false;
    if (answered->scheme == HTTP_SCHEME_BASIC && next.scheme == HTTP_SCHEME_BASIC)
        return false;
    *answered = next;
    return true;
}

/* ---- users ---- */

bool http_user_split(const char *pair, struct http_user *out)
{
    struct text name = text_of(out->name, sizeof out->name);
    struct text password = text_of(out->password, sizeof out->password);
    struct bytes all = bytes_of_text(pair);
    size_t colon = bytes_find(all, ':');
    text_add_bytes(&name, bytes_first(all, colon));
    text_add_bytes(&password, bytes_after(all, colon + 1));
    return !name.failed && !password.failed;
}

bool http_user_of_url(const struct url *url, struct http_user *out)
{
    struct text name = text_of(out->name, sizeof out->name);
    struct text password = text_of(out->password, sizeof out->password);
    struct bytes all = bytes_of_text(url->user);
    size_t colon = bytes_find(all, ':');
    return url_decode(bytes_first(all, colon), &name) &&
           url_decode(bytes_after(all, colon + 1), &password);
}

/* ---- Basic ---- */

static bool write_basic(const struct http_login *login, struct text *out)
{
    char pair[512];
    struct text t = text_of(pair, sizeof pair);
    if (strchr(login->user, ':') != NULL)
        return false;
    text_add_format(&t, "%s:%s", login->user, login->password);
    text_add(out, "Basic ");
    encoding_format(ENCODING_BASE64, text_bytes(&t), out);
    return !t.failed && !out->failed;
}

/* ---- Digest ---- */

enum { HASH_TEXT_MAX = 2 * HTTP_DIGEST_MAX + 1 };

/* H(): base16 of the digest (RFC 7616 §3.3). */
static void hash(const struct http_challenge *c, const struct http_login *login, struct text *in,
                 char out[HASH_TEXT_MAX])
{
    uint8_t digest[HTTP_DIGEST_MAX];
    size_t len = login->digest(login->digest_self, c->algorithm, text_bytes(in), digest);
    struct text t = text_of(out, HASH_TEXT_MAX);
    encoding_format(ENCODING_BASE16, bytes_of(digest, len), &t);
}

/* §3.4.2 */
static bool hash_a1(const struct http_challenge *c, const struct http_login *login,
                    const char *cnonce, char out[HASH_TEXT_MAX])
{
    char buffer[1024];
    struct text t = text_of(buffer, sizeof buffer);
    text_add_format(&t, "%s:%s:%s", login->user, c->realm, login->password);
    hash(c, login, &t, out);
    bool whole = !t.failed;
    if (c->session) {
        t = text_of(buffer, sizeof buffer);
        text_add_format(&t, "%s:%s:%s", out, c->nonce, cnonce);
        hash(c, login, &t, out);
    }
    return whole && !t.failed;
}

static bool hash_response(const struct http_challenge *c, const struct http_login *login,
                          struct bytes uri, const char *method, const char *cnonce,
                          char out[HASH_TEXT_MAX])
{
    char buffer[HTTP_LINE_MAX + HTTP_METHOD_MAX + 2];
    char a1[HASH_TEXT_MAX];
    char a2[HASH_TEXT_MAX];
    struct text t = text_of(buffer, sizeof buffer);
    bool whole = hash_a1(c, login, cnonce, a1);
    text_add_format(&t, "%s:", method);
    text_add_bytes(&t, uri);
    hash(c, login, &t, a2);
    whole = whole && !t.failed;
    t = text_of(buffer, sizeof buffer);
    if (c->protects)
        text_add_format(&t, "%s:%s:%08x:%s:auth:%s", a1, c->nonce, c->count, cnonce, a2);
    else
        text_add_format(&t, "%s:%s:%s", a1, c->nonce, a2);
    hash(c, login, &t, out);
    return whole && !t.failed;
}

static void add_quoted(struct text *out, const char *name, const char *value)
{
    text_add_format(out, ", %s=\"", name);
    for (const char *p = value; *p != '\0'; p++)
        text_add_format(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    text_add(out, "\"");
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((uint8_t)*text >= 0x80)
            return false;
    return true;
}

/* §3.4, §3.4.4: what is not ASCII is sent encoded (username*, RFC 5987), a user that must not be seen
 * as a hash. */
static void add_user(const struct http_challenge *c, const struct http_login *login,
                     struct text *out)
{
    if (c->hashes_user) {
        char buffer[1024];
        char hashed[HASH_TEXT_MAX];
        struct text t = text_of(buffer, sizeof buffer);
        text_add_format(&t, "%s:%s", login->user, c->realm);
        hash(c, login, &t, hashed);
        out->failed = out->failed || t.failed;
        text_add_format(out, "username=\"%s\", userhash=true", hashed);
    } else if (is_ascii(login->user)) {
        text_add(out, "username=\"");
        for (const char *p = login->user; *p != '\0'; p++)
            text_add_format(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
        text_add(out, "\"");
    } else {
        text_add(out, "username*=UTF-8''");
        for (const char *p = login->user; *p != '\0'; p++)
            text_add_format(out, http_octet_is((uint8_t)*p, HTTP_OCTET_TOKEN) && *p != '%' &&
                                     *p != '\'' && *p != '*' ? "%c" : "%%%02X", (uint8_t)*p);
    }
}

static bool write_digest(struct http_challenge *c, const struct http_login *login,
                         const char *method, struct bytes target, const char *cnonce,
                         struct text *out)
{
    static const char *const names[HTTP_DIGEST_COUNT] = {"MD5", "SHA-256"};
    char response[HASH_TEXT_MAX];
    c->count++;
    if (!hash_response(c, login, target, method, cnonce, response))
        return false;
    text_add(out, "Digest ");
    add_user(c, login, out);
    add_quoted(out, "realm", c->realm);
    text_add(out, ", uri=\"");
    text_add_bytes(out, target); /* has no quotes */
    text_add(out, "\"");
    text_add_format(out, ", algorithm=%s%s", names[c->algorithm], c->session ? "-sess" : "");
    add_quoted(out, "nonce", c->nonce);
    if (c->protects || c->session)
        add_quoted(out, "cnonce", cnonce);
    if (c->protects)
        text_add_format(out, ", nc=%08x, qop=auth", c->count);
    text_add_format(out, ", response=\"%s\"", response);
    if (c->opaque[0] != '\0')
        add_quoted(out, "opaque", c->opaque);
    return !out->failed;
}

bool http_credentials_write(struct http_challenge *challenge, const struct http_login *login,
                            const char *method, struct bytes target, const char *cnonce,
                            struct text *out)
{
    switch (challenge->scheme) {
    case HTTP_SCHEME_NONE:
        return false;
    case HTTP_SCHEME_BASIC:
        return write_basic(login, out);
    case HTTP_SCHEME_DIGEST:
        return write_digest(challenge, login, method, target, cnonce, out);
    }
    return false;
}

/* SPDX-License-Identifier: ISC */
/* http_session.c - signed cookies and the tokens of forms. */
#include "proto/http/http_session.h"

#include "base/encoding.h"
#include "wire/http/http_octets.h"

enum {
    SHA = 256,
    MASK_LEN = 16,
    TOKEN_OCTETS = 2 * MASK_LEN + 16, /* mask, and the tag under it, of 32: 48 octets are 64 letters */
    TAG_LEN = TOKEN_OCTETS - MASK_LEN,
};
_Static_assert(TOKEN_OCTETS * 4 / 3 == (int)HTTP_SESSION_TOKEN_LEN, "no letter is left over");
_Static_assert(TAG_LEN <= (int)HTTP_SESSION_MAC_LEN, "the tag is a part of it");

void http_sessions_init(struct http_sessions *sessions, const struct http_session_hmac *hmac,
                        const char *name, struct prng *prng)
{
    memset(sessions, 0, sizeof *sessions);
    sessions->hmac = *hmac;
    ASSERT(http_is_token(bytes_of_text(name)) && strlen(name) < sizeof sessions->name);
    memcpy(sessions->name, name, strlen(name) + 1);
    prng_fill(prng, sessions->keys[0], HTTP_SESSION_KEY_LEN);
}

void http_sessions_roll(struct http_sessions *sessions, struct prng *prng)
{
    memcpy(sessions->keys[1], sessions->keys[0], HTTP_SESSION_KEY_LEN);
    sessions->has_previous = true;
    prng_fill(prng, sessions->keys[0], HTTP_SESSION_KEY_LEN);
}

void http_session_begin(struct http_session *session, int64_t expires, struct prng *prng)
{
    memset(session, 0, sizeof *session);
    session->expires = expires;
    prng_fill(prng, session->id, sizeof session->id);
}

/* What is signed says what for: a token is no cookie, and a cookie of one name not another's. */
static bool sign(const struct http_sessions *sessions, size_t key, const char *purpose,
                 struct bytes in, uint8_t out[HTTP_SESSION_MAC_LEN])
{
    uint8_t mac[64];
    const struct http_session_hmac *h = &sessions->hmac;
    void *running = h->start(h->self, SHA, bytes_of(sessions->keys[key], HTTP_SESSION_KEY_LEN));
    if (running == NULL)
        return false;
    h->add(running, bytes_of(purpose, strlen(purpose) + 1));
    h->add(running, bytes_of(sessions->name, strlen(sessions->name) + 1));
    h->add(running, in);
    if (h->end(running, mac) != HTTP_SESSION_MAC_LEN)
        return false;
    memcpy(out, mac, HTTP_SESSION_MAC_LEN);
    return true;
}

/* In a time that does not tell where they differ. */
static bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= (uint8_t)(a[i] ^ b[i]);
    return difference == 0;
}

/* ---- the cookie ---- */

static void add_name(const struct http_sessions *sessions, bool secure, struct text *out)
{
    text_add(out, secure ? "__Host-" : ""); /* browsers take it over TLS alone, from the host itself */
    text_add(out, sessions->name);
    text_add(out, "=");
}

static void add_attributes(bool secure, long long age, struct text *out)
{
    text_add_format(out, "; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", age,
                    secure ? "; Secure" : "");
}

bool http_session_write(const struct http_sessions *sessions, const struct http_session *session,
                        bool secure, int64_t now, char out[HTTP_SESSION_FIELD_MAX])
{
    uint8_t octets[8 + HTTP_SESSION_ID_LEN + HTTP_SESSION_DATA_MAX], mac[HTTP_SESSION_MAC_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    struct text text = text_of(out, HTTP_SESSION_FIELD_MAX);
    ASSERT(session->data_len <= HTTP_SESSION_DATA_MAX);
    write_u64(&w, (uint64_t)session->expires);
    write_copy(&w, session->id, sizeof session->id);
    write_copy(&w, session->data, session->data_len);
    if (!sign(sessions, 0, "cookie", writer_bytes(&w), mac))
        return false;
    add_name(sessions, secure, &text);
    encoding_format(ENCODING_BASE64URL, writer_bytes(&w), &text);
    text_add(&text, ".");
    encoding_format(ENCODING_BASE64URL, bytes_of(mac, sizeof mac), &text);
    add_attributes(secure, (long long)(session->expires > now ? session->expires - now : 0), &text);
    ASSERT(!text.failed);
    return true;
}

void http_session_write_end(const struct http_sessions *sessions, bool secure,
                            char out[HTTP_SESSION_FIELD_MAX])
{
    struct text text = text_of(out, HTTP_SESSION_FIELD_MAX);
    add_name(sessions, secure, &text);
    add_attributes(secure, 0, &text);
}

static bool read_value(const struct http_sessions *sessions, struct bytes value, int64_t now,
                       struct http_session *out)
{
    uint8_t octets[8 + HTTP_SESSION_ID_LEN + HTTP_SESSION_DATA_MAX];
    uint8_t theirs[HTTP_SESSION_MAC_LEN], ours[HTTP_SESSION_MAC_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    struct writer m = writer_of(theirs, sizeof theirs);
    size_t dot = bytes_find(value, '.');
    if (!encoding_decode(ENCODING_BASE64URL, bytes_first(value, dot), &w) || w.failed ||
        !encoding_decode(ENCODING_BASE64URL, bytes_after(value, dot + 1), &m) || m.failed ||
        writer_len(&m) != sizeof theirs || writer_len(&w) < 8 + HTTP_SESSION_ID_LEN)
        return false;
    bool right = false;
    for (size_t key = 0; key < 1 + (size_t)sessions->has_previous && !right; key++)
        right = sign(sessions, key, "cookie", writer_bytes(&w), ours) &&
                same(ours, theirs, sizeof ours);
    if (!right)
        return false;
    struct reader r = reader_of(writer_bytes(&w));
    memset(out, 0, sizeof *out);
    out->expires = (int64_t)read_u64(&r);
    struct bytes id = read_bytes(&r, HTTP_SESSION_ID_LEN);
    memcpy(out->id, id.data, id.len);
    out->data_len = (uint32_t)reader_left(&r);
    struct bytes data = read_bytes(&r, out->data_len);
    if (data.len > 0)
        memcpy(out->data, data.data, data.len);
    return out->expires > now;
}

bool http_session_read(const struct http_sessions *sessions, struct bytes cookie, bool secure,
                       int64_t now, struct http_session *out)
{
    char name[HTTP_SESSION_NAME_MAX + 10];
    struct text text = text_of(name, sizeof name);
    add_name(sessions, secure, &text);
    while (cookie.len > 0) {
        size_t end = bytes_find(cookie, ';');
        struct bytes pair = http_trim(bytes_first(cookie, end));
        cookie = bytes_after(cookie, end + 1);
        if (bytes_equal(bytes_first(pair, text.len), text_bytes(&text)) &&
            read_value(sessions, bytes_after(pair, text.len), now, out))
            return true;
    }
    return false;
}

/* ---- tokens ---- */

static bool make_tag(const struct http_sessions *sessions, size_t key,
                     const struct http_session *session, uint8_t tag[HTTP_SESSION_MAC_LEN])
{
    return sign(sessions, key, "form", bytes_of(session->id, sizeof session->id), tag);
}

static void mask(uint8_t *tag, const uint8_t *with)
{
    for (size_t i = 0; i < TAG_LEN; i++)
        tag[i] ^= with[i % MASK_LEN];
}

void http_session_token(const struct http_sessions *sessions, const struct http_session *session,
                        struct prng *prng, char out[HTTP_SESSION_TOKEN_LEN + 1])
{
    uint8_t octets[MASK_LEN + HTTP_SESSION_MAC_LEN];
    struct text text = text_of(out, HTTP_SESSION_TOKEN_LEN + 1);
    out[0] = '\0';
    prng_fill(prng, octets, MASK_LEN);
    if (!make_tag(sessions, 0, session, octets + MASK_LEN))
        return;
    mask(octets + MASK_LEN, octets);
    encoding_format(ENCODING_BASE64URL, bytes_of(octets, TOKEN_OCTETS), &text);
}

bool http_session_token_fits(const struct http_sessions *sessions,
                             const struct http_session *session, struct bytes token)
{
    uint8_t octets[TOKEN_OCTETS], tag[HTTP_SESSION_MAC_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    if (!encoding_decode(ENCODING_BASE64URL, token, &w) || w.failed ||
        writer_len(&w) != sizeof octets)
        return false;
    mask(octets + MASK_LEN, octets);
    bool right = false;
    for (size_t key = 0; key < 1 + (size_t)sessions->has_previous && !right; key++)
        right = make_tag(sessions, key, session, tag) && same(tag, octets + MASK_LEN, TAG_LEN);
    return right;
}

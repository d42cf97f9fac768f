/* SPDX-License-Identifier: ISC */
/* tsig_key.c - keys of TSIG: their algorithms (RFC 8945 §6), and the texts that people pass on. */
#include "base/encoding.h"
#include "proto/dns/tsig_internal.h"

static const struct tsig_algorithm_row rows[] = {
    [TSIG_HMAC_SHA256] = {"hmac-sha256", 256, 32},
    [TSIG_HMAC_SHA1] = {"hmac-sha1", 1, 20},
    [TSIG_HMAC_SHA224] = {"hmac-sha224", 224, 28},
    [TSIG_HMAC_SHA384] = {"hmac-sha384", 384, 48},
    [TSIG_HMAC_SHA512] = {"hmac-sha512", 512, 64},
    [TSIG_HMAC_SHA256_128] = {"hmac-sha256-128", 256, 16},
    [TSIG_HMAC_SHA384_192] = {"hmac-sha384-192", 384, 24},
    [TSIG_HMAC_SHA512_256] = {"hmac-sha512-256", 512, 32},
};
_Static_assert(ARRAY_LEN(rows) == TSIG_ALGORITHM_COUNT, "one row per algorithm");

const struct tsig_algorithm_row *tsig_algorithm_row(enum tsig_algorithm algorithm)
{
    ASSERT(algorithm < TSIG_ALGORITHM_COUNT);
    return &rows[algorithm];
}

const char *tsig_algorithm_text(enum tsig_algorithm algorithm)
{
    return tsig_algorithm_row(algorithm)->name;
}

bool tsig_algorithm_parse(struct bytes text, enum tsig_algorithm *out)
{
    if (text.len > 0 && text.data[text.len - 1] == '.')
        text = bytes_first(text, text.len - 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (bytes_equal_nocase(text, bytes_of_text(rows[i].name))) {
            *out = (enum tsig_algorithm)i;
            return true;
        }
    return false;
}

bool tsig_secret_parse(struct bytes text, struct tsig_key *out)
{
    uint8_t secret[TSIG_SECRET_MAX];
    struct writer w = writer_of(secret, sizeof secret);
    if (!encoding_decode(ENCODING_BASE64, text, &w) || w.failed || writer_len(&w) == 0)
        return false;
    out->secret_len = (uint16_t)writer_len(&w);
    memcpy(out->secret, secret, out->secret_len);
    return true;
}

const struct tsig_key *tsig_keys_find(const struct tsig_keys *keys, const struct dns_name *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (dns_name_equal(&keys->keys[i].name, name))
            return &keys->keys[i];
    return NULL;
}

/* ---- the statement ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Past blanks, and comments to the end of the line. */
static struct bytes skip_blanks(struct bytes text)
{
    for (;;) {
        bool slashes = text.len > 1 && text.data[0] == '/' && text.data[1] == '/';
        if (text.len > 0 && (text.data[0] == '#' || slashes))
            text = bytes_after(text, bytes_find(text, '\n'));
        else if (text.len > 0 && is_blank(text.data[0]))
            text = bytes_after(text, 1);
        else
            return text;
    }
}

/* The next word: a quoted text, a mark, or what lies between those. Empty: there is none. */
static struct bytes next_word(struct bytes *text)
{
    static const char marks[] = "{};\"";
    *text = skip_blanks(*text);
    size_t len = 0;
    if (text->len > 0 && text->data[0] == '"') {
        len = bytes_find(bytes_after(*text, 1), '"');
        struct bytes word = bytes_first(bytes_after(*text, 1), len);
        *text = bytes_after(*text, len + 2);
        return word;
    }
    while (len < text->len && !is_blank(text->data[len]) &&
           memchr(marks, text->data[len], sizeof marks - 1) == NULL)
        len++;
    if (len == 0 && text->len > 0)
        len = 1;
    struct bytes word = bytes_first(*text, len);
    *text = bytes_after(*text, len);
    return word;
}

static bool is_word(struct bytes word, const char *text)
{
    return bytes_equal_nocase(word, bytes_of_text(text));
}

static bool parse_statement(struct bytes text, struct tsig_key *out)
{
    bool has_algorithm = false;
    bool has_secret = false;
    if (!is_word(next_word(&text), "key") || !dns_name_parse(next_word(&text), NULL, &out->name) ||
        !is_word(next_word(&text), "{"))
        return false;
    for (;;) {
        struct bytes word = next_word(&text);
        if (is_word(word, "}"))
            break;
        struct bytes value = next_word(&text);
        if (is_word(word, "algorithm"))
            has_algorithm = tsig_algorithm_parse(value, &out->algorithm);
        else if (is_word(word, "secret"))
            has_secret = tsig_secret_parse(value, out);
        else
            return false;
        if (!is_word(next_word(&text), ";"))
            return false;
    }
    struct bytes end = next_word(&text);
    return has_algorithm && has_secret && (end.len == 0 || is_word(end, ";")) &&
           skip_blanks(text).len == 0;
}

/* [ALGORITHM:]NAME:SECRET */
static bool parse_line(struct bytes text, struct tsig_key *out)
{
    size_t colon = bytes_find(text, ':');
    struct bytes first = bytes_first(text, colon);
    struct bytes rest = bytes_after(text, colon + 1);
    size_t second = bytes_find(rest, ':');
    out->algorithm = TSIG_HMAC_SHA256;
    if (second < rest.len) {
        if (!tsig_algorithm_parse(first, &out->algorithm))
            return false;
        first = bytes_first(rest, second);
        rest = bytes_after(rest, second + 1);
    }
    return colon < text.len && dns_name_parse(first, NULL, &out->name) &&
           tsig_secret_parse(rest, out);
}

bool tsig_key_parse(struct bytes text, struct tsig_key *out)
{
    struct tsig_key key = {0};
    text = skip_blanks(text);
    struct bytes line = bytes_first(text, bytes_find(text, '\n'));
    bool alone = skip_blanks(bytes_after(text, line.len)).len == 0;
    while (line.len > 0 && is_blank(line.data[line.len - 1]))
        line = bytes_first(line, line.len - 1);
    if (!(alone && parse_line(line, &key)) && !parse_statement(text, &key))
        return false;
    *out = key;
    return true;
}

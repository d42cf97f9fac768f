/* SPDX-License-Identifier: ISC */
/*
 * web_auth.c - Basic (RFC 7617) and Digest (RFC 7616) authentication.
 *
 * A nonce of Digest is the time it was made at, and a keyed hash of that: nothing is kept of it. SKIPS
 * RFC 7616 §3.4.5: the count of a nonce is not kept either; a request that is played again within the
 * nonce's lifetime is answered again. SKIPS qop=auth-int and -sess: no client of today sends them.
 */
#include "app/web/web_auth.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_rules.h"
#include "base/encoding.h"
#include "base/text.h"
#include "wire/http/http_list.h"

enum { HEX_MAX = 2 * EVP_MAX_MD_SIZE, NONCE_LEN = 32 };

struct web_users {
    char *text; /* the file */
    size_t len;
    bool sha256, md5; /* there are lines for Digest with them */
};

/* ---- the file ---- */

static bool next_line(struct bytes *rest, struct bytes *line)
{
    if (rest->len == 0)
        return false;
    size_t end = bytes_find(*rest, '\n');
    *line = text_trim(bytes_first(*rest, end));
    *rest = bytes_after(*rest, end + 1);
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    return true;
}

static int read_all(int fd, struct web_users *users)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0 || size > WEB_USERS_FILE_MAX)
        return size < 0 ? -errno : -EFBIG;
    users->text = malloc((size_t)size + 1);
    if (users->text == NULL)
        return -ENOMEM;
    ssize_t got = pread(fd, users->text, (size_t)size, 0);
    users->len = got > 0 ? (size_t)got : 0;
    return got < 0 ? -errno : 0;
}

static int read_users(const char *path, struct web_users *users)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int status = read_all(fd, users);
    (void)close(fd);
    return status;
}

int web_users_read(const char *path, struct web_users **out)
{
    struct web_users *users = calloc(1, sizeof *users);
    if (users == NULL)
        return -ENOMEM;
    int status = read_users(path, users);
    struct bytes rest = bytes_of(users->text, status == 0 ? users->len : 0);
    struct bytes line;
    while (status == 0 && next_line(&rest, &line)) {
        size_t colon = bytes_find(line, ':');
        if (line.len > 0 && line.data[0] != '#' &&
            (colon == 0 || colon >= WEB_USER_MAX || colon + 1 >= line.len))
            status = -EINVAL;
        size_t second = colon + 1 + bytes_find(bytes_after(line, colon + 1), ':');
        users->sha256 |= line.len == second + 1 + 64;
        users->md5 |= line.len == second + 1 + 32;
    }
    if (status < 0) {
        web_users_free(users);
        return status;
    }
    *out = users;
    return 0;
}

void web_users_free(struct web_users *users)
{
    if (users == NULL)
        return;
    free(users->text);
    free(users);
}

/* The next line of that name, without it. */
static bool next_entry(struct bytes *rest, struct bytes name, struct bytes *entry)
{
    struct bytes line;
    while (next_line(rest, &line)) {
        size_t colon = bytes_find(line, ':');
        if (line.len > 0 && line.data[0] != '#' && bytes_equal(bytes_first(line, colon), name)) {
            *entry = bytes_after(line, colon + 1);
            return true;
        }
    }
    return false;
}

/* ---- digests ---- */

/* "MD5" or "SHA-256" of parts joined by colons, in hexadecimal with a NUL. */
static bool hash(const char *algorithm, const struct bytes *parts, size_t count,
                 char out[HEX_MAX + 1])
{
    const EVP_MD *md = strcmp(algorithm, "MD5") == 0 ? EVP_md5() : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool good = context != NULL && EVP_DigestInit_ex(context, md, NULL) == 1;
    for (size_t i = 0; i < count && good; i++)
        good = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
               EVP_DigestUpdate(context, parts[i].data, parts[i].len) == 1;
    good = good && EVP_DigestFinal_ex(context, digest, &len) == 1;
    EVP_MD_CTX_free(context);
    struct text text = text_of(out, HEX_MAX + 1);
    if (good)
        encoding_format(ENCODING_BASE16, bytes_of(digest, len), &text);
    return good;
}

/* ---- Basic ---- */

/* Hashing a password takes as long as its hash demands: what was right once need not be hashed again
 * while the process lives. */
static uint64_t mark_of(const struct web_auth_context *context, struct bytes entry,
                        struct bytes password)
{
    uint64_t marks[2] = {siphash24(&context->key, entry), siphash24(&context->key, password)};
    return siphash24(&context->key, bytes_of(marks, sizeof marks)) | 1;
}

static bool crypt_fits(struct bytes entry, struct bytes password)
{
    char setting[CRYPT_OUTPUT_SIZE];
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE + 1];
    struct crypt_data *data = calloc(1, sizeof *data);
    bool fits = false;
    if (data != NULL && entry.len < sizeof setting && password.len < sizeof phrase &&
        memchr(password.data, '\0', password.len) == NULL) {
        snprintf(setting, sizeof setting, "%.*s", (int)entry.len, (const char *)entry.data);
        snprintf(phrase, sizeof phrase, "%.*s", (int)password.len, (const char *)password.data);
        const char *made = crypt_r(phrase, setting, data);
        fits = made != NULL && made[0] != '*' && bytes_equal_secret(bytes_of_text(made), entry);
        explicit_bzero(phrase, sizeof phrase);
    }
    if (data != NULL)
        explicit_bzero(data, sizeof *data);
    free(data);
    return fits;
}

/* REALM:HASH */
static bool digest_fits(struct bytes entry, struct bytes name, struct bytes password)
{
    char made[HEX_MAX + 1];
    size_t colon = bytes_find(entry, ':');
    struct bytes want = bytes_after(entry, colon + 1);
    const struct bytes parts[] = {name, bytes_first(entry, colon), password};
    return hash(want.len == 32 ? "MD5" : "SHA-256", parts, 3, made) &&
           bytes_equal_secret(bytes_of_text(made), want);
}

static uint64_t *known_of(struct web_auth_context *context, uint64_t mark)
{
    return &context->verified[mark / 2 % WEB_VERIFIED_MAX];
}

static bool was_verified(struct web_auth_context *context, const struct web_users *users,
                         struct bytes name, struct bytes password)
{
    struct bytes rest = bytes_of(users->text, users->len);
    struct bytes entry;
    while (next_entry(&rest, name, &entry)) {
        uint64_t mark = mark_of(context, entry, password);
        if (*known_of(context, mark) == mark)
            return true;
    }
    return false;
}

/* Somebody's entry, which takes as long as that of the name would if there were one. */
static struct bytes any_entry(const struct web_users *users)
{
    struct bytes rest = bytes_of(users->text, users->len);
    struct bytes line;
    while (next_line(&rest, &line))
        if (line.len > 0 && line.data[0] != '#')
            return bytes_after(line, bytes_find(line, ':') + 1);
    return bytes_empty();
}

static bool entry_fits(struct bytes entry, struct bytes name, struct bytes password)
{
    return bytes_find(entry, ':') < entry.len ? digest_fits(entry, name, password)
                                              : crypt_fits(entry, password);
}

static bool password_fits(struct web_auth_context *context, const struct web_users *users,
                          struct bytes name, struct bytes password)
{
    struct bytes rest = bytes_of(users->text, users->len);
    struct bytes entry;
    bool is_name = false;
    while (next_entry(&rest, name, &entry)) {
        is_name = true;
        if (entry_fits(entry, name, password)) {
            uint64_t mark = mark_of(context, entry, password);
            *known_of(context, mark) = mark;
            return true;
        }
    }
    if (!is_name)
        (void)entry_fits(any_entry(users), name, password); /* the time tells nobody so */
    return false;
}

/* What is not in the file is a guess, and hashing it keeps everybody waiting. */
static enum web_verdict check_password(struct web_auth_context *context,
                                       const struct web_users *users,
                                       const struct web_credentials *credentials, struct bytes name,
                                       struct bytes password)
{
    if (was_verified(context, users, name, password))
        return WEB_ADMITTED;
    if (!guesses_left(&context->guesses, &credentials->peer, credentials->now))
        return WEB_TOO_OFTEN;
    if (password_fits(context, users, name, password))
        return WEB_ADMITTED;
    guesses_wrong(&context->guesses, &credentials->peer, credentials->now);
    return WEB_UNKNOWN;
}

static enum web_verdict check_basic(struct web_auth_context *context,
                                    const struct web_users *users,
                                    const struct web_credentials *credentials, struct bytes token,
                                    char out[WEB_USER_MAX])
{
    uint8_t plain[512];
    struct writer w = writer_of(plain, sizeof plain);
    if (!encoding_decode(ENCODING_BASE64, token, &w) || w.failed)
        return WEB_UNKNOWN;
    struct bytes both = writer_bytes(&w);
    size_t colon = bytes_find(both, ':');
    struct bytes name = bytes_first(both, colon);
    enum web_verdict verdict = WEB_UNKNOWN;
    if (colon < both.len && name.len > 0 && name.len < WEB_USER_MAX)
        verdict = check_password(context, users, credentials, name, bytes_after(both, colon + 1));
    if (verdict == WEB_ADMITTED)
        snprintf(out, WEB_USER_MAX, "%.*s", (int)name.len, (const char *)name.data);
    explicit_bzero(plain, sizeof plain);
    return verdict;
}

/* ---- Digest ---- */

static void make_nonce(const struct web_auth_context *context, usec at, char out[NONCE_LEN + 1])
{
    struct {
        uint64_t at;
        uint64_t purpose; /* another than that of passwords */
    } what = {(uint64_t)at, 0x6e6f6e6365};
    snprintf(out, NONCE_LEN + 1, "%016llx%016llx", (unsigned long long)at,
             (unsigned long long)siphash24(&context->key, bytes_of(&what, sizeof what)));
}

/* The instant of a nonce of ours; false: it is not ours. */
static bool nonce_time(const struct web_auth_context *context, struct bytes nonce, usec *at)
{
    char made[NONCE_LEN + 1];
    uint64_t value = 0;
    if (nonce.len != NONCE_LEN)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int digit = http_hex_value(nonce.data[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    if (value > INT64_MAX)
        return false;
    make_nonce(context, (usec)value, made);
    *at = (usec)value;
    return bytes_equal_secret(bytes_of_text(made), nonce);
}

/* The value of a parameter, without its quotes. SKIPS quoted pairs: no name or URI of ours needs
 * them, and what has one fits nothing. */
static struct bytes parameter(struct bytes list, const char *name)
{
    struct bytes element;
    while (http_list_next(&list, &element)) {
        size_t equals = bytes_find(element, '=');
        if (!bytes_equal_nocase(http_trim(bytes_first(element, equals)), bytes_of_text(name)))
            continue;
        struct bytes value = http_trim(bytes_after(element, equals + 1));
        if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
            value = bytes_of(value.data + 1, value.len - 2);
        return value;
    }
    return bytes_empty();
}

/* RFC 7616 §3.4.1, with H(A1) from the file. */
static bool response_fits(const char *algorithm, struct bytes ha1, struct bytes list,
                          const struct web_credentials *credentials)
{
    char ha2[HEX_MAX + 1];
    char want[HEX_MAX + 1];
    const struct bytes a2[] = {credentials->method, parameter(list, "uri")};
    if (!hash(algorithm, a2, 2, ha2))
        return false;
    const struct bytes parts[] = {ha1,
                                  parameter(list, "nonce"),
                                  parameter(list, "nc"),
                                  parameter(list, "cnonce"),
                                  parameter(list, "qop"),
                                  bytes_of_text(ha2)};
    return hash(algorithm, parts, 6, want) &&
           bytes_equal_secret(bytes_of_text(want), parameter(list, "response"));
}

static enum web_verdict check_digest(struct web_auth_context *context,
                                     const struct web_rule *rule, const struct web_users *users,
                                     const struct web_credentials *credentials, struct bytes list,
                                     char out[WEB_USER_MAX])
{
    struct bytes name = parameter(list, "username");
    struct bytes algorithm = parameter(list, "algorithm");
    bool sha = bytes_equal_nocase(algorithm, bytes_of_text("SHA-256"));
    bool md5 = algorithm.len == 0 || bytes_equal_nocase(algorithm, bytes_of_text("MD5"));
    usec at;
    if ((!sha && !md5) || name.len == 0 || name.len >= WEB_USER_MAX ||
        !bytes_equal(parameter(list, "realm"), bytes_of_text(rule->realm)) ||
        !bytes_equal(parameter(list, "uri"), credentials->target) ||
        !bytes_equal_nocase(parameter(list, "qop"), bytes_of_text("auth")) ||
        !nonce_time(context, parameter(list, "nonce"), &at))
        return WEB_UNKNOWN;
    if (!guesses_left(&context->guesses, &credentials->peer, credentials->now))
        return WEB_TOO_OFTEN;
    struct bytes rest = bytes_of(users->text, users->len);
    struct bytes entry;
    while (next_entry(&rest, name, &entry)) {
        size_t colon = bytes_find(entry, ':');
        struct bytes ha1 = bytes_after(entry, colon + 1);
        if (ha1.len != (sha ? 64u : 32u) ||
            !bytes_equal(bytes_first(entry, colon), bytes_of_text(rule->realm)) ||
            !response_fits(sha ? "SHA-256" : "MD5", ha1, list, credentials))
            continue;
        if (credentials->now < at || credentials->now - at > WEB_NONCE_LIFETIME)
            return WEB_STALE;
        snprintf(out, WEB_USER_MAX, "%.*s", (int)name.len, (const char *)name.data);
        return WEB_ADMITTED;
    }
    guesses_wrong(&context->guesses, &credentials->peer, credentials->now);
    return WEB_UNKNOWN;
}

/* ---- both ---- */

enum web_verdict web_auth_check(struct web_auth_context *context, const struct web_rule *rule,
                                const struct web_users *users,
                                const struct web_credentials *credentials,
                                char name[WEB_USER_MAX])
{
    struct bytes value = credentials->authorization;
    size_t space = bytes_find(value, ' ');
    struct bytes scheme = bytes_first(value, space);
    struct bytes rest = http_trim(bytes_after(value, space));
    if (rule->auth == WEB_AUTH_BASIC && bytes_equal_nocase(scheme, bytes_of_text("Basic")))
        return check_basic(context, users, credentials, rest, name);
    if (rule->auth == WEB_AUTH_DIGEST && bytes_equal_nocase(scheme, bytes_of_text("Digest")))
        return check_digest(context, rule, users, credentials, rest, name);
    return WEB_UNKNOWN;
}

size_t web_auth_challenges(const struct web_auth_context *context, const struct web_place *place,
                           bool stale, usec now, char out[2][WEB_CHALLENGE_MAX])
{
    const struct web_rule *rule = place->rule;
    if (rule->auth == WEB_AUTH_BASIC) {
        snprintf(out[0], WEB_CHALLENGE_MAX, "Basic realm=\"%s\", charset=\"UTF-8\"", rule->realm);
        return 1;
    }
    /* What we like best first; a client takes the first that it knows. */
    const struct {
        const char *name;
        bool offered;
    } algorithms[] = {{"SHA-256", place->users->sha256}, {"MD5", place->users->md5}};
    char nonce[NONCE_LEN + 1];
    size_t count = 0;
    make_nonce(context, now, nonce);
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (algorithms[i].offered || (i == 0 && !place->users->md5))
            snprintf(out[count++], WEB_CHALLENGE_MAX,
                     "Digest realm=\"%s\", qop=\"auth\", algorithm=%s, nonce=\"%s\"%s",
                     rule->realm, algorithms[i].name, nonce, stale ? ", stale=true" : "");
    return count;
}

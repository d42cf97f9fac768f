/* SPDX-License-Identifier: ISC */
/*
 * proxy_users.c - who may ask, by Basic (RFC 7617). Hashes are slow on purpose, and while one is made everybody
 * waits: what was right before needs none, and who is wrong too often is not looked at.
 */
#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/proxy/proxy_internal.h"
#include "base/encoding.h"
#include "base/guesses.h"
#include "base/siphash.h"

enum { USERS_FILE_MAX = 1024 * 1024, USERS_VERIFIED = 256, CREDENTIALS_MAX = 512 };

struct proxy_users {
    char *text; /* the file */
    size_t len;
    struct siphash_key key;
    uint64_t verified[USERS_VERIFIED]; /* credentials whose hash was right */
    struct guesses guesses;
};

static bool lines_are_right(struct bytes text)
{
    while (text.len > 0) {
        size_t end = bytes_find(text, '\n');
        struct bytes line = text_trim(bytes_first(text, end));
        size_t colon = bytes_find(line, ':');
        if (line.len > 0 && line.data[0] != '#' && (colon == 0 || colon + 1 >= line.len))
            return false;
        text = bytes_after(text, end + 1);
    }
    return true;
}

struct proxy_users *proxy_users_read(const char *path, struct prng *prng, int *error)
{
    struct proxy_users *users = calloc(1, sizeof *users);
    FILE *file = fopen(path, "re");
    *error = file == NULL ? -errno : -ENOMEM;
    if (users != NULL && file != NULL) {
        users->key = (struct siphash_key){prng_u64(prng), prng_u64(prng)};
        users->guesses.key = (struct siphash_key){prng_u64(prng), prng_u64(prng)};
        users->text = malloc(USERS_FILE_MAX);
        users->len = users->text != NULL ? fread(users->text, 1, USERS_FILE_MAX, file) : 0;
        *error = users->text == NULL ? -ENOMEM : ferror(file) ? -EIO : 0;
        if (*error == 0 && (users->len == USERS_FILE_MAX ||
                            !lines_are_right(bytes_of(users->text, users->len))))
            *error = -EINVAL;
    }
    if (file != NULL)
        (void)fclose(file);
    if (*error == 0)
        return users;
    proxy_users_free(users);
    return NULL;
}

void proxy_users_free(struct proxy_users *users)
{
    if (users == NULL)
        return;
    free(users->text);
    free(users);
}

static bool copy_hash(struct bytes hash, char *out, size_t size)
{
    if (hash.len >= size)
        return false;
    memcpy(out, hash.data, hash.len);
    out[hash.len] = '\0';
    return true;
}

/* The hash of a name, as text; false: there is no such name, and it is somebody else's, which takes as long. */
static bool find_user(const struct proxy_users *users, struct bytes name, char *out, size_t size)
{
    out[0] = '\0';
    struct bytes text = bytes_of(users->text, users->len);
    while (text.len > 0) {
        size_t end = bytes_find(text, '\n');
        struct bytes line = text_trim(bytes_first(text, end));
        size_t colon = bytes_find(line, ':');
        if (colon < line.len && bytes_equal(bytes_first(line, colon), name)) {
            struct bytes hash = bytes_after(line, colon + 1);
            return copy_hash(hash, out, size);
        }
        if (colon < line.len && line.data[0] != '#' && out[0] == '\0')
            (void)copy_hash(bytes_after(line, colon + 1), out, size);
        text = bytes_after(text, end + 1);
    }
    return false;
}

static bool password_is_right(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *made = data != NULL ? crypt_r(password, hash, data) : NULL;
    bool right = made != NULL && made[0] != '*' &&
                 bytes_equal_secret(bytes_of_text(made), bytes_of_text(hash));
    free(data);
    return right;
}

/* "name:password" with a NUL behind it; false: they are none of the scheme. */
static bool decode(struct bytes credentials, uint8_t plain[CREDENTIALS_MAX + 1], struct bytes *both)
{
    static const char scheme[] = "Basic ";
    struct writer w = writer_of(plain, CREDENTIALS_MAX);
    if (!bytes_equal_nocase(bytes_first(credentials, sizeof scheme - 1), bytes_of_text(scheme)) ||
        !encoding_decode(ENCODING_BASE64, http_trim(bytes_after(credentials, sizeof scheme - 1)),
                         &w) ||
        w.failed)
        return false;
    *both = writer_bytes(&w);
    size_t colon = bytes_find(*both, ':');
    plain[both->len] = '\0';
    return colon < both->len && colon > 0 && colon < PROXY_USER_MAX &&
           bytes_find(*both, '\0') == both->len;
}

unsigned proxy_users_check(struct proxy_users *users, struct bytes credentials,
                           const struct ip_address *peer, usec now, char user[PROXY_USER_MAX])
{
    uint8_t plain[CREDENTIALS_MAX + 1];
    char hash[256];
    struct bytes both;
    if (!decode(credentials, plain, &both))
        return 407;
    size_t colon = bytes_find(both, ':');
    bool known = find_user(users, bytes_first(both, colon), hash, sizeof hash);
    uint64_t digest = siphash24(&users->key, both) | 1;
    uint64_t *slot = &users->verified[digest / 2 % USERS_VERIFIED];
    if (!known || *slot != digest) {
        if (!guesses_left(&users->guesses, peer, now))
            return 429;
        if (!password_is_right((const char *)plain + colon + 1, hash) || !known) {
            guesses_wrong(&users->guesses, peer, now);
            return 407;
        }
    }
    *slot = digest;
    memcpy(user, both.data, colon);
    user[colon] = '\0';
    for (char *c = user; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f)
            *c = '?';
    return 0;
}

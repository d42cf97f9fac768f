/* SPDX-License-Identifier: ISC */
/*
 * fuzz_cookie_jar.c - Set-Cookie fields, a line each, and a file of cookies. What is kept can stand in a field,
 * is bounded, and comes back from the file that is written of it.
 */
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/http/cookie_jar.h"
#include "wire/http/http_octets.h"

enum { NOW = 1700000000 };

static void check(struct cookie_jar *jar, const char *where)
{
    static char value[COOKIES_OF_DOMAIN_MAX * (COOKIE_PAIR_MAX + 4)];
    struct url url;
    struct text t = text_of(value, sizeof value);
    ASSERT(url_parse(bytes_of_text(where), NULL, &url) == URL_OK);
    if (cookie_jar_write(jar, &url, NOW, &t))
        ASSERT(t.len > 0 && http_octets_are(text_bytes(&t), HTTP_OCTET_FIELD));
}

static void check_file(struct cookie_jar *jar)
{
    struct heap heap = memory_heap();
    struct cookie_jar *copy = cookie_jar_new(&heap);
    const struct cookie *place = NULL;
    static char line[COOKIE_LINE_MAX];
    size_t lines = 0;
    ASSERT(copy != NULL);
    for (;;) {
        struct text t = text_of(line, sizeof line);
        if (!cookie_jar_save(jar, NOW, &place, &t))
            break;
        ASSERT(!t.failed);
        lines++;
        ASSERT(memchr(line, '\t', t.len) != NULL);
        (void)cookie_jar_load(copy, text_bytes(&t), NOW);
    }
    ASSERT(cookie_jar_count(copy) <= lines && lines <= COOKIES_MAX);
    cookie_jar_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct heap heap = memory_heap();
    struct cookie_jar *jar = cookie_jar_new(&heap);
    struct url url;
    struct bytes rest = bytes_of(data, len);
    ASSERT(jar != NULL);
    while (rest.len > 0) {
        size_t end = bytes_find(rest, '\n');
        ASSERT(url_parse(bytes_of_text(end % 2 ? "https://x.a.test/d/e" : "http://a.test/"), NULL, &url) ==
               URL_OK);
        (void)cookie_jar_take(jar, &url, bytes_first(rest, end), NOW);
        rest = bytes_after(rest, end + 1);
    }
    (void)cookie_jar_load(jar, bytes_of(data, len), NOW);
    check(jar, "http://a.test/");
    check(jar, "https://x.a.test/d/e/f");
    check_file(jar);
    cookie_jar_free(jar);
    return 0;
}

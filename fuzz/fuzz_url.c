/* SPDX-License-Identifier: ISC */
/*
 * fuzz_url.c - URLs and references. What was taken is normal: its text is taken again and gives the
 * same; its target begins with a slash and could stand in a request.
 */
#include "fuzz/fuzz.h"
#include "wire/http/uri.h"
#include "wire/http/url.h"

static void check(const struct url *url)
{
    static struct url again;
    static char text[URL_TEXT_MAX], second[URL_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    struct text s = text_of(second, sizeof second);
    url_add_text(url, &t);
    ASSERT(!t.failed);
    ASSERT(url_parse(text_bytes(&t), NULL, &again) == URL_OK);
    url_add_text(&again, &s);
    ASSERT(bytes_equal(text_bytes(&t), text_bytes(&s)));
    ASSERT(url_same_origin(url, &again));
    ASSERT(url->target[0] == '/' && url->path_len <= url->target_len);
    struct uri_target target;
    ASSERT(uri_target_parse(bytes_of_text("GET"), url_target(url), &target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct url base, out;
    struct bytes in = bytes_of(data, len);
    if (url_parse(in, NULL, &out) == URL_OK)
        check(&out);
    ASSERT(url_parse(bytes_of_text("http://me:x@a/b/c/d;p?q"), NULL, &base) == URL_OK);
    if (url_resolve(&base, in, NULL, &out) == URL_OK)
        check(&out);
    return 0;
}

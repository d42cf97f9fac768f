/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_structured.c - structured fields and Cache-Control. Members are views of what was parsed,
 * each step gets on, and what is a list of items is one still when written anew.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "wire/http/http_cache_control.h"
#include "wire/http/http_structured.h"

static void check_view(struct bytes whole, struct bytes part)
{
    if (part.len > 0)
        ASSERT(part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_member(struct bytes in, const struct http_sf_member *m)
{
    check_view(in, m->key);
    check_view(in, m->text);
    check_view(in, m->parameters);
    ASSERT(m->kind < HTTP_SF_KIND_COUNT);
    struct http_sf_member part;
    struct bytes rest = m->parameters;
    enum http_sf_step step;
    while ((step = http_sf_parameter(&rest, &part)) == HTTP_SF_MEMBER)
        ASSERT(part.key.len > 0);
    ASSERT(step == HTTP_SF_END);
    rest = m->kind == HTTP_SF_LIST ? m->text : bytes_empty();
    while ((step = http_sf_inner(&rest, &part)) == HTTP_SF_MEMBER)
        check_view(m->text, part.text);
    ASSERT(step == HTTP_SF_END);
    if (m->kind != HTTP_SF_STRING)
        return;
    uint8_t plain[4096], again[8200];
    struct writer p = writer_of(plain, sizeof plain);
    struct writer a = writer_of(again, sizeof again);
    http_sf_write_unescaped(&p, m->text);
    http_sf_write_string(&a, writer_bytes(&p));
    ASSERT(a.failed || p.failed || writer_len(&a) == m->text.len + 2);
}

static void check_walk(struct bytes in, bool dictionary)
{
    struct bytes rest = in;
    struct http_sf_member m;
    for (bool first = true;; first = false) {
        size_t left = rest.len;
        enum http_sf_step step = dictionary ? http_sf_dictionary(&rest, first, &m)
                                            : http_sf_list(&rest, first, &m);
        if (step != HTTP_SF_MEMBER)
            return;
        ASSERT(rest.len < left);
        check_member(in, &m);
        ASSERT(!dictionary || m.key.len > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    check_walk(in, false);
    check_walk(in, true);
    static struct http_fields fields;
    struct http_cache_control cc;
    fields.count = 2;
    fields.list[0] = (struct http_field){bytes_of_text("Cache-Control"), in};
    fields.list[1] = (struct http_field){bytes_of_text("CDN-Cache-Control"), in};
    http_cache_control_parse(&fields, &cc);
    for (unsigned i = 0; i < HTTP_CC_TIMES; i++)
        ASSERT(cc.seconds[i] <= HTTP_DELTA_MAX);
    if (http_cache_control_targeted(&fields, "CDN-Cache-Control", &cc))
        ASSERT(http_sf_is_dictionary(in));
    (void)http_cache_control_names(&fields, "Cache-Control", "private", bytes_of_text("a"));
    uint32_t age;
    fields.list[0].name = bytes_of_text("Age");
    if (http_age(&fields, &age))
        ASSERT(age <= HTTP_DELTA_MAX);
    return 0;
}

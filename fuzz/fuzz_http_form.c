/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_form.c - forms of both encodings: what comes out are views of what went in, each step gets on, and
 * decoding makes nothing longer.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "wire/http/http_form.h"

static void check_view(struct bytes whole, struct bytes part)
{
    if (part.len > 0)
        ASSERT(part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_pairs(struct bytes in, uint8_t *scratch, size_t size)
{
    struct bytes rest = in, name, value;
    while (rest.len > 0) {
        size_t left = rest.len;
        if (!http_form_pair(&rest, &name, &value))
            break;
        ASSERT(rest.len < left);
        check_view(in, name);
        check_view(in, value);
        struct writer w = writer_of(scratch, size);
        http_form_decode(name, &w);
        http_form_decode(value, &w);
        ASSERT(!w.failed && writer_len(&w) <= name.len + value.len);
    }
}

static void check_parts(struct bytes in, uint8_t *scratch, size_t size)
{
    struct bytes boundary, rest = in;
    size_t end = bytes_find(in, '\n');
    if (!http_part_boundary(bytes_first(in, end), &boundary)) /* the first line is the type */
        boundary = bytes_of_text("B");
    else
        rest = bytes_after(in, end + 1);
    struct http_part part;
    for (bool first = true;; first = false) {
        size_t left = rest.len;
        if (http_part_next(&rest, first, boundary, &part) != HTTP_PART)
            break;
        ASSERT(rest.len < left);
        check_view(in, part.name);
        check_view(in, part.file_name);
        check_view(in, part.type);
        check_view(in, part.content);
        struct writer w = writer_of(scratch, size);
        http_part_decode_name(part.name, &w);
        ASSERT(!w.failed && writer_len(&w) <= part.name.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    uint8_t *scratch = malloc(len + 1);
    if (scratch == NULL)
        return 0;
    check_pairs(in, scratch, len + 1);
    check_parts(in, scratch, len + 1);
    free(scratch);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * fuzz_html_links.c - documents, style sheets and robots.txt of any octets. Every link is within the document, and
 * what is written in its place cannot end it.
 */
#include "fuzz/fuzz.h"
#include "wire/html/html_links.h"
#include "wire/html/robots.h"

struct seen {
    struct bytes document;
};

static void look(void *self, const struct html_link *link)
{
    static char text[8192], again[3 * 8192 + 64];
    struct seen *seen = self;
    struct text t = text_of(text, sizeof text);
    struct text a = text_of(again, sizeof again);
    if (link->raw.len > 0)
        ASSERT(link->raw.data >= seen->document.data &&
               link->raw.data + link->raw.len <= seen->document.data + seen->document.len);
    if (html_link_decode(link, &t))
        html_link_encode(link, text_bytes(&t), &a);
    for (size_t i = 0; i < a.len; i++)
        ASSERT(again[i] != '"' && again[i] != '>' && again[i] != '<' && (uint8_t)again[i] > ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    struct seen seen = {in};
    html_each_link(in, look, &seen);
    css_each_link(in, look, &seen);
    size_t half = len / 2;
    (void)robots_allow(bytes_first(in, half), "wholenet", bytes_after(in, half));
    return 0;
}

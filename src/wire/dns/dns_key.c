/* SPDX-License-Identifier: ISC */
/* dns_key.c - names as keys of ordered tables (RFC 4034 §6.1). */
#include "wire/dns/dns_key.h"

enum { LABEL_END = 0, ESCAPE = 1 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

size_t dns_key_of(const struct dns_name *name, uint8_t out[DNS_KEY_MAX])
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    uint8_t *p = out;
    for (size_t i = labels.count; i-- > 0;) {
        const uint8_t *label = name->octets + labels.at[i];
        for (size_t j = 1; j <= label[0]; j++) {
            uint8_t c = lower(label[j]);
            if (UNLIKELY(c <= ESCAPE)) {
                *p++ = ESCAPE;
                c++;
            }
            *p++ = c;
        }
        *p++ = LABEL_END;
    }
    return (size_t)(p - out);
}

/* The label that ends at key.data[*end - 1], which is its zero; *end is then where it began. */
static size_t take_last_label(struct bytes key, size_t *end, uint8_t out[DNS_LABEL_MAX])
{
    size_t start = *end - 1;
    while (start > 0 && key.data[start - 1] != LABEL_END)
        start--;
    size_t len = 0;
    for (size_t i = start; i + 1 < *end; i++) {
        uint8_t c = key.data[i];
        if (c == ESCAPE)
            c = (uint8_t)(key.data[++i] - 1);
        ASSERT(len < DNS_LABEL_MAX);
        out[len++] = c;
    }
    *end = start;
    return len;
}

void dns_key_name(struct bytes key, const struct dns_name *origin, struct dns_name *out)
{
    struct writer w = writer_of(out->octets, sizeof out->octets);
    size_t end = key.len;
    while (end > 0) {
        uint8_t label[DNS_LABEL_MAX];
        size_t len = take_last_label(key, &end, label);
        write_u8(&w, (uint8_t)len);
        write_copy(&w, label, len);
    }
    dns_name_write(&w, origin);
    ASSERT(!w.failed);
    out->len = (uint8_t)writer_len(&w);
}

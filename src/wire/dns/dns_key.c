/* SPDX-License-Identifier: ISC */
/* dns_key.c - names as keys of ordered tables (RFC 4034 §6.1). */
#include "wire/dns/dns_key.h"

enum { LABEL_END = 0, ESCAPE = 1 };

/* A label in lower case and with its zero; returns where it ended. */
static uint8_t *write_label(const uint8_t *label, uint8_t *p)
{
    const uint8_t *end = label + 1 + label[0];
    for (const uint8_t *at = label + 1; at < end; at++) {
        uint8_t c = *at;
        /* One comparison for the capitals: what lies before them wraps around. */
        c |= (uint8_t)((uint8_t)(c - 'A') < 26) << 5;
        if (UNLIKELY(c <= ESCAPE)) {
            *p++ = ESCAPE;
            c++;
        }
        *p++ = c;
    }
    *p++ = LABEL_END;
    return p;
}

size_t dns_key_of(const struct dns_name *name, uint8_t out[DNS_KEY_MAX])
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    uint8_t *p = out;
    for (size_t i = labels.count; i-- > 0;)
        p = write_label(name->octets + labels.at[i], p);
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

/* SPDX-License-Identifier: ISC */
/* fuzz_text.c - numbers with units stay within their limits, and bounded text within its buffer. */
#include <stdlib.h>

#include "base/text.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    usec duration;
    uint32_t chance;
    uint64_t number;
    if (text_parse_duration(in, &duration))
        ASSERT(duration >= 0 && duration < USEC_NEVER);
    if (text_parse_chance(in, &chance))
        ASSERT(chance <= 1000000);
    (void)!text_parse_rate(in, &number);
    if (text_parse_number(in, 1000, &number))
        ASSERT(number <= 1000);
    size_t size = 1 + (len > 0 ? data[0] % 40u : 0);
    char *buffer = malloc(size);
    struct text t = text_of(buffer, size);
    if (text_parse_size(in, &number))
        text_add_size(&t, number);
    text_add_bytes(&t, text_trim(in));
    text_add_format(&t, "%zu", len);
    ASSERT(t.len < size && buffer[t.len] == '\0');
    ASSERT(t.failed || t.len >= text_trim(in).len);
    free(buffer);
    return 0;
}

/* SPDX-License-Identifier: ISC */
/* fuzz_dav_if.c - the field If of WebDAV: what is asked lies within it, and the answer follows from the answers. */
#include "fuzz/fuzz.h"
#include "wire/http/dav_if.h"

struct seen {
    struct bytes whole;
    size_t count;
    bool answer;
};

static void check_view(struct bytes whole, struct bytes part)
{
    if (part.len > 0)
        ASSERT(part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static bool holds(void *self, const struct dav_if_condition *condition)
{
    struct seen *seen = self;
    check_view(seen->whole, condition->resource);
    check_view(seen->whole, condition->token);
    ASSERT(condition->token.len > 0);
    seen->count++;
    return seen->answer != condition->negated; /* so that every condition is `answer` */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct seen yes = {.whole = bytes_of(data, len), .answer = true};
    struct seen no = {.whole = bytes_of(data, len), .answer = false};
    enum dav_if first = dav_if_check(yes.whole, holds, &yes);
    enum dav_if second = dav_if_check(no.whole, holds, &no);
    ASSERT((first == DAV_IF_MALFORMED) == (second == DAV_IF_MALFORMED));
    if (first != DAV_IF_MALFORMED)
        ASSERT(first == DAV_IF_HOLDS && second == DAV_IF_FAILS && yes.count > 0);
    return 0;
}

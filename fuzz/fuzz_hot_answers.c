/* SPDX-License-Identifier: ISC */
/* fuzz_hot_answers.c - any octets as a query: what is taken for a plain one is one to those who read all of
 * it, and a reply that is kept for it comes back with another id and nothing else changed. */
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/hot_answers.h"
#include "wire/dns/dns_message.h"

/* A reply of the question alone. */
static struct bytes reply_to(const struct dns_summary *summary, uint8_t *buffer, size_t size)
{
    struct dns_builder b;
    dns_build_start(&b, buffer, size);
    if (!dns_build_question(&b, &summary->question))
        abort();
    return dns_build_finish(&b, summary->header.id, DNS_QR);
}

static void check(struct hot_answers *hot, struct bytes message)
{
    const struct hot_time time = {1, 2, 3};
    struct hot_query query;
    struct dns_summary summary;
    uint8_t made[512], given[HOT_REPLY_MAX];
    struct bytes again;
    if (!hot_answers_read(hot, message, 0, &query))
        return;
    ASSERT(dns_summarise(message, &summary) == WIRE_OK);
    ASSERT((summary.header.flags & ~(DNS_RD | DNS_AD | DNS_CD)) == 0 && summary.tsig_at == 0 &&
           summary.question.class == DNS_IN && summary.edns.options.len == 0 &&
           summary.edns.version == 0 && summary.edns.rcode_high == 0);
    struct bytes reply = reply_to(&summary, made, sizeof made);
    hot_answers_keep(hot, &query, reply, &time);
    bool kept = hot_answers_find(hot, &query, 1, given, &again);
    ASSERT(kept == (reply.len <= HOT_REPLY_MAX));
    ASSERT(!kept || bytes_equal(reply, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct siphash_key key = {1, 2};
    struct heap heap = memory_heap();
    struct hot_answers *hot = hot_answers_new(&heap, 65536, &key);
    if (hot == NULL)
        return 0;
    check(hot, bytes_of(data, len));
    hot_answers_free(hot);
    return 0;
}

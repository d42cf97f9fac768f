/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_cache_tail.c - tails of the cache's files, with a checksum that is right, and without. What is read
 * is written as it was, and a cache that finds it again answers with it, or refuses it.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/http/http_cache_tail.h"

static const struct http_cache_time now = {1000 * USEC_PER_SEC, 1700000000};

static void answer(struct http_cache *cache, struct bytes uri)
{
    static struct http_field fields[HTTP_FIELDS_MAX];
    static const struct http_fields none;
    uint8_t scratch[HTTP_CACHE_SCRATCH];
    struct writer w = writer_of(scratch, sizeof scratch);
    struct http_cache_ask ask;
    struct http_cache_reply reply;
    enum http_cache_fill_state state;
    const struct http_cache_request request = {.method = bytes_of_text("GET"),
                                               .uri = uri,
                                               .target = uri,
                                               .fields = &none};
    http_cache_ask(cache, &ask, &request, now);
    if (http_cache_verdict(&ask) == HTTP_CACHE_ANSWER) {
        http_cache_reply(&ask, &reply);
        ASSERT(reply.status >= 200 && reply.status <= 599);
        ASSERT(http_cache_reply_fields(&ask, now, &w, fields) <= HTTP_FIELDS_MAX);
    }
    http_cache_ask_done(&ask);
    struct http_cache_fill *fill;
    while ((fill = http_cache_next_fill(cache, &state)) != NULL)
        http_cache_fill_fail(fill, now);
}

static void drain(struct http_cache *cache)
{
    enum http_cache_file_want want;
    struct http_cache_file *file;
    while ((file = http_cache_next_file(cache, &want)) != NULL)
        if (want == HTTP_CACHE_FILE_CLOSE)
            http_cache_file_free(file);
}

static void find_again(struct bytes in, const struct http_cache_tail *tail)
{
    struct http_cache_options options;
    struct heap heap = memory_heap();
    http_cache_options_init(&options, &heap, &(struct siphash_key){1, 2});
    options.rules.shared = tail->shared;
    options.file_octets_max = options.file_object_max = UINT64_C(1) << 40;
    struct http_cache *cache = http_cache_new(&options);
    ASSERT(cache != NULL);
    http_cache_load_begin(cache);
    struct http_cache_file *file = http_cache_load(cache, in, now);
    ASSERT(http_cache_load(cache, in, now) == NULL); /* it is there already */
    http_cache_load_end(cache);
    answer(cache, tail->uri);
    drain(cache);
    ASSERT(file == NULL || http_cache_purge(cache, tail->uri) == 1);
    drain(cache);
    http_cache_free(cache);
}

static void look(struct bytes in)
{
    struct http_cache_tail tail, again;
    uint8_t *copy = malloc(in.len + 1);
    ASSERT(copy != NULL);
    if (http_cache_tail_read(in, &tail)) {
        struct writer w = writer_of(copy, in.len);
        ASSERT(http_cache_tail_write(&tail, &w));
        ASSERT(http_cache_tail_read(writer_bytes(&w), &again));
        ASSERT(bytes_equal(tail.head, again.head) && tail.end.body_len == again.end.body_len);
        find_again(in, &tail);
    }
    free(copy);
}

/* What the input says stands before an end that is right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t block[HTTP_CACHE_TAIL_MAX];
    if (len > sizeof block - HTTP_CACHE_TAIL_END)
        return 0;
    look(bytes_of(data, len));
    struct writer w = writer_of(block, sizeof block);
    write_copy(&w, data, len);
    write_copy(&w, "WNcache1", 8);
    write_u64(&w, len);
    write_u32(&w, (uint32_t)len + HTTP_CACHE_TAIL_END);
    write_u32(&w, 7);
    write_u64(&w, http_cache_tail_digest(writer_bytes(&w)));
    look(writer_bytes(&w));
    return 0;
}

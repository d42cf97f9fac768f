/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_cache.c - requests and responses of strangers through the cache. Whatever comes: nothing is
 * lost, the bound holds, what is read is what was sent, and keys in normal form stay as they are.
 *
 * The input is a row of acts, each an octet and a line of its own: a request, a response to one that
 * is under way, its body, its end or its failure, time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "proto/http/http_cache_file.h"
#include "wire/http/uri_reference.h"

enum { ASKS = 4, FILLS = 16, OCTETS = 128 * 1024 };

static size_t outstanding;

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    (void)self;
    outstanding += new_size - old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    void *block = realloc(old, new_size);
    ASSERT(block != NULL);
    return block;
}

struct world {
    struct http_cache *cache;
    struct http_cache_time time;
    struct http_cache_ask asks[ASKS];
    bool asked[ASKS];
    struct http_cache_fill *fills[FILLS];
    bool headed[FILLS];
    struct http_cache_file *held; /* somebody is at work on it; NULL: none */
    size_t held_len;
};

static void add_fill(struct world *w, struct http_cache_fill *fill)
{
    for (size_t i = 0; i < FILLS; i++) {
        if (w->fills[i] != NULL)
            continue;
        w->fills[i] = fill;
        w->headed[i] = false;
        http_cache_fill_set_owner(fill, &w->fills[i]);
        return;
    }
    http_cache_fill_fail(fill, w->time);
}

static void drop_fill(struct world *w, size_t i)
{
    http_cache_fill_fail(w->fills[i], w->time);
    w->fills[i] = NULL;
}

/* Reads as far as it goes: every octet of every body is the low octet of its offset. */
static void read_on(struct world *w, struct http_cache_ask *ask)
{
    static struct http_field fields[HTTP_FIELDS_MAX];
    uint8_t scratch[HTTP_CACHE_SCRATCH];
    struct writer out = writer_of(scratch, sizeof scratch);
    struct http_cache_reply reply;
    struct bytes octets;
    if (http_cache_verdict(ask) != HTTP_CACHE_ANSWER)
        return;
    http_cache_reply(ask, &reply);
    ASSERT(reply.status >= 200);
    ASSERT(http_cache_reply_fields(ask, w->time, &out, fields) <= HTTP_FIELDS_MAX);
    for (;;) {
        enum http_cache_read got = reply.has_body ? http_cache_read(ask, &octets) : HTTP_CACHE_END;
        uint64_t left = 0;
        if (got == HTTP_CACHE_IN_FILE) {
            const struct http_cache_file *file = http_cache_read_file(ask, &left);
            ASSERT(file != NULL && left > 0 && ask->at + left <= file->written);
            http_cache_used(ask, (size_t)left);
            continue;
        }
        if (got != HTTP_CACHE_OCTETS)
            return;
        for (size_t i = 0; i < octets.len; i++)
            ASSERT(octets.data[i] == (uint8_t)(ask->at + i));
        http_cache_used(ask, octets.len);
    }
}

static void hold(struct world *w, struct http_cache_file *file, size_t len)
{
    http_cache_file_hold(file);
    w->held = file;
    w->held_len = len;
}

static void let_go(struct world *w)
{
    if (w->held == NULL)
        return;
    http_cache_file_wrote(w->held, w->held_len);
    http_cache_file_release(w->held);
    w->held = NULL;
}

/* What is to be done with a file; `which` says what goes wrong. */
static void work_on(struct world *w, struct http_cache_file *file, enum http_cache_file_want want,
                    uint8_t which)
{
    static uint8_t tail[HTTP_CACHE_TAIL_MAX];
    struct writer out = writer_of(tail, sizeof tail);
    bool whole;
    switch (want) {
    case HTTP_CACHE_FILE_WRITE: {
        struct bytes octets = http_cache_file_octets(file, &whole);
        octets = bytes_first(octets, 1 + which * 100u);
        if (octets.len == 0 && !whole)
            return;
        for (size_t i = 0; i < octets.len; i++)
            ASSERT(octets.data[i] == (uint8_t)(file->written + i));
        if (which % 16 == 5)
            http_cache_file_failed(file);
        else if (octets.len > 0 && which % 4 == 1 && w->held == NULL)
            hold(w, file, octets.len);
        else if (octets.len > 0)
            http_cache_file_wrote(file, octets.len);
        else if (http_cache_file_tail(file, w->time, &out))
            http_cache_file_done(file, file->written + writer_len(&out));
        else
            http_cache_file_failed(file);
        break;
    }
    case HTTP_CACHE_FILE_RENEW:
        if (which % 16 == 7 || !http_cache_file_tail(file, w->time, &out))
            http_cache_file_failed(file);
        else
            http_cache_file_done(file, file->written + writer_len(&out));
        break;
    case HTTP_CACHE_FILE_REMOVE:
        break;
    case HTTP_CACHE_FILE_CLOSE:
        http_cache_file_free(file);
        break;
    }
}

static void act_files(struct world *w, uint8_t which, size_t count)
{
    enum http_cache_file_want want;
    struct http_cache_file *file;
    if (which & 32)
        let_go(w);
    while (count-- > 0 && (file = http_cache_next_file(w->cache, &want)) != NULL)
        work_on(w, file, want, which);
    if (which & 64)
        http_cache_shed(w->cache);
    if (which == 128)
        http_cache_file_full(w->cache);
}

static void drain(struct world *w)
{
    struct http_cache_ask *ask;
    struct http_cache_fill *fill;
    enum http_cache_fill_state state;
    bool busy = true;
    while (busy) {
        busy = false;
        while ((ask = http_cache_next_ask(w->cache)) != NULL) {
            busy = true;
            if (http_cache_ask_fill(ask) != NULL &&
                http_cache_fill_owner(http_cache_ask_fill(ask)) == NULL)
                add_fill(w, http_cache_ask_fill(ask));
            read_on(w, ask);
        }
        while ((fill = http_cache_next_fill(w->cache, &state)) != NULL) {
            busy = true;
            struct http_cache_fill **slot = http_cache_fill_owner(fill);
            if (state == HTTP_CACHE_FILL_START)
                add_fill(w, fill);
            else if (state == HTTP_CACHE_FILL_UNUSED && slot != NULL)
                drop_fill(w, (size_t)(slot - w->fills));
        }
    }
}

/* "a|b: c|d: e" */
static void parse_fields(struct bytes line, struct http_fields *out)
{
    out->count = 0;
    while (line.len > 0 && out->count < HTTP_FIELDS_MAX) {
        size_t bar = bytes_find(line, '|');
        struct bytes field = bytes_first(line, bar);
        size_t colon = bytes_find(field, ':');
        struct bytes name = bytes_first(field, colon);
        struct bytes value = http_trim(bytes_after(field, colon + 1));
        if (http_is_token(name) && http_octets_are(value, HTTP_OCTET_FIELD))
            out->list[out->count++] = (struct http_field){name, value};
        line = bytes_after(line, bar + 1);
    }
}

static void act_ask(struct world *w, uint8_t which, struct bytes line)
{
    static const char *const methods[] = {"GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS"};
    static const char *const uris[] = {"http://a/", "http://a/x", "http://a/x?y", "http://b/"};
    static struct http_fields fields;
    size_t i = which % ASKS;
    parse_fields(line, &fields);
    if (w->asked[i])
        http_cache_ask_done(&w->asks[i]);
    drain(w);
    struct http_cache_request request = {.method = bytes_of_text(methods[which >> 2 & 7]),
                                         .uri = bytes_of_text(uris[which >> 5 & 3]),
                                         .target = bytes_of_text("/"),
                                         .fields = &fields};
    w->asked[i] = true;
    http_cache_ask(w->cache, &w->asks[i], &request, w->time);
    if (http_cache_ask_fill(&w->asks[i]) != NULL)
        add_fill(w, http_cache_ask_fill(&w->asks[i]));
    if (which & 128 && http_cache_verdict(&w->asks[i]) == HTTP_CACHE_ANSWER &&
        http_cache_answer_file(&w->asks[i]) != NULL) {
        if (line.len % 2 != 0)
            http_cache_ask_around(&w->asks[i], w->time);
        else
            http_cache_ask_unreadable(&w->asks[i], w->time);
        return;
    }
    read_on(w, &w->asks[i]);
}

static void act_head(struct world *w, uint8_t which, struct bytes line)
{
    static const unsigned statuses[] = {200, 200, 304, 206, 404, 503, 301, 204};
    static struct http_fields fields;
    static struct http_cache_forward forward;
    uint8_t scratch[HTTP_CACHE_SCRATCH];
    struct writer out = writer_of(scratch, sizeof scratch);
    size_t i = which % FILLS;
    parse_fields(line, &fields);
    if (w->fills[i] == NULL || w->headed[i])
        return;
    http_cache_fill_request(w->fills[i], &out, &forward);
    ASSERT(forward.fields.count <= HTTP_FIELDS_MAX);
    struct http_cache_response response = {
        .status = statuses[which >> 4 & 7],
        .fields = &fields,
        .length = which & 128 ? HTTP_CACHE_LENGTH_UNKNOWN : line.len * 50};
    w->headed[i] = http_cache_fill_head(w->fills[i], &response, w->time) != HTTP_CACHE_AGAIN;
}

/* The next octets, where the fill says that they go: a part begins where it said. */
static void act_body(struct world *w, uint8_t which, size_t len, uint64_t *places)
{
    static uint8_t octets[70000];
    size_t i = which % FILLS;
    if (w->fills[i] == NULL || !w->headed[i])
        return;
    len = len * 211 % sizeof octets;
    for (size_t k = 0; k < len; k++)
        octets[k] = (uint8_t)(places[i] + k);
    places[i] += http_cache_fill_body(w->fills[i], bytes_of(octets, len));
}

static void act_end(struct world *w, uint8_t which)
{
    size_t i = which % FILLS;
    if (w->fills[i] == NULL)
        return;
    if (!w->headed[i] || which & 16) {
        drop_fill(w, i);
        return;
    }
    http_cache_fill_end(w->fills[i], bytes_empty());
    w->fills[i] = NULL;
}

static void check_key(struct bytes line)
{
    uint8_t first[URI_MAX], second[URI_MAX];
    struct writer a = writer_of(first, sizeof first), b = writer_of(second, sizeof second);
    struct uri_parts parts;
    if (uri_resolve(bytes_of_text("http://h/a/b?c"), line, false, &a)) {
        uri_split(writer_bytes(&a), &parts);
        ASSERT(uri_normalise(&parts, &b));
        ASSERT(bytes_equal(writer_bytes(&a), writer_bytes(&b)));
    }
    a = writer_of(first, sizeof first);
    uri_split(line, &parts);
    if (uri_normalise(&parts, &a)) {
        b = writer_of(second, sizeof second);
        uri_split(writer_bytes(&a), &parts);
        ASSERT(uri_normalise(&parts, &b));
        ASSERT(bytes_equal(writer_bytes(&a), writer_bytes(&b)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    static struct world w;
    static uint64_t places[FILLS];
    memset(&w, 0, sizeof w);
    outstanding = 0;
    w.time = (struct http_cache_time){USEC_PER_SEC, 1700000000};
    struct http_cache_options options;
    http_cache_options_init(&options, &(struct heap){.resize = resize}, &(struct siphash_key){1, 2});
    options.octets_max = OCTETS;
    options.object_max = OCTETS / 2;
    if (len % 3 != 0) {
        options.file_octets_max = len % 3 * OCTETS;
        options.file_object_max = OCTETS;
    }
    options.rules.shared = len % 2 == 0;
    snprintf(options.name, sizeof options.name, "f");
    w.cache = http_cache_new(&options);
    ASSERT(w.cache != NULL);
    while (in.len >= 2) {
        uint8_t act = in.data[0], which = in.data[1];
        in = bytes_after(in, 2);
        size_t end = bytes_find(in, '\n');
        struct bytes line = bytes_first(in, end);
        in = bytes_after(in, end + 1);
        check_key(line);
        switch (act % 16 == 9 ? 9 : act % 8) {
        case 9:
            act_files(&w, which, 1 + line.len);
            break;
        case 0:
        case 1:
            act_ask(&w, which, line);
            break;
        case 2:
        case 3: {
            size_t i = which % FILLS;
            bool before = w.headed[i];
            act_head(&w, which, line);
            /* Where a part goes, only the cache knows: such ones get no octets here. */
            if (!before)
                places[i] = 0;
            static struct http_fields fields;
            parse_fields(line, &fields);
            if (w.fills[i] != NULL && w.headed[i] && (which >> 4 & 7) == 3)
                drop_fill(&w, i);
            break;
        }
        case 4:
            act_body(&w, which, line.len, places);
            break;
        case 5:
            act_end(&w, which);
            break;
        case 6:
            w.time.now += which * 100000;
            w.time.wall = 1700000000 + w.time.now / USEC_PER_SEC;
            break;
        default:
            (void)http_cache_purge_tag(w.cache, line);
            (void)http_cache_purge_prefix(w.cache, line);
            break;
        }
        drain(&w);
        struct http_cache_counters c;
        http_cache_counters(w.cache, &c);
        ASSERT(c.octets <= OCTETS + FILLS * (2 * HTTP_CACHE_WINDOW));
    }
    for (size_t i = 0; i < FILLS; i++)
        if (w.fills[i] != NULL)
            drop_fill(&w, i);
    for (size_t i = 0; i < ASKS; i++)
        if (w.asked[i])
            http_cache_ask_done(&w.asks[i]);
    enum http_cache_fill_state state;
    struct http_cache_fill *fill;
    while ((fill = http_cache_next_fill(w.cache, &state)) != NULL)
        http_cache_fill_fail(fill, w.time);
    let_go(&w);
    act_files(&w, 2, SIZE_MAX);
    http_cache_free(w.cache);
    ASSERT(outstanding == 0);
    return 0;
}

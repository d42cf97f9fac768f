/* SPDX-License-Identifier: ISC */
/* The second tier: what is written when, what is found again, what goes when there is no room. */
#include "tests/support/cache_play.h"

#include "proto/http/http_cache_file.h"
#include "proto/http/http_cache_tail.h"

#define GET "GET http://a/"
#define LONG "Cache-Control: max-age=1000"

static void expect(struct cache_play *p, const char *request, const char *response,
                   const char *want)
{
    const char *got = cache_play_fetch(p, request, response);
    if (strcmp(got, want) != 0)
        fail_msg("%s: got \"%.300s\", expected \"%s\"", request, got, want);
}

static void begin(struct cache_play *p)
{
    cache_play_init(p, true);
    cache_play_tier(p);
}

static void restart(struct cache_play *p)
{
    cache_play_restart(p, true);
    cache_play_load(p);
    http_cache_load_end(p->cache);
}

static void what_is_stored_survives(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_counters c;
    begin(&p);
    expect(&p, GET, "200|" LONG "|ETag: \"e\"|X: y|Age: 5||body", "fwd 200 body");
    expect(&p, GET "v|Foo: 1", "200|" LONG "|Vary: Foo||one", "fwd 200 one");
    expect(&p, GET "v|Foo: 2", "200|" LONG "|Vary: Foo||two", "fwd 200 two");
    expect(&p, GET "empty", "204|" LONG "||", "fwd 204");
    expect(&p, GET "old", "200|Cache-Control: max-age=1|ETag: \"o\"||old", "fwd 200 old");
    expect(&p, GET "part|Range: bytes=0-1", "206|" LONG "|ETag: \"p\"|Content-Range: bytes 0-1/4||01",
           "fwd:R 206 01");
    cache_play_wait(&p, 10);
    restart(&p);
    http_cache_counters(p.cache, &c);
    assert_int_equal(c.files_loaded, 5); /* parts are in memory alone */
    expect(&p, GET, NULL, "hit 200 body");
    assert_non_null(strstr(p.fields, "Age: 15\n"));
    assert_non_null(strstr(p.fields, "X: y\n"));
    expect(&p, GET "|If-None-Match: \"e\"", NULL, "hit 304");
    expect(&p, GET "|Range: bytes=1-2", NULL, "hit 206 od");
    expect(&p, GET "v|Foo: 2", NULL, "hit 200 two");
    expect(&p, GET "v|Foo: 1", NULL, "hit 200 one");
    expect(&p, GET "empty", NULL, "hit 204");
    expect(&p, GET "old", "304|ETag: \"o\"|" LONG "|X: new||", "fwd:N 200 old");
    restart(&p); /* what was updated is so */
    expect(&p, GET "old", NULL, "hit 200 old");
    assert_non_null(strstr(p.fields, "X: new\n"));
    cache_play_wait(&p, 986);
    expect(&p, GET, "304|ETag: \"e\"||", "fwd:N 200 body");
    cache_play_done(&p);
}

/* A HEAD that tells otherwise makes what is stored stale for good. */
static void what_a_head_said_survives(void **state UNUSED)
{
    struct cache_play p;
    begin(&p);
    expect(&p, GET, "200|" LONG "|ETag: \"e\"||body", "fwd 200 body");
    cache_play_wait(&p, 1);
    expect(&p, "HEAD http://a/|Cache-Control: no-cache", "200|ETag: \"f\"||", "fwd 200");
    restart(&p);
    expect(&p, GET, "304|ETag: \"e\"||", "fwd:N 200 body");
    cache_play_done(&p);
}

static void what_is_forgotten_does_not_come_back(void **state UNUSED)
{
    struct cache_play p;
    begin(&p);
    expect(&p, GET "1", "200|" LONG "||1", "fwd 200 1");
    expect(&p, GET "2", "200|" LONG "|Cache-Tag: x, t||2", "fwd 200 2");
    expect(&p, GET "p/3", "200|" LONG "||3", "fwd 200 3");
    expect(&p, GET "4", "200|" LONG "||4", "fwd 200 4");
    expect(&p, GET "5", "200|" LONG "||5", "fwd 200 5");
    expect(&p, GET "6", "200|" LONG "||6", "fwd 200 6");
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/6")), 1);
    cache_play_restart(&p, true);
    /* Before they are found again. */
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/1")), 0);
    assert_int_equal(http_cache_purge_tag(p.cache, bytes_of_text("t")), 0);
    assert_int_equal(http_cache_purge_prefix(p.cache, bytes_of_text("http://a/p/")), 0);
    expect(&p, "POST http://a/4", "200||", "fwd 200");
    cache_play_load(&p);
    http_cache_load_end(p.cache);
    expect(&p, GET "1", NULL, "fwd");
    expect(&p, GET "2", NULL, "fwd");
    expect(&p, GET "p/3", NULL, "fwd");
    expect(&p, GET "4", NULL, "fwd");
    expect(&p, GET "5", NULL, "hit 200 5");
    expect(&p, GET "6", NULL, "fwd");
    /* Both tiers are purged alike, and so is what is in both. */
    assert_int_equal(http_cache_purge_prefix(p.cache, bytes_of_text("http://a/")), 1);
    expect(&p, GET "5", NULL, "fwd");
    /* More purges than are remembered: nothing is found again. */
    expect(&p, GET "7", "200|" LONG "||7", "fwd 200 7");
    cache_play_restart(&p, true);
    for (int i = 0; i <= HTTP_CACHE_LOAD_PURGES; i++)
        (void)http_cache_purge_tag(p.cache, bytes_of_text("other"));
    cache_play_load(&p);
    http_cache_load_end(p.cache);
    expect(&p, GET "7", NULL, "fwd");
    cache_play_done(&p);
}

static void what_came_since_is_newer(void **state UNUSED)
{
    struct cache_play p;
    begin(&p);
    expect(&p, GET, "200|" LONG "||old", "fwd 200 old");
    expect(&p, GET "v|Foo: 1", "200|" LONG "|Vary: Foo||old", "fwd 200 old");
    expect(&p, GET "w", "200|" LONG "||old", "fwd 200 old");
    expect(&p, GET "x|Foo: 1", "200|" LONG "|Vary: Foo||one", "fwd 200 one");
    cache_play_wait(&p, 10);
    cache_play_restart(&p, true);
    expect(&p, GET, "200|" LONG "||new", "fwd 200 new");
    expect(&p, GET "v|Foo: 1", "200|" LONG "|Vary: Foo||new", "fwd 200 new");
    expect(&p, GET "w", "200|" LONG "|Vary: Foo||new", "fwd 200 new");
    expect(&p, GET "x|Foo: 2", "200|" LONG "|Vary: Foo||two", "fwd 200 two");
    cache_play_load(&p);
    http_cache_load_end(p.cache);
    expect(&p, GET, NULL, "hit 200 new");
    expect(&p, GET "v|Foo: 1", NULL, "hit 200 new");
    expect(&p, GET "w|Foo: 7", NULL, "fwd");
    expect(&p, GET "x|Foo: 1", NULL, "hit 200 one");
    expect(&p, GET "x|Foo: 2", NULL, "hit 200 two");
    cache_play_done(&p);
}

static void what_is_for_few_stays_so(void **state UNUSED)
{
    struct cache_play p;
    begin(&p);
    expect(&p, "~" GET, "~200|" LONG "||mine", "fwd 200 mine");
    restart(&p);
    expect(&p, GET, NULL, "fwd");
    expect(&p, "~" GET, NULL, "hit 200 mine");
    cache_play_done(&p);
    /* What a user's own cache stored is not for all. */
    cache_play_init(&p, false);
    cache_play_tier(&p);
    expect(&p, GET, "200|Cache-Control: private, max-age=100||own", "fwd 200 own");
    restart(&p);
    expect(&p, GET, NULL, "hit 200 own");
    p.options.rules.shared = true;
    restart(&p);
    expect(&p, GET, NULL, "fwd");
    cache_play_done(&p);
}

/* Wherever it ends: what is there afterwards is whole, and what was said. */
static void a_crash_leaves_nothing_wrong(void **state UNUSED)
{
    enum { COUNT = 4, LEN = 3500 };
    static char body[LEN + 1], request[64], response[LEN + 100], want[LEN + 100];
    size_t survived = 0, acts = 0, last;
    do {
        struct cache_play p;
        begin(&p);
        p.lazy = true;
        for (int i = 0; i < COUNT; i++) {
            memset(body, 'a' + i, LEN);
            snprintf(response, sizeof response, "200|" LONG "|ETag: \"%d\"||%s", i, body);
            snprintf(request, sizeof request, GET "%d", i);
            (void)cache_play_fetch(&p, request, response);
        }
        assert_int_equal(cache_play_ask(&p, 0, GET "0|Cache-Control: no-cache"), HTTP_CACHE_FORWARD);
        last = cache_play_files(&p, acts);
        (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "304|ETag: \"0\"|X: y||");
        (void)cache_play_files(&p, 1);
        cache_play_restart(&p, false);
        p.lazy = false;
        cache_play_load(&p);
        http_cache_load_end(p.cache);
        for (int i = 0; i < COUNT; i++) {
            memset(body, 'a' + i, LEN);
            snprintf(want, sizeof want, "hit 200 %s", body);
            snprintf(request, sizeof request, GET "%d", i);
            if (strcmp(cache_play_fetch(&p, request, NULL), "fwd") == 0)
                continue;
            assert_string_equal(p.told, want);
            survived++;
        }
        cache_play_done(&p);
    } while (last == acts++);
    assert_in_range(survived, 2 * COUNT, COUNT * acts - 1);
    assert_in_range(acts, 4 * COUNT, 100);
}

/* ---- room ---- */

static void what_leaves_memory_is_in_its_file(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_counters c;
    static char request[64], response[9000], want[9000];
    cache_play_init(&p, true);
    p.options.octets_max = 96 * 1024;
    p.options.object_max = 16 * 1024;
    cache_play_tier(&p);
    p.lazy = true; /* nothing leaves memory but for want of room */
    for (int i = 0; i < 40; i++) {
        snprintf(request, sizeof request, GET "%d", i);
        snprintf(response, sizeof response, "200|" LONG "||%08000d", i);
        (void)cache_play_fetch(&p, request, response);
        (void)cache_play_files(&p, SIZE_MAX);
        http_cache_counters(p.cache, &c);
        assert_in_range(c.octets, 1, p.options.octets_max);
    }
    assert_int_equal(c.entries, 40);
    assert_int_equal(c.files, 40);
    assert_int_equal(c.evicted, 0);
    for (int i = 0; i < 40; i++) {
        snprintf(request, sizeof request, GET "%d", i);
        snprintf(want, sizeof want, "hit 200 %08000d", i);
        expect(&p, request, NULL, want);
    }
    http_cache_counters(p.cache, &c);
    assert_in_range(c.file_hits, 25, 35);
    cache_play_done(&p);
}

static void files_stay_within_their_octets(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_counters c;
    static char request[64], response[9000];
    cache_play_init(&p, true);
    cache_play_tier(&p);
    p.options.file_octets_max = 100 * 1024;
    cache_play_begin(&p);
    snprintf(response, sizeof response, "200|" LONG "||%08000d", 7);
    (void)cache_play_fetch(&p, GET "popular", response);
    for (int i = 0; i < 100; i++) {
        snprintf(request, sizeof request, GET "%d", i);
        (void)cache_play_fetch(&p, request, response);
        assert_int_equal(cache_play_ask(&p, 1, GET "popular"), HTTP_CACHE_ANSWER);
        http_cache_ask_done(&p.asks[1]);
        http_cache_counters(p.cache, &c);
        assert_in_range(c.file_octets, 1, p.options.file_octets_max);
    }
    assert_in_range(c.files, 9, 12);
    assert_int_equal(c.files_evicted, 101 - c.files);
    /* A disk that is full before that: a sixteenth goes. */
    http_cache_file_full(p.cache);
    (void)cache_play_files(&p, SIZE_MAX);
    http_cache_counters(p.cache, &c);
    assert_in_range(c.file_octets, 1, 95 * 1024);
    /* Nothing can be written at all: all goes on, in memory. */
    p.full = true;
    p.lazy = true;
    expect(&p, GET "memory", "200|" LONG "||m", "fwd 200 m");
    (void)cache_play_files(&p, SIZE_MAX);
    expect(&p, GET "memory", NULL, "hit 200 m");
    cache_play_done(&p);
}

/* Octets of no body are nowhere; what has left memory has left it, and goes with its file. */
static void empty_ones_go_with_their_files(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_counters c;
    char request[64];
    cache_play_init(&p, true);
    cache_play_tier(&p);
    p.options.file_octets_max = 16 * 1024;
    cache_play_begin(&p);
    for (int i = 0; i < 300; i++) {
        snprintf(request, sizeof request, GET "%d", i);
        (void)cache_play_fetch(&p, request, "200|" LONG "||");
        http_cache_counters(p.cache, &c);
        assert_int_equal(c.entries, c.files);
    }
    assert_in_range(c.files, 10, 290);
    cache_play_done(&p);
}

/* Heads take memory: when there is room for no more of them, files go, too. */
static void heads_stay_within_memory(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_counters c;
    char request[64];
    cache_play_init(&p, true);
    p.options.octets_max = HTTP_CACHE_OCTETS_MIN;
    p.options.object_max = 16 * 1024;
    cache_play_tier(&p);
    for (int i = 0; i < 300; i++) {
        snprintf(request, sizeof request, GET "%d", i);
        (void)cache_play_fetch(&p, request, "200|" LONG "||x");
        http_cache_counters(p.cache, &c);
        assert_in_range(c.octets, 1, p.options.octets_max);
    }
    assert_in_range(c.files, 40, 120);
    cache_play_restart(&p, true);
    cache_play_load(&p);
    http_cache_counters(p.cache, &c);
    assert_in_range(c.files, 40, 120);
    cache_play_done(&p);
}

/* ---- what is too large for memory ---- */

enum { LARGE = 400 * 1000 };

static uint8_t octet_at(uint64_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

/* Reads as far as it goes; false: it is broken off. */
static bool read_some(struct cache_play *p, size_t i, uint64_t max)
{
    struct http_cache_ask *ask = &p->asks[i];
    struct bytes octets;
    for (;;) {
        enum http_cache_read got = http_cache_read(ask, &octets);
        if (got == HTTP_CACHE_LATER || got == HTTP_CACHE_END)
            return true;
        if (got == HTTP_CACHE_BROKEN)
            return false;
        if (got == HTTP_CACHE_IN_FILE) {
            uint64_t left = 0;
            const struct http_cache_file *file = http_cache_read_file(ask, &left);
            octets = bytes_of(p->files[file->id].octets + ask->at, (size_t)left);
        }
        octets = bytes_first(octets, max < 5000 ? (size_t)max : 5000);
        if (octets.len == 0)
            return true;
        for (size_t k = 0; k < octets.len; k++)
            assert_int_equal(octets.data[k], octet_at(ask->at + k));
        max -= octets.len;
        http_cache_used(ask, octets.len);
    }
}

static struct http_cache_fill *begin_large(struct cache_play *p, uint64_t length)
{
    static struct http_fields fields;
    fields.count = 2;
    fields.list[0] = (struct http_field){bytes_of_text("Cache-Control"), bytes_of_text("max-age=1000")};
    fields.list[1] = (struct http_field){bytes_of_text("ETag"), bytes_of_text("\"l\"")};
    cache_play_init(p, true);
    p->options.octets_max = 512 * 1024;
    p->options.object_max = 32 * 1024;
    cache_play_tier(p);
    p->options.file_object_max = 512 * 1024;
    cache_play_begin(p);
    p->lazy = true;
    assert_int_equal(cache_play_ask(p, 0, GET "large"), HTTP_CACHE_FORWARD);
    struct http_cache_fill *fill = http_cache_ask_fill(&p->asks[0]);
    struct http_cache_response head = {.status = 200, .fields = &fields, .length = length};
    assert_int_equal(http_cache_fill_head(fill, &head, p->time), HTTP_CACHE_TAKE);
    return fill;
}

/* Up to there, as far as there is room. Returns how far it came. */
static uint64_t feed(struct http_cache_fill *fill, uint64_t from, uint64_t to)
{
    uint8_t block[3000];
    while (from < to) {
        size_t len = to - from < sizeof block ? (size_t)(to - from) : sizeof block;
        size_t room = http_cache_fill_room(fill);
        if (room < len)
            len = room;
        if (len == 0)
            break;
        for (size_t i = 0; i < len; i++)
            block[i] = octet_at(from + i);
        assert_int_equal(http_cache_fill_body(fill, bytes_of(block, len)), len);
        from += len;
    }
    return from;
}

static void large_ones_go_to_their_file_as_they_come(void **state UNUSED)
{
    for (int known = 0; known < 2; known++) {
        struct cache_play p;
        struct http_cache_counters c;
        struct http_cache_fill *fill =
            begin_large(&p, known ? LARGE : HTTP_CACHE_LENGTH_UNKNOWN);
        uint64_t at = feed(fill, 0, LARGE);
        assert_in_range(at, HTTP_CACHE_WINDOW - 1, HTTP_CACHE_WINDOW + 40000); /* nobody writes */
        while (at < LARGE) {
            assert_true(cache_play_files(&p, 8) > 0);
            enum http_cache_fill_state fill_state;
            (void)http_cache_next_fill(p.cache, &fill_state);
            at = feed(fill, at, LARGE);
            http_cache_counters(p.cache, &c);
            assert_in_range(c.octets, 1, HTTP_CACHE_WINDOW + 128 * 1024);
            if (p.asks[1].cache == NULL) /* somebody comes in the middle of it */
                assert_int_equal(cache_play_ask(&p, 1, GET "large"), HTTP_CACHE_ANSWER);
            assert_true(read_some(&p, 1, 20000));
        }
        assert_true(read_some(&p, 0, 100000)); /* a slow one keeps nobody waiting */
        http_cache_fill_end(fill, bytes_empty());
        (void)cache_play_files(&p, SIZE_MAX);
        assert_true(read_some(&p, 0, UINT64_MAX) && read_some(&p, 1, UINT64_MAX));
        assert_int_equal(p.asks[0].at, LARGE);
        assert_int_equal(p.asks[1].at, LARGE);
        restart(&p);
        assert_int_equal(cache_play_ask(&p, 0, GET "large"), HTTP_CACHE_ANSWER);
        assert_true(read_some(&p, 0, UINT64_MAX));
        assert_int_equal(p.asks[0].at, LARGE);
        assert_int_equal(cache_play_ask(&p, 0, GET "large|Range: bytes=399000-"), HTTP_CACHE_ANSWER);
        assert_true(read_some(&p, 0, UINT64_MAX));
        assert_int_equal(p.asks[0].at, LARGE);
        cache_play_done(&p);
    }
}

/* It is found no more, so that nobody has to know what its head says now. */
static void one_that_is_purged_while_it_is_validated(void **state UNUSED)
{
    static const char *const ways[] = {"304|ETag: \"1\"|" LONG, "200|ETag: \"2\"|" LONG "||new", "500|||"};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct cache_play p;
        begin(&p);
        expect(&p, GET "v", "200|ETag: \"1\"|Cache-Control: max-age=1||old", "fwd 200 old");
        cache_play_wait(&p, 5);
        assert_int_equal(cache_play_ask(&p, 0, GET "v"), HTTP_CACHE_FORWARD);
        assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/v")), 1);
        (void)cache_play_files(&p, SIZE_MAX);
        (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), ways[i]);
        (void)cache_play_files(&p, SIZE_MAX);
        http_cache_ask_done(&p.asks[0]);
        (void)cache_play_files(&p, SIZE_MAX);
        cache_play_done(&p);
    }
}

static void one_that_is_purged_in_the_middle_of_it(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_fill *fill = begin_large(&p, LARGE);
    uint64_t at = feed(fill, 0, 150 * 1000);
    (void)cache_play_files(&p, SIZE_MAX);
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/large")), 1);
    while (at < LARGE) { /* who reads it goes on to, and slowly */
        enum http_cache_fill_state fill_state;
        assert_true(read_some(&p, 0, 50000));
        (void)http_cache_next_fill(p.cache, &fill_state);
        at = feed(fill, at, LARGE);
        (void)cache_play_files(&p, SIZE_MAX);
    }
    http_cache_fill_end(fill, bytes_empty());
    (void)cache_play_files(&p, SIZE_MAX);
    assert_true(p.files[1].removed && !p.files[1].whole);
    assert_true(read_some(&p, 0, UINT64_MAX));
    assert_int_equal(p.asks[0].at, LARGE);
    assert_int_equal(cache_play_ask(&p, 1, GET "large"), HTTP_CACHE_FORWARD);
    cache_play_done(&p);
}

/* While it is written elsewhere, nothing but its removal is asked for. */
static void one_that_is_at_work_is_left_alone(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_counters c;
    enum http_cache_file_want want;
    bool whole;
    begin(&p);
    p.lazy = true;
    expect(&p, GET "1", "200|" LONG "|ETag: \"e\"||one", "fwd 200 one");
    struct http_cache_file *file = http_cache_next_file(p.cache, &want);
    assert_int_equal(want, HTTP_CACHE_FILE_WRITE);
    size_t len = http_cache_file_octets(file, &whole).len;
    assert_int_equal(len, 3);
    http_cache_file_hold(file);
    file->id = ++p.file_count;
    expect(&p, GET "1|Cache-Control: no-cache", "304|ETag: \"e\"|X: y||", "fwd:N 200 one");
    assert_null(http_cache_next_file(p.cache, &want));
    assert_false(http_cache_files_wanted(p.cache));
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/1")), 1);
    assert_true(http_cache_removals_wanted(p.cache));
    assert_ptr_equal(http_cache_next_file(p.cache, &want), file);
    assert_int_equal(want, HTTP_CACHE_FILE_REMOVE);
    assert_null(http_cache_next_file(p.cache, &want));
    http_cache_file_wrote(file, len); /* in vain */
    http_cache_counters(p.cache, &c);
    assert_int_equal(c.file_octets, 0);
    http_cache_file_release(file);
    assert_ptr_equal(http_cache_next_file(p.cache, &want), file);
    assert_int_equal(want, HTTP_CACHE_FILE_CLOSE);
    http_cache_file_free(file);
    /* What is updated while its tail is being written gets another. */
    expect(&p, GET "2", "200|" LONG "|ETag: \"e\"||", "fwd 200");
    file = http_cache_next_file(p.cache, &want);
    assert_int_equal(http_cache_file_octets(file, &whole).len, 0);
    assert_true(whole);
    http_cache_file_hold(file);
    expect(&p, GET "2|Cache-Control: no-cache", "304|ETag: \"e\"|X: y||", "fwd:N 200");
    http_cache_file_done(file, 200);
    http_cache_file_release(file);
    assert_ptr_equal(http_cache_next_file(p.cache, &want), file);
    assert_int_equal(want, HTTP_CACHE_FILE_RENEW);
    http_cache_file_failed(file);
    cache_play_done(&p);
}

/* The file with the answer is not what it was, or takes too long. */
static void what_cannot_be_read_is_asked_for(void **state UNUSED)
{
    struct cache_play p;
    enum http_cache_fill_state fill_state;
    begin(&p);
    for (int around = 0; around < 2; around++) {
        expect(&p, GET, "200|" LONG "|ETag: \"e\"||body", around ? "hit 200 body" : "fwd 200 body");
        assert_int_equal(cache_play_ask(&p, 0, GET "|Foo: bar"), HTTP_CACHE_ANSWER);
        assert_non_null(http_cache_answer_file(&p.asks[0]));
        if (around)
            http_cache_ask_around(&p.asks[0], p.time);
        else
            http_cache_ask_unreadable(&p.asks[0], p.time);
        assert_ptr_equal(http_cache_next_ask(p.cache), &p.asks[0]);
        assert_int_equal(http_cache_verdict(&p.asks[0]), HTTP_CACHE_FORWARD);
        (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "200|" LONG "||new");
        assert_string_equal(cache_play_reply(&p, 0), "200 new");
        assert_non_null(strstr(p.sent, "Foo: bar\n"));
        assert_null(strstr(p.sent, "If-None-Match"));
        /* Past what is stored, nothing is; else it is the new one. */
        expect(&p, GET, NULL, around ? "hit 200 body" : "hit 200 new");
        (void)http_cache_purge(p.cache, bytes_of_text("http://a/"));
        if (!around)
            expect(&p, GET, "200|" LONG "||body", "fwd 200 body");
    }
    /* A 304 says that it is what is stored, which is not there: once more, without conditions. */
    expect(&p, GET "v", "200|Cache-Control: max-age=0|ETag: \"e\"||body", "fwd 200 body");
    assert_int_equal(cache_play_ask(&p, 0, GET "v"), HTTP_CACHE_FORWARD);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "304|ETag: \"e\"||");
    assert_int_equal(http_cache_verdict(&p.asks[0]), HTTP_CACHE_ANSWER);
    http_cache_ask_unreadable(&p.asks[0], p.time);
    assert_int_equal(http_cache_verdict(&p.asks[0]), HTTP_CACHE_FORWARD);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "200|ETag: \"f\"||new");
    assert_null(strstr(p.sent, "If-None-Match"));
    assert_string_equal(cache_play_reply(&p, 0), "200 new");
    /* Who wants nothing but what is stored gets that, or nothing. */
    expect(&p, GET "o", "200|" LONG "||body", "fwd 200 body");
    assert_int_equal(cache_play_ask(&p, 0, GET "o|Cache-Control: only-if-cached"), HTTP_CACHE_ANSWER);
    http_cache_ask_around(&p.asks[0], p.time);
    assert_int_equal(http_cache_verdict(&p.asks[0]), HTTP_CACHE_FAIL);
    assert_null(http_cache_next_fill(p.cache, &fill_state));
    cache_play_done(&p);
}

static void a_disk_that_is_full_in_the_middle_of_it(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_fill *fill = begin_large(&p, LARGE);
    uint64_t at = feed(fill, 0, 150 * 1000);
    (void)cache_play_files(&p, 40);
    assert_int_equal(cache_play_ask(&p, 1, GET "large"), HTTP_CACHE_ANSWER);
    assert_true(read_some(&p, 0, UINT64_MAX));
    at = feed(fill, at, LARGE);
    assert_int_equal(http_cache_fill_room(fill), 0); /* it waits for the file */
    p.full = true;
    (void)cache_play_files(&p, SIZE_MAX);
    enum http_cache_fill_state fill_state;
    assert_ptr_equal(http_cache_next_fill(p.cache, &fill_state), fill);
    assert_int_equal(fill_state, HTTP_CACHE_FILL_GO_ON);
    assert_int_equal(cache_play_ask(&p, 2, GET "large"), HTTP_CACHE_FORWARD); /* it is not stored any more */
    assert_true(read_some(&p, 1, 100)); /* a window for those who read */
    at = feed(fill, at, LARGE);
    assert_in_range(at, HTTP_CACHE_WINDOW, HTTP_CACHE_WINDOW + 50 * 1000);
    for (int i = 0; i < 200 && at < LARGE; i++) {
        assert_true(read_some(&p, 0, 10000) && read_some(&p, 1, 9000));
        at = feed(fill, at, LARGE);
    }
    assert_int_equal(at, LARGE);
    http_cache_fill_end(fill, bytes_empty());
    assert_true(read_some(&p, 0, UINT64_MAX) && read_some(&p, 1, UINT64_MAX));
    assert_int_equal(p.asks[1].at, LARGE);
    restart(&p);
    assert_int_equal(cache_play_ask(&p, 0, GET "large"), HTTP_CACHE_FORWARD);
    cache_play_done(&p);
}

static void an_origin_that_breaks_off_in_the_middle_of_it(void **state UNUSED)
{
    struct cache_play p;
    struct http_cache_fill *fill = begin_large(&p, LARGE);
    (void)feed(fill, 0, 100 * 1000);
    (void)cache_play_files(&p, 60);
    assert_true(read_some(&p, 0, 5000));
    http_cache_fill_fail(fill, p.time);
    (void)cache_play_files(&p, SIZE_MAX);
    assert_false(read_some(&p, 0, UINT64_MAX)); /* all that came, and then that it is broken */
    assert_int_equal(p.asks[0].at, 100 * 1000);
    restart(&p);
    assert_int_equal(cache_play_ask(&p, 0, GET "large"), HTTP_CACHE_FORWARD);
    cache_play_done(&p);
}

static void a_file_that_cannot_be_read_is_asked_for_anew(void **state UNUSED)
{
    struct cache_play p;
    begin(&p);
    expect(&p, GET, "200|" LONG "||body", "fwd 200 body");
    assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_ANSWER);
    struct http_cache_file *file = http_cache_answer_file(&p.asks[0]);
    assert_non_null(file);
    http_cache_file_failed(file);
    http_cache_ask_done(&p.asks[0]);
    expect(&p, GET, "200|" LONG "||new", "fwd 200 new");
    /* What is in memory, too, does not need it. */
    assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_ANSWER);
    file = http_cache_answer_file(&p.asks[0]);
    http_cache_file_loaded(file, bytes_of_text("new"));
    assert_null(http_cache_answer_file(&p.asks[0]));
    http_cache_file_failed(file);
    http_cache_ask_done(&p.asks[0]);
    expect(&p, GET, NULL, "hit 200 new");
    cache_play_done(&p);
}

static void no_memory_is_survived(void **state UNUSED)
{
    for (size_t fail_at = 1; fail_at < 60; fail_at++) {
        struct cache_play p;
        begin(&p);
        p.heap.fail_at = p.heap.allocations + fail_at;
        (void)cache_play_fetch(&p, GET "|Foo: 1", "200|" LONG "|Vary: Foo|ETag: \"1\"||a");
        (void)cache_play_fetch(&p, GET "b", "200|" LONG "|ETag: \"1\"||b");
        (void)cache_play_fetch(&p, GET "b|Cache-Control: no-cache", "304|ETag: \"1\"||");
        p.heap.fail_at = 0;
        cache_play_restart(&p, true);
        p.heap.fail_at = p.heap.allocations + fail_at;
        (void)http_cache_purge_tag(p.cache, bytes_of_text("x"));
        cache_play_load(&p);
        p.heap.fail_at = 0;
        http_cache_load_end(p.cache);
        cache_play_done(&p);
    }
}

/* ---- tails ---- */

static struct bytes a_tail(uint8_t *block, size_t size)
{
    const struct http_cache_tail tail = {
        .end = {.body_len = 12345678901, .crc = 7},
        .facts = {.status = 203,
                  .cc = {.present = 3, .seconds = {1, 2, 3}},
                  .targeted = true,
                  .has_age = true,
                  .lifetime = 60,
                  .initial_age = 5 * USEC_PER_SEC,
                  .date = 1700000000,
                  .modified = HTTP_NO_DATE},
        .response_wall = 1700000001,
        .shared = true,
        .of_parts = true,
        .uri = bytes_of_text("http://a/"),
        .names = bytes_of_text("foo,"),
        .key = bytes_of_text("1\n"),
        .head = bytes_of_text("ETag: \"x\"\r\nX: \r\n"),
        .trailers = bytes_of_text("T: u\r\n"),
    };
    struct writer w = writer_of(block, size);
    return http_cache_tail_write(&tail, &w) ? writer_bytes(&w) : bytes_empty();
}

static void tails_are_read_as_they_were_written(void **state UNUSED)
{
    uint8_t block[1000], again[1000];
    struct bytes in = a_tail(block, sizeof block);
    struct http_cache_tail tail;
    struct writer w = writer_of(again, sizeof again);
    assert_true(in.len > 100);
    assert_true(http_cache_tail_read(in, &tail));
    assert_true(http_cache_tail_write(&tail, &w));
    assert_true(bytes_equal(writer_bytes(&w), in));
    assert_int_equal(tail.end.tail_len, in.len);
    assert_int_equal(tail.end.body_len, 12345678901);
    assert_int_equal(tail.facts.lifetime, 60);
    assert_true(tail.facts.targeted && tail.facts.has_age && !tail.facts.has_expires);
    assert_true(tail.shared && tail.of_parts && !tail.confined);
    assert_true(bytes_equal(tail.trailers, bytes_of_text("T: u\r\n")));
    for (size_t size = 0; size < in.len; size++)
        assert_int_equal(a_tail(again, size).len, 0);
}

static void tails_that_are_none_are_refused(void **state UNUSED)
{
    uint8_t block[1000];
    struct bytes in = a_tail(block, sizeof block);
    struct http_cache_tail tail;
    for (size_t len = 0; len < in.len; len++) {
        uint8_t *copy = exact_copy(in.data, len);
        assert_false(http_cache_tail_read(bytes_of(copy, len), &tail));
        memmove(copy, in.data + in.len - len, len);
        assert_false(http_cache_tail_read(bytes_of(copy, len), &tail));
        free(copy);
    }
    for (size_t bit = 0; bit < in.len * 8; bit++) {
        uint8_t *copy = exact_copy(in.data, in.len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(http_cache_tail_read(bytes_of(copy, in.len), &tail));
        free(copy);
    }
}

/* Right by its checksum, and yet not what a response looks like. */
static void tails_that_make_no_sense_are_refused(void **state UNUSED)
{
    uint8_t block[1000];
    static const char *const heads[] = {"X", "X: y", "X: y\r", "X: y\n", ": y\r\n", "X:y\r\n", "X: \x01\r\n",
                                        "X y: z\r\n", "X: y\rZ: u\r\n", "\r\n"};
    struct http_cache_tail tail, out;
    assert_true(http_cache_tail_read(a_tail(block, sizeof block), &tail));
    for (size_t i = 0; i < 2 * ARRAY_LEN(heads) + 5; i++) {
        uint8_t other[1000];
        struct writer w = writer_of(other, sizeof other);
        struct http_cache_tail odd = tail;
        if (i < ARRAY_LEN(heads))
            odd.head = bytes_of_text(heads[i]);
        else if (i < 2 * ARRAY_LEN(heads))
            odd.trailers = bytes_of_text(heads[i - ARRAY_LEN(heads)]);
        else if (i == 2 * ARRAY_LEN(heads))
            odd.facts.status = 199;
        else if (i == 2 * ARRAY_LEN(heads) + 1)
            odd.facts.initial_age = -1;
        else if (i == 2 * ARRAY_LEN(heads) + 2)
            odd.response_wall = -1;
        else if (i == 2 * ARRAY_LEN(heads) + 3)
            odd.uri = bytes_empty();
        else
            odd.end.body_len = UINT64_MAX;
        assert_true(http_cache_tail_write(&odd, &w));
        if (http_cache_tail_read(writer_bytes(&w), &out))
            fail_msg("case %zu was taken", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_survives),
        cmocka_unit_test(what_a_head_said_survives),
        cmocka_unit_test(what_is_forgotten_does_not_come_back),
        cmocka_unit_test(what_came_since_is_newer),
        cmocka_unit_test(what_is_for_few_stays_so),
        cmocka_unit_test(a_crash_leaves_nothing_wrong),
        cmocka_unit_test(what_leaves_memory_is_in_its_file),
        cmocka_unit_test(files_stay_within_their_octets),
        cmocka_unit_test(empty_ones_go_with_their_files),
        cmocka_unit_test(heads_stay_within_memory),
        cmocka_unit_test(large_ones_go_to_their_file_as_they_come),
        cmocka_unit_test(one_that_is_purged_while_it_is_validated),
        cmocka_unit_test(one_that_is_purged_in_the_middle_of_it),
        cmocka_unit_test(one_that_is_at_work_is_left_alone),
        cmocka_unit_test(what_cannot_be_read_is_asked_for),
        cmocka_unit_test(a_disk_that_is_full_in_the_middle_of_it),
        cmocka_unit_test(an_origin_that_breaks_off_in_the_middle_of_it),
        cmocka_unit_test(a_file_that_cannot_be_read_is_asked_for_anew),
        cmocka_unit_test(no_memory_is_survived),
        cmocka_unit_test(tails_are_read_as_they_were_written),
        cmocka_unit_test(tails_that_are_none_are_refused),
        cmocka_unit_test(tails_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

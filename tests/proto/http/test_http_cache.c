/* SPDX-License-Identifier: ISC */
/*
 * RFC 9111 and those beside it, clause by clause: each test is a row of exchanges (see
 * tests/support/cache_play.h), and names the labels of rfc9111.txt that it shows.
 */
#include "tests/support/cache_play.h"

/* A step says no more than matters. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct step {
    double after; /* seconds */
    const char *request;
    const char *response;
    const char *want;
    const char *with;    /* a line that the answer's fields have */
    const char *without; /* … and text that they have not */
};

static void play_with(const char *name, bool shared, bool tier, const struct step *steps)
{
    struct cache_play p;
    cache_play_init(&p, shared);
    if (tier)
        cache_play_tier(&p);
    for (size_t i = 0; steps[i].request != NULL; i++) {
        const struct step *s = &steps[i];
        cache_play_wait(&p, s->after);
        const char *got = cache_play_fetch(&p, s->request, s->response);
        if (strcmp(got, s->want) != 0)
            fail_msg("%s, %s, step %zu (%s): got \"%s\", expected \"%s\"", name,
                     tier ? "with files" : "in memory", i + 1, s->request, got, s->want);
        if (s->with != NULL && strstr(p.fields, s->with) == NULL)
            fail_msg("%s, step %zu: no \"%s\" in\n%s", name, i + 1, s->with, p.fields);
        if (s->without != NULL && strstr(p.fields, s->without) != NULL)
            fail_msg("%s, step %zu: \"%s\" in\n%s", name, i + 1, s->without, p.fields);
    }
    cache_play_done(&p);
}

/* With and without a second tier it is the same. */
static void play(const char *name, bool shared, const struct step *steps)
{
    play_with(name, shared, false, steps);
    play_with(name, shared, true, steps);
}

#define SHARED(...) play(__func__, true, (const struct step[]){__VA_ARGS__, {.request = NULL}})
#define PRIVATE(...) play(__func__, false, (const struct step[]){__VA_ARGS__, {.request = NULL}})
#define GET "GET http://a/"
#define FRESH "200|Cache-Control: max-age=10||a"
#define OTHER "200|Cache-Control: max-age=10||b"

/* 9111/4.1-2: a variant that is none matches nothing. 9111/4.3.4-1: nor does a 304 about something else. */
static void what_matches_nothing_changes_nothing(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=10|Vary: Foo|Vary: *||a", "fwd 200 a"},
           {0, GET, "200|Cache-Control: max-age=10||b", "fwd 200 b"}, {0, GET, NULL, "hit 200 b"});
    SHARED({0, GET, "200|Cache-Control: max-age=1|ETag: \"e\"|X: old||a", "fwd 200 a"},
           {5, GET, "304|ETag: \"f\"|Cache-Control: max-age=100|X: new||##200|Cache-Control: max-age=10|ETag: \"f\"||b",
            "fwd* 200 b"},
           {0, GET, NULL, "hit 200 b", NULL, "X: new"});
}

/* 9111/4-1, 9111/4.2-1, 9111/4-2 */
static void what_is_fresh_answers(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=10|X-Own: y||body", "fwd 200 body", "X-Own: y\n", "Age:"},
           {0, GET, NULL, "hit 200 body", "Age: 0\n"}, {9.5, GET, NULL, "hit 200 body", "Age: 9\n"},
           {0, "GET http://a/?q", OTHER, "fwd 200 b"}, {0, "GET https://a/", OTHER, "fwd 200 b"},
           {0, "GET http://a:81/", OTHER, "fwd 200 b"}, {0, "GET HTTP://A:80/", NULL, "hit 200 body"},
           {0.5, GET, OTHER, "fwd 200 b"});
    SHARED({0, GET, "200|Cache-Control: max-age=100|Age: 7||a", "fwd 200 a", "Age: 7\n"},
           {5, GET, NULL, "hit 200 a", "Age: 12\n", "Age: 7\n"});
}

/* 9111/2-1 */
static void other_methods_do_not_answer_get(void **state UNUSED)
{
    SHARED({0, "PUT http://a/", FRESH, "fwd 200 a"}, {0, GET, FRESH, "fwd 200 a"},
           {0, "OPTIONS http://a/", OTHER, "fwd 200 b"}, {0, GET, NULL, "hit 200 a"},
           {0, "HEAD http://b/", "200|Cache-Control: max-age=10|Content-Length: 5||", "fwd 200"},
           {0, "GET http://b/", FRESH, "fwd 200 a"}, {0, "HEAD http://b/", NULL, "hit 200"},
           {0, "FOO http://a/", OTHER, "fwd 200 b"}, {0, "get http://a/", OTHER, "fwd 200 b"});
}

/* 9111/1.2.2-1, 9111/4.2.1-2, 9111/3-5: whether, and for how long, it is fresh. */
static void lifetimes(void **state UNUSED)
{
    static const struct {
        const char *fields;
        int shared, private_; /* seconds; -1: not stored */
        unsigned status;
    } cases[] = {
        {"Cache-Control: max-age=10", 10, 10, 200},
        {"Cache-Control: s-maxage=5, max-age=10", 5, 10, 200},
        {"Cache-Control: s-maxage=5", 5, 0, 200},
        {"Expires: @20", 20, 20, 200},
        {"Expires: @20|Cache-Control: max-age=10", 10, 10, 200},
        {"Expires: 0|Cache-Control: max-age=10", 10, 10, 200},
        {"Expires: 0", 0, 0, 200},
        {"Expires: @-5", 0, 0, 200},
        {"Last-Modified: @-100", 10, 10, 200},
        {"Last-Modified: @-100|Expires: @3", 3, 3, 200},
        {"Last-Modified: @-100|Cache-Control: max-age=0", 0, 0, 200},
        {"Last-Modified: @-10000000", 86400, 86400, 200},
        {"Last-Modified: @100", 0, 0, 200},
        {"Last-Modified: @-100", 10, 10, 203},
        {"Last-Modified: @-100", 10, 10, 204},
        {"Last-Modified: @-100", 10, 10, 300},
        {"Last-Modified: @-100", 10, 10, 301},
        {"Last-Modified: @-100", 10, 10, 308},
        {"Last-Modified: @-100", 10, 10, 404},
        {"Last-Modified: @-100", 10, 10, 405},
        {"Last-Modified: @-100", 10, 10, 410},
        {"Last-Modified: @-100", 10, 10, 414},
        {"Last-Modified: @-100", 10, 10, 501},
        {"Last-Modified: @-100", -1, -1, 302},
        {"Last-Modified: @-100", -1, -1, 500},
        {"Last-Modified: @-100", -1, -1, 599},
        {"Last-Modified: @-100|Cache-Control: public", 10, 10, 599},
        {"Cache-Control: max-age=10", 10, 10, 302},
        {"Cache-Control: max-age=10", 10, 10, 500},
        {"Cache-Control: max-age=10", 10, 10, 599},
        {"Cache-Control: s-maxage=10", 10, -1, 599},
        {"Cache-Control: private, max-age=10", -1, 10, 200},
        {"Cache-Control: private|Last-Modified: @-100", -1, 10, 200},
        {"Cache-Control: no-store, max-age=10", -1, -1, 200},
        {"Cache-Control: max-age=10, max-age=20", 10, 10, 200},
        {"Cache-Control: max-age=x|ETag: \"e\"", 0, 0, 200},
        {"Cache-Control: max-age=99999999999", 1 << 30, 1 << 30, 200},
        {"Cache-Control: must-understand, no-store, max-age=10", 10, 10, 200},
        {"Cache-Control: must-understand, no-store, max-age=10", -1, -1, 599},
        {"Cache-Control: must-understand, max-age=10", -1, -1, 599},
        {"CDN-Cache-Control: max-age=7|Cache-Control: max-age=10", 7, 10, 200},
        {"CDN-Cache-Control: no-store|Cache-Control: max-age=10", -1, 10, 200},
        {"CDN-Cache-Control: max-age=7|Cache-Control: no-store", 7, -1, 200},
        {"CDN-Cache-Control: max-age=7|Expires: @20", 7, 20, 200},
        {"CDN-Cache-Control: foo|Expires: @20|Last-Modified: @-100", 10, 20, 200},
        {"CDN-Cache-Control: max-age|Cache-Control: max-age=10", 0, 10, 200},
        {"CDN-Cache-Control: |Cache-Control: max-age=10", 10, 10, 200},
        {"CDN-Cache-Control: max-age=7,|Cache-Control: max-age=10", 10, 10, 200},
        {"Cache-Control: max-age=\"7\"", 7, 7, 200},
        {"Cache-Control: max-age=10|Cache-Control: s-maxage=4", 4, 10, 200},
        {"Expires: @20|Expires: @30", 20, 20, 200},
        {"CDN-Cache-Control: max-age=7;x=1, foo=\"b\"|Cache-Control: max-age=10", 7, 10, 200},
        {"CDN-Cache-Control: max-age=7, max-age=20|Cache-Control: max-age=10", 20, 10, 200},
        {"CDN-Cache-Control: max-age=7|CDN-Cache-Control: max-age=20|Cache-Control: max-age=10", 20, 10, 200},
        {"CDN-Cache-Control: max-age=-5|Cache-Control: max-age=10", 0, 10, 200},
        {"CDN-Cache-Control: max-age=7.5|Cache-Control: max-age=10", 0, 10, 200},
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        bool shared = i < ARRAY_LEN(cases);
        int want = shared ? cases[i].shared : cases[i - ARRAY_LEN(cases)].private_;
        const char *fields = cases[i % ARRAY_LEN(cases)].fields;
        unsigned status = cases[i % ARRAY_LEN(cases)].status;
        struct cache_play p;
        char response[500], name[600];
        cache_play_init(&p, shared);
        p.options.rules.targeted = shared ? "CDN-Cache-Control" : NULL;
        cache_play_begin(&p);
        snprintf(response, sizeof response, "%u|%s|ETag: \"e\"||x", status, fields);
        snprintf(name, sizeof name, "%s, %s", response, shared ? "shared" : "private");
        cache_play_fetch(&p, GET, response);
        struct http_cache_counters counters;
        http_cache_counters(p.cache, &counters);
        CHECK_EQUAL(name, counters.entries, want >= 0);
        if (want > 0) {
            cache_play_wait(&p, want - 1);
            CHECK_EQUAL(name, cache_play_ask(&p, 1, GET), HTTP_CACHE_ANSWER);
            http_cache_ask_done(&p.asks[1]);
        }
        if (want < 1 << 30) {
            cache_play_wait(&p, want > 0 ? 1 : 0);
            CHECK_EQUAL(name, cache_play_ask(&p, 1, GET), HTTP_CACHE_FORWARD);
        }
        cache_play_done(&p);
    }
}

/* 9111/4.2.1-1, 9111/4.2.2-1, 9111/4.2.2-2, 9111/5.3-1, 9111/5.2.2.10-1, 9111/3-3, 9111/3-4,
 * 9111/3-2, 9111/5.2.2.3-1, 9213/2.1-1, 9213/2.2-1 */
static void lifetimes_by_kind_of_cache(void **state)
{
    lifetimes(state);
}

/* 9111/3-1 */
static void only_final_responses_are_stored(void **state UNUSED)
{
    struct http_cache_rules rules = {.shared = true};
    struct http_cache_wishes wishes = {0};
    struct http_cache_facts facts = {.status = 103, .lifetime = 10};
    facts.cc.present = UINT32_C(1) << HTTP_CC_PUBLIC | UINT32_C(1) << HTTP_CC_MAX_AGE;
    assert_false(http_cache_may_store(&rules, &wishes, &facts));
    facts.status = 304;
    assert_false(http_cache_may_store(&rules, &wishes, &facts));
    facts.status = 200;
    assert_true(http_cache_may_store(&rules, &wishes, &facts));
}

/* 9111/3-6 */
static void no_store_of_a_request_leaves_no_trace(void **state UNUSED)
{
    SHARED({0, GET "|Cache-Control: no-store", FRESH, "fwd 200 a"}, {0, GET, FRESH, "fwd 200 a"},
           {0, GET "|Cache-Control: no-store", NULL, "hit 200 a"},
           {11, GET "|Cache-Control: no-store", OTHER, "fwd 200 b"}, {0, GET, OTHER, "fwd 200 b"});
}

/* 9111/3.1-1, 9111/3.1-3, 9111/3.1-4 */
static void fields_of_the_connection_are_not_stored(void **state UNUSED)
{
#define MANY                                                                                      \
    "200|Cache-Control: max-age=10|Connection: X-Hop, close|X-Hop: 1|Keep-Alive: 5|TE: x|"        \
    "Proxy-Authenticate: Basic|Proxy-Authentication-Info: n|Proxy-Authorization: p|Upgrade: u|"   \
    "Proxy-Connection: c|X-New: n|Set-Cookie: c=1|Set-Cookie: d=2||a"
    static const char *const gone[] = {"X-Hop", "Connection", "Keep-Alive", "TE:", "Proxy-",
                                       "Upgrade"};
    for (size_t i = 0; i < ARRAY_LEN(gone); i++)
        SHARED({0, GET, MANY, "fwd 200 a", "X-New: n\n", gone[i]},
               {0, GET, NULL, "hit 200 a", "X-New: n\nSet-Cookie: c=1\nSet-Cookie: d=2\n", gone[i]});
}

/* 9111/3.1-2 */
static void private_fields_are_for_who_asked(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=10, private=\"X-Mine, set-cookie\"|X-Mine: m|X: y||a",
            "fwd 200 a", "X-Mine: m\n"},
           {0, GET, NULL, "hit 200 a", "X: y\n", "X-Mine: "});
    PRIVATE({0, GET, "200|Cache-Control: max-age=10, private=\"X-Mine\"|X-Mine: m||a", "fwd 200 a"},
            {0, GET, NULL, "hit 200 a", "X-Mine: m\n"});
}

/* 9111/3.5-1 */
static void authorization_keeps_responses_out_of_shared_caches(void **state UNUSED)
{
    static const struct {
        const char *control;
        bool stored;
    } cases[] = {{"max-age=10", false},
                 {"max-age=10, public", true},
                 {"max-age=10, must-revalidate", true},
                 {"s-maxage=10", true},
                 {"max-age=10, proxy-revalidate", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char response[200];
        snprintf(response, sizeof response, "200|Cache-Control: %s||a", cases[i].control);
        const char *then = cases[i].stored ? "hit 200 a" : "fwd 200 b";
        SHARED({0, GET "|Authorization: Basic eA==", response, "fwd 200 a"}, {0, GET, OTHER, then});
    }
    PRIVATE({0, GET "|Authorization: Basic eA==", FRESH, "fwd 200 a"}, {0, GET, NULL, "hit 200 a"});
    SHARED({0, GET, FRESH, "fwd 200 a"}, {0, GET "|Authorization: Basic eA==", NULL, "hit 200 a"});
}

/* 9111/4.2.3-1, 9111/4.2.3-2, 9110/6.6.1-9 */
static void ages_add_up(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=100|Date: @-30||a", "fwd 200 a"},
           {1, GET, NULL, "hit 200 a", "Age: 31\n"});
    SHARED({0, GET, "200|Cache-Control: max-age=100|Date: @-30|Age: 50||a", "fwd 200 a"},
           {1, GET, NULL, "hit 200 a", "Age: 51\n"});
    SHARED({0, GET, "200|Cache-Control: max-age=100|Date: @60|Age: 2||a", "fwd 200 a"},
           {1, GET, NULL, "hit 200 a", "Age: 3\n"});
    SHARED({0, GET, "200|Cache-Control: max-age=100|-Date||a", "fwd 200 a", "Date: Tue, 14 Nov 2023 22:13:20 GMT\n"},
           {1, GET, NULL, "hit 200 a", "Age: 1\n"});
    struct cache_play p;
    cache_play_init(&p, true);
    assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_FORWARD);
    http_cache_fill_sent(http_cache_ask_fill(&p.asks[0]), p.time.now);
    cache_play_wait(&p, 4); /* the delay counts */
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]),
                            "200|Cache-Control: max-age=100|Age: 3||a");
    (void)cache_play_reply(&p, 0);
    assert_string_equal(cache_play_fetch(&p, GET, NULL), "hit 200 a");
    assert_non_null(strstr(p.fields, "Age: 7\n"));
    cache_play_done(&p);
}

/* 9111/5.1-1 */
static void ages_that_are_none_do_not_count(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=10|Age: x||a", "fwd 200 a"},
           {0, GET, NULL, "hit 200 a", "Age: 0\n"},
           {0, "GET http://b/", "200|Cache-Control: max-age=10|Age: 4, 20||a", "fwd 200 a"},
           {0, "GET http://b/", NULL, "hit 200 a", "Age: 4\n"},
           {0, "GET http://c/", "200|Cache-Control: max-age=10|Age: 12||a", "fwd 200 a"},
           {0, "GET http://c/", OTHER, "fwd 200 b"});
}

#define TAGGED "200|Cache-Control: max-age=10|ETag: \"1\"|Last-Modified: @-1000|X: old|Y: old||a"

/* 9111/4.3.1-1, 9111/4.3.1-2, 9111/4.3.3-1, 9111/3.2-1, 9111/3.2-2 */
static void what_is_stale_is_validated(void **state UNUSED)
{
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {11, GET, "304|ETag: \"1\"|Cache-Control: max-age=20|X: new|X: newer|Content-Encoding: gzip|"
                     "Content-Length: 77|Content-Range: bytes 0-1/9||",
            "fwd:NM 200 a", "X: new\nX: newer\n", "Content-"},
           {0, GET, NULL, "hit 200 a", "Y: old\n", "X: old"}, {19, GET, NULL, "hit 200 a", "Age: 19\n"},
           {2, GET, "200|Cache-Control: max-age=10|ETag: \"2\"||b", "fwd:NM 200 b", NULL, "Y: old"},
           {0, GET, NULL, "hit 200 b"}, {11, GET, "404|Cache-Control: max-age=10||c", "fwd:N 404 c"},
           {0, GET, NULL, "hit 404 c"});
    SHARED({0, GET, "200|Last-Modified: @-100||a", "fwd 200 a"}, {11, GET, "304||", "fwd:M 200 a"});
    SHARED({0, GET, "200|Cache-Control: max-age=1||a", "fwd 200 a"}, {2, GET, OTHER, "fwd 200 b"});
    /* What the origin takes back is not kept for later. */
    SHARED({0, GET, "200|Cache-Control: max-age=1, stale-if-error=100|ETag: \"1\"||a", "fwd 200 a"},
           {2, GET, "200|Cache-Control: no-store||b", "fwd:N 200 b"}, {0, GET, "!", "fwd refused"});
}

/* 9111/4.3.4-1, 9111/4.3.4-2 */
static void a_304_updates_what_it_is_about(void **state UNUSED)
{
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {11, GET, "304|ETag: \"2\"||##200|Cache-Control: max-age=10|ETag: \"2\"||b", "fwd* 200 b"});
    SHARED({0, GET, "200|Cache-Control: max-age=10|ETag: W/\"1\"||a", "fwd 200 a"},
           {11, GET, "304|ETag: W/\"1\"||", "fwd:N 200 a"}, {0, GET, NULL, "hit 200 a"},
           {11, GET, "304|ETag: W/\"2\"||##200|ETag: W/\"2\"||b", "fwd* 200 b"});
    SHARED({0, GET, TAGGED, "fwd 200 a"}, {11, GET, "304||", "fwd:NM 200 a"});
    /* One without Date, which it should have, is as new as its arrival says. */
    SHARED({0, GET, TAGGED, "fwd 200 a"}, {11, GET, "304|-Date||", "fwd:NM 200 a"},
           {0, GET, NULL, "hit 200 a", "Age: 0\n"});
    SHARED({0, GET, "200|Last-Modified: @-100||a", "fwd 200 a"},
           {11, GET, "304|Last-Modified: @-5||##200||b", "fwd* 200 b"});
}

/* 9111/4.3.5-1 */
static void head_tells_of_what_is_stored(void **state UNUSED)
{
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {11, "HEAD http://a/", "200|ETag: \"1\"|Cache-Control: max-age=50|Content-Length: 1|X: new||",
            "fwd 200"},
           {5, GET, NULL, "hit 200 a", "X: new\n"});
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {5, "HEAD http://a/|Cache-Control: no-cache", "200|ETag: \"2\"|Cache-Control: max-age=50||", "fwd 200"},
           {0, GET, "304|ETag: \"1\"||", "fwd:NM 200 a"});
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {5, "HEAD http://a/|Cache-Control: no-cache", "200|ETag: \"1\"|Content-Length: 9|Cache-Control: max-age=50||",
            "fwd 200"},
           {0, GET, "304|ETag: \"1\"||", "fwd:NM 200 a"});
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {5, "HEAD http://a/|Cache-Control: no-cache", "503||", "fwd 503"}, {0, GET, NULL, "hit 200 a"});
}

/* 9111/4.3.2-1, 9111/4.3.2-2, 9111/4.3.2-5 */
static void conditions_of_clients_are_evaluated(void **state UNUSED)
{
    SHARED({0, GET, TAGGED, "fwd 200 a"},
           {0, GET "|If-None-Match: \"1\"", NULL, "hit 304", "ETag: \"1\"\n"},
           {0, GET "|If-None-Match: W/\"1\"", NULL, "hit 304"}, {0, GET "|If-None-Match: *", NULL, "hit 304"},
           {0, GET "|If-None-Match: \"x\", \"1\"", NULL, "hit 304"},
           {0, GET "|If-None-Match: \"x\"", NULL, "hit 200 a"},
           {0, GET "|If-None-Match: \"x\"|If-Modified-Since: @0", NULL, "hit 200 a"},
           {0, GET "|If-Modified-Since: @-1000", NULL, "hit 304"},
           {0, GET "|If-Modified-Since: @-1001", NULL, "hit 200 a"},
           {0, GET "|If-Modified-Since: nonsense", NULL, "hit 200 a"},
           {0, "HEAD http://a/|If-None-Match: \"1\"", NULL, "hit 304"},
           {11, GET "|If-None-Match: \"1\"", "304|ETag: \"1\"||", "fwd:NM 304"},
           {11, GET "|If-None-Match: \"2\"", "200|Cache-Control: max-age=10|ETag: \"2\"||b", "fwd:NM 304"},
           {0, GET, NULL, "hit 200 b"});
    SHARED({0, GET, "200|Cache-Control: max-age=10||a", "fwd 200 a"},
           {0, GET "|If-Modified-Since: @0", NULL, "hit 304"}, {0, GET "|If-Modified-Since: @-1", NULL, "hit 200 a"});
    SHARED({0, GET, "404|Cache-Control: max-age=10|ETag: \"1\"||a", "fwd 404 a"},
           {0, GET "|If-None-Match: \"1\"", NULL, "hit 404 a"});
    /* Without anything stored they are the origin's, and what it says is the client's. */
    SHARED({0, GET "|If-None-Match: \"1\"", "304|ETag: \"1\"|Cache-Control: max-age=10||", "fwd:N 304"},
           {0, GET, FRESH, "fwd 200 a"});
}

/* 9111/4.3.2-3 */
static void other_conditions_are_left_to_the_origin(void **state UNUSED)
{
    SHARED({0, GET, TAGGED, "fwd 200 a"}, {0, GET "|If-Match: \"x\"", "412||no", "fwd 412 no"},
           {0, GET "|If-Unmodified-Since: @-5000", "412||no", "fwd 412 no"}, {0, GET, NULL, "hit 200 a"});
}

#define LONG "200|Cache-Control: max-age=10|ETag: \"1\"|Last-Modified: @-1000||0123456789"

/* 9110/14.2-9, 9111/4.3.2-4 */
static void ranges_are_answered_from_what_is_stored(void **state UNUSED)
{
    SHARED({0, GET, LONG, "fwd 200 0123456789"},
           {0, GET "|Range: bytes=2-4", NULL, "hit 206 234", "Content-Range: bytes 2-4/10\n"},
           {0, GET "|Range: bytes=-3", NULL, "hit 206 789", "Content-Range: bytes 7-9/10\n"},
           {0, GET "|Range: bytes=8-", NULL, "hit 206 89"}, {0, GET "|Range: bytes=9-100", NULL, "hit 206 9"},
           {0, GET "|Range: bytes=10-", NULL, "hit 416", "Content-Range: bytes */10\n"},
           {0, GET "|Range: bytes=1-2, 4-5", NULL, "hit 200 0123456789"},
           {0, GET "|Range: lines=1-2", NULL, "hit 200 0123456789"},
           {0, "HEAD http://a/|Range: bytes=1-2", NULL, "hit 200"},
           {0, GET "|Range: bytes=1-2|If-Range: \"1\"", NULL, "hit 206 12"},
           {0, GET "|Range: bytes=1-2|If-Range: \"2\"", NULL, "hit 200 0123456789"},
           {0, GET "|Range: bytes=1-2|If-Range: @-1000", NULL, "hit 206 12"},
           {0, GET "|Range: bytes=1-2|If-Range: @-999", NULL, "hit 200 0123456789"},
           {0, GET "|Range: bytes=1-2|If-None-Match: \"1\"", NULL, "hit 304"},
           {11, GET "|Range: bytes=1-2", "304|ETag: \"1\"||", "fwd:NM 206 12"},
           {11, GET "|Range: bytes=1-2", "200|ETag: \"2\"|Cache-Control: max-age=10||abcdef", "fwd:NM 206 bc"});
}

/* 9111/3.3-3, 9111/3.4-1, 9111/3.4-2, 9111/3.3-1 */
static void parts_are_put_together(void **state UNUSED)
{
#define PART(range, tag, body)                                                                    \
    "206|Cache-Control: max-age=100|ETag: " tag "|Content-Range: bytes " range "||" body
    SHARED({0, GET "|Range: bytes=2-4", PART("2-4/10", "\"1\"", "234"), "fwd:R 206 234",
            "Content-Range: bytes 2-4/10\n"},
           {0, GET "|Range: bytes=3-4", NULL, "hit 206 34", "Content-Range: bytes 3-4/10\n"},
           {0, GET "|Range: bytes=3-5", PART("3-5/10", "\"1\"", "345"), "fwd:R 206 345"},
           {0, GET "|Range: bytes=2-5", NULL, "hit 206 2345"},
           {0, GET "|Range: bytes=6-", PART("6-9/10", "\"1\"", "6789"), "fwd:R 206 6789"},
           {0, GET "|Range: bytes=0-1", PART("0-1/10", "\"1\"", "01"), "fwd:R 206 01"},
           {0, GET, NULL, "hit 200 0123456789", NULL, "Content-Range"});
    SHARED({0, GET "|Range: bytes=0-4", PART("0-4/10", "\"1\"", "01234"), "fwd:R 206 01234"},
           {0, GET "|Range: bytes=5-", PART("5-9/10", "\"2\"", "abcde"), "fwd:R 206 abcde"},
           {0, GET "|Range: bytes=0-", PART("0-9/10", "\"2\"", "xyzzyabcde"), "fwd:R 206 xyzzyabcde"});
    SHARED({0, GET "|Range: bytes=0-4", PART("0-4/10", "W/\"1\"", "01234"), "fwd:R 206 01234"},
           {0, GET "|Range: bytes=5-", PART("5-9/10", "W/\"1\"", "56789"), "fwd:R 206 56789"},
           {0, GET, LONG, "fwd 200 0123456789"});
    SHARED({0, GET "|Range: bytes=0-4", "206|Cache-Control: max-age=9|Content-Type: multipart/byteranges; boundary=b||x",
            "fwd:R 206 x"},
           {0, GET, FRESH, "fwd 200 a"});
    /* What is not as long as it says passes as it is, and is not stored. */
    SHARED({0, GET "|Range: bytes=0-4", "206|Cache-Control: max-age=100|ETag: \"1\"|Content-Range: bytes 0-5/10||01234",
            "fwd:R 206 01234", "Content-Range: bytes 0-5/10\n"},
           {0, GET "|Range: bytes=0-1", PART("0-1/10", "\"1\"", "01"), "fwd:R 206 01"});
    SHARED({0, GET, "200|Cache-Control: max-age=100|Content-Range: nonsense||a", "fwd 200 a", "Content-Range: nonsense\n"},
           {0, GET, NULL, "hit 200 a", "Content-Range: nonsense\n"});
    /* A part that is shorter than it says leaves a gap. */
    SHARED({0, GET "|Range: bytes=0-", "206|Cache-Control: max-age=100|ETag: \"1\"|Transfer-Encoding: chunked|Content-Range: bytes 0-9/10||012",
            "fwd:R 206 012!"},
           {0, GET "|Range: bytes=0-2", NULL, "hit 206 012"},
           {0, GET, PART("3-9/10", "\"1\"", "3456789"), "fwd:R 200 0123456789"});
    SHARED({0, GET "|Range: bytes=0-4", PART("0-4/10", "\"1\"", "01234"), "fwd:R 206 01234"},
           {0, GET, PART("5-10/11", "\"1\"", "56789a") "##" LONG, "fwd* 200 0123456789"});
}

/* 9111/3.3-2, 9111/3.3-1 */
static void what_broke_off_is_completed(void **state UNUSED)
{
    SHARED({0, GET, "!200|Cache-Control: max-age=100|ETag: \"1\"|Content-Length: 10||01234", "fwd 200 01234!"},
           {0, GET "|Range: bytes=1-2", NULL, "hit 206 12"},
           {0, GET, PART("5-9/10", "\"1\"", "56789"), "fwd:R 200 0123456789", NULL, "Content-Range"},
           {0, GET, NULL, "hit 200 0123456789"});
    SHARED({0, GET, "!200|Cache-Control: max-age=100|ETag: \"1\"|Content-Length: 10||01234", "fwd 200 01234!"},
           {0, GET, "200|Cache-Control: max-age=100|ETag: \"2\"||new", "fwd:R 200 new"},
           {0, GET, NULL, "hit 200 new"});
    SHARED({0, GET, "!200|Cache-Control: max-age=100|ETag: \"1\"|Content-Length: 10||01234", "fwd 200 01234!"},
           {0, GET, PART("5-9/10", "\"2\"", "56789") "##" LONG, "fwd* 200 0123456789"});
    SHARED({0, GET, "!200|Cache-Control: max-age=100|ETag: W/\"1\"|Content-Length: 10||01234", "fwd 200 01234!"},
           {0, GET, FRESH, "fwd 200 a"});
    SHARED({0, GET, "!200|Cache-Control: max-age=100|ETag: \"1\"|Transfer-Encoding: chunked||01234",
            "fwd 200 01234!"},
           {0, GET, FRESH, "fwd 200 a"});
}

#define VARIES(names, body) "200|Cache-Control: max-age=10|Vary: " names "||" body

/* 9111/4.1-1, 9111/4.1-2, 9111/4.1-4 */
static void vary_tells_requests_apart(void **state UNUSED)
{
    SHARED({0, GET "|Foo: 1", VARIES("foo, BAR", "1"), "fwd 200 1"}, {0, GET "|Foo: 1", NULL, "hit 200 1"},
           {0, GET "|Foo: 2", VARIES("Foo, Bar", "2"), "fwd 200 2"}, {0, GET "|Foo: 1", NULL, "hit 200 1"},
           {0, GET, VARIES("Foo, Bar", "0"), "fwd 200 0"}, {0, GET "|Foo: ", VARIES("Foo, Bar", "e"), "fwd 200 e"},
           {0, GET "|Foo: 1|Bar: 1", VARIES("Foo, Bar", "3"), "fwd 200 3"}, {0, GET "|Foo: 2", NULL, "hit 200 2"},
           {0, GET, NULL, "hit 200 0"}, {0, GET "|Foo: 1|Other: x", NULL, "hit 200 1"});
    SHARED({0, GET, VARIES("*", "1"), "fwd 200 1"}, {0, GET, VARIES("Foo, *", "1"), "fwd 200 1"},
           {0, GET, FRESH, "fwd 200 a"});
}

/* 9111/4.1-3, 9111/4.1-5 */
static void values_are_compared_in_their_normal_form(void **state UNUSED)
{
    static const struct {
        const char *first, *second, *names;
        bool same;
    } cases[] = {
        {"Foo: a, b", "Foo: a|Foo: b", "Foo", true},
        {"Foo: a", "Foo:   a  ", "Foo", true},
        {"Foo: a,b", "Foo: b,a", "Foo", false},
        {"Foo: a", "Foo: A", "Foo", false},
        {"Accept-Encoding: gzip, br", "Accept-Encoding: BR,gzip", "Accept-Encoding", true},
        {"Accept-Encoding: gzip, br", "Accept-Encoding: gzip;q=1.0 ,  br", "Accept-Encoding", true},
        {"Accept-Encoding: gzip, br", "Accept-Encoding: gzip;q=0.5, br", "Accept-Encoding", false},
        {"Accept-Encoding: gzip", "Accept-Encoding: gzip, br", "Accept-Encoding", false},
        {"Accept: text/html, */*;q=0.1", "Accept: */*; q=0.1|Accept: TEXT/html", "Accept", true},
        {"Accept-Language: en, de", "Accept-Language: EN,de", "Accept-Language", true},
        {"Accept-Language: en, de", "Accept-Language: de, en", "Accept-Language", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char first[300], second[300], response[300];
        snprintf(first, sizeof first, GET "|%s", cases[i].first);
        snprintf(second, sizeof second, GET "|%s", cases[i].second);
        snprintf(response, sizeof response, VARIES("%s", "1"), cases[i].names);
        SHARED({0, first, response, "fwd 200 1"}, {0, first, NULL, "hit 200 1"},
               {0, second, OTHER, cases[i].same ? "hit 200 1" : "fwd 200 b"});
    }
}

/* 9111/4.3.1-3 */
static void tags_of_variants_ask_which_it_is(void **state UNUSED)
{
    struct cache_play p;
    cache_play_init(&p, true);
    cache_play_fetch(&p, GET "|Foo: 1", "200|Cache-Control: max-age=10|Vary: Foo|ETag: \"1\"||one");
    cache_play_fetch(&p, GET "|Foo: 2", "200|Cache-Control: max-age=10|Vary: Foo|ETag: \"2\"||two");
    assert_string_equal(cache_play_fetch(&p, GET "|Foo: 3", "304|ETag: \"1\"||"), "fwd:N 200 one");
    assert_non_null(strstr(p.sent, "If-None-Match: \"2\", \"1\"\n"));
    assert_string_equal(cache_play_fetch(&p, GET "|Foo: 3", "304|ETag: \"9\"||##" FRESH), "fwd* 200 a");
    cache_play_done(&p);
}

/* 9111/4-5 */
static void the_most_recent_match_is_used(void **state UNUSED)
{
    SHARED({0, GET "|Foo: 1", "200|Cache-Control: max-age=100|Vary: Foo|Date: @0||new", "fwd 200 new"},
           {0, GET "|Foo: 2|Bar: 1", "200|Cache-Control: max-age=100|Vary: Bar|Date: @-50||old", "fwd 200 old"},
           {0, GET "|Foo: 1|Bar: 1", NULL, "hit 200 new"}, {0, GET "|Foo: 3|Bar: 1", NULL, "hit 200 old"});
}

/* 9111/5.2.1.1-1, 9111/5.2.1.2-1, 9111/5.2.1.3-1, 9111/5.2.1.4-1, 9111/5.4-1 */
static void directives_of_requests(void **state UNUSED)
{
    static const struct {
        double age;
        const char *field;
        bool used;
    } cases[] = {
        {5, "Cache-Control: max-age=5", true},      {5, "Cache-Control: max-age=4", false},
        {5, "Cache-Control: max-age=0", false},     {5, "Cache-Control: min-fresh=5", true},
        {5, "Cache-Control: min-fresh=6", false},   {5, "Cache-Control: no-cache", false},
        {5, "Pragma: no-cache", false},             {5, "Pragma: no-cache|Cache-Control: max-age=9", true},
        {5, "Pragma: x", true},                     {15, "X: y", false},
        {15, "Cache-Control: max-stale", true},     {15, "Cache-Control: max-stale=5", true},
        {15, "Cache-Control: max-stale=4", false},  {15, "Cache-Control: max-stale, max-age=12", false},
        {15, "Cache-Control: max-stale, max-age=20", true},
        {15, "Cache-Control: max-stale, min-fresh=1", false},
        {15, "Cache-Control: max-age=20", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char request[300];
        snprintf(request, sizeof request, GET "|%s", cases[i].field);
        SHARED({0, GET, FRESH, "fwd 200 a"},
               {cases[i].age, request, OTHER, cases[i].used ? "hit 200 a" : "fwd 200 b"});
    }
}

/* 9111/5.2.1.7-1 */
static void only_if_cached(void **state UNUSED)
{
    SHARED({0, GET "|Cache-Control: only-if-cached", NULL, "504"}, {0, GET, FRESH, "fwd 200 a"},
           {0, GET "|Cache-Control: only-if-cached", NULL, "hit 200 a"},
           {11, GET "|Cache-Control: only-if-cached", NULL, "504"},
           {0, GET "|Cache-Control: only-if-cached, max-stale", NULL, "hit 200 a"});
}

/* 9111/4.2.4-1, 9111/5.2.2.2-1, 9111/5.2.2.8-1 */
static void nobody_gets_stale_what_must_not_be(void **state UNUSED)
{
    static const struct {
        const char *control;
        bool shared, private_; /* may be stale */
    } cases[] = {
        {"max-age=1", true, true},
        {"max-age=1, must-revalidate", false, false},
        {"max-age=1, proxy-revalidate", false, true},
        {"max-age=1, s-maxage=1", false, true},
        {"max-age=1, no-cache", false, false},
        {"max-age=1, must-revalidate, stale-if-error=100, stale-while-revalidate=100", false, false},
        {"max-age=1, s-maxage=1, stale-if-error=100", true, true},
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        bool shared = i % 2 == 0;
        bool may = shared ? cases[i / 2].shared : cases[i / 2].private_;
        bool by_client = may && strstr(cases[i / 2].control, "stale-if-error") == NULL;
        char response[200];
        snprintf(response, sizeof response, "200|Cache-Control: %s|ETag: \"1\"||a", cases[i / 2].control);
        struct cache_play p;
        cache_play_init(&p, shared);
        p.options.rules.stale_max = 100;
        cache_play_begin(&p);
        assert_string_equal(cache_play_fetch(&p, GET, response), "fwd 200 a");
        cache_play_wait(&p, 3);
        CHECK(response, strcmp(cache_play_fetch(&p, GET, "!"), may ? "fwd:N 200 a" : "fwd:N refused") == 0);
        const char *got = cache_play_fetch(&p, GET "|Cache-Control: max-stale", "503||no");
        if (by_client || !may)
            CHECK(response, strcmp(got, may ? "hit 200 a" : "fwd:N 503 no") == 0);
        cache_play_done(&p);
    }
}

/* 9111/4.2.4-2, 5861/4-1, 9111/4.3.3-2 */
static void errors_may_be_covered_by_what_is_stale(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=1|ETag: \"1\"||a", "fwd 200 a"},
           {5, GET, "503||no", "fwd:N 503 no"}, {0, GET, "!", "fwd:N refused"},
           {0, GET "|Cache-Control: stale-if-error=10", "500||no", "fwd:N 200 a"},
           {0, GET "|Cache-Control: stale-if-error=3", "500||no", "fwd:N 500 no"});
    SHARED({0, GET, "200|Cache-Control: max-age=1, stale-if-error=10|ETag: \"1\"||a", "fwd 200 a"},
           {5, GET, "503||no", "fwd:N 200 a", "Age: 5\n"}, {0, GET, "502||no", "fwd:N 200 a"},
           {0, GET, "!", "fwd:N 200 a"}, {0, GET, "501||no", "fwd:N 501 no"});
    SHARED({0, GET, "200|Cache-Control: max-age=1, stale-if-error=10|ETag: \"1\"||a", "fwd 200 a"},
           {12, GET, "503||no", "fwd:N 503 no"});
}

/* 5861/3-1 */
static void stale_while_revalidate(void **state UNUSED)
{
    struct cache_play p;
    enum http_cache_fill_state how;
    cache_play_init(&p, true);
    cache_play_fetch(&p, GET, "200|Cache-Control: max-age=1, stale-while-revalidate=10|ETag: \"1\"||a");
    cache_play_wait(&p, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(cache_play_ask(&p, i, GET), HTTP_CACHE_ANSWER);
    struct http_cache_fill *fill = http_cache_next_fill(p.cache, &how);
    assert_non_null(fill);
    assert_int_equal(how, HTTP_CACHE_FILL_START);
    assert_null(http_cache_next_fill(p.cache, &how)); /* one for all */
    assert_string_equal(cache_play_reply(&p, 0), "200 a");
    assert_int_equal(cache_play_origin(&p, fill, "304|ETag: \"1\"|Cache-Control: max-age=5||"), HTTP_CACHE_DROP);
    assert_non_null(strstr(p.sent, "If-None-Match: \"1\"\n"));
    assert_string_equal(cache_play_reply(&p, 1), "200 a");
    assert_string_equal(cache_play_fetch(&p, GET, NULL), "hit 200 a");
    assert_non_null(strstr(p.fields, "Age: 0\n"));
    assert_null(http_cache_next_fill(p.cache, &how));
    cache_play_done(&p);
    SHARED({0, GET, "200|Cache-Control: max-age=1, stale-while-revalidate=10||a", "fwd 200 a"},
           {12, GET, OTHER, "fwd 200 b"});
    SHARED({0, GET, "200|Cache-Control: max-age=1, stale-while-revalidate=10||a", "fwd 200 a"},
           {3, GET "|Cache-Control: max-age=5", OTHER, "fwd 200 b"});
}

/* 9111/5.2.2.4-1, 9111/5.2.2.4-2 */
static void no_cache_needs_validation(void **state UNUSED)
{
    SHARED({0, GET, "200|Cache-Control: max-age=10, no-cache|ETag: \"1\"||a", "fwd 200 a"},
           {0, GET, "304|ETag: \"1\"||", "fwd:N 200 a"}, {0, GET, "304|ETag: \"1\"||", "fwd:N 200 a"},
           {0, GET "|Cache-Control: max-stale", "304||", "fwd:N 200 a"});
    SHARED({0, GET, "200|Cache-Control: max-age=10, no-cache=\"X-A\"|X-A: 1|X-B: 2|ETag: \"1\"||a", "fwd 200 a",
            "X-A: 1\n"},
           {0, GET, NULL, "hit 200 a", "X-B: 2\n", "X-A: "},
           {11, GET, "304|ETag: \"1\"||", "fwd:N 200 a", "X-A: 1\n"});
}

/* 9111/4.4-1, 9111/4.4-2, 9111/4.4-3, 9111/4.4-4, 9111/4-3 */
static void unsafe_methods_invalidate(void **state UNUSED)
{
    static const struct {
        const char *request, *response, *uri;
        bool gone;
    } cases[] = {
        {"POST http://a/", "200||x", "http://a/", true},
        {"PUT http://a/", "201||x", "http://a/", true},
        {"DELETE http://a/", "204||", "http://a/", true},
        {"PATCH http://a/", "302|Location: /c||", "http://a/", true},
        {"FOO http://a/", "200||x", "http://a/", true},
        {"OPTIONS http://a/", "200||x", "http://a/", false},
        {"POST http://a/", "400||x", "http://a/", false},
        {"POST http://a/", "500||x", "http://a/", false},
        {"POST http://a/x", "200||x", "http://a/", false},
        {"POST http://a/x", "201|Location: /y/../||x", "http://a/", true},
        {"POST http://a/x", "201|Location: http://A:80||x", "http://a/", true},
        {"POST http://a/x", "200|Content-Location: ?||x", "http://a/x?", true},
        {"POST http://a/x", "200|Content-Location: z||x", "http://a/z", true},
        {"POST http://b/x", "201|Location: http://a/||x", "http://a/", false},
        {"POST https://a/x", "201|Location: http://a/||x", "http://a/", false},
        {"POST http://a:81/x", "200|Content-Location: http://a/||x", "http://a/", false},
        {"POST http://a/x", "404|Location: /||x", "http://a/", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char get[100], want[100];
        unsigned status = (unsigned)atoi(cases[i].response);
        snprintf(get, sizeof get, "GET %s", cases[i].uri);
        snprintf(want, sizeof want, "fwd %u%s%s", status, strlen(cases[i].response) > 5 && cases[i].response[strlen(cases[i].response) - 1] != '|' ? " " : "",
                 strstr(cases[i].response, "||") + 2);
        SHARED({0, get, FRESH, "fwd 200 a"}, {0, cases[i].request, cases[i].response, want},
               {0, get, OTHER, cases[i].gone ? "fwd 200 b" : "hit 200 a"});
    }
}

/* What was asked for before an unsafe method may be what was there before: it is not stored. */
static void what_was_on_its_way_is_not_stored(void **state UNUSED)
{
    struct cache_play p;
    cache_play_init(&p, true);
    assert_int_equal(cache_play_ask(&p, 1, GET), HTTP_CACHE_FORWARD);
    assert_string_equal(cache_play_fetch(&p, "PUT http://a/", "204||"), "fwd 204");
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[1]), FRESH);
    assert_string_equal(cache_play_reply(&p, 1), "200 a");
    assert_string_equal(cache_play_fetch(&p, GET, OTHER), "fwd 200 b");
    cache_play_done(&p);
}

/* A request that is alone leaves what is stored as it is, and does not wait. */
static void a_request_may_be_alone(void **state UNUSED)
{
    struct cache_play p;
    struct http_fields fields = {.count = 0};
    struct http_cache_request request = {.method = bytes_of_text("GET"),
                                         .uri = bytes_of_text("http://a/"),
                                         .target = bytes_of_text("/"),
                                         .fields = &fields,
                                         .alone = true};
    cache_play_init(&p, true);
    cache_play_fetch(&p, GET, FRESH);
    http_cache_ask(p.cache, &p.asks[1], &request, p.time);
    assert_int_equal(http_cache_verdict(&p.asks[1]), HTTP_CACHE_FORWARD);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[1]), OTHER);
    assert_string_equal(cache_play_reply(&p, 1), "200 b");
    assert_string_equal(cache_play_fetch(&p, GET, NULL), "hit 200 a");
    cache_play_done(&p);
}

/* 9110/9.3.3-9 */
static void responses_to_post_may_answer_get(void **state UNUSED)
{
    SHARED({0, "POST http://a/", "200|Cache-Control: max-age=10|Content-Location: /||p", "fwd 200 p"},
           {0, GET, NULL, "hit 200 p"}, {0, "HEAD http://a/", NULL, "hit 200"},
           {0, "POST http://a/", "200|Content-Location: http://a/||q", "fwd 200 q"}, {0, GET, FRESH, "fwd 200 a"},
           {0, "POST http://a/", "200|Cache-Control: max-age=10||q", "fwd 200 q"}, {0, GET, FRESH, "fwd 200 a"},
           {0, "POST http://a/", "200|Cache-Control: max-age=10|Content-Location: /x||q", "fwd 200 q"},
           {0, "GET http://a/x", FRESH, "fwd 200 a"});
}

/* 9111/4-4 */
static void requests_for_the_same_thing_are_collapsed(void **state UNUSED)
{
    struct cache_play p;
    cache_play_init(&p, true);
    snprintf(p.options.name, sizeof p.options.name, "c");
    cache_play_begin(&p);
    assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_FORWARD);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(cache_play_ask(&p, i, i == 3 ? "HEAD http://a/" : GET), HTTP_CACHE_WAIT);
    assert_int_equal(cache_play_ask(&p, 4, GET "|Cache-Control: no-cache"), HTTP_CACHE_FORWARD);
    assert_int_equal(cache_play_ask(&p, 5, "GET http://a/other"), HTTP_CACHE_FORWARD);
    http_cache_ask_done(&p.asks[2]); /* has gone away */
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "200|Cache-Control: no-cache|ETag: \"1\"||a");
    assert_string_equal(cache_play_reply(&p, 0), "200 a");
    assert_ptr_equal(http_cache_next_ask(p.cache), &p.asks[1]);
    assert_string_equal(cache_play_reply(&p, 1), "200 a");
    assert_non_null(strstr(p.fields, "Cache-Status: \"c\"; fwd=uri-miss; collapsed\n"));
    assert_string_equal(cache_play_reply(&p, 3), "200 ");
    for (size_t i = 4; i < 6; i++) {
        struct http_cache_fill *fill = http_cache_ask_fill(&p.asks[i]);
        http_cache_ask_done(&p.asks[i]);
        http_cache_fill_fail(fill, p.time);
    }
    /* A validation is for all who wait, too, even where each request would need one. */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(cache_play_ask(&p, i, GET), i == 0 ? HTTP_CACHE_FORWARD : HTTP_CACHE_WAIT);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "304|ETag: \"1\"||");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(cache_play_reply(&p, i), "200 a");
    cache_play_done(&p);
}

/* 9111/4-4 */
static void what_cannot_be_shared_is_asked_for_by_each(void **state UNUSED)
{
    struct cache_play p;
    cache_play_init(&p, true);
    for (size_t i = 0; i < 4; i++)
        (void)cache_play_ask(&p, i, GET);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), "200|Cache-Control: private||mine");
    assert_string_equal(cache_play_reply(&p, 0), "200 mine");
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(http_cache_verdict(&p.asks[i]), HTTP_CACHE_FORWARD);
        (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[i]), "200|Cache-Control: private||own");
        assert_string_equal(cache_play_reply(&p, i), "200 own");
    }
    /* Those that come soon after do not even wait. */
    assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_FORWARD);
    assert_int_equal(cache_play_ask(&p, 1, GET), HTTP_CACHE_FORWARD);
    http_cache_ask_done(&p.asks[0]);
    http_cache_ask_done(&p.asks[1]);
    /* Variants: those that the answer does not match ask together once more. */
    for (size_t i = 0; i < 4; i++)
        (void)cache_play_ask(&p, i, i < 2 ? "GET http://v/|Foo: 1" : "GET http://v/|Foo: 2");
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), VARIES("Foo", "one"));
    assert_string_equal(cache_play_reply(&p, 0), "200 one");
    assert_string_equal(cache_play_reply(&p, 1), "200 one");
    assert_int_equal(http_cache_verdict(&p.asks[2]), HTTP_CACHE_FORWARD);
    assert_int_equal(http_cache_verdict(&p.asks[3]), HTTP_CACHE_WAIT);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[2]), VARIES("Foo", "two"));
    assert_string_equal(cache_play_reply(&p, 3), "200 two");
    /* A fill that fails fails them all. */
    for (size_t i = 0; i < 3; i++)
        (void)cache_play_ask(&p, i, "GET http://w/");
    http_cache_fill_fail(http_cache_ask_fill(&p.asks[0]), p.time);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(http_cache_verdict(&p.asks[i]), HTTP_CACHE_REFUSED);
    cache_play_done(&p);
}

/* 9211/2-1 */
static void cache_status_says_what_happened(void **state UNUSED)
{
    struct cache_play p;
    cache_play_init(&p, true);
    snprintf(p.options.name, sizeof p.options.name, "wn \"1\"");
    cache_play_begin(&p);
    static const struct {
        double after;
        const char *request, *response, *want;
    } steps[] = {
        {0, GET, "200|Cache-Control: max-age=10|ETag: \"1\"|Cache-Status: Origin; hit||a",
         "Cache-Status: Origin; hit\nDate: Tue, 14 Nov 2023 22:13:20 GMT\nCache-Status: \"wn \\\"1\\\"\"; fwd=uri-miss; fwd-status=200; stored; ttl=10\n"},
        {3, GET, NULL, "Cache-Status: \"wn \\\"1\\\"\"; hit; ttl=7\n"},
        {0, GET "|Cache-Control: no-cache", "304|ETag: \"1\"||", "; fwd=request; fwd-status=304\n"},
        {12, GET, "304|ETag: \"1\"||", "; fwd=stale; fwd-status=304\n"},
        {12, GET "|Cache-Control: max-stale", NULL, "; hit; ttl=-2\n"},
        {0, "POST http://a/", "200||x", "; fwd=method; fwd-status=200\n"},
        {0, "GET http://b/", "200|Cache-Control: private||x", "; fwd=uri-miss; fwd-status=200\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        cache_play_wait(&p, steps[i].after);
        cache_play_fetch(&p, steps[i].request, steps[i].response);
        if (strstr(p.fields, steps[i].want) == NULL)
            fail_msg("%s: no \"%s\" in\n%s", steps[i].request, steps[i].want, p.fields);
    }
    cache_play_done(&p);
}

static void purging(void **state UNUSED)
{
    struct cache_play p;
    cache_play_init(&p, true);
    cache_play_fetch(&p, "GET http://a/x/1", "200|Cache-Control: max-age=10|Cache-Tag: one, two||a");
    cache_play_fetch(&p, "GET http://a/x/2", "200|Cache-Control: max-age=10|Surrogate-Key: two three||a");
    cache_play_fetch(&p, "GET http://a/y", "200|Cache-Control: max-age=10|Vary: Foo||a");
    cache_play_fetch(&p, "GET http://a/y|Foo: 1", "200|Cache-Control: max-age=10|Vary: Foo||a");
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/")), 0);
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/y")), 2);
    assert_int_equal(http_cache_purge_tag(p.cache, bytes_of_text("tw")), 0);
    assert_int_equal(http_cache_purge_tag(p.cache, bytes_of_text("one")), 1);
    assert_int_equal(http_cache_purge_prefix(p.cache, bytes_of_text("http://a/y")), 0);
    assert_int_equal(http_cache_purge_prefix(p.cache, bytes_of_text("http://a/x/")), 1);
    assert_string_equal(cache_play_fetch(&p, "GET http://a/x/2", OTHER), "fwd 200 b");
    cache_play_done(&p);
}

/* A response that is invalidated while it is read, and validated for somebody else. */
static void what_is_validated_is_there_to_its_first_octet(void **state UNUSED)
{
    struct cache_play p;
    struct bytes octets;
    cache_play_init(&p, true);
    cache_play_fetch(&p, GET, TAGGED);
    cache_play_wait(&p, 11);
    assert_int_equal(cache_play_ask(&p, 1, GET), HTTP_CACHE_FORWARD);
    struct http_cache_fill *fill = http_cache_ask_fill(&p.asks[1]);
    assert_int_equal(cache_play_ask(&p, 2, GET "|Cache-Control: max-stale"), HTTP_CACHE_ANSWER);
    assert_int_equal(http_cache_purge(p.cache, bytes_of_text("http://a/")), 1);
    assert_int_equal(http_cache_read(&p.asks[2], &octets), HTTP_CACHE_OCTETS);
    http_cache_used(&p.asks[2], octets.len);
    assert_int_equal(cache_play_origin(&p, fill, "304|ETag: \"1\"||"), HTTP_CACHE_DROP);
    assert_string_equal(cache_play_reply(&p, 1), "200 a");
    assert_string_equal(cache_play_fetch(&p, GET, FRESH), "fwd 200 a");
    cache_play_done(&p);
}

/* What passes through waits for its reader; what is kept does not, until it is too large. */
static void octets_that_pass_through_wait_for_their_reader(void **state UNUSED)
{
    struct cache_play p;
    static uint8_t much[HTTP_CACHE_WINDOW];
    struct bytes octets;
    enum http_cache_fill_state how;
    memset(much, 'm', sizeof much);
    cache_play_init(&p, true);
    struct http_fields fields = {.count = 1};
    fields.list[0] = (struct http_field){bytes_of_text("Cache-Control"), bytes_of_text("max-age=9")};
    struct http_cache_response head = {200, &fields, HTTP_CACHE_LENGTH_UNKNOWN};
    for (int kept = 0; kept < 2; kept++) {
        p.options.object_max = kept ? 4 * sizeof much : sizeof much / 2;
        cache_play_begin(&p);
        (void)cache_play_ask(&p, 0, GET);
        struct http_cache_fill *fill = http_cache_ask_fill(&p.asks[0]);
        assert_int_equal(http_cache_fill_head(fill, &head, p.time), HTTP_CACHE_TAKE);
        assert_int_equal(http_cache_fill_body(fill, bytes_of(much, sizeof much)), sizeof much);
        assert_int_equal(cache_play_ask(&p, 1, GET), kept ? HTTP_CACHE_ANSWER : HTTP_CACHE_FORWARD);
        http_cache_ask_done(&p.asks[1]);
        size_t more = http_cache_fill_body(fill, bytes_of(much, sizeof much));
        assert_int_equal(more, kept ? sizeof much : 0);
        uint64_t read = 0;
        while (http_cache_read(&p.asks[0], &octets) == HTTP_CACHE_OCTETS) {
            read += octets.len;
            http_cache_used(&p.asks[0], octets.len);
        }
        assert_int_equal(read, sizeof much + more);
        struct http_cache_fill *due;
        bool goes_on = false;
        while ((due = http_cache_next_fill(p.cache, &how)) != NULL) {
            goes_on |= due == fill && how == HTTP_CACHE_FILL_GO_ON;
            if (due != fill)
                http_cache_fill_fail(due, p.time);
        }
        assert_int_equal(goes_on, !kept);
        assert_int_equal(http_cache_fill_body(fill, bytes_of(much, 100)), 100);
        http_cache_fill_end(fill, bytes_of_text("T: v\r\n"));
        assert_int_equal(http_cache_read(&p.asks[0], &octets), HTTP_CACHE_OCTETS);
        http_cache_used(&p.asks[0], 100);
        assert_int_equal(http_cache_read(&p.asks[0], &octets), HTTP_CACHE_END);
        assert_true(bytes_equal(http_cache_trailers(&p.asks[0]), bytes_of_text("T: v\r\n")));
        http_cache_ask_done(&p.asks[0]);
        if (kept) { /* trailers go with a body whose length is not told */
            struct http_cache_reply reply;
            assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_ANSWER);
            http_cache_reply(&p.asks[0], &reply);
            assert_true(reply.has_body && reply.length == HTTP_CACHE_LENGTH_UNKNOWN);
            assert_true(bytes_equal(http_cache_trailers(&p.asks[0]), bytes_of_text("T: v\r\n")));
            http_cache_ask_done(&p.asks[0]);
        }
        struct http_cache_counters c;
        http_cache_counters(p.cache, &c);
        assert_int_equal(c.entries, kept);
    }
    cache_play_done(&p);
}

/* A reader that goes away lets go of what only it wanted, and of nothing that is to be stored. */
static void a_client_that_goes_away(void **state UNUSED)
{
    struct cache_play p;
    enum http_cache_fill_state how;
    cache_play_init(&p, true);
    (void)cache_play_ask(&p, 0, GET);
    struct http_cache_fill *fill = http_cache_ask_fill(&p.asks[0]);
    http_cache_ask_done(&p.asks[0]);
    assert_ptr_equal(http_cache_next_fill(p.cache, &how), fill);
    assert_int_equal(how, HTTP_CACHE_FILL_UNUSED);
    http_cache_fill_fail(fill, p.time);
    struct http_fields fields = {.count = 1};
    fields.list[0] = (struct http_field){bytes_of_text("Cache-Control"), bytes_of_text("max-age=9")};
    for (int stored = 0; stored < 2; stored++) {
        (void)cache_play_ask(&p, 0, stored ? GET : GET "|Cache-Control: no-store");
        fill = http_cache_ask_fill(&p.asks[0]);
        (void)http_cache_fill_head(fill, &(struct http_cache_response){200, &fields, 4}, p.time);
        (void)http_cache_fill_body(fill, bytes_of_text("ab"));
        http_cache_ask_done(&p.asks[0]);
        assert_ptr_equal(http_cache_next_fill(p.cache, &how), stored ? NULL : fill);
        assert_int_equal(http_cache_fill_body(fill, bytes_of_text("cd")), 2);
        http_cache_fill_end(fill, bytes_empty());
    }
    assert_string_equal(cache_play_fetch(&p, GET, NULL), "hit 200 abcd");
    cache_play_done(&p);
}

/* What is long and nobody reads is not fetched to its end; what has come is kept, and completed later. */
static void a_client_that_goes_away_early(void **state UNUSED)
{
    struct cache_play p;
    enum http_cache_fill_state how;
    cache_play_init(&p, true);
    struct http_fields fields = {.count = 2};
    fields.list[0] = (struct http_field){bytes_of_text("Cache-Control"), bytes_of_text("max-age=9")};
    fields.list[1] = (struct http_field){bytes_of_text("ETag"), bytes_of_text("\"1\"")};
    (void)cache_play_ask(&p, 0, GET);
    struct http_cache_fill *fill = http_cache_ask_fill(&p.asks[0]);
    (void)http_cache_fill_head(
        fill, &(struct http_cache_response){200, &fields, HTTP_CACHE_FINISH_MAX + 10}, p.time);
    (void)http_cache_fill_body(fill, bytes_of_text("abc"));
    http_cache_ask_done(&p.asks[0]);
    assert_ptr_equal(http_cache_next_fill(p.cache, &how), fill);
    assert_int_equal(how, HTTP_CACHE_FILL_UNUSED);
    http_cache_fill_fail(fill, p.time);
    assert_string_equal(cache_play_fetch(&p, GET "|Range: bytes=1-2", NULL), "hit 206 bc");
    assert_int_equal(cache_play_ask(&p, 0, GET), HTTP_CACHE_FORWARD);
    cache_play_done(&p);
}

static void validations_behind_answers_are_bounded(void **state UNUSED)
{
    struct cache_play p;
    enum http_cache_fill_state how;
    static struct http_cache_fill *fills[2 * HTTP_CACHE_BEHIND_MAX];
    char request[100];
    size_t count = 0;
    cache_play_init(&p, true);
    for (unsigned i = 0; i < HTTP_CACHE_BEHIND_MAX + 20; i++) {
        snprintf(request, sizeof request, "GET http://a/%u", i);
        cache_play_fetch(&p, request, "200|Cache-Control: max-age=1, stale-while-revalidate=99||a");
    }
    cache_play_wait(&p, 2);
    for (unsigned i = 0; i < HTTP_CACHE_BEHIND_MAX + 20; i++) {
        snprintf(request, sizeof request, "GET http://a/%u", i);
        assert_int_equal(cache_play_ask(&p, 0, request), HTTP_CACHE_ANSWER);
    }
    while ((fills[count] = http_cache_next_fill(p.cache, &how)) != NULL)
        count++;
    assert_int_equal(count, HTTP_CACHE_BEHIND_MAX);
    while (count > 0)
        http_cache_fill_fail(fills[--count], p.time);
    assert_int_equal(cache_play_ask(&p, 0, request), HTTP_CACHE_ANSWER);
    fills[0] = http_cache_next_fill(p.cache, &how);
    assert_non_null(fills[0]);
    http_cache_fill_fail(fills[0], p.time);
    cache_play_done(&p);
}

static void the_cache_stays_within_its_octets(void **state UNUSED)
{
    struct cache_play p;
    char request[100];
    static char response[9000];
    cache_play_init(&p, true);
    p.options.octets_max = 200 * 1024;
    cache_play_begin(&p);
    snprintf(response, sizeof response, "200|Cache-Control: max-age=100||%08000d", 7);
    cache_play_fetch(&p, "GET http://a/popular", response);
    struct http_cache_counters c;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(request, sizeof request, "GET http://a/%u", i);
        cache_play_fetch(&p, request, response);
        http_cache_counters(p.cache, &c);
        assert_in_range(c.octets, 1, p.options.octets_max);
        assert_int_equal(cache_play_ask(&p, 1, "GET http://a/popular"), HTTP_CACHE_ANSWER);
        http_cache_ask_done(&p.asks[1]);
    }
    assert_in_range(c.entries, 15, 25);
    assert_int_equal(c.evicted, 501 - c.entries);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(request, sizeof request, "GET http://v/|Foo: %u", i);
        cache_play_fetch(&p, request, VARIES("Foo", "x"));
    }
    cache_play_done(&p);
}

/* What only some may ask for is not told to others, in whatever way it comes to be there. */
static void what_is_confined_is_for_the_trusted(void **state UNUSED)
{
#define MINE "~200|Cache-Control: max-age=10|ETag: \"m\"|Vary: Foo||mine"
    SHARED({0, "~GET http://a/", MINE, "fwd 200 mine"}, {0, "~GET http://a/", NULL, "hit 200 mine"},
           {0, GET, "200|Cache-Control: no-store||own", "fwd 200 own"}, {0, "HEAD http://a/", NULL, "fwd"},
           {0, GET "|Range: bytes=0-1", NULL, "fwd"}, {0, GET "|Cache-Control: only-if-cached", NULL, "504"},
           {0, "~GET http://a/", NULL, "hit 200 mine"}, {0, GET, OTHER, "fwd 200 b"},
           {0, "~GET http://a/", NULL, "hit 200 b"});
    /* Nor by its tag, nor by the tags of what others may have. */
    SHARED({0, "~GET http://a/", MINE, "fwd 200 mine"},
           {0, GET "|Foo: 2", "304|ETag: \"m\"||##200||x", "fwd* 200 x"},
           {0, GET "|If-None-Match: \"m\"", "200||x", "fwd:N 200 x"});
    /* What everybody may have is anybody's, until it comes from there. */
    SHARED({0, GET, "200|Cache-Control: max-age=10|ETag: \"e\"||e", "fwd 200 e"},
           {0, "~GET http://a/", NULL, "hit 200 e"},
           {11, "~GET http://a/", "~304|ETag: \"e\"|Cache-Control: max-age=10||", "fwd:N 200 e"},
           {0, GET, "200||own", "fwd 200 own"});
    struct cache_play p;
    cache_play_init(&p, true);
    assert_int_equal(cache_play_ask(&p, 0, "~GET http://a/"), HTTP_CACHE_FORWARD);
    assert_int_equal(cache_play_ask(&p, 1, GET), HTTP_CACHE_FORWARD); /* it does not wait for that */
    assert_int_equal(cache_play_ask(&p, 2, "~GET http://a/"), HTTP_CACHE_WAIT);
    assert_int_equal(cache_play_ask(&p, 3, GET), HTTP_CACHE_WAIT);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[0]), MINE);
    assert_string_equal(cache_play_reply(&p, 2), "200 mine");
    assert_int_equal(http_cache_verdict(&p.asks[3]), HTTP_CACHE_WAIT);
    (void)cache_play_origin(&p, http_cache_ask_fill(&p.asks[1]), OTHER);
    assert_string_equal(cache_play_reply(&p, 3), "200 b");
    cache_play_done(&p);
}

/* Without memory everything is refused, or passes; and nothing is lost. */
static void no_memory_is_survived(void **state UNUSED)
{
    for (size_t fail_at = 1; fail_at < 40; fail_at++) {
        struct cache_play p;
        cache_play_init(&p, true);
        p.heap.fail_at = p.heap.allocations + fail_at;
        (void)cache_play_fetch(&p, GET "|Foo: 1", "200|Cache-Control: max-age=1, private=\"X\"|X: y|Vary: Foo|ETag: \"1\"||a");
        cache_play_wait(&p, 2);
        (void)cache_play_fetch(&p, GET "|Foo: 1", "304|ETag: \"1\"||");
        (void)cache_play_fetch(&p, "POST http://a/", "200||x");
        (void)cache_play_fetch(&p, GET "|Range: bytes=0-1", PART("0-1/4", "\"1\"", "01"));
        p.heap.fail_at = 0;
        cache_play_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matches_nothing_changes_nothing),
        cmocka_unit_test(what_is_fresh_answers),
        cmocka_unit_test(other_methods_do_not_answer_get),
        cmocka_unit_test(lifetimes),
        cmocka_unit_test(lifetimes_by_kind_of_cache),
        cmocka_unit_test(only_final_responses_are_stored),
        cmocka_unit_test(no_store_of_a_request_leaves_no_trace),
        cmocka_unit_test(fields_of_the_connection_are_not_stored),
        cmocka_unit_test(private_fields_are_for_who_asked),
        cmocka_unit_test(authorization_keeps_responses_out_of_shared_caches),
        cmocka_unit_test(ages_add_up),
        cmocka_unit_test(ages_that_are_none_do_not_count),
        cmocka_unit_test(what_is_stale_is_validated),
        cmocka_unit_test(a_304_updates_what_it_is_about),
        cmocka_unit_test(head_tells_of_what_is_stored),
        cmocka_unit_test(conditions_of_clients_are_evaluated),
        cmocka_unit_test(other_conditions_are_left_to_the_origin),
        cmocka_unit_test(ranges_are_answered_from_what_is_stored),
        cmocka_unit_test(parts_are_put_together),
        cmocka_unit_test(what_broke_off_is_completed),
        cmocka_unit_test(vary_tells_requests_apart),
        cmocka_unit_test(values_are_compared_in_their_normal_form),
        cmocka_unit_test(tags_of_variants_ask_which_it_is),
        cmocka_unit_test(the_most_recent_match_is_used),
        cmocka_unit_test(directives_of_requests),
        cmocka_unit_test(only_if_cached),
        cmocka_unit_test(nobody_gets_stale_what_must_not_be),
        cmocka_unit_test(errors_may_be_covered_by_what_is_stale),
        cmocka_unit_test(stale_while_revalidate),
        cmocka_unit_test(no_cache_needs_validation),
        cmocka_unit_test(unsafe_methods_invalidate),
        cmocka_unit_test(what_was_on_its_way_is_not_stored),
        cmocka_unit_test(a_request_may_be_alone),
        cmocka_unit_test(responses_to_post_may_answer_get),
        cmocka_unit_test(requests_for_the_same_thing_are_collapsed),
        cmocka_unit_test(what_cannot_be_shared_is_asked_for_by_each),
        cmocka_unit_test(cache_status_says_what_happened),
        cmocka_unit_test(purging),
        cmocka_unit_test(what_is_validated_is_there_to_its_first_octet),
        cmocka_unit_test(octets_that_pass_through_wait_for_their_reader),
        cmocka_unit_test(a_client_that_goes_away),
        cmocka_unit_test(a_client_that_goes_away_early),
        cmocka_unit_test(validations_behind_answers_are_bounded),
        cmocka_unit_test(the_cache_stays_within_its_octets),
        cmocka_unit_test(what_is_confined_is_for_the_trusted),
        cmocka_unit_test(no_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

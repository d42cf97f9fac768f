/* SPDX-License-Identifier: ISC */
/*
 * The cache against a naive model, with random requests, responses and time: what it answers, when it
 * asks the origin, and with which conditions. The model keeps one response for each URI and variant in
 * a plain table, and knows no more of RFC 9111 than seconds and a few words.
 *
 *      test_http_cache_model [SEED]
 */
#include "base/prng.h"
#include "tests/support/cache_play.h"

enum { URIS = 4, VARIANTS = 3, STEPS = 4000, SEEDS = 12 };

struct control {
    const char *text;
    int lifetime;       /* in a shared cache */
    bool store, no_cache, must;
};

static const struct control controls[] = {
    {"max-age=5", 5, true, false, false},
    {"max-age=20, public", 20, true, false, false},
    {"max-age=0", 0, true, false, false},
    {"s-maxage=9, max-age=1", 9, true, false, true},
    {"max-age=7, must-revalidate", 7, true, false, true},
    {"max-age=9, no-cache", 9, true, true, true},
    {"max-age=30, no-store", 30, false, false, false},
    {"max-age=30, private", 30, false, false, false},
    {"max-age=3, max-age=50", 3, true, false, false},
    {"max-age=x", 0, true, false, false},
};

struct wish {
    const char *text;
    int max_age, max_stale, min_fresh; /* -1: none */
    bool no_cache, no_store, only;
};

static const struct wish wishes[] = {
    {"", -1, -1, -1, false, false, false},
    {"", -1, -1, -1, false, false, false},
    {"", -1, -1, -1, false, false, false},
    {"no-cache", -1, -1, -1, true, false, false},
    {"no-store", -1, -1, -1, false, true, false},
    {"max-age=3", 3, -1, -1, false, false, false},
    {"max-age=0", 0, -1, -1, false, false, false},
    {"max-stale=4", -1, 4, -1, false, false, false},
    {"max-stale", -1, 1 << 30, -1, false, false, false},
    {"min-fresh=4", -1, -1, 4, false, false, false},
    {"only-if-cached", -1, -1, -1, false, false, true},
    {"max-age=9, max-stale=2, only-if-cached", 9, 2, -1, false, false, true},
};

/* What the model holds of a URI and variant; version 0: nothing. */
struct kept {
    unsigned version;
    double at;
    struct control control;
};

static bool usable(const struct kept *k, const struct wish *w, double now)
{
    double age = now - k->at;
    double left = k->control.lifetime - age;
    if (k->version == 0 || w->no_cache || k->control.no_cache)
        return false;
    if (w->max_age >= 0 && age > w->max_age)
        return false;
    if (w->min_fresh >= 0 && left < w->min_fresh)
        return false;
    if (left > 0)
        return true;
    return w->max_stale >= 0 && !k->control.must && -left <= w->max_stale;
}

struct world {
    struct cache_play p;
    struct prng prng;
    struct kept kept[URIS][VARIANTS];
    unsigned versions[URIS]; /* what the origin has now */
    double now;
};

static void wrong(const struct world *w, const char *request, const char *got, const char *want)
{
    fail_msg("at %.3f, %s: got \"%s\", expected \"%s\"", w->now, request, got, want);
}

static void one_get(struct world *w, unsigned uri, unsigned variant)
{
    const struct wish *wish = &wishes[prng_below(&w->prng, ARRAY_LEN(wishes))];
    const struct control *c = &controls[prng_below(&w->prng, ARRAY_LEN(controls))];
    struct kept *k = &w->kept[uri][variant];
    char request[200], response[300], want[100];
    unsigned version = w->versions[uri];
    snprintf(request, sizeof request, "GET http://a/%u|Foo: %u%s%s", uri, variant,
             wish->text[0] != '\0' ? "|Cache-Control: " : "", wish->text);
    bool validates = !wish->no_store && k->version != 0;
    bool agrees = validates && k->version == version;
    /* 304 to whoever asks about what is still there, so that the model need not look. */
    snprintf(response, sizeof response, "%s|Cache-Control: %s|Vary: Foo|ETag: \"%u-%u\"||%.0d",
             agrees ? "304" : "200", c->text, version, variant, agrees ? 0 : (int)version);
    const char *got;
    if (usable(k, wish, w->now)) {
        snprintf(want, sizeof want, "hit 200 %u", k->version);
        got = cache_play_fetch(&w->p, request, "500||the origin must not be asked");
    } else if (wish->only) {
        snprintf(want, sizeof want, "504");
        got = cache_play_fetch(&w->p, request, "500||the origin must not be asked");
    } else {
        bool others = false;
        for (unsigned v = 0; v < VARIANTS; v++)
            others |= w->kept[uri][v].version != 0;
        bool asks = validates || (!wish->no_store && others);
        snprintf(want, sizeof want, "fwd%s 200 %u", asks ? ":N" : "", version);
        got = cache_play_fetch(&w->p, request, response);
        if (!wish->no_store) { /* which leaves everything as it was */
            if (agrees || c->store)
                *k = (struct kept){version, w->now, *c};
            else
                k->version = 0;
        }
    }
    if (strcmp(got, want) != 0)
        wrong(w, request, got, want);
}

static void one_put(struct world *w, unsigned uri)
{
    static const unsigned statuses[] = {200, 204, 303, 404, 500};
    unsigned status = statuses[prng_below(&w->prng, ARRAY_LEN(statuses))];
    char request[100], response[100];
    snprintf(request, sizeof request, "PUT http://a/%u", uri);
    snprintf(response, sizeof response, "%u||", status);
    (void)cache_play_fetch(&w->p, request, response);
    if (status >= 400)
        return;
    w->versions[uri]++;
    memset(w->kept[uri], 0, sizeof w->kept[uri]);
}

static void run(uint64_t seed)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    cache_play_init(&w.p, true);
    prng_init_number(&w.prng, seed);
    for (unsigned i = 0; i < URIS; i++)
        w.versions[i] = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        double pause = prng_below(&w.prng, 3) == 0 ? prng_below(&w.prng, 8000) / 1000.0 : 0;
        unsigned uri = prng_below(&w.prng, URIS);
        cache_play_wait(&w.p, pause);
        w.now = (double)(w.p.time.now - 1000 * USEC_PER_SEC) / (double)USEC_PER_SEC;
        unsigned what = prng_below(&w.prng, 20);
        if (what == 0)
            one_put(&w, uri);
        else if (what == 1)
            w.versions[uri]++;
        else
            one_get(&w, uri, prng_below(&w.prng, VARIANTS));
    }
    cache_play_done(&w.p);
}

static uint64_t first_seed = 1;
static unsigned seeds = SEEDS;

static void the_cache_does_as_the_model_does(void **state UNUSED)
{
    for (unsigned i = 0; i < seeds; i++) {
        printf("# seed %llu\n", (unsigned long long)(first_seed + i));
        run(first_seed + i);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        first_seed = strtoull(argv[1], NULL, 10);
        seeds = 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_cache_does_as_the_model_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

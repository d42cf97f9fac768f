/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_survive.c - hosts by the hundred and the thousand in virtual time, with all that wires,
 * clocks and applications do to them (tests/support/tcp_crowd.h says what is checked).
 *
 *      test_tcp_survive                a bounded selection
 *      test_tcp_survive SEED           the crowd of that seed, as soak makes it
 *      test_tcp_survive --soak SECONDS [SEED]   crowds of ever new seeds, for so long; make soak
 */
#include <stdio.h>
#include <time.h>

#include "base/prng.h"
#include "tests/support/check.h"
#include "tests/support/tcp_crowd.h"

static const struct variety {
    const char *name;
    struct crowd_options options;
} varieties[] = {
    {"a thousand hosts, little loss",
     {.seed = 1, .clients = 945, .flows = 2, .octets_max = 8000, .loss_max = 5000}},
    {"loss to 30 %",
     {.seed = 2, .clients = 60, .flows = 3, .octets_max = 20000, .loss_max = 300000}},
    {"disorder", {.seed = 3, .clients = 100, .flows = 3, .octets_max = 60000, .loss_max = 20000,
                  .disorder = true}},
    {"clocks of 1 ms",
     {.seed = 4, .clients = 60, .flows = 3, .octets_max = 60000, .loss_max = 30000,
      .disorder = true, .tick = USEC_PER_MSEC}},
    {"clocks of 10 ms",
     {.seed = 5, .clients = 60, .flows = 3, .octets_max = 60000, .loss_max = 50000,
      .disorder = true, .tick = 10 * USEC_PER_MSEC}},
    {"links that come and go",
     {.seed = 6, .clients = 60, .flows = 3, .octets_max = 60000, .loss_max = 20000,
      .disorder = true, .flapping = true, .rude = true}},
    {"addresses that come and go",
     {.seed = 7, .clients = 60, .flows = 3, .octets_max = 60000, .loss_max = 20000,
      .moving = true, .rude = true, .tick = 10 * USEC_PER_MSEC, .check_each_turn = true}},
    {"rude applications, every turn checked",
     {.seed = 8, .clients = 20, .flows = 3, .octets_max = 60000, .loss_max = 20000,
      .disorder = true, .rude = true, .check_each_turn = true}},
};

static void tell(const struct crowd_options *options, const struct crowd_result *result)
{
    printf("# seed %llu: %u hosts, %u flows, %.0f s: %llu segments, %llu again, %u whole, %u not\n",
           (unsigned long long)options->seed, options->clients, options->clients * options->flows,
           (double)result->took / 1e6, (unsigned long long)result->segments,
           (unsigned long long)result->again, result->completed, result->failed);
    fflush(stdout);
}

static void survives(void **state)
{
    const struct variety *variety = *state;
    struct crowd_result result;
    tcp_crowd_run(&variety->options, &result);
    tell(&variety->options, &result);
    assert_true(result.completed >= variety->options.clients * variety->options.flows / 2);
}

/* Anything that can be, from a seed. */
static struct crowd_options crowd_of(uint64_t seed)
{
    static const uint32_t losses[] = {0, 5000, 20000, 100000, 300000};
    static const usec ticks[] = {0, 0, USEC_PER_MSEC, 10 * USEC_PER_MSEC};
    static const uint32_t totals[] = {1000, 20000, 100000, 400000};
    struct prng prng;
    prng_init_number(&prng, seed);
    struct crowd_options options = {
        .seed = seed,
        .clients = 1 + prng_below(&prng, prng_below(&prng, 4) == 0 ? 945 : 60),
        .flows = 1 + prng_below(&prng, 4),
        .octets_max = totals[prng_below(&prng, ARRAY_LEN(totals))],
        .loss_max = losses[prng_below(&prng, ARRAY_LEN(losses))],
        .disorder = prng_below(&prng, 2) == 0,
        .flapping = prng_below(&prng, 3) == 0,
        .moving = prng_below(&prng, 4) == 0,
        .rude = prng_below(&prng, 2) == 0,
        .tick = ticks[prng_below(&prng, ARRAY_LEN(ticks))],
        .check_each_turn = prng_below(&prng, 8) == 0,
    };
    if (options.clients > 200 && options.octets_max > 20000)
        options.octets_max = 20000;
    if (options.loss_max > 50000 && options.octets_max > 20000)
        options.octets_max = 20000;
    if (options.clients > 100)
        options.check_each_turn = false;
    return options;
}

static uint64_t soak_seed;
static double soak_seconds;

static void soak(void **state)
{
    (void)state;
    time_t began = time(NULL);
    do {
        struct crowd_options options = crowd_of(soak_seed);
        struct crowd_result result;
        printf("# seed %llu …\n", (unsigned long long)soak_seed);
        fflush(stdout);
        tcp_crowd_run(&options, &result);
        tell(&options, &result);
        soak_seed++;
    } while (difftime(time(NULL), began) < soak_seconds);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        bool timed = strcmp(argv[1], "--soak") == 0 && argc > 2;
        soak_seconds = timed ? strtod(argv[2], NULL) : 0;
        const char *seed = timed ? argv[argc - 1] : argv[1];
        soak_seed = timed && argc < 4 ? (uint64_t)time(NULL) * 1000 : strtoull(seed, NULL, 10);
        const struct CMUnitTest tests[] = {cmocka_unit_test(soak)};
        return cmocka_run_group_tests(tests, NULL, NULL);
    }
    static struct CMUnitTest tests[ARRAY_LEN(varieties)];
    for (size_t i = 0; i < ARRAY_LEN(varieties); i++) {
        tests[i] = (struct CMUnitTest)cmocka_unit_test_prestate(survives, (void *)&varieties[i]);
        tests[i].name = varieties[i].name;
    }
    return _cmocka_run_group_tests("survival", tests, ARRAY_LEN(varieties), NULL, NULL);
}

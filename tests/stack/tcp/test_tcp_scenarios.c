/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_scenarios.c - plays every tests/scenario/tcp/NAME.scn, or those named as arguments. The
 * language is described in tests/support/tcp_script.h.
 */
#include <dirent.h>
#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/tcp_script.h"

enum { SCENARIOS_MAX = 256 };

static const char folder[] = "tests/scenario/tcp";

static void plays_as_written(void **state)
{
    tcp_script_play(*state);
}

static int is_scenario(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".scn") == 0;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[SCENARIOS_MAX];
    static char paths[SCENARIOS_MAX][512];
    size_t count = 0;
    if (argc > 1) {
        for (int i = 1; i < argc && count < SCENARIOS_MAX; i++)
            snprintf(paths[count++], sizeof paths[0], "%s", argv[i]);
    } else {
        struct dirent **entries;
        int found = scandir(folder, &entries, is_scenario, alphasort);
        for (int i = 0; i < found; i++) {
            if (count < SCENARIOS_MAX)
                snprintf(paths[count++], sizeof paths[0], "%s/%s", folder, entries[i]->d_name);
            free(entries[i]);
        }
        if (found >= 0)
            free(entries);
    }
    if (count == 0) {
        printf("not ok 1 - there are scenarios in %s\n", folder);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest)cmocka_unit_test_prestate(plays_as_written, paths[i]);
        tests[i].name = paths[i];
    }
    return _cmocka_run_group_tests("tcp scenarios", tests, count, NULL, NULL);
}

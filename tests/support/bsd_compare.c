/* SPDX-License-Identifier: ISC */
/* bsd_compare.c - see bsd_compare.h. */
#include "tests/support/bsd_compare.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check.h"

enum { SCENARIOS_MAX = 128 };

static size_t line_len(const char *text)
{
    return strcspn(text, "\n");
}

static const char *next_line(const char *text)
{
    size_t len = line_len(text);
    return text + len + (text[len] == '\n');
}

static bool same_line(const char *a, const char *b)
{
    return line_len(a) == line_len(b) && memcmp(a, b, line_len(a)) == 0;
}

/* After how many lines of `text` comes one like `line`; -1: not soon. */
static int lines_until(const char *text, const char *line)
{
    for (int i = 0; i < 12 && *text != '\0'; i++, text = next_line(text))
        if (same_line(text, line))
            return i;
    return -1;
}

static void show(const char *who, const char *line)
{
    print_error("  %s %.*s\n", who, (int)line_len(line), line);
}

/* Shows where the records differ, with what was played just before; how many places. */
static unsigned compare(const char *kernel, const char *ours)
{
    unsigned differences = 0;
    const char *before = "";
    while (*kernel != '\0' || *ours != '\0') {
        if (same_line(kernel, ours)) {
            before = kernel;
            kernel = next_line(kernel);
            ours = next_line(ours);
            continue;
        }
        if (differences++ < 20)
            show("after: ", before);
        int missing = lines_until(kernel, ours), more = lines_until(ours, kernel);
        bool take_kernel = *ours == '\0' || more < 0 || (missing >= 0 && missing < more);
        bool take_ours = *kernel == '\0' || (!(missing >= 0 && take_kernel) && *ours != '\0');
        take_kernel = take_kernel && *kernel != '\0';
        if (differences <= 20 && take_kernel)
            show("kernel:", kernel);
        if (differences <= 20 && take_ours)
            show("ours:  ", ours);
        kernel = take_kernel ? next_line(kernel) : kernel;
        ours = take_ours ? next_line(ours) : ours;
    }
    return differences;
}

/* Without loopback there is nothing to compare with. */
static bool kernel_has_loopback(void)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET,
        .sin_port = htons(9),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool has = fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static void same_as_the_kernel(void **state)
{
    const struct play_scenario *scenario = *state;
    if (!kernel_has_loopback())
        skip();
    struct play *kernel = malloc(sizeof *kernel);
    struct play *ours = malloc(sizeof *ours);
    play_open(kernel, true);
    play_open(ours, false);
    scenario->play(kernel);
    scenario->play(ours);
    unsigned differences = compare(kernel->log, ours->log);
    play_close(kernel);
    play_close(ours);
    free(kernel);
    free(ours);
    if (differences > 0)
        fail_msg("%s: %u lines differ", scenario->name, differences);
}

int play_compare(const char *group, const struct play_scenario *scenarios, size_t count)
{
    struct CMUnitTest tests[SCENARIOS_MAX];
    assert_true(count <= SCENARIOS_MAX);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = scenarios[i].name,
            .test_func = same_as_the_kernel,
            .initial_state = (void *)(uintptr_t)&scenarios[i],
        };
    return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}

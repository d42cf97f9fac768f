/* SPDX-License-Identifier: ISC */
/* command_cache.c - wholenet cache: what a running resolver remembers. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "site/control.h"

struct cache_options {
    bool json;
    bool below;
    const char *site;
};

static const struct cli_option options[] = {
    {"json", 0, NULL, "as JSON; the dump has one object a line", cli_take_flag,
     offsetof(struct cache_options, json), NULL, NULL},
    {"below", 0, NULL, "flush: all names below NAME as well", cli_take_flag,
     offsetof(struct cache_options, below), NULL, NULL},
    {"site", 's', "SITE", "which one, when several are running", cli_take_text,
     offsetof(struct cache_options, site), NULL, NULL},
};

static void print_counts(const json_t *root)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)root, name, value)
        if (json_is_integer(value))
            printf("%-20s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
    printf("%-20s %.1f %%\n", "hit_rate", 100 * json_real_value(json_object_get(root, "hit_rate")));
}

static void print_latency(const json_t *root)
{
    size_t i;
    json_t *class;
    json_array_foreach(json_object_get(root, "latency"), i, class) {
        json_int_t count = json_integer_value(json_object_get(class, "count"));
        const json_t *max = json_object_get(class, "up_to_ms");
        if (count > 0 && json_is_integer(max))
            printf("within %5" JSON_INTEGER_FORMAT " ms      %" JSON_INTEGER_FORMAT "\n",
                   json_integer_value(max), count);
        else if (count > 0)
            printf("later                %" JSON_INTEGER_FORMAT "\n", count);
    }
}

static void print_servers(const json_t *root)
{
    size_t i;
    json_t *server;
    json_array_foreach(json_object_get(root, "servers"), i, server)
        printf("server %s  %.1f ms%s%s\n", json_string_value(json_object_get(server, "address")),
               json_real_value(json_object_get(server, "srtt_ms")),
               json_is_true(json_object_get(server, "lame")) ? ", lame" : "",
               json_is_true(json_object_get(server, "avoided")) ? ", avoided" : "");
}

/* Everything but the dump is JSON; an error is said as one. */
static int print_answer(const struct cli_command *command, const struct cache_options *o,
                        const char *what, const char *answer)
{
    json_error_t error;
    bool dump = strcmp(what, "dump") == 0;
    json_t *root = json_loads(answer, 0, &error);
    const char *complaint = json_string_value(json_object_get(root, "error"));
    int status = EXIT_OK;
    if (complaint != NULL)
        status = cli_fail(command, EXIT_FAILED, "%s", complaint);
    else if (dump || o->json)
        printf("%s%s", strcmp(answer, "\n") != 0 ? answer : "", dump ? "" : "\n");
    else if (root == NULL)
        status = cli_fail(command, EXIT_FAILED, "the answer is not JSON: %s", error.text);
    else if (strcmp(what, "flush") == 0)
        printf("%" JSON_INTEGER_FORMAT " flushed\n",
               json_integer_value(json_object_get(root, "flushed")));
    else {
        print_counts(root);
        print_latency(root);
        print_servers(root);
    }
    json_decref(root);
    return status;
}

static const char *find_site(const struct cli_command *command,
                             char names[CONTROL_FOUND_MAX][CONTROL_NAME_MAX])
{
    int count = control_find(geteuid(), names, CONTROL_FOUND_MAX);
    if (count == 1)
        return names[0];
    cli_fail(command, EXIT_FAILED,
             count > 1    ? "several are running: say which one with --site, as `wholenet status` does"
             : count == 0 ? "no wholenet of yours is running"
                          : "cannot look for running ones");
    return NULL;
}

static bool make_question(const struct cache_options *o, const char *what, const char *name,
                          char *out, size_t size)
{
    int len = name != NULL ? snprintf(out, size, "cache flush%s %s", o->below ? "-below" : "", name)
                           : snprintf(out, size, "cache %s%s", what,
                                      o->json && strcmp(what, "dump") == 0 ? " json" : "");
    return len < (int)size;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cache_options o = {0};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &o, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    const char *what = at < argc ? argv[at] : "";
    bool flush = strcmp(what, "flush") == 0;
    if (!flush && strcmp(what, "dump") != 0 && strcmp(what, "stats") != 0)
        return cli_wrong_usage(command, "expected stats, dump or flush NAME");
    if (argc - at != (flush ? 2 : 1))
        return cli_wrong_usage(command, flush ? "expected one name to flush" : "too many arguments");
    char question[CONTROL_QUESTION_MAX - 1], names[CONTROL_FOUND_MAX][CONTROL_NAME_MAX];
    if (!make_question(&o, what, flush ? argv[at + 1] : NULL, question, sizeof question))
        return cli_wrong_usage(command, "that is not a name");
    const char *site = o.site != NULL ? o.site : find_site(command, names);
    if (site == NULL)
        return EXIT_FAILED;
    char *answer;
    int result = control_ask(geteuid(), site, question, &answer);
    if (result < 0)
        return cli_fail(command, EXIT_FAILED, "no answer from \"%s\": %s", site,
                        result == -ECONNREFUSED ? "nothing of yours with that name is running"
                                                : strerror(-result));
    int status = print_answer(command, &o, what, answer);
    free(answer);
    return status;
}

const struct cli_command command_cache = {
    .name = "cache",
    .usage = "[options] stats | dump | flush NAME",
    .summary = "what a running resolver remembers",
    .about = "Asks a running `wholenet run` or `wholenet serve` of the same user about names that it\n"
             "has resolved: how many and how fast (stats), which (dump, as lines of a master file),\n"
             "or has it forget one (flush).",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

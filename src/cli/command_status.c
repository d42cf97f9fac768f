/* SPDX-License-Identifier: ISC */
/* command_status.c - wholenet status: what a running wholenet says of itself. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "site/control.h"

struct status {
    bool json;
};

static const struct cli_option options[] = {
    {"json", 0, NULL, "as JSON (docs/status.md)", cli_take_flag, offsetof(struct status, json),
     NULL, NULL},
};

static const char *text_of_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "-";
}

static json_int_t count_of_member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void print_traffic(const char *name, const json_t *traffic)
{
    char buffer[32];
    struct text size = text_of(buffer, sizeof buffer);
    text_add_size(&size, (uint64_t)count_of_member(traffic, "octets"));
    printf(", %s %" JSON_INTEGER_FORMAT " frames (%s)", name, count_of_member(traffic, "frames"),
           buffer);
}

static void print_links(const json_t *root)
{
    size_t i;
    json_t *link;
    json_array_foreach(json_object_get(root, "links"), i, link) {
        printf("link %s  %s", text_of_member(link, "name"), text_of_member(link, "address"));
        if (json_object_get(link, "mtu") != NULL) {
            printf("  MTU %" JSON_INTEGER_FORMAT, count_of_member(link, "mtu"));
            print_traffic("in", json_object_get(link, "in"));
            print_traffic("out", json_object_get(link, "out"));
        }
        const char *name;
        json_t *value;
        json_object_foreach(json_object_get(link, "impairments"), name, value)
            if (json_number_value(value) != 0 && strcmp(name, "seed") != 0 &&
                strcmp(name, "queue") != 0)
                printf(", %s %g", name, json_number_value(value));
        printf("\n");
    }
}

static void print_site(const json_t *root)
{
    const json_t *site = json_object_get(root, "site");
    printf("internet %s, host loopback %s\n", text_of_member(site, "internet"),
           text_of_member(site, "host_loopback"));
    size_t i;
    json_t *published;
    json_array_foreach(json_object_get(site, "published"), i, published)
        printf("published %s -> %" JSON_INTEGER_FORMAT "/%s\n",
               text_of_member(published, "outside"), count_of_member(published, "inside_port"),
               text_of_member(published, "protocol"));
    if (json_object_get(site, "capture") != NULL)
        printf("capture %s\n", text_of_member(site, "capture"));
}

static void print_leases(const json_t *root)
{
    size_t i;
    json_t *lease;
    json_array_foreach(json_object_get(root, "leases"), i, lease)
        printf("lease %s  %s  %s\n", text_of_member(lease, "address"), text_of_member(lease, "mac"),
               text_of_member(lease, "name"));
}

static void print_connections(const json_t *root)
{
    size_t i;
    json_t *c;
    json_t *list = json_object_get(root, "connections");
    json_array_foreach(list, i, c)
        printf("tcp %s  %s  %s  in %" JSON_INTEGER_FORMAT " out %" JSON_INTEGER_FORMAT "\n",
               text_of_member(c, "remote"), text_of_member(c, "local"), text_of_member(c, "state"),
               count_of_member(c, "octets_in"), count_of_member(c, "octets_out"));
    json_int_t total = count_of_member(root, "connections_total");
    if (total > (json_int_t)json_array_size(list))
        printf("tcp … %" JSON_INTEGER_FORMAT " in all\n", total);
}

static void print_services(const json_t *root)
{
    const char *service, *name;
    json_t *counters, *value;
    json_object_foreach(json_object_get(root, "services"), service, counters) {
        printf("%s ", service);
        json_object_foreach(counters, name, value)
            if (json_integer_value(value) != 0)
                printf(" %s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
        printf("\n");
    }
    size_t i;
    json_array_foreach(json_object_get(root, "drops"), i, value)
        printf("dropped %" JSON_INTEGER_FORMAT "  %s\n", count_of_member(value, "count"),
               text_of_member(value, "reason"));
}

static int print_status(const struct cli_command *command, const char *answer)
{
    json_error_t error;
    json_t *root = json_loads(answer, 0, &error);
    if (root == NULL)
        return cli_fail(command, EXIT_FAILED, "the answer is not JSON: %s", error.text);
    const json_t *site = json_object_get(root, "site");
    const char *file = json_string_value(json_object_get(site, "file"));
    char buffer[32];
    struct text uptime = text_of(buffer, sizeof buffer);
    text_add_duration(&uptime, (usec)(json_number_value(json_object_get(root, "uptime")) *
                                      USEC_PER_SEC));
    printf("wholenet %s, process %" JSON_INTEGER_FORMAT ", %s, %s, up %s\n",
           text_of_member(root, "version"), count_of_member(root, "pid"),
           file != NULL ? file : "built-in site", text_of_member(site, "domain"), buffer);
    print_links(root);
    print_site(root);
    print_leases(root);
    print_connections(root);
    print_services(root);
    json_decref(root);
    return EXIT_OK;
}

/* The only running one, when none was named. NULL: a complaint was printed. */
static const char *find_one(const struct cli_command *command,
                            char names[CONTROL_FOUND_MAX][CONTROL_NAME_MAX])
{
    int count = control_find(geteuid(), names, CONTROL_FOUND_MAX);
    if (count == 1)
        return names[0];
    if (count < 0)
        cli_fail(command, EXIT_FAILED, "cannot look for running ones: %s", strerror(-count));
    if (count == 0)
        cli_fail(command, EXIT_FAILED, "no wholenet of yours is running");
    if (count <= 1)
        return NULL;
    char buffer[512];
    struct text list = text_of(buffer, sizeof buffer);
    for (int i = 0; i < count; i++)
        text_add_format(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    cli_fail(command, EXIT_FAILED, "several are running, name one: %s", buffer);
    return NULL;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct status status = {0};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &status, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (argc - at > 1)
        return cli_wrong_usage(command, "expected one name at most");
    char names[CONTROL_FOUND_MAX][CONTROL_NAME_MAX];
    const char *name = at < argc ? argv[at] : find_one(command, names);
    if (name == NULL)
        return EXIT_FAILED;
    char *answer;
    int result = control_ask(geteuid(), name, "status", &answer);
    if (result < 0)
        return cli_fail(command, EXIT_FAILED, "no answer from \"%s\": %s", name,
                        result == -ECONNREFUSED ? "nothing of yours with that name is running"
                                                : strerror(-result));
    int exit_status = EXIT_OK;
    if (status.json)
        printf("%s\n", answer);
    else
        exit_status = print_status(command, answer);
    free(answer);
    return exit_status;
}

const struct cli_command command_status = {
    .name = "status",
    .usage = "[options] [NAME]",
    .summary = "ask a running wholenet how it is",
    .about = "Shows links, leases, connections and counters of a running `wholenet run` or\n"
             "`wholenet serve` of the same user. NAME is its process id, or what its site file has\n"
             "as `control`; not needed when only one is running.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

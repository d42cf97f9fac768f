/* SPDX-License-Identifier: ISC */
/* command_check.c - wholenet check: is a site file right, or the master file of a zone? */
#include <stdio.h>

#include "cli/commands.h"
#include "os/memory.h"
#include "site/zone_files.h"
#include "site/site_config.h"

enum { ZONE_RECORDS_MAX = 1 << 30 }; /* nobody is served from them */

struct check {
    bool builtin;
    bool quiet;
    const char *zone;
};

static const struct cli_option options[] = {
    {"builtin", 0, NULL, "print the built-in site as a site file, and end", cli_take_flag,
     offsetof(struct check, builtin), NULL, NULL},
    {"zone", 'z', "NAME", "the files are the master files of the zone NAME", cli_take_text,
     offsetof(struct check, zone), NULL, NULL},
    {"quiet", 'q', NULL, "say nothing of a file that is right", cli_take_flag,
     offsetof(struct check, quiet), NULL, NULL},
};

static int check_file(const char *path, bool quiet)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = site_config_read(path, &error);
    bool good = config != NULL && site_config_finish(config, &error);
    if (good && config->link.device == SITE_DEVICE_NONE)
        printf("%s: right, but without a link: `wholenet run -c` brings its own, "
               "`wholenet serve` needs one\n", path);
    else if (good && !quiet)
        printf("%s: right\n", path);
    else if (!good)
        fprintf(stderr, "%s\n", complaint);
    site_config_free(config);
    return good ? EXIT_OK : EXIT_FAILED;
}

/* ---- zones ---- */

static bool ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text);
    size_t ending_len = strlen(ending);
    return len > ending_len && strcmp(text + len - ending_len, ending) == 0;
}

/* NAME.zone is a zone without being told. */
static bool name_of_file(const char *path, struct dns_name *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return dns_name_parse(bytes_of(name, strlen(name) - strlen(".zone")), NULL, out);
}

static void print_warning(void *self UNUSED, const char *text)
{
    fprintf(stderr, "%s (warning)\n", text);
}

static int check_zone(const char *path, const struct dns_name *name, bool quiet)
{
    const struct zone_load_options load_options = {
        .heap = memory_heap(),
        .files = zone_files_of_host(),
        .path = path,
        .name = name,
        .records_max = ZONE_RECORDS_MAX,
        .on_warning = print_warning,
    };
    struct zone_load *load = zone_load_new(&load_options);
    if (load == NULL) {
        fprintf(stderr, "%s: no memory for it\n", path);
        return EXIT_FAILED;
    }
    enum zone_load_status status = zone_load_step(load, SIZE_MAX);
    struct zone *zone = status == ZONE_LOAD_DONE ? zone_load_take(load) : NULL;
    char text[DNS_NAME_TEXT_MAX];
    if (zone == NULL)
        fprintf(stderr, "%s\n", zone_load_error(load));
    else if (!quiet)
        printf("%s: zone %s, serial %lu, %zu records: right\n", path, dns_name_format(name, text),
               (unsigned long)zone_serial(zone), zone->record_count);
    zone_load_free(load);
    int result = zone != NULL ? EXIT_OK : EXIT_FAILED;
    zone_free(zone);
    return result;
}

static int check_path(const struct check *check, const struct dns_name *zone, const char *path)
{
    struct dns_name name;
    if (check->zone != NULL)
        return check_zone(path, zone, check->quiet);
    if (ends_with(path, ".zone") && name_of_file(path, &name))
        return check_zone(path, &name, check->quiet);
    return check_file(path, check->quiet);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct check check = {0};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &check, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (check.builtin && at == argc) {
        fputs(site_builtin_text, stdout);
        return EXIT_OK;
    }
    if (check.builtin || at == argc)
        return cli_wrong_usage(command, check.builtin ? "--builtin takes no files"
                                                      : "expected the name of a site file");
    struct dns_name zone;
    if (check.zone != NULL && !dns_name_parse(bytes_of_text(check.zone), NULL, &zone))
        return cli_wrong_usage(command, "--zone: expected a domain name");
    int status = EXIT_OK;
    for (; at < argc; at++)
        if (check_path(&check, &zone, argv[at]) != EXIT_OK)
            status = EXIT_FAILED;
    return status;
}

const struct cli_command command_check = {
    .name = "check",
    .usage = "[options] FILE…",
    .summary = "say whether a site file or a zone is right",
    .about = "Reads site files as `run -c` and `serve` would, and says of the first thing that is\n"
             "wrong in each: the file, the line, and what was expected. Ends with 0 when all are\n"
             "right, with 1 when one is not. NAME.zone is the master file of the zone NAME, as are\n"
             "all files with --zone: they are read as a name server reads them, with warnings.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

/* SPDX-License-Identifier: ISC */
/* command_check.c - wholenet check: is a site file right? */
#include <stdio.h>

#include "cli/commands.h"
#include "site/site_config.h"

struct check {
    bool builtin;
    bool quiet;
};

static const struct cli_option options[] = {
    {"builtin", 0, NULL, "print the built-in site as a site file, and end", cli_take_flag,
     offsetof(struct check, builtin), NULL, NULL},
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
    int status = EXIT_OK;
    for (; at < argc; at++)
        if (check_file(argv[at], check.quiet) != EXIT_OK)
            status = EXIT_FAILED;
    return status;
}

const struct cli_command command_check = {
    .name = "check",
    .usage = "[options] FILE…",
    .summary = "say whether a site file is right",
    .about = "Reads site files as `run -c` and `serve` would, and says of the first thing that is\n"
             "wrong in each: the file, the line, and what was expected. Ends with 0 when all are\n"
             "right, with 1 when one is not.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

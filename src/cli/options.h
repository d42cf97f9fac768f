/* SPDX-License-Identifier: ISC */
/*
 * options.h - the command line as tables: each command has one of its options, from which the
 * arguments are read and the help is written.
 *
 * --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -abc; "--" ends the options, and so does the
 * first argument that is none. Every command has --help and --version besides its own.
 */
#ifndef WN_CLI_OPTIONS_H
#define WN_CLI_OPTIONS_H

#include "base/text.h"

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2, /* the command line is wrong; `run` says 125, as it passes a program's on */
};

struct cli_option {
    const char *name;     /* without its dashes */
    char letter;          /* 0: none */
    const char *argument; /* "FILE"; NULL: takes none */
    const char *help;
    /* Takes the value ("" without an argument); false: *error says what was expected. */
    bool (*take)(void *self, const struct cli_option *option, const char *value,
                 struct text *error);
    /* For `take`: the place in the command's own structure, or the option of the site. */
    size_t offset;
    const char *section;
    const char *key;
};

/* What other programs call an option that is called something else here, or is none. */
struct cli_elsewhere {
    const char *name;
    char letter;          /* 0: none */
    const char *here;     /* "it is --method (-X)" */
};

struct cli_command {
    const char *name;
    const char *usage;    /* what follows the name: "[options] FILE" */
    const char *summary;  /* one line, for the list of commands */
    const char *about;    /* paragraphs, for its help */
    const struct cli_option *options;
    size_t option_count;
    const struct cli_elsewhere *elsewhere;
    size_t elsewhere_count;
    int usage_status;     /* 0: EXIT_USAGE */
    int (*run)(const struct cli_command *command, int argc, char **argv);
};

enum cli_outcome {
    CLI_GO_ON,
    CLI_DONE,  /* help or the version was asked for, and given */
    CLI_WRONG, /* a complaint was printed: return cli_usage_status() */
};

/* Reads the options in argv[1] and following; *operands: the index of the first argument after. */
enum cli_outcome cli_read_options(const struct cli_command *command, void *self, int argc,
                                  char **argv, int *operands);

int cli_usage_status(const struct cli_command *command);

/* "wholenet NAME: …" on standard error, one line; returns `status`. */
int cli_fail(const struct cli_command *command, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same, with how to learn more; returns cli_usage_status(). */
int cli_wrong_usage(const struct cli_command *command, const char *format, ...) PRINTF_LIKE(2, 3);

void cli_print_help(const struct cli_command *command);

/* Ready-made `take`: sets the bool, counts in the unsigned, keeps the text (const char *) or reads
 * the duration (usec) at `offset`. */
bool cli_take_flag(void *self, const struct cli_option *option, const char *value,
                   struct text *error);
bool cli_take_count(void *self, const struct cli_option *option, const char *value,
                    struct text *error);
bool cli_take_text(void *self, const struct cli_option *option, const char *value,
                   struct text *error);
bool cli_take_duration(void *self, const struct cli_option *option, const char *value,
                       struct text *error);
/* A decimal number from 1 to a million in the unsigned at `offset`; with `or_none` 0, too. */
bool cli_take_number(void *self, const struct cli_option *option, const char *value,
                     struct text *error);
bool cli_take_number_or_none(void *self, const struct cli_option *option, const char *value,
                             struct text *error);

#endif

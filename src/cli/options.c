/* SPDX-License-Identifier: ISC */
/* options.c - reads arguments by a table of options, and writes the help from it. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>

enum { HELP_INDENT = 26, COMPLAINT_MAX = 2560 };

int cli_usage_status(const struct cli_command *command)
{
    return command->usage_status != 0 ? command->usage_status : EXIT_USAGE;
}

static void PRINTF_LIKE(2, 0)
complain(const struct cli_command *command, const char *format, va_list arguments)
{
    /* One write, so that lines of several processes do not mix. */
    char buffer[1024];
    struct text line = text_of(buffer, sizeof buffer - 1);
    text_add_format(&line, "wholenet%s%s: ", command != NULL ? " " : "",
                    command != NULL ? command->name : "");
    text_add_format_list(&line, format, arguments);
    fprintf(stderr, "%s\n", buffer);
}

int cli_fail(const struct cli_command *command, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
    return status;
}

int cli_wrong_usage(const struct cli_command *command, const char *format, ...)
{
    char buffer[COMPLAINT_MAX];
    struct text text = text_of(buffer, sizeof buffer);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&text, format, arguments);
    va_end(arguments);
    return cli_fail(command, cli_usage_status(command), "%s (wholenet %s --help tells more)",
                    buffer, command->name);
}

static const struct cli_option common[] = {
    {.name = "help", .letter = 'h', .help = "say this, and end"},
    {.name = "version", .help = "say the version, and end"},
};

static enum cli_outcome answer_common(const struct cli_command *command,
                                      const struct cli_option *option)
{
    if (option == &common[0])
        cli_print_help(command);
    else
        printf("wholenet %s\n", WHOLENET_VERSION);
    return CLI_DONE;
}

static bool is_common(const struct cli_option *option)
{
    return option == &common[0] || option == &common[1];
}

static const struct cli_option *find(const struct cli_command *command, struct bytes name,
                                     char letter)
{
    for (size_t i = 0; i < command->option_count + ARRAY_LEN(common); i++) {
        const struct cli_option *option = i < command->option_count
                                              ? &command->options[i]
                                              : &common[i - command->option_count];
        if (letter != 0 ? option->letter == letter : bytes_equal(name, bytes_of_text(option->name)))
            return option;
    }
    return NULL;
}

static const char *nearest(const struct cli_command *command, const char *name)
{
    const char *best = NULL;
    unsigned best_distance = 3; /* more is no longer a slip of the finger */
    for (size_t i = 0; i < command->option_count; i++) {
        unsigned distance = text_distance(name, command->options[i].name);
        if (distance < best_distance) {
            best_distance = distance;
            best = command->options[i].name;
        }
    }
    return best;
}

static const char *find_elsewhere(const struct cli_command *command, const char *name, char letter)
{
    for (size_t i = 0; i < command->elsewhere_count; i++) {
        const struct cli_elsewhere *e = &command->elsewhere[i];
        if (letter != 0 ? e->letter == letter : strcmp(e->name, name) == 0)
            return e->here;
    }
    return NULL;
}

static enum cli_outcome unknown(const struct cli_command *command, const char *name)
{
    char bare[64];
    snprintf(bare, sizeof bare, "%.*s", (int)bytes_find(bytes_of_text(name), '='), name);
    const char *near = nearest(command, bare);
    const char *here = find_elsewhere(command, bare, 0);
    if (here != NULL)
        cli_wrong_usage(command, "there is no option --%s here: %s", bare, here);
    else if (near != NULL)
        cli_wrong_usage(command, "there is no option --%s; did you mean --%s?", bare, near);
    else
        cli_wrong_usage(command, "there is no option --%s", bare);
    return CLI_WRONG;
}

/* Hands the option its value: `attached`, else the next argument. */
static enum cli_outcome take(const struct cli_command *command, void *self,
                             const struct cli_option *option, const char *attached, char **argv,
                             int *at)
{
    const char *value = attached;
    if (option->argument != NULL && value == NULL) {
        if (argv[*at + 1] == NULL) {
            cli_wrong_usage(command, "--%s needs a value: --%s %s", option->name, option->name,
                            option->argument);
            return CLI_WRONG;
        }
        value = argv[++*at];
    }
    if (option->argument == NULL && value != NULL) {
        cli_wrong_usage(command, "--%s takes no value", option->name);
        return CLI_WRONG;
    }
    char buffer[COMPLAINT_MAX] = "";
    struct text error = text_of(buffer, sizeof buffer);
    if (option->take(self, option, value != NULL ? value : "", &error))
        return CLI_GO_ON;
    cli_wrong_usage(command, "--%s %.100s: %s", option->name, value != NULL ? value : "", buffer);
    return CLI_WRONG;
}

static enum cli_outcome read_long(const struct cli_command *command, void *self, char **argv,
                                  int *at)
{
    const char *name = argv[*at] + 2;
    struct bytes text = bytes_of_text(name);
    size_t equals = bytes_find(text, '=');
    const struct cli_option *option = find(command, bytes_first(text, equals), 0);
    if (option == NULL)
        return unknown(command, name);
    if (is_common(option) && equals == text.len)
        return answer_common(command, option);
    if (is_common(option)) {
        cli_wrong_usage(command, "--%s takes no value", option->name);
        return CLI_WRONG;
    }
    return take(command, self, option, equals < text.len ? name + equals + 1 : NULL, argv, at);
}

static enum cli_outcome read_letters(const struct cli_command *command, void *self, char **argv,
                                     int *at)
{
    for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
        const struct cli_option *option = find(command, bytes_empty(), *letter);
        if (option == NULL) {
            const char *here = find_elsewhere(command, "", *letter);
            cli_wrong_usage(command, "there is no option -%c%s%s", *letter, here != NULL ? " here: " : "",
                            here != NULL ? here : "");
            return CLI_WRONG;
        }
        if (is_common(option))
            return answer_common(command, option);
        bool attached = option->argument != NULL && letter[1] != '\0';
        enum cli_outcome outcome =
            take(command, self, option, attached ? letter + 1 : NULL, argv, at);
        if (outcome != CLI_GO_ON || option->argument != NULL)
            return outcome;
    }
    return CLI_GO_ON;
}

enum cli_outcome cli_read_options(const struct cli_command *command, void *self, int argc,
                                  char **argv, int *operands)
{
    int at = 1;
    for (; at < argc; at++) {
        const char *argument = argv[at];
        if (argument[0] != '-' || argument[1] == '\0')
            break;
        if (strcmp(argument, "--") == 0) {
            at++;
            break;
        }
        enum cli_outcome outcome = argument[1] == '-' ? read_long(command, self, argv, &at)
                                                      : read_letters(command, self, argv, &at);
        if (outcome != CLI_GO_ON)
            return outcome;
    }
    *operands = at;
    return CLI_GO_ON;
}

static void print_option(const struct cli_option *option)
{
    char buffer[96];
    struct text text = text_of(buffer, sizeof buffer);
    if (option->letter != 0)
        text_add_format(&text, "  -%c, ", option->letter);
    else
        text_add(&text, "      ");
    text_add_format(&text, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
                    option->argument != NULL ? option->argument : "");
    if (text.len >= HELP_INDENT)
        printf("%s\n%*s%s\n", buffer, HELP_INDENT, "", option->help);
    else
        printf("%-*s%s\n", HELP_INDENT, buffer, option->help);
}

void cli_print_help(const struct cli_command *command)
{
    printf("usage: wholenet %s %s\n\n%s\n\noptions:\n", command->name, command->usage,
           command->about);
    for (size_t i = 0; i < command->option_count; i++)
        print_option(&command->options[i]);
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        print_option(&common[i]);
}

bool cli_take_flag(void *self, const struct cli_option *option, const char *value UNUSED,
                   struct text *error UNUSED)
{
    *(bool *)(void *)((char *)self + option->offset) = true;
    return true;
}

bool cli_take_count(void *self, const struct cli_option *option, const char *value UNUSED,
                    struct text *error UNUSED)
{
    ++*(unsigned *)(void *)((char *)self + option->offset);
    return true;
}

bool cli_take_text(void *self, const struct cli_option *option, const char *value,
                   struct text *error)
{
    if (value[0] == '\0') {
        text_add_format(error, "expected %s, not nothing", option->argument);
        return false;
    }
    *(const char **)(void *)((char *)self + option->offset) = value;
    return true;
}

bool cli_take_duration(void *self, const struct cli_option *option, const char *value,
                       struct text *error)
{
    usec duration;
    if (!text_parse_duration(bytes_of_text(value), &duration) || duration <= 0 ||
        duration > USEC_PER_HOUR) {
        text_add(error, "expected a duration such as 500ms or 1.5s, at most 1h");
        return false;
    }
    *(usec *)(void *)((char *)self + option->offset) = duration;
    return true;
}

static bool take_number(void *self, const struct cli_option *option, const char *value,
                        unsigned least, struct text *error)
{
    uint64_t number;
    if (!text_parse_number(bytes_of_text(value), 1000000, &number) || number < least) {
        text_add_format(error, "expected a number from %u to 1000000", least);
        return false;
    }
    *(unsigned *)(void *)((char *)self + option->offset) = (unsigned)number;
    return true;
}

bool cli_take_number(void *self, const struct cli_option *option, const char *value,
                     struct text *error)
{
    return take_number(self, option, value, 1, error);
}

bool cli_take_number_or_none(void *self, const struct cli_option *option, const char *value,
                             struct text *error)
{
    return take_number(self, option, value, 0, error);
}

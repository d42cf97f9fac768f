/* SPDX-License-Identifier: ISC */
/* main.c - one table of commands: finds the one that is asked for, and runs it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

static const struct cli_command *const commands[] = {
    &command_run,    &command_serve,  &command_status, &command_check, &command_ping,
    &command_trace,  &command_lookup, &command_update, &command_get,   &command_script,
    &command_trust,  &command_key,    &command_sign,   &command_cache,
};

static const struct cli_command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_overview(void)
{
    printf("usage: wholenet COMMAND [options] …\n\n"
           "A complete network of its own for any program: addresses, names, web, a gateway.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
    printf("  %-10s%s\n  %-10s%s\n\n", "help", "say this, or tell of a command: wholenet help run",
           "version", "say the version");
    printf("For a start: wholenet run -- curl http://www.home.arpa/\n");
}

static int unknown(const char *name)
{
    const char *near = NULL;
    unsigned best = 3;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        unsigned distance = text_distance(name, commands[i]->name);
        if (distance < best) {
            best = distance;
            near = commands[i]->name;
        }
    }
    if (near != NULL)
        return cli_fail(NULL, EXIT_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", name,
                        near);
    return cli_fail(NULL, EXIT_USAGE, "there is no command \"%s\" (wholenet help lists them)", name);
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        print_overview();
        return EXIT_OK;
    }
    const struct cli_command *command = find(argv[2]);
    if (command == NULL)
        return unknown(argv[2]);
    cli_print_help(command);
    return EXIT_OK;
}

/* Output that could not be written is a failure, as in `wholenet status > /dev/full`. */
static int finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_fail(NULL, status != EXIT_OK ? status : EXIT_FAILED,
                        "cannot write to standard output");
    return status;
}

/* A caller may have closed standard files. Their numbers are held here, lest a socket of ours gets
 * one and what is meant for a reader, or done to standard files, meets it. To us, and to a program
 * that we execute, they are what they were: not to be read, not to be written, closed. */
static bool hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC;
        /* The lowest free number is the one that is open()'s. */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!hold_standard_files())
        return EXIT_FAILED;
    const char *name = argc > 1 ? argv[1] : "";
    if (name[0] == '\0') {
        return cli_fail(NULL, EXIT_USAGE, "expected a command (wholenet help lists them)");
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return finish(help(argc, argv));
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("wholenet %s\n", WHOLENET_VERSION);
        return finish(EXIT_OK);
    }
    const struct cli_command *command = find(name);
    if (command == NULL)
        return finish(unknown(name));
    return finish(command->run(command, argc - 1, argv + 1));
}

/* SPDX-License-Identifier: ISC */
/*
 * command_update.c - wholenet update: changes zones on their servers (RFC 2136), one change from the command
 * line, or as a script in the language of nsupdate(1) says.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/update.h"

enum { PORT = 53, PORT_TLS = 853 };

/* What the options write into. */
struct arguments {
    struct update update;
    struct lookup lookup;
};

#define UPDATE_MEMBER(name) (offsetof(struct arguments, update) + offsetof(struct update, name))
#define LOOKUP_MEMBER(name) (offsetof(struct arguments, lookup) + offsetof(struct lookup, name))

static bool take_key(void *self, const struct cli_option *option, const char *value,
                     struct text *error)
{
    struct arguments *a = self;
    return lookup_take_key(&a->lookup, option, value, error);
}

static bool take_key_file(void *self, const struct cli_option *option, const char *value,
                          struct text *error)
{
    struct arguments *a = self;
    return lookup_take_key_file(&a->lookup, option, value, error);
}

static bool take_ttl(void *self, const struct cli_option *option UNUSED, const char *value,
                     struct text *error)
{
    struct update *u = &((struct arguments *)self)->update;
    uint64_t seconds;
    if (!text_parse_number(bytes_of_text(value), DNS_TTL_MAX, &seconds)) {
        text_add(error, "expected a number of seconds");
        return false;
    }
    u->ttl = (uint32_t)seconds;
    u->ttl_given = true;
    return true;
}

static const struct cli_option options[] = {
    {"key-file", 'k', "FILE", "sign with the key (TSIG) of a file, as tsig-keygen(8) writes it",
     take_key_file, 0, NULL, NULL},
    {"key", 'y', "KEY", "sign with [ALGORITHM:]NAME:SECRET", take_key, 0, NULL, NULL},
    {"port", 'p', "N", "of the server (53; with TLS 853)", cli_take_number, LOOKUP_MEMBER(port),
     NULL, NULL},
    {"ttl", 0, "SECONDS", "of records that are added without one", take_ttl, 0, NULL, NULL},
    {"tcp", 'T', NULL, "over TCP, however short the message", cli_take_flag,
     LOOKUP_MEMBER(stream), NULL, NULL},
    {"tls", 0, NULL, "over TLS", cli_take_flag, LOOKUP_MEMBER(secure.tls), NULL, NULL},
    {"tls-ca", 0, "FILE", "the same; the server's certificate is signed by one of these",
     cli_take_text, LOOKUP_MEMBER(secure.trust), NULL, NULL},
    {"tls-hostname", 0, "NAME", "the same; the name that its certificate must have",
     cli_take_text, LOOKUP_MEMBER(secure.name), NULL, NULL},
    {"timeout", 't', "TIME", "of each attempt (resolv.conf's; 5s)", cli_take_duration,
     LOOKUP_MEMBER(timeout), NULL, NULL},
    {"tries", 0, "N", "attempts (resolv.conf's; 2)", cli_take_number, LOOKUP_MEMBER(tries), NULL,
     NULL},
    {"dry-run", 'n', NULL, "show what would be sent, and send nothing", cli_take_flag,
     UPDATE_MEMBER(show_only), NULL, NULL},
    {"verbose", 'v', NULL, "show the replies", cli_take_flag, UPDATE_MEMBER(verbose), NULL, NULL},
    {"json", 'j', NULL, "replies as JSON (RFC 8427), one on a line", cli_take_flag,
     LOOKUP_MEMBER(json), NULL, NULL},
    {"ipv4", '4', NULL, "ask servers by IPv4 only", cli_take_flag, LOOKUP_MEMBER(v4), NULL, NULL},
    {"ipv6", '6', NULL, "ask servers by IPv6 only", cli_take_flag, LOOKUP_MEMBER(v6), NULL, NULL},
    {"resolv-conf", 0, "FILE", "instead of /etc/resolv.conf", cli_take_text,
     LOOKUP_MEMBER(resolv_conf), NULL, NULL},
};

static int wrong(const struct cli_command *command, const char *what)
{
    return cli_wrong_usage(command, "%s", what);
}

static int check(struct arguments *a)
{
    struct lookup *l = &a->lookup;
    const struct cli_command *command = a->update.command;
    if (l->v4 && l->v6)
        return wrong(command, "expected one of --ipv4 and --ipv6");
    if (l->port > UINT16_MAX)
        return wrong(command, "--port: expected at most 65535");
    l->secure.verify = l->secure.trust != NULL || l->secure.name != NULL;
    l->secure.tls |= l->secure.verify;
    if (l->port == 0)
        l->port = l->secure.tls ? PORT_TLS : PORT;
    return EXIT_OK;
}

/* "ZONE add NAME …": one line of a script, whose names are of the zone. */
static enum update_status run_operands(struct update *u, int count, char **operands)
{
    struct text line = text_of(u->text, sizeof u->text);
    if (!dns_name_parse(bytes_of_text(operands[0]), NULL, &u->zone))
        return (enum update_status)cli_wrong_usage(u->command, "not the name of a zone: \"%.300s\"",
                                                   operands[0]);
    u->origin = u->zone;
    for (int i = 1; i < count; i++) {
        /* What the shell has put together stays so: "v=spf1 -all" is one string. */
        bool quote = operands[i][strcspn(operands[i], " \t;()")] != '\0' && operands[i][0] != '"';
        text_add(&line, i > 1 ? " " : "");
        text_add(&line, quote ? "\"" : "");
        text_add(&line, operands[i]);
        text_add(&line, quote ? "\"" : "");
    }
    if (line.failed)
        return (enum update_status)cli_wrong_usage(u->command, "that is too long");
    if (!update_take(u, text_bytes(&line)))
        return UPDATE_WRONG;
    return update_send(u);
}

static enum update_status run_all(struct arguments *a, int count, char **operands)
{
    struct update *u = &a->update;
    struct lookup *l = &a->lookup;
    enum update_status status = UPDATE_SILENCE;
    if (count > 0 && operands[0][0] == '@') {
        if (!lookup_add_server(l, operands[0] + 1))
            return UPDATE_WRONG;
        u->server = operands[0] + 1;
        operands++;
        count--;
    }
    if (count == 1 || (count > 0 && operands[0][0] == '@'))
        return (enum update_status)wrong(
            u->command, "expected a change behind the zone, such as: add NAME TTL TYPE DATA");
    if (lookup_open(l)) {
        if (l->secure.tls && !lookup_secure_open(l))
            status = UPDATE_WRONG;
        else
            status = count > 0 ? run_operands(u, count, operands) : update_run_script(u, STDIN_FILENO);
    }
    lookup_close(l);
    return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (a == NULL)
        return cli_fail(command, UPDATE_SILENCE, "no memory");
    int operands;
    a->update.lookup = &a->lookup;
    a->update.command = command;
    a->lookup.command = command;
    a->lookup.argc = argc;
    a->lookup.argv = argv;
    a->lookup.edns = true;
    a->lookup.bufsize = DNS_UDP_SIZE_DEFAULT;
    a->lookup.conf.ndots = UINT32_MAX;
    a->lookup.show = (struct lookup_show){true, true, true, true, true, true, true};
    dns_name_root(&a->update.origin);
    enum cli_outcome outcome = cli_read_options(command, a, argc, argv, &operands);
    int status = outcome == CLI_GO_ON ? check(a)
                 : outcome == CLI_DONE ? EXIT_OK
                                       : cli_usage_status(command);
    if (outcome == CLI_GO_ON && status == EXIT_OK)
        status = lookup_read_resolv_conf(&a->lookup)
                     ? (int)run_all(a, argc - operands, argv + operands)
                     : (int)UPDATE_SILENCE;
    explicit_bzero(&a->lookup.key, sizeof a->lookup.key);
    free(a);
    return status;
}

const struct cli_command command_update = {
    .name = "update",
    .usage = "[options] [@SERVER] [ZONE add|delete|replace NAME …]",
    .summary = "change a zone on its server, as nsupdate does",
    .about =
        "Sends an update (RFC 2136) to SERVER, or to the zone's primary, which is found by its SOA\n"
        "record. The change stands behind the zone's name, and names in it are of that zone:\n\n"
        "  add NAME [TTL] TYPE DATA…        a record more\n"
        "  delete NAME [TYPE [DATA…]]       a record, all of a type, all of a name\n"
        "  replace NAME [TTL] TYPE DATA…    in the place of all of that type\n\n"
        "Without one a script is read from standard input, in the language of nsupdate(1): server,\n"
        "zone, origin, ttl, key, prereq nxdomain|yxdomain|nxrrset|yxrrset, add, delete, replace,\n"
        "show, send (or an empty line), answer, quit.\n\n"
        "Ends with 0 when all was done, 1 when a prerequisite does not hold, 2 when the command line\n"
        "or the script is wrong, 3 when the server refused or failed, or its signature is wrong,\n"
        "4 when none could be reached or none answered; the highest of several.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

/* SPDX-License-Identifier: ISC */
/* command_trust.c - wholenet trust: the root certificate of this user's sites, for others to trust. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "os/file.h"
#include "site/trust.h"

struct trust_command {
    const char *folder;
    bool path;
    bool bundle;
};

static const struct cli_option options[] = {
    {"folder", 'f', "DIR", "where it is kept, instead of the usual folder", cli_take_text,
     offsetof(struct trust_command, folder), NULL, NULL},
    {"path", 'p', NULL, "say in which file it is, rather than what is in it", cli_take_flag,
     offsetof(struct trust_command, path), NULL, NULL},
    {"bundle", 'b', NULL, "with all that the host trusts: for SSL_CERT_FILE and the like",
     cli_take_flag, offsetof(struct trust_command, bundle), NULL, NULL},
};

static int run(const struct cli_command *command, int argc, char **argv)
{
    enum { FILE_MAX = 16 << 20 };
    struct trust_command trust_command = {0};
    struct trust trust;
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    int at;
    enum cli_outcome outcome = cli_read_options(command, &trust_command, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (at != argc)
        return cli_wrong_usage(command, "expected nothing more, not \"%s\"", argv[at]);
    int status = trust_open(&trust, trust_command.folder, &error);
    if (status == 0 && trust_command.bundle)
        status = trust_make_bundle(&trust, &error);
    if (status < 0)
        return cli_fail(command, EXIT_FAILED, "%s", complaint);
    const char *path = trust_command.bundle ? trust.bundle : trust.root;
    if (trust_command.path) {
        printf("%s\n", path);
        return EXIT_OK;
    }
    char *content;
    size_t len;
    status = file_read(path, FILE_MAX, &content, &len);
    if (status < 0)
        return cli_fail(command, EXIT_FAILED, "cannot read %s: %s", path, strerror(-status));
    (void)fwrite(content, 1, len, stdout); /* main() looks whether it could be written */
    free(content);
    return EXIT_OK;
}

const struct cli_command command_trust = {
    .name = "trust",
    .usage = "[options]",
    .summary = "print the root certificate of this user's sites",
    .about = "Prints, in PEM, the root certificate that signs those of sites which were given none; it\n"
             "is made when there is none yet. Programs that trust it talk to such a site without a\n"
             "warning; those inside of wholenet run do so already.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

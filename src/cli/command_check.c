/* SPDX-License-Identifier: ISC */
/* command_check.c - wholenet check: is a site file right, or the master file of a zone? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/zone_file.h"
#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/zone_verify.h"
#include "site/site_config.h"
#include "site/site_crypto.h"
#include "site/site_web.h"
#include "wire/dns/dns_master.h"
#include "wire/dns/dns_token.h"

enum { DS_FILE_MAX = 1 << 16, DS_ROOM = 1 << 16 };

struct check {
    bool builtin;
    bool quiet;
    const char *zone;
    bool signatures;
    const char *ds;
    usec soon;
    const char *date_text;
    int64_t date;
};

static const struct cli_option options[] = {
    {"builtin", 0, NULL, "print the built-in site as a site file, and end", cli_take_flag,
     offsetof(struct check, builtin), NULL, NULL},
    {"zone", 'z', "NAME", "the files are the master files of the zone NAME", cli_take_text,
     offsetof(struct check, zone), NULL, NULL},
    {"signatures", 's', NULL, "of signed zones: verify all of it, keys, signatures, denials, digest",
     cli_take_flag, offsetof(struct check, signatures), NULL, NULL},
    {"ds", 0, "FILE", "with --signatures: the DS records that the parent has", cli_take_text,
     offsetof(struct check, ds), NULL, NULL},
    {"soon", 0, "DURATION", "with --signatures: warn of those that end within that time",
     cli_take_duration, offsetof(struct check, soon), NULL, NULL},
    {"at", 0, "DATE", "with --signatures: as if it were that time (YYYYMMDDHHmmSS in UTC)",
     cli_take_text, offsetof(struct check, date_text), NULL, NULL},
    {"quiet", 'q', NULL, "say nothing of a file that is right", cli_take_flag,
     offsetof(struct check, quiet), NULL, NULL},
};

static void tell_doubt(void *self, const char *text)
{
    fprintf(stderr, "%s: web: %s (warning)\n", (const char *)self, text);
}

static int check_file(const char *path, bool quiet)
{
    char complaint[2048] = "";
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
    if (good && !quiet && config->web.present)
        site_web_doubts(config, tell_doubt, (void *)(uintptr_t)path);
    site_config_free(config);
    return good ? EXIT_OK : EXIT_FAILED;
}

/* ---- zones ---- */

/* What --signatures is told by. */
struct tell {
    const char *path;
    bool quiet;
};

static void report(void *self, bool error, const char *text)
{
    const struct tell *tell = self;
    if (error || !tell->quiet)
        fprintf(stderr, "%s: %s%s\n", tell->path, text, error ? "" : " (warning)");
}

/* The DS records that the parent has. */
static bool read_ds(const char *path, const struct dns_name *zone, struct zone_verify_options *verify_options,
                    uint8_t *room, size_t size)
{
    static const struct dns_name root = {.len = 1};
    static struct dns_master master;
    static struct dns_master_item item;
    char *content;
    size_t len;
    int result = file_read(path, DS_FILE_MAX, &content, &len);
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(-result));
        return false;
    }
    struct writer w = writer_of(room, size);
    enum dns_master_kind kind;
    dns_master_start(&master, bytes_of(content, len), &root);
    master.ttl_is_default = master.ttl_known = true;
    while ((kind = dns_master_next(&master, &w, &item)) == DNS_MASTER_RECORD)
        if (item.record.type == DNS_DS && dns_name_equal(&item.record.owner, zone) &&
            verify_options->ds_count < ZONE_VERIFY_DS_MAX)
            verify_options->ds[verify_options->ds_count++] = item.record.rdata;
    free(content);
    if (kind == DNS_MASTER_END && verify_options->ds_count > 0)
        return true;
    fprintf(stderr, "%s: %s\n", path, kind == DNS_MASTER_ERROR ? item.error : "expected DS records of the zone");
    return false;
}

static int verify(const struct check *check, const char *path, const struct zone *zone,
                  struct digest *sha1, struct digest_stream *stream)
{
    static uint8_t room[DS_ROOM];
    struct tell tell = {path, check->quiet};
    struct validate_crypto crypto;
    struct zone_verify_result result;
    struct zone_verify_options verify_options = {
        .heap = memory_heap(),
        .crypto = &crypto,
        .digester = {digest_stream_start, digest_stream_add, digest_stream_end, stream},
        .wall_seconds = check->date,
        .soon = (uint32_t)(check->soon / USEC_PER_SEC),
        .report = report,
        .self = &tell,
    };
    site_crypto_init(&crypto, sha1);
    if (check->ds != NULL && !read_ds(check->ds, &zone->name, &verify_options, room, sizeof room))
        return EXIT_FAILED;
    if (zone_verify(zone, &verify_options, &result) < 0) {
        fprintf(stderr, "%s: no memory for it\n", path);
        return EXIT_FAILED;
    }
    if (result.errors > 0)
        fprintf(stderr, "%s: %" PRIu64 " errors in what is signed\n", path, result.errors);
    else if (!check->quiet)
        printf("%s: %" PRIu64 " sets, %" PRIu64 " signatures, all right; the first one ends in %" PRIu64
               " hours\n", path, result.sets, result.signatures, result.first_end / 3600);
    return result.errors == 0 ? EXIT_OK : EXIT_FAILED;
}

static int check_signatures(const struct check *check, const char *path, const struct zone *zone)
{
    struct digest *sha1 = digest_sha1_new();
    struct digest_stream *stream = digest_stream_new();
    int status = EXIT_FAILED;
    if (sha1 != NULL && stream != NULL)
        status = verify(check, path, zone, sha1, stream);
    else
        fprintf(stderr, "%s: no memory for digests\n", path);
    digest_free(sha1);
    digest_stream_free(stream);
    return status;
}

static int check_zone(const struct check *check, const char *path, const struct dns_name *name)
{
    struct zone *zone = zone_file_load(path, name);
    char text[DNS_NAME_TEXT_MAX];
    if (zone == NULL)
        return EXIT_FAILED;
    if (!check->quiet)
        printf("%s: zone %s, serial %lu, %zu records: right\n", path, dns_name_format(name, text),
               (unsigned long)zone_serial(zone), zone->record_count);
    int status = check->signatures ? check_signatures(check, path, zone) : EXIT_OK;
    zone_free(zone);
    return status;
}

static int check_path(const struct check *check, const char *path)
{
    struct dns_name name;
    if (zone_file_name(path, check->zone, &name))
        return check_zone(check, path, &name);
    if (check->signatures) {
        fprintf(stderr, "%s: expected NAME.zone, or --zone with the zone's name\n", path);
        return EXIT_FAILED;
    }
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
    uint32_t date = 0;
    if (check.date_text != NULL && !dns_parse_date(bytes_of_text(check.date_text), &date))
        return cli_wrong_usage(command, "--at: expected a date as YYYYMMDDHHmmSS");
    check.date = check.date_text != NULL ? (int64_t)date : (int64_t)time(NULL);
    if (check.zone != NULL && !dns_name_parse(bytes_of_text(check.zone), NULL, &zone))
        return cli_wrong_usage(command, "--zone: expected a domain name");
    int status = EXIT_OK;
    for (; at < argc; at++)
        if (check_path(&check, argv[at]) != EXIT_OK)
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

/* SPDX-License-Identifier: ISC */
/* command_sign.c - wholenet sign: signs a zone from its master file, once, to a file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/zone_file.h"
#include "os/entropy.h"
#include "os/memory.h"
#include "site/key_ring.h"
#include "site/site_crypto.h"
#include "wire/dns/dns_token.h"

struct sign_command {
    const char *keys, *zone, *out, *date, *salt, *serial;
    bool nsec3, opt_out, zonemd, delete_ds, quiet;
    unsigned iterations;
    usec validity, jitter;
    /* what these amount to */
    struct sign_policy policy;
    int64_t now;
    struct key_ring ring;
    struct sign_key roles[KEY_RING_MAX];
    struct digest *sha1;
    struct digest_stream *stream;
    struct prng prng;
};

static const struct cli_option options[] = {
    {"keys", 'k', "DIRECTORY", "where the keys are (.)", cli_take_text,
     offsetof(struct sign_command, keys), NULL, NULL},
    {"zone", 'z', "NAME", "the zone's name, where the file is not NAME.zone", cli_take_text,
     offsetof(struct sign_command, zone), NULL, NULL},
    {"output", 'o', "FILE", "where the signed zone goes (standard output)", cli_take_text,
     offsetof(struct sign_command, out), NULL, NULL},
    {"nsec3", '3', NULL, "deny by hashed names (NSEC3), not by names (NSEC)", cli_take_flag,
     offsetof(struct sign_command, nsec3), NULL, NULL},
    {"opt-out", 0, NULL, "with NSEC3, leave delegations without DS out", cli_take_flag,
     offsetof(struct sign_command, opt_out), NULL, NULL},
    {"salt", 0, "HEX", "of NSEC3 (none, as RFC 9276 asks for)", cli_take_text,
     offsetof(struct sign_command, salt), NULL, NULL},
    {"iterations", 0, "NUMBER", "of NSEC3 (0, as RFC 9276 asks for)", cli_take_number_or_none,
     offsetof(struct sign_command, iterations), NULL, NULL},
    {"zonemd", 0, NULL, "a digest over the whole zone (RFC 8976)", cli_take_flag,
     offsetof(struct sign_command, zonemd), NULL, NULL},
    {"validity", 0, "DURATION", "of the signatures (14d)", cli_take_duration,
     offsetof(struct sign_command, validity), NULL, NULL},
    {"jitter", 0, "DURATION", "they end up to so much earlier (an eighth of the validity)", cli_take_duration,
     offsetof(struct sign_command, jitter), NULL, NULL},
    {"serial", 0, "HOW", "keep, increment or unixtime (keep)", cli_take_text,
     offsetof(struct sign_command, serial), NULL, NULL},
    {"delete-ds", 0, NULL, "CDS and CDNSKEY that ask the parent to forget its DS (RFC 8078)",
     cli_take_flag, offsetof(struct sign_command, delete_ds), NULL, NULL},
    {"quiet", 'q', NULL, "say nothing when all is well", cli_take_flag,
     offsetof(struct sign_command, quiet), NULL, NULL},
    {"at", 0, "DATE", "as if it were that time: YYYYMMDDHHmmSS in UTC, or seconds since 1970",
     cli_take_text, offsetof(struct sign_command, date), NULL, NULL},
};

static int fail(const char *why)
{
    return cli_fail(&command_sign, EXIT_FAILED, "%s", why);
}

/* ---- the signed zone as text ---- */

struct output {
    FILE *file;
    char *line;
    size_t size;
    bool failed;
};

enum { LINE_MAX_LEN = 4 * ZONE_RDATA_MAX + 2 * DNS_NAME_TEXT_MAX + 100 };

static void write_set(struct output *out, const struct dns_name *owner, const struct rrset *rrset)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset_next(rrset, &place, &rdata)) {
        struct dns_record record = {
            .type = rrset->type, .class = DNS_IN, .ttl = rrset->ttl, .rdata = rdata};
        struct text t = text_of(out->line, out->size);
        dns_name_copy(&record.owner, owner);
        dns_record_format(&record, &t);
        text_add(&t, "\n");
        out->failed |= t.failed || fwrite(out->line, 1, t.len, out->file) != t.len;
    }
}

/* The SOA first, as transfers and readers like it. */
static void write_node(struct output *out, const struct zone *zone, const struct zone_node *node)
{
    struct dns_name owner;
    zone_node_name(zone, node, &owner);
    const struct rrset *soa = zone_rrset(node, DNS_SOA);
    if (soa != NULL)
        write_set(out, &owner, soa);
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type != DNS_SOA)
            write_set(out, &owner, rrset);
}

static int write_zone(const struct sign_command *c, const struct zone *zone)
{
    struct output out = {.file = stdout, .size = LINE_MAX_LEN, .line = malloc(LINE_MAX_LEN)};
    const struct trie *tries[] = {&zone->nodes, &zone->hashed};
    if (out.line == NULL)
        return fail("no memory");
    if (c->out != NULL)
        out.file = fopen(c->out, "we");
    if (out.file == NULL) {
        free(out.line);
        return cli_fail(&command_sign, EXIT_FAILED, "%s: %s", c->out, strerror(errno));
    }
    for (size_t i = 0; i < ARRAY_LEN(tries); i++)
        for (const struct zone_node *node = trie_first(tries[i]); node != NULL && !out.failed;
             node = trie_after(tries[i], bytes_of(node->key, node->key_len)))
            write_node(&out, zone, node);
    if (c->out != NULL && fclose(out.file) != 0)
        out.failed = true;
    free(out.line);
    return out.failed ? fail("the signed zone cannot be written") : EXIT_OK;
}

/* ---- signing ---- */

static int sign_zone(struct sign_command *c, struct signer *signer, struct zone *zone)
{
    struct sign_counters counters;
    uint32_t serial = zone_serial(zone);
    struct timespec from, to;
    if (!signer_set(signer, &c->policy, c->roles, c->ring.count))
        return fail("there are no keys in use that sign the zone and its keys "
                    "(`wholenet key make`, `wholenet key list`)");
    clock_gettime(CLOCK_MONOTONIC, &from);
    signer_start_whole(signer, zone, NULL, c->policy.serial == SIGN_SERIAL_KEEP ? NULL : &serial);
    enum sign_status status = SIGN_MORE;
    while (status == SIGN_MORE)
        status = signer_step(signer, UINT32_MAX, c->now);
    if (status == SIGN_FAILED)
        return fail(signer_error(signer));
    clock_gettime(CLOCK_MONOTONIC, &to);
    signer_counters(signer, &counters);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    if (!c->quiet)
        fprintf(stderr, "%" PRIu64 " signatures, %zu records, serial %lu, %.3f s\n", counters.made,
                zone->record_count, (unsigned long)zone_serial(zone), seconds);
    return write_zone(c, zone);
}

static int sign_file(struct sign_command *c, const char *path, const struct dns_name *name)
{
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    uint8_t seed[PRNG_SEED_LEN];
    key_ring_init(&c->ring, name, c->keys != NULL ? c->keys : ".");
    if (key_ring_read(&c->ring, &error) < 0)
        return fail(complaint);
    key_ring_roles(&c->ring, c->now, c->roles);
    if (entropy_fill(seed, sizeof seed) < 0)
        return fail("no random numbers");
    prng_init(&c->prng, seed);
    c->sha1 = digest_sha1_new();
    c->stream = digest_stream_new();
    struct sign_options sign_options = {.heap = memory_heap(), .prng = &c->prng};
    struct zone *zone = zone_file_load(path, name);
    struct signer *signer = NULL;
    int status = EXIT_FAILED;
    if (c->sha1 != NULL && c->stream != NULL) {
        site_sign_crypto_init(&sign_options.crypto, c->sha1, c->stream);
        signer = signer_new(&sign_options);
    }
    if (signer == NULL)
        status = fail("no memory");
    else if (zone != NULL)
        status = sign_zone(c, signer, zone);
    signer_free(signer);
    zone_free(zone);
    digest_free(c->sha1);
    digest_stream_free(c->stream);
    key_ring_done(&c->ring);
    return status;
}

/* ---- arguments ---- */

static bool take_salt(struct sign_command *c)
{
    struct writer w = writer_of(c->policy.salt, sizeof c->policy.salt);
    if (c->salt == NULL || strcmp(c->salt, "-") == 0)
        return true;
    if (!encoding_decode(ENCODING_BASE16, bytes_of_text(c->salt), &w) || w.failed)
        return false;
    c->policy.salt_len = (uint8_t)writer_len(&w);
    return true;
}

static bool take_serial(struct sign_command *c)
{
    static const char *const names[] = {
        [SIGN_SERIAL_INCREMENT] = "increment",
        [SIGN_SERIAL_UNIXTIME] = "unixtime",
        [SIGN_SERIAL_KEEP] = "keep",
    };
    c->policy.serial = SIGN_SERIAL_KEEP;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (c->serial != NULL && strcmp(names[i], c->serial) == 0) {
            c->policy.serial = (enum sign_serial)i;
            return true;
        }
    return c->serial == NULL;
}

/* NULL: all is well; else what was expected. */
static const char *take_arguments(struct sign_command *c)
{
    uint32_t date = 0;
    sign_policy_init(&c->policy);
    c->policy.nsec3 = c->nsec3;
    c->policy.opt_out = c->opt_out;
    c->policy.zonemd = c->zonemd;
    c->policy.delete_ds = c->delete_ds;
    if (c->opt_out && !c->nsec3)
        return "--opt-out: expected --nsec3 beside it";
    if (c->iterations > SIGN_ITERATIONS_MAX)
        return "--iterations: expected at most 100, and better 0 (RFC 9276)";
    c->policy.iterations = (uint16_t)c->iterations;
    if (!take_salt(c))
        return "--salt: expected at most 32 octets in hexadecimal, or -";
    if (!take_serial(c))
        return "--serial: expected keep, increment or unixtime";
    if (c->validity != 0)
        c->policy.validity = (uint32_t)(c->validity / USEC_PER_SEC);
    c->policy.jitter = c->jitter != 0 ? (uint32_t)(c->jitter / USEC_PER_SEC) : c->policy.validity / 8;
    c->policy.refresh = 0;
    if (c->policy.jitter >= c->policy.validity)
        return "--jitter: expected less than the validity";
    if (c->date != NULL && !dns_parse_date(bytes_of_text(c->date), &date))
        return "--at: expected a date as YYYYMMDDHHmmSS";
    c->now = c->date != NULL ? (int64_t)date : (int64_t)time(NULL);
    return NULL;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    int at;
    struct dns_name name;
    struct sign_command *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail("no memory");
    enum cli_outcome outcome = cli_read_options(command, c, argc, argv, &at);
    const char *wrong = outcome == CLI_GO_ON ? take_arguments(c) : NULL;
    int status = EXIT_OK;
    if (outcome != CLI_GO_ON)
        status = outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    else if (wrong != NULL)
        status = cli_wrong_usage(command, "%s", wrong);
    else if (argc - at != 1)
        status = cli_wrong_usage(command, "expected the master file of a zone");
    else if (!zone_file_name(argv[at], c->zone, &name))
        status = cli_wrong_usage(command, "expected NAME.zone, or --zone with the zone's name");
    else
        status = sign_file(c, argv[at], &name);
    signing_key_cleanse(c, sizeof *c);
    free(c);
    return status;
}

const struct cli_command command_sign = {
    .name = "sign",
    .usage = "[options] FILE",
    .summary = "sign a zone, once",
    .about = "Reads the master file of a zone, signs the zone by those of its keys that are in use\n"
             "(wholenet help key), and writes it. A server signs the zones that its site file says\n"
             "are to be signed by itself, and keeps them signed; this is for files that go elsewhere.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

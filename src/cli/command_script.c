/* SPDX-License-Identifier: ISC */
/* command_script.c - wholenet script: packetdrill scripts, played against our stack. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/memory.h"
#include "sim/script/script.h"
#include "stack/tcp/tcp_profile.h"
#include "wire/capture/pcapng.h"

enum {
    DEFINES_MAX = 32,
    DEPTH_MAX = 32, /* of folders */
    OCTETS_MAX = 4 << 20,
    RECORD_MAX = 70000 + PCAPNG_BLOCK_OVERHEAD,
};

struct scripts {
    const char *profile;
    const char *capture;
    unsigned tolerance;
    bool verbose, json, quiet;
    const char *defines[DEFINES_MAX];
    size_t define_count;

    bool colours;
    FILE *recording;
    bool recording_failed;
    uint32_t interface; /* in the recording: one for each script */
    json_t *array;
    unsigned counts[SCRIPT_OUTCOME_COUNT];
    unsigned unreadable;
    usec virtual;
};

/* What the public scripts take for granted: their own runner hands it to the original tool when it
 * plays them over IPv4. The cookie follows from the key that they set and the script's addresses. */
static const char *const taken_for_granted[] = {
    "TFO_COOKIE=3021b9d889017eeb",
    "CODE=host_unreachable",
    "CMSG_LEVEL_IP=SOL_IP",
    "CMSG_TYPE_RECVERR=IP_RECVERR",
};

static bool take_define(void *self, const struct cli_option *option UNUSED, const char *value,
                        struct text *error)
{
    struct scripts *scripts = self;
    if (strchr(value, '=') == NULL || value[0] == '=') {
        text_add(error, "NAME=VALUE");
        return false;
    }
    if (scripts->define_count == DEFINES_MAX) {
        text_add_format(error, "at most %zu of them", DEFINES_MAX - ARRAY_LEN(taken_for_granted));
        return false;
    }
    scripts->defines[scripts->define_count++] = value;
    return true;
}

static const struct cli_option options[] = {
    {"profile", 'p', "NAME", "how the TCP behaves: default, linux, freebsd, tiny (linux)",
     cli_take_text, offsetof(struct scripts, profile), NULL, NULL},
    {"define", 'D', "NAME=VALUE", "put VALUE wherever the word NAME stands in a script",
     take_define, 0, NULL, NULL},
    {"tolerance", 't', "USEC", "how far times may be off, where a script does not say (4000)",
     cli_take_number, offsetof(struct scripts, tolerance), NULL, NULL},
    {"capture", 'w', "FILE", "record every packet as pcapng", cli_take_text,
     offsetof(struct scripts, capture), NULL, NULL},
    {"verbose", 'v', NULL, "tell each event as it happens, and of scripts that pass",
     cli_take_flag, offsetof(struct scripts, verbose), NULL, NULL},
    {"quiet", 'q', NULL, "say nothing; only the exit status tells", cli_take_flag,
     offsetof(struct scripts, quiet), NULL, NULL},
    {"json", 'j', NULL, "print one JSON object instead of text", cli_take_flag,
     offsetof(struct scripts, json), NULL, NULL},
};

/* ---- the recording ---- */

static void record(struct scripts *scripts, struct writer *w)
{
    struct bytes block = writer_bytes(w);
    if (w->failed || fwrite(block.data, 1, block.len, scripts->recording) != block.len)
        scripts->recording_failed = true;
}

static int open_recording(struct scripts *scripts, const struct cli_command *command)
{
    uint8_t block[RECORD_MAX];
    if (scripts->capture == NULL)
        return EXIT_OK;
    scripts->recording = fopen(scripts->capture, "wbe");
    if (scripts->recording == NULL)
        return cli_fail(command, EXIT_FAILED, "%s: %s", scripts->capture, strerror(errno));
    struct writer w = writer_of(block, sizeof block);
    struct pcapng_section section = {
        .application = bytes_of_text("wholenet script"),
        .hardware = bytes_empty(), .os = bytes_empty(), .comment = bytes_empty()};
    pcapng_write_section(&w, &section);
    record(scripts, &w);
    return EXIT_OK;
}

/* Each script is an interface of its own, by the name of its file. */
static void record_script(struct scripts *scripts, const char *path)
{
    uint8_t block[RECORD_MAX];
    struct writer w = writer_of(block, sizeof block);
    struct pcapng_interface interface = {.link_type = PCAPNG_ETHERNET,
                                         .name = bytes_of_text(path),
                                         .description = bytes_empty()};
    pcapng_write_interface(&w, &interface);
    record(scripts, &w);
}

static void on_frame(void *self, usec at, bool inbound, struct bytes octets)
{
    struct scripts *scripts = self;
    uint8_t block[RECORD_MAX];
    struct writer w = writer_of(block, sizeof block);
    struct pcapng_packet packet = {
        .interface = scripts->interface,
        .timestamp = (uint64_t)at,
        .original_len = (uint32_t)octets.len,
        .direction = inbound ? PCAPNG_INBOUND : PCAPNG_OUTBOUND,
        .captured = octets,
        .comment = bytes_empty(),
    };
    pcapng_write_packet(&w, &packet);
    record(scripts, &w);
}

static int close_recording(struct scripts *scripts, const struct cli_command *command)
{
    if (scripts->recording == NULL)
        return EXIT_OK;
    bool good = fclose(scripts->recording) == 0 && !scripts->recording_failed;
    scripts->recording = NULL;
    return good ? EXIT_OK
                : cli_fail(command, EXIT_FAILED, "%s: could not be written", scripts->capture);
}

/* ---- telling ---- */

static void on_line(void *self UNUSED, struct bytes line)
{
    printf("  %.*s\n", (int)line.len, (const char *)line.data);
}

static const char *colour(const struct scripts *scripts, enum script_outcome outcome)
{
    static const char *const codes[] = {
        [SCRIPT_PASSED] = "\033[32m",
        [SCRIPT_FAILED] = "\033[31m",
        [SCRIPT_SKIPPED] = "\033[33m",
        [SCRIPT_WRONG] = "\033[31m",
    };
    return scripts->colours ? codes[outcome] : "";
}

static void print_place(const char *path, const struct script_report *report)
{
    printf("%s:", path);
    if (report->line > 0)
        printf("%u:", report->line);
    if (report->line > 0 && report->outcome == SCRIPT_WRONG)
        printf("%u:", report->column);
}

static void print_report(const struct scripts *scripts, const char *path,
                         const struct script_report *report)
{
    const char *end = scripts->colours ? "\033[0m" : "";
    if (report->outcome == SCRIPT_PASSED && !scripts->verbose)
        return;
    print_place(path, report);
    printf(" %s%s%s", colour(scripts, report->outcome), script_outcome_text(report->outcome), end);
    if (report->outcome == SCRIPT_FAILED)
        printf(" at %lld.%06lld s", (long long)(report->at / USEC_PER_SEC),
               (long long)(report->at % USEC_PER_SEC));
    const char *text = report->text;
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        printf(line == text ? ": %.*s\n" : "    %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    if (*text == '\0')
        printf("\n");
}

static void add_json(struct scripts *scripts, const char *path, const struct script_report *report)
{
    json_t *object = json_pack("{s:s, s:s, s:i, s:f, s:i}", "file", path, "outcome",
                               script_outcome_text(report->outcome), "events",
                               (int)report->events, "seconds",
                               (double)report->at / (double)USEC_PER_SEC, "line",
                               (int)report->line);
    if (report->outcome != SCRIPT_PASSED) {
        json_object_set_new(object, "column", json_integer(report->column));
        json_object_set_new(object, "message", json_string(report->text));
    }
    json_array_append_new(scripts->array, object);
}

/* ---- one script, one folder ---- */

static void play(struct scripts *scripts, const char *path)
{
    char *text;
    size_t len;
    struct script_report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return;
    int error = file_read(path, OCTETS_MAX, &text, &len);
    if (error < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(-error));
        scripts->unreadable++;
        free(report);
        return;
    }
    struct script_options options_of_run = {
        .heap = memory_heap(),
        .profile = tcp_profile_find(scripts->profile),
        .tolerance = scripts->tolerance,
        .defines = scripts->defines,
        .define_count = scripts->define_count,
        .sink = {.line = scripts->verbose && !scripts->json ? on_line : NULL,
                 .frame = scripts->recording != NULL ? on_frame : NULL,
                 .self = scripts},
    };
    if (scripts->recording != NULL)
        record_script(scripts, path);
    script_run(bytes_of(text, len), &options_of_run, report);
    scripts->interface++;
    scripts->counts[report->outcome]++;
    scripts->virtual += report->at;
    if (scripts->json)
        add_json(scripts, path, report);
    else if (!scripts->quiet)
        print_report(scripts, path, report);
    free(text);
    free(report);
}

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void visit(struct scripts *scripts, const char *path, bool named, unsigned depth)
{
    struct stat status;
    size_t len = strlen(path);
    struct dirent **entries;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        if (named || (len > 4 && strcmp(path + len - 4, ".pkt") == 0))
            play(scripts, path);
        return;
    }
    int count = depth < DEPTH_MAX ? scandir(path, &entries, is_wanted, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "%s: %s\n", path, depth < DEPTH_MAX ? strerror(errno) : "too deep");
        scripts->unreadable++;
        return;
    }
    for (int i = 0; i < count; i++) {
        char *inner;
        if (asprintf(&inner, "%s/%s", path, entries[i]->d_name) >= 0) {
            visit(scripts, inner, false, depth + 1);
            free(inner);
        }
        free(entries[i]);
    }
    free(entries);
}

static void print_summary(const struct scripts *scripts, unsigned total, usec took)
{
    printf("%u script%s: %u passed", total, total == 1 ? "" : "s", scripts->counts[SCRIPT_PASSED]);
    for (enum script_outcome i = SCRIPT_FAILED; i < SCRIPT_OUTCOME_COUNT; i++)
        if (scripts->counts[i] > 0)
            printf(", %u %s", scripts->counts[i], script_outcome_text(i));
    printf(" (%lld.%03lld s; virtual %lld s)\n", (long long)(took / USEC_PER_SEC),
           (long long)(took / USEC_PER_MSEC % 1000), (long long)(scripts->virtual / USEC_PER_SEC));
}

static void print_json(struct scripts *scripts, unsigned total)
{
    json_t *root = json_pack("{s:i, s:i, s:i, s:i, s:i, s:O}", "scripts", (int)total, "passed",
                             (int)scripts->counts[SCRIPT_PASSED], "failed",
                             (int)scripts->counts[SCRIPT_FAILED], "skipped",
                             (int)scripts->counts[SCRIPT_SKIPPED], "wrong",
                             (int)scripts->counts[SCRIPT_WRONG], "results", scripts->array);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(root);
}

static int finish(struct scripts *scripts, const struct cli_command *command, usec took)
{
    unsigned total = 0;
    for (unsigned i = 0; i < SCRIPT_OUTCOME_COUNT; i++)
        total += scripts->counts[i];
    if (scripts->json)
        print_json(scripts, total);
    else if (!scripts->quiet)
        print_summary(scripts, total, took);
    json_decref(scripts->array);
    if (close_recording(scripts, command) != EXIT_OK)
        return EXIT_FAILED;
    if (scripts->unreadable > 0)
        return EXIT_USAGE;
    if (total == 0)
        return cli_fail(command, EXIT_USAGE, "there is no .pkt file in it");
    return scripts->counts[SCRIPT_FAILED] + scripts->counts[SCRIPT_WRONG] == 0 ? EXIT_OK
                                                                               : EXIT_FAILED;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct scripts scripts = {.profile = "linux"};
    int at;
    for (size_t i = 0; i < ARRAY_LEN(taken_for_granted); i++)
        scripts.defines[scripts.define_count++] = taken_for_granted[i];
    enum cli_outcome outcome = cli_read_options(command, &scripts, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (at == argc)
        return cli_wrong_usage(command, "expected the name of a script");
    if (tcp_profile_find(scripts.profile) == NULL)
        return cli_wrong_usage(command, "there is no profile \"%s\"", scripts.profile);
    scripts.colours = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    scripts.array = json_array();
    if (open_recording(&scripts, command) != EXIT_OK) {
        json_decref(scripts.array);
        return EXIT_FAILED;
    }
    usec began_at = clock_monotonic();
    for (; at < argc; at++)
        visit(&scripts, argv[at], true, 0);
    return finish(&scripts, command, clock_monotonic() - began_at);
}

const struct cli_command command_script = {
    .name = "script",
    .usage = "[options] FILE.pkt…",
    .summary = "play packetdrill scripts against the stack, in virtual time",
    .about = "Plays packetdrill scripts: system calls, packets in, packets out, and their times. The\n"
             "stack under test is our own, in this process, and its clock goes from one event to\n"
             "the next: it needs no privileges, no device and no waiting. In a folder, every\n"
             "*.pkt is played.\n"
             "\n"
             "Of a script that fails it says the line, what was expected and what came. Ends with\n"
             "0 when all passed (or were skipped: those for IPv6), with 1 when one did not, with 2\n"
             "when a file could not be read.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

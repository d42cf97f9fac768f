/* SPDX-License-Identifier: ISC */
/* command_key.c - wholenet key: the keys that zones are signed by. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/commands.h"
#include "os/file.h"
#include "site/key_ring.h"
#include "wire/dns/dns_token.h"

struct key_command {
    const char *keys;
    const char *algorithm;
    unsigned bits;
    bool separate, zsk, ksk, json, seen;
    usec zone_ttl, key_ttl, ds_ttl, propagation;
    const char *date;
    /* what these amount to */
    uint8_t algorithm_number; /* 0: none was named */
    struct roll_policy policy;
    int64_t now;
    struct key_ring ring;
};

static const struct cli_option options[] = {
    {"keys", 'k', "DIRECTORY", "where the keys are (.)", cli_take_text,
     offsetof(struct key_command, keys), NULL, NULL},
    {"algorithm", 'a', "NAME", "make, roll: ECDSAP256SHA256, ED25519, RSASHA256 …, or a number",
     cli_take_text, offsetof(struct key_command, algorithm), NULL, NULL},
    {"bits", 'b', "NUMBER", "make, roll: of RSA keys (2048)", cli_take_number,
     offsetof(struct key_command, bits), NULL, NULL},
    {"separate", 0, NULL, "make: a key for the keys (KSK) and one for the zone (ZSK)", cli_take_flag,
     offsetof(struct key_command, separate), NULL, NULL},
    {"zsk", 0, NULL, "roll: the key that signs the zone only", cli_take_flag,
     offsetof(struct key_command, zsk), NULL, NULL},
    {"ksk", 0, NULL, "roll: the key that the parent has a DS of, KSK or CSK", cli_take_flag,
     offsetof(struct key_command, ksk), NULL, NULL},
    {"seen", 0, NULL, "ds: the parent has them now", cli_take_flag, offsetof(struct key_command, seen),
     NULL, NULL},
    {"json", 0, NULL, "list: as JSON", cli_take_flag, offsetof(struct key_command, json), NULL, NULL},
    {"zone-ttl", 0, "DURATION", "roll: the largest TTL in the zone (1d)", cli_take_duration,
     offsetof(struct key_command, zone_ttl), NULL, NULL},
    {"key-ttl", 0, "DURATION", "roll: the TTL of the keys (1h)", cli_take_duration,
     offsetof(struct key_command, key_ttl), NULL, NULL},
    {"ds-ttl", 0, "DURATION", "roll: the TTL of the parent's DS (1d)", cli_take_duration,
     offsetof(struct key_command, ds_ttl), NULL, NULL},
    {"propagation", 0, "DURATION", "roll: until all servers have what the first has (1h)",
     cli_take_duration, offsetof(struct key_command, propagation), NULL, NULL},
    {"at", 0, "DATE", "as if it were that time: YYYYMMDDHHmmSS in UTC, or seconds since 1970",
     cli_take_text, offsetof(struct key_command, date), NULL, NULL},
};

static int fail(const char *why)
{
    return cli_fail(&command_key, EXIT_FAILED, "%s", why);
}

static void format_time(int64_t seconds, char out[32])
{
    time_t when = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&when, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, 32, "%" PRId64, seconds);
}

/* ---- make ---- */

static int make_one(struct key_command *k, bool sep, size_t *index)
{
    uint8_t algorithm = k->algorithm_number != 0 ? k->algorithm_number : 13;
    int result = key_ring_make(&k->ring, algorithm, k->bits, sep, k->now, index);
    if (result == -ENOSPC)
        return fail("there are 16 keys of that zone already");
    if (result == -EINVAL)
        return fail("--bits: expected 1024 to 4096");
    return result < 0 ? fail("no key could be made") : EXIT_OK;
}

static void print_stem(const struct key_command *k, size_t index)
{
    char stem[1100];
    struct text t = text_of(stem, sizeof stem);
    key_ring_stem(&k->ring, &k->ring.keys[index], &t);
    printf("%s\n", stem);
}

static int write_ring(struct key_command *k)
{
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    return key_ring_write(&k->ring, &error) < 0 ? fail(complaint) : EXIT_OK;
}

static bool has_live_keys(const struct key_command *k)
{
    for (size_t i = 0; i < k->ring.count; i++)
        if (roll_state_of(&k->ring.keys[i].roll, k->now) != ROLL_REMOVED)
            return true;
    return false;
}

static int run_make(struct key_command *k, int argc UNUSED, char **argv UNUSED)
{
    size_t index;
    if (has_live_keys(k))
        return fail("the zone has keys: `wholenet key roll` lets others take over");
    for (unsigned i = 0; i < (k->separate ? 2u : 1u); i++) {
        if (make_one(k, i == 0, &index) != EXIT_OK)
            return EXIT_FAILED;
        roll_begin(&k->ring.keys[index].roll, k->now);
        print_stem(k, index);
    }
    return write_ring(k);
}

/* ---- list ---- */

static struct roll_next look_ahead(struct key_command *k, struct roll_key rolls[KEY_RING_MAX])
{
    struct roll_next next;
    key_ring_rolls(&k->ring, rolls);
    roll_advance(rolls, k->ring.count, &k->policy, k->now, &next);
    return next;
}

static json_t *times_as_json(const struct roll_key *key)
{
    json_t *times = json_object();
    for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++) {
        char text[32];
        if (key->times[i] == 0)
            continue;
        format_time(key->times[i], text);
        json_object_set_new(times, dns_key_time_name((enum dns_key_time)i), json_string(text));
    }
    return times;
}

static json_t *key_as_json(const struct key_command *k, const struct roll_key *rolls, size_t i)
{
    const struct roll_key *key = &rolls[i];
    struct sign_key roles[KEY_RING_MAX];
    const char *algorithm = dns_algorithm_name(key->algorithm);
    roll_roles(rolls, k->ring.count, k->now, roles);
    return json_pack("{s:i s:s s:s s:i s:i s:s s:b s:b s:b s:b s:o}", "tag", (int)key->tag, "role",
                     roll_role_name(rolls, k->ring.count, i, k->now), "algorithm",
                     algorithm != NULL ? algorithm : "?", "flags", (int)key->flags, "bits",
                     (int)signing_key_bits(k->ring.keys[i].secret), "state",
                     roll_state_name(roll_state_of(key, k->now)), "published",
                     (int)roles[i].published, "signs_keys", (int)roles[i].signs_keys, "signs_zone",
                     (int)roles[i].signs_zone, "cds", (int)roles[i].synced, "times",
                     times_as_json(key));
}

static int list_as_json(const struct key_command *k, const struct roll_key *rolls,
                        const struct roll_next *next)
{
    char zone[DNS_NAME_TEXT_MAX], text[32];
    json_t *keys = json_array();
    for (size_t i = 0; i < k->ring.count; i++)
        json_array_append_new(keys, key_as_json(k, rolls, i));
    json_t *root = json_pack("{s:s s:o s:b}", "zone", dns_name_format(&k->ring.zone, zone), "keys",
                             keys, "waits_for_ds", (int)next->waits_for_ds);
    if (root == NULL)
        return fail("no memory");
    if (next->at != INT64_MAX) {
        format_time(next->at, text);
        json_object_set_new(root, "next", json_string(text));
    }
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return EXIT_OK;
}

/* What happens to the key by itself, the next thing first. */
static void print_plan(const struct roll_key *key, int64_t now)
{
    int64_t last = now;
    for (;;) {
        size_t which = DNS_KEY_TIME_COUNT;
        for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++)
            if (key->times[i] > last &&
                (which == DNS_KEY_TIME_COUNT || key->times[i] < key->times[which]))
                which = i;
        if (which == DNS_KEY_TIME_COUNT)
            return;
        char text[32];
        last = key->times[which];
        format_time(last, text);
        printf("       %s  %s\n", text, dns_key_time_name((enum dns_key_time)which));
    }
}

static int run_list(struct key_command *k, int argc UNUSED, char **argv UNUSED)
{
    struct roll_key rolls[KEY_RING_MAX];
    struct roll_next next = look_ahead(k, rolls);
    if (k->json)
        return list_as_json(k, rolls, &next);
    if (k->ring.count == 0)
        printf("no keys\n");
    for (size_t i = 0; i < k->ring.count; i++) {
        const struct roll_key *key = &rolls[i];
        const char *algorithm = dns_algorithm_name(key->algorithm);
        printf("%5u  %s  %-15s  %s", (unsigned)key->tag,
               roll_role_name(rolls, k->ring.count, i, k->now), algorithm != NULL ? algorithm : "?",
               roll_state_name(roll_state_of(key, k->now)));
        if (key->has_successor)
            printf(", %u takes over", (unsigned)key->successor);
        printf("%s\n", k->ring.keys[i].open_to_others ? "  (its secret can be read by others!)" : "");
        print_plan(key, k->now);
    }
    if (next.waits_for_ds)
        printf("The parent has to get the DS: `wholenet key ds` tells it; when it is there, "
               "`wholenet key ds --seen`.\n");
    return EXIT_OK;
}

/* ---- roll ---- */

/* The key in use with (or without) the flag SEP that has no successor; NULL: none. */
static struct key_ring_key *find_live(struct key_command *k, bool sep)
{
    struct key_ring_key *found = NULL;
    for (size_t i = 0; i < k->ring.count; i++) {
        struct roll_key *key = &k->ring.keys[i].roll;
        if (((key->flags & ROLL_KEY_SEP) != 0) == sep && !key->has_successor &&
            roll_state_of(key, k->now) == ROLL_ACTIVE)
            found = &k->ring.keys[i];
    }
    return found;
}

/* A roll that is under way must end before another begins. */
static bool is_rolling(const struct key_command *k, bool sep)
{
    for (size_t i = 0; i < k->ring.count; i++) {
        const struct roll_key *key = &k->ring.keys[i].roll;
        enum roll_state state = roll_state_of(key, k->now);
        if (((key->flags & ROLL_KEY_SEP) != 0) == sep && key->has_successor && state != ROLL_REMOVED)
            return true;
    }
    return false;
}

static int roll_one(struct key_command *k, bool sep)
{
    size_t old, next;
    struct key_ring_key *live = find_live(k, sep);
    if (is_rolling(k, sep))
        return fail("a roll is under way: `wholenet key list` tells how far it is");
    if (live == NULL)
        return fail(sep ? "there is no KSK or CSK in use" : "there is no ZSK in use");
    old = (size_t)(live - k->ring.keys);
    uint8_t algorithm = live->roll.algorithm;
    bool same = k->algorithm_number == 0 || k->algorithm_number == algorithm;
    if (k->algorithm_number == 0)
        k->algorithm_number = algorithm;
    int status = make_one(k, sep, &next);
    if (same)
        k->algorithm_number = 0;
    if (status != EXIT_OK)
        return status;
    struct roll_key *a = &k->ring.keys[old].roll;
    struct roll_key *b = &k->ring.keys[next].roll;
    if (!same)
        roll_algorithm(a, b, &k->policy, k->now);
    else if (sep)
        roll_ksk(a, b, k->now);
    else
        roll_zsk(a, b, &k->policy, k->now);
    print_stem(k, next);
    return EXIT_OK;
}

/* Another algorithm is for all keys of the zone at once. */
static int run_roll(struct key_command *k, int argc UNUSED, char **argv UNUSED)
{
    const struct key_ring_key *zsk = find_live(k, false);
    const struct key_ring_key *ksk = find_live(k, true);
    bool other = k->algorithm_number != 0 && ksk != NULL &&
                 ksk->roll.algorithm != k->algorithm_number;
    if (k->zsk && k->ksk)
        return cli_wrong_usage(&command_key, "expected --zsk or --ksk, one at a time");
    if (!other && k->algorithm_number != 0 && !k->zsk && !k->ksk)
        return fail("the zone is signed by that algorithm: expected --zsk or --ksk");
    if (!other && !k->zsk && !k->ksk && zsk != NULL)
        return cli_wrong_usage(&command_key, "the zone has both: expected --zsk or --ksk");
    int status = EXIT_OK;
    if (other || (!k->zsk))
        status = roll_one(k, true);
    if (status == EXIT_OK && (k->zsk || (other && zsk != NULL)))
        status = roll_one(k, false);
    return status == EXIT_OK ? write_ring(k) : status;
}

/* ---- ds ---- */

static bool wants_ds(const struct roll_key *key, int64_t now)
{
    enum roll_state state = roll_state_of(key, now);
    int64_t until = key->times[DNS_KEY_SYNC_DELETE];
    int64_t from = key->times[DNS_KEY_SYNC_PUBLISH];
    return (key->flags & ROLL_KEY_SEP) != 0 && state != ROLL_REMOVED && state != ROLL_RETIRED &&
           (from == 0 ? state == ROLL_ACTIVE : from <= now) && (until == 0 || now < until);
}

static int print_ds(const struct key_command *k, const struct key_ring_key *key)
{
    uint8_t rdata[4 + 64];
    char line[DNS_NAME_TEXT_MAX + 200];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct text t = text_of(line, sizeof line);
    if (!key_ring_ds(&k->ring, key, 2, &w)) /* SHA-256: RFC 8624 §3.3 */
        return fail("there is no SHA-256");
    struct dns_record record = {.type = DNS_DS, .class = DNS_IN, .rdata = writer_bytes(&w)};
    record.owner = k->ring.zone;
    record.ttl = k->policy.ds_ttl;
    dns_record_format(&record, &t);
    printf("%s\n", line);
    return EXIT_OK;
}

static int run_ds(struct key_command *k, int argc UNUSED, char **argv UNUSED)
{
    struct roll_key rolls[KEY_RING_MAX];
    struct roll_next next;
    int status = EXIT_OK;
    for (size_t i = 0; i < k->ring.count && status == EXIT_OK; i++) {
        if (!wants_ds(&k->ring.keys[i].roll, k->now))
            continue;
        status = print_ds(k, &k->ring.keys[i]);
        if (k->seen)
            (void)roll_ds_seen(&k->ring.keys[i].roll, k->now);
    }
    if (!k->seen || status != EXIT_OK)
        return status;
    key_ring_rolls(&k->ring, rolls);
    roll_advance(rolls, k->ring.count, &k->policy, k->now, &next);
    key_ring_set_rolls(&k->ring, rolls);
    return write_ring(k);
}

/* ---- import ---- */

static int run_import(struct key_command *k, int argc, char **argv)
{
    if (argc == 0)
        return cli_wrong_usage(&command_key, "expected files to import");
    for (int i = 0; i < argc; i++) {
        char complaint[PATH_MAX + 200] = "";
        struct text error = text_of(complaint, sizeof complaint);
        size_t index;
        if (key_ring_import(&k->ring, argv[i], &index, &error) < 0)
            return fail(complaint);
        print_stem(k, index);
    }
    return write_ring(k);
}

/* ---- the command ---- */

static const struct verb {
    const char *name;
    int (*run)(struct key_command *k, int argc, char **argv);
    bool takes_files;
} verbs[] = {
    {"make", run_make, false}, {"list", run_list, false}, {"roll", run_roll, false},
    {"ds", run_ds, false},     {"import", run_import, true},
};

static uint32_t seconds_of(usec duration, uint32_t otherwise)
{
    return duration != 0 ? (uint32_t)(duration / USEC_PER_SEC) : otherwise;
}

static bool take_arguments(struct key_command *k, const char *zone_text)
{
    struct dns_name zone;
    uint32_t seconds = 0;
    struct roll_policy *p = &k->policy;
    if (!dns_name_parse(bytes_of_text(zone_text), NULL, &zone)) {
        (void)cli_wrong_usage(&command_key, "\"%s\": expected the name of a zone", zone_text);
        return false;
    }
    if (k->algorithm != NULL &&
        !dns_algorithm_parse(bytes_of_text(k->algorithm), &k->algorithm_number)) {
        (void)cli_wrong_usage(&command_key, "--algorithm: expected RSASHA256, RSASHA512, "
                                            "ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or ED448");
        return false;
    }
    if (k->date != NULL && !dns_parse_date(bytes_of_text(k->date), &seconds)) {
        (void)cli_wrong_usage(&command_key, "--at: expected a date as YYYYMMDDHHmmSS");
        return false;
    }
    k->now = k->date != NULL ? (int64_t)seconds : (int64_t)time(NULL);
    roll_policy_init(p);
    p->zone_ttl = seconds_of(k->zone_ttl, p->zone_ttl);
    p->key_ttl = seconds_of(k->key_ttl, p->key_ttl);
    p->ds_ttl = seconds_of(k->ds_ttl, p->ds_ttl);
    p->propagation = p->parent_propagation = seconds_of(k->propagation, p->propagation);
    key_ring_init(&k->ring, &zone, k->keys != NULL ? k->keys : ".");
    return true;
}

static int act(struct key_command *k, const struct verb *verb, int argc, char **argv)
{
    char complaint[PATH_MAX + 200] = "";
    struct text error = text_of(complaint, sizeof complaint);
    bool reads_only = verb->run == run_list || (verb->run == run_ds && !k->seen);
    CLOSE_AT_END int lock = -1;
    if (!reads_only && (lock = key_ring_lock(k->ring.directory)) < 0)
        return cli_fail(&command_key, EXIT_FAILED, "%s: %s", k->ring.directory, strerror(-lock));
    if (key_ring_read(&k->ring, &error) < 0)
        return fail(complaint);
    return verb->run(k, argc, argv);
}

/* Options may stand anywhere: what is none goes to `operands`. */
static enum cli_outcome read_all(const struct cli_command *command, struct key_command *k, int argc,
                                 char **argv, char **operands, int *count)
{
    *count = 0;
    for (;;) {
        int at;
        enum cli_outcome outcome = cli_read_options(command, k, argc, argv, &at);
        if (outcome != CLI_GO_ON || at == argc)
            return outcome;
        operands[(*count)++] = argv[at];
        argc -= at;
        argv += at;
    }
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    int count;
    struct key_command *k = calloc(1, sizeof *k);
    char **operands = calloc((size_t)argc + 1, sizeof *operands);
    if (k == NULL || operands == NULL) {
        free(k);
        free(operands);
        return fail("no memory");
    }
    enum cli_outcome outcome = read_all(command, k, argc, argv, operands, &count);
    const struct verb *verb = count > 0 ? find_verb(operands[0]) : NULL;
    int status;
    if (outcome != CLI_GO_ON)
        status = outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    else if (verb == NULL)
        status = cli_wrong_usage(command, "expected make, list, roll, ds or import");
    else if (count < 2 || (count > 2 && !verb->takes_files))
        status = cli_wrong_usage(command, "%s: expected the name of a zone", verb->name);
    else if (!take_arguments(k, operands[1]))
        status = cli_usage_status(command);
    else
        status = act(k, verb, count - 2, operands + 2);
    key_ring_done(&k->ring);
    signing_key_cleanse(k, sizeof *k);
    free(k);
    free(operands);
    return status;
}

const struct cli_command command_key = {
    .name = "key",
    .usage = "[options] make|list|roll|ds|import ZONE [FILE…]",
    .summary = "the keys that a zone is signed by",
    .about =
        "make    makes the zone's first key, which signs all (CSK), or a pair\n"
        "list    says what each key does, and what becomes of it when\n"
        "roll    makes a key that takes over from the one in use: at the times that the key files\n"
        "        then have, by the server, by itself; a key that the parent has a DS of waits for that\n"
        "ds      prints the DS records that the parent is to have; --seen: it has them\n"
        "import  takes keys over from the files of others (dnssec-keygen, ldns-keygen)\n\n"
        "Keys are in the files that other tools have too: Kexample.org.+013+12345.key and .private.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};

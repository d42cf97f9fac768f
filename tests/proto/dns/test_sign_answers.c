/* SPDX-License-Identifier: ISC */
/*
 * test_sign_answers.c - random zones, signed in each way, then changed and signed on: whatever is asked for, of names
 * that exist and names that do not, the answer is one that a validator believes. A failing seed is told, and the
 * program takes one as an argument.
 *
 * Signatures are digests here: those of OpenSSL would take most of the time, and have tests of their own.
 */
#include "os/signature.h"
#include "proto/dns/answer.h"
#include "tests/support/check.h"
#include "tests/support/dns_sign.h"
#include "tests/support/dns_text.h"

#define NOW DNS_SIGN_NOW

enum { ROUNDS = 300, CHANGES = 12, RECORDS_MAX = 40, SETS_MAX = 64, LIST_MAX = 8192 };

static struct dns_sign d;
static struct prng prng;
static uint64_t seed_wanted;
static uint8_t scratch[VALIDATE_SCRATCH_LEN];

/* ---- signatures that are quick ---- */

static size_t quick_sign(void *self UNUSED, void *secret, struct bytes data,
                         uint8_t out[SIGN_SIGNATURE_MAX])
{
    const struct bytes *key = secret;
    return signature_digest(2, *key, data, out);
}

static enum validate_check quick_verify(void *self UNUSED, uint8_t algorithm UNUSED, struct bytes key,
                                        struct bytes data, struct bytes signature)
{
    uint8_t want[SIGNATURE_DIGEST_MAX];
    size_t len = signature_digest(2, key, data, want);
    return bytes_equal(bytes_of(want, len), signature) ? VALIDATE_RIGHT : VALIDATE_WRONG;
}

static uint8_t key_rdata[] = {1, 1, 3, 13, 'a', ' ', 'k', 'e', 'y'};
static struct bytes key_octets = {key_rdata + 4, sizeof key_rdata - 4};

/* ---- random zones ---- */

static void random_name(struct text *t)
{
    static const char *const labels[] = {"a", "b", "c", "*", "aa", "ab", "\\000", "\\255", "z", "B"};
    unsigned depth = prng_below(&prng, 4);
    if (depth == 0)
        text_add(t, prng_below(&prng, 3) == 0 ? "@" : labels[prng_below(&prng, ARRAY_LEN(labels))]);
    for (unsigned i = 0; i < depth; i++)
        text_add_format(t, "%s%s", i > 0 ? "." : "", labels[prng_below(&prng, ARRAY_LEN(labels))]);
}

static bool random_record(uint8_t *room, size_t size, struct dns_record *out)
{
    static const char *const what[] = {
        "A 192.0.2.1",  "A 192.0.2.2", "TXT text", "AAAA 2001:db8::1", "MX 1 a", "NS ns.b", "NS elsewhere.",
        "CNAME a.b",    "CNAME x.c",   "DNAME b",  "TYPE65280 \\# 1 00", "PTR z",
        "DS 1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    };
    char line[512];
    struct text t = text_of(line, sizeof line);
    random_name(&t);
    text_add_format(&t, " %s", what[prng_below(&prng, ARRAY_LEN(what))]);
    *out = dns_sign_record("example.", line, room, size);
    struct dns_name apex = dns_text_name("example.");
    /* a delegation of a wildcard, or the apex as an alias or with a DS, is nothing that is served */
    bool at_apex = dns_name_equal(&out->owner, &apex);
    return !(out->type == DNS_NS && out->owner.octets[1] == '*') &&
           !(at_apex && (out->type == DNS_DS || out->type == DNS_DNAME || out->type == DNS_NS));
}

static struct zone *random_zone(void)
{
    static const char *const first[] = {"@ SOA ns host 1 7200 3600 86400 300", "@ NS ns", "ns A 192.0.2.1", NULL};
    struct zone *zone = dns_sign_zone(&d, "example.", first);
    unsigned count = prng_below(&prng, RECORDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        uint8_t room[256];
        struct dns_record record;
        if (random_record(room, sizeof room, &record) && zone_put(zone, &record) != ZONE_OK)
            continue;
    }
    return zone;
}

/* ---- replies ---- */

struct set {
    struct dns_name owner;
    uint16_t type;
    enum dns_section section;
    uint8_t records[LIST_MAX], signatures[LIST_MAX];
    size_t records_len, signatures_len;
};

static struct reply {
    struct set sets[SETS_MAX];
    size_t set_count;
    uint8_t proof[4 * LIST_MAX]; /* the authority section */
    size_t proof_len;
    unsigned rcode;
    bool authoritative;
} reply;

static struct set *set_of(enum dns_section section, const struct dns_name *owner, uint16_t type)
{
    for (size_t i = 0; i < reply.set_count; i++) {
        struct set *set = &reply.sets[i];
        if (set->section == section && set->type == type && dns_name_equal(&set->owner, owner))
            return set;
    }
    return NULL;
}

static struct set *get_set(enum dns_section section, const struct dns_name *owner, uint16_t type)
{
    struct set *set = set_of(section, owner, type);
    if (set != NULL)
        return set;
    assert_true(reply.set_count < SETS_MAX);
    set = &reply.sets[reply.set_count++];
    set->owner = *owner;
    set->type = type;
    set->section = section;
    set->records_len = set->signatures_len = 0;
    return set;
}

static void take_record(const struct dns_rr *rr, struct bytes message)
{
    uint8_t rdata[2048];
    struct writer w = writer_of(rdata, sizeof rdata);
    assert_int_equal(dns_rdata_expand(rr->type, message, rr->rdata, &w), WIRE_OK);
    bool signature = rr->type == DNS_RRSIG;
    uint16_t type = signature ? (uint16_t)(rdata[0] << 8 | rdata[1]) : rr->type;
    struct set *set = get_set(rr->section, &rr->owner, type);
    uint8_t *list = signature ? set->signatures : set->records;
    size_t *len = signature ? &set->signatures_len : &set->records_len;
    struct writer out = writer_of(list + *len, LIST_MAX - *len);
    cache_write_rdata(&out, writer_bytes(&w));
    assert_false(out.failed);
    *len += writer_len(&out);
    if (rr->section != DNS_AUTHORITY)
        return;
    out = writer_of(reply.proof + reply.proof_len, sizeof reply.proof - reply.proof_len);
    cache_write_record(&out, &(struct cache_record){rr->owner, rr->type, rr->ttl, writer_bytes(&w)});
    assert_false(out.failed);
    reply.proof_len += writer_len(&out);
}

static void ask(const struct zone_set *set, const struct dns_name *name, uint16_t type)
{
    static uint8_t query[512], buffer[65535];
    static struct answer_result result;
    struct dns_builder b;
    struct dns_question question = {*name, type, DNS_IN};
    struct dns_edns edns = {
        .present = true, .dnssec_ok = true, .udp_size = 4096, .options = bytes_empty()};
    struct answer_options options = {.zones = set, .sha1 = &d.options.crypto.sha1};
    struct answer_path path = {.stream = true, .size_max = 65535};
    dns_build_start(&b, query, sizeof query);
    assert_true(dns_build_question(&b, &question));
    assert_true(dns_build_edns(&b, &edns));
    answer(&options, dns_build_finish(&b, 1, 0), &path, buffer, &result);
    assert_int_equal(result.verdict, ANSWER_REPLY);
    struct dns_cursor cursor;
    struct dns_rr rr;
    reply.set_count = reply.proof_len = 0;
    assert_int_equal(dns_cursor_start(&cursor, result.reply), WIRE_OK);
    while (dns_cursor_question(&cursor, &question))
        continue;
    reply.rcode = result.rcode;
    reply.authoritative = (cursor.header.flags & DNS_AA) != 0;
    while (dns_cursor_record(&cursor, &rr))
        if (rr.type != DNS_OPT)
            take_record(&rr, result.reply);
}

/* ---- is it believed? ---- */

static bool opt_out;
static char asked[2 * DNS_NAME_TEXT_MAX];

static void believe(const char *what, struct validate_outcome outcome, bool may_be_insecure)
{
    if (outcome.security == CACHE_SECURE || (outcome.security == CACHE_INSECURE && may_be_insecure && opt_out))
        return;
    fail_msg("%s: %s: verdict %d (%u)", asked, what, (int)outcome.security, (unsigned)outcome.ede);
}

static struct validate_context context(void)
{
    struct validate_context v;
    validate_init(&v, &d.validate, NOW, scratch);
    return v;
}

/* A set of the answer, with what shows that a wildcard was right. */
static void believe_set(const struct set *set, const struct validate_zone *zone)
{
    struct validate_context v = context();
    struct validate_set what = {&set->owner, set->type, bytes_of(set->records, set->records_len),
                                bytes_of(set->signatures, set->signatures_len)};
    unsigned labels = 0;
    struct dns_labels have;
    believe("a set", validate_set(&v, &what, zone, &labels), false);
    dns_name_labels(&set->owner, &have);
    bool wildcard = set->owner.octets[0] == 1 && set->owner.octets[1] == '*';
    if (labels < have.count - (wildcard ? 1u : 0u))
        believe("a wildcard", validate_wildcard(&v, zone, &set->owner, labels,
                                                bytes_of(reply.proof, reply.proof_len)), true);
}

static struct set *find_dname(const struct dns_name *name)
{
    for (size_t i = 0; i < reply.set_count; i++)
        if (reply.sets[i].section == DNS_ANSWER && reply.sets[i].type == DNS_DNAME &&
            dns_name_within(name, &reply.sets[i].owner) && !dns_name_equal(name, &reply.sets[i].owner))
            return &reply.sets[i];
    return NULL;
}

static bool target_of(const struct set *set, struct dns_name *out)
{
    struct reader r = reader_of(bytes_of(set->records, set->records_len));
    struct bytes rdata;
    return cache_read_rdata(&r, &rdata) && dns_name_from_wire(rdata, out);
}

static void believe_referral(const struct validate_zone *zone)
{
    struct validate_context v = context();
    for (size_t i = 0; i < reply.set_count; i++) {
        const struct set *set = &reply.sets[i];
        if (set->section != DNS_AUTHORITY || set->type != DNS_NS)
            continue;
        assert_int_equal(set->signatures_len, 0);
        const struct set *ds = set_of(DNS_AUTHORITY, &set->owner, DNS_DS);
        if (ds != NULL)
            believe_set(ds, zone);
        else
            believe("no DS", validate_nodata(&v, zone, &set->owner, DNS_DS,
                                             bytes_of(reply.proof, reply.proof_len)), true);
        return;
    }
    fail_msg("%s: neither an answer nor a referral", asked);
}

/* Goes along the aliases of the answer to its end, which is data, a referral or nothing. */
static void believe_reply(struct dns_name name, uint16_t type, const struct validate_zone *zone)
{
    struct bytes proof = bytes_of(reply.proof, reply.proof_len);
    for (unsigned step = 0; step < ANSWER_CHAIN_MAX; step++) {
        const struct set *set = set_of(DNS_ANSWER, &name, type);
        const struct set *alias = set_of(DNS_ANSWER, &name, DNS_CNAME);
        const struct set *dname = find_dname(&name);
        if (dname != NULL)
            believe_set(dname, zone);
        if (set != NULL && (dname == NULL || type != DNS_CNAME)) {
            believe_set(set, zone);
            return;
        }
        if (alias == NULL)
            break;
        if (dname == NULL)
            believe_set(alias, zone);
        if (type == DNS_CNAME)
            return;
        assert_true(target_of(alias, &name));
        if (!dns_name_within(&name, zone->name))
            return;
    }
    struct validate_context v = context();
    if (set_of(DNS_ANSWER, &name, DNS_CNAME) != NULL || reply.rcode == DNS_YXDOMAIN)
        return; /* a chain without an end, or a name too long */
    if (set_of(DNS_AUTHORITY, zone->name, DNS_SOA) == NULL)
        believe_referral(zone);
    else if (reply.rcode == DNS_NXDOMAIN)
        believe("no such name", validate_nxdomain(&v, zone, &name, proof), true);
    else
        believe("nothing of the type", validate_nodata(&v, zone, &name, type, proof), true);
}

static void check_name(const struct zone_set *set, const struct dns_name *name, const struct validate_zone *zone)
{
    static const uint16_t types[] = {DNS_A, DNS_TXT, DNS_NS, DNS_DS, DNS_CNAME, DNS_MX, DNS_SOA, DNS_NSEC, 65280};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char text[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
        struct dns_name apex = dns_text_name("example.");
        if (types[i] == DNS_DS && dns_name_equal(name, &apex))
            continue; /* the parent's */
        if (types[i] == DNS_NSEC && dns_name_equal(name, &apex))
            continue;
        snprintf(asked, sizeof asked, "seed %ju: %s %s", (uintmax_t)seed_wanted,
                 dns_name_format(name, text), dns_type_format(types[i], type));
        ask(set, name, types[i]);
        if (reply.rcode == DNS_SERVFAIL)
            continue; /* aliases in a circle */
        if (reply.rcode != DNS_NOERROR && reply.rcode != DNS_NXDOMAIN && reply.rcode != DNS_YXDOMAIN)
            fail_msg("%s: RCODE %u", asked, reply.rcode);
        if (types[i] != DNS_NSEC || set_of(DNS_ANSWER, name, DNS_NSEC) == NULL)
            believe_reply(*name, types[i], zone);
    }
}

/* Each name of the zone, and some beside and below it. */
static void check_zone(const struct zone_set *set, const struct zone *zone)
{
    uint8_t keys[sizeof key_rdata + 8];
    struct writer w = writer_of(keys, sizeof keys);
    cache_write_rdata(&w, bytes_of(key_rdata, sizeof key_rdata));
    struct validate_zone validated = {&zone->name, writer_bytes(&w)};
    const struct zone_node *node = trie_first(&zone->nodes);
    for (; node != NULL; node = trie_after(&zone->nodes, bytes_of(node->key, node->key_len))) {
        static const char *const below[] = {"!", "m", "*", "\\255"};
        struct dns_name name, child;
        zone_node_name(zone, node, &name);
        check_name(set, &name, &validated);
        struct dns_name label = dns_text_name(below[prng_below(&prng, ARRAY_LEN(below))]);
        if (dns_name_child(dns_name_label(&label, 0), &name, &child))
            check_name(set, &child, &validated);
    }
    for (unsigned i = 0; i < 4; i++) {
        char line[256];
        struct text t = text_of(line, sizeof line);
        struct dns_name name, origin = dns_text_name("example.");
        random_name(&t);
        assert_true(dns_name_parse(text_bytes(&t), &origin, &name));
        check_name(set, &name, &validated);
    }
}

static struct sign_policy random_policy(void)
{
    struct sign_policy policy;
    sign_policy_init(&policy);
    policy.nsec3 = prng_below(&prng, 3) > 0;
    policy.opt_out = policy.nsec3 && prng_below(&prng, 2) == 0;
    policy.iterations = prng_below(&prng, 3) == 0 ? 2 : 0;
    policy.salt_len = (uint8_t)(prng_below(&prng, 2) * 3);
    opt_out = policy.opt_out;
    return policy;
}

static void change(struct signer *signer, struct zone_set *set, struct zone *zone)
{
    uint8_t room[256];
    struct dns_record record;
    struct sign_touched touched;
    size_t before = zone->record_count;
    if (!random_record(room, sizeof room, &record))
        return;
    bool done = prng_below(&prng, 2) == 0 ? zone_drop(zone, &record) : zone_put(zone, &record) == ZONE_OK;
    if (!done)
        return;
    touched.owner = record.owner;
    touched.type = record.type;
    if (signer_update(signer, zone, &touched, 1, NOW) != SIGN_DONE)
        fail_msg("seed %ju: %s", (uintmax_t)seed_wanted, signer_error(signer));
    zone_set_recount(set, before, zone->record_count);
}

static void one_zone(uint64_t seed)
{
    struct sign_key key = {.rdata = bytes_of(key_rdata, sizeof key_rdata), .published = true,
                           .signs_keys = true, .signs_zone = true, .secret = &key_octets};
    seed_wanted = seed;
    prng_init_number(&prng, seed);
    struct sign_policy policy = random_policy();
    struct zone *zone = random_zone();
    struct zone_set *set = zone_set_new(&d.heap, 10000);
    struct zone *old;
    struct signer *signer = signer_new(&d.options);
    assert_true(signer_set(signer, &policy, &key, 1));
    dns_sign_whole(signer, zone, NULL, NULL, NOW);
    assert_int_equal(zone_set_install(set, zone, &old), ZONE_OK);
    check_zone(set, zone);
    for (unsigned i = 0; i < CHANGES; i++) {
        change(signer, set, zone);
        if (dns_sign_verify(&d, zone, NOW) > 0)
            fail_msg("seed %ju: after change %u:\n%s", (uintmax_t)seed, i, d.complaints);
    }
    check_zone(set, zone);
    signer_free(signer);
    zone_set_free(set);
}

static void whatever_is_asked_the_answer_is_believed(void **state UNUSED)
{
    if (seed_wanted != 0) {
        one_zone(seed_wanted);
        return;
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        one_zone(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_is_asked_the_answer_is_believed)};
    seed_wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    dns_sign_init(&d, 1);
    d.options.crypto.sign = quick_sign;
    d.validate.verify = quick_verify;
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    dns_sign_done(&d);
    return result;
}

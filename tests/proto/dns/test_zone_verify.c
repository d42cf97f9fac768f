/* SPDX-License-Identifier: ISC */
/* test_zone_verify.c - signed zones that are broken in one way each: every one is found. */
#include "proto/dns/zone_verify.h"

#include "tests/support/check.h"
#include "tests/support/dns_sign.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_bitmap.h"

#define NOW DNS_SIGN_NOW

static struct dns_sign d;
static struct dns_sign_key csk, other;

static const char *const lines[] = {
    "@ SOA ns host 1 7200 3600 86400 300",
    "@ NS ns",
    "ns A 192.0.2.1",
    "mail A 192.0.2.2",
    "mail TXT two",
    "*.w TXT wild",
    "a.b.c A 192.0.2.3",
    "open NS ns.open",
    "ns.open A 192.0.2.5",
    "shut NS ns.shut",
    "shut DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "ns.shut A 192.0.2.7",
    NULL,
};

/* The whole zone as records, which can be tampered with. */
enum { RECORDS_MAX = 200 };
struct record {
    struct dns_name owner;
    uint16_t type;
    uint32_t ttl;
    size_t len;
    uint8_t rdata[600];
    bool gone;
};
static struct record records[RECORDS_MAX];
static size_t record_count;

static void take_records(const struct zone *zone)
{
    const struct trie *tries[] = {&zone->nodes, &zone->hashed};
    record_count = 0;
    for (size_t i = 0; i < 2; i++)
        for (const struct zone_node *node = trie_first(tries[i]); node != NULL;
             node = trie_after(tries[i], bytes_of(node->key, node->key_len)))
            for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
                struct rrset_place place = {0};
                struct bytes rdata;
                while (rrset_next(rrset, &place, &rdata)) {
                    struct record *r = &records[record_count++];
                    assert_true(record_count < RECORDS_MAX && rdata.len <= sizeof r->rdata);
                    *r = (struct record){.type = rrset->type, .ttl = rrset->ttl, .len = rdata.len};
                    zone_node_name(zone, node, &r->owner);
                    memcpy(r->rdata, rdata.data, rdata.len);
                }
            }
}

static struct zone *zone_of_records(void)
{
    struct dns_name name = dns_text_name("example.");
    struct zone *zone = zone_new(&d.heap, &name, 10000);
    for (size_t i = 0; i < record_count; i++) {
        const struct record *r = &records[i];
        struct dns_record record = {.owner = r->owner, .type = r->type, .class = DNS_IN,
                                    .ttl = r->ttl, .rdata = bytes_of(r->rdata, r->len)};
        if (!r->gone)
            assert_int_equal(zone_put(zone, &record), ZONE_OK);
    }
    return zone;
}

static void sign_as(bool nsec3, bool zonemd)
{
    struct sign_policy policy;
    struct sign_key key = dns_sign_all(&csk);
    struct signer *signer = signer_new(&d.options);
    struct zone *zone = dns_sign_zone(&d, "example.", lines);
    sign_policy_init(&policy);
    policy.nsec3 = nsec3;
    policy.zonemd = zonemd;
    assert_true(signer_set(signer, &policy, &key, 1));
    dns_sign_whole(signer, zone, NULL, NULL, NOW);
    take_records(zone);
    zone_free(zone);
    signer_free(signer);
}

/* The record of that owner (NULL: any) and type; of RRSIG the one that covers `covers`. */
static struct record *find(const char *owner, uint16_t type, uint16_t covers)
{
    struct dns_name name = dns_text_name(owner != NULL ? owner : ".");
    for (size_t i = 0; i < record_count; i++) {
        struct record *r = &records[i];
        if (r->type == type && (owner == NULL || dns_name_equal(&r->owner, &name)) &&
            (type != DNS_RRSIG || (r->rdata[0] << 8 | r->rdata[1]) == covers))
            return r;
    }
    fail_msg("no such record: %s %u", owner, (unsigned)type);
    return NULL;
}

static void add(const char *line)
{
    struct record *r = &records[record_count++];
    struct dns_record record = dns_sign_record("example.", line, r->rdata, sizeof r->rdata);
    *r = (struct record){.owner = record.owner, .type = record.type, .ttl = record.ttl,
                         .len = record.rdata.len, .gone = false};
    /* the octets went with the rest: once more */
    (void)dns_sign_record("example.", line, r->rdata, sizeof r->rdata);
}

/* ---- the ways to break one ---- */

static void flip_a_signature(void) { find("mail.example.", DNS_RRSIG, DNS_A)->rdata[60] ^= 1; }
static void flip_a_record(void) { find("mail.example.", DNS_A, 0)->rdata[3] ^= 1; }
static void lose_a_signature(void) { find("mail.example.", DNS_RRSIG, DNS_TXT)->gone = true; }
static void lose_the_keys_signature(void) { find("example.", DNS_RRSIG, DNS_DNSKEY)->gone = true; }
static void lose_the_keys(void) { find("example.", DNS_DNSKEY, 0)->gone = true; }
static void other_key(void)
{
    struct record *r = find("example.", DNS_DNSKEY, 0);
    memcpy(r->rdata, other.rdata, other.len);
}
static void set_date(size_t at, int64_t date)
{
    struct writer w = writer_of(find("mail.example.", DNS_RRSIG, DNS_A)->rdata + at, 4);
    write_u32(&w, (uint32_t)date);
}
static void expire(void) { set_date(8, NOW - 1); }
static void begin_late(void) { set_date(12, NOW + 1); }
static void end_before_it_begins(void) { set_date(8, NOW - 86400); }
static void change_a_ttl(void)
{
    find("mail.example.", DNS_A, 0)->ttl = 61;
    find("mail.example.", DNS_RRSIG, DNS_A)->ttl = 61;
}
static void change_the_labels(void) { find("a.b.c.example.", DNS_RRSIG, DNS_A)->rdata[3]--; }
static void change_the_signer(void)
{
    struct record *r = find("mail.example.", DNS_RRSIG, DNS_A);
    r->rdata[20]++; /* fxample. */
}
static void add_a_name(void) { add("new TXT unsigned"); }
static void add_a_record(void) { add("mail A 192.0.2.77"); }
static void lose_a_name(void)
{
    find("a.b.c.example.", DNS_A, 0)->gone = true;
    find("a.b.c.example.", DNS_RRSIG, DNS_A)->gone = true;
}
static void sign_glue(void)
{
    const struct record *from = find("mail.example.", DNS_RRSIG, DNS_A);
    struct record *r = &records[record_count++];
    *r = *from;
    r->owner = dns_text_name("ns.open.example.");
}
static void sign_a_delegation(void)
{
    struct record *r = &records[record_count++];
    *r = *find("example.", DNS_RRSIG, DNS_NS);
    r->owner = dns_text_name("open.example.");
}
static void lose_a_ds(void)
{
    find("shut.example.", DNS_DS, 0)->gone = true;
    find("shut.example.", DNS_RRSIG, DNS_DS)->gone = true;
}
static void sign_nothing(void)
{
    struct record *r = &records[record_count++];
    *r = *find("mail.example.", DNS_RRSIG, DNS_A);
    r->rdata[1] = DNS_AAAA;
}

static void drop_link(uint16_t type, const char *owner)
{
    struct record *r = find(owner, type, 0);
    r->gone = true;
    for (size_t i = 0; i < record_count; i++)
        if (records[i].type == DNS_RRSIG && dns_name_equal(&records[i].owner, &r->owner) &&
            (records[i].rdata[0] << 8 | records[i].rdata[1]) == type)
            records[i].gone = true;
}
static void lose_a_link(void) { drop_link(DNS_NSEC, "mail.example."); }
static void lose_the_last_link(void) { drop_link(DNS_NSEC, "*.w.example."); }
static void lose_a_hash(void) { drop_link(DNS_NSEC3, NULL); }
static void turn_a_hash(void)
{
    struct record *r = find(NULL, DNS_NSEC3, 0);
    r->rdata[7] ^= 1; /* of the next hash */
}
static void opt_out(void) { find(NULL, DNS_NSEC3, 0)->rdata[1] = 1; }
static void other_salt(void)
{
    struct record *r = find("example.", DNS_NSEC3PARAM, 0);
    r->rdata[3] = 5;
}
static void no_parameters(void) { drop_link(DNS_NSEC3PARAM, "example."); }
static void many_iterations(void)
{
    find("example.", DNS_NSEC3PARAM, 0)->rdata[3] = 101;
}
static void a_hash_of_nothing(void)
{
    add("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A");
}
static void an_nsec_beside(void) { add("mail NSEC ns A RRSIG NSEC"); }
static void another_digest(void) { find("example.", DNS_ZONEMD, 0)->rdata[10] ^= 1; }
static void another_serial(void) { find("example.", DNS_ZONEMD, 0)->rdata[3] ^= 1; }
static void glue_changed(void) { find("ns.open.example.", DNS_A, 0)->rdata[3] ^= 1; }

enum { ANY = 3, NSEC = 1, NSEC3 = 2, DIGEST = 4 };
static const struct {
    const char *name;
    unsigned kinds;
    void (*act)(void);
    const char *want; /* among what is said */
} cases[] = {
    {"a signature is another", ANY, flip_a_signature, "mail.example. A: a signature is wrong"},
    {"a record is another", ANY, flip_a_record, "mail.example. A: a signature is wrong"},
    {"a signature is gone", ANY, lose_a_signature, "mail.example. TXT: not signed"},
    {"the keys are not signed", ANY, lose_the_keys_signature, "example. DNSKEY: not signed"},
    {"there are no keys", ANY, lose_the_keys, "example. DNSKEY: there is no key"},
    {"the keys are others", ANY, other_key, "example. SOA: not signed"},
    {"a signature has expired", ANY, expire, "mail.example. A: a signature has expired"},
    {"a signature is early", ANY, begin_late, "mail.example. A: a signature is not valid yet"},
    {"a signature has no time", ANY, end_before_it_begins, "mail.example. A: a signature that ends before it begins"},
    {"another TTL", ANY, change_a_ttl, "mail.example. A: the TTL is not that which was signed"},
    {"other labels", ANY, change_the_labels, "another number of labels"},
    {"another signer", ANY, change_the_signer, "mail.example. A: a signature by the keys of another zone"},
    {"a name was added", ANY, add_a_name, "new.example. TXT: not signed"},
    {"a record was added", ANY, add_a_record, "mail.example. A: a signature is wrong"},
    {"a name was taken out", NSEC3, lose_a_name, "there are some for names that are not there"},
    {"a name was taken out", NSEC, lose_a_name, "NSEC"},
    {"glue is signed", ANY, sign_glue, "ns.open.example. A: signed, although"},
    {"a delegation is signed", ANY, sign_a_delegation, "open.example. NS: signed, although"},
    {"a DS is gone", ANY, lose_a_ds, "its types are not those of the name"},
    {"a signature over nothing", ANY, sign_nothing, "mail.example. AAAA: a signature over nothing"},
    {"an NSEC is gone", NSEC, lose_a_link, "mail.example. NSEC: there is none"},
    {"the last NSEC is gone", NSEC, lose_the_last_link, "*.w.example. NSEC: there is none"},
    {"an NSEC3 is gone", NSEC3, lose_a_hash, "NSEC3: there is none"},
    {"an NSEC3 leads elsewhere", NSEC3, turn_a_hash, "it does not lead to the next hash"},
    {"an NSEC3 says opt-out", NSEC3, opt_out, "NSEC3: a signature is wrong"},
    {"NSEC3PARAM is another", NSEC3, other_salt, "not of the chain that NSEC3PARAM tells of"},
    {"NSEC3PARAM is gone", NSEC3, no_parameters, "there is no NSEC3PARAM that tells of it"},
    {"many iterations", NSEC3, many_iterations, "more iterations than resolvers follow"},
    {"an NSEC3 of nothing", NSEC3, a_hash_of_nothing, "for names that are not there"},
    {"an NSEC beside NSEC3", NSEC3, an_nsec_beside, "beside NSEC3"},
    {"the digest is another", DIGEST | ANY, another_digest, "the digest is not that of the zone"},
    {"the digest is of another serial", DIGEST | ANY, another_serial, "the digest is not that of the zone"},
    {"only the digest knows of glue", DIGEST | ANY, glue_changed, "the digest is not that of the zone"},
};

static void check_case(size_t i, bool nsec3)
{
    sign_as(nsec3, (cases[i].kinds & DIGEST) != 0);
    struct zone *zone = zone_of_records();
    if (dns_sign_verify(&d, zone, NOW) != 0)
        fail_msg("before it is broken: %s", d.complaints);
    zone_free(zone);
    cases[i].act();
    zone = zone_of_records();
    if (dns_sign_verify(&d, zone, NOW) == 0)
        fail_msg("%s (%s): nothing is found", cases[i].name, nsec3 ? "NSEC3" : "NSEC");
    if (strstr(d.complaints, cases[i].want) == NULL)
        fail_msg("%s (%s): expected \"%s\" in\n%s", cases[i].name, nsec3 ? "NSEC3" : "NSEC",
                 cases[i].want, d.complaints);
    zone_free(zone);
}

static void each_way_to_break_a_zone_is_found(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if ((cases[i].kinds & NSEC) != 0)
            check_case(i, false);
        if ((cases[i].kinds & NSEC3) != 0)
            check_case(i, true);
    }
}

/* Whatever octet is changed, something is found. */
static void any_octet_that_is_changed_is_found(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 7);
    for (unsigned round = 0; round < 300; round++) {
        sign_as((round & 1) != 0, true);
        struct record *r = &records[prng_below(&prng, (uint32_t)record_count)];
        if (r->len == 0)
            continue;
        size_t at = prng_below(&prng, (uint32_t)r->len);
        uint8_t before = r->rdata[at];
        r->rdata[at] ^= (uint8_t)(1u << prng_below(&prng, 8));
        bool case_only = (before ^ r->rdata[at]) == 0x20 && (before | 0x20) >= 'a' &&
                         (before | 0x20) <= 'z';
        if (case_only || !dns_rdata_valid(r->type, bytes_of(r->rdata, r->len)) ||
            (r->type == DNS_RRSIG && r->rdata[0] == 0 && r->rdata[1] == DNS_ZONEMD))
            continue;
        struct zone *zone = zone_of_records();
        if (dns_sign_verify(&d, zone, NOW) == 0)
            fail_msg("round %u: type %u, octet %zu: nothing is found", round, (unsigned)r->type, at);
        zone_free(zone);
    }
}

static void report(void *self, bool error, const char *text)
{
    struct text *t = self;
    text_add_format(t, "%s%s\n", error ? "" : "warning: ", text);
}

static void the_ds_of_the_parent_must_lead_here(void **state UNUSED)
{
    uint8_t right[64], wrong[64];
    char said[2000];
    struct dns_name owner = dns_text_name("example.");
    struct dns_sign_key *keys[] = {&csk, &other};
    uint8_t *ds[] = {right, wrong};
    for (size_t i = 0; i < 2; i++) {
        uint16_t tag = validate_key_tag(bytes_of(keys[i]->rdata, keys[i]->len));
        ds[i][0] = (uint8_t)(tag >> 8);
        ds[i][1] = (uint8_t)tag;
        ds[i][2] = 13;
        ds[i][3] = 2;
        assert_int_equal(d.validate.digest(NULL, 2, dns_name_bytes(&owner),
                                           bytes_of(keys[i]->rdata, keys[i]->len), ds[i] + 4),
                         32);
    }
    static const struct {
        const char *name;
        bool right, wrong;
        const char *want;
    } table[] = {
        {"the right one", true, false, ""},
        {"the wrong one", false, true, "warning: example. DS: one of the parent's leads to no key that has signed the keys\n"
                                       "example. DS: none of the parent's leads to a key: nobody will believe the zone\n"},
        {"both", true, true, "warning: example. DS: one of the parent's leads to no key that has signed the keys\n"},
    };
    sign_as(false, false);
    struct zone *zone = zone_of_records();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct text t = text_of(said, sizeof said);
        struct zone_verify_options options = {
            .heap = d.heap, .crypto = &d.validate, .wall_seconds = NOW, .report = report, .self = &t};
        struct zone_verify_result result;
        if (table[i].right)
            options.ds[options.ds_count++] = bytes_of(right, 36);
        if (table[i].wrong)
            options.ds[options.ds_count++] = bytes_of(wrong, 36);
        assert_int_equal(zone_verify(zone, &options, &result), 0);
        assert_string_equal(said, table[i].want);
    }
    zone_free(zone);
}

static void what_ends_soon_is_warned_of(void **state UNUSED)
{
    char said[20000];
    struct text t = text_of(said, sizeof said);
    struct zone_verify_result result;
    struct zone_verify_options options = {.heap = d.heap, .crypto = &d.validate, .wall_seconds = NOW,
                                          .soon = 20 * 86400, .report = report, .self = &t};
    sign_as(false, false);
    struct zone *zone = zone_of_records();
    assert_int_equal(zone_verify(zone, &options, &result), 0);
    assert_int_equal(result.errors, 0);
    assert_int_equal(result.warnings, result.signatures);
    assert_true(result.first_end <= 14 * 86400 && result.first_end >= 12 * 86400);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_to_break_a_zone_is_found),
        cmocka_unit_test(any_octet_that_is_changed_is_found),
        cmocka_unit_test(the_ds_of_the_parent_must_lead_here),
        cmocka_unit_test(what_ends_soon_is_warned_of),
    };
    dns_sign_init(&d, 1);
    dns_sign_key_make(&csk, 13, 257);
    dns_sign_key_make(&other, 13, 257);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    dns_sign_key_free(&csk);
    dns_sign_key_free(&other);
    dns_sign_done(&d);
    return result;
}

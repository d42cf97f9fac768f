/* SPDX-License-Identifier: ISC */
/*
 * test_validate.c - zones that another signer has signed (tests/proto/dns/signed/), as they are and
 * tampered with. Each file is the whole zone "example."; "anchor." has its DS, "sha1." another.
 */
#include "proto/dns/validate.h"

#include "os/digest.h"
#include "os/file.h"
#include "os/signature.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_master.h"

enum { RECORDS_MAX = 128, LIST_MAX = 32768 };
#define THEN 1782000000 /* June 2026: within the validity of all signatures */

static struct record {
    struct dns_name owner;
    uint16_t type;
    size_t len;
    uint8_t rdata[1024];
} records[RECORDS_MAX];
static size_t record_count;

static uint8_t scratch[VALIDATE_SCRATCH_LEN];
static unsigned verifications;
static struct digest *sha1;

static enum validate_check verify(void *self UNUSED, uint8_t algorithm, struct bytes key,
                                  struct bytes data, struct bytes signature)
{
    verifications++;
    return (enum validate_check)signature_verify(algorithm, key, data, signature);
}

static bool supports(void *self UNUSED, uint8_t algorithm)
{
    return signature_supports(algorithm);
}

static size_t digest(void *self UNUSED, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX])
{
    return signature_digest(type, first, second, out);
}

static struct validate_crypto crypto = {verify, supports, digest, {digest_sha1, NULL}, NULL};

static void start(struct validate_context *v)
{
    crypto.sha1.self = sha1;
    validate_init(v, &crypto, THEN, scratch);
}

static void load(const char *name)
{
    char path[128], *content;
    size_t len;
    static struct dns_master_item item;
    static uint8_t rdata[DNS_RDATA_MAX];
    struct dns_master master;
    struct dns_name root = {.len = 1};
    snprintf(path, sizeof path, "tests/proto/dns/signed/%s.zone", name);
    assert_int_equal(file_read(path, 1 << 20, &content, &len), 0);
    dns_master_start(&master, bytes_of(content, len), &root);
    record_count = 0;
    for (;;) {
        struct writer w = writer_of(rdata, sizeof rdata);
        if (dns_master_next(&master, &w, &item) != DNS_MASTER_RECORD)
            break;
        struct record *r = &records[record_count++];
        assert_true(record_count < RECORDS_MAX && item.record.rdata.len <= sizeof r->rdata);
        r->owner = item.record.owner;
        r->type = item.record.type;
        r->len = item.record.rdata.len;
        memcpy(r->rdata, item.record.rdata.data, r->len);
    }
    if (item.kind != DNS_MASTER_END)
        fail_msg("%s:%u: %s", path, item.line, item.error);
    free(content);
}

static bool covers(const struct record *r, uint16_t type)
{
    return r->type == DNS_RRSIG && r->rdata[0] == type >> 8 && r->rdata[1] == (type & 255);
}

/* The set of that owner (of `source`, when that is a wildcard), with its signatures. */
static struct validate_set set_of(const struct dns_name *owner, const char *source, uint16_t type,
                                  uint8_t buffer[LIST_MAX])
{
    struct writer w = writer_of(buffer, LIST_MAX);
    struct dns_name name = source != NULL ? dns_text_name(source) : *owner;
    for (size_t i = 0; i < record_count; i++)
        if (records[i].type == type && dns_name_equal(&records[i].owner, &name))
            cache_write_rdata(&w, bytes_of(records[i].rdata, records[i].len));
    struct bytes list = writer_bytes(&w);
    for (size_t i = 0; i < record_count; i++)
        if (covers(&records[i], type) && dns_name_equal(&records[i].owner, &name))
            cache_write_rdata(&w, bytes_of(records[i].rdata, records[i].len));
    return (struct validate_set){owner, type, list, bytes_after(writer_bytes(&w), list.len)};
}

/* All that the zone could show: one proof for everything. */
static struct bytes whole_proof(uint8_t buffer[LIST_MAX])
{
    struct writer w = writer_of(buffer, LIST_MAX);
    for (size_t i = 0; i < record_count; i++) {
        const struct record *r = &records[i];
        if (r->type == DNS_NSEC || r->type == DNS_NSEC3 || r->type == DNS_SOA ||
            covers(r, DNS_NSEC) || covers(r, DNS_NSEC3) || covers(r, DNS_SOA))
            cache_write_record(&w, &(struct cache_record){r->owner, r->type, 300,
                                                          bytes_of(r->rdata, r->len)});
    }
    assert_false(w.failed);
    return writer_bytes(&w);
}

static struct bytes ds_of(const char *owner, uint8_t buffer[LIST_MAX])
{
    struct dns_name name = dns_text_name(owner);
    return set_of(&name, NULL, DNS_DS, buffer).records;
}

static const char *const zones[] = {"nsec", "nsec3", "optout", "ed25519", "rsa", "iterations"};

static uint8_t key_buffer[LIST_MAX];
static struct dns_name apex;

/* The zone's keys, which must be right. */
static struct validate_zone zone_of(struct validate_context *v)
{
    uint8_t ds[LIST_MAX];
    apex = dns_text_name("example.");
    struct validate_set keys = set_of(&apex, NULL, DNS_DNSKEY, key_buffer);
    assert_int_equal(validate_keys(v, &keys, ds_of("anchor.", ds)).security, CACHE_SECURE);
    return (struct validate_zone){&apex, keys.records};
}

static void test_whole_zones(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        unsigned sets = 0, labels;
        load(zones[i]);
        struct validate_context v;
        start(&v);
        struct validate_zone zone = zone_of(&v);
        for (size_t k = 0; k < record_count; k++) {
            uint8_t buffer[LIST_MAX];
            struct validate_set set = set_of(&records[k].owner, NULL, records[k].type, buffer);
            if (set.signatures.len == 0)
                continue;
            start(&v);
            CHECK_EQUAL(zones[i], validate_set(&v, &set, &zone, &labels).security, CACHE_SECURE);
            sets++;
        }
        assert_true(sets > 20);
    }
}

static void test_dates(void **state UNUSED)
{
    static const struct {
        int64_t at;
        uint16_t ede;
    } cases[] = {{THEN, DNS_EDE_NONE},
                 {1767225600, DNS_EDE_NONE},                  /* the first second */
                 {1767225599, DNS_EDE_SIGNATURE_NOT_YET},
                 {1798761600, DNS_EDE_NONE},                  /* the last */
                 {1798761601, DNS_EDE_SIGNATURE_EXPIRED}};
    uint8_t buffer[LIST_MAX];
    struct dns_name name = dns_text_name("www.example.");
    struct validate_context v;
    unsigned labels;
    load("nsec");
    start(&v);
    struct validate_zone zone = zone_of(&v);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct validate_set set = set_of(&name, NULL, DNS_A, buffer);
        v.wall_seconds = cases[i].at;
        struct validate_outcome outcome = validate_set(&v, &set, &zone, &labels);
        assert_int_equal(outcome.ede, cases[i].ede);
        assert_int_equal(outcome.security,
                         cases[i].ede == DNS_EDE_NONE ? CACHE_SECURE : CACHE_BOGUS);
    }
}

/* Any bit of what is signed, or of the signature, makes it bogus. */
static void test_tampering(void **state UNUSED)
{
    uint8_t buffer[LIST_MAX];
    struct dns_name name = dns_text_name("www.example.");
    struct validate_context v;
    unsigned labels;
    for (size_t z = 3; z < 5; z++) {
        load(zones[z]);
        start(&v);
        struct validate_zone zone = zone_of(&v);
        struct validate_set set = set_of(&name, NULL, DNS_A, buffer);
        size_t len = set.records.len + set.signatures.len;
        for (size_t bit = 0; bit < 8 * len; bit += 3) {
            size_t at = bit / 8;
            size_t signature_at = set.records.len;
            /* not the length of a list's item, nor letters of the signer's name */
            if (at % 6 < 2 && at < signature_at)
                continue;
            if (at >= signature_at && at < signature_at + 2 + 18 + 9)
                continue;
            buffer[at] ^= (uint8_t)(1 << bit % 8);
            start(&v);
            if (validate_set(&v, &set, &zone, &labels).security != CACHE_BOGUS)
                fail_msg("%s: bit %zu is not noticed", zones[z], bit);
            buffer[at] ^= (uint8_t)(1 << bit % 8);
        }
        struct dns_name other = dns_text_name("mail.example.");
        set.owner = &other;
        start(&v);
        assert_int_equal(validate_set(&v, &set, &zone, &labels).security, CACHE_BOGUS);
        set.owner = &name;
        set.signatures = bytes_empty();
        struct validate_outcome outcome = validate_set(&v, &set, &zone, &labels);
        assert_int_equal(outcome.ede, DNS_EDE_RRSIGS_MISSING);
    }
}

/* Order, repetition and case are not what is signed. */
static void test_canonical_form(void **state UNUSED)
{
    uint8_t buffer[LIST_MAX];
    struct dns_name name = dns_text_name("WWW.eXample.");
    struct validate_context v;
    unsigned labels;
    load("nsec");
    start(&v);
    struct validate_zone zone = zone_of(&v);
    struct validate_set set = set_of(&name, NULL, DNS_A, buffer);
    uint8_t turned[18];
    memcpy(turned, buffer + 6, 6);
    memcpy(turned + 6, buffer, 6);
    memcpy(turned + 12, buffer + 6, 6);
    set.records = bytes_of(turned, sizeof turned);
    assert_int_equal(validate_set(&v, &set, &zone, &labels).security, CACHE_SECURE);
    assert_int_equal(labels, 2);
}

static void test_anchors(void **state UNUSED)
{
    uint8_t ds[LIST_MAX], sha1_ds[LIST_MAX], keys_buffer[LIST_MAX];
    struct validate_context v;
    struct dns_name name = dns_text_name("example.");
    load("nsec");
    start(&v);
    struct validate_set keys = set_of(&name, NULL, DNS_DNSKEY, keys_buffer);
    struct bytes list = ds_of("anchor.", ds), weak = ds_of("sha1.", sha1_ds);
    assert_int_equal(validate_keys(&v, &keys, weak).security, CACHE_SECURE);
    /* RFC 4509 §3: SHA-1 does not help when the better digest is wrong */
    memcpy(ds + list.len, weak.data, weak.len);
    ds[list.len - 1] ^= 1;
    assert_int_equal(validate_keys(&v, &keys, bytes_of(ds, list.len + weak.len)).security,
                     CACHE_BOGUS);
    ds[2 + 3] = 77; /* a digest that nobody knows */
    struct validate_outcome outcome = validate_keys(&v, &keys, list);
    assert_int_equal(outcome.security, CACHE_INSECURE);
    assert_int_equal(outcome.ede, DNS_EDE_UNSUPPORTED_DIGEST);
    ds[2 + 3] = 2;
    ds[2 + 2] = 99; /* an algorithm */
    outcome = validate_keys(&v, &keys, list);
    assert_int_equal(outcome.security, CACHE_INSECURE);
    assert_int_equal(outcome.ede, DNS_EDE_UNSUPPORTED_ALGORITHM);
}

enum kind { NODATA, NXDOMAIN };

static void test_denial(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint16_t type;
        enum kind kind;
        enum cache_security nsec, nsec3, optout;
    } cases[] = {
        {"www.example.", DNS_MX, NODATA, CACHE_SECURE, CACHE_SECURE, CACHE_SECURE},
        {"www.example.", DNS_A, NODATA, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"alias.example.", DNS_A, NODATA, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"www.example.", DNS_A, NXDOMAIN, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"nobody.example.", DNS_A, NXDOMAIN, CACHE_SECURE, CACHE_SECURE, CACHE_INSECURE},
        {"zzz.example.", DNS_A, NXDOMAIN, CACHE_SECURE, CACHE_SECURE, CACHE_INSECURE},
        {"0.example.", DNS_A, NXDOMAIN, CACHE_SECURE, CACHE_SECURE, CACHE_INSECURE},
        {"x.www.example.", DNS_A, NXDOMAIN, CACHE_SECURE, CACHE_SECURE, CACHE_INSECURE},
        {"ent.example.", DNS_A, NODATA, CACHE_SECURE, CACHE_SECURE, CACHE_SECURE},
        {"b.ent.example.", DNS_A, NODATA, CACHE_SECURE, CACHE_SECURE, CACHE_SECURE},
        {"ent.example.", DNS_A, NXDOMAIN, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"unsigned.example.", DNS_DS, NODATA, CACHE_SECURE, CACHE_SECURE, CACHE_INSECURE},
        {"unsigned.example.", DNS_A, NODATA, CACHE_BOGUS, CACHE_BOGUS, CACHE_INSECURE},
        {"x.signed.example.", DNS_A, NXDOMAIN, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"signed.example.", DNS_DS, NODATA, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"x.d.example.", DNS_A, NXDOMAIN, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"x.wild.example.", DNS_A, NODATA, CACHE_SECURE, CACHE_SECURE, CACHE_SECURE},
        {"x.wild.example.", DNS_TXT, NODATA, CACHE_BOGUS, CACHE_BOGUS, CACHE_INSECURE},
        {"x.wild.example.", DNS_A, NXDOMAIN, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
        {"example.", DNS_DS, NODATA, CACHE_BOGUS, CACHE_BOGUS, CACHE_BOGUS},
    };
    static const char *const files[] = {"nsec", "nsec3", "optout", "iterations"};
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        uint8_t buffer[LIST_MAX];
        struct validate_context v;
        load(files[f]);
        start(&v);
        struct validate_zone zone = zone_of(&v);
        struct bytes proof = whole_proof(buffer);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct dns_name name = dns_text_name(cases[i].name);
            char label[128], type[DNS_TYPE_TEXT_MAX];
            snprintf(label, sizeof label, "%s: %s %s %s", files[f], cases[i].name,
                     dns_type_format(cases[i].type, type),
                     cases[i].kind == NODATA ? "no data" : "no name");
            start(&v);
            struct validate_outcome got =
                cases[i].kind == NODATA
                    ? validate_nodata(&v, &zone, &name, cases[i].type, proof)
                    : validate_nxdomain(&v, &zone, &name, proof);
            enum cache_security want = f == 0   ? cases[i].nsec
                                       : f == 1 ? cases[i].nsec3
                                       : f == 2 ? cases[i].optout
                                                : CACHE_INSECURE;
            CHECK_EQUAL(label, got.security, want);
            if (f == 3)
                CHECK_EQUAL(label, got.ede, DNS_EDE_NSEC3_ITERATIONS);
            start(&v);
            got = validate_nodata(&v, &zone, &name, cases[i].type, bytes_empty());
            CHECK_EQUAL(label, got.security, CACHE_BOGUS);
        }
    }
}

static void test_wildcards(void **state UNUSED)
{
    static const char *const files[] = {"nsec", "nsec3"};
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        uint8_t buffer[LIST_MAX], proof_buffer[LIST_MAX];
        struct validate_context v;
        unsigned labels;
        load(files[f]);
        start(&v);
        struct validate_zone zone = zone_of(&v);
        struct dns_name name = dns_text_name("x.y.wild.example.");
        struct validate_set set = set_of(&name, "*.wild.example.", DNS_TXT, buffer);
        assert_int_equal(validate_set(&v, &set, &zone, &labels).security, CACHE_SECURE);
        assert_int_equal(labels, 2);
        struct bytes proof = whole_proof(proof_buffer);
        assert_int_equal(validate_wildcard(&v, &zone, &name, labels, proof).security,
                         CACHE_SECURE);
        assert_int_equal(validate_wildcard(&v, &zone, &name, labels, bytes_empty()).security,
                         CACHE_BOGUS);
    }
}

/* CVE-2023-50387: keys with one tag and signatures by the score cost no more than the bounds. */
static void test_key_trap(void **state UNUSED)
{
    static uint8_t keys[LIST_MAX * 4];
    uint8_t buffer[LIST_MAX];
    struct dns_name name = dns_text_name("www.example."), zone_name = dns_text_name("example.");
    struct validate_context v;
    unsigned labels;
    load("nsec");
    struct validate_set set = set_of(&name, NULL, DNS_A, buffer);
    uint16_t tag = (uint16_t)(set.signatures.data[2 + 16] << 8 | set.signatures.data[2 + 17]);
    const struct record *key = NULL;
    for (size_t i = 0; i < record_count; i++)
        if (records[i].type == DNS_DNSKEY &&
            validate_key_tag(bytes_of(records[i].rdata, records[i].len)) == tag)
            key = &records[i];
    assert_non_null(key);
    struct writer w = writer_of(keys, sizeof keys);
    for (size_t i = 0; i < 200; i++) {
        uint8_t copy[1024];
        memcpy(copy, key->rdata, key->len);
        size_t a = 4 + 2 * (i % 15), b = a + 2 + 2 * (i / 15);
        memcpy(copy + a, key->rdata + b, 2); /* words change places: the sum is the same */
        memcpy(copy + b, key->rdata + a, 2);
        assert_int_equal(validate_key_tag(bytes_of(copy, key->len)), tag);
        cache_write_rdata(&w, bytes_of(copy, key->len));
    }
    struct validate_zone zone = {&zone_name, writer_bytes(&w)};
    uint8_t many[LIST_MAX];
    struct writer s = writer_of(many, sizeof many);
    for (int i = 0; i < 200; i++)
        write_bytes(&s, set.signatures);
    set.signatures = writer_bytes(&s);
    start(&v);
    verifications = 0;
    assert_int_equal(validate_set(&v, &set, &zone, &labels).security, CACHE_BOGUS);
    assert_int_equal(verifications, VALIDATE_VERIFICATIONS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_zones),    cmocka_unit_test(test_dates),
        cmocka_unit_test(test_tampering),      cmocka_unit_test(test_canonical_form),
        cmocka_unit_test(test_anchors),        cmocka_unit_test(test_denial),
        cmocka_unit_test(test_wildcards),      cmocka_unit_test(test_key_trap),
    };
    sha1 = digest_sha1_new();
    assert_non_null(sha1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_free(sha1);
    return failed;
}

/* SPDX-License-Identifier: ISC */
/*
 * test_denial.c - what signed zones say of what is not there: the zones and answers of RFC 4035
 * appendices A and B (NSEC) and of RFC 5155 appendices A and B (NSEC3 with opt-out). The signatures
 * are left out but for one: who signs them is not of interest here.
 */
#include "proto/dns/denial.h"

#include "os/digest.h"
#include "proto/dns/answer.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static const char *const common[] = {
    "example. SOA ns1.example. bugs.x.w.example. 1 3600 300 3600000 3600",
    "example. NS ns1.example.",
    "example. MX 1 xx.example.",
    "a.example. NS ns1.a.example.",
    "a.example. DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B",
    "ns1.a.example. A 192.0.2.5",
    "ai.example. A 192.0.2.9",
    "ns1.example. A 192.0.2.1",
    "ns2.example. A 192.0.2.2",
    "*.w.example. MX 1 ai.example.",
    "x.w.example. MX 1 xx.example.",
    "x.y.w.example. MX 1 xx.example.",
    "xx.example. A 192.0.2.10",
    "www.old.example. CNAME a.z.w.example.",
    NULL,
};

static const char *const with_nsec[] = {
    "example. RRSIG SOA 13 1 3600 20300101000000 20200101000000 38519 example. AAAA",
    "example. NSEC a.example. NS SOA MX RRSIG NSEC DNSKEY",
    "a.example. NSEC ai.example. NS DS RRSIG NSEC",
    "ai.example. NSEC b.example. A RRSIG NSEC",
    "b.example. NS ns1.b.example.",
    "b.example. NSEC ns1.example. NS RRSIG NSEC",
    "ns1.b.example. A 192.0.2.7",
    "ns1.example. NSEC ns2.example. A RRSIG NSEC",
    "ns2.example. NSEC www.old.example. A RRSIG NSEC",
    "www.old.example. NSEC *.w.example. CNAME RRSIG NSEC",
    "*.w.example. NSEC x.w.example. MX RRSIG NSEC",
    "x.w.example. NSEC x.y.w.example. MX RRSIG NSEC",
    "x.y.w.example. NSEC xx.example. MX RRSIG NSEC",
    "xx.example. NSEC example. A RRSIG NSEC",
    NULL,
};

#define NSEC3(hash, next, types) hash ".example. NSEC3 1 1 12 aabbccdd " next " " types

static const char *const with_nsec3[] = {
    "example. NSEC3PARAM 1 0 12 aabbccdd",
    "c.example. NS ns1.c.example.", /* not in the chain: opt-out */
    "ns1.c.example. A 192.0.2.7",
    "d.e.example. NS ns1.c.example.", /* nor is this, nor e.example above it */
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. A 192.0.2.127",
    NSEC3("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
          "MX DNSKEY NS SOA NSEC3PARAM RRSIG"),
    NSEC3("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s", "A RRSIG"),
    NSEC3("2vptu5timamqttgl4luu9kg21e0aor3s", "35mthgpgcu1qg68fab165klnsnk3dpvl", "MX RRSIG"),
    NSEC3("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", "NS DS RRSIG"),
    NSEC3("b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi", "MX RRSIG"),
    NSEC3("gjeqe526plbf1g8mklp59enfd789njgi", "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "A RRSIG"),
    NSEC3("ji6neoaepv8b5o6k4ev33abha8ht9fgc", "k8udemvp1j2f7eg6jebps17vp3n8i58h", ""),
    NSEC3("k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", ""),
    NSEC3("kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "q04jkcevqvmu85r014c7dkba38o0ji5r", "A RRSIG"),
    NSEC3("q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "A RRSIG"),
    NSEC3("r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv", "MX RRSIG"),
    NSEC3("t644ebqk9bibcna874givr6joj62mlhv", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "A RRSIG"),
    /* Another chain, which replaces this one one day: it is not to be mixed up with it. */
    "0p9n000000000000000000000000000g.example. NSEC3 1 0 0 - 1234567890123456789012345678901g A",
    "q04k000000000000000000000000000g.example. NSEC3 1 0 0 - 1234567890123456789012345678901g A",
    NULL,
};

/* The first four letters of the owners of NSEC3, or the owners of NSEC, in order. */
struct expectation {
    const char *name;
    const char *asked;
    uint16_t type;
    unsigned rcode;
    const char *owners;
};

static const struct expectation nsec_cases[] = {
    {"RFC 4035 B.2", "ml.example", DNS_A, DNS_NXDOMAIN, "b.example. example."},
    {"RFC 4035 B.3", "ns1.example", DNS_MX, DNS_NOERROR, "ns1.example."},
    {"RFC 4035 B.4: DS is there", "mc.a.example", DNS_MX, DNS_NOERROR, ""},
    {"RFC 4035 B.5", "mc.b.example", DNS_MX, DNS_NOERROR, "b.example."},
    {"RFC 4035 B.6", "a.z.w.example", DNS_MX, DNS_NOERROR, "x.y.w.example."},
    {"RFC 4035 B.7", "a.z.w.example", DNS_AAAA, DNS_NOERROR, "x.y.w.example. *.w.example."},
    {"RFC 4035 B.8", "example", DNS_DS, DNS_NOERROR, "example."},
    {"an empty non-terminal", "y.w.example", DNS_A, DNS_NOERROR, "x.w.example."},
    {"no DS at a cut", "b.example", DNS_DS, DNS_NOERROR, "b.example."},
    {"one record for both", "0.example", DNS_A, DNS_NXDOMAIN, "example."},
    {"below a name that exists", "x.ai.example", DNS_A, DNS_NXDOMAIN, "ai.example."},
    {"behind the last", "zz.example", DNS_A, DNS_NXDOMAIN, "xx.example. example."},
    {"an alias to a wildcard", "www.old.example", DNS_MX, DNS_NOERROR, "x.y.w.example."},
    {"what is there", "xx.example", DNS_A, DNS_NOERROR, ""},
};

static const struct expectation nsec3_cases[] = {
    {"RFC 5155 B.1", "a.c.x.w.example", DNS_A, DNS_NXDOMAIN, "b4um 0p9m 35mt"},
    {"RFC 5155 B.2", "ns1.example", DNS_MX, DNS_NOERROR, "2t7b"},
    {"RFC 5155 B.2.1", "Y.w.example", DNS_A, DNS_NOERROR, "ji6n"},
    {"RFC 5155 B.3", "mc.c.example", DNS_MX, DNS_NOERROR, "0p9m 35mt"},
    {"RFC 5155 B.4", "a.z.w.example", DNS_MX, DNS_NOERROR, "q04j"},
    {"RFC 5155 B.5", "a.z.w.example", DNS_AAAA, DNS_NOERROR, "k8ud q04j r53b"},
    {"RFC 5155 B.6", "example", DNS_DS, DNS_NOERROR, "0p9m"},
    {"RFC 5155 7.2.4: no DS, opted out", "c.example", DNS_DS, DNS_NOERROR, "0p9m 35mt"},
    {"RFC 5155 7.2.8: the owner of an NSEC3", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example",
     DNS_NSEC3, DNS_NXDOMAIN, "0p9m q04j gjeq"},
    {"a name that is also a hash", "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example", DNS_AAAA,
     DNS_NOERROR, "koha"},
    {"an empty non-terminal that is opted out", "e.example", DNS_A, DNS_NOERROR, NULL},
    {"below it", "x.e.example", DNS_A, DNS_NXDOMAIN, NULL},
    {"a referral below it", "x.d.e.example", DNS_A, DNS_NOERROR, NULL},
    {"before the first hash comes the last", "n13.example", DNS_A, DNS_NXDOMAIN, "0p9m t644 gjeq"},
    {"what is there", "xx.example", DNS_A, DNS_NOERROR, ""},
};

static void add_lines(struct zone_set *zones, const char *const *lines)
{
    for (; *lines != NULL; lines++) {
        uint8_t rdata[1024];
        char reason[200];
        struct writer w = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_record record;
        struct dns_line_context context = {.ttl = 3600};
        if (!dns_record_parse(bytes_of_text(*lines), &context, &w, &record, &error))
            fail_msg("%s: %s", *lines, reason);
        CHECK_EQUAL(*lines, zone_add(zones, &record), ZONE_OK);
    }
}

static struct zone_set *load(const struct heap *heap, const char *const *lines,
                             const char *const *more)
{
    struct zone_set *zones = zone_set_new(heap, 1000);
    assert_non_null(zones);
    add_lines(zones, lines);
    add_lines(zones, more);
    return zones;
}

static void owners_in(struct bytes reply, char *out, size_t size)
{
    struct text t = text_of(out, size);
    struct dns_cursor cursor;
    struct dns_rr rr;
    assert_int_equal(dns_cursor_start(&cursor, reply), WIRE_OK);
    while (dns_cursor_record(&cursor, &rr)) {
        char name[DNS_NAME_TEXT_MAX];
        if (rr.type != DNS_NSEC && rr.type != DNS_NSEC3)
            continue;
        assert_int_equal(rr.section, DNS_AUTHORITY);
        if (text_bytes(&t).len > 0)
            text_add(&t, " ");
        dns_name_format(&rr.owner, name);
        text_add_format(&t, "%.*s", rr.type == DNS_NSEC3 ? 4 : 1000, name);
    }
    assert_false(cursor.reader.failed);
}

static struct answer_result ask(const struct answer_options *options,
                                const struct expectation *e, bool dnssec_ok, uint8_t *buffer)
{
    struct answer_result result;
    struct answer_path path = {.size_max = DNS_UDP_SIZE_DEFAULT};
    uint8_t query_buffer[512];
    struct dns_text_query query = {e->asked, e->type, .edns = 1232, .dnssec_ok = dnssec_ok};
    answer(options, dns_text_query(&query, query_buffer, sizeof query_buffer), &path, buffer,
           &result);
    assert_int_equal(result.verdict, ANSWER_REPLY);
    CHECK_EQUAL(e->name, result.rcode, e->rcode);
    return result;
}

static void check_case(const struct answer_options *options, const struct expectation *e)
{
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    char owners[1000] = "";
    struct answer_result result = ask(options, e, true, buffer);
    owners_in(result.reply, owners, sizeof owners);
    if (e->owners != NULL && strcmp(owners, e->owners) != 0)
        fail_msg("%s: \"%s\", expected \"%s\"", e->name, owners, e->owners);
    CHECK(e->name, e->owners != NULL || owners[0] != '\0');
    /* Who has not asked for it gets none of it (RFC 4035 §3.1). */
    owners[0] = '\0';
    result = ask(options, e, false, buffer);
    owners_in(result.reply, owners, sizeof owners);
    assert_string_equal(owners, "");
}

static void denies_by_nsec(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *zones = load(&heap, common, with_nsec);
    struct answer_options options = {.zones = zones};
    for (size_t i = 0; i < ARRAY_LEN(nsec_cases); i++)
        check_case(&options, &nsec_cases[i]);
    zone_set_free(zones);
    assert_int_equal(counts.blocks, 0);
}

static void denies_by_nsec3(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *zones = load(&heap, common, with_nsec3);
    struct dns_sha1 sha1 = {digest_sha1, digest_sha1_new()};
    struct answer_options options = {.zones = zones, .sha1 = &sha1};
    for (size_t i = 0; i < ARRAY_LEN(nsec3_cases); i++)
        check_case(&options, &nsec3_cases[i]);
    /* Without the digest there is no proof, and no harm. */
    options.sha1 = NULL;
    uint8_t buffer[DNS_UDP_SIZE_DEFAULT];
    char owners[100] = "";
    struct answer_result result = ask(&options, &nsec3_cases[0], true, buffer);
    owners_in(result.reply, owners, sizeof owners);
    assert_string_equal(owners, "");
    digest_free(sha1.self);
    zone_set_free(zones);
    assert_int_equal(counts.blocks, 0);
}

static void an_unsigned_zone_denies_without_proof(void **state UNUSED)
{
    static const char *const none[] = {NULL};
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct zone_set *zones = load(&heap, common, none);
    struct answer_options options = {.zones = zones};
    struct expectation e = {"unsigned", "no.example", DNS_A, DNS_NXDOMAIN, ""};
    check_case(&options, &e);
    zone_set_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(denies_by_nsec),
        cmocka_unit_test(denies_by_nsec3),
        cmocka_unit_test(an_unsigned_zone_denies_without_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

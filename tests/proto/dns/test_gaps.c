/* SPDX-License-Identifier: ISC */
/* test_gaps.c - which records are put together to deny a name. */
#include "proto/dns/gaps.h"

#include "proto/dns/cache.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define SEC USEC_PER_SEC

static struct heap heap;

static void *resize(void *self UNUSED, void *old, size_t old_size UNUSED, size_t new_size)
{
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

/* Lines of a master file become a proof. */
static struct bytes proof_of(const char *const *lines, uint8_t *buffer, size_t size)
{
    struct writer w = writer_of(buffer, size);
    for (; *lines != NULL; lines++) {
        uint8_t rdata[512];
        char reason[100];
        struct writer r = writer_of(rdata, sizeof rdata);
        struct dns_error error = dns_error_of(reason, sizeof reason);
        struct dns_record record;
        struct dns_line_context context = {.ttl = 60};
        assert_true(dns_record_parse(bytes_of_text(*lines), &context, &r, &record, &error));
        cache_write_record(&w, &(struct cache_record){record.owner, record.type, record.ttl,
                                                      record.rdata});
    }
    assert_false(w.failed);
    return writer_bytes(&w);
}

static void put(struct gaps *gaps, const char *zone, const char *const *lines, usec now)
{
    static uint8_t buffer[65536];
    struct dns_name name = dns_text_name(zone);
    gaps_put(gaps, &name, proof_of(lines, buffer, sizeof buffer), 3600, now);
}

/* The hash of a name is its first octet, twenty times. */
static void hash(void *self UNUSED, struct bytes first, struct bytes second UNUSED,
                 uint8_t out[DNS_NSEC3_HASH_LEN])
{
    memset(out, first.len > 1 ? first.data[1] : 0, DNS_NSEC3_HASH_LEN);
}

static const struct dns_sha1 sha1 = {hash, NULL};

/* The owners of what denies, in the order in which it was taken. */
static const char *find(const struct gaps *gaps, const char *text, usec now)
{
    static char found[1000];
    static uint8_t buffer[65536];
    struct writer w = writer_of(buffer, sizeof buffer);
    struct gaps_found out;
    struct dns_name name = dns_text_name(text);
    struct text to = text_of(found, sizeof found);
    if (!gaps_find(gaps, &name, &sha1, now, &w, &out))
        return "none";
    struct reader r = reader_of(writer_bytes(&w));
    struct cache_record record;
    char owner[DNS_NAME_TEXT_MAX];
    text_add_format(&to, "%s %u:", dns_name_format(&out.zone, owner), out.ttl);
    while (cache_read_record(&r, &record))
        if (record.type != DNS_RRSIG)
            text_add_format(&to, " %s", dns_name_format(&record.owner, owner));
    return found;
}

#define SIGNATURE(type) " RRSIG " type " 13 2 60 20300101000000 20200101000000 1 a. AAAA"

static const char *const nsec_lines[] = {
    "a. 60 SOA x. y. 1 2 3 4 60",  "a. 60" SIGNATURE("SOA"), "a. 60 NSEC d.a. SOA NS",
    "a. 60" SIGNATURE("NSEC"),     "d.a. 60 NSEC m.a. A",    "d.a. 60" SIGNATURE("NSEC"),
    "m.a. 30 NSEC a. A",           "m.a. 60" SIGNATURE("NSEC"), "evil.b. 60 NSEC z.b. A", NULL};

static void nsec_denies_what_lies_between(void **state UNUSED)
{
    struct gaps *gaps = gaps_new(&heap, 100);
    put(gaps, "a.", nsec_lines, 0);
    assert_int_equal(gaps_count(gaps), 4); /* not what is of another zone */
    assert_string_equal(find(gaps, "f.a.", 0), "a. 60: a. d.a. a.");
    assert_string_equal(find(gaps, "F.A.", 0), "a. 60: a. d.a. a.");
    assert_string_equal(find(gaps, "x.f.a.", 0), "a. 60: a. d.a. a.");
    assert_string_equal(find(gaps, "b.a.", 0), "a. 60: a. a.");
    assert_string_equal(find(gaps, "x.d.a.", 0), "a. 60: a. d.a.");
    assert_string_equal(find(gaps, "d.a.", 0), "a. 60: a. d.a."); /* a type, perhaps */
    assert_string_equal(find(gaps, "z.a.", 10 * SEC), "a. 20: a. m.a. a.");
    assert_string_equal(find(gaps, "z.a.", 31 * SEC), "none");
    assert_string_equal(find(gaps, "f.a.", 59 * SEC), "a. 1: a. d.a. a.");
    assert_string_equal(find(gaps, "f.a.", 60 * SEC), "none");
    assert_string_equal(find(gaps, "f.b.", 0), "none");
    assert_string_equal(find(gaps, "f.", 0), "none");
    gaps_free(gaps);
}

/* A zone and one below it: each has its own. */
static void zones_do_not_mix(void **state UNUSED)
{
    static const char *const child[] = {"d.a. 60 SOA x. y. 1 2 3 4 60",
                                        "d.a. 60 NSEC q.d.a. SOA NS", NULL};
    struct gaps *gaps = gaps_new(&heap, 100);
    put(gaps, "a.", nsec_lines, 0);
    put(gaps, "d.a.", child, 0);
    assert_string_equal(find(gaps, "b.d.a.", 0), "d.a. 60: d.a. d.a.");
    assert_string_equal(find(gaps, "f.a.", 0), "a. 60: a. d.a. a.");
    gaps_clear(gaps);
    assert_string_equal(find(gaps, "f.a.", 0), "none");
    gaps_free(gaps);
}

/* Hashes: of "b…" 62 in hexadecimal twenty times, of "*" 2a, of the zone's own name 61. */
static void nsec3_denies_what_its_hash_lies_between(void **state UNUSED)
{
    static const char *const lines[] = {
        "a. 60 SOA x. y. 1 2 3 4 60",
        /* 20…: before the wildcard, up to 30… */
        "40g2081040g2081040g2081040g20810.a. 60 NSEC3 1 0 1 00 "
        "60o30c1g60o30c1g60o30c1g60o30c1g A",
        /* 61…: the zone, up to 70… */
        "c5gm2ob1c5gm2ob1c5gm2ob1c5gm2ob1.a. 60 NSEC3 1 0 1 00 "
        "e1o70s3ge1o70s3ge1o70s3ge1o70s3g SOA",
        NULL};
    struct gaps *gaps = gaps_new(&heap, 100);
    put(gaps, "a.", lines, 0);
    assert_string_equal(find(gaps, "b.a.", 0),
                        "a. 60: a. c5gm2ob1c5gm2ob1c5gm2ob1c5gm2ob1.a. "
                        "40g2081040g2081040g2081040g20810.a.");
    assert_string_equal(find(gaps, "a.", 0), "a. 60: a. c5gm2ob1c5gm2ob1c5gm2ob1c5gm2ob1.a.");
    gaps_free(gaps);
}

static void the_oldest_goes(void **state UNUSED)
{
    struct gaps *gaps = gaps_new(&heap, 3);
    put(gaps, "a.", nsec_lines, 0);
    assert_int_equal(gaps_count(gaps), 3);
    assert_string_equal(find(gaps, "f.a.", 0), "none"); /* the SOA came first */
    put(gaps, "a.", nsec_lines, 0);
    assert_int_equal(gaps_count(gaps), 3);
    gaps_free(gaps);
}

int main(void)
{
    heap = (struct heap){.resize = resize};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nsec_denies_what_lies_between),
        cmocka_unit_test(zones_do_not_mix),
        cmocka_unit_test(nsec3_denies_what_its_hash_lies_between),
        cmocka_unit_test(the_oldest_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * test_anchor_track.c - keys of a trust anchor come, go and are revoked in virtual time. Here a key has signed
 * when the signature's octets are its own; all else is as in earnest.
 */
#include "proto/dns/anchor_track.h"

#include "base/encoding.h"
#include "os/signature.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define START 1800000000
#define DAY 86400

enum { LIST_MAX = 8192, SEP = 257, ZSK = 256, REVOKED = 257 | 128, ALGORITHM = 13, TTL = 2 * DAY };

static enum validate_check verify(void *self UNUSED, uint8_t algorithm UNUSED, struct bytes key,
                                  struct bytes data UNUSED, struct bytes signature)
{
    return bytes_equal(key, signature) ? VALIDATE_RIGHT : VALIDATE_WRONG;
}

static bool supports(void *self UNUSED, uint8_t algorithm)
{
    return algorithm == ALGORITHM;
}

static size_t digest(void *self UNUSED, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX])
{
    return signature_digest(type, first, second, out);
}

static const struct validate_crypto crypto = {.verify = verify, .supports = supports, .digest = digest};

static struct world {
    struct dns_name zone;
    struct anchor_track track;
    int64_t now;
    uint8_t configured[512];
    size_t configured_len;
} w;

static struct bytes key_of(char letter, uint16_t flags, uint8_t buffer[16])
{
    struct writer out = writer_of(buffer, 16);
    write_u16(&out, flags);
    write_u8(&out, 3);
    write_u8(&out, ALGORITHM);
    for (int i = 0; i < 8; i++)
        write_u8(&out, (uint8_t)letter);
    return writer_bytes(&out);
}

static void begin(char configured)
{
    uint8_t key[16], ds[VALIDATE_DS_LEN_MAX];
    memset(&w, 0, sizeof w);
    w.zone = dns_text_name("example.");
    w.now = START;
    anchor_track_init(&w.track, &w.zone);
    struct writer out = writer_of(w.configured, sizeof w.configured);
    cache_write_rdata(&out, validate_make_ds(&crypto, &w.zone, key_of(configured, SEP, key), ds));
    w.configured_len = writer_len(&out);
}

static struct bytes configured(void)
{
    return bytes_of(w.configured, w.configured_len);
}

/* Letters: upper case for KSK, lower case for ZSK; "!" behind one: it is revoked. */
static struct bytes write_keys(const char *keys, uint8_t buffer[LIST_MAX])
{
    struct writer out = writer_of(buffer, LIST_MAX);
    for (const char *c = keys; *c != '\0'; c++) {
        uint8_t key[16];
        if (*c != '!')
            cache_write_rdata(&out, key_of(*c, c[1] == '!' ? REVOKED : *c >= 'a' ? ZSK : SEP, key));
    }
    return writer_bytes(&out);
}

static struct bytes write_signatures(const char *signers, uint8_t buffer[LIST_MAX])
{
    struct writer out = writer_of(buffer, LIST_MAX);
    for (const char *c = signers; *c != '\0'; c++) {
        uint8_t key[16], rrsig[128];
        if (*c == '!')
            continue;
        struct bytes rdata = key_of(*c, c[1] == '!' ? REVOKED : *c >= 'a' ? ZSK : SEP, key);
        struct writer s = writer_of(rrsig, sizeof rrsig);
        write_u16(&s, DNS_DNSKEY);
        write_u8(&s, ALGORITHM);
        write_u8(&s, 1);
        write_u32(&s, TTL);
        write_u32(&s, (uint32_t)(w.now + 14 * DAY));
        write_u32(&s, (uint32_t)(w.now - DAY));
        write_u16(&s, validate_key_tag(rdata));
        dns_name_write(&s, &w.zone);
        struct bytes octets = bytes_after(rdata, 4);
        write_copy(&s, octets.data, octets.len);
        cache_write_rdata(&out, writer_bytes(&s));
    }
    return writer_bytes(&out);
}

static struct anchor_news see(const char *keys, const char *signers)
{
    static uint8_t list[LIST_MAX], signatures[LIST_MAX], scratch[VALIDATE_SCRATCH_LEN];
    struct validate_context v;
    struct validate_set set = {&w.zone, DNS_DNSKEY, write_keys(keys, list),
                               write_signatures(signers, signatures)};
    validate_init(&v, &crypto, w.now, scratch);
    return anchor_track_see(&w.track, &v, &set, configured());
}

/* "A valid, B pending", in the order of the letters. */
static const char *states(void)
{
    static char out[512];
    struct text t = text_of(out, sizeof out);
    for (char c = 'A'; c <= 'Z'; c++)
        for (size_t i = 0; i < w.track.key_count; i++)
            if (w.track.keys[i].rdata[4] == c)
                text_add_format(&t, "%s%c %s", t.len > 0 ? ", " : "", c,
                                anchor_state_name(w.track.keys[i].state));
    return out;
}

/* Would keys with that signature be validated? */
static bool trusts(const char *keys, const char *signers)
{
    static uint8_t list[LIST_MAX], signatures[LIST_MAX], ds[LIST_MAX], scratch[VALIDATE_SCRATCH_LEN];
    struct validate_context v;
    struct writer out = writer_of(ds, sizeof ds);
    struct validate_set set = {&w.zone, DNS_DNSKEY, write_keys(keys, list),
                               write_signatures(signers, signatures)};
    assert_true(anchor_track_trusted(&w.track, &crypto, configured(), &out));
    validate_init(&v, &crypto, w.now, scratch);
    enum cache_security security = validate_keys(&v, &set, writer_bytes(&out)).security;
    assert_int_not_equal(security, CACHE_INSECURE); /* whatever happens */
    return security == CACHE_SECURE;
}

static void test_roll(void **state UNUSED)
{
    begin('A');
    assert_true(trusts("A", "A"));
    struct anchor_news news = see("Az", "A");
    assert_true(news.validated && news.changed && !news.full);
    assert_string_equal(states(), "A valid");
    assert_false(see("Az", "A").changed);
    assert_true(see("ABz", "A").changed);
    assert_string_equal(states(), "A valid, B pending");
    assert_false(trusts("ABz", "B"));
    w.now += ANCHOR_HOLD_DOWN - 1;
    assert_false(see("ABz", "A").changed);
    w.now++;
    assert_true(see("ABz", "A").changed);
    assert_string_equal(states(), "A valid, B valid");
    assert_true(trusts("ABz", "B"));
    assert_true(see("Bz", "B").validated);
    assert_string_equal(states(), "A missing, B valid");
    assert_true(trusts("ABz", "A")); /* §4.2: it is still trusted */
    assert_true(see("ABz", "B").changed);
    assert_string_equal(states(), "A valid, B valid");
}

static void test_first_time_is_not_trusted_without_a_last_look(void **state UNUSED)
{
    begin('A');
    (void)see("AB", "A");
    w.now += 2 * ANCHOR_HOLD_DOWN; /* nobody has looked since: time alone does not do */
    assert_false(trusts("AB", "B"));
    assert_false(see("AB", "B").validated);
    assert_string_equal(states(), "A valid, B pending");
    assert_true(see("AB", "AB").validated);
    assert_string_equal(states(), "A valid, B valid");
}

static void test_vanishes_before_its_time(void **state UNUSED)
{
    begin('A');
    (void)see("AB", "A");
    w.now += 20 * DAY;
    assert_false(see("A", "B").changed); /* who says so is not trusted */
    assert_string_equal(states(), "A valid, B pending");
    assert_true(see("A", "A").changed);
    assert_string_equal(states(), "A valid");
    w.now += 5 * DAY;
    (void)see("AB", "A");
    w.now += 25 * DAY; /* it waits anew */
    (void)see("AB", "A");
    assert_string_equal(states(), "A valid, B pending");
    (void)see("AB!", "AB!"); /* one that waits and is revoked was never trusted */
    assert_string_equal(states(), "A valid");
}

static void test_revocation(void **state UNUSED)
{
    begin('A');
    (void)see("AB", "A");
    w.now += ANCHOR_HOLD_DOWN;
    (void)see("AB", "A");
    assert_false(see("A!B", "Z").changed);
    (void)see("A!B", "B"); /* the bit alone, without the key's own signature: it only is not there as it was */
    assert_string_equal(states(), "A missing, B valid");
    assert_true(see("A!B", "A!B").validated);
    assert_string_equal(states(), "A revoked, B valid");
    assert_false(trusts("AB", "A"));   /* though it is configured */
    assert_false(trusts("A!B", "A!"));
    assert_true(trusts("AB", "B"));
    (void)see("AB", "B"); /* it cannot come back */
    assert_string_equal(states(), "A revoked, B valid");
    w.now += ANCHOR_HOLD_DOWN - 1;
    (void)see("B", "B");
    assert_string_equal(states(), "A revoked, B valid");
    w.now++;
    (void)see("B", "B");
    assert_string_equal(states(), "A removed, B valid");
    w.now += 2 * ANCHOR_HOLD_DOWN;
    (void)see("AB", "B");
    assert_string_equal(states(), "A removed, B valid");
    assert_false(trusts("AB", "A"));
}

static void test_all_revoked(void **state UNUSED)
{
    begin('A');
    assert_false(see("A!", "A!").validated); /* the configured one, which was never seen otherwise */
    assert_string_equal(states(), "A revoked");
    assert_false(trusts("A", "A"));
    assert_false(trusts("A!", "A!"));
    assert_false(see("AC", "A").changed);
    assert_false(see("C!", "C!").changed); /* strangers leave nothing behind */
    assert_string_equal(states(), "A revoked");
}

static void test_clock_jumps_back(void **state UNUSED)
{
    begin('A');
    (void)see("AB", "A");
    w.now -= 400 * DAY;
    assert_true(see("AB", "A").changed);
    w.now += ANCHOR_HOLD_DOWN - 1;
    (void)see("AB", "A");
    assert_string_equal(states(), "A valid, B pending");
    w.now++;
    (void)see("AB", "A");
    assert_string_equal(states(), "A valid, B valid");
}

static void test_configured_later(void **state UNUSED)
{
    begin('A');
    (void)see("AB", "A");
    struct anchor_track kept = w.track;
    begin('B');
    w.track = kept;
    assert_true(see("AB", "A").changed);
    assert_string_equal(states(), "A valid, B valid");
    assert_true(trusts("AB", "B"));
}

static void test_full(void **state UNUSED)
{
    begin('A');
    assert_false(see("ABCDEFGHIJKLMNOP", "A").full);
    assert_true(see("ABCDEFGHIJKLMNOPQ", "A").full);
    assert_int_equal(w.track.key_count, ANCHOR_KEYS_MAX);
    w.track.keys[5].state = ANCHOR_REMOVED;
    assert_false(see("ABCDEGHIJKLMNOPQ", "A").full);
    assert_string_equal(states() + strlen(states()) - 9, "Q pending");
}

static void test_intervals(void **state UNUSED)
{
    static const struct {
        uint32_t ttl, expires_in, query, retry;
    } cases[] = {
        {0, 0, 3600, 3600},
        {2 * DAY, 14 * DAY, DAY, DAY / 5},
        {14 * DAY, 2 * DAY, DAY, DAY / 5},
        {60 * DAY, 60 * DAY, 15 * DAY, DAY},
        {60, DAY, 3600, 3600},
    };
    begin('A');
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        w.track.ttl = cases[i].ttl;
        w.track.expires_in = cases[i].expires_in;
        assert_int_equal(anchor_track_interval(&w.track, true), cases[i].query);
        assert_int_equal(anchor_track_interval(&w.track, false), cases[i].retry);
    }
    (void)see("A", "A");
    assert_int_equal(w.track.ttl, TTL);
    assert_int_equal(w.track.expires_in, 14 * DAY);
}

/* Written and read again between all steps it is the same. */
static void reload(void)
{
    struct anchor_track again;
    anchor_track_init(&again, &w.zone);
    for (size_t i = 0; i < w.track.key_count; i++) {
        char line[ANCHOR_LINE_MAX];
        struct text t = text_of(line, sizeof line);
        struct dns_name zone;
        struct anchor_key key;
        anchor_key_format(&w.zone, &w.track.keys[i], &t);
        assert_false(t.failed);
        assert_null(anchor_key_parse(text_bytes(&t), &zone, &key));
        assert_true(dns_name_equal(&zone, &w.zone));
        assert_true(anchor_track_restore(&again, &key));
        assert_false(anchor_track_restore(&again, &key));
    }
    w.track = again;
}

static void test_restored(void **state UNUSED)
{
    begin('A');
    (void)see("ABC", "A");
    reload();
    w.now += ANCHOR_HOLD_DOWN;
    (void)see("AB", "A");
    assert_string_equal(states(), "A valid, B valid");
    reload();
    (void)see("A!B", "A!B");
    reload();
    assert_false(see("AB", "A").validated);
    assert_string_equal(states(), "A revoked, B valid");
    w.now += ANCHOR_HOLD_DOWN;
    (void)see("BD", "B");
    reload();
    (void)see("D", "B");
    reload();
    assert_string_equal(states(), "A removed, B valid, D pending");
}

static void test_longest_line(void **state UNUSED)
{
    struct anchor_key key = {.state = ANCHOR_MISSING, .since = INT64_MAX, .hold = UINT32_MAX,
                             .len = ANCHOR_KEY_LEN_MAX, .rdata = {1, 1, 3, 255}};
    struct anchor_key again;
    struct dns_name zone = {0}, back;
    char line[ANCHOR_LINE_MAX];
    struct text t = text_of(line, sizeof line);
    for (int i = 0; i < 3; i++)
        zone.octets[i * 64] = 63;
    zone.octets[192] = 61;
    zone.len = 255;
    anchor_key_format(&zone, &key, &t);
    assert_false(t.failed);
    assert_null(anchor_key_parse(text_bytes(&t), &back, &again));
    assert_memory_equal(&again, &key, sizeof key);
}

static void test_complaints(void **state UNUSED)
{
    static const struct {
        const char *line, *wrong;
    } cases[] = {
        {". valid 1 2 257 3 13 AAAA", NULL},
        {"", "expected a state"},
        {"a..b valid 1 2 257 3 13 AAAA", "expected the name of a zone"},
        {". start 1 2 257 3 13 AAAA", "expected a state"},
        {". valid -1 2 257 3 13 AAAA", "expected two numbers of seconds"},
        {". valid 1 4294967296 257 3 13 AAAA", "expected two numbers of seconds"},
        {". valid 1 2 65536 3 13 AAAA", "expected flags, protocol and algorithm of a key"},
        {". valid 1 2 257 3 13 AAA", "expected a key in base64"},
        {". valid 1 2 257 3 13 AAAA more", "expected a key in base64"},
        {". valid 1 2 257 3 13", "not the key of a zone"},
        {". valid 1 2 1 3 13 AAAA", "not the key of a zone"},
        {". valid 1 2 385 3 13 AAAA", "not the key of a zone"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dns_name zone;
        struct anchor_key key;
        const char *wrong = anchor_key_parse(bytes_of_text(cases[i].line), &zone, &key);
        CHECK(cases[i].line, (wrong == NULL) == (cases[i].wrong == NULL));
        if (wrong != NULL && cases[i].line[0] != '\0')
            assert_string_equal(wrong, cases[i].wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roll),
        cmocka_unit_test(test_first_time_is_not_trusted_without_a_last_look),
        cmocka_unit_test(test_vanishes_before_its_time),
        cmocka_unit_test(test_revocation),
        cmocka_unit_test(test_all_revoked),
        cmocka_unit_test(test_clock_jumps_back),
        cmocka_unit_test(test_configured_later),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_restored),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_complaints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

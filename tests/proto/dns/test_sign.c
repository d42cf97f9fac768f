/* SPDX-License-Identifier: ISC */
/*
 * test_sign.c - zones are signed whole, kept signed through changes, and renewed; each time zone_verify.h, which
 * knows nothing of the signer, looks at all of it.
 */
#include "proto/dns/sign.h"

#include "tests/support/check.h"
#include "tests/support/dns_sign.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_bitmap.h"

#define NOW DNS_SIGN_NOW
#define DAY 86400

static struct dns_sign d;
static struct dns_sign_key csk, ksk, zsk, other;

static const char *const lines[] = {
    "@ SOA Ns Host 1 7200 3600 86400 300",
    "@ NS Ns",
    "@ NS ns.elsewhere.example.",
    "@ MX 10 Mail",
    "@ CSYNC 1 3 A NS AAAA",
    "Ns A 192.0.2.1",
    "Ns AAAA 2001:db8::1",
    "mail A 192.0.2.2",
    "*.w TXT wild",
    "deep.in.the.woods A 192.0.2.3",
    "alias CNAME Mail",
    "moved DNAME other",
    "hidden.moved A 192.0.2.4",
    "open NS ns.open",
    "ns.open A 192.0.2.5",
    "own NS own",
    "own A 192.0.2.6",
    "own TXT \"not to be seen\"",
    "shut NS ns.shut",
    "shut DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "ns.shut A 192.0.2.7",
    "a.leads.to.nothing NS ns.elsewhere.example.",
    "_sip._tcp SRV 1 2 5060 Mail",
    "odd TYPE65280 \\# 3 010203",
    NULL,
};

struct shape {
    const char *name;
    bool nsec3, opt_out, zonemd;
    uint16_t iterations;
    uint8_t salt_len;
};

static const struct shape shapes[] = {
    {"NSEC", .nsec3 = false},
    {"NSEC, ZONEMD", .zonemd = true},
    {"NSEC3", .nsec3 = true},
    {"NSEC3 with salt, ZONEMD", .nsec3 = true, .zonemd = true, .iterations = 3, .salt_len = 4},
    {"NSEC3 with opt-out", .nsec3 = true, .opt_out = true},
};

static struct sign_policy policy_of(const struct shape *shape)
{
    struct sign_policy policy;
    sign_policy_init(&policy);
    policy.nsec3 = shape->nsec3;
    policy.opt_out = shape->opt_out;
    policy.zonemd = shape->zonemd;
    policy.iterations = shape->iterations;
    policy.salt_len = shape->salt_len;
    memset(policy.salt, 0xab, shape->salt_len);
    return policy;
}

static struct signer *signer_by(const struct sign_policy *policy, const struct sign_key *keys,
                                size_t count)
{
    struct signer *signer = signer_new(&d.options);
    assert_non_null(signer);
    assert_true(signer_set(signer, policy, keys, count));
    return signer;
}

static void check_good(const char *name, const struct zone *zone, int64_t now)
{
    if (dns_sign_verify(&d, zone, now) > 0)
        fail_msg("%s:\n%s", name, d.complaints);
}

static const struct zone_node *node_at(const struct zone *zone, const char *text)
{
    struct dns_name name = dns_text_name(text);
    struct zone_match match;
    zone_find_in(zone, &name, &match);
    return match.node;
}

static void zones_of_each_shape_are_right(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sign_policy policy = policy_of(&shapes[i]);
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "Example.", lines);
        dns_sign_whole(signer, zone, NULL, NULL, NOW);
        check_good(shapes[i].name, zone, NOW);
        assert_true(d.result.sets > 15);
        CHECK_EQUAL(shapes[i].name, zone_serial(zone), 1);
        CHECK_EQUAL(shapes[i].name, zone_rrset(zone->apex, DNS_ZONEMD) != NULL, shapes[i].zonemd);
        /* None of what is the child's, or hidden, is signed. */
        assert_null(zone_signatures(node_at(zone, "open.example."), DNS_NS));
        assert_null(zone_signatures(node_at(zone, "own.example."), DNS_A));
        assert_null(zone_signatures(node_at(zone, "ns.shut.example."), DNS_A));
        assert_null(zone_signatures(node_at(zone, "hidden.moved.example."), DNS_A));
        assert_non_null(zone_signatures(node_at(zone, "shut.example."), DNS_DS));
        /* RFC 4035 §2.2: by the wildcard's own name. */
        assert_int_equal(rrset_first(zone_signatures(node_at(zone, "*.w.example."), DNS_TXT)).data[3], 2);
        CHECK_EQUAL(shapes[i].name, dns_sign_verify(&d, zone, NOW - 2 * DAY) > 0, true);
        CHECK_EQUAL(shapes[i].name, dns_sign_verify(&d, zone, NOW + 15 * DAY) > 0, true);
        signer_free(signer);
        zone_free(zone);
    }
}

static void opt_out_leaves_out_what_has_no_ds(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    size_t counts[2];
    for (size_t i = 0; i < 2; i++) {
        struct sign_policy policy = policy_of(&shapes[i == 0 ? 2 : 4]);
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        dns_sign_whole(signer, zone, NULL, NULL, NOW);
        counts[i] = zone->hashed.count;
        signer_free(signer);
        zone_free(zone);
    }
    /* open, own and a.leads.to.nothing, but not the names that only lead there */
    assert_int_equal(counts[0] - counts[1], 3);
}

static void each_algorithm_signs(void **state UNUSED)
{
    static const uint8_t algorithms[] = {8, 10, 13, 14, 15, 16};
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        struct dns_sign_key one;
        struct sign_policy policy = policy_of(&shapes[3]);
        dns_sign_key_make(&one, algorithms[i], 257);
        struct sign_key keys[] = {dns_sign_all(&one), dns_sign_all(&csk)};
        struct signer *signer = signer_by(&policy, keys, 2);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        dns_sign_whole(signer, zone, NULL, NULL, NOW);
        check_good("two algorithms", zone, NOW);
        signer_free(signer);
        zone_free(zone);
        dns_sign_key_free(&one);
    }
}

static unsigned count_signatures(const struct zone *zone, uint16_t type)
{
    const struct rrset *rrset = zone_signatures(zone->apex, type);
    return rrset != NULL ? rrset->count : 0;
}

static void keys_do_what_they_are_for(void **state UNUSED)
{
    struct sign_policy policy = policy_of(&shapes[0]);
    struct sign_key keys[] = {dns_sign_all(&ksk), dns_sign_all(&zsk), dns_sign_all(&other)};
    keys[0].signs_zone = false;
    keys[0].synced = true;
    keys[1].signs_keys = false;
    keys[2].signs_keys = keys[2].signs_zone = false; /* published before it is used */
    struct signer *signer = signer_by(&policy, keys, 3);
    struct zone *zone = dns_sign_zone(&d, "example.", lines);
    dns_sign_whole(signer, zone, NULL, NULL, NOW);
    check_good("KSK and ZSK", zone, NOW);
    assert_int_equal(zone_rrset(zone->apex, DNS_DNSKEY)->count, 3);
    assert_int_equal(count_signatures(zone, DNS_DNSKEY), 1);
    assert_int_equal(count_signatures(zone, DNS_SOA), 1);
    const struct rrset *cds = zone_rrset(zone->apex, DNS_CDS);
    assert_int_equal(cds->count, 1);
    assert_int_equal(rrset_first(cds).len, 36);
    assert_int_equal(zone_rrset(zone->apex, DNS_CDNSKEY)->count, 1);
    uint16_t tag = validate_key_tag(bytes_of(ksk.rdata, ksk.len));
    assert_int_equal(rrset_first(zone_signatures(zone->apex, DNS_CDS)).data[16], tag >> 8);
    assert_int_equal(rrset_first(zone_signatures(zone->apex, DNS_CDS)).data[17], tag & 255);
    zone_free(zone);

    policy.delete_ds = true; /* RFC 8078 §4 */
    assert_true(signer_set(signer, &policy, keys, 3));
    zone = dns_sign_zone(&d, "example.", lines);
    dns_sign_whole(signer, zone, NULL, NULL, NOW);
    check_good("delete", zone, NOW);
    assert_memory_equal(rrset_first(zone_rrset(zone->apex, DNS_CDS)).data, "\0\0\0\0\0", 5);
    assert_memory_equal(rrset_first(zone_rrset(zone->apex, DNS_CDNSKEY)).data, "\0\0\3\0\0", 5);
    zone_free(zone);
    signer_free(signer);
}

static void what_cannot_be_signed_by_is_refused(void **state UNUSED)
{
    struct sign_policy policy = policy_of(&shapes[0]);
    struct sign_key key = dns_sign_all(&csk);
    struct signer *signer = signer_by(&policy, &key, 1);
    assert_false(signer_set(signer, &policy, NULL, 0));
    key.signs_keys = false;
    assert_false(signer_set(signer, &policy, &key, 1));
    key = dns_sign_all(&csk);
    key.secret = NULL;
    assert_false(signer_set(signer, &policy, &key, 1));
    key = dns_sign_all(&csk);
    key.rdata = bytes_first(key.rdata, 4);
    assert_false(signer_set(signer, &policy, &key, 1));
    key = dns_sign_all(&csk);
    policy.refresh = policy.validity;
    assert_false(signer_set(signer, &policy, &key, 1));
    policy = policy_of(&shapes[0]);
    policy.iterations = 101;
    assert_false(signer_set(signer, &policy, &key, 1));
    static const char *const no_soa[] = {"@ NS ns", NULL};
    struct zone *zone = dns_sign_zone(&d, "example.", no_soa);
    signer_start_whole(signer, zone, NULL, NULL);
    while (signer_step(signer, 1, NOW) == SIGN_MORE)
        continue;
    assert_string_equal(signer_error(signer), "a zone without SOA cannot be signed");
    zone_free(zone);
    signer_free(signer);
}

/* ---- again ---- */

static void signatures_are_taken_over_while_they_are_good(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sign_policy policy = policy_of(&shapes[i]);
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        struct zone *same = dns_sign_zone(&d, "example.", lines);
        struct sign_counters counters;
        uint32_t serial = 7;
        dns_sign_whole(signer, zone, NULL, &serial, NOW);
        CHECK_EQUAL(shapes[i].name, zone_serial(zone), 8);
        serial = 8;
        dns_sign_whole(signer, same, zone, &serial, NOW + DAY);
        signer_counters(signer, &counters);
        CHECK_EQUAL(shapes[i].name, counters.made, 0);
        CHECK_EQUAL(shapes[i].name, zone_serial(same), 8); /* nothing has changed */
        check_good(shapes[i].name, same, NOW + DAY);
        zone_free(zone);

        /* Another record: that set, its link, the SOA and perhaps the digest. */
        uint8_t room[64];
        struct dns_record record = dns_sign_record("example.", "mail A 192.0.2.99", room, sizeof room);
        struct zone *changed = dns_sign_zone(&d, "example.", lines);
        assert_int_equal(zone_put(changed, &record), ZONE_OK);
        dns_sign_whole(signer, changed, same, &serial, NOW + DAY);
        signer_counters(signer, &counters);
        CHECK_EQUAL(shapes[i].name, counters.made, shapes[i].zonemd ? 3 : 2);
        CHECK_EQUAL(shapes[i].name, zone_serial(changed), 9);
        check_good(shapes[i].name, changed, NOW + DAY);
        zone_free(same);

        /* Only glue, which is not signed, has changed: the serial number tells. */
        record = dns_sign_record("example.", "ns.open A 192.0.2.98", room, sizeof room);
        same = dns_sign_zone(&d, "example.", lines);
        assert_int_equal(zone_put(same, &record), ZONE_OK);
        record = dns_sign_record("example.", "mail A 192.0.2.99", room, sizeof room);
        assert_int_equal(zone_put(same, &record), ZONE_OK);
        serial = 9;
        dns_sign_whole(signer, same, changed, &serial, NOW + DAY);
        CHECK_EQUAL(shapes[i].name, zone_serial(same), 10);
        check_good(shapes[i].name, same, NOW + DAY);
        zone_free(same);

        /* When they are about to expire none is. */
        same = dns_sign_zone(&d, "example.", lines);
        dns_sign_whole(signer, same, changed, &serial, NOW + 13 * DAY);
        signer_counters(signer, &counters);
        CHECK_EQUAL(shapes[i].name, counters.kept, 0);
        check_good(shapes[i].name, same, NOW + 13 * DAY);
        zone_free(same);
        zone_free(changed);
        signer_free(signer);
    }
}

/* The order of lines in a file, and of keys in a directory, means nothing. */
static void the_order_of_records_means_nothing(void **state UNUSED)
{
    static const char *const turned[] = {"@ SOA ns host 1 7200 3600 86400 300", "@ NS b", "@ NS a", "@ NS ns",
                                         "ns A 192.0.2.2", "ns A 192.0.2.1", "x NS ns", "x NS a", NULL};
    static const char *const straight[] = {"@ SOA ns host 1 7200 3600 86400 300", "@ NS a", "@ NS b", "@ NS ns",
                                           "ns A 192.0.2.1", "ns A 192.0.2.2", "x NS a", "x NS ns", NULL};
    struct sign_policy policy = policy_of(&shapes[3]);
    struct sign_key keys[] = {dns_sign_all(&csk), dns_sign_all(&other)};
    struct sign_key others[] = {dns_sign_all(&other), dns_sign_all(&csk)};
    struct signer *signer = signer_by(&policy, keys, 2);
    struct zone *zone = dns_sign_zone(&d, "example.", straight);
    struct zone *again = dns_sign_zone(&d, "example.", turned);
    struct sign_counters counters;
    uint32_t serial = 1;
    dns_sign_whole(signer, zone, NULL, NULL, NOW);
    assert_true(signer_set(signer, &policy, others, 2));
    dns_sign_whole(signer, again, zone, &serial, NOW);
    signer_counters(signer, &counters);
    assert_int_equal(counters.made, 0);
    assert_int_equal(zone_serial(again), 1);
    signer_free(signer);
    zone_free(zone);
    zone_free(again);
}

static void a_zone_that_others_have_signed_is_signed_anew(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    struct sign_key another = dns_sign_all(&other);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        for (size_t j = 0; j < ARRAY_LEN(shapes); j++) {
            struct sign_policy policy = policy_of(&shapes[i]);
            struct signer *signer = signer_by(&policy, &another, 1);
            struct zone *zone = dns_sign_zone(&d, "example.", lines);
            dns_sign_whole(signer, zone, NULL, NULL, NOW);
            policy = policy_of(&shapes[j]);
            assert_true(signer_set(signer, &policy, &key, 1));
            dns_sign_whole(signer, zone, NULL, NULL, NOW);
            check_good(shapes[j].name, zone, NOW);
            assert_int_equal(zone_rrset(zone->apex, DNS_DNSKEY)->count, 1);
            assert_int_equal(count_signatures(zone, DNS_SOA), 1);
            signer_free(signer);
            zone_free(zone);
        }
}

static void serials_go_by_the_policy(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum sign_serial policy;
        bool has_last;
        uint32_t last, want; /* the file has 1 */
    } cases[] = {
        {"increment, first", SIGN_SERIAL_INCREMENT, false, 0, 1},
        {"increment, then", SIGN_SERIAL_INCREMENT, true, 1, 2},
        {"increment, wraps", SIGN_SERIAL_INCREMENT, true, UINT32_MAX - 5, 1},
        {"increment, far ahead", SIGN_SERIAL_INCREMENT, true, 4711, 4712},
        {"unixtime, first", SIGN_SERIAL_UNIXTIME, false, 0, (uint32_t)NOW},
        {"unixtime, twice in a second", SIGN_SERIAL_UNIXTIME, true, (uint32_t)NOW, (uint32_t)NOW + 1},
        {"unixtime, from dates", SIGN_SERIAL_UNIXTIME, true, 2026112101, 2026112102},
        {"keep", SIGN_SERIAL_KEEP, true, 4711, 1},
    };
    struct sign_key key = dns_sign_all(&csk);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sign_policy policy = policy_of(&shapes[0]);
        policy.serial = cases[i].policy;
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        dns_sign_whole(signer, zone, NULL, cases[i].has_last ? &cases[i].last : NULL, NOW);
        CHECK_EQUAL(cases[i].name, zone_serial(zone), cases[i].want);
        check_good(cases[i].name, zone, NOW);
        zone_free(zone);
        signer_free(signer);
    }
}

/* ---- changes ---- */

/* What a change is told by, applied to another copy, must lead to the same zone. */
static struct zone *mirror;

static void on_change(void *self UNUSED, bool added, const struct dns_record *record)
{
    if (mirror == NULL)
        return;
    if (added)
        assert_int_equal(zone_put(mirror, record), ZONE_OK);
    else
        assert_true(zone_drop(mirror, record));
}

static void check_same(const char *name, const struct zone *a, const struct zone *b)
{
    uint8_t x[ZONE_DIGEST_MAX], y[ZONE_DIGEST_MAX];
    static uint8_t scratch[ZONE_DIGEST_SCRATCH_LEN];
    CHECK_EQUAL(name, a->record_count, b->record_count);
    CHECK_EQUAL(name, zone_digest(a, &d.options.crypto.digester, 1, scratch, x), 48);
    CHECK_EQUAL(name, zone_digest(b, &d.options.crypto.digester, 1, scratch, y), 48);
    CHECK(name, memcmp(x, y, 48) == 0);
}

static const struct {
    const char *name;
    const char *add;    /* lines, by ";" */
    const char *remove;
    unsigned made_max;  /* with NSEC, SOA among them */
} changes[] = {
    {"another address", "mail A 192.0.2.50", NULL, 2},
    {"one less", NULL, "mail A 192.0.2.50", 2},
    {"a new name between two", "mab TXT new", NULL, 4},
    {"it goes again", NULL, "mab TXT new", 2},
    {"the first name", "\\000 TXT first", NULL, 4},
    {"the last name", "zzz TXT last", NULL, 4},
    {"they go", NULL, "\\000 TXT first;zzz TXT last", 3},
    {"another type", "mail TXT beside", NULL, 3},
    {"empty names above", "x.y.z TXT far", NULL, 4},
    {"one of them gets something", "y.z TXT near", NULL, 4},
    {"what was below goes", NULL, "x.y.z TXT far", 2},
    {"all of it goes", NULL, "y.z TXT near", 2},
    {"a delegation", "child NS ns.child;ns.child A 192.0.2.51", NULL, 3},
    {"it gets a DS", "child DS 1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL, 3},
    {"it loses it", NULL, "child DS 1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 2},
    {"glue", "ns.child AAAA 2001:db8::51", NULL, 1},
    {"no delegation any more", NULL, "child NS ns.child", 6},
    {"a delegation over names", "mail NS ns.mail;x.mail TXT hidden", NULL, 3},
    {"and they come back", NULL, "mail NS ns.mail", 8},
    {"a DNAME over names", "mail DNAME other", NULL, 4},
    {"and they come back again", NULL, "mail DNAME other", 6},
    {"a wildcard", "* TXT wild", NULL, 4},
    {"no wildcard", NULL, "* TXT wild", 2},
    {"an insecure name below empty ones", "q.r.s NS ns.elsewhere.example.", NULL, 3},
    {"beside a secure one", "p.r.s TXT secure", NULL, 4},
    {"alone again", NULL, "p.r.s TXT secure", 2},
    {"gone", NULL, "q.r.s NS ns.elsewhere.example.", 2},
    {"an apex record", "@ TXT apex", NULL, 3},
    {"not any more", NULL, "@ TXT apex", 2},
};

static size_t split(const char *text, bool add, struct zone *zone, struct sign_touched *touched)
{
    size_t count = 0;
    char line[512];
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, ";");
        uint8_t room[256];
        memcpy(line, text, len);
        line[len] = '\0';
        text += len + (text[len] == ';');
        struct dns_record record = dns_sign_record("example.", line, room, sizeof room);
        if (add)
            CHECK_EQUAL(line, zone_put(zone, &record), ZONE_OK);
        else
            CHECK(line, zone_drop(zone, &record));
        if (mirror != NULL) {
            if (add)
                assert_int_equal(zone_put(mirror, &record), ZONE_OK);
            else
                assert_true(zone_drop(mirror, &record));
        }
        touched[count].owner = record.owner;
        touched[count++].type = record.type;
    }
    return count;
}

static struct zone *copy_of(const struct zone *zone)
{
    struct zone *copy = zone_new(&d.heap, &zone->name, 1 << 20);
    const struct trie *tries[] = {&zone->nodes, &zone->hashed};
    for (size_t i = 0; i < 2; i++)
        for (const struct zone_node *node = trie_first(tries[i]); node != NULL;
             node = trie_after(tries[i], bytes_of(node->key, node->key_len)))
            for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
                struct rrset_place place = {0};
                struct dns_record record = {.type = rrset->type, .class = DNS_IN, .ttl = rrset->ttl};
                zone_node_name(zone, node, &record.owner);
                while (rrset_next(rrset, &place, &record.rdata))
                    assert_int_equal(zone_put(copy, &record), ZONE_OK);
            }
    return copy;
}

static void changes_are_followed(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sign_policy policy = policy_of(&shapes[i]);
        d.options.on_change = on_change;
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        dns_sign_whole(signer, zone, NULL, NULL, NOW);
        mirror = copy_of(zone);
        for (size_t j = 0; j < ARRAY_LEN(changes); j++) {
            struct sign_touched touched[8];
            char name[128];
            struct sign_counters before, after;
            uint32_t serial = zone_serial(zone);
            snprintf(name, sizeof name, "%s: %s", shapes[i].name, changes[j].name);
            signer_counters(signer, &before);
            size_t count = split(changes[j].add, true, zone, touched);
            count += split(changes[j].remove, false, zone, touched + count);
            if (signer_update(signer, zone, touched, count, NOW) != SIGN_DONE)
                fail_msg("%s: %s", name, signer_error(signer));
            signer_counters(signer, &after);
            check_good(name, zone, NOW);
            check_same(name, zone, mirror);
            CHECK_EQUAL(name, zone_serial(zone), serial + 1);
            if (!shapes[i].nsec3 && !shapes[i].zonemd)
                CHECK(name, after.made - before.made <= changes[j].made_max);
        }
        zone_free(zone);
        zone_free(mirror);
        mirror = NULL;
        signer_free(signer);
        d.options.on_change = NULL;
    }
}

static void the_times_of_denials_follow_the_soa(void **state UNUSED)
{
    static const char *const old_soa = "@ SOA Ns Host 1 7200 3600 86400 300";
    struct sign_key key = dns_sign_all(&csk);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sign_policy policy = policy_of(&shapes[i]);
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        struct sign_touched touched = {.type = DNS_SOA};
        uint8_t room[256];
        dns_sign_whole(signer, zone, NULL, NULL, NOW);
        struct dns_record record = dns_sign_record("example.", old_soa, room, sizeof room);
        assert_true(zone_drop(zone, &record));
        record = dns_sign_record("example.", "@ SOA Ns Host 2 7200 3600 86400 60", room, sizeof room);
        assert_int_equal(zone_put(zone, &record), ZONE_OK);
        touched.owner = record.owner;
        assert_int_equal(signer_update(signer, zone, &touched, 1, NOW), SIGN_DONE);
        assert_int_equal(zone_serial(zone), 2); /* whoever changed it has seen to that */
        check_good(shapes[i].name, zone, NOW);
        assert_true(signer_wants_pass(signer));
        signer_start_pass(signer, zone);
        while (signer_step(signer, 2, NOW) == SIGN_MORE)
            check_good(shapes[i].name, zone, NOW);
        assert_false(signer_wants_pass(signer));
        check_good(shapes[i].name, zone, NOW);
        /* iterations are warned of; denials that hold too long would be, too */
        assert_int_equal(d.result.warnings, shapes[i].iterations > 0);
        signer_free(signer);
        zone_free(zone);
    }
}

/* ---- time ---- */

static void signatures_are_renewed_by_and_by(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sign_policy policy = policy_of(&shapes[i]);
        struct signer *signer = signer_by(&policy, &key, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        int64_t now = NOW;
        dns_sign_whole(signer, zone, NULL, NULL, now);
        assert_true(signer_due_at(signer) >= NOW + 5 * DAY);
        assert_true(signer_due_at(signer) <= NOW + 7 * DAY);
        for (unsigned round = 0; round < 40; round++) { /* months */
            enum sign_status status;
            now = signer_due_at(signer);
            check_good(shapes[i].name, zone, now);
            signer_start_pass(signer, zone);
            do {
                struct sign_counters before, after;
                signer_counters(signer, &before);
                status = signer_step(signer, 2, now);
                signer_counters(signer, &after);
                /* the two, the SOA, the digest, and what belongs to the name that was begun */
                CHECK(shapes[i].name, after.made - before.made <= 8);
                check_good(shapes[i].name, zone, now);
            } while (status == SIGN_MORE);
            assert_int_equal(status, SIGN_DONE);
            assert_true(signer_due_at(signer) > now);
            assert_true(d.result.first_end >= 6 * DAY);
        }
        signer_free(signer);
        zone_free(zone);
    }
}

static void a_pass_with_nothing_to_do_does_nothing(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    struct sign_policy policy = policy_of(&shapes[3]);
    struct signer *signer = signer_by(&policy, &key, 1);
    struct zone *zone = dns_sign_zone(&d, "example.", lines);
    struct sign_counters counters;
    dns_sign_whole(signer, zone, NULL, NULL, NOW);
    signer_start_pass(signer, zone);
    assert_int_equal(signer_step(signer, 100, NOW + DAY), SIGN_DONE);
    signer_counters(signer, &counters);
    assert_int_equal(counters.made, 0);
    assert_int_equal(zone_serial(zone), 1);
    signer_free(signer);
    zone_free(zone);
}

static void other_keys_take_over_in_a_pass(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sign_policy policy = policy_of(&shapes[i]);
        struct sign_key keys[] = {dns_sign_all(&csk), dns_sign_all(&other)};
        struct signer *signer = signer_by(&policy, keys, 1);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        dns_sign_whole(signer, zone, NULL, NULL, NOW);
        keys[0].signs_zone = false; /* both are there, the second signs */
        assert_true(signer_set(signer, &policy, keys, 2));
        signer_start_pass(signer, zone);
        while (signer_step(signer, 2, NOW) == SIGN_MORE)
            check_good(shapes[i].name, zone, NOW);
        assert_true(signer_set(signer, &policy, keys + 1, 1)); /* the first goes */
        signer_start_pass(signer, zone);
        assert_int_equal(signer_step(signer, 1000, NOW), SIGN_DONE);
        check_good(shapes[i].name, zone, NOW);
        assert_int_equal(zone_rrset(zone->apex, DNS_DNSKEY)->count, 1);
        signer_free(signer);
        zone_free(zone);
    }
}

/* ---- without memory ---- */

static void survives_without_memory(void **state UNUSED)
{
    struct sign_key key = dns_sign_all(&csk);
    struct sign_policy policy = policy_of(&shapes[3]);
    struct counting_heap counts = {.fail_at = 1};
    struct sign_options options = d.options;
    options.heap = counting_heap(&counts);
    assert_null(signer_new(&options));
    struct signer *signer = signer_by(&policy, &key, 1);
    for (size_t fail_at = 60; fail_at < 400; fail_at += 17) {
        counts = (struct counting_heap){0};
        struct heap heap = d.heap;
        d.heap = counting_heap(&counts);
        struct zone *zone = dns_sign_zone(&d, "example.", lines);
        d.heap = heap;
        counts.fail_at = counts.allocations + fail_at;
        signer_start_whole(signer, zone, NULL, NULL);
        enum sign_status status;
        while ((status = signer_step(signer, 5, NOW)) == SIGN_MORE)
            continue;
        if (status == SIGN_FAILED)
            assert_string_equal(signer_error(signer), "no memory");
        zone_free(zone);
        assert_int_equal(counts.blocks, 0);
    }
    signer_free(signer);
}

static int set_up(void **state UNUSED)
{
    dns_sign_init(&d, 4711);
    dns_sign_key_make(&csk, 13, 257);
    dns_sign_key_make(&ksk, 13, 257);
    dns_sign_key_make(&zsk, 13, 256);
    dns_sign_key_make(&other, 13, 257);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    dns_sign_key_free(&csk);
    dns_sign_key_free(&ksk);
    dns_sign_key_free(&zsk);
    dns_sign_key_free(&other);
    dns_sign_done(&d);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_of_each_shape_are_right),
        cmocka_unit_test(opt_out_leaves_out_what_has_no_ds),
        cmocka_unit_test(each_algorithm_signs),
        cmocka_unit_test(keys_do_what_they_are_for),
        cmocka_unit_test(what_cannot_be_signed_by_is_refused),
        cmocka_unit_test(signatures_are_taken_over_while_they_are_good),
        cmocka_unit_test(the_order_of_records_means_nothing),
        cmocka_unit_test(a_zone_that_others_have_signed_is_signed_anew),
        cmocka_unit_test(serials_go_by_the_policy),
        cmocka_unit_test(changes_are_followed),
        cmocka_unit_test(the_times_of_denials_follow_the_soa),
        cmocka_unit_test(signatures_are_renewed_by_and_by),
        cmocka_unit_test(a_pass_with_nothing_to_do_does_nothing),
        cmocka_unit_test(other_keys_take_over_in_a_pass),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

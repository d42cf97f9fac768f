/* SPDX-License-Identifier: ISC */
/*
 * test_site_signing.c - a signed zone is served for months of virtual time: signatures are renewed, keys rolled, some
 * by themselves and some when the parent has a DS; at each moment that is looked at the zone is right, and what is
 * in its history leads from one version to the next.
 */
#include "site/site_signing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/memory.h"
#include "proto/dns/zone_history.h"
#include "site/key_ring.h"
#include "tests/support/check.h"
#include "tests/support/dns_sign.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_serial.h"

static struct dns_sign d;
static char directory[64];

static struct world {
    struct loop *loop;
    struct zone_set *set;
    struct zone *mirror; /* kept up to date by the history alone */
    struct site_signatures signatures;
    struct site_signing *signing;
    struct dns_name zone;
    unsigned changes;
} w;

static const char *const lines[] = {
    "@ SOA ns host 1 7200 3600 86400 300",
    "@ NS ns",
    "ns A 192.0.2.1",
    "www 7200 A 192.0.2.2",
    "*.w TXT wild",
    "open NS ns.open",
    "ns.open A 192.0.2.5",
    NULL,
};

static struct zone_set *zones(void *self UNUSED, size_t view)
{
    assert_int_equal(view, 3);
    return w.set;
}

static void changed(void *self UNUSED, size_t view, const struct dns_name *zone)
{
    assert_int_equal(view, 3);
    assert_true(dns_name_equal(zone, &w.zone));
    w.changes++;
}

static struct zone *served(void)
{
    return zone_set_get(w.set, &w.zone);
}

static void begin(bool separate)
{
    memset(&w, 0, sizeof w);
    w.loop = loop_new_virtual(0, 1);
    w.zone = dns_text_name("signed.example.");
    struct heap heap = memory_heap();
    w.set = zone_set_new(&heap, 10000);
    struct site_signature *s = &w.signatures.zones[w.signatures.count++];
    snprintf(s->zone, sizeof s->zone, "*");
    snprintf(s->keys, sizeof s->keys, "%s", directory);
    s->algorithm = 13;
    s->separate = separate;
    sign_policy_init(&s->policy);
    roll_policy_init(&s->roll);
    s->roll.zone_ttl = 0;
    struct site_signing_options options = {
        .loop = w.loop, .signatures = &w.signatures, .zones = zones, .changed = changed};
    assert_int_equal(site_signing_new(&options, &w.signing), 0);
    assert_true(site_signing_wants(w.signing, &w.zone));
}

static void end(void)
{
    site_signing_free(w.signing);
    zone_set_free(w.set);
    zone_free(w.mirror);
    loop_free(w.loop);
}

static struct zone *copy_of(const struct zone *zone)
{
    struct zone *copy = zone_new(&d.heap, &zone->name, 10000);
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

/* As site_zones.c does it. */
static void load(const char *more)
{
    struct zone *zone = dns_sign_zone(&d, "signed.example.", lines);
    struct zone *old;
    uint8_t room[256];
    if (more != NULL) {
        struct dns_record record = dns_sign_record("signed.example.", more, room, sizeof room);
        assert_int_equal(zone_put(zone, &record), ZONE_OK);
    }
    assert_true(site_signing_begin(w.signing, 3, zone));
    enum sign_status status;
    while ((status = site_signing_step(w.signing, 2)) == SIGN_MORE)
        continue;
    assert_int_equal(status, SIGN_DONE);
    assert_int_equal(zone_set_install(w.set, zone, &old), ZONE_OK);
    site_signing_served(w.signing);
    zone_free(old);
    assert_non_null(zone->history);
    zone_free(w.mirror);
    w.mirror = copy_of(zone);
}

static void check_zone(void)
{
    int64_t now = loop_wall_seconds(w.loop);
    if (dns_sign_verify(&d, served(), now) > 0)
        fail_msg("at %jd: %s", (intmax_t)now, d.complaints);
    assert_int_equal(zone_set_count(w.set), served()->record_count);
    /* a secondary that asks now and then has the same */
    static uint8_t scratch[ZONE_DIGEST_SCRATCH_LEN];
    uint8_t a[ZONE_DIGEST_MAX], b[ZONE_DIGEST_MAX];
    const struct zone_change *change;
    while ((change = zone_history_find(served()->history, zone_serial(w.mirror))) != NULL)
        assert_int_equal(zone_change_apply(NULL, w.mirror, change), ZONE_OK);
    assert_int_equal(zone_serial(w.mirror), zone_serial(served()));
    assert_int_equal(zone_digest(w.mirror, &d.options.crypto.digester, 1, scratch, a), 48);
    assert_int_equal(zone_digest(served(), &d.options.crypto.digester, 1, scratch, b), 48);
    assert_memory_equal(a, b, 48);
}

static void live(unsigned days)
{
    for (unsigned i = 0; i < days * 4; i++) {
        assert_int_equal(loop_run_until(w.loop, loop_now(w.loop) + 6 * USEC_PER_HOUR), 0);
        check_zone();
    }
}

static struct key_ring *read_ring(void)
{
    char complaint[500];
    struct text error = text_of(complaint, sizeof complaint);
    struct key_ring *ring = malloc(sizeof *ring);
    assert_non_null(ring);
    key_ring_init(ring, &w.zone, directory);
    assert_int_equal(key_ring_read(ring, &error), 0);
    return ring;
}

static void drop_ring(struct key_ring *ring)
{
    key_ring_done(ring);
    free(ring);
}

static unsigned count_state(enum roll_state state)
{
    struct key_ring *ring = read_ring();
    unsigned count = 0;
    for (size_t i = 0; i < ring->count; i++)
        count += roll_state_of(&ring->keys[i].roll, loop_wall_seconds(w.loop)) == state;
    drop_ring(ring);
    return count;
}

/* What `wholenet key ds --seen` does. */
static void tell_of_ds(void)
{
    char complaint[500];
    struct text error = text_of(complaint, sizeof complaint);
    struct key_ring *ring = read_ring();
    unsigned told = 0;
    for (size_t i = 0; i < ring->count; i++)
        told += roll_ds_seen(&ring->keys[i].roll, loop_wall_seconds(w.loop));
    assert_int_equal(told, 1);
    assert_int_equal(key_ring_write(ring, &error), 0);
    drop_ring(ring);
}

static void clean(void)
{
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

static void a_zone_is_kept_signed_for_months(void **state UNUSED)
{
    begin(false);
    load(NULL);
    check_zone();
    assert_int_equal(count_state(ROLL_ACTIVE), 1);
    live(100);
    assert_true(w.changes > 5);
    struct site_signing_state what;
    assert_true(site_signing_state(w.signing, 0, &what));
    assert_true(what.signatures > 100);
    assert_true(what.waits_for_ds);
    assert_int_equal(what.key_count, 1);
    assert_false(site_signing_state(w.signing, 1, &what));
    end();
    clean();
}

static void keys_are_rolled_by_themselves(void **state UNUSED)
{
    begin(true);
    w.signatures.zones[0].roll.zsk_lifetime = 30 * 86400;
    load(NULL);
    assert_int_equal(zone_rrset(served()->apex, DNS_DNSKEY)->count, 2);
    live(29);
    assert_int_equal(zone_rrset(served()->apex, DNS_DNSKEY)->count, 2);
    live(70);
    assert_int_equal(count_state(ROLL_ACTIVE), 2);
    assert_int_equal(count_state(ROLL_REMOVED), 3);
    /* The parent has the DS; then there is another KSK, and the parent gets that too. */
    tell_of_ds();
    live(1);
    struct key_ring *ring = read_ring();
    char complaint[500];
    struct text error = text_of(complaint, sizeof complaint);
    size_t index, old = 0;
    while ((ring->keys[old].roll.flags & ROLL_KEY_SEP) == 0)
        old++;
    assert_int_equal(key_ring_make(ring, 13, 0, true, loop_wall_seconds(w.loop), &index), 0);
    roll_ksk(&ring->keys[old].roll, &ring->keys[index].roll, loop_wall_seconds(w.loop));
    assert_int_equal(key_ring_write(ring, &error), 0);
    drop_ring(ring);
    live(1);
    assert_int_equal(zone_rrset(served()->apex, DNS_CDS)->count, 2);
    tell_of_ds();
    live(7);
    assert_int_equal(zone_rrset(served()->apex, DNS_CDS)->count, 1);
    assert_true(zone_rrset(served()->apex, DNS_DNSKEY)->count <= 3);
    end();
    clean();
}

static void a_restart_goes_on(void **state UNUSED)
{
    begin(false);
    load(NULL);
    live(10);
    uint32_t serial = zone_serial(served());
    uint16_t tag = validate_key_tag(rrset_first(zone_rrset(served()->apex, DNS_DNSKEY)));
    end();
    begin(false);
    load(NULL);
    check_zone();
    assert_true(dns_serial_before(serial, zone_serial(served())));
    assert_int_equal(validate_key_tag(rrset_first(zone_rrset(served()->apex, DNS_DNSKEY))), tag);
    /* loaded again, nothing has changed, and then a name has */
    serial = zone_serial(served());
    load(NULL);
    assert_int_equal(zone_serial(served()), serial);
    live(1);
    load("new A 192.0.2.77");
    assert_int_equal(zone_serial(served()), serial + 1);
    check_zone();
    live(30);
    end();
    clean();
}

static void changes_are_followed(void **state UNUSED)
{
    begin(false);
    load(NULL);
    for (unsigned i = 0; i < 50; i++) {
        char line[64];
        uint8_t room[256];
        snprintf(line, sizeof line, "n%u A 192.0.2.%u", i * 7 % 50, i);
        struct dns_record record = dns_sign_record("signed.example.", line, room, sizeof room);
        struct zone_change change;
        zone_change_init(&change, &d.heap, 1 << 16);
        struct dns_record soa = {.owner = w.zone, .type = DNS_SOA, .class = DNS_IN, .ttl = 3600};
        soa.rdata = rrset_first(zone_rrset(served()->apex, DNS_SOA));
        assert_int_equal(zone_change_add(&change, ZONE_REMOVED, &soa), ZONE_OK);
        assert_int_equal(zone_change_add(&change, ZONE_ADDED, &soa), ZONE_OK);
        assert_int_equal(zone_change_add(&change, ZONE_ADDED, &record), ZONE_OK);
        uint32_t serial = zone_serial(served());
        assert_int_equal(zone_change_apply(w.set, served(), &change), ZONE_OK);
        assert_true(site_signing_follow(w.signing, 3, &w.zone, &change));
        zone_change_done(&change);
        assert_int_equal(zone_serial(served()), serial + 1);
        check_zone(); /* and the mirror, which knows the history only */
    }
    live(20);
    struct dns_name other = dns_text_name("other.example.");
    struct zone_change nothing;
    zone_change_init(&nothing, &d.heap, 1 << 16);
    assert_true(site_signing_follow(w.signing, 3, &other, &nothing));
    site_signing_forget(w.signing, 3, &w.zone);
    unsigned changes = w.changes;
    assert_int_equal(loop_run_until(w.loop, loop_now(w.loop) + 30 * USEC_PER_DAY), 0);
    assert_int_equal(w.changes, changes);
    end();
    clean();
}

static void what_cannot_be_signed_is_not(void **state UNUSED)
{
    static const char *const no_soa[] = {"@ NS ns", NULL};
    begin(false);
    struct zone *zone = dns_sign_zone(&d, "signed.example.", no_soa);
    assert_false(site_signing_begin(w.signing, 3, zone));
    zone_free(zone);
    zone = dns_sign_zone(&d, "signed.example.", lines);
    snprintf(w.signatures.zones[0].keys, sizeof w.signatures.zones[0].keys, "/proc/no/such");
    assert_false(site_signing_begin(w.signing, 3, zone));
    w.signatures.zones[0].off = true;
    assert_false(site_signing_wants(w.signing, &w.zone));
    zone_free(zone);
    end();
    clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_kept_signed_for_months),
        cmocka_unit_test(keys_are_rolled_by_themselves),
        cmocka_unit_test(a_restart_goes_on),
        cmocka_unit_test(changes_are_followed),
        cmocka_unit_test(what_cannot_be_signed_is_not),
    };
    snprintf(directory, sizeof directory, "/tmp/test_site_signing.%d", (int)getpid());
    dns_sign_init(&d, 1);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    dns_sign_done(&d);
    return result;
}

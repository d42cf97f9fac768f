/* SPDX-License-Identifier: ISC */
/*
 * test_key_roll.c - keys are rolled in virtual time, and resolvers whose caches are as unlucky as can be never see
 * anything bogus: whatever they have got of DS, keys and data, each at a moment of its own within its TTL.
 */
#include "proto/dns/key_roll.h"

#include "tests/support/check.h"
#include "tests/support/dns_sign.h"
#include "tests/support/dns_text.h"

#define START DNS_SIGN_NOW
#define HOUR 3600
#define DAY (24 * HOUR)

enum { KEYS_MAX = 8, LIST_MAX = 8192, MOMENTS_MAX = 4096 };

static struct dns_sign d;
static uint8_t scratch[VALIDATE_SCRATCH_LEN];

static const char *const lines[] = {
    "@ 3600 SOA ns host 1 7200 3600 86400 300",
    "@ 3600 NS ns",
    "ns 3600 A 192.0.2.1",
    "www 7200 A 192.0.2.2",
    NULL,
};

/* What was to be had at some moment, as lists. */
struct moment {
    int64_t at;
    uint8_t *ds, *keys, *keys_signatures, *data, *data_signatures;
    size_t ds_len, keys_len, keys_signatures_len, data_len, data_signatures_len;
};

static struct world {
    struct zone *zone;
    struct signer *signer;
    struct roll_key keys[KEYS_MAX];
    struct dns_sign_key secrets[KEYS_MAX];
    size_t key_count;
    struct roll_policy policy;
    int64_t now;
    int64_t parent_follows_at; /* CDS */
    uint8_t ds[LIST_MAX];
    size_t ds_len;
    struct moment moments[MOMENTS_MAX];
    size_t moment_count;
    unsigned ds_changes, checks;
} w;

static size_t add_key(uint8_t algorithm, uint16_t flags)
{
    size_t i = w.key_count++;
    assert_true(i < KEYS_MAX);
    dns_sign_key_make(&w.secrets[i], algorithm, flags);
    w.keys[i] = (struct roll_key){
        .flags = flags,
        .algorithm = algorithm,
        .tag = validate_key_tag(bytes_of(w.secrets[i].rdata, w.secrets[i].len)),
        .times = {[DNS_KEY_CREATED] = w.now},
    };
    return i;
}

static void begin(uint64_t seed)
{
    memset(&w, 0, sizeof w);
    w.now = START;
    roll_policy_init(&w.policy);
    w.policy.zone_ttl = 2 * HOUR;
    w.policy.ds_ttl = 3 * HOUR;
    w.zone = dns_sign_zone(&d, "example.", lines);
    prng_init_number(&d.prng, seed);
    w.signer = signer_new(&d.options);
}

static void finish(void)
{
    for (size_t i = 0; i < w.key_count; i++)
        dns_sign_key_free(&w.secrets[i]);
    for (size_t i = 0; i < w.moment_count; i++)
        free(w.moments[i].ds);
    signer_free(w.signer);
    zone_free(w.zone);
}

static size_t list_of(const struct rrset *rrset, uint8_t *out)
{
    struct writer list = writer_of(out, LIST_MAX);
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset != NULL && rrset_next(rrset, &place, &rdata))
        cache_write_rdata(&list, rdata);
    assert_false(list.failed);
    return writer_len(&list);
}

static const struct zone_node *www(void)
{
    struct dns_name name = dns_text_name("www.example.");
    struct zone_match match;
    zone_find_in(w.zone, &name, &match);
    return match.node;
}

static void note(void)
{
    struct moment *m = &w.moments[w.moment_count++];
    uint8_t *room = malloc(5 * LIST_MAX);
    assert_non_null(room);
    assert_true(w.moment_count < MOMENTS_MAX);
    *m = (struct moment){.at = w.now, .ds = room, .keys = room + LIST_MAX,
                         .keys_signatures = room + 2 * LIST_MAX, .data = room + 3 * LIST_MAX,
                         .data_signatures = room + 4 * LIST_MAX};
    memcpy(m->ds, w.ds, w.ds_len);
    m->ds_len = w.ds_len;
    m->keys_len = list_of(zone_rrset(w.zone->apex, DNS_DNSKEY), m->keys);
    m->keys_signatures_len = list_of(zone_signatures(w.zone->apex, DNS_DNSKEY), m->keys_signatures);
    m->data_len = list_of(zone_rrset(www(), DNS_A), m->data);
    m->data_signatures_len = list_of(zone_signatures(www(), DNS_A), m->data_signatures);
}

/* One of those that a cache may still have: the state of a moment lasts until the next. `late` is how long a
 * secondary may be behind. */
static const struct moment *cached(uint32_t age_max)
{
    int64_t at = w.now - prng_below(&d.prng, age_max);
    for (size_t i = w.moment_count; i-- > 0;)
        if (w.moments[i].at <= at)
            return &w.moments[i];
    return &w.moments[0];
}

/* RFC 4035 §2.2: a strict validator wants a signature by each algorithm that there is, in lists of RDATA that
 * have it at offset `at`. */
static void check_algorithms(const char *what, struct bytes list, size_t at, struct bytes signatures)
{
    struct reader r = reader_of(list);
    struct bytes rdata, signature;
    while (cache_read_rdata(&r, &rdata)) {
        struct reader s = reader_of(signatures);
        bool found = false;
        while (!found && cache_read_rdata(&s, &signature))
            found = signature.data[2] == rdata.data[at];
        if (!found)
            fail_msg("after %jd s: %s by algorithm %u is missing", (intmax_t)(w.now - START), what,
                     (unsigned)rdata.data[at]);
    }
}

static void ask_with_an_unlucky_cache(void)
{
    struct validate_context v;
    struct dns_name apex = dns_text_name("example.");
    struct dns_name name = dns_text_name("www.example.");
    const struct moment *ds = cached(w.policy.ds_ttl + w.policy.parent_propagation);
    const struct moment *keys = cached(w.policy.key_ttl + w.policy.propagation);
    const struct moment *data = cached(w.policy.zone_ttl + w.policy.propagation);
    unsigned labels;
    if (ds->ds_len == 0)
        return; /* not yet signed for the world */
    validate_init(&v, &d.validate, w.now, scratch);
    struct validate_set set = {&apex, DNS_DNSKEY, bytes_of(keys->keys, keys->keys_len),
                               bytes_of(keys->keys_signatures, keys->keys_signatures_len)};
    struct validate_outcome outcome = validate_keys(&v, &set, bytes_of(ds->ds, ds->ds_len));
    if (outcome.security != CACHE_SECURE)
        fail_msg("after %jd s: DS of %jd s, keys of %jd s: the keys are bogus",
                 (intmax_t)(w.now - START), (intmax_t)(ds->at - START), (intmax_t)(keys->at - START));
    struct validate_zone zone = {&apex, bytes_of(keys->keys, keys->keys_len)};
    set = (struct validate_set){&name, DNS_A, bytes_of(data->data, data->data_len),
                                bytes_of(data->data_signatures, data->data_signatures_len)};
    outcome = validate_set(&v, &set, &zone, &labels);
    if (outcome.security != CACHE_SECURE)
        fail_msg("after %jd s: keys of %jd s, data of %jd s: the data is bogus",
                 (intmax_t)(w.now - START), (intmax_t)(keys->at - START), (intmax_t)(data->at - START));
    check_algorithms("a signature over the keys", bytes_of(ds->ds, ds->ds_len), 2,
                     bytes_of(keys->keys_signatures, keys->keys_signatures_len));
    check_algorithms("a signature over the data", bytes_of(keys->keys, keys->keys_len), 3,
                     bytes_of(data->data_signatures, data->data_signatures_len));
    w.checks++;
}

/* The parent looks at CDS now and then, and does what it says (RFC 7344 §4). */
static void parent(void)
{
    uint8_t list[LIST_MAX];
    size_t len = list_of(zone_rrset(w.zone->apex, DNS_CDS), list);
    if (w.now < w.parent_follows_at)
        return;
    w.parent_follows_at = w.now + 5 * HOUR;
    if (len == 0 || (len == w.ds_len && memcmp(list, w.ds, len) == 0))
        return;
    memcpy(w.ds, list, len);
    w.ds_len = len;
    w.ds_changes++;
    /* and somebody tells us: `wholenet key ds --seen` */
    struct sign_key roles[KEYS_MAX];
    roll_roles(w.keys, w.key_count, w.now, roles);
    for (size_t i = 0; i < w.key_count; i++)
        if (roles[i].synced)
            (void)roll_ds_seen(&w.keys[i], w.now);
}

static struct roll_next turn(void)
{
    struct sign_key roles[KEYS_MAX];
    struct sign_policy policy;
    struct roll_next next;
    roll_advance(w.keys, w.key_count, &w.policy, w.now, &next);
    roll_roles(w.keys, w.key_count, w.now, roles);
    for (size_t i = 0; i < w.key_count; i++) {
        roles[i].rdata = bytes_of(w.secrets[i].rdata, w.secrets[i].len);
        roles[i].secret = w.secrets[i].secret;
    }
    sign_policy_init(&policy);
    policy.key_ttl = w.policy.key_ttl;
    assert_true(signer_set(w.signer, &policy, roles, w.key_count));
    signer_start_pass(w.signer, w.zone);
    enum sign_status status = SIGN_MORE;
    while (status == SIGN_MORE)
        status = signer_step(w.signer, 10, w.now);
    assert_int_equal(status, SIGN_DONE);
    return next;
}

static void run(int64_t until)
{
    while (w.now < until) {
        (void)turn();
        parent();
        note();
        if (dns_sign_verify(&d, w.zone, w.now) > 0)
            fail_msg("after %jd s:\n%s", (intmax_t)(w.now - START), d.complaints);
        for (unsigned i = 0; i < 6; i++)
            ask_with_an_unlucky_cache();
        w.now += 15 * 60;
    }
}

static void sign_first(void)
{
    struct sign_key roles[KEYS_MAX];
    struct sign_policy policy;
    sign_policy_init(&policy);
    policy.key_ttl = w.policy.key_ttl;
    roll_roles(w.keys, w.key_count, w.now, roles);
    for (size_t i = 0; i < w.key_count; i++) {
        roles[i].rdata = bytes_of(w.secrets[i].rdata, w.secrets[i].len);
        roles[i].secret = w.secrets[i].secret;
    }
    assert_true(signer_set(w.signer, &policy, roles, w.key_count));
    dns_sign_whole(w.signer, w.zone, NULL, NULL, w.now);
    note();
}

static void check_state(size_t key, enum roll_state want)
{
    assert_string_equal(roll_state_name(roll_state_of(&w.keys[key], w.now)), roll_state_name(want));
}

static void a_csk_is_rolled_by_double_ds(void **state UNUSED)
{
    begin(1);
    size_t old = add_key(13, 257);
    roll_begin(&w.keys[old], w.now);
    assert_string_equal(roll_role_name(w.keys, w.key_count, old, w.now), "csk");
    sign_first();
    run(START + DAY);
    check_state(old, ROLL_ACTIVE);
    assert_int_equal(w.ds_changes, 1);
    size_t next = add_key(13, 257);
    check_state(next, ROLL_GENERATED);
    roll_ksk(&w.keys[old], &w.keys[next], w.now);
    w.parent_follows_at = w.now + 20 * HOUR; /* it takes its time */
    check_state(next, ROLL_SUBMITTED);
    run(START + DAY + 12 * HOUR);
    check_state(next, ROLL_SUBMITTED);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_CDS)->count, 2);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_DNSKEY)->count, 1);
    run(START + DAY + 21 * HOUR);
    check_state(next, ROLL_DS_PUBLISHED);
    run(START + 5 * DAY);
    check_state(next, ROLL_ACTIVE);
    check_state(old, ROLL_REMOVED);
    assert_int_equal(w.ds_changes, 3);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_DNSKEY)->count, 1);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_CDS)->count, 1);
    assert_true(w.checks > 1000);
    finish();
}

static void a_zsk_is_published_first(void **state UNUSED)
{
    begin(2);
    size_t ksk = add_key(13, 257), old = add_key(13, 256);
    roll_begin(&w.keys[ksk], w.now);
    roll_begin(&w.keys[old], w.now);
    assert_string_equal(roll_role_name(w.keys, w.key_count, ksk, w.now), "ksk");
    sign_first();
    run(START + DAY);
    size_t next = add_key(13, 256);
    roll_zsk(&w.keys[old], &w.keys[next], &w.policy, w.now);
    run(w.now + HOUR);
    check_state(next, ROLL_PUBLISHED);
    check_state(old, ROLL_ACTIVE);
    run(w.now + 2 * HOUR);
    check_state(next, ROLL_ACTIVE);
    check_state(old, ROLL_RETIRED);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_DNSKEY)->count, 3);
    run(w.now + DAY);
    check_state(old, ROLL_REMOVED);
    check_state(ksk, ROLL_ACTIVE);
    assert_int_equal(w.ds_changes, 1);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_DNSKEY)->count, 2);

    size_t next_ksk = add_key(13, 257);
    roll_ksk(&w.keys[ksk], &w.keys[next_ksk], w.now);
    run(w.now + 3 * DAY);
    check_state(ksk, ROLL_REMOVED);
    check_state(next_ksk, ROLL_ACTIVE);
    check_state(next, ROLL_ACTIVE);
    assert_string_equal(roll_role_name(w.keys, w.key_count, next_ksk, w.now), "ksk");
    finish();
}

static void another_algorithm_signs_first(void **state UNUSED)
{
    begin(3);
    size_t ksk = add_key(13, 257), zsk = add_key(13, 256);
    roll_begin(&w.keys[ksk], w.now);
    roll_begin(&w.keys[zsk], w.now);
    sign_first();
    run(START + DAY);
    size_t next_ksk = add_key(15, 257), next_zsk = add_key(15, 256);
    roll_algorithm(&w.keys[ksk], &w.keys[next_ksk], &w.policy, w.now);
    roll_algorithm(&w.keys[zsk], &w.keys[next_zsk], &w.policy, w.now);
    run(w.now + HOUR);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_DNSKEY)->count, 2);
    assert_int_equal(zone_signatures(www(), DNS_A)->count, 2);
    run(w.now + 5 * DAY);
    check_state(ksk, ROLL_REMOVED);
    check_state(zsk, ROLL_REMOVED);
    check_state(next_ksk, ROLL_ACTIVE);
    assert_int_equal(zone_rrset(w.zone->apex, DNS_DNSKEY)->count, 2);
    assert_int_equal(zone_signatures(www(), DNS_A)->count, 1);
    assert_int_equal(rrset_first(zone_rrset(w.zone->apex, DNS_DNSKEY)).data[3], 15);
    assert_int_equal(w.ds_changes, 2);
    finish();

    begin(4); /* and of a CSK */
    size_t csk = add_key(8, 257);
    roll_begin(&w.keys[csk], w.now);
    sign_first();
    run(START + DAY);
    size_t next = add_key(13, 257);
    roll_algorithm(&w.keys[csk], &w.keys[next], &w.policy, w.now);
    run(w.now + 5 * DAY);
    check_state(csk, ROLL_REMOVED);
    check_state(next, ROLL_ACTIVE);
    finish();
}

static void without_the_parent_nothing_moves(void **state UNUSED)
{
    begin(5);
    size_t old = add_key(13, 257);
    roll_begin(&w.keys[old], w.now);
    sign_first();
    run(START + DAY);
    size_t next = add_key(13, 257);
    roll_ksk(&w.keys[old], &w.keys[next], w.now);
    w.parent_follows_at = INT64_MAX;
    run(w.now + 10 * DAY);
    check_state(next, ROLL_SUBMITTED);
    check_state(old, ROLL_ACTIVE);
    struct roll_next what;
    roll_advance(w.keys, w.key_count, &w.policy, w.now, &what);
    assert_true(what.waits_for_ds);
    assert_true(what.at == INT64_MAX);
    finish();
}

static void keys_have_a_lifetime(void **state UNUSED)
{
    struct roll_next next;
    begin(6);
    w.policy.zsk_lifetime = 30 * DAY;
    w.policy.ksk_lifetime = 365 * DAY;
    size_t ksk = add_key(13, 257), zsk = add_key(13, 256);
    roll_begin(&w.keys[ksk], w.now);
    roll_begin(&w.keys[zsk], w.now);
    roll_advance(w.keys, 2, &w.policy, START + 29 * DAY, &next);
    assert_false(next.wants_zsk);
    assert_true(next.at == START + 30 * DAY);
    roll_advance(w.keys, 2, &w.policy, START + 30 * DAY, &next);
    assert_true(next.wants_zsk);
    assert_int_equal(next.old_zsk, zsk);
    assert_false(next.wants_ksk);
    roll_advance(w.keys, 2, &w.policy, START + 365 * DAY, &next);
    assert_false(next.wants_ksk); /* the parent has not even this one's DS */
    assert_true(roll_ds_seen(&w.keys[ksk], START + DAY));
    assert_false(roll_ds_seen(&w.keys[ksk], START + DAY));
    assert_false(roll_ds_seen(&w.keys[zsk], START + DAY));
    roll_advance(w.keys, 2, &w.policy, START + 365 * DAY, &next);
    assert_true(next.wants_ksk);
    assert_int_equal(next.old_ksk, ksk);
    signer_free(w.signer);
    w.signer = NULL;
    finish();
}

/* What others write means the same here. */
static void keys_of_others_do_what_their_times_say(void **state UNUSED)
{
    static const struct {
        const char *name;
        struct roll_key key;
        bool published, signs_keys, signs_zone, synced;
        enum roll_state state;
    } cases[] = {
        {"no times: ldns", {.flags = 257}, true, true, true, false, ROLL_ACTIVE},
        {"no times, ZSK", {.flags = 256}, true, false, true, false, ROLL_ACTIVE},
        {"in use: dnssec-keygen", {.flags = 257, .times = {1, 1, 1}}, true, true, true, false, ROLL_ACTIVE},
        {"created only: dnssec-keygen -G", {.flags = 257, .times = {1}}, false, false, false, false, ROLL_GENERATED},
        {"not yet", {.flags = 257, .times = {1, 1000, 1000}}, false, false, false, false, ROLL_GENERATED},
        {"published", {.flags = 256, .times = {1, 1, 1000}}, true, false, false, false, ROLL_PUBLISHED},
        {"retired", {.flags = 256, .times = {1, 1, 1, 0, 400, 1000}}, true, false, false, false, ROLL_RETIRED},
        {"gone", {.flags = 256, .times = {1, 1, 1, 0, 400, 450}}, false, false, false, false, ROLL_REMOVED},
        {"with CDS", {.flags = 257, .times = {1, 1, 1, [DNS_KEY_SYNC_PUBLISH] = 400}}, true, true, true, true, ROLL_ACTIVE},
        {"with CDS no more", {.flags = 257, .times = {1, 1, 1, [DNS_KEY_SYNC_PUBLISH] = 400, [DNS_KEY_SYNC_DELETE] = 450}}, true, true, true, false, ROLL_ACTIVE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sign_key role;
        roll_roles(&cases[i].key, 1, 500, &role);
        CHECK_EQUAL(cases[i].name, role.published, cases[i].published);
        CHECK_EQUAL(cases[i].name, role.signs_keys, cases[i].signs_keys);
        CHECK_EQUAL(cases[i].name, role.signs_zone, cases[i].signs_zone);
        CHECK_EQUAL(cases[i].name, role.synced, cases[i].synced);
        CHECK_EQUAL(cases[i].name, roll_state_of(&cases[i].key, 500), cases[i].state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_csk_is_rolled_by_double_ds),
        cmocka_unit_test(a_zsk_is_published_first),
        cmocka_unit_test(another_algorithm_signs_first),
        cmocka_unit_test(without_the_parent_nothing_moves),
        cmocka_unit_test(keys_have_a_lifetime),
        cmocka_unit_test(keys_of_others_do_what_their_times_say),
    };
    dns_sign_init(&d, 1);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    dns_sign_done(&d);
    return result;
}

/* SPDX-License-Identifier: ISC */
/* test_notify.c - telling others of a change until they have heard (RFC 1996 §3). */
#include "proto/dns/notify.h"

#include "os/hmac.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define SEC USEC_PER_SEC

static struct counting_heap counts;
static struct prng prng;
static struct tsig_keys keys;
static struct notify n;

static int set_up(void **state UNUSED)
{
    counts = (struct counting_heap){0};
    struct heap heap = counting_heap(&counts);
    prng_init_number(&prng, 3);
    keys.hmac = (struct tsig_hmac){hmac_start, hmac_add, hmac_end, hmac_new()};
    keys.count = 1;
    assert_true(tsig_key_parse(bytes_of_text("k:c2VjcmV0"), &keys.keys[0]));
    notify_init(&n, &heap, &prng, &keys);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    notify_done(&n);
    hmac_free(keys.hmac.self);
    return counts.blocks == 0 ? 0 : 1;
}

static struct tsig_peer peer(uint8_t last, const char *key)
{
    return (struct tsig_peer){.at = {address_v4(0x0a000000u + last), 53}, .key = dns_text_name(key)};
}

static struct bytes build(struct notify_item *item, uint8_t *buffer)
{
    static const uint8_t soa[22] = {[5] = 7};
    return notify_build(&n, item, 300, bytes_of(soa, sizeof soa), 1000, buffer);
}

static void it_is_said_until_it_is_answered(void **state UNUSED)
{
    struct dns_name zone = dns_text_name("example");
    struct tsig_peer one = peer(1, "."), two = peer(2, ".");
    uint8_t buffer[NOTIFY_MESSAGE_MAX], answer[NOTIFY_MESSAGE_MAX];
    char text[400];
    bool given_up;
    unsigned rcode;
    assert_int_equal(notify_add(&n, &zone, 0, &one, 0), 0);
    assert_int_equal(notify_add(&n, &zone, 0, &two, 0), 0);
    struct notify_item *item = notify_due(&n, 0, &given_up);
    assert_false(given_up);
    struct bytes message = build(item, buffer);
    assert_int_equal(message.data[2] >> 3, DNS_OPCODE_NOTIFY);
    assert_ptr_not_equal(notify_due(&n, 0, &given_up), item);
    assert_null(notify_due(&n, 0, &given_up));
    memcpy(answer, message.data, message.len);
    struct bytes reply = bytes_of(answer, message.len);
    assert_null(notify_answered(&n, &one.at, reply, 1000, &rcode)); /* it is no answer */
    answer[2] |= 0x80;
    assert_string_equal(dns_text_of(reply, text, sizeof text),
                        "NOERROR aa; an example. 300 IN SOA . . 7 0 0 0 0");
    assert_null(notify_answered(&n, &two.at, reply, 1000, &rcode)); /* of another */
    answer[1] ^= 1;
    assert_null(notify_answered(&n, &one.at, reply, 1000, &rcode)); /* to something else */
    answer[1] ^= 1;
    assert_ptr_equal(notify_answered(&n, &one.at, reply, 1000, &rcode), item);
    notify_drop(&n, item);
    /* The other never answers. */
    static const unsigned at[] = {2, 6, 14, 30, 62};
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        assert_int_equal(notify_deadline(&n), at[i] * SEC);
        item = notify_due(&n, at[i] * SEC, &given_up);
        assert_non_null(item);
        assert_false(given_up);
        (void)build(item, buffer);
    }
    item = notify_due(&n, 126 * SEC, &given_up);
    assert_true(item != NULL && given_up);
    notify_drop(&n, item);
    assert_int_equal(notify_deadline(&n), USEC_NEVER);
}

static void another_change_begins_anew(void **state UNUSED)
{
    struct dns_name zone = dns_text_name("example");
    struct tsig_peer one = peer(1, ".");
    bool given_up;
    assert_int_equal(notify_add(&n, &zone, 0, &one, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_non_null(notify_due(&n, (1 + i) * 100 * SEC, &given_up));
    assert_int_equal(notify_add(&n, &zone, 0, &one, 500 * SEC), 0);
    assert_int_equal(n.count, 1);
    assert_int_equal(notify_due(&n, 500 * SEC, &given_up)->attempts, 1);
    assert_int_equal(notify_add(&n, &zone, 1, &one, 0), 0); /* of another view: another zone */
    assert_int_equal(n.count, 2);
}

static void with_a_key_only_signed_answers_count(void **state UNUSED)
{
    struct dns_name zone = dns_text_name("example");
    struct tsig_peer one = peer(1, "k");
    uint8_t buffer[NOTIFY_MESSAGE_MAX], answer[NOTIFY_MESSAGE_MAX];
    bool given_up;
    unsigned rcode;
    assert_int_equal(notify_add(&n, &zone, 0, &one, 0), 0);
    struct notify_item *item = notify_due(&n, 0, &given_up);
    struct bytes message = build(item, buffer);
    struct dns_summary summary;
    struct tsig tsig;
    struct dns_tsig record;
    assert_int_equal(dns_summarise(message, &summary), WIRE_OK);
    assert_int_equal(tsig_check(&keys, message, summary.tsig_at, 1000, &tsig, &record), TSIG_RIGHT);
    struct dns_text_query plain = {"example", DNS_SOA, .id = summary.header.id,
                                   .flags = DNS_QR | DNS_OPCODE_NOTIFY << 11};
    size_t len = dns_text_query(&plain, answer, sizeof answer).len;
    assert_null(notify_answered(&n, &one.at, bytes_of(answer, len), 1000, &rcode));
    len = tsig_sign(&tsig, 1000, answer, len, sizeof answer);
    assert_ptr_equal(notify_answered(&n, &one.at, bytes_of(answer, len), 1000, &rcode), item);
}

static void the_oldest_goes_when_there_are_too_many(void **state UNUSED)
{
    struct tsig_peer one = peer(1, ".");
    struct dns_name name;
    for (unsigned i = 0; i <= NOTIFY_PENDING_MAX; i++) {
        char text[32];
        snprintf(text, sizeof text, "z%u.example", i);
        name = dns_text_name(text);
        assert_int_equal(notify_add(&n, &name, 0, &one, 0), 0);
    }
    assert_int_equal(n.count, NOTIFY_PENDING_MAX);
    bool given_up;
    name = dns_text_name("z1.example");
    assert_true(dns_name_equal(&notify_due(&n, 0, &given_up)->zone, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_said_until_it_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_change_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_key_only_signed_answers_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_goes_when_there_are_too_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_tsig.c - signed queries and replies, both sides (RFC 8945 §5), with real HMACs. */
#include "proto/dns/tsig.h"

#include "os/hmac.h"
#include "os/memory.h"
#include "proto/dns/answer.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

enum { NOW = 1800000000 };

static struct tsig_keys keys;

static int set_up(void **state UNUSED)
{
    static const char *const texts[] = {"hmac-sha1:one:c2VjcmV0", "two.example:c2VjcmV0MTIzNA==",
                                        "hmac-sha224:three:AAAA", "hmac-sha384:four:AAAA",
                                        "hmac-sha512:five:AAAA", "hmac-sha256-128:six:AAAA",
                                        "hmac-sha384-192:seven:AAAA", "hmac-sha512-256:eight:AAAA"};
    keys.hmac = (struct tsig_hmac){hmac_start, hmac_add, hmac_end, hmac_new()};
    keys.count = ARRAY_LEN(texts);
    for (size_t i = 0; i < keys.count; i++)
        CHECK(texts[i], tsig_key_parse(bytes_of_text(texts[i]), &keys.keys[i]));
    return 0;
}

static int tear_down(void **state UNUSED)
{
    hmac_free(keys.hmac.self);
    return 0;
}

/* A query in a block of its own, signed with that key. */
struct signed_query {
    uint8_t octets[1024];
    size_t len;
    struct tsig_client client;
};

static void sign_query(struct signed_query *q, const struct tsig_key *key, uint64_t now)
{
    struct dns_text_query query = {"www.example", DNS_A, .id = 77, .edns = 1232};
    size_t len = dns_text_query(&query, q->octets, sizeof q->octets).len;
    tsig_client_init(&q->client, key, &keys.hmac);
    q->len = tsig_client_sign(&q->client, now, q->octets, len, sizeof q->octets);
    assert_true(q->len > len);
}

static enum tsig_verdict check(const struct tsig_keys *with, const struct signed_query *q,
                               uint64_t now, struct tsig *out, struct dns_tsig *record)
{
    struct dns_summary summary;
    uint8_t *exact = exact_copy(q->octets, q->len);
    assert_int_equal(dns_summarise(bytes_of(exact, q->len), &summary), WIRE_OK);
    assert_true(summary.tsig_at > 0);
    enum tsig_verdict verdict =
        tsig_check(with, bytes_of(exact, q->len), summary.tsig_at, now, out, record);
    free(exact);
    return verdict;
}

static size_t tsig_at(struct bytes message)
{
    struct dns_summary summary;
    assert_int_equal(dns_summarise(message, &summary), WIRE_OK);
    return summary.tsig_at;
}

static enum tsig_client_verdict receive(struct signed_query *q, const uint8_t *reply, size_t len,
                                        uint64_t now)
{
    uint8_t *exact = exact_copy(reply, len);
    struct bytes message = bytes_of(exact, len);
    enum tsig_client_verdict verdict = tsig_client_check(&q->client, message, tsig_at(message), now);
    free(exact);
    return verdict;
}

static void every_algorithm_there_and_back(void **state UNUSED)
{
    static const size_t mac_lens[] = {20, 32, 28, 48, 64, 16, 24, 32};
    for (size_t i = 0; i < keys.count; i++) {
        struct signed_query q;
        struct tsig tsig;
        struct dns_tsig record;
        uint8_t reply[1024];
        sign_query(&q, &keys.keys[i], NOW);
        CHECK_EQUAL("verdict", check(&keys, &q, NOW + 300, &tsig, &record), TSIG_RIGHT);
        assert_ptr_equal(tsig.key, &keys.keys[i]);
        CHECK_EQUAL("mac", record.mac.len, mac_lens[i]);
        struct dns_text_query text = {"www.example", DNS_A, .id = 77, .flags = DNS_QR};
        size_t len = dns_text_query(&text, reply, sizeof reply).len;
        size_t room = tsig_room(&tsig);
        assert_int_equal(tsig_sign(&tsig, NOW, reply, len, len + room - 1), len);
        size_t signed_len = tsig_sign(&tsig, NOW, reply, len, len + room);
        assert_int_equal(signed_len, len + room);
        CHECK_EQUAL("reply", receive(&q, reply, signed_len, NOW), TSIG_CLIENT_RIGHT);
        assert_true(tsig_client_settled(&q.client));
        tsig_client_end(&q.client);
    }
}

/* Of the message, of the record, of the request that a reply continues: no octet may change. */
static void no_octet_may_change(void **state UNUSED)
{
    struct signed_query q;
    struct tsig tsig;
    struct dns_tsig record;
    sign_query(&q, &keys.keys[1], NOW);
    for (size_t i = 0; i < q.len; i++) {
        struct signed_query changed = q;
        struct dns_summary summary;
        changed.octets[i] ^= 1;
        struct bytes message = bytes_of(changed.octets, changed.len);
        if (i < 2 || dns_summarise(message, &summary) != WIRE_OK || summary.tsig_at == 0)
            continue; /* the id may: forwarders change it, and the record has the one that was signed */
        if (tsig_check(&keys, message, summary.tsig_at, NOW, &tsig, &record) == TSIG_RIGHT)
            fail_msg("octet %zu of %zu is not covered", i, q.len);
    }
    uint8_t reply[1024];
    struct dns_text_query text = {"www.example", DNS_A, .id = 77, .flags = DNS_QR};
    size_t len = dns_text_query(&text, reply, sizeof reply).len;
    assert_int_equal(check(&keys, &q, NOW, &tsig, &record), TSIG_RIGHT);
    tsig.mac[3] ^= 1;
    len = tsig_sign(&tsig, NOW, reply, len, sizeof reply);
    assert_int_equal(receive(&q, reply, len, NOW), TSIG_CLIENT_WRONG);
    assert_int_equal(q.client.error, DNS_TSIG_BADSIG);
}

static void what_is_refused(void **state UNUSED)
{
    static struct tsig_keys others;
    struct signed_query q;
    struct tsig tsig;
    struct dns_tsig record;
    others = keys;
    sign_query(&q, &keys.keys[1], NOW);
    /* RFC 8945 §5.2.1: no such key, or the same name with another algorithm */
    others.count = 1;
    assert_int_equal(check(&others, &q, NOW, &tsig, &record), TSIG_REFUSED);
    assert_int_equal(tsig.error, DNS_TSIG_BADKEY);
    assert_null(tsig.key);
    others.count = 2;
    others.keys[1].algorithm = TSIG_HMAC_SHA512;
    assert_int_equal(check(&others, &q, NOW, &tsig, &record), TSIG_REFUSED);
    assert_int_equal(tsig.error, DNS_TSIG_BADKEY);
    /* §5.2.2: another secret */
    others = keys;
    others.keys[1].secret[0] ^= 1;
    assert_int_equal(check(&others, &q, NOW, &tsig, &record), TSIG_REFUSED);
    assert_int_equal(tsig.error, DNS_TSIG_BADSIG);
    assert_null(tsig.key);
    /* §5.2.3: a clock that is off by more than the fudge, either way; the key counts */
    assert_int_equal(check(&keys, &q, NOW + 300, &tsig, &record), TSIG_RIGHT);
    assert_int_equal(check(&keys, &q, NOW - 300, &tsig, &record), TSIG_RIGHT);
    assert_int_equal(check(&keys, &q, NOW + 301, &tsig, &record), TSIG_REFUSED);
    assert_int_equal(tsig.error, DNS_TSIG_BADTIME);
    assert_ptr_equal(tsig.key, &keys.keys[1]);
    assert_int_equal(check(&keys, &q, NOW - 301, &tsig, &record), TSIG_REFUSED);
}

/* RFC 8945 §5.2.3: the reply is signed, with the client's time, and tells ours. */
static void a_clock_that_is_off_is_told_the_time(void **state UNUSED)
{
    struct signed_query q;
    struct tsig tsig;
    struct dns_tsig record;
    uint8_t reply[1024];
    sign_query(&q, &keys.keys[1], NOW);
    assert_int_equal(check(&keys, &q, NOW + 1000, &tsig, &record), TSIG_REFUSED);
    struct dns_text_query text = {"www.example", DNS_A, .id = 77, .flags = DNS_QR | DNS_NOTAUTH};
    size_t len = dns_text_query(&text, reply, sizeof reply).len;
    len = tsig_sign(&tsig, NOW + 1000, reply, len, sizeof reply);
    assert_int_equal(dns_tsig_decode(bytes_of(reply, len), tsig_at(bytes_of(reply, len)), &record),
                     WIRE_OK);
    assert_int_equal(record.time_signed, NOW);
    assert_int_equal(record.other.len, 6);
    struct reader r = reader_of(record.other);
    assert_int_equal(read_u16(&r), 0);
    assert_int_equal(read_u32(&r), NOW + 1000);
    assert_int_equal(receive(&q, reply, len, NOW), TSIG_CLIENT_WRONG);
    assert_int_equal(q.client.error, DNS_TSIG_BADTIME);
}

/* RFC 8945 §5.2.2.1, §5.2.4. The MAC stands before the last six octets of the record. */
static void macs_that_are_cut(void **state UNUSED)
{
    static const struct {
        const char *name;
        size_t len;
        enum tsig_verdict want;
        unsigned error;
    } cases[] = {
        {"whole", 32, TSIG_RIGHT, 0},
        {"one octet less: more than we allow", 31, TSIG_REFUSED, DNS_TSIG_BADTRUNC},
        {"half", 16, TSIG_REFUSED, DNS_TSIG_BADTRUNC},
        {"less than half", 15, TSIG_MALFORMED, 0},
        {"none", 0, TSIG_MALFORMED, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct signed_query q;
        struct tsig tsig;
        struct dns_tsig record;
        sign_query(&q, &keys.keys[1], NOW);
        size_t at = tsig_at(bytes_of(q.octets, q.len));
        assert_int_equal(dns_tsig_decode(bytes_of(q.octets, q.len), at, &record), WIRE_OK);
        uint8_t mac[64];
        memcpy(mac, record.mac.data, record.mac.len);
        record.mac = bytes_of(mac, cases[i].len);
        q.octets[11]--;
        q.len = dns_tsig_append(q.octets, at, sizeof q.octets, &record);
        CHECK_EQUAL(cases[i].name, check(&keys, &q, NOW, &tsig, &record), cases[i].want);
        CHECK_EQUAL(cases[i].name, tsig.error, cases[i].error);
    }
    struct signed_query q;
    struct tsig tsig;
    struct dns_tsig record;
    sign_query(&q, &keys.keys[1], NOW);
    size_t at = tsig_at(bytes_of(q.octets, q.len));
    assert_int_equal(dns_tsig_decode(bytes_of(q.octets, q.len), at, &record), WIRE_OK);
    uint8_t longer[64] = {0};
    memcpy(longer, record.mac.data, record.mac.len);
    record.mac = bytes_of(longer, 33);
    q.octets[11]--;
    q.len = dns_tsig_append(q.octets, at, sizeof q.octets, &record);
    assert_int_equal(check(&keys, &q, NOW, &tsig, &record), TSIG_MALFORMED);
}

/* RFC 8945 §5.3.1: a stream of which every n-th message is signed, over those before it. */
static unsigned stream(unsigned count, unsigned every, unsigned changed, bool *settled)
{
    struct signed_query q;
    struct tsig tsig;
    struct dns_tsig record;
    sign_query(&q, &keys.keys[1], NOW);
    assert_int_equal(check(&keys, &q, NOW, &tsig, &record), TSIG_RIGHT);
    struct tsig_client server; /* of the server only its MACs are needed */
    unsigned right = 0;
    void *running = NULL;
    tsig_client_init(&server, &keys.keys[1], &keys.hmac);
    memcpy(server.mac, tsig.mac, server.mac_len = tsig.mac_len);
    for (unsigned i = 0; i < count; i++) {
        uint8_t reply[512];
        struct dns_text_query text = {"example", DNS_AXFR, .id = (uint16_t)i, .flags = DNS_QR};
        size_t len = dns_text_query(&text, reply, sizeof reply).len;
        if (running == NULL) {
            uint8_t mac_len[2] = {0, server.mac_len};
            running = hmac_start(keys.hmac.self, 256,
                                 bytes_of(keys.keys[1].secret, keys.keys[1].secret_len));
            hmac_add(running, bytes_of(mac_len, 2));
            hmac_add(running, bytes_of(server.mac, server.mac_len));
        }
        hmac_add(running, bytes_of(reply, len));
        if (i == 0 || (i + 1) % every == 0) {
            struct dns_tsig end = {.key = keys.keys[1].name, .time_signed = NOW + i, .fudge = 300,
                                   .original_id = (uint16_t)i, .other = bytes_empty()};
            uint8_t buffer[600];
            struct writer w = writer_of(buffer, sizeof buffer);
            assert_true(dns_name_parse(bytes_of_text("hmac-sha256"), NULL, &end.algorithm));
            if (i == 0)
                dns_tsig_write_variables(&w, &end);
            else
                dns_tsig_write_timers(&w, &end);
            hmac_add(running, writer_bytes(&w));
            server.mac_len = (uint8_t)hmac_end(running, server.mac);
            running = NULL;
            end.mac = bytes_of(server.mac, server.mac_len);
            len = dns_tsig_append(reply, len, sizeof reply, &end);
        }
        if (i == changed)
            reply[13] ^= 1;
        enum tsig_client_verdict verdict = receive(&q, reply, len, NOW);
        if (verdict == TSIG_CLIENT_WRONG)
            break;
        right++;
    }
    if (running != NULL)
        (void)hmac_end(running, server.mac);
    *settled = tsig_client_settled(&q.client);
    tsig_client_end(&q.client);
    return right;
}

static void streams_are_signed_now_and_then(void **state UNUSED)
{
    bool settled;
    assert_int_equal(stream(250, 1, 999, &settled), 250);
    assert_true(settled);
    assert_int_equal(stream(201, 100, 999, &settled), 201);
    assert_false(settled); /* the last one is not signed: what came since cannot be believed */
    assert_int_equal(stream(200, 100, 999, &settled), 200);
    assert_true(settled);
    /* 99 in a row may be unsigned: of 101 to 200 it is one too many */
    assert_int_equal(stream(300, 100, 999, &settled), 300);
    assert_int_equal(stream(300, 101, 999, &settled), 200);
    assert_int_equal(stream(300, 102, 999, &settled), 100);
    /* a change shows at the next signature */
    assert_int_equal(stream(50, 10, 14, &settled), 19);
    assert_int_equal(stream(50, 10, 0, &settled), 0);
}

static void a_stream_begins_signed(void **state UNUSED)
{
    struct signed_query q;
    uint8_t reply[512];
    struct dns_text_query text = {"example", DNS_AXFR, .id = 77, .flags = DNS_QR};
    size_t len = dns_text_query(&text, reply, sizeof reply).len;
    sign_query(&q, &keys.keys[1], NOW);
    assert_int_equal(receive(&q, reply, len, NOW), TSIG_CLIENT_WRONG);
    assert_int_equal(q.client.error, 0);
}

static void what_a_server_says_unsigned(void **state UNUSED)
{
    struct signed_query q;
    struct tsig tsig;
    struct dns_tsig record;
    uint8_t reply[1024];
    static struct tsig_keys none;
    none.hmac = keys.hmac;
    sign_query(&q, &keys.keys[1], NOW);
    struct bytes query = bytes_of(q.octets, q.len);
    assert_int_equal(tsig_check(&none, query, tsig_at(query), NOW, &tsig, &record), TSIG_REFUSED);
    struct dns_text_query text = {"www.example", DNS_A, .id = 77, .flags = DNS_QR | DNS_NOTAUTH};
    size_t len = dns_text_query(&text, reply, sizeof reply).len;
    len = tsig_refuse(&record, tsig.error, reply, len, sizeof reply);
    assert_int_equal(receive(&q, reply, len, NOW), TSIG_CLIENT_WRONG);
    assert_int_equal(q.client.error, DNS_TSIG_BADKEY);
}

static void keys_as_people_write_them(void **state UNUSED)
{
    static const struct {
        const char *text;
        const char *name; /* NULL: refused */
        enum tsig_algorithm algorithm;
    } cases[] = {
        {"name:c2VjcmV0", "name.", TSIG_HMAC_SHA256},
        {"hmac-sha512:a.name.:c2VjcmV0\n", "a.name.", TSIG_HMAC_SHA512},
        {"HMAC-SHA1:name:c2VjcmV0", "name.", TSIG_HMAC_SHA1},
        {"hmac-md5:name:c2VjcmV0", NULL, 0},
        {"hmac-sha256:name:c2VjcmV", NULL, 0},
        {"name", NULL, 0},
        {"name:", NULL, 0},
        {"", NULL, 0},
        {":c2VjcmV0", NULL, 0},
        {"key \"a.b\" {\n\talgorithm hmac-sha384;\n\tsecret \"c2VjcmV0\";\n};\n", "a.b.",
         TSIG_HMAC_SHA384},
        {"# mine\nkey a { secret c2VjcmV0; // it\n algorithm \"hmac-sha1\"; }", "a.",
         TSIG_HMAC_SHA1},
        {"# hmac-sha256:a:c2VjcmV0\nb:c2VjcmV0", "b.", TSIG_HMAC_SHA256},
        {"key a { algorithm hmac-sha1; };", NULL, 0},
        {"key a { secret \"c2VjcmV0\"; };", NULL, 0},
        {"key a { algorithm hmac-sha1; secret \"c2VjcmV0\";", NULL, 0},
        {"key a { algorithm hmac-sha1; secret \"c2VjcmV0\"; }; more", NULL, 0},
        {"key a { algorithm hmac-sha1 secret \"c2VjcmV0\"; };", NULL, 0},
        {"key \"a { algorithm hmac-sha1; secret", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tsig_key key;
        char name[DNS_NAME_TEXT_MAX];
        uint8_t *exact = exact_copy(cases[i].text, strlen(cases[i].text));
        bool good = tsig_key_parse(bytes_of(exact, strlen(cases[i].text)), &key);
        free(exact);
        CHECK_EQUAL(cases[i].text, good, cases[i].name != NULL);
        if (!good)
            continue;
        assert_string_equal(dns_name_format(&key.name, name), cases[i].name);
        CHECK_EQUAL(cases[i].text, key.algorithm, cases[i].algorithm);
        CHECK_EQUAL(cases[i].text, key.secret_len, 6);
        assert_memory_equal(key.secret, "secret", 6);
    }
    char longest[400];
    memset(longest, 'A', sizeof longest);
    struct tsig_key key;
    assert_false(tsig_secret_parse(bytes_of(longest, 344 + 4), &key));
    assert_true(tsig_secret_parse(bytes_of(longest, 340), &key));
}

/* The answering core: who is told what, and that the reply has room for its signature. */
static void a_server_answers_signed(void **state UNUSED)
{
    static uint8_t buffer[DNS_MESSAGE_MAX];
    struct heap heap = memory_heap();
    struct zone_set *zones = zone_set_new(&heap, 100);
    struct answer_options options = {.zones = zones, .keys = &keys};
    struct answer_path path = {.size_max = DNS_UDP_SIZE_DEFAULT, .now = NOW};
    struct answer_result result;
    struct signed_query q;
    sign_query(&q, &keys.keys[1], NOW);
    answer(&options, bytes_of(q.octets, q.len), &path, buffer, &result);
    assert_int_equal(result.verdict, ANSWER_ELSEWHERE);
    assert_ptr_equal(result.query.tsig.key, &keys.keys[1]);
    assert_true(result.query.proven);
    struct bytes reply = answer_refuse(&options, &result.query, DNS_REFUSED, buffer);
    assert_int_equal(receive(&q, reply.data, reply.len, NOW), TSIG_CLIENT_RIGHT);
    /* not believed: NOTAUTH, unsigned */
    q.octets[q.len - 20] ^= 1;
    answer(&options, bytes_of(q.octets, q.len), &path, buffer, &result);
    assert_int_equal(result.rcode, DNS_NOTAUTH);
    assert_null(result.query.tsig.key);
    assert_int_equal(receive(&q, result.reply.data, result.reply.len, NOW), TSIG_CLIENT_WRONG);
    assert_int_equal(q.client.error, DNS_TSIG_BADSIG);
    /* too late: NOTAUTH, signed */
    sign_query(&q, &keys.keys[1], NOW);
    path.now = NOW + 400;
    answer(&options, bytes_of(q.octets, q.len), &path, buffer, &result);
    assert_int_equal(result.rcode, DNS_NOTAUTH);
    assert_int_equal(receive(&q, result.reply.data, result.reply.len, NOW), TSIG_CLIENT_WRONG);
    assert_int_equal(q.client.error, DNS_TSIG_BADTIME);
    tsig_client_end(&q.client);
    zone_set_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_there_and_back),
        cmocka_unit_test(no_octet_may_change),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_clock_that_is_off_is_told_the_time),
        cmocka_unit_test(macs_that_are_cut),
        cmocka_unit_test(streams_are_signed_now_and_then),
        cmocka_unit_test(a_stream_begins_signed),
        cmocka_unit_test(what_a_server_says_unsigned),
        cmocka_unit_test(keys_as_people_write_them),
        cmocka_unit_test(a_server_answers_signed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

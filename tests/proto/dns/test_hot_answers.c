/* SPDX-License-Identifier: ISC */
/* test_hot_answers.c - replies that are given again: to whom, with which TTLs, and for how long. */
#include "proto/dns/hot_answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

#define SECOND USEC_PER_SEC
#define NOW (1000 * SECOND)

static const struct siphash_key key = {1, 2};

static struct counting_heap counts;

static struct hot_answers *make(size_t octets)
{
    struct heap heap = counting_heap(&counts);
    struct hot_answers *hot = hot_answers_new(&heap, octets, &key);
    assert_non_null(hot);
    return hot;
}

static const char *const records[] = {"www.example. 300 CNAME cdn.example.",
                                      "cdn.example. 60 A 203.0.113.1", NULL};
static const char *const soa[] = {"example. 20 SOA ns h 1 3600 600 86400 60", NULL};

static const struct dns_text_query plain = {
    .name = "www.example", .type = DNS_A, .id = 77, .flags = DNS_RD, .edns = 1232};

/* Keeps a reply to the query, with TTLs that are right for a quarter of a second, for five seconds. */
static void keep(struct hot_answers *hot, const struct dns_text_query *query, uint16_t context,
                 const char *const *answer, const char *const *authority)
{
    uint8_t asked[600], buffer[2000];
    struct hot_query read;
    struct bytes message = dns_text_query(query, asked, sizeof asked);
    const struct hot_time time = {NOW, NOW + SECOND / 4, NOW + 5 * SECOND};
    assert_true(hot_answers_read(hot, message, context, &read));
    hot_answers_keep(hot, &read, dns_text_reply(message, DNS_RA, answer, authority, buffer, 2000),
                     &time);
}

/* What is given for it; "-" is nothing. */
static const char *look(const struct hot_answers *hot, const struct dns_text_query *query,
                        uint16_t context, usec now)
{
    static char text[2000];
    uint8_t asked[600], buffer[HOT_REPLY_MAX];
    struct hot_query read;
    struct bytes reply;
    if (!hot_answers_read(hot, dns_text_query(query, asked, sizeof asked), context, &read) ||
        !hot_answers_find(hot, &read, now, buffer, &reply))
        return "-";
    assert_int_equal(reply.data[0] << 8 | reply.data[1], query->id);
    return dns_text_of(reply, text, sizeof text);
}

static void a_reply_comes_again_in_the_clients_spelling(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    struct dns_text_query other = plain;
    assert_string_equal(look(hot, &plain, 0, NOW), "-");
    keep(hot, &plain, 0, records, NULL);
    other.id = 4711;
    other.name = "wWw.ExAmple";
    assert_string_equal(look(hot, &other, 0, NOW),
                        "NOERROR ra; an wWw.ExAmple. 300 IN CNAME cdn.ExAmple.; an "
                        "cdn.ExAmple. 60 IN A 203.0.113.1; edns 1400");
    hot_answers_free(hot);
}

static void ttls_go_down_each_second(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    keep(hot, &plain, 0, records, soa);
    static const struct {
        usec after;
        const char *cname, *a, *soa;
    } cases[] = {
        {SECOND / 4 - 1, "300", "60", "20"}, {SECOND / 4, "299", "59", "19"},
        {SECOND / 4 + SECOND - 1, "299", "59", "19"}, {SECOND / 4 + SECOND, "298", "58", "18"},
        {5 * SECOND - 1, "295", "55", "15"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char want[300];
        snprintf(want, sizeof want,
                 "NOERROR ra; an www.example. %s IN CNAME cdn.example.; an cdn.example. %s IN A "
                 "203.0.113.1; ns example. %s IN SOA ns. h. 1 3600 600 86400 60; edns 1400",
                 cases[i].cname, cases[i].a, cases[i].soa);
        assert_string_equal(look(hot, &plain, 0, NOW + cases[i].after), want);
    }
    assert_string_equal(look(hot, &plain, 0, NOW + 5 * SECOND), "-");
    hot_answers_free(hot);
}

static void another_query_has_another_reply(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    keep(hot, &plain, 3, records, NULL);
    const struct dns_text_query others[] = {
        {.name = "www.example", .type = DNS_AAAA, .flags = DNS_RD, .edns = 1232},
        {.name = "www.exampl", .type = DNS_A, .flags = DNS_RD, .edns = 1232},
        {.name = "www.examplf", .type = DNS_A, .flags = DNS_RD, .edns = 1232},
        {.name = "www.example", .type = DNS_A, .edns = 1232},
        {.name = "www.example", .type = DNS_A, .flags = DNS_RD | DNS_CD, .edns = 1232},
        {.name = "www.example", .type = DNS_A, .flags = DNS_RD | DNS_AD, .edns = 1232},
        {.name = "www.example", .type = DNS_A, .flags = DNS_RD, .edns = 1231},
        {.name = "www.example", .type = DNS_A, .flags = DNS_RD},
        {.name = "www.example", .type = DNS_A, .flags = DNS_RD, .edns = 1232, .dnssec_ok = true},
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_string_equal(look(hot, &others[i], 3, NOW), "-");
    assert_string_equal(look(hot, &plain, 2, NOW), "-");
    assert_string_not_equal(look(hot, &plain, 3, NOW), "-");
    hot_answers_clear(hot);
    assert_string_equal(look(hot, &plain, 3, NOW), "-");
    hot_answers_free(hot);
}

static void types_are_not_spelled_in_lower_case(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    struct dns_text_query https = plain, other = plain;
    https.type = 'A'; /* HTTPS is 65 */
    other.type = 'a';
    keep(hot, &https, 0, NULL, soa);
    assert_string_equal(look(hot, &other, 0, NOW), "-");
    assert_string_not_equal(look(hot, &https, 0, NOW), "-");
    hot_answers_free(hot);
}

/* Changes one octet of a plain query, or cuts it. */
static void only_plain_queries_are_looked_for(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    static const struct {
        const char *name;
        int at; /* from the end if negative */
        uint8_t value;
    } cases[] = {
        {"a response", 2, 0x81}, {"another operation", 2, 0x29}, {"AA", 2, 0x05}, {"TC", 2, 0x03},
        {"RA", 3, 0x80}, {"Z", 3, 0x40}, {"an RCODE", 3, 1}, {"no question", 5, 0},
        {"two questions", 5, 2}, {"many questions", 4, 1}, {"an answer", 7, 1},
        {"an authority", 9, 1}, {"two additional records", 11, 2}, {"no OPT where one is", 11, 0},
        {"many additional records", 10, 1}, {"a pointer", 12, 0xc0}, {"a label of 64", 12, 64},
        {"a label beyond the end", 12, 63}, {"class CHAOS", -12, 3},
        {"OPT not at the root", -11, 1}, {"no OPT", -9, 1}, {"an extended RCODE", -6, 1},
        {"another version", -5, 1}, {"another flag", -4, 0x40}, {"an option", -1, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t asked[600];
        struct hot_query read;
        struct bytes message = dns_text_query(&plain, asked, sizeof asked);
        size_t at = cases[i].at < 0 ? message.len - (size_t)-cases[i].at : (size_t)cases[i].at;
        assert_true(hot_answers_read(hot, message, 0, &read));
        asked[at] = cases[i].value;
        if (hot_answers_read(hot, message, 0, &read))
            fail_msg("%s", cases[i].name);
    }
    uint8_t asked[600];
    size_t len = dns_text_query(&plain, asked, sizeof asked).len;
    for (size_t cut = 0; cut < len; cut++) {
        struct hot_query read;
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, asked, cut);
        assert_false(hot_answers_read(hot, bytes_of(exact, cut), 0, &read));
        free(exact);
    }
    struct hot_query read;
    asked[len] = 0;
    assert_false(hot_answers_read(hot, bytes_of(asked, len + 1), 0, &read));
    hot_answers_free(hot);
}

static void the_longest_name_has_room(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    char name[260];
    memset(name, 'A', sizeof name);
    for (size_t i = 63; i < 253; i += 64)
        name[i] = '.';
    name[253] = '\0';
    struct dns_text_query query = plain;
    query.name = name;
    uint8_t asked[600];
    struct hot_query read;
    assert_true(hot_answers_read(hot, dns_text_query(&query, asked, sizeof asked), 0, &read));
    assert_int_equal(read.key_len, HOT_KEY_MAX);
    keep(hot, &query, 0, NULL, NULL); /* longer than what is kept */
    assert_string_equal(look(hot, &query, 0, NOW), "-");
    hot_answers_free(hot);
}

static void too_much_is_not_kept(void **state UNUSED)
{
    struct hot_answers *hot = make(1 << 20);
    static const char *const many[] = {"x. 1 A 1.1.1.1", "x. 1 A 1.1.1.2", "x. 1 A 1.1.1.3",
                                       "x. 1 A 1.1.1.4", "x. 1 A 1.1.1.5", "x. 1 A 1.1.1.6",
                                       "x. 1 A 1.1.1.7", "x. 1 A 1.1.1.8", "x. 1 A 1.1.1.9",
                                       "x. 1 A 1.1.2.1", "x. 1 A 1.1.2.2", NULL};
    struct dns_text_query query = plain;
    query.name = "x";
    keep(hot, &query, 0, many, NULL);
    assert_string_equal(look(hot, &query, 0, NOW), "-");
    keep(hot, &query, 0, many + 1, NULL);
    assert_string_not_equal(look(hot, &query, 0, NOW), "-");
    hot_answers_free(hot);
}

static size_t count_kept(struct hot_answers *hot, unsigned names)
{
    size_t kept = 0;
    for (unsigned i = 0; i < names; i++) {
        char name[40];
        struct dns_text_query query = plain;
        snprintf(name, sizeof name, "host%u.example", i);
        query.name = name;
        kept += strcmp(look(hot, &query, 0, NOW), "-") != 0;
    }
    return kept;
}

static void put_many(struct hot_answers *hot, unsigned names)
{
    for (unsigned i = 0; i < names; i++) {
        char name[40];
        struct dns_text_query query = plain;
        snprintf(name, sizeof name, "host%u.example", i);
        query.name = name;
        keep(hot, &query, 0, records + 1, NULL);
    }
}

static void the_table_grows_up_to_its_bound(void **state UNUSED)
{
    enum { NAMES = 1000, BOUND = 256 };
    struct hot_answers *large = make((size_t)256 * 4096);
    struct hot_answers *small = make((size_t)256 * BOUND);
    for (int i = 0; i < 8; i++)
        put_many(large, NAMES);
    assert_true(count_kept(large, NAMES) > NAMES * 3 / 4);
    for (int i = 0; i < 8; i++)
        put_many(small, NAMES);
    size_t kept = count_kept(small, NAMES);
    assert_true(kept > BOUND / 2 && kept <= BOUND);
    hot_answers_free(large);
    hot_answers_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_comes_again_in_the_clients_spelling),
        cmocka_unit_test(ttls_go_down_each_second),
        cmocka_unit_test(another_query_has_another_reply),
        cmocka_unit_test(types_are_not_spelled_in_lower_case),
        cmocka_unit_test(only_plain_queries_are_looked_for),
        cmocka_unit_test(the_longest_name_has_room),
        cmocka_unit_test(too_much_is_not_kept),
        cmocka_unit_test(the_table_grows_up_to_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* Token buckets, and the accounts of clients. */
#include "app/proxy/proxy_rate.h"
#include "tests/support/check.h"

/* Sends as much as it may in so many seconds, in pieces; returns how much that was. */
static uint64_t send_for(struct rate_bucket *bucket, usec *now, usec time, size_t piece)
{
    uint64_t sent = 0;
    usec end = *now + time;
    while (*now < end) {
        usec again_at = *now;
        size_t may = rate_bucket_may(bucket, *now, &again_at);
        if (may == 0) {
            assert_true(again_at > *now);
            *now = usec_min(again_at, end);
            continue;
        }
        may = may < piece ? may : piece;
        rate_bucket_charge(bucket, may);
        sent += may;
        if (bucket->per_second == 0 && sent > 1000000000)
            break;
    }
    return sent;
}

static void a_bucket_holds_the_rate(void **state UNUSED)
{
    static const uint64_t rates[] = {1024, 10000, 1000000, 123456789, UINT64_C(1) << 40};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        for (size_t piece = 1000; piece < 1000000000; piece *= 100) {
            struct rate_bucket bucket;
            usec now = 5 * USEC_PER_SEC;
            if (rates[i] / piece > 1000000)
                continue;
            rate_bucket_init(&bucket, rates[i], now);
            (void)send_for(&bucket, &now, 2 * USEC_PER_SEC, piece); /* what it held */
            uint64_t sent = send_for(&bucket, &now, 50 * USEC_PER_SEC, piece);
            if (sent + PROXY_RATE_BURST_MIN < rates[i] * 49 || sent > rates[i] * 51 + PROXY_RATE_BURST_MIN)
                fail_msg("%ju a second in pieces of %zu: %ju in 50 s", (uintmax_t)rates[i], piece,
                         (uintmax_t)sent);
        }
    }
    struct rate_bucket any;
    usec now = 0;
    rate_bucket_init(&any, 0, now);
    assert_true(send_for(&any, &now, USEC_PER_SEC, 1000000) > 1000000000);
}

static void a_bucket_holds_half_a_second(void **state UNUSED)
{
    struct rate_bucket bucket;
    usec now = 0, again_at = 0;
    rate_bucket_init(&bucket, 1000000, now);
    assert_int_equal(rate_bucket_may(&bucket, USEC_PER_HOUR, &again_at), 500000);
    rate_bucket_charge(&bucket, 2000000); /* more than it may: it is paid back */
    now = USEC_PER_HOUR;
    assert_int_equal(rate_bucket_may(&bucket, now, &again_at), 0);
    assert_in_range(again_at, now + 1500 * USEC_PER_MSEC, now + 1700 * USEC_PER_MSEC);
    assert_true(rate_bucket_may(&bucket, again_at, &again_at) > 0);
}

static struct ip_address client(uint32_t number)
{
    return address_v4(0x0a000000 + number);
}

static void clients_have_accounts(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct rate_book *book = rate_book_new(&heap, &(struct siphash_key){1, 2}, 100000);
    struct ip_address a = client(1), b = client(2), six, neighbour, far;
    assert_non_null(book);
    struct rate_account *first = rate_book_take(book, &a, 0);
    assert_ptr_equal(rate_book_take(book, &a, 0), first);
    assert_ptr_not_equal(rate_book_take(book, &b, 0), first);
    assert_true(address_parse(bytes_of_text("2001:db8::1"), &six));
    assert_true(address_parse(bytes_of_text("2001:db8::2:1:1:1"), &neighbour));
    assert_true(address_parse(bytes_of_text("2001:db8:0:1::1"), &far));
    struct rate_account *of_six = rate_book_take(book, &six, 0);
    assert_ptr_equal(rate_book_take(book, &neighbour, 0), of_six);
    struct rate_account *of_far = rate_book_take(book, &far, 0);
    assert_ptr_not_equal(of_far, of_six);
    /* Who goes and comes back has spent what it has spent; until there is nothing to remember. */
    rate_bucket_charge(&first->bucket, 50000);
    rate_book_give(book, first);
    rate_book_give(book, first);
    usec again_at = 0;
    assert_ptr_equal(rate_book_take(book, &a, USEC_PER_MSEC), first);
    assert_int_equal(rate_bucket_may(&first->bucket, USEC_PER_MSEC, &again_at), 0);
    rate_book_give(book, first);
    size_t blocks = counts.blocks;
    rate_book_give(book, of_far);
    rate_book_give(book, rate_book_take(book, &b, 10 * USEC_PER_SEC));
    assert_int_equal(counts.blocks, blocks - 2); /* b has a user */
    rate_book_change(book, 7, 10 * USEC_PER_SEC);
    assert_int_equal(of_six->bucket.per_second, 7);
    rate_book_give(book, of_six);
    rate_book_give(book, of_six);
    struct rate_account *of_b = rate_book_take(book, &b, 10 * USEC_PER_SEC);
    rate_book_give(book, of_b);
    rate_book_give(book, of_b);
    rate_book_free(book);
    assert_int_equal(counts.blocks, 0);
}

static void more_clients_than_there_is_room_for_share(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct rate_book *book = rate_book_new(&heap, &(struct siphash_key){1, 2}, 100000);
    static struct rate_account *accounts[PROXY_RATE_CLIENTS + 10];
    for (uint32_t i = 0; i < ARRAY_LEN(accounts); i++) {
        struct ip_address who = client(i);
        accounts[i] = rate_book_take(book, &who, 0);
        assert_non_null(accounts[i]);
    }
    assert_ptr_equal(accounts[PROXY_RATE_CLIENTS], accounts[PROXY_RATE_CLIENTS + 9]);
    for (uint32_t i = 0; i < ARRAY_LEN(accounts); i++)
        rate_book_give(book, accounts[i]);
    struct ip_address who = client(0x20000);
    accounts[0] = rate_book_take(book, &who, USEC_PER_SEC); /* there is room again */
    assert_ptr_not_equal(accounts[0], accounts[PROXY_RATE_CLIENTS]);
    rate_book_give(book, accounts[0]);
    rate_book_free(book);
    assert_int_equal(counts.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_the_rate),
        cmocka_unit_test(a_bucket_holds_half_a_second),
        cmocka_unit_test(clients_have_accounts),
        cmocka_unit_test(more_clients_than_there_is_room_for_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

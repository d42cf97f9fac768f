/* SPDX-License-Identifier: ISC */
/* test_dns_stream.c - DNS over a byte stream (RFC 7766 §8). */
#include "proto/dns/dns_stream.h"
#include "tests/support/check.h"

static const char octets[] = "\0\3abc\0\0\0\1x\0\10" "12345678\0\2q";
static const char *const messages[] = {"abc", "", "x", "12345678"};

static void cutting_makes_no_difference(void **state UNUSED)
{
    size_t len = sizeof octets - 1;
    for (size_t chunk = 1; chunk <= len; chunk++) {
        uint8_t buffer[8];
        struct dns_stream s;
        dns_stream_init(&s, buffer, sizeof buffer, DNS_STREAM_IDLE_TIMEOUT, 0);
        size_t count = 0;
        for (size_t at = 0; at < len; at += chunk) {
            size_t left = len - at < chunk ? len - at : chunk;
            uint8_t *copy = exact_copy(octets + at, left);
            struct bytes in = bytes_of(copy, left);
            while (in.len > 0) {
                enum dns_stream_event event;
                struct bytes message;
                size_t used = dns_stream_input(&s, in, 1, &event, &message);
                assert_true(used > 0 && used <= in.len);
                in = bytes_after(in, used);
                if (event == DNS_STREAM_MESSAGE) {
                    assert_true(count < ARRAY_LEN(messages));
                    assert_true(bytes_equal(message, bytes_of_text(messages[count])));
                    count++;
                } else {
                    assert_int_equal(event, DNS_STREAM_NOTHING);
                    assert_int_equal(in.len, 0);
                }
            }
            free(copy);
        }
        assert_int_equal(count, ARRAY_LEN(messages));
    }
}

static void a_message_beyond_the_buffer_is_refused(void **state UNUSED)
{
    uint8_t buffer[8];
    struct dns_stream s;
    enum dns_stream_event event;
    struct bytes message;
    dns_stream_init(&s, buffer, sizeof buffer, DNS_STREAM_IDLE_TIMEOUT, 0);
    assert_int_equal(dns_stream_input(&s, bytes_of("\0\11x", 3), 0, &event, &message), 2);
    assert_int_equal(event, DNS_STREAM_TOO_LONG);
    assert_int_equal(dns_stream_input(&s, bytes_of("x", 1), 0, &event, &message), 0);
    assert_int_equal(event, DNS_STREAM_TOO_LONG);
}

static void only_whole_messages_keep_it_alive(void **state UNUSED)
{
    uint8_t buffer[8];
    struct dns_stream s;
    enum dns_stream_event event;
    struct bytes message;
    dns_stream_init(&s, buffer, sizeof buffer, 10, 100);
    assert_int_equal(dns_stream_deadline(&s), 110);
    dns_stream_input(&s, bytes_of("\0\2a", 3), 105, &event, &message);
    assert_int_equal(dns_stream_deadline(&s), 110);
    dns_stream_input(&s, bytes_of("b", 1), 107, &event, &message);
    assert_int_equal(event, DNS_STREAM_MESSAGE);
    assert_int_equal(dns_stream_deadline(&s), 117);
    dns_stream_owe(&s);
    dns_stream_owe(&s);
    assert_int_equal(dns_stream_deadline(&s), USEC_NEVER);
    dns_stream_paid(&s, 150);
    assert_int_equal(dns_stream_deadline(&s), USEC_NEVER);
    dns_stream_paid(&s, 160);
    assert_int_equal(dns_stream_deadline(&s), 170);
}

static void writes_what_it_reads(void **state UNUSED)
{
    uint8_t out[32];
    struct writer w = writer_of(out, sizeof out);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        dns_stream_write(&w, bytes_of_text(messages[i]));
    assert_true(bytes_equal(writer_bytes(&w), bytes_of(octets, sizeof octets - 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_makes_no_difference),
        cmocka_unit_test(a_message_beyond_the_buffer_is_refused),
        cmocka_unit_test(only_whole_messages_keep_it_alive),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

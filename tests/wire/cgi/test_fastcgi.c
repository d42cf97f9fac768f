/* SPDX-License-Identifier: ISC */
#include "wire/cgi/fastcgi.h"

#include "tests/support/check.h"

static void test_begin(void **state UNUSED)
{
    static const uint8_t want[] = {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
    uint8_t buffer[sizeof want];
    struct writer w = writer_of(buffer, sizeof buffer);
    fastcgi_write_begin(&w, FASTCGI_RESPONDER, true);
    assert_false(w.failed);
    assert_memory_equal(buffer, want, sizeof want);
}

/* FastCGI 1.0 §3.4: one octet for lengths up to 127, else four. */
static void test_pairs(void **state UNUSED)
{
    static const size_t lens[] = {0, 1, 127, 128, 300, 70000};
    static uint8_t value[70000];
    static uint8_t buffer[2 * 70000 + 100];
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        struct bytes name, got;
        struct writer w = writer_of(buffer, sizeof buffer);
        fastcgi_write_pair(&w, bytes_of_text("NAME"), bytes_of(value, lens[i]));
        assert_false(w.failed);
        assert_int_equal(writer_len(&w), 4 + lens[i] + 1 + (lens[i] < 128 ? 1 : 4));
        for (size_t cut = 0; cut < writer_len(&w); cut += 1 + cut / 3) {
            struct reader r = reader_of(bytes_of(buffer, cut));
            assert_int_equal(fastcgi_read_pair(&r, &name, &got), WIRE_TRUNCATED);
            assert_int_equal(reader_left(&r), cut);
        }
        struct reader r = reader_of(writer_bytes(&w));
        assert_int_equal(fastcgi_read_pair(&r, &name, &got), WIRE_OK);
        assert_true(bytes_equal(name, bytes_of_text("NAME")));
        assert_int_equal(got.len, lens[i]);
        assert_int_equal(reader_left(&r), 0);
    }
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0};
    struct bytes name, got;
    struct reader r = reader_of(bytes_of(huge, sizeof huge));
    assert_int_equal(fastcgi_read_pair(&r, &name, &got), WIRE_MALFORMED);
}

static void test_end(void **state UNUSED)
{
    static const uint8_t good[] = {0, 0, 1, 2, 2, 0, 0, 0};
    static const uint8_t unknown[] = {0, 0, 0, 0, 9, 0, 0, 0};
    uint32_t exit_status;
    enum fastcgi_end end;
    assert_int_equal(fastcgi_read_end(bytes_of(good, 8), &exit_status, &end), WIRE_OK);
    assert_int_equal(exit_status, 258);
    assert_int_equal(end, FASTCGI_OVERLOADED);
    assert_int_equal(fastcgi_read_end(bytes_of(good, 4), &exit_status, &end), WIRE_TRUNCATED);
    assert_int_equal(fastcgi_read_end(bytes_of(unknown, 8), &exit_status, &end), WIRE_MALFORMED);
}

/* Three records: content with padding, none with padding, content without. */
static const uint8_t stream[] = {
    1, 6, 0, 1, 0, 5, 3, 0, 'h', 'e', 'l', 'l', 'o', 0, 0, 0,
    1, 6, 0, 1, 0, 0, 2, 0, 9, 9,
    1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0,
};

/* What is told does not depend on how the octets are cut. */
static void test_reader(void **state UNUSED)
{
    for (size_t cut = 1; cut <= sizeof stream; cut++) {
        struct fastcgi_reader reader = {0};
        char told[100] = "";
        size_t start = 0, end = 0;
        while (start < sizeof stream) {
            end = end + cut < sizeof stream ? end + cut : sizeof stream;
            for (;;) {
                struct fastcgi_piece piece;
                uint8_t *copy = exact_copy(stream + start, end - start);
                size_t used = fastcgi_input(&reader, bytes_of(copy, end - start), &piece);
                start += used;
                if (piece.present) {
                    assert_int_equal(piece.id, 1);
                    if (piece.type == FASTCGI_STDOUT)
                        strncat(told, (const char *)piece.content.data, piece.content.len);
                    if (piece.last)
                        strcat(told, piece.type == FASTCGI_STDOUT ? "|" : "!");
                }
                free(copy);
                if (used == 0 && !piece.present)
                    break;
            }
        }
        assert_false(reader.malformed);
        assert_string_equal(told, "hello||!");
    }
}

static void test_other_version(void **state UNUSED)
{
    struct fastcgi_reader reader = {0};
    struct fastcgi_piece piece;
    static const uint8_t bad[16] = {2, 6, 0, 1, 0, 8};
    (void)fastcgi_input(&reader, bytes_of(bad, sizeof bad), &piece);
    assert_true(reader.malformed);
    assert_false(piece.present);
    assert_int_equal(fastcgi_input(&reader, bytes_of(stream, sizeof stream), &piece), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_other_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

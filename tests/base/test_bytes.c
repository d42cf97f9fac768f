/* SPDX-License-Identifier: ISC */
/* test_bytes.c - cursors stay in their buffers, and say so once they could not. */
#include "tests/support/check.h"

static void test_views(void **state UNUSED)
{
    struct bytes b = bytes_of_text("Hello");
    assert_int_equal(b.len, 5);
    assert_true(bytes_equal(bytes_first(b, 2), bytes_of_text("He")));
    assert_true(bytes_equal(bytes_first(b, 9), b));
    assert_true(bytes_equal(bytes_after(b, 2), bytes_of_text("llo")));
    assert_int_equal(bytes_after(b, 5).len, 0);
    assert_non_null(bytes_after(b, 9).data);
    assert_int_equal(bytes_find(b, 'l'), 2);
    assert_int_equal(bytes_find(b, 'x'), 5);
    assert_int_equal(bytes_find(bytes_empty(), 'x'), 0);
    assert_non_null(bytes_of(NULL, 0).data);
    assert_false(bytes_equal(b, bytes_of_text("Hell")));
    assert_true(bytes_equal(bytes_empty(), bytes_of(NULL, 0)));
}

static void test_comparisons(void **state UNUSED)
{
    struct bytes b = bytes_of_text("Hello-Z@[`{");
    assert_true(bytes_equal_nocase(b, bytes_of_text("hELLO-z@[`{")));
    assert_false(bytes_equal_nocase(b, bytes_of_text("hELLO-z`[@{")));
    assert_false(bytes_equal_nocase(b, bytes_of_text("hELLO")));
    assert_true(bytes_equal_secret(b, b));
    assert_false(bytes_equal_secret(b, bytes_of_text("Hello-Z@[`|")));
    assert_false(bytes_equal_secret(b, bytes_of_text("hello-Z@[`{")));
    assert_false(bytes_equal_secret(bytes_of_text("A"), bytes_of_text("AA")));
}

static void test_reading_every_type(void **state UNUSED)
{
    static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    uint8_t *copy = exact_copy(octets, sizeof octets);
    struct reader r = reader_of(bytes_of(copy, sizeof octets));
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16(&r), 0x0203);
    assert_int_equal(read_u32(&r), 0x04050607);
    assert_true(read_u64(&r) == 0x08090a0b0c0d0e0f);
    read_skip(&r, 1);
    assert_int_equal(reader_left(&r), 2);
    uint8_t two[2];
    read_copy(&r, two, 2);
    assert_int_equal(two[1], 18);
    assert_false(r.failed);
    assert_int_equal(read_rest(&r).len, 0);
    assert_false(r.failed);
    assert_int_equal(read_u8(&r), 0);
    assert_true(r.failed);
    free(copy);
}

/* Every read of every width at every cut: a failed one yields zero and spoils the reader. */
static void test_reads_fail_at_the_end(void **state UNUSED)
{
    static const uint8_t octets[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (size_t len = 0; len < 8; len++) {
        uint8_t *copy = exact_copy(octets, len);
        struct bytes in = bytes_of(copy, len);
        for (size_t width = 1; width <= 8; width *= 2) {
            struct reader r = reader_of(in);
            uint64_t value = width == 1   ? read_u8(&r)
                             : width == 2 ? read_u16(&r)
                             : width == 4 ? read_u32(&r)
                                          : read_u64(&r);
            assert_int_equal(r.failed, len < width);
            assert_true(r.failed ? value == 0 : value == UINT64_MAX >> (64 - 8 * width));
            if (r.failed) {
                assert_int_equal(read_u8(&r), 0);
                assert_int_equal(read_bytes(&r, 0).len, 0);
                assert_true(r.failed);
            }
        }
        struct reader r = reader_of(in);
        uint8_t out[8] = {1, 1, 1, 1, 1, 1, 1, 1};
        read_copy(&r, out, 8);
        assert_true(r.failed);
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(out[i], 0);
        r = reader_of(in);
        assert_int_equal(read_bytes(&r, len + 1).len, 0);
        assert_true(r.failed);
        free(copy);
    }
}

static void test_writing_every_type(void **state UNUSED)
{
    static const uint8_t want[] = {1,  0x99, 0x88, 4,  5,  6,  7,   8,   9,
                                   10, 11,   12,   13, 14, 15, 'a', 'b', 0};
    uint8_t *block = malloc(sizeof want);
    struct writer w = writer_of(block, sizeof want);
    write_u8(&w, 1);
    write_u16(&w, 0x0203);
    write_u32(&w, 0x04050607);
    write_u64(&w, 0x08090a0b0c0d0e0f);
    write_copy(&w, "ab", 2);
    write_zeros(&w, 1);
    write_u16_at(&w, 1, 0x9988);
    assert_false(w.failed);
    assert_int_equal(writer_room(&w), 0);
    assert_true(bytes_equal(writer_bytes(&w), bytes_of(want, sizeof want)));
    write_bytes(&w, bytes_empty());
    assert_false(w.failed);
    write_u8(&w, 1);
    assert_true(w.failed);
    assert_int_equal(writer_len(&w), sizeof want);
    write_u16_at(&w, 0, 0); /* nothing after a failure */
    assert_int_equal(block[0], 1);
    free(block);
}

static void test_writes_fail_at_the_end(void **state UNUSED)
{
    for (size_t size = 0; size < 8; size++) {
        uint8_t *block = malloc(size > 0 ? size : 1);
        for (unsigned kind = 0; kind < 6; kind++) {
            static const size_t widths[] = {1, 2, 4, 8, 5, 6};
            struct writer w = writer_of(block, size);
            switch (kind) {
            case 0:
                write_u8(&w, 1);
                break;
            case 1:
                write_u16(&w, 1);
                break;
            case 2:
                write_u32(&w, 1);
                break;
            case 3:
                write_u64(&w, 1);
                break;
            case 4:
                write_bytes(&w, bytes_of_text("12345"));
                break;
            default:
                write_zeros(&w, 6);
                break;
            }
            assert_int_equal(w.failed, size < widths[kind]);
            if (w.failed) {
                size_t len = writer_len(&w);
                write_zeros(&w, 0);
                write_u8(&w, 1);
                assert_int_equal(writer_len(&w), len);
            }
        }
        free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_reading_every_type),
        cmocka_unit_test(test_reads_fail_at_the_end),
        cmocka_unit_test(test_writing_every_type),
        cmocka_unit_test(test_writes_fail_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

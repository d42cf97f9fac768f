/* SPDX-License-Identifier: ISC */
/* test_file.c - whole files, read and replaced. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"

struct place {
    char folder[64];
    char path[96];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    strcpy(p->folder, "/tmp/test_file.XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/file", p->folder);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    (void)unlink(p->path);
    int status = rmdir(p->folder); /* fails when something was left beside the file */
    free(p);
    return status;
}

static void check_read(const char *path, size_t len_max, const char *want, size_t want_len)
{
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(file_read(path, len_max, &text, &len), 0);
    assert_int_equal(len, want_len);
    assert_memory_equal(text, want, want_len);
    assert_int_equal(text[len], 0);
    free(text);
}

static void what_was_written_is_read(void **state)
{
    struct place *p = *state;
    static char large[100000];
    memset(large, 'x', sizeof large);
    assert_int_equal(file_write(p->path, bytes_of("hello", 5), 0640), 0);
    check_read(p->path, 100, "hello", 5);
    struct stat facts;
    assert_int_equal(stat(p->path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    assert_int_equal(file_write(p->path, bytes_of(large, sizeof large), 0600), 0);
    check_read(p->path, sizeof large, large, sizeof large);
    check_read(p->path, 1 << 20, large, sizeof large);
    assert_int_equal(file_write(p->path, bytes_empty(), 0600), 0);
    check_read(p->path, 100, "", 0);
}

static void a_longer_file_than_allowed_is_refused(void **state)
{
    struct place *p = *state;
    char *text = NULL;
    size_t len = 7;
    assert_int_equal(file_write(p->path, bytes_of("123456", 6), 0600), 0);
    check_read(p->path, 6, "123456", 6);
    assert_int_equal(file_read(p->path, 5, &text, &len), -EFBIG);
    assert_null(text);
    assert_int_equal(len, 7);
}

static void files_without_a_size_are_read_to_their_end(void **state UNUSED)
{
    char *text;
    size_t len;
    assert_int_equal(file_read("/proc/self/status", 1 << 20, &text, &len), 0);
    assert_true(len > 100);
    assert_int_equal(strlen(text), len);
    free(text);
}

static void errors_are_told(void **state)
{
    struct place *p = *state;
    char *text;
    size_t len;
    assert_int_equal(file_read(p->path, 10, &text, &len), -ENOENT);
    assert_int_equal(file_read(p->folder, 10, &text, &len), -EISDIR);
    assert_int_equal(file_write("/nonexistent/file", bytes_empty(), 0600), -ENOENT);
    /* A folder in the way: the file beside it goes again. */
    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_true(file_write(p->path, bytes_of("x", 1), 0600) < 0);
    assert_int_equal(rmdir(p->path), 0);
}

static void a_file_is_read_piece_by_piece(void **state)
{
    struct place *p = *state;
    static char large[10000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7 / 3);
    static const size_t lens[] = {0, 1, 4095, 4096, 4097, 10000};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
            struct file_reading r;
            size_t len;
            int status;
            assert_int_equal(file_write(p->path, bytes_of(large, lens[i]), 0600), 0);
            assert_int_equal(file_reading_begin(&r, p->path, sizeof large), 0);
            while ((status = file_reading_step(&r, piece)) == 1)
                assert_true(r.len <= sizeof large);
            assert_int_equal(status, 0);
            char *text = file_reading_take(&r, &len);
            assert_int_equal(len, lens[i]);
            assert_memory_equal(text, large, len);
            assert_int_equal(text[len], 0);
            free(text);
            file_reading_abandon(&r);
        }
    }
    struct file_reading r;
    assert_int_equal(file_reading_begin(&r, p->path, 9999), 0);
    int status;
    while ((status = file_reading_step(&r, 1000)) == 1)
        continue;
    assert_int_equal(status, -EFBIG);
    assert_int_equal(file_reading_begin(&r, p->folder, 9999), -EISDIR);
}

static void a_file_is_replaced_piece_by_piece(void **state)
{
    struct place *p = *state;
    struct file_replacement r;
    uint64_t age = 7;
    assert_int_equal(file_age(p->path, &age), -ENOENT);
    assert_int_equal(file_touch(p->path), -ENOENT);
    assert_int_equal(file_write(p->path, bytes_of("old", 3), 0600), 0);
    assert_int_equal(file_replace_begin(&r, p->path, 0644), 0);
    assert_int_equal(file_replace_write(&r, bytes_of("hel", 3)), 0);
    check_read(p->path, 100, "old", 3);
    assert_int_equal(file_replace_write(&r, bytes_of("lo", 2)), 0);
    assert_int_equal(file_replace_commit(&r), 0);
    file_replace_abandon(&r);
    check_read(p->path, 100, "hello", 5);
    assert_int_equal(file_replace_begin(&r, p->path, 0644), 0);
    assert_int_equal(file_replace_write(&r, bytes_of("lost", 4)), 0);
    file_replace_abandon(&r); /* nothing is left of it: see tear_down() */
    check_read(p->path, 100, "hello", 5);
    struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    assert_int_equal(utimensat(AT_FDCWD, p->path, long_ago, 0), 0);
    assert_int_equal(file_age(p->path, &age), 0);
    assert_true(age > 1000000);
    assert_int_equal(file_touch(p->path), 0);
    assert_int_equal(file_age(p->path, &age), 0);
    assert_in_range(age, 0, 60);
    assert_int_equal(file_replace_begin(&r, "/nowhere/at/all", 0644), -ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_piece_by_piece, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_replaced_piece_by_piece, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_longer_file_than_allowed_is_refused, set_up, tear_down),
        cmocka_unit_test(files_without_a_size_are_read_to_their_end),
        cmocka_unit_test_setup_teardown(errors_are_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* test_key_ring.c - keys in files: made, written, read again, brought in from elsewhere, refused. */
#include "site/key_ring.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/signature.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static char directory[64], elsewhere[96];

static struct key_ring *ring_of(const char *zone, const char *where)
{
    struct key_ring *ring = malloc(sizeof *ring);
    struct dns_name name = dns_text_name(zone);
    assert_non_null(ring);
    key_ring_init(ring, &name, where);
    return ring;
}

static void drop(struct key_ring *ring)
{
    key_ring_done(ring);
    free(ring);
}

static void path_of(const struct key_ring *ring, size_t index, const char *ending, char out[512])
{
    struct text t = text_of(out, 512);
    text_add_format(&t, "%s/", ring->directory);
    key_ring_stem(ring, &ring->keys[index], &t);
    text_add(&t, ending);
}

static void must(int result, const struct text *error)
{
    if (result < 0)
        fail_msg("%d: %s", result, error->start);
}

static void keys_are_written_and_read(void **state UNUSED)
{
    static const uint8_t algorithms[] = {8, 13, 14, 15, 16};
    char complaint[600] = "", path[512];
    struct text error = text_of(complaint, sizeof complaint);
    struct key_ring *ring = ring_of("Example.", directory);
    struct key_ring *again = ring_of("example.", directory);
    struct key_ring *other = ring_of("ample.", directory);
    must(key_ring_read(ring, &error), &error);
    assert_int_equal(ring->count, 0);
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        size_t index;
        assert_int_equal(key_ring_make(ring, algorithms[i], algorithms[i] == 8 ? 1024 : 0, i % 2 == 0,
                                       1000 + (int64_t)i, &index),
                         0);
        assert_int_equal(index, i);
        roll_begin(&ring->keys[i].roll, 2000);
    }
    roll_ksk(&ring->keys[0].roll, &ring->keys[2].roll, 3000);
    must(key_ring_write(ring, &error), &error);
    must(key_ring_read(again, &error), &error);
    must(key_ring_read(other, &error), &error);
    assert_int_equal(again->count, ARRAY_LEN(algorithms));
    assert_int_equal(other->count, 0);
    for (size_t i = 0; i < again->count; i++) {
        const struct key_ring_key *a = &ring->keys[i], *b = &again->keys[i];
        uint8_t signature[SIGNING_KEY_SIGNATURE_MAX];
        struct stat facts;
        assert_int_equal(a->rdata_len, b->rdata_len);
        assert_memory_equal(a->rdata, b->rdata, a->rdata_len);
        assert_int_equal(a->roll.tag, b->roll.tag);
        assert_int_equal(a->roll.flags, i % 2 == 0 ? 257 : 256);
        assert_memory_equal(a->roll.times, b->roll.times, sizeof a->roll.times);
        assert_int_equal(a->roll.has_successor, b->roll.has_successor);
        assert_false(b->roll.changed);
        assert_false(b->open_to_others);
        size_t len = signing_key_sign(b->secret, bytes_of_text("text"), signature);
        assert_int_equal(signature_verify(a->roll.algorithm, bytes_of(a->rdata + 4, a->rdata_len - 4),
                                          bytes_of_text("text"), bytes_of(signature, len)),
                         SIGNATURE_RIGHT);
        path_of(ring, i, ".private", path);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
        path_of(ring, i, ".key", path);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0644);
    }
    /* Only what has changed is written: a file that is gone stays away. */
    path_of(ring, 1, ".private", path);
    assert_int_equal(unlink(path), 0);
    roll_ds_seen(&ring->keys[0].roll, 4000);
    must(key_ring_write(ring, &error), &error);
    must(key_ring_read(again, &error), &error);
    assert_int_equal(again->count, ARRAY_LEN(algorithms) - 1);
    assert_int_equal(again->keys[0].roll.times[DNS_KEY_DS_PUBLISH], 4000);
    path_of(ring, 0, ".private", path);
    assert_int_equal(chmod(path, 0604), 0);
    must(key_ring_read(again, &error), &error);
    assert_true(again->keys[0].open_to_others);
    drop(ring);
    drop(again);
    drop(other);
}

static void keys_come_from_elsewhere(void **state UNUSED)
{
    char complaint[600] = "", path[512];
    struct text error = text_of(complaint, sizeof complaint);
    struct key_ring *theirs = ring_of("import.example.", elsewhere);
    struct key_ring *ours = ring_of("import.example.", directory);
    struct key_ring *others = ring_of("another.example.", directory);
    static const char *const endings[] = {"", ".key", ".private"};
    size_t index;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        assert_int_equal(key_ring_make(theirs, 13, 0, true, 1000, &index), 0);
        roll_begin(&theirs->keys[i].roll, 2000);
        must(key_ring_write(theirs, &error), &error);
        path_of(theirs, i, endings[i], path);
        must(key_ring_import(ours, path, &index, &error), &error);
        assert_int_equal(index, i);
        assert_int_equal(ours->keys[i].roll.tag, theirs->keys[i].roll.tag);
        assert_int_equal(key_ring_import(ours, path, &index, &error), -EEXIST);
        assert_int_equal(key_ring_import(others, path, &index, &error), -EINVAL);
    }
    must(key_ring_write(ours, &error), &error);
    must(key_ring_read(ours, &error), &error);
    assert_int_equal(ours->count, 3);
    drop(theirs);
    drop(ours);
    drop(others);
}

static void files_that_do_not_belong_together_are_refused(void **state UNUSED)
{
    char complaint[600] = "", a[512], b[512];
    struct text error = text_of(complaint, sizeof complaint);
    struct key_ring *ring = ring_of("mixed.example.", elsewhere);
    size_t index, len;
    char *content;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(key_ring_make(ring, 13, 0, true, 1000, &index), 0);
    must(key_ring_write(ring, &error), &error);
    path_of(ring, 0, ".private", a);
    path_of(ring, 1, ".private", b);
    assert_int_equal(file_read(a, 10000, &content, &len), 0);
    assert_int_equal(file_write(b, bytes_of(content, len), 0600), 0);
    free(content);
    assert_int_equal(key_ring_read(ring, &error), -EINVAL);
    assert_non_null(strstr(complaint, "the files do not belong together"));
    assert_int_equal(ring->count, 2); /* as it was */
    assert_int_equal(file_write(b, bytes_of_text("nonsense"), 0600), 0);
    error = text_of(complaint, sizeof complaint);
    assert_int_equal(key_ring_read(ring, &error), -EINVAL);
    assert_non_null(strstr(complaint, "expected \"Private-key-format: v1.3\""));
    drop(ring);
}

static void names_are_written_as_others_do(void **state UNUSED)
{
    static const struct {
        const char *zone;
        const char *want;
    } cases[] = {
        {".", "K.+013+"},
        {"Example.ORG.", "Kexample.org.+013+"},
        {"a/b.example.", "Ka%2Fb.example.+013+"},
        {"a\\.b._x.", "Ka%2Eb._x.+013+"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char stem[1100], complaint[600] = "";
        struct text t = text_of(stem, sizeof stem);
        struct text error = text_of(complaint, sizeof complaint);
        struct key_ring *ring = ring_of(cases[i].zone, directory);
        size_t index;
        assert_int_equal(key_ring_make(ring, 13, 0, true, 1000, &index), 0);
        key_ring_stem(ring, &ring->keys[0], &t);
        CHECK(cases[i].zone, strncmp(stem, cases[i].want, strlen(cases[i].want)) == 0);
        must(key_ring_write(ring, &error), &error);
        must(key_ring_read(ring, &error), &error);
        CHECK_EQUAL(cases[i].zone, ring->count, 1);
        drop(ring);
    }
}

static void there_is_room_for_sixteen(void **state UNUSED)
{
    struct key_ring *ring = ring_of("many.example.", directory);
    size_t index;
    for (size_t i = 0; i < KEY_RING_MAX; i++)
        assert_int_equal(key_ring_make(ring, 15, 0, true, 1000, &index), 0);
    assert_int_equal(key_ring_make(ring, 15, 0, true, 1000, &index), -ENOSPC);
    assert_int_equal(ring->count, KEY_RING_MAX);
    drop(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_written_and_read),
        cmocka_unit_test(keys_come_from_elsewhere),
        cmocka_unit_test(files_that_do_not_belong_together_are_refused),
        cmocka_unit_test(names_are_written_as_others_do),
        cmocka_unit_test(there_is_room_for_sixteen),
    };
    snprintf(directory, sizeof directory, "/tmp/test_key_ring.%d", (int)getpid());
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", directory);
    assert_true(mkdir(directory, 0700) == 0);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    char command[200];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command) == 0 ? result : 1;
}

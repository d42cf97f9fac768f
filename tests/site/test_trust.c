/* SPDX-License-Identifier: ISC */
/* Folders of authorities that live no longer than a network: what is left of those who were killed goes. */
#include "site/trust.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "tests/support/check.h"

static char place[64];

static int start(void **state UNUSED)
{
    strcpy(place, "/tmp/wholenet-places-XXXXXX");
    assert_non_null(mkdtemp(place));
    return setenv("XDG_RUNTIME_DIR", place, 1);
}

static int stop(void **state UNUSED)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", place);
    return system(command);
}

static void make(char folder[PATH_MAX], int *lock)
{
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    assert_int_equal(trust_new_folder(folder, lock, &error), 0);
    assert_int_equal(strncmp(folder, place, strlen(place)), 0);
}

static void put(const char *folder, const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_write(path, bytes_of_text("x"), 0600), 0);
}

static void age(const char *folder)
{
    const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, folder, old, AT_SYMLINK_NOFOLLOW), 0);
}

static bool is_there(const char *folder)
{
    struct stat facts;
    return lstat(folder, &facts) == 0;
}

static void what_was_left_is_removed_by_the_next(void **state UNUSED)
{
    char one[PATH_MAX], two[PATH_MAX], three[PATH_MAX];
    int lock_one, lock_two, lock_three;
    make(one, &lock_one);
    put(one, "root.key");
    put(one, "root.pem");
    age(one);
    make(two, &lock_two);
    assert_true(is_there(one)); /* in use, however old */
    file_close(&lock_one);
    file_close(&lock_two);
    make(three, &lock_three);
    assert_false(is_there(one));
    assert_true(is_there(two)); /* perhaps it is being made just now */
    assert_true(is_there(three));
    age(two);
    assert_true(trust_remove(three));
    file_close(&lock_three);
    make(one, &lock_one);
    assert_false(is_there(two));
    assert_true(trust_remove(one));
    file_close(&lock_one);
}

static void the_folder_of_a_process_that_was_killed(void **state UNUSED)
{
    char folder[PATH_MAX], next[PATH_MAX];
    int tell[2], lock;
    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    if (child == 0) {
        make(folder, &lock);
        put(folder, "root.key");
        age(folder);
        _exit(write(tell[1], folder, sizeof folder) == sizeof folder && pause() != 0);
    }
    assert_int_equal(read(tell[0], folder, sizeof folder), sizeof folder);
    make(next, &lock);
    assert_true(is_there(folder));
    assert_true(trust_remove(next));
    file_close(&lock);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    make(next, &lock);
    assert_false(is_there(folder));
    assert_true(trust_remove(next));
    file_close(&lock);
    close(tell[0]);
    close(tell[1]);
}

static void what_is_another_s_stays(void **state UNUSED)
{
    static const char *const names[] = {"wholenet-trust-abcdefg", "wholenet-trust-abcde", "wholenet-cache-abcdef",
                                        "other"};
    char path[PATH_MAX], folder[PATH_MAX], link[PATH_MAX], deep[PATH_MAX + 8];
    int lock;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", place, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        put(path, "file");
        age(path);
    }
    snprintf(link, sizeof link, "%s/wholenet-trust-linked", place);
    assert_int_equal(symlink(path, link), 0);
    age(link);
    snprintf(path, sizeof path, "%s/wholenet-trust-folder", place);
    snprintf(deep, sizeof deep, "%s/deep", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    age(path);
    make(folder, &lock);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s/file", place, names[i]);
        CHECK(names[i], is_there(file));
    }
    assert_true(is_there(link));
    assert_true(is_there(deep));
    assert_true(trust_remove(folder));
    file_close(&lock);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_left_is_removed_by_the_next, start, stop),
        cmocka_unit_test_setup_teardown(the_folder_of_a_process_that_was_killed, start, stop),
        cmocka_unit_test_setup_teardown(what_is_another_s_stays, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

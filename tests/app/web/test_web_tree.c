/* SPDX-License-Identifier: ISC */
#include "app/web/web_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"

static char folder[] = "/tmp/test_web_tree.XXXXXX";
static int folder_fd = -1;

static int set_up(void **state UNUSED)
{
    snprintf(folder, sizeof folder, "/tmp/test_web_tree.XXXXXX");
    assert_non_null(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder_fd < 0;
}

static int run(struct web_tree *tree)
{
    int status = 1;
    assert_non_null(tree);
    for (int i = 0; i < 10000 && status == 1; i++)
        status = web_tree_step(tree);
    web_tree_free(tree);
    return status;
}

static int tear_down(void **state UNUSED)
{
    (void)unlinkat(folder_fd, "out", 0);
    (void)close(folder_fd);
    int above = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(run(web_tree_remove(above, folder + 5)), 0);
    (void)close(above);
    return access(folder, F_OK) == 0;
}

static void write_file(const char *name, size_t len)
{
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i += 1000)
        assert_true(write(fd, folder, len - i < 20 ? len - i : 20) > 0 && lseek(fd, (off_t)i, SEEK_SET) >= 0);
    (void)!ftruncate(fd, (off_t)len);
    (void)close(fd);
}

static long long size_of(const char *name)
{
    struct stat facts;
    if (fstatat(folder_fd, name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return S_ISDIR(facts.st_mode) ? -1 : (long long)facts.st_size;
}

static void make_tree(void)
{
    assert_int_equal(mkdirat(folder_fd, "a", 0755), 0);
    assert_int_equal(mkdirat(folder_fd, "a/empty", 0755), 0);
    assert_int_equal(mkdirat(folder_fd, "a/b", 0755), 0);
    write_file("a/one", 10);
    write_file("a/b/large", 20 * 1024 * 1024 + 1);
    for (int i = 0; i < 200; i++) {
        char name[40];
        snprintf(name, sizeof name, "a/b/%d", i);
        write_file(name, (size_t)i);
    }
    assert_int_equal(symlinkat("/etc/passwd", folder_fd, "a/link"), 0);
}

static void a_copy_has_all_files_and_no_links(void **state UNUSED)
{
    make_tree();
    assert_int_equal(run(web_tree_copy(folder_fd, "a", folder_fd, "c", false)), 0);
    assert_int_equal(size_of("c/one"), 10);
    assert_int_equal(size_of("c/b/large"), 20 * 1024 * 1024 + 1);
    assert_int_equal(size_of("c/b/199"), 199);
    assert_int_equal(size_of("c/empty"), -1);
    assert_int_equal(size_of("c/link"), -ENOENT);
    char one[24], two[24];
    int from = openat(folder_fd, "a/b/large", O_RDONLY | O_CLOEXEC);
    int to = openat(folder_fd, "c/b/large", O_RDONLY | O_CLOEXEC);
    for (off_t at = 0; at < 20 * 1024 * 1024; at += 777777) {
        assert_int_equal(pread(from, one, sizeof one, at), sizeof one);
        assert_int_equal(pread(to, two, sizeof two, at), sizeof two);
        assert_memory_equal(one, two, sizeof one);
    }
    (void)close(from);
    (void)close(to);
}

static void a_step_is_bounded(void **state UNUSED)
{
    make_tree();
    struct web_tree *tree = web_tree_copy(folder_fd, "a", folder_fd, "c", false);
    assert_int_equal(web_tree_step(tree), 1);
    assert_true(size_of("c/b/large") < 20 * 1024 * 1024 || size_of("c/b/199") < 0);
    web_tree_free(tree); /* in its midst */
}

static void a_shallow_copy_has_nothing_in_it(void **state UNUSED)
{
    make_tree();
    assert_int_equal(run(web_tree_copy(folder_fd, "a", folder_fd, "c", true)), 0);
    assert_int_equal(size_of("c"), -1);
    assert_int_equal(size_of("c/one"), -ENOENT);
}

static void what_a_link_leads_to_stays(void **state UNUSED)
{
    make_tree();
    write_file("out", 5);
    assert_int_equal(symlinkat(folder, folder_fd, "a/up"), 0);
    assert_int_equal(run(web_tree_remove(folder_fd, "a")), 0);
    assert_int_equal(size_of("a"), -ENOENT);
    assert_int_equal(size_of("out"), 5);
    assert_int_equal(symlinkat("out", folder_fd, "alone"), 0);
    assert_int_equal(run(web_tree_remove(folder_fd, "alone")), 0);
    assert_int_equal(size_of("out"), 5);
}

static void what_cannot_be_is_told(void **state UNUSED)
{
    assert_null(web_tree_copy(folder_fd, "none", folder_fd, "c", false));
    assert_int_equal(errno, ENOENT);
    write_file("f", 1);
    write_file("g", 1);
    assert_null(web_tree_copy(folder_fd, "f", folder_fd, "g", false)); /* over nothing that is there */
    assert_int_equal(errno, EEXIST);
}

static void folders_within_each_other_have_a_bound(void **state UNUSED)
{
    char path[4 * WEB_TREE_DEPTH_MAX] = "d";
    for (int i = 0; i <= WEB_TREE_DEPTH_MAX; i++) {
        assert_int_equal(mkdirat(folder_fd, path, 0755), 0);
        strcat(path, "/d");
    }
    assert_int_equal(run(web_tree_copy(folder_fd, "d", folder_fd, "c", false)), -ELOOP);
    assert_int_equal(run(web_tree_remove(folder_fd, "c")), 0); /* what there is of it is not too deep */
    for (int i = WEB_TREE_DEPTH_MAX; i >= 0; i--) { /* so that the rest can be removed */
        path[2 * i + 1] = '\0';
        assert_int_equal(unlinkat(folder_fd, path, AT_REMOVEDIR), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_has_all_files_and_no_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_step_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_shallow_copy_has_nothing_in_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_link_leads_to_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_within_each_other_have_a_bound, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

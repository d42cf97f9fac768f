/* SPDX-License-Identifier: ISC */
/* test_web_cache.c - open files: what is found again, what has changed meanwhile, and what has to go. */
#include "app/web/web_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/memory.h"
#include "tests/support/check.h"

/* Long after the files were made, so that their contents may be kept. */
static const int64_t wall = 4000000000;

static struct {
    char root[64];
    int root_fd;
    struct web_cache cache;
    usec now; /* a turn each */
} w;

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", w.root, name);
    return path;
}

static void put(const char *name, const char *content, size_t len)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static int start(void **state UNUSED)
{
    struct heap heap = memory_heap();
    memset(&w, 0, sizeof w);
    strcpy(w.root, "/tmp/wholenet-cache-XXXXXX");
    assert_non_null(mkdtemp(w.root));
    w.root_fd = open(w.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(w.root_fd >= 0);
    web_cache_init(&w.cache, &heap, 1);
    put("a.txt", "first", 5);
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(symlink("a.txt", path_of("inside")), 0);
    assert_int_equal(symlink("/etc/passwd", path_of("outside")), 0);
    return 0;
}

static int stop(void **state UNUSED)
{
    char command[128];
    web_cache_done(&w.cache);
    (void)close(w.root_fd);
    snprintf(command, sizeof command, "rm -rf %s", w.root);
    return system(command);
}

static int open_as(const char *name, enum web_symlinks symlinks, struct web_file **out)
{
    const struct web_lookup lookup = {w.root_fd, symlinks, name, w.now, wall};
    int folder = -1;
    int status = web_cache_open(&w.cache, &lookup, out, &folder);
    if (folder >= 0)
        (void)close(folder);
    return status;
}

static struct web_file *open_file(const char *name)
{
    struct web_file *file = NULL;
    assert_int_equal(open_as(name, WEB_SYMLINKS_WITHIN, &file), 0);
    return file;
}

static bool holds(struct web_file *file, const char *content)
{
    const struct web_form *form = web_file_form(file, WEB_IDENTITY);
    return form != NULL && form->len == strlen(content) &&
           memcmp(form->data, content, form->len) == 0;
}

static void what_was_opened_is_found_again(void **state UNUSED)
{
    struct web_file *first = open_file("a.txt");
    assert_true(holds(first, "first"));
    assert_memory_equal(first->type, "text/plain", 10);
    struct web_file *again = open_file("a.txt");
    assert_ptr_equal(again, first);
    w.now++;
    web_file_release(again);
    again = open_file("a.txt");
    assert_ptr_equal(again, first);
    web_file_release(again);
    web_file_release(first);
}

/* In the same turn it is not looked at, unless we have changed something ourselves. */
static void what_has_changed_is_opened_anew(void **state UNUSED)
{
    struct web_file *first = open_file("a.txt");
    put("b.txt", "second", 6);
    assert_int_equal(renameat(w.root_fd, "b.txt", w.root_fd, "a.txt"), 0);
    struct web_file *same_turn = open_file("a.txt");
    assert_ptr_equal(same_turn, first);
    web_cache_distrust(&w.cache);
    struct web_file *second = open_file("a.txt");
    assert_ptr_not_equal(second, first);
    assert_true(holds(second, "second"));
    assert_true(holds(first, "first")); /* who has it goes on with it */
    assert_string_not_equal(first->forms[WEB_IDENTITY].etag, second->forms[WEB_IDENTITY].etag);
    assert_int_equal(unlink(path_of("a.txt")), 0);
    w.now++;
    struct web_file *gone = NULL;
    assert_int_equal(open_as("a.txt", WEB_SYMLINKS_WITHIN, &gone), -ENOENT);
    web_file_release(same_turn);
    web_file_release(second);
    web_file_release(first);
}

/* Size and time are not all that tells files apart. */
static void another_of_the_same_size_and_time_is_another(void **state UNUSED)
{
    static const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(w.root_fd, "a.txt", times, 0), 0);
    web_file_release(open_file("a.txt"));
    put("b.txt", "other", 5);
    assert_int_equal(utimensat(w.root_fd, "b.txt", times, 0), 0);
    assert_int_equal(renameat(w.root_fd, "b.txt", w.root_fd, "a.txt"), 0);
    w.now++;
    struct web_file *other = open_file("a.txt");
    assert_true(holds(other, "other"));
    web_file_release(other);
}

/* Another change could still have the same time: the content is read each time until then. */
static void what_is_young_is_not_kept(void **state UNUSED)
{
    struct web_file *file = NULL;
    struct stat facts;
    assert_int_equal(stat(path_of("a.txt"), &facts), 0);
    struct web_lookup lookup = {w.root_fd, WEB_SYMLINKS_WITHIN, "a.txt", w.now, facts.st_mtime + 2};
    int folder;
    assert_int_equal(web_cache_open(&w.cache, &lookup, &file, &folder), 0);
    assert_null(web_file_form(file, WEB_IDENTITY));
    web_file_release(file);
    lookup.wall++;
    assert_int_equal(web_cache_open(&w.cache, &lookup, &file, &folder), 0);
    assert_true(holds(file, "first"));
    web_file_release(file);
}

static void only_files_below_the_root_are_opened(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum web_symlinks symlinks;
        int want;
    } cases[] = {
        {"folder", WEB_SYMLINKS_WITHIN, 1},
        {"", WEB_SYMLINKS_WITHIN, 1},
        {"fifo", WEB_SYMLINKS_WITHIN, -ENXIO},
        {"none", WEB_SYMLINKS_WITHIN, -ENOENT},
        {"a.txt/x", WEB_SYMLINKS_WITHIN, -ENOTDIR},
        {"../etc/passwd", WEB_SYMLINKS_WITHIN, -EXDEV},
        {"inside", WEB_SYMLINKS_WITHIN, 0},
        {"inside", WEB_SYMLINKS_NONE, -ELOOP},
        {"outside", WEB_SYMLINKS_WITHIN, -EXDEV},
        {"outside", WEB_SYMLINKS_ANY, 0},
        {"outside", WEB_SYMLINKS_NONE, -ELOOP},
    };
    for (int round = 0; round < 2; round++) { /* what was opened by one rule is not served by another */
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct web_file *file = NULL;
            CHECK_EQUAL(cases[i].name, open_as(cases[i].name, cases[i].symlinks, &file),
                        cases[i].want);
            web_file_release(file);
        }
        w.now++;
    }
}

static void the_one_used_longest_ago_goes(void **state UNUSED)
{
    char name[32];
    struct web_file *kept = open_file("a.txt");
    for (int i = 0; i < WEB_CACHE_FILES_MAX + 10; i++) {
        snprintf(name, sizeof name, "f%d", i);
        put(name, name, strlen(name));
        web_file_release(open_file(name));
        struct web_file *again = open_file("a.txt");
        assert_ptr_equal(again, kept);
        web_file_release(again);
        assert_true(w.cache.map.count <= WEB_CACHE_FILES_MAX);
    }
    assert_true(holds(kept, "first"));
    web_cache_clear(&w.cache);
    assert_int_equal(w.cache.map.count, 0);
    assert_int_equal(w.cache.octets, 0);
    assert_true(holds(kept, "first"));
    assert_null(web_file_form(kept, WEB_GZIP)); /* no cache would count it */
    web_file_release(kept);
}

/* RFC 9110 §8.8.3.1: another file of the same size and the same time has another tag; the same file has it again. */
static void a_tag_tells_files_apart(void **state UNUSED)
{
    const struct timespec old[2] = {{1000000000, 5}, {1000000000, 5}};
    char tag[WEB_ETAG_MAX];
    put("one.txt", "first one", 9);
    put("two.txt", "other one", 9);
    assert_int_equal(utimensat(w.root_fd, "one.txt", old, 0), 0);
    assert_int_equal(utimensat(w.root_fd, "two.txt", old, 0), 0);
    struct web_file *file = open_file("one.txt");
    strcpy(tag, web_file_etag(file, WEB_IDENTITY));
    assert_int_equal(tag[0], '"');
    web_file_release(file);
    web_cache_clear(&w.cache);
    file = open_file("one.txt");
    assert_string_equal(web_file_etag(file, WEB_IDENTITY), tag);
    assert_string_not_equal(web_file_etag(file, WEB_GZIP), tag);
    assert_string_not_equal(web_file_etag(file, WEB_BROTLI), web_file_etag(file, WEB_GZIP));
    web_file_release(file);
    assert_int_equal(renameat(w.root_fd, "two.txt", w.root_fd, "one.txt"), 0);
    w.now++;
    file = open_file("one.txt");
    assert_true(holds(file, "other one"));
    assert_string_not_equal(web_file_etag(file, WEB_IDENTITY), tag);
    web_file_release(file);
}

/* §8.8.1: as long as it could change without another time, a tag is no proof that it has not. */
static void a_tag_is_weak_until_the_time_has_gone_on(void **state UNUSED)
{
    struct stat facts;
    char tag[WEB_ETAG_MAX];
    put("new.txt", "1", 1);
    assert_int_equal(fstatat(w.root_fd, "new.txt", &facts, 0), 0);
    facts.st_mtim.tv_sec += 10; /* as if it had been now: that is over too soon for a test */
    web_etag_of(&facts, tag);
    assert_int_equal(strncmp(tag, "W/\"", 3), 0);
    facts.st_mtim = (struct timespec){time(NULL), 0}; /* a file system with whole seconds, perhaps */
    web_etag_of(&facts, tag);
    assert_int_equal(strncmp(tag, "W/\"", 3), 0);
    facts.st_mtim.tv_sec -= 2;
    web_etag_of(&facts, tag);
    assert_int_equal(tag[0], '"');
    facts.st_mtim.tv_nsec = 1;
    web_etag_of(&facts, tag);
    assert_int_equal(tag[0], '"');

    time_t second = time(NULL) + 1;
    const struct timespec soon[2] = {{second, 5}, {second, 5}};
    assert_int_equal(utimensat(w.root_fd, "new.txt", soon, 0), 0);
    struct web_file *file = open_file("new.txt");
    strcpy(tag, web_file_etag(file, WEB_IDENTITY));
    assert_int_equal(strncmp(tag, "W/\"", 3), 0);
    web_file_release(file);
    while (clock_wall_usec() < second * USEC_PER_SEC + 20 * USEC_PER_MSEC)
        usleep(10000);
    w.now++;
    file = open_file("new.txt");
    assert_string_equal(web_file_etag(file, WEB_IDENTITY), tag + 2);
    web_file_release(file);
}

static void forms_are_made_once_and_counted(void **state UNUSED)
{
    static char text[20000];
    memset(text, 'x', sizeof text);
    put("large.txt", text, sizeof text);
    struct web_file *file = open_file("large.txt");
    assert_int_equal(w.cache.octets, sizeof text);
    const struct web_form *gzip = web_file_form(file, WEB_GZIP);
    assert_non_null(gzip);
    assert_true(gzip->len < 200);
    assert_ptr_equal(web_file_form(file, WEB_GZIP), gzip);
    assert_int_equal(w.cache.octets, sizeof text + gzip->len);
    assert_string_not_equal(gzip->etag, file->forms[WEB_IDENTITY].etag);
    web_file_release(file);
    file = open_file("a.txt");
    assert_null(web_file_form(file, WEB_GZIP)); /* not worth it */
    web_file_release(file);
    assert_int_equal(unlink(path_of("large.txt")), 0);
    w.now++;
    assert_int_equal(open_as("large.txt", WEB_SYMLINKS_WITHIN, &file), -ENOENT);
    assert_int_equal(w.cache.octets, 5);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    static const struct CMUnitTest tests[] = {
        TEST(what_was_opened_is_found_again),     TEST(what_has_changed_is_opened_anew),
        TEST(another_of_the_same_size_and_time_is_another),
        TEST(what_is_young_is_not_kept),          TEST(only_files_below_the_root_are_opened),
        TEST(the_one_used_longest_ago_goes),      TEST(forms_are_made_once_and_counted),
        TEST(a_tag_tells_files_apart),            TEST(a_tag_is_weak_until_the_time_has_gone_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

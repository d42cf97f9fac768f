/* SPDX-License-Identifier: ISC */
/* The store: statements, transactions, versions, and what is left after a kill. */
#include "store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check.h"

static char folder[64];
static char path[96];

static int set_up(void **state UNUSED)
{
    strcpy(folder, "/tmp/wholenet-store-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/site.db", folder);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    static const char *const names[] = {"site.db", "site.db-wal", "site.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char file[128];
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        (void)unlink(file);
    }
    return rmdir(folder);
}

static struct store *open_at(const char *where)
{
    struct store *store = NULL;
    char error[STORE_ERROR_MAX] = "";
    int status = store_open(where, &store, error);
    if (status != 0)
        fail_msg("%d: %s", status, error);
    return store;
}

static const char *const steps[] = {
    "CREATE TABLE host (address BIGINT PRIMARY KEY, name TEXT NOT NULL, id BYTEA);"
    "CREATE INDEX host_name ON host (name);",
    "ALTER TABLE host ADD COLUMN note TEXT;",
};

static int64_t count_hosts(struct store *store)
{
    struct query *query;
    assert_int_equal(store_prepare(store, "SELECT count(*) FROM host", &query), 0);
    assert_int_equal(query_step(query), 1);
    int64_t count = query_integer(query, 0);
    query_free(query);
    return count;
}

static int add_host(struct store *store, int64_t address, const char *name)
{
    struct query *query;
    int status = store_prepare(store, "INSERT INTO host (address, name, id) VALUES ($1, $2, $3)", &query);
    if (status < 0)
        return status;
    query_bind_integer(query, 1, address);
    query_bind_text(query, 2, bytes_of_text(name));
    query_bind_blob(query, 3, bytes_of("\0\1\xff", 3));
    status = query_run(query);
    query_free(query);
    return status;
}

static void values_come_back_as_they_went(void **state UNUSED)
{
    struct store *store = open_at(STORE_MEMORY);
    assert_int_equal(store_migrate(store, "test", steps, 2), 0);
    assert_int_equal(add_host(store, INT64_MIN, "caf\xc3\xa9"), 0);
    struct query *query;
    assert_int_equal(store_prepare(store, "SELECT address, name, id, note FROM host WHERE name = $1", &query), 0);
    for (int round = 0; round < 2; round++) {
        query_bind_text(query, 1, bytes_of_text("caf\xc3\xa9"));
        assert_int_equal(query_step(query), 1);
        assert_int_equal(query_integer(query, 0), INT64_MIN);
        assert_true(bytes_equal(query_text(query, 1), bytes_of_text("caf\xc3\xa9")));
        assert_true(bytes_equal(query_blob(query, 2), bytes_of("\0\1\xff", 3)));
        assert_false(query_is_null(query, 2));
        assert_true(query_is_null(query, 3));
        assert_int_equal(query_text(query, 3).len, 0);
        assert_int_equal(query_step(query), 0);
        query_bind_text(query, 1, bytes_of_text("nobody"));
        assert_int_equal(query_step(query), 0);
    }
    query_free(query);
    assert_int_equal(store_execute(store, "DELETE FROM host"), 0);
    assert_int_equal(store_changes(store), 1);
    store_close(store);
}

static void blobs_keep_their_octets_in_byte_columns(void **state UNUSED)
{
    /* BYTEA is PostgreSQL's word; SQLite must neither turn such a value into a number nor cut it. */
    struct store *store = open_at(STORE_MEMORY);
    assert_int_equal(store_execute(store, "CREATE TABLE t (b BYTEA NOT NULL, n BIGINT)"), 0);
    struct query *query;
    assert_int_equal(store_prepare(store, "INSERT INTO t (b, n) VALUES ($1, $2)", &query), 0);
    query_bind_blob(query, 1, bytes_of_text("0123"));
    query_bind_null(query, 2);
    assert_int_equal(query_run(query), 0);
    query_bind_blob(query, 1, bytes_empty());
    assert_int_equal(query_run(query), 0); /* empty, which is not NULL */
    query_free(query);
    assert_int_equal(store_prepare(store, "SELECT b, n FROM t", &query), 0);
    assert_int_equal(query_step(query), 1);
    assert_true(bytes_equal(query_blob(query, 0), bytes_of_text("0123")));
    assert_true(query_is_null(query, 1));
    query_reset(query);
    query_free(query);
    store_close(store);
}

static void errors_say_where_and_why(void **state UNUSED)
{
    struct store *store = open_at(path);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(store_migrate(store, "test", steps, 1), 0);
    assert_int_equal(add_host(store, 1, "a"), 0);
    assert_int_equal(add_host(store, 1, "b"), -EEXIST);
    assert_non_null(strstr(store_error(store), path));
    assert_non_null(strstr(store_error(store), "UNIQUE"));
    struct query *query = NULL;
    assert_int_equal(store_prepare(store, "SELEKT", &query), -EINVAL);
    assert_non_null(strstr(store_error(store), "SELEKT"));
    assert_int_equal(store_prepare(store, "SELECT 1; SELECT 2", &query), -EINVAL); /* one, not two */
    assert_null(query);
    assert_int_equal(store_prepare(store, "SELECT name FROM host WHERE address = $1", &query), 0);
    query_bind_integer(query, 2, 1); /* there is no second parameter */
    assert_int_equal(query_step(query), -EINVAL);
    query_bind_integer(query, 1, 1);
    assert_int_equal(query_step(query), 1); /* and it is as good as new */
    query_free(query);
    store_close(store);

    char error[STORE_ERROR_MAX];
    struct store *none = NULL;
    assert_int_equal(store_open("/nonexistent/site.db", &none, error), -ENOENT);
    assert_non_null(strstr(error, "/nonexistent/site.db"));
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    assert_int_equal(store_open(path, &none, error), -EBADMSG);
    assert_non_null(strstr(error, path));
    assert_null(none);
}

static void transactions_are_all_or_nothing(void **state UNUSED)
{
    struct store *store = open_at(path);
    assert_int_equal(store_migrate(store, "test", steps, 2), 0);
    assert_int_equal(store_begin(store), 0);
    assert_true(store_in_transaction(store));
    assert_int_equal(add_host(store, 1, "a"), 0);
    assert_int_equal(add_host(store, 2, "b"), 0);
    store_rollback(store);
    assert_false(store_in_transaction(store));
    assert_int_equal(count_hosts(store), 0);
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(add_host(store, 1, "a"), 0);
    assert_int_equal(add_host(store, 1, "b"), -EEXIST); /* of the statement, not of all */
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(count_hosts(store), 1);
    store_rollback(store); /* there is none: nothing happens */
    store_close(store);
}

static void a_second_writer_waits_and_is_told(void **state UNUSED)
{
    struct store *one = open_at(path);
    assert_int_equal(store_migrate(one, "test", steps, 2), 0);
    struct store *two = open_at(path);
    assert_int_equal(store_begin(one), 0);
    assert_int_equal(add_host(one, 1, "a"), 0);
    assert_int_equal(count_hosts(two), 0); /* readers go on, with what is committed */
    assert_int_equal(store_begin(two), -EBUSY);
    assert_int_equal(store_commit(one), 0);
    assert_int_equal(store_begin(two), 0);
    assert_int_equal(count_hosts(two), 1);
    store_rollback(two);
    store_close(two);
    store_close(one);
}

static void versions_are_made_once_and_in_order(void **state UNUSED)
{
    struct store *store = open_at(path);
    assert_int_equal(store_migrate(store, "test", steps, 1), 0);
    assert_int_equal(add_host(store, 1, "a"), 0);
    assert_int_equal(store_migrate(store, "test", steps, 1), 0);
    store_close(store);
    store = open_at(path);
    assert_int_equal(store_migrate(store, "test", steps, 2), 0);
    assert_int_equal(count_hosts(store), 1);
    assert_int_equal(store_execute(store, "UPDATE host SET note = 'x'"), 0);
    assert_int_equal(store_migrate(store, "test", steps, 1), -EPROTO); /* an older program */
    assert_non_null(strstr(store_error(store), "test"));
    static const char *const other[] = {"CREATE TABLE other (a BIGINT)"};
    assert_int_equal(store_migrate(store, "other", other, 1), 0);
    /* A step that fails leaves nothing of itself, and the version as it was. */
    static const char *const broken[] = {"CREATE TABLE half (a BIGINT); CREATE TABLE half (a BIGINT);"};
    assert_int_equal(store_migrate(store, "broken", broken, 1), -EINVAL);
    static const char *const mended[] = {"CREATE TABLE half (a BIGINT);"};
    assert_int_equal(store_migrate(store, "broken", mended, 1), 0);
    store_close(store);
}

static void what_was_committed_survives_a_kill(void **state UNUSED)
{
    struct store *store = open_at(path);
    assert_int_equal(store_migrate(store, "test", steps, 2), 0);
    store_close(store);
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char error[STORE_ERROR_MAX];
        int64_t n = 0;
        if (store_open(path, &store, error) != 0)
            _exit(1);
        for (;; n++)
            if (store_begin(store) != 0 || add_host(store, 2 * n, "a") != 0 ||
                add_host(store, 2 * n + 1, "b") != 0 || store_commit(store) != 0 ||
                write(told[1], &n, sizeof n) != sizeof n)
                _exit(1);
    }
    (void)close(told[1]);
    int64_t last = -1;
    for (int i = 0; i < 20; i++)
        assert_int_equal(read(told[0], &last, sizeof last), sizeof last);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(told[0], &last, sizeof last) == sizeof last) /* all that was acknowledged */
        continue;
    (void)close(told[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    store = open_at(path);
    int64_t hosts = count_hosts(store);
    assert_true(hosts >= 2 * (last + 1));
    assert_int_equal(hosts % 2, 0); /* whole transactions */
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_come_back_as_they_went, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blobs_keep_their_octets_in_byte_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_say_where_and_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(transactions_are_all_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_writer_waits_and_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(versions_are_made_once_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_committed_survives_a_kill, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

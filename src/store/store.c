/* SPDX-License-Identifier: ISC */
/*
 * store.c - a store in SQLite: write-ahead log, and a sync of the disk with every commit
 * (synchronous=FULL), since what is committed has been promised to a client.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

enum { BUSY_WAIT_MSEC = 1000 };

struct store {
    sqlite3 *database;
    char *path;
    char error[STORE_ERROR_MAX];
};

struct query {
    struct store *store;
    sqlite3_stmt *statement;
    int bind_status; /* the first that failed */
};

static int errno_of(int code)
{
    switch (code & 0xff) { /* the rest says more than we tell apart */
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_TOOBIG:
        return -EFBIG;
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
        return -EINVAL;
    default: /* SQLite's to choose */
        return -EIO;
    }
}

/* Keeps what went wrong, for store_error(); returns the errno. */
static int failed(struct store *store, int code, const char *doing)
{
    struct text t = text_of(store->error, sizeof store->error);
    text_add_format(&t, "%s: %s: %s", store->path, doing,
                    store->database != NULL ? sqlite3_errmsg(store->database)
                                            : sqlite3_errstr(code));
    return errno_of(code);
}

static int execute(struct store *store, const char *sql, const char *doing)
{
    int code = sqlite3_exec(store->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : failed(store, code, doing);
}

/* ---- opening ---- */

static int configure(struct store *store)
{
    sqlite3_busy_timeout(store->database, BUSY_WAIT_MSEC);
    (void)sqlite3_extended_result_codes(store->database, 1);
    /* No statement of ours needs these, and a file that was tampered with might. */
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return execute(store,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                   "CREATE TABLE IF NOT EXISTS store_version"
                   " (module TEXT PRIMARY KEY NOT NULL, version BIGINT NOT NULL);",
                   "opening the store");
}

/* SQLite would make the file readable for everybody; its other files take after this one. A file
 * that is there is left alone: closing a descriptor of it would give up SQLite's locks. */
static int create_file(struct store *store)
{
    if (strcmp(store->path, STORE_MEMORY) == 0)
        return 0;
    int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return close(fd) == 0 ? 0 : -errno;
    if (errno == EEXIST)
        return 0;
    int error = errno;
    struct text t = text_of(store->error, sizeof store->error);
    text_add_format(&t, "%s: making the store: %s", store->path, strerror(error));
    return -error;
}

static int open_database(struct store *store)
{
    int status = create_file(store);
    if (status < 0)
        return status;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(store->path, &store->database, flags, NULL);
    if (code != SQLITE_OK)
        return failed(store, code, "opening the store");
    return configure(store);
}

int store_open(const char *path, struct store **out, char error[STORE_ERROR_MAX])
{
    struct text t = text_of(error, STORE_ERROR_MAX);
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->path = strdup(path)) == NULL) {
        free(store);
        text_add_format(&t, "%s: opening the store: no memory", path);
        return -ENOMEM;
    }
    int status = open_database(store);
    if (status < 0) {
        text_add(&t, store->error);
        store_close(store);
        return status;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    int code = sqlite3_close(store->database); /* takes NULL */
    ASSERT(code == SQLITE_OK);                 /* else a query was not freed */
    free(store->path);
    free(store);
}

const char *store_error(const struct store *store)
{
    return store->error;
}

/* ---- transactions ---- */

int store_begin(struct store *store)
{
    ASSERT(!store_in_transaction(store));
    /* IMMEDIATE: who cannot write learns it now, not in the middle. */
    return execute(store, "BEGIN IMMEDIATE", "beginning a transaction");
}

int store_commit(struct store *store)
{
    int status = execute(store, "COMMIT", "committing a transaction");
    if (status < 0)
        store_rollback(store);
    return status;
}

void store_rollback(struct store *store)
{
    if (store_in_transaction(store)) /* some errors have rolled back already */
        (void)sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
}

bool store_in_transaction(const struct store *store)
{
    return sqlite3_get_autocommit(store->database) == 0;
}

int store_execute(struct store *store, const char *sql)
{
    return execute(store, sql, sql);
}

int64_t store_changes(const struct store *store)
{
    return sqlite3_changes(store->database);
}

/* ---- versions ---- */

static int read_version(struct store *store, const char *module, int64_t *out)
{
    struct query *query;
    int status = store_prepare(store, "SELECT version FROM store_version WHERE module = $1",
                               &query);
    if (status < 0)
        return status;
    query_bind_text(query, 1, bytes_of_text(module));
    status = query_step(query);
    *out = status > 0 ? query_integer(query, 0) : 0;
    query_free(query);
    return status < 0 ? status : 0;
}

static int write_version(struct store *store, const char *module, int64_t version)
{
    struct query *query;
    int status = store_prepare(store,
                               "INSERT INTO store_version (module, version) VALUES ($1, $2)"
                               " ON CONFLICT (module) DO UPDATE SET version = excluded.version",
                               &query);
    if (status < 0)
        return status;
    query_bind_text(query, 1, bytes_of_text(module));
    query_bind_integer(query, 2, version);
    status = query_run(query);
    query_free(query);
    return status;
}

static int migrate(struct store *store, const char *module, const char *const *steps,
                   size_t step_count)
{
    int64_t version;
    int status = read_version(store, module, &version);
    if (status < 0)
        return status;
    if (version < 0 || (uint64_t)version > step_count) {
        struct text t = text_of(store->error, sizeof store->error);
        text_add_format(&t, "%s: the tables of %s are of version %lld, and this program knows %zu",
                        store->path, module, (long long)version, step_count);
        return -EPROTO;
    }
    for (size_t i = (size_t)version; status == 0 && i < step_count; i++)
        status = execute(store, steps[i], module);
    if (status == 0 && (uint64_t)version < step_count)
        status = write_version(store, module, (int64_t)step_count);
    return status;
}

int store_migrate(struct store *store, const char *module, const char *const *steps,
                  size_t step_count)
{
    int status = store_begin(store);
    if (status < 0)
        return status;
    status = migrate(store, module, steps, step_count);
    if (status == 0)
        return store_commit(store);
    store_rollback(store);
    return status;
}

/* ---- statements ---- */

int store_prepare(struct store *store, const char *sql, struct query **out)
{
    struct query *query = calloc(1, sizeof *query);
    if (query == NULL)
        return failed(store, SQLITE_NOMEM, sql);
    query->store = store;
    const char *rest = NULL;
    int code = sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &query->statement, &rest);
    if (code != SQLITE_OK || query->statement == NULL || *rest != '\0') {
        (void)sqlite3_finalize(query->statement);
        free(query);
        return failed(store, code != SQLITE_OK ? code : SQLITE_MISUSE, sql);
    }
    *out = query;
    return 0;
}

void query_free(struct query *query)
{
    if (query == NULL)
        return;
    (void)sqlite3_finalize(query->statement); /* repeats the error of the last step */
    free(query);
}

static void bound(struct query *query, int code)
{
    if (query->bind_status == SQLITE_OK)
        query->bind_status = code;
}

void query_bind_integer(struct query *query, int parameter, int64_t value)
{
    bound(query, sqlite3_bind_int64(query->statement, parameter, value));
}

void query_bind_text(struct query *query, int parameter, struct bytes value)
{
    bound(query, sqlite3_bind_text64(query->statement, parameter, (const char *)value.data,
                                     value.len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void query_bind_blob(struct query *query, int parameter, struct bytes value)
{
    bound(query, sqlite3_bind_blob64(query->statement, parameter, value.data, value.len,
                                     SQLITE_TRANSIENT));
}

void query_bind_null(struct query *query, int parameter)
{
    bound(query, sqlite3_bind_null(query->statement, parameter));
}

int query_step(struct query *query)
{
    if (query->bind_status != SQLITE_OK) {
        int code = query->bind_status;
        query->bind_status = SQLITE_OK;
        query_reset(query);
        return failed(query->store, code, sqlite3_sql(query->statement));
    }
    int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return 1;
    int status = 0;
    if (code != SQLITE_DONE)
        status = failed(query->store, code, sqlite3_sql(query->statement));
    query_reset(query);
    return status;
}

int query_run(struct query *query)
{
    int status;
    while ((status = query_step(query)) > 0)
        continue;
    return status;
}

void query_reset(struct query *query)
{
    (void)sqlite3_reset(query->statement); /* repeats the error of the last step */
}

int64_t query_integer(const struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

struct bytes query_text(const struct query *query, int column)
{
    const void *text = sqlite3_column_text(query->statement, column);
    int len = sqlite3_column_bytes(query->statement, column);
    return text != NULL && len > 0 ? bytes_of(text, (size_t)len) : bytes_empty();
}

struct bytes query_blob(const struct query *query, int column)
{
    const void *blob = sqlite3_column_blob(query->statement, column);
    int len = sqlite3_column_bytes(query->statement, column);
    return blob != NULL && len > 0 ? bytes_of(blob, (size_t)len) : bytes_empty();
}

bool query_is_null(const struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

/* SPDX-License-Identifier: ISC */
/*
 * store.h - what must survive: tables in a database, behind a few calls that say nothing of which.
 *
 * What store_commit() has said 0 to is on stable storage: it survives the process and the machine.
 * Today a store is SQLite, in one file, without anything to set up; the interface is made so that
 * PostgreSQL can stand behind it. Statements are therefore written in the part of SQL that both
 * have: parameters $1, $2, … in the order of their first appearance; types BIGINT, TEXT and BYTEA;
 * INSERT … ON CONFLICT (…) DO UPDATE.
 *
 * Calls block, for as long as a disk takes to write. Whoever answers many clients gathers what they
 * want stored and commits once. Not for several threads at once.
 *
 *      int status = store_prepare(store, "SELECT name FROM host WHERE address = $1", &query);
 *      query_bind_integer(query, 1, address);
 *      while ((status = query_step(query)) > 0)
 *          use(query_text(query, 0));
 *      query_reset(query);
 */
#ifndef WN_STORE_STORE_H
#define WN_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct store;
struct query;

enum { STORE_ERROR_MAX = 512 };

/* In store_open(): a store that is gone when it is closed; for tests, and for who wants none. */
#define STORE_MEMORY ":memory:"

/*
 * Opens, or makes (for its owner only), the store in the file at `path`, whose folder must exist.
 * 0, or a negative errno with the reason in `error`, which names the file. -EBUSY: another process
 * is writing; -EBADMSG: the file is no database, or damaged.
 */
MUST_USE int store_open(const char *path, struct store **out, char error[STORE_ERROR_MAX]);

/* Every query must be freed before. An open transaction is rolled back. */
void store_close(struct store *store);

/* Of the last call that failed: the file, what was being done, why. Valid until the next
 * failure. */
const char *store_error(const struct store *store);

/*
 * Brings the tables of `module` up to date: steps[0] makes the first version, steps[1] changes it
 * into the second, and so on; what has been done before is skipped. Each step may be several
 * statements, and happens whole or not at all. Released steps are never changed, only added to.
 * -EPROTO: the file is of a later version than this program.
 */
MUST_USE int store_migrate(struct store *store, const char *module, const char *const *steps,
                           size_t step_count);

/* Transactions do not nest. Without one each statement is its own. All statements up to the commit
 * happen, or none; if store_commit() fails they have not, and the transaction is over. */
MUST_USE int store_begin(struct store *store);
MUST_USE int store_commit(struct store *store);
void store_rollback(struct store *store);
bool store_in_transaction(const struct store *store);

/* One or more statements without parameters or results. */
MUST_USE int store_execute(struct store *store, const char *sql);

/* One statement, to be used as often as one likes. `sql` must outlive it. */
MUST_USE int store_prepare(struct store *store, const char *sql, struct query **out);
void query_free(struct query *query);

/* Parameters count from 1; they are copied, and stay until they are bound again. One that fails
 * makes the next query_step() fail. */
void query_bind_integer(struct query *query, int parameter, int64_t value);
void query_bind_text(struct query *query, int parameter, struct bytes value);
void query_bind_blob(struct query *query, int parameter, struct bytes value);
void query_bind_null(struct query *query, int parameter);

/* 1: a row is there; 0: done; else a negative errno: -EEXIST when a constraint is broken, -ENOSPC,
 * -EIO, -EBUSY, …. After 0 or an error the query is reset. */
MUST_USE int query_step(struct query *query);

/* Runs a statement to its end, whatever rows it yields. 0 or a negative errno. */
MUST_USE int query_run(struct query *query);

/* Ends reading before the last row; does nothing otherwise. An unfinished query holds up
 * writers. */
void query_reset(struct query *query);

/* Of the current row; columns count from 0. NULL is 0 or empty. Views are valid until the next
 * step, reset or free. */
int64_t query_integer(const struct query *query, int column);
struct bytes query_text(const struct query *query, int column);
struct bytes query_blob(const struct query *query, int column);
bool query_is_null(const struct query *query, int column);

/* How many rows the last statement that has ended inserted, changed or deleted. */
int64_t store_changes(const struct store *store);

#endif

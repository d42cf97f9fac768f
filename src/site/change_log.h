/* SPDX-License-Identifier: ISC */
/*
 * change_log.h - changes of one zone in a file, one behind the other (zone_change.h): what it has been through since it was
 * written whole, and before that what secondaries may still ask for. Each is whole or not there: one that was cut by a
 * crash, and what is behind it, is not read.
 */
#ifndef WN_SITE_CHANGE_LOG_H
#define WN_SITE_CHANGE_LOG_H

#include "proto/dns/zone_history.h"

/* Puts such a log, of what the history has (NULL: of nothing), in the place of what is there: as a whole and for good. *octets:
 * its length. 0 or a negative errno. */
MUST_USE int change_log_begin(const char *path, const struct zone_history *history, uint64_t *octets);

/* That what is there is worth nothing, for good. 0 or a negative errno. */
MUST_USE int change_log_void(const char *path);

/* A descriptor to append to one that is there; -ENOENT: it is not. The caller's, to sync and to close. */
MUST_USE int change_log_open(const char *path);

/* Appends the change: it survives the process at once, and the machine when it was synced. *octets grows by its length. 0 or
 * a negative errno: then the log may end in a part of it. */
MUST_USE int change_log_append(int log, const struct zone_change *change, uint64_t *octets);

/* The changes in their order, each to be used or let go of in on_change(); which says with a negative errno that it wants no
 * more. 0 or a negative errno: -EBADMSG when it is worth nothing. */
MUST_USE int change_log_read(const char *path, const struct heap *heap,
                             int (*on_change)(void *self, struct zone_change *change), void *self);

#endif

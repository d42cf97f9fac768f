/* SPDX-License-Identifier: ISC */
/*
 * zone_journal.h - changes of zones in the store: what was acknowledged survives, and is made again on the
 * zone as its file has it.
 *
 * A zone's file is its owner's and is never written. Its changes are kept as a chain that begins at the
 * serial number that the file had; when there are many, the zone is kept whole in their place. A file with
 * a serial number later than the last of the chain is a new beginning.
 *
 * They are in the store, and not in files of their own, since it does what those would have to: what is
 * committed is on stable storage, half a record is none, one commit serves all zones of a turn.
 */
#ifndef WN_APP_NAMES_ZONE_JOURNAL_H
#define WN_APP_NAMES_ZONE_JOURNAL_H

#include "proto/dns/zone_change.h"
#include "store/store.h"

enum {
    ZONE_JOURNAL_CHANGE_MAX = 8 << 20, /* octets of one change */
    ZONE_JOURNAL_OCTETS_MIN = 1 << 20, /* fewer are never worth keeping the zone whole */
    ZONE_JOURNAL_RECORD_OCTETS = 64,   /* what a record takes, about */
};

struct zone_journal;

/* Makes the tables if need be. 0 or a negative errno, with store_error(). */
MUST_USE int zone_journal_new(struct store *store, struct zone_journal **out);
void zone_journal_free(struct zone_journal *journal);

/* What follows until zone_journal_commit() is stored as one, or not at all. 0 or a negative errno. */
MUST_USE int zone_journal_begin(struct zone_journal *journal);
MUST_USE int zone_journal_commit(struct zone_journal *journal);
void zone_journal_rollback(struct zone_journal *journal);
const char *zone_journal_error(const struct zone_journal *journal);

/* Adds a change that the zone has been through. 0 or a negative errno. */
MUST_USE int zone_journal_put(struct zone_journal *journal, struct zone *zone,
                              const struct zone_change *change);

/* Has it become so much that the zone as a whole is less? */
bool zone_journal_is_long(const struct zone *zone);

/* Keeps the zone as it is in the place of all its changes so far. 0 or a negative errno. */
MUST_USE int zone_journal_put_whole(struct zone_journal *journal, struct zone *zone);

/*
 * Brings a zone that comes from its file to where it was; *zone may be another afterwards, and its history
 * has the changes. 0; a negative errno: *error says what is wrong, and the zone is not to be served, since it
 * would lack what was promised: -EBADMSG when file and journal do not fit together. *dropped: how many changes
 * were given up for a newer file.
 */
MUST_USE int zone_journal_replay(struct zone_journal *journal, struct zone **zone, size_t *dropped,
                                 struct text *error);

#endif

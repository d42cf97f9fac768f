/* SPDX-License-Identifier: ISC */
/* zone_file.h - a zone from its master file, for commands: with what is wrong on standard error. */
#ifndef WN_CLI_ZONE_FILE_H
#define WN_CLI_ZONE_FILE_H

#include "proto/dns/zone.h"

/* Whose zone the file has: `given`, or with NULL the NAME of NAME.zone. False: neither tells. */
MUST_USE bool zone_file_name(const char *path, const char *given, struct dns_name *out);

/* NULL: there is an error, and it was told; as warnings are. The caller's to zone_free(). */
MUST_USE struct zone *zone_file_load(const char *path, const struct dns_name *name);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * site_catalog_file.h - what survives of a catalog: a catalog zone of the members that the site has from it, as it was when
 * it was last right. By it a restart knows whose a zone is and by which label, though the catalog is broken or not there by
 * then (RFC 9432 §5.1).
 */
#ifndef WN_SITE_SITE_CATALOG_FILE_H
#define WN_SITE_SITE_CATALOG_FILE_H

#include "os/log.h"
#include "proto/dns/catalog.h"

/* Of that name, with those members. 0 or a negative errno: the file before it stays. */
MUST_USE int site_catalog_file_write(const char *path, const struct dns_name *name,
                                     const struct catalog_member *const *members, size_t count);

/* NULL: there is none, or it is of no use, which is logged. */
MUST_USE struct catalog *site_catalog_file_read(const char *path, const struct dns_name *name,
                                                const struct log *log);

#endif

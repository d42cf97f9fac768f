/* SPDX-License-Identifier: ISC */
/* zone_files.h - the host's files for those who load zones (proto/dns/zone_load.h). */
#ifndef WN_SITE_ZONE_FILES_H
#define WN_SITE_ZONE_FILES_H

#include "proto/dns/zone_load.h"

#define ZONE_FILE_LEN_MAX ((size_t)2 << 30)

struct zone_files zone_files_of_host(void);

#endif

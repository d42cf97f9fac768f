/* SPDX-License-Identifier: ISC */
/* web_types.h - the media type of a file by its name's ending. */
#ifndef WN_APP_WEB_WEB_TYPES_H
#define WN_APP_WEB_WEB_TYPES_H

#include "base/bytes.h"

/* "text/html; charset=utf-8"; "application/octet-stream" for what is not known. Static. */
const char *web_type_of(struct bytes name);

#endif

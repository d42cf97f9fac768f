/* SPDX-License-Identifier: ISC */
/* status.c - names of the decoders' verdicts. */
#include "wire/status.h"

#include "base/compiler.h"

static const char *const texts[] = {
    [WIRE_OK] = "ok",
    [WIRE_TRUNCATED] = "truncated",
    [WIRE_MALFORMED] = "malformed",
    [WIRE_CHECKSUM] = "checksum does not verify",
    [WIRE_UNSUPPORTED] = "unsupported",
    [WIRE_NO_ROOM] = "no room",
};
_Static_assert(ARRAY_LEN(texts) == WIRE_STATUS_COUNT, "one text per status");

const char *wire_status_text(enum wire_status status)
{
    return texts[status];
}

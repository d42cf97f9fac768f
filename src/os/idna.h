/* SPDX-License-Identifier: ISC */
/*
 * idna.h - host names that people type to those that DNS has (RFC 5891, UTS 46 non-transitional), by libidn2:
 * nearly every system has it, and it is looked for when a name wants it, as it is large and hardly any does.
 */
#ifndef WN_OS_IDNA_H
#define WN_OS_IDNA_H

#include "base/text.h"

enum { IDNA_NAME_MAX = 255 };

/* Is there anything in it that is not ASCII? */
bool idna_wanted(struct bytes name);

/* A name in UTF-8 with its labels as A-labels. False: it is none, or there is no libidn2. */
MUST_USE bool idna_to_ascii(struct bytes name, struct text *out);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * public_suffix.h - domains below which anybody may have a name ("co.uk"), by libpsl, which the system keeps up to
 * date; it is looked for when a domain wants it, as libidn2 is.
 */
#ifndef WN_OS_PUBLIC_SUFFIX_H
#define WN_OS_PUBLIC_SUFFIX_H

#include "base/bytes.h"

/* Is the domain, in lower case, one of them? Without libpsl only one of a single label is. */
bool public_suffix(struct bytes domain);

#endif

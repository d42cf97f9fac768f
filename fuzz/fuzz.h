/* SPDX-License-Identifier: ISC */
/* fuzz.h - what every fuzz target defines; libFuzzer's own name for it. */
#ifndef WN_FUZZ_FUZZ_H
#define WN_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif

/* SPDX-License-Identifier: ISC */
/* zone_files.c - master files from the host's file system. */
#include "site/zone_files.h"

#include <stdlib.h>

#include "os/file.h"

static const char *open_file(void *self UNUSED, const char *path, struct bytes *out)
{
    char *text;
    size_t len;
    int result = file_read(path, ZONE_FILE_LEN_MAX, &text, &len);
    if (result < 0)
        return strerror(-result);
    *out = (struct bytes){(const uint8_t *)text, len};
    return NULL;
}

static void close_file(void *self UNUSED, struct bytes text)
{
    free((void *)(uintptr_t)text.data);
}

struct zone_files zone_files_of_host(void)
{
    return (struct zone_files){open_file, close_file, NULL};
}

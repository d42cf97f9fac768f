/* SPDX-License-Identifier: ISC */
/* zone_file.c - loads a master file for a command. */
#include "cli/zone_file.h"

#include <stdio.h>

#include "os/memory.h"
#include "site/zone_files.h"

enum { ZONE_RECORDS_MAX = 1 << 30 }; /* nobody is served from them */

bool zone_file_name(const char *path, const char *given, struct dns_name *out)
{
    static const char ending[] = ".zone";
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t len = strlen(name);
    if (given != NULL)
        return dns_name_parse(bytes_of_text(given), NULL, out);
    return len >= sizeof ending && strcmp(name + len - (sizeof ending - 1), ending) == 0 &&
           dns_name_parse(bytes_of(name, len - (sizeof ending - 1)), NULL, out);
}

static void print_warning(void *self UNUSED, const char *text)
{
    fprintf(stderr, "%s (warning)\n", text);
}

struct zone *zone_file_load(const char *path, const struct dns_name *name)
{
    const struct zone_load_options options = {
        .heap = memory_heap(),
        .files = zone_files_of_host(),
        .path = path,
        .name = name,
        .records_max = ZONE_RECORDS_MAX,
        .on_warning = print_warning,
    };
    struct zone_load *load = zone_load_new(&options);
    if (load == NULL) {
        fprintf(stderr, "%s: no memory for it\n", path);
        return NULL;
    }
    struct zone *zone = NULL;
    if (zone_load_step(load, SIZE_MAX) == ZONE_LOAD_DONE)
        zone = zone_load_take(load);
    else
        fprintf(stderr, "%s\n", zone_load_error(load));
    zone_load_free(load);
    return zone;
}

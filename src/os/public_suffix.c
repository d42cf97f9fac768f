/* SPDX-License-Identifier: ISC */
/* public_suffix.c - the list that libpsl has built in. */
#include "os/public_suffix.h"

#include <dlfcn.h>

#include "base/text.h"

enum { NAME_LEN_MAX = 255 };

static bool is_listed(const char *domain)
{
    typedef const void *builtin_function(void);
    typedef int is_function(const void *list, const char *domain);
    void *library = dlopen("libpsl.so.5", RTLD_NOW);
    if (library == NULL)
        return false;
    builtin_function *builtin;
    is_function *is_suffix;
    *(void **)&builtin = dlsym(library, "psl_builtin");
    *(void **)&is_suffix = dlsym(library, "psl_is_public_suffix");
    const void *list = builtin != NULL ? builtin() : NULL;
    bool listed = list != NULL && is_suffix != NULL && is_suffix(list, domain) == 1;
    (void)dlclose(library);
    return listed;
}

bool public_suffix(struct bytes domain)
{
    char name[NAME_LEN_MAX + 1];
    struct text t = text_of(name, sizeof name);
    text_add_bytes(&t, domain);
    return bytes_find(domain, '.') == domain.len || (!t.failed && is_listed(name));
}

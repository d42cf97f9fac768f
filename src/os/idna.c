/* SPDX-License-Identifier: ISC */
/* idna.c - internationalised names, by libidn2. */
#include "os/idna.h"

#include <dlfcn.h>
#include <stdlib.h>

bool idna_wanted(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 0x80)
            return true;
    return false;
}

bool idna_to_ascii(struct bytes name, struct text *out)
{
    enum { NFC_INPUT = 1, NONTRANSITIONAL = 8 }; /* of idn2.h */
    typedef int lookup_function(const uint8_t *name, uint8_t **found, int flags);
    char text[IDNA_NAME_MAX + 1];
    struct text t = text_of(text, sizeof text);
    uint8_t *found = NULL;
    text_add_bytes(&t, name);
    void *library = t.failed ? NULL : dlopen("libidn2.so.0", RTLD_NOW);
    if (library == NULL)
        return false;
    lookup_function *lookup;
    *(void **)&lookup = dlsym(library, "idn2_lookup_u8");
    bool good = lookup != NULL &&
                lookup((const uint8_t *)text, &found, NONTRANSITIONAL | NFC_INPUT) == 0;
    if (good)
        text_add(out, (const char *)found);
    free(found);
    (void)dlclose(library);
    return good && !out->failed;
}

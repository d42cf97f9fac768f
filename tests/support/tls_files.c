/* SPDX-License-Identifier: ISC */
/* tls_files.c - a folder in /tmp with a root and what it signs. */
#include "tests/support/tls_files.h"

#include <stdlib.h>
#include <unistd.h>

#include "os/clock.h"
#include "tests/support/check.h"

#define DAY ((int64_t)86400)

static size_t add(struct tls_files *f, const struct certificate_options *options, int issuer)
{
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    size_t i = f->count++;
    assert_true(i < TLS_FILES_MAX);
    struct text chain = text_of(f->chains[i], TLS_FILES_PATH_MAX);
    struct text key = text_of(f->keys[i], TLS_FILES_PATH_MAX);
    text_add_format(&chain, "%s/%zu.pem", f->folder, i);
    text_add_format(&key, "%s/%zu.key", f->folder, i);
    f->files[i] = (struct certificate_files){f->chains[i], f->keys[i]};
    if (certificate_make(options, issuer < 0 ? NULL : &f->files[issuer], &f->files[i], &error) < 0)
        fail_msg("%s", reason);
    return i;
}

void tls_files_open(struct tls_files *f)
{
    *f = (struct tls_files){.folder = "/tmp/wholenet-tls-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    int64_t now = clock_wall_seconds();
    struct certificate_options root = {.subject = "Root of the tests",
                                       .is_root = true,
                                       .valid_from = now - DAY,
                                       .valid_until = now + 30 * DAY};
    assert_int_equal(add(f, &root, -1), 0);
}

size_t tls_files_add(struct tls_files *f, int issuer, int days, const char *const *names,
                     const struct ip_address *address)
{
    int64_t now = clock_wall_seconds();
    struct certificate_options options = {.subject = names[0],
                                          .names = names,
                                          .addresses = address,
                                          .address_count = address != NULL,
                                          .valid_from = now - 20 * DAY,
                                          .valid_until = now + days * DAY};
    while (names[options.name_count] != NULL)
        options.name_count++;
    return add(f, &options, issuer);
}

void tls_files_close(struct tls_files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        (void)unlink(f->chains[i]);
        (void)unlink(f->keys[i]);
    }
    assert_int_equal(rmdir(f->folder), 0);
}

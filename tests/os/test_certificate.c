/* SPDX-License-Identifier: ISC */
/* test_certificate.c - a root, what it signs, and when a certificate has to be made anew. */
#include "os/certificate.h"

#include <sys/stat.h>

#include "os/clock.h"
#include "tests/support/check.h"
#include "tests/support/tls_files.h"

#define DAY ((int64_t)86400)

static void certificates_fit_what_they_were_made_for(void **state UNUSED)
{
    static const char *const names[] = {"a.test", "*.b.test", NULL};
    static const char *const more[] = {"a.test", "c.test", NULL};
    struct tls_files f;
    tls_files_open(&f);
    struct ip_address addresses[2];
    assert_true(address_parse(bytes_of_text("fd00::1"), &addresses[0]));
    addresses[1] = address_v4(0x0a000001);
    size_t leaf = tls_files_add(&f, 0, 5, names, addresses);
    size_t other = tls_files_add(&f, -1, 5, names, NULL);
    const struct certificate_files *files = &f.files[leaf];
    int64_t now = clock_wall_seconds();

    struct certificate_options wanted = {.names = names, .name_count = 2,
                                         .addresses = addresses, .address_count = 1};
    assert_true(certificate_fits(files, &wanted, NULL, now));
    assert_true(certificate_fits(files, &wanted, &f.files[0], now));
    assert_false(certificate_fits(files, &wanted, &f.files[other], now));
    assert_false(certificate_fits(files, &wanted, NULL, now + 6 * DAY));
    assert_false(certificate_fits(files, &wanted, NULL, now - 21 * DAY));
    wanted.address_count = 2;
    assert_false(certificate_fits(files, &wanted, NULL, now));
    wanted.address_count = 1;
    wanted.names = more;
    assert_false(certificate_fits(files, &wanted, NULL, now));
    wanted.name_count = 1;
    assert_true(certificate_fits(files, &wanted, NULL, now));

    struct certificate_files mixed = {files->chain, f.files[other].key};
    assert_false(certificate_fits(&mixed, &wanted, NULL, now));
    struct certificate_files missing = {"/nonexistent.pem", files->key};
    assert_false(certificate_fits(&missing, &wanted, NULL, now));
    struct stat facts;
    assert_int_equal(stat(files->key, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    tls_files_close(&f);
}

static void what_cannot_be_made_is_said(void **state UNUSED)
{
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    struct certificate_options options = {.subject = "x", .valid_until = DAY};
    struct certificate_files out = {"/nonexistent/x.pem", "/nonexistent/x.key"};
    assert_true(certificate_make(&options, NULL, &out, &error) < 0);
    assert_string_equal(reason, "cannot write /nonexistent/x.key: No such file or directory");
    error = text_of(reason, sizeof reason);
    assert_true(certificate_make(&options, &out, &out, &error) < 0);
    assert_string_equal(reason, "cannot read the certificate in /nonexistent/x.pem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_fit_what_they_were_made_for),
        cmocka_unit_test(what_cannot_be_made_is_said),
    };
    return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* cgi_form.c - a CGI program for tests: says what form it was sent, counting octets, and where it runs. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *of(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "-";
}

int main(void)
{
    char folder[4096];
    unsigned long long sum = 0, count = 0;
    int octet;
    while ((octet = getchar()) != EOF) {
        sum = sum * 31 + (unsigned)octet;
        count++;
    }
    printf("Content-Type: text/plain\n\n");
    printf("method %s\ntype %s\nlength %s\ncount %llu\nsum %llx\n", of("REQUEST_METHOD"),
           of("CONTENT_TYPE"), of("CONTENT_LENGTH"), count, sum);
    printf("query %s\nscript %s\ninfo %s\nproxy %s\n", of("QUERY_STRING"), of("SCRIPT_NAME"),
           of("PATH_INFO"), of("HTTP_PROXY"));
    printf("folder %s\n", getcwd(folder, sizeof folder) != NULL ? folder : "-");
    return 0;
}

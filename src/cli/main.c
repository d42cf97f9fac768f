/* SPDX-License-Identifier: ISC */
/* main.c - the program. */
#include <stdio.h>

int main(void)
{
    printf("wholenet %s\n", WHOLENET_VERSION);
    return 0;
}

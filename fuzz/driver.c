/* SPDX-License-Identifier: ISC */
/*
 * driver.c - runs a fuzz target without libFuzzer: replays a corpus, then mutates it for a bounded
 * number of rounds from a fixed seed. So every machine with a C compiler fuzzes in `make test`.
 *
 *      fuzz_x --replay FOLDER [--mutations N] [--seed N]
 *      fuzz_x FILE…
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "fuzz/fuzz.h"

enum { INPUT_MAX = 65536, CORPUS_MAX = 4096 };

struct input {
    uint8_t *data;
    size_t len;
};

static struct input corpus[CORPUS_MAX];
static size_t corpus_count;

/* The input lies at the end of its block, so that a sanitizer sees one octet too far. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void add(const uint8_t *data, size_t len)
{
    if (corpus_count == CORPUS_MAX)
        return;
    corpus[corpus_count].data = malloc(len + 1);
    corpus[corpus_count].len = len;
    memcpy(corpus[corpus_count++].data, data, len);
}

static int replay_file(const char *path)
{
    static uint8_t buffer[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t len = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    run(buffer, len);
    add(buffer, len);
    return 0;
}

static int replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    int failed = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            char file[4096];
            snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
            failed |= replay_file(file);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return failed;
}

static size_t mutate(struct prng *prng, uint8_t *out)
{
    size_t len = 0;
    if (corpus_count > 0 && prng_below(prng, 16) != 0) {
        const struct input *base = &corpus[prng_below(prng, (uint32_t)corpus_count)];
        len = base->len;
        memcpy(out, base->data, len);
    } else {
        len = prng_below(prng, 300);
        prng_fill(prng, out, len);
    }
    for (uint32_t edits = 1 + prng_below(prng, 6); edits > 0; edits--) {
        static const uint8_t special[] = {0, 1, 0x7f, 0x80, 0xff, 0xc0, '\r', '\n', ' ', '.', ':'};
        uint32_t at = len > 0 ? prng_below(prng, (uint32_t)len) : 0;
        switch (len > 0 ? prng_below(prng, 6) : 4) {
        case 0:
            out[at] ^= (uint8_t)(1u << prng_below(prng, 8));
            break;
        case 1:
            out[at] = (uint8_t)prng_u32(prng);
            break;
        case 2:
            out[at] = special[prng_below(prng, sizeof special)];
            break;
        case 3: /* cut */
            len = at;
            break;
        case 4: /* insert */
            if (len + 8 < INPUT_MAX) {
                memmove(out + at + 4, out + at, len - at);
                prng_fill(prng, out + at, 4);
                len += 4;
            }
            break;
        default: /* copy a stretch elsewhere */
            {
                uint32_t from = prng_below(prng, (uint32_t)len);
                size_t count = len - (from > at ? from : at);
                memmove(out + at, out + from, count < 16 ? count : 16);
            }
            break;
        }
    }
    return len;
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0;
    unsigned long seed = 1;
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--replay") == 0 && i + 1 < argc)
            failed |= replay_folder(argv[++i]);
        else if (strcmp(argv[i], "--mutations") == 0 && i + 1 < argc)
            mutations = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoul(argv[++i], NULL, 10);
        else
            failed |= replay_file(argv[i]);
    }
    static uint8_t buffer[INPUT_MAX + 64];
    struct prng prng;
    prng_init_number(&prng, seed);
    for (unsigned long i = 0; i < mutations; i++)
        run(buffer, mutate(&prng, buffer));
    printf("# %zu files of corpus, %lu mutations\n", corpus_count, mutations);
    printf("%s 1 - replay and mutations\n1..1\n", failed ? "not ok" : "ok");
    for (size_t i = 0; i < corpus_count; i++)
        free(corpus[i].data);
    return failed;
}

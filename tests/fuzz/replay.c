/* Runs a fuzz target once on each file of a directory: the seeds stay good in every build, also
 * where there is no libFuzzer. Without arguments, and with an empty directory, it fails. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEED_MAX_BYTES = 1 << 20 };

static void replay(const char *directory, const char *name)
{
    static uint8_t seed[SEED_MAX_BYTES];
    struct strbuf path = {0};
    strbuf_append_format(&path, "%s/%s", directory, name);
    FILE *file = fopen(strbuf_text(&path), "rb");
    if (file == NULL) {
        perror(strbuf_text(&path));
        exit(EXIT_FAILURE);
    }
    size_t len = fread(seed, 1, sizeof seed, file);
    fclose(file);
    strbuf_finish(&path);
    /* A copy of its own size, so that reading past its end is seen. */
    uint8_t *copy = malloc(len + (len == 0));
    if (copy == NULL)
        abort();
    for (size_t i = 0; i < len; i++)
        copy[i] = seed[i];
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

int main(int argc, char **argv)
{
    DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
    if (directory == NULL) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return EXIT_FAILURE;
    }
    unsigned count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.') {
            replay(argv[1], entry->d_name);
            count++;
        }
    closedir(directory);
    printf("%u seeds\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

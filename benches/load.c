/* What it costs a program to load the library, which its argument names: until the first call has returned, in nanoseconds, and
 * what its memory grows by. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Resident pages, and of these the file's. */
static void read_pages(long *all, long *of_files)
{
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld %ld", all, of_files) != 2)
        exit(1);
    fclose(file);
}

int main(int argc, char **argv)
{
    long all_before, files_before, all, files;
    const long page = sysconf(_SC_PAGESIZE);
    if (argc != 2)
        return 2;
    read_pages(&all_before, &files_before);
    const int64_t began = now();
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void *symbol = library != NULL ? dlsym(library, "cri_abi_version") : NULL;
    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    uint32_t (*version)(void);
    *(void **)&version = symbol;
    const uint32_t answer = version();
    const int64_t took = now() - began;
    read_pages(&all, &files);
    printf("{\"abi_version\":%u,\"ns\":%lld,\"rss_bytes\":%ld,\"anon_bytes\":%ld}\n", answer, (long long)took,
           (all - all_before) * page, (all - files - all_before + files_before) * page);
    return 0;
}

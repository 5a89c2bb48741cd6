/* Loaded before the C library (LD_PRELOAD): ends the process when libcriwatch makes a thread with less than 2 MiB of stack;
 * and says at the end how many threads it made. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH ((size_t)2 << 20)

typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static int made;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    create *next = NULL;
    Dl_info info;
    size_t bytes = 0;
    *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    if (dladdr(__builtin_return_address(0), &info) != 0 && info.dli_fname != NULL
        && strstr(info.dli_fname, "libcriwatch") != NULL) {
        __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
        if (attributes == NULL || pthread_attr_getstacksize(attributes, &bytes) != 0 || bytes < ENOUGH) {
            fprintf(stderr, "the library makes a thread with a stack of %zu bytes\n", bytes);
            abort();
        }
    }
    return next(thread, attributes, start, argument);
}

__attribute__((destructor)) static void say(void)
{
    fprintf(stderr, "stacks: looked at %d threads of the library\n", made);
}

/* dlopen and dlclose, again and again, once with a watcher left alive: the library stays, and nothing falls over.
 * Argument: the library. */

#include "check.h"

#include <dlfcn.h>

typedef cri_status new_fn(const char *, const cri_options *, cri_watcher **, cri_error **);
typedef cri_status start_fn(const cri_watcher *, cri_error **);
typedef void free_fn(cri_watcher *);

/* ISO C knows no way from an object pointer to a function; POSIX promises this one. */
static void symbol(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    CHECK(address != NULL);
    memcpy(function, &address, sizeof address);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    alarm(120);
    int before = threads();
    for (int i = 0; i < 20; i++) {
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        CHECK(library != NULL);
        if (library == NULL)
            return 1;
        CHECK(threads() == before); /* Loading starts nothing. */
        new_fn *new_watcher;
        start_fn *start;
        free_fn *free_watcher;
        symbol(library, "cri_watcher_new", &new_watcher);
        symbol(library, "cri_watcher_start", &start);
        symbol(library, "cri_watcher_free", &free_watcher);
        cri_watcher *watcher = NULL;
        CHECK(new_watcher("unix:///nowhere", NULL, &watcher, NULL) == CRI_OK);
        CHECK(start(watcher, NULL) == CRI_OK);
        if (i < 19) {
            free_watcher(watcher);
            CHECK(threads_become(before));
        }
        CHECK(dlclose(library) == 0);
    }
    return failures != 0;
}

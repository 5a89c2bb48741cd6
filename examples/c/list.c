/* Prints what runs on this node, as JSON.
 * cc list.c $(pkg-config --cflags --libs criwatch) -o list && ./list [ENDPOINT] */

#include <criwatch.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_buffer json = CRI_BUFFER_INIT;
    cri_error *err = NULL;
    if (cri_watcher_new(argc > 1 ? argv[1] : NULL, NULL, &watcher, &err) == CRI_OK
        && cri_watcher_resync(watcher, 5000, &err) == CRI_OK
        && cri_watcher_list(watcher, NULL, &json, &err) == CRI_OK)
        puts(json.data);
    else
        fprintf(stderr, "list: %s\n", cri_error_message(err));
    const int failed = err != NULL;
    cri_error_free(err);
    cri_buffer_free(&json);
    cri_watcher_free(watcher);
    return failed;
}

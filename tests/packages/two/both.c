/* Calls two static libraries that are both written in Rust. */

#include <criwatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

bool another_panics(bool yes);

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_error *err = NULL;
    cri_buffer json = CRI_BUFFER_INIT;
    if (argc != 2 || another_panics(false) || !another_panics(true))
        return 1;
    /* Ours catches and returns errors, too; its threads and thread-locals run. */
    if (cri_watcher_new(argv[1], NULL, &watcher, &err) == CRI_OK && cri_watcher_resync(watcher, 5000, &err) == CRI_OK
        && cri_watcher_list(watcher, NULL, &json, &err) == CRI_OK)
        puts(json.data);
    else
        fprintf(stderr, "%s\n", cri_error_message(err));
    cri_watcher_free(watcher);
    cri_buffer_free(&json);
    cri_error_free(err);
    return !another_panics(true);
}

/* Options and buffers: refusals that explain themselves, and memory that is given back. */

#include "check.h"

int main(void)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    cri_watcher *watcher = NULL;
    cri_buffer table = CRI_BUFFER_INIT;

    CHECK_ERROR(CRI_OK, cri_options_describe(&table, &err));
    CHECK(table.data != NULL && strlen(table.data) == table.len);
    CHECK(table.data != NULL && strstr(table.data, "\"relist.interval_ms\"") != NULL);
    cri_buffer_free(&table);
    CHECK(table.data == NULL);
    cri_buffer_free(&table);

    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_options_set(options, "relist.interval_ms", "30000", &err));
    CHECK_ERROR(CRI_E_OPTION, cri_options_set(options, "relist.interval", "30000", &err));
    CHECK(cri_options_set(options, "relist.interval_ms", "soon", &err) == CRI_E_OPTION);
    CHECK(strstr(cri_error_message(err), "relist.interval_ms") != NULL);
    CHECK(strstr(cri_error_message(err), "\"soon\"") != NULL);
    cri_error_free(err);
    err = NULL;
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_options_set(options, "engine.id", "\xff\xfe", &err));
    /* What can be set may still be nowhere. */
    CHECK_ERROR(CRI_OK, cri_options_set(options, "host.root", "/no/such/root", &err));
    CHECK(cri_watcher_new("unix:///nowhere", options, &watcher, &err) == CRI_E_OPTION && watcher == NULL);
    CHECK(strstr(cri_error_message(err), "host.root: \"/no/such/root\"") != NULL && cri_error_os_code(err) == 2);
    cri_error_free(err);
    err = NULL;
    CHECK_ERROR(CRI_OK, cri_options_set(options, "host.root", "/", &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new("unix:///nowhere", options, &watcher, &err));
    cri_options_free(options);
    cri_watcher_free(watcher);
    return failures != 0;
}

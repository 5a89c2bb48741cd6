/* Wrong on purpose: AddressSanitizer has to see it. */

#include "check.h"

int main(void)
{
    cri_error *err = NULL;
    if (cri_watcher_start(NULL, &err) != CRI_E_INVALID_ARGUMENT)
        return 0;
    const char *message = cri_error_message(err);
    cri_error_free(err);
    printf("%c\n", message[0]);
    return 0;
}

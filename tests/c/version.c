/* The macros that a program is compiled with and the functions of the library that it loads say the same. */

#include <criwatch.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", CRI_VERSION_MAJOR, CRI_VERSION_MINOR, CRI_VERSION_PATCH);
    if (strcmp(cri_version(), text) != 0) {
        printf("cri_version() is %s, the macros say %s\n", cri_version(), text);
        return 1;
    }
    const uint32_t number = CRI_VERSION_MAJOR * 1000000 + CRI_VERSION_MINOR * 1000 + CRI_VERSION_PATCH;
    if (CRI_VERSION_NUMBER != number || cri_version_number() != number) {
        printf("cri_version_number() is %u, not %u\n", (unsigned)cri_version_number(), (unsigned)number);
        return 1;
    }
    if (cri_abi_version() != CRI_ABI_VERSION) {
        printf("cri_abi_version() is %u, not %d\n", (unsigned)cri_abi_version(), CRI_ABI_VERSION);
        return 1;
    }
    return 0;
}

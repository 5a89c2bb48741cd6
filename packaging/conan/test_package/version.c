/* The library that is loaded is the one of the package's header. */
#include <criwatch.h>
#include <stdio.h>

int main(void)
{
    puts(cri_version());
    return cri_abi_version() == CRI_ABI_VERSION ? 0 : 1;
}

/* Without memory the library says so in one line and the process is aborted: no status, no hang, no wrong result. */

#include "../c/check.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define HUGE_LEN (64 << 20)

/* In a child: a value that has to be copied, and no address space left for a second one. */
static void run_out(char *value)
{
    cri_options *options = NULL;
    struct rlimit nothing = {0, 0};
    if (cri_options_new(&options, NULL) != CRI_OK || setrlimit(RLIMIT_AS, &nothing) != 0)
        _exit(2);
    _exit(cri_options_set(options, "engine.id", value, NULL) == CRI_OK ? 3 : 4);
}

int main(void)
{
    char printed[4096] = "";
    size_t len = 0;
    int pipes[2], status = 0;
    struct rlimit no_core = {0, 0};
    char *value = malloc(HUGE_LEN + 1);
    CHECK(value != NULL && pipe(pipes) == 0 && setrlimit(RLIMIT_CORE, &no_core) == 0);
    memset(value, 'x', HUGE_LEN);
    value[HUGE_LEN] = '\0';
    alarm(60);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 2);
        run_out(value);
    }
    close(pipes[1]);
    for (ssize_t n; len < sizeof printed - 1 && (n = read(pipes[0], printed + len, sizeof printed - 1 - len)) > 0;)
        len += (size_t)n;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strstr(printed, "memory allocation of ") != NULL && strstr(printed, "bytes failed") != NULL);
    free(value);
    return failures != 0;
}

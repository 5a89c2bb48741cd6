/* Endpoints that are none. Each gets the right status, a message that names the endpoint, and leaves nothing behind.
 * Argument: an empty folder to work in. */

#include "check.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char *folder;

static void path_of(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
}

/* A bound socket, listening or not. */
static int bound(const char *name, int listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    path_of(address.sun_path, sizeof address.sun_path, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(!listening || listen(fd, 16) == 0);
    return fd;
}

static void refused(cri_status expected, const char *endpoint, const char *named)
{
    int fds = descriptors(), tasks = threads();
    cri_watcher *watcher = NULL;
    cri_error *err = NULL;

    cri_status status = cri_watcher_new(endpoint, NULL, &watcher, &err);
    if (status == CRI_OK) /* A refusal comes at once, however slow that is under valgrind. */
        status = cri_watcher_resync(watcher, expected == CRI_E_TIMEOUT ? 500 : 20000, &err);
    printf("%-24s %s\n", cri_status_name(status), cri_error_message(err));
    CHECK(status == expected);
    CHECK(cri_error_status(err) == status);
    CHECK(strstr(cri_error_message(err), named) != NULL);
    cri_error_free(err);
    cri_watcher_free(watcher);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
}

static void refused_in_folder(cri_status expected, const char *name)
{
    char path[256], endpoint[512];
    path_of(path, sizeof path, name);
    snprintf(endpoint, sizeof endpoint, "unix://%s", path);
    refused(expected, endpoint, path);
    refused(expected, path, path);
}

static void nobody_there(void)
{
    refused_in_folder(CRI_E_CONNECT, "missing.sock");

    close(bound("dead.sock", 1));
    refused_in_folder(CRI_E_CONNECT, "dead.sock");

    int fd = bound("deaf.sock", 0);
    refused_in_folder(CRI_E_CONNECT, "deaf.sock");
    close(fd);

    char path[256];
    path_of(path, sizeof path, "file");
    fclose(fopen(path, "w"));
    refused_in_folder(CRI_E_CONNECT, "file");
}

/* It accepts (the kernel does) and never says a word: the alarm in main is what a missed deadline would run into. */
static void nobody_answers(void)
{
    int fd = bound("mute.sock", 1);
    refused_in_folder(CRI_E_TIMEOUT, "mute.sock");
    close(fd);
}

static void no_endpoints(void)
{
    refused(CRI_E_INVALID_ARGUMENT, "tcp://127.0.0.1:1234", "tcp://127.0.0.1:1234");
    refused(CRI_E_INVALID_ARGUMENT, "127.0.0.1:1234", "127.0.0.1:1234");
    refused(CRI_E_INVALID_ARGUMENT, "", "\"\"");
    refused(CRI_E_INVALID_ARGUMENT, "unix:///bad\xff", "UTF-8");

    /* Longer than a sockaddr_un has room for, which is no reason to refuse it: only nobody is there. */
    char endpoint[256] = "unix:///";
    memset(endpoint + 8, 'x', 200);
    refused(CRI_E_CONNECT, endpoint, "xxxx");
}

/* Root may everything: a child becomes somebody else first. */
static void not_allowed(void)
{
    int fd = bound("locked.sock", 1);
    char path[256];
    path_of(path, sizeof path, "locked.sock");
    CHECK(chmod(path, 0) == 0 && chmod(folder, 0755) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        failures = 0;
        refused_in_folder(CRI_E_PERMISSION, "locked.sock");
        fflush(stdout);
        _exit(failures != 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(fd);
}

static void no_texts(void)
{
    cri_watcher *watcher = NULL;
    cri_error *err = NULL;
    cri_buffer buffer = CRI_BUFFER_INIT;

    watcher = new_watcher("unix:///nowhere");
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_list(watcher, "\xc3\x28", &buffer, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_inspect(watcher, "\xc3\x28", 0, 0, &buffer, &err));
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_list(watcher, NULL, &buffer, &err));
    CHECK(buffer.data == NULL);
    cri_watcher_free(watcher);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    folder = argv[1];
    alarm(120);
    nobody_there();
    nobody_answers();
    no_endpoints();
    not_allowed();
    no_texts();
    return failures != 0;
}

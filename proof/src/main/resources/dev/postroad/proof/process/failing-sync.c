/*
 * Loaded before the C library: fsync and fdatasync fail with EIO while the file named by FAILING_SYNC exists; with
 * FAILING_SYNC_ONCE set the first failure removes it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int failing(void) {
    const char *file = getenv("FAILING_SYNC");
    if (!file || access(file, F_OK) != 0) {
        return 0;
    }
    if (getenv("FAILING_SYNC_ONCE") && unlink(file) != 0) {
        return 0; /* another thread had the one failure */
    }
    errno = EIO;
    return 1;
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    return failing() ? -1 : real(fd);
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    return failing() ? -1 : real(fd);
}

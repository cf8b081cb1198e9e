/* Fails writes, syncs and opens of one database's files, as a full or dying disk does, and moves the clock. Loaded before
 * libc's own.
 *
 * What it does is told in a small file that is mapped, so that the process under test changes it by writing to it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WRITES = 1, SYNCS = 2, OPENS = 4 };

struct control {
    int64_t kinds;     /* which calls count */
    int64_t countdown; /* the n-th one fails; nought: none does */
    int64_t lasting;   /* and so do all after it */
    int64_t error;
    int64_t seen;
    int64_t clock_ahead_s;
};

static struct control *control;

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAULT_CONTROL");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) control = map;
    close(fd);
}

static int ours(const char *path) { return strstr(path, "relink.db") != NULL; }

static int ours_fd(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return ours(path);
}

static int fails(int kind) {
    if (!control || !(control->kinds & kind)) return 0;
    __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (control->countdown <= 0) return 0;
    if (__atomic_sub_fetch(&control->countdown, 1, __ATOMIC_SEQ_CST) > 0) return 0;
    if (control->lasting) control->countdown = 1;
    errno = (int)control->error;
    return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *from, size_t count) {
    REAL(write);
    return control && ours_fd(fd) && fails(WRITES) ? -1 : real(fd, from, count);
}
ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    REAL(pwrite);
    return control && ours_fd(fd) && fails(WRITES) ? -1 : real(fd, from, count, at);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
    REAL(pwrite64);
    return control && ours_fd(fd) && fails(WRITES) ? -1 : real(fd, from, count, at);
}
int ftruncate(int fd, off_t length) {
    REAL(ftruncate);
    return control && ours_fd(fd) && fails(WRITES) ? -1 : real(fd, length);
}
int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    return control && ours_fd(fd) && fails(WRITES) ? -1 : real(fd, length);
}
int fsync(int fd) {
    REAL(fsync);
    return control && ours_fd(fd) && fails(SYNCS) ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return control && ours_fd(fd) && fails(SYNCS) ? -1 : real(fd);
}

/* The machine's clock jumps; stopwatches do not. */
int clock_gettime(clockid_t id, struct timespec *into) {
    REAL(clock_gettime);
    int outcome = real(id, into);
    if (control && id == CLOCK_REALTIME && outcome == 0) into->tv_sec += control->clock_ahead_s;
    return outcome;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return control && (flags & O_ACCMODE) != O_RDONLY && ours(path) && fails(OPENS) ? -1 : real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

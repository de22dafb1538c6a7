// libguestfs brings forty other libraries with it. It is loaded at its first use, so that a command that finishes no
// image starts without it, and a host without libguestfs gets an explanation instead of the dynamic linker's.
#include "CGuestfs.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static struct ingot_guestfs functions;
static char problem[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    void *library = dlopen("libguestfs.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        snprintf(problem, sizeof problem, "%s", reason ? reason : "libguestfs.so.0 cannot be loaded");
        return;
    }
#define INGOT_GUESTFS_LOAD(name)                                                                      \
    functions.name = (__typeof__(functions.name))dlsym(library, "guestfs_" #name);                    \
    if (!functions.name && !problem[0])                                                               \
        snprintf(problem, sizeof problem, "this libguestfs is too old: it has no guestfs_" #name);
    INGOT_GUESTFS_FUNCTIONS(INGOT_GUESTFS_LOAD)
}

const struct ingot_guestfs *ingot_guestfs_library(void) {
    pthread_once(&once, load);
    return problem[0] ? NULL : &functions;
}

const char *ingot_guestfs_problem(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

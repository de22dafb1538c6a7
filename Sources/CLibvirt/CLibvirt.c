// libvirt brings fifty other libraries with it. It is loaded at its first use, so that a command that needs no machine
// starts in half the time, and a host without libvirt gets an explanation instead of the dynamic linker's.
//
// Each function stands here under its own name and hands on to the library's; the header checks the signatures.
// Without the library a call fails as libvirt's own would.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#pragma GCC visibility push(hidden)  // The library's own calls must not come back here.
#include "CLibvirt.h"

static void *library, *driver;
static char problem[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

// What libvirt knows about a QEMU binary it takes for outdated when a part of libvirt is newer, and asks again for
// seconds. It looks at a part when it loads it, and at this one only in the middle of a machine's start or freeze: then it
// asks twice in each process. Told of its age beforehand, it does not. The function is not public: without it nothing changes.
static void tell_ages(void) {
    void (*update)(const char *) = (void (*)(const char *))dlsym(library, "virUpdateSelfLastChanged");
    Dl_info info;
    char pattern[4096];
    if (!update || !dladdr((void *)update, &info) || !info.dli_fname) return;
    const char *slash = strrchr(info.dli_fname, '/');
    int length = slash ? (int)(slash - info.dli_fname) : 0;
    if (!length || length > 4000) return;
    snprintf(pattern, sizeof pattern, "%.*s/libvirt/storage-file/*.so", length, info.dli_fname);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) return;
    for (size_t index = 0; index < found.gl_pathc; index++) update(found.gl_pathv[index]);
    globfree(&found);
}

static void load(void) {
    library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library) driver = dlopen("libvirt-qemu.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library && driver) {
        tell_ages();
        return;
    }
    const char *reason = dlerror();
    size_t length = 0;
    for (; reason && reason[length] && length < sizeof problem - 1; length++) problem[length] = reason[length];
    if (!length) problem[length++] = '?';
}

const char *ingot_libvirt_problem(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

#define FORWARD(handle, failure, type, name, parameters, arguments)                  \
    type name parameters {                                                           \
        static type(*function) parameters;                                           \
        if (ingot_libvirt_problem()) return failure;                                 \
        if (!function) function = (type(*) parameters)dlsym(handle, #name);          \
        return function ? function arguments : failure;                              \
    }
#define NUMBER(name, parameters, arguments) FORWARD(library, -1, int, name, parameters, arguments)

const char *virGetLastErrorMessage(void) {
    static const char *(*function)(void);
    if (ingot_libvirt_problem()) return problem;
    if (!function) function = (const char *(*)(void))dlsym(library, "virGetLastErrorMessage");
    return function ? function() : "libvirt is too old";
}

void virSetErrorFunc(void *data, virErrorFunc handler) {
    if (ingot_libvirt_problem()) return;
    void (*function)(void *, virErrorFunc) = (void (*)(void *, virErrorFunc))dlsym(library, "virSetErrorFunc");
    if (function) function(data, handler);
}

NUMBER(virInitialize, (void), ())
NUMBER(virEventRegisterDefaultImpl, (void), ())
NUMBER(virEventRunDefaultImpl, (void), ())

FORWARD(library, NULL, virConnectPtr, virConnectOpen, (const char *uri), (uri))
NUMBER(virConnectClose, (virConnectPtr connection), (connection))
NUMBER(virConnectRef, (virConnectPtr connection), (connection))
NUMBER(virConnectGetLibVersion, (virConnectPtr connection, unsigned long *version), (connection, version))
NUMBER(virConnectGetVersion, (virConnectPtr connection, unsigned long *version), (connection, version))
NUMBER(
    virConnectDomainEventRegisterAny,
    (virConnectPtr connection, virDomainPtr domain, int event, virConnectDomainEventGenericCallback callback,
     void *opaque, virFreeCallback release),
    (connection, domain, event, callback, opaque, release))
NUMBER(virConnectDomainEventDeregisterAny, (virConnectPtr connection, int callback), (connection, callback))

FORWARD(
    library, NULL, virDomainPtr, virDomainCreateXML, (virConnectPtr connection, const char *xml, unsigned int flags),
    (connection, xml, flags))
FORWARD(
    library, NULL, virDomainPtr, virDomainLookupByName, (virConnectPtr connection, const char *name),
    (connection, name))
NUMBER(
    virDomainRestoreFlags, (virConnectPtr connection, const char *file, const char *xml, unsigned int flags),
    (connection, file, xml, flags))
FORWARD(
    library, NULL, virDomainSnapshotPtr, virDomainSnapshotCreateXML,
    (virDomainPtr domain, const char *xml, unsigned int flags), (domain, xml, flags))
NUMBER(virDomainSnapshotFree, (virDomainSnapshotPtr snapshot), (snapshot))
FORWARD(
    library, NULL, char *, virDomainGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags))
NUMBER(virDomainSuspend, (virDomainPtr domain), (domain))
NUMBER(virDomainResume, (virDomainPtr domain), (domain))
NUMBER(virDomainAbortJob, (virDomainPtr domain), (domain))
FORWARD(library, NULL, const char *, virDomainGetName, (virDomainPtr domain), (domain))
NUMBER(virDomainFree, (virDomainPtr domain), (domain))
NUMBER(virDomainDestroy, (virDomainPtr domain), (domain))
NUMBER(virDomainIsActive, (virDomainPtr domain), (domain))
NUMBER(virDomainShutdownFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
NUMBER(
    virDomainGetState, (virDomainPtr domain, int *state, int *reason, unsigned int flags),
    (domain, state, reason, flags))
FORWARD(
    driver, -1, int, virDomainQemuMonitorCommand,
    (virDomainPtr domain, const char *command, char **result, unsigned int flags), (domain, command, result, flags))

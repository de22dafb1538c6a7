// libarchive brings ten other libraries with it, and only builds with a seed ISO need it: it is loaded at its first use.
//
// Each function stands here under its own name and hands on to the library's; the header checks the signatures.
// Without the library archive_write_new gives nothing, and the others are not called.
#include <dlfcn.h>
#include <pthread.h>

#pragma GCC visibility push(hidden)  // The library's own calls must not come back here.
#include "CLibarchive.h"

static void *library;
static char problem[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
    if (library) return;
    const char *reason = dlerror();
    size_t length = 0;
    for (; reason && reason[length] && length < sizeof problem - 1; length++) problem[length] = reason[length];
    if (!length) problem[length++] = '?';
}

const char *ingot_libarchive_problem(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

#define FORWARD(failure, type, name, parameters, arguments)                          \
    type name parameters {                                                           \
        static type(*function) parameters;                                           \
        if (ingot_libarchive_problem()) return failure;                              \
        if (!function) function = (type(*) parameters)dlsym(library, #name);         \
        return function ? function arguments : failure;                              \
    }
#define NUMBER(name, parameters, arguments) FORWARD(ARCHIVE_FATAL, int, name, parameters, arguments)
#define NOTHING(name, parameters, arguments)                                         \
    void name parameters {                                                           \
        static void (*function) parameters;                                          \
        if (ingot_libarchive_problem()) return;                                      \
        if (!function) function = (void (*) parameters)dlsym(library, #name);        \
        if (function) function arguments;                                            \
    }

typedef struct archive Archive;
typedef struct archive_entry Entry;

FORWARD(NULL, Archive *, archive_write_new, (void), ())
NUMBER(archive_write_set_format_iso9660, (Archive *archive), (archive))
NUMBER(
    archive_write_set_format_option, (Archive *archive, const char *module, const char *name, const char *value),
    (archive, module, name, value))
NUMBER(archive_write_open_filename, (Archive *archive, const char *path), (archive, path))
NUMBER(archive_write_header, (Archive *archive, Entry *entry), (archive, entry))
FORWARD(
    ARCHIVE_FATAL, la_ssize_t, archive_write_data, (Archive *archive, const void *bytes, size_t count),
    (archive, bytes, count))
NUMBER(archive_write_close, (Archive *archive), (archive))
NUMBER(archive_write_free, (Archive *archive), (archive))
NUMBER(archive_errno, (Archive *archive), (archive))
FORWARD(NULL, const char *, archive_error_string, (Archive *archive), (archive))

FORWARD(NULL, Entry *, archive_entry_new, (void), ())
NOTHING(archive_entry_free, (Entry *entry), (entry))
NUMBER(archive_entry_update_pathname_utf8, (Entry *entry, const char *path), (entry, path))
NOTHING(archive_entry_set_filetype, (Entry *entry, unsigned int type), (entry, type))
NOTHING(archive_entry_set_perm, (Entry *entry, __LA_MODE_T mode), (entry, mode))
NOTHING(archive_entry_set_size, (Entry *entry, la_int64_t size), (entry, size))
NOTHING(archive_entry_set_mtime, (Entry *entry, time_t time, long nanoseconds), (entry, time, nanoseconds))

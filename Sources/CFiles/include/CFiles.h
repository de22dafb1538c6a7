#pragma once

// System calls that glibc declares for programs with _GNU_SOURCE only, which a Swift module cannot define.

// renameat2 with RENAME_EXCHANGE or RENAME_NOREPLACE, from the working directory; 0, or -1 with errno.
int exchange_names(const char *first, const char *second);
int rename_to_free_name(const char *path, const char *name);

// 1 where something is mounted at a folder, 0 where nothing is, -1 where the system does not say.
int is_mount_root(const char *folder);

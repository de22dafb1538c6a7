#pragma once
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <libssh/callbacks.h>

// Swift does not import macros with casts.
static inline int ingot_ssh_is_blocking_eof(int result) { return result == SSH_EOF; }

/// Loads libssh, once. NULL when it is there, else the dynamic linker's words.
const char *ingot_libssh_problem(void);

// libssh brings eight other libraries with it. It is loaded at its first use, so that a command that reaches no guest
// starts faster, and a host without libssh gets an explanation instead of the dynamic linker's.
//
// Each function stands here under its own name and hands on to the library's; the header checks the signatures. Without
// the library ssh_new and the functions of keys fail, and the others are not called.
#include <dlfcn.h>
#include <pthread.h>

#pragma GCC visibility push(hidden)  // The library's own calls must not come back here.
#include "CLibssh.h"

static void *library;
static char problem[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    library = dlopen("libssh.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library) return;
    const char *reason = dlerror();
    size_t length = 0;
    for (; reason && reason[length] && length < sizeof problem - 1; length++) problem[length] = reason[length];
    if (!length) problem[length++] = '?';
}

const char *ingot_libssh_problem(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

#define FORWARD(failure, type, name, parameters, arguments)                          \
    type name parameters {                                                           \
        static type(*function) parameters;                                           \
        if (ingot_libssh_problem()) return failure;                                  \
        if (!function) function = (type(*) parameters)dlsym(library, #name);         \
        return function ? function arguments : failure;                              \
    }
#define NUMBER(name, parameters, arguments) FORWARD(SSH_ERROR, int, name, parameters, arguments)
#define NOTHING(name, parameters, arguments)                                         \
    void name parameters {                                                           \
        static void (*function) parameters;                                          \
        if (ingot_libssh_problem()) return;                                          \
        if (!function) function = (void (*) parameters)dlsym(library, #name);        \
        if (function) function arguments;                                            \
    }

NUMBER(sftp_chmod, (sftp_session sftp, const char *file, mode_t mode), (sftp, file, mode))
NUMBER(sftp_close, (sftp_file file), (file))
NUMBER(sftp_get_error, (sftp_session sftp), (sftp))
FORWARD(NULL, sftp_session, sftp_new_channel, (ssh_session session, ssh_channel channel), (session, channel))
FORWARD(
    NULL, sftp_file, sftp_open, (sftp_session session, const char *file, int accesstype, mode_t mode),
    (session, file, accesstype, mode))
FORWARD(-1, ssize_t, sftp_read, (sftp_file file, void *buf, size_t count), (file, buf, count))
FORWARD(-1, ssize_t, sftp_write, (sftp_file file, const void *buf, size_t count), (file, buf, count))
NUMBER(ssh_channel_cancel_forward, (ssh_session session, const char *address, int port), (session, address, port))
NUMBER(ssh_channel_close, (ssh_channel channel), (channel))
NOTHING(ssh_channel_free, (ssh_channel channel), (channel))
NUMBER(ssh_channel_get_exit_status, (ssh_channel channel), (channel))
NUMBER(ssh_channel_is_closed, (ssh_channel channel), (channel))
NUMBER(ssh_channel_is_eof, (ssh_channel channel), (channel))
FORWARD(NULL, ssh_channel, ssh_channel_new, (ssh_session session), (session))
NUMBER(ssh_channel_open_session, (ssh_channel channel), (channel))
NUMBER(
    ssh_channel_read_nonblocking, (ssh_channel channel, void *dest, uint32_t count, int is_stderr),
    (channel, dest, count, is_stderr))
NUMBER(ssh_channel_request_auth_agent, (ssh_channel channel), (channel))
NUMBER(ssh_channel_request_exec, (ssh_channel channel, const char *cmd), (channel, cmd))
NUMBER(
    ssh_channel_request_pty_size, (ssh_channel channel, const char *term, int cols, int rows),
    (channel, term, cols, rows))
NUMBER(ssh_channel_request_sftp, (ssh_channel channel), (channel))
NUMBER(ssh_channel_write, (ssh_channel channel, const void *data, uint32_t len), (channel, data, len))
NUMBER(ssh_connect, (ssh_session session), (session))
NOTHING(ssh_free, (ssh_session session), (session))
FORWARD(NULL, const char *, ssh_get_error, (void *error), (error))
FORWARD(-1, socket_t, ssh_get_fd, (ssh_session session), (session))
NUMBER(ssh_get_poll_flags, (ssh_session session), (session))
FORWARD(NULL, const char *, ssh_get_serverbanner, (ssh_session session), (session))
NUMBER(ssh_get_server_publickey, (ssh_session session, ssh_key *key), (session, key))
NUMBER(ssh_init, (void), ())
NUMBER(ssh_is_connected, (ssh_session session), (session))
NOTHING(ssh_key_free, (ssh_key key), (key))
FORWARD(SSH_KEYTYPE_UNKNOWN, enum ssh_keytypes_e, ssh_key_type, (const ssh_key key), (key))
FORWARD(NULL, const char *, ssh_key_type_to_char, (enum ssh_keytypes_e type), (type))
FORWARD(NULL, ssh_session, ssh_new, (void), ())
NUMBER(ssh_options_set, (ssh_session session, enum ssh_options_e type, const void *value), (session, type, value))
NUMBER(ssh_pki_copy_cert_to_privkey, (const ssh_key cert_key, ssh_key privkey), (cert_key, privkey))
NUMBER(
    ssh_pki_export_privkey_base64, (const ssh_key privkey, const char *passphrase, ssh_auth_callback auth_fn,
     void *auth_data, char **b64_key),
    (privkey, passphrase, auth_fn, auth_data, b64_key))
NUMBER(ssh_pki_export_pubkey_base64, (const ssh_key key, char **b64_key), (key, b64_key))
NUMBER(ssh_pki_generate, (enum ssh_keytypes_e type, int parameter, ssh_key *pkey), (type, parameter, pkey))
NUMBER(ssh_pki_import_cert_file, (const char *filename, ssh_key *pkey), (filename, pkey))
NUMBER(
    ssh_pki_import_privkey_base64, (const char *b64_key, const char *passphrase, ssh_auth_callback auth_fn,
     void *auth_data, ssh_key *pkey),
    (b64_key, passphrase, auth_fn, auth_data, pkey))
NOTHING(ssh_set_blocking, (ssh_session session, int blocking), (session, blocking))
NUMBER(ssh_set_callbacks, (ssh_session session, ssh_callbacks cb), (session, cb))
NOTHING(
    ssh_set_counters, (ssh_session session, ssh_counter scounter, ssh_counter rcounter), (session, scounter, rcounter))
NOTHING(ssh_string_free_char, (char *s), (s))
NUMBER(ssh_userauth_agent, (ssh_session session, const char *username), (session, username))
NUMBER(
    ssh_userauth_kbdint, (ssh_session session, const char *user, const char *submethods), (session, user, submethods))
NUMBER(ssh_userauth_kbdint_getnprompts, (ssh_session session), (session))
NUMBER(ssh_userauth_kbdint_setanswer, (ssh_session session, unsigned int i, const char *answer), (session, i, answer))
NUMBER(ssh_userauth_list, (ssh_session session, const char *username), (session, username))
NUMBER(ssh_userauth_none, (ssh_session session, const char *username), (session, username))
NUMBER(
    ssh_userauth_password, (ssh_session session, const char *username, const char *password),
    (session, username, password))
NUMBER(
    ssh_userauth_publickey, (ssh_session session, const char *username, const ssh_key privkey),
    (session, username, privkey))

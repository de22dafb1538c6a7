#pragma once
#include <guestfs.h>

// The functions of libguestfs that are used, by their names without the prefix.
#define INGOT_GUESTFS_FUNCTIONS(F)                                                                           \
    F(create) F(close) F(last_error) F(last_errno) F(set_error_handler) F(set_event_callback) F(user_cancel) \
    F(set_backend) F(set_backend_setting) F(set_cachedir) F(get_cachedir) F(set_tmpdir) F(set_path)          \
    F(set_pgroup) F(config) F(add_drive_opts_argv) F(launch) F(get_pid) F(shutdown)                          \
    F(feature_available) F(list_devices) F(list_partitions) F(lvs) F(list_filesystems) F(blockdev_getsize64)                           \
    F(part_get_parttype) F(part_list) F(part_get_gpt_type) F(part_get_mbr_id) F(free_partition_list)         \
    F(vfs_type) F(vfs_uuid) F(vfs_label) F(mount) F(mount_ro) F(umount_all) F(sync)                          \
    F(fstrim_argv) F(zero_free_space) F(blkdiscard) F(mkswap_opts_argv) F(mkswap_file)                       \
    F(blockdev_getss) F(pwrite_device) F(vfs_minimum_size) F(e2fsck_argv) F(resize2fs_size)                  \
    F(vgs_full) F(free_lvm_vg_list) F(lvcreate_free) F(lvremove)                                             \
    F(inspect_os) F(inspect_get_type) F(inspect_get_distro) F(inspect_get_product_name)                      \
    F(inspect_get_major_version) F(inspect_get_minor_version) F(inspect_get_arch) F(inspect_get_hostname)    \
    F(inspect_get_package_format) F(inspect_get_package_management) F(inspect_get_mountpoints)               \
    F(inspect_list_applications2) F(free_application2_list)                                                  \
    F(exists) F(is_file_opts_argv) F(is_dir_opts_argv) F(is_symlink) F(statns) F(lstatnslist) F(free_statns) \
    F(free_statns_list) F(statvfs) F(free_statvfs) F(realpath) F(glob_expand_opts_argv) F(find0) F(ls)       \
    F(pread) F(pread_device) F(write) F(write_append) F(upload) F(truncate) F(fallocate64) F(rm_rf) F(mkdir_p)               \
    F(chmod) F(chown) F(ln_sf) F(touch) F(selinux_relabel_argv)                                              \
    F(part_disk) F(part_init) F(part_add) F(part_set_gpt_type) F(mkfs) F(pvcreate) F(vgcreate) F(lvcreate)   \
    F(luks_format)

/// libguestfs, loaded at its first use. The header checks the signatures.
struct ingot_guestfs {
#define INGOT_GUESTFS_MEMBER(name) __typeof__(guestfs_##name) *name;
    INGOT_GUESTFS_FUNCTIONS(INGOT_GUESTFS_MEMBER)
#undef INGOT_GUESTFS_MEMBER
};

/// Loads libguestfs, once. NULL when it cannot be; `ingot_guestfs_problem` then has the dynamic linker's words.
const struct ingot_guestfs *ingot_guestfs_library(void);
const char *ingot_guestfs_problem(void);

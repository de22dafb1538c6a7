#pragma once
#include <stddef.h>
#include <libvirt/libvirt.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

/// Loads libvirt, once. NULL when it is there, else the dynamic linker's words.
const char *ingot_libvirt_problem(void);

// The registration takes every callback through one cast that Swift cannot spell.
static inline int ingot_register_lifecycle(
    virConnectPtr connection, virConnectDomainEventCallback callback, void *opaque, virFreeCallback release) {
    return virConnectDomainEventRegisterAny(
        connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(callback), opaque, release);
}

import ComponentModel

/// The types of sources, provisioners and post-processors that are built in, and those that Packer or its plugins have beside them.
enum KnownComponents {
    struct Family: Sendable {
        /// `source`, `provisioner`, `post-processor`, `data source`.
        var word: String
        var builtIn: [String: [Option]]
        var known: Set<String>
    }

    static let sources = Family(
        word: "source", builtIn: ["qemu": QemuSource.options],
        known: words(
            """
            virtualbox-iso virtualbox-ovf virtualbox-vm vmware-iso vmware-vmx hyperv-iso hyperv-vmcx parallels-iso parallels-ipsw
            parallels-macvm parallels-pvm proxmox proxmox-iso proxmox-clone null file amazon-ebs amazon-ebssurrogate
            amazon-ebsvolume amazon-chroot amazon-instance azure-arm azure-chroot azure-dtl googlecompute vsphere-iso
            vsphere-clone vsphere-supervisor digitalocean docker hcloud linode openstack oracle-oci oracle-classic
            outscale-bsu outscale-bsusurrogate outscale-bsuvolume lxc lxd vagrant vultr scaleway ucloud-uhost yandex
            tencentcloud-cvm alicloud-ecs cloudstack huaweicloud-ecs ncloud nutanix oneandone profitbricks ionos triton
            utm-iso utm-utm utm-cloud powervs oxide-instance tart-cli jdcloud hyperone libvirt incus xenserver-iso upcloud
            exoscale arm arm-image cross podman orka kubevirt-iso
            """))

    static let provisioners = Family(
        word: "provisioner",
        builtIn: [
            "shell": ShellSettings.options, "file": FileSettings.options, "shell-local": ShellLocalSettings.options,
            "breakpoint": [
                .text("note", "What is shown while the build waits.").outsideKey,
                .bool("disable", "Whether the build does not stop."),
            ],
            "sleep": [.duration("duration", "How long to wait, such as \"30s\".", required: true)],
        ],
        known: words(
            """
            powershell windows-shell windows-restart windows-update ansible ansible-local chef-solo chef-client
            puppet-masterless puppet-server salt-masterless inspec converge goss hcp-sbom comment testinfra
            azure-dtlartifact lua mondoo serverspec
            """))

    static let postProcessors = Family(
        word: "post-processor",
        builtIn: [
            "shell-local": ShellLocalSettings.options, "checksum": ChecksumSettings.options,
            "manifest": ManifestSettings.options, "proxmox": ProxmoxUploadSettings.options,
            "proxmox-template": ProxmoxArchiveSettings.postProcessorOptions,
        ],
        known: words(
            """
            artifice compress provenance vagrant vagrant-cloud vagrant-registry docker-import docker-tag docker-push
            docker-save amazon-import amazon-ami-management googlecompute-import googlecompute-export digitalocean-import
            vsphere vsphere-template ucloud-import yandex-import yandex-export alicloud-import exoscale-import scaleway
            utm-zip utm-vagrant ami-copy
            """))

    static let dataSources = Family(
        word: "data source", builtIn: DataSourceDecoder.options,
        known: words(
            """
            password hcp-packer-version hcp-packer-artifact hcp-packer-image hcp-packer-iteration amazon-ami
            amazon-secretsmanager amazon-parameterstore azure-keyvaultsecret googlecompute-image hcloud-image
            oracle-objectstorage vsphere-virtualmachine parameterstore scaleway-image virtualbox
            """))

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}

/// The Packer plugins that components of JSON templates come from.
enum UpgradePlugins {
    struct Plugin {
        /// Also the first part of its components' types.
        var name: String
        var source: String
        var version: String
    }

    private static let all: [Plugin] =
        [
            "amazon", "ansible", "azure", "chef", "cloudstack", "converge", "digitalocean", "docker", "googlecompute",
            "hyperv", "inspec", "linode", "openstack", "oracle", "proxmox", "puppet", "qemu", "salt", "scaleway",
            "vagrant", "virtualbox", "vmware", "vsphere",
        ].map { Plugin(name: $0, source: "github.com/hashicorp/\($0)", version: "~> 1") } + [
            Plugin(name: "hcloud", source: "github.com/hetznercloud/hcloud", version: "~> 1"),
            Plugin(name: "parallels", source: "github.com/Parallels/parallels", version: "~> 1"),
            Plugin(name: "windows-update", source: "github.com/rgl/windows-update", version: ">= 0.14.0"),
        ]

    /// Sorted by name.
    static func needed(by types: [String]) -> [Plugin] {
        all.filter { plugin in types.contains { $0 == plugin.name || $0.hasPrefix(plugin.name + "-") } }
            .sorted { $0.name < $1.name }
    }
}

/// Where Ingot keeps what outlives a build.
package struct StateFolders: Sendable {
    private let environment: [String: String]

    package init(environment: [String: String]) {
        self.environment = environment
    }

    /// Downloads: `PACKER_CACHE_DIR`, else `$XDG_CACHE_HOME/ingot`, else `~/.cache/ingot`.
    package var cache: String {
        if let named = value("PACKER_CACHE_DIR") { return named }
        return (value("XDG_CACHE_HOME") ?? home + "/.cache") + "/ingot"
    }

    /// Checkpoints: `INGOT_CHECKPOINTS`, else `$XDG_CACHE_HOME/ingot/checkpoints`, else `~/.cache/ingot/checkpoints`.
    package var checkpoints: String {
        value("INGOT_CHECKPOINTS") ?? (value("XDG_CACHE_HOME") ?? home + "/.cache") + "/ingot/checkpoints"
    }

    /// Run folders: `$XDG_STATE_HOME/ingot/runs`, else `~/.local/state/ingot/runs`.
    package var runs: String {
        (value("XDG_STATE_HOME") ?? home + "/.local/state") + "/ingot/runs"
    }

    private var home: String { value("HOME") ?? "/tmp" }

    private func value(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

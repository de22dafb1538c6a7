import ComponentModel
import Foundation
import HTTPServing
import Scopes
import Templates

/// What the guest can reach on this host while it is built.
struct Services: Sendable {
    /// The host's address as the guest sees it.
    var ip: String
    /// nil: no server.
    var httpPort: Int?
    var syslogPort: Int?
    /// When the guest last asked for something, and what.
    let activity: GuestActivity
}

/// Starts the HTTP server for answer files, and the receiver for the installer's log.
struct ServeFiles: Sendable {
    /// The host in QEMU's user network.
    static let userNetworkHost = "10.0.2.2"

    let scope: BuildScope

    private var source: QemuSource { scope.source }
    private var context: RunContext { scope.context }
    private var reporter: Reporter { scope.reporter }

    func run(_ teardowns: Teardowns) async throws -> Services {
        var services = Services(ip: try guestsViewOfHost(), activity: GuestActivity())
        let bindAddress = try bindAddress(services.ip)
        if let content = httpContent {
            let server = try await HTTPServer.start(
                content: content, host: bindAddress, ports: source.http.ports
            ) { [reporter, activity = services.activity] request in
                let text = "\(request.method) \(request.path) \(request.status), \(request.bytes) bytes"
                activity.note(text)
                reporter.report(
                    .request, text,
                    [
                        "method": .string(request.method), "path": .string(request.path),
                        "status": .integer(Int64(request.status)), "bytes": .integer(Int64(request.bytes)),
                    ])
            }
            teardowns.add("stop the HTTP server") { _ in await server.stop() }
            services.httpPort = server.port
            reporter.news("Serving \(shownContent) to the guest at http://\(services.ip):\(server.port)")
        }
        if !source.boot.fields.isDisjoint(with: ["SyslogIP", "SyslogPort"]) {
            let receiver = try await SyslogServer.start(host: bindAddress) {
                [reporter, activity = services.activity] message in
                activity.note(installer: message)
                reporter.report(.installer, "\(message.tag): \(message.text)")
            }
            teardowns.add("stop the receiver of the installer's log") { _ in try await receiver.stop() }
            services.syslogPort = receiver.port
            reporter.news("Receiving the installer's log at \(services.ip):\(receiver.port)")
        }
        return services
    }

    private var httpContent: HTTPContent? {
        if let directory = source.http.directory { return .directory(context.absolute(directory)) }
        return source.http.content.isEmpty ? nil : .content(source.http.content)
    }

    private var shownContent: String {
        let count = source.http.content.count
        return source.http.directory ?? (count == 1 ? "the file of http_content" : "the \(count) files of http_content")
    }

    /// What the guest needs and no more, unless the template says: the loopback behind a user network, else the bridge.
    private func bindAddress(_ ip: String) throws -> String {
        if let address = source.http.bindAddress { return address }
        if let interface = source.http.interface { return try addressOfInterface(interface) }
        return source.machine.netBridge == nil ? "127.0.0.1" : ip
    }

    /// 10.0.2.2 in a user network; with a bridge, the bridge's own address.
    private func guestsViewOfHost() throws -> String {
        guard let bridge = source.machine.netBridge else { return Self.userNetworkHost }
        return try addressOfInterface(bridge)
    }
}

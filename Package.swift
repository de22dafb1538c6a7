// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// - Parameter isTestable: Whether tests use what is internal to the module; they are built for release, too.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil, exclude: [String] = [],
    resources: [Resource] = [], isTestable: Bool = false
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, exclude: exclude, resources: resources,
        swiftSettings: settings + (isTestable ? [.unsafeFlags(["-enable-testing"])] : []))
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: exclude,
        resources: resources, swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let bigInt = Target.Dependency.product(name: "BigInt", package: "BigInt")

let package = Package(
    name: "ingot",
    products: [
        .executable(name: "ingot", targets: ["ingot"]),
        .library(name: "HCL", targets: ["HCL"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
        .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CMemory"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        .target(name: "CFiles"),
        // Loaded at their first use, so not linked.
        .target(name: "CLibarchive", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CLibssh", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CLibvirt", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CGuestfs", linkerSettings: [.linkedLibrary("dl")]),

        module("Diagnostics"),
        module("Scopes", ["CMemory"]),
        module("Files", ["CFiles", "Scopes"]),
        module("HCL", ["Diagnostics", "CCrypt", "CMemory", bigInt, crypto, yams]),
        module("BootCommand", ["Diagnostics"]),
        module("GoTemplates", ["Diagnostics", "HCL"], isTestable: true),
        module("ProxmoxConfiguration", ["Scopes"]),
        module(
            "ComponentModel",
            ["BootCommand", "CCrypt", "Diagnostics", "GoTemplates", "Media", "ProxmoxConfiguration", "Scopes"],
            isTestable: true),
        module(
            "Templates",
            ["BootCommand", "ComponentModel", "Diagnostics", "GoTemplates", "HCL", "Scopes"]),
        module("Machines", ["RemoteFramebuffer", "Scopes"]),
        module("Libvirt", ["CLibvirt", "Machines", "Scopes"]),
        module("GuestFiles", ["CGuestfs", "Scopes"]),
        module("Guests", ["Scopes"], exclude: ["SSH"]),
        module("SSH", ["CLibssh", "Guests", "Scopes", crypto], path: "Sources/Guests/SSH"),
        module("RemoteFramebuffer", ["Scopes", "CZlib", nio, nioPosix]),
        module("Screen", ["RemoteFramebuffer"]),
        module("HTTPServing", ["Scopes", hummingbird, logging, nio, nioPosix, serviceLifecycle]),
        module("Media", ["Scopes", "CLibarchive", asyncHTTPClient, crypto, nio, nioHTTP1]),
        module("Processes", ["Scopes", subprocess, systemPackage]),
        module("DiskImages", ["Scopes", "Processes", "CZlib", "CZstd"]),
        module("VMA", ["Scopes", "DiskImages", "CZlib", "CZstd", crypto]),
        module("Conversion", ["Scopes", "DiskImages", "VMA"]),
        module("Checkpoints", ["Files", "Scopes", "CZstd", crypto]),
        module(
            "DataSources",
            [
                "HCL", "Media", "Processes", "SSH", "Scopes", "Templates", asyncHTTPClient, crypto, nio, nioHTTP1,
                nioPosix,
            ]),
        module(
            "Proxmox", ["ProxmoxConfiguration", "Scopes", asyncHTTPClient, crypto, nio, nioHTTP1, nioPosix, nioSSL]),
        module(
            "Pipeline",
            [
                "ComponentModel", "Diagnostics", "Files", "GoTemplates", "Scopes", "HCL", "BootCommand", "Templates",
                "Libvirt", "Machines",
                "Guests", "SSH", "RemoteFramebuffer",
                "Screen", "HTTPServing", "Media", "DiskImages", "Processes", "GuestFiles", "Checkpoints",
                "Proxmox", "ProxmoxConfiguration", "VMA",
            ], isTestable: true),
        module(
            "CLI",
            [
                "BootCommand", "CMemory", "ComponentModel", "DataSources", "Diagnostics", "Scopes", "Templates",
                "Pipeline", "HCL", "DiskImages", "VMA", "Conversion", "Checkpoints", "ProxmoxConfiguration",
                argumentParser,
            ]),
        .target(name: "CICUData"),
        // One file that runs where no Swift is installed, and starts three times as fast.
        .executableTarget(
            name: "ingot", dependencies: ["CICUData", "CLI"], swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib",
                    // Nothing is loaded that would look for symbols in the program: without them the linker sees what
                    // is not used.
                    "-use-ld=lld", "-Xlinker", "--no-export-dynamic", "-Xlinker", "--icf=safe",
                ]),
                .unsafeFlags(["-Xlinker", "--strip-all"], .when(configuration: .release)),
                // What Foundation's archives need in turn.
                .linkedLibrary("CoreFoundation"), .linkedLibrary("_FoundationCShims"),
                .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationICU"), .linkedLibrary("stdc++"),
            ]),

        tests("Files", ["Scopes"]),
        tests("HCL", ["Diagnostics"], resources: [.copy("Fixtures")]),
        tests("BootCommand"),
        tests(
            "Templates",
            ["BootCommand", "ComponentModel", "Diagnostics", "GoTemplates", "HCL", "ProxmoxConfiguration", "Scopes"],
            exclude: ["Mistakes"]),
        tests("DataSources", ["Diagnostics", "HCL", "Processes", "Scopes", "Templates", hummingbird]),
        tests("Libvirt", ["Machines", "Scopes"], resources: [.copy("Machines")]),
        tests("GuestFiles", ["CGuestfs", "Processes", "Scopes"]),
        // Guests without a machine, for the tests of whatever uses one.
        .target(
            name: "GuestsTestSupport", dependencies: ["Guests"], path: "Tests/GuestsTestSupport",
            swiftSettings: settings),
        tests("Guests", ["GuestsTestSupport", "Scopes"]),
        tests("SSH", ["Guests", "Scopes"]),
        tests("RemoteFramebuffer", ["Scopes"]),
        tests("Screen", ["RemoteFramebuffer", "Scopes"], resources: [.copy("Captures")]),
        tests("HTTPServing", ["Scopes", nio, nioPosix]),
        tests("Media", ["Scopes", "HTTPServing", nio, nioPosix]),
        tests("DiskImages", ["Scopes", "Processes"]),
        tests("VMA", ["DiskImages", "Processes", "Scopes", crypto]),
        tests("Conversion", ["VMA", "DiskImages", "Scopes"]),
        tests(
            "Proxmox",
            [
                "ComponentModel", "Diagnostics", "Pipeline", "ProxmoxConfiguration", "SSH", "Scopes", "Templates",
                "VMA", crypto, nio,
                nioHTTP1,
                nioPosix, nioSSL,
            ]),
        tests("Checkpoints", ["Scopes"]),
        // What the tests of the store kill.
        .executableTarget(
            name: "store-exerciser", dependencies: ["Checkpoints", "Scopes"], path: "Tests/StoreExerciser",
            swiftSettings: settings),
        tests(
            "Pipeline",
            [
                "Checkpoints", "ComponentModel", "Diagnostics", "DiskImages", "Files", "GoTemplates", "GuestFiles",
                "Guests", "GuestsTestSupport", "HTTPServing", "Libvirt", "Machines",
                "RemoteFramebuffer", "Scopes", "Templates",
            ]),
        tests("Processes", ["Scopes"]),
        tests("CLI", ["Pipeline", "Scopes"]),
        // They run the program as a user does. They don't depend on it, since its linker settings would be theirs.
        .testTarget(
            name: "EndToEndTests", dependencies: ["Processes"], exclude: ["guest"], swiftSettings: settings),
    ]
)

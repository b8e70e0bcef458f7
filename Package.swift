// swift-tools-version: 6.2

import PackageDescription

// What each target may import is listed here and checked: arrows point from the apps down to DiscoCore, never up or
// sideways.
let package = Package(
    name: "disco",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "DiscoCore", targets: ["DiscoCore"]),
        .library(name: "DiscoEventStore", targets: ["DiscoEventStore"]),
        .library(name: "DiscoEventStoreSQLite", targets: ["DiscoEventStoreSQLite"]),
        .library(name: "DiscoEventStorePostgres", targets: ["DiscoEventStorePostgres"]),
        .library(name: "DiscoConsumers", targets: ["DiscoConsumers"]),
        .library(name: "DiscoObservability", targets: ["DiscoObservability"]),
        .library(name: "DiscoEventStoreServer", targets: ["DiscoEventStoreServer"]),
        .library(name: "DiscoEventStoreRemote", targets: ["DiscoEventStoreRemote"]),
        .library(name: "DiscoHTTP", targets: ["DiscoHTTP"]),
        .library(name: "DiscoTesting", targets: ["DiscoTesting"]),
    ],
    traits: [
        .trait(name: "SQLite", description: "The SQLite adapter: event store and read models in files (GRDB)."),
        .trait(name: "Postgres", description: "The PostgreSQL adapter: event store and read models (libpq)."),
        .trait(name: "Configuration", description: "Settings from a ConfigReader (swift-configuration)."),
        .trait(
            name: "ServiceLifecycle", description: "Consumers as services of a ServiceGroup (swift-service-lifecycle)."),
        .trait(
            name: "Observability",
            description: "Metrics and traces of commands and queries (swift-metrics, swift-distributed-tracing)."),
        .trait(
            name: "HTTP",
            description:
                "The event store server, the remote adapter, and commands over HTTP (Hummingbird, async-http-client)."),
        .default(enabledTraits: ["SQLite", "Postgres", "Configuration", "ServiceLifecycle", "Observability"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.3"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // With its default traits: SwiftPM does not resolve a package whose traits another package asks for and that is
        // unused here.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", "5.4.0"..<"7.0.0"),
        // Only with the trait HTTP.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.25.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.90.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.35.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
    ],
    targets: [
        // The library, from the bottom up.
        .target(name: "DiscoCore", dependencies: [.logging], path: "Modules/DiscoCore"),
        .target(
            name: "DiscoEventStore",
            dependencies: ["DiscoCore", "DiscoMigrations", .logging, .configuration],
            path: "Modules/DiscoEventStore"),
        .target(
            name: "DiscoMigrations",
            path: "Migrations",
            resources: [.embedInCode("sqlite"), .embedInCode("postgres")]),
        .target(
            name: "DiscoEventStoreSQLite",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoMigrations", .logging, .configuration,
                .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["SQLite"])),
                .product(name: "GRDBSQLite", package: "GRDB.swift", condition: .when(traits: ["SQLite"])),
            ],
            path: "Modules/DiscoEventStoreSQLite"),
        .systemLibrary(name: "CLibPQ", path: "Modules/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "DiscoEventStorePostgres",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoMigrations", .logging, .configuration,
                .target(name: "CLibPQ", condition: .when(traits: ["Postgres"])),
            ],
            path: "Modules/DiscoEventStorePostgres"),
        .target(
            name: "DiscoConsumers",
            dependencies: [
                "DiscoCore", .logging,
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
            ],
            path: "Modules/DiscoConsumers"),
        .target(
            name: "DiscoObservability",
            dependencies: [
                "DiscoCore",
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Observability"])),
                .product(
                    name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Observability"])),
            ],
            path: "Modules/DiscoObservability"),
        .target(
            name: "DiscoTesting",
            dependencies: ["DiscoCore", "DiscoEventStore", "DiscoConsumers", .logging],
            path: "Modules/DiscoTesting"),

        // What the HTTP modules share: routes, problem documents, OpenAPI.
        .target(
            name: "DiscoHTTPSupport",
            dependencies: [
                "DiscoCore", .logging, .hummingbird, .httpTypes, .nioCore,
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras", condition: .when(traits: ["HTTP"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["HTTP"])),
            ],
            path: "Modules/DiscoHTTPSupport"),
        .target(
            name: "DiscoEventStoreServer",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoHTTPSupport", .logging, .configuration, .hummingbird, .httpTypes,
                .nioCore, .nioSSL, .crypto,
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["HTTP"])),
                .product(name: "HummingbirdTLS", package: "hummingbird", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras", condition: .when(traits: ["HTTP"])),
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["HTTP"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["HTTP"])),
            ],
            path: "Modules/DiscoEventStoreServer"),
        .target(
            name: "DiscoEventStoreRemote",
            dependencies: [
                "DiscoCore", "DiscoEventStore", .logging, .configuration, .nioCore, .nioSSL, .httpTypes,
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["HTTP"])),
            ],
            path: "Modules/DiscoEventStoreRemote"),
        .target(
            name: "DiscoHTTP",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoHTTPSupport", .logging, .configuration, .hummingbird, .httpTypes,
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["HTTP"])),
            ],
            path: "Modules/DiscoHTTP"),

        // The sample apps and the benchmarks.
        .target(
            name: "WalletDomain", dependencies: ["DiscoCore", "DiscoConsumers", .logging], path: "Apps/WalletApp/Domain"
        ),
        .target(
            name: "AppSupport",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres",
                .target(name: "DiscoEventStoreRemote", condition: .when(traits: ["HTTP"])), .logging, .configuration,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Apps/AppSupport"),
        .executableTarget(
            name: "EventStoreApp",
            dependencies: [
                "AppSupport", "DiscoCore", "DiscoEventStore", "DiscoMigrations", .logging, .configuration,
                .target(name: "DiscoEventStoreServer", condition: .when(traits: ["HTTP"])),
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["HTTP"])),
                .nioCore, .nioSSL,
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["HTTP"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["HTTP"])),
            ],
            path: "Apps/EventStoreApp",
            exclude: ["Deployment"]),
        .executableTarget(
            name: "WalletApp",
            dependencies: [
                "WalletDomain", "AppSupport", "DiscoCore", "DiscoEventStore", "DiscoConsumers", .logging,
                .target(name: "DiscoHTTP", condition: .when(traits: ["HTTP"])), .configuration,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Apps/WalletApp/App"),
        .executableTarget(
            name: "DiscoBench",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoObservability", .logging,
                .target(name: "DiscoEventStoreRemote", condition: .when(traits: ["HTTP"])), .hummingbird, .httpTypes,
                .nioCore,
            ],
            path: "Apps/DiscoBench"),

        // A process that tests start, kill and restart.
        .executableTarget(
            name: "DiscoProbe",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoTesting", "WalletDomain", "CourseDomain", .logging,
                .target(name: "DiscoEventStoreRemote", condition: .when(traits: ["HTTP"])),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Tests/DiscoProbe"),
        .target(
            name: "TestSupport",
            dependencies: [
                "DiscoCore", .logging, .nioCore,
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["HTTP"])),
            ],
            path: "Tests/TestSupport"),
        // A second sample domain, with decisions that span aggregates.
        .target(name: "CourseDomain", dependencies: ["DiscoCore"], path: "Tests/CourseDomain"),
        .testTarget(
            name: "DiscoCoreTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoTesting", "WalletDomain", "CourseDomain", "TestSupport", .logging,
            ]),
        .testTarget(
            name: "DiscoObservabilityTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoObservability", "WalletDomain",
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
            ]),
        .testTarget(
            name: "DiscoEventStoreTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoTesting", "DiscoMigrations", "TestSupport", .configuration,
            ]),
        .testTarget(
            name: "DiscoEventStoreSQLiteTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoTesting", "DiscoProbe",
                "TestSupport", .logging, .configuration, .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "DiscoEventStorePostgresTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStorePostgres", "DiscoTesting", "TestSupport", "DiscoProbe",
                .logging, .configuration,
            ]),
        .testTarget(
            name: "DiscoConsumersTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoProbe", "DiscoTesting", "TestSupport", .logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "DiscoEventStoreServerTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStoreServer", "DiscoHTTPSupport",
                "DiscoTesting", "TestSupport", .logging, .hummingbird, .httpTypes, .nioCore,
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["HTTP"])),
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["HTTP"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["HTTP"])),
            ]),
        .testTarget(
            name: "DiscoEventStoreRemoteTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres",
                "DiscoEventStoreServer", "DiscoEventStoreRemote", "DiscoTesting", "EventStoreApp", "DiscoProbe",
                "WalletApp", "TestSupport",
                .logging, .configuration, .nioSSL,
            ]),
        .testTarget(
            name: "DiscoHTTPTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoConsumers", "DiscoHTTP",
                "DiscoHTTPSupport", "WalletApp", "WalletDomain", "TestSupport", .logging, .configuration, .hummingbird,
                .httpTypes, .nioCore,
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["HTTP"])),
                .product(name: "HummingbirdTesting", package: "hummingbird", condition: .when(traits: ["HTTP"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["HTTP"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["HTTP"])),
            ]),
        .testTarget(
            name: "EventStoreAppTests",
            dependencies: [
                "EventStoreApp", "AppSupport", "DiscoCore", "DiscoEventStore",
                .target(name: "DiscoEventStoreServer", condition: .when(traits: ["HTTP"])), "TestSupport",
                .configuration,
            ]),
        .testTarget(
            name: "GuidesTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoTesting", "DiscoObservability", .target(name: "DiscoHTTP", condition: .when(traits: ["HTTP"])),
                .target(name: "DiscoEventStoreServer", condition: .when(traits: ["HTTP"])),
                .target(name: "DiscoEventStoreRemote", condition: .when(traits: ["HTTP"])), "WalletDomain",
                .hummingbird, "TestSupport", .logging, .configuration,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "WalletAppTests",
            dependencies: [
                "WalletApp", "DiscoProbe", "WalletDomain", "CourseDomain", "DiscoCore", "DiscoConsumers",
                "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "TestSupport", .logging,
            ],
            exclude: ["demo.txt"]),
    ],
    swiftLanguageModes: [.v6]
)

extension Target.Dependency {
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let hummingbird: Self = .product(
        name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["HTTP"]))
    static let httpTypes: Self = .product(
        name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["HTTP"]))
    static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["HTTP"]))
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["HTTP"]))
    static let crypto: Self = .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["HTTP"]))
    static let configuration: Self = .product(
        name: "Configuration", package: "swift-configuration", condition: .when(traits: ["Configuration"]))
}

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
    // The guides' examples are compiled as their readers' targets are: most have this feature off.
    if target.name != "GuidesTests" { target.swiftSettings?.append(.enableUpcomingFeature("MemberImportVisibility")) }
}

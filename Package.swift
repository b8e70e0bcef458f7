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

        // The sample apps and the benchmarks.
        .target(
            name: "WalletDomain", dependencies: ["DiscoCore", "DiscoConsumers", .logging], path: "Apps/WalletApp/Domain"
        ),
        .target(
            name: "AppSupport",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", .logging,
                .configuration,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Apps/AppSupport"),
        .executableTarget(
            name: "EventStoreApp",
            dependencies: [
                "AppSupport", "DiscoCore", "DiscoEventStore", "DiscoMigrations", .configuration,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Apps/EventStoreApp"),
        .executableTarget(
            name: "WalletApp",
            dependencies: [
                "WalletDomain", "AppSupport", "DiscoCore", "DiscoEventStore", "DiscoConsumers", .logging,
                .configuration,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Apps/WalletApp/App"),
        .executableTarget(
            name: "DiscoBench",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoObservability", .logging,
            ],
            path: "Apps/DiscoBench"),

        // A process that tests start, kill and restart.
        .executableTarget(
            name: "DiscoProbe",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoTesting", "WalletDomain", "CourseDomain", .logging,
            ],
            path: "Tests/DiscoProbe"),
        .target(name: "TestSupport", dependencies: ["DiscoCore", .logging], path: "Tests/TestSupport"),
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
                "DiscoTesting", "TestSupport", .logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(name: "EventStoreAppTests", dependencies: ["EventStoreApp", "DiscoCore", "TestSupport"]),
        .testTarget(
            name: "GuidesTests",
            dependencies: [
                "DiscoCore", "DiscoEventStore", "DiscoEventStoreSQLite", "DiscoEventStorePostgres", "DiscoConsumers",
                "DiscoTesting", "DiscoObservability",
                "TestSupport",
                .logging, .configuration,
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

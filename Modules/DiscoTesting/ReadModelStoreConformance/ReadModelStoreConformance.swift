public import DiscoCore

/// The conformance suite for read model stores.
///
/// ```swift
/// @Test(arguments: ReadModelStoreConformance.cases)
/// func conforms(to aCase: ReadModelStoreConformance.Case) async throws {
///     let verdict = try await aCase.run(on: ReadModelStoreConformance { try await MyReadModelStore.open() })
///     if case .skipped(let lacking) = verdict { try Test.cancel("\(lacking)") }
/// }
/// ```
public struct ReadModelStoreConformance: Sendable {
    public typealias Case = ConformanceCase<ReadModelStoreConformance>

    let open: @Sendable () async throws -> any ReadModelStore
    private let again: (@Sendable (any ReadModelStore) async throws -> any ReadModelStore)?

    /// - Parameters:
    ///   - open: opens a fresh, empty store at each call.
    ///   - again: opens another store on the data of the given one; nil if the adapter cannot do that.
    public init(
        open: @escaping @Sendable () async throws -> any ReadModelStore,
        again: (@Sendable (any ReadModelStore) async throws -> any ReadModelStore)? = nil
    ) {
        self.open = open
        self.again = again
    }

    public static let cases: [Case] =
        checkpointCases + partitionCases + leaseCases + decisionCases + transactionCases + valueCases

    func again(_ store: any ReadModelStore) async throws -> any ReadModelStore {
        try await demand(again, "a second store on the same data")(store)
    }
}

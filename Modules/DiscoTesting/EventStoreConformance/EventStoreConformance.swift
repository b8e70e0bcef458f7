public import DiscoCore

/// What every event store must show. An adapter's test file only names its store:
///
/// ```swift
/// @Test(arguments: EventStoreConformance.cases)
/// func conforms(to aCase: EventStoreConformance.Case) async throws {
///     try await aCase.run(on: EventStoreConformance { try MyStore() })
/// }
/// ```
///
/// It imports no test framework: what is not as required throws a ``ConformanceFailure`` with its place in the source.
public struct EventStoreConformance: Sendable {
    public struct Case: Sendable, CustomStringConvertible {
        /// Its letter and number in the list of promises, for example `A6`.
        public let number: String
        public let name: String
        let body: @Sendable (EventStoreConformance) async throws -> Void

        init(_ number: String, _ name: String, _ body: @escaping @Sendable (EventStoreConformance) async throws -> Void)
        {
            self.number = number
            self.name = name
            self.body = body
        }

        public var description: String { number + " " + name }

        /// Throws ``ConformanceFailure`` where the store does not do as promised.
        public func run(on conformance: EventStoreConformance) async throws { try await body(conformance) }
    }

    /// A fresh, empty store at each call.
    let open: @Sendable () async throws -> any EventStore
    /// Another store on the data of the one given, open at the same time; nil where that cannot be.
    let second: (@Sendable (any EventStore) async throws -> any EventStore)?

    public init(
        open: @escaping @Sendable () async throws -> any EventStore,
        second: (@Sendable (any EventStore) async throws -> any EventStore)? = nil
    ) {
        self.open = open
        self.second = second
    }

    /// Every case that runs on one store.
    public static let cases: [Case] = appendCases + concurrencyCases + readingCases + conditionCases + followingCases

    /// Cases that need two stores on one database: for adapters that several processes may use at once.
    public static let sharedCases: [Case] = sharedDatabaseCases

    func withStore(_ body: @Sendable (EventStoreClient) async throws -> Void) async throws {
        let store = try await open()
        do {
            try await body(EventStoreClient(store))
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

/// Something a store promised and did not do.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public let message: String
    public let file: String
    public let line: Int

    public var description: String { "\(message) (\(file):\(line))" }
}

func require(
    _ holds: Bool, _ message: @autoclosure () -> String, file: String = #fileID, line: Int = #line
) throws {
    if !holds { throw ConformanceFailure(message: message(), file: file, line: line) }
}

func requireEqual<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: String, file: String = #fileID, line: Int = #line
) throws {
    try require(value == expected, "\(what) is \(value), expected was \(expected)", file: file, line: line)
}

/// The error of the given type that `body` must throw.
@discardableResult
func requireThrows<Failure: Error>(
    _ type: Failure.Type, file: String = #fileID, line: Int = #line, _ body: () async throws -> Void
) async throws -> Failure {
    do {
        try await body()
    } catch let error as Failure {
        return error
    } catch {
        throw ConformanceFailure(message: "\(error) was thrown, expected was \(type)", file: file, line: line)
    }
    throw ConformanceFailure(message: "nothing was thrown, expected was \(type)", file: file, line: line)
}

/// Fails instead of hanging.
func within<Result: Sendable>(
    _ limit: Duration, _ what: String, file: String = #fileID, line: Int = #line,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw ConformanceFailure(message: "\(what) took longer than \(limit)", file: file, line: line)
        }
        guard let result = try await group.next() else {
            throw ConformanceFailure(message: "\(what) ended without a result", file: file, line: line)
        }
        group.cancelAll()
        return result
    }
}

func event(
    _ stream: StreamID, _ type: String = "Happened", _ payload: JSONText = "{}", tags: [Tag] = []
) -> NewEvent {
    NewEvent(stream: stream, type: type, payload: payload, tags: tags)
}

import DiscoCore

func require(
    _ holds: Bool, _ message: @autoclosure () -> String, file: String = #fileID, line: Int = #line
) throws {
    if !holds { throw ConformanceFailure(message: message(), file: file, line: line) }
}

func requireEqual<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: String, file: String = #fileID, line: Int = #line
) throws {
    try require(value == expected, "\(what) is \(value), expected \(expected)", file: file, line: line)
}

/// Requires `body` to throw an error of the given type, and returns the error.
@discardableResult
func requireThrows<Failure: Error>(
    _ type: Failure.Type, _ what: String? = nil, file: String = #fileID, line: Int = #line,
    _ body: () async throws -> Void
) async throws -> Failure {
    let subject = what.map { $0 + ": " } ?? ""
    do {
        try await body()
    } catch let error as Failure {
        return error
    } catch {
        throw ConformanceFailure(message: "\(subject)\(error) was thrown, expected \(type)", file: file, line: line)
    }
    throw ConformanceFailure(message: "\(subject)nothing was thrown, expected \(type)", file: file, line: line)
}

/// Fails instead of hanging: cancels work that does not end in time, without waiting for it.
func within<Result: Sendable>(
    _ limit: Duration, _ what: String, file: String = #fileID, line: Int = #line,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let waiter = Waiter<Result>()
    // Neither task may be a child of this one, which would wait for both.
    let work = Task {
        do {
            waiter.settle(.success(try await body()))
        } catch {
            waiter.settle(.failure(error))
        }
    }
    let timer = Task {
        try await Task.sleep(for: limit)
        waiter.settle(
            .failure(ConformanceFailure(message: "\(what) took longer than \(limit)", file: file, line: line)))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    return try await waiter.value()
}

/// The value; fails if it is nil.
func requireValue<Value>(
    _ value: Value?, _ what: @autoclosure () -> String, file: String = #fileID, line: Int = #line
) throws -> Value {
    guard let value else { throw ConformanceFailure(message: "\(what()) is missing", file: file, line: line) }
    return value
}

/// A test case of a conformance suite.
public struct ConformanceCase<Suite: Sendable>: Sendable, CustomStringConvertible {
    /// The number of the case in the list of requirements, for example `A6`.
    public let number: String
    public let name: String
    private let body: @Sendable (Suite) async throws -> Void

    init(_ number: String, _ name: String, _ body: @escaping @Sendable (Suite) async throws -> Void) {
        self.number = number
        self.name = name
        self.body = body
    }

    public var description: String { number + " " + name }

    /// Runs the case.
    ///
    /// - Throws: ``ConformanceFailure`` if the implementation does not meet the requirement, or any error that the
    ///   implementation throws.
    public func run(on suite: Suite) async throws -> ConformanceVerdict {
        do {
            try await body(suite)
            return .passed
        } catch let lacking as Lacking {
            return .skipped(lacking.what)
        }
    }
}

/// The outcome of a case.
public enum ConformanceVerdict: Hashable, Sendable {
    case passed
    /// The implementation lacks what the case needs, which the value names. Report it: a skipped case has not passed.
    case skipped(String)
}

/// A failed check of a conformance case or a scenario.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public let message: String
    public let file: String
    public let line: Int

    public var description: String { "\(message) (\(file):\(line))" }
}

/// Thrown by a case that cannot run.
struct Lacking: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

func demand<Ability>(_ ability: Ability?, _ what: String) throws -> Ability {
    guard let ability else { throw Lacking(what) }
    return ability
}

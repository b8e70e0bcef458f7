/// One thing that an implementation must show.
public struct ConformanceCase<Suite: Sendable>: Sendable, CustomStringConvertible {
    /// Its letter and number in the list of promises, for example `A6`.
    public let number: String
    public let name: String
    private let body: @Sendable (Suite) async throws -> Void

    init(_ number: String, _ name: String, _ body: @escaping @Sendable (Suite) async throws -> Void) {
        self.number = number
        self.name = name
        self.body = body
    }

    public var description: String { number + " " + name }

    /// Runs it.
    ///
    /// - Throws: ``ConformanceFailure`` where the implementation does not do as promised, or whatever error it threw.
    public func run(on suite: Suite) async throws -> ConformanceVerdict {
        do {
            try await body(suite)
            return .passed
        } catch let lacking as Lacking {
            return .skipped(lacking.what)
        }
    }
}

/// What became of a case.
public enum ConformanceVerdict: Hashable, Sendable {
    case passed
    /// The implementation does not claim to be able to do this; says what it lacks. Report it: it is not a pass.
    case skipped(String)
}

/// Something that was promised and not done.
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
